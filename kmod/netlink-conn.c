// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "toe": connections.
 *
 * A dump walks the connection state table by identifiers, so it can stop and go
 * on at any point, whatever comes and goes meanwhile, and nothing is locked for
 * longer than one connection takes.
 */
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "netlink-gen.h"

#define TOE_NL_NOT_BY_CARD "the connection does not leave by a card with offload"

static_assert((int)TOE_CONN_STATE_NATIVE == (int)TOE_NATIVE);
static_assert((int)TOE_CONN_STATE_BEGIN == (int)TOE_BEGIN);
static_assert((int)TOE_CONN_STATE_HELD == (int)TOE_HELD);
static_assert((int)TOE_CONN_STATE_ABORTING == (int)TOE_ABORTING);
static_assert((int)TOE_CONN_STATE_OFFLOADED == (int)TOE_OFFLOADED);
static_assert((int)TOE_CONN_STATE_RECALLING == (int)TOE_RECALLING);
static_assert((int)TOE_CONN_ROLE_OUT == (int)TOE_ROLE_OPENED);
static_assert((int)TOE_CONN_ROLE_IN == (int)TOE_ROLE_ACCEPTED);

/* What a request asks for; zero: anything. */
struct toe_nl_filter {
	u32 conn_id;
	int ifindex;
	int state;		/* -1: any */
	u8 laddr_len;
	u8 raddr_len;
	u8 laddr[16];
	u8 raddr[16];
	u16 lport;
	u16 rport;
};

/*
 * What a message says beside the connection.
 * @ns: user namespace of the reader
 * @mark: the reader may know the mark
 * @event: enum toe_event, or 0
 */
struct toe_nl_msg {
	struct user_namespace *ns;
	u32 portid;
	u32 seq;
	u16 flags;
	u8 cmd;
	bool mark;
	u8 event;
};

/* A connection as it is at one moment. */
struct toe_nl_conn {
	int ifindex;
	u32 tid;
	u8 state;
	bool has_stats;
	struct toe_conn_stats stats;
};

static int toe_nl_addr(const struct nlattr *attr, u8 *addr, u8 *len,
		       struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	*len = nla_len(attr);
	if (*len != 4 && *len != 16)
		return toe_nl_fail(extack, attr, "an address has 4 or 16 bytes", -EINVAL);
	nla_memcpy(addr, attr, 16);
	return 0;
}

static int toe_nl_filter(struct nlattr **attrs, struct toe_nl_filter *f,
			 struct netlink_ext_ack *extack)
{
	int err;

	memset(f, 0, sizeof(*f));
	f->state = -1;
	if (!attrs)
		return 0;
	if (attrs[TOE_A_CONN_CONN_ID])
		f->conn_id = nla_get_u32(attrs[TOE_A_CONN_CONN_ID]);
	if (attrs[TOE_A_CONN_IFINDEX])
		f->ifindex = nla_get_u32(attrs[TOE_A_CONN_IFINDEX]);
	if (attrs[TOE_A_CONN_STATE])
		f->state = nla_get_u32(attrs[TOE_A_CONN_STATE]);
	if (attrs[TOE_A_CONN_LOCAL_PORT])
		f->lport = nla_get_u16(attrs[TOE_A_CONN_LOCAL_PORT]);
	if (attrs[TOE_A_CONN_REMOTE_PORT])
		f->rport = nla_get_u16(attrs[TOE_A_CONN_REMOTE_PORT]);
	err = toe_nl_addr(attrs[TOE_A_CONN_LOCAL_ADDR], f->laddr, &f->laddr_len,
			  extack);
	if (!err)
		err = toe_nl_addr(attrs[TOE_A_CONN_REMOTE_ADDR], f->raddr,
				  &f->raddr_len, extack);
	if (!err && f->laddr_len && f->raddr_len && f->laddr_len != f->raddr_len)
		err = toe_nl_fail(extack, attrs[TOE_A_CONN_REMOTE_ADDR],
				  "the addresses are of different families", -EINVAL);
	return err;
}

/* Of a connection that has met no card yet, where its route goes. */
static int toe_nl_route_index(struct sock *sk)
{
	struct toe_dev *dev = toe_policy_device(sk);
	int ifindex = 0;

	if (!dev)
		return 0;
	rcu_read_lock();
	if (READ_ONCE(dev->tdev))
		ifindex = dev->netdev->ifindex;
	rcu_read_unlock();
	toe_dev_put(dev);
	return ifindex;
}

/* @dev: the card that it is about, if that is known. */
static void toe_nl_look(struct toe_sonode *sn, const struct toe_dev *dev,
			struct toe_nl_conn *c)
{
	memset(c, 0, sizeof(*c));
	rcu_read_lock();
	spin_lock_bh(&sn->lock);
	c->state = sn->state;
	if (sn->state == TOE_OFFLOADED || sn->state == TOE_RECALLING)
		c->tid = sn->hw.tid;
	if (sn->state == TOE_OFFLOADED) {
		sn->hw.tdev->ops->conn_stats(&sn->hw, &c->stats);
		c->has_stats = true;
	}
	if (!dev)
		dev = sn->dev;
	/* The netdev outlives a grace period after this pointer. */
	if (dev && READ_ONCE(dev->tdev))
		c->ifindex = dev->netdev->ifindex;
	spin_unlock_bh(&sn->lock);
	rcu_read_unlock();
	if (!c->ifindex)
		c->ifindex = toe_nl_route_index(sn->connt);
}

static bool toe_nl_match(struct toe_sonode *sn, const struct toe_nl_conn *c,
			 const struct toe_nl_filter *f)
{
	struct toe_flow flow;

	toe_flow_of(sn->connt, &flow);
	if (f->laddr_len && (f->laddr_len != (flow.family == 4 ? 4 : 16) ||
			     memcmp(f->laddr, flow.laddr, f->laddr_len)))
		return false;
	if (f->raddr_len && (f->raddr_len != (flow.family == 4 ? 4 : 16) ||
			     memcmp(f->raddr, flow.raddr, f->raddr_len)))
		return false;
	return (!f->lport || f->lport == ntohs(flow.lport)) &&
	       (!f->rport || f->rport == ntohs(flow.rport)) &&
	       (!f->ifindex || f->ifindex == c->ifindex) &&
	       (f->state < 0 || f->state == c->state) &&
	       (!f->conn_id || f->conn_id == sn->conn_id);
}

static int toe_nl_put_stats(struct sk_buff *skb, const struct toe_conn_stats *st)
{
	struct nlattr *nest = nla_nest_start(skb, TOE_A_CONN_STATS);

#define PUT64(attr, field)						\
	(nla_put_u64_64bit(skb, TOE_A_STATS_##attr, le64_to_cpu(st->field), \
			   TOE_A_STATS_PAD))
#define PUT32(attr, field)						\
	(nla_put_u32(skb, TOE_A_STATS_##attr, le32_to_cpu(st->field)))
	if (!nest || PUT64(SEGS_IN, segs_in) || PUT64(SEGS_OUT, segs_out) ||
	    PUT64(DATA_SEGS_IN, data_segs_in) ||
	    PUT64(DATA_SEGS_OUT, data_segs_out) || PUT64(BYTES_IN, bytes_in) ||
	    PUT64(BYTES_OUT, bytes_out) || PUT64(BYTES_RETRANS, bytes_retrans) ||
	    PUT64(BYTES_ACKED, bytes_acked) || PUT32(RETRANS_SEGS, retrans_segs) ||
	    PUT32(RTO_COUNT, rto_count) || PUT32(FAST_RETRANS, fast_retrans) ||
	    PUT32(OOO_SEGS, ooo_segs) || PUT32(DUP_SEGS, dup_segs) ||
	    PUT32(PAWS_DROPS, paws_drops) ||
	    PUT32(CHALLENGE_ACKS, challenge_acks) ||
	    PUT32(PROBES_OUT, probes_out) || PUT32(SRTT_US, srtt_us) ||
	    PUT32(RTTVAR_US, rttvar_us) || PUT32(MIN_RTT_US, min_rtt_us) ||
	    PUT32(RTO_US, rto_us) || PUT32(SND_CWND, snd_cwnd) ||
	    PUT32(SND_SSTHRESH, snd_ssthresh) || PUT32(SND_WND, snd_wnd) ||
	    PUT32(RCV_WND, rcv_wnd) || PUT32(LOST_OUT, lost_out) ||
	    PUT32(RETRANS_OUT, retrans_out) || PUT32(CA_STATE, ca_state) ||
	    PUT32(BACKOFF, backoff))
		return -EMSGSIZE;
#undef PUT32
#undef PUT64
	nla_nest_end(skb, nest);
	return 0;
}

static int toe_nl_put_flow(struct sk_buff *skb, const struct sock *sk)
{
	struct toe_flow flow;
	int len;

	toe_flow_of(sk, &flow);
	len = flow.family == 4 ? 4 : 16;
	if (nla_put(skb, TOE_A_CONN_LOCAL_ADDR, len, flow.laddr) ||
	    nla_put(skb, TOE_A_CONN_REMOTE_ADDR, len, flow.raddr) ||
	    nla_put_u16(skb, TOE_A_CONN_LOCAL_PORT, ntohs(flow.lport)) ||
	    nla_put_u16(skb, TOE_A_CONN_REMOTE_PORT, ntohs(flow.rport)))
		return -EMSGSIZE;
	return 0;
}

static int toe_nl_put_owner(struct sk_buff *skb, struct sock *sk,
			    const struct toe_nl_msg *m)
{
	if (nla_put_u32(skb, TOE_A_CONN_UID, from_kuid_munged(m->ns, sk->sk_uid)) ||
	    nla_put_u64_64bit(skb, TOE_A_CONN_INODE, sock_i_ino(sk),
			      TOE_A_CONN_PAD))
		return -EMSGSIZE;
#ifdef CONFIG_SOCK_CGROUP_DATA
	if (nla_put_u64_64bit(skb, TOE_A_CONN_CGROUP,
			      cgroup_id(sock_cgroup_ptr(&sk->sk_cgrp_data)),
			      TOE_A_CONN_PAD))
		return -EMSGSIZE;
#endif
	if (m->mark && nla_put_u32(skb, TOE_A_CONN_MARK, READ_ONCE(sk->sk_mark)))
		return -EMSGSIZE;
	return 0;
}

static int toe_nl_put_history(struct sk_buff *skb, const struct toe_sonode *sn)
{
	u8 refused = READ_ONCE(sn->refused);
	u16 recalls = READ_ONCE(sn->recalls);
	unsigned long age = jiffies - READ_ONCE(sn->since);

	if (refused && nla_put_u32(skb, TOE_A_CONN_REFUSED, toe_nl_refusal(refused)))
		return -EMSGSIZE;
	if (recalls && nla_put_u32(skb, TOE_A_CONN_RECALLED,
				   toe_nl_recall(READ_ONCE(sn->reason))))
		return -EMSGSIZE;
	if (sn->flagged && nla_put_flag(skb, TOE_A_CONN_FLAGGED))
		return -EMSGSIZE;
	if (nla_put_u32(skb, TOE_A_CONN_TRIES, READ_ONCE(sn->tries)) ||
	    nla_put_u32(skb, TOE_A_CONN_RECALLS, recalls))
		return -EMSGSIZE;
	/* One that isn't in the table has no age. */
	return sn->conn_id ? nla_put_u64_64bit(skb, TOE_A_CONN_AGE_MS,
					       jiffies_to_msecs(age),
					       TOE_A_CONN_PAD) : 0;
}

static int toe_nl_put_conn(struct sk_buff *skb, struct toe_sonode *sn,
			   const struct toe_nl_conn *c, const struct toe_nl_msg *m)
{
	int err;

	if ((m->event && nla_put_u32(skb, TOE_A_CONN_EVENT, m->event)) ||
	    (sn->conn_id && nla_put_u32(skb, TOE_A_CONN_CONN_ID, sn->conn_id)) ||
	    (c->ifindex && nla_put_u32(skb, TOE_A_CONN_IFINDEX, c->ifindex)) ||
	    (c->tid && nla_put_u32(skb, TOE_A_CONN_TID, c->tid)) ||
	    nla_put_u32(skb, TOE_A_CONN_STATE, c->state) ||
	    nla_put_u32(skb, TOE_A_CONN_ROLE, toe_policy_role(sn, sn->connt)))
		return -EMSGSIZE;
	err = toe_nl_put_flow(skb, sn->connt);
	if (!err)
		err = toe_nl_put_history(skb, sn);
	if (!err)
		err = toe_nl_put_owner(skb, sn->connt, m);
	if (!err && !m->event && c->has_stats)
		err = toe_nl_put_stats(skb, &c->stats);
	return err;
}

static int toe_nl_fill_conn(struct sk_buff *skb, struct toe_sonode *sn,
			    const struct toe_nl_conn *c,
			    const struct toe_nl_msg *m)
{
	void *hdr;

	hdr = genlmsg_put(skb, m->portid, m->seq, &toe_nl_family, m->flags, m->cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (toe_nl_put_conn(skb, sn, c, m)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/*
 * A connection may have two objects for a while: one that waits for its next try,
 * and another that was quicker.
 */
static bool toe_nl_outdated(struct toe_sonode *sn)
{
	const struct toe_sonode *current_sn;
	bool outdated;

	rcu_read_lock();
	current_sn = toe_sk_sonode(sn->connt);
	outdated = current_sn && current_sn != sn;
	rcu_read_unlock();
	return outdated;
}

/* What waits for its next try and is closed meanwhile isn't a connection. */
static bool toe_nl_visible(struct toe_sonode *sn, const struct net *net)
{
	if (!net_eq(sock_net(sn->connt), net) || toe_nl_outdated(sn))
		return false;
	return READ_ONCE(sn->state) != TOE_NATIVE ||
	       READ_ONCE(sn->connt->sk_state) == TCP_ESTABLISHED;
}

/* cb->args[0]: the last identifier told. */
int toe_nl_conn_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct toe_nl_msg m = {
		.ns = sk_user_ns(NETLINK_CB(cb->skb).sk),
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cmd = TOE_CMD_CONN_GET,
		.mark = netlink_net_capable(cb->skb, CAP_NET_ADMIN),
	};
	unsigned long id = cb->args[0];
	struct toe_nl_filter f;
	struct toe_nl_conn c;
	struct toe_sonode *sn;
	int err;

	err = toe_nl_filter(compat_genl_dump_attrs(cb), &f, cb->extack);
	if (err)
		return err;
	while ((sn = toe_conn_next(&id))) {
		err = 0;
		if (toe_nl_visible(sn, sock_net(skb->sk))) {
			toe_nl_look(sn, NULL, &c);
			if (toe_nl_match(sn, &c, &f))
				err = toe_nl_fill_conn(skb, sn, &c, &m);
		}
		toe_conn_put(sn);
		if (err)
			break;
		cb->args[0] = id;
		cond_resched();
	}
	return skb->len;
}

static struct sock *toe_nl_lookup(struct net *net, const struct toe_nl_filter *f,
				  int ifindex)
{
	struct sock *sk;

	if (f->laddr_len == 4)
		sk = compat_inet_lookup(net, f->laddr, f->lport, f->raddr, f->rport,
					ifindex);
	else
		sk = compat_inet6_lookup(net, f->laddr, f->lport, f->raddr,
					 f->rport, ifindex);
	if (sk && (!sk_fullsock(sk) || sk->sk_state != TCP_ESTABLISHED)) {
		sock_gen_put(sk);
		sk = NULL;
	}
	return sk;
}

/* The socket of a whole flow, with a reference.  It may be bound to a card. */
static struct sock *toe_nl_socket(struct net *net, const struct toe_nl_filter *f)
{
	struct toe_dev *dev;
	struct sock *sk;
	int ifindex = 0;

	local_bh_disable();
	sk = toe_nl_lookup(net, f, 0);
	while (!sk) {
		rcu_read_lock();
		dev = toe_dev_next(net, ifindex);
		if (dev)
			ifindex = dev->netdev->ifindex;
		rcu_read_unlock();
		if (!dev)
			break;
		sk = toe_nl_lookup(net, f, ifindex);
	}
	local_bh_enable();
	return sk;
}

/*
 * The socket that a request names, by connection identifier or by a whole flow,
 * with a reference; @sn is set to its object, with another, or NULL.
 */
static struct sock *toe_nl_named(struct genl_info *info, struct toe_sonode **sn)
{
	struct net *net = genl_info_net(info);
	struct toe_nl_filter f;
	struct sock *sk;
	int err;

	err = toe_nl_filter(info->attrs, &f, info->extack);
	if (err)
		return ERR_PTR(err);
	if (f.conn_id) {
		*sn = toe_conn_find(f.conn_id);
		if (*sn && toe_nl_visible(*sn, net)) {
			sock_hold((*sn)->connt);
			return (*sn)->connt;
		}
		if (*sn)
			toe_conn_put(*sn);
		toe_nl_fail(info->extack, info->attrs[TOE_A_CONN_CONN_ID],
			    "no connection has this identifier", -ENOENT);
		return ERR_PTR(-ENOENT);
	}
	if (!f.laddr_len || !f.raddr_len || !f.lport || !f.rport) {
		toe_nl_fail(info->extack, NULL,
			    "an identifier, or both addresses and ports are needed",
			    -EINVAL);
		return ERR_PTR(-EINVAL);
	}
	sk = toe_nl_socket(net, &f);
	if (!sk) {
		toe_nl_fail(info->extack, NULL,
			    "no established connection has these addresses and ports",
			    -ENOENT);
		return ERR_PTR(-ENOENT);
	}
	*sn = toe_conn_of(sk);
	return sk;
}

/* What policy would say now. */
static enum toe_refuse toe_nl_forecast(struct toe_sonode *sn, struct sock *sk,
				       struct toe_dev *dev)
{
	struct min_tcp st = {};
	enum toe_refuse why;

	spin_lock_bh(&sk->sk_lock.slock);
	why = toe_policy(sn, sk, dev);
	if (!why && sock_owned_by_user(sk))
		why = TOE_REFUSE_BUSY;
	if (!why)
		why = toe_policy_path(sk, dev, &st);
	spin_unlock_bh(&sk->sk_lock.slock);
	return why;
}

/* An object that is in no table, for questions. */
static struct toe_sonode *toe_nl_stranger(struct sock *sk)
{
	struct toe_sonode *sn = kzalloc_obj(*sn);

	if (!sn)
		return NULL;
	spin_lock_init(&sn->lock);
	sn->connt = sk;
	return sn;
}

static int toe_nl_reply_conn(struct genl_info *info, struct sk_buff *in,
			     struct toe_sonode *sn)
{
	struct toe_nl_msg m = {
		.ns = sk_user_ns(NETLINK_CB(in).sk),
		.portid = info->snd_portid,
		.seq = info->snd_seq,
		.cmd = TOE_CMD_CONN_GET,
		.mark = netlink_net_capable(in, CAP_NET_ADMIN),
	};
	struct toe_nl_conn c;
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	toe_nl_look(sn, NULL, &c);
	err = toe_nl_fill_conn(msg, sn, &c, &m);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

/* Why isn't it offloaded?  The filter keeps nothing of what it has refused. */
static int toe_nl_reply_stranger(struct genl_info *info, struct sk_buff *in,
				 struct sock *sk)
{
	struct toe_sonode *sn;
	struct toe_dev *dev;
	int err = -ENOMEM;

	/* Asking has the socket look for its route. */
	if (!netlink_net_capable(in, CAP_NET_ADMIN))
		return toe_nl_fail(info->extack, NULL,
				   "the connection is not known to the filter", -ENOENT);
	dev = toe_policy_device(sk);
	if (!dev)
		return toe_nl_fail(info->extack, NULL,
				   TOE_NL_NOT_BY_CARD, -ENODEV);
	sn = toe_nl_stranger(sk);
	if (sn) {
		sn->refused = toe_nl_forecast(sn, sk, dev);
		err = toe_nl_reply_conn(info, in, sn);
		kfree(sn);
	}
	toe_dev_put(dev);
	return err;
}

int toe_nl_conn_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct toe_sonode *sn;
	struct sock *sk;
	int err;

	sk = toe_nl_named(info, &sn);
	if (IS_ERR(sk))
		return PTR_ERR(sk);
	if (sn) {
		err = toe_nl_reply_conn(info, skb, sn);
		toe_conn_put(sn);
	} else {
		err = toe_nl_reply_stranger(info, skb, sk);
	}
	sock_put(sk);
	return err;
}

/* Connections that aren't in the card are left alone. */
static u32 toe_nl_recall_matching(const struct net *net,
				  const struct toe_nl_filter *f)
{
	struct toe_nl_conn c;
	struct toe_sonode *sn;
	unsigned long id = 0;
	u32 count = 0;

	while ((sn = toe_conn_next(&id))) {
		if (toe_nl_visible(sn, net)) {
			toe_nl_look(sn, NULL, &c);
			if (toe_nl_match(sn, &c, f) && c.state != TOE_NATIVE) {
				count += c.state == TOE_OFFLOADED;
				toe_recall_start(sn, TOE_RECALL_REQUEST);
			}
		}
		toe_conn_put(sn);
		cond_resched();
	}
	return count;
}

static int toe_nl_reply_count(struct genl_info *info, u32 count)
{
	struct sk_buff *msg;
	void *hdr;

	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put_reply(msg, info, &toe_nl_family, 0, TOE_CMD_CONN_RECALL);
	if (!hdr || nla_put_u32(msg, TOE_A_CONN_COUNT, count)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* Do the things exist that the filter names? */
static int toe_nl_check_filter(struct genl_info *info, const struct toe_nl_filter *f)
{
	struct net *net = genl_info_net(info);
	struct toe_sonode *sn;
	struct toe_dev *dev;
	bool found;

	if (f->conn_id) {
		sn = toe_conn_find(f->conn_id);
		found = sn && toe_nl_visible(sn, net);
		if (sn)
			toe_conn_put(sn);
		if (!found)
			return toe_nl_fail(info->extack,
					   info->attrs[TOE_A_CONN_CONN_ID],
					   "no connection has this identifier",
					   -ENOENT);
	}
	if (f->ifindex) {
		dev = toe_dev_by_index(net, f->ifindex);
		if (!dev)
			return toe_nl_fail(info->extack,
					   info->attrs[TOE_A_CONN_IFINDEX],
					   TOE_NL_NO_CARD, -ENODEV);
		toe_dev_put(dev);
	}
	return 0;
}

int toe_nl_conn_recall_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct toe_nl_filter f, none;
	bool any;
	int err;

	toe_nl_filter(NULL, &none, NULL);
	err = toe_nl_filter(info->attrs, &f, info->extack);
	if (err)
		return err;
	any = !memcmp(&f, &none, sizeof(f));
	if (any != !!info->attrs[TOE_A_CONN_ALL])
		return toe_nl_fail(info->extack, NULL, any ?
				   "say which connections, or all" :
				   "either all, or certain connections", -EINVAL);
	err = toe_nl_check_filter(info, &f);
	if (err)
		return err;
	return toe_nl_reply_count(info, toe_nl_recall_matching(genl_info_net(info),
							       &f));
}

static const char *toe_nl_refusal_text(enum toe_refuse why)
{
	static const char * const texts[] = {
#define X(sym, name, flag)[TOE_REFUSE_##sym] = "refused: " name,
		TOE_REFUSE_LIST(X)
#undef X
	};

	return texts[why];
}

/* @sn: the connection's object, or NULL if it has none. */
static int toe_nl_offload(struct genl_info *info, struct toe_sonode *sn,
			  struct sock *sk, struct toe_dev *dev)
{
	struct toe_sonode *stranger = NULL;
	enum toe_refuse why;

	if (sn && READ_ONCE(sn->state) != TOE_NATIVE)
		return toe_nl_fail(info->extack, NULL,
				   "the connection is in the card, or on its way",
				   -EALREADY);
	if (!sn) {
		stranger = toe_nl_stranger(sk);
		if (!stranger)
			return -ENOMEM;
	}
	why = toe_nl_forecast(sn ?: stranger, sk, dev);
	if (why)
		toe_dev_refused(dev, sn ?: stranger, why);
	kfree(stranger);
	if (why)
		return toe_nl_fail(info->extack, NULL, toe_nl_refusal_text(why),
				   toe_refuse_permanent(why) ? -EOPNOTSUPP :
							       -EAGAIN);
	if (!sn) {
		toe_notice_sk(sk, dev, TOE_ROLE_UNKNOWN, 0);
		return 0;
	}
	WRITE_ONCE(sn->tries, 0);
	toe_conn_schedule(sn, 0);
	return 0;
}

int toe_nl_conn_offload_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct toe_sonode *sn;
	struct toe_dev *dev;
	struct sock *sk;
	int err;

	sk = toe_nl_named(info, &sn);
	if (IS_ERR(sk))
		return PTR_ERR(sk);
	dev = toe_policy_device(sk);
	if (dev) {
		err = toe_nl_offload(info, sn, sk, dev);
		toe_dev_put(dev);
	} else {
		err = toe_nl_fail(info->extack, NULL, TOE_NL_NOT_BY_CARD, -ENODEV);
	}
	if (sn)
		toe_conn_put(sn);
	sock_put(sk);
	return err;
}

void toe_nl_event(struct toe_sonode *sn, const struct toe_dev *dev,
		  enum toe_event what)
{
	struct net *net = sock_net(sn->connt);
	struct toe_nl_msg m = {
		.ns = net->user_ns,
		.cmd = TOE_CMD_CONN_NTF,
		.event = what,
	};
	struct toe_nl_conn c;
	struct sk_buff *msg;

	rcu_read_lock();
	if (!toe_nl_listened(net))
		goto out_unlock;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_ATOMIC);
	if (!msg)
		goto out_unlock;
	toe_nl_look(sn, dev, &c);
	if (toe_nl_fill_conn(msg, sn, &c, &m))
		nlmsg_free(msg);
	else
		genlmsg_multicast_netns(&toe_nl_family, net, msg, 0,
					TOE_NLGRP_EVENTS, GFP_ATOMIC);
out_unlock:
	rcu_read_unlock();
}
