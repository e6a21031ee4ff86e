#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Off means off: the modules are loaded, the switch is off, and the kernel's own
# TCP carries everything.
. "${0%/*}/lib.sh"
needs_card
plan 9

undo offload on
offload off
mark
for role in active passive; do
	for family in 4 6; do
		expect "$role IPv$family: every byte" xfer $role $family --conns 16 \
			--up 1-1M --down 1-1M --order random --mixed --seed "$TOE_SEED"
	done
done
toe_num "nothing was offloaded" "$(delta offloaded_total)" -eq 0
toe_num "nothing is in the card" "$(attr connections)" -eq 0
toe_num "no payload went through its TCP" "$(carried)" -eq 0
xfer_start active 4 --up 1M --down 1M --order close-client --hold-ms 1000
sleep 0.7
expect_num "ss names no ULP" "$(ss_ulp "( dport = $PORT )")" -eq 0
expect "and this one arrives as well" xfer_wait
