#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# A connection that rests while the MTU changes goes to the card again with segments
# of the new size, though the stack hasn't sent any since. So it does after the link
# was down, when the stack takes the size from a device of 68 bytes.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command tcpdump
plan $((2 * 27))

BYTES=200000
mtu=$(cat "/sys/class/net/$TOE_IF/mtu")
keep=/proc/sys/net/ipv6/conf/$TOE_IF/keep_addr_on_down
kept=$(cat "$keep") before=$(attr reoffload_ms)
calm() {
	ip link set "$TOE_IF" mtu "$mtu"
	echo "$kept" >"$keep"
	set_attr reoffload_ms "$before"
	peer sh -c 'ethtool -K $TOE_IF gro on; pkill -x socat; pkill -x tcpdump; rm -f /tmp/mtu.*'
}
undo calm
echo 1 >"$keep"
set_attr reoffload_ms 100
peer sh -c 'ethtool -K $TOE_IF gro off'
offload on

arrived() {
	[ "$(peer stat -c %s /tmp/mtu.sink)" = "$sunk" ]
}

larger() {
	peer sh -c 'tcpdump -r /tmp/mtu.pcap 2>/dev/null | wc -l'
}
captured() {
	[ "$(larger)" -ge "$1" ]
}

# sends NAME MIN MAX: so many larger frames than an MTU of 1300 takes; every byte
# arrives, by the card.
sends() {
	local before capture n
	peer sh -c "rm -f /tmp/mtu.pcap; exec tcpdump -U -i \$TOE_IF -w /tmp/mtu.pcap \
		'tcp dst port $PORT and greater 1315'" >"$TMP/tcpdump" 2>&1 &
	capture=$!
	wait_until 10 grep -q listening "$TMP/tcpdump"
	before=$(carried)
	head -c $BYTES /dev/zero >&8
	sunk=$((sunk + BYTES))
	expect "$1: it sends" wait_until 10 arrived
	expect_num "$1: the card does" $(($(carried) - before)) -ge $BYTES
	[ "$2" = 0 ] || wait_until 10 captured "$2"
	sleep 0.5
	peer pkill -INT -x tcpdump
	wait $capture
	n=$(larger)
	expect_num "$1: larger frames" "$n" -ge "$2"
	expect_num "$1: not more of them" "$n" -le "$3"
}

returned() {
	[ "$(delta "$1")" -ge 1 ] && connections_are 1
}

for family in 4 6; do
	PORT=$((7000 + RANDOM % 1000))
	sunk=0
	peer sh -c "rm -f /tmp/mtu.sink; exec socat -u TCP6-LISTEN:$PORT,fork,reuseaddr OPEN:/tmp/mtu.sink,creat,append" \
		>"$TMP/sink" 2>&1 &
	sink=$!
	wait_until 20 peer nc -z -w 1 ::1 "$PORT"
	exec 8<>"/dev/tcp/$(address_of peer $family)/$PORT"
	expect "IPv$family: in the card" wait_until 5 connections_are 1

	mark
	ip link set "$TOE_IF" mtu 1300
	expect "IPv$family, lower: back, and there again" wait_until 5 returned toe_recall_mtu
	sends "IPv$family, lower" 0 0

	mark
	ip link set "$TOE_IF" mtu "$mtu"
	expect "IPv$family, higher: back, and there again" wait_until 5 returned toe_recall_mtu
	sends "IPv$family, higher" 100 200

	# Unseen by the filter, too.
	offload off
	ip link set "$TOE_IF" mtu 1300
	offload on
	expect "IPv$family, lower unseen: there again" wait_until 5 connections_are 1
	sends "IPv$family, lower unseen" 0 0

	offload off
	ip link set "$TOE_IF" mtu "$mtu"
	offload on
	expect "IPv$family, higher unseen: there again" wait_until 5 connections_are 1
	sends "IPv$family, higher unseen" 100 200

	mark
	ip link set "$TOE_IF" down
	head -c 1000 /dev/zero >&8
	sunk=$((sunk + 1000))
	sleep 1.7	# the stack won't try again for a second
	ip link set "$TOE_IF" up
	expect "IPv$family, link: back, and there again" wait_until 10 returned toe_offloads
	expect_num "IPv$family, link: at once" "$(delta toe_recall_option)" -eq 0
	sends "IPv$family, link" 100 200

	exec 8>&-
	wait_until 5 no_connections
	peer pkill -x socat
	wait $sink
done
