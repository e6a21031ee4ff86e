/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * A hostile peer and a hostile host: segments, states, posts, credits and
 * parameters at random, near what is valid.  There is no stream to compare; what
 * must hold are the engine's invariants and its promises to both sides.
 *
 *	hostile [-n seeds]	seeds 1..n, 500 by default
 *	hostile seed		replay one
 *	hostile -t seed		replay one and print all that the engine does
 *	hostile -r		those only whose behaviour is recorded in recorded.h
 *	hostile -w		write that record anew
 */
#include <string.h>
#include "recorded.h"
#include "sim.h"

#define STEPS	2000

static uint32_t near(uint64_t *r, uint32_t base)
{
	switch (sim_below(r, 8)) {
	case 0:
		return base;
	case 1:
		return base + sim_below(r, 3) - 1;
	case 2:
		return (uint32_t)sim_rand(r);
	case 3:
		return base - sim_below(r, 70000);
	default:
		return base + sim_below(r, 5000);
	}
}

static uint32_t hostile_place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
			      uint32_t len, bool push)
{
	struct sim_host *h = ctx;

	(void)c;
	sim_trace(h->sim, "gets %u:%u push %d", seq, seq + len, push);
	SIM_CHECK(h->sim, data && len);
	SIM_CHECK(h->sim, seq == h->peer_isn + h->placed);
	SIM_CHECK(h->sim, seq_le(seq + len, h->conn->rcv_credit));
	if (sim_chance(&h->sim->rng, 100)) {	/* more than it was given, even */
		uint32_t n = sim_below(&h->sim->rng, 2 * len);

		h->placed += te_min(n, len);
		return n;
	}
	h->placed += len;
	return len;
}

static const struct te_ops hostile_ops = {
	.place	= hostile_place,
};

static void random_state(struct sim *s, struct min_tcp *st)
{
	uint64_t *r = &s->rng;
	uint8_t *bytes = (uint8_t *)st;

	memset(st, 0, sizeof(*st));
	if (sim_chance(r, 300))
		for (size_t i = 0; i < sizeof(*st); i++)
			bytes[i] = (uint8_t)sim_rand(r);
	st->family = sim_chance(r, 950) ? 4 : (uint8_t)sim_rand(r);
	st->flags = (uint8_t)sim_below(r, sim_chance(r, 950) ? 0x40 : 0x100);
	st->cong = (uint8_t)sim_below(r, 2);
	st->mss = (uint16_t)sim_between(r, 64, sim_chance(r, 100) ? 65535 : 1460);
	st->snd_wscale = (uint8_t)sim_below(r, 15);
	st->rcv_wscale = (uint8_t)sim_below(r, 15);
	st->snd_una = (uint32_t)sim_rand(r);
	st->snd_nxt = st->snd_una + (sim_chance(r, 500) ? sim_below(r, 100000) : 0);
	st->snd_max = st->snd_nxt + (sim_chance(r, 200) ? sim_below(r, 100000) : 0);
	st->rcv_nxt = (uint32_t)sim_rand(r);
	st->rcv_adv = st->rcv_nxt + sim_below(r, sim_chance(r, 100) ? 1u << 30 : 100000);
	st->snd_wnd = sim_below(r, sim_chance(r, 100) ? 1u << 30 : 100000);
	st->max_window = sim_below(r, 1u << 30);
	st->backoff = sim_chance(r, 900) ? (uint8_t)sim_below(r, 4) : st->backoff;
}

/* The user's timers so short that they run out; only in runs that are recorded. */
static void impatient(struct sim *s, struct min_tcp *st)
{
	uint64_t *r = &s->rng;

	st->keep_idle_ms = sim_below(r, 5000);
	st->keep_intvl_ms = sim_below(r, 500);
	st->keep_probes = sim_below(r, 4);
	st->idle_ms = sim_below(r, 3000);
	st->user_timeout_ms = sim_chance(r, 300) ? sim_below(r, 20000) : 0;
	st->srtt_us = sim_below(r, 50000);
	st->min_rtt_us = sim_below(r, 50000);
	st->rto_us = sim_below(r, 400000);
	st->snd_cwnd = sim_below(r, 100000);
}

static void random_segment(struct sim_host *h)
{
	static const uint8_t some[] = { TE_ACK, TE_ACK, TE_ACK | TE_PSH, TE_ACK | TE_ECE, TE_ACK };
	uint64_t *r = &h->sim->rng;
	uint32_t len = sim_chance(r, 500) ? sim_below(r, sim_chance(r, 50) ? 60000 : 1500) : 0;
	uint8_t *data = malloc(len + 1);
	uint8_t opts[40] = { 1, 1, 5, 34 };
	struct te_seg seg = {
		.seq = near(r, h->conn->rcv_nxt),
		.ack = sim_chance(r, 600) ? h->conn->snd_una + sim_below(r, te_flight(h->conn) + 1)
					  : near(r, h->conn->snd_una),
		.wnd = (uint16_t)(sim_chance(r, 200) ? 0 : sim_rand(r)),
		.flags = some[sim_below(r, 5)],
		.ecn = (uint8_t)sim_below(r, 4),
		.opts = opts,
		.data = data,
		.len = len,
	};

	memset(data, 0, len + 1);
	if (sim_chance(r, 10))
		seg.flags = (uint8_t)sim_rand(r);
	if (sim_chance(r, 500)) {
		uint32_t n = sim_between(r, 1, 4);

		seg.opt_len = 4 + 8 * n;
		opts[3] = (uint8_t)(2 + 8 * n);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t a = h->conn->snd_una + sim_below(r, te_flight(h->conn) + 1000);
			uint32_t b = a + sim_below(r, 3000);

			for (int k = 0; k < 4; k++) {
				opts[4 + 8 * i + k] = (uint8_t)(a >> (24 - 8 * k));
				opts[8 + 8 * i + k] = (uint8_t)(b >> (24 - 8 * k));
			}
		}
	} else if (sim_chance(r, 300)) {
		for (int i = 0; i < 40; i++)
			opts[i] = (uint8_t)sim_rand(r);
		seg.opt_len = sim_below(r, 41);
	}
	sim_trace(h->sim, "in says %x", te_input(h->eng, h->conn, &seg, h->sim->now));
	free(data);
}

static void random_params(struct sim_host *h)
{
	uint64_t *r = &h->sim->rng;
	struct toe_cmd_set_params p;
	uint8_t *bytes = (uint8_t *)&p;

	for (size_t i = 0; i < sizeof(p); i++)
		bytes[i] = (uint8_t)sim_rand(r);
	if (sim_chance(r, 700))
		p.mss = (uint16_t)(h->conn->mss - sim_below(r, 10));
	te_set_params(h->conn, &p, h->sim->now);
}

static void drain_output(struct sim_host *h)
{
	struct sim *s = h->sim;
	struct te_out o;
	uint32_t n = 0;

	while (n < 5000 && te_output(h->eng, h->conn, &o, s->now)) {
		sim_trace_out(s, 0, &o);
		SIM_CHECK(s, o.opt_len <= 40 && o.opt_len % 4 == 0);
		SIM_CHECK(s, o.ack == h->conn->rcv_nxt);
		SIM_CHECK(s, !o.len || (seq_ge(o.seq, h->conn->snd_una) &&
					seq_le(o.seq + o.len, h->conn->posted) &&
					seq_le(o.seq + o.len, h->conn->snd_max)));
		SIM_CHECK(s, seq_le(o.ack + ((uint32_t)o.wnd << h->conn->rcv_wscale),
				    h->conn->rcv_credit));
		SIM_CHECK(s, o.len <= h->conn->mss);
		n++;
	}
	/* without posting anew it must come to an end: cwnd or window */
	SIM_CHECK(s, n < 5000 || te_flight(h->conn) > 64 * 2000);
}

static void act(struct sim_host *h)
{
	struct sim *s = h->sim;
	uint64_t *r = &s->rng;
	te_time now = s->now;

	switch (sim_below(r, 12)) {
	case 0:
		te_post(h->conn, near(r, h->conn->posted), sim_chance(r, 500), now);
		break;
	case 1:
		te_credit(h->conn, near(r, h->conn->rcv_credit), now);
		break;
	case 2:
		sim_trace(s, "timeout says %x", te_timeout(h->eng, h->conn, now));
		break;
	case 3:
		s->now = te_deadline(h->conn) == TE_NEVER ? now + 1000 : te_deadline(h->conn);
		s->now = s->now < now ? now : s->now;
		sim_trace(s, "timeout says %x", te_timeout(h->eng, h->conn, s->now));
		break;
	case 4:
		if (sim_chance(r, 100))
			random_params(h);
		break;
	case 5:
	case 6:
		drain_output(h);
		break;
	default:
		random_segment(h);
	}
}

static uint32_t run(uint64_t seed, enum sim_trace_mode mode)
{
	struct sim *s = calloc(1, sizeof(*s));
	struct sim_host *h = &s->host[0];
	struct te_config cfg = {
		.ops = &hostile_ops,
		.ctx = h,
		.pool_bytes = 262144,
		.conn_pool_bytes = 131072,
		.pacing = mode != SIM_TRACE_OFF && seed % 2,
	};
	uint64_t *r = &s->rng;
	uint32_t digest;

	sim_trace_start(s, mode);
	s->seed = seed;
	s->rng = seed;
	s->now = 1 + sim_below(r, 1000000);
	h->sim = s;
	h->eng = malloc(te_engine_bytes());
	h->conn = malloc(te_conn_bytes());
	h->pool = aligned_alloc(64, cfg.pool_bytes);
	cfg.pool = h->pool;
	SIM_CHECK(s, !te_engine_init(h->eng, &cfg));
	for (int lives = 0; lives < 5; lives++) {
		do {
			random_state(s, &h->state);
			if (mode != SIM_TRACE_OFF)
				impatient(s, &h->state);
		} while (te_import(h->eng, h->conn, &h->state, s->now));
		h->peer_isn = h->state.rcv_nxt;
		h->placed = 0;
		h->out = 1;	/* check.c: the timer rule needs an honest caller */
		for (int i = 0; i < STEPS && !h->conn->leave; i++) {
			act(h);
			sim_check_conn(h);
			sim_trace_step(s, 0, h->conn);
			s->now += sim_below(r, 2000);
		}
		sim_trace(s, "leaves for %u", te_leave_reason(h->conn));
		sim_trace_full(s, 0, h->conn);
		te_export(h->conn, &h->state, s->now);
		te_release(h->eng, h->conn);
		SIM_CHECK(s, !h->eng->blocks_used && !h->eng->runs_used);
		SIM_CHECK(s, !te_import(h->eng, h->conn, &h->state, s->now));
		te_release(h->eng, h->conn);
	}
	free(h->pool);
	free(h->conn);
	free(h->eng);
	digest = sim_trace_end(s);
	free(s);
	return digest;
}

static uint32_t recorded_run(uint64_t seed)
{
	return run(seed, SIM_TRACE_DIGEST);
}

static int compare(int record)
{
	int good = sim_recorded("hostile", recorded_hostile, RECORDED_HOSTILE, recorded_run, record);

	if (!record)
		printf("%sok 1 engine: answers to hostile peer and host as recorded\n",
		       good ? "" : "not ");
	return !good;
}

int main(int argc, char **argv)
{
	enum sim_trace_mode mode = SIM_TRACE_OFF;
	uint64_t seeds = 500, one = 0;
	int bad;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-n") && i + 1 < argc)
			seeds = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "-t"))
			mode = SIM_TRACE_PRINT;
		else if (!strcmp(argv[i], "-w"))
			return compare(1);
		else if (!strcmp(argv[i], "-r"))
			seeds = 0;
		else
			one = strtoull(argv[i], NULL, 0);
	}
	if (one) {
		run(one, mode);
		return 0;
	}
	printf("TAP version 13\n1..%d\n", seeds ? 2 : 1);
	bad = compare(0);
	if (!seeds)
		return bad;
	for (uint64_t i = 1; i <= seeds; i++)
		run(i, SIM_TRACE_OFF);
	printf("ok 2 engine: invariants against hostile peer and host\n");
	return bad;
}
