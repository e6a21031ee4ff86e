/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What happens next: a binary heap of events, first by time, then in the order
 * in which they were put there, so that a run doesn't depend on the heap.
 */
#include "sim.h"

static int before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct sim_heap *h, uint32_t pos, struct sim_event *ev)
{
	h->v[pos] = ev;
	ev->pos = pos;
}

static void rise(struct sim_heap *h, struct sim_event *ev)
{
	uint32_t pos = ev->pos;

	while (pos && before(ev, h->v[(pos - 1) / 2])) {
		put(h, pos, h->v[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	put(h, pos, ev);
}

static void sink(struct sim_heap *h, struct sim_event *ev)
{
	uint32_t pos = ev->pos, child;

	while ((child = 2 * pos + 1) < h->n) {
		if (child + 1 < h->n && before(h->v[child + 1], h->v[child]))
			child++;
		if (!before(h->v[child], ev))
			break;
		put(h, pos, h->v[child]);
		pos = child;
	}
	put(h, pos, ev);
}

void sim_heap_add(struct sim_heap *h, struct sim_event *ev, te_time at)
{
	if (h->n == h->size) {
		h->size = h->size ? 2 * h->size : 64;
		h->v = realloc(h->v, h->size * sizeof(*h->v));
	}
	ev->at = at;
	ev->order = h->order++;
	ev->pos = h->n++;
	rise(h, ev);
}

void sim_heap_move(struct sim_heap *h, struct sim_event *ev, te_time at)
{
	ev->at = at;
	ev->order = h->order++;
	rise(h, ev);
	sink(h, ev);
}

struct sim_event *sim_heap_take(struct sim_heap *h)
{
	struct sim_event *first = h->v[0];

	h->n--;
	if (h->n) {
		put(h, 0, h->v[h->n]);
		sink(h, h->v[0]);
	}
	return first;
}

void sim_heap_free(struct sim_heap *h)
{
	free(h->v);
	h->v = NULL;
	h->size = h->n = 0;
}
