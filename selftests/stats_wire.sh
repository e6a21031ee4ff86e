#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# wire: loss=1%,reorder=1%,dup=1%
# timeout: 360
#
# On a bad wire the system's counters still add up, and with those of the peer, with
# the interface's and with TCP_INFO: with offload off, on, and across recalls.
. "${0%/*}/lib.sh"
. "${0%/*}/mib.sh"
needs_card
plan 89

# However it ends, what comes next finds the switch on.
undo offload on

undo peer sh -c 'ethtool -K $TOE_IF gro on'
peer sh -c 'ethtool -K $TOE_IF gro off'
undo ethtool -K "$TOE_IF" gro on
ethtool -K "$TOE_IF" gro off
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 50

m() {
	mib "TcpExt.$1" "${2-here}"
}

# told_of WHAT HERE PEER: D-SACKs that HERE has got, against those that PEER counts. Before
# one is told, another may have joined it or taken its place: of a burst's few arrive. In
# a stack whose GRO is off, each segment that GSO has cut says it; the card takes it once.
told_of() {
	local got sent most=200

	[ "${1%%:*}" != on ] || most=115
	got=$(($(m TCPDSACKRecv "$2") + $(m TCPDSACKOfoRecv "$2")))
	sent=$(($(m TCPDSACKOldSent "$3") + $(m TCPDSACKOfoSent "$3")))
	say "$1: $got of $sent"
	expect_num "$1" "$got" -ge $((sent / 2 - 5))
	expect_num "$1, not more often" "$got" -le $((sent * most / 100 + 5))
}

# judge NAME
judge() {
	local name=$1 again sum told recalled=0

	# A recall sends again what may have arrived, as a time-out does.
	[ "$name" = off ] || [ -n "$NO_TOE" ] || recalled=$(delta recalled_total)
	again=$(mib Tcp.RetransSegs)
	# The interface also sends what isn't TCP: ARP, neighbours.
	expect_near "$name: segments out are the interface's packets" \
		$(($(mib Tcp.OutSegs) + again)) "$(mib link.tx_packets)" 15
	expect_near "$name: and segments in" "$(mib Tcp.InSegs)" "$(mib link.rx_packets)" 15
	expect_near "$name: IP packets in" "$(mib Ip.InReceives)" "$(mib Tcp.InSegs)" 4
	# The stack counts what it hands down in one piece once.
	expect_num "$name: IP packets out" "$(mib Ip.OutRequests)" -le \
		$(($(mib Tcp.OutSegs) + again + 4))
	expect_near "$name: bytes in" "$(mib IpExt.InOctets)" \
		$(($(mib link.rx_bytes) - 14 * $(mib link.rx_packets))) 1500
	expect_num "$name: bytes out" "$(mib IpExt.OutOctets)" -le \
		$(($(mib link.tx_bytes) - 14 * $(mib link.tx_packets) + 1500))
	expect_near "$name: TCP_INFO data_segs_out is new ones and others" \
		"$(ours .info.data_segs_out)" $(($(m TCPOrigDataSent) + again)) 8
	expect_near "$name: TCP_INFO total_retrans" "$(ours .info.total_retrans)" "$again" 8
	# Linux counts what the peer got twice twice, as far as it was told so.
	sum=$(($(m TCPDSACKRecvSegs) + $(m TCPDSACKIgnoredDubious)))
	expect_num "$name: each segment is delivered" "$(m TCPDelivered)" -ge \
		$(($(m TCPOrigDataSent) - 40))
	expect_num "$name: and no more than told" "$(m TCPDelivered)" -le \
		$(($(m TCPOrigDataSent) + sum + 40 + recalled))
	sum=$(($(m TCPFastRetrans) + $(m TCPSlowStartRetrans)))
	expect_num "$name: retransmissions have causes" "$again" -ge $sum
	expect_num "$name: and no others" "$again" -le \
		$((sum + $(m TCPTimeouts) + $(m TCPLossProbes) + $(m TCPSynRetrans)))
	expect_num "$name: recoveries" "$(m TCPSackRecovery)" -ge 5
	expect_num "$name: fast retransmissions" "$(m TCPFastRetrans)" -ge 20
	expect_num "$name: segments out of order" "$(m TCPOFOQueue)" -ge 50
	expect_num "$name: duplicates told" \
		$(($(m TCPDSACKOldSent) + $(m TCPDSACKOfoSent))) -ge 20
	told_of "$name: D-SACKs are the peer's" here peer
	told_of "$name: and the peer has ours" peer here
	# One tells of as many as the peer's backlog had put together.
	sum=$(($(m TCPDSACKRecv) + $(m TCPDSACKOfoRecv)))
	told=$(($(m TCPDSACKRecvSegs) + $(m TCPDSACKIgnoredDubious)))
	expect_num "$name: TCPDSACKRecvSegs and the dubious are all of them" $told -ge \
		$((sum - sum / 10 - 5))
	expect_num "$name: and no more than came twice" $told -le \
		$((again + $(m TCPOrigDataSent) / 50 + 20))
	expect_num "$name: needless recoveries are no more than recoveries" \
		$(($(m TCPDSACKUndo) + $(m TCPFullUndo) + $(m TCPPartialUndo) + \
			$(m TCPLossUndo))) -le \
		$(($(m TCPSackRecovery) + $(m TCPTimeouts)))
	expect_num "$name: needless time-outs no more than time-outs" \
		"$(m TCPSpuriousRTOs)" -le $(($(m TCPTimeouts) + recalled))
	expect_num "$name: reordering was seen" "$(m TCPSACKReorder)" -ge 1
	expect_near "$name: old segments are told of" "$(m DelayedACKLost)" \
		"$(m TCPDSACKOldSent)" $(($(m TCPDSACKOldSent) / 4 + 10))
	expect_num "$name: no checksum is wrong" "$(mib Tcp.InCsumErrors)" -eq 0
}

for name in off on recalls; do
	options=(--up 12M --down 12M)
	case $name in
	off) offload off ;;
	on)
		offload on
		options+=("${CREEP[@]}")
		;;
	*) offload on ;;
	esac
	all_idle
	sleep 0.3
	mark
	mib_mark here
	mib_mark peer peer
	xfer_start active 4 "${options[@]}" --order close-client --hold-ms 300
	[ $name != on ] || in_card 1
	if [ $name = recalls ]; then
		for _ in {1..10}; do
			xfer_running || break
			wait_until 5 connections_are 1
			recall_all
			sleep 0.1
		done
	fi
	expect "$name: every byte arrives" xfer_wait
	case $name in
	off) ;;
	on) expect_carried "on: the card carried it" $((24 << 20)) ;;
	*) toe_num "recalls: there were some" "$(delta recalled_total)" -ge 4 ;;
	esac
	sleep 1
	mib_now here
	mib_now peer peer
	say "$(mib_moved here | paste -sd' ')"
	judge $name
	if [ $name = on ]; then
		toe_near "on: IP packets out are the card's" "$(mib Ip.OutRequests)" \
			"$(mib link.tx_packets)" 80
		toe_near "on: bytes out are" "$(mib IpExt.OutOctets)" \
			$(($(mib link.tx_bytes) - 14 * $(mib link.tx_packets))) 8000
		toe_near "on: the card's count of retransmissions" \
			"$(delta card_toe_retrans_segs)" "$(mib Tcp.RetransSegs)" 12
	fi
done
