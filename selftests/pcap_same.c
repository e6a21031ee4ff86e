// SPDX-License-Identifier: GPL-2.0
/*
 * pcap_same - is what one capture holds of a connection what another one holds?
 *
 *	pcap_same FILE WHOLE PORT
 *
 * For each direction of the TCP connections with PORT at either end: do the IP
 * packets in FILE stand in WHOLE, in this order, and are they the same byte for
 * byte, as far as FILE has them?  FILE may have cut packets, and lack some;
 * WHOLE, a capture of the wire itself, may not.  Prints one JSON object:
 *
 *	segments, bytes	in FILE; bytes: payload, by the lengths in the headers
 *	whole_segments, whole_bytes	in WHOLE
 *	cut		packets of FILE that are shorter than their headers say
 *	payload		payload bytes that FILE really has
 *	csum		packets of FILE, not cut, with a wrong TCP checksum
 *	missing		packets of WHOLE that FILE lacks
 *	extra		packets of FILE that aren't in WHOLE, or not in this order
 *
 * Exit status 1 if there is anything extra or a wrong checksum.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN	10

/**
 * struct packet - an IP packet of the connection
 * @ip: its bytes
 * @have: how many of them were captured
 * @len: how many there were, by the IP header
 * @tcp: offset of the TCP header
 * @header: bytes up to the payload
 * @out: from the port that is looked for
 * @time: s
 */
struct packet {
	uint8_t *ip;
	uint32_t have, len, tcp, header;
	bool out;
	double time;
};

struct capture {
	struct packet *packets;
	size_t count, room;
	unsigned long bytes, payload, cut, csum;
};

static uint16_t be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; len -= 2, p += 2)
		sum += be16(p);
	if (len)
		sum += *p << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static bool csum_ok(const struct packet *p)
{
	uint32_t addrs = p->tcp == 40 ? 8 : 12, bytes = p->tcp == 40 ? 32 : 8;
	uint32_t len = p->len - p->tcp, sum;

	sum = sum16(p->ip + addrs, bytes, 6 + len);
	return sum16(p->ip + p->tcp, len, sum) == 0xffff;
}

/* Is the frame a segment of the connection?  Without IP options, as we send. */
static bool parse(struct packet *p, uint8_t *frame, uint32_t len, uint16_t port)
{
	uint16_t type;

	if (len < 14 + 40)
		return false;
	type = be16(frame + 12);
	p->ip = frame + 14;
	p->have = len - 14;
	if (type == 0x0800 && p->ip[0] == 0x45 && p->ip[9] == 6) {
		p->tcp = 20;
		p->len = be16(p->ip + 2);
	} else if (type == 0x86dd && p->ip[6] == 6) {
		p->tcp = 40;
		p->len = 40 + be16(p->ip + 4);
	} else {
		return false;
	}
	if (p->have < p->tcp + 20)
		return false;
	if (p->have > p->len)
		p->have = p->len;	/* padding of Ethernet */
	p->header = p->tcp + (p->ip[p->tcp + 12] >> 4) * 4;
	if (p->header > p->len)
		return false;
	p->out = be16(p->ip + p->tcp) == port;
	return p->out || be16(p->ip + p->tcp + 2) == port;
}

static void add(struct capture *c, const struct packet *p)
{
	if (c->count == c->room) {
		c->room = c->room ? c->room * 2 : 1024;
		c->packets = realloc(c->packets, c->room * sizeof(*p));
		if (!c->packets)
			exit(2);
	}
	c->packets[c->count++] = *p;
	c->bytes += p->len - p->header;
	if (p->have > p->header)
		c->payload += p->have - p->header;
	if (p->have < p->len)
		c->cut++;
	else
		c->csum += !csum_ok(p);
}

static void load(struct capture *c, const char *name, uint16_t port)
{
	uint32_t head[6], record[4];
	FILE *in = fopen(name, "rb");
	uint8_t *frame;

	if (!in || fread(head, sizeof(head), 1, in) != 1 || head[0] != 0xa1b2c3d4) {
		fprintf(stderr, "pcap_same: %s is no capture\n", name);
		exit(2);
	}
	while (fread(record, sizeof(record), 1, in) == 1 && record[2] <= 262144) {
		struct packet p = { .time = record[0] + record[1] / 1e6 };

		frame = malloc(record[2] + 1);
		if (!frame || fread(frame, 1, record[2], in) != record[2])
			break;
		if (parse(&p, frame, record[2], port))
			add(c, &p);
		else
			free(frame);
	}
	fclose(in);
}

/* The next packet of this direction at @i or behind it. */
static size_t next(const struct capture *c, size_t i, bool out)
{
	while (i < c->count && c->packets[i].out != out)
		i++;
	return i;
}

/* As far as @a has it. */
static bool same(const struct packet *a, const struct packet *b)
{
	return a->len == b->len && a->have <= b->have && !memcmp(a->ip, b->ip, a->have);
}

static void compare(const struct capture *a, const struct capture *b, bool out,
		    unsigned long *missing, unsigned long *extra)
{
	size_t i, j = next(b, 0, out), at;

	for (i = next(a, 0, out); i < a->count; i = next(a, i + 1, out)) {
		unsigned long skipped = 0;

		for (at = j; at < b->count && !same(&a->packets[i], &b->packets[at]);
		     at = next(b, at + 1, out))
			skipped++;
		if (at < b->count) {
			*missing += skipped;
			j = next(b, at + 1, out);
			continue;
		}
		if ((*extra)++ < SHOWN)
			printf("%.6f %s seq %08x len %u isn't there\n", a->packets[i].time,
			       out ? "out" : "in",
			       (uint32_t)be16(a->packets[i].ip + a->packets[i].tcp + 4) << 16 |
			       be16(a->packets[i].ip + a->packets[i].tcp + 6),
			       a->packets[i].len);
	}
	for (; j < b->count; j = next(b, j + 1, out))
		(*missing)++;
}

int main(int argc, char **argv)
{
	unsigned long missing = 0, extra = 0;
	struct capture a = { 0 }, b = { 0 };
	uint16_t port;

	if (argc != 4) {
		fprintf(stderr, "usage: pcap_same FILE WHOLE PORT\n");
		return 2;
	}
	port = strtoul(argv[3], NULL, 10);
	load(&a, argv[1], port);
	load(&b, argv[2], port);
	compare(&a, &b, true, &missing, &extra);
	compare(&a, &b, false, &missing, &extra);
	printf("{\"segments\":%zu,\"bytes\":%lu,\"whole_segments\":%zu,\"whole_bytes\":%lu,"
	       "\"cut\":%lu,\"payload\":%lu,\"csum\":%lu,\"missing\":%lu,\"extra\":%lu}\n",
	       a.count, a.bytes, b.count, b.bytes, a.cut, a.payload, a.csum, missing, extra);
	return extra || a.csum;
}
