/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Pacing, if the engine's user has asked for it: the window is spread over the
 * round trip, so that a burst needn't fit into the smallest queue of the path.
 *
 * The rate is Linux's: twice the window per round trip in slow start, as long as
 * half of ssthresh isn't reached, else 1.2 times.  Timers are coarse where the
 * engine runs, so what is sent at once is a quantum: two segments, or what an
 * eighth of the round trip (at most 1 ms) holds if that is more.
 */
#include "conn.h"

#define QUANTUM_US	1000

/* How long does the rate take for so much?  us */
static uint32_t span_us(const struct te_conn *c, uint32_t bytes)
{
	bool slow = c->snd_cwnd < c->snd_ssthresh / 2;
	uint64_t rate = slow ? 2ull * c->snd_cwnd : c->snd_cwnd + c->snd_cwnd / 5;
	uint64_t us = (uint64_t)bytes * (c->srtt8_us >> 3) / rate;

	return us > TE_SEC ? (uint32_t)TE_SEC : (uint32_t)us;
}

/**
 * te_pace_sent() - payload is on its way
 * @c: connection that paces
 * @len: bytes
 * @now: time
 */
void te_pace_sent(struct te_conn *c, uint32_t len, te_time now)
{
	if ((int32_t)(c->pace_us - (uint32_t)now) < 0)
		c->pace_us = (uint32_t)now;
	c->pace_us += span_us(c, len);
}

/**
 * te_pace_waits() - must what is to be sent wait?
 * @c: connection that paces
 * @now: time
 *
 * A quantum may go ahead of its time; then the rate catches up.
 *
 * Return: true: until the deadline.
 */
bool te_pace_waits(struct te_conn *c, te_time now)
{
	int32_t ahead = (int32_t)(c->pace_us - (uint32_t)now);

	if (ahead <= 0 || !te_flight(c))
		c->pace_wait = false;
	else if (!c->pace_wait)
		c->pace_wait = (uint32_t)ahead >= te_max(te_min(c->srtt8_us >> 6, QUANTUM_US),
							 2 * span_us(c, c->mss));
	return c->pace_wait;
}

/**
 * te_pace_deadline() - when does the wait end?
 * @c: connection with pace_wait
 *
 * Return: time.
 */
te_time te_pace_deadline(const struct te_conn *c)
{
	return c->last_snd + (c->pace_us - (uint32_t)c->last_snd);
}
