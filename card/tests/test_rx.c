/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Received frames: lengths, buffers, steering, and each field of their completions. */
#include "kit.h"

#define CUT	1536	/* bytes of a small RX buffer */

static uint8_t frame[9300];

/* A card with RX buffers of @bytes, @post of them filled in. */
static struct host *nic(unsigned int pairs, uint32_t bytes, unsigned int post)
{
	struct host *h = host_create(pairs, 16);
	unsigned int i;

	for (i = 0; i < pairs; i++) {
		uint64_t param = host_pair_param(h, i, 16);

		((struct toe_pair_param *)host_ptr(h, param))->rx_buf_bytes = bytes;
		CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, i, param,
				    sizeof(struct toe_pair_param), 0), TOE_ST_OK);
		host_rx_post(h, i, post);
	}
	for (i = 0; i < sizeof(frame); i++)
		frame[i] = i * 5 + i / 256;
	memcpy(frame, kit_card_mac, 6);
	card_put16(frame + 12, 0x88b5);
	return h;
}

static void receive(struct host *h, uint32_t len)
{
	peer_send(h, frame, len);
	host_poll(h);
}

static void no_more(struct host *h, unsigned int n)
{
	struct toe_cqe cqe;

	CHECK(!host_cqe(h, n, &cqe));
}

static uint8_t *buffer(struct host *h, uint32_t id)
{
	return host_ptr(h, h->pair[0].rx_mem + (uint64_t)id * HOST_RX_BYTES);
}

static void lengths(void)
{
	static const struct {
		uint32_t mtu, len;
		bool vlan, ok;
	} cases[] = {
		{ 1500, 13, false, false }, { 1500, 14, false, true },
		{ 1500, 1514, false, true }, { 1500, 1515, false, false },
		{ 1500, 1518, true, true }, { 1500, 1519, true, false },
		{ 68, 82, false, true }, { 68, 83, false, false },
		{ 9000, 9014, false, true }, { 9000, 9015, false, false },
		{ 9000, 9018, true, true }, { 9000, 9019, true, false },
	};
	struct host *h = nic(1, HOST_RX_BYTES, 16);
	unsigned int i, frames = 0, bytes = 0, bad = 0;
	struct toe_cqe cqe;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, cases[i].mtu, 0, 0, 0), TOE_ST_OK);
		card_put16(frame + 12, cases[i].vlan ? CARD_ETH_VLAN : 0x88b5);
		receive(h, cases[i].len);
		frames++;
		bytes += cases[i].len;
		bad += !cases[i].ok;
		CHECK_EQ(host_cqe(h, 0, &cqe), cases[i].ok);
		while (cases[i].ok && !(cqe.flags & TOE_RX_EOP))
			CHECK(host_cqe(h, 0, &cqe));
		no_more(h, 0);
		CHECK_EQ(h->card.stats.rx_frames, frames);
		CHECK_EQ(h->card.stats.rx_bytes, bytes);
		CHECK_EQ(h->card.stats.rx_oversize, bad);
		host_rx_post(h, 0, h->card.pair[0].rx.cons + 16 - h->pair[0].prod[TOE_RING_RX]);
	}
	CHECK_EQ(h->card.stats.rx_no_buffer, 0);
	host_destroy(h);
}

/* Frames over several buffers, with the tag left in or taken out. */
static void scattered(uint32_t len, bool tag, bool strip)
{
	struct host *h = nic(1, CUT, 16);
	uint32_t shown = len - (strip && tag ? 4 : 0), parts = (shown + CUT - 1) / CUT, i;
	uint8_t want[9300];

	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, strip ? TOE_FEATURE_VLAN_STRIP : 0, 0, 0, 0),
		 TOE_ST_OK);
	if (tag) {
		card_put16(frame + 12, CARD_ETH_VLAN);
		card_put16(frame + 14, 0xe123);
	}
	memcpy(want, frame, len);
	if (strip && tag)
		memmove(want + 12, want + 16, len - 16);
	memset(buffer(h, 0), 0xee, 16 * HOST_RX_BYTES);
	receive(h, len);
	for (i = 0; i < parts; i++) {
		uint32_t n = i + 1 < parts ? CUT : shown - i * CUT;
		struct toe_cqe cqe = host_expect(h, 0, TOE_CQE_RX), all = {
			.type = TOE_CQE_RX, .phase = 1,
			.flags = (strip && tag ? TOE_RX_VLAN : 0) |
				 (i + 1 == parts ? TOE_RX_EOP : 0),
			.rx = { .buf_id = i, .len = n, .vlan_tci = strip && tag ? 0xe123 : 0 },
		};

		CHECK(!memcmp(&cqe, &all, sizeof(all)));
		CHECK(!memcmp(buffer(h, i), want + i * CUT, n));
		CHECK_EQ(buffer(h, i)[n], 0xee);
	}
	no_more(h, 0);
	CHECK_EQ(buffer(h, parts)[0], 0xee);
	CHECK_EQ(h->pair[0].shadow[TOE_RING_RX].card_cons, parts);
	host_destroy(h);
}

static void frames_over_several_buffers(void)
{
	static const uint32_t lens[] = { 60, CUT - 1, CUT, CUT + 1, 2 * CUT, 2 * CUT + 3, 9014 };
	unsigned int i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		scattered(lens[i], false, true);
		scattered(lens[i] + 4, true, true);
		scattered(lens[i], true, false);
	}
	scattered(CUT + 3, true, true);
	scattered(CUT + 5, true, true);
	scattered(18, true, true);
}

static void as_many_buffers_as_it_takes(void)
{
	struct host *h = nic(1, CUT, 2);

	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	receive(h, 2 * CUT + 1);
	no_more(h, 0);
	CHECK_EQ(h->card.stats.rx_no_buffer, 1);
	CHECK_EQ(h->card.pair[0].rx.cons, 0);		/* none is used up */
	receive(h, 2 * CUT);
	host_expect(h, 0, TOE_CQE_RX);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_RX).rx.len, CUT);
	receive(h, 60);
	no_more(h, 0);
	CHECK_EQ(h->card.stats.rx_no_buffer, 2);
	host_destroy(h);
}

/* The buffer that can't be reached is lost, and those before it. */
static void unreachable_buffers(void)
{
	struct host *h = nic(1, CUT, 0);
	struct toe_rxd bad = { .addr = HOST_IOVA + HOST_BYTES - 59, .buf_id = 77 };
	struct toe_cqe cqe, want = {
		.type = TOE_CQE_ERROR, .phase = 1, .error.reason = TOE_ST_DMA,
	};

	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	host_submit(h, 0, TOE_RING_RX, &bad, sizeof(bad));
	receive(h, 60);
	cqe = host_expect(h, 0, TOE_CQE_ERROR);
	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	host_rx_post(h, 0, 1);
	host_submit(h, 0, TOE_RING_RX, &bad, sizeof(bad));
	receive(h, CUT + 60);
	cqe = host_expect(h, 0, TOE_CQE_ERROR);
	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	CHECK_EQ(h->card.pair[0].rx.cons, 3);
	no_more(h, 0);
	host_rx_post(h, 0, 1);
	receive(h, 60);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_RX).rx.buf_id, 3);
	/* With a tag to be taken out: the first write of two. */
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_VLAN_STRIP, 0, 0, 0), TOE_ST_OK);
	card_put16(frame + 12, CARD_ETH_VLAN);
	bad.addr = HOST_IOVA + HOST_BYTES - 11;
	host_submit(h, 0, TOE_RING_RX, &bad, sizeof(bad));
	receive(h, 60);
	host_expect(h, 0, TOE_CQE_ERROR);
	no_more(h, 0);
	bad.addr = HOST_IOVA - 12;
	host_submit(h, 0, TOE_RING_RX, &bad, sizeof(bad));
	receive(h, 60);
	host_expect(h, 0, TOE_CQE_ERROR);
	no_more(h, 0);
	host_destroy(h);
}

static void checksum_flag(void)
{
	struct card_flow f = kit_flow(4, 80, 1000);
	struct host *h = nic(1, CUT, 16);
	uint32_t len = kit_tcp_frame(frame, &f, 1, 1, 0x10, "data", 4), features;
	const uint8_t hash = TOE_RX_HASH | TOE_RX_HASH_L4;

	for (features = 0; features < 3; features += 2) {
		CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, features, 0, 0, 0), TOE_ST_OK);
		receive(h, len);
		CHECK_EQ(host_expect(h, 0, TOE_CQE_RX).flags,
			 TOE_RX_EOP | hash | (features ? TOE_RX_CSUM_OK : 0));
		frame[len - 1] ^= 1;
		receive(h, len);
		CHECK_EQ(host_expect(h, 0, TOE_CQE_RX).flags, TOE_RX_EOP | hash);
		frame[len - 1] ^= 1;
	}
	CHECK_EQ(h->card.stats.rx_csum_bad, 2);
	host_destroy(h);
}

static void filter(void)
{
	static const uint8_t other[6] = { 0x52, 0x54, 0, 0, 0, 7 };
	struct host *h = nic(1, CUT, 16);
	unsigned int i;

	for (i = 0; i < 6; i++) {		/* each byte of the address counts */
		frame[i] ^= 2;
		receive(h, 60);
		no_more(h, 0);
		frame[i] ^= 2;
	}
	memset(frame, 0xff, 6);
	receive(h, 60);
	host_expect(h, 0, TOE_CQE_RX);
	frame[5] = 0xfe;			/* a group, not all */
	receive(h, 60);
	no_more(h, 0);
	CHECK_EQ(h->card.stats.rx_filtered, 7);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, TOE_RX_MODE_ALLMULTI, 0, 0, 0), TOE_ST_OK);
	receive(h, 60);
	host_expect(h, 0, TOE_CQE_RX);
	memcpy(frame, other, 6);
	receive(h, 60);
	no_more(h, 0);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, TOE_RX_MODE_PROMISC, 0, 0, 0), TOE_ST_OK);
	receive(h, 60);
	host_expect(h, 0, TOE_CQE_RX);
	CHECK_EQ(h->card.stats.rx_filtered, 8);
	host_destroy(h);
}

/* By the seven low bits of the hash; to any pair that there is if that one isn't. */
static void steering(void)
{
	struct host *h = nic(3, CUT, 4);
	unsigned int i;

	for (i = 0; i < TOE_RSS_INDIR; i++)
		h->card.rss.indir[i] = i == 127 ? 2 : i == 0 ? 1 : 0;
	CHECK(card_rx_steer(&h->card, 0) == &h->card.pair[1]);
	CHECK(card_rx_steer(&h->card, 128) == &h->card.pair[1]);
	CHECK(card_rx_steer(&h->card, 127) == &h->card.pair[2]);
	CHECK(card_rx_steer(&h->card, 255) == &h->card.pair[2]);
	CHECK(card_rx_steer(&h->card, 126) == &h->card.pair[0]);
	CHECK(card_rx_steer(&h->card, UINT32_MAX) == &h->card.pair[2]);
	receive(h, 60);				/* no IP: hash 0 */
	host_expect(h, 1, TOE_CQE_RX);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_OK);
	CHECK(card_rx_steer(&h->card, 126) == &h->card.pair[1]);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 1, 0, 0, 0), TOE_ST_OK);
	CHECK(card_rx_steer(&h->card, 126) == &h->card.pair[2]);
	receive(h, 60);
	host_expect(h, 2, TOE_CQE_RX);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 2, 0, 0, 0), TOE_ST_OK);
	CHECK(!card_rx_steer(&h->card, 126));
	receive(h, 60);
	CHECK_EQ(h->card.stats.rx_filtered, 1);
	CHECK_EQ(h->card.stats.rx_frames, 3);
	host_destroy(h);
}

/* A host that takes no completions: the wire waits for 50 ms, then frames are lost. */
static void a_host_that_takes_nothing(void)
{
	struct host *h = nic(1, CUT, 16);
	struct toe_cqe cqe;
	unsigned int i;

	/* Two frames at once, as the buffers are given again: one more than there's room. */
	for (i = 0; i < 17; i++) {
		receive(h, 60);
		host_rx_post(h, 0, 1);
	}
	CHECK_EQ(h->card.pair[0].cq.held_count, 1);
	CHECK(!card_reads_wire(&h->card));
	receive(h, 60);
	CHECK_EQ(h->card.stats.rx_frames, 17);
	h->now = h->card.pair[0].cq.held_since + CARD_STALL_US - 1;
	card_poll(&h->card, h->now);
	CHECK_EQ(h->card.stats.rx_frames, 17);
	CHECK(!card_reads_wire(&h->card));
	card_poll(&h->card, ++h->now);
	CHECK(card_reads_wire(&h->card));
	CHECK_EQ(h->card.stats.rx_frames, 18);
	CHECK_EQ(h->card.stats.rx_no_buffer, 1);
	CHECK_EQ(h->card.pair[0].cq.held_count, 1);
	for (i = 0; i < 16; i++)
		CHECK(host_cqe(h, 0, &cqe));
	host_poll(h);
	CHECK(host_cqe(h, 0, &cqe));
	no_more(h, 0);
	receive(h, 60);
	host_expect(h, 0, TOE_CQE_RX);
	host_destroy(h);
}

/* One that is held up while a batch comes in stops the batch. */
static void a_batch_stops_when_the_ring_is_full(void)
{
	struct host *h = nic(1, CUT, 16);
	unsigned int i;

	for (i = 0; i < 20; i++)
		peer_send(h, frame, 60);
	/* Sixteen buffers: the frames behind them are lost, not held. */
	card_poll(&h->card, ++h->now);
	CHECK_EQ(h->card.pair[0].cq.prod, 16);
	CHECK_EQ(h->card.stats.rx_no_buffer, 4);
	CHECK(card_reads_wire(&h->card));
	host_rx_post(h, 0, 16);
	for (i = 0; i < 20; i++)
		peer_send(h, frame, 60);
	card_poll(&h->card, ++h->now);
	CHECK_EQ(h->card.pair[0].cq.held_count, 1);
	CHECK_EQ(h->card.stats.rx_frames, 21);
	CHECK(!card_reads_wire(&h->card));
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(lengths),
	KIT_TEST(frames_over_several_buffers),
	KIT_TEST(as_many_buffers_as_it_takes),
	KIT_TEST(unreachable_buffers),
	KIT_TEST(checksum_flag),
	KIT_TEST(filter),
	KIT_TEST(steering),
	KIT_TEST(a_host_that_takes_nothing),
	KIT_TEST(a_batch_stops_when_the_ring_is_full),
};
KIT_MAIN(tests)
