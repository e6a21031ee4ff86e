// SPDX-License-Identifier: GPL-2.0
/*
 * What holds a sender back: TCP_INFO's busy, receiver-limited and buffer-limited times.
 *
 * The stack's own answer is wrong while the card has the connection: it has handed the
 * card all that the peer's window takes, whatever the congestion window is.
 */
#include <net/tcp.h>

#include "conn.h"

/* tcp_chrono_set() is in a header from 7.0 on only. */
static void toe_chrono_set(struct tcp_sock *tp, enum tcp_chrono type)
{
	const u32 now = tcp_jiffies32;
	enum tcp_chrono old = tp->chrono_type;

	if (old > TCP_CHRONO_UNSPEC)
		WRITE_ONCE(tp->chrono_stat[old - 1],
			   tp->chrono_stat[old - 1] + now - tp->chrono_start);
	WRITE_ONCE(tp->chrono_start, now);
	tp->chrono_type = type;
}

static enum tcp_chrono toe_chrono_type(const struct toe_sonode *sn,
				       struct sock *sk)
{
	u32 cwnd = le32_to_cpu(sn->seen.snd_cwnd);
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct sk_buff *head;

	if (tcp_rtx_and_write_queues_empty(sk))
		return TCP_CHRONO_UNSPEC;
	if (sn->posted - tp->snd_una > cwnd)	/* or it isn't known yet */
		return TCP_CHRONO_BUSY;

	head = tcp_send_head(sk);
	if (head)
		return after(TCP_SKB_CB(head)->end_seq, tcp_wnd_end(tp)) ?
		       TCP_CHRONO_RWND_LIMITED : TCP_CHRONO_BUSY;
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		return TCP_CHRONO_SNDBUF_LIMITED;
	return TCP_CHRONO_BUSY;
}

/**
 * toe_chrono_update() - something was sent, acknowledged or queued
 * @sn: connection, offloaded
 * @sk: its socket
 *
 * Context: socket spinlock held, or it is owned.
 */
void toe_chrono_update(const struct toe_sonode *sn, struct sock *sk)
{
	enum tcp_chrono type = toe_chrono_type(sn, sk);

	if (tcp_sk(sk)->chrono_type != type)
		toe_chrono_set(tcp_sk(sk), type);
}
