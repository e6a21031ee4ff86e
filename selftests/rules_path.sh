#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# What changes the path under connections: IPsec, metrics, devices above, MTU, MAC.
# Changes that keep the path are in routes.sh.
. "${0%/*}/lib.sh"
. "${0%/*}/rules.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command ip
plan $((1 + 5 * FORBIDS + 2 * ALLOWS + 3 + 3 * 4 + 3 + 3 + 2))

offload on
busy
no_policy() {
	ip xfrm policy flush
}
forbids "an IPsec policy for what arrives" xfrm no_policy \
	ip xfrm policy add src 192.0.2.1 dst 192.0.2.2 dir in action allow
allows "one for what leaves, for others" no_policy \
	ip xfrm policy add src 192.0.2.1 dst 192.0.2.2 dir out action allow

no_route() {
	ip route del "$PEER_IP"
}
route() {
	ip route add "$PEER_IP" dev "$TOE_IF" "$@"
}
LEFT=1 forbids "quickack" metric no_route route quickack 1
LEFT=1 forbids "another least timeout" metric no_route route rto_min 50ms
LEFT=1 forbids "a locked MTU" metric no_route route mtu lock 1500
allows "another hop limit, which the card follows" no_route route hoplimit 44

no_above() {
	ip link del toe_above
}
above() {
	ip link add link "$TOE_IF" name toe_above type macvlan mode bridge
}
forbids "a macvlan" upper no_above above

# The segments leave in a way that the peer doesn't understand.
encap() {
	modprobe mpls_iptunnel && ip route add "$PEER_IP" encap mpls 100 via inet "$PEER_IP" dev "$TOE_IF" onlink
}
mark
undo no_route
if encap >"$TMP/encap" 2>&1; then
	expect_num "encapsulation: calls back" "$(recalled_after 1)" -le "$(scaled $RECALL_MS)"
	expect_num "encapsulation: for that reason" "$(delta toe_recall_tunnel)" -eq 1
	no_route
	expect "encapsulation: and it returns" wait_until 6 connections_are $CONNS
else
	for what in "calls back" "for that reason" "and it returns"; do
		skip "encapsulation: $what" "$(head -n 1 "$TMP/encap")"
	done
fi

# leads NAME REASON UNDO COMMAND…: the IPv4 connection goes, and returns.
leads() {
	local name=$1 reason=$2 undo=$3
	shift 3

	mark
	undo "$undo"
	"$@" >"$TMP/rule" 2>&1 || say "$(cat "$TMP/rule")"
	expect_num "$name: calls back within a second" "$(recalled_after 1)" -le \
		"$(scaled $RECALL_MS)"
	expect_num "$name: for that reason" "$(delta "toe_recall_$reason")" -eq 1
	"$undo"
	expect "$name: without it it is in the card again" wait_until 10 connections_are $CONNS
	expect_num "$name: the other one stayed" "$(delta recalled_total)" -eq 1
}
elsewhere() {
	ip link add toe_dummy type dummy && ip link set toe_dummy up &&
		ip route add "$PEER_IP" dev toe_dummy
}
no_elsewhere() {
	ip link del toe_dummy
}
no_address() {
	ip addr del "$TOE_IP/24" dev "$TOE_IF"
}
address() {
	ip addr add "$TOE_IP/24" dev "$TOE_IF"
}
leads "another device" device no_elsewhere elsewhere
leads "its address removed" route address no_address
leads "a next hop that failed" neigh true \
	ip neigh change "$PEER_IP" dev "$TOE_IF" nud failed

mtu=$(cat "/sys/class/net/$TOE_IF/mtu")
undo ip link set "$TOE_IF" mtu "$mtu"
mark
ip link set "$TOE_IF" mtu 2000
expect_num "another MTU: calls back" "$(recalled_after $CONNS)" -le "$(scaled $RECALL_MS)"
expect_num "another MTU: for that reason" "$(delta toe_recall_mtu)" -eq $CONNS
expect "another MTU: and they return" wait_until 6 connections_are $CONNS
mark
ip link set "$TOE_IF" mtu "$mtu"
recalled_after $CONNS >/dev/null
wait_until 6 connections_are $CONNS

# Nobody tells the peer but we.
meet_us() {
	peer sh -c "ip neigh replace $TOE_IP lladdr $1 dev \$TOE_IF nud permanent &&
		ip neigh replace $TOE_IP6 lladdr $1 dev \$TOE_IF nud permanent"
}
forget_us() {
	peer sh -c "ip neigh del $TOE_IP dev \$TOE_IF; ip neigh del $TOE_IP6 dev \$TOE_IF"
}
old=$(cat "/sys/class/net/$TOE_IF/address") new=02:00:5e:00:53:02
undo forget_us
undo meet_us "$old"
undo ip link set "$TOE_IF" address "$old"
mark
ip link set "$TOE_IF" address $new
expect_num "another MAC: calls back" "$(recalled_after $CONNS)" -le "$(scaled $RECALL_MS)"
meet_us $new
expect_num "another MAC: for that reason" "$(delta toe_recall_mac)" -eq $CONNS
expect "another MAC: and they return" wait_until 6 connections_are $CONNS
ip link set "$TOE_IF" address "$old"
meet_us "$old"
finished
