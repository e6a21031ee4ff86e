/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Congestion control: what all algorithms share (slow start, validation,
 * restart after idling), the table of them, and Reno.
 */
#include "conn.h"

static void reno_reset(struct te_conn *c)
{
	c->cwnd_count = 0;
}

/* RFC 5681 3.1, equation 2 without its limit: acknowledgements may be merged */
static uint32_t reno_slow(struct te_conn *c, uint32_t acked, uint32_t rtt_us)
{
	(void)c;
	(void)rtt_us;
	return acked;
}

/* RFC 5681 3.1, equation 3 by counting bytes: one segment per window */
static void reno_avoid(struct te_conn *c, uint32_t acked, te_time now)
{
	(void)now;
	c->cwnd_count += acked;
	if (c->cwnd_count >= c->snd_cwnd) {
		c->cwnd_count -= c->snd_cwnd;
		c->snd_cwnd += c->mss;
	}
}

/* RFC 5681 3.1, equation 4; cwnd is validated, so it stands for the flight */
static uint32_t reno_ssthresh(struct te_conn *c, bool timeout)
{
	(void)timeout;
	return c->snd_cwnd / 2;
}

static const struct te_cong reno = {
	.reset		= reno_reset,
	.slow		= reno_slow,
	.avoid		= reno_avoid,
	.ssthresh	= reno_ssthresh,
};

static const struct te_cong *const algorithms[] = {
	[TOE_CONG_RENO]		= &reno,
	[TOE_CONG_CUBIC]	= &te_cong_cubic,
};

/**
 * te_cong_reset() - start the algorithm from the window that is set
 * @c: connection
 */
void te_cong_reset(struct te_conn *c)
{
	algorithms[c->cong]->reset(c);
	c->cwnd_mark = c->snd_max;
	c->max_flight = 0;
	c->cwnd_limited = false;
}

/* RFC 7661 4.1, in Linux's form: is the window what holds the sender back? */
static bool validated(const struct te_conn *c)
{
	if (c->snd_cwnd < c->snd_ssthresh)
		return c->snd_cwnd < 2 * c->max_flight || c->cwnd_limited;
	return c->cwnd_limited;
}

/**
 * te_cong_acked() - grow the window
 * @c: connection; not in recovery
 * @a: the acknowledgement
 * @now: time
 *
 * RFC 5681 3.1.
 */
void te_cong_acked(struct te_conn *c, const struct te_acked *a, te_time now)
{
	uint32_t acked = a->acked;

	if (!validated(c))
		return;
	if (c->snd_cwnd < c->snd_ssthresh) {
		uint32_t room = c->snd_ssthresh - c->snd_cwnd;
		uint32_t rtt_us = a->sampled ? a->last_rtt_us : 0;
		uint32_t step = algorithms[c->cong]->slow(c, te_min(acked, room), rtt_us);

		c->snd_cwnd = te_min(c->snd_cwnd + step, TE_WND_MAX);
		acked -= te_min(acked, room);
	}
	if (acked && c->snd_cwnd < TE_WND_MAX)
		algorithms[c->cong]->avoid(c, acked, now);
}

/**
 * te_cong_reduce() - loss or ECN mark: fall back, once per window
 * @c: connection
 * @ca_state: TOE_CA_CWR, TOE_CA_RECOVERY or TOE_CA_LOSS
 */
void te_cong_reduce(struct te_conn *c, unsigned int ca_state)
{
	bool timeout = ca_state == TOE_CA_LOSS;

	c->rate_open = false;
	/* RFC 5681 3.1: a second timeout of the same data holds ssthresh, and so
	 * does what follows a reduction within its window
	 */
	if (c->ca_state <= TOE_CA_DISORDER || seq_ge(c->snd_una, c->high_seq) ||
	    (c->ca_state == TOE_CA_LOSS && !c->retries)) {
		c->undo_on = false;
		if (ca_state != TOE_CA_CWR)
			te_undo_save(c);
		c->snd_ssthresh = te_max(algorithms[c->cong]->ssthresh(c, timeout), 2u * c->mss);
	} else if (c->ca_state == TOE_CA_CWR) {
		c->undo_on = false;	/* the mark stands, whatever was lost */
	}
	c->snd_cwnd = timeout ? c->mss : c->snd_ssthresh;
	c->cwnd_count = 0;
	c->high_seq = c->snd_max;
	c->ca_state = (uint8_t)ca_state;
}

/**
 * te_cong_idle() - nothing was sent for a while: restart the window
 * @c: connection; nothing is in flight
 * @now: time
 *
 * RFC 5681 4.1; as in Linux half of the window goes with each timeout that
 * passed, not all of it with the first; and none if the host wants it so.
 */
void te_cong_idle(struct te_conn *c, te_time now)
{
	uint32_t restart = te_min(TE_INIT_SEGS * (uint32_t)c->mss, c->snd_cwnd);
	te_time idle = now - c->last_snd;
	uint32_t rto = te_max(c->rto_us, 1);

	if (idle <= rto || c->origin.manner & TOE_MANNER_KEEP_CWND) {
		/* RFC 9438 5.8: time with nothing in flight is not the curve's */
		if (c->snd_cwnd >= c->snd_ssthresh && c->cubic.epoch)
			c->cubic.epoch += now - c->stall_at;
		return;
	}
	c->snd_ssthresh = te_max(c->snd_ssthresh, c->snd_cwnd - c->snd_cwnd / 4);
	for (; idle > rto && c->snd_cwnd > restart; idle -= rto)
		c->snd_cwnd /= 2;
	c->snd_cwnd = te_max(c->snd_cwnd, restart);
	te_cong_reset(c);
}

/**
 * te_cong_sent() - remember how much of the window is used
 * @c: connection
 * @limited: there is more to send and the peer's window allows it
 */
void te_cong_sent(struct te_conn *c, bool limited)
{
	uint32_t flight = te_flight(c);

	if (limited || seq_ge(c->snd_una, c->cwnd_mark) || seq_gt(c->cwnd_mark, c->snd_max) ||
	    (!c->cwnd_limited && flight > c->max_flight)) {
		c->cwnd_limited = limited;
		c->max_flight = flight;
		c->cwnd_mark = c->snd_max;
	}
}
