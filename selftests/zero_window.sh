#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Both applications stop reading for ten seconds, with more under way than any
# buffer holds; then they drain it. Four connections at once: both roles, each
# with a small fixed receive buffer and with the kernel's own choice.
. "${0%/*}/lib.sh"
needs_card
plan 10

offload on
PAUSE=(--up 24M --down 24M --pause both --pause-at 1M --pause-ms 20000 --order close-client)
mark
SECONDS=0
X=a xfer_start active 4 "${PAUSE[@]}"
X=p xfer_start passive 6 "${PAUSE[@]}"
export SERVER_OPTIONS='--rcvbuf 100000'
X=as xfer_start active 6 "${PAUSE[@]}" --rcvbuf 100000
X="ps" xfer_start passive 4 "${PAUSE[@]}" --rcvbuf 100000
SERVER_OPTIONS=

stuck_here() {
	[ "$(ss_flow "dst $PEER_IP or dst [$PEER_IP6]" | awk '$2 > 0' | grep -c .)" -ge 4 ]
}
stuck_there() {
	[ "$(peer ss -Htn state established "dst $TOE_IP or dst [$TOE_IP6]" |
		awk '$2 > 0 { n++ } END { print n + 0 }')" -ge 4 ]
}

toe_expect "all four are in the card" wait_until 5 connections_are 4
standstill() {
	local before
	before=$(carried)
	sleep 1
	[ $(($(carried) - before)) -lt 100 ] && stuck_here
}
expect "bytes wait in the peer for our window" wait_until 10 stuck_there
expect "and here for the peer's, and nothing moves" wait_until 10 standstill
sleep 9
release
for X in a p as ps; do
	expect "$X: every byte arrives in the end" xfer_wait
	bytes=$((${bytes:-0} + $(payload)))
done
expect_num "it took the ten seconds" $SECONDS -ge 10
expect_carried "the card carried most" "$bytes"
toe_expect "none is left in the card" wait_until 5 no_connections
