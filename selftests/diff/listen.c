// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: births: listeners, backlogs, fast open, families, namespaces.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tables.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

static char buf[65536];

/* greet(), answer() - one connection of many: a greeting, an answer, the end */
void greet(int fd, const char *word)
{
	char back[32] = "";

	TRY(send(fd, word, strlen(word), MSG_NOSIGNAL));
	TRY(recv(fd, back, 2, MSG_WAITALL));
	say("answer %s", back);
}

void answer(int fd, size_t len)
{
	char word[32] = "";

	TRY(recv(fd, word, len, MSG_WAITALL));
	say("greeting %s", word);
	TRY(send(fd, "ok", 2, MSG_NOSIGNAL));
}

/* The usual peer of a listener of ours: dials @n of the ports, @times each. */
static void dial_all(int n, int times)
{
	int fds[64], i, count = 0;

	for (i = 0; i < n * times; i++) {
		fds[count] = fresh();
		if (dial(fds[count], i % n))
			noted("dial", -1);
		count++;
	}
	meet();
	for (i = 0; i < count; i++)
		TRY(send(fds[i], "hello", 5, MSG_NOSIGNAL));
	for (i = 0; i < count; i++)
		drain(fds[i]);
}

static void many_listeners(int fd)
{
	int listeners[PORTS], fds[PORTS], i;

	(void)fd;
	for (i = 0; i < PORTS; i++)
		listeners[i] = listen_at(i, 1);
	meet();
	for (i = 0; i < PORTS; i++) {
		fds[i] = accept4(listeners[i], NULL, NULL, SOCK_CLOEXEC);
		close(listeners[i]);
		await_card(fds[i]);
	}
	meet();
	for (i = 0; i < PORTS; i++)
		answer(fds[i], 5);
	for (i = 0; i < PORTS; i++)
		close(fds[i]);
}

static void many_listeners_peer(int fd)
{
	(void)fd;
	meet();
	dial_all(PORTS, 1);
}

/* Several sockets share a port: each connection comes to one of them. */
static void reuseport(int fd)
{
	int listeners[4], fds[16], i, count = 0, on = 1;
	struct sockaddr_in at = { .sin_family = AF_INET };

	(void)fd;
	at.sin_port = htons(run.port);
	for (i = 0; i < 4; i++) {
		listeners[i] = fresh();
		setsockopt(listeners[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		TRY(bind(listeners[i], (void *)&at, sizeof(at)));
		TRY(listen(listeners[i], 16));
		fcntl(listeners[i], F_SETFL, O_NONBLOCK);
	}
	TRY(bind(fresh(), (void *)&at, sizeof(at)));
	meet();
	for (i = 0; count < 16 && i < 4000 * run.slow; i++) {
		fds[count] = accept(listeners[i % 4], NULL, NULL);
		if (fds[count] < 0)
			nap(2);
		else
			await_card(fds[count++]);
	}
	say("accepted %d", count);
	meet();
	for (i = 0; i < count; i++)
		answer(fds[i], 5);
	for (i = 0; i < count; i++)
		close(fds[i]);
}

static void reuseport_peer(int fd)
{
	(void)fd;
	meet();
	dial_all(1, 16);
}

/* A program chooses the socket: always the second. */
static void reuseport_bpf(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 1) };
	struct sock_fprog prog = { 1, code };
	struct sockaddr_in at = { .sin_family = AF_INET };
	int listeners[2], i, on = 1;

	(void)fd;
	at.sin_port = htons(run.port);
	for (i = 0; i < 2; i++) {
		listeners[i] = fresh();
		setsockopt(listeners[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
		TRY(bind(listeners[i], (void *)&at, sizeof(at)));
		TRY(listen(listeners[i], 16));
	}
	TRY(setsockopt(listeners[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		       sizeof(prog)));
	meet();
	for (i = 0; i < 2; i++) {
		int one = accept(listeners[1], NULL, NULL);

		await_card(one);
		if (!i)
			meet();
		answer(one, 5);
		close(one);
	}
	TRY(poll(&(struct pollfd){ listeners[0], POLLIN, 0 }, 1, 0));
}

static void reuseport_bpf_peer(int fd)
{
	(void)fd;
	meet();
	dial_all(1, 2);
}

/* More want in than the backlog holds: the rest tries again until there is room. */
static void backlog(int fd)
{
	int listener = listen_at(0, 0), fds[4], i;

	(void)fd;
	meet();
	nap(500);
	meet();
	for (i = 0; i < 4; i++) {
		TRY(poll(&(struct pollfd){ listener, POLLIN, 0 }, 1, 20000));
		fds[i] = accept(listener, NULL, NULL);
	}
	await_card(fds[0]);
	meet();
	for (i = 0; i < 4; i++)
		answer(fds[i], 5);
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

static void backlog_peer(int fd)
{
	struct pollfd p[4];
	int i;

	(void)fd;
	meet();
	for (i = 0; i < 4; i++) {
		p[i] = (struct pollfd){ fresh(), POLLOUT, 0 };
		fcntl(p[i].fd, F_SETFL, O_NONBLOCK);
		TRY(dial(p[i].fd, 0));
	}
	meet();
	/* With a cookie it's the data that completes a handshake that was dropped. */
	for (i = 0; i < 4; i++) {
		poll(&p[i], 1, 20000);
		NOTE(p[i].fd, SOL_SOCKET, SO_ERROR);
		fcntl(p[i].fd, F_SETFL, 0);
		TRY(send(p[i].fd, "hello", 5, 0));
	}
	meet();
	for (i = 0; i < 4; i++)
		drain(p[i].fd);
}

/* accept() returns when there is something to read. */
static void defer_accept(int fd)
{
	int listener = listen_at(0, 8), one;

	(void)fd;
	set_int(listener, SOL_TCP, TCP_DEFER_ACCEPT, 10);
	NOTE(listener, SOL_TCP, TCP_DEFER_ACCEPT);
	meet();
	meet();
	TRY(poll(&(struct pollfd){ listener, POLLIN, 0 }, 1, 0));
	meet();
	one = accept(listener, NULL, NULL);
	TRY(recv(one, buf, 5, MSG_DONTWAIT));
	await_card(one);
	TRY(send(one, "ok", 2, 0));
	close(one);
}

static void defer_accept_peer(int fd)
{
	int one = fresh();

	(void)fd;
	meet();
	TRY(dial(one, 0));
	meet();
	meet();
	greet(one, "hello");
	drain(one);
}

static void saved_syn(int fd)
{
	int listener = listen_at(0, 8), one;
	socklen_t len = sizeof(buf);

	(void)fd;
	set_int(listener, SOL_TCP, TCP_SAVE_SYN, 1);
	meet();
	one = accept(listener, NULL, NULL);
	await_card(one);
	meet();
	len = 4;
	TRY(getsockopt(one, SOL_TCP, TCP_SAVED_SYN, buf, &len));
	say("needs %u", len);
	len = sizeof(buf);
	TRY(getsockopt(one, SOL_TCP, TCP_SAVED_SYN, buf, &len));
	say("%u bytes, version %d", len, (unsigned char)buf[0] >> 4);
	TRY(getsockopt(one, SOL_TCP, TCP_SAVED_SYN, buf, &len));
	say("%u bytes", len);
	answer(one, 5);
	close(one);
}

static void saved_syn_peer(int fd)
{
	(void)fd;
	meet();
	dial_all(1, 1);
}

static int syn_data(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return !!(info.tcpi_options & TCPI_OPT_SYN_DATA);
}

/* The first connection fetches a cookie, the second uses it. */
static void fastopen_client(int fd)
{
	int i;

	(void)fd;
	for (i = 0; i < 2; i++) {
		int one = fresh();

		set_int(one, SOL_TCP, TCP_FASTOPEN_CONNECT, 1);
		meet();
		TRY(dial(one, 0));
		TRY(send(one, "hello", 5, 0));
		TRY(recv(one, buf, 2, MSG_WAITALL));
		if (i)
			say("data in the SYN: %d", syn_data(one));
		await_card(one);
		give(one, 20000);
		TRY(shutdown(one, SHUT_WR));
		TRY(recv(one, buf, 1, 0));
		close(one);
	}
}

static void fastopen_server(int fd)
{
	int listener = listen_at(0, 8), i;

	(void)fd;
	set_int(listener, SOL_TCP, TCP_FASTOPEN, 8);
	for (i = 0; i < 2; i++) {
		int one;

		meet();
		one = accept(listener, NULL, NULL);
		if (!run.peer)
			await_card(one);
		answer(one, 5);
		drain(one);
		close(one);
	}
}

static void fastopen_dialer(int fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int i;

	(void)fd;
	to.sin_port = htons(run.port);
	inet_pton(AF_INET, run.toe_ip, &to.sin_addr);
	for (i = 0; i < 2; i++) {
		int one = fresh();

		meet();
		TRY(sendto(one, "hello", 5, MSG_FASTOPEN, (void *)&to, sizeof(to)));
		TRY(recv(one, buf, 2, MSG_WAITALL));
		give(one, 20000);
		TRY(shutdown(one, SHUT_WR));
		TRY(recv(one, buf, 1, 0));
		close(one);
	}
}

static void note_name(int fd, bool peers)
{
	struct sockaddr_in6 at = {};
	socklen_t len = sizeof(at);
	char text[64] = "";

	if (peers)
		TRY(getpeername(fd, (void *)&at, &len));
	else
		TRY(getsockname(fd, (void *)&at, &len));
	inet_ntop(AF_INET6, &at.sin6_addr, text, sizeof(text));
	say("family %d %s (%u)", at.sin6_family, text, len);
}

/* An IPv6 socket that talks IPv4. */
static void mapped_connect(int fd)
{
	int one = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	char text[64];

	(void)fd;
	to.sin6_port = htons(run.port);
	snprintf(text, sizeof(text), "::ffff:%s", run.peer_ip);
	inet_pton(AF_INET6, text, &to.sin6_addr);
	meet();
	TRY(connect(one, (void *)&to, sizeof(to)));
	await_card(one);
	note_name(one, false);
	note_name(one, true);
	NOTE(one, IPPROTO_IPV6, IPV6_V6ONLY);
	NOTE(one, SOL_SOCKET, SO_DOMAIN);
	give(one, 50000);
	want(one, 50000);
	TRY(shutdown(one, SHUT_WR));
	TRY(recv(one, buf, 1, 0));
	close(one);
}

static void mapped_connect_peer(int fd)
{
	int one = accepted();

	(void)fd;
	want(one, 50000);
	give(one, 50000);
	drain(one);
	close(one);
}

static void mapped_accept(int fd)
{
	int listener = socket(AF_INET6, SOCK_STREAM, 0), one, on = 1;
	struct sockaddr_in6 at = { .sin6_family = AF_INET6 };

	(void)fd;
	at.sin6_port = htons(run.port);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	TRY(bind(listener, (void *)&at, sizeof(at)));
	TRY(listen(listener, 8));
	meet();
	one = accept(listener, NULL, NULL);
	await_card(one);
	meet();
	note_name(one, false);
	note_name(one, true);
	answer(one, 5);
	close(one);
}

static void mapped_accept_peer(int fd)
{
	(void)fd;
	meet();
	dial_all(1, 1);
}

/* A listener of MPTCP, as some runtimes make them by default, accepts TCP too. */
static void mptcp_accept(int fd)
{
	int listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP), one, on = 1;
	struct sockaddr_in at = { .sin_family = AF_INET };

	(void)fd;
	if (listener < 0)	/* a kernel without it */
		listener = fresh();
	at.sin_port = htons(run.port);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	TRY(bind(listener, (void *)&at, sizeof(at)));
	TRY(listen(listener, 8));
	meet();
	one = accept(listener, NULL, NULL);
	await_card(one);
	meet();
	NOTE(one, SOL_SOCKET, SO_PROTOCOL);
	note_name(one, false);
	answer(one, 5);
	close(one);
}

/* Data, end and all were there before anybody accepted. */
static void late_accept(int fd)
{
	int listener = listen_at(0, 8), one;

	(void)fd;
	meet();
	meet();
	one = accept(listener, NULL, NULL);
	AWAIT(poll(&(struct pollfd){ one, POLLRDHUP, 0 }, 1, 0) == 1);
	drain(one);
	TRY(send(one, "late", 4, 0));
	TRY(shutdown(one, SHUT_WR));
	meet();
	close(one);
}

static void late_accept_peer(int fd)
{
	int one = fresh();

	(void)fd;
	meet();
	TRY(dial(one, 0));
	give(one, 30000);
	TRY(shutdown(one, SHUT_WR));
	AWAIT(!unacked(one));
	meet();
	drain(one);
	meet();
}

/* Nobody accepts, the listener closes: a reset. */
static void never_accept(int fd)
{
	int listener = listen_at(0, 8);

	(void)fd;
	meet();
	meet();
	TRY(close(listener));
	meet();
}

static void never_accept_peer(int fd)
{
	int one = fresh();

	(void)fd;
	meet();
	TRY(dial(one, 0));
	TRY(send(one, "hello", 5, 0));
	AWAIT(!unacked(one));
	meet();
	drain(one);
	meet();
}

/* A process that goes to another namespace keeps its socket where it was. */
static void left_namespace(int fd)
{
	TRY(unshare(CLONE_NEWNET));
	give(fd, 30000);
	want(fd, 30000);
	TRY(dial(fresh(), 1));
	meet();
}

static void left_namespace_peer(int fd)
{
	want(fd, 30000);
	give(fd, 30000);
	meet();
}

static void shell(const char *command)
{
	char full[512];
	int status;

	snprintf(full, sizeof(full), "exec 2>&1; set -e; I=%s; %s",
		 getenv("TOE_IF") ?: "toe0", command);
	status = system(full);
	if (status)
		trouble("«%s» ended with %d", command, status);
}

/* The interface goes to another namespace and comes back. */
static void moved_device(int fd)
{
	char command[256];

	give(fd, 30000);
	AWAIT(!unacked(fd));
	shell("ip netns add toe-diff");
	shell("ip link set $I netns toe-diff");
	TRY(send(fd, "queued", 6, MSG_NOSIGNAL | MSG_DONTWAIT));
	nap(300);
	shell("ip -n toe-diff link set $I netns 1");
	snprintf(command, sizeof(command),
		 "ip addr add %s/24 dev $I; ip addr add %s/64 dev $I nodad; ip link set $I up; ip netns del toe-diff",
		 run.toe_ip, run.toe_ip6);
	shell(command);
	AWAIT(!unacked(fd));
	give(fd, 30000);
	AWAIT(!unacked(fd));
}

const struct scenario listen_table[] = {
	{ "many_listeners", many_listeners, many_listeners_peer, CARRIED, NULL, NOCONN,
	  "listen, accept4" },
	{ "reuseport", reuseport, reuseport_peer, CARRIED, NULL, NOCONN, "SO_REUSEPORT" },
	{ "reuseport_bpf", reuseport_bpf, reuseport_bpf_peer, CARRIED, NULL, NOCONN,
	  "SO_ATTACH_REUSEPORT_CBPF" },
	{ "backlog", backlog, backlog_peer, CARRIED, NULL, NOCONN, "listen, backlog 0" },
	{ "defer_accept", defer_accept, defer_accept_peer, CARRIED, NULL, NOCONN,
	  "TCP_DEFER_ACCEPT of a listener" },
	{ "saved_syn", saved_syn, saved_syn_peer, CARRIED, NULL, NOCONN, "TCP_SAVED_SYN" },
	{ "fastopen_connect", fastopen_client, fastopen_server, CARRIED, NULL, NOCONN,
	  "TCP_FASTOPEN_CONNECT" },
	{ "fastopen_accept", fastopen_server, fastopen_dialer, CARRIED, NULL, NOCONN,
	  "TCP_FASTOPEN, MSG_FASTOPEN" },
	{ "mapped_connect", mapped_connect, mapped_connect_peer, CARRIED, NULL, NOCONN,
	  "IPv4 by an IPv6 socket" },
	{ "mapped_accept", mapped_accept, mapped_accept_peer, CARRIED, NULL, NOCONN,
	  "IPv4 by an IPv6 listener" },
	{ "mptcp_accept", mptcp_accept, mapped_accept_peer, CARRIED, NULL, NOCONN,
	  "TCP by an MPTCP listener" },
	{ "late_accept", late_accept, late_accept_peer, NATIVE, NULL, NOCONN,
	  "accept after the end of the stream" },
	{ "never_accept", never_accept, never_accept_peer, NATIVE, NULL, NOCONN,
	  "a listener's close" },
	{ "left_namespace", left_namespace, left_namespace_peer, CARRIED, NULL, 0,
	  "unshare" },
	{ "moved_device", moved_device, NULL, RECALLS, NULL, ALONE,
	  "the interface moves to another namespace" },
	{ }
};
