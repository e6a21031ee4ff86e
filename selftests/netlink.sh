#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
#
# The netlink family: wrong requests, missing rights, other namespaces; lists while
# connections come and go; events.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
. "$HERE/held.sh"
needs_command unshare
plan 35

NL=$HERE/nl_test
INDEX=$(cat "/sys/class/net/$TOE_IF/ifindex")
undo rule flush
offload on
echo_start

expect "every wrong request gets its error" "$NL" cases "$INDEX"
hold --mark 7
wait_until 10 in_card 1
expect "who isn't root looks and changes nothing" "$NL" rights "$INDEX"
expect "another namespace sees and reaches nothing" "$NL" namespace "$INDEX"
expect "the connection is still in the card" in_card 1

# As the socket says it.
inode=$(ss -Htnei dst "$PEER_IP:$ECHO_PORT" | sed -n 's/.* ino:\([0-9]*\).*/\1/p')
local_port=$(ss -Htn dst "$PEER_IP:$ECHO_PORT" | awk '{ sub(/.*:/, "", $4); print $4 }')
expect_num "inode" "$(conns '.[0].inode')" -eq "$inode"
expect_num "local port" "$(conns '.[0].local_port')" -eq "$local_port"
expect_num "mark" "$(conns '.[0].mark')" -eq 7
expect_num "the card's round trip time" "$(conns '.[0].stats.srtt_us')" -gt 0
FLOW=(src "$TOE_IP" sport "$local_port" dst "$PEER_IP" dport "$ECHO_PORT")
expect "found by its flow" eval '[ "$(toe -j conn show "${FLOW[@]}" | jq ".[0].id")" = "$(conns ".[0].id")" ]'
expect "a filter that it doesn't match" eval '[ "$(toe -j conn show state native | jq length)" = 0 ]'

# Events.
# Not by itself: who offloads it again is to be seen.
undo set_attr reoffload_ms 1000
set_attr reoffload_ms 60000
toe -j monitor >"$TMP/events" 9>&- &
MONITOR=$!
undo kill $MONITOR
listening() {
	awk -v pid=$MONITOR '$3 == pid && $4 != "00000000" { found = 1 } END { exit !found }' \
		/proc/net/netlink
}
wait_until 10 listening
id=$(conns '.[0].id')
expect "recall by identifier" eval '[ "$(toe -j recall id '"$id"' | jq ".[0].recalled")" = 1 ]'
expect "it is back" wait_until 5 in_card 0
expect "offload it now" toe offload id "$id"
expect "it is in the card" wait_until 10 in_card 1
expect_fails "twice is once too many" toe offload id "$id"
expect "recall by flow" toe recall "${FLOW[@]}"
expect "it is back again" wait_until 5 in_card 0
rule add native
expect "refused by a rule" wait_until 10 grep -q '"event":"refuse"' "$TMP/events"
expect_fails "the offload of what a rule forbids" toe offload "${FLOW[@]}"
# Its tries end; then only the question by its flow finds it.
toe -j conn show "${FLOW[@]}" >"$TMP/why"
expect "and the flow says why" eval '[ "$(jq -r ".[0].refused" "$TMP/why")" = rule ]'
rule flush
set_attr reoffload_ms 1000
let_go
kill $MONITOR
# event KIND: of our connection.
event() {
	jq -c "select(.event == \"$1\" and .local_port == $local_port)" "$TMP/events"
}
expect_num "events of offload" "$(event offload | wc -l)" -ge 1
expect_num "events of recall" "$(event recall | wc -l)" -ge 2
expect "with their reason" grep -q '"recalled":"request"' "$TMP/events"

# More than one message holds, and every one of them once.
all_idle
hold --conns 200
expect "200 connections are in the card" wait_until 60 in_card 200
expect_num "each once in the list" "$(conns 'map(.id) | unique | length')" -eq 200
expect_num "recall of all of this port" "$(toe -j recall dport "$ECHO_PORT" | jq '.[0].recalled')" -eq 200
let_go

# There and back, as fast as it goes: each is in the card's list once, or not at all.
all_idle
before=$(attr reoffload_ms)
mark
hold --conns 24
expect "24 connections are in the card" wait_until 20 in_card 24
set_attr reoffload_ms 1
# shellcheck disable=SC2046 # one word each
expect "recalled and offloaded at the same time" "$NL" race "$INDEX" 6 $(conns '.[].id')
say "$(cat "$TMP/output"): $(delta offloaded_total) offloads, $(delta recalled_total) recalls"
set_attr reoffload_ms "$before"
expect "all of them are in the card in the end" wait_until 20 in_card 24
expect_num "each in a context" "$(counter card_toe_contexts)" -eq 24
let_go
expect "none is left in the card" all_idle
expect "nor has it a context" wait_until 5 eval '[ "$(counter card_toe_contexts)" = 0 ]'

# While they come and go.
looking() {
	local end=$((SECONDS + 20)) n=0

	while [ $SECONDS -lt $end ]; do
		toe -j -s conn show | jq -e 'map(.id) | length == (unique | length)' >/dev/null ||
			return 1
		toe recall all >/dev/null || return 1
		# What is random may have come first.
		rule add pref 1 dport 1 native
		rule del pref 1
		n=$((n + 1))
	done
	echo $n >"$TMP/looks"
}
looking >"$TMP/looking" 2>&1 &
LOOKING=$!
"$NL" fuzz "$INDEX" "$TOE_SEED" $((2000 / TOE_SLOW)) >"$TMP/fuzz" 2>&1 &
FUZZ=$!
for ((i = 0; i < 5; i++)); do
	hold --conns 50 && sleep 1
	let_go
done
wait $LOOKING
expect_num "lists are lists meanwhile" "$?" -eq 0
wait $FUZZ
expect_num "random requests all get an answer" "$?" -eq 0
say "$(cat "$TMP/fuzz" "$TMP/looking") $(cat "$TMP/looks" 2>/dev/null) looks"
rule flush
expect "a transfer afterwards" xfer active 4 --up 512k --down 512k
