/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The scoreboard: what became of each byte in [snd_una, snd_max).
 *
 * It is a list of runs, not of segments: what was sent at nearly the same time
 * and had the same fate since is one run.  A connection without loss has a
 * handful, however large its window.  A connection that finds no memory for
 * another run forgets what it may (RFC 2018 8: SACK information is a hint) and
 * always goes on with its own few inline runs.
 */
#include "conn.h"

static void account(struct te_conn *c, const struct te_run *r, uint32_t len)
{
	if (r->flags & TE_RUN_SACKED)
		c->sacked -= len;
	if (r->flags & TE_RUN_LOST)
		c->lost -= len;
	if (r->flags & TE_RUN_RETRANS)
		c->retrans -= len;
}

/**
 * te_runs_mark() - give a run other flags
 * @c: connection
 * @r: run
 * @flags: TE_RUN_*, replaces the old ones
 */
void te_runs_mark(struct te_conn *c, struct te_run *r, uint8_t flags)
{
	uint32_t len = te_run_end(c, r) - r->seq;

	account(c, r, len);
	r->flags = flags;
	if (flags & TE_RUN_SACKED)
		c->sacked += len;
	if (flags & TE_RUN_LOST)
		c->lost += len;
	if (flags & TE_RUN_RETRANS)
		c->retrans += len;
}

static void absorb_next(struct te_engine *e, struct te_conn *c, struct te_run *r)
{
	struct te_run *n = r->next;

	if ((int32_t)(n->sent_us - r->sent_us) < 0)
		r->sent_us = n->sent_us;
	r->next = n->next;
	if (c->run_tail == n)
		c->run_tail = r;
	te_run_put(e, c, n);
}

/* May a run and its successor have one time, the older?  What has arrived needs
 * none; that of a retransmission was within the granule when it was sent.
 */
static bool alike(const struct te_conn *c, const struct te_run *r)
{
	uint32_t us = r->next->sent_us - r->sent_us;

	if (r->flags != r->next->flags)
		return false;
	if (r->flags & (TE_RUN_SACKED | TE_RUN_RETRANS))
		return r->flags & TE_RUN_SACKED || !us;
	return te_min(us, -us) <= te_granule(c);
}

/**
 * te_runs_join() - join neighbours of the same fate
 * @e: the engine
 * @c: connection
 * @mask: only runs that have one of these flags
 */
void te_runs_join(struct te_engine *e, struct te_conn *c, uint8_t mask)
{
	struct te_run *r = c->run_head;

	while (r && r->next) {
		if (r->flags & mask && alike(c, r))
			absorb_next(e, c, r);
		else
			r = r->next;
	}
}

/* Without memory times matter less; but then they give no sample. */
static void join_all(struct te_engine *e, struct te_conn *c)
{
	struct te_run *r = c->run_head;

	while (r && r->next) {
		if ((r->flags ^ r->next->flags) & (uint8_t)~TE_RUN_EVER) {
			r = r->next;
			continue;
		}
		if (!alike(c, r))
			r->flags |= TE_RUN_EVER;
		absorb_next(e, c, r);
	}
}

static bool can_get(const struct te_engine *e, const struct te_conn *c)
{
	if (c->run_mask)
		return true;
	return c->nruns < e->conn_runs &&
	       (e->runs || (size_t)(e->run_end - e->run_new) >= sizeof(struct te_run));
}

/**
 * te_runs_room() - make sure that one run can be taken
 * @e: the engine
 * @c: connection; no pointer to a run of it may be held
 *
 * Return: false if even forgetting didn't help.
 */
bool te_runs_room(struct te_engine *e, struct te_conn *c)
{
	if (can_get(e, c))
		return true;

	join_all(e, c);
	if (can_get(e, c) && c->nruns <= e->conn_runs / 2)
		return true;

	for (struct te_run *r = c->run_head; r; r = r->next) {
		if (r->flags & TE_RUN_SACKED)
			te_runs_mark(c, r, 0);
		r->flags |= TE_RUN_EVER;
	}
	join_all(e, c);
	return can_get(e, c);
}

/**
 * te_runs_append() - @len bytes are sent at snd_max
 * @e: the engine
 * @c: connection; snd_max is advanced
 * @len: bytes
 * @now: time
 *
 * Return: false: no memory to remember it, don't send.
 */
bool te_runs_append(struct te_engine *e, struct te_conn *c, uint32_t len, te_time now)
{
	struct te_run *t = c->run_tail;
	struct te_run *r;

	if (t && !t->flags && te_same_time(c, t->sent_us, now)) {
		c->snd_max += len;
		return true;
	}
	if (!te_runs_room(e, c)) {
		t = c->run_tail;
		if (!t || t->flags & (TE_RUN_SACKED | TE_RUN_LOST))
			return false;
		t->flags |= TE_RUN_EVER;
		t->sent_us = (uint32_t)now;
		c->snd_max += len;
		return true;
	}
	r = te_run_get(e, c);
	r->next = NULL;
	r->seq = c->snd_max;
	r->sent_us = (uint32_t)now;
	r->flags = 0;
	if (c->run_tail)
		c->run_tail->next = r;
	else
		c->run_head = r;
	c->run_tail = r;
	c->snd_max += len;
	return true;
}

/**
 * te_runs_split() - let a run end at @seq
 * @e: the engine
 * @c: connection
 * @r: run
 * @seq: inside of it, not its first byte
 *
 * Return: the run that starts at @seq, or NULL: no memory, nothing changed.
 */
struct te_run *te_runs_split(struct te_engine *e, struct te_conn *c, struct te_run *r, uint32_t seq)
{
	struct te_run *n = te_run_get(e, c);

	if (!n)
		return NULL;
	*n = *r;
	n->seq = seq;
	r->next = n;
	if (c->run_tail == r)
		c->run_tail = n;
	return n;
}

/**
 * te_runs_gather() - make a lost run as long as a segment, if what follows is lost too
 * @e: the engine
 * @c: connection
 * @r: a run with TE_RUN_LOST and without TE_RUN_RETRANS, to be sent again
 * @len: bytes of a segment
 *
 * Small segments are sent again as few large ones (RFC 9293 3.8.1 allows it).
 */
void te_runs_gather(struct te_engine *e, struct te_conn *c, struct te_run *r, uint32_t len)
{
	while (r->next && te_run_end(c, r) - r->seq < len) {
		struct te_run *n = r->next;

		if ((n->flags & (TE_RUN_LOST | TE_RUN_RETRANS)) != TE_RUN_LOST)
			return;
		if (te_run_end(c, n) - r->seq > len && !te_runs_split(e, c, n, r->seq + len))
			return;
		absorb_next(e, c, r);
	}
}

/**
 * te_runs_resend() - the first bytes of a lost run are sent again
 * @e: the engine
 * @c: connection
 * @prev: the run before @r, or NULL
 * @r: a run with TE_RUN_LOST and without TE_RUN_RETRANS
 * @len: bytes, at most those of @r
 * @now: time
 *
 * If no memory is left to tell the rest of @r apart, the rest counts as sent too
 * and waits for the next timeout: slow, but it goes on.
 */
void te_runs_resend(struct te_engine *e, struct te_conn *c, struct te_run *prev,
		    struct te_run *r, uint32_t len, te_time now)
{
	if (te_run_end(c, r) - r->seq > len)
		te_runs_split(e, c, r, r->seq + len);
	te_runs_mark(c, r, r->flags | TE_RUN_RETRANS | TE_RUN_EVER);
	r->sent_us = (uint32_t)now;
	if (prev && prev->flags == r->flags && te_same_time(c, prev->sent_us, now))
		absorb_next(e, c, prev);
}

static void acked_time(struct te_conn *c, const struct te_run *r, uint32_t end, te_time now,
		       struct te_acked *a)
{
	if (!(r->flags & TE_RUN_SACKED))
		te_rack_delivered(c, r, end, true, now, a);
	if (r->flags & TE_RUN_EVER) {
		a->ambiguous = true;
		return;
	}
	/* it arrived before, or when it was sent isn't known well enough */
	if (r->flags & (TE_RUN_SACKED | TE_RUN_ROUGH))
		return;
	a->last_rtt_us = (uint32_t)now - r->sent_us;
	if (!a->sampled)
		a->rtt_us = a->last_rtt_us;
	a->sampled = true;
}

/**
 * te_runs_ack() - everything before @ack has arrived
 * @e: the engine
 * @c: connection; snd_una becomes @ack
 * @ack: above snd_una, at most snd_max
 * @now: time
 * @a: what it says about the round trip
 */
void te_runs_ack(struct te_engine *e, struct te_conn *c, uint32_t ack, te_time now,
		 struct te_acked *a)
{
	struct te_run *r = c->run_head;

	while (r && seq_lt(r->seq, ack)) {
		uint32_t end = te_run_end(c, r);

		acked_time(c, r, seq_gt(end, ack) ? ack : end, now, a);
		if (seq_gt(end, ack)) {
			account(c, r, ack - r->seq);
			r->seq = ack;
			break;
		}
		account(c, r, end - r->seq);
		c->run_head = r->next;
		te_run_put(e, c, r);
		r = c->run_head;
	}
	if (!c->run_head)
		c->run_tail = NULL;
	c->snd_una = ack;
}

/**
 * te_runs_forget() - the peer has discarded what it had SACKed
 * @e: the engine
 * @c: connection
 *
 * RFC 2018 8: if the first byte is SACKed and yet not acknowledged, nothing is
 * believed any more; and what was believed to have arrived gives no sample when
 * it does.
 */
void te_runs_forget(struct te_engine *e, struct te_conn *c)
{
	for (struct te_run *r = c->run_head; r; r = r->next)
		te_runs_mark(c, r, TE_RUN_LOST | TE_RUN_EVER);
	te_runs_join(e, c, TE_RUN_LOST);
}

/**
 * te_runs_clear() - give all runs back
 * @e: the engine
 * @c: connection
 */
void te_runs_clear(struct te_engine *e, struct te_conn *c)
{
	while (c->run_head) {
		struct te_run *r = c->run_head;

		c->run_head = r->next;
		te_run_put(e, c, r);
	}
	c->run_tail = NULL;
	c->sacked = 0;
	c->lost = 0;
	c->retrans = 0;
}
