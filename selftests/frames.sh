#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 150
#
# The interface counts each frame of the wire once, also those that the card makes of one
# large one; and each queue counts its own.
. "${0%/*}/lib.sh"
needs_card
plan 18

undo offload on
undo ethtool -X "$TOE_IF" default

link() {
	cat "/sys/class/net/$TOE_IF/statistics/$1"
}
# shellcheck disable=SC2016 # the peer's
link_there() {
	peer sh -c "cat /sys/class/net/\$TOE_IF/statistics/$1"
}

# card_counts: by now; the driver asks it once a second.
card_counts() {
	local off=$(($(delta card_tx_frames) - $(link_there rx_packets) + there))
	[ ${off#-} -le $SLACK ]
}

# Neighbours and routers are talked to at any time.
SLACK=8
for switch in off on; do
	offload $switch
	all_idle
	sleep 1.2
	mark
	tx=$(link tx_packets) bytes=$(link tx_bytes)
	there=$(link_there rx_packets) there_bytes=$(link_there rx_bytes)
	expect "$switch: every byte arrives" xfer active 4 --up 6M --down 10k --order close-client
	all_idle
	sleep 0.5
	expect_near "$switch: packets are those of the wire" $(($(link tx_packets) - tx)) \
		$(($(link_there rx_packets) - there)) $SLACK
	expect_near "$switch: bytes too" $(($(link tx_bytes) - bytes)) \
		$(($(link_there rx_bytes) - there_bytes)) $((SLACK * 100))
	toe_expect "$switch: the card counts as many" wait_until 5 card_counts
done

# all_to QUEUE: whatever comes in.
all_to() {
	ethtool -X "$TOE_IF" start "$1" equal 1 2>"$TMP/steer"
}

if [ -n "$NO_TOE" ] || ! all_to 1; then
	for i in {1..10}; do skip "queues: $i" "there aren't two"; done
	exit
fi
for switch in off on; do
	offload $switch
	for queue in 0 1; do
		other=$((1 - queue))
		all_idle
		all_to $queue
		mark
		expect "$switch: a transfer by queue $queue" xfer passive 6 --up 2M --down 10k
		sleep 0.2
		expect_num "$switch: queue $queue has counted it" \
			"$(delta "rx${queue}_packets")" -ge 1400
		[ $switch = on ] ||
			expect_num "$switch: the other queue hasn't" "$(delta "rx${other}_packets")" -le 100
	done
done
