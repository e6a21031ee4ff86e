/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/hystart.c: RFC 9406, the end of the first slow start. */
#include "engine_test.h"

static struct fixture *slow(void)
{
	struct fixture *f = prepare();

	f->st.cong = TOE_CONG_CUBIC;
	f->st.snd_wscale = 7;
	f->st.snd_wnd = 60000 << 7;
	f->st.snd_cwnd = 20000;
	start(f);
	return f;
}

/* A round of full windows; each segment is acknowledged after @rtt_ms. */
static void one_round(struct fixture *f, uint32_t *ms, uint32_t rtt_ms)
{
	uint32_t end;

	te_post(&f->c, f->c.snd_max + 500000, false, AT(*ms));
	while (out(f, AT(*ms)))
		;
	*ms += rtt_ms;
	end = f->c.snd_max;
	while (f->c.snd_una != end)
		ack_in(f, f->c.snd_una + 1000, AT(*ms));
}

static void same_round_trip_goes_on(void **state)
{
	struct fixture *f = slow();
	uint32_t ms = 0;

	(void)state;
	for (uint32_t i = 0, cwnd = 20000; i < 4; i++, cwnd *= 2) {
		assert_int_equal(f->c.snd_cwnd, cwnd);
		one_round(f, &ms, 100);
	}
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	assert_int_equal(f->c.n.delay_detects, 0);
	finish(f);
}

/* 4.2: an eighth more than the round before; then a quarter of the growth, and
 * congestion avoidance after five rounds.
 */
static void growing_round_trip_ends_it(void **state)
{
	struct fixture *f = slow();
	uint32_t ms = 0, cwnd;

	(void)state;
	one_round(f, &ms, 100);
	one_round(f, &ms, 100);
	one_round(f, &ms, 113);
	assert_int_equal(f->c.hystart.base_us, 113000);
	/* seven samples at full growth, the others at a quarter */
	assert_int_equal(f->c.snd_cwnd, 80000 + 7000 + 73 * 250);
	for (uint32_t i = 0; i < 4; i++) {
		cwnd = f->c.snd_cwnd;
		one_round(f, &ms, 113);
		assert_in_range(f->c.snd_cwnd, cwnd + cwnd / 4 - 1000, cwnd + cwnd / 4);
	}
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	one_round(f, &ms, 113);
	assert_in_range(f->c.snd_ssthresh, 200000, 280000);
	assert_int_equal(f->c.n.delay_detects, 1);
	finish(f);
}

static void small_growth_is_noise(void **state)
{
	struct fixture *f = slow();
	uint32_t ms = 0;

	(void)state;
	one_round(f, &ms, 10);
	one_round(f, &ms, 13);		/* less than 4 ms */
	assert_int_equal(f->c.hystart.base_us, 0);
	one_round(f, &ms, 17);
	assert_int_equal(f->c.hystart.base_us, 17000);
	finish(f);
}

static void false_alarm_is_taken_back(void **state)
{
	struct fixture *f = slow();
	uint32_t ms = 0, cwnd;

	(void)state;
	one_round(f, &ms, 100);
	one_round(f, &ms, 120);
	assert_int_equal(f->c.hystart.base_us, 120000);
	one_round(f, &ms, 100);
	assert_int_equal(f->c.hystart.base_us, 0);
	cwnd = f->c.snd_cwnd;
	one_round(f, &ms, 100);
	assert_int_equal(f->c.snd_cwnd, 2 * cwnd);
	finish(f);
}

/* Not 4.3: a peer that joins frames acknowledges the whole window at once. */
static void merged_acknowledgements_count_in_full(void **state)
{
	struct fixture *f = slow();

	(void)state;
	te_post(&f->c, SND + 20000, false, T0);
	while (out(f, T0))
		;
	ack_in(f, SND + 20000, AT(100));
	assert_int_equal(f->c.snd_cwnd, 40000);
	finish(f);
}

static void only_until_the_first_loss(void **state)
{
	struct fixture *f = slow();
	uint32_t ms = 0;

	(void)state;
	f->c.snd_ssthresh = 1000000;
	one_round(f, &ms, 100);
	one_round(f, &ms, 150);
	one_round(f, &ms, 200);
	assert_int_equal(f->c.snd_cwnd, 160000);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_round_trip_goes_on),
		cmocka_unit_test(growing_round_trip_ends_it),
		cmocka_unit_test(small_growth_is_noise),
		cmocka_unit_test(false_alarm_is_taken_back),
		cmocka_unit_test(merged_acknowledgements_count_in_full),
		cmocka_unit_test(only_until_the_first_loss),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_hystart", tests, NULL, NULL);
}
