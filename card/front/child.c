/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The device process as the front sees it: started, fed, stopped, mourned.
 *
 * A reset ends the process and starts another; nothing else forgets so surely.
 * It's asked to end at a safe point first, so that the stream on the wire stays
 * whole, and killed if it doesn't.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "front.h"

#define STOP_US		200000
#define CTRL_SNDBUF	(1024 * 1024)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In the child: keep only what the device process needs, then be it. */
static void child_main(struct front *f, int ctrl, pid_t parent)
{
	struct card_process p = {
		.cfg = f->opts.cfg, .shm = f->shm, .wire_state = f->wire_state,
		.wire_kind = f->opts.wire_kind, .pcap_fd = f->pcap_fd,
		.impair = f->opts.has_impair ? &f->opts.impair : NULL,
		.ctrl = ctrl, .kick = f->child.kick,
	};
	unsigned int i;
	sigset_t none;

	/* Die with the front; it may have died before we could say so. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close_fd(&f->listener);
	close_fd(&f->client);
	close_fd(&f->signals);
	close_fd(&f->wire_listener);
	close_fd(&f->wire_fd);
	close_fd(&f->child.ctrl);
	for (i = 0; i < f->map_count; i++)
		close_fd(&f->maps[i].fd);
	for (i = 0; i < TOE_VECTORS; i++)
		close_fd(&f->irq[i]);
	for (i = 0; i < f->fd_count; i++)
		close_fd(&f->fd[i]);
	_exit(card_process_run(&p));
}

/* What the former process knew. */
static void tell_all(struct front *f)
{
	unsigned int i;

	for (i = 0; i < f->map_count; i++) {
		const struct front_map *map = &f->maps[i];
		struct card_ctrl m = {
			.type = CARD_CTRL_MAP, .a = map->iova, .b = map->size,
			.c = map->offset, .flags = map->prot,
		};

		if (map->fd >= 0)
			front_child_send(f, &m, &map->fd, 1);
	}
	for (i = 0; i < TOE_VECTORS; i++) {
		struct card_ctrl m = { .type = CARD_CTRL_IRQ, .a = i, .b = 1 };

		if (f->irq[i] >= 0)
			front_child_send(f, &m, &f->irq[i], 1);
	}
	front_wire_hand_down(f);
}

static void clear_shm(struct card_shm *shm)
{
	unsigned int i;

	for (i = 0; i < CARD_REG_WORDS; i++)
		atomic_store(&shm->regs[i], 0);
	atomic_store(&shm->writes_tail, atomic_load(&shm->writes_head));
	atomic_store(&shm->doorbells, 0);
	atomic_store(&shm->sleeping, 0);
	atomic_store(&shm->stop, 0);
	atomic_store(&shm->reg_errors, 0);
}

/**
 * front_child_start() - start a device process
 * @f: the front, without one
 *
 * Return: 0 or a negative errno; the card stays dead then.
 */
int front_child_start(struct front *f)
{
	struct front_child *c = &f->child;
	int sv[2], bytes = CTRL_SNDBUF, err;
	pid_t self = getpid();

	clear_shm(f->shm);
	/* Until the process has set its registers up they must read as something. */
	card_shm_set(f->shm, TOE_REG_MAGIC, TOE_MAGIC);
	card_shm_set(f->shm, TOE_REG_VERSION, TOE_ABI_MAJOR << 16 | TOE_ABI_MINOR);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv))
		return -errno;
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	c->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->ctrl = sv[0];
	c->pid = c->kick < 0 ? -1 : fork();
	if (!c->pid)
		child_main(f, sv[1], self);
	close(sv[1]);
	if (c->pid < 0) {
		err = -errno;
		close_fd(&c->ctrl);
		close_fd(&c->kick);
		fprintf(stderr, "toecard: can't start the device process: %s\n",
			strerror(-err));
		return err;
	}
	c->state = FRONT_RUNNING;
	c->queue_count = 0;
	tell_all(f);
	return 0;
}

/**
 * front_child_kick() - make the device process look at the shared memory
 * @f: the front
 */
void front_child_kick(struct front *f)
{
	uint64_t one = 1;

	if (f->child.state == FRONT_DEAD)
		return;
	/* Pairs with its recheck between saying «sleeping» and sleeping. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load(&f->shm->sleeping))
		return;
	if (write(f->child.kick, &one, sizeof(one)) < 0)
		return;
}

static void enqueue(struct front *f, const struct card_ctrl *m, const int *fds,
		    unsigned int count)
{
	struct front_child *c = &f->child;
	struct front_ctrl_item *it;
	unsigned int i;

	if (c->queue_count == FRONT_CTRL_QUEUE) {
		front_child_kill(f, "it takes no messages");
		return;
	}
	it = &c->queue[(c->queue_head + c->queue_count++) % FRONT_CTRL_QUEUE];
	it->m = *m;
	it->count = count;
	for (i = 0; i < count; i++)
		it->fds[i] = dup(fds[i]);
}

/**
 * front_child_send() - send the device process a message
 * @f: the front
 * @m: message
 * @fds: descriptors that go along; they stay the caller's
 * @count: how many
 *
 * Nothing is sent to a process that is dead or stopping: its successor is told
 * everything anyway.
 */
void front_child_send(struct front *f, const struct card_ctrl *m, const int *fds,
		      unsigned int count)
{
	int err;

	if (f->child.state != FRONT_RUNNING)
		return;
	if (f->child.queue_count) {
		enqueue(f, m, fds, count);
		return;
	}
	err = card_ctrl_send(f->child.ctrl, m, fds, count);
	if (err == -EAGAIN || err == -ENOBUFS || err == -ETOOMANYREFS)
		enqueue(f, m, fds, count);
	/* All other errors mean that it's gone: SIGCHLD will tell. */
}

static void item_done(struct front_child *c)
{
	struct front_ctrl_item *it = &c->queue[c->queue_head];
	unsigned int i;

	for (i = 0; i < it->count; i++)
		close(it->fds[i]);
	c->queue_head = (c->queue_head + 1) % FRONT_CTRL_QUEUE;
	c->queue_count--;
}

/**
 * front_child_flush() - send what is queued
 * @f: the front
 */
void front_child_flush(struct front *f)
{
	struct front_child *c = &f->child;

	while (c->queue_count && c->state == FRONT_RUNNING) {
		struct front_ctrl_item *it = &c->queue[c->queue_head];

		if (card_ctrl_send(c->ctrl, &it->m, it->fds, it->count) == -EAGAIN)
			return;
		item_done(c);
	}
}

/**
 * front_child_read() - handle what the device process says
 * @f: the front
 */
void front_child_read(struct front *f)
{
	int fds[CARD_CTRL_FDS], res = 0;
	struct card_ctrl m;
	unsigned int n;

	while (f->child.ctrl >= 0 &&
	       (res = card_ctrl_recv(f->child.ctrl, &m, fds, &n)) > 0) {
		while (n)
			close(fds[--n]);
		if (m.type == CARD_CTRL_DONE)
			front_acknowledged(f, m.seq);
		else if (m.type == CARD_CTRL_WIRE_LOST)
			front_wire_lost(f);
	}
	/* Closed: it's dying, SIGCHLD follows.  Don't be woken up for it again. */
	if (res < 0)
		close_fd(&f->child.ctrl);
}

/**
 * front_child_kill() - the device process misbehaves
 * @f: the front
 * @why: for the log
 */
void front_child_kill(struct front *f, const char *why)
{
	if (f->child.state == FRONT_DEAD)
		return;
	fprintf(stderr, "toecard: device process killed: %s\n", why);
	kill(f->child.pid, SIGKILL);
}

static void stop(struct front *f)
{
	uint64_t one = 1;

	f->child.state = FRONT_STOPPING;
	f->child.stop_deadline = front_clock_us() + STOP_US;
	atomic_store(&f->shm->stop, 1);
	if (write(f->child.kick, &one, sizeof(one)) < 0)
		return;
}

/**
 * front_child_reset() - reset the card
 * @f: the front
 *
 * Ends later, when the old device process is gone: front_child_reaped().
 */
void front_child_reset(struct front *f)
{
	if (f->child.state == FRONT_RUNNING)
		stop(f);
	else if (f->child.state == FRONT_DEAD && !f->child.quit)
		front_child_start(f);
}

/**
 * front_child_quit() - end the device process for good
 * @f: the front
 */
void front_child_quit(struct front *f)
{
	f->child.quit = true;
	if (f->child.state == FRONT_RUNNING)
		stop(f);
	else if (f->child.state == FRONT_DEAD)
		f->done = true;
}

/**
 * front_child_reaped() - the device process has ended
 * @f: the front
 * @status: as from waitpid()
 */
void front_child_reaped(struct front *f, int status)
{
	struct front_child *c = &f->child;
	bool wanted = c->state == FRONT_STOPPING;

	if (c->ctrl >= 0)
		front_child_read(f);
	close_fd(&c->ctrl);
	close_fd(&c->kick);
	while (c->queue_count)
		item_done(c);
	c->state = FRONT_DEAD;
	c->pid = 0;
	if (!wanted)
		fprintf(stderr, "toecard: device process died (%s %d): card is dead\n",
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	/* Killed in the middle of a read or write: where is the frame boundary? */
	if (f->wire_state->busy) {
		f->wire_state->busy = 0;
		if (f->opts.wire_kind == CARD_WIRE_STREAM)
			front_wire_lost(f);
	}
	front_acknowledge_all(f);
	if (c->quit) {
		f->done = true;
	} else if (wanted) {
		front_child_start(f);
		front_reset_done(f);
	}
}
