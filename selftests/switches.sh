#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The two switches are one; switching off recalls what lives, and it goes on.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 15

undo offload on
offload on
expect "ethtool on: sysfs says 1" [ "$(attr enable)" = 1 ]
offload off
expect "ethtool off: sysfs says 0" [ "$(attr enable)" = 0 ]
set_attr enable 1
expect "sysfs 1: ethtool says on" offload_is on
set_attr enable 0
expect "sysfs 0: ethtool says off" offload_is off
offload on

mark
X=a xfer_start active 4 --conns 3 --up 4M --down 4M --rate 1M --stay
X=p xfer_start passive 6 --conns 3 --up 4M --down 4M --rate 1M --stay
expect "six connections are in the card" wait_until 5 connections_are 6
sleep 0.5
offload off
expect "off: none is, at once" no_connections
expect_num "off: they were recalled" "$(delta recalled_total)" -eq 6
before=$(carried)
sleep 1
expect_near "off: the card carries nothing any more" "$(carried)" "$before" 0
expect "off: both transfers are still busy" eval "X=a xfer_running && X=p xfer_running"
set_attr enable 1
expect "on: they go to the card again" wait_until 5 connections_are 6
set_attr enable 0
expect "off by sysfs: none is" no_connections
offload on
expect "the card carries a part" wait_until 10 carries 10000000
hurry
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
expect "none is left in the card" wait_until 5 no_connections
