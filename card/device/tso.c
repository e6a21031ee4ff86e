/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* TCP segmentation: one large frame in, frames of mss payload bytes out. */
#include <endian.h>
#include <string.h>
#include "card.h"

#define TCP_FIN		0x01
#define TCP_PSH		0x08
#define TCP_CWR		0x80
#define MIN_MSS		8	/* as small as the kernel ever asks for */

struct layout {
	uint32_t l3, l4, hdr, mss;
};

static struct layout layout(const struct card_tx *tx)
{
	struct layout l = {
		.l3 = le16toh(tx->desc.l3_off),
		.l4 = le16toh(tx->desc.l4_off),
		.mss = le16toh(tx->desc.mss),
	};

	/* The caller has checked that the TCP header is there. */
	l.hdr = l.l4 + (tx->buf[l.l4 + 12] >> 4) * 4;
	return l;
}

/**
 * card_tso_valid() - do the descriptor and the headers fit together
 * @tx: frame and its descriptor
 *
 * Return: true if card_tso_next() may be called.
 */
bool card_tso_valid(const struct card_tx *tx)
{
	uint32_t l3 = le16toh(tx->desc.l3_off), l4 = le16toh(tx->desc.l4_off);
	const uint8_t *ip = tx->buf + l3;
	struct layout l;

	if (l3 < 14 || l4 < l3 + 20 || l4 + 20 > tx->len)
		return false;
	if (ip[0] >> 4 == 4) {
		if ((ip[0] & 15) * 4u != l4 - l3 || ip[9] != CARD_IP_TCP)
			return false;
	} else if (ip[0] >> 4 != 6 || l4 < l3 + 40) {
		return false;
	}
	l = layout(tx);
	return l.hdr >= l4 + 20 && l.hdr < tx->len && l.mss >= MIN_MSS &&
	       l.hdr + l.mss <= CARD_WIRE_FRAME;
}

static void fix_ip(uint8_t *ip, uint32_t len, uint32_t hdr, uint32_t index)
{
	if (ip[0] >> 4 == 6) {
		card_put16(ip + 4, len - 40);
		return;
	}
	card_put16(ip + 2, len);
	card_put16(ip + 4, card_get16(ip + 4) + index);
	card_put16(ip + 10, 0);
	card_put16(ip + 10, card_csum_fold(card_csum_add(0, ip, hdr)));
}

static void fix_tcp(uint8_t *ip, uint8_t *tcp, uint32_t len)
{
	uint8_t family = ip[0] >> 4;
	uint32_t at = family == 4 ? 12 : 8, alen = family == 4 ? 4 : 16;
	uint64_t sum = card_csum_pseudo(family, ip + at, ip + at + alen, CARD_IP_TCP, len);

	card_put16(tcp + 16, 0);
	card_put16(tcp + 16, card_csum_fold(card_csum_add(sum, tcp, len)));
}

/**
 * card_tso_next() - build the next segment
 * @tx: frame; its offset moves on
 * @slot: where to, CARD_WIRE_FRAME bytes
 * @last: set if it was the last one
 *
 * FIN and PSH belong to the last segment, CWR to the first; IPv4 ids count up.
 * Return: bytes of the segment.
 */
uint32_t card_tso_next(struct card_tx *tx, uint8_t *slot, bool *last)
{
	struct layout l = layout(tx);
	uint32_t left = tx->len - l.hdr - tx->off, len = left < l.mss ? left : l.mss;
	uint8_t *ip = slot + l.l3, *tcp = slot + l.l4;

	memcpy(slot, tx->buf, l.hdr);
	memcpy(slot + l.hdr, tx->buf + l.hdr + tx->off, len);
	*last = len == left;
	card_put32(tcp + 4, card_get32(tcp + 4) + tx->off);
	if (!*last)
		tcp[13] &= ~(TCP_FIN | TCP_PSH);
	if (tx->off)
		tcp[13] &= ~TCP_CWR;
	fix_ip(ip, l.hdr + len - l.l3, l.l4 - l.l3, tx->off / l.mss);
	fix_tcp(ip, tcp, l.hdr + len - l.l4);
	tx->off += len;
	return l.hdr + len;
}
