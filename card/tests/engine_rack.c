/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/rack.c: RFC 8985 6, what time says about loss. */
#include "engine_test.h"

/* Round trip 40 ms, measured by one segment; the stream goes on at SND + 1000. */
static struct fixture *measured(void)
{
	struct fixture *f = started();

	send_segs(f, 1, AT(0));
	ack_in(f, SND + 1000, AT(40));
	assert_int_equal(f->c.min_rtt_us, 40000);
	return f;
}

static void sacked(struct fixture *f, uint32_t from, uint32_t to, te_time now)
{
	sack_opts(f, SND + from, SND + to, 0, 0);
	ack_in(f, te_snd_una(&f->c), now);
	f->opt_len = 0;
}

/* 6.2 step 5: less than three SACKed, so a quarter of the round trip, and the
 * granule of the scoreboard: 10 + 2.5 ms.
 */
static void reordering_timer_marks_what_did_not_come(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 2, AT(100));
	sacked(f, 2000, 3000, AT(140));
	expect_none(f, AT(140));
	assert_int_equal(f->c.ca_state, TOE_CA_DISORDER);
	assert_int_equal(te_deadline(&f->c), AT(140) + 12500);
	te_timeout(&f->eng, &f->c, AT(152));
	expect_none(f, AT(152));
	assert_true(te_timeout(&f->eng, &f->c, AT(140) + 12500) & TE_EV_OUTPUT);
	/* the timeout starts anew, whether or not anything can be sent */
	assert_int_equal(te_deadline(&f->c), AT(140) + 12500 + MS(240));
	expect_data(f, SND + 1000, 1000, AT(153));
	assert_true(f->out.retrans);
	expect_none(f, AT(153));
	assert_int_equal(f->c.ca_state, TOE_CA_RECOVERY);
	assert_int_equal(f->c.n.rto_count, 0);
	finish(f);
}

static void late_segment_stops_the_timer_and_is_remembered(void **state)
{
	struct fixture *f = measured();
	struct min_tcp st;

	(void)state;
	send_segs(f, 3, AT(100));
	sacked(f, 2000, 4000, AT(140));
	ack_in(f, SND + 4000, AT(145));
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	assert_int_equal(f->c.n.retrans_segs, 0);
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	/* step 3: it had not been sent again, so the path reorders: by three segments */
	assert_true(f->c.rack.reord_seen);
	assert_int_equal(f->c.n.reord_seen, 1);
	te_export(&f->c, &st, AT(145));
	assert_int_equal(st.reordering, 3);
	finish(f);
}

/* Step 4: once reordering was seen, counting to three doesn't end the wait. */
static void reordering_path_is_given_time(void **state)
{
	struct fixture *f = measured();

	(void)state;
	f->c.rack.reord_seen = true;
	send_segs(f, 8, AT(100));
	sacked(f, 2000, 7000, AT(140));
	expect_none(f, AT(140));
	assert_int_equal(te_deadline(&f->c), AT(140) + 12500);
	ack_in(f, SND + 9000, AT(150));
	assert_int_equal(f->c.n.retrans_segs, 0);
	assert_int_equal(f->c.snd_ssthresh, TE_SSTHRESH_INF);
	finish(f);
}

/* RFC 6675's count holds as long as no reordering was seen. */
static void three_segments_are_enough_at_first(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 8, AT(100));
	sacked(f, 2000, 4000, AT(140));
	expect_none(f, AT(140));
	sacked(f, 2000, 5000, AT(140));
	expect_data(f, SND + 1000, 1000, AT(140));
	expect_none(f, AT(140));
	finish(f);
}

/* A retransmission that something sent later has overtaken is lost too. */
static void lost_retransmission_needs_no_timeout(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 6, AT(100));
	sacked(f, 2000, 7000, AT(140));
	expect_data(f, SND + 1000, 1000, AT(140));
	te_post(&f->c, SND + 8000, false, AT(150));
	expect_data(f, SND + 7000, 1000, AT(150));
	sacked(f, 2000, 8000, AT(190));		/* what went 10 ms after it is there */
	expect_data(f, SND + 1000, 1000, AT(190));
	assert_true(f->out.retrans);
	assert_int_equal(f->c.n.rto_count, 0);
	ack_in(f, SND + 8000, AT(230));
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	finish(f);
}

/* Step 2: within the shortest round trip it can't be the retransmission. */
static void early_answer_is_the_originals(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 6, AT(100));
	sacked(f, 2000, 7000, AT(140));
	expect_data(f, SND + 1000, 1000, AT(140));
	assert_int_equal(f->c.rack_us, (uint32_t)AT(100));
	ack_in(f, SND + 2000, AT(150));
	assert_int_equal(f->c.rack_us, (uint32_t)AT(100));
	assert_int_equal(f->c.rack_rtt_us, 40000);
	finish(f);
}

/* Step 2, with timestamps: an echo from before it was sent again. */
static void older_echo_is_the_originals(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_val = 1000;
	start(f);
	send_segs(f, 1, T0);
	te_timeout(&f->eng, &f->c, te_deadline(&f->c));
	expect_data(f, SND, 1000, AT(300));		/* the tail loss probe */
	ts_opts(f, 1, 1000);
	ack_in(f, SND + 1000, AT(400));
	assert_int_equal(f->c.rack_rtt_us, 0);		/* tells nothing of either */
	finish(f);
}

/* 6.3: a timeout takes the first segment and what is overdue, not what was just sent. */
static void timeout_spares_what_was_just_sent(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 3, AT(100));
	f->c.tlp = TE_TLP_NEW;			/* no second probe */
	f->c.rack.tlp_end = SND + 4000;
	no_tail_probe(f);
	te_post(&f->c, SND + 5000, false, AT(330));
	expect_data(f, SND + 4000, 1000, AT(330));
	te_timeout(&f->eng, &f->c, AT(350));
	assert_int_equal(f->c.n.rto_count, 1);
	assert_int_equal(f->c.lost, 3000);
	expect_data(f, SND + 1000, 1000, AT(350));
	expect_none(f, AT(350));
	finish(f);
}

static void timeout_takes_one_segment_of_a_young_run(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 4, AT(100));
	no_tail_probe(f);
	f->c.rack_rtt_us = 1000000;		/* the path's last answer took so long */
	te_timeout(&f->eng, &f->c, f->c.rtx_at);
	assert_int_equal(f->c.lost, 1000);
	finish(f);
}

/* Step 4: D-SACKs after a fast retransmission widen the window, once per round
 * trip, and the round trip is its limit; after 16 recoveries it is small again.
 */
static void duplicates_widen_the_window(void **state)
{
	struct fixture *f = measured();

	(void)state;
	f->c.rack.reord_seen = true;
	f->c.n.retrans_segs = 100;
	send_segs(f, 4, AT(100));
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 1000, AT(110));
	ack_in(f, SND + 1000, AT(111));		/* the same round */
	assert_int_equal(f->c.rack.reo_mult, 2);
	f->opt_len = 0;
	ack_in(f, SND + 5000, AT(140));
	send_segs(f, 4, AT(150));
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 5000, AT(151));
	assert_int_equal(f->c.rack.reo_mult, 3);
	assert_int_equal(f->c.n.dsack_dups, 3);

	sacked(f, 6000, 9000, AT(190));
	assert_int_equal(te_deadline(&f->c), AT(190) + 32500);
	f->c.rack.reo_mult = 200;
	sacked(f, 6000, 9000, AT(191));
	te_rack_detect(&f->eng, &f->c, AT(191));
	assert_int_equal(te_deadline(&f->c), AT(190) + 40000);
	for (int i = 0; i < TE_REO_PERSIST; i++)
		te_rack_recovered(&f->c);
	assert_int_equal(f->c.rack.reo_mult, 1);
	finish(f);
}

/* More duplicates than were sent again are the network's. */
static void the_networks_duplicates_mean_nothing(void **state)
{
	struct fixture *f = measured();

	(void)state;
	f->c.rack.reord_seen = true;
	send_segs(f, 4, AT(100));
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 1000, AT(110));
	assert_int_equal(f->c.n.dsack_dups, 1);
	assert_int_equal(f->c.rack.reo_mult, 1);
	finish(f);
}

/* Segments sent within a granule have one time; new data that went out right
 * after a retransmission isn't overtaken by it.
 */
static void what_was_sent_together_does_not_overtake(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 8, AT(100));
	sacked(f, 2000, 5000, AT(140));
	expect_data(f, SND + 1000, 1000, AT(140));
	sacked(f, 2000, 8000, AT(141));
	te_post(&f->c, SND + 12000, false, AT(141));
	while (out(f, AT(141)))
		;
	ack_in(f, SND + 9000, AT(180));		/* the retransmission, and the rest */
	assert_int_equal(f->c.lost, 0);
	assert_int_equal(f->c.n.retrans_segs, 1);
	finish(f);
}

static void time_that_wrapped_is_still_compared(void **state)
{
	te_time hour = 3600 * TE_SEC;
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 4, AT(100) + hour);
	sacked(f, 2000, 5000, AT(140) + hour);
	expect_data(f, SND + 1000, 1000, AT(140) + hour);
	assert_int_equal(f->c.rack_us, (uint32_t)(AT(100) + hour));
	finish(f);
}

/* Step 3: by how much it reorders is the most that was seen, and moves along. */
static void degree_of_reordering(void **state)
{
	struct fixture *f = measured();
	struct min_tcp st;

	(void)state;
	send_segs(f, 8, AT(100));
	sacked(f, 8000, 9000, AT(140));
	ack_in(f, SND + 2000, AT(141));
	assert_int_equal(f->c.reordering, 8);
	assert_int_equal(f->c.n.reord_seen, 1);
	ack_in(f, SND + 3000, AT(142));
	assert_int_equal(f->c.reordering, 8);
	assert_int_equal(f->c.n.reord_seen, 2);
	te_export(&f->c, &st, AT(142));
	assert_int_equal(st.reordering, 8);
	finish(f);

	f = measured();
	send_segs(f, 9, AT(100));
	sacked(f, 9000, 10000, AT(140));
	f->c.mss = 64;				/* 141 segments */
	ack_in(f, SND + 2000, AT(141));
	assert_int_equal(f->c.reordering, TE_REORDER_MAX);
	finish(f);
}

/* Step 4: once a round trip, for sixteen recoveries. */
static void reordering_window_grows_and_shrinks(void **state)
{
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 2, AT(100));
	assert_int_equal(f->c.rack.reo_mult, 1);
	te_rack_adapt(&f->c);
	te_rack_adapt(&f->c);
	assert_int_equal(f->c.rack.reo_mult, 2);
	ack_in(f, SND + 2000, AT(140));
	te_rack_adapt(&f->c);
	assert_int_equal(f->c.rack.reo_mult, 2);
	ack_in(f, SND + 3000, AT(141));
	te_rack_adapt(&f->c);
	assert_int_equal(f->c.rack.reo_mult, 3);
	for (int i = 0; i < 15; i++)
		te_rack_recovered(&f->c);
	assert_int_equal(f->c.rack.reo_mult, 3);
	te_rack_recovered(&f->c);
	assert_int_equal(f->c.rack.reo_mult, 1);
	te_rack_recovered(&f->c);
	assert_int_equal(f->c.rack.reo_persist, 0);
	f->c.rack.reo_mult = UINT8_MAX;
	te_rack_adapt(&f->c);
	assert_int_equal(f->c.rack.reo_mult, UINT8_MAX);
	finish(f);
}

/* A time of 32 bits stays comparable however long nothing arrives. */
static void long_silence(void **state)
{
	const te_time half_an_hour = 1800 * TE_SEC;
	struct fixture *f = measured();

	(void)state;
	send_segs(f, 3, AT(100));
	te_rack_rto(&f->eng, &f->c, AT(100) + half_an_hour);
	assert_int_equal(f->c.rack_us, (uint32_t)(AT(100) + half_an_hour) - INT32_MAX / 2);
	assert_int_equal(f->c.lost, 3000);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reordering_timer_marks_what_did_not_come),
		cmocka_unit_test(late_segment_stops_the_timer_and_is_remembered),
		cmocka_unit_test(reordering_path_is_given_time),
		cmocka_unit_test(three_segments_are_enough_at_first),
		cmocka_unit_test(lost_retransmission_needs_no_timeout),
		cmocka_unit_test(early_answer_is_the_originals),
		cmocka_unit_test(older_echo_is_the_originals),
		cmocka_unit_test(timeout_spares_what_was_just_sent),
		cmocka_unit_test(timeout_takes_one_segment_of_a_young_run),
		cmocka_unit_test(duplicates_widen_the_window),
		cmocka_unit_test(the_networks_duplicates_mean_nothing),
		cmocka_unit_test(what_was_sent_together_does_not_overtake),
		cmocka_unit_test(time_that_wrapped_is_still_compared),
		cmocka_unit_test(degree_of_reordering),
		cmocka_unit_test(reordering_window_grows_and_shrinks),
		cmocka_unit_test(long_silence),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_rack", tests, NULL, NULL);
}
