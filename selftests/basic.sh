#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# One connection of an unmodified application, both roles, both families: its
# bytes arrive, they went through the card, and everybody can see that.
. "${0%/*}/lib.sh"
needs_card
plan 28

offload on
for role in active passive; do
	for family in 4 6; do
		name="$role IPv$family"
		expect "$name: the card is empty at first" all_idle
		mark
		xfer_start $role $family "${CREEP[@]}" --up 16M --down 16M --order close-client \
			--hold-ms 1500
		toe_expect "$name: connections goes to 1" in_card 1
		toe_num "$name: ss names the ULP" "$(ss_ulp "( sport = $PORT or dport = $PORT )")" -eq 1
		expect "$name: every byte arrives" xfer_wait
		expect_carried "$name: the card carried them" "$(payload)"
		toe_num "$name: offloaded once" "$(delta offloaded_total)" -eq 1
		toe_expect "$name: connections goes back to 0" wait_until 5 no_connections
	done
done
