/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Two engines and an impaired link between them in virtual time.  All that is
 * random comes from one seed, so a failure replays.
 *
 * A struct sim is one connection with its two ends.  Many of them may share a
 * link, and the ends of one side an engine.
 */
#ifndef CARD_SIM_H
#define CARD_SIM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "../engine/conn.h"

struct sim;

/* Stop with what was expected and the seed that shows it. */
void sim_fail(const struct sim *s, const char *file, int line, const char *what);
#define SIM_CHECK(s, cond) \
	do { if (!(cond)) sim_fail(s, __FILE__, __LINE__, #cond); } while (0)

/* rng.c */
uint64_t sim_rand(uint64_t *state);
uint32_t sim_below(uint64_t *state, uint32_t n);		/* 0..n-1 */
uint32_t sim_between(uint64_t *state, uint32_t lo, uint32_t hi);	/* lo..hi */
int sim_chance(uint64_t *state, uint32_t permille);

/* heap.c */

/* Something that happens at a time; first member of what it happens to. */
struct sim_event {
	te_time at;
	uint64_t order;
	uint32_t pos;
};

struct sim_heap {
	struct sim_event **v;
	uint32_t n, size;
	uint64_t order;
};

void sim_heap_add(struct sim_heap *h, struct sim_event *ev, te_time at);
void sim_heap_move(struct sim_heap *h, struct sim_event *ev, te_time at);
struct sim_event *sim_heap_take(struct sim_heap *h);
void sim_heap_free(struct sim_heap *h);

/**
 * struct sim_impair - what one direction of the link does to segments
 * @loss: per mille dropped
 * @burst_enter: per mille that the link turns bad at a segment, 0: never
 * @burst_leave: per mille that it turns good again
 * @burst_loss: per mille dropped while it is bad
 * @corrupt: per mille with a bit flipped; checksums make that a loss
 * @dup: per mille delivered twice
 * @reorder: per mille delayed by up to @reorder_us more
 * @reorder_us: us
 * @delay_us: one way
 * @jitter_us: up to this much more, without reordering
 * @rate: bytes per ms, 0: no limit
 * @queue_bytes: what waits for the rate; more is dropped
 * @mark_bytes: queue above which ECN-capable segments are marked, 0: never
 * @blackout_from: all is lost from here, us
 * @blackout_to: to here
 */
struct sim_impair {
	uint32_t loss;
	uint32_t burst_enter;
	uint32_t burst_leave;
	uint32_t burst_loss;
	uint32_t corrupt;
	uint32_t dup;
	uint32_t reorder;
	uint32_t reorder_us;
	uint32_t delay_us;
	uint32_t jitter_us;
	uint32_t rate;
	uint32_t queue_bytes;
	uint32_t mark_bytes;
	te_time blackout_from;
	te_time blackout_to;
};

enum sim_drop {
	SIM_DROP_NOT,
	SIM_DROP_LOSS,
	SIM_DROP_BURST,
	SIM_DROP_CORRUPT,
	SIM_DROP_QUEUE,
	SIM_DROP_BLACKOUT,
	SIM_DROPS
};

struct sim_packet {
	struct sim_event event;		/* delivery */
	struct sim *sim;		/* whose */
	int to;				/* side */
	struct te_out h;
	uint8_t data[];
};

/* link.c */
struct sim_link {
	struct sim_impair impair[2];	/* by sender */
	te_time busy_until[2];
	te_time last_at[2];		/* of the last delivery that is in order */
	int bad[2];
	struct sim_heap packets;
	uint64_t count[SIM_DROPS];	/* segments by fate */
};

void sim_link_send(struct sim *s, int from, const struct te_out *h, const uint8_t *data);
te_time sim_link_next(const struct sim_link *l);
struct sim_packet *sim_link_take(struct sim_link *l);
void sim_link_hold(struct sim_link *l, struct sim_packet *p, te_time until);
void sim_link_clear(struct sim_link *l);

/* frame.c */
uint32_t sim_frame_build(uint8_t *frame, const struct te_out *h, const uint8_t *data);
int sim_frame_survives(const struct te_out *h, const uint8_t *data, uint32_t bit);

/* A connection's memory; the engine tells its callbacks only of the first member. */
struct sim_slot {
	struct te_conn conn;
	struct sim_host *host;
};

/**
 * struct sim_host - one end: an engine, its host's bookkeeping, an application
 *
 * Positions in the streams are offsets from their first bytes.
 */
struct sim_host {
	struct sim *sim;
	int side;
	struct te_engine *eng;
	struct te_conn *conn;		/* of a struct sim_slot */
	void *pool;			/* NULL: the engine is shared */
	size_t pool_bytes;
	struct min_tcp state;		/* while the connection is at the host */
	int out;			/* 1: at the host; segments are held back */
	te_time back_at;

	uint32_t isn;			/* number of the stream's first byte */
	uint32_t total;			/* bytes the application will write */
	uint32_t posted;		/* written so far, offset */
	uint32_t reposted;		/* told to the present engine, offset */
	uint32_t acked;			/* reported by the engine, offset */
	te_time write_at;
	uint32_t write_max;
	te_time write_gap;

	uint32_t peer_isn;
	uint32_t peer_total;
	uint32_t placed;		/* offset */
	uint32_t read;			/* taken by the application, offset */
	uint32_t buf_bytes;
	uint32_t edge;			/* credit given, offset */
	te_time read_at;
	uint32_t read_max;
	te_time read_gap;
	uint32_t shrinks;		/* permille of its reads halve the buffer */
	uint32_t refuse;		/* per mille of place calls not taken whole */
	uint32_t move;			/* per mille of steps followed by a move */
	int move_each;			/* every step is, and the way back is immediate */
	uint8_t retries;		/* struct min_tcp, retries */
	bool tells_all;			/* credit, however small the step */
	uint32_t wire_edge;		/* rightmost window edge on the wire, offset */
	uint32_t heard_edge;		/* rightmost edge that came in from the peer, offset */

	uint64_t segs_out;
	uint64_t acks_out;
	uint64_t moves;
	uint64_t timeouts;
};

/* Is the engine's behaviour taken down? */
enum sim_trace_mode {
	SIM_TRACE_OFF,
	SIM_TRACE_DIGEST,
	SIM_TRACE_PRINT,
};

struct sim {
	struct sim_event event;		/* of its hosts, where many share a link */
	uint64_t seed;
	uint64_t rng;
	te_time now;
	struct sim_link *link;
	struct sim_host host[2];
	enum sim_trace_mode trace;
	uint32_t traced;		/* steps */
	uint64_t digest;
};

/* host.c */
extern const struct te_ops sim_host_ops;
void sim_host_init(struct sim *s, int side);
void sim_host_own_engine(struct sim_host *h, size_t pool_bytes);
void sim_host_start(struct sim_host *h);
void sim_host_segment(struct sim_host *h, struct sim_packet *p);
void sim_host_step(struct sim_host *h);
te_time sim_host_next(const struct sim_host *h);
int sim_host_done(const struct sim_host *h);
void sim_host_finish(struct sim_host *h);
uint8_t sim_byte(const struct sim *s, int side, uint32_t off);

void sim_host_drop(struct sim_host *h);

/* trace.c */
void sim_trace_start(struct sim *s, enum sim_trace_mode mode);
__attribute__((format(printf, 2, 3))) void sim_trace(struct sim *s, const char *format, ...);
void sim_trace_out(struct sim *s, int side, const struct te_out *o);
void sim_trace_full(struct sim *s, int side, const struct te_conn *c);
void sim_trace_step(struct sim *s, int side, const struct te_conn *c);
uint32_t sim_trace_end(const struct sim *s);
int sim_recorded(const char *name, const uint32_t *recorded, uint32_t n,
		 uint32_t (*run)(uint64_t seed), int record);

/* advance.c */
void sim_advance(struct sim *s);

/* check.c */
uint32_t sim_pipe(const struct te_conn *c);
void sim_check_conn(const struct sim_host *h);

#endif /* CARD_SIM_H */
