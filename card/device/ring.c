/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Rings in host memory.  Everything read from there is copied before it is
 * looked at, and every index is checked: the host may be wrong or hostile.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "ring.h"

static bool shadow_load(struct card_dma *dma, uint64_t shadow, size_t off, uint32_t *val)
{
	__le32 *p = card_dma_ptr(dma, shadow + off, sizeof(*p), CARD_DMA_READ);

	if (!p)
		return false;
	*val = le32toh(__atomic_load_n(p, __ATOMIC_ACQUIRE));
	return true;
}

static void shadow_store(struct card_dma *dma, uint64_t shadow, size_t off, uint32_t val)
{
	__le32 *p = card_dma_ptr(dma, shadow + off, sizeof(*p), CARD_DMA_WRITE);

	if (p)
		__atomic_store_n(p, htole32(val), __ATOMIC_RELEASE);
}

/**
 * card_sq_init() - start with an empty submission ring
 * @q: the ring
 * @dma: host memory
 * @addr: of the slots
 * @shadow: of its struct toe_shadow
 * @size: slots
 * @entry: bytes of a slot
 */
void card_sq_init(struct card_sq *q, struct card_dma *dma, uint64_t addr,
		  uint64_t shadow, uint32_t size, uint32_t entry)
{
	*q = (struct card_sq){
		.dma = dma, .addr = addr, .shadow = shadow, .size = size, .entry = entry,
	};
}

/**
 * card_sq_pending() - how many slots wait to be read
 * @q: the ring
 *
 * The host's index is loaded only when the known slots are used up.
 * Return: slots; 0 for a ring that was never made or is broken.
 */
uint32_t card_sq_pending(struct card_sq *q)
{
	uint32_t prod;

	if (!q->size || q->broken)
		return 0;
	if (q->prod != q->cons)
		return q->prod - q->cons;
	if (!shadow_load(q->dma, q->shadow, offsetof(struct toe_shadow, prod), &prod))
		return 0;
	if (prod - q->cons > q->size) {
		q->broken = true;
		return 0;
	}
	q->prod = prod;
	return prod - q->cons;
}

/* Like card_sq_pending(), but looks for more than is already known. */
static uint32_t refresh(struct card_sq *q)
{
	uint32_t prod;

	if (!q->size || q->broken ||
	    !shadow_load(q->dma, q->shadow, offsetof(struct toe_shadow, prod), &prod))
		return 0;
	if (prod - q->cons > q->size)
		q->broken = true;
	else
		q->prod = prod;
	return q->broken ? 0 : q->prod - q->cons;
}

/**
 * card_sq_seen() - how far the host has filled the ring by now
 * @q: the ring
 *
 * Return: index of the first slot that isn't filled yet.
 */
uint32_t card_sq_seen(struct card_sq *q)
{
	refresh(q);
	return q->prod;
}

/**
 * card_sq_peek() - copy a slot without consuming it
 * @q: the ring
 * @ahead: which, counted from the next one
 * @entry: where to
 *
 * Return: false if there is no such slot yet, or it can't be reached.
 */
bool card_sq_peek(struct card_sq *q, uint32_t ahead, void *entry)
{
	uint64_t slot = (q->cons + ahead) & (q->size - 1);

	if (card_sq_pending(q) <= ahead && refresh(q) <= ahead)
		return false;
	return !card_dma_read(q->dma, entry, q->addr + slot * q->entry, q->entry);
}

/**
 * card_sq_pop() - consume a slot
 * @q: the ring
 * @entry: where to copy it
 *
 * Return: false if there is none, or it can't be reached.
 */
bool card_sq_pop(struct card_sq *q, void *entry)
{
	if (!card_sq_peek(q, 0, entry))
		return false;
	q->cons++;
	return true;
}

/**
 * card_sq_publish() - give the consumed slots back to the host
 * @q: the ring
 */
void card_sq_publish(struct card_sq *q)
{
	if (!q->size || q->published == q->cons)
		return;
	q->published = q->cons;
	shadow_store(q->dma, q->shadow, offsetof(struct toe_shadow, card_cons), q->cons);
}

/**
 * card_sq_arm() - ask for a doorbell
 * @q: the ring
 * @event: index of the slot that is waited for: @q->cons, or @q->prod if the
 *	known slots are no work by themselves
 *
 * Return: true if slots have come in the meantime: don't sleep.
 */
bool card_sq_arm(struct card_sq *q, uint32_t event)
{
	if (!q->size || q->broken)
		return false;
	shadow_store(q->dma, q->shadow, offsetof(struct toe_shadow, card_event), event);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return refresh(q) && q->prod != event;
}

/**
 * card_cq_init() - start with an empty completion ring
 * @q: the ring
 * @dma: host memory
 * @addr: of the slots
 * @shadow: of its struct toe_shadow
 * @size: slots
 */
void card_cq_init(struct card_cq *q, struct card_dma *dma, uint64_t addr,
		  uint64_t shadow, uint32_t size)
{
	*q = (struct card_cq){ .dma = dma, .addr = addr, .shadow = shadow, .size = size };
}

/**
 * card_cq_uninit() - forget the ring and what waits for room in it
 * @q: the ring
 */
void card_cq_uninit(struct card_cq *q)
{
	free(q->held);
	*q = (struct card_cq){ 0 };
}

/**
 * card_cq_room() - free slots
 * @q: the ring
 *
 * Return: how many can be posted without being held; an impossible index of the
 * host counts as no room.
 */
uint32_t card_cq_room(struct card_cq *q)
{
	uint32_t cons, used;

	if (!q->size || q->held_count)
		return 0;
	used = q->prod - q->cons;
	if (used >= q->size / 2) {
		if (!shadow_load(q->dma, q->shadow,
				 offsetof(struct toe_shadow, host_cons), &cons))
			return 0;
		if (q->prod - cons > q->size)
			return 0;
		q->cons = cons;
		used = q->prod - cons;
	}
	return q->size - used;
}

/* The phase byte makes the entry the host's: it is stored last. */
static bool write_entry(struct card_cq *q, const struct toe_cqe *cqe)
{
	uint64_t slot = q->prod & (q->size - 1);
	uint8_t phase = q->prod & q->size ? 0 : TOE_CQE_PHASE;
	struct toe_cqe *p;

	p = card_dma_ptr(q->dma, q->addr + slot * sizeof(*p), sizeof(*p), CARD_DMA_WRITE);
	if (!p)
		return false;
	memcpy(p, cqe, offsetof(struct toe_cqe, phase));
	__atomic_store_n(&p->phase, phase, __ATOMIC_RELEASE);
	q->prod++;
	return true;
}

static int hold(struct card_cq *q, const struct toe_cqe *cqe, uint64_t now)
{
	uint32_t i, size = q->held_size ? q->held_size * 2 : 64;
	struct toe_cqe *more;

	if (q->held_count == q->held_size) {
		more = malloc(size * sizeof(*more));
		if (!more)
			return -1;
		for (i = 0; i < q->held_count; i++)
			more[i] = q->held[(q->held_head + i) & (q->held_size - 1)];
		free(q->held);
		q->held = more;
		q->held_head = 0;
		q->held_size = size;
	}
	if (!q->held_count)
		q->held_since = now;
	q->held[(q->held_head + q->held_count++) & (q->held_size - 1)] = *cqe;
	return 0;
}

/**
 * card_cq_post() - publish a completion, or hold it until there is room
 * @q: the ring
 * @cqe: copied; its phase is set here
 * @now: us
 *
 * Return: 0, or -1 if it is lost, for want of memory or because the ring can't be
 * reached: the card must stop.
 */
int card_cq_post(struct card_cq *q, const struct toe_cqe *cqe, uint64_t now)
{
	if (!q->size)
		return 0;
	if (!card_cq_room(q))
		return hold(q, cqe, now);
	return write_entry(q, cqe) ? 0 : -1;
}

/**
 * card_cq_counters() - tell the host what connections have moved
 * @q: a pair's ring
 * @val: in the order of toe_rx_frames to toe_tx_bytes
 */
void card_cq_counters(struct card_cq *q, const uint64_t val[4])
{
	__le64 *p = card_dma_ptr(q->dma, q->shadow + offsetof(struct toe_shadow, toe_rx_frames),
				 4 * sizeof(*p), CARD_DMA_WRITE);

	for (unsigned int i = 0; p && i < 4; i++)
		__atomic_store_n(p + i, htole64(val[i]), __ATOMIC_RELAXED);
}

/**
 * card_cq_flush() - publish what was held and decide about the interrupt
 * @q: the ring
 *
 * Return: true if the ring's vector is to be raised.
 */
bool card_cq_flush(struct card_cq *q)
{
	uint32_t count = q->held_count, event, old;

	while (count) {
		q->held_count = 0;	/* else there would be no room by definition */
		if (!card_cq_room(q) || !write_entry(q, &q->held[q->held_head])) {
			q->held_count = count;
			break;
		}
		q->held_head = (q->held_head + 1) & (q->held_size - 1);
		count--;
	}
	if (!q->size || q->signalled == q->prod)
		return false;
	old = q->signalled;
	q->signalled = q->prod;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!shadow_load(q->dma, q->shadow, offsetof(struct toe_shadow, host_event), &event))
		return false;
	return toe_need_event(event, q->prod, old);
}
