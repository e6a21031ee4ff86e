// SPDX-License-Identifier: GPL-2.0
/*
 * Payload in: the large buffers that the card places TCP payload in.
 *
 * A buffer is a compound page, mapped once.  Readers hold references to it
 * through the skbs' fragments.  When the card is finished with it, it waits in
 * a circle until the last reader has let go, and is used again: neither the
 * page allocator nor its zeroing is on the way of a byte.
 */
#include <linux/dma-mapping.h>
#include <linux/skbuff.h>

#include "toenic.h"
#include "payload.h"

#define TOENIC_RQ_USED		128	/* pages that wait for readers */
#define TOENIC_RQ_LOOKS		4	/* at how many we look for a free one */
#define TOENIC_RQ_ORDER		get_order(TOENIC_RQ_BUF)

/**
 * struct toenic_rq_buf - a buffer for payload
 * @page: its memory
 * @dma: bus address
 * @charged: bytes of it that skbs account for
 * @posted: the card has it
 */
struct toenic_rq_buf {
	struct page *page;
	dma_addr_t dma;
	u32 charged;
	bool posted;
};

/**
 * toenic_rq_alloc() - set the RQ ring up
 * @pair: its pair
 * @shadow: its indices
 *
 * Context: process, under state_lock.
 * Return: 0 or -ENOMEM.
 */
int toenic_rq_alloc(struct toenic_pair *pair, struct toe_shadow *shadow)
{
	struct toenic_rq *rq = &pair->rq;
	u32 id;
	int err;

	err = toenic_ring_alloc(pair->nic, &rq->ring, TOENIC_RQ_SIZE,
				sizeof(struct toe_rxd), shadow);
	if (err)
		return err;

	rq->used_head = 0;
	rq->used_count = 0;
	rq->bufs = kcalloc(TOENIC_RQ_SIZE, sizeof(*rq->bufs), GFP_KERNEL);
	rq->free = kcalloc(TOENIC_RQ_SIZE, sizeof(*rq->free), GFP_KERNEL);
	rq->used = kcalloc(TOENIC_RQ_USED, sizeof(*rq->used), GFP_KERNEL);
	if (!rq->bufs || !rq->free || !rq->used)
		return -ENOMEM;

	for (id = 0; id < TOENIC_RQ_SIZE; id++)
		rq->free[id] = id;
	rq->nfree = TOENIC_RQ_SIZE;
	return 0;
}

static void toenic_rq_put_page(struct toenic *nic, struct toenic_rq_buf *buf)
{
	if (!buf->page)
		return;
	dma_unmap_page_attrs(toenic_dev(nic), buf->dma, TOENIC_RQ_BUF,
			     DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	put_page(buf->page);
	buf->page = NULL;
}

/**
 * toenic_rq_free() - free the RQ ring and its buffers
 * @pair: its pair; the card doesn't use it, NAPI is off
 *
 * Context: process, under state_lock.
 */
void toenic_rq_free(struct toenic_pair *pair)
{
	struct toenic_rq *rq = &pair->rq;
	u32 i;

	for (i = 0; rq->bufs && i < TOENIC_RQ_SIZE; i++)
		toenic_rq_put_page(pair->nic, &rq->bufs[i]);
	for (i = 0; rq->used && i < TOENIC_RQ_USED; i++)
		toenic_rq_put_page(pair->nic, &rq->used[i]);
	kfree(rq->used);
	rq->used = NULL;
	kfree(rq->free);
	rq->free = NULL;
	kfree(rq->bufs);
	rq->bufs = NULL;
	toenic_ring_free(pair->nic, &rq->ring);
}

static struct toenic_rq_buf *toenic_rq_used(struct toenic_rq *rq, u32 i)
{
	return &rq->used[(rq->used_head + i) % TOENIC_RQ_USED];
}

/* Let a page wait for its readers; if too many do, the oldest is let go. */
static void toenic_rq_retire(struct toenic_pair *pair,
			     struct toenic_rq_buf *buf)
{
	struct toenic_rq *rq = &pair->rq;

	if (rq->used_count == TOENIC_RQ_USED) {
		toenic_rq_put_page(pair->nic, toenic_rq_used(rq, 0));
		rq->used_head++;
		rq->used_count--;
	}
	*toenic_rq_used(rq, rq->used_count++) = *buf;
	buf->page = NULL;
}

/* A page without readers, from among the oldest. */
static bool toenic_rq_reuse(struct toenic_pair *pair, struct toenic_rq_buf *buf)
{
	struct toenic_rq *rq = &pair->rq;
	struct toenic_rq_buf *old;
	unsigned int look;

	look = min_t(u32, rq->used_count, TOENIC_RQ_LOOKS);
	for (; look; look--) {
		old = toenic_rq_used(rq, 0);
		rq->used_head++;
		rq->used_count--;
		if (page_ref_count(old->page) == 1) {
			*buf = *old;
			old->page = NULL;
			pair->rx_counts.rq_page_reused++;
			return true;
		}
		/* a slow reader: to the back; same slot if the circle is full */
		swap(*old, *toenic_rq_used(rq, rq->used_count));
		rq->used_count++;
	}
	return false;
}

static bool toenic_rq_new(struct toenic_pair *pair, struct toenic_rq_buf *buf)
{
	struct device *dev = toenic_dev(pair->nic);

	buf->page = alloc_pages(GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN,
				TOENIC_RQ_ORDER);
	if (!buf->page)
		goto err;
	buf->dma = dma_map_page_attrs(dev, buf->page, 0, TOENIC_RQ_BUF,
				      DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	if (dma_mapping_error(dev, buf->dma)) {
		__free_pages(buf->page, TOENIC_RQ_ORDER);
		buf->page = NULL;
		goto err;
	}
	pair->rx_counts.rq_page_alloc++;
	return true;

err:
	pair->rx_counts.alloc_failed++;
	return false;
}

/**
 * toenic_rq_refill() - give the card all buffers that it doesn't have
 * @pair: its pair
 *
 * Context: NAPI.
 */
void toenic_rq_refill(struct toenic_pair *pair)
{
	struct toenic_rq *rq = &pair->rq;
	struct toe_rxd *rxd = rq->ring.desc;
	struct toenic_rq_buf *buf;
	u32 slot;
	u16 id;

	/* Nothing before the card was first offered a connection: the interface was
	 * switched on, or a socket was flagged.
	 */
	if (likely(!rq->nfree) ||
	    (rq->nfree == rq->ring.size && !pair->classify &&
	     !READ_ONCE(pair->nic->rq_wanted)))
		return;

	while (rq->nfree) {
		id = rq->free[rq->nfree - 1];
		buf = &rq->bufs[id];
		if (!toenic_rq_reuse(pair, buf) && !toenic_rq_new(pair, buf))
			break;
		buf->charged = 0;
		buf->posted = true;
		dma_sync_single_for_device(toenic_dev(pair->nic), buf->dma,
					   TOENIC_RQ_BUF, DMA_FROM_DEVICE);
		slot = toenic_ring_slot(&rq->ring, rq->ring.next);
		rxd[slot].addr = cpu_to_le64(buf->dma);
		rxd[slot].buf_id = cpu_to_le32(id);
		rxd[slot].rsvd = 0;
		rq->nfree--;
		rq->ring.next++;
	}
	toenic_ring_publish(&rq->ring, pair->doorbell);
	if (unlikely(rq->nfree))
		toenic_pair_kick(pair);
}

/**
 * toenic_rq_valid() - does the card name a buffer that it has?
 * @pair: its pair
 * @cqe: TOE_CQE_DATA
 *
 * Return: whether buffer, offset and length are within what the card was given.
 */
bool toenic_rq_valid(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	u32 id = le32_to_cpu(cqe->data.buf_id);
	u32 off = le32_to_cpu(cqe->data.offset);
	u32 len = le32_to_cpu(cqe->data.len);

	return id < TOENIC_RQ_SIZE && pair->rq.bufs[id].posted &&
	       len <= TOENIC_RQ_BUF && off <= TOENIC_RQ_BUF - len;
}

/* What of the buffer this piece accounts for: nothing of it goes unaccounted. */
static u32 toenic_rq_charge(struct toenic_rq_buf *buf,
			    const struct toe_cqe *cqe)
{
	u32 len = le32_to_cpu(cqe->data.len);
	u32 end = le32_to_cpu(cqe->data.offset) + len;
	u32 charge = len;

	if (cqe->flags & TOE_DATA_BUF_DONE)
		end = TOENIC_RQ_BUF;
	if (end > buf->charged) {
		charge = end - buf->charged;
		buf->charged = end;
	}
	return charge;
}

/**
 * toenic_rq_skb() - an skb around what the card has placed
 * @pair: its pair
 * @cqe: TOE_CQE_DATA, checked with toenic_rq_valid()
 *
 * Context: NAPI, or recovery with BH disabled.
 * Return: the skb, payload only, or NULL without memory.
 */
struct sk_buff *toenic_rq_skb(struct toenic_pair *pair,
			      const struct toe_cqe *cqe)
{
	struct toenic_rq_buf *buf = &pair->rq.bufs[le32_to_cpu(cqe->data.buf_id)];
	u32 off = le32_to_cpu(cqe->data.offset);
	u32 len = le32_to_cpu(cqe->data.len);
	struct sk_buff *skb;

	skb = napi_alloc_skb(&pair->napi, 0);
	if (unlikely(!skb))
		return NULL;

	dma_sync_single_range_for_cpu(toenic_dev(pair->nic), buf->dma, off, len,
				      DMA_FROM_DEVICE);
	get_page(buf->page);
	skb_add_rx_frag(skb, 0, buf->page, off, len,
			toenic_rq_charge(buf, cqe));
	skb->ip_summed = CHECKSUM_UNNECESSARY;	/* the card has verified it */
	skb->dev = NULL;
	return skb;
}

/**
 * toenic_rq_done() - the card is finished with a buffer
 * @pair: its pair
 * @cqe: TOE_CQE_DATA with TOE_DATA_BUF_DONE, checked
 *
 * Context: NAPI, or recovery with BH disabled.
 */
void toenic_rq_done(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	u32 id = le32_to_cpu(cqe->data.buf_id);
	struct toenic_rq *rq = &pair->rq;

	rq->bufs[id].posted = false;
	toenic_rq_retire(pair, &rq->bufs[id]);
	rq->free[rq->nfree++] = id;
}
