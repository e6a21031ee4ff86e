#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# Counters move in the connection's own network namespace and in no other one.
. "${0%/*}/lib.sh"
. "${0%/*}/mib.sh"
needs_card
plan 14

NS=stats-$$
inside() {
	ip netns exec $NS "$@"
}

# ip netns exec has a /sys of its own, with the interfaces of that namespace.
back() {
	ip netns exec $NS ip link set "$TOE_IF" netns 1
	ip netns del $NS
	ip addr add "$TOE_IP/24" dev "$TOE_IF"
	ip link set "$TOE_IF" up
	ip addr add "$TOE_IP6/64" dev "$TOE_IF" nodad
}

expect "a namespace" ip netns add $NS
undo back
expect "takes the interface" ip link set "$TOE_IF" netns $NS
inside ip link set lo up
inside ip addr add "$TOE_IP/24" dev "$TOE_IF"
inside ip link set "$TOE_IF" up
inside ip addr add "$TOE_IP6/64" dev "$TOE_IF" nodad
inside ethtool -K "$TOE_IF" gro off
expect "the peer is reached" wait_until 20 inside ping -c 1 -W 1 "$PEER_IP"
inside ethtool --set-priv-flags "$TOE_IF" tcp-offload on

carried_inside() {
	inside ethtool -S "$TOE_IF" | awk '$1 ~ /^toe_[rt]x_bytes:/ { sum += $2 } END { print sum }'
}

# carried_some BEFORE: is it in the card?
carried_some() {
	[ "$(carried_inside)" -gt "$1" ]
}

for family in 4 6; do
	ip=Ip
	[ $family = 4 ] || ip=Ip6
	PORT=$((++_port))
	peer "$XFER" server --port $PORT >"$TMP/server" 2>&1 &
	server=$!
	undo kill $server
	bytes=$(carried_inside)
	mib_mark here
	mib_mark ns inside
	inside "$XFER" client --to "$(address_of peer $family)" --port $PORT \
		--up 8M --down 8M "${CREEP[@]}" --retry 10 >"$TMP/client" 2>&1 &
	client=$!
	undo kill $client
	wait_until 10 carried_some "$bytes"
	hurry
	expect "IPv$family: every byte arrives" wait $client
	wait $server
	sleep 0.5
	mib_now here
	mib_now ns inside
	say "namespace: $(mib_moved ns | paste -sd' ')"
	say "outside: $(mib_moved here | paste -sd' ')"
	say "$(inside ethtool -S "$TOE_IF" | grep -E ' toe_(refuse|recall|offload)[a-z_]*: [1-9]' | paste -sd,)"
	expect_num "IPv$family: the card carried its part" $(($(carried_inside) - bytes)) -ge $((4 << 20))
	segs=$(($(mib Tcp.OutSegs ns) + $(mib Tcp.InSegs ns)))
	expect_num "IPv$family: segments count in the namespace" $segs -ge 11000
	expect_num "IPv$family: IP packets too" "$(mib $ip.InReceives ns)" -ge 5700
	expect_num "IPv$family: and new data" "$(mib TcpExt.TCPOrigDataSent ns)" -ge 5700
	[ $family = 4 ] || expect_num "IPv6: none of it outside" \
		$(($(mib Tcp.OutSegs) + $(mib Tcp.InSegs) + $(mib Ip.InReceives) + \
			$(mib TcpExt.TCPOrigDataSent) + $(mib TcpExt.TCPHPHits) + \
			$(mib TcpExt.TCPDelivered))) -eq 0
done
