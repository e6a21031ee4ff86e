// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: the transcript.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "diff.h"

/* A line, from any thread or child of the scenario. */
static void append(char *text, int *len, int max, const char *fmt, va_list ap)
{
	struct transcript *to = run.to;
	int n;

	while (__atomic_exchange_n(&to->lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	n = vsnprintf(text + *len, max - *len, fmt, ap);
	if (n >= max - *len - 1)
		n = max - *len - 2;
	if (n >= 0) {
		text[*len + n] = '\n';
		text[*len + n + 1] = 0;
		*len += n + 1;
	}
	__atomic_store_n(&to->lock, 0, __ATOMIC_RELEASE);
}

/* say() - note a line */
void say(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	append(run.to->text, &run.to->len, TEXT_MAX, fmt, ap);
	va_end(ap);
	errno = err;
}

/* trouble() - the scenario couldn't be what it claims: it fails */
void trouble(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	append(run.to->trouble, &run.to->trouble_len, sizeof(run.to->trouble), fmt, ap);
	va_end(ap);
}

/* noted() - how a call ended; errno stays */
void noted(const char *what, long result)
{
	int err = errno;

	if (result == -1)
		say("%s = -1 %s", what, strerrorname_np(err) ?: "?");
	else
		say("%s = %ld", what, result);
	errno = err;
}

/* events_text() - of poll or epoll, which share their values */
const char *events_text(unsigned int events)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} names[] = {
		{ EPOLLIN, "IN" }, { EPOLLPRI, "PRI" }, { EPOLLOUT, "OUT" },
		{ EPOLLERR, "ERR" }, { EPOLLHUP, "HUP" }, { EPOLLRDHUP, "RDHUP" },
		{ EPOLLRDNORM, "RDNORM" }, { EPOLLRDBAND, "RDBAND" },
		{ EPOLLWRNORM, "WRNORM" }, { EPOLLWRBAND, "WRBAND" },
		{ POLLNVAL, "NVAL" },
	};
	static __thread char text[128];
	unsigned int i;

	text[0] = 0;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(events & names[i].bit))
			continue;
		if (text[0])
			strcat(text, "|");
		strcat(text, names[i].name);
	}
	return events ? text : "nothing";
}
