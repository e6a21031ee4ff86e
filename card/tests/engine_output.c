/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/output.c: new data, windows, pushes, Nagle, merged acknowledgements. */
#include "engine_test.h"

static void sends_full_segments_then_the_rest(void **state)
{
	struct fixture *f = started();

	(void)state;
	te_post(&f->c, SND + 2500, true, T0);
	expect_data(f, SND, 1000, T0);
	assert_int_equal(f->out.flags, TE_ACK);
	assert_false(f->out.retrans);
	expect_data(f, SND + 1000, 1000, T0);
	expect_data(f, SND + 2000, 500, T0);
	assert_int_equal(f->out.flags, TE_ACK | TE_PSH);
	expect_none(f, T0);
	assert_int_equal(te_snd_max(&f->c), SND + 2500);
	finish(f);
}

static void cwnd_limits(void **state)
{
	struct fixture *f = started();

	(void)state;
	te_post(&f->c, SND + 20000, false, T0);
	for (int i = 0; i < 10; i++)
		assert_true(out(f, T0));
	expect_none(f, T0);
	/* slow start: each acknowledgement makes room for two */
	ack_in(f, SND + 1000, AT(10));
	expect_data(f, SND + 10000, 1000, AT(10));
	expect_data(f, SND + 11000, 1000, AT(10));
	expect_none(f, AT(10));
	finish(f);
}

static void peers_window_limits(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wnd = 2500;
	start(f);
	te_post(&f->c, SND + 9000, false, T0);
	expect_data(f, SND, 1000, T0);
	expect_data(f, SND + 1000, 1000, T0);
	expect_none(f, T0);	/* 500 would be silly */
	f->wnd = 2500;
	ack_in(f, SND + 1000, AT(1));
	expect_data(f, SND + 2000, 1000, AT(1));
	expect_none(f, AT(1));
	finish(f);
}

static void half_the_largest_window_is_not_silly(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wnd = 600;
	f->st.max_window = 1000;
	start(f);
	te_post(&f->c, SND + 9000, false, T0);
	expect_data(f, SND, 600, T0);
	expect_none(f, T0);
	finish(f);
}

static void window_scale_is_applied(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wscale = 7;
	f->st.rcv_wscale = 7;
	f->st.rcv_adv = RCV + 128 * 100;
	start(f);
	f->wnd = 3;
	assert_true(ack_in(f, SND, T0) == 0);	/* smaller, same place: not believed */
	assert_true(in(f, RCV, SND, TE_ACK, 1000, T0) == 0);
	f->wnd = 1000;
	assert_int_equal(in(f, RCV + 1000, SND, TE_ACK, 1000, T0) & TE_EV_ACKED, TE_EV_ACKED);
	assert_int_equal(te_snd_wnd(&f->c), 128000);
	expect_ack(f, RCV + 2000, T0);
	assert_int_equal(f->out.wnd, (12800 - 2000) / 128);	/* 84.375, rounded down: no credit */
	finish(f);
}

static void acknowledgement_rides_on_data(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 100, T0);
	te_post(&f->c, SND + 100, true, AT(5));
	expect_data(f, SND, 100, AT(5));
	assert_int_equal(f->out.ack, RCV + 100);
	expect_none(f, AT(5));
	te_timeout(&f->eng, &f->c, AT(41));
	expect_none(f, AT(41));
	finish(f);
}

static void nagle_if_the_host_has_not(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_NODELAY;
	start(f);
	te_post(&f->c, SND + 100, true, T0);
	expect_data(f, SND, 100, T0);
	te_post(&f->c, SND + 200, true, T0);
	expect_none(f, T0);
	te_post(&f->c, SND + 1150, true, T0);
	expect_data(f, SND + 100, 1000, T0);
	expect_none(f, T0);
	ack_in(f, SND + 1100, AT(1));
	expect_data(f, SND + 1100, 50, AT(1));
	finish(f);
}

/* RFC 9293 3.7.4 as Minshall has it: the end of a long write waits for no full segment. */
static void nagle_waits_for_small_segments_only(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_NODELAY;
	start(f);
	te_post(&f->c, SND + 2300, true, T0);
	expect_data(f, SND, 1000, T0);
	expect_data(f, SND + 1000, 1000, T0);
	expect_data(f, SND + 2000, 300, T0);
	te_post(&f->c, SND + 2400, true, T0);
	expect_none(f, T0);			/* 300 are in flight */
	ack_in(f, SND + 2000, AT(1));
	expect_none(f, AT(1));
	ack_in(f, SND + 2300, AT(2));
	expect_data(f, SND + 2300, 100, AT(2));
	te_post(&f->c, SND + 3400, true, AT(2));
	expect_data(f, SND + 2400, 1000, AT(2));
	ack_in(f, SND + 2400, AT(3));
	te_post(&f->c, SND + 3500, true, AT(3));
	expect_data(f, SND + 3400, 100, AT(3));
	finish(f);
}

static void sack_blocks_take_their_room_from_the_payload(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	start(f);
	ts_opts(f, 1, 1);
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	te_post(&f->c, SND + 3000, false, T0);
	expect_data(f, SND, 1000 - 12, T0);
	assert_int_equal(f->out.opt_len, 24);
	finish(f);
}

static void idle_connection_restarts_its_window(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_cwnd = 40000;
	f->st.snd_ssthresh = 30000;
	start(f);
	send_segs(f, 1, T0);
	ack_in(f, SND + 1000, AT(10));
	assert_int_equal(f->c.snd_cwnd, 40000);		/* not used, not grown */
	send_segs(f, 1, AT(400));			/* more than one RTO */
	assert_int_equal(f->c.snd_cwnd, 20000);
	assert_int_equal(f->c.snd_ssthresh, 30000);
	finish(f);
}

static void idle_connection_keeps_its_window_if_the_host_wants_it(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_MANNER };
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_cwnd = 40000;
	f->st.snd_ssthresh = 30000;
	f->st.manner = TOE_MANNER_KEEP_CWND;
	start(f);
	send_segs(f, 1, T0);
	ack_in(f, SND + 1000, AT(10));
	send_segs(f, 1, AT(4000));
	ack_in(f, SND + 2000, AT(4010));
	assert_int_equal(f->c.snd_cwnd, 40000);
	te_set_params(&f->c, &p, AT(4020));
	send_segs(f, 1, AT(4400));
	assert_int_equal(f->c.snd_cwnd, 20000);
	finish(f);
}

static void unknown_manners_are_refused(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.manner = TOE_MANNER_KEEP_CWND << 1;
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), -1);
	f->st.manner = TOE_MANNER_KEEP_CWND;
	start(f);
	finish(f);
}

static void ecn_capable_data_and_cwr(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_ECN;
	start(f);
	send_segs(f, 4, T0);
	assert_int_equal(f->out.ecn, 2);
	in(f, RCV, SND + 1000, TE_ACK | TE_ECE, 0, AT(1));
	assert_int_equal(f->c.ca_state, TOE_CA_CWR);
	assert_int_equal(f->c.snd_cwnd, 5000);
	te_post(&f->c, SND + 6000, false, AT(1));
	expect_data(f, SND + 4000, 1000, AT(1));
	assert_true(f->out.flags & TE_CWR);
	expect_data(f, SND + 5000, 1000, AT(1));
	assert_false(f->out.flags & TE_CWR);
	/* once per window */
	in(f, RCV, SND + 2000, TE_ACK | TE_ECE, 0, AT(2));
	assert_int_equal(f->c.snd_cwnd, 5000);
	ack_in(f, SND + 5000, AT(3));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	finish(f);
}

/* Who leaves sends nothing any more, though there would be something. */
static void nothing_from_who_leaves(void **state)
{
	struct fixture *f = started();

	(void)state;
	te_post(&f->c, SND + 3000, true, T0);
	expect_data(f, SND, 1000, T0);
	assert_true(in(f, RCV, SND, TE_ACK | TE_FIN, 100, T0) & TE_EV_LEAVE);
	expect_none(f, T0);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_full_segments_then_the_rest),
		cmocka_unit_test(cwnd_limits),
		cmocka_unit_test(peers_window_limits),
		cmocka_unit_test(half_the_largest_window_is_not_silly),
		cmocka_unit_test(window_scale_is_applied),
		cmocka_unit_test(acknowledgement_rides_on_data),
		cmocka_unit_test(nagle_if_the_host_has_not),
		cmocka_unit_test(nagle_waits_for_small_segments_only),
		cmocka_unit_test(sack_blocks_take_their_room_from_the_payload),
		cmocka_unit_test(idle_connection_restarts_its_window),
		cmocka_unit_test(idle_connection_keeps_its_window_if_the_host_wants_it),
		cmocka_unit_test(unknown_manners_are_refused),
		cmocka_unit_test(ecn_capable_data_and_cwr),
		cmocka_unit_test(nothing_from_who_leaves),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_output", tests, NULL, NULL);
}
