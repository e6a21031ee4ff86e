// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: sleeping in a call, and being woken: data, time, signals, threads.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/tcp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tables.h"

static char buf[1 << 20];

static void set_time(int fd, int option, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	TRY(setsockopt(fd, SOL_SOCKET, option, &tv, sizeof(tv)));
}

static void recv_timeout(int fd)
{
	struct timeval tv = {};
	struct timespec t;
	socklen_t len = sizeof(tv);

	set_time(fd, SO_RCVTIMEO, 600);
	getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
	say("SO_RCVTIMEO %ld.%06ld", (long)tv.tv_sec, (long)tv.tv_usec);
	clock_gettime(CLOCK_MONOTONIC, &t);
	TRY(recv(fd, buf, 100, 0));
	say("not too early: %d", ms_since(&t) >= 100);
	meet();
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 20, MSG_WAITALL));
	TRY(recv(fd, buf, 20, 0));
	meet();
}

static void ten_bytes_peer(int fd)
{
	meet();
	TRY(send(fd, "0123456789", 10, 0));
	meet();
}

/* A connection whose reader sleeps, full. */
static int full_connection(void)
{
	int one = fresh();

	small_buffers(one);
	meet();
	TRY(dial(one, 0));
	await_card(one);
	stuff(one);
	return one;
}

static void full_peer(int fd)
{
	int listener = listen_at(0, 8), one;

	(void)fd;
	set_int(listener, SOL_SOCKET, SO_RCVBUF, 32768);
	meet();
	one = accept(listener, NULL, NULL);
	meet();
	while (recv(one, buf, 8192, 0) > 0)
		;
	say("all read");
	close(one);
}

static void send_timeout(int fd)
{
	int one = full_connection();
	struct timespec t;

	(void)fd;
	set_time(one, SO_SNDTIMEO, 600);
	clock_gettime(CLOCK_MONOTONIC, &t);
	TRY(send(one, buf, 100000, 0));
	say("not too early: %d", ms_since(&t) >= 100);
	TRY(send(one, buf, 1, MSG_DONTWAIT));
	meet();
	set_time(one, SO_SNDTIMEO, 0);
	TRY(send(one, buf, 100000, 0));
	close(one);
}

static volatile int alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* Every 200 ms: the first may come before the call that it is to end. */
static void alarm_on(int flags)
{
	struct itimerval it = { { 0, 200000 }, { 0, 200000 } };
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void alarm_off(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){}, NULL);
}

static void eintr_recv(int fd)
{
	alarm_on(0);
	TRY(recv(fd, buf, 100, 0));
	alarm_off();
	meet();
	AWAIT(queued(fd) == 10);
	alarm_on(0);
	TRY(recv(fd, buf, 100, MSG_WAITALL));
	alarm_off();
	/* With a time-out a call is never restarted. */
	set_time(fd, SO_RCVTIMEO, 20000);
	alarm_on(SA_RESTART);
	TRY(recv(fd, buf, 100, 0));
	alarm_off();
	meet();
}

static void *late_byte(void *arg)
{
	AWAIT(alarms > 1);
	alarm_off();
	meet();
	return arg;
}

/* The signals come first; the call goes on and ends with the data. */
static void eintr_restart(int fd)
{
	pthread_t t;

	alarm_on(SA_RESTART);
	pthread_create(&t, NULL, late_byte, NULL);
	TRY(recv(fd, buf, 10, MSG_WAITALL));
	pthread_join(t, NULL);
	meet();
}

static void eintr_send(int fd)
{
	int one = full_connection();

	(void)fd;
	alarm_on(0);
	TRY(send(one, buf, sizeof(buf), 0));
	alarm_off();
	meet();
	TRY(send(one, buf, sizeof(buf), 0));
	close(one);
}

static void nonblocking(int fd)
{
	TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(recv(fd, buf, 100, 0));
	TRY(recv(fd, buf, 100, MSG_WAITALL));
	meet();
	AWAIT(queued(fd) == 10);
	TRY(recv(fd, buf, 100, MSG_WAITALL));
	TRY(read(fd, buf, 100));
	TRY(fcntl(fd, F_SETFL, 0));
	meet();
	TRY(recv(fd, buf, 100, 0));
}

struct thread {
	pthread_t id;
	pid_t tid;
	int fd;
	long result;
	int error;
};

static void *blocked_recv(void *arg)
{
	struct thread *t = arg;
	char c[100];

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_SEQ_CST);
	t->result = recv(t->fd, c, sizeof(c), 0);
	t->error = errno;
	return NULL;
}

/* Does that thread sleep in that system call? */
static bool sleeps_in(pid_t tid, long call)
{
	char name[64], text[64] = "";
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/self/task/%d/syscall", tid);
	fd = open(name, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && text[0] != 'r' && atol(text) == call;	/* «running» */
}

static void start(struct thread *t, int fd, void *(*fn)(void *), long call)
{
	t->fd = fd;
	t->tid = 0;
	pthread_create(&t->id, NULL, fn, t);
	AWAIT(__atomic_load_n(&t->tid, __ATOMIC_SEQ_CST) && sleeps_in(t->tid, call));
}

static void finish(struct thread *t, const char *what)
{
	pthread_join(t->id, NULL);
	errno = t->error;
	noted(what, t->result);
}

/* The sleeper's call has the file: close() by another takes the number only. */
static void close_blocked(int fd)
{
	int two = dup(fd);
	struct thread t;

	start(&t, two, blocked_recv, SYS_recvfrom);
	TRY(close(two));
	meet();
	finish(&t, "recv that slept");
	TRY(recv(two, buf, 1, 0));
	meet();
}

static void shutdown_blocked(int fd)
{
	struct thread t;

	start(&t, fd, blocked_recv, SYS_recvfrom);
	TRY(shutdown(fd, SHUT_RD));
	finish(&t, "recv that slept");
	TRY(send(fd, "still", 5, 0));
	meet();
	meet();
}

static void shutdown_blocked_peer(int fd)
{
	want(fd, 0);
	TRY(recv(fd, buf, 5, MSG_WAITALL));
	meet();
	meet();
}

static void *blocked_poll(void *arg)
{
	struct thread *t = arg;

	__atomic_store_n(&t->tid, gettid(), __ATOMIC_SEQ_CST);
	t->result = poll(&(struct pollfd){ t->fd, POLLIN, 0 }, 1, 20000);
	t->error = errno;
	return NULL;
}

static void shutdown_polled(int fd)
{
	struct thread t;

	start(&t, fd, blocked_poll, SYS_poll);
	TRY(shutdown(fd, SHUT_RDWR));
	finish(&t, "poll that slept");
	meet();
}

static void two_sleepers(int fd)
{
	struct thread t[2] = {};

	start(&t[0], fd, blocked_recv, SYS_recvfrom);
	start(&t[1], fd, blocked_recv, SYS_recvfrom);
	meet();
	AWAIT(__atomic_load_n(&t[0].result, __ATOMIC_SEQ_CST) ||
	      __atomic_load_n(&t[1].result, __ATOMIC_SEQ_CST));
	meet();
	pthread_join(t[0].id, NULL);
	pthread_join(t[1].id, NULL);
	meet();
	say("together %ld", t[0].result + t[1].result);
}

/* Ten bytes, and ten more once somebody has had the first. */
static void two_sleepers_peer(int fd)
{
	meet();
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	TRY(send(fd, "0123456789", 10, 0));
	meet();
	drain(fd);
}

#define EACH	(256 * 1024)

static void *sender(void *arg)
{
	struct thread *t = arg;
	size_t left = EACH;
	char *b = buf;

	while (left) {
		ssize_t n = send(t->fd, b, left < 7000 ? left : 7000, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		left -= n;
	}
	t->result = EACH - left;
	t->error = errno;
	return NULL;
}

static void *receiver(void *arg)
{
	static __thread char b[5000];
	struct thread *t = arg;
	ssize_t n;

	while ((n = recv(t->fd, b, sizeof(b), 0)) > 0)
		t->result += n;
	t->error = errno;
	return NULL;
}

/* All at once on one socket; every byte counts, whoever gets it. */
static void threads(int fd)
{
	struct thread s[3] = {}, r[2] = {};
	int i;

	for (i = 0; i < 3; i++)
		s[i].fd = fd;
	for (i = 0; i < 2; i++)
		r[i].fd = fd;
	for (i = 0; i < 2; i++)
		pthread_create(&r[i].id, NULL, receiver, &r[i]);
	for (i = 0; i < 3; i++)
		pthread_create(&s[i].id, NULL, sender, &s[i]);
	for (i = 0; i < 3; i++)
		pthread_join(s[i].id, NULL);
	say("sent %ld", s[0].result + s[1].result + s[2].result);
	TRY(shutdown(fd, SHUT_WR));
	for (i = 0; i < 2; i++)
		pthread_join(r[i].id, NULL);
	say("received %ld", r[0].result + r[1].result);
}

static void threads_peer(int fd)
{
	struct thread s = { .fd = fd }, r = { .fd = fd };

	pthread_create(&r.id, NULL, receiver, &r);
	pthread_create(&s.id, NULL, sender, &s);
	pthread_join(s.id, NULL);
	pthread_join(r.id, NULL);
	say("sent %ld received %ld", s.result, r.result);
}

/* A page that isn't there until somebody brings it. */
struct late {
	int fd, uffd;
	void *page;
	union {
		int value[1024];	/* a page's worth */
		char name[4096];
	};
};

static void page_missed(struct late *l)
{
	struct uffd_msg msg;

	if (read(l->uffd, &msg, sizeof(msg)) != sizeof(msg))
		trouble("userfaultfd: %m");
}

static void bring_page(struct late *l)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)l->page, .src = (uintptr_t)l->value,
		.len = sizeof(l->value),
	};

	if (ioctl(l->uffd, UFFDIO_COPY, &copy))
		trouble("UFFDIO_COPY: %m");
}

static void *bring_late(void *arg)
{
	struct late *l = arg;

	page_missed(l);
	nap(500 * run.slow);	/* much longer than it would take to be offered again */
	is_native(l->fd);
	bring_page(l);
	return NULL;
}

static void late_page(struct late *l)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	l->page = mmap(NULL, sizeof(l->value), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	l->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	reg.range.start = (uintptr_t)l->page;
	reg.range.len = sizeof(l->value);
	if (l->uffd < 0 || ioctl(l->uffd, UFFDIO_API, &api) ||
	    ioctl(l->uffd, UFFDIO_REGISTER, &reg))
		trouble("userfaultfd: %m");
}

/* The call sleeps behind the recall and before it has read the value. */
static void late_option(int fd)
{
	struct late l = { .fd = fd, .value = { 1000 } };
	pthread_t t;

	late_page(&l);
	pthread_create(&t, NULL, bring_late, &l);
	TRY(setsockopt(fd, SOL_TCP, TCP_MAXSEG, l.page, sizeof(int)));
	pthread_join(t, NULL);
	close(l.uffd);
	NOTE(fd, SOL_TCP, TCP_MAXSEG);
	await_card(fd);
	give(fd, 50000);
	meet();
	want(fd, 10);
}

static void *set_ulp(void *arg)
{
	struct late *l = arg;

	TRY(setsockopt(l->fd, SOL_TCP, TCP_ULP, l->page, 3));
	return NULL;
}

/* The call has entered the stack when the connection comes to the card. */
static void late_ulp(int fd)
{
	struct late l = { .fd = fresh(), .name = "tls" };
	char name[16] = "";
	socklen_t len = sizeof(name);
	pthread_t t;

	(void)fd;
	late_page(&l);
	pthread_create(&t, NULL, set_ulp, &l);
	page_missed(&l);
	meet();
	TRY(dial(l.fd, 0));
	await_card(l.fd);
	bring_page(&l);
	pthread_join(t, NULL);
	close(l.uffd);
	TRY(getsockopt(l.fd, SOL_TCP, TCP_ULP, name, &len));
	say("ULP %s", name);
	TRY(send(l.fd, buf, 100000, 0));
	close(l.fd);
}

static void late_option_peer(int fd)
{
	want(fd, 50000);
	meet();
	give(fd, 10);
	drain(fd);
}

static void late_ulp_peer(int fd)
{
	int one = accepted();

	(void)fd;
	drain(one);
	close(one);
}

const struct scenario block_table[] = {
	{ "recv_timeout", recv_timeout, ten_bytes_peer, CARRIED, NULL, 0, "SO_RCVTIMEO" },
	{ "send_timeout", send_timeout, full_peer, CARRIED, NULL, NOCONN, "SO_SNDTIMEO" },
	{ "eintr_recv", eintr_recv, ten_bytes_peer, CARRIED, NULL, 0, "recv, EINTR" },
	{ "eintr_restart", eintr_restart, ten_bytes_peer, CARRIED, NULL, 0,
	  "recv, SA_RESTART" },
	{ "eintr_send", eintr_send, full_peer, CARRIED, NULL, NOCONN, "send, EINTR" },
	{ "nonblocking", nonblocking, ten_bytes_peer, CARRIED, NULL, 0, "O_NONBLOCK" },
	{ "close_blocked", close_blocked, ten_bytes_peer, CARRIED, NULL, 0,
	  "close while another thread sleeps in recv" },
	{ "shutdown_blocked", shutdown_blocked, shutdown_blocked_peer, RECALLS,
	  "shutdown", 0, "shutdown while another thread sleeps in recv" },
	{ "shutdown_polled", shutdown_polled, peer_nothing, RECALLS, "shutdown", 0,
	  "shutdown while another thread sleeps in poll" },
	{ "two_sleepers", two_sleepers, two_sleepers_peer, CARRIED, NULL, 0,
	  "two threads sleep in recv" },
	{ "threads", threads, threads_peer, CARRIED, NULL, 0,
	  "threads send and receive on one socket" },
	{ "late_option", late_option, late_option_peer, RECALLS, "sockopt", 0,
	  "setsockopt whose value's page comes late" },
	{ "late_ulp", late_ulp, late_ulp_peer, RECALLS, "sockopt", NOCONN,
	  "TCP_ULP under way when the connection is offloaded" },
	{ }
};
