#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
#
# Rules: each thing that a rule looks at decides, the first match counts, and a change
# reaches live connections.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
. "$HERE/held.sh"
plan 46

undo rule flush
offload on
echo_start
GROUP=/sys/fs/cgroup/toe-rule
undo rmdir $GROUP/inner $GROUP
mkdir -p $GROUP/inner

# only NAME MATCH… -- OPTION…: with «MATCH native» a connection with these options
# stays with the kernel, and one without them is offloaded.
only() {
	local name=$1 match=() before
	shift
	while [ "$1" != -- ]; do match+=("$1"); shift; done
	shift

	rule add "${match[@]}" native || not_ok "$name: rule"
	before=$(dev_count .refused.rule)
	expect "$name: a connection" hold "$@"
	expect "$name: refused for the rule" wait_until 10 \
		eval '[ "$(conns ".[0].refused")" = rule ] && [ "$(dev_count .refused.rule)" -gt '"$before"' ]'
	expect "$name: native" in_card 0
	let_go
	rule flush
}

# beside NAME MATCH… -- OPTION…: the rule is about others.
beside() {
	local name=$1 match=()
	shift
	while [ "$1" != -- ]; do match+=("$1"); shift; done
	shift

	rule add "${match[@]}" native || not_ok "$name: rule"
	hold "$@"
	expect "$name: not touched" wait_until 10 in_card 1
	let_go
	rule flush
}

only "role" role out --
beside "other role" role in --
only "remote prefix" dst "${PEER_IP%.*}.0/24" --
beside "beside the prefix" dst "${PEER_IP%.*}.128/25" --
beside "other family" dst ::/0 --
only "IPv6 prefix" dst "$PEER_IP6/128" -- --to "$PEER_IP6"
only "local address" src "$TOE_IP" --
only "remote port" dport "$ECHO_PORT-$((ECHO_PORT + 5))" --
beside "beside the ports" dport "$((ECHO_PORT + 1))-65535" --
only "local port" sport 4000-4100 -- --sport 4050
only "owner" uid 4321 -- --uid 4321
beside "other owner" uid 4321 --
only "cgroup above" cgroup /toe-rule -- --cgroup $GROUP/inner
beside "other cgroup" cgroup /toe-rule/inner -- --cgroup $GROUP
only "mark" mark 0x10/0xf0 -- --mark 0x1f
beside "other mark" mark 0x10 -- --mark 0x11
only "priority" so-priority 5 -- --priority 5
only "DSCP" dscp 10 -- --tos 0x28

# The first match counts, by place and not by age.
rule add pref 20 native
rule add pref 10 dport "$ECHO_PORT" offload
hold
expect "an earlier rule offloads" wait_until 10 in_card 1
expect "a new rule in front: recalled" eval \
	'rule add pref 5 role out native && wait_until 3 in_card 0'
expect "for the rule" [ "$(conns '.[0].recalled')" = rule ]
expect "without it: in the card again" eval \
	'rule del pref 5 && wait_until 15 in_card 1'
rule flush

# A mark may change at any time.
rule add mark 7 native
tell mark 7
expect "a mark set in mid-life recalls" wait_until 5 in_card 0
tell mark 0
expect "unset: back in the card" wait_until 20 in_card 1
let_go
