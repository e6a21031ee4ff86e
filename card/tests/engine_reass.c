/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/reass.c and engine/pool.c: out-of-order payload and its limits. */
#include "engine_test.h"

static void holes_are_filled_in_any_order(void **state)
{
	static const uint32_t order[] = { 5, 3, 1, 7, 2, 6, 4, 0 };
	struct fixture *f = started();
	unsigned int ev = 0;

	(void)state;
	for (int i = 0; i < 8; i++)
		ev = in(f, RCV + 1000 * order[i], SND, TE_ACK, 1000, T0);
	assert_true(ev & TE_EV_PUSH);
	assert_int_equal(f->placed, 8000);
	assert_int_equal(f->eng.blocks_used, 0);
	assert_int_equal(f->c.n.ooo_segs, 7);
	finish(f);
}

static void overlaps_are_stored_once(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	in(f, RCV + 3000, SND, TE_ACK, 1000, T0);
	in(f, RCV + 500, SND, TE_ACK, 5000, T0);	/* around both */
	in(f, RCV + 700, SND, TE_ACK, 100, T0);		/* inside */
	in(f, RCV, SND, TE_ACK, 600, T0);
	assert_int_equal(f->placed, 5500);
	assert_int_equal(f->eng.blocks_used, 0);
	finish(f);
}

static void small_segments_share_a_block(void **state)
{
	struct fixture *f = started();

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		in(f, RCV + 10 + 10 * i, SND, TE_ACK, 10, T0);
	assert_int_equal(f->eng.blocks_used, 1);
	in(f, RCV, SND, TE_ACK, 10, T0);
	assert_int_equal(f->placed, 1010);
	finish(f);
}

static void large_segments_take_several(void **state)
{
	struct fixture *f = started();

	(void)state;
	in(f, RCV + 1, SND, TE_ACK | TE_PSH, 9000, T0);
	assert_in_range(f->eng.blocks_used, 5, 5);
	in(f, RCV, SND, TE_ACK, 1, T0);
	assert_int_equal(f->placed, 9001);
	assert_int_equal(f->pushes, 1);
	finish(f);
}

/* A peer that sends every other byte gets its limit and no more. */
static void limit_of_one_connection(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->eng.conn_blocks = 4;
	for (uint32_t i = 0; i < 20; i++)
		in(f, RCV + 1 + 2 * i, SND, TE_ACK, 1, T0);
	assert_int_equal(f->eng.blocks_used, 4);
	assert_true(out(f, T0));
	/* what wasn't stored isn't SACKed either */
	assert_int_equal(get32(f->out.opts + 4), RCV + 7);
	assert_int_equal(get32(f->out.opts + 8), RCV + 8);
	in(f, RCV, SND, TE_ACK, 40, T0);
	assert_int_equal(f->placed, 40);
	assert_int_equal(f->eng.blocks_used, 0);
	finish(f);
}

static void segment_stored_in_part_is_reported_in_part(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->eng.conn_blocks = 1;
	in(f, RCV + 1000, SND, TE_ACK, 9000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(get32(f->out.opts + 4), RCV + 1000);
	assert_int_equal(get32(f->out.opts + 8), RCV + 1000 + TE_BLOCK_DATA);
	finish(f);
}

static void without_a_pool_it_still_works(void **state)
{
	struct fixture *f = prepare();
	struct te_config cfg = { .ops = &test_ops, .ctx = f };

	(void)state;
	assert_int_equal(te_engine_init(&f->eng, &cfg), 0);
	start(f);
	in(f, RCV + 1000, SND, TE_ACK, 1000, T0);
	expect_ack(f, RCV, T0);
	assert_int_equal(f->out.opt_len, 0);
	in(f, RCV, SND, TE_ACK, 1000, T0);
	assert_int_equal(f->placed, 1000);
	send_segs(f, 5, T0);
	finish(f);
}

static void release_gives_everything_back(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->c.snd_cwnd = 60000;
	for (int i = 0; i < 20; i++)
		send_segs(f, 1, AT(i));
	in(f, RCV + 1000, SND, TE_ACK, 9000, T0);
	in(f, RCV + 20000, SND, TE_ACK, 9000, T0);
	assert_true(f->eng.blocks_used && f->eng.runs_used);
	finish(f);
}

static void bad_configurations_are_refused(void **state)
{
	static const struct te_ops none;
	uint64_t pool[64];
	struct te_engine e;
	struct te_config cfg = { .ops = NULL };

	(void)state;
	assert_int_equal(te_engine_init(&e, &cfg), -1);
	cfg.ops = &none;
	assert_int_equal(te_engine_init(&e, &cfg), -1);
	cfg.ops = &test_ops;
	cfg.pool = (uint8_t *)pool + 1;
	cfg.pool_bytes = 128;
	assert_int_equal(te_engine_init(&e, &cfg), -1);
	cfg.pool = NULL;
	assert_int_equal(te_engine_init(&e, &cfg), -1);
}

/* Every run and every block that fits, and each of them again when it was given back. */
static void pool_is_used_to_its_end(void **state)
{
	struct fixture *f = prepare();
	struct te_config cfg = { .ops = &test_ops, .ctx = f, .conn_pool_bytes = 1 << 20 };
	struct te_run *run[TE_INLINE_RUNS + 8];
	struct te_block *block[28];
	uint32_t i;

	(void)state;
	cfg.pool = f->pool;
	cfg.pool_bytes = 8 * 8 * sizeof(struct te_run);	/* an eighth: eight runs */
	assert_int_equal(te_engine_init(&f->eng, &cfg), 0);
	start(f);
	for (i = 0; i < TE_INLINE_RUNS + 8; i++) {
		assert_true(te_runs_room(&f->eng, &f->c));
		run[i] = te_run_get(&f->eng, &f->c);
		assert_non_null(run[i]);
	}
	assert_false(te_runs_room(&f->eng, &f->c));
	assert_null(te_run_get(&f->eng, &f->c));
	assert_null(te_block_get(&f->eng, &f->c));
	assert_int_equal(f->c.nruns, 8);
	te_run_put(&f->eng, &f->c, run[5]);
	assert_ptr_equal(te_run_get(&f->eng, &f->c), run[5]);
	while (i)
		te_run_put(&f->eng, &f->c, run[--i]);
	assert_int_equal(f->c.nruns, 0);
	assert_int_equal(f->c.run_mask, 7);
	finish(f);

	f = started();		/* seven eighths of it: 28 blocks */
	for (i = 0; i < 28; i++) {
		block[i] = te_block_get(&f->eng, &f->c);
		assert_non_null(block[i]);
	}
	assert_null(te_block_get(&f->eng, &f->c));
	te_block_put(&f->eng, &f->c, block[9]);
	assert_ptr_equal(te_block_get(&f->eng, &f->c), block[9]);
	while (i)
		te_block_put(&f->eng, &f->c, block[--i]);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_filled_in_any_order),
		cmocka_unit_test(overlaps_are_stored_once),
		cmocka_unit_test(small_segments_share_a_block),
		cmocka_unit_test(large_segments_take_several),
		cmocka_unit_test(limit_of_one_connection),
		cmocka_unit_test(segment_stored_in_part_is_reported_in_part),
		cmocka_unit_test(without_a_pool_it_still_works),
		cmocka_unit_test(release_gives_everything_back),
		cmocka_unit_test(bad_configurations_are_refused),
		cmocka_unit_test(pool_is_used_to_its_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_reass", tests, NULL, NULL);
}
