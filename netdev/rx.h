/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_RX_H
#define TOENIC_RX_H

#include <linux/types.h>

struct toe_cqe;
struct toe_shadow;
struct toenic_pair;

/* Bytes of an RX buffer: half a page of the usual size. */
#define TOENIC_RX_BUF		2048

int toenic_rx_alloc(struct toenic_pair *pair, struct toe_shadow *shadow);
void toenic_rx_free(struct toenic_pair *pair);
void toenic_rx_refill(struct toenic_pair *pair);
int toenic_rx_part(struct toenic_pair *pair, const struct toe_cqe *cqe);

#endif /* TOENIC_RX_H */
