/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The next segment out: probes, then what is lost, then new data, then a bare
 * acknowledgement if nothing carried it.
 */
#include "conn.h"

static void fill(struct te_conn *c, struct te_out *out, uint32_t seq, uint32_t len, te_time now)
{
	out->seq = seq;
	out->ack = c->rcv_nxt;
	out->wnd = te_ack_window(c);
	out->flags = TE_ACK;
	if (c->ecn_echo)
		out->flags |= TE_ECE;
	out->ecn = 0;
	out->len = len;
	out->retrans = false;
	te_opts_build(c, out, now);
	te_ack_sent(c);
	c->n.segs_out++;
}

static void fill_data(struct te_conn *c, struct te_out *out, uint32_t seq, uint32_t len,
		      te_time now)
{
	fill(c, out, seq, len, now);
	if (c->pushed && seq_lt(seq, c->push_seq) && seq_ge(seq + len, c->push_seq))
		out->flags |= TE_PSH;
	/* an answer within the delay: a dialogue, where acknowledgements ride on data */
	if ((uint32_t)now - c->last_data_us < TE_DELACK_US)
		c->quickack = 0;
	c->last_snd = now;
	c->n.data_segs_out++;
	c->n.bytes_out += len;
	if (c->ca_state == TOE_CA_RECOVERY)
		c->prr_out += len;
	if (c->paced)
		te_pace_sent(c, len, now);
	if (c->rtx_at == TE_NEVER || c->persist)
		te_timer_rto(c, now);	/* RFC 6298 5.1 */
}

static void fill_resent(struct te_conn *c, struct te_out *out, uint32_t seq, uint32_t len,
			te_time now)
{
	fill_data(c, out, seq, len, now);
	out->retrans = true;
	c->n.retrans_segs++;
	c->n.bytes_retrans += len;
	if (c->undo_on)
		te_undo_resent(c, len, now);
}

/* Linux's form of RFC 9293 3.8.6.1 and 3.8.4: an old byte's number asks for an
 * acknowledgement, which carries the window.
 */
static bool send_probe(struct te_conn *c, struct te_out *out, te_time now)
{
	fill(c, out, c->snd_una - 1, 0, now);
	c->n.win_probes += c->probe == TE_PROBE_WINDOW;
	c->probe = TE_PROBE_NONE;
	c->n.probes_out++;
	return true;
}

static uint32_t payload_max(const struct te_conn *c)
{
	return (c->nsacks | c->dsack) ? c->mss - te_opts_sack_bytes(c) : c->mss;
}

/* Lost runs in order, as far as the host has posted them and the peer's window
 * goes; the byte at snd_una may go always.
 */
static bool send_lost(struct te_engine *e, struct te_conn *c, struct te_out *out, te_time now)
{
	uint32_t wnd_end = c->snd_una + c->snd_wnd;
	uint32_t pipe = te_pipe(c);
	struct te_run *prev = NULL;
	struct te_run *r;
	uint32_t seq, len;

	if (!c->rtx_force && pipe && pipe + c->mss > c->snd_cwnd)
		return false;
	te_runs_room(e, c);	/* for the end of the segment: this call or the next */
	for (r = c->run_head; r; prev = r, r = r->next)
		if ((r->flags & (TE_RUN_LOST | TE_RUN_RETRANS)) == TE_RUN_LOST)
			break;
	if (!r || seq_ge(r->seq, c->posted))
		return false;
	seq = r->seq;
	te_runs_gather(e, c, r, payload_max(c));
	len = te_min(te_min(te_run_end(c, r) - seq, payload_max(c)), c->posted - seq);
	if (seq != c->snd_una) {
		if (seq_ge(seq, wnd_end))
			return false;
		len = te_min(len, wnd_end - seq);
	}

	te_runs_resend(e, c, prev, r, len, now);
	if (c->ca_state != TOE_CA_LOSS)
		c->n.resent_fast++;
	else if (!c->rtx_force)
		c->n.resent_slow++;
	c->rtx_force = false;
	fill_resent(c, out, seq, len, now);
	if (seq == c->snd_una)
		te_timer_rto(c, now);
	return true;
}

static uint32_t usable_window(const struct te_conn *c)
{
	uint32_t wnd_end = c->snd_una + c->snd_wnd;

	return seq_gt(wnd_end, c->snd_max) ? wnd_end - c->snd_max : 0;
}

/* RFC 9293 3.7.4, the host's business if it says so.  As Minshall has it
 * (draft-minshall-nagle): what waits for is a small segment in flight, not any.
 */
static bool nagle_waits(struct te_conn *c)
{
	if (c->flags & TOE_MT_NODELAY || c->sws_force || !c->sml)
		return false;
	c->sml = seq_gt(c->sml_end, c->snd_una);
	return c->sml;
}

/* How many bytes of new data go now?  0: none.  Sender's side of the silly
 * window: RFC 9293 3.8.6.2.1.
 */
static uint32_t new_bytes(struct te_conn *c, te_time now)
{
	uint32_t wnd = usable_window(c);
	uint32_t avail = c->posted - c->snd_max;
	uint32_t full = payload_max(c);
	uint32_t len = te_min(avail, full);
	bool idle = !te_flight(c);
	uint32_t pipe;

	if (len > wnd) {
		len = wnd;
		if (!len || (!c->sws_force && len < c->max_window / 2)) {
			if (idle && c->rtx_at == TE_NEVER)
				te_timer_persist(c, now);
			te_cong_sent(c, false);
			return 0;
		}
	}
	if (idle) {
		te_cong_idle(c, now);
		c->stall_at = now;
		/* what is sent from now on is newer than what rack_us is of */
		c->rack_us = (uint32_t)now;
		c->rack_end = c->snd_max;
		c->pace_us = (uint32_t)now;
		return len;
	}
	if (len < full && nagle_waits(c))
		return 0;
	pipe = te_pipe(c);
	if (pipe && pipe + len > c->snd_cwnd) {
		te_cong_sent(c, true);
		return 0;
	}
	return len;
}

/* Was the tail loss probe's timer set right now, to what it would be set to? */
static bool tail_armed(const struct te_conn *c, te_time now)
{
	return c->rack_timer == TE_RACK_TAIL && te_flight(c) > c->mss &&
	       (c->last_snd == now || c->stall_at == now);
}

static bool send_new(struct te_engine *e, struct te_conn *c, struct te_out *out, uint32_t len,
		     te_time now)
{
	bool armed = tail_armed(c, now);
	uint32_t full = payload_max(c);
	uint32_t seq = c->snd_max;

	if (!len || !te_runs_append(e, c, len, now))
		return false;
	if (len < full) {
		c->sml = true;
		c->sml_end = c->snd_max;
	}
	fill_data(c, out, seq, len, now);
	if (!c->rate_open)
		te_rate_open(c, now);
	if (!armed)
		te_tlp_arm(c, now);
	c->sws_force = false;
	if (c->flags & TOE_MT_ECN) {
		out->ecn = 2;	/* ECT(0), RFC 3168 6.1.1: new data only */
		if (c->cwr_due)
			out->flags |= TE_CWR;
		c->cwr_due = false;
	}
	if (c->posted == c->snd_max)
		te_cong_sent(c, false);
	return true;
}

/* RFC 8985 7.3: new data if the peer's window takes it, else the last segment;
 * cwnd doesn't matter.
 */
static bool send_tail_probe(struct te_engine *e, struct te_conn *c, struct te_out *out, te_time now)
{
	uint32_t most = payload_max(c);
	struct te_run *r;

	c->probe = TE_PROBE_NONE;
	if (seq_lt(c->snd_max, c->posted)) {
		uint32_t len = te_min(c->posted - c->snd_max, most);

		if (te_flight(c) && len <= usable_window(c) && send_new(e, c, out, len, now)) {
			te_tlp_sent(c, false, now);
			return true;
		}
	}
	r = te_tlp_resend(e, c, most, now);
	if (!r)
		return false;
	fill_resent(c, out, r->seq, c->snd_max - r->seq, now);
	te_tlp_sent(c, true, now);
	return true;
}

/* RFC 5682 2.1 step 2b: new data shows whether the timeout was spurious.  If
 * there is none to send after all, go on as after any other.
 */
static bool send_frto(struct te_engine *e, struct te_conn *c, struct te_out *out, te_time now)
{
	if (seq_lt(c->snd_max, c->posted) && send_new(e, c, out, new_bytes(c, now), now))
		return true;
	if (c->snd_max != c->high_seq)
		return false;
	c->frto = TE_FRTO_NONE;
	return c->lost > c->retrans && send_lost(e, c, out, now);
}

static bool send_data(struct te_engine *e, struct te_conn *c, struct te_out *out, te_time now)
{
	if (c->paced && te_pace_waits(c, now) && !c->rtx_force)
		return false;
	if (c->frto == TE_FRTO_NEW)
		return send_frto(e, c, out, now);
	if (c->lost > c->retrans && send_lost(e, c, out, now))
		return true;
	return seq_lt(c->snd_max, c->posted) && send_new(e, c, out, new_bytes(c, now), now);
}

/**
 * te_output() - the next segment to send, if any
 * @e: the engine
 * @c: connection
 * @out: filled in
 * @now: time
 *
 * To be called until it returns false, after whatever may have changed something.
 *
 * Return: false: nothing to send now, @out is undefined.
 */
bool te_output(struct te_engine *e, struct te_conn *c, struct te_out *out, te_time now)
{
	if (c->leave)
		return false;
	if (c->probe == TE_PROBE_TAIL) {
		if (send_tail_probe(e, c, out, now))
			return true;
	} else if (c->probe) {
		return send_probe(c, out, now);
	}
	if (send_data(e, c, out, now))
		return true;
	if (!c->ack_now && !c->dup_acks && !te_ack_window_due(c))
		return false;
	if (c->dup_acks)
		c->dup_acks--;
	fill(c, out, c->snd_max, 0, now);
	return true;
}
