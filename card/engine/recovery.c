/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Loss recovery: when it begins, when it ends, and how the window is kept.  With
 * SACK rack.c says what is lost, without it NewReno, RFC 6582.  te_output() does
 * the sending: it resends runs marked lost as far as cwnd allows.
 */
#include "conn.h"

static void episode_end(struct te_conn *c)
{
	/* RFC 6582 4.1: duplicates of needless retransmissions carry just high_seq */
	c->reno_hold = !(c->flags & TOE_MT_SACK) && c->snd_una == c->high_seq &&
		       c->ca_state != TOE_CA_CWR;
	if (c->ca_state == TOE_CA_RECOVERY)
		c->snd_cwnd = c->snd_ssthresh;
	if (c->ca_state != TOE_CA_CWR)
		te_rack_recovered(c);
	/* D-SACKs of what was sent again come a round trip later */
	c->undo.over = true;
	c->undo.end = c->snd_max;
	c->ca_state = c->sacked ? TOE_CA_DISORDER : TOE_CA_OPEN;
	c->dupacks = 0;
	c->rtx_force = false;
	c->frto = TE_FRTO_NONE;
}

/* Without SACK the first segment in flight is all that is known to be lost:
 * RFC 6582 3.2 steps 2 and 3.
 */
static void mark_head(struct te_engine *e, struct te_conn *c)
{
	struct te_run *r;

	te_runs_room(e, c);
	r = c->run_head;
	if (!r || r->flags & (TE_RUN_SACKED | TE_RUN_LOST))
		return;
	if (te_run_end(c, r) - r->seq > c->mss)
		te_runs_split(e, c, r, r->seq + c->mss);
	te_runs_mark(c, r, r->flags | TE_RUN_LOST);
}

static void recovery_begin(struct te_engine *e, struct te_conn *c)
{
	te_cong_reduce(c, TOE_CA_RECOVERY);
	if (!c->lost)
		mark_head(e, c);
	c->rtx_force = true;	/* RFC 6675 5 step 4.3: regardless of pipe */
	c->n.fast_retrans++;
	c->prr_flight = te_max(te_flight(c), c->mss);
	c->prr_delivered = 0;
	c->prr_out = 0;
}

/* RFC 6937 3, with the bound of its successor (draft-ietf-tcpm-prr-rfc6937bis):
 * what is sent follows what is delivered, so that recovery makes no burst.
 */
static void prr(struct te_conn *c, uint32_t delivered, bool safe)
{
	uint32_t pipe = te_pipe(c);
	uint64_t send;

	c->prr_delivered += delivered;
	if (pipe > c->snd_ssthresh) {
		send = ((uint64_t)c->prr_delivered * c->snd_ssthresh + c->prr_flight - 1) /
		       c->prr_flight;
		send = send > c->prr_out ? send - c->prr_out : 0;
	} else {
		uint32_t owed = c->prr_delivered > c->prr_out ? c->prr_delivered - c->prr_out : 0;

		send = te_max(owed, delivered) + (safe ? c->mss : 0);
		send = te_min((uint32_t)send, c->snd_ssthresh - pipe);
	}
	c->snd_cwnd = te_max(pipe + (uint32_t)send, c->mss);
}

/* RFC 6582 3.2 step 3: what a partial acknowledgement says without SACK */
static void reno_partial(struct te_engine *e, struct te_conn *c, uint32_t acked)
{
	uint32_t segs = acked / c->mss;

	if (segs > 1)
		c->dupacks -= (uint16_t)te_min(c->dupacks, segs - 1);
	mark_head(e, c);
	c->rtx_force = true;
}

static void reno_step(struct te_engine *e, struct te_conn *c, const struct te_acked *a)
{
	if (a->acked)
		reno_partial(e, c, a->acked);
	else if (a->dup && c->dupacks < UINT16_MAX)
		c->dupacks++;
}

static void open_step(struct te_engine *e, struct te_conn *c, const struct te_acked *a)
{
	if (c->lost || (c->dupacks >= c->reordering && !(c->flags & TOE_MT_SACK) &&
			!c->reno_hold))
		recovery_begin(e, c);
	else if (c->ca_state == TOE_CA_DISORDER && !c->dupacks && !c->sacked)
		c->ca_state = TOE_CA_OPEN;
	else if (c->ca_state == TOE_CA_OPEN && (a->newly_sacked || c->dupacks))
		c->ca_state = TOE_CA_DISORDER;
}

/* The timeout was right.  Without SACK step 2b's new data would stand in the way of
 * retransmissions until they are done: what has caused a duplicate has left.
 */
static void frto_failed(struct te_conn *c)
{
	if (c->frto == TE_FRTO_NEW && !(c->flags & TOE_MT_SACK))
		c->dupacks = (uint16_t)((c->snd_max - c->high_seq) / c->mss);
	c->frto = TE_FRTO_NONE;
}

/* F-RTO, RFC 5682 2.1, with SACK 3.1.  What was never sent again and arrives now
 * was only late; but without SACK it may have waited behind the hole that the
 * retransmission filled, so that only the second acknowledgement tells.
 */
static void loss_step(struct te_engine *e, struct te_conn *c, const struct te_acked *a,
		      te_time now)
{
	if (!c->frto)
		return;
	if (a->orig && (c->flags & TOE_MT_SACK || c->frto == TE_FRTO_NEW)) {
		c->n.spurious_rtos++;
		te_undo_timeout(e, c, now);
	} else if (c->frto == TE_FRTO_SENT && a->acked && seq_lt(c->snd_max, c->posted)) {
		c->frto = TE_FRTO_NEW;
	} else if (a->acked || a->newly_sacked || a->dup) {
		frto_failed(c);
	}
}

/* Nothing is amiss and nothing was? */
static bool plain(const struct te_conn *c, const struct te_acked *a)
{
	return c->ca_state == TOE_CA_OPEN && !c->undo_on && !c->sacked && !c->lost && !a->dup &&
	       !a->dsack && !c->reno_hold;
}

/**
 * te_recovery_ack() - an acknowledgement was taken into the scoreboard
 * @e: the engine
 * @c: connection
 * @a: what it says
 * @now: time
 */
void te_recovery_ack(struct te_engine *e, struct te_conn *c, const struct te_acked *a, te_time now)
{
	bool sack = c->flags & TOE_MT_SACK;
	uint32_t lost = c->lost;

	if (plain(c, a))
		return;
	if (a->dsack_rack)
		te_rack_adapt(c);
	if (c->undo_on)
		te_undo_try(e, c, a, now);
	if (a->acked) {
		c->reno_hold = false;
		if (c->ca_state >= TOE_CA_CWR && seq_ge(c->snd_una, c->high_seq))
			episode_end(c);
		if (c->ca_state < TOE_CA_RECOVERY)
			c->dupacks = 0;
	}
	if (c->ca_state < TOE_CA_RECOVERY && (sack ? a->newly_sacked != 0 : a->dup) &&
	    c->dupacks < UINT16_MAX)
		c->dupacks++;
	if (c->ca_state == TOE_CA_LOSS)
		loss_step(e, c, a, now);
	if (sack && a->delivered)
		te_rack_detect(e, c, now);

	if (c->ca_state < TOE_CA_RECOVERY)
		open_step(e, c, a);
	else if (c->ca_state == TOE_CA_RECOVERY && !sack)
		reno_step(e, c, a);
	if (c->ca_state == TOE_CA_RECOVERY && sack)
		prr(c, a->delivered, a->acked && c->lost <= lost);
}

/**
 * te_recovery_reorder() - the reordering timer expired
 * @e: the engine
 * @c: connection
 * @now: time
 *
 * RFC 8985 6.2 step 5: what was waited for is lost.
 */
void te_recovery_reorder(struct te_engine *e, struct te_conn *c, te_time now)
{
	te_rack_detect(e, c, now);
	if (c->lost <= c->retrans)
		return;
	if (c->ca_state < TOE_CA_RECOVERY) {
		recovery_begin(e, c);
		prr(c, 1, false);	/* one segment: nothing has left the network */
	}
	te_timer_rto(c, now);
}

/* What has a timeout cut short? */
static void count_failure(struct te_conn *c)
{
	if (c->ca_state == TOE_CA_RECOVERY)
		c->n.recovery_fails++;
	else if (c->ca_state == TOE_CA_LOSS)
		c->n.loss_fails++;
	else if (c->ca_state == TOE_CA_DISORDER || c->sacked)
		c->n.disorder_fails++;
}

/**
 * te_recovery_rto() - the retransmission timer expired
 * @e: the engine
 * @c: connection with data in flight
 * @now: time
 *
 * RFC 5681 3.1, RFC 8985 6.3: one segment may go.  F-RTO (RFC 5682 2.1 step 1)
 * watches what follows unless a recovery was interrupted.
 */
void te_recovery_rto(struct te_engine *e, struct te_conn *c, te_time now)
{
	bool frto = c->ca_state <= TOE_CA_CWR || c->retries;

	if (!c->retries)
		count_failure(c);
	te_rack_rto(e, c, now);
	te_cong_reduce(c, TOE_CA_LOSS);
	c->frto = frto ? TE_FRTO_SENT : TE_FRTO_NONE;
	c->tlp = TE_TLP_NONE;
	c->rack_timer = TE_RACK_OFF;
	c->rack_at = TE_NEVER;
	c->dupacks = 0;
	c->rtx_force = true;
}

/**
 * te_recovery_tail() - a tail loss probe has repaired a loss
 * @c: connection
 *
 * RFC 8985 7.4.2: the window is reduced as for any other, though nothing is left
 * to be sent again.
 */
void te_recovery_tail(struct te_conn *c)
{
	if (c->ca_state <= TOE_CA_DISORDER)
		te_cong_reduce(c, TOE_CA_CWR);
}

/**
 * te_recovery_ece() - the peer reports an ECN mark, RFC 3168 6.1.2
 * @c: connection
 *
 * Once per window; the next new data carries CWR.
 */
void te_recovery_ece(struct te_conn *c)
{
	if (c->ca_state > TOE_CA_DISORDER)
		return;
	te_cong_reduce(c, TOE_CA_CWR);
	c->cwr_due = true;
}
