/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * engine/state.c under way: a transfer during which each end is exported,
 * forgotten and imported again at every step.  What is exported must be what was
 * imported, and every byte must arrive once.
 */
#include "engine_test.h"

#define FRAMES		512
#define POOL		(64 * 1024)
/* Without timestamps what was moved gives no round trip: the backoff stays. */
#define LIMIT		(36000 * TE_SEC)

struct frame {
	te_time at;
	struct te_out h;
	uint32_t to;
	bool used;
};

struct end {
	struct te_engine eng;
	struct te_conn c;
	struct transfer *t;
	uint8_t *pool;
	uint32_t isn, peer_isn;
	uint32_t total, acked;		/* of ours, offsets */
	uint32_t placed, read, edge;	/* of the peer's, offsets */
	te_time read_at;
};

struct transfer {
	struct end end[2];
	struct frame frame[FRAMES];
	uint64_t rng;
	te_time now;
	uint32_t loss, late;		/* per mille */
	uint32_t buf;
	te_time read_gap;
	bool hold;			/* no moves: the same without them must work too */
	uint32_t moves, in_recovery, in_loss, closed, armed;
};

static uint32_t roll(struct transfer *t, uint32_t n)
{
	t->rng ^= t->rng << 13;
	t->rng ^= t->rng >> 7;
	t->rng ^= t->rng << 17;
	return (uint32_t)(t->rng >> 16) % n;
}

static uint32_t take(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
		     uint32_t len, bool push)
{
	struct end *e = ctx;

	(void)push;
	assert_ptr_equal(c, &e->c);
	assert_int_equal(seq - e->peer_isn, e->placed);
	assert_true(e->placed + len <= e->edge);
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != stream_byte(seq + i))
			fail_msg("byte %u is wrong", e->placed + i);
	e->placed += len;
	if (e->read_at == TE_NEVER)
		e->read_at = e->t->now + e->t->read_gap;
	return len;
}

static const struct te_ops take_ops = { .place = take };

static void note(struct transfer *t, const struct te_conn *c)
{
	t->moves++;
	t->in_recovery += c->ca_state == TOE_CA_RECOVERY;
	t->in_loss += c->ca_state == TOE_CA_LOSS;
	t->closed += !c->snd_wnd;
	t->armed += c->rtx_at != TE_NEVER;
}

/* Out, and in again. */
static void move(struct end *e)
{
	struct transfer *t = e->t;
	struct min_tcp out, again;

	if (t->hold)
		return;
	note(t, &e->c);
	te_export(&e->c, &out, t->now);
	if (e->c.leave) {	/* the host has more patience */
		assert_int_equal(te_leave_reason(&e->c), TOE_REASON_TIMEOUT);
		out.backoff = 5;
		out.probes = 0;
	}
	te_release(&e->eng, &e->c);
	assert_int_equal(e->eng.blocks_used + e->eng.runs_used, 0);
	memset(&e->c, 0xa5, sizeof(e->c));
	assert_int_equal(te_import(&e->eng, &e->c, &out, t->now), 0);
	te_export(&e->c, &again, t->now);
	assert_memory_equal(&out, &again, sizeof(out));
	assert_int_equal(te_rcv_nxt(&e->c) - e->peer_isn, e->placed);
	te_post(&e->c, e->isn + e->total, true, t->now);
	te_credit(&e->c, e->peer_isn + e->edge, t->now);
}

static void transmit(struct transfer *t, struct end *e, const struct te_out *h)
{
	if (roll(t, 1000) < t->loss)
		return;
	for (struct frame *f = t->frame; f < t->frame + FRAMES; f++) {
		if (f->used)
			continue;
		f->used = true;
		f->h = *h;
		f->to = e == &t->end[0];
		f->at = t->now + MS(10) + (roll(t, 1000) < t->late ? MS(roll(t, 20)) : 0);
		return;
	}
}

/* What the engine wants to send, a move after each.  Before the first only now and
 * then: the delay of an acknowledgement that is owed begins anew, so an end that
 * always moved before it could answer would never do.
 */
static void output(struct end *e)
{
	struct te_out h;

	e->acked = te_snd_una(&e->c) - e->isn;
	if (e->c.leave || roll(e->t, 2))
		move(e);
	while (te_output(&e->eng, &e->c, &h, e->t->now)) {
		transmit(e->t, e, &h);
		move(e);
	}
	move(e);
}

static void deliver(struct transfer *t, struct frame *f)
{
	struct end *e = &t->end[f->to];
	uint8_t data[1500];
	struct te_seg seg = {
		.seq = f->h.seq, .ack = f->h.ack, .wnd = f->h.wnd, .flags = f->h.flags,
		.opts = f->h.opts, .opt_len = f->h.opt_len, .data = data, .len = f->h.len,
	};

	for (uint32_t i = 0; i < seg.len; i++)
		data[i] = stream_byte(seg.seq + i);
	te_input(&e->eng, &e->c, &seg, t->now);
	f->used = false;
	output(e);
}

static void read_all(struct end *e)
{
	e->read = e->placed;
	e->edge = e->read + e->t->buf;
	e->read_at = TE_NEVER;
	te_credit(&e->c, e->peer_isn + e->edge, e->t->now);
}

static te_time due(const struct end *e)
{
	te_time at = te_deadline(&e->c);

	return at < e->read_at ? at : e->read_at;
}

static void step(struct transfer *t)
{
	struct frame *next = NULL;
	te_time at = TE_NEVER;
	struct end *e;

	for (struct frame *f = t->frame; f < t->frame + FRAMES; f++)
		if (f->used && f->at < at) {
			next = f;
			at = f->at;
		}
	e = due(&t->end[1]) < due(&t->end[0]) ? &t->end[1] : &t->end[0];
	if (due(e) < at) {
		t->now = due(e) > t->now ? due(e) : t->now;
		if (e->read_at <= t->now)
			read_all(e);
		te_timeout(&e->eng, &e->c, t->now);
		output(e);
		return;
	}
	assert_non_null(next);
	t->now = at > t->now ? at : t->now;
	deliver(t, next);
}

static void begin(struct transfer *t, int i, uint8_t flags, uint32_t total)
{
	struct end *e = &t->end[i];
	struct te_config cfg = {
		.ops = &take_ops, .ctx = e, .pool_bytes = POOL, .conn_pool_bytes = POOL,
	};
	struct min_tcp st = {
		.family = 4, .flags = flags, .mss = 1000, .snd_wnd = t->buf, .max_window = t->buf,
		.snd_ssthresh = TE_SSTHRESH_INF, .cong = (uint8_t)i, .ts_val = 77,
	};

	e->t = t;
	e->isn = i ? 0xfffff000 : 1000;
	e->peer_isn = i ? 1000 : 0xfffff000;
	e->total = total;
	e->edge = t->buf;
	e->read_at = TE_NEVER;
	e->pool = aligned_alloc(64, POOL);
	cfg.pool = e->pool;
	assert_int_equal(te_engine_init(&e->eng, &cfg), 0);
	st.snd_una = st.snd_nxt = st.snd_max = e->isn;
	st.snd_wl1 = st.rcv_nxt = e->peer_isn;
	st.rcv_adv = e->peer_isn + t->buf;
	st.ts_recent = 77;
	assert_int_equal(te_import(&e->eng, &e->c, &st, t->now), 0);
	te_post(&e->c, e->isn + e->total, true, t->now);
	output(e);
}

static void transfer(struct transfer *t, uint8_t flags)
{
	t->rng = 88172645463325252ull + flags;
	t->now = T0;
	begin(t, 0, flags, 60000);
	begin(t, 1, flags, 20000);
	while (t->end[0].acked < 60000 || t->end[1].acked < 20000) {
		step(t);
		assert_true(t->now < T0 + LIMIT);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(t->end[!i].placed, t->end[i].total);
		te_release(&t->end[i].eng, &t->end[i].c);
		free(t->end[i].pool);
	}
}

static const uint8_t all_flags[] = {
	0, TOE_MT_SACK, TOE_MT_TSTAMP, TOE_MT_SACK | TOE_MT_TSTAMP | TOE_MT_ECN,
	TOE_MT_SACK | TOE_MT_TSTAMP | TOE_MT_NODELAY,
};

static void each(const struct transfer *like, struct transfer *sum)
{
	for (size_t i = 0; i < sizeof(all_flags); i++) {
		struct transfer *t = malloc(sizeof(*t));

		*t = *like;
		transfer(t, all_flags[i]);
		sum->moves += t->moves;
		sum->in_recovery += t->in_recovery;
		sum->in_loss += t->in_loss;
		sum->closed += t->closed;
		sum->armed += t->armed;
		free(t);
	}
}

static void every_step_of_a_clean_transfer(void **state)
{
	struct transfer like = { .buf = 60000 }, sum = { 0 };

	(void)state;
	each(&like, &sum);
	assert_true(sum.moves > 1000 && sum.armed > 500);
}

static void every_step_with_losses_and_reordering(void **state)
{
	struct transfer like = { .buf = 60000, .loss = 50, .late = 100 }, sum = { 0 };

	(void)state;
	each(&like, &sum);
	assert_true(sum.in_recovery > 0 && sum.in_loss > 100);
}

static void every_step_when_every_third_is_lost(void **state)
{
	struct transfer like = { .buf = 30000, .loss = 330 }, sum = { 0 };

	(void)state;
	each(&like, &sum);
	assert_true(sum.in_loss > 100);
}

static void every_step_with_a_slow_reader(void **state)
{
	struct transfer like = { .buf = 3000, .loss = 20, .read_gap = MS(700) }, sum = { 0 };

	(void)state;
	each(&like, &sum);
	assert_true(sum.closed > 100);
}

static void the_same_without_moving(void **state)
{
	struct transfer like = { .buf = 60000, .loss = 50, .late = 100, .hold = true };
	struct transfer sum = { 0 };

	(void)state;
	each(&like, &sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_of_a_clean_transfer),
		cmocka_unit_test(every_step_with_losses_and_reordering),
		cmocka_unit_test(every_step_when_every_third_is_lost),
		cmocka_unit_test(every_step_with_a_slow_reader),
		cmocka_unit_test(the_same_without_moving),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_move", tests, NULL, NULL);
}
