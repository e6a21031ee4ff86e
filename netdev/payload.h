/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_PAYLOAD_H
#define TOENIC_PAYLOAD_H

#include <linux/types.h>

struct sk_buff;
struct toe_cqe;
struct toe_shadow;
struct toenic_pair;

#define TOENIC_RQ_BUF		32768

int toenic_rq_alloc(struct toenic_pair *pair, struct toe_shadow *shadow);
void toenic_rq_free(struct toenic_pair *pair);
void toenic_rq_refill(struct toenic_pair *pair);
bool toenic_rq_valid(struct toenic_pair *pair, const struct toe_cqe *cqe);
struct sk_buff *toenic_rq_skb(struct toenic_pair *pair,
			      const struct toe_cqe *cqe);
void toenic_rq_done(struct toenic_pair *pair, const struct toe_cqe *cqe);

#endif /* TOENIC_PAYLOAD_H */
