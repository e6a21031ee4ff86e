// SPDX-License-Identifier: GPL-2.0
/*
 * What the card reports on a pair's completion ring, to where it belongs.
 *
 * Nothing that the card says is believed: an event of a connection that isn't
 * there is counted and dropped, one that can't be right kills the card.
 */
#include "toenic.h"
#include "classify.h"
#include "event.h"
#include "health.h"
#include "mirror.h"
#include "offload.h"
#include "payload.h"
#include "rx.h"
#include "sq.h"
#include "tx.h"

/* The connection of this pair with this handle. */
static struct toenic_conn *toenic_conn_by_tid(struct toenic_pair *pair,
					      __le32 tid_le)
{
	struct toenic *nic = pair->nic;
	u32 tid = le32_to_cpu(tid_le);
	u32 index = tid & TOE_TID_INDEX;
	struct toenic_conn *conn = NULL;

	if (tid && nic->conns && index < nic->tdev.max_conns)
		conn = rcu_dereference_bh(nic->conns[index]);
	while (unlikely(conn && conn->tid != tid))
		conn = rcu_dereference_bh(conn->older);
	return conn && conn->pair == pair ? conn : NULL;
}

/* The connection that an event names, if both its identifiers are right. */
static struct toenic_conn *toenic_conn_find(struct toenic_pair *pair,
					    __le32 tid, __le32 host_id)
{
	struct toenic_conn *conn = toenic_conn_by_tid(pair, tid);

	if (conn && conn->host_id == le32_to_cpu(host_id))
		return conn;

	pair->rx_counts.toe_stale_events++;
	return NULL;
}

/* The card can't be trusted any more. */
static int toenic_bad(struct toenic_pair *pair)
{
	pair->rx_counts.bad_completions++;
	toenic_fatal(pair->nic, TOENIC_FATAL_PROTOCOL);
	return 0;
}

static int toenic_begin_errno(u8 status)
{
	switch (status) {
	case TOE_ST_NOMEM:
		return -ENOSPC;
	case TOE_ST_EXIST:
		return -EEXIST;
	case TOE_ST_NOTSUP:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

static int toenic_begin_answer(struct toenic_pair *pair,
			       const struct toe_cqe *cqe)
{
	unsigned long cookie = le16_to_cpu(cqe->cmd.cookie);
	u32 tid = le32_to_cpu(cqe->cmd.tid);
	struct toenic *nic = pair->nic;
	struct toenic_conn *conn;
	struct toe_hw_conn *hc;

	conn = xa_load(&nic->begins, cookie);
	if (!conn || conn->host_id != le32_to_cpu(cqe->cmd.host_id)) {
		pair->rx_counts.toe_stale_events++;
		return 0;
	}
	if (cqe->cmd.status != TOE_ST_OK) {
		xa_erase(&nic->begins, cookie);
		hc = toenic_conn_end(nic, conn);
		toe_begin_done(hc, toenic_begin_errno(cqe->cmd.status));
		return 1;
	}
	conn->pair = pair;
	if (!toenic_conn_enter(nic, conn, tid))
		return toenic_bad(pair);	/* recovery ends @conn */

	xa_erase(&nic->begins, cookie);
	toenic_await_done(nic, conn);
	conn->state = TOENIC_CONN_HELD;
	conn->hc->tid = tid;

	/* All frames that the card passed up before are ahead of the news. */
	if (!pair->draining)
		compat_napi_flush(&pair->napi);
	toe_begin_done(conn->hc, 0);
	return 1;
}

static u32 toenic_commit_reason(u8 status)
{
	switch (status) {
	case TOE_ST_NOMEM:
		return TOE_REASON_NOMEM;
	case TOE_ST_DMA:
		return TOE_REASON_DMA;
	default:
		return TOE_REASON_OPTION;
	}
}

static void toenic_commit_answer(struct toenic_pair *pair,
				 struct toenic_conn *conn, u8 status)
{
	struct min_tcp *given;
	struct toe_hw_conn *hc;
	struct min_tcp st;

	spin_lock(&pair->sq.lock);
	given = conn->given;
	conn->given = NULL;
	spin_unlock(&pair->sq.lock);
	if (!given) {
		pair->rx_counts.toe_stale_events++;
		return;
	}

	if (status != TOE_ST_OK) {
		st = *given;
		hc = toenic_conn_end(pair->nic, conn);
		toe_conn_recalled(hc, toenic_commit_reason(status), &st, NULL);
	}
	kfree(given);
}

/* Answers to commands. */
static int toenic_cmd_answer(struct toenic_pair *pair,
			     const struct toe_cqe *cqe)
{
	struct toenic *nic = pair->nic;
	struct toenic_conn *conn;

	if (!nic->conns)
		return toenic_bad(pair);
	if (cqe->cmd.op == TOE_CMD_BEGIN)
		return toenic_begin_answer(pair, cqe);

	/* The card has given the connection back: it knows no host_id of it. */
	if (cqe->cmd.status == TOE_ST_NOCONN)
		conn = toenic_conn_by_tid(pair, cqe->cmd.tid);
	else
		conn = toenic_conn_find(pair, cqe->cmd.tid, cqe->cmd.host_id);
	if (!conn)
		return 0;
	toenic_await_done(nic, conn);

	switch (cqe->cmd.op) {
	case TOE_CMD_COMMIT:
		toenic_commit_answer(pair, conn, cqe->cmd.status);
		return 1;
	case TOE_CMD_ABORT:
		if (conn->block) {	/* ABORT is for those never committed */
			pair->rx_counts.toe_stale_events++;
			return 0;
		}
		if (!pair->draining)	/* the held frames are ahead of it */
			compat_napi_flush(&pair->napi);
		toe_abort_done(toenic_conn_end(nic, conn));
		return 1;
	case TOE_CMD_QUERY:
		toe_query_done(conn->hc);
		return 1;
	case TOE_CMD_SET_PARAMS:
		return 0;
	default:
		pair->rx_counts.toe_stale_events++;
		return 0;
	}
}

/* Payload placed.  Returns -EAGAIN, having done nothing, without memory. */
static int toenic_data(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	u32 len = le32_to_cpu(cqe->data.len);
	u32 seq = le32_to_cpu(cqe->data.seq);
	struct toenic_conn *conn = NULL;
	struct sk_buff *skb = NULL;

	if (!toenic_rq_valid(pair, cqe))
		return toenic_bad(pair);

	if (len) {
		conn = toenic_conn_find(pair, cqe->data.tid, cqe->data.host_id);
		if (conn && (!conn->block || seq != conn->rcv_next))
			return toenic_bad(pair);
	}
	if (conn) {
		/* The peer may have been told that it came: it must not be lost. */
		skb = toenic_rq_skb(pair, cqe);
		if (!skb) {
			pair->rx_counts.alloc_failed++;
			return -EAGAIN;
		}
		conn->rcv_next = seq + len;
		pair->rx_counts.toe_data_events++;
		pair->rx_counts.toe_data_bytes += len;
	}
	if (cqe->flags & TOE_DATA_BUF_DONE)
		toenic_rq_done(pair, cqe);
	if (skb) {
		/* 650: data with an offload transport handle, to the filter */
		pair->rx_counts.verdict[TOENIC_OFFLOADED_DATA]++;
		toe_rx_data(conn->hc, skb, seq,
			    cqe->flags & TOE_DATA_PUSH);
	}
	return 1;
}

static int toenic_acked(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	u32 una = le32_to_cpu(cqe->acked.snd_una);
	struct toenic_conn *conn;

	conn = toenic_conn_find(pair, cqe->acked.tid, cqe->acked.host_id);
	if (!conn)
		return 0;
	if (!conn->block || toenic_seq_before(una, conn->snd_una) ||
	    toenic_seq_before(READ_ONCE(conn->snd_max), una))
		return toenic_bad(pair);

	pair->rx_counts.toe_acked_events++;
	toenic_conn_free_sends(conn, una, false);
	toe_rx_acked(conn->hc, una, le32_to_cpu(cqe->acked.snd_wnd),
		     le32_to_cpu(cqe->acked.srtt_us));
	return 1;
}

static int toenic_closing(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	struct toenic_conn *conn;

	conn = toenic_conn_find(pair, cqe->closing.tid, cqe->closing.host_id);
	if (!conn)
		return 0;
	pair->rx_counts.toe_closing++;
	if (!conn->block) {	/* COMMIT or ABORT was long in coming */
		if (!toenic_conn_hold_over(conn))
			return 0;
		if (!pair->draining)	/* the held frames are ahead of it */
			compat_napi_flush(&pair->napi);
		toe_abort_done(toenic_conn_end(pair->nic, conn));
		return 1;
	}
	toe_rx_closing(conn->hc, le32_to_cpu(cqe->closing.reason));
	return 1;
}

/* Can the returned state follow from what was given and reported? */
static bool toenic_state_valid(const struct toenic_conn *conn,
			       const struct min_tcp *st)
{
	u32 una = le32_to_cpu(st->snd_una);
	u32 nxt = le32_to_cpu(st->snd_nxt);
	u32 max = le32_to_cpu(st->snd_max);

	return !toenic_seq_before(una, conn->snd_una) &&
	       !toenic_seq_before(nxt, una) &&
	       !toenic_seq_before(max, nxt) &&
	       !toenic_seq_before(READ_ONCE(conn->snd_max), max) &&
	       le32_to_cpu(st->rcv_nxt) == conn->rcv_next &&
	       st->snd_wscale <= 14 && st->rcv_wscale <= 14;
}

static int toenic_recalled(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	struct toe_conn_block block;
	struct toenic_conn *conn;
	struct toe_hw_conn *hc;

	conn = toenic_conn_find(pair, cqe->recalled.tid,
				cqe->recalled.host_id);
	if (!conn)
		return 0;
	if (!conn->block)
		return toenic_bad(pair);
	block = *conn->block;
	if (!toenic_state_valid(conn, &block.state))
		return toenic_bad(pair);

	pair->rx_counts.toe_recalled++;
	hc = toenic_conn_end(pair->nic, conn);
	toe_conn_recalled(hc, le32_to_cpu(cqe->recalled.reason), &block.state,
			  &block.stats);
	return 1;
}

/*
 * A command of ours was refused: the card may be short of something, or we
 * were wrong.  What was to be sent is still here: take the connection back.
 */
static int toenic_error(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	struct toenic_conn *conn;

	pair->rx_counts.refused++;
	conn = toenic_conn_by_tid(pair, cqe->error.tid);
	if (!conn || !toenic_conn_giveup(conn))
		return 0;

	toe_rx_closing(conn->hc, TOE_REASON_NOMEM);
	return 1;
}

/**
 * toenic_event() - one completion
 * @pair: its pair
 * @cqe: a copy of it
 *
 * Context: NAPI, or recovery with BH disabled.
 * Return: work done; negative: no memory, the same completion again later.
 */
int toenic_event(struct toenic_pair *pair, const struct toe_cqe *cqe)
{
	switch (cqe->type) {
	case TOE_CQE_RX:
		return toenic_rx_part(pair, cqe);
	case TOE_CQE_TX:
		if (!toenic_tx_done(pair, le32_to_cpu(cqe->tx.cons)))
			return toenic_bad(pair);
		return 0;
	case TOE_CQE_CMD:
		return toenic_cmd_answer(pair, cqe);
	case TOE_CQE_DATA:
		return toenic_data(pair, cqe);
	case TOE_CQE_ACKED:
		return toenic_acked(pair, cqe);
	case TOE_CQE_CLOSING:
		return toenic_closing(pair, cqe);
	case TOE_CQE_RECALLED:
		return toenic_recalled(pair, cqe);
	case TOE_CQE_ERROR:
		return toenic_error(pair, cqe);
	case TOE_CQE_MIRROR:
		return toenic_mirror_part(pair, cqe);
	default:
		return toenic_bad(pair);
	}
}
