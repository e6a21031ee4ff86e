# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# The debug kernel: Debian's 6.12 source with the checkers that Debian's own
# kernels leave out (KASAN, lockdep, kmemleak, DMA-API debugging …).
# shellcheck disable=SC2034 # DEBUG_KERNEL is for the other parts

debug_key() {
	key "$(files_key "$LABD/debug.config" "$LABD/make-debug-kernel")"
}

have_debug_kernel() {
	[ -e "$CACHE/debug-$(debug_key)" ]
}

# lab_debug_kernel: sets DEBUG_KERNEL. The build takes minutes, once.
lab_debug_kernel() {
	cached debug "$(debug_key)" make_debug_kernel
	DEBUG_KERNEL=$REPLY
}

make_debug_kernel() {
	local tmp=$1

	need_space 6000
	lab_tree
	say "building the debug kernel (ten minutes, once)"
	mkdir "$tmp"
	# It is built where it will stay, since its headers contain paths.
	logged "$CACHE/debug-kernel.log" tree_run -- nice \
		"$LABD/make-debug-kernel" "$tmp" "$LABD/debug.config"
}
