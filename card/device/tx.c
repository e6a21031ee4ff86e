/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* TX rings: gather a frame, checksum, VLAN tag, segmentation, wire. */
#include <string.h>
#include "card.h"

#define VLAN_BYTES	4
#define ETH_MACS	12

/* Descriptors of the next frame: their number, 0: not whole yet, -1: malformed. */
static int find_run(struct card_pair *p, struct toe_txd *d)
{
	uint64_t bytes = 0;
	bool bad = false;
	int n;

	for (n = 0; n < TOE_TXD_MAX_FRAGS; n++) {
		/* A full ring without EOP will never get one. */
		if (!card_sq_peek(&p->tx, n, &d[n]))
			return (uint32_t)n == p->tx.size ? -1 : 0;
		bytes += le32toh(d[n].len);
		bad |= !d[n].len;
		if (d[n].flags & TOE_TXD_EOP)
			return bad || bytes > TOE_TXD_MAX_BYTES ? -1 : n + 1;
	}
	return -1;
}

static void bad_frame(struct card *c, struct card_pair *p, uint32_t status)
{
	struct toe_cqe cqe = { .type = TOE_CQE_ERROR };

	c->stats.tx_bad_desc++;
	card_guest_error(c, "bad TX descriptor at index", p->tx.cons);
	cqe.error.reason = htole32(status);
	card_pair_post(c, p, &cqe);
	p->txs.len = 0;
	p->txs.done = p->tx.cons;
}

/* Drop descriptors up to the frame's end; false: the end isn't there yet. */
static bool skip_frame(struct card_pair *p)
{
	struct toe_txd d;

	while (card_sq_pop(&p->tx, &d)) {
		if (d.flags & TOE_TXD_EOP) {
			p->txs.skip = false;
			break;
		}
	}
	p->txs.done = p->tx.cons;
	return !p->txs.skip;
}

static int gather(struct card *c, struct card_tx *tx, const struct toe_txd *d, int n)
{
	uint8_t *to = tx->buf;
	int i;

	for (i = 0; i < n; i++) {
		uint32_t len = le32toh(d[i].len);

		if (card_dma_read(&c->dma, to, le64toh(d[i].addr), len))
			return -1;
		to += len;
	}
	tx->len = to - tx->buf;
	tx->desc = d[0];
	tx->off = 0;
	return 0;
}

static bool checksum(struct card_tx *tx)
{
	uint32_t start = le16toh(tx->desc.csum_start);
	uint32_t at = start + le16toh(tx->desc.csum_offset);
	uint16_t csum;

	if (start >= tx->len || at + 2 > tx->len)
		return false;
	csum = card_csum_fold(card_csum_add(0, tx->buf + start, tx->len - start));
	/* Zero means «none» in UDP; its other representation is right for all. */
	card_put16(tx->buf + at, csum ? csum : 0xffff);
	return true;
}

static void insert_vlan(struct card_tx *tx)
{
	memmove(tx->buf + ETH_MACS + VLAN_BYTES, tx->buf + ETH_MACS, tx->len - ETH_MACS);
	card_put16(tx->buf + ETH_MACS, CARD_ETH_VLAN);
	card_put16(tx->buf + ETH_MACS + 2, le16toh(tx->desc.vlan_tci));
	tx->len += VLAN_BYTES;
	tx->desc.l3_off = htole16(le16toh(tx->desc.l3_off) + VLAN_BYTES);
	tx->desc.l4_off = htole16(le16toh(tx->desc.l4_off) + VLAN_BYTES);
}

/* Do what the descriptor asks for and check that the result can be sent. */
static bool prepare(struct card_tx *tx)
{
	uint8_t flags = tx->desc.flags;

	if (tx->len < 14)
		return false;
	if (!(flags & TOE_TXD_TSO) && (flags & TOE_TXD_CSUM) && !checksum(tx))
		return false;
	if (flags & TOE_TXD_VLAN)
		insert_vlan(tx);
	if (flags & TOE_TXD_TSO)
		return card_tso_valid(tx);
	return tx->len <= CARD_MAX_MTU + 14 + 2 * VLAN_BYTES;
}

/* Take the next frame from the ring.  False: there is none (yet). */
static bool fetch(struct card *c, struct card_pair *p)
{
	struct toe_txd d[TOE_TXD_MAX_FRAGS];
	int n = p->txs.skip ? -1 : find_run(p, d);

	if (!n)
		return false;
	if (n < 0) {
		if (!p->txs.skip)
			bad_frame(c, p, TOE_ST_INVAL);
		p->txs.skip = true;
		return skip_frame(p);
	}
	p->tx.cons += n;
	if (gather(c, &p->txs, d, n))
		bad_frame(c, p, TOE_ST_DMA);
	else if (!prepare(&p->txs))
		bad_frame(c, p, TOE_ST_INVAL);
	return true;
}

/* Send what the wire takes of the current frame.  False: it takes no more. */
static bool emit(struct card *c, struct card_pair *p)
{
	struct card_tx *tx = &p->txs;
	bool last = true;
	uint8_t *slot;
	uint32_t len;

	do {
		slot = card_xmit_slot(c);
		if (!slot)
			return false;
		len = tx->len;
		if (tx->desc.flags & TOE_TXD_TSO)
			len = card_tso_next(tx, slot, &last);
		else
			memcpy(slot, tx->buf, len);
		card_xmit(c, len);
	} while (!last);
	tx->len = 0;
	tx->done = p->tx.cons;
	return true;
}

/**
 * card_tx_run() - send frames
 * @c: the card
 * @p: of this pair
 *
 * Return: true if something was sent or dropped.
 */
bool card_tx_run(struct card *c, struct card_pair *p)
{
	bool any = false;
	int budget;

	for (budget = CARD_BATCH; budget && !card_cq_is_held(&p->cq); budget--) {
		if (!p->txs.len && !fetch(c, p))
			break;
		if (p->txs.len && !emit(c, p))
			break;
		any = true;
	}
	return any;
}

/**
 * card_tx_ready() - could card_tx_run() do something if the wire had room
 * @p: the pair
 *
 * Return: true if a frame or the rest of one waits.
 */
bool card_tx_ready(struct card_pair *p)
{
	struct toe_txd d[TOE_TXD_MAX_FRAGS];

	if (p->txs.len)
		return true;
	if (p->txs.skip)
		return card_sq_pending(&p->tx) != 0;
	return find_run(p, d) != 0;
}

/**
 * card_tx_report() - tell the host which TX memory is free again
 * @c: the card
 * @p: the pair
 */
void card_tx_report(struct card *c, struct card_pair *p)
{
	struct toe_cqe cqe = { .type = TOE_CQE_TX };

	if (p->txs.done == p->txs.reported || card_cq_is_held(&p->cq))
		return;
	p->txs.reported = p->txs.done;
	cqe.tx.cons = htole32(p->txs.done);
	card_pair_post(c, p, &cqe);
}
