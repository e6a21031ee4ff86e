// SPDX-License-Identifier: GPL-2.0
/*
 * The command ring of a pair: posting, what waits for room in it, and answers
 * that are overdue.
 */
#include "toenic.h"
#include "health.h"
#include "offload.h"
#include "sq.h"

#define TOENIC_ANSWER_MS	1000	/* a card that is slower is dead */

/**
 * toenic_await_start() - a command has been posted that will be answered
 * @nic: the card
 * @conn: for it
 *
 * Context: BH disabled, under sq.lock.
 */
void toenic_await_start(struct toenic *nic, struct toenic_conn *conn)
{
	spin_lock_bh(&nic->await_lock);
	if (!conn->awaiting++) {
		toenic_deadline_set(nic, &conn->deadline, TOENIC_ANSWER_MS);
		list_add_tail(&conn->await, &nic->await);
	}
	spin_unlock_bh(&nic->await_lock);
}

/**
 * toenic_await_done() - an answer has come
 * @nic: the card
 * @conn: for it
 *
 * Context: NAPI.
 */
void toenic_await_done(struct toenic *nic, struct toenic_conn *conn)
{
	spin_lock_bh(&nic->await_lock);
	if (conn->awaiting) {
		conn->awaiting--;
		toenic_deadline_set(nic, &conn->deadline, TOENIC_ANSWER_MS);
		if (conn->awaiting)
			list_move_tail(&conn->await, &nic->await);
		else
			list_del_init(&conn->await);
	}
	spin_unlock_bh(&nic->await_lock);
}

/* Is there something on a completion ring that we haven't come to? */
static bool toenic_completions_wait(const struct toenic *nic)
{
	struct toe_cqe cqe;
	unsigned int i;

	for (i = 0; i < nic->num_pairs; i++)
		if (toenic_cq_peek(&nic->pairs[i].cq, &cqe))
			return true;
	return false;
}

/**
 * toenic_offload_overdue() - does a TOE command wait too long for its answer?
 * @nic: the card
 *
 * While completions wait it may be us who are slow, up to a limit.
 * Context: process, under state_lock, rings running.
 * Return: whether one does.
 */
bool toenic_offload_overdue(struct toenic *nic)
{
	struct toenic_conn *conn;
	bool overdue;

	spin_lock_bh(&nic->await_lock);
	conn = list_first_entry_or_null(&nic->await, struct toenic_conn, await);
	overdue = conn && toenic_deadline_passed(nic, &conn->deadline) &&
		  (!toenic_completions_wait(nic) ||
		   time_after(jiffies, conn->deadline.end));
	spin_unlock_bh(&nic->await_lock);
	return overdue;
}

/**
 * toenic_sq_next() - the next slot, zero but for what all commands have
 * @sq: command ring, with room
 * @op: TOE_CMD_*
 * @tid: connection
 *
 * Context: BH disabled, under sq.lock.
 * Return: the command, to be completed.
 */
struct toe_cmd *toenic_sq_next(struct toenic_sq *sq, u8 op, u32 tid)
{
	struct toe_cmd *cmd = sq->ring.desc;

	lockdep_assert_held(&sq->lock);

	cmd += toenic_ring_slot(&sq->ring, sq->ring.next++);
	memset(cmd, 0, sizeof(*cmd));
	cmd->op = op;
	cmd->tid = cpu_to_le32(tid);
	return cmd;
}

/**
 * toenic_sq_publish() - hand what was posted to the card
 * @pair: whose command ring
 *
 * If this pair's poll runs on this processor, it is done once, at its end.
 * Context: BH disabled, under sq.lock.
 */
void toenic_sq_publish(struct toenic_pair *pair)
{
	lockdep_assert_held(&pair->sq.lock);

	if (READ_ONCE(pair->poll_cpu) == raw_smp_processor_id())
		return;
	if (toenic_ring_publish(&pair->sq.ring, pair->doorbell))
		pair->sq_counts.doorbells++;
}

/**
 * toenic_sq_starve() - somebody is told -EAGAIN: have him called again
 * @pair: whose command ring is full
 *
 * Context: BH disabled, under sq.lock.
 */
void toenic_sq_starve(struct toenic_pair *pair)
{
	lockdep_assert_held(&pair->sq.lock);

	pair->sq.starved = true;
	pair->sq_counts.send_again++;
	toenic_pair_kick(pair);
}

/* Post what must not be lost, as far as there is room.  True: all posted. */
static bool toenic_conn_post_pending(struct toenic_conn *conn)
{
	struct toenic_pair *pair = conn->pair;
	struct toenic_sq *sq = &pair->sq;
	struct toe_cmd *cmd;

	lockdep_assert_held(&sq->lock);

	while (conn->pending && toenic_sq_room(sq)) {
		if (conn->pending & TOENIC_PENDING_CREDIT) {
			cmd = toenic_sq_next(sq, TOE_CMD_CREDIT, conn->tid);
			cmd->credit.edge = cpu_to_le32(conn->edge);
			conn->pending &= ~TOENIC_PENDING_CREDIT;
			pair->sq_counts.credits++;
		} else if (conn->pending & TOENIC_PENDING_ABORT) {
			toenic_sq_next(sq, TOE_CMD_ABORT, conn->tid);
			conn->pending &= ~TOENIC_PENDING_ABORT;
			pair->sq_counts.aborts++;
		} else {
			toenic_sq_next(sq, TOE_CMD_RECALL, conn->tid);
			conn->pending &= ~TOENIC_PENDING_RECALL;
			pair->sq_counts.recalls++;
		}
	}
	return !conn->pending;
}

/**
 * toenic_conn_post() - post now, or remember until there is room
 * @conn: connection
 * @what: TOENIC_PENDING_*
 *
 * Context: BH disabled, under sq.lock.
 */
void toenic_conn_post(struct toenic_conn *conn, u8 what)
{
	struct toenic_pair *pair = conn->pair;

	lockdep_assert_held(&pair->sq.lock);

	conn->pending |= what;
	if (!toenic_conn_post_pending(conn)) {
		pair->sq_counts.backlogged++;
		if (list_empty(&conn->backlog))
			list_add_tail(&conn->backlog, &pair->sq.backlog);
		toenic_pair_kick(pair);
	}
	toenic_sq_publish(pair);
}

/**
 * toenic_sq_flush() - post what waited for room, and ring the doorbell once
 * @pair: its NAPI poll is about to end
 *
 * Context: NAPI.
 */
void toenic_sq_flush(struct toenic_pair *pair)
{
	struct toenic_sq *sq = &pair->sq;
	struct toenic_conn *conn;
	bool writable = false;

	/* What others post meanwhile they publish themselves. */
	if (READ_ONCE(sq->ring.next) == READ_ONCE(sq->ring.rung) &&
	    list_empty(&sq->backlog) && !READ_ONCE(sq->starved))
		return;

	spin_lock(&sq->lock);
	while (!list_empty(&sq->backlog)) {
		conn = list_first_entry(&sq->backlog, struct toenic_conn,
					backlog);
		if (!toenic_conn_post_pending(conn))
			break;
		list_del_init(&conn->backlog);
	}
	if (sq->starved && toenic_sq_room(sq) > sq->ring.size / 4) {
		sq->starved = false;
		writable = true;
	}
	if (sq->starved || !list_empty(&sq->backlog))
		toenic_pair_kick(pair);
	toenic_sq_publish(pair);
	spin_unlock(&sq->lock);

	if (writable && test_bit(TOENIC_TOE, &pair->nic->flags))
		toe_device_writable(&pair->nic->tdev);
}

/**
 * toenic_sq_open() - commands may be posted from now on
 * @pair: started
 *
 * Context: process, under state_lock.
 */
void toenic_sq_open(struct toenic_pair *pair)
{
	spin_lock_bh(&pair->sq.lock);
	pair->sq.open = true;
	pair->sq.starved = false;
	spin_unlock_bh(&pair->sq.lock);
}

/**
 * toenic_sq_close() - no more commands
 * @pair: being stopped
 *
 * Context: process, under state_lock.
 */
void toenic_sq_close(struct toenic_pair *pair)
{
	spin_lock_bh(&pair->sq.lock);
	pair->sq.open = false;
	spin_unlock_bh(&pair->sq.lock);
}
