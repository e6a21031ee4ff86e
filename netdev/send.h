/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_SEND_H
#define TOENIC_SEND_H

#include <linux/types.h>

struct sk_buff;
struct toenic;

/**
 * struct toenic_map - a piece of payload that the card can read
 * @dma: bus address
 * @len: bytes
 */
struct toenic_map {
	dma_addr_t dma;
	u32 len;
};

/**
 * struct toenic_send - an skb that the card may still retransmit
 * @next: younger one
 * @skb: held until it is acknowledged
 * @end_seq: acknowledged with this
 * @nmaps: pieces
 * @linear: the first piece lies in the skb's head
 * @maps: the pieces
 */
struct toenic_send {
	struct toenic_send *next;
	struct sk_buff *skb;
	u32 end_seq;
	u16 nmaps;
	bool linear;
	struct toenic_map maps[];
};

struct toenic_send *toenic_send_map(struct toenic *nic, struct sk_buff *skb,
				    u32 off, u32 len, u32 seq);
void toenic_send_unmap(struct toenic *nic, struct toenic_send *send);
void toenic_send_free(struct toenic *nic, struct toenic_send *send);

#endif /* TOENIC_SEND_H */
