#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Figure 4D as a pure function, in user space: no card needed.
KSFT_SKIP=4
program=$(dirname "$0")/classify_test
if [ ! -x "$program" ]; then
	echo "KTAP version 1"
	echo "1..0 # SKIP classify_test was not built"
	exit $KSFT_SKIP
fi
exec "$program"
