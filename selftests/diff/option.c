// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: options of a live connection: set, read back, used, read again.
 *
 * Many differ in the name only; these are one table, and what more there is to
 * see of an option has a function of its own (behave.c).
 */
#define _GNU_SOURCE
#include <linux/in6.h>
#include <linux/tcp.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tables.h"

#ifndef IP_PROTOCOL
#define IP_PROTOCOL	52
#endif
#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS	44
#endif

struct option {
	const char *name;	/* of the scenario */
	int level, option;
	int values[3];		/* one after the other */
	bool once;		/* it doesn't come back to the card */
};

static const struct option options[] = {
	{ "so_sndbuf",		SOL_SOCKET, SO_SNDBUF, { 100000, 0, 2000000000 } },
	{ "so_rcvbuf",		SOL_SOCKET, SO_RCVBUF, { 100000, 0, 2000000000 } },
	{ "so_sndbufforce",	SOL_SOCKET, SO_SNDBUFFORCE, { 10000000, -1, 50000 } },
	{ "so_rcvbufforce",	SOL_SOCKET, SO_RCVBUFFORCE, { 10000000, -1, 50000 } },
	{ "so_rcvlowat",	SOL_SOCKET, SO_RCVLOWAT, { 0, 100, 1 } },
	{ "so_keepalive",	SOL_SOCKET, SO_KEEPALIVE, { 1, 0, 5 } },
	{ "so_priority",	SOL_SOCKET, SO_PRIORITY, { 3, 7, -1 } },
	{ "so_mark",		SOL_SOCKET, SO_MARK, { 7, 0, -1 } },
	{ "so_busy_poll",	SOL_SOCKET, SO_BUSY_POLL, { 50, 0, -1 } },
	{ "so_incoming_cpu",	SOL_SOCKET, SO_INCOMING_CPU, { 0, 0, 0 } },
	{ "so_oobinline",	SOL_SOCKET, SO_OOBINLINE, { 1, 0, 2 } },
	{ "so_reuseaddr",	SOL_SOCKET, SO_REUSEADDR, { 1, 0, 1 } },
	{ "so_dontroute",	SOL_SOCKET, SO_DONTROUTE, { 1, 0, 0 } },
	{ "so_zerocopy",	SOL_SOCKET, SO_ZEROCOPY, { 1, 2, 0 } },
	{ "so_bindtoifindex",	SOL_SOCKET, SO_BINDTOIFINDEX, { 0, -1, 0 } },
	{ "so_no_check",	SOL_SOCKET, SO_NO_CHECK, { 1, 0, 0 } },
	{ "so_rxq_ovfl",	SOL_SOCKET, SO_RXQ_OVFL, { 1, 0, 1 } },
	{ "so_max_pacing_rate",	SOL_SOCKET, SO_MAX_PACING_RATE,
	  { 10000000, 20000000, 30000000 }, true },
	{ "tcp_nodelay",	SOL_TCP, TCP_NODELAY, { 1, 0, 1 } },
	{ "tcp_cork",		SOL_TCP, TCP_CORK, { 1, 0, 0 } },
	{ "tcp_maxseg",		SOL_TCP, TCP_MAXSEG, { 1000, 536, 1460 } },
	{ "tcp_keepidle",	SOL_TCP, TCP_KEEPIDLE, { 100, 0, 32768 } },
	{ "tcp_keepintvl",	SOL_TCP, TCP_KEEPINTVL, { 100, 0, 32768 } },
	{ "tcp_keepcnt",	SOL_TCP, TCP_KEEPCNT, { 5, 0, 128 } },
	{ "tcp_user_timeout",	SOL_TCP, TCP_USER_TIMEOUT, { 20000, -1, 0 } },
	{ "tcp_notsent_lowat",	SOL_TCP, TCP_NOTSENT_LOWAT, { 16384, 0, 100000 } },
	{ "tcp_window_clamp",	SOL_TCP, TCP_WINDOW_CLAMP, { 60000, 30000, 60000 } },
	{ "tcp_linger2",	SOL_TCP, TCP_LINGER2, { 5, -1, 100 } },
	{ "tcp_syncnt",		SOL_TCP, TCP_SYNCNT, { 3, 0, 5 } },
	{ "tcp_defer_accept",	SOL_TCP, TCP_DEFER_ACCEPT, { 3, 0, 1 } },
	{ "tcp_inq",		SOL_TCP, TCP_INQ, { 1, 2, 0 } },
	{ "tcp_thin_linear",	SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, { 1, 2, 0 } },
	{ "tcp_thin_dupack",	SOL_TCP, TCP_THIN_DUPACK, { 1, 2, 0 } },
	{ "tcp_save_syn",	SOL_TCP, TCP_SAVE_SYN, { 1, 0, 3 } },
	{ "tcp_fastopen",	SOL_TCP, TCP_FASTOPEN, { 5, 0, -1 } },
	{ "tcp_fastopen_connect", SOL_TCP, TCP_FASTOPEN_CONNECT, { 1, 0, 2 } },
	{ "tcp_fastopen_no_cookie", SOL_TCP, TCP_FASTOPEN_NO_COOKIE, { 1, 0, 2 } },
	{ "tcp_tx_delay",	SOL_TCP, TCP_TX_DELAY, { 1000, 1000, 2000 }, true },
	{ "tcp_rto_max",	SOL_TCP, TCP_RTO_MAX_MS, { 120000, 1, 120000 } },
	{ "ip_tos",		IPPROTO_IP, IP_TOS, { 0x28, 0xff, 0 } },
	{ "ip_ttl",		IPPROTO_IP, IP_TTL, { 33, 0, 64 } },
	{ "ip_mtu_discover",	IPPROTO_IP, IP_MTU_DISCOVER, { 0, 4, 9 }, true },
	{ "ip_recverr",		IPPROTO_IP, IP_RECVERR, { 1, 0, 0 } },
	{ "ip_recvttl",		IPPROTO_IP, IP_RECVTTL, { 1, 0, 0 } },
	{ "ip_freebind",	IPPROTO_IP, IP_FREEBIND, { 1, 0, 0 } },
	{ "ip_minttl",		IPPROTO_IP, IP_MINTTL, { 10, 256, 1 }, true },
	{ "ipv6_tclass",	IPPROTO_IPV6, IPV6_TCLASS, { 0x28, 256, 0 } },
	{ "ipv6_hops",		IPPROTO_IPV6, IPV6_UNICAST_HOPS, { 33, 256, -1 } },
	{ "ipv6_flowinfo",	IPPROTO_IPV6, IPV6_FLOWINFO_SEND, { 1, 0, 0 } },
	{ "ipv6_v6only",	IPPROTO_IPV6, IPV6_V6ONLY, { 1, 0, 0 } },
	{ }
};

/* What doesn't say the same twice, whoever carries the connection. */
static bool volatile_option(int level, int option)
{
	static const struct {
		int level, option;
	} which[] = {
		{ SOL_TCP, TCP_QUICKACK }, { SOL_TCP, TCP_TIMESTAMP },
		{ SOL_TCP, TCP_WINDOW_CLAMP }, { SOL_TCP, TCP_INFO },
		{ SOL_TCP, TCP_CC_INFO }, { SOL_TCP, TCP_ZEROCOPY_RECEIVE },
		{ SOL_TCP, TCP_ULP },	/* names the filter: on purpose */
		{ IPPROTO_IP, IP_PROTOCOL },	/* of a TCP socket the port */
		{ SOL_SOCKET, SO_SNDBUF }, { SOL_SOCKET, SO_RCVBUF },
		{ SOL_SOCKET, SO_INCOMING_CPU }, { SOL_SOCKET, SO_INCOMING_NAPI_ID },
		{ SOL_SOCKET, SO_COOKIE }, { SOL_SOCKET, SO_MEMINFO },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(which); i++)
		if (which[i].level == level && which[i].option == option)
			return true;
	return false;
}

static char buf[20000];

/* Both ways; nothing is on its way before or after. */
static void exchange(int fd)
{
	meet();
	give(fd, 20000);
	want(fd, 20000);
	meet();
}

static void option_steps(int fd)
{
	const struct option *o = options;
	unsigned int i;

	while (o->name && strcmp(o->name, run.sc->name))
		o++;
	if (!volatile_option(o->level, o->option))
		note_int(fd, o->level, o->option, "before");
	for (i = 0; i < ARRAY_SIZE(o->values); i++) {
		say("set %d", o->values[i]);
		TRY(setsockopt(fd, o->level, o->option, &o->values[i], sizeof(int)));
		note_int(fd, o->level, o->option, "now");
		if (!o->once)
			await_card(fd);
		exchange(fd);
		if (o->once)
			await_native(fd);
	}
	TRY(setsockopt(fd, o->level, o->option, &o->values[0], 1));
	TRY(setsockopt(fd, o->level, o->option, &o->values[0], 0));
	TRY(setsockopt(fd, o->level, o->option, nowhere, sizeof(int)));
	TRY(getsockopt(fd, o->level, o->option, buf, nowhere));
	if (!volatile_option(o->level, o->option))
		note_int(fd, o->level, o->option, "after");
}

static void option_peer(int fd)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		exchange(fd);
	drain(fd);
}

static void read_level(int fd, int level, int last)
{
	int option;

	for (option = 0; option <= last; option++) {
		socklen_t len = 64;

		if (volatile_option(level, option))
			continue;
		memset(buf, 0, 64);
		if (getsockopt(fd, level, option, buf, &len)) {
			if (errno != ENOPROTOOPT)
				say("%d/%d: %m", level, option);
		} else if (len == sizeof(int)) {
			say("%d/%d: %d", level, option, *(int *)buf);
		} else {
			say("%d/%d: %u bytes", level, option, len);
		}
	}
}

/* All that can be read, also what the tests' authors don't know of. */
static void read_options(int fd)
{
	give(fd, 20000);
	want(fd, 20000);
	read_level(fd, SOL_TCP, 60);
	read_level(fd, SOL_SOCKET, 100);
	read_level(fd, IPPROTO_IP, 60);
	if (run.family == AF_INET6)
		read_level(fd, IPPROTO_IPV6, 90);
	meet();
}

static void read_options_peer(int fd)
{
	give(fd, 20000);
	want(fd, 20000);
	meet();
}

#define CARRY(name, calls) \
	{ name, option_steps, option_peer, CARRIED, NULL, 0, calls }
#define CARRY6(name, calls) \
	{ name, option_steps, option_peer, CARRIED, NULL, V6, calls }
#define RECALL(name, why, calls) \
	{ name, option_steps, option_peer, RECALLS, why, 0, calls }
#define RECALL6(name, why, calls) \
	{ name, option_steps, option_peer, RECALLS, why, V6, calls }

const struct scenario option_table[] = {
	CARRY("so_sndbuf", "SO_SNDBUF"),
	CARRY("so_rcvbuf", "SO_RCVBUF"),
	CARRY("so_sndbufforce", "SO_SNDBUFFORCE"),
	CARRY("so_rcvbufforce", "SO_RCVBUFFORCE"),
	CARRY("so_rcvlowat", "SO_RCVLOWAT"),
	CARRY("so_keepalive", "SO_KEEPALIVE"),
	CARRY("so_priority", "SO_PRIORITY"),
	CARRY("so_mark", "SO_MARK"),
	CARRY("so_busy_poll", "SO_BUSY_POLL"),
	CARRY("so_incoming_cpu", "SO_INCOMING_CPU"),
	CARRY("so_oobinline", "SO_OOBINLINE"),
	CARRY("so_reuseaddr", "SO_REUSEADDR"),
	CARRY("so_dontroute", "SO_DONTROUTE"),
	CARRY("so_zerocopy", "SO_ZEROCOPY"),
	CARRY("so_bindtoifindex", "SO_BINDTOIFINDEX"),
	CARRY("so_no_check", "SO_NO_CHECK"),
	CARRY("so_rxq_ovfl", "SO_RXQ_OVFL"),
	RECALL("so_max_pacing_rate", "sockopt", "SO_MAX_PACING_RATE"),
	CARRY("tcp_nodelay", "TCP_NODELAY"),
	CARRY("tcp_cork", "TCP_CORK"),
	RECALL("tcp_maxseg", "sockopt", "TCP_MAXSEG"),
	CARRY("tcp_keepidle", "TCP_KEEPIDLE"),
	CARRY("tcp_keepintvl", "TCP_KEEPINTVL"),
	CARRY("tcp_keepcnt", "TCP_KEEPCNT"),
	CARRY("tcp_user_timeout", "TCP_USER_TIMEOUT"),
	CARRY("tcp_notsent_lowat", "TCP_NOTSENT_LOWAT"),
	CARRY("tcp_window_clamp", "TCP_WINDOW_CLAMP"),
	CARRY("tcp_linger2", "TCP_LINGER2"),
	CARRY("tcp_syncnt", "TCP_SYNCNT"),
	CARRY("tcp_defer_accept", "TCP_DEFER_ACCEPT"),
	CARRY("tcp_inq", "TCP_INQ"),
	CARRY("tcp_thin_linear", "TCP_THIN_LINEAR_TIMEOUTS"),
	CARRY("tcp_thin_dupack", "TCP_THIN_DUPACK"),
	RECALL("tcp_save_syn", "sockopt", "TCP_SAVE_SYN"),
	RECALL("tcp_fastopen", "sockopt", "TCP_FASTOPEN, connected"),
	RECALL("tcp_fastopen_connect", "sockopt", "TCP_FASTOPEN_CONNECT, connected"),
	RECALL("tcp_fastopen_no_cookie", "sockopt", "TCP_FASTOPEN_NO_COOKIE, connected"),
	RECALL("tcp_tx_delay", "sockopt", "TCP_TX_DELAY"),
	RECALL("tcp_rto_max", "sockopt", "TCP_RTO_MAX_MS"),
	CARRY("ip_tos", "IP_TOS"),
	CARRY("ip_ttl", "IP_TTL"),
	RECALL("ip_mtu_discover", "sockopt", "IP_MTU_DISCOVER"),
	RECALL("ip_recverr", "sockopt", "IP_RECVERR"),
	RECALL("ip_recvttl", "sockopt", "IP_RECVTTL"),
	RECALL("ip_freebind", "sockopt", "IP_FREEBIND"),
	RECALL("ip_minttl", "sockopt", "IP_MINTTL"),
	CARRY6("ipv6_tclass", "IPV6_TCLASS"),
	CARRY6("ipv6_hops", "IPV6_UNICAST_HOPS"),
	RECALL6("ipv6_flowinfo", "sockopt", "IPV6_FLOWINFO_SEND"),
	RECALL6("ipv6_v6only", "sockopt", "IPV6_V6ONLY"),
	{ "getsockopt", read_options, read_options_peer, CARRIED, NULL, 0,
	  "getsockopt, every option" },
	{ "getsockopt_v6", read_options, read_options_peer, CARRIED, NULL, V6 | PASSIVE,
	  "getsockopt, every option" },
	{ }
};
