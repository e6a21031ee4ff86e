/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Loss recovery: when it begins, what it retransmits, when it ends.  With SACK
 * RFC 6675, without it NewReno, RFC 6582.  te_output() does the sending: it
 * resends runs marked lost as far as cwnd allows.
 */
#include "conn.h"

static void episode_end(struct te_conn *c)
{
	/* RFC 6582 4.1: duplicates of needless retransmissions carry just high_seq */
	c->reno_hold = !(c->flags & TOE_MT_SACK) && c->snd_una == c->high_seq &&
		       c->ca_state != TOE_CA_CWR;
	if (c->ca_state == TOE_CA_RECOVERY)
		c->snd_cwnd = c->snd_ssthresh;
	c->ca_state = TOE_CA_OPEN;
	c->dupacks = 0;
	c->rtx_force = false;
}

static void recovery_begin(struct te_engine *e, struct te_conn *c)
{
	te_cong_reduce(c, TOE_CA_RECOVERY);
	if (!c->lost)
		te_sack_mark_head(e, c);
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
	uint32_t pipe = te_cong_pipe(c);
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
	te_sack_mark_head(e, c);
	c->rtx_force = true;
}

static void recovery_step(struct te_engine *e, struct te_conn *c, uint32_t acked, bool dup)
{
	if (!(c->flags & TOE_MT_SACK)) {
		if (acked)
			reno_partial(e, c, acked);
		else if (dup && c->dupacks < UINT16_MAX)
			c->dupacks++;
		return;
	}
	/* RFC 6675 5, NextSeg() rule 3, restricted to the hole at snd_una */
	if (acked && c->sacked && c->lost == c->retrans)
		te_sack_mark_head(e, c);
}

static void open_step(struct te_engine *e, struct te_conn *c, uint32_t acked,
		      uint32_t newly_sacked, bool dup)
{
	bool sack = c->flags & TOE_MT_SACK;

	if (acked)
		c->dupacks = 0;
	if ((sack ? newly_sacked != 0 : dup) && c->dupacks < UINT16_MAX) {
		c->dupacks++;
		if (c->ca_state == TOE_CA_OPEN)
			c->ca_state = TOE_CA_DISORDER;
	}
	if (c->lost || (c->dupacks >= c->reordering && !c->reno_hold))
		recovery_begin(e, c);
	else if (c->ca_state == TOE_CA_DISORDER && !c->dupacks && !c->sacked)
		c->ca_state = TOE_CA_OPEN;
}

/**
 * te_recovery_ack() - an acknowledgement was taken into the scoreboard
 * @e: the engine
 * @c: connection
 * @acked: bytes that snd_una has moved
 * @newly_sacked: bytes above it that weren't known to have arrived
 * @delivered: all bytes that weren't known to have arrived
 * @dup: a duplicate by RFC 5681 2
 * @a: times of what arrived
 */
void te_recovery_ack(struct te_engine *e, struct te_conn *c, uint32_t acked, uint32_t newly_sacked,
		     uint32_t delivered, bool dup, const struct te_acked *a)
{
	uint32_t lost = c->lost;

	if (acked) {
		c->reno_hold = false;
		if (c->ca_state >= TOE_CA_CWR && seq_ge(c->snd_una, c->high_seq))
			episode_end(c);
	}
	if (newly_sacked)
		te_sack_mark_lost(e, c);
	if (a->arrived && c->retrans)
		te_sack_mark_resent(c, a->newest_us);

	if (c->ca_state == TOE_CA_RECOVERY)
		recovery_step(e, c, acked, dup);
	else if (c->ca_state != TOE_CA_LOSS)
		open_step(e, c, acked, newly_sacked, dup);
	if (c->ca_state == TOE_CA_RECOVERY && c->flags & TOE_MT_SACK)
		prr(c, delivered, acked && c->lost <= lost);
}

/**
 * te_recovery_rto() - the retransmission timer expired
 * @e: the engine
 * @c: connection with data in flight
 *
 * RFC 5681 3.1, RFC 6675 5.1: everything not SACKed is lost, one segment may go.
 */
void te_recovery_rto(struct te_engine *e, struct te_conn *c)
{
	te_cong_reduce(c, TOE_CA_LOSS);
	te_runs_lose_all(e, c);
	c->dupacks = 0;
	c->rtx_force = true;
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
