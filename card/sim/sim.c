/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Property tests: random transfers over random links.
 *
 *	sim [-n seeds] [-v]	seeds 1..n, 10000 by default
 *	sim seed		replay one
 *	sim -t seed		replay one and print all that the engines do
 *	sim -r			those only whose behaviour is recorded in recorded.h
 *	sim -w			write that record anew
 *
 * Checked: every byte arrives once, in order and unchanged; transfers end in
 * bounded virtual time; memory is bounded and all given back; nothing is sent
 * beyond the peer's window or cwnd, nor advertised beyond the host's credit or
 * left of what was; moves from card to host and back at any moment lose nothing.
 * Every tenth seed moves the connection at each step.
 */
#include <string.h>
#include <time.h>
#include "recorded.h"
#include "sim.h"

/* 2 MB in segments of 88 bytes, without SACK, through bursts of loss, take a day. */
#define LIMIT_US	(72 * 3600 * TE_SEC)
#define LIMIT_STEPS	5000000
#define EACH_STEP	10

static uint64_t totals[SIM_DROPS];

static void random_link(struct sim *s)
{
	uint64_t *r = &s->rng;
	uint32_t delay = sim_chance(r, 300) ? sim_between(r, 10, 500) : sim_between(r, 500, 100000);

	for (int i = 0; i < 2; i++) {
		struct sim_impair *im = &s->link->impair[i];

		im->delay_us = delay;
		im->loss = sim_chance(r, 600) ? sim_below(r, sim_chance(r, 200) ? 250 : 50) : 0;
		im->jitter_us = sim_chance(r, 300) ? sim_below(r, delay + 1) : 0;
		im->corrupt = sim_chance(r, 200) ? sim_below(r, 20) : 0;
		if (sim_chance(r, 150)) {
			im->burst_enter = sim_between(r, 1, 30);
			im->burst_leave = sim_between(r, 50, 500);
			im->burst_loss = sim_between(r, 200, 1000);
		}
		im->dup = sim_chance(r, 300) ? sim_below(r, 100) : 0;
		im->reorder = sim_chance(r, 400) ? sim_below(r, 300) : 0;
		im->reorder_us = sim_below(r, 3 * delay + 1);
		if (sim_chance(r, 500)) {
			im->rate = sim_between(r, 100, 100000);
			im->queue_bytes = sim_between(r, 4000, 300000);
			im->mark_bytes = im->queue_bytes / 3;
		}
		if (sim_chance(r, 100)) {
			im->blackout_from = sim_below(r, 2000000);
			im->blackout_to = im->blackout_from + sim_below(r, 10000000);
		}
	}
}

/* A connection that moves at each step has no memory of what was sent when, and of
 * what arrived out of order: each loss costs a timeout with all its backoff (Karn).
 * Keep that bearable.
 */
static void calm(struct sim *s)
{
	for (int i = 0; i < 2; i++) {
		struct sim_impair *im = &s->link->impair[i];
		struct sim_host *h = &s->host[i];

		im->loss = te_min(im->loss, 20);
		im->burst_enter = 0;
		h->refuse = te_min(h->refuse, 20);
		h->total = te_min(h->total, 100000);
		h->move_each = 1;
	}
}

/* What both ends agreed on when they connected. */
static void random_options(struct sim *s)
{
	static const uint16_t sizes[] = { 88, 536, 1448, 8948 };
	uint64_t *r = &s->rng;
	uint8_t both = (uint8_t)sim_below(r, TOE_MT_TSTAMP | TOE_MT_SACK | TOE_MT_ECN);

	if (sim_chance(r, 500))
		both = TOE_MT_TSTAMP | TOE_MT_SACK;
	for (int i = 0; i < 2; i++) {
		struct min_tcp *st = &s->host[i].state;

		st->flags = both | (sim_chance(r, 900) ? TOE_MT_NODELAY : 0);
		st->mss = sizes[sim_chance(r, 300) ? sim_below(r, 4) : 2];
		st->cong = (uint8_t)sim_below(r, 2);
		st->rcv_wscale = (uint8_t)(sim_chance(r, 100) ? sim_between(r, 3, 9) : 3);
	}
	for (int i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];

		h->state.snd_wscale = s->host[!i].state.rcv_wscale;
		h->state.ts_recent = s->host[!i].state.ts_val;
	}
}

static uint32_t run(uint64_t seed, int verbose, enum sim_trace_mode mode)
{
	static const uint32_t pools[] = { 0, 4096, 16384, 262144, 4194304 };
	struct sim *s = calloc(1, sizeof(*s));
	struct sim_link link = { 0 };
	uint64_t steps = 0;
	uint32_t digest;

	s->link = &link;
	sim_trace_start(s, mode);
	s->seed = seed;
	s->rng = seed * 0x2545f4914f6cdd1dull;
	s->now = 1 + sim_below(&s->rng, 1000000000);
	random_link(s);
	for (int i = 0; i < 2; i++) {
		link.impair[i].blackout_from += s->now;
		link.impair[i].blackout_to += s->now;
		sim_host_init(s, i);
		sim_host_own_engine(&s->host[i], pools[sim_chance(&s->rng, 300)
						 ? sim_below(&s->rng, 5) : 4]);
	}
	if (!(seed % EACH_STEP))
		calm(s);
	for (int i = 0; i < 2; i++)
		sim_host_start(&s->host[i]);
	random_options(s);

	te_time start = s->now;

	while (!sim_host_done(&s->host[0]) || !sim_host_done(&s->host[1])) {
		sim_advance(s);
		SIM_CHECK(s, ++steps < LIMIT_STEPS);
		SIM_CHECK(s, s->now - start < LIMIT_US);
	}
	/* no storm: acknowledgements answer segments, reads or timers */
	for (int i = 0; i < 2; i++)
		SIM_CHECK(s, s->host[i].acks_out <= 3 * s->host[!i].segs_out + steps / 2 + 100);
	if (verbose)
		printf("# seed %llu: %llu us, %llu steps, segments %llu+%llu acks %llu+%llu moves %llu+%llu\n",
		       (unsigned long long)seed, (unsigned long long)(s->now - start),
		       (unsigned long long)steps, (unsigned long long)s->host[0].segs_out,
		       (unsigned long long)s->host[1].segs_out,
		       (unsigned long long)s->host[0].acks_out,
		       (unsigned long long)s->host[1].acks_out,
		       (unsigned long long)s->host[0].moves, (unsigned long long)s->host[1].moves);
	for (int i = 0; i < SIM_DROPS; i++)
		totals[i] += link.count[i];
	sim_link_clear(&link);
	for (int i = 0; i < 2; i++)
		sim_host_finish(&s->host[i]);
	digest = sim_trace_end(s);
	free(s);
	return digest;
}

static uint32_t recorded_run(uint64_t seed)
{
	return run(seed, 0, SIM_TRACE_DIGEST);
}

static int compare(int record)
{
	int good = sim_recorded("transfers", recorded_transfers, RECORDED_TRANSFERS, recorded_run,
				record);

	if (!record)
		printf("%sok 1 engine: transfers as recorded\n", good ? "" : "not ");
	return !good;
}

int main(int argc, char **argv)
{
	enum sim_trace_mode mode = SIM_TRACE_OFF;
	uint64_t seeds = 10000, one = 0;
	int verbose = 0, bad = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-n") && i + 1 < argc)
			seeds = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "-v"))
			verbose = 1;
		else if (!strcmp(argv[i], "-t"))
			mode = SIM_TRACE_PRINT;
		else if (!strcmp(argv[i], "-w"))
			return compare(1);
		else if (!strcmp(argv[i], "-r"))
			seeds = 0;
		else
			one = strtoull(argv[i], NULL, 0);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (one) {
		run(one, 1, mode);
		return 0;
	}
	printf("TAP version 13\n1..%d\n", seeds ? 2 : 1);
	bad = compare(0);
	if (!seeds)
		return bad;
	for (uint64_t i = 1; i <= seeds; i++)
		run(i, verbose, SIM_TRACE_OFF);
	printf("# %llu segments arrived; dropped: %llu at random, %llu in bursts, %llu corrupted, "
	       "%llu at full queues, %llu in black-outs\n",
	       (unsigned long long)totals[SIM_DROP_NOT], (unsigned long long)totals[SIM_DROP_LOSS],
	       (unsigned long long)totals[SIM_DROP_BURST],
	       (unsigned long long)totals[SIM_DROP_CORRUPT],
	       (unsigned long long)totals[SIM_DROP_QUEUE],
	       (unsigned long long)totals[SIM_DROP_BLACKOUT]);
	printf("ok 2 engine: random transfers over impaired links\n");
	return bad;
}
