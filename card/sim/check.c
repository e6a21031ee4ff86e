/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* What must hold of a connection between any two entries of the engine. */
#include "sim.h"

static void check_runs(const struct sim *s, const struct te_conn *c)
{
	uint32_t at = c->snd_una, sacked = 0, lost = 0, retrans = 0, n = 0;
	const struct te_run *last = NULL;

	for (const struct te_run *r = c->run_head; r; r = r->next) {
		uint32_t len = te_run_end(c, r) - r->seq;

		SIM_CHECK(s, r->seq == at);
		SIM_CHECK(s, len > 0 && len <= TE_WND_MAX);
		SIM_CHECK(s, !(r->flags & TE_RUN_SACKED) || !(r->flags & TE_RUN_LOST));
		SIM_CHECK(s, !(r->flags & TE_RUN_RETRANS) || r->flags & TE_RUN_LOST);
		at += len;
		sacked += r->flags & TE_RUN_SACKED ? len : 0;
		lost += r->flags & TE_RUN_LOST ? len : 0;
		retrans += r->flags & TE_RUN_RETRANS ? len : 0;
		last = r;
		n++;
	}
	SIM_CHECK(s, at == c->snd_max);
	SIM_CHECK(s, last == c->run_tail);
	SIM_CHECK(s, sacked == c->sacked && lost == c->lost && retrans == c->retrans);
	SIM_CHECK(s, n <= TE_MAX_RUNS + TE_INLINE_RUNS);
}

static void check_blocks(const struct sim *s, const struct te_conn *c)
{
	const struct te_block *last = NULL;
	uint32_t n = 0;

	for (const struct te_block *b = c->ooo_head; b; b = b->next) {
		SIM_CHECK(s, b->len > 0 && b->off + b->len <= TE_BLOCK_DATA);
		SIM_CHECK(s, !last || seq_le(last->seq + last->len, b->seq));
		SIM_CHECK(s, seq_le(b->seq + b->len, c->rcv_adv));
		last = b;
		n++;
	}
	SIM_CHECK(s, last == c->ooo_tail);
	SIM_CHECK(s, n == c->ooo_blocks);
	SIM_CHECK(s, !c->ooo_head || seq_gt(c->ooo_head->seq, c->rcv_nxt) ||
		     c->drain_at != TE_NEVER);
	for (uint32_t i = 0; i < c->nsacks; i++) {
		SIM_CHECK(s, seq_lt(c->rcv_sack[i].start, c->rcv_sack[i].end));
		SIM_CHECK(s, seq_gt(c->rcv_sack[i].start, c->rcv_nxt));
		SIM_CHECK(s, seq_le(c->rcv_sack[i].end, c->rcv_adv));
	}
}

/* Bytes in the network, RFC 6675 4, by the sender's own account of each of them;
 * without SACK each duplicate acknowledgement stands for a segment.
 */
uint32_t sim_pipe(const struct te_conn *c)
{
	uint32_t pipe = 0;

	for (const struct te_run *r = c->run_head; r; r = r->next)
		if (!(r->flags & TE_RUN_SACKED) &&
		    (!(r->flags & TE_RUN_LOST) || r->flags & TE_RUN_RETRANS))
			pipe += te_run_end(c, r) - r->seq;
	if (!(c->flags & TOE_MT_SACK))
		pipe -= te_min(pipe, (uint32_t)c->dupacks * c->mss);
	return pipe;
}

void sim_check_conn(const struct sim_host *h)
{
	const struct te_conn *c = h->conn;
	const struct sim *s = h->sim;

	check_runs(s, c);
	check_blocks(s, c);
	SIM_CHECK(s, seq_le(c->snd_una, c->snd_max));
	SIM_CHECK(s, seq_le(c->rcv_nxt, c->rcv_adv));
	SIM_CHECK(s, seq_le(c->rcv_adv, c->rcv_credit));
	SIM_CHECK(s, seq_le(c->rcv_acked, c->rcv_nxt));
	SIM_CHECK(s, c->snd_cwnd >= c->mss);
	/* its share of the pool and no more */
	SIM_CHECK(s, c->ooo_blocks <= h->eng->conn_blocks && c->nruns <= h->eng->conn_runs);
	/* no deadlock: in flight or waiting to be sent means that a timer runs */
	if (!c->leave && !h->out)
		SIM_CHECK(s, (te_flight(c) == 0 && seq_ge(c->snd_max, c->posted)) ||
			     c->rtx_at != TE_NEVER);
}
