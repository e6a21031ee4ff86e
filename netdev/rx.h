/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_RX_H
#define TOENIC_RX_H

#include <linux/types.h>

struct sk_buff;
struct toe_cqe;
struct toe_shadow;
struct toenic_frame;
struct toenic_pair;
struct toenic_rx_buf;

/* Bytes of an RX buffer: half a page of the usual size. */
#define TOENIC_RX_BUF		2048

int toenic_rx_alloc(struct toenic_pair *pair, struct toe_shadow *shadow);
void toenic_rx_free(struct toenic_pair *pair);
void toenic_rx_refill(struct toenic_pair *pair);
struct toenic_rx_buf *toenic_rx_take(struct toenic_pair *pair,
				     const struct toe_cqe *cqe);
struct sk_buff *toenic_rx_gather(struct toenic_pair *pair,
				 struct toenic_frame *frame,
				 struct toenic_rx_buf *buf,
				 const struct toe_cqe *cqe, u64 *dropped);
int toenic_rx_part(struct toenic_pair *pair, const struct toe_cqe *cqe);

#endif /* TOENIC_RX_H */
