#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# provokes: yes
# timeout: 120
#
# Each tool of a debug kernel finds what it is there for, KASAN more than once, and
# tools.sh sees that, and that one has been switched off. It wants a boot for itself:
# scripts/check gives it one for «provokes».
. "${0%/*}/lib.sh"
. "$HERE/tools.sh"
MODULE=$TOE_MODULES/toe_provoke.ko
[ -e "$MODULE" ] || skip_all "there is no toe_provoke.ko for this kernel"
mapfile -t all < <(tools)
[ ${#all[@]} = 5 ] || skip_all "this kernel has no such tools"
plan 14

provoke() {
	echo "$1" >/sys/module/toe_provoke/parameters/provoke
}

# silent TOOL…: none of them has anything to say.
silent() {
	local text

	text=$(tools_complaints "$@")
	echo "$text"
	[ -z "$text" ]
}

# complains TOOL [RE]: it says so, for so many times.
complains() {
	tools_complaints "$1" | grep -E "${2-}"
}

# leaks: the second scan finds what the first has marked as young.
leaks() {
	sleep 5
	echo scan >$DEBUGFS/kmemleak
	sleep 6
	echo scan >$DEBUGFS/kmemleak
	grep -A 20 'unreferenced object' $DEBUGFS/kmemleak | grep provoke_kmemleak
}

reports() {
	dmesg | grep -c 'BUG: KASAN: slab-out-of-bounds in provoke_kasan'
}

expect "insmod toe_provoke" insmod "$MODULE"
undo rmmod toe_provoke
expect "nobody has complained so far" silent "${all[@]}"
provoke debug_objects
expect "debug objects see a timer in freed memory" complains debug_objects warnings
provoke dma_debug
expect "DMA-API debugging sees what is unmapped twice" complains dma_debug errors
provoke kmemleak
expect "kmemleak sees a leak" leaks
expect "lockdep and KASAN know nothing of that" silent lockdep kasan
provoke lockdep
expect "lockdep sees two locks in either order" \
	eval 'dmesg | grep "possible circular locking dependency"'
expect "and is off by that" complains lockdep "lockdep is off"
provoke kasan
expect "KASAN sees a read behind the end" complains kasan provoke_kasan
provoke kasan
expect_num "and the next one" "$(reports)" -eq 2
tools_news "${all[@]}"
expect_fails "what has been said is no news" tools_news "${all[@]}"
provoke kasan
expect "what comes then is" tools_news "${all[@]}"
expect_fails "kmemleak is on" complains kmemleak "kmemleak is off"
echo off >$DEBUGFS/kmemleak
expect "kmemleak is off when switched off" complains kmemleak "kmemleak is off"
