/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Contexts: tids and their generations, the tables, deadlines, and what is given back. */
#include "../device/toe.h"
#include "../device/toe_ctx.h"
#include "toe_kit.h"

#define MANY	300u

static struct card_flow flow(uint32_t i)
{
	return kit_flow(i & 1 ? 4 : 6, 80 + i / 1000, 1000 + i % 1000);
}

static struct toe_ctx *take(struct card_toe *t, uint32_t i)
{
	struct card_flow f = flow(i);

	return toe_ctx_alloc(t, &f);
}

static void generations_run_forwards(void)
{
	struct host *h = host_create(1, 4);
	struct card_toe *t = h->card.toe;
	struct toe_ctx *x;
	uint32_t i, gen;

	for (gen = 1; gen <= 0xfff + 3; gen++) {
		uint32_t want = (gen - 1) % 0xfff + 1;

		for (i = 0; i < 4; i++) {	/* the one that has been free for longest */
			x = take(t, i);
			CHECK(x);
			CHECK_EQ(x->tid, want << 20 | i);
			CHECK_EQ(x->index, i);
			CHECK_EQ(x->state, TOE_CTX_HOLDING);
			CHECK(toe_ctx_by_tid(t, x->tid) == x);
			CHECK(!toe_ctx_by_tid(t, x->tid ^ 0x100000));
			toe_ctx_free(t, x);
			CHECK(!toe_ctx_by_tid(t, want << 20 | i));
		}
	}
	host_destroy(h);
}

static void tids_are_bounded(void)
{
	struct host *h = host_create(1, 4);
	struct card_toe *t = h->card.toe;
	struct toe_ctx *x[4];
	uint32_t i;

	for (i = 0; i < 4; i++) {
		x[i] = take(t, i);
		CHECK(x[i] && x[i]->index == i);
		CHECK_EQ(h->card.stats.toe_contexts, i + 1);
		CHECK(toe_ctx_by_conn(t, x[i]->conn) == x[i]);
		CHECK(!((uintptr_t)x[i]->conn & 63));
	}
	CHECK(!take(t, 4));
	CHECK_EQ(h->card.stats.toe_contexts, 4);
	CHECK(toe_ctx_by_tid(t, x[3]->tid) == x[3]);
	CHECK(!toe_ctx_by_tid(t, x[3]->tid + 1));
	CHECK(!toe_ctx_by_tid(t, 0));
	CHECK(!toe_ctx_by_tid(t, UINT32_MAX));
	for (i = 0; i < 4; i++)
		toe_ctx_free(t, x[i]);
	CHECK_EQ(h->card.stats.toe_contexts, 0);
	host_destroy(h);
}

/* More flows than buckets: each is found as long as it's there. */
static void flows_are_found(void)
{
	struct host *h = host_create(1, MANY);
	struct card_toe *t = h->card.toe;
	struct toe_ctx *x[MANY];
	uint32_t i, j;

	CHECK(t->bucket_mask >= MANY - 1 && t->bucket_mask < 2 * MANY);
	CHECK_EQ(t->bucket_mask & (t->bucket_mask + 1), 0);
	t->bucket_mask = 31;			/* ten in each */
	for (i = 0; i < MANY; i++) {
		struct card_flow f = flow(i);

		CHECK(!toe_ctx_by_flow(t, &f));
		x[i] = take(t, i);
		CHECK(toe_ctx_by_flow(t, &f) == x[i]);
	}
	for (i = 0; i < MANY; i++) {
		uint32_t at = i * 7 % MANY;
		struct card_flow f = flow(at);

		CHECK(toe_ctx_by_flow(t, &f) == x[at]);
		toe_ctx_free(t, x[at]);
		x[at] = NULL;
		CHECK(!toe_ctx_by_flow(t, &f));
		for (j = i % 13; j < MANY; j += 13) {
			f = flow(j);
			CHECK(toe_ctx_by_flow(t, &f) == x[j]);
		}
	}
	host_destroy(h);
}

/* The seed chooses the places, and flows are spread over them. */
static void flows_are_spread(void)
{
	struct host *h = host_create(1, 256);
	struct card_toe *t = h->card.toe;
	uint32_t i, used = 0;

	for (i = 0; i < 256; i++)
		CHECK(take(t, i));
	CHECK_EQ(t->bucket_mask, 255);
	for (i = 0; i < 256; i++)
		used += t->buckets[i] != NULL;
	CHECK(used > 80);		/* of 162 that would be the average */
	host_destroy(h);
}

static void check_heap(const struct card_toe *t, uint32_t timers)
{
	uint32_t i;

	CHECK_EQ(t->heap_count, timers);
	for (i = 0; i < t->heap_count; i++) {
		CHECK_EQ(t->heap[i]->heap_pos, i);
		CHECK(t->heap[i]->deadline != TE_NEVER);
		if (i)
			CHECK(t->heap[(i - 1) / 2]->deadline <= t->heap[i]->deadline);
	}
}

static void deadlines_are_in_order(void)
{
	struct host *h = host_create(1, 64);
	struct card_toe *t = h->card.toe;
	struct toe_ctx *x[64];
	uint32_t i, n, timers = 0;
	uint64_t rng = 1, when;

	CHECK_EQ(card_toe_deadline(&h->card), UINT64_MAX);
	for (i = 0; i < 64; i++)
		x[i] = take(t, i);
	for (n = 0; n < 20000; n++) {
		rng = rng * 6364136223846793005u + 1442695040888963407u;
		i = rng >> 58;
		when = (rng >> 40) % 5 ? 1000 + (rng >> 32) % 500 : TE_NEVER;
		timers += (x[i]->deadline == TE_NEVER) - (when == TE_NEVER);
		toe_ctx_set_deadline(t, x[i], when);
		CHECK_EQ(x[i]->deadline, when);
		CHECK_EQ(x[i]->heap_pos == TOE_NO_HEAP, when == TE_NEVER);
		check_heap(t, timers);
		CHECK_EQ(card_toe_deadline(&h->card), timers ? t->heap[0]->deadline : UINT64_MAX);
	}
	for (i = 0; i < 64; i++) {
		timers -= x[i]->deadline != TE_NEVER;
		toe_ctx_free(t, x[i]);
		CHECK_EQ(x[i]->deadline, TE_NEVER);
		check_heap(t, timers);
	}
	host_destroy(h);
}

/* An earlier one goes up, an equal one stays, and no more is moved than needed. */
static void equal_deadlines_stay(void)
{
	struct host *h = host_create(1, 8);
	struct card_toe *t = h->card.toe;
	struct toe_ctx *x[8];
	uint32_t i;

	for (i = 0; i < 8; i++) {
		x[i] = take(t, i);
		toe_ctx_set_deadline(t, x[i], 100);
		CHECK_EQ(x[i]->heap_pos, i);
	}
	for (i = 0; i < 8; i++) {
		toe_ctx_set_deadline(t, x[i], 100);
		CHECK_EQ(x[i]->heap_pos, i);
	}
	toe_ctx_set_deadline(t, x[7], 99);
	CHECK_EQ(x[7]->heap_pos, 0);
	for (i = 3; i < 8; i++)
		toe_ctx_set_deadline(t, x[i], TE_NEVER);
	/* 100 above 200 and 300; then as late as the one below, then later. */
	toe_ctx_set_deadline(t, x[0], 100);
	toe_ctx_set_deadline(t, x[1], TE_NEVER);
	toe_ctx_set_deadline(t, x[2], TE_NEVER);
	toe_ctx_set_deadline(t, x[1], 200);
	toe_ctx_set_deadline(t, x[2], 300);
	toe_ctx_set_deadline(t, x[0], 200);
	CHECK_EQ(x[0]->heap_pos, 0);
	toe_ctx_set_deadline(t, x[2], 200);
	toe_ctx_set_deadline(t, x[0], 300);
	CHECK(x[1]->heap_pos == 0 && x[0]->heap_pos == 1 && x[2]->heap_pos == 2);
	host_destroy(h);
}

static unsigned int length(const struct toe_list *l, unsigned int which)
{
	const struct toe_ctx *x;
	unsigned int n = 0;

	for (x = TAILQ_FIRST(l); x; n++)
		x = which == 0 ? TAILQ_NEXT(x, out_entry) :
		    which == 1 ? TAILQ_NEXT(x, acked_entry) : TAILQ_NEXT(x, dirty_entry);
	return n;
}

/* What waits on a list waits once, and not beyond its context's end. */
static void lists_hold_each_once(void)
{
	struct host *h = host_create(1, 3);
	struct card_toe *t = h->card.toe;
	struct toe_ctx *x[3];
	unsigned int i, again;

	for (i = 0; i < 3; i++)
		x[i] = take(t, i);
	for (again = 0; again < 2; again++) {
		for (i = 0; i < 3; i++) {
			toe_ctx_want_output(t, x[i]);
			toe_ctx_want_acked(t, x[i]);
		}
		CHECK_EQ(length(&t->out, 0), 3);
		CHECK_EQ(length(&t->acked, 1), 3);
	}
	for (i = 0; i < 3; i++) {
		toe_ctx_free(t, x[(i + 1) % 3]);
		CHECK_EQ(length(&t->out, 0), 2 - i);
		CHECK_EQ(length(&t->acked, 1), 2 - i);
		CHECK(!x[(i + 1) % 3]->out_pending && !x[(i + 1) % 3]->acked_pending);
	}
	host_destroy(h);
}

static struct toe_ctx *context(const struct toe_conn *c)
{
	return toe_ctx_by_tid(c->h->card.toe, c->tid);
}

static void a_context_is_left_clean(void)
{
	struct toe_conn c = toe_established();
	struct card_toe *t = c.h->card.toe;
	struct toe_ctx *x = context(&c);
	uint64_t at = toe_fill(c.h, 100);

	toe_send(&c, ISS, at, 100, 0);
	CHECK(x->dirty && !TAILQ_EMPTY(&t->dirty));
	CHECK_EQ(t->frags_used, 1);
	CHECK_EQ(x->frag_count, 1);
	t->frags_used += 10;			/* of somebody else */
	toe_op(&c, TOE_CMD_RECALL, 0);
	host_expect(c.h, 0, TOE_CQE_RECALLED);
	CHECK_EQ(t->frags_used, 10);
	CHECK(!x->dirty && TAILQ_EMPTY(&t->dirty) && TAILQ_EMPTY(&t->out));
	CHECK(TAILQ_EMPTY(&t->acked));
	CHECK(!x->frags && !x->frag_count && !x->frag_size && !x->frag_head);
	CHECK_EQ(x->state, TOE_CTX_FREE);
	CHECK_EQ(t->heap_count, 0);
	t->frags_used = 0;
	host_destroy(c.h);
}

/* Statistics follow ten milliseconds after the first change, and the card wakes for it. */
static void statistics_are_written_in_time(void)
{
	struct toe_conn c = toe_established();
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct card_toe *t = c.h->card.toe;
	uint64_t due;

	host_sleep(c.h, 100000);
	CHECK(TAILQ_EMPTY(&t->dirty));
	toe_from_peer(&c, IRS, ISS, 0x18, "data", 4);
	due = t->dirty_at;
	CHECK(due > c.h->now + 9000 && due <= c.h->now + 10000);
	toe_ctx_set_deadline(t, context(&c), TE_NEVER);
	CHECK_EQ(card_toe_deadline(&c.h->card), due);
	c.h->now = due - 100;
	toe_from_peer(&c, IRS + 4, ISS, 0x18, "data", 4);
	CHECK_EQ(t->dirty_at, due);		/* a second change moves nothing */
	CHECK_EQ(b->stats.bytes_in, 0);
	card_poll(&c.h->card, due - 1);
	CHECK_EQ(b->stats.bytes_in, 0);
	card_poll(&c.h->card, due);
	CHECK_EQ(b->stats.bytes_in, 8);
	CHECK(TAILQ_EMPTY(&t->dirty));
	host_destroy(c.h);
}

/* A hold ends by itself after two seconds; so many at a time. */
static void forgotten_holds_end(void)
{
	struct host *h = host_create(1, MANY);
	uint32_t i;

	host_pair_up(h, 0, 1024);
	for (i = 0; i < MANY; i++) {
		struct card_flow f = flow(i);
		struct toe_cmd cmd = toe_begin_cmd(&f, i);

		host_submit(h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
	}
	h->now += 1000;
	for (i = 0; i < 5; i++)
		card_poll(&h->card, h->now);
	CHECK_EQ(h->card.stats.toe_contexts, MANY);
	CHECK_EQ(card_toe_deadline(&h->card), h->now + 2000000);
	card_poll(&h->card, h->now + 1999999);
	CHECK_EQ(h->card.stats.toe_contexts, MANY);
	card_poll(&h->card, h->now + 2000000);
	CHECK_EQ(h->card.stats.toe_contexts, MANY - 256);
	card_poll(&h->card, h->now + 2000000);
	CHECK_EQ(h->card.stats.toe_contexts, 0);
	CHECK_EQ(card_toe_deadline(&h->card), UINT64_MAX);
	host_destroy(h);
}

/* 64 commands a turn, in their order. */
static void a_turn_of_commands_is_bounded(void)
{
	struct host *h = host_create(1, MANY);
	uint32_t i;

	host_pair_up(h, 0, 256);
	for (i = 0; i < 100; i++) {
		struct card_flow f = flow(i);
		struct toe_cmd cmd = toe_begin_cmd(&f, i);

		host_submit(h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
	}
	card_poll(&h->card, ++h->now);
	CHECK_EQ(h->card.stats.toe_contexts, 64);
	card_poll(&h->card, ++h->now);
	CHECK_EQ(h->card.stats.toe_contexts, 100);
	for (i = 0; i < 100; i++)
		CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.host_id, i);
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(generations_run_forwards),
	KIT_TEST(tids_are_bounded),
	KIT_TEST(flows_are_found),
	KIT_TEST(flows_are_spread),
	KIT_TEST(deadlines_are_in_order),
	KIT_TEST(equal_deadlines_stay),
	KIT_TEST(lists_hold_each_once),
	KIT_TEST(a_context_is_left_clean),
	KIT_TEST(statistics_are_written_in_time),
	KIT_TEST(forgotten_holds_end),
	KIT_TEST(a_turn_of_commands_is_bounded),
};
KIT_MAIN(tests)
