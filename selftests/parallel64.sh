#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# 64 connections at once, of random sizes, with every kind of send and receive
# call and every order of shutdown.
. "${0%/*}/lib.sh"
needs_card
plan 16

offload on
XFER_TIMEOUT=60
most() {
	[ "$(delta offloaded_total)" -ge 40 ]
}

for role in active passive; do
	for family in 4 6; do
		name="$role IPv$family"
		seed=$((TOE_SEED + family * 100 + ${#role}))
		mark
		xfer_start $role $family "${CREEP[@]}" --conns 64 --up 1-1000k --down 1-1000k \
			--seed $seed --order random --mixed
		toe_expect "$name: most are offloaded" wait_until 10 most
		hurry
		expect "$name: every byte of 64 connections" xfer_wait
		expect_carried "$name: the card carried most" "$(payload)" 50
		toe_expect "$name: none is left in the card" wait_until 5 no_connections
	done
done
