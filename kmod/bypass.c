// SPDX-License-Identifier: GPL-2.0
/*
 * The words for what an administrator allows offload to by-pass.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "inpath.h"

/* Bit by bit of enum toe_bypass. */
static const char * const toe_bypass_names[] = {
	"netfilter", "conntrack", "qdisc", "tc", "xdp", "bpf",
};

static_assert(BIT(ARRAY_SIZE(toe_bypass_names)) - 1 == TOE_BYPASS_ALL);

/**
 * toe_bypass_emit() - print what may be by-passed
 * @what: enum toe_bypass
 * @buf: of a sysfs file
 *
 * Return: bytes.
 */
ssize_t toe_bypass_emit(unsigned int what, char *buf)
{
	ssize_t n = 0;
	int i;

	if (!what)
		return sysfs_emit(buf, "none\n");
	for (i = 0; i < ARRAY_SIZE(toe_bypass_names); i++)
		if (what & BIT(i))
			n += sysfs_emit_at(buf, n, "%s%s", n ? "," : "",
					   toe_bypass_names[i]);
	return n + sysfs_emit_at(buf, n, "\n");
}

/**
 * toe_bypass_parse() - understand "none", "all" or a list of names
 * @buf: what was written
 * @what: enum toe_bypass; untouched on failure
 *
 * Context: process; may sleep.
 * Return: 0, -EINVAL or -ENOMEM.
 */
int toe_bypass_parse(const char *buf, unsigned int *what)
{
	char *copy, *rest, *word;
	unsigned int bits = 0;
	int i = 0;

	if (sysfs_streq(buf, "none") || sysfs_streq(buf, "all")) {
		*what = sysfs_streq(buf, "all") ? TOE_BYPASS_ALL : 0;
		return 0;
	}
	copy = kstrdup(buf, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	while (i >= 0 && (word = strsep(&rest, ","))) {
		i = match_string(toe_bypass_names, ARRAY_SIZE(toe_bypass_names),
				 word);
		if (i >= 0)
			bits |= BIT(i);
	}
	kfree(copy);
	if (i < 0)
		return i;
	*what = bits;
	return 0;
}
