# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # SEED is check's
#
# check: boots. Each leaves in build/check/KERNEL/ log-N (KTAP), dmesg-N, stderr-N and
# results-N: a line «VERDICT SCENARIO PASSED FAILED SKIPPED MS BUSY_MS SEED» per scenario.
# Those of the second tries are called «Nagain», as AGAIN says.

NUMBER=0

packages() {
	local scenario
	for scenario in "$@"; do
		header packages "$scenario"
	done | tr ' ' ',' | sort -u | paste -sd,
}

# limit SLOW SCENARIO…: seconds that the boot may take at the most, on a machine that
# is as busy as it gets.
limit() {
	local slow=$1 sum=300 t
	shift
	for scenario; do
		t=$(header timeout "$scenario")
		sum=$((sum + (${t:-60} + 15) * slow * 4))
	done
	echo $sum
}

# boot DIR KERNEL GROUP NUMBER SCENARIO…: its output goes to stdout.
boot() {
	local dir=$1 kernel=$2 wire card peer slow=1 options=() need
	IFS=';' read -r wire card peer _ <<<"${3//_/ }"
	local number=$4
	shift 4

	[ "$kernel" != debug ] || slow=4
	options=(--kernel "$kernel" --share "$SUITE" --dmesg "$dir/dmesg-$number"
		--timeout "$(limit $slow "$@")")
	[ -z "$wire" ] || options+=(--wire "$wire")
	[ -z "$card" ] || options+=(--card "$card")
	[ -z "$peer" ] || options+=(--peer "$peer")
	need=$(packages "$@")
	[ -z "$need" ] || options+=(--packages "$need")
	[ -z "$NO_TOE" ] || options+=(--no-card)
	TOE_LAB_OUT=$dir/boot-$number exec setpriv --pdeathsig TERM "$LAB" run "${options[@]}" -- \
		env TOE_SLOW=$slow NO_TOE="$NO_TOE" TOE_SEED="$SEED" \
		/share/selftests/run_all.sh "$@"
}

# busy_ms PID: what it and all that it started have used of the processors.
busy_ms() {
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$1" -v hz="$(getconf CLK_TCK)" '
	{
		pid = $1
		sub(/.*\) /, "")
		parent[pid] = $2
		used[pid] = $12 + $13 + $14 + $15
	}
	END {
		for (pid in used) {
			for (up = pid; up > 1 && up != root; up = parent[up])
				;
			if (up == root)
				sum += used[pid]
		}
		print int(sum * 1000 / hz)
	}'
}

# follow PID WHAT DIR NUMBER: passes a boot's KTAP on, and keeps what each scenario did.
follow() {
	local pid=$1 what=$2 dir=$3 number=$4 line name='' verdict seed='' p=0 f=0 s=0
	local busy=0 before=0 ms

	while IFS= read -r line; do
		echo "$line" >>"$dir/log-$number"
		echo "${what:+[$what] }$line"
		case $line in
		'  ok '*'# SKIP'* | '  1..0'*) s=$((s + 1)) ;;
		'  ok '*) p=$((p + 1)) ;;
		'  not ok '*) f=$((f + 1)) ;;
		'# boot: '*)
			busy=$(busy_ms "$pid")
			echo "boot - 0 0 0 ${line##* } $busy -" >>"$dir/results-$number"
			before=$busy
			;;
		'# '*' seed '*)
			read -r _ name _ seed <<<"$line"
			p=0 f=0 s=0
			;;
		'ok '* | 'not ok '*)
			[[ $line =~ ^(not )?ok\ [0-9]+\ ([^ ]+)(.*\ ([0-9]+)\.([0-9])\ s)?$ ]] || continue
			verdict=ok name=${BASH_REMATCH[2]} ms=${BASH_REMATCH[4]-}${BASH_REMATCH[5]-}
			[ -z "${BASH_REMATCH[1]}" ] || verdict=fail
			# Who fails as a whole, and the checkers, whose line is their result.
			[ $verdict = ok ] || [ $f -gt 0 ] || f=1
			[ -n "$ms" ] || [ $verdict = fail ] || p=1
			busy=$(busy_ms "$pid")
			echo "$verdict $name $p $f $s ${ms:-0}00 $((busy - before)) ${seed:--}" \
				>>"$dir/results-$number"
			before=$busy p=0 f=0 s=0 seed=''
			;;
		esac
	done
}

# unended DIR NUMBER SCENARIO…: what a boot that died has left without a verdict: one
# that was running has failed, those behind it have not been run.
unended() {
	local dir=$1 number=$2 scenario seed verdict
	shift 2

	for scenario; do
		! grep -q "^[a-z]* ${scenario%@*} " "$dir/results-$number" || continue
		seed=$SEED verdict=unrun
		[ "$scenario" = "${scenario%@*}" ] || seed=${scenario#*@}
		! grep -q "^# ${scenario%@*} seed " "$dir/log-$number" 2>/dev/null || verdict=dead
		echo "$verdict ${scenario%@*} 0 1 0 0 0 $seed"
	done
}

# run_unit NUMBER SECONDS KERNEL GROUP SCENARIO…
run_unit() {
	local number=$1 kernel=$3 group=$4 dir=$OUT/$3 what=''
	shift 4

	number=$(printf '%02d%s' "$number" "$AGAIN")
	[ "$JOBS" = 1 ] || what="$kernel/$number"
	echo "$kernel $group $*" >"$dir/unit-$number"
	echo "# ${what:+[$what] }kernel $kernel, wire «${group//_/ }»: $*"
	: >"$dir/results-$number"
	exec {out}< <(boot "$dir" "$(kernel_of "$kernel")" "$group" "$number" "$@" \
		2>"$dir/stderr-$number" </dev/null)
	follow $! "$what" "$dir" "$number" <&"$out"
	unended "$dir" "$number" "$@" >>"$dir/results-$number"
	sed "s|^|# ${what:+[$what] }|" "$dir/stderr-$number"
}

# run_units: as many at once as may, the longest first; what comes meanwhile, too.
run_units() {
	local running=0 unit

	while [ ${#UNITS[@]} -gt 0 ] || [ -n "$CORE_BUILD" ] || [ $running -gt 0 ]; do
		! core_ready || continue
		while [ ${#UNITS[@]} -gt 0 ] && [ $running -lt "$JOBS" ]; do
			unit=${UNITS[0]}
			UNITS=("${UNITS[@]:1}")
			NUMBER=$((NUMBER + 1))
			# shellcheck disable=SC2086 # words
			run_unit $NUMBER $unit &
			BOOTS[$!]=1
			running=$((running + 1))
		done
		reap_boots
	done
}

# reap_boots: waits until one ended, or a while if there is none.
declare -A BOOTS
reap_boots() {
	local pid

	sleep 0.3
	for pid in "${!BOOTS[@]}"; do
		if ! kill -0 "$pid" 2>/dev/null; then
			wait "$pid"
			unset "BOOTS[$pid]"
			running=$((running - 1))
		fi
	done
}
