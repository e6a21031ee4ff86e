/* SPDX-License-Identifier: GPL-2.0 */
/* Why a connection was refused, and why it was called back: one list each. */
#ifndef TOE_REASON_H
#define TOE_REASON_H

#include "toe_hw.h"

/*
 * TOE_REFUSE(symbol, name, permanent): @permanent refusals are not tried again
 * by themselves.
 */
#define TOE_REFUSE_LIST(X)						\
	X(OFF,		"off",		true)	/* switch is off */	\
	X(SUSPENDED,	"suspended",	false)	/* device down or resetting */ \
	X(STATE,	"state",	true)	/* not ESTABLISHED any more */ \
	X(DEVICE,	"device",	true)	/* leaves by another device */ \
	X(ARRIVAL,	"arrival",	false)	/* arrives by another device */ \
	X(ROUTE,	"route",	false)	/* no route resolved */	\
	X(NEIGH,	"neigh",	false)	/* no link-layer address yet */ \
	X(PORT,		"port",		true)	/* port policy */	\
	X(CGROUP,	"cgroup",	true)	/* cgroup policy */	\
	X(SMALL,	"small",	false)	/* has moved too little yet */ \
	X(FAMILY,	"family",	true)	/* card can't do it */	\
	X(PROTO,	"proto",	true)	/* another filter or MPTCP has it */ \
	X(ULP,		"ulp",		true)	/* another ULP */	\
	X(KERNEL,	"kernel",	true)	/* the kernel's own socket */ \
	X(REPAIR,	"repair",	true)	/* TCP_REPAIR */	\
	X(AUTH,		"auth",		true)	/* MD5 or AO */		\
	/* inpath.c, from XFRM to METRIC: tried again when rules change */ \
	X(XFRM,		"xfrm",		false)	/* IPsec */		\
	X(FILTER,	"filter",	false)	/* packet filter would be by-passed */ \
	X(CONNTRACK,	"conntrack",	false)	/* connection tracking would be */ \
	X(BPF,		"bpf",		false)	/* BPF program would be */ \
	X(QDISC,	"qdisc",	false)	/* queueing discipline would be */ \
	X(TC,		"tc",		false)	/* tc filter would be */ \
	X(XDP,		"xdp",		false)	/* XDP program would be */ \
	X(UPPER,	"upper",	false)	/* another device takes its frames */ \
	X(TUNNEL,	"tunnel",	false)	/* the route encapsulates */ \
	X(SYSCTL,	"sysctl",	false)	/* net.ipv4.tcp_* that the card lacks */ \
	X(METRIC,	"metric",	false)	/* a route's metric the card lacks */ \
	X(OPTION,	"option",	true)	/* IP options, timestamps in µs, AccECN */ \
	X(CONG,		"cong",		true)	/* congestion control the card lacks */ \
	X(PACING,	"pacing",	true)	/* SO_MAX_PACING_RATE, SO_TXTIME */ \
	X(TSTAMP,	"tstamp",	true)	/* SO_TIMESTAMP*, SO_TIMESTAMPING */ \
	X(URGENT,	"urgent",	false)	/* urgent data pending */ \
	X(OOO,		"ooo",		false)	/* out-of-order data queued */ \
	X(STALLED,	"stalled",	false)	/* the peer doesn't answer: waits */ \
	X(SHUTDOWN,	"shutdown",	true)	/* closing */		\
	X(BUSY,		"busy",		false)	/* a call waits for the socket */ \
	X(LIMIT,	"limit",	false)	/* no free context: waits */ \
	X(CARD,		"card",		false)	/* the card said no, or is gone */ \
	X(NOMEM,	"nomem",	false)				\
	X(RULE,		"rule",		false)	/* an administrator's rule; a mark may change */

enum toe_refuse {
	TOE_REFUSE_NONE = 0,
#define X(sym, name, permanent) TOE_REFUSE_##sym,
	TOE_REFUSE_LIST(X)
#undef X
	TOE_REFUSES
};

/*
 * Recalls: the card's reasons keep their numbers (TOE_REASON_*), the host's
 * follow.  TOE_RECALL(symbol, name, again): @again: worth another offload later.
 */
#define TOE_RECALL_LIST(X)						\
	X(HOST,		"host",		true)				\
	X(FIN,		"fin",		false)				\
	X(RST,		"rst",		false)				\
	X(SYN,		"syn",		true)				\
	X(URG,		"urg",		true)				\
	X(OPTION,	"option",	true)				\
	X(FRAGMENT,	"fragment",	true)				\
	X(TIMEOUT,	"timeout",	true)				\
	X(NOMEM,	"nomem",	true)				\
	X(ICMP,		"icmp",		true)				\
	X(DMA,		"dma",		true)				\
	/* the host's own */						\
	X(REQUEST,	"request",	true)	/* sysfs recall */	\
	X(DISABLE,	"disable",	false)	/* switched off */	\
	X(SUSPEND,	"suspend",	true)	/* link down, reset, unbind */ \
	X(DEAD,		"dead",		true)	/* the card died */	\
	X(SHUTDOWN,	"shutdown",	false)	/* shutdown(), close() */ \
	X(DISCONNECT,	"disconnect",	false)	/* connect(AF_UNSPEC), ss -K */ \
	X(SOCKOPT,	"sockopt",	true)	/* an option the card can't honour */ \
	X(OOB,		"oob",		true)	/* MSG_OOB */		\
	X(CONTROL,	"control",	false)	/* the stack sends FIN or RST itself */ \
	X(TSTAMP,	"tstamp",	true)	/* SO_TIMESTAMPING */ \
	X(STATE,	"state",	false)	/* the stack left ESTABLISHED */ \
	X(POLICY,	"policy",	true)	/* a port rule or option changed */ \
	/* a rule came, or the path changed; from XFRM to MAC: inpath.c, policy.c */ \
	X(XFRM,		"xfrm",		true)				\
	X(FILTER,	"filter",	true)				\
	X(CONNTRACK,	"conntrack",	true)				\
	X(BPF,		"bpf",		true)				\
	X(QDISC,	"qdisc",	true)				\
	X(TC,		"tc",		true)				\
	X(XDP,		"xdp",		true)				\
	X(UPPER,	"upper",	true)				\
	X(TUNNEL,	"tunnel",	true)				\
	X(SYSCTL,	"sysctl",	true)				\
	X(METRIC,	"metric",	true)				\
	X(DEVICE,	"device",	true)	/* leaves by another one */ \
	X(ARRIVAL,	"arrival",	true)	/* arrives by another one */ \
	X(ROUTE,	"route",	true)	/* none, or another */	\
	X(NEIGH,	"neigh",	true)	/* the next hop is gone */ \
	X(MTU,		"mtu",		true)	/* of the path */	\
	X(MAC,		"mac",		true)	/* of the interface */	\
	X(IDLE,		"idle",		true)	/* gave way to a busier one */ \
	X(LIMIT,	"limit",	true)	/* fewer are allowed now */ \
	X(STOLEN,	"stolen",	false)	/* a sockmap takes the socket */ \
	X(BADCARD,	"badcard",	true)	/* the card reported nonsense */ \
	X(UNLOAD,	"unload",	false)	/* rmmod */		\
	X(DESTROY,	"destroy",	false)	/* socket was destroyed under us */ \
	X(RULE,		"rule",		true)	/* an administrator's rule */

enum toe_recall {
#define X(sym, name, again) TOE_RECALL_##sym,
	TOE_RECALL_LIST(X)
#undef X
	TOE_RECALLS
};

/* Does it depend on rules, so that a change of these is a reason to try again? */
static inline bool toe_refuse_by_rule(enum toe_refuse why)
{
	return why >= TOE_REFUSE_XFRM && why <= TOE_REFUSE_METRIC;
}

static inline bool toe_recall_by_rule(enum toe_recall why)
{
	return why >= TOE_RECALL_XFRM && why <= TOE_RECALL_MAC;
}

static_assert((int)TOE_RECALL_DMA == (int)TOE_REASON_DMA);
static_assert((int)TOE_RECALL_REQUEST == (int)TOE_REASONS);

#endif /* TOE_REASON_H */
