// SPDX-License-Identifier: GPL-2.0
/*
 * ethtool: settings and counters.
 */
#include <linux/ethtool.h>
#include <linux/log2.h>

#include "toenic.h"
#include "classify.h"
#include "cmd.h"
#include "counts.h"
#include "ethtool.h"
#include "netdev.h"
#include "offload.h"

#define TOENIC_REGS_VERSION	1

/**
 * struct toenic_stat - a counter's name and place
 * @name: for ethtool -S
 * @offset: of the u64 in its structure
 */
struct toenic_stat {
	char name[ETH_GSTRING_LEN];
	unsigned int offset;
};

#define TOENIC_TX_STAT(field) \
	{ "tx_" #field, offsetof(struct toenic_tx_counts, field) }
#define TOENIC_RX_STAT(field) \
	{ "rx_" #field, offsetof(struct toenic_rx_counts, field) }
#define TOENIC_EVENT_STAT(field) \
	{ #field, offsetof(struct toenic_rx_counts, field) }
#define TOENIC_VERDICT_STAT(name, v) \
	{ "class_" name, offsetof(struct toenic_rx_counts, verdict[v]) }
#define TOENIC_SQ_STAT(field) \
	{ "toe_cmd_" #field, offsetof(struct toenic_sq_counts, field) }
#define TOENIC_HW_STAT_NAMED(field) \
	{ "card_" #field, offsetof(struct toe_nic_stats, field) }

static const struct toenic_stat toenic_tx_stats[] = {
	TOENIC_TX_STAT(tso),
	TOENIC_TX_STAT(csum),
	TOENIC_TX_STAT(stopped),
	TOENIC_TX_STAT(doorbells),
};

static const struct toenic_stat toenic_rx_stats[] = {
	TOENIC_RX_STAT(csum_ok),
	TOENIC_RX_STAT(csum_none),
	TOENIC_RX_STAT(copied),
	TOENIC_RX_STAT(page_reused),
	TOENIC_RX_STAT(page_alloc),
	TOENIC_RX_STAT(alloc_failed),
	TOENIC_RX_STAT(polls),
	TOENIC_RX_STAT(tx_woken),
	TOENIC_RX_STAT(bad_completions),
	TOENIC_EVENT_STAT(refused),
	TOENIC_VERDICT_STAT("offloaded_data", TOENIC_OFFLOADED_DATA),
	TOENIC_VERDICT_STAT("not_tcp", TOENIC_NOT_TCP),
	TOENIC_VERDICT_STAT("new_conn", TOENIC_NEW_CONN),
	TOENIC_VERDICT_STAT("closing", TOENIC_CLOSING),
	TOENIC_VERDICT_STAT("offload_complete", TOENIC_OFFLOAD_COMPLETE),
	TOENIC_VERDICT_STAT("close_state", TOENIC_CLOSE_STATE),
	TOENIC_VERDICT_STAT("stack", TOENIC_STACK),
	TOENIC_EVENT_STAT(toe_data_events),
	TOENIC_EVENT_STAT(toe_data_bytes),
	TOENIC_EVENT_STAT(toe_acked_events),
	TOENIC_EVENT_STAT(toe_recalled),
	TOENIC_EVENT_STAT(toe_closing),
	TOENIC_EVENT_STAT(toe_stale_events),
	TOENIC_EVENT_STAT(toe_mirror_frames),
	TOENIC_EVENT_STAT(toe_mirror_dropped),
	TOENIC_EVENT_STAT(rq_page_reused),
	TOENIC_EVENT_STAT(rq_page_alloc),
};

static const struct toenic_stat toenic_sq_stats[] = {
	TOENIC_SQ_STAT(begins),
	TOENIC_SQ_STAT(commits),
	TOENIC_SQ_STAT(aborts),
	TOENIC_SQ_STAT(recalls),
	TOENIC_SQ_STAT(sends),
	TOENIC_SQ_STAT(send_bytes),
	TOENIC_SQ_STAT(send_again),
	TOENIC_SQ_STAT(credits),
	TOENIC_SQ_STAT(backlogged),
	TOENIC_SQ_STAT(doorbells),
};

/* Those of the card that rtnl_link_stats64 doesn't have. */
static const struct toenic_stat toenic_card_stats[] = {
	TOENIC_HW_STAT_NAMED(rx_frames),
	TOENIC_HW_STAT_NAMED(rx_bytes),
	TOENIC_HW_STAT_NAMED(rx_filtered),
	TOENIC_HW_STAT_NAMED(rx_csum_bad),
	TOENIC_HW_STAT_NAMED(tx_frames),
	TOENIC_HW_STAT_NAMED(tx_bytes),
	TOENIC_HW_STAT_NAMED(tx_bad_desc),
	TOENIC_HW_STAT_NAMED(dma_errors),
	TOENIC_HW_STAT_NAMED(reg_errors),
	TOENIC_HW_STAT_NAMED(toe_rx_segs),
	TOENIC_HW_STAT_NAMED(toe_rx_bytes),
	TOENIC_HW_STAT_NAMED(toe_tx_segs),
	TOENIC_HW_STAT_NAMED(toe_tx_bytes),
	TOENIC_HW_STAT_NAMED(toe_retrans_segs),
	TOENIC_HW_STAT_NAMED(toe_held_frames),
	TOENIC_HW_STAT_NAMED(toe_held_dropped),
	TOENIC_HW_STAT_NAMED(toe_cmd_errors),
	TOENIC_HW_STAT_NAMED(toe_csum_bad),
	TOENIC_HW_STAT_NAMED(toe_contexts),
	TOENIC_HW_STAT_NAMED(toe_no_buffer),
	TOENIC_HW_STAT_NAMED(toe_mirrored),
	TOENIC_HW_STAT_NAMED(toe_mirror_lost),
};

/* Deaths of the card by enum toenic_fatal, and returns from them. */
static const char toenic_health_stats[][ETH_GSTRING_LEN] = {
	"death_heartbeat",
	"death_all_ones",
	"death_status",
	"death_admin_command",
	"death_toe_command",
	"death_protocol",
	"death_transmit",
	"death_pci",
	"recovered",
};

static_assert(ARRAY_SIZE(toenic_health_stats) == TOENIC_FATAL_REASONS);

static const char toenic_priv_flags[][ETH_GSTRING_LEN] = {
	"tcp-offload",
};

#define TOENIC_PRIV_OFFLOAD	BIT(0)

static const u32 toenic_regs[] = {
	TOE_REG_MAGIC, TOE_REG_VERSION, TOE_REG_CAP_NIC, TOE_REG_CAP_TOE,
	TOE_REG_PAIRS, TOE_REG_CONTEXTS, TOE_REG_FRAGS, TOE_REG_MAX_MTU,
	TOE_REG_MAC_LO, TOE_REG_MAC_HI, TOE_REG_STATUS, TOE_REG_CONTROL,
};

static void toenic_get_drvinfo(struct net_device *netdev,
			       struct ethtool_drvinfo *info)
{
	struct toenic *nic = netdev_priv(netdev);

	strscpy(info->driver, TOENIC_NAME, sizeof(info->driver));
	strscpy(info->bus_info, pci_name(nic->pdev), sizeof(info->bus_info));
}

static int toenic_get_regs_len(struct net_device *netdev)
{
	return sizeof(toenic_regs);
}

static void toenic_get_regs(struct net_device *netdev,
			    struct ethtool_regs *regs, void *data)
{
	struct toenic *nic = netdev_priv(netdev);
	u32 *val = data;
	unsigned int i;

	regs->version = TOENIC_REGS_VERSION;
	for (i = 0; i < ARRAY_SIZE(toenic_regs); i++)
		val[i] = toenic_rd32(nic, toenic_regs[i]);
}

static int toenic_get_link_ksettings(struct net_device *netdev,
				     struct ethtool_link_ksettings *ks)
{
	ethtool_link_ksettings_zero_link_mode(ks, supported);
	ethtool_link_ksettings_zero_link_mode(ks, advertising);
	ks->base.speed = netif_carrier_ok(netdev) ? SPEED_10000 :
						    SPEED_UNKNOWN;
	ks->base.duplex = netif_carrier_ok(netdev) ? DUPLEX_FULL :
						     DUPLEX_UNKNOWN;
	ks->base.port = PORT_OTHER;
	ks->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static void toenic_get_ringparam(struct net_device *netdev,
				 struct ethtool_ringparam *ring,
				 struct kernel_ethtool_ringparam *kring,
				 struct netlink_ext_ack *extack)
{
	struct toenic *nic = netdev_priv(netdev);

	ring->rx_max_pending = TOE_RING_MAX / 4;
	ring->tx_max_pending = TOE_RING_MAX / 4;
	ring->rx_pending = nic->rx_size;
	ring->tx_pending = nic->tx_size;
}

static int toenic_change_rings(struct toenic *nic, const void *arg)
{
	const struct ethtool_ringparam *ring = arg;

	nic->rx_size = ring->rx_pending;
	nic->tx_size = ring->tx_pending;
	return 0;
}

static int toenic_set_ringparam(struct net_device *netdev,
				struct ethtool_ringparam *ring,
				struct kernel_ethtool_ringparam *kring,
				struct netlink_ext_ack *extack)
{
	struct toenic *nic = netdev_priv(netdev);

	if (ring->rx_mini_pending || ring->rx_jumbo_pending)
		return -EINVAL;
	if (ring->rx_pending < TOE_RING_MIN ||
	    ring->tx_pending < 4 * TOE_RING_MIN) {
		NL_SET_ERR_MSG(extack, "at least 16 rx and 64 tx entries");
		return -EINVAL;
	}
	ring->rx_pending = roundup_pow_of_two(ring->rx_pending);
	ring->tx_pending = roundup_pow_of_two(ring->tx_pending);
	if (ring->rx_pending == nic->rx_size &&
	    ring->tx_pending == nic->tx_size)
		return 0;
	return toenic_restart(nic, toenic_change_rings, ring);
}

static void toenic_get_channels(struct net_device *netdev,
				struct ethtool_channels *ch)
{
	struct toenic *nic = netdev_priv(netdev);

	ch->max_combined = nic->max_pairs;
	ch->combined_count = nic->num_pairs;
}

static int toenic_change_channels(struct toenic *nic, const void *arg)
{
	const struct ethtool_channels *ch = arg;

	nic->num_pairs = ch->combined_count;
	if (!netif_is_rxfh_configured(nic->netdev))
		toenic_rss_default(nic);
	return 0;
}

static int toenic_set_channels(struct net_device *netdev,
			       struct ethtool_channels *ch)
{
	struct toenic *nic = netdev_priv(netdev);

	if (!ch->combined_count || ch->rx_count || ch->tx_count ||
	    ch->other_count || ch->combined_count > nic->max_pairs)
		return -EINVAL;
	if (ch->combined_count == nic->num_pairs)
		return 0;
	return toenic_restart(nic, toenic_change_channels, ch);
}

static u32 toenic_rx_ring_count(struct net_device *netdev)
{
	struct toenic *nic = netdev_priv(netdev);

	return nic->num_pairs;
}

static u32 toenic_get_rxfh_key_size(struct net_device *netdev)
{
	return TOE_RSS_KEY;
}

static u32 toenic_get_rxfh_indir_size(struct net_device *netdev)
{
	return TOE_RSS_INDIR;
}

static int toenic_get_rxfh(struct net_device *netdev,
			   struct ethtool_rxfh_param *rxfh)
{
	struct toenic *nic = netdev_priv(netdev);
	unsigned int i;

	rxfh->hfunc = ETH_RSS_HASH_TOP;
	if (rxfh->key)
		memcpy(rxfh->key, nic->rss.key, TOE_RSS_KEY);
	for (i = 0; rxfh->indir && i < TOE_RSS_INDIR; i++)
		rxfh->indir[i] = nic->rss.indir[i];
	return 0;
}

static int toenic_set_rxfh(struct net_device *netdev,
			   struct ethtool_rxfh_param *rxfh,
			   struct netlink_ext_ack *extack)
{
	struct toenic *nic = netdev_priv(netdev);
	unsigned int i;

	if (!(nic->caps & TOE_CAP_NIC_RSS) ||
	    (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	     rxfh->hfunc != ETH_RSS_HASH_TOP))
		return -EOPNOTSUPP;

	if (rxfh->key)
		memcpy(nic->rss.key, rxfh->key, TOE_RSS_KEY);
	for (i = 0; rxfh->indir && i < TOE_RSS_INDIR; i++)
		nic->rss.indir[i] = rxfh->indir[i];
	if (!test_bit(TOENIC_UP, &nic->flags))
		return 0;
	return toenic_cmd_rss(nic);
}

COMPAT_RXFH_OPS(toenic_get_rxfh, toenic_set_rxfh)
COMPAT_RX_RING_COUNT(toenic_rx_ring_count)

static u32 toenic_get_priv_flags(struct net_device *netdev)
{
	struct toenic *nic = netdev_priv(netdev);

	return toenic_offload_enabled(nic) ? TOENIC_PRIV_OFFLOAD : 0;
}

static int toenic_set_priv_flags(struct net_device *netdev, u32 flags)
{
	struct toenic *nic = netdev_priv(netdev);
	bool on = flags & TOENIC_PRIV_OFFLOAD;

	if (on == toenic_offload_enabled(nic))
		return 0;
	if (!test_bit(TOENIC_TOE, &nic->flags))
		return -EOPNOTSUPP;
	return toe_device_enable(&nic->tdev, on);
}

static void toenic_stat_names(u8 **data, const struct toenic_stat *stats,
			      size_t count)
{
	for (; count--; stats++, *data += ETH_GSTRING_LEN)
		memcpy(*data, stats->name, ETH_GSTRING_LEN);
}

static void toenic_get_strings(struct net_device *netdev, u32 set, u8 *data)
{
	const struct toenic *nic = netdev_priv(netdev);

	if (set == ETH_SS_PRIV_FLAGS) {
		memcpy(data, toenic_priv_flags, sizeof(toenic_priv_flags));
		return;
	}
	if (set != ETH_SS_STATS)
		return;

	toenic_counts_names(nic, &data);
	toenic_stat_names(&data, toenic_tx_stats, ARRAY_SIZE(toenic_tx_stats));
	toenic_stat_names(&data, toenic_rx_stats, ARRAY_SIZE(toenic_rx_stats));
	toenic_stat_names(&data, toenic_sq_stats, ARRAY_SIZE(toenic_sq_stats));
	toenic_stat_names(&data, toenic_card_stats,
			  ARRAY_SIZE(toenic_card_stats));
	memcpy(data, toenic_health_stats, sizeof(toenic_health_stats));
	data += sizeof(toenic_health_stats);
	toe_stats_strings(&data);
}

static int toenic_get_sset_count(struct net_device *netdev, int set)
{
	switch (set) {
	case ETH_SS_STATS:
		return toenic_counts_number(netdev_priv(netdev)) +
		       ARRAY_SIZE(toenic_tx_stats) +
		       ARRAY_SIZE(toenic_rx_stats) +
		       ARRAY_SIZE(toenic_sq_stats) +
		       ARRAY_SIZE(toenic_card_stats) +
		       ARRAY_SIZE(toenic_health_stats) + toe_stats_count();
	case ETH_SS_PRIV_FLAGS:
		return ARRAY_SIZE(toenic_priv_flags);
	default:
		return -EOPNOTSUPP;
	}
}

/* The sum over all pairs; @base is the offset of the counters in a pair. */
static void toenic_stat_sums(const struct toenic *nic, u64 **data,
			     const struct toenic_stat *stats, size_t count,
			     size_t base)
{
	const void *counts;
	unsigned int i;

	for (; count--; stats++, (*data)++) {
		**data = 0;
		for (i = 0; i < nic->max_pairs; i++) {
			counts = (const void *)&nic->pairs[i] + base;
			**data += READ_ONCE(*(u64 *)(counts + stats->offset));
		}
	}
}

static void toenic_get_ethtool_stats(struct net_device *netdev,
				     struct ethtool_stats *stats, u64 *data)
{
	struct toenic *nic = netdev_priv(netdev);
	unsigned int i;

	if (!toenic_is_dead(nic))
		toenic_cmd_stats(nic);

	toenic_counts_values(nic, &data);
	toenic_stat_sums(nic, &data, toenic_tx_stats,
			 ARRAY_SIZE(toenic_tx_stats),
			 offsetof(struct toenic_pair, tx_counts));
	toenic_stat_sums(nic, &data, toenic_rx_stats,
			 ARRAY_SIZE(toenic_rx_stats),
			 offsetof(struct toenic_pair, rx_counts));
	toenic_stat_sums(nic, &data, toenic_sq_stats,
			 ARRAY_SIZE(toenic_sq_stats),
			 offsetof(struct toenic_pair, sq_counts));

	spin_lock_bh(&nic->hw_lock);
	for (i = 0; i < ARRAY_SIZE(toenic_card_stats); i++)
		*data++ = nic->hw_stats[toenic_card_stats[i].offset /
					sizeof(u64)];
	spin_unlock_bh(&nic->hw_lock);

	for (i = TOENIC_FATAL_NONE + 1; i < TOENIC_FATAL_REASONS; i++)
		*data++ = atomic_long_read(&nic->health.deaths[i]);
	*data++ = atomic_long_read(&nic->health.recovered);

	/* zeros until the filter knows the card */
	memset(data, 0, toe_stats_count() * sizeof(*data));
	if (test_bit(TOENIC_TOE, &nic->flags))
		toe_stats_values(&nic->tdev, data);
}

static const struct ethtool_ops toenic_ethtool_ops = {
	.get_drvinfo		= toenic_get_drvinfo,
	.get_regs_len		= toenic_get_regs_len,
	.get_regs		= toenic_get_regs,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= toenic_get_link_ksettings,
	.get_ringparam		= toenic_get_ringparam,
	.set_ringparam		= toenic_set_ringparam,
	.get_channels		= toenic_get_channels,
	.set_channels		= toenic_set_channels,
	COMPAT_RX_RING_COUNT_OP(toenic_rx_ring_count),
	.get_rxfh_key_size	= toenic_get_rxfh_key_size,
	.get_rxfh_indir_size	= toenic_get_rxfh_indir_size,
	.get_rxfh		= COMPAT_RXFH_OP(toenic_get_rxfh),
	.set_rxfh		= COMPAT_RXFH_OP(toenic_set_rxfh),
	.get_priv_flags		= toenic_get_priv_flags,
	.set_priv_flags		= toenic_set_priv_flags,
	.get_strings		= toenic_get_strings,
	.get_sset_count		= toenic_get_sset_count,
	.get_ethtool_stats	= toenic_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
};

/**
 * toenic_ethtool_setup() - attach the operations
 * @netdev: before registration
 */
void toenic_ethtool_setup(struct net_device *netdev)
{
	netdev->ethtool_ops = &toenic_ethtool_ops;
}
