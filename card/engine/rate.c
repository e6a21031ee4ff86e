/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Delivery rate, draft-cheng-iccrg-delivery-rate-estimation, for TCP_INFO: nothing in
 * the engine acts on it.
 */
#include "conn.h"

/**
 * te_rate_open() - new data was sent and no sample is open: begin one with it
 * @c: connection
 * @now: time
 *
 * While there are holes the time of the last delivery isn't known.
 */
void te_rate_open(struct te_conn *c, te_time now)
{
	struct te_rate *r = &c->rate;

	if (c->sacked || c->ca_state >= TOE_CA_RECOVERY)
		return;
	c->rate_open = true;
	r->end = c->snd_max;
	r->delivered = c->n.delivered;
	r->began_us = (uint32_t)now;
	r->first_us = c->rack_rtt_us ? c->rack_us : (uint32_t)now;
	r->acked_us = (uint32_t)c->stall_at;
	r->limited = r->limit != 0;
}

/**
 * te_rate_close() - the sample's segment was acknowledged
 * @c: connection with rate_open
 * @now: time
 *
 * The slower one of sending and being acknowledged is the rate.  One that the
 * application has held down only counts if it is higher.
 */
void te_rate_close(struct te_conn *c, te_time now)
{
	struct te_rate *r = &c->rate;
	uint32_t bytes = (uint32_t)(c->n.delivered - r->delivered);
	uint32_t us = te_max((uint32_t)now - r->acked_us, r->began_us - r->first_us);

	c->rate_open = false;
	if (r->limit && c->n.delivered > r->limit)
		r->limit = 0;
	if (us < c->min_rtt_us || !us)
		return;
	if (r->limited && r->us && (uint64_t)bytes * r->us < (uint64_t)r->bytes * us)
		return;
	r->bytes = bytes;
	r->us = us;
	r->bytes_limited = r->limited;
}

/**
 * te_rate_waited() - the host gives more; until now all of its data was sent
 * @c: connection
 *
 * If the congestion window isn't the reason, what follows is the application's rate,
 * until what is in flight now has been delivered.
 */
void te_rate_waited(struct te_conn *c)
{
	uint32_t pipe = te_pipe(c);
	uint64_t limit = c->n.delivered + pipe;

	if (pipe < c->snd_cwnd)
		c->rate.limit = limit ? limit : 1;
}
