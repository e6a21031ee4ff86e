/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources speak 7.2; what older kernels lack stands here and nowhere else.
 *
 * Force-included by both Kbuilds.  Each entry names the first kernel that has
 * it and disappears when the oldest supported kernel (6.1) is that one.  Test
 * for the feature where it is a macro: distributions backport.
 */
#ifndef TOE_COMPAT_H
#define TOE_COMPAT_H

#include <linux/version.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/gro.h>

/* 7.0, and backported to 6.12: allocation by object. */
#ifndef kzalloc_obj
#define compat_gfp_pick(a, b, ...) b
#define compat_gfp(...) compat_gfp_pick(, ##__VA_ARGS__, GFP_KERNEL)
#define kmalloc_obj(obj, ...) \
	((typeof(obj) *)kmalloc(sizeof(obj), compat_gfp(__VA_ARGS__)))
#define kzalloc_obj(obj, ...) \
	((typeof(obj) *)kzalloc(sizeof(obj), compat_gfp(__VA_ARGS__)))
#define kzalloc_objs(obj, n, ...) \
	((typeof(obj) *)kcalloc(n, sizeof(obj), compat_gfp(__VA_ARGS__)))
#define kvzalloc_objs(obj, n, ...) \
	((typeof(obj) *)kvcalloc(n, sizeof(obj), compat_gfp(__VA_ARGS__)))
#endif

/* 6.15 moved a NAPI's GRO state into struct gro_node. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define compat_napi_rx(napi) (napi)
#else
#define compat_napi_rx(napi) (&(napi)->gro)
#endif

/*
 * Everything that a NAPI holds back goes to the stack now.  The kernel's
 * gro_flush_normal() does it from 6.15 on but needs a symbol that modules
 * don't get.
 */
static inline void compat_napi_flush(struct napi_struct *napi)
{
	napi_gro_flush(napi, false);
	if (!compat_napi_rx(napi)->rx_count)
		return;

	netif_receive_skb_list(&compat_napi_rx(napi)->rx_list);
	INIT_LIST_HEAD(&compat_napi_rx(napi)->rx_list);
	compat_napi_rx(napi)->rx_count = 0;
}

/*
 * Taps on all interfaces that see frames of @dev: the namespace's from 6.15 on,
 * before that the kernel's, which modules don't reach before 6.9: NULL.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#include <net/hotdata.h>
#endif
static inline struct list_head *compat_taps(const struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	return &dev_net_rcu(dev)->ptype_all;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return &net_hotdata.ptype_all;
#else
	return NULL;
#endif
}

/* 6.8 gave the rxfh operations one parameter structure. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
struct ethtool_rxfh_param {
	u8 hfunc;
	u32 indir_size;
	u32 *indir;
	u32 key_size;
	u8 *key;
};

#define COMPAT_RXFH_OPS(get, set)					\
static int compat_##get(struct net_device *dev, u32 *indir, u8 *key,	\
			u8 *hfunc)					\
{									\
	struct ethtool_rxfh_param rxfh = { .indir = indir, .key = key };\
	int err = get(dev, &rxfh);					\
									\
	if (hfunc)							\
		*hfunc = rxfh.hfunc;					\
	return err;							\
}									\
static int compat_##set(struct net_device *dev, const u32 *indir,	\
			const u8 *key, const u8 hfunc)			\
{									\
	struct ethtool_rxfh_param rxfh = {				\
		.hfunc = hfunc,						\
		.indir = (u32 *)indir,					\
		.key = (u8 *)key,					\
	};								\
									\
	return set(dev, &rxfh, NULL);					\
}
#define COMPAT_RXFH_OP(fn) compat_##fn
#else
#define COMPAT_RXFH_OPS(get, set)
#define COMPAT_RXFH_OP(fn) fn
#endif

/* 6.19: the number of receive rings has an operation of its own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define COMPAT_RX_RING_COUNT(fn)					\
static int compat_##fn(struct net_device *dev,				\
		       struct ethtool_rxnfc *info, u32 *rules)		\
{									\
	if (info->cmd != ETHTOOL_GRXRINGS)				\
		return -EOPNOTSUPP;					\
	info->data = fn(dev);						\
	return 0;							\
}
#define COMPAT_RX_RING_COUNT_OP(fn) .get_rxnfc = compat_##fn
#else
#define COMPAT_RX_RING_COUNT(fn)
#define COMPAT_RX_RING_COUNT_OP(fn) .get_rx_ring_count = fn
#endif

/*
 * What the filter (kmod/) asks of TCP's insides.
 */
#include <linux/static_key.h>
#include <net/genetlink.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip6_fib.h>
#include <net/sch_generic.h>
#include <net/smc.h>
#include <net/tcp.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)	/* before, it was in sock.h */
#include <net/proto_memory.h>
#endif

/* 6.14 dropped tp->lost_skb_hint.  @skb NULL: whatever it is. */
static inline void compat_tcp_forget_lost_hint(struct tcp_sock *tp,
					       const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	if (!skb || tp->lost_skb_hint == skb) {
		tp->lost_skb_hint = NULL;
		tp->lost_cnt_hint = 0;
	}
#endif
}

/* 6.6: how much of a receive buffer is payload is measured; before that a sysctl says it. */
static inline void compat_tcp_set_scaling_ratio(struct tcp_sock *tp, u32 len, u32 truesize)
{
#ifdef TCP_RMEM_TO_WIN_SCALE
	tp->scaling_ratio = clamp_t(u32, (len << TCP_RMEM_TO_WIN_SCALE) / truesize, 1, U8_MAX);
#endif
}

/* 7.0: the largest right edge ever advertised is remembered. */
static inline void compat_tcp_update_max_rcv_wnd_seq(struct tcp_sock *tp)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
	tcp_update_max_rcv_wnd_seq(tp);
#endif
}

/* 6.19 dropped icsk_timeout for the timer's own. */
static inline unsigned long compat_tcp_timeout(const struct sock *sk)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	return inet_csk(sk)->icsk_timeout;
#else
	return tcp_timeout_expires(sk);
#endif
}

/* 6.7: TCP-AO, timestamps in microseconds. */
static inline bool compat_tcp_has_auth(const struct tcp_sock *tp)
{
#ifdef CONFIG_TCP_MD5SIG
	if (rcu_access_pointer(tp->md5sig_info))
		return true;
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0) && defined(CONFIG_TCP_AO)
	if (rcu_access_pointer(tp->ao_info))
		return true;
#endif
	return false;
}

static inline bool compat_tcp_usec_ts(const struct tcp_sock *tp)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return tp->tcp_usec_ts;
#else
	return false;
#endif
}

/* 6.18: accurate ECN. */
static inline bool compat_tcp_accecn(const struct tcp_sock *tp)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	return tcp_ecn_mode_accecn(tp);
#else
	return false;
#endif
}

/* Classic ECN (RFC 3168) negotiated; 6.18 renamed the flag. */
static inline bool compat_tcp_ecn(const struct tcp_sock *tp)
{
#ifdef TCP_ECN_OK
	return tp->ecn_flags & TCP_ECN_OK;
#else
	return tcp_ecn_mode_rfc3168(tp);
#endif
}

static inline bool compat_tcp_is_smc(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_SMC)
	return tcp_sk(sk)->syn_smc;
#else
	return false;
#endif
}

static inline u8 compat_tcp_bpf_flags(const struct sock *sk)
{
#ifdef CONFIG_BPF
	return tcp_sk(sk)->bpf_sock_ops_cb_flags;
#else
	return 0;
#endif
}

/*
 * Filters at clsact, ingress, tcx.  6.6 replaced the mini qdisc pointers by entries,
 * which are there without a filter too.  RCU.
 */
#ifdef CONFIG_NET_XGRESS
#include <linux/bpf_mprog.h>
#include <net/tcx.h>
static inline bool compat_tcx_filters(struct bpf_mprog_entry *entry)
{
	return entry && (bpf_mprog_total(entry) ||
			 rcu_access_pointer(tcx_entry(entry)->miniq));
}
#endif
static inline bool compat_netdev_has_tc(const struct net_device *dev)
{
#ifdef CONFIG_NET_XGRESS
	return compat_tcx_filters(rcu_dereference(dev->tcx_ingress)) ||
	       compat_tcx_filters(rcu_dereference(dev->tcx_egress));
#elif defined(CONFIG_NET_CLS_ACT)
	return rcu_access_pointer(dev->miniq_ingress) ||
	       rcu_access_pointer(dev->miniq_egress);
#else
	return false;
#endif
}

/* 6.15: a timeout's longest time per socket. */
static inline u32 compat_tcp_rto_max(const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	return READ_ONCE(inet_csk(sk)->icsk_rto_max);
#else
	return TCP_RTO_MAX;
#endif
}

#if IS_ENABLED(CONFIG_IPV6)
static inline u32 compat_ip6_dst_cookie(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? inet6_sk(sk)->dst_cookie : 0;
}
#endif

static inline struct inet_hashinfo *compat_tcp_hashinfo(const struct net *net)
{
	return net->ipv4.tcp_death_row.hashinfo;
}

/* 6.18: these know where the table is. Ports in host byte order. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define COMPAT_HASHED(net, remote) compat_tcp_hashinfo(net), remote
#else
#define COMPAT_HASHED(net, remote) remote
#endif
static inline struct sock *compat_inet_lookup(struct net *net, const u8 *laddr,
					      u16 lport, const u8 *raddr,
					      u16 rport, int ifindex)
{
	__be32 local, remote;

	memcpy(&local, laddr, sizeof(local));
	memcpy(&remote, raddr, sizeof(remote));
	return __inet_lookup_established(net, COMPAT_HASHED(net, remote),
					 htons(rport), local, lport, ifindex, 0);
}

static inline struct sock *compat_inet6_lookup(struct net *net, const u8 *laddr,
					       u16 lport, const u8 *raddr,
					       u16 rport, int ifindex)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct in6_addr local, remote;

	memcpy(&local, laddr, sizeof(local));
	memcpy(&remote, raddr, sizeof(remote));
	return __inet6_lookup_established(net, COMPAT_HASHED(net, &remote),
					  htons(rport), &local, lport, ifindex, 0);
#else
	return NULL;
#endif
}

/* 6.13: a name for what NLA_BINARY always did. */
#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(max) { .type = NLA_BINARY, .len = max }
#endif

/* 6.6: the attributes of a dump's request. */
static inline struct nlattr **compat_genl_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

/* 6.2: TCP_INFO tells the windows. */
static inline void compat_tcp_info_snd_wnd(struct tcp_info *info, u32 wnd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	info->tcpi_snd_wnd = wnd;
#endif
}

/* 6.7: TCP_INFO tells of timeouts. */
static inline void compat_tcp_count_rto(struct tcp_sock *tp, u32 timeouts,
					u32 episodes, u32 ms)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	tp->total_rto += timeouts;
	tp->total_rto_recoveries += episodes;
	tp->total_rto_time += ms;
#endif
}

/* 6.2, as above */
static inline void compat_tcp_info_rcv_wnd(struct tcp_info *info, u32 wnd)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	info->tcpi_rcv_wnd = wnd;
#endif
}

/* 6.7: packets that IP is asked to send, and those that leave, are two counters. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define COMPAT_IPSTATS_MIB_OUTREQUESTS IPSTATS_MIB_OUTREQUESTS
#else
#define COMPAT_IPSTATS_MIB_OUTREQUESTS IPSTATS_MIB_OUTPKTS
#endif

/* Counters that came with 6.14 and 6.17; slot 0 is nobody's. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define COMPAT_MIB_PAWS_OLD_ACK LINUX_MIB_PAWS_OLD_ACK
#else
#define COMPAT_MIB_PAWS_OLD_ACK LINUX_MIB_NUM
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define COMPAT_MIB_BEYOND_WINDOW LINUX_MIB_BEYOND_WINDOW
#else
#define COMPAT_MIB_BEYOND_WINDOW LINUX_MIB_NUM
#endif

/* 6.10: statistics of each queue. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#include <net/netdev_queues.h>
#define COMPAT_STAT_OPS(dev, ops) ((dev)->stat_ops = &(ops))
#else
struct netdev_queue_stats_rx {
	u64 bytes;
	u64 packets;
};

struct netdev_queue_stats_tx {
	u64 bytes;
	u64 packets;
};

struct netdev_stat_ops {
	void (*get_queue_stats_rx)(struct net_device *dev, int idx,
				   struct netdev_queue_stats_rx *stats);
	void (*get_queue_stats_tx)(struct net_device *dev, int idx,
				   struct netdev_queue_stats_tx *stats);
	void (*get_base_stats)(struct net_device *dev,
			       struct netdev_queue_stats_rx *rx,
			       struct netdev_queue_stats_tx *tx);
};

#define COMPAT_STAT_OPS(dev, ops) ((void)(ops))
#endif

/* 6.15: software timestamps of several kinds. */
#ifndef SKBTX_ANY_SW_TSTAMP
#define SKBTX_ANY_SW_TSTAMP SKBTX_SW_TSTAMP
#endif

#endif /* TOE_COMPAT_H */
