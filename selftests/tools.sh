# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The tools by which a debug kernel watches itself. Any of them may have fallen silent
# for good, with nothing in the log after the line that says so: KASAN after its first
# report, lockdep after its own or after one of KASAN's, kmemleak and debug objects for
# want of memory, DMA-API debugging for want of entries. What a run didn't find after
# that proves nothing.
#
# tool_NAME prints what the tool has found since the boot, and why it finds no more;
# nothing if all is well. Only for a tool that the kernel has: see tools.

TOOLS_LINES='KASAN|kasan|lock debugging|locking correctness|kmemleak|DMA-API|ODEBUG'
DEBUGFS=/sys/kernel/debug

# tools: names of those that the kernel was configured with, as far as it says.
tools() {
	local config

	if [ -e /proc/config.gz ]; then
		config=$(zcat /proc/config.gz)
	else
		config=$(cat "/boot/config-$(uname -r)" 2>/dev/null)
	fi
	[[ $config != *$'\nCONFIG_KASAN=y\n'* ]] || echo kasan
	[[ $config != *$'\nCONFIG_PROVE_LOCKING=y\n'* ]] || echo lockdep
	[[ $config != *$'\nCONFIG_DMA_API_DEBUG=y\n'* ]] || echo dma_debug
	[[ $config != *$'\nCONFIG_DEBUG_OBJECTS=y\n'* ]] || echo debug_objects
	[[ $config != *$'\nCONFIG_DEBUG_KMEMLEAK=y\n'* ]] || echo kmemleak
}

# tools_log RE: such lines of the whole log, the boot's included.
tools_log() {
	grep -E "$1" <<<"$TOOLS_LOG"
}

# No report is exempted: whatever KASAN reports, lockdep is off after it.
tool_kasan() {
	grep -qw kasan_multi_shot /proc/cmdline ||
		echo "KASAN says one thing and no more: boot with kasan_multi_shot"
	tools_log 'BUG: KASAN'
}

tool_lockdep() {
	grep -q '^ *debug_locks: *1$' /proc/lockdep_stats || echo "lockdep is off"
	tools_log 'lock debugging|locking correctness'
}

tool_dma_debug() {
	local disabled=Y errors=unknown

	read -r disabled 2>/dev/null <$DEBUGFS/dma-api/disabled
	read -r errors 2>/dev/null <$DEBUGFS/dma-api/error_count
	[ "$disabled" = N ] || echo "DMA-API debugging is off"
	[ "$errors" = 0 ] || echo "DMA-API debugging: errors: $errors"
	tools_log 'DMA-API: debugging (out of memory|disabled)'
}

# Nothing says that they are off, but for the log.
tool_debug_objects() {
	local warnings

	[ -e $DEBUGFS/debug_objects/stats ] || echo "debug objects are off"
	warnings=$(sed -n 's/^warnings *://p' $DEBUGFS/debug_objects/stats)
	[ "$warnings" = 0 ] || echo "debug objects: warnings: $warnings"
	tools_log 'ODEBUG: (Out of memory|.*disabled)'
}

# «stack=on» is how it is anyway; it refuses everything once it's off.
tool_kmemleak() {
	(echo stack=on >$DEBUGFS/kmemleak) 2>/dev/null || echo "kmemleak is off"
	tools_log 'kmemleak:' |
		grep -E 'disabled|Cannot allocate a kmemleak|Memory pool empty|new suspected memory leaks'
}

# tools_complaints TOOL…: a line for each.
tools_complaints() {
	local tool TOOLS_LOG

	[ $# -gt 0 ] || return 0
	TOOLS_LOG=$(dmesg | grep -E "$TOOLS_LINES")
	for tool; do
		"tool_$tool" | sed "s/^/$tool: /"
	done
}

# tools_news TOOL…: sets REPLY to what they didn't complain about yet at the last call;
# false if nothing.
_tools_said=''
tools_news() {
	local now

	now=$(tools_complaints "$@")
	REPLY=$(grep -vxF -e "$_tools_said" <<<"$now")
	_tools_said=$now
	[ -n "$REPLY" ]
}
