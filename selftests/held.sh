# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For scenarios about rules and the toe command: connections that are held, and
# questions about them. Sourced behind lib.sh.

needs_command toe jq socat
HOLD=$HERE/toe_hold
ECHO_PORT=$((8000 + RANDOM % 1000))

# echo_start: the peer answers on ECHO_PORT, both families.
echo_start() {
	peer socat "TCP6-LISTEN:$ECHO_PORT,fork,reuseaddr,backlog=256" PIPE >"$TMP/echo" 2>&1 &
	undo peer pkill -x socat
	undo kill $!
	wait_until 20 peer nc -z 127.0.0.1 "$ECHO_PORT"
}

# hold OPTION…: connections of toe_hold, till let_go. «tell LINE» talks to it. What
# runs in the background meanwhile mustn't keep descriptor 9, whose end ends them.
hold() {
	rm -f "$TMP/hold.in"
	mkfifo "$TMP/hold.in"
	"$HOLD" --to "$PEER_IP" --port "$ECHO_PORT" "$@" <"$TMP/hold.in" >"$TMP/hold.out" 2>&1 &
	HOLDER=$!
	exec 9>"$TMP/hold.in"
	undo kill $HOLDER
	wait_until 20 grep -q established "$TMP/hold.out" || {
		say "$(cat "$TMP/hold.out")"
		return 1
	}
}

tell() {
	echo "$*" >&9
}

# heard PATTERN: it has said so.
heard() {
	grep -q "$1" "$TMP/hold.out"
}

let_go() {
	exec 9>&-
	wait "$HOLDER"
}

# conns [JQ]: what the filter knows of the held connections, or JQ of it.
conns() {
	toe -j -s conn show dport "$ECHO_PORT" | jq -r "${1:-.}"
}

# in_card N: so many of them are in the card.
in_card() {
	[ "$(conns 'map(select(.state == "offloaded")) | length')" = "$1" ]
}

# count JQ: of the card's counters.
dev_count() {
	toe -j -s dev show "$TOE_IF" | jq -r ".[0] | $1 // 0"
}

rule() {
	toe rule "$1" dev "$TOE_IF" "${@:2}"
}
