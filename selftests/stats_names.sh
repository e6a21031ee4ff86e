#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Documentation/statistics.rst names every counter of this kernel's TCP: stats.list
# is made of its tables. A kernel that gets a new one fails here.
. "${0%/*}/lib.sh"
plan 4

names() {
	awk -v group="$2:" '$1 == group && !seen++ { for (i = 2; i <= NF; i++) print $i }' \
		"/proc/net/$1"
}

# missing FILE GROUP: names that the list hasn't got.
missing() {
	names "$1" "$2" | grep -vxF -f <(sed -n "s/^$2\.//p" "$HERE/stats.list")
}

none() {
	! missing "$@"
}

expect_num "the list is there" "$(grep -c . "$HERE/stats.list")" -ge 150
expect "Tcp: of /proc/net/snmp" none snmp Tcp
expect "TcpExt: of /proc/net/netstat" none netstat TcpExt
expect "IpExt: of /proc/net/netstat" none netstat IpExt
