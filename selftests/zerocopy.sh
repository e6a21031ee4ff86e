#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# Short connections whose first payload is under way when they are handed over, and that
# wait for the completion of each MSG_ZEROCOPY before the next. Who still holds what the
# peer has acknowledged, stack, driver or card, stops such a sender for ever: nothing
# else happens on its connection.
. "${0%/*}/lib.sh"
needs_card
plan 4

offload on
XFER_TIMEOUT=20
mark
rounds() {
	local i=0

	while [ $((i++)) -lt $((8 / TOE_SLOW + 1)) ]; do
		xfer "$@" --conns 64 --zerocopy --seed $((TOE_SEED + i)) || return
	done
}

expect "connections that we open: each completes" \
	rounds active 4 --up 1-20k --down 0 --order close-client
expect "connections that the peer opens: each completes" \
	rounds passive 6 --up 0 --down 1-20k --order close-server
toe_num "most were offloaded" "$(delta offloaded_total)" -ge 100
toe_expect "none is left in the card" wait_until 5 no_connections
