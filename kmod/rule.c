// SPDX-License-Identifier: GPL-2.0
/*
 * An administrator's rules: an ordered list per card, the first match decides,
 * and what no rule matches may be offloaded.
 *
 * A rule never makes a connection go to the card that something else in policy.c
 * keeps from it; it can only forbid, or end the search before one that forbids.
 */
#include <linux/cgroup.h>
#include <linux/rculist.h>
#include <net/sock.h>

#include "conn.h"
#include "device.h"
#include "rule.h"

static bool toe_prefix_match(const struct toe_prefix *p, u8 family, const u8 *addr)
{
	unsigned int bytes = p->len / 8, bits = p->len % 8;

	if (p->family != family || memcmp(p->addr, addr, bytes))
		return false;
	return !bits || !((p->addr[bytes] ^ addr[bytes]) >> (8 - bits));
}

static bool toe_ports_match(const u16 *range, __be16 port)
{
	return ntohs(port) >= range[0] && ntohs(port) <= range[1];
}

/* The socket's cgroup, or one above it. */
static bool toe_cgroup_match(const struct sock *sk, u64 id)
{
#ifdef CONFIG_SOCK_CGROUP_DATA
	struct cgroup *cgrp;

	cgrp = sock_cgroup_ptr((struct sock_cgroup_data *)&sk->sk_cgrp_data);
	for (; cgrp; cgrp = cgroup_parent(cgrp))
		if (cgroup_id(cgrp) == id)
			return true;
#endif
	return false;
}

static u8 toe_dscp_of(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (toe_sk_is_v6(sk))
		return inet6_sk(sk)->tclass >> 2;
#endif
	return inet_sk(sk)->tos >> 2;
}

/* What belongs to the socket and not to the connection. */
static bool toe_rule_match_sk(const struct toe_rule *r, const struct sock *sk)
{
	if (r->fields & TOE_RULE_UID && !uid_eq(r->uid, sk->sk_uid))
		return false;
	if (r->fields & TOE_RULE_MARK &&
	    (READ_ONCE(sk->sk_mark) & r->mask) != r->mark)
		return false;
	if (r->fields & TOE_RULE_SO_PRIORITY &&
	    READ_ONCE(sk->sk_priority) != r->so_priority)
		return false;
	if (r->fields & TOE_RULE_DSCP && toe_dscp_of(sk) != r->dscp)
		return false;
	return !(r->fields & TOE_RULE_CGROUP) || toe_cgroup_match(sk, r->cgroup);
}

static bool toe_rule_match(const struct toe_rule *r, const struct sock *sk,
			   const struct toe_flow *flow, enum toe_role role)
{
	if (r->fields & TOE_RULE_ROLE && r->role != role)
		return false;
	if (r->fields & TOE_RULE_LOCAL &&
	    !toe_prefix_match(&r->local, flow->family, flow->laddr))
		return false;
	if (r->fields & TOE_RULE_REMOTE &&
	    !toe_prefix_match(&r->remote, flow->family, flow->raddr))
		return false;
	if (r->fields & TOE_RULE_LOCAL_PORT &&
	    !toe_ports_match(r->local_port, flow->lport))
		return false;
	if (r->fields & TOE_RULE_REMOTE_PORT &&
	    !toe_ports_match(r->remote_port, flow->rport))
		return false;
	return toe_rule_match_sk(r, sk);
}

/**
 * toe_rule_allows() - do the card's rules allow this connection?
 * @dev: card
 * @sn: connection
 * @sk: its socket; without its lock the answer is a forecast
 *
 * Context: any.
 */
bool toe_rule_allows(const struct toe_dev *dev, const struct toe_sonode *sn,
		     const struct sock *sk)
{
	const struct toe_rule *r;
	struct toe_flow flow;
	enum toe_role role;
	bool allows = true;

	if (list_empty(&dev->rules))
		return true;
	toe_flow_of(sk, &flow);
	role = toe_policy_role(sn, sk);
	rcu_read_lock();
	list_for_each_entry_rcu(r, &dev->rules, node)
		if (toe_rule_match(r, sk, &flow, role)) {
			allows = !r->native;
			break;
		}
	rcu_read_unlock();
	return allows;
}

/* A handle that no rule has, larger than the last one given if possible. */
static u32 toe_rule_handle(struct toe_dev *dev)
{
	do {
		if (!++dev->rule_handle)
			dev->rule_handle = 1;
	} while (toe_rule_find(dev, dev->rule_handle));
	return dev->rule_handle;
}

/**
 * toe_rule_add() - put a rule in its place
 * @dev: card
 * @rule: becomes the list's; gets its handle
 * @last: behind all others, whatever its pref, which is set to fit
 *
 * Context: process; switch_lock held.
 * Return: 0, or -ENOSPC.
 */
int toe_rule_add(struct toe_dev *dev, struct toe_rule *rule, bool last)
{
	struct list_head *before = &dev->rules;
	struct toe_rule *r;

	lockdep_assert_held(&dev->switch_lock);
	if (dev->rules_count == TOE_RULES_MAX)
		return -ENOSPC;
	if (last) {
		rule->pref = 10;
		if (!list_empty(&dev->rules)) {
			r = list_last_entry(&dev->rules, struct toe_rule, node);
			rule->pref = r->pref + min(10u, U32_MAX - r->pref);
		}
	}
	rule->handle = toe_rule_handle(dev);
	list_for_each_entry(r, &dev->rules, node)
		if (r->pref > rule->pref ||
		    (r->pref == rule->pref && r->handle > rule->handle)) {
			before = &r->node;
			break;
		}
	list_add_tail_rcu(&rule->node, before);
	WRITE_ONCE(dev->rules_count, dev->rules_count + 1);
	return 0;
}

/* switch_lock held. */
struct toe_rule *toe_rule_find(const struct toe_dev *dev, u32 handle)
{
	struct toe_rule *r;

	lockdep_assert_held(&dev->switch_lock);
	list_for_each_entry(r, &dev->rules, node)
		if (r->handle == handle)
			return r;
	return NULL;
}

/* The first rule of this pref; @several: it isn't the only one.  switch_lock held. */
struct toe_rule *toe_rule_find_pref(const struct toe_dev *dev, u32 pref,
				    bool *several)
{
	struct toe_rule *r, *found = NULL;

	lockdep_assert_held(&dev->switch_lock);
	*several = false;
	list_for_each_entry(r, &dev->rules, node) {
		if (r->pref != pref)
			continue;
		if (found) {
			*several = true;
			break;
		}
		found = r;
	}
	return found;
}

/* switch_lock held. */
void toe_rule_del(struct toe_dev *dev, struct toe_rule *rule)
{
	lockdep_assert_held(&dev->switch_lock);
	list_del_rcu(&rule->node);
	WRITE_ONCE(dev->rules_count, dev->rules_count - 1);
	kfree_rcu(rule, rcu);
}

/* switch_lock held. */
void toe_rule_flush(struct toe_dev *dev)
{
	struct toe_rule *r, *next;

	list_for_each_entry_safe(r, next, &dev->rules, node)
		toe_rule_del(dev, r);
}
