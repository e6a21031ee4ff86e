/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/tlp.c: RFC 8985 7, tail loss probes. */
#include "engine_test.h"

/* Round trip 40 ms, measured by one segment; the stream goes on at SND + 1000. */
static struct fixture *measured(void)
{
	struct fixture *f = started();

	send_segs(f, 1, AT(0));
	ack_in(f, SND + 1000, AT(40));
	return f;
}

static void probe_after_two_round_trips(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 3, AT(100));
	assert_int_equal(te_deadline(&f->c), AT(182));	/* 2 * 40 + 2 */
	assert_true(te_timeout(&f->eng, &f->c, AT(182)) & TE_EV_OUTPUT);
	expect_data(f, SND + 3000, 1000, AT(182));	/* nothing new: the last one */
	assert_true(f->out.retrans);
	expect_none(f, AT(182));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	/* 7.3: one probe; the timeout starts anew */
	assert_int_equal(te_deadline(&f->c), AT(182) + f->c.rto_us);
	finish(f);
}

static void probe_waits_for_a_delayed_acknowledgement(void **state)
{
	struct fixture *f = measured();

	(void)state;
	f->c.rto_us = 1000000;
	send_segs(f, 1, AT(100));
	assert_int_equal(te_deadline(&f->c), AT(380));	/* 2 * 40 + 200 */
	finish(f);
}

static void probe_is_not_later_than_the_timeout(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 2, T0);			/* no round trip known: 1 s, but */
	assert_int_equal(te_deadline(&f->c), AT(300));
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND + 1000, 1000, AT(300));
	assert_int_equal(f->c.n.rto_count, 0);
	assert_int_equal(te_deadline(&f->c), AT(600));
	te_timeout(&f->eng, &f->c, AT(600));
	expect_data(f, SND, 1000, AT(600));
	assert_int_equal(f->c.n.rto_count, 1);
	finish(f);
}

/* 7.3: new data is the better probe, whatever cwnd says. */
static void probe_with_new_data(void **state)
{
	struct fixture *f = measured();

	(void)state;
	f->c.snd_cwnd = 3000;
	te_post(&f->c, SND + 9000, false, AT(100));
	for (int i = 0; i < 3; i++)
		assert_true(out(f, AT(100)));
	expect_none(f, AT(100));
	te_timeout(&f->eng, &f->c, AT(182));
	expect_data(f, SND + 4000, 1000, AT(182));
	assert_false(f->out.retrans);
	expect_none(f, AT(182));
	/* it was needless: nothing happens */
	ack_in(f, SND + 5000, AT(190));
	assert_int_equal(f->c.tlp, TE_TLP_NONE);
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	finish(f);
}

static void closed_window_is_probed_with_old_data(void **state)
{
	struct fixture *f = measured();

	(void)state;
	f->c.snd_wnd = 2500;
	te_post(&f->c, SND + 9000, false, AT(100));
	expect_data(f, SND + 1000, 1000, AT(100));
	expect_data(f, SND + 2000, 1000, AT(100));
	expect_none(f, AT(100));
	te_timeout(&f->eng, &f->c, AT(182));
	expect_data(f, SND + 2000, 1000, AT(182));
	assert_true(f->out.retrans);
	finish(f);
}

/* 7.1: the tail is lost; the probe's SACK starts fast recovery. */
static void probe_turns_tail_loss_into_fast_recovery(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 5, AT(100));
	ack_in(f, SND + 2000, AT(140));		/* the other four are lost */
	assert_int_equal(te_deadline(&f->c), AT(222));
	te_timeout(&f->eng, &f->c, AT(222));
	expect_data(f, SND + 5000, 1000, AT(222));
	sack_opts(f, SND + 5000, SND + 6000, 0, 0);
	ack_in(f, SND + 2000, AT(262));
	/* sent 122 ms before what has arrived: lost at once */
	expect_data(f, SND + 2000, 1000, AT(262));
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	assert_int_equal(f->c.lost, 3000);
	f->opt_len = 0;
	while (out(f, AT(262)))
		;
	ack_in(f, SND + 6000, AT(302));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.n.rto_count, 0);
	finish(f);
}

static void probe_sent(struct fixture *f)
{
	send_segs(f, 3, AT(100));
	te_timeout(&f->eng, &f->c, AT(182));
	expect_data(f, SND + 3000, 1000, AT(182));
	assert_int_equal(f->c.tlp, TE_TLP_RETRANS);
}

/* 7.4.2: acknowledged, and never reported as a duplicate: the last one was lost. */
static void repaired_loss_reduces_the_window(void **state)
{
	struct fixture *f = measured();

	(void)state;
	probe_sent(f);
	ack_in(f, SND + 4000, AT(222));
	assert_int_equal(f->c.snd_cwnd, 10000);
	assert_int_equal(f->c.tlp, TE_TLP_RETRANS);
	send_segs(f, 2, AT(223));
	ack_in(f, SND + 6000, AT(263));
	assert_int_equal(f->c.tlp, TE_TLP_NONE);
	assert_int_equal(f->c.n.loss_probes, 1);
	assert_int_equal(f->c.n.probe_recoveries, 1);
	assert_int_equal(f->c.snd_ssthresh, 5000);
	assert_int_equal(f->c.snd_cwnd, 5000);
	finish(f);
}

static void duplicate_report_clears_the_probe(void **state)
{
	struct fixture *f = measured();

	(void)state;
	probe_sent(f);
	ack_in(f, SND + 4000, AT(190));
	sack_opts(f, SND + 3000, SND + 4000, 0, 0);
	ack_in(f, SND + 4000, AT(222));
	f->opt_len = 0;
	assert_int_equal(f->c.tlp, TE_TLP_NONE);
	send_segs(f, 2, AT(223));
	ack_in(f, SND + 6000, AT(263));
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	assert_int_equal(f->c.n.loss_probes, 1);
	assert_int_equal(f->c.n.probe_recoveries, 0);
	finish(f);
}

static void duplicate_ack_clears_the_probe(void **state)
{
	struct fixture *f = measured();

	(void)state;
	probe_sent(f);
	ack_in(f, SND + 4000, AT(190));
	ack_in(f, SND + 4000, AT(222));
	assert_int_equal(f->c.tlp, TE_TLP_NONE);
	finish(f);
}

static void no_probe_without_sack_nor_with_holes(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	send_segs(f, 3, T0);
	assert_int_equal(f->c.rack_timer, TE_RACK_OFF);
	finish(f);

	f = measured();
	send_segs(f, 3, AT(100));
	sack_opts(f, SND + 2000, SND + 3000, 0, 0);
	ack_in(f, SND + 1000, AT(140));
	assert_int_equal(f->c.rack_timer, TE_RACK_REORDER);
	finish(f);
}

/* An acknowledgement that comes between the timer and the sending calls it off. */
static void late_acknowledgement_calls_it_off(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 3, AT(100));
	te_timeout(&f->eng, &f->c, AT(182));
	ack_in(f, SND + 4000, AT(182));
	expect_none(f, AT(182));
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

/* After an import what the host hasn't posted can't be sent. */
static void nothing_posted_nothing_probed(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.snd_max = f->st.snd_nxt = SND + 3000;
	f->st.srtt_us = 40000;
	f->st.rto_left_us = 240000;
	start(f);
	ack_in(f, SND + 1000, AT(10));
	assert_int_equal(te_deadline(&f->c), AT(92));
	te_timeout(&f->eng, &f->c, AT(92));
	expect_none(f, AT(92));
	assert_int_equal(te_deadline(&f->c), AT(310));
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probe_after_two_round_trips),
		cmocka_unit_test(probe_waits_for_a_delayed_acknowledgement),
		cmocka_unit_test(probe_is_not_later_than_the_timeout),
		cmocka_unit_test(probe_with_new_data),
		cmocka_unit_test(closed_window_is_probed_with_old_data),
		cmocka_unit_test(probe_turns_tail_loss_into_fast_recovery),
		cmocka_unit_test(repaired_loss_reduces_the_window),
		cmocka_unit_test(duplicate_report_clears_the_probe),
		cmocka_unit_test(duplicate_ack_clears_the_probe),
		cmocka_unit_test(no_probe_without_sack_nor_with_holes),
		cmocka_unit_test(late_acknowledgement_calls_it_off),
		cmocka_unit_test(nothing_posted_nothing_probed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_tlp", tests, NULL, NULL);
}
