/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/sack.c: blocks we report, blocks that are reported to us. */
#include "engine_test.h"

#define expect_block(f, i, s, e) \
	do { \
		assert_int_equal(get32((f)->out.opts + 4 + 8 * (i)), s); \
		assert_int_equal(get32((f)->out.opts + 8 + 8 * (i)), e); \
	} while (0)

static void newest_block_first(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV + 2000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(f->out.opt_len, 12);
	expect_block(f, 0, RCV + 2000, RCV + 3000);
	in(f, RCV + 4000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(f->out.opt_len, 20);
	expect_block(f, 0, RCV + 4000, RCV + 5000);
	expect_block(f, 1, RCV + 2000, RCV + 3000);
	/* joins both */
	in(f, RCV + 3000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(f->out.opt_len, 12);
	expect_block(f, 0, RCV + 2000, RCV + 5000);
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 5000, T0);
	assert_int_equal(f->out.opt_len, 0);
	finish(f);
}

static void four_blocks_or_three_beside_a_timestamp(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	start(f);
	for (uint32_t i = 1; i <= 5; i++) {
		in(f, RCV + 2000 * i, SND, TE_ACK, 100, T0);
		expect_ack(f, RCV, T0);
	}
	assert_int_equal(f->out.opt_len, 36);
	expect_block(f, 3, RCV + 4000, RCV + 4100);
	finish(f);

	f = prepare();
	f->st.flags |= TOE_MT_TSTAMP;
	start(f);
	for (uint32_t i = 1; i <= 5; i++) {
		in(f, RCV + 2000 * i, SND, TE_ACK, 100, T0);
		expect_ack(f, RCV, T0);
	}
	assert_int_equal(f->out.opt_len, 40);
	assert_int_equal(f->out.opts[15], 26);
	finish(f);
}

static void duplicate_out_of_order_segment_is_reported_first(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV + 2000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	in(f, RCV + 4000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	in(f, RCV + 2000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	expect_block(f, 0, RCV + 2000, RCV + 3000);
	expect_none(f, T0);
	finish(f);
}

static void nonsense_blocks_are_ignored(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	sack_opts(f, SND + 1000, SND + 5000, SND + 3000, SND + 2000);
	ack_in(f, SND, AT(1));		/* beyond snd_max; backwards */
	assert_int_equal(f->c.sacked, 0);
	sack_opts(f, SND, SND + 1000, SND + 0x80000000, SND + 0x80001000);
	ack_in(f, SND, AT(1));		/* no hole before it; far away */
	assert_int_equal(f->c.sacked, 0);
	assert_int_equal(f->c.ca_state, TOE_CA_OPEN);
	assert_int_equal(f->c.n.sack_discards, 4);
	finish(f);
}

static void blocks_may_split_segments(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	sack_opts(f, SND + 1300, SND + 1700, 0, 0);
	ack_in(f, SND, AT(1));
	assert_int_equal(f->c.sacked, 400);
	sack_opts(f, SND + 1500, SND + 3000, SND + 1300, SND + 1700);
	ack_in(f, SND, AT(2));
	assert_int_equal(f->c.sacked, 1700);
	/* an acknowledgement into a SACKed run */
	f->opt_len = 0;
	ack_in(f, SND + 2000, AT(3));
	assert_int_equal(f->c.sacked, 1000);
	finish(f);
}

static void dsack_is_counted_and_marks_nothing(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	ack_in(f, SND + 2000, AT(1));
	sack_opts(f, SND, SND + 1000, 0, 0);
	ack_in(f, SND + 2000, AT(2));
	assert_int_equal(f->c.n.dsack_dups, 1);
	assert_int_equal(f->c.sacked, 0);
	finish(f);
}

/* Segments cut from one by TSO repeat its options; acknowledgements say it anew. */
static void dsack_of_one_write_counts_once(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	ack_in(f, SND + 2000, AT(1));
	sack_opts(f, SND, SND + 1000, 0, 0);
	in(f, RCV, SND + 2000, TE_ACK, 1000, AT(2));
	in(f, RCV + 1000, SND + 2000, TE_ACK, 1000, AT(2));
	in(f, RCV + 2000, SND + 2000, TE_ACK, 500, AT(2));
	assert_int_equal(f->c.n.dsack_recv, 1);
	assert_int_equal(f->c.n.dsack_dups, 1);
	/* another block; another acknowledgement; not what follows */
	sack_opts(f, SND + 1000, SND + 2000, 0, 0);
	in(f, RCV + 2500, SND + 2000, TE_ACK, 500, AT(3));
	assert_int_equal(f->c.n.dsack_recv, 2);
	in(f, RCV + 3000, SND + 3000, TE_ACK, 500, AT(3));
	assert_int_equal(f->c.n.dsack_recv, 3);
	in(f, RCV + 4500, SND + 3000, TE_ACK, 500, AT(3));
	assert_int_equal(f->c.n.dsack_recv, 4);
	ack_in(f, SND + 3000, AT(4));
	ack_in(f, SND + 3000, AT(4));
	assert_int_equal(f->c.n.dsack_recv, 6);
	finish(f);
}

/* RFC 2883 4: what came twice is the first block, once. */
static void old_duplicate_is_told_once(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 2000, T0);
	in(f, RCV, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 2000, T0);
	assert_int_equal(f->out.opt_len, 12);
	expect_block(f, 0, RCV, RCV + 1000);
	in(f, RCV + 2000, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 4000, T0);
	assert_int_equal(f->out.opt_len, 0);
	finish(f);
}

static void overlap_is_told_as_far_as_it_goes(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 2000, T0);
	in(f, RCV + 1500, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 2500, T0);
	expect_block(f, 0, RCV + 1500, RCV + 2000);
	assert_int_equal(f->placed, 2500);
	finish(f);
}

/* A retransmission that fills the hole and reaches into what is held behind it. */
static void overlap_with_what_is_held_is_told(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV + 1000, SND, TE_ACK, 2000, T0);
	in(f, RCV + 4000, SND, TE_ACK, 1000, T0);
	in(f, RCV + 7000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	in(f, RCV, SND, TE_ACK, 6000, AT(1));
	expect_ack(f, RCV + 6000, AT(1));
	assert_int_equal(f->out.opt_len, 4 + 2 * 8);
	expect_block(f, 0, RCV + 1000, RCV + 3000);
	expect_block(f, 1, RCV + 7000, RCV + 8000);
	in(f, RCV + 6000, SND, TE_ACK, 1500, AT(2));
	expect_ack(f, RCV + 8000, AT(2));
	assert_int_equal(f->out.opt_len, 4 + 8);
	expect_block(f, 0, RCV + 7000, RCV + 7500);
	finish(f);
}

/* RFC 2883 4.1.2: the block it lies in follows; with timestamps three in all. */
static void duplicate_behind_a_hole(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags |= TOE_MT_TSTAMP;
	start(f);
	for (uint32_t i = 1; i <= 3; i++) {
		in(f, RCV + 3000 * i, SND, TE_ACK, 2000, T0);
		expect_ack(f, RCV, T0);
	}
	in(f, RCV + 4000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(f->out.opt_len, 12 + 4 + 3 * 8);
	assert_int_equal(get32(f->out.opts + 16), RCV + 4000);
	assert_int_equal(get32(f->out.opts + 20), RCV + 5000);
	assert_int_equal(get32(f->out.opts + 24), RCV + 3000);
	assert_int_equal(get32(f->out.opts + 28), RCV + 5000);
	assert_int_equal(get32(f->out.opts + 32), RCV + 9000);
	in(f, RCV + 12000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(get32(f->out.opts + 16), RCV + 12000);
	finish(f);
}

static void two_duplicates_in_a_row_are_one(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 4000, T0);
	expect_ack(f, RCV + 4000, T0);
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	in(f, RCV + 2000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 4000, T0);
	expect_block(f, 0, RCV + 1000, RCV + 3000);
	finish(f);
}

static void duplicate_takes_its_room_from_the_payload(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 2000, T0);
	in(f, RCV, SND, TE_ACK, 1000, T0);
	te_post(&f->c, SND + 2000, true, T0);
	expect_data(f, SND, 988, T0);
	expect_block(f, 0, RCV, RCV + 1000);
	expect_data(f, SND + 988, 1000, T0);
	finish(f);
}

static void without_sack_duplicates_are_only_acknowledged(void **state)
{
	struct fixture *f = prepare();

	(void)state;
	f->st.flags &= ~TOE_MT_SACK;
	start(f);
	in(f, RCV, SND, TE_ACK, 2000, T0);
	expect_ack(f, RCV + 2000, T0);
	in(f, RCV, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV + 2000, T0);
	assert_int_equal(f->out.opt_len, 0);
	finish(f);
}

/* RFC 2883 5, untrusted: not of what was never sent, nor of what is long gone. */
static void impossible_duplicates_are_ignored(void **state)
{
	struct fixture *f = started();

	(void)state;
	send_segs(f, 4, T0);
	ack_in(f, SND + 2000, AT(1));
	sack_opts(f, SND + 1000, SND + 5000, 0, 0);
	ack_in(f, SND + 2000, AT(2));
	sack_opts(f, SND + 2000 - 60001, SND + 1000, 0, 0);
	ack_in(f, SND + 2000, AT(2));
	sack_opts(f, SND + 1000, SND + 500, 0, 0);
	ack_in(f, SND + 2000, AT(2));
	assert_int_equal(f->c.n.dsack_dups, 0);
	assert_int_equal(f->c.n.dsack_recv, 3);
	assert_int_equal(f->c.n.dsack_old, 3);
	assert_int_equal(f->c.n.dsack_recv_segs, 0);
	finish(f);
}

/* With no memory but the inline runs SACK information is forgotten, nothing else. */
static void without_memory_it_forgets(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->eng.conn_runs = 0;
	f->c.snd_cwnd = 60000;
	te_post(&f->c, SND + 40000, false, T0);
	for (int i = 0; i < 40; i++)
		assert_true(out(f, AT(i)));
	assert_int_equal(te_snd_max(&f->c), SND + 40000);
	for (uint32_t i = 1; i < 39; i += 4) {
		sack_opts(f, SND + i * 1000, SND + i * 1000 + 1000,
			  SND + i * 1000 + 2000, SND + i * 1000 + 3000);
		ack_in(f, SND, AT(50));
		while (out(f, AT(50)))
			assert_true(f->out.len <= 1000);
	}
	f->opt_len = 0;
	te_timeout(&f->eng, &f->c, AT(1000));
	while (te_snd_una(&f->c) != SND + 40000) {
		assert_true(out(f, AT(1000)));
		assert_true(f->out.retrans);
		ack_in(f, f->out.seq + f->out.len, AT(1001));
	}
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_block_first),
		cmocka_unit_test(four_blocks_or_three_beside_a_timestamp),
		cmocka_unit_test(duplicate_out_of_order_segment_is_reported_first),
		cmocka_unit_test(nonsense_blocks_are_ignored),
		cmocka_unit_test(blocks_may_split_segments),
		cmocka_unit_test(dsack_is_counted_and_marks_nothing),
		cmocka_unit_test(dsack_of_one_write_counts_once),
		cmocka_unit_test(old_duplicate_is_told_once),
		cmocka_unit_test(overlap_is_told_as_far_as_it_goes),
		cmocka_unit_test(overlap_with_what_is_held_is_told),
		cmocka_unit_test(duplicate_behind_a_hole),
		cmocka_unit_test(two_duplicates_in_a_row_are_one),
		cmocka_unit_test(duplicate_takes_its_room_from_the_payload),
		cmocka_unit_test(without_sack_duplicates_are_only_acknowledged),
		cmocka_unit_test(impossible_duplicates_are_ignored),
		cmocka_unit_test(without_memory_it_forgets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_sack", tests, NULL, NULL);
}
