// SPDX-License-Identifier: GPL-2.0
/*
 * Rings in host memory, and what the rings of one pair have in common.
 *
 * Ownership, barriers and wrap: DOC: rings in toe_hw.h.
 */
#include <linux/dma-mapping.h>
#include <linux/log2.h>

#include "toenic.h"
#include "counts.h"
#include "event.h"
#include "health.h"
#include "offload.h"
#include "payload.h"
#include "rx.h"
#include "sq.h"
#include "tx.h"

/* A poll that sees more entries than this, of any kind, lets others run. */
#define TOENIC_POLL_EVENTS	1024
#define TOENIC_KICK_MS		10

/**
 * toenic_ring_alloc() - give a ring its memory
 * @nic: the card
 * @ring: to set up; its indices start at zero
 * @size: slots, a power of two
 * @entry_bytes: of one slot
 * @shadow: its indices, zeroed
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int toenic_ring_alloc(struct toenic *nic, struct toenic_ring *ring,
		      u32 size, u32 entry_bytes, struct toe_shadow *shadow)
{
	ring->bytes = size * entry_bytes;
	ring->desc = dma_alloc_coherent(toenic_dev(nic), ring->bytes,
					&ring->dma, GFP_KERNEL);
	if (!ring->desc)
		return -ENOMEM;

	ring->shadow = shadow;
	ring->size = size;
	ring->next = 0;
	ring->rung = 0;
	return 0;
}

/**
 * toenic_ring_free() - undo toenic_ring_alloc()
 * @nic: the card
 * @ring: the card no longer uses it; a ring without memory is fine
 *
 * Context: process.
 */
void toenic_ring_free(struct toenic *nic, struct toenic_ring *ring)
{
	if (!ring->desc)
		return;
	dma_free_coherent(toenic_dev(nic), ring->bytes, ring->desc, ring->dma);
	ring->desc = NULL;
	ring->shadow = NULL;
}

/**
 * toenic_ring_publish() - hand the filled slots of a submission ring over
 * @ring: the ring
 * @doorbell: register to write if the card asked for it
 *
 * Context: any; the caller owns the ring's producer side.
 * Return: whether the doorbell was rung.
 */
bool toenic_ring_publish(struct toenic_ring *ring, void __iomem *doorbell)
{
	u32 old = ring->rung;
	u32 event;

	if (ring->next == old)
		return false;

	dma_wmb();	/* slots before the index that covers them */
	WRITE_ONCE(ring->shadow->prod, cpu_to_le32(ring->next));
	ring->rung = ring->next;
	mb();		/* index before the look at the card's wish */
	event = le32_to_cpu(READ_ONCE(ring->shadow->card_event));
	if (!toe_need_event(event, ring->next, old))
		return false;

	writel(1, doorbell);
	return true;
}

/**
 * toenic_cq_peek() - copy the next completion, if there is one
 * @cq: completion ring
 * @cqe: where to; a copy, so that what was checked is what is used
 *
 * Context: the ring's owner.  The caller advances @cq->next when done with it.
 * Return: whether there was one.
 */
bool toenic_cq_peek(const struct toenic_ring *cq, struct toe_cqe *cqe)
{
	u32 slot = toenic_ring_slot(cq, cq->next);
	const struct toe_cqe *from = cq->desc;
	u8 phase;

	phase = (cq->next >> ilog2(cq->size)) & 1 ? 0 : TOE_CQE_PHASE;
	if ((READ_ONCE(from[slot].phase) & TOE_CQE_PHASE) != phase)
		return false;

	dma_rmb();	/* the phase before the rest of the entry */
	*cqe = from[slot];
	return true;
}

/**
 * toenic_cq_release() - give the slots read so far back to the card
 * @cq: completion ring
 */
void toenic_cq_release(struct toenic_ring *cq)
{
	WRITE_ONCE(cq->shadow->host_cons, cpu_to_le32(cq->next));
}

/**
 * toenic_cq_arm() - ask for an interrupt with the next completion
 * @cq: completion ring
 *
 * Return: true if a completion is there already, and no interrupt may come.
 */
bool toenic_cq_arm(struct toenic_ring *cq)
{
	struct toe_cqe cqe;

	WRITE_ONCE(cq->shadow->host_event, cpu_to_le32(cq->next));
	mb();		/* the wish before the last look */
	return toenic_cq_peek(cq, &cqe);
}

static u32 toenic_cq_size(const struct toenic *nic)
{
	u32 need = nic->tx_size + nic->rx_size + TOENIC_SQ_SIZE +
		   TOENIC_RQ_SIZE;

	return min_t(u32, roundup_pow_of_two(need), TOE_RING_MAX);
}

/**
 * toenic_pair_alloc() - memory of a pair's rings, with buffers in RX and RQ
 * @pair: without rings
 *
 * Context: process, under state_lock.
 * Return: 0 or -ENOMEM.
 */
int toenic_pair_alloc(struct toenic_pair *pair)
{
	struct toenic *nic = pair->nic;
	struct toe_shadow *shadow;
	int err;

	shadow = dma_alloc_coherent(toenic_dev(nic),
				    TOE_RINGS * sizeof(*shadow),
				    &pair->shadow_dma, GFP_KERNEL);
	if (!shadow)
		return -ENOMEM;
	WRITE_ONCE(pair->shadow, shadow);

	err = toenic_ring_alloc(nic, &pair->cq, toenic_cq_size(nic),
				sizeof(struct toe_cqe), &shadow[TOE_RING_CQ]);
	if (err)
		goto err_free;
	err = toenic_ring_alloc(nic, &pair->sq.ring, TOENIC_SQ_SIZE,
				sizeof(struct toe_cmd), &shadow[TOE_RING_SQ]);
	if (err)
		goto err_free;
	err = toenic_tx_alloc(pair, &shadow[TOE_RING_TX]);
	if (err)
		goto err_free;
	err = toenic_rx_alloc(pair, &shadow[TOE_RING_RX]);
	if (err)
		goto err_free;
	err = toenic_rq_alloc(pair, &shadow[TOE_RING_RQ]);
	if (err)
		goto err_free;
	return 0;

err_free:
	toenic_pair_free(pair);
	return err;
}

/**
 * toenic_pair_free() - undo toenic_pair_alloc(), also half done
 * @pair: the card no longer uses it, NAPI is off
 *
 * Context: process, under state_lock.
 */
void toenic_pair_free(struct toenic_pair *pair)
{
	struct toenic *nic = pair->nic;
	struct toe_shadow *shadow;

	toenic_rq_free(pair);
	toenic_rx_free(pair);
	toenic_tx_free(pair);
	toenic_ring_free(nic, &pair->sq.ring);
	toenic_ring_free(nic, &pair->cq);
	shadow = toenic_counts_keep(pair);
	if (shadow)
		dma_free_coherent(toenic_dev(nic), TOE_RINGS * sizeof(*shadow),
				  shadow, pair->shadow_dma);
}

/**
 * toenic_pair_start() - the card knows the rings: let them run
 * @pair: created on the card
 *
 * Context: process, under state_lock.
 */
void toenic_pair_start(struct toenic_pair *pair)
{
	pair->poll_cpu = -1;
	pair->draining = false;
	pair->handshake_done = false;
	napi_enable(&pair->napi);
	toenic_sq_open(pair);

	/* The first poll fills the rings of buffers and asks for interrupts. */
	local_bh_disable();
	napi_schedule(&pair->napi);
	local_bh_enable();
}

/**
 * toenic_pair_stop() - no post and no poll any more
 * @pair: started
 *
 * The card may still write.
 * Context: process, under state_lock.
 */
void toenic_pair_stop(struct toenic_pair *pair)
{
	toenic_sq_close(pair);
	napi_disable(&pair->napi);
	timer_delete_sync(&pair->kick);
}

/**
 * toenic_pair_drain() - take in what a dead card had completed
 * @pair: stopped, and the card can't write any more
 *
 * The card may have acknowledged payload to the peer as soon as its completion
 * was visible: none may be left behind.  Frames are dropped as on a wire.
 * Context: process, under state_lock.
 */
void toenic_pair_drain(struct toenic_pair *pair)
{
	struct toe_cqe cqe;
	u32 left;

	local_bh_disable();
	pair->draining = true;
	for (left = pair->cq.size; left; left--) {
		if (!toenic_cq_peek(&pair->cq, &cqe))
			break;
		if (toenic_event(pair, &cqe) < 0) {
			/* No memory: wait for some, outside of BH context. */
			local_bh_enable();
			msleep(20);
			local_bh_disable();
			continue;
		}
		pair->cq.next++;
	}
	local_bh_enable();
}

/**
 * toenic_pair_kick() - have NAPI run soon though no completion may come
 * @pair: running
 *
 * Context: any that may take sq.lock or NAPI.
 */
void toenic_pair_kick(struct toenic_pair *pair)
{
	if (!timer_pending(&pair->kick))
		mod_timer(&pair->kick, jiffies +
				       msecs_to_jiffies(TOENIC_KICK_MS));
}

static void toenic_kick_timer(struct timer_list *timer)
{
	struct toenic_pair *pair = container_of(timer, struct toenic_pair,
						kick);

	napi_schedule(&pair->napi);
}

/**
 * toenic_pair_irq() - a pair's vector
 * @irq: Linux' number
 * @data: the pair
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
irqreturn_t toenic_pair_irq(int irq, void *data)
{
	struct toenic_pair *pair = data;

	napi_schedule_irqoff(&pair->napi);
	return IRQ_HANDLED;
}

/* Completions in ring order.  Returns work done, or @budget if there is more. */
static int toenic_poll_cq(struct toenic_pair *pair, int budget)
{
	struct toe_cqe cqe;
	int events = 0;
	int work = 0;
	int ret;

	while (toenic_cq_peek(&pair->cq, &cqe)) {
		ret = toenic_event(pair, &cqe);
		if (ret < 0)	/* no memory: the same entry again, later */
			return budget;

		pair->cq.next++;
		work += ret;
		if (work >= budget || ++events >= TOENIC_POLL_EVENTS)
			return budget;
		if (!(events & 63))
			toenic_cq_release(&pair->cq);
	}
	return work;
}

/**
 * toenic_poll() - NAPI of a pair
 * @napi: the pair's
 * @budget: frames and placements to take at most
 *
 * Context: softirq, or a NAPI thread.
 * Return: work done.
 */
int toenic_poll(struct napi_struct *napi, int budget)
{
	struct toenic_pair *pair = container_of(napi, struct toenic_pair, napi);
	int work;

	if (!budget)	/* netpoll: completions can't be told apart unread */
		return 0;

	WRITE_ONCE(pair->poll_cpu, smp_processor_id());
	pair->classify = toenic_offload_enabled(pair->nic);

	pair->rx_counts.polls++;
	work = toenic_poll_cq(pair, budget);
	toenic_cq_release(&pair->cq);
	toenic_tx_wake(pair);
	toenic_rx_refill(pair);
	toenic_rq_refill(pair);

	WRITE_ONCE(pair->poll_cpu, -1);
	toenic_sq_flush(pair);

	if (pair->handshake_done) {
		pair->handshake_done = false;
		compat_napi_flush(napi);
		toe_rx_handshake_done(&pair->nic->tdev);
	}

	if (work >= budget)
		return budget;
	if (napi_complete_done(napi, work) && toenic_cq_arm(&pair->cq))
		napi_schedule(napi);
	return work;
}

/**
 * toenic_pair_init() - once, at probe
 * @nic: the card
 * @index: of the pair
 */
void toenic_pair_init(struct toenic *nic, unsigned int index)
{
	struct toenic_pair *pair = &nic->pairs[index];

	pair->nic = nic;
	pair->index = index;
	pair->doorbell = nic->bar + TOE_REG_DOORBELL_PAIR(index);
	u64_stats_init(&pair->tx_sync);
	u64_stats_init(&pair->rx_sync);
	spin_lock_init(&pair->sq.lock);
	INIT_LIST_HEAD(&pair->sq.backlog);
	timer_setup(&pair->kick, toenic_kick_timer, 0);
	netif_napi_add(nic->netdev, &pair->napi, toenic_poll);
}
