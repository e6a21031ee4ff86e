#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Port rules: ports_in are local ports of accepted connections, ports_out the
# remote ports of those we open. What they refuse is counted.
. "${0%/*}/lib.sh"
needs_card
[ -z "$NO_TOE" ] || skip_all "needs the card"
plan 22

undo set_attr policy/ports_in all
undo set_attr policy/ports_out all
offload on

# try NAME ROLE PORT yes|no
try() {
	mark
	FIXED_PORT=$3
	expect "$1: transfer" xfer "$2" 4 --up 3M --down 3M
	if [ "$4" = yes ]; then
		expect_num "$1: offloaded" "$(delta offloaded_total)" -eq 1
	else
		expect_num "$1: not offloaded" "$(delta offloaded_total)" -eq 0
		expect_num "$1: refusal counted" "$(delta toe_refuse_port)" -ge 1
	fi
	FIXED_PORT=
}

expect "the default is all" eval \
	'[ "$(attr policy/ports_in)-$(attr policy/ports_out)" = all-all ]'
set_attr policy/ports_out none
try "out none, active" active 7001 no
try "out none, passive" passive 7002 yes
set_attr policy/ports_out 7003,7010-7012
expect "a list reads back" eval '[ "$(attr policy/ports_out)" = 7003,7010-7012 ]'
try "out list, in it" active 7003 yes
try "out list, in a range" active 7011 yes
try "out list, beside it" active 7013 no
set_attr policy/ports_out all
set_attr policy/ports_in 7020
try "in list, in it" passive 7020 yes
try "in list, beside it" passive 7021 no
set_attr policy/ports_in all

X=live
FIXED_PORT=7030 xfer_start active 4 --up 1M --down 1M --rate 2M --stay
wait_until 5 connections_are 1
set_attr policy/ports_out none
expect "a rule that forbids a live connection recalls it" wait_until 3 no_connections
set_attr policy/ports_out all
hurry
expect "it goes on" xfer_wait
expect "none is left in the card" wait_until 5 no_connections
