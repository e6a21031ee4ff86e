/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Selective acknowledgement: what is reported to the peer (RFC 2018 4), and
 * what the peer's reports say about loss (RFC 6675).
 */
#include "conn.h"

/**
 * te_sack_note() - out-of-order payload was stored
 * @c: connection
 * @start: its first byte
 * @end: behind its last
 *
 * RFC 2018 4: the block that holds the newest segment is reported first.
 */
void te_sack_note(struct te_conn *c, uint32_t start, uint32_t end)
{
	struct te_range *s = c->rcv_sack;
	uint32_t n = 0;

	if (!(c->flags & TOE_MT_SACK))
		return;
	for (uint32_t i = 0; i < c->nsacks; i++) {
		if (seq_le(s[i].start, end) && seq_ge(s[i].end, start)) {
			if (seq_lt(s[i].start, start))
				start = s[i].start;
			if (seq_gt(s[i].end, end))
				end = s[i].end;
		} else {
			s[n++] = s[i];
		}
	}
	if (n == TE_SACKS)
		n--;
	for (uint32_t i = n; i > 0; i--)
		s[i] = s[i - 1];
	s[0].start = start;
	s[0].end = end;
	c->nsacks = (uint8_t)(n + 1);
}

/**
 * te_sack_prune() - rcv_nxt has moved: forget blocks it has reached
 * @c: connection
 */
void te_sack_prune(struct te_conn *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->nsacks; i++)
		if (seq_gt(c->rcv_sack[i].start, c->rcv_nxt))
			c->rcv_sack[n++] = c->rcv_sack[i];
	c->nsacks = (uint8_t)n;
}

/* Mark what of [start, end) wasn't known to have arrived. */
static uint32_t mark_sacked(struct te_engine *e, struct te_conn *c, uint32_t start, uint32_t end,
			    te_time now, struct te_acked *a)
{
	uint32_t newly = 0;

	for (struct te_run *r = c->run_head; r && seq_lt(r->seq, end); r = r->next) {
		uint32_t r_end = te_run_end(c, r);

		if (seq_le(r_end, start) || r->flags & TE_RUN_SACKED)
			continue;
		if (seq_lt(r->seq, start)) {
			if (!te_runs_split(e, c, r, start))
				break;
			continue;	/* the second half is next */
		}
		if (seq_gt(r_end, end)) {
			if (!te_runs_split(e, c, r, end))
				break;
			r_end = end;
		}
		newly += r_end - r->seq;
		if (!(r->flags & TE_RUN_EVER))
			a->sack_rtt_us = te_max(a->sack_rtt_us, (uint32_t)now - r->sent_us);
		te_runs_arrived(c, r, now, a);
		te_runs_mark(c, r, TE_RUN_SACKED | (r->flags & TE_RUN_EVER));
	}
	return newly;
}

static bool is_dsack(const struct te_opts *o, uint32_t ack)
{
	const struct te_range *s = o->sack;

	/* RFC 2883 4.1, 4.2 */
	return seq_lt(s[0].start, ack) ||
	       (o->nsack > 1 && seq_ge(s[0].start, s[1].start) && seq_le(s[0].end, s[1].end));
}

/**
 * te_sack_in() - take the blocks of an acknowledgement into the scoreboard
 * @e: the engine
 * @c: connection
 * @o: options of the segment
 * @ack: its acknowledgement number
 * @now: time
 * @a: what it says about the round trip
 *
 * Return: bytes that weren't known to have arrived.
 */
uint32_t te_sack_in(struct te_engine *e, struct te_conn *c, const struct te_opts *o, uint32_t ack,
		    te_time now, struct te_acked *a)
{
	uint32_t newly = 0;
	uint32_t i = 0;

	if (!o->nsack || !(c->flags & TOE_MT_SACK))
		return 0;
	if (is_dsack(o, ack)) {
		c->n.dsack_dups++;
		i = 1;
	}
	if (c->run_head && !te_runs_room(e, c))
		return 0;
	for (; i < o->nsack; i++) {
		const struct te_range *s = &o->sack[i];

		/* untrusted: only what lies in flight, above the hole */
		if (seq_ge(s->start, s->end) || seq_le(s->start, c->snd_una) ||
		    seq_ge(s->start, c->snd_max) || seq_gt(s->end, c->snd_max))
			continue;
		newly += mark_sacked(e, c, s->start, s->end, now, a);
	}
	if (newly)
		te_runs_join(e, c, TE_RUN_SACKED);
	c->n.delivered += newly;
	return newly;
}

/**
 * te_sack_mark_lost() - RFC 6675 4, IsLost(): mark what enough was SACKed above
 * @e: the engine
 * @c: connection
 *
 * Of what was retransmitted this can't tell; te_sack_mark_resent() does.
 */
void te_sack_mark_lost(struct te_engine *e, struct te_conn *c)
{
	uint32_t limit = (uint32_t)(c->reordering - 1) * c->mss;
	uint32_t above = c->sacked;
	uint32_t ranges = 0;
	bool marked = false;

	for (struct te_run *r = c->run_head; r; r = r->next)
		ranges += r->flags & TE_RUN_SACKED ? 1 : 0;

	for (struct te_run *r = c->run_head; r; r = r->next) {
		if (above <= limit && ranges < c->reordering)
			break;
		if (r->flags & TE_RUN_SACKED) {
			above -= te_run_end(c, r) - r->seq;
			ranges--;
		} else if (!(r->flags & TE_RUN_LOST)) {
			te_runs_mark(c, r, r->flags | TE_RUN_LOST);
			marked = true;
		}
	}
	if (marked)
		te_runs_join(e, c, TE_RUN_LOST);
}

/**
 * te_sack_mark_resent() - retransmissions that were overtaken are lost again
 * @c: connection
 * @newest_us: something sent at this time has arrived
 *
 * RFC 8985 6.2 step 5, for retransmissions; a quarter of the round trip is
 * allowed for reordering.
 */
void te_sack_mark_resent(struct te_conn *c, uint32_t newest_us)
{
	uint32_t window = c->min_rtt_us / 4;

	for (struct te_run *r = c->run_head; r; r = r->next)
		if (r->flags & TE_RUN_RETRANS &&
		    (int32_t)(newest_us - r->sent_us) > (int32_t)window)
			te_runs_mark(c, r, r->flags & (uint8_t)~TE_RUN_RETRANS);
}

/**
 * te_sack_mark_head() - the first segment in flight is lost
 * @e: the engine
 * @c: connection
 *
 * RFC 6582 3.2 step 3 (partial acknowledgement) and RFC 6675 5 step 4.1.
 */
void te_sack_mark_head(struct te_engine *e, struct te_conn *c)
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
