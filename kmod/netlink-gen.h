/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/toe.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#ifndef _LINUX_TOE_GEN_H
#define _LINUX_TOE_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/toe.h>

extern const struct nla_policy toe_dev_get_nl_policy[TOE_A_DEV_IFINDEX + 1];

extern const struct nla_policy toe_conn_get_nl_policy[TOE_A_CONN_REMOTE_PORT + 1];

extern const struct nla_policy toe_conn_recall_nl_policy[TOE_A_CONN_ALL + 1];

extern const struct nla_policy toe_conn_offload_nl_policy[TOE_A_CONN_REMOTE_PORT + 1];

extern const struct nla_policy toe_rule_new_nl_policy[TOE_A_RULE_DSCP + 1];

extern const struct nla_policy toe_rule_del_nl_policy[TOE_A_RULE_ALL + 1];

extern const struct nla_policy toe_rule_get_nl_policy[TOE_A_RULE_HANDLE + 1];

/* Ops table for toe */
extern const struct genl_ops toe_nl_ops[7];

int toe_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int toe_nl_conn_get_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int toe_nl_conn_recall_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_conn_offload_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_rule_new_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_rule_get_doit(struct sk_buff *skb, struct genl_info *info);
int toe_nl_rule_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	TOE_NLGRP_EVENTS,
};

extern struct genl_family toe_nl_family;

#endif /* _LINUX_TOE_GEN_H */
