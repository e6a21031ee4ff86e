// SPDX-License-Identifier: GPL-2.0
/*
 * Figure 4C's third branch: statistics.
 *
 * The card's counters are folded into the socket's own and into the system's
 * (mib.c) as differences, so that they stay true when the connection
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

/* What happened last, and the peer's segments: states that the socket keeps too. */
static void toe_fold_state(struct sock *sk, const struct toe_conn_stats *st,
			   const struct toe_conn_stats *seen)
{
	u32 rcv_mss = le32_to_cpu(st->rcv_mss);
	struct tcp_sock *tp = tcp_sk(sk);

	if (DELTA(st, seen, data_segs_out, 64))
		tp->lsndtime = tcp_jiffies32 -
			       msecs_to_jiffies(le32_to_cpu(st->snd_idle_ms));
	if (DELTA(st, seen, segs_in, 64))
		tp->rcv_tstamp = tcp_jiffies32 -
				 msecs_to_jiffies(le32_to_cpu(st->rcv_idle_ms));
	if (DELTA(st, seen, in_ect1, 32) || DELTA(st, seen, in_ect0, 32) ||
	    DELTA(st, seen, in_ce, 32))
		tp->ecn_flags |= TCP_ECN_SEEN;
	if (rcv_mss)
		inet_csk(sk)->icsk_ack.rcv_mss = clamp_t(u32, rcv_mss,
							 TCP_MIN_MSS, tp->advmss);
	tp->reordering = max_t(u32, tp->reordering,
			       min_t(u32, le32_to_cpu(st->reordering), U8_MAX));
	if (st->rate_us) {
		tp->rate_delivered = DIV_ROUND_UP(le32_to_cpu(st->rate_bytes),
						  max_t(u32, tp->mss_cache, 1));
		tp->rate_interval_us = le32_to_cpu(st->rate_us);
		tp->rate_app_limited = !!(le32_to_cpu(st->flags) &
					  TOE_CS_APP_LIMITED);
	}
}

static void toe_fold_rtt(struct sock *sk, const struct toe_conn_stats *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (st->srtt_us) {
		tp->srtt_us = le32_to_cpu(st->srtt_us) << 3;
		tp->mdev_us = le32_to_cpu(st->rttvar_us) << 2;
		tp->rttvar_us = max_t(u32, tp->mdev_us,
				      jiffies_to_usecs(inet_csk(sk)->icsk_rto_min));
	}
	if (st->min_rtt_us)
		minmax_reset(&tp->rtt_min, tcp_jiffies32,
			     le32_to_cpu(st->min_rtt_us));
}

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

	lockdep_assert_held(&sk->sk_lock.slock);

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
	/* As in the stack, a segment that the peer got twice was delivered twice. */
	tp->delivered += DELTA(st, &sn->seen, delivered, 32) +
			 DELTA(st, &sn->seen, dsack_recv_segs, 32);
	tp->delivered_ce += DELTA(st, &sn->seen, delivered_ce, 32);
	compat_tcp_count_rto(tp, DELTA(st, &sn->seen, rto_count, 32),
			     DELTA(st, &sn->seen, rto_episodes, 32),
			     DELTA(st, &sn->seen, rto_time_ms, 32));
	toe_fold_rtt(sk, st);
	toe_fold_state(sk, st, &sn->seen);
	toe_mib_fold(sk, st, &sn->seen);

	if (sn->dev) {
		toe_count(sn->dev, TOE_CNT_TX_SEGS, segs_out);
		toe_count(sn->dev, TOE_CNT_RX_SEGS, segs_in);
		toe_count(sn->dev, TOE_CNT_RETRANS_SEGS, retrans);
	}
	sn->seen = *st;
	sn->seen_jiffies = jiffies;
	sn->seen_una = tp->snd_una;
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
 * Others may have the socket meanwhile: the card may be long in answering.
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
	release_sock(sk);
	if (!err)
		wait_event_timeout(sn->wq, READ_ONCE(sn->ev_queried) ||
				   READ_ONCE(sn->ev_recalled), TOE_QUERY_WAIT);
	lock_sock(sk);
	spin_lock_bh(&sk->sk_lock.slock);
	toe_stats_refresh(sn, sk);
	spin_unlock_bh(&sk->sk_lock.slock);
	release_sock(sk);
	toe_conn_put(sn);
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

/* tcp_update_pacing_rate() is not exported, and doesn't run. Nobody paces by it. */
static u64 toe_info_pacing(const struct tcp_info *info, u32 mss)
{
	u32 percent = 120, cwnd = max(info->tcpi_snd_cwnd, info->tcpi_unacked);
	u64 rate;

	if (info->tcpi_snd_cwnd < info->tcpi_snd_ssthresh / 2)
		percent = 200;
	rate = (u64)mss * cwnd * USEC_PER_SEC / 100 * percent;
	return div_u64(rate, max_t(u32, info->tcpi_rtt, 1));
}
NOKPROBE_SYMBOL(toe_info_pacing);

/*
 * What the stack has handed over and the card hasn't sent yet.  Socket not locked: the
 * card's figures may be older than the stack's.
 */
static u32 toe_info_unsent(const struct toe_sonode *sn, const struct tcp_sock *tp)
{
	u32 posted = READ_ONCE(sn->posted);
	u32 sent = le32_to_cpu(sn->seen.snd_max);

	if (before(sent, READ_ONCE(tp->snd_una)))
		sent = READ_ONCE(tp->snd_una);
	return after(posted, sent) ? posted - sent : 0;
}
NOKPROBE_SYMBOL(toe_info_unsent);

static void toe_info_queues(const struct toe_sonode *sn, struct tcp_info *info,
			    const struct tcp_sock *tp)
{
	const struct toe_conn_stats *st = &sn->seen;
	u32 unsent = toe_info_unsent(sn, tp);

	info->tcpi_sacked = le32_to_cpu(st->sacked_out);
	info->tcpi_lost = le32_to_cpu(st->lost_out);
	info->tcpi_retrans = le32_to_cpu(st->retrans_out);
	info->tcpi_notsent_bytes += unsent;
	if (unsent)
		info->tcpi_unacked = le32_to_cpu(st->in_flight);
}
NOKPROBE_SYMBOL(toe_info_queues);

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
		info->tcpi_retransmits = le32_to_cpu(st->retries);
		info->tcpi_probes = le32_to_cpu(st->probes);
		info->tcpi_rto = le32_to_cpu(st->rto_us);
		info->tcpi_snd_cwnd = le32_to_cpu(st->snd_cwnd) / mss;
		info->tcpi_snd_ssthresh = TCP_INFINITE_SSTHRESH;
		if (st->snd_ssthresh != cpu_to_le32(~0U))
			info->tcpi_snd_ssthresh = le32_to_cpu(st->snd_ssthresh) / mss;
		toe_info_queues(sn, info, tcp_sk(sk));
		compat_tcp_info_snd_wnd(info, sn->wnd);
		compat_tcp_info_rcv_wnd(info, le32_to_cpu(st->rcv_wnd));
		info->tcpi_pacing_rate = toe_info_pacing(info, mss);
		/* The stack's estimate begins here, the card's is fixed here. */
		if (!info->tcpi_ato && info->tcpi_bytes_received)
			info->tcpi_ato = jiffies_to_usecs(TCP_ATO_MIN);
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
