#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# wire: loss=1%,reorder=1%,dup=1%
#
# Retransmissions of the card show in TCP_INFO, in ss and in /proc/net/snmp.
. "${0%/*}/lib.sh"
needs_card
plan 14

offload on
retrans_segs() {
	awk '$1 == "Tcp:" && n++ { print $13 }' /proc/net/snmp
}

for role in active passive; do
	before=$(retrans_segs)
	mark
	expect "$role: every byte arrives" xfer $role 4 --up 12M --down 12M \
		--order close-client --hold-ms 300
	toe_num "$role: it was offloaded" "$(delta offloaded_total)" -ge 1
	after=$(retrans_segs)
	total=$(ours .info.total_retrans)
	expect_num "$role: TCP_INFO counts retransmissions" "$total" -gt 10
	expect_num "$role: not more than the wire explains" "$total" -lt 1500
	expect_num "$role: their bytes too" "$(ours .info.bytes_retrans)" -ge $((total * 100))
	expect_near "$role: snmp RetransSegs agrees" $((after - before)) "$total" 5
	expect_num "$role: bytes_sent is payload and retransmissions" \
		"$(ours .info.bytes_sent)" -ge $(($(ours .sent) + total * 100))
done
