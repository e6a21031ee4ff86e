// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: the ways to send.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tables.h"

static char buf[200000];

static void send_plain(int fd)
{
	fill(buf, sizeof(buf));
	TRY(send(fd, buf, 1, 0));
	TRY(send(fd, buf + 1, 0, 0));
	TRY(send(fd, buf + 1, 1447, 0));
	TRY(send(fd, buf + 1448, 1448, 0));
	TRY(send(fd, buf + 2896, 100000, 0));
	AWAIT(!unacked(fd));
}

static void send_to(int fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(1) };

	to.sin_addr.s_addr = htonl(0xc0000201);	/* documentation's */
	fill(buf, 300);
	TRY(sendto(fd, buf, 100, 0, NULL, 0));
	TRY(sendto(fd, buf + 100, 100, 0, (void *)&to, sizeof(to)));
	TRY(sendto(fd, buf + 200, 100, MSG_CONFIRM, (void *)&to, sizeof(to)));
	TRY(sendto(fd, buf, 100, MSG_FASTOPEN, (void *)&to, sizeof(to)));
	TRY(sendto(fd, buf, 100, 0, nowhere, sizeof(to)));
}

static void send_msg(int fd)
{
	struct iovec iov[4] = {
		{ buf, 1000 }, { buf, 0 }, { buf + 1000, 1 }, { buf + 1001, 70000 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 4 };

	fill(buf, sizeof(buf));
	TRY(sendmsg(fd, &msg, 0));
	msg.msg_iovlen = 0;
	TRY(sendmsg(fd, &msg, 0));
	msg.msg_iovlen = 1;
	iov[0].iov_base = nowhere;
	TRY(sendmsg(fd, &msg, 0));
	TRY(sendmsg(fd, nowhere, 0));
	msg.msg_iovlen = 100000;
	TRY(sendmsg(fd, &msg, 0));
}

static void send_mmsg(int fd)
{
	struct iovec iov[3] = { { buf, 10 }, { buf + 10, 20 }, { buf + 30, 30000 } };
	struct mmsghdr msgs[3] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[2], .msg_iovlen = 1 } },
	};

	fill(buf, 30030);
	TRY(sendmmsg(fd, msgs, 3, 0));
	say("%u %u %u", msgs[0].msg_len, msgs[1].msg_len, msgs[2].msg_len);
	iov[2].iov_base = nowhere;
	TRY(sendmmsg(fd, msgs, 3, MSG_MORE));
}

static void send_write(int fd)
{
	struct iovec iov[2] = { { buf + 4096, 5000 }, { buf + 9096, 1 } };

	fill(buf, sizeof(buf));
	TRY(write(fd, buf, 4096));
	TRY(writev(fd, iov, 2));
	TRY(pwrite(fd, buf, 10, 0));
	TRY(pwritev2(fd, iov, 1, -1, 0));
	TRY(pwritev2(fd, iov, 1, -1, RWF_NOWAIT));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(write(fd, nowhere, 1));
}

static int file_of(size_t len)
{
	char *b = malloc(len);
	int file = memfd_create("diff", 0);

	fill(b, len);
	if (write(file, b, len) != (ssize_t)len)
		trouble("no file");
	free(b);
	return file;
}

static void send_file(int fd)
{
	int file = file_of(1000000);
	off_t at = 10;

	TRY(sendfile(fd, file, &at, 1));
	TRY(sendfile(fd, file, &at, 9000));
	say("offset %ld", (long)at);
	TRY(sendfile(fd, file, NULL, 500000));
	TRY(sendfile(fd, file, NULL, 5000000));
	TRY(sendfile(fd, file, NULL, 1));
	TRY(sendfile(file, fd, NULL, 1));
	close(file);
}

static void send_splice(int fd)
{
	int file = file_of(50000), p[2];

	TRY(pipe(p));
	TRY(splice(p[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK));
	TRY(splice(file, &(loff_t){ 0 }, p[1], NULL, 50000, 0));
	TRY(splice(p[0], NULL, fd, NULL, 20000, SPLICE_F_MORE));
	TRY(splice(p[0], NULL, fd, NULL, 20000, SPLICE_F_MOVE));
	TRY(splice(p[0], NULL, fd, NULL, 20000, SPLICE_F_NONBLOCK));
	TRY(splice(p[0], NULL, fd, &(loff_t){ 0 }, 1, 0));
	close(p[1]);
	TRY(splice(p[0], NULL, fd, NULL, 1, 0));
	close(p[0]);
	close(file);
}

static void send_vmsplice(int fd)
{
	char *page = aligned_alloc(4096, 8 * 4096);
	struct iovec iov = { page, 8 * 4096 };
	int p[2];

	fill(page, 8 * 4096);
	TRY(pipe(p));
	TRY(vmsplice(p[1], &iov, 1, SPLICE_F_GIFT));
	TRY(splice(p[0], NULL, fd, NULL, 5000, SPLICE_F_MORE));
	TRY(splice(p[0], NULL, fd, NULL, 8 * 4096, 0));
	AWAIT(!unacked(fd));
	close(p[0]);
	close(p[1]);
}

static void send_more(int fd)
{
	struct timespec now;

	fill(buf, 10000);
	clock_gettime(CLOCK_MONOTONIC, &now);
	TRY(send(fd, buf, 100, MSG_MORE));
	note_held(unsent(fd), 100, &now);
	TRY(send(fd, buf + 100, 100, 0));
	AWAIT(!unacked(fd));
	meet();
	TRY(send(fd, buf + 200, 100, MSG_MORE));
	/* Nobody completes it: the stack gives up waiting after 200 ms. */
	AWAIT(!unacked(fd));
	meet();
}

static void send_more_peer(int fd)
{
	want(fd, 200);
	meet();
	want(fd, 100);
	meet();
	drain(fd);
}

static void send_full(int fd)
{
	int one = fresh();
	long total;

	(void)fd;
	small_buffers(one);
	meet();
	TRY(dial(one, 0));
	await_card(one);
	total = stuff(one);
	TRY(send(one, buf, 1, MSG_DONTWAIT));
	TRY(poll(&(struct pollfd){ one, POLLOUT, 0 }, 1, 0));
	meet();
	send_value(total);
	TRY(poll(&(struct pollfd){ one, POLLOUT, 0 }, 1, 20000));
	close(one);
}

static void send_full_peer(int fd)
{
	int listener, one;
	long total;

	(void)fd;
	listener = listen_at(0, 8);
	set_int(listener, SOL_SOCKET, SO_RCVBUF, 32768);
	meet();
	one = accept(listener, NULL, NULL);
	meet();
	total = other_value();
	while (total > 0) {
		size_t n = total < 4096 ? total : 4096;

		if (recv(one, buf, n, MSG_WAITALL) != (ssize_t)n)
			break;
		total -= n;
	}
	say("all came: %d", total == 0);
	TRY(recv(one, buf, 1, 0));
	close(one);
}

static volatile int pipes;

static void on_pipe(int sig)
{
	(void)sig;
	pipes++;
}

static void send_sigpipe(int fd)
{
	signal(SIGPIPE, on_pipe);
	meet();
	AWAIT(poll(&(struct pollfd){ fd, 0, 0 }, 1, 0) == 1);
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	say("signals %d", pipes);
	TRY(send(fd, buf, 1, 0));
	say("signals %d", pipes);
	TRY(write(fd, buf, 1));
	say("signals %d", pipes);
	NOTE(fd, SOL_SOCKET, SO_ERROR);
}

static void peer_abort(int fd)
{
	struct linger linger = { 1, 0 };

	meet();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void send_oob(int fd)
{
	TRY(send(fd, "abc", 3, 0));
	TRY(send(fd, "!", 1, MSG_OOB));
	TRY(send(fd, "def", 3, 0));
	meet();
	TRY(send(fd, "12?", 3, MSG_OOB));
	meet();
}

static void send_oob_peer(int fd)
{
	char text[16] = "";

	AWAIT(poll(&(struct pollfd){ fd, POLLPRI, 0 }, 1, 0) == 1);
	TRY(recv(fd, text, 1, MSG_OOB));
	say("urgent: %s", text);
	AWAIT(queued(fd) == 3);
	memset(text, 0, sizeof(text));
	TRY(recv(fd, text, sizeof(text) - 1, 0));
	TRY(recv(fd, text + 3, 3, MSG_WAITALL));
	say("stream: %s", text);
	meet();
	AWAIT(poll(&(struct pollfd){ fd, POLLPRI, 0 }, 1, 0) == 1);
	TRY(recv(fd, text, 1, MSG_OOB));
	say("urgent: %c", text[0]);
	meet();
	drain(fd);
}

static void send_flags(int fd)
{
	fill(buf, 400);
	TRY(send(fd, buf, 100, MSG_EOR));
	TRY(send(fd, buf + 100, 100, MSG_DONTROUTE));
	TRY(send(fd, buf + 200, 100, MSG_PEEK | MSG_TRUNC));
	TRY(send(fd, nowhere, 100, 0));
	TRY(send(fd, NULL, 0, 0));
	TRY(send(-1, buf, 1, 0));
	TRY(send(0, buf, 1, 0));
}

/* How many segments with payload has this end received? */
static long data_segments(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info.tcpi_data_segs_in;
}

/* Records, held back and let go at once: each in a segment of its own all the same. */
static void send_eor(int fd)
{
	int i;

	fill(buf, 4000);
	set_int(fd, SOL_TCP, TCP_CORK, 1);
	for (i = 0; i < 20; i++)
		TRY(send(fd, buf + 100 * i, 100, MSG_EOR));
	set_int(fd, SOL_TCP, TCP_CORK, 0);
	AWAIT(!unacked(fd));
	meet();
	meet();
	/* Without it they are joined. */
	set_int(fd, SOL_TCP, TCP_CORK, 1);
	for (i = 20; i < 40; i++)
		TRY(send(fd, buf + 100 * i, 100, MSG_MORE));
	set_int(fd, SOL_TCP, TCP_CORK, 0);
	AWAIT(!unacked(fd));
	meet();
}

static void send_eor_peer(int fd)
{
	long before;

	want(fd, 2000);
	meet();
	before = data_segments(fd);
	say("a segment for each record: %d", before >= 20);
	meet();
	want(fd, 2000);
	meet();
	say("fewer: %d", data_segments(fd) - before < 20);
	drain(fd);
}

/* Completions until @last: ranges join or not as it happens, codes don't. */
static void completions(int fd, unsigned int last)
{
	unsigned int next = 0;

	while (next <= last) {
		struct sock_extended_err *e;
		struct msghdr msg = {};
		char control[256];
		struct cmsghdr *c;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		if (!AWAIT(poll(&(struct pollfd){ fd, 0, 0 }, 1, 0) == 1))
			return;
		if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0) {
			noted("recvmsg", -1);
			return;
		}
		c = CMSG_FIRSTHDR(&msg);
		e = (void *)CMSG_DATA(c);
		if (next != e->ee_info)
			say("completion of %u, not of %u", e->ee_info, next);
		for (; next <= e->ee_data; next++)
			say("completion %u: level %d type %d origin %d errno %d copied %d flags %x",
			    next, c->cmsg_level, c->cmsg_type, e->ee_origin,
			    e->ee_errno, e->ee_code, msg.msg_flags);
	}
}

static void send_zerocopy(int fd)
{
	char *page = aligned_alloc(4096, 40 * 4096);

	fill(page, 40 * 4096);
	set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	TRY(recvmsg(fd, &(struct msghdr){}, MSG_ERRQUEUE));
	TRY(send(fd, page, 100, MSG_ZEROCOPY));
	TRY(send(fd, page + 100, 10000, MSG_ZEROCOPY));
	completions(fd, 1);
	TRY(send(fd, page + 10100, 30000, MSG_ZEROCOPY));
	TRY(send(fd, page + 40100, 1000, 0));
	TRY(send(fd, page + 41100, 100000, MSG_ZEROCOPY | MSG_MORE));
	TRY(send(fd, page + 141100, 4096, MSG_ZEROCOPY));
	completions(fd, 4);
	TRY(recvmsg(fd, &(struct msghdr){}, MSG_ERRQUEUE));
}

static void send_zerocopy_unset(int fd)
{
	fill(buf, 20000);
	TRY(send(fd, buf, 20000, MSG_ZEROCOPY));
	AWAIT(!unacked(fd));
	TRY(recvmsg(fd, &(struct msghdr){}, MSG_ERRQUEUE));
}

/* The memory changes only after the completion: the peer sees what was. */
static void send_zerocopy_reuse(int fd)
{
	char *page = aligned_alloc(4096, 16384);
	int i;

	set_int(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	for (i = 0; i < 8; i++) {
		struct msghdr msg = {};
		char control[256];

		fill(page, 16384);
		if (send(fd, page, 16384, MSG_ZEROCOPY) != 16384)
			say("short");
		do {
			poll(&(struct pollfd){ fd, 0, 0 }, 1, 1000);
			msg.msg_control = control;
			msg.msg_controllen = sizeof(control);
		} while (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0);
	}
	say("eight times");
}

static void send_closed(int fd)
{
	give(fd, 5000);
	TRY(shutdown(fd, SHUT_WR));
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	TRY(sendfile(fd, file_of(100), NULL, 100));
	meet();
	want(fd, 3000);
	TRY(recv(fd, buf, 1, 0));
}

static void send_closed_peer(int fd)
{
	drain(fd);
	meet();
	give(fd, 3000);
}

static void send_big(int fd)
{
	give(fd, 4 << 20);
	TRY(shutdown(fd, SHUT_WR));
	TRY(recv(fd, buf, 1, 0));
}

/* Ancillary data: one that is known, one that isn't, one that needs the stack. */
static void send_cmsg(int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {};
	struct iovec iov = { buf, 100 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u),
	};

	fill(buf, 100);
	u.align.cmsg_len = CMSG_LEN(sizeof(int));
	u.align.cmsg_level = SOL_SOCKET;
	u.align.cmsg_type = 12345;
	TRY(sendmsg(fd, &msg, 0));
	u.align.cmsg_type = SCM_RIGHTS;
	TRY(sendmsg(fd, &msg, 0));
	u.align.cmsg_type = SO_MARK;
	TRY(sendmsg(fd, &msg, 0));
}

/* A time stamp of one send: the stack makes it, so the stack has to send. */
static void send_cmsg_tstamp(int fd)
{
	char control[256], data[256];
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {};
	struct iovec iov = { buf, 100 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &u, .msg_controllen = sizeof(u),
	};
	struct cmsghdr *c;

	set_int(fd, SOL_SOCKET, SO_TIMESTAMPING,
		SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY);
	fill(buf, 100);
	u.align.cmsg_len = CMSG_LEN(sizeof(int));
	u.align.cmsg_level = SOL_SOCKET;
	u.align.cmsg_type = SO_TIMESTAMPING;
	*(int *)CMSG_DATA(&u.align) = SOF_TIMESTAMPING_TX_SOFTWARE;
	TRY(sendmsg(fd, &msg, 0));
	if (!AWAIT(poll(&(struct pollfd){ fd, 0, 0 }, 1, 0) == 1))
		return;
	iov = (struct iovec){ data, sizeof(data) };
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	TRY(recvmsg(fd, &msg, MSG_ERRQUEUE));
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		say("level %d type %d", c->cmsg_level, c->cmsg_type);
}

const struct scenario send_table[] = {
	{ "send", send_plain, NULL, CARRIED, NULL, 0, "send" },
	{ "send_v6", send_plain, NULL, CARRIED, NULL, V6, "send, IPv6" },
	{ "send_accepted", send_plain, NULL, CARRIED, NULL, PASSIVE, "send" },
	{ "sendto", send_to, NULL, CARRIED, NULL, 0, "sendto" },
	{ "sendmsg", send_msg, NULL, CARRIED, NULL, 0, "sendmsg" },
	{ "sendmmsg", send_mmsg, NULL, CARRIED, NULL, 0, "sendmmsg" },
	{ "write", send_write, NULL, CARRIED, NULL, 0, "write, writev, pwritev2" },
	{ "sendfile", send_file, NULL, CARRIED, NULL, 0, "sendfile" },
	{ "splice_out", send_splice, NULL, CARRIED, NULL, 0, "splice to the socket" },
	{ "vmsplice_out", send_vmsplice, NULL, CARRIED, NULL, 0, "vmsplice, splice" },
	{ "send_more", send_more, send_more_peer, CARRIED, NULL, 0, "MSG_MORE" },
	{ "send_full", send_full, send_full_peer, CARRIED, NULL, NOCONN,
	  "MSG_DONTWAIT against a closed window" },
	{ "send_sigpipe", send_sigpipe, peer_abort, RECALLS, "rst", 0,
	  "MSG_NOSIGNAL, SIGPIPE" },
	{ "send_oob", send_oob, send_oob_peer, RECALLS, "oob", 0, "MSG_OOB" },
	{ "send_flags", send_flags, NULL, CARRIED, NULL, 0, "MSG_EOR and others" },
	{ "send_eor", send_eor, send_eor_peer, CARRIED, NULL, 0, "MSG_EOR" },
	{ "send_zerocopy", send_zerocopy, NULL, CARRIED, NULL, 0, "MSG_ZEROCOPY" },
	{ "send_zerocopy_unset", send_zerocopy_unset, NULL, CARRIED, NULL, 0,
	  "MSG_ZEROCOPY without SO_ZEROCOPY" },
	{ "send_zerocopy_reuse", send_zerocopy_reuse, NULL, CARRIED, NULL, 0,
	  "MSG_ZEROCOPY, memory used again" },
	{ "send_closed", send_closed, send_closed_peer, RECALLS, "shutdown", 0,
	  "send after shutdown" },
	{ "send_big", send_big, NULL, CARRIED, NULL, 0, "send, 4 MiB" },
	{ "send_cmsg", send_cmsg, NULL, CARRIED, NULL, 0, "sendmsg, ancillary data" },
	{ "send_cmsg_tstamp", send_cmsg_tstamp, NULL, RECALLS, "tstamp", 0,
	  "SCM_TIMESTAMPING of one send" },
	{ }
};
