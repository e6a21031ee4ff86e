/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * RACK, RFC 8985 6: what was sent sufficiently long before something that has
 * arrived is lost.  Time tells loss from reordering, and tells of lost
 * retransmissions too, which counting can't.
 *
 * The RFC keeps a time for each segment; here a run has one (runs.c), that of its
 * first byte, and the rest of it was sent up to a granule later.  So within a run
 * the order of bytes decides, and between runs only a difference of more than the
 * granule counts; the reordering window has it on top.
 */
#include "conn.h"

/* 6.2 step 2, RACK_sent_after() */
static bool sent_after(uint32_t us1, uint32_t end1, uint32_t us2, uint32_t end2)
{
	return (int32_t)(us1 - us2) > 0 || (us1 == us2 && seq_gt(end1, end2));
}

/* 6.2 step 5: was @r sent before something that has arrived, for certain? */
static bool overtaken(const struct te_conn *c, const struct te_run *r)
{
	uint32_t us = c->rack_us - r->sent_us;

	return us ? (int32_t)us > (int32_t)te_granule(c) : seq_gt(c->rack_end, r->seq);
}

/* Step 3.  The distance goes into the tolerance that moves with the connection. */
static void reordered(struct te_conn *c, uint32_t start, uint32_t fack, struct te_acked *a)
{
	uint32_t segs = (fack - start + c->mss - 1) / c->mss;

	c->reordering = (uint8_t)te_max(c->reordering, te_min(segs, TE_REORDER_MAX));
	c->rack.reord_seen = true;
	c->n.reord_seen += !a->reord;	/* once for an acknowledgement */
	a->reord = true;
}

/*
 * Step 2: does the acknowledgement tell of an earlier transmission?  What is SACKed behind
 * a hole isn't what the peer echoes the time of: that is older, RFC 7323 4.3 (the RFC's
 * step overlooks this; a tail loss probe would tell of nothing).
 */
static bool of_earlier(const struct te_conn *c, uint32_t rtt, bool in_order,
		       const struct te_acked *a)
{
	uint32_t sent_ms = a->tsnow - (rtt + 999) / 1000;

	return rtt < c->min_rtt_us ||
	       (in_order && a->has_ts && (int32_t)(a->tsecr - sent_ms) < 0);
}

/**
 * te_rack_delivered() - a run that wasn't known to have arrived, has
 * @c: connection
 * @r: run; not SACKed before
 * @end: behind the last byte of it that has arrived
 * @in_order: it's acknowledged; else SACKed
 * @now: time
 * @a: what else the acknowledgement says; @orig is set
 *
 * RFC 8985 6.2 steps 2 and 3.
 */
void te_rack_delivered(struct te_conn *c, const struct te_run *r, uint32_t end,
		       bool in_order, te_time now, struct te_acked *a)
{
	uint32_t rtt = te_max((uint32_t)now - r->sent_us, 1);

	if (r->flags & TE_RUN_EVER) {
		if (of_earlier(c, rtt, in_order, a))
			return;
	} else {
		if (a->sacked && seq_lt(end, a->fack))
			reordered(c, r->seq, a->fack, a);
		a->orig |= seq_le(end, c->high_seq);
	}
	if (!c->rack_rtt_us || sent_after(r->sent_us, end, c->rack_us, c->rack_end)) {
		c->rack_us = r->sent_us;
		c->rack_end = end;
	}
	c->rack_rtt_us = rtt;
}

/**
 * te_rack_adapt() - the peer got something twice after a fast retransmission
 * @c: connection
 *
 * RFC 8985 6.2 step 4: the reordering window was too small; at most once per
 * round trip.
 */
void te_rack_adapt(struct te_conn *c)
{
	struct te_rack *k = &c->rack;

	if (k->dsack_wait && seq_lt(c->snd_una, k->dsack_round))
		return;
	k->dsack_wait = true;
	k->dsack_round = c->snd_max;
	k->reo_persist = TE_REO_PERSIST;
	if (k->reo_mult < UINT8_MAX)
		k->reo_mult++;
}

/**
 * te_rack_recovered() - a recovery has ended
 * @c: connection
 *
 * RFC 8985 6.2 step 4: what was learnt is forgotten after enough of them.
 */
void te_rack_recovered(struct te_conn *c)
{
	struct te_rack *k = &c->rack;

	if (k->reo_persist && !--k->reo_persist)
		k->reo_mult = 1;
}

/* Was so much SACKed that counting alone would tell?  RFC 6675 4, IsLost(). */
static bool sacked_enough(const struct te_conn *c)
{
	uint32_t ranges = 0;

	if (c->dupacks >= c->reordering ||
	    c->sacked > (uint32_t)(c->reordering - 1) * c->mss)
		return true;
	for (const struct te_run *r = c->run_head; r; r = r->next)
		ranges += r->flags & TE_RUN_SACKED ? 1 : 0;
	return ranges >= c->reordering;
}

/* Step 4: how long may a segment be late?  us */
static uint32_t window(const struct te_conn *c)
{
	uint64_t us;

	if (!c->rack.reord_seen && (c->ca_state >= TOE_CA_RECOVERY || sacked_enough(c)))
		return 0;
	us = (uint64_t)c->rack.reo_mult * (c->min_rtt_us / 4) + te_granule(c);
	return us < c->srtt8_us >> 3 ? (uint32_t)us : c->srtt8_us >> 3;
}

/* How much time has a run that was overtaken?  us; 0 and less: it is lost. */
static int32_t left(const struct te_conn *c, const struct te_run *r, uint32_t wnd, te_time now)
{
	return (int32_t)(r->sent_us + c->rack_rtt_us + wnd - (uint32_t)now);
}

static bool lose(struct te_conn *c, struct te_run *r)
{
	if (r->flags & TE_RUN_RETRANS)
		c->n.lost_retrans += (te_run_end(c, r) - r->seq + c->mss - 1) / c->mss;
	te_runs_mark(c, r, (r->flags | TE_RUN_LOST) & (uint8_t)~TE_RUN_RETRANS);
	return true;
}

/**
 * te_rack_detect() - mark what is lost, and wait for what may be
 * @e: the engine
 * @c: connection with SACK
 * @now: time
 *
 * RFC 8985 6.2 step 5.
 */
void te_rack_detect(struct te_engine *e, struct te_conn *c, te_time now)
{
	uint32_t wnd = window(c);
	bool marked = false;
	int32_t most = 0;

	if (c->rack_timer == TE_RACK_REORDER) {
		c->rack_timer = TE_RACK_OFF;
		c->rack_at = TE_NEVER;
	}
	if (!c->rack_rtt_us)
		return;
	for (struct te_run *r = c->run_head; r; r = r->next) {
		int32_t us;

		if (r->flags & TE_RUN_SACKED ||
		    (r->flags & (TE_RUN_LOST | TE_RUN_RETRANS)) == TE_RUN_LOST ||
		    !overtaken(c, r))
			continue;
		us = left(c, r, wnd, now);
		if (us <= 0)
			marked |= lose(c, r);
		else if (us > most)
			most = us;
	}
	if (marked)
		te_runs_join(e, c, TE_RUN_LOST);
	if (most) {
		c->rack_timer = TE_RACK_REORDER;
		c->rack_at = now + (uint32_t)most;
	}
}

/**
 * te_rack_rto() - a retransmission timeout: what is lost?
 * @e: the engine
 * @c: connection with data in flight
 * @now: time
 *
 * RFC 8985 6.3: the first segment, and what was sent no later than would be
 * expected back by now.  Without SACK all of it, RFC 5681 3.1.
 */
void te_rack_rto(struct te_engine *e, struct te_conn *c, te_time now)
{
	bool all = !c->rack_rtt_us || !(c->flags & TOE_MT_SACK);
	struct te_run *r = c->run_head;
	uint32_t wnd;

	if (r->flags & TE_RUN_SACKED) {
		c->n.renegings++;
		te_runs_forget(e, c);
		return;
	}
	/* this keeps the 32-bit time comparable however long nothing arrives */
	if ((uint32_t)now - c->rack_us > INT32_MAX / 2)
		c->rack_us = (uint32_t)now - INT32_MAX / 2;
	wnd = window(c);
	if (!all && left(c, r, wnd, now) > 0 && te_run_end(c, r) - r->seq > c->mss &&
	    te_runs_room(e, c)) {
		r = c->run_head;
		te_runs_split(e, c, r, r->seq + c->mss);
	}
	lose(c, r);
	for (r = r->next; r; r = r->next)
		if (!(r->flags & TE_RUN_SACKED) && (all || left(c, r, wnd, now) <= 0))
			lose(c, r);
	te_runs_join(e, c, TE_RUN_LOST);
}
