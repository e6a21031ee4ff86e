/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The front's life: sockets, shared memory, one loop over all descriptors. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "front.h"

/**
 * front_clock_us() - monotonic time
 *
 * Return: us.
 */
uint64_t front_clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * UINT64_C(1000000) + ts.tv_nsec / 1000;
}

static void *shared(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, bytes))
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return p == MAP_FAILED ? NULL : p;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "toecard: %s: %s\n", what, strerror(-err));
	return 1;
}

static int start(struct front *f)
{
	unsigned int i;
	int err;

	f->listener = f->client = f->wire_fd = f->wire_listener = f->pcap_fd = -1;
	f->child.ctrl = f->child.kick = -1;
	for (i = 0; i < TOE_VECTORS; i++)
		f->irq[i] = -1;
	f->signals = open_signals();
	f->shm = shared("toecard-regs", sizeof(*f->shm));
	f->wire_state = shared("toecard-wire", sizeof(*f->wire_state));
	f->in = malloc(FRONT_MSG_MAX);
	f->child.queue = calloc(FRONT_CTRL_QUEUE, sizeof(*f->child.queue));
	if (f->signals < 0 || !f->shm || !f->wire_state || !f->in || !f->child.queue)
		return fail("start", -ENOMEM);
	if (f->opts.pcap) {
		f->pcap_fd = card_pcap_open(f->opts.pcap);
		if (f->pcap_fd < 0)
			return fail(f->opts.pcap, f->pcap_fd);
	}
	err = front_wire_open(f);
	if (err)
		return fail(f->opts.wire_path, err);
	f->listener = listen_unix(f->opts.socket);
	if (f->listener < 0)
		return fail(f->opts.socket, f->listener);
	front_config_reset(f);
	return front_child_start(f) ? 1 : 0;
}

/**
 * front_disconnect() - the hypervisor is gone, or has to go
 * @f: the front
 * @why: for the log, or NULL
 */
void front_disconnect(struct front *f, const char *why)
{
	if (f->client < 0)
		return;
	if (why)
		fprintf(stderr, "toecard: vfio-user: %s\n", why);
	front_socket_close(f);
	f->reset_count = 0;
	f->wait_count = 0;
	front_maps_clear(f);
	front_irqs_clear(f);
	front_config_reset(f);
	if (f->opts.keep)
		front_child_reset(f);
	else
		front_child_quit(f);
}

static void accept_client(struct front *f)
{
	int fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		f->client = fd;
}

static void handle_signals(struct front *f)
{
	struct signalfd_siginfo si;
	int status;

	while (read(f->signals, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo != SIGCHLD)
			front_child_quit(f);
	if (f->child.pid && waitpid(f->child.pid, &status, WNOHANG) == f->child.pid)
		front_child_reaped(f, status);
}

/* Carry out what is due; when the next thing is. */
static uint64_t handle_time(struct front *f)
{
	uint64_t now = front_clock_us(), next = now + 1000000;

	front_wire_retry(f);
	if (f->wire_fd < 0 && f->opts.wire_kind == CARD_WIRE_STREAM && !f->opts.wire_server)
		next = f->wire_retry;
	if (f->child.state == FRONT_STOPPING) {
		if (now >= f->child.stop_deadline) {
			f->child.stop_deadline = now + 1000000;
			front_child_kill(f, "it didn't stop");
		}
		if (f->child.stop_deadline < next)
			next = f->child.stop_deadline;
	}
	if (f->wait_count) {
		if (now >= f->waits[0].deadline) {
			f->waits[0].deadline = now + 1000000;
			front_child_kill(f, "it didn't let go of memory or interrupts");
		}
		if (f->waits[0].deadline < next)
			next = f->waits[0].deadline;
	}
	return next;
}

/**
 * front_full() - must the hypervisor's next message wait
 * @f: the front
 *
 * Return: true if there may be no room for what it leads to.
 */
bool front_full(const struct front *f)
{
	return f->wait_count == FRONT_WAITS || f->reset_count == FRONT_RESETS ||
	       f->child.queue_count == FRONT_CTRL_QUEUE;
}

static void turn(struct front *f)
{
	uint64_t next = handle_time(f), now = front_clock_us();
	bool full = front_full(f);
	struct pollfd fds[5] = {
		{ .fd = f->signals, .events = POLLIN },
		{ .fd = full && !f->out_have ? -1 : f->client, .events = full ? 0 : POLLIN },
		{ .fd = f->client < 0 && !f->child.quit ? f->listener : -1, .events = POLLIN },
		{ .fd = f->child.ctrl, .events = POLLIN },
		{ .fd = f->wire_fd < 0 ? f->wire_listener : -1, .events = POLLIN },
	};
	struct timespec ts = { 0 };

	if (f->out_have)
		fds[1].events |= POLLOUT;
	if (f->child.queue_count)
		fds[3].events |= POLLOUT;
	if (next > now) {
		ts.tv_sec = (next - now) / 1000000;
		ts.tv_nsec = (next - now) % 1000000 * 1000;
	}
	if (ppoll(fds, 5, &ts, NULL) <= 0)
		return;
	if (fds[1].revents & POLLOUT || (fds[1].revents && full))
		front_socket_flush(f);
	if (fds[1].revents & ~POLLOUT)
		front_socket_read(f);
	if (fds[0].revents)
		handle_signals(f);
	if (fds[2].revents)
		accept_client(f);
	if (fds[3].revents & POLLOUT)
		front_child_flush(f);
	if (fds[3].revents & ~POLLOUT)
		front_child_read(f);
	if (fds[4].revents)
		front_wire_accept(f);
	if (full)
		front_socket_parse(f);
}

/**
 * front_run() - be the card
 * @f: zeroed memory
 * @opts: command line
 *
 * Return: exit status.
 */
int front_run(struct front *f, const struct front_opts *opts)
{
	f->opts = *opts;
	if (start(f))
		return 1;
	printf("ready\n");
	fflush(stdout);
	while (!f->done)
		turn(f);
	unlink(f->opts.socket);
	if (f->opts.wire_server)
		unlink(f->opts.wire_path);
	return 0;
}
