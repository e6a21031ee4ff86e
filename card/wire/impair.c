/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Impairment of one direction: loss, duplication, corruption, delay, jitter,
 * rate and reordering.  All chance comes from generators that are drawn the
 * same number of times for every frame, so the n-th frame's fate depends on the
 * seed and on n alone, whatever the options before it did.  Only the queue in
 * front of the rate and the end of a burst depend on when frames come.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "impair.h"

#define QUEUE_MAX	4096	/* frames under way; more are lost, as in a router */
#define LATE_US		1000	/* a reordered frame's extra delay, unless said */

#define BURST_PAUSE_US	50000	/* silence that a burst doesn't survive */

#define ETH_HEADER	14

struct item {
	uint64_t due;
	uint64_t order;		/* frames due at the same time keep their order */
	uint8_t *frame;
	uint32_t len;
};

struct card_impair {
	struct card_impair_opts o;
	uint64_t rng;
	uint64_t burst_rng;	/* its own, so that bursts leave the other dice alone */
	uint32_t burst_enter;	/* probabilities that a burst begins and ends */
	uint32_t burst_leave;
	bool in_burst;
	uint64_t last_put;
	uint64_t order;
	uint64_t line_free;	/* when the rate-limited line has sent what it has */
	uint64_t last_due;	/* of the last frame that was not reordered */
	struct item heap[QUEUE_MAX];
	unsigned int count;
};

/* splitmix64: small, seedable with anything, good enough for dice */
static uint64_t draw(uint64_t *rng)
{
	uint64_t z = *rng += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static bool chance(struct card_impair *imp, uint32_t p)
{
	return (uint32_t)draw(&imp->rng) < p;
}

/*
 * Gilbert's model: two states, and in the bad one every frame is lost.  What
 * disturbs a link passes with time, too: else it would wait for a sender that
 * backs off, and take one retransmission after the other.
 */
static bool burst_takes(struct card_impair *imp, uint64_t now)
{
	uint32_t dice = draw(&imp->burst_rng);

	if (now - imp->last_put > BURST_PAUSE_US)
		imp->in_burst = false;
	imp->last_put = now;
	imp->in_burst = imp->in_burst ? dice >= imp->burst_leave : dice < imp->burst_enter;
	return imp->in_burst;
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

/* Bytes that wait for the rate-limited line, the frame on it included. */
static uint64_t backlog(const struct card_impair *imp, uint64_t now)
{
	uint64_t us = imp->line_free > now ? imp->line_free - now : 0;

	return (us * imp->o.rate_bps + 7999999) / 8000000;
}

/* The line takes a frame; false: its queue is full.  An idle line takes any. */
static bool line_takes(struct card_impair *imp, uint32_t len, uint64_t waiting, uint64_t now)
{
	if (imp->o.queue_bytes && waiting && waiting + len > imp->o.queue_bytes)
		return false;
	if (imp->line_free < now)
		imp->line_free = now;
	if (imp->o.rate_bps)
		imp->line_free += len * UINT64_C(8000000) / imp->o.rate_bps;
	return true;
}

/* Congestion experienced, if the sender said that it would listen (RFC 3168). */
static void mark_ce(uint8_t *frame, uint32_t len)
{
	uint8_t *ip = frame + ETH_HEADER;
	uint32_t sum;

	if (len < ETH_HEADER + 20)
		return;
	if (frame[12] == 0x08 && frame[13] == 0x00 && (ip[1] & 3)) {
		sum = (ip[10] << 8 | ip[11]) ^ 0xffff;
		sum += (uint8_t)~ip[1] | 0xff00;
		ip[1] |= 3;
		sum += ip[1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~((sum & 0xffff) + (sum >> 16));
		ip[10] = sum >> 8;
		ip[11] = sum;
	} else if (frame[12] == 0x86 && frame[13] == 0xdd && (ip[1] & 0x30)) {
		ip[1] |= 0x30;
	}
}

static void flip_bit(uint8_t *frame, uint32_t len, uint64_t bit)
{
	/* Not in the Ethernet header: nothing checks that one. */
	if (len > ETH_HEADER)
		frame[ETH_HEADER + bit / 8 % (len - ETH_HEADER)] ^= 1 << bit % 8;
}

/* When a frame that the line has taken arrives. */
static uint64_t arrival(struct card_impair *imp, uint64_t wobble, bool late)
{
	uint64_t due = imp->line_free + imp->o.delay_us;

	if (imp->o.jitter_us)
		due += wobble % (imp->o.jitter_us + 1);
	if (late)
		return due + imp->o.late_us + imp->o.jitter_us;
	if (due < imp->last_due)
		due = imp->last_due;
	imp->last_due = due;
	return due;
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
	uint64_t bit = draw(&imp->rng), wobble = draw(&imp->rng), due, waiting;
	bool in_burst = burst_takes(imp, now);
	uint8_t copy[16384];

	if (lost || in_burst || !len || len > sizeof(copy))
		return;
	waiting = backlog(imp, now);
	if (!line_takes(imp, len, waiting, now))
		return;
	due = arrival(imp, wobble, late);
	memcpy(copy, frame, len);
	if (imp->o.ecn_bytes && waiting > imp->o.ecn_bytes)
		mark_ce(copy, len);
	if (corrupt)
		flip_bit(copy, len, bit);
	enqueue(imp, copy, len, due);
	if (twice)
		enqueue(imp, copy, len, due);
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
	double share;

	if (!imp)
		return NULL;
	imp->o = *o;
	imp->rng = o->seed * 2 + stream;
	imp->burst_rng = ~imp->rng;
	if (o->burst) {
		share = o->burst / 4294967296.0;
		imp->burst_leave = 4294967295.0 / o->burst_frames;
		imp->burst_enter = 4294967295.0 * share / ((1 - share) * o->burst_frames);
	}
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

static int parse_bytes(const char *s, uint64_t *bytes)
{
	static const char *const units[] = { "", "k", "m", NULL };
	static const double factors[] = { 1, 1024, 1024 * 1024 };
	int err = parse_unit(s, units, factors, bytes);

	return err ? err : *bytes ? 0 : -EINVAL;
}

/* "1%:8": a share of the frames, the mean length of a burst */
static int parse_burst(char *s, struct card_impair_opts *o)
{
	char *frames = strchr(s, ':'), *end;

	if (!frames)
		return -EINVAL;
	*frames++ = 0;
	o->burst_frames = strtod(frames, &end);
	if (end == frames || *end || !(o->burst_frames >= 1 && o->burst_frames <= 1000))
		return -EINVAL;
	/* Beyond that a burst would have to begin more often than always. */
	return parse_share(s, &o->burst) || o->burst > UINT32_MAX / 2 ? -EINVAL : 0;
}

static int parse_option(const char *key, char *val, struct card_impair_opts *o)
{
	char *end;

	if (!strcmp(key, "loss"))
		return parse_share(val, &o->loss);
	if (!strcmp(key, "burst"))
		return parse_burst(val, o);
	if (!strcmp(key, "late"))
		return parse_time(val, &o->late_us);
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
	if (!strcmp(key, "queue"))
		return parse_bytes(val, &o->queue_bytes);
	if (!strcmp(key, "ecn"))
		return parse_bytes(val, &o->ecn_bytes);
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
	o->late_us = LATE_US;
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
	if (!res && (o->queue_bytes || o->ecn_bytes) && !o->rate_bps) {
		snprintf(err, err_len, "impairments queue and ecn need a rate");
		res = -EINVAL;
	}
	return res ? -EINVAL : 0;
}
