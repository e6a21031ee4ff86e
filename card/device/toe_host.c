/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The TOE towards the host: payload into its buffers, events, statistics, and
 * giving a connection back.
 */
#include <string.h>
#include "toe_ctx.h"

/* The buffer at hand is finished. */
static void give_back(struct card *c, struct card_pair *p)
{
	struct toe_cqe cqe = { .type = TOE_CQE_DATA, .flags = TOE_DATA_BUF_DONE };

	p->rq_valid = false;
	/* The run that ends in this buffer can carry the news. */
	if (p->data_valid && p->data.data.buf_id == p->rq_cur.buf_id) {
		p->data.flags |= TOE_DATA_BUF_DONE;
		return;
	}
	cqe.data.buf_id = p->rq_cur.buf_id;
	cqe.data.offset = htole32(p->rq_off);
	card_pair_post(c, p, &cqe);
}

/* Do these bytes go right behind the last ones that were placed? */
static bool adjacent(const struct card_pair *p, const struct toe_ctx *x, uint32_t seq)
{
	const struct toe_cqe_data *d = &p->data.data;

	return p->rq_valid && le32toh(d->tid) == x->tid && d->buf_id == p->rq_cur.buf_id &&
	       le32toh(d->seq) + le32toh(d->len) == seq &&
	       le32toh(d->offset) + le32toh(d->len) == p->rq_off;
}

/* Is there a buffer with room for a new run, and a slot for its completion? */
static bool run_room(struct card *c, struct card_pair *p, const struct toe_ctx *x, uint32_t seq)
{
	card_pair_flush_data(c, p);
	if (!card_cq_room(&p->cq))
		return false;
	if (p->rq_valid) {
		/* A stream that goes on stays in one piece of memory. */
		if (!adjacent(p, x, seq))
			p->rq_off = (p->rq_off + CARD_RUN_ALIGN - 1) & ~(CARD_RUN_ALIGN - 1u);
		return true;
	}
	if (!card_sq_pop(&p->rq, &p->rq_cur))
		return false;
	p->rq_off = 0;
	p->rq_valid = true;
	return true;
}

static void run_start(struct card_pair *p, const struct toe_ctx *x, uint32_t seq)
{
	memset(&p->data, 0, sizeof(p->data));
	p->data.type = TOE_CQE_DATA;
	p->data.data.tid = htole32(x->tid);
	p->data.data.host_id = htole32(x->host_id);
	p->data.data.buf_id = p->rq_cur.buf_id;
	p->data.data.offset = htole32(p->rq_off);
	p->data.data.seq = htole32(seq);
}

/**
 * toe_host_place() - the engine's way to put payload into host memory
 * @ctx: the TOE
 * @conn: the connection
 * @seq: of the first byte
 * @data: payload
 * @len: bytes
 * @push: PSH was seen
 *
 * The completion may stay open for more of the same until it's published, which
 * is before anything is transmitted; its slot in the ring is free already.
 * Return: bytes placed.
 */
uint32_t toe_host_place(void *ctx, struct te_conn *conn, uint32_t seq,
			const uint8_t *data, uint32_t len, bool push)
{
	struct card_toe *t = ctx;
	struct toe_ctx *x = toe_ctx_by_conn(t, conn);
	struct card_pair *p = x->pair;
	struct card *c = t->card;
	uint32_t done = 0, n;

	while (done < len) {
		bool more = p->data_valid && adjacent(p, x, seq + done);

		if (!more && !run_room(c, p, x, seq + done))
			break;
		n = p->rq_buf_bytes - p->rq_off;
		n = n < len - done ? n : len - done;
		if (card_dma_write(&c->dma, le64toh(p->rq_cur.addr) + p->rq_off,
				   data + done, n)) {
			give_back(c, p);
			break;
		}
		if (!more)
			run_start(p, x, seq + done);
		p->data_valid = true;
		p->data.data.len = htole32(le32toh(p->data.data.len) + n);
		p->rq_off += n;
		done += n;
		if (p->rq_off == p->rq_buf_bytes)
			give_back(c, p);
	}
	if (done && push && done == len)
		p->data.flags |= TOE_DATA_PUSH;
	if (done < len)
		c->stats.toe_no_buffer++;
	c->stats.toe_rx_bytes += done;
	return done;
}

/**
 * toe_host_push() - placed data ended with PSH
 * @t: the TOE
 * @x: active context
 */
void toe_host_push(struct card_toe *t, struct toe_ctx *x)
{
	struct card_pair *p = x->pair;

	(void)t;
	if (p->data_valid && le32toh(p->data.data.tid) == x->tid)
		p->data.flags |= TOE_DATA_PUSH;
}

/**
 * toe_host_acked() - tell how far the peer has acknowledged
 * @t: the TOE
 * @x: active context
 */
void toe_host_acked(struct card_toe *t, struct toe_ctx *x)
{
	struct toe_cqe cqe = { .type = TOE_CQE_ACKED };

	if (!x->acked_pending)
		return;
	x->acked_pending = false;
	TAILQ_REMOVE(&t->acked, x, acked_entry);
	cqe.acked.tid = htole32(x->tid);
	cqe.acked.host_id = htole32(x->host_id);
	cqe.acked.snd_una = htole32(te_snd_una(x->conn));
	cqe.acked.snd_wnd = htole32(te_snd_wnd(x->conn));
	cqe.acked.srtt_us = htole32(te_srtt_us(x->conn));
	card_pair_post(t->card, x->pair, &cqe);
}

/**
 * toe_host_count_rx() - a frame was the engine's, and stays here
 * @x: active context
 * @pkt: the frame
 */
void toe_host_count_rx(struct toe_ctx *x, const struct card_packet *pkt)
{
	struct card_pair *p = x->pair;

	x->ip_bytes_in += pkt->end - pkt->l3;
	p->toe_rx_frames++;
	p->toe_rx_bytes += pkt->len - (pkt->vlan ? 4 : 0);
}

/**
 * toe_host_count_tx() - a frame of the engine's is sent
 * @x: active context
 * @bytes: of the IP packet
 */
void toe_host_count_tx(struct toe_ctx *x, uint32_t bytes)
{
	struct card_pair *p = x->pair;

	x->ip_bytes_out += bytes;
	p->toe_tx_frames++;
	p->toe_tx_bytes += bytes + 14;
}

/**
 * toe_host_write_stats() - bring the state block's statistics up to date
 * @t: the TOE
 * @x: active context
 *
 * Return: 0, or -1: the block can't be reached.
 */
int toe_host_write_stats(struct card_toe *t, struct toe_ctx *x)
{
	uint64_t addr = x->block + offsetof(struct toe_conn_block, stats);
	struct toe_conn_stats st;

	if (x->dirty) {
		x->dirty = false;
		TAILQ_REMOVE(&t->dirty, x, dirty_entry);
	}
	te_stats(x->conn, &st, t->card->now);
	st.csum_errs = htole32(x->csum_errs);
	st.ip_bytes_in = htole64(x->ip_bytes_in);
	st.ip_bytes_out = htole64(x->ip_bytes_out);
	return card_dma_write(&t->card->dma, addr, &st, x->stats_bytes) ? -1 : 0;
}

/* MIN_TCP_T as it is now.  The L2 and IP fields are the TOE's, not the engine's. */
static int write_state(struct card_toe *t, struct toe_ctx *x)
{
	struct min_tcp st = x->l2;

	te_export(x->conn, &st, t->card->now);
	st.ttl = x->l2.ttl;
	st.tos = x->l2.tos;
	memcpy(st.rmac, x->l2.rmac, sizeof(st.rmac));
	return card_dma_write(&t->card->dma, x->block, &st, sizeof(st)) ? -1 : 0;
}

/**
 * toe_host_recalled() - give an active connection back; its context is free after it
 * @t: the TOE
 * @x: active context
 * @reason: TOE_REASON_*
 */
void toe_host_recalled(struct card_toe *t, struct toe_ctx *x, uint32_t reason)
{
	struct toe_cqe cqe = { .type = TOE_CQE_RECALLED };

	toe_host_acked(t, x);
	if (toe_host_write_stats(t, x) || write_state(t, x))
		reason = TOE_REASON_DMA;
	cqe.recalled.tid = htole32(x->tid);
	cqe.recalled.host_id = htole32(x->host_id);
	cqe.recalled.reason = htole32(reason);
	card_pair_post(t->card, x->pair, &cqe);
	toe_ctx_free(t, x);
}

/**
 * toe_host_leave() - the card can't go on with a connection
 * @t: the TOE
 * @x: active context; free after it
 * @reason: TOE_REASON_*
 * @pkt: the frame that is the reason, goes up behind the RECALLED; or NULL
 */
void toe_host_leave(struct card_toe *t, struct toe_ctx *x, uint32_t reason,
		    const struct card_packet *pkt)
{
	struct toe_cqe cqe = { .type = TOE_CQE_CLOSING };
	struct card_pair *p = x->pair;
	uint32_t tid = x->tid;

	toe_host_acked(t, x);
	cqe.closing.tid = htole32(tid);
	cqe.closing.host_id = htole32(x->host_id);
	cqe.closing.reason = htole32(reason);
	card_pair_post(t->card, p, &cqe);
	toe_host_recalled(t, x, reason);
	if (pkt)
		card_rx_deliver(t->card, p, pkt, tid);
}
