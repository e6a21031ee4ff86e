/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/input.c: acceptability, PAWS, in-order data, what makes it leave. */
#include "engine_test.h"

static void in_order_data_is_placed(void **state)
{
	struct fixture *f = started();

	(void)state;
	assert_int_equal(in(f, RCV, SND, TE_ACK, 100, T0), 0);
	assert_int_equal(f->placed, 100);
	assert_int_equal(te_rcv_nxt(&f->c), RCV + 100);
	assert_int_equal(in(f, RCV + 100, SND, TE_ACK | TE_PSH, 10, T0), TE_EV_PUSH);
	assert_int_equal(f->placed, 110);
	finish(f);
}

static void only_what_was_placed_is_acknowledged(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->refuse_from = 700;
	in(f, RCV, SND, TE_ACK | TE_PSH, 1000, T0);
	te_timeout(&f->eng, &f->c, AT(40));
	expect_ack(f, RCV + 700, AT(40));
	/* nothing at all placed: nothing acknowledged */
	in(f, RCV + 700, SND, TE_ACK | TE_PSH, 300, AT(50));
	expect_none(f, AT(50));
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	f->refuse_from = UINT32_MAX;
	in(f, RCV, SND, TE_ACK | TE_PSH, 1000, AT(60));
	assert_int_equal(f->placed, 1000);
	assert_int_equal(f->c.n.rcvq_drops, 2);
	finish(f);
}

static void old_data_is_acknowledged_again(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 1000, T0);
	in(f, RCV, SND, TE_ACK, 1000, AT(1));
	assert_int_equal(f->placed, 1000);
	expect_ack(f, RCV + 1000, AT(1));
	expect_none(f, AT(1));
	/* overlapping: the new part counts */
	in(f, RCV + 500, SND, TE_ACK, 1000, AT(2));
	assert_int_equal(f->placed, 1500);
	finish(f);
}

static void data_beyond_the_window_is_cut(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rcv_adv = RCV + 1500;
	start(f);
	in(f, RCV, SND, TE_ACK, 2000, T0);
	assert_int_equal(f->placed, 1500);
	expect_ack(f, RCV + 1500, T0);
	assert_int_equal(f->out.wnd, 0);
	/* all of it beyond: only answered */
	in(f, RCV + 1500, SND, TE_ACK, 1000, AT(1));
	assert_int_equal(f->placed, 1500);
	expect_ack(f, RCV + 1500, AT(1));
	in(f, RCV + 1501, SND, TE_ACK, 1000, AT(2));
	expect_ack(f, RCV + 1500, AT(2));
	finish(f);
}

static void keepalives_are_answered_at_a_limited_rate(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV - 1, SND, TE_ACK, 0, T0);
	expect_ack(f, RCV, T0);
	in(f, RCV - 1, SND, TE_ACK, 0, AT(50));
	expect_none(f, AT(50));
	in(f, RCV - 1, SND, TE_ACK, 0, AT(100));
	expect_ack(f, RCV, AT(100));
	/* with its garbage byte it is old data */
	in(f, RCV - 1, SND, TE_ACK, 1, AT(101));
	expect_ack(f, RCV, AT(101));
	assert_int_equal(f->placed, 0);
	finish(f);
}

static void pure_acks_are_never_answered(void **state)
{
	struct fixture *f = started();

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ack_in(f, SND, AT(i)) & TE_EV_OUTPUT, 0);
	expect_none(f, AT(5));
	finish(f);
}

static void paws_drops_old_segments(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_recent = 500;
	f->st.ts_val = 100;
	start(f);
	ts_opts(f, 499, 100);
	in(f, RCV, SND, TE_ACK, 100, T0);
	assert_int_equal(f->placed, 0);
	assert_int_equal(f->c.n.paws_drops, 1);
	expect_ack(f, RCV, T0);
	assert_int_equal(get32(f->out.opts + 4), 100);
	assert_int_equal(get32(f->out.opts + 8), 500);
	ts_opts(f, 500, 100);
	in(f, RCV, SND, TE_ACK, 100, T0);
	assert_int_equal(f->placed, 100);

	/* RFC 7323 5.5: after 24 days TS.Recent is worth nothing */
	ts_opts(f, 400, 100);
	in(f, RCV + 100, SND, TE_ACK, 100, T0 + 25ull * 86400 * TE_SEC);
	assert_int_equal(f->placed, 200);
	assert_int_equal(f->c.n.paws_old_acks, 0);
	finish(f);
}

static void ts_recent_age_is_imported(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_recent = 500;
	f->st.ts_recent_age_ms = 25u * 86400 * 1000;
	start(f);
	ts_opts(f, 1, 0);
	in(f, RCV, SND, TE_ACK, 100, T0);
	assert_int_equal(f->placed, 100);
	assert_int_equal(f->c.ts_recent, 1);
	finish(f);

	/* not longer than 24 days */
	f = prepare();
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_recent = 500;
	f->st.ts_recent_age_ms = 24u * 86400 * 1000;
	start(f);
	ts_opts(f, 1, 0);
	in(f, RCV, SND, TE_ACK, 100, T0);
	assert_int_equal(f->placed, 0);
	finish(f);
}

/* RFC 7323 4.3: with delayed acknowledgements the earliest unacknowledged counts. */
static void ts_recent_follows_last_ack_sent(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_recent = 10;
	start(f);
	ts_opts(f, 20, 0);
	in(f, RCV, SND, TE_ACK, 1000, T0);
	ts_opts(f, 30, 0);
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 2000, T0);
	assert_int_equal(get32(f->out.opts + 8), 20);
	finish(f);
}

static void leaves_for(unsigned int flags, uint32_t seq, uint32_t len, unsigned int reason)
{
	struct fixture *f = started();

	send_segs(f, 2, T0);
	assert_int_equal(in(f, seq, SND + 1000, flags, len, AT(1)), TE_EV_LEAVE);
	assert_int_equal(te_leave_reason(&f->c), reason);
	/* nothing was consumed, and nothing happens any more */
	assert_int_equal(f->placed, 0);
	assert_int_equal(te_snd_una(&f->c), SND);
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	expect_none(f, AT(2));
	assert_int_equal(in(f, RCV, SND + 2000, TE_ACK, 0, AT(2)), TE_EV_LEAVE);
	assert_int_equal(te_snd_una(&f->c), SND);
	finish(f);
}

static void closing_and_urgent_segments_leave(void **state)
{
	(void)state;
	leaves_for(TE_FIN | TE_ACK, RCV, 0, TOE_REASON_FIN);
	leaves_for(TE_FIN | TE_ACK | TE_PSH, RCV, 500, TOE_REASON_FIN);
	leaves_for(TE_RST, RCV, 0, TOE_REASON_RST);
	leaves_for(TE_RST | TE_ACK, RCV, 0, TOE_REASON_RST);
	leaves_for(TE_URG | TE_ACK, RCV, 10, TOE_REASON_URG);
}

static void fin_behind_a_hole_waits(void **state)
{
	struct fixture *f = started();

	(void)state;
	assert_int_equal(in(f, RCV + 1000, SND, TE_ACK | TE_FIN, 500, T0) & TE_EV_LEAVE, 0);
	expect_ack(f, RCV, T0);		/* its payload is kept and SACKed */
	assert_int_equal(get32(f->out.opts + 4), RCV + 1000);
	assert_int_equal(get32(f->out.opts + 8), RCV + 1500);
	in(f, RCV, SND, TE_ACK, 1000, AT(1));
	assert_int_equal(f->placed, 1500);
	expect_ack(f, RCV + 1500, AT(1));	/* not the FIN */
	assert_int_equal(in(f, RCV + 1000, SND, TE_ACK | TE_FIN, 500, AT(2)), TE_EV_LEAVE);
	finish(f);
}

static void fin_beyond_the_window_is_ignored(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rcv_adv = RCV + 400;
	start(f);
	assert_int_equal(in(f, RCV, SND, TE_ACK | TE_FIN, 500, T0) & TE_EV_LEAVE, 0);
	assert_int_equal(f->placed, 400);
	finish(f);
}

/* RFC 5961 */
static void blind_attacks_are_challenged(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 1, T0);
	assert_int_equal(in(f, RCV + 1, 0, TE_RST, 0, T0) & TE_EV_LEAVE, 0);
	expect_ack(f, RCV, T0);
	assert_int_equal(f->c.n.challenge_acks, 1);
	in(f, RCV + 60001, 0, TE_RST, 0, AT(200));	/* out of the window: silence */
	expect_none(f, AT(200));
	in(f, RCV, SND, TE_SYN, 0, AT(200));
	expect_ack(f, RCV, AT(200));
	in(f, RCV, SND, TE_SYN | TE_ACK, 0, AT(201));	/* limited */
	expect_none(f, AT(201));
	in(f, RCV, SND + 1001, TE_ACK, 100, AT(400));	/* acknowledges the future */
	expect_ack(f, RCV, AT(400));
	in(f, RCV, SND - 60001, TE_ACK, 100, AT(600));	/* and the distant past */
	expect_ack(f, RCV, AT(600));
	in(f, RCV, SND, 0, 100, AT(800));		/* no ACK at all */
	expect_none(f, AT(800));
	assert_int_equal(f->placed, 0);
	assert_int_equal(te_snd_una(&f->c), SND);
	assert_int_equal(f->c.n.challenge_acks, 4);
	/* an old acknowledgement that is possible doesn't spoil its data */
	in(f, RCV, SND - 60000, TE_ACK, 100, AT(900));
	assert_int_equal(f->placed, 100);
	assert_int_equal(f->c.n.syn_challenges, 2);
	finish(f);
}

static void ecn_marks_are_echoed(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_ECN;
	start(f);
	f->ecn = 3;
	in(f, RCV, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 1000, T0);
	assert_true(f->out.flags & TE_ECE);
	assert_int_equal(f->out.ecn, 0);
	f->ecn = 2;
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 2000, T0);
	assert_true(f->out.flags & TE_ECE);
	in(f, RCV + 2000, SND, TE_ACK | TE_CWR, 1000, T0);
	in(f, RCV + 3000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_false(f->out.flags & TE_ECE);
	finish(f);
}

static void without_ecn_marks_mean_nothing(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->ecn = 3;
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 2000, T0);
	assert_false(f->out.flags & TE_ECE);
	send_segs(f, 1, T0);
	assert_int_equal(f->out.ecn, 0);
	finish(f);
}

/* Whose last bytes are lost hears of the hole from his bare FIN, each time. */
static void bare_fin_behind_a_hole_is_answered(void **state)
{
	struct fixture *f = started();

	(void)state;
	assert_int_equal(in(f, RCV + 1000, SND, TE_ACK | TE_FIN, 0, T0), TE_EV_OUTPUT);
	expect_ack(f, RCV, T0);
	expect_none(f, T0);
	assert_int_equal(in(f, RCV + 1000, SND, TE_ACK | TE_FIN, 0, AT(1)), TE_EV_OUTPUT);
	expect_ack(f, RCV, AT(1));
	assert_int_equal(f->c.n.ooo_segs, 2);
	in(f, RCV, SND, TE_ACK, 1000, AT(2));
	assert_int_equal(f->c.rcv_nxt, RCV + 1000);	/* the FIN isn't kept */
	assert_int_equal(in(f, RCV + 1000, SND, TE_ACK | TE_FIN, 0, AT(3)), TE_EV_LEAVE);
	finish(f);
}

/* A window that shuts is believed though nothing else in the segment is new. */
static void a_shut_window_is_believed(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 2, T0);
	f->wnd = 500;
	ack_in(f, SND, AT(1));
	assert_int_equal(f->c.snd_wnd, 60000);	/* it may be an old one */
	f->wnd = 0;
	ack_in(f, SND, AT(1));
	assert_int_equal(f->c.snd_wnd, 0);
	te_post(&f->c, SND + 9000, false, AT(1));
	expect_none(f, AT(1));
	f->wnd = 60000;
	ack_in(f, SND, AT(2));
	expect_data(f, SND + 2000, 1000, AT(2));
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_data_is_placed),
		cmocka_unit_test(only_what_was_placed_is_acknowledged),
		cmocka_unit_test(old_data_is_acknowledged_again),
		cmocka_unit_test(data_beyond_the_window_is_cut),
		cmocka_unit_test(keepalives_are_answered_at_a_limited_rate),
		cmocka_unit_test(pure_acks_are_never_answered),
		cmocka_unit_test(paws_drops_old_segments),
		cmocka_unit_test(ts_recent_age_is_imported),
		cmocka_unit_test(ts_recent_follows_last_ack_sent),
		cmocka_unit_test(closing_and_urgent_segments_leave),
		cmocka_unit_test(fin_behind_a_hole_waits),
		cmocka_unit_test(fin_beyond_the_window_is_ignored),
		cmocka_unit_test(bare_fin_behind_a_hole_is_answered),
		cmocka_unit_test(a_shut_window_is_believed),
		cmocka_unit_test(blind_attacks_are_challenged),
		cmocka_unit_test(ecn_marks_are_echoed),
		cmocka_unit_test(without_ecn_marks_mean_nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_input", tests, NULL, NULL);
}
