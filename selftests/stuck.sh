#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# card: --contexts 8
# timeout: 120
#
# Threads that sleep in send() for long, each the owner of a socket whose frames the card
# holds for a hand-off: the card's patience ends, the frames go up, and its contexts go to
# others. Then the threads wake, and nothing is missing.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 8
. "$HERE/held.sh"
HOLD=$HERE/toe_stuck
STUCK=4

# The card's process, which the peer's machine runs.
engine() {
	peer sh -c "pkill -$1"' -P "$(pgrep -o -x toecard)"'
}

# as_many STATE: the held connections are all in it.
as_many() {
	[ "$(toe -j conn show dport "$ECHO_PORT" |
		jq "map(select(.state == \"$1\")) | length")" = $STUCK ]
}

# A card that is slow to answer BEGIN, so that the threads are there first; for no longer
# than the host takes it for a living one, so no question that the card has to answer.
caught() {
	hold --conns $STUCK || return 1
	engine STOP
	offload on
	wait_until 2 as_many begin
	tell send
	wait_until 2 heard stuck
	engine CONT
	wait_until 1 as_many held && return
	offload off
	tell go
	let_go
	return 1
}

offload off
echo_start
set_attr policy/ports_out "$ECHO_PORT"
undo set_attr policy/ports_out all
undo engine CONT
for ((i = 0; i < 5; i++)); do
	mark
	caught && break
done
expect_num "each thread owns a socket whose frames the card holds" $i -lt 5

# More than it has contexts left, one after another: each index comes again.
set_attr policy/ports_out all
expect "the card ends its holds" wait_until 10 eval '[ "$(counter card_toe_contexts)" = 0 ]'
carried=0
for ((i = 0; i < 10; i++)); do
	before=$(delta toe_offloads)
	xfer active 4 --up 1M --down 1M >"$TMP/xfer" 2>&1 || { say "$(cat "$TMP/xfer")"; break; }
	[ "$(delta toe_offloads)" -eq "$before" ] || carried=$((carried + 1))
done
expect_num "others pass meanwhile" $i -eq 10
expect_num "through the card" $carried -ge 8
expect_num "which the driver goes on with" "$(delta recovered)" -eq 0
tell go
expect "the pages come: every byte is there" wait_until 20 heard "same $STUCK"
expect "they go into the card now" wait_until 20 in_card $STUCK
let_go
expect "none is left there" wait_until 10 no_connections
