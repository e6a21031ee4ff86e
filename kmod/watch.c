// SPDX-License-Identifier: GPL-2.0
/*
 * Noticing that rules, routes, neighbours or devices have changed.
 *
 * Two notifiers of the kernel tell of devices and neighbours at once.  For the rest
 * there is none, or one that would run for every route of every namespace: hooks of
 * packet filters, queueing disciplines, tc filters, XDP, BPF programs of cgroups,
 * IPsec policies, routes, rules, addresses.  Of all these a signature is made
 * (toe_inpath_sign()) while connections are in the card or were kept out of it, and
 * only then: a few dozen words to read, twenty times a second.
 *
 * Connections are walked when the signature is another one or a notifier has called,
 * by toe_dev's tick.  A walk asks everything again, so it doesn't matter what has
 * changed.  In between they are looked at in turn all the same.
 */
#include <linux/netdevice.h>
#include <net/neighbour.h>
#include <net/netevent.h>

#include "conn.h"
#include "device.h"
#include "inpath.h"

#define TOE_PERIOD		msecs_to_jiffies(50)	/* with connections */
#define TOE_PERIOD_BLOCKED	msecs_to_jiffies(500)	/* without */
#define TOE_LOOK_GAP		msecs_to_jiffies(20)	/* between walks, at least */
#define TOE_LOOK_SHARE		4	/* and this many times as long as one took */
#define TOE_OFFER_DELAY		msecs_to_jiffies(100)	/* after reoffload_ms */

/**
 * toe_watch_changed() - something about this card's paths may have changed
 * @dev: card
 *
 * Context: any.
 */
void toe_watch_changed(struct toe_dev *dev)
{
	WRITE_ONCE(dev->look, true);
	if (READ_ONCE(dev->active) || READ_ONCE(dev->blocked))
		mod_delayed_work(toe_wq, &dev->tick, 0);
}

/**
 * toe_watch_blocked() - a rule keeps a connection out of the card
 * @dev: card
 *
 * Once the rules change it's offered again.
 * Context: any.
 */
void toe_watch_blocked(struct toe_dev *dev)
{
	if (READ_ONCE(dev->blocked) || !toe_dev_usable(dev))
		return;
	WRITE_ONCE(dev->blocked, true);
	queue_delayed_work(toe_wq, &dev->tick, toe_watch_period(dev));
}

/* Who was called back tries again by itself after reoffload_ms; not twice. */
static void toe_watch_plan_offer(struct toe_dev *dev)
{
	unsigned int ms = READ_ONCE(dev->reoffload_ms);
	unsigned long at = dev->recalled_at + msecs_to_jiffies(ms) + TOE_OFFER_DELAY;

	WRITE_ONCE(dev->blocked, false);
	if (!ms)
		return;
	dev->offer_at = jiffies;
	if (time_in_range(jiffies, dev->recalled_at, at))
		dev->offer_at = at;
	dev->offer = true;
}

/**
 * toe_watch_look() - are all connections to be looked at?
 * @dev: card
 *
 * Also offers what rules had kept out to the card, if they have changed.
 *
 * Context: process, @dev's tick.
 */
bool toe_watch_look(struct toe_dev *dev)
{
	u64 sign = toe_inpath_sign(dev);

	if (sign != dev->signed_rules) {
		dev->signed_rules = sign;
		WRITE_ONCE(dev->look, true);
	}
	if (dev->offer && time_after_eq(jiffies, dev->offer_at)) {
		dev->offer = false;
		if (READ_ONCE(dev->enabled))
			toe_notice_existing(dev);
	}
	if (!READ_ONCE(dev->look) || time_before(jiffies, dev->look_at))
		return false;
	/* What changes from here on is for the next one. */
	WRITE_ONCE(dev->look, false);
	dev->look_at = jiffies;
	if (READ_ONCE(dev->blocked))
		toe_watch_plan_offer(dev);
	return true;
}

/**
 * toe_watch_looked() - all connections were looked at
 * @dev: card
 *
 * However fast tables change, looking takes a part of one CPU's time only.
 *
 * Context: process, @dev's tick.
 */
void toe_watch_looked(struct toe_dev *dev)
{
	unsigned long took = jiffies - dev->look_at;

	dev->look_at = jiffies + max(TOE_LOOK_GAP, took * TOE_LOOK_SHARE);
}

/* Without connections: is there something to wait for? */
bool toe_watch_wanted(const struct toe_dev *dev)
{
	return toe_dev_usable(dev) && READ_ONCE(dev->enabled) &&
	       (READ_ONCE(dev->blocked) || dev->offer);
}

/* When @dev's next tick is due. */
unsigned long toe_watch_period(const struct toe_dev *dev)
{
	if (!READ_ONCE(dev->active))
		return TOE_PERIOD_BLOCKED;
	if (READ_ONCE(dev->look) && time_after(dev->look_at, jiffies))
		return min(dev->look_at - jiffies, TOE_PERIOD);
	return TOE_PERIOD;
}

static void toe_watch_netdev(const struct net_device *netdev)
{
	struct toe_dev *dev;

	dev = toe_dev_find_below(netdev);
	if (!dev)
		return;
	toe_watch_changed(dev);
	toe_dev_put(dev);
}

/* Addresses, MTU, state, devices above: whatever it is, all is asked again. */
static int toe_on_netdev(struct notifier_block *nb, unsigned long event, void *ptr)
{
	toe_watch_netdev(netdev_notifier_info_to_dev(ptr));
	return NOTIFY_DONE;
}

static int toe_on_netevent(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct netevent_redirect *redirect = ptr;
	const struct neighbour *n = ptr;

	switch (event) {
	case NETEVENT_NEIGH_UPDATE:
		toe_watch_netdev(n->dev);
		break;
	case NETEVENT_REDIRECT:
		toe_watch_netdev(redirect->neigh->dev);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block toe_netdev_nb = { .notifier_call = toe_on_netdev };
static struct notifier_block toe_netevent_nb = { .notifier_call = toe_on_netevent };

int toe_watch_init(void)
{
	int err;

	err = register_netdevice_notifier(&toe_netdev_nb);
	if (err)
		return err;
	err = register_netevent_notifier(&toe_netevent_nb);
	if (err)
		unregister_netdevice_notifier(&toe_netdev_nb);
	return err;
}

void toe_watch_uninit(void)
{
	unregister_netevent_notifier(&toe_netevent_nb);
	unregister_netdevice_notifier(&toe_netdev_nb);
}
