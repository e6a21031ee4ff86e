#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# wire: rate=10mbit,delay=5ms,ecn=10k,corrupt=0.3%
# timeout: 240
#
# ECN marks and bad checksums are counted by the card as by the stack: once, and as
# often as there are any. Offload off, then on.
. "${0%/*}/lib.sh"
. "${0%/*}/mib.sh"
needs_card
plan 19

# However it ends, what comes next finds the switch on.
undo offload on

undo ethtool -K "$TOE_IF" gro on
ethtool -K "$TOE_IF" gro off
ecn=$(sysctl -n net.ipv4.tcp_ecn)
undo sysctl -qw net.ipv4.tcp_ecn="$ecn"
sysctl -qw net.ipv4.tcp_ecn=1
undo peer sysctl -qw net.ipv4.tcp_ecn=2
peer sysctl -qw net.ipv4.tcp_ecn=1

for mode in off on; do
	offload $mode
	all_idle
	sleep 0.3
	mark
	mib_mark here
	xfer_start active 4 "${CREEP[@]}" --up 4M --down 8M --order close-client --hold-ms 300
	[ $mode = off ] || in_card 1
	hurry
	expect "$mode: every byte arrives" xfer_wait
	[ $mode = off ] || expect_carried "on: the card carried it" $((12 << 20))
	sleep 0.5
	mib_now here
	say "$(mib_moved here | paste -sd' ')"
	in=$(mib Ip.InReceives)
	expect_near "$mode: each packet has one kind of mark" \
		$(($(mib IpExt.InNoECTPkts) + $(mib IpExt.InECT0Pkts) + \
			$(mib IpExt.InECT1Pkts) + $(mib IpExt.InCEPkts))) "$in" 0
	expect_num "$mode: most payload came with ECT(0)" "$(mib IpExt.InECT0Pkts)" -ge 2500
	expect_num "$mode: some was marked" "$(mib IpExt.InCEPkts)" -ge 3
	expect_num "$mode: checksums were wrong" "$(mib Tcp.InCsumErrors)" -ge 5
	expect_num "$mode: of about 0.3 %" "$(mib Tcp.InCsumErrors)" -le $((in / 100 + 5))
	expect_num "$mode: and are errors" "$(mib Tcp.InErrs)" -ge "$(mib Tcp.InCsumErrors)"
	expect_near "$mode: each packet is one of the interface" "$in" \
		"$(mib link.rx_packets)" $((in / 100 + 10))
	expect_num "$mode: marks told by the peer" "$(mib TcpExt.TCPDeliveredCE)" -ge 1
done
