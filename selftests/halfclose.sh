#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 90
#
# One end says FIN and goes on reading; the other sends one and a half more megabytes.
. "${0%/*}/lib.sh"
needs_card
plan 24

offload on
for role in active passive; do
	for family in 4 6; do
		for order in client-first server-first; do
			name="$role IPv$family, $order"
			mark
			expect "$name: every byte" xfer $role $family \
				--up 4M --down 4M --order $order --late 1536k --conns 2
			toe_num "$name: all had been offloaded" "$(delta offloaded_total)" -ge 2
			toe_expect "$name: none is left in the card" wait_until 5 no_connections
		done
	done
done
