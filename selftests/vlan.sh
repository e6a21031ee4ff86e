#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 240
#
# Connections over a VLAN on the card's interface are carried by the card, with the
# VLAN's tag, priority and MAC; those over two tags or an 802.1ad one are native.
. "${0%/*}/lib.sh"
. "${0%/*}/rules.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command ip tcpdump
plan $((4 * 3 + 1 + 3 + 2 + 3 + 2 + 2 * 3))

VLAN=toe_v5 plain_ip=$PEER_IP
modprobe 8021q 2>/dev/null

# both COMMAND…: here and in the peer, where IF is the card's interface or its NIC.
both() {
	IF=$TOE_IF sh -c "$*" && peer sh -c "IF=\$TOE_IF; $*"
}
# addresses DEVICE: those of the scenario, on DEVICE of both ends.
addresses() {
	PEER_IP=10.79.0.2 PEER_IP6=fd79::2 TOE_IP=10.79.0.1 TOE_IP6=fd79::1
	ip addr add $TOE_IP/24 dev "$1" && ip addr add $TOE_IP6/64 dev "$1" nodad &&
		peer sh -c "ip addr add $PEER_IP/24 dev $1 && ip addr add $PEER_IP6/64 dev $1 nodad"
}
no_device() {
	ip link del "$1"
	peer ip link del "$1"
}

undo no_device $VLAN
both "ip link add link \$IF name $VLAN type vlan id 5 egress-qos-map 0:3 && ip link set $VLAN up" ||
	skip_all "no VLANs"
addresses $VLAN
undo set_attr mirror off
offload on

for family in 4 6; do
	for role in active passive; do
		mark
		xfer_start $role $family "${CREEP[@]}" --up 16M --down 16M \
			--order close-client --hold-ms 300
		in_card 1
		expect "IPv$family, $role: transfer" xfer_wait
		expect_num "IPv$family, $role: offloaded" "$(delta offloaded_total)" -eq 1
		expect_carried "IPv$family, $role: carried by the card" "$(payload)" 80
	done
done

mark
busy
# What the peer's NIC sees: tag, priority, both directions.
undo peer pkill -x tcpdump
# shellcheck disable=SC2016
tags=$(peer sh -c 'timeout 120 tcpdump -i $TOE_IF -c 40 -nn -e -Q in vlan 5 and tcp 2>/dev/null | grep -c "vlan 5, p 3"')
expect_num "the card's segments carry VLAN and priority" "$tags" -eq 40
# What taps see on this side: the tag beside the frame, both directions.
set_attr mirror all
for way in in out; do
	seen=$(timeout 120 tcpdump -i "$TOE_IF" -Q $way -c 20 -nn -e tcp 2>/dev/null | grep -c "vlan 5,")
	expect_num "taps see the tag, $way" "$seen" -eq 20
done
set_attr mirror off
ip link set $VLAN type vlan egress-qos-map 0:6
expect "another priority calls back" wait_until 2 eval '[ "$(delta toe_recall_device)" -ge 2 ]'
expect "and they return" wait_until 6 connections_are $CONNS

# A rule on the VLAN concerns them, one on another VLAN doesn't.
no_root() {
	tc qdisc del dev "$1" root
}
undo ip link del toe_v6
ip link add link "$TOE_IF" name toe_v6 type vlan id 6
ip link set toe_v6 up
mark
tc qdisc add dev toe_v6 root tbf rate 1gbit burst 1m latency 50ms
sleep 0.5
expect_num "a discipline of another VLAN doesn't concern them" "$(delta recalled_total)" -eq 0
tc qdisc add dev $VLAN root tbf rate 1gbit burst 1m latency 50ms
expect "one of their own does" wait_until 2 eval '[ "$(delta toe_recall_qdisc)" -eq 2 ]'
tc qdisc del dev $VLAN root
expect "and they return without it" wait_until 6 connections_are $CONNS

hurry
expect "every byte of the active one" eval X=a xfer_wait
expect "every byte of the passive one" eval X=p xfer_wait

# Two tags, another kind of tag. The card takes frames with room for one.
XFER_TIMEOUT=30
two_tags() {
	both "ip link add link $VLAN name toe_qq type vlan id 7 && ip link set toe_qq mtu 1400 up"
}
ad_tag() {
	both "ip link add link \$IF name toe_ad type vlan proto 802.1ad id 8 && ip link set toe_ad mtu 1400 up"
}
X=x
for kind in two_tags:toe_qq ad_tag:toe_ad; do
	device=${kind#*:}
	ip addr flush dev $VLAN
	peer ip addr flush dev $VLAN
	undo no_device "$device"
	${kind%:*}
	addresses "$device"
	mark
	expect "$device: transfer" xfer active 4 --up 2M --down 2M
	expect_num "$device: not offloaded" "$(delta offloaded_total)" -eq 0
	expect "$device: interface unharmed" ping -c 1 -W 5 "$plain_ip"
	no_device "$device"
done
