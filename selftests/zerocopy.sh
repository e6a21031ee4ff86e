#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# Short connections whose first payload is under way when they are handed over, and that
# wait for the completion of each MSG_ZEROCOPY before the next. Who still holds what the
# peer has acknowledged, stack, driver or card, stops such a sender for ever: nothing
# else happens on its connection. They are closed at every stage of a hand-off, too.
. "${0%/*}/lib.sh"
needs_card
plan 7

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
# Called back while payload is under way, as it always is here.
recalls() {
	xfer_start active 6 --conns 8 --zerocopy --up 3M --down 3M --order close-client
	while xfer_running; do
		recall_all
		sleep 0.1
	done
	xfer_wait
}
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 20
XFER_TIMEOUT=60
back=$(attr recalled_total)
expect "connections that are called back: each completes" recalls
toe_num "they were" $(($(attr recalled_total) - back)) -ge 16
toe_num "most were offloaded" "$(delta offloaded_total)" -ge 100
toe_expect "none is left in the card" wait_until 5 no_connections
toe_expect "nor has it a context" wait_until 5 eval '[ "$(counter card_toe_contexts)" = 0 ]'
