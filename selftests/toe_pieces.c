// SPDX-License-Identifier: GPL-2.0
/*
 * toe_pieces: sends that are small and in many pieces.
 *
 *	toe_pieces --to ADDRESS --port PORT [--sends N]
 *
 * Connects to a service that sends back what it gets and prints «established». At a
 * line on stdin it does N sends (200) without waiting for anything. Each is of as many
 * bytes as a segment of the stack can have pieces, each byte in a page of its own,
 * with MSG_ZEROCOPY: so they stay as many pieces up to the card. Then it reads all of
 * it back. Exit status 0 if every byte is right.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES		17	/* MAX_SKB_FRAGS */
#define PAGE		4096
#define SNDBUF		(16 << 20)
#define PATIENCE_S	30

#ifndef MSG_ZEROCOPY
#define MSG_ZEROCOPY	0x4000000
#endif
#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY	60
#endif

static unsigned char *pages;

/* What the byte at @pos of the stream is. A page has the byte of each round in turn. */
static unsigned char stream(unsigned int pos)
{
	return pos * 31 + pos / 251;
}

static void option(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "option %d", name);
}

static int dial(const char *to, int port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int v6 = !!strchr(to, ':'), fd;

	if (inet_pton(v6 ? AF_INET6 : AF_INET, to,
		      v6 ? (void *)&a6.sin6_addr : (void *)&a4.sin_addr) != 1)
		errx(1, "%s is no address", to);
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	if (fd < 0)
		err(1, "socket");
	option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SNDBUF);
	option(fd, SOL_SOCKET, SO_ZEROCOPY, 1);
	option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		err(1, "patience");
	if (connect(fd, v6 ? (void *)&a6 : (void *)&a4, v6 ? sizeof(a6) : sizeof(a4)))
		err(1, "connect");
	return fd;
}

static void send_all(int fd, unsigned int sends)
{
	struct iovec piece[PIECES];
	struct msghdr msg = { .msg_iov = piece, .msg_iovlen = PIECES };
	unsigned int pos = 0, n, i;

	for (n = 0; n < sends; n++) {
		for (i = 0; i < PIECES; i++, pos++) {
			piece[i].iov_base = pages + i * 2 * PAGE + n % PAGE;
			piece[i].iov_len = 1;
			*(unsigned char *)piece[i].iov_base = stream(pos);
		}
		if (sendmsg(fd, &msg, MSG_ZEROCOPY) != PIECES)
			err(1, "send %u", n);
	}
}

static void read_all(int fd, unsigned int total)
{
	unsigned char buf[4096];
	unsigned int pos = 0;
	ssize_t got, i;

	while (pos < total) {
		got = recv(fd, buf, sizeof(buf), 0);
		if (got < 0)
			err(1, "after %u of %u bytes", pos, total);
		if (!got)
			errx(1, "the end after %u of %u bytes", pos, total);
		for (i = 0; i < got; i++, pos++)
			if (buf[i] != stream(pos))
				errx(1, "byte %u is wrong", pos);
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", 1, NULL, 't' }, { "port", 1, NULL, 'p' }, { "sends", 1, NULL, 'n' }, { }
	};
	unsigned int sends = 200;
	const char *to = NULL;
	int port = 0, c, fd;
	char line[16];

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 't': to = optarg; break;
		case 'p': port = atoi(optarg); break;
		case 'n': sends = atoi(optarg); break;
		default: return 1;
		}
	/* A page's bytes stay what they are until all are back. */
	if (!to || !port || sends > PAGE)
		errx(1, "who is to get how many?");
	pages = mmap(NULL, PIECES * 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		err(1, "memory");
	fd = dial(to, port);
	puts("established");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	send_all(fd, sends);
	read_all(fd, sends * PIECES);
	close(fd);
	return 0;
}
