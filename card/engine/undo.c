/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Giving back what a needless reduction took.  Three things tell that nothing
 * was lost: the peer reports all that was sent again as duplicates (RFC 2883,
 * used as in RFC 3708), an acknowledgement echoes a timestamp from before the
 * retransmission (Eifel, RFC 3522), or after a timeout data arrives that was
 * never sent again (F-RTO, RFC 5682; recovery.c).  The answer is RFC 4015's.
 */
#include "conn.h"

/**
 * te_undo_save() - the window is about to be reduced for a loss
 * @c: connection
 */
void te_undo_save(struct te_conn *c)
{
	struct te_undo *u = &c->undo;

	u->cubic = c->cubic;
	u->cwnd = c->snd_cwnd;
	u->ssthresh = c->snd_ssthresh;
	u->marker = c->snd_una;
	u->bytes = c->retrans;
	u->resent = false;
	u->over = false;
	c->undo_on = true;
}

/**
 * te_undo_resent() - something is sent again
 * @c: connection with undo_on
 * @len: bytes
 * @now: time
 */
void te_undo_resent(struct te_conn *c, uint32_t len, te_time now)
{
	struct te_undo *u = &c->undo;

	u->bytes += len;
	if (!u->resent)
		u->tsval = te_tsval(c, now);
	u->resent = true;
}

/**
 * te_undo_dsack() - the peer got something twice
 * @c: connection with undo_on
 * @start: first byte
 * @end: behind the last
 */
void te_undo_dsack(struct te_conn *c, uint32_t start, uint32_t end)
{
	struct te_undo *u = &c->undo;

	if (seq_ge(start, u->marker))
		u->bytes -= te_min(u->bytes, end - start);
}

/* Eifel, RFC 3522 3.2: does the acknowledgement answer what was sent before the
 * first retransmission?  In fast recovery other retransmissions may have filled
 * real holes: then only when none of them is in flight.
 */
static bool echo_is_older(const struct te_conn *c, const struct te_acked *a)
{
	if (!a->acked || !a->has_ts || (int32_t)(a->tsecr - c->undo.tsval) >= 0)
		return false;
	return c->ca_state == TOE_CA_LOSS || (c->ca_state == TOE_CA_RECOVERY && !c->retrans);
}

static void give_back(struct te_conn *c)
{
	struct te_undo *u = &c->undo;

	if (!c->undo_on)
		return;
	c->snd_cwnd = te_max(c->snd_cwnd, u->cwnd);
	c->snd_ssthresh = te_max(c->snd_ssthresh, u->ssthresh);
	c->cubic = u->cubic;
	c->undo_on = false;
}

static void reopen(struct te_conn *c)
{
	c->ca_state = c->sacked ? TOE_CA_DISORDER : TOE_CA_OPEN;
	c->dupacks = 0;
	c->frto = TE_FRTO_NONE;
	c->rtx_force = false;
}

/**
 * te_undo_timeout() - the last timeout was spurious
 * @e: the engine
 * @c: connection, in TOE_CA_LOSS
 * @now: time
 *
 * RFC 4015 3.2; what was deemed lost is in flight after all.
 */
void te_undo_timeout(struct te_engine *e, struct te_conn *c, te_time now)
{
	c->n.loss_undos++;
	for (struct te_run *r = c->run_head; r; r = r->next)
		if (r->flags & TE_RUN_LOST)
			te_runs_mark(c, r, r->flags & TE_RUN_UNTIMED);
	te_runs_join(e, c, TE_RUN_EVER);
	give_back(c);
	reopen(c);
	if (c->retries)
		te_timer_rto_over(c, now);
	c->backoff = 0;
}

/**
 * te_undo_try() - does an acknowledgement tell that the reduction was needless?
 * @e: the engine
 * @c: connection with undo_on
 * @a: what it says
 * @now: time
 *
 * Then the window is what it was.
 */
void te_undo_try(struct te_engine *e, struct te_conn *c, const struct te_acked *a, te_time now)
{
	struct te_undo *u = &c->undo;

	if (u->over && seq_gt(c->snd_una, u->end)) {
		c->undo_on = false;
		return;
	}
	if (!u->resent || !((a->dsack && !u->bytes) || echo_is_older(c, a)))
		return;
	if (c->ca_state == TOE_CA_LOSS) {
		te_undo_timeout(e, c, now);
		return;
	}
	if (a->dsack && !u->bytes)
		c->n.dsack_undos++;
	else if (seq_ge(c->snd_una, c->high_seq))
		c->n.full_undos++;
	else
		c->n.partial_undos++;
	give_back(c);
	if (c->ca_state == TOE_CA_RECOVERY) {
		reopen(c);
		te_rack_recovered(c);
	}
}
