// SPDX-License-Identifier: GPL-2.0
/*
 * toe_xfer: what else an application may do to a socket in mid-transfer.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "xfer.h"

#ifndef SOL_TCP
#define SOL_TCP 6
#endif

struct act {
	const char *name;
	int level, option;
	const char *text;	/* the value, if it is text */
	int number;		/* if it is a number */
};

static const struct act acts[] = {
	{ "congestion",	SOL_TCP, TCP_CONGESTION, "reno" },
	{ "tls",	SOL_TCP, TCP_ULP, "tls" },
	{ "device",	SOL_SOCKET, SO_BINDTODEVICE, "" },
	{ "nodelay",	SOL_TCP, TCP_NODELAY, NULL, 1 },
	{ "cork",	SOL_TCP, TCP_CORK, NULL, 1 },
	{ "uncork",	SOL_TCP, TCP_CORK, NULL, 0 },
	{ "quickack",	SOL_TCP, TCP_QUICKACK, NULL, 1 },
	{ "keepalive",	SOL_SOCKET, SO_KEEPALIVE, NULL, 1 },
	{ "keepidle",	SOL_TCP, TCP_KEEPIDLE, NULL, 1 },
	{ "timeout",	SOL_TCP, TCP_USER_TIMEOUT, NULL, 20000 },
	{ "maxseg",	SOL_TCP, TCP_MAXSEG, NULL, 1000 },
	{ "clamp",	SOL_TCP, TCP_WINDOW_CLAMP, NULL, 50000 },
	{ "linger",	SOL_TCP, TCP_LINGER2, NULL, 5 },
	{ "lowat",	SOL_TCP, TCP_NOTSENT_LOWAT, NULL, 65536 },
	{ "delay",	SOL_TCP, TCP_TX_DELAY, NULL, 1000 },
	{ "tos",	IPPROTO_IP, IP_TOS, NULL, 0x28 },
	{ "ttl",	IPPROTO_IP, IP_TTL, NULL, 33 },
	{ "tclass",	IPPROTO_IPV6, IPV6_TCLASS, NULL, 0x28 },
	{ "mark",	SOL_SOCKET, SO_MARK, NULL, 7 },
	{ "priority",	SOL_SOCKET, SO_PRIORITY, NULL, 3 },
	{ "pacing",	SOL_SOCKET, SO_MAX_PACING_RATE, NULL, 50000000 },
	{ "rcvbuf",	SOL_SOCKET, SO_RCVBUF, NULL, 100000 },
	{ "sndbuf",	SOL_SOCKET, SO_SNDBUF, NULL, 100000 },
	{ "rcvlowat",	SOL_SOCKET, SO_RCVLOWAT, NULL, 1 },
	{ "inline",	SOL_SOCKET, SO_OOBINLINE, NULL, 0 },
	{ "peekoff",	SOL_SOCKET, SO_PEEK_OFF, NULL, 0 },
};

/* Into repair mode and out of it again, without a probe to the peer. */
static int act_repair(struct conn *c)
{
	int on = 1, off = TCP_REPAIR_OFF_NO_WP;

	if (setsockopt(c->fd, SOL_TCP, TCP_REPAIR, &on, sizeof(on)))
		return -1;
	return setsockopt(c->fd, SOL_TCP, TCP_REPAIR, &off, sizeof(off));
}

/* A byte beside the stream: the reader's recv() must not see it. */
static int act_urgent(struct conn *c)
{
	return send(c->fd, "!", 1, MSG_OOB | MSG_NOSIGNAL) == 1 ? 0 : -1;
}

/*
 * act_on() - do to the socket what @name says
 * Return: 0, or -1 with errno.
 */
int act_on(struct conn *c, const char *name)
{
	unsigned int i;

	if (!strcmp(name, "urgent"))
		return act_urgent(c);
	if (!strcmp(name, "repair"))
		return act_repair(c);
	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		const struct act *a = &acts[i];

		if (strcmp(name, a->name))
			continue;
		if (a->text)
			return setsockopt(c->fd, a->level, a->option,
					  a->text, strlen(a->text));
		return setsockopt(c->fd, a->level, a->option, &a->number,
				  sizeof(a->number));
	}
	errno = EINVAL;
	return -1;
}
