#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
#
# The receive buffer grows with what the path can hold, also where we only receive
# and no acknowledgement of ours tells the card a round trip.
. "${0%/*}/lib.sh"
needs_card
plan 10

offload on
undo peer sh -c 'tc qdisc del dev $TOE_IF root'
peer sh -c 'tc qdisc add dev $TOE_IF root netem rate 20mbit delay 80ms limit 10000'

# rcvbuf: of this transfer's socket, bytes.
rcvbuf() {
	ss -Htnm state established "( sport = $PORT or dport = $PORT )" |
		sed -n 's/.*,rb\([0-9]*\),.*/\1/p' | sort -n | tail -n 1
}
has_grown() {
	local now
	now=$(rcvbuf)
	[ "${now:-0}" -gt 400000 ]
}

window_has_grown() {
	local now
	now=$(ss -Htni state established "( sport = $PORT or dport = $PORT )" |
		sed -n 's/.* rcv_ssthresh:\([0-9]*\).*/\1/p' | sort -n | tail -n 1)
	[ "${now:-0}" -gt 250000 ]
}

for family in 4 6; do
	mark
	xfer_start passive $family --up 10M --down 0 --order close-client
	toe_expect "IPv$family: it is in the card" wait_until 5 connections_are 1
	expect "IPv$family: its receive buffer grows" wait_until 4 has_grown
	expect "IPv$family: and what it announces" wait_until 4 window_has_grown
	expect "IPv$family: every byte arrives" xfer_wait
	expect_carried "IPv$family: the card carried most" "$(payload)"
done
