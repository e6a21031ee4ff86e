/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Out-of-order payload: kept in blocks of the shared pool until the hole before
 * it is filled.  None of it was ever acknowledged, so it may be dropped at any
 * time; what was SACKed is kept if possible.
 */
#include <string.h>
#include "conn.h"

static uint32_t block_end(const struct te_block *b)
{
	return b->seq + b->len;
}

/* Room behind the payload of @b for bytes that continue it. */
static uint32_t block_room(const struct te_block *b)
{
	return TE_BLOCK_DATA - b->off - b->len;
}

static void link_after(struct te_conn *c, struct te_block *prev, struct te_block *b)
{
	if (prev) {
		b->next = prev->next;
		prev->next = b;
	} else {
		b->next = c->ooo_head;
		c->ooo_head = b;
	}
	if (!b->next)
		c->ooo_tail = b;
}

/* Store [seq, seq + len), which no block covers, behind @prev.
 * Return: the block that holds the last byte, or NULL: no memory for all of it;
 * @seq is moved behind what was stored.
 */
static struct te_block *store(struct te_engine *e, struct te_conn *c, struct te_block *prev,
			      uint32_t *seq, const uint8_t *data, uint32_t len)
{
	while (len) {
		struct te_block *b = prev;
		uint32_t n;

		if (!b || block_end(b) != *seq || !block_room(b)) {
			b = te_block_get(e, c);
			if (!b)
				return NULL;
			b->seq = *seq;
			b->off = 0;
			b->len = 0;
			b->push = false;
			link_after(c, prev, b);
		}
		n = te_min(len, block_room(b));
		memcpy(b->data + b->off + b->len, data, n);
		b->len = (uint16_t)(b->len + n);
		data += n;
		len -= n;
		*seq += n;
		prev = b;
	}
	return prev;
}

/**
 * te_reass_insert() - keep payload that lies above rcv_nxt
 * @e: the engine
 * @c: connection
 * @seq: first byte
 * @data: payload
 * @len: its bytes, within the window
 * @push: PSH was set
 *
 * Where payload is held already, that stays.  What was stored is noted for SACK,
 * and the first stretch that was held already for D-SACK (RFC 2883 4).
 *
 * Return: true if there was memory for all of it.
 */
bool te_reass_insert(struct te_engine *e, struct te_conn *c, uint32_t seq,
		     const uint8_t *data, uint32_t len, bool push)
{
	struct te_block *prev = NULL;
	uint32_t end = seq + len;
	uint32_t dup_end = seq;
	uint32_t dup = seq;
	uint32_t start = seq;
	uint32_t at = seq;
	bool fresh = false;

	if (c->ooo_tail && seq_le(block_end(c->ooo_tail), seq))
		prev = c->ooo_tail;
	while (seq_lt(at, end)) {
		struct te_block *next = prev ? prev->next : c->ooo_head;
		uint32_t gap_end = end;

		if (next && seq_le(next->seq, at)) {
			if (seq_gt(block_end(next), at)) {
				if (dup == dup_end)
					dup = dup_end = at;
				at = block_end(next);
				if (dup_end == dup || dup_end == next->seq)
					dup_end = seq_lt(at, end) ? at : end;
			}
			prev = next;
			continue;
		}
		if (next && seq_lt(next->seq, end))
			gap_end = next->seq;
		fresh = true;
		prev = store(e, c, prev, &at, data + (at - seq), gap_end - at);
		if (!prev)
			break;
	}
	if (!fresh)
		c->n.ofo_merges++;
	if (prev && push && block_end(prev) == end)
		prev->push = true;
	if (at != start)
		te_sack_note(c, start, seq_lt(at, end) ? at : end);
	if (dup != dup_end)
		te_sack_dup(c, dup, dup_end);
	return prev != NULL;
}

/* What was placed last covers payload that is held: its first stretch was received
 * twice, RFC 2883 4.
 */
static void covered(struct te_conn *c)
{
	const struct te_block *b = c->ooo_head;
	uint32_t start, end;

	if (c->dsack || seq_ge(b->seq, c->rcv_nxt))
		return;
	start = b->seq;
	end = block_end(b);
	while ((b = b->next) && b->seq == end)
		end = block_end(b);
	te_sack_dup(c, start, seq_lt(end, c->rcv_nxt) ? end : c->rcv_nxt);
}

/**
 * te_reass_drain() - hand on what rcv_nxt has reached
 * @e: the engine
 * @c: connection that holds something
 * @now: time
 *
 * The host may refuse; then it is asked again soon.
 *
 * Return: true if anything was placed.
 */
bool te_reass_drain(struct te_engine *e, struct te_conn *c, te_time now)
{
	struct te_block *b;
	bool placed = false;

	c->drain_at = TE_NEVER;
	covered(c);
	while ((b = c->ooo_head) && seq_le(b->seq, c->rcv_nxt)) {
		uint32_t skip = te_min(c->rcv_nxt - b->seq, b->len);
		uint32_t len = b->len - skip;
		uint32_t n = 0;

		if (len) {
			n = e->ops->place(e->ctx, c, c->rcv_nxt, b->data + b->off + skip, len,
					  b->push);
			n = te_min(n, len);
			c->rcv_nxt += n;
			c->n.bytes_in += n;
			placed |= n != 0;
		}
		if (n < len) {
			b->seq += skip + n;
			b->off = (uint16_t)(b->off + skip + n);
			b->len = (uint16_t)(len - n);
			c->drain_at = now + TE_DRAIN_US;
			break;
		}
		c->ooo_head = b->next;
		te_block_put(e, c, b);
	}
	if (!c->ooo_head)
		c->ooo_tail = NULL;
	te_sack_prune(c);
	return placed;
}

/**
 * te_reass_clear() - drop everything
 * @e: the engine
 * @c: connection
 */
void te_reass_clear(struct te_engine *e, struct te_conn *c)
{
	while (c->ooo_head) {
		struct te_block *b = c->ooo_head;

		c->ooo_head = b->next;
		te_block_put(e, c, b);
	}
	c->ooo_tail = NULL;
	c->nsacks = 0;
	c->drain_at = TE_NEVER;
}
