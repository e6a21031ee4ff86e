# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scenarios about rules share: connections under transfer that a rule is
# to call back. To be sourced after lib.sh.

CONNS=2
RECALL_MS=1000		# after a change
XFER_TIMEOUT=200

# busy: CONNS connections are in the card and go on until finished.
busy() {
	X=a xfer_start active 4 --up 1M --down 1M --rate 120k --stay
	X=p xfer_start passive 6 --up 1M --down 1M --rate 120k --stay
	expect "connections are in the card" wait_until 10 connections_are $CONNS
}

# finished: every byte of them.
finished() {
	hurry
	expect "every byte of the active one" eval X=a xfer_wait
	expect "every byte of the passive one" eval X=p xfer_wait
}

now_ms() {
	local t=${EPOCHREALTIME/[.,]/}
	echo $((t / 1000))
}

# recalled_after N: how many milliseconds it takes until N were called back since
# mark. Who is in the card says nothing: where nothing forbids it any more, the first
# may be there again before the last has gone. Starts no process meanwhile: on a busy
# machine that takes as long as what is measured.
recalled_after() {
	local begin end goal name count

	begin=$(now_ms) end=$((SECONDS + $(scaled 5)))
	while read -r name count; do
		[ "$name" != recalled_total: ] || goal=$((count + $1))
	done <"$TMP/mark"
	while read -r count <"$TOE/recalled_total" && [ "$count" -lt "$goal" ]; do
		[ $SECONDS -le $end ] || { echo never; return; }
		nap 0.01
	done
	echo $(($(now_ms) - begin))
}

# forbids NAME REASON UNDO COMMAND… [LEFT=n]: COMMAND calls the connections back
# within a second, but LEFT of them; they aren't offered again before UNDO is done.
forbids() {
	local name=$1 reason=$2 undo=$3 took
	shift 3

	mark
	undo "$undo"
	"$@" >"$TMP/rule" 2>&1 || {
		not_ok "$name: the rule" "$(cat "$TMP/rule")"
		for _ in 1 2 3 4; do not_ok "$name: no rule"; done
		return
	}
	took=$(recalled_after $((CONNS - ${LEFT:-0})))
	say "$name: $took ms"
	expect_num "$name: calls back within a second" "$took" -le "$(scaled $RECALL_MS)"
	expect_num "$name: for that reason" "$(delta "toe_recall_$reason")" -eq \
		$((CONNS - ${LEFT:-0}))
	expect "$name: and is why they aren't offered again" wait_until 5 eval \
		'[ "$(delta "toe_refuse_'"$reason"'")" -ge '$((CONNS - ${LEFT:-0}))' ]'
	expect "$name: they go on" both_flow
	"$undo"
	expect "$name: without it they are in the card again" \
		wait_until 6 connections_are $CONNS
}
FORBIDS=5	# results of each

# bytes_moved: by both, as the card's interface and the card count them.
bytes_moved() {
	local now name sum

	now=$(ethtool -S "$TOE_IF")
	sum=$(($(<"/sys/class/net/$TOE_IF/statistics/rx_bytes") +
		$(<"/sys/class/net/$TOE_IF/statistics/tx_bytes")))
	for name in toe_tx_bytes toe_rx_bytes; do
		value $name "$now"
		sum=$((sum + ${VALUE:-0}))
	done
	echo $sum
}
moved_from() {
	[ $(($(bytes_moved) - $1)) -gt 50000 ]
}

both_flow() {
	wait_until 2 moved_from "$(bytes_moved)" && X=a xfer_running && X=p xfer_running
}

# allows NAME UNDO COMMAND…: COMMAND concerns none of the connections.
allows() {
	local name=$1 undo=$2
	shift 2

	mark
	undo "$undo"
	"$@" >"$TMP/rule" 2>&1 || {
		not_ok "$name: the rule" "$(cat "$TMP/rule")"
		not_ok "$name: no rule"
		return
	}
	expect "$name: data flows" both_flow
	sleep 0.3
	expect_num "$name: none was called back" "$(delta recalled_total)" -eq 0
	"$undo"
}
ALLOWS=2

# hold KIND TARGET: bpf_hold in the background; sets HELD. Status 4: can't.
hold() {
	coproc BPF { exec "$HERE/bpf_hold" "$@" 2>&1; }
	HELD=$BPF_PID
	local line
	read -r line <&"${BPF[0]}"
	[ "$line" = held ] && return
	echo "$line"
	return 1
}

unhold() {
	kill "$HELD"
	wait "$HELD"
	true
}
