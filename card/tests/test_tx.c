/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Frames to send: descriptors at their bounds, what is told of them, when they wait. */
#include "kit.h"

static uint8_t got[CARD_WIRE_FRAME];

static struct host *nic(uint32_t ring)
{
	struct host *h = host_create(1, 16);

	host_pair_up(h, 0, ring);
	host_rx_post(h, 0, 8);
	return h;
}

/* Memory whose bytes tell their place. */
static uint64_t pattern(struct host *h, uint32_t bytes)
{
	uint64_t at = host_alloc(h, bytes);
	uint8_t *p = host_ptr(h, at);
	uint32_t i;

	for (i = 0; i < bytes; i++)
		p[i] = i * 3 + i / 256;
	return at;
}

static uint32_t tx_cons(struct host *h)
{
	return host_expect(h, 0, TOE_CQE_TX).tx.cons;
}

/* Nothing left the card; one error of this kind, and the slots are free again. */
static void refused(struct host *h, uint32_t status, uint32_t cons)
{
	struct toe_cqe cqe = host_expect(h, 0, TOE_CQE_ERROR), want = {
		.type = TOE_CQE_ERROR, .error.reason = status, .phase = cqe.phase,
	};

	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	CHECK_EQ(tx_cons(h), cons);
	host_quiet(h, 0);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 0);
	CHECK_EQ(h->pair[0].shadow[TOE_RING_TX].card_cons, cons);
}

static void lengths(void)
{
	static const struct {
		uint32_t len, flags, wire;
	} cases[] = {
		{ 13, 0, 0 }, { 14, 0, 60 }, { 59, 0, 60 }, { 60, 0, 60 }, { 61, 0, 61 },
		{ 9022, 0, 9022 }, { 9023, 0, 0 },
		{ 13, TOE_TXD_VLAN, 0 }, { 14, TOE_TXD_VLAN, 60 }, { 57, TOE_TXD_VLAN, 61 },
		{ 9018, TOE_TXD_VLAN, 9022 }, { 9019, TOE_TXD_VLAN, 0 },
	};
	struct host *h = nic(64);
	uint64_t at = pattern(h, 65536);
	unsigned int i, good = 0, bytes = 0, bad = 0;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct toe_txd d = { .addr = at, .len = cases[i].len,
				     .flags = TOE_TXD_EOP | cases[i].flags };

		host_tx(h, 0, &d);
		host_poll(h);
		if (cases[i].wire) {
			good++;
			bytes += cases[i].len + (cases[i].flags ? 4 : 0);
			CHECK_EQ(peer_recv(h, got, sizeof(got)), cases[i].wire);
			CHECK_EQ(tx_cons(h), i + 1);
		} else {
			bad++;
			refused(h, TOE_ST_INVAL, i + 1);
		}
		CHECK_EQ(h->card.stats.tx_frames, good);
		CHECK_EQ(h->card.stats.tx_bytes, bytes);
		CHECK_EQ(h->card.stats.tx_bad_desc, bad);
	}
	host_destroy(h);
}

static void vlan_tag_goes_behind_the_addresses(void)
{
	struct host *h = nic(64);
	uint64_t at = pattern(h, 128);
	const uint8_t *from = host_ptr(h, at);
	struct toe_txd d = { .addr = at, .len = 100, .flags = TOE_TXD_EOP | TOE_TXD_VLAN,
			     .vlan_tci = 0xe123 };

	host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 104);
	CHECK(!memcmp(got, from, 12));
	CHECK(!memcmp(got + 12, "\x81\x00\xe1\x23", 4));
	CHECK(!memcmp(got + 16, from + 12, 88));
	host_destroy(h);
}

/* @n descriptors of @each bytes, the last with EOP. */
static void run(struct host *h, uint64_t at, uint32_t n, uint32_t each, uint8_t flags)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct toe_txd d = { .addr = at + i * each, .len = each,
				     .flags = i + 1 == n ? flags | TOE_TXD_EOP : flags };

		host_tx(h, 0, &d);
	}
	host_poll(h);
}

static void pieces_are_bounded(void)
{
	struct host *h = nic(64);
	uint64_t at = pattern(h, 4096);
	uint32_t cons = 0;

	run(h, at, 24, 7, 0);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 168);
	CHECK(!memcmp(got, host_ptr(h, at), 168));
	cons += 24;
	CHECK_EQ(tx_cons(h), cons);
	run(h, at, 25, 7, 0);
	cons += 25;
	refused(h, TOE_ST_INVAL, cons);
	run(h, at, 1, 100, 0);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 100);
	CHECK_EQ(tx_cons(h), ++cons);
	host_destroy(h);
}

/* One piece without bytes, and one out of reach, in each place of three. */
static void every_piece_is_checked(void)
{
	struct host *h = nic(64);
	uint64_t at = pattern(h, 4096);
	uint32_t i, j, cons = 0;

	for (i = 0; i < 6; i++) {
		for (j = 0; j < 3; j++) {
			struct toe_txd d = { .addr = at, .len = 50,
					     .flags = j == 2 ? TOE_TXD_EOP : 0 };

			if (i == j)
				d.len = 0;
			if (i == j + 3)
				d.addr = HOST_IOVA + HOST_BYTES - 49;
			host_tx(h, 0, &d);
		}
		host_poll(h);
		cons += 3;
		refused(h, i < 3 ? TOE_ST_INVAL : TOE_ST_DMA, cons);
	}
	host_destroy(h);
}

/* Bytes are counted over all pieces, beyond 32 bits, too. */
static void bytes_are_bounded(void)
{
	struct host *h = nic(64);
	struct card_flow f = kit_flow(4, 1, 2);
	uint64_t at = pattern(h, 2 * 65536);
	struct toe_txd d = { .addr = at, .mss = 9000, .l3_off = 14, .l4_off = 34,
			     .flags = TOE_TXD_TSO };
	uint32_t n = 0, len;

	kit_tcp_frame(host_ptr(h, at), &f, 1, 1, 0x10, NULL, 0);
	d.len = TOE_TXD_MAX_BYTES - 1000;
	host_tx(h, 0, &d);
	d.addr += d.len;
	d.len = 1000;
	d.flags |= TOE_TXD_EOP;
	host_tx(h, 0, &d);
	host_poll(h);
	while ((len = peer_recv(h, got, sizeof(got)))) {
		n += len - 54;
		host_poll(h);
	}
	CHECK_EQ(n, TOE_TXD_MAX_BYTES - 54);
	CHECK_EQ(tx_cons(h), 2);
	d.flags = TOE_TXD_TSO;
	d.addr = at;
	d.len = TOE_TXD_MAX_BYTES - 1000;
	host_tx(h, 0, &d);
	d.len = 1001;
	d.flags |= TOE_TXD_EOP;
	host_tx(h, 0, &d);
	host_poll(h);
	refused(h, TOE_ST_INVAL, 4);
	d.flags = 0;
	d.len = 0x80000000;
	host_tx(h, 0, &d);
	host_tx(h, 0, &d);
	d.len = 100;
	d.flags = TOE_TXD_EOP;
	host_tx(h, 0, &d);
	host_poll(h);
	refused(h, TOE_ST_INVAL, 7);
	host_destroy(h);
}

static void only_the_first_descriptors_flags_count(void)
{
	struct host *h = nic(64);
	uint64_t at = pattern(h, 256);
	struct toe_txd d = { .addr = at, .len = 60 };

	host_tx(h, 0, &d);
	d.addr += 60;
	d.len = 40;
	d.flags = TOE_TXD_EOP | TOE_TXD_VLAN | TOE_TXD_CSUM | TOE_TXD_TSO;
	host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 100);
	CHECK(!memcmp(got, host_ptr(h, at), 100));
	host_destroy(h);
}

static void checksum_bounds(void)
{
	static const struct {
		uint16_t start, offset;
		bool ok;
	} cases[] = {
		{ 98, 0, true }, { 98, 1, false }, { 99, 0, false }, { 100, 0, false },
		{ 0, 98, true }, { 0, 99, false }, { 34, 64, true }, { 34, 65, false },
		{ 65535, 1, false }, { 1, 65535, false },
	};
	struct host *h = nic(64);
	uint64_t at = pattern(h, 100);
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct toe_txd d = { .addr = at, .len = 100, .flags = TOE_TXD_EOP | TOE_TXD_CSUM,
				     .csum_start = cases[i].start,
				     .csum_offset = cases[i].offset };
		uint32_t where = cases[i].start + cases[i].offset;
		uint8_t want[100];

		host_tx(h, 0, &d);
		host_poll(h);
		if (!cases[i].ok) {
			refused(h, TOE_ST_INVAL, i + 1);
			continue;
		}
		memcpy(want, host_ptr(h, at), 100);
		card_put16(want + where, card_csum_fold(card_csum_add(0, want + cases[i].start,
								      100 - cases[i].start)));
		CHECK_EQ(peer_recv(h, got, sizeof(got)), 100);
		CHECK(!memcmp(got, want, 100));
		CHECK_EQ(tx_cons(h), i + 1);
	}
	host_destroy(h);
}

static void a_checksum_is_never_zero(void)
{
	struct host *h = nic(64);
	uint64_t at = pattern(h, 100);
	struct toe_txd d = { .addr = at, .len = 100, .flags = TOE_TXD_EOP | TOE_TXD_CSUM,
			     .csum_start = 96, .csum_offset = 2 };

	memcpy((uint8_t *)host_ptr(h, at) + 96, "\xff\xff\x00\x00", 4);
	host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 100);
	CHECK(!memcmp(got + 96, "\xff\xff\xff\xff", 4));
	host_destroy(h);
}

/* The tag shifts the headers; the checksum that TSO implies isn't made twice. */
static void tso_with_a_tag(void)
{
	struct host *h = nic(64);
	struct card_flow f = kit_flow(6, 1, 2);
	uint64_t at = pattern(h, 4096);
	struct toe_txd d = {
		.addr = at, .mss = 700, .l3_off = 14, .l4_off = 54, .vlan_tci = 77,
		.flags = TOE_TXD_EOP | TOE_TXD_TSO | TOE_TXD_VLAN | TOE_TXD_CSUM,
		.csum_start = 65535,
	};
	uint8_t data[1500] = { 0 };
	struct card_packet pkt;
	unsigned int i;

	d.len = kit_tcp_frame(host_ptr(h, at), &f, 1, 1, 0x18, data, 1500);
	host_tx(h, 0, &d);
	host_poll(h);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(peer_recv(h, got, sizeof(got)), 78 + (i < 2 ? 700 : 100));
		card_packet_parse(&pkt, got, 78 + (i < 2 ? 700 : 100));
		card_packet_verify(&pkt);
		CHECK(pkt.csum_ok && pkt.vlan && pkt.vlan_tci == 77);
	}
	CHECK_EQ(tx_cons(h), 1);
	host_destroy(h);
}

static void a_full_ring_without_end(void)
{
	struct host *h = nic(16);
	uint64_t at = pattern(h, 256);
	struct toe_txd d = { .addr = at, .len = 20 };
	unsigned int i;

	for (i = 0; i < 15; i++)
		host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(h->pair[0].shadow[TOE_RING_TX].card_cons, 0);	/* may still become one */
	CHECK(!card_tx_ready(&h->card.pair[0]));
	host_tx(h, 0, &d);
	CHECK(card_tx_ready(&h->card.pair[0]));
	host_poll(h);
	refused(h, TOE_ST_INVAL, 16);
	CHECK(!card_tx_ready(&h->card.pair[0]));
	/* Up to the end of it all is dropped, when it comes. */
	host_tx(h, 0, &d);
	CHECK(card_tx_ready(&h->card.pair[0]));
	host_poll(h);
	CHECK_EQ(tx_cons(h), 17);
	d.flags = TOE_TXD_EOP;
	host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(tx_cons(h), 18);
	d.len = 77;
	host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 77);
	CHECK_EQ(tx_cons(h), 19);
	CHECK_EQ(h->card.stats.tx_bad_desc, 1);
	host_destroy(h);
}

/* 64 frames a turn, all told of with one completion. */
static void a_turn_is_bounded(void)
{
	struct host *h = nic(256);
	uint64_t at = pattern(h, 256);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	struct toe_cqe cqe;
	unsigned int i;

	for (i = 0; i < 150; i++)
		host_tx(h, 0, &d);
	for (i = 1; i <= 3; i++) {
		CHECK(card_tx_ready(&h->card.pair[0]));
		card_poll(&h->card, ++h->now);
		CHECK(host_cqe(h, 0, &cqe) && cqe.type == TOE_CQE_TX);
		CHECK_EQ(cqe.tx.cons, i < 3 ? i * 64 : 150);
		CHECK(!host_cqe(h, 0, &cqe));
		CHECK_EQ(h->card.stats.tx_frames, i < 3 ? i * 64 : 150);
	}
	CHECK(!card_tx_ready(&h->card.pair[0]));
	CHECK(!card_tx_run(&h->card, &h->card.pair[0]));
	host_destroy(h);
}

/* With the wire's queue full a frame waits, and a half-sent one goes on where it was. */
static void a_full_wire_holds_frames_back(void)
{
	struct host *h = nic(64);
	struct card_flow f = kit_flow(4, 1, 2);
	uint64_t at = pattern(h, 65536);
	struct toe_txd d = { .addr = at, .len = 14 + 40 + 60000, .mss = 100, .l3_off = 14,
			     .l4_off = 34, .flags = TOE_TXD_EOP | TOE_TXD_TSO };
	uint32_t seq = 1, len;
	struct toe_cqe cqe;

	kit_tcp_frame(host_ptr(h, at), &f, 1, 1, 0x10, NULL, 0);
	host_tx(h, 0, &d);
	card_poll(&h->card, ++h->now);
	CHECK_EQ(h->card.stats.tx_frames, CARD_WIRE_SLOTS);
	CHECK(card_tx_ready(&h->card.pair[0]));
	CHECK(!host_cqe(h, 0, &cqe));
	while (seq < 60001) {
		while (!(len = peer_recv(h, got, sizeof(got))))
			card_poll(&h->card, ++h->now);
		CHECK_EQ(len, 154);
		CHECK_EQ(card_get32(got + 38), seq);
		seq += 100;
	}
	host_poll(h);
	CHECK_EQ(tx_cons(h), 1);
	host_destroy(h);
}

static void nothing_is_sent_while_completions_wait(void)
{
	struct host *h = nic(16);
	uint64_t at = pattern(h, 256);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	struct toe_cqe cqe;
	unsigned int i;

	/* An error and a TX of each: the ring of 16 is full after eight. */
	d.len = 10;
	for (i = 0; i < 9; i++) {
		host_tx(h, 0, &d);
		host_poll(h);
	}
	CHECK(card_cq_is_held(&h->card.pair[0].cq));
	d.len = 60;
	host_tx(h, 0, &d);
	host_poll(h);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 0);
	CHECK_EQ(h->card.pair[0].tx.cons, 9);
	for (i = 0; i < 16; i++)
		CHECK(host_cqe(h, 0, &cqe));
	host_poll(h);
	CHECK_EQ(peer_recv(h, got, sizeof(got)), 60);
	host_expect(h, 0, TOE_CQE_ERROR);
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(lengths),
	KIT_TEST(vlan_tag_goes_behind_the_addresses),
	KIT_TEST(pieces_are_bounded),
	KIT_TEST(every_piece_is_checked),
	KIT_TEST(bytes_are_bounded),
	KIT_TEST(only_the_first_descriptors_flags_count),
	KIT_TEST(checksum_bounds),
	KIT_TEST(a_checksum_is_never_zero),
	KIT_TEST(tso_with_a_tag),
	KIT_TEST(a_full_ring_without_end),
	KIT_TEST(a_turn_is_bounded),
	KIT_TEST(a_full_wire_holds_frames_back),
	KIT_TEST(nothing_is_sent_while_completions_wait),
};
KIT_MAIN(tests)
