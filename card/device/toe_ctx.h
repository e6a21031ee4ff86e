/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Private to the TOE: contexts, their tables, and what its files call of each other. */
#ifndef CARD_TOE_CTX_H
#define CARD_TOE_CTX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include "card.h"
#include "../engine/engine.h"

#define TOE_HOLD_US		2000000		/* BEGIN without COMMIT or ABORT */
#define TOE_HOLD_BYTES		(4u << 20)	/* of one connection */
#define TOE_HOLD_TOTAL		(64u << 20)	/* of all */
#define TOE_TX_WAIT_US		100000		/* for the host's own frames, at COMMIT */
#define TOE_FRAGS_TOTAL		(1u << 20)	/* of all contexts */
#define TOE_OUT_SEGS		16		/* of one connection before the next one's turn */
#define TOE_NO_HEAP		UINT32_MAX

enum toe_ctx_state { TOE_CTX_FREE, TOE_CTX_HOLDING, TOE_CTX_ACTIVE };

/* A piece of host memory that holds payload from @seq on. */
struct toe_frag {
	uint64_t addr;
	uint32_t seq;
	uint32_t len;
	bool eor;	/* its last byte ends a record */
};

struct toe_held {
	STAILQ_ENTRY(toe_held) entry;
	uint32_t len;
	uint8_t data[];
};

STAILQ_HEAD(toe_held_list, toe_held);

/**
 * struct toe_ctx - one connection
 * @state: of its life
 * @index: in the table
 * @tid: while not free
 * @gen: generation of the last tid
 * @host_id: socket layer connection identifier
 * @pair: where its events and frames go
 * @flow: addresses and ports
 * @hash_next: next of the same bucket
 * @conn: the engine's part
 * @block: struct toe_conn_block in host memory
 * @stats_bytes: of its statistics that the host has room for
 * @csum_errs: frames with a bad checksum
 * @ip_bytes_in: of IP packets taken in, these too
 * @ip_bytes_out: of IP packets sent
 * @l2: addresses and header fields of what is sent; the rest of it is stale
 * @ip_id: of the next IPv4 packet
 * @posted: end of the stream that the host has given
 * @given: end of what the engine may send: up to the next end of a record
 * @given_eor: a record ends there
 * @frags: ring of payload pieces
 * @frag_size: its entries, power of two
 * @frag_head: first one
 * @frag_count: how many
 * @held: frames between BEGIN and COMMIT or ABORT
 * @held_bytes: their bytes
 * @tx_wait: TX index of each pair up to which the host had given frames at
 *	COMMIT; those go out first
 * @tx_wait_until: us, but no longer than this; 0: no more waiting
 * @deadline: us, when a timer runs out
 * @heap_pos: place in the heap of deadlines
 * @out_pending: on the list of those that may have something to send
 * @acked_pending: on the list of those whose ACKED is due
 * @dirty: on the list of those whose statistics have changed
 * @out_entry: link of that list
 * @acked_entry: same
 * @dirty_entry: same
 * @free_entry: link of the unused ones
 */
struct toe_ctx {
	enum toe_ctx_state state;
	uint32_t index;
	uint32_t tid;
	uint32_t gen;
	uint32_t host_id;
	struct card_pair *pair;
	struct card_flow flow;
	struct toe_ctx *hash_next;
	struct te_conn *conn;
	uint64_t block;
	uint32_t stats_bytes;
	uint32_t csum_errs;
	uint64_t ip_bytes_in, ip_bytes_out;
	struct min_tcp l2;
	uint16_t ip_id;
	uint32_t posted;
	uint32_t given;
	bool given_eor;
	struct toe_frag *frags;
	uint32_t frag_size, frag_head, frag_count;
	struct toe_held_list held;
	uint32_t held_bytes;
	uint32_t tx_wait[TOE_MAX_PAIRS];
	uint64_t tx_wait_until;
	uint64_t deadline;
	uint32_t heap_pos;
	bool out_pending, acked_pending, dirty;
	TAILQ_ENTRY(toe_ctx) out_entry;
	TAILQ_ENTRY(toe_ctx) acked_entry;
	TAILQ_ENTRY(toe_ctx) dirty_entry;
	TAILQ_ENTRY(toe_ctx) free_entry;
};

TAILQ_HEAD(toe_list, toe_ctx);

/**
 * struct card_toe - all connections
 * @card: whose TOE this is
 * @engine: shared state of the engine
 * @ctx: the contexts
 * @conns: their engine parts, @conn_stride bytes each
 * @conn_stride: multiple of 64
 * @pool: the engine's memory
 * @pool_bytes: its size
 * @buckets: hash table of flows
 * @bucket_mask: its size - 1
 * @hash_seed: so that nobody can choose collisions
 * @heap: contexts by deadline
 * @heap_count: how many have one
 * @frags_used: of all contexts
 * @dirty_at: us, when statistics are to be written
 * @free: unused contexts, longest unused first
 * @out: may have something to send
 * @acked: ACKED is due
 * @dirty: statistics have changed
 */
struct card_toe {
	struct card *card;
	struct te_engine *engine;
	struct toe_ctx *ctx;
	uint8_t *conns;
	size_t conn_stride;
	void *pool;
	size_t pool_bytes;
	struct toe_ctx **buckets;
	uint32_t bucket_mask;
	uint64_t hash_seed;
	struct toe_ctx **heap;
	uint32_t heap_count;
	uint32_t frags_used;
	uint32_t held_total;
	uint64_t dirty_at;
	struct toe_list free, out, acked, dirty;
};

/* toe_ctx.c */
struct toe_ctx *toe_ctx_alloc(struct card_toe *t, const struct card_flow *flow);
void toe_ctx_free(struct card_toe *t, struct toe_ctx *x);
struct toe_ctx *toe_ctx_by_flow(struct card_toe *t, const struct card_flow *flow);
struct toe_ctx *toe_ctx_by_tid(struct card_toe *t, uint32_t tid);
struct toe_ctx *toe_ctx_by_conn(struct card_toe *t, const struct te_conn *conn);
void toe_ctx_set_deadline(struct card_toe *t, struct toe_ctx *x, uint64_t when);
void toe_ctx_update(struct card_toe *t, struct toe_ctx *x);
void toe_ctx_want_output(struct card_toe *t, struct toe_ctx *x);
void toe_ctx_want_acked(struct card_toe *t, struct toe_ctx *x);

/* toe_frag.c: the payload that the host has posted */
int toe_frag_add(struct card_toe *t, struct toe_ctx *x, uint64_t addr, uint32_t len);
void toe_frag_eor(struct toe_ctx *x);
bool toe_frag_give(struct toe_ctx *x, bool push, uint64_t now);
void toe_frag_acked(struct card_toe *t, struct toe_ctx *x, uint32_t una);
int toe_frag_gather(struct card_toe *t, struct toe_ctx *x, uint32_t seq, uint8_t *to,
		    uint32_t len);

/* toe_host.c: events and memory of the host */
uint32_t toe_host_place(void *ctx, struct te_conn *conn, uint32_t seq,
			const uint8_t *data, uint32_t len, bool push);
void toe_host_push(struct card_toe *t, struct toe_ctx *x);
void toe_host_acked(struct card_toe *t, struct toe_ctx *x);
int toe_host_write_stats(struct card_toe *t, struct toe_ctx *x);
void toe_host_recalled(struct card_toe *t, struct toe_ctx *x, uint32_t reason);
void toe_host_leave(struct card_toe *t, struct toe_ctx *x, uint32_t reason,
		    const struct card_packet *pkt);

void toe_host_count_rx(struct toe_ctx *x, const struct card_packet *pkt);
void toe_host_count_tx(struct toe_ctx *x, uint32_t bytes);

/* toe_rx.c */
void toe_rx_events(struct card_toe *t, struct toe_ctx *x, unsigned int events,
		   const struct card_packet *pkt);
void toe_rx_hold_end(struct card_toe *t, struct toe_ctx *x, bool replay);

#endif /* CARD_TOE_CTX_H */
