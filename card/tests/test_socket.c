/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The front's sockets by themselves: messages in pieces and in heaps, descriptors, replies
 * that nobody reads, the queue to the device process, the wire's descriptor.
 */
#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../front/front.h"
#include "../front/vfio_user.h"
#include "kit.h"

static struct front f;
static int hypervisor, device;
static uint8_t big[FRONT_MSG_MAX + 16];

static void front(enum front_child_state state)
{
	int sv[2], bytes = 128 * 1024;
	unsigned int i;

	memset(&f, 0, sizeof(f));
	f.shm = calloc(1, sizeof(*f.shm));
	f.wire_state = calloc(1, sizeof(*f.wire_state));
	f.in = malloc(FRONT_MSG_MAX);
	f.child.queue = calloc(FRONT_CTRL_QUEUE, sizeof(*f.child.queue));
	f.wire_fd = f.wire_listener = f.listener = f.signals = f.pcap_fd = -1;
	f.opts.cfg.pairs = 4;
	for (i = 0; i < TOE_VECTORS; i++)
		f.irq[i] = -1;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	f.client = sv[0];
	hypervisor = sv[1];
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv));
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	f.child.ctrl = sv[0];
	device = sv[1];
	f.child.kick = eventfd(0, EFD_NONBLOCK);
	f.child.state = state;
	f.child.quit = true;
	front_config_reset(&f);
}

static void done(void)
{
	front_maps_clear(&f);
	if (f.client >= 0)
		front_socket_close(&f);
	close(hypervisor);
	if (f.child.ctrl >= 0)
		close(f.child.ctrl);
	close(device);
	if (f.child.kick >= 0)
		close(f.child.kick);
	if (f.wire_fd >= 0)
		close(f.wire_fd);
	free(f.shm);
	free(f.wire_state);
	free(f.in);
	free(f.out);
	free(f.child.queue);
}

/* A message of @size bytes in big, all of its payload zero. */
static uint32_t message(uint16_t id, uint16_t cmd, uint32_t size)
{
	struct vfio_user_header h = { .id = id, .cmd = cmd, .size = size };

	memset(big, 0, size < sizeof(big) ? size : sizeof(h));
	memcpy(big, &h, sizeof(h));
	return size;
}

static void push(const void *data, size_t len)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = write(hypervisor, (const uint8_t *)data + at, len - at);
		if (n > 0)
			at += n;
		front_socket_read(&f);
	}
}

/* The next reply's id, 0: there is none; its error is stored, its payload skipped. */
static uint16_t reply(uint32_t *error)
{
	struct vfio_user_header h;
	static uint8_t data[70000];
	ssize_t n = read(hypervisor, &h, sizeof(h));
	size_t have;

	if (n <= 0)
		return 0;
	CHECK_EQ(n, sizeof(h));
	*error = h.error;
	for (have = sizeof(h); have < h.size; have += n) {
		n = read(hypervisor, data, h.size - have);
		if (n < 0) {		/* the rest of it waits */
			front_socket_flush(&f);
			n = read(hypervisor, data, h.size - have);
		}
		CHECK(n > 0);
	}
	return h.id;
}

static void byte_by_byte(void)
{
	uint32_t err, i, len, n;

	front(FRONT_RUNNING);
	for (n = 1; n < 4; n++) {
		len = message(n, VFIO_USER_DEVICE_GET_INFO, 32);
		for (i = 0; i < len; i++) {
			CHECK_EQ(reply(&err), 0);
			push(big + i, 1);
		}
		CHECK_EQ(reply(&err), n);
		CHECK_EQ(err, 0);
		CHECK_EQ(f.in_have, 0);
		CHECK_EQ(f.in_pos, n * 32);
	}
	done();
}

static void many_at_once(void)
{
	uint8_t heap[50 * 32];
	uint32_t err, i;

	front(FRONT_RUNNING);
	for (i = 0; i < 50; i++)
		memcpy(heap + i * 32, big, message(i + 1, VFIO_USER_DEVICE_GET_INFO, 32));
	CHECK(write(hypervisor, heap, 50 * 32 - 1) == 50 * 32 - 1);
	front_socket_read(&f);
	for (i = 0; i < 49; i++)
		CHECK_EQ(reply(&err), i + 1);
	CHECK_EQ(reply(&err), 0);
	CHECK_EQ(f.in_have, 31);
	push(heap + 50 * 32 - 1, 1);
	CHECK_EQ(reply(&err), 50);
	done();
}

static void sizes_are_bounded(void)
{
	uint32_t err;

	front(FRONT_RUNNING);
	push(big, message(1, 99, 16));
	CHECK_EQ(reply(&err), 1);
	CHECK_EQ(err, ENOTSUP);
	push(big, message(2, 99, FRONT_MSG_MAX));
	CHECK_EQ(reply(&err), 2);
	CHECK(f.client >= 0);
	message(3, 99, 15);
	push(big, 16);
	CHECK_EQ(f.client, -1);
	CHECK_EQ(f.child.state, FRONT_STOPPING);
	done();
	front(FRONT_RUNNING);
	message(3, 99, FRONT_MSG_MAX + 1);
	push(big, 16);
	CHECK_EQ(f.client, -1);
	done();
}

static void the_end_of_a_hypervisor(void)
{
	unsigned int keep;

	for (keep = 0; keep < 2; keep++) {
		front(FRONT_RUNNING);
		f.child.quit = false;
		f.opts.keep = keep;
		f.maps[f.map_count++] = (struct front_map){ .size = 4096, .fd = eventfd(0, 0) };
		f.irq[3] = eventfd(0, 0);
		f.fd[f.fd_count++] = eventfd(0, 0);
		f.wait_count = f.reset_count = 2;
		f.config[0x3c] = 9;
		f.in_have = 5;
		f.in_pos = 7;
		f.out_have = 3;
		close(hypervisor);
		hypervisor = eventfd(0, 0);
		front_socket_read(&f);
		CHECK_EQ(f.client, -1);
		CHECK(!f.map_count && !f.fd_count && !f.wait_count && !f.reset_count);
		CHECK(f.irq[3] == -1 && !f.config[0x3c]);
		CHECK(!f.in_have && !f.in_pos && !f.out_have);
		CHECK_EQ(f.child.state, FRONT_STOPPING);
		CHECK_EQ(f.child.quit, !keep);
		front_disconnect(&f, NULL);		/* twice is once */
		CHECK(!f.done);
		done();
	}
	front(FRONT_DEAD);
	front_disconnect(&f, NULL);
	CHECK(f.done);
	done();
}

static void nothing_is_read_when_full(void)
{
	uint32_t err;

	front(FRONT_RUNNING);
	CHECK(!front_full(&f));
	f.wait_count = FRONT_WAITS;
	CHECK(front_full(&f));
	push(big, message(1, VFIO_USER_DEVICE_GET_INFO, 32));
	CHECK_EQ(f.in_have, 0);
	f.wait_count--;
	CHECK(!front_full(&f));
	f.reset_count = FRONT_RESETS;
	CHECK(front_full(&f));
	f.reset_count--;
	CHECK(!front_full(&f));
	f.child.queue_count = FRONT_CTRL_QUEUE;
	CHECK(front_full(&f));
	f.child.queue_count--;
	CHECK(!front_full(&f));
	f.wait_count = f.reset_count = f.child.queue_count = 0;
	front_socket_read(&f);
	CHECK_EQ(reply(&err), 1);
	/* Read, but not handled: until there is room. */
	memcpy(f.in, big, 32);
	f.in_have = 32;
	f.wait_count = FRONT_WAITS;
	front_socket_parse(&f);
	CHECK_EQ(f.in_have, 32);
	f.wait_count = 0;
	front_socket_parse(&f);
	CHECK_EQ(reply(&err), 1);
	done();
}

/* A message with @n eventfds. */
static void with_fds(const void *data, size_t len, unsigned int n)
{
	char cbuf[CMSG_SPACE(sizeof(int) * 32)] = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = cbuf,
			    .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	int fds[32];
	unsigned int i;

	for (i = 0; i < n; i++)
		fds[i] = eventfd(100 + i, EFD_NONBLOCK);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(cm), fds, sizeof(int) * n);
	CHECK(sendmsg(hypervisor, &m, 0) == (ssize_t)len);
	for (i = 0; i < n; i++)
		close(fds[i]);
}

static void map_message(uint16_t id, uint64_t iova)
{
	struct vfio_user_dma_map m = { .argsz = 32, .flags = 3, .iova = iova, .size = 4096 };

	message(id, VFIO_USER_DMA_MAP, 48);
	memcpy(big + 16, &m, sizeof(m));
}

/* They belong to the message with whose bytes they came, also in pieces. */
static void descriptors_find_their_message(void)
{
	uint64_t val;
	uint32_t err;

	front(FRONT_DEAD);
	map_message(1, 0x10000);
	with_fds(big, 48, 1);
	map_message(2, 0x20000);
	CHECK(write(hypervisor, big, 48) == 48);	/* none */
	map_message(3, 0x30000);
	CHECK(write(hypervisor, big, 20) == 20);
	with_fds(big + 20, 28, 1);
	map_message(4, 0x40000);
	with_fds(big, 20, 1);
	front_socket_read(&f);
	CHECK_EQ(f.fd_count, 1);
	push(big + 20, 28);
	for (err = 0; err < 4; err++) {
		CHECK_EQ(f.maps[err].iova, 0x10000 * (err + 1));
		CHECK_EQ(f.maps[err].fd >= 0, err != 1);
	}
	CHECK(read(f.maps[0].fd, &val, 8) == 8 && val == 100);
	CHECK_EQ(reply(&err), 1);
	CHECK_EQ(err, 0);
	/* Two are too many for a map; sixteen are all that one may have. */
	map_message(5, 0x50000);
	with_fds(big, 48, 2);
	front_socket_read(&f);
	CHECK_EQ(f.map_count, 4);
	with_fds(big, 48, 20);
	front_socket_read(&f);
	CHECK_EQ(f.map_count, 4);
	CHECK_EQ(f.fd_count, 0);
	done();
}

/* In the right order, at most so many, the rest is closed. */
static void taking_descriptors(void)
{
	int fds[4];
	unsigned int i;

	front(FRONT_DEAD);
	for (i = 0; i < 8; i++) {
		f.fd_pos[i] = 10 + i;
		f.fd[i] = eventfd(i, 0);
	}
	f.fd_count = 8;
	CHECK_EQ(front_take_fds(&f, 12, 14, fds, 4), 2);
	CHECK_EQ(f.fd_count, 6);
	close(fds[0]);
	close(fds[1]);
	CHECK(f.fd_pos[1] == 11 && f.fd_pos[2] == 14);
	CHECK_EQ(front_take_fds(&f, 0, 10, fds, 4), 0);
	CHECK_EQ(front_take_fds(&f, 18, 99, fds, 4), 0);
	CHECK_EQ(f.fd_count, 6);
	CHECK_EQ(front_take_fds(&f, 0, 99, fds, 4), 4);
	CHECK_EQ(f.fd_count, 0);
	for (i = 0; i < 4; i++)
		close(fds[i]);
	done();
}

static void unclaimed_descriptors_are_bounded(void)
{
	unsigned int i;

	front(FRONT_DEAD);
	message(1, 99, 1000);
	for (i = 0; i < 5; i++) {
		with_fds(big, 16, 15);
		big[0] = 0;
		front_socket_read(&f);
	}
	CHECK_EQ(f.fd_count, FRONT_FDS);
	done();
}

/* 64 KB each; a hypervisor that reads none of 8 MB is gone. */
static void replies_that_nobody_reads(void)
{
	struct vfio_user_region_rw rw = { .region = 0, .count = 65536 };
	uint32_t err, i, seen = 0;
	size_t waiting;

	front(FRONT_RUNNING);
	message(1, VFIO_USER_REGION_READ, 32);
	memcpy(big + 16, &rw, sizeof(rw));
	for (i = 0; i < 100; i++) {
		big[0] = i + 1;
		push(big, 32);
	}
	waiting = f.out_have;
	CHECK(waiting > 5000000 && waiting <= 100 * 65568);
	while (reply(&err)) {
		seen++;
		front_socket_flush(&f);
	}
	CHECK_EQ(seen, 100);
	CHECK_EQ(f.out_have, 0);
	for (i = 0; i < 200 && f.client >= 0; i++)
		push(big, 32);
	CHECK(i > 120 && i < 140);
	CHECK_EQ(f.client, -1);
	front_reply(&f, 1, 1, 0, big, 10);		/* to nobody */
	done();
}

static void fill_queue(unsigned int messages)
{
	unsigned int i;

	for (i = 0; i < messages; i++) {
		struct card_ctrl m = { .type = CARD_CTRL_MAP, .a = i };
		int fd = eventfd(0, 0);

		front_child_send(&f, &m, &fd, i % 3 == 0);
		close(fd);
	}
}

static unsigned int drain(unsigned int first)
{
	int fds[CARD_CTRL_FDS];
	struct card_ctrl m;
	unsigned int n;

	while (card_ctrl_recv(device, &m, fds, &n) > 0) {
		CHECK_EQ(m.a, first);
		CHECK_EQ(n, first % 3 == 0);
		first++;
		while (n)
			close(fds[--n]);
	}
	return first;
}

/* What the device process doesn't take waits, with its descriptors, in order. */
static void messages_to_the_device_wait(void)
{
	unsigned int seen = 0, rounds;

	front(FRONT_RUNNING);
	fill_queue(1500);
	CHECK(f.child.queue_count > 500 && f.child.queue_count < 1500);
	for (rounds = 0; seen < 1500; rounds++) {
		CHECK(rounds < 1500);
		seen = drain(seen);
		front_child_flush(&f);
	}
	CHECK_EQ(f.child.queue_count, 0);
	/* Around the end of the ring. */
	fill_queue(1800);
	for (seen = 0; seen < 1800; front_child_flush(&f))
		seen = drain(seen);
	/* The dead and those on their way out are told nothing. */
	f.child.state = FRONT_STOPPING;
	fill_queue(1);
	f.child.state = FRONT_DEAD;
	fill_queue(1);
	CHECK_EQ(drain(0), 0);
	done();
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		sleep(100);
		_exit(0);
	}
	return pid;
}

static void a_device_that_takes_nothing_is_killed(void)
{
	unsigned int n;
	int status;

	front(FRONT_RUNNING);
	f.child.pid = sleeper();
	fill_queue(1000);
	n = 1000 - f.child.queue_count;		/* so many are under way */
	fill_queue(FRONT_CTRL_QUEUE - 1000 + n);
	CHECK_EQ(f.child.queue_count, FRONT_CTRL_QUEUE);
	CHECK_EQ(waitpid(f.child.pid, &status, WNOHANG), 0);
	fill_queue(1);
	CHECK_EQ(waitpid(f.child.pid, &status, 0), f.child.pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	front_child_reaped(&f, status);
	CHECK_EQ(f.child.state, FRONT_DEAD);
	CHECK(!f.child.queue_count && f.child.ctrl == -1 && f.child.kick == -1 && !f.child.pid);
	CHECK(f.done);				/* that was asked for */
	front_child_kill(&f, "again");		/* nobody is there */
	done();
}

/* Killed in the middle of a frame, the stream has to be made anew; else it stays. */
static void death_and_the_wire(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		front(FRONT_RUNNING);
		f.child.pid = 1;
		f.wire_fd = eventfd(0, 0);
		f.wire_state->busy = i & 1;
		f.opts.wire_kind = i & 2 ? CARD_WIRE_TAP : CARD_WIRE_STREAM;
		f.wait_count = 1;
		f.waits[0] = (struct front_wait){ .id = 7, .reply = true };
		front_child_reaped(&f, 0);
		CHECK_EQ(f.wire_fd >= 0, i != 1);
		CHECK_EQ(f.wire_state->busy, 0);
		CHECK_EQ(f.wait_count, 0);
		done();
	}
}

/* What it says: done, and that the wire is lost.  Descriptors that come along are closed. */
static void the_device_speaks(void)
{
	struct card_ctrl m = { .type = CARD_CTRL_DONE, .seq = 5 };
	int fd;

	front(FRONT_RUNNING);
	f.wait_count = 2;
	f.waits[0].seq = 4;
	f.waits[1].seq = 5;
	f.wire_fd = eventfd(0, 0);
	fd = eventfd(0, 0);
	card_ctrl_send(device, &m, &fd, 1);
	close(fd);
	front_child_read(&f);
	CHECK(f.wait_count == 1 && f.waits[0].seq == 4);
	CHECK(f.wire_fd >= 0);
	m.type = CARD_CTRL_WIRE_LOST;
	m.seq = 4;
	card_ctrl_send(device, &m, NULL, 0);
	front_child_read(&f);
	CHECK_EQ(f.wait_count, 1);
	CHECK_EQ(f.wire_fd, -1);
	CHECK(f.child.ctrl >= 0);
	close(device);
	device = eventfd(0, 0);
	front_child_read(&f);
	CHECK_EQ(f.child.ctrl, -1);
	front_child_read(&f);
	done();
}

static void the_wires_listener(void)
{
	char dir[] = "/tmp/toecard-test-XXXXXX", path[64];
	struct card_ctrl m = { 0 };
	unsigned int n;
	int fd, fds[CARD_CTRL_FDS];

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/w", dir);
	front(FRONT_RUNNING);
	f.opts.wire_path = path;
	f.opts.wire_server = true;
	CHECK_EQ(front_wire_open(&f), 0);
	CHECK(f.wire_listener >= 0);
	front_wire_accept(&f);			/* nobody */
	CHECK_EQ(f.wire_fd, -1);
	fd = card_wire_connect(path);
	front_wire_accept(&f);
	CHECK(f.wire_fd >= 0);
	CHECK_EQ(card_ctrl_recv(device, &m, fds, &n), 1);
	CHECK(m.type == CARD_CTRL_WIRE && m.flags == 1 && n == 1);
	close(fds[0]);
	front_wire_hand_down(&f);		/* to the next process: not a new one */
	CHECK_EQ(card_ctrl_recv(device, &m, fds, &n), 1);
	CHECK(m.type == CARD_CTRL_WIRE && m.flags == 0 && n == 1);
	close(fds[0]);
	f.child.state = FRONT_STOPPING;
	front_wire_hand_down(&f);
	CHECK_EQ(card_ctrl_recv(device, &m, fds, &n), 0);
	front_wire_retry(&f);			/* whoever listens doesn't connect */
	close(fd);
	close(f.wire_listener);
	unlink(path);
	f.opts.wire_path = "/nonexistent/w";
	CHECK_EQ(front_wire_open(&f), -ENOENT);
	rmdir(dir);
	done();
}

static void the_wires_connection(void)
{
	char dir[] = "/tmp/toecard-test-XXXXXX", path[64], longest[109];
	uint64_t before;
	int listener;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/w", dir);
	memset(longest, 'x', 108);
	longest[108] = 0;
	front(FRONT_STOPPING);
	f.opts.wire_path = longest;
	CHECK_EQ(front_wire_open(&f), -ENAMETOOLONG);
	longest[107] = 0;
	CHECK_EQ(front_wire_open(&f), 0);
	f.opts.wire_path = path;
	f.wire_retry = 0;
	before = front_clock_us();
	CHECK_EQ(front_wire_open(&f), 0);		/* nobody there yet */
	CHECK_EQ(f.wire_fd, -1);
	CHECK(f.wire_retry >= before + 100000 && f.wire_retry <= front_clock_us() + 100000);
	listener = card_wire_listen(path);
	f.wire_retry = front_clock_us() + 60000000;
	front_wire_retry(&f);				/* not yet */
	CHECK_EQ(f.wire_fd, -1);
	f.wire_retry = 0;
	front_wire_retry(&f);
	CHECK(f.wire_fd >= 0 && f.wire_fresh);
	f.wire_retry = 0;
	front_wire_retry(&f);				/* there is one */
	CHECK_EQ(f.wire_retry, 0);
	before = front_clock_us();
	front_wire_lost(&f);
	CHECK_EQ(f.wire_fd, -1);
	CHECK(f.wire_retry >= before + 100000 && f.wire_retry <= front_clock_us() + 100000);
	f.wire_retry = 0;
	f.opts.wire_kind = CARD_WIRE_TAP;
	front_wire_retry(&f);
	CHECK_EQ(f.wire_fd, -1);
	f.opts.wire_path = "";
	CHECK_EQ(front_wire_open(&f), -EINVAL);
	close(listener);
	unlink(path);
	rmdir(dir);
	done();
}

static const struct kit_test tests[] = {
	KIT_TEST(byte_by_byte),
	KIT_TEST(many_at_once),
	KIT_TEST(sizes_are_bounded),
	KIT_TEST(the_end_of_a_hypervisor),
	KIT_TEST(nothing_is_read_when_full),
	KIT_TEST(descriptors_find_their_message),
	KIT_TEST(taking_descriptors),
	KIT_TEST(unclaimed_descriptors_are_bounded),
	KIT_TEST(replies_that_nobody_reads),
	KIT_TEST(messages_to_the_device_wait),
	KIT_TEST(a_device_that_takes_nothing_is_killed),
	KIT_TEST(death_and_the_wire),
	KIT_TEST(the_device_speaks),
	KIT_TEST(the_wires_listener),
	KIT_TEST(the_wires_connection),
};
KIT_MAIN(tests)
