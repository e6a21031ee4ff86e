/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The TCP engine: established connections only, freestanding.
 *
 * Three entries: a segment in, the next segment out, the next deadline.  The
 * engine neither allocates nor reads a clock nor does I/O: time is an argument,
 * memory is given to it once, payload goes through two callbacks.  It never
 * holds payload that was sent: the caller keeps it addressable by sequence
 * number from snd_una to the end that it posted.
 */
#ifndef TCP_ENGINE_H
#define TCP_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../include/toe_hw.h"

typedef uint64_t te_time;		/* microseconds, monotonic, never 0 */
#define TE_NEVER	UINT64_MAX

struct te_conn;				/* one connection; conn.h, size TE_CONN_BYTES */
struct te_engine;			/* shared by all connections of one engine */

/**
 * struct te_seg - a received segment, parsed and its checksums verified
 * @seq: sequence number of the first payload byte
 * @ack: acknowledgement number, valid with TE_ACK
 * @wnd: window field as it stands in the header, unscaled
 * @flags: TE_*, the low byte of the header's flags
 * @ecn: the two ECN bits of the IP header
 * @opts: TCP options as they stand on the wire (untrusted)
 * @opt_len: their bytes, 0..40
 * @data: payload; may be overwritten after the call returns
 * @len: payload bytes
 */
struct te_seg {
	uint32_t seq;
	uint32_t ack;
	uint16_t wnd;
	uint8_t flags;
	uint8_t ecn;
	const uint8_t *opts;
	uint32_t opt_len;
	const uint8_t *data;
	uint32_t len;
};

enum {
	TE_FIN = 0x01, TE_SYN = 0x02, TE_RST = 0x04, TE_PSH = 0x08,
	TE_ACK = 0x10, TE_URG = 0x20, TE_ECE = 0x40, TE_CWR = 0x80,
};

/**
 * struct te_out - a segment to send; the caller adds L2/L3, ports, checksum
 * @seq: sequence number
 * @ack: acknowledgement number
 * @wnd: window field, already scaled down
 * @flags: TE_*
 * @ecn: ECN bits for the IP header
 * @opt_len: bytes in @opts, a multiple of 4
 * @opts: TCP options
 * @len: payload bytes: [@seq, @seq + @len) of the posted stream
 * @retrans: some byte of it was sent before
 */
struct te_out {
	uint32_t seq;
	uint32_t ack;
	uint16_t wnd;
	uint8_t flags;
	uint8_t ecn;
	uint8_t opt_len;
	uint8_t opts[40];
	uint32_t len;
	bool retrans;
};

/* What te_input() and te_timeout() report, a mask. */
enum {
	TE_EV_ACKED	= 0x01,	/* snd_una or the peer's window moved: te_snd_una(), te_snd_wnd() */
	TE_EV_OUTPUT	= 0x02,	/* te_output() has something */
	TE_EV_LEAVE	= 0x04,	/* the connection must go back to the host: te_leave_reason().
				 * The segment was not consumed: hand it up after RECALLED
				 */
	TE_EV_PUSH	= 0x08,	/* placed data ended with PSH or filled a hole */
};

/**
 * struct te_ops - the engine's way to the outside
 * @place: put in-order payload into host memory and make its completion visible;
 *	returns how many bytes were placed (0 if no buffer is left).  The engine
 *	acknowledges those bytes and no others.  @seq continues the last call's.
 *	With @data NULL and @len 0: never called.
 */
struct te_ops {
	uint32_t (*place)(void *ctx, struct te_conn *c, uint32_t seq,
			  const uint8_t *data, uint32_t len, bool push);
};

/**
 * struct te_config - of one engine
 * @ops: callbacks
 * @ctx: their first argument
 * @pool: memory for out-of-order payload and scoreboards, shared by all
 *	connections, 64-byte aligned
 * @pool_bytes: its size
 * @conn_pool_bytes: the most that one connection may hold of it
 * @seed: for jitter and challenge ACK limits
 * @pacing: spread what is sent over the round trip; wants timers of some 100 us
 */
struct te_config {
	const struct te_ops *ops;
	void *ctx;
	void *pool;
	size_t pool_bytes;
	size_t conn_pool_bytes;
	uint64_t seed;
	bool pacing;
};

size_t te_engine_bytes(void);
size_t te_conn_bytes(void);
int te_engine_init(struct te_engine *e, const struct te_config *cfg);

/* 0, or -1: the state is inconsistent (it is untrusted). */
int te_import(struct te_engine *e, struct te_conn *c, const struct min_tcp *st, te_time now);
/* The inverse.  Addresses and L2 fields are copied through from the import. */
void te_export(const struct te_conn *c, struct min_tcp *st, te_time now);
/* Gives back all pool memory.  Out-of-order data is dropped: never acknowledged, so not lost. */
void te_release(struct te_engine *e, struct te_conn *c);

/* The three entries. */
unsigned int te_input(struct te_engine *e, struct te_conn *c, const struct te_seg *seg, te_time now);
bool te_output(struct te_engine *e, struct te_conn *c, struct te_out *out, te_time now);
te_time te_deadline(const struct te_conn *c);
/* When te_deadline() has passed. */
unsigned int te_timeout(struct te_engine *e, struct te_conn *c, te_time now);

/* The host's side. */
void te_post(struct te_conn *c, uint32_t end_seq, bool push, te_time now);	/* stream may be sent up to here */
void te_credit(struct te_conn *c, uint32_t edge, te_time now);
void te_set_params(struct te_conn *c, const struct toe_cmd_set_params *p, te_time now);
void te_stats(const struct te_conn *c, struct toe_conn_stats *st, te_time now);
uint32_t te_snd_una(const struct te_conn *c);
uint32_t te_snd_max(const struct te_conn *c);
uint32_t te_snd_wnd(const struct te_conn *c);
uint32_t te_rcv_nxt(const struct te_conn *c);
uint32_t te_srtt_us(const struct te_conn *c);
uint32_t te_leave_reason(const struct te_conn *c);	/* TOE_REASON_* */

#endif /* TCP_ENGINE_H */
