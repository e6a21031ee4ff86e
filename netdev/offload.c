// SPDX-License-Identifier: GPL-2.0
/*
 * toe_device_ops on the command rings: the way from the filter to the card.
 *
 * What comes back is in event.c.  For the locks see DOC: locking in toenic.h.
 */
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>

#include "toenic.h"
#include "cmd.h"
#include "health.h"
#include "mirror.h"
#include "offload.h"
#include "send.h"
#include "sq.h"

#define TOENIC_SAME_INDEX	16	/* more is nonsense of the card's */

static void toenic_conn_free_rcu(struct rcu_head *rcu)
{
	struct toenic_conn *conn = container_of(rcu, struct toenic_conn, rcu);

	if (conn->block)
		dma_pool_free(conn->pair->nic->block_pool, conn->block,
			      conn->block_dma);
	kfree(conn->given);
	kfree(conn);
}

/**
 * toenic_conn_free_sends() - unmap and free what need not be kept
 * @conn: connection
 * @snd_una: acknowledged up to here
 * @all: whatever was acknowledged
 *
 * Context: BH disabled, sq.lock not held: freeing calls into the socket.
 */
void toenic_conn_free_sends(struct toenic_conn *conn, u32 snd_una, bool all)
{
	struct toenic_pair *pair = conn->pair;
	struct toenic_send *done = NULL;
	struct toenic_send **tail = &done;
	struct toenic_send *send;

	spin_lock(&pair->sq.lock);
	if (!all)
		conn->snd_una = snd_una;
	while ((send = conn->sends) &&
	       (all || !toenic_seq_before(snd_una, send->end_seq))) {
		conn->sends = send->next;
		conn->frags -= send->nmaps;
		send->next = NULL;
		*tail = send;
		tail = &send->next;
	}
	if (!conn->sends)
		conn->sends_tail = &conn->sends;
	spin_unlock(&pair->sq.lock);

	while ((send = done)) {
		done = send->next;
		toenic_send_free(pair->nic, send);
	}
}

/**
 * toenic_conn_enter() - a connection has its handle
 * @nic: the card
 * @conn: connection
 * @tid: that the card has given it
 *
 * The card uses an index again as soon as it has told the end of the connection before,
 * or of its hold; which may stand unread on another pair's ring.  So there may be several
 * with one index, each with a generation of its own.
 *
 * Context: NAPI.
 * Return: false if the card can't have given it.
 */
bool toenic_conn_enter(struct toenic *nic, struct toenic_conn *conn, u32 tid)
{
	u32 index = tid & TOE_TID_INDEX;
	struct toenic_conn *other;
	unsigned int n = 0;

	if (!tid || index >= nic->tdev.max_conns)
		return false;
	spin_lock(&nic->conns_lock);
	other = rcu_dereference_protected(nic->conns[index],
					  lockdep_is_held(&nic->conns_lock));
	RCU_INIT_POINTER(conn->older, other);
	while (other && other->tid != tid && ++n < TOENIC_SAME_INDEX)
		other = rcu_dereference_protected(other->older,
						  lockdep_is_held(&nic->conns_lock));
	if (!other) {
		conn->tid = tid;
		rcu_assign_pointer(nic->conns[index], conn);
	}
	spin_unlock(&nic->conns_lock);
	return !other;
}

/* Readers that stand on it may go on from it. */
static void toenic_conn_leave_table(struct toenic *nic, struct toenic_conn *conn)
{
	struct toenic_conn __rcu **at = &nic->conns[conn->tid & TOE_TID_INDEX];
	struct toenic_conn *other;

	spin_lock(&nic->conns_lock);
	while ((other = rcu_dereference_protected(*at, lockdep_is_held(&nic->conns_lock))) &&
	       other != conn)
		at = &other->older;
	if (other) {
		other = rcu_dereference_protected(conn->older,
						  lockdep_is_held(&nic->conns_lock));
		rcu_assign_pointer(*at, other);
	}
	spin_unlock(&nic->conns_lock);
}

/**
 * toenic_conn_end() - the driver's part of a connection is over
 * @nic: the card
 * @conn: connection
 *
 * Sent payload is unmapped and freed, callbacks that still come find nothing.
 * Context: BH disabled.
 * Return: the filter's part, to tell the filter with.
 */
struct toe_hw_conn *toenic_conn_end(struct toenic *nic,
				    struct toenic_conn *conn)
{
	struct toe_hw_conn *hc = conn->hc;

	spin_lock(&conn->pair->sq.lock);
	conn->state = TOENIC_CONN_GONE;
	conn->pending = 0;
	list_del_init(&conn->backlog);
	WRITE_ONCE(hc->priv, NULL);
	spin_unlock(&conn->pair->sq.lock);

	spin_lock(&nic->await_lock);
	conn->awaiting = 0;
	list_del_init(&conn->await);
	spin_unlock(&nic->await_lock);

	if (conn->tid)
		toenic_conn_leave_table(nic, conn);
	toenic_conn_free_sends(conn, 0, true);
	call_rcu(&conn->rcu, toenic_conn_free_rcu);
	return hc;
}

static void toenic_begin_fill(struct toe_cmd *cmd, const struct toe_flow *flow,
			      u32 host_id)
{
	struct toe_cmd_begin *begin = &cmd->begin;

	memcpy(begin->laddr, flow->laddr, sizeof(begin->laddr));
	memcpy(begin->raddr, flow->raddr, sizeof(begin->raddr));
	begin->lport = flow->lport;
	begin->rport = flow->rport;
	begin->family = flow->family;
	begin->host_id = cpu_to_le32(host_id);
}

static int toenic_conn_begin(struct toe_device *tdev, struct toe_hw_conn *hc,
			     const struct toe_flow *flow)
{
	struct toenic *nic = toenic_from_tdev(tdev);
	struct toenic_conn *conn;
	struct toenic_pair *pair;
	struct toe_cmd *cmd;
	int err;

	conn = kzalloc_obj(*conn, GFP_ATOMIC);
	if (!conn)
		return -ENOMEM;
	pair = &nic->pairs[raw_smp_processor_id() % READ_ONCE(nic->num_pairs)];
	conn->hc = hc;
	conn->pair = pair;
	conn->host_id = hc->host_id;
	conn->state = TOENIC_CONN_BEGUN;
	conn->sends_tail = &conn->sends;
	WRITE_ONCE(nic->rq_wanted, true);	/* the answer's poll fills the ring */
	INIT_LIST_HEAD(&conn->backlog);
	INIT_LIST_HEAD(&conn->await);

	err = xa_alloc_cyclic(&nic->begins, &conn->cookie, conn,
			      XA_LIMIT(1, U16_MAX), &nic->begin_next,
			      GFP_ATOMIC);
	if (err < 0) {
		kfree(conn);
		return err == -EBUSY ? -EAGAIN : err;
	}

	spin_lock(&pair->sq.lock);
	err = -ENODEV;
	if (!pair->sq.open || toenic_is_dead(nic))
		goto err_unlock;
	err = -EAGAIN;
	if (toenic_sq_room(&pair->sq) <= TOENIC_SQ_RESERVE) {
		toenic_sq_starve(pair);
		goto err_unlock;
	}
	cmd = toenic_sq_next(&pair->sq, TOE_CMD_BEGIN, 0);
	cmd->cookie = cpu_to_le16(conn->cookie);
	toenic_begin_fill(cmd, flow, hc->host_id);
	WRITE_ONCE(hc->priv, conn);
	toenic_await_start(nic, conn);
	pair->sq_counts.begins++;
	toenic_sq_publish(pair);
	spin_unlock(&pair->sq.lock);
	return 0;

err_unlock:
	spin_unlock(&pair->sq.lock);
	xa_erase(&nic->begins, conn->cookie);
	kfree_rcu(conn, rcu);	/* a hostile card may guess the cookie */
	return err;
}

static int toenic_conn_commit(struct toe_hw_conn *hc, const struct min_tcp *st)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);
	struct toe_conn_block *block;
	struct toenic_pair *pair;
	struct min_tcp *given;
	struct toe_cmd *cmd;
	dma_addr_t dma;
	int err;

	if (!conn)
		return -ENODEV;
	pair = conn->pair;
	given = kmemdup(st, sizeof(*st), GFP_ATOMIC);
	if (!given)
		return -ENOMEM;
	err = -ENOMEM;
	block = dma_pool_zalloc(pair->nic->block_pool, GFP_ATOMIC, &dma);
	if (!block)
		goto err_free_given;
	block->state = *st;

	spin_lock(&pair->sq.lock);
	err = -ENODEV;
	if (!pair->sq.open || conn->state != TOENIC_CONN_HELD)
		goto err_unlock;
	err = -EAGAIN;
	if (!toenic_sq_room(&pair->sq)) {
		toenic_sq_starve(pair);
		goto err_unlock;
	}
	conn->block = block;
	conn->block_dma = dma;
	conn->given = given;
	conn->snd_una = le32_to_cpu(st->snd_una);
	conn->snd_end = conn->snd_una;
	conn->snd_max = le32_to_cpu(st->snd_max);
	conn->rcv_next = le32_to_cpu(st->rcv_nxt);
	conn->edge = le32_to_cpu(st->rcv_adv);
	conn->state = TOENIC_CONN_ACTIVE;
	cmd = toenic_sq_next(&pair->sq, TOE_CMD_COMMIT, conn->tid);
	cmd->commit.block_addr = cpu_to_le64(dma);
	cmd->commit.host_id = cpu_to_le32(conn->host_id);
	cmd->commit.block_bytes = cpu_to_le32(sizeof(*block));
	toenic_await_start(pair->nic, conn);
	pair->sq_counts.commits++;
	toenic_sq_publish(pair);
	spin_unlock(&pair->sq.lock);
	return 0;

err_unlock:
	spin_unlock(&pair->sq.lock);
	dma_pool_free(pair->nic->block_pool, block, dma);
err_free_given:
	kfree(given);
	return err;
}

/* The connection leaves the card, by ABORT or RECALL.  False: it did already. */
static bool toenic_conn_leave(struct toenic_conn *conn, u8 from, u8 what)
{
	struct toenic_pair *pair = conn->pair;
	bool left;

	spin_lock(&pair->sq.lock);
	left = conn->state == from;
	if (left) {
		conn->state = TOENIC_CONN_LEAVING;
		toenic_await_start(pair->nic, conn);
		if (pair->sq.open)
			toenic_conn_post(conn, what);
	}
	spin_unlock(&pair->sq.lock);
	return left;
}

/**
 * toenic_conn_hold_over() - the card holds this flow's frames no longer
 * @conn: connection
 *
 * Context: NAPI.
 * Return: false if a command of ours is under way, whose answer ends it.
 */
bool toenic_conn_hold_over(struct toenic_conn *conn)
{
	bool over;

	spin_lock(&conn->pair->sq.lock);
	over = conn->state == TOENIC_CONN_HELD;
	if (over)
		conn->state = TOENIC_CONN_LEAVING;
	spin_unlock(&conn->pair->sq.lock);
	return over;
}

/**
 * toenic_conn_giveup() - recall a connection without having been asked
 * @conn: connection
 *
 * Context: NAPI.
 * Return: false if it is on its way already.
 */
bool toenic_conn_giveup(struct toenic_conn *conn)
{
	return toenic_conn_leave(conn, TOENIC_CONN_ACTIVE,
				 TOENIC_PENDING_RECALL);
}

static void toenic_conn_abort(struct toe_hw_conn *hc)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);

	if (conn)
		toenic_conn_leave(conn, TOENIC_CONN_HELD, TOENIC_PENDING_ABORT);
}

static void toenic_conn_recall(struct toe_hw_conn *hc)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);

	/* without one it has left by itself, and the filter was or is told */
	if (conn)
		toenic_conn_leave(conn, TOENIC_CONN_ACTIVE,
				  TOENIC_PENDING_RECALL);
}

/* Fill SEND commands with the pieces of @send. */
static void toenic_send_post(struct toenic_conn *conn, struct toenic_send *send,
			     u32 seq, u8 flags)
{
	struct toenic_pair *pair = conn->pair;
	u8 last = flags & (TOE_SEND_PUSH | TOE_SEND_EOR);
	struct toe_cmd *cmd;
	unsigned int done;
	unsigned int i;

	for (done = 0; done < send->nmaps; done += i) {
		cmd = toenic_sq_next(&pair->sq, TOE_CMD_SEND, conn->tid);
		cmd->flags = flags & ~last;
		cmd->send.seq = cpu_to_le32(seq);
		if (conn->pending & TOENIC_PENDING_CREDIT) {
			cmd->flags |= TOE_SEND_CREDIT;
			cmd->send.edge = cpu_to_le32(conn->edge);
			conn->pending &= ~TOENIC_PENDING_CREDIT;
		}
		for (i = 0; i < TOE_SEND_FRAGS && done + i < send->nmaps; i++) {
			cmd->send.addr[i] = cpu_to_le64(send->maps[done + i].dma);
			cmd->send.len[i] = cpu_to_le32(send->maps[done + i].len);
			seq += send->maps[done + i].len;
		}
		cmd->send.nfrags = cpu_to_le32(i);
		if (done + i == send->nmaps)
			cmd->flags |= last;
		pair->sq_counts.sends++;
	}
}

static int toenic_conn_send(struct toe_hw_conn *hc, struct sk_buff *skb,
			    u32 off, u32 len, u32 seq, u8 flags)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);
	struct toenic_send *send;
	struct toenic_pair *pair;
	u32 slots;
	int err;

	if (!conn)
		return -ENODEV;
	pair = conn->pair;
	send = toenic_send_map(pair->nic, skb, off, len, seq);
	if (IS_ERR(send))
		return PTR_ERR(send);

	slots = DIV_ROUND_UP(send->nmaps, TOE_SEND_FRAGS);
	spin_lock(&pair->sq.lock);
	err = -ENODEV;
	if (!pair->sq.open || conn->state != TOENIC_CONN_ACTIVE)
		goto err_unlock;
	err = -EINVAL;
	if (WARN_ON_ONCE(seq != conn->snd_end))
		goto err_unlock;
	err = -EAGAIN;
	if (conn->frags + send->nmaps > pair->nic->tdev.max_frags)
		goto err_unlock;	/* the next ACKED makes room */
	if (toenic_sq_room(&pair->sq) < slots + TOENIC_SQ_RESERVE) {
		toenic_sq_starve(pair);
		goto err_unlock;
	}
	toenic_send_post(conn, send, seq, flags & (TOE_SEND_PUSH |
						   TOE_SEND_SENT |
						   TOE_SEND_EOR));
	conn->frags += send->nmaps;
	conn->snd_end = seq + len;
	if (toenic_seq_before(conn->snd_max, conn->snd_end))
		conn->snd_max = conn->snd_end;
	*conn->sends_tail = send;
	conn->sends_tail = &send->next;
	pair->sq_counts.send_bytes += len;
	toenic_sq_publish(pair);
	spin_unlock(&pair->sq.lock);
	return 0;

err_unlock:
	spin_unlock(&pair->sq.lock);
	toenic_send_unmap(pair->nic, send);
	return err;
}

static void toenic_conn_credit(struct toe_hw_conn *hc, u32 edge)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);

	if (!conn)
		return;

	spin_lock(&conn->pair->sq.lock);
	if (conn->pair->sq.open && conn->state == TOENIC_CONN_ACTIVE &&
	    toenic_seq_before(conn->edge, edge)) {
		conn->edge = edge;
		toenic_conn_post(conn, TOENIC_PENDING_CREDIT);
	}
	spin_unlock(&conn->pair->sq.lock);
}

/* A command that may fail, of a connection that the card has. */
static int toenic_conn_command(struct toe_hw_conn *hc, u8 op,
			       const struct toe_cmd_set_params *set)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);
	struct toenic_pair *pair;
	struct toe_cmd *cmd;
	int err;

	if (!conn)
		return -ENODEV;
	pair = conn->pair;

	spin_lock(&pair->sq.lock);
	err = -ENODEV;
	if (!pair->sq.open || conn->state != TOENIC_CONN_ACTIVE)
		goto out;
	err = -EAGAIN;
	if (toenic_sq_room(&pair->sq) <= TOENIC_SQ_RESERVE) {
		toenic_sq_starve(pair);
		goto out;
	}
	err = 0;
	cmd = toenic_sq_next(&pair->sq, op, conn->tid);
	if (set)
		cmd->set = *set;
	toenic_await_start(pair->nic, conn);
	toenic_sq_publish(pair);
out:
	spin_unlock(&pair->sq.lock);
	return err;
}

static int toenic_conn_set_params(struct toe_hw_conn *hc,
				  const struct toe_cmd_set_params *p)
{
	return toenic_conn_command(hc, TOE_CMD_SET_PARAMS, p);
}

static int toenic_conn_query(struct toe_hw_conn *hc)
{
	return toenic_conn_command(hc, TOE_CMD_QUERY, NULL);
}

static void toenic_conn_stats(struct toe_hw_conn *hc, struct toe_conn_stats *st)
{
	struct toenic_conn *conn = READ_ONCE(hc->priv);

	if (conn && conn->block)
		*st = conn->block->stats;
	else
		memset(st, 0, sizeof(*st));
}

static const struct toe_device_ops toenic_toe_ops = {
	.conn_begin		= toenic_conn_begin,
	.conn_commit		= toenic_conn_commit,
	.conn_abort		= toenic_conn_abort,
	.conn_send		= toenic_conn_send,
	.conn_credit		= toenic_conn_credit,
	.conn_recall		= toenic_conn_recall,
	.conn_set_params	= toenic_conn_set_params,
	.conn_query		= toenic_conn_query,
	.conn_stats		= toenic_conn_stats,
	.mirror_set		= toenic_mirror_set,
};

/**
 * toenic_offload_alloc() - tables of the TOE extensions
 * @nic: the card, ready
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int toenic_offload_alloc(struct toenic *nic)
{
	struct toe_device *tdev = &nic->tdev;

	spin_lock_init(&nic->conns_lock);
	spin_lock_init(&nic->await_lock);
	INIT_LIST_HEAD(&nic->await);
	xa_init_flags(&nic->begins, XA_FLAGS_ALLOC1 | XA_FLAGS_LOCK_BH);

	tdev->netdev = nic->netdev;
	tdev->ops = &toenic_toe_ops;
	tdev->caps = toenic_rd32(nic, TOE_REG_CAP_TOE);
	tdev->max_conns = toenic_rd32(nic, TOE_REG_CONTEXTS);
	tdev->max_frags = toenic_rd32(nic, TOE_REG_FRAGS);
	if (toenic_is_dead(nic) || tdev->max_conns > TOE_TID_INDEX)
		tdev->max_conns = 0;
	if (!tdev->max_conns)
		return 0;	/* a plain NIC */

	nic->conns = kvcalloc(tdev->max_conns, sizeof(*nic->conns), GFP_KERNEL);
	if (!nic->conns)
		return -ENOMEM;
	nic->block_pool = dma_pool_create(TOENIC_NAME, toenic_dev(nic),
					  sizeof(struct toe_conn_block), 64, 0);
	if (!nic->block_pool)
		goto err_free;
	return 0;

err_free:
	kvfree(nic->conns);
	return -ENOMEM;
}

/**
 * toenic_offload_free() - undo toenic_offload_alloc()
 * @nic: the card, unregistered from the filter
 *
 * Context: process.
 */
void toenic_offload_free(struct toenic *nic)
{
	rcu_barrier();	/* state blocks are freed after a grace period */
	dma_pool_destroy(nic->block_pool);
	kvfree(nic->conns);
	xa_destroy(&nic->begins);
}

/**
 * toenic_offload_register() - offer the card to the filter
 * @nic: the card, its netdev registered
 *
 * A card that the filter doesn't take stays a plain NIC.
 * Context: process, RTNL not held.
 */
void toenic_offload_register(struct toenic *nic)
{
	int err;

	if (!nic->conns || !nic->tdev.caps)
		return;
	err = toe_device_register(&nic->tdev);
	if (err) {
		netdev_warn(nic->netdev, "no TCP offload: %d\n", err);
		return;
	}

	mutex_lock(&nic->state_lock);
	set_bit(TOENIC_TOE, &nic->flags);
	if (nic->want_up)
		toe_device_resume(&nic->tdev);
	mutex_unlock(&nic->state_lock);
}

/**
 * toenic_offload_unregister() - take the card from the filter
 * @nic: the card; no NAPI, open, stop or recovery any more
 *
 * Context: process, RTNL not held.
 */
void toenic_offload_unregister(struct toenic *nic)
{
	if (test_and_clear_bit(TOENIC_TOE, &nic->flags))
		toe_device_unregister(&nic->tdev);
}

/**
 * toenic_offload_suspend() - have all connections given back
 * @nic: the card, rings running
 *
 * Context: process, state_lock not held: if the card dies meanwhile, recovery
 * does it.
 */
void toenic_offload_suspend(struct toenic *nic)
{
	if (test_bit(TOENIC_TOE, &nic->flags))
		toe_device_suspend(&nic->tdev);
}

/**
 * toenic_offload_resume() - new connections may come
 * @nic: the card, rings running
 *
 * Context: process, under state_lock.
 */
void toenic_offload_resume(struct toenic *nic)
{
	if (test_bit(TOENIC_TOE, &nic->flags))
		toe_device_resume(&nic->tdev);
}

/**
 * toenic_offload_enabled() - is the interface's switch on?
 * @nic: the card
 *
 * Return: whether it is.
 */
bool toenic_offload_enabled(const struct toenic *nic)
{
	return test_bit(TOENIC_TOE, &nic->flags) &&
	       toe_device_enabled(&nic->tdev);
}

/**
 * toenic_offload_drop() - forget connections that the card no longer has
 * @nic: the card; no DMA, no NAPI, command rings closed
 * @fatal: the card is dead; else there should be none left to forget
 *
 * Context: process, under state_lock.
 */
void toenic_offload_drop(struct toenic *nic, bool fatal)
{
	struct toenic_conn *conn;
	unsigned long cookie;
	u32 i;

	lockdep_assert_held(&nic->state_lock);

	local_bh_disable();
	for (i = 0; nic->conns && i < nic->tdev.max_conns; i++) {
		while ((conn = rcu_dereference_bh(nic->conns[i]))) {
			toenic_conn_end(nic, conn);
			fatal = true;
		}
	}
	xa_for_each(&nic->begins, cookie, conn) {
		xa_erase(&nic->begins, cookie);
		toenic_conn_end(nic, conn);
		fatal = true;
	}
	local_bh_enable();

	if (fatal && test_bit(TOENIC_TOE, &nic->flags))
		toe_device_fatal(&nic->tdev);
}
