// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/*
 * flow - one end of a bulk TCP transfer, for `make bench-tcp`
 *
 *	flow recv --port 9001 --bytes 12000000 --seconds 20 --skip 1
 *	flow send --to 10.77.0.2 --port 9001 --bytes 12000000
 *
 * Whoever has no --to accepts.  The receiver measures, by its own clock and from
 * the connection's beginning, and closes when it has all or its time is up.  The
 * sender never closes first, so that no FIN takes part in what is measured.
 * Both print a JSON object per connection; --count makes many in sequence.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK		65536
#define INFO_EVERY	0.1	/* s between looks at TCP_INFO */
#define RETRY_S		10
#define RETRY_MS	50

static struct {
	bool sender;
	struct sockaddr_in to;
	uint64_t bytes;
	unsigned int count, timeout;
	double seconds, skip;
} opt = { .count = 1, .timeout = 120, .seconds = 1e9 };

static char buf[CHUNK];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The other end may not listen yet. */
static int connect_retrying(void)
{
	double until = now() + RETRY_S;

	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0)
			die("socket");
		if (!connect(fd, (struct sockaddr *)&opt.to, sizeof(opt.to)))
			return fd;
		if (errno != ECONNREFUSED || now() > until)
			die("connect");
		close(fd);
		poll(NULL, 0, RETRY_MS);
	}
}

static int listener(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&opt.to, sizeof(opt.to)) || listen(fd, 16))
		die("listen");
	return fd;
}

static void receive(int fd)
{
	double begin = now(), from = 0, t = 0;
	uint64_t got = 0, from_bytes = 0;
	ssize_t n = 1;

	while (n > 0 && got < opt.bytes && t < opt.seconds) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, opt.seconds < 1e6 ? (opt.seconds - t) * 1000 + 1 : -1) > 0) {
			n = recv(fd, buf, sizeof(buf), 0);
			got += n > 0 ? n : 0;
		}
		t = now() - begin;
		if (!from && t >= opt.skip) {
			from = t;
			from_bytes = got;
		}
	}
	printf("{\"bytes\":%llu,\"seconds\":%.6f,\"from_bytes\":%llu,\"from_seconds\":%.6f}\n",
	       (unsigned long long)got, t, (unsigned long long)from_bytes, from);
}

/* What TCP_INFO last said before the other end went away. */
static void look(int fd, struct tcp_info *info, double *next)
{
	struct tcp_info fresh = { 0 };
	socklen_t len = sizeof(fresh);

	if (now() < *next)
		return;
	*next = now() + INFO_EVERY;
	if (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &fresh, &len) && fresh.tcpi_state == 1)
		*info = fresh;
}

/* Sends all and waits for the receiver to close. */
static void transmit(int fd)
{
	struct tcp_info info = { 0 };
	uint64_t sent = 0;
	double next = 0;
	ssize_t n = 1;

	do {
		size_t len = opt.bytes - sent < CHUNK ? opt.bytes - sent : CHUNK;
		struct pollfd p = { .fd = fd, .events = len ? POLLOUT : POLLIN };

		look(fd, &info, &next);
		if (poll(&p, 1, INFO_EVERY * 1000) <= 0)
			continue;
		if (len) {
			n = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
			sent += n > 0 ? n : 0;
		} else {
			n = recv(fd, buf, 1, 0);
		}
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	printf("{\"sent\":%llu,\"retrans\":%u,\"rtt_us\":%u,\"min_rtt_us\":%u,\"cwnd\":%u,"
	       "\"rtos\":%u,\"segs_out\":%u}\n", (unsigned long long)sent,
	       info.tcpi_total_retrans, info.tcpi_rtt, info.tcpi_min_rtt, info.tcpi_snd_cwnd,
	       info.tcpi_total_rto, info.tcpi_data_segs_out);
}

static double number(const char *s)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || *end || v < 0) {
		errno = EINVAL;
		die(s);
	}
	return v;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to",		required_argument, NULL, 't' },
		{ "port",	required_argument, NULL, 'p' },
		{ "bytes",	required_argument, NULL, 'b' },
		{ "seconds",	required_argument, NULL, 's' },
		{ "skip",	required_argument, NULL, 'k' },
		{ "count",	required_argument, NULL, 'c' },
		{ "timeout",	required_argument, NULL, 'T' },
		{ }
	};
	int o;

	errno = EINVAL;
	if (argc < 2 || (strcmp(argv[1], "send") && strcmp(argv[1], "recv")))
		die("usage: flow send|recv --port N [--to ADDRESS] ...");
	opt.sender = !strcmp(argv[1], "send");
	opt.to.sin_family = AF_INET;
	while ((o = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
		switch (o) {
		case 't':
			if (inet_pton(AF_INET, optarg, &opt.to.sin_addr) != 1)
				die(optarg);
			break;
		case 'p': opt.to.sin_port = htons(number(optarg)); break;
		case 'b': opt.bytes = number(optarg); break;
		case 's': opt.seconds = number(optarg); break;
		case 'k': opt.skip = number(optarg); break;
		case 'c': opt.count = number(optarg); break;
		case 'T': opt.timeout = number(optarg); break;
		default: exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	int listening = -1, fd;
	unsigned int i;

	parse(argc, argv);
	alarm(opt.timeout);	/* whatever happens, nobody waits for ever */
	if (!opt.to.sin_addr.s_addr)
		listening = listener();
	for (i = 0; i < opt.count; i++) {
		fd = listening < 0 ? connect_retrying() : accept(listening, NULL, NULL);
		if (fd < 0)
			die("accept");
		if (opt.sender)
			transmit(fd);
		else
			receive(fd);
		close(fd);
	}
	return 0;
}
