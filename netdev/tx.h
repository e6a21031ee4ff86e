/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_TX_H
#define TOENIC_TX_H

#include <linux/netdevice.h>

struct toe_shadow;
struct toenic_pair;

int toenic_tx_alloc(struct toenic_pair *pair, struct toe_shadow *shadow);
void toenic_tx_free(struct toenic_pair *pair);
netdev_tx_t toenic_xmit(struct sk_buff *skb, struct net_device *netdev);
bool toenic_tx_done(struct toenic_pair *pair, u32 cons);
void toenic_tx_wake(struct toenic_pair *pair);

#endif /* TOENIC_TX_H */
