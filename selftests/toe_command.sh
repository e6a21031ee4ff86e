#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# The toe command: words, exit status, JSON, completion.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
. "$HERE/held.sh"
plan 44

undo rule flush
offload on
echo_start
hold --mark 3
wait_until 10 in_card 1

# status WANTED TEXT WORD…: exit status, and what it says.
status() {
	local wanted=$1 text=$2 output code
	shift 2

	output=$("$@" 2>&1)
	code=$?
	if [ $code = "$wanted" ] && grep -qF -- "$text" <<<"$output"; then
		ok "«${*}»: $wanted, «$text»"
	else
		not_ok "«${*}»: $wanted, «$text»" "status $code" "$output"
	fi
}

status 0 "Usage:" toe help
status 0 "Usage:" toe rule help
status 0 "Usage:" toe --help
status 1 "Usage:" toe
status 1 'Object "fnord" is unknown, try "toe help".' toe fnord
status 1 'Option "-x" is unknown' toe -x dev
status 1 'Command "fnord" is unknown, try "toe conn help".' toe conn fnord
status 1 'Command "fnord" is unknown, try "toe rule help".' toe rule fnord
status 1 'Argument "fnord" is unknown, try "toe conn help".' toe conn show fnord
status 1 'Argument "fnord" is unknown' toe rule add dev "$TOE_IF" fnord
status 1 'Argument "now" is unknown' toe monitor now
status 1 '«state» wants a value' toe conn show state
status 1 '«gone» is no state' toe conn show state gone
status 1 '«10.0.0.256» is no address' toe conn show src 10.0.0.256
status 1 'is a prefix, an address is wanted' toe conn show src 10.0.0.0/8
status 1 '«70000» is no port' toe recall sport 70000
status 1 '«sport» is there twice' toe recall sport 7 sport 8
status 1 'Cannot find device "fnord"' toe dev show fnord
status 1 'say which connections, or all' toe recall
status 1 'there is no cgroup' toe rule add dev "$TOE_IF" cgroup /fnord native
status 1 'a rule has one action' toe rule add dev "$TOE_IF" native offload
status 2 'the rule has no action' toe rule add dev "$TOE_IF" dport 80
status 2 'no interface is named' toe rule add dport 80 native
status 2 'no card with offload' toe rule add dev lo native
status 2 'no card with offload' toe dev show lo
status 2 'no connection has this identifier' toe conn show id 1000000
status 2 'no rule has this pref' toe rule del dev "$TOE_IF" pref 77
status 2 'Operation not permitted' setpriv --reuid 65534 --clear-groups toe recall all

expect "abbreviations" eval '[ "$(toe d s)" = "$(toe dev show)" ]'
expect "text of a connection" eval 'toe c | grep -q "$PEER_IP:$ECHO_PORT dev $TOE_IF out offloaded"'
expect "details" eval 'toe -d conn | grep -q "mark 0x3"'
expect "statistics" eval 'toe -s conn | grep -q srtt_us'
expect "JSON: dev" eval '[ "$(toe -j -s dev | jq -r ".[0].dev")" = "$TOE_IF" ]'
expect "JSON: letters together" eval '[ "$(toe -jps conn | jq ".[0].mark")" = 3 ]'
expect "JSON of nothing" eval '[ "$(toe -j rule)" = "[]" ]'

handle=$(toe -j rule add dev "$TOE_IF" pref 30 src 10.0.0.0/8 sport 5-9 mark 1/3 native | jq '.[0].handle')
expect_num "a new rule's handle" "$handle" -ge 1
expect "the rule reads back" eval \
	'[ "$(toe rule)" = "30: dev $TOE_IF src 10.0.0.0/8 sport 5-9 mark 0x1/0x3 native handle $handle" ]'
rule add dport 80 offload
expect "without pref: behind the last" eval '[ "$(toe -j rule | jq -c "map(.pref)")" = "[30,40]" ]'
rule add pref 40 dport 81 offload
status 2 'several rules have this pref' toe rule del dev "$TOE_IF" pref 40
expect "removed by handle" toe rule del dev "$TOE_IF" handle "$handle"
expect "flush" eval 'toe rule flush dev "$TOE_IF" && [ -z "$(toe rule)" ]'
let_go

# complete WORD…: what completion offers for the last one.
complete_words() {
	bash -c '. "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _toe; echo "${COMPREPLY[*]}"' \
		"$HERE/toe.bash-completion" "$@"
}
expect "completion: objects" eval '[ "$(complete_words toe re)" = recall ]'
expect "completion: cards" eval '[ "$(complete_words toe rule add dev "")" = "$TOE_IF" ]'
expect "completion: words of a rule" eval 'complete_words toe rule add dev x so | grep -q so-priority'
