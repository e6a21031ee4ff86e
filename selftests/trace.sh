#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints tell begin, commit, recall and refusal, with the reason.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
T=/sys/kernel/tracing
[ -d $T/events ] || mount -t tracefs tracefs $T 2>/dev/null
plan 12

for event in toe_begin toe_commit toe_abort toe_recall toe_refuse; do
	expect "toe:$event exists" [ -d $T/events/toe/$event ]
done

stop() {
	echo 0 >$T/events/toe/enable
	echo >$T/trace
}
undo stop
echo >$T/trace
echo 1 >$T/events/toe/enable
offload on
xfer_start active 4 --up 4M --down 4M "${CREEP[@]}"
wait_until 5 connections_are 1
recall_all
in_card 1
expect "a connection with a recall in its middle" xfer_wait
undo set_attr policy/ports_out all
set_attr policy/ports_out none
expect "a connection that policy refuses" xfer active 4 --up 1M --down 1M
set_attr policy/ports_out all
all_idle
cp $T/trace "$TMP/trace"

# saw EVENT TEXT
saw() {
	grep "$1:" "$TMP/trace" | grep -q "$2" || {
		grep -v '^#' "$TMP/trace"
		return 1
	}
}
expect "begin was traced" saw toe_begin .
expect "commit was traced" saw toe_commit .
expect "recall by request was traced" saw toe_recall request
expect "recall at the end was traced" saw toe_recall 'fin\|shutdown\|control'
expect "the refusal was traced" saw toe_refuse port
