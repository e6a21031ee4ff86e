/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What a segment costs: a TCP stack talks to itself over a wire in memory.
 */
#ifndef CARD_BENCH_H
#define CARD_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MSS	1460
#define BENCH_WINDOW	65535	/* what Debian's lwIP has built in */
#define BENCH_FRAME	1600
#define BENCH_SLOTS	4096

/* Frames under way, oldest first.  Once it is empty it starts over with its first
 * slots, which the cache still has, as a small ring of a card would be.
 */
struct bench_frame {
	uint32_t len;
	uint8_t to;		/* end: 0 the client, 1 the server */
	uint8_t data[BENCH_FRAME];
};

struct bench_wire {
	struct bench_frame slot[BENCH_SLOTS];
	uint32_t head, tail;
	uint64_t frames;
};

void bench_fail(const char *what);

static inline struct bench_frame *bench_wire_put(struct bench_wire *w)
{
	if (w->head == BENCH_SLOTS)	/* lwIP's timers send for all connections at once */
		bench_fail("the wire is full");
	w->frames++;
	return &w->slot[w->head++];
}

static inline struct bench_frame *bench_wire_get(struct bench_wire *w)
{
	if (w->tail < w->head)
		return &w->slot[w->tail++];
	w->head = w->tail = 0;
	return NULL;
}

/**
 * struct bench_stack - a stack under test
 * @name: of it
 * @open: establish connections 0..@conns-1 between its two ends
 * @turn: @conn's client sends @bytes, all frames are delivered; with @echo the
 *	server sends back what it gets
 * @close: free everything
 * @frames: sent so far, all of them
 * @received: payload bytes that came in so far at both ends
 */
struct bench_stack {
	const char *name;
	void (*open)(uint32_t conns, bool echo);
	void (*turn)(uint32_t conn, uint32_t bytes);
	void (*close)(void);
	uint64_t (*frames)(void);
	uint64_t (*received)(void);
};

extern const struct bench_stack bench_engine;
extern const struct bench_stack bench_lwip;

#endif /* CARD_BENCH_H */
