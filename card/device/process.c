/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The device process: the card, fed by the front.  It may be killed at any
 * moment; nothing outside of it depends on how it ends.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "process.h"

#define SPIN_US		20	/* look again for so long before sleeping */
#define PCAP_FLUSH_US	1000000

struct device {
	struct card card;
	struct card_wire wire;
	const struct card_process *p;
	int irq[TOE_VECTORS];
	bool irq_pending[TOE_VECTORS];	/* raised while the host had no eventfd for it */
	bool irq_fired[TOE_VECTORS];	/* since it got this eventfd */
	bool wire_lost_told;
	uint64_t pcap_next;
};

static uint64_t clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000) + ts.tv_nsec / 1000 + 1;
}

static void fire(struct device *d, unsigned int vector)
{
	uint64_t one = 1;

	d->irq_fired[vector] = true;
	/* Full eventfd: the host has two thousand million interrupts to look at. */
	if (write(d->irq[vector], &one, sizeof(one)) < 0)
		return;
}

/*
 * While MSI-X is being set up the hypervisor takes eventfds away and brings them
 * back one by one: what is raised in the gap is fired when they are back.
 */
static void raise_vector(void *ctx, unsigned int vector)
{
	struct device *d = ctx;

	if (d->irq[vector] < 0 || d->card.dma.bus_off)
		d->irq_pending[vector] = true;
	else
		fire(d, vector);
}

static void fire_pending(struct device *d)
{
	unsigned int v;

	for (v = 0; v < TOE_VECTORS; v++) {
		if (!d->irq_pending[v] || d->irq[v] < 0 || d->card.dma.bus_off)
			continue;
		d->irq_pending[v] = false;
		fire(d, v);
	}
}

static void set_irqs(struct device *d, const struct card_ctrl *m, const int *fds,
		     unsigned int count)
{
	uint64_t i;

	for (i = 0; i < m->b && m->a + i < TOE_VECTORS; i++) {
		unsigned int v = m->a + i;

		if (d->irq[v] >= 0)
			close(d->irq[v]);
		d->irq[v] = i < count ? dup(fds[i]) : -1;
		/* Has the host seen the last one?  One too many does no harm. */
		if (d->irq[v] < 0)
			d->irq_pending[v] |= d->irq_fired[v];
		d->irq_fired[v] = false;
	}
}

/* The front reads eagerly; if it doesn't, its deadline ends this process. */
static void tell_done(struct device *d, const struct card_ctrl *m)
{
	struct card_ctrl answer = { .type = CARD_CTRL_DONE, .seq = m->seq };

	if (m->seq)
		card_ctrl_send(d->p->ctrl, &answer, NULL, 0);
}

static void map(struct device *d, const struct card_ctrl *m, int fd)
{
	int err = card_dma_map_fd(&d->card.dma, m->a, m->b, fd, m->c, m->flags);

	if (err)
		fprintf(stderr, "toecard: can't map 0x%llx: %s\n",
			(unsigned long long)m->a, strerror(-err));
}

/* False: the front is gone. */
static bool run_ctrl(struct device *d)
{
	int fds[CARD_CTRL_FDS], res;
	struct card_ctrl m;
	unsigned int n, i;

	while ((res = card_ctrl_recv(d->p->ctrl, &m, fds, &n)) > 0) {
		if (m.type == CARD_CTRL_MAP && n == 1) {
			map(d, &m, fds[0]);
		} else if (m.type == CARD_CTRL_UNMAP) {
			card_dma_del(&d->card.dma, m.a, m.b);
			tell_done(d, &m);
		} else if (m.type == CARD_CTRL_IRQ) {
			set_irqs(d, &m, fds, n);
			tell_done(d, &m);
		} else if (m.type == CARD_CTRL_SYNC) {
			tell_done(d, &m);
		} else if (m.type == CARD_CTRL_WIRE && n == 1) {
			card_wire_set_fd(&d->wire, dup(fds[0]), m.flags);
			d->wire_lost_told = false;
		}
		for (i = 0; i < n; i++)
			close(fds[i]);
	}
	fire_pending(d);
	return res == 0;
}

static void tell_wire_lost(struct device *d)
{
	struct card_ctrl m = { .type = CARD_CTRL_WIRE_LOST };

	if (d->wire.fd >= 0 || d->wire_lost_told)
		return;
	if (!card_ctrl_send(d->p->ctrl, &m, NULL, 0))
		d->wire_lost_told = true;
}

/* Nothing to do: sleep until something happens or @until. */
static void sleep_until(struct device *d, uint64_t until)
{
	struct pollfd fds[3] = {
		{ .fd = d->p->kick, .events = POLLIN },
		{ .fd = d->p->ctrl, .events = POLLIN },
		{ .fd = d->wire.fd },
	};
	uint64_t now = clock_us(), left = until > now ? until - now : 0, count;
	struct timespec ts = { left / 1000000, left % 1000000 * 1000 };

	if (card_reads_wire(&d->card))
		fds[2].events |= POLLIN;
	if (card_wire_want_out(&d->wire))
		fds[2].events |= POLLOUT;
	if (!fds[2].events)
		fds[2].fd = -1;
	ppoll(fds, 3, &ts, NULL);
	if (fds[0].revents && read(d->p->kick, &count, sizeof(count)) < 0)
		return;
}

/* Has the front left something since we said that we sleep? */
static bool front_waits(struct card_shm *shm)
{
	return atomic_load(&shm->doorbells) || atomic_load(&shm->stop) ||
	       atomic_load(&shm->writes_head) != atomic_load(&shm->writes_tail);
}

static void idle(struct device *d, uint64_t last_work)
{
	struct card_shm *shm = d->p->shm;
	uint64_t until;

	/* Two CPUs are shared with the hypervisor: spin shortly, then sleep. */
	if (clock_us() - last_work < SPIN_US)
		return;
	atomic_store(&shm->sleeping, 1);
	if (!front_waits(shm) && !card_arm(&d->card)) {
		until = card_deadline(&d->card);
		if (d->wire.pcap && d->pcap_next < until)
			until = d->pcap_next;
		sleep_until(d, until);
	}
	atomic_store(&shm->sleeping, 0);
}

static void flush_pcap(struct device *d, uint64_t now)
{
	if (!d->wire.pcap || now < d->pcap_next)
		return;
	card_pcap_flush(d->wire.pcap);
	d->pcap_next = now + PCAP_FLUSH_US;
}

static int start(struct device *d, const struct card_process *p)
{
	unsigned int i;

	prctl(PR_SET_TIMERSLACK, 1);
	d->p = p;
	for (i = 0; i < TOE_VECTORS; i++)
		d->irq[i] = -1;
	d->wire.st = p->wire_state;
	d->wire.kind = p->wire_kind;
	d->wire.fd = -1;
	d->wire_lost_told = true;	/* the front knows: it hasn't sent one yet */
	if (p->impair && (p->impair->dirs & CARD_IMPAIR_RX))
		d->wire.rx_imp = card_impair_create(p->impair, 0);
	if (p->impair && (p->impair->dirs & CARD_IMPAIR_TX))
		d->wire.tx_imp = card_impair_create(p->impair, 1);
	if (p->pcap_fd >= 0)
		d->wire.pcap = card_pcap_create(p->pcap_fd);
	d->card.raise = raise_vector;
	d->card.raise_ctx = d;
	return card_init(&d->card, &p->cfg, p->shm, &d->wire);
}

/**
 * card_process_run() - be the device process
 * @p: what the front gives
 *
 * Return: exit status, once the front has asked for the end or is gone.
 */
int card_process_run(const struct card_process *p)
{
	struct device *d = calloc(1, sizeof(*d));
	uint64_t now, last_work = 0;
	unsigned int turn = 0;

	if (!d || start(d, p)) {
		fprintf(stderr, "toecard: no memory\n");
		return 1;
	}
	while (!atomic_load(&p->shm->stop)) {
		now = clock_us();
		/* Messages are rare: look for them before sleeping and now and then. */
		if ((last_work != now && now - last_work >= SPIN_US) || !(turn++ % 16))
			if (!run_ctrl(d))
				break;
		if (card_poll(&d->card, now))
			last_work = now;
		else
			idle(d, last_work);
		tell_wire_lost(d);
		flush_pcap(d, now);
	}
	card_pcap_destroy(d->wire.pcap);
	d->wire.pcap = NULL;
	return 0;
}
