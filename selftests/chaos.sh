#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# Everything that an administrator may do, in random order and several hands at once,
# while connections of every kind come and go. No single act is judged: every byte has
# to arrive, and nothing may be left. TOE_SEED repeats the order of a run, CHAOS_S
# says for how many seconds, CHAOS_ACTS which acts («recall mtu»; all of them).
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
. "$HERE/held.sh"
plan 13

SECONDS_LONG=${CHAOS_S:-40}
SEED=$TOE_SEED
INDEX=$(cat "/sys/class/net/$TOE_IF/ifindex")

# What is undone at the end is also what the acts go back to.
keep=/proc/sys/net/ipv6/conf/$TOE_IF/keep_addr_on_down
mtu=$(cat "/sys/class/net/$TOE_IF/mtu")
rx=$(ethtool -g "$TOE_IF" | awk '/^RX:/ { n = $2 } END { print n }')
kept=$(cat "$keep") reoffload=$(attr reoffload_ms)
calm() {
	echo "$kept" >"$keep"
	set_attr reoffload_ms "$reoffload"
	set_attr mirror off
	set_attr policy/max_connections 0
	set_attr policy/min_bytes 0
	set_attr policy/ports_out all
	rule flush
	nft delete table inet toe_chaos
	tc qdisc del dev "$TOE_IF" root
	ip route del "$PEER_IP"
	ip link del toe_above
	ip link set "$TOE_IF" mtu "$mtu"
	ip link set "$TOE_IF" up
	ethtool -G "$TOE_IF" rx "$rx"
	offload on
}
undo calm
echo 1 >"$keep"

# Acts -----------------------------------------------------------------------------

act_recall() { recall_all; }
act_switch() { offload off; pause 200; offload on; }
act_again() { set_attr reoffload_ms $((RANDOM % 60)); }
act_mirror() {
	local modes=(off headers all)
	set_attr mirror "${modes[RANDOM % 3]}"
}
act_limit() { set_attr policy/max_connections $((RANDOM % 4 * 5)); }
act_bytes() { set_attr policy/min_bytes $((RANDOM % 3 * 30000)); }
act_ports() { set_attr policy/ports_out none; pause 100; set_attr policy/ports_out all; }
act_rule() {
	local roles=(in out)
	rule add pref 9 role "${roles[RANDOM % 2]}" native
	pause 150
	rule flush
}
act_filter() {
	nft 'table inet toe_chaos { chain c { type filter hook output priority 0; counter; }; }'
	pause 200
	nft delete table inet toe_chaos
}
act_qdisc() {
	tc qdisc add dev "$TOE_IF" root tbf rate 1gbit burst 1m latency 50ms
	pause 200
	tc qdisc del dev "$TOE_IF" root
}
# Not for long: nobody tells the peer, whose segments don't get through meanwhile.
act_mtu() {
	ip link set "$TOE_IF" mtu $((1300 + RANDOM % 400))
	pause 150
	ip link set "$TOE_IF" mtu "$mtu"
}
act_route() {
	ip route add "$PEER_IP" dev "$TOE_IF" quickack 1
	pause 150
	ip route del "$PEER_IP"
}
act_neighbour() { ip neigh change "$PEER_IP" dev "$TOE_IF" nud failed; }
act_above() {
	ip link add link "$TOE_IF" name toe_above type macvlan
	pause 100
	ip link del toe_above
}
act_link() {
	ip link set "$TOE_IF" down
	pause 100
	ip link set "$TOE_IF" up
	pause 500
}
act_rings() { ethtool -G "$TOE_IF" rx $((256 << RANDOM % 3)); }
act_race() {
	# shellcheck disable=SC2046 # one word each
	"$HERE/nl_test" race "$INDEX" 1 $(toe -j -s conn show | jq -r '.[].id' | head -n 30)
}
act_look() {
	ss -tienmo
	toe -j -s conn show
	ethtool -S "$TOE_IF"
	cat /proc/net/tcp /proc/net/tcp6 /proc/net/snmp /proc/net/netstat
}
act_kill() {
	local ports
	mapfile -t ports < <(ss -Htn state established "dport = :$ECHO_PORT" |
		awk '{ sub(/.*:/, "", $3); print $3 }')
	[ ${#ports[@]} = 0 ] || ss -K "sport = ${ports[RANDOM % ${#ports[@]}]}"
}
ACTS=${CHAOS_ACTS:-$(declare -F | sed -n 's/^declare -f act_//p')}

pause() {
	local s

	printf -v s '0.%03d' $((RANDOM % ($1 - 10) + 10))
	nap "$s"
}

# hand N: acts until told to stop; its own order. Two of one kind may meet, and fail.
hand() {
	local acts act
	RANDOM=$((SEED + $1))
	read -rd '' -a acts <<<"$ACTS"
	while [ ! -e "$TMP/stop" ]; do
		act="act_${acts[RANDOM % ${#acts[@]}]}"
		echo "${EPOCHREALTIME} $1 $act" >>"$TMP/acts"
		$act
		pause 120
	done
	echo ended
}

# Load -----------------------------------------------------------------------------

# load NAME ROLE FAMILY OPTION…: one transfer after the other; the first that isn't
# right ends it.
load() {
	local n=0
	X=$1
	_port=$((_port + $(printf '%d' "'$1") * 100))
	while [ ! -e "$TMP/stop" ]; do
		xfer "${@:2}" --seed $((SEED + n)) >"$TMP/$X.result" 2>&1 || {
			echo failed >>"$TMP/$X.result"
			return 1
		}
		n=$((n + 1))
	done
	echo $n >"$TMP/$X.count"
}
loaded() {
	wait "$2" || { cat "$TMP/$1.result"; return 1; }
	[ "$(cat "$TMP/$1.count")" -ge 1 ]
}

# deaths: how often the driver has given the card up.
deaths() {
	ethtool -S "$TOE_IF" | awk '$1 ~ /^death_/ { sum += $2 } END { print sum + 0 }'
}

offload on
mark
died=$(deaths)
XFER_TIMEOUT=$((SECONDS_LONG + 100))
echo_start
hold --conns 16

X=long xfer_start active 4 --conns 2 --up 10M --down 10M --rate 500k --stay
two_in_card() {
	[ "$(ss_ulp "dport = :$1")" = 2 ]
}
expect "two that stay are in the card" wait_until 10 two_in_card "$PORT"
load m active 6 --conns 8 --up 1-300k --down 1-300k --mixed --order random &
MIXED=$!
load s passive 4 --conns 8 --up 1-300k --down 1-300k --order random &
SERVED=$!
load b passive 6 --conns 2 --up 3M --down 3M --order close-client &
BULK=$!
for n in 1 2 3; do
	hand $n >"$TMP/hand.$n" 2>&1 &
	HANDS[n]=$!
	undo kill "${HANDS[n]}"
done
sleep $((SECONDS_LONG * TOE_SLOW))
# A machine that is busy with other things as well acts less in that time.
enough() {
	[ "$(delta offloaded_total)" -ge $((100 / TOE_SLOW)) ] &&
		[ "$(delta recalled_total)" -ge $((100 / TOE_SLOW)) ]
}
wait_until 60 enough
touch "$TMP/stop"
wait "${HANDS[@]}"
calm >"$TMP/calm" 2>&1
hurry
acted() {
	local hand
	for hand in "$TMP"/hand.*; do
		[ "$(tail -n 1 "$hand")" = ended ] || { tail -n 3 "$hand"; return 1; }
	done
}
expect "every hand acted to the end" acted
expect "every byte of short ones that we opened, by every call" loaded m $MIXED
expect "every byte of short ones that we accepted" loaded s $SERVED
expect "every byte of larger ones" loaded b $BULK
expect "every byte of those that stayed" eval X=long xfer_wait
say "$(wc -l <"$TMP/acts") acts," \
	"$(delta offloaded_total) offloads, $(delta recalled_total) recalls," \
	"$(cat "$TMP"/[msb].count | paste -sd' ') transfers"
[ $_failed = 0 ] || say "$(tail -n 400 "$TMP/acts")"
expect_num "there were offloads" "$(delta offloaded_total)" -ge $((100 / TOE_SLOW))
expect_num "and recalls" "$(delta recalled_total)" -ge $((100 / TOE_SLOW))
expect_num "the card reported nothing impossible" "$(delta toe_bad_events)" -eq 0
expect_num "nor was it given up" $(($(deaths) - died)) -eq 0
pkill -x toe_hold
peer pkill -x socat
expect "none is left in the card" all_idle
expect "nor has it a context" wait_until 5 eval '[ "$(counter card_toe_contexts)" = 0 ]'
mark
xfer active 4 --up 2M --down 2M
expect_num "afterwards, a transfer by card" "$(delta offloaded_total)" -eq 1
