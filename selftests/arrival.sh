#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 120
#
# Segments that arrive by another device than the replies leave by: the peer sends with a
# VLAN tag what is answered without one. The card doesn't see them, so such connections
# are the stack's, from the start or as soon as it shows.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command ip
plan 12
VLAN=77

# all_rp_filter VALUE: here and there.
all_rp_filter() {
	local where
	for where in "" peer; do
		$where sh -c "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo $1 >\$f; done"
	done
}

other_way() {
	peer ip route replace "$TOE_IP/32" via 10.80.0.1 src "$PEER_IP"
}

straight() {
	peer ip route del "$TOE_IP/32"
}

PEER_IF=$(peer sh -c "ip -j route get $TOE_IP" | jq -r '.[0].dev')
ip link add link "$TOE_IF" name toe_tag type vlan id $VLAN
undo ip link del toe_tag
ip addr add 10.80.0.1/24 dev toe_tag
ip link set toe_tag up
peer ip link add link "$PEER_IF" name peer_tag type vlan id $VLAN
undo peer ip link del peer_tag
peer ip addr add 10.80.0.2/24 dev peer_tag
peer ip link set peer_tag up
all_rp_filter 0
offload on

other_way
for role in active passive; do
	mark
	expect "$role, from the start: every byte" xfer $role 4 --up 2M --down 2M
	expect_num "$role: not by the card" "$(delta toe_offloads)" -eq 0
	expect_num "$role: and it's said why" "$(delta toe_refuse_arrival)" -ge 1
done
straight

mark
xfer_start active 4 "${CREEP[@]}" --up 16M --down 16M
wait_until 20 eval '[ "$(attr connections)" -ge 1 ]'
other_way
# Or the card itself gives it back first, when nothing comes for too long.
called_back() {
	[ $(($(delta toe_recall_arrival) + $(delta toe_recall_timeout))) -ge 1 ]
}
expect "in mid-life: it is called back" wait_until 10 called_back
sleep 2.5
expect_num "and not offered again" "$(delta toe_offloads)" -eq 1
expect "every byte of it" eval 'hurry; xfer_wait'
straight
mark
expect "straight again: a transfer" xfer active 4 "${CREEP[@]}" --up 4M --down 4M
expect_num "by the card" "$(delta toe_offloads)" -ge 1
expect "none is left there" wait_until 10 no_connections
