#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# TCP_ULP "toe" flags one socket, whatever the switch for the others says.
. "${0%/*}/lib.sh"
needs_card
plan 12

undo offload on
offload off
size=$(ethtool -g "$TOE_IF" | awk '/^RX:/ { n = $2 } END { print n }')
undo ethtool -G "$TOE_IF" rx "$size"
for role in active passive; do
	# Rings that have not seen the switch on have no buffers for payload yet.
	[ -n "$NO_TOE" ] || ethtool -G "$TOE_IF" rx $((size = size == 512 ? 1024 : 512))
	mark
	LOCAL_OPTIONS=
	expect "$role: an unflagged socket works" xfer $role 4 --up 2M --down 2M
	toe_num "$role: and stays with the kernel" "$(delta offloaded_total)" -eq 0

	mark
	[ -n "$NO_TOE" ] || LOCAL_OPTIONS=--ulp
	xfer_start $role 4 "${CREEP[@]}" --up 16M --down 16M --order close-client --hold-ms 200
	in_card 1
	expect "$role: a flagged socket works" xfer_wait
	toe_num "$role: it was offloaded" "$(delta offloaded_total)" -eq 1
	expect_carried "$role: the card carried its bytes" "$(payload)"
	toe_num "$role: getsockopt(TCP_ULP) names it" "$(ours .ulp)" -eq 1
done
