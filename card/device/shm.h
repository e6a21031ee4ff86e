/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What the front and the device process share: one memfd, mapped by both.
 *
 * The front answers register reads from @regs without asking anyone; writes go
 * through a ring with one producer (front) and one consumer (device process).
 * Doorbells carry no value and are a bit each.
 */
#ifndef CARD_SHM_H
#define CARD_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "../../include/toe_hw.h"

#define CARD_REG_WORDS		(0x1000 / 4)
#define CARD_REG_WRITES		256	/* power of two */

struct card_reg_write {
	uint32_t off;
	uint32_t val;
};

/**
 * struct card_shm - registers, doorbells and flags
 * @regs: what register reads answer; the device process keeps it current, the
 *	front writes it only while no device process lives
 * @writes: register writes on their way to the device process
 * @writes_head: next slot the front fills
 * @writes_tail: next slot the device process reads
 * @doorbells: bit 0 the admin ring, bit 1 + n pair n
 * @sleeping: the device process (is about to) sleep: the front must kick it
 * @stop: the front asks the device process to end at its next safe point
 * @bus_master: PCI command register, bus master enable; the device process looks at
 *	the beginning of a turn
 * @reg_errors: accesses that the front refused
 * @reg_overruns: writes lost because the device process did not keep up
 */
struct card_shm {
	_Atomic uint32_t regs[CARD_REG_WORDS];
	struct card_reg_write writes[CARD_REG_WRITES];
	_Atomic uint32_t writes_head;
	_Atomic uint32_t writes_tail;
	_Atomic uint32_t doorbells;
	_Atomic uint32_t sleeping;
	_Atomic uint32_t stop;
	_Atomic uint32_t bus_master;
	_Atomic uint32_t reg_errors;
	_Atomic uint32_t reg_overruns;
};

#define CARD_DB_ADMIN		0x1u
#define CARD_DB_PAIR(n)		(0x2u << (n))

static inline uint32_t card_shm_get(struct card_shm *shm, uint32_t off)
{
	return atomic_load_explicit(&shm->regs[off / 4], memory_order_relaxed);
}

static inline void card_shm_set(struct card_shm *shm, uint32_t off, uint32_t val)
{
	atomic_store_explicit(&shm->regs[off / 4], val, memory_order_release);
}

/* Front's side: false if the ring is full. */
static inline bool card_shm_push(struct card_shm *shm, uint32_t off, uint32_t val)
{
	uint32_t head = atomic_load_explicit(&shm->writes_head, memory_order_relaxed);

	if (head - atomic_load_explicit(&shm->writes_tail, memory_order_acquire) >=
	    CARD_REG_WRITES) {
		atomic_fetch_add(&shm->reg_overruns, 1);
		return false;
	}
	shm->writes[head % CARD_REG_WRITES] = (struct card_reg_write){ off, val };
	atomic_store_explicit(&shm->writes_head, head + 1, memory_order_release);
	return true;
}

/* Device's side: false if nothing is there. */
static inline bool card_shm_pop(struct card_shm *shm, struct card_reg_write *w)
{
	uint32_t tail = atomic_load_explicit(&shm->writes_tail, memory_order_relaxed);

	if (tail == atomic_load_explicit(&shm->writes_head, memory_order_acquire))
		return false;
	*w = shm->writes[tail % CARD_REG_WRITES];
	atomic_store_explicit(&shm->writes_tail, tail + 1, memory_order_release);
	return true;
}

#endif /* CARD_SHM_H */
