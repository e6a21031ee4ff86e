/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/timer.c: retransmission, persist, keepalive, user timeout. */
#include "engine_test.h"

static void rto_retransmits_first_segment_and_backs_off(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 3, T0);
	no_tail_probe(f);
	assert_int_equal(te_deadline(&f->c), AT(300));
	te_timeout(&f->eng, &f->c, AT(299));
	expect_none(f, AT(299));
	assert_true(te_timeout(&f->eng, &f->c, AT(300)) & TE_EV_OUTPUT);
	expect_data(f, SND, 1000, AT(300));
	assert_true(f->out.retrans);
	expect_none(f, AT(300));		/* cwnd is one segment */
	assert_int_equal(f->c.snd_cwnd, 1000);
	assert_int_equal(f->c.snd_ssthresh, 5000);
	assert_int_equal(te_deadline(&f->c), AT(900));
	te_timeout(&f->eng, &f->c, AT(900));
	expect_data(f, SND, 1000, AT(900));
	assert_int_equal(f->c.snd_ssthresh, 5000);	/* held, RFC 5681 3.1 */
	assert_int_equal(te_deadline(&f->c), AT(2100));
	assert_int_equal(f->c.n.rto_count, 2);
	finish(f);
}

static void slow_start_after_the_rto(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	ack_in(f, SND + 1000, AT(310));
	expect_data(f, SND + 1000, 1000, AT(310));
	expect_data(f, SND + 2000, 1000, AT(310));
	expect_none(f, AT(310));
	/* Karn: the backoff stays without an unambiguous sample */
	assert_int_equal(f->c.backoff, 1);
	ack_in(f, SND + 4000, AT(320));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	send_segs(f, 1, AT(330));
	ack_in(f, SND + 5000, AT(340));
	assert_int_equal(f->c.backoff, 0);
	assert_int_equal(te_srtt_us(&f->c), 10000);
	finish(f);
}

static void timeout_is_capped_at_120_s(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rto_us = 100000000;
	start(f);
	send_segs(f, 1, T0);
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(100000));
	assert_int_equal(te_deadline(&f->c), AT(220000));
	finish(f);
}

/* One segment that is never acknowledged: how often is it sent again? */
static int resent_until_it_leaves(struct fixture *f)
{
	unsigned int ev = 0;
	int n = 0;

	send_segs(f, 1, T0);
	no_tail_probe(f);
	while (!(ev & TE_EV_LEAVE)) {
		te_time now = te_deadline(&f->c);

		ev = te_timeout(&f->eng, &f->c, now);
		while (out(f, now))
			n++;
	}
	return n;
}

static void gives_the_connection_back_after_15_timeouts(void **state)
{
	struct fixture *f = started();

	(void)state;
	assert_int_equal(resent_until_it_leaves(f), 15);
	assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
	assert_int_equal(te_timeout(&f->eng, &f->c, AT(1)), TE_EV_LEAVE);
	finish(f);
}

/* The host's number: at that round it gets the connection back. */
static void gives_the_connection_back_when_the_host_wants_it(void **state)
{
	struct fixture *f;

	(void)state;
	for (uint8_t retries = 1; retries < 4; retries++) {
		f = prepare();
		f->st.retries = retries;
		start(f);
		assert_int_equal(resent_until_it_leaves(f), retries - 1);
		assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
		finish(f);
	}
}

/* A window probe goes out in any case: whether it is answered the host can't know. */
static void unanswered_probes_leave_when_the_host_wants_it(void **state)
{
	struct fixture *f;

	(void)state;
	for (uint8_t retries = 1; retries < 5; retries++) {
		uint8_t n = 0;

		f = prepare();
		f->st.snd_wnd = 0;
		f->st.retries = retries;
		start(f);
		te_post(&f->c, SND + 3000, true, T0);
		expect_none(f, T0);
		for (;;) {
			te_time now = te_deadline(&f->c);

			if (te_timeout(&f->eng, &f->c, now) & TE_EV_LEAVE)
				break;
			expect_data(f, SND - 1, 0, now);
			n++;
		}
		assert_int_equal(n, retries < 3 ? 1 : retries - 1);
		finish(f);
	}
}

/* In mid-life, and back to the engine's own. */
static void the_hosts_number_may_change(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_MANNER, .retries = 2 };
	struct fixture *f = started();
	struct min_tcp st;

	(void)state;
	send_segs(f, 1, T0);
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, te_deadline(&f->c));
	expect_data(f, SND, 1000, AT(300));
	te_set_params(&f->c, &p, AT(310));
	te_export(&f->c, &st, AT(310));
	assert_int_equal(st.retries, 2);
	p.retries = 0;
	te_set_params(&f->c, &p, AT(320));
	assert_false(te_timeout(&f->eng, &f->c, te_deadline(&f->c)) & TE_EV_LEAVE);
	p.retries = 2;
	te_set_params(&f->c, &p, AT(930));
	assert_true(te_timeout(&f->eng, &f->c, te_deadline(&f->c)) & TE_EV_LEAVE);
	finish(f);
}

static void user_timeout_leaves(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.user_timeout_ms = 500;
	start(f);
	send_segs(f, 1, T0);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	assert_int_equal(te_deadline(&f->c), AT(500));
	assert_int_equal(te_timeout(&f->eng, &f->c, AT(500)), TE_EV_LEAVE);
	assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
	finish(f);
}

static void user_timeout_counts_rounds_before_the_import(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.user_timeout_ms = 2000;
	f->st.snd_max = f->st.snd_nxt = SND + 1000;
	f->st.backoff = 2;			/* 300 + 600 gone, 1000 of 1200 left */
	f->st.rto_left_us = 1000000;
	start(f);
	te_post(&f->c, SND + 1000, true, T0);
	te_timeout(&f->eng, &f->c, AT(1000));
	assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
	finish(f);
}

static void persist_probes_a_closed_window(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wnd = 0;
	start(f);
	te_post(&f->c, SND + 3000, true, T0);
	expect_none(f, T0);
	assert_int_equal(te_deadline(&f->c), AT(300));
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND - 1, 0, AT(300));	/* Linux's probe: an old number */
	expect_none(f, AT(300));
	assert_int_equal(te_deadline(&f->c), AT(900));
	/* still closed: it answers, so it lives; the backoff goes on */
	f->wnd = 0;
	ack_in(f, SND, AT(310));
	expect_none(f, AT(310));
	assert_int_equal(te_deadline(&f->c), AT(900));
	te_timeout(&f->eng, &f->c, AT(900));
	expect_data(f, SND - 1, 0, AT(900));
	assert_int_equal(f->c.probes, 1);
	assert_int_equal(f->c.n.probes_out, 2);
	f->wnd = 2000;
	assert_true(ack_in(f, SND, AT(910)) & TE_EV_ACKED);
	expect_data(f, SND, 1000, AT(910));
	expect_data(f, SND + 1000, 1000, AT(910));
	expect_none(f, AT(910));
	assert_int_equal(te_deadline(&f->c), AT(1210));
	assert_int_equal(f->c.n.win_probes, 2);
	finish(f);
}

/* Linux: a closed window counts, whether the probes are answered or not. */
static void user_timeout_ends_answered_probes(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wnd = 0;
	f->st.user_timeout_ms = 2000;
	start(f);
	te_post(&f->c, SND + 3000, true, T0);
	expect_none(f, T0);
	f->wnd = 0;
	while (te_deadline(&f->c) < AT(2000)) {
		te_time now = te_deadline(&f->c);

		assert_false(te_timeout(&f->eng, &f->c, now) & TE_EV_LEAVE);
		expect_data(f, SND - 1, 0, now);
		expect_none(f, now);
		ack_in(f, SND, now + TE_MSEC);
	}
	assert_int_equal(te_timeout(&f->eng, &f->c, te_deadline(&f->c)), TE_EV_LEAVE);
	assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
	finish(f);
}

static void persist_overrides_a_silly_window(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_wnd = 100;
	start(f);
	te_post(&f->c, SND + 3000, true, T0);
	expect_none(f, T0);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 100, AT(300));
	expect_none(f, AT(300));
	assert_int_equal(te_deadline(&f->c), AT(600));
	finish(f);
}

static void unanswered_persist_probes_leave(void **state)
{
	struct fixture *f = prepare();
	unsigned int ev = 0;
	int n = 0;

	(void)state;
	f->st.snd_wnd = 0;
	start(f);
	te_post(&f->c, SND + 3000, true, T0);
	expect_none(f, T0);
	while (!(ev & TE_EV_LEAVE)) {
		te_time now = te_deadline(&f->c);

		ev = te_timeout(&f->eng, &f->c, now);
		while (out(f, now))
			n++;
	}
	assert_int_equal(n, 15);
	assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
	finish(f);
}

static void closed_window_with_data_in_flight_keeps_the_connection(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 2, T0);
	f->wnd = 0;
	ack_in(f, SND + 1000, AT(10));
	for (int i = 0; i < 40; i++) {
		te_time now = te_deadline(&f->c);

		te_timeout(&f->eng, &f->c, now);
		expect_data(f, SND + 1000, 1000, now);
		expect_none(f, now);
		ack_in(f, SND + 1000, now + 1000);
	}
	f->wnd = 60000;
	in(f, RCV, SND + 2000, TE_ACK, 0, te_deadline(&f->c) - 1);
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

static void keepalive_probes_then_leaves(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_KEEPALIVE;
	f->st.keep_idle_ms = 10000;
	f->st.keep_intvl_ms = 1000;
	f->st.keep_probes = 2;
	f->st.idle_ms = 4000;
	start(f);
	assert_int_equal(te_deadline(&f->c), AT(6000));
	te_timeout(&f->eng, &f->c, AT(6000));
	expect_data(f, SND - 1, 0, AT(6000));
	/* answered: the idle time starts anew */
	ack_in(f, SND, AT(6100));
	te_timeout(&f->eng, &f->c, AT(7000));
	expect_none(f, AT(7000));
	assert_int_equal(te_deadline(&f->c), AT(16100));
	te_timeout(&f->eng, &f->c, AT(16100));
	expect_data(f, SND - 1, 0, AT(16100));
	te_timeout(&f->eng, &f->c, AT(17100));
	expect_data(f, SND - 1, 0, AT(17100));
	assert_int_equal(te_timeout(&f->eng, &f->c, AT(18100)), TE_EV_LEAVE);
	assert_int_equal(te_leave_reason(&f->c), TOE_REASON_TIMEOUT);
	assert_int_equal(f->c.n.win_probes, 0);
	assert_int_equal(f->c.n.probes_out, 3);
	finish(f);
}

static void keepalive_can_be_switched(void **state)
{
	struct toe_cmd_set_params p = {
		.mask = TOE_SET_KEEPALIVE,
		.keepalive = 1,
		.keep_idle_ms = 5000,
		.keep_intvl_ms = 1000,
		.keep_probes = 3,
	};
	struct fixture *f = started();

	(void)state;
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	te_set_params(&f->c, &p, AT(1000));
	assert_int_equal(te_deadline(&f->c), AT(5000));
	p.keepalive = 0;
	te_set_params(&f->c, &p, AT(2000));
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

static void no_keepalive_while_data_is_in_flight(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_KEEPALIVE;
	f->st.keep_idle_ms = 100;
	start(f);
	send_segs(f, 1, AT(50));
	te_timeout(&f->eng, &f->c, AT(100));
	expect_none(f, AT(100));
	assert_int_equal(te_deadline(&f->c), AT(200));	/* it looks again */
	finish(f);
}

static void refused_reassembly_is_tried_again(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	f->refuse_from = 1300;
	in(f, RCV, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 1300, T0);
	assert_int_equal(te_deadline(&f->c), AT(5));
	te_timeout(&f->eng, &f->c, AT(5));
	expect_none(f, AT(5));
	f->refuse_from = UINT32_MAX;
	assert_true(te_timeout(&f->eng, &f->c, AT(10)) & TE_EV_PUSH);
	expect_ack(f, RCV + 2000, AT(10));
	finish(f);
}

/* RFC 5482: with a user timeout it decides, not the number of probes; but one goes. */
static void keepalive_with_a_user_timeout(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_KEEPALIVE;
	f->st.keep_idle_ms = 10000;
	f->st.keep_intvl_ms = 1000;
	f->st.keep_probes = 1;
	f->st.user_timeout_ms = 12000;
	start(f);
	te_timeout(&f->eng, &f->c, AT(10000));
	expect_data(f, SND - 1, 0, AT(10000));
	te_timeout(&f->eng, &f->c, AT(11000));
	expect_data(f, SND - 1, 0, AT(11000));
	assert_int_equal(te_deadline(&f->c), AT(12000));
	assert_int_equal(te_timeout(&f->eng, &f->c, AT(12000)), TE_EV_LEAVE);
	finish(f);

	f = prepare();
	f->st.flags |= TOE_MT_KEEPALIVE;
	f->st.keep_idle_ms = 10000;
	f->st.keep_intvl_ms = 1000;
	f->st.user_timeout_ms = 5000;
	start(f);
	te_timeout(&f->eng, &f->c, AT(10000));
	expect_data(f, SND - 1, 0, AT(10000));
	assert_int_equal(te_timeout(&f->eng, &f->c, AT(11000)), TE_EV_LEAVE);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rto_retransmits_first_segment_and_backs_off),
		cmocka_unit_test(slow_start_after_the_rto),
		cmocka_unit_test(timeout_is_capped_at_120_s),
		cmocka_unit_test(gives_the_connection_back_after_15_timeouts),
		cmocka_unit_test(gives_the_connection_back_when_the_host_wants_it),
		cmocka_unit_test(unanswered_probes_leave_when_the_host_wants_it),
		cmocka_unit_test(the_hosts_number_may_change),
		cmocka_unit_test(user_timeout_leaves),
		cmocka_unit_test(user_timeout_counts_rounds_before_the_import),
		cmocka_unit_test(user_timeout_ends_answered_probes),
		cmocka_unit_test(persist_probes_a_closed_window),
		cmocka_unit_test(persist_overrides_a_silly_window),
		cmocka_unit_test(unanswered_persist_probes_leave),
		cmocka_unit_test(closed_window_with_data_in_flight_keeps_the_connection),
		cmocka_unit_test(keepalive_probes_then_leaves),
		cmocka_unit_test(keepalive_can_be_switched),
		cmocka_unit_test(no_keepalive_while_data_is_in_flight),
		cmocka_unit_test(refused_reassembly_is_tried_again),
		cmocka_unit_test(keepalive_with_a_user_timeout),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_timer", tests, NULL, NULL);
}
