/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_COUNTS_H
#define TOENIC_COUNTS_H

#include <linux/types.h>

struct net_device;
struct rtnl_link_stats64;
struct toe_shadow;
struct toenic;
struct toenic_pair;
struct toenic_toe_counts;

struct toe_shadow *toenic_counts_keep(struct toenic_pair *pair);
void toenic_get_stats64(struct net_device *netdev, struct rtnl_link_stats64 *st);
void toenic_counts_setup(struct net_device *netdev);

/* ethtool -S */
unsigned int toenic_counts_number(const struct toenic *nic);
void toenic_counts_names(const struct toenic *nic, u8 **data);
void toenic_counts_values(struct toenic *nic, u64 **data);

#endif /* TOENIC_COUNTS_H */
