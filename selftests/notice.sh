#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# The kernel tells of a connection before it has stored that the connection is
# established, and on a busy machine it may be held up in between, while other handshakes
# end on other processors. No connection is overlooked for that.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 7

offload on
XFER_TIMEOUT=60
coproc SLOW { exec "$HERE/bpf_slow" 400 2>&1; }
slow=$SLOW_PID
undo kill "$slow"
read -r -t 60 line <&"${SLOW[0]}"
expect "a program on the tracepoint spins" [ "$line" = held ]

for role in active passive; do
	mark
	xfer_start $role 4 --conns 16 --up 20k --down 20k --rate 20k --stay
	expect "$role: all 16 go to the card" wait_until 8 connections_are 16
	expect_num "$role: each was offered" "$(delta offloaded_total)" -ge 16
	hurry
	expect "$role: every byte" xfer_wait
done
