/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Checksum, Toeplitz hash, segmentation, frame parser. */
#include "kit.h"

static const uint8_t ms_key[TOE_RSS_KEY] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* Microsoft's verification suite: source, destination, ports, hashes. */
static const struct {
	uint8_t family;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint32_t with_ports, without;
} vectors[] = {
	{ 4, { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x51ccc178, 0x323e8fc2 },
	{ 4, { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xc626b0ea, 0xd718262a },
	{ 4, { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0x5c2b394a, 0xd2d0a5de },
	{ 4, { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0xafc7327f, 0x82989176 },
	{ 4, { 153, 39, 163, 191 }, { 202, 188, 127, 2 }, 44251, 1303, 0x10e828a2, 0x5d1809c5 },
	{ 6, { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0, 0, 0, 0, 0, 0, 0, 7 },
	     { 0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1 },
	  2794, 1766, 0x40207d3d, 0x2cc18cd5 },
	{ 6, { 0x3f, 0xfe, 0x05, 0x01, 0, 8, 0, 0, 0x02, 0x60, 0x97, 0xff, 0xfe, 0x40, 0xef, 0xab },
	     { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 },
	  14230, 4739, 0xdde51bbf, 0x0f0c461c },
	{ 6, { 0x3f, 0xfe, 0x19, 0, 0x45, 0x45, 0, 3, 0x02, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf },
	     { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0, 0xf8, 0xff, 0xfe, 0x21, 0x67, 0xcf },
	  44251, 38024, 0x02d1feef, 0x4b61e985 },
};

static void toeplitz_vectors(void)
{
	struct card_packet pkt;
	struct card_flow f;
	uint8_t frame[200];
	unsigned int i;
	uint32_t len;

	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		memset(&f, 0, sizeof(f));
		f.family = vectors[i].family;
		memcpy(f.raddr, vectors[i].src, 16);
		memcpy(f.laddr, vectors[i].dst, 16);
		card_put16((uint8_t *)&f.rport, vectors[i].sport);
		card_put16((uint8_t *)&f.lport, vectors[i].dport);
		CHECK_EQ(card_rss_flow(ms_key, &f), vectors[i].with_ports);

		len = kit_tcp_frame(frame, &f, 1, 1, 0x10, "x", 1);
		card_packet_parse(&pkt, frame, len);
		card_rss_packet(ms_key, &pkt);
		CHECK_EQ(pkt.hash, vectors[i].with_ports);
		CHECK_EQ(pkt.hash_flags, TOE_RX_HASH | TOE_RX_HASH_L4);

		/* Another protocol: by addresses only. */
		frame[14 + (f.family == 4 ? 9 : 6)] = 132;
		card_packet_parse(&pkt, frame, len);
		card_rss_packet(ms_key, &pkt);
		CHECK_EQ(pkt.hash, vectors[i].without);
		CHECK_EQ(pkt.hash_flags, TOE_RX_HASH);
	}
}

/* RFC 1071, section 3 */
static void checksum_rfc1071(void)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	CHECK_EQ(card_csum_fold(card_csum_add(0, data, 8)), (uint16_t)~0xddf2);
}

static void checksum_against_plain(void)
{
	uint8_t data[300];
	unsigned int i, len, off;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 167 + 13;
	for (off = 0; off < 4; off++) {
		for (len = 0; len + off < sizeof(data); len++) {
			uint64_t sum = 0;

			for (i = 0; i < len; i++)
				sum += i & 1 ? data[off + i] : data[off + i] << 8;
			CHECK_EQ(card_csum_fold(card_csum_add(0, data + off, len)),
				 card_csum_fold(sum));
		}
	}
	memset(data, 0xff, sizeof(data));
	CHECK_EQ(card_csum_fold(card_csum_add(0, data, 300)), 0);
}

/* The length is 32 bits of the pseudo header, both halves of which are summed. */
static void checksum_pseudo(void)
{
	static const uint8_t a[16] = { 1, 2, 3, 4, 5 }, b[16] = { 9, 8, 7, 6, 5, 4 };
	uint8_t plain[40] = { 0 };

	memcpy(plain, a, 16);
	memcpy(plain + 16, b, 16);
	card_put32(plain + 32, 0x00035678);
	plain[39] = 6;
	CHECK_EQ(card_csum_fold(card_csum_pseudo(6, a, b, 6, 0x35678)),
		 card_csum_fold(card_csum_add(0, plain, 40)));
	memset(plain, 0, sizeof(plain));
	memcpy(plain, a, 4);
	memcpy(plain + 4, b, 4);
	plain[9] = 17;
	card_put16(plain + 10, 0x1234);
	CHECK_EQ(card_csum_fold(card_csum_pseudo(4, a, b, 17, 0x1234)),
		 card_csum_fold(card_csum_add(0, plain, 12)));
}

static void parse_and_verify(uint8_t family)
{
	struct card_flow f = kit_flow(family, 80, 1000);
	struct card_packet pkt;
	uint8_t frame[256];
	uint32_t len = kit_tcp_frame(frame, &f, 7, 9, 0x18, "hello", 5);

	card_packet_parse(&pkt, frame, len);
	card_packet_verify(&pkt);
	CHECK(pkt.tcp && pkt.csum_ok && !pkt.csum_bad);
	CHECK(!memcmp(&pkt.flow, &f, sizeof(f)));
	CHECK_EQ(pkt.end - pkt.l4, 25);
	frame[len - 1] ^= 1;
	card_packet_verify(&pkt);
	CHECK(pkt.csum_bad);
}

static void parse_ipv4(void)
{
	parse_and_verify(4);
}

static void parse_ipv6(void)
{
	parse_and_verify(6);
}

static void parse_padding_is_not_payload(void)
{
	struct card_flow f = kit_flow(4, 80, 1000);
	uint8_t frame[128] = { 0 };
	struct card_packet pkt;
	uint32_t len = kit_tcp_frame(frame, &f, 7, 9, 0x10, NULL, 0);

	CHECK_EQ(len, 54);
	card_packet_parse(&pkt, frame, 60);
	card_packet_verify(&pkt);
	CHECK(pkt.csum_ok);
	CHECK_EQ(pkt.end, 54);
}

/* Every truncation and every single-byte change must leave offsets in bounds. */
static void parse_survives_damage(void)
{
	struct card_packet pkt;
	uint8_t frame[200], copy[200];
	uint32_t len, cut, at, val, seq;
	struct card_flow flow;
	uint8_t family;

	for (family = 4; family <= 6; family += 2) {
		struct card_flow f = kit_flow(family, 80, 1000);

		len = kit_tcp_frame(frame, &f, 7, 9, 0x18, "0123456789", 10);
		for (cut = 0; cut <= len; cut++) {
			/* Memory of exactly this size: a sanitizer sees any excess. */
			uint8_t *exact = malloc(cut ? cut : 1);

			for (at = 12; at < len && at < 60; at++) {
				for (val = 0; val < 256; val += 5) {
					memcpy(copy, frame, len);
					copy[at] = val;
					memcpy(exact, copy, cut);
					card_packet_parse(&pkt, exact, cut);
					card_packet_verify(&pkt);
					card_rss_packet(ms_key, &pkt);
					card_packet_icmp_flow(&pkt, &flow, &seq);
					CHECK(pkt.end <= cut && pkt.l4 <= cut);
				}
			}
			free(exact);
		}
	}
}

static void parse_fragment_and_options(void)
{
	struct card_flow f = kit_flow(4, 80, 1000);
	struct card_packet pkt;
	uint8_t frame[200];
	uint32_t len = kit_tcp_frame(frame, &f, 7, 9, 0x10, "x", 1);

	frame[20] = 0x20;			/* more fragments */
	card_packet_parse(&pkt, frame, len);
	CHECK(pkt.fragment && pkt.tcp);
	frame[20] = 0;
	frame[21] = 8;				/* a later one: no ports there */
	card_packet_parse(&pkt, frame, len);
	CHECK(pkt.fragment && !pkt.tcp);
}

/* An ICMP error about what was sent on the flow, with @quoted bytes of it; its length. */
static uint32_t icmp(uint8_t *frame, const struct card_flow *f, uint8_t type, uint32_t quoted)
{
	uint32_t ip = f->family == 4 ? 20 : 40, at = 14 + ip, alen = f->family == 4 ? 4 : 16;
	uint8_t *in = frame + at + 8;

	memset(frame, 0, 256);
	kit_tcp_frame(frame, f, 0, 0, 0x10, NULL, 0);
	memset(frame + at, 0, 20);
	memcpy(in, frame + 14, ip);
	frame[f->family == 4 ? 23 : 20] = f->family == 4 ? CARD_IP_ICMP : CARD_IP_ICMP6;
	card_put16(frame + (f->family == 4 ? 16 : 18), (f->family == 4 ? 20 : 0) + 8 + quoted);
	frame[at] = type;
	/* What we sent: source local. */
	memcpy(in + ip - 2 * alen, f->laddr, alen);
	memcpy(in + ip - alen, f->raddr, alen);
	memcpy(in + ip, &f->lport, 2);
	memcpy(in + ip + 2, &f->rport, 2);
	card_put32(in + ip + 4, 0x04711174);
	return at + 8 + quoted;
}

static bool names_flow(uint8_t *frame, const struct card_flow *f, uint32_t len)
{
	struct card_packet pkt;
	struct card_flow got;
	uint32_t seq;

	card_packet_parse(&pkt, frame, len);
	if (!card_packet_icmp_flow(&pkt, &got, &seq))
		return false;
	CHECK(!memcmp(&got, f, sizeof(got)));
	CHECK_EQ(seq, 0x04711174);
	return true;
}

static void icmp_error(uint8_t family)
{
	struct card_flow f = kit_flow(family, 80, 1000);
	uint32_t ip = family == 4 ? 20 : 40, in = 14 + ip + 8, type, len;
	uint8_t frame[256];

	for (type = 0; type < 256; type++) {
		len = icmp(frame, &f, type, ip + 8);
		CHECK_EQ(names_flow(frame, &f, len), family == 4 ?
			 type == 3 || type == 11 || type == 12 : type >= 1 && type <= 4);
	}
	for (len = 0; len < 80; len++)
		CHECK_EQ(names_flow(frame, &f, icmp(frame, &f, 3, len)), len >= ip + 8);
	for (type = 0; type < 16; type++) {
		len = icmp(frame, &f, 3, ip + 8);
		frame[in] = type << 4 | 5;
		CHECK_EQ(names_flow(frame, &f, len), type == family);
	}
	len = icmp(frame, &f, 3, ip + 8);
	frame[in + (family == 4 ? 9 : 6)] = CARD_IP_UDP;
	CHECK(!names_flow(frame, &f, len));
	len = icmp(frame, &f, 3, ip + 8);
	frame[family == 4 ? 23 : 20] = family == 4 ? CARD_IP_ICMP6 : CARD_IP_ICMP;
	CHECK(!names_flow(frame, &f, len));
	len = icmp(frame, &f, 3, ip + 8);
	card_put16(frame + 12, 0x0806);
	CHECK(!names_flow(frame, &f, len));
	/* Cut off within its own header. */
	len = icmp(frame, &f, 3, ip + 8);
	card_put16(frame + (family == 4 ? 16 : 18), (family == 4 ? 20 : 0) + 7);
	CHECK(!names_flow(frame, &f, len));
}

static void icmp_names_the_flow(void)
{
	struct card_flow f = kit_flow(4, 80, 1000);
	uint8_t frame[256];
	uint32_t len, ihl;

	icmp_error(4);
	/* The quoted header may have options; it can't be shorter than a header. */
	for (ihl = 5; ihl < 16; ihl++) {
		len = icmp(frame, &f, 3, ihl * 4 + 8);
		memmove(frame + 42 + ihl * 4, frame + 62, 8);
		frame[42] = 0x40 | ihl;
		CHECK(names_flow(frame, &f, len));
		card_put16(frame + 16, 20 + 8 + ihl * 4 + 7);
		CHECK(!names_flow(frame, &f, len));
	}
	len = icmp(frame, &f, 3, 28);
	frame[42] = 0x44;
	CHECK(!names_flow(frame, &f, len));
	frame[42] = 0x45;
	CHECK(names_flow(frame, &f, len));
	frame[20] = 0x20;			/* a fragment of a message */
	CHECK(!names_flow(frame, &f, len));
}

static void icmp6_names_the_flow(void)
{
	icmp_error(6);
}

static void segment(uint8_t family)
{
	struct card_flow f = kit_flow(family, 80, 1000);
	uint8_t data[2500], slot[CARD_WIRE_FRAME];
	struct card_tx tx = { .buf = malloc(4096) };
	uint32_t hdr = family == 4 ? 54 : 74, i, len;
	bool last = false;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	tx.len = kit_tcp_frame(tx.buf, &f, 0xfffffff0, 5, 0x80 | 0x10 | 0x08 | 0x01, data,
			       sizeof(data));
	tx.desc.flags = TOE_TXD_TSO;
	tx.desc.mss = 1000;
	tx.desc.l3_off = 14;
	tx.desc.l4_off = hdr - 20;
	if (family == 4)
		card_put16(tx.buf + 18, 0xffff);	/* id: wraps */
	CHECK(card_tso_valid(&tx));
	for (i = 0; i < 3; i++) {
		struct card_packet pkt;

		CHECK(!last);
		len = card_tso_next(&tx, slot, &last);
		CHECK_EQ(len, hdr + (i < 2 ? 1000 : 500));
		card_packet_parse(&pkt, slot, len);
		card_packet_verify(&pkt);
		CHECK(pkt.csum_ok);
		CHECK_EQ(card_get32(slot + pkt.l4 + 4), (uint32_t)(0xfffffff0 + i * 1000));
		CHECK_EQ(slot[pkt.l4 + 13], 0x10 | (i ? 0 : 0x80) | (i == 2 ? 0x09 : 0));
		CHECK(!memcmp(slot + hdr, data + i * 1000, len - hdr));
		if (family == 4)
			CHECK_EQ(card_get16(slot + 18), (uint16_t)(0xffff + i));
	}
	CHECK(last);
	free(tx.buf);
}

static void segment_ipv4(void)
{
	segment(4);
}

static void segment_ipv6(void)
{
	segment(6);
}

static void segment_refuses_nonsense(void)
{
	struct card_flow f = kit_flow(4, 80, 1000);
	struct card_tx good = { .buf = calloc(1, 4096) }, tx;
	uint8_t data[100] = { 0 };

	good.len = kit_tcp_frame(good.buf, &f, 1, 1, 0x10, data, sizeof(data));
	good.desc.flags = TOE_TXD_TSO;
	good.desc.mss = 50;
	good.desc.l3_off = 14;
	good.desc.l4_off = 34;
	CHECK(card_tso_valid(&good));
	tx = good; tx.desc.mss = 0; CHECK(!card_tso_valid(&tx));
	tx = good; tx.desc.mss = 65535; CHECK(!card_tso_valid(&tx));
	tx = good; tx.desc.l3_off = 0; CHECK(!card_tso_valid(&tx));
	tx = good; tx.desc.l4_off = 38; CHECK(!card_tso_valid(&tx));
	tx = good; tx.desc.l4_off = 65535; CHECK(!card_tso_valid(&tx));
	tx = good; tx.desc.l3_off = 65535; CHECK(!card_tso_valid(&tx));
	tx = good; tx.len = 54; CHECK(!card_tso_valid(&tx));
	tx = good; tx.len = 40; CHECK(!card_tso_valid(&tx));
	good.buf[34 + 12] = 0x40; CHECK(!card_tso_valid(&good));
	good.buf[34 + 12] = 0xf0; CHECK(card_tso_valid(&good));
	good.buf[14] = 0x55; CHECK(!card_tso_valid(&good));
	free(good.buf);
}

static const struct kit_test tests[] = {
	KIT_TEST(toeplitz_vectors),
	KIT_TEST(checksum_rfc1071),
	KIT_TEST(checksum_against_plain),
	KIT_TEST(checksum_pseudo),
	KIT_TEST(parse_ipv4),
	KIT_TEST(parse_ipv6),
	KIT_TEST(parse_padding_is_not_payload),
	KIT_TEST(parse_survives_damage),
	KIT_TEST(parse_fragment_and_options),
	KIT_TEST(icmp_names_the_flow),
	KIT_TEST(icmp6_names_the_flow),
	KIT_TEST(segment_ipv4),
	KIT_TEST(segment_ipv6),
	KIT_TEST(segment_refuses_nonsense),
};
KIT_MAIN(tests)
