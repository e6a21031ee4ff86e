/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Run one stack, or time several.
 *
 *	bench STACK bulk|pair|echo CONNS TURNS	once; callgrind counts the turns only
 *	bench time				all of them, segments/s as a table
 *
 * A turn is 16 full segments (bulk), 2 (pair), or 64 bytes there and back (echo)
 * on the next connection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef BENCH_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif
#include "bench.h"

#define ROUNDS		9
#define ROUND_SEGMENTS	60000

static const struct bench_stack *const stacks[] = {
	&bench_engine,
#ifdef BENCH_LWIP
	&bench_lwip,
#endif
};
#define STACKS	(sizeof(stacks) / sizeof(stacks[0]))

static const struct work {
	const char *name;
	uint32_t bytes;		/* per turn */
	uint32_t segments;	/* with payload */
	bool echo;
} works[] = {
	{ "bulk", 16 * BENCH_MSS, 16, false },
	{ "pair", 2 * BENCH_MSS, 2, false },
	{ "echo", 64, 2, true },
};
#define WORKS	(sizeof(works) / sizeof(works[0]))

void bench_fail(const char *what)
{
	printf("not ok %s\n", what);
	exit(1);
}

static void turns(const struct bench_stack *s, const struct work *w, uint32_t conns, uint32_t n)
{
	uint64_t want = s->received() + (uint64_t)w->bytes * n * (w->echo ? 2 : 1);

	for (uint32_t i = 0; i < n; i++)
		s->turn(i % conns, w->bytes);
	if (s->received() != want)
		bench_fail("bytes are missing");
}

/* Slow start and quick acknowledgements at the beginning don't count. */
static void warm_up(const struct bench_stack *s, const struct work *w, uint32_t conns)
{
	s->open(conns, w->echo);
	turns(s, w, conns, 32 * conns);
}

static void count(const struct bench_stack *s, const struct work *w, uint32_t conns, uint32_t n)
{
	uint64_t frames;

	warm_up(s, w, conns);
	frames = s->frames();
	CALLGRIND_START_INSTRUMENTATION;
	turns(s, w, conns, n);
	CALLGRIND_STOP_INSTRUMENTATION;
	frames = s->frames() - frames;
	printf("%llu segments, %llu frames\n", (unsigned long long)n * w->segments,
	       (unsigned long long)frames);
	s->close();
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* The best of some rounds: what disturbs only ever makes them slower. */
static double best(const struct bench_stack *s, const struct work *w, uint32_t conns)
{
	uint32_t n = ROUND_SEGMENTS / w->segments / conns * conns;
	int rounds = conns == 1 ? ROUNDS : 3;
	double least = 1e9;

	n = n < conns ? conns : n;
	warm_up(s, w, conns);
	for (int i = 0; i < rounds; i++) {
		double took = seconds();

		turns(s, w, conns, n);
		took = seconds() - took;
		least = took < least ? took : least;
	}
	s->close();
	return (double)n * w->segments / least;
}

static void time_all(void)
{
	static const uint32_t conns[] = { 1, 1000, 10000 };

	for (size_t k = 0; k < WORKS; k++) {
		for (size_t c = 0; c < sizeof(conns) / sizeof(conns[0]); c++) {
			for (size_t i = 0; i < STACKS; i++) {
				/* lwIP searches its connections one by one */
				if (i && conns[c] > 1000)
					continue;
				printf("%s %s %u %.0f\n", stacks[i]->name, works[k].name,
				       conns[c], best(stacks[i], &works[k], conns[c]));
			}
		}
	}
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "time")) {
		time_all();
		return 0;
	}
	for (size_t i = 0; argc == 5 && i < STACKS; i++) {
		for (size_t k = 0; k < WORKS; k++) {
			if (strcmp(argv[1], stacks[i]->name) || strcmp(argv[2], works[k].name))
				continue;
			count(stacks[i], &works[k], strtoul(argv[3], NULL, 0),
			      strtoul(argv[4], NULL, 0));
			return 0;
		}
	}
	fprintf(stderr, "usage: bench time | STACK bulk|pair|echo CONNS TURNS\n");
	return 2;
}
