#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# hairpin.sh start|stop: in the peer. What comes to its second addresses it sends
# back, so that both ends of a connection are in the machine with the card, and both
# cross the wire: see hairpin.c. Ports stay as they are.
set -eu

HAIRPIN_IP=${PEER_IP%.*}.3
HAIRPIN_IP6=${PEER_IP6%:*}:3
BEFORE=/run/toe-hairpin

if [ "$1" = stop ]; then
	nft delete table inet hairpin
	ip addr del "$HAIRPIN_IP/32" dev "$TOE_IF"
	ip addr del "$HAIRPIN_IP6/128" dev "$TOE_IF"
	sysctl -q -p $BEFORE
	exit
fi
ip addr replace "$HAIRPIN_IP/32" dev "$TOE_IF"
ip addr replace "$HAIRPIN_IP6/128" dev "$TOE_IF" nodad
[ -e $BEFORE ] || sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding \
	net.ipv4.conf.all.send_redirects "net.ipv4.conf.$TOE_IF.send_redirects" >$BEFORE
sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
	net.ipv4.conf.all.send_redirects=0 "net.ipv4.conf.$TOE_IF.send_redirects=0"
# A connection that both ends have forgotten may come again at once, and what is out
# of its window is for the ends to judge. A redirect would be for nobody.
nft -f - <<NFT
table inet hairpin {
	chain in {
		type nat hook prerouting priority dstnat
		meta l4proto tcp ip daddr $HAIRPIN_IP dnat ip to $TOE_IP
		meta l4proto tcp ip6 daddr $HAIRPIN_IP6 dnat ip6 to $TOE_IP6
	}
	chain out {
		type nat hook postrouting priority srcnat
		meta l4proto tcp ip daddr $TOE_IP ct status dnat snat ip to $HAIRPIN_IP
		meta l4proto tcp ip6 daddr $TOE_IP6 ct status dnat snat ip6 to $HAIRPIN_IP6
	}
	chain redirects {
		type filter hook output priority filter
		icmpv6 type nd-redirect drop
	}
}
NFT
sysctl -q -w net.netfilter.nf_conntrack_tcp_be_liberal=1 \
	net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 \
	net.netfilter.nf_conntrack_tcp_timeout_close=1
