#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# card: --contexts 8
# timeout: 240
#
# More connections than the card has contexts: the rest runs natively and costs the
# card nothing; idle ones give way to busy ones, equally busy ones don't.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 20

# peak FILE: the most that are in the card at a time, until killed.
peak() {
	local now most=0

	while read -r now <"$TOE/connections"; do
		[ "$now" -le "$most" ] || { most=$now; echo "$most" >"$1"; }
		nap 0.1
	done
}

# begun CONTEXTS: no BEGIN but for a free context: those of recalls, and of hand-offs
# that were broken off.
begun() {
	local begins backs

	begins=$(delta toe_begins)
	backs=$(($(delta toe_recalls) + $(delta toe_aborts)))
	[ "$begins" -le $(($1 + backs)) ] || echo "$begins hand-offs, $backs recalls"
	[ "$begins" -le $(($1 + backs)) ]
}

offload on
echo 0 >"$TMP/peak"
peak "$TMP/peak" &
undo kill $!

# Equally busy ---------------------------------------------------------------------

mark
XFER_TIMEOUT=120
xfer_start active 4 --conns 40 --up 200k --down 200k --rate 16k --stay
all="dport = :$PORT"
eight_of_forty() {
	[ "$(<"$TMP/peak")-$(ss -Htn state established "$all" | wc -l)" = 8-40 ]
}
refused() {
	[ "$(delta toe_refuse_limit)" -ge 32 ]
}
expect "eight of forty are in the card" wait_until 40 eight_of_forty
expect "all others are refused" wait_until 10 refused
sleep 10
expect_num "the refused ask no more" "$(delta toe_refuse_limit)" -le \
	$((40 + $(delta toe_recall_idle)))
expect "the card had no command for them" begun 8
expect_num "the card refused nothing" "$(delta toe_refuse_card)" -eq 0
# Without damping there are eight a second; a busy machine treats none equally.
expect_num "hardly one gives way to one as busy" "$(delta toe_recall_idle)" -le 24
say "$(delta toe_recall_idle) of equally busy ones gave way"
expect_num "the card is full, or nearly" "$(attr connections)" -ge 6
hurry
expect "every byte of forty connections" xfer_wait
expect_num "never more than eight in the card" "$(cat "$TMP/peak")" -eq 8
expect "none is left in the card" wait_until 5 no_connections

# Idle and busy ---------------------------------------------------------------------

mark
X=idle xfer_start active 4 --conns 8 --up 50k --down 50k --rate 2k --stay
expect "eight idle ones are in the card" wait_until 10 connections_are 8
X=busy xfer_start passive 6 --conns 4 --up 1M --down 1M --rate 150k --stay
busy="sport = :$PORT"
busy_in() {
	[ "$(ss_ulp "$busy")" = 4 ]
}
expect "four busy ones take the place of four" wait_until 30 busy_in
expect_num "which is counted" "$(delta toe_recall_idle)" -ge 4
sleep 4
expect_num "and that is that" "$(delta toe_recall_idle)" -le 10
expect_num "the busy ones stay" "$(ss_ulp "$busy")" -eq 4
hurry
X=busy
expect "every byte of the busy ones" xfer_wait
X=idle
expect "every byte of the idle ones" xfer_wait
X=x
expect "no hand-off without a context" begun 8
expect_num "never more than eight in the card" "$(cat "$TMP/peak")" -eq 8
expect "none is left in the card" wait_until 5 no_connections
