/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Segmentation: each field of each segment's headers, and what is refused. */
#include "kit.h"

#define DATA	2500u

static uint8_t data[DATA];
static struct card_tx tx;

/*
 * A frame of @bytes of payload behind a TCP header of @doff words; with a VLAN tag,
 * and for IPv4 with @ihl words of IP header.
 */
static void frame(uint8_t family, uint32_t ihl, uint32_t doff, uint32_t bytes, bool vlan)
{
	struct card_flow f = kit_flow(family, 80, 1000);
	uint32_t l3 = vlan ? 18 : 14, ip = family == 4 ? ihl * 4 : 40, i, plain;
	static uint8_t b[4096], from[200];

	for (i = 0; i < DATA; i++)
		data[i] = i * 7 + i / 256;
	memset(b, 0, sizeof(b));
	kit_tcp_frame(from, &f, 0xfffffff0, 0x12345678, 0xff, NULL, 0);
	plain = family == 4 ? 20 : 40;
	memcpy(b, from, 12);
	card_put16(b + 12, CARD_ETH_VLAN);
	card_put16(b + 14, 0x2005);
	memcpy(b + l3 - 2, from + 12, 2);
	memcpy(b + l3, from + 14, plain);
	memset(b + l3 + plain, 1, ip - plain);
	if (family == 4) {
		b[l3] = 0x40 | ihl;
		b[l3 + 1] = 0x2a;
		card_put16(b + l3 + 4, 0xfffe);
	} else {
		card_put32(b + l3, 0x62a12345);
	}
	memcpy(b + l3 + ip, from + 14 + plain, 20);
	memset(b + l3 + ip + 20, 1, doff * 4 - 20);
	b[l3 + ip + 12] = doff << 4;
	memcpy(b + l3 + ip + doff * 4, data, bytes);
	tx = (struct card_tx){ .buf = b, .len = l3 + ip + doff * 4 + bytes };
	tx.desc.flags = TOE_TXD_TSO;
	tx.desc.mss = 1000;
	tx.desc.l3_off = l3;
	tx.desc.l4_off = l3 + ip;
}

/* One segment: @off bytes of payload went before it. */
static void check_segment(const uint8_t *s, uint32_t len, uint32_t off, uint32_t n, bool last)
{
	uint32_t l3 = tx.desc.l3_off, l4 = tx.desc.l4_off, hdr = l4 + (tx.buf[l4 + 12] >> 4) * 4;
	uint8_t want[200];

	CHECK_EQ(len, hdr + n);
	CHECK(!memcmp(s + hdr, data + off, n));
	/* Nothing in the headers differs but what has to. */
	memcpy(want, tx.buf, hdr);
	if (want[l3] >> 4 == 4) {
		card_put16(want + l3 + 2, len - l3);
		card_put16(want + l3 + 4, 0xfffe + off / tx.desc.mss);
		memcpy(want + l3 + 10, s + l3 + 10, 2);
		CHECK_EQ(card_csum_fold(card_csum_add(0, s + l3, l4 - l3)), 0);
	} else {
		card_put16(want + l3 + 4, len - l3 - 40);
	}
	card_put32(want + l4 + 4, 0xfffffff0 + off);
	want[l4 + 13] = 0xff & ~(off ? 0x80 : 0) & ~(last ? 0 : 0x09);
	memcpy(want + l4 + 16, s + l4 + 16, 2);
	CHECK(!memcmp(s, want, hdr));
}

static void segments(uint8_t family, uint32_t ihl, uint32_t doff, bool vlan)
{
	static const uint32_t sizes[] = { 1, 999, 1000, 1001, 2000, 2500 };
	static uint8_t slot[CARD_WIRE_FRAME];
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t off, n, len;
		bool last = false;

		frame(family, ihl, doff, sizes[i], vlan);
		CHECK(card_tso_valid(&tx));
		for (off = 0; off < sizes[i]; off += n) {
			struct card_packet pkt;

			CHECK(!last);
			CHECK_EQ(tx.off, off);
			n = sizes[i] - off < 1000 ? sizes[i] - off : 1000;
			len = card_tso_next(&tx, slot, &last);
			CHECK_EQ(last, off + n == sizes[i]);
			check_segment(slot, len, off, n, last);
			card_packet_parse(&pkt, slot, len);
			card_packet_verify(&pkt);
			CHECK(pkt.csum_ok && pkt.tcp && pkt.vlan == vlan);
		}
		CHECK(last);
	}
}

static void ipv4(void)
{
	segments(4, 5, 5, false);
	segments(4, 5, 8, true);
	segments(4, 6, 5, false);
	segments(4, 15, 15, true);
}

static void ipv6(void)
{
	segments(6, 0, 5, false);
	segments(6, 0, 8, true);
	segments(6, 0, 15, false);
}

static bool valid(uint16_t l3, uint16_t l4, uint16_t mss, uint32_t len)
{
	tx.desc.l3_off = l3;
	tx.desc.l4_off = l4;
	tx.desc.mss = mss;
	tx.len = len;
	return card_tso_valid(&tx);
}

static void bounds(void)
{
	frame(4, 5, 5, 100, false);
	CHECK(valid(14, 34, 8, 55));			/* one byte of payload */
	CHECK(!valid(14, 34, 7, 55));
	CHECK(!valid(14, 34, 0, 55));
	CHECK(!valid(14, 34, 8, 54));			/* none */
	CHECK(!valid(14, 34, 8, 53));
	CHECK(!valid(14, 34, 8, 34));
	CHECK(valid(14, 34, CARD_WIRE_FRAME - 54, 100));
	CHECK(!valid(14, 34, CARD_WIRE_FRAME - 53, 100));
	CHECK(!valid(14, 35, 100, 154));
	CHECK(!valid(14, 33, 100, 154));
	CHECK(!valid(14, 38, 100, 154));
	CHECK(!valid(13, 34, 100, 154));
	CHECK(!valid(65535, 65535, 100, 154));
	CHECK(!valid(14, 65535, 100, 154));
	tx.buf[23] = CARD_IP_UDP;
	CHECK(!valid(14, 34, 100, 154));
	/* The IP header mustn't begin within the Ethernet header. */
	frame(4, 5, 5, 100, false);
	memmove(tx.buf + 13, tx.buf + 14, 140);
	CHECK(!valid(13, 33, 100, 153));
	frame(4, 15, 5, 100, true);
	CHECK(valid(18, 78, 100, 198));
	tx.buf[78 + 12] = 0x60;
	CHECK(!valid(18, 78, 100, 102));
	CHECK(valid(18, 78, 100, 103));
	tx.buf[78 + 12] = 0x4f;
	CHECK(!valid(18, 78, 100, 198));
}

static void a_tcp_header_must_be_there(void)
{
	frame(4, 5, 5, 100, false);
	tx.buf[46] = 0xf0;				/* beyond the frame, if read */
	CHECK(!valid(14, 34, 100, 53));
	CHECK(!valid(14, 34, 100, 54));
	CHECK(!valid(14, 34, 100, 94));
	CHECK(valid(14, 34, 100, 95));
}

static void bounds_of_ipv6(void)
{
	frame(6, 0, 5, 100, false);
	CHECK(valid(14, 54, 8, 75));
	CHECK(!valid(14, 54, 7, 75));
	CHECK(!valid(14, 54, 8, 74));
	CHECK(!valid(14, 53, 100, 174));		/* less than an IPv6 header */
	CHECK(valid(14, 54, CARD_WIRE_FRAME - 74, 100));
	CHECK(!valid(14, 54, CARD_WIRE_FRAME - 73, 100));
	tx.buf[14] = 0x50;
	CHECK(!valid(14, 54, 100, 174));
	tx.buf[14] = 0x70;
	CHECK(!valid(14, 54, 100, 174));
	/* With an extension header, of eight bytes. */
	frame(6, 0, 5, 100, false);
	memmove(tx.buf + 62, tx.buf + 54, 120);
	CHECK(valid(14, 62, 100, 182));
	/* An IPv4 header too short to be one. */
	frame(4, 5, 5, 100, false);
	tx.buf[14] = 0x44;
	memmove(tx.buf + 30, tx.buf + 34, 120);
	CHECK(!valid(14, 30, 100, 150));
}

static const struct kit_test tests[] = {
	KIT_TEST(ipv4),
	KIT_TEST(ipv6),
	KIT_TEST(bounds),
	KIT_TEST(a_tcp_header_must_be_there),
	KIT_TEST(bounds_of_ipv6),
};
KIT_MAIN(tests)
