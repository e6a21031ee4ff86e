/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The frame parser, bound by bound: the last byte that does and the first that doesn't. */
#include "kit.h"

static uint8_t frame[512];
static struct card_packet pkt;

/* A frame with ten bytes of payload; its length. */
static uint32_t tcp(uint8_t family)
{
	struct card_flow f = kit_flow(family, 80, 1000);

	memset(frame, 0, sizeof(frame));
	return kit_tcp_frame(frame, &f, 0x01020304, 9, 0x18, "0123456789", 10);
}

static void parse(uint32_t len)
{
	card_packet_parse(&pkt, frame, len);
	CHECK(pkt.frame == frame && pkt.len == len);
}

static bool is_ip(uint32_t len)
{
	parse(len);
	CHECK(pkt.family || (!pkt.proto && !pkt.tcp && !pkt.l4));
	return pkt.family;
}

static void resum4(void)
{
	uint32_t ihl = (frame[14] & 15) * 4;

	card_put16(frame + 24, 0);
	card_put16(frame + 24, card_csum_fold(card_csum_add(0, frame + 14, ihl)));
}

static void ethernet_header(void)
{
	uint32_t len = tcp(4);

	parse(0);
	CHECK(!pkt.l3 && !pkt.family);
	parse(13);
	CHECK(!pkt.l3 && !pkt.family);
	parse(14);
	CHECK(pkt.l3 == 14 && !pkt.family);
	card_put16(frame + 12, 0x0801);
	CHECK(!is_ip(len));
	card_put16(frame + 12, 0x86dd);
	CHECK(!is_ip(len));			/* with version 4 */
	tcp(6);
	card_put16(frame + 12, 0x0800);
	CHECK(!is_ip(len));
}

static void vlan_tag(void)
{
	uint32_t len = tcp(4);

	memmove(frame + 16, frame + 12, len - 12);
	card_put16(frame + 12, 0x8100);
	card_put16(frame + 14, 0xe123);
	parse(17);
	CHECK(!pkt.vlan && !pkt.vlan_tci && pkt.l3 == 14 && !pkt.family);
	parse(18);
	CHECK(pkt.vlan && pkt.vlan_tci == 0xe123 && pkt.l3 == 18 && !pkt.family);
	parse(len + 4);
	CHECK(pkt.vlan && pkt.l3 == 18 && pkt.l4 == 38 && pkt.tcp && pkt.end == len + 4);
	card_put16(frame + 16, 0x8100);		/* one tag is known, not two */
	parse(len + 4);
	CHECK(pkt.vlan && pkt.l3 == 18 && !pkt.family);
}

static void ipv4_lengths(void)
{
	uint32_t len = tcp(4), ihl;

	card_put16(frame + 16, 20);
	CHECK(!is_ip(14 + 19));
	CHECK(is_ip(14 + 20));
	CHECK(pkt.l4 == 34 && pkt.end == 34 && pkt.proto == CARD_IP_TCP && !pkt.tcp);
	card_put16(frame + 16, 19);
	CHECK(!is_ip(len));
	card_put16(frame + 16, len - 14);
	CHECK(is_ip(len));
	CHECK(pkt.end == len && pkt.tcp && !pkt.ip_options);
	CHECK(is_ip(len + 1));			/* padding */
	CHECK_EQ(pkt.end, len);
	CHECK(!is_ip(len - 1));
	card_put16(frame + 16, len - 14 + 1);
	CHECK(!is_ip(len));
	for (ihl = 0; ihl < 16; ihl++) {
		tcp(4);
		frame[14] = 0x40 | ihl;
		card_put16(frame + 16, ihl * 4);
		CHECK_EQ(is_ip(300), ihl >= 5);
		if (ihl < 5)
			continue;
		CHECK_EQ(pkt.l4, 14 + ihl * 4);
		CHECK_EQ(pkt.ip_options, ihl > 5);
		card_put16(frame + 16, ihl * 4 - 1);
		CHECK(!is_ip(300));
	}
	tcp(4);
	for (ihl = 0; ihl < 16; ihl++) {
		frame[14] = ihl << 4 | 5;
		CHECK_EQ(is_ip(len), ihl == 4);
	}
}

static void ipv4_fragments(void)
{
	uint32_t len = tcp(4);
	unsigned int bit;

	for (bit = 0; bit < 16; bit++) {
		card_put16(frame + 20, 1u << bit);
		parse(len);
		CHECK_EQ(pkt.fragment, bit <= 13);
		CHECK_EQ(pkt.later_fragment, bit <= 12);
		CHECK_EQ(pkt.proto, bit <= 12 ? 0 : CARD_IP_TCP);
		CHECK_EQ(pkt.tcp, bit > 12);
	}
	for (bit = 0; bit < 256; bit++) {
		frame[15] = bit;
		parse(len);
		CHECK_EQ(pkt.ecn, bit & 3);
	}
}

static void tcp_header(uint8_t family)
{
	uint32_t len = tcp(family), at = family == 4 ? 34 : 54, doff;
	struct card_flow f = kit_flow(family, 80, 1000);
	uint32_t size = family == 4 ? 16 : 18, fixed = family == 4 ? 20 : 0;

	for (doff = 0; doff < 16; doff++) {
		frame[at + 12] = doff << 4 | 0xf;
		card_put16(frame + size, fixed + doff * 4);
		parse(200);
		CHECK_EQ(pkt.l4, at);
		CHECK_EQ(pkt.tcp, doff >= 5);
		card_put16(frame + size, fixed + doff * 4 - (doff ? 1 : 0));
		parse(200);
		CHECK(!pkt.tcp);
	}
	tcp(family);
	for (doff = 0; doff < 256; doff++) {
		frame[family == 4 ? 23 : 20] = doff;
		parse(len);
		CHECK_EQ(pkt.tcp, doff == CARD_IP_TCP);
		if (pkt.proto)
			CHECK_EQ(pkt.proto, doff);
	}
	tcp(family);
	parse(len);
	CHECK(pkt.tcp);
	CHECK(!memcmp(&pkt.flow, &f, sizeof(f)));
}

static void tcp_over_ipv4(void)
{
	tcp_header(4);
}

static void tcp_over_ipv6(void)
{
	tcp_header(6);
}

static void ipv6_lengths(void)
{
	uint32_t len = tcp(6), v;

	card_put16(frame + 18, 0);
	CHECK(!is_ip(14 + 39));
	CHECK(is_ip(14 + 40));
	CHECK(pkt.l4 == 54 && pkt.end == 54 && pkt.proto == CARD_IP_TCP && !pkt.tcp);
	card_put16(frame + 18, len - 54);
	CHECK(is_ip(len));
	CHECK(pkt.end == len && pkt.tcp && !pkt.ip_options && !pkt.fragment);
	CHECK(is_ip(len + 1));
	CHECK_EQ(pkt.end, len);
	CHECK(!is_ip(len - 1));
	for (v = 0; v < 16; v++) {
		frame[14] = v << 4;
		CHECK_EQ(is_ip(len), v == 6);
	}
	frame[14] = 0x60;
	for (v = 0; v < 256; v++) {
		frame[15] = v;
		parse(len);
		CHECK_EQ(pkt.ecn, v >> 4 & 3);
	}
}

/* TCP behind a header of this kind, whose second byte is @ext; bytes of the header. */
static uint32_t behind(uint8_t kind, uint8_t ext, uint32_t bytes)
{
	uint32_t len = tcp(6);

	memmove(frame + 54 + bytes, frame + 54, len - 54);
	memset(frame + 54, 0, bytes);
	frame[20] = kind;
	frame[54] = CARD_IP_TCP;
	frame[55] = ext;
	card_put16(frame + 18, len - 54 + bytes);
	return len + bytes;
}

static void ipv6_extension_headers(void)
{
	static const struct {
		uint8_t kind, ext;
		uint32_t bytes;
	} heads[] = {
		{ 0, 0, 8 }, { 0, 1, 16 }, { 0, 5, 48 }, { 43, 0, 8 }, { 43, 2, 24 },
		{ 44, 0, 8 }, { 44, 7, 8 }, { 51, 0, 8 }, { 51, 1, 12 }, { 51, 4, 24 },
		{ 60, 0, 8 }, { 60, 3, 32 },
	};
	unsigned int i, kind;
	uint32_t len;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		len = behind(heads[i].kind, heads[i].ext, heads[i].bytes);
		parse(len);
		CHECK(pkt.family == 6 && pkt.ip_options && pkt.tcp);
		CHECK_EQ(pkt.l4, 54 + heads[i].bytes);
		CHECK_EQ(pkt.fragment, heads[i].kind == 44);
		CHECK(!pkt.later_fragment);
		/* Just its eight first bytes, and one less. */
		card_put16(frame + 18, 8);
		parse(len);
		CHECK_EQ(pkt.proto, heads[i].bytes == 8 ? CARD_IP_TCP : 0);
		CHECK(!pkt.tcp && pkt.family == 6);
		card_put16(frame + 18, 7);
		parse(len);
		CHECK(!pkt.proto && pkt.family == 6);
		/* Whole, with nothing behind it; and not whole. */
		card_put16(frame + 18, heads[i].bytes);
		parse(len);
		CHECK_EQ(pkt.l4, 54 + heads[i].bytes);
		CHECK_EQ(pkt.proto, CARD_IP_TCP);
		card_put16(frame + 18, heads[i].bytes - 1);
		parse(len);
		CHECK(!pkt.proto && !pkt.l4);
	}
	for (kind = 0; kind < 256; kind++) {
		bool known = kind == 0 || kind == 43 || kind == 44 || kind == 51 || kind == 60;

		len = behind(kind, 0, 8);
		parse(len);
		CHECK_EQ(pkt.proto, known ? CARD_IP_TCP : kind);
		CHECK_EQ(pkt.ip_options, known);
	}
}

static void ipv6_headers_in_a_row(void)
{
	uint32_t len = tcp(6);

	memmove(frame + 54 + 36, frame + 54, len - 54);
	memset(frame + 54, 0, 36);
	frame[20] = 0;				/* hop by hop, 16 bytes */
	frame[54] = 51;
	frame[55] = 1;
	frame[70] = 60;				/* authentication, 12 */
	frame[71] = 1;
	frame[82] = CARD_IP_TCP;		/* destination options, 8 */
	card_put16(frame + 18, len - 54 + 36);
	parse(len + 36);
	CHECK(pkt.tcp && pkt.l4 == 90 && pkt.end == len + 36);
}

static void ipv6_fragments(void)
{
	uint32_t len = behind(44, 0, 8);
	unsigned int bit;

	for (bit = 0; bit < 16; bit++) {
		card_put16(frame + 56, 1u << bit);
		parse(len);
		CHECK(pkt.fragment && pkt.ip_options);
		CHECK_EQ(pkt.later_fragment, bit >= 3);
		CHECK_EQ(pkt.proto, bit >= 3 ? 0 : CARD_IP_TCP);
		CHECK_EQ(pkt.tcp, bit < 3);
	}
	/* What comes behind a later fragment's header is payload, whatever it looks like. */
	card_put16(frame + 56, 8);
	frame[54] = 44;
	parse(len);
	CHECK(pkt.later_fragment && !pkt.proto && !pkt.l4);
}

/* What the checksums say: 1 right, -1 wrong, 0 nothing. */
static int verdict(uint32_t len)
{
	parse(len);
	card_packet_verify(&pkt);
	CHECK(!(pkt.csum_ok && pkt.csum_bad));
	CHECK(!pkt.ip_bad || pkt.csum_bad);
	return pkt.csum_ok ? 1 : pkt.csum_bad ? -1 : 0;
}

static void checksums_of_tcp(void)
{
	uint32_t len, i;

	for (i = 14; i < 64; i++) {
		len = tcp(4);
		CHECK_EQ(verdict(len), 1);
		if (i == 14 || i == 16 || i == 17)
			continue;		/* these change what it is */
		frame[i] ^= 0x04;
		if (i == 20 || i == 21) {	/* a fragment; but its header is wrong */
			CHECK_EQ(verdict(len), -1);
			CHECK(pkt.ip_bad);
			continue;
		}
		CHECK_EQ(verdict(len), -1);
		CHECK_EQ(pkt.ip_bad, i < 34);
	}
	len = tcp(6);
	CHECK_EQ(verdict(len), 1);
	for (i = 22; i < len; i++) {
		if (i == 54 + 12)
			continue;
		frame[i] ^= 0x40;
		CHECK_EQ(verdict(len), -1);
		CHECK(!pkt.ip_bad);
		frame[i] ^= 0x40;
	}
	frame[15] ^= 0x35;			/* neither class nor label are summed */
	frame[21] = 1;
	CHECK_EQ(verdict(len), 1);
}

static void no_verdict(void)
{
	uint32_t len = tcp(4);

	frame[20] = 0x20;
	resum4();
	CHECK_EQ(verdict(len), 0);		/* a first fragment */
	frame[20] = 0;
	frame[21] = 8;
	resum4();
	CHECK_EQ(verdict(len), 0);		/* a later one */
	len = tcp(4);
	frame[23] = 132;
	resum4();
	CHECK_EQ(verdict(len), 0);		/* another protocol */
	len = tcp(4);
	frame[46] = 0x40;
	CHECK_EQ(verdict(len), 0);		/* no TCP header */
	len = tcp(4);
	card_put16(frame + 12, 0x0806);
	CHECK_EQ(verdict(len), 0);
	CHECK_EQ(verdict(behind(60, 0, 8)), 0);
	CHECK_EQ(verdict(behind(44, 0, 8)), 0);
}

static void options_of_ipv4_are_summed(void)
{
	uint32_t len = tcp(4);

	memmove(frame + 38, frame + 34, len - 34);
	memset(frame + 34, 1, 4);
	frame[14] = 0x46;
	card_put16(frame + 16, len - 14 + 4);
	resum4();
	CHECK_EQ(verdict(len + 4), 1);
	frame[37] ^= 2;
	CHECK_EQ(verdict(len + 4), -1);
	CHECK(pkt.ip_bad);
}

/* UDP with @len bytes of header and payload, and a right checksum. */
static uint32_t udp(uint8_t family, uint32_t len)
{
	uint32_t at = family == 4 ? 34 : 54, alen = family == 4 ? 4 : 16;
	uint64_t sum;

	tcp(family);
	frame[family == 4 ? 23 : 20] = CARD_IP_UDP;
	card_put16(frame + (family == 4 ? 16 : 18), len + (family == 4 ? 20 : 0));
	if (family == 4)
		resum4();
	card_put16(frame + at + 4, len);
	card_put16(frame + at + 6, 0);
	sum = card_csum_pseudo(family, frame + at - 2 * alen, frame + at - alen, CARD_IP_UDP, len);
	card_put16(frame + at + 6, card_csum_fold(card_csum_add(sum, frame + at, len)));
	return at + len;
}

static void checksums_of_udp(uint8_t family)
{
	uint32_t at = family == 4 ? 34 : 54, len = udp(family, 20);

	CHECK_EQ(verdict(len), 1);
	CHECK(!pkt.tcp);
	frame[at] ^= 1;
	CHECK_EQ(verdict(len), -1);
	frame[at] ^= 1;
	card_put16(frame + at + 6, 0);		/* none */
	CHECK_EQ(verdict(len), 0);
	len = udp(family, 20);
	frame[at + 5]++;			/* says another length */
	CHECK_EQ(verdict(len), 0);
	len = udp(family, 8);
	CHECK_EQ(verdict(len), 1);
	len = udp(family, 7);
	card_put16(frame + at + 6, 1);
	CHECK_EQ(verdict(len), 0);
}

static void udp_over_ipv4(void)
{
	checksums_of_udp(4);
}

static void udp_over_ipv6(void)
{
	checksums_of_udp(6);
}

static const uint8_t key[TOE_RSS_KEY] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41,
	0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
	0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01,
	0xfa };

/* Is the hash of this frame of ports, too?  It's that of the bytes in any case. */
static bool by_ports(uint32_t len)
{
	uint32_t alen;
	uint8_t in[36];
	bool l4;

	parse(len);
	card_rss_packet(key, &pkt);
	alen = pkt.family == 4 ? 4 : 16;
	l4 = pkt.hash_flags & TOE_RX_HASH_L4;
	CHECK_EQ(pkt.hash_flags, TOE_RX_HASH | (l4 ? TOE_RX_HASH_L4 : 0));
	memcpy(in, frame + pkt.l3 + (pkt.family == 4 ? 12 : 8), 2 * alen);
	memcpy(in + 2 * alen, frame + pkt.l3 + (pkt.family == 4 ? 20 : 40), 4);
	CHECK_EQ(pkt.hash, card_toeplitz(key, in, 2 * alen + (l4 ? 4 : 0)));
	return l4;
}

static void what_is_hashed(uint8_t family)
{
	uint32_t size = family == 4 ? 16 : 18, fixed = family == 4 ? 20 : 0, len = tcp(family);

	CHECK(by_ports(len));
	card_put16(frame + size, fixed + 4);	/* just the ports */
	CHECK(by_ports(len));
	card_put16(frame + size, fixed + 3);
	CHECK(!by_ports(len));
	CHECK(by_ports(udp(family, 20)));
	tcp(family);
	frame[family == 4 ? 23 : 20] = 47;
	CHECK(!by_ports(len));
	if (family == 4) {
		tcp(4);
		frame[20] = 0x20;
		CHECK(!by_ports(len));
	} else {
		CHECK(!by_ports(behind(44, 0, 8)));
	}
	card_put16(frame + 12, 0x0806);
	parse(len);
	pkt.hash = 5;
	pkt.hash_flags = 5;
	card_rss_packet(key, &pkt);
	CHECK(!pkt.hash && !pkt.hash_flags);
}

static void hash_of_ipv4(void)
{
	what_is_hashed(4);
}

static void hash_of_ipv6(void)
{
	what_is_hashed(6);
}

/* Every bit of the key counts, and none behind it. */
static void hash_of_every_bit(void)
{
	uint8_t in[36] = { 0 };
	unsigned int bit, i;

	for (bit = 0; bit < 36 * 8; bit++) {
		uint32_t want = 0;

		memset(in, 0, sizeof(in));
		in[bit / 8] = 0x80 >> bit % 8;
		for (i = 0; i < 32; i++)
			want = want << 1 | (key[(bit + i) / 8] >> (7 - (bit + i) % 8) & 1);
		CHECK_EQ(card_toeplitz(key, in, 36), want);
	}
}

static const struct kit_test tests[] = {
	KIT_TEST(ethernet_header),
	KIT_TEST(vlan_tag),
	KIT_TEST(ipv4_lengths),
	KIT_TEST(ipv4_fragments),
	KIT_TEST(tcp_over_ipv4),
	KIT_TEST(tcp_over_ipv6),
	KIT_TEST(ipv6_lengths),
	KIT_TEST(ipv6_extension_headers),
	KIT_TEST(ipv6_headers_in_a_row),
	KIT_TEST(ipv6_fragments),
	KIT_TEST(checksums_of_tcp),
	KIT_TEST(no_verdict),
	KIT_TEST(options_of_ipv4_are_summed),
	KIT_TEST(udp_over_ipv4),
	KIT_TEST(udp_over_ipv6),
	KIT_TEST(hash_of_ipv4),
	KIT_TEST(hash_of_ipv6),
	KIT_TEST(hash_of_every_bit),
};
KIT_MAIN(tests)
