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

struct toe_cgroup_rules;
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

#define TOE_CANDIDATES	16	/* waiting connections that are known as busy */

/**
 * struct toe_candidate - a connection that waits for a context, and is busy
 * @sn: connection, with a reference
 * @rate: bytes per second
 * @until: forgotten then, jiffies
 */
struct toe_candidate {
	struct toe_sonode *sn;
	u32 rate;
	unsigned long until;
};

/**
 * struct toe_admit - who gets a context, and when; see admit.c
 * @min_bytes: a connection is offered after it has moved so much
 * @max_conns: so many at the most; 0: as many as the card has
 * @contexts: that the card has
 * @offers: contexts that are free but kept for a candidate
 * @n: used part of @best
 * @best: the busiest that wait, as far as they were looked at
 * @next_swap: the tick compares again, jiffies; the tick's
 * @full_until: the card said no itself: believed until then, jiffies
 * @said_full: @full_until counts
 *
 * toe_dev.lock protects the rest.
 */
struct toe_admit {
	u64 min_bytes;
	unsigned int max_conns;
	unsigned int contexts;
	unsigned int offers;
	unsigned int n;
	struct toe_candidate best[TOE_CANDIDATES];
	unsigned long next_swap;
	unsigned long full_until;
	bool said_full;
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
 * @lock: protects @conns, @active, and @admit as it says
 * @conns: struct toe_sonode.node of every connection that the card knows
 * @active: their number
 * @offloaded: those that are in TOE_OFFLOADED
 * @swapped: sockets that have our tables; a thread that owns one keeps it so
 * @idle: woken when @active or @swapped gets to 0
 * @switch_lock: serialises enable, suspend, resume, changes of rules
 * @counters: see enum toe_counter
 * @ports_in: local ports of accepted connections that may be offloaded
 * @ports_out: remote ports of opened connections that may be offloaded
 * @cgroups: cgroup rules, NULL without any; writers hold @switch_lock
 * @admit: limits, and who waits
 * @reoffload_ms: a recalled connection is tried again after; 0: never
 * @bypass: enum toe_bypass: rules that offload may by-pass
 * @tick: statistics of idle connections, policy and need_post
 * @counted: connections were there at the last tick
 * @writable: a ring has room again: post what was refused
 * @look: something may have changed: look at all connections
 * @blocked: a rule has kept connections out: offer them again when one changes
 * @offer: they are to be offered, at @offer_at
 * @signed_rules: toe_inpath_sign() of the last look
 * @turn_at: jiffies; when some are looked at without a reason
 * @look_at: jiffies; not before: looks take a part of the time only
 * @offer_at: jiffies, see @offer
 * @recalled_at: jiffies; last recall for a rule
 * @rules: see rule.h; writers hold @switch_lock, readers RCU
 * @rules_count: their number
 * @rule_handle: the last one given
 * @gone: unregistered; @switch_lock protects it
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
	atomic_t swapped;
	struct wait_queue_head idle;

	struct mutex switch_lock;	/* see above */
	struct toe_counters __percpu *counters;
	unsigned long *ports_in;
	unsigned long *ports_out;
	struct toe_cgroup_rules __rcu *cgroups;
	struct toe_admit admit;
	unsigned int reoffload_ms;
	unsigned int bypass;

	struct delayed_work tick;	/* what follows is its, the flags anybody's to set */
	bool counted;
	bool writable;
	bool look;
	bool blocked;
	bool offer;
	u64 signed_rules;
	unsigned long turn_at;
	unsigned long look_at;
	unsigned long offer_at;
	unsigned long recalled_at;

	struct list_head rules;
	unsigned int rules_count;
	u32 rule_handle;
	bool gone;
	struct kobject *kobj;
	struct kobject *policy_kobj;
};

static inline void toe_count(struct toe_dev *dev, unsigned int what, u64 n)
{
	this_cpu_add(dev->counters->v[what], n);
}

u64 toe_counter_read(const struct toe_dev *dev, unsigned int what);

struct toe_dev *toe_dev_find(const struct net_device *netdev);
bool toe_dev_has_vlan(const struct toe_dev *dev, const struct net_device *vlan);
struct toe_dev *toe_dev_find_below(const struct net_device *netdev);
struct toe_dev *toe_dev_by_index(const struct net *net, int ifindex);
struct toe_dev *toe_dev_next(const struct net *net, int ifindex);
bool toe_dev_usable(const struct toe_dev *dev);
void toe_dev_put(struct toe_dev *dev);
bool toe_dev_add_conn(struct toe_dev *dev, struct toe_sonode *sn, bool offered);
bool toe_dev_lists(struct toe_sonode *sn);
void toe_dev_del_conn(struct toe_sonode *sn);
void toe_dev_recall_all(struct toe_dev *dev, enum toe_recall why);
void toe_dev_recall_once(struct toe_dev *dev, enum toe_recall why);
void toe_dev_recheck_rules(struct toe_dev *dev);
struct toe_sonode **toe_dev_snapshot(struct toe_dev *dev, unsigned int max,
				     unsigned int *n);
void toe_dev_recheck(struct toe_dev *dev);
void toe_dev_rescan(void);
bool toe_dev_any(void);
bool toe_dev_any_active(void);
int toe_dev_switch(struct toe_dev *dev, bool on);
void toe_dev_refused(struct toe_dev *dev, struct toe_sonode *sn,
		     enum toe_refuse why);
extern struct workqueue_struct *toe_wq;

/* admit.c */
bool toe_admit_room_locked(const struct toe_dev *dev, bool offered);
void toe_admit_entered_locked(struct toe_dev *dev, struct toe_sonode *sn);
struct toe_sonode *toe_admit_offer_locked(struct toe_dev *dev);
void toe_admit_pass_on(struct toe_dev *dev);
void toe_admit_said_full(struct toe_dev *dev);
void toe_admit_tick(struct toe_dev *dev);
void toe_admit_flush(struct toe_dev *dev);
int toe_admit_shrink(struct toe_dev *dev);
void toe_admit_uninit(void);

/* cgroup.c */
int toe_cgroup_set(struct toe_dev *dev, const char *buf);
ssize_t toe_cgroup_emit(struct toe_dev *dev, char *buf);
void toe_cgroup_free(struct toe_dev *dev);

#endif /* TOE_DEVICE_H */
