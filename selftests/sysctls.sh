#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Documentation/sysctls.rst tells of each of this kernel's net.ipv4.tcp_*, once:
# sysctls.list is its table's first column. A kernel that gets a new one fails here.
. "${0%/*}/lib.sh"
plan 3

missing() {
	local names=(/proc/sys/net/ipv4/tcp_*)
	printf '%s\n' "${names[@]##*/}" | grep -vxF -f "$HERE/sysctls.list"
}

none() {
	! missing
}

expect_num "the list is there" "$(grep -c . "$HERE/sysctls.list")" -ge 60
expect "tcp_* of /proc/sys/net/ipv4" none
expect "none twice" eval '[ -z "$(uniq -d "$HERE/sysctls.list")" ]'
