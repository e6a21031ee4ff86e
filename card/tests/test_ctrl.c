/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Messages between front and device process: all their bytes, descriptors, and ends. */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../device/process.h"
#include "kit.h"

static int a, b;

static void connect_both(void)
{
	int sv[2], bytes = 16384;

	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv));
	a = sv[0];
	b = sv[1];
	setsockopt(a, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static void done(void)
{
	close(a);
	close(b);
}

static const struct card_ctrl message = {
	.type = CARD_CTRL_MAP, .seq = 0x12345678, .a = UINT64_C(1) << 63, .b = 2, .c = 3,
	.flags = 4, .rsvd = 5,
};

static void descriptors_go_along(void)
{
	int fds[CARD_CTRL_FDS], got[CARD_CTRL_FDS];
	struct card_ctrl m;
	unsigned int n, i, count;
	uint64_t val;

	connect_both();
	for (i = 0; i < CARD_CTRL_FDS; i++)
		fds[i] = eventfd(100 + i, 0);
	for (n = 0; n <= CARD_CTRL_FDS; n++) {
		memset(&m, 0, sizeof(m));
		count = 99;
		CHECK_EQ(card_ctrl_recv(b, &m, got, &count), 0);
		CHECK_EQ(count, 0);
		CHECK_EQ(card_ctrl_send(a, &message, fds, n), 0);
		CHECK_EQ(card_ctrl_recv(b, &m, got, &count), 1);
		CHECK_EQ(count, n);
		CHECK(!memcmp(&m, &message, sizeof(m)));
		for (i = 0; i < n; i++) {
			val = 0;
			CHECK(read(got[i], &val, 8) == 8);
			CHECK_EQ(val, 100 + i);
			CHECK(write(got[i], &val, 8) == 8);
			close(got[i]);
		}
	}
	for (i = 0; i < CARD_CTRL_FDS; i++)
		close(fds[i]);
	done();
}

static void neither_side_blocks(void)
{
	int got[CARD_CTRL_FDS], res;
	unsigned int sent = 0, seen = 0, n;
	struct card_ctrl m;

	connect_both();
	while (!(res = card_ctrl_send(a, &message, NULL, 0)))
		CHECK(++sent < 10000);
	CHECK_EQ(res, -EAGAIN);
	while (card_ctrl_recv(b, &m, got, &n) > 0)
		seen++;
	CHECK_EQ(seen, sent);
	done();
}

static void the_other_side_may_be_gone(void)
{
	int got[CARD_CTRL_FDS];
	struct card_ctrl m;
	unsigned int n;

	connect_both();
	CHECK(send(a, &message, sizeof(message) - 1, 0) > 0);	/* no message of ours */
	CHECK_EQ(card_ctrl_recv(b, &m, got, &n), -EPIPE);
	close(b);
	b = eventfd(0, 0);
	CHECK_EQ(card_ctrl_send(a, &message, NULL, 0), -EPIPE);
	CHECK_EQ(card_ctrl_recv(a, &m, got, &n), -EPIPE);
	CHECK_EQ(n, 0);
	close(a);
	a = eventfd(0, 0);
	CHECK_EQ(card_ctrl_recv(a, &m, got, &n), -ENOTSOCK);
	CHECK_EQ(card_ctrl_send(a, &message, NULL, 0), -ENOTSOCK);
	done();
}

static const struct kit_test tests[] = {
	KIT_TEST(descriptors_go_along),
	KIT_TEST(neither_side_blocks),
	KIT_TEST(the_other_side_may_be_gone),
};
KIT_MAIN(tests)
