// SPDX-License-Identifier: GPL-2.0
/*
 * toe_flood - half of a connection, or connections that nobody wants, by the hundred.
 *
 *	toe_flood syn --to 10.0.0.1 --port 5000 --count 2000 --rate 500
 *	toe_flood connect --to 10.0.0.1 --port 5000 --count 600
 *	toe_flood listen --port 5000 --count 600
 *
 * syn sends SYNs from addresses of the target's own /24 that nobody has; connect
 * connects and says nothing; listen never accepts.  The latter two print how many it
 * came to and stay until they are killed.
 * Exit status: 0 all well, 1 something failed, 2 usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct syn {
	struct iphdr ip;
	struct tcphdr tcp;
};

static struct sockaddr_in to = { .sin_family = AF_INET };
static unsigned int count = 100, rate = 1000;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint32_t sum(const void *data, size_t len)
{
	const uint16_t *p = data;
	uint32_t s = 0;

	for (; len > 1; len -= 2)
		s += *p++;
	return s;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return ~s;
}

/* From one of the addresses 100 to 249 of the target's /24. */
static void build(struct syn *p, unsigned int i)
{
	uint32_t net = ntohl(to.sin_addr.s_addr) & 0xffffff00;

	memset(p, 0, sizeof(*p));
	p->ip.version = 4;
	p->ip.ihl = 5;
	p->ip.tot_len = htons(sizeof(*p));
	p->ip.ttl = 64;
	p->ip.protocol = IPPROTO_TCP;
	p->ip.saddr = htonl(net | (100 + i % 150));
	p->ip.daddr = to.sin_addr.s_addr;
	p->tcp.source = htons(1024 + i / 150 % 60000);
	p->tcp.dest = to.sin_port;
	p->tcp.seq = htonl(random());
	p->tcp.doff = 5;
	p->tcp.syn = 1;
	p->tcp.window = htons(65535);
	p->tcp.check = fold(sum(&p->ip.saddr, 8) + htons(IPPROTO_TCP) +
			    htons(sizeof(p->tcp)) + sum(&p->tcp, sizeof(p->tcp)));
}

static int flood_syn(void)
{
	struct timespec gap = { 0, 1000000000 / rate };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	struct syn p;
	unsigned int i;

	if (fd < 0)
		die("raw socket");
	for (i = 0; i < count; i++) {
		build(&p, i);
		if (sendto(fd, &p, sizeof(p), 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
		    errno != ENOBUFS)
			die("sendto");
		nanosleep(&gap, NULL);
	}
	printf("%u\n", count);
	return 0;
}

static int flood_connect(void)
{
	unsigned int i, done = 0;
	int fd;

	for (i = 0; i < count; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0)
			die("socket");
		done += !connect(fd, (struct sockaddr *)&to, sizeof(to));
	}
	printf("%u\n", done);
	fflush(stdout);
	pause();
	return 0;
}

static int listen_deaf(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) || listen(fd, count))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	pause();
	return 0;
}

static const struct option options[] = {
	{ "to",		required_argument, NULL, 't' },
	{ "port",	required_argument, NULL, 'p' },
	{ "count",	required_argument, NULL, 'n' },
	{ "rate",	required_argument, NULL, 'r' },
	{ }
};

int main(int argc, char **argv)
{
	struct rlimit files = { 65536, 65536 };
	const char *what = argc > 1 ? argv[1] : "";
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 't': to.sin_addr.s_addr = inet_addr(optarg); break;
		case 'p': to.sin_port = htons(atoi(optarg)); break;
		case 'n': count = atoi(optarg); break;
		case 'r': rate = atoi(optarg); break;
		default: return 2;
		}
	}
	setrlimit(RLIMIT_NOFILE, &files);
	if (!strcmp(what, "syn") && rate)
		return flood_syn();
	if (!strcmp(what, "connect"))
		return flood_connect();
	if (!strcmp(what, "listen"))
		return listen_deaf();
	fprintf(stderr, "usage: toe_flood syn|connect|listen --port N [--to ADDRESS] [--count N] [--rate N]\n");
	return 2;
}
