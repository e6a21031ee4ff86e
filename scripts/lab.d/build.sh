# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# `lab build` and `lab clean`.
# shellcheck disable=SC2034 # TREE and DEBUG_KERNEL are for the other parts

build_usage() {
	cat >&2 <<'USAGE'
usage: lab build [--kernel K]... [--check] [--modules]

  --kernel K    only for this kernel (all of them; debug if it was made before)
  --check       with sparse; its complaints are errors
  --modules     leave out the card and the tests
USAGE
	exit "$LAB_FAILED"
}

cmd_build() {
	local kernels='' check=0 rest=1 kernel

	while [ $# -gt 0 ]; do
		case $1 in
		--kernel) kernels+=" ${2-}"; shift ;;
		--check) check=1 ;;
		--modules) rest=0 ;;
		*) build_usage ;;
		esac
		shift
	done
	lab_tree
	if [ -z "$kernels" ]; then
		# shellcheck disable=SC2153 # from tree.sh
		kernels=$KERNELS
		! have_debug_kernel || kernels+=" debug"
	fi
	for kernel in $kernels; do
		build_modules "$kernel" "$check" || return
	done
	[ "$rest" = 0 ] || build_rest
}

# build_modules KERNEL CHECK: kbuild leaves its products beside the sources, so
# each kernel gets a copy of them.
build_modules() {
	local kernel=$1 dir=$REPO/build/$1 headers

	[ -e "$REPO/Kbuild" ] || return 0
	if [ "$kernel" = debug ]; then
		lab_debug_kernel
		headers=$DEBUG_KERNEL/headers
	else
		headers=/usr/src/linux-headers-$(release_of "$kernel") || exit
	fi
	mkdir -p "$dir"
	build_lock "$dir"
	tree_run -- "$LABD/make-modules" "$REPO" "$dir" "$headers" "$2"
}

# build_lock DIR [--shared]: builders exclude each other and those who copy a
# product for their guest, until this lab ends or locks another directory.
build_lock() {
	exec {BUILD_LOCK}<"$1"
	flock ${2:+"$2"} "$BUILD_LOCK"
}

# build_rest: what has a makefile of its own.
build_rest() {
	local dir

	for dir in card selftests scripts/toe; do
		[ -e "$REPO/$dir/Makefile" ] || continue
		tree_run -- make -s -j"$(nproc)" -C "$REPO/$dir" || return
	done
}

# cmd_clean [--all]: what no lab of this checkout would use again; with --all
# the whole cache.
cmd_clean() {
	local path keep

	[ -d "$CACHE" ] || return 0
	keep=$(key_paths)
	for path in "$CACHE"/* "$CACHE"/.[a-z]*; do
		[ -e "$path" ] || continue
		if [ "${1-}" != --all ] && grep -qxF "$path" <<<"$keep"; then
			continue
		fi
		rm -rf "$path"
	done
}

# key_paths: what this checkout's lab uses now.
key_paths() {
	local kernel

	echo "$CACHE/tree-$(tree_key)"
	echo "$CACHE/guest-$(guest_key "$(package_list "$LABD/packages.guest")")"
	TREE=$CACHE/tree-$(tree_key)/root
	DEBUG_KERNEL=$CACHE/debug-$(debug_key)
	echo "$DEBUG_KERNEL"
	for kernel in $KERNELS debug; do
		echo "$CACHE/boot-$kernel-$(boot_key "$kernel" 2>/dev/null)"
	done
}
