/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Submission and completion rings in host memory; the contract is in toe_hw.h. */
#ifndef CARD_RING_H
#define CARD_RING_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include "dma.h"
#include "../../include/toe_hw.h"

/**
 * struct card_sq - a ring that the host fills
 * @dma: host memory
 * @addr: of the slots
 * @shadow: address of its struct toe_shadow
 * @size: slots, power of two
 * @entry: bytes of a slot
 * @cons: next slot to read
 * @prod: the host's index as last seen
 * @published: @cons as the host knows it
 * @broken: the host wrote an impossible index; only re-creation helps
 */
struct card_sq {
	struct card_dma *dma;
	uint64_t addr;
	uint64_t shadow;
	uint32_t size;
	uint32_t entry;
	uint32_t cons;
	uint32_t prod;
	uint32_t published;
	bool broken;
};

/**
 * struct card_cq - a ring that the card fills
 * @dma: host memory
 * @addr: of the slots
 * @shadow: address of its struct toe_shadow
 * @size: slots, power of two
 * @prod: next slot to write
 * @cons: the host's index as last seen
 * @signalled: @prod when the interrupt was last decided
 * @held: completions that wait for room, in order
 * @held_head: first of them
 * @held_count: how many
 * @held_size: room in @held
 * @held_since: us, when the first of them began to wait
 */
struct card_cq {
	struct card_dma *dma;
	uint64_t addr;
	uint64_t shadow;
	uint32_t size;
	uint32_t prod;
	uint32_t cons;
	uint32_t signalled;
	struct toe_cqe *held;
	uint32_t held_head;
	uint32_t held_count;
	uint32_t held_size;
	uint64_t held_since;
};

void card_sq_init(struct card_sq *q, struct card_dma *dma, uint64_t addr,
		  uint64_t shadow, uint32_t size, uint32_t entry);
uint32_t card_sq_pending(struct card_sq *q);
uint32_t card_sq_seen(struct card_sq *q);
bool card_sq_peek(struct card_sq *q, uint32_t ahead, void *entry);
bool card_sq_pop(struct card_sq *q, void *entry);
void card_sq_publish(struct card_sq *q);
bool card_sq_arm(struct card_sq *q, uint32_t event);

void card_cq_init(struct card_cq *q, struct card_dma *dma, uint64_t addr,
		  uint64_t shadow, uint32_t size);
void card_cq_uninit(struct card_cq *q);
uint32_t card_cq_room(struct card_cq *q);
int card_cq_post(struct card_cq *q, const struct toe_cqe *cqe, uint64_t now);
bool card_cq_flush(struct card_cq *q);
void card_cq_counters(struct card_cq *q, const uint64_t val[4]);

static inline bool card_cq_is_held(const struct card_cq *q)
{
	return q->held_count != 0;
}

#endif /* CARD_RING_H */
