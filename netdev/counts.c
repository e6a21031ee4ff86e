// SPDX-License-Identifier: GPL-2.0
/*
 * Packets and bytes, of the device and of each queue.
 *
 * What connections in the card have sent and taken in counts as if the driver had
 * moved it; the card says how much in the shadow of a pair's completion ring.  Frames
 * that the card hands up, and those that it held and hands up later, are the driver's;
 * copies for taps are nobody's.
 */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "toenic.h"
#include "counts.h"

/* What pair N and its two queues have moved, as ethtool -S names it. */
static const char * const toenic_queue_names[] = {
	"rx%u_packets",
	"rx%u_bytes",
	"tx%u_packets",
	"tx%u_bytes",
};

static const char toenic_offload_names[][ETH_GSTRING_LEN] = {
	"offload_rx_packets",
	"offload_rx_bytes",
	"offload_tx_packets",
	"offload_tx_bytes",
};

/* hw_lock held. */
static void toenic_toe_counts(const struct toenic_pair *pair,
			      struct toenic_toe_counts *toe)
{
	const struct toe_shadow *shadow = READ_ONCE(pair->shadow);

	lockdep_assert_held(&pair->nic->hw_lock);

	*toe = pair->toe_counts;
	if (!shadow)
		return;
	shadow += TOE_RING_CQ;
	toe->rx_packets += le64_to_cpu(READ_ONCE(shadow->toe_rx_frames));
	toe->rx_bytes += le64_to_cpu(READ_ONCE(shadow->toe_rx_bytes));
	toe->tx_packets += le64_to_cpu(READ_ONCE(shadow->toe_tx_frames));
	toe->tx_bytes += le64_to_cpu(READ_ONCE(shadow->toe_tx_bytes));
}

/**
 * toenic_counts_keep() - the pair's rings go, what they have counted stays
 * @pair: the card no longer uses it
 *
 * Context: process, under state_lock.
 * Return: the memory of its shadows, which is the caller's; or NULL.
 */
struct toe_shadow *toenic_counts_keep(struct toenic_pair *pair)
{
	struct toe_shadow *shadow = pair->shadow;

	spin_lock_bh(&pair->nic->hw_lock);
	toenic_toe_counts(pair, &pair->toe_counts);
	WRITE_ONCE(pair->shadow, NULL);
	spin_unlock_bh(&pair->nic->hw_lock);
	return shadow;
}

static void toenic_counts_rx(const struct toenic_pair *pair, u64 *packets,
			     u64 *bytes)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&pair->rx_sync);
		*packets = pair->rx_counts.packets;
		*bytes = pair->rx_counts.bytes;
	} while (u64_stats_fetch_retry(&pair->rx_sync, start));
}

static void toenic_counts_tx(const struct toenic_pair *pair, u64 *packets,
			     u64 *bytes)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&pair->tx_sync);
		*packets = pair->tx_counts.packets;
		*bytes = pair->tx_counts.bytes;
	} while (u64_stats_fetch_retry(&pair->tx_sync, start));
}

/* All that the pair has moved, in the order of toenic_queue_names. */
static void toenic_counts_pair(const struct toenic_pair *pair, u64 *val)
{
	struct toenic_toe_counts toe;

	toenic_counts_rx(pair, &val[0], &val[1]);
	toenic_counts_tx(pair, &val[2], &val[3]);
	spin_lock_bh(&pair->nic->hw_lock);
	toenic_toe_counts(pair, &toe);
	spin_unlock_bh(&pair->nic->hw_lock);
	val[0] += toe.rx_packets;
	val[1] += toe.rx_bytes;
	val[2] += toe.tx_packets;
	val[3] += toe.tx_bytes;
}

/**
 * toenic_get_stats64() - ndo_get_stats64
 * @netdev: the device
 * @st: zeroed
 *
 * Context: any that may take hw_lock.
 */
void toenic_get_stats64(struct net_device *netdev, struct rtnl_link_stats64 *st)
{
	struct toenic *nic = netdev_priv(netdev);
	u64 val[ARRAY_SIZE(toenic_queue_names)];
	const struct toenic_pair *pair;
	unsigned int i;

	for (i = 0; i < nic->max_pairs; i++) {
		pair = &nic->pairs[i];
		toenic_counts_pair(pair, val);
		st->rx_packets += val[0];
		st->rx_bytes += val[1];
		st->tx_packets += val[2];
		st->tx_bytes += val[3];
		st->rx_dropped += READ_ONCE(pair->rx_counts.dropped);
		st->rx_length_errors += READ_ONCE(pair->rx_counts.length_errors);
		st->tx_dropped += READ_ONCE(pair->tx_counts.dropped);
	}

	/* as of the last look at the card, a second ago at most */
	spin_lock_bh(&nic->hw_lock);
	st->rx_missed_errors = nic->hw_stats[TOENIC_HW_STAT(rx_no_buffer)];
	st->rx_over_errors = nic->hw_stats[TOENIC_HW_STAT(rx_oversize)];
	spin_unlock_bh(&nic->hw_lock);
	st->rx_errors = st->rx_length_errors + st->rx_over_errors;
}

static void toenic_queue_stats_rx(struct net_device *netdev, int index,
				  struct netdev_queue_stats_rx *rx)
{
	struct toenic *nic = netdev_priv(netdev);
	u64 val[ARRAY_SIZE(toenic_queue_names)];

	toenic_counts_pair(&nic->pairs[index], val);
	rx->packets = val[0];
	rx->bytes = val[1];
}

static void toenic_queue_stats_tx(struct net_device *netdev, int index,
				  struct netdev_queue_stats_tx *tx)
{
	struct toenic *nic = netdev_priv(netdev);
	u64 val[ARRAY_SIZE(toenic_queue_names)];

	toenic_counts_pair(&nic->pairs[index], val);
	tx->packets = val[2];
	tx->bytes = val[3];
}

/* What queues have moved that don't exist now. */
static void toenic_base_stats(struct net_device *netdev,
			      struct netdev_queue_stats_rx *rx,
			      struct netdev_queue_stats_tx *tx)
{
	struct toenic *nic = netdev_priv(netdev);
	u64 val[ARRAY_SIZE(toenic_queue_names)];
	unsigned int i;

	rx->packets = 0;
	rx->bytes = 0;
	tx->packets = 0;
	tx->bytes = 0;
	for (i = netdev->real_num_rx_queues; i < nic->max_pairs; i++) {
		toenic_counts_pair(&nic->pairs[i], val);
		rx->packets += val[0];
		rx->bytes += val[1];
		tx->packets += val[2];
		tx->bytes += val[3];
	}
}

static const struct netdev_stat_ops toenic_stat_ops = {
	.get_queue_stats_rx	= toenic_queue_stats_rx,
	.get_queue_stats_tx	= toenic_queue_stats_tx,
	.get_base_stats		= toenic_base_stats,
};

/**
 * toenic_counts_setup() - let queues be asked one by one
 * @netdev: before registration
 */
void toenic_counts_setup(struct net_device *netdev)
{
	COMPAT_STAT_OPS(netdev, toenic_stat_ops);
}

/**
 * toenic_counts_number() - counters that ethtool -S shows of this file
 * @nic: the card
 *
 * Return: always the same.
 */
unsigned int toenic_counts_number(const struct toenic *nic)
{
	return nic->max_pairs * ARRAY_SIZE(toenic_queue_names) +
	       ARRAY_SIZE(toenic_offload_names);
}

/**
 * toenic_counts_names() - their names
 * @nic: the card
 * @data: where to; moved behind them
 */
void toenic_counts_names(const struct toenic *nic, u8 **data)
{
	unsigned int i, j;

	for (i = 0; i < nic->max_pairs; i++)
		for (j = 0; j < ARRAY_SIZE(toenic_queue_names); j++)
			ethtool_sprintf(data, toenic_queue_names[j], i);
	memcpy(*data, toenic_offload_names, sizeof(toenic_offload_names));
	*data += sizeof(toenic_offload_names);
}

/**
 * toenic_counts_values() - their values
 * @nic: the card
 * @data: where to; moved behind them
 */
void toenic_counts_values(struct toenic *nic, u64 **data)
{
	struct toenic_toe_counts toe;
	u64 *val = *data;
	unsigned int i;
	u64 *sum;

	for (i = 0; i < nic->max_pairs; i++) {
		toenic_counts_pair(&nic->pairs[i], val);
		val += ARRAY_SIZE(toenic_queue_names);
	}
	sum = val;
	memset(sum, 0, ARRAY_SIZE(toenic_offload_names) * sizeof(*sum));
	for (i = 0; i < nic->max_pairs; i++) {
		spin_lock_bh(&nic->hw_lock);
		toenic_toe_counts(&nic->pairs[i], &toe);
		spin_unlock_bh(&nic->hw_lock);
		sum[0] += toe.rx_packets;
		sum[1] += toe.rx_bytes;
		sum[2] += toe.tx_packets;
		sum[3] += toe.tx_bytes;
	}
	*data = sum + ARRAY_SIZE(toenic_offload_names);
}
