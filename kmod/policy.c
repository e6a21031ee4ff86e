// SPDX-License-Identifier: GPL-2.0
/*
 * May a connection be offloaded, and if not, why.
 *
 * What can't be offloaded faithfully isn't offloaded.  All reasons stand here,
 * in the order in which they are looked at, those about rules in inpath.c; the
 * answers are asked for before BEGIN, again under the socket's lock before COMMIT,
 * and for what is in the card whenever something may have changed (watch.c).
 */
#include <linux/if_vlan.h>
#include <net/ip6_route.h>
#include <net/mptcp.h>
#include <net/neighbour.h>
#include <net/route.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "rule.h"
#include "inpath.h"

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
		dev = toe_dev_find_below(dst->dev);
	rcu_read_unlock();
	return dev;
}

/*
 * Who opened it.  Of a connection that was established before it was noticed
 * only the ports tell: connect() chooses a local one from the ephemeral range.
 */
enum toe_role toe_policy_role(const struct toe_sonode *sn, const struct sock *sk)
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

static bool toe_policy_port(const struct toe_sonode *sn, const struct sock *sk,
			    const struct toe_dev *dev)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (toe_policy_role(sn, sk) == TOE_ROLE_OPENED)
		return test_bit(ntohs(inet->inet_dport), dev->ports_out);
	return test_bit(ntohs(inet->inet_sport), dev->ports_in);
}

/**
 * toe_policy_rules() - do the interface's rules allow it?
 * @sn: connection
 * @sk: its socket
 * @dev: card
 *
 * Context: any.
 * Return: TOE_REFUSE_NONE, or which of them doesn't.
 */
enum toe_refuse toe_policy_rules(const struct toe_sonode *sn,
				 const struct sock *sk,
				 const struct toe_dev *dev)
{
	if (sn->flagged)
		return TOE_REFUSE_NONE;
	if (!toe_policy_port(sn, sk, dev))
		return TOE_REFUSE_PORT;
	if (!toe_cgroup_allowed(dev, sk))
		return TOE_REFUSE_CGROUP;
	return TOE_REFUSE_NONE;
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
	if (sk->sk_tsflags & TOE_TSFLAGS || sock_flag(sk, SOCK_RCVTSTAMP))
		return TOE_REFUSE_TSTAMP;
	if (compat_tcp_usec_ts(tp) || compat_tcp_accecn(tp))
		return TOE_REFUSE_OPTION;
	if (toe_manner_foreign(sock_net(sk)) || toe_manner_lacks(sk, tdev))
		return TOE_REFUSE_SYSCTL;
	if ((tp->rx_opt.tstamp_ok && !(tdev->caps & TOE_CAP_TOE_TSTAMP)) ||
	    (tcp_is_sack(tp) && !(tdev->caps & TOE_CAP_TOE_SACK)) ||
	    (compat_tcp_ecn(tp) && !(tdev->caps & TOE_CAP_TOE_ECN)))
		return TOE_REFUSE_OPTION;
#if IS_ENABLED(CONFIG_IPV6)
	if (toe_sk_is_v6(sk)) {
		if (!(tdev->caps & TOE_CAP_TOE_IPV6))
			return TOE_REFUSE_FAMILY;
		if (rcu_access_pointer(inet6_sk(sk)->opt) ||
		    inet6_sk(sk)->min_hopcount)
			return TOE_REFUSE_OPTION;
		return TOE_REFUSE_NONE;
	}
#endif
	if (!(tdev->caps & TOE_CAP_TOE_IPV4))
		return TOE_REFUSE_FAMILY;
	if (rcu_access_pointer(inet->inet_opt) || inet->min_ttl)
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
	if (toe_manner_stalled(sk))
		return TOE_REFUSE_STALLED;
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
	if (!toe_rule_allows(dev, sn, sk))
		return TOE_REFUSE_RULE;

	why = toe_policy_rules(sn, sk, dev);
	if (!why)
		why = toe_policy_moment(sk);
	if (!why && !toe_sk_native(sk))
		why = TOE_REFUSE_PROTO;
	if (!why)
		why = toe_policy_owner(sn, sk);
	if (!why)
		why = toe_policy_tcp(sk, dev->tdev);
	return why;
}

/*
 * The device that it leaves by: the card's, or a VLAN directly on it, whose tag is
 * the card's to write and to look for.
 */
static bool toe_path_device(const struct sock *sk, struct net_device *out,
			    const struct toe_dev *dev, struct min_tcp *st)
{
	u16 tci;

	memcpy(st->lmac, out->dev_addr, ETH_ALEN);
	if (out == dev->netdev)
		return true;
	if (!toe_dev_has_vlan(dev, out))
		return false;
	tci = vlan_dev_vlan_id(out) |
	      vlan_dev_get_egress_qos_mask(out, READ_ONCE(sk->sk_priority));
	st->flags |= TOE_MT_VLAN;
	st->vlan_tci = cpu_to_le16(tci);
	return true;
}

/*
 * Does it arrive by another device than it leaves by?  The card would never see the
 * peer's segments, and the stack's acknowledgments end in the filter.  The stack remembers
 * for each socket by which device the last segment came (that of a VLAN, if it had a tag);
 * not before there was one with a route.  A device that has gone says nothing.  RCU.
 */
static bool toe_path_arrives(const struct sock *sk, const struct net_device *out)
{
	int ifindex = READ_ONCE(sk->sk_rx_dst_ifindex);

	return !ifindex || ifindex == out->ifindex ||
	       !dev_get_by_index_rcu(sock_net(sk), ifindex);
}

/* @gone: the next hop doesn't answer, rather than hasn't been asked yet. */
static enum toe_refuse toe_path_neigh(struct sock *sk, struct dst_entry *dst,
				      bool v6, struct min_tcp *st, bool *gone)
{
	const void *daddr = &inet_sk(sk)->inet_daddr;
	struct neighbour *n;
	u8 state;

#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		daddr = &sk->sk_v6_daddr;
#endif
	n = dst_neigh_lookup(dst, daddr);
	if (!n)
		return TOE_REFUSE_NEIGH;
	state = READ_ONCE(n->nud_state);
	neigh_ha_snapshot((char *)st->rmac, n, dst->dev);
	*gone = state & NUD_FAILED;
	if (!(state & NUD_VALID))
		neigh_event_send(n, NULL);
	neigh_release(n);
	return state & NUD_VALID ? TOE_REFUSE_NONE : TOE_REFUSE_NEIGH;
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

/* Everything about the path but whether it's there.  RCU. */
static enum toe_refuse toe_path_judge(struct sock *sk, struct toe_dev *dev,
				      struct min_tcp *st, bool *gone)
{
	struct dst_entry *dst = __sk_dst_get(sk);
	bool v6 = toe_sk_is_v6(sk);
	enum toe_refuse why;
	u32 cookie = 0;

#if IS_ENABLED(CONFIG_IPV6)
	if (v6)
		cookie = compat_ip6_dst_cookie(sk);
#endif
	if (!dst || (dst->obsolete && !dst->ops->check(dst, cookie)))
		return TOE_REFUSE_ROUTE;
	if (!toe_path_device(sk, dst->dev, dev, st))
		return TOE_REFUSE_DEVICE;
	if (!toe_path_arrives(sk, dst->dev))
		return TOE_REFUSE_ARRIVAL;
	why = toe_inpath(sk, dev, dst->dev, v6);
	if (!why)
		why = toe_inpath_route(sk, dst, v6);
	if (!why)
		why = toe_path_neigh(sk, dst, v6, st, gone);
	if (!why)
		toe_path_ip(sk, dst, v6, st);
	toe_manner(sk, st);
	return why;
}

/**
 * toe_policy_path() - does the path allow it?
 * @sk: socket, its spinlock held, nobody or the caller owns it
 * @dev: card
 * @st: L2 header, TTL, TOS and flow label are filled in
 *
 * Return: TOE_REFUSE_NONE, or why not.
 */
enum toe_refuse toe_policy_path(struct sock *sk, struct toe_dev *dev,
				struct min_tcp *st)
{
	enum toe_refuse why;
	bool gone = false;

	toe_path_renew(sk);
	rcu_read_lock();
	why = toe_path_judge(sk, dev, st, &gone);
	rcu_read_unlock();
	return why;
}

/**
 * toe_policy_forecast() - would toe_policy_path() say no for a rule?
 * @sk: socket, unlocked
 * @dev: card
 *
 * Spares the card a BEGIN and an ABORT for each connection that rules forbid.
 *
 * Return: TOE_REFUSE_NONE, or why.
 */
enum toe_refuse toe_policy_forecast(struct sock *sk, struct toe_dev *dev)
{
	enum toe_refuse why = TOE_REFUSE_NONE;
	struct dst_entry *dst;

	rcu_read_lock();
	dst = __sk_dst_get(sk);
	if (dst && !toe_path_arrives(sk, dst->dev))
		why = TOE_REFUSE_ARRIVAL;
	else if (dst)
		why = toe_inpath(sk, dev, dst->dev, toe_sk_is_v6(sk));
	rcu_read_unlock();
	return why;
}

/**
 * toe_path_keep() - remember what the card was told of the path
 * @sn: connection
 * @sk: its socket
 * @st: what it was told
 */
void toe_path_keep(struct toe_sonode *sn, struct sock *sk, const struct min_tcp *st)
{
	memcpy(sn->lmac, st->lmac, ETH_ALEN);
	memcpy(sn->rmac, st->rmac, ETH_ALEN);
	sn->ttl = st->ttl;
	sn->tos = st->tos;
	sn->retries = st->retries;
	sn->manner = st->manner;
	sn->vlan_tci = st->vlan_tci;
	sn->flow_label = st->flow_label;
	sn->mtu = toe_path_mtu(sk);
	sn->rx_ifindex = sk->sk_rx_dst_ifindex;
}

/* What changes in the headers or the manner alone: the card follows. */
static void toe_path_follow(struct toe_sonode *sn, const struct min_tcp *st)
{
	struct toe_cmd_set_params set = {
		.ttl = st->ttl,
		.tos = st->tos,
		.retries = st->retries,
		.manner = st->manner,
	};
	u32 mask = 0;

	if (memcmp(st->rmac, sn->rmac, ETH_ALEN))
		mask |= TOE_SET_RMAC;
	if (st->ttl != sn->ttl)
		mask |= TOE_SET_TTL;
	if (st->tos != sn->tos)
		mask |= TOE_SET_TOS;
	if ((st->retries != sn->retries || st->manner != sn->manner) &&
	    sn->hw.tdev->caps & TOE_CAP_TOE_MANNER)
		mask |= TOE_SET_MANNER;
	if (!mask)
		return;
	set.mask = cpu_to_le32(mask);
	memcpy(set.rmac, st->rmac, ETH_ALEN);
	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED &&
	    !sn->hw.tdev->ops->conn_set_params(&sn->hw, &set)) {
		memcpy(sn->rmac, st->rmac, ETH_ALEN);
		sn->ttl = st->ttl;
		sn->tos = st->tos;
		sn->retries = st->retries;
		sn->manner = st->manner;
	}
	spin_unlock_bh(&sn->lock);
}

/* A refusal of what is in the card is a recall. */
static enum toe_recall toe_recall_for(enum toe_refuse why)
{
	static const enum toe_recall recalls[TOE_REFUSES] = {
		[TOE_REFUSE_XFRM]	= TOE_RECALL_XFRM,
		[TOE_REFUSE_FILTER]	= TOE_RECALL_FILTER,
		[TOE_REFUSE_CONNTRACK]	= TOE_RECALL_CONNTRACK,
		[TOE_REFUSE_BPF]	= TOE_RECALL_BPF,
		[TOE_REFUSE_QDISC]	= TOE_RECALL_QDISC,
		[TOE_REFUSE_TC]		= TOE_RECALL_TC,
		[TOE_REFUSE_XDP]	= TOE_RECALL_XDP,
		[TOE_REFUSE_UPPER]	= TOE_RECALL_UPPER,
		[TOE_REFUSE_TUNNEL]	= TOE_RECALL_TUNNEL,
		[TOE_REFUSE_SYSCTL]	= TOE_RECALL_SYSCTL,
		[TOE_REFUSE_METRIC]	= TOE_RECALL_METRIC,
		[TOE_REFUSE_DEVICE]	= TOE_RECALL_DEVICE,
		[TOE_REFUSE_ARRIVAL]	= TOE_RECALL_ARRIVAL,
		[TOE_REFUSE_ROUTE]	= TOE_RECALL_ROUTE,
		[TOE_REFUSE_NEIGH]	= TOE_RECALL_NEIGH,
	};

	return recalls[why] ?: TOE_RECALL_POLICY;
}

/* The path of a connection in the card: still what the card was told? */
static enum toe_recall toe_path_live(struct toe_sonode *sn, struct sock *sk,
				     bool owned, bool *later)
{
	struct min_tcp st = {};
	enum toe_refuse why;
	bool gone = false;

	if (!owned)
		toe_path_renew(sk);
	rcu_read_lock();
	why = toe_path_judge(sk, sn->dev, &st, &gone);
	rcu_read_unlock();
	/* Maybe only old; or a table has changed since we asked. */
	if (why == TOE_REFUSE_ROUTE && (owned || rcu_access_pointer(sk->sk_dst_cache))) {
		*later = true;
		return TOE_RECALL_HOST;
	}
	if (why == TOE_REFUSE_NEIGH && !gone)	/* being resolved: the card goes on */
		return TOE_RECALL_HOST;
	if (why)
		return toe_recall_for(why);
	if (memcmp(st.lmac, sn->lmac, ETH_ALEN))
		return TOE_RECALL_MAC;
	if (sn->mtu != toe_path_mtu(sk))
		return TOE_RECALL_MTU;
	if (st.vlan_tci != sn->vlan_tci)
		return TOE_RECALL_DEVICE;
	if (st.flow_label != sn->flow_label)
		return TOE_RECALL_ROUTE;
	toe_path_follow(sn, &st);
	return TOE_RECALL_HOST;
}

/**
 * toe_policy_asked() - why does toe_sk_asks() say yes?
 * @sk: socket
 *
 * Return: the reason to call its connection back, TOE_RECALL_HOST if there is none.
 */
enum toe_recall toe_policy_asked(const struct sock *sk)
{
	if (!toe_sk_asks(sk))
		return TOE_RECALL_HOST;
	if (READ_ONCE(sk->sk_tsflags) & TOE_TSFLAGS || sock_flag(sk, SOCK_RCVTSTAMP))
		return TOE_RECALL_TSTAMP;
	return TOE_RECALL_SOCKOPT;
}

/**
 * toe_policy_live() - may an offloaded connection stay where it is?
 * @sn: connection in the card
 * @sk: its socket, spinlock held
 * @later: set if that can't be said while a user owns the socket
 *
 * What an administrator changes doesn't pass through the socket's tables; so it
 * is looked at.
 *
 * Return: TOE_RECALL_HOST if it may stay, else the reason to call it back.
 */
enum toe_recall toe_policy_live(struct toe_sonode *sn, struct sock *sk, bool *later)
{
	enum toe_recall asked = toe_policy_asked(sk);
	bool owned = sock_owned_by_user(sk);
	enum toe_refuse why;

	lockdep_assert_held(&sk->sk_lock.slock);

	if (!toe_sk_ours(sk))
		return TOE_RECALL_STOLEN;
	if (asked != TOE_RECALL_HOST)
		return asked;
	/* A socket's mark, priority, class may change at any time. */
	if (!toe_rule_allows(sn->dev, sn, sk))
		return TOE_RECALL_RULE;
	why = toe_policy_owner(sn, sk);
	if (!why && !owned)
		why = toe_policy_tcp(sk, sn->hw.tdev);
	if (why)	/* the socket itself asks for more than the card can do */
		return why == TOE_REFUSE_SYSCTL ? TOE_RECALL_SYSCTL : TOE_RECALL_POLICY;
	return toe_path_live(sn, sk, owned, later);
}
