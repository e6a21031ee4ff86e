// SPDX-License-Identifier: GPL-2.0
/*
 * SONODE, CONNT, HW_CONN_T: the object of one connection, its table, its life.
 *
 * Second design document: the socket layer's connection table maps identifiers
 * to SONODEs (toe_sonodes below); a SONODE points to CONNT (sonode->connt) and
 * holds the hardware identifier (sonode->hw.tid); HW_CONN_T holds the socket
 * layer's identifier (hw.host_id) and leads back by container_of().  CONNT leads
 * to SONODE through icsk_ulp_data while the two belong together.
 */
#include <linux/hashtable.h>
#include <linux/xarray.h>

#include "conn.h"
#include "device.h"
#include "trace.h"

/**
 * DOC: Locking and life of a connection
 *
 * Order: device switch_lock, socket lock (owner), socket spinlock, sonode->lock,
 * toe_dev.lock, the driver's own.
 *
 * What belongs to the socket (its queues, sequence numbers, the ev_ fields and
 * rxq of the sonode) is touched with the socket's spinlock held, by BH only if
 * no user owns the socket.  A user's thread that owns the socket takes the
 * spinlock on top when it drains events.  What can't be done because a user owns
 * the socket waits in the ev_ fields and is done in toe_release_cb().
 *
 * References: the creator's, which passes to the delayed work and is kept until
 * the connection is given up; one for icsk_ulp_data; one for the card from BEGIN
 * until the driver has said its last word.
 *
 * Module unload: no frame of this module ever lies on a stack that sleeps for
 * long.  The replaced socket calls end in tail calls into the kernel; those that
 * wait do so for a recall, which is bounded.
 */

static DEFINE_XARRAY_FLAGS(toe_sonodes, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);
static u32 toe_sonode_next;

/*
 * A socket in the kernel's stack doesn't know that it has a SONODE which waits: this
 * is for those that look at all sockets.
 */
static DEFINE_HASHTABLE(toe_by_sock, 12);
static DEFINE_SPINLOCK(toe_by_sock_lock);	/* protects toe_by_sock */

/**
 * toe_conn_create() - make the SONODE of a socket and enter it in the table
 * @sk: CONNT; a reference is taken
 * @gfp: allocation context
 *
 * Context: any.
 * Return: the object with one reference, or NULL.
 */
struct toe_sonode *toe_conn_create(struct sock *sk, gfp_t gfp)
{
	struct toe_sonode *sn;

	sn = kzalloc_obj(*sn, gfp);
	if (!sn)
		return NULL;

	kref_init(&sn->ref);
	spin_lock_init(&sn->lock);
	INIT_LIST_HEAD(&sn->node);
	INIT_LIST_HEAD(&sn->noticed);
	INIT_DELAYED_WORK(&sn->work, toe_handoff_work);
	__skb_queue_head_init(&sn->rxq);
	init_waitqueue_head(&sn->wq);
	sock_hold(sk);
	sn->connt = sk;
	sn->since = jiffies;

	/* Whoever walks the table sees it from here on. */
	if (xa_alloc_cyclic_bh(&toe_sonodes, &sn->conn_id, sn, xa_limit_31b,
			       &toe_sonode_next, gfp) < 0) {
		sock_put(sk);
		kfree(sn);
		return NULL;
	}
	sn->hw.host_id = sn->conn_id;
	spin_lock_bh(&toe_by_sock_lock);
	hash_add(toe_by_sock, &sn->by_sock, (unsigned long)sk);
	spin_unlock_bh(&toe_by_sock_lock);
	return sn;
}

void toe_conn_get(struct toe_sonode *sn)
{
	kref_get(&sn->ref);
}

static void toe_conn_free(struct kref *ref)
{
	struct toe_sonode *sn = container_of(ref, struct toe_sonode, ref);

	xa_erase_bh(&toe_sonodes, sn->conn_id);
	spin_lock_bh(&toe_by_sock_lock);
	hash_del(&sn->by_sock);
	spin_unlock_bh(&toe_by_sock_lock);
	toe_admit_wait_end(sn);
	__skb_queue_purge(&sn->rxq);
	if (sn->dev)
		toe_dev_put(sn->dev);
	sock_put(sn->connt);
	kfree_rcu(sn, rcu);
}

/**
 * toe_conn_put() - drop a reference
 * @sn: connection
 *
 * Context: any.  The last reference also drops the one on the socket.
 */
void toe_conn_put(struct toe_sonode *sn)
{
	kref_put(&sn->ref, toe_conn_free);
}

/**
 * toe_conn_next() - walk the connection state table
 * @id: where to go on; set to the identifier found
 *
 * Context: process.
 * Return: the object with a reference, or NULL at the end.
 */
struct toe_sonode *toe_conn_next(unsigned long *id)
{
	struct toe_sonode *sn;

	rcu_read_lock();
	do {
		sn = xa_find_after(&toe_sonodes, id, ULONG_MAX, XA_PRESENT);
	} while (sn && !kref_get_unless_zero(&sn->ref));
	rcu_read_unlock();
	return sn;
}

/**
 * toe_conn_find() - look an identifier up in the connection state table
 * @id: SOCKET LAYER CONNECTION IDENTIFIER
 *
 * Context: process.
 * Return: the object with a reference, or NULL.
 */
struct toe_sonode *toe_conn_find(u32 id)
{
	struct toe_sonode *sn;

	rcu_read_lock();
	sn = xa_load(&toe_sonodes, id);
	if (sn && !kref_get_unless_zero(&sn->ref))
		sn = NULL;
	rcu_read_unlock();
	return sn;
}

/**
 * toe_conn_of() - the SONODE of a socket, also while the socket doesn't know it
 * @sk: any TCP socket
 *
 * Context: any.
 * Return: the object with a reference, or NULL.
 */
struct toe_sonode *toe_conn_of(const struct sock *sk)
{
	struct toe_sonode *sn;

	spin_lock_bh(&toe_by_sock_lock);
	hash_for_each_possible(toe_by_sock, sn, by_sock, (unsigned long)sk)
		if (sn->connt == sk && kref_get_unless_zero(&sn->ref))
			break;
	spin_unlock_bh(&toe_by_sock_lock);
	return sn;
}

/**
 * toe_sk_sonode() - from CONNT to SONODE
 * @sk: any TCP socket
 *
 * Context: socket lock, socket spinlock or RCU.
 */
struct toe_sonode *toe_sk_sonode(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (READ_ONCE(icsk->icsk_ulp_ops) != &toe_ulp_ops)
		return NULL;
	return rcu_dereference_raw(icsk->icsk_ulp_data);
}

/**
 * toe_sk_offloaded() - does the card have this socket's connection?
 * @sk: any TCP socket
 *
 * Context: any.  Without the socket's lock the answer may be old.
 */
bool toe_sk_offloaded(const struct sock *sk)
{
	struct toe_sonode *sn;
	bool offloaded;

	rcu_read_lock();
	sn = toe_sk_sonode(sk);
	offloaded = sn && READ_ONCE(sn->state) == TOE_OFFLOADED;
	rcu_read_unlock();
	return offloaded;
}

/* Make @sn the ULP of @sk.  Socket lock or spinlock held; no other ULP is there. */
void toe_conn_attach(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (sn->attached)
		return;
	toe_conn_get(sn);
	sn->attached = true;
	rcu_assign_pointer(icsk->icsk_ulp_data, sn);
	WRITE_ONCE(icsk->icsk_ulp_ops, &toe_ulp_ops);
}

/* The inverse.  The caller holds a reference of its own. */
void toe_conn_detach(struct toe_sonode *sn, struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (!sn->attached)
		return;
	sn->attached = false;
	toe_sk_flag(sk, false);
	WRITE_ONCE(icsk->icsk_ulp_ops, NULL);
	rcu_assign_pointer(icsk->icsk_ulp_data, NULL);
	toe_conn_put(sn);
}

/**
 * toe_conn_yield_locked() - somebody else wants to take the socket over
 * @sk: TCP socket
 * @why: reason of the recall, if it is offloaded
 *
 * Calls the connection back and takes our ULP off, for good: were it offered again, the
 * stack could find ours there a moment later.
 *
 * Context: process, socket locked; may sleep.
 */
void toe_conn_yield_locked(struct sock *sk, enum toe_recall why)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);

	if (sn) {
		toe_conn_get(sn);
		spin_lock_bh(&sn->lock);
		sn->closing = true;
		spin_unlock_bh(&sn->lock);
	}
	toe_recall_sync(sk, why);
	if (sn) {
		toe_conn_detach(sn, sk);	/* still there if it is flagged */
		toe_conn_put(sn);
	}
}

/* The same; socket not locked. */
void toe_conn_yield(struct sock *sk, enum toe_recall why)
{
	lock_sock(sk);
	toe_conn_yield_locked(sk, why);
	release_sock(sk);
}

/* Run the hand-off work after @delay jiffies, with a reference of its own. */
void toe_conn_schedule(struct toe_sonode *sn, unsigned long delay)
{
	toe_conn_get(sn);
	if (mod_delayed_work(toe_wq, &sn->work, delay))
		toe_conn_put(sn);	/* was queued and has its reference */
}

/**
 * toe_conn_pin() - a connection has to stay in the stack for a while
 * @sk: TCP socket
 *
 * What the card has is still to be called back; but it isn't offered again before
 * toe_conn_unpin(), however long that takes.
 *
 * Context: any, the socket's lock isn't needed.
 * Return: the object with a reference, or NULL: it has none, so nobody offers it.
 */
struct toe_sonode *toe_conn_pin(struct sock *sk)
{
	struct toe_sonode *sn = toe_conn_of(sk);

	if (sn) {
		spin_lock_bh(&sn->lock);
		sn->pins++;
		spin_unlock_bh(&sn->lock);
	}
	return sn;
}

/* May it not be offered now?  Then toe_conn_unpin() will offer it. */
bool toe_conn_pinned(struct toe_sonode *sn)
{
	bool pinned;

	spin_lock_bh(&sn->lock);
	pinned = sn->pins;
	sn->offer |= pinned;
	spin_unlock_bh(&sn->lock);
	return pinned;
}

/**
 * toe_conn_unpin() - the card may have it again
 * @sn: from toe_conn_pin(), or NULL; its reference is dropped
 *
 * Context: any.
 */
void toe_conn_unpin(struct toe_sonode *sn)
{
	if (!sn)
		return;
	spin_lock_bh(&sn->lock);
	if (!--sn->pins && sn->offer) {
		sn->offer = false;
		if (!sn->closing)
			toe_conn_schedule(sn, 0);
	}
	spin_unlock_bh(&sn->lock);
	toe_conn_put(sn);
}

/* setsockopt(TCP_ULP, "toe"): offload this one, whatever the switch says. */
static int toe_ulp_init(struct sock *sk)
{
	struct toe_sonode *sn;

	if (sk->sk_state != TCP_ESTABLISHED && sk->sk_state != TCP_CLOSE)
		return -ENOTCONN;
	if (!toe_sk_native(sk))
		return -EBUSY;

	sn = toe_conn_create(sk, GFP_KERNEL);
	if (!sn)
		return -ENOMEM;

	sn->flagged = true;
	/* The core sets icsk_ulp_ops itself after this; the same value. */
	toe_conn_attach(sn, sk);
	toe_sk_flag(sk, true);
	/* The core takes it away from whatever has a ULP; sending is native here. */
	if (sk->sk_socket)
		set_bit(SOCK_SUPPORT_ZC, &sk->sk_socket->flags);
	if (sk->sk_state == TCP_ESTABLISHED)
		toe_conn_schedule(sn, 0);
	toe_conn_put(sn);
	return 0;
}

/*
 * The socket is being destroyed.  Normally toe_close() has called the connection
 * back before; if the stack gave it up by itself (a native close that had begun
 * before the swap, an abort) the card is told to forget it.
 */
static void toe_ulp_release(struct sock *sk)
{
	struct toe_sonode *sn = toe_sk_sonode(sk);

	if (!sn)
		return;
	toe_conn_get(sn);
	spin_lock_bh(&sn->lock);
	sn->closing = true;
	spin_unlock_bh(&sn->lock);
	toe_recall_start(sn, TOE_RECALL_DESTROY);
	toe_sk_restore(sn, sk);
	toe_sk_flag(sk, false);
	__skb_queue_purge(&sn->rxq);
	/* tcp_cleanup_ulp() still reads icsk_ulp_ops, and clears it. */
	sn->attached = false;
	rcu_assign_pointer(inet_csk(sk)->icsk_ulp_data, NULL);
	toe_conn_put(sn);	/* icsk_ulp_data's */
	toe_conn_put(sn);
}

/* All references of sockets to these are gone before the module is (main.c). */
struct tcp_ulp_ops toe_ulp_ops = {
	.name		= "toe",
	.owner		= NULL,
	.init		= toe_ulp_init,
	.release	= toe_ulp_release,
};

int toe_conn_init(void)
{
	return tcp_register_ulp(&toe_ulp_ops);
}

void toe_conn_uninit(void)
{
	tcp_unregister_ulp(&toe_ulp_ops);
}
