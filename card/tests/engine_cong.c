/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/cong.c, cubic.c and rtt.c: windows and estimates. */
#include "engine_test.h"

static void first_sample_and_smoothing(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 1, T0);
	ack_in(f, SND + 1000, AT(100));
	assert_int_equal(te_srtt_us(&f->c), 100000);
	assert_int_equal(f->c.rttvar4_us, 200000);
	assert_int_equal(f->c.rto_us, 300000);
	send_segs(f, 1, AT(200));
	ack_in(f, SND + 2000, AT(380));
	assert_int_equal(te_srtt_us(&f->c), 110000);	/* 7/8 * 100 + 1/8 * 180 */
	assert_int_equal(f->c.rttvar4_us, 230000);	/* 4 * (3/4 * 50 + 1/4 * 80) */
	assert_int_equal(f->c.min_rtt_us, 100000);
	finish(f);
}

static void least_timeout(void **state)
{
	struct fixture *f = started();

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		send_segs(f, 1, AT(i));
		ack_in(f, SND + 1000 * (i + 1), AT(i) + 100);
	}
	assert_in_range(f->c.rto_us, 200000, 200100);
	finish(f);
}

static void timestamps_measure_retransmissions(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_val = 5000;
	start(f);
	send_segs(f, 1, T0);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	assert_int_equal(get32(f->out.opts + 4), 5300);
	ts_opts(f, 1, 5300);
	ack_in(f, SND + 1000, AT(320));
	assert_int_equal(te_srtt_us(&f->c), 20000);
	assert_int_equal(f->c.backoff, 0);
	/* an echo from the future is no measurement */
	send_segs(f, 1, AT(400));
	te_timeout(&f->eng, &f->c, te_deadline(&f->c));
	assert_true(out(f, AT(700)));
	ts_opts(f, 1, 0x90000000);
	ack_in(f, SND + 2000, AT(720));
	assert_int_equal(te_srtt_us(&f->c), 20000);
	finish(f);
}

static void reno_adds_one_segment_per_window(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_ssthresh = 5000;
	start(f);
	te_post(&f->c, SND + 100000, false, T0);
	while (out(f, T0))
		;
	for (uint32_t i = 1; i <= 10; i++)
		ack_in(f, SND + 1000 * i, AT(10));
	assert_int_equal(f->c.snd_cwnd, 11000);
	finish(f);
}

static void unused_window_does_not_grow(void **state)
{
	struct fixture *f = started();

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		send_segs(f, 2, AT(10 * i));
		ack_in(f, SND + 2000 * (i + 1), AT(10 * i + 5));
	}
	assert_int_equal(f->c.snd_cwnd, 10000);
	finish(f);
}

static void slow_start_ends_at_ssthresh(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_ssthresh = 12500;
	start(f);
	te_post(&f->c, SND + 100000, false, T0);
	while (out(f, T0))
		;
	ack_in(f, SND + 10000, AT(10));
	assert_int_equal(f->c.snd_cwnd, 12500);
	finish(f);
}

/* A sender that is always limited by cwnd, one window per round trip. */
static uint32_t cubic_after(struct fixture *f, uint32_t from_ms, uint32_t to_ms, uint32_t rtt_ms)
{
	for (uint32_t t = from_ms; t < to_ms; t += rtt_ms) {
		uint32_t end;

		te_post(&f->c, f->c.snd_max + 500000, false, AT(t));
		while (out(f, AT(t)))
			;
		end = f->c.snd_max;
		while (f->c.snd_una != end)
			ack_in(f, f->c.snd_una + te_min(2000, end - f->c.snd_una), AT(t + rtt_ms));
	}
	return f->c.snd_cwnd;
}

static struct fixture *cubic(void)
{
	struct fixture *f = prepare();

	f->st.cong = TOE_CONG_CUBIC;
	f->st.snd_wscale = 7;
	f->st.snd_wnd = 60000 << 7;
	f->st.snd_cwnd = 100000;
	f->st.snd_ssthresh = 100000;
	start(f);
	return f;
}

static void cubic_falls_to_seven_tenths_and_comes_back(void **state)
{
	struct fixture *f = cubic();
	uint32_t cwnd;

	(void)state;
	te_post(&f->c, SND + 200000, false, T0);
	while (out(f, T0))
		;
	sack_opts(f, SND + 1000, SND + 5000, 0, 0);
	ack_in(f, SND, AT(100));
	assert_int_equal(f->c.snd_ssthresh, 70000);
	while (out(f, AT(100)))
		;
	f->opt_len = 0;
	ack_in(f, f->c.snd_max, AT(200));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_in_range(f->c.snd_cwnd, 70000, 73000);
	/* K = cbrt(30 / 0.4) = 4.2 s */
	cwnd = cubic_after(f, 200, 1700, 100);
	assert_in_range(cwnd, 85000, 96000);
	cwnd = cubic_after(f, 1700, 4500, 100);
	assert_in_range(cwnd, 97000, 103000);
	cwnd = cubic_after(f, 4500, 8500, 100);	/* 0.4 * 4^3 = 26 segments more */
	assert_in_range(cwnd, 115000, 140000);
	finish(f);
}

static void cubic_fast_convergence(void **state)
{
	struct fixture *f = cubic();

	(void)state;
	f->c.cubic.w_max = 200000;
	te_post(&f->c, SND + 200000, false, T0);
	while (out(f, T0))
		;
	sack_opts(f, SND + 1000, SND + 5000, 0, 0);
	ack_in(f, SND, AT(100));
	assert_int_equal(f->c.cubic.w_max, 85000);
	finish(f);
}

static void extreme_windows_do_not_overflow(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.cong = TOE_CONG_CUBIC;
	f->st.mss = 64;
	f->st.snd_cwnd = 0xffffffff;
	f->st.snd_ssthresh = 1000;
	f->st.snd_wscale = 14;
	f->st.snd_wnd = 60000 << 14;
	start(f);
	f->c.cubic.w_max = TE_WND_MAX;
	f->c.snd_cwnd = 64;
	for (uint32_t i = 0; i < 100; i++) {
		te_post(&f->c, f->c.snd_max + 10000, false, AT(i * 100000));
		while (out(f, AT(i * 100000)))
			;
		ack_in(f, f->c.snd_max, AT(i * 100000 + 1));
		assert_true(f->c.snd_cwnd >= 64 && f->c.snd_cwnd <= 2 * TE_WND_MAX);
	}
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_sample_and_smoothing),
		cmocka_unit_test(least_timeout),
		cmocka_unit_test(timestamps_measure_retransmissions),
		cmocka_unit_test(reno_adds_one_segment_per_window),
		cmocka_unit_test(unused_window_does_not_grow),
		cmocka_unit_test(slow_start_ends_at_ssthresh),
		cmocka_unit_test(cubic_falls_to_seven_tenths_and_comes_back),
		cmocka_unit_test(cubic_fast_convergence),
		cmocka_unit_test(extreme_windows_do_not_overflow),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_cong", tests, NULL, NULL);
}
