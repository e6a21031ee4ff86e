/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* engine/options.c: what hostile and odd option lists do. */
#include "engine_test.h"

static struct te_opts parse(const void *opts, uint32_t len)
{
	/* exactly sized, so that a byte read too far is seen by the sanitizer */
	uint8_t *copy = malloc(len ? len : 1);
	struct te_seg seg = { .opts = copy, .opt_len = len };
	struct te_opts o;

	memcpy(copy, opts, len);
	memset(&o, 0xff, sizeof(o));
	te_opts_parse(&seg, &o);
	free(copy);
	return o;
}

static void timestamps_in_any_place(void **state)
{
	static const uint8_t aligned[] = { 1, 1, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4 };
	static const uint8_t late[] = { 8, 10, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0 };
	static const uint8_t mixed[] = { 254, 4, 9, 9, 8, 10, 0, 0, 1, 2, 0, 0, 3, 4, 1, 1 };
	struct te_opts o;

	(void)state;
	o = parse(aligned, sizeof(aligned));
	assert_true(o.has_ts && o.tsval == 258 && o.tsecr == 772 && !o.nsack && !o.refuse);
	o = parse(late, sizeof(late));
	assert_true(o.has_ts && o.tsval == 258 && o.tsecr == 772);
	o = parse(mixed, sizeof(mixed));
	assert_true(o.has_ts && o.tsval == 258 && o.tsecr == 772);
}

static void broken_lists_end_quietly(void **state)
{
	static const uint8_t zero[] = { 8, 0, 8, 10 };
	static const uint8_t one[] = { 8, 1, 1, 1 };
	static const uint8_t cut[] = { 1, 1, 1, 8 };
	static const uint8_t beyond[] = { 8, 10, 1, 2 };
	static const uint8_t wrong_ts[] = { 8, 9, 1, 2, 3, 4, 5, 6, 7, 1, 1, 1 };
	static const uint8_t wrong_sack[] = { 5, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1 };
	static const uint8_t ended[] = { 0, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9 };

	(void)state;
	assert_false(parse(zero, 4).has_ts);
	assert_false(parse(one, 4).has_ts);
	assert_false(parse(cut, 4).has_ts);
	assert_false(parse(beyond, 4).has_ts);
	assert_false(parse(wrong_ts, 12).has_ts);
	assert_int_equal(parse(wrong_sack, 12).nsack, 0);
	assert_false(parse(ended, 12).has_ts);
	assert_false(parse("", 0).has_ts);
}

static void at_most_four_blocks(void **state)
{
	uint8_t opts[40] = { 5, 34 };
	struct te_opts o;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		put32(opts + 2 + 8 * i, 10 * i);
		put32(opts + 6 + 8 * i, 10 * i + 5);
	}
	o = parse(opts, 40);
	assert_int_equal(o.nsack, 4);
	assert_int_equal(o.sack[3].end, 35);
	opts[1] = 40;	/* no such length */
	assert_int_equal(parse(opts, 40).nsack, 0);
}

static void authenticated_segments_are_dropped(void **state)
{
	struct fixture *f = started();

	(void)state;
	f->opts[0] = 19;
	f->opts[1] = 18;
	f->opt_len = 20;
	assert_int_equal(in(f, RCV, SND, TE_ACK | TE_FIN, 100, T0), 0);
	f->opts[0] = 29;
	assert_int_equal(in(f, RCV, SND, TE_ACK, 100, T0), 0);
	assert_int_equal(f->placed, 0);
	assert_int_equal(f->c.n.in_errs, 2);
	expect_none(f, T0);
	finish(f);
}

static void all_short_lists_are_safe(void **state)
{
	uint32_t x = 12345;

	(void)state;
	for (int n = 0; n < 200000; n++) {
		static const uint8_t kinds[] = { 0, 1, 5, 8, 19, 29, 3, 255 };
		uint8_t opts[40];
		uint32_t len;

		for (int i = 0; i < 40; i++) {
			x = x * 1664525 + 1013904223;
			opts[i] = x >> 31 ? kinds[x >> 8 & 7] : (uint8_t)(x >> 16) % 42;
		}
		len = (x >> 10) % 41;
		assert_true(parse(opts, len).nsack <= TE_SACKS);
	}
}

static void unnegotiated_timestamps_are_ignored(void **state)
{
	struct fixture *f = started();

	(void)state;
	ts_opts(f, 0x80000000, 5);
	in(f, RCV, SND, TE_ACK, 2000, T0);
	assert_int_equal(f->placed, 2000);
	expect_ack(f, RCV + 2000, T0);
	assert_int_equal(f->out.opt_len, 0);
	finish(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timestamps_in_any_place),
		cmocka_unit_test(broken_lists_end_quietly),
		cmocka_unit_test(at_most_four_blocks),
		cmocka_unit_test(authenticated_segments_are_dropped),
		cmocka_unit_test(all_short_lists_are_safe),
		cmocka_unit_test(unnegotiated_timestamps_are_ignored),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("engine_options", tests, NULL, NULL);
}
