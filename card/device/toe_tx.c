/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Segments of connections: headers around what the engine wants to send. */
#include <string.h>
#include "toe.h"
#include "toe_ctx.h"

#define TCP_BYTES	20
#define ECN_MASK	0x03
#define IP_DF		0x4000

static uint32_t put_eth(const struct min_tcp *l2, uint8_t *p)
{
	uint32_t n = 12;

	memcpy(p, l2->rmac, 6);
	memcpy(p + 6, l2->lmac, 6);
	if (l2->flags & TOE_MT_VLAN) {
		card_put16(p + n, CARD_ETH_VLAN);
		card_put16(p + n + 2, le16toh(l2->vlan_tci));
		n += 4;
	}
	card_put16(p + n, l2->family == 4 ? CARD_ETH_IPV4 : CARD_ETH_IPV6);
	return n + 2;
}

/* @len: bytes of TCP header and payload. */
static uint32_t put_ipv4(struct toe_ctx *x, uint8_t ecn, uint32_t len, uint8_t *p)
{
	p[0] = 0x45;
	p[1] = (x->l2.tos & ~ECN_MASK) | ecn;
	card_put16(p + 2, 20 + len);
	card_put16(p + 4, x->ip_id++);
	card_put16(p + 6, IP_DF);
	p[8] = x->l2.ttl;
	p[9] = CARD_IP_TCP;
	card_put16(p + 10, 0);
	memcpy(p + 12, x->l2.laddr, 4);
	memcpy(p + 16, x->l2.raddr, 4);
	card_put16(p + 10, card_csum_fold(card_csum_add(0, p, 20)));
	return 20;
}

static uint32_t put_ipv6(const struct toe_ctx *x, uint8_t ecn, uint32_t len, uint8_t *p)
{
	uint32_t class = (x->l2.tos & ~ECN_MASK) | ecn;

	card_put32(p, UINT32_C(6) << 28 | class << 20 |
		   (le32toh(x->l2.flow_label) & 0xfffff));
	card_put16(p + 4, len);
	p[6] = CARD_IP_TCP;
	p[7] = x->l2.ttl;
	memcpy(p + 8, x->l2.laddr, 16);
	memcpy(p + 24, x->l2.raddr, 16);
	return 40;
}

/* Everything but the checksum; bytes of header. */
static uint32_t put_tcp(const struct toe_ctx *x, const struct te_out *out, uint8_t *p)
{
	uint32_t bytes = TCP_BYTES + out->opt_len;

	memcpy(p, &x->l2.lport, 2);
	memcpy(p + 2, &x->l2.rport, 2);
	card_put32(p + 4, out->seq);
	card_put32(p + 8, out->ack);
	p[12] = bytes / 4 << 4;
	p[13] = out->flags;
	card_put16(p + 14, out->wnd);
	card_put32(p + 16, 0);
	memcpy(p + TCP_BYTES, out->opts, out->opt_len);
	return bytes;
}

/* Build the frame in @slot.  Its bytes, or 0: payload can't be reached. */
static uint32_t build(struct card_toe *t, struct toe_ctx *x, const struct te_out *out,
		      uint8_t *slot)
{
	uint32_t len = TCP_BYTES + out->opt_len + out->len, alen = x->l2.family == 4 ? 4 : 16;
	uint32_t at = put_eth(&x->l2, slot), hdr;
	uint8_t *tcp;
	uint64_t sum;

	if (x->l2.family == 4)
		at += put_ipv4(x, out->ecn, len, slot + at);
	else
		at += put_ipv6(x, out->ecn, len, slot + at);
	if (at + len > CARD_WIRE_FRAME)
		return 0;
	tcp = slot + at;
	hdr = put_tcp(x, out, tcp);
	if (toe_frag_gather(t, x, out->seq, tcp + hdr, out->len))
		return 0;
	sum = card_csum_pseudo(x->l2.family, tcp - 2 * alen, tcp - alen, CARD_IP_TCP, len);
	card_put16(tcp + 16, card_csum_fold(card_csum_add(sum, tcp, len)));
	return at + len;
}

/* A copy of the frame in @slot for the host's taps. */
static void mirror(struct card *c, const struct toe_ctx *x, uint8_t *slot, uint32_t len)
{
	struct card_packet pkt;

	card_packet_parse(&pkt, slot, len);
	card_rx_mirror(c, x->pair, &pkt, x->tid, TOE_RX_SENT);
}

/* Send what a connection has; false: the wire takes no more now. */
static bool output(struct card_toe *t, struct toe_ctx *x)
{
	struct card *c = t->card;
	struct te_out out;
	uint32_t n, len;
	uint8_t *slot;

	for (n = 0; n < TOE_OUT_SEGS; n++) {
		slot = card_xmit_slot(c);
		if (!slot)
			break;
		if (!te_output(t->engine, x->conn, &out, c->now) &&
		    !(toe_frag_give(x, true, c->now) &&
		      te_output(t->engine, x->conn, &out, c->now))) {
			x->out_pending = false;
			TAILQ_REMOVE(&t->out, x, out_entry);
			break;
		}
		len = build(t, x, &out, slot);
		if (!len) {
			toe_host_leave(t, x, TOE_REASON_DMA, NULL);
			return true;
		}
		c->stats.toe_tx_segs++;
		c->stats.toe_tx_bytes += out.len;
		c->stats.toe_retrans_segs += out.retrans;
		toe_host_count_tx(x, len - (x->l2.flags & TOE_MT_VLAN ? 18 : 14));
		if (c->features & TOE_FEATURE_MIRROR)
			mirror(c, x, slot, len);
		card_xmit(c, len);
	}
	/* Who couldn't send may have started its persist timer. */
	if (n)
		toe_ctx_update(t, x);
	else
		toe_ctx_set_deadline(t, x, te_deadline(x->conn));
	return slot != NULL;
}

/*
 * What goes out may acknowledge what a held completion tells of, so it waits for
 * that; and for frames that the host gave before COMMIT, if they still stand in a
 * TX ring.
 */
static bool waits(const struct card *c, struct toe_ctx *x)
{
	unsigned int i;

	if (card_cq_is_held(&x->pair->cq))
		return true;
	if (!x->tx_wait_until)
		return false;
	for (i = 0; i < c->cfg.pairs && c->now < x->tx_wait_until; i++)
		if (c->pair[i].active && (int32_t)(x->tx_wait[i] - c->pair[i].txs.done) > 0)
			return true;
	x->tx_wait_until = 0;
	return false;
}

/* Each connection's turn once; false: the wire takes no more now. */
static bool round_robin(struct card_toe *t)
{
	struct toe_ctx *last = TAILQ_LAST(&t->out, toe_list), *x;
	bool end;

	do {
		x = TAILQ_FIRST(&t->out);
		if (!x)
			break;
		end = x == last;
		TAILQ_REMOVE(&t->out, x, out_entry);
		TAILQ_INSERT_TAIL(&t->out, x, out_entry);
		if (!waits(t->card, x) && !output(t, x))
			return false;
	} while (!end);
	return true;
}

/**
 * card_toe_output() - send what connections have
 * @c: the card
 *
 * Return: true if something was sent.
 */
bool card_toe_output(struct card *c)
{
	uint64_t before = c->stats.toe_tx_segs, sent;

	do
		sent = c->stats.toe_tx_segs;
	while (round_robin(c->toe) && c->stats.toe_tx_segs != sent);
	return c->stats.toe_tx_segs != before;
}
