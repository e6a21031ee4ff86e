// SPDX-License-Identifier: GPL-2.0
/*
 * What the card reports becomes what the kernel's socket code expects.
 *
 * Placed payload goes to sk_receive_queue, where the native recvmsg, splice,
 * peek and poll find it.  The window that the stack would announce becomes the
 * card's credit.
 */
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "trace.h"

/* tcp_data_ready() is not exported. */
static void toe_data_ready(struct sock *sk)
{
	if (tcp_epollin_ready(sk, sk->sk_rcvlowat) || sock_flag(sk, SOCK_DONE))
		sk->sk_data_ready(sk);
}

/*
 * The card has acknowledged the payload already, so it must be charged whatever
 * the limits say.  sk_forced_mem_schedule() is not exported, and the per-CPU
 * reserve of sk_memory_allocated_add() not on 6.1: straight to the total.
 */
static void toe_rmem_charge(struct sock *sk, struct sk_buff *skb)
{
	if (!sk_rmem_schedule(sk, skb, skb->truesize)) {
		int pages = sk_mem_pages(skb->truesize);

		sk_forward_alloc_add(sk, pages << PAGE_SHIFT);
		atomic_long_add(pages, sk->sk_prot->memory_allocated);
	}
	skb_set_owner_r(skb, sk);
}

/* tcp_try_coalesce() is not exported; the sequence numbers are known to join. */
static bool toe_coalesce(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	bool stolen;
	int delta;

	if (!tail || TCP_SKB_CB(tail)->end_seq != TCP_SKB_CB(skb)->seq ||
	    TCP_SKB_CB(tail)->tcp_flags & TCPHDR_FIN ||
	    !skb_try_coalesce(tail, skb, &stolen, &delta))
		return false;

	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	TCP_SKB_CB(tail)->end_seq = TCP_SKB_CB(skb)->end_seq;
	TCP_SKB_CB(tail)->tcp_flags |= TCP_SKB_CB(skb)->tcp_flags;
	NET_INC_STATS(sock_net(sk), LINUX_MIB_TCPRCVCOALESCE);
	kfree_skb_partial(skb, stolen);
	return true;
}

/*
 * tcp_measure_rcv_mss() is not exported.  How large are the peer's segments, and how much
 * of a buffer is payload?  What is placed may be many segments in one skb; a header for
 * each is what the stack would reckon with.
 */
static void toe_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 len = min_t(u32, skb->len, tp->advmss);
	bool of_buffer;

	if (len <= icsk->icsk_ack.rcv_mss)
		return;
	icsk->icsk_ack.rcv_mss = len;
	/* Unless TCP_WINDOW_CLAMP has set it. */
	of_buffer = tp->window_clamp == tcp_full_space(sk);
	compat_tcp_set_scaling_ratio(tp, len, len + SKB_TRUESIZE(0));
	if (of_buffer)
		WRITE_ONCE(tp->window_clamp, tcp_full_space(sk));
}

/*
 * One piece of payload, in order.  What a segment that came by the native way
 * has brought already is skipped by the reader, as after any overlap.
 */
static bool toe_place(struct toe_sonode *sn, struct sock *sk,
		      struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;
	u32 fresh = end_seq - tp->rcv_nxt;

	if (after(TCP_SKB_CB(skb)->seq, tp->rcv_nxt)) {
		__kfree_skb(skb);
		return false;
	}
	if (!after(end_seq, tp->rcv_nxt)) {
		__kfree_skb(skb);
		return true;
	}

	toe_measure_rcv_mss(sk, skb);
	toe_rmem_charge(sk, skb);
	if (!toe_coalesce(sk, skb))
		__skb_queue_tail(&sk->sk_receive_queue, skb);

	WRITE_ONCE(tp->rcv_nxt, end_seq);
	tp->bytes_received += fresh;
	toe_count(sn->dev, TOE_CNT_RX_BYTES, fresh);
	tp->rcv_tstamp = tcp_jiffies32;
	icsk->icsk_ack.lrcvtime = tcp_jiffies32;

	/* tcp_grow_window() is not exported, and would measure skbs that are
	 * not the stack's: two segments for each one, up to the clamp.
	 */
	tp->rcv_ssthresh = min_t(u32, tp->window_clamp,
				 tp->rcv_ssthresh + 2 * max(fresh, (u32)tp->advmss));
	return true;
}

/* Has the window grown enough for a command?  It would be @win bytes, up to @edge. */
static bool toe_credit_due(const struct toe_sonode *sn, const struct tcp_sock *tp,
			   u32 edge, u32 win)
{
	s32 left = max_t(s32, sn->credit - tp->rcv_nxt, 0);

	return (s32)(edge - sn->credit) >= (s32)max_t(u32, left / 4, win / 8);
}

/**
 * toe_ingress_credit() - turn the stack's window into credit
 * @sn: connection
 * @sk: its socket
 * @force: the stack has just chosen a window (it sends an acknowledgment);
 *	else the window is chosen here, and small steps are saved up
 *
 * rcv_wup + rcv_wnd is always what the card has, so tcp_receive_window() is
 * true for everybody.
 *
 * Context: socket owned or its spinlock held.
 */
void toe_ingress_credit(struct toe_sonode *sn, struct sock *sk, bool force)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 edge, win;

	if (force) {
		edge = tp->rcv_wup + tp->rcv_wnd;
	} else {
		win = toe_sk_window(sk);
		edge = tp->rcv_nxt + win;
		if (!toe_credit_due(sn, tp, edge, win))
			return;
		tp->rcv_wup = tp->rcv_nxt;
		tp->rcv_wnd = win;
		sn->stack_wnd = win;
		compat_tcp_update_max_rcv_wnd_seq(tp);
	}
	if (!after(edge, sn->credit))
		return;

	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED) {
		sn->credit = edge;
		sn->hw.tdev->ops->conn_credit(&sn->hw, edge);
	}
	spin_unlock_bh(&sn->lock);
}

/**
 * toe_ingress_announced() - the stack has chosen a window for a segment with payload
 * @sn: connection
 * @sk: its socket
 *
 * The card writes its own window into what it sends.  If the step isn't worth a
 * command it's taken back: else the stack would wait for what nobody has announced.
 *
 * Context: socket owned or its spinlock held.
 */
void toe_ingress_announced(struct toe_sonode *sn, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 edge = tp->rcv_wup + tp->rcv_wnd;

	if (!after(edge, sn->credit))
		return;
	if (toe_credit_due(sn, tp, edge, tp->rcv_wnd)) {
		toe_ingress_credit(sn, sk, true);
		return;
	}
	tp->rcv_wup = tp->rcv_nxt;
	tp->rcv_wnd = max_t(s32, sn->credit - tp->rcv_nxt, 0);
	sn->stack_wnd = tp->rcv_wnd;
}

/**
 * toe_ingress_reopen() - has a shut window room again?
 * @sn: connection
 * @sk: its socket
 *
 * Who reads opens it by reading.  What else makes room (SO_RCVBUF, TCP_WINDOW_CLAMP,
 * the end of memory pressure) tells nobody: natively the answer to the peer's next
 * probe has the new window.
 *
 * Context: socket owned or its spinlock held.
 */
void toe_ingress_reopen(struct toe_sonode *sn, struct sock *sk)
{
	s32 left = sn->credit - tcp_sk(sk)->rcv_nxt;

	if (unlikely(left < inet_csk(sk)->icsk_ack.rcv_mss))
		toe_ingress_credit(sn, sk, false);
}

/* Dynamic right-sizing wants a fresh clock and a round trip. Who only receives has
 * that of the handshake; one that is too short would hold the window down.
 */
static void toe_drain_data(struct toe_sonode *sn, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 srtt = sn->ev_srtt ? sn->ev_srtt << 3 : tp->srtt_us;
	struct sk_buff *skb;
	bool ok = true;

	toe_sk_mstamp(sk);
	if (srtt)
		tp->rcv_rtt_est.rtt_us = max_t(u32, srtt, USEC_PER_MSEC << 3);

	while ((skb = __skb_dequeue(&sn->rxq)))
		ok &= toe_place(sn, sk, skb);

	toe_ingress_credit(sn, sk, false);
	if (!ok) {
		toe_count(sn->dev, TOE_CNT_BAD_EVENTS, 1);
		toe_recall_start(sn, TOE_RECALL_BADCARD);
	}
	if (!sock_flag(sk, SOCK_DEAD))
		toe_data_ready(sk);
}

/**
 * toe_ingress_drain() - do what the card has reported
 * @sn: connection
 * @sk: its socket
 *
 * Payload before acknowledgments before the recall: the recall is the card's
 * last word.
 *
 * Context: socket spinlock held, BH off; nobody or the caller owns the socket.
 */
void toe_ingress_drain(struct toe_sonode *sn, struct sock *sk)
{
	lockdep_assert_held(&sk->sk_lock.slock);

	if (!skb_queue_empty(&sn->rxq))
		toe_drain_data(sn, sk);

	if (sn->ev_acked) {
		sn->ev_acked = false;
		if (!toe_egress_acked(sn, sk, sn->ev_una, sn->ev_wnd)) {
			toe_count(sn->dev, TOE_CNT_BAD_EVENTS, 1);
			toe_recall_start(sn, TOE_RECALL_BADCARD);
		}
	}
	if (sn->ev_recalled) {
		toe_recall_finish(sn, sk);
		return;
	}
	if (sn->state != TOE_OFFLOADED)
		return;

	if (unlikely(sk->sk_state != TCP_ESTABLISHED))
		toe_recall_start(sn, TOE_RECALL_STATE);
	if (unlikely(sn->need_post))
		toe_egress_post(sn, sk);
	if (time_after(jiffies, sn->seen_jiffies + TOE_FOLD_JIFFIES))
		toe_stats_refresh(sn, sk);
}

/* Something waits for the socket to be nobody's. */
static bool toe_pending(const struct toe_sonode *sn)
{
	return sn->ev_acked || sn->ev_recalled || !skb_queue_empty(&sn->rxq);
}

/*
 * Whoever set an option at SOL_SOCKET releases the socket's lock: before that it has
 * the connection back.  The spinlock may be dropped and a while waited here, as
 * release_sock() itself does for the backlog.
 */
static noinline void toe_release_recall(struct sock *sk)
	__must_hold(&sk->sk_lock.slock)
{
	enum toe_recall why = toe_policy_asked(sk);

	spin_unlock_bh(&sk->sk_lock.slock);
	toe_recall_sync(sk, why);
	spin_lock_bh(&sk->sk_lock.slock);
	while (sk->sk_backlog.tail) {	/* came meanwhile; the owner's to do */
		spin_unlock_bh(&sk->sk_lock.slock);
		sk_flush_backlog(sk);
		spin_lock_bh(&sk->sk_lock.slock);
	}
}

/**
 * toe_release_cb() - the one place where deferred work is done
 * @sk: socket
 *
 * Context: release_sock(): socket spinlock held, BH off, still owned.
 */
void toe_release_cb(struct sock *sk)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);

	if (toe_sk_asks(sk) && sn->state == TOE_OFFLOADED) {
		toe_release_recall(sk);
		tcp_prot.release_cb(sk);
		return;
	}
	if (toe_pending(sn)) {
		bool acked = sn->ev_acked;

		toe_ingress_drain(sn, sk);
		if (acked || !sn->swapped)
			toe_sk_push(sk);	/* sets the flag only */
	} else if (unlikely(sn->need_post) && sn->state == TOE_OFFLOADED) {
		toe_egress_post(sn, sk);
	}
	if (sn->state == TOE_OFFLOADED)
		toe_ingress_reopen(sn, sk);
	tcp_prot.release_cb(sk);
	if (sk->sk_backlog_rcv == toe_backlog_rcv)
		toe_sk_quiet(sk);
}

/*
 * A frame that came while a user owned the socket, after the card had given the
 * connection back (or by another way).  What the card reported before comes
 * first.  Context: socket owned, spinlock not held, BH on.
 */
int toe_backlog_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);
	int (*native)(struct sock *sk, struct sk_buff *skb);

	native = sn->saved.backlog_rcv;
	spin_lock_bh(&sk->sk_lock.slock);
	if (toe_pending(sn))
		toe_ingress_drain(sn, sk);
	spin_unlock_bh(&sk->sk_lock.slock);
	return native(sk, skb);
}

/*
 * BH, socket spinlock held: do it now if nobody owns the socket, else leave it
 * to the owner and wake one that waits for a recall.
 */
static void toe_event(struct toe_sonode *sn, struct sock *sk)
{
	if (sock_owned_by_user(sk)) {
		wake_up(&sn->wq);
		return;
	}
	toe_ingress_drain(sn, sk);
	toe_sk_push(sk);
	if (sn->swapped)
		toe_sk_quiet(sk);
}

void toe_rx_data(struct toe_hw_conn *hc, struct sk_buff *skb, u32 seq, bool push)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);
	struct sock *sk = sn->connt;

	skb_orphan(skb);
	skb->dev = NULL;
	memset(skb->cb, 0, sizeof(skb->cb));
	TCP_SKB_CB(skb)->seq = seq;
	TCP_SKB_CB(skb)->end_seq = seq + skb->len;
	TCP_SKB_CB(skb)->tcp_flags = TCPHDR_ACK | (push ? TCPHDR_PSH : 0);

	bh_lock_sock(sk);
	if (likely(sn->swapped)) {
		__skb_queue_tail(&sn->rxq, skb);
		toe_event(sn, sk);
	} else {	/* the socket has been destroyed */
		__kfree_skb(skb);
	}
	bh_unlock_sock(sk);
}
EXPORT_SYMBOL_GPL(toe_rx_data);

void toe_rx_acked(struct toe_hw_conn *hc, u32 snd_una, u32 snd_wnd, u32 srtt_us)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);
	struct sock *sk = sn->connt;

	bh_lock_sock(sk);
	if (likely(sn->swapped)) {
		sn->ev_acked = true;
		sn->ev_una = snd_una;
		sn->ev_wnd = snd_wnd;
		sn->ev_srtt = srtt_us;
		toe_event(sn, sk);
	}
	bh_unlock_sock(sk);
}
EXPORT_SYMBOL_GPL(toe_rx_acked);

/* The closing process of figure 4D: the card stops by itself, RECALLED follows. */
void toe_rx_closing(struct toe_hw_conn *hc, u32 reason)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);

	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED) {
		sn->state = TOE_RECALLING;
		sn->reason = min_t(u32, reason, TOE_REASON_DMA);
		atomic_dec(&sn->dev->offloaded);
	}
	spin_unlock_bh(&sn->lock);
}
EXPORT_SYMBOL_GPL(toe_rx_closing);

void toe_conn_recalled(struct toe_hw_conn *hc, u32 reason,
		       const struct min_tcp *st,
		       const struct toe_conn_stats *stats)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);
	struct sock *sk = sn->connt;

	toe_rx_closing(hc, reason);
	bh_lock_sock(sk);
	if (likely(sn->swapped)) {
		sn->final_valid = st;
		if (st)
			sn->final = *st;
		sn->final_stats_valid = stats;
		if (stats)
			sn->final_stats = *stats;
		sn->ev_recalled = true;
		toe_event(sn, sk);
	}
	bh_unlock_sock(sk);
	toe_dev_del_conn(sn);
}
EXPORT_SYMBOL_GPL(toe_conn_recalled);

void toe_query_done(struct toe_hw_conn *hc)
{
	struct toe_sonode *sn = toe_hw_sonode(hc);

	WRITE_ONCE(sn->ev_queried, true);
	wake_up(&sn->wq);
}
EXPORT_SYMBOL_GPL(toe_query_done);
