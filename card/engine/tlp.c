/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Tail loss probes, RFC 8985 7: if the end of what is in flight is lost, nothing
 * later can tell of it.  So after two round trips of silence one segment more is
 * sent, and what comes back starts a fast recovery instead of a timeout.
 */
#include "conn.h"

/* 7.2: only with SACK, in no recovery, without holes, one probe at a time. */
static bool may_probe(const struct te_conn *c)
{
	return c->flags & TOE_MT_SACK && c->ca_state <= TOE_CA_CWR && !c->sacked && !c->lost &&
	       !c->tlp && te_flight(c);
}

/**
 * te_tlp_arm() - new data was sent or acknowledged: (re)start the probe's timer
 * @c: connection; the retransmission timer is set
 * @now: time
 *
 * RFC 8985 7.2.  A single segment's acknowledgement may be delayed by the peer.
 */
void te_tlp_arm(struct te_conn *c, te_time now)
{
	te_time us = TE_PTO_INIT_US;

	if (c->rack_timer == TE_RACK_REORDER)
		return;
	c->rack_timer = TE_RACK_OFF;
	c->rack_at = TE_NEVER;
	if (!may_probe(c))
		return;
	if (c->srtt8_us)
		us = (c->srtt8_us >> 2) +
		     (te_flight(c) <= c->mss ? TE_PTO_DELACK_US : TE_PTO_SLACK_US);
	c->rack_timer = TE_RACK_TAIL;
	c->rack_at = now + us < c->rtx_at ? now + us : c->rtx_at;
}

/**
 * te_tlp_fire() - the probe's time has come
 * @c: connection
 *
 * RFC 8985 7.3; te_output() sends it.
 */
void te_tlp_fire(struct te_conn *c)
{
	if (may_probe(c))
		c->probe = TE_PROBE_TAIL;
}

/**
 * te_tlp_sent() - the probe is on its way
 * @c: connection
 * @retrans: it carries what was sent before
 * @now: time
 */
void te_tlp_sent(struct te_conn *c, bool retrans, te_time now)
{
	c->tlp = retrans ? TE_TLP_RETRANS : TE_TLP_NEW;
	c->n.loss_probes++;
	c->rack.tlp_end = c->snd_max;
	c->rack_timer = TE_RACK_OFF;
	c->rack_at = TE_NEVER;
	te_timer_rto(c, now);
}

/**
 * te_tlp_resend() - there is nothing new to probe with: take the last segment
 * @e: the engine
 * @c: connection
 * @most: bytes of a segment
 * @now: time
 *
 * RFC 8985 7.3.  It isn't deemed lost: the network may hold both.
 *
 * Return: the run to send, or NULL: the host doesn't hold it, or no memory.
 */
struct te_run *te_tlp_resend(struct te_engine *e, struct te_conn *c, uint32_t most, te_time now)
{
	struct te_run *r;

	if (!may_probe(c) || seq_lt(c->posted, c->snd_max) || !te_runs_room(e, c))
		return NULL;
	r = c->run_tail;
	if (r->flags & TE_RUN_SACKED)
		return NULL;
	if (c->snd_max - r->seq > most)
		r = te_runs_split(e, c, r, c->snd_max - most);
	if (r) {
		te_runs_mark(c, r, r->flags | TE_RUN_EVER);
		r->sent_us = (uint32_t)now;
	}
	return r;
}

/**
 * te_tlp_ack() - what does an acknowledgement say of the probe?
 * @c: connection with a probe in flight
 * @ack: acknowledgement number
 * @a: what else it says
 *
 * RFC 8985 7.4.2: a probe that is acknowledged and of which no duplicate is
 * reported has repaired a loss that nothing else would tell of.
 *
 * Return: true if so: the window is to be reduced.
 */
bool te_tlp_ack(struct te_conn *c, uint32_t ack, const struct te_acked *a)
{
	uint8_t tlp = c->tlp;

	if (seq_lt(ack, c->rack.tlp_end))
		return false;
	if (tlp == TE_TLP_NEW || (a->dsack && a->dsack_end == c->rack.tlp_end)) {
		c->tlp = TE_TLP_NONE;
		return false;
	}
	if (seq_gt(ack, c->rack.tlp_end)) {
		c->tlp = TE_TLP_NONE;
		return true;
	}
	if (a->same && !a->newly_sacked)
		c->tlp = TE_TLP_NONE;
	return false;
}
