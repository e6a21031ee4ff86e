#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# Who waits for the card goes on when it has answered, and not when patience ends:
# TCP_INFO, an option of the stack's, close.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
. "$HERE/held.sh"
plan 6

offload on
echo_start
hold --conns 1
expect "a connection is in the card" wait_until 10 in_card 1

# took LINE: microseconds of what toe_hold does at it.
took() {
	local lines
	lines=$(wc -l <"$TMP/hold.out")
	tell "$*"
	wait_until 40 eval '[ "$(wc -l <"$TMP/hold.out")" -gt '"$lines"' ]'
	sed -n 's/^took //p' "$TMP/hold.out" | tail -n 1
}

# The filter waits 200 ms for TCP_INFO, by a clock that may hurry after a standstill of the
# machine; half a minute for a recall.
# A machine that is busy answers late, but not each time.
answered() {
	us=$(took info)
	say "TCP_INFO: $us us"
	[ "$us" -lt 50000 ]
}
expect "TCP_INFO is the card's answer, not a time-out" wait_until 20 answered
expect "the connection is still in the card" in_card 1
us=$(took congestion reno)
say "TCP_CONGESTION: $us us"
expect_num "an option calls back and goes on" "$us" -lt "$(scaled 3000000)"
expect "then the card has it again" wait_until 10 in_card 1
begin=$SECONDS
let_go
expect_num "close goes on as soon as it's back" $((SECONDS - begin)) -le "$(scaled 5)"
