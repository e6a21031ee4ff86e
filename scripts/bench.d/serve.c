// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/*
 * serve HOST: the half of the benchmark that isn't the subject. One process and
 * epoll for requests and short connections; a process for each bulk transfer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "common.h"

#define CONNS_MAX	1024	/* descriptors */
#define NS		1000000000ull

static struct conn {
	struct request request;
	uint32_t got;		/* bytes of the request or of the next one */
	bool known;		/* the request is complete */
	uint64_t due;		/* when the answer is, in ns */
	int next;		/* who is due after this one; -1: none */
} conns[CONNS_MAX];

static int first_due = -1, last_due = -1, epoll;
static char buf[REPLY_MAX];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

/* A child may hold the connection still, and then close() alone would leave it
 * in the epoll set.
 */
static void end(int fd)
{
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	close(fd);
}

/* Both parts of a bulk transfer, in a process of its own. */
static void bulk(int fd, const struct request *request)
{
	bool send = request->op == OP_RECEIVE;

	fcntl(fd, F_SETFL, 0);
	for (int i = 0; i < 2; i++) {
		uint64_t left = request->part[i];

		if (send && !read_all(fd, buf, 1))
			_exit(0);
		while (left) {
			size_t len = left < CHUNK ? left : CHUNK;
			ssize_t n = len;

			if (send)
				write_all(fd, buf, len);
			else
				n = recv(fd, buf, len, 0);
			if (n <= 0)
				_exit(0);
			left -= n;
		}
		if (!send)
			write_all(fd, buf, 1);
	}
	while (recv(fd, buf, CHUNK, 0) > 0)
		;
	_exit(0);
}

/* All connections of one run have the same delay, so a queue is in order. */
static void answer_later(int fd, struct conn *conn)
{
	conn->due = now() + conn->request.delay_us * 1000ull;
	conn->next = -1;
	if (first_due < 0)
		first_due = fd;
	else
		conns[last_due].next = fd;
	last_due = fd;
}

static void answer_due(void)
{
	while (first_due >= 0 && conns[first_due].due <= now()) {
		int fd = first_due;

		first_due = conns[fd].next;
		write_all(fd, buf, conns[fd].request.size);
	}
}

static void whole_request(int fd, struct conn *conn)
{
	switch (conn->request.op) {
	case OP_SEND:
	case OP_RECEIVE:
		if (!fork())
			bulk(fd, &conn->request);
		end(fd);
		break;
	case OP_HELLO:
		write_all(fd, buf, HELLO);
		break;
	case OP_REQUEST:
		if (conn->request.size > REPLY_MAX || !conn->request.size)
			end(fd);
		break;
	default:
		end(fd);
	}
}

static void readable(int fd)
{
	struct conn *conn = &conns[fd];
	void *to = conn->known ? buf : (char *)&conn->request + conn->got;
	size_t want = conn->known ? conn->request.size : sizeof(conn->request);
	ssize_t n = recv(fd, to, want - conn->got, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(fd);
		return;
	}
	conn->got += n;
	if (conn->got < want)
		return;
	conn->got = 0;
	if (!conn->known) {
		conn->known = true;
		whole_request(fd, conn);
	} else if (conn->request.delay_us) {
		answer_later(fd, conn);
	} else {
		write_all(fd, buf, conn->request.size);
	}
}

static void accept_some(int listener, const struct address *address)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd >= CONNS_MAX) {
			end(fd);
			continue;
		}
		stream_options(fd, address);
		memset(&conns[fd], 0, sizeof(conns[fd]));
		event.data.fd = fd;
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static int listen_at(const struct address *address)
{
	int fd = stream_socket(address);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (bind(fd, (const struct sockaddr *)&address->sa, address->len) || listen(fd, 1024))
		die("cannot listen");
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return fd;
}

/* Until the next answer is due; for ever if there is none. */
static int wait_events(struct epoll_event *events, int max)
{
	struct timespec timeout = { 0 };
	uint64_t t = now(), due;

	if (first_due < 0)
		return epoll_pwait2(epoll, events, max, NULL, NULL);
	due = conns[first_due].due;
	if (due > t)
		timeout.tv_nsec = (due - t) % NS;
	return epoll_pwait2(epoll, events, max, &timeout, NULL);
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	struct address address;
	int listener;

	if (argc != 2) {
		fprintf(stderr, "usage: serve ADDRESS|unix\n");
		return 1;
	}
	address = address_of(argv[1]);
	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1000);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	listener = listen_at(&address);
	for (;;) {
		int n = wait_events(events, 64);

		answer_due();
		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				accept_some(listener, &address);
			else
				readable(events[i].data.fd);
		}
	}
}
