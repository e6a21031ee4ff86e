// SPDX-License-Identifier: GPL-2.0
/*
 * MIN_TCP_T back into the kernel's socket.
 */
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "trace.h"

#define TOE_SOCKOPT_MS		20
#define TOE_RECALL_WAIT_S	30	/* a driver gives a card up long before */

/* Is a connection that was called back for this worth another try? */
static bool toe_recall_tried_again(enum toe_recall why)
{
	static const bool again[] = {
#define X(sym, name, again)[TOE_RECALL_##sym] = again,
		TOE_RECALL_LIST(X)
#undef X
	};

	return again[why];
}

/**
 * toe_recall_start() - ask the card to give the connection back
 * @sn: connection
 * @why: the reason that is counted and traced when it is back
 *
 * Does nothing unless the connection is offloaded, or makes a hand-off that is
 * under way end in an abort.
 *
 * Context: any, BH on or off.
 */
void toe_recall_start(struct toe_sonode *sn, enum toe_recall why)
{
	spin_lock_bh(&sn->lock);
	switch (sn->state) {
	case TOE_OFFLOADED:
		sn->state = TOE_RECALLING;
		sn->reason = why;
		atomic_dec(&sn->dev->offloaded);
		sn->hw.tdev->ops->conn_recall(&sn->hw);
		break;
	case TOE_BEGIN:
		sn->abort = true;
		sn->again = toe_recall_tried_again(why);
		break;
	case TOE_HELD:
		sn->again = toe_recall_tried_again(why);
		toe_abort_locked(sn);
		break;
	default:
		break;
	}
	spin_unlock_bh(&sn->lock);
}

/**
 * toe_recall_sync() - have the connection back before going on
 * @sk: socket
 * @why: reason
 *
 * Context: process, socket owned by the caller; may sleep, bounded by the
 * driver's deadline for a command.
 */
void toe_recall_sync(struct sock *sk, enum toe_recall why)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);

	if (!sn)
		return;

	toe_conn_get(sn);
	toe_recall_start(sn, why);
	if (READ_ONCE(sn->swapped)) {
		if (!wait_event_timeout(sn->wq, READ_ONCE(sn->ev_recalled),
					TOE_RECALL_WAIT_S * HZ))
			pr_err("recall of connection %u is unanswered\n",
			       sn->conn_id);
		spin_lock_bh(&sk->sk_lock.slock);
		if (sn->swapped) {
			if (!sn->ev_recalled) {
				sn->final_valid = false;
				sn->ev_recalled = true;
			}
			toe_ingress_drain(sn, sk);
		}
		spin_unlock_bh(&sk->sk_lock.slock);
	}
	toe_conn_put(sn);
}

/*
 * tcp_fragment() is not exported.  Cut @skb of the retransmit queue at @seq; the
 * rest goes to the head of the write queue.  If that can't be done @skb stays
 * whole, and its unsent rest counts as lost.
 */
static bool toe_split(struct sock *sk, struct sk_buff *skb, u32 seq)
{
	u32 len = seq - TCP_SKB_CB(skb)->seq;
	struct tcp_skb_cb *cb, *rest_cb;
	struct sk_buff *rest;
	int old = skb->truesize;

	if (skb_zcopy(skb) || skb_cloned(skb) || len >= skb->len)
		return false;
	rest = alloc_skb_fclone(MAX_TCP_HEADER + skb_headlen(skb), GFP_ATOMIC);
	if (!rest)
		return false;
	skb_reserve(rest, MAX_TCP_HEADER);
	INIT_LIST_HEAD(&rest->tcp_tsorted_anchor);
	rest->ip_summed = CHECKSUM_PARTIAL;

	cb = TCP_SKB_CB(skb);
	rest_cb = TCP_SKB_CB(rest);
	*rest_cb = *cb;
	rest_cb->seq = seq;
	rest_cb->sacked = 0;
	cb->end_seq = seq;
	cb->tcp_flags &= ~(TCPHDR_PSH | TCPHDR_FIN);

	skb_split(skb, rest, len);
	tcp_skb_pcount_set(rest, 0);
	rest->truesize = SKB_TRUESIZE(skb_end_offset(rest)) + rest->data_len;
	skb->truesize = max_t(int, old - (int)rest->data_len,
			      SKB_TRUESIZE(skb_end_offset(skb)) + skb->data_len);
	sk_wmem_queued_add(sk, (int)(skb->truesize + rest->truesize) - old);
	sk_mem_charge(sk, (int)(skb->truesize + rest->truesize) - old);
	__skb_queue_head(&sk->sk_write_queue, rest);
	return true;
}

static void toe_set_pcount(struct tcp_sock *tp, struct sk_buff *skb, u32 len)
{
	int segs = 1;

	if (tcp_skb_mss(skb))
		segs = DIV_ROUND_UP(len, tcp_skb_mss(skb));
	tp->packets_out += segs - tcp_skb_pcount(skb);
	tcp_skb_pcount_set(skb, segs);
}

/*
 * What the card never sent goes back to the write queue, as the kernel's output
 * wants it; returns false if a part of an skb couldn't be cut off.
 */
static bool toe_unsend(struct sock *sk, u32 snd_max)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	bool whole = true;

	while ((skb = tcp_rtx_queue_tail(sk)) &&
	       !before(TCP_SKB_CB(skb)->seq, snd_max)) {
		list_del(&skb->tcp_tsorted_anchor);
		tcp_rtx_queue_unlink(skb, sk);	/* clears the anchor */
		INIT_LIST_HEAD(&skb->tcp_tsorted_anchor);
		tp->packets_out -= tcp_skb_pcount(skb);
		tcp_skb_pcount_set(skb, 0);
		TCP_SKB_CB(skb)->sacked = 0;
		__skb_queue_head(&sk->sk_write_queue, skb);
	}
	if (skb && after(TCP_SKB_CB(skb)->end_seq, snd_max)) {
		whole = toe_split(sk, skb, snd_max);
		if (whole)
			toe_set_pcount(tp, skb, skb->len);
	}
	tp->snd_nxt = skb ? TCP_SKB_CB(skb)->end_seq : tp->snd_una;
	if (after(tp->snd_sml, tp->snd_nxt))
		tp->snd_sml = tp->snd_nxt;
	return whole;
}

/*
 * What is in flight was sent in the card's segments, some of which may be SACKed,
 * and will be delivered in the stack's.
 */
static void toe_import_delivered(struct toe_sonode *sn, struct sock *sk)
{
	const struct toe_conn_stats *st = &sn->seen;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 flight = (u32)le64_to_cpu(st->data_segs_out) -
		     le32_to_cpu(st->retrans_segs) - le32_to_cpu(st->delivered);
	s32 more = flight - tp->packets_out;

	tp->delivered += more;
	NET_ADD_STATS(sock_net(sk), LINUX_MIB_TCPDELIVERED, more);
}

/**
 * toe_scoreboard_set() - what the kernel's stack thinks of what is in flight
 * @sk: socket
 * @ca_state: of its congestion control, TCP_CA_Open if nothing is in flight
 * @lost: all of it is lost; else nothing is known of it
 *
 * At the hand-off as well: while the card has the connection the stack's queue is only
 * shortened at its head, and marks that were left in it would be counted for ever.
 *
 * Context: socket spinlock held.
 */
void toe_scoreboard_set(struct sock *sk, u8 ca_state, bool lost)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_rtx_queue_head(sk);

	tp->sacked_out = 0;
	tp->retrans_out = 0;
	tp->lost_out = 0;
	for (; skb; skb = skb_rb_next(skb)) {
		TCP_SKB_CB(skb)->sacked &= TCPCB_EVER_RETRANS;
		if (lost) {
			TCP_SKB_CB(skb)->sacked |= TCPCB_LOST;
			tp->lost_out += tcp_skb_pcount(skb);
		}
	}
	tp->retransmit_skb_hint = NULL;
	compat_tcp_forget_lost_hint(tp, NULL);
	tp->undo_marker = 0;
	tp->undo_retrans = -1;
	tp->tlp_high_seq = 0;
	tp->tlp_retrans = 0;
	tp->high_seq = tp->snd_nxt;
	tcp_highest_sack_reset(sk);

	if (!tp->packets_out)
		ca_state = TCP_CA_Open;
	if (icsk->icsk_ca_ops->set_state)
		icsk->icsk_ca_ops->set_state(sk, ca_state);
	icsk->icsk_ca_state = ca_state;
}

/*
 * What the card gives back because nothing comes back is the retransmission timer's,
 * which fires at once, whether anything counts as lost or not: the transmission that
 * follows a recall would set it for the next round.
 */
static void toe_import_scoreboard(struct toe_sonode *sn, struct sock *sk, bool lost)
{
	toe_scoreboard_set(sk, lost ? TCP_CA_Loss : TCP_CA_Open,
			   lost && sn->reason != TOE_RECALL_TIMEOUT);
}

/*
 * tcp_trim_head() on the retransmission path leaves the count of a partially
 * acknowledged skb as it is.
 */
static void toe_import_head(struct sock *sk)
{
	struct sk_buff *skb = tcp_rtx_queue_head(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (skb && before(TCP_SKB_CB(skb)->seq, tp->snd_una))
		toe_set_pcount(tp, skb, TCP_SKB_CB(skb)->end_seq - tp->snd_una);
}

/* RTT, congestion, windows, timestamps: the fields of MIN_TCP_T. */
static void toe_import_state(struct sock *sk, const struct min_tcp *st)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = max_t(u32, tp->mss_cache, 1);
	u32 rto_us = le32_to_cpu(st->rto_us);
	u8 backoff = min_t(u8, st->backoff, 15);

	if (st->srtt_us) {
		tp->srtt_us = le32_to_cpu(st->srtt_us) << 3;
		tp->mdev_us = max_t(u32, le32_to_cpu(st->rttvar_us) << 2, 1);
		/* The stack's estimator keeps the variation, and with it the
		 * RTO, above the minimum.
		 */
		tp->rttvar_us = max_t(u32, tp->mdev_us,
				      jiffies_to_usecs(icsk->icsk_rto_min));
		tp->mdev_max_us = tp->rttvar_us;
		tp->rtt_seq = tp->snd_nxt;
	}
	icsk->icsk_rto = clamp_t(u32, usecs_to_jiffies(rto_us), TCP_RTO_MIN,
				 TCP_RTO_MAX);
	icsk->icsk_rto = min_t(u64, (u64)icsk->icsk_rto << backoff, TCP_RTO_MAX);
	icsk->icsk_backoff = backoff;
	icsk->icsk_retransmits = backoff;

	tcp_snd_cwnd_set(tp, max_t(u32, le32_to_cpu(st->snd_cwnd) / mss, 2));
	tp->snd_cwnd_cnt = 0;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	if (st->snd_ssthresh != cpu_to_le32(~0U))
		tp->snd_ssthresh = max_t(u32, le32_to_cpu(st->snd_ssthresh) / mss, 2);

	tp->snd_wnd = le32_to_cpu(st->snd_wnd);
	tp->max_window = max(tp->max_window, le32_to_cpu(st->max_window));
	tp->snd_wl1 = le32_to_cpu(st->snd_wl1);

	tp->rcv_tstamp = tcp_jiffies32 - msecs_to_jiffies(le32_to_cpu(st->idle_ms));
	if (tp->rx_opt.tstamp_ok) {
		tp->rx_opt.ts_recent = le32_to_cpu(st->ts_recent);
		tp->rx_opt.ts_recent_stamp = ktime_get_seconds() -
			le32_to_cpu(st->ts_recent_age_ms) / MSEC_PER_SEC;
		/* The next TSval is at least the card's last. */
		tp->tsoffset = le32_to_cpu(st->ts_val) + 1 -
			       (u32)div_u64(tp->tcp_mstamp, USEC_PER_MSEC);
	}
}

/* Without a word from the card: as careful as after a loss of everything. */
static void toe_import_unknown(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_snd_cwnd_set(tp, TCP_INIT_CWND);
	tp->snd_cwnd_cnt = 0;
	tp->snd_wnd = max_t(u32, sn->wnd, tp->mss_cache);
	tp->snd_wl1 = tp->rcv_nxt - 1;	/* the next segment's window counts */
	icsk->icsk_backoff = 0;
	icsk->icsk_retransmits = 0;
	/* The card's clock went on where the host's was at COMMIT; some margin
	 * for the two not running alike.
	 */
	tp->tsoffset += MSEC_PER_SEC / 10;
}

/* keepalive_time_when() wants to be lied to: only this road is exported. */
static void toe_restart_keepalive(struct sock *sk, unsigned long delay)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 keep = tp->keepalive_time;

	if (!sock_flag(sk, SOCK_KEEPOPEN))
		return;
	sock_reset_flag(sk, SOCK_KEEPOPEN);
	tp->keepalive_time = max_t(unsigned long, delay, 1);
	tcp_prot.keepalive(sk, 1);
	tp->keepalive_time = keep;
	sock_set_flag(sk, SOCK_KEEPOPEN);
}

/*
 * How long it is since something was sent again, by the rounds of the card's timer: with
 * it TCP_USER_TIMEOUT and the number of retries go on counting where the card stood.  The
 * stack counts from the end of the first round.  It, not the card, gives a connection up.
 */
static void toe_import_stall(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u64 us = 0, left = le32_to_cpu(sn->final.rto_left_us);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 stalled;
	int i;

	if (!sn->final_valid)
		return;
	for (i = 1; i < icsk->icsk_backoff; i++)
		us += min_t(u64, (u64)le32_to_cpu(sn->final.rto_us) << i,
			    jiffies_to_usecs(TCP_RTO_MAX));
	us += icsk->icsk_backoff ? jiffies_to_usecs(icsk->icsk_rto) : 0;
	stalled = div_u64(us > left ? us - left : 0, USEC_PER_MSEC);
	if (!stalled)
		return;
	/* Zero means «not set» for both. */
	if (tp->packets_out)
		tp->retrans_stamp = (div_u64(tp->tcp_mstamp, USEC_PER_MSEC) - stalled) ?: 1;
	else
		icsk->icsk_probes_tstamp = (tcp_jiffies32 - msecs_to_jiffies(stalled)) ?: 1;
}

/* The kernel's timers take over where the card's stood. */
static void toe_import_timers(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct min_tcp *st = &sn->final;
	struct tcp_sock *tp = tcp_sk(sk);
	unsigned long left = icsk->icsk_rto;
	u32 idle = tcp_jiffies32 - tp->rcv_tstamp;
	u32 keep = keepalive_time_when(tp);

	if (sn->final_valid && st->rto_left_us)
		left = usecs_to_jiffies(le32_to_cpu(st->rto_left_us));
	left = clamp_t(unsigned long, left, 1, TCP_RTO_MAX);
	if (sn->reason == TOE_RECALL_TIMEOUT)
		left = 1;
	toe_import_stall(sn, sk);

	if (tp->packets_out)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, left,
					  TCP_RTO_MAX);
	else if (tcp_send_head(sk))
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, left,
					  TCP_RTO_MAX);
	else
		inet_csk_clear_xmit_timer(sk, ICSK_TIME_RETRANS);

	/* Without a word from the card: one too many does no harm. */
	if (!sn->final_valid || st->flags & TOE_MT_ACK_OWED) {
		inet_csk_schedule_ack(sk);
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_DACK, TCP_DELACK_MIN,
					  TCP_RTO_MAX);
	}

	if (sn->final_valid && sn->reason == TOE_RECALL_TIMEOUT)
		icsk->icsk_probes_out = st->probes;
	toe_restart_keepalive(sk, keep > idle ? keep - idle : 1);
}

/* May this connection be tried again, and when? */
static void toe_recall_again(struct toe_sonode *sn, struct sock *sk,
			     const struct toe_dev *dev)
{
	unsigned int ms = READ_ONCE(dev->reoffload_ms);

	/* The option is set in a moment. */
	if (sn->reason == TOE_RECALL_SOCKOPT)
		ms = min_t(unsigned int, ms, TOE_SOCKOPT_MS);

	if (!sn->flagged)
		toe_conn_detach(sn, sk);
	if (toe_recall_tried_again(sn->reason) && ms && !sn->closing &&
	    sk->sk_state == TCP_ESTABLISHED)
		toe_conn_schedule(sn, msecs_to_jiffies(ms));
}

/**
 * toe_recall_finish() - the socket is the kernel's again
 * @sn: connection; its drained events include the recall
 * @sk: its socket
 *
 * From the card's last word, or from what the host knows if there is none.  The
 * order is the one that facts about the kernel's output code dictate: tables,
 * sequence numbers, scoreboard, state, timers; the transmission is the caller's
 * toe_sk_push() or release_sock().
 *
 * Context: socket spinlock held, BH off; nobody or the caller owns the socket.
 */
void toe_recall_finish(struct toe_sonode *sn, struct sock *sk)
{
	const struct min_tcp *st = sn->final_valid ? &sn->final : NULL;
	struct toe_dev *dev = sn->dev;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 snd_max = toe_sent_end(sn);
	bool lost = !st;

	lockdep_assert_held(&sk->sk_lock.slock);

	toe_conn_get(sn);
	/* Once it is native, the next hand-off may be to another card. */
	kref_get(&dev->ref);
	sn->ev_recalled = false;
	if (sn->final_stats_valid)
		toe_stats_fold(sn, sk, &sn->final_stats);
	sn->final_stats_valid = false;
	if (st) {
		u32 max = le32_to_cpu(st->snd_max);

		if (!toe_egress_acked(sn, sk, le32_to_cpu(st->snd_una),
				      le32_to_cpu(st->snd_wnd)))
			toe_count(dev, TOE_CNT_BAD_EVENTS, 1);
		/* Between what is acknowledged and what it can have sent. */
		if (!before(max, tp->snd_una) && !after(max, snd_max))
			snd_max = max;
		lost = le32_to_cpu(sn->seen.ca_state) >= TOE_CA_RECOVERY ||
		       st->backoff;
	}
	toe_sk_mstamp(sk);
	toe_sk_restore(sn, sk);
	spin_lock(&sn->lock);
	sn->state = TOE_NATIVE;
	sn->need_post = false;
	spin_unlock(&sn->lock);

	if (sk->sk_state != TCP_CLOSE) {
		lost |= !toe_unsend(sk, snd_max);
		if (st)
			toe_import_state(sk, st);
		else
			toe_import_unknown(sn, sk);
		toe_import_head(sk);
		toe_import_scoreboard(sn, sk, lost);
		toe_import_delivered(sn, sk);
		tp->pred_flags = 0;
		toe_import_timers(sn, sk);
		if (!test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags))
			sock_hold(sk);
	}
	toe_count(dev, TOE_CNT_RECALLS, 1);
	toe_count(dev, TOE_CNT_RECALL + sn->reason, 1);
	trace_toe_recall(sn, sn->reason);
	sn->recalls++;
	sn->since = jiffies;
	toe_nl_event(sn, dev, TOE_EVENT_RECALL);
	toe_recall_again(sn, sk, dev);
	wake_up(&sn->wq);
	toe_dev_put(dev);
	toe_conn_put(sn);
}

/**
 * toe_recall_dead() - the card will never answer
 * @sn: connection that the card has, or had begun with
 *
 * Context: process.  The driver has stopped all DMA and upcalls.
 */
void toe_recall_dead(struct toe_sonode *sn)
{
	struct sock *sk = sn->connt;
	bool recalled = false;

	spin_lock_bh(&sn->lock);
	switch (sn->state) {
	case TOE_OFFLOADED:
		atomic_dec(&sn->dev->offloaded);
		sn->state = TOE_RECALLING;
		sn->reason = TOE_RECALL_DEAD;
		recalled = true;
		break;
	case TOE_RECALLING:
		recalled = true;
		break;
	default:
		sn->state = TOE_NATIVE;
		break;
	}
	spin_unlock_bh(&sn->lock);

	if (recalled) {
		spin_lock_bh(&sk->sk_lock.slock);
		if (sn->swapped && !sn->ev_recalled) {
			sn->final_valid = false;
			sn->ev_recalled = true;
			if (sock_owned_by_user(sk)) {
				wake_up(&sn->wq);
			} else {
				toe_ingress_drain(sn, sk);
				toe_sk_push(sk);
			}
		}
		spin_unlock_bh(&sk->sk_lock.slock);
	} else if (!sn->closing && sn->dev->reoffload_ms) {
		toe_conn_schedule(sn, msecs_to_jiffies(sn->dev->reoffload_ms));
	}
	toe_dev_del_conn(sn);
}
