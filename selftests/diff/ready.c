// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: who is told that a socket is ready, and when.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "tables.h"

#define ALL	(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM)

static char buf[65536];

static void note_poll(int fd, int ms)
{
	struct pollfd p = { fd, ALL, 0 };
	int n = poll(&p, 1, ms);

	say("poll = %d: %s", n, events_text(p.revents));
}

/* Until it says so: what the other end did is on its way. */
static void await_poll(int fd, short events)
{
	struct pollfd p = { fd, ALL, 0 };
	int tries;

	for (tries = 0; tries < 6000 * run.slow; tries++) {
		poll(&p, 1, 0);
		if ((p.revents & events) == events)
			break;
		nap(5);
	}
	say("poll: %s", events_text(p.revents));
}

/* The peer: ten bytes per meeting, then its end of the stream. */
static void peer_steps(int fd)
{
	meet();
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	TRY(send(fd, "abcdefghij", 10, 0));
	meet();
	TRY(shutdown(fd, SHUT_WR));
	drain(fd);
}

static void poll_steps(int fd)
{
	note_poll(fd, 0);
	meet();
	await_poll(fd, POLLIN);
	TRY(recv(fd, buf, 4, 0));
	note_poll(fd, 0);
	TRY(recv(fd, buf, 100, 0));
	note_poll(fd, 0);
	meet();
	TRY(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 10000));
	TRY(recv(fd, buf, 100, 0));
	meet();
	await_poll(fd, POLLRDHUP);
	TRY(recv(fd, buf, 100, 0));
	note_poll(fd, 0);
	TRY(shutdown(fd, SHUT_WR));
	await_poll(fd, POLLHUP);
}

static void poll_reset(int fd)
{
	meet();
	await_poll(fd, POLLERR | POLLRDHUP);
	NOTE(fd, SOL_SOCKET, SO_ERROR);
	NOTE(fd, SOL_SOCKET, SO_ERROR);
	note_poll(fd, 0);
	TRY(recv(fd, buf, 1, 0));
}

static void poll_reset_peer(int fd)
{
	struct linger linger = { 1, 0 };

	meet();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void select_steps(int fd)
{
	struct timeval tv = { 0, 0 };
	fd_set r, w, x;
	int step;

	for (step = 0; step < 4; step++) {
		if (step)
			meet();
		if (step)
			AWAIT(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0) == 1);
		FD_ZERO(&r);
		FD_ZERO(&w);
		FD_ZERO(&x);
		FD_SET(fd, &r);
		FD_SET(fd, &w);
		FD_SET(fd, &x);
		TRY(select(fd + 1, &r, &w, &x, &tv));
		say("read %d write %d except %d", FD_ISSET(fd, &r) != 0,
		    FD_ISSET(fd, &w) != 0, FD_ISSET(fd, &x) != 0);
		if (step)
			TRY(recv(fd, buf, 100, 0));
	}
}

static volatile int signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

/* A signal that is let in only while waiting. */
static void ppoll_mask(int fd)
{
	struct timespec t = { 20, 0 };
	sigset_t blocked, none;

	signal(SIGUSR1, on_signal);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	raise(SIGUSR1);
	say("signals %d", signals);
	TRY(ppoll(&(struct pollfd){ fd, POLLIN, 0 }, 1, &t, &none));
	say("signals %d", signals);
	meet();
	TRY(ppoll(&(struct pollfd){ fd, POLLIN, 0 }, 1, &t, &none));
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, 0));
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));
}

static int watch(int fd, unsigned int events)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = { .events = events, .data.fd = fd };

	TRY(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	return ep;
}

static int note_epoll(int ep, int ms)
{
	struct epoll_event e = {};
	int n = epoll_wait(ep, &e, 1, ms);

	say("epoll_wait = %d: %s", n, events_text(n == 1 ? e.events : 0));
	return n;
}

static void epoll_level(int fd)
{
	int ep = watch(fd, EPOLLIN | EPOLLRDHUP);

	note_epoll(ep, 0);
	meet();
	note_epoll(ep, 10000);
	note_epoll(ep, 0);
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 5, 0));
	note_epoll(ep, 0);
	TRY(recv(fd, buf, 100, 0));
	note_epoll(ep, 0);
	meet();
	note_epoll(ep, 10000);
	TRY(recv(fd, buf, 100, 0));
	meet();
	note_epoll(ep, 10000);
	TRY(recv(fd, buf, 100, 0));
	note_epoll(ep, 0);
	close(ep);
}

static void epoll_edge(int fd)
{
	int ep = watch(fd, EPOLLIN | EPOLLOUT | EPOLLET);

	note_epoll(ep, 0);
	note_epoll(ep, 0);
	meet();
	note_epoll(ep, 10000);
	note_epoll(ep, 0);
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 5, 0));
	note_epoll(ep, 0);
	meet();
	note_epoll(ep, 10000);
	AWAIT(queued(fd) == 15);
	note_epoll(ep, 0);
	TRY(recv(fd, buf, 100, 0));
	meet();
	note_epoll(ep, 10000);
	TRY(recv(fd, buf, 100, 0));
	close(ep);
}

static void epoll_oneshot(int fd)
{
	int ep = watch(fd, EPOLLIN | EPOLLONESHOT);
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };

	meet();
	note_epoll(ep, 10000);
	note_epoll(ep, 0);
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e));
	note_epoll(ep, 0);
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, 0));
	TRY(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e));
	note_epoll(ep, 0);
	meet();
	note_epoll(ep, 10000);
	meet();
	AWAIT(poll(&(struct pollfd){ fd, POLLRDHUP, 0 }, 1, 0) == 1);
	note_epoll(ep, 0);
	TRY(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
	close(ep);
}

static int woken, enough;

/* Until the socket or the main thread wakes it. */
static void *wait_one(void *arg)
{
	struct epoll_event e = {};

	if (epoll_ctl(*(int *)arg, EPOLL_CTL_ADD, enough,
		      &(struct epoll_event){ .events = EPOLLIN, .data.fd = enough }))
		trouble("epoll: %m");
	if (epoll_wait(*(int *)arg, &e, 1, -1) == 1 && e.data.fd != enough)
		__atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* One event wakes at least one of two; who reads empties it for the other. */
static void epoll_exclusive(int fd)
{
	int ep[2], i;
	pthread_t t[2];

	enough = eventfd(0, 0);
	for (i = 0; i < 2; i++) {
		ep[i] = watch(fd, EPOLLIN | EPOLLEXCLUSIVE);
		pthread_create(&t[i], NULL, wait_one, &ep[i]);
	}
	nap(100);
	meet();
	AWAIT(__atomic_load_n(&woken, __ATOMIC_SEQ_CST) > 0);
	eventfd_write(enough, 1);
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	TRY(recv(fd, buf, 100, 0));
	TRY(epoll_ctl(ep[0], EPOLL_CTL_MOD, fd, &(struct epoll_event){ .events = EPOLLIN }));
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));
	meet();
	TRY(recv(fd, buf, 10, MSG_WAITALL));
}

/* Room in the send buffer: an edge when the peer has read. */
static void epoll_out(int fd)
{
	struct epoll_event e;
	int one = fresh(), ep;
	long total;

	(void)fd;
	small_buffers(one);
	meet();
	TRY(dial(one, 0));
	await_card(one);
	ep = watch(one, EPOLLOUT | EPOLLET);
	note_epoll(ep, 0);
	total = stuff(one);
	while (epoll_wait(ep, &e, 1, 0) == 1)
		;
	note_poll(one, 0);
	send_value(total);
	note_epoll(ep, 20000);
	meet();
	AWAIT(!unacked(one));
	note_poll(one, 0);
	close(one);
}

static void epoll_out_peer(int fd)
{
	int listener = listen_at(0, 8), one;
	long total;

	(void)fd;
	set_int(listener, SOL_SOCKET, SO_RCVBUF, 32768);
	meet();
	one = accept(listener, NULL, NULL);
	for (total = other_value(); total > 0; total -= recv(one, buf, 4096, 0))
		;
	say("left %ld", total);
	meet();
	drain(one);
	close(one);
}

/* A buffer smaller than the window: it's the acknowledgments that wake the writer. */
static void little_room(int fd)
{
	set_int(fd, SOL_SOCKET, SO_SNDBUF, 4608);
	await_card(fd);
	give(fd, 200000);
	meet();
}

static void little_room_peer(int fd)
{
	want(fd, 200000);
	meet();
}

static void sigio(int fd)
{
	sigset_t set;
	siginfo_t info;
	struct timespec t = { 20, 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	TRY(fcntl(fd, F_SETOWN, getpid()) == 0);
	TRY(fcntl(fd, F_SETSIG, SIGRTMIN));
	TRY(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	TRY(recv(fd, buf, 100, 0));
	meet();
	TRY(sigtimedwait(&set, &info, &t) == SIGRTMIN);
	say("fd is right: %d band %s", info.si_fd == fd, events_text(info.si_band));
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, 0));
	meet();
	TRY(sigtimedwait(&set, &info, &t) == SIGRTMIN);
	say("band %s", events_text(info.si_band));
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, 0));
	meet();
	TRY(sigtimedwait(&set, &info, &t) == SIGRTMIN);
	AWAIT(poll(&(struct pollfd){ fd, POLLRDHUP, 0 }, 1, 0) == 1);
	TRY(recv(fd, buf, 100, 0));
}

static void sigurg(int fd)
{
	sigset_t set;
	struct timespec t = { 20, 0 };

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_BLOCK, &set, NULL);
	TRY(fcntl(fd, F_SETOWN, getpid()) == 0);
	meet();
	TRY(sigtimedwait(&set, NULL, &t) == SIGURG);
	await_poll(fd, POLLPRI);
	TRY(recv(fd, buf, 1, MSG_OOB));
	meet();
}

static void sigurg_peer(int fd)
{
	meet();
	TRY(send(fd, "u", 1, MSG_OOB));
	meet();
}

const struct scenario ready_table[] = {
	{ "poll", poll_steps, peer_steps, RECALLS, "fin", 0, "poll" },
	{ "poll_reset", poll_reset, poll_reset_peer, RECALLS, "rst", 0, "poll, reset" },
	{ "select", select_steps, peer_steps, RECALLS, "fin", 0, "select" },
	{ "ppoll", ppoll_mask, peer_steps, CARRIED, NULL, 0, "ppoll" },
	{ "epoll_level", epoll_level, peer_steps, RECALLS, "fin", PASSIVE, "epoll" },
	{ "epoll_edge", epoll_edge, peer_steps, RECALLS, "fin", 0, "EPOLLET" },
	{ "epoll_oneshot", epoll_oneshot, peer_steps, RECALLS, "fin", 0, "EPOLLONESHOT" },
	{ "epoll_exclusive", epoll_exclusive, peer_steps, CARRIED, NULL, 0,
	  "EPOLLEXCLUSIVE" },
	{ "epoll_out", epoll_out, epoll_out_peer, CARRIED, NULL, NOCONN, "EPOLLOUT" },
	{ "little_room", little_room, little_room_peer, CARRIED, NULL, 0,
	  "a send buffer smaller than the window" },
	{ "sigio", sigio, peer_steps, RECALLS, "fin", 0, "SIGIO, F_SETSIG" },
	{ "sigurg", sigurg, sigurg_peer, RECALLS, "urg", 0, "SIGURG" },
	{ }
};
