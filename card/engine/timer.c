/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Timers: retransmission (RFC 6298 5), reordering and tail loss probe (RFC 8985),
 * persist (RFC 9293 3.8.6.1), delayed acknowledgement, keepalive (3.8.4), and the
 * user's timeout (3.8.3, RFC 5482).
 *
 * The engine never gives a connection up: it leaves, and the host decides.
 */
#include "conn.h"

static bool user_timeout(const struct te_conn *c, te_time now)
{
	return c->user_timeout_ms && now - c->stall_at >= c->user_timeout_ms * TE_MSEC;
}

/* Timeouts in a row after which it leaves instead of sending again. */
static uint32_t retries_max(const struct te_conn *c)
{
	return c->origin.retries ? c->origin.retries - 1u : TE_RETRIES;
}

static void arm(struct te_conn *c, te_time now)
{
	te_time us = te_rto_us(c);

	if (c->user_timeout_ms) {
		te_time limit = c->user_timeout_ms * TE_MSEC;
		te_time stalled = now - c->stall_at;

		limit = limit > stalled ? limit - stalled : 0;
		us = us < limit ? us : limit;
	}
	c->rtx_at = now + us;
}

/**
 * te_timer_rto_over() - there is progress after timeouts
 * @c: connection with retries
 * @now: time
 */
void te_timer_rto_over(struct te_conn *c, te_time now)
{
	if (c->rto_at)
		c->n.rto_time_ms += (uint32_t)((now - c->rto_at) / TE_MSEC);
	c->rto_at = 0;
	c->retries = 0;
}

/**
 * te_timer_rto() - (re)start the retransmission timer
 * @c: connection with data in flight
 * @now: time
 */
void te_timer_rto(struct te_conn *c, te_time now)
{
	c->persist = false;
	arm(c, now);
}

/**
 * te_timer_persist() - start the persist timer
 * @c: connection with data to send, none in flight, and too little window
 * @now: time
 */
void te_timer_persist(struct te_conn *c, te_time now)
{
	/* The user's time-out runs from the closing of the window, answered probes or
	 * not, as Linux has it.
	 */
	if (!c->persist)
		c->stall_at = now;
	c->persist = true;
	arm(c, now);
}

/**
 * te_timer_stop() - nothing is in flight: stop whatever waits for an acknowledgement
 * @c: connection
 */
void te_timer_stop(struct te_conn *c)
{
	c->persist = false;
	c->rtx_at = TE_NEVER;
	c->rack_timer = TE_RACK_OFF;
	c->rack_at = TE_NEVER;
}

/**
 * te_timer_keepalive() - (re)start the keepalive timer from the last segment seen, or
 *	stop it if there is none
 * @c: connection
 * @now: time
 */
void te_timer_keepalive(struct te_conn *c, te_time now)
{
	te_time idle = c->keep_idle_ms * TE_MSEC;
	te_time silent = now - c->last_rcv;

	if (!(c->flags & TOE_MT_KEEPALIVE) || !c->keep_idle_ms)
		c->keep_at = TE_NEVER;
	else if (c->probes)
		c->keep_at = now + c->keep_intvl_ms * TE_MSEC;
	else
		c->keep_at = silent < idle ? now + (idle - silent) : now;
}

static void backoff(struct te_conn *c)
{
	if (c->backoff < TE_RETRIES)
		c->backoff++;
}

static void rto_fire(struct te_engine *e, struct te_conn *c, te_time now)
{
	bool alive = !c->snd_wnd && now - c->last_rcv < 2 * TE_RTO_MAX_US;

	if (!te_flight(c)) {
		te_timer_stop(c);
		return;
	}
	if (user_timeout(c, now) || c->retries >= retries_max(c)) {
		te_leave(c, TOE_REASON_TIMEOUT);
		return;
	}
	if (seq_le(c->posted, c->snd_una)) {	/* the host is still posting */
		te_timer_rto(c, now);
		return;
	}
	te_recovery_rto(e, c, now);
	c->n.rto_count++;
	/* a peer that keeps answering with a closed window isn't gone */
	if (!alive) {
		if (!c->retries) {
			c->n.rto_episodes++;
			c->rto_at = now;
		}
		c->retries++;
	}
	backoff(c);
	te_timer_rto(c, now);
}

static void rack_fire(struct te_engine *e, struct te_conn *c, te_time now)
{
	uint8_t timer = c->rack_timer;

	c->rack_timer = TE_RACK_OFF;
	c->rack_at = TE_NEVER;
	if (timer == TE_RACK_REORDER)
		te_recovery_reorder(e, c, now);
	else
		te_tlp_fire(c);
}

static void persist_fire(struct te_conn *c, te_time now)
{
	if (te_flight(c) || seq_ge(c->snd_max, c->posted)) {
		te_timer_stop(c);
		return;
	}
	if (user_timeout(c, now) || c->probes >= te_max(retries_max(c), 1)) {
		te_leave(c, TOE_REASON_TIMEOUT);
		return;
	}
	if (c->snd_wnd) {	/* RFC 9293 3.8.6.2.1: the override timeout */
		c->sws_force = true;
		te_timer_stop(c);
		return;
	}
	c->probe = TE_PROBE_WINDOW;
	c->probes++;
	backoff(c);
	te_timer_persist(c, now);
}

static void keepalive_fire(struct te_conn *c, te_time now)
{
	te_time silent = now - c->last_rcv;

	/* data in flight or waiting: the other timers watch the peer */
	if (te_flight(c) || seq_lt(c->snd_max, c->posted)) {
		c->keep_at = now + c->keep_idle_ms * TE_MSEC;
		return;
	}
	if (silent < c->keep_idle_ms * TE_MSEC) {
		c->probes = 0;
		te_timer_keepalive(c, now);
		return;
	}
	if (c->user_timeout_ms ? silent >= c->user_timeout_ms * TE_MSEC && c->probes
			       : c->probes >= c->keep_probes) {
		te_leave(c, TOE_REASON_TIMEOUT);
		return;
	}
	c->probe = TE_PROBE_KEEPALIVE;
	if (c->probes < UINT8_MAX)
		c->probes++;
	te_timer_keepalive(c, now);
}

/**
 * te_deadline() - when te_timeout() has something to do
 * @c: connection
 *
 * Return: the earliest timer, or TE_NEVER.
 */
te_time te_deadline(const struct te_conn *c)
{
	te_time t = c->rtx_at;

	if (c->leave)
		return TE_NEVER;
	if (c->rack_at < t)
		t = c->rack_at;
	if (c->ack_at < t)
		t = c->ack_at;
	if (c->pace_wait && te_pace_deadline(c) < t)
		t = te_pace_deadline(c);
	if (c->keep_at < t)
		t = c->keep_at;
	if (c->ooo_head && c->drain_at < t)
		t = c->drain_at;
	return t;
}

/**
 * te_timeout() - do what is due
 * @e: the engine
 * @c: connection
 * @now: time; may be early (then nothing happens) or late
 *
 * Return: TE_EV_* mask.
 */
unsigned int te_timeout(struct te_engine *e, struct te_conn *c, te_time now)
{
	unsigned int ev = 0;

	if (c->leave)
		return TE_EV_LEAVE;
	if (c->ack_at <= now) {
		c->ack_at = TE_NEVER;
		c->ack_now = true;
		c->n.delayed_acks++;
		ev |= TE_EV_OUTPUT;
	}
	if (c->ooo_head && c->drain_at <= now && te_reass_drain(e, c, now)) {
		c->ack_now = true;
		ev |= TE_EV_OUTPUT | TE_EV_PUSH;
	}
	if (c->pace_wait && te_pace_deadline(c) <= now) {
		c->pace_wait = false;
		ev |= TE_EV_OUTPUT;
	}
	if (c->rack_at <= now) {
		rack_fire(e, c, now);
		ev |= TE_EV_OUTPUT;
	}
	if (c->rtx_at <= now && c->probe != TE_PROBE_TAIL) {
		if (c->persist)
			persist_fire(c, now);
		else
			rto_fire(e, c, now);
		ev |= TE_EV_OUTPUT;
	}
	if (c->keep_at <= now) {
		keepalive_fire(c, now);
		ev |= c->probe ? TE_EV_OUTPUT : 0;
	}
	return c->leave ? TE_EV_LEAVE : ev;
}
