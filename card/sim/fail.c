/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* A property doesn't hold: say which, and the seed that shows it. */
#include "sim.h"

void sim_fail(const struct sim *s, const char *file, int line, const char *what)
{
	printf("not ok seed %llu: %s:%d: %s (at %llu us)\n", (unsigned long long)s->seed, file,
	       line, what, (unsigned long long)s->now);
	for (int i = 0; i < 2; i++) {
		const struct sim_host *h = &s->host[i];

		printf("# side %d: posted %u/%u acked %u placed %u/%u edge %u moves %llu\n", i,
		       h->posted, h->total, h->acked, h->placed, h->peer_total, h->edge,
		       (unsigned long long)h->moves);
	}
	fflush(stdout);
	abort();
}
