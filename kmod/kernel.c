// SPDX-License-Identifier: GPL-2.0
/*
 * The socket's tables, and the few lines that the kernel doesn't export.
 *
 * Nothing here looks a symbol up: what isn't exported is reached through an
 * exported table (tcp_prot, the socket's own af_ops) or written again, each with
 * its reason.
 */
#include <linux/ipv6.h>
#include <net/inet_common.h>
#include <net/transp_v6.h>

#include "conn.h"
#include "device.h"

/* One copy of a table for each original that sockets bring along. */
static struct proto toe_prots[2];
/* The originals but for one call: of sockets that are flagged, and native. */
static struct proto toe_flag_prots[2];

#define TOE_AF_OPS 4	/* ipv4_specific, ipv6_specific, ipv6_mapped, spare */
static struct {
	const struct inet_connection_sock_af_ops *orig;
	struct inet_connection_sock_af_ops copy;
} toe_af_ops[TOE_AF_OPS];
static DEFINE_SPINLOCK(toe_af_ops_lock);	/* protects the filling of toe_af_ops */

static void toe_prot_build(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->close = toe_close;
	prot->disconnect = toe_disconnect;
	prot->shutdown = toe_shutdown;
	prot->setsockopt = toe_setsockopt;
	prot->getsockopt = toe_getsockopt;
	prot->keepalive = toe_set_keepalive;
	prot->sendmsg = toe_sendmsg;
	prot->release_cb = toe_release_cb;
	prot->backlog_rcv = toe_backlog_rcv;
	prot->diag_destroy = toe_diag_destroy;
#ifdef CONFIG_BPF_SYSCALL
	/* sockmap must not wrap a table that goes away with the recall: see takeover.c. */
	prot->psock_update_sk_prot = NULL;
#endif
}

static void toe_flag_prot_build(struct proto *prot, const struct proto *base)
{
	*prot = *base;
	prot->setsockopt = toe_flag_setsockopt;
}

int toe_kernel_init(void)
{
	toe_prot_build(&toe_prots[0], &tcp_prot);
	toe_flag_prot_build(&toe_flag_prots[0], &tcp_prot);
#if IS_ENABLED(CONFIG_IPV6)
	toe_prot_build(&toe_prots[1], &tcpv6_prot);
	toe_flag_prot_build(&toe_flag_prots[1], &tcpv6_prot);
#endif
	return 0;
}

void toe_kernel_uninit(void)
{
}

/*
 * ipv4_specific isn't exported from 6.12 on, ipv6_mapped never was: copy what
 * the socket has.
 */
static const struct inet_connection_sock_af_ops *
toe_af_ops_for(const struct inet_connection_sock_af_ops *orig)
{
	const struct inet_connection_sock_af_ops *found = NULL;
	int i;

	spin_lock(&toe_af_ops_lock);
	for (i = 0; i < TOE_AF_OPS && !found; i++) {
		if (!toe_af_ops[i].orig) {
			toe_af_ops[i].copy = *orig;
			toe_af_ops[i].copy.queue_xmit = toe_queue_xmit;
			toe_af_ops[i].orig = orig;
		}
		if (toe_af_ops[i].orig == orig)
			found = &toe_af_ops[i].copy;
	}
	spin_unlock(&toe_af_ops_lock);
	return found;
}

static bool toe_sk_flagged(const struct sock *sk)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

	return prot == &toe_flag_prots[0] || prot == &toe_flag_prots[1];
}

/* Does the kernel's own TCP run this socket, and nobody in between? */
bool toe_sk_native(const struct sock *sk)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

#if IS_ENABLED(CONFIG_IPV6)
	if (prot == &tcpv6_prot)
		return true;
#endif
	return prot == &tcp_prot || toe_sk_flagged(sk);
}

/**
 * toe_sk_flag() - hear of a native socket's TCP_ULP, or no longer
 * @sk: socket, native
 * @on: which of the two
 *
 * Context: socket lock or spinlock, or the socket is being destroyed.
 */
void toe_sk_flag(struct sock *sk, bool on)
{
	if (on == toe_sk_flagged(sk))
		return;
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_prot == &tcpv6_prot || sk->sk_prot == &toe_flag_prots[1]) {
		WRITE_ONCE(sk->sk_prot, on ? &toe_flag_prots[1] : &tcpv6_prot);
		return;
	}
#endif
	if (sk->sk_prot == &tcp_prot || sk->sk_prot == &toe_flag_prots[0])
		WRITE_ONCE(sk->sk_prot, on ? &toe_flag_prots[0] : &tcp_prot);
}

/* Are the tables of a swapped socket still ours?  sockmap replaces sk_prot. */
bool toe_sk_ours(const struct sock *sk)
{
	const struct proto *prot = READ_ONCE(sk->sk_prot);

	return prot == &toe_prots[0] || prot == &toe_prots[1];
}

/* What goes over the wire; a mapped IPv4 connection has an AF_INET6 socket. */
bool toe_sk_is_v6(const struct sock *sk)
{
	return inet_csk(sk)->icsk_af_ops->net_header_len ==
	       sizeof(struct ipv6hdr);
}

/**
 * toe_sk_seg_mem() - what a segment in the send buffer may occupy
 * @tp: socket
 *
 * The stack's own rule for buffers that tune themselves (tcp_sndbuf_expand()): a buffer
 * for each segment, rounded up to a power of two.
 *
 * Return: bytes.
 */
u32 toe_sk_seg_mem(const struct tcp_sock *tp)
{
	u32 bytes = max_t(u32, tp->rx_opt.mss_clamp, tp->mss_cache);

	bytes += MAX_TCP_HEADER + SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	return roundup_pow_of_two(bytes) + SKB_DATA_ALIGN(sizeof(struct sk_buff));
}

/*
 * More than any window of the peer's, for it is the card that keeps to the real one.
 * But tcp_check_space(), which the stack's output calls, sizes the send buffer by it:
 * a signed int, bytes for two such windows.  So these bytes are 3 << 30, a negative
 * number, which makes it leave the buffer alone (toe_egress_acked() sizes it).  With
 * 64 bits there, buffers would again grow to net.ipv4.tcp_wmem[2], which does no harm.
 */
static u32 toe_sk_open_cwnd(const struct tcp_sock *tp)
{
	return (3U << 29) / toe_sk_seg_mem(tp);
}

/**
 * toe_sk_swap() - take the socket's tables over
 * @sn: connection; keeps what is replaced
 * @sk: its socket, native
 *
 * A socket that has our tables holds this module, as one with a ULP of the kernel's does.
 * It is given back when its card goes; only where a thread keeps it, which may be for
 * long, is rmmod told that the module is in use.
 *
 * Context: socket spinlock held, BH off, nobody or the caller owns the socket.
 * Return: 0, -ENOSPC if somebody uses a table of functions that is unknown, -EBUSY if
 * the module goes.
 */
int toe_sk_swap(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct inet_connection_sock_af_ops *ops;
	struct proto *prot = &toe_prots[0];

	ops = toe_af_ops_for(icsk->icsk_af_ops);
	if (!ops)
		return -ENOSPC;
	if (!try_module_get(THIS_MODULE))
		return -EBUSY;
	atomic_inc(&sn->dev->swapped);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_prot == &tcpv6_prot || sk->sk_prot == &toe_flag_prots[1])
		prot = &toe_prots[1];
#endif
	sn->saved.prot = sk->sk_prot;
	sn->saved.af_ops = icsk->icsk_af_ops;
	sn->saved.backlog_rcv = sk->sk_backlog_rcv;
	sn->saved.pacing_rate = sk->sk_pacing_rate;
	sn->saved.pacing_status = sk->sk_pacing_status;
	sn->saved.mtup = icsk->icsk_mtup.enabled;

	/* Pace, probe for MTU: the card's business now. */
	WRITE_ONCE(sk->sk_pacing_rate, ~0UL);
	WRITE_ONCE(sk->sk_pacing_status, SK_PACING_NONE);
	icsk->icsk_mtup.enabled = 0;
	sn->stack_cwnd = toe_sk_open_cwnd(tcp_sk(sk));

	icsk->icsk_af_ops = ops;
	sk->sk_backlog_rcv = toe_backlog_rcv;
	WRITE_ONCE(sk->sk_prot, prot);
	sn->swapped = true;
	return 0;
}

/**
 * toe_sk_restore() - give the socket's tables back
 * @sn: connection
 * @sk: its socket
 *
 * Context: as toe_sk_swap(), or the socket is being destroyed.
 */
void toe_sk_restore(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (!sn->swapped)
		return;
	sn->swapped = false;
	/* Whoever has replaced sk_prot meanwhile (sockmap does, on IPv4, without
	 * asking) keeps it; the rest is ours.
	 */
	if (toe_sk_ours(sk))
		WRITE_ONCE(sk->sk_prot, sn->saved.prot);
	sk->sk_backlog_rcv = sn->saved.backlog_rcv;
	icsk->icsk_af_ops = sn->saved.af_ops;
	/* SO_MAX_PACING_RATE may have come meanwhile, which switches it on. */
	WRITE_ONCE(sk->sk_pacing_rate, min(sn->saved.pacing_rate,
					   READ_ONCE(sk->sk_max_pacing_rate)));
	cmpxchg(&sk->sk_pacing_status, SK_PACING_NONE, sn->saved.pacing_status);
	icsk->icsk_mtup.enabled = sn->saved.mtup;
	if (atomic_dec_and_test(&sn->dev->swapped))
		wake_up(&sn->dev->idle);
	module_put(THIS_MODULE);	/* the last frame of ours: see toe_exit() */
}

/**
 * toe_sk_push() - let the kernel's output run
 * @sk: socket
 *
 * tcp_write_xmit() and tcp_xmit_retransmit_queue() are not exported; the
 * deferred TSQ flag and the release callback are the way to them.  On 6.1 the
 * callback also drops ownership, so it is only called where nobody owns the
 * socket; an owner's release_sock() will find the flag.
 *
 * Context: socket spinlock held, BH off.
 */
void toe_sk_push(struct sock *sk)
{
	if (!test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags))
		sock_hold(sk);
	if (!sock_owned_by_user(sk))
		tcp_prot.release_cb(sk);
}

/*
 * The kernel's timers have nothing to do while the card has the connection, and
 * its congestion window no say; an idle restart may have cut it.  But what
 * MSG_MORE or TCP_CORK holds back leaves by the probe timer, as ever; the timer
 * that the stack starts for it then is cleared by toe_dev's tick at the latest.
 */
void toe_sk_quiet(struct sock *sk)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->packets_out || !tcp_send_head(sk))
		inet_csk_clear_xmit_timer(sk, ICSK_TIME_RETRANS);
	else if (inet_csk(sk)->icsk_pending != ICSK_TIME_PROBE0)
		inet_csk_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_probe0_base(sk),
					  TCP_RTO_MAX);
	tcp_snd_cwnd_set(tp, sn->stack_cwnd);
	toe_chrono_update(sn, sk);
}

/* tcp_mstamp_refresh() is not exported. */
void toe_sk_mstamp(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 ns = tcp_clock_ns();

	tp->tcp_clock_cache = ns;
	tp->tcp_mstamp = div_u64(ns, NSEC_PER_USEC);
}

/**
 * toe_sk_window() - the receive window that the kernel's stack would offer
 * @sk: socket
 *
 * __tcp_select_window() is not exported.  The shrinking variant
 * (net.ipv4.tcp_shrink_window) is left out: the card's window never shrinks.
 *
 * Context: socket spinlock held or socket owned.
 * Return: bytes beyond rcv_nxt.
 */
u32 toe_sk_window(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	int allowed = tcp_full_space(sk);
	int mss = icsk->icsk_ack.rcv_mss;
	int free = tcp_space(sk);
	int full, window;

	full = min_t(int, tp->window_clamp, allowed);
	if (mss > full) {
		mss = full;
		if (mss <= 0)
			return 0;
	}
	if (free < (full >> 1)) {
		icsk->icsk_ack.quick = 0;
		if (tcp_under_memory_pressure(sk))
			tcp_adjust_rcv_ssthresh(sk);
		free = round_down(free, 1 << tp->rx_opt.rcv_wscale);
		if (free < (allowed >> 4) || free < mss)
			return 0;
	}
	if (free > tp->rcv_ssthresh)
		free = tp->rcv_ssthresh;
	if (tp->rx_opt.rcv_wscale)
		window = ALIGN(free, 1 << tp->rx_opt.rcv_wscale);
	else
		window = rounddown(free, mss);
	return window;
}
