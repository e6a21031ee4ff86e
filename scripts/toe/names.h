/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Made by scripts/check-netlink of Documentation/netlink/specs/toe.yaml: do not edit. */
#ifndef TOE_TOOL_NAMES_H
#define TOE_TOOL_NAMES_H

#include <libmnl/libmnl.h>
#include <linux/toe.h>

struct attr_name {
	int attr;
	enum mnl_attr_data_type type;
	const char *name;
};

static const char *const dev_cap_names[] = {
	[0] = "ipv4",
	[1] = "ipv6",
	[2] = "tstamp",
	[3] = "sack",
	[4] = "ecn",
	[5] = "vlan",
	[6] = "mirror",
};

static const char *const conn_state_names[] = {
	[TOE_CONN_STATE_NATIVE] = "native",
	[TOE_CONN_STATE_BEGIN] = "begin",
	[TOE_CONN_STATE_HELD] = "held",
	[TOE_CONN_STATE_ABORTING] = "aborting",
	[TOE_CONN_STATE_OFFLOADED] = "offloaded",
	[TOE_CONN_STATE_RECALLING] = "recalling",
};

static const char *const conn_role_names[] = {
	[TOE_CONN_ROLE_UNKNOWN] = "unknown",
	[TOE_CONN_ROLE_OUT] = "out",
	[TOE_CONN_ROLE_IN] = "in",
};

static const char *const refusal_names[] = {
	[TOE_REFUSAL_OFF] = "off",
	[TOE_REFUSAL_SUSPENDED] = "suspended",
	[TOE_REFUSAL_STATE] = "state",
	[TOE_REFUSAL_DEVICE] = "device",
	[TOE_REFUSAL_ROUTE] = "route",
	[TOE_REFUSAL_NEIGH] = "neigh",
	[TOE_REFUSAL_PORT] = "port",
	[TOE_REFUSAL_FAMILY] = "family",
	[TOE_REFUSAL_PROTO] = "proto",
	[TOE_REFUSAL_ULP] = "ulp",
	[TOE_REFUSAL_KERNEL] = "kernel",
	[TOE_REFUSAL_REPAIR] = "repair",
	[TOE_REFUSAL_AUTH] = "auth",
	[TOE_REFUSAL_XFRM] = "xfrm",
	[TOE_REFUSAL_FILTER] = "filter",
	[TOE_REFUSAL_BPF] = "bpf",
	[TOE_REFUSAL_QDISC] = "qdisc",
	[TOE_REFUSAL_OPTION] = "option",
	[TOE_REFUSAL_CONG] = "cong",
	[TOE_REFUSAL_PACING] = "pacing",
	[TOE_REFUSAL_TSTAMP] = "tstamp",
	[TOE_REFUSAL_URGENT] = "urgent",
	[TOE_REFUSAL_OOO] = "ooo",
	[TOE_REFUSAL_SHUTDOWN] = "shutdown",
	[TOE_REFUSAL_LIMIT] = "limit",
	[TOE_REFUSAL_CARD] = "card",
	[TOE_REFUSAL_NOMEM] = "nomem",
	[TOE_REFUSAL_RULE] = "rule",
	[TOE_REFUSAL_CONNTRACK] = "conntrack",
	[TOE_REFUSAL_TC] = "tc",
	[TOE_REFUSAL_XDP] = "xdp",
	[TOE_REFUSAL_UPPER] = "upper",
	[TOE_REFUSAL_TUNNEL] = "tunnel",
	[TOE_REFUSAL_METRIC] = "metric",
	[TOE_REFUSAL_BUSY] = "busy",
	[TOE_REFUSAL_CGROUP] = "cgroup",
	[TOE_REFUSAL_SMALL] = "small",
	[TOE_REFUSAL_SYSCTL] = "sysctl",
	[TOE_REFUSAL_STALLED] = "stalled",
	[TOE_REFUSAL_ARRIVAL] = "arrival",
};

static const char *const recall_reason_names[] = {
	[TOE_RECALL_REASON_HOST] = "host",
	[TOE_RECALL_REASON_FIN] = "fin",
	[TOE_RECALL_REASON_RST] = "rst",
	[TOE_RECALL_REASON_SYN] = "syn",
	[TOE_RECALL_REASON_URG] = "urg",
	[TOE_RECALL_REASON_OPTION] = "option",
	[TOE_RECALL_REASON_FRAGMENT] = "fragment",
	[TOE_RECALL_REASON_TIMEOUT] = "timeout",
	[TOE_RECALL_REASON_NOMEM] = "nomem",
	[TOE_RECALL_REASON_ICMP] = "icmp",
	[TOE_RECALL_REASON_DMA] = "dma",
	[TOE_RECALL_REASON_REQUEST] = "request",
	[TOE_RECALL_REASON_DISABLE] = "disable",
	[TOE_RECALL_REASON_SUSPEND] = "suspend",
	[TOE_RECALL_REASON_DEAD] = "dead",
	[TOE_RECALL_REASON_SHUTDOWN] = "shutdown",
	[TOE_RECALL_REASON_DISCONNECT] = "disconnect",
	[TOE_RECALL_REASON_SOCKOPT] = "sockopt",
	[TOE_RECALL_REASON_OOB] = "oob",
	[TOE_RECALL_REASON_CONTROL] = "control",
	[TOE_RECALL_REASON_TSTAMP] = "tstamp",
	[TOE_RECALL_REASON_STATE] = "state",
	[TOE_RECALL_REASON_POLICY] = "policy",
	[TOE_RECALL_REASON_STOLEN] = "stolen",
	[TOE_RECALL_REASON_BADCARD] = "badcard",
	[TOE_RECALL_REASON_UNLOAD] = "unload",
	[TOE_RECALL_REASON_DESTROY] = "destroy",
	[TOE_RECALL_REASON_RULE] = "rule",
	[TOE_RECALL_REASON_XFRM] = "xfrm",
	[TOE_RECALL_REASON_FILTER] = "filter",
	[TOE_RECALL_REASON_CONNTRACK] = "conntrack",
	[TOE_RECALL_REASON_BPF] = "bpf",
	[TOE_RECALL_REASON_QDISC] = "qdisc",
	[TOE_RECALL_REASON_TC] = "tc",
	[TOE_RECALL_REASON_XDP] = "xdp",
	[TOE_RECALL_REASON_UPPER] = "upper",
	[TOE_RECALL_REASON_TUNNEL] = "tunnel",
	[TOE_RECALL_REASON_METRIC] = "metric",
	[TOE_RECALL_REASON_DEVICE] = "device",
	[TOE_RECALL_REASON_ROUTE] = "route",
	[TOE_RECALL_REASON_NEIGH] = "neigh",
	[TOE_RECALL_REASON_MTU] = "mtu",
	[TOE_RECALL_REASON_MAC] = "mac",
	[TOE_RECALL_REASON_IDLE] = "idle",
	[TOE_RECALL_REASON_LIMIT] = "limit",
	[TOE_RECALL_REASON_SYSCTL] = "sysctl",
	[TOE_RECALL_REASON_ARRIVAL] = "arrival",
};

static const char *const rule_action_names[] = {
	[TOE_RULE_ACTION_OFFLOAD] = "offload",
	[TOE_RULE_ACTION_NATIVE] = "native",
};

static const char *const event_names[] = {
	[TOE_EVENT_OFFLOAD] = "offload",
	[TOE_EVENT_RECALL] = "recall",
	[TOE_EVENT_REFUSE] = "refuse",
};

static const struct attr_name refused_attrs[] = {
	{ TOE_A_REFUSED_REASON, MNL_TYPE_U32, "reason" },
	{ TOE_A_REFUSED_COUNT, MNL_TYPE_U64, "count" },
	{ 0, 0, NULL }
};

static const struct attr_name recalled_attrs[] = {
	{ TOE_A_RECALLED_REASON, MNL_TYPE_U32, "reason" },
	{ TOE_A_RECALLED_COUNT, MNL_TYPE_U64, "count" },
	{ 0, 0, NULL }
};

static const struct attr_name dev_attrs[] = {
	{ TOE_A_DEV_IFINDEX, MNL_TYPE_U32, "ifindex" },
	{ TOE_A_DEV_NAME, MNL_TYPE_NUL_STRING, "name" },
	{ TOE_A_DEV_ENABLED, MNL_TYPE_U8, "enabled" },
	{ TOE_A_DEV_SUSPENDED, MNL_TYPE_U8, "suspended" },
	{ TOE_A_DEV_CAPS, MNL_TYPE_U32, "caps" },
	{ TOE_A_DEV_MAX_CONNS, MNL_TYPE_U32, "max_conns" },
	{ TOE_A_DEV_CONNECTIONS, MNL_TYPE_U32, "connections" },
	{ TOE_A_DEV_REOFFLOAD_MS, MNL_TYPE_U32, "reoffload_ms" },
	{ TOE_A_DEV_RULES, MNL_TYPE_U32, "rules" },
	{ TOE_A_DEV_OFFLOADS, MNL_TYPE_U64, "offloads" },
	{ TOE_A_DEV_RECALLS, MNL_TYPE_U64, "recalls" },
	{ TOE_A_DEV_REFUSALS, MNL_TYPE_U64, "refusals" },
	{ TOE_A_DEV_TX_BYTES, MNL_TYPE_U64, "tx_bytes" },
	{ TOE_A_DEV_RX_BYTES, MNL_TYPE_U64, "rx_bytes" },
	{ TOE_A_DEV_TX_SEGS, MNL_TYPE_U64, "tx_segs" },
	{ TOE_A_DEV_RX_SEGS, MNL_TYPE_U64, "rx_segs" },
	{ TOE_A_DEV_RETRANS_SEGS, MNL_TYPE_U64, "retrans_segs" },
	{ TOE_A_DEV_REFUSED, MNL_TYPE_NESTED, "refused" },
	{ TOE_A_DEV_RECALLED, MNL_TYPE_NESTED, "recalled" },
	{ 0, 0, NULL }
};

static const struct attr_name stats_attrs[] = {
	{ TOE_A_STATS_SEGS_IN, MNL_TYPE_U64, "segs_in" },
	{ TOE_A_STATS_SEGS_OUT, MNL_TYPE_U64, "segs_out" },
	{ TOE_A_STATS_DATA_SEGS_IN, MNL_TYPE_U64, "data_segs_in" },
	{ TOE_A_STATS_DATA_SEGS_OUT, MNL_TYPE_U64, "data_segs_out" },
	{ TOE_A_STATS_BYTES_IN, MNL_TYPE_U64, "bytes_in" },
	{ TOE_A_STATS_BYTES_OUT, MNL_TYPE_U64, "bytes_out" },
	{ TOE_A_STATS_BYTES_RETRANS, MNL_TYPE_U64, "bytes_retrans" },
	{ TOE_A_STATS_BYTES_ACKED, MNL_TYPE_U64, "bytes_acked" },
	{ TOE_A_STATS_RETRANS_SEGS, MNL_TYPE_U32, "retrans_segs" },
	{ TOE_A_STATS_RTO_COUNT, MNL_TYPE_U32, "rto_count" },
	{ TOE_A_STATS_FAST_RETRANS, MNL_TYPE_U32, "fast_retrans" },
	{ TOE_A_STATS_OOO_SEGS, MNL_TYPE_U32, "ooo_segs" },
	{ TOE_A_STATS_DUP_SEGS, MNL_TYPE_U32, "dup_segs" },
	{ TOE_A_STATS_PAWS_DROPS, MNL_TYPE_U32, "paws_drops" },
	{ TOE_A_STATS_CHALLENGE_ACKS, MNL_TYPE_U32, "challenge_acks" },
	{ TOE_A_STATS_PROBES_OUT, MNL_TYPE_U32, "probes_out" },
	{ TOE_A_STATS_SRTT_US, MNL_TYPE_U32, "srtt_us" },
	{ TOE_A_STATS_RTTVAR_US, MNL_TYPE_U32, "rttvar_us" },
	{ TOE_A_STATS_MIN_RTT_US, MNL_TYPE_U32, "min_rtt_us" },
	{ TOE_A_STATS_RTO_US, MNL_TYPE_U32, "rto_us" },
	{ TOE_A_STATS_SND_CWND, MNL_TYPE_U32, "snd_cwnd" },
	{ TOE_A_STATS_SND_SSTHRESH, MNL_TYPE_U32, "snd_ssthresh" },
	{ TOE_A_STATS_SND_WND, MNL_TYPE_U32, "snd_wnd" },
	{ TOE_A_STATS_RCV_WND, MNL_TYPE_U32, "rcv_wnd" },
	{ TOE_A_STATS_LOST_OUT, MNL_TYPE_U32, "lost_out" },
	{ TOE_A_STATS_RETRANS_OUT, MNL_TYPE_U32, "retrans_out" },
	{ TOE_A_STATS_CA_STATE, MNL_TYPE_U32, "ca_state" },
	{ TOE_A_STATS_BACKOFF, MNL_TYPE_U32, "backoff" },
	{ 0, 0, NULL }
};

static const struct attr_name conn_attrs[] = {
	{ TOE_A_CONN_CONN_ID, MNL_TYPE_U32, "conn_id" },
	{ TOE_A_CONN_IFINDEX, MNL_TYPE_U32, "ifindex" },
	{ TOE_A_CONN_STATE, MNL_TYPE_U32, "state" },
	{ TOE_A_CONN_ROLE, MNL_TYPE_U32, "role" },
	{ TOE_A_CONN_LOCAL_ADDR, MNL_TYPE_BINARY, "local_addr" },
	{ TOE_A_CONN_REMOTE_ADDR, MNL_TYPE_BINARY, "remote_addr" },
	{ TOE_A_CONN_LOCAL_PORT, MNL_TYPE_U16, "local_port" },
	{ TOE_A_CONN_REMOTE_PORT, MNL_TYPE_U16, "remote_port" },
	{ TOE_A_CONN_TID, MNL_TYPE_U32, "tid" },
	{ TOE_A_CONN_REFUSED, MNL_TYPE_U32, "refused" },
	{ TOE_A_CONN_RECALLED, MNL_TYPE_U32, "recalled" },
	{ TOE_A_CONN_TRIES, MNL_TYPE_U32, "tries" },
	{ TOE_A_CONN_RECALLS, MNL_TYPE_U32, "recalls" },
	{ TOE_A_CONN_AGE_MS, MNL_TYPE_U64, "age_ms" },
	{ TOE_A_CONN_FLAGGED, MNL_TYPE_FLAG, "flagged" },
	{ TOE_A_CONN_UID, MNL_TYPE_U32, "uid" },
	{ TOE_A_CONN_INODE, MNL_TYPE_U64, "inode" },
	{ TOE_A_CONN_CGROUP, MNL_TYPE_U64, "cgroup" },
	{ TOE_A_CONN_MARK, MNL_TYPE_U32, "mark" },
	{ TOE_A_CONN_STATS, MNL_TYPE_NESTED, "stats" },
	{ TOE_A_CONN_EVENT, MNL_TYPE_U32, "event" },
	{ TOE_A_CONN_ALL, MNL_TYPE_FLAG, "all" },
	{ TOE_A_CONN_COUNT, MNL_TYPE_U32, "count" },
	{ 0, 0, NULL }
};

static const struct attr_name rule_attrs[] = {
	{ TOE_A_RULE_IFINDEX, MNL_TYPE_U32, "ifindex" },
	{ TOE_A_RULE_HANDLE, MNL_TYPE_U32, "handle" },
	{ TOE_A_RULE_PREF, MNL_TYPE_U32, "pref" },
	{ TOE_A_RULE_ACTION, MNL_TYPE_U32, "action" },
	{ TOE_A_RULE_ROLE, MNL_TYPE_U32, "role" },
	{ TOE_A_RULE_LOCAL_ADDR, MNL_TYPE_BINARY, "local_addr" },
	{ TOE_A_RULE_LOCAL_LEN, MNL_TYPE_U8, "local_len" },
	{ TOE_A_RULE_REMOTE_ADDR, MNL_TYPE_BINARY, "remote_addr" },
	{ TOE_A_RULE_REMOTE_LEN, MNL_TYPE_U8, "remote_len" },
	{ TOE_A_RULE_LOCAL_PORT_MIN, MNL_TYPE_U16, "local_port_min" },
	{ TOE_A_RULE_LOCAL_PORT_MAX, MNL_TYPE_U16, "local_port_max" },
	{ TOE_A_RULE_REMOTE_PORT_MIN, MNL_TYPE_U16, "remote_port_min" },
	{ TOE_A_RULE_REMOTE_PORT_MAX, MNL_TYPE_U16, "remote_port_max" },
	{ TOE_A_RULE_UID, MNL_TYPE_U32, "uid" },
	{ TOE_A_RULE_CGROUP, MNL_TYPE_U64, "cgroup" },
	{ TOE_A_RULE_MARK, MNL_TYPE_U32, "mark" },
	{ TOE_A_RULE_MASK, MNL_TYPE_U32, "mask" },
	{ TOE_A_RULE_SO_PRIORITY, MNL_TYPE_U32, "so_priority" },
	{ TOE_A_RULE_DSCP, MNL_TYPE_U8, "dscp" },
	{ TOE_A_RULE_ALL, MNL_TYPE_FLAG, "all" },
	{ 0, 0, NULL }
};

#endif /* TOE_TOOL_NAMES_H */
