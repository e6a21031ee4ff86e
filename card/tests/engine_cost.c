/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What a segment costs: one direction of a bulk transfer without losses, for
 * counting instructions.
 *
 *	engine_cost in|out SEGMENTS
 *
 * «in»: full segments with timestamps arrive in order, every second one is
 * acknowledged.  «out»: full segments go out, every second one is acknowledged.
 * Everything that the card calls per segment is included; payload is not touched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../engine/conn.h"

#define MSS	1448u
#define GAP_US	12	/* 1 Gbit/s */

static struct te_engine engine;
static _Alignas(64) struct te_conn conn;
static _Alignas(64) uint8_t pool[1 << 20];
static uint8_t payload[MSS];
static uint8_t opts[12] = { 1, 1, 8, 10 };

static uint32_t place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
		      uint32_t len, bool push)
{
	(void)ctx;
	(void)c;
	(void)seq;
	(void)data;
	(void)push;
	return len;
}

static const struct te_ops ops = {
	.place	= place,
};

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void cost_in(uint32_t n, te_time now)
{
	struct te_seg seg = { .flags = TE_ACK, .wnd = 1000, .opts = opts, .opt_len = 12,
			      .data = payload, .len = MSS, .ack = 1, .seq = 1 };
	struct te_out o;
	volatile te_time sink;

	for (uint32_t i = 0; i < n; i++, now += GAP_US) {
		put32(opts + 4, (uint32_t)(now / 1000));
		te_input(&engine, &conn, &seg, now);
		while (te_output(&engine, &conn, &o, now))
			;
		te_credit(&conn, seg.seq + (4u << 20), now);
		sink = te_deadline(&conn);
		seg.seq += MSS;
	}
	(void)sink;
}

static void cost_out(uint32_t n, te_time now)
{
	struct te_seg seg = { .flags = TE_ACK, .wnd = 8000, .opts = opts, .opt_len = 12,
			      .data = payload, .ack = 1, .seq = 1 };
	struct te_out o;
	volatile te_time sink;
	uint32_t sent = 0;

	te_post(&conn, 1 + 400 * MSS, false, now);
	while (sent < n) {
		uint32_t left;

		while (te_output(&engine, &conn, &o, now))
			sent++;
		sink = te_deadline(&conn);
		now += 2 * GAP_US;
		left = conn.snd_max - conn.snd_una;
		seg.ack += left < 2 * MSS ? left : 2 * MSS;
		put32(opts + 4, (uint32_t)(now / 1000));
		put32(opts + 8, (uint32_t)(now / 1000));
		te_input(&engine, &conn, &seg, now);
		te_post(&conn, seg.ack + 400 * MSS, false, now);
	}
	(void)sink;
}

static const struct min_tcp steady = {
	.family = 4,
	.flags = TOE_MT_TSTAMP | TOE_MT_SACK | TOE_MT_NODELAY,
	.mss = MSS,
	.snd_una = 1,
	.snd_nxt = 1,
	.snd_max = 1,
	.snd_wl1 = 1,
	.snd_wnd = 4 << 20,
	.max_window = 4 << 20,
	.rcv_nxt = 1,
	.rcv_adv = 1 + (4 << 20),
	.snd_wscale = 9,
	.rcv_wscale = 9,
	.rcv_mss = MSS,
	.cong = TOE_CONG_CUBIC,
	.snd_cwnd = 100 * MSS,
	.snd_ssthresh = 90 * MSS,
	.srtt_us = 1000,
	.min_rtt_us = 1000,
};

int main(int argc, char **argv)
{
	struct te_config cfg = {
		.ops = &ops,
		.pool = pool,
		.pool_bytes = sizeof(pool),
		.conn_pool_bytes = sizeof(pool),
	};
	uint32_t n = argc > 2 ? (uint32_t)atoi(argv[2]) : 10000;

	if (te_engine_init(&engine, &cfg) || te_import(&engine, &conn, &steady, 1000000))
		return 1;
	if (argc > 1 && !strcmp(argv[1], "out"))
		cost_out(n, 1000000);
	else
		cost_in(n, 1000000);
	printf("%llu segments in, %llu out\n", (unsigned long long)conn.n.segs_in,
	       (unsigned long long)conn.n.segs_out);
	return 0;
}
