/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Virtual time: what is next happens next. */
#include "sim.h"

void sim_advance(struct sim *s)
{
	te_time t = sim_link_next(s->link);
	int who = -1;

	for (int i = 0; i < 2; i++) {
		te_time n = sim_host_next(&s->host[i]);

		if (n < t) {
			t = n;
			who = i;
		}
	}
	SIM_CHECK(s, t != TE_NEVER);
	if (t > s->now)
		s->now = t;
	if (who >= 0) {
		sim_host_step(&s->host[who]);
	} else {
		struct sim_packet *p = sim_link_take(s->link);

		sim_host_segment(&s->host[p->to], p);
	}
}
