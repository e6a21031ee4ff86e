#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Garbage into every file of the switch: an error each time, nothing changed.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"

files=(enable reoffload_ms policy/ports_in policy/ports_out policy/min_bytes
	policy/max_connections policy/cgroups)
readonly_files=(connections offloaded_total recalled_total refused_total)
garbage=(x -1 2x '' ' ' 99999999999999999999 '80-' '-80' '90-80' 65536 0x '80;81'
	'$(id)' "$(printf 'a%.0s' {1..4000})")
plan $((${#files[@]} + ${#readonly_files[@]} + 5))

state() {
	for file in "${files[@]}"; do
		attr "$file"
	done
}

# refuses FILE: every piece of garbage; says which one was taken.
refuses() {
	local g was status=0
	was=$(attr "$1")
	for g in "${garbage[@]}"; do
		# What is no garbage here: a boolean may begin with 0.
		case $1-$g in
		reoffload_ms-65536 | policy/m*-65536 | enable-0x) continue ;;
		esac
		if printf '%s\n' "$g" 2>/dev/null >"$TOE/$1"; then
			echo "«${g:0:40}» was taken by $1"
			status=1
		fi
		[ "$(attr "$1")" = "$was" ] || {
			echo "«${g:0:40}» changed $1 from $was to $(attr "$1")"
			status=1
			set_attr "$1" "$was"
		}
	done
	return $status
}

offload on
before=$(state)
for file in "${files[@]}"; do
	expect "$file refuses garbage" refuses "$file"
done
for file in "${readonly_files[@]}"; do
	expect "$file can't be written" [ "$(stat -c %a "$TOE/$file")" = 444 ]
done
recall_refuses() {
	! (echo some >"$TOE/recall") && ! (echo >"$TOE/recall") && ! (echo all all >"$TOE/recall")
}
expect "recall refuses garbage" recall_refuses
expect "recall can't be read" [ "$(stat -c %a "$TOE/recall")" = 200 ]
expect_fails "ethtool refuses an unknown flag" ethtool --set-priv-flags "$TOE_IF" tcp-onload on
expect "nothing has changed" [ "$(state)" = "$before" ]
mark
xfer active 4 --up 2M --down 2M
expect_num "a transfer is offloaded as before" "$(delta offloaded_total)" -eq 1
