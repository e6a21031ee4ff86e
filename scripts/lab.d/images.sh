# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# What the guests boot from: one userland image for all kernels, and per
# kernel its image, its modules and an initramfs. All images are uncompressed:
# decompressing would run under TCG, reading from the host's page cache doesn't.
# shellcheck disable=SC2034 # GUEST and BOOT are for run.sh

readonly SQUASH=(-noI -noD -noF -noX -quiet -no-progress)

# lab_guest [PACKAGES]: sets GUEST to the userland image with these extras.
lab_guest() {
	local packages
	packages=$(package_list "$LABD/packages.guest")${1:+,$1}

	cached guest "$(guest_key "$packages")" make_guest "$packages"
	GUEST=$REPLY
}

guest_key() {
	key "$1" "$(declare -f make_guest debootstrap_tar)"
}

make_guest() {
	local tmp=$1 packages=$2 sources

	need_space 2000
	need_tool mmdebstrap mmdebstrap
	say "making the guests' userland image (a minute, once)"
	sources=$tmp-sources # no suffix: that would mean another format
	tree_sources >"$tmp-all"
	grep -E ' trixie(-updates|-security)? ' "$tmp-all" >"$sources"
	# Nothing starts by itself: there is no init to start it.
	debootstrap_tar "$tmp" "$packages" "$sources"
	lab_tree
	logged "$CACHE/guest.log" tree_run -- \
		sqfstar "${SQUASH[@]}" "$tmp" <"$tmp.tar"
	rm -f "$tmp.tar" "$sources" "$tmp-all"
}

# lab_boot KERNEL: sets BOOT to the directory with vmlinuz, modules.img and
# initramfs for it.
lab_boot() {
	[ "$1" != debug ] || lab_debug_kernel
	release_of "$1" >/dev/null || exit
	cached "boot-$1" "$(boot_key "$1")" make_boot "$1"
	BOOT=$REPLY
}

boot_key() {
	key "$(release_of "$1")" "$(tree_key)" "$(kernel_root "$1")" \
		"$(files_key "$LABD/make-boot" "$REPO"/scripts/guest/{[!b]*,bin/*})"
}

# kernel_root KERNEL: below which path, seen from inside the tree, it lies.
kernel_root() {
	[ "$1" != debug ] || echo "$DEBUG_KERNEL"
}

make_boot() {
	local tmp=$1 kernel=$2

	need_space 1000
	lab_tree
	[ "$kernel" != debug ] || lab_debug_kernel
	mkdir "$tmp"
	logged "$CACHE/boot-$kernel.log" tree_run -- "$LABD/make-boot" "$tmp" \
		"$kernel" "$(release_of "$kernel")" "$(kernel_root "$kernel")" \
		"$REPO/scripts/guest"
}
