/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Received frames of connections: hold them, or give them to the engine. */
#include <stdlib.h>
#include <string.h>
#include "toe.h"
#include "toe_ctx.h"

#define VLAN_VID	0x0fff

/* Is the frame on the connection's own L2?  If not it isn't the connection's. */
static bool same_l2(const struct card *c, const struct toe_ctx *x, const struct card_packet *pkt)
{
	uint16_t vid = pkt->vlan ? pkt->vlan_tci & VLAN_VID : 0;

	if (x->state == TOE_CTX_HOLDING)
		return card_rx_is_ours(c, pkt->frame);
	if (memcmp(pkt->frame, x->l2.lmac, 6))
		return false;
	return vid == (x->l2.flags & TOE_MT_VLAN ? le16toh(x->l2.vlan_tci) & VLAN_VID : 0);
}

static void hold(struct card *c, struct toe_ctx *x, const struct card_packet *pkt)
{
	uint32_t bytes = sizeof(struct toe_held) + pkt->len;
	struct card_toe *t = c->toe;
	struct toe_held *h = NULL;

	if (x->held_bytes + bytes <= TOE_HOLD_BYTES && t->held_total + bytes <= TOE_HOLD_TOTAL)
		h = malloc(bytes);
	if (!h) {
		c->stats.toe_held_dropped++;
		return;
	}
	h->len = pkt->len;
	memcpy(h->data, pkt->frame, pkt->len);
	STAILQ_INSERT_TAIL(&x->held, h, entry);
	x->held_bytes += bytes;
	t->held_total += bytes;
	c->stats.toe_held_frames++;
}

/**
 * toe_rx_hold_end() - let the held frames of a flow go
 * @t: the TOE
 * @x: the context; with @replay already active, else about to be freed
 * @replay: through the engine; else up to the host's stack
 *
 * With @replay the context may be free afterwards, and taken again.
 */
void toe_rx_hold_end(struct card_toe *t, struct toe_ctx *x, bool replay)
{
	struct toe_held_list held = STAILQ_HEAD_INITIALIZER(held);
	struct card_pair *p = x->pair;
	struct card *c = t->card;
	struct card_packet pkt;
	struct toe_held *h;

	STAILQ_CONCAT(&held, &x->held);
	t->held_total -= x->held_bytes;
	x->held_bytes = 0;
	while ((h = STAILQ_FIRST(&held))) {
		STAILQ_REMOVE_HEAD(&held, entry);
		card_packet_parse(&pkt, h->data, h->len);
		card_packet_verify(&pkt);
		card_rss_packet(c->rss.key, &pkt);
		if (!replay || !card_toe_rx(c, &pkt))
			card_rx_up(c, p, &pkt);
		free(h);
	}
}

/**
 * toe_rx_events() - carry out what the engine reports
 * @t: the TOE
 * @x: active context; may be free afterwards
 * @events: TE_EV_*
 * @pkt: the frame that caused them, or NULL
 */
void toe_rx_events(struct card_toe *t, struct toe_ctx *x, unsigned int events,
		   const struct card_packet *pkt)
{
	if (events & TE_EV_PUSH)
		toe_host_push(t, x);
	if (events & TE_EV_ACKED) {
		toe_frag_acked(t, x, te_snd_una(x->conn));
		toe_ctx_want_acked(t, x);
	}
	if (events & TE_EV_LEAVE) {
		toe_host_leave(t, x, te_leave_reason(x->conn), pkt);
		return;
	}
	if (events & TE_EV_OUTPUT)
		toe_ctx_want_output(t, x);
	toe_ctx_update(t, x);
}

static void input(struct card_toe *t, struct toe_ctx *x, const struct card_packet *pkt)
{
	const uint8_t *tcp = pkt->frame + pkt->l4;
	uint32_t doff = (tcp[12] >> 4) * 4;
	struct te_seg seg = {
		.seq = card_get32(tcp + 4),
		.ack = card_get32(tcp + 8),
		.wnd = card_get16(tcp + 14),
		.flags = tcp[13],
		.ecn = pkt->ecn,
		.opts = tcp + 20,
		.opt_len = doff - 20,
		.data = tcp + doff,
		.len = pkt->end - pkt->l4 - doff,
	};
	struct card *c = t->card;
	unsigned int events;

	c->stats.toe_rx_segs++;
	events = te_input(t->engine, x->conn, &seg, c->now);
	/* What the engine leaves for goes up, and the host's taps see it there. */
	if (!(events & TE_EV_LEAVE)) {
		toe_host_count_rx(x, pkt);
		if (c->features & TOE_FEATURE_MIRROR)
			card_rx_mirror(c, x->pair, pkt, x->tid, 0);
	}
	toe_rx_events(t, x, events, pkt);
}

/* An ICMP error about a segment that is under way: the host's stack decides. */
static bool icmp(struct card_toe *t, const struct card_packet *pkt)
{
	struct card_flow flow;
	struct toe_ctx *x;
	uint32_t seq;

	if (!card_packet_icmp_flow(pkt, &flow, &seq))
		return false;
	x = toe_ctx_by_flow(t, &flow);
	if (!x || x->state != TOE_CTX_ACTIVE || !card_rx_is_ours(t->card, pkt->frame))
		return false;
	/* RFC 5927 4.1: who can't name a sequence number in flight is lying. */
	if ((int32_t)(seq - te_snd_una(x->conn)) < 0 ||
	    (int32_t)(seq - te_snd_max(x->conn)) > 0)
		return false;
	toe_host_leave(t, x, TOE_REASON_ICMP, pkt);
	return true;
}

/**
 * card_toe_rx() - is a received frame a connection's
 * @c: the card
 * @pkt: parsed and verified
 *
 * Return: true if it was dealt with; false: it goes up like any other.
 */
bool card_toe_rx(struct card *c, const struct card_packet *pkt)
{
	struct card_toe *t = c->toe;
	struct toe_ctx *x;

	if (!c->stats.toe_contexts)
		return false;
	if (!pkt->tcp)
		return icmp(t, pkt);
	x = toe_ctx_by_flow(t, &pkt->flow);
	if (!x || !same_l2(c, x, pkt))
		return false;
	if (x->state == TOE_CTX_HOLDING) {
		hold(c, x, pkt);
	} else if (pkt->ip_bad) {
		return false;	/* who knows whose it is: IP's to count and drop */
	} else if (pkt->csum_bad) {
		c->stats.toe_csum_bad++;
		x->csum_errs++;
		toe_host_count_rx(x, pkt);
		toe_ctx_update(t, x);
		if (c->features & TOE_FEATURE_MIRROR)
			card_rx_mirror(c, x->pair, pkt, x->tid, 0);
	} else if (pkt->fragment) {
		toe_host_leave(t, x, TOE_REASON_FRAGMENT, pkt);
	} else if (pkt->ip_options) {
		toe_host_leave(t, x, TOE_REASON_OPTION, pkt);
	} else {
		input(t, x, pkt);
	}
	return true;
}
