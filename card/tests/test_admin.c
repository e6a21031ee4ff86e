/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Admin commands: each bound from both sides, and what each changes. */
#include "kit.h"

#define END	(HOST_IOVA + HOST_BYTES)
#define NOWHERE	UINT64_C(0x1000)

/* A host, and the parameters of a pair that may be spoilt. */
struct setup {
	struct host *h;
	uint64_t param;
	struct toe_pair_param *pp, good;
};

static struct setup setup(void)
{
	struct setup s = { .h = host_create(2, 16) };

	s.param = host_pair_param(s.h, 1, 64);
	s.pp = host_ptr(s.h, s.param);
	s.good = *s.pp;
	return s;
}

/* The status of creating it; then it's as before. */
static uint32_t create(struct setup *s)
{
	uint32_t status = host_admin(s->h, TOE_ADMIN_PAIR_CREATE, 1, s->param,
				     sizeof(struct toe_pair_param), 0);

	CHECK_EQ(status == TOE_ST_OK, s->h->card.pair[1].active);
	if (status == TOE_ST_OK)
		CHECK_EQ(host_admin(s->h, TOE_ADMIN_PAIR_DESTROY, 1, 0, 0, 0), TOE_ST_OK);
	*s->pp = s->good;
	return status;
}

static void buffers_are_bounded(void)
{
	static const struct {
		uint32_t rx, rq, status;
	} cases[] = {
		{ 1535, 4096, TOE_ST_INVAL }, { 1536, 4095, TOE_ST_INVAL },
		{ 1536, 4096, TOE_ST_OK }, { 16384, 65536, TOE_ST_OK },
		{ 16385, 65536, TOE_ST_INVAL }, { 16384, 65537, TOE_ST_INVAL },
		{ 0, 4096, TOE_ST_INVAL }, { 2048, 0, TOE_ST_INVAL },
	};
	struct setup s = setup();
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s.pp->rx_buf_bytes = cases[i].rx;
		s.pp->rq_buf_bytes = cases[i].rq;
		CHECK_EQ(create(&s), cases[i].status);
	}
	host_destroy(s.h);
}

static void rings_are_bounded(void)
{
	static const uint32_t bad[] = { 0, 8, 15, 17, 24, 4095, 4097, 8192, 0x80000000 };
	uint64_t room;
	struct setup s = setup();
	unsigned int ring, i;

	room = host_alloc(s.h, 4096 * 64);
	for (ring = 0; ring < TOE_RINGS; ring++) {
		for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			s.pp->ring_addr[ring] = room;
			s.pp->ring_size[ring] = bad[i];
			CHECK_EQ(create(&s), TOE_ST_INVAL);
		}
		for (i = 16; i <= 4096; i *= 2) {
			s.pp->ring_addr[ring] = room;
			s.pp->ring_size[ring] = i;
			CHECK_EQ(create(&s), TOE_ST_OK);
		}
		s.pp->ring_addr[ring] += 1;
		CHECK_EQ(create(&s), TOE_ST_INVAL);
		s.pp->ring_addr[ring] += 32;
		CHECK_EQ(create(&s), TOE_ST_INVAL);
	}
	s.pp->shadow_addr += 1;
	CHECK_EQ(create(&s), TOE_ST_INVAL);
	s.pp->shadow_addr += 32;
	CHECK_EQ(create(&s), TOE_ST_INVAL);
	host_destroy(s.h);
}

/* The last slot of each ring must be in reach, with the right that the card needs. */
static void rings_must_be_reachable(void)
{
	static const uint32_t entry[TOE_RINGS] = { 32, 64, 16, 16, 32 };
	struct setup s = setup();
	uint64_t wo = UINT64_C(0x800000000), ro = UINT64_C(0x900000000);
	unsigned int ring;

	CHECK(!card_dma_add(&s.h->card.dma, wo, 0x10000, s.h->mem, CARD_DMA_WRITE, false));
	CHECK(!card_dma_add(&s.h->card.dma, ro, 0x10000, s.h->mem, CARD_DMA_READ, false));
	for (ring = 0; ring < TOE_RINGS; ring++) {
		s.pp->ring_addr[ring] = END - entry[ring] * 64;
		CHECK_EQ(create(&s), TOE_ST_OK);
		s.pp->ring_addr[ring] = END - entry[ring] * 64 + 64;
		CHECK_EQ(create(&s), TOE_ST_DMA);
		s.pp->ring_addr[ring] = NOWHERE;
		CHECK_EQ(create(&s), TOE_ST_DMA);
		s.pp->ring_addr[ring] = ro;
		CHECK_EQ(create(&s), ring == TOE_RING_CQ ? TOE_ST_DMA : TOE_ST_OK);
		s.pp->ring_addr[ring] = wo;
		CHECK_EQ(create(&s), ring == TOE_RING_CQ ? TOE_ST_OK : TOE_ST_DMA);
	}
	s.pp->shadow_addr = END - 5 * 128;
	CHECK_EQ(create(&s), TOE_ST_OK);
	s.pp->shadow_addr = END - 5 * 128 + 64;
	CHECK_EQ(create(&s), TOE_ST_DMA);
	s.pp->shadow_addr = ro;
	CHECK_EQ(create(&s), TOE_ST_DMA);
	s.pp->shadow_addr = wo;
	CHECK_EQ(create(&s), TOE_ST_DMA);
	host_destroy(s.h);
}

static void pairs_are_bounded(void)
{
	struct setup s = setup();
	uint32_t n = sizeof(struct toe_pair_param);
	struct host *h = s.h;

	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 2, s.param, n, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, UINT32_MAX, s.param, n, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 1, s.param, n - 1, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 1, END - n + 1, n, 0), TOE_ST_DMA);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 1, s.param, n + 1, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 1, s.param, n, 0), TOE_ST_STATE);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 2, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_STATE);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 1, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 1, 0, 0, 0), TOE_ST_STATE);
	host_destroy(h);
}

/* Each of the pair's rings is where it was said to be. */
static void pairs_get_what_was_asked_for(void)
{
	struct setup s = setup();
	struct card_pair *p = &s.h->card.pair[1];
	const struct card_sq *sq[] = { &p->tx, &p->sq, &p->rx, &p->rq };
	static const uint32_t entry[] = { 32, 64, 16, 16 };
	unsigned int i;

	for (i = 0; i < TOE_RINGS; i++)
		s.pp->ring_size[i] = s.good.ring_size[i] = 16 << (i % 3);
	s.pp->rx_buf_bytes = s.good.rx_buf_bytes = 1700;
	s.pp->rq_buf_bytes = s.good.rq_buf_bytes = 5000;
	CHECK_EQ(host_admin(s.h, TOE_ADMIN_PAIR_CREATE, 1, s.param, sizeof(*s.pp), 0), TOE_ST_OK);
	for (i = 0; i < 4; i++) {
		CHECK_EQ(sq[i]->addr, s.good.ring_addr[i]);
		CHECK_EQ(sq[i]->size, s.good.ring_size[i]);
		CHECK_EQ(sq[i]->entry, entry[i]);
		CHECK_EQ(sq[i]->shadow, s.good.shadow_addr + i * 128);
		CHECK_EQ(sq[i]->cons, 0);
	}
	CHECK_EQ(p->cq.addr, s.good.ring_addr[TOE_RING_CQ]);
	CHECK_EQ(p->cq.size, s.good.ring_size[TOE_RING_CQ]);
	CHECK_EQ(p->cq.shadow, s.good.shadow_addr + 4 * 128);
	CHECK_EQ(p->rx_buf_bytes, 1700);
	CHECK_EQ(p->rq_buf_bytes, 5000);
	CHECK_EQ(p->index, 1);
	host_destroy(s.h);
}

static void sees(struct host *h, const uint8_t *mac, bool want)
{
	uint8_t frame[64] = { 0 };
	struct toe_cqe cqe;

	memcpy(frame, mac, 6);
	peer_send(h, frame, 64);
	host_poll(h);
	host_rx_post(h, 0, 1);
	CHECK_EQ(host_cqe(h, 0, &cqe), want);
}

static void receive_modes(void)
{
	struct host *h = host_create(1, 16);
	uint64_t at = host_alloc(h, 65 * 8);
	uint8_t *list = host_ptr(h, at), other[6] = { 0x33, 0x33, 0, 0, 0, 99 };
	const uint32_t all = TOE_RX_MODE_PROMISC | TOE_RX_MODE_ALLMULTI;
	unsigned int i;

	host_pair_up(h, 0, 64);
	host_rx_post(h, 0, 8);
	for (i = 0; i < 65; i++)
		memcpy(list + 8 * i, (uint8_t [8]){ 0x33, 0x33, 0, 0, 0, i, 0xee, 0xee }, 8);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, at, 64 * 8, 64), TOE_ST_OK);
	for (i = 0; i < 64; i++)
		sees(h, list + 8 * i, true);
	sees(h, list + 8 * 64, false);
	sees(h, other, false);
	/* Refused commands change nothing. */
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, at, 65 * 8, 65), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 4, at, 8, 1), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, all + 4, at, 8, 1), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, at, 15, 2), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, END - 8, 16, 2), TOE_ST_DMA);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, at, 0, 0x20000000), TOE_ST_INVAL);
	sees(h, list + 8 * 63, true);
	sees(h, other, false);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, at, 17, 2), TOE_ST_OK);
	sees(h, list + 8, true);
	sees(h, list + 16, false);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, all, NOWHERE, 0, 0), TOE_ST_OK);
	sees(h, other, true);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, NOWHERE, 0, 0), TOE_ST_OK);
	sees(h, list, false);
	host_destroy(h);
}

static void rss_parameters(void)
{
	struct host *h = host_create(3, 16);
	struct toe_rss_param p, before;
	const uint32_t n = sizeof(p);
	uint64_t at = host_alloc(h, n);
	unsigned int i;

	for (i = 0; i < n; i++)
		((uint8_t *)&p)[i] = i < TOE_RSS_KEY ? i + 1 : i % 3;
	memcpy(host_ptr(h, at), &p, n);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, at, n, 0), TOE_ST_OK);
	CHECK(!memcmp(&h->card.rss, &p, n));
	before = p;
	p.key[0] = 0;
	memcpy(host_ptr(h, at), &p, n);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, at, n - 1, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, END - n + 1, n, 0), TOE_ST_DMA);
	for (i = 0; i < TOE_RSS_INDIR; i++) {
		p.indir[i] = 3;
		memcpy(host_ptr(h, at), &p, n);
		CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, at, n, 0), TOE_ST_INVAL);
		p.indir[i] = 2;
	}
	CHECK(!memcmp(&h->card.rss, &before, n));
	memcpy(host_ptr(h, at), &p, n);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, at, n + 1, 0), TOE_ST_OK);
	host_destroy(h);
}

static void mtu_and_features(void)
{
	struct host *h = host_create(1, 16);

	CHECK_EQ(h->card.mtu, 1500);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 68, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(h->card.mtu, 68);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 67, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(h->card.mtu, 68);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9001, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(h->card.mtu, 9000);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0x1f, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(h->card.features, 0x1f);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0x20, 0, 0, 0), TOE_ST_NOTSUP);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0x80000001, 0, 0, 0), TOE_ST_NOTSUP);
	CHECK_EQ(h->card.features, 0x1f);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(h->card.features, 0);
	host_destroy(h);
}

static void station_address(void)
{
	uint8_t first[6] = { 2, 1, 2, 3, 4, 5 }, second[6] = { 2, 1, 2, 3, 4, 6 };
	struct host *h = host_create(1, 16);
	uint64_t at = host_alloc(h, 64);

	host_pair_up(h, 0, 64);
	host_rx_post(h, 0, 8);
	sees(h, kit_card_mac, true);
	memcpy(host_ptr(h, at), first, 6);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MAC, 0, at, 6, 0), TOE_ST_OK);
	sees(h, kit_card_mac, false);
	sees(h, first, true);
	sees(h, second, false);
	memcpy(host_ptr(h, at), second, 6);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MAC, 0, at, 5, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MAC, 0, END - 5, 6, 0), TOE_ST_DMA);
	*(uint8_t *)host_ptr(h, at) = 3;		/* a group */
	CHECK_EQ(host_admin(h, TOE_ADMIN_MAC, 0, at, 6, 0), TOE_ST_INVAL);
	sees(h, first, true);
	host_destroy(h);
}

static void statistics_are_all_told(void)
{
	struct host *h = host_create(1, 16);
	const uint32_t n = sizeof(struct card_stats);
	uint64_t at = host_alloc(h, n);
	uint64_t *told = host_ptr(h, at), *own = (uint64_t *)&h->card.stats;
	unsigned int i;

	for (i = 0; i < n / 8; i++)
		own[i] = 1000 + i;
	h->card.stats.toe_contexts = 0;
	h->card.dma.errors = 7;
	h->shm.reg_errors = 5;
	h->wire.oversize = 3;
	CHECK_EQ(host_admin(h, TOE_ADMIN_STATS, 0, at, n - 1, 0), TOE_ST_INVAL);
	CHECK_EQ(told[0], 0);
	CHECK_EQ(host_admin(h, TOE_ADMIN_STATS, 0, at, n, 0), TOE_ST_OK);
	for (i = 0; i < n / 8; i++)
		CHECK_EQ(told[i], i == 5 ? 1008 : i == 9 ? 7 : i == 10 ? 1015 :
			 i == 20 ? 0 : 1000 + i);
	CHECK_EQ(host_admin(h, TOE_ADMIN_STATS, 0, END - n + 8, n, 0), TOE_ST_DMA);
	host_destroy(h);
}

/* host_admin() checks cookie and op of each answer; here is the rest of it. */
static void answers(void)
{
	struct host *h = host_create(1, 16);
	struct toe_cqe *cqe = (struct toe_cqe *)h->admin.ring[TOE_RING_CQ], want = {
		.type = TOE_CQE_CMD, .phase = 1,
		.cmd = { .cookie = 1, .op = TOE_ADMIN_MTU, .status = TOE_ST_INVAL },
	};

	cqe += h->admin.cons;
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 1, 0, 0, 0), TOE_ST_INVAL);
	CHECK(!memcmp(cqe, &want, sizeof(want)));
	CHECK_EQ(host_admin(h, 0, 0, 0, 0, 0), TOE_ST_NOTSUP);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MAC + 1, 0, 0, 0, 0), TOE_ST_NOTSUP);
	CHECK_EQ(host_admin(h, 255, 0, 0, 0, 0), TOE_ST_NOTSUP);
	host_destroy(h);
}

static void impossible_index_is_fatal(void)
{
	struct host *h = host_create(1, 16);

	h->admin.shadow[0].prod = 16 + 1;
	host_poll(h);
	CHECK(card_shm_get(&h->shm, TOE_REG_STATUS) & TOE_STATUS_FATAL);
	host_destroy(h);
}

/* Sixteen answers that nobody takes, and no command is read any more. */
static void a_full_ring_of_answers_stops_commands(void)
{
	struct host *h = host_create(1, 16);
	struct toe_admin_cmd cmd = { .op = TOE_ADMIN_MTU, .arg = 1500 };
	unsigned int i;

	for (i = 0; i < 32; i++) {
		memcpy(h->admin.ring[TOE_RING_SQ] + (i & 15) * 64, &cmd, 64);
		h->admin.shadow[0].prod = i + 1;
		host_poll(h);
	}
	CHECK(card_cq_is_held(&h->card.admin_cq));
	CHECK_EQ(h->card.admin_cq.prod, 16);
	CHECK_EQ(h->card.admin_sq.cons, 17);	/* sixteen, and one that is held */
	CHECK_EQ(h->admin.shadow[0].card_cons, 17);
	h->admin.shadow[1].host_cons = 16;
	host_poll(h);
	CHECK_EQ(h->card.admin_sq.cons, 32);
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(buffers_are_bounded),
	KIT_TEST(rings_are_bounded),
	KIT_TEST(rings_must_be_reachable),
	KIT_TEST(pairs_are_bounded),
	KIT_TEST(pairs_get_what_was_asked_for),
	KIT_TEST(receive_modes),
	KIT_TEST(rss_parameters),
	KIT_TEST(mtu_and_features),
	KIT_TEST(station_address),
	KIT_TEST(statistics_are_all_told),
	KIT_TEST(answers),
	KIT_TEST(impossible_index_is_fatal),
	KIT_TEST(a_full_ring_of_answers_stops_commands),
};
KIT_MAIN(tests)
