#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# Queueing disciplines and tc filters that come and go under connections.
. "${0%/*}/lib.sh"
. "${0%/*}/rules.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command tc
plan $((1 + 4 * FORBIDS + 2 * ALLOWS + 2))

offload on
busy
no_root() {
	tc qdisc del dev "$TOE_IF" root
}
no_clsact() {
	tc qdisc del dev "$TOE_IF" clsact
}
forbids "a discipline that shapes" qdisc no_root \
	tc qdisc add dev "$TOE_IF" root tbf rate 1gbit burst 1m latency 50ms

one_queue() {
	tc qdisc add dev "$TOE_IF" root handle 1: mq &&
		tc qdisc add dev "$TOE_IF" parent 1:1 netem delay 1ms
}
forbids "one on a single queue" qdisc no_root one_queue
allows "a plain one" no_root tc qdisc add dev "$TOE_IF" root fq_codel

allows "clsact without a filter" no_clsact tc qdisc add dev "$TOE_IF" clsact
filter() {
	tc qdisc add dev "$TOE_IF" clsact && sleep 0.2 &&
		tc filter add dev "$TOE_IF" "$1" protocol all matchall action ok
}
forbids "a filter of what leaves" tc no_clsact filter egress
forbids "a filter of what arrives" tc no_clsact filter ingress
finished
