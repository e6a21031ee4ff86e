/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/undo.c and F-RTO of recovery.c: reductions that were needless. */
#include "engine_test.h"

static struct fixture *with_tstamps(unsigned int drop)
{
	struct fixture *f = prepare();

	f->st.flags |= TOE_MT_TSTAMP;
	f->st.flags &= (uint8_t)~drop;
	f->st.ts_val = 1000;
	f->st.srtt_us = 40000;
	f->st.min_rtt_us = 40000;
	start(f);
	return f;
}

/* The timer fires with @segs in flight; the first one goes again. */
static void time_out(struct fixture *f, uint32_t segs)
{
	send_segs(f, segs, T0);
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	expect_none(f, AT(300));
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	assert_int_equal(f->c.snd_cwnd, 1000);
}

static void as_before(struct fixture *f, uint32_t cwnd)
{
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.snd_cwnd, cwnd);
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	assert_int_equal(f->c.lost + f->c.retrans, 0);
}

/* RFC 3522 3.2: the echo is older than the retransmission; RFC 4015 3.2: go on. */
static void eifel_undoes_a_timeout(void **state)
{
	struct fixture *f = with_tstamps(0);

	(void)state;
	time_out(f, 6);
	ts_opts(f, 1, 1000);
	ack_in(f, SND + 1000, AT(310));
	as_before(f, 11000);			/* and one more: slow start */
	assert_int_equal(f->c.backoff, 0);
	assert_int_equal(f->c.retries, 0);
	expect_none(f, AT(310));		/* nothing is sent again */
	assert_int_equal(f->c.n.loss_undos, 1);
	assert_int_equal(f->c.n.spurious_rtos, 0);
	finish(f);
}

static void echo_of_the_retransmission_undoes_nothing(void **state)
{
	struct fixture *f = with_tstamps(0);

	(void)state;
	time_out(f, 6);
	ts_opts(f, 1, 1300);
	ack_in(f, SND + 1000, AT(340));
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	expect_data(f, SND + 1000, 1000, AT(340));
	assert_true(f->out.retrans);
	finish(f);
}

/* RFC 5682 2.1: new data first; the second acknowledgement is for what was sent once. */
static void frto_without_sack_needs_two(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	time_out(f, 6);
	te_post(&f->c, SND + 20000, false, AT(305));
	ack_in(f, SND + 1000, AT(310));
	expect_data(f, SND + 6000, 1000, AT(310));	/* step 2b */
	expect_data(f, SND + 7000, 1000, AT(310));
	expect_none(f, AT(310));
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	ack_in(f, SND + 2000, AT(320));			/* step 3b */
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	assert_int_equal(f->c.lost, 0);
	assert_int_equal(f->c.n.retrans_segs, 1);
	expect_data(f, SND + 8000, 1000, AT(320));
	finish(f);
}

/* Step 3a: a duplicate, so the timeout was right. */
static void frto_without_sack_goes_back(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	time_out(f, 6);
	te_post(&f->c, SND + 20000, false, AT(305));
	ack_in(f, SND + 1000, AT(310));
	expect_data(f, SND + 6000, 1000, AT(310));
	expect_data(f, SND + 7000, 1000, AT(310));
	ack_in(f, SND + 1000, AT(320));
	assert_int_equal(f->c.frto, TE_FRTO_NONE);
	expect_data(f, SND + 1000, 1000, AT(320));
	assert_true(f->out.retrans);
	finish(f);
}

/* Step 2a: a duplicate at once. */
static void frto_ends_with_a_duplicate(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	time_out(f, 6);
	te_post(&f->c, SND + 20000, false, AT(305));
	ack_in(f, SND, AT(310));
	ack_in(f, SND + 1000, AT(340));
	expect_data(f, SND + 1000, 1000, AT(340));
	finish(f);
}

static void frto_without_new_data_goes_back(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	time_out(f, 6);
	ack_in(f, SND + 1000, AT(310));
	expect_data(f, SND + 1000, 1000, AT(310));
	assert_true(f->out.retrans);
	finish(f);
}

static void frto_with_a_closed_window_goes_back(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	time_out(f, 6);
	te_post(&f->c, SND + 20000, false, AT(305));
	f->wnd = 5000;
	ack_in(f, SND + 1000, AT(310));
	expect_data(f, SND + 1000, 1000, AT(310));
	assert_true(f->out.retrans);
	finish(f);
}

/* RFC 5682 3.1: with SACK the first report of something sent once is enough. */
static void frto_with_sack_believes_the_first(void **state)
{
	struct fixture *f = started();

	(void)state;
	time_out(f, 6);
	sack_opts(f, SND + 2000, SND + 3000, 0, 0);
	ack_in(f, SND, AT(310));
	assert_int_equal(f->c.ca_state, TOE_CA_DISORDER);
	assert_int_equal(f->c.snd_cwnd, 10000);
	assert_int_equal(f->c.lost, 0);
	f->opt_len = 0;
	ack_in(f, SND + 6000, AT(320));
	as_before(f, f->c.snd_cwnd);
	assert_int_equal(f->c.n.retrans_segs, 1);
	assert_int_equal(f->c.n.loss_undos, 1);
	assert_int_equal(f->c.n.spurious_rtos, 1);
	finish(f);
}

/* All of it lost: the retransmissions go on as if nothing watched. */
static void real_timeout_with_sack_goes_back(void **state)
{
	struct fixture *f = started();

	(void)state;
	time_out(f, 6);
	ack_in(f, SND + 1000, AT(340));
	expect_data(f, SND + 1000, 1000, AT(340));
	expect_data(f, SND + 2000, 1000, AT(340));
	ack_in(f, SND + 3000, AT(380));
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	while (out(f, AT(380)))
		;
	ack_in(f, SND + 6000, AT(420));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.snd_ssthresh, 5000);
	finish(f);
}

/* Four segments are late by more than the reordering window. */
static void needless_recovery(struct fixture *f)
{
	send_segs(f, 8, T0);
	sack_opts(f, SND + 1000, SND + 4000, 0, 0);
	ack_in(f, SND, AT(40));
	expect_data(f, SND, 1000, AT(40));
	assert_true(f->out.retrans);
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	assert_int_equal(f->c.snd_ssthresh, 5000);
}

/* RFC 2883 and 4015: all that was sent again has come twice. */
static void dsack_undoes_a_recovery(void **state)
{
	struct fixture *f = started();

	(void)state;
	needless_recovery(f);
	f->opt_len = 0;
	ack_in(f, SND + 8000, AT(45));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.snd_cwnd, 5000);
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 8000, AT(80));
	as_before(f, 10000);
	assert_int_equal(f->c.n.dsack_undos, 1);
	assert_int_equal(f->c.n.full_undos, 0);
	assert_int_equal(f->c.n.partial_undos, 0);
	finish(f);
}

/* The acknowledgement that tells of it was overtaken by another. */
static void overtaken_dsack_counts(void **state)
{
	struct fixture *f = started();

	(void)state;
	needless_recovery(f);
	f->opt_len = 0;
	ack_in(f, SND + 8000, AT(45));
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 5000, AT(80));
	as_before(f, 10000);
	finish(f);
}

static void dsack_of_a_part_undoes_nothing(void **state)
{
	struct fixture *f = started();

	(void)state;
	needless_recovery(f);
	f->opt_len = 0;
	ack_in(f, SND + 8000, AT(45));
	sack_opts(f, SND, SND + 500, 0, 0);
	ack_in(f, SND + 8000, AT(80));
	assert_int_equal(f->c.snd_cwnd, 5000);
	assert_int_equal(f->c.n.dsack_undos, 0);
	finish(f);
}

/* What comes a window later isn't about this recovery. */
static void dsack_that_is_late_undoes_nothing(void **state)
{
	struct fixture *f = started();

	(void)state;
	needless_recovery(f);
	f->opt_len = 0;
	ack_in(f, SND + 8000, AT(45));
	send_segs(f, 2, AT(50));
	ack_in(f, SND + 10000, AT(90));
	assert_false(f->c.undo_on);
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 10000, AT(91));
	assert_int_equal(f->c.snd_ssthresh, 5000);
	finish(f);
}

/* The late original, by its echo, before its end. */
static void eifel_undoes_a_recovery(void **state)
{
	struct fixture *f = with_tstamps(0);

	(void)state;
	send_segs(f, 8, T0);
	/* two segments, and the reordering timer */
	f->opts[0] = f->opts[1] = 1;
	f->opts[2] = 8;
	f->opts[3] = 10;
	put32(f->opts + 4, 1);
	put32(f->opts + 8, 1000);
	f->opts[12] = f->opts[13] = 1;
	f->opts[14] = 5;
	f->opts[15] = 10;
	put32(f->opts + 16, SND + 1000);
	put32(f->opts + 20, SND + 5000);
	f->opt_len = 24;
	ack_in(f, SND, AT(40));
	expect_data(f, SND, 1000, AT(40));
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	ts_opts(f, 1, 1000);
	ack_in(f, SND + 5000, AT(45));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	assert_true(f->c.snd_cwnd >= 10000);
	assert_int_equal(f->c.n.partial_undos, 1);
	assert_int_equal(f->c.n.dsack_undos, 0);
	finish(f);
}

/* RFC 9438 4.9: the curve is what it was. */
static void cubic_gets_its_curve_back(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.cong = TOE_CONG_CUBIC;
	f->st.snd_ssthresh = 10000;
	start(f);
	f->c.cubic.epoch = AT(-1000);
	f->c.cubic.w_max = 20000;
	f->c.cubic.k_ms = 1234;
	time_out(f, 6);
	assert_int_equal(f->c.cubic.epoch, 0);
	assert_int_equal(f->c.cubic.w_max, 0);		/* 4.8 */
	sack_opts(f, SND + 2000, SND + 3000, 0, 0);
	ack_in(f, SND, AT(310));
	assert_int_equal(f->c.cubic.w_max, 20000);
	assert_int_equal(f->c.cubic.k_ms, 1234);
	assert_int_equal(f->c.snd_cwnd, 10000);
	assert_int_equal(f->c.snd_ssthresh, 10000);
	finish(f);
}

/* A mark is no mistake, whatever the retransmissions were. */
static void ecn_is_not_undone(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_ECN;
	start(f);
	send_segs(f, 8, T0);
	in(f, RCV, SND + 1000, TE_ACK | TE_ECE, 0, AT(40));
	sack_opts(f, SND + 2000, SND + 6000, 0, 0);
	ack_in(f, SND + 1000, AT(41));
	expect_data(f, SND + 1000, 1000, AT(41));
	sack_opts(f, SND + 1000, SND + 2000, 0, 0);
	ack_in(f, SND + 8000, AT(45));
	assert_int_equal(f->c.snd_ssthresh, 5000);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eifel_undoes_a_timeout),
		cmocka_unit_test(echo_of_the_retransmission_undoes_nothing),
		cmocka_unit_test(frto_without_sack_needs_two),
		cmocka_unit_test(frto_without_sack_goes_back),
		cmocka_unit_test(frto_ends_with_a_duplicate),
		cmocka_unit_test(frto_without_new_data_goes_back),
		cmocka_unit_test(frto_with_a_closed_window_goes_back),
		cmocka_unit_test(frto_with_sack_believes_the_first),
		cmocka_unit_test(real_timeout_with_sack_goes_back),
		cmocka_unit_test(dsack_undoes_a_recovery),
		cmocka_unit_test(overtaken_dsack_counts),
		cmocka_unit_test(dsack_of_a_part_undoes_nothing),
		cmocka_unit_test(dsack_that_is_late_undoes_nothing),
		cmocka_unit_test(eifel_undoes_a_recovery),
		cmocka_unit_test(cubic_gets_its_curve_back),
		cmocka_unit_test(ecn_is_not_undone),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_undo", tests, NULL, NULL);
}
