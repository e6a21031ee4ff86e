# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
#
# Sourced by scripts that are told what to do by their environment.

# no_arguments ARGUMENT...: --help prints what the script's first comment says of it and
# ends; any other is a mistake.
no_arguments() {
	[ $# -gt 0 ] || return 0
	if [ "$1" = --help ]; then
		sed -n '4,/^[^#]/s/^#$\|^# \?//p' "$0"
		exit
	fi
	echo "${0##*/}: «$1»: it takes no arguments; --help says what it heeds" >&2
	exit 2
}
