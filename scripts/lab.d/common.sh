# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# shellcheck shell=bash
#
# What every part of scripts/lab uses: messages, the cache, the mirror.

# Exit status of a failure of the lab itself, as env(1) and git bisect use it:
# no test returns it, so nobody mistakes a dead mirror for a failed test.
readonly LAB_FAILED=125

CACHE=${TOE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/opentoe}

say() {
	printf 'lab: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit "$LAB_FAILED"
}

# need_tool COMMAND PACKAGE: a missing tool ends in one sentence, except for
# root on Debian, for whom it is one command away.
need_tool() {
	local cmd=$1 package=$2

	command -v "$cmd" >/dev/null && return
	if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
		say "installing the missing package $package"
		apt-get -qq update >/dev/null 2>&1 || :
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
			--no-install-recommends "$package" >/dev/null 2>&1 || :
		command -v "$cmd" >/dev/null && return
	fi
	die "$cmd is missing: install the package $package"
}

need_space() {
	local mib=$1 free

	mkdir -p "$CACHE" 2>/dev/null || die "cannot create $CACHE"
	free=$(df --output=avail -BM "$CACHE" | tail -n 1 | tr -dc 0-9)
	[ "$free" -ge "$mib" ] ||
		die "$CACHE has ${free} MiB free, ${mib} MiB are needed"
}

# mirror: where Debian's archive is. The host's own choice is the best guess,
# since it is known to answer from here; then mmdebstrap's default.
mirror() {
	local found=${TOE_MIRROR:-}

	if [ -z "$found" ] && command -v apt-get >/dev/null; then
		# shellcheck disable=SC2016 # apt's format, not the shell's
		found=$(apt-get indextargets --format '$(RELEASE) $(SITE)' |
			awk '$1 !~ /security/ && $2 ~ /debian\/?$/ { print $2; exit }')
	fi
	[ -n "$found" ] ||
		found=$(sed -n "s/.*\$mirror *= *'\(http[^']*\)'.*/\1/p" \
			"$(command -v mmdebstrap)" /dev/null | head -n 1)
	[ -n "$found" ] ||
		die "no Debian mirror is configured here: set TOE_MIRROR"
	printf '%s\n' "${found%/}"
}

# security_mirror: the host's own, or by convention beside the archive.
security_mirror() {
	local found=${TOE_MIRROR_SECURITY:-}

	if [ -z "$found${TOE_MIRROR:-}" ] && command -v apt-get >/dev/null; then
		# shellcheck disable=SC2016
		found=$(apt-get indextargets --format '$(RELEASE) $(SITE)' |
			awk '$1 ~ /security/ && $2 ~ /debian-security\/?$/ { print $2; exit }')
	fi
	printf '%s\n' "${found:-$(mirror)-security}"
}

# has_suite MIRROR SUITE: snapshots and private mirrors may lack some suites.
has_suite() {
	local url=$1/dists/$2/InRelease probe=$CACHE/.probe.$$ status=0

	if [ -x /usr/lib/apt/apt-helper ]; then
		/usr/lib/apt/apt-helper download-file "$url" "$probe"
	else
		curl -fsS -o "$probe" "$url"
	fi >/dev/null 2>&1 || status=$?
	rm -f "$probe"
	return $status
}

# key WORDS…: a short hash of its arguments; files_key hashes contents.
key() {
	printf '%s\0' "$@" | sha256sum | cut -c1-16
}

files_key() {
	cat "$@" | sha256sum | cut -c1-16
}

# cached NAME KEY FUNCTION [ARGS…]: makes $CACHE/NAME-KEY once, by calling
# FUNCTION with a temporary path and ARGS; the result appears atomically. Sets
# REPLY to the path.
cached() {
	local name=$1 lock tmp status
	REPLY=$CACHE/$name-$2
	local path=$REPLY build=$3
	shift 3

	if [ -e "$path" ]; then
		touch -c "$path"
		return
	fi
	mkdir -p "$CACHE" || die "cannot create $CACHE"
	exec {lock}>"$CACHE/.lock-$name"
	flock -n "$lock" || {
		say "waiting for another lab that makes $name"
		flock "$lock"
	}
	if [ ! -e "$path" ]; then
		tmp=$CACHE/.tmp-${path##*/}
		rm -rf "$tmp"
		# A lab of its own, so that it has its own set -e and ends when
		# this one is killed.
		setpriv --pdeathsig TERM "$LABD/../lab" _make "$build" "$tmp" "$@" &
		wait $! || {
			status=$?
			rm -rf "$tmp"
			# The maker has said why itself.
			[ "$status" != "$LAB_FAILED" ] || exit "$LAB_FAILED"
			die "$name could not be made, see the messages above"
		}
		mv -T "$tmp" "$path" || die "$name could not be stored in $CACHE"
	fi
	exec {lock}>&-
	REPLY=$path
}

# logged LOG COMMAND…: silent unless it fails; then the end of its output.
logged() {
	local log=$1
	shift
	if ! "$@" >"$log" 2>&1; then
		tail -n 25 "$log" >&2
		say "${1##*/} failed, its whole output is in $log"
		return 1
	fi
}
