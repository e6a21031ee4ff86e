#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 360
#
# The system's counters of IP and TCP, those of the interface and those of its queues
# count what passes on the wire, each once, whoever carries it: with offload off, with
# it on, and across recalls. The peer captures the wire.
. "${0%/*}/lib.sh"
. "${0%/*}/mib.sh"
needs_card
needs_command tcpdump
plan 103

# However it ends, what comes next finds the switch on.
undo offload on

# Both kernels count frames only if nobody joins them.
undo peer sh -c 'ethtool -K $TOE_IF gro on tx on tso on gso on'
peer sh -c 'ethtool -K $TOE_IF gro off tx off tso off gso off'
undo ethtool -K "$TOE_IF" gro on tx on tso on gso on
ethtool -K "$TOE_IF" gro off tx off tso off gso off
MAC=$(cat "/sys/class/net/$TOE_IF/address")
before=$(attr reoffload_ms)
undo set_attr reoffload_ms "$before"
set_attr reoffload_ms 50

capture_start() {
	rm -f "$TMP/tcpdump"
	peer sh -c 'exec tcpdump -i $TOE_IF -s 0 -B 65536 -w /tmp/stats.pcap' \
		>"$TMP/tcpdump" 2>&1 &
	CAPTURE=$!
	undo kill $CAPTURE
	wait_until 10 grep -q listening "$TMP/tcpdump"
}

# What tcpdump hasn't read when it is told to stop is lost.
capture_end() {
	sleep 1
	peer pkill -INT -x tcpdump
	wait $CAPTURE
	WIRE=$(peer "$HERE/pcap_count" /tmp/stats.pcap "$MAC")
	say "tcpdump: $(grep packets "$TMP/tcpdump" | paste -sd,)" "$WIRE"
}
wire() {
	jq -r "$1" <<<"$WIRE"
}

queues() {
	ethtool -S "$TOE_IF" | awk -v what="^$1[0-9]+_$2:" '$1 ~ what { sum += $2 } END { print sum }'
}

# judge NAME FAMILY: everything that moved against the capture.
judge() {
	local name=$1 family=$2 ip=Ip ext=IpExt slack=0 octets=0
	# IPv6 has its own small talk (neighbours, routers) at any time.
	[ "$family" = 4 ] || { ip=Ip6 ext=Ip6 slack=12 octets=1200; }
	local i=".in.ip$family" o=".out.ip$family"

	expect_near "$name: $ip InReceives" "$(mib $ip.InReceives)" "$(wire "$i")" $slack
	expect_near "$name: $ip InDelivers" "$(mib $ip.InDelivers)" "$(wire "$i")" $slack
	# The stack counts what it hands down in one piece once, TSO or not.
	expect_num "$name: $ip OutRequests" "$(mib $ip.OutRequests)" -le $(($(wire "$o") + slack))
	expect_near "$name: $ext InOctets" "$(mib $ext.InOctets)" "$(wire "${i}_bytes")" $octets
	expect_num "$name: $ext OutOctets" "$(mib $ext.OutOctets)" -le \
		$(($(wire "${o}_bytes") + octets))
	expect_near "$name: $ext InNoECTPkts" "$(mib $ext.InNoECTPkts)" "$(wire "$i")" $slack
	expect_near "$name: Tcp InSegs" "$(mib Tcp.InSegs)" "$(wire .in.segs)" 0
	expect_near "$name: Tcp OutSegs and RetransSegs" \
		$(($(mib Tcp.OutSegs) + $(mib Tcp.RetransSegs))) "$(wire .out.segs)" 0
	# The stack counts SYN and FIN, too.
	expect_near "$name: TCPOrigDataSent" "$(mib TcpExt.TCPOrigDataSent)" \
		$(($(wire .out.data_segs) - $(mib Tcp.RetransSegs))) 2
	# What the peer got twice, and says so, was delivered twice.
	expect_near "$name: TCPDelivered" "$(mib TcpExt.TCPDelivered)" \
		$(($(mib TcpExt.TCPOrigDataSent) + $(mib TcpExt.TCPDSACKRecvSegs))) \
		$((2 + $(mib Tcp.RetransSegs)))
	expect_near "$name: windows that closed" "$(mib TcpExt.TCPToZeroWindowAdv)" \
		"$(wire .out.zero_windows)" 0
	# An ARP more or less, between one look and the other.
	expect_near "$name: link: packets in" "$(mib link.rx_packets)" "$(wire .in.frames)" 2
	expect_near "$name: link: bytes in" "$(mib link.rx_bytes)" "$(wire .in.bytes)" 180
	expect_near "$name: link: packets out" "$(mib link.tx_packets)" "$(wire .out.frames)" 2
	expect_near "$name: link: bytes out" "$(mib link.tx_bytes)" "$(wire .out.bytes)" 180
	toe_near "$name: queues: packets in" $(($(queues rx packets) - rx)) "$(wire .in.frames)" 2
	toe_near "$name: queues: bytes out" $(($(queues tx bytes) - tx)) "$(wire .out.bytes)" 180
}

# judge_card NAME FAMILY: what is exact only while the card has the connection; what
# went before and after it is allowed for.
judge_card() {
	local name=$1 ip=Ip ext=IpExt
	[ "$2" = 4 ] || { ip=Ip6 ext=Ip6; }
	local o=".out.ip$2" native

	# What the stack sent is in fewer requests, with fewer headers.
	native=$(($(wire "$o") - $(delta offload_tx_packets)))
	toe_near "$name: $ip OutRequests are the card's packets" "$(mib $ip.OutRequests)" \
		"$(wire "$o")" $((native + 80))
	toe_near "$name: $ext OutOctets are" "$(mib $ext.OutOctets)" "$(wire "${o}_bytes")" \
		$((native * 80 + 8000))
	toe_near "$name: every segment in is a kind of one" \
		$(($(mib TcpExt.TCPHPHits) + $(mib TcpExt.TCPHPAcks) + \
			$(mib TcpExt.TCPPureAcks))) \
		"$(wire .in.segs)" $(($(wire .in.segs) / 10))
	toe_near "$name: frames that the card's connections moved" \
		$(($(delta offload_rx_packets) + $(delta offload_tx_packets))) \
		$(($(wire .in.frames) + $(wire .out.frames))) \
		$(($(wire .in.frames) / 10))
}

# run NAME FAMILY OPTION…
run() {
	local name=$1 family=$2
	shift 2

	sleep 0.3
	rx=$(queues rx packets) tx=$(queues tx bytes)
	capture_start
	mark
	mib_mark here
	xfer_start active "$family" --up 4M --down 6M "$@"
	[[ $name != *on ]] || in_card 1
	if [[ $name = *recalls* ]]; then
		for _ in {1..8}; do
			wait_until 5 connections_are 1
			recall_all
		done
		hurry
	fi
	expect "$name: every byte arrives" xfer_wait
	capture_end
	mib_now here
	say "$(mib_moved here | paste -sd' ')"
}

# kinds NAME: these mustn't depend on who carries a connection that loses nothing.
kinds() {
	local line
	for line in TCPTimeouts TCPSackRecovery TCPOFOQueue TCPRcvQDrop TCPZeroWindowDrop \
		TCPChallengeACK TCPSpuriousRTOs PAWSEstab TCPSACKDiscard TCPLostRetransmit \
		TCPOFODrop TCPSYNChallenge TCPWinProbe TCPKeepAlive; do
		echo "$line=$(mib TcpExt.$line)"
	done
}

for family in 4 6; do
	offload off
	run "IPv$family, off" $family --order close-client
	judge "IPv$family, off" $family
	[ $family = 6 ] || kinds >"$TMP/kinds.off"
	offload on
	all_idle
	run "IPv$family, on" $family --order close-client "${CREEP[@]}"
	expect_carried "IPv$family, on: the card carried it" $((10 << 20))
	judge "IPv$family, on" $family
	judge_card "IPv$family, on" $family
	[ $family = 6 ] || kinds >"$TMP/kinds.on"
done
expect "what losses and windows move doesn't, in either case" \
	diff "$TMP/kinds.off" "$TMP/kinds.on"
run "recalls" 4 --rate 2M --stay
toe_num "recalls: there were some" "$(delta recalled_total)" -ge 4
judge "recalls" 4
expect "the capture goes away" peer rm /tmp/stats.pcap
