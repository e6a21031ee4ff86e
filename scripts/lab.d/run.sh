# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# `lab run` and `lab shell`: reads the options, fills the directory that the
# guests see as /run/lab, and has run-guests do the rest inside the tree.
# shellcheck disable=SC2034 # write_plan hands the variables on by name

run_usage() {
	cat >&2 <<'USAGE'
usage: lab run [OPTION]... -- COMMAND...
       lab shell [OPTION]...

  --kernel 6.1|6.12|7.2|debug   the kernel of the guest with the card (6.12)
  --packages A,B     Debian packages that both guests get beside the usual ones
  --peer guest|netns the peer: a second guest, or a network namespace here
  --peer-script F    shell script that the peer runs; COMMAND starts when it
                     calls peer_ready, or else as soon as it was started
  --share DIR        DIR appears in both guests as /share/<its name>
  --no-card          a virtio NIC in the card's place
  --nic virtio       a second NIC beside it, virtio0, with a wire of its own
  --no-offload       the card as a plain NIC
  --wire OPTS        what the wire does to frames, e.g. loss=1%,delay=20ms
  --pcap FILE        capture the wire
  --card "ARGS"      further arguments for the card, e.g. --contexts 8
  --icount           its time is its instructions (1 ns each) but while it sleeps:
                     hardly depends on this machine's load; wants --smp 1
  --smp N, --mem M   of the guest with the card (2, 1G; debug: 2G)
  --timeout S        end after S seconds, whatever is going on, boot included
                     (600; debug: 1800)
  --dmesg FILE       where the kernel's log of that guest goes
  --qemu "ARGS"      further arguments for its QEMU
  --append "ARGS"    further words for its kernel's command line
USAGE
	exit "$LAB_FAILED"
}

absolute() {
	readlink -f "$1" || die "no such file or directory: $1"
}

parse_run() {
	KERNEL=6.12 PACKAGES='' PEER=guest PEER_SCRIPT='' SHARES=() CARD=1 OFFLOAD=1
	WIRE='' CARD_ARGS='' PCAP='' NIC='' ICOUNT=0 SMP=2 MEM='' TIMEOUT='' DMESG='' QEMU_ARGS='' APPEND=''

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		case $1 in
		--no-card) CARD=0; OFFLOAD=0; shift; continue ;;
		--no-offload) OFFLOAD=0; shift; continue ;;
		--icount) ICOUNT=1; shift; continue ;;
		-h | --help) run_usage ;;
		esac
		[ $# -ge 2 ] || run_usage
		case $1 in
		--kernel) KERNEL=$2 ;;
		--packages) PACKAGES=$2 ;;
		--peer) PEER=$2 ;;
		--peer-script) PEER_SCRIPT=$2 ;;
		--share) SHARES+=("$(absolute "$2")") || exit ;;
		--wire) WIRE=$2 ;;
		--card) CARD_ARGS=$2 ;;
		--pcap) PCAP=$(readlink -m "$2") ;;
		--nic) NIC=$2 ;;
		--smp) SMP=$2 ;;
		--mem) MEM=$2 ;;
		--timeout) TIMEOUT=$2 ;;
		--dmesg) DMESG=$(readlink -m "$2") ;;
		--qemu) QEMU_ARGS=$2 ;;
		--append) APPEND=$2 ;;
		*) run_usage ;;
		esac
		shift 2
	done
	[ "${1-}" != -- ] || shift
	COMMAND=("$@")
	case $PEER in guest | netns) ;; *) run_usage ;; esac
	case $NIC in '' | virtio) ;; *) run_usage ;; esac
	[ "$ICOUNT" = 0 ] || [ "$SMP" = 1 ] || run_usage
	# The debug kernel needs memory for its shadows and is many times slower.
	if [ "$KERNEL" = debug ]; then
		: "${MEM:=2G}" "${TIMEOUT:=1800}"
	else
		: "${MEM:=1G}" "${TIMEOUT:=600}"
	fi
	# Three seconds on an idle machine, a minute on a very busy one.
	BOOT_LIMIT=${TOE_BOOT_LIMIT:-300}
	[ "$KERNEL" != debug ] && [ "$ICOUNT" = 0 ] || BOOT_LIMIT=$((BOOT_LIMIT * 3))
}

# What both guests read. Addresses are from no network that a host routes.
write_conf() {
	cat <<CONF
TOE_IP=10.77.0.1
PEER_IP=10.77.0.2
TOE_IP6=fd77::1
PEER_IP6=fd77::2
MGMT_TOE=10.78.0.1
MGMT_PEER=10.78.0.2
MGMT_MAC_PREFIX=52:54:00:4d:47
WIRE_MAC_TOE=52:54:00:77:00:01
WIRE_MAC_PEER=52:54:00:77:00:02
CARD=$CARD
OFFLOAD=$OFFLOAD
INTERACTIVE=$1
MODULES="toe.ko toenic.ko"
CONF
	[ -z "$NIC" ] || cat <<CONF
NIC_IF=virtio0
NIC_IP=10.79.0.1
NIC_PEER_IP=10.79.0.2
NIC_MAC_TOE=52:54:00:79:00:01
NIC_MAC_PEER=52:54:00:79:00:02
CONF
}

# What run-guests reads besides.
write_plan() {
	local name
	for name in KERNEL PEER WIRE CARD_ARGS NIC ICOUNT SMP MEM TIMEOUT BOOT_LIMIT QEMU_ARGS APPEND GUEST BOOT \
		PEER_BOOT ACCEL REPO; do
		printf '%s=%q\n' "$name" "${!name}"
	done
	[ -z "$PCAP" ] || echo "PCAP=$RUN/wire.pcap"
}

stage_card() {
	local built=$REPO/build/$KERNEL module

	[ -d "$built" ] || die "build/$KERNEL is missing: run make (or scripts/lab build)"
	build_lock "$built" --shared
	for module in kmod/toe.ko netdev/toenic.ko; do
		[ -e "$built/$module" ] ||
			die "build/$KERNEL/$module is missing: run make (or scripts/lab build)"
		cp "$built/$module" "$RUN/ctl/toe/modules/"
	done
	# The debug kernel's only.
	cp "$built"/provoke/*.ko "$RUN/ctl/toe/modules/" 2>/dev/null
	exec {BUILD_LOCK}>&-
	[ -x "$REPO/build/toe/toe" ] ||
		die "build/toe/toe is missing: run make (or scripts/lab build)"
	cp "$REPO/build/toe/toe" "$RUN/ctl/toe/"
	[ -x "$REPO/build/card/toecard" ] ||
		die "build/card/toecard is missing: run make (or scripts/lab build)"
}

stage_run() {
	local share

	RUN=$(mktemp -d /tmp/toe-lab.XXXXXX) || die "cannot make a directory in /tmp"
	trap 'rm -rf "$RUN"' EXIT
	mkdir -p "$RUN"/ctl/{toe/modules,peer,share}
	[ "$CARD" = 0 ] || stage_card
	# cat, since it may well be a pipe.
	[ -z "$PEER_SCRIPT" ] || cat "$PEER_SCRIPT" >"$RUN/ctl/peer-script" ||
		die "cannot read the peer script"
	[ ${#COMMAND[@]} = 0 ] || printf '%s\0' "${COMMAND[@]}" >"$RUN/ctl/toe/argv"
	: >"$RUN/shares"
	for share in "${SHARES[@]}"; do
		[ -d "$share" ] || die "--share $share: not a directory"
		mkdir "$RUN/ctl/share/${share##*/}" ||
			die "two shared folders are called ${share##*/}"
		printf '%s\n' "$share" >>"$RUN/shares"
	done
	list_programs >"$RUN/ctl/programs"
}

# list_programs: the ELF files of shared folders as SHARE/PATH, for the guests'
# copy_programs. The first 64 MiB of them: programs that are run, not a collection.
list_programs() {
	local share file magic size sum=0

	for share in "${SHARES[@]}"; do
		while IFS= read -r -d '' file; do
			LC_ALL=C IFS= read -r -N 4 magic <"$file" 2>/dev/null
			[ "$magic" = $'\x7fELF' ] || continue
			size=$(stat -c %s "$file")
			sum=$((sum + size))
			[ $sum -le $((64 << 20)) ] || return
			echo "${share##*/}${file#"$share"}"
		done < <(find "$share" -xdev -type f -perm /111 ! -name '*
*' -print0 2>/dev/null)
	done
}

# Keeps what may explain a failure and says where it is.
keep_run() {
	local out=${TOE_LAB_OUT:-} status=$1 file

	[ -z "$PCAP" ] || cp "$RUN/wire.pcap" "$PCAP" 2>/dev/null
	[ -z "$DMESG" ] || cp "$RUN/dmesg" "$DMESG" 2>/dev/null
	if [ -z "$out" ] && [ "$status" != 0 ]; then
		out=$(mktemp -d /tmp/toe-lab-failed.XXXXXX)
	fi
	if [ -n "$out" ]; then
		mkdir -p "$out"
		for file in "$RUN"/{dmesg,console,peer-console,peer-dmesg,card.log,qemu.log,peer-script.log}; do
			[ ! -s "$file" ] || cp "$file" "$out/"
		done
		[ "$status" = 0 ] || say "status $status; dmesg, console and logs are in $out"
	fi
}

# boot_guests BINDS...: once more, and once again, if a guest hung before anything began.
boot_guests() {
	local tries status

	for ((tries = 1; ; tries++)); do
		tree_run "$@" -- "$LABD/run-guests" "$RUN"
		status=$?
		[ -e "$RUN/stuck" ] && [ $tries -lt 3 ] || return $status
		say "the guests are booted again"
		find "$RUN" -maxdepth 1 ! -type d ! -name plan ! -name shares -delete
		rm -f "$RUN"/ctl/{toe,peer}/booted "$RUN"/ctl/peer/{ready,script.log}
	done
}

cmd_run() {
	local interactive=$1 status share binds=()
	shift

	parse_run "$@"
	[ "$interactive" = 1 ] || [ ${#COMMAND[@]} -gt 0 ] || run_usage
	lab_tree
	lab_guest "$PACKAGES"
	lab_boot 6.12
	PEER_BOOT=$BOOT
	[ "$KERNEL" = 6.12 ] || lab_boot "$KERNEL"
	if [ "$ICOUNT" = 1 ]; then ACCEL=tcg; else lab_accel; fi
	stage_run
	write_conf "$interactive" >"$RUN/ctl/conf"
	write_plan >"$RUN/plan"
	for share in "${SHARES[@]}"; do
		binds+=(--bind "$share")
	done
	[ "$PEER" != netns ] || binds+=(--net)
	boot_guests "${binds[@]}"
	status=$?
	keep_run "$status"
	return "$status"
}

# lab_accel: sets ACCEL. A /dev/kvm may be there and yet run no stock kernel,
# so KVM is used only where it has booted the peer's kernel once.
lab_accel() {
	local verdict

	ACCEL=tcg
	[ -w /dev/kvm ] || return 0
	verdict=$CACHE/kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$verdict" ]; then
		if tree_run -- "$LABD/probe-kvm" "$PEER_BOOT"; then
			echo kvm >"$verdict"
		else
			echo tcg >"$verdict"
		fi
	fi
	ACCEL=${TOE_ACCEL:-$(cat "$verdict")}
}
