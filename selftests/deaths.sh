#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
#
# The card dies again and again under bulk traffic both ways at full speed: it is reset,
# its process is killed, it loses the bus. What it has acknowledged the host has seen: no
# byte is lost, no connection stands still.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
: "${DEATHS:=6}"
plan $((DEATHS + 6))

by_reset() {
	echo 1 >"/sys/class/net/$TOE_IF/device/reset"
}

# The peer is a namespace of the machine that runs the card.
by_kill() {
	peer sh -c 'pkill -KILL -P "$(pgrep -o -x toecard)"'
}

by_bus() {
	cut_bus
}

back_again() {
	[ "$(delta recovered)" -ge "$1" ]
}

# Some may have moved all of theirs before they were offered again.
most_in() {
	[ "$(attr connections)" -ge 12 ]
}

offload on
reoffload=$(attr reoffload_ms)
undo set_attr reoffload_ms "$reoffload"
set_attr reoffload_ms 100
XFER_TIMEOUT=90
mark
X=a xfer_start active 4 --conns 8 --up 6M --down 6M --stay
X=p xfer_start passive 6 --conns 8 --up 6M --down 6M --stay
expect "most are in the card" wait_until 20 most_in
ways=(reset kill bus)
for ((i = 0; i < DEATHS; i++)); do
	way=${ways[i % 3]}
	sleep "0.$((RANDOM % 5 + 1))"
	by_"$way"
	expect "death $((i + 1)), by $way: it comes back" wait_until 20 back_again $((i + 1))
	wait_until 20 most_in
done
hurry
# Who is still there after half a minute without a death stands still.
all_ended() {
	! ss -Htn state established "( dst $PEER_IP or dst [$PEER_IP6] )" | grep -q .
}
wait_until 30 all_ended || {
	say "$(ss -tinmo state established; nstat -as 'Tcp*')"
	say "$(peer ss -tinmo state established)"
}
expect "every byte of the active ones" eval X=a xfer_wait
expect "every byte of the passive ones" eval X=p xfer_wait
expect_num "it was given them again" "$(delta toe_offloads)" -ge $((DEATHS * 8))
expect "none is left in the card" wait_until 5 no_connections
expect "nor has it a context" wait_until 5 eval '[ "$(counter card_toe_contexts)" = 0 ]'
