// SPDX-License-Identifier: GPL-2.0
/*
 * Figure 4C, and what takes payload to the card.
 *
 * The socket calls of an offloaded connection arrive here because its sk_prot
 * was replaced; other sockets never do.  Payload is queued by the kernel's own
 * sendmsg, and its own output routine brings it to toe_queue_xmit() as segments
 * of up to 64 KB, where it turns to the card.
 */
#include <linux/tcp.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "trace.h"

/* Kinds of request that figure 4C tells apart. */
enum toe_request {
	TOE_REQ_DATA,		/* data transfer */
	TOE_REQ_STATS,		/* management statistics */
	TOE_REQ_HARMLESS,	/* changes nothing that the card does */
	TOE_REQ_FOLLOWED,	/* the card is told afterwards (params.c) */
	TOE_REQ_QUICKACK,	/* likewise */
	TOE_REQ_OTHER,
};

/* Where a request goes. */
enum toe_route {
	TOE_TO_STACK,		/* to the OS TCP/IP protocol driver */
	TOE_TO_CARD,		/* to the offload hardware */
	TOE_TO_STACK_UPDATE,	/* to the OS, with the filter's information */
	TOE_TO_STACK_RECALL,	/* to the OS, the connection first */
};

/**
 * toe_figure_4c() - route a request of the socket layer
 * @sk: the transport handle
 * @req: its kind
 *
 * First design document, figure 4C; the numbers are the figure's.  In the figure
 * every other request of an offloaded connection goes to the OS stack as it
 * stands; here the connection goes along where the card couldn't honour it.
 *
 * Context: any; the answer may be old unless the socket is locked.
 */
static enum toe_route toe_figure_4c(const struct sock *sk, enum toe_request req)
{
	/* 600, 601: is the connection of this handle offloaded? */
	bool offloaded = toe_sk_offloaded(sk);

	/* 622, 606: a data transfer request?  618: to the offload hardware */
	if (offloaded && req == TOE_REQ_DATA)
		return TOE_TO_CARD;

	/* 605/602, 608: a request for management statistics?  614: to the OS
	 * stack (610), then the filter's information is updated (612)
	 */
	if (offloaded && req == TOE_REQ_STATS)
		return TOE_TO_STACK_UPDATE;

	/* Also while it is on its way in or out: the stack must have it first. */
	if (req == TOE_REQ_OTHER && (offloaded || toe_sk_ours(sk)))
		return TOE_TO_STACK_RECALL;

	return TOE_TO_STACK;
}

/* Recall, if need be, before a request is handed to the stack.  May sleep. */
static noinline void toe_recall_first(struct sock *sk, enum toe_recall why)
{
	lock_sock(sk);
	toe_recall_sync(sk, why);
	release_sock(sk);
}

/*
 * The calls below end in a tail call, so that a thread that sleeps in the
 * kernel's function has no return address in this module (see conn.c, DOC).
 */
int toe_sendmsg(struct sock *sk, struct msghdr *msg, size_t size)
{
	enum toe_request req = TOE_REQ_DATA;

	if (unlikely(msg->msg_flags & MSG_OOB))
		req = TOE_REQ_OTHER;	/* urgent data: RFC 9293 3.8.5 */

	if (toe_figure_4c(sk, req) == TOE_TO_STACK_RECALL)
		toe_recall_first(sk, TOE_RECALL_OOB);
	/* TOE_TO_CARD: queued natively, turned to the card in toe_queue_xmit() */
	return tcp_prot.sendmsg(sk, msg, size);
}

/* TTL and type of service of what the card sends. */
static enum toe_request toe_sockopt_ip(int level, int optname)
{
	if ((level == SOL_IP && (optname == IP_TOS || optname == IP_TTL)) ||
	    (level == SOL_IPV6 && (optname == IPV6_TCLASS ||
				   optname == IPV6_UNICAST_HOPS)))
		return TOE_REQ_FOLLOWED;
	return TOE_REQ_OTHER;
}

/* The harmless ones are those that the kernel's queueing and reading code acts on. */
static enum toe_request toe_sockopt_kind(int level, int optname)
{
	if (level != SOL_TCP)
		return toe_sockopt_ip(level, optname);

	switch (optname) {
	case TCP_KEEPIDLE:
	case TCP_KEEPINTVL:
	case TCP_KEEPCNT:
	case TCP_USER_TIMEOUT:
	case TCP_THIN_LINEAR_TIMEOUTS:
		return TOE_REQ_FOLLOWED;
	case TCP_QUICKACK:
		return TOE_REQ_QUICKACK;
	case TCP_NODELAY:
	case TCP_CORK:
	case TCP_NOTSENT_LOWAT:
	case TCP_INQ:
	case TCP_LINGER2:
	case TCP_SYNCNT:
	case TCP_DEFER_ACCEPT:
	case TCP_WINDOW_CLAMP:
	case TCP_THIN_DUPACK:
		return TOE_REQ_HARMLESS;
	default:
		return TOE_REQ_OTHER;
	}
}

static noinline int toe_sockopt_follow(struct sock *sk, int level, int optname,
				       sockptr_t optval, unsigned int optlen)
{
	int err;

	toe_frame_enter();
	err = tcp_prot.setsockopt(sk, level, optname, optval, optlen);
	if (!err) {
		lock_sock(sk);
		toe_params_follow(sk, sock_flag(sk, SOCK_KEEPOPEN));
		release_sock(sk);
	}
	toe_frame_leave();
	return err;
}

/* Often set, before each read: the card is told that alone. */
static noinline int toe_sockopt_quickack(struct sock *sk, sockptr_t optval,
					 unsigned int optlen)
{
	int err, val = 0;

	toe_frame_enter();
	err = tcp_prot.setsockopt(sk, SOL_TCP, TCP_QUICKACK, optval, optlen);
	if (!err && !copy_from_sockptr(&val, optval, sizeof(val))) {
		lock_sock(sk);
		toe_params_quickack(sk, val);
		release_sock(sk);
	}
	toe_frame_leave();
	return err;
}

/* The value may be long in coming (its page may); the card has to wait for it. */
static noinline int toe_sockopt_stack(struct sock *sk, int level, int optname,
				      sockptr_t optval, unsigned int optlen)
{
	struct toe_sonode *sn;
	int err;

	toe_frame_enter();
	sn = toe_conn_pin(sk);
	toe_recall_first(sk, TOE_RECALL_SOCKOPT);
	err = tcp_prot.setsockopt(sk, level, optname, optval, optlen);
	toe_conn_unpin(sn);
	toe_frame_leave();
	return err;
}

int toe_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		   unsigned int optlen)
{
	enum toe_request req = toe_sockopt_kind(level, optname);

	if (toe_figure_4c(sk, req) == TOE_TO_STACK_RECALL) {
		if (level != SOL_TCP || optname != TCP_ULP)
			return toe_sockopt_stack(sk, level, optname, optval, optlen);
		/* An application that wants another ULP gets rid of ours first. */
		toe_conn_yield(sk, TOE_RECALL_SOCKOPT);
	}
	if (req == TOE_REQ_QUICKACK)
		return toe_sockopt_quickack(sk, optval, optlen);
	if (req == TOE_REQ_FOLLOWED)
		return toe_sockopt_follow(sk, level, optname, optval, optlen);
	return tcp_prot.setsockopt(sk, level, optname, optval, optlen);
}

/* Of a flagged socket that is native. */
int toe_flag_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
			unsigned int optlen)
{
	if (level == SOL_TCP && optname == TCP_ULP)
		toe_conn_yield(sk, TOE_RECALL_SOCKOPT);
	return tcp_prot.setsockopt(sk, level, optname, optval, optlen);
}

int toe_getsockopt(struct sock *sk, int level, int optname,
		   char __user *optval, int __user *optlen)
{
	enum toe_request req = TOE_REQ_HARMLESS;
	int err;

	if (level == SOL_TCP && (optname == TCP_INFO || optname == TCP_CC_INFO))
		req = TOE_REQ_STATS;

	/* 612: the card's figures enter the socket, and the answer, in stats.c */
	if (toe_figure_4c(sk, req) == TOE_TO_STACK_UPDATE)
		toe_stats_query(sk);
	err = tcp_prot.getsockopt(sk, level, optname, optval, optlen);
	if (!err && level == SOL_TCP && optname == TCP_INFO)
		err = toe_stats_info(sk, optval, optlen);
	return err;
}

/* Socket lock held. */
void toe_shutdown(struct sock *sk, int how)
{
	toe_recall_sync(sk, TOE_RECALL_SHUTDOWN);
	tcp_prot.shutdown(sk, how);
}

void toe_close(struct sock *sk, long timeout)
{
	toe_recall_first(sk, TOE_RECALL_SHUTDOWN);
	tcp_prot.close(sk, timeout);
}

/*
 * Socket lock held; in softirq (a listener drops a child that nobody accepted)
 * only the spinlock: such sockets are not offloaded.
 */
int toe_disconnect(struct sock *sk, int flags)
{
	if (!in_softirq())
		toe_recall_sync(sk, TOE_RECALL_DISCONNECT);
	return tcp_prot.disconnect(sk, flags);
}

/* ss -K. */
int toe_diag_destroy(struct sock *sk, int err)
{
	toe_recall_first(sk, TOE_RECALL_DISCONNECT);
	return tcp_prot.diag_destroy(sk, err);
}

/* SO_KEEPALIVE; socket lock held, the flag is set afterwards.  The card probes. */
void toe_set_keepalive(struct sock *sk, int val)
{
	toe_params_follow(sk, val);
	if (!toe_sk_offloaded(sk))
		tcp_prot.keepalive(sk, val);
}

/*
 * __tcp_transmit_skb() has counted what it thinks that it sends; the card counts
 * what is really sent (toe_stats_fold()).
 */
static void toe_uncount(struct toe_sonode *sn, struct sock *sk,
			const struct sk_buff *skb, u32 seq, u32 len)
{
	unsigned int segs = skb_shinfo(skb)->gso_segs;
	struct tcp_sock *tp = tcp_sk(sk);
	bool fresh = len && after(seq + len, tp->snd_nxt);

	tp->segs_out -= segs;
	if (len) {
		WRITE_ONCE(tp->data_segs_out, tp->data_segs_out - segs);
		WRITE_ONCE(tp->bytes_sent, tp->bytes_sent - len);
	}
	toe_mib_uncount(sk, skb, len, fresh, sn->stack_wnd);
	sn->stack_wnd = tp->rcv_wnd;
}

/* A FIN, a RST or a SYN of the stack's own: it goes out, the card goes out of it. */
static noinline int toe_xmit_control(struct toe_sonode *sn, struct sock *sk,
				     struct sk_buff *skb, struct flowi *fl)
{
	const struct inet_connection_sock_af_ops *ops = sn->saved.af_ops;

	toe_recall_start(sn, TOE_RECALL_CONTROL);
	if (tcp_hdr(skb)->rst)
		return ops->queue_xmit(sk, skb, fl);
	/* The original waits in the retransmit queue until the recall ends. */
	consume_skb(skb);
	return 0;
}

static int toe_post_skb(struct toe_sonode *sn, struct sk_buff *skb, u32 off,
			u32 len, u32 seq, u8 flags)
{
	int err = -ENODEV;

	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED)
		err = sn->hw.tdev->ops->conn_send(&sn->hw, skb, off, len, seq,
						  flags);
	spin_unlock_bh(&sn->lock);
	return err;
}

/* MSG_EOR: does what is being sent, up to @end_seq, end a record?  The clone has forgotten. */
static bool toe_ends_record(struct sock *sk, u32 end_seq)
{
	const struct sk_buff *skb = tcp_send_head(sk);

	return skb && TCP_SKB_CB(skb)->eor && TCP_SKB_CB(skb)->end_seq == end_seq;
}

/* The flag that tells the card so.  One that doesn't know it can't go on. */
static u8 toe_eor(struct toe_sonode *sn)
{
	if (sn->hw.tdev->caps & TOE_CAP_TOE_EOR)
		return TOE_SEND_EOR;
	toe_recall_start(sn, TOE_RECALL_SOCKOPT);
	return 0;
}

/**
 * toe_queue_xmit() - where the native output of an offloaded socket ends
 * @sk: socket; swapped
 * @skb: a segment of up to 64 KB with its TCP header, the clone of one that
 *	stays in the retransmit queue, or a pure acknowledgment
 * @fl: flow
 *
 * Takes @skb.  Payload that continues what the card has is posted; everything
 * else (probes, retransmissions of the stack's timers, acknowledgments) the
 * card does by itself.
 *
 * Context: socket owned or its spinlock held; user context or BH.
 * Return: 0.
 */
int toe_queue_xmit(struct sock *sk, struct sk_buff *skb, struct flowi *fl)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);
	const struct tcphdr *th = tcp_hdr(skb);
	u32 hdr = th->doff * 4;
	u32 seq = ntohl(th->seq);
	u32 len = skb->len - hdr;

	if (unlikely(th->fin || th->rst || th->syn || th->urg))
		return toe_xmit_control(sn, sk, skb, fl);

	toe_uncount(sn, sk, skb, seq, len);
	if (!len) {
		/* Acknowledges what came past the card? */
		if (unlikely(READ_ONCE(sk->sk_rx_dst_ifindex) != sn->rx_ifindex))
			toe_recall_start(sn, TOE_RECALL_ARRIVAL);
		toe_ingress_credit(sn, sk, true);
		consume_skb(skb);
		return 0;
	}
	toe_ingress_announced(sn, sk);
	if (unlikely(skb_shinfo(skb)->tx_flags & (SKBTX_ANY_SW_TSTAMP |
						  SKBTX_HW_TSTAMP)))
		toe_recall_start(sn, TOE_RECALL_TSTAMP);
	/* Set without the lock, from 6.7 on: toe_release_cb() hasn't seen it. */
	if (unlikely(READ_ONCE(sk->sk_max_pacing_rate) != ~0UL))
		toe_recall_start(sn, TOE_RECALL_SOCKOPT);

	if (seq == sn->posted && !sn->need_post) {
		u8 flags = th->psh ? TOE_SEND_PUSH : 0;

		if (unlikely(toe_ends_record(sk, seq + len)))
			flags |= toe_eor(sn);
		/* The retransmit queue accounts for the memory. */
		skb_orphan(skb);
		skb_dst_drop(skb);
		if (!toe_post_skb(sn, skb, hdr, len, seq, flags)) {
			sn->posted = seq + len;
			return 0;
		}
		sn->need_post = true;
		toe_count(sn->dev, TOE_CNT_REPOSTS, 1);
	}
	consume_skb(skb);
	return 0;
}

/**
 * toe_egress_post() - post what the retransmit queue holds and the card doesn't
 * @sn: connection, offloaded
 * @sk: its socket
 *
 * After COMMIT, and after a post that was refused.
 *
 * Context: socket spinlock held, BH off.
 */
void toe_egress_post(struct toe_sonode *sn, struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb, *clone;
	u32 off, len;
	u8 flags;
	int err;

	lockdep_assert_held(&sk->sk_lock.slock);

	sn->need_post = false;
	/* Acknowledged before the card was given it, which wants the stream whole. */
	if (unlikely(before(sn->posted, tp->snd_una))) {
		toe_recall_start(sn, TOE_RECALL_NOMEM);
		return;
	}
	for (skb = tcp_rtx_queue_head(sk); skb; skb = skb_rb_next(skb)) {
		struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		if (!after(cb->end_seq, sn->posted))
			continue;
		if (cb->tcp_flags & TCPHDR_FIN)
			return;
		tcp_skb_tsorted_save(skb) {
			clone = skb_clone(skb, GFP_ATOMIC);
		} tcp_skb_tsorted_restore(skb);
		if (!clone)
			goto later;
		clone->dev = NULL;
		off = sn->posted - cb->seq;
		len = cb->end_seq - sn->posted;
		flags = (cb->tcp_flags & TCPHDR_PSH ? TOE_SEND_PUSH : 0) |
			(cb->eor ? toe_eor(sn) : 0) |
			(after(cb->end_seq, tp->snd_nxt) ? 0 : TOE_SEND_SENT);
		err = toe_post_skb(sn, clone, off, len, sn->posted, flags);
		if (err) {
			consume_skb(clone);
			goto later;
		}
		sn->posted = cb->end_seq;
	}
	return;
later:
	sn->need_post = true;
	toe_count(sn->dev, TOE_CNT_REPOSTS, 1);
}

/* Free what the peer has acknowledged; the clean part of tcp_clean_rtx_queue(). */
static void toe_clean_rtx_queue(struct sock *sk, u32 snd_una)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb, *next;

	for (skb = tcp_rtx_queue_head(sk); skb; skb = next) {
		if (after(TCP_SKB_CB(skb)->end_seq, snd_una))
			break;
		next = skb_rb_next(skb);
		tp->packets_out -= tcp_skb_pcount(skb);
		if (skb == tp->retransmit_skb_hint)
			tp->retransmit_skb_hint = NULL;
		compat_tcp_forget_lost_hint(tp, skb);
		tcp_highest_sack_replace(sk, skb, next);
		tcp_rtx_queue_unlink_and_free(skb, sk);
	}
}

/* The card's congestion window, bytes; what slow start has added since it told too. */
static u64 toe_cwnd(const struct toe_sonode *sn, const struct tcp_sock *tp)
{
	u32 ssthresh = le32_to_cpu(sn->seen.snd_ssthresh);
	u32 cwnd = le32_to_cpu(sn->seen.snd_cwnd);

	if (!cwnd) {	/* hasn't told yet */
		cwnd = TCP_INIT_CWND * tp->mss_cache;
		ssthresh = U32_MAX;
	}
	if (cwnd < ssthresh)
		return (u64)cwnd + (tp->snd_una - sn->seen_una);
	return cwnd;
}

/*
 * tcp_sndbuf_expand() is not exported and would not know the congestion window.  As
 * there: memory for two of them.
 */
static void toe_sndbuf_expand(const struct toe_sonode *sn, struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 segs, want;

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK || tcp_under_memory_pressure(sk) ||
	    sk_memory_allocated(sk) >= sk_prot_mem_limits(sk, 0))
		return;
	segs = div_u64(toe_cwnd(sn, tp), max_t(u32, tp->mss_cache, 1));
	segs = max3(segs, (u64)TCP_INIT_CWND, (u64)tp->reordering + 1);
	want = 2 * segs * toe_sk_seg_mem(tp);
	want = min_t(u64, want, READ_ONCE(sock_net(sk)->ipv4.sysctl_tcp_wmem[2]));
	if (want > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, want);
}

/**
 * toe_egress_window() - the window that the native output sees
 * @sn: connection
 * @sk: its socket
 * @snd_wnd: the peer's window, bytes beyond snd_una
 *
 * It is the peer's; but if the card has nothing, it is at least one segment: then
 * the card gets something to probe a closed window with.
 *
 * Context: socket spinlock held, BH off.
 */
void toe_egress_window(struct toe_sonode *sn, struct sock *sk, u32 snd_wnd)
{
	struct tcp_sock *tp = tcp_sk(sk);

	sn->wnd = snd_wnd;
	if (tp->snd_una == sn->posted)
		snd_wnd = max_t(u32, snd_wnd, tp->mss_cache);
	tp->snd_wnd = snd_wnd;
	tp->max_window = max(tp->max_window, snd_wnd);
}

/**
 * toe_egress_acked() - the card reports snd_una and the peer's window
 * @sn: connection
 * @sk: its socket
 * @snd_una: acknowledged up to here
 * @snd_wnd: the peer's window, bytes beyond @snd_una
 *
 * Context: socket spinlock held, BH off.
 * Return: false if it can't be true.
 */
bool toe_egress_acked(struct toe_sonode *sn, struct sock *sk, u32 snd_una,
		      u32 snd_wnd)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	lockdep_assert_held(&sk->sk_lock.slock);

	if (before(snd_una, tp->snd_una) && sn->state != TOE_OFFLOADED)
		snd_una = tp->snd_una;
	/* An acknowledgment that came by the native way may be ahead. */
	if (before(snd_una, tp->snd_una))
		return true;
	if (after(snd_una, toe_sent_end(sn)))
		return false;
	if (after(snd_una, sn->sent))
		sn->sent = snd_una;

	if (snd_una != tp->snd_una) {
		u32 acked = snd_una - tp->snd_una;

		tp->bytes_acked += acked;
		toe_count(sn->dev, TOE_CNT_TX_BYTES, acked);
		tp->snd_una = snd_una;
		tp->snd_up = snd_una;
		toe_clean_rtx_queue(sk, snd_una);
		icsk->icsk_probes_out = 0;
		icsk->icsk_backoff = 0;
		icsk->icsk_retransmits = 0;
	}
	tp->rcv_tstamp = tcp_jiffies32;
	toe_egress_window(sn, sk, snd_wnd);

	/* tcp_check_space() is not exported. */
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags)) {
		toe_sndbuf_expand(sn, sk);
		sk->sk_write_space(sk);
	}
	return true;
}
