# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # SEED is check's
#
# check: what the results say, why something failed and how to repeat it.

# What is never tried again: it may happen once in many runs, and is wrong each time.
FINAL='the kernel complained|a tool complained|byte [0-9]+ wrong|bytes too many|closed after|showed other bytes|left something behind|stuck tasks'

# block LOG SCENARIO SEED: what this scenario said, up to its verdict.
block() {
	awk -v begin="# $2 seed $3" -v name="$2" '
		$0 == begin { on = 1; text = "" }
		on { text = text $0 "\n" }
		on && /^(not )?ok / && ($1 == "ok" ? $3 : $4) == name { on = 0 }
		END { printf "%s", text }' "$1"
}

# first_results KERNEL, second_results KERNEL: of all boots, with the boot's number.
first_results() {
	local file
	for file in "$OUT/$1"/results-*; do
		[[ $file = *again || ! -e $file ]] || sed "s/^/${file##*-} /" "$file"
	done
}

second_results() {
	local file
	for file in "$OUT/$1"/results-*again; do
		[ ! -e "$file" ] || sed "s/^/${file##*-} /" "$file"
	done
}

# emulators_fault CONSOLE: did the guest die of an int3 that wasn't there any more? While
# the kernel patches a branch (a packet filter comes or goes) the instruction is an int3; a
# processor of TCG may still run its translation when the patch is complete and nobody
# expects it. The oops shows the final instruction at that place.
emulators_fault() {
	grep -q 'Oops: int3' "$1" 2>/dev/null
}

# retryable KERNEL: what failed and may be tried again, as SCENARIO@SEED.
retryable() {
	local number verdict name seed

	first_results "$1" | while read -r number verdict name _ _ _ _ _ seed; do
		case $verdict in
		unrun) echo "$name@$seed" ;;
		dead) ! emulators_fault "$OUT/$1/boot-$number/console" || echo "$name@$seed" ;;
		fail)
			# The checkers have no seed: what they say is about the whole boot.
			[ "$seed" != - ] || continue
			block "$OUT/$1/log-$number" "$name" "$seed" | grep -qE "$FINAL" ||
				echo "$name@$seed"
			;;
		esac
	done
}

# verdicts KERNEL: «VERDICT SCENARIO PASSED FAILED SKIPPED NUMBER SEED», each once; the
# second try counts, and is called flaky where it passed.
verdicts() {
	{ first_results "$1" | sed 's/^/1 /'; second_results "$1" | sed 's/^/2 /'; } | awk '
	$3 == "boot" { next }
	{ key = $4 " " $10 }
	$10 == "-" { key = key NR }
	!(key in verdict) { order[++n] = key }
	$1 == 2 && $3 == "ok" && verdict[key] != "unrun" { $3 = "flaky" }
	{ verdict[key] = $3; line[key] = $3 " " $4 " " $5 " " $6 " " $7 " " $2 " " $10 }
	END { for (i = 1; i <= n; i++) print line[order[i]] }'
}

# excerpt: of a scenario's block, the failed assertions with what stands around them.
excerpt() {
	awk '
	{ line[NR] = $0 }
	/^ *not ok / { for (i = NR - 4; i <= NR + 12; i++) show[i] = 1 }
	END {
		for (i = 1; i <= NR; i++)
			if (i in show) print "    " line[i]
	}' | cut -c1-220 | head -n 60
}

# earlier UNIT SCENARIO: what ran in its boot up to it, with their seeds.
earlier() {
	local scenario
	read -r _ _ unit <"$1"
	for scenario in $unit; do
		[[ $scenario = *@* ]] && echo "$scenario" || echo "$scenario@$SEED"
		[ "${scenario%@*}" != "$2" ] || break
	done | paste -sd' '
}

# explain KERNEL VERDICT SCENARIO NUMBER SEED
explain() {
	local kernel=$1 verdict=$2 name=$3 number=$4 seed=$5 dir=$OUT/$1 runs
	runs=$(kernel_of "$kernel")

	echo
	case $verdict in
	flaky) echo "== flaky: $name on kernel $runs passed at its second try; the first:" ;;
	dead) echo "== failed: the boot ended while $name ran on kernel $runs" ;;
	unrun) echo "== failed: the boot ended before $name ran on kernel $runs" ;;
	*) echo "== failed: $name on kernel $runs" ;;
	esac
	[ "$verdict" != flaky ] || number=$(first_results "$kernel" |
		awk -v name="$name" -v seed="$seed" '$3 == name && $9 == seed { print $1; exit }')
	if [ "$seed" = - ]; then
		grep -B 60 -A 1 "^not ok [0-9]* $name" "$dir/log-$number" | cut -c1-220 | sed 's/^/    /'
		echo "  repeat: make check KERNEL=$runs TESTS=\"$(earlier "$dir/unit-$number" '')\" JOBS=1"
		return
	fi
	[ ! -e "$dir/log-$number" ] || block "$dir/log-$number" "$name" "$seed" | excerpt
	[ "$verdict" != dead ] || tail -n 25 "$dir/boot-$number/console" 2>/dev/null | sed 's/^/    /'
	echo "  log: ${dir#"$REPO/"}/log-$number, kernel's: dmesg-$number"
	echo "  repeat: make check KERNEL=$runs TESTS=$name@$seed"
	echo "  behind what ran before it: make check KERNEL=$runs JOBS=1 TESTS=\"$(earlier "$dir/unit-$number" "$name")\""
}

# print_times: seconds of each scenario, waiting and busy, the mean over kernels; «debug»
# is that of the debug kernel. selftests/times is made of it.
print_times() {
	local kernel

	echo
	echo "# scenario wall debug busy waiting runs"
	for kernel in "${KERNELS[@]}"; do
		first_results "$kernel" | sed "s/^/$kernel /"
	done | awk '
	$3 == "boot" { $4 = "boot"; $10 = "" }
	$10 == "-" { next }
	{ name = $4; seen[name] = 1 }
	$1 ~ /debug|core/ { debug[name] += $8; debugs[name]++; next }
	{ wall[name] += $8; busy[name] += $9; runs[name]++ }
	END {
		for (name in seen) {
			n = runs[name] ? runs[name] : 1
			printf "%s %.0f %s %.1f %.1f %d\n", name, wall[name] / n / 1000,
				debugs[name] ? sprintf("%.0f", debug[name] / debugs[name] / 1000) : "-",
				busy[name] / n / 1000, (wall[name] - busy[name]) / n / 1000, runs[name]
			total += busy[name]; all += wall[name]
		}
		printf "all %.0f - %.1f %.1f 1\n", all / 1000, total / 1000, (all - total) / 1000
	}' | sort -k2,2nr | column -t
}

# report SECONDS: the last line counts; the status says whether all is well.
report() {
	local kernel passed=0 failed=0 skipped=0 flaky=0 p f s verdict name number seed a b c

	for kernel in "${KERNELS[@]}"; do
		while read -r verdict name _ _ _ number seed; do
			[ "$verdict" = ok ] || explain "$kernel" "$verdict" "$name" "$number" "$seed"
		done < <(verdicts "$kernel")
	done
	echo
	for kernel in "${KERNELS[@]}"; do
		p=0 f=0 s=0
		while read -r verdict name a b c number seed; do
			p=$((p + a)) f=$((f + b)) s=$((s + c))
			[ "$verdict" != flaky ] || flaky=$((flaky + 1))
			case $verdict in
			ok) ;;
			flaky) echo "    flaky: $name@$seed" ;;
			*) echo "    failed: $name@$seed" ;;
			esac
		done < <(verdicts "$kernel")
		[ $((p + f)) -gt 0 ] || f=1
		echo "kernel $kernel: $p passed, $f failed, $s skipped"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	done
	echo "$flaky flaky; $(($1 / 60)) min $(($1 % 60)) s with SEED=$SEED JOBS=$JOBS"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}
