/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * HyStart++, RFC 9406: the first slow start ends when the round trip grows, not
 * when the queue overflows.  Its limit L to what an acknowledgement may add is left
 * out, as in Linux: peers that join frames acknowledge a dozen segments at once.
 */
#include "conn.h"

#define MIN_THRESH_US	(4 * TE_MSEC)
#define MAX_THRESH_US	(16 * TE_MSEC)
#define RTT_DIVISOR	8
#define SAMPLES		8
#define GROWTH_DIVISOR	4
#define ROUNDS		5

static void round_begin(struct te_conn *c)
{
	struct te_hystart *h = &c->hystart;

	h->window_end = c->snd_max;
	h->last_us = h->now_us;
	h->now_us = 0;
	h->samples = 0;
}

/**
 * te_hystart_reset() - a slow start begins
 * @c: connection
 */
void te_hystart_reset(struct te_conn *c)
{
	c->hystart = (struct te_hystart){ .window_end = c->snd_una - 1 };
}

/* 4.2: has the round trip grown since the round before? */
static bool delayed(const struct te_hystart *h)
{
	uint32_t thresh = te_max(MIN_THRESH_US, te_min(h->last_us / RTT_DIVISOR, MAX_THRESH_US));

	return h->samples >= SAMPLES && h->last_us && h->now_us >= h->last_us + thresh;
}

/* 4.2: into conservative slow start, and out of it if it was a false alarm */
static void judge(struct te_hystart *h)
{
	if (h->base_us) {
		if (h->samples >= SAMPLES && h->now_us < h->base_us)
			h->base_us = 0;
	} else if (delayed(h)) {
		h->base_us = h->now_us;
		h->rounds = 0;
	}
}

/**
 * te_hystart_acked() - slow start, and whether it is time to end it
 * @c: connection; ssthresh was never set
 * @acked: bytes acknowledged
 * @rtt_us: measured by it, 0: not
 *
 * RFC 9406 4.2, 4.3.  Sets ssthresh when slow start is over.  A round ends with
 * the first acknowledgement beyond its end, so that one by which everything is
 * acknowledged doesn't begin a round of nothing.
 *
 * Return: bytes by which to grow.
 */
uint32_t te_hystart_acked(struct te_conn *c, uint32_t acked, uint32_t rtt_us)
{
	struct te_hystart *h = &c->hystart;
	uint32_t step = acked;

	/* the first that answers to what was sent in this round */
	if (seq_gt(c->snd_una, h->window_end)) {
		if (h->base_us && ++h->rounds >= ROUNDS) {
			c->snd_ssthresh = c->snd_cwnd;
			c->n.delay_detects++;
			c->n.delay_cwnd += c->snd_cwnd / c->mss;
		}
		round_begin(c);
	}
	if (rtt_us) {
		if (!h->now_us || rtt_us < h->now_us)
			h->now_us = rtt_us;
		if (h->samples < SAMPLES)
			h->samples++;
	}
	judge(h);
	if (h->base_us) {
		step += h->rest;
		h->rest = step % GROWTH_DIVISOR;
		step /= GROWTH_DIVISOR;
	}
	return step;
}
