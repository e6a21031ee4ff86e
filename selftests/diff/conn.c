// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: the two ends: connections between them, and the control connection,
 * on which they meet and on which the peer's transcript comes back.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "diff.h"
#include "judge.h"

struct request {
	int32_t index, port, slow;
};

struct frame {
	char type;		/* 'm' meet, 'v' value, 't' transcript */
	int32_t len;
	int64_t value;
} __attribute__((packed));

struct run run = { .slow = 1, .control = -1 };

static void die(const char *what)
{
	trouble("%s: %s", what, strerror(errno));
	if (run.peer)
		fprintf(stderr, "%s: %s: %s\n", run.sc->name, what, strerror(errno));
	_exit(1);
}

static void whole(int fd, void *data, size_t len, bool out)
{
	char *at = data;

	while (len) {
		ssize_t n = out ? send(fd, at, len, MSG_NOSIGNAL) : recv(fd, at, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ECONNRESET;
			die("the other end's scenario has died");
		}
		at += n;
		len -= n;
	}
}

static void frame_send(char type, long value, int len)
{
	struct frame f = { type, len, value };

	whole(run.control, &f, sizeof(f), true);
}

static struct frame frame_take(char type)
{
	struct frame f;

	whole(run.control, &f, sizeof(f), false);
	if (f.type != type) {
		trouble("the ends are out of step: %c instead of %c", f.type, type);
		_exit(1);
	}
	return f;
}

/* meet() - both ends wait for one another */
void meet(void)
{
	frame_send('m', 0, 0);
	frame_take('m');
}

/* send_value(), other_value() - hand the other end a number */
void send_value(long value)
{
	frame_send('v', value, 0);
}

long other_value(void)
{
	return frame_take('v').value;
}

static socklen_t address(struct sockaddr_storage *to, const char *ip, int port)
{
	struct sockaddr_in6 *in6 = (void *)to;
	struct sockaddr_in *in = (void *)to;

	memset(to, 0, sizeof(*to));
	if (ip && strchr(ip, ':')) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		inet_pton(AF_INET6, ip, &in6->sin6_addr);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	inet_pton(AF_INET, ip ?: "0.0.0.0", &in->sin_addr);
	return sizeof(*in);
}

/* fresh() - a socket of the scenario's family */
int fresh(void)
{
	int fd = socket(run.family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

/* listen_at() - at that one of the scenario's ports */
int listen_at(int offset, int backlog)
{
	struct sockaddr_storage at;
	int fd = fresh(), on = 1;
	socklen_t len;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	len = address(&at, run.family == AF_INET6 ? "::" : NULL, run.port + offset);
	if (bind(fd, (void *)&at, len) || listen(fd, backlog))
		die("listen");
	return fd;
}

/* dial() - connect to that port of the other end; as connect() returns */
int dial(int fd, int offset)
{
	const char *ip = run.peer ? run.toe_ip : run.peer_ip;
	struct sockaddr_storage to;
	socklen_t len;

	if (run.family == AF_INET6)
		ip = run.peer ? run.toe_ip6 : run.peer_ip6;
	len = address(&to, ip, run.port + offset);
	return connect(fd, (void *)&to, len);
}

/* accepted() - the other end comes to the first of the scenario's ports */
int accepted(void)
{
	int listener = listen_at(0, 8), fd;

	meet();
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	close(listener);
	return fd;
}

/* connection() - the one that a scenario begins with */
int connection(void)
{
	bool accepts = run.peer == !(run.sc->flags & PASSIVE);
	int fd;

	if (run.sc->flags & NOCONN)
		return -1;
	if (accepts)
		return accepted();
	meet();
	fd = fresh();
	if (dial(fd, 0))
		die("connect");
	return fd;
}

/* in_card() - getsockopt(TCP_ULP) names what has an offloaded socket */
bool in_card(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name) - 1;

	return !getsockopt(fd, IPPROTO_TCP, TCP_ULP, name, &len) && !strcmp(name, "toe");
}

/* await_card() - the act begins when the card has it; nothing with the switch off */
void await_card(int fd)
{
	int tries;

	if (!run.on || run.sc->how == NATIVE)
		return;
	for (tries = 0; !in_card(fd) && tries < 6000 * run.slow; tries++)
		nap(5);
	if (!in_card(fd))
		trouble("the connection never came to the card");
}

/* await_native() - a recall that the filter decides about by itself */
void await_native(int fd)
{
	int tries;

	if (!run.on)
		return;
	for (tries = 0; in_card(fd) && tries < 10000 * run.slow; tries++)
		nap(1);
	if (in_card(fd))
		trouble("the connection was not called back");
}

/* flag() - ask for offload of this socket, whatever the switch says */
void flag(int fd)
{
	if (run.on && setsockopt(fd, IPPROTO_TCP, TCP_ULP, "toe", 3))
		trouble("TCP_ULP toe: %m");
}

/* is_native() - a recall that the last call has waited for */
void is_native(int fd)
{
	if (run.on && in_card(fd))
		trouble("the call returned before the recall");
}

/* await_event() - the filter's trace tells of one of our connections: 'c', 'n' (judge.c) */
void await_event(char what)
{
	const char *trace = getenv("TOE_TRACE");
	int tries;

	if (!run.on || !trace)
		return;
	for (tries = 0; tries < 600 * run.slow; tries++) {
		if (judge_seen(trace, run.port, what))
			return;
		nap(50);
	}
	trouble("the trace doesn't tell of '%c'", what);
}

int control_connect(const char *ip, int port)
{
	struct sockaddr_storage to;
	int fd, tries;

	for (tries = 0; tries < 200; tries++) {
		socklen_t len = address(&to, ip, port);

		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (!connect(fd, (void *)&to, len)) {
			int on = 1;

			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			return fd;
		}
		close(fd);
		nap(50);
	}
	return -1;
}

/* control_open() - have the peer start its function */
void control_open(int index, int port)
{
	struct request request = { index, run.port, run.slow };

	run.control = control_connect(run.peer_ip, port);
	if (run.control < 0)
		die("no agent in the peer");
	whole(run.control, &request, sizeof(request), true);
}

/* control_result() - the peer's transcript under ours */
void control_result(void)
{
	char text[TEXT_MAX], bad[1024] = "", *line, *save;
	struct frame f = frame_take('t');

	if (f.len >= TEXT_MAX || f.value >= (long)sizeof(bad))
		die("transcript");
	whole(run.control, text, f.len, false);
	whole(run.control, bad, f.value, false);
	text[f.len] = 0;
	bad[f.value] = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		say("peer: %s", line);
	if (bad[0])
		trouble("peer: %s", bad);
}

/* control_serve() - in the peer, in a process of its own */
void control_serve(int fd)
{
	struct request request;
	struct transcript *to;
	int data;

	run.to = calloc(1, sizeof(*run.to));
	to = run.to;
	run.peer = true;
	run.control = fd;
	whole(fd, &request, sizeof(request), false);
	run.sc = scenario_at(request.index);
	run.port = request.port;
	run.slow = request.slow;
	run.family = run.sc->flags & V6 ? AF_INET6 : AF_INET;
	alarm(125 * run.slow);
	data = connection();
	(run.sc->peers ?: peer_drain)(data);
	if (data >= 0)
		close(data);
	frame_send('t', to->trouble_len, to->len);
	whole(fd, to->text, to->len, true);
	whole(fd, to->trouble, to->trouble_len, true);
	/* Hold the control connection until the other end has read all. */
	recv(fd, &request, 1, 0);
}
