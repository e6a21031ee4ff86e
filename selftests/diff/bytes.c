// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: payload, and what a socket holds of it.
 */
#define _GNU_SOURCE
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "diff.h"

#define CHUNK	65536

/* volatile: the compiler isn't to know, or it warns of every use. */
void *volatile nowhere = (void *)8;

void nap(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

/* ms_since() - by the monotonic clock */
long ms_since(const struct timespec *t)
{
	struct timespec n;

	clock_gettime(CLOCK_MONOTONIC, &n);
	return (n.tv_sec - t->tv_sec) * 1000 + (n.tv_nsec - t->tv_nsec) / 1000000;
}

static uint8_t byte_at(uint64_t offset)
{
	return (offset * 2654435761u) >> 13;
}

/* fill() - the next bytes of our stream; they count as sent */
void fill(void *buf, size_t len)
{
	uint8_t *b = buf;
	size_t i;

	for (i = 0; i < len; i++)
		b[i] = byte_at(run.sent++);
}

/* give() - send that many bytes of our stream, however many calls it takes */
void give(int fd, size_t len)
{
	uint8_t buf[CHUNK];

	while (len) {
		size_t n = len < sizeof(buf) ? len : sizeof(buf), at;
		ssize_t m;

		fill(buf, n);
		for (at = 0; at < n; at += m) {
			m = send(fd, buf + at, n - at, MSG_NOSIGNAL);
			if (m < 0 && errno == EINTR) {
				m = 0;
			} else if (m < 0) {
				noted("give", m);
				return;
			}
		}
		len -= n;
	}
}

/* want() - read that many bytes of the other end's stream, and compare */
void want(int fd, size_t len)
{
	uint8_t buf[CHUNK];
	size_t left = len;
	ssize_t n, i;

	while (left) {
		n = recv(fd, buf, left < sizeof(buf) ? left : sizeof(buf), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			say("want %zu: %zu are missing", len, left);
			noted("want", n);
			return;
		}
		for (i = 0; i < n; i++)
			if (buf[i] != byte_at(run.got++))
				break;
		if (i < n) {
			say("byte %llu is wrong", (unsigned long long)run.got - 1);
			return;
		}
		left -= n;
	}
	say("got %zu bytes as sent", len);
}

/* drain() - read to the end, note what came and how it ended */
void drain(int fd)
{
	unsigned long long total = 0;
	uint32_t digest = 2166136261u;
	uint8_t buf[CHUNK];
	ssize_t n, i;

	for (;;) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			digest = (digest ^ buf[i]) * 16777619;
		total += n;
	}
	say("drained %llu bytes, digest %08x", total, digest);
	noted("the end", n);
}

/* The peer of a scenario that only sends. */
void peer_drain(int fd)
{
	drain(fd);
}

/* The peer of a scenario that wants nothing of it but to be there. */
void peer_nothing(int fd)
{
	(void)fd;
	meet();
}

static int ioctl_int(int fd, unsigned long what)
{
	int value = -1;

	return ioctl(fd, what, &value) ? -1 : value;
}

int queued(int fd)
{
	return ioctl_int(fd, SIOCINQ);
}

int unacked(int fd)
{
	return ioctl_int(fd, SIOCOUTQ);
}

int unsent(int fd)
{
	return ioctl_int(fd, SIOCOUTQNSD);
}

/* note_held() - what cork or MSG_MORE keeps here; for 200 ms, so later is too late to say */
void note_held(int bytes, int wanted, const struct timespec *since)
{
	say("held back: %d", ms_since(since) < 150 ? bytes : wanted);
}

/* note_int() - an option's value, with the length that came back */
void note_int(int fd, int level, int option, const char *name)
{
	socklen_t len = sizeof(int);
	int value = 0;

	if (getsockopt(fd, level, option, &value, &len))
		noted(name, -1);
	else
		say("%s is %d (%u)", name, value, len);
}

/* set_int() - an option that the scenario isn't about */
void set_int(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		trouble("option %d/%d: %s", level, option, strerror(errno));
}

/* small_buffers() - so that little data fills them; before connecting */
void small_buffers(int fd)
{
	set_int(fd, SOL_SOCKET, SO_SNDBUF, 32768);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 32768);
}

/* stuff() - fill a connection whose reader sleeps until nothing more fits */
long stuff(int fd)
{
	static uint8_t buf[8192];
	long total = 0;
	int idle = 0;

	/* The window may still move for a moment: full is what stays full. */
	while (idle < 20 * run.slow) {
		ssize_t n;
		uint64_t at = run.sent;

		fill(buf, sizeof(buf));
		n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
		run.sent = at + (n > 0 ? n : 0);
		if (n > 0) {
			total += n;
			idle = 0;
			continue;
		}
		if (errno != EAGAIN)
			break;
		idle++;
		nap(10);
	}
	noted("stuffed, then send", -1);
	return total;
}

/* netstat() - the kernel's own count of a line of /proc/net/netstat */
long netstat(const char *name)
{
	char heads[8192], values[8192], *h, *v, *hs, *vs;
	FILE *f = fopen("/proc/net/netstat", "r");
	long count = -1;

	while (f && count < 0 && fgets(heads, sizeof(heads), f) &&
	       fgets(values, sizeof(values), f)) {
		h = strtok_r(heads, " \n", &hs);
		v = strtok_r(values, " \n", &vs);
		for (; h && v; h = strtok_r(NULL, " \n", &hs), v = strtok_r(NULL, " \n", &vs))
			if (!strcmp(h, name))
				count = atol(v);
	}
	if (f)
		fclose(f);
	return count;
}
