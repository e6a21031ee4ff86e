// SPDX-License-Identifier: GPL-2.0
/*
 * Options that the card follows: TTL, type of service, keepalive, the user's
 * time-out, how often it sends again.  The stack has them first, then the card is told.
 */
#include <net/tcp.h>

#include "conn.h"
#include "device.h"

/* What the card is to know now.  Socket owned, its spinlock held. */
static enum toe_recall toe_params_tell(struct toe_sonode *sn, struct sock *sk,
				       bool keepalive)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct toe_cmd_set_params set = {
		.mask = cpu_to_le32(TOE_SET_KEEPALIVE | TOE_SET_USER_TIMEOUT |
				    TOE_SET_TTL | TOE_SET_TOS),
		.keepalive = cpu_to_le32(keepalive),
		.keep_idle_ms = cpu_to_le32(jiffies_to_msecs(keepalive_time_when(tp))),
		.keep_intvl_ms = cpu_to_le32(jiffies_to_msecs(keepalive_intvl_when(tp))),
		.keep_probes = cpu_to_le32(keepalive_probes(tp)),
		.user_timeout_ms = cpu_to_le32(inet_csk(sk)->icsk_user_timeout),
	};
	enum toe_recall why = TOE_RECALL_HOST;
	struct min_tcp st = {};

	lockdep_assert_held(&sk->sk_lock.slock);
	/* The type of service may lead another way. */
	if (toe_policy_path(sk, sn->dev, &st))
		return TOE_RECALL_POLICY;
	set.ttl = st.ttl;
	set.tos = st.tos;
	set.retries = st.retries;
	set.manner = st.manner;
	if (sn->hw.tdev->caps & TOE_CAP_TOE_MANNER)
		set.mask |= cpu_to_le32(TOE_SET_MANNER);
	else if (toe_manner_lacks(sk, sn->hw.tdev))
		return TOE_RECALL_SOCKOPT;
	spin_lock(&sn->lock);
	if (sn->state == TOE_OFFLOADED &&
	    sn->hw.tdev->ops->conn_set_params(&sn->hw, &set))
		why = TOE_RECALL_SOCKOPT;
	spin_unlock(&sn->lock);
	return why;
}

/**
 * toe_params_follow() - bring the card up to the socket's options
 * @sk: socket
 * @keepalive: whether it is to probe an idle peer
 *
 * If the card can't be told the connection is called back.
 *
 * Context: process, socket owned; may sleep.
 */
void toe_params_follow(struct sock *sk, bool keepalive)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);
	enum toe_recall why = TOE_RECALL_HOST;

	if (!sn || !READ_ONCE(sn->swapped))
		return;
	spin_lock_bh(&sk->sk_lock.slock);
	if (sn->state == TOE_OFFLOADED)
		why = toe_params_tell(sn, sk, keepalive);
	spin_unlock_bh(&sk->sk_lock.slock);
	if (why != TOE_RECALL_HOST)
		toe_recall_sync(sk, why);
	else	/* TCP_KEEPIDLE starts the stack's timer; the card has its own */
		tcp_prot.keepalive(sk, 0);
}

/**
 * toe_params_quickack() - TCP_QUICKACK was set
 * @sk: socket
 * @val: its value; odd: until something is sent, as the stack has it; even: once
 *
 * Context: process, socket owned; may sleep.
 */
void toe_params_quickack(struct sock *sk, int val)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);
	struct toe_cmd_set_params set = {
		.mask = cpu_to_le32(TOE_SET_QUICKACK),
		.quickack = cpu_to_le32(val & 1 ? TCP_MAX_QUICKACKS : !!val),
	};
	int err = 0;

	if (!sn || !READ_ONCE(sn->swapped))
		return;
	spin_lock_bh(&sn->lock);
	if (sn->state == TOE_OFFLOADED)
		err = sn->hw.tdev->ops->conn_set_params(&sn->hw, &set);
	spin_unlock_bh(&sn->lock);
	if (err)
		toe_recall_sync(sk, TOE_RECALL_SOCKOPT);
}
