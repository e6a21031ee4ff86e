#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
#
# A BPF program decides: it marks sockets, a rule looks at the mark. The program
# itself doesn't forbid offload.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
. "$HERE/held.sh"
plan 9

undo rule flush
offload on
echo_start
GROUP=/sys/fs/cgroup/toe-bpf
undo rmdir $GROUP
rule add mark 0x42/0xff native

# The programs are the group's, and go with it.
for kind in sock_ops connect4; do
	mkdir -p $GROUP
	expect "$kind: a program for this port" "$HERE/bpf_mark" $GROUP $kind "$ECHO_PORT" 0x42
	hold --cgroup $GROUP
	expect "$kind: what it marks is native" wait_until 10 \
		eval '[ "$(conns ".[0].refused")" = rule ]'
	let_go
	rmdir $GROUP
	mkdir -p $GROUP
	"$HERE/bpf_mark" $GROUP $kind 1 0x42
	hold --cgroup $GROUP
	expect "$kind: what it leaves alone is offloaded" wait_until 10 in_card 1
	let_go
	rmdir $GROUP
done

mkdir -p $GROUP
"$HERE/bpf_mark" $GROUP sock_ops "$ECHO_PORT" 0x42
rule flush
rule add mark 0x42 offload
rule add native
hold --cgroup $GROUP
expect "only what it marks: in the card" wait_until 10 in_card 1
let_go
hold
expect "only what it marks: another isn't" wait_until 10 \
	eval '[ "$(conns ".[0].refused")" = rule ]'
expect "for the rule, not for BPF" [ "$(conns '.[0].state')" = native ]
let_go
