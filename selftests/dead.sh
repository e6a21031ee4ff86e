#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# The card dies under load: it loses the bus. The driver notices, connections go on in
# the kernel from what the host knows, the card is reset and gets them again.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 12

# The card says that it can't go on, if it had something to say; else its heart is missed.
died() {
	[ $(($(delta death_status) + $(delta death_heartbeat))) -ge 1 ]
}

moved() {
	[ "$(delta "$1")" -ge "$2" ]
}

offload on
XFER_TIMEOUT=90
mark
X=a xfer_start active 4 --conns 2 --up 20M --down 20M --rate 1M
X=p xfer_start passive 6 --conns 2 --up 20M --down 20M --rate 1M
expect "four connections are in the card" wait_until 15 connections_are 4
# So many that after a reset it has counted fewer for a while.
wait_until 30 moved card_tx_frames 8000
frames=$(delta card_tx_frames)
expect "it loses the bus" cut_bus
expect "its death is noticed" wait_until 10 died
expect "the connections are the kernel's again" wait_until 5 moved toe_recall_dead 4
expect "it's reset" wait_until 15 moved recovered 1
expect_num "its counters go on" "$(delta card_tx_frames)" -ge "$frames"
expect "they go to the card again" wait_until 15 moved toe_offloads 8
hurry
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
expect_num "it died once" "$(delta recovered)" -eq 1
expect "none is left in the card" wait_until 5 no_connections
expect "nor has it a context" wait_until 5 eval '[ "$(counter card_toe_contexts)" = 0 ]'
