/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Literal segments and a literal clock for the engine's unit tests.
 *
 * Our stream starts at byte SND, the peer's at RCV; time starts at T0.  Unless a
 * test changes the state before start(): MSS 1000, both windows 60000 without
 * scaling, cwnd 10000, no timestamps, SACK, RTO 300 ms.
 */
#ifndef CARD_TESTS_ENGINE_TEST_H
#define CARD_TESTS_ENGINE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../engine/conn.h"

#define SND	1001u
#define RCV	5001u
#define MS(n)	((te_time)(n) * 1000)
#define T0	MS(1000000)
#define AT(ms)	(T0 + MS(ms))

#define POOL_BYTES	65536

struct fixture {
	struct te_engine eng;
	struct te_conn c;
	struct min_tcp st;
	struct te_out out;
	uint8_t opts[40];
	uint32_t opt_len;
	uint16_t wnd;		/* window of segments that come in */
	uint8_t ecn;
	uint32_t refuse_from;	/* place() takes only this much in all */
	uint32_t placed;
	uint32_t pushes;
	uint8_t got[200000];
	uint8_t *pool;
};

static uint8_t stream_byte(uint32_t seq)
{
	return (uint8_t)(seq * 167 + (seq >> 8));
}

static uint32_t place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
		      uint32_t len, bool push)
{
	struct fixture *f = ctx;
	uint32_t n = len;

	(void)c;
	assert_int_equal(seq, RCV + f->placed);
	for (uint32_t i = 0; i < len; i++)
		assert_int_equal(data[i], stream_byte(seq + i));
	if (f->placed + n > f->refuse_from)
		n = f->refuse_from - f->placed;
	f->placed += n;
	f->pushes += push;
	return n;
}

static const struct te_ops test_ops = {
	.place	= place,
};

/* The state a test may change before start(). */
static struct fixture *prepare(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct min_tcp *st = &f->st;
	struct te_config cfg = {
		.ops = &test_ops,
		.ctx = f,
		.pool_bytes = POOL_BYTES,
		.conn_pool_bytes = POOL_BYTES,
		.seed = 1,
	};

	f->pool = aligned_alloc(64, POOL_BYTES);
	cfg.pool = f->pool;
	assert_int_equal(te_engine_init(&f->eng, &cfg), 0);
	f->wnd = 60000;
	f->refuse_from = UINT32_MAX;

	st->family = 4;
	st->flags = TOE_MT_SACK | TOE_MT_NODELAY;
	st->mss = 1000;
	st->rcv_mss = 1000;
	st->snd_una = SND;
	st->snd_nxt = SND;
	st->snd_max = SND;
	st->snd_wnd = 60000;
	st->max_window = 60000;
	st->snd_wl1 = RCV;
	st->rcv_nxt = RCV;
	st->rcv_adv = RCV + 60000;
	st->rto_us = 300000;
	st->snd_cwnd = 10000;
	st->snd_ssthresh = TE_SSTHRESH_INF;
	return f;
}

static void start(struct fixture *f)
{
	assert_int_equal(te_import(&f->eng, &f->c, &f->st, T0), 0);
	/* tests of acknowledgements want the steady state */
	f->c.quickack = 0;
	f->c.ack_at = TE_NEVER;
}

static struct fixture *started(void)
{
	struct fixture *f = prepare();

	start(f);
	return f;
}

static void finish(struct fixture *f)
{
	te_release(&f->eng, &f->c);
	assert_int_equal(f->eng.blocks_used, 0);
	assert_int_equal(f->eng.runs_used, 0);
	free(f->pool);
	free(f);
}

/* A segment comes in; its payload is the peer's stream at @seq. */
static unsigned int in(struct fixture *f, uint32_t seq, uint32_t ack, unsigned int flags,
		       uint32_t len, te_time now)
{
	uint8_t data[65536];
	struct te_seg seg = {
		.seq = seq,
		.ack = ack,
		.wnd = f->wnd,
		.flags = (uint8_t)flags,
		.ecn = f->ecn,
		.opts = f->opts,
		.opt_len = f->opt_len,
		.data = data,
		.len = len,
	};

	for (uint32_t i = 0; i < len; i++)
		data[i] = stream_byte(seq + i);
	return te_input(&f->eng, &f->c, &seg, now);
}

/* A bare acknowledgement. */
static unsigned int ack_in(struct fixture *f, uint32_t ack, te_time now)
{
	return in(f, f->c.rcv_nxt, ack, TE_ACK, 0, now);
}

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Options of the segments that follow: timestamps. */
static void ts_opts(struct fixture *f, uint32_t val, uint32_t ecr)
{
	static const uint8_t head[4] = { 1, 1, 8, 10 };

	memcpy(f->opts, head, 4);
	put32(f->opts + 4, val);
	put32(f->opts + 8, ecr);
	f->opt_len = 12;
}

/* Options of the segments that follow: one SACK block, or two. */
static void sack_opts(struct fixture *f, uint32_t s1, uint32_t e1, uint32_t s2, uint32_t e2)
{
	uint32_t n = s2 != e2 ? 2 : 1;

	f->opts[0] = 1;
	f->opts[1] = 1;
	f->opts[2] = 5;
	f->opts[3] = (uint8_t)(2 + 8 * n);
	put32(f->opts + 4, s1);
	put32(f->opts + 8, e1);
	put32(f->opts + 12, s2);
	put32(f->opts + 16, e2);
	f->opt_len = 4 + 8 * n;
}

/* Options of the segments that follow: timestamps, and one SACK block. */
static __attribute__((unused)) void ts_sack_opts(struct fixture *f, uint32_t val, uint32_t ecr,
						 uint32_t s1, uint32_t e1)
{
	sack_opts(f, s1, e1, 0, 0);
	memmove(f->opts + 12, f->opts, 12);
	ts_opts(f, val, ecr);
	f->opt_len = 24;
}

static bool out(struct fixture *f, te_time now)
{
	memset(&f->out, 0x5a, sizeof(f->out));
	return te_output(&f->eng, &f->c, &f->out, now);
}

#define expect_none(f, now)	assert_false(out(f, now))

/* The next segment is [seq, seq + len). */
#define expect_data(f, s, l, now) \
	do { \
		assert_true(out(f, now)); \
		assert_int_equal((f)->out.seq, s); \
		assert_int_equal((f)->out.len, l); \
	} while (0)

/* The next segment is a bare acknowledgement of @a. */
#define expect_ack(f, a, now) \
	do { \
		assert_true(out(f, now)); \
		assert_int_equal((f)->out.len, 0); \
		assert_int_equal((f)->out.ack, a); \
		assert_int_equal((f)->out.flags & TE_ACK, TE_ACK); \
	} while (0)

/* Post @n bytes and send them in full segments. */
static __attribute__((unused)) void send_segs(struct fixture *f, uint32_t segs, te_time now)
{
	uint32_t from = f->c.snd_max;

	te_post(&f->c, from + 1000 * segs, false, now);
	for (uint32_t i = 0; i < segs; i++)
		expect_data(f, from + 1000 * i, 1000, now);
}

/* Leave the loss of what is in flight to the retransmission timer. */
static void no_tail_probe(struct fixture *f)
{
	f->c.rack_timer = TE_RACK_OFF;
	f->c.rack_at = TE_NEVER;
}

static __attribute__((unused)) void use_all(void)
{
	(void)no_tail_probe;
	(void)started;
	(void)finish;
	(void)ack_in;
	(void)get32;
	(void)ts_opts;
	(void)sack_opts;
	(void)send_segs;
}

#endif /* CARD_TESTS_ENGINE_TEST_H */
