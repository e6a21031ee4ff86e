# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The system's counters, for scenarios about statistics: source it behind lib.sh.

# mib_all [COMMAND]…: every counter of the namespace that COMMAND runs in, as lines
# «Tcp.InSegs 17», «TcpExt.TCPTimeouts 0», «Ip6.InReceives 3», and those of the
# interface as «link.rx_packets 9».
mib_all() {
	"$@" awk '
	/^Ip6/ { print "Ip6." substr($1, 4), $2; next }
	FILENAME ~ /snmp6$/ { next }
	$1 != group { group = $1; n = split($0, name); next }
	{ for (i = 2; i <= n; i++) print substr($1, 1, length($1) - 1) "." name[i], $i; group = "" }
	' /proc/net/snmp6 /proc/net/snmp /proc/net/netstat
	"$@" ip -s -j link show dev "$TOE_IF" 2>/dev/null | jq -r '.[0].stats64 |
		to_entries[] | .key as $k | .value | to_entries[] | "link.\($k)_\(.key) \(.value)"'
}

# mib_mark [NAME [COMMAND]…]: what later deltas are counted from.
mib_mark() {
	local name=${1-here}
	shift $(($# > 0))
	mib_all "$@" >"$TMP/mib.$name"
}

# mib_now [NAME [COMMAND]…]: look again, for mib.
mib_now() {
	local name=${1-here}
	shift $(($# > 0))
	mib_all "$@" >"$TMP/mib.$name.now"
}

# mib COUNTER [NAME]: how far it came between mib_mark and mib_now; 0 if this kernel
# hasn't got it.
mib() {
	local name=${2-here}
	awk -v name="$1" '$1 == name { if (FNR == NR) old = $2; else new = $2 }
		END { print new - old }' "$TMP/mib.$name" "$TMP/mib.$name.now"
}

# mib_moved [NAME]: counters that have moved, as «Tcp.InSegs=17 …».
mib_moved() {
	local name=${1-here}
	awk 'FNR == NR { old[$1] = $2; next } $2 != old[$1] { print $1 "=" $2 - old[$1] }' \
		"$TMP/mib.$name" "$TMP/mib.$name.now"
}
