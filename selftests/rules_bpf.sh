#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 240
#
# BPF programs that come and go under connections: of the interface, of the sockets'
# cgroup, of another one.
. "${0%/*}/lib.sh"
. "${0%/*}/rules.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
cgroup=/sys/fs/cgroup
[ -e $cgroup/cgroup.procs ] || skip_all "no cgroup2"
plan $((1 + 3 * FORBIDS + 1 * ALLOWS + 2))

offload on
undo rmdir $cgroup/toe_ours
undo rmdir $cgroup/toe_other
undo sh -c "echo $$ >$cgroup/cgroup.procs"
mkdir $cgroup/toe_ours $cgroup/toe_other
echo $$ >$cgroup/toe_ours/cgroup.procs

busy
forbids "XDP" xdp unhold hold xdp "$TOE_IF"
forbids "the sockets' cgroup" bpf unhold hold cgroup $cgroup/toe_ours
forbids "the cgroup above" bpf unhold hold cgroup $cgroup
allows "another cgroup" unhold hold cgroup $cgroup/toe_other
finished
