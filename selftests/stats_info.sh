#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# wire: delay=10ms,rate=20mbit,queue=100k
# timeout: 300
#
# TCP_INFO and inet_diag say of a connection in the card what they would say if it
# weren't: what it waits for and how long, how fast it is, what is where. Each
# statement is judged with offload off and with it on.
. "${0%/*}/lib.sh"
needs_card
plan 77

# However it ends, what comes next finds the switch on.
undo offload on

# look: keeps what ss says of this transfer's connection.
look() {
	ss -Htienm state established "( sport = $PORT or dport = $PORT )" >"$TMP/ss"
}

# field NAME: a number of it, of «name:12» or «name 12bps», without its unit; 0 if absent.
field() {
	local value
	value=$(grep -oE "(^| )$1[: ][0-9]+" "$TMP/ss" | head -n 1 | grep -oE '[0-9]+$')
	echo "${value:-0}"
}

shows() {
	grep -qE "(^| )$1" "$TMP/ss"
}

# queued: Send-Q, as ss says.
queued() {
	awk 'NR == 1 { print $2; exit }' "$TMP/ss"
}

# in_flight: segments that are neither acknowledged, sacked nor lost (RFC 6675, pipe).
in_flight() {
	echo $(($(field unacked) - $(field sacked) - $(field lost) + $(field retrans)))
}

# proc_queue: tx_queue of the same connection by /proc/net/tcp.
proc_queue() {
	local port
	port=$(printf '%04X' "$PORT")
	awk -v port=":$port\$" '($2 ~ port || $3 ~ port) && $4 == "01" {
		print substr($5, 1, 8), substr($5, 10) }' /proc/net/tcp | {
		read -r tx rx
		echo $((16#${tx:-0})) $((16#${rx:-0}))
	}
}

begin() {
	xfer_start active 4 "$@"
	[ "$mode" = off ] || toe_expect "on: it is in the card" wait_until 5 connections_are 1
}

# at_least NAME N: looks, and is it?
at_least() {
	look
	[ "$(field "$1")" -ge "$2" ]
}

soon_shows() {
	look
	shows "$1"
}

# delivers: is the newest sample of the delivery rate a third of the mean? On a busy
# machine a single one may be far from it.
delivers() {
	local rate

	look
	rate=$(($(field bytes_acked) * 8000 / ($(field busy) + 1)))
	[ $rate -gt 0 ] && [ "$(field delivery_rate)" -ge $((rate / 3)) ]
}

# A sender that has enough, over a line of 20 Mbit/s and a round trip of 20 ms.
bulk() {
	begin --up 12M --down 0 --order close-client
	wait_until 20 at_least busy 1800
	# What waits grows less; so ss looks after /proc/net/tcp.
	read -r tx _ <<<"$(proc_queue)"
	look
	expect "$mode: delivery rate: at least" wait_until 3 delivers
	say "$(cat "$TMP/ss")"
	expect_num "$mode: delivery rate: at most" "$(field delivery_rate)" -le 24000000
	expect_num "$mode: it was busy all the time" "$(field busy)" -ge 1800
	expect_num "$mode: and no longer than it lives" "$(field busy)" -le "$(scaled 22000)"
	expect_num "$mode: the peer's window didn't hold it back" \
		"$(field rwnd_limited)" -le $(($(field busy) / 3))
	expect_num "$mode: segments in flight fit the window" "$(in_flight)" -le \
		$(($(field cwnd) + 2))
	expect_num "$mode: some are" "$(field unacked)" -ge 5
	expect_num "$mode: more waits" $(($(field notsent) + $(field unacked))) -ge 20
	expect_num "$mode: Send-Q is what isn't acknowledged" "$(queued)" -ge \
		$(($(field notsent) / 2))
	expect_num "$mode: /proc/net/tcp says so too" "$tx" -ge $(($(field notsent) / 2))
	expect_num "$mode: payload went out just now" "$(field lastsnd)" -le "$(scaled 400)"
	expect "$mode: the congestion control is named" shows cubic
	expect "$mode: memory is told" shows 'skmem:\(r[0-9]+,rb[1-9]'
	# It tunes itself for two congestion windows; for the peer's it would be 4 MB.
	sndbuf=$(sed -n 's/.*,tb\([0-9]*\),.*/\1/p' "$TMP/ss")
	expect_num "$mode: the send buffer has grown" "${sndbuf:-0}" -ge 200000
	expect_num "$mode: and not beyond reason" "${sndbuf:-0}" -le 2500000
	expect "$mode: every byte arrives" xfer_wait
	expect_near "$mode: delivered is what was sent once" "$(ours .info.delivered)" \
		$(($(ours .info.data_segs_out) - $(ours .info.total_retrans))) 30
}

# Two seconds of silence in an established connection.
idle() {
	local before after

	before=$(date +%s%N)
	begin --up 65536 --down 65536 --order close-client --hold-ms 12000
	wait_until 20 at_least bytes_acked 65536
	sleep 2
	look
	after=$((($(date +%s%N) - before) / 1000000))
	say "$(cat "$TMP/ss")"
	for what in lastsnd lastrcv lastack; do
		expect_num "$mode: $what: about two seconds" "$(field $what)" -ge 1500
		expect_num "$mode: $what: and not more" "$(field $what)" -le "$after"
	done
	expect_num "$mode: nothing is under way" "$(field unacked)" -eq 0
	expect_num "$mode: not busy while idle" "$(field busy)" -le "$(scaled 1800)"
	release
	expect "$mode: every byte arrives" xfer_wait
}

# The peer stops reading: its window is what holds us back.
stuck() {
	SERVER_OPTIONS='--rcvbuf 65536' begin --up 8M --down 0 --pause server --pause-at 100000 \
		--pause-ms 8000 --order close-client
	wait_until 20 at_least rwnd_limited 1500
	read -r tx _ <<<"$(proc_queue)"
	say "$(cat "$TMP/ss")"
	expect_num "$mode: the peer's window holds it back" "$(field rwnd_limited)" -ge 1500
	expect_num "$mode: it was busy for that long, too" "$(field busy)" -ge \
		"$(field rwnd_limited)"
	expect_num "$mode: what waits is told" "$(field notsent)" -ge 50000
	expect_num "$mode: and stands in /proc/net/tcp" "$tx" -ge 50000
	release
	expect "$mode: every byte arrives" xfer_wait
}

# An application that has little to say.
sparse() {
	begin --up 200000 --down 0 --rate 20K --order close-client
	wait_until 20 at_least bytes_acked 60000
	say "$(cat "$TMP/ss")"
	expect "$mode: the rate is the application's" wait_until 3 soon_shows app_limited
	hurry
	expect "$mode: every byte arrives" xfer_wait
}

# A send buffer smaller than what the path holds.
small() {
	local wmem
	wmem=$(sysctl -n net.ipv4.tcp_wmem)
	undo sysctl -qw net.ipv4.tcp_wmem="$wmem"
	sysctl -qw net.ipv4.tcp_wmem='4096 16384 24576'
	begin --up 4M --down 0 --order close-client
	wait_until 20 at_least sndbuf_limited 800
	say "$(cat "$TMP/ss")"
	expect_num "$mode: its buffer holds it back" "$(field sndbuf_limited)" -ge 800
	expect_num "$mode: more than the peer's window" "$(field sndbuf_limited)" -gt \
		"$(field rwnd_limited)"
	expect "$mode: every byte arrives" xfer_wait
	sysctl -qw net.ipv4.tcp_wmem="$wmem"
}

for mode in off on; do
	offload $mode
	all_idle
	bulk
	idle
	stuck
	sparse
	small
done
