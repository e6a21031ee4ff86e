#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 90
#
# What the peer sees on the wire is proper TCP, also across hand-offs and
# recalls: checksums, no gap, acknowledgements and windows that never go back,
# timestamps that never go back, no storm of acknowledgements. And the numbers
# of segments on the wire are those that we count.
. "${0%/*}/lib.sh"
needs_card
needs_command tcpdump
plan 15

# Else the peer joins frames before it captures them.
undo peer sh -c 'ethtool -K $TOE_IF gro on'
peer sh -c 'ethtool -K $TOE_IF gro off'
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 50
offload on

capture_start() {
	peer sh -c "exec tcpdump -i \$TOE_IF -s 0 -B 65536 -w /tmp/wire.pcap tcp" \
		>"$TMP/tcpdump" 2>&1 &
	CAPTURE=$!
	undo kill $CAPTURE
	wait_until 10 grep -q listening "$TMP/tcpdump"
}

# The wire may still hold the last segments when the transfer has ended, and
# tcpdump those before; what it has not read when it is told to stop is lost.
capture_end() {
	sleep 1
	peer pkill -INT -x tcpdump
	wait $CAPTURE
	say "tcpdump: $(grep packets "$TMP/tcpdump" | paste -sd,)"
}

# judge ADDRESS: sets WIRE to what pcap_check says.
judge() {
	peer "$HERE/pcap_check" /tmp/wire.pcap "$1" "$PORT" >"$TMP/wire"
	local status=$?
	cat "$TMP/wire"
	WIRE=$(tail -n 1 "$TMP/wire")
	return $status
}
wire() {
	jq -r "$1" <<<"$WIRE"
}

for role in active passive; do
	family=4 address=$TOE_IP
	[ $role = active ] || family=6 address=$TOE_IP6
	name="$role IPv$family"
	mark
	capture_start
	xfer_start $role $family --up 8M --down 8M --rate 1M --order close-client --mixed
	for _ in {1..10}; do
		wait_until 5 connections_are 1
		recall_all
		nap 0.05
	done
	hurry
	expect "$name: every byte arrives" xfer_wait
	capture_end
	toe_num "$name: with recalls under way" "$(delta recalled_total)" -ge 5
	expect "$name: nothing improper on the wire" judge "$address"
	expect_num "$name: all of it was captured" "$(wire .bytes)" -ge $((8 << 20))
	expect_num "$name: retransmitted on a perfect wire: at most 2 %" \
		"$(wire .retrans_bytes)" -le $(((8 << 20) / 50))
	# After TCP_INFO was taken come the last acknowledgement and the FIN.
	expect_near "$name: TCP_INFO counts its segments" "$(ours .info.segs_out)" \
		"$(wire .segments)" 6
	expect_near "$name: and the peer's" "$(ours .info.segs_in)" \
		"$(wire .peer_segments)" 6
	say "$WIRE"
	[ -n "$NO_TOE" ] || say "since the mark: $(reasons | paste -sd' ')"
done
expect "the capture goes away" peer rm /tmp/wire.pcap
