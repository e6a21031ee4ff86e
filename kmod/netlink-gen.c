// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/toe.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: tools/net/ynl/ynl-regen.sh */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/toe.h>

/* TOE_CMD_DEV_GET - do */
const struct nla_policy toe_dev_get_nl_policy[TOE_A_DEV_IFINDEX + 1] = {
	[TOE_A_DEV_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* TOE_CMD_CONN_GET - do */
const struct nla_policy toe_conn_get_nl_policy[TOE_A_CONN_REMOTE_PORT + 1] = {
	[TOE_A_CONN_CONN_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_CONN_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_CONN_STATE] = NLA_POLICY_MAX(NLA_U32, 5),
	[TOE_A_CONN_LOCAL_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_CONN_REMOTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_CONN_LOCAL_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_CONN_REMOTE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* TOE_CMD_CONN_RECALL - do */
const struct nla_policy toe_conn_recall_nl_policy[TOE_A_CONN_ALL + 1] = {
	[TOE_A_CONN_CONN_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_CONN_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_CONN_LOCAL_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_CONN_REMOTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_CONN_LOCAL_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_CONN_REMOTE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_CONN_ALL] = { .type = NLA_FLAG, },
};

/* TOE_CMD_CONN_OFFLOAD - do */
const struct nla_policy toe_conn_offload_nl_policy[TOE_A_CONN_REMOTE_PORT + 1] = {
	[TOE_A_CONN_CONN_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_CONN_LOCAL_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_CONN_REMOTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_CONN_LOCAL_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_CONN_REMOTE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
};

/* TOE_CMD_RULE_NEW - do */
const struct nla_policy toe_rule_new_nl_policy[TOE_A_RULE_DSCP + 1] = {
	[TOE_A_RULE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_RULE_PREF] = { .type = NLA_U32, },
	[TOE_A_RULE_ACTION] = NLA_POLICY_MAX(NLA_U32, 1),
	[TOE_A_RULE_ROLE] = NLA_POLICY_MAX(NLA_U32, 2),
	[TOE_A_RULE_LOCAL_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_RULE_LOCAL_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[TOE_A_RULE_REMOTE_ADDR] = NLA_POLICY_MAX_LEN(16),
	[TOE_A_RULE_REMOTE_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[TOE_A_RULE_LOCAL_PORT_MIN] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_RULE_LOCAL_PORT_MAX] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_RULE_REMOTE_PORT_MIN] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_RULE_REMOTE_PORT_MAX] = NLA_POLICY_MIN(NLA_U16, 1),
	[TOE_A_RULE_UID] = { .type = NLA_U32, },
	[TOE_A_RULE_CGROUP] = { .type = NLA_U64, },
	[TOE_A_RULE_MARK] = { .type = NLA_U32, },
	[TOE_A_RULE_MASK] = { .type = NLA_U32, },
	[TOE_A_RULE_SO_PRIORITY] = { .type = NLA_U32, },
	[TOE_A_RULE_DSCP] = NLA_POLICY_MAX(NLA_U8, 63),
};

/* TOE_CMD_RULE_DEL - do */
const struct nla_policy toe_rule_del_nl_policy[TOE_A_RULE_ALL + 1] = {
	[TOE_A_RULE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_RULE_HANDLE] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_RULE_PREF] = { .type = NLA_U32, },
	[TOE_A_RULE_ALL] = { .type = NLA_FLAG, },
};

/* TOE_CMD_RULE_GET - do */
const struct nla_policy toe_rule_get_nl_policy[TOE_A_RULE_HANDLE + 1] = {
	[TOE_A_RULE_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[TOE_A_RULE_HANDLE] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Ops table for toe */
const struct genl_ops toe_nl_ops[7] = {
	{
		.cmd		= TOE_CMD_DEV_GET,
		.doit		= toe_nl_dev_get_doit,
		.dumpit		= toe_nl_dev_get_dumpit,
		.policy		= toe_dev_get_nl_policy,
		.maxattr	= TOE_A_DEV_IFINDEX,
	},
	{
		.cmd		= TOE_CMD_CONN_GET,
		.doit		= toe_nl_conn_get_doit,
		.dumpit		= toe_nl_conn_get_dumpit,
		.policy		= toe_conn_get_nl_policy,
		.maxattr	= TOE_A_CONN_REMOTE_PORT,
	},
	{
		.cmd		= TOE_CMD_CONN_RECALL,
		.doit		= toe_nl_conn_recall_doit,
		.policy		= toe_conn_recall_nl_policy,
		.maxattr	= TOE_A_CONN_ALL,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= TOE_CMD_CONN_OFFLOAD,
		.doit		= toe_nl_conn_offload_doit,
		.policy		= toe_conn_offload_nl_policy,
		.maxattr	= TOE_A_CONN_REMOTE_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= TOE_CMD_RULE_NEW,
		.doit		= toe_nl_rule_new_doit,
		.policy		= toe_rule_new_nl_policy,
		.maxattr	= TOE_A_RULE_DSCP,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= TOE_CMD_RULE_DEL,
		.doit		= toe_nl_rule_del_doit,
		.policy		= toe_rule_del_nl_policy,
		.maxattr	= TOE_A_RULE_ALL,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= TOE_CMD_RULE_GET,
		.doit		= toe_nl_rule_get_doit,
		.dumpit		= toe_nl_rule_get_dumpit,
		.policy		= toe_rule_get_nl_policy,
		.maxattr	= TOE_A_RULE_HANDLE,
	},
};

static const struct genl_multicast_group toe_nl_mcgrps[] = {
	[TOE_NLGRP_EVENTS] = { "events", },
};

struct genl_family toe_nl_family __ro_after_init = {
	.name		= TOE_FAMILY_NAME,
	.version	= TOE_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= toe_nl_ops,
	.n_ops		= ARRAY_SIZE(toe_nl_ops),
	.mcgrps		= toe_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(toe_nl_mcgrps),
};
