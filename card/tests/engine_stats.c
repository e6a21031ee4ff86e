/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/stats.c, engine/rate.c: what is counted, and as what. */
#include "engine_test.h"

static struct toe_conn_stats stats(const struct fixture *f, te_time now)
{
	struct toe_conn_stats st;

	memset(&st, 0xff, sizeof(st));
	te_stats(&f->c, &st, now);
	return st;
}

#define expect_stat(f, field, val, now) \
	assert_int_equal(te_le32(stats(f, now).field), val)

/* In order and nothing else new, a window that moves, a hole, the old. */
static void kinds_of_segments(void **state)
{
	struct fixture *f = started();
	struct toe_conn_stats st;

	(void)state;
	send_segs(f, 4, AT(0));
	in(f, RCV, SND, TE_ACK, 1000, AT(10));			/* plain */
	in(f, RCV + 1000, SND + 1000, TE_ACK, 1000, AT(11));	/* plain, with news */
	ack_in(f, SND + 2000, AT(12));				/* plain */
	ack_in(f, SND + 2000, AT(13));				/* a duplicate */
	f->wnd = 50000;
	ack_in(f, SND + 3000, AT(14));				/* the window too */
	in(f, RCV + 2000, SND + 3000, TE_ACK, 1000, AT(15));	/* plain */
	f->wnd = 40000;
	in(f, RCV + 3000, SND + 4000, TE_ACK, 1000, AT(16));	/* the window */
	in(f, RCV + 5000, SND + 4000, TE_ACK, 1000, AT(17));	/* a hole */
	in(f, RCV + 4000, SND + 4000, TE_ACK, 1000, AT(18));	/* which is filled */
	in(f, RCV, SND + 4000, TE_ACK, 1000, AT(19));		/* old */
	in(f, RCV + 6000, SND + 1000, TE_ACK, 0, AT(20));	/* overtaken */
	st = stats(f, AT(20));
	assert_int_equal(te_le64(st.segs_in), 11);
	assert_int_equal(te_le64(st.data_segs_in), 7);
	assert_int_equal(te_le32(st.hp_hits), 3);
	assert_int_equal(te_le32(st.hp_acks), 1);
	assert_int_equal(te_le32(st.pure_acks), 2);
	assert_int_equal(te_le32(st.ooo_segs), 1);
	assert_int_equal(te_le32(st.dup_segs), 1);
	finish(f);
}

/* It goes up, so the stack counts it. */
static void a_segment_that_ends_it_is_not_counted(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->ecn = 3;
	in(f, RCV, SND, TE_ACK, 1000, AT(1));
	assert_true(in(f, RCV + 1000, SND, TE_ACK | TE_FIN, 500, AT(2)) & TE_EV_LEAVE);
	assert_true(in(f, RCV + 1000, SND, TE_ACK, 500, AT(3)) & TE_EV_LEAVE);
	assert_int_equal(te_le64(stats(f, AT(3)).segs_in), 1);
	assert_int_equal(te_le64(stats(f, AT(3)).data_segs_in), 1);
	expect_stat(f, in_ce, 1, AT(3));
	finish(f);
}

static void ecn_bits(void **state)
{
	struct fixture *f = started();

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		f->ecn = i < 4 ? 2 : i < 7 ? 3 : i < 9 ? 1 : 0;
		in(f, RCV + 10 * i, SND, TE_ACK, 10, AT(i));
	}
	expect_stat(f, in_ect0, 4, AT(10));
	expect_stat(f, in_ce, 3, AT(10));
	expect_stat(f, in_ect1, 2, AT(10));
	finish(f);
}

static void windows_that_close_and_open(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rcv_adv = RCV + 2000;
	start(f);
	in(f, RCV, SND, TE_ACK | TE_PSH, 2000, AT(0));
	expect_ack(f, RCV + 2000, AT(0));
	assert_int_equal(f->out.wnd, 0);
	expect_stat(f, to_zero_wnd, 1, AT(0));
	in(f, RCV + 1999, SND, TE_ACK, 0, AT(10));	/* a probe */
	expect_ack(f, RCV + 2000, AT(10));
	in(f, RCV + 2000, SND, TE_ACK, 1, AT(11));	/* one with a byte */
	expect_ack(f, RCV + 2000, AT(11));
	expect_stat(f, zero_wnd_drops, 1, AT(11));
	expect_stat(f, to_zero_wnd, 1, AT(11));
	expect_stat(f, from_zero_wnd, 0, AT(11));
	te_credit(&f->c, RCV + 8000, AT(20));
	expect_ack(f, RCV + 2000, AT(20));
	assert_int_equal(f->out.wnd, 6000);
	expect_stat(f, from_zero_wnd, 1, AT(20));
	expect_stat(f, rcv_wnd, 6000, AT(20));
	finish(f);
}

static void delayed_acknowledgements(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 10, AT(0));
	expect_none(f, AT(0));
	te_timeout(&f->eng, &f->c, AT(40));
	expect_ack(f, RCV + 10, AT(40));
	expect_stat(f, delayed_acks, 1, AT(40));
	in(f, RCV + 10, SND, TE_ACK, 1000, AT(41));
	in(f, RCV + 1010, SND, TE_ACK, 1000, AT(42));
	expect_ack(f, RCV + 2010, AT(42));		/* at once, not by the timer */
	expect_stat(f, delayed_acks, 1, AT(42));
	finish(f);
}

/* Each retransmission has one cause, but for the one that a timeout sends itself. */
static void causes_of_retransmissions(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 6, AT(0));
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(300));
	expect_data(f, SND, 1000, AT(300));
	expect_stat(f, rto_count, 1, AT(300));
	expect_stat(f, rto_episodes, 1, AT(300));
	expect_stat(f, retries, 1, AT(300));
	expect_stat(f, resent_slow, 0, AT(300));
	expect_stat(f, rto_time_ms, 50, AT(350));	/* it goes on */
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(900));
	expect_data(f, SND, 1000, AT(900));
	expect_stat(f, rto_count, 2, AT(900));
	expect_stat(f, rto_episodes, 1, AT(900));
	expect_stat(f, lost_retrans, 1, AT(900));
	ack_in(f, SND + 1000, AT(940));
	expect_stat(f, rto_time_ms, 640, AT(950));
	expect_stat(f, retries, 0, AT(950));
	while (out(f, AT(950)))
		assert_true(f->out.retrans);
	assert_true(te_le32(stats(f, AT(950)).resent_slow) > 0);
	assert_int_equal(te_le32(stats(f, AT(950)).retrans_segs),
			 2 + te_le32(stats(f, AT(950)).resent_slow));
	expect_stat(f, resent_fast, 0, AT(950));
	finish(f);
}

static void fast_recovery_and_its_failure(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 8, AT(0));
	sack_opts(f, SND + 1000, SND + 5000, 0, 0);
	ack_in(f, SND, AT(40));
	expect_data(f, SND, 1000, AT(40));
	expect_stat(f, fast_retrans, 1, AT(40));
	expect_stat(f, resent_fast, 1, AT(40));
	f->c.rack_timer = TE_RACK_OFF;
	f->c.rack_at = TE_NEVER;
	te_timeout(&f->eng, &f->c, AT(2000));
	expect_stat(f, recovery_fails, 1, AT(2000));
	expect_stat(f, loss_fails, 0, AT(2000));
	expect_stat(f, disorder_fails, 0, AT(2000));
	finish(f);
}

static void answers_and_their_limit(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_SYN, 0, AT(0));
	in(f, RCV, SND, TE_SYN, 0, AT(1));
	expect_stat(f, syn_challenges, 2, AT(1));
	expect_stat(f, challenge_acks, 1, AT(1));
	expect_stat(f, skipped_challenge, 1, AT(1));
	in(f, RCV + 70000, SND, TE_ACK, 0, AT(2));
	expect_stat(f, skipped_seq, 1, AT(2));
	expect_stat(f, beyond_window, 1, AT(2));
	in(f, RCV + 70000, SND, TE_ACK, 0, AT(200));
	expect_stat(f, skipped_seq, 1, AT(200));
	expect_stat(f, beyond_window, 2, AT(200));
	expect_stat(f, hp_acks, 0, AT(200));
	expect_stat(f, pure_acks, 0, AT(200));
	finish(f);
}

static void duplicates_of_both_ends(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 1000, AT(0));
	in(f, RCV, SND, TE_ACK, 1000, AT(1));		/* old */
	in(f, RCV + 2000, SND, TE_ACK, 1000, AT(2));
	in(f, RCV + 2000, SND, TE_ACK, 1000, AT(3));	/* held already */
	expect_stat(f, dsack_old_sent, 1, AT(3));
	expect_stat(f, dsack_ofo_sent, 1, AT(3));
	expect_stat(f, ofo_merges, 1, AT(3));
	finish(f);

	f = started();
	send_segs(f, 3, AT(10));
	ack_in(f, SND + 3000, AT(50));
	sack_opts(f, SND, SND + 1000, 0, 0);		/* nothing was sent again */
	ack_in(f, SND + 3000, AT(51));
	expect_stat(f, dsack_recv, 1, AT(51));
	expect_stat(f, dsack_no_undo, 1, AT(51));
	expect_stat(f, dsack_dubious, 1, AT(51));
	expect_stat(f, dsack_recv_segs, 0, AT(51));
	sack_opts(f, SND + 90000, SND + 91000, 0, 0);	/* of what was never sent */
	ack_in(f, SND + 3000, AT(52));
	expect_stat(f, sack_discards, 1, AT(52));
	finish(f);
}

/* Old by its timestamp; an acknowledgement that another has overtaken isn't told. */
static void old_timestamps(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	f->st.ts_recent = 500;
	start(f);
	ts_opts(f, 400, 100);
	in(f, RCV, SND, TE_ACK, 0, AT(0));
	expect_stat(f, paws_drops, 1, AT(0));
	expect_stat(f, paws_old_acks, 1, AT(0));
	in(f, RCV + 10, SND, TE_ACK, 0, AT(1));
	in(f, RCV + 10, SND, TE_ACK, 0, AT(2));
	expect_stat(f, paws_drops, 3, AT(2));
	expect_stat(f, paws_old_acks, 1, AT(2));
	expect_stat(f, skipped_paws, 1, AT(2));
	finish(f);
}

/* The peer has SACKed all but the first segment, and then forgets it. */
static void reneging(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, AT(0));
	sack_opts(f, SND + 1000, SND + 4000, 0, 0);
	ack_in(f, SND, AT(40));
	f->opt_len = 0;
	ack_in(f, SND + 1000, AT(50));
	f->c.rack_timer = TE_RACK_OFF;
	f->c.rack_at = TE_NEVER;
	te_timeout(&f->eng, &f->c, AT(2000));
	expect_stat(f, renegings, 1, AT(2000));
	finish(f);
}

/* 10 segments a round trip of 40 ms: 250 segments a second. */
static void delivery_rate(void **state)
{
	struct fixture *f = prepare();
	struct toe_conn_stats st;
	uint32_t seq = SND;

	(void)state;
	f->st.snd_cwnd = 10000;
	f->st.snd_ssthresh = 10000;
	start(f);
	te_post(&f->c, SND + 500000, false, AT(0));
	while (out(f, AT(0)))
		continue;
	expect_stat(f, rate_us, 0, AT(0));
	for (uint32_t ms = 40; ms < 400; ms += 4) {
		seq += 1000;
		ack_in(f, seq, AT(ms));
		while (out(f, AT(ms)))
			continue;
	}
	st = stats(f, AT(400));
	assert_true(te_le32(st.rate_us) >= 36000);
	assert_in_range((uint64_t)te_le32(st.rate_bytes) * 1000000 / te_le32(st.rate_us),
			220000, 280000);
	assert_int_equal(te_le32(st.flags) & TOE_CS_APP_LIMITED, 0);
	finish(f);
}

/* One segment now and then: the application's rate, and no lower one replaces it. */
static void delivery_rate_of_an_application(void **state)
{
	struct fixture *f = started();
	struct toe_conn_stats st;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		te_time at = AT(1000 * i), back = at + MS(i == 1 ? 20 : 40);

		send_segs(f, 1, at);
		ack_in(f, SND + 1000 * (i + 1), back);
	}
	st = stats(f, AT(4000));
	assert_int_equal(te_le32(st.flags) & TOE_CS_APP_LIMITED, TOE_CS_APP_LIMITED);
	assert_int_equal(te_le32(st.rate_bytes), 1000);
	assert_int_equal(te_le32(st.rate_us), 20000);
	finish(f);
}

/* It was held up by the window once, and pauses then. */
static void delivery_rate_after_a_pause(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 10, AT(0));
	for (uint32_t i = 1; i <= 10; i++)
		ack_in(f, SND + 1000 * i, AT(40));
	send_segs(f, 10, AT(1000));
	ack_in(f, SND + 11000, AT(1040));
	assert_int_equal(te_le32(stats(f, AT(1040)).flags) & TOE_CS_APP_LIMITED,
			 TOE_CS_APP_LIMITED);
	finish(f);
}

static void states(void **state)
{
	struct fixture *f = started();
	struct toe_conn_stats st;

	(void)state;
	send_segs(f, 3, AT(5));
	in(f, RCV, SND, TE_ACK, 700, AT(20));
	st = stats(f, AT(120));
	assert_int_equal(te_le32(st.in_flight), 3);
	assert_int_equal(te_le32(st.snd_max), SND + 3000);
	assert_int_equal(te_le32(st.snd_idle_ms), 115);
	assert_int_equal(te_le32(st.rcv_idle_ms), 100);
	assert_int_equal(te_le32(st.rcv_mss), 1000);
	assert_int_equal(te_le32(st.reordering), 3);
	finish(f);
}

/* As many as were sent, whatever their size, and each once. */
static void segments_delivered(void **state)
{
	struct fixture *f = prepare();
	uint32_t i;

	(void)state;
	f->st.snd_nxt = f->st.snd_max = te_le32(SND + 2000);
	start(f);
	expect_stat(f, delivered, (uint32_t)-2, AT(0));		/* the stack's */
	ack_in(f, SND + 2000, AT(10));
	expect_stat(f, delivered, 0, AT(10));
	for (i = 1; i <= 5; i++) {
		te_post(&f->c, SND + 2000 + i * 300, true, AT(20));
		expect_data(f, SND + 2000 + (i - 1) * 300, 300, AT(20));
	}
	ack_in(f, SND + 3500, AT(60));
	expect_stat(f, delivered, 5, AT(60));
	te_post(&f->c, SND + 7500, true, AT(70));
	while (out(f, AT(70)))
		continue;
	sack_opts(f, SND + 4500, SND + 7500, 0, 0);
	ack_in(f, SND + 3500, AT(110));
	expect_stat(f, delivered, 8, AT(110));
	expect_data(f, SND + 3500, 1000, AT(110));
	f->opt_len = 0;
	ack_in(f, SND + 7500, AT(150));
	expect_stat(f, delivered, 9, AT(150));
	finish(f);
}

/* What stands where in the scoreboard, and what the window is, all through a recovery. */
static void gauges_of_a_recovery(void **state)
{
	struct fixture *f = started();
	struct toe_conn_stats st;

	(void)state;
	send_segs(f, 8, AT(0));
	sack_opts(f, SND + 1000, SND + 3500, 0, 0);
	ack_in(f, SND, AT(40));
	st = stats(f, AT(40));
	assert_int_equal(te_le32(st.in_flight), 8);
	assert_int_equal(te_le32(st.sacked_out), 3);	/* any part counts */
	assert_int_equal(te_le32(st.lost_out), 1);
	assert_int_equal(te_le32(st.retrans_out), 0);
	assert_int_equal(te_le32(st.ca_state), TOE_CA_RECOVERY);
	assert_int_equal(te_le32(st.snd_ssthresh), 5000);
	assert_int_equal(te_le32(st.snd_cwnd), 5000);
	assert_int_equal(te_le32(st.snd_wnd), 60000);
	assert_int_equal(te_le32(st.srtt_us), 40000);
	assert_int_equal(te_le32(st.rttvar_us), 20000);
	assert_int_equal(te_le32(st.min_rtt_us), 40000);
	assert_int_equal(te_le32(st.rto_us), 240000);
	assert_int_equal(te_le64(st.bytes_acked), 0);
	expect_data(f, SND, 1000, AT(40));
	st = stats(f, AT(40));
	assert_int_equal(te_le32(st.retrans_out), 1);
	assert_int_equal(te_le32(st.retrans_segs), 1);
	assert_int_equal(te_le64(st.bytes_retrans), 1000);
	assert_int_equal(te_le64(st.bytes_out), 9000);
	assert_int_equal(te_le64(st.data_segs_out), 9);
	assert_int_equal(te_le64(st.segs_out), 9);
	f->opt_len = 0;
	in(f, RCV, SND + 8000, TE_ACK, 700, AT(80));
	st = stats(f, AT(80));
	assert_int_equal(te_le32(st.in_flight), 0);
	assert_int_equal(te_le32(st.sacked_out), 0);
	assert_int_equal(te_le32(st.lost_out), 0);
	assert_int_equal(te_le32(st.retrans_out), 0);
	assert_int_equal(te_le32(st.ca_state), TOE_CA_OPEN);
	assert_int_equal(te_le64(st.bytes_acked), 8000);
	assert_int_equal(te_le64(st.bytes_in), 700);
	finish(f);
}

static void gauges_after_a_timeout(void **state)
{
	struct fixture *f = started();
	struct toe_conn_stats st;

	(void)state;
	send_segs(f, 2, AT(0));
	no_tail_probe(f);
	te_timeout(&f->eng, &f->c, AT(300));
	st = stats(f, AT(300));
	assert_int_equal(te_le32(st.backoff), 1);
	assert_int_equal(te_le32(st.ca_state), TOE_CA_LOSS);
	assert_int_equal(te_le32(st.snd_cwnd), 1000);
	assert_int_equal(te_le32(st.rto_us), 300000);
	assert_int_equal(te_le32(st.lost_out), 2);
	assert_int_equal(te_le32(st.srtt_us), 0);
	finish(f);
}

/* What was delivered while the peer reported marks. */
static void delivered_under_marks(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_ECN;
	start(f);
	send_segs(f, 4, AT(0));
	in(f, RCV, SND + 1000, TE_ACK, 0, AT(40));
	expect_stat(f, delivered_ce, 0, AT(40));
	in(f, RCV, SND + 3500, TE_ACK | TE_ECE, 0, AT(41));
	expect_stat(f, delivered_ce, 3, AT(41));
	expect_stat(f, ca_state, TOE_CA_CWR, AT(41));
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_segments),
		cmocka_unit_test(a_segment_that_ends_it_is_not_counted),
		cmocka_unit_test(ecn_bits),
		cmocka_unit_test(windows_that_close_and_open),
		cmocka_unit_test(delayed_acknowledgements),
		cmocka_unit_test(causes_of_retransmissions),
		cmocka_unit_test(fast_recovery_and_its_failure),
		cmocka_unit_test(answers_and_their_limit),
		cmocka_unit_test(duplicates_of_both_ends),
		cmocka_unit_test(old_timestamps),
		cmocka_unit_test(reneging),
		cmocka_unit_test(delivery_rate),
		cmocka_unit_test(delivery_rate_of_an_application),
		cmocka_unit_test(delivery_rate_after_a_pause),
		cmocka_unit_test(states),
		cmocka_unit_test(segments_delivered),
		cmocka_unit_test(gauges_of_a_recovery),
		cmocka_unit_test(gauges_after_a_timeout),
		cmocka_unit_test(delivered_under_marks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_stats", tests, NULL, NULL);
}
