#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run_all.sh [SCENARIO[@SEED]]…: runs them one after the other (all by default), as the
# lab does or somebody with a real card. What is random begins with SEED, or TOE_SEED. After each it looks at the kernel's log,
# for stuck tasks and at the card: what a scenario leaves behind is its failure.
# The output is KTAP, a scenario's own results indented under it.
set -u

cd "$(dirname "$0")" || exit 1
# shellcheck source=selftests/tools.sh
. ./tools.sh
: "${TOE_IF:=toe0}" "${TOE_SLOW:=1}" "${NO_TOE:=}"
TOE=/sys/class/net/$TOE_IF/toe
SUSPICIOUS='WARNING|BUG|Oops|KASAN|KCSAN|UBSAN|lockdep|possible recursive|possible circular|suspicious RCU|inconsistent lock|leak|refcount|Call Trace|DMA-API|unregister_netdevice: waiting|blocked for more than|general protection|soft lockup|rcu.*stall|bad page|Bad page|Memory failure|held lock'
# What Debian's kernels say by themselves.
HARMLESS='leaking addresses|Spectre|RETBleed|mitigation|toe-selftests:|kmemleak: (Kernel|Automatic|Cannot)|DMA-API: (preallocated|debugging)|RCU lockdep checking is enabled'

# log_since MARK: the kernel's lines after it.
log_since() {
	dmesg | awk -v mark="$1" 'seen; index($0, mark) { seen = 1 }'
}

# suspicious MARK: prints what the kernel complained about; false if nothing.
suspicious() {
	log_since "$1" | grep -E "$SUSPICIOUS" | grep -vE "$HARMLESS"
}

# stuck: prints tasks in uninterruptible sleep all the time; false if none. On a busy
# machine the disk alone may take seconds.
stuck() {
	local pids again

	pids=$(ps -eo state=,pid= | awk '$1 == "D" { print $2 }')
	[ -n "$pids" ] || return 1
	for _ in 1 2 3 4 5; do
		sleep 2
		again=$(ps -o state=,pid=,comm= -p "$(tr '\n' , <<<"$pids" | sed 's/,$//')" |
			awk '$1 == "D"')
		[ -n "$again" ] || return 1
	done
	echo w >/proc/sysrq-trigger
	echo "$again"
}

# left_over: what of the card isn't as before; false if all is well.
left_over() {
	[ -z "$NO_TOE" ] || return 1
	[ -d "$TOE" ] || { echo "$TOE_IF is gone"; return; }
	for _ in {1..20}; do
		[ "$(<"$TOE/connections")" != 0 ] || break
		sleep 0.5
	done
	[ "$(<"$TOE/connections")" = 0 ] ||
		echo "$(cat "$TOE/connections") connections are still in the card"
	[ "$(cat "$TOE/enable")" = 1 ] || {
		echo "offload was left switched off"
		echo 1 >"$TOE/enable"
	}
} 2>&1

# script SCENARIO: diff_NAME is one of those that differential.sh runs.
script() {
	case $1 in
	diff_*) echo differential ;;
	*) echo "$1" ;;
	esac
}

header() {
	sed -n "s/^# $1: *//p" "$(script "$2").sh" | head -n 1
}

now_ms() {
	local t=${EPOCHREALTIME/[.,]/}
	echo $((t / 1000))
}

# complain TEXT: extra diagnostics under the scenario.
complain() {
	printf '  # %s\n' "${1//$'\n'/$'\n  # '}"
}

# run NUMBER SCENARIO
run() {
	local limit status begin took text verdict=ok why='' mark argument=()
	mark="toe-selftests: $2 begins ($1, $RANDOM)"

	# Late is who hangs, not who is slow.
	limit=$(header timeout "$2")
	limit=$((${limit:-60} * TOE_SLOW * 4))
	begin=$(now_ms)
	echo "$mark" >/dev/kmsg
	case $2 in
	diff_*) argument=("$2") ;;
	esac
	timeout -k 10 "$limit" "./$(script "$2").sh" "${argument[@]}" 2>&1 | sed -u 's/^/  /'
	status=${PIPESTATUS[0]}
	took=$(($(now_ms) - begin))
	case $status in
	0) ;;
	4) why='SKIP' ;;
	124 | 137)
		verdict='not ok' why="did not end within $limit s"
		echo w >/proc/sysrq-trigger
		;;
	*) verdict='not ok' why="failed" ;;
	esac
	if text=$(stuck); then
		verdict='not ok' why="${why:+$why, }stuck tasks"
		complain "$text"
	fi
	# Of a scenario that provokes it, nothing else can be said.
	if [ -z "$(header provokes "$2")" ] && text=$(suspicious "$mark"); then
		verdict='not ok' why="${why:+$why, }the kernel complained"
		complain "$(head -n 20 <<<"$text")"
	fi
	if tools_news "${tools[@]}"; then
		verdict='not ok' why="${why:+$why, }a tool complained"
		complain "$REPLY"
	fi
	text=$(left_over)
	if [ -n "$text" ]; then
		verdict='not ok' why="${why:+$why, }left something behind"
		complain "$text"
	fi
	printf '%s %d %s # %s%d.%d s\n' "$verdict" "$1" "$2" "${why:+$why, }" \
		$((took / 1000)) $((took % 1000 / 100))
	[ "$verdict" = ok ]
}

# leaks: memory that nobody points to any more; nothing if there is none.
leaks() {
	local file=/sys/kernel/debug/kmemleak

	# The first scan only marks what is young.
	sleep 5
	echo scan >$file
	sleep 6
	echo scan >$file
	head -n 60 $file
} 2>&1

# tool NUMBER NAME: what a debug kernel's tool has to say in the end, and whether it
# could have said anything.
tool() {
	local text

	text=$(
		[ "$2" != kmemleak ] || leaks
		tools_complaints "$2"
	)
	if [ -z "$text" ]; then
		echo "ok $1 $2"
	else
		complain "$text"
		echo "not ok $1 $2"
		return 1
	fi
}

# boot NUMBER: what the kernel complained about before any scenario.
boot() {
	local text

	text=$(dmesg | grep -E "$SUSPICIOUS" | grep -vE "$HARMLESS")
	! tools_news "${tools[@]}" || text+=$'\n'$REPLY
	if [ -z "$text" ]; then
		echo "ok $1 boot"
	else
		complain "$text"
		echo "not ok $1 boot"
		return 1
	fi
}

if [ $# = 0 ]; then
	for scenario in *.sh; do
		grep -q '^# provokes' "$scenario" && continue
		grep -q '^plan\|classify' "$scenario" && set -- "$@" "${scenario%.sh}"
	done
fi
# Only a kernel with tools is ours from its boot on.
mapfile -t tools < <(tools)
for scenario; do
	# It has the boot for itself.
	[ -z "$(header provokes "${scenario%@*}")" ] || tools=()
done
extra=0
[ ${#tools[@]} = 0 ] || extra=$((${#tools[@]} + 1))
failed=0
number=0
export TOE_SEED
first=${TOE_SEED:-$((RANDOM + 1))}
read -r up _ </proc/uptime
echo "# boot: ${up/.}0"
echo "KTAP version 1"
echo "1..$(($# + extra))"
[ $extra = 0 ] || boot $((++number)) || failed=1
for scenario; do
	TOE_SEED=$first
	[ "$scenario" = "${scenario%@*}" ] || TOE_SEED=${scenario#*@}
	scenario=${scenario%@*}
	echo "# $scenario seed $TOE_SEED"
	run $((++number)) "$scenario" || failed=1
done
for name in "${tools[@]}"; do
	tool $((++number)) "$name" || failed=1
done
exit $failed
