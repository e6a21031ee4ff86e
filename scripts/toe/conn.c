// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* toe conn, recall, offload, monitor: connections. */
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "toe.h"

static uint64_t number(struct nlattr **tb, int attr)
{
	return tb[attr] ? nl_number(tb[attr]) : 0;
}

static const char *name_of(const char *const *names, size_t n, uint64_t value)
{
	return value < n && names[value] ? names[value] : "unknown";
}

#define NAME(tb, attr, names) \
	name_of(names, ARRAY_SIZE(names), number(tb, attr))

static void show_end(struct nlattr **tb, const char *side, int addr, int port)
{
	char key[32];

	if (!tb[addr] || !tb[port])
		return;
	out_string(side, mnl_attr_get_payload_len(tb[addr]) == 4 ? "%s" : "[%s]",
		   address_text(tb[addr]));
	snprintf(key, sizeof(key), "%s_port", side);
	out_number(key, ":%" PRIu64, number(tb, port));
}

static void show_stats(const struct nlattr *nest)
{
	struct nlattr *tb[ATTRS_MAX];
	int column = 0;

	nl_parse(nest, stats_attrs, tb);
	out_open("stats", '{');
	for (const struct attr_name *a = stats_attrs; a->name; a++) {
		if (!tb[a->attr])
			continue;
		out_text("%s%s", column++ % 6 ? " " : "\n    ", a->name);
		out_number(a->name, " %" PRIu64, number(tb, a->attr));
	}
	out_close('}');
}

static void show_age(uint64_t ms)
{
	if (opt_json)
		out_number("age_ms", NULL, ms);
	else
		out_text(" age %" PRIu64 ".%03" PRIu64 "s", ms / 1000, ms % 1000);
}

static void show_details(struct nlattr **tb)
{
	if (tb[TOE_A_CONN_TID])
		out_number("tid", " tid %#" PRIx64, number(tb, TOE_A_CONN_TID));
	out_number("inode", " inode %" PRIu64, number(tb, TOE_A_CONN_INODE));
	if (tb[TOE_A_CONN_CGROUP]) {
		out_number("cgroup_id", NULL, number(tb, TOE_A_CONN_CGROUP));
		out_string("cgroup", " cgroup %s",
			   cgroup_text(number(tb, TOE_A_CONN_CGROUP)));
	}
	if (tb[TOE_A_CONN_MARK])
		out_number("mark", " mark %#" PRIx64, number(tb, TOE_A_CONN_MARK));
	out_number("tries", " tries %" PRIu64, number(tb, TOE_A_CONN_TRIES));
}

/* All but statistics, in the middle of a record. */
static void show_conn(struct nlattr **tb)
{
	if (tb[TOE_A_CONN_CONN_ID])
		out_number("id", "%" PRIu64 ": ", number(tb, TOE_A_CONN_CONN_ID));
	show_end(tb, "local", TOE_A_CONN_LOCAL_ADDR, TOE_A_CONN_LOCAL_PORT);
	out_text(" ");
	show_end(tb, "remote", TOE_A_CONN_REMOTE_ADDR, TOE_A_CONN_REMOTE_PORT);
	if (tb[TOE_A_CONN_IFINDEX])
		out_string("dev", " dev %s", device_text(number(tb, TOE_A_CONN_IFINDEX)));
	out_string("role", " %s", NAME(tb, TOE_A_CONN_ROLE, conn_role_names));
	out_string("state", " %s", NAME(tb, TOE_A_CONN_STATE, conn_state_names));
	if (tb[TOE_A_CONN_REFUSED])
		out_string("refused", " refused %s",
			   NAME(tb, TOE_A_CONN_REFUSED, refusal_names));
	if (tb[TOE_A_CONN_RECALLED])
		out_string("recalled", " recalled %s",
			   NAME(tb, TOE_A_CONN_RECALLED, recall_reason_names));
	out_number("recalls", number(tb, TOE_A_CONN_RECALLS) ? " recalls %" PRIu64 : NULL,
		   number(tb, TOE_A_CONN_RECALLS));
	if (tb[TOE_A_CONN_AGE_MS])
		show_age(number(tb, TOE_A_CONN_AGE_MS));
	out_bool("flagged", tb[TOE_A_CONN_FLAGGED] ? " flagged" : NULL,
		 tb[TOE_A_CONN_FLAGGED]);
	out_number("uid", " uid %" PRIu64, number(tb, TOE_A_CONN_UID));
	if (opt_json || opt_details)
		show_details(tb);
}

static void show(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	(void)nlh;
	out_record_begin();
	show_conn(tb);
	if (opt_stats && tb[TOE_A_CONN_STATS])
		show_stats(tb[TOE_A_CONN_STATS]);
	out_record_end();
}

/* Which words of a flow were there. */
enum { SRC = 1, DST = 2, SPORT = 4, DPORT = 8, ID = 16, OTHER = 32 };
#define WHOLE_FLOW (SRC | DST | SPORT | DPORT)

static int put_filter(struct nlmsghdr *nlh, char ***argv, bool state)
{
	const char *word = **argv;

	if (!strcmp(word, "id")) {
		mnl_attr_put_u32(nlh, TOE_A_CONN_CONN_ID,
				 parse_number("identifier", next_word(argv, word), 1,
					      INT32_MAX));
		return ID;
	}
	if (!strcmp(word, "dev")) {
		put_device(nlh, TOE_A_CONN_IFINDEX, next_word(argv, word));
		return OTHER;
	}
	if (state && !strcmp(word, "state")) {
		mnl_attr_put_u32(nlh, TOE_A_CONN_STATE,
				 parse_name("state", next_word(argv, word),
					    conn_state_names,
					    ARRAY_SIZE(conn_state_names)));
		return OTHER;
	}
	if (!strcmp(word, "src")) {
		put_address(nlh, TOE_A_CONN_LOCAL_ADDR, 0, next_word(argv, word));
		return SRC;
	}
	if (!strcmp(word, "dst")) {
		put_address(nlh, TOE_A_CONN_REMOTE_ADDR, 0, next_word(argv, word));
		return DST;
	}
	if (!strcmp(word, "sport")) {
		put_ports(nlh, TOE_A_CONN_LOCAL_PORT, 0, next_word(argv, word));
		return SPORT;
	}
	if (!strcmp(word, "dport")) {
		put_ports(nlh, TOE_A_CONN_REMOTE_PORT, 0, next_word(argv, word));
		return DPORT;
	}
	return 0;
}

/* The words of a filter; @object for what isn't one. */
static int put_filters(struct nlmsghdr *nlh, char **argv, bool state, const char *object)
{
	int seen = 0, one;

	for (; *argv; argv++) {
		one = put_filter(nlh, &argv, state);
		if (!one)
			unknown("Argument", *argv, object);
		if (one != OTHER && seen & one)
			die_syntax("«%s» is there twice", argv[-1]);
		seen |= one;
	}
	return seen;
}

int do_conn(char **argv)
{
	struct nlmsghdr *nlh;
	int status, seen;

	if (*argv && !is(*argv, "show") && !is(*argv, "list"))
		unknown("Command", *argv, "conn");
	if (*argv)
		argv++;
	nl_open();
	nlh = nl_request(TOE_CMD_CONN_GET, true);
	seen = put_filters(nlh, argv, true, "conn");
	/* A certain connection: it must be there, and need not be known. */
	if (seen == ID || seen == WHOLE_FLOW)
		nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	out_begin();
	status = nl_talk(nlh, conn_attrs, show);
	out_end();
	return status;
}

static void show_count(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	(void)nlh;
	out_record_begin();
	out_number("recalled", "recalled %" PRIu64, number(tb, TOE_A_CONN_COUNT));
	out_record_end();
}

int do_recall(char **argv)
{
	struct nlmsghdr *nlh;
	int status;

	if (!*argv)
		die_syntax("say which connections, or all");
	nl_open();
	nlh = nl_request(TOE_CMD_CONN_RECALL, false);
	if (!strcmp(*argv, "all")) {
		mnl_attr_put(nlh, TOE_A_CONN_ALL, 0, NULL);
		argv++;
		if (*argv)
			unknown("Argument", *argv, "recall");
	}
	put_filters(nlh, argv, false, "recall");
	out_begin();
	status = nl_talk(nlh, conn_attrs, show_count);
	out_end();
	return status;
}

int do_offload(char **argv)
{
	struct nlmsghdr *nlh;
	int seen;

	nl_open();
	nlh = nl_request(TOE_CMD_CONN_OFFLOAD, false);
	seen = put_filters(nlh, argv, false, "offload");
	if (seen != ID && seen != WHOLE_FLOW)
		die_syntax("an identifier, or both addresses and ports are needed");
	return nl_talk(nlh, conn_attrs, NULL);
}

static void show_event(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	(void)nlh;
	if (!tb[TOE_A_CONN_EVENT])
		return;
	out_record_begin();
	out_string("event", "[%s] ", NAME(tb, TOE_A_CONN_EVENT, event_names));
	show_conn(tb);
	out_record_end();
	out_flush_record();
}

int do_monitor(char **argv)
{
	if (*argv)
		unknown("Argument", *argv, "monitor");
	return nl_listen("events", conn_attrs, show_event);
}
