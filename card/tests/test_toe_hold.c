/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Frames between BEGIN and COMMIT: budgets, order, and that nothing of them is left. */
#include "../device/toe_ctx.h"
#include "toe_kit.h"

static uint8_t frame[2000];

static struct toe_conn holding(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };

	c.tid = toe_begin(c.h, &c.flow);
	return c;
}

static struct card_toe *toe(const struct toe_conn *c)
{
	return c->h->card.toe;
}

static struct toe_ctx *context(const struct toe_conn *c)
{
	return toe_ctx_by_tid(toe(c), c->tid);
}

static void held(const struct toe_conn *c, uint64_t frames, uint64_t dropped)
{
	CHECK_EQ(c->h->card.stats.toe_held_frames, frames);
	CHECK_EQ(c->h->card.stats.toe_held_dropped, dropped);
}

static void budgets(void)
{
	const uint32_t bytes = sizeof(struct toe_held) + 64;
	struct toe_conn c = holding();
	struct toe_ctx *x = context(&c);

	/* Its own: full but for this frame, then for one byte less. */
	x->held_bytes = TOE_HOLD_BYTES - bytes;
	toe_from_peer(&c, IRS, ISS, 0x18, "0123456789", 10);
	held(&c, 1, 0);
	CHECK_EQ(x->held_bytes, TOE_HOLD_BYTES);
	CHECK_EQ(toe(&c)->held_total, bytes);
	toe_from_peer(&c, IRS, ISS, 0x18, "0123456789", 10);
	held(&c, 1, 1);
	x->held_bytes = TOE_HOLD_BYTES - bytes + 1;
	toe_from_peer(&c, IRS, ISS, 0x18, "0123456789", 10);
	held(&c, 1, 2);
	x->held_bytes = bytes;
	/* That of all. */
	toe(&c)->held_total = TOE_HOLD_TOTAL - bytes + 1;
	toe_from_peer(&c, IRS, ISS, 0x18, "0123456789", 10);
	held(&c, 1, 3);
	toe(&c)->held_total = TOE_HOLD_TOTAL - bytes;
	toe_from_peer(&c, IRS, ISS, 0x18, "0123456789", 10);
	held(&c, 2, 3);
	CHECK_EQ(x->held_bytes, 2 * bytes);
	CHECK_EQ(toe(&c)->held_total, TOE_HOLD_TOTAL);
	toe(&c)->held_total = 2 * bytes;
	CHECK_EQ(TOE_HOLD_BYTES, 4u << 20);
	CHECK_EQ(TOE_HOLD_TOTAL, 64u << 20);
	host_destroy(c.h);
}

/* Each end of a hold gives the budget back, and that of others stays. */
static void budgets_are_given_back(void)
{
	unsigned int end, i;

	for (end = 0; end < 6; end++) {
		struct toe_conn c = holding();
		struct card_flow other = kit_flow(4, 80, 4001);
		struct toe_ctx *x = context(&c), *y;
		uint32_t tid = toe_begin(c.h, &other), bytes;

		y = toe_ctx_by_tid(toe(&c), tid);
		bytes = kit_tcp_frame(frame, &other, IRS, ISS, 0x10, "y", 1);
		peer_send(c.h, frame, bytes);
		host_poll(c.h);
		bytes += sizeof(struct toe_held);
		CHECK_EQ(y->held_bytes, bytes);
		for (i = 0; i < 3; i++)
			toe_from_peer(&c, IRS + i, ISS, 0x18, "x", 1);
		CHECK_EQ(x->held_bytes, 3 * bytes);
		CHECK_EQ(toe(&c)->held_total, 4 * bytes);
		toe_ctx_set_deadline(toe(&c), y, TE_NEVER);
		if (end == 0) {
			toe_op(&c, TOE_CMD_ABORT, 0);
		} else if (end == 1) {
			toe_op(&c, TOE_CMD_RECALL, 0);
		} else if (end == 2) {
			toe_commit(&c, c.tid, HOST_IOVA + 1);	/* refused */
		} else if (end == 3) {
			c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
			*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
			toe_commit(&c, c.tid, c.block);
			CHECK_EQ(x->state, TOE_CTX_ACTIVE);
		} else if (end == 4) {
			c.h->now += TOE_HOLD_US;
			host_poll(c.h);
		} else {
			y->pair = NULL;			/* on another pair, that is */
			CHECK_EQ(host_admin(c.h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), 0);
		}
		CHECK_EQ(toe(&c)->held_total, bytes);
		CHECK_EQ(x->held_bytes, 0);
		CHECK(STAILQ_EMPTY(&x->held));
		CHECK_EQ(x->state, end == 3 ? TOE_CTX_ACTIVE : TOE_CTX_FREE);
		CHECK_EQ(y->held_bytes, bytes);
		CHECK_EQ(y->state, TOE_CTX_HOLDING);
		CHECK_EQ(c.h->card.stats.toe_contexts, end == 3 ? 2 : 1);
		host_destroy(c.h);
	}
}

/* The completion of one of the held frames, as it would have been without a hold. */
static void goes_up(struct toe_conn *c, uint32_t seq, bool sound)
{
	struct toe_cqe cqe = host_expect(c->h, 0, TOE_CQE_RX);
	uint32_t len = kit_tcp_frame(frame, &c->flow, seq, ISS, 0x18, "x", 1);
	const uint8_t *seen = host_ptr(c->h, c->h->pair[0].rx_mem +
				       (uint64_t)cqe.rx.buf_id * HOST_RX_BYTES);

	if (!sound)
		frame[len - 1] ^= 1;
	CHECK_EQ(cqe.rx.len, len);
	CHECK_EQ(cqe.rx.tid, 0);
	CHECK_EQ(cqe.rx.hash, card_rss_flow(c->h->card.rss.key, &c->flow));
	CHECK_EQ(cqe.flags, TOE_RX_EOP | TOE_RX_HASH | TOE_RX_HASH_L4 |
		 (sound ? TOE_RX_CSUM_OK : 0));
	CHECK(!memcmp(seen, frame, len));
}

static void held_frames_go_up_as_they_came(void)
{
	unsigned int end, i;

	for (end = 0; end < 3; end++) {
		struct toe_conn c = holding();
		struct toe_cqe cqe;
		uint32_t len;

		CHECK_EQ(host_admin(c.h, TOE_ADMIN_FEATURES, TOE_FEATURE_RXCSUM, 0, 0, 0), 0);
		for (i = 0; i < 3; i++)
			toe_from_peer(&c, IRS + i, ISS, 0x18, "x", 1);
		len = kit_tcp_frame(frame, &c.flow, IRS + 3, ISS, 0x18, "x", 1);
		frame[len - 1] ^= 1;		/* damaged ones, too */
		peer_send(c.h, frame, len);
		host_poll(c.h);
		host_quiet(c.h, 0);
		held(&c, 4, 0);
		if (end == 1) {
			toe_op(&c, TOE_CMD_RECALL, 0);
			cqe = host_expect(c.h, 0, TOE_CQE_RECALLED);
			CHECK_EQ(cqe.recalled.tid, c.tid);
			CHECK_EQ(cqe.recalled.host_id, 77);
			CHECK_EQ(cqe.recalled.reason, TOE_REASON_HOST);
		} else if (end) {
			c.h->now += TOE_HOLD_US;
			host_poll(c.h);
		} else {
			toe_op(&c, TOE_CMD_ABORT, 0);
		}
		for (i = 0; i < 4; i++)
			goes_up(&c, IRS + i, i < 3);
		if (!end) {
			struct toe_cqe want = { .type = TOE_CQE_CMD, .phase = 1, .cmd = {
				.cookie = 9, .op = TOE_CMD_ABORT, .status = TOE_ST_OK,
				.tid = c.tid, .host_id = 77 } };

			cqe = host_expect(c.h, 0, TOE_CQE_CMD);
			CHECK(!memcmp(&cqe, &want, sizeof(want)));
		} else if (end == 2) {		/* the host is told, behind the frames */
			cqe = host_expect(c.h, 0, TOE_CQE_CLOSING);
			CHECK_EQ(cqe.closing.tid, c.tid);
			CHECK_EQ(cqe.closing.host_id, 77);
			CHECK_EQ(cqe.closing.reason, TOE_REASON_TIMEOUT);
			toe_commit(&c, c.tid, 0);	/* has crossed it */
			CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
		}
		host_quiet(c.h, 0);
		host_destroy(c.h);
	}
}

static void only_the_stations_own_frames_are_held(void)
{
	struct toe_conn c = holding();
	uint32_t len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "x", 1);

	frame[5] ^= 0x10;
	peer_send(c.h, frame, len);
	host_poll(c.h);
	held(&c, 0, 0);
	CHECK_EQ(c.h->card.stats.rx_filtered, 1);
	frame[5] ^= 0x10;
	peer_send(c.h, frame, len);
	host_poll(c.h);
	held(&c, 1, 0);
	host_destroy(c.h);
}

/* Damaged frames are counted once the engine should take them, and told of. */
static void damaged_frames_are_counted(void)
{
	struct toe_conn c = holding();
	struct toe_conn_block *b;
	uint32_t len, i;

	for (i = 0; i < 3; i++) {
		len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "data", 4);
		if (i)
			frame[len - i] ^= 1;
		peer_send(c.h, frame, len);
	}
	host_poll(c.h);
	CHECK_EQ(c.h->card.stats.toe_csum_bad, 0);
	c.block = host_alloc(c.h, sizeof(*b));
	b = host_ptr(c.h, c.block);
	b->state = toe_state(&c.flow);
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(c.h->card.stats.toe_csum_bad, 2);
	CHECK_EQ(c.h->card.stats.toe_rx_segs, 1);
	CHECK_EQ(c.h->card.stats.toe_rx_bytes, 4);
	toe_op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(b->stats.csum_errs, 2);
	CHECK_EQ(b->stats.ip_bytes_in, 3 * 44);
	CHECK_EQ(b->stats.segs_in, 1);
	CHECK_EQ(c.h->pair[0].shadow[TOE_RING_CQ].toe_rx_frames, 3);
	CHECK_EQ(c.h->pair[0].shadow[TOE_RING_CQ].toe_rx_bytes, 3 * 58);
	host_destroy(c.h);
}

/* One that fills the context again begins at zero. */
static void counters_begin_anew(void)
{
	struct toe_conn c = holding();
	struct toe_conn_block *b;
	unsigned int i;

	c.block = host_alloc(c.h, sizeof(*b));
	b = host_ptr(c.h, c.block);
	for (i = 0; i < 10; i++) {		/* eight contexts: some come back */
		uint32_t len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "data", 4);

		memset(b, 0, sizeof(*b));
		b->state = toe_state(&c.flow);
		toe_commit(&c, c.tid, c.block);
		peer_send(c.h, frame, len);
		frame[len - 1] ^= 1;
		peer_send(c.h, frame, len);
		host_poll(c.h);
		toe_op(&c, TOE_CMD_RECALL, 0);
		CHECK_EQ(b->stats.csum_errs, 1);
		CHECK_EQ(b->stats.ip_bytes_in, 88);
		CHECK_EQ(b->stats.ip_bytes_out, b->stats.segs_out * 40);
		CHECK_EQ(b->stats.segs_in, 1);
		host_expect(c.h, 0, TOE_CQE_CMD);
		host_expect(c.h, 0, TOE_CQE_DATA);
		host_expect(c.h, 0, TOE_CQE_RECALLED);
		host_quiet(c.h, 0);
		c.tid = toe_begin(c.h, &c.flow);
	}
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(budgets),
	KIT_TEST(budgets_are_given_back),
	KIT_TEST(held_frames_go_up_as_they_came),
	KIT_TEST(only_the_stations_own_frames_are_held),
	KIT_TEST(damaged_frames_are_counted),
	KIT_TEST(counters_begin_anew),
};
KIT_MAIN(tests)
