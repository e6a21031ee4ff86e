/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The shared pool: blocks of out-of-order payload and runs of the scoreboard.
 *
 * One eighth is for runs, the rest for blocks.  Memory that was never used is
 * handed out in address order, so that a large pool costs nothing at start.
 */
#include <string.h>
#include "conn.h"

size_t te_engine_bytes(void)
{
	return sizeof(struct te_engine);
}

size_t te_conn_bytes(void)
{
	return sizeof(struct te_conn);
}

/**
 * te_engine_init() - set up an engine in caller's memory
 * @e: te_engine_bytes() of it
 * @cfg: its configuration; the pool is the engine's from now on
 *
 * Return: 0, or -1 if @cfg can't be used.
 */
int te_engine_init(struct te_engine *e, const struct te_config *cfg)
{
	size_t runs = cfg->pool_bytes / 8 & ~(size_t)63;
	size_t limit;

	if (!cfg->ops || !cfg->ops->place)
		return -1;
	if ((uintptr_t)cfg->pool & 63 || (!cfg->pool && cfg->pool_bytes))
		return -1;

	memset(e, 0, sizeof(*e));
	e->ops = cfg->ops;
	e->ctx = cfg->ctx;
	e->run_new = cfg->pool;
	e->run_end = e->run_new + runs;
	e->block_new = e->run_end;
	e->block_end = e->run_new + cfg->pool_bytes;
	e->rng = cfg->seed | 1;
	e->pacing = cfg->pacing;

	limit = cfg->conn_pool_bytes / TE_BLOCK_BYTES;
	e->conn_blocks = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
	limit = cfg->conn_pool_bytes / 8 / sizeof(struct te_run);
	e->conn_runs = limit > TE_MAX_RUNS ? TE_MAX_RUNS : (uint32_t)limit;
	return 0;
}

/**
 * te_block_get() - take a block for @c
 * @e: the engine
 * @c: counted against its limit
 *
 * Return: the block, uninitialised, or NULL: pool or limit exhausted.
 */
struct te_block *te_block_get(struct te_engine *e, struct te_conn *c)
{
	struct te_block *b = e->blocks;

	if (c->ooo_blocks >= e->conn_blocks)
		return NULL;
	if (b) {
		e->blocks = b->next;
	} else {
		if ((size_t)(e->block_end - e->block_new) < TE_BLOCK_BYTES)
			return NULL;
		b = (struct te_block *)(void *)e->block_new;
		e->block_new += TE_BLOCK_BYTES;
	}
	c->ooo_blocks++;
	e->blocks_used++;
	return b;
}

/**
 * te_block_put() - give a block back
 * @e: the engine
 * @c: whose it was
 * @b: the block
 */
void te_block_put(struct te_engine *e, struct te_conn *c, struct te_block *b)
{
	b->next = e->blocks;
	e->blocks = b;
	c->ooo_blocks--;
	e->blocks_used--;
}

/**
 * te_run_get() - take a run for @c
 * @e: the engine
 * @c: its own few are used up before the pool's
 *
 * Return: the run, uninitialised, or NULL: pool or limit exhausted.
 */
struct te_run *te_run_get(struct te_engine *e, struct te_conn *c)
{
	struct te_run *r = e->runs;

	if (c->run_mask) {
		int i = __builtin_ctz(c->run_mask);

		c->run_mask &= (uint8_t)(c->run_mask - 1);
		return &c->run_inline[i];
	}
	if (c->nruns >= e->conn_runs)
		return NULL;
	if (r) {
		e->runs = r->next;
	} else {
		if ((size_t)(e->run_end - e->run_new) < sizeof(*r))
			return NULL;
		r = (struct te_run *)(void *)e->run_new;
		e->run_new += sizeof(*r);
	}
	c->nruns++;
	e->runs_used++;
	return r;
}

/**
 * te_run_put() - give a run back
 * @e: the engine
 * @c: whose it was
 * @r: the run
 */
void te_run_put(struct te_engine *e, struct te_conn *c, struct te_run *r)
{
	uintptr_t base = (uintptr_t)c->run_inline;
	uintptr_t at = (uintptr_t)r;

	if (at >= base && at < base + sizeof(c->run_inline)) {
		c->run_mask |= (uint8_t)(1u << ((at - base) / sizeof(*r)));
		return;
	}
	r->next = e->runs;
	e->runs = r;
	c->nruns--;
	e->runs_used--;
}
