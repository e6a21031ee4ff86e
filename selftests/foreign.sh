#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packages: libpython3.13-testsuite
# timeout: 300
#
# Somebody else's tests of the socket API: a part of Python's own, whose servers and
# clients are both here, reports the same with offload off and on. scripts/compare
# does the same with any program.
. "${0%/*}/lib.sh"
needs_card
compgen -G '/usr/lib/python3*/test/test_socket.py' >/dev/null ||
	skip_all "Python's test suite is missing"
plan 5

# What opens TCP connections and doesn't take long. Compiling the tests does, once.
export PYTHONPYCACHEPREFIX=$TMP/pycache
SUITES="test.test_socket test.test_socketserver"
ONLY=(-k BasicTCPTest -k NonBlockingTCPTests -k RecvmsgTCP -k RecvmsgIntoTCP
	-k SendmsgTCP -k NetworkConnection -k socketserver)

# shellcheck disable=SC2086 # words
expect "Python's tests: the same results" \
	"$HERE/compare.sh" --filter unittest --limit 140 --keep "$TMP/keep" -- \
	python3 -m unittest -v "${ONLY[@]}" $SUITES
sed 's/^/# /' "$TMP/output"
ran=$(grep -c ' ok$' "$TMP/keep/off.1.results")
expect_num "Python's tests: they ran" "$ran" -ge 60
expect "Python's tests: all went well" grep -qx 'status 0' "$TMP/keep/on.1.results"
carried=$(sed -n 's/^# on: .* offloaded \([0-9]*\),.*/\1/p' "$TMP/output")
toe_num "both ends of connections were in the card" "${carried:-0}" -ge 20
toe_expect "the card is empty again" all_idle
