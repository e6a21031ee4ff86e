/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Impairment of one direction: loss, duplication, corruption, delay, jitter,
 * rate and reordering.  All chance comes from one generator that is drawn the
 * same number of times for every frame, so the n-th frame's fate depends on the
 * seed and on n alone, whatever the options before it did.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "impair.h"

#define QUEUE_MAX	4096	/* frames under way; more are lost, as in a router */
#define REORDER_US	1000	/* a reordered frame's extra delay, at least */

struct item {
	uint64_t due;
	uint64_t order;		/* frames due at the same time keep their order */
	uint8_t *frame;
	uint32_t len;
};

struct card_impair {
	struct card_impair_opts o;
	uint64_t rng;
	uint64_t order;
	uint64_t line_free;	/* when the rate-limited line has sent what it has */
	uint64_t last_due;	/* of the last frame that was not reordered */
	struct item heap[QUEUE_MAX];
	unsigned int count;
};

/* splitmix64: small, seedable with anything, good enough for dice */
static uint64_t draw(struct card_impair *imp)
{
	uint64_t z = imp->rng += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static bool chance(struct card_impair *imp, uint32_t p)
{
	return (uint32_t)draw(imp) < p;
}

static bool before(const struct item *a, const struct item *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void heap_push(struct card_impair *imp, struct item it)
{
	unsigned int i = imp->count++;

	while (i && before(&it, &imp->heap[(i - 1) / 2])) {
		imp->heap[i] = imp->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	imp->heap[i] = it;
}

static struct item heap_pop(struct card_impair *imp)
{
	struct item top = imp->heap[0], it = imp->heap[--imp->count];
	unsigned int i = 0, kid;

	while ((kid = 2 * i + 1) < imp->count) {
		if (kid + 1 < imp->count && before(&imp->heap[kid + 1], &imp->heap[kid]))
			kid++;
		if (!before(&imp->heap[kid], &it))
			break;
		imp->heap[i] = imp->heap[kid];
		i = kid;
	}
	imp->heap[i] = it;
	return top;
}

static void enqueue(struct card_impair *imp, const uint8_t *frame, uint32_t len, uint64_t due)
{
	struct item it = { .due = due, .order = imp->order++, .len = len };

	if (imp->count == QUEUE_MAX)
		return;
	it.frame = malloc(len);
	if (!it.frame)
		return;
	memcpy(it.frame, frame, len);
	heap_push(imp, it);
}

/**
 * card_impair_put() - send a frame into the impaired direction
 * @imp: the direction
 * @frame: copied
 * @len: bytes
 * @now: us
 */
void card_impair_put(struct card_impair *imp, const uint8_t *frame, uint32_t len, uint64_t now)
{
	bool lost = chance(imp, imp->o.loss);
	bool twice = chance(imp, imp->o.dup);
	bool corrupt = chance(imp, imp->o.corrupt);
	bool late = chance(imp, imp->o.reorder);
	uint64_t bit = draw(imp), wobble = draw(imp), due;
	uint8_t copy[16384];

	if (lost || !len || len > sizeof(copy))
		return;
	if (imp->line_free < now)
		imp->line_free = now;
	if (imp->o.rate_bps)
		imp->line_free += len * UINT64_C(8000000) / imp->o.rate_bps;
	due = imp->line_free + imp->o.delay_us;
	if (imp->o.jitter_us)
		due += wobble % (imp->o.jitter_us + 1);
	if (late) {
		due += REORDER_US + imp->o.jitter_us;
	} else {
		if (due < imp->last_due)
			due = imp->last_due;
		imp->last_due = due;
	}
	if (corrupt) {
		memcpy(copy, frame, len);
		/* Not in the Ethernet header: nothing checks that one. */
		if (len > 14)
			copy[14 + bit / 8 % (len - 14)] ^= 1 << bit % 8;
		frame = copy;
	}
	enqueue(imp, frame, len, due);
	if (twice)
		enqueue(imp, frame, len, due);
}

/**
 * card_impair_get() - take the next frame that has arrived
 * @imp: the direction
 * @buf: where to
 * @size: its bytes; a larger frame is dropped
 * @now: us
 *
 * Return: its bytes, 0 if none is due.
 */
uint32_t card_impair_get(struct card_impair *imp, uint8_t *buf, uint32_t size, uint64_t now)
{
	while (imp->count && imp->heap[0].due <= now) {
		struct item it = heap_pop(imp);
		bool fits = it.len <= size;

		if (fits)
			memcpy(buf, it.frame, it.len);
		free(it.frame);
		if (fits)
			return it.len;
	}
	return 0;
}

/**
 * card_impair_deadline() - when the next frame arrives
 * @imp: the direction
 *
 * Return: us, or UINT64_MAX.
 */
uint64_t card_impair_deadline(const struct card_impair *imp)
{
	return imp->count ? imp->heap[0].due : UINT64_MAX;
}

/**
 * card_impair_create() - a direction of its own dice
 * @o: options
 * @stream: tells directions of one seed apart
 *
 * Return: the direction or NULL.
 */
struct card_impair *card_impair_create(const struct card_impair_opts *o, uint64_t stream)
{
	struct card_impair *imp = calloc(1, sizeof(*imp));

	if (!imp)
		return NULL;
	imp->o = *o;
	imp->rng = o->seed * 2 + stream;
	return imp;
}

/**
 * card_impair_destroy() - free a direction and what is under way
 * @imp: the direction or NULL
 */
void card_impair_destroy(struct card_impair *imp)
{
	if (!imp)
		return;
	while (imp->count)
		free(heap_pop(imp).frame);
	free(imp);
}

/* "1%" or "0.01" */
static int parse_share(const char *s, uint32_t *out)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s)
		return -EINVAL;
	if (!strcmp(end, "%"))
		v /= 100;
	else if (*end)
		return -EINVAL;
	if (!(v >= 0 && v <= 1))
		return -EINVAL;
	*out = v >= 1 ? UINT32_MAX : (uint32_t)(v * 4294967296.0);
	return 0;
}

/* a number with one of the units in @units, which multiply by @factors */
static int parse_unit(const char *s, const char *const *units, const double *factors,
		      uint64_t *out)
{
	char *end;
	double v = strtod(s, &end);

	if (end == s || !(v >= 0) || v > 1e12)
		return -EINVAL;
	for (; *units; units++, factors++) {
		if (!strcmp(end, *units)) {
			*out = v * *factors;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_time(const char *s, uint64_t *us)
{
	static const char *const units[] = { "us", "ms", "s", NULL };
	static const double factors[] = { 1, 1e3, 1e6 };

	return parse_unit(s, units, factors, us);
}

static int parse_rate(const char *s, uint64_t *bps)
{
	static const char *const units[] = { "bit", "kbit", "mbit", "gbit", NULL };
	static const double factors[] = { 1, 1e3, 1e6, 1e9 };
	int err = parse_unit(s, units, factors, bps);

	return err ? err : *bps < 1000 ? -EINVAL : 0;
}

static int parse_option(const char *key, const char *val, struct card_impair_opts *o)
{
	char *end;

	if (!strcmp(key, "loss"))
		return parse_share(val, &o->loss);
	if (!strcmp(key, "reorder"))
		return parse_share(val, &o->reorder);
	if (!strcmp(key, "dup"))
		return parse_share(val, &o->dup);
	if (!strcmp(key, "corrupt"))
		return parse_share(val, &o->corrupt);
	if (!strcmp(key, "delay"))
		return parse_time(val, &o->delay_us);
	if (!strcmp(key, "jitter"))
		return parse_time(val, &o->jitter_us);
	if (!strcmp(key, "rate"))
		return parse_rate(val, &o->rate_bps);
	if (!strcmp(key, "seed")) {
		o->seed = strtoull(val, &end, 0);
		return *val && !*end ? 0 : -EINVAL;
	}
	if (!strcmp(key, "dir")) {
		o->dirs = !strcmp(val, "both") ? CARD_IMPAIR_RX | CARD_IMPAIR_TX :
			  !strcmp(val, "rx") ? CARD_IMPAIR_RX :
			  !strcmp(val, "tx") ? CARD_IMPAIR_TX : 0;
		return o->dirs ? 0 : -EINVAL;
	}
	return -ENOENT;
}

/**
 * card_impair_parse() - read the argument of --impair
 * @text: e.g. "loss=1%,delay=20ms,seed=7,dir=rx"
 * @o: result
 * @err: message, on error
 * @err_len: its room
 *
 * Return: 0 or -EINVAL.
 */
int card_impair_parse(const char *text, struct card_impair_opts *o, char *err, size_t err_len)
{
	char *copy = strdup(text), *save = NULL, *key, *val;
	int res = 0;

	memset(o, 0, sizeof(*o));
	o->dirs = CARD_IMPAIR_RX | CARD_IMPAIR_TX;
	o->seed = 1;
	for (key = strtok_r(copy, ",", &save); key && !res; key = strtok_r(NULL, ",", &save)) {
		val = strchr(key, '=');
		if (!val) {
			snprintf(err, err_len, "impairment '%s' has no value", key);
			res = -EINVAL;
			break;
		}
		*val++ = 0;
		res = parse_option(key, val, o);
		if (res == -ENOENT)
			snprintf(err, err_len, "unknown impairment '%s'", key);
		else if (res)
			snprintf(err, err_len, "impairment %s: bad value '%s'", key, val);
	}
	free(copy);
	return res ? -EINVAL : 0;
}
