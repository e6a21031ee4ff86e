// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* toe rule: what may be offloaded. */
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "toe.h"

static uint64_t number(struct nlattr **tb, int attr)
{
	return tb[attr] ? nl_number(tb[attr]) : 0;
}

static void show_prefix(struct nlattr **tb, const char *key, int addr, int len)
{
	char text[64];

	if (!tb[addr] || !tb[len])
		return;
	snprintf(text, sizeof(text), "%s/%" PRIu64, address_text(tb[addr]),
		 number(tb, len));
	out_text(" %s", key);
	out_string(key, " %s", text);
}

static void show_ports(struct nlattr **tb, const char *key, int min, int max)
{
	char text[16];

	if (!tb[min] || !tb[max])
		return;
	if (number(tb, min) == number(tb, max))
		snprintf(text, sizeof(text), "%" PRIu64, number(tb, min));
	else
		snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, number(tb, min),
			 number(tb, max));
	out_text(" %s", key);
	out_string(key, " %s", text);
}

static void show_owner(struct nlattr **tb)
{
	if (tb[TOE_A_RULE_UID])
		out_number("uid", " uid %" PRIu64, number(tb, TOE_A_RULE_UID));
	if (tb[TOE_A_RULE_CGROUP]) {
		out_number("cgroup_id", NULL, number(tb, TOE_A_RULE_CGROUP));
		out_string("cgroup", " cgroup %s",
			   cgroup_text(number(tb, TOE_A_RULE_CGROUP)));
	}
	if (tb[TOE_A_RULE_MARK])
		out_number("mark", " mark %#" PRIx64, number(tb, TOE_A_RULE_MARK));
	if (tb[TOE_A_RULE_MASK])
		out_number("mask", number(tb, TOE_A_RULE_MASK) == UINT32_MAX ? NULL :
			   "/%#" PRIx64, number(tb, TOE_A_RULE_MASK));
	if (tb[TOE_A_RULE_SO_PRIORITY])
		out_number("so_priority", " so-priority %" PRIu64,
			   number(tb, TOE_A_RULE_SO_PRIORITY));
	if (tb[TOE_A_RULE_DSCP])
		out_number("dscp", " dscp %" PRIu64, number(tb, TOE_A_RULE_DSCP));
}

static void show(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	(void)nlh;
	out_record_begin();
	out_number("pref", "%" PRIu64 ":", number(tb, TOE_A_RULE_PREF));
	out_string("dev", " dev %s", device_text(number(tb, TOE_A_RULE_IFINDEX)));
	if (tb[TOE_A_RULE_ROLE])
		out_string("role", " role %s",
			   conn_role_names[number(tb, TOE_A_RULE_ROLE) % 3]);
	show_prefix(tb, "src", TOE_A_RULE_LOCAL_ADDR, TOE_A_RULE_LOCAL_LEN);
	show_prefix(tb, "dst", TOE_A_RULE_REMOTE_ADDR, TOE_A_RULE_REMOTE_LEN);
	show_ports(tb, "sport", TOE_A_RULE_LOCAL_PORT_MIN, TOE_A_RULE_LOCAL_PORT_MAX);
	show_ports(tb, "dport", TOE_A_RULE_REMOTE_PORT_MIN, TOE_A_RULE_REMOTE_PORT_MAX);
	show_owner(tb);
	out_string("action", " %s",
		   number(tb, TOE_A_RULE_ACTION) == TOE_RULE_ACTION_NATIVE ?
		   "native" : "offload");
	out_number("handle", " handle %" PRIu64, number(tb, TOE_A_RULE_HANDLE));
	out_record_end();
}

static void put_mark(struct nlmsghdr *nlh, const char *text)
{
	const char *slash = strchr(text, '/');
	char mark[32];

	snprintf(mark, sizeof(mark), "%.*s",
		 slash ? (int)(slash - text) : (int)strlen(text), text);
	mnl_attr_put_u32(nlh, TOE_A_RULE_MARK,
			 parse_number("mark", mark, 0, UINT32_MAX));
	if (slash)
		mnl_attr_put_u32(nlh, TOE_A_RULE_MASK,
				 parse_number("mask", slash + 1, 0, UINT32_MAX));
}

static void put_role(struct nlmsghdr *nlh, const char *text)
{
	mnl_attr_put_u32(nlh, TOE_A_RULE_ROLE,
			 parse_name("role", text, conn_role_names,
				    ARRAY_SIZE(conn_role_names)));
}

/* One word of a new rule, with its value; false if it is none. */
static bool put_match(struct nlmsghdr *nlh, char ***argv)
{
	const char *word = **argv;

	if (!strcmp(word, "role"))
		put_role(nlh, next_word(argv, word));
	else if (!strcmp(word, "src"))
		put_address(nlh, TOE_A_RULE_LOCAL_ADDR, TOE_A_RULE_LOCAL_LEN,
			    next_word(argv, word));
	else if (!strcmp(word, "dst"))
		put_address(nlh, TOE_A_RULE_REMOTE_ADDR, TOE_A_RULE_REMOTE_LEN,
			    next_word(argv, word));
	else if (!strcmp(word, "sport"))
		put_ports(nlh, TOE_A_RULE_LOCAL_PORT_MIN, TOE_A_RULE_LOCAL_PORT_MAX,
			  next_word(argv, word));
	else if (!strcmp(word, "dport"))
		put_ports(nlh, TOE_A_RULE_REMOTE_PORT_MIN, TOE_A_RULE_REMOTE_PORT_MAX,
			  next_word(argv, word));
	else if (!strcmp(word, "uid"))
		put_user(nlh, TOE_A_RULE_UID, next_word(argv, word));
	else if (!strcmp(word, "cgroup"))
		put_cgroup(nlh, TOE_A_RULE_CGROUP, next_word(argv, word));
	else if (!strcmp(word, "mark"))
		put_mark(nlh, next_word(argv, word));
	else if (!strcmp(word, "so-priority"))
		mnl_attr_put_u32(nlh, TOE_A_RULE_SO_PRIORITY,
				 parse_number("priority", next_word(argv, word), 0,
					      UINT32_MAX));
	else if (!strcmp(word, "dscp"))
		mnl_attr_put_u8(nlh, TOE_A_RULE_DSCP,
				parse_number("DSCP", next_word(argv, word), 0, 63));
	else
		return false;
	return true;
}

/* «dev», «pref», «handle»: what a rule is found by. */
static bool put_place(struct nlmsghdr *nlh, char ***argv)
{
	const char *word = **argv;

	if (!strcmp(word, "dev"))
		put_device(nlh, TOE_A_RULE_IFINDEX, next_word(argv, word));
	else if (!strcmp(word, "pref"))
		mnl_attr_put_u32(nlh, TOE_A_RULE_PREF,
				 parse_number("pref", next_word(argv, word), 0,
					      UINT32_MAX));
	else if (!strcmp(word, "handle"))
		mnl_attr_put_u32(nlh, TOE_A_RULE_HANDLE,
				 parse_number("handle", next_word(argv, word), 1,
					      UINT32_MAX));
	else
		return false;
	return true;
}

static int add(char **argv)
{
	struct nlmsghdr *nlh = nl_request(TOE_CMD_RULE_NEW, false);
	int action = -1, status;

	for (; *argv; argv++) {
		if (!strcmp(*argv, "offload") || !strcmp(*argv, "native")) {
			if (action >= 0)
				die_syntax("a rule has one action");
			action = !strcmp(*argv, "native") ? TOE_RULE_ACTION_NATIVE :
							    TOE_RULE_ACTION_OFFLOAD;
		} else if (!strcmp(*argv, "handle") ||
			   (!put_place(nlh, &argv) && !put_match(nlh, &argv))) {
			unknown("Argument", *argv, "rule");
		}
	}
	if (action >= 0)
		mnl_attr_put_u32(nlh, TOE_A_RULE_ACTION, action);
	/* The new rule, for scripts that want its handle. */
	out_begin();
	status = nl_talk(nlh, rule_attrs, opt_json ? show : NULL);
	out_end();
	return status;
}

static int del(char **argv, bool flush)
{
	struct nlmsghdr *nlh = nl_request(TOE_CMD_RULE_DEL, false);

	for (; *argv; argv++)
		if ((flush && strcmp(*argv, "dev")) || !put_place(nlh, &argv))
			unknown("Argument", *argv, "rule");
	if (flush)
		mnl_attr_put(nlh, TOE_A_RULE_ALL, 0, NULL);
	return nl_talk(nlh, rule_attrs, NULL);
}

static int list(char **argv)
{
	struct nlmsghdr *nlh = nl_request(TOE_CMD_RULE_GET, true);
	int status;

	for (; *argv; argv++) {
		/* A certain one. */
		if (!strcmp(*argv, "handle"))
			nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
		else if (strcmp(*argv, "dev"))
			unknown("Argument", *argv, "rule");
		put_place(nlh, &argv);
	}
	out_begin();
	status = nl_talk(nlh, rule_attrs, show);
	out_end();
	return status;
}

int do_rule(char **argv)
{
	const char *command = *argv ? *argv++ : "show";

	bool flush = is(command, "flush");

	if (is(command, "add")) {
		nl_open();
		return add(argv);
	}
	if (flush || is(command, "delete")) {
		nl_open();
		return del(argv, flush);
	}
	if (is(command, "show") || is(command, "list")) {
		nl_open();
		return list(argv);
	}
	unknown("Command", command, "rule");
}
