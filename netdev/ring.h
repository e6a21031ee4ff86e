/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_RING_H
#define TOENIC_RING_H

#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "toe_hw.h"

struct page;
struct sk_buff;
struct toenic;
struct toenic_pair;
struct toenic_conn;
struct toenic_tx_buf;
struct toenic_rx_buf;
struct toenic_rq_buf;

/**
 * struct toenic_ring - one ring in host memory
 * @desc: its slots
 * @shadow: its indices
 * @size: slots, a power of two
 * @next: submission: next slot to fill; completion: next slot to read
 * @rung: submission: @next when the card was last told
 * @bytes: of @desc
 * @dma: bus address of @desc
 */
struct toenic_ring {
	void *desc;
	struct toe_shadow *shadow;
	u32 size;
	u32 next;
	u32 rung;
	u32 bytes;
	dma_addr_t dma;
};

/**
 * struct toenic_tx - frames to send
 * @ring: struct toe_txd
 * @bufs: what each slot points to
 * @done: slots before it are ours again; moved by NAPI, read by xmit
 * @stuck_at: @done at the last timeout
 * @stuck: timeouts since @done moved
 */
struct toenic_tx {
	struct toenic_ring ring;
	struct toenic_tx_buf *bufs;
	u32 done;
	u32 stuck_at;
	u32 stuck;
};

/**
 * struct toenic_frame - a frame whose last part hasn't come yet
 * @skb: what has come of it
 * @drop: parts up to its last are to be thrown away
 */
struct toenic_frame {
	struct sk_buff *skb;
	bool drop;
};

/**
 * struct toenic_rx - buffers for frames
 * @ring: struct toe_rxd
 * @bufs: by buf_id
 * @free: ids that the card doesn't have
 * @nfree: how many
 * @frame: for the stack
 * @mirror: for taps
 */
struct toenic_rx {
	struct toenic_ring ring;
	struct toenic_rx_buf *bufs;
	u16 *free;
	u32 nfree;
	struct toenic_frame frame;
	struct toenic_frame mirror;
};

/**
 * struct toenic_rq - buffers for TOE payload
 * @ring: struct toe_rxd
 * @bufs: by buf_id
 * @free: ids that the card doesn't have
 * @nfree: how many
 * @used: pages that readers may still hold, oldest first, a circle
 * @used_head: where the oldest is
 * @used_count: how many
 */
struct toenic_rq {
	struct toenic_ring ring;
	struct toenic_rq_buf *bufs;
	u16 *free;
	u32 nfree;
	struct toenic_rq_buf *used;
	u32 used_head;
	u32 used_count;
};

/**
 * struct toenic_sq - TOE commands
 * @lock: protects all of this, and the connections that use this pair
 * @ring: struct toe_cmd
 * @open: commands may be posted
 * @starved: somebody was told -EAGAIN
 * @backlog: connections with something that must not be lost
 */
struct toenic_sq {
	spinlock_t lock;	/* protects the whole structure */
	struct toenic_ring ring;
	bool open;
	bool starved;
	struct list_head backlog;
};

int toenic_ring_alloc(struct toenic *nic, struct toenic_ring *ring,
		      u32 size, u32 entry_bytes, struct toe_shadow *shadow);
void toenic_ring_free(struct toenic *nic, struct toenic_ring *ring);
bool toenic_ring_publish(struct toenic_ring *ring, void __iomem *doorbell);

/* Slots of a submission ring that the card has not read yet. */
static inline u32 toenic_ring_unread(const struct toenic_ring *ring)
{
	return ring->next - le32_to_cpu(READ_ONCE(ring->shadow->card_cons));
}

static inline u32 toenic_ring_slot(const struct toenic_ring *ring, u32 index)
{
	return index & (ring->size - 1);
}

bool toenic_cq_peek(const struct toenic_ring *cq, struct toe_cqe *cqe);
void toenic_cq_release(struct toenic_ring *cq);
bool toenic_cq_arm(struct toenic_ring *cq);

int toenic_pair_alloc(struct toenic_pair *pair);
void toenic_pair_free(struct toenic_pair *pair);
void toenic_pair_start(struct toenic_pair *pair);
void toenic_pair_stop(struct toenic_pair *pair);
void toenic_pair_drain(struct toenic_pair *pair);
void toenic_pair_kick(struct toenic_pair *pair);
void toenic_pair_init(struct toenic *nic, unsigned int index);
int toenic_poll(struct napi_struct *napi, int budget);
irqreturn_t toenic_pair_irq(int irq, void *data);

#endif /* TOENIC_RING_H */
