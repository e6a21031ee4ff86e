/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Payload that the host has posted: where in its memory each byte of the stream
 * lies.  The card keeps no copy; every transmission gathers anew.
 */
#include <stdlib.h>
#include "toe_ctx.h"

#define FIRST_SIZE	16

static struct toe_frag *at(const struct toe_ctx *x, uint32_t i)
{
	return &x->frags[(x->frag_head + i) & (x->frag_size - 1)];
}

static int grow(struct toe_ctx *x)
{
	uint32_t size = x->frag_size ? x->frag_size * 2 : FIRST_SIZE, i;
	struct toe_frag *more = malloc(size * sizeof(*more));

	if (!more)
		return -1;
	for (i = 0; i < x->frag_count; i++)
		more[i] = *at(x, i);
	free(x->frags);
	x->frags = more;
	x->frag_size = size;
	x->frag_head = 0;
	return 0;
}

/**
 * toe_frag_add() - the stream goes on
 * @t: the TOE
 * @x: active context
 * @addr: of the bytes that follow what was posted
 * @len: how many
 *
 * Return: 0, or -1: the context or the pool is full.
 */
int toe_frag_add(struct card_toe *t, struct toe_ctx *x, uint64_t addr, uint32_t len)
{
	if (x->frag_count == CARD_TOE_FRAGS || t->frags_used == TOE_FRAGS_TOTAL ||
	    (x->frag_count == x->frag_size && grow(x)))
		return -1;
	t->frags_used++;
	*at(x, x->frag_count++) = (struct toe_frag){ addr, x->posted, len, false };
	x->posted += len;
	return 0;
}

/**
 * toe_frag_acked() - forget what the peer has acknowledged
 * @t: the TOE
 * @x: active context
 * @una: first byte that is still wanted
 */
void toe_frag_acked(struct card_toe *t, struct toe_ctx *x, uint32_t una)
{
	while (x->frag_count) {
		struct toe_frag *f = at(x, 0);

		if ((int32_t)(una - (f->seq + f->len)) < 0)
			break;
		x->frag_head = (x->frag_head + 1) & (x->frag_size - 1);
		x->frag_count--;
		t->frags_used--;
	}
}

/* Which piece holds @seq; there is one.  Pieces are in order of sequence. */
static uint32_t find(const struct toe_ctx *x, uint32_t seq)
{
	uint32_t lo = 0, hi = x->frag_count - 1;

	while (lo < hi) {
		uint32_t mid = (lo + hi + 1) / 2;

		if ((int32_t)(seq - at(x, mid)->seq) >= 0)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

/**
 * toe_frag_eor() - a record ends with what was posted last
 * @x: active context with a piece
 */
void toe_frag_eor(struct toe_ctx *x)
{
	at(x, x->frag_count - 1)->eor = true;
}

/* Does the engine have the end of a record that it hasn't sent? */
static bool record_waits(const struct toe_ctx *x, uint32_t snd_max)
{
	return x->given_eor && (int32_t)(snd_max - x->given) < 0;
}

/**
 * toe_frag_give() - let the engine have more of the stream
 * @x: active context
 * @push: the posted stream ends a write
 * @now: time
 *
 * One record at a time: the next one follows when the engine has sent the last.
 *
 * Return: whether there was more.
 */
bool toe_frag_give(struct toe_ctx *x, bool push, uint64_t now)
{
	uint32_t max = te_snd_max(x->conn), i;

	if (x->given == x->posted || record_waits(x, max))
		return false;
	/* What was sent before COMMIT has its segments. */
	for (i = find(x, x->given); i < x->frag_count && !record_waits(x, max); i++) {
		x->given = at(x, i)->seq + at(x, i)->len;
		x->given_eor = at(x, i)->eor;
	}
	te_post(x->conn, x->given, push || x->given_eor, now);
	return true;
}

/**
 * toe_frag_gather() - copy a part of the stream
 * @t: the TOE
 * @x: active context
 * @seq: first byte
 * @to: where to
 * @len: bytes
 *
 * Return: 0, or -1: not posted, or not to be reached.
 */
int toe_frag_gather(struct card_toe *t, struct toe_ctx *x, uint32_t seq, uint8_t *to,
		    uint32_t len)
{
	uint32_t i, off, n;

	if (!len)
		return 0;
	if (!x->frag_count || (int32_t)(seq - at(x, 0)->seq) < 0)
		return -1;
	for (i = find(x, seq); len; i++) {
		struct toe_frag *f = at(x, i);

		if (i >= x->frag_count)
			return -1;
		off = seq - f->seq;
		if (off >= f->len)
			return -1;
		n = f->len - off < len ? f->len - off : len;
		if (card_dma_read(&t->card->dma, to, f->addr + off, n))
			return -1;
		to += n;
		seq += n;
		len -= n;
	}
	return 0;
}
