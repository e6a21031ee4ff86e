/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * CUBIC, RFC 9438, in integers: windows in bytes, time in ms.
 */
#include "conn.h"

static void cubic_reset(struct te_conn *c)
{
	c->cubic = (struct te_cubic){ 0 };
	te_hystart_reset(c);
}

/* 4.10: HyStart++ as long as no loss has set ssthresh, RFC 9406 4.3 */
static uint32_t cubic_slow(struct te_conn *c, uint32_t acked, uint32_t rtt_us)
{
	return c->snd_ssthresh == TE_SSTHRESH_INF ? te_hystart_acked(c, acked, rtt_us) : acked;
}

/* Largest r with r * r * r <= v. */
static uint32_t cube_root(uint64_t v)
{
	uint64_t r = 0;

	for (int s = 63; s >= 0; s -= 3) {
		uint64_t b;

		r <<= 1;
		b = 3 * r * (r + 1) + 1;
		if (v >> s >= b) {
			v -= b << s;
			r++;
		}
	}
	return (uint32_t)r;
}

/* C * t^3 segments in bytes, C = 0.4; t in ms.  4.2, figure 1. */
static uint64_t cubic_bytes(uint32_t t_ms, uint32_t mss)
{
	uint64_t t = te_min(t_ms, 200000);

	return t * t / 1000 * t * mss / 1000 * 4 / 10000;
}

/* 4.2: K = cbrt((W_max - cwnd_epoch) / C) */
static void epoch_start(struct te_conn *c, te_time now)
{
	struct te_cubic *q = &c->cubic;

	q->epoch = now;
	q->w_est = c->snd_cwnd;
	c->cwnd_count = 0;
	if (q->w_max > c->snd_cwnd) {
		uint64_t segs_milli = (uint64_t)(q->w_max - c->snd_cwnd) * 1000 / c->mss;

		q->k_ms = cube_root(segs_milli * 2500000);
		q->origin = q->w_max;
	} else {
		q->k_ms = 0;
		q->origin = c->snd_cwnd;
	}
}

/* 4.2, figure 1: W_cubic, @us after the epoch's start */
static uint64_t w_cubic(const struct te_conn *c, te_time us)
{
	const struct te_cubic *q = &c->cubic;
	uint64_t ms = us / TE_MSEC;
	uint32_t t = ms > 1000000 ? 1000000 : (uint32_t)ms;
	uint64_t d;

	if (t >= q->k_ms)
		return q->origin + cubic_bytes(t - q->k_ms, c->mss);
	d = cubic_bytes(q->k_ms - t, c->mss);
	return d < q->origin ? q->origin - d : 0;
}

/* 4.2: where to be a round trip from now: at most half a window more, never less */
static uint32_t cubic_target(const struct te_conn *c, te_time now)
{
	uint64_t w = w_cubic(c, now - c->cubic.epoch + (c->srtt8_us >> 3));

	if (w > c->snd_cwnd + (uint64_t)c->snd_cwnd / 2)
		w = c->snd_cwnd + (uint64_t)c->snd_cwnd / 2;
	if (w < c->snd_cwnd)
		w = c->snd_cwnd;
	return w > TE_WND_MAX ? TE_WND_MAX : (uint32_t)w;
}

/* 4.3: alpha = 3 * (1 - beta) / (1 + beta) = 9/17 until cwnd_prior is reached */
static void reno_friendly(struct te_conn *c, uint32_t acked)
{
	struct te_cubic *q = &c->cubic;
	uint64_t step = (uint64_t)acked * c->mss / c->snd_cwnd;

	if (q->w_est < q->cwnd_prior)
		step = step * 9 / 17;
	if (q->w_est < TE_WND_MAX)
		q->w_est += (uint32_t)te_min((uint32_t)step, TE_WND_MAX);
}

static void cubic_avoid(struct te_conn *c, uint32_t acked, te_time now)
{
	struct te_cubic *q = &c->cubic;
	uint32_t target;

	if (!q->epoch)
		epoch_start(c, now);

	reno_friendly(c, acked);
	if (q->w_est > w_cubic(c, now - q->epoch)) {	/* 4.3: the Reno-friendly region */
		c->snd_cwnd = te_max(c->snd_cwnd, q->w_est);
		return;
	}
	target = cubic_target(c, now);

	/* 4.4: cwnd += (target - cwnd) / cwnd for each segment acknowledged */
	if (target > c->snd_cwnd) {
		uint64_t grow = (uint64_t)(target - c->snd_cwnd) * acked + c->cwnd_count;

		c->cwnd_count = (uint32_t)(grow % c->snd_cwnd);
		grow /= c->snd_cwnd;
		c->snd_cwnd += te_min((uint32_t)grow, target - c->snd_cwnd);
	}
}

/* 4.6 multiplicative decrease by 0.7, 4.7 fast convergence, 4.8: after a timeout
 * the curve starts where slow start ends
 */
static uint32_t cubic_ssthresh(struct te_conn *c, bool timeout)
{
	struct te_cubic *q = &c->cubic;
	uint32_t cwnd = c->snd_cwnd;

	q->cwnd_prior = cwnd;
	q->w_max = cwnd < q->w_max ? (uint32_t)((uint64_t)cwnd * 17 / 20) : cwnd;
	if (timeout)
		q->w_max = 0;
	q->epoch = 0;
	return (uint32_t)((uint64_t)cwnd * 7 / 10);
}

const struct te_cong te_cong_cubic = {
	.reset		= cubic_reset,
	.slow		= cubic_slow,
	.avoid		= cubic_avoid,
	.ssthresh	= cubic_ssthresh,
};
