// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: SYN cookies: handshakes that leave no trace until they end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tables.h"

static void write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		trouble("%s: %m", name);
	close(fd);
}

static void syn_cookies(int fd)
{
	int listener = listen_at(0, 8), one;

	(void)fd;
	write_file("/proc/sys/net/ipv4/tcp_syncookies", "2");
	meet();
	one = accept(listener, NULL, NULL);
	write_file("/proc/sys/net/ipv4/tcp_syncookies", "1");
	await_card(one);
	meet();
	answer(one, 5);
	want(one, 100000);
	give(one, 100000);
	close(one);
}

static void syn_cookies_peer(int fd)
{
	int one = fresh();

	(void)fd;
	meet();
	TRY(dial(one, 0));
	meet();
	greet(one, "hello");
	give(one, 100000);
	want(one, 100000);
	drain(one);
}

/*
 * More SYNs than the backlog holds, from addresses where nobody is: who really
 * connects gets in by a cookie.
 */
static void syn_flood(int fd)
{
	int listener = listen_at(0, 8), one;
	long before = netstat("SyncookiesRecv");

	(void)fd;
	meet();
	meet();
	one = accept(listener, NULL, NULL);
	say("by a cookie: %d", netstat("SyncookiesRecv") > before);
	await_card(one);
	meet();
	answer(one, 5);
	want(one, 100000);
	give(one, 100000);
	close(one);
}

static uint16_t checksum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *at = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? at[i] : at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* One SYN, from an address of the peer's network that nobody has. */
static void send_syn(int raw, int i)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} syn = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP },
		.tcp = { .doff = 5, .syn = 1 },
	};
	struct {
		uint32_t from, to;
		uint16_t protocol, len;
		struct tcphdr tcp;
	} pseudo;

	inet_pton(AF_INET, run.toe_ip, &to.sin_addr);
	syn.ip.daddr = to.sin_addr.s_addr;
	syn.ip.saddr = (to.sin_addr.s_addr & htonl(0xffffff00)) | htonl(100 + i % 100);
	syn.tcp.source = htons(1024 + i);
	syn.tcp.dest = htons(run.port);
	syn.tcp.seq = htonl(i * 7919);
	syn.tcp.window = htons(65535);
	memset(&pseudo, 0, sizeof(pseudo));
	pseudo.from = syn.ip.saddr;
	pseudo.to = syn.ip.daddr;
	pseudo.protocol = htons(IPPROTO_TCP);
	pseudo.len = htons(sizeof(syn.tcp));
	pseudo.tcp = syn.tcp;
	syn.tcp.check = htons(checksum(&pseudo, sizeof(pseudo), 0));
	if (sendto(raw, &syn, sizeof(syn), 0, (void *)&to, sizeof(to)) < 0)
		trouble("SYN: %m");
}

static void syn_flood_peer(int fd)
{
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW), one = fresh(), i;

	(void)fd;
	meet();
	for (i = 0; i < 500; i++)
		send_syn(raw, i);
	close(raw);
	TRY(dial(one, 0));
	meet();
	meet();
	greet(one, "hello");
	give(one, 100000);
	want(one, 100000);
	drain(one);
}

const struct scenario cookie_table[] = {
	{ "syn_cookies", syn_cookies, syn_cookies_peer, CARRIED, NULL, NOCONN | ALONE,
	  "SYN cookies" },
	{ "syn_flood", syn_flood, syn_flood_peer, CARRIED, NULL, NOCONN | ALONE,
	  "SYN cookies under a flood" },
	{ }
};
