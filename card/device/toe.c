/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The TOE as a whole: its memory, its timers, its share of a turn. */
#include <stdlib.h>
#include <sys/mman.h>
#include "toe.h"
#include "toe_ctx.h"

#define POOL_BYTES	(128u << 20)	/* reserved; used as far as it's needed */
#define CONN_POOL_BYTES	(8u << 20)
#define TIMERS		256		/* of one turn */

static const struct te_ops ops = {
	.place	= toe_host_place,
};

/* Zeroed pages that cost nothing until they are touched. */
static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool tables(struct card_toe *t, unsigned int contexts)
{
	uint32_t buckets = 1, i;

	while (buckets < contexts)
		buckets *= 2;
	t->bucket_mask = buckets - 1;
	t->conn_stride = (te_conn_bytes() + 63) & ~(size_t)63;
	t->pool_bytes = POOL_BYTES;
	t->pool = reserve(t->pool_bytes);
	t->conns = reserve(contexts * t->conn_stride);
	t->engine = calloc(1, te_engine_bytes());
	t->ctx = calloc(contexts, sizeof(*t->ctx));
	t->buckets = calloc(buckets, sizeof(*t->buckets));
	t->heap = calloc(contexts, sizeof(*t->heap));
	if (!t->pool || !t->conns || !t->engine || !t->ctx || !t->buckets || !t->heap)
		return false;
	for (i = 0; i < contexts; i++) {
		struct toe_ctx *x = &t->ctx[i];

		x->index = i;
		x->conn = (struct te_conn *)(t->conns + i * t->conn_stride);
		x->heap_pos = TOE_NO_HEAP;
		x->deadline = TE_NEVER;
		x->ip_id = i * 40503;
		STAILQ_INIT(&x->held);
		TAILQ_INSERT_TAIL(&t->free, x, free_entry);
	}
	return true;
}

static void destroy(struct card_toe *t, unsigned int contexts)
{
	if (t->pool)
		munmap(t->pool, t->pool_bytes);
	if (t->conns)
		munmap(t->conns, contexts * t->conn_stride);
	free(t->engine);
	free(t->ctx);
	free(t->buckets);
	free(t->heap);
	free(t);
}

/**
 * card_toe_create() - a TOE without connections
 * @c: the card, configured
 *
 * Return: the TOE or NULL.
 */
struct card_toe *card_toe_create(struct card *c)
{
	struct card_toe *t = calloc(1, sizeof(*t));
	struct te_config cfg = {
		.ops = &ops, .ctx = t, .seed = c->cfg.seed,
		.conn_pool_bytes = CONN_POOL_BYTES,
	};

	if (!t)
		return NULL;
	t->card = c;
	t->hash_seed = c->cfg.seed * 0x9e3779b97f4a7c15;
	TAILQ_INIT(&t->free);
	TAILQ_INIT(&t->out);
	TAILQ_INIT(&t->acked);
	TAILQ_INIT(&t->dirty);
	if (tables(t, c->cfg.contexts)) {
		cfg.pool = t->pool;
		cfg.pool_bytes = t->pool_bytes;
		if (!te_engine_init(t->engine, &cfg))
			return t;
	}
	destroy(t, c->cfg.contexts);
	return NULL;
}

static void drop_held(struct card_toe *t, struct toe_ctx *x)
{
	struct toe_held *h;

	while ((h = STAILQ_FIRST(&x->held))) {
		STAILQ_REMOVE_HEAD(&x->held, entry);
		free(h);
	}
	t->held_total -= x->held_bytes;
	x->held_bytes = 0;
}

/**
 * card_toe_destroy() - free the TOE
 * @c: the card
 */
void card_toe_destroy(struct card *c)
{
	struct card_toe *t = c->toe;
	unsigned int i;

	if (!t)
		return;
	for (i = 0; i < c->cfg.contexts; i++) {
		if (t->ctx[i].state == TOE_CTX_FREE)
			continue;
		drop_held(t, &t->ctx[i]);
		toe_ctx_free(t, &t->ctx[i]);
	}
	destroy(t, c->cfg.contexts);
	c->toe = NULL;
}

/**
 * card_toe_pair_destroy() - give the connections of a pair back
 * @c: the card
 * @p: the pair, still able to take completions
 */
void card_toe_pair_destroy(struct card *c, struct card_pair *p)
{
	struct card_toe *t = c->toe;
	unsigned int i;

	for (i = 0; i < c->cfg.contexts && c->stats.toe_contexts; i++) {
		struct toe_ctx *x = &t->ctx[i];

		if (x->state == TOE_CTX_FREE || x->pair != p)
			continue;
		if (x->state == TOE_CTX_ACTIVE) {
			toe_host_recalled(t, x, TOE_REASON_HOST);
		} else {
			drop_held(t, x);
			toe_ctx_free(t, x);
		}
	}
	card_pair_flush_data(c, p);
	p->rq_valid = false;
}

/* The host is busy, or has forgotten the flow: its COMMIT would come too late. */
static void hold_over(struct card_toe *t, struct toe_ctx *x)
{
	struct toe_cqe cqe = {
		.type = TOE_CQE_CLOSING,
		.closing.tid = htole32(x->tid),
		.closing.host_id = htole32(x->host_id),
		.closing.reason = htole32(TOE_REASON_TIMEOUT),
	};
	struct card_pair *p = x->pair;

	toe_rx_hold_end(t, x, false);
	toe_ctx_free(t, x);
	card_pair_post(t->card, p, &cqe);
}

/* A context's time has come. */
static void expired(struct card_toe *t, struct toe_ctx *x)
{
	uint64_t now = t->card->now;

	if (x->state == TOE_CTX_HOLDING) {
		hold_over(t, x);
		return;
	}
	toe_rx_events(t, x, te_timeout(t->engine, x->conn, now), NULL);
	/* Something that can't go on right now must not keep the card spinning. */
	if (x->state == TOE_CTX_ACTIVE && x->deadline <= now)
		toe_ctx_set_deadline(t, x, now + 100);
}

static void write_stats(struct card_toe *t)
{
	struct toe_ctx *x;

	if (TAILQ_EMPTY(&t->dirty) || t->card->now < t->dirty_at)
		return;
	while ((x = TAILQ_FIRST(&t->dirty)))
		toe_host_write_stats(t, x);
}

/**
 * card_toe_timers() - carry out what is due
 * @c: the card
 */
void card_toe_timers(struct card *c)
{
	struct card_toe *t = c->toe;
	int n;

	for (n = 0; n < TIMERS && t->heap_count && t->heap[0]->deadline <= c->now; n++)
		expired(t, t->heap[0]);
	write_stats(t);
}

/**
 * card_toe_flush() - publish the events that were collected
 * @c: the card
 *
 * One ACKED per connection and turn; while a ring is full they wait and grow.
 */
void card_toe_flush(struct card *c)
{
	struct card_toe *t = c->toe;
	struct toe_ctx *x, *next;

	for (x = TAILQ_FIRST(&t->acked); x; x = next) {
		next = TAILQ_NEXT(x, acked_entry);
		if (!card_cq_is_held(&x->pair->cq))
			toe_host_acked(t, x);
	}
}

/**
 * card_toe_deadline() - when the TOE needs a turn
 * @c: the card
 *
 * Return: us, or UINT64_MAX.
 */
uint64_t card_toe_deadline(struct card *c)
{
	struct card_toe *t = c->toe;
	uint64_t when = t->heap_count ? t->heap[0]->deadline : UINT64_MAX;

	if (!TAILQ_EMPTY(&t->dirty) && t->dirty_at < when)
		when = t->dirty_at;
	return when;
}
