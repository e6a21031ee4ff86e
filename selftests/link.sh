#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The interface goes down and up again under load: connections survive.
. "${0%/*}/lib.sh"
needs_card
plan 9

offload on
keep=/proc/sys/net/ipv6/conf/$TOE_IF/keep_addr_on_down
before=$(cat "$keep")
undo eval "echo $before >$keep"
echo 1 >"$keep"
undo ip link set "$TOE_IF" up

mark
X=a xfer_start active 4 --conns 2 --up 5M --down 5M --rate 2M --stay
X=p xfer_start passive 6 --conns 2 --up 5M --down 5M --rate 2M --stay
toe_expect "four connections are in the card" wait_until 5 connections_are 4
sleep 0.5
ip link set "$TOE_IF" down
toe_expect "down: none is" no_connections
expect "down: their sockets are still there" eval '[ "$(ss_flow | grep -c .)" -ge 4 ]'
sleep 1.5
ip link set "$TOE_IF" up
toe_expect "up: they go to the card again" wait_until 8 connections_are 4
toe_expect "the card carries a part" wait_until 10 carries 10000000
hurry
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
toe_num "they were offloaded again" "$(delta offloaded_total)" -ge 8
toe_expect "none is left in the card" wait_until 5 no_connections
