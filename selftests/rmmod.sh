#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# Both modules are removed with live connections under load, and inserted again.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 10

back() {
	modules_back && offload on
}

undo back
offload on
X=a xfer_start active 4 --conns 2 --up 6M --down 6M --rate 2M --stay
X=p xfer_start passive 6 --conns 2 --up 6M --down 6M --rate 2M --stay
expect "four connections are in the card" wait_until 5 connections_are 4
sleep 0.5
expect "rmmod toenic works and does not wait for them" timeout "$(scaled 5)" rmmod toenic
expect "rmmod toe works and does not wait for them" timeout "$(scaled 5)" rmmod toe
expect "their sockets are still there" eval '[ "$(ss_flow | grep -c .)" -ge 4 ]'
expect "insmod of both" back
hurry
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
mark
expect "a new connection works" xfer active 4 --up 8M --down 8M --order close-client
expect_carried "and the card carries it" "$(payload)" 80
expect "none is left in the card" wait_until 5 no_connections
