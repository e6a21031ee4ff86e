// SPDX-License-Identifier: GPL-2.0
/*
 * toe_xfer: the many ways to hand bytes to a socket and to get them from it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "xfer.h"

static ssize_t tx_send(struct conn *c, uint8_t *buf, size_t len)
{
	return send(c->fd, buf, len, MSG_NOSIGNAL);
}

static ssize_t tx_more(struct conn *c, uint8_t *buf, size_t len)
{
	size_t half = len > 1 ? len / 2 : len;
	ssize_t n = send(c->fd, buf, half, MSG_NOSIGNAL | (half < len ? MSG_MORE : 0));
	ssize_t m;

	if (n != (ssize_t)half || half == len)
		return n;
	m = send(c->fd, buf + half, len - half, MSG_NOSIGNAL);
	return m < 0 ? m : n + m;
}

static ssize_t tx_iov(struct conn *c, uint8_t *buf, size_t len)
{
	size_t third = len / 3;
	struct iovec iov[3] = {
		{ buf, third }, { buf + third, third },
		{ buf + 2 * third, len - 2 * third },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };

	return sendmsg(c->fd, &msg, MSG_NOSIGNAL);
}

ssize_t tx_poll(struct conn *c, uint8_t *buf, size_t len)
{
	struct pollfd p = { c->fd, POLLOUT, 0 };
	ssize_t n;

	for (;;) {
		n = send(c->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0 || errno != EAGAIN)
			return n;
		if (c->stop) {
			errno = EAGAIN;
			return -1;
		}
		poll(&p, 1, 50);
	}
}

static ssize_t tx_splice(struct conn *c, uint8_t *buf, size_t len)
{
	ssize_t n, m, done = 0;
	int p[2];

	if (pipe(p))
		return -1;
	n = write(p[1], buf, len < 65536 ? len : 65536);
	while (done < n) {
		m = splice(p[0], NULL, c->fd, NULL, n - done, 0);
		if (m <= 0) {
			done = -1;
			break;
		}
		done += m;
	}
	close(p[0]);
	close(p[1]);
	return done;
}

/* The kernel reads the buffer until it says otherwise: wait for that, however long. */
static ssize_t tx_zerocopy(struct conn *c, uint8_t *buf, size_t len)
{
	ssize_t n = send(c->fd, buf, len, MSG_NOSIGNAL | MSG_ZEROCOPY);
	struct pollfd p = { c->fd, 0, 0 };
	char control[256];

	if (n < 0 && errno == ENOBUFS)
		return tx_send(c, buf, len);
	while (n > 0 && !c->stop) {
		struct msghdr msg = {
			.msg_control = control, .msg_controllen = sizeof(control),
		};

		if (recvmsg(c->fd, &msg, MSG_ERRQUEUE) >= 0)
			return n;
		poll(&p, 1, 100);
	}
	return n;
}

static ssize_t rx_recv(struct conn *c, uint8_t *buf, size_t len)
{
	return recv(c->fd, buf, len, 0);
}

static ssize_t rx_waitall(struct conn *c, uint8_t *buf, size_t len)
{
	uint64_t left = rx_total(c) - c->received;

	return recv(c->fd, buf, left && left < len ? left : len, MSG_WAITALL);
}

static ssize_t rx_peek(struct conn *c, uint8_t *buf, size_t len)
{
	static __thread uint8_t again[4096];
	ssize_t n, m;

	n = recv(c->fd, buf, len < sizeof(again) ? len : sizeof(again), MSG_PEEK);
	if (n <= 0)
		return n;
	m = recv(c->fd, again, n, 0);
	if (m < 0 || memcmp(buf, again, m))
		fail(c, "MSG_PEEK showed other bytes at %llu than recv()",
		     (unsigned long long)c->received);
	return m;
}

static ssize_t rx_iov(struct conn *c, uint8_t *buf, size_t len)
{
	struct iovec iov[2] = { { buf, len / 3 }, { buf + len / 3, len - len / 3 } };

	return readv(c->fd, iov, 2);
}

static ssize_t rx_poll(struct conn *c, uint8_t *buf, size_t len)
{
	struct pollfd p = { c->fd, POLLIN, 0 };
	ssize_t n;

	for (;;) {
		n = recv(c->fd, buf, len, MSG_DONTWAIT);
		if (n >= 0 || errno != EAGAIN)
			return n;
		poll(&p, 1, -1);
	}
}

static ssize_t rx_splice(struct conn *c, uint8_t *buf, size_t len)
{
	ssize_t n, m, done = 0;
	int p[2];

	if (pipe(p))
		return -1;
	n = splice(c->fd, NULL, p[1], NULL, len < 65536 ? len : 65536, 0);
	while (done < n) {
		m = read(p[0], buf + done, n - done);
		if (m <= 0)
			break;
		done += m;
	}
	close(p[0]);
	close(p[1]);
	return n <= 0 ? n : done;
}

static const io_fn tx_kinds[] = {
	tx_send, tx_send, tx_more, tx_iov, tx_poll, tx_splice, tx_zerocopy,
};

static const io_fn rx_kinds[] = {
	rx_recv, rx_recv, rx_waitall, rx_peek, rx_iov, rx_poll, rx_splice,
};

#define PICK(kinds, state) kinds[rnd(state) % (sizeof(kinds) / sizeof(kinds[0]))]

io_fn io_pick_tx(uint64_t *state, uint32_t mixed)
{
	if (mixed == MIXED_ZEROCOPY)
		return tx_zerocopy;
	return mixed ? PICK(tx_kinds, state) : tx_send;
}

io_fn io_pick_rx(uint64_t *state, uint32_t mixed)
{
	return mixed ? PICK(rx_kinds, state) : rx_recv;
}
