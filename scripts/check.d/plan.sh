# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # AGAIN is for the others
#
# check: what runs in which boot. A unit is one boot: «SECONDS KERNEL GROUP SCENARIO…»,
# with the group as «WIRE;ARGUMENTS OF THE CARD», blanks in it as «_».

UNITS=()		# those to be run
CORE_BUILD=''		# the process that makes the debug kernel

# What one boot shall take at the most, and one boot of two guests alone, in seconds of
# an idle machine.
BOOT_MOST=300 BOOT_ALONE=9

default_jobs() {
	local by_cpu by_memory

	by_cpu=$((($(nproc) * 3 + 1) / 2))
	by_memory=$(awk '/^MemAvailable:/ { print int($2 / 2600000) }' /proc/meminfo)
	[ "$by_memory" -ge 1 ] || by_memory=1
	echo $((by_cpu < by_memory ? by_cpu : by_memory))
}

list_of() {
	make -s -C "$REPO/selftests" "$1"
}

wants() {
	[[ " ${KERNELS[*]} " = *" $1 "* ]]
}

# kernel_of KERNEL: which one runs; «core» is a choice of scenarios.
kernel_of() {
	[ "$1" = core ] && echo debug || echo "$1"
}

# script SCENARIO: its file. diff_NAME is one of those that differential.sh runs.
script() {
	local name=${1%@*}
	case $name in
	diff_*) echo "$REPO/selftests/differential.sh" ;;
	*) echo "$REPO/selftests/$name.sh" ;;
	esac
}

# header NAME SCENARIO: «# NAME: VALUE» among its first comments; all of them are read at
# once.
declare -A HEADERS TIME TIME_DEBUG
read_headers() {
	local file name value debug

	while IFS=$'\t' read -r file name value; do
		file=${file##*/}
		HEADERS[${file%.sh} $name]=$value
	done < <(awk -v OFS='\t' 'FNR > 12 { nextfile }
		/^# (wire|card|peer|provokes|timeout|packages): / {
			name = $2
			sub(/:$/, "", name)
			sub(/^# [a-z]*: */, "")
			print FILENAME, name, $0
		}' "$REPO"/selftests/*.sh)
	while read -r name value debug; do
		TIME[$name]=$value TIME_DEBUG[$name]=$debug
	done <"$REPO/selftests/times"
}

header() {
	local name=${2%@*}

	[[ $name != diff_* ]] || name=differential
	echo "${HEADERS[$name $1]-}"
}

# group SCENARIO: sets GROUP to what it wants of the wire, the card and the peer. A
# namespace as the peer costs half as much as a guest; who needs a kernel that is known, or
# one with all of its modules, asks for a guest. Whoever provokes complaints of the kernel
# is alone.
group() {
	local name=${1%@*} peer own=''

	[[ $name != diff_* ]] || name=differential
	peer=${PEER:-${HEADERS[$name peer]-netns}}
	[ -w /dev/net/tun ] || peer=guest
	[ -z "${HEADERS[$name provokes]-}" ] || own=";$name"
	GROUP="${HEADERS[$name wire]-};${HEADERS[$name card]-};$peer$own"
	GROUP=${GROUP// /_}
}

# expected KERNEL SCENARIO: sets EXPECTED to seconds; what nobody measured takes a quarter
# of its limit.
expected() {
	local name=${2%@*} limit

	EXPECTED=${TIME[$name]-}
	if [[ $1 = debug || $1 = core ]] && [[ ${TIME_DEBUG[$name]--} != - ]]; then
		EXPECTED=${TIME_DEBUG[$name]}
	fi
	if [ -z "$EXPECTED" ]; then
		limit=${HEADERS[$name timeout]-60}
		EXPECTED=$((limit / 4))
	fi
}

# pack KERNEL SCENARIO…: adds units. Within a group the longest first, each to the boot
# that has least; with one job, one boot and the given order.
pack() {
	local kernel=$1 scenario
	shift

	while IFS= read -r scenario; do
		UNITS+=("$scenario")
	done < <(for scenario; do
		group "$scenario"
		expected "$kernel" "$scenario"
		echo "$GROUP $EXPECTED $scenario"
	done | { if [ "$JOBS" = 1 ]; then cat; else LC_ALL=C sort -k1,1 -k2,2nr; fi; } |
		awk -v kernel="$kernel" -v most=$BOOT_MOST -v alone=$BOOT_ALONE -v jobs="$JOBS" '
		!($1 in sum) { groups[++n] = $1 }
		{ sum[$1] += $2; time[$1, ++count[$1]] = $2; name[$1, count[$1]] = $3 }
		function emit(group, boots,  i, b, least, load, list) {
			for (i = 1; i <= count[group]; i++) {
				least = 1
				for (b = 2; b <= boots; b++)
					if (load[b] < load[least]) least = b
				load[least] += time[group, i]
				list[least] = list[least] " " name[group, i]
			}
			for (b = 1; b <= boots; b++)
				if (list[b] != "")
					print int(load[b] + alone), kernel, group list[b]
		}
		END {
			for (i = 1; i <= n; i++)
				emit(groups[i], jobs == 1 ? 1 : int(sum[groups[i]] / most) + 1)
		}')
}

sort_units() {
	[ "$JOBS" != 1 ] || return 0
	[ ${#UNITS[@]} = 0 ] || mapfile -t UNITS < <(printf '%s\n' "${UNITS[@]}" | sort -k1,1nr)
}

# plan_all: units of every kernel; those of the debug kernel once it's there.
plan_all() {
	local kernel

	for kernel in "${KERNELS[@]}"; do
		# shellcheck disable=SC2086 # words
		[ "$kernel" = core ] || pack "$kernel" $TESTS
	done
	[ -z "${FRESH:-}" ] || plan_fresh
	sort_units
}

# plan_fresh: scenarios that draw lots, once more with a seed that nobody has chosen, on
# one of the kernels.
plan_fresh() {
	local scenario fresh=() kernel=${KERNELS[RANDOM % ${#KERNELS[@]}]}

	[ "$kernel" != core ] || kernel=${KERNELS[0]}
	for scenario in $(list_of list-seeded); do
		[[ " $TESTS " != *" $scenario "* ]] || fresh+=("$scenario@$((RANDOM + 1))")
	done
	[ ${#fresh[@]} = 0 ] || pack "$kernel" "${fresh[@]}"
}

# core_begin: makes the debug kernel while the others are tested, if it isn't there.
core_begin() {
	{
		"$LAB" setup --debug && "$LAB" build --kernel debug --modules
	} >"$OUT/core/setup" 2>&1 &
	CORE_BUILD=$!
}

# core_ready: once the debug kernel is there its units are, too.
core_ready() {
	[ -n "$CORE_BUILD" ] && ! kill -0 "$CORE_BUILD" 2>/dev/null || return 1
	if wait "$CORE_BUILD"; then
		# shellcheck disable=SC2046 # words
		pack core $(list_of list-debug)
		sort_units
	else
		echo "# the debug kernel could not be made:"
		sed 's/^/# /' "$OUT/core/setup"
	fi
	CORE_BUILD=''
}

# plan_again: what failed and may have failed for slowness alone, once more. A complaint
# of the kernel and a wrong byte are final.
plan_again() {
	local kernel again

	for kernel in "${KERNELS[@]}"; do
		mapfile -t again < <(retryable "$kernel")
		[ ${#again[@]} = 0 ] || pack "$kernel" "${again[@]}"
	done
	AGAIN=again
	sort_units
}
