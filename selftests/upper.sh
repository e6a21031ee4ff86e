#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# Devices above the card's interface: their connections run in the kernel's TCP, and
# right; afterwards the interface's own are offloaded as before.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command ip
kinds="macvlan ipvlan bridge bond vrf"
plan $((5 * 2 + 2))

offload on
plain_ip=$TOE_IP plain_ip6=$TOE_IP6 plain_peer=$PEER_IP
PEER_IP=10.79.0.2 TOE_IP=10.79.0.1
undo peer sh -c "ip addr del $PEER_IP/24 dev \$TOE_IF"
peer sh -c "ip addr add $PEER_IP/24 dev \$TOE_IF"

no_above() {
	ip link del toe_above
	sysctl -qw net.ipv4.tcp_l3mdev_accept=0
	ip link set "$TOE_IF" up
	ip addr flush dev "$TOE_IF" scope global
	ip addr add "$plain_ip/24" dev "$TOE_IF"
	ip addr add "$plain_ip6/64" dev "$TOE_IF" nodad
	peer sh -c "ip neigh flush dev \$TOE_IF"
}
undo no_above

above_macvlan() {
	ip link add link "$TOE_IF" name toe_above type macvlan mode bridge
}
above_ipvlan() {
	ip link add link "$TOE_IF" name toe_above type ipvlan mode l2
}
above_bridge() {
	ip link add toe_above type bridge && ip link set "$TOE_IF" master toe_above
}
above_bond() {
	ip link add toe_above type bond mode active-backup miimon 100 &&
		ip link set "$TOE_IF" down && ip link set "$TOE_IF" master toe_above
}
above_vrf() {
	ip link add toe_above type vrf table 77 && ip link set "$TOE_IF" master toe_above &&
		sysctl -qw net.ipv4.tcp_l3mdev_accept=1
}
answers() {
	ping -c 1 -W 1 "$@" "$PEER_IP"
}

for kind in $kinds; do
	device=toe_above role=active how=()
	if ! "above_$kind" >"$TMP/above" 2>&1; then
		skip "$kind: transfer" "$(head -n 1 "$TMP/above")"
		skip "$kind: not offloaded" "the same"
		no_above >/dev/null 2>&1
		continue
	fi
	ip link set toe_above up
	# A VRF has no address of its own; who accepts needn't be bound to it.
	if [ "$kind" = vrf ]; then
		device=$TOE_IF role=passive how=(-I toe_above)
	fi
	ip addr add $TOE_IP/24 dev "$device"
	wait_until 10 answers "${how[@]}" >/dev/null
	mark
	expect "$kind: transfer" xfer $role 4 --up 2M --down 2M
	expect_num "$kind: not offloaded" "$(delta offloaded_total)" -eq 0
	no_above >/dev/null 2>&1
done

PEER_IP=$plain_peer TOE_IP=$plain_ip
wait_until 10 answers >/dev/null
mark
expect "without them: transfer" xfer active 4 --up 2M --down 2M
expect_num "without them: offloaded" "$(delta offloaded_total)" -eq 1
