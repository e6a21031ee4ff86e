# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# Running commands in the lab tree. Every command gets namespaces of its own
# (mount, process, network if asked): what it starts ends with it, whatever
# happens, and the host's mounts stay as they are.

# in_tree [--net] [--bind DIR]… -- COMMAND…: becomes COMMAND in the tree, with the
# repository, the cache and /tmp at their own paths.
in_tree() {
	local flags=(--mount --pid --fork --kill-child=KILL) binds=("$REPO" "$CACHE" /tmp)

	while [ "$1" != -- ]; do
		case $1 in
		--net) flags+=(--net) ;;
		--bind) binds+=("$2"); shift ;;
		esac
		shift
	done
	shift
	# Without root, be root of a user namespace of our own.
	[ "$(id -u)" = 0 ] || flags+=(--user --map-root-user)
	# If this shell dies, the kernel kills unshare; if unshare dies, it
	# kills the first process of the namespace, and so all of it.
	TREE=$TREE LAB_BINDS=$(printf '%s\n' "${binds[@]}") LAB_PWD=$PWD \
		exec setpriv --pdeathsig KILL unshare "${flags[@]}" \
		"$LABD/enter-tree" "$@"
}

# tree_run: the same as a child. Waited for, since bash answers signals while it
# waits but not while a command runs in its foreground.
tree_run() {
	(in_tree "$@") <&0 &
	wait $!
}
