/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The link: delay, rate and queue, loss, duplication, reordering, marks. */
#include <string.h>
#include "sim.h"

#define FRAME_OVERHEAD	54

/* Into the queue, behind what is delivered at the same time. */
void sim_link_hold(struct sim_link *l, struct sim_packet *p, te_time until)
{
	struct sim_packet **at_p = &l->first;

	p->at = until;
	while (*at_p && (*at_p)->at <= until)
		at_p = &(*at_p)->next;
	p->next = *at_p;
	*at_p = p;
	l->in_flight++;
}

static void enqueue(struct sim_link *l, const struct te_out *h, const uint8_t *data, int to,
		    te_time at)
{
	struct sim_packet *p = malloc(sizeof(*p) + h->len);

	p->to = to;
	p->h = *h;
	if (h->len)
		memcpy(p->data, data, h->len);
	sim_link_hold(l, p, at);
}

void sim_link_send(struct sim_link *l, uint64_t *rng, int from, const struct te_out *h,
		   const uint8_t *data, te_time now)
{
	const struct sim_impair *im = &l->impair[from];
	uint32_t bytes = h->len + h->opt_len + FRAME_OVERHEAD;
	struct te_out copy = *h;
	te_time at = now;

	if (sim_chance(rng, im->loss) || (now >= im->blackout_from && now < im->blackout_to)) {
		l->dropped++;
		return;
	}
	if (im->rate) {
		te_time start = l->busy_until[from] > now ? l->busy_until[from] : now;
		uint64_t waiting = (start - now) * im->rate / 1000;

		if (waiting && waiting + bytes > im->queue_bytes) {
			l->dropped++;
			return;
		}
		if (im->mark_bytes && waiting > im->mark_bytes && copy.ecn)
			copy.ecn = 3;
		at = start + bytes * 1000ull / im->rate;
		l->busy_until[from] = at;
	}
	at += im->delay_us;
	if (sim_chance(rng, im->reorder))
		at += sim_below(rng, im->reorder_us + 1);
	enqueue(l, &copy, data, !from, at);
	if (sim_chance(rng, im->dup))
		enqueue(l, &copy, data, !from, at + sim_below(rng, im->delay_us + 1));
}

struct sim_packet *sim_link_take(struct sim_link *l)
{
	struct sim_packet *p = l->first;

	l->first = p->next;
	l->in_flight--;
	return p;
}

void sim_link_clear(struct sim_link *l)
{
	while (l->first)
		free(sim_link_take(l));
}
