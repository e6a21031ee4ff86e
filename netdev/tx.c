// SPDX-License-Identifier: GPL-2.0
/*
 * Frames out.
 */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>

#include "toenic.h"
#include "tx.h"

/* A frame needs so many slots at most: its head and its fragments. */
#define TOENIC_TX_SLOTS		(MAX_SKB_FRAGS + 1)
static_assert(TOENIC_TX_SLOTS <= TOE_TXD_MAX_FRAGS);

/**
 * struct toenic_tx_buf - what one slot points to
 * @skb: in the last slot of a frame, else NULL
 * @dma: of the memory
 * @len: of the memory
 * @paged: mapped as a page
 */
struct toenic_tx_buf {
	struct sk_buff *skb;
	dma_addr_t dma;
	u32 len;
	bool paged;
};

/**
 * toenic_tx_alloc() - set the TX ring up
 * @pair: its pair
 * @shadow: its indices
 *
 * Context: process, under state_lock.
 * Return: 0 or -ENOMEM.
 */
int toenic_tx_alloc(struct toenic_pair *pair, struct toe_shadow *shadow)
{
	struct toenic *nic = pair->nic;
	struct toenic_tx *tx = &pair->tx;
	int err;

	err = toenic_ring_alloc(nic, &tx->ring, nic->tx_size,
				sizeof(struct toe_txd), shadow);
	if (err)
		return err;

	tx->done = 0;
	tx->stuck = 0;
	tx->bufs = kvcalloc(nic->tx_size, sizeof(*tx->bufs), GFP_KERNEL);
	return tx->bufs ? 0 : -ENOMEM;
}

static void toenic_tx_unmap(struct toenic *nic, struct toenic_tx_buf *buf)
{
	if (buf->paged)
		dma_unmap_page(toenic_dev(nic), buf->dma, buf->len,
			       DMA_TO_DEVICE);
	else if (buf->len)
		dma_unmap_single(toenic_dev(nic), buf->dma, buf->len,
				 DMA_TO_DEVICE);
	buf->len = 0;
	buf->paged = false;
}

/**
 * toenic_tx_free() - drop what is unsent and free the TX ring
 * @pair: its pair; the queue is stopped and the card doesn't use it
 *
 * Context: process, under state_lock.
 */
void toenic_tx_free(struct toenic_pair *pair)
{
	struct toenic_tx *tx = &pair->tx;
	struct toenic_tx_buf *buf;

	for (; tx->bufs && tx->done != tx->ring.next; tx->done++) {
		buf = &tx->bufs[toenic_ring_slot(&tx->ring, tx->done)];
		toenic_tx_unmap(pair->nic, buf);
		dev_kfree_skb_any(buf->skb);
		buf->skb = NULL;
	}
	netdev_tx_reset_queue(netdev_get_tx_queue(pair->nic->netdev,
						  pair->index));
	kvfree(tx->bufs);
	tx->bufs = NULL;
	toenic_ring_free(pair->nic, &tx->ring);
}

static u32 toenic_tx_room(const struct toenic_tx *tx)
{
	return tx->ring.size - (tx->ring.next - READ_ONCE(tx->done));
}

/* Map one piece of the frame into slot @index. */
static int toenic_tx_map(struct toenic_pair *pair, u32 index, dma_addr_t dma,
			 u32 len, bool paged)
{
	struct toenic_tx *tx = &pair->tx;
	u32 slot = toenic_ring_slot(&tx->ring, index);
	struct toe_txd *txd = tx->ring.desc;

	if (dma_mapping_error(toenic_dev(pair->nic), dma))
		return -ENOMEM;

	tx->bufs[slot].skb = NULL;
	tx->bufs[slot].dma = dma;
	tx->bufs[slot].len = len;
	tx->bufs[slot].paged = paged;

	memset(&txd[slot], 0, sizeof(*txd));
	txd[slot].addr = cpu_to_le64(dma);
	txd[slot].len = cpu_to_le32(len);
	return 0;
}

/* Map all of @skb.  Returns the number of slots, 0 if memory can't be mapped. */
static u32 toenic_tx_map_skb(struct toenic_pair *pair, struct sk_buff *skb)
{
	struct device *dev = toenic_dev(pair->nic);
	struct toenic_tx *tx = &pair->tx;
	u32 first = tx->ring.next;
	u32 index = first;
	skb_frag_t *frag;
	dma_addr_t dma;
	u32 len;
	int i;

	len = skb_headlen(skb);
	dma = dma_map_single(dev, skb->data, len, DMA_TO_DEVICE);
	if (toenic_tx_map(pair, index, dma, len, false))
		return 0;
	index++;

	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		len = skb_frag_size(frag);
		if (!len)
			continue;
		dma = skb_frag_dma_map(dev, frag, 0, len, DMA_TO_DEVICE);
		if (toenic_tx_map(pair, index, dma, len, true))
			goto err_unmap;
		index++;
	}
	return index - first;

err_unmap:
	while (index-- != first)
		toenic_tx_unmap(pair->nic,
				&tx->bufs[toenic_ring_slot(&tx->ring, index)]);
	return 0;
}

/* What the card has to do with the frame, into its first descriptor. */
static void toenic_tx_offloads(struct toenic_tx *tx, struct toe_txd *txd,
			       const struct sk_buff *skb, u8 *flags)
{
	if (skb_is_gso(skb)) {
		*flags |= TOE_TXD_TSO;
		txd->mss = cpu_to_le16(skb_shinfo(skb)->gso_size);
		txd->l3_off = cpu_to_le16(skb_network_offset(skb));
		txd->l4_off = cpu_to_le16(skb_transport_offset(skb));
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		*flags |= TOE_TXD_CSUM;
		txd->csum_start = cpu_to_le16(skb_checksum_start_offset(skb));
		txd->csum_offset = cpu_to_le16(skb->csum_offset);
	}
	if (skb_vlan_tag_present(skb)) {
		*flags |= TOE_TXD_VLAN;
		txd->vlan_tci = cpu_to_le16(skb_vlan_tag_get(skb));
	}
}

static void toenic_tx_count(struct toenic_pair *pair, const struct sk_buff *skb,
			    bool stopped)
{
	u32 segs = skb_is_gso(skb) ? skb_shinfo(skb)->gso_segs : 1;

	u64_stats_update_begin(&pair->tx_sync);
	pair->tx_counts.packets += segs;
	pair->tx_counts.bytes += skb->len;
	if (segs > 1)
		pair->tx_counts.bytes += (u64)(segs - 1) *
					 skb_tcp_all_headers(skb);
	u64_stats_update_end(&pair->tx_sync);
	pair->tx_counts.tso += skb_is_gso(skb);
	pair->tx_counts.csum += skb->ip_summed == CHECKSUM_PARTIAL;
	pair->tx_counts.stopped += stopped;
}

static void toenic_tx_doorbell(struct toenic_pair *pair)
{
	if (toenic_ring_publish(&pair->tx.ring, pair->doorbell))
		pair->tx_counts.doorbells++;
}

/* Stop the queue if the largest frame might not fit next time. */
static bool toenic_tx_maybe_stop(struct toenic_tx *tx,
				 struct netdev_queue *txq)
{
	if (likely(toenic_tx_room(tx) >= TOENIC_TX_SLOTS))
		return false;

	netif_tx_stop_queue(txq);
	smp_mb();	/* pairs with toenic_tx_wake() */
	if (toenic_tx_room(tx) < TOENIC_TX_SLOTS)
		return true;

	netif_tx_start_queue(txq);
	return false;
}

/* A frame that can't be sent; those before it may wait for the doorbell. */
static netdev_tx_t toenic_tx_drop(struct toenic_pair *pair, struct sk_buff *skb)
{
	dev_kfree_skb_any(skb);	/* NULL is fine */
	pair->tx_counts.dropped++;
	if (!netdev_xmit_more())
		toenic_tx_doorbell(pair);
	return NETDEV_TX_OK;
}

/**
 * toenic_xmit() - ndo_start_xmit
 * @skb: frame
 * @netdev: device
 *
 * Context: BH disabled, under the queue's tx lock.
 * Return: NETDEV_TX_OK, or NETDEV_TX_BUSY if the ring is full.
 */
netdev_tx_t toenic_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct toenic *nic = netdev_priv(netdev);
	struct toenic_pair *pair = &nic->pairs[skb_get_queue_mapping(skb)];
	struct netdev_queue *txq = netdev_get_tx_queue(netdev, pair->index);
	struct toenic_tx *tx = &pair->tx;
	struct toe_txd *txd = tx->ring.desc;
	u8 flags = 0;
	bool stopped;
	u32 first;
	u32 last;
	u32 n;

	if (unlikely(toenic_tx_room(tx) < TOENIC_TX_SLOTS)) {
		netif_tx_stop_queue(txq);
		return NETDEV_TX_BUSY;
	}
	if (eth_skb_pad(skb))
		return toenic_tx_drop(pair, NULL);

	n = toenic_tx_map_skb(pair, skb);
	if (unlikely(!n))
		return toenic_tx_drop(pair, skb);

	first = toenic_ring_slot(&tx->ring, tx->ring.next);
	last = toenic_ring_slot(&tx->ring, tx->ring.next + n - 1);
	toenic_tx_offloads(tx, &txd[first], skb, &flags);
	txd[first].flags = flags;
	txd[last].flags |= TOE_TXD_EOP;
	tx->bufs[last].skb = skb;

	skb_tx_timestamp(skb);
	WRITE_ONCE(tx->ring.next, tx->ring.next + n);
	stopped = toenic_tx_maybe_stop(tx, txq);
	toenic_tx_count(pair, skb, stopped);
	if (__netdev_tx_sent_queue(txq, skb->len, netdev_xmit_more()))
		toenic_tx_doorbell(pair);
	return NETDEV_TX_OK;
}

/**
 * toenic_tx_done() - free the frames that the card is done with
 * @pair: its pair
 * @cons: slots before it are done, says the card
 *
 * Context: NAPI, or recovery.
 * Return: false if the card can't be right.
 */
bool toenic_tx_done(struct toenic_pair *pair, u32 cons)
{
	struct toenic_tx *tx = &pair->tx;
	unsigned int packets = 0;
	unsigned int bytes = 0;
	struct toenic_tx_buf *buf;
	u32 done = tx->done;

	if (cons - done > READ_ONCE(tx->ring.next) - done)
		return false;

	for (; done != cons; done++) {
		buf = &tx->bufs[toenic_ring_slot(&tx->ring, done)];
		toenic_tx_unmap(pair->nic, buf);
		if (!buf->skb)
			continue;
		packets++;
		bytes += buf->skb->len;
		napi_consume_skb(buf->skb, 1);
		buf->skb = NULL;
	}
	smp_store_release(&tx->done, done);	/* slots before the index */
	netdev_tx_completed_queue(netdev_get_tx_queue(pair->nic->netdev,
						      pair->index),
				  packets, bytes);
	return true;
}

/**
 * toenic_tx_wake() - let the queue go on if there is room again
 * @pair: its pair
 *
 * Context: NAPI.
 */
void toenic_tx_wake(struct toenic_pair *pair)
{
	struct net_device *netdev = pair->nic->netdev;
	struct netdev_queue *txq;

	txq = netdev_get_tx_queue(netdev, pair->index);
	smp_mb();	/* pairs with toenic_tx_maybe_stop() */
	if (likely(!netif_tx_queue_stopped(txq)) ||
	    toenic_tx_room(&pair->tx) < 2 * TOENIC_TX_SLOTS ||
	    !test_bit(TOENIC_UP, &pair->nic->flags))
		return;

	netif_tx_wake_queue(txq);
	pair->rx_counts.tx_woken++;
}
