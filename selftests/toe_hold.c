// SPDX-License-Identifier: GPL-2.0
/*
 * toe_hold: connections that are held, with options that rules look at.
 *
 *	toe_hold --to ADDRESS --port PORT [--conns N] [--uid N] [--cgroup DIR]
 *		 [--mark N] [--priority N] [--tos N] [--sport N]
 *
 * Prints a line when all of them are established, then does what each line of stdin
 * says: «mark N» changes their SO_MARK; «info» asks the first of them for TCP_INFO, twenty
 * times, and «congestion NAME» sets its TCP_CONGESTION, once; either prints how many
 * microseconds it took, the quickest time. Ends with stdin.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 1024

static struct {
	const char *to, *cgroup;
	int port, conns, uid, mark, priority, tos, sport;
} arg = { .conns = 1, .uid = -1, .mark = -1, .priority = -1, .tos = -1 };

static int fds[CONNS_MAX];

static void set(int fd, int level, int option, int value)
{
	if (value >= 0 && setsockopt(fd, level, option, &value, sizeof(value)))
		err(1, "option %d", option);
}

/* As a member from the start: a socket belongs to the group it was made in. */
static void join(const char *dir)
{
	char file[256];
	FILE *f;

	snprintf(file, sizeof(file), "%s/cgroup.procs", dir);
	f = fopen(file, "w");
	if (!f || fprintf(f, "0") < 0 || fclose(f))
		err(1, "%s", file);
}

static int dial(void)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in a4 = { .sin_family = AF_INET }, from = a4;
	int v6 = !!strchr(arg.to, ':'), fd, one = 1;

	a4.sin_port = a6.sin6_port = htons(arg.port);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, arg.to,
		      v6 ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr) != 1)
		errx(1, "%s is no address", arg.to);
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(1, "socket");
	set(fd, SOL_SOCKET, SO_REUSEADDR, one);
	set(fd, SOL_SOCKET, SO_MARK, arg.mark);
	set(fd, SOL_SOCKET, SO_PRIORITY, arg.priority);
	set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TCLASS : IP_TOS, arg.tos);
	if (arg.sport) {
		from.sin_port = htons(arg.sport);
		if (bind(fd, (void *)&from, sizeof(from)))
			err(1, "bind");
	}
	/* What has SO_MARK set needs the right to; the owner is who makes it. */
	if (arg.uid >= 0 && fchown(fd, arg.uid, -1))
		err(1, "fchown");
	if (connect(fd, v6 ? (void *)&a6 : (void *)&a4, v6 ? sizeof(a6) : sizeof(a4)))
		err(1, "connect");
	return fd;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", 1, NULL, 't' }, { "port", 1, NULL, 'p' },
		{ "conns", 1, NULL, 'n' }, { "uid", 1, NULL, 'u' },
		{ "cgroup", 1, NULL, 'c' }, { "mark", 1, NULL, 'm' },
		{ "priority", 1, NULL, 'P' }, { "tos", 1, NULL, 'T' },
		{ "sport", 1, NULL, 's' }, { }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 't': arg.to = optarg; break;
		case 'p': arg.port = atoi(optarg); break;
		case 'n': arg.conns = atoi(optarg); break;
		case 'u': arg.uid = atoi(optarg); break;
		case 'c': arg.cgroup = optarg; break;
		case 'm': arg.mark = strtol(optarg, NULL, 0); break;
		case 'P': arg.priority = atoi(optarg); break;
		case 'T': arg.tos = strtol(optarg, NULL, 0); break;
		case 's': arg.sport = atoi(optarg); break;
		default: exit(1);
		}
	if (!arg.to || !arg.port || arg.conns < 1 || arg.conns > CONNS_MAX)
		errx(1, "what shall be held?");
}

/* How long does it take to set this congestion control, or, without, to ask for TCP_INFO? */
static void ask(int fd, const char *congestion)
{
	long took, best = -1;
	struct timespec a, b;
	struct tcp_info info;
	int i, status, times = congestion ? 1 : 20;

	for (i = 0; i < times; i++) {
		socklen_t len = sizeof(info);

		clock_gettime(CLOCK_MONOTONIC, &a);
		if (congestion)
			status = setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion,
					    strlen(congestion));
		else
			status = getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
		clock_gettime(CLOCK_MONOTONIC, &b);
		if (status)
			err(1, "%s", congestion ?: "TCP_INFO");
		took = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
		if (best < 0 || took < best)
			best = took;
	}
	printf("took %ld\n", best);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[64], name[32];
	int mark, i;

	parse(argc, argv);
	if (arg.cgroup)
		join(arg.cgroup);
	for (i = 0; i < arg.conns; i++)
		fds[i] = dial();
	puts("established");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "info", 4))
			ask(fds[0], NULL);
		if (sscanf(line, "congestion %31s", name) == 1)
			ask(fds[0], name);
		if (sscanf(line, "mark %i", &mark) == 1)
			for (i = 0; i < arg.conns; i++)
				set(fds[i], SOL_SOCKET, SO_MARK, mark);
	}
	return 0;
}
