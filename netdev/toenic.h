/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The NIC and its queue pairs: what the files of this driver share.
 */
#ifndef TOENIC_H
#define TOENIC_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/timer.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "toe_hw.h"
#include "toe_ops.h"
#include "ring.h"

#define TOENIC_NAME		"toenic"

#define TOENIC_TX_SIZE		512
#define TOENIC_RX_SIZE		512
#define TOENIC_SQ_SIZE		512
#define TOENIC_RQ_SIZE		64
#define TOENIC_CQ_SIZE		4096
#define TOENIC_ADMIN_SIZE	16

/**
 * DOC: locking
 *
 * RTNL: configuration of the netdev; ndo_open and ndo_stop.
 * nic->state_lock (mutex): rings come and go only under it, so that recovery,
 *	which must not wait for RTNL, and ndo_open/ndo_stop take turns.  It also
 *	protects want_up.
 * nic->admin.lock (mutex): the admin rings and their parameter page.
 * pair->sq.lock (BH spinlock): the TOE command ring of the pair and the state
 *	and send queues of its connections.
 * nic->await_lock (BH spinlock): the list of connections that wait for an answer.
 * Order: RTNL, state_lock, admin.lock; and sockets' locks, sq.lock, await_lock.
 * The filter's calls up are made without any of these, but toe_device_fatal()
 * and toe_device_resume() under state_lock.
 *
 * A pair's completion ring belongs to its NAPI poll, and to recovery once NAPI
 * is disabled.  The table of connections is read under RCU (BH disabled).
 */

/* nic->flags */
enum {
	TOENIC_DEAD,		/* the card may not be used until it was reset */
	TOENIC_UP,		/* rings run */
	TOENIC_TOE,		/* registered with the filter */
	TOENIC_REMOVING,	/* may not be opened again */
	TOENIC_NO_RECOVERY,	/* not yet, or not any more */
};

/* Why a card was declared dead. */
enum toenic_fatal {
	TOENIC_FATAL_NONE,
	TOENIC_FATAL_HEARTBEAT,
	TOENIC_FATAL_ALL_ONES,
	TOENIC_FATAL_STATUS,	/* TOE_STATUS_FATAL */
	TOENIC_FATAL_ADMIN,	/* an admin command wasn't answered */
	TOENIC_FATAL_COMMAND,	/* a TOE command wasn't answered */
	TOENIC_FATAL_PROTOCOL,	/* the card wrote what it may not */
	TOENIC_FATAL_TX,	/* transmission is stuck */
	TOENIC_FATAL_PCI,	/* bus error or reset from outside */
	TOENIC_FATAL_REASONS
};

/* Written by ndo_start_xmit, under the queue's tx lock. */
struct toenic_tx_counts {
	u64 packets;
	u64 bytes;
	u64 dropped;
	u64 tso;
	u64 csum;
	u64 linearized;
	u64 stopped;
	u64 doorbells;
};

/* Written by NAPI. */
struct toenic_rx_counts {
	u64 packets;
	u64 bytes;
	u64 dropped;
	u64 length_errors;
	u64 csum_ok;
	u64 csum_none;
	u64 copied;
	u64 page_reused;
	u64 page_alloc;
	u64 alloc_failed;
	u64 polls;
	u64 tx_woken;
	u64 bad_completions;
	u64 refused;		/* commands and frames that the card refused */
	u64 verdict[8];		/* by enum toenic_verdict */
	u64 toe_data_events;
	u64 toe_data_bytes;
	u64 toe_acked_events;
	u64 toe_recalled;
	u64 toe_closing;
	u64 toe_stale_events;	/* of a connection that isn't, or isn't any more */
	u64 toe_mirror_frames;	/* copies given to taps */
	u64 toe_mirror_dropped;	/* copies that there was no memory for */
	u64 rq_page_reused;
	u64 rq_page_alloc;
};

/* Written under sq.lock. */
struct toenic_sq_counts {
	u64 begins;
	u64 commits;
	u64 aborts;
	u64 recalls;
	u64 sends;
	u64 send_bytes;
	u64 send_again;
	u64 credits;
	u64 backlogged;
	u64 doorbells;
};

/* What connections have moved in the card, as in struct toe_shadow. */
struct toenic_toe_counts {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
};

/**
 * struct toenic_pair - a queue pair: its rings, its vector, its NAPI
 * @nic: the card
 * @napi: owns @cq
 * @index: of the pair, and of its two netdev queues
 * @irq: Linux' number of its vector
 * @shadow: of the five rings
 * @shadow_dma: its bus address
 * @doorbell: register of all its rings
 * @cq: completions
 * @tx: frames to send
 * @rx: empty buffers for frames, and the frame being put together
 * @rq: empty buffers for TOE payload
 * @sq: TOE commands
 * @kick: makes NAPI run soon when no completion will
 * @poll_cpu: processor that runs the poll function; -1: none
 * @draining: recovery reads what the card left behind: no frame goes up
 * @classify: figure 4D is to be walked during this poll
 * @handshake_done: tell the filter at the end of this poll
 * @flows: handshakes and closings lately seen
 * @tx_sync: for packets and bytes of @tx_counts
 * @rx_sync: for packets and bytes of @rx_counts
 * @tx_counts: see there
 * @rx_counts: see there
 * @sq_counts: see there
 * @toe_counts: of rings that are gone; hw_lock protects it, and @shadow for who
 *	reads the present ones'
 * @irq_name: for /proc/interrupts
 *
 * Allocated for the life of the driver, so that counters survive; the rings
 * come and go with ndo_open and ndo_stop.
 */
struct toenic_pair {
	struct toenic *nic;
	struct napi_struct napi;
	unsigned int index;
	int irq;

	struct toe_shadow *shadow;
	dma_addr_t shadow_dma;
	void __iomem *doorbell;

	struct toenic_ring cq;
	struct toenic_tx tx;
	struct toenic_rx rx;
	struct toenic_rq rq;
	struct toenic_sq sq;

	struct timer_list kick;
	int poll_cpu;
	bool draining;
	bool classify;
	bool handshake_done;
	struct toenic_flow *flows;

	struct u64_stats_sync tx_sync;
	struct u64_stats_sync rx_sync;
	struct toenic_tx_counts tx_counts;
	struct toenic_rx_counts rx_counts;
	struct toenic_sq_counts sq_counts;
	struct toenic_toe_counts toe_counts;
	char irq_name[IFNAMSIZ + 8];
};

/**
 * struct toenic_admin - the admin rings
 * @lock: one command at a time; also protects @param
 * @sq: commands
 * @cq: their answers and asynchronous events
 * @shadow: of both
 * @shadow_dma: its bus address
 * @param: a page for parameters
 * @param_dma: its bus address
 * @cookie: of the newest command
 * @status: of the newest answer
 * @answered: cookie of the newest answer
 * @work: looks at @cq after an interrupt
 */
struct toenic_admin {
	struct mutex lock;	/* one command at a time */
	struct toenic_ring sq;
	struct toenic_ring cq;
	struct toe_shadow *shadow;
	dma_addr_t shadow_dma;
	void *param;
	dma_addr_t param_dma;
	u16 cookie;
	u16 answered;
	u8 status;
	struct work_struct work;
};

#define TOENIC_HW_STATS (sizeof(struct toe_nic_stats) / sizeof(__le64))
#define TOENIC_HW_STAT(field) \
	(offsetof(struct toe_nic_stats, field) / sizeof(__le64))

/**
 * struct toenic_deadline - when an answer is overdue
 * @beat: of the card's heart, when it should have come by the card's own time
 * @end: jiffies, when it is overdue whatever the card's time
 *
 * A card that gets no time, because the machine that it is simulated on is
 * busy, isn't dead.  One that lets its heart beat and doesn't answer is.
 */
struct toenic_deadline {
	u32 beat;
	unsigned long end;
};

/**
 * struct toenic_health - is the card alive?
 * @work: looks every TOENIC_HEALTH_MS
 * @recover: brings a dead card back
 * @stats_work: reads the card's counters
 * @heartbeat: the card's word
 * @heartbeat_dma: its bus address
 * @beat: last value seen
 * @missed: looks in a row that found it where it was
 * @stats_jiffies: when the card's counters were last read
 * @reason: enum toenic_fatal, of the death being recovered from
 * @tries: recoveries that failed since the last good one
 * @deaths: by reason
 * @recovered: how often the card came back
 */
struct toenic_health {
	struct delayed_work work;
	struct delayed_work recover;
	struct work_struct stats_work;
	__le32 *heartbeat;
	dma_addr_t heartbeat_dma;
	u32 beat;
	unsigned int missed;
	unsigned long stats_jiffies;
	int reason;
	unsigned int tries;
	atomic_long_t deaths[TOENIC_FATAL_REASONS];
	atomic_long_t recovered;
};

/**
 * struct toenic - one card
 * @netdev: its network device
 * @pdev: its PCI function
 * @bar: registers
 * @flags: TOENIC_DEAD and so on
 * @caps: TOE_CAP_NIC_*
 * @max_pairs: vectors and the card allow so many
 * @num_pairs: in use when up
 * @pairs: @max_pairs of them
 * @tx_size: entries of a TX ring
 * @rx_size: entries of an RX ring
 * @rss: key and indirection, as the card is told
 * @state_lock: see DOC: locking
 * @want_up: the rings should run (protected by @state_lock)
 * @wq: ordered; everything that waits for the card and isn't the user's
 * @admin: admin rings
 * @rx_mode_work: sends the address lists
 * @link_work: reads the link state
 * @hw_lock: protects @hw_stats and @hw_last, and counters of the pairs
 * @hw_stats: the card's counters, carried on over resets
 * @hw_last: what the card answered last
 * @health: see there
 * @tdev: the filter's view
 * @conns: by index of tid, the youngest of each
 * @conns_lock: protects the writing of @conns and of what hangs there
 * @rq_wanted: connections were offered to the card: buffers for payload are kept
 * @block_pool: state blocks
 * @begins: connections whose BEGIN isn't answered yet, by cookie
 * @begin_next: next cookie
 * @await_lock: protects @await and the await fields of connections
 * @await: connections that wait for an answer, oldest first
 */
struct toenic {
	struct net_device *netdev;
	struct pci_dev *pdev;
	void __iomem *bar;
	unsigned long flags;
	u32 caps;
	unsigned int max_pairs;
	unsigned int num_pairs;
	struct toenic_pair *pairs;
	u32 tx_size;
	u32 rx_size;
	struct toe_rss_param rss;

	struct mutex state_lock;	/* rings come and go under it */
	bool want_up;
	struct workqueue_struct *wq;

	struct toenic_admin admin;
	struct work_struct rx_mode_work;
	struct work_struct link_work;

	spinlock_t hw_lock;	/* protects hw_stats, hw_last */
	u64 hw_stats[TOENIC_HW_STATS];
	u64 hw_last[TOENIC_HW_STATS];

	struct toenic_health health;

	struct toe_device tdev;
	struct toenic_conn __rcu **conns;
	spinlock_t conns_lock;	/* protects the writing of conns */
	bool rq_wanted;
	struct dma_pool *block_pool;
	struct xarray begins;
	u32 begin_next;
	spinlock_t await_lock;	/* protects await */
	struct list_head await;
};

static inline struct toenic *toenic_from_tdev(struct toe_device *tdev)
{
	return container_of(tdev, struct toenic, tdev);
}

static inline struct device *toenic_dev(const struct toenic *nic)
{
	return &nic->pdev->dev;
}

static inline bool toenic_is_dead(const struct toenic *nic)
{
	return test_bit(TOENIC_DEAD, &nic->flags);
}

#endif /* TOENIC_H */
