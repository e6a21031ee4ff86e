/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Rings by themselves: wrap, full, broken, out of reach; phases, holding back, events. */
#include "kit.h"

#define AT	UINT64_C(0x10000)
#define SHADOW	(AT + 0x8000)
#define SIZE	16u

static struct {
	uint8_t slots[0x8000];
	struct toe_shadow shadow;
} m __attribute__((aligned(64)));

static struct card_dma d;

static void fresh(void)
{
	memset(&d, 0, sizeof(d));
	memset(&m, 0, sizeof(m));
	CHECK(!card_dma_add(&d, AT, sizeof(m.slots), m.slots, 3, false));
	CHECK(!card_dma_add(&d, SHADOW, sizeof(m.shadow), &m.shadow, 3, false));
}

/* A ring of 4-byte entries that has come as far as @index; each names its slot. */
static struct card_sq sq(uint32_t index)
{
	struct card_sq q;
	uint32_t i;

	fresh();
	card_sq_init(&q, &d, AT, SHADOW, SIZE, 4);
	for (i = 0; i < SIZE; i++)
		memcpy(m.slots + 4 * i, &i, 4);
	q.cons = q.prod = q.published = index;
	m.shadow.prod = m.shadow.card_cons = index;
	return q;
}

static void slots_come_in_order_and_wrap(void)
{
	uint32_t start, i, val;
	struct card_sq q;

	for (start = UINT32_MAX - 40; start != 40; start++) {
		q = sq(start);
		CHECK_EQ(card_sq_pending(&q), 0);
		CHECK(!card_sq_pop(&q, &val));
		m.shadow.prod = start + SIZE;		/* full */
		CHECK_EQ(card_sq_pending(&q), SIZE);
		for (i = 0; i < SIZE; i++) {
			CHECK(card_sq_peek(&q, SIZE - 1 - i, &val));
			CHECK_EQ(val, (start + SIZE - 1) % SIZE);
			CHECK(!card_sq_peek(&q, SIZE - i, &val));
			CHECK(card_sq_pop(&q, &val));
			CHECK_EQ(val, (start + i) % SIZE);
			CHECK_EQ(q.cons, start + i + 1);
		}
		CHECK(!card_sq_pop(&q, &val));
		CHECK(!q.broken);
	}
}

/* The host's index costs a look into its memory: only when what is known is used up. */
static void index_is_loaded_late(void)
{
	struct card_sq q = sq(0);
	uint32_t val;

	m.shadow.prod = 2;
	CHECK_EQ(card_sq_pending(&q), 2);
	m.shadow.prod = 5;
	CHECK_EQ(card_sq_pending(&q), 2);
	CHECK(card_sq_pop(&q, &val) && card_sq_pop(&q, &val));
	CHECK_EQ(card_sq_pending(&q), 3);
	m.shadow.prod = 6;
	CHECK(card_sq_peek(&q, 3, &val));		/* asked for more than is known */
	CHECK_EQ(val, 5);
	CHECK_EQ(card_sq_pending(&q), 4);
	m.shadow.prod = 9;
	CHECK_EQ(card_sq_seen(&q), 9);
	CHECK_EQ(card_sq_pending(&q), 7);
}

static void is_broken(struct card_sq *q)
{
	uint32_t val;

	CHECK(q->broken);
	m.shadow.prod = q->cons + 1;			/* too late */
	m.shadow.card_event = 99;
	CHECK_EQ(card_sq_pending(q), 0);
	CHECK(!card_sq_pop(q, &val));
	CHECK(!card_sq_peek(q, 0, &val));
	CHECK_EQ(card_sq_seen(q), q->prod);
	CHECK(!card_sq_arm(q, q->cons));
	CHECK_EQ(m.shadow.card_event, 99);
	CHECK(q->broken);
}

static void impossible_index_breaks_the_ring(void)
{
	static const uint32_t bad[] = { SIZE + 1, 1000, UINT32_MAX };
	struct card_sq q;
	uint32_t i, val;

	for (i = 0; i < 3; i++) {
		q = sq(7);				/* nothing known */
		m.shadow.prod = 7 + bad[i];
		CHECK_EQ(card_sq_pending(&q), 0);
		is_broken(&q);
		q = sq(7);				/* one slot known */
		m.shadow.prod = 8;
		CHECK_EQ(card_sq_pending(&q), 1);
		m.shadow.prod = 7 + bad[i];
		CHECK(!card_sq_peek(&q, 1, &val));
		is_broken(&q);
		q = sq(7);
		m.shadow.prod = 7 + bad[i];
		CHECK_EQ(card_sq_seen(&q), 7);
		is_broken(&q);
		q = sq(7);
		m.shadow.prod = 7 + bad[i];
		CHECK(!card_sq_arm(&q, 7));
		is_broken(&q);
	}
	q = sq(7);
	m.shadow.prod = 7 + SIZE;			/* the last possible one */
	CHECK_EQ(card_sq_seen(&q), 7 + SIZE);
	CHECK(!q.broken);
}

static void rings_out_of_reach(void)
{
	struct card_sq q = sq(0);
	uint32_t val;

	m.shadow.prod = 2;
	CHECK_EQ(card_sq_pending(&q), 2);
	card_dma_del(&d, AT, sizeof(m.slots));
	CHECK(!card_sq_peek(&q, 0, &val));
	CHECK(!card_sq_pop(&q, &val));
	CHECK_EQ(q.cons, 0);
	CHECK_EQ(d.errors, 2);
	q = sq(0);
	m.shadow.prod = 2;
	card_dma_del(&d, SHADOW, sizeof(m.shadow));
	CHECK_EQ(card_sq_pending(&q), 0);
	CHECK(!card_sq_peek(&q, 0, &val));
	CHECK_EQ(card_sq_seen(&q), 0);
	CHECK(!card_sq_arm(&q, 0));
	CHECK(!q.broken);
}

static void rings_that_were_never_made(void)
{
	struct card_sq q = { 0 };
	struct toe_cqe cqe = { .type = TOE_CQE_RX };
	struct card_cq c = { 0 };

	fresh();
	q.dma = c.dma = &d;
	q.shadow = c.shadow = SHADOW;
	m.shadow.prod = 1;
	q.cons = 1;
	CHECK_EQ(card_sq_pending(&q), 0);
	CHECK_EQ(card_sq_seen(&q), 0);
	CHECK(!card_sq_arm(&q, 0));
	card_sq_publish(&q);
	CHECK_EQ(m.shadow.card_cons, 0);
	CHECK_EQ(card_cq_room(&c), 0);
	CHECK_EQ(card_cq_post(&c, &cqe, 1), 0);
	CHECK(!card_cq_is_held(&c));
	c.prod = 1;
	CHECK(!card_cq_flush(&c));
	CHECK_EQ(d.errors, 0);
}

static void slots_are_given_back(void)
{
	struct card_sq q = sq(5);
	uint32_t val;

	m.shadow.prod = 8;
	CHECK(card_sq_pop(&q, &val) && card_sq_pop(&q, &val));
	CHECK_EQ(m.shadow.card_cons, 5);
	card_sq_publish(&q);
	CHECK_EQ(m.shadow.card_cons, 7);
	m.shadow.card_cons = 99;			/* nothing new: not written again */
	card_sq_publish(&q);
	CHECK_EQ(m.shadow.card_cons, 99);
	CHECK(card_sq_pop(&q, &val));
	card_sq_publish(&q);
	CHECK_EQ(m.shadow.card_cons, 8);
}

static void arming_asks_for_a_doorbell(void)
{
	struct card_sq q = sq(5);

	CHECK(!card_sq_arm(&q, 5));
	CHECK_EQ(m.shadow.card_event, 5);
	m.shadow.prod = 6;
	CHECK(card_sq_arm(&q, 5));
	CHECK_EQ(m.shadow.card_event, 5);
	/* The slots up to 6 are no work by themselves. */
	CHECK(!card_sq_arm(&q, 6));
	CHECK_EQ(m.shadow.card_event, 6);
	m.shadow.prod = 7;
	CHECK(card_sq_arm(&q, 6));
}

static struct card_cq cq(uint32_t index)
{
	struct card_cq q;
	uint32_t i;

	fresh();
	card_cq_init(&q, &d, AT, SHADOW, SIZE);
	for (i = 0; i < SIZE; i++)	/* phases of the pass before */
		((struct toe_cqe *)m.slots)[i].phase = (index - SIZE + i) & SIZE ? 0 : 1;
	q.prod = q.cons = q.signalled = index;
	m.shadow.host_cons = index;
	m.shadow.host_event = index + 0x1000;
	return q;
}

static struct toe_cqe numbered(uint32_t n)
{
	struct toe_cqe cqe = { .type = n % 10 + 1, .flags = n * 3, .phase = 0xff };

	memset(cqe.raw, n, sizeof(cqe.raw));
	memcpy(cqe.raw, &n, 4);
	memset(cqe.rsvd1, n, sizeof(cqe.rsvd1));
	return cqe;
}

static bool is_there(uint32_t index, uint32_t n)
{
	const struct toe_cqe *e = (struct toe_cqe *)m.slots + index % SIZE;
	struct toe_cqe want = numbered(n);

	want.phase = index & SIZE ? 0 : TOE_CQE_PHASE;
	return !memcmp(e, &want, sizeof(want));
}

static void entries_have_phases(void)
{
	uint32_t start, i;
	struct toe_cqe e;
	struct card_cq q;

	for (start = UINT32_MAX - 20; start != 20; start++) {
		q = cq(start);
		for (i = 0; i < 3 * SIZE; i++) {
			e = numbered(i);
			CHECK(!is_there(start + i, i));
			CHECK_EQ(card_cq_post(&q, &e, 1), 0);
			CHECK(is_there(start + i, i));
			CHECK_EQ(q.prod, start + i + 1);
			m.shadow.host_cons = q.prod;
		}
		CHECK(!card_cq_is_held(&q));
	}
}

static void room_is_what_the_host_gave_back(void)
{
	struct toe_cqe e = numbered(1);
	struct card_cq q = cq(100);
	uint32_t i;

	for (i = 0; i < SIZE; i++) {
		CHECK_EQ(card_cq_room(&q), SIZE - i);
		CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	}
	CHECK_EQ(card_cq_room(&q), 0);
	m.shadow.host_cons = 103;
	CHECK_EQ(card_cq_room(&q), 3);
	m.shadow.host_cons = 116;
	CHECK_EQ(card_cq_room(&q), SIZE);
	/* Beyond what was posted, or further back than the ring is long. */
	q = cq(100);
	q.prod = 116;
	m.shadow.host_cons = 117;
	CHECK_EQ(card_cq_room(&q), 0);
	m.shadow.host_cons = 99;
	CHECK_EQ(card_cq_room(&q), 0);
	CHECK_EQ(q.cons, 100);
	m.shadow.host_cons = 110;
	CHECK_EQ(card_cq_room(&q), 10);
	/* Out of reach: no room, though there might be some. */
	q.prod = 110 + SIZE / 2;
	card_dma_del(&d, SHADOW, sizeof(m.shadow));
	CHECK_EQ(card_cq_room(&q), 0);
	q.prod--;					/* less than half: not looked at */
	CHECK_EQ(card_cq_room(&q), SIZE / 2 + 1);
}

/* Hold back @n, let the host take @taken at a time; all come, in order, once. */
static void hold_back(uint32_t n, uint32_t taken, uint32_t more)
{
	struct card_cq q = cq(3);
	uint32_t posted = 0, seen = 0, turn;
	struct toe_cqe e;

	for (turn = 0; seen < n; turn++) {
		/* A few at a time, so that the list of those held goes round. */
		uint32_t now = turn ? more : SIZE + more;

		for (; now && posted < n; now--) {
			e = numbered(posted++);
			CHECK_EQ(card_cq_post(&q, &e, 1000 + turn), 0);
		}
		CHECK(q.prod - m.shadow.host_cons <= SIZE);
		CHECK_EQ(q.held_count, posted - (q.prod - 3));
		if (!turn) {
			CHECK_EQ(q.held_count, more);
			CHECK_EQ(q.held_since, 1000);
			CHECK_EQ(card_cq_room(&q), 0);
		}
		for (now = taken; now && seen < q.prod - 3; now--, seen++)
			CHECK(is_there(3 + seen, seen));
		m.shadow.host_cons = 3 + seen;
		card_cq_flush(&q);
		CHECK(posted - seen < SIZE || q.prod - m.shadow.host_cons == SIZE);
	}
	CHECK(!card_cq_is_held(&q));
	card_cq_uninit(&q);
	CHECK(!q.size && !q.held && !q.held_count);
}

static void held_completions_keep_their_order(void)
{
	hold_back(60, 1, 5);
	hold_back(1000, 3, 4);
	hold_back(1000, 5, 7);
	hold_back(500, 16, 64);
	hold_back(500, 7, 65);
	hold_back(300, 2, 129);
}

static void holding_begins_anew(void)
{
	struct toe_cqe e = numbered(1);
	struct card_cq q = cq(0);
	uint32_t i;

	for (i = 0; i < SIZE + 2; i++)
		CHECK_EQ(card_cq_post(&q, &e, 100 + i), 0);
	CHECK_EQ(q.held_since, 100 + SIZE);		/* the first of them */
	m.shadow.host_cons = 5;
	card_cq_flush(&q);
	CHECK(!card_cq_is_held(&q));
	for (i = 0; i < 5; i++)
		CHECK_EQ(card_cq_post(&q, &e, 500 + i), 0);
	CHECK_EQ(q.held_since, 503);
	/* There is room again, but those that wait go first. */
	m.shadow.host_cons = 9;
	CHECK_EQ(card_cq_room(&q), 0);
	CHECK_EQ(card_cq_post(&q, &e, 600), 0);
	CHECK_EQ(q.held_count, 3);
	card_cq_flush(&q);
	CHECK_EQ(q.held_count, 0);
	for (i = 0; i < 3; i++)
		CHECK_EQ(card_cq_post(&q, &e, 700), 0);
	/* A slot out of reach keeps what is held. */
	m.shadow.host_cons = 12;
	card_dma_del(&d, AT, sizeof(m.slots));
	card_cq_flush(&q);
	CHECK_EQ(q.held_count, 2);
	CHECK_EQ(q.prod, 9 + SIZE);
	card_cq_uninit(&q);
}

static void unreachable_slots_are_not_used_up(void)
{
	struct toe_cqe e = numbered(1);
	struct card_cq q = cq(0);

	card_dma_del(&d, AT, sizeof(m.slots));
	CHECK_EQ(card_cq_post(&q, &e, 1), -1);
	CHECK_EQ(q.prod, 0);
	CHECK(!card_cq_is_held(&q));
	CHECK_EQ(d.errors, 1);
}

static void interrupts_when_the_event_is_passed(void)
{
	struct toe_cqe e = numbered(1);
	struct card_cq q = cq(10);

	m.shadow.host_event = 10;
	CHECK(!card_cq_flush(&q));			/* nothing is new */
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK(card_cq_flush(&q));
	CHECK(!card_cq_flush(&q));			/* once */
	m.shadow.host_event = 13;
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK(!card_cq_flush(&q));			/* 11 and 12 */
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK(card_cq_flush(&q));
	m.shadow.host_event = 13;			/* long past */
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK(!card_cq_flush(&q));
	m.shadow.host_event = 16;
	card_dma_del(&d, SHADOW, sizeof(m.shadow));
	CHECK_EQ(card_cq_post(&q, &e, 1), 0);
	CHECK(!card_cq_flush(&q));			/* nobody can say what is wanted */
}

static void counters_are_told_in_order(void)
{
	const uint64_t val[4] = { 1, UINT64_C(1) << 40, 3, UINT64_MAX };
	struct card_cq q = cq(0);

	memset(&m.shadow, 0x5a, sizeof(m.shadow));
	card_cq_counters(&q, val);
	CHECK_EQ(m.shadow.toe_rx_frames, val[0]);
	CHECK_EQ(m.shadow.toe_rx_bytes, val[1]);
	CHECK_EQ(m.shadow.toe_tx_frames, val[2]);
	CHECK_EQ(m.shadow.toe_tx_bytes, val[3]);
	CHECK_EQ(m.shadow.rsvd1[0], 0x5a5a5a5a);
	CHECK_EQ(m.shadow.card_event, 0x5a5a5a5a);
	card_dma_del(&d, SHADOW, sizeof(m.shadow));
	card_cq_counters(&q, val);
	CHECK_EQ(d.errors, 1);
}

static const struct kit_test tests[] = {
	KIT_TEST(slots_come_in_order_and_wrap),
	KIT_TEST(index_is_loaded_late),
	KIT_TEST(impossible_index_breaks_the_ring),
	KIT_TEST(rings_out_of_reach),
	KIT_TEST(rings_that_were_never_made),
	KIT_TEST(slots_are_given_back),
	KIT_TEST(arming_asks_for_a_doorbell),
	KIT_TEST(entries_have_phases),
	KIT_TEST(room_is_what_the_host_gave_back),
	KIT_TEST(held_completions_keep_their_order),
	KIT_TEST(holding_begins_anew),
	KIT_TEST(unreachable_slots_are_not_used_up),
	KIT_TEST(interrupts_when_the_event_is_passed),
	KIT_TEST(counters_are_told_in_order),
};
KIT_MAIN(tests)
