#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# compare.sh [OPTION]... -- COMMAND...: runs COMMAND with offload off and on, and
# says what it reported differently. Any program that tests or uses TCP will do.
#
#	--filter NAME	what of its output is a result: unittest, tap, gtest, status
#			(nothing but how it ended), or lines (default: every line,
#			numbers left out)
#	--grep RE	only results that match
#	--rounds N	times that each way is run (1). What differs from one round to
#			the next isn't the card's doing; what one way always says and
#			the other never is.
#	--direct	COMMAND talks to the peer itself: addresses of this machine
#			aren't led out and back by the peer (see hairpin.c)
#	--keep DIR	where the whole outputs go (/tmp/compare)
#	--limit S	of one round (600)
#
# The environment says OFFLOAD=off or on. Status: 0 the same, 1 different.
set -u

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
FILTER=lines GREP='' ROUNDS=1 DIRECT='' KEEP=/tmp/compare LIMIT=600
: "${TOE_PEER:=peer}"

while [ $# -gt 0 ] && [ "$1" != -- ]; do
	case $1 in
	--direct) DIRECT=1; shift; continue ;;
	--filter) FILTER=$2 ;;
	--grep) GREP=$2 ;;
	--rounds) ROUNDS=$2 ;;
	--keep) KEEP=$2 ;;
	--limit) LIMIT=$2 ;;
	*) echo "compare: $1?" >&2; exit 2 ;;
	esac
	shift 2
done
[ "${1-}" != -- ] || shift
[ $# -gt 0 ] || { echo "compare: nothing to run" >&2; exit 2; }
mkdir -p "$KEEP"
rm -f "$KEEP"/{off,on}.*
TMP=$KEEP
# shellcheck source=selftests/card.sh
. "$HERE/card.sh"

# results: what of an output counts, one result a line.
results() {
	case $FILTER in
	# «name (class) ... ok»; a docstring or a warning may come between.
	unittest)
		awk '
		/^[A-Za-z_0-9]+ \([A-Za-z_0-9.]+\)/ { name = $1 " " $2 }
		/^(setUpClass|tearDownClass|setUpModule)/ { print }
		match($0, /(ok|FAIL|ERROR|expected failure|unexpected success|skipped .*)$/) &&
			name != "" { print name " " substr($0, RSTART); name = "" }
		/^(ERROR|FAIL): / { print }'
		;;
	tap)
		awk '{ sub(/\r$/, "") }
		match($0, /(^|[ #:])(not )?ok [0-9]*.*/) {
			line = substr($0, RSTART)
			sub(/^[ #:]*/, "", line)
			gsub(/[0-9.]+ ?(ms|s|us|sec)\>/, "T", line)
			print line
		}'
		;;
	gtest) grep -aoE '(ok|OK|FAILED|PASSED|FAIL|PASS|SKIP)[ :\]].*' | sed -E 's/\([0-9]+ ms[^)]*\)//' ;;
	status) cat >/dev/null ;;
	lines) sed -E 's/0x[0-9a-f]+|[0-9]+(\.[0-9]+)?/N/g; s/[ \t]+/ /g' ;;
	esac | if [ -n "$GREP" ]; then grep -aE "$GREP"; else cat; fi
}

hairpin() {
	if [ -n "$DIRECT" ]; then
		"$@"
	else
		# shellcheck disable=SC2153 # the lab sets them
		"$HERE/hairpin" "$TOE_IP" "$TOE_IP6" "${PEER_IP%.*}.3" "${PEER_IP6%:*}:3" "$@"
	fi
}

# once off|on ROUND COMMAND...
once() {
	local way=$1 out=$KEEP/$1.$2 status begin=$SECONDS
	shift 2

	offload "$way"
	for ((i = 0; i < 50; i++)); do
		no_connections && break
		sleep 0.1
	done
	mark
	echo "compare: $out begins" >/dev/kmsg
	OFFLOAD=$way hairpin timeout -k 5 "$LIMIT" "$@" >"$out" 2>&1 </dev/null
	status=$?
	{ results <"$out"; echo "status $status"; } >"$out.results"
	echo "# $way: status $status, $(wc -l <"$out.results") results," \
		"$((SECONDS - begin)) s, offloaded $(delta offloaded_total)," \
		"payload by card $(carried)"
	[ "$way" = off ] || echo "#   $(reasons | paste -sd' ')"
	dmesg | awk -v mark="compare: $out begins" 'seen; index($0, mark) { seen = 1 }' |
		grep -aE 'WARNING|BUG|Oops|KASAN|Call Trace|refcount|blocked for more|rcu.*stall|toe' |
		sed 's/^/#   kernel: /' | head -n 20
}

# always WAY: results of each round; ever WAY: of any.
ever() { cat "$KEEP/$1".*.results | sort -u; }
always() {
	for file in "$KEEP/$1".*.results; do sort -u "$file"; done |
		sort | uniq -c | awk -v n="$ROUNDS" '$1 == n' | sed 's/^ *[0-9]* //'
}

# The peer may have no such file.
turn() { [ -n "$DIRECT" ] || "$TOE_PEER" sh -c "$(cat "$HERE/hairpin.sh")" hairpin "$1"; }

{ # All of it is read before it runs: the file may be replaced meanwhile.
trap 'offload on; turn stop' EXIT
trap 'exit 143' TERM INT
turn start || exit 2
for ((round = 1; round <= ROUNDS; round++)); do
	once off $round "$@"
	once on $round "$@"
done

lost=$(LC_ALL=C comm -23 <(always off | LC_ALL=C sort) <(ever on | LC_ALL=C sort))
new=$(LC_ALL=C comm -13 <(ever off | LC_ALL=C sort) <(always on | LC_ALL=C sort))
[ -z "$lost" ] || printf 'off: %s\n' "${lost//$'\n'/$'\n'off: }"
[ -z "$new" ] || printf 'on:  %s\n' "${new//$'\n'/$'\n'on:  }"
if [ -n "$lost$new" ]; then
	echo "different"
	exit 1
fi
echo "the same"
exit 0
}
