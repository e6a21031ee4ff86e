#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# With the mirror on, a tap on our interface sees what the peer's tap sees of an
# offloaded connection: the same packets byte for byte, in the same order, and
# nothing else; off, nothing of what the card carries. The stack gets none of it.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command tcpdump
plan 44

# Else packets are joined, or lack their checksums, before they are captured.
undo peer sh -c 'ethtool -K $TOE_IF gro on tx on tso on'
peer sh -c 'ethtool -K $TOE_IF gro off tx off tso off'
undo ethtool -K "$TOE_IF" gro on tx on tso on
ethtool -K "$TOE_IF" gro off tx off tso off
# A guest that gets no time for a while is to lose no copies: half is theirs.
rx=$(ethtool -g "$TOE_IF" | awk '/^RX:/ { n = $2 } END { print n }')
undo ethtool -G "$TOE_IF" rx "$rx"
ethtool -G "$TOE_IF" rx 1024
undo set_attr mirror off
offload on

mirror_is() {
	[ "$(attr mirror)" = "$1" ]
}

ip_received() {
	awk '/^Ip:/ && $3 + 0 == $3 { print $4 }' /proc/net/snmp
}

# capture_start [OPTION]…: at both ends; OPTIONS for ours.
capture_start() {
	rm -f "$TMP/there.log" "$TMP/here.log"
	peer sh -c 'exec tcpdump -i $TOE_IF -s 0 -B 32768 -w /tmp/mirror.pcap tcp' \
		>"$TMP/there.log" 2>&1 &
	THERE=$!
	tcpdump -Z root -i "$TOE_IF" -s 0 -B 32768 -w "$TMP/here.pcap" "$@" tcp \
		>"$TMP/here.log" 2>&1 &
	OURS=$!
	undo kill $THERE $OURS
	wait_until 10 grep -q listening "$TMP/there.log"
	wait_until 10 grep -q listening "$TMP/here.log"
}

capture_end() {
	sleep 1
	peer pkill -INT -x tcpdump
	kill -INT $OURS
	wait $THERE $OURS
	say "there: $(grep packets "$TMP/there.log" | paste -sd,)" \
		"here: $(grep packets "$TMP/here.log" | paste -sd,)"
	peer cat /tmp/mirror.pcap >"$TMP/there.pcap"
}

# compare: sets SAME to what pcap_same says of both captures.
compare() {
	"$HERE/pcap_same" "$TMP/here.pcap" "$TMP/there.pcap" "$PORT" >"$TMP/same"
	local status=$?
	cat "$TMP/same"
	SAME=$(tail -n 1 "$TMP/same")
	return $status
}
same() {
	jq -r "$1" <<<"$SAME"
}

# lost: packets that the card, the driver or tcpdump could not keep.
lost() {
	echo $(($(delta card_toe_mirror_lost) + $(delta toe_mirror_dropped) +
		$(awk '/dropped by kernel/ { print $1 }' "$TMP/here.log")))
}

# transfer ROLE FAMILY: captured at both ends, with recalls in between.
transfer() {
	local before

	mark
	before=$(ip_received)
	capture_start
	xfer_start "$1" "$2" --up 2M --down 2M --rate 1M
	wait_until 5 connections_are 1
	for _ in {1..4}; do
		sleep 0.2
		[ -z "${RECALLS-}" ] || recall_all
	done
	expect "$NAME: every byte arrives" xfer_wait
	wait_until 5 no_connections
	capture_end
	RECEIVED=$(($(ip_received) - before))
	expect "$NAME: what the tap saw was on the wire, in this order" compare
	say "$SAME"
}

expect_fails "what isn't a mode is refused" set_attr mirror some
expect "it is off" mirror_is off

NAME="off"
transfer active 4
expect_num "$NAME: nothing of what the card carries" "$(same .bytes)" -lt \
	$(($(same .whole_bytes) / 2))
expect_num "$NAME: the card makes no copies" "$(delta card_toe_mirrored)" -eq 0

before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
for role in active passive; do
	family=4 address=$TOE_IP other=$PEER_IP
	[ $role = active ] || family=6 address=$TOE_IP6 other=$PEER_IP6
	NAME="$role IPv$family"
	set_attr mirror all
	set_attr reoffload_ms 50
	RECALLS=1 transfer $role $family
	set_attr reoffload_ms "$before"
	expect_carried "$NAME: the card carried it" $((4 << 20)) 50
	expect_num "$NAME: all but what was lost and counted" "$(same .missing)" -eq "$(lost)"
	expect_num "$NAME: which is next to nothing" "$(lost)" -le \
		"$(scaled $(($(same .whole_segments) / 50)))"
	expect_num "$NAME: whole" "$(same .cut)" -eq 0
	# The order of both directions: nothing is acknowledged before it's there.
	if [ "$(lost)" = 0 ]; then
		expect "$NAME: proper TCP from us" \
			"$HERE/pcap_check" "$TMP/here.pcap" "$address" "$PORT"
		expect "$NAME: and from the peer" \
			"$HERE/pcap_check" "$TMP/here.pcap" "$other" "$PORT"
	else
		skip "$NAME: proper TCP from us" "copies were lost"
		skip "$NAME: and from the peer" "copies were lost"
	fi
	if [ $family = 4 ]; then
		expect_num "$NAME: the stack received none of it" "$RECEIVED" -lt \
			"$(delta card_toe_mirrored)"
	fi
done

NAME="headers"
set_attr mirror headers
expect "it says so" mirror_is headers
transfer active 6
expect_num "$NAME: true lengths" "$(same .bytes)" -ge $((4 << 20))
expect_num "$NAME: without payload" "$(same .payload)" -lt $(($(same .bytes) / 4))

# Which direction does the tap say it is?
set_attr mirror all
for way in in out; do
	NAME="-Q $way"
	capture_start -Q $way
	expect "$NAME: every byte arrives" xfer active 4 --up 512k --down 512k --rate 512k
	capture_end
	compare >/dev/null
	from="src host $PEER_IP"
	[ $way = in ] || from="src host $TOE_IP"
	expect_num "$NAME: is seen" "$(same .bytes)" -ge $((256 << 10))
	expect_num "$NAME: and nothing else" \
		"$(tcpdump -nr "$TMP/here.pcap" "not ($from)" 2>/dev/null | wc -l)" -eq 0
done

# Before 6.9 the taps on all interfaces are out of a module's reach.
tcpdump -Z root -i any -s 128 -w "$TMP/any.pcap" "tcp and src host $PEER_IP" \
	>"$TMP/any.log" 2>&1 &
ANY=$!
undo kill $ANY
wait_until 10 grep -q listening "$TMP/any.log"
xfer active 4 --up 512k --down 512k --rate 512k >/dev/null
sleep 1
kill -INT $ANY
wait $ANY
seen=$(tcpdump -nr "$TMP/any.pcap" 2>/dev/null | wc -l)
if [ "$(printf '%s\n' 6.9 "$(uname -r)" | sort -V | head -n 1)" = 6.9 ]; then
	expect_num "-i any: sees what is received" "$seen" -ge 360
else
	skip "-i any: sees what is received" "this kernel shows it $seen"
fi

NAME="switched under load"
mark
capture_start
xfer_start passive 4 --up 2M --down 2M --rate 400k
while xfer_running; do
	for mode in all off headers all headers off; do
		set_attr mirror $mode
		sleep 0.05
	done
done
expect "$NAME: every byte arrives" xfer_wait
capture_end
expect "$NAME: what the tap saw was on the wire, in this order" compare
say "$SAME"
expect_num "$NAME: it saw some" "$(delta toe_mirror_frames)" -ge 20
expect_num "$NAME: and not all" "$(same .missing)" -ge 20
toe_num "$NAME: the card is well" "$(delta rx_bad_completions)" -eq 0

set_attr mirror all
expect "on, and nobody looks: a transfer" xfer active 6 --up 1M --down 1M
set_attr mirror off
mark
expect "off again: a transfer" xfer active 4 --up 1M --down 1M
expect_num "the card makes no copies" "$(delta card_toe_mirrored)" -eq 0
expect "the capture goes away" peer rm /tmp/mirror.pcap
