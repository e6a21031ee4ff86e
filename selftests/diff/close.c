// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: the ways to end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tables.h"

static char buf[65536];

static int state(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len) ? -1 : info.tcpi_state;
}

static void await_state(int fd, int wanted)
{
	AWAIT(state(fd) == wanted);
	say("state %d", wanted);
}

static void half_close(int fd)
{
	give(fd, 100000);
	TRY(shutdown(fd, SHUT_WR));
	await_state(fd, TCP_FIN_WAIT2);
	meet();
	want(fd, 100000);
	TRY(recv(fd, buf, 1, 0));
	TRY(recv(fd, buf, 1, 0));
}

static void half_close_peer(int fd)
{
	drain(fd);
	await_state(fd, TCP_CLOSE_WAIT);
	meet();
	give(fd, 100000);
	TRY(shutdown(fd, SHUT_WR));
}

/* The other way round: theirs ends first, and ours goes on. */
static void half_closed(int fd)
{
	drain(fd);
	await_state(fd, TCP_CLOSE_WAIT);
	meet();
	give(fd, 300000);
	TRY(shutdown(fd, SHUT_WR));
	meet();
}

static void half_closed_peer(int fd)
{
	give(fd, 300000);
	TRY(shutdown(fd, SHUT_WR));
	meet();
	drain(fd);
	meet();
}

static void shutdown_rd(int fd)
{
	TRY(shutdown(fd, SHUT_RD));
	TRY(recv(fd, buf, 100, 0));
	TRY(send(fd, "abc", 3, 0));
	meet();
	/* What comes later can be read all the same. */
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, 0));
	TRY(recv(fd, buf, 100, 0));
	say("state %d", state(fd));
	meet();
}

static void shutdown_rd_peer(int fd)
{
	TRY(recv(fd, buf, 3, MSG_WAITALL));
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	meet();
	drain(fd);
}

static void shutdown_both(int fd)
{
	give(fd, 1000);
	TRY(shutdown(fd, SHUT_RDWR));
	TRY(shutdown(fd, SHUT_WR));
	TRY(shutdown(fd, 7));
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	TRY(recv(fd, buf, 1, 0));
	meet();
}

static void shutdown_both_peer(int fd)
{
	drain(fd);
	meet();
}

static void close_plain(int fd)
{
	give(fd, 1000000);
	TRY(close(fd));
	TRY(send(fd, buf, 1, 0));
	meet();
}

static void close_peer(int fd)
{
	drain(fd);
	meet();
}

/* Closed with unread data: a reset. */
static void close_unread(int fd)
{
	AWAIT(queued(fd) == 10);
	meet();
	TRY(close(fd));
	meet();
}

static void close_unread_peer(int fd)
{
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	drain(fd);
	say("state %d", state(fd));
	meet();
}

static void linger_abort(int fd)
{
	struct linger linger = { 1, 0 };

	give(fd, 1000);
	AWAIT(!unacked(fd));
	TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	TRY(close(fd));
	meet();
}

static void linger_wait(int fd)
{
	struct linger linger = { 1, 10 };
	socklen_t len = sizeof(linger);

	TRY(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	linger.l_linger = 0;
	TRY(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len));
	say("linger %d %d", linger.l_onoff, linger.l_linger);
	give(fd, 500000);
	TRY(close(fd));
	meet();
}

/* connect(AF_UNSPEC): a reset, and the socket can be used again. */
static void disconnect(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	give(fd, 1000);
	AWAIT(!unacked(fd));
	TRY(connect(fd, &sa, sizeof(sa)));
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	TRY(recv(fd, buf, 1, 0));
	say("state %d", state(fd));
	meet();
	meet();
	TRY(dial(fd, 1));
	await_card(fd);
	TRY(send(fd, "again", 5, 0));
	AWAIT(!unacked(fd));
}

static void disconnect_peer(int fd)
{
	int listener, two;

	drain(fd);
	meet();
	listener = listen_at(1, 8);
	meet();
	two = accept(listener, NULL, NULL);
	drain(two);
}

static void diag_address(int fd, struct inet_diag_sockid *id)
{
	struct sockaddr_in me, they;
	socklen_t len = sizeof(me);

	getsockname(fd, (void *)&me, &len);
	getpeername(fd, (void *)&they, &len);
	id->idiag_sport = me.sin_port;
	id->idiag_dport = they.sin_port;
	id->idiag_src[0] = me.sin_addr.s_addr;
	id->idiag_dst[0] = they.sin_addr.s_addr;
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

/* ss -K. */
static int destroy(int fd)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} msg = {
		.nlh = {
			.nlmsg_len = sizeof(msg), .nlmsg_type = SOCK_DESTROY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		},
		.req = {
			.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP,
			.idiag_states = ~0U,
		},
	};
	int nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[256];
	} answer = {};

	diag_address(fd, &msg.req.id);
	send(nl, &msg, sizeof(msg), 0);
	recv(nl, &answer, sizeof(answer), 0);
	close(nl);
	errno = -answer.err.error;
	return answer.err.error ? -1 : 0;
}

static void kill_socket(int fd)
{
	give(fd, 1000);
	AWAIT(!unacked(fd));
	TRY(destroy(fd));
	AWAIT(poll(&(struct pollfd){ fd, 0, 0 }, 1, 0) == 1);
	TRY(recv(fd, buf, 1, 0));
	TRY(recv(fd, buf, 1, 0));
	TRY(send(fd, buf, 1, MSG_NOSIGNAL));
	say("state %d", state(fd));
	meet();
}

/* Both ends at once. */
static void both_close(int fd)
{
	want(fd, 1000);
	give(fd, 1000);
	meet();
	TRY(shutdown(fd, SHUT_WR));
	TRY(recv(fd, buf, 1, 0));
}

static void both_close_peer(int fd)
{
	give(fd, 1000);
	want(fd, 1000);
	meet();
	TRY(shutdown(fd, SHUT_WR));
	TRY(recv(fd, buf, 1, 0));
}

/* The stack itself gives up on a peer that keeps its window closed. */
static void user_timeout(int fd)
{
	struct timespec from, to;
	int one = fresh();

	(void)fd;
	small_buffers(one);
	meet();
	TRY(dial(one, 0));
	await_card(one);
	set_int(one, SOL_TCP, TCP_USER_TIMEOUT, 2000);
	await_card(one);
	stuff(one);
	clock_gettime(CLOCK_MONOTONIC, &from);
	TRY(poll(&(struct pollfd){ one, 0, 0 }, 1, 20000));
	clock_gettime(CLOCK_MONOTONIC, &to);
	say("within 15 s: %d", to.tv_sec - from.tv_sec < 15);
	TRY(send(one, buf, 1, MSG_NOSIGNAL));
	TRY(send(one, buf, 1, MSG_NOSIGNAL));
	say("state %d", state(one));
	meet();
	close(one);
}

static void user_timeout_peer(int fd)
{
	int listener = listen_at(0, 8), one;

	(void)fd;
	set_int(listener, SOL_SOCKET, SO_RCVBUF, 32768);
	meet();
	one = accept(listener, NULL, NULL);
	meet();
	close(one);
}

const struct scenario close_table[] = {
	{ "half_close", half_close, half_close_peer, RECALLS, "shutdown", 0, "SHUT_WR" },
	{ "half_closed", half_closed, half_closed_peer, RECALLS, "fin", 0,
	  "end of the stream, then send" },
	{ "shutdown_rd", shutdown_rd, shutdown_rd_peer, RECALLS, "shutdown", 0, "SHUT_RD" },
	{ "shutdown_both", shutdown_both, shutdown_both_peer, RECALLS, "shutdown", 0,
	  "SHUT_RDWR" },
	{ "close", close_plain, close_peer, RECALLS, "shutdown", 0, "close" },
	{ "close_unread", close_unread, close_unread_peer, RECALLS, "shutdown", 0,
	  "close with unread data" },
	{ "linger_abort", linger_abort, close_peer, RECALLS, "shutdown", 0, "SO_LINGER 0" },
	{ "linger_wait", linger_wait, close_peer, RECALLS, "shutdown", 0, "SO_LINGER" },
	{ "disconnect", disconnect, disconnect_peer, RECALLS, "disconnect", 0,
	  "connect, AF_UNSPEC" },
	{ "ss_kill", kill_socket, close_peer, RECALLS, "disconnect", 0, "SOCK_DESTROY" },
	{ "both_close", both_close, both_close_peer, CARRIED, NULL, 0,
	  "both ends close at once" },
	{ "user_timeout", user_timeout, user_timeout_peer, RECALLS, "timeout", NOCONN,
	  "TCP_USER_TIMEOUT runs out" },
	{ }
};
