/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The whole toecard behind its vfio-user socket: a client of our own plays the
 * hypervisor, in order, out of order, and against the rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "kit.h"
#include "../front/vfio_user.h"

#define RAM_BYTES	(4 * 1024 * 1024)
#define RAM_IOVA	0x40000000ull
#define FLR_OFF		0x69	/* high byte of DevCtl */

struct client {
	pid_t card;
	int sock;
	int wire;
	int ram_fd;
	uint8_t *ram;
	uint16_t id;
	uint32_t reply_flags;
	uint32_t reply_error;
	uint8_t reply[8192];
	size_t reply_len;
	char dir[64];
	char vfio[96], wire_path[96];
};

static void nap(unsigned int ms)
{
	usleep(ms * 1000);
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), i;

	strcpy(a.sun_path, path);
	for (i = 0; i < 200; i++) {
		if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
		nap(10);
	}
	close(fd);
	return -1;
}

static pid_t spawn(char *const argv[], int *status_fd)
{
	int p[2];
	pid_t pid;

	CHECK(!pipe2(p, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		if (!getenv("V"))
			dup2(open("/dev/null", O_WRONLY), 2);
		execv(argv[0], argv);
		_exit(127);
	}
	close(p[1]);
	*status_fd = p[0];
	return pid;
}

static const char *toecard(void)
{
	const char *path = getenv("TOECARD");

	return path ? path : "../build/card/toecard";
}

static void start(struct client *c, bool keep)
{
	char wire[128], line[16] = { 0 };
	char *argv[] = { (char *)toecard(), "--vfio-user", c->vfio, "--wire", wire, "--contexts",
			 "64", keep ? "--keep" : "-v", NULL };
	int out;

	memset(c, 0, sizeof(*c));
	strcpy(c->dir, "/tmp/toecard-test-XXXXXX");
	CHECK(mkdtemp(c->dir));
	snprintf(c->vfio, sizeof(c->vfio), "%s/vfio", c->dir);
	snprintf(c->wire_path, sizeof(c->wire_path), "%s/wire", c->dir);
	snprintf(wire, sizeof(wire), "unix:%s,server", c->wire_path);
	c->card = spawn(argv, &out);
	CHECK(read(out, line, 6) == 6);
	CHECK(!strcmp(line, "ready\n"));
	close(out);
	c->sock = connect_to(c->vfio);
	c->wire = connect_to(c->wire_path);
	CHECK(c->sock >= 0 && c->wire >= 0);
	c->ram_fd = memfd_create("ram", MFD_CLOEXEC);
	CHECK(!ftruncate(c->ram_fd, RAM_BYTES));
	c->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->ram_fd, 0);
}

static int stop(struct client *c)
{
	int status = -1, i;

	if (c->sock >= 0)
		close(c->sock);
	for (i = 0; i < 300 && waitpid(c->card, &status, WNOHANG) != c->card; i++)
		nap(10);
	if (i == 300)
		kill(c->card, SIGKILL);
	close(c->wire);
	close(c->ram_fd);
	munmap(c->ram, RAM_BYTES);
	unlink(c->vfio);
	unlink(c->wire_path);
	rmdir(c->dir);
	return i == 300 ? -1 : status;
}

static void send_raw(struct client *c, const void *data, size_t len, const int *fds, int nfds)
{
	char cbuf[CMSG_SPACE(sizeof(int) * 16)] = { 0 };
	struct iovec iov = { (void *)data, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (nfds) {
		m.msg_control = cbuf;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * nfds);
	}
	CHECK(sendmsg(c->sock, &m, MSG_NOSIGNAL) == (ssize_t)len);
}

static uint16_t post(struct client *c, uint16_t cmd, uint32_t flags, const void *payload,
		     size_t len, const int *fds, int nfds)
{
	uint8_t buf[8192];
	struct vfio_user_header h = {
		.id = ++c->id, .cmd = cmd, .size = sizeof(h) + len, .flags = flags,
	};

	memcpy(buf, &h, sizeof(h));
	if (len)
		memcpy(buf + sizeof(h), payload, len);
	send_raw(c, buf, sizeof(h) + len, fds, nfds);
	return h.id;
}

static bool get(struct client *c, void *data, size_t len)
{
	struct pollfd p = { .fd = c->sock, .events = POLLIN };
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		if (poll(&p, 1, 3000) <= 0)
			return false;
		n = read(c->sock, (uint8_t *)data + done, len - done);
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

static uint16_t reply(struct client *c)
{
	struct vfio_user_header h;

	CHECK(get(c, &h, sizeof(h)));
	CHECK(h.flags & VFIO_USER_REPLY);
	c->reply_flags = h.flags;
	c->reply_error = h.flags & VFIO_USER_ERROR ? h.error : 0;
	c->reply_len = h.size - sizeof(h);
	CHECK(c->reply_len <= sizeof(c->reply));
	CHECK(get(c, c->reply, c->reply_len));
	return h.id;
}

/* One message and its reply; the errno that came. */
static uint32_t call(struct client *c, uint16_t cmd, const void *payload, size_t len,
		     const int *fds, int nfds)
{
	uint16_t id = post(c, cmd, 0, payload, len, fds, nfds);

	CHECK_EQ(reply(c), id);
	return c->reply_error;
}

static uint32_t map(struct client *c, uint64_t iova, uint64_t size, int nfds)
{
	struct vfio_user_dma_map m = {
		.argsz = sizeof(m), .flags = 3, .offset = iova - RAM_IOVA, .iova = iova,
		.size = size,
	};

	return call(c, VFIO_USER_DMA_MAP, &m, sizeof(m), &c->ram_fd, nfds);
}

static uint32_t unmap(struct client *c, uint64_t iova, uint64_t size)
{
	struct vfio_user_dma_unmap m = { .argsz = sizeof(m), .iova = iova, .size = size };

	return call(c, VFIO_USER_DMA_UNMAP, &m, sizeof(m), NULL, 0);
}

static uint32_t access_region(struct client *c, uint16_t cmd, uint32_t region, uint64_t off,
			      void *data, uint32_t len)
{
	uint8_t buf[64] = { 0 };
	struct vfio_user_region_rw rw = { .offset = off, .region = region, .count = len };
	size_t bytes = sizeof(rw);
	uint32_t err;

	memcpy(buf, &rw, sizeof(rw));
	if (cmd == VFIO_USER_REGION_WRITE) {
		memcpy(buf + sizeof(rw), data, len);
		bytes += len;
	}
	err = call(c, cmd, buf, bytes, NULL, 0);
	if (!err && cmd == VFIO_USER_REGION_READ) {
		CHECK_EQ(c->reply_len, sizeof(rw) + len);
		memcpy(data, c->reply + sizeof(rw), len);
	}
	return err;
}

static uint32_t reg_read(struct client *c, uint32_t off)
{
	uint32_t val = 0;

	CHECK(!access_region(c, VFIO_USER_REGION_READ, 0, off, &val, 4));
	return val;
}

static void reg_write(struct client *c, uint32_t off, uint32_t val)
{
	CHECK(!access_region(c, VFIO_USER_REGION_WRITE, 0, off, &val, 4));
}

static uint32_t cfg_read(struct client *c, uint32_t off, uint32_t len)
{
	uint32_t val = 0;

	CHECK(!access_region(c, VFIO_USER_REGION_READ, 7, off, &val, len));
	return val;
}

static void cfg_write(struct client *c, uint32_t off, uint32_t val, uint32_t len)
{
	CHECK(!access_region(c, VFIO_USER_REGION_WRITE, 7, off, &val, len));
}

static void wait_ready(struct client *c)
{
	int i;

	for (i = 0; i < 200; i++) {
		if ((reg_read(c, TOE_REG_STATUS) & 3) == 3)
			return;
		nap(5);
	}
	CHECK(!"card ready, link up");
}

/* Admin ring in RAM: SQ at 0, CQ at 0x1000, shadows at 0x2000, heartbeat at 0x3000. */
static void enable(struct client *c)
{
	memset(c->ram, 0, 0x4000);
	cfg_write(c, 4, 0x0006, 2);
	reg_write(c, TOE_REG_ADMIN_SQ_LO, RAM_IOVA);
	reg_write(c, TOE_REG_ADMIN_CQ_LO, RAM_IOVA + 0x1000);
	reg_write(c, TOE_REG_ADMIN_SHADOW_LO, RAM_IOVA + 0x2000);
	reg_write(c, TOE_REG_ADMIN_SIZE, 16);
	reg_write(c, TOE_REG_HEARTBEAT_LO, RAM_IOVA + 0x3000);
	reg_write(c, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
}

static void admin(struct client *c, uint32_t index, uint8_t op, uint32_t arg)
{
	struct toe_admin_cmd *sq = (struct toe_admin_cmd *)c->ram;
	struct toe_shadow *shadow = (struct toe_shadow *)(c->ram + 0x2000);

	sq[index & 15] = (struct toe_admin_cmd){ .op = op, .cookie = index, .arg = arg };
	__atomic_store_n(&shadow->prod, index + 1, __ATOMIC_SEQ_CST);
	reg_write(c, TOE_REG_DOORBELL_ADMIN, 0);
}

static bool answered(struct client *c, uint32_t index, unsigned int ms)
{
	struct toe_cqe *cqe = (struct toe_cqe *)(c->ram + 0x1000) + (index & 15);
	unsigned int i;

	for (i = 0; i < ms; i++) {
		if (__atomic_load_n(&cqe->phase, __ATOMIC_ACQUIRE) == !(index & 16))
			return true;
		nap(1);
	}
	return false;
}

static uint32_t heartbeat(struct client *c)
{
	return __atomic_load_n((uint32_t *)(c->ram + 0x3000), __ATOMIC_ACQUIRE);
}

/* The device process: the only child of toecard. */
static pid_t device_process(struct client *c)
{
	char path[64], text[32] = { 0 };
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", c->card, c->card);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoi(text);
}

static void negotiation(void)
{
	static const struct {
		struct vfio_user_version v;
		char json[200];
	} hello = { { 0, 0 }, "{\"capabilities\":{\"max_msg_fds\":8}}" };
	struct vfio_user_device_info info = { .argsz = sizeof(info) };
	struct vfio_user_region_info ri = { .argsz = sizeof(ri) };
	struct vfio_user_irq_info ii = { .argsz = sizeof(ii), .index = 2 };
	static const uint64_t bytes[] = { 0x10000, 0x1000, 0, 0, 0, 0, 0, 4096, 0 };
	struct client c;
	uint32_t i;

	start(&c, false);
	CHECK_EQ(call(&c, VFIO_USER_VERSION, &hello, sizeof(hello), NULL, 0), 0);
	CHECK(c.reply_len <= sizeof(hello) && c.reply[c.reply_len - 1] == 0);
	CHECK(strstr((char *)c.reply + 4, "max_msg_fds"));
	CHECK_EQ(call(&c, VFIO_USER_DEVICE_GET_INFO, &info, sizeof(info), NULL, 0), 0);
	memcpy(&info, c.reply, sizeof(info));
	CHECK_EQ(info.flags, 3);
	CHECK_EQ(info.regions, 9);
	CHECK_EQ(info.irqs, 5);
	for (i = 0; i < 9; i++) {
		ri.index = i;
		CHECK_EQ(call(&c, VFIO_USER_REGION_INFO, &ri, sizeof(ri), NULL, 0), 0);
		memcpy(&ri, c.reply, sizeof(ri));
		CHECK_EQ(ri.size, bytes[i]);
		CHECK(!(ri.flags & 4));			/* nothing to mmap */
	}
	ri.index = 9;
	CHECK_EQ(call(&c, VFIO_USER_REGION_INFO, &ri, sizeof(ri), NULL, 0), EINVAL);
	CHECK_EQ(call(&c, VFIO_USER_IRQ_INFO, &ii, sizeof(ii), NULL, 0), 0);
	memcpy(&ii, c.reply, sizeof(ii));
	CHECK_EQ(ii.count, TOE_VECTORS);
	CHECK_EQ(call(&c, VFIO_USER_REGION_IO_FDS, &ri, sizeof(ri), NULL, 0), ENOTSUP);
	CHECK_EQ(stop(&c), 0);
}

static void config_space(void)
{
	struct client c;

	start(&c, false);
	CHECK_EQ(cfg_read(&c, 0, 4), 0x70e01b36);
	CHECK_EQ(cfg_read(&c, 8, 4) >> 8, 0x020000);
	CHECK_EQ(cfg_read(&c, 6, 2), 0x10);
	cfg_write(&c, 0, 0, 4);
	CHECK_EQ(cfg_read(&c, 0, 4), 0x70e01b36);
	cfg_write(&c, 0x10, 0xffffffff, 4);
	CHECK_EQ(cfg_read(&c, 0x10, 4), 0xffff0000);
	cfg_write(&c, 4, 0xffff, 2);
	CHECK_EQ(cfg_read(&c, 4, 2), 0x0546);
	CHECK_EQ(cfg_read(&c, 0x34, 1), 0x40);
	CHECK_EQ(cfg_read(&c, 0x50, 4), 0x00086011);	/* MSI-X, 9 vectors */
	CHECK_EQ(cfg_read(&c, 0x60, 2), 0x0010);	/* PCIe, the last one */
	CHECK(cfg_read(&c, 0x64, 4) & 1u << 28);	/* FLR */
	CHECK_EQ(cfg_read(&c, 0x100, 4), 0);
	CHECK_EQ(stop(&c), 0);
}

static void registers(void)
{
	struct client c;
	uint64_t wide = 0;

	start(&c, false);
	wait_ready(&c);
	CHECK_EQ(reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(reg_read(&c, TOE_REG_CONTEXTS), 64);
	CHECK_EQ(reg_read(&c, TOE_REG_ADMIN_SIZE), 0);	/* write-only */
	CHECK_EQ(reg_read(&c, 0x900), 0);
	CHECK(!access_region(&c, VFIO_USER_REGION_READ, 0, 0, &wide, 8));
	CHECK_EQ(wide, 0);				/* another width is ignored */
	CHECK(!access_region(&c, VFIO_USER_REGION_READ, 0, 2, &wide, 2));
	CHECK_EQ(wide, 0);
	CHECK_EQ(access_region(&c, VFIO_USER_REGION_READ, 0, 0xfffe, &wide, 4), EINVAL);
	CHECK_EQ(access_region(&c, VFIO_USER_REGION_READ, 3, 0, &wide, 4), EINVAL);
	CHECK_EQ(access_region(&c, VFIO_USER_REGION_READ, 77, 0, &wide, 4), EINVAL);
	CHECK_EQ(access_region(&c, VFIO_USER_REGION_WRITE, 0, ~0ull, &wide, 4), EINVAL);
	reg_write(&c, TOE_REG_MAGIC, 0);
	CHECK_EQ(reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(stop(&c), 0);
}

static void dma_map_and_unmap(void)
{
	struct vfio_user_dma_unmap all = { .argsz = sizeof(all), .flags = VFIO_USER_UNMAP_ALL };
	struct client c;

	start(&c, false);
	wait_ready(&c);
	CHECK_EQ(map(&c, RAM_IOVA, 0x100000, 1), 0);
	CHECK_EQ(map(&c, RAM_IOVA, 0x1000, 1), EEXIST);
	CHECK_EQ(map(&c, RAM_IOVA + 0x100000, 0x100000, 1), 0);
	CHECK_EQ(map(&c, RAM_IOVA + 0x200000, 0x1000, 0), 0);	/* a ROM */
	CHECK_EQ(map(&c, RAM_IOVA + 0x300000, 0, 1), EINVAL);
	CHECK_EQ(map(&c, RAM_IOVA + 0x300000, 0x123, 1), EINVAL);
	CHECK_EQ(map(&c, ~0xfffull, 0x2000, 1), EINVAL);
	enable(&c);
	admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(answered(&c, 0, 1000));
	CHECK_EQ(unmap(&c, RAM_IOVA + 0x180000, 0x1000), ENOENT);
	CHECK_EQ(unmap(&c, RAM_IOVA, 0x100000), 0);
	/* Acknowledged: not a byte is written from now on. */
	memset(c.ram + 0x3000, 0, 4);
	nap(50);
	CHECK_EQ(heartbeat(&c), 0);
	CHECK_EQ(map(&c, RAM_IOVA, 0x100000, 1), 0);
	nap(50);
	CHECK(heartbeat(&c) != 0);
	CHECK_EQ(call(&c, VFIO_USER_DMA_UNMAP, &all, sizeof(all), NULL, 0), 0);
	CHECK_EQ(stop(&c), 0);
}

static void bus_master_is_honoured(void)
{
	struct client c;
	uint32_t seen;

	start(&c, false);
	wait_ready(&c);
	CHECK_EQ(map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	enable(&c);
	nap(50);
	CHECK(heartbeat(&c) != 0);
	cfg_write(&c, 4, 0x0002, 2);
	nap(20);
	seen = heartbeat(&c);
	nap(50);
	CHECK_EQ(heartbeat(&c), seen);
	cfg_write(&c, 4, 0x0006, 2);
	nap(50);
	CHECK(heartbeat(&c) != seen);
	CHECK_EQ(stop(&c), 0);
}

static uint32_t set_irqs(struct client *c, uint32_t flags, uint32_t startv, uint32_t count,
			 const int *fds, int nfds)
{
	struct vfio_user_set_irqs s = {
		.argsz = sizeof(s), .flags = flags, .index = 2, .start = startv, .count = count,
	};

	return call(c, VFIO_USER_SET_IRQS, &s, sizeof(s), fds, nfds);
}

static bool fired(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, ms) == 1 && read(fd, &n, 8) == 8;
}

static void interrupts_survive_the_gap(void)
{
	int fds[TOE_VECTORS], i;
	struct client c;

	start(&c, false);
	wait_ready(&c);
	for (i = 0; i < TOE_VECTORS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	CHECK_EQ(set_irqs(&c, 0x24, 0, TOE_VECTORS, fds, TOE_VECTORS), 0);
	enable(&c);
	admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(fired(fds[0], 1000));
	/* All off; what is raised now comes when the vector is back. */
	CHECK_EQ(set_irqs(&c, 0x21, 0, 0, NULL, 0), 0);
	((struct toe_shadow *)(c.ram + 0x2000))[1].host_cons = 1;
	((struct toe_shadow *)(c.ram + 0x2000))[1].host_event = 1;
	admin(&c, 1, TOE_ADMIN_MTU, 1500);
	CHECK(answered(&c, 1, 1000));
	CHECK(!fired(fds[0], 50));
	CHECK_EQ(set_irqs(&c, 0x24, 0, 1, fds, 1), 0);
	CHECK(fired(fds[0], 1000));
	CHECK_EQ(set_irqs(&c, 0x24, 0, TOE_VECTORS + 1, fds, 0), EINVAL);
	CHECK_EQ(set_irqs(&c, 0x24, 0xffffffff, 2, fds, 2), EINVAL);
	CHECK_EQ(set_irqs(&c, 0x24, 0, 2, fds, 1), EINVAL);
	CHECK_EQ(set_irqs(&c, 0x28, 0, 1, NULL, 0), EINVAL);
	for (i = 0; i < TOE_VECTORS; i++)
		close(fds[i]);
	CHECK_EQ(stop(&c), 0);
}

static void pipelined_messages(void)
{
	struct vfio_user_dma_map m = { .argsz = 32, .flags = 3, .size = 0x1000 };
	struct vfio_user_dma_unmap u = { .argsz = 24, .size = 0x1000 };
	bool seen[601] = { false };
	struct client c;
	unsigned int i;
	uint16_t id;

	start(&c, false);
	wait_ready(&c);
	c.id = 0;
	for (i = 0; i < 300; i++) {
		m.iova = RAM_IOVA + i % 7 * 0x1000;
		m.offset = i % 7 * 0x1000;
		post(&c, VFIO_USER_DMA_MAP, 0, &m, sizeof(m), &c.ram_fd, 1);
		u.iova = m.iova;
		post(&c, VFIO_USER_DMA_UNMAP, 0, &u, sizeof(u), NULL, 0);
	}
	for (i = 0; i < 600; i++) {
		id = reply(&c);
		CHECK_EQ(c.reply_error, 0);
		CHECK(id <= 600 && !seen[id]);
		seen[id] = true;
	}
	CHECK_EQ(stop(&c), 0);
}

static void posted_writes_get_no_reply(void)
{
	struct vfio_user_region_rw rw = { .offset = TOE_REG_DOORBELL_ADMIN, .count = 4 };
	uint8_t buf[sizeof(rw) + 4] = { 0 };
	struct client c;
	unsigned int i;

	start(&c, false);
	memcpy(buf, &rw, sizeof(rw));
	for (i = 0; i < 1000; i++)
		post(&c, VFIO_USER_REGION_WRITE, VFIO_USER_NO_REPLY, buf, sizeof(buf), NULL, 0);
	CHECK_EQ(reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(stop(&c), 0);
}

static void reset_by(void (*reset)(struct client *c))
{
	struct client c;
	pid_t before;

	start(&c, false);
	wait_ready(&c);
	CHECK_EQ(map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	enable(&c);
	admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(answered(&c, 0, 1000));
	before = device_process(&c);
	reset(&c);
	wait_ready(&c);		/* with the link: the wire has survived */
	CHECK(device_process(&c) != before);
	CHECK_EQ(reg_read(&c, TOE_REG_CONTROL), 0);
	CHECK_EQ(reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	/* The mappings are still there. */
	enable(&c);
	admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(answered(&c, 0, 1000));
	CHECK_EQ(stop(&c), 0);
}

static void by_register(struct client *c)
{
	reg_write(c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
}

static void by_flr(struct client *c)
{
	cfg_write(c, FLR_OFF, 0x80, 1);
	CHECK_EQ(cfg_read(c, 4, 2), 0);
}

static void by_message(struct client *c)
{
	CHECK_EQ(call(c, VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0), 0);
}

static void by_killing(struct client *c)
{
	int i;

	kill(device_process(c), SIGKILL);
	for (i = 0; i < 200 && reg_read(c, TOE_REG_MAGIC) != 0xffffffff; i++)
		nap(5);
	CHECK_EQ(reg_read(c, TOE_REG_MAGIC), 0xffffffff);
	CHECK_EQ(reg_read(c, TOE_REG_STATUS), 0xffffffff);
	reg_write(c, TOE_REG_DOORBELL_ADMIN, 0);
	CHECK_EQ(cfg_read(c, 0, 4), 0x70e01b36);	/* the function is still there */
	CHECK_EQ(unmap(c, RAM_IOVA, RAM_BYTES), 0);
	CHECK_EQ(map(c, RAM_IOVA, RAM_BYTES, 1), 0);
	reg_write(c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
}

static void reset_by_register(void)
{
	reset_by(by_register);
}

static void reset_by_flr(void)
{
	reset_by(by_flr);
}

static void reset_by_message(void)
{
	reset_by(by_message);
}

static void death_and_reset(void)
{
	reset_by(by_killing);
}

static void hung_device_is_replaced(void)
{
	struct client c;
	pid_t hung;

	start(&c, false);
	wait_ready(&c);
	CHECK_EQ(map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	hung = device_process(&c);
	kill(hung, SIGSTOP);
	/* The front still answers; memory comes back when the deadline has ended it. */
	CHECK_EQ(reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(unmap(&c, RAM_IOVA, RAM_BYTES), 0);
	CHECK_EQ(reg_read(&c, TOE_REG_MAGIC), 0xffffffff);
	reg_write(&c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	wait_ready(&c);
	kill(device_process(&c), SIGSTOP);
	reg_write(&c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	CHECK_EQ(reg_read(&c, TOE_REG_STATUS), 0);
	wait_ready(&c);
	CHECK_EQ(stop(&c), 0);
}

static void keeps_or_ends(void)
{
	struct client c;

	start(&c, true);
	close(c.sock);
	c.sock = connect_to(c.vfio);
	CHECK(c.sock >= 0);
	wait_ready(&c);
	kill(c.card, SIGTERM);
	close(c.sock);
	c.sock = -1;
	CHECK_EQ(stop(&c), 0);
}

static void broken_protocol_is_ended(void)
{
	struct vfio_user_header h = { .cmd = VFIO_USER_VERSION, .size = 4 };
	struct client c;
	unsigned int i;
	uint8_t byte;

	for (i = 0; i < 3; i++) {
		start(&c, false);
		h.size = i == 0 ? 4 : i == 1 ? 0x7fffffff : 16;
		h.flags = i == 2 ? VFIO_USER_REPLY : 0;
		send_raw(&c, &h, sizeof(h), NULL, 0);
		CHECK(!get(&c, &byte, 1));
		CHECK_EQ(stop(&c), 0);
	}
}

/* Every command with payloads of every length, and fds that nobody asked for. */
static void malformed_messages(void)
{
	uint8_t junk[80];
	struct client c;
	unsigned int cmd, len;
	int fds[3];

	start(&c, false);
	memset(junk, 0xa5, sizeof(junk));
	for (cmd = 0; cmd < 20; cmd++) {
		for (len = 0; len < sizeof(junk); len += 4) {
			fds[0] = fds[1] = fds[2] = c.ram_fd;
			call(&c, cmd, junk, len, fds, len % 3);
		}
	}
	CHECK_EQ(cfg_read(&c, 0, 4), 0x70e01b36);
	wait_ready(&c);
	CHECK_EQ(stop(&c), 0);
}

static int run_with(char *const argv[])
{
	int out, status;
	pid_t pid = spawn(argv, &out);

	close(out);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void command_line_errors(void)
{
	char *t = (char *)toecard();
	char *const cases[][7] = {
		{ t, NULL },
		{ t, "--vfio-user", "/tmp/x", NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "udp:5", NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "unix:/tmp/y,client", NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "unix:/tmp/y", "--pairs=9", NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "unix:/tmp/y", "--contexts=0", NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "unix:/tmp/y", "--mac=01:00:00:00:00:01",
		  NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "unix:/tmp/y", "--impair=loss=2", NULL },
		{ t, "--vfio-user", "/tmp/x", "--wire", "unix:/tmp/y", "extra", NULL },
		{ t, "--frobnicate", NULL },
	};
	char *const no_dir[] = { t, "--vfio-user", "/nonexistent/x", "--wire", "unix:/tmp/y", NULL };
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_EQ(run_with(cases[i]), 2);
	CHECK_EQ(run_with(no_dir), 1);
}

static const struct kit_test tests[] = {
	KIT_TEST(command_line_errors),
	KIT_TEST(negotiation),
	KIT_TEST(config_space),
	KIT_TEST(registers),
	KIT_TEST(dma_map_and_unmap),
	KIT_TEST(bus_master_is_honoured),
	KIT_TEST(interrupts_survive_the_gap),
	KIT_TEST(pipelined_messages),
	KIT_TEST(posted_writes_get_no_reply),
	KIT_TEST(reset_by_register),
	KIT_TEST(reset_by_flr),
	KIT_TEST(reset_by_message),
	KIT_TEST(death_and_reset),
	KIT_TEST(hung_device_is_replaced),
	KIT_TEST(keeps_or_ends),
	KIT_TEST(broken_protocol_is_ended),
	KIT_TEST(malformed_messages),
};
KIT_MAIN(tests)
