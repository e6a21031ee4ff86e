// SPDX-License-Identifier: GPL-2.0
/*
 * Hand-off of an established connection: BEGIN, capture MIN_TCP_T, COMMIT or ABORT.
 *
 * From BEGIN on the card holds the flow's frames back, so that none reaches the
 * stack after the capture.  The answer to BEGIN comes on the queue of the flow's
 * frames, behind the last one that the stack gets; so the stack has seen all of
 * them, or has them in the socket's backlog, which is flushed.
 */
#include <net/ip6_route.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "inpath.h"
#include "trace.h"

#define TOE_TRIES_MAX		8
#define TOE_DRAINS_MAX		msecs_to_jiffies(150)	/* below a peer's time-out */
#define TOE_HOLD_MAX		HZ	/* the card's patience is twice that */

/**
 * toe_flow_of() - what names the connection to the card
 * @sk: its socket
 * @flow: result
 */
void toe_flow_of(const struct sock *sk, struct toe_flow *flow)
{
	const struct inet_sock *inet = inet_sk(sk);

	memset(flow, 0, sizeof(*flow));
	flow->lport = inet->inet_sport;
	flow->rport = inet->inet_dport;
#if IS_ENABLED(CONFIG_IPV6)
	if (toe_sk_is_v6(sk)) {
		flow->family = 6;
		memcpy(flow->laddr, &sk->sk_v6_rcv_saddr, 16);
		memcpy(flow->raddr, &sk->sk_v6_daddr, 16);
		return;
	}
#endif
	flow->family = 4;
	memcpy(flow->laddr, &inet->inet_saddr, 4);
	memcpy(flow->raddr, &inet->inet_daddr, 4);
}

/*
 * Refused: count, trace, and try again later if it may pass.  Rules pass when they
 * are changed, which is noticed (watch.c): one more try, in case that was just now.
 */
static void toe_refused(struct toe_sonode *sn, struct toe_dev *dev,
			enum toe_refuse why)
{
	bool noticed = toe_refuse_by_rule(why) && !sn->flagged;
	int max = noticed ? 1 : TOE_TRIES_MAX;

	toe_dev_refused(dev, sn, why);
	if (toe_refuse_permanent(why) || sn->closing)
		return;
	if (why == TOE_REFUSE_LIMIT) {	/* the card's own word, against its number */
		toe_admit_said_full(dev);
		toe_conn_schedule(sn, 0);
		return;
	}
	if (++sn->tries > max) {
		toe_watch_blocked(dev);
		return;
	}
	toe_conn_schedule(sn, msecs_to_jiffies(20) << sn->tries);
}

/* Sequence numbers, windows, timers: struct min_tcp from the socket. */
static void toe_capture_seq(struct sock *sk, struct min_tcp *st)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tp->mss_cache;
	unsigned long left = 0;
	u8 backoff = icsk->icsk_backoff;

	st->mss = cpu_to_le16(mss);
	st->snd_una = cpu_to_le32(tp->snd_una);
	st->snd_nxt = cpu_to_le32(tp->snd_nxt);
	st->snd_max = cpu_to_le32(tp->snd_nxt);
	st->snd_wnd = cpu_to_le32(tp->snd_wnd);
	st->snd_wl1 = cpu_to_le32(tp->snd_wl1);
	st->max_window = cpu_to_le32(tp->max_window);
	st->rcv_nxt = cpu_to_le32(tp->rcv_nxt);
	st->rcv_adv = cpu_to_le32(tp->rcv_wup + tp->rcv_wnd);
	st->snd_wscale = tp->rx_opt.snd_wscale;
	st->rcv_wscale = tp->rx_opt.rcv_wscale;
	st->rcv_mss = cpu_to_le16(min_t(u32, icsk->icsk_ack.rcv_mss, U16_MAX));

	st->srtt_us = cpu_to_le32(tp->srtt_us >> 3);
	st->rttvar_us = cpu_to_le32(tp->rttvar_us >> 2);
	st->min_rtt_us = cpu_to_le32(tcp_min_rtt(tp));
	st->rto_us = cpu_to_le32(max(jiffies_to_usecs(icsk->icsk_rto) >> backoff,
				     jiffies_to_usecs(TCP_RTO_MIN)));
	st->backoff = backoff;
	if (icsk->icsk_pending == ICSK_TIME_RETRANS)
		left = max_t(long, compat_tcp_timeout(sk) - jiffies, 1);
	st->rto_left_us = cpu_to_le32(jiffies_to_usecs(left));
	st->probes = icsk->icsk_probes_out;
	st->reordering = min_t(u32, tp->reordering, U8_MAX);

	st->cong = TOE_CONG_CUBIC;
	if (!strcmp(icsk->icsk_ca_ops->name, "reno"))
		st->cong = TOE_CONG_RENO;
	st->snd_cwnd = cpu_to_le32(min_t(u64, (u64)tcp_snd_cwnd(tp) * mss, S32_MAX));
	st->snd_ssthresh = cpu_to_le32(~0U);
	if (tp->snd_ssthresh < TCP_INFINITE_SSTHRESH)
		st->snd_ssthresh = cpu_to_le32(min_t(u64, (u64)tp->snd_ssthresh * mss,
						     S32_MAX));
}

/*
 * When what is in flight was sent: for the card to find losses in it, and to probe for
 * its end.  Not if some of it was sent twice.
 */
static void toe_capture_flight(struct sock *sk, struct min_tcp *st)
{
	struct sk_buff *head = tcp_rtx_queue_head(sk), *skb;
	u64 now = tcp_sk(sk)->tcp_mstamp;
	u32 first, last;

	for (skb = head; skb; skb = skb_rb_next(skb))
		if (TCP_SKB_CB(skb)->sacked & TCPCB_EVER_RETRANS)
			return;
	if (!head)
		return;
	first = tcp_stamp_us_delta(now, tcp_skb_timestamp_us(head));
	last = tcp_stamp_us_delta(now, tcp_skb_timestamp_us(tcp_rtx_queue_tail(sk)));
	st->flight_us = cpu_to_le32(max(first, 1U));
	st->flight_last_us = cpu_to_le32(min(last, max(first, 1U)));
}

static void toe_capture_options(struct sock *sk, struct min_tcp *st)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	s64 age;

	st->flags |= TOE_MT_NODELAY;
	if (inet_csk_ack_scheduled(sk))
		st->flags |= TOE_MT_ACK_OWED;
	if (tcp_is_sack(tp))
		st->flags |= TOE_MT_SACK;
	if (compat_tcp_ecn(tp))
		st->flags |= TOE_MT_ECN;
	if (tp->rx_opt.tstamp_ok) {
		st->flags |= TOE_MT_TSTAMP;
		st->ts_val = cpu_to_le32((u32)div_u64(tp->tcp_mstamp, USEC_PER_MSEC) +
					 tp->tsoffset);
		st->ts_recent = cpu_to_le32(tp->rx_opt.ts_recent);
		age = ktime_get_seconds() - tp->rx_opt.ts_recent_stamp;
		age = clamp_t(s64, age, 0, U32_MAX / MSEC_PER_SEC);
		st->ts_recent_age_ms = cpu_to_le32(age * MSEC_PER_SEC);
	}
	if (sock_flag(sk, SOCK_KEEPOPEN)) {
		st->flags |= TOE_MT_KEEPALIVE;
		st->keep_idle_ms = cpu_to_le32(jiffies_to_msecs(keepalive_time_when(tp)));
		st->keep_intvl_ms = cpu_to_le32(jiffies_to_msecs(keepalive_intvl_when(tp)));
		st->keep_probes = cpu_to_le32(keepalive_probes(tp));
	}
	st->user_timeout_ms = cpu_to_le32(icsk->icsk_user_timeout);
	st->idle_ms = cpu_to_le32(jiffies_to_msecs(keepalive_time_elapsed(tp)));
}

/* As the stack does before it sends: mss_cache may be of an MTU that was. */
static void toe_sync_mss(struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	u32 mtu = toe_path_mtu(sk);

	if (mtu && mtu != icsk->icsk_pmtu_cookie)
		icsk->icsk_sync_mss(sk, mtu);
}

/**
 * toe_capture() - MIN_TCP_T of a socket
 * @sk: socket, its spinlock held, nobody or the caller owns it
 * @st: result; toe_policy_path() has filled in what the route decides
 */
static void toe_capture(struct sock *sk, struct min_tcp *st)
{
	struct toe_flow flow;

	toe_flow_of(sk, &flow);
	memcpy(st->laddr, flow.laddr, 16);
	memcpy(st->raddr, flow.raddr, 16);
	st->lport = flow.lport;
	st->rport = flow.rport;
	st->family = flow.family;

	toe_sk_mstamp(sk);
	toe_sync_mss(sk);
	toe_capture_seq(sk, st);
	toe_capture_flight(sk, st);
	toe_capture_options(sk, st);
}

/* The card lets go of what it holds.  sonode->lock held. */
void toe_abort_locked(struct toe_sonode *sn)
{
	lockdep_assert_held(&sn->lock);
	sn->state = TOE_ABORTING;
	toe_count(sn->dev, TOE_CNT_ABORTS, 1);
	sn->hw.tdev->ops->conn_abort(&sn->hw);
}

/* From here on the socket is swapped and the card answers for the connection. */
static void toe_committed(struct toe_sonode *sn, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	sn->posted = tp->snd_una;
	sn->sent = tp->snd_nxt;
	sn->credit = tp->rcv_wup + tp->rcv_wnd;
	sn->wnd = tp->snd_wnd;
	sn->stack_wnd = tp->rcv_wnd;
	sn->tries = 0;
	sn->refused = TOE_REFUSE_NONE;
	sn->since = jiffies;
	memset(&sn->seen, 0, sizeof(sn->seen));
	/* What is in flight is in segments of the stack's. */
	sn->seen.delivered = cpu_to_le32(-tp->packets_out);
	sn->seen_jiffies = jiffies;
	sn->seen_una = tp->snd_una;
	toe_count(sn->dev, TOE_CNT_OFFLOADS, 1);
	/* Losses are the card's to find and repair. */
	toe_scoreboard_set(sk, TCP_CA_Open, false);

	/* The card probes an idle peer. */
	if (sock_flag(sk, SOCK_KEEPOPEN))
		tcp_prot.keepalive(sk, 0);
}

/*
 * Somebody waits for the socket, with a function of the stack's that was fetched before
 * the swap: a setsockopt() that would meet a ULP that nobody has set.
 */
static bool toe_awaited(struct sock *sk)
{
	/* Sleepers put themselves there under the spinlock, which we hold. */
	return waitqueue_active(&sk->sk_lock.wq) ||
	       spin_is_contended(&sk->sk_lock.slock);
}

/* The peer's holes are filled natively first: the card isn't told where they are. */
static bool toe_recovers(const struct sock *sk)
{
	return !tcp_rtx_queue_empty(sk) &&
	       (tcp_sk(sk)->sacked_out ||
		inet_csk(sk)->icsk_ca_state >= TCP_CA_Recovery);
}

/*
 * Second phase; the card holds the flow.  Socket spinlock held, nobody or the
 * caller owns the socket and its backlog is empty.
 */
static enum toe_refuse toe_commit(struct toe_sonode *sn, struct sock *sk)
{
	struct toe_dev *dev = sn->dev;
	struct min_tcp st = {};
	enum toe_refuse why;
	int err = 0;

	why = toe_policy(sn, sk, dev);
	if (!why)
		why = toe_policy_path(sk, dev, &st);
	if (!why && toe_recovers(sk))
		why = TOE_REFUSE_OOO;
	if (!why && toe_sk_swap(sn, sk))
		why = TOE_REFUSE_PROTO;
	if (!why && (toe_awaited(sk) || toe_conn_pinned(sn))) {
		toe_sk_restore(sn, sk);
		why = TOE_REFUSE_BUSY;
	}
	if (!why)
		toe_capture(sk, &st);

	spin_lock(&sn->lock);
	if (sn->state != TOE_HELD) {
		/* aborted meanwhile */
		spin_unlock(&sn->lock);
		toe_sk_restore(sn, sk);
		return TOE_REFUSE_SUSPENDED;
	}
	if (!why) {
		err = sn->hw.tdev->ops->conn_commit(&sn->hw, &st);
		if (err) {
			toe_sk_restore(sn, sk);
			why = TOE_REFUSE_CARD;
		}
	}
	if (why) {
		toe_abort_locked(sn);
		spin_unlock(&sn->lock);
		return why;
	}
	toe_admit_committed(sn);
	atomic_inc(&dev->offloaded);	/* a recall may come right after */
	sn->state = TOE_OFFLOADED;
	spin_unlock(&sn->lock);

	toe_conn_attach(sn, sk);
	toe_path_keep(sn, sk, &st);
	toe_committed(sn, sk);
	toe_egress_post(sn, sk);
	toe_ingress_credit(sn, sk, false);
	toe_egress_window(sn, sk, tcp_sk(sk)->snd_wnd);
	toe_sk_quiet(sk);
	toe_sk_push(sk);
	toe_sk_quiet(sk);
	trace_toe_commit(sn);
	toe_nl_event(sn, dev, TOE_EVENT_OFFLOAD);
	return TOE_REFUSE_NONE;
}

/*
 * A thread owns the socket, which may sleep in the call for as long as it likes: it isn't
 * waited for but looked for, until the frames have been held for long enough.
 */
static void toe_handoff_owned(struct toe_sonode *sn)
{
	bool aborted;

	toe_conn_schedule(sn, 1);
	if (time_before(jiffies, sn->since + TOE_HOLD_MAX))
		return;
	spin_lock_bh(&sn->lock);
	aborted = sn->state == TOE_HELD;
	if (aborted)
		toe_abort_locked(sn);
	spin_unlock_bh(&sn->lock);
	if (aborted) {
		trace_toe_abort(sn, TOE_REFUSE_BUSY);
		toe_dev_refused(sn->dev, sn, TOE_REFUSE_BUSY);
	}
}

/* With the spinlock alone: who owns the socket has its backlog, so that is empty. */
static void toe_handoff_commit(struct toe_sonode *sn)
{
	struct sock *sk = sn->connt;
	enum toe_refuse why;

	spin_lock_bh(&sk->sk_lock.slock);
	if (sock_owned_by_user(sk)) {
		spin_unlock_bh(&sk->sk_lock.slock);
		toe_handoff_owned(sn);
		return;
	}
	why = toe_commit(sn, sk);
	spin_unlock_bh(&sk->sk_lock.slock);
	if (why) {
		trace_toe_abort(sn, why);
		toe_refused(sn, sn->dev, why);
	}
}

static void toe_set_dev(struct toe_sonode *sn, struct toe_dev *dev)
{
	if (sn->dev)
		toe_dev_put(sn->dev);
	sn->dev = dev;
	sn->hw.tdev = dev->tdev;
	sn->hw.tid = 0;
}

/* It may not be offered yet: count that once (a thread's were, when it was given up), and
 * look again later.
 */
static void toe_handoff_later(struct toe_sonode *sn, enum toe_wait what,
			      enum toe_refuse why)
{
	if (sn->wait != what && why != TOE_REFUSE_BUSY)
		toe_dev_refused(sn->dev, sn, why);
	toe_admit_wait(sn, what);
}

/* First phase.  Takes over the reference on @dev. */
static void toe_handoff_begin(struct toe_sonode *sn, struct toe_dev *dev,
			      bool offered)
{
	struct sock *sk = sn->connt;
	enum toe_refuse why;
	struct toe_flow flow;
	int err;

	why = toe_policy(sn, sk, dev);
	if (!why)
		why = toe_policy_forecast(sk, dev);
	/* A thread has kept the socket for as long as a hold may last: wait for it. */
	if (!why && sn->refused == TOE_REFUSE_BUSY && sock_owned_by_user_nocheck(sk))
		why = TOE_REFUSE_BUSY;
	if (why && why != TOE_REFUSE_STALLED && why != TOE_REFUSE_BUSY) {
		toe_admit_wait_end(sn);
		toe_refused(sn, dev, why);
		toe_dev_put(dev);
		return;
	}
	toe_flow_of(sk, &flow);

	spin_lock_bh(&sn->lock);
	toe_set_dev(sn, dev);
	if (why) {
		spin_unlock_bh(&sn->lock);
		toe_handoff_later(sn, TOE_WAIT_MOVE, why);
		return;
	}
	if (toe_admit_small(sn, dev)) {
		spin_unlock_bh(&sn->lock);
		toe_handoff_later(sn, TOE_WAIT_BYTES, TOE_REFUSE_SMALL);
		return;
	}
	if (!toe_dev_add_conn(dev, sn, offered)) {
		spin_unlock_bh(&sn->lock);
		toe_handoff_later(sn, TOE_WAIT_ROOM, TOE_REFUSE_LIMIT);
		return;
	}
	sn->abort = false;
	sn->state = TOE_BEGIN;
	/* Looked at again now that toe_dev_recall_all() would find it. */
	err = -EAGAIN;
	if (toe_dev_usable(dev))
		err = dev->tdev->ops->conn_begin(dev->tdev, &sn->hw, &flow);
	if (err)
		sn->state = TOE_NATIVE;
	spin_unlock_bh(&sn->lock);
	toe_admit_wait_end(sn);

	if (err) {
		toe_refused(sn, dev, err == -ENOSPC ? TOE_REFUSE_LIMIT :
				     TOE_REFUSE_CARD);
		toe_dev_del_conn(sn);
		return;
	}
	toe_stats_arm();
	toe_count(dev, TOE_CNT_BEGINS, 1);
	trace_toe_begin(sn);
}

/*
 * setsockopt(IP_TOS) and changes of routes drop the socket's route; the stack
 * looks for a new one when it sends next, which may be long.  Who owns the socket is
 * about to send, or isn't waited for.
 */
static void toe_reroute(struct sock *sk)
{
	spin_lock_bh(&sk->sk_lock.slock);
	if (!sock_owned_by_user(sk) && sk->sk_state == TCP_ESTABLISHED)
		inet_csk(sk)->icsk_af_ops->rebuild_header(sk);
	spin_unlock_bh(&sk->sk_lock.slock);
}

/*
 * What the stack has sent should be on the wire before what the card sends.  The
 * card holds the acknowledgments back, so it runs dry; but it isn't waited for
 * longer than a peer would notice.
 */
static bool toe_undrained(struct toe_sonode *sn, struct sock *sk)
{
	if (sk_wmem_alloc_get(sk) <= 0 || sn->drains == TOE_DRAINS_MAX)
		return false;
	sn->drains++;
	toe_conn_schedule(sn, 1);
	return true;
}

/* No route, as after a link was down: it may come back. */
static void toe_routeless(struct toe_sonode *sn, struct sock *sk)
{
	if (rcu_access_pointer(sk->sk_dst_cache))
		return;		/* leaves by something that isn't a card */
	if (sn->dev)
		toe_refused(sn, sn->dev, TOE_REFUSE_ROUTE);
	else if (++sn->tries <= TOE_TRIES_MAX)
		toe_conn_schedule(sn, msecs_to_jiffies(20) << sn->tries);
}

/*
 * The tracepoint tells before the state is stored.  Who was told by another handshake's
 * end, on another processor, may come in between.
 */
static bool toe_early(struct toe_sonode *sn, const struct sock *sk)
{
	if (!((1 << READ_ONCE(sk->sk_state)) & (TCPF_SYN_SENT | TCPF_SYN_RECV)))
		return false;
	toe_conn_schedule(sn, 1);
	return true;
}

/**
 * toe_handoff_work() - the next step of a hand-off
 * @work: of the connection; owns a reference
 *
 * Context: process.
 */
void toe_handoff_work(struct work_struct *work)
{
	struct toe_sonode *sn = container_of(to_delayed_work(work),
					     struct toe_sonode, work);
	bool offered = toe_admit_claim(sn);
	struct sock *sk = sn->connt;
	struct toe_dev *dev;

	toe_notice_taken(sn);
	switch (READ_ONCE(sn->state)) {
	case TOE_NATIVE:
		if (sn->closing || toe_early(sn, sk) ||
		    sk->sk_state != TCP_ESTABLISHED || READ_ONCE(sn->swapped) ||
		    toe_conn_pinned(sn) || toe_admit_unaccepted(sn, sk) ||
		    toe_admit_waits(sn, offered))
			break;
		if (toe_dev_lists(sn)) {
			toe_conn_schedule(sn, 1);
			break;
		}
		toe_reroute(sk);
		dev = toe_policy_device(sk);
		if (dev)
			toe_handoff_begin(sn, dev, offered);
		else
			toe_routeless(sn, sk);
		break;
	case TOE_HELD:
		if (toe_undrained(sn, sk))
			break;
		toe_handoff_commit(sn);
		break;
	case TOE_ABORTING:
		toe_conn_schedule(sn, 1);	/* a new try, once the card has let go */
		break;
	default:
		break;
	}
	if (offered && READ_ONCE(sn->state) == TOE_NATIVE)
		toe_admit_pass_on(sn->dev);
	toe_conn_put(sn);
}

void toe_begin_done(struct toe_hw_conn *hc, int err)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);
	bool held = false;

	spin_lock_bh(&sn->lock);
	if (err) {
		sn->state = TOE_NATIVE;
	} else if (sn->abort) {
		sn->state = TOE_HELD;
		toe_abort_locked(sn);
	} else {
		sn->state = TOE_HELD;
		sn->drains = 0;
		sn->since = jiffies;
		held = true;
	}
	spin_unlock_bh(&sn->lock);

	if (held)
		toe_conn_schedule(sn, 0);
	if (err) {
		toe_refused(sn, sn->dev, err == -ENOSPC ? TOE_REFUSE_LIMIT :
					 TOE_REFUSE_CARD);
		toe_dev_del_conn(sn);
	}
}
EXPORT_SYMBOL_GPL(toe_begin_done);

void toe_abort_done(struct toe_hw_conn *hc)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);
	bool again;

	spin_lock_bh(&sn->lock);
	sn->state = TOE_NATIVE;
	again = sn->again && !sn->closing;
	sn->again = false;
	spin_unlock_bh(&sn->lock);
	if (again && READ_ONCE(sn->dev->reoffload_ms))
		toe_conn_schedule(sn, msecs_to_jiffies(sn->dev->reoffload_ms));
	toe_dev_del_conn(sn);
}
EXPORT_SYMBOL_GPL(toe_abort_done);
