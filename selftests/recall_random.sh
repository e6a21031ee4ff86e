#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# wire: loss=1%,reorder=1%,dup=1%
# timeout: 120
#
# Recalls at random moments, until 250 have met a connection (on a slow kernel
# fewer), while eight connections are busy both ways over a wire that loses, swaps
# and repeats frames. After each they are offloaded again.
. "${0%/*}/lib.sh"
needs_card
plan 6

RECALLS=${RECALLS:-$((250 / TOE_SLOW))}
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 10
offload on
XFER_TIMEOUT=90
mark
X=out xfer_start active 4 --conns 4 --up 4M --down 4M --rate 120k --mixed --stay --seed "$TOE_SEED"
X=in xfer_start passive 6 --conns 4 --up 4M --down 4M --rate 120k --mixed --stay --seed $((TOE_SEED + 1))
X=out

busy() {
	X=out xfer_running && X=in xfer_running
}

wait_until 5 connections_are 8
while [ "$(delta recalled_total)" -lt "$RECALLS" ] && busy; do
	recall_all
	nap 0.0$((RANDOM % 40 + 10))
done
expect "both transfers are still busy then" busy
hurry
toe_num "$RECALLS recalls in mid-transfer" "$(delta recalled_total)" -ge "$RECALLS"
toe_num "all were offloaded again" "$(delta offloaded_total)" -ge "$RECALLS"
say "$(delta recalled_total) recalls, $(delta offloaded_total) offloads, $(carried) bytes by card"
expect "every byte of the active connections" eval X=out xfer_wait
expect "every byte of the passive connections" eval X=in xfer_wait
toe_expect "none is left in the card" wait_until 5 no_connections
