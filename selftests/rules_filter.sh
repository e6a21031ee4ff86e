#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# Packet filters that come and go under connections: those that concern a connection
# call it back within a second and act, others don't touch it.
. "${0%/*}/lib.sh"
. "${0%/*}/rules.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command nft ip
plan $((1 + 5 * FORBIDS + 4 * ALLOWS + 2 + 2))

offload on
drop_tables() {
	nft flush ruleset
}
table() {
	nft -f - <<RULES
table $1 toe_test {
	chain c {
		type filter hook $2 priority 0
		${3-}
	}
}
RULES
}

busy
forbids "a counter in output" filter drop_tables \
	table inet output "tcp dport 1 counter"
LEFT=1 forbids "IPv4 alone" filter drop_tables table ip input "tcp dport 1 counter"
allows "a chain without rules" drop_tables table inet output
allows "a chain of the forwarding path" drop_tables table inet forward "counter"
allows "a bridge's chain" drop_tables table bridge output "counter"

other_space() {
	ip netns add toe_other &&
		ip netns exec toe_other nft 'table inet t { chain c { type filter hook output priority 0; counter; }; }'
}
no_space() {
	ip netns del toe_other
}
allows "another namespace's" no_space other_space

rule_in_chain() {
	table inet output && sleep 0.3 && nft add rule inet toe_test c tcp dport 1 counter
}
forbids "a rule in a chain that had none" filter drop_tables rule_in_chain

device_chain() {
	nft "table netdev toe_test { chain c { type filter hook ingress device \"$TOE_IF\" priority 0; tcp dport 1 counter; }; }"
}
forbids "a chain of the interface" filter drop_tables device_chain

# Tracked by a chain of the forwarding path: hooks of conntrack, and no other.
tracking() {
	table inet forward "ct state invalid drop"
}
forbids "connection tracking alone" conntrack drop_tables tracking

# The rule does act on what was in the card.
undo drop_tables
nft -f - <<RULES
table inet toe_test {
	counter seen { }
	chain c {
		type filter hook output priority 0
		oifname "$TOE_IF" meta l4proto tcp counter name seen
	}
}
RULES
sleep 1
seen() {
	nft -j list counter inet toe_test seen | jq '.nftables[] | select(.counter) | .counter.packets'
}
sees_more() {
	[ "$(seen)" -gt "$1" ]
}
expect "a second after it came a rule sees the connection's segments" \
	wait_until 2 sees_more "$(seen)"
drop_tables
expect "without it they are in the card again" wait_until 6 connections_are $CONNS
finished
