/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_NETDEV_H
#define TOENIC_NETDEV_H

#include <linux/types.h>

struct net_device;
struct toenic;

struct net_device *toenic_netdev_alloc(struct pci_dev *pdev,
				       unsigned int pairs);
void toenic_netdev_setup(struct toenic *nic);
int toenic_up(struct toenic *nic);
void toenic_down(struct toenic *nic);
int toenic_restart(struct toenic *nic, int (*change)(struct toenic *nic,
						     const void *arg),
		   const void *arg);
void toenic_rss_default(struct toenic *nic);

#endif /* TOENIC_NETDEV_H */
