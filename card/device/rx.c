/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Received frames: address filter, steering, scatter over RX buffers. */
#include <string.h>
#include "card.h"
#include "toe.h"

#define ETH_MACS	12
#define VLAN_BYTES	4
#define MAX_PARTS	8	/* CARD_WIRE_FRAME over the smallest RX buffers */

/**
 * card_rx_is_ours() - is the frame addressed to the station
 * @c: the card
 * @frame: from the Ethernet header on
 *
 * Return: true if its destination is the station address.
 */
bool card_rx_is_ours(const struct card *c, const uint8_t *frame)
{
	return !memcmp(frame, c->mac, 6);
}

static bool wanted(const struct card *c, const uint8_t *frame)
{
	static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };
	unsigned int i;

	if ((c->rx_mode & TOE_RX_MODE_PROMISC) || card_rx_is_ours(c, frame) ||
	    !memcmp(frame, broadcast, 6))
		return true;
	if ((frame[0] & 1) && (c->rx_mode & TOE_RX_MODE_ALLMULTI))
		return true;
	for (i = 0; i < c->mac_count; i++)
		if (!memcmp(frame, c->macs[i], 6))
			return true;
	return false;
}

/**
 * card_rx_steer() - which pair gets frames of a hash
 * @c: the card
 * @hash: Toeplitz, 0 for frames without one
 *
 * Return: an active pair, or NULL if there is none.
 */
struct card_pair *card_rx_steer(struct card *c, uint32_t hash)
{
	struct card_pair *p = &c->pair[c->rss.indir[hash & (TOE_RSS_INDIR - 1)]];
	unsigned int i;

	if (p->active)
		return p;
	for (i = 0; i < c->cfg.pairs; i++)
		if (c->pair[i].active)
			return &c->pair[i];
	return NULL;
}

/* Copy @len bytes at @off of the frame as the host will see it, tag taken out. */
static int copy_part(struct card *c, const struct card_packet *pkt, bool strip,
		     uint64_t addr, uint32_t off, uint32_t len)
{
	uint32_t n = 0;

	if (strip && off < ETH_MACS) {
		n = len < ETH_MACS - off ? len : ETH_MACS - off;
		if (card_dma_write(&c->dma, addr, pkt->frame + off, n))
			return -1;
		addr += n;
		off += n;
		len -= n;
	}
	if (!len)
		return 0;
	return card_dma_write(&c->dma, addr, pkt->frame + off + (strip ? VLAN_BYTES : 0), len);
}

static uint8_t rx_flags(const struct card *c, const struct card_packet *pkt, bool strip)
{
	uint8_t flags = pkt->hash_flags;

	if (pkt->csum_ok && (c->features & TOE_FEATURE_RXCSUM))
		flags |= TOE_RX_CSUM_OK;
	if (strip)
		flags |= TOE_RX_VLAN;
	return flags;
}

/* RX memory was unreachable: the buffers are lost, and so is the frame. */
static void post_dma_error(struct card *c, struct card_pair *p)
{
	struct toe_cqe cqe = { .type = TOE_CQE_ERROR };

	cqe.error.reason = htole32(TOE_ST_DMA);
	card_pair_post(c, p, &cqe);
}

static uint32_t parts_of(const struct card_pair *p, uint32_t len)
{
	return (len + p->rx_buf_bytes - 1) / p->rx_buf_bytes;
}

/*
 * Put @len bytes into RX buffers, which are there, and complete them with @cqe.
 * False: memory can't be reached; the frame is lost.
 */
static bool scatter(struct card *c, struct card_pair *p, const struct card_packet *pkt,
		    bool strip, uint32_t len, struct toe_cqe *cqe)
{
	uint32_t parts = parts_of(p, len), off, i;
	__le32 id[MAX_PARTS];
	struct toe_rxd buf;

	for (off = 0, i = 0; i < parts; off += p->rx_buf_bytes, i++) {
		uint32_t n = len - off < p->rx_buf_bytes ? len - off : p->rx_buf_bytes;

		if (!card_sq_pop(&p->rx, &buf) ||
		    copy_part(c, pkt, strip, le64toh(buf.addr), off, n)) {
			post_dma_error(c, p);
			return false;
		}
		id[i] = buf.buf_id;
	}
	for (off = 0, i = 0; i < parts; off += p->rx_buf_bytes, i++) {
		cqe->rx.buf_id = id[i];
		cqe->rx.len = htole32(i + 1 < parts ? p->rx_buf_bytes : len - off);
		if (i + 1 == parts)
			cqe->flags |= TOE_RX_EOP;
		card_post(c, &p->cq, cqe);
	}
	return true;
}

/**
 * card_rx_deliver() - put a frame into a pair's RX buffers
 * @c: the card
 * @p: the pair
 * @pkt: the frame, parsed
 * @tid: goes into the completion
 */
void card_rx_deliver(struct card *c, struct card_pair *p, const struct card_packet *pkt,
		     uint32_t tid)
{
	bool strip = pkt->vlan && (c->features & TOE_FEATURE_VLAN_STRIP);
	uint32_t len = pkt->len - (strip ? VLAN_BYTES : 0), parts = parts_of(p, len);
	struct toe_cqe cqe = { .type = TOE_CQE_RX, .flags = rx_flags(c, pkt, strip) };
	struct toe_rxd buf;

	if (parts > MAX_PARTS || !card_sq_peek(&p->rx, parts - 1, &buf) ||
	    (card_cq_is_held(&p->cq) && c->now - p->cq.held_since >= CARD_STALL_US)) {
		c->stats.rx_no_buffer++;
		return;
	}
	cqe.rx.hash = htole32(pkt->hash);
	cqe.rx.tid = htole32(tid);
	cqe.rx.vlan_tci = htole16(strip ? pkt->vlan_tci : 0);
	card_pair_flush_data(c, p);
	scatter(c, p, pkt, strip, len, &cqe);
}

/* Room for a copy, with half of the buffers and enough completions left for others? */
static bool mirror_room(struct card_pair *p, uint32_t parts)
{
	uint32_t want = p->rx.size / 2 + parts;

	/* The host's index is loaded only if what is known doesn't do. */
	if (p->rx.prod - p->rx.cons < want && card_sq_seen(&p->rx) - p->rx.cons < want)
		return false;
	return card_cq_room(&p->cq) > p->cq.size / 4 + parts;
}

/**
 * card_rx_mirror() - copy a connection's frame to the host, for taps
 * @c: the card; TOE_FEATURE_MIRROR is set
 * @p: the connection's pair
 * @pkt: the frame, parsed
 * @tid: of the connection
 * @flags: TOE_RX_SENT or 0
 *
 * Payload that is placed and not told yet may still grow: its completion may
 * come behind the copy of the segment that brought it.
 */
void card_rx_mirror(struct card *c, struct card_pair *p, const struct card_packet *pkt,
		    uint32_t tid, uint8_t flags)
{
	struct toe_cqe cqe = { .type = TOE_CQE_MIRROR, .flags = flags };
	uint32_t len = pkt->len, parts;

	if (!(c->features & TOE_FEATURE_MIRROR_ALL))
		len = pkt->l4 + (pkt->frame[pkt->l4 + 12] >> 4) * 4;
	parts = parts_of(p, len);
	cqe.rx.tid = htole32(tid);
	if (parts <= MAX_PARTS && mirror_room(p, parts) && scatter(c, p, pkt, false, len, &cqe))
		c->stats.toe_mirrored++;
	else
		c->stats.toe_mirror_lost++;
}

/**
 * card_rx_up() - hand a frame to the host's stack
 * @c: the card
 * @p: on this pair, NULL: where its hash steers it
 * @pkt: the frame, parsed
 */
void card_rx_up(struct card *c, struct card_pair *p, const struct card_packet *pkt)
{
	if (!p || !p->active)
		p = card_rx_steer(c, pkt->hash);
	if (!wanted(c, pkt->frame) || !p) {
		c->stats.rx_filtered++;
		return;
	}
	card_rx_deliver(c, p, pkt, 0);
}

/**
 * card_rx_frame() - a frame has come in
 * @c: the card
 * @frame: valid during the call
 * @len: bytes
 *
 * Return: true.
 */
bool card_rx_frame(struct card *c, uint8_t *frame, uint32_t len)
{
	struct card_packet pkt;

	c->stats.rx_frames++;
	c->stats.rx_bytes += len;
	card_packet_parse(&pkt, frame, len);
	if (len < 14 || len > c->mtu + 14 + (pkt.vlan ? VLAN_BYTES : 0)) {
		c->stats.rx_oversize++;
		return true;
	}
	card_packet_verify(&pkt);
	card_rss_packet(c->rss.key, &pkt);
	if (pkt.csum_bad)
		c->stats.rx_csum_bad++;
	if (!card_toe_rx(c, &pkt))
		card_rx_up(c, NULL, &pkt);
	return true;
}
