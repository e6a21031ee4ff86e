// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator has put into the path of packets: packet filters, traffic
 * control, XDP, BPF, IPsec, devices above, metrics of routes.
 *
 * Segments of an offloaded connection meet none of it, so what would see or change
 * them refuses offload.  As precise as it can be told from outside: a rule of
 * another family, namespace, device or cgroup forbids nothing.  Everything is read
 * under RCU alone, since it's read for each connection and, for signatures, many
 * times a second.
 */
#include <linux/bpf-cgroup.h>
#include <linux/if_vlan.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/lwtunnel.h>
#include <net/netfilter/nf_tables.h>
#include <net/pkt_cls.h>
#include <net/sch_generic.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "inpath.h"

static u64 toe_mix(u64 sum, u64 val)
{
	return rol64((sum ^ val) * 0x9e3779b97f4a7c15ULL, 23);
}

static u64 toe_mix_ptr(u64 sum, const void *ptr)
{
	return toe_mix(sum, (unsigned long)ptr);
}

#ifdef CONFIG_NETFILTER
/*
 * AppArmor, SELinux and Smack hook in wherever they are built in, and look at
 * packets that a SECMARK rule, an IP option or IPsec has labelled.  Such a rule
 * has a hook of its own, options and IPsec are refused anyway.
 */
static bool toe_hook_is_lsm(const struct nf_hook_ops *ops)
{
	return ops->hook_ops_type == NF_HOOK_OP_UNDEFINED &&
	       (ops->priority == NF_IP_PRI_SELINUX_FIRST ||
		ops->priority == NF_IP_PRI_SELINUX_LAST);
}

/*
 * Connection tracking by itself, without the rule that wants it.  The connection's
 * entry would neither be kept alive nor know its windows.
 */
static bool toe_hook_is_conntrack(const struct nf_hook_ops *ops)
{
	if (ops->hook_ops_type != NF_HOOK_OP_UNDEFINED)
		return false;
	switch (ops->priority) {
	case NF_IP_PRI_CONNTRACK_DEFRAG:
	case NF_IP_PRI_CONNTRACK:
	case NF_IP_PRI_CONNTRACK_HELPER:
	case NF_IP_PRI_CONNTRACK_CONFIRM - 1:	/* IPv6's on the way in */
	case NF_IP_PRI_CONNTRACK_CONFIRM:
		return true;
	default:
		return false;
	}
}

#if IS_ENABLED(CONFIG_NF_TABLES)
static const struct nft_rule_blob *toe_chain_rules(const struct nft_chain *chain,
						   const struct net *net)
{
	return READ_ONCE(net->nft.gencursor) ?
	       rcu_dereference(chain->blob_gen_1) :
	       rcu_dereference(chain->blob_gen_0);
}

/* A base chain without rules that accepts and doesn't count: as if it weren't. */
static bool toe_hook_is_idle(const struct nf_hook_ops *ops, const struct net *net)
{
	const struct nft_base_chain *base;
	const struct nft_rule_blob *blob;
	const struct nft_chain *chain;

	if (ops->hook_ops_type != NF_HOOK_OP_NF_TABLES)
		return false;
	chain = ops->priv;
	base = nft_base_chain(chain);
	blob = toe_chain_rules(chain, net);
	return blob && ((const struct nft_rule_dp *)blob->data)->is_last &&
	       READ_ONCE(base->policy) == NF_ACCEPT && !base->stats;
}

static u64 toe_hook_sign(u64 sum, const struct nf_hook_ops *ops,
			 const struct net *net)
{
	if (ops->hook_ops_type != NF_HOOK_OP_NF_TABLES)
		return sum;
	return toe_mix(sum, toe_hook_is_idle(ops, net));
}
#else
static bool toe_hook_is_idle(const struct nf_hook_ops *ops, const struct net *net)
{
	return false;
}

static u64 toe_hook_sign(u64 sum, const struct nf_hook_ops *ops,
			 const struct net *net)
{
	return sum;
}
#endif

/* Which of TOE_BYPASS_NETFILTER and _CONNTRACK the hooks @e ask for. */
static unsigned int toe_hooks_want(const struct nf_hook_entries *e,
				   const struct net *net)
{
	struct nf_hook_ops **ops;
	unsigned int want = 0;
	int i;

	if (!e)
		return 0;
	ops = nf_hook_entries_get_hook_ops(e);
	for (i = 0; i < e->num_hook_entries; i++) {
		if (toe_hook_is_conntrack(ops[i]))
			want |= TOE_BYPASS_CONNTRACK;
		else if (!toe_hook_is_lsm(ops[i]) && !toe_hook_is_idle(ops[i], net))
			want |= TOE_BYPASS_NETFILTER;
	}
	return want;
}

static u64 toe_hooks_sign(u64 sum, const struct nf_hook_entries *e,
			  const struct net *net)
{
	struct nf_hook_ops **ops;
	int i;

	if (!e)
		return toe_mix(sum, 0);
	ops = nf_hook_entries_get_hook_ops(e);
	for (i = 0; i < e->num_hook_entries; i++) {
		sum = toe_mix_ptr(sum, ops[i]);
		sum = toe_mix(sum, ops[i]->priority);
		sum = toe_hook_sign(sum, ops[i], net);
	}
	return sum;
}

/* Where segments of connections of this host pass. */
static const u8 toe_hook_points[] = {
	NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN,
	NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING,
};

static unsigned int toe_net_hooks_want(const struct net *net, bool v6)
{
	struct nf_hook_entries __rcu * const *hooks;
	unsigned int want = 0;
	int i;

	hooks = v6 ? net->nf.hooks_ipv6 : net->nf.hooks_ipv4;
	for (i = 0; i < ARRAY_SIZE(toe_hook_points); i++)
		want |= toe_hooks_want(rcu_dereference(hooks[toe_hook_points[i]]),
				       net);
	return want;
}

static u64 toe_net_hooks_sign(u64 sum, const struct net *net)
{
	int i, point;

	for (i = 0; i < ARRAY_SIZE(toe_hook_points); i++) {
		point = toe_hook_points[i];
		sum = toe_hooks_sign(sum, rcu_dereference(net->nf.hooks_ipv4[point]),
				     net);
		sum = toe_hooks_sign(sum, rcu_dereference(net->nf.hooks_ipv6[point]),
				     net);
	}
	return sum;
}
#else
static unsigned int toe_net_hooks_want(const struct net *net, bool v6)
{
	return 0;
}

static u64 toe_net_hooks_sign(u64 sum, const struct net *net)
{
	return sum;
}
#endif

/* Packet filters' hooks of the device itself. */
static unsigned int toe_dev_hooks_want(const struct net_device *netdev)
{
	unsigned int want = 0;

#ifdef CONFIG_NETFILTER_INGRESS
	want |= toe_hooks_want(rcu_dereference(netdev->nf_hooks_ingress),
			       dev_net_rcu(netdev));
#endif
#ifdef CONFIG_NETFILTER_EGRESS
	want |= toe_hooks_want(rcu_dereference(netdev->nf_hooks_egress),
			       dev_net_rcu(netdev));
#endif
	return want;
}

static u64 toe_dev_hooks_sign(u64 sum, const struct net_device *netdev)
{
#ifdef CONFIG_NETFILTER_INGRESS
	sum = toe_hooks_sign(sum, rcu_dereference(netdev->nf_hooks_ingress),
			     dev_net_rcu(netdev));
#endif
#ifdef CONFIG_NETFILTER_EGRESS
	sum = toe_hooks_sign(sum, rcu_dereference(netdev->nf_hooks_egress),
			     dev_net_rcu(netdev));
#endif
	return sum;
}

/* Filters that hang at a qdisc rather than at clsact. */
static bool toe_qdisc_filters(struct Qdisc *q)
{
	const struct Qdisc_class_ops *cops = q->ops->cl_ops;
	struct tcf_block *block;

	if (!cops || !cops->tcf_block)
		return false;
	block = cops->tcf_block(q, 0, NULL);
	return block && !list_empty(&block->chain_list);
}

/*
 * Disciplines that neither shape nor drop by rule: what they would decide is the
 * order and the length of a queue that offloaded segments don't stand in.  Fair
 * queueing may limit rates, but has no parameters where it is the default.
 */
static bool toe_qdisc_plain(const struct Qdisc *q)
{
	static const char * const plain[] = {
		"noqueue", "noop", "mq", "pfifo_fast", "fq_codel", "pfifo", "bfifo",
	};

	if (match_string(plain, ARRAY_SIZE(plain), q->ops->id) >= 0)
		return true;
	return !q->handle && !strcmp(q->ops->id, "fq");
}

/* Which of TOE_BYPASS_QDISC and _TC a discipline asks for. */
static unsigned int toe_qdisc_wants(struct Qdisc *q)
{
	if (!q)
		return 0;
	if (!toe_qdisc_plain(q))
		return TOE_BYPASS_QDISC;
	return toe_qdisc_filters(q) ? TOE_BYPASS_TC : 0;
}

static struct Qdisc *toe_queue_qdisc(struct net_device *netdev, unsigned int i)
{
	return rcu_dereference(netdev_get_tx_queue(netdev, i)->qdisc_sleeping);
}

static unsigned int toe_dev_tc_want(struct net_device *netdev)
{
	unsigned int want = compat_netdev_has_tc(netdev) ? TOE_BYPASS_TC : 0;
	unsigned int i;

	want |= toe_qdisc_wants(rcu_dereference(netdev->qdisc));
	for (i = 0; i < netdev->real_num_tx_queues; i++)
		want |= toe_qdisc_wants(toe_queue_qdisc(netdev, i));
	return want;
}

static u64 toe_dev_tc_sign(u64 sum, struct net_device *netdev)
{
	unsigned int i;

	sum = toe_mix_ptr(sum, rcu_dereference(netdev->qdisc));
	for (i = 0; i < netdev->real_num_tx_queues; i++)
		sum = toe_mix_ptr(sum, toe_queue_qdisc(netdev, i));
	return toe_mix(sum, toe_dev_tc_want(netdev));
}

/* A device that may take the frames of this one, or has it as its port. */
static bool toe_dev_below(struct net_device *netdev)
{
	return rcu_access_pointer(netdev->rx_handler) ||
	       netdev_master_upper_dev_get_rcu(netdev);
}

/* What of the device, or of the one above it, would be by-passed. */
static enum toe_refuse toe_inpath_dev(struct net_device *netdev, unsigned int bypass)
{
	unsigned int want;

	if (toe_dev_below(netdev))
		return TOE_REFUSE_UPPER;
	want = toe_dev_hooks_want(netdev) & ~bypass;
	if (want)
		return TOE_REFUSE_FILTER;
	if (!(bypass & TOE_BYPASS_XDP) && dev_xdp_prog_count(netdev))
		return TOE_REFUSE_XDP;
	want = toe_dev_tc_want(netdev) & ~bypass;
	if (want & TOE_BYPASS_TC)
		return TOE_REFUSE_TC;
	if (want & TOE_BYPASS_QDISC)
		return TOE_REFUSE_QDISC;
	return TOE_REFUSE_NONE;
}

/* Programs of the socket's cgroup and of those above it, for its packets. */
static bool toe_cgroup_filters(const struct sock *sk)
{
#ifdef CONFIG_CGROUP_BPF
	if (cgroup_bpf_enabled(CGROUP_INET_EGRESS) &&
	    cgroup_bpf_sock_enabled((struct sock *)sk, CGROUP_INET_EGRESS))
		return true;
	if (cgroup_bpf_enabled(CGROUP_INET_INGRESS) &&
	    cgroup_bpf_sock_enabled((struct sock *)sk, CGROUP_INET_INGRESS))
		return true;
#endif
	return false;
}

/*
 * Policies for what leaves are part of the route.  What arrives is held against
 * those for input, of which only the number is known here.
 */
static bool toe_ipsec(const struct sock *sk)
{
#ifdef CONFIG_XFRM
	const struct netns_xfrm *xfrm = &sock_net(sk)->xfrm;

	return xfrm->policy_count[XFRM_POLICY_IN] ||
	       xfrm->policy_default[XFRM_POLICY_IN] == XFRM_USERPOLICY_BLOCK ||
	       xfrm->policy_default[XFRM_POLICY_OUT] == XFRM_USERPOLICY_BLOCK ||
	       rcu_access_pointer(sk->sk_policy[0]) ||
	       rcu_access_pointer(sk->sk_policy[1]);
#else
	return false;
#endif
}

/**
 * toe_inpath() - would offload by-pass something?
 * @sk: a connection's socket
 * @dev: the card
 * @out: the device that it leaves by: the card's, or one above it
 * @v6: it speaks IPv6
 *
 * Context: RCU.  Without the socket's lock the answer is a forecast.
 * Return: TOE_REFUSE_NONE, or what.
 */
enum toe_refuse toe_inpath(const struct sock *sk, const struct toe_dev *dev,
			   struct net_device *out, bool v6)
{
	unsigned int bypass = READ_ONCE(dev->bypass);
	enum toe_refuse why;
	unsigned int want;

	if (toe_ipsec(sk))
		return TOE_REFUSE_XFRM;
	want = toe_net_hooks_want(sock_net(sk), v6) & ~bypass;
	if (want & TOE_BYPASS_NETFILTER)
		return TOE_REFUSE_FILTER;
	if (want & TOE_BYPASS_CONNTRACK)
		return TOE_REFUSE_CONNTRACK;
	if (!(bypass & TOE_BYPASS_BPF) && toe_cgroup_filters(sk))
		return TOE_REFUSE_BPF;
	why = toe_inpath_dev(dev->netdev, bypass);
	if (!why && out != dev->netdev)
		why = toe_inpath_dev(out, bypass);
	return why;
}

/**
 * toe_inpath_route() - what a route asks for and the card can't do
 * @sk: a connection's socket, its spinlock held
 * @dst: its route
 * @v6: it speaks IPv6
 *
 * The metrics that count at the handshake only (features, congctl, window, advmss,
 * reordering, initrwnd) are in the socket by now.
 *
 * Return: TOE_REFUSE_NONE, or why not.
 */
enum toe_refuse toe_inpath_route(struct sock *sk, const struct dst_entry *dst,
				 bool v6)
{
	if (dst->lwtstate)
		return TOE_REFUSE_TUNNEL;
	if (dst_xfrm(dst))
		return TOE_REFUSE_XFRM;
	/* Each of these would change when the stack sends, and how much. */
	if (dst_metric(dst, RTAX_QUICKACK) || dst_metric(dst, RTAX_INITCWND) ||
	    dst_metric_locked(dst, RTAX_CWND) ||
	    tcp_rto_min(sk) != TCP_RTO_MIN || compat_tcp_rto_max(sk) != TCP_RTO_MAX)
		return TOE_REFUSE_METRIC;
	/* The card's segments may not be fragmented. */
	if (!v6 && !ip_dont_fragment(sk, dst))
		return TOE_REFUSE_METRIC;
	return TOE_REFUSE_NONE;
}

static u64 toe_net_sign(u64 sum, const struct net *net)
{
	sum = toe_mix_ptr(sum, net);
	sum = toe_net_hooks_sign(sum, net);
	sum = toe_mix(sum, toe_manner_sign(net));
	/* Any change of IPv4's tables, rules, addresses; and of IPsec's policies. */
	sum = toe_mix(sum, atomic_read(&net->ipv4.rt_genid));
#if IS_ENABLED(CONFIG_IPV6)
	/* The removal of a route shows in the count alone. */
	sum = toe_mix(sum, atomic_read(&net->ipv6.fib6_sernum));
	if (net->ipv6.rt6_stats)
		sum = toe_mix(sum, READ_ONCE(net->ipv6.rt6_stats->fib_rt_entries));
#endif
#ifdef CONFIG_XFRM
	sum = toe_mix(sum, net->xfrm.policy_count[XFRM_POLICY_IN]);
	sum = toe_mix(sum, net->xfrm.policy_default[XFRM_POLICY_IN]);
	sum = toe_mix(sum, net->xfrm.policy_default[XFRM_POLICY_OUT]);
#endif
	return sum;
}

static u64 toe_dev_sign(u64 sum, struct net_device *netdev)
{
	sum = toe_mix_ptr(sum, netdev);
	sum = toe_mix(sum, toe_dev_below(netdev));
	sum = toe_mix(sum, dev_xdp_prog_count(netdev));
	sum = toe_dev_hooks_sign(sum, netdev);
	return toe_dev_tc_sign(sum, netdev);
}

/* Programs attached to cgroups, all of them. */
static u64 toe_cgroup_sign(u64 sum)
{
#ifdef CONFIG_CGROUP_BPF
	struct static_key_false *keys = cgroup_bpf_enabled_key;

	sum = toe_mix(sum, static_key_count(&keys[CGROUP_INET_EGRESS].key));
	sum = toe_mix(sum, static_key_count(&keys[CGROUP_INET_INGRESS].key));
#endif
	return sum;
}

/**
 * toe_inpath_sign() - a number that changes when a rule may have
 * @dev: card
 *
 * Of the namespaces and devices that its connections can be in: a handful of
 * pointers and generations, whatever the number of connections and rules.
 *
 * Context: any.
 */
u64 toe_inpath_sign(const struct toe_dev *dev)
{
	struct net_device *netdev = dev->netdev;
	struct net_device *upper;
	struct list_head *iter;
	u64 sum;

	rcu_read_lock();
	sum = toe_cgroup_sign(0);
	sum = toe_net_sign(sum, dev_net_rcu(netdev));
	sum = toe_dev_sign(sum, netdev);
	netdev_for_each_upper_dev_rcu(netdev, upper, iter) {
		if (!is_vlan_dev(upper))
			continue;
		if (!net_eq(dev_net_rcu(upper), dev_net_rcu(netdev)))
			sum = toe_net_sign(sum, dev_net_rcu(upper));
		sum = toe_dev_sign(sum, upper);
	}
	rcu_read_unlock();
	return sum;
}
