#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kill -9 of the application in mid-transfer: the peer sees a correct beginning
# and an end, the card forgets, no socket stays.
. "${0%/*}/lib.sh"
needs_card
plan 16

offload on
gone() {
	! ss -Htan "( sport = $PORT or dport = $PORT )" | grep -qv TIME-WAIT
}

for role in active passive; do
	for family in 4 6; do
		name="$role IPv$family"
		# Whoever is the peer must expect it.
		options=(--conns 4 --up 400M --down 400M)
		if [ $role = active ]; then
			SERVER_OPTIONS=--aborts-ok
		else
			options+=(--aborts-ok)
		fi
		xfer_start $role $family "${options[@]}"
		toe_expect "$name: four connections are in the card" wait_until 5 connections_are 4
		sleep 0.7
		if [ $role = active ]; then
			kill -9 "${CLIENT_PID[x]}"
			wait "${CLIENT_PID[x]}" 2>/dev/null
			wait "${SERVER_PID[x]}"
		else
			kill -9 "${SERVER_PID[x]}"
			wait "${SERVER_PID[x]}" 2>/dev/null
			wait "${CLIENT_PID[x]}"
		fi
		expect "$name: what the peer got was right" [ $? = 0 ]
		toe_expect "$name: none is left in the card" wait_until 5 no_connections
		expect "$name: no socket is left" wait_until 10 gone
		SERVER_OPTIONS=
	done
done
