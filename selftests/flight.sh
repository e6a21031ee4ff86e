#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# wire: delay=250ms
# peer: guest
# timeout: 120
#
# What was in flight when the card took over is lost: the card knows when it was sent, so
# it probes for its end, and what that brings back tells of the rest. No timeout.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
needs_command nft
plan 3
. "$HERE/mib.sh"
PORT=$((7000 + RANDOM % 1000))
SEGS=3 MSS=1448

# The next SEGS full segments to PORT don't arrive. However many the peer's machine joins.
lose() {
	peer nft "table inet toe_flight { chain c { type filter hook input priority 0;
		tcp dport $PORT meta length > 1000 quota until $((SEGS * (MSS + 52) + 1)) bytes drop; }; }"
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

in_it() {
	[ "$(delta toe_offloads)" -ge 1 ]
}

# echoed BYTES: so many come back.
echoed() {
	[ "$(timeout "$(scaled 20)" head -c "$1" <&8 | wc -c)" = "$1" ]
}

peer socat "TCP4-LISTEN:$PORT,fork,reuseaddr" PIPE >"$TMP/echo" 2>&1 &
undo peer pkill -x socat
undo kill $!
wait_until 20 peer nc -z 127.0.0.1 "$PORT"
undo offload on
undo peer nft delete table inet toe_flight

# The stack probes for the tail itself after two round trips: on a machine so busy that the
# card doesn't have it by then it's tried again, and where the answer comes faster than any
# before, which might be that to an earlier transmission (RFC 8985 6.2).
early=0 whole=0 found=0
for ((i = 0; i < 10 && !found; i++)); do
	offload off
	exec 8<>"/dev/tcp/$PEER_IP/$PORT"
	for _ in {1..6}; do
		printf '%100s' '' >&8
		echoed 100
	done
	lose
	mark
	mib_mark here
	from=$(now_ms)
	printf "%$((SEGS * MSS))s" '' >&8
	offload on
	wait_until 5 in_it
	took=$(($(now_ms) - from))
	echoed $((SEGS * MSS)) && whole=$((whole + 1))
	offload off
	mib_now here
	probes=$(mib TcpExt.TCPLossProbes) timeouts=$(mib TcpExt.TCPTimeouts)
	if [ $took -lt 900 ]; then
		early=$((early + 1))
		[ "$probes/$timeouts" != 1/0 ] || found=1
	fi
	say "in the card after $took ms; probes $probes, timeouts $timeouts"
	peer nft delete table inet toe_flight
	exec 8>&-
done
expect_num "the card got it with its data in flight" $early -ge 1
expect_num "every byte comes back" $whole -eq $i
expect_num "it probes for the tail, and waits for no timeout" $found -eq 1
