/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* What the card knows about a received frame; checksums; Toeplitz hash. */
#ifndef CARD_PACKET_H
#define CARD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../../include/toe_hw.h"

#define CARD_ETH_IPV4	0x0800
#define CARD_ETH_IPV6	0x86dd
#define CARD_ETH_VLAN	0x8100
#define CARD_IP_ICMP	1
#define CARD_IP_TCP	6
#define CARD_IP_UDP	17
#define CARD_IP_ICMP6	58

/**
 * struct card_flow - the addresses of a connection, local side first
 * @laddr: IPv4: the first four bytes, the rest zero
 * @raddr: same
 * @lport: network order
 * @rport: same
 * @family: 4 or 6
 * @rsvd: zero, so that flows can be compared as bytes
 */
struct card_flow {
	uint8_t laddr[16];
	uint8_t raddr[16];
	uint16_t lport;
	uint16_t rport;
	uint8_t family;
	uint8_t rsvd[3];
};

/**
 * struct card_packet - a received frame, parsed
 * @frame: from the Ethernet header on
 * @len: its bytes
 * @vlan: a VLAN tag is there
 * @vlan_tci: its value
 * @l3: offset of the IP header, if @family
 * @l4: offset of the transport header, if @proto
 * @end: offset behind the IP datagram (padding starts there)
 * @family: 4, 6 or 0
 * @proto: transport protocol, 0 if the headers could not be walked
 * @tcp: a whole TCP header is there and the frame isn't a later fragment
 * @ip_options: IPv4 options or IPv6 extension headers are there
 * @fragment: it is one
 * @later_fragment: and not the first, so there is no transport header
 * @csum_ok: all checksums are there and right
 * @csum_bad: one is wrong
 * @ip_bad: that of the IPv4 header
 * @ecn: two bits of the IP header
 * @hash: Toeplitz
 * @hash_flags: TOE_RX_HASH*
 * @flow: with @tcp: as the receiving host sees it
 */
struct card_packet {
	uint8_t *frame;
	uint32_t len;
	bool vlan;
	uint16_t vlan_tci;
	uint32_t l3;
	uint32_t l4;
	uint32_t end;
	uint8_t family;
	uint8_t proto;
	bool tcp;
	bool ip_options;
	bool fragment;
	bool later_fragment;
	bool csum_ok;
	bool csum_bad;
	bool ip_bad;
	uint8_t ecn;
	uint32_t hash;
	uint8_t hash_flags;
	struct card_flow flow;
};

static inline uint16_t card_get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t card_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static inline void card_put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void card_put32(uint8_t *p, uint32_t v)
{
	card_put16(p, v >> 16);
	card_put16(p + 2, v);
}

/* csum.c: sums are unfolded, in host order of big-endian words */
uint64_t card_csum_add(uint64_t sum, const uint8_t *p, size_t len);
uint16_t card_csum_fold(uint64_t sum);
uint64_t card_csum_pseudo(uint8_t family, const uint8_t *src, const uint8_t *dst,
			  uint8_t proto, uint32_t len);

/* rss.c */
uint32_t card_toeplitz(const uint8_t *key, const uint8_t *data, size_t len);
uint32_t card_rss_flow(const uint8_t *key, const struct card_flow *flow);
void card_rss_packet(const uint8_t *key, struct card_packet *pkt);

/* packet.c */
void card_packet_parse(struct card_packet *pkt, uint8_t *frame, uint32_t len);
void card_packet_verify(struct card_packet *pkt);
bool card_packet_icmp_flow(const struct card_packet *pkt, struct card_flow *flow,
			   uint32_t *seq);

#endif /* CARD_PACKET_H */
