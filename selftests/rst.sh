#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Either end resets in mid-transfer (SO_LINGER 0): the other sees ECONNRESET
# after a correct beginning, and the card forgets the connection.
. "${0%/*}/lib.sh"
needs_card
plan 20

offload on
gone() {
	! ss -Htan "( sport = $PORT or dport = $PORT )" | grep -qv 'TIME-WAIT\|LISTEN'
}

for role in active passive; do
	for order in rst-client rst-server; do
		family=4
		[ $order = rst-client ] || family=6
		name="$role IPv$family, $order"
		mark
		xfer_start $role $family "${CREEP[@]}" --up 200M --down 200M --order $order \
			--rst-at 3M --conns 4
		in_card 4
		expect "$name: bytes were right, the reset was seen" xfer_wait
		toe_num "$name: all had been offloaded" "$(delta offloaded_total)" -ge 4
		expect_carried "$name: the card carried most until then" 12000000 75
		toe_expect "$name: none is left in the card" wait_until 5 no_connections
		expect "$name: nor a socket here" wait_until 5 gone
	done
done
