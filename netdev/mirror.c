// SPDX-License-Identifier: GPL-2.0
/*
 * Copies of offloaded segments: from the card to packet taps, and nowhere else.
 *
 * A sent one goes where the copy of every sent frame goes, dev_queue_xmit_nit().
 * For received ones the kernel exports no such call, and the others would lie or
 * do more: dev_queue_xmit_nit() calls everything outgoing.  netif_receive_skb()
 * shows a frame to XDP, tc and netfilter too, and then TCP gets the segment a
 * second time, unless it has a packet type or protocol that isn't its own, which
 * taps would show, or an rx_handler eats it, of which a device has but one.  So
 * the lists of taps are walked here, as the kernel's receive path begins.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>

#include "toenic.h"
#include "cmd.h"
#include "mirror.h"
#include "rx.h"

/**
 * toenic_mirror_set() - what of offloaded segments taps are to see
 * @tdev: the card
 * @mode: off, headers, or all
 *
 * Copies that are under way when it's switched off still come.
 * Context: process, RTNL not held.
 * Return: 0 or -errno.
 */
int toenic_mirror_set(struct toe_device *tdev, enum toe_mirror mode)
{
	struct toenic *nic = toenic_from_tdev(tdev);
	enum toe_mirror old;
	int err = 0;

	if (!(tdev->caps & TOE_CAP_TOE_MIRROR))
		return mode == TOE_MIRROR_OFF ? 0 : -EOPNOTSUPP;

	/* Who else sends this command holds the one (ndo) or the other (up). */
	rtnl_lock();
	mutex_lock(&nic->state_lock);
	old = tdev->mirror;
	WRITE_ONCE(tdev->mirror, mode);
	if (test_bit(TOENIC_UP, &nic->flags) && !toenic_is_dead(nic))
		err = toenic_cmd_features(nic, nic->netdev->features);
	if (err)
		WRITE_ONCE(tdev->mirror, old);
	mutex_unlock(&nic->state_lock);
	rtnl_unlock();
	return err;
}

/* Each tap takes a reference of its own and leaves a shared skb as it was. */
static void toenic_mirror_taps(struct sk_buff *skb, struct list_head *taps)
{
	struct packet_type *pt;

	list_for_each_entry_rcu(pt, taps, list)
		pt->func(skb_get(skb), skb->dev, pt, skb->dev);
}

static void toenic_mirror_received(struct sk_buff *skb)
{
	struct list_head *all;

	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_mac_len(skb);
	rcu_read_lock();
	all = compat_taps(skb->dev);
	if (all)
		toenic_mirror_taps(skb, all);
	toenic_mirror_taps(skb, &skb->dev->ptype_all);
	rcu_read_unlock();
}

static void toenic_mirror_sent(struct sk_buff *skb)
{
	skb_reset_network_header(skb);
	skb_push(skb, ETH_HLEN);
	dev_queue_xmit_nit(skb, skb->dev);
}

/**
 * toenic_mirror_part() - a copy of a segment, or a part of one, has come
 * @pair: where
 * @cqe: TOE_CQE_MIRROR
 *
 * Nothing is said about checksums: they stand in the frame as on the wire.
 * Context: NAPI, or recovery, which drops frames.
 * Return: work done, 0 or 1.
 */
int toenic_mirror_part(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	struct toenic_rx_counts *counts = &pair->rx_counts;
	struct net_device *netdev = pair->nic->netdev;
	struct toenic_frame *frame = &pair->rx.mirror;
	struct toenic_rx_buf *buf;
	struct sk_buff *skb;

	buf = toenic_rx_take(pair, cqe);
	if (!buf)
		return 0;
	if (!frame->skb && !dev_nit_active(netdev))
		frame->drop = true;	/* nobody looks */
	skb = toenic_rx_gather(pair, frame, buf, cqe,
			       &counts->toe_mirror_dropped);
	if (!skb)
		goto out;

	if (skb->len >= ETH_HLEN) {
		counts->toe_mirror_frames++;
		skb->protocol = eth_type_trans(skb, netdev);
		/* A tag stands beside the frame, as in others that taps see. */
		if (eth_type_vlan(skb->protocol)) {
			skb = skb_vlan_untag(skb);
			if (!skb)
				goto out;
		}
		if (cqe->flags & TOE_RX_SENT)
			toenic_mirror_sent(skb);
		else
			toenic_mirror_received(skb);
	}
	consume_skb(skb);
out:
	return !!(cqe->flags & TOE_RX_EOP);
}
