/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* What load and serve have in common: what is asked for, and how to talk. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BENCH_PORT	7001
#define CHUNK		65536	/* of a bulk transfer: bytes per send() and recv() */
#define REPLY_MAX	CHUNK
#define HELLO		64	/* bytes each way of a short connection */

enum op {
	OP_SEND = 1,	/* bulk to serve, which answers one byte per part */
	OP_RECEIVE,	/* bulk from serve, each part after one byte */
	OP_REQUEST,	/* requests of .size bytes, answers of as many */
	OP_HELLO,	/* this request is all; it's answered by HELLO bytes */
};

/* The first bytes on a connection. A bulk transfer has two parts: the first
 * warms up, the second is counted. A connection that brings none is for
 * counting connections.
 */
struct request {
	uint32_t op;
	uint32_t size;
	uint32_t delay_us;	/* wait before each answer */
	uint32_t unused;
	uint64_t part[2];	/* bytes */
	uint8_t pad[HELLO - 32];
};

/* An address: HOST is IPv4, or "unix". */
struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

void die(const char *what);
struct address address_of(const char *host);
int stream_socket(const struct address *address);
void stream_options(int fd, const struct address *address);
void write_all(int fd, const void *from, size_t len);
bool read_all(int fd, void *to, size_t len);

#endif
