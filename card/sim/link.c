/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The link: rate and queue, loss at random and in bursts, corruption, marks,
 * delay, jitter, reordering, duplication, black-outs.
 */
#include <string.h>
#include "sim.h"

#define FRAME_OVERHEAD	54

/* Into the queue, behind what is delivered at the same time. */
void sim_link_hold(struct sim_link *l, struct sim_packet *p, te_time until)
{
	sim_heap_add(&l->packets, &p->event, until);
}

static void enqueue(struct sim *s, const struct te_out *h, const uint8_t *data, int to,
		    te_time at)
{
	struct sim_packet *p = malloc(sizeof(*p) + h->len);

	p->sim = s;
	p->to = to;
	p->h = *h;
	if (h->len)
		memcpy(p->data, data, h->len);
	sim_link_hold(s->link, p, at);
}

/* Gilbert and Elliott: the link is good or bad, each packet may turn it over. */
static int burst(struct sim_link *l, uint64_t *rng, int from)
{
	const struct sim_impair *im = &l->impair[from];

	if (!im->burst_enter)
		return 0;
	if (sim_chance(rng, l->bad[from] ? im->burst_leave : im->burst_enter))
		l->bad[from] = !l->bad[from];
	return l->bad[from] && sim_chance(rng, im->burst_loss);
}

static enum sim_drop dropped(struct sim *s, int from, const struct te_out *h, const uint8_t *data)
{
	struct sim_link *l = s->link;
	const struct sim_impair *im = &l->impair[from];

	if (s->now >= im->blackout_from && s->now < im->blackout_to)
		return SIM_DROP_BLACKOUT;
	if (sim_chance(&s->rng, im->loss))
		return SIM_DROP_LOSS;
	if (burst(l, &s->rng, from))
		return SIM_DROP_BURST;
	if (!sim_chance(&s->rng, im->corrupt))
		return SIM_DROP_NOT;
	/* through the card's own parser, once in a while: it's slow */
	SIM_CHECK(s, !sim_frame_survives(h, data, (uint32_t)sim_rand(&s->rng)));
	return SIM_DROP_CORRUPT;
}

/* When the last byte leaves the queue; 0: the queue is full. */
static te_time queued(struct sim_link *l, int from, struct te_out *h, te_time now)
{
	const struct sim_impair *im = &l->impair[from];
	uint32_t bytes = h->len + h->opt_len + FRAME_OVERHEAD;
	te_time start = l->busy_until[from] > now ? l->busy_until[from] : now;
	uint64_t waiting = (start - now) * im->rate / 1000;

	if (!im->rate)
		return now;
	if (waiting && waiting + bytes > im->queue_bytes)
		return 0;
	if (im->mark_bytes && waiting > im->mark_bytes && h->ecn)
		h->ecn = 3;
	l->busy_until[from] = start + bytes * 1000ull / im->rate;
	return l->busy_until[from];
}

void sim_link_send(struct sim *s, int from, const struct te_out *h, const uint8_t *data)
{
	enum sim_drop why = dropped(s, from, h, data);
	struct sim_link *l = s->link;
	const struct sim_impair *im = &l->impair[from];
	struct te_out copy = *h;
	te_time at = 0;

	if (!why) {
		at = queued(l, from, &copy, s->now);
		why = at ? SIM_DROP_NOT : SIM_DROP_QUEUE;
	}
	l->count[why]++;
	if (why)
		return;
	at += im->delay_us + sim_below(&s->rng, im->jitter_us + 1);
	if (at < l->last_at[from])	/* jitter alone doesn't reorder */
		at = l->last_at[from];
	l->last_at[from] = at;
	if (sim_chance(&s->rng, im->reorder))
		at += sim_below(&s->rng, im->reorder_us + 1);
	enqueue(s, &copy, data, !from, at);
	if (sim_chance(&s->rng, im->dup))
		enqueue(s, &copy, data, !from, at + sim_below(&s->rng, im->delay_us + 1));
}

te_time sim_link_next(const struct sim_link *l)
{
	return l->packets.n ? l->packets.v[0]->at : TE_NEVER;
}

struct sim_packet *sim_link_take(struct sim_link *l)
{
	return (struct sim_packet *)sim_heap_take(&l->packets);
}

void sim_link_clear(struct sim_link *l)
{
	while (l->packets.n)
		free(sim_link_take(l));
	sim_heap_free(&l->packets);
}
