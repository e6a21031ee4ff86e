/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Config space and the register BAR, as the front alone answers for them. */
#include <sys/eventfd.h>
#include <unistd.h>
#include "../front/front.h"
#include "kit.h"

static struct front f;
static struct card_shm shm;

/* A front whose device process is an eventfd. */
static void front(enum front_child_state state)
{
	memset(&f, 0, sizeof(f));
	memset(&shm, 0, sizeof(shm));
	f.shm = &shm;
	f.client = f.wire_fd = -1;
	f.opts.cfg.pairs = 3;
	f.child.state = state;
	f.child.quit = true;		/* so that nothing is started */
	f.child.ctrl = -1;
	f.child.kick = eventfd(0, EFD_NONBLOCK);
	front_config_reset(&f);
}

static bool kicked(void)
{
	uint64_t n;

	return read(f.child.kick, &n, 8) == 8;
}

static void done(void)
{
	close(f.child.kick);
}

/* What config space holds after a reset, where it isn't zero. */
static const struct {
	uint16_t off;
	uint8_t val;
} after_reset[] = {
	{ 0x00, 0x36 }, { 0x01, 0x1b }, { 0x02, 0xe0 }, { 0x03, 0x70 }, { 0x06, 0x10 },
	{ 0x08, 0x01 }, { 0x0b, 0x02 }, { 0x2c, 0x36 }, { 0x2d, 0x1b }, { 0x2e, 0xe0 },
	{ 0x2f, 0x70 }, { 0x34, 0x40 }, { 0x40, 0x01 }, { 0x41, 0x50 }, { 0x42, 0x03 },
	{ 0x44, 0x08 }, { 0x50, 0x11 }, { 0x51, 0x60 }, { 0x52, 0x08 }, { 0x54, 0x01 },
	{ 0x58, 0x01 }, { 0x59, 0x08 }, { 0x60, 0x10 }, { 0x62, 0x02 }, { 0x65, 0x80 },
	{ 0x67, 0x10 }, { 0x68, 0x10 }, { 0x69, 0x28 }, { 0x6c, 0x11 }, { 0x72, 0x11 },
	{ 0x84, 0x10 }, { 0x8c, 0x02 },
};

/* Which bits may be written. */
static const struct {
	uint16_t off;
	uint8_t mask;
} writable[] = {
	{ 0x04, 0x46 }, { 0x05, 0x05 }, { 0x0c, 0xff }, { 0x12, 0xff }, { 0x13, 0xff },
	{ 0x15, 0xf0 }, { 0x16, 0xff }, { 0x17, 0xff }, { 0x3c, 0xff }, { 0x44, 0x03 },
	{ 0x53, 0xc0 }, { 0x68, 0xff }, { 0x69, 0x78 }, { 0x70, 0xc3 }, { 0x88, 0x1f },
};

static void expected(uint8_t *bytes, uint8_t *mask)
{
	unsigned int i;

	memset(bytes, 0, FRONT_CONFIG_BYTES);
	memset(mask, 0, FRONT_CONFIG_BYTES);
	for (i = 0; i < sizeof(after_reset) / sizeof(after_reset[0]); i++)
		bytes[after_reset[i].off] = after_reset[i].val;
	for (i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
		mask[writable[i].off] = writable[i].mask;
}

static void every_byte(void)
{
	static uint8_t want[FRONT_CONFIG_BYTES], mask[FRONT_CONFIG_BYTES], ones[FRONT_CONFIG_BYTES];
	unsigned int i;

	expected(want, mask);
	front(FRONT_DEAD);
	CHECK(!memcmp(f.config, want, sizeof(want)));
	for (i = 0; i < FRONT_CONFIG_BYTES; i++) {
		uint8_t all = i == 0x69 ? 0x7f : 0xff, none = 0;

		front_config_write(&f, i, &all, 1);
		CHECK_EQ(f.config[i], (want[i] & ~mask[i]) | (all & mask[i]));
		front_config_write(&f, i, &none, 1);
		CHECK_EQ(f.config[i], want[i] & ~mask[i]);
	}
	/* All at once: bytes keep their places. */
	memset(ones, 0xff, sizeof(ones));
	ones[0x69] = 0x7f;
	front_config_write(&f, 0, ones, sizeof(ones));
	for (i = 0; i < FRONT_CONFIG_BYTES; i++)
		CHECK_EQ(f.config[i], (want[i] & ~mask[i]) | (ones[i] & mask[i]));
	front_config_reset(&f);
	CHECK(!memcmp(f.config, want, sizeof(want)));
	done();
}

static void write8(uint32_t off, uint8_t val)
{
	front_config_write(&f, off, &val, 1);
}

static void flr_resets(void)
{
	front(FRONT_RUNNING);
	write8(0x0c, 0x77);
	write8(0x69, 0x7f);
	write8(0x68, 0xff);
	CHECK_EQ(f.child.state, FRONT_RUNNING);
	CHECK_EQ(shm.stop, 0);
	write8(0x69, 0x80);
	CHECK_EQ(f.child.state, FRONT_STOPPING);
	CHECK_EQ(shm.stop, 1);
	CHECK(kicked());
	CHECK_EQ(f.config[0x0c], 0);
	CHECK_EQ(f.config[0x69], 0x28);
	done();
}

/* Bus mastering needs its bit, and power. */
static void bus_mastering(void)
{
	front(FRONT_RUNNING);
	CHECK_EQ(shm.bus_master, 0);
	shm.sleeping = 1;
	write8(0x04, 0x04);
	CHECK_EQ(shm.bus_master, 1);
	CHECK(kicked());
	write8(0x04, 0x06);
	CHECK(!kicked());			/* no change */
	write8(0x44, 1);
	CHECK_EQ(shm.bus_master, 0);
	CHECK(kicked());
	write8(0x44, 2);
	CHECK_EQ(shm.bus_master, 0);
	write8(0x44, 0);
	CHECK_EQ(shm.bus_master, 1);
	CHECK(kicked());
	write8(0x04, 0x02);
	CHECK_EQ(shm.bus_master, 0);
	write8(0x04, 0x04);
	front_config_reset(&f);
	CHECK_EQ(shm.bus_master, 0);
	CHECK(kicked());
	/* Awake, it sees by itself. */
	shm.sleeping = 0;
	write8(0x04, 0x04);
	CHECK(!kicked());
	f.child.state = FRONT_DEAD;
	shm.sleeping = 1;
	write8(0x04, 0);
	CHECK(!kicked());
	done();
}

static uint64_t read_bar(uint64_t off, uint32_t len)
{
	uint8_t data[9];
	uint64_t val = 0;

	memset(data, 0x5a, sizeof(data));
	front_bar_read(&f, off, data, len);
	CHECK_EQ(data[len], 0x5a);
	memcpy(&val, data, len);
	return val;
}

static void reading_registers(void)
{
	uint64_t off;
	uint32_t bad = 0;

	front(FRONT_RUNNING);
	for (off = 0; off < CARD_REG_WORDS; off++)
		card_shm_set(&shm, off * 4, 0x1000000 + off * 4);
	for (off = 0; off < 0x1100; off++) {
		const struct card_reg *r = off % 4 ? NULL : card_reg_find(off);

		bad += !r;
		CHECK_EQ(read_bar(off, 4), r && (r->access & CARD_REG_R) ? 0x1000000 + off : 0);
		CHECK_EQ(shm.reg_errors, bad);
	}
	CHECK_EQ(read_bar(TOE_BAR_BYTES - 4, 4), 0);
	CHECK_EQ(shm.reg_errors, bad + 1);
	CHECK_EQ(read_bar(0, 1), 0);
	CHECK_EQ(read_bar(0, 2), 0);
	CHECK_EQ(read_bar(0, 8), 0);
	CHECK_EQ(read_bar(0, 3), 0);
	CHECK_EQ(shm.reg_errors, bad + 5);
	/* On its way out it isn't ready any more; dead it answers all ones. */
	f.child.state = FRONT_STOPPING;
	CHECK_EQ(read_bar(TOE_REG_STATUS, 4), 0);
	CHECK_EQ(read_bar(TOE_REG_MAC_LO, 4), 0x1000000 + TOE_REG_MAC_LO);
	CHECK_EQ(shm.reg_errors, bad + 5);
	f.child.state = FRONT_DEAD;
	CHECK_EQ(read_bar(0, 4), 0xffffffff);
	CHECK_EQ(read_bar(2, 2), 0xffff);
	CHECK_EQ(read_bar(0x900, 8), UINT64_MAX);
	CHECK_EQ(shm.reg_errors, bad + 5);
	done();
}

static void write_bar(uint64_t off, uint32_t val, uint32_t len)
{
	uint8_t data[8] = { val, val >> 8, val >> 16, val >> 24 };

	front_bar_write(&f, off, data, len);
}

static void writing_registers(void)
{
	struct card_reg_write w = { 0 };
	uint32_t off, bad = 0;

	front(FRONT_RUNNING);
	shm.sleeping = 1;
	for (off = 0; off < 0x1100; off++) {
		const struct card_reg *r = off % 4 ? NULL : card_reg_find(off);
		int bell = card_reg_doorbell(off, 3);

		write_bar(off, 0x12345600, 4);
		CHECK_EQ(shm.doorbells, bell < 0 ? 0 : 1u << bell);
		shm.doorbells = 0;
		if (r && (r->access & CARD_REG_W)) {
			CHECK(card_shm_pop(&shm, &w));
			CHECK(w.off == off && w.val == 0x12345600);
			CHECK(kicked());
		} else if (bell < 0) {
			CHECK_EQ(shm.reg_errors, ++bad);
			CHECK(!kicked());
		} else {
			CHECK(kicked());
		}
		CHECK(!card_shm_pop(&shm, &w));
		CHECK_EQ(shm.reg_errors, bad);
	}
	write_bar(TOE_REG_ADMIN_SIZE, 1, 1);
	write_bar(TOE_REG_ADMIN_SIZE, 1, 2);
	write_bar(TOE_REG_ADMIN_SIZE, 1, 8);
	write_bar(TOE_REG_DOORBELL_ADMIN, 1, 2);
	write_bar(TOE_BAR_BYTES - 4, 1, 4);
	CHECK_EQ(shm.reg_errors, bad + 5);
	CHECK(!card_shm_pop(&shm, &w));
	CHECK_EQ(shm.doorbells, 0);
	done();
}

static void a_host_that_writes_too_fast(void)
{
	unsigned int i;

	front(FRONT_RUNNING);
	card_shm_set(&shm, TOE_REG_STATUS, TOE_STATUS_READY);
	for (i = 0; i < CARD_REG_WRITES; i++)
		write_bar(TOE_REG_ADMIN_SIZE, i, 4);
	CHECK_EQ(card_shm_get(&shm, TOE_REG_STATUS), TOE_STATUS_READY);
	write_bar(TOE_REG_ADMIN_SIZE, i, 4);
	CHECK_EQ(card_shm_get(&shm, TOE_REG_STATUS), TOE_STATUS_READY | TOE_STATUS_FATAL);
	done();
}

static void nothing_is_written_to_the_dead(void)
{
	struct card_reg_write w;

	front(FRONT_DEAD);
	write_bar(TOE_REG_ADMIN_SIZE, 1, 4);
	write_bar(TOE_REG_DOORBELL_ADMIN, 1, 4);
	CHECK(!card_shm_pop(&shm, &w) && !shm.doorbells);
	f.child.state = FRONT_STOPPING;
	write_bar(TOE_REG_ADMIN_SIZE, 1, 4);
	write_bar(TOE_REG_DOORBELL_ADMIN, 1, 4);
	CHECK(!card_shm_pop(&shm, &w) && !shm.doorbells);
	CHECK_EQ(shm.reg_errors, 0);
	done();
}

static void reset_by_register(void)
{
	struct card_reg_write w = { 0 };
	uint64_t before;

	front(FRONT_RUNNING);
	write_bar(TOE_REG_CONTROL, TOE_CONTROL_ENABLE, 4);
	CHECK(card_shm_pop(&shm, &w) && w.val == TOE_CONTROL_ENABLE);
	before = front_clock_us();
	write_bar(TOE_REG_CONTROL, TOE_CONTROL_RESET | TOE_CONTROL_ENABLE, 4);
	CHECK(!card_shm_pop(&shm, &w));
	CHECK_EQ(f.child.state, FRONT_STOPPING);
	CHECK_EQ(shm.stop, 1);
	CHECK(kicked());
	CHECK(f.child.stop_deadline >= before + 200000);
	CHECK(f.child.stop_deadline <= front_clock_us() + 200000);
	done();
}

static const struct kit_test tests[] = {
	KIT_TEST(every_byte),
	KIT_TEST(flr_resets),
	KIT_TEST(bus_mastering),
	KIT_TEST(reading_registers),
	KIT_TEST(writing_registers),
	KIT_TEST(a_host_that_writes_too_fast),
	KIT_TEST(nothing_is_written_to_the_dead),
	KIT_TEST(reset_by_register),
};
KIT_MAIN(tests)
