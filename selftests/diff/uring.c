// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: io_uring, by its system calls.
 */
#define _GNU_SOURCE
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tables.h"

#define ENTRIES		32

struct ring {
	int fd;
	unsigned int *sq_head, *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int pending;
};

static struct ring r;
static char buf[200000];

static bool ring_open(void)
{
	struct io_uring_params p = {};
	size_t size;
	char *map;

	r.fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (r.fd < 0) {
		noted("io_uring_setup", -1);
		return false;
	}
	size = p.sq_off.array + p.sq_entries * sizeof(int);
	if (size < p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe))
		size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r.fd,
		   IORING_OFF_SQ_RING);
	r.sqes = mmap(NULL, p.sq_entries * sizeof(*r.sqes), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE, r.fd, IORING_OFF_SQES);
	if (map == MAP_FAILED || r.sqes == MAP_FAILED) {
		trouble("io_uring's memory: %m");
		return false;
	}
	r.sq_head = (void *)(map + p.sq_off.head);
	r.sq_tail = (void *)(map + p.sq_off.tail);
	r.sq_mask = (void *)(map + p.sq_off.ring_mask);
	r.sq_array = (void *)(map + p.sq_off.array);
	r.cq_head = (void *)(map + p.cq_off.head);
	r.cq_tail = (void *)(map + p.cq_off.tail);
	r.cq_mask = (void *)(map + p.cq_off.ring_mask);
	r.cqes = (void *)(map + p.cq_off.cqes);
	return true;
}

/* The next free entry; @tag comes back with its completion. */
static struct io_uring_sqe *entry(int op, int fd, void *at, size_t len, int tag)
{
	unsigned int tail = *r.sq_tail, i = tail & *r.sq_mask;
	struct io_uring_sqe *e = &r.sqes[i];

	memset(e, 0, sizeof(*e));
	e->opcode = op;
	e->fd = fd;
	e->addr = (uintptr_t)at;
	e->len = len;
	e->user_data = tag;
	r.sq_array[i] = i;
	__atomic_store_n(r.sq_tail, tail + 1, __ATOMIC_RELEASE);
	r.pending++;
	return e;
}

static void submit(void)
{
	syscall(SYS_io_uring_enter, r.fd, r.pending, 0, 0, NULL, 0);
	r.pending = 0;
}

/* The next completion; false after a while without one. */
static bool completion(struct io_uring_cqe *c)
{
	struct pollfd p = { r.fd, POLLIN, 0 };

	if (*r.cq_head == __atomic_load_n(r.cq_tail, __ATOMIC_ACQUIRE))
		poll(&p, 1, 10000 * run.slow);
	if (*r.cq_head == __atomic_load_n(r.cq_tail, __ATOMIC_ACQUIRE)) {
		say("no completion");
		return false;
	}
	*c = r.cqes[*r.cq_head & *r.cq_mask];
	__atomic_store_n(r.cq_head, *r.cq_head + 1, __ATOMIC_RELEASE);
	return true;
}

static int note_completion(void)
{
	struct io_uring_cqe c;

	if (!completion(&c))
		return -1;
	if (c.res < 0)
		say("completion %d: %s", (int)c.user_data, strerrorname_np(-c.res));
	else
		say("completion %d: %d", (int)c.user_data, c.res);
	return c.res;
}

/* Two that race: noted in the order of their tags. */
static void note_both(void)
{
	struct io_uring_cqe c[2];
	int first;

	if (!completion(&c[0]) || !completion(&c[1]))
		return;
	first = c[0].user_data > c[1].user_data;
	say("completions %d: %d, %d: %d", (int)c[first].user_data, c[first].res,
	    (int)c[!first].user_data, c[!first].res);
}

/* The peer: ten bytes per meeting, then all that is sent to it. */
static void ten_each(int fd)
{
	meet();
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	TRY(send(fd, "abcdefghij", 10, 0));
	meet();
	drain(fd);
}

static void uring_send_recv(int fd)
{
	if (!ring_open())
		return;
	fill(buf, 10000);
	entry(IORING_OP_SEND, fd, buf, 5000, 1);
	submit();
	note_completion();
	entry(IORING_OP_WRITE, fd, buf + 5000, 5000, 2)->off = -1;
	submit();
	note_completion();
	entry(IORING_OP_RECV, fd, buf, 100, 3);
	submit();
	meet();
	note_completion();
	meet();
	AWAIT(queued(fd) == 10);
	entry(IORING_OP_RECV, fd, buf, 4, 4)->msg_flags = MSG_PEEK;
	submit();
	note_completion();
	entry(IORING_OP_READ, fd, buf, 4, 5)->off = -1;
	submit();
	note_completion();
	entry(IORING_OP_RECV, fd, buf, 100, 6)->msg_flags = MSG_DONTWAIT;
	submit();
	note_completion();
	entry(IORING_OP_RECV, fd, buf, 100, 7)->msg_flags = MSG_DONTWAIT;
	submit();
	note_completion();
	entry(IORING_OP_RECV, fd, nowhere, 100, 8);
	submit();
	meet();
	entry(IORING_OP_SHUTDOWN, fd, NULL, SHUT_WR, 9);
	submit();
	/* The peer's end may be here before the worker has told of ours. */
	note_both();
}

static void uring_msg(int fd)
{
	struct iovec out[2] = { { buf, 10 }, { buf + 10, 20000 } }, in = { buf, 100 };
	struct msghdr send_msg = { .msg_iov = out, .msg_iovlen = 2 };
	struct msghdr recv_msg = { .msg_iov = &in, .msg_iovlen = 1 };

	if (!ring_open())
		return;
	fill(buf, 20010);
	entry(IORING_OP_SENDMSG, fd, &send_msg, 1, 1);
	submit();
	note_completion();
	entry(IORING_OP_RECVMSG, fd, &recv_msg, 1, 2);
	submit();
	meet();
	note_completion();
	entry(IORING_OP_RECVMSG, fd, &recv_msg, 1, 3);
	submit();
	meet();
	note_completion();
	meet();
}

/* One request, many completions, buffers of the ring's own choice. */
static void uring_multishot(int fd)
{
	struct io_uring_cqe c;
	int i, total = 0, ends = 0;

	if (!ring_open())
		return;
	entry(IORING_OP_PROVIDE_BUFFERS, 8, buf, 64, 1)->buf_group = 7;
	submit();
	TRY(note_completion());
	{
		struct io_uring_sqe *e = entry(IORING_OP_RECV, fd, NULL, 0, 2);

		e->ioprio = IORING_RECV_MULTISHOT;
		e->flags = IOSQE_BUFFER_SELECT;
		e->buf_group = 7;
	}
	submit();
	for (i = 0; i < 2; i++) {
		meet();
		if (!completion(&c))
			return;
		total += c.res;
		say("%d bytes, a buffer %d, more %d", c.res,
		    !!(c.flags & IORING_CQE_F_BUFFER), !!(c.flags & IORING_CQE_F_MORE));
	}
	meet();
	entry(IORING_OP_ASYNC_CANCEL, -1, NULL, 0, 3)->addr = 2;
	submit();
	for (i = 0; i < 2 && completion(&c); i++)
		ends += c.user_data == 2 && c.res == -ECANCELED;
	say("total %d, cancelled %d", total, ends);
}

#ifndef IORING_CQE_F_NOTIF
#define IORING_CQE_F_NOTIF	(1U << 3)
#endif

/* Two completions: what was sent, and that the memory is free again. */
static void uring_zerocopy(int fd)
{
	struct io_uring_cqe c;
	int i, result = 0, more = 0, notes = 0;

	if (!ring_open())
		return;
	fill(buf, 100000);
	for (i = 0; i < 3; i++) {
		entry(IORING_OP_SEND_ZC, fd, buf + i * 30000, 30000, i);
		submit();
		do {
			if (!completion(&c))
				return;
			if (c.flags & IORING_CQE_F_NOTIF) {
				notes++;
			} else {
				result += c.res;
				more += !!(c.flags & IORING_CQE_F_MORE);
			}
		} while (notes <= i);
	}
	say("sent %d, announced %d, notified %d", result, more, notes);
	entry(IORING_OP_SEND_ZC, fd, nowhere, 100, 9);
	submit();
	note_completion();
}

/* A ULP takes SEND_ZC away; ours doesn't. */
static void uring_flagged(int fd)
{
	flag(fd);
	await_card(fd);
	uring_zerocopy(fd);
}

static void uring_poll(int fd)
{
	if (!ring_open())
		return;
	entry(IORING_OP_POLL_ADD, fd, NULL, 0, 1)->poll32_events = POLLIN;
	submit();
	meet();
	note_completion();
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, 0));
	entry(IORING_OP_POLL_ADD, fd, NULL, 0, 2)->poll32_events = POLLIN;
	entry(IORING_OP_POLL_REMOVE, -1, NULL, 0, 3)->addr = 2;
	submit();
	{
		int a = note_completion(), b = note_completion();

		say("%d %d", a == -ECANCELED || b == -ECANCELED, a == 0 || b == 0);
	}
	meet();
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));
}

/* A linked time-out ends a recv that nobody feeds. */
static void uring_timeout(int fd)
{
	struct __kernel_timespec ts = { 0, 200000000 };
	struct io_uring_cqe c;
	int i, cancelled = 0, timed = 0;

	if (!ring_open())
		return;
	entry(IORING_OP_RECV, fd, buf, 100, 1)->flags = IOSQE_IO_LINK;
	entry(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 2);
	submit();
	for (i = 0; i < 2 && completion(&c); i++) {
		cancelled += c.user_data == 1 && (c.res == -ECANCELED || c.res == -EINTR);
		timed += c.user_data == 2 && c.res == -ETIME;
	}
	say("cancelled %d timed out %d", cancelled, timed);
	meet();
	meet();
	meet();
	TRY(recv(fd, buf, 20, MSG_WAITALL));
}

/* A chain: send, send, recv, and close at its end. */
static void uring_chain(int fd)
{
	int i, two = dup(fd);

	if (!ring_open())
		return;
	fill(buf, 3000);
	meet();
	AWAIT(queued(fd) == 10);
	entry(IORING_OP_SEND, two, buf, 1000, 1)->flags = IOSQE_IO_LINK;
	entry(IORING_OP_SEND, two, buf + 1000, 2000, 2)->flags = IOSQE_IO_LINK;
	entry(IORING_OP_RECV, two, buf, 100, 3)->flags = IOSQE_IO_LINK;
	entry(IORING_OP_CLOSE, two, NULL, 0, 4);
	submit();
	for (i = 0; i < 4; i++)
		note_completion();
	TRY(recv(two, buf, 1, 0));
	meet();
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));
}

const struct scenario uring_table[] = {
	{ "uring", uring_send_recv, ten_each, RECALLS, "shutdown", 0,
	  "io_uring SEND, RECV, WRITE, READ, SHUTDOWN" },
	{ "uring_msg", uring_msg, ten_each, CARRIED, NULL, 0, "io_uring SENDMSG, RECVMSG" },
	{ "uring_multishot", uring_multishot, ten_each, CARRIED, NULL, 0,
	  "io_uring RECV, multishot" },
	{ "uring_zerocopy", uring_zerocopy, NULL, CARRIED, NULL, 0, "io_uring SEND_ZC" },
	{ "uring_flagged", uring_flagged, NULL, RECALLS, "sockopt", 0,
	  "io_uring SEND_ZC, flagged by TCP_ULP toe" },
	{ "uring_poll", uring_poll, ten_each, CARRIED, NULL, 0, "io_uring POLL_ADD" },
	{ "uring_timeout", uring_timeout, ten_each, CARRIED, NULL, 0,
	  "io_uring LINK_TIMEOUT" },
	{ "uring_chain", uring_chain, ten_each, CARRIED, NULL, 0,
	  "io_uring, linked requests" },
	{ }
};
