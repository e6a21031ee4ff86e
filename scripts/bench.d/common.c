// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* What load and serve have in common. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "common.h"

_Static_assert(sizeof(struct request) == HELLO, "the request is the hello");

void die(const char *what)
{
	perror(what);
	exit(1);
}

struct address address_of(const char *host)
{
	static const char name[] = "\0opentoe-bench";
	struct address address = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in *in = (struct sockaddr_in *)&address.sa;
	struct sockaddr_un *un = (struct sockaddr_un *)&address.sa;

	if (!strcmp(host, "unix")) {
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, name, sizeof(name) - 1);
		address.len = offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1;
		return address;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(BENCH_PORT);
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1) {
		fprintf(stderr, "%s: not an IPv4 address, nor unix\n", host);
		exit(1);
	}
	return address;
}

void stream_options(int fd, const struct address *address)
{
	if (address->sa.ss_family == AF_INET &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)))
		die("TCP_NODELAY");
}

int stream_socket(const struct address *address)
{
	int fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	stream_options(fd, address);
	return fd;
}

/* Also for a non-blocking socket, for which it waits. */
void write_all(int fd, const void *from, size_t len)
{
	const char *at = from;

	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		struct pollfd one = { .fd = fd, .events = POLLOUT };

		if (n < 0 && errno == EAGAIN)
			poll(&one, 1, -1);
		else if (n < 0)
			die("send");
		at += n > 0 ? n : 0;
		len -= n > 0 ? n : 0;
	}
}

/* False: the connection ended before. */
bool read_all(int fd, void *to, size_t len)
{
	char *at = to;

	while (len) {
		ssize_t n = recv(fd, at, len, 0);

		if (n < 0)
			die("recv");
		if (!n)
			return false;
		at += n;
		len -= n;
	}
	return true;
}
