// SPDX-License-Identifier: GPL-2.0
/*
 * May a connection be offloaded, and if not, why.
 *
 * What can't be offloaded faithfully isn't offloaded.  All reasons stand here,
 * in the order in which they are looked at; the answers are asked for before
 * BEGIN, again under the socket's lock before COMMIT, and from time to time for
 * what is in the card (toe_dev's tick).
 */
#include <linux/bpf-cgroup.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/ip6_route.h>
#include <net/mptcp.h>
#include <net/neighbour.h>
#include <net/pkt_sched.h>
#include <net/route.h>
#include <net/sch_generic.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"

bool toe_refuse_permanent(enum toe_refuse why)
{
	static const bool permanent[] = {
#define X(sym, name, perm)[TOE_REFUSE_##sym] = perm,
		TOE_REFUSE_LIST(X)
#undef X
	};

	return permanent[why];
}

/**
 * toe_policy_device() - the card by which a connection leaves
 * @sk: its socket
 *
 * Context: any.
 * Return: the card with a reference, or NULL.
 */
struct toe_dev *toe_policy_device(struct sock *sk)
{
	struct toe_dev *dev = NULL;
	struct dst_entry *dst;

	rcu_read_lock();
	dst = __sk_dst_get(sk);
	if (dst)
		dev = toe_dev_find(dst->dev);
	rcu_read_unlock();
	return dev;
}

/*
 * Who opened it.  Of a connection that was established before it was noticed
 * only the ports tell: connect() chooses a local one from the ephemeral range.
 */
static enum toe_role toe_role_of(const struct toe_sonode *sn,
				 const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	int low, high;

	if (sn->role != TOE_ROLE_UNKNOWN)
		return sn->role;
	inet_get_local_port_range(sock_net(sk), &low, &high);
	if (ntohs(inet->inet_sport) >= low && ntohs(inet->inet_sport) <= high)
		return TOE_ROLE_OPENED;
	return TOE_ROLE_ACCEPTED;
}

/* Do the port rules allow it? */
bool toe_policy_port(const struct toe_sonode *sn, const struct sock *sk,
		     const struct toe_dev *dev)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (sn->flagged)
		return true;
	if (toe_role_of(sn, sk) == TOE_ROLE_OPENED)
		return test_bit(ntohs(inet->inet_dport), dev->ports_out);
	return test_bit(ntohs(inet->inet_sport), dev->ports_in);
}

/* Who else has a hand on this socket. */
static enum toe_refuse toe_policy_owner(const struct toe_sonode *sn,
					const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (sk_is_mptcp(sk) || compat_tcp_is_smc(sk))
		return TOE_REFUSE_PROTO;
	if (icsk->icsk_ulp_ops && toe_sk_sonode(sk) != sn)
		return TOE_REFUSE_ULP;
	if (sk->sk_kern_sock)
		return TOE_REFUSE_KERNEL;
	if (rcu_access_pointer(sk->sk_filter) ||
	    BPF_SOCK_OPS_ALL_CB_FLAGS & compat_tcp_bpf_flags(sk))
		return TOE_REFUSE_BPF;
#ifdef CONFIG_CGROUP_BPF
	if (cgroup_bpf_enabled(CGROUP_INET_EGRESS) ||
	    cgroup_bpf_enabled(CGROUP_INET_INGRESS))
		return TOE_REFUSE_BPF;
#endif
	return TOE_REFUSE_NONE;
}

/* What the card's engine can't do. */
static enum toe_refuse toe_policy_tcp(const struct sock *sk,
				      const struct toe_device *tdev)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct inet_sock *inet = inet_sk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	const char *ca = icsk->icsk_ca_ops->name;

	if (tp->repair)
		return TOE_REFUSE_REPAIR;
	if (compat_tcp_has_auth(tp))
		return TOE_REFUSE_AUTH;
	if (rcu_access_pointer(tp->fastopen_rsk))
		return TOE_REFUSE_STATE;
	if (strcmp(ca, "cubic") && strcmp(ca, "reno"))
		return TOE_REFUSE_CONG;
	if (sk->sk_max_pacing_rate != ~0UL || sock_flag(sk, SOCK_TXTIME) ||
	    tp->tcp_tx_delay)
		return TOE_REFUSE_PACING;
	if (sk->sk_tsflags & (SOF_TIMESTAMPING_TX_RECORD_MASK |
			      SOF_TIMESTAMPING_RX_SOFTWARE |
			      SOF_TIMESTAMPING_RX_HARDWARE) ||
	    sock_flag(sk, SOCK_RCVTSTAMP))
		return TOE_REFUSE_TSTAMP;
	if (compat_tcp_usec_ts(tp) || compat_tcp_accecn(tp))
		return TOE_REFUSE_OPTION;
	if ((tp->rx_opt.tstamp_ok && !(tdev->caps & TOE_CAP_TOE_TSTAMP)) ||
	    (tcp_is_sack(tp) && !(tdev->caps & TOE_CAP_TOE_SACK)) ||
	    (compat_tcp_ecn(tp) && !(tdev->caps & TOE_CAP_TOE_ECN)))
		return TOE_REFUSE_OPTION;
#if IS_ENABLED(CONFIG_IPV6)
	if (toe_sk_is_v6(sk)) {
		if (!(tdev->caps & TOE_CAP_TOE_IPV6))
			return TOE_REFUSE_FAMILY;
		if (rcu_access_pointer(inet6_sk(sk)->opt))
			return TOE_REFUSE_OPTION;
		return TOE_REFUSE_NONE;
	}
#endif
	if (!(tdev->caps & TOE_CAP_TOE_IPV4))
		return TOE_REFUSE_FAMILY;
	if (rcu_access_pointer(inet->inet_opt))
		return TOE_REFUSE_OPTION;
	return TOE_REFUSE_NONE;
}

/* Is the connection at a point where it can be moved? */
static enum toe_refuse toe_policy_moment(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state != TCP_ESTABLISHED)
		return TOE_REFUSE_STATE;
	if (sk->sk_shutdown || sock_flag(sk, SOCK_DEAD))
		return TOE_REFUSE_SHUTDOWN;
	if (tp->urg_data || tp->snd_up != tp->snd_una)
		return TOE_REFUSE_URGENT;
	if (!RB_EMPTY_ROOT(&tp->out_of_order_queue))
		return TOE_REFUSE_OOO;
	return TOE_REFUSE_NONE;
}

/**
 * toe_policy() - may this connection be offloaded to this card?
 * @sn: connection
 * @sk: its socket; without its lock the answer is a forecast
 * @dev: card
 *
 * Return: TOE_REFUSE_NONE, or the first reason why not.
 */
enum toe_refuse toe_policy(struct toe_sonode *sn, struct sock *sk,
			   struct toe_dev *dev)
{
	enum toe_refuse why;

	if (!READ_ONCE(dev->enabled) && !sn->flagged)
		return TOE_REFUSE_OFF;
	if (!toe_dev_usable(dev))
		return TOE_REFUSE_SUSPENDED;
	if (!toe_policy_port(sn, sk, dev))
		return TOE_REFUSE_PORT;

	why = toe_policy_moment(sk);
	if (!why && !toe_sk_native(sk))
		why = TOE_REFUSE_PROTO;
	if (!why)
		why = toe_policy_owner(sn, sk);
	if (!why)
		why = toe_policy_tcp(sk, dev->tdev);
	return why;
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

static bool toe_hooked(struct nf_hook_entries __rcu * const *hooks)
{
	static const u8 points[] = {
		NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN,
		NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING,
	};
	struct nf_hook_ops **ops;
	struct nf_hook_entries *e;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		e = rcu_dereference(hooks[points[i]]);
		if (!e)
			continue;
		ops = nf_hook_entries_get_hook_ops(e);
		for (j = 0; j < e->num_hook_entries; j++)
			if (!toe_hook_is_lsm(ops[j]))
				return true;
	}
	return false;
}
#endif

/* Would a packet filter of the connection's namespace be by-passed? */
static bool toe_filtered(const struct net *net, bool v6)
{
#ifdef CONFIG_NETFILTER
	if (toe_hooked(v6 ? net->nf.hooks_ipv6 : net->nf.hooks_ipv4))
		return true;
#endif
	return false;
}

/* XDP and the packet filters' hooks of the device itself. */
static bool toe_device_filtered(const struct net_device *netdev)
{
#ifdef CONFIG_NETFILTER_INGRESS
	if (rcu_access_pointer(netdev->nf_hooks_ingress))
		return true;
#endif
#ifdef CONFIG_NETFILTER_EGRESS
	if (rcu_access_pointer(netdev->nf_hooks_egress))
		return true;
#endif
	return rcu_access_pointer(netdev->xdp_prog);
}

/* tc filters, or a queueing discipline that shapes. */
static bool toe_qdisced(const struct net_device *netdev)
{
	const struct Qdisc *q = rcu_dereference(netdev->qdisc);
	static const char * const plain[] = {
		"noqueue", "noop", "mq", "pfifo_fast", "fq_codel", "pfifo", "fq",
	};

	if (compat_netdev_has_tc(netdev))
		return true;
	return q && match_string(plain, ARRAY_SIZE(plain), q->ops->id) < 0;
}

static enum toe_refuse toe_path_neigh(struct sock *sk, struct dst_entry *dst,
				      bool v6, struct min_tcp *st)
{
	const void *daddr = &inet_sk(sk)->inet_daddr;
	struct neighbour *n;
	bool valid;

#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		daddr = &sk->sk_v6_daddr;
#endif
	n = dst_neigh_lookup(dst, daddr);
	if (!n)
		return TOE_REFUSE_NEIGH;
	valid = READ_ONCE(n->nud_state) & NUD_VALID;
	neigh_ha_snapshot((char *)st->rmac, n, dst->dev);
	if (!valid)
		neigh_event_send(n, NULL);
	neigh_release(n);
	memcpy(st->lmac, dst->dev->dev_addr, ETH_ALEN);
	return valid ? TOE_REFUSE_NONE : TOE_REFUSE_NEIGH;
}

#if IS_ENABLED(CONFIG_IPV6)
/* As ip6_make_flowlabel() does it from an skb: the wire sees no change. */
static __be32 toe_flow_label(const struct sock *sk)
{
	const struct net *net = sock_net(sk);
	__be32 label = inet6_sk(sk)->flow_label & IPV6_FLOWLABEL_MASK;
	int mode = READ_ONCE(net->ipv6.sysctl.auto_flowlabels);

	if (label || mode == IP6_AUTO_FLOW_LABEL_OFF ||
	    mode == IP6_AUTO_FLOW_LABEL_OPTIN)
		return label;
	label = (__force __be32)rol32(READ_ONCE(sk->sk_txhash), 16) &
		IPV6_FLOWLABEL_MASK;
	if (net->ipv6.sysctl.flowlabel_state_ranges)
		label |= IPV6_FLOWLABEL_STATELESS_FLAG;
	return label;
}
#endif

/* TTL, TOS, flow label as the stack's own output would choose. */
static void toe_path_ip(struct sock *sk, struct dst_entry *dst, bool v6,
			struct min_tcp *st)
{
	const struct inet_sock *inet = inet_sk(sk);
	int ttl;

#if IS_ENABLED(CONFIG_IPV6)
	if (v6) {
		const struct ipv6_pinfo *np = inet6_sk(sk);

		ttl = np->hop_limit < 0 ? ip6_dst_hoplimit(dst) : np->hop_limit;
		st->ttl = ttl;
		st->tos = np->tclass & ~INET_ECN_MASK;
		st->flow_label = cpu_to_le32(ntohl(toe_flow_label(sk)));
		return;
	}
#endif
	ttl = inet->uc_ttl < 0 ? ip4_dst_hoplimit(dst) : inet->uc_ttl;
	st->ttl = ttl;
	st->tos = inet->tos & ~INET_ECN_MASK;
}

/* MTU of the path, 0 without one. */
u32 toe_path_mtu(struct sock *sk)
{
	const struct dst_entry *dst;
	u32 mtu = 0;

	rcu_read_lock();
	dst = __sk_dst_get(sk);
	if (dst)
		mtu = dst_mtu(dst);
	rcu_read_unlock();
	return mtu;
}

/* Any change of a table outdates every route. Ask again, as the stack does before its
 * next segment: most often the path is what it was.
 */
static void toe_path_renew(struct sock *sk)
{
	const struct inet_connection_sock_af_ops *ops = inet_csk(sk)->icsk_af_ops;

	ops->rebuild_header(sk);
}

/**
 * toe_policy_path() - does the path allow it?
 * @sk: socket, its spinlock held
 * @dev: card
 * @st: L2 header, TTL, TOS and flow label are filled in
 *
 * Return: TOE_REFUSE_NONE, or why not.
 */
enum toe_refuse toe_policy_path(struct sock *sk, struct toe_dev *dev,
				struct min_tcp *st)
{
	bool v6 = toe_sk_is_v6(sk);
	struct dst_entry *dst;
	enum toe_refuse why;
	u32 cookie = 0;

	toe_path_renew(sk);
#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		cookie = compat_ip6_dst_cookie(sk);
#endif
	rcu_read_lock();
	dst = __sk_dst_get(sk);
	if (!dst || (dst->obsolete && !dst->ops->check(dst, cookie)))
		why = TOE_REFUSE_ROUTE;
	else if (dst->dev != dev->netdev)
		why = TOE_REFUSE_DEVICE;
	else if (dst_xfrm(dst))
		why = TOE_REFUSE_XFRM;
	else if (toe_filtered(sock_net(sk), v6) || toe_device_filtered(dst->dev))
		why = TOE_REFUSE_FILTER;
	else if (toe_qdisced(dst->dev))
		why = TOE_REFUSE_QDISC;
	else
		why = toe_path_neigh(sk, dst, v6, st);
	if (!why)
		toe_path_ip(sk, dst, v6, st);
	rcu_read_unlock();
	return why;
}

/* The next hop's link-layer address changed: the card follows. */
static void toe_follow_neigh(struct toe_sonode *sn, const u8 *rmac)
{
	struct toe_cmd_set_params set = {
		.mask = cpu_to_le32(TOE_SET_RMAC),
	};

	memcpy(set.rmac, rmac, ETH_ALEN);
	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED &&
	    !sn->hw.tdev->ops->conn_set_params(&sn->hw, &set))
		memcpy(sn->rmac, rmac, ETH_ALEN);
	spin_unlock_bh(&sn->lock);
}

/**
 * toe_policy_live() - may an offloaded connection stay where it is?
 * @sn: connection in the card
 * @sk: its socket, spinlock held, not owned
 *
 * What an application sets at SOL_SOCKET, and what an administrator changes,
 * doesn't pass through the socket's tables; so it is looked at, ten times a
 * second.
 *
 * Return: TOE_RECALL_HOST if it may stay, else the reason to call it back.
 */
enum toe_recall toe_policy_live(struct toe_sonode *sn, struct sock *sk)
{
	struct min_tcp st = {};
	enum toe_refuse why;

	if (!toe_sk_ours(sk))
		return TOE_RECALL_STOLEN;
	why = toe_policy_owner(sn, sk);
	if (!why)
		why = toe_policy_tcp(sk, sn->hw.tdev);
	if (!why)
		why = toe_policy_path(sk, sn->dev, &st);
	if (why == TOE_REFUSE_TSTAMP)
		return TOE_RECALL_TSTAMP;
	if (why == TOE_REFUSE_NEIGH)	/* being resolved: the card goes on */
		return TOE_RECALL_HOST;
	if (why || memcmp(st.lmac, sn->lmac, ETH_ALEN) ||
	    sn->mtu != toe_path_mtu(sk))
		return TOE_RECALL_POLICY;
	if (memcmp(st.rmac, sn->rmac, ETH_ALEN))
		toe_follow_neigh(sn, st.rmac);
	return TOE_RECALL_HOST;
}
