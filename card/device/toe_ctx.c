/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Contexts and how to find them: by flow (hash table), by tid (index and
 * generation), by deadline (binary heap).
 */
#include <stdlib.h>
#include <string.h>
#include "toe_ctx.h"

#define GEN_MAX		(TOE_TID_GEN >> 20)

static uint32_t bucket(const struct card_toe *t, const struct card_flow *flow)
{
	uint64_t words[sizeof(*flow) / 8], h = t->hash_seed;
	unsigned int i;

	_Static_assert(sizeof(*flow) % 8 == 0, "card_flow");
	memcpy(words, flow, sizeof(words));
	for (i = 0; i < sizeof(words) / 8; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	return h & t->bucket_mask;
}

/**
 * toe_ctx_by_flow() - find the connection of a flow
 * @t: the TOE
 * @flow: local side first
 *
 * Return: its context or NULL.
 */
struct toe_ctx *toe_ctx_by_flow(struct card_toe *t, const struct card_flow *flow)
{
	struct toe_ctx *x = t->buckets[bucket(t, flow)];

	while (x && memcmp(&x->flow, flow, sizeof(*flow)))
		x = x->hash_next;
	return x;
}

/**
 * toe_ctx_by_tid() - find the connection that a command names
 * @t: the TOE
 * @tid: untrusted
 *
 * Return: its context, or NULL if the tid is free or its generation over.
 */
struct toe_ctx *toe_ctx_by_tid(struct card_toe *t, uint32_t tid)
{
	uint32_t index = tid & TOE_TID_INDEX;
	struct toe_ctx *x = &t->ctx[index];

	if (index >= t->card->cfg.contexts || x->state == TOE_CTX_FREE || x->tid != tid)
		return NULL;
	return x;
}

/**
 * toe_ctx_by_conn() - find the context around an engine's connection
 * @t: the TOE
 * @conn: in @t->conns
 *
 * Return: its context.
 */
struct toe_ctx *toe_ctx_by_conn(struct card_toe *t, const struct te_conn *conn)
{
	return &t->ctx[((const uint8_t *)conn - t->conns) / t->conn_stride];
}

/**
 * toe_ctx_alloc() - take a context for a flow
 * @t: the TOE
 * @flow: not in the table yet
 *
 * Return: a context in state HOLDING with a fresh tid, or NULL: none is free.
 */
struct toe_ctx *toe_ctx_alloc(struct card_toe *t, const struct card_flow *flow)
{
	struct toe_ctx *x = TAILQ_FIRST(&t->free), **b = &t->buckets[bucket(t, flow)];

	if (!x)
		return NULL;
	TAILQ_REMOVE(&t->free, x, free_entry);
	x->gen = x->gen % GEN_MAX + 1;		/* 1..GEN_MAX: a tid is never zero */
	x->tid = x->gen << 20 | x->index;
	x->state = TOE_CTX_HOLDING;
	x->flow = *flow;
	x->hash_next = *b;
	*b = x;
	t->card->stats.toe_contexts++;
	return x;
}

/* The heap's order is that of deadlines; every move tells the context its place. */
static void heap_put(struct card_toe *t, uint32_t pos, struct toe_ctx *x)
{
	t->heap[pos] = x;
	x->heap_pos = pos;
}

static void heap_up(struct card_toe *t, uint32_t pos, struct toe_ctx *x)
{
	while (pos && t->heap[(pos - 1) / 2]->deadline > x->deadline) {
		heap_put(t, pos, t->heap[(pos - 1) / 2]);
		pos = (pos - 1) / 2;
	}
	heap_put(t, pos, x);
}

static void heap_down(struct card_toe *t, uint32_t pos, struct toe_ctx *x)
{
	uint32_t kid;

	while ((kid = 2 * pos + 1) < t->heap_count) {
		if (kid + 1 < t->heap_count &&
		    t->heap[kid + 1]->deadline < t->heap[kid]->deadline)
			kid++;
		if (t->heap[kid]->deadline >= x->deadline)
			break;
		heap_put(t, pos, t->heap[kid]);
		pos = kid;
	}
	heap_put(t, pos, x);
}

/**
 * toe_ctx_set_deadline() - when the context's timer runs out
 * @t: the TOE
 * @x: the context
 * @when: us, or TE_NEVER
 */
void toe_ctx_set_deadline(struct card_toe *t, struct toe_ctx *x, uint64_t when)
{
	uint64_t old = x->deadline;
	uint32_t pos = x->heap_pos;

	x->deadline = when;
	if (when == TE_NEVER) {
		if (pos == TOE_NO_HEAP)
			return;
		x->heap_pos = TOE_NO_HEAP;
		if (pos == --t->heap_count)
			return;
		x = t->heap[t->heap_count];
		/* The one that fills the gap may belong above or below it. */
		if (pos && t->heap[(pos - 1) / 2]->deadline > x->deadline)
			heap_up(t, pos, x);
		else
			heap_down(t, pos, x);
	} else if (pos == TOE_NO_HEAP) {
		heap_up(t, t->heap_count++, x);
	} else if (when < old) {
		heap_up(t, pos, x);
	} else if (when > old) {
		heap_down(t, pos, x);
	}
}

/**
 * toe_ctx_update() - after the engine has worked on a connection
 * @t: the TOE
 * @x: an active context
 */
void toe_ctx_update(struct card_toe *t, struct toe_ctx *x)
{
	toe_ctx_set_deadline(t, x, te_deadline(x->conn));
	if (x->dirty)
		return;
	if (TAILQ_EMPTY(&t->dirty))
		t->dirty_at = t->card->now + TOE_STATS_MS * 1000 / 2;
	x->dirty = true;
	TAILQ_INSERT_TAIL(&t->dirty, x, dirty_entry);
}

/**
 * toe_ctx_want_output() - the engine may have something to send
 * @t: the TOE
 * @x: an active context
 */
void toe_ctx_want_output(struct card_toe *t, struct toe_ctx *x)
{
	if (x->out_pending)
		return;
	x->out_pending = true;
	TAILQ_INSERT_TAIL(&t->out, x, out_entry);
}

/**
 * toe_ctx_want_acked() - the host is to hear of snd_una or the window
 * @t: the TOE
 * @x: an active context
 */
void toe_ctx_want_acked(struct card_toe *t, struct toe_ctx *x)
{
	if (x->acked_pending)
		return;
	x->acked_pending = true;
	TAILQ_INSERT_TAIL(&t->acked, x, acked_entry);
}

static void unhash(struct card_toe *t, struct toe_ctx *x)
{
	struct toe_ctx **p = &t->buckets[bucket(t, &x->flow)];

	while (*p != x)
		p = &(*p)->hash_next;
	*p = x->hash_next;
}

/**
 * toe_ctx_free() - end a context
 * @t: the TOE
 * @x: not free; its held frames have been dealt with
 */
void toe_ctx_free(struct card_toe *t, struct toe_ctx *x)
{
	if (x->state == TOE_CTX_ACTIVE)
		te_release(t->engine, x->conn);
	if (x->out_pending)
		TAILQ_REMOVE(&t->out, x, out_entry);
	if (x->acked_pending)
		TAILQ_REMOVE(&t->acked, x, acked_entry);
	if (x->dirty)
		TAILQ_REMOVE(&t->dirty, x, dirty_entry);
	x->out_pending = x->acked_pending = x->dirty = false;
	toe_ctx_set_deadline(t, x, TE_NEVER);
	unhash(t, x);
	t->frags_used -= x->frag_count;
	free(x->frags);
	x->frags = NULL;
	x->frag_size = x->frag_head = x->frag_count = 0;
	x->state = TOE_CTX_FREE;
	/* At the end: a tid comes back as late as possible. */
	TAILQ_INSERT_TAIL(&t->free, x, free_entry);
	t->card->stats.toe_contexts--;
}
