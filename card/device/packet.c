/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Parse a received frame.  Nothing in it is trusted: each header is looked at
 * only after its bytes are known to be there.
 */
#include <string.h>
#include "packet.h"

#define ETH_BYTES	14
#define TCP_BYTES	20
#define UDP_BYTES	8

static void parse_ipv4(struct card_packet *pkt)
{
	const uint8_t *ip = pkt->frame + pkt->l3;
	uint32_t room = pkt->len - pkt->l3, ihl, total;

	if (room < 20 || ip[0] >> 4 != 4)
		return;
	ihl = (ip[0] & 15) * 4;
	total = card_get16(ip + 2);
	if (ihl < 20 || total < ihl || total > room)
		return;
	pkt->family = 4;
	pkt->ecn = ip[1] & 3;
	pkt->ip_options = ihl > 20;
	pkt->fragment = card_get16(ip + 6) & 0x3fff;
	pkt->later_fragment = card_get16(ip + 6) & 0x1fff;
	pkt->l4 = pkt->l3 + ihl;
	pkt->end = pkt->l3 + total;
	if (!pkt->later_fragment)
		pkt->proto = ip[9];
}

static bool ipv6_extension(uint8_t next)
{
	return next == 0 || next == 43 || next == 44 || next == 51 || next == 60;
}

static void parse_ipv6(struct card_packet *pkt)
{
	const uint8_t *ip = pkt->frame + pkt->l3, *h;
	uint32_t room = pkt->len - pkt->l3, off, len;
	uint8_t next;

	if (room < 40 || ip[0] >> 4 != 6 || 40u + card_get16(ip + 4) > room)
		return;
	pkt->family = 6;
	pkt->ecn = ip[1] >> 4 & 3;
	pkt->end = pkt->l3 + 40 + card_get16(ip + 4);
	off = pkt->l3 + 40;
	for (next = ip[6]; ipv6_extension(next); off += len) {
		if (off + 8 > pkt->end)
			return;
		h = pkt->frame + off;
		len = next == 44 ? 8 : next == 51 ? (h[1] + 2) * 4 : (h[1] + 1) * 8;
		pkt->ip_options = true;
		if (next == 44) {
			pkt->fragment = true;
			pkt->later_fragment = card_get16(h + 2) & 0xfff8;
		}
		next = h[0];
		if (pkt->later_fragment)
			return;
	}
	if (off > pkt->end)
		return;
	pkt->l4 = off;
	pkt->proto = next;
}

/* The flow of the packet at @ip, whose transport header is at @l4, received here. */
static void set_flow(struct card_flow *flow, uint8_t family, const uint8_t *src,
		     const uint8_t *dst, const uint8_t *l4)
{
	size_t alen = family == 4 ? 4 : 16;

	memset(flow, 0, sizeof(*flow));
	flow->family = family;
	memcpy(flow->raddr, src, alen);
	memcpy(flow->laddr, dst, alen);
	memcpy(&flow->rport, l4, 2);
	memcpy(&flow->lport, l4 + 2, 2);
}

/**
 * card_packet_parse() - find a frame's headers
 * @pkt: result
 * @frame: from the Ethernet header on; must stay valid with @pkt
 * @len: bytes
 */
void card_packet_parse(struct card_packet *pkt, uint8_t *frame, uint32_t len)
{
	const uint8_t *ip, *tcp;
	uint16_t type;

	memset(pkt, 0, sizeof(*pkt));
	pkt->frame = frame;
	pkt->len = len;
	if (len < ETH_BYTES)
		return;
	pkt->l3 = ETH_BYTES;
	type = card_get16(frame + 12);
	if (type == CARD_ETH_VLAN && len >= ETH_BYTES + 4) {
		pkt->vlan = true;
		pkt->vlan_tci = card_get16(frame + 14);
		type = card_get16(frame + 16);
		pkt->l3 += 4;
	}
	if (type == CARD_ETH_IPV4)
		parse_ipv4(pkt);
	else if (type == CARD_ETH_IPV6)
		parse_ipv6(pkt);
	if (pkt->proto != CARD_IP_TCP || pkt->l4 + TCP_BYTES > pkt->end)
		return;
	ip = frame + pkt->l3;
	tcp = frame + pkt->l4;
	if (tcp[12] >> 4 < 5 || pkt->l4 + (tcp[12] >> 4) * 4 > pkt->end)
		return;
	pkt->tcp = true;
	if (pkt->family == 4)
		set_flow(&pkt->flow, 4, ip + 12, ip + 16, tcp);
	else
		set_flow(&pkt->flow, 6, ip + 8, ip + 24, tcp);
}

/**
 * card_packet_verify() - check the checksums of a parsed packet
 * @pkt: csum_ok or csum_bad is set; neither if there is nothing to check
 */
void card_packet_verify(struct card_packet *pkt)
{
	const uint8_t *ip = pkt->frame + pkt->l3, *l4 = pkt->frame + pkt->l4;
	uint32_t len = pkt->end - pkt->l4, at = pkt->family == 4 ? 12 : 8;
	uint32_t alen = pkt->family == 4 ? 4 : 16;
	uint64_t sum;

	if (!pkt->family)
		return;
	if (pkt->family == 4 && card_csum_fold(card_csum_add(0, ip, pkt->l4 - pkt->l3))) {
		pkt->csum_bad = true;
		pkt->ip_bad = true;
		return;
	}
	/* A routing header or home address may change the pseudo header. */
	if (pkt->fragment || (pkt->family == 6 && pkt->ip_options))
		return;
	if (pkt->proto == CARD_IP_UDP) {
		if (len < UDP_BYTES || card_get16(l4 + 4) != len || !card_get16(l4 + 6))
			return;
	} else if (!pkt->tcp) {
		return;
	}
	sum = card_csum_pseudo(pkt->family, ip + at, ip + at + alen, pkt->proto, len);
	if (card_csum_fold(card_csum_add(sum, l4, len)))
		pkt->csum_bad = true;
	else
		pkt->csum_ok = true;
}

/* Does this ICMP message report that packets of a flow don't arrive? */
static bool icmp_error(const struct card_packet *pkt)
{
	uint8_t type = pkt->frame[pkt->l4];

	if (pkt->family == 4)
		return type == 3 || type == 11 || type == 12;
	return type >= 1 && type <= 4;
}

/**
 * card_packet_icmp_flow() - which flow an ICMP error is about
 * @pkt: parsed
 * @flow: result
 * @seq: sequence number of the segment that caused it
 *
 * Return: false if it's no ICMP error about a TCP segment.
 */
bool card_packet_icmp_flow(const struct card_packet *pkt, struct card_flow *flow,
			   uint32_t *seq)
{
	uint8_t want = pkt->family == 4 ? CARD_IP_ICMP : CARD_IP_ICMP6;
	const uint8_t *ip, *tcp;
	uint32_t room, hlen;

	if (!pkt->family || pkt->proto != want || pkt->fragment || pkt->l4 + 8 > pkt->end ||
	    !icmp_error(pkt))
		return false;
	ip = pkt->frame + pkt->l4 + 8;
	room = pkt->end - pkt->l4 - 8;
	if (pkt->family == 4) {
		if (room < 20 || ip[0] >> 4 != 4 || ip[9] != CARD_IP_TCP)
			return false;
		hlen = (ip[0] & 15) * 4;
	} else {
		if (room < 40 || ip[0] >> 4 != 6 || ip[6] != CARD_IP_TCP)
			return false;
		hlen = 40;
	}
	if (hlen < 20 || room < hlen + 8)
		return false;
	tcp = ip + hlen;
	/* The quoted segment was sent by us: source is local. */
	if (pkt->family == 4)
		set_flow(flow, 4, ip + 16, ip + 12, tcp);
	else
		set_flow(flow, 6, ip + 24, ip + 8, tcp);
	memcpy(&flow->rport, tcp + 2, 2);
	memcpy(&flow->lport, tcp, 2);
	*seq = card_get32(tcp + 4);
	return true;
}
