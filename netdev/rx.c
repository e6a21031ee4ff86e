// SPDX-License-Identifier: GPL-2.0
/*
 * Frames in.
 *
 * A page holds two buffers.  While the card fills one, the stack may hold the
 * other; when both halves are out, a new page takes the place.  References are
 * taken in bulk and counted down in @bias, so that handing a half to an skb
 * needs no atomic operation.
 */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/jhash.h>

#include "toenic.h"
#include "classify.h"
#include "health.h"
#include "rx.h"

#define TOENIC_RX_COPY		256	/* a frame up to this is copied */
#define TOENIC_RX_HEAD		256	/* linear part of a longer one */
#define TOENIC_RX_BIAS		USHRT_MAX
#define TOENIC_RX_ATTRS		DMA_ATTR_SKIP_CPU_SYNC

/* Flows in handshake or closing that a queue remembers. */
#define TOENIC_FLOWS		256

static_assert(sizeof_field(struct toenic_rx_counts, verdict) >=
	      TOENIC_VERDICTS * sizeof(u64));

/**
 * struct toenic_rx_buf - an RX buffer
 * @page: two buffers
 * @dma: bus address of the page
 * @offset: of the buffer that is the card's now or next
 * @bias: references to @page that are ours
 * @posted: the card has it
 */
struct toenic_rx_buf {
	struct page *page;
	dma_addr_t dma;
	u16 offset;
	u16 bias;
	bool posted;
};

/**
 * struct toenic_flow - a handshake or closing lately seen
 * @key: hash of addresses and ports
 * @seq: the ACK that is looked for has this sequence number
 * @state: enum toenic_flow_state
 */
struct toenic_flow {
	u32 key;
	u32 seq;
	u8 state;
};

/**
 * toenic_rx_alloc() - set the RX ring up
 * @pair: its pair
 * @shadow: its indices
 *
 * Context: process, under state_lock.
 * Return: 0 or -ENOMEM.
 */
int toenic_rx_alloc(struct toenic_pair *pair, struct toe_shadow *shadow)
{
	struct toenic *nic = pair->nic;
	struct toenic_rx *rx = &pair->rx;
	u32 id;
	int err;

	err = toenic_ring_alloc(nic, &rx->ring, nic->rx_size,
				sizeof(struct toe_rxd), shadow);
	if (err)
		return err;

	memset(&rx->frame, 0, sizeof(rx->frame));
	memset(&rx->mirror, 0, sizeof(rx->mirror));
	rx->bufs = kvcalloc(nic->rx_size, sizeof(*rx->bufs), GFP_KERNEL);
	rx->free = kvcalloc(nic->rx_size, sizeof(*rx->free), GFP_KERNEL);
	pair->flows = kvcalloc(TOENIC_FLOWS, sizeof(*pair->flows), GFP_KERNEL);
	if (!rx->bufs || !rx->free || !pair->flows)
		return -ENOMEM;

	for (id = 0; id < nic->rx_size; id++)
		rx->free[id] = id;
	rx->nfree = nic->rx_size;
	return 0;
}

static void toenic_rx_put_page(struct toenic *nic, struct toenic_rx_buf *buf)
{
	if (!buf->page)
		return;
	dma_unmap_page_attrs(toenic_dev(nic), buf->dma, PAGE_SIZE,
			     DMA_FROM_DEVICE, TOENIC_RX_ATTRS);
	__page_frag_cache_drain(buf->page, buf->bias);
	buf->page = NULL;
}

/**
 * toenic_rx_free() - free the RX ring and its buffers
 * @pair: its pair; the card doesn't use it, NAPI is off
 *
 * Context: process, under state_lock.
 */
void toenic_rx_free(struct toenic_pair *pair)
{
	struct toenic_rx *rx = &pair->rx;
	u32 id;

	dev_kfree_skb_any(rx->frame.skb);
	rx->frame.skb = NULL;
	dev_kfree_skb_any(rx->mirror.skb);
	rx->mirror.skb = NULL;
	for (id = 0; rx->bufs && id < rx->ring.size; id++)
		toenic_rx_put_page(pair->nic, &rx->bufs[id]);
	kvfree(pair->flows);
	pair->flows = NULL;
	kvfree(rx->free);
	rx->free = NULL;
	kvfree(rx->bufs);
	rx->bufs = NULL;
	toenic_ring_free(pair->nic, &rx->ring);
}

/* Make sure that @buf has a page with a free half at @buf->offset. */
static int toenic_rx_page(struct toenic_pair *pair, struct toenic_rx_buf *buf)
{
	struct device *dev = toenic_dev(pair->nic);

	if (buf->page) {
		pair->rx_counts.page_reused++;
		return 0;
	}

	buf->page = dev_alloc_page();
	if (!buf->page)
		goto err;
	buf->dma = dma_map_page_attrs(dev, buf->page, 0, PAGE_SIZE,
				      DMA_FROM_DEVICE, TOENIC_RX_ATTRS);
	if (dma_mapping_error(dev, buf->dma)) {
		__free_page(buf->page);
		buf->page = NULL;
		goto err;
	}
	page_ref_add(buf->page, TOENIC_RX_BIAS - 1);
	buf->bias = TOENIC_RX_BIAS;
	buf->offset = 0;
	pair->rx_counts.page_alloc++;
	return 0;

err:
	pair->rx_counts.alloc_failed++;
	return -ENOMEM;
}

/**
 * toenic_rx_refill() - give the card all buffers that it doesn't have
 * @pair: its pair
 *
 * Context: NAPI.
 */
void toenic_rx_refill(struct toenic_pair *pair)
{
	struct toenic_rx *rx = &pair->rx;
	struct toe_rxd *rxd = rx->ring.desc;
	struct toenic_rx_buf *buf;
	u32 slot;
	u16 id;

	while (rx->nfree) {
		id = rx->free[rx->nfree - 1];
		buf = &rx->bufs[id];
		if (toenic_rx_page(pair, buf))
			break;
		dma_sync_single_range_for_device(toenic_dev(pair->nic),
						 buf->dma, buf->offset,
						 TOENIC_RX_BUF,
						 DMA_FROM_DEVICE);
		slot = toenic_ring_slot(&rx->ring, rx->ring.next);
		rxd[slot].addr = cpu_to_le64(buf->dma + buf->offset);
		rxd[slot].buf_id = cpu_to_le32(id);
		rxd[slot].rsvd = 0;
		buf->posted = true;
		rx->nfree--;
		rx->ring.next++;
	}

	toenic_ring_publish(&rx->ring, pair->doorbell);
	if (unlikely(rx->nfree > rx->ring.size / 2))
		toenic_pair_kick(pair);
}

/* The buffer's half went into an skb.  Can the other half be the card's? */
static void toenic_rx_flip(struct toenic_pair *pair, struct toenic_rx_buf *buf)
{
	buf->bias--;
	if (unlikely(page_is_pfmemalloc(buf->page)) ||
	    page_to_nid(buf->page) != numa_mem_id() ||
	    page_ref_count(buf->page) - buf->bias > 1) {
		toenic_rx_put_page(pair->nic, buf);
		return;
	}

	buf->offset ^= TOENIC_RX_BUF;
	if (unlikely(buf->bias == 1)) {
		page_ref_add(buf->page, TOENIC_RX_BIAS - 1);
		buf->bias = TOENIC_RX_BIAS;
	}
}

static struct toenic_flow *toenic_rx_flow(struct toenic_pair *pair,
					  const struct toenic_segment *seg,
					  u32 *key)
{
	u32 ports = get_unaligned((const u32 *)seg->ports);

	*key = jhash(seg->addrs, seg->addr_bytes, ports);
	return &pair->flows[*key % TOENIC_FLOWS];
}

/*
 * 676 asks what an ACK acknowledges.  The passive side's handshake is a SYN
 * followed by an ACK with the next sequence number; the peer that has sent its
 * FIN acknowledges ours with the number after it.
 */
static enum toenic_flow_state toenic_rx_track(struct toenic_pair *pair,
					      const struct toenic_segment *seg)
{
	enum toenic_flow_state state = TOENIC_FLOW_NONE;
	u8 flags = seg->flags;
	struct toenic_flow *flow;
	u32 key;

	flow = toenic_rx_flow(pair, seg, &key);
	if (flags & TOENIC_TCP_RST) {
		if (flow->key == key)
			flow->state = TOENIC_FLOW_NONE;
	} else if (flags & (TOENIC_TCP_SYN | TOENIC_TCP_FIN)) {
		flow->key = key;
		flow->seq = seg->seq + 1;
		if (!(flags & TOENIC_TCP_SYN))
			flow->state = TOENIC_FLOW_CLOSING;
		else if (flags & TOENIC_TCP_ACK)
			flow->state = TOENIC_FLOW_NONE;
		else
			flow->state = TOENIC_FLOW_HANDSHAKE;
	} else if (flow->state != TOENIC_FLOW_NONE && flow->key == key &&
		   (flow->state == TOENIC_FLOW_CLOSING ||
		    flow->seq == seg->seq)) {
		state = flow->state;
		flow->state = TOENIC_FLOW_NONE;
	}
	return state;
}

/* Walk figure 4D with a frame and tell the filter what concerns it. */
static void toenic_rx_classify(struct toenic_pair *pair, const u8 *data,
			       u32 len, u32 tid)
{
	struct toe_device *tdev = &pair->nic->tdev;
	struct toenic_rx_info info = { .tid = tid };
	struct toenic_segment seg;
	enum toenic_verdict verdict;

	if (toenic_parse(data, len, &seg)) {
		info.segment = &seg;
		info.flow = toenic_rx_track(pair, &seg);
	}
	verdict = toenic_classify(&info);
	pair->rx_counts.verdict[verdict]++;

	switch (verdict) {
	case TOENIC_NEW_CONN:
		toe_rx_handshake(tdev);
		if (seg.flags & TOENIC_TCP_ACK)
			pair->handshake_done = true;
		break;
	case TOENIC_OFFLOAD_COMPLETE:
		pair->handshake_done = true;
		break;
	case TOENIC_CLOSING:
	case TOENIC_CLOSE_STATE:
		if (tid)
			toe_rx_frame_closing(tdev, tid);
		break;
	default:
		break;
	}
}

/* The first buffer of a frame: its skb, with the headers in the linear part. */
static struct sk_buff *toenic_rx_first(struct toenic_pair *pair,
				       struct toenic_rx_buf *buf, u32 len,
				       bool whole)
{
	struct net_device *netdev = pair->nic->netdev;
	u8 *va = page_address(buf->page) + buf->offset;
	struct sk_buff *skb;
	u32 head;

	net_prefetch(va);
	skb = napi_alloc_skb(&pair->napi, TOENIC_RX_HEAD);
	if (unlikely(!skb))
		return NULL;

	if (whole && len <= TOENIC_RX_COPY) {
		skb_put_data(skb, va, len);
		pair->rx_counts.copied++;
		return skb;
	}

	head = min_t(u32, len, TOENIC_RX_HEAD);
	head = eth_get_headlen(netdev, va, head);
	skb_put_data(skb, va, head);
	if (len == head)
		return skb;

	skb_add_rx_frag(skb, 0, buf->page, buf->offset + head, len - head,
			TOENIC_RX_BUF);
	toenic_rx_flip(pair, buf);
	return skb;
}

/* The frame is complete: what the card says about it, and up. */
static void toenic_rx_finish(struct toenic_pair *pair, struct sk_buff *skb,
			     const struct toe_cqe *cqe)
{
	struct net_device *netdev = pair->nic->netdev;

	if (unlikely(skb->len < ETH_HLEN)) {
		pair->rx_counts.length_errors++;
		dev_kfree_skb_any(skb);
		return;
	}

	u64_stats_update_begin(&pair->rx_sync);
	pair->rx_counts.packets++;
	pair->rx_counts.bytes += skb->len;
	u64_stats_update_end(&pair->rx_sync);
	if ((cqe->flags & TOE_RX_CSUM_OK) &&
	    (netdev->features & NETIF_F_RXCSUM)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		pair->rx_counts.csum_ok++;
	} else {
		pair->rx_counts.csum_none++;
	}
	if ((cqe->flags & TOE_RX_HASH) && (netdev->features & NETIF_F_RXHASH))
		skb_set_hash(skb, le32_to_cpu(cqe->rx.hash),
			     cqe->flags & TOE_RX_HASH_L4 ? PKT_HASH_TYPE_L4 :
							   PKT_HASH_TYPE_L3);
	if (cqe->flags & TOE_RX_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       le16_to_cpu(cqe->rx.vlan_tci));
	skb_record_rx_queue(skb, pair->index);
	skb->protocol = eth_type_trans(skb, netdev);
	napi_gro_receive(&pair->napi, skb);
}

/* Add the buffer to the frame.  False: the frame is lost. */
static bool toenic_rx_append(struct toenic_pair *pair,
			     struct toenic_frame *frame,
			     struct toenic_rx_buf *buf,
			     const struct toe_cqe *cqe)
{
	u32 len = le32_to_cpu(cqe->rx.len);
	int nr;

	if (!frame->skb) {
		frame->skb = toenic_rx_first(pair, buf, len,
					     cqe->flags & TOE_RX_EOP);
		return frame->skb;
	}

	nr = skb_shinfo(frame->skb)->nr_frags;
	if (nr >= MAX_SKB_FRAGS)
		return false;
	skb_add_rx_frag(frame->skb, nr, buf->page, buf->offset, len,
			TOENIC_RX_BUF);
	toenic_rx_flip(pair, buf);
	return true;
}

/**
 * toenic_rx_take() - take the buffer that a completion names back
 * @pair: where
 * @cqe: TOE_CQE_RX or TOE_CQE_MIRROR
 *
 * Context: NAPI, or recovery, which drops frames.
 * Return: the buffer, or NULL if the frame is dropped or the card is wrong.
 */
struct toenic_rx_buf *toenic_rx_take(struct toenic_pair *pair,
				     const struct toe_cqe *cqe)
{
	u32 id = le32_to_cpu(cqe->rx.buf_id);
	u32 len = le32_to_cpu(cqe->rx.len);
	struct toenic_rx *rx = &pair->rx;
	struct toenic_rx_buf *buf;

	if (id >= rx->ring.size || !rx->bufs[id].posted ||
	    !len || len > TOENIC_RX_BUF) {
		pair->rx_counts.bad_completions++;
		toenic_fatal(pair->nic, TOENIC_FATAL_PROTOCOL);
		return NULL;
	}
	buf = &rx->bufs[id];
	buf->posted = false;
	rx->free[rx->nfree++] = id;
	if (pair->draining)
		return NULL;

	dma_sync_single_range_for_cpu(toenic_dev(pair->nic), buf->dma,
				      buf->offset, len, DMA_FROM_DEVICE);
	return buf;
}

/**
 * toenic_rx_gather() - add a part to its frame
 * @pair: where
 * @frame: the frame
 * @buf: the part, from toenic_rx_take()
 * @cqe: its completion
 * @dropped: counts frames that are lost
 *
 * Context: NAPI.
 * Return: the frame, if this was its last part; NULL if it wasn't, or the frame
 * is lost.
 */
struct sk_buff *toenic_rx_gather(struct toenic_pair *pair,
				 struct toenic_frame *frame,
				 struct toenic_rx_buf *buf,
				 const struct toe_cqe *cqe, u64 *dropped)
{
	struct sk_buff *skb;

	if (!frame->drop && !toenic_rx_append(pair, frame, buf, cqe)) {
		(*dropped)++;
		frame->drop = true;
		dev_kfree_skb_any(frame->skb);
		frame->skb = NULL;
	}
	if (!(cqe->flags & TOE_RX_EOP))
		return NULL;

	skb = frame->skb;
	frame->skb = NULL;
	frame->drop = false;
	return skb;
}

/**
 * toenic_rx_part() - a frame, or a part of one, has come
 * @pair: where
 * @cqe: TOE_CQE_RX
 *
 * Context: NAPI, or recovery, which drops frames.
 * Return: work done, 0 or 1.
 */
int toenic_rx_part(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	struct toenic_frame *frame = &pair->rx.frame;
	struct toenic_rx_buf *buf;
	struct sk_buff *skb;

	buf = toenic_rx_take(pair, cqe);
	if (!buf)
		return 0;
	if (pair->classify && !frame->skb && !frame->drop)
		toenic_rx_classify(pair, page_address(buf->page) + buf->offset,
				   le32_to_cpu(cqe->rx.len),
				   le32_to_cpu(cqe->rx.tid));
	skb = toenic_rx_gather(pair, frame, buf, cqe, &pair->rx_counts.dropped);
	if (skb)
		toenic_rx_finish(pair, skb, cqe);
	return !!(cqe->flags & TOE_RX_EOP);
}
