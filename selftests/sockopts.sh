#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 150
#
# The application changes its mind in mid-transfer: whatever the option, the
# call works as without a card and every byte arrives. Whether the card goes on
# or the kernel does is the filter's to know.
. "${0%/*}/lib.sh"
needs_card
ACTS=(congestion tls device nodelay cork quickack keepalive keepidle timeout maxseg clamp
	lowat delay tos ttl mark priority pacing rcvbuf sndbuf rcvlowat peekoff urgent repair)
plan $((${#ACTS[@]} + 4))

modprobe tls 2>/dev/null
offload on
mark

# native ACT: does it work on a connection to ourselves?
native() {
	local status
	"$XFER" server --bind 127.0.0.1 --port 4999 --timeout 60 >"$TMP/native" 2>&1 &
	"$XFER" client --to 127.0.0.1 --port 4999 --timeout 60 --up 1M --down 1M \
		--order close-client --act "$1" >"$TMP/native" 2>&1
	status=$?
	[ $status = 0 ] || kill $! 2>/dev/null
	wait $!
	return $status
}

for act in "${ACTS[@]}"; do
	if ! native "$act"; then
		skip "$act" "nor can this kernel by itself"
		continue
	fi
	LOCAL_OPTIONS="--act $act --act-at 1500k"
	expect "$act" xfer active 4 --up 3M --down 3M --order close-client
done

# A buffer that doesn't grow any more, while payload leaves: what the stack believes to
# have announced must be what the card has.
small_windows() {
	local i

	for ((i = 0; i < 20 / TOE_SLOW; i++)); do
		LOCAL_OPTIONS="--act rcvbuf --act-at $((RANDOM % 3000))k"
		xfer active 4 --up 3M --down 3M --order close-client || return
	done
}
expect "windows that close, again and again" small_windows

LOCAL_OPTIONS='--act tclass --act-at 1M'
expect "tclass, IPv6" xfer active 6 --up 3M --down 3M --order close-client
toe_num "nearly all had been offloaded" "$(delta offloaded_total)" -ge $((${#ACTS[@]} * 8 / 10))
toe_expect "none is left in the card" wait_until 5 no_connections
