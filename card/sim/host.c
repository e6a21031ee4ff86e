/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * One end of the simulated connection.  The host holds the stream, posts it in
 * pieces, reads what is placed at its own pace, and now and then takes the
 * connection away and gives it back from the exported state alone.
 */
#include <string.h>
#include "sim.h"

/* The stream's content depends on seed, side and place, so that a byte of the
 * wrong place is a wrong byte.
 */
uint8_t sim_byte(const struct sim *s, int side, uint32_t off)
{
	uint32_t x = off * 2654435761u ^ (uint32_t)s->seed * 40503u ^ (uint32_t)side * 0x55555555u;

	return (uint8_t)(x >> 24 ^ x >> 11);
}

static uint32_t place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
		      uint32_t len, bool push)
{
	struct sim_host *h = ((struct sim_slot *)c)->host;
	struct sim *s = h->sim;
	uint32_t n = len;

	(void)ctx;
	sim_trace(s, "%d gets %u:%u push %d", h->side, seq, seq + len, push);
	SIM_CHECK(s, c == h->conn && !h->out);
	SIM_CHECK(s, data && len);
	SIM_CHECK(s, seq - h->peer_isn == h->placed);
	SIM_CHECK(s, h->placed + len <= h->edge);
	for (uint32_t i = 0; i < len; i++)
		SIM_CHECK(s, data[i] == sim_byte(s, !h->side, h->placed + i));
	if (sim_chance(&s->rng, h->refuse))
		n = sim_below(&s->rng, len);
	h->placed += n;
	if (n && h->read_at == TE_NEVER)
		h->read_at = s->now + sim_below(&s->rng, 2 * h->read_gap + 1);
	return n;
}

const struct te_ops sim_host_ops = {
	.place	= place,
};

static void engine_create(struct sim_host *h)
{
	struct te_config cfg = {
		.ops = &sim_host_ops,
		.pool = h->pool,
		.pool_bytes = h->pool_bytes,
		.conn_pool_bytes = h->pool_bytes,
		.seed = h->sim->seed,
		.pacing = h->sim->trace != SIM_TRACE_OFF && h->sim->seed % 4 == 3,
	};

	SIM_CHECK(h->sim, !te_engine_init(h->eng, &cfg));
}

void sim_host_own_engine(struct sim_host *h, size_t pool_bytes)
{
	struct sim_slot *slot = malloc(sizeof(*slot));

	h->pool_bytes = pool_bytes;
	h->pool = aligned_alloc(64, pool_bytes ? pool_bytes : 64);
	h->eng = malloc(te_engine_bytes());
	slot->host = h;
	h->conn = &slot->conn;
	engine_create(h);
}

/* What the application is like. */
void sim_host_init(struct sim *s, int side)
{
	struct sim_host *h = &s->host[side];
	uint64_t *r = &s->rng;

	h->sim = s;
	h->side = side;
	h->isn = sim_chance(r, 500) ? (uint32_t)sim_rand(r) : 0u - sim_below(r, 200000);
	h->total = sim_chance(r, 150) ? 0 : sim_between(r, 1, sim_chance(r, 100) ? 2000000 : 200000);
	h->write_max = sim_between(r, 1, sim_chance(r, 200) ? 200 : 60000);
	h->write_gap = sim_below(r, sim_chance(r, 200) ? 100000 : 3000);
	if (h->total / h->write_max > 2000)
		h->write_max = h->total / 2000 + 1;
	h->buf_bytes = sim_between(r, 500, sim_chance(r, 300) ? 8000 : 400000);
	h->edge = h->buf_bytes;
	h->wire_edge = h->edge;
	h->read_max = sim_between(r, 1, sim_chance(r, 200) ? 1000 : 100000);
	h->read_gap = sim_below(r, sim_chance(r, 200) ? 50000 : 2000);
	h->shrinks = sim_chance(r, 300) ? sim_between(r, 1, 100) : 0;
	h->refuse = sim_chance(r, 300) ? sim_below(r, 300) : 0;
	h->retries = sim_chance(r, 300) ? (uint8_t)sim_between(r, 2, 5) : 0;
	h->move = sim_chance(r, 500) ? sim_below(r, sim_chance(r, 300) ? 200 : 20) : 0;
}

/* Both ends' hosts have established the connection; here is what they know. */
void sim_host_start(struct sim_host *h)
{
	struct sim *s = h->sim;
	struct sim_host *p = &s->host[!h->side];
	struct min_tcp *st = &h->state;

	h->peer_isn = p->isn;
	h->peer_total = p->total;
	h->heard_edge = p->buf_bytes;
	h->read_max = te_max(h->read_max, p->total / 2000);
	memset(st, 0, sizeof(*st));
	st->family = 4;
	st->snd_una = h->isn;
	st->snd_nxt = h->isn;
	st->snd_max = h->isn;
	st->snd_wnd = p->buf_bytes;
	st->max_window = p->buf_bytes;
	st->snd_wl1 = p->isn;
	st->rcv_nxt = p->isn;
	st->rcv_adv = p->isn + h->buf_bytes;
	st->ts_val = (uint32_t)sim_rand(&s->rng);
	st->snd_ssthresh = TE_SSTHRESH_INF;
	st->retries = h->retries;
	st->manner = sim_chance(&s->rng, 200) ? TOE_MANNER_KEEP_CWND : 0;
	st->rsvd[0] = (uint8_t)h->side;
	h->out = 1;
	h->back_at = s->now;
	h->write_at = s->now;
	h->read_at = TE_NEVER;
}

static void take_away(struct sim_host *h)
{
	struct sim *s = h->sim;

	sim_trace_full(s, h->side, h->conn);
	te_export(h->conn, &h->state, s->now);
	te_release(h->eng, h->conn);
	SIM_CHECK(s, !h->pool || (!h->eng->blocks_used && !h->eng->runs_used));
	memset(h->conn, 0xa5, te_conn_bytes());
	SIM_CHECK(s, h->state.rcv_nxt - h->peer_isn == h->placed);
	SIM_CHECK(s, h->state.snd_una - h->isn == h->acked);
	SIM_CHECK(s, h->state.rsvd[0] == h->side);
	h->out = 1;
	h->back_at = s->now + sim_below(&s->rng, sim_chance(&s->rng, 100) ? 500000 : 1000);
	h->moves++;
}

static void give_back(struct sim_host *h)
{
	struct sim *s = h->sim;

	SIM_CHECK(s, !te_import(h->eng, h->conn, &h->state, s->now));
	h->out = 0;
	h->reposted = h->acked;
	te_credit(h->conn, h->peer_isn + h->edge, s->now);
}

/* What a segment may say of our receiving side. */
static void check_window(struct sim_host *h, const struct te_out *o)
{
	uint32_t unit = 1u << h->state.rcv_wscale;
	uint32_t edge = o->ack - h->peer_isn + o->wnd * unit;
	struct sim *s = h->sim;

	SIM_CHECK(s, o->ack - h->peer_isn == h->placed);
	SIM_CHECK(s, edge <= h->edge);
	SIM_CHECK(s, edge + unit > h->wire_edge);	/* never left: RFC 7323 2.4 */
	h->wire_edge = edge > h->wire_edge ? edge : h->wire_edge;
}

/* What its payload may be: posted, within the peer's window, and not too long. */
static void check_payload(struct sim_host *h, const struct te_out *o)
{
	uint32_t off = o->seq - h->isn, end = off + o->len;
	struct sim *s = h->sim;

	SIM_CHECK(s, off >= h->acked && end <= h->reposted);
	SIM_CHECK(s, o->retrans || end <= h->acked + te_snd_wnd(h->conn));
	SIM_CHECK(s, end <= h->heard_edge);
	SIM_CHECK(s, o->len + o->opt_len <= (uint32_t)h->conn->mss +
		     (h->conn->flags & TOE_MT_TSTAMP ? 12 : 0));
}

static void output(struct sim_host *h)
{
	struct sim *s = h->sim;
	struct te_out o;
	uint32_t pipe = sim_pipe(h->conn), over = 0, n = 0;

	while (te_output(h->eng, h->conn, &o, s->now)) {
		uint8_t data[65536];
		uint32_t off = o.seq - h->isn;

		sim_trace_out(s, h->side, &o);
		SIM_CHECK(s, ++n < 100000);
		SIM_CHECK(s, o.opt_len <= 40 && o.opt_len % 4 == 0);
		check_window(h, &o);
		if (o.len) {
			check_payload(h, &o);
			/* beyond cwnd goes one segment: a probe, or the first of a
			 * recovery; or any if nothing else is under way
			 */
			over += pipe && pipe + o.len > h->conn->snd_cwnd;
			SIM_CHECK(s, over <= 1);
			for (uint32_t i = 0; i < o.len; i++)
				data[i] = sim_byte(s, h->side, off + i);
			h->segs_out++;
		} else {
			h->acks_out++;
		}
		sim_link_send(s, h->side, &o, data);
		sim_check_conn(h);
		pipe = sim_pipe(h->conn);
	}
	sim_check_conn(h);
}

static void report(struct sim_host *h)
{
	uint32_t una = te_snd_una(h->conn) - h->isn;

	SIM_CHECK(h->sim, una >= h->acked && una <= h->sim->host[!h->side].placed);
	h->acked = una;
	if (h->reposted < una)
		h->reposted = una;
}

/* After an import the host posts again from snd_una on, in pieces of its own. */
static void post(struct sim_host *h)
{
	struct sim *s = h->sim;

	while (h->reposted < h->posted) {
		uint32_t n = te_min(sim_between(&s->rng, 1, 100000), h->posted - h->reposted);

		h->reposted += n;
		te_post(h->conn, h->isn + h->reposted, sim_chance(&s->rng, 500), s->now);
		if (!h->move_each && sim_chance(&s->rng, 300))
			break;
	}
}

/* What follows anything that happened to the engine. */
static void settle(struct sim_host *h, unsigned int events)
{
	report(h);
	sim_trace(h->sim, "%d says %x", h->side, events);
	if (h->conn->leave) {	/* the host decides to go on */
		SIM_CHECK(h->sim, te_leave_reason(h->conn) == TOE_REASON_TIMEOUT);
		h->timeouts++;
		take_away(h);
		/* a host that wants it back early keeps it until it has moved */
		h->state.backoff = h->retries ? 0 : 5;
		h->state.probes = 0;
		return;
	}
	output(h);
	sim_trace_step(h->sim, h->side, h->conn);
	if (h->move_each) {
		take_away(h);
		give_back(h);
		post(h);
		output(h);
	} else if (sim_chance(&h->sim->rng, h->move)) {
		take_away(h);
	}
}

/* The peer's window as it stands in a segment that came in. */
static void hear(struct sim_host *h, const struct te_out *o)
{
	uint32_t edge = o->ack - h->isn + ((uint32_t)o->wnd << h->state.snd_wscale);

	h->heard_edge = (int32_t)(edge - h->heard_edge) > 0 ? edge : h->heard_edge;
}

/* Takes @p.  While the connection is moving, the card holds its frames; some are
 * lost all the same.
 */
void sim_host_segment(struct sim_host *h, struct sim_packet *p)
{
	struct te_seg seg = {
		.seq = p->h.seq,
		.ack = p->h.ack,
		.wnd = p->h.wnd,
		.flags = p->h.flags,
		.ecn = p->h.ecn,
		.opts = p->h.opts,
		.opt_len = p->h.opt_len,
		.data = p->data,
		.len = p->h.len,
	};
	unsigned int events;

	if (!h->out) {
		hear(h, &p->h);
		events = te_input(h->eng, h->conn, &seg, h->sim->now);
		free(p);
		settle(h, events);
	} else if (sim_chance(&h->sim->rng, 200)) {
		free(p);
	} else {
		sim_link_hold(h->sim->link, p, (h->back_at > h->sim->now ? h->back_at : h->sim->now) + 1);
	}
}

static void app_write(struct sim_host *h)
{
	struct sim *s = h->sim;
	uint32_t n = te_min(sim_between(&s->rng, 1, h->write_max), h->total - h->posted);

	h->posted += n;
	h->write_at = h->posted < h->total ? s->now + sim_below(&s->rng, 2 * h->write_gap + 1)
					   : TE_NEVER;
}

/* The host's part of avoiding silly windows, as kmod/ingress.c has it. */
static bool worth_telling(const struct sim_host *h)
{
	uint32_t left = h->edge - h->placed, edge = h->read + h->buf_bytes;
	uint32_t win = edge - h->placed;

	if ((int32_t)(edge - h->edge) <= 0)
		return false;
	return h->tells_all || edge - h->edge >= te_max(left / 4, win / 8);
}

/* As small as a buffer gets: a few hundred rounds for all that is to come, at the least. */
static uint32_t least_buffer(const struct sim_host *h)
{
	return te_max(te_max(2u << h->state.rcv_wscale, 512), h->peer_total / 500);
}

static void app_read(struct sim_host *h)
{
	struct sim *s = h->sim;
	uint32_t n = te_min(sim_between(&s->rng, 1, h->read_max), h->placed - h->read);

	h->read += n;
	/* SO_RCVBUF, or a lack of memory: what was given stays given. */
	if (sim_chance(&s->rng, h->shrinks))
		h->buf_bytes = te_max(h->buf_bytes / 2, least_buffer(h));
	if (worth_telling(h))
		h->edge = h->read + h->buf_bytes;
	h->read_at = h->read < h->placed ? s->now + 1 + sim_below(&s->rng, 2 * h->read_gap + 1)
					 : TE_NEVER;
	if (!h->out && n)
		te_credit(h->conn, h->peer_isn + h->edge, s->now);
}

void sim_host_step(struct sim_host *h)
{
	struct sim *s = h->sim;

	if (h->write_at <= s->now)
		app_write(h);
	if (h->read_at <= s->now)
		app_read(h);
	if (h->out) {
		if (h->back_at > s->now)
			return;
		give_back(h);
	}
	post(h);
	settle(h, te_timeout(h->eng, h->conn, s->now));
}

te_time sim_host_next(const struct sim_host *h)
{
	te_time t = h->out ? h->back_at : te_deadline(h->conn);

	if (!h->out && h->reposted < h->posted)
		return h->sim->now;
	if (h->write_at < t)
		t = h->write_at;
	if (h->read_at < t)
		t = h->read_at;
	return t;
}

int sim_host_done(const struct sim_host *h)
{
	return h->acked == h->total && h->read == h->peer_total;
}

void sim_host_drop(struct sim_host *h)
{
	if (!h->pool)
		return;
	free(h->conn);
	free(h->eng);
	free(h->pool);
}

void sim_host_finish(struct sim_host *h)
{
	if (!h->out)
		take_away(h);
	sim_host_drop(h);
}
