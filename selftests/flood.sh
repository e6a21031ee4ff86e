#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# card: --contexts 8
# timeout: 150
#
# Floods take no context of the card: SYNs of nobody, connections that nobody
# accepts, connections that say nothing once the table is full.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 17

FLOOD=$HERE/toe_flood

# deaf PORT BACKLOG: a listener that never accepts; sets DEAF.
deaf() {
	"$FLOOD" listen --port "$1" --count "$2" >"$TMP/deaf" &
	DEAF=$!
	undo kill $DEAF
	wait_until 5 grep -q listening "$TMP/deaf"
}

# kbytes: the kernel's own memory.
kbytes() {
	awk '/^(SUnreclaim|Percpu|KernelStack):/ { sum += $2 } END { print sum }' /proc/meminfo
}

half_open() {
	ss -Htn state syn-recv | wc -l
}

offload on
xfer_start active 4 --up 60M --down 60M --rate 100k
expect "a transfer is in the card" wait_until 10 connections_are 1

# SYNs -----------------------------------------------------------------------------

before=$(kbytes)
mark
deaf 4901 512
peer "$FLOOD" syn --to "$TOE_IP" --port 4901 --count 4000 --rate 600 >"$TMP/syn" &
syn=$!
undo kill $syn
expect "the flood arrives" wait_until 20 eval '[ "$(half_open)" -ge 100 ]'
most=0
while
	now=$(counter card_toe_contexts)
	[ "${now:-9}" -le "$most" ] || most=${now:-9}
	kill -0 $syn 2>/dev/null
do
	sleep 0.2
done
expect_num "it saw SYNs" "$(delta toe_handshakes)" -ge 1000
expect_num "one context is in use" "$most" -eq 1
expect_num "no command was given" "$(delta toe_begins)" -eq 0
expect_num "no connection was considered" "$(delta refused_total)" -eq 0
expect_num "the transfer stays in the card" "$(delta recalled_total)" -eq 0
expect "and goes on" xfer_running
expect_num "the kernel has taken less than 8 MB" $(($(kbytes) - before)) -lt 8192
kill $DEAF

# Nobody accepts ----------------------------------------------------------------------

before=$(kbytes)
mark
deaf 4902 600
peer "$FLOOD" connect --to "$TOE_IP" --port 4902 --count 500 >"$TMP/connect" &
undo peer pkill -x toe_flood
expect "500 are established" wait_until 30 eval \
	'[ "$(ss -Htn state established "sport = :4902" | wc -l)" -ge 500 ]'
sleep 2
expect_num "none is offered to the card" "$(delta toe_begins)" -eq 0
expect "the transfer stays in the card" [ "$(delta recalled_total)-$(attr connections)" = 0-1 ]
expect_num "500 have taken less than 8 MB" $(($(kbytes) - before)) -lt 8192
mark
FIXED_PORT=4903 X=legit xfer_start passive 4 --conns 2 --up 200k --down 200k
X=legit
expect "others connect, every byte" xfer_wait
X=x FIXED_PORT=
expect_num "and are offloaded" "$(delta offloaded_total)" -eq 2
kill $DEAF
peer pkill -x toe_flood

# The end --------------------------------------------------------------------------

kill "${CLIENT_PID[x]}" 2>/dev/null
wait_until 5 no_connections
expect "none is left in the card" no_connections
expect_num "no context either" "$(counter card_toe_contexts)" -eq 0
