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
for role in active passive; do
	for family in 4 6; do
		name="$role IPv$family"
		seed=$((TOE_SEED + family * 100 + ${#role}))
		mark
		expect "$name: every byte of 64 connections" xfer $role $family \
			--conns 64 --up 1-1000k --down 1-1000k --seed $seed --order random --mixed
		toe_num "$name: most were offloaded" "$(delta offloaded_total)" -ge 40
		expect_carried "$name: the card carried most" "$(payload)" 50
		toe_expect "$name: none is left in the card" wait_until 5 no_connections
	done
done
