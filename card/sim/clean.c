/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Known links, known expectations: does a transfer use what the link has?
 *
 * One direction, the application writes and reads as fast as it can.  The time
 * until the last byte is read is compared with what the bytes need at the link's
 * rate plus ten round trips.
 */
#include <string.h>
#include "sim.h"

static const struct scenario {
	const char *name;
	struct sim_impair impair;
	uint32_t bytes;
	uint32_t buf_bytes;
	uint8_t cong;
	uint8_t flags;
	uint32_t least_percent;		/* of the ideal speed */
	uint32_t most_acks_percent;	/* of the data segments */
} scenarios[] = {
	{ "lan, cubic", { .delay_us = 50, .rate = 100000, .queue_bytes = 200000 },
	  20000000, 1000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 85, 60 },
	{ "lan, reno", { .delay_us = 50, .rate = 100000, .queue_bytes = 200000 },
	  20000000, 1000000, TOE_CONG_RENO, TOE_MT_TSTAMP | TOE_MT_SACK, 85, 60 },
	{ "lan, small queue", { .delay_us = 50, .rate = 100000, .queue_bytes = 30000 },
	  20000000, 1000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 85, 60 },
	{ "wan 20 ms, receiver limited", { .delay_us = 10000, .rate = 10000, .queue_bytes = 400000 },
	  10000000, 250000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 85, 60 },
	{ "wan 20 ms, queue limited", { .delay_us = 10000, .rate = 10000, .queue_bytes = 200000 },
	  20000000, 4000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 85, 60 },
	{ "wan 20 ms, no sack", { .delay_us = 10000, .rate = 10000, .queue_bytes = 200000 },
	  20000000, 4000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP, 25, 80 },
	{ "wan 20 ms, ecn", { .delay_us = 10000, .rate = 10000, .queue_bytes = 400000,
	  .mark_bytes = 150000 },
	  20000000, 4000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK | TOE_MT_ECN, 85, 60 },
	{ "lan, 1 in 1000 lost", { .delay_us = 100, .rate = 100000, .queue_bytes = 400000, .loss = 1 },
	  20000000, 1000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 85, 60 },
	{ "wan 40 ms, 1 in 100 lost", { .delay_us = 20000, .rate = 10000, .queue_bytes = 400000, .loss = 10 },
	  2000000, 1000000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 10, 80 },
	{ "small buffer", { .delay_us = 50, .rate = 100000, .queue_bytes = 200000 },
	  2000000, 6000, TOE_CONG_CUBIC, TOE_MT_TSTAMP | TOE_MT_SACK, 30, 80 },
};

static void setup(struct sim *s, const struct scenario *sc)
{
	s->seed = 1;
	s->rng = 1;
	s->now = TE_SEC;
	s->link->impair[0] = sc->impair;
	s->link->impair[1].delay_us = sc->impair.delay_us;
	for (int i = 0; i < 2; i++) {
		struct sim_host *h = &s->host[i];

		sim_host_init(s, i);
		sim_host_own_engine(h, 4 << 20);
		h->total = i ? 0 : sc->bytes;
		h->write_max = 65536;
		h->write_gap = 0;
		h->buf_bytes = sc->buf_bytes;
		h->edge = sc->buf_bytes;
		h->wire_edge = sc->buf_bytes;
		h->read_max = 1000000;
		h->read_gap = 10;
		h->tells_all = true;
		h->shrinks = 0;
		h->retries = 0;
		h->refuse = 0;
		h->move = 0;
	}
	for (int i = 0; i < 2; i++)
		sim_host_start(&s->host[i]);
	for (int i = 0; i < 2; i++) {
		struct min_tcp *st = &s->host[i].state;

		st->flags = sc->flags | TOE_MT_NODELAY;
		st->manner = 0;
		st->mss = sc->flags & TOE_MT_TSTAMP ? 1448 : 1460;
		st->cong = sc->cong;
		st->snd_wscale = 7;
		st->rcv_wscale = 7;
		st->ts_recent = s->host[!i].state.ts_val;
	}
	/* the link's luck doesn't depend on what hosts have drawn */
	s->rng = 1;
}

static int run(int number, const struct scenario *sc)
{
	struct sim *s = calloc(1, sizeof(*s));
	uint64_t ideal, took, percent, acks;
	struct sim_link link = { 0 };
	struct toe_conn_stats st;

	s->link = &link;
	setup(s, sc);
	while (!sim_host_done(&s->host[1]))
		sim_advance(s);
	took = s->now - TE_SEC;
	/* the last acknowledgement may be delayed */
	while (!sim_host_done(&s->host[0]))
		sim_advance(s);

	ideal = sc->bytes * 1500ull / 1448 * 1000 / sc->impair.rate + 20 * sc->impair.delay_us;
	percent = ideal * 100 / took;
	acks = s->host[1].acks_out * 100 / s->host[0].segs_out;
	te_stats(s->host[0].conn, &st, s->now);
	printf("%s %d %s: %llu%% of ideal, %llu acks per 100 segments, %u resent, %u fast, %u rto\n",
	       percent >= sc->least_percent && acks <= sc->most_acks_percent ? "ok" : "not ok",
	       number, sc->name, (unsigned long long)percent, (unsigned long long)acks,
	       st.retrans_segs, st.fast_retrans, st.rto_count);
	sim_link_clear(s->link);
	for (int i = 0; i < 2; i++)
		sim_host_finish(&s->host[i]);
	free(s);
	return percent >= sc->least_percent && acks <= sc->most_acks_percent;
}

int main(void)
{
	int n = sizeof(scenarios) / sizeof(scenarios[0]), good = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", n);
	for (int i = 0; i < n; i++)
		good += run(i + 1, &scenarios[i]);
	return good != n;
}
