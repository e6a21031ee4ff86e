// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/*
 * load [OPTION]... HOST WHAT: the half of the benchmark that is counted. Brings
 * connections and caches into a steady state, marks the begin, does COUNT
 * units, marks the end and prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "common.h"
#include "marker.h"

#define CONNS_MAX	64
#define GIVE_UP_S	120	/* a run takes a few */
#define CARD_WAIT_MS	5000	/* to be offloaded */

static struct address address;
static uint64_t count = 1000;
static uint32_t size = 64, delay_us;
static int nr_conns = 1;
static bool want_card;

static int conns[CONNS_MAX];
static char buf[CHUNK];

/* The whole system's context switches and interrupts, and the time. */
struct totals {
	uint64_t switches, interrupts, us;
};

static uint64_t stat_line(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at) {
		fprintf(stderr, "/proc/stat has no %s\n", name);
		exit(1);
	}
	return strtoull(at + strlen(name), NULL, 10);
}

static struct totals totals(void)
{
	static char text[32768];
	int fd = open("/proc/stat", O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);
	struct timespec t;

	if (n <= 0)
		die("/proc/stat");
	text[n] = '\0';
	close(fd);
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct totals){
		.switches = stat_line(text, "ctxt "),
		.interrupts = stat_line(text, "intr "),
		.us = t.tv_sec * 1000000ull + t.tv_nsec / 1000,
	};
}

static int conns_in_card(void)
{
	int n = 0;

	for (int i = 0; i < nr_conns; i++) {
		char name[16] = "";
		socklen_t len = sizeof(name);

		if (!getsockopt(conns[i], IPPROTO_TCP, TCP_ULP, name, &len) &&
		    !strcmp(name, "toe"))
			n++;
	}
	return n;
}

/* Until all connections are in the card. What counts is what they are at the
 * end, which report says.
 */
static void wait_card(void)
{
	for (int ms = 0; want_card && ms < CARD_WAIT_MS; ms++) {
		if (conns_in_card() == nr_conns)
			return;
		usleep(1000);
	}
}

static int connected(void)
{
	int fd = stream_socket(&address);

	if (connect(fd, (struct sockaddr *)&address.sa, address.len))
		die("connect");
	return fd;
}

static void receive_all(int fd, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = recv(fd, buf, bytes < CHUNK ? bytes : CHUNK, 0);

		if (n <= 0)
			die("recv");
		bytes -= n;
	}
}

/* One part of a bulk transfer; at its end all bytes are at the other end. */
static void send_part(uint64_t bytes)
{
	for (; bytes; bytes -= bytes < CHUNK ? bytes : CHUNK)
		write_all(conns[0], buf, bytes < CHUNK ? bytes : CHUNK);
	receive_all(conns[0], 1);
}

static void receive_part(uint64_t bytes)
{
	write_all(conns[0], buf, 1);
	receive_all(conns[0], bytes);
}

/* n requests on one connection, blocking. */
static void request_one(uint64_t n)
{
	for (; n; n--) {
		write_all(conns[0], buf, size);
		receive_all(conns[0], size);
	}
}

/* n requests over all connections, each with one on its way at any time. */
static void request_many(uint64_t n)
{
	static uint32_t got[CONNS_MAX];
	struct epoll_event events[CONNS_MAX];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t asked = 0, done = 0;

	for (int i = 0; i < nr_conns; i++) {
		events[0] = (struct epoll_event){ .events = EPOLLIN, .data.u32 = i };
		epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i], &events[0]);
	}
	for (; asked < n && asked < (uint64_t)nr_conns; asked++)
		write_all(conns[asked], buf, size);
	while (done < n) {
		int ready = epoll_wait(epoll, events, CONNS_MAX, -1);

		for (int k = 0; k < ready; k++) {
			int i = events[k].data.u32;
			ssize_t len = recv(conns[i], buf, size - got[i], 0);

			if (len <= 0)
				die("recv");
			got[i] += len;
			if (got[i] < size)
				continue;
			got[i] = 0;
			done++;
			if (asked++ < n)
				write_all(conns[i], buf, size);
		}
	}
	close(epoll);
}

static void request(uint64_t n)
{
	if (nr_conns == 1)
		request_one(n);
	else
		request_many(n);
}

static void connect_close(uint64_t n)
{
	while (n--)
		close(connected());
}

static void hello(uint64_t n)
{
	const struct request hi = { .op = OP_HELLO };

	while (n--) {
		int fd = connected();

		write_all(fd, &hi, sizeof(hi));
		receive_all(fd, HELLO);
		close(fd);
	}
}

static void idle(uint64_t ms)
{
	usleep(ms * 1000);
}

static const struct what {
	const char *name;
	enum op op;		/* 0: without a connection to begin with */
	void (*run)(uint64_t units);
	uint64_t unit;		/* what run() counts in */
	uint64_t warm_divisor;	/* the warm-up is that part of the whole */
} whats[] = {
	{ "send",	OP_SEND,	send_part,	1024,	2 },
	{ "receive",	OP_RECEIVE,	receive_part,	1024,	2 },
	{ "request",	OP_REQUEST,	request,	1,	4 },
	{ "connect",	0,		connect_close,	1,	10 },
	{ "hello",	0,		hello,		1,	10 },
	{ "idle",	0,		idle,		1,	100 },
};

static void open_conns(const struct what *what, uint64_t warm)
{
	const struct request request = {
		.op = what->op,
		.size = size,
		.delay_us = delay_us,
		.part = { warm * what->unit, count * what->unit },
	};

	for (int i = 0; i < nr_conns; i++) {
		conns[i] = connected();
		write_all(conns[i], &request, sizeof(request));
	}
	wait_card();
}

static void run(const struct what *what)
{
	uint64_t warm = count / what->warm_divisor + 1;
	struct totals t, u;

	if (what->op)
		open_conns(what, warm);
	what->run(warm * what->unit);
	t = totals();
	MARKER(MARKER_BEGIN);
	what->run(count * what->unit);
	MARKER(MARKER_END);
	u = totals();
	printf("\"units\": %llu, \"switches\": %llu, \"interrupts\": %llu, \"us\": %llu, \"in_card\": %d",
	       (unsigned long long)count,
	       (unsigned long long)(u.switches - t.switches),
	       (unsigned long long)(u.interrupts - t.interrupts),
	       (unsigned long long)(u.us - t.us), what->op ? conns_in_card() : 0);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: load [-n COUNT] [-s SIZE] [-c CONNECTIONS] [-w US] [-o] HOST WHAT\n"
		"  WHAT: send, receive (COUNT in KiB), request, connect, hello, idle (ms)\n"
		"  -w: the other half waits so long before it answers\n"
		"  -o: begin when all connections are offloaded\n");
	exit(1);
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "n:s:c:w:o")) != -1) {
		switch (option) {
		case 'n': count = strtoull(optarg, NULL, 10); break;
		case 's': size = atoi(optarg); break;
		case 'c': nr_conns = atoi(optarg); break;
		case 'w': delay_us = atoi(optarg); break;
		case 'o': want_card = true; break;
		default: usage();
		}
	}
	if (argc - optind != 2 || !count || !size || size > CHUNK ||
	    nr_conns < 1 || nr_conns > CONNS_MAX)
		usage();
	address = address_of(argv[optind]);
	alarm(GIVE_UP_S);
	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++) {
		if (!strcmp(argv[optind + 1], whats[i].name)) {
			run(&whats[i]);
			return 0;
		}
	}
	usage();
}
