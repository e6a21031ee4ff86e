# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# The lab tree: a Debian trixie with compilers, QEMU, and the headers and
# images of the three kernels. One tree for all of it, so that a result never
# depends on what the host has installed.

# The kernels as we call them; unpack-kernels knows where they come from.
readonly KERNELS="6.1 6.12 7.2"


tree_sources() {
	local m s suite
	m=$(mirror)
	s=$(security_mirror)

	has_suite "$m" trixie || die "no Debian trixie at $m, see TOE_MIRROR"
	for suite in trixie trixie-updates trixie-backports bookworm; do
		echo "deb $m $suite main"
	done
	# These two hold the newest kernels, but not every mirror has them.
	for suite in trixie-security bookworm-security; do
		if has_suite "$s" "$suite"; then
			echo "deb $s $suite main"
		else
			say "no $suite beside the mirror, going without"
		fi
	done
}

# Bookworm is there for its kernel only, backports for 7.2 and QEMU.
tree_preferences() {
	local suite
	printf 'Package: src:qemu src:seabios src:ipxe\nPin: %s\nPin-Priority: 900\n\n' \
		'release n=trixie-backports'
	for suite in bookworm bookworm-security; do
		printf 'Package: *\nPin: release n=%s\nPin-Priority: 50\n\n' "$suite"
	done
}

package_list() {
	sed 's/#.*//' "$@" | tr -s ' \n' ',' | sed 's/^,//; s/,$//'
}

# debootstrap OUT PACKAGES SOURCES [OPTIONS…]: writes OUT.tar.
debootstrap_tar() {
	local out=$1 packages=$2 sources=$3 mode=root
	shift 3

	[ "$(id -u)" = 0 ] || mode=unshare
	logged "$CACHE/mmdebstrap.log" mmdebstrap --mode="$mode" --variant=minbase \
		--aptopt='Acquire::Retries "3"' \
		--aptopt="Acquire::Check-Valid-Until \"false\"" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--include="$packages" "$@" trixie "$out.tar" "$sources"
}

make_tree() {
	local tmp=$1

	need_tool mmdebstrap mmdebstrap
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] ||
		die "debian-archive-keyring is missing: install that package"
	need_space 8000
	say "making the lab tree (a few minutes, once)"
	mkdir "$tmp"
	tree_sources >"$tmp/sources"
	tree_preferences >"$tmp/preferences"
	debootstrap_tar "$tmp/tree" "$(package_list "$LABD/packages.tree")" \
		"$tmp/sources" \
		--setup-hook="mkdir -p \"\$1/etc/apt/preferences.d\" &&
			cp '$tmp/preferences' \"\$1/etc/apt/preferences.d/lab\"" \
		--customize-hook="'$LABD/unpack-kernels' \"\$1\"" \
		--skip=cleanup/apt
	# All files belong to whoever runs the lab: so an ordinary user can
	# delete the tree, and nothing in it needs device nodes of its own.
	mkdir "$tmp/root"
	tar -C "$tmp/root" -xf "$tmp/tree.tar" --no-same-owner --exclude='./dev/*'
	rm "$tmp/tree.tar"
	mkdir -p "$tmp/root/dev" "$tmp/root/work"
}

# lab_tree: sets TREE.
lab_tree() {
	cached tree "$(tree_key)" make_tree
	TREE=$REPLY/root
}

tree_key() {
	key "$(files_key "$LABD/packages.tree" "$LABD/unpack-kernels")" \
		"$(declare -f make_tree debootstrap_tar tree_preferences)"
}

# release_of KERNEL: what uname -r says there, e.g. 6.12.117+deb13-cloud-amd64.
release_of() {
	local root=$TREE

	[ "$1" != debug ] || root=$DEBUG_KERNEL
	cat "$root/opt/opentoe/$1/release" 2>/dev/null ||
		die "there is no kernel $1, choose one of: $KERNELS debug"
}
