#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# Routes and neighbours change under connections in the card. Where the path stays
# what it was they stay too; a next hop's new address is followed; what alters
# segments calls back.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 17

offload on
prefix=192.0.2.0/24 prefix6=2001:db8::/64
path() {
	ip "-$1" route "$2" "$(address_of peer "$1")" dev "$TOE_IF" mtu 1280
}
mac_of_peer() {
	peer sh -c 'cat /sys/class/net/$TOE_IF/address'
}
# meet MAC: where the peer is from now on; it doesn't know itself yet.
meet() {
	ip neigh replace "$PEER_IP" lladdr "$1" dev "$TOE_IF" nud permanent
	ip neigh replace "$PEER_IP6" lladdr "$1" dev "$TOE_IF" nud permanent
}
# forget: the kernel asks again when it wants to. (To delete an entry shows it as
# failed for an instant, and whoever looks in that instant calls back.)
forget() {
	ip neigh replace "$PEER_IP" lladdr "$old" dev "$TOE_IF" nud reachable
	ip neigh replace "$PEER_IP6" lladdr "$old" dev "$TOE_IF" nud reachable
}
carried_from() {
	[ $(($(carried) - $1)) -gt 50000 ]
}
both_carry() {
	wait_until 2 carried_from "$(carried)"
}

mark
X=a xfer_start active 4 --up 1M --down 1M --rate 500k --stay
X=p xfer_start passive 6 --up 1M --down 1M --rate 500k --stay
expect "two connections are in the card" wait_until 5 connections_are 2

undo ip route del $prefix dev "$TOE_IF"
undo ip -6 route del $prefix6 dev "$TOE_IF"
expect "another IPv4 route" ip route add $prefix dev "$TOE_IF"
expect "another IPv6 route" ip -6 route add $prefix6 dev "$TOE_IF"
expect "data flows" both_carry
expect_num "none was called back" "$(delta recalled_total)" -eq 0
ip route del $prefix dev "$TOE_IF"
ip -6 route del $prefix6 dev "$TOE_IF"

old=$(mac_of_peer) new=02:00:5e:00:53:01
undo forget
undo peer sh -c "ip link set \$TOE_IF address $old"
meet "$new"
expect "the peer's address changes" peer sh -c "ip link set \$TOE_IF address $new"
expect "data flows to the new one" both_carry
peer sh -c "ip link set \$TOE_IF address $old"
meet "$old"
expect "and to the old one again" both_carry
expect_num "none was called back for that" "$(delta recalled_total)" -eq 0
forget

for family in 4 6; do
	mark
	undo path $family del
	expect "IPv$family: a route with another MTU" path $family add
	expect "IPv$family: calls back" wait_until 3 eval '[ "$(delta toe_recall_mtu)" -ge 1 ]'
	expect "IPv$family: and it returns" wait_until 5 connections_are 2
	path $family del
done
hurry
expect "every byte of the active one" eval X=a xfer_wait
expect "every byte of the passive one" eval X=p xfer_wait
