/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Segments as they stand on the wire, for what has to do with their bytes. */
#include <string.h>
#include "../device/packet.h"
#include "sim.h"

#define ETH_BYTES	14
#define IP_BYTES	20
#define TCP_BYTES	20

/* Ethernet, IPv4 and TCP around @data, with their checksums; bytes of the frame. */
uint32_t sim_frame_build(uint8_t *frame, const struct te_out *h, const uint8_t *data)
{
	uint32_t header = TCP_BYTES + h->opt_len, len = header + h->len;
	uint8_t *ip = frame + ETH_BYTES, *tcp = ip + IP_BYTES;
	uint64_t sum;

	memset(frame, 0, ETH_BYTES + IP_BYTES + TCP_BYTES);
	card_put16(frame + 12, CARD_ETH_IPV4);
	ip[0] = 0x45;
	ip[1] = h->ecn;
	card_put16(ip + 2, IP_BYTES + len);
	ip[8] = 64;
	ip[9] = CARD_IP_TCP;
	card_put32(ip + 12, 0x0a000001);
	card_put32(ip + 16, 0x0a000002);
	card_put16(ip + 10, card_csum_fold(card_csum_add(0, ip, IP_BYTES)));
	card_put32(tcp, 0x10001000);
	card_put32(tcp + 4, h->seq);
	card_put32(tcp + 8, h->ack);
	tcp[12] = header / 4 << 4;
	tcp[13] = h->flags;
	card_put16(tcp + 14, h->wnd);
	memcpy(tcp + TCP_BYTES, h->opts, h->opt_len);
	if (h->len)
		memcpy(tcp + header, data, h->len);
	sum = card_csum_pseudo(4, ip + 12, ip + 16, CARD_IP_TCP, len);
	card_put16(tcp + 16, card_csum_fold(card_csum_add(sum, tcp, len)));
	return ETH_BYTES + IP_BYTES + len;
}

/* One bit behind the Ethernet header flips: does the card take the frame for good? */
int sim_frame_survives(const struct te_out *h, const uint8_t *data, uint32_t bit)
{
	static uint8_t frame[ETH_BYTES + IP_BYTES + TCP_BYTES + 40 + 65536];
	uint32_t len = sim_frame_build(frame, h, data);
	struct card_packet pkt;

	bit %= (len - ETH_BYTES) * 8;
	frame[ETH_BYTES + bit / 8] ^= 1 << bit % 8;
	card_packet_parse(&pkt, frame, len);
	card_packet_verify(&pkt);
	return pkt.csum_ok;
}
