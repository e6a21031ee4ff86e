#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 150
#
# What the kernel tells about an offloaded connection is true: TCP_INFO, ss and
# /proc/net/snmp agree with the bytes moved and with what the peer counted.
. "${0%/*}/lib.sh"
needs_card
plan 38

# Both kernels count frames only if nobody joins them first.
undo ethtool -K "$TOE_IF" gro on
undo peer sh -c "ethtool -K \$TOE_IF gro on"
ethtool -K "$TOE_IF" gro off
peer sh -c "ethtool -K \$TOE_IF gro off"
offload on

# snmp: InSegs, OutSegs, RetransSegs as a line of three numbers. Linux doesn't count
# in OutSegs what it sends again.
snmp() {
	"$@" awk '$1 == "Tcp:" && n++ { print $11, $12, $13 }' /proc/net/snmp
}

# ss_now: keeps what ss says of the one connection of this transfer.
ss_now() {
	ss_flow "( sport = $PORT or dport = $PORT )" >"$TMP/ss"
}

# ss_field NAME: from that; 0 if it isn't there.
ss_field() {
	local value
	value=$(grep -o " $1:[0-9]*" "$TMP/ss" | head -n 1 | cut -d: -f2)
	echo "${value:-0}"
}

# all_moved BYTES_OUT BYTES_IN: by ss.
all_moved() {
	ss_now
	[ "$(ss_field bytes_acked)" -ge "$1" ] && [ "$(ss_field bytes_received)" -ge "$2" ]
}

# allowance PERCENT VALUE: for what was under way between two looks.
allowance() {
	echo $(($2 * $1 / 100 + 4))
}

header=88 UP=$((12 << 20)) DOWN=$((20 << 20))
for role in active passive; do
	expect "$role: the card is empty at first" all_idle
	read -r in0 out0 re0 <<<"$(snmp command)"
	read -r pin0 pout0 pre0 <<<"$(snmp peer)"
	xfer_start $role 4 --up $UP --down $DOWN --order close-client --hold-ms 8000
	toe_expect "$role: it is in the card" wait_until 5 connections_are 1
	if [ $role = active ]; then
		wait_until 50 all_moved $UP $DOWN
	else
		wait_until 50 all_moved $DOWN $UP
	fi
	sleep 0.5
	ss_now
	release
	expect "$role: every byte arrives" xfer_wait

	sent=$(ours .sent) got=$(ours .received)
	if [ $role = active ]; then sent=$((sent + header)); else got=$((got + header)); fi
	expect_near "$role: TCP_INFO bytes_acked" "$(ours .info.bytes_acked)" "$sent" 1
	expect_near "$role: TCP_INFO bytes_received" "$(ours .info.bytes_received)" "$got" 1
	expect_near "$role: ss bytes_acked" "$(ss_field bytes_acked)" "$sent" 1
	expect_near "$role: ss bytes_received" "$(ss_field bytes_received)" "$got" 1
	expect_near "$role: TCP_INFO segs_out is what the peer got" "$(ours .info.segs_out)" \
		"$(theirs .info.segs_in)" "$(allowance 1 "$(theirs .info.segs_in)")"
	expect_near "$role: TCP_INFO segs_in is what the peer sent" "$(ours .info.segs_in)" \
		"$(theirs .info.segs_out)" "$(allowance 1 "$(theirs .info.segs_out)")"
	expect_near "$role: TCP_INFO data_segs_out likewise" "$(ours .info.data_segs_out)" \
		"$(theirs .info.data_segs_in)" "$(allowance 1 "$(theirs .info.data_segs_in)")"
	expect_near "$role: TCP_INFO data_segs_in, too" "$(ours .info.data_segs_in)" \
		"$(theirs .info.data_segs_out)" "$(allowance 1 "$(theirs .info.data_segs_out)")"
	expect_near "$role: ss segs_out" "$(ss_field segs_out)" "$(ours .info.segs_out)" \
		"$(allowance 1 "$(ours .info.segs_out)")"
	expect_near "$role: ss segs_in" "$(ss_field segs_in)" "$(ours .info.segs_in)" \
		"$(allowance 1 "$(ours .info.segs_in)")"
	expect_num "$role: TCP_INFO rtt is known" "$(ours .info.rtt_us)" -gt 0
	expect_num "$role: TCP_INFO cwnd has grown" "$(ours .info.cwnd)" -ge 10
	expect_near "$role: ss cwnd is the same" "$(ss_field cwnd)" "$(ours .info.cwnd)" 5
	expect "$role: ss shows the rtt" grep -q " rtt:0*\.*0*[1-9]" "$TMP/ss"

	sleep 0.3
	read -r in1 out1 re1 <<<"$(snmp command)"
	read -r pin1 pout1 pre1 <<<"$(snmp peer)"
	say "snmp: in $((in1 - in0)) out $((out1 - out0)) retrans $((re1 - re0))," \
		"peer in $((pin1 - pin0)) out $((pout1 - pout0)) retrans $((pre1 - pre0))"
	expect_near "$role: snmp OutSegs is what the peer got" $((out1 - out0 + re1 - re0)) \
		$((pin1 - pin0)) "$(allowance 0 0)"
	toe_near "$role: snmp InSegs is what the peer sent" $((in1 - in0)) \
		$((pout1 - pout0 + pre1 - pre0)) "$(allowance 0 0)"
done
