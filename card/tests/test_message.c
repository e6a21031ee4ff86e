/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * vfio-user messages one by one: every refusal, every field of the replies, and what the
 * device process, which the test plays, is told.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../front/front.h"
#include "../front/vfio_user.h"
#include "kit.h"

static struct front f;
static struct card_shm shm;
static int hypervisor, device;
static uint8_t reply[9000];
static size_t reply_len;

static void front(enum front_child_state state)
{
	unsigned int i;
	int sv[2];

	memset(&f, 0, sizeof(f));
	memset(&shm, 0, sizeof(shm));
	f.shm = &shm;
	f.wire_fd = -1;
	f.opts.cfg.pairs = 4;
	for (i = 0; i < TOE_VECTORS; i++)
		f.irq[i] = -1;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	f.client = sv[0];
	hypervisor = sv[1];
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv));
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
	front_irqs_clear(&f);
	if (f.client >= 0)
		close(f.client);
	close(hypervisor);
	close(f.child.ctrl);
	close(device);
	close(f.child.kick);
	free(f.out);
}

/* The next reply's error, or -1 if there is none; all of its header is checked. */
static int answer(uint16_t id, uint16_t cmd)
{
	struct vfio_user_header h;
	ssize_t n = read(hypervisor, &h, sizeof(h));

	if (n < 0)
		return -1;
	CHECK_EQ(n, sizeof(h));
	CHECK_EQ(h.id, id);
	CHECK_EQ(h.cmd, cmd);
	reply_len = h.size - sizeof(h);
	CHECK(reply_len <= sizeof(reply));
	if (reply_len)
		CHECK(read(hypervisor, reply, reply_len) == (ssize_t)reply_len);
	if (h.flags == VFIO_USER_REPLY) {
		CHECK_EQ(h.error, 0);
		return 0;
	}
	CHECK_EQ(h.flags, VFIO_USER_REPLY | VFIO_USER_ERROR);
	CHECK(h.error && !reply_len);
	return h.error;
}

static int post(uint16_t id, uint16_t cmd, uint32_t flags, const void *payload, size_t len, int nfds)
{
	uint8_t msg[8000];
	struct vfio_user_header h = { .id = id, .cmd = cmd, .size = sizeof(h) + len,
				      .flags = flags };
	int i;

	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), payload, len);
	for (i = 0; i < nfds; i++) {
		f.fd_pos[f.fd_count] = 1000 + h.size - 1;
		f.fd[f.fd_count++] = eventfd(i, 0);
	}
	return front_message(&f, msg, h.size, 1000);
}

/* One message and its error, -1: not answered yet. */
static int call(uint16_t cmd, const void *payload, size_t len, int nfds)
{
	CHECK_EQ(post(0x1234, cmd, 0, payload, len, nfds), 0);
	CHECK_EQ(f.fd_count, 0);
	return answer(0x1234, cmd);
}

/* What the device process is told next; with so many descriptors. */
static bool told(struct card_ctrl *m, unsigned int want_fds)
{
	int fds[CARD_CTRL_FDS];
	unsigned int n, i;

	if (card_ctrl_recv(device, m, fds, &n) <= 0)
		return false;
	CHECK_EQ(n, want_fds);
	for (i = 0; i < n; i++)
		close(fds[i]);
	return true;
}

static void told_nothing(void)
{
	struct card_ctrl m;

	CHECK(!told(&m, 0));
}

static void version(void)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":16,"
		"\"max_data_xfer_size\":1048576,\"pgsizes\":4096}}";
	uint8_t v[4 + sizeof(json)] = { 0, 0, 7, 0 };

	front(FRONT_RUNNING);
	CHECK_EQ(call(VFIO_USER_VERSION, v, 3, 0), EINVAL);
	CHECK_EQ(call(VFIO_USER_VERSION, v, 4, 0), 0);
	CHECK(reply_len == 4 && !memcmp(reply, "\0\0\0\0", 4));
	CHECK_EQ(call(VFIO_USER_VERSION, v, sizeof(v) - 1, 0), 0);
	CHECK_EQ(reply_len, 4);
	CHECK_EQ(call(VFIO_USER_VERSION, v, sizeof(v), 0), 0);
	CHECK_EQ(reply_len, sizeof(v));
	CHECK(!memcmp(reply, "\0\0\0\0", 4) && !memcmp(reply + 4, json, sizeof(json)));
	v[0] = 1;
	CHECK_EQ(call(VFIO_USER_VERSION, v, 4, 0), EINVAL);
	v[0] = 0;
	v[1] = 1;
	CHECK_EQ(call(VFIO_USER_VERSION, v, 4, 0), EINVAL);
	done();
}

static int map(uint64_t iova, uint64_t size, uint64_t offset, uint32_t flags, int fds)
{
	struct vfio_user_dma_map m = { .argsz = sizeof(m), .flags = flags, .offset = offset,
				       .iova = iova, .size = size };

	return call(VFIO_USER_DMA_MAP, &m, sizeof(m), fds);
}

static void mapping(void)
{
	static const uint32_t prot[] = { 0, CARD_DMA_READ, CARD_DMA_WRITE, 3, 0 };
	struct card_ctrl m;
	uint8_t all[32] = { 0 };
	unsigned int i;

	front(FRONT_RUNNING);
	CHECK_EQ(call(VFIO_USER_DMA_MAP, all, 31, 0), EINVAL);
	for (i = 0; i < 5; i++) {
		uint64_t at = 0x100000 + i * 0x10000;

		CHECK_EQ(map(at, 0x3000, 0x5000, i, 1), 0);
		CHECK_EQ(reply_len, 0);
		CHECK(told(&m, 1));
		CHECK(m.type == CARD_CTRL_MAP && !m.seq);
		CHECK(m.a == at && m.b == 0x3000 && m.c == 0x5000 && m.flags == prot[i]);
	}
	CHECK_EQ(map(0x10000, 0x1000, 0, 3, 0), 0);	/* a ROM: nobody is told */
	told_nothing();
	CHECK_EQ(f.maps[5].fd, -1);
	CHECK_EQ(map(0x11000, 0x1000, 0, 3, 2), EINVAL);
	CHECK_EQ(map(0x11000, 0, 0, 3, 1), EINVAL);
	CHECK_EQ(map(0x11001, 0x1000, 0, 3, 1), EINVAL);
	CHECK_EQ(map(0x11800, 0x1000, 0, 3, 1), EINVAL);
	CHECK_EQ(map(0x11000, 0x1001, 0, 3, 1), EINVAL);
	CHECK_EQ(map(0x11000, 0x1800, 0, 3, 1), EINVAL);
	CHECK_EQ(map(0x11000, 0x1000, 1, 3, 1), EINVAL);
	CHECK_EQ(map(0x11000, 0x1000, 0x800, 3, 1), EINVAL);
	CHECK_EQ(map(-UINT64_C(0x1000), 0x2000, 0, 3, 1), EINVAL);
	/* The last page would be left over when everything is unmapped. */
	CHECK_EQ(map(-UINT64_C(0x1000), 0x1000, 0, 3, 1), EINVAL);
	CHECK_EQ(f.map_count, 6);
	CHECK_EQ(map(-UINT64_C(0x2000), 0x1000, 0, 3, 1), 0);
	CHECK(told(&m, 1));
	told_nothing();
	front_maps_clear(&f);
	CHECK_EQ(f.map_count, 0);
	done();
}

static void overlaps(void)
{
	front(FRONT_DEAD);
	CHECK_EQ(map(0x10000, 0x3000, 0, 3, 1), 0);
	CHECK_EQ(map(0x10000, 0x3000, 0, 3, 1), EEXIST);
	CHECK_EQ(map(0x12000, 0x1000, 0, 3, 1), EEXIST);
	CHECK_EQ(map(0x12000, 0x9000, 0, 3, 1), EEXIST);
	CHECK_EQ(map(0xf000, 0x2000, 0, 3, 1), EEXIST);
	CHECK_EQ(map(0xf000, 0x9000, 0, 3, 1), EEXIST);
	CHECK_EQ(map(0x11000, 0x1000, 0, 3, 1), EEXIST);
	CHECK_EQ(map(0x13000, 0x1000, 0, 3, 1), 0);
	CHECK_EQ(map(0xf000, 0x1000, 0, 3, 1), 0);
	CHECK_EQ(f.map_count, 3);
	told_nothing();				/* dead */
	done();
}

static void the_table_of_maps_is_bounded(void)
{
	unsigned int i;

	front(FRONT_DEAD);
	for (i = 0; i < CARD_DMA_MAX; i++)
		CHECK_EQ(map(0x10000 + i * 0x2000, 0x1000, 0, 3, 0), 0);
	CHECK_EQ(map(0x1000, 0x1000, 0, 3, 1), ENOSPC);
	CHECK_EQ(map(0x10000, 0x1000, 0, 3, 1), EEXIST);
	done();
}

static int unmap(uint64_t iova, uint64_t size, uint32_t flags)
{
	struct vfio_user_dma_unmap m = { .argsz = 24, .flags = flags, .iova = iova, .size = size };
	int err = call(VFIO_USER_DMA_UNMAP, &m, sizeof(m), 0);

	if (!err)
		CHECK(reply_len == sizeof(m) && !memcmp(reply, &m, sizeof(m)));
	return err;
}

static void three_maps(enum front_child_state state)
{
	struct card_ctrl m;
	unsigned int i;

	front(state);
	for (i = 0; i < 3; i++)
		CHECK_EQ(map(0x10000 + i * 0x1000, 0x1000, 0, 3, 1), 0);
	while (told(&m, 1))
		;
}

static void unmapping(void)
{
	struct vfio_user_dma_unmap req = { .argsz = 24, .iova = 0x11000, .size = 0x1000 };
	struct card_ctrl m = { 0 };
	uint64_t before;

	three_maps(FRONT_RUNNING);
	CHECK_EQ(call(VFIO_USER_DMA_UNMAP, &req, 23, 0), EINVAL);
	CHECK_EQ(unmap(0x10000, 0x1000, 1), ENOTSUP);
	CHECK_EQ(unmap(0x10000, 0x1000, 3), ENOTSUP);
	CHECK_EQ(unmap(0x10000, 0x1000, 4), ENOTSUP);
	CHECK_EQ(unmap(0x10000, 0, 0), EINVAL);
	CHECK_EQ(unmap(0x10000, 0xfff, 0), ENOENT);
	CHECK_EQ(unmap(0x10001, 0x1000, 0), ENOENT);
	CHECK_EQ(unmap(0x13000, 0x1000, 0), ENOENT);
	CHECK_EQ(unmap(0xf000, 0x1000, 0), ENOENT);
	CHECK_EQ(f.map_count, 3);
	told_nothing();
	before = front_clock_us();
	CHECK_EQ(unmap(0x11000, 0x1000, 0), -1);	/* not before it's let go of */
	CHECK_EQ(f.map_count, 2);
	CHECK_EQ(f.wait_count, 1);
	CHECK(f.waits[0].deadline >= before + 2000000);
	CHECK(f.waits[0].deadline <= front_clock_us() + 2000000);
	CHECK(told(&m, 0));
	CHECK(m.type == CARD_CTRL_UNMAP && m.a == 0x11000 && m.b == 0x1000 && m.seq);
	front_acknowledged(&f, m.seq + 1);
	CHECK_EQ(answer(0x1234, VFIO_USER_DMA_UNMAP), -1);
	front_acknowledged(&f, m.seq);
	CHECK_EQ(answer(0x1234, VFIO_USER_DMA_UNMAP), 0);
	CHECK(reply_len == 24 && !memcmp(reply, &req, 24));
	CHECK_EQ(f.wait_count, 0);
	CHECK(f.maps[0].iova == 0x10000 && f.maps[1].iova == 0x12000);
	done();
}

static void unmapping_all(void)
{
	struct card_ctrl m = { 0 };

	three_maps(FRONT_RUNNING);
	CHECK_EQ(unmap(0x5000, 0, VFIO_USER_UNMAP_ALL), -1);
	CHECK_EQ(f.map_count, 0);
	CHECK(told(&m, 0));
	CHECK(m.a == 0 && m.b == UINT64_MAX);
	front_acknowledge_all(&f);
	CHECK_EQ(answer(0x1234, VFIO_USER_DMA_UNMAP), 0);
	CHECK_EQ(unmap(0, 0, VFIO_USER_UNMAP_ALL), -1);	/* nothing there is no error */
	done();
	three_maps(FRONT_DEAD);
	CHECK_EQ(unmap(0x10000, 0x3000, 0), 0);		/* the dead have let go */
	CHECK_EQ(f.map_count, 0);
	done();
}

/* Answers come as the device process acknowledges, each to whom it belongs. */
static void acknowledgements_find_their_message(void)
{
	struct vfio_user_dma_unmap u = { .argsz = 24, .size = 0x1000 };
	uint32_t seq[3];
	struct card_ctrl m = { 0 };
	unsigned int i;

	three_maps(FRONT_RUNNING);
	f.child.seq = UINT32_MAX - 1;		/* zero would be «no answer wanted» */
	for (i = 0; i < 3; i++) {
		u.iova = 0x10000 + i * 0x1000;
		CHECK_EQ(post(10 + i, VFIO_USER_DMA_UNMAP, i == 1 ? VFIO_USER_NO_REPLY : 0,
			      &u, sizeof(u), 0), 0);
		CHECK(told(&m, 0));
		CHECK(m.seq);
		seq[i] = m.seq;
	}
	CHECK(seq[0] != seq[1] && seq[1] != seq[2] && seq[0] != seq[2]);
	front_acknowledged(&f, seq[1]);
	CHECK_EQ(f.wait_count, 2);
	CHECK_EQ(answer(11, VFIO_USER_DMA_UNMAP), -1);
	front_acknowledged(&f, seq[2]);
	CHECK_EQ(answer(12, VFIO_USER_DMA_UNMAP), 0);
	CHECK_EQ(reply[9], 0x20);
	front_acknowledged(&f, seq[0]);
	CHECK_EQ(answer(10, VFIO_USER_DMA_UNMAP), 0);
	CHECK_EQ(reply[9], 0);
	CHECK_EQ(f.wait_count, 0);
	done();
}

static void descriptions(void)
{
	static const uint64_t bytes[] = { 0x10000, 0x1000, 0, 0, 0, 0, 0, 4096, 0 };
	struct vfio_user_device_info di = { 99, 99, 99, 99 }, want_di = { 16, 3, 9, 5 };
	uint32_t i;

	front(FRONT_RUNNING);
	CHECK_EQ(call(VFIO_USER_DEVICE_GET_INFO, &di, 15, 0), EINVAL);
	CHECK_EQ(call(VFIO_USER_DEVICE_GET_INFO, &di, 16, 0), 0);
	CHECK(reply_len == 16 && !memcmp(reply, &want_di, 16));
	for (i = 0; i < 9; i++) {
		struct vfio_user_region_info ri = { 9, 9, i, 9, 9, 9 },
			want = { 32, bytes[i] ? 3 : 0, i, 0, bytes[i], 0 };

		CHECK_EQ(call(VFIO_USER_REGION_INFO, &ri, 31, 0), EINVAL);
		CHECK_EQ(call(VFIO_USER_REGION_INFO, &ri, 32, 0), 0);
		CHECK(reply_len == 32 && !memcmp(reply, &want, 32));
		ri.index = 9;
		CHECK_EQ(call(VFIO_USER_REGION_INFO, &ri, 32, 0), EINVAL);
	}
	for (i = 0; i < 5; i++) {
		struct vfio_user_irq_info ii = { 9, 9, i, 99 },
			want = { 16, i == 2 ? 1 : 0, i, i == 2 ? TOE_VECTORS : 0 };

		CHECK_EQ(call(VFIO_USER_IRQ_INFO, &ii, 15, 0), EINVAL);
		CHECK_EQ(call(VFIO_USER_IRQ_INFO, &ii, 16, 0), 0);
		CHECK(reply_len == 16 && !memcmp(reply, &want, 16));
		ii.index = 5;
		CHECK_EQ(call(VFIO_USER_IRQ_INFO, &ii, 16, 0), EINVAL);
	}
	done();
}

static int irqs(uint32_t index, uint32_t flags, uint32_t start, uint32_t count, int fds)
{
	struct vfio_user_set_irqs s = { 20, flags, index, start, count };

	return call(VFIO_USER_SET_IRQS, &s, 20, fds);
}

/* It is told of this range, and answers. */
static void vectors_told(uint64_t start, uint64_t count, unsigned int fds)
{
	struct card_ctrl m = { 0 };

	CHECK(told(&m, fds));
	CHECK(m.type == CARD_CTRL_IRQ && m.a == start && m.b == count && m.seq);
	front_acknowledged(&f, m.seq);
	CHECK_EQ(answer(0x1234, VFIO_USER_SET_IRQS), 0);
	CHECK_EQ(reply_len, 0);
	told_nothing();
}

static void setting_vectors(void)
{
	struct vfio_user_set_irqs s = { 20, 0x24, 2, 0, 1 };
	unsigned int i;

	front(FRONT_RUNNING);
	CHECK_EQ(call(VFIO_USER_SET_IRQS, &s, 19, 1), EINVAL);
	CHECK_EQ(irqs(5, 0x21, 0, 0, 0), EINVAL);
	for (i = 0; i < 5; i++) {
		if (i == 2)
			continue;
		CHECK_EQ(irqs(i, 0x21, 0, 0, 0), 0);
		CHECK_EQ(irqs(i, 0x24, 0, 1, 1), EINVAL);
	}
	CHECK_EQ(irqs(2, 0x24, 0, 10, 0), EINVAL);
	CHECK_EQ(irqs(2, 0x24, 9, 1, 1), EINVAL);
	CHECK_EQ(irqs(2, 0x24, 10, 0, 0), EINVAL);
	CHECK_EQ(irqs(2, 0x24, 8, 2, 2), EINVAL);
	CHECK_EQ(irqs(2, 0x24, 0, 2, 1), EINVAL);
	CHECK_EQ(irqs(2, 0x24, 0, 1, 2), EINVAL);
	CHECK_EQ(irqs(2, 0x24, 0, 0, 0), EINVAL);
	CHECK_EQ(irqs(2, 0x21, 0, 1, 0), EINVAL);
	CHECK_EQ(irqs(2, 0x21, 0, 0, 1), EINVAL);
	CHECK_EQ(irqs(2, 0x20, 0, 1, 1), EINVAL);
	CHECK_EQ(irqs(2, 0x04, 0, 1, 1), EINVAL);
	CHECK_EQ(irqs(2, 0x25, 0, 1, 1), EINVAL);
	told_nothing();
	CHECK_EQ(irqs(2, 0x24, 0, 9, 9), -1);
	vectors_told(0, 9, 9);
	for (i = 0; i < 9; i++)
		CHECK(f.irq[i] >= 0);
	CHECK_EQ(irqs(2, 0x24, 3, 2, 0), -1);		/* these two off */
	vectors_told(3, 2, 0);
	for (i = 0; i < 9; i++)
		CHECK_EQ(f.irq[i] >= 0, i != 3 && i != 4);
	CHECK_EQ(irqs(2, 0x24, 8, 1, 1), -1);		/* the last one anew */
	vectors_told(8, 1, 1);
	CHECK_EQ(irqs(2, 0x21, 5, 0, 0), -1);		/* all off, wherever it starts */
	vectors_told(0, 9, 0);
	for (i = 0; i < 9; i++)
		CHECK_EQ(f.irq[i], -1);
	f.child.state = FRONT_DEAD;
	CHECK_EQ(irqs(2, 0x24, 0, 9, 9), 0);		/* its successor will be told */
	CHECK(f.irq[8] >= 0);
	done();
}

static void what_is_off_is_told_without_an_answer(void)
{
	struct card_ctrl m = { 0 };

	front(FRONT_RUNNING);
	front_irqs_clear(&f);
	CHECK(told(&m, 0));
	CHECK(m.type == CARD_CTRL_IRQ && m.a == 0 && m.b == TOE_VECTORS && !m.seq);
	done();
}

static int access_region(uint16_t cmd, uint32_t region, uint64_t off, uint32_t count, size_t bytes)
{
	static uint8_t buf[16 + 5000];
	struct vfio_user_region_rw rw = { off, region, count };
	size_t len = sizeof(rw) + bytes;
	int err;

	memset(buf, 0xee, sizeof(buf));
	memcpy(buf, &rw, sizeof(rw));
	err = call(cmd, buf, len, 0);
	if (!err) {
		CHECK_EQ(reply_len, 16 + (cmd == VFIO_USER_REGION_READ ? count : 0));
		CHECK(!memcmp(reply, &rw, 16));
	}
	return err;
}

static void regions_are_bounded(void)
{
	static const uint64_t bytes[] = { 0x10000, 0x1000, 0, 0, 0, 0, 0, 4096, 0 };
	uint32_t i, cmd;

	front(FRONT_RUNNING);
	for (cmd = VFIO_USER_REGION_READ; cmd <= VFIO_USER_REGION_WRITE; cmd++) {
		size_t n = cmd == VFIO_USER_REGION_WRITE;

		for (i = 0; i < 9; i++) {
			CHECK_EQ(access_region(cmd, i, bytes[i] - 4, 4, n * 4), bytes[i] ? 0 : EINVAL);
			CHECK_EQ(access_region(cmd, i, bytes[i] - 3, 4, n * 4), EINVAL);
			CHECK_EQ(access_region(cmd, i, bytes[i], 4, n * 4), EINVAL);
			CHECK_EQ(access_region(cmd, i, UINT64_MAX, 4, n * 4), EINVAL);
			CHECK_EQ(access_region(cmd, i, 0, 0, 0), EINVAL);
			CHECK_EQ(access_region(cmd, i, 0, bytes[i] + 1, n * 4), EINVAL);
		}
		CHECK_EQ(access_region(cmd, 9, 0, 4, n * 4), EINVAL);
		CHECK_EQ(access_region(cmd, UINT32_MAX, 0, 4, n * 4), EINVAL);
		CHECK_EQ(call(cmd, reply, 15, 0), EINVAL);
	}
	/* Data must be as long as it says. */
	CHECK_EQ(access_region(VFIO_USER_REGION_WRITE, 7, 0, 4, 3), EINVAL);
	CHECK_EQ(access_region(VFIO_USER_REGION_WRITE, 7, 0, 4, 5), EINVAL);
	CHECK_EQ(access_region(VFIO_USER_REGION_WRITE, 7, 0, 4096, 4096), 0);
	done();
}

static void regions_are_what_they_are(void)
{
	struct card_reg_write w = { 0 };

	front(FRONT_RUNNING);
	card_shm_set(&shm, TOE_REG_MAGIC, TOE_MAGIC);
	CHECK_EQ(access_region(VFIO_USER_REGION_READ, 0, 0, 4, 0), 0);
	CHECK(!memcmp(reply + 16, "TEOC", 4));
	CHECK_EQ(access_region(VFIO_USER_REGION_READ, 7, 2, 5, 0), 0);
	CHECK(!memcmp(reply + 16, f.config + 2, 5));
	CHECK_EQ(access_region(VFIO_USER_REGION_READ, 1, 0, 8, 0), 0);
	CHECK(!memcmp(reply + 16, "\0\0\0\0\0\0\0\0", 8));
	CHECK_EQ(access_region(VFIO_USER_REGION_WRITE, 0, TOE_REG_ADMIN_SIZE, 4, 4), 0);
	CHECK(card_shm_pop(&shm, &w));
	CHECK(w.off == TOE_REG_ADMIN_SIZE && w.val == 0xeeeeeeee);
	CHECK_EQ(access_region(VFIO_USER_REGION_WRITE, 7, 0x3c, 1, 1), 0);
	CHECK_EQ(f.config[0x3c], 0xee);
	CHECK_EQ(access_region(VFIO_USER_REGION_WRITE, 1, 0x3c, 4, 4), 0);
	CHECK(!card_shm_pop(&shm, &w));
	f.child.state = FRONT_DEAD;
	CHECK_EQ(access_region(VFIO_USER_REGION_READ, 1, 0, 4, 0), 0);
	CHECK(!memcmp(reply + 16, "\xff\xff\xff\xff", 4));
	CHECK_EQ(access_region(VFIO_USER_REGION_READ, 7, 0, 2, 0), 0);
	CHECK(!memcmp(reply + 16, "\x36\x1b", 2));
	done();
}

static void resets(void)
{
	uint8_t all = 0xff;

	front(FRONT_RUNNING);
	front_config_write(&f, 0x3c, &all, 1);
	CHECK_EQ(post(7, VFIO_USER_DEVICE_RESET, VFIO_USER_NO_REPLY, NULL, 0, 0), 0);
	CHECK_EQ(f.child.state, FRONT_STOPPING);
	CHECK_EQ(f.config[0x3c], 0);
	CHECK_EQ(f.reset_count, 0);
	CHECK_EQ(post(8, VFIO_USER_DEVICE_RESET, 0, NULL, 0, 0), 0);
	CHECK_EQ(post(9, VFIO_USER_DEVICE_RESET, 0, NULL, 0, 0), 0);
	CHECK_EQ(f.reset_count, 2);
	CHECK_EQ(answer(8, VFIO_USER_DEVICE_RESET), -1);
	front_reset_done(&f);
	CHECK_EQ(answer(8, VFIO_USER_DEVICE_RESET), 0);
	CHECK_EQ(answer(9, VFIO_USER_DEVICE_RESET), 0);
	CHECK_EQ(answer(9, VFIO_USER_DEVICE_RESET), -1);
	CHECK_EQ(f.reset_count, 0);
	f.child.state = FRONT_DEAD;		/* for good: there is nothing to wait for */
	CHECK_EQ(call(VFIO_USER_DEVICE_RESET, NULL, 0, 0), 0);
	done();
}

static void what_is_not_known_or_not_ours(void)
{
	static const uint8_t none[64];
	uint32_t cmd;

	front(FRONT_RUNNING);
	for (cmd = 0; cmd < 300; cmd++) {
		if (cmd && cmd != 6 && cmd < 11)
			continue;
		if (cmd == VFIO_USER_DEVICE_RESET)
			continue;
		CHECK_EQ(call(cmd, none, 64, 3), ENOTSUP);	/* kit.c looks for the three */
	}
	CHECK_EQ(call(65535, none, 64, 0), ENOTSUP);
	CHECK_EQ(post(1, VFIO_USER_DEVICE_GET_INFO, VFIO_USER_REPLY, none, 16, 0), -EPROTO);
	CHECK_EQ(post(1, VFIO_USER_DEVICE_GET_INFO, VFIO_USER_REPLY | VFIO_USER_NO_REPLY,
		      none, 16, 0), -EPROTO);
	CHECK_EQ(answer(1, VFIO_USER_DEVICE_GET_INFO), -1);
	CHECK_EQ(post(1, VFIO_USER_DEVICE_GET_INFO, VFIO_USER_NO_REPLY, none, 16, 0), 0);
	CHECK_EQ(post(1, VFIO_USER_DEVICE_GET_INFO, VFIO_USER_NO_REPLY, none, 1, 0), 0);
	CHECK_EQ(answer(1, VFIO_USER_DEVICE_GET_INFO), -1);
	done();
}

static const struct kit_test tests[] = {
	KIT_TEST(version),
	KIT_TEST(mapping),
	KIT_TEST(overlaps),
	KIT_TEST(the_table_of_maps_is_bounded),
	KIT_TEST(unmapping),
	KIT_TEST(unmapping_all),
	KIT_TEST(acknowledgements_find_their_message),
	KIT_TEST(descriptions),
	KIT_TEST(setting_vectors),
	KIT_TEST(what_is_off_is_told_without_an_answer),
	KIT_TEST(regions_are_bounded),
	KIT_TEST(regions_are_what_they_are),
	KIT_TEST(resets),
	KIT_TEST(what_is_not_known_or_not_ours),
};
KIT_MAIN(tests)
