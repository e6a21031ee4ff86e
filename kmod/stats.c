// SPDX-License-Identifier: GPL-2.0
/*
 * Figure 4C's third branch: statistics.
 *
 * The card's counters are folded into the socket's own and into the system's
 * (/proc/net/snmp) as differences, so that they stay true when the connection
 * goes back.  What is a state and not a count (congestion window, RTO, ...)
 * stays the card's and enters the answer on its way back: getsockopt(TCP_INFO)'s in
 * the program's memory, since compilers inline part of tcp_get_info() there;
 * inet_diag's, which calls it from a module, by a return probe.  Arming that patches
 * the kernel's text, so it stays armed for a while after the last connection has
 * gone.
 */
#include <linux/kprobes.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"

#define TOE_QUERY_WAIT	msecs_to_jiffies(200)
#define TOE_INFO_IDLE	(60 * HZ)

#define DELTA(st, seen, field, bits) \
	(le##bits##_to_cpu((st)->field) - le##bits##_to_cpu((seen)->field))

/**
 * toe_stats_fold() - bring the socket's and the system's counters up to @st
 * @sn: connection
 * @sk: its socket
 * @st: the card's figures, newer than sn->seen
 *
 * Context: socket spinlock held.
 */
void toe_stats_fold(struct toe_sonode *sn, struct sock *sk,
		    const struct toe_conn_stats *st)
{
	u64 segs_out = DELTA(st, &sn->seen, segs_out, 64);
	u64 segs_in = DELTA(st, &sn->seen, segs_in, 64);
	u32 retrans = DELTA(st, &sn->seen, retrans_segs, 32);
	struct tcp_sock *tp = tcp_sk(sk);
	struct net *net = sock_net(sk);

	tp->segs_out += segs_out;
	tp->segs_in += segs_in;
	tp->data_segs_in += DELTA(st, &sn->seen, data_segs_in, 64);
	WRITE_ONCE(tp->data_segs_out, tp->data_segs_out +
		   DELTA(st, &sn->seen, data_segs_out, 64));
	WRITE_ONCE(tp->bytes_sent, tp->bytes_sent +
		   DELTA(st, &sn->seen, bytes_out, 64));
	tp->bytes_retrans += DELTA(st, &sn->seen, bytes_retrans, 64);
	tp->total_retrans += retrans;
	tp->dsack_dups += DELTA(st, &sn->seen, dsack_dups, 32);
	tp->reord_seen += DELTA(st, &sn->seen, reord_seen, 32);
	tp->rcv_ooopack += DELTA(st, &sn->seen, ooo_segs, 32);
	tp->delivered_ce += DELTA(st, &sn->seen, delivered_ce, 32);
	if (st->srtt_us) {
		tp->srtt_us = le32_to_cpu(st->srtt_us) << 3;
		tp->mdev_us = le32_to_cpu(st->rttvar_us) << 2;
		tp->rttvar_us = max_t(u32, tp->mdev_us,
				      jiffies_to_usecs(inet_csk(sk)->icsk_rto_min));
	}
	if (st->min_rtt_us)
		minmax_reset(&tp->rtt_min, tcp_jiffies32,
			     le32_to_cpu(st->min_rtt_us));

	/* OutSegs doesn't count retransmissions (RFC 4022). */
	TCP_ADD_STATS(net, TCP_MIB_OUTSEGS, (long)(segs_out - retrans));
	TCP_ADD_STATS(net, TCP_MIB_INSEGS, (long)segs_in);
	TCP_ADD_STATS(net, TCP_MIB_RETRANSSEGS, retrans);

	if (sn->dev) {
		toe_count(sn->dev, TOE_CNT_TX_SEGS, segs_out);
		toe_count(sn->dev, TOE_CNT_RX_SEGS, segs_in);
		toe_count(sn->dev, TOE_CNT_RETRANS_SEGS, retrans);
	}
	sn->seen = *st;
	sn->seen_jiffies = jiffies;
}

/**
 * toe_stats_refresh() - fold what the card has written last
 * @sn: connection
 * @sk: its socket
 *
 * Context: socket spinlock held.
 */
void toe_stats_refresh(struct toe_sonode *sn, struct sock *sk)
{
	struct toe_conn_stats st;
	bool valid = false;

	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED) {
		sn->hw.tdev->ops->conn_stats(&sn->hw, &st);
		valid = true;
	}
	spin_unlock_bh(&sn->lock);
	if (valid)
		toe_stats_fold(sn, sk, &st);
}

/**
 * toe_stats_query() - have the card's figures of this moment
 * @sk: socket
 *
 * Context: process, socket not locked; sleeps a few hundred microseconds.
 */
void toe_stats_query(struct sock *sk)
{
	struct toe_sonode *sn;
	int err = -ENOENT;

	lock_sock(sk);
	sn = toe_sk_sonode(sk);
	if (!sn) {
		release_sock(sk);
		return;
	}
	toe_conn_get(sn);
	spin_lock_bh(&sn->lock);
	WRITE_ONCE(sn->ev_queried, false);
	if (sn->state == TOE_OFFLOADED)
		err = sn->hw.tdev->ops->conn_query(&sn->hw);
	spin_unlock_bh(&sn->lock);
	if (!err)
		wait_event_timeout(sn->wq, READ_ONCE(sn->ev_queried) ||
				   READ_ONCE(sn->ev_recalled), TOE_QUERY_WAIT);
	spin_lock_bh(&sk->sk_lock.slock);
	toe_stats_refresh(sn, sk);
	spin_unlock_bh(&sk->sk_lock.slock);
	toe_conn_put(sn);
	release_sock(sk);
}

struct toe_info_call {
	struct sock *sk;
	struct tcp_info *info;
};

static int toe_info_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct toe_info_call *call = (void *)ri->data;

	call->sk = (struct sock *)regs_get_kernel_argument(regs, 0);
	call->info = (struct tcp_info *)regs_get_kernel_argument(regs, 1);
	return !toe_sk_offloaded(call->sk);
}
NOKPROBE_SYMBOL(toe_info_entry);

/* 612: the answer, with the card's figures. */
static void toe_info_fill(struct sock *sk, struct tcp_info *info)
{
	const struct toe_conn_stats *st;
	struct toe_sonode *sn;
	u32 mss;

	rcu_read_lock();
	sn = toe_sk_sonode(sk);
	if (sn && sn->seen.snd_cwnd) {
		st = &sn->seen;
		mss = max_t(u32, tcp_sk(sk)->mss_cache, 1);
		info->tcpi_ca_state = le32_to_cpu(st->ca_state);
		info->tcpi_backoff = le32_to_cpu(st->backoff);
		info->tcpi_rto = le32_to_cpu(st->rto_us);
		info->tcpi_snd_cwnd = le32_to_cpu(st->snd_cwnd) / mss;
		info->tcpi_snd_ssthresh = TCP_INFINITE_SSTHRESH;
		if (st->snd_ssthresh != cpu_to_le32(~0U))
			info->tcpi_snd_ssthresh = le32_to_cpu(st->snd_ssthresh) / mss;
		info->tcpi_sacked = le32_to_cpu(st->sacked_out);
		info->tcpi_lost = le32_to_cpu(st->lost_out);
		info->tcpi_retrans = le32_to_cpu(st->retrans_out);
		compat_tcp_info_snd_wnd(info, sn->wnd);
	}
	rcu_read_unlock();
}
NOKPROBE_SYMBOL(toe_info_fill);

/**
 * toe_stats_info() - complete the kernel's answer to getsockopt(TCP_INFO)
 * @sk: socket
 * @optval: the answer
 * @optlen: its length, bytes
 *
 * Context: process; socket not locked.
 * Return: 0, or -EFAULT if the program has taken its memory away.
 */
int toe_stats_info(struct sock *sk, char __user *optval, int __user *optlen)
{
	struct tcp_info info = {};
	int len;

	if (!toe_sk_offloaded(sk))
		return 0;
	if (get_user(len, optlen))
		return -EFAULT;
	len = clamp_t(int, len, 0, sizeof(info));
	if (copy_from_user(&info, optval, len))
		return -EFAULT;
	toe_info_fill(sk, &info);
	return copy_to_user(optval, &info, len) ? -EFAULT : 0;
}

static int toe_info_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct toe_info_call *call = (void *)ri->data;

	toe_info_fill(call->sk, call->info);
	return 0;
}
NOKPROBE_SYMBOL(toe_info_return);

static struct kretprobe toe_info_probe = {
	.kp.symbol_name	= "tcp_get_info",
	.entry_handler	= toe_info_entry,
	.handler	= toe_info_return,
	.data_size	= sizeof(struct toe_info_call),
	.maxactive	= 64,
};

static bool toe_info_probed;
static bool toe_info_armed;		/* toe_info_lock */
static DEFINE_MUTEX(toe_info_lock);

/**
 * toe_stats_arm() - a connection is being offloaded
 *
 * Context: process.
 */
void toe_stats_arm(void)
{
	if (!toe_info_probed || READ_ONCE(toe_info_armed))
		return;
	mutex_lock(&toe_info_lock);
	if (!toe_info_armed)
		WRITE_ONCE(toe_info_armed,
			   !enable_kretprobe(&toe_info_probe));
	mutex_unlock(&toe_info_lock);
}

static void toe_info_disarm_work(struct work_struct *work)
{
	mutex_lock(&toe_info_lock);
	if (toe_info_armed && !toe_dev_any_active() &&
	    !disable_kretprobe(&toe_info_probe))
		WRITE_ONCE(toe_info_armed, false);
	mutex_unlock(&toe_info_lock);
}

static DECLARE_DELAYED_WORK(toe_info_disarm, toe_info_disarm_work);

/**
 * toe_stats_disarm() - a card has no connection any more
 *
 * The probe goes if none has come for a minute.
 *
 * Context: any.
 */
void toe_stats_disarm(void)
{
	mod_delayed_work(toe_wq, &toe_info_disarm, TOE_INFO_IDLE);
}

int toe_stats_init(void)
{
	int err;

	toe_info_probe.kp.flags = KPROBE_FLAG_DISABLED;
	err = register_kretprobe(&toe_info_probe);
	toe_info_probed = !err;
	if (err)
		pr_warn("no return probe on tcp_get_info() (%d): ss lacks the card's congestion state\n",
			err);
	return 0;
}

void toe_stats_uninit(void)
{
	cancel_delayed_work_sync(&toe_info_disarm);
	if (toe_info_probed)
		unregister_kretprobe(&toe_info_probe);
}
