// SPDX-License-Identifier: GPL-2.0
/*
 * Is the card alive, and what to do when it isn't.
 *
 * Whoever notices a death calls toenic_fatal(), from any context.  All deaths
 * go one road, in process context:
 *
 *	cut	the card loses the bus: no DMA from here on
 *	down	queues and NAPI stop, what the card had completed is taken in,
 *		everything that was mapped for it is unmapped
 *	fatal	the filter gives every connection back to the kernel's stack
 *	reset	the card starts anew
 *	up	rings, link, and offload for new connections
 *
 * A card that can't be reset stays cut and is tried again later.  The netdev
 * isn't detached meanwhile: it may be down though it runs, in mid-change of its
 * rings, and attaching would wake queues that have none.
 */
#include <linux/dma-mapping.h>

#include "toenic.h"
#include "cmd.h"
#include "health.h"
#include "netdev.h"
#include "offload.h"
#include "sq.h"

#define TOENIC_HEALTH_MS	100
#define TOENIC_MISSES		10	/* looks without a beat: dead */
#define TOENIC_PATIENCE		10	/* how much slower a card's time may pass */
#define TOENIC_STATS_MS		1000
#define TOENIC_RETRY_MS		1000	/* first pause after a failed recovery */
#define TOENIC_RETRY_SHIFT	5	/* doublings of it at most */

static const char * const toenic_fatal_names[] = {
	[TOENIC_FATAL_NONE]		= "none",
	[TOENIC_FATAL_HEARTBEAT]	= "heartbeat",
	[TOENIC_FATAL_ALL_ONES]		= "all ones",
	[TOENIC_FATAL_STATUS]		= "status",
	[TOENIC_FATAL_ADMIN]		= "admin command",
	[TOENIC_FATAL_COMMAND]		= "TOE command",
	[TOENIC_FATAL_PROTOCOL]		= "protocol",
	[TOENIC_FATAL_TX]		= "transmit",
	[TOENIC_FATAL_PCI]		= "PCI",
};

static_assert(ARRAY_SIZE(toenic_fatal_names) == TOENIC_FATAL_REASONS);

/**
 * toenic_fatal_name() - for the log
 * @reason: enum toenic_fatal
 *
 * Return: its name.
 */
const char *toenic_fatal_name(int reason)
{
	return toenic_fatal_names[reason];
}

/**
 * toenic_deadline_set() - an answer should come soon
 * @nic: the card
 * @end: to be passed if it doesn't
 * @ms: of the card's time
 *
 * Context: any.
 */
void toenic_deadline_set(const struct toenic *nic, struct toenic_deadline *end,
			 unsigned int ms)
{
	end->beat = le32_to_cpu(READ_ONCE(*nic->health.heartbeat)) +
		    ms / TOE_HEARTBEAT_MS;
	end->end = jiffies + TOENIC_PATIENCE * msecs_to_jiffies(ms);
}

/**
 * toenic_deadline_passed() - should the answer have come?
 * @nic: the card
 * @end: as set
 *
 * If the heart doesn't beat at all, toenic_health_work() is faster.
 * Context: any.
 * Return: whether the card is dead.
 */
bool toenic_deadline_passed(const struct toenic *nic,
			    const struct toenic_deadline *end)
{
	u32 beat = le32_to_cpu(READ_ONCE(*nic->health.heartbeat));

	return (s32)(beat - end->beat) > 0 || time_after(jiffies, end->end);
}

/**
 * toenic_fatal() - the card is dead or lies: recover
 * @nic: the card
 * @reason: how it was noticed
 *
 * Only the first call of a death counts.
 * Context: any.
 */
void toenic_fatal(struct toenic *nic, enum toenic_fatal reason)
{
	if (test_and_set_bit(TOENIC_DEAD, &nic->flags))
		return;

	WRITE_ONCE(nic->health.reason, reason);
	atomic_long_inc(&nic->health.deaths[reason]);
	queue_delayed_work(nic->wq, &nic->health.recover, 0);
}

/**
 * toenic_bus_off() - take the bus from a function
 * @pdev: PCI function
 *
 * After return it doesn't write to host memory, alive or not.
 * Context: process.
 */
void toenic_bus_off(struct pci_dev *pdev)
{
	u16 cmd;

	pci_clear_master(pdev);
	/* a read pushes the write before it, and what the card has under way */
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
}

/**
 * toenic_health_cut() - take the bus from the card and declare it dead
 * @nic: the card
 *
 * Context: process.
 */
void toenic_health_cut(struct toenic *nic)
{
	toenic_bus_off(nic->pdev);
	/* Nobody posts commands to a card that can't fetch them. */
	toenic_fatal(nic, TOENIC_FATAL_ADMIN);
}

/**
 * toenic_health_detach() - the first half of a recovery, up to «fatal»
 * @nic: TOENIC_DEAD is set
 *
 * Context: process, under state_lock.
 */
void toenic_health_detach(struct toenic *nic)
{
	lockdep_assert_held(&nic->state_lock);

	toenic_health_cut(nic);
	toenic_down(nic);
	toenic_offload_drop(nic, true);
}

/**
 * toenic_health_attach() - the second half, from «reset» on
 * @nic: detached
 *
 * Context: process, under state_lock.
 * Return: 0 or -errno, then the card is cut again.
 */
int toenic_health_attach(struct toenic *nic)
{
	int err;

	lockdep_assert_held(&nic->state_lock);

	pci_set_master(nic->pdev);
	err = toenic_hw_reset(nic);
	if (err)
		goto err_cut;
	if (readl(nic->bar + TOE_REG_MAGIC) != TOE_MAGIC) {
		err = -EIO;
		goto err_cut;
	}

	clear_bit(TOENIC_DEAD, &nic->flags);
	err = toenic_admin_start(nic);
	if (err)
		goto err_dead;
	nic->health.missed = 0;
	if (nic->want_up) {
		err = toenic_up(nic);
		if (err)
			goto err_dead;
		toenic_offload_resume(nic);
	}
	return 0;

err_dead:
	set_bit(TOENIC_DEAD, &nic->flags);
err_cut:
	toenic_bus_off(nic->pdev);
	return err;
}

static void toenic_recover_work(struct work_struct *work)
{
	struct toenic *nic = container_of(to_delayed_work(work), struct toenic,
					  health.recover);
	struct toenic_health *health = &nic->health;
	unsigned int shift;
	int err;

	mutex_lock(&nic->state_lock);
	if (test_bit(TOENIC_NO_RECOVERY, &nic->flags))
		goto out;
	if (!health->tries) {
		netdev_err(nic->netdev, "card is dead (%s), recovering\n",
			   toenic_fatal_name(READ_ONCE(health->reason)));
		toenic_health_detach(nic);
	}

	err = toenic_health_attach(nic);
	if (err) {
		shift = min_t(unsigned int, health->tries, TOENIC_RETRY_SHIFT);
		if (!health->tries++)
			netdev_err(nic->netdev,
				   "card can't be reset: %d; trying on\n", err);
		queue_delayed_work(nic->wq, &health->recover,
				   msecs_to_jiffies(TOENIC_RETRY_MS << shift));
		goto out;
	}
	health->tries = 0;
	atomic_long_inc(&health->recovered);
	netdev_info(nic->netdev, "card is back\n");
out:
	mutex_unlock(&nic->state_lock);
}

static bool toenic_status_is_fatal(struct toenic *nic)
{
	/* not toenic_rd32(): all ones are an answer here */
	u32 status = readl(nic->bar + TOE_REG_STATUS);

	return status != ~0U && status & TOE_STATUS_FATAL;
}

/* Every look at memory the card writes; no register is read while it lives. */
static void toenic_health_work(struct work_struct *work)
{
	struct toenic *nic = container_of(to_delayed_work(work), struct toenic,
					  health.work);
	struct toenic_health *health = &nic->health;
	u32 beat;

	if (toenic_is_dead(nic))
		goto out;

	beat = le32_to_cpu(READ_ONCE(*health->heartbeat));
	if (beat != health->beat) {
		health->beat = beat;
		health->missed = 0;
	} else if (++health->missed >= TOENIC_MISSES) {
		/* Dead anyway; a card that can still tell may tell why. */
		toenic_fatal(nic, toenic_status_is_fatal(nic) ?
				  TOENIC_FATAL_STATUS : TOENIC_FATAL_HEARTBEAT);
		goto out;
	}
	/* While rings come or go there is nothing to look at. */
	if (mutex_trylock(&nic->state_lock)) {
		if (test_bit(TOENIC_UP, &nic->flags) &&
		    toenic_offload_overdue(nic))
			toenic_fatal(nic, TOENIC_FATAL_COMMAND);
		mutex_unlock(&nic->state_lock);
	}
	if (time_after(jiffies, health->stats_jiffies +
				msecs_to_jiffies(TOENIC_STATS_MS))) {
		health->stats_jiffies = jiffies;
		queue_work(nic->wq, &health->stats_work);
	}
out:
	schedule_delayed_work(&health->work,
			      msecs_to_jiffies(TOENIC_HEALTH_MS));
}

/* Apart from health_work, which must not wait for the card. */
static void toenic_stats_work(struct work_struct *work)
{
	struct toenic *nic = container_of(work, struct toenic,
					  health.stats_work);

	toenic_cmd_stats(nic);
}

/**
 * toenic_health_alloc() - the heartbeat word
 * @nic: the card
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int toenic_health_alloc(struct toenic *nic)
{
	struct toenic_health *health = &nic->health;

	INIT_DELAYED_WORK(&health->work, toenic_health_work);
	INIT_DELAYED_WORK(&health->recover, toenic_recover_work);
	INIT_WORK(&health->stats_work, toenic_stats_work);
	health->heartbeat = dma_alloc_coherent(toenic_dev(nic),
					       sizeof(*health->heartbeat),
					       &health->heartbeat_dma,
					       GFP_KERNEL);
	return health->heartbeat ? 0 : -ENOMEM;
}

/**
 * toenic_health_free() - undo toenic_health_alloc()
 * @nic: the card, disabled
 *
 * Context: process.
 */
void toenic_health_free(struct toenic *nic)
{
	dma_free_coherent(toenic_dev(nic), sizeof(*nic->health.heartbeat),
			  nic->health.heartbeat, nic->health.heartbeat_dma);
}

/**
 * toenic_health_start() - begin to watch
 * @nic: the card, enabled
 *
 * Context: process.
 */
void toenic_health_start(struct toenic *nic)
{
	nic->health.missed = 0;
	nic->health.stats_jiffies = jiffies;
	clear_bit(TOENIC_NO_RECOVERY, &nic->flags);
	if (toenic_is_dead(nic))
		queue_delayed_work(nic->wq, &nic->health.recover, 0);
	schedule_delayed_work(&nic->health.work,
			      msecs_to_jiffies(TOENIC_HEALTH_MS));
}

/**
 * toenic_health_stop() - neither watch nor recover any more
 * @nic: TOENIC_NO_RECOVERY is set
 *
 * Context: process, state_lock not held.
 */
void toenic_health_stop(struct toenic *nic)
{
	cancel_delayed_work_sync(&nic->health.work);
	cancel_work_sync(&nic->health.stats_work);
	cancel_delayed_work_sync(&nic->health.recover);
}
