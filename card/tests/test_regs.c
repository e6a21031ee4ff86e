/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Registers: what each reads as, who may write it and when, and where doorbells are. */
#include "kit.h"

#define R	CARD_REG_R
#define W	CARD_REG_W

static const struct {
	uint32_t off, access;
} map[] = {
	{ 0x00, R }, { 0x04, R }, { 0x08, R }, { 0x0c, R }, { 0x10, R }, { 0x14, R },
	{ 0x18, R }, { 0x1c, R }, { 0x20, R }, { 0x24, R }, { 0x28, R }, { 0x2c, R | W },
	{ 0x40, W }, { 0x44, W }, { 0x48, W }, { 0x4c, W }, { 0x50, W }, { 0x54, W },
	{ 0x58, W }, { 0x60, W }, { 0x64, W },
};

static uint32_t access_of(uint32_t off)
{
	unsigned int i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].off == off)
			return map[i].access;
	return 0;
}

static void every_offset(void)
{
	uint32_t off;

	for (off = 0; off < 0x2000; off++) {
		const struct card_reg *r = card_reg_find(off);

		CHECK_EQ(r ? r->access : 0, access_of(off));
		CHECK(!r || (r->off == off && r->name));
	}
}

static void doorbells(void)
{
	uint32_t off;
	int pairs;

	for (pairs = 1; pairs <= TOE_MAX_PAIRS; pairs++) {
		for (off = 0; off < 0x1100; off++) {
			bool is = off >= 0x1000 && off % 4 == 0 && off <= 0x1000 + 4u * pairs;

			CHECK_EQ((uint32_t)card_reg_doorbell(off, pairs),
				 is ? (off - 0x1000) / 4 : UINT32_MAX);
		}
	}
}

static void what_registers_read(void)
{
	struct card_config cfg = { .pairs = 3, .contexts = 500,
				   .mac = { 0x52, 0x82, 0x83, 0xf4, 0x85, 0x86 } };
	static struct card_shm shm;
	static const uint32_t want[] = {
		0x434f4554, 0x00010002, 0x3f, 0x1ff, 3, 500, 1024, 9000,
		0xf4838252, 0x8685, 0, 0,
	};
	unsigned int i;

	for (i = 0; i < CARD_REG_WORDS; i++)
		shm.regs[i] = i < sizeof(want) / 4 ? 0x5a5a5a5a : 0;
	card_regs_init(&shm, &cfg);
	for (i = 0; i < CARD_REG_WORDS; i++)
		CHECK_EQ(card_shm_get(&shm, i * 4), i < sizeof(want) / 4 ? want[i] : 0);
}

static uint64_t errors(struct host *h)
{
	return h->card.stats.reg_errors;
}

static void writes_to_what_is_not_writable(void)
{
	struct host *h = host_create(2, 16);
	uint32_t off, n = 0;

	host_reg(h, TOE_REG_CONTROL, 0);
	for (off = 0; off < 0x80; off++) {
		if (off == TOE_REG_CONTROL)
			continue;
		host_reg(h, off, 0);
		n += !(access_of(off) & W);
		CHECK_EQ(errors(h), n);
	}
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_MAGIC), TOE_MAGIC);
	host_destroy(h);
}

static bool alive(struct host *h)
{
	return host_admin(h, TOE_ADMIN_MTU, 1500, 0, 0, 0) == TOE_ST_OK;
}

static void the_admin_ring_is_fixed_while_it_runs(void)
{
	struct host *h = host_create(2, 16);
	uint64_t beat = host_alloc(h, 64);
	uint32_t off, n = 0;

	for (off = TOE_REG_ADMIN_SQ_LO; off <= TOE_REG_ADMIN_SIZE; off += 4) {
		host_reg(h, off, 0xdead0000);
		CHECK_EQ(errors(h), ++n);
	}
	host_reg(h, TOE_REG_HEARTBEAT_LO, beat);	/* this one may move */
	host_reg(h, TOE_REG_HEARTBEAT_HI, beat >> 32);
	CHECK_EQ(errors(h), n);
	host_sleep(h, 30000);
	CHECK(*(uint32_t *)host_ptr(h, beat) > 0);
	CHECK(alive(h));
	/* Nothing of what was refused has been kept. */
	host_reg(h, TOE_REG_CONTROL, 0);
	memset(h->admin.shadow, 0, 2 * sizeof(struct toe_shadow));
	memset(h->admin.ring[TOE_RING_CQ], 0, 16 * sizeof(struct toe_cqe));
	h->admin.prod[TOE_RING_SQ] = h->admin.cons = 0;
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
	CHECK(alive(h));
	host_destroy(h);
}

/* A ring of this size, with one of the addresses changed by @skew. */
static bool starts(uint32_t size, uint32_t reg, uint32_t skew)
{
	struct host *h = host_create(1, 16);
	bool ok;

	host_reg(h, TOE_REG_CONTROL, 0);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_CONTROL), 0);
	host_reg(h, TOE_REG_ADMIN_SIZE, size);
	if (reg)
		host_reg(h, reg, h->card.reg[reg / 4] + skew);
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
	ok = card_shm_get(&h->shm, TOE_REG_CONTROL) == TOE_CONTROL_ENABLE;
	CHECK_EQ(ok, h->card.enabled);
	CHECK_EQ(ok, card_shm_get(&h->shm, TOE_REG_STATUS) ==
		 (TOE_STATUS_READY | TOE_STATUS_LINK));
	CHECK_EQ(!ok, !!(card_shm_get(&h->shm, TOE_REG_STATUS) & TOE_STATUS_FATAL));
	host_destroy(h);
	return ok;
}

static void sizes_and_alignment_of_the_admin_ring(void)
{
	static const uint32_t regs[] = { TOE_REG_ADMIN_SQ_LO, TOE_REG_ADMIN_CQ_LO,
					 TOE_REG_ADMIN_SHADOW_LO };
	unsigned int i;

	for (i = 16; i <= 1024; i *= 2) {
		CHECK(starts(i, 0, 0));
		CHECK(!starts(i + 1, 0, 0));
		CHECK(!starts(i - 1, 0, 0));
	}
	CHECK(!starts(0, 0, 0));
	CHECK(!starts(8, 0, 0));
	CHECK(!starts(2048, 0, 0));
	CHECK(!starts(0x80000000, 0, 0));
	for (i = 0; i < 3; i++) {
		CHECK(!starts(16, regs[i], 1));
		CHECK(!starts(16, regs[i], 32));
		CHECK(starts(16, regs[i], 64));
	}
}

static void enabling_twice_changes_nothing(void)
{
	struct host *h = host_create(1, 16);

	CHECK(alive(h));
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
	CHECK_EQ(h->card.admin_sq.cons, 1);
	CHECK(alive(h));
	host_destroy(h);
}

static void disabling_ends_pairs(void)
{
	struct host *h = host_create(3, 16);
	unsigned int i;

	for (i = 0; i < 3; i++)
		host_pair_up(h, i, 16);
	host_reg(h, TOE_REG_CONTROL, 0);
	for (i = 0; i < 3; i++)
		CHECK(!h->card.pair[i].active);
	CHECK(!h->card.enabled);
	CHECK_EQ(h->card.admin_sq.size, 0);
	CHECK_EQ(h->card.admin_cq.size, 0);
	host_reg(h, TOE_REG_CONTROL, 0);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_CONTROL), 0);
	host_destroy(h);
}

static void reset_is_the_fronts(void)
{
	struct host *h = host_create(1, 16);

	CHECK(!h->card.want_reset);
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	CHECK(h->card.want_reset);
	CHECK(h->card.enabled);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_CONTROL), TOE_CONTROL_ENABLE);
	host_destroy(h);
}

/* A ring of writes with one writer and one reader, which may not lose any. */
static void writes_are_queued(void)
{
	static struct card_shm shm;
	struct card_reg_write w = { 0 };
	uint32_t i, turn;

	memset(&shm, 0, sizeof(shm));
	shm.writes_head = shm.writes_tail = UINT32_MAX - 300;
	for (turn = 0; turn < 4; turn++) {
		CHECK(!card_shm_pop(&shm, &w));
		for (i = 0; i < CARD_REG_WRITES; i++)
			CHECK(card_shm_push(&shm, i, turn + i));
		CHECK_EQ(shm.reg_overruns, turn);
		CHECK(!card_shm_push(&shm, 999, 999));
		CHECK_EQ(shm.reg_overruns, turn + 1);
		for (i = 0; i < CARD_REG_WRITES; i++) {
			CHECK(card_shm_pop(&shm, &w));
			CHECK(w.off == i && w.val == turn + i);
		}
	}
}

static const struct kit_test tests[] = {
	KIT_TEST(every_offset),
	KIT_TEST(doorbells),
	KIT_TEST(what_registers_read),
	KIT_TEST(writes_to_what_is_not_writable),
	KIT_TEST(the_admin_ring_is_fixed_while_it_runs),
	KIT_TEST(sizes_and_alignment_of_the_admin_ring),
	KIT_TEST(enabling_twice_changes_nothing),
	KIT_TEST(disabling_ends_pairs),
	KIT_TEST(reset_is_the_fronts),
	KIT_TEST(writes_are_queued),
};
KIT_MAIN(tests)
