#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 150
#
# The card holds so many pieces of a connection's payload and no more. What is sent
# beyond that waits in the stack, goes to the card when the peer has acknowledged some,
# and arrives.
. "${0%/*}/lib.sh"
. "${0%/*}/held.sh"
needs_card
plan 8

before=$(sysctl -n net.core.optmem_max)
undo sysctl -qw "net.core.optmem_max=$before"
sysctl -qw net.core.optmem_max=4000000
# No acknowledgment before all has been sent.
undo peer sh -c 'tc qdisc del dev $TOE_IF root'
peer sh -c "tc qdisc add dev \$TOE_IF root netem delay $((400 * TOE_SLOW))ms limit 10000"
offload on
echo_start

for to in "$PEER_IP" "$PEER_IP6"; do
	mark
	coproc PIECES { exec "$HERE/toe_pieces" --to "$to" --port "$ECHO_PORT" 2>"$TMP/pieces"; }
	pid=$PIECES_PID
	undo kill "$pid"
	read -r -t 60 _ <&"${PIECES[0]}"
	toe_expect "$to: it is in the card" wait_until 10 connections_are 1
	echo go >&"${PIECES[1]}"
	all_right() {
		wait "$pid" || { cat "$TMP/pieces"; return 1; }
	}
	expect "$to: every byte comes back" all_right
	toe_num "$to: the card had no room for all" "$(delta toe_reposts)" -ge 1
	toe_num "$to: it carried all" "$(carried)" -ge $((2 * 200 * 17))
done
