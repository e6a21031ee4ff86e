// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "toe": rules (rule.c).
 */
#include <linux/cgroup.h>
#include <net/genetlink.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "netlink-gen.h"
#include "rule.h"

/* The card that a request names, its switch_lock held, or an error. */
static struct toe_dev *toe_nl_lock_dev(struct genl_info *info)
{
	struct nlattr *attr = info->attrs[TOE_A_RULE_IFINDEX];
	struct toe_dev *dev;

	if (!attr) {
		toe_nl_fail(info->extack, NULL, "no interface is named", -EINVAL);
		return ERR_PTR(-EINVAL);
	}
	dev = toe_dev_by_index(genl_info_net(info), nla_get_u32(attr));
	if (dev) {
		mutex_lock(&dev->switch_lock);
		/* It may have gone, or gone elsewhere, in between. */
		if (!dev->gone && net_eq(dev_net(dev->netdev), genl_info_net(info)))
			return dev;
		mutex_unlock(&dev->switch_lock);
		toe_dev_put(dev);
	}
	toe_nl_fail(info->extack, attr, TOE_NL_NO_CARD, -ENODEV);
	return ERR_PTR(-ENODEV);
}

static void toe_nl_unlock_dev(struct toe_dev *dev)
{
	mutex_unlock(&dev->switch_lock);
	toe_dev_put(dev);
}

/* The bits of @p beyond its length are zero? */
static bool toe_prefix_clean(const struct toe_prefix *p)
{
	int i, size = p->family == 4 ? 4 : 16;
	u8 mask;

	for (i = p->len / 8; i < size; i++) {
		mask = 0xff;
		if (i == p->len / 8)
			mask >>= p->len % 8;
		if (p->addr[i] & mask)
			return false;
	}
	return true;
}

static int toe_nl_prefix(const struct nlattr *addr, const struct nlattr *len,
			 struct toe_prefix *p, struct netlink_ext_ack *extack)
{
	int size;

	if (!addr)
		return len ? toe_nl_fail(extack, len, "a length without an address",
					 -EINVAL) : 0;
	size = nla_len(addr);
	if (size != 4 && size != 16)
		return toe_nl_fail(extack, addr, "an address has 4 or 16 bytes", -EINVAL);
	p->family = size == 4 ? 4 : 6;
	nla_memcpy(p->addr, addr, size);
	p->len = len ? nla_get_u8(len) : size * 8;
	if (p->len > size * 8)
		return toe_nl_fail(extack, len, "the prefix is longer than the address",
				   -EINVAL);
	if (!toe_prefix_clean(p))
		return toe_nl_fail(extack, addr, "the address has bits beyond its prefix",
				   -EINVAL);
	return 0;
}

static int toe_nl_ports(const struct nlattr *min, const struct nlattr *max,
			u16 *range, struct netlink_ext_ack *extack)
{
	if (!min)
		return max ? toe_nl_fail(extack, max, "a last port without a first",
					 -EINVAL) : 0;
	range[0] = nla_get_u16(min);
	range[1] = max ? nla_get_u16(max) : range[0];
	if (range[1] < range[0])
		return toe_nl_fail(extack, max, "the last port is below the first",
				   -EINVAL);
	return 0;
}

static int toe_nl_mark(const struct nlattr *mark, const struct nlattr *mask,
		       struct toe_rule *r, struct netlink_ext_ack *extack)
{
	if (!mark)
		return mask ? toe_nl_fail(extack, mask, "a mask without a mark",
					  -EINVAL) : 0;
	r->mark = nla_get_u32(mark);
	r->mask = mask ? nla_get_u32(mask) : U32_MAX;
	if (r->mark & ~r->mask)
		return toe_nl_fail(extack, mark, "the mark has bits outside its mask",
				   -EINVAL);
	return 0;
}

static int toe_nl_cgroup(const struct nlattr *attr, struct toe_rule *r,
			 struct netlink_ext_ack *extack)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *cgrp;

	r->cgroup = nla_get_u64(attr);
	/* In the caller's cgroup namespace. */
	cgrp = cgroup_get_from_id(r->cgroup);
	if (IS_ERR_OR_NULL(cgrp))
		return toe_nl_fail(extack, attr, "no cgroup has this identifier",
				   -ENOENT);
	/* The identifier isn't given again: no need to keep the group alive. */
	cgroup_put(cgrp);
	return 0;
#else
	return toe_nl_fail(extack, attr, "this kernel has no cgroups of sockets",
			   -EOPNOTSUPP);
#endif
}

/* What belongs to the socket. */
static int toe_nl_parse_owner(struct nlattr **attrs, struct toe_rule *r,
			      struct netlink_ext_ack *extack)
{
	if (attrs[TOE_A_RULE_UID]) {
		r->uid = make_kuid(current_user_ns(), nla_get_u32(attrs[TOE_A_RULE_UID]));
		if (!uid_valid(r->uid))
			return toe_nl_fail(extack, attrs[TOE_A_RULE_UID],
					   "no such user in this namespace", -EINVAL);
		r->fields |= TOE_RULE_UID;
	}
	if (attrs[TOE_A_RULE_SO_PRIORITY]) {
		r->so_priority = nla_get_u32(attrs[TOE_A_RULE_SO_PRIORITY]);
		r->fields |= TOE_RULE_SO_PRIORITY;
	}
	if (attrs[TOE_A_RULE_DSCP]) {
		r->dscp = nla_get_u8(attrs[TOE_A_RULE_DSCP]);
		r->fields |= TOE_RULE_DSCP;
	}
	if (attrs[TOE_A_RULE_MARK])
		r->fields |= TOE_RULE_MARK;
	if (attrs[TOE_A_RULE_CGROUP]) {
		r->fields |= TOE_RULE_CGROUP;
		return toe_nl_cgroup(attrs[TOE_A_RULE_CGROUP], r, extack);
	}
	return 0;
}

static int toe_nl_parse_flow(struct nlattr **attrs, struct toe_rule *r,
			     struct netlink_ext_ack *extack)
{
	int err;

	err = toe_nl_prefix(attrs[TOE_A_RULE_LOCAL_ADDR], attrs[TOE_A_RULE_LOCAL_LEN],
			    &r->local, extack);
	if (!err)
		err = toe_nl_prefix(attrs[TOE_A_RULE_REMOTE_ADDR],
				    attrs[TOE_A_RULE_REMOTE_LEN], &r->remote, extack);
	if (!err)
		err = toe_nl_ports(attrs[TOE_A_RULE_LOCAL_PORT_MIN],
				   attrs[TOE_A_RULE_LOCAL_PORT_MAX],
				   r->local_port, extack);
	if (!err)
		err = toe_nl_ports(attrs[TOE_A_RULE_REMOTE_PORT_MIN],
				   attrs[TOE_A_RULE_REMOTE_PORT_MAX],
				   r->remote_port, extack);
	if (err)
		return err;
	if (r->local.family && r->remote.family &&
	    r->local.family != r->remote.family)
		return toe_nl_fail(extack, attrs[TOE_A_RULE_REMOTE_ADDR],
				   "the addresses are of different families", -EINVAL);
	if (r->local.family)
		r->fields |= TOE_RULE_LOCAL;
	if (r->remote.family)
		r->fields |= TOE_RULE_REMOTE;
	if (r->local_port[0])
		r->fields |= TOE_RULE_LOCAL_PORT;
	if (r->remote_port[0])
		r->fields |= TOE_RULE_REMOTE_PORT;
	return 0;
}

static int toe_nl_parse_rule(struct nlattr **attrs, struct toe_rule *r,
			     struct netlink_ext_ack *extack)
{
	int err;

	if (!attrs[TOE_A_RULE_ACTION])
		return toe_nl_fail(extack, NULL, "the rule has no action", -EINVAL);
	r->native = nla_get_u32(attrs[TOE_A_RULE_ACTION]) == TOE_RULE_ACTION_NATIVE;
	if (attrs[TOE_A_RULE_PREF])
		r->pref = nla_get_u32(attrs[TOE_A_RULE_PREF]);
	if (attrs[TOE_A_RULE_ROLE]) {
		r->role = nla_get_u32(attrs[TOE_A_RULE_ROLE]);
		if (r->role == TOE_CONN_ROLE_UNKNOWN)
			return toe_nl_fail(extack, attrs[TOE_A_RULE_ROLE],
					   "the role is in or out", -EINVAL);
		r->fields |= TOE_RULE_ROLE;
	}
	err = toe_nl_parse_flow(attrs, r, extack);
	if (!err)
		err = toe_nl_mark(attrs[TOE_A_RULE_MARK], attrs[TOE_A_RULE_MASK], r,
				  extack);
	return err ?: toe_nl_parse_owner(attrs, r, extack);
}

static int toe_nl_put_prefix(struct sk_buff *skb, const struct toe_prefix *p,
			     int addr, int len)
{
	return nla_put(skb, addr, p->family == 4 ? 4 : 16, p->addr) ||
	       nla_put_u8(skb, len, p->len);
}

static int toe_nl_put_ports(struct sk_buff *skb, const u16 *range, int min, int max)
{
	return nla_put_u16(skb, min, range[0]) || nla_put_u16(skb, max, range[1]);
}

static int toe_nl_put_rule(struct sk_buff *skb, const struct toe_rule *r,
			   struct user_namespace *ns)
{
#define HAS(field) (r->fields & TOE_RULE_##field)
	if (nla_put_u32(skb, TOE_A_RULE_HANDLE, r->handle) ||
	    nla_put_u32(skb, TOE_A_RULE_PREF, r->pref) ||
	    nla_put_u32(skb, TOE_A_RULE_ACTION, r->native ?
			TOE_RULE_ACTION_NATIVE : TOE_RULE_ACTION_OFFLOAD) ||
	    (HAS(ROLE) && nla_put_u32(skb, TOE_A_RULE_ROLE, r->role)) ||
	    (HAS(LOCAL) && toe_nl_put_prefix(skb, &r->local, TOE_A_RULE_LOCAL_ADDR,
					     TOE_A_RULE_LOCAL_LEN)) ||
	    (HAS(REMOTE) && toe_nl_put_prefix(skb, &r->remote, TOE_A_RULE_REMOTE_ADDR,
					      TOE_A_RULE_REMOTE_LEN)) ||
	    (HAS(LOCAL_PORT) && toe_nl_put_ports(skb, r->local_port,
						 TOE_A_RULE_LOCAL_PORT_MIN,
						 TOE_A_RULE_LOCAL_PORT_MAX)) ||
	    (HAS(REMOTE_PORT) && toe_nl_put_ports(skb, r->remote_port,
						  TOE_A_RULE_REMOTE_PORT_MIN,
						  TOE_A_RULE_REMOTE_PORT_MAX)) ||
	    (HAS(UID) && nla_put_u32(skb, TOE_A_RULE_UID,
				     from_kuid_munged(ns, r->uid))) ||
	    (HAS(CGROUP) && nla_put_u64_64bit(skb, TOE_A_RULE_CGROUP, r->cgroup,
					      TOE_A_RULE_PAD)) ||
	    (HAS(MARK) && (nla_put_u32(skb, TOE_A_RULE_MARK, r->mark) ||
			   nla_put_u32(skb, TOE_A_RULE_MASK, r->mask))) ||
	    (HAS(SO_PRIORITY) && nla_put_u32(skb, TOE_A_RULE_SO_PRIORITY,
					     r->so_priority)) ||
	    (HAS(DSCP) && nla_put_u8(skb, TOE_A_RULE_DSCP, r->dscp)))
		return -EMSGSIZE;
#undef HAS
	return 0;
}

static int toe_nl_fill_rule(struct sk_buff *skb, const struct toe_rule *r,
			    int ifindex, struct user_namespace *ns, u32 portid,
			    u32 seq, int flags, u8 cmd)
{
	void *hdr;

	hdr = genlmsg_put(skb, portid, seq, &toe_nl_family, flags, cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, TOE_A_RULE_IFINDEX, ifindex) ||
	    toe_nl_put_rule(skb, r, ns)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

int toe_nl_rule_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct toe_rule *rule;
	struct sk_buff *msg;
	struct toe_dev *dev;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	rule = kzalloc_obj(*rule, GFP_KERNEL_ACCOUNT);
	err = -ENOMEM;
	if (!msg || !rule)
		goto err_free;
	err = toe_nl_parse_rule(info->attrs, rule, info->extack);
	if (err)
		goto err_free;
	dev = toe_nl_lock_dev(info);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto err_free;
	}
	err = toe_rule_add(dev, rule, !info->attrs[TOE_A_RULE_PREF]);
	if (err) {
		toe_nl_fail(info->extack, NULL, "the card has as many rules as can be",
			    err);
		toe_nl_unlock_dev(dev);
		goto err_free;
	}
	err = toe_nl_fill_rule(msg, rule, dev->netdev->ifindex,
			       sk_user_ns(NETLINK_CB(skb).sk), info->snd_portid,
			       info->snd_seq, 0, TOE_CMD_RULE_NEW);
	toe_dev_recheck_rules(dev);
	toe_nl_unlock_dev(dev);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);

err_free:
	kfree(rule);
	nlmsg_free(msg);
	return err;
}

/* The rule that a request names.  switch_lock held. */
static struct toe_rule *toe_nl_named_rule(struct genl_info *info, struct toe_dev *dev)
{
	struct nlattr *handle = info->attrs[TOE_A_RULE_HANDLE];
	struct nlattr *pref = info->attrs[TOE_A_RULE_PREF];
	struct toe_rule *r;
	bool several;
	int err;

	if (!handle && !pref) {
		err = toe_nl_fail(info->extack, NULL, "a handle or a pref is needed",
				  -EINVAL);
		return ERR_PTR(err);
	}
	if (handle) {
		r = toe_rule_find(dev, nla_get_u32(handle));
		if (r && (!pref || r->pref == nla_get_u32(pref)))
			return r;
		err = toe_nl_fail(info->extack, handle, "no rule has this handle",
				  -ENOENT);
		return ERR_PTR(err);
	}
	r = toe_rule_find_pref(dev, nla_get_u32(pref), &several);
	if (r && !several)
		return r;
	err = toe_nl_fail(info->extack, pref, r ?
			  "several rules have this pref: say which by its handle" :
			  "no rule has this pref", r ? -ENOTUNIQ : -ENOENT);
	return ERR_PTR(err);
}

int toe_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool all = info->attrs[TOE_A_RULE_ALL];
	struct toe_rule *rule;
	struct toe_dev *dev;
	int err = 0;

	if (all && (info->attrs[TOE_A_RULE_HANDLE] || info->attrs[TOE_A_RULE_PREF]))
		return toe_nl_fail(info->extack, info->attrs[TOE_A_RULE_ALL],
				   "either all, or a certain rule", -EINVAL);
	dev = toe_nl_lock_dev(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	if (all) {
		toe_rule_flush(dev);
	} else {
		rule = toe_nl_named_rule(info, dev);
		err = PTR_ERR_OR_ZERO(rule);
		if (!err)
			toe_rule_del(dev, rule);
	}
	if (!err)
		toe_dev_recheck_rules(dev);
	toe_nl_unlock_dev(dev);
	return err;
}

int toe_nl_rule_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *handle = info->attrs[TOE_A_RULE_HANDLE];
	struct toe_rule *rule;
	struct sk_buff *msg;
	struct toe_dev *dev;
	int err;

	if (!handle)
		return toe_nl_fail(info->extack, NULL, "a handle is needed", -EINVAL);
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	dev = toe_nl_lock_dev(info);
	err = PTR_ERR_OR_ZERO(dev);
	if (err)
		goto err_free;
	rule = toe_rule_find(dev, nla_get_u32(handle));
	if (rule)
		err = toe_nl_fill_rule(msg, rule, dev->netdev->ifindex,
				       sk_user_ns(NETLINK_CB(skb).sk),
				       info->snd_portid, info->snd_seq, 0,
				       TOE_CMD_RULE_GET);
	else
		err = toe_nl_fail(info->extack, handle, "no rule has this handle",
				  -ENOENT);
	toe_nl_unlock_dev(dev);
	if (err)
		goto err_free;
	return genlmsg_reply(msg, info);

err_free:
	nlmsg_free(msg);
	return err;
}

/* Where a dump of rules stands: the last one told. */
struct toe_nl_rule_cursor {
	int ifindex;
	u32 pref;
	u32 handle;
	bool begun;		/* with the rules of @ifindex */
};

/* The rest of a card's rules.  RCU's read lock held. */
static int toe_nl_dump_rules(struct sk_buff *skb, struct netlink_callback *cb,
			     const struct toe_dev *dev, struct toe_nl_rule_cursor *at)
{
	const struct toe_rule *r;
	int err;

	list_for_each_entry_rcu(r, &dev->rules, node) {
		if (at->begun && (r->pref < at->pref ||
				  (r->pref == at->pref && r->handle <= at->handle)))
			continue;
		err = toe_nl_fill_rule(skb, r, dev->netdev->ifindex,
				       sk_user_ns(NETLINK_CB(cb->skb).sk),
				       NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				       NLM_F_MULTI, TOE_CMD_RULE_GET);
		if (err)
			return err;
		at->begun = true;
		at->pref = r->pref;
		at->handle = r->handle;
	}
	return 0;
}

int toe_nl_rule_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct nlattr **attrs = compat_genl_dump_attrs(cb);
	struct toe_nl_rule_cursor *at = (void *)cb->ctx;
	const struct net *net = sock_net(skb->sk);
	int only = 0, err = 0;
	struct toe_dev *dev;

	BUILD_BUG_ON(sizeof(*at) > sizeof(cb->ctx));
	if (attrs && attrs[TOE_A_RULE_HANDLE])
		return toe_nl_fail(cb->extack, attrs[TOE_A_RULE_HANDLE],
				   "a dump has no handle", -EINVAL);
	if (attrs && attrs[TOE_A_RULE_IFINDEX])
		only = nla_get_u32(attrs[TOE_A_RULE_IFINDEX]);

	rcu_read_lock();
	if (only && !at->ifindex) {
		dev = toe_dev_next(net, only - 1);
		if (!dev || dev->netdev->ifindex != only)
			err = toe_nl_fail(cb->extack, attrs[TOE_A_RULE_IFINDEX],
					  TOE_NL_NO_CARD, -ENODEV);
		at->ifindex = only;
	}
	/* @at->ifindex is the card that isn't done, as far as is known. */
	while (!err && (dev = toe_dev_next(net, max(at->ifindex - 1, 0)))) {
		if (only && dev->netdev->ifindex != only)
			break;
		if (dev->netdev->ifindex != at->ifindex)
			at->begun = false;
		at->ifindex = dev->netdev->ifindex;
		if (toe_nl_dump_rules(skb, cb, dev, at))
			break;
		at->ifindex++;
		at->begun = false;
	}
	rcu_read_unlock();
	return err ?: skb->len;
}
