/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The register BAR, answered without asking the device process. */
#include <stdio.h>
#include <string.h>
#include "front.h"
#include "../device/regs.h"

static void count_error(struct front *f, const char *what, uint64_t off)
{
	atomic_fetch_add(&f->shm->reg_errors, 1);
	if (f->opts.cfg.verbose)
		fprintf(stderr, "toecard: host: %s at 0x%llx\n", what, (unsigned long long)off);
}

static uint32_t reg_read(struct front *f, uint64_t off, uint32_t len)
{
	const struct card_reg *r = off % 4 || len != 4 || off >= TOE_BAR_BYTES ?
				   NULL : card_reg_find(off);

	if (!r || !(r->access & CARD_REG_R)) {
		/* Reading a write-only register is harmless, all else a mistake. */
		if (!r)
			count_error(f, "bad register read", off);
		return 0;
	}
	/* While it is on its way out the old process must not look ready. */
	if (off == TOE_REG_STATUS && f->child.state == FRONT_STOPPING)
		return 0;
	return card_shm_get(f->shm, off);
}

/**
 * front_bar_read() - the host reads registers
 * @f: the front
 * @off: byte offset
 * @data: where the answer goes
 * @len: bytes
 */
void front_bar_read(struct front *f, uint64_t off, uint8_t *data, uint32_t len)
{
	uint32_t val;

	if (f->child.state == FRONT_DEAD) {
		memset(data, 0xff, len);
		return;
	}
	memset(data, 0, len);
	val = htole32(reg_read(f, off, len));
	if (len == 4)
		memcpy(data, &val, 4);
}

/**
 * front_bar_write() - the host writes a register
 * @f: the front
 * @off: byte offset
 * @data: value
 * @len: bytes
 */
void front_bar_write(struct front *f, uint64_t off, const uint8_t *data, uint32_t len)
{
	const struct card_reg *r;
	uint32_t val;
	int bell;

	if (len != 4 || off % 4 || off >= TOE_BAR_BYTES) {
		count_error(f, "bad register write", off);
		return;
	}
	memcpy(&val, data, 4);
	val = le32toh(val);
	if (off == TOE_REG_CONTROL && (val & TOE_CONTROL_RESET)) {
		front_child_reset(f);
		return;
	}
	if (f->child.state != FRONT_RUNNING)
		return;
	bell = card_reg_doorbell(off, f->opts.cfg.pairs);
	if (bell >= 0) {
		atomic_fetch_or(&f->shm->doorbells, 1u << bell);
		front_child_kick(f);
		return;
	}
	r = card_reg_find(off);
	if (!r || !(r->access & CARD_REG_W)) {
		count_error(f, "bad register write", off);
		return;
	}
	/* A host that writes faster than 256 registers per wake-up is broken. */
	if (!card_shm_push(f->shm, off, val))
		card_shm_set(f->shm, TOE_REG_STATUS,
			     card_shm_get(f->shm, TOE_REG_STATUS) | TOE_STATUS_FATAL);
	front_child_kick(f);
}
