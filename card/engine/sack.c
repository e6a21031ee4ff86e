/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Selective acknowledgement: what is reported to the peer (RFC 2018 4, RFC 2883),
 * and the peer's reports into the scoreboard.  What they say about loss: rack.c.
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
 * te_sack_dup() - payload was received that had been received before
 * @c: connection
 * @start: its first byte
 * @end: behind its last
 *
 * RFC 2883 4: reported once, with the next acknowledgement.
 */
void te_sack_dup(struct te_conn *c, uint32_t start, uint32_t end)
{
	if (!(c->flags & TOE_MT_SACK))
		return;
	if (seq_lt(start, c->rcv_nxt))
		c->n.dsack_old_sent++;
	else
		c->n.dsack_ofo_sent++;
	if (c->dsack && c->rcv_dsack.end == start)
		start = c->rcv_dsack.start;
	c->rcv_dsack.start = start;
	c->rcv_dsack.end = end;
	c->dsack = true;
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
	struct te_rack *k = &c->rack;
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
		if (!(r->flags & TE_RUN_UNTIMED))
			a->sack_rtt_us = te_max(a->sack_rtt_us, (uint32_t)now - r->sent_us);
		te_rack_delivered(c, r, r_end, false, now, a);
		k->fack = c->sacked ? seq_max(k->fack, r_end) : r_end;
		te_runs_mark(c, r, TE_RUN_SACKED | (r->flags & TE_RUN_UNTIMED));
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

/* Segments that were cut from one by the peer's hardware all carry its options.  What
 * joins them again on the way up (GRO) sees such a D-SACK once; so is it here.
 */
static bool dsack_again(struct te_conn *c, const struct te_seg *seg, const struct te_range *s)
{
	bool again = seg->len && seg->seq == c->dsack_seq && seg->ack == c->dsack_ack &&
		     s->start == c->dsack_last.start && s->end == c->dsack_last.end;

	c->dsack_last = *s;
	c->dsack_ack = seg->ack;
	/* Nothing goes on where one without payload has been. */
	c->dsack_seq = seg->len ? seg->seq + seg->len : c->rcv_nxt - 1;
	return again;
}

/* RFC 2883 5; untrusted: only of what was sent, and not long ago.  More duplicates
 * than retransmissions are the network's; those tell nothing (RFC 3708 3.3).
 */
static void dsack_in(struct te_conn *c, const struct te_range *s, uint32_t ack,
		     struct te_acked *a)
{
	uint32_t segs = (s->end - s->start + c->mss - 1) / c->mss;

	if (seq_lt(s->start, ack))
		c->n.dsack_recv++;
	else
		c->n.dsack_ofo_recv++;
	if (seq_ge(s->start, s->end) || seq_gt(s->end, c->snd_max) ||
	    (seq_lt(s->start, c->snd_una) && c->snd_una - s->start > c->max_window)) {
		c->n.dsack_old++;
		return;
	}
	c->n.dsack_no_undo += !c->undo_on;
	c->n.dsack_dups += segs;
	a->dsack = true;
	a->dsack_end = s->end;
	if (c->n.dsack_dups > c->n.retrans_segs) {
		c->n.dsack_dubious++;
		return;
	}
	c->n.dsack_recv_segs += segs;
	a->dsack_rack = c->rack.reord_seen &&
			!(c->tlp == TE_TLP_RETRANS && s->end == c->rack.tlp_end);
	if (c->undo_on)
		te_undo_dsack(c, s->start, s->end);
}

/**
 * te_sack_in() - take the blocks of an acknowledgement into the scoreboard
 * @e: the engine
 * @c: connection
 * @seg: the segment
 * @o: its options
 * @now: time
 * @a: what it says about the round trip
 *
 * Return: bytes that weren't known to have arrived.
 */
uint32_t te_sack_in(struct te_engine *e, struct te_conn *c, const struct te_seg *seg,
		    const struct te_opts *o, te_time now, struct te_acked *a)
{
	uint32_t ack = seg->ack;
	uint32_t newly = 0;
	uint32_t i = 0;

	if (!o->nsack || !(c->flags & TOE_MT_SACK))
		return 0;
	if (is_dsack(o, ack)) {
		if (!dsack_again(c, seg, &o->sack[0]))
			dsack_in(c, &o->sack[0], ack, a);
		i = 1;
	}
	if (c->run_head && !te_runs_room(e, c))
		return 0;
	for (; i < o->nsack; i++) {
		const struct te_range *s = &o->sack[i];

		/* untrusted: only what lies in flight, above the hole */
		if (seq_ge(s->start, s->end) || seq_le(s->start, c->snd_una) ||
		    seq_ge(s->start, c->snd_max) || seq_gt(s->end, c->snd_max)) {
			/* one that was overtaken tells of what has been acknowledged since */
			c->n.sack_discards += ack == c->snd_una || seq_gt(s->end, c->snd_una);
			continue;
		}
		newly += mark_sacked(e, c, s->start, s->end, now, a);
	}
	if (newly)
		te_runs_join(e, c, TE_RUN_SACKED);
	c->n.delivered += newly;
	return newly;
}
