// SPDX-License-Identifier: GPL-2.0
/*
 * The network device: up, down, and what the stack may ask of it.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/interrupt.h>

#include "toenic.h"
#include "cmd.h"
#include "counts.h"
#include "ethtool.h"
#include "health.h"
#include "netdev.h"
#include "offload.h"
#include "tx.h"

#define TOENIC_TX_CHANCES	3	/* timeouts without any progress */

/**
 * toenic_rss_default() - spread flows evenly over the pairs in use
 * @nic: the card
 *
 * Context: process, under RTNL or before registration.
 */
void toenic_rss_default(struct toenic *nic)
{
	unsigned int i;

	for (i = 0; i < TOE_RSS_INDIR; i++)
		nic->rss.indir[i] =
			ethtool_rxfh_indir_default(i, nic->num_pairs);
}

/* Tell the card which frames are ours. */
static int toenic_send_rx_mode(struct toenic *nic)
{
	struct net_device *netdev = nic->netdev;
	struct netdev_hw_addr *ha;
	struct toenic_mac *macs;
	u32 count = 0;
	u32 mode = 0;
	int err;

	macs = kcalloc(TOE_RX_MODE_MAX_MACS, sizeof(*macs), GFP_KERNEL);
	if (!macs)
		return -ENOMEM;

	netif_addr_lock_bh(netdev);
	if (netdev->flags & IFF_PROMISC ||
	    netdev_uc_count(netdev) > TOE_RX_MODE_MAX_MACS)
		mode |= TOE_RX_MODE_PROMISC;
	else
		netdev_for_each_uc_addr(ha, netdev)
			ether_addr_copy(macs[count++].addr, ha->addr);

	if (netdev->flags & IFF_ALLMULTI ||
	    netdev_mc_count(netdev) > TOE_RX_MODE_MAX_MACS - count)
		mode |= TOE_RX_MODE_ALLMULTI;
	else
		netdev_for_each_mc_addr(ha, netdev)
			ether_addr_copy(macs[count++].addr, ha->addr);
	netif_addr_unlock_bh(netdev);

	err = toenic_cmd_rx_mode(nic, mode, macs, count);
	kfree(macs);
	return err;
}

static void toenic_rx_mode_work(struct work_struct *work)
{
	struct toenic *nic = container_of(work, struct toenic, rx_mode_work);
	int err;

	if (toenic_is_dead(nic) || !test_bit(TOENIC_UP, &nic->flags))
		return;	/* toenic_up() sends it */
	err = toenic_send_rx_mode(nic);
	if (err)
		netdev_warn(nic->netdev, "receive mode not set: %d\n", err);
}

static void toenic_link_work(struct work_struct *work)
{
	struct toenic *nic = container_of(work, struct toenic, link_work);
	struct net_device *netdev = nic->netdev;
	u32 status;

	/* The carrier must not come back behind toenic_down(). */
	mutex_lock(&nic->state_lock);
	if (toenic_is_dead(nic) || !test_bit(TOENIC_UP, &nic->flags))
		goto out;

	status = toenic_rd32(nic, TOE_REG_STATUS);
	if (status == ~0U)
		goto out;
	if (status & TOE_STATUS_FATAL)
		toenic_fatal(nic, TOENIC_FATAL_STATUS);
	else if (status & TOE_STATUS_LINK)
		netif_carrier_on(netdev);
	else
		netif_carrier_off(netdev);
out:
	mutex_unlock(&nic->state_lock);
}

/* What a reset has made the card forget. */
static int toenic_configure(struct toenic *nic)
{
	struct net_device *netdev = nic->netdev;
	int err;

	err = toenic_cmd_mac(nic, netdev->dev_addr);
	if (err)
		return err;
	err = toenic_cmd_mtu(nic, netdev->mtu);
	if (err)
		return err;
	err = toenic_cmd_features(nic, netdev->features);
	if (err)
		return err;
	if (nic->caps & TOE_CAP_NIC_RSS) {
		err = toenic_cmd_rss(nic);
		if (err)
			return err;
	}
	return toenic_send_rx_mode(nic);
}

static int toenic_pair_up(struct toenic_pair *pair)
{
	struct toenic *nic = pair->nic;
	int err;

	err = toenic_pair_alloc(pair);
	if (err)
		return err;

	snprintf(pair->irq_name, sizeof(pair->irq_name), "%s-%u",
		 netdev_name(nic->netdev), pair->index);
	pair->irq = pci_irq_vector(nic->pdev, TOE_VECTOR_PAIR(pair->index));
	err = request_irq(pair->irq, toenic_pair_irq, 0, pair->irq_name, pair);
	if (err)
		goto err_free;
	irq_set_affinity_and_hint(pair->irq,
				  cpumask_of(cpumask_local_spread(pair->index,
								  NUMA_NO_NODE)));

	err = toenic_cmd_pair_create(pair);
	if (err)
		goto err_irq_free;
	return 0;

err_irq_free:
	if (toenic_is_dead(nic))	/* it may create the pair yet */
		toenic_health_cut(nic);
	irq_set_affinity_and_hint(pair->irq, NULL);
	free_irq(pair->irq, pair);
err_free:
	toenic_pair_free(pair);
	return err;
}

/* The card has forgotten the pair, or can't reach memory. */
static void toenic_pair_down(struct toenic_pair *pair)
{
	irq_set_affinity_and_hint(pair->irq, NULL);
	free_irq(pair->irq, pair);
	toenic_pair_free(pair);
}

/* Have the card forget all pairs; if it doesn't answer, take its bus away. */
static void toenic_destroy_pairs(struct toenic *nic, unsigned int count)
{
	while (count--) {
		if (!toenic_is_dead(nic) &&
		    !toenic_cmd_pair_destroy(&nic->pairs[count]))
			continue;
		toenic_health_cut(nic);
		return;
	}
}

/**
 * toenic_up() - create the rings and let them run
 * @nic: the card, reset and enabled
 *
 * Context: process, under state_lock.
 * Return: 0 or -errno.
 */
int toenic_up(struct toenic *nic)
{
	struct net_device *netdev = nic->netdev;
	unsigned int i;
	int err;

	lockdep_assert_held(&nic->state_lock);

	for (i = 0; i < nic->num_pairs; i++) {
		err = toenic_pair_up(&nic->pairs[i]);
		if (err)
			goto err_pairs_down;
	}
	err = toenic_configure(nic);
	if (err)
		goto err_pairs_down;

	set_bit(TOENIC_UP, &nic->flags);
	for (i = 0; i < nic->num_pairs; i++)
		toenic_pair_start(&nic->pairs[i]);
	netif_tx_wake_all_queues(netdev);
	queue_work(nic->wq, &nic->link_work);
	/* the lists may have changed while nobody listened */
	queue_work(nic->wq, &nic->rx_mode_work);
	return 0;

err_pairs_down:
	toenic_destroy_pairs(nic, i);
	while (i--)
		toenic_pair_down(&nic->pairs[i]);
	return err;
}

/**
 * toenic_down() - stop and free the rings
 * @nic: up or not; the filter is suspended, or the card is dead
 *
 * A dead card has been cut off from the bus already.  Then what it had
 * completed is taken in here.
 * Context: process, under state_lock.
 */
void toenic_down(struct toenic *nic)
{
	struct net_device *netdev = nic->netdev;
	unsigned int i;

	lockdep_assert_held(&nic->state_lock);

	if (!test_and_clear_bit(TOENIC_UP, &nic->flags))
		return;

	netif_carrier_off(netdev);
	for (i = 0; i < nic->num_pairs; i++)
		toenic_pair_stop(&nic->pairs[i]);
	netif_tx_disable(netdev);
	toenic_destroy_pairs(nic, nic->num_pairs);
	for (i = 0; i < nic->num_pairs; i++)
		toenic_pair_drain(&nic->pairs[i]);
	toenic_offload_drop(nic, false);
	for (i = 0; i < nic->num_pairs; i++)
		toenic_pair_down(&nic->pairs[i]);
}

static int toenic_open(struct net_device *netdev)
{
	struct toenic *nic = netdev_priv(netdev);
	int err;

	netif_carrier_off(netdev);
	err = netif_set_real_num_tx_queues(netdev, nic->num_pairs);
	if (err)
		return err;
	err = netif_set_real_num_rx_queues(netdev, nic->num_pairs);
	if (err)
		return err;

	mutex_lock(&nic->state_lock);
	if (test_bit(TOENIC_REMOVING, &nic->flags)) {
		err = -ENODEV;
		goto out;
	}
	err = toenic_is_dead(nic) ? -EIO : toenic_up(nic);
	if (err && !toenic_is_dead(nic))
		goto out;
	nic->want_up = true;
	if (err) {
		/* Recovery is under way and will bring the rings up. */
		netif_tx_stop_all_queues(netdev);
		err = 0;
		goto out;
	}
	toenic_offload_resume(nic);
out:
	mutex_unlock(&nic->state_lock);
	return err;
}

static int toenic_stop(struct net_device *netdev)
{
	struct toenic *nic = netdev_priv(netdev);

	/* From here on recovery doesn't bring the rings back. */
	mutex_lock(&nic->state_lock);
	nic->want_up = false;
	mutex_unlock(&nic->state_lock);

	/* Needs the rings, or recovery, which needs state_lock. */
	toenic_offload_suspend(nic);

	mutex_lock(&nic->state_lock);
	toenic_down(nic);
	mutex_unlock(&nic->state_lock);
	return 0;
}

/**
 * toenic_restart() - change something that only changes while down
 * @nic: the card
 * @change: makes the change; may fail without having changed anything
 * @arg: for @change
 *
 * Context: process, under RTNL.
 * Return: 0 or -errno; the device may be down then though it should be up.
 */
int toenic_restart(struct toenic *nic,
		   int (*change)(struct toenic *nic, const void *arg),
		   const void *arg)
{
	struct net_device *netdev = nic->netdev;
	bool running = netif_running(netdev);
	int err;
	int ret;

	ASSERT_RTNL();

	if (running)
		toenic_stop(netdev);
	err = change(nic, arg);
	if (!running)
		return err;

	ret = toenic_open(netdev);
	if (ret) {
		netdev_err(netdev, "can't come back up: %d\n", ret);
		dev_close(netdev);
	}
	return err ?: ret;
}

static void toenic_set_rx_mode(struct net_device *netdev)
{
	struct toenic *nic = netdev_priv(netdev);

	queue_work(nic->wq, &nic->rx_mode_work);
}

static int toenic_set_mac(struct net_device *netdev, void *p)
{
	struct toenic *nic = netdev_priv(netdev);
	struct sockaddr *addr = p;
	int err;

	if (!is_valid_ether_addr(addr->sa_data))
		return -EADDRNOTAVAIL;
	if (test_bit(TOENIC_UP, &nic->flags)) {
		err = toenic_cmd_mac(nic, addr->sa_data);
		if (err)
			return err;
	}
	eth_hw_addr_set(netdev, addr->sa_data);
	return 0;
}

static int toenic_change_mtu(struct net_device *netdev, int mtu)
{
	struct toenic *nic = netdev_priv(netdev);
	int err;

	if (test_bit(TOENIC_UP, &nic->flags)) {
		err = toenic_cmd_mtu(nic, mtu);
		if (err)
			return err;
	}
	WRITE_ONCE(netdev->mtu, mtu);
	return 0;
}

static int toenic_set_features(struct net_device *netdev,
			       netdev_features_t features)
{
	struct toenic *nic = netdev_priv(netdev);

	if (!test_bit(TOENIC_UP, &nic->flags))
		return 0;
	return toenic_cmd_features(nic, features);
}

/* A wire that takes nothing isn't a dead card: a few chances to go on. */
static void toenic_tx_timeout(struct net_device *netdev, unsigned int queue)
{
	struct toenic *nic = netdev_priv(netdev);
	struct toenic_pair *pair = &nic->pairs[queue];
	struct toenic_tx *tx = &pair->tx;

	netdev_warn(netdev, "queue %u stuck: filled %u, told %u, done %u\n",
		    queue, tx->ring.next, tx->ring.rung, tx->done);
	if (tx->done != tx->stuck_at) {
		tx->stuck_at = tx->done;
		tx->stuck = 0;
	}
	if (++tx->stuck >= TOENIC_TX_CHANCES)
		toenic_fatal(nic, TOENIC_FATAL_TX);
	else
		napi_schedule(&pair->napi);
}

static const struct net_device_ops toenic_netdev_ops = {
	.ndo_open		= toenic_open,
	.ndo_stop		= toenic_stop,
	.ndo_start_xmit		= toenic_xmit,
	.ndo_set_rx_mode	= toenic_set_rx_mode,
	.ndo_set_mac_address	= toenic_set_mac,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_change_mtu		= toenic_change_mtu,
	.ndo_set_features	= toenic_set_features,
	.ndo_tx_timeout		= toenic_tx_timeout,
	.ndo_get_stats64	= toenic_get_stats64,
};

/**
 * toenic_netdev_alloc() - allocate the network device and the card's structure
 * @pdev: its PCI function
 * @pairs: queues of each direction at most
 *
 * Context: process.
 * Return: the device, or NULL.
 */
struct net_device *toenic_netdev_alloc(struct pci_dev *pdev, unsigned int pairs)
{
	struct net_device *netdev;
	struct toenic *nic;

	netdev = alloc_netdev_mqs(sizeof(*nic), "toe%d", NET_NAME_ENUM,
				  ether_setup, pairs, pairs);
	if (!netdev)
		return NULL;

	SET_NETDEV_DEV(netdev, &pdev->dev);
	nic = netdev_priv(netdev);
	nic->netdev = netdev;
	nic->pdev = pdev;
	nic->max_pairs = pairs;
	nic->num_pairs = pairs;
	nic->tx_size = TOENIC_TX_SIZE;
	nic->rx_size = TOENIC_RX_SIZE;
	mutex_init(&nic->state_lock);
	spin_lock_init(&nic->hw_lock);
	INIT_WORK(&nic->rx_mode_work, toenic_rx_mode_work);
	INIT_WORK(&nic->link_work, toenic_link_work);
	return netdev;
}

static void toenic_netdev_mac(struct toenic *nic)
{
	u32 lo = toenic_rd32(nic, TOE_REG_MAC_LO);
	u32 hi = toenic_rd32(nic, TOE_REG_MAC_HI);
	u8 mac[ETH_ALEN];

	put_unaligned_le32(lo, mac);
	put_unaligned_le16(hi, mac + 4);
	if (is_valid_ether_addr(mac)) {
		eth_hw_addr_set(nic->netdev, mac);
		ether_addr_copy(nic->netdev->perm_addr, mac);
	} else {
		eth_hw_addr_random(nic->netdev);
		netdev_info(nic->netdev, "no permanent MAC, using a random one\n");
	}
}

/**
 * toenic_netdev_setup() - what the device can do, from the card's registers
 * @nic: the card, ready
 *
 * Context: process, before registration.
 */
void toenic_netdev_setup(struct toenic *nic)
{
	struct net_device *netdev = nic->netdev;
	netdev_features_t hw = NETIF_F_SG | NETIF_F_LOOPBACK;

	if (nic->caps & TOE_CAP_NIC_TXCSUM)
		hw |= NETIF_F_HW_CSUM;
	if (nic->caps & TOE_CAP_NIC_RXCSUM)
		hw |= NETIF_F_RXCSUM;
	if (nic->caps & TOE_CAP_NIC_TSO)
		hw |= NETIF_F_TSO;
	if (nic->caps & TOE_CAP_NIC_TSO6)
		hw |= NETIF_F_TSO6;
	if (nic->caps & TOE_CAP_NIC_RSS)
		hw |= NETIF_F_RXHASH;
	netdev->vlan_features = (hw & ~(NETIF_F_LOOPBACK | NETIF_F_RXHASH)) |
				NETIF_F_HIGHDMA;
	if (nic->caps & TOE_CAP_NIC_VLAN)
		hw |= NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX;

	netdev->hw_features = hw;
	netdev->features = (hw & ~NETIF_F_LOOPBACK) | NETIF_F_HIGHDMA;
	netdev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = toenic_rd32(nic, TOE_REG_MAX_MTU);
	netdev->watchdog_timeo = 5 * HZ;
	netdev->netdev_ops = &toenic_netdev_ops;
	netif_set_tso_max_size(netdev, TSO_LEGACY_MAX_SIZE);
	toenic_counts_setup(netdev);
	toenic_ethtool_setup(netdev);
	toenic_netdev_mac(nic);

	netdev_rss_key_fill(nic->rss.key, sizeof(nic->rss.key));
	toenic_rss_default(nic);
}
