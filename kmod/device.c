// SPDX-License-Identifier: GPL-2.0
/*
 * Cards that have registered: their switch, their connections, their counters.
 */
#include <linux/delay.h>
#include <linux/if_vlan.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "rule.h"
#include "inpath.h"
#include "trace.h"

#define TOE_TURN		msecs_to_jiffies(100)
#define TOE_TURN_CONNS		1024U	/* connections looked at in a turn */
#define TOE_TURN_PARTS		10	/* of many more, this part */
#define TOE_OWNERS_WAIT		HZ
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

/* What a VLAN device is directly on, or NULL. */
static const struct net_device *toe_vlan_below(const struct net_device *vlan)
{
#if IS_ENABLED(CONFIG_VLAN_8021Q)
	if (is_vlan_dev(vlan))
		return vlan_dev_priv(vlan)->real_dev;
#endif
	return NULL;
}

/* Is @vlan a VLAN directly on the card's interface, and the card can tag? */
bool toe_dev_has_vlan(const struct toe_dev *dev, const struct net_device *vlan)
{
	const struct toe_device *tdev = READ_ONCE(dev->tdev);

	return toe_vlan_below(vlan) == dev->netdev &&
	       vlan_dev_vlan_proto(vlan) == htons(ETH_P_8021Q) &&
	       tdev && tdev->caps & TOE_CAP_TOE_VLAN;
}

/* The card of an interface, or of a VLAN on it.  A reference is taken. */
struct toe_dev *toe_dev_find_below(const struct net_device *netdev)
{
	const struct net_device *below = toe_vlan_below(netdev);
	struct toe_dev *dev;

	dev = toe_dev_find(below ?: netdev);
	if (dev && below && !toe_dev_has_vlan(dev, netdev)) {
		toe_dev_put(dev);
		dev = NULL;
	}
	return dev;
}

/* The card of @net with this index, with a reference, or NULL. */
struct toe_dev *toe_dev_by_index(const struct net *net, int ifindex)
{
	struct toe_dev *dev;

	rcu_read_lock();
	dev = toe_dev_next(net, ifindex - 1);
	if (dev && (dev->netdev->ifindex != ifindex ||
		    !kref_get_unless_zero(&dev->ref)))
		dev = NULL;
	rcu_read_unlock();
	return dev;
}

/*
 * The card of @net with the smallest index above @ifindex, or NULL.  The caller
 * holds RCU's read lock, under which the card and its netdev stay.
 */
struct toe_dev *toe_dev_next(const struct net *net, int ifindex)
{
	struct toe_dev *dev, *next = NULL;

	list_for_each_entry_rcu(dev, &toe_devs, list)
		if (net_eq(dev_net(dev->netdev), net) &&
		    dev->netdev->ifindex > ifindex &&
		    (!next || dev->netdev->ifindex < next->netdev->ifindex))
			next = dev;
	return next;
}

bool toe_dev_usable(const struct toe_dev *dev)
{
	return !READ_ONCE(dev->suspended) && READ_ONCE(dev->tdev);
}

static void toe_dev_free(struct kref *ref)
{
	struct toe_dev *dev = container_of(ref, struct toe_dev, ref);
	struct toe_rule *rule, *next;

	list_for_each_entry_safe(rule, next, &dev->rules, node)
		kfree_rcu(rule, rcu);
	free_percpu(dev->counters);
	bitmap_free(dev->ports_in);
	bitmap_free(dev->ports_out);
	toe_cgroup_free(dev);
	kfree_rcu(dev, rcu);
}

void toe_dev_put(struct toe_dev *dev)
{
	kref_put(&dev->ref, toe_dev_free);
}

/* The card will know @sn; or false: there is no context.  sonode->lock held. */
bool toe_dev_add_conn(struct toe_dev *dev, struct toe_sonode *sn, bool offered)
{
	bool room;

	spin_lock_bh(&dev->lock);
	room = toe_admit_room_locked(dev, offered);
	if (room) {
		toe_conn_get(sn);
		if (!dev->active++)
			mod_delayed_work(toe_wq, &dev->tick, toe_watch_period(dev));
		list_add_tail(&sn->node, &dev->conns);
		toe_admit_entered_locked(dev, sn);
	}
	spin_unlock_bh(&dev->lock);
	return room;
}

/*
 * Is the driver's last word about @sn still being heard?  Its state may be TOE_NATIVE
 * by then, but until toe_dev_del_conn() it is listed, and sn->dev is in use.  From the
 * connection's work, which alone changes sn->dev.
 */
bool toe_dev_lists(struct toe_sonode *sn)
{
	struct toe_dev *dev = sn->dev;
	bool listed;

	if (!dev)
		return false;
	spin_lock_bh(&dev->lock);
	listed = !list_empty(&sn->node);
	spin_unlock_bh(&dev->lock);
	return listed;
}

/* The driver has said its last word about @sn: it may be offered again from now on. */
void toe_dev_del_conn(struct toe_sonode *sn)
{
	struct toe_sonode *next = NULL;
	struct toe_dev *dev = sn->dev;
	bool listed;

	spin_lock_bh(&dev->lock);
	listed = !list_empty(&sn->node);
	if (listed) {
		list_del_init(&sn->node);
		if (!--dev->active)
			wake_up(&dev->idle);
		next = toe_admit_offer_locked(dev);
	}
	spin_unlock_bh(&dev->lock);
	if (listed)
		toe_conn_put(sn);
	if (next) {
		toe_conn_schedule(next, 0);
		toe_conn_put(next);
	}
}

/*
 * Connections of the card, each with a reference, in a private array: @max of them,
 * which go to the end of the list, or 0 for all.
 */
struct toe_sonode **toe_dev_snapshot(struct toe_dev *dev, unsigned int max,
				     unsigned int *n)
{
	struct toe_sonode **conns, *sn, *next;

	*n = 0;
	if (!max)
		max = READ_ONCE(dev->active) + 16;
	conns = kvmalloc_array(max, sizeof(*conns), GFP_KERNEL);
	if (!conns)
		return NULL;
	spin_lock_bh(&dev->lock);
	max = min(max, dev->active);
	list_for_each_entry_safe(sn, next, &dev->conns, node) {
		if (*n == max)
			break;
		toe_conn_get(sn);
		conns[(*n)++] = sn;
		list_move_tail(&sn->node, &dev->conns);
	}
	spin_unlock_bh(&dev->lock);
	return conns;
}

/* Do @fn to @max connections of the card in turn, 0: to all.  Process context. */
static void toe_dev_for_some(struct toe_dev *dev, unsigned int max,
			     void (*fn)(struct toe_sonode *sn, int arg), int arg)
{
	struct toe_sonode **conns;
	unsigned int i, n;

	conns = toe_dev_snapshot(dev, max, &n);
	for (i = 0; i < n; i++) {
		fn(conns[i], arg);
		toe_conn_put(conns[i]);
		cond_resched();
	}
	kvfree(conns);
}

static void toe_dev_for_each(struct toe_dev *dev,
			     void (*fn)(struct toe_sonode *sn, int arg), int arg)
{
	toe_dev_for_some(dev, 0, fn, arg);
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
	if (toe_policy_rules(sn, sn->connt, sn->dev) ||
	    toe_admit_small(sn, sn->dev))
		toe_recall_start(sn, TOE_RECALL_POLICY);
}

/*
 * Rules or thresholds changed: what they forbid goes back, what waits or was refused
 * is looked at again.  Process context.
 */
void toe_dev_recheck(struct toe_dev *dev)
{
	toe_dev_for_each(dev, toe_dev_recheck_one, 0);
	if (READ_ONCE(dev->enabled))
		toe_notice_existing(dev);
}

static void toe_dev_rerule_one(struct toe_sonode *sn, int arg)
{
	if (!toe_rule_allows(sn->dev, sn, sn->connt))
		toe_recall_start(sn, TOE_RECALL_RULE);
}

/* The same for its rules.  Process context, switch_lock held. */
void toe_dev_recheck_rules(struct toe_dev *dev)
{
	lockdep_assert_held(&dev->switch_lock);
	toe_dev_for_each(dev, toe_dev_rerule_one, 0);
	if (READ_ONCE(dev->enabled))
		toe_notice_existing(dev);
}

/* A connection in the card: counters, a refused post, and is it still allowed? */
static void toe_dev_tick_one(struct toe_sonode *sn, int arg)
{
	enum toe_recall why = TOE_RECALL_HOST;
	struct sock *sk = sn->connt;
	bool later = false;

	spin_lock_bh(&sk->sk_lock.slock);
	if (sn->swapped && sn->state == TOE_OFFLOADED) {
		if (!sock_owned_by_user(sk)) {
			toe_stats_refresh(sn, sk);
			if (sn->need_post)
				toe_egress_post(sn, sk);
			toe_ingress_reopen(sn, sk);
			toe_sk_quiet(sk);
		}
		why = toe_policy_live(sn, sk, &later);
	}
	spin_unlock_bh(&sk->sk_lock.slock);
	if (later)
		WRITE_ONCE(sn->dev->look, true);
	if (why == TOE_RECALL_HOST)
		return;
	if (toe_recall_by_rule(why)) {
		sn->dev->recalled_at = jiffies;
		toe_watch_blocked(sn->dev);
	}
	toe_recall_start(sn, why);
}

/* The card has room again. */
static void toe_dev_post_one(struct toe_sonode *sn, int arg)
{
	if (READ_ONCE(sn->need_post))
		toe_dev_tick_one(sn, arg);
}

/* Some connections: up to 1,024 ten times a second, of 10,240 or more once a second. */
static void toe_dev_turn(struct toe_dev *dev, unsigned int active)
{
	if (!active || time_before(jiffies, dev->turn_at))
		return;
	dev->turn_at = jiffies + TOE_TURN;
	toe_dev_for_some(dev, max(active / TOE_TURN_PARTS, TOE_TURN_CONNS),
			 toe_dev_tick_one, 0);
}

/* All connections after a change, else in turn. */
static void toe_dev_tick(struct work_struct *work)
{
	struct toe_dev *dev = container_of(to_delayed_work(work),
					   struct toe_dev, tick);
	unsigned int active = READ_ONCE(dev->active);

	if (toe_watch_look(dev)) {
		toe_dev_for_each(dev, toe_dev_tick_one, 0);
		toe_watch_looked(dev);
	} else {
		toe_dev_turn(dev, active);
	}
	if (READ_ONCE(dev->writable)) {
		WRITE_ONCE(dev->writable, false);
		toe_dev_for_each(dev, toe_dev_post_one, 0);
	}
	toe_admit_tick(dev);

	active = READ_ONCE(dev->active);
	if (!active)
		toe_admit_flush(dev);
	if (dev->counted && !active)
		toe_stats_disarm();
	dev->counted = active;
	if (active || toe_watch_wanted(dev))
		queue_delayed_work(toe_wq, &dev->tick, toe_watch_period(dev));
}

/* The card that is @n behind the first, with a reference. */
static struct toe_dev *toe_dev_nth(unsigned int n)
{
	struct toe_dev *dev;

	rcu_read_lock();
	list_for_each_entry_rcu(dev, &toe_devs, list)
		if (!n-- && kref_get_unless_zero(&dev->ref)) {
			rcu_read_unlock();
			return dev;
		}
	rcu_read_unlock();
	return NULL;
}

/* Look for established sockets that nobody knows of.  Process context. */
void toe_dev_rescan(void)
{
	struct toe_dev *dev;
	unsigned int i;

	for (i = 0; (dev = toe_dev_nth(i)); i++) {
		if (READ_ONCE(dev->enabled) && toe_dev_usable(dev))
			toe_notice_existing(dev);
		toe_dev_put(dev);
	}
}

void toe_device_writable(struct toe_device *tdev)
{
	struct toe_dev *dev = tdev->priv;

	WRITE_ONCE(dev->writable, true);
	mod_delayed_work(toe_wq, &dev->tick, 0);
}
EXPORT_SYMBOL_GPL(toe_device_writable);

void toe_dev_refused(struct toe_dev *dev, struct toe_sonode *sn,
		     enum toe_refuse why)
{
	sn->refused = why;
	toe_count(dev, TOE_CNT_REFUSALS, 1);
	toe_count(dev, TOE_CNT_REFUSE + why, 1);
	trace_toe_refuse(sn, why);
	toe_nl_event(sn, dev, TOE_EVENT_REFUSE);
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
	INIT_LIST_HEAD(&dev->rules);
	INIT_DELAYED_WORK(&dev->tick, toe_dev_tick);
	init_waitqueue_head(&dev->idle);
	dev->tdev = tdev;
	dev->netdev = tdev->netdev;
	dev->suspended = true;
	dev->reoffload_ms = TOE_REOFFLOAD_MS;
	dev->admit.contexts = tdev->max_conns;
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
	dev->gone = true;
	WRITE_ONCE(dev->enabled, false);
	WRITE_ONCE(dev->suspended, true);
	toe_dev_recall_all(dev, TOE_RECALL_SUSPEND);
	mutex_unlock(&dev->switch_lock);

	WRITE_ONCE(dev->blocked, false);
	WRITE_ONCE(dev->offer, false);
	spin_lock(&toe_devs_lock);
	list_del_rcu(&dev->list);
	spin_unlock(&toe_devs_lock);
	flush_workqueue(toe_wq);
	/* Those that a thread owns it gives back itself, most within a moment. */
	wait_event_timeout(dev->idle, !atomic_read(&dev->swapped), TOE_OWNERS_WAIT);
	toe_admit_flush(dev);
	synchronize_net();
	cancel_delayed_work_sync(&dev->tick);
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
