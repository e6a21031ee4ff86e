/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Round trip and retransmission timeout, RFC 6298.
 */
#include "conn.h"

/**
 * te_rtt_sample() - take a measurement into the estimate
 * @c: connection
 * @rtt_us: at least 1 is assumed
 *
 * RFC 6298 2.2, 2.3.  As in Linux the variance term is never below the smallest
 * timeout, so that a peer that delays its acknowledgements isn't suspected.
 */
void te_rtt_sample(struct te_conn *c, uint32_t rtt_us)
{
	uint32_t r = te_min(te_max(rtt_us, 1), TE_RTO_MAX_US);

	if (!c->srtt8_us) {
		c->srtt8_us = r * 8;
		c->rttvar4_us = r * 2;
	} else {
		int32_t err = (int32_t)(r - (c->srtt8_us >> 3));
		uint32_t dev = err < 0 ? (uint32_t)-err : (uint32_t)err;

		c->rttvar4_us = c->rttvar4_us - (c->rttvar4_us >> 2) + dev;
		c->srtt8_us += (uint32_t)err;	/* seven eighths and at least one */
	}
	c->rto_us = te_min((c->srtt8_us >> 3) + te_max(c->rttvar4_us, TE_RTO_MIN_US),
			   TE_RTO_MAX_US);
}

/* The shortest round trip of the last minutes: routes change.  RFC 8985 6.2 step 1 */
static void least(struct te_conn *c, uint32_t rtt_us, te_time now)
{
	if (c->min_rtt_us && rtt_us > c->min_rtt_us &&
	    (uint32_t)now - c->min_rtt_at_us < TE_MIN_RTT_US)
		return;
	c->min_rtt_us = te_max(rtt_us, 1);
	c->min_rtt_at_us = (uint32_t)now;
}

/**
 * te_rtt_acked() - something was newly acknowledged or SACKed
 * @c: connection
 * @a: what it says
 * @now: time
 *
 * Karn: what was retransmitted gives no sample, except by its timestamp
 * (RFC 7323 4), and the backoff stays until there is a sample (RFC 6298 5.7).
 */
void te_rtt_acked(struct te_conn *c, const struct te_acked *a, te_time now)
{
	if (a->sampled)
		least(c, a->last_rtt_us, now);
	else if (a->sack_rtt_us)
		least(c, a->sack_rtt_us, now);

	if (a->sampled && !a->ambiguous) {
		te_rtt_sample(c, a->rtt_us);
	} else if (a->sack_rtt_us) {
		te_rtt_sample(c, a->sack_rtt_us);
	} else if (a->acked && a->has_ts) {
		uint32_t ms = a->tsnow - a->tsecr;

		if (ms > TE_RTO_MAX_US / TE_MSEC)
			return;
		te_rtt_sample(c, ms * (uint32_t)TE_MSEC);
	} else {
		return;
	}
	c->backoff = 0;
}

/**
 * te_rto_us() - the timeout as it would be armed now
 * @c: connection
 *
 * Return: us, with backoff, at most TE_RTO_MAX_US.
 */
uint32_t te_rto_us(const struct te_conn *c)
{
	uint64_t us = (uint64_t)c->rto_us << c->backoff;

	return us > TE_RTO_MAX_US ? (uint32_t)TE_RTO_MAX_US : (uint32_t)us;
}
