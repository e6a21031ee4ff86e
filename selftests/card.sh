# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The card as a user sees it: switches, counters, connections. For scenarios
# (by way of lib.sh) and for the demo. $TMP is a directory for a file or two.

: "${TOE_IF:=toe0}" "${NO_TOE:=}"
TOE=/sys/class/net/$TOE_IF/toe

set_attr() {
	[ -n "$NO_TOE" ] || echo "$2" >"$TOE/$1"
}

attr() {
	if [ -n "$NO_TOE" ]; then echo 0; else cat "$TOE/$1"; fi
}

# offload on|off: the switch for unmodified applications.
offload() {
	[ -n "$NO_TOE" ] || ethtool --set-priv-flags "$TOE_IF" tcp-offload "$1"
}

offload_is() {
	ethtool --show-priv-flags "$TOE_IF" | grep -q "tcp-offload *: $1\$"
}

no_connections() {
	[ "$(attr connections)" = 0 ]
}

# connections_are N
connections_are() {
	[ "$(attr connections)" = "$1" ]
}

recall_all() {
	set_attr recall all
}

# counter NAME: of ethtool -S; nothing if there is none.
counter() {
	ethtool -S "$TOE_IF" | awk -v name="$1:" '$1 == name { print $2; exit }'
}

# mark: what later deltas are counted from.
mark() {
	local name

	ethtool -S "$TOE_IF" >"$TMP/mark" 2>/dev/null
	[ -z "$NO_TOE" ] || return 0
	for name in offloaded_total recalled_total refused_total; do
		echo "$name: $(attr "$name")"
	done >>"$TMP/mark"
}

# delta NAME: how far a counter or a …_total has come since mark.
delta() {
	local old new

	old=$(awk -v name="$1:" '$1 == name { print $2; exit }' "$TMP/mark")
	case $1 in
	*_total) new=$(attr "$1") ;;
	*) new=$(counter "$1") ;;
	esac
	echo $((${new:-0} - ${old:-0}))
}

# carried: payload bytes through the card since mark.
carried() {
	echo $(($(delta toe_tx_bytes) + $(delta toe_rx_bytes)))
}

# reasons: refusals, recalls and frames dropped since mark, each with its number.
reasons() {
	ethtool -S "$TOE_IF" | awk '
		FNR == NR { old[$1] = $2; next }
		/toe_(refuse|recall|offload|abort|bad)|drop|no_buffer|error|death|recovered|_bad/ && $2 > old[$1] { print $1 $2 - old[$1] }
	' "$TMP/mark" -
}

# ss_flow FILTER: what ss knows of established connections to the peer.
ss_flow() {
	ss -Htien state established "$@"
}

ss_ulp() {
	ss_flow "$@" | grep -c tcp-ulp-toe
}
