// SPDX-License-Identifier: GPL-2.0
/*
 * Registers and admin commands: everything that may wait for the card.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>

#include "toenic.h"
#include "cmd.h"
#include "health.h"
#include "payload.h"
#include "rx.h"

#define TOENIC_ADMIN_MS		500	/* a card that is slower is dead */
#define TOENIC_RESET_MS		5000
#define TOENIC_PARAM_BYTES	PAGE_SIZE

/**
 * toenic_rd32() - read a register; the one place that does
 * @nic: the card
 * @reg: TOE_REG_*
 *
 * A card that has died answers all ones, which no register ever holds.
 * Context: any, but it is slow: never on a fast path.
 * Return: its value; all ones from a dead card.
 */
u32 toenic_rd32(struct toenic *nic, u32 reg)
{
	u32 val = readl(nic->bar + reg);

	if (unlikely(val == ~0U))
		toenic_fatal(nic, TOENIC_FATAL_ALL_ONES);
	return val;
}

/**
 * toenic_wr32() - write a register
 * @nic: the card
 * @reg: TOE_REG_*
 * @val: value
 *
 * Context: any.
 */
void toenic_wr32(struct toenic *nic, u32 reg, u32 val)
{
	writel(val, nic->bar + reg);
}

static void toenic_wr64(struct toenic *nic, u32 reg_lo, u64 val)
{
	toenic_wr32(nic, reg_lo, lower_32_bits(val));
	toenic_wr32(nic, reg_lo + 4, upper_32_bits(val));
}

/**
 * toenic_hw_reset() - reset the card and wait until it is ready
 * @nic: the card
 *
 * Context: process.
 * Return: 0, -EIO if the card is dead, -ETIMEDOUT.
 */
int toenic_hw_reset(struct toenic *nic)
{
	unsigned long end = jiffies + msecs_to_jiffies(TOENIC_RESET_MS);
	u32 control;
	u32 status;

	toenic_wr32(nic, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	for (;;) {
		bool last = time_after(jiffies, end);

		/* raw reads: the card is known to be away for a moment */
		control = readl(nic->bar + TOE_REG_CONTROL);
		status = readl(nic->bar + TOE_REG_STATUS);
		if (control != ~0U && status != ~0U &&
		    !(control & TOE_CONTROL_RESET) &&
		    (status & TOE_STATUS_READY))
			return 0;
		if (last)
			return status == ~0U ? -EIO : -ETIMEDOUT;
		usleep_range(1000, 2000);
	}
}

/* Take in what is on the admin CQ, and ask for an interrupt with the next. */
static void toenic_admin_drain(struct toenic *nic)
{
	struct toenic_admin *admin = &nic->admin;
	struct toe_cqe cqe;

	lockdep_assert_held(&admin->lock);

	do {
		while (toenic_cq_peek(&admin->cq, &cqe)) {
			admin->cq.next++;
			if (cqe.type == TOE_CQE_CMD) {
				admin->answered = le16_to_cpu(cqe.cmd.cookie);
				admin->status = cqe.cmd.status;
			} else if (cqe.type == TOE_CQE_LINK) {
				queue_work(nic->wq, &nic->link_work);
			} else if (cqe.type == TOE_CQE_ERROR) {
				netdev_err(nic->netdev,
					   "card calls an admin command malformed: %u\n",
					   le32_to_cpu(cqe.error.reason));
			}
		}
		toenic_cq_release(&admin->cq);
	} while (toenic_cq_arm(&admin->cq));
}

static void toenic_admin_work(struct work_struct *work)
{
	struct toenic *nic = container_of(work, struct toenic, admin.work);

	mutex_lock(&nic->admin.lock);
	if (!toenic_is_dead(nic))
		toenic_admin_drain(nic);
	mutex_unlock(&nic->admin.lock);
}

/**
 * toenic_admin_alloc() - memory of the admin rings
 * @nic: the card
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int toenic_admin_alloc(struct toenic *nic)
{
	struct toenic_admin *admin = &nic->admin;
	struct device *dev = toenic_dev(nic);
	int err;

	mutex_init(&admin->lock);
	INIT_WORK(&admin->work, toenic_admin_work);
	admin->shadow = dma_alloc_coherent(dev, 2 * sizeof(*admin->shadow),
					   &admin->shadow_dma, GFP_KERNEL);
	if (!admin->shadow)
		return -ENOMEM;

	err = toenic_ring_alloc(nic, &admin->sq, TOENIC_ADMIN_SIZE,
				sizeof(struct toe_admin_cmd),
				&admin->shadow[0]);
	if (err)
		goto err_free;
	err = toenic_ring_alloc(nic, &admin->cq, TOENIC_ADMIN_SIZE,
				sizeof(struct toe_cqe), &admin->shadow[1]);
	if (err)
		goto err_free;

	err = -ENOMEM;
	admin->param = dma_alloc_coherent(dev, TOENIC_PARAM_BYTES,
					  &admin->param_dma, GFP_KERNEL);
	if (!admin->param)
		goto err_free;
	return 0;

err_free:
	toenic_admin_free(nic);
	return err;
}

/**
 * toenic_admin_free() - undo toenic_admin_alloc(), also half done
 * @nic: the card, disabled
 *
 * Context: process.
 */
void toenic_admin_free(struct toenic *nic)
{
	struct toenic_admin *admin = &nic->admin;
	struct device *dev = toenic_dev(nic);

	if (admin->param)
		dma_free_coherent(dev, TOENIC_PARAM_BYTES, admin->param,
				  admin->param_dma);
	admin->param = NULL;
	toenic_ring_free(nic, &admin->cq);
	toenic_ring_free(nic, &admin->sq);
	if (admin->shadow)
		dma_free_coherent(dev, 2 * sizeof(*admin->shadow),
				  admin->shadow, admin->shadow_dma);
	admin->shadow = NULL;
}

/**
 * toenic_admin_irq() - the admin vector
 * @irq: Linux' number
 * @data: the card
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED.
 */
irqreturn_t toenic_admin_irq(int irq, void *data)
{
	struct toenic *nic = data;

	queue_work(nic->wq, &nic->admin.work);
	return IRQ_HANDLED;
}

/**
 * toenic_admin_start() - tell a reset card where things are and enable it
 * @nic: the card
 *
 * Context: process; no admin command is under way.
 * Return: 0, or -EIO if the card can't reach our memory.
 */
int toenic_admin_start(struct toenic *nic)
{
	struct toenic_admin *admin = &nic->admin;

	mutex_lock(&admin->lock);
	memset(admin->shadow, 0, 2 * sizeof(*admin->shadow));
	memset(admin->cq.desc, 0, admin->cq.bytes);
	admin->sq.next = 0;
	admin->sq.rung = 0;
	admin->cq.next = 0;
	admin->cookie = 0;
	admin->answered = 0;
	WRITE_ONCE(*nic->health.heartbeat, 0);
	/* it counts from zero; contexts is no counter but a level */
	memset(nic->hw_last, 0, sizeof(nic->hw_last));
	nic->hw_stats[TOENIC_HW_STAT(toe_contexts)] = 0;

	toenic_wr64(nic, TOE_REG_ADMIN_SQ_LO, admin->sq.dma);
	toenic_wr64(nic, TOE_REG_ADMIN_CQ_LO, admin->cq.dma);
	toenic_wr64(nic, TOE_REG_ADMIN_SHADOW_LO, admin->shadow_dma);
	toenic_wr32(nic, TOE_REG_ADMIN_SIZE, TOENIC_ADMIN_SIZE);
	toenic_wr64(nic, TOE_REG_HEARTBEAT_LO, nic->health.heartbeat_dma);
	wmb();	/* indices before the card looks at them */
	toenic_wr32(nic, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
	mutex_unlock(&admin->lock);

	/*
	 * A command that writes to our memory: with a hypervisor that hands out
	 * private copies, DMA vanishes without a trace.
	 */
	return toenic_cmd_stats(nic);
}

static int toenic_status_errno(u8 status)
{
	switch (status) {
	case TOE_ST_OK:
		return 0;
	case TOE_ST_NOMEM:
		return -ENOSPC;
	case TOE_ST_EXIST:
		return -EEXIST;
	case TOE_ST_DMA:
		return -EFAULT;
	case TOE_ST_NOTSUP:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* Post the command and sleep until it is answered. */
static int toenic_admin_cmd(struct toenic *nic, u8 op, u32 arg, u32 count,
			    u32 param_bytes)
{
	struct toenic_admin *admin = &nic->admin;
	struct toe_admin_cmd *cmd = admin->sq.desc;
	struct toenic_deadline end;
	u16 cookie;

	lockdep_assert_held(&admin->lock);

	if (toenic_is_dead(nic))
		return -EIO;

	cookie = ++admin->cookie;
	cmd += toenic_ring_slot(&admin->sq, admin->sq.next);
	memset(cmd, 0, sizeof(*cmd));
	cmd->op = op;
	cmd->cookie = cpu_to_le16(cookie);
	cmd->arg = cpu_to_le32(arg);
	cmd->param_addr = cpu_to_le64(param_bytes ? admin->param_dma : 0);
	cmd->param_bytes = cpu_to_le32(param_bytes);
	cmd->count = cpu_to_le32(count);
	admin->sq.next++;
	toenic_ring_publish(&admin->sq, nic->bar + TOE_REG_DOORBELL_ADMIN);

	toenic_deadline_set(nic, &end, TOENIC_ADMIN_MS);
	for (;;) {
		bool last = toenic_is_dead(nic) ||
			    toenic_deadline_passed(nic, &end);

		toenic_admin_drain(nic);
		if (admin->answered == cookie)
			return toenic_status_errno(admin->status);
		if (last)
			break;
		usleep_range(50, 200);
	}
	if (toenic_is_dead(nic))
		return -EIO;
	netdev_err(nic->netdev, "admin command %u wasn't answered\n", op);
	toenic_fatal(nic, TOENIC_FATAL_ADMIN);
	return -ETIMEDOUT;
}

/**
 * toenic_cmd_pair_create() - have the card use a pair's rings
 * @pair: with memory
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int toenic_cmd_pair_create(struct toenic_pair *pair)
{
	struct toenic *nic = pair->nic;
	struct toe_pair_param *p = nic->admin.param;
	const struct toenic_ring *rings[TOE_RINGS] = {
		[TOE_RING_TX] = &pair->tx.ring,
		[TOE_RING_SQ] = &pair->sq.ring,
		[TOE_RING_RX] = &pair->rx.ring,
		[TOE_RING_RQ] = &pair->rq.ring,
		[TOE_RING_CQ] = &pair->cq,
	};
	unsigned int i;
	int err;

	mutex_lock(&nic->admin.lock);
	memset(p, 0, sizeof(*p));
	for (i = 0; i < TOE_RINGS; i++) {
		p->ring_addr[i] = cpu_to_le64(rings[i]->dma);
		p->ring_size[i] = cpu_to_le32(rings[i]->size);
	}
	p->shadow_addr = cpu_to_le64(pair->shadow_dma);
	p->rx_buf_bytes = cpu_to_le32(TOENIC_RX_BUF);
	p->rq_buf_bytes = cpu_to_le32(TOENIC_RQ_BUF);
	err = toenic_admin_cmd(nic, TOE_ADMIN_PAIR_CREATE, pair->index, 0,
			       sizeof(*p));
	mutex_unlock(&nic->admin.lock);
	return err;
}

static int toenic_cmd_arg(struct toenic *nic, u8 op, u32 arg)
{
	int err;

	mutex_lock(&nic->admin.lock);
	err = toenic_admin_cmd(nic, op, arg, 0, 0);
	mutex_unlock(&nic->admin.lock);
	return err;
}

static int toenic_cmd_param(struct toenic *nic, u8 op, u32 arg, u32 count,
			    const void *param, u32 bytes)
{
	int err;

	mutex_lock(&nic->admin.lock);
	memcpy(nic->admin.param, param, bytes);
	err = toenic_admin_cmd(nic, op, arg, count, bytes);
	mutex_unlock(&nic->admin.lock);
	return err;
}

/**
 * toenic_cmd_pair_destroy() - have the card forget a pair's rings
 * @pair: created
 *
 * Context: process.
 * Return: 0: no DMA of the pair is left; -errno: the card must be reset first.
 */
int toenic_cmd_pair_destroy(struct toenic_pair *pair)
{
	return toenic_cmd_arg(pair->nic, TOE_ADMIN_PAIR_DESTROY, pair->index);
}

/**
 * toenic_cmd_rx_mode() - which frames to receive
 * @nic: the card
 * @mode: TOE_RX_MODE_*
 * @macs: further addresses
 * @count: of @macs
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int toenic_cmd_rx_mode(struct toenic *nic, u32 mode,
		       const struct toenic_mac *macs, u32 count)
{
	return toenic_cmd_param(nic, TOE_ADMIN_RX_MODE, mode, count, macs,
				count * sizeof(*macs));
}

/**
 * toenic_cmd_rss() - give the card @nic->rss
 * @nic: the card
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int toenic_cmd_rss(struct toenic *nic)
{
	return toenic_cmd_param(nic, TOE_ADMIN_RSS, 0, 0, &nic->rss,
				sizeof(nic->rss));
}

/**
 * toenic_cmd_mtu() - frames may be so long
 * @nic: the card
 * @mtu: in bytes
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int toenic_cmd_mtu(struct toenic *nic, u32 mtu)
{
	return toenic_cmd_arg(nic, TOE_ADMIN_MTU, mtu);
}

/**
 * toenic_cmd_features() - switch what the card does with frames
 * @nic: the card, whose mirror is in @nic->tdev
 * @features: of the netdev
 *
 * Context: process, under RTNL or state_lock.
 * Return: 0 or -errno.
 */
int toenic_cmd_features(struct toenic *nic, netdev_features_t features)
{
	u32 arg = 0;

	if (features & NETIF_F_HW_VLAN_CTAG_RX)
		arg |= TOE_FEATURE_VLAN_STRIP;
	if (features & NETIF_F_RXCSUM)
		arg |= TOE_FEATURE_RXCSUM;
	if (features & NETIF_F_LOOPBACK)
		arg |= TOE_FEATURE_LOOPBACK;
	if (nic->tdev.mirror != TOE_MIRROR_OFF)
		arg |= TOE_FEATURE_MIRROR;
	if (nic->tdev.mirror == TOE_MIRROR_ALL)
		arg |= TOE_FEATURE_MIRROR_ALL;
	return toenic_cmd_arg(nic, TOE_ADMIN_FEATURES, arg);
}

/**
 * toenic_cmd_mac() - set the station address
 * @nic: the card
 * @mac: 6 bytes
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int toenic_cmd_mac(struct toenic *nic, const u8 *mac)
{
	return toenic_cmd_param(nic, TOE_ADMIN_MAC, 0, 0, mac, ETH_ALEN);
}

/**
 * toenic_cmd_stats() - bring @nic->hw_stats up to date
 * @nic: the card
 *
 * The card counts from its reset on; @hw_stats goes on over resets.
 * Context: process.
 * Return: 0 or -errno.
 */
int toenic_cmd_stats(struct toenic *nic)
{
	const __le64 *now = nic->admin.param;
	unsigned int i;
	int err;

	mutex_lock(&nic->admin.lock);
	memset(nic->admin.param, 0xff, sizeof(struct toe_nic_stats));
	err = toenic_admin_cmd(nic, TOE_ADMIN_STATS, 0, 0,
			       sizeof(struct toe_nic_stats));
	if (err)
		goto out;

	if (now[0] == cpu_to_le64(~0ULL)) {	/* it didn't arrive */
		err = -EIO;
		goto out;
	}
	spin_lock_bh(&nic->hw_lock);
	for (i = 0; i < TOENIC_HW_STATS; i++) {
		u64 val = le64_to_cpu(now[i]);

		nic->hw_stats[i] += val - nic->hw_last[i];
		nic->hw_last[i] = val;
	}
	spin_unlock_bh(&nic->hw_lock);
out:
	mutex_unlock(&nic->admin.lock);
	return err;
}
