/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Thousands of connections at once: two engines, one link that all share.
 *
 *	many [-n seeds]		seeds 1..n, 16 by default
 *	many seed		replay one
 *
 * Each connection is held to what sim.c checks.  Besides: the pool is too small
 * for all of them, and some peers are bad: they send nothing but what lies behind
 * a hole and acknowledge nothing but pieces.  They get their share of the pool,
 * and all others still finish.
 */
#include <string.h>
#include "sim.h"

#define LIMIT_US	(4 * 3600 * TE_SEC)
#define BAD_GAP_US	2000
#define BAD_SEGMENTS	1000		/* then it only holds what it has got */

struct many {
	struct sim *sims;
	uint32_t count, bad, done;
	struct sim_slot *slots[2];
	struct te_engine *eng[2];
	void *pool[2];
	size_t pool_bytes, conn_pool_bytes;
	struct sim_link link;
	struct sim_heap next;
	uint64_t seed, rng;
	te_time now;
};

/* Bad peers are the second ends of the first connections. */
static int is_bad(const struct many *m, const struct sim *s)
{
	return s - m->sims < m->bad;
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Payload behind a hole, and SACK blocks with holes between them. */
static void bad_segment(struct sim *s)
{
	struct sim_host *victim = &s->host[0], *h = &s->host[1];
	uint32_t flight = victim->out ? 0 : te_flight(victim->conn);
	uint32_t room = victim->edge - 1;
	uint8_t data[1400];
	struct te_out o = {
		.ack = victim->isn, .wnd = 65535, .flags = TE_ACK, .opt_len = 28,
		.opts = { 1, 1, 5, 26 },
	};

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t at = sim_below(&s->rng, flight + 1);

		put32(&o.opts[4 + 8 * i], victim->isn + at);
		put32(&o.opts[8 + 8 * i], victim->isn + at + sim_below(&s->rng, 100));
	}
	o.len = te_min(sim_between(&s->rng, 1, sizeof(data)), room);
	o.seq = h->isn + 1 + sim_below(&s->rng, room - o.len + 1);
	for (uint32_t i = 0; i < o.len; i++)
		data[i] = sim_byte(s, 1, o.seq - h->isn + i);
	sim_link_send(s, 1, &o, data);
}

static te_time next_of(const struct many *m, const struct sim *s)
{
	te_time a = sim_host_next(&s->host[0]);
	te_time b = is_bad(m, s) ? s->host[1].write_at : sim_host_next(&s->host[1]);

	return a < b ? a : b;
}

static void step(struct many *m, struct sim *s)
{
	struct sim_host *h = &s->host[1];

	if (sim_host_next(&s->host[0]) <= m->now)
		sim_host_step(&s->host[0]);
	if (!is_bad(m, s)) {
		if (sim_host_next(h) <= m->now)
			sim_host_step(h);
	} else if (h->write_at <= m->now) {
		bad_segment(s);
		h->write_at = ++h->segs_out < BAD_SEGMENTS
			? m->now + 1 + sim_below(&s->rng, 2 * BAD_GAP_US) : TE_NEVER;
	}
}

static void deliver(struct many *m, struct sim_packet *p)
{
	if (is_bad(m, p->sim) && p->to == 1)
		free(p);
	else
		sim_host_segment(&p->sim->host[p->to], p);
}

/* Both hosts have done their part; what is under way stays so. */
static int finished(const struct sim *s)
{
	return sim_host_done(&s->host[0]) && sim_host_done(&s->host[1]);
}

static void advance(struct many *m)
{
	te_time t = sim_link_next(&m->link);
	struct sim_packet *p = NULL;
	struct sim *s;
	int was;

	if (m->next.v[0]->at < t) {
		s = (struct sim *)m->next.v[0];
		t = s->event.at;
	} else {
		p = sim_link_take(&m->link);
		s = p->sim;
	}
	m->now = t > m->now ? t : m->now;
	s->now = m->now;
	was = finished(s);
	if (p)
		deliver(m, p);
	else
		step(m, s);
	m->done += !was && finished(s);
	sim_heap_move(&m->next, &s->event, next_of(m, s));
	for (int i = 0; i < 2; i++)
		SIM_CHECK(s, m->eng[i]->blocks_used * (size_t)TE_BLOCK_BYTES <= m->pool_bytes);
}

static void random_link(struct many *m)
{
	uint64_t *r = &m->rng;

	for (int i = 0; i < 2; i++) {
		struct sim_impair *im = &m->link.impair[i];

		im->delay_us = sim_between(r, 50, 20000);
		im->jitter_us = sim_below(r, im->delay_us);
		im->rate = sim_between(r, 5000, 200000);
		im->queue_bytes = sim_between(r, 50000, 2000000);
		im->mark_bytes = sim_chance(r, 500) ? im->queue_bytes / 4 : 0;
		im->loss = sim_chance(r, 500) ? sim_below(r, 20) : 0;
		im->corrupt = sim_chance(r, 300) ? 1 : 0;
		im->reorder = sim_chance(r, 300) ? sim_below(r, 50) : 0;
		im->reorder_us = im->delay_us;
		if (sim_chance(r, 300)) {
			im->blackout_from = m->now + sim_below(r, TE_SEC);
			im->blackout_to = im->blackout_from + sim_below(r, 5 * TE_SEC);
		}
	}
}

static void random_conn(struct many *m, uint32_t n)
{
	uint8_t flags = TOE_MT_NODELAY | (sim_chance(&m->rng, 900) ? TOE_MT_SACK : 0) |
			(sim_chance(&m->rng, 900) ? TOE_MT_TSTAMP : 0) |
			(sim_chance(&m->rng, 500) ? TOE_MT_ECN : 0);
	struct sim *s = &m->sims[n];

	s->seed = m->seed;
	s->rng = sim_rand(&m->rng);
	s->now = m->now;
	s->link = &m->link;
	for (int i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];

		sim_host_init(s, i);
		h->total = sim_below(&s->rng, 40000);
		h->eng = m->eng[i];
		h->conn = &m->slots[i][n].conn;
		m->slots[i][n].host = h;
		h->move = sim_chance(&s->rng, 100) ? 20 : 0;
	}
	for (int i = 0; i < 2; i++) {
		struct min_tcp *st = &s->host[i].state;

		sim_host_start(&s->host[i]);
		st->flags = is_bad(m, s) ? TOE_MT_SACK | TOE_MT_NODELAY : flags;
		st->mss = flags & TOE_MT_TSTAMP ? 1448 : 1460;
		st->cong = (uint8_t)sim_below(&s->rng, 2);
		st->rcv_wscale = 3;
		st->snd_wscale = 3;
	}
	for (int i = 0; i < 2; i++)
		s->host[i].state.ts_recent = s->host[!i].state.ts_val;
}

static void create(struct many *m, uint64_t seed)
{
	m->seed = seed;
	m->rng = seed * 0x2545f4914f6cdd1dull;
	m->now = 1 + sim_below(&m->rng, 1000000);
	m->count = seed % 8 ? sim_between(&m->rng, 100, 1000) : 4000;
	m->bad = sim_chance(&m->rng, 700) ? sim_below(&m->rng, 40) : 0;
	m->conn_pool_bytes = 65536;
	m->pool_bytes = sim_between(&m->rng, 1, 40) * 65536;
	m->sims = calloc(m->count, sizeof(*m->sims));
	for (int i = 0; i < 2; i++) {
		struct te_config cfg = {
			.ops = &sim_host_ops,
			.pool_bytes = m->pool_bytes,
			.conn_pool_bytes = m->conn_pool_bytes,
			.seed = seed,
		};

		m->slots[i] = calloc(m->count, sizeof(*m->slots[i]));
		m->pool[i] = aligned_alloc(64, m->pool_bytes);
		m->eng[i] = malloc(te_engine_bytes());
		cfg.pool = m->pool[i];
		te_engine_init(m->eng[i], &cfg);
	}
	random_link(m);
	for (uint32_t n = 0; n < m->count; n++) {
		struct sim *s = &m->sims[n];

		random_conn(m, n);
		m->done += !is_bad(m, s) && finished(s);
		sim_heap_add(&m->next, &s->event, m->now);
	}
}

static void destroy(struct many *m)
{
	struct sim *s = m->sims;

	sim_link_clear(&m->link);
	for (uint32_t n = 0; n < m->count; n++) {
		sim_host_finish(&m->sims[n].host[0]);
		if (!is_bad(m, &m->sims[n]))
			sim_host_finish(&m->sims[n].host[1]);
	}
	for (int i = 0; i < 2; i++) {
		SIM_CHECK(s, !m->eng[i]->blocks_used && !m->eng[i]->runs_used);
		free(m->eng[i]);
		free(m->pool[i]);
		free(m->slots[i]);
	}
	sim_heap_free(&m->next);
	free(m->sims);
}

static void run(uint64_t seed)
{
	uint32_t held = 0, most = 0;
	struct many m = { 0 };
	te_time start;

	create(&m, seed);
	start = m.now;
	while (m.done < m.count - m.bad) {
		advance(&m);
		SIM_CHECK(m.sims, m.now - start < LIMIT_US);
		most = te_max(most, m.eng[0]->blocks_used);
	}
	for (uint32_t n = 0; n < m.bad; n++)
		held += m.sims[n].host[0].out ? 0 : m.sims[n].host[0].conn->ooo_blocks;
	printf("# seed %llu: %u connections, %u bad, %llu ms; blocks: %zu, most used %u, bad %u\n",
	       (unsigned long long)seed, m.count, m.bad,
	       (unsigned long long)((m.now - start) / TE_MSEC),
	       m.pool_bytes / 8 * 7 / TE_BLOCK_BYTES, most, held);
	destroy(&m);
}

int main(int argc, char **argv)
{
	uint64_t seeds = 16, one = 0;

	if (argc == 3 && !strcmp(argv[1], "-n"))
		seeds = strtoull(argv[2], NULL, 0);
	else if (argc == 2)
		one = strtoull(argv[1], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n");
	for (uint64_t i = one ? one : 1; i <= (one ? one : seeds); i++)
		run(i);
	printf("ok 1 engine: many connections share a link and a pool, bad peers among them\n");
	return 0;
}
