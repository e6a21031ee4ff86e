/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Acknowledgements: those that come in, and when and with what window ours go.
 */
#include "conn.h"

static void data_acked(struct te_engine *e, struct te_conn *c, uint32_t ack, te_time now,
		       struct te_acked *a)
{
	uint32_t sacked = c->sacked;
	uint32_t bytes = ack - c->snd_una;

	te_runs_ack(e, c, ack, now, a);
	if (seq_lt(c->posted, ack))	/* sent before the import, not posted yet */
		c->posted = ack;
	if (c->retries)
		te_timer_rto_over(c, now);
	c->stall_at = now;
	c->n.bytes_acked += bytes;
	c->n.delivered += bytes - (sacked - c->sacked);
}

/* RFC 9293 3.10.7.4, fifth check; with Linux's cure for a lost shrink.  A window that
 * shuts is believed as well (Linux since 6.7): the peer is short of memory.
 */
static bool window_in(struct te_conn *c, const struct te_seg *seg, bool acked)
{
	uint32_t wnd = (uint32_t)seg->wnd << c->snd_wscale;

	if (!acked && !seq_gt(seg->seq, c->snd_wl1) &&
	    !(seg->seq == c->snd_wl1 && (wnd > c->snd_wnd || !wnd)))
		return false;
	c->snd_wl1 = seg->seq;
	if (wnd == c->snd_wnd)
		return false;
	c->snd_wnd = wnd;
	c->max_window = te_max(c->max_window, wnd);
	if (c->persist && wnd) {
		c->backoff = 0;
		c->stall_at = c->last_rcv;
		te_timer_stop(c);
	}
	return true;
}

static void timers(struct te_conn *c, te_time now)
{
	if (!te_flight(c)) {
		te_timer_stop(c);	/* RFC 6298 5.2 */
		return;
	}
	te_timer_rto(c, now);		/* 5.3 */
	te_tlp_arm(c, now);
}

/* One that was overtaken still may SACK what others didn't, and its D-SACK is told
 * only once.
 */
static bool overtaken(const struct te_conn *c, const struct te_seg *seg)
{
	return seq_lt(seg->ack, c->snd_una);
}

static void ack_in(struct te_engine *e, struct te_conn *c, const struct te_seg *seg,
		   const struct te_opts *o, bool moved, te_time now)
{
	bool old = overtaken(c, seg);
	struct te_acked a = {
		.acked = old ? 0 : seg->ack - c->snd_una,
		.has_ts = o->has_ts && o->tsecr,
		.tsecr = o->tsecr,
		.tsnow = te_tsval(c, now),
		.fack = c->sacked ? c->rack.fack : 0,
		.sacked = c->sacked != 0,
	};
	uint64_t delivered = c->n.delivered;
	bool sampled = c->rate_open && !old && seq_ge(seg->ack, c->rate.end);

	a.same = !a.acked && !moved && !seg->len && !old;
	a.dup = a.same && te_flight(c);
	if (a.acked)
		data_acked(e, c, seg->ack, now, &a);
	if (o->nsack)
		a.newly_sacked = te_sack_in(e, c, seg, o, now, &a);
	a.delivered = (uint32_t)(c->n.delivered - delivered);
	if (a.delivered)
		te_rtt_acked(c, &a, now);
	if (sampled)
		te_rate_close(c, now);
	if (seg->flags & TE_ECE && c->flags & TOE_MT_ECN) {
		c->n.delivered_ce += a.delivered;
		te_recovery_ece(c);
	}
	if (c->tlp && te_tlp_ack(c, seg->ack, &a)) {
		c->n.probe_recoveries++;
		te_recovery_tail(c);
	}
	te_recovery_ack(e, c, &a, now);
	if (!a.acked)
		return;
	if (c->ca_state != TOE_CA_CWR && c->ca_state != TOE_CA_RECOVERY)
		te_cong_acked(c, &a, now);
	timers(c, now);
}

/* No hole and nothing old: data_in() doesn't count it as slow. */
static bool in_order(const struct te_conn *c, const struct te_seg *seg)
{
	return seg->seq == c->rcv_nxt && !c->ooo_head;
}

/* Something but what was expected: Linux calls that header prediction. */
static void count_slow(struct te_conn *c, const struct te_seg *seg)
{
	if (!seg->len)
		c->n.slow_acks++;
	else if (in_order(c, seg))
		c->n.slow_data++;
}

/**
 * te_ack_in() - process the acknowledgement of an acceptable segment
 * @e: the engine
 * @c: connection
 * @seg: segment; its ack is not beyond snd_max
 * @o: its options
 * @now: time
 *
 * Return: TE_EV_ACKED or 0.
 */
unsigned int te_ack_in(struct te_engine *e, struct te_conn *c, const struct te_seg *seg,
		       const struct te_opts *o, te_time now)
{
	uint32_t acked = seg->ack - c->snd_una;
	bool moved;

	if (overtaken(c, seg)) {
		if (!seg->len)
			c->n.odd_acks++;
		else if (in_order(c, seg))
			c->n.slow_data++;
		if (o->nsack)
			ack_in(e, c, seg, o, false, now);
		return 0;
	}

	moved = window_in(c, seg, acked != 0);
	/* the peer only sends: nothing new in its acknowledgement */
	if (acked || !seg->len || o->nsack || seg->flags & TE_ECE) {
		if (moved || !acked || o->nsack || seg->flags & TE_ECE)
			count_slow(c, seg);
		ack_in(e, c, seg, o, moved, now);
	} else if (moved) {
		count_slow(c, seg);
	}
	return acked || moved ? TE_EV_ACKED : 0;
}

/**
 * te_ack_hole() - a segment behind a hole was received: tell without delay
 * @c: connection
 *
 * RFC 5681 4.2.  Without SACK the peer counts duplicates, and only those without
 * data: then each such segment gets a bare one, even if segments come in faster
 * than acknowledgements are taken.
 */
void te_ack_hole(struct te_conn *c)
{
	c->ack_now = true;
	if (!(c->flags & TOE_MT_SACK) && c->dup_acks < UINT8_MAX)
		c->dup_acks++;
}

/**
 * te_ack_answer() - answer to what isn't acceptable and carries no data
 * @c: connection
 * @now: time
 * @to: to what
 *
 * Limited per connection (RFC 5961 7; a limit shared by connections would tell
 * one peer about another), so that two ends out of step can't play ping-pong.
 */
void te_ack_answer(struct te_conn *c, te_time now, enum te_answer to)
{
	if ((uint32_t)now - c->oow_us < TE_OOW_ACK_US) {
		c->n.skipped_paws += to == TE_TO_PAWS;
		c->n.skipped_seq += to == TE_TO_SEQ;
		c->n.skipped_challenge += to == TE_CHALLENGE;
		return;
	}
	c->oow_us = (uint32_t)now;
	if (to == TE_CHALLENGE)
		c->n.challenge_acks++;
	c->ack_now = true;
}

/* Was payload sent so recently that an answer may carry the acknowledgement? */
static bool dialogue(const struct te_conn *c, te_time now)
{
	return now - c->last_snd <= c->rto_us;
}

/**
 * te_ack_data() - in-order payload was placed: acknowledge now or later
 * @c: connection; rcv_nxt has moved
 * @len: bytes of the segment
 * @push: PSH was set
 * @now: time
 *
 * RFC 9293 3.8.6.3: at least every second full segment, never later than
 * TE_DELACK_US.  At once while the peer is probably in slow start, when it has
 * little window left, and, as in Linux, at the end of what it wrote if no answer
 * is to be expected.
 */
void te_ack_data(struct te_conn *c, uint32_t len, bool push, te_time now)
{
	if ((uint32_t)now - c->last_data_us > c->rto_us)
		c->quickack = (uint8_t)te_max(c->quickack, TE_QUICKACKS);
	c->last_data_us = (uint32_t)now;
	if (len > c->rcv_mss)
		c->rcv_mss = (uint16_t)te_min(len, te_max(c->mss, 536));

	c->dup_acks = 0;
	if (c->quickack) {
		c->quickack--;
		c->ack_now = true;
	} else if (c->rcv_nxt - c->rcv_acked > c->rcv_mss ||
		   (push && (c->rcv_adv - c->rcv_nxt < 2u * c->rcv_mss || !dialogue(c, now)))) {
		c->ack_now = true;
	} else if (c->ack_at == TE_NEVER) {
		c->ack_at = now + TE_DELACK_US;
	}
}

/* What may be advertised at most, bytes: the host's credit, as far as the field
 * can express it.
 */
static uint32_t credit_bytes(const struct te_conn *c)
{
	return te_min(c->rcv_credit - c->rcv_nxt, 65535u << c->rcv_wscale);
}

/* RFC 9293 3.8.6.2.2: a smaller gain isn't worth telling, bytes.  What the buffer
 * measures only the host knows, and it may become smaller at any time; half of what
 * there is now can't keep a window shut that the host wants open.
 */
static uint32_t silly_bytes(const struct te_conn *c)
{
	return te_max(te_min(c->rcv_mss, credit_bytes(c) / 2), 1);
}

/**
 * te_ack_gain_due() - is a larger window to be told without an acknowledgement?
 * @c: connection; the host's credit is beyond what was advertised
 *
 * Return: true if the peer's window is closed and worth opening, or if it has
 * grown by max(2 segments, a quarter of the space).
 */
bool te_ack_gain_due(const struct te_conn *c)
{
	uint32_t space = credit_bytes(c);
	uint32_t gain = space - te_min(space, c->rcv_adv - c->rcv_nxt);

	if (seq_le(c->rcv_wire, c->rcv_nxt))
		return space >= te_max(silly_bytes(c), 1u << c->rcv_wscale);
	return gain >= te_max(te_min(te_max(2u * c->rcv_mss, space / 4), space / 2),
			      1u << c->rcv_wscale);
}

/* As the last segment sent has said. */
static bool window_is_zero(const struct te_conn *c)
{
	return c->rcv_wire == c->rcv_acked;
}

static void window_turns(struct te_conn *c, uint32_t w)
{
	if (w)
		c->n.from_zero_wnd++;
	else if (!window_is_zero(c))
		c->n.to_zero_wnd++;
}

/**
 * te_ack_window() - the window field of a segment that is sent now
 * @c: connection; rcv_adv follows
 *
 * The edge follows the host's credit in steps worth telling and never goes
 * beyond it.  What was advertised stays: if its edge can't be expressed in units
 * of the scale, the field is rounded up where the credit allows, else down, and
 * what arrives up to rcv_adv is accepted all the same (RFC 7323 2.4).
 *
 * Return: the field, scaled down.
 */
uint16_t te_ack_window(struct te_conn *c)
{
	uint32_t credit = credit_bytes(c);
	uint32_t held = c->rcv_adv - c->rcv_nxt;
	uint32_t s = c->rcv_wscale;
	uint32_t w = credit >> s;
	uint32_t edge;

	if (c->rcv_credit == c->rcv_adv) {	/* nothing to tell: the short way */
		w = te_min(held >> s, 65535);
		if (!w || window_is_zero(c))
			window_turns(c, w);
		c->rcv_wire = c->rcv_nxt + (w << s);
		return (uint16_t)w;
	}
	if (credit < held + silly_bytes(c) || w << s < held) {
		w = (held + (1u << s) - 1) >> s;
		if (w << s > credit)
			w = held >> s;
	}
	w = te_min(w, 65535);
	if (!w || window_is_zero(c))
		window_turns(c, w);
	edge = c->rcv_nxt + (w << s);
	c->rcv_wire = edge;
	c->rcv_adv = seq_max(c->rcv_adv, edge);
	return (uint16_t)w;
}
