/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/rtt.c: RFC 6298 in numbers, the shortest round trip, who gives a sample. */
#include "engine_test.h"

#define expect_rtt(f, srtt, rttvar, rto) \
	do { \
		assert_int_equal((f)->c.srtt8_us >> 3, srtt); \
		assert_int_equal((f)->c.rttvar4_us >> 2, rttvar); \
		assert_int_equal((f)->c.rto_us, rto); \
	} while (0)

/* 2.2 and 2.3; the variance term of the timeout is 200 ms at least. */
static void samples_one_after_the_other(void **state)
{
	struct fixture *f = started();

	(void)state;
	te_rtt_sample(&f->c, 40000);
	expect_rtt(f, 40000, 20000, 240000);
	te_rtt_sample(&f->c, 40000);
	expect_rtt(f, 40000, 15000, 240000);
	te_rtt_sample(&f->c, 120000);
	expect_rtt(f, 50000, 31250, 250000);
	te_rtt_sample(&f->c, 10000);
	expect_rtt(f, 45000, 33437, 245000);
	te_rtt_sample(&f->c, 400000);
	expect_rtt(f, 89375, 113828, 544688);
	finish(f);
}

static void samples_at_the_bounds(void **state)
{
	struct fixture *f = started();

	(void)state;
	te_rtt_sample(&f->c, 0);
	assert_int_equal(f->c.srtt8_us, 8);
	assert_int_equal(f->c.rttvar4_us, 2);
	assert_int_equal(f->c.rto_us, 200001);
	finish(f);

	f = started();
	te_rtt_sample(&f->c, UINT32_MAX);
	expect_rtt(f, TE_RTO_MAX_US, TE_RTO_MAX_US / 2, TE_RTO_MAX_US);
	finish(f);
}

static void timeout_with_backoff(void **state)
{
	struct fixture *f = started();

	(void)state;
	assert_int_equal(te_rto_us(&f->c), 300000);
	f->c.backoff = 3;
	assert_int_equal(te_rto_us(&f->c), 2400000);
	f->c.backoff = 8;
	assert_int_equal(te_rto_us(&f->c), 76800000);
	f->c.backoff = 9;
	assert_int_equal(te_rto_us(&f->c), TE_RTO_MAX_US);
	f->c.backoff = TE_RETRIES;
	f->c.rto_us = TE_RTO_MAX_US;
	assert_int_equal(te_rto_us(&f->c), TE_RTO_MAX_US);
	finish(f);
}

static void acked_after(struct fixture *f, uint32_t rtt_us, te_time now)
{
	struct te_acked a = {
		.acked = 1000,
		.sampled = true,
		.rtt_us = rtt_us,
		.last_rtt_us = rtt_us,
	};

	te_rtt_acked(&f->c, &a, now);
}

/* A longer one replaces it after five minutes. */
static void shortest_round_trip_ages(void **state)
{
	te_time five_minutes = 300 * TE_SEC;
	struct fixture *f = started();

	(void)state;
	acked_after(f, 40000, T0);
	assert_int_equal(f->c.min_rtt_us, 40000);
	acked_after(f, 40001, T0 + 10);
	assert_int_equal(f->c.min_rtt_us, 40000);
	acked_after(f, 30000, T0 + 20);
	assert_int_equal(f->c.min_rtt_us, 30000);
	acked_after(f, 30000, T0 + 30);		/* the same again: fresh */
	acked_after(f, 50000, T0 + 30 + five_minutes - 1);
	assert_int_equal(f->c.min_rtt_us, 30000);
	acked_after(f, 50000, T0 + 30 + five_minutes);
	assert_int_equal(f->c.min_rtt_us, 50000);
	acked_after(f, 0, T0 + 40 + five_minutes);
	assert_int_equal(f->c.min_rtt_us, 1);
	finish(f);
}

/* The estimate takes the oldest byte's, the minimum the newest one's. */
static void oldest_and_newest_byte(void **state)
{
	struct te_acked a = { .acked = 2000, .sampled = true, .rtt_us = 70000, .last_rtt_us = 50000 };
	struct fixture *f = started();

	(void)state;
	f->c.backoff = 2;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us >> 3, 70000);
	assert_int_equal(f->c.min_rtt_us, 50000);
	assert_int_equal(f->c.backoff, 0);
	finish(f);
}

/* Karn: of something that was sent twice only SACK or a timestamp can tell. */
static void ambiguous_acknowledgements(void **state)
{
	struct te_acked a = { .acked = 2000, .sampled = true, .ambiguous = true, .rtt_us = 70000,
			      .last_rtt_us = 50000 };
	struct fixture *f = started();

	(void)state;
	f->c.backoff = 2;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us, 0);
	assert_int_equal(f->c.min_rtt_us, 50000);
	assert_int_equal(f->c.backoff, 2);

	a.sack_rtt_us = 60000;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us >> 3, 60000);
	assert_int_equal(f->c.backoff, 0);
	finish(f);
}

static void sack_alone_gives_a_sample(void **state)
{
	struct te_acked a = { .newly_sacked = 1000, .sack_rtt_us = 30000 };
	struct fixture *f = started();

	(void)state;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us >> 3, 30000);
	assert_int_equal(f->c.min_rtt_us, 30000);
	finish(f);
}

/* RFC 7323 4; what is too long to be true is none. */
static void timestamps_give_a_sample(void **state)
{
	struct te_acked a = { .acked = 1000, .ambiguous = true, .has_ts = true, .tsecr = 1000 };
	struct fixture *f = started();

	(void)state;
	f->c.backoff = 2;
	a.tsnow = 1000 + 120001;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us, 0);
	assert_int_equal(f->c.backoff, 2);
	a.acked = 0;
	a.tsnow = 1100;
	te_rtt_acked(&f->c, &a, T0);		/* not of what was SACKed */
	assert_int_equal(f->c.srtt8_us, 0);
	a.acked = 1000;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us >> 3, 100000);
	assert_int_equal(f->c.min_rtt_us, 0);
	assert_int_equal(f->c.backoff, 0);
	finish(f);

	f = started();
	a.tsnow = 1000 + 120000;
	te_rtt_acked(&f->c, &a, T0);
	assert_int_equal(f->c.srtt8_us >> 3, TE_RTO_MAX_US);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_one_after_the_other),
		cmocka_unit_test(samples_at_the_bounds),
		cmocka_unit_test(timeout_with_backoff),
		cmocka_unit_test(shortest_round_trip_ages),
		cmocka_unit_test(oldest_and_newest_byte),
		cmocka_unit_test(ambiguous_acknowledgements),
		cmocka_unit_test(sack_alone_gives_a_sample),
		cmocka_unit_test(timestamps_give_a_sample),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_rtt", tests, NULL, NULL);
}
