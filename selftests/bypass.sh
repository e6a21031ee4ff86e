#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# What an administrator explicitly lets offload by-pass no longer keeps connections
# out of the card, until the word is taken back.
. "${0%/*}/lib.sh"
. "${0%/*}/rules.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command nft tc
plan $((5 + 1 + 6 * 4 + 3 + 2))

offload on
undo set_attr policy/bypass none
expect "nothing may be by-passed at first" [ "$(attr policy/bypass)" = none ]
set_attr policy/bypass tc,netfilter
expect "a list reads back" [ "$(attr policy/bypass)" = netfilter,tc ]
expect_fails "nonsense is refused" eval 'echo tc,route >"$TOE/policy/bypass"'
expect "and changes nothing" [ "$(attr policy/bypass)" = netfilter,tc ]
set_attr policy/bypass all
expect "all is all of them" [ "$(attr policy/bypass)" = netfilter,conntrack,qdisc,tc,xdp,bpf ]
set_attr policy/bypass none

# may WORD REASON UNDO COMMAND…
may() {
	local word=$1 reason=$2 undo=$3
	shift 3

	undo "$undo"
	"$@" >"$TMP/rule" 2>&1 || say "$(cat "$TMP/rule")"
	expect "$word: the rule calls back" wait_until 3 no_connections
	set_attr policy/bypass "$word"
	expect "$word: once it may be by-passed they are in the card again" \
		wait_until 6 connections_are $CONNS
	mark
	set_attr policy/bypass none
	expect "$word: the word taken back calls back" wait_until 3 no_connections
	expect_num "$word: for that reason" "$(delta "toe_recall_$reason")" -eq $CONNS
	"$undo"
	wait_until 6 connections_are $CONNS
}

no_ruleset() {
	nft flush ruleset
}
no_root() {
	tc qdisc del dev "$TOE_IF" root
}
no_clsact() {
	tc qdisc del dev "$TOE_IF" clsact
}
counting() {
	nft 'table inet t { chain c { type filter hook output priority 0; counter; }; }'
}
tracking() {
	nft 'table inet t { chain c { type filter hook forward priority 0; ct state invalid drop; }; }'
}
filtering() {
	tc qdisc add dev "$TOE_IF" clsact &&
		tc filter add dev "$TOE_IF" egress protocol all matchall action ok
}

busy
may netfilter filter no_ruleset counting
may conntrack conntrack no_ruleset tracking
may qdisc qdisc no_root tc qdisc add dev "$TOE_IF" root tbf rate 1gbit burst 1m latency 50ms
may tc tc no_clsact filtering
may xdp xdp unhold hold xdp "$TOE_IF"
may bpf bpf unhold hold cgroup /sys/fs/cgroup

# Windows that conntrack hasn't seen are forgiven with be_liberal, and only then.
set_attr policy/bypass netfilter,conntrack
undo no_ruleset
nft 'table inet t { chain c { type filter hook input priority 0; ct state invalid drop; }; }'
sysctl -qw net.netfilter.nf_conntrack_tcp_be_liberal=1
expect "a stateful filter that may be by-passed leaves them in the card" \
	wait_until 6 connections_are $CONNS
sleep 1
set_attr policy/bypass none
expect "taken back: they come back" wait_until 3 no_connections
expect "and pass the filter" both_flow
no_ruleset
finished
