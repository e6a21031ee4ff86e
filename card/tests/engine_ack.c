/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/ack.c: delayed acknowledgements and the advertised window. */
#include "engine_test.h"

static void one_segment_waits_40_ms(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 1000, T0);
	expect_none(f, T0);
	assert_int_equal(te_deadline(&f->c), AT(40));
	te_timeout(&f->eng, &f->c, AT(39));
	expect_none(f, AT(39));
	te_timeout(&f->eng, &f->c, AT(40));
	expect_ack(f, RCV + 1000, AT(40));
	expect_none(f, AT(40));
	assert_int_equal(te_deadline(&f->c), TE_NEVER);
	finish(f);
}

static void every_second_full_segment(void **state)
{
	struct fixture *f = started();

	(void)state;
	for (uint32_t i = 0; i < 10; i += 2) {
		in(f, RCV + i * 1000, SND, TE_ACK, 1000, AT(i));
		expect_none(f, AT(i));
		in(f, RCV + i * 1000 + 1000, SND, TE_ACK, 1000, AT(i));
		expect_ack(f, RCV + i * 1000 + 2000, AT(i));
		expect_none(f, AT(i));
	}
	finish(f);
}

/* As in Linux: nobody answers, so nothing will carry the acknowledgement. */
static void end_of_a_write_is_acknowledged_unless_answered(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.idle_ms = 1000;
	start(f);
	in(f, RCV, SND, TE_ACK | TE_PSH, 100, T0);
	f->c.quickack = 0;
	expect_ack(f, RCV + 100, T0);
	in(f, RCV + 100, SND, TE_ACK | TE_PSH, 100, AT(100));
	expect_ack(f, RCV + 200, AT(100));
	send_segs(f, 1, AT(200));
	in(f, RCV + 200, SND, TE_ACK | TE_PSH, 100, AT(210));
	expect_none(f, AT(210));
	finish(f);
}

/* To the microsecond, and to the byte of window. */
static void how_long_an_answer_may_carry_it(void **state)
{
	struct fixture *f = started();
	te_time rto = f->c.rto_us;

	(void)state;
	f->c.last_snd = T0;
	in(f, RCV, SND, TE_ACK | TE_PSH, 100, T0 + rto);
	expect_none(f, T0 + rto);
	in(f, RCV + 100, SND, TE_ACK | TE_PSH, 100, T0 + rto + 1);
	expect_ack(f, RCV + 200, T0 + rto + 1);
	/* with two segments of window left it may wait, with less not */
	f->c.last_snd = T0 + rto + 1;
	f->c.quickack = 0;
	f->c.rcv_credit = f->c.rcv_adv = RCV + 300 + 2 * f->c.rcv_mss;
	in(f, RCV + 200, SND, TE_ACK | TE_PSH, 100, T0 + rto + 2);
	expect_none(f, T0 + rto + 2);
	f->c.rcv_credit = f->c.rcv_adv = RCV + 400 + 2 * f->c.rcv_mss - 1;
	in(f, RCV + 300, SND, TE_ACK | TE_PSH, 100, T0 + rto + 3);
	expect_ack(f, RCV + 400, T0 + rto + 3);
	finish(f);
}

static void quick_at_the_start(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), 0);
	for (uint32_t i = 0; i < 16; i++) {
		in(f, RCV + i * 100, SND, TE_ACK, 100, T0);
		expect_ack(f, RCV + i * 100 + 100, T0);
	}
	in(f, RCV + 1600, SND, TE_ACK, 100, T0);
	expect_none(f, T0);
	finish(f);
}

static void quickack_on_request(void **state)
{
	struct toe_cmd_set_params p = { .mask = TOE_SET_QUICKACK, .quickack = 1 };
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 100, T0);
	te_set_params(&f->c, &p, T0);
	expect_ack(f, RCV + 100, T0);
	in(f, RCV + 100, SND, TE_ACK, 100, T0);
	expect_ack(f, RCV + 200, T0);
	in(f, RCV + 200, SND, TE_ACK, 100, T0);
	expect_none(f, T0);
	finish(f);
}

static void dialogue_ends_quickack(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), 0);
	in(f, RCV, SND, TE_ACK | TE_PSH, 64, T0);
	expect_ack(f, RCV + 64, T0);
	te_post(&f->c, SND + 64, true, T0);
	expect_data(f, SND, 64, T0);
	in(f, RCV + 64, SND + 64, TE_ACK | TE_PSH, 64, AT(1));
	expect_none(f, AT(1));		/* the answer will carry it */
	finish(f);
}

static void window_shrinks_with_data_and_follows_credit(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 2000, T0);
	assert_int_equal(f->out.wnd, 58000);
	te_credit(&f->c, RCV + 62000, T0);
	expect_none(f, T0);			/* 2000 are told with the next one */
	in(f, RCV + 2000, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_int_equal(f->out.wnd, 58000);
	finish(f);
}

static void window_update_when_a_quarter_is_new(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 30000, T0);
	expect_ack(f, RCV + 30000, T0);
	assert_int_equal(f->out.wnd, 30000);
	te_credit(&f->c, RCV + 60000 + 9998, T0);
	expect_none(f, T0);
	te_credit(&f->c, RCV + 60000 + 10000, T0);
	expect_ack(f, RCV + 30000, T0);
	assert_int_equal(f->out.wnd, 40000);
	expect_none(f, T0);
	finish(f);
}

/* Whatever the host gives is worth opening a shut window for. */
static void closed_window_opens_by_any_credit(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rcv_adv = RCV + 4000;
	start(f);
	in(f, RCV, SND, TE_ACK, 4000, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_int_equal(f->out.wnd, 0);
	te_credit(&f->c, RCV + 4000 + 1, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_int_equal(f->out.wnd, 1);
	te_credit(&f->c, RCV + 4000 + 1000, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_int_equal(f->out.wnd, 1000);
	/* it's open: two segments, or half of all there is */
	te_credit(&f->c, RCV + 4000 + 1998, T0);
	expect_none(f, T0);
	te_credit(&f->c, RCV + 4000 + 2000, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_int_equal(f->out.wnd, 2000);
	finish(f);
}

/* ... as far as its scale can say so. */
static void closed_window_opens_by_a_unit(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rcv_wscale = 7;
	f->st.rcv_adv = RCV + 1280;
	start(f);
	in(f, RCV, SND, TE_ACK, 1280, T0);
	expect_ack(f, RCV + 1280, T0);
	assert_int_equal(f->out.wnd, 0);
	te_credit(&f->c, RCV + 1280 + 127, T0);
	expect_none(f, T0);
	te_credit(&f->c, RCV + 1280 + 128, T0);
	expect_ack(f, RCV + 1280, T0);
	assert_int_equal(f->out.wnd, 1);
	finish(f);
}

/* A host that takes its buffer away goes on with what it leaves. */
static void a_buffer_becomes_small(void **state)
{
	struct fixture *f = started();
	uint32_t got = 60000;

	(void)state;
	in(f, RCV, SND, TE_ACK, got, T0);
	expect_ack(f, RCV + got, T0);
	assert_int_equal(f->out.wnd, 0);
	for (int i = 1; i < 100; i++) {
		te_credit(&f->c, RCV + got + 700, AT(i));
		expect_ack(f, RCV + got, AT(i));
		assert_int_equal(f->out.wnd, 700);
		in(f, RCV + got, SND, TE_ACK, 700, AT(i));
		got += 700;
		if (out(f, AT(i)))
			assert_int_equal(f->out.wnd, 0);
	}
	finish(f);
}

static void scaled_edge_never_moves_left_nor_beyond_credit(void **state)
{
	struct fixture *f = prepare();
	uint32_t edge = RCV + 1280;

	(void)state;
	f->st.rcv_wscale = 7;
	f->st.rcv_adv = edge;
	f->st.rcv_mss = 64;
	start(f);
	for (uint32_t got = 0; got < 1280; got += 100) {
		uint32_t len = te_min(100, 1280 - got), wire;

		in(f, RCV + got, SND, TE_ACK, len, T0);
		te_timeout(&f->eng, &f->c, AT(40));
		expect_ack(f, RCV + got + len, T0);
		wire = f->out.ack + ((uint32_t)f->out.wnd << 7);
		assert_true(seq_le(wire, RCV + 1280));
		assert_true(seq_gt(wire + 128, edge));	/* less than one unit is hidden */
		assert_int_equal(f->c.rcv_adv, edge);	/* and accepted all the same */
	}
	assert_int_equal(f->placed, 1280);
	finish(f);
}

static void unexpressible_credit_ends_in_silence(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.rcv_adv = RCV + 20000;
	start(f);
	te_credit(&f->c, RCV + 10000000, T0);	/* no scaling: 65535 is all it can say */
	expect_ack(f, RCV, T0);
	assert_int_equal(f->out.wnd, 65535);
	expect_none(f, T0);
	finish(f);
}

static void holes_without_sack_get_one_duplicate_each(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	for (uint32_t i = 1; i <= 3; i++)
		in(f, RCV + 1000 * i, SND, TE_ACK, 1000, T0);
	for (int i = 0; i < 3; i++) {
		expect_ack(f, RCV, T0);
		assert_int_equal(f->out.opt_len, 0);
	}
	expect_none(f, T0);
	/* the filled hole is acknowledged once */
	in(f, RCV + 4000 + 1000, SND, TE_ACK, 1000, T0);
	in(f, RCV, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 4000, T0);
	expect_none(f, T0);
	finish(f);
}

static void duplicates_owed_have_a_limit(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	for (int i = 0; i < 300; i++)
		te_ack_hole(&f->c);
	assert_int_equal(f->c.dup_acks, UINT8_MAX);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_segment_waits_40_ms),
		cmocka_unit_test(every_second_full_segment),
		cmocka_unit_test(end_of_a_write_is_acknowledged_unless_answered),
		cmocka_unit_test(quick_at_the_start),
		cmocka_unit_test(how_long_an_answer_may_carry_it),
		cmocka_unit_test(quickack_on_request),
		cmocka_unit_test(dialogue_ends_quickack),
		cmocka_unit_test(window_shrinks_with_data_and_follows_credit),
		cmocka_unit_test(window_update_when_a_quarter_is_new),
		cmocka_unit_test(closed_window_opens_by_any_credit),
		cmocka_unit_test(closed_window_opens_by_a_unit),
		cmocka_unit_test(a_buffer_becomes_small),
		cmocka_unit_test(scaled_edge_never_moves_left_nor_beyond_credit),
		cmocka_unit_test(unexpressible_credit_ends_in_silence),
		cmocka_unit_test(holes_without_sack_get_one_duplicate_each),
		cmocka_unit_test(duplicates_owed_have_a_limit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_ack", tests, NULL, NULL);
}
