/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What an engine does, seen from outside, as lines of text: segments, timers, what it
 * reports, its counters and the state it exports.  Their digest is compared with a
 * recorded one, so that no change of behaviour goes unnoticed.
 */
#include <stdarg.h>
#include "sim.h"

#define FNV_START	0xcbf29ce484222325ull
#define FNV_PRIME	0x100000001b3ull
#define SHOWN		5	/* seeds that differ; more say no more */
#define FULL_EVERY	16	/* steps from one look at counters and state to the next */

static uint64_t mix(uint64_t digest, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		digest = (digest ^ ((const uint8_t *)data)[i]) * FNV_PRIME;
	return digest;
}

void sim_trace_start(struct sim *s, enum sim_trace_mode mode)
{
	s->trace = mode;
	s->digest = FNV_START;
	s->traced = 0;
}

void sim_trace(struct sim *s, const char *format, ...)
{
	char line[256];
	va_list args;
	int n;

	if (s->trace == SIM_TRACE_OFF)
		return;
	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	s->digest = mix(s->digest, line, (size_t)n);
	if (s->trace == SIM_TRACE_PRINT)
		printf("%llu us: %s\n", (unsigned long long)s->now, line);
}

void sim_trace_out(struct sim *s, int side, const struct te_out *o)
{
	char opts[2 * sizeof(o->opts) + 1] = "";

	if (s->trace == SIM_TRACE_OFF)
		return;
	for (int i = 0; i < o->opt_len; i++)
		snprintf(opts + 2 * i, 3, "%02x", o->opts[i]);
	sim_trace(s, "%d sends %u:%u ack %u win %u flags %02x ecn %u again %d opts %s", side, o->seq,
		  o->seq + o->len, o->ack, o->wnd, o->flags, o->ecn, o->retrans, opts);
}

/* Everything that the engine shows of a connection. */
void sim_trace_full(struct sim *s, int side, const struct te_conn *c)
{
	struct toe_conn_stats stats = { 0 };
	struct min_tcp state = { 0 };

	if (s->trace == SIM_TRACE_OFF)
		return;
	te_export(c, &state, s->now);
	te_stats(c, &stats, s->now);
	sim_trace(s, "%d state %08x stats %08x", side,
		  (uint32_t)mix(FNV_START, &state, sizeof(state)),
		  (uint32_t)mix(FNV_START, &stats, sizeof(stats)));
}

/* After each step: when it wants to be woken, and now and then all of it. */
void sim_trace_step(struct sim *s, int side, const struct te_conn *c)
{
	if (s->trace == SIM_TRACE_OFF)
		return;
	sim_trace(s, "%d timer %lld window %u", side,
		  te_deadline(c) == TE_NEVER ? -1ll : (long long)(te_deadline(c) - s->now),
		  te_snd_wnd(c));
	if (!(++s->traced % FULL_EVERY))
		sim_trace_full(s, side, c);
}

uint32_t sim_trace_end(const struct sim *s)
{
	return (uint32_t)(s->digest ^ s->digest >> 32);
}

/* Compare, or with @record write what recorded.h is made of. */
int sim_recorded(const char *name, const uint32_t *recorded, uint32_t n,
		 uint32_t (*run)(uint64_t seed), int record)
{
	uint32_t bad = 0;

	if (record)
		printf("static const uint32_t recorded_%s[] = {", name);
	for (uint32_t i = 0; i < n && bad < SHOWN; i++) {
		uint32_t digest = run(i + 1);

		if (record)
			printf("%s0x%08x,", i % 8 ? " " : "\n\t", digest);
		else if (digest != recorded[i] && ++bad)
			printf("# seed %u behaves otherwise than recorded\n", i + 1);
	}
	if (record)
		printf("\n};\n");
	return !bad;
}
