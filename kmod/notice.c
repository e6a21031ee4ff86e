// SPDX-License-Identifier: GPL-2.0
/*
 * A connection became established.
 *
 * Three ways lead here: the kernel's tracepoint of socket states (unmodified
 * applications), the NIC driver's classifier (figure 4D: the hand-off starts
 * when the handshake's last segment has passed), and TCP_ULP (conn.c).
 */
#include <linux/tracepoint.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>
#include <trace/events/sock.h>

#include "conn.h"
#include "device.h"
#include "trace.h"

/*
 * The tracepoint fires before the rest of tcp_finish_connect() and before
 * accept(); the classifier's word, or this delay, lets the stack finish first.
 */
#define TOE_NOTICE_DELAY	msecs_to_jiffies(4)
#define TOE_NOTICE_SMALL	msecs_to_jiffies(20)

static struct tracepoint *toe_tp_state;
static LIST_HEAD(toe_noticed);		/* struct toe_sonode.noticed, work pending */
static DEFINE_SPINLOCK(toe_noticed_lock);	/* protects toe_noticed */

/* Enrol a socket whose connection leaves by a card that is switched on. */
void toe_notice_sk(struct sock *sk, struct toe_dev *dev, enum toe_role role,
		   unsigned long delay)
{
	bool wanted = READ_ONCE(dev->enabled) && toe_dev_usable(dev);
	bool small = READ_ONCE(dev->admit.min_bytes);
	struct toe_sonode *sn;

	rcu_read_lock();
	sn = toe_sk_sonode(sk);
	if (sn)		/* flagged before connect() */
		toe_conn_schedule(sn, delay);
	rcu_read_unlock();
	if (sn || !wanted)
		return;

	sn = toe_conn_create(sk, GFP_ATOMIC);
	if (!sn)
		return;
	sn->role = role;
	spin_lock_bh(&toe_noticed_lock);
	/* There is no hurry with what has to prove itself first. */
	if (!small)
		list_add_tail(&sn->noticed, &toe_noticed);
	toe_conn_schedule(sn, small ? max(delay, TOE_NOTICE_SMALL) : delay);
	spin_unlock_bh(&toe_noticed_lock);
	toe_conn_put(sn);
}

/**
 * toe_notice_taken() - the hand-off of a noticed connection begins
 * @sn: connection
 */
void toe_notice_taken(struct toe_sonode *sn)
{
	if (list_empty_careful(&sn->noticed))
		return;
	spin_lock_bh(&toe_noticed_lock);
	list_del_init(&sn->noticed);
	spin_unlock_bh(&toe_noticed_lock);
}

/* New connection offload process: a SYN or SYN+ACK was seen. */
void toe_rx_handshake(struct toe_device *tdev)
{
	toe_count(tdev->priv, TOE_CNT_HANDSHAKES, 1);
}
EXPORT_SYMBOL_GPL(toe_rx_handshake);

/* Offload complete process: the stack has the handshake's last segment. */
void toe_rx_handshake_done(struct toe_device *tdev)
{
	struct toe_sonode *sn, *next;

	toe_count(tdev->priv, TOE_CNT_HANDSHAKES_DONE, 1);
	if (list_empty_careful(&toe_noticed))
		return;
	spin_lock_bh(&toe_noticed_lock);
	list_for_each_entry_safe(sn, next, &toe_noticed, noticed) {
		list_del_init(&sn->noticed);
		toe_conn_schedule(sn, 0);
	}
	spin_unlock_bh(&toe_noticed_lock);
}
EXPORT_SYMBOL_GPL(toe_rx_handshake_done);

void toe_rx_frame_closing(struct toe_device *tdev, u32 tid)
{
	toe_count(tdev->priv, TOE_CNT_FRAME_CLOSING, 1);
}
EXPORT_SYMBOL_GPL(toe_rx_frame_closing);

static void toe_on_state(void *data, const struct sock *sk, const int oldstate,
			 const int newstate)
{
	struct toe_dev *dev;

	if (newstate != TCP_ESTABLISHED || sk->sk_protocol != IPPROTO_TCP ||
	    !toe_dev_any())
		return;
	dev = toe_policy_device((struct sock *)sk);
	if (!dev)
		return;
	toe_notice_sk((struct sock *)sk, dev, oldstate == TCP_SYN_SENT ?
		      TOE_ROLE_OPENED : TOE_ROLE_ACCEPTED, TOE_NOTICE_DELAY);
	toe_dev_put(dev);
}

/*
 * Does an established socket's connection leave by @dev?  Without a route, or with an
 * old one, the hand-off looks for a new one and drops what doesn't lead to a card.
 */
static bool toe_notice_leaves(struct sock *sk, const struct toe_dev *dev)
{
	const struct dst_entry *dst = __sk_dst_get(sk);

	if (!dst || dst->obsolete > 0)
		return net_eq(sock_net(sk), dev_net(dev->netdev));
	return dst->dev == dev->netdev || toe_dev_has_vlan(dev, dst->dev);
}

/* Found established: known and waiting, or new? */
static void toe_notice_found(struct sock *sk, struct toe_dev *dev)
{
	struct toe_sonode *sn = toe_conn_of(sk);

	if (!sn) {
		if (!toe_admit_missing(sk))
			toe_notice_sk(sk, dev, TOE_ROLE_UNKNOWN, 0);
		return;
	}
	if (READ_ONCE(sn->state) == TOE_NATIVE)
		toe_conn_schedule(sn, 0);
	toe_conn_put(sn);
}

/* A bucket of the table: sockets of @dev that are established already. */
static void toe_notice_bucket(struct inet_ehash_bucket *head, struct toe_dev *dev)
{
	struct hlist_nulls_node *node;
	struct sock *sk;

	sk_nulls_for_each_rcu(sk, node, &head->chain) {
		if (sk->sk_state != TCP_ESTABLISHED ||
		    sk->sk_protocol != IPPROTO_TCP ||
		    !refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		if (sk->sk_state == TCP_ESTABLISHED && toe_sk_native(sk) &&
		    toe_notice_leaves(sk, dev))
			toe_notice_found(sk, dev);
		sock_put(sk);
	}
}

/**
 * toe_notice_existing() - offload what is established already
 * @dev: card that was switched on
 *
 * Context: process.
 */
void toe_notice_existing(struct toe_dev *dev)
{
	struct inet_hashinfo *info = compat_tcp_hashinfo(dev_net(dev->netdev));
	unsigned int i;

	for (i = 0; i <= info->ehash_mask; i++) {
		if (hlist_nulls_empty(&info->ehash[i].chain))
			continue;
		rcu_read_lock();
		toe_notice_bucket(&info->ehash[i], dev);
		rcu_read_unlock();
		cond_resched();
	}
}

static void toe_find_tracepoint(struct tracepoint *tp, void *priv)
{
	if (!strcmp(tp->name, "inet_sock_set_state"))
		toe_tp_state = tp;
}

int toe_notice_init(void)
{
	/* The tracepoint's symbol isn't exported; the walk over all is. */
	for_each_kernel_tracepoint(toe_find_tracepoint, NULL);
	if (!toe_tp_state) {
		pr_err("no tracepoint sock:inet_sock_set_state: CONFIG_TRACEPOINTS is needed\n");
		return -ENOENT;
	}
	return tracepoint_probe_register(toe_tp_state, toe_on_state, NULL);
}

void toe_notice_uninit(void)
{
	tracepoint_probe_unregister(toe_tp_state, toe_on_state, NULL);
	tracepoint_synchronize_unregister();
}
