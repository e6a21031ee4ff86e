// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* toe dev: cards. */
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "toe.h"

static uint64_t number(struct nlattr **tb, int attr)
{
	return tb[attr] ? nl_number(tb[attr]) : 0;
}

/* The nests of one kind: a reason and its number each. */
static void show_reasons(const struct nlmsghdr *nlh, int type, const char *key,
			 const char *const *names, size_t n)
{
	struct nlattr *one[ATTRS_MAX];
	const struct nlattr *attr;
	const char *name;
	uint64_t reason;
	bool any = false;

	out_open(key, '{');
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) != type)
			continue;
		nl_parse(attr, refused_attrs, one);
		reason = number(one, TOE_A_REFUSED_REASON);
		name = reason < n && names[reason] ? names[reason] : "unknown";
		if (!any)
			out_text("\n    %s", key);
		any = true;
		out_text(" %s", name);
		out_number(name, " %" PRIu64, number(one, TOE_A_REFUSED_COUNT));
	}
	out_close('}');
}

static void show_stats(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	static const struct {
		int attr;
		const char *name;
		const char *fmt;
	} list[] = {
		{ TOE_A_DEV_OFFLOADS, "offloads", "\n    offloads %" PRIu64 },
		{ TOE_A_DEV_RECALLS, "recalls", " recalls %" PRIu64 },
		{ TOE_A_DEV_REFUSALS, "refusals", " refusals %" PRIu64 },
		{ TOE_A_DEV_TX_BYTES, "tx_bytes", "\n    tx_bytes %" PRIu64 },
		{ TOE_A_DEV_TX_SEGS, "tx_segs", " tx_segs %" PRIu64 },
		{ TOE_A_DEV_RETRANS_SEGS, "retrans_segs", " retrans_segs %" PRIu64 },
		{ TOE_A_DEV_RX_BYTES, "rx_bytes", "\n    rx_bytes %" PRIu64 },
		{ TOE_A_DEV_RX_SEGS, "rx_segs", " rx_segs %" PRIu64 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		out_number(list[i].name, list[i].fmt, number(tb, list[i].attr));
	show_reasons(nlh, TOE_A_DEV_REFUSED, "refused", refusal_names,
		     ARRAY_SIZE(refusal_names));
	show_reasons(nlh, TOE_A_DEV_RECALLED, "recalled", recall_reason_names,
		     ARRAY_SIZE(recall_reason_names));
}

static void show_caps(uint64_t caps)
{
	out_open("caps", '[');
	out_text("\n    caps");
	for (size_t i = 0; i < ARRAY_SIZE(dev_cap_names); i++)
		if (caps & 1u << i)
			out_string(NULL, " %s", dev_cap_names[i]);
	out_close(']');
}

static void show(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	bool on = number(tb, TOE_A_DEV_ENABLED);
	bool suspended = number(tb, TOE_A_DEV_SUSPENDED);

	if (!tb[TOE_A_DEV_IFINDEX] || !tb[TOE_A_DEV_NAME])
		return;
	out_record_begin();
	out_number("ifindex", "%" PRIu64 ": ", number(tb, TOE_A_DEV_IFINDEX));
	out_string("dev", "%s: offload ", mnl_attr_get_str(tb[TOE_A_DEV_NAME]));
	out_bool("enabled", on ? "on" : "off", on);
	out_bool("suspended", suspended ? " suspended" : "", suspended);
	out_number("connections", " connections %" PRIu64,
		   number(tb, TOE_A_DEV_CONNECTIONS));
	out_number("max_conns", " of %" PRIu64, number(tb, TOE_A_DEV_MAX_CONNS));
	out_number("rules", " rules %" PRIu64, number(tb, TOE_A_DEV_RULES));
	if (opt_json || opt_details) {
		out_number("reoffload_ms", " reoffload_ms %" PRIu64,
			   number(tb, TOE_A_DEV_REOFFLOAD_MS));
		show_caps(number(tb, TOE_A_DEV_CAPS));
	}
	if (opt_stats)
		show_stats(tb, nlh);
	out_record_end();
}

int do_dev(char **argv)
{
	struct nlmsghdr *nlh;
	const char *name;
	int status;

	if (*argv && !is(*argv, "show") && !is(*argv, "list"))
		unknown("Command", *argv, "dev");
	if (*argv)
		argv++;
	if (*argv && !strcmp(*argv, "dev"))
		next_word(&argv, "dev");
	name = *argv;
	if (name && argv[1])
		unknown("Argument", argv[1], "dev");
	nl_open();
	nlh = nl_request(TOE_CMD_DEV_GET, !name);
	if (name)
		put_device(nlh, TOE_A_DEV_IFINDEX, name);
	out_begin();
	status = nl_talk(nlh, dev_attrs, show);
	out_end();
	return status;
}
