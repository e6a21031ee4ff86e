/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * One connection of the engine and what the input says of its peer, its host and
 * the clock.  The engine's invariants are those of the simulator.
 */
#include <string.h>
#include "../sim/sim.h"
#include "fuzz.h"

#define POOL_BYTES	65536

struct traffic {
	struct sim sim;
	struct sim_slot slot;
	struct te_engine eng;
	struct fuzz_input *in;
	uint32_t refuse;
	uint32_t next;		/* what place() has to get next */
	_Alignas(64) uint8_t pool[POOL_BYTES];
};

static uint32_t place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
		      uint32_t len, bool push)
{
	struct traffic *t = ctx;
	uint32_t n = len;
	uint8_t sum = 0;

	(void)push;
	SIM_CHECK(&t->sim, c == &t->slot.conn && len && seq == t->next);
	SIM_CHECK(&t->sim, seq_le(seq + len, c->rcv_adv));
	for (uint32_t i = 0; i < len; i++)	/* all of it is there */
		sum ^= data[i];
	if (t->refuse) {
		n = t->refuse + sum % 2 > len ? 0 : len - t->refuse;
		t->refuse--;
	}
	t->next += n;
	return n;
}

static const struct te_ops ops = {
	.place	= place,
};

/* Mostly near what is valid: a plain random number hardly ever is. */
static uint32_t near(struct fuzz_input *in, uint32_t base)
{
	uint32_t how = fuzz_take(in, 1);

	if (how < 200)
		return base + (int8_t)how;
	return how < 250 ? base + (int16_t)fuzz_take(in, 2) : fuzz_take(in, 4);
}

static void segment(struct traffic *t)
{
	static uint8_t zero[65536];
	struct te_conn *c = &t->slot.conn;
	struct fuzz_input *in = t->in;
	uint8_t opts[40], *data;
	struct te_seg seg = { .opts = opts };

	seg.flags = (uint8_t)fuzz_take(in, 1);
	if (seg.flags & 0x80)	/* else most segments would end the connection */
		seg.flags = TE_ACK | (seg.flags & (TE_PSH | TE_ECE));
	seg.seq = near(in, c->rcv_nxt);
	seg.ack = near(in, fuzz_take(in, 1) & 1 ? c->snd_una : c->snd_max);
	seg.wnd = (uint16_t)fuzz_take(in, 2);
	seg.ecn = fuzz_take(in, 1) & 3;
	seg.opt_len = fuzz_take(in, 1) % 41;
	fuzz_take_into(in, opts, seg.opt_len);
	/* SACK blocks that mean something: offsets instead of numbers */
	if (seg.opt_len >= 20 && opts[0] == 5) {
		opts[1] = 18;
		for (int i = 2; i < 18; i += 4) {
			uint32_t v = c->snd_una + (opts[i] << 8 | opts[i + 1]);

			opts[i] = (uint8_t)(v >> 24);
			opts[i + 1] = (uint8_t)(v >> 16);
			opts[i + 2] = (uint8_t)(v >> 8);
			opts[i + 3] = (uint8_t)v;
		}
	}
	seg.len = fuzz_take(in, 2);
	data = malloc(seg.len ? seg.len : 1);	/* its end is a fence */
	memcpy(data, zero, seg.len);
	seg.data = data;
	te_input(&t->eng, c, &seg, t->sim.now);
	free(data);
}

static void output(struct traffic *t, uint32_t most)
{
	struct te_conn *c = &t->slot.conn;
	struct sim *s = &t->sim;
	struct te_out o;

	while (most-- && te_output(&t->eng, c, &o, s->now)) {
		SIM_CHECK(s, o.opt_len <= 40 && o.opt_len % 4 == 0 && o.len <= c->mss);
		SIM_CHECK(s, !o.len || (seq_ge(o.seq, c->snd_una) &&
					seq_le(o.seq + o.len, c->posted) &&
					seq_le(o.seq + o.len, c->snd_max)));
		SIM_CHECK(s, seq_le(o.ack + ((uint32_t)o.wnd << c->rcv_wscale), c->rcv_credit));
	}
}

static void act(struct traffic *t)
{
	struct te_conn *c = &t->slot.conn;
	struct fuzz_input *in = t->in;
	struct toe_cmd_set_params p;
	struct toe_conn_stats st;
	te_time due;

	switch (fuzz_take(in, 1) & 15) {
	case 0:
		te_post(c, c->posted + fuzz_take(in, 2), fuzz_take(in, 1) & 1, t->sim.now);
		break;
	case 1:
		te_post(c, near(in, c->posted), false, t->sim.now);
		break;
	case 2:
		te_credit(c, near(in, c->rcv_credit), t->sim.now);
		break;
	case 3:
		t->sim.now += (te_time)fuzz_take(in, 2) << (fuzz_take(in, 1) & 31);
		break;
	case 4:
		due = te_deadline(c);
		t->sim.now = due != TE_NEVER && due > t->sim.now ? due : t->sim.now;
		te_timeout(&t->eng, c, t->sim.now);
		break;
	case 5:
		fuzz_take_into(in, &p, sizeof(p));
		te_set_params(c, &p, t->sim.now);
		break;
	case 6:
		t->refuse = fuzz_take(in, 1);
		break;
	case 7:
		te_stats(c, &st, t->sim.now);
		break;
	case 8:
	case 9:
	case 10:
		output(t, 1 + fuzz_take(in, 1));
		break;
	default:
		segment(t);
	}
}

/* The connection's state goes out and in again, and gives all memory back. */
static void leave(struct traffic *t)
{
	struct te_conn *c = &t->slot.conn;
	struct min_tcp st;

	te_export(c, &st, t->sim.now);
	te_release(&t->eng, c);
	SIM_CHECK(&t->sim, !t->eng.blocks_used && !t->eng.runs_used);
	SIM_CHECK(&t->sim, !te_import(&t->eng, c, &st, t->sim.now));
	te_release(&t->eng, c);
}

/**
 * fuzz_traffic() - import a state and do what the input says
 * @st: untrusted
 * @in: the acts
 */
void fuzz_traffic(const struct min_tcp *st, struct fuzz_input *in)
{
	static struct traffic t;
	struct sim_host *h = &t.sim.host[0];
	struct te_config cfg = {
		.ops = &ops, .ctx = &t, .pool = t.pool, .pool_bytes = POOL_BYTES,
		.conn_pool_bytes = POOL_BYTES / 2, .seed = 1,
	};

	memset(&t, 0, offsetof(struct traffic, pool));
	t.in = in;
	t.sim.now = 1 + fuzz_take(in, 4);
	h->sim = &t.sim;
	h->eng = &t.eng;
	h->conn = &t.slot.conn;
	h->out = 1;	/* check.c: the timer rule needs an honest caller */
	te_engine_init(&t.eng, &cfg);
	if (te_import(&t.eng, h->conn, st, t.sim.now))
		return;
	t.next = h->conn->rcv_nxt;
	sim_check_conn(h);
	while (in->left && !h->conn->leave) {
		act(&t);
		sim_check_conn(h);
	}
	leave(&t);
}
