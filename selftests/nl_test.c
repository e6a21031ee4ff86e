// SPDX-License-Identifier: GPL-2.0
/*
 * nl_test: what the netlink family "toe" says to requests that nobody should send.
 *
 *	nl_test cases IFINDEX		each wrong request gets its error, with a text
 *	nl_test rights IFINDEX		who isn't root may look, and change nothing
 *	nl_test namespace IFINDEX	another namespace has nothing, root or not
 *	nl_test fuzz IFINDEX SEED N	N random requests; each gets an answer
 *	nl_test race IFINDEX S ID...	for S seconds one process calls all connections
 *					back while another offloads those with these
 *					identifiers, as fast as they can
 *
 * Exit status 0 if all was as it should be; else says what wasn't.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../include/uapi/linux/toe.h"

#define REQUEST_MAX 4096

static struct {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char data[REQUEST_MAX];
} req;

static char answer[65536];
static int sock, family, ifindex, bad;
static uint32_t seq;

/* The last answer: its error, whether it said why, messages before its end. */
static struct {
	int error, messages, marks;
	bool text, missing;
} got;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void begin(int type, int cmd, int flags)
{
	memset(&req, 0, sizeof(req));
	req.nlh.nlmsg_type = type;
	req.nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	req.nlh.nlmsg_seq = ++seq;
	req.nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	req.genl.cmd = cmd;
	req.genl.version = 1;
}

static void put(int type, const void *data, int len)
{
	struct nlattr *a = (void *)((char *)&req + NLMSG_ALIGN(req.nlh.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (data)
		memcpy(a + 1, data, len);
	req.nlh.nlmsg_len = NLMSG_ALIGN(req.nlh.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static void put8(int type, uint8_t v) { put(type, &v, 1); }
static void put16(int type, uint16_t v) { put(type, &v, 2); }
static void put32(int type, uint32_t v) { put(type, &v, 4); }

static struct nlattr *next_attr(struct nlattr *a, int *left)
{
	*left -= NLA_ALIGN(a->nla_len);
	return (void *)((char *)a + NLA_ALIGN(a->nla_len));
}

static bool attr_ok(const struct nlattr *a, int left)
{
	return left >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= left;
}

/* An error or the end of a dump. */
static void take_end(const struct nlmsghdr *nlh)
{
	const int *error = NLMSG_DATA(nlh);
	int skip = nlh->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : sizeof(int);
	struct nlattr *a = (void *)((char *)NLMSG_DATA(nlh) + skip);
	int left = (int)nlh->nlmsg_len - NLMSG_HDRLEN - skip;

	got.error = *error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	for (; attr_ok(a, left); a = next_attr(a, &left))
		got.text |= a->nla_type == NLMSGERR_ATTR_MSG;
}

static void take_message(const struct nlmsghdr *nlh)
{
	struct nlattr *a = (void *)((char *)NLMSG_DATA(nlh) + GENL_HDRLEN);
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	int left = (int)nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);

	got.messages++;
	for (; attr_ok(a, left); a = next_attr(a, &left)) {
		if (family && genl->cmd == TOE_CMD_CONN_GET)
			got.marks += a->nla_type == TOE_A_CONN_MARK;
		else if (!family && a->nla_type == CTRL_ATTR_FAMILY_ID)
			got.error = *(uint16_t *)(a + 1);
	}
}

/* Until the answer's end; false if none comes. */
static bool receive(void)
{
	struct pollfd p = { sock, POLLIN, 0 };
	int id = 0, left;
	struct nlmsghdr *nlh;

	memset(&got, 0, sizeof(got));
	while (poll(&p, 1, 20000) == 1) {
		left = recv(sock, answer, sizeof(answer), 0);
		if (left < 0)
			fail("recv");
		for (nlh = (void *)answer; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
				id = got.error;
				take_end(nlh);
				if (!family && !got.error)
					got.error = id;
				return true;
			}
			take_message(nlh);
		}
		if (left)
			printf("%d bytes at an answer's end\n", left), bad = 1;
	}
	return false;
}

static bool ask(void)
{
	if (send(sock, &req, req.nlh.nlmsg_len, 0) < 0)
		fail("send");
	return receive();
}

static void open_socket(void)
{
	int one = 1;

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (sock < 0)
		fail("socket");
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
}

static void find_family(void)
{
	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	put(CTRL_ATTR_FAMILY_NAME, TOE_FAMILY_NAME, sizeof(TOE_FAMILY_NAME));
	if (!ask() || got.error <= 0) {
		printf("there is no family %s\n", TOE_FAMILY_NAME);
		exit(1);
	}
	family = got.error;
}

static void expect(const char *what, int error, bool text)
{
	if (!ask()) {
		printf("%s: no answer\n", what);
	} else if (got.error != -error) {
		printf("%s: %s, not %s\n", what, strerror(-got.error), strerror(error));
	} else if (text && !got.text) {
		printf("%s: the error says nothing\n", what);
	} else {
		return;
	}
	bad = 1;
}

static void dev_cases(void)
{
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	expect("dev: none named", EINVAL, true);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put32(TOE_A_DEV_IFINDEX, 0);
	expect("dev: index 0", ERANGE, true);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put32(TOE_A_DEV_IFINDEX, 0xffffffff);
	expect("dev: index -1", ENODEV, true);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put32(TOE_A_DEV_IFINDEX, 1);
	expect("dev: lo", ENODEV, true);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put16(TOE_A_DEV_IFINDEX, ifindex);
	expect("dev: short index", EINVAL, true);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put32(TOE_A_DEV_NAME, 1);
	expect("dev: attribute that is no request's", EINVAL, true);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put32(TOE_A_DEV_IFINDEX, ifindex);
	expect("dev: the card", 0, false);
	if (got.messages != 1)
		printf("dev: %d messages\n", got.messages), bad = 1;
	begin(family, TOE_CMD_CONN_NTF, NLM_F_ACK);
	expect("an event as a request", EOPNOTSUPP, false);
	begin(family, 99, NLM_F_ACK);
	expect("no command", EOPNOTSUPP, false);
}

static void conn_cases(void)
{
	static const char addr[20] = { 10, 1, 2, 3 };

	begin(family, TOE_CMD_CONN_GET, NLM_F_ACK);
	expect("conn: none named", EINVAL, true);
	begin(family, TOE_CMD_CONN_GET, NLM_F_ACK);
	put32(TOE_A_CONN_CONN_ID, 1 << 30);
	expect("conn: no such identifier", ENOENT, true);
	begin(family, TOE_CMD_CONN_GET, NLM_F_ACK);
	put(TOE_A_CONN_LOCAL_ADDR, addr, 5);
	expect("conn: address of 5 bytes", EINVAL, true);
	begin(family, TOE_CMD_CONN_GET, NLM_F_ACK);
	put(TOE_A_CONN_LOCAL_ADDR, addr, 17);
	expect("conn: address of 17 bytes", ERANGE, true);
	begin(family, TOE_CMD_CONN_GET, NLM_F_DUMP);
	put(TOE_A_CONN_LOCAL_ADDR, addr, 4);
	put(TOE_A_CONN_REMOTE_ADDR, addr, 16);
	expect("conn: addresses of two families", EINVAL, true);
	begin(family, TOE_CMD_CONN_GET, NLM_F_DUMP);
	put32(TOE_A_CONN_STATE, 6);
	expect("conn: no such state", ERANGE, true);
	begin(family, TOE_CMD_CONN_GET, NLM_F_ACK);
	put(TOE_A_CONN_LOCAL_ADDR, addr, 4);
	put(TOE_A_CONN_REMOTE_ADDR, addr, 4);
	put16(TOE_A_CONN_LOCAL_PORT, 1);
	put16(TOE_A_CONN_REMOTE_PORT, 1);
	expect("conn: no such flow", ENOENT, true);
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	expect("recall: what?", EINVAL, true);
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	put(TOE_A_CONN_ALL, NULL, 0);
	put16(TOE_A_CONN_LOCAL_PORT, 1);
	expect("recall: all and one", EINVAL, true);
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	put32(TOE_A_CONN_IFINDEX, 1);
	expect("recall: lo", ENODEV, true);
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	put32(TOE_A_CONN_CONN_ID, 1 << 30);
	expect("recall: no such identifier", ENOENT, true);
	begin(family, TOE_CMD_CONN_OFFLOAD, NLM_F_ACK);
	expect("offload: what?", EINVAL, true);
}

/* A rule of the card, complete but for what the case is about. */
static void begin_rule(void)
{
	begin(family, TOE_CMD_RULE_NEW, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	put32(TOE_A_RULE_ACTION, TOE_RULE_ACTION_OFFLOAD);
}

static void rule_cases(void)
{
	static const char addr[16] = { 10, 1, 2, 3 };
	uint64_t group = 1ull << 60;

	begin(family, TOE_CMD_RULE_NEW, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	expect("rule: no action", EINVAL, true);
	begin(family, TOE_CMD_RULE_NEW, NLM_F_ACK);
	put32(TOE_A_RULE_ACTION, TOE_RULE_ACTION_OFFLOAD);
	expect("rule: no card", EINVAL, true);
	begin_rule();
	put32(TOE_A_RULE_IFINDEX, 1);
	expect("rule: of lo", ENODEV, true);
	begin_rule();
	put32(TOE_A_RULE_ACTION, 2);
	expect("rule: no such action", ERANGE, true);
	begin_rule();
	put32(TOE_A_RULE_ROLE, 0);
	expect("rule: role nobody has", EINVAL, true);
	begin_rule();
	put8(TOE_A_RULE_DSCP, 64);
	expect("rule: DSCP of 7 bits", ERANGE, true);
	begin_rule();
	put8(TOE_A_RULE_LOCAL_LEN, 8);
	expect("rule: length alone", EINVAL, true);
	begin_rule();
	put(TOE_A_RULE_LOCAL_ADDR, addr, 4);
	put8(TOE_A_RULE_LOCAL_LEN, 33);
	expect("rule: prefix of 33 bits", EINVAL, true);
	begin_rule();
	put(TOE_A_RULE_LOCAL_ADDR, addr, 4);
	put8(TOE_A_RULE_LOCAL_LEN, 31);
	expect("rule: bits beyond the prefix", EINVAL, true);
	begin_rule();
	put(TOE_A_RULE_LOCAL_ADDR, addr, 4);
	put(TOE_A_RULE_REMOTE_ADDR, addr, 16);
	expect("rule: addresses of two families", EINVAL, true);
	begin_rule();
	put16(TOE_A_RULE_LOCAL_PORT_MIN, 2);
	put16(TOE_A_RULE_LOCAL_PORT_MAX, 1);
	expect("rule: ports backwards", EINVAL, true);
	begin_rule();
	put16(TOE_A_RULE_LOCAL_PORT_MAX, 1);
	expect("rule: last port alone", EINVAL, true);
	begin_rule();
	put32(TOE_A_RULE_MASK, 1);
	expect("rule: mask alone", EINVAL, true);
	begin_rule();
	put32(TOE_A_RULE_MARK, 2);
	put32(TOE_A_RULE_MASK, 1);
	expect("rule: mark outside its mask", EINVAL, true);
	begin_rule();
	put32(TOE_A_RULE_UID, 0xffffffff);
	expect("rule: nobody's number", EINVAL, true);
	begin_rule();
	put(TOE_A_RULE_CGROUP, &group, 8);
	expect("rule: no such cgroup", ENOENT, true);
	begin(family, TOE_CMD_RULE_DEL, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	expect("rule: delete what?", EINVAL, true);
	begin(family, TOE_CMD_RULE_DEL, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	put32(TOE_A_RULE_HANDLE, 1 << 30);
	expect("rule: delete none", ENOENT, true);
	begin(family, TOE_CMD_RULE_GET, NLM_F_DUMP);
	put32(TOE_A_RULE_IFINDEX, 1);
	expect("rule: list of lo", ENODEV, true);
	/* As many as there can be, and one more. */
	for (int i = 0; i < 1024; i++) {
		begin_rule();
		expect("rule: one of many", 0, false);
	}
	begin_rule();
	expect("rule: one too many", ENOSPC, true);
	begin(family, TOE_CMD_RULE_GET, NLM_F_DUMP);
	expect("rule: list of many", 0, false);
	if (got.messages != 1024)
		printf("rule: %d of 1024 in the list\n", got.messages), bad = 1;
	begin(family, TOE_CMD_RULE_DEL, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	put32(TOE_A_RULE_PREF, 10);
	expect("rule: delete the first by pref", 0, false);
	begin(family, TOE_CMD_RULE_DEL, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	put(TOE_A_RULE_ALL, NULL, 0);
	expect("rule: flush", 0, false);
}

/* What changes something, each with an expected answer. */
static void changes(int error)
{
	begin_rule();
	expect("rule-new", error, false);
	begin(family, TOE_CMD_RULE_DEL, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	put(TOE_A_RULE_ALL, NULL, 0);
	expect("rule-del", error, false);
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	put32(TOE_A_CONN_IFINDEX, ifindex);
	expect("conn-recall", error, false);
	begin(family, TOE_CMD_CONN_OFFLOAD, NLM_F_ACK);
	put32(TOE_A_CONN_CONN_ID, 1 << 30);
	expect("conn-offload", error == ENODEV ? ENOENT : error, false);
}

static void become_nobody(void)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		fail("setresuid");
}

static int dump(int cmd)
{
	begin(family, cmd, NLM_F_DUMP);
	expect("dump", 0, false);
	return got.messages;
}

static void rights(void)
{
	if (dump(TOE_CMD_CONN_GET) && !got.marks)
		printf("root sees no mark\n"), bad = 1;
	become_nobody();
	close(sock);
	open_socket();
	changes(EPERM);
	if (dump(TOE_CMD_DEV_GET) != 1)
		printf("no card is seen\n"), bad = 1;
	if (!dump(TOE_CMD_CONN_GET))
		printf("no connection is seen\n"), bad = 1;
	if (got.marks)
		printf("a mark is seen\n"), bad = 1;
}

/* The card is in the first namespace, rules and connections too. */
static void nothing_here(void)
{
	close(sock);
	open_socket();
	changes(ENODEV);
	if (dump(TOE_CMD_DEV_GET) || dump(TOE_CMD_CONN_GET) || dump(TOE_CMD_RULE_GET))
		printf("the other namespace sees something\n"), bad = 1;
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	put(TOE_A_CONN_ALL, NULL, 0);
	expect("recall of all", 0, false);
	begin(family, TOE_CMD_DEV_GET, NLM_F_ACK);
	put32(TOE_A_DEV_IFINDEX, ifindex);
	expect("dev-get", ENODEV, true);
}

static void namespaces(void)
{
	if (unshare(CLONE_NEWNET))
		fail("unshare");
	nothing_here();
	become_nobody();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		printf("no user namespaces here\n");
		return;
	}
	nothing_here();
}

/* How long attributes should be, by their type. */
static const unsigned char conn_lens[] = { 0, 4, 4, 4, 4, 4, 4, 2, 2, 4 };
static const unsigned char rule_lens[] = { 0, 4, 4, 4, 4, 4, 4, 1, 4, 1, 2, 2, 2, 2, 4, 8,
					   4, 4, 4, 1, 0 };

/* An attribute without sense, more often than not of the right length. */
static void put_random(void)
{
	bool rule = req.genl.cmd >= TOE_CMD_RULE_NEW;
	int known = rule ? sizeof(rule_lens) : sizeof(conn_lens);
	int type = rand() % (rand() % 16 ? known : 64), len, i;
	char junk[64];

	len = rand() % (int)sizeof(junk);
	if (type < known && rand() % 16)
		len = (rule ? rule_lens : conn_lens)[type];
	for (i = 0; i < len; i++)
		junk[i] = rand() % 3 ? rand() % 4 : rand();
	if (len == 4 && rand() % 2)
		*(uint32_t *)junk = rand() % 2 ? (uint32_t)ifindex : (uint32_t)(rand() % 8);
	if (!(rand() % 64))
		type |= NLA_F_NESTED;
	put(type, junk, len);
}

static void fuzz(int seed, int count)
{
	static const int flags[] = { NLM_F_ACK, NLM_F_ACK, NLM_F_DUMP };
	int refused = 0, i, n;

	srand(seed);
	for (i = 0; i < count; i++) {
		begin(family, 1 + rand() % 9, flags[rand() % 3] | (rand() % 8 ? 0 : rand()));
		/* An answer at the end, whatever else is asked for. */
		req.nlh.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
		if (rand() % 4)
			put32(req.genl.cmd < TOE_CMD_RULE_NEW && req.genl.cmd > TOE_CMD_DEV_GET ?
			      2 : 1, rand() % 8 ? ifindex : rand());
		if (req.genl.cmd == TOE_CMD_RULE_NEW)
			put32(TOE_A_RULE_ACTION, rand() % 2);
		for (n = rand() % 5; n; n--)
			put_random();
		if (!(rand() % 16))	/* cut off in an attribute */
			req.nlh.nlmsg_len -= rand() % (req.nlh.nlmsg_len - NLMSG_HDRLEN);
		if (!(rand() % 32))
			((struct nlattr *)req.data)->nla_len = rand();
		if (!ask()) {
			printf("request %d of seed %d: no answer\n", i, seed);
			bad = 1;
			break;
		}
		refused += got.error < 0;
	}
	printf("%d requests, %d refused\n", i, refused);
	if (refused == i || !refused)
		bad = 1;
	begin(family, TOE_CMD_RULE_DEL, NLM_F_ACK);
	put32(TOE_A_RULE_IFINDEX, ifindex);
	put(TOE_A_RULE_ALL, NULL, 0);
	expect("flush", 0, false);
}

/* The answer may be that it is in the card already, or on its way to it or back. */
static int offload_all(int count, char **ids)
{
	int i, taken = 0;

	for (i = 0; i < count; i++) {
		begin(family, TOE_CMD_CONN_OFFLOAD, NLM_F_ACK);
		put32(TOE_A_CONN_CONN_ID, atoi(ids[i]));
		if (!ask())
			bad = 1;
		taken += !got.error;
	}
	return taken;
}

static int recall_all(void)
{
	begin(family, TOE_CMD_CONN_RECALL, NLM_F_ACK);
	put(TOE_A_CONN_ALL, NULL, 0);
	if (!ask() || got.error)
		bad = 1;
	return 1;
}

static void race(int seconds, int count, char **ids)
{
	time_t end = time(NULL) + seconds;
	int n = 0, status;
	pid_t child;

	child = fork();
	if (child < 0)
		fail("fork");
	close(sock);
	open_socket();
	while (time(NULL) < end && !bad)
		n += child ? offload_all(count, ids) : recall_all();
	printf("%d %s\n", n, child ? "offloads asked for" : "recalls of all");
	if (!child)
		exit(bad);
	if (wait(&status) != child || status)
		bad = 1;
	if (!n)
		bad = 1;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	ifindex = argc > 2 ? atoi(argv[2]) : 0;
	open_socket();
	find_family();
	if (!strcmp(what, "cases")) {
		dev_cases();
		conn_cases();
		rule_cases();
	} else if (!strcmp(what, "rights")) {
		rights();
	} else if (!strcmp(what, "namespace")) {
		namespaces();
	} else if (!strcmp(what, "fuzz") && argc == 5) {
		fuzz(atoi(argv[3]), atoi(argv[4]));
	} else if (!strcmp(what, "race") && argc > 4) {
		race(atoi(argv[3]), argc - 4, argv + 4);
	} else {
		printf("see the source\n");
		return 1;
	}
	return bad;
}
