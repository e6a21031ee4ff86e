/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * engine/runs.c: the scoreboard as a list of runs.  Round trip 16 ms, so what was
 * sent within 1 ms has one time.
 */
#include "engine_test.h"

static struct fixture *granular(void)
{
	struct fixture *f = prepare();

	f->st.srtt_us = 16000;
	f->st.snd_cwnd = 100000;
	start(f);
	assert_int_equal(te_granule(&f->c), 1000);
	return f;
}

/* The scoreboard is exactly this: ends of runs, offsets from SND, and their flags. */
struct expected {
	uint32_t end;
	uint8_t flags;
	te_time sent;
};

static void expect_runs(const struct fixture *f, const struct expected *x, uint32_t n)
{
	const struct te_run *r = f->c.run_head;
	uint32_t sacked = 0, lost = 0, retrans = 0;

	for (uint32_t i = 0; i < n; i++, r = r->next) {
		uint32_t len;

		assert_non_null(r);
		len = te_run_end(&f->c, r) - r->seq;
		assert_int_equal(te_run_end(&f->c, r) - SND, x[i].end);
		assert_int_equal(r->flags, x[i].flags);
		assert_int_equal(r->sent_us, (uint32_t)x[i].sent);
		sacked += r->flags & TE_RUN_SACKED ? len : 0;
		lost += r->flags & TE_RUN_LOST ? len : 0;
		retrans += r->flags & TE_RUN_RETRANS ? len : 0;
		assert_true(r->next || f->c.run_tail == r);
	}
	assert_null(r);
	assert_int_equal(f->c.sacked, sacked);
	assert_int_equal(f->c.lost, lost);
	assert_int_equal(f->c.retrans, retrans);
}

#define EXPECT_RUNS(f, ...) \
	do { \
		const struct expected x_[] = { __VA_ARGS__ }; \
		expect_runs(f, x_, sizeof(x_) / sizeof(x_[0])); \
	} while (0)

static void append(struct fixture *f, uint32_t len, te_time now)
{
	assert_true(te_runs_append(&f->eng, &f->c, len, now));
}

/* A run's time is that of its first byte; a granule later begins another. */
static void sent_together_is_one_run(void **state)
{
	struct fixture *f = granular();

	(void)state;
	append(f, 1000, T0);
	append(f, 1000, T0 + 1000);
	EXPECT_RUNS(f, { 2000, 0, T0 });
	append(f, 1000, T0 + 1001);
	append(f, 500, T0 + 2001);
	append(f, 1, T0 + 2002);
	EXPECT_RUNS(f, { 2000, 0, T0 }, { 3500, 0, T0 + 1001 }, { 3501, 0, T0 + 2002 });
	finish(f);
}

/* What has another fate than the last run isn't added to it. */
static void new_data_behind_marked_data(void **state)
{
	struct fixture *f = granular();

	(void)state;
	append(f, 1000, T0);
	te_runs_mark(&f->c, f->c.run_head, TE_RUN_EVER);
	append(f, 1000, T0);
	EXPECT_RUNS(f, { 1000, TE_RUN_EVER, T0 }, { 2000, 0, T0 });
	finish(f);
}

static void marks_are_accounted(void **state)
{
	struct fixture *f = granular();

	(void)state;
	append(f, 3000, T0);
	te_runs_mark(&f->c, f->c.run_head, TE_RUN_LOST);
	EXPECT_RUNS(f, { 3000, TE_RUN_LOST, T0 });
	te_runs_mark(&f->c, f->c.run_head, TE_RUN_LOST | TE_RUN_RETRANS);
	EXPECT_RUNS(f, { 3000, TE_RUN_LOST | TE_RUN_RETRANS, T0 });
	assert_int_equal(te_pipe(&f->c), 3000);
	te_runs_mark(&f->c, f->c.run_head, TE_RUN_SACKED | TE_RUN_EVER);
	EXPECT_RUNS(f, { 3000, TE_RUN_SACKED | TE_RUN_EVER, T0 });
	assert_int_equal(te_pipe(&f->c), 0);
	finish(f);
}

/* Three runs, each sent later than the one before by @step. */
static void three(struct fixture *f, uint8_t flags, te_time step)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct te_run *r = te_run_get(&f->eng, &f->c);

		r->next = NULL;
		r->seq = f->c.snd_max;
		r->sent_us = (uint32_t)(T0 + step * i);
		r->flags = 0;
		if (f->c.run_tail)
			f->c.run_tail->next = r;
		else
			f->c.run_head = r;
		f->c.run_tail = r;
		f->c.snd_max += 1000;
		te_runs_mark(&f->c, r, flags);
	}
}

/* What has arrived needs no time; its parts become one, with the oldest. */
static void sacked_runs_are_joined(void **state)
{
	struct fixture *f = granular();

	(void)state;
	three(f, TE_RUN_SACKED, 50000);
	te_runs_join(&f->eng, &f->c, TE_RUN_LOST);
	EXPECT_RUNS(f, { 1000, TE_RUN_SACKED, T0 }, { 2000, TE_RUN_SACKED, T0 + 50000 },
		    { 3000, TE_RUN_SACKED, T0 + 100000 });
	te_runs_join(&f->eng, &f->c, TE_RUN_SACKED);
	EXPECT_RUNS(f, { 3000, TE_RUN_SACKED, T0 });
	assert_int_equal(f->c.run_mask, 6);	/* given back */
	finish(f);
}

/* Lost runs within a granule, whichever is older; never retransmissions apart. */
static void lost_runs_are_joined_within_a_granule(void **state)
{
	const uint8_t again = TE_RUN_LOST | TE_RUN_RETRANS;
	struct fixture *f = granular();

	(void)state;
	three(f, TE_RUN_LOST, 600);
	f->c.run_head->next->sent_us -= 1600;	/* the second is a granule older */
	te_runs_join(&f->eng, &f->c, TE_RUN_LOST);
	EXPECT_RUNS(f, { 2000, TE_RUN_LOST, T0 - 1000 }, { 3000, TE_RUN_LOST, T0 + 1200 });
	finish(f);

	f = granular();
	three(f, TE_RUN_LOST, 1001);
	te_runs_join(&f->eng, &f->c, TE_RUN_LOST);
	EXPECT_RUNS(f, { 1000, TE_RUN_LOST, T0 }, { 2000, TE_RUN_LOST, T0 + 1001 },
		    { 3000, TE_RUN_LOST, T0 + 2002 });
	finish(f);

	f = granular();
	three(f, again, 1);
	f->c.run_tail->sent_us--;
	te_runs_join(&f->eng, &f->c, TE_RUN_LOST);
	EXPECT_RUNS(f, { 1000, again, T0 }, { 3000, again, T0 + 1 });
	finish(f);
}

static void other_flags_are_not_joined(void **state)
{
	struct fixture *f = granular();

	(void)state;
	three(f, TE_RUN_LOST, 0);
	te_runs_mark(&f->c, f->c.run_head->next, TE_RUN_LOST | TE_RUN_EVER);
	te_runs_join(&f->eng, &f->c, TE_RUN_LOST);
	EXPECT_RUNS(f, { 1000, TE_RUN_LOST, T0 }, { 2000, TE_RUN_LOST | TE_RUN_EVER, T0 },
		    { 3000, TE_RUN_LOST, T0 });
	finish(f);
}

static void split_in_the_middle_and_at_the_end(void **state)
{
	struct fixture *f = granular();
	struct te_run *r;

	(void)state;
	append(f, 3000, T0);
	te_runs_mark(&f->c, f->c.run_head, TE_RUN_LOST);
	r = te_runs_split(&f->eng, &f->c, f->c.run_head, SND + 1000);
	assert_ptr_equal(r, f->c.run_tail);
	EXPECT_RUNS(f, { 1000, TE_RUN_LOST, T0 }, { 3000, TE_RUN_LOST, T0 });
	te_runs_split(&f->eng, &f->c, f->c.run_head, SND + 1);
	assert_ptr_equal(r, f->c.run_tail);
	EXPECT_RUNS(f, { 1, TE_RUN_LOST, T0 }, { 1000, TE_RUN_LOST, T0 }, { 3000, TE_RUN_LOST, T0 });
	finish(f);
}

/* A segment's worth of what is lost, no more; not what was sent again already. */
static void gathering(void **state)
{
	struct fixture *f = granular();

	(void)state;
	three(f, TE_RUN_LOST, 0);
	te_runs_gather(&f->eng, &f->c, f->c.run_head, 1500);
	EXPECT_RUNS(f, { 1500, TE_RUN_LOST, T0 }, { 2000, TE_RUN_LOST, T0 },
		    { 3000, TE_RUN_LOST, T0 });
	te_runs_gather(&f->eng, &f->c, f->c.run_head, 1500);
	te_runs_gather(&f->eng, &f->c, f->c.run_head, 3000);
	EXPECT_RUNS(f, { 3000, TE_RUN_LOST, T0 });
	finish(f);

	f = granular();
	three(f, TE_RUN_LOST, 0);
	te_runs_mark(&f->c, f->c.run_head->next, TE_RUN_LOST | TE_RUN_RETRANS);
	te_runs_gather(&f->eng, &f->c, f->c.run_head, 3000);
	EXPECT_RUNS(f, { 1000, TE_RUN_LOST, T0 }, { 2000, TE_RUN_LOST | TE_RUN_RETRANS, T0 },
		    { 3000, TE_RUN_LOST, T0 });
	finish(f);
}

/* Segments sent again together are one run; the rest keeps its time. */
static void resending(void **state)
{
	const uint8_t again = TE_RUN_LOST | TE_RUN_RETRANS | TE_RUN_EVER;
	struct fixture *f = granular();
	struct te_run *r;

	(void)state;
	append(f, 3000, T0);
	r = f->c.run_head;
	te_runs_mark(&f->c, r, TE_RUN_LOST);
	te_runs_resend(&f->eng, &f->c, NULL, r, 1000, AT(50));
	EXPECT_RUNS(f, { 1000, again, AT(50) }, { 3000, TE_RUN_LOST, T0 });
	te_runs_resend(&f->eng, &f->c, r, r->next, 1000, AT(51));
	EXPECT_RUNS(f, { 2000, again, AT(50) }, { 3000, TE_RUN_LOST, T0 });
	te_runs_resend(&f->eng, &f->c, r, r->next, 1000, AT(52));
	EXPECT_RUNS(f, { 2000, again, AT(50) }, { 3000, again, AT(52) });
	finish(f);
}

/* An acknowledgement in the middle; times of the oldest and the newest byte. */
static void acknowledging(void **state)
{
	struct fixture *f = granular();
	struct te_acked a = { 0 };

	(void)state;
	three(f, 0, 10000);
	te_runs_ack(&f->eng, &f->c, SND + 1500, AT(100), &a);
	EXPECT_RUNS(f, { 2000, 0, T0 + 10000 }, { 3000, 0, T0 + 20000 });
	assert_int_equal(f->c.run_head->seq, SND + 1500);
	assert_int_equal(f->c.snd_una, SND + 1500);
	assert_true(a.sampled);
	assert_false(a.ambiguous);
	assert_int_equal(a.rtt_us, 100000);
	assert_int_equal(a.last_rtt_us, 90000);
	te_runs_mark(&f->c, f->c.run_head, TE_RUN_LOST | TE_RUN_RETRANS | TE_RUN_EVER);
	te_runs_mark(&f->c, f->c.run_tail, TE_RUN_SACKED);

	a = (struct te_acked){ 0 };
	te_runs_ack(&f->eng, &f->c, SND + 3000, AT(110), &a);
	assert_true(a.ambiguous);
	assert_false(a.sampled);	/* the one was sent twice, the other came before */
	assert_null(f->c.run_head);
	assert_null(f->c.run_tail);
	assert_int_equal(f->c.sacked + f->c.lost + f->c.retrans, 0);
	assert_int_equal(f->c.run_mask, 7);
	finish(f);
}

/* RFC 2018 8 */
static void forgetting(void **state)
{
	struct fixture *f = granular();

	(void)state;
	three(f, 0, 0);
	te_runs_mark(&f->c, f->c.run_head->next, TE_RUN_SACKED);
	te_runs_forget(&f->eng, &f->c);
	EXPECT_RUNS(f, { 3000, TE_RUN_LOST | TE_RUN_EVER, T0 });
	te_runs_clear(&f->eng, &f->c);
	assert_null(f->c.run_tail);
	assert_int_equal(f->c.lost, 0);
	f->c.snd_max = f->c.snd_una;
	finish(f);
}

/* Without memory for more runs times are joined, and give no sample then; what was
 * sent is remembered all the same.
 */
static void without_memory(void **state)
{
	struct fixture *f = granular();

	(void)state;
	f->eng.conn_runs = 0;
	for (uint32_t i = 0; i < 3; i++)
		append(f, 1000, T0 + 10000 * i);
	assert_int_equal(f->c.run_mask, 0);
	append(f, 1000, T0 + 30000);
	EXPECT_RUNS(f, { 3000, TE_RUN_EVER, T0 }, { 4000, 0, T0 + 30000 });
	finish(f);

	/* what is SACKed is forgotten last */
	f = granular();
	f->eng.conn_runs = 0;
	three(f, 0, 10000);
	te_runs_mark(&f->c, f->c.run_head->next, TE_RUN_SACKED);
	assert_true(te_runs_room(&f->eng, &f->c));
	EXPECT_RUNS(f, { 3000, TE_RUN_EVER, T0 });
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sent_together_is_one_run),
		cmocka_unit_test(new_data_behind_marked_data),
		cmocka_unit_test(marks_are_accounted),
		cmocka_unit_test(sacked_runs_are_joined),
		cmocka_unit_test(lost_runs_are_joined_within_a_granule),
		cmocka_unit_test(other_flags_are_not_joined),
		cmocka_unit_test(split_in_the_middle_and_at_the_end),
		cmocka_unit_test(gathering),
		cmocka_unit_test(resending),
		cmocka_unit_test(acknowledging),
		cmocka_unit_test(forgetting),
		cmocka_unit_test(without_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_runs", tests, NULL, NULL);
}
