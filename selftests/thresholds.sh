#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# What keeps a connection out of the card: too few bytes, too many connections, its
# cgroup. Changes reach live connections.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 40

undo set_attr policy/min_bytes 0
undo set_attr policy/max_connections 0
undo set_attr policy/cgroups all
offload on

# Bytes ------------------------------------------------------------------------

set_attr policy/min_bytes 200000
mark
expect "short connections: transfer" xfer active 4 --conns 8 --up 20k --down 20k
expect_num "none is offered to the card" "$(delta toe_begins)" -eq 0
expect_num "none is counted twice" "$(delta toe_refuse_small)" -le 8

mark
xfer_start active 4 --up 1M --down 1M --rate 500k --stay
expect "a long one is offloaded once it has moved enough" wait_until 10 connections_are 1
set_attr policy/min_bytes 100000000
expect "a threshold that it hasn't reached calls it back" wait_until 3 no_connections
expect_num "by reason of policy" "$(delta toe_recall_policy)" -eq 1
set_attr policy/min_bytes 0
expect "it goes to the card again without it" wait_until 5 connections_are 1
expect "the card carries some" wait_until 10 carries 100001
hurry
expect "every byte arrives" xfer_wait
moved=$(payload)
expect_num "but not the first ones" "$(carried)" -le $((moved - 200000))

# Connections ----------------------------------------------------------------------

set_attr policy/max_connections 3
mark
XFER_TIMEOUT=120
xfer_start active 4 --conns 8 --up 200k --down 200k --rate 30k --stay
expect "three of eight are in the card" wait_until 10 connections_are 3
expect "the others are refused" wait_until 10 eval '[ "$(delta toe_refuse_limit)" -ge 5 ]'
expect_num "without a command to the card" "$(delta toe_begins)" -eq 3
set_attr policy/max_connections 1
expect "one is allowed: two go back" wait_until 3 connections_are 1
expect_num "by reason of the limit" "$(delta toe_recall_limit)" -eq 2
set_attr policy/max_connections 0
expect "without a limit all come in" wait_until 10 connections_are 8
hurry
expect "every byte arrives" xfer_wait
wait_until 5 no_connections

X=idle xfer_start active 4 --conns 2 --up 10k --down 10k --rate 2k --stay
wait_until 10 connections_are 2
X=busy xfer_start active 4 --conns 2 --up 1M --down 1M --rate 300k --stay
busy="dport = :$PORT"
busy_stay() {
	connections_are 2 && [ "$(ss_ulp "$busy")" = 2 ]
}
wait_until 10 connections_are 4
set_attr policy/max_connections 2
expect "the busy ones stay" wait_until 5 busy_stay
hurry
X=busy
expect "every byte of the busy ones arrives" xfer_wait
X=idle
expect "and of the idle ones" xfer_wait
X=x
set_attr policy/max_connections 0

# Cgroups --------------------------------------------------------------------------

root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -z "$root" ]; then
	root=$TMP/cgroup
	mkdir "$root"
	mount -t cgroup2 none "$root"
	undo umount "$root"
fi
home=$root$(sed -n 's/^0:://p' /proc/self/cgroup)
leave() {
	echo $$ >"$home/cgroup.procs"
}
mkdir -p "$root/toe_a/sub"
undo rmdir "$root/toe_a"
undo rmdir "$root/toe_a/sub"
undo leave

decided() {
	[ $(($(delta offloaded_total) + $(delta toe_refuse_cgroup))) -ge 1 ]
}
# within CGROUP yes|no NAME ROLE: a transfer from there is offloaded, or not.
within() {
	echo $$ >"$root/$1/cgroup.procs"
	mark
	xfer_start "$4" 4 --up 200k --down 200k --rate 100k --stay
	wait_until 10 decided
	hurry
	expect "$3: transfer" xfer_wait
	leave
	if [ "$2" = yes ]; then
		expect_num "$3: offloaded" "$(delta offloaded_total)" -ge 1
	else
		expect "$3: refused" [ "$(delta toe_refuse_cgroup)-$(delta toe_begins)" = 1-0 ]
	fi
}

takes() {
	echo "$1" >"$TOE/policy/cgroups" && [ "$(attr policy/cgroups | paste -sd' ')" = "${2:-$1}" ]
}
refuses() {
	local text

	for text in +/a 'none /a' 'none +a' 'none +/a/../b' 'none +/a//b' 'none +/a/' \
		'none +/./a' 'all none' 'none +' "none +/$(printf 'a%.0s' {1..255})"; do
		! echo "$text" 2>/dev/null >"$TOE/policy/cgroups" || {
			echo "«$text» was taken"
			return 1
		}
	done
	[ "$(attr policy/cgroups)" = all ]
}
expect "what is no list of cgroups is refused" refuses
expect "rules read back" takes "none  +/toe_a -/toe_a/sub" "none +/toe_a -/toe_a/sub"
within . no "a cgroup without a rule" active
within toe_a yes "an allowed one" active
within toe_a/sub no "a denied one within" passive
takes "none +/toe_a"
within toe_a/sub yes "one below an allowed one" passive
rmdir "$root/toe_a/sub" "$root/toe_a"
mkdir -p "$root/toe_a/sub"
within toe_a yes "one made again" active
takes "all -/toe"
within toe_a yes "a name that is the beginning of another" active

takes all
echo $$ >"$root/toe_a/cgroup.procs"
mark
xfer_start active 4 --up 1M --down 1M --rate 200k --stay
leave
wait_until 5 connections_are 1
takes "all -/toe_a"
expect "a rule calls a live connection back" wait_until 3 no_connections
takes all
expect "and without it it comes again" wait_until 5 connections_are 1
rmdir "$root/toe_a/sub"
hurry
expect "every byte arrives" xfer_wait
takes "none +/toe_a"
mark
expect "afterwards, a transfer" xfer active 4 --up 300k --down 300k
expect_num "is refused" "$(delta toe_refuse_cgroup)" -ge 1
takes all
expect "none is left in the card" wait_until 5 no_connections

