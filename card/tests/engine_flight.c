/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/state.c: what the host had in flight when the card took over. */
#include "engine_test.h"

/* Five segments in flight, sent 30 to 10 ms ago over a round trip of 40 ms. */
static struct fixture *in_flight(void)
{
	struct fixture *f = prepare();

	f->st.snd_nxt = SND + 5000;
	f->st.snd_max = SND + 5000;
	f->st.srtt_us = 40000;
	f->st.rttvar_us = 1000;
	f->st.min_rtt_us = 40000;
	f->st.rto_left_us = 270000;
	f->st.flight_us = 30000;
	f->st.flight_last_us = 10000;
	return f;
}

static struct fixture *taken_over(struct fixture *f)
{
	start(f);
	te_post(&f->c, SND + 5000, false, T0);
	return f;
}

/* RFC 8985 6.2: what is SACKed was sent later than the hole, by the host or not. */
static void hole_is_filled_at_once(void **state)
{
	struct fixture *f = taken_over(in_flight());

	(void)state;
	expect_none(f, T0);
	sack_opts(f, SND + 1000, SND + 5000, 0, 0);
	ack_in(f, SND, AT(20));
	expect_data(f, SND, 1000, AT(20));
	assert_true(f->out.retrans);
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	expect_none(f, AT(20));
	finish(f);
}

/* With timestamps the peer echoes that of the segment before the hole. */
static void hole_is_filled_whatever_is_echoed(void **state)
{
	struct fixture *f = in_flight();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_val = 5000;
	f->st.ts_recent = 1;
	taken_over(f);
	ts_sack_opts(f, 2, 5000 - 90, SND + 1000, SND + 5000);
	ack_in(f, SND, AT(20));
	expect_data(f, SND, 1000, AT(20));
	assert_true(f->out.retrans);
	finish(f);
}

/* RFC 8985 7.2: two round trips after the host's last segment. */
static void tail_is_probed_for(void **state)
{
	struct fixture *f = taken_over(in_flight());

	(void)state;
	assert_int_equal(te_deadline(&f->c), AT(2 * 40 + 2 - 10));
	te_timeout(&f->eng, &f->c, AT(72));
	expect_data(f, SND + 4000, 1000, AT(72));
	assert_int_equal(f->c.n.loss_probes, 1);
	assert_int_equal(f->c.n.rto_count, 0);
	finish(f);

	/* what it brings back tells of the rest, though an older time is echoed */
	f = in_flight();
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_val = 5000;
	f->st.ts_recent = 1;
	taken_over(f);
	te_timeout(&f->eng, &f->c, AT(72));
	expect_data(f, SND + 4000, 1000, AT(72));
	ts_sack_opts(f, 2, 5000 - 90, SND + 4000, SND + 5000);
	ack_in(f, SND, AT(112));
	expect_data(f, SND, 1000, AT(112));
	assert_int_equal(f->c.lost, 4000);
	finish(f);

	/* that was long ago: now */
	f = in_flight();
	f->st.flight_us = 200000;
	f->st.flight_last_us = 150000;
	taken_over(f);
	te_timeout(&f->eng, &f->c, T0);
	expect_data(f, SND + 4000, 1000, T0);
	finish(f);
}

/* RFC 6298 3: when each of its segments was sent isn't known. */
static void gives_no_round_trip(void **state)
{
	struct fixture *f = taken_over(in_flight());
	uint32_t srtt = f->c.srtt8_us, cwnd;

	(void)state;
	cwnd = f->c.snd_cwnd;
	ack_in(f, SND + 3000, AT(15));
	assert_int_equal(f->c.srtt8_us, srtt);
	assert_int_equal(f->c.min_rtt_us, 40000);
	/* but it was half of the window, which grows: RFC 5681 3.1 */
	assert_int_equal(f->c.snd_cwnd, cwnd);
	finish(f);

	f = in_flight();
	f->st.snd_cwnd = 8000;
	taken_over(f);
	ack_in(f, SND + 3000, AT(15));
	assert_int_equal(f->c.snd_cwnd, 11000);
	/* what the card sends gives one */
	send_segs(f, 1, AT(20));
	ack_in(f, SND + 6000, AT(70));
	assert_int_not_equal(f->c.srtt8_us, srtt);
	finish(f);
}

/* Times that can't be, or none: it may have been sent twice, so the timer has to tell. */
static void without_times_the_timer_tells(void **state)
{
	static const uint32_t times[][2] = {
		{ 0, 0 }, { 0, 10000 }, { 10000, 10001 }, { TE_RTO_MAX_US + 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct fixture *f = in_flight();

		f->st.flight_us = times[i][0];
		f->st.flight_last_us = times[i][1];
		taken_over(f);
		assert_int_equal(te_deadline(&f->c), AT(270));
		sack_opts(f, SND + 1000, SND + 5000, 0, 0);
		f->c.min_rtt_us = 100000;
		ack_in(f, SND, AT(20));
		expect_none(f, AT(20));
		finish(f);
	}
}

/* Nor is it believed after a go-back. */
static void nothing_is_believed_after_a_timeout(void **state)
{
	struct fixture *f = in_flight();

	(void)state;
	f->st.snd_nxt = SND + 1000;
	taken_over(f);
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	assert_int_equal(f->c.run_head->flags, TE_RUN_EVER);
	assert_int_equal(f->c.rack_timer, TE_RACK_OFF);
	finish(f);
}

/* Exported: how long ago, as long as nothing was sent twice. */
static void times_are_exported(void **state)
{
	struct fixture *f = taken_over(in_flight());
	struct min_tcp st;

	(void)state;
	te_export(&f->c, &st, AT(5));
	assert_int_equal(st.flight_us, 35000);
	assert_int_equal(st.flight_last_us, 15000);
	send_segs(f, 1, AT(6));
	te_export(&f->c, &st, AT(8));
	assert_int_equal(st.flight_us, 38000);
	assert_int_equal(st.flight_last_us, 2000);

	sack_opts(f, SND + 1000, SND + 5000, 0, 0);
	ack_in(f, SND, AT(20));
	expect_data(f, SND, 1000, AT(20));
	te_export(&f->c, &st, AT(20));
	assert_int_equal(st.flight_us, 0);
	assert_int_equal(st.flight_last_us, 0);
	f->opt_len = 0;
	ack_in(f, SND + 6000, AT(60));
	te_export(&f->c, &st, AT(60));
	assert_int_equal(st.flight_us, 0);
	finish(f);
}

/* The pace begins with the hand-off, whatever the clock says. */
static void pace_begins_now(void **state)
{
	struct fixture *f = in_flight();
	te_time late = (te_time)INT32_MAX + MS(5000);

	(void)state;
	f->eng.pacing = true;
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, late), 0);
	te_post(&f->c, SND + 9000, false, late);
	expect_data(f, SND + 5000, 1000, late);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hole_is_filled_at_once),
		cmocka_unit_test(hole_is_filled_whatever_is_echoed),
		cmocka_unit_test(tail_is_probed_for),
		cmocka_unit_test(gives_no_round_trip),
		cmocka_unit_test(without_times_the_timer_tells),
		cmocka_unit_test(nothing_is_believed_after_a_timeout),
		cmocka_unit_test(times_are_exported),
		cmocka_unit_test(pace_begins_now),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_flight", tests, NULL, NULL);
}
