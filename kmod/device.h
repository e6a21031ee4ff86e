/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOE_DEVICE_H
#define TOE_DEVICE_H

#include <linux/bitmap.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>

#include "toe_ops.h"
#include "reason.h"

struct toe_sonode;

#define TOE_PORTS	65536	/* bits in a port rule */

/* Counters of one card; per CPU, only ever added to. */
enum toe_counter {
	TOE_CNT_OFFLOADS = 0,	/* hand-offs committed */
	TOE_CNT_BEGINS,
	TOE_CNT_ABORTS,
	TOE_CNT_RECALLS,	/* connections back in the kernel's stack */
	TOE_CNT_REFUSALS,
	TOE_CNT_TX_BYTES,	/* payload acknowledged by the peer */
	TOE_CNT_RX_BYTES,	/* payload placed */
	TOE_CNT_TX_SEGS,
	TOE_CNT_RX_SEGS,
	TOE_CNT_RETRANS_SEGS,
	TOE_CNT_HANDSHAKES,	/* SYN or SYN+ACK seen by the driver's classifier */
	TOE_CNT_HANDSHAKES_DONE,
	TOE_CNT_FRAME_CLOSING,
	TOE_CNT_BAD_EVENTS,	/* what the card reported can't be */
	TOE_CNT_REPOSTS,	/* the card's ring was full */
	TOE_CNT_REFUSE,		/* + enum toe_refuse */
	TOE_CNT_RECALL = TOE_CNT_REFUSE + TOE_REFUSES,	/* + enum toe_recall */
	TOE_CNTS = TOE_CNT_RECALL + TOE_RECALLS,
};

struct toe_counters {
	u64 v[TOE_CNTS];
};

/**
 * struct toe_dev - what the filter keeps of a card
 * @tdev: the driver's side; NULL once unregistered
 * @netdev: its network device
 * @ref: one for registration, one per connection that uses it
 * @rcu: readers of the device list
 * @list: in the device list
 * @enabled: the switch
 * @suspended: rings are stopped, or about to be
 * @lock: protects @conns, @active, @count
 * @conns: struct toe_sonode.node of every connection that the card knows
 * @active: their number
 * @offloaded: those that are in TOE_OFFLOADED
 * @idle: woken when @active gets to 0
 * @switch_lock: serialises enable, suspend, resume
 * @counters: see enum toe_counter
 * @ports_in: local ports of accepted connections that may be offloaded
 * @ports_out: remote ports of opened connections that may be offloaded
 * @reoffload_ms: a recalled connection is tried again after; 0: never
 * @tick: statistics of idle connections, policy and need_post
 * @kobj: sysfs group "toe"
 * @policy_kobj: its "policy"
 */
struct toe_dev {
	struct toe_device *tdev;
	struct net_device *netdev;
	struct kref ref;
	struct rcu_head rcu;
	struct list_head list;
	bool enabled;
	bool suspended;

	spinlock_t lock;	/* see above */
	struct list_head conns;
	unsigned int active;
	atomic_t offloaded;
	struct wait_queue_head idle;

	struct mutex switch_lock;	/* see above */
	struct toe_counters __percpu *counters;
	unsigned long *ports_in;
	unsigned long *ports_out;
	unsigned int reoffload_ms;
	struct delayed_work tick;
	struct kobject *kobj;
	struct kobject *policy_kobj;
};

static inline void toe_count(struct toe_dev *dev, unsigned int what, u64 n)
{
	this_cpu_add(dev->counters->v[what], n);
}

u64 toe_counter_read(const struct toe_dev *dev, unsigned int what);

struct toe_dev *toe_dev_find(const struct net_device *netdev);
bool toe_dev_usable(const struct toe_dev *dev);
void toe_dev_put(struct toe_dev *dev);
void toe_dev_add_conn(struct toe_dev *dev, struct toe_sonode *sn);
void toe_dev_del_conn(struct toe_sonode *sn);
void toe_dev_recall_all(struct toe_dev *dev, enum toe_recall why);
void toe_dev_recall_once(struct toe_dev *dev, enum toe_recall why);
void toe_dev_recheck_ports(struct toe_dev *dev);
bool toe_dev_any(void);
bool toe_dev_any_active(void);
int toe_dev_switch(struct toe_dev *dev, bool on);
void toe_dev_refused(struct toe_dev *dev, const struct toe_sonode *sn,
		     enum toe_refuse why);
extern struct workqueue_struct *toe_wq;

#endif /* TOE_DEVICE_H */
