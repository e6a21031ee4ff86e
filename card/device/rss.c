/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Receive side scaling: the Toeplitz hash as Microsoft specified it. */
#include <string.h>
#include "packet.h"

/**
 * card_toeplitz() - the hash
 * @key: TOE_RSS_KEY bytes
 * @data: input, at most TOE_RSS_KEY - 4 bytes
 * @len: its bytes
 *
 * Return: 32 bits.
 */
uint32_t card_toeplitz(const uint8_t *key, const uint8_t *data, size_t len)
{
	uint64_t window = (uint64_t)card_get32(key) << 32 | card_get32(key + 4);
	uint32_t hash = 0;
	size_t i;
	int bit;

	for (i = 0; i < len; i++) {
		for (bit = 7; bit >= 0; bit--) {
			if (data[i] >> bit & 1)
				hash ^= window >> 32;
			window <<= 1;
		}
		if (i + 8 < TOE_RSS_KEY)
			window |= key[i + 8];
	}
	return hash;
}

/* source, destination, then the ports, as they stand in the packet */
static uint32_t hash_tuple(const uint8_t *key, uint8_t family, const uint8_t *src,
			   const uint8_t *dst, const uint8_t *ports)
{
	size_t alen = family == 4 ? 4 : 16;
	uint8_t in[36];

	memcpy(in, src, alen);
	memcpy(in + alen, dst, alen);
	if (ports)
		memcpy(in + 2 * alen, ports, 4);
	return card_toeplitz(key, in, 2 * alen + (ports ? 4 : 0));
}

/**
 * card_rss_flow() - hash of the frames that a flow will receive
 * @key: TOE_RSS_KEY bytes
 * @flow: the flow
 *
 * Return: the hash.
 */
uint32_t card_rss_flow(const uint8_t *key, const struct card_flow *flow)
{
	uint8_t ports[4];

	memcpy(ports, &flow->rport, 2);
	memcpy(ports + 2, &flow->lport, 2);
	return hash_tuple(key, flow->family, flow->raddr, flow->laddr, ports);
}

/**
 * card_rss_packet() - fill in a packet's hash
 * @key: TOE_RSS_KEY bytes
 * @pkt: parsed
 *
 * TCP and UDP by addresses and ports, except fragments; other IP by addresses.
 */
void card_rss_packet(const uint8_t *key, struct card_packet *pkt)
{
	const uint8_t *ip = pkt->frame + pkt->l3, *ports = NULL;
	unsigned int at = pkt->family == 4 ? 12 : 8, alen = pkt->family == 4 ? 4 : 16;

	pkt->hash = 0;
	pkt->hash_flags = 0;
	if (!pkt->family)
		return;
	pkt->hash_flags = TOE_RX_HASH;
	if (!pkt->fragment && (pkt->proto == CARD_IP_TCP || pkt->proto == CARD_IP_UDP) &&
	    pkt->l4 + 4 <= pkt->end) {
		ports = pkt->frame + pkt->l4;
		pkt->hash_flags |= TOE_RX_HASH_L4;
	}
	pkt->hash = hash_tuple(key, pkt->family, ip + at, ip + at + alen, ports);
}
