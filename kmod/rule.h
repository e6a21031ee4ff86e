/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOE_RULE_H
#define TOE_RULE_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct sock;
struct toe_dev;
struct toe_sonode;

/* struct toe_rule.fields: what a rule looks at. */
#define TOE_RULE_ROLE		BIT(0)
#define TOE_RULE_LOCAL		BIT(1)
#define TOE_RULE_REMOTE		BIT(2)
#define TOE_RULE_LOCAL_PORT	BIT(3)
#define TOE_RULE_REMOTE_PORT	BIT(4)
#define TOE_RULE_UID		BIT(5)
#define TOE_RULE_CGROUP		BIT(6)
#define TOE_RULE_MARK		BIT(7)
#define TOE_RULE_SO_PRIORITY	BIT(8)
#define TOE_RULE_DSCP		BIT(9)

#define TOE_RULES_MAX		1024

/**
 * struct toe_prefix - an address prefix
 * @addr: IPv4 in the first four bytes; bits beyond @len are zero
 * @len: bits
 * @family: 4 or 6
 */
struct toe_prefix {
	u8 addr[16];
	u8 len;
	u8 family;
};

/**
 * struct toe_rule - one rule of a card; immutable once it is in the list
 * @node: in toe_dev.rules, ordered by @pref, then @handle
 * @rcu: readers of the list
 * @handle: names it
 * @pref: place in the list
 * @fields: TOE_RULE_*: all of these must match
 * @native: it says native, else offload
 * @role: enum toe_role
 * @local: our address
 * @remote: the peer's
 * @local_port: first and last
 * @remote_port: first and last
 * @uid: owner of the socket
 * @cgroup: identifier of the socket's cgroup or one above
 * @mark: SO_MARK, as far as @mask goes
 * @mask: bits of the mark that count
 * @so_priority: SO_PRIORITY
 * @dscp: upper six bits of the TOS or traffic class
 */
struct toe_rule {
	struct list_head node;
	struct rcu_head rcu;
	u32 handle;
	u32 pref;
	u16 fields;
	bool native;
	u8 role;
	struct toe_prefix local;
	struct toe_prefix remote;
	u16 local_port[2];
	u16 remote_port[2];
	kuid_t uid;
	u64 cgroup;
	u32 mark;
	u32 mask;
	u32 so_priority;
	u8 dscp;
};

bool toe_rule_allows(const struct toe_dev *dev, const struct toe_sonode *sn,
		     const struct sock *sk);
int toe_rule_add(struct toe_dev *dev, struct toe_rule *rule, bool last);
struct toe_rule *toe_rule_find(const struct toe_dev *dev, u32 handle);
struct toe_rule *toe_rule_find_pref(const struct toe_dev *dev, u32 pref,
				    bool *several);
void toe_rule_del(struct toe_dev *dev, struct toe_rule *rule);
void toe_rule_flush(struct toe_dev *dev);

#endif /* TOE_RULE_H */
