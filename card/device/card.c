/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The card's life and one turn of its loop.
 *
 * A turn takes in what waits (register writes, submissions, frames, timers), then
 * publishes completions, and only then lets connections build segments: an
 * acknowledgement doesn't exist before the data it acknowledges is visible to the
 * host, so that none can outlive a card that dies in between.  The bus is had or
 * not for whole turns, for the same reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "card.h"
#include "regs.h"
#include "toe.h"

/**
 * card_guest_error() - the host did something wrong
 * @c: the card
 * @what: which
 * @detail: number that goes with it
 */
void card_guest_error(struct card *c, const char *what, uint64_t detail)
{
	if (c->cfg.verbose)
		fprintf(stderr, "toecard: host: %s 0x%llx\n", what,
			(unsigned long long)detail);
}

/**
 * card_fatal() - only a reset helps
 * @c: the card
 * @why: for the log
 */
void card_fatal(struct card *c, const char *why)
{
	uint32_t status = card_shm_get(c->shm, TOE_REG_STATUS);

	if (!(status & TOE_STATUS_FATAL))
		fprintf(stderr, "toecard: fatal: %s\n", why);
	card_shm_set(c->shm, TOE_REG_STATUS, status | TOE_STATUS_FATAL);
}

/**
 * card_post() - publish a completion
 * @c: the card
 * @cq: on this ring
 * @cqe: the entry
 */
void card_post(struct card *c, struct card_cq *cq, const struct toe_cqe *cqe)
{
	if (card_cq_post(cq, cqe, c->now))
		card_fatal(c, "a completion is lost");
}

/**
 * card_pair_flush_data() - publish the DATA completion that might still grow
 * @c: the card
 * @p: the pair
 */
void card_pair_flush_data(struct card *c, struct card_pair *p)
{
	uint32_t next = (p->rq_off + CARD_RUN_ALIGN - 1) & ~(CARD_RUN_ALIGN - 1u);

	if (!p->data_valid)
		return;
	p->data_valid = false;
	/* No room for another connection's run: tell it with this one. */
	if (p->rq_valid && p->data.data.buf_id == p->rq_cur.buf_id && next >= p->rq_buf_bytes) {
		p->data.flags |= TOE_DATA_BUF_DONE;
		p->rq_valid = false;
	}
	card_post(c, &p->cq, &p->data);
}

/**
 * card_pair_post() - publish a completion of a pair
 * @c: the card
 * @p: the pair
 * @cqe: the entry
 *
 * Payload that was placed before comes first: for the order, and because the
 * slot that was free when it was placed is still its own.
 */
void card_pair_post(struct card *c, struct card_pair *p, const struct toe_cqe *cqe)
{
	card_pair_flush_data(c, p);
	card_post(c, &p->cq, cqe);
}

/**
 * card_xmit_slot() - where the next frame to send is built
 * @c: the card
 *
 * Return: CARD_WIRE_FRAME bytes, or NULL: no room now.
 */
uint8_t *card_xmit_slot(struct card *c)
{
	if ((c->features & TOE_FEATURE_LOOPBACK) &&
	    c->loop_tail - c->loop_head == CARD_LOOP_FRAMES)
		return NULL;
	return card_wire_slot(c->wire);
}

/**
 * card_xmit() - send the frame in the slot
 * @c: the card
 * @len: its bytes
 */
void card_xmit(struct card *c, uint32_t len)
{
	struct card_loop_frame *f;

	c->stats.tx_frames++;
	c->stats.tx_bytes += len;
	if (!(c->features & TOE_FEATURE_LOOPBACK)) {
		card_wire_commit(c->wire, len, c->now);
		return;
	}
	f = &c->loop[c->loop_tail % CARD_LOOP_FRAMES];
	f->data = malloc(len);
	if (!f->data)
		return;
	f->len = len;
	memcpy(f->data, card_wire_slot(c->wire), len);
	c->loop_tail++;
}

static bool loop_recv(struct card *c)
{
	unsigned int until = c->loop_tail;
	bool any = c->loop_head != until;

	while (c->loop_head != until) {
		struct card_loop_frame *f = &c->loop[c->loop_head++ % CARD_LOOP_FRAMES];

		card_rx_frame(c, f->data, f->len);
		free(f->data);
	}
	return any;
}

static void update_link(struct card *c)
{
	bool link = c->wire->link || (c->features & TOE_FEATURE_LOOPBACK);
	struct toe_cqe cqe = { .type = TOE_CQE_LINK };
	uint32_t status = card_shm_get(c->shm, TOE_REG_STATUS);

	if (link == c->link)
		return;
	c->link = link;
	card_shm_set(c->shm, TOE_REG_STATUS,
		     link ? status | TOE_STATUS_LINK : status & ~TOE_STATUS_LINK);
	if (c->enabled)
		card_post(c, &c->admin_cq, &cqe);
}

static void beat(struct card *c)
{
	uint64_t addr = (uint64_t)c->reg[TOE_REG_HEARTBEAT_HI / 4] << 32 |
			c->reg[TOE_REG_HEARTBEAT_LO / 4];
	__le32 word;

	c->heartbeat_next = c->now + TOE_HEARTBEAT_MS * 1000;
	if (!addr || c->dma.bus_off)
		return;
	/* The host looks at the heart only, so it must stop for all deaths. */
	if (card_shm_get(c->shm, TOE_REG_STATUS) & TOE_STATUS_FATAL)
		return;
	word = htole32(++c->heartbeat);
	card_dma_write(&c->dma, addr, &word, sizeof(word));
}

/* A pair that doesn't take completions blocks the wire, but not for ever. */
static bool blocked(const struct card *c, const struct card_cq *cq)
{
	return card_cq_is_held(cq) && c->now - cq->held_since < CARD_STALL_US;
}

/**
 * card_reads_wire() - does the card want frames now
 * @c: the card
 *
 * Return: false while a completion ring is full.
 */
bool card_reads_wire(struct card *c)
{
	unsigned int i;

	for (i = 0; i < c->cfg.pairs; i++)
		if (c->pair[i].active && blocked(c, &c->pair[i].cq))
			return false;
	return true;
}

static bool run_rx(void *ctx, uint8_t *frame, uint32_t len)
{
	struct card *c = ctx;

	card_rx_frame(c, frame, len);
	return card_reads_wire(c);
}

static bool run_regs(struct card *c)
{
	struct card_reg_write w;
	bool any = false;

	while (card_shm_pop(c->shm, &w)) {
		card_reg_write(c, w.off, w.val);
		any = true;
	}
	/* Doorbells only wake up: all rings are looked at in every turn. */
	if (atomic_load_explicit(&c->shm->doorbells, memory_order_relaxed))
		any |= atomic_exchange(&c->shm->doorbells, 0) != 0;
	return any;
}

static void tell_broken(struct card *c, struct card_pair *p)
{
	struct toe_cqe cqe = { .type = TOE_CQE_ERROR };

	if (p->broken_told || !(p->tx.broken || p->sq.broken || p->rx.broken || p->rq.broken))
		return;
	p->broken_told = true;
	cqe.error.reason = htole32(TOE_ST_INVAL);
	card_guest_error(c, "impossible ring index on pair", p->index);
	card_pair_post(c, p, &cqe);
}

static bool run_pairs(struct card *c)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < c->cfg.pairs; i++) {
		struct card_pair *p = &c->pair[i];

		if (!p->active || card_cq_is_held(&p->cq))
			continue;
		any |= card_toe_run(c, p);
		any |= card_tx_run(c, p);
		tell_broken(c, p);
	}
	return any;
}

/* Let the host know of the connections' frames. */
static void pair_counters(struct card_pair *p)
{
	const uint64_t val[4] = {
		p->toe_rx_frames, p->toe_rx_bytes, p->toe_tx_frames, p->toe_tx_bytes,
	};

	if (p->toe_told == val[0] + val[2])
		return;
	p->toe_told = val[0] + val[2];
	card_cq_counters(&p->cq, val);
}

/* Make everything of this turn visible, then tell the host. */
static void publish(struct card *c)
{
	unsigned int i;

	card_toe_flush(c);
	for (i = 0; i < c->cfg.pairs; i++) {
		struct card_pair *p = &c->pair[i];

		if (!p->active)
			continue;
		card_pair_flush_data(c, p);
		card_sq_publish(&p->tx);
		card_sq_publish(&p->sq);
		card_sq_publish(&p->rx);
		card_sq_publish(&p->rq);
		card_tx_report(c, p);
		pair_counters(p);
		if (card_cq_flush(&p->cq))
			c->raise(c->raise_ctx, TOE_VECTOR_PAIR(i));
	}
	if (c->enabled) {
		card_sq_publish(&c->admin_sq);
		if (card_cq_flush(&c->admin_cq))
			c->raise(c->raise_ctx, TOE_VECTOR_ADMIN);
	}
}

/* What the peer hears commits the host, which must be able to hear of it, too. */
static bool may_speak(struct card *c)
{
	return !c->dma.bus_off &&
	       !(card_shm_get(c->shm, TOE_REG_STATUS) & TOE_STATUS_FATAL);
}

/**
 * card_poll() - one turn
 * @c: the card
 * @now: us, monotonic, never 0
 *
 * Return: true if something was done, so another turn may find more.
 */
bool card_poll(struct card *c, uint64_t now)
{
	bool any = false;
	int n;

	c->now = now;
	c->dma.bus_off = !atomic_load(&c->shm->bus_master);
	any |= run_regs(c);
	update_link(c);
	if (now >= c->heartbeat_next)
		beat(c);
	if (c->enabled && !card_cq_is_held(&c->admin_cq))
		any |= card_admin_run(c);
	any |= run_pairs(c);
	any |= loop_recv(c);
	if (card_reads_wire(c)) {
		n = card_wire_recv(c->wire, run_rx, c, CARD_BATCH, now);
		any |= n > 0;
		if (n < 0)
			card_wire_set_fd(c->wire, -1, true);
	}
	card_toe_timers(c);
	publish(c);
	if (may_speak(c))
		any |= card_toe_output(c);
	if (card_wire_flush(c->wire, now) < 0)
		card_wire_set_fd(c->wire, -1, true);
	return any;
}

/**
 * card_arm() - ask for doorbells before sleeping
 * @c: the card
 *
 * Return: true if work has come in the meantime: don't sleep.
 */
bool card_arm(struct card *c)
{
	bool busy = false;
	unsigned int i;

	if (c->enabled)
		busy |= card_sq_arm(&c->admin_sq, c->admin_sq.cons) && !card_cq_is_held(&c->admin_cq);
	for (i = 0; i < c->cfg.pairs; i++) {
		struct card_pair *p = &c->pair[i];
		bool stuck = card_cq_is_held(&p->cq), ready;

		if (!p->active)
			continue;
		busy |= card_sq_arm(&p->sq, p->sq.cons) && !stuck;
		/* A run without EOP is no work yet; a full wire wakes us by itself. */
		ready = card_tx_ready(p);
		busy |= (card_sq_arm(&p->tx, ready ? p->tx.cons : p->tx.prod) || ready) &&
			!stuck && card_wire_room(c->wire);
	}
	return busy || c->loop_head != c->loop_tail ||
	       (card_reads_wire(c) && card_wire_rx_pending(c->wire, c->now));
}

/**
 * card_deadline() - when the next turn is due without an event
 * @c: the card
 *
 * Return: us.
 */
uint64_t card_deadline(struct card *c)
{
	uint64_t when = c->heartbeat_next, t = card_wire_deadline(c->wire);
	unsigned int i;

	when = t < when ? t : when;
	t = card_toe_deadline(c);
	when = t < when ? t : when;
	/* The host gives completion slots back without a doorbell: look again soon. */
	for (i = 0; i <= c->cfg.pairs; i++) {
		const struct card_cq *cq = i ? &c->pair[i - 1].cq : &c->admin_cq;

		if (card_cq_is_held(cq) && c->now + 100 < when)
			when = c->now + 100;
	}
	return when;
}

/**
 * card_init() - a card just out of reset
 * @c: zeroed memory
 * @cfg: configuration
 * @shm: registers
 * @wire: frames
 *
 * The caller sets @c->raise before the first turn.
 * Return: 0, -1: no memory.
 */
int card_init(struct card *c, const struct card_config *cfg, struct card_shm *shm,
	      struct card_wire *wire)
{
	c->cfg = *cfg;
	c->shm = shm;
	c->wire = wire;
	c->mtu = 1500;
	memcpy(c->mac, cfg->mac, 6);
	c->toe = card_toe_create(c);
	if (!c->toe)
		return -1;
	card_regs_init(shm, cfg);
	card_shm_set(shm, TOE_REG_STATUS, TOE_STATUS_READY);
	return 0;
}

/**
 * card_uninit() - free everything
 * @c: the card
 */
void card_uninit(struct card *c)
{
	unsigned int i;

	for (i = 0; i < TOE_MAX_PAIRS; i++)
		card_pair_destroy(c, &c->pair[i]);
	card_cq_uninit(&c->admin_cq);
	card_toe_destroy(c);
	while (c->loop_head != c->loop_tail)
		free(c->loop[c->loop_head++ % CARD_LOOP_FRAMES].data);
	card_dma_uninit(&c->dma);
}
