// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets a context of the card, and when.
 *
 * What isn't offered yet (nobody has accepted it, it has moved too little, the card
 * is full) waits in the kernel's stack, at the stack's own cost: its work looks at
 * it ever less often, which is two words read without a lock and no command to the
 * card.  The busiest of those that wait for room are remembered as candidates: they
 * get what becomes free, and idle connections give way to them.
 */
#include <linux/delay.h>
#include <linux/sort.h>
#include <net/mptcp.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"

#define TOE_LOOK_FIRST		msecs_to_jiffies(20)
#define TOE_LOOK_BUSY		msecs_to_jiffies(250)	/* at the most, if it moves */
#define TOE_LOOK_IDLE		(2 * HZ)		/* if it doesn't */
#define TOE_LOOK_LONGEST	(16UL * HZ)		/* with many */
#define TOE_LOOKS_PER_S		4096			/* of all, about */

#define TOE_UNACCEPTED_MAX	4096	/* beyond it, old ones are forgotten */
#define TOE_UNACCEPTED_LOOKS	10
#define TOE_RESCAN		(10 * HZ)

#define TOE_RATE_TIME		HZ	/* what a rate is measured over, at least */
#define TOE_RATE_STALE		(4UL * HZ)
#define TOE_RATE_LOOKS		8	/* what it is averaged over */
#define TOE_RATE_SURE		3	/* before it counts */
#define TOE_RATE_BUSY		4096	/* bytes/s that are worth a hand-off */
#define TOE_CANDIDATE_LIFE	(4UL * HZ)

#define TOE_SWAP_TIME		msecs_to_jiffies(250)
#define TOE_SWAP_SAMPLE		256	/* connections that are compared at a time */
#define TOE_SWAP_FACTOR		2
#define TOE_SWAP_STAY		HZ
#define TOE_SWAP_STAY_SHIFT	4	/* doubled so often at the most */

#define TOE_FULL_TIME		HZ	/* how long the card's «full» is believed */
#define TOE_SHRINK_MS		200

static atomic_t toe_waiting;		/* connections that wait, for whatever */
static atomic_t toe_unaccepted;		/* for accept() */
static atomic_t toe_missed;		/* some were forgotten: look again later */

static void toe_admit_rescan(struct work_struct *work);
static DECLARE_DELAYED_WORK(toe_rescan, toe_admit_rescan);

/* Payload of both directions; the host keeps both words also for the card. */
static u64 toe_moved(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return READ_ONCE(tp->bytes_acked) + READ_ONCE(tp->bytes_received);
}

/*
 * How busy?  From looks that are a second or more apart, the mean of the last: what
 * comes in bursts looks twice as busy in one second as in the next.  @stale: an older
 * look doesn't tell busy now from busy then; but who moved nothing since is idle.
 */
static bool toe_measure(struct toe_sonode *sn, unsigned long stale)
{
	unsigned long took = jiffies - sn->look;
	u64 moved, bytes, rate;

	if (took < TOE_RATE_TIME)
		return sn->rated >= TOE_RATE_SURE;
	moved = toe_moved(sn->connt);
	bytes = moved - sn->moved;
	sn->moved = moved;
	sn->look = jiffies;
	if (took > stale) {
		sn->rated = bytes ? 0 : TOE_RATE_SURE;
		sn->rate = 0;
		return !bytes;
	}
	rate = min_t(u64, div64_u64(bytes * HZ, took), U32_MAX);
	if (sn->rated < TOE_RATE_LOOKS)
		sn->rated++;
	sn->rate = div_u64(rate + (u64)sn->rate * (sn->rated - 1), sn->rated);
	return sn->rated >= TOE_RATE_SURE;
}

/* How often each of those that wait may be looked at. */
static unsigned long toe_look_share(void)
{
	unsigned long share = (u64)atomic_read(&toe_waiting) * HZ / TOE_LOOKS_PER_S;

	return min(share, TOE_LOOK_LONGEST);
}

/* When to look again: soon at first, and not too often for all together. */
static unsigned long toe_look_delay(struct toe_sonode *sn, unsigned long first,
				    bool busy)
{
	unsigned long most = busy ? TOE_LOOK_BUSY : TOE_LOOK_IDLE;
	unsigned long delay = first << min_t(u8, sn->looks, 10);

	if (sn->looks < U8_MAX)
		sn->looks++;
	return min(delay, max(most, toe_look_share()));
}

/**
 * toe_admit_wait_end() - a connection waits no longer
 * @sn: connection
 *
 * Context: its work, or nobody else has it any more.
 */
void toe_admit_wait_end(struct toe_sonode *sn)
{
	if (sn->wait == TOE_WAIT_NOT)
		return;
	if (sn->wait == TOE_WAIT_ACCEPT)
		atomic_dec(&toe_unaccepted);
	atomic_dec(&toe_waiting);
	sn->wait = TOE_WAIT_NOT;
	sn->looks = 0;
}

/**
 * toe_admit_wait() - a connection will be looked at again
 * @sn: connection
 * @what: it waits for
 *
 * Context: its work.
 */
void toe_admit_wait(struct toe_sonode *sn, enum toe_wait what)
{
	bool accept = what == TOE_WAIT_ACCEPT;
	bool busy = true;

	if (sn->wait != what) {
		toe_admit_wait_end(sn);
		sn->wait = what;
		atomic_inc(&toe_waiting);
		if (accept)
			atomic_inc(&toe_unaccepted);
		sn->look = jiffies;
		sn->moved = toe_moved(sn->connt);
		sn->rated = 0;
		sn->rate = 0;
	} else if (!accept) {
		busy = toe_moved(sn->connt) != sn->moved ||
		       sn->rate >= TOE_RATE_BUSY;
	}
	toe_conn_schedule(sn, toe_look_delay(sn, accept ? 1 : TOE_LOOK_FIRST, busy));
	/* An offer meanwhile has asked for now, not for then. */
	if (READ_ONCE(sn->offered))
		toe_conn_schedule(sn, 0);
}

/* Sockets that were forgotten: those that still wait are left out, and come back. */
static void toe_admit_rescan(struct work_struct *work)
{
	atomic_set(&toe_missed, 0);
	toe_dev_rescan();
}

static void toe_admit_missed(void)
{
	if (!atomic_xchg(&toe_missed, 1))
		queue_delayed_work(toe_wq, &toe_rescan, TOE_RESCAN);
}

void toe_admit_uninit(void)
{
	cancel_delayed_work_sync(&toe_rescan);
}

/**
 * toe_admit_missing() - leave an established socket for a later look at all?
 * @sk: socket that is found established
 *
 * Context: any.
 * Return: true if nobody accepted it and too many such ones are known already.
 */
bool toe_admit_missing(const struct sock *sk)
{
	if (READ_ONCE(sk->sk_socket) ||
	    atomic_read(&toe_unaccepted) < TOE_UNACCEPTED_MAX / 2)
		return false;
	toe_admit_missed();
	return true;
}

/**
 * toe_admit_unaccepted() - nobody has accepted it: nobody to serve
 * @sn: connection
 * @sk: its socket
 *
 * Whose it will be shows when it is accepted: a listener of MPTCP is the kernel's, what
 * it accepts from a peer without MPTCP becomes the application's.
 *
 * However many connect and aren't accepted, no more than TOE_UNACCEPTED_MAX of them
 * are kept in mind for longer than the first looks.
 *
 * Context: the connection's work.
 * Return: true if the work ends here.
 */
bool toe_admit_unaccepted(struct toe_sonode *sn, struct sock *sk)
{
	if (READ_ONCE(sk->sk_socket) || sk_is_mptcp(sk)) {
		if (sn->wait == TOE_WAIT_ACCEPT)
			toe_admit_wait_end(sn);
		return false;
	}
	if (sn->looks >= TOE_UNACCEPTED_LOOKS &&
	    atomic_read(&toe_unaccepted) > TOE_UNACCEPTED_MAX) {
		toe_admit_wait_end(sn);
		toe_admit_missed();
	} else {
		toe_admit_wait(sn, TOE_WAIT_ACCEPT);
	}
	return true;
}

/**
 * toe_admit_small() - has it moved too little to be worth a context?
 * @sn: connection
 * @dev: card
 *
 * Context: any; without the socket's lock the answer may be old.
 */
bool toe_admit_small(const struct toe_sonode *sn, const struct toe_dev *dev)
{
	return !sn->flagged &&
	       toe_moved(sn->connt) < READ_ONCE(dev->admit.min_bytes);
}

static unsigned int toe_admit_limit(const struct toe_dev *dev)
{
	unsigned int limit = min_not_zero(READ_ONCE(dev->admit.max_conns),
					  dev->admit.contexts);

	return limit ?: UINT_MAX;
}

/**
 * toe_admit_room_locked() - is there a context?
 * @dev: card
 * @offered: for a candidate, to which one was offered
 *
 * Context: dev->lock held; without it the answer is a forecast.
 */
bool toe_admit_room_locked(const struct toe_dev *dev, bool offered)
{
	const struct toe_admit *a = &dev->admit;
	unsigned int used = READ_ONCE(dev->active);

	if (READ_ONCE(a->said_full) &&
	    time_before(jiffies, READ_ONCE(a->full_until)))
		return false;
	if (!offered)
		used += READ_ONCE(a->offers);
	return used < toe_admit_limit(dev);
}

/* The card itself has no room, whatever it said that it has. */
void toe_admit_said_full(struct toe_dev *dev)
{
	spin_lock_bh(&dev->lock);
	dev->admit.said_full = true;
	dev->admit.full_until = jiffies + TOE_FULL_TIME;
	spin_unlock_bh(&dev->lock);
}

static struct toe_sonode *toe_candidate_take(struct toe_admit *a, unsigned int i)
{
	struct toe_sonode *sn = a->best[i].sn;

	a->best[i] = a->best[--a->n];
	return sn;
}

/* It has a context, or is about to.  dev->lock held; the caller has a reference. */
void toe_admit_entered_locked(struct toe_dev *dev, struct toe_sonode *sn)
{
	struct toe_admit *a = &dev->admit;
	unsigned int i;

	lockdep_assert_held(&dev->lock);
	for (i = 0; i < a->n; i++) {
		if (a->best[i].sn == sn) {
			toe_conn_put(toe_candidate_take(a, i));
			return;
		}
	}
}

/* A busy connection waits: remember it if it is among the busiest. */
static void toe_candidate_add(struct toe_dev *dev, struct toe_sonode *sn)
{
	struct toe_admit *a = &dev->admit;
	struct toe_sonode *out = NULL;
	unsigned int i, least = 0;

	spin_lock_bh(&dev->lock);
	if (toe_admit_room_locked(dev, false))
		goto unlock;	/* its next look finds it */
	for (i = 0; i < a->n && a->best[i].sn != sn; i++)
		if (a->best[i].rate < a->best[least].rate)
			least = i;
	if (i == TOE_CANDIDATES) {
		if (a->best[least].rate >= sn->rate)
			goto unlock;
		i = least;
		out = a->best[i].sn;
	}
	if (i == a->n) {
		a->best[a->n++].sn = sn;
		toe_conn_get(sn);
	} else if (out) {
		a->best[i].sn = sn;
		toe_conn_get(sn);
	}
	a->best[i].rate = sn->rate;
	a->best[i].until = jiffies + TOE_CANDIDATE_LIFE;
unlock:
	spin_unlock_bh(&dev->lock);
	if (out)
		toe_conn_put(out);
}

/**
 * toe_admit_offer_locked() - a context is free: for whom?
 * @dev: card
 *
 * Context: dev->lock held.
 * Return: the busiest candidate, whose work the caller schedules, with a reference;
 *	or NULL.
 */
struct toe_sonode *toe_admit_offer_locked(struct toe_dev *dev)
{
	struct toe_admit *a = &dev->admit;
	unsigned int i, most = 0;
	struct toe_sonode *sn;

	lockdep_assert_held(&dev->lock);
	a->said_full = false;
	if (!a->n || !toe_admit_room_locked(dev, false))
		return NULL;
	for (i = 1; i < a->n; i++)
		if (a->best[i].rate > a->best[most].rate)
			most = i;
	sn = toe_candidate_take(a, most);
	sn->offered = true;
	a->offers++;
	return sn;
}

/**
 * toe_admit_claim() - take what was offered
 * @sn: connection
 *
 * Context: its work.
 * Return: whether a context is kept for it; it must be used now, or passed on.
 */
bool toe_admit_claim(struct toe_sonode *sn)
{
	struct toe_dev *dev = sn->dev;

	if (!READ_ONCE(sn->offered))
		return false;
	spin_lock_bh(&dev->lock);
	sn->offered = false;
	dev->admit.offers--;
	spin_unlock_bh(&dev->lock);
	if (sn->swaps < U8_MAX)
		sn->swaps++;
	return true;
}

/* An offer wasn't used: to the next one. */
void toe_admit_pass_on(struct toe_dev *dev)
{
	struct toe_sonode *next;

	spin_lock_bh(&dev->lock);
	next = toe_admit_offer_locked(dev);
	spin_unlock_bh(&dev->lock);
	if (next) {
		toe_conn_schedule(next, 0);
		toe_conn_put(next);
	}
}

/* Is what it waits for still to come? */
static bool toe_admit_still(const struct toe_sonode *sn, const struct toe_dev *dev)
{
	switch (sn->wait) {
	case TOE_WAIT_BYTES:
		return toe_admit_small(sn, dev);
	case TOE_WAIT_ROOM:
		return !toe_admit_room_locked(dev, false);
	default:
		return toe_manner_stalled(sn->connt) ||
		       sock_owned_by_user_nocheck(sn->connt);
	}
}

/**
 * toe_admit_waits() - look at a connection that waits
 * @sn: connection
 * @offered: a context was offered to it
 *
 * Context: its work.
 * Return: true if it goes on waiting.
 */
bool toe_admit_waits(struct toe_sonode *sn, bool offered)
{
	struct toe_dev *dev = sn->dev;

	if (sn->wait == TOE_WAIT_NOT || sn->wait == TOE_WAIT_ACCEPT)
		return false;
	if (offered || !toe_dev_usable(dev) ||
	    (!READ_ONCE(dev->enabled) && !sn->flagged))
		return false;
	if (!toe_admit_still(sn, dev))
		return false;
	if (toe_measure(sn, max(TOE_RATE_STALE, 2 * toe_look_share())) &&
	    sn->rate >= TOE_RATE_BUSY && sn->wait == TOE_WAIT_ROOM)
		toe_candidate_add(dev, sn);
	toe_admit_wait(sn, sn->wait);
	return true;
}

/* The card is about to have it.  Socket spinlock held. */
void toe_admit_committed(struct toe_sonode *sn)
{
	sn->look = jiffies;
	sn->moved = toe_moved(sn->connt);
	sn->rated = 0;
	sn->rate = 0;
}

/**
 * toe_admit_flush() - forget candidates
 * @dev: card
 *
 * Context: any.
 */
void toe_admit_flush(struct toe_dev *dev)
{
	struct toe_sonode *sn;

	do {
		sn = NULL;
		spin_lock_bh(&dev->lock);
		if (dev->admit.n)
			sn = toe_candidate_take(&dev->admit, 0);
		spin_unlock_bh(&dev->lock);
		if (sn)
			toe_conn_put(sn);
	} while (sn);
}

/* Candidates that nobody has called busy lately: dead, idle or in the card. */
static void toe_admit_prune(struct toe_dev *dev)
{
	struct toe_sonode *old[TOE_CANDIDATES];
	struct toe_admit *a = &dev->admit;
	unsigned int i = 0, n = 0;

	spin_lock_bh(&dev->lock);
	while (i < a->n) {
		if (time_after(jiffies, a->best[i].until))
			old[n++] = toe_candidate_take(a, i);
		else
			i++;
	}
	spin_unlock_bh(&dev->lock);
	while (n)
		toe_conn_put(old[--n]);
}

/* May it be asked to go?  Who got in by a swap stays longer each time. */
static bool toe_admit_stayed(const struct toe_sonode *sn)
{
	unsigned long stay = TOE_SWAP_STAY;

	if (sn->rate)
		stay <<= min_t(u8, sn->swaps, TOE_SWAP_STAY_SHIFT);
	return time_after(jiffies, sn->since + stay);
}

struct toe_idle {
	struct toe_sonode *sn;
	u32 rate;
};

/* Insert into @idle, the idlest first, if among the @max idlest. */
static unsigned int toe_idle_add(struct toe_idle *idle, unsigned int n,
				 unsigned int max, struct toe_sonode *sn)
{
	unsigned int i;

	if (n == max) {
		if (idle[n - 1].rate <= sn->rate)
			return n;
		n--;
	}
	for (i = n; i && idle[i - 1].rate > sn->rate; i--)
		idle[i] = idle[i - 1];
	idle[i].sn = sn;
	idle[i].rate = sn->rate;
	return n + 1;
}

/*
 * The idlest of the next connections of the card's list, which the clock hand goes
 * round; with references.  dev->lock held.
 */
static unsigned int toe_idlest_locked(struct toe_dev *dev, struct toe_idle *idle,
				      unsigned int max)
{
	unsigned int i, left = min_t(unsigned int, dev->active, TOE_SWAP_SAMPLE);
	unsigned long round = (dev->active / TOE_SWAP_SAMPLE + 1) * TOE_SWAP_TIME;
	struct toe_sonode *sn;
	unsigned int n = 0;

	lockdep_assert_held(&dev->lock);
	while (left-- && !list_empty(&dev->conns)) {
		sn = list_first_entry(&dev->conns, struct toe_sonode, node);
		list_move_tail(&sn->node, &dev->conns);
		if (READ_ONCE(sn->state) == TOE_OFFLOADED &&
		    toe_measure(sn, max(2 * round, TOE_RATE_STALE)) &&
		    toe_admit_stayed(sn))
			n = toe_idle_add(idle, n, max, sn);
	}
	for (i = 0; i < n; i++)
		toe_conn_get(idle[i].sn);
	return n;
}

/* The rates of the busiest candidates, the busiest first.  dev->lock held. */
static unsigned int toe_busiest_locked(const struct toe_dev *dev, u32 *rates,
				       unsigned int max)
{
	const struct toe_admit *a = &dev->admit;
	unsigned int i, j, n = 0;

	lockdep_assert_held(&dev->lock);
	for (i = 0; i < a->n; i++) {
		u32 rate = a->best[i].rate;

		if (n < max)
			n++;
		else if (rates[n - 1] >= rate)
			continue;
		for (j = n - 1; j && rates[j - 1] < rate; j--)
			rates[j] = rates[j - 1];
		rates[j] = rate;
	}
	return n;
}

/* The idlest in the card against the busiest that wait. */
static void toe_admit_swap(struct toe_dev *dev)
{
	unsigned int max = clamp(dev->active / 16, 2U, (unsigned int)TOE_CANDIDATES);
	struct toe_idle idle[TOE_CANDIDATES];
	unsigned int i, nidle, nbusy;
	u32 busy[TOE_CANDIDATES];

	spin_lock_bh(&dev->lock);
	nidle = toe_idlest_locked(dev, idle, max);
	nbusy = toe_busiest_locked(dev, busy, max);
	spin_unlock_bh(&dev->lock);

	for (i = 0; i < nidle; i++) {
		if (i < nbusy && busy[i] / TOE_SWAP_FACTOR > idle[i].rate)
			toe_recall_start(idle[i].sn, TOE_RECALL_IDLE);
		toe_conn_put(idle[i].sn);
	}
}

/**
 * toe_admit_tick() - let idle connections give way
 * @dev: card
 *
 * Costs nothing unless busy connections wait.
 *
 * Context: process; the card's tick.
 */
void toe_admit_tick(struct toe_dev *dev)
{
	if (!READ_ONCE(dev->admit.n) ||
	    time_before(jiffies, dev->admit.next_swap))
		return;
	dev->admit.next_swap = jiffies + TOE_SWAP_TIME;
	toe_admit_prune(dev);
	if (toe_admit_room_locked(dev, false))
		toe_admit_pass_on(dev);
	else if (READ_ONCE(dev->admit.n))
		toe_admit_swap(dev);
}

struct toe_surplus {
	struct toe_sonode *sn;
	u64 moved;
};

static int toe_surplus_cmp(const void *a, const void *b)
{
	const struct toe_surplus *x = a, *y = b;

	return x->moved < y->moved ? -1 : x->moved > y->moved;
}

/* Call back @surplus of @conns, the idlest, as a fifth of a second shows them. */
static void toe_admit_recall_idlest(struct toe_surplus *all, unsigned int n,
				    unsigned int surplus)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		all[i].moved = toe_moved(all[i].sn->connt);
	msleep(TOE_SHRINK_MS);
	for (i = 0; i < n; i++)
		all[i].moved = toe_moved(all[i].sn->connt) - all[i].moved;
	sort(all, n, sizeof(*all), toe_surplus_cmp, NULL);
	for (i = 0; i < n && i < surplus; i++)
		toe_recall_start(all[i].sn, TOE_RECALL_LIMIT);
}

/**
 * toe_admit_shrink() - no more connections than are allowed
 * @dev: card
 *
 * The idlest of the surplus is called back.
 *
 * Context: process; may sleep.  The caller holds dev->switch_lock.
 * Return: 0 or -ENOMEM.
 */
int toe_admit_shrink(struct toe_dev *dev)
{
	unsigned int i, n, limit = toe_admit_limit(dev);
	struct toe_sonode **conns;
	struct toe_surplus *all;

	lockdep_assert_held(&dev->switch_lock);
	if (READ_ONCE(dev->active) <= limit)
		return 0;
	conns = toe_dev_snapshot(dev, 0, &n);
	if (!conns)
		return -ENOMEM;
	all = kvmalloc_array(n, sizeof(*all), GFP_KERNEL);
	for (i = 0; all && i < n; i++)
		all[i].sn = conns[i];
	if (all && n > limit)
		toe_admit_recall_idlest(all, n, n - limit);
	for (i = 0; i < n; i++)
		toe_conn_put(conns[i]);
	kvfree(conns);
	kvfree(all);
	return all ? 0 : -ENOMEM;
}
