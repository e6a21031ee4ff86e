// SPDX-License-Identifier: GPL-2.0
/*
 * Cards that have registered: their switch, their connections, their counters.
 */
#include <linux/delay.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "trace.h"

#define TOE_TICK		msecs_to_jiffies(100)
#define TOE_RECALL_ALL_WAIT	(30 * HZ)	/* a driver gives a card up long before */
#define TOE_REOFFLOAD_MS	1000

static LIST_HEAD(toe_devs);
static DEFINE_SPINLOCK(toe_devs_lock);	/* protects toe_devs; readers: RCU */

/* Is any card there at all?  The tracepoint asks. */
bool toe_dev_any(void)
{
	return !list_empty(&toe_devs);
}

/* Does any card have connections? */
bool toe_dev_any_active(void)
{
	struct toe_dev *dev;
	bool any = false;

	rcu_read_lock();
	list_for_each_entry_rcu(dev, &toe_devs, list)
		any |= READ_ONCE(dev->active);
	rcu_read_unlock();
	return any;
}

/* RCU or lock.  A reference is taken. */
struct toe_dev *toe_dev_find(const struct net_device *netdev)
{
	struct toe_dev *dev;

	rcu_read_lock();
	list_for_each_entry_rcu(dev, &toe_devs, list)
		if (dev->netdev == netdev && kref_get_unless_zero(&dev->ref)) {
			rcu_read_unlock();
			return dev;
		}
	rcu_read_unlock();
	return NULL;
}

bool toe_dev_usable(const struct toe_dev *dev)
{
	return !READ_ONCE(dev->suspended) && READ_ONCE(dev->tdev);
}

static void toe_dev_free(struct kref *ref)
{
	struct toe_dev *dev = container_of(ref, struct toe_dev, ref);

	free_percpu(dev->counters);
	bitmap_free(dev->ports_in);
	bitmap_free(dev->ports_out);
	kfree_rcu(dev, rcu);
}

void toe_dev_put(struct toe_dev *dev)
{
	kref_put(&dev->ref, toe_dev_free);
}

/* The card will know @sn.  sonode->lock held. */
void toe_dev_add_conn(struct toe_dev *dev, struct toe_sonode *sn)
{
	toe_conn_get(sn);
	spin_lock_bh(&dev->lock);
	if (!dev->active++)
		queue_delayed_work(toe_wq, &dev->tick, TOE_TICK);
	list_add_tail(&sn->node, &dev->conns);
	spin_unlock_bh(&dev->lock);
}

/* The driver has said its last word about @sn. */
void toe_dev_del_conn(struct toe_sonode *sn)
{
	struct toe_dev *dev = sn->dev;
	bool listed;

	spin_lock_bh(&dev->lock);
	listed = !list_empty(&sn->node);
	if (listed) {
		list_del_init(&sn->node);
		if (!--dev->active)
			wake_up(&dev->idle);
	}
	spin_unlock_bh(&dev->lock);
	if (listed)
		toe_conn_put(sn);
}

/* All connections of the card, each with a reference, in a private array. */
static struct toe_sonode **toe_dev_snapshot(struct toe_dev *dev, unsigned int *n)
{
	struct toe_sonode **conns, *sn;
	unsigned int max;

	*n = 0;
	max = READ_ONCE(dev->active) + 16;
	conns = kvmalloc_array(max, sizeof(*conns), GFP_KERNEL);
	if (!conns)
		return NULL;
	spin_lock_bh(&dev->lock);
	list_for_each_entry(sn, &dev->conns, node) {
		if (*n == max)
			break;
		toe_conn_get(sn);
		conns[(*n)++] = sn;
	}
	spin_unlock_bh(&dev->lock);
	return conns;
}

/* Do @fn to every connection of the card.  Process context. */
static void toe_dev_for_each(struct toe_dev *dev,
			     void (*fn)(struct toe_sonode *sn, int arg), int arg)
{
	struct toe_sonode **conns;
	unsigned int i, n;

	conns = toe_dev_snapshot(dev, &n);
	for (i = 0; i < n; i++) {
		fn(conns[i], arg);
		toe_conn_put(conns[i]);
		cond_resched();
	}
	kvfree(conns);
}

static void toe_dev_recall_one(struct toe_sonode *sn, int why)
{
	toe_recall_start(sn, why);
}

/**
 * toe_dev_recall_all() - call every connection of a card back, and wait
 * @dev: card
 * @why: reason
 *
 * Context: process; may sleep.  The card may take no new connections meanwhile,
 * which is the caller's business.
 */
void toe_dev_recall_all(struct toe_dev *dev, enum toe_recall why)
{
	unsigned long end = jiffies + TOE_RECALL_ALL_WAIT;

	/* Again and again: a hand-off may have been between two states. */
	do {
		toe_dev_for_each(dev, toe_dev_recall_one, why);
	} while (!wait_event_timeout(dev->idle, !READ_ONCE(dev->active),
				     HZ / 20) && time_before(jiffies, end));
	if (READ_ONCE(dev->active))
		netdev_err(dev->netdev, "%u connections did not come back\n",
			   dev->active);
}

/* Call back what is there now, and don't wait.  Process context. */
void toe_dev_recall_once(struct toe_dev *dev, enum toe_recall why)
{
	toe_dev_for_each(dev, toe_dev_recall_one, why);
}

static void toe_dev_recheck_one(struct toe_sonode *sn, int arg)
{
	if (!toe_policy_port(sn, sn->connt, sn->dev))
		toe_recall_start(sn, TOE_RECALL_POLICY);
}

/* The port rules changed: what they forbid goes back.  Process context. */
void toe_dev_recheck_ports(struct toe_dev *dev)
{
	toe_dev_for_each(dev, toe_dev_recheck_one, 0);
	if (READ_ONCE(dev->enabled))
		toe_notice_existing(dev);
}

/* A connection in the card: counters, a refused post, and is it still allowed? */
static void toe_dev_tick_one(struct toe_sonode *sn, int arg)
{
	struct sock *sk = sn->connt;
	enum toe_recall why = TOE_RECALL_HOST;

	spin_lock_bh(&sk->sk_lock.slock);
	if (sn->swapped && sn->state == TOE_OFFLOADED &&
	    !sock_owned_by_user(sk)) {
		toe_stats_refresh(sn, sk);
		if (sn->need_post)
			toe_egress_post(sn, sk);
		why = toe_policy_live(sn, sk);
	}
	spin_unlock_bh(&sk->sk_lock.slock);
	if (why != TOE_RECALL_HOST)
		toe_recall_start(sn, why);
}

static void toe_dev_tick(struct work_struct *work)
{
	struct toe_dev *dev = container_of(to_delayed_work(work),
					   struct toe_dev, tick);

	toe_dev_for_each(dev, toe_dev_tick_one, 0);
	if (READ_ONCE(dev->active))
		queue_delayed_work(toe_wq, &dev->tick, TOE_TICK);
	else
		toe_stats_disarm();
}

void toe_device_writable(struct toe_device *tdev)
{
	struct toe_dev *dev = tdev->priv;

	mod_delayed_work(toe_wq, &dev->tick, 0);
}
EXPORT_SYMBOL_GPL(toe_device_writable);

void toe_dev_refused(struct toe_dev *dev, const struct toe_sonode *sn,
		     enum toe_refuse why)
{
	toe_count(dev, TOE_CNT_REFUSALS, 1);
	toe_count(dev, TOE_CNT_REFUSE + why, 1);
	trace_toe_refuse(sn, why);
}

u64 toe_counter_read(const struct toe_dev *dev, unsigned int what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(dev->counters, cpu)->v[what];
	return sum;
}

/* Process context. */
int toe_dev_switch(struct toe_dev *dev, bool on)
{
	mutex_lock(&dev->switch_lock);
	if (dev->enabled != on) {
		WRITE_ONCE(dev->enabled, on);
		if (on)
			toe_notice_existing(dev);
		else
			toe_dev_recall_all(dev, TOE_RECALL_DISABLE);
	}
	mutex_unlock(&dev->switch_lock);
	return 0;
}

bool toe_device_enabled(const struct toe_device *tdev)
{
	const struct toe_dev *dev = tdev->priv;

	return dev && READ_ONCE(dev->enabled);
}
EXPORT_SYMBOL_GPL(toe_device_enabled);

int toe_device_enable(struct toe_device *tdev, bool on)
{
	if (!tdev->priv)
		return -ENODEV;
	return toe_dev_switch(tdev->priv, on);
}
EXPORT_SYMBOL_GPL(toe_device_enable);

void toe_device_suspend(struct toe_device *tdev)
{
	struct toe_dev *dev = tdev->priv;

	if (!dev)
		return;
	WRITE_ONCE(dev->suspended, true);
	toe_dev_recall_all(dev, TOE_RECALL_SUSPEND);
}
EXPORT_SYMBOL_GPL(toe_device_suspend);

void toe_device_resume(struct toe_device *tdev)
{
	struct toe_dev *dev = tdev->priv;

	if (!dev)
		return;
	WRITE_ONCE(dev->suspended, false);
	if (READ_ONCE(dev->enabled))
		toe_notice_existing(dev);
}
EXPORT_SYMBOL_GPL(toe_device_resume);

static void toe_dev_dead_one(struct toe_sonode *sn, int arg)
{
	toe_recall_dead(sn);
}

void toe_device_fatal(struct toe_device *tdev)
{
	struct toe_dev *dev = tdev->priv;

	if (!dev)
		return;
	WRITE_ONCE(dev->suspended, true);
	while (READ_ONCE(dev->active)) {
		toe_dev_for_each(dev, toe_dev_dead_one, 0);
		if (READ_ONCE(dev->active))
			msleep(20);	/* no memory for the list, or a latecomer */
	}
}
EXPORT_SYMBOL_GPL(toe_device_fatal);

static bool toe_ops_complete(const struct toe_device_ops *ops)
{
	return ops && ops->conn_begin && ops->conn_commit && ops->conn_abort &&
	       ops->conn_send && ops->conn_credit && ops->conn_recall &&
	       ops->conn_set_params && ops->conn_query && ops->conn_stats;
}

static struct toe_dev *toe_dev_create(struct toe_device *tdev)
{
	struct toe_dev *dev;

	dev = kzalloc_obj(*dev);
	if (!dev)
		return NULL;
	kref_init(&dev->ref);
	spin_lock_init(&dev->lock);
	mutex_init(&dev->switch_lock);
	INIT_LIST_HEAD(&dev->conns);
	INIT_DELAYED_WORK(&dev->tick, toe_dev_tick);
	init_waitqueue_head(&dev->idle);
	dev->tdev = tdev;
	dev->netdev = tdev->netdev;
	dev->suspended = true;
	dev->reoffload_ms = TOE_REOFFLOAD_MS;
	dev->counters = alloc_percpu(struct toe_counters);
	dev->ports_in = bitmap_alloc(TOE_PORTS, GFP_KERNEL);
	dev->ports_out = bitmap_alloc(TOE_PORTS, GFP_KERNEL);
	if (!dev->counters || !dev->ports_in || !dev->ports_out) {
		toe_dev_put(dev);
		return NULL;
	}
	bitmap_fill(dev->ports_in, TOE_PORTS);
	bitmap_fill(dev->ports_out, TOE_PORTS);
	return dev;
}

/**
 * toe_device_register() - a NIC driver offers a card
 * @tdev: filled in but for priv
 *
 * The switch is off.  The card takes connections after toe_device_resume().
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int toe_device_register(struct toe_device *tdev)
{
	struct toe_dev *dev;
	int err;

	if (WARN_ON(!tdev->netdev || !toe_ops_complete(tdev->ops)))
		return -EINVAL;
	if (tdev->max_frags <= MAX_SKB_FRAGS) {
		netdev_err(tdev->netdev,
			   "card holds %u send fragments, %lu are needed\n",
			   tdev->max_frags, (unsigned long)MAX_SKB_FRAGS + 1);
		return -EINVAL;
	}

	dev = toe_dev_create(tdev);
	if (!dev)
		return -ENOMEM;
	err = toe_sysfs_create(dev);
	if (err) {
		toe_dev_put(dev);
		return err;
	}
	tdev->priv = dev;
	spin_lock(&toe_devs_lock);
	list_add_tail_rcu(&dev->list, &toe_devs);
	spin_unlock(&toe_devs_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(toe_device_register);

/**
 * toe_device_unregister() - the card goes away
 * @tdev: card; its rings still run
 *
 * Context: process, RTNL not held.
 */
void toe_device_unregister(struct toe_device *tdev)
{
	struct toe_dev *dev = tdev->priv;

	if (!dev)
		return;
	toe_sysfs_destroy(dev);
	mutex_lock(&dev->switch_lock);
	WRITE_ONCE(dev->enabled, false);
	WRITE_ONCE(dev->suspended, true);
	toe_dev_recall_all(dev, TOE_RECALL_SUSPEND);
	mutex_unlock(&dev->switch_lock);

	spin_lock(&toe_devs_lock);
	list_del_rcu(&dev->list);
	spin_unlock(&toe_devs_lock);
	cancel_delayed_work_sync(&dev->tick);
	flush_workqueue(toe_wq);
	synchronize_net();
	tdev->priv = NULL;
	WRITE_ONCE(dev->tdev, NULL);
	toe_dev_put(dev);
}
EXPORT_SYMBOL_GPL(toe_device_unregister);

/* Declared once: the names of ethtool -S, in the order of enum toe_counter. */
static const char * const toe_counter_names[TOE_CNTS] = {
	[TOE_CNT_OFFLOADS]		= "toe_offloads",
	[TOE_CNT_BEGINS]		= "toe_begins",
	[TOE_CNT_ABORTS]		= "toe_aborts",
	[TOE_CNT_RECALLS]		= "toe_recalls",
	[TOE_CNT_REFUSALS]		= "toe_refusals",
	[TOE_CNT_TX_BYTES]		= "toe_tx_bytes",
	[TOE_CNT_RX_BYTES]		= "toe_rx_bytes",
	[TOE_CNT_TX_SEGS]		= "toe_tx_segs",
	[TOE_CNT_RX_SEGS]		= "toe_rx_segs",
	[TOE_CNT_RETRANS_SEGS]		= "toe_retrans_segs",
	[TOE_CNT_HANDSHAKES]		= "toe_handshakes",
	[TOE_CNT_HANDSHAKES_DONE]	= "toe_handshakes_done",
	[TOE_CNT_FRAME_CLOSING]		= "toe_frames_closing",
	[TOE_CNT_BAD_EVENTS]		= "toe_bad_events",
	[TOE_CNT_REPOSTS]		= "toe_reposts",
	[TOE_CNT_REFUSE]		= "toe_refuse_none",
#define X(sym, name, flag)[TOE_CNT_REFUSE + TOE_REFUSE_##sym] = "toe_refuse_" name,
	TOE_REFUSE_LIST(X)
#undef X
#define X(sym, name, flag)[TOE_CNT_RECALL + TOE_RECALL_##sym] = "toe_recall_" name,
	TOE_RECALL_LIST(X)
#undef X
};

int toe_stats_count(void)
{
	return TOE_CNTS;
}
EXPORT_SYMBOL_GPL(toe_stats_count);

void toe_stats_strings(u8 **data)
{
	int i;

	for (i = 0; i < TOE_CNTS; i++)
		ethtool_sprintf(data, "%s", toe_counter_names[i]);
}
EXPORT_SYMBOL_GPL(toe_stats_strings);

void toe_stats_values(struct toe_device *tdev, u64 *data)
{
	struct toe_dev *dev = tdev->priv;
	int i;

	for (i = 0; i < TOE_CNTS; i++)
		data[i] = dev ? toe_counter_read(dev, i) : 0;
}
EXPORT_SYMBOL_GPL(toe_stats_values);
