#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# On the wire nobody can tell the card's segments from the stack's: TTL, type of service
# and flow label are the same across hand-offs and recalls.
. "${0%/*}/lib.sh"
needs_card
needs_command tcpdump
plan 10

# The stack chooses another flow label when it has to send again.
for end in "" peer; do
	undo $end sysctl -qw net.core.txrehash=1
	$end sysctl -qw net.core.txrehash=0
done
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 50
offload on

capture_start() {
	peer sh -c "exec tcpdump -i \$TOE_IF -s 128 -w /tmp/headers.pcap tcp" >"$TMP/tcpdump" 2>&1 &
	CAPTURE=$!
	undo kill $CAPTURE
	wait_until 10 grep -q listening "$TMP/tcpdump"
}
capture_end() {
	sleep 0.5
	peer pkill -INT -x tcpdump
	wait $CAPTURE
}

recalled() {
	recall_all
	sleep 0.2
	[ "$(delta recalled_total)" -ge 5 ]
}

sent() {
	[ "$(delta toe_tx_bytes)" -ge "$1" ]
}

for family in 4 6; do
	act=tos
	[ $family = 4 ] || act=tclass
	mark
	LOCAL_OPTIONS="--act $act --act-at 50k" \
		xfer_start active $family --up 8M --down 8M --rate 200k
	toe_expect "IPv$family: it is in the card" wait_until 5 connections_are 1
	# From here on the application has chosen.
	if [ -z "$NO_TOE" ]; then wait_until 20 sent 200000; else sleep 3; fi
	capture_start
	toe_expect "IPv$family: it's called back, again and again" wait_until 20 recalled
	hurry
	expect "IPv$family: every byte arrives" xfer_wait
	capture_end
	peer sh -c "tcpdump -nn -v -r /tmp/headers.pcap 'src host $(address_of toe $family) and port $PORT' 2>/dev/null" |
		sed -n 's/.*IP (\(tos [^,]*, ttl [0-9]*\),.*/\1/p;
			s/.*IP6 (\(.*hlim [0-9]*\),.*/\1/p' | sort | uniq -c >"$TMP/kinds"
	say "$(cat "$TMP/kinds")"
	expect_num "IPv$family: headers of one kind" "$(wc -l <"$TMP/kinds")" -eq 1
	expect "IPv$family: as the application wants them" grep -q '\(tos\|class\) 0x28' "$TMP/kinds"
done
