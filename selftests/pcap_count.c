// SPDX-License-Identifier: GPL-2.0
/*
 * pcap_count - what has the host with this link-layer address sent and received?
 *
 *	pcap_count FILE MAC
 *
 * Prints one JSON object: frames and their bytes, IP packets and theirs (IPv4, IPv6),
 * TCP segments, those with payload, those sent again, windows of zero, all by
 * direction, «out» being what the host has sent. The capture (Ethernet, classic format)
 * must not have joined frames. FILE may be «-».
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETH_BYTES	14
#define FLOWS		512

struct counts {
	uint64_t frames, bytes;
	uint64_t ip4, ip4_bytes, ip6, ip6_bytes, ect1, ect0, ce;
	uint64_t segs, data_segs, payload, again, zero_windows;
};

/* The highest byte + 1 that one end of a connection has sent. */
struct flow {
	uint8_t addr[32];
	uint8_t ports[4];
	uint32_t end;
	bool used, zero;
};

static struct flow flows[FLOWS];

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static struct flow *flow_of(const uint8_t *addr, uint32_t addr_bytes, const uint8_t *ports)
{
	uint8_t key[32] = { 0 };
	int i;

	memcpy(key, addr, addr_bytes);
	for (i = 0; i < FLOWS && flows[i].used; i++)
		if (!memcmp(flows[i].addr, key, 32) && !memcmp(flows[i].ports, ports, 4))
			return &flows[i];
	if (i == FLOWS) {
		fprintf(stderr, "pcap_count: too many connections\n");
		exit(2);
	}
	flows[i].used = true;
	memcpy(flows[i].addr, key, 32);
	memcpy(flows[i].ports, ports, 4);
	return &flows[i];
}

static void count_tcp(struct counts *c, struct flow *f, const uint8_t *tcp, uint32_t bytes)
{
	uint32_t doff = (tcp[12] >> 4) * 4, seq = get32(tcp + 4);
	uint32_t len = bytes - doff + (tcp[13] & 3 ? 1 : 0);	/* SYN, FIN */
	bool zero = !get16(tcp + 14);

	c->segs++;
	if (tcp[13] & 2)
		f->end = seq;
	if (len) {
		if ((int32_t)(seq + len - f->end) <= 0)
			c->again++;
		else
			f->end = seq + len;
	}
	c->data_segs += bytes > doff;
	c->payload += bytes - doff;
	c->zero_windows += zero && !f->zero;
	f->zero = zero;
}

static void count_ip(struct counts *c, const uint8_t *ip, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t hdr = v6 ? 40 : (ip[0] & 15) * 4;
	uint32_t total = v6 ? 40 + get16(ip + 4) : get16(ip + 2);
	uint8_t ecn = v6 ? ip[1] >> 4 & 3 : ip[1] & 3;

	if (len < hdr + 20 || total > len)
		return;
	*(v6 ? &c->ip6 : &c->ip4) += 1;
	*(v6 ? &c->ip6_bytes : &c->ip4_bytes) += total;
	c->ect1 += ecn == 1;
	c->ect0 += ecn == 2;
	c->ce += ecn == 3;
	if ((v6 ? ip[6] : ip[9]) == 6)
		count_tcp(c, flow_of(ip + (v6 ? 8 : 12), v6 ? 32 : 8, ip + hdr), ip + hdr,
			  total - hdr);
}

static void print(const char *name, const struct counts *c)
{
#define P(field) printf("\"" #field "\":%llu,", (unsigned long long)c->field)
	printf("\"%s\":{", name);
	P(frames); P(bytes); P(ip4); P(ip4_bytes); P(ip6); P(ip6_bytes); P(ect1); P(ect0); P(ce);
	P(segs); P(data_segs); P(payload); P(again);
	printf("\"zero_windows\":%llu}", (unsigned long long)c->zero_windows);
#undef P
}

static bool parse_mac(const char *text, uint8_t *mac)
{
	return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3,
		      mac + 4, mac + 5) == 6;
}

int main(int argc, char **argv)
{
	struct counts in = { 0 }, out = { 0 }, *c;
	static uint8_t frame[262144];
	uint32_t head[6], packet[4];
	uint8_t mac[6];
	FILE *f;

	if (argc != 3 || !parse_mac(argv[2], mac)) {
		fprintf(stderr, "usage: pcap_count FILE MAC\n");
		return 2;
	}
	f = strcmp(argv[1], "-") ? fopen(argv[1], "rb") : stdin;
	if (!f || fread(head, sizeof(head), 1, f) != 1 ||
	    (head[0] != 0xa1b2c3d4 && head[0] != 0xa1b23c4d) || head[5] != 1) {
		fprintf(stderr, "pcap_count: %s is no capture\n", argv[1]);
		return 2;
	}
	while (fread(packet, sizeof(packet), 1, f) == 1) {
		uint32_t len = packet[2];

		if (len > sizeof(frame) || fread(frame, len, 1, f) != 1)
			break;
		if (len < ETH_BYTES)
			continue;
		c = memcmp(frame + 6, mac, 6) ? &in : &out;
		c->frames++;
		c->bytes += packet[3];
		if (get16(frame + 12) == 0x0800 || get16(frame + 12) == 0x86dd)
			count_ip(c, frame + ETH_BYTES, packet[3] - ETH_BYTES);
	}
	printf("{");
	print("in", &in);
	printf(",");
	print("out", &out);
	printf("}\n");
	return 0;
}
