#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 800
#
# differential.sh [diff_NAME]…: what an application sees of a socket is the same
# with offload off and on (all scenarios of diff/ by default). toe_diff prints
# the results; here stands what it wants of the machine.
. "${0%/*}/lib.sh"
needs_card
DIFF=$HERE/toe_diff
TRACING=/sys/kernel/tracing

modprobe -a tls tcp_diag inet_diag 2>/dev/null
[ -d $TRACING/events ] || mount -t tracefs tracefs $TRACING 2>/dev/null

# On both ends: fast open for who asks, room for all in a backlog.
for end in "" peer; do
	$end sysctl -q net.ipv4.tcp_fastopen=3
done
undo sysctl -q net.ipv4.tcp_fastopen=1
undo peer sysctl -q net.ipv4.tcp_fastopen=1

# The talk between the ends of a scenario is none of the card's business.
set_attr policy/ports_out 0-3999,4001-65535
undo set_attr policy/ports_out all
# Not by the function, whose shell would die and leave the client with our stdout.
"$TOE_PEER" "$DIFF" agent >/dev/null 2>"$TMP/agent" &
undo kill $!
undo offload on

names=("${@#diff_}")
if [ -z "$NO_TOE" ]; then
	export TOE_SWITCH=$TOE/enable TOE_TRACE=$TRACING/trace
	undo sh -c "echo 0 >$TRACING/events/toe/enable; echo >$TRACING/trace"
	echo >$TRACING/trace
	echo 1 >$TRACING/events/toe/enable
	offload off
	all_idle
fi
mark
plan $((${#names[@]} ? ${#names[@]} + 2 : $("$DIFF" list | wc -l) + 2))
"$DIFF" run "${names[@]}" >"$TMP/results" 2>&1
cat "$TMP/results"
_count=$(grep -cE '^(not )?ok ' "$TMP/results")
_failed=$(grep -c '^not ok ' "$TMP/results")
[ ! -s "$TMP/agent" ] || say "$(cat "$TMP/agent")"

# The trace is what single scenarios were judged by: it has to be complete.
sums_agree() {
	local commits recalls
	all_idle
	commits=$(grep -c ' toe_commit:' $TRACING/trace)
	recalls=$(grep -c ' toe_recall:' $TRACING/trace)
	echo "commits: traced $commits, counted $(delta offloaded_total)"
	echo "recalls: traced $recalls, counted $(delta recalled_total)"
	[ "$commits" = "$(delta offloaded_total)" ] && [ "$recalls" = "$(delta recalled_total)" ]
}
toe_expect "sysfs counts what the trace tells" sums_agree
toe_num "the card reported nothing impossible" "$(delta toe_bad_events)" = 0
