// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: the ways to receive.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tables.h"

static char buf[200000];

static void note_text(const char *what, ssize_t n)
{
	say("%s: %.*s", what, n > 0 ? (int)n : 0, buf);
}

/* The peer: one piece per meeting. */
static void peer_pieces(int fd)
{
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	TRY(send(fd, "abcdefghij", 10, 0));
	meet();
}

static void recv_plain(int fd)
{
	AWAIT(queued(fd) == 10);
	note_text("recv", TRY(recv(fd, buf, 4, 0)));
	note_text("recv", TRY(recv(fd, buf, 100, 0)));
	TRY(recv(fd, buf, 100, MSG_DONTWAIT));
	TRY(recv(fd, buf, 0, MSG_DONTWAIT));
	meet();
	note_text("recv", TRY(recv(fd, buf, 100, 0)));
	meet();
	TRY(recv(fd, buf, 100, 0));
}

static void recv_from(int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);

	AWAIT(queued(fd) == 10);
	TRY(recvfrom(fd, buf, 4, 0, (void *)&from, &len));
	say("address length %u", len);
	TRY(read(fd, buf, 2));
	TRY(readv(fd, &(struct iovec){ buf, 100 }, 1));
	meet();
	AWAIT(queued(fd) == 10);
	TRY(preadv2(fd, &(struct iovec){ buf, 3 }, 1, -1, RWF_NOWAIT));
	TRY(pread(fd, buf, 3, 0));
	TRY(read(fd, buf, 100));
	meet();
}

static void recv_msg(int fd)
{
	struct iovec iov[3] = { { buf, 3 }, { buf + 10, 0 }, { buf + 20, 4 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	char name[64], control[64];

	msg.msg_name = name;
	msg.msg_namelen = sizeof(name);
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	AWAIT(queued(fd) == 10);
	TRY(recvmsg(fd, &msg, 0));
	say("flags %x name %u control %zu: %.3s %.4s", msg.msg_flags, msg.msg_namelen,
	    msg.msg_controllen, buf, buf + 20);
	TRY(recvmsg(fd, nowhere, 0));
	iov[0].iov_base = nowhere;
	TRY(recvmsg(fd, &msg, 0));
	TRY(queued(fd));
	TRY(recv(fd, buf, 100, 0));
	meet();
	meet();
}

static void recv_mmsg(int fd)
{
	struct iovec iov[3] = { { buf, 4 }, { buf + 10, 4 }, { buf + 20, 4 } };
	struct mmsghdr msgs[3] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[2], .msg_iovlen = 1 } },
	};
	struct timespec ts = { 20, 0 };

	AWAIT(queued(fd) == 10);
	TRY(recvmmsg(fd, msgs, 3, 0, NULL));
	say("%u %u %u", msgs[0].msg_len, msgs[1].msg_len, msgs[2].msg_len);
	TRY(recvmmsg(fd, msgs, 3, MSG_DONTWAIT, NULL));
	meet();
	AWAIT(queued(fd) == 10);
	TRY(recvmmsg(fd, msgs, 2, MSG_WAITFORONE, &ts));
	TRY(recv(fd, buf, 100, 0));
	meet();
}

static void recv_peek(int fd)
{
	AWAIT(queued(fd) == 10);
	note_text("peek", TRY(recv(fd, buf, 4, MSG_PEEK)));
	note_text("peek", TRY(recv(fd, buf, 100, MSG_PEEK)));
	note_text("recv", TRY(recv(fd, buf, 5, 0)));
	meet();
	AWAIT(queued(fd) == 15);
	note_text("peek", TRY(recv(fd, buf, 15, MSG_PEEK | MSG_WAITALL)));
	note_text("trunc", TRY(recv(fd, buf, 3, MSG_PEEK | MSG_TRUNC)));
	note_text("recv", TRY(recv(fd, buf, 100, 0)));
	TRY(recv(fd, buf, 100, MSG_PEEK | MSG_DONTWAIT));
	meet();
	TRY(recv(fd, buf, 100, MSG_PEEK));
	TRY(recv(fd, buf, 100, 0));
}

static void recv_peek_off(int fd)
{
	int off = 3;

	AWAIT(queued(fd) == 10);
	TRY(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, sizeof(off)));
	note_text("peek", TRY(recv(fd, buf, 4, MSG_PEEK)));
	note_text("peek", TRY(recv(fd, buf, 3, MSG_PEEK)));
	NOTE(fd, SOL_SOCKET, SO_PEEK_OFF);
	note_text("recv", TRY(recv(fd, buf, 5, 0)));
	NOTE(fd, SOL_SOCKET, SO_PEEK_OFF);
	meet();
	AWAIT(queued(fd) == 15);
	note_text("recv", TRY(recv(fd, buf, 100, 0)));
	meet();
}

static void recv_waitall(int fd)
{
	note_text("waitall", TRY(recv(fd, buf, 10, MSG_WAITALL)));
	meet();
	meet();
	note_text("waitall", TRY(recv(fd, buf, 30, MSG_WAITALL)));
	TRY(recv(fd, buf, 30, MSG_WAITALL));
}

static void recv_trunc(int fd)
{
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 4, MSG_TRUNC));
	TRY(recv(fd, NULL, 3, MSG_TRUNC));
	note_text("recv", TRY(recv(fd, buf, 100, 0)));
	meet();
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, MSG_TRUNC | MSG_DONTWAIT));
	meet();
}

static void recv_flags(int fd)
{
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 1, MSG_ERRQUEUE));
	TRY(recv(fd, buf, 1, MSG_OOB));
	TRY(recv(fd, buf, 1, MSG_CMSG_CLOEXEC));
	TRY(recv(fd, buf, 1, MSG_EOR | MSG_NOSIGNAL | MSG_CONFIRM));
	TRY(recv(fd, nowhere, 1, 0));
	TRY(recv(fd, buf, 100, 0));
	meet();
	meet();
}

static void peer_source(int fd)
{
	give(fd, 1000000);
	meet();
}

static void recv_big(int fd)
{
	want(fd, 1000000);
	meet();
	TRY(recv(fd, buf, 1, 0));
}

static void recv_splice(int fd)
{
	size_t left = 1000000;
	uint32_t sum = 0;
	int p[2];

	TRY(pipe(p));
	while (left) {
		ssize_t n = splice(fd, NULL, p[1], NULL, left < 30000 ? left : 30000,
				   SPLICE_F_MOVE), m, i;

		if (n <= 0) {
			noted("splice", n);
			break;
		}
		left -= n;
		for (; n; n -= m) {
			m = read(p[0], buf, n);
			for (i = 0; i < m; i++)
				sum = (sum ^ (uint8_t)buf[i]) * 16777619;
		}
	}
	say("left %zu, digest %08x", left, sum);
	TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(splice(fd, NULL, p[1], NULL, 100, 0));
	TRY(fcntl(fd, F_SETFL, 0));
	meet();
	TRY(splice(fd, NULL, p[1], NULL, 100, 0));
	TRY(splice(fd, &(loff_t){ 0 }, p[1], NULL, 100, 0));
}

/* To a pipe, doubled there, and from the pipe into memory. */
static void recv_vmsplice(int fd)
{
	int p[2], q[2];

	TRY(pipe(p));
	TRY(pipe(q));
	AWAIT(queued(fd) == 10);
	TRY(splice(fd, NULL, p[1], NULL, 6, 0));
	TRY(tee(p[0], q[1], 100, 0));
	note_text("vmsplice", TRY(vmsplice(p[0], &(struct iovec){ buf, 6 }, 1, 0)));
	TRY(splice(q[0], NULL, fd, NULL, 6, 0));
	TRY(read(fd, buf, 4));
	meet();
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));	/* unread, it would make the end a reset */
}

static void recv_vmsplice_peer(int fd)
{
	peer_pieces(fd);
	drain(fd);
}

static void note_cmsgs(struct msghdr *msg)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		say("control: level %d type %d length %zu", c->cmsg_level,
		    c->cmsg_type, (size_t)c->cmsg_len);
}

static void recv_inq(int fd)
{
	struct iovec iov = { buf, 4 };
	char control[64];
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	set_int(fd, SOL_TCP, TCP_INQ, 1);
	NOTE(fd, SOL_TCP, TCP_INQ);
	AWAIT(queued(fd) == 10);
	TRY(recvmsg(fd, &msg, 0));
	note_cmsgs(&msg);
	say("in queue: %d", *(int *)CMSG_DATA(CMSG_FIRSTHDR(&msg)));
	meet();
	meet();
	TRY(recv(fd, buf, 16, MSG_WAITALL));
	TRY(recvmsg(fd, &msg, 0));
	say("in queue: %d", *(int *)CMSG_DATA(CMSG_FIRSTHDR(&msg)));
}

/* Does what arrives get a stamp?  @udp sends to itself. */
static bool stamps(int udp)
{
	char control[256];
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	return send(udp, "x", 1, 0) == 1 && recvmsg(udp, &msg, 0) >= 0 &&
	       CMSG_FIRSTHDR(&msg);
}

/*
 * The kernel begins to stamp a moment after the first socket has asked, which may be
 * after the next message. So another one asks ahead, and keeps asking: close() it.
 */
static int stamping(void)
{
	const int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	struct sockaddr_in to = { AF_INET, 0, { htonl(INADDR_LOOPBACK) } };
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t len = sizeof(to);

	if (bind(udp, (struct sockaddr *)&to, sizeof(to)) ||
	    getsockname(udp, (struct sockaddr *)&to, &len) ||
	    connect(udp, (struct sockaddr *)&to, len) ||
	    setsockopt(udp, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)))
		noted("the other socket", -1);
	AWAIT(stamps(udp));
	return udp;
}

/* The stack stamps what it receives: the card doesn't. */
static void stamped(int fd, int option, int value)
{
	int other = stamping();
	struct iovec iov = { buf, 100 };
	char control[256];
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};

	AWAIT(queued(fd) == 10);
	set_int(fd, SOL_SOCKET, option, value);
	is_native(fd);
	TRY(recvmsg(fd, &msg, 0));
	meet();
	AWAIT(queued(fd) == 10);
	msg.msg_controllen = sizeof(control);
	TRY(recvmsg(fd, &msg, 0));
	note_cmsgs(&msg);
	meet();
	close(other);
}

static void recv_timestamp(int fd)
{
	stamped(fd, SO_TIMESTAMP, 1);
}

static void recv_timestampns(int fd)
{
	stamped(fd, SO_TIMESTAMPNS_NEW, 1);
}

static void recv_timestamping(int fd)
{
	stamped(fd, SO_TIMESTAMPING,
		SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE);
}

/* How much is mapped and how much is copied is the kernel's choice. */
static void recv_zerocopy(int fd)
{
	size_t left = 1000000, size = 512 * 1024;
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	uint32_t sum = 2166136261u;

	say("mapped %d", map != MAP_FAILED);
	while (left) {
		struct tcp_zerocopy_receive zc = {
			.address = (uintptr_t)map, .length = left < size ? left : size,
		};
		socklen_t len = sizeof(zc);
		ssize_t n;
		size_t i;

		poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1);
		if (getsockopt(fd, SOL_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &len)) {
			noted("TCP_ZEROCOPY_RECEIVE", -1);
			return;
		}
		for (i = 0; i < zc.length; i++)
			sum = (sum ^ ((uint8_t *)map)[i]) * 16777619;
		left -= zc.length;
		n = zc.recv_skip_hint < sizeof(buf) ? zc.recv_skip_hint : sizeof(buf);
		if (!n && !zc.length)
			n = 1;
		n = n ? recv(fd, buf, n, 0) : 0;
		for (i = 0; n > 0 && i < (size_t)n; i++)
			sum = (sum ^ (uint8_t)buf[i]) * 16777619;
		if (n < 0) {
			noted("recv", n);
			return;
		}
		left -= n;
	}
	say("left %zu, digest %08x", left, sum);
	meet();
	munmap(map, size);
}

static void recv_lowat(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	set_int(fd, SOL_SOCKET, SO_RCVLOWAT, 15);
	NOTE(fd, SOL_SOCKET, SO_RCVLOWAT);
	AWAIT(queued(fd) == 10);
	TRY(poll(&p, 1, 0));
	TRY(recv(fd, buf, 4, MSG_PEEK));
	meet();
	TRY(poll(&p, 1, 5000));
	TRY(recv(fd, buf, 100, 0));
	meet();
	TRY(poll(&p, 1, 5000));
	TRY(recv(fd, buf, 100, 0));
}

static void recv_reset(int fd)
{
	meet();
	AWAIT(poll(&(struct pollfd){ fd, 0, 0 }, 1, 0) == 1);
	TRY(queued(fd));
	TRY(recv(fd, buf, 100, 0));
	TRY(recv(fd, buf, 100, 0));
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	TRY(shutdown(fd, SHUT_RDWR));
}

/* Data that hasn't been read is lost with a reset. */
static void recv_reset_peer(int fd)
{
	struct linger linger = { 1, 0 };

	TRY(send(fd, "0123456789", 10, 0));
	AWAIT(!unacked(fd));
	meet();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void oob(int fd, int in_line)
{
	set_int(fd, SOL_SOCKET, SO_OOBINLINE, in_line);
	TRY(send(fd, "go", 2, 0));
	AWAIT(poll(&(struct pollfd){ fd, POLLPRI, 0 }, 1, 0) == 1);
	AWAIT(queued(fd) >= 3);
	meet();
	TRY(sockatmark(fd));
	note_text("recv", TRY(recv(fd, buf, 100, 0)));
	TRY(sockatmark(fd));
	note_text("urgent", TRY(recv(fd, buf, 1, MSG_OOB)));
	TRY(recv(fd, buf, 1, MSG_OOB));
	note_text("recv", TRY(recv(fd, buf, 3 + in_line, MSG_WAITALL)));
	TRY(sockatmark(fd));
	meet();
	TRY(recv(fd, buf, 100, 0));
}

static void recv_oob(int fd)
{
	oob(fd, 0);
}

static void recv_oob_inline(int fd)
{
	oob(fd, 1);
}

static void recv_oob_peer(int fd)
{
	char two[2];

	TRY(recv(fd, two, 2, MSG_WAITALL));
	TRY(send(fd, "abc", 3, 0));
	TRY(send(fd, "!", 1, MSG_OOB));
	TRY(send(fd, "def", 3, 0));
	AWAIT(!unacked(fd));
	meet();
	meet();
}

static void queue_sizes(int fd)
{
	struct timespec now;

	AWAIT(queued(fd) == 10);
	TRY(queued(fd));
	TRY(recv(fd, buf, 3, 0));
	TRY(queued(fd));
	TRY(unacked(fd));
	TRY(unsent(fd));
	set_int(fd, SOL_TCP, TCP_CORK, 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	TRY(send(fd, buf, 100, 0));
	note_held(unacked(fd), 100, &now);
	note_held(unsent(fd), 100, &now);
	set_int(fd, SOL_TCP, TCP_CORK, 0);
	AWAIT(!unacked(fd));
	TRY(unsent(fd));
	TRY(ioctl(fd, SIOCATMARK, &(int){ 0 }));
	TRY(ioctl(fd, SIOCGSTAMP, buf));
	TRY(ioctl(fd, 0x8999, buf));
	meet();
	meet();
}

const struct scenario recv_table[] = {
	{ "recv", recv_plain, peer_pieces, CARRIED, NULL, 0, "recv" },
	{ "recv_v6", recv_plain, peer_pieces, CARRIED, NULL, V6, "recv, IPv6" },
	{ "recv_accepted", recv_plain, peer_pieces, CARRIED, NULL, PASSIVE, "recv" },
	{ "recvfrom", recv_from, peer_pieces, CARRIED, NULL, 0,
	  "recvfrom, read, readv, preadv2" },
	{ "recvmsg", recv_msg, peer_pieces, CARRIED, NULL, 0, "recvmsg" },
	{ "recvmmsg", recv_mmsg, peer_pieces, CARRIED, NULL, 0, "recvmmsg" },
	{ "recv_peek", recv_peek, peer_pieces, CARRIED, NULL, 0, "MSG_PEEK" },
	{ "recv_peek_off", recv_peek_off, peer_pieces, CARRIED, NULL, 0, "SO_PEEK_OFF" },
	{ "recv_waitall", recv_waitall, peer_pieces, CARRIED, NULL, 0, "MSG_WAITALL" },
	{ "recv_trunc", recv_trunc, peer_pieces, CARRIED, NULL, 0, "MSG_TRUNC" },
	{ "recv_flags", recv_flags, peer_pieces, CARRIED, NULL, 0,
	  "MSG_ERRQUEUE and others" },
	{ "recv_big", recv_big, peer_source, CARRIED, NULL, 0, "recv, 1 MB" },
	{ "splice_in", recv_splice, peer_source, CARRIED, NULL, 0,
	  "splice from the socket" },
	{ "vmsplice_in", recv_vmsplice, recv_vmsplice_peer, CARRIED, NULL, 0,
	  "splice, tee, vmsplice" },
	{ "recv_inq", recv_inq, peer_pieces, CARRIED, NULL, 0, "TCP_INQ" },
	{ "recv_timestamp", recv_timestamp, peer_pieces, RECALLS, "tstamp", 0,
	  "SO_TIMESTAMP" },
	{ "recv_timestampns", recv_timestampns, peer_pieces, RECALLS, "tstamp", 0,
	  "SO_TIMESTAMPNS" },
	{ "recv_timestamping", recv_timestamping, peer_pieces, RECALLS, "tstamp", 0,
	  "SO_TIMESTAMPING" },
	{ "recv_zerocopy", recv_zerocopy, peer_source, CARRIED, NULL, 0,
	  "TCP_ZEROCOPY_RECEIVE" },
	{ "recv_lowat", recv_lowat, peer_pieces, CARRIED, NULL, 0, "SO_RCVLOWAT" },
	{ "recv_reset", recv_reset, recv_reset_peer, RECALLS, "rst", 0, "recv, reset" },
	{ "recv_oob", recv_oob, recv_oob_peer, RECALLS, "urg", 0, "MSG_OOB" },
	{ "recv_oob_inline", recv_oob_inline, recv_oob_peer, RECALLS, "urg", 0,
	  "SO_OOBINLINE" },
	{ "queue_sizes", queue_sizes, peer_pieces, CARRIED, NULL, 0,
	  "SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK" },
	{ }
};
