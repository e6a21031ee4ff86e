// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "toe": cards.  Connections are in netlink-conn.c, rules
 * in netlink-rule.c; Documentation/netlink/specs/toe.yaml describes all of it.
 *
 * A caller sees what belongs to its network namespace.  Reading needs no right,
 * as with ss; changing needs CAP_NET_ADMIN in the user namespace that owns the
 * network namespace, for cards and connections of that namespace only.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "netlink-gen.h"

static bool toe_nl_up;

/* Numbers of the user API by our own, which may change. */
u32 toe_nl_refusal(enum toe_refuse why)
{
	static const u8 numbers[] = {
#define X(sym, name, flag)[TOE_REFUSE_##sym] = TOE_REFUSAL_##sym,
		TOE_REFUSE_LIST(X)
#undef X
	};

	return numbers[why];
}

u32 toe_nl_recall(enum toe_recall why)
{
	static const u8 numbers[] = {
#define X(sym, name, flag)[TOE_RECALL_##sym] = TOE_RECALL_REASON_##sym,
		TOE_RECALL_LIST(X)
#undef X
	};

	return numbers[why];
}

/* Does anybody in @net listen to events? */
bool toe_nl_listened(const struct net *net)
{
	return READ_ONCE(toe_nl_up) &&
	       genl_has_listeners(&toe_nl_family, (struct net *)net,
				  TOE_NLGRP_EVENTS);
}

/* Say what is wrong, and with which attribute (NULL: none); returns @err. */
int toe_nl_fail(struct netlink_ext_ack *extack, const struct nlattr *attr,
		const char *text, int err)
{
	if (extack) {
		extack->_msg = text;
		if (attr)
			NL_SET_BAD_ATTR(extack, attr);
	}
	return err;
}

/* Reasons that occurred: @counter is the first, @n how many there are. */
static int toe_nl_put_reasons(struct sk_buff *skb, const struct toe_dev *dev,
			      bool refused)
{
	int i, n = refused ? TOE_REFUSES : TOE_RECALLS;
	struct nlattr *nest;
	u64 count;

	for (i = refused ? 1 : 0; i < n; i++) {
		count = toe_counter_read(dev, refused ? TOE_CNT_REFUSE + i :
							TOE_CNT_RECALL + i);
		if (!count)
			continue;
		nest = nla_nest_start(skb, refused ? TOE_A_DEV_REFUSED :
						     TOE_A_DEV_RECALLED);
		if (!nest ||
		    nla_put_u32(skb, TOE_A_REFUSED_REASON,
				refused ? toe_nl_refusal(i) : toe_nl_recall(i)) ||
		    nla_put_u64_64bit(skb, TOE_A_REFUSED_COUNT, count,
				      TOE_A_REFUSED_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/* Both nests look alike. */
static_assert((int)TOE_A_REFUSED_REASON == (int)TOE_A_RECALLED_REASON);
static_assert((int)TOE_A_REFUSED_COUNT == (int)TOE_A_RECALLED_COUNT);
static_assert((int)TOE_A_REFUSED_PAD == (int)TOE_A_RECALLED_PAD);

static int toe_nl_put_counters(struct sk_buff *skb, const struct toe_dev *dev)
{
	static const struct {
		u8 attr;
		u8 counter;
	} list[] = {
		{ TOE_A_DEV_OFFLOADS,		TOE_CNT_OFFLOADS },
		{ TOE_A_DEV_RECALLS,		TOE_CNT_RECALLS },
		{ TOE_A_DEV_REFUSALS,		TOE_CNT_REFUSALS },
		{ TOE_A_DEV_TX_BYTES,		TOE_CNT_TX_BYTES },
		{ TOE_A_DEV_RX_BYTES,		TOE_CNT_RX_BYTES },
		{ TOE_A_DEV_TX_SEGS,		TOE_CNT_TX_SEGS },
		{ TOE_A_DEV_RX_SEGS,		TOE_CNT_RX_SEGS },
		{ TOE_A_DEV_RETRANS_SEGS,	TOE_CNT_RETRANS_SEGS },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(list); i++)
		if (nla_put_u64_64bit(skb, list[i].attr,
				      toe_counter_read(dev, list[i].counter),
				      TOE_A_DEV_PAD))
			return -EMSGSIZE;
	return toe_nl_put_reasons(skb, dev, true) ?:
	       toe_nl_put_reasons(skb, dev, false);
}

/* The bits of toe_hw.h are those of the user API. */
static_assert(TOE_DEV_CAP_IPV4 == TOE_CAP_TOE_IPV4);
static_assert(TOE_DEV_CAP_IPV6 == TOE_CAP_TOE_IPV6);
static_assert(TOE_DEV_CAP_TSTAMP == TOE_CAP_TOE_TSTAMP);
static_assert(TOE_DEV_CAP_SACK == TOE_CAP_TOE_SACK);
static_assert(TOE_DEV_CAP_ECN == TOE_CAP_TOE_ECN);
static_assert(TOE_DEV_CAP_VLAN == TOE_CAP_TOE_VLAN);
static_assert(TOE_DEV_CAP_MIRROR == TOE_CAP_TOE_MIRROR);

/* @dev is in the list of cards, RCU's read lock held. */
static int toe_nl_put_dev(struct sk_buff *skb, const struct toe_dev *dev)
{
	const struct toe_device *tdev = READ_ONCE(dev->tdev);

	if (nla_put_u32(skb, TOE_A_DEV_IFINDEX, dev->netdev->ifindex) ||
	    nla_put_string(skb, TOE_A_DEV_NAME, dev->netdev->name) ||
	    nla_put_u8(skb, TOE_A_DEV_ENABLED, READ_ONCE(dev->enabled)) ||
	    nla_put_u8(skb, TOE_A_DEV_SUSPENDED, READ_ONCE(dev->suspended)) ||
	    nla_put_u32(skb, TOE_A_DEV_CAPS, tdev ? tdev->caps : 0) ||
	    nla_put_u32(skb, TOE_A_DEV_MAX_CONNS, tdev ? tdev->max_conns : 0) ||
	    nla_put_u32(skb, TOE_A_DEV_CONNECTIONS, atomic_read(&dev->offloaded)) ||
	    nla_put_u32(skb, TOE_A_DEV_REOFFLOAD_MS, READ_ONCE(dev->reoffload_ms)) ||
	    nla_put_u32(skb, TOE_A_DEV_RULES, READ_ONCE(dev->rules_count)))
		return -EMSGSIZE;
	return toe_nl_put_counters(skb, dev);
}

static int toe_nl_fill_dev(struct sk_buff *skb, const struct toe_dev *dev,
			   u32 portid, u32 seq, int flags)
{
	void *hdr;

	hdr = genlmsg_put(skb, portid, seq, &toe_nl_family, flags,
			  TOE_CMD_DEV_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (toe_nl_put_dev(skb, dev)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int toe_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[TOE_A_DEV_IFINDEX];
	struct toe_dev *dev;
	struct sk_buff *msg;
	int ifindex, err;

	if (!attr)
		return toe_nl_fail(info->extack, NULL, "no interface is named", -EINVAL);
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	ifindex = nla_get_u32(attr);
	rcu_read_lock();
	dev = toe_dev_next(genl_info_net(info), ifindex - 1);
	if (dev && dev->netdev->ifindex == ifindex)
		err = toe_nl_fill_dev(msg, dev, info->snd_portid, info->snd_seq, 0);
	else
		err = toe_nl_fail(info->extack, attr, TOE_NL_NO_CARD, -ENODEV);
	rcu_read_unlock();
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

/* cb->args[0]: the last index told. */
int toe_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct net *net = sock_net(skb->sk);
	struct toe_dev *dev;

	rcu_read_lock();
	while ((dev = toe_dev_next(net, cb->args[0]))) {
		if (toe_nl_fill_dev(skb, dev, NETLINK_CB(cb->skb).portid,
				    cb->nlh->nlmsg_seq, NLM_F_MULTI))
			break;
		cb->args[0] = dev->netdev->ifindex;
	}
	rcu_read_unlock();
	return skb->len;
}

int toe_nl_init(void)
{
	int err = genl_register_family(&toe_nl_family);

	if (!err)
		WRITE_ONCE(toe_nl_up, true);
	return err;
}

void toe_nl_uninit(void)
{
	WRITE_ONCE(toe_nl_up, false);
	synchronize_rcu();	/* toe_nl_event() */
	genl_unregister_family(&toe_nl_family);
}

MODULE_ALIAS_GENL_FAMILY(TOE_FAMILY_NAME);
