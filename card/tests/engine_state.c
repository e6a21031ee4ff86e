/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/state.c: import, export, posting, credit, parameters. */
#include "engine_test.h"

static void roundtrip_is_exact(void **state)
{
	struct fixture *f = prepare();
	struct min_tcp st;

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP | TOE_MT_ECN | TOE_MT_KEEPALIVE;
	f->st.snd_max = SND + 5000;
	f->st.snd_nxt = SND + 5000;
	f->st.snd_wscale = 7;
	f->st.rcv_wscale = 9;
	f->st.ts_val = 0xfffffff0;
	f->st.ts_recent = 77;
	f->st.ts_recent_age_ms = 1234;
	f->st.srtt_us = 12345;
	f->st.rttvar_us = 678;
	f->st.min_rtt_us = 9999;
	f->st.rto_left_us = 555555;
	f->st.backoff = 3;
	f->st.cong = TOE_CONG_CUBIC;
	f->st.reordering = 5;
	f->st.snd_ssthresh = 22222;
	f->st.keep_idle_ms = 60000;
	f->st.keep_intvl_ms = 7000;
	f->st.keep_probes = 4;
	f->st.user_timeout_ms = 99999999;
	f->st.idle_ms = 4321;
	f->st.laddr[3] = 9;
	f->st.lport = 0x1234;
	f->st.rsvd[19] = 7;
	f->st.flight_us = 33333;
	f->st.flight_last_us = 1111;
	start(f);
	te_export(&f->c, &st, T0);
	assert_memory_equal(&st, &f->st, sizeof(st));

	/* a second later */
	te_export(&f->c, &st, AT(500));
	assert_int_equal(st.ts_val, 0xfffffff0u + 500);
	assert_int_equal(st.ts_recent_age_ms, 1734);
	assert_int_equal(st.rto_left_us, 55555);
	assert_int_equal(st.idle_ms, 4821);
	finish(f);
}

static void refused(void (*change)(struct min_tcp *))
{
	struct fixture *f = prepare();

	change(&f->st);
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), -1);
	free(f->pool);
	free(f);
}

static void bad_nxt_low(struct min_tcp *st) { st->snd_nxt = SND - 1; }
static void bad_nxt_high(struct min_tcp *st) { st->snd_nxt = SND + 1; }
static void bad_max(struct min_tcp *st) { st->snd_max = SND - 1; }
static void bad_flight(struct min_tcp *st) { st->snd_max = st->snd_nxt = SND + 0x50000000; }
static void bad_adv(struct min_tcp *st) { st->rcv_adv = RCV - 1; }
static void bad_wnd(struct min_tcp *st) { st->snd_wnd = 0x80000000; }
static void bad_max_window(struct min_tcp *st) { st->max_window = 0x80000000; }
static void bad_mss(struct min_tcp *st) { st->mss = 63; }
static void bad_snd_wscale(struct min_tcp *st) { st->snd_wscale = 15; }
static void bad_rcv_wscale(struct min_tcp *st) { st->rcv_wscale = 15; }
static void bad_family(struct min_tcp *st) { st->family = 5; }
static void bad_cong(struct min_tcp *st) { st->cong = 2; }
static void bad_flags(struct min_tcp *st) { st->flags |= 0x80; }

static void hostile_state_is_refused(void **state)
{
	(void)state;
	refused(bad_nxt_low);
	refused(bad_nxt_high);
	refused(bad_max);
	refused(bad_flight);
	refused(bad_adv);
	refused(bad_wnd);
	refused(bad_max_window);
	refused(bad_mss);
	refused(bad_snd_wscale);
	refused(bad_rcv_wscale);
	refused(bad_family);
	refused(bad_cong);
	refused(bad_flags);
}

/* What was in flight at the import is resent only as far as the host has posted it. */
static void import_in_flight_waits_for_posts(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_max = f->st.snd_nxt = SND + 3000;
	f->st.rto_left_us = 40000;
	start(f);
	expect_none(f, T0);
	assert_int_equal(te_deadline(&f->c), AT(40));
	te_timeout(&f->eng, &f->c, AT(40));	/* nothing posted: no backoff either */
	expect_none(f, AT(40));
	assert_int_equal(f->c.backoff, 0);

	te_post(&f->c, SND + 500, false, AT(41));
	te_timeout(&f->eng, &f->c, AT(340));
	expect_data(f, SND, 500, AT(340));
	assert_true(f->out.retrans);
	expect_none(f, AT(340));
	te_post(&f->c, SND + 3000, false, AT(341));
	ack_in(f, SND + 500, AT(342));
	expect_data(f, SND + 500, 1000, AT(342));
	finish(f);
}

static void ack_above_posted_moves_posted(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_max = f->st.snd_nxt = SND + 3000;
	start(f);
	assert_true(ack_in(f, SND + 3000, AT(1)) & TE_EV_ACKED);
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	te_post(&f->c, SND + 1000, false, AT(2));	/* late, harmless */
	expect_none(f, AT(2));
	te_post(&f->c, SND + 4000, true, AT(3));
	expect_data(f, SND + 3000, 1000, AT(3));
	finish(f);
}

static void backoff_and_timer_are_inherited(void **state)
{
	struct fixture *f = prepare();
	struct min_tcp st;

	(void)state;
	f->st.snd_max = f->st.snd_nxt = SND + 1000;
	f->st.backoff = 2;
	f->st.rto_left_us = 100000;
	start(f);
	te_post(&f->c, SND + 1000, false, T0);
	te_timeout(&f->eng, &f->c, AT(99));
	expect_none(f, AT(99));
	te_timeout(&f->eng, &f->c, AT(100));
	expect_data(f, SND, 1000, AT(100));
	assert_int_equal(te_deadline(&f->c), AT(100) + 8 * MS(300));
	te_export(&f->c, &st, AT(200));
	assert_int_equal(st.backoff, 3);
	assert_int_equal(st.rto_left_us, 2300000);
	finish(f);
}

static void go_back_survives_a_move(void **state)
{
	struct fixture *f = started();
	struct min_tcp st;

	(void)state;
	send_segs(f, 4, T0);
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	te_export(&f->c, &st, AT(310));
	assert_int_equal(st.snd_nxt, SND + 1000);
	assert_int_equal(st.snd_max, SND + 4000);
	te_release(&f->eng, &f->c);

	assert_int_equal(te_import(&f->eng, &f->c, &st, AT(310)), 0);
	te_post(&f->c, SND + 4000, true, AT(310));
	ack_in(f, SND + 1000, AT(320));
	expect_data(f, SND + 1000, 1000, AT(320));
	assert_true(f->out.retrans);
	finish(f);
}

static void credit_and_post_ignore_nonsense(void **state)
{
	struct fixture *f = started();

	(void)state;
	te_credit(&f->c, RCV + 59999, T0);
	assert_int_equal(f->c.rcv_credit, RCV + 60000);
	te_credit(&f->c, RCV + 0x60000000, T0);
	assert_int_equal(f->c.rcv_credit, RCV + 60000);
	te_credit(&f->c, RCV + 60001, T0);
	assert_int_equal(f->c.rcv_credit, RCV + 60001);
	te_post(&f->c, SND - 1, true, T0);
	assert_int_equal(f->c.posted, SND);
	te_post(&f->c, SND + 0x7fffffff + 1u, true, T0);
	assert_int_equal(f->c.posted, SND);
	finish(f);
}

static void smaller_mss_resends_at_once(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_MSS, .mss = 500 };
	struct fixture *f = started();

	(void)state;
	send_segs(f, 2, T0);
	te_set_params(&f->c, &p, AT(10));
	expect_data(f, SND, 500, AT(10));
	expect_data(f, SND + 500, 500, AT(10));
	assert_int_equal(f->c.snd_cwnd, 10000);
	p.mss = 600;	/* larger: ignored */
	te_set_params(&f->c, &p, AT(11));
	assert_int_equal(f->c.mss, 500);
	finish(f);
}

/* An acknowledgement that is owed isn't lost by moving, either way. */
static void owed_acknowledgement_moves(void **state)
{
	struct fixture *f = prepare();
	struct min_tcp st;

	(void)state;
	f->st.flags |= TOE_MT_ACK_OWED;
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), 0);
	expect_none(f, T0);
	assert_int_equal(te_deadline(&f->c), AT(40));
	te_export(&f->c, &st, T0);
	assert_int_equal(st.flags, f->st.flags);
	te_timeout(&f->eng, &f->c, AT(40));
	expect_ack(f, RCV, AT(40));
	expect_none(f, AT(40));
	te_export(&f->c, &st, AT(40));
	assert_int_equal(st.flags & TOE_MT_ACK_OWED, 0);
	finish(f);
}

/* The peer would take it for a duplicate. */
static void import_sends_no_needless_acknowledgement(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), 0);
	expect_none(f, T0);
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

/* conn.h: behind the counters nothing is written in the steady state. */
static void steady_state_is_hot(void **state)
{
	size_t cold = offsetof(struct te_conn, keep_at);
	struct fixture *f = prepare();
	struct te_conn before;

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.min_rtt_us = 1000;
	start(f);
	before = f->c;
	for (uint32_t i = 0; i < 20; i++) {
		ts_opts(f, 1 + i, 1 + i);
		in(f, RCV + 1000 * i, SND + 1000 * i, TE_ACK, 1000, AT(10 * i));
		te_credit(&f->c, RCV + 60000 + 1000 * i, AT(10 * i));
		te_post(&f->c, SND + 1000 * (i + 1), true, AT(10 * i));
		expect_data(f, SND + 1000 * i, 1000, AT(10 * i));
		te_timeout(&f->eng, &f->c, AT(10 * i));
		assert_true(te_deadline(&f->c) > AT(10 * i));
	}
	assert_memory_equal((const uint8_t *)&before + cold, (const uint8_t *)&f->c + cold,
			    sizeof(before) - cold);
	finish(f);
}

static void sequence_numbers_wrap(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_una = f->st.snd_nxt = f->st.snd_max = 0xfffffe00;
	start(f);
	te_post(&f->c, 0xfffffe00 + 3000, true, T0);
	expect_data(f, 0xfffffe00, 1000, T0);
	expect_data(f, 0xfffffe00 + 1000, 1000, T0);
	expect_data(f, 0xfffffe00 + 2000, 1000, T0);
	assert_true(f->out.flags & TE_PSH);
	assert_true(ack_in(f, 0xfffffe00 + 2000, AT(10)) & TE_EV_ACKED);
	assert_int_equal(te_snd_una(&f->c), 0xfffffe00u + 2000);
	ack_in(f, 0xfffffe00 + 3000, AT(20));
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

/* Too large and too small is brought into bounds, and zero means unknown. */
static void import_keeps_bounds(void **state)
{
	struct fixture *f = prepare();
	struct min_tcp st;

	(void)state;
	f->st.snd_max = f->st.snd_nxt = SND + 1000;
	f->st.srtt_us = UINT32_MAX;
	f->st.rttvar_us = UINT32_MAX;
	f->st.min_rtt_us = TE_RTO_MAX_US + 1;
	f->st.rto_us = UINT32_MAX;
	f->st.rto_left_us = UINT32_MAX;
	f->st.backoff = TE_RETRIES + 1;
	f->st.snd_cwnd = UINT32_MAX;
	start(f);
	te_export(&f->c, &st, T0);
	assert_int_equal(st.srtt_us, TE_RTO_MAX_US);
	assert_int_equal(st.rttvar_us, TE_RTO_MAX_US);
	assert_int_equal(st.min_rtt_us, 0);
	assert_int_equal(st.rto_us, TE_RTO_MAX_US);
	assert_int_equal(st.rto_left_us, TE_RTO_MAX_US);
	assert_int_equal(st.backoff, TE_RETRIES);
	assert_int_equal(st.snd_cwnd, TE_WND_MAX);
	finish(f);

	f = prepare();
	f->st.snd_max = f->st.snd_nxt = SND + 1000;
	f->st.min_rtt_us = TE_RTO_MAX_US;
	f->st.rto_us = 1;
	f->st.backoff = 2;
	f->st.snd_cwnd = 1;
	f->st.snd_ssthresh = 0;
	f->st.rcv_mss = 0;
	f->st.max_window = 0;
	f->st.keep_probes = 1000;
	start(f);
	te_export(&f->c, &st, T0);
	assert_int_equal(st.srtt_us, 0);
	assert_int_equal(st.min_rtt_us, TE_RTO_MAX_US);
	assert_int_equal(st.rto_us, 200000);
	assert_int_equal(st.rto_left_us, 800000);
	assert_int_equal(st.snd_cwnd, 1000);
	assert_int_equal(st.snd_ssthresh, TE_SSTHRESH_INF);
	assert_int_equal(st.rcv_mss, 536);
	assert_int_equal(st.max_window, 60000);
	assert_int_equal(st.reordering, 3);
	assert_int_equal(st.keep_intvl_ms, 75000);
	assert_int_equal(st.keep_probes, 255);
	finish(f);

	f = prepare();
	f->st.rto_us = 0;
	f->st.snd_cwnd = 0;
	start(f);
	te_export(&f->c, &st, T0);
	assert_int_equal(st.rto_us, 1000000);
	assert_int_equal(st.rto_left_us, 0);
	assert_int_equal(st.snd_cwnd, 10000);
	assert_int_equal(st.keep_probes, 9);
	finish(f);
}

/* Each parameter by its bit, and no other. */
static void parameters_by_mask(void **state)
{
	struct toe_cmd_set_params p = { .mask = 0, .ttl = 7, .tos = 0x48, .rmac = { 1, 2, 3, 4, 5, 6 },
					.keepalive = 1, .keep_idle_ms = 3000, .keep_intvl_ms = 400,
					.keep_probes = 5, .user_timeout_ms = 60000, .mss = 700,
					.quickack = 300 };
	struct fixture *f = started();
	struct min_tcp st, none;

	(void)state;
	te_export(&f->c, &none, T0);
	te_set_params(&f->c, &p, T0);
	te_export(&f->c, &st, T0);
	assert_memory_equal(&st, &none, sizeof(st));
	assert_int_equal(f->c.quickack, 0);

	p.mask = TOE_SET_TTL;
	te_set_params(&f->c, &p, T0);
	te_export(&f->c, &st, T0);
	assert_int_equal(st.ttl, 7);
	assert_int_equal(st.tos, none.tos);
	p.mask = TOE_SET_TOS | TOE_SET_RMAC;
	te_set_params(&f->c, &p, T0);
	te_export(&f->c, &st, T0);
	assert_int_equal(st.tos, 0x48);
	assert_memory_equal(st.rmac, p.rmac, 6);
	p.mask = TOE_SET_KEEPALIVE | TOE_SET_USER_TIMEOUT;
	te_set_params(&f->c, &p, T0);
	te_export(&f->c, &st, T0);
	assert_true(st.flags & TOE_MT_KEEPALIVE);
	assert_int_equal(st.keep_idle_ms, 3000);
	assert_int_equal(st.keep_intvl_ms, 400);
	assert_int_equal(st.keep_probes, 5);
	assert_int_equal(st.user_timeout_ms, 60000);
	assert_int_equal(te_deadline(&f->c), AT(3000));
	p.keepalive = 0;
	te_set_params(&f->c, &p, T0);
	te_export(&f->c, &st, T0);
	assert_false(st.flags & TOE_MT_KEEPALIVE);
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	p.mask = TOE_SET_MSS;
	te_set_params(&f->c, &p, T0);
	te_export(&f->c, &st, T0);
	assert_int_equal(st.mss, 700);
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);	/* nothing was in flight */
	finish(f);
}

/* What is owed is acknowledged at once when the host wants quick ones. */
static void quick_acknowledgements_on_demand(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_QUICKACK, .quickack = 300 };
	struct fixture *f = started();

	(void)state;
	te_set_params(&f->c, &p, T0);
	assert_int_equal(f->c.quickack, 255);
	expect_none(f, T0);
	p.quickack = 0;
	te_set_params(&f->c, &p, T0);
	in(f, RCV, SND, TE_ACK, 100, AT(1));
	te_set_params(&f->c, &p, AT(2));
	expect_none(f, AT(2));
	p.quickack = 1;
	te_set_params(&f->c, &p, AT(3));
	expect_ack(f, RCV + 100, AT(3));
	finish(f);
}

/* RFC 8201: what is in flight is lost, but not by congestion. */
static void smaller_mss_is_no_congestion(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_MSS, .mss = 500 };
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	sack_opts(f, SND + 3000, SND + 4000, 0, 0);
	ack_in(f, SND, AT(10));
	te_set_params(&f->c, &p, AT(10));
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	assert_int_equal(f->c.lost, 3000);	/* what has arrived has */
	assert_int_equal(f->c.sacked, 1000);
	assert_int_equal(f->c.high_seq, SND + 4000);
	assert_int_equal(f->c.snd_ssthresh, 10000);
	assert_int_equal(f->c.snd_cwnd, 10000);
	assert_int_equal(f->c.dupacks, 0);
	p.mss = 63;
	te_set_params(&f->c, &p, AT(11));
	assert_int_equal(f->c.mss, 500);
	p.mss = 64;
	te_set_params(&f->c, &p, AT(11));
	assert_int_equal(f->c.mss, 64);
	finish(f);
}

/* Who is reducing its window already has the threshold for it. */
static void smaller_mss_in_mid_reduction(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_MSS, .mss = 500 };
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	f->c.ca_state = TOE_CA_CWR;
	f->c.snd_ssthresh = 20000;
	te_set_params(&f->c, &p, AT(10));
	assert_int_equal(f->c.snd_ssthresh, 20000);
	assert_int_equal(f->c.ca_state, TOE_CA_LOSS);
	finish(f);
}

/* The bounds themselves are within. */
static void largest_state_is_accepted(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wscale = 14;
	f->st.rcv_wscale = 14;
	f->st.mss = TE_MSS_MIN;
	f->st.snd_max = f->st.snd_nxt = SND + TE_WND_MAX;
	f->st.snd_wnd = TE_WND_MAX;
	f->st.max_window = TE_WND_MAX;
	f->st.rcv_adv = RCV + TE_WND_MAX;
	start(f);
	te_credit(&f->c, RCV + TE_WND_MAX + 1, T0);
	assert_int_equal(f->c.rcv_credit, RCV + TE_WND_MAX);
	finish(f);

	f = started();
	te_credit(&f->c, RCV + TE_WND_MAX, T0);
	assert_int_equal(f->c.rcv_credit, RCV + TE_WND_MAX);
	te_post(&f->c, SND + 2 * TE_WND_MAX - 1, false, T0);
	assert_int_equal(f->c.posted, SND + 2 * TE_WND_MAX - 1);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roundtrip_is_exact),
		cmocka_unit_test(hostile_state_is_refused),
		cmocka_unit_test(import_in_flight_waits_for_posts),
		cmocka_unit_test(ack_above_posted_moves_posted),
		cmocka_unit_test(backoff_and_timer_are_inherited),
		cmocka_unit_test(go_back_survives_a_move),
		cmocka_unit_test(credit_and_post_ignore_nonsense),
		cmocka_unit_test(smaller_mss_resends_at_once),
		cmocka_unit_test(owed_acknowledgement_moves),
		cmocka_unit_test(import_sends_no_needless_acknowledgement),
		cmocka_unit_test(steady_state_is_hot),
		cmocka_unit_test(sequence_numbers_wrap),
		cmocka_unit_test(import_keeps_bounds),
		cmocka_unit_test(parameters_by_mask),
		cmocka_unit_test(quick_acknowledgements_on_demand),
		cmocka_unit_test(smaller_mss_is_no_congestion),
		cmocka_unit_test(smaller_mss_in_mid_reduction),
		cmocka_unit_test(largest_state_is_accepted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_state", tests, NULL, NULL);
}
