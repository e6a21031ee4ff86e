#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# The PCI driver is unbound from the card under load and bound again. The
# addresses go with the interface; once they are back, connections go on.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 8

pci=$(basename "$(readlink -f "/sys/class/net/$TOE_IF/device")")
driver=/sys/bus/pci/drivers/toenic

back() {
	[ -e "$driver/$pci" ] || echo "$pci" >"$driver/bind" || return 1
	address_card || return 1
	offload on
}

undo back
offload on
xs() {
	X=a xfer_start active 4 --conns 2 --up 6M --down 6M --rate 2M --stay
	X=p xfer_start passive 6 --conns 2 --up 6M --down 6M --rate 2M --stay
}
xs
expect "four connections are in the card" wait_until 5 connections_are 4
sleep 0.5
expect "unbind ends in five seconds" timeout "$(scaled 5)" sh -c "echo $pci >$driver/unbind"
expect "the interface is gone" [ ! -e "/sys/class/net/$TOE_IF" ]
expect "the card comes back" back
mark
wait_until 10 connections_are 4
hurry
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
expect_num "they were offloaded again" "$(attr offloaded_total)" -ge 4
expect "none is left in the card" wait_until 5 no_connections
