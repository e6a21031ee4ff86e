#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What can't be offloaded faithfully isn't, and says why; rules that appear in
# mid-life call a connection back.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command nft tc
plan 17

offload on

# refused NAME REASON: a transfer now stays with the kernel, for that reason.
refused() {
	mark
	expect "$1: transfer" xfer active 4 --up 2M --down 2M
	expect_num "$1: not offloaded" "$(delta offloaded_total)" -eq 0
	expect_num "$1: counted as $2" "$(delta "toe_refuse_$2")" -ge 1
}

rule() {
	nft add table inet toe_test
	nft "add chain inet toe_test out { type filter hook output priority 0; }"
	nft "add rule inet toe_test out tcp dport 1 counter"
}
no_rule() {
	nft delete table inet toe_test
}
undo no_rule
rule
refused "packet filter" filter
no_rule

queue() {
	tc qdisc replace dev "$TOE_IF" root netem delay 1ms
}
no_queue() {
	tc qdisc del dev "$TOE_IF" root
}
if queue 2>/dev/null || tc qdisc replace dev "$TOE_IF" root tbf rate 1gbit burst 1m latency 50ms; then
	undo no_queue
	refused "queueing discipline" qdisc
	no_queue
else
	for what in transfer "not offloaded" counted; do
		skip "queueing discipline: $what" "this kernel has neither netem nor tbf"
	done
fi

before=$(sysctl -n net.ipv4.tcp_congestion_control)
undo sysctl -qw "net.ipv4.tcp_congestion_control=$before"
if modprobe tcp_bbr 2>/dev/null && sysctl -qw net.ipv4.tcp_congestion_control=bbr; then
	refused "congestion control" cong
	sysctl -qw "net.ipv4.tcp_congestion_control=$before"
else
	for what in transfer "not offloaded" counted; do
		skip "congestion control: $what" "this kernel has no bbr"
	done
fi

mark
xfer_start active 4 --up 1M --down 1M --rate 1M --stay
expect "a connection is in the card" wait_until 5 connections_are 1
rule
expect "a new rule calls it back" wait_until 3 no_connections
expect_num "by reason of the filter" "$(delta toe_recall_filter)" -ge 1
no_rule
expect "it goes to the card again without the rule" wait_until 5 connections_are 1
hurry
expect "every byte arrives" xfer_wait
expect "none is left in the card" wait_until 5 no_connections
mark
expect "afterwards, a transfer" xfer active 4 --up 2M --down 2M
expect_num "is offloaded as before" "$(delta offloaded_total)" -eq 1
