#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# There is no memory for what comes in, now and then: the card has acknowledged the
# payload, so it has to wait, and every byte arrives. Needs a kernel that can be told to
# run out of memory: CONFIG_FAILSLAB.
. "${0%/*}/lib.sh"
needs_card
F=/sys/kernel/debug/failslab
mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
[ -d $F ] || skip_all "this kernel has no CONFIG_FAILSLAB"
CACHES=()
for cache in skbuff_head_cache skbuff_small_head; do
	[ ! -e "/sys/kernel/slab/$cache/failslab" ] || CACHES+=("$cache")
done
[ ${#CACHES[@]} -gt 0 ] || skip_all "allocations of skbs can't be told to fail"
plan 8

# Only those that can't wait, of skbs, silently.
scarce() {
	local cache
	for cache in "${CACHES[@]}"; do
		echo "$1" >"/sys/kernel/slab/$cache/failslab"
	done
	echo 1 >$F/cache-filter
	echo Y >$F/ignore-gfp-wait
	echo 0 >$F/verbose
	echo -1 >$F/times
	echo $(($1 * 20)) >$F/probability
}
undo scarce 0
offload on
mark
# Nothing of ours is to come in but by the card.
X=a xfer_start active 4 --conns 2 --up 200k --down 3M --rate 300k
X=p xfer_start passive 6 --conns 2 --up 3M --down 200k --rate 300k
toe_expect "four connections are in the card" wait_until 10 connections_are 4
was=$(counter rx_alloc_failed)
failed() {
	[ $(($(counter rx_alloc_failed) - was)) -ge 20 ]
}
scarce 1
toe_expect "the driver gets no memory, again and again" wait_until 20 failed
scarce 0
say "$(($(counter rx_alloc_failed) - was)) failures"
expect "the transfers go on" eval "X=a xfer_running && X=p xfer_running"
hurry
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
toe_num "the card reported nothing impossible" "$(delta toe_bad_events)" -eq 0
toe_num "nor was it given up" "$(delta recovered)" -eq 0
toe_expect "none is left in the card" wait_until 5 no_connections
