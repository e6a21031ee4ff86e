/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_CMD_H
#define TOENIC_CMD_H

#include <linux/interrupt.h>
#include <linux/types.h>

struct toenic;
struct toenic_pair;

/* An address as TOE_ADMIN_RX_MODE wants it. */
struct toenic_mac {
	u8 addr[6];
	u8 pad[2];
};

u32 toenic_rd32(struct toenic *nic, u32 reg);
void toenic_wr32(struct toenic *nic, u32 reg, u32 val);

int toenic_admin_alloc(struct toenic *nic);
void toenic_admin_free(struct toenic *nic);
int toenic_admin_start(struct toenic *nic);
irqreturn_t toenic_admin_irq(int irq, void *data);

int toenic_hw_reset(struct toenic *nic);
int toenic_cmd_pair_create(struct toenic_pair *pair);
int toenic_cmd_pair_destroy(struct toenic_pair *pair);
int toenic_cmd_rx_mode(struct toenic *nic, u32 mode,
		       const struct toenic_mac *macs, u32 count);
int toenic_cmd_rss(struct toenic *nic);
int toenic_cmd_mtu(struct toenic *nic, u32 mtu);
int toenic_cmd_features(struct toenic *nic, netdev_features_t features);
int toenic_cmd_mac(struct toenic *nic, const u8 *mac);
int toenic_cmd_stats(struct toenic *nic);

#endif /* TOENIC_CMD_H */
