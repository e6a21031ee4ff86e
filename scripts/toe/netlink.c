// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* toe: the generic netlink family. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "toe.h"

static struct mnl_socket *sock;
static uint16_t family;
static uint32_t sequence, group_id;
static const char *group_name;
static bool quiet;		/* an error is told by the caller */
static char request_buf[8192], answer_buf[65536];

static void fail(const char *what)
{
	fprintf(stderr, "toe: %s: %s\n", what, strerror(errno));
	exit(EXIT_KERNEL);
}

/* Of an attribute that a parser has let pass: it is as long as its type. */
uint64_t nl_number(const struct nlattr *attr)
{
	switch (mnl_attr_get_payload_len(attr)) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 2:
		return mnl_attr_get_u16(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	default:
		return mnl_attr_get_u64(attr);
	}
}

/* What the specification knows, of the right type; newer kernels may say more. */
static void keep(struct nlattr *attr, const struct attr_name *set, struct nlattr **tb)
{
	int type = mnl_attr_get_type(attr);

	for (; set->name; set++)
		if (set->attr == type && type < ATTRS_MAX &&
		    mnl_attr_validate(attr, set->type) >= 0)
			tb[type] = attr;
}

void nl_parse(const struct nlattr *nest, const struct attr_name *set, struct nlattr **tb)
{
	struct nlattr *attr;

	memset(tb, 0, ATTRS_MAX * sizeof(*tb));
	mnl_attr_for_each_nested(attr, nest)
		keep(attr, set, tb);
}

static struct nlmsghdr *request_to(uint16_t to, int cmd, int version, int flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request_buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = to;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

struct nlmsghdr *nl_request(int cmd, bool dump)
{
	return request_to(family, cmd, TOE_FAMILY_VERSION,
			  dump ? NLM_F_DUMP : NLM_F_ACK);
}

/* What the kernel says about an error, or about the end of a dump. */
static int verdict(const struct nlmsghdr *nlh)
{
	const int *error = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	size_t skip = sizeof(int);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(int) || !*error)
		return 0;
	if (quiet)
		return EXIT_KERNEL;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		skip = sizeof(struct nlmsgerr);
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += ((const struct nlmsgerr *)error)->msg.nlmsg_len -
				sizeof(struct nlmsghdr);
	}
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS) {
		mnl_attr_for_each(attr, nlh, skip)
			if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
			    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0) {
				fprintf(stderr, "Error: %s.\n", mnl_attr_get_str(attr));
				return EXIT_KERNEL;
			}
	}
	errno = -*error;
	fprintf(stderr, "toe: the kernel answers: %s\n", strerror(errno));
	return EXIT_KERNEL;
}

/* One message of an answer; true at its end, @status is set then. */
static bool one_message(const struct nlmsghdr *nlh, const struct attr_name *set,
			answer_fn fn, int *status)
{
	struct nlattr *tb[ATTRS_MAX] = {}, *attr;

	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		*status = verdict(nlh);
		return true;
	}
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		keep(attr, set, tb);
	if (fn)
		fn(tb, nlh);
	return false;
}

static void receive(size_t *len)
{
	ssize_t n = mnl_socket_recvfrom(sock, answer_buf, sizeof(answer_buf));

	if (n < 0)
		fail("netlink");
	*len = n;
}

int nl_talk(struct nlmsghdr *request, const struct attr_name *set, answer_fn fn)
{
	unsigned int port = mnl_socket_get_portid(sock);
	const struct nlmsghdr *nlh;
	int status = 0, left;
	size_t len;

	if (mnl_socket_sendto(sock, request, request->nlmsg_len) < 0)
		fail("netlink");
	for (;;) {
		receive(&len);
		left = len;
		for (nlh = (void *)answer_buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			if (mnl_nlmsg_portid_ok(nlh, port) &&
			    mnl_nlmsg_seq_ok(nlh, sequence) &&
			    one_message(nlh, set, fn, &status))
				return status;
	}
}

int nl_listen(const char *group, const struct attr_name *set, answer_fn fn)
{
	const struct nlmsghdr *nlh;
	int status, left;
	ssize_t n;

	group_name = group;
	nl_open();
	if (!group_id) {
		fprintf(stderr, "toe: the kernel has no group «%s»\n", group);
		return EXIT_KERNEL;
	}
	if (mnl_socket_setsockopt(sock, NETLINK_ADD_MEMBERSHIP, &group_id,
				  sizeof(group_id)) < 0)
		fail(group);
	for (;;) {
		n = mnl_socket_recvfrom(sock, answer_buf, sizeof(answer_buf));
		if (n < 0 && errno == ENOBUFS) {
			fprintf(stderr, "toe: events were lost\n");
			continue;
		}
		if (n < 0)
			fail("netlink");
		left = n;
		for (nlh = (void *)answer_buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			one_message(nlh, set, fn, &status);
	}
}

/* The controller's answer: our family's number, and that of the group. */
static const struct attr_name family_attrs[] = {
	{ CTRL_ATTR_FAMILY_ID, MNL_TYPE_U16, "id" },
	{ CTRL_ATTR_MCAST_GROUPS, MNL_TYPE_NESTED, "groups" },
	{ 0, 0, NULL }
};

static const struct attr_name group_attrs[] = {
	{ CTRL_ATTR_MCAST_GRP_NAME, MNL_TYPE_NUL_STRING, "name" },
	{ CTRL_ATTR_MCAST_GRP_ID, MNL_TYPE_U32, "id" },
	{ 0, 0, NULL }
};

static void family_answer(struct nlattr **tb, const struct nlmsghdr *nlh)
{
	struct nlattr *one[ATTRS_MAX], *group;

	(void)nlh;

	if (tb[CTRL_ATTR_FAMILY_ID])
		family = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (!tb[CTRL_ATTR_MCAST_GROUPS] || !group_name)
		return;
	mnl_attr_for_each_nested(group, tb[CTRL_ATTR_MCAST_GROUPS]) {
		nl_parse(group, group_attrs, one);
		if (one[CTRL_ATTR_MCAST_GRP_NAME] && one[CTRL_ATTR_MCAST_GRP_ID] &&
		    !strcmp(mnl_attr_get_str(one[CTRL_ATTR_MCAST_GRP_NAME]), group_name))
			group_id = mnl_attr_get_u32(one[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

void nl_open(void)
{
	struct nlmsghdr *nlh;
	int one = 1;

	sock = mnl_socket_open(NETLINK_GENERIC);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
		fail("netlink");
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));

	nlh = request_to(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, TOE_FAMILY_NAME);
	quiet = true;
	nl_talk(nlh, family_attrs, family_answer);
	quiet = false;
	if (!family) {
		fprintf(stderr, "toe: this kernel has no TCP offload: is the module toe loaded?\n");
		exit(EXIT_KERNEL);
	}
}
