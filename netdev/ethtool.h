/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_ETHTOOL_H
#define TOENIC_ETHTOOL_H

struct net_device;

void toenic_ethtool_setup(struct net_device *netdev);

#endif /* TOENIC_ETHTOOL_H */
