#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# Threads that sleep in send() for as long as they like, on a page that doesn't come, each
# the owner of its socket: nothing that an administrator does waits for them, and nobody
# else's connection either. When the pages come nothing is missing.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 18
. "$HERE/held.sh"
HOLD=$HERE/toe_stuck
# More than a workqueue has workers for.
STUCK=300
pci=$(basename "$(readlink -f "/sys/class/net/$TOE_IF/device")")
driver=/sys/bus/pci/drivers/toenic

# quick WHAT COMMAND…: it doesn't wait for the threads.
quick() {
	expect "$1 doesn't wait for them" timeout "$(scaled 5)" "${@:2}"
}

# sleepers N: that many threads own their sockets, which are in the card or not.
sleepers() {
	tell send
	expect "$1 threads sleep in send()" wait_until 30 heard stuck
}

waits() {
	[ "$(toe -j conn show dport "$ECHO_PORT" |
		jq 'map(select(.state == "native" and .refused == "busy")) | length')" = $STUCK ]
}

undo eval 'modules_back; offload on'
echo_start

# Not offered yet: the hand-off finds a thread in each.
offload off
hold --conns $STUCK
sleepers $STUCK
mark
offload on
expect "each was looked at for a while, and waits" wait_until 30 waits
begins=$(delta toe_begins)
sleep 1
expect_num "and isn't tried again and again" "$(delta toe_begins)" -le $((begins + 3))
expect "others pass meanwhile" xfer active 4 --up 4M --down 4M
expect_num "in the card" "$(delta toe_offloads)" -ge 1
expect "the switch doesn't wait for them" offload off
offload on
quick "unbind" sh -c "echo $pci >$driver/unbind"
quick "rmmod toenic" rmmod toenic
quick "rmmod toe" rmmod toe
expect "both modules come back" modules_back
tell go
expect "the pages come: every byte is there" wait_until 30 heard "same $STUCK"
offload on
expect "they go into the card now" wait_until 30 in_card $STUCK
let_go

# In the card before.
hold --conns 16
expect "16 are in the card" wait_until 20 in_card 16
sleepers 16
quick "unbind" sh -c "echo $pci >$driver/unbind"
rmmod toenic
expect "rmmod toe says that it is in use" eval 'rmmod toe 2>&1 | grep -q "in use"'
tell go
modules_back
expect "the pages come: every byte is there" wait_until 30 heard "same 16"
let_go
expect "the module can go" eval 'rmmod toenic && rmmod toe'
