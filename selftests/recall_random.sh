#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# wire: loss=1%,reorder=1%,dup=1%
# timeout: 120
#
# 200 recalls at random moments while eight connections are busy both ways over
# a wire that loses, swaps and repeats frames. After each they are offloaded
# again.
. "${0%/*}/lib.sh"
needs_card
plan 6

RECALLS=${RECALLS:-200}
RANDOM=4711
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 10
offload on
XFER_TIMEOUT=90
mark
X=out xfer_start active 4 --conns 4 --up 14M --down 14M --rate 500k --mixed --seed 7
X=in xfer_start passive 6 --conns 4 --up 14M --down 14M --rate 500k --mixed --seed 8
X=out

busy() {
	X=out xfer_running && X=in xfer_running
}

wait_until 5 connections_are 8
done=0
while [ $done -lt "$RECALLS" ] && busy; do
	recall_all
	done=$((done + 1))
	sleep 0.0$((RANDOM % 40 + 10))
done
toe_num "$RECALLS recalls were asked for in mid-transfer" $done -eq "$RECALLS"
toe_num "they met offloaded connections" "$(delta recalled_total)" -ge "$RECALLS"
toe_num "which were offloaded again" "$(delta offloaded_total)" -ge "$RECALLS"
say "$(delta recalled_total) recalls, $(delta offloaded_total) offloads, $(carried) bytes by card"
expect "every byte of the active connections" eval X=out xfer_wait
expect "every byte of the passive connections" eval X=in xfer_wait
toe_expect "none is left in the card" wait_until 5 no_connections
