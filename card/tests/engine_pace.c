/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/pace.c: the window spread over the round trip. */
#include "engine_test.h"

/* Round trip 100 ms, window 60 segments in avoidance: 1.2 * 60 per round trip, so
 * one segment each 1388 us.
 */
static struct fixture *paced(uint32_t ssthresh)
{
	struct fixture *f = prepare();

	f->eng.pacing = true;
	f->st.srtt_us = 100000;
	f->st.min_rtt_us = 100000;
	f->st.snd_cwnd = 60000;
	f->st.snd_ssthresh = ssthresh;
	start(f);
	te_post(&f->c, SND + 60000, false, T0);
	return f;
}

static uint32_t burst(struct fixture *f, te_time now)
{
	uint32_t n = 0;

	while (out(f, now))
		n++;
	return n;
}

static void two_segments_at_a_time(void **state)
{
	struct fixture *f = paced(30000);

	(void)state;
	assert_int_equal(burst(f, T0), 2);
	assert_int_equal(te_deadline(&f->c), T0 + 2776);
	assert_int_equal(te_timeout(&f->eng, &f->c, T0 + 2775) & TE_EV_OUTPUT, 0);
	expect_none(f, T0 + 2775);
	assert_int_equal(te_timeout(&f->eng, &f->c, T0 + 2776), TE_EV_OUTPUT);
	assert_int_equal(burst(f, T0 + 2776), 2);
	assert_int_equal(te_deadline(&f->c), T0 + 2 * 2776);
	finish(f);
}

static void twice_the_window_in_slow_start(void **state)
{
	struct fixture *f = paced(TE_SSTHRESH_INF);

	(void)state;
	assert_int_equal(burst(f, T0), 2);
	assert_int_equal(te_deadline(&f->c), T0 + 2 * 833);
	finish(f);
}

/* What a late timer has left over isn't made good for: no burst. */
static void lateness_is_not_saved_up(void **state)
{
	struct fixture *f = paced(30000);

	(void)state;
	assert_int_equal(burst(f, T0), 2);
	te_timeout(&f->eng, &f->c, AT(50));
	assert_int_equal(burst(f, AT(50)), 2);
	finish(f);
}

static void short_round_trips_are_sent_in_larger_quanta(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->eng.pacing = true;
	f->st.srtt_us = 4000;
	f->st.snd_cwnd = 60000;
	f->st.snd_ssthresh = 30000;
	start(f);
	te_post(&f->c, SND + 60000, false, T0);
	/* an eighth of 4 ms, at 18 segments per ms */
	assert_int_equal(burst(f, T0), 10);
	finish(f);
}

static void idle_connection_begins_at_once(void **state)
{
	struct fixture *f = paced(30000);
	te_time hour = 3600 * TE_SEC;

	(void)state;
	te_post(&f->c, SND + 2000, false, T0);
	assert_int_equal(burst(f, T0), 2);
	ack_in(f, SND + 2000, AT(100));
	expect_data(f, SND + 2000, 1000, AT(100));
	while (te_flight(&f->c)) {
		ack_in(f, te_snd_max(&f->c), AT(200));
		f->c.posted = te_snd_max(&f->c);
	}
	te_post(&f->c, te_snd_max(&f->c) + 5000, false, AT(200) + hour);
	assert_int_equal(burst(f, AT(200) + hour), 2);
	finish(f);
}

/* The first retransmission of a recovery doesn't wait, the others do. */
static void retransmissions_wait_too(void **state)
{
	struct fixture *f = paced(30000);
	te_time now = T0;

	(void)state;
	for (int i = 0; i < 30; i++) {
		burst(f, now);
		if (f->c.pace_wait)
			now = te_pace_deadline(&f->c);
	}
	assert_int_equal(te_flight(&f->c), 60000);
	sack_opts(f, SND + 10000, SND + 40000, 0, 0);
	ack_in(f, SND, AT(100));
	expect_data(f, SND, 1000, AT(100));
	assert_true(f->out.retrans);
	assert_in_range(burst(f, AT(100)), 1, 2);
	assert_true(f->c.pace_wait);
	finish(f);
}

static void off_unless_asked_for(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.srtt_us = 100000;
	f->st.snd_cwnd = 60000;
	start(f);
	te_post(&f->c, SND + 60000, false, T0);
	assert_int_equal(burst(f, T0), 60);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_segments_at_a_time),
		cmocka_unit_test(twice_the_window_in_slow_start),
		cmocka_unit_test(lateness_is_not_saved_up),
		cmocka_unit_test(short_round_trips_are_sent_in_larger_quanta),
		cmocka_unit_test(idle_connection_begins_at_once),
		cmocka_unit_test(retransmissions_wait_too),
		cmocka_unit_test(off_unless_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_pace", tests, NULL, NULL);
}
