/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/recovery.c: fast retransmit and recovery with and without SACK. */
#include "engine_test.h"

static struct fixture *no_sack(void)
{
	struct fixture *f = prepare();

	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	return f;
}

static void third_duplicate_retransmits(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	send_segs(f, 8, T0);
	ack_in(f, SND, AT(1));
	ack_in(f, SND, AT(2));
	expect_none(f, AT(2));
	assert_int_equal(f->c.ca_state, TOE_CA_DISORDER);
	assert_true(ack_in(f, SND, AT(3)) & TE_EV_OUTPUT);
	expect_data(f, SND, 1000, AT(3));
	assert_true(f->out.retrans);
	expect_none(f, AT(3));
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	assert_int_equal(f->c.snd_ssthresh, 5000);
	assert_int_equal(f->c.n.fast_retrans, 1);
	finish(f);
}

/* RFC 3042: the first two duplicates let one new segment out each. */
static void limited_transmit(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	te_post(&f->c, SND + 20000, false, T0);
	for (int i = 0; i < 10; i++)
		assert_true(out(f, T0));
	expect_none(f, T0);
	ack_in(f, SND, AT(1));
	expect_data(f, SND + 10000, 1000, AT(1));
	expect_none(f, AT(1));
	ack_in(f, SND, AT(2));
	expect_data(f, SND + 11000, 1000, AT(2));
	expect_none(f, AT(2));
	assert_int_equal(f->c.snd_cwnd, 10000);
	finish(f);
}

/* RFC 6582 3.2: partial acknowledgements resend the next hole, the full one ends it. */
static void newreno_two_holes(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	send_segs(f, 8, T0);		/* the first and the fourth are lost */
	for (int i = 0; i < 3; i++)
		ack_in(f, SND, AT(1));
	expect_data(f, SND, 1000, AT(1));
	for (int i = 0; i < 3; i++)
		ack_in(f, SND, AT(2));
	expect_none(f, AT(2));
	ack_in(f, SND + 3000, AT(10));
	expect_data(f, SND + 3000, 1000, AT(10));
	assert_true(f->out.retrans);
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	expect_none(f, AT(10));
	ack_in(f, SND + 8000, AT(20));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.snd_cwnd, 5000);
	assert_int_equal(f->c.n.retrans_segs, 2);
	finish(f);
}

/* RFC 5681 3.2 step 4: each further duplicate stands for a segment that has left. */
static void recovery_sends_new_data_as_duplicates_come(void **state)
{
	struct fixture *f = no_sack();
	uint32_t sent = 0;

	(void)state;
	te_post(&f->c, SND + 30000, false, T0);
	for (int i = 0; i < 10; i++)
		assert_true(out(f, T0));
	for (int i = 0; i < 9; i++) {
		ack_in(f, SND, AT(1));
		while (out(f, AT(1)))
			sent += !f->out.retrans;
	}
	assert_in_range(sent, 4, 6);	/* flight 10 + limited transmit 2, cwnd 5 */
	finish(f);
}

static void sack_marks_and_resends_the_hole(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 8, T0);
	sack_opts(f, SND + 1000, SND + 2000, 0, 0);
	ack_in(f, SND, AT(1));
	sack_opts(f, SND + 1000, SND + 3000, 0, 0);
	ack_in(f, SND, AT(2));
	expect_none(f, AT(2));
	sack_opts(f, SND + 1000, SND + 4000, 0, 0);
	ack_in(f, SND, AT(3));
	expect_data(f, SND, 1000, AT(3));
	assert_true(f->out.retrans);
	expect_none(f, AT(3));
	assert_int_equal(f->c.sacked, 3000);
	assert_int_equal(f->c.lost, 1000);
	assert_int_equal(f->c.retrans, 1000);
	f->opt_len = 0;
	ack_in(f, SND + 8000, AT(4));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.sacked + f->c.lost + f->c.retrans, 0);
	finish(f);
}

/* One acknowledgement that tells enough does it: RFC 6675 4, IsLost(). */
static void one_sack_of_three_segments_is_enough(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 8, T0);
	sack_opts(f, SND + 4000, SND + 8000, SND + 1000, SND + 2000);
	ack_in(f, SND, AT(1));
	/* both holes are lost; cwnd 5000, pipe 0: all at once */
	expect_data(f, SND, 1000, AT(1));
	expect_data(f, SND + 2000, 1000, AT(1));
	expect_data(f, SND + 3000, 1000, AT(1));
	expect_none(f, AT(1));
	finish(f);
}

static void duplicates_without_sack_information_mean_nothing(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 8, T0);
	for (int i = 0; i < 5; i++)
		ack_in(f, SND, AT(1));
	expect_none(f, AT(1));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	finish(f);
}

/* RFC 8985 6.2 step 4: a path that reorders has a quarter of the round trip's time. */
static void imported_reordering_delays_recovery(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.reordering = 5;
	f->st.min_rtt_us = 8000;
	start(f);
	send_segs(f, 8, T0);
	for (uint32_t i = 2; i <= 5; i++) {
		sack_opts(f, SND + 1000, SND + 1000 * i, 0, 0);
		ack_in(f, SND, AT(10));
		expect_none(f, AT(10));
	}
	assert_in_range(te_deadline(&f->c), AT(12), AT(13));
	te_timeout(&f->eng, &f->c, AT(13));
	expect_data(f, SND, 1000, AT(13));
	finish(f);
}

static void rto_keeps_sacked_data_but_not_after_reneging(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 3, T0);
	sack_opts(f, SND + 1000, SND + 2000, 0, 0);
	ack_in(f, SND, AT(1));
	f->opt_len = 0;
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	ack_in(f, SND + 1000, AT(310));		/* and yet not SND + 2000 */
	expect_data(f, SND + 2000, 1000, AT(310));
	expect_none(f, AT(310));
	te_timeout(&f->eng, &f->c, te_deadline(&f->c));
	expect_data(f, SND + 1000, 1000, AT(2000));
	finish(f);
}

/* Small segments are sent again as one, as far as they are lost. */
static void small_segments_are_gathered(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.srtt_us = 10000;
	start(f);
	for (uint32_t i = 1; i <= 6; i++) {
		te_post(&f->c, SND + 300 * i, true, AT(10 * i));
		expect_data(f, SND + 300 * (i - 1), 300, AT(10 * i));
	}
	no_tail_probe(f);
	sack_opts(f, SND + 1500, SND + 1800, 0, 0);
	ack_in(f, SND, AT(70));
	f->opt_len = 0;
	te_timeout(&f->eng, &f->c, te_deadline(&f->c));
	expect_data(f, SND, 1000, AT(400));
	ack_in(f, SND + 1000, AT(410));
	expect_data(f, SND + 1000, 500, AT(410));
	expect_none(f, AT(410));
	finish(f);
}

static void needless_duplicates_after_recovery_do_nothing(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	send_segs(f, 4, T0);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	ack_in(f, SND + 4000, AT(301));		/* it was only late */
	send_segs(f, 3, AT(302));
	for (int i = 0; i < 3; i++)
		ack_in(f, SND + 4000, AT(303));
	expect_none(f, AT(303));
	assert_int_not_equal(f->c.ca_state, TOE_CA_RECOVERY);
	finish(f);
}

/* RFC 8985 for retransmissions: something sent later has arrived before it. */
static void lost_retransmission_is_sent_again(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 1, T0);
	ack_in(f, SND + 1000, AT(10));		/* min RTT 10 ms */
	send_segs(f, 8, AT(20));
	sack_opts(f, SND + 2000, SND + 5000, 0, 0);
	ack_in(f, SND + 1000, AT(30));
	expect_data(f, SND + 1000, 1000, AT(30));
	te_post(&f->c, SND + 12000, false, AT(31));
	sack_opts(f, SND + 2000, SND + 9000, 0, 0);
	ack_in(f, SND + 1000, AT(34));
	expect_data(f, SND + 9000, 1000, AT(34));
	/* what was sent 4 ms after it has arrived, it hasn't */
	sack_opts(f, SND + 2000, SND + 10000, 0, 0);
	ack_in(f, SND + 1000, AT(44));
	expect_data(f, SND + 1000, 1000, AT(44));
	assert_true(f->out.retrans);
	assert_int_equal(f->c.n.rto_count, 0);
	finish(f);
}

/* RFC 6937: recovery sends seven for ten delivered (CUBIC), no burst at its start. */
static void recovery_is_proportional(void **state)
{
	struct fixture *f = prepare();
	uint32_t sent = 0;

	(void)state;
	f->st.cong = TOE_CONG_CUBIC;
	f->st.snd_cwnd = 40000;
	f->st.snd_wscale = 1;
	f->st.snd_wnd = 120000;
	start(f);
	te_post(&f->c, SND + 100000, false, T0);
	for (int i = 0; i < 40; i++)
		assert_true(out(f, T0));
	expect_none(f, T0);
	for (uint32_t i = 2; i <= 40; i++) {
		uint32_t burst = 0;

		sack_opts(f, SND + 1000, SND + 1000 * i, 0, 0);
		ack_in(f, SND, AT(10));
		while (out(f, AT(10)))
			burst++;
		assert_in_range(burst, 0, 2);
		sent += burst;
	}
	assert_in_range(sent, 25, 28);
	sack_opts(f, SND + 50000, SND + 51000, 0, 0);
	ack_in(f, SND + 40000, AT(20));
	assert_int_equal(f->c.snd_ssthresh, 28000);
	assert_in_range(f->c.snd_cwnd, 28000, 29000);
	finish(f);
}

/* RFC 6582 3.2 step 3: a partial acknowledgement takes back what its segments said. */
static void partial_acknowledgement_deflates(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	send_segs(f, 10, T0);
	for (int i = 0; i < 7; i++)
		ack_in(f, SND, AT(1));
	expect_data(f, SND, 1000, AT(1));
	assert_int_equal(f->c.dupacks, 7);
	ack_in(f, SND + 3000, AT(10));
	assert_int_equal(f->c.dupacks, 5);
	assert_int_equal(f->c.lost, 1000);
	assert_int_equal(f->c.retrans, 0);
	expect_data(f, SND + 3000, 1000, AT(10));
	ack_in(f, SND + 4000, AT(20));
	assert_int_equal(f->c.dupacks, 5);
	ack_in(f, SND + 9500, AT(30));		/* more than there were */
	assert_int_equal(f->c.dupacks, 1);
	assert_int_equal(f->c.lost, 500);
	expect_data(f, SND + 9500, 500, AT(30));
	finish(f);
}

/* Counting duplicates ends at the end of the counter. */
static void duplicates_without_end(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	send_segs(f, 8, T0);
	f->c.reno_hold = true;
	f->c.dupacks = UINT16_MAX;
	ack_in(f, SND, AT(1));
	assert_int_equal(f->c.dupacks, UINT16_MAX);
	assert_int_equal(f->c.ca_state, TOE_CA_DISORDER);
	f->c.reno_hold = false;
	ack_in(f, SND, AT(2));
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	ack_in(f, SND, AT(3));
	assert_int_equal(f->c.dupacks, UINT16_MAX);
	finish(f);
}

/* RFC 5682 2.1 step 3a without SACK: what step 2b has sent counts as having left. */
static void timeout_was_right_after_all(void **state)
{
	struct fixture *f = no_sack();

	(void)state;
	f->c.snd_cwnd = 3000;
	te_post(&f->c, SND + 10000, false, T0);
	for (uint32_t i = 0; i < 3; i++)
		expect_data(f, SND + 1000 * i, 1000, T0);
	expect_none(f, T0);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	expect_none(f, AT(300));
	assert_int_equal(f->c.frto, TE_FRTO_SENT);
	ack_in(f, SND + 1000, AT(310));
	assert_int_equal(f->c.frto, TE_FRTO_NEW);
	expect_data(f, SND + 3000, 1000, AT(310));
	expect_data(f, SND + 4000, 1000, AT(310));
	expect_none(f, AT(310));
	ack_in(f, SND + 1000, AT(320));
	assert_int_equal(f->c.frto, TE_FRTO_NONE);
	assert_int_equal(f->c.dupacks, 2);
	expect_data(f, SND + 1000, 1000, AT(320));
	assert_true(f->out.retrans);
	finish(f);
}

/* What an episode leaves behind: nothing that the next one would stumble over. */
static void episode_leaves_nothing_behind(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(300));
	assert_true(f->c.rtx_force);
	ack_in(f, SND + 4000, AT(301));		/* before anything was sent again */
	assert_false(f->c.rtx_force);
	assert_int_equal(f->c.frto, TE_FRTO_NONE);
	assert_int_equal(f->c.dupacks, 0);
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(third_duplicate_retransmits),
		cmocka_unit_test(limited_transmit),
		cmocka_unit_test(newreno_two_holes),
		cmocka_unit_test(recovery_sends_new_data_as_duplicates_come),
		cmocka_unit_test(sack_marks_and_resends_the_hole),
		cmocka_unit_test(one_sack_of_three_segments_is_enough),
		cmocka_unit_test(duplicates_without_sack_information_mean_nothing),
		cmocka_unit_test(imported_reordering_delays_recovery),
		cmocka_unit_test(rto_keeps_sacked_data_but_not_after_reneging),
		cmocka_unit_test(small_segments_are_gathered),
		cmocka_unit_test(needless_duplicates_after_recovery_do_nothing),
		cmocka_unit_test(lost_retransmission_is_sent_again),
		cmocka_unit_test(recovery_is_proportional),
		cmocka_unit_test(partial_acknowledgement_deflates),
		cmocka_unit_test(duplicates_without_end),
		cmocka_unit_test(timeout_was_right_after_all),
		cmocka_unit_test(episode_leaves_nothing_behind),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_recovery", tests, NULL, NULL);
}
