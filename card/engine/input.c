/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * A segment in: RFC 9293 3.10.7.4 for the ESTABLISHED state, hardened by
 * RFC 5961 and RFC 7323 5.
 *
 * Birth and death belong to the host: what would close the connection, and
 * urgent data, makes it leave before anything of that segment is consumed; the
 * host's stack gets the frame and does all of its processing.
 */
#include "conn.h"

/* RFC 7323 5.3: an old duplicate? */
static bool paws_old(const struct te_conn *c, const struct te_opts *o, te_time now)
{
	return (int32_t)(o->tsval - c->ts_recent) < 0 && now - c->ts_recent_at <= TE_PAWS_IDLE_US;
}

/* RFC 2883 4: tell of bytes that had been received before. */
static void duplicate(struct te_conn *c, uint32_t start, uint32_t end)
{
	te_sack_dup(c, start, seq_lt(end, c->rcv_nxt) ? end : c->rcv_nxt);
	c->ack_now = true;
}

static void unacceptable(struct te_conn *c, const struct te_seg *seg, enum te_answer to,
			 te_time now)
{
	if (seg->len)
		c->n.slow_data++;
	else
		c->n.odd_acks++;
	if (seg->flags & TE_RST)
		return;
	if (seg->len) {
		c->ack_now = true;
		if (seq_lt(seg->seq, c->rcv_nxt)) {
			c->n.dup_segs++;
			duplicate(c, seg->seq, seg->seq + seg->len);
		}
	} else {
		te_ack_answer(c, now, to);
	}
}

/* First check: PAWS, then the window, in Linux's form: an acknowledgement that
 * was overtaken by data is still good.
 */
static bool acceptable(struct te_conn *c, const struct te_seg *seg, const struct te_opts *o,
		       te_time now)
{
	uint32_t end = seg->seq + seg->len + (seg->flags & TE_FIN);

	if (o->has_ts && paws_old(c, o, now) && !(seg->flags & TE_RST)) {
		c->n.paws_drops++;
		/* a pure acknowledgement that was overtaken by another */
		if (!seg->len && seg->seq == c->rcv_nxt && seq_le(seg->ack, c->snd_una)) {
			c->n.paws_old_acks++;
			c->n.odd_acks++;
			return false;
		}
		unacceptable(c, seg, TE_TO_PAWS, now);
		return false;
	}
	if (seq_lt(end, c->rcv_acked) || seq_gt(seg->seq, c->rcv_adv)) {
		c->n.beyond_window += seq_gt(seg->seq, c->rcv_adv);
		unacceptable(c, seg, TE_TO_SEQ, now);
		return false;
	}
	return true;
}

/* RFC 5961 5.2 */
static bool ack_acceptable(struct te_conn *c, const struct te_seg *seg, te_time now)
{
	if (!(seg->flags & TE_ACK))
		return false;
	if (seq_le(seg->ack, c->snd_max) && c->snd_una - seg->ack <= c->max_window)
		return true;
	if (seq_ge(seg->ack, c->snd_una) && seq_le(seg->ack, c->snd_max))
		return true;
	te_ack_answer(c, now, TE_CHALLENGE);
	return false;
}

/* RFC 5961 3.2 and 4.2 */
static void reset_in(struct te_conn *c, const struct te_seg *seg, te_time now)
{
	if (seg->flags & TE_RST && seg->seq == c->rcv_nxt) {
		te_leave(c, TOE_REASON_RST);
		return;
	}
	if ((seg->flags & (TE_SYN | TE_RST)) == TE_SYN)
		c->n.syn_challenges++;
	if (seg->flags & TE_SYN || seq_gt(seg->seq, c->rcv_nxt))
		te_ack_answer(c, now, TE_CHALLENGE);
}

/* Does the connection leave for this segment?
 *
 * A FIN behind a hole does not count: its payload is kept like any other, and
 * the peer sends the FIN again once the hole is filled, because it isn't
 * acknowledged.  Leaving at once would throw the stored payload away, most of
 * which the peer knows to have arrived by SACK.
 */
static bool leaves(struct te_conn *c, const struct te_seg *seg)
{
	uint32_t fin = seg->seq + seg->len;

	if (seg->flags & TE_URG) {
		te_leave(c, TOE_REASON_URG);
		return true;
	}
	if (seg->flags & TE_FIN && seq_le(seg->seq, c->rcv_nxt) && seq_ge(fin, c->rcv_nxt) &&
	    seq_le(fin, c->rcv_adv)) {
		te_leave(c, TOE_REASON_FIN);
		return true;
	}
	return false;
}

static unsigned int in_order(struct te_engine *e, struct te_conn *c, const uint8_t *data,
			     uint32_t len, bool push, te_time now)
{
	uint32_t n = e->ops->place(e->ctx, c, c->rcv_nxt, data, len, push);
	unsigned int ev = 0;

	n = te_min(n, len);
	c->n.rcvq_drops += n < len;
	c->rcv_nxt += n;
	c->n.bytes_in += n;
	if (n)
		te_ack_data(c, len, push, now);
	if (n == len && push)
		ev = TE_EV_PUSH;
	if (c->ooo_head) {
		c->n.slow_data++;
		if (te_reass_drain(e, c, now))
			ev = TE_EV_PUSH;
		c->ack_now |= n != 0;
	}
	return ev;
}

static void out_of_order(struct te_engine *e, struct te_conn *c, uint32_t seq,
			 const uint8_t *data, uint32_t len, bool push)
{
	c->n.ooo_segs++;
	c->n.slow_data++;
	if (!te_reass_insert(e, c, seq, data, len, push))
		c->n.ofo_drops++;
	te_ack_hole(c);
	if (c->quickack < TE_QUICKACKS)
		c->quickack = TE_QUICKACKS;
}

/* Seventh check: the segment's text. */
static unsigned int data_in(struct te_engine *e, struct te_conn *c, const struct te_seg *seg,
			    te_time now)
{
	bool push = seg->flags & TE_PSH;
	const uint8_t *data = seg->data;
	uint32_t seq = seg->seq;
	uint32_t len = seg->len;

	if (seq_lt(seq, c->rcv_nxt)) {
		uint32_t skip = c->rcv_nxt - seq;

		duplicate(c, seq, seq + len);
		if (skip >= len) {
			c->n.dup_segs++;
			c->n.slow_data++;
			return 0;
		}
		c->n.slow_data += !c->ooo_head;	/* else in_order() counts it */
		data += skip;
		len -= skip;
		seq = c->rcv_nxt;
	}
	if (seq_gt(seq + len, c->rcv_adv)) {
		len = c->rcv_adv - seq;
		push = false;
		c->ack_now = true;
		if (!len) {
			c->n.zero_wnd_drops += seq == c->rcv_nxt;
			c->n.slow_data++;
			return 0;
		}
	}
	if (seq == c->rcv_nxt)
		return in_order(e, c, data, len, push, now);
	out_of_order(e, c, seq, data, len, push);
	return 0;
}

/* A FIN without payload behind a hole: the peer is to hear of the hole at once. */
static void fin_in(struct te_conn *c, const struct te_seg *seg)
{
	if (!(seg->flags & TE_FIN) || seq_le(seg->seq, c->rcv_nxt))
		return;
	c->n.ooo_segs++;
	te_ack_hole(c);
}

/* RFC 3168 6.1.3: echo a mark until the peer says that it has reduced. */
static void ecn_in(struct te_conn *c, const struct te_seg *seg)
{
	if (seg->flags & TE_CWR)
		c->ecn_echo = false;
	if (seg->ecn == 3 && seg->len) {
		if (!c->ecn_echo)
			c->quickack = (uint8_t)te_max(c->quickack, 2);
		c->ecn_echo = true;
	}
}

static unsigned int output_wanted(const struct te_conn *c)
{
	return c->ack_now || c->dup_acks || c->probe || c->lost > c->retrans ||
	       seq_lt(c->snd_max, c->posted) || te_ack_window_due(c) ? TE_EV_OUTPUT : 0;
}

/* A segment that has taken part in nothing; it was counted as an acknowledgement or as
 * one with payload.
 */
static unsigned int passed(struct te_conn *c, const struct te_seg *seg)
{
	if (seg->len)
		c->n.slow_data++;
	else
		c->n.odd_acks++;
	return output_wanted(c);
}

static void count(struct te_conn *c, const struct te_seg *seg, int n)
{
	c->n.segs_in += (uint64_t)n;
	if (seg->len)
		c->n.data_segs_in += (uint64_t)n;
	if (!seg->ecn)
		return;
	if (seg->ecn == 1)
		c->n.in_ect1 += (uint32_t)n;
	else if (seg->ecn == 2)
		c->n.in_ect0 += (uint32_t)n;
	else
		c->n.in_ce += (uint32_t)n;
}

/* It goes up, so it is the host's to count. */
static unsigned int leave(struct te_conn *c, const struct te_seg *seg)
{
	count(c, seg, -1);
	return TE_EV_LEAVE;
}

/**
 * te_input() - a segment of this connection came in
 * @e: the engine
 * @c: connection
 * @seg: segment
 * @now: time
 *
 * Return: TE_EV_* mask.  With TE_EV_LEAVE nothing of it was consumed, nor counted.
 */
unsigned int te_input(struct te_engine *e, struct te_conn *c, const struct te_seg *seg, te_time now)
{
	struct te_opts o;
	unsigned int ev;

	if (c->leave)
		return TE_EV_LEAVE;
	count(c, seg, 1);
	te_opts_parse(seg, &o);
	if (o.refuse) {
		c->n.in_errs++;
		return passed(c, seg);
	}
	o.has_ts &= (c->flags & TOE_MT_TSTAMP) != 0;

	if (!acceptable(c, seg, &o, now))
		return output_wanted(c);
	if (seg->flags & (TE_RST | TE_SYN)) {
		reset_in(c, seg, now);
		return c->leave ? leave(c, seg) : passed(c, seg);
	}
	if (!ack_acceptable(c, seg, now))
		return passed(c, seg);
	if (seg->flags & (TE_URG | TE_FIN) && leaves(c, seg))
		return leave(c, seg);

	c->last_rcv = now;
	c->probes = 0;
	/* RFC 7323 4.3 */
	if (o.has_ts && seq_le(seg->seq, c->rcv_acked)) {
		c->ts_recent = o.tsval;
		c->ts_recent_at = now;
	}
	if (c->flags & TOE_MT_ECN)
		ecn_in(c, seg);
	ev = te_ack_in(e, c, seg, &o, now);
	if (seg->len)
		ev |= data_in(e, c, seg, now);
	else
		fin_in(c, seg);
	return ev | output_wanted(c);
}
