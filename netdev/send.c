// SPDX-License-Identifier: GPL-2.0
/*
 * Payload out: skbs that the card reads from until the peer has acknowledged.
 */
#include <linux/dma-mapping.h>
#include <linux/skbuff.h>

#include "toenic.h"
#include "send.h"

/* Map the part of the linear data that belongs to the range. */
static int toenic_send_map_linear(struct toenic *nic, struct toenic_send *send,
				  u32 *off, u32 *len)
{
	struct sk_buff *skb = send->skb;
	u32 headlen = skb_headlen(skb);
	u32 n;

	if (*off >= headlen) {
		*off -= headlen;
		return 0;
	}

	n = min(headlen - *off, *len);
	send->maps[0].dma = dma_map_single(toenic_dev(nic), skb->data + *off,
					   n, DMA_TO_DEVICE);
	if (dma_mapping_error(toenic_dev(nic), send->maps[0].dma))
		return -ENOMEM;
	send->maps[0].len = n;
	send->linear = true;
	send->nmaps = 1;
	*len -= n;
	*off = 0;
	return 0;
}

static int toenic_send_map_frags(struct toenic *nic, struct toenic_send *send,
				 u32 off, u32 len)
{
	struct skb_shared_info *info = skb_shinfo(send->skb);
	struct toenic_map *map;
	skb_frag_t *frag;
	u32 n;
	int i;

	for (i = 0; len && i < info->nr_frags; i++) {
		frag = &info->frags[i];
		n = skb_frag_size(frag);
		if (off >= n) {
			off -= n;
			continue;
		}
		n = min(n - off, len);
		map = &send->maps[send->nmaps];
		map->dma = skb_frag_dma_map(toenic_dev(nic), frag, off, n,
					    DMA_TO_DEVICE);
		if (dma_mapping_error(toenic_dev(nic), map->dma))
			return -ENOMEM;
		map->len = n;
		send->nmaps++;
		len -= n;
		off = 0;
	}
	return len ? -EINVAL : 0;
}

/**
 * toenic_send_map() - make a part of an skb readable for the card
 * @nic: the card
 * @skb: stays the caller's
 * @off: where in @skb the payload starts
 * @len: of the payload
 * @seq: of its first byte
 *
 * Context: BH disabled.
 * Return: the mapped payload, or ERR_PTR(-ENOMEM), -EINVAL if @skb is shorter.
 */
struct toenic_send *toenic_send_map(struct toenic *nic, struct sk_buff *skb,
				    u32 off, u32 len, u32 seq)
{
	u32 maps = skb_shinfo(skb)->nr_frags + 1;
	struct toenic_send *send;
	int err;

	if (!len || len > skb->len || off > skb->len - len)
		return ERR_PTR(-EINVAL);

	send = kmalloc(struct_size(send, maps, maps), GFP_ATOMIC);
	if (!send)
		return ERR_PTR(-ENOMEM);
	send->next = NULL;
	send->skb = skb;
	send->end_seq = seq + len;
	send->nmaps = 0;
	send->linear = false;

	err = toenic_send_map_linear(nic, send, &off, &len);
	if (!err)
		err = toenic_send_map_frags(nic, send, off, len);
	if (err) {
		toenic_send_unmap(nic, send);
		return ERR_PTR(err);
	}
	return send;
}

/**
 * toenic_send_unmap() - undo toenic_send_map()
 * @nic: the card, which doesn't read it any more
 * @send: mapped payload; its skb stays the caller's
 *
 * Context: BH disabled.
 */
void toenic_send_unmap(struct toenic *nic, struct toenic_send *send)
{
	struct device *dev = toenic_dev(nic);
	unsigned int i = 0;

	if (send->linear) {
		dma_unmap_single(dev, send->maps[0].dma, send->maps[0].len,
				 DMA_TO_DEVICE);
		i = 1;
	}
	for (; i < send->nmaps; i++)
		dma_unmap_page(dev, send->maps[i].dma, send->maps[i].len,
			       DMA_TO_DEVICE);
	kfree(send);
}

/**
 * toenic_send_free() - the payload is acknowledged, or the host's again
 * @nic: the card, which doesn't read it any more
 * @send: mapped payload; it and its skb are freed
 *
 * Context: BH disabled, no lock held.
 */
void toenic_send_free(struct toenic *nic, struct toenic_send *send)
{
	struct sk_buff *skb = send->skb;

	toenic_send_unmap(nic, send);
	napi_consume_skb(skb, 1);
}
