/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The whole toecard behind its vfio-user socket: a client of our own plays the
 * hypervisor, in order, out of order, and against the rules.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include "client.h"

#define FLR_OFF		0x69	/* high byte of DevCtl */

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

	client_start(&c, false);
	CHECK_EQ(client_call(&c, VFIO_USER_VERSION, &hello, sizeof(hello), NULL, 0), 0);
	CHECK(c.reply_len <= sizeof(hello) && c.reply[c.reply_len - 1] == 0);
	CHECK(strstr((char *)c.reply + 4, "max_msg_fds"));
	CHECK_EQ(client_call(&c, VFIO_USER_DEVICE_GET_INFO, &info, sizeof(info), NULL, 0), 0);
	memcpy(&info, c.reply, sizeof(info));
	CHECK_EQ(info.flags, 3);
	CHECK_EQ(info.regions, 9);
	CHECK_EQ(info.irqs, 5);
	for (i = 0; i < 9; i++) {
		ri.index = i;
		CHECK_EQ(client_call(&c, VFIO_USER_REGION_INFO, &ri, sizeof(ri), NULL, 0), 0);
		memcpy(&ri, c.reply, sizeof(ri));
		CHECK_EQ(ri.size, bytes[i]);
		CHECK(!(ri.flags & 4));			/* nothing to mmap */
	}
	ri.index = 9;
	CHECK_EQ(client_call(&c, VFIO_USER_REGION_INFO, &ri, sizeof(ri), NULL, 0), EINVAL);
	CHECK_EQ(client_call(&c, VFIO_USER_IRQ_INFO, &ii, sizeof(ii), NULL, 0), 0);
	memcpy(&ii, c.reply, sizeof(ii));
	CHECK_EQ(ii.count, TOE_VECTORS);
	CHECK_EQ(client_call(&c, VFIO_USER_REGION_IO_FDS, &ri, sizeof(ri), NULL, 0), ENOTSUP);
	CHECK_EQ(client_stop(&c), 0);
}

static void config_space(void)
{
	struct client c;

	client_start(&c, false);
	CHECK_EQ(client_cfg_read(&c, 0, 4), 0x70e01b36);
	CHECK_EQ(client_cfg_read(&c, 8, 4) >> 8, 0x020000);
	CHECK_EQ(client_cfg_read(&c, 6, 2), 0x10);
	client_cfg_write(&c, 0, 0, 4);
	CHECK_EQ(client_cfg_read(&c, 0, 4), 0x70e01b36);
	client_cfg_write(&c, 0x10, 0xffffffff, 4);
	CHECK_EQ(client_cfg_read(&c, 0x10, 4), 0xffff0000);
	client_cfg_write(&c, 4, 0xffff, 2);
	CHECK_EQ(client_cfg_read(&c, 4, 2), 0x0546);
	CHECK_EQ(client_cfg_read(&c, 0x34, 1), 0x40);
	CHECK_EQ(client_cfg_read(&c, 0x50, 4), 0x00086011);	/* MSI-X, 9 vectors */
	CHECK_EQ(client_cfg_read(&c, 0x60, 2), 0x0010);	/* PCIe, the last one */
	CHECK(client_cfg_read(&c, 0x64, 4) & 1u << 28);	/* FLR */
	CHECK_EQ(client_cfg_read(&c, 0x100, 4), 0);
	CHECK_EQ(client_stop(&c), 0);
}

static void registers(void)
{
	struct client c;
	uint64_t wide = 0;

	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(client_reg_read(&c, TOE_REG_CONTEXTS), 64);
	CHECK_EQ(client_reg_read(&c, TOE_REG_ADMIN_SIZE), 0);	/* write-only */
	CHECK_EQ(client_reg_read(&c, 0x900), 0);
	CHECK(!client_access_region(&c, VFIO_USER_REGION_READ, 0, 0, &wide, 8));
	CHECK_EQ(wide, 0);				/* another width is ignored */
	CHECK(!client_access_region(&c, VFIO_USER_REGION_READ, 0, 2, &wide, 2));
	CHECK_EQ(wide, 0);
	CHECK_EQ(client_access_region(&c, VFIO_USER_REGION_READ, 0, 0xfffe, &wide, 4), EINVAL);
	CHECK_EQ(client_access_region(&c, VFIO_USER_REGION_READ, 3, 0, &wide, 4), EINVAL);
	CHECK_EQ(client_access_region(&c, VFIO_USER_REGION_READ, 77, 0, &wide, 4), EINVAL);
	CHECK_EQ(client_access_region(&c, VFIO_USER_REGION_WRITE, 0, ~0ull, &wide, 4), EINVAL);
	client_reg_write(&c, TOE_REG_MAGIC, 0);
	CHECK_EQ(client_reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(client_stop(&c), 0);
}

/* What the front shares is mapped; nobody is left with its descriptors. */
static void shared_memory_has_no_descriptors(void)
{
	char path[64], target[64];
	struct client c;
	int fd;

	client_start(&c, false);
	client_wait_ready(&c);
	for (fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", c.card, fd);
		memset(target, 0, sizeof(target));
		if (readlink(path, target, sizeof(target) - 1) > 0)
			CHECK(!strstr(target, "memfd:toecard"));
	}
	CHECK_EQ(client_stop(&c), 0);
}

static void dma_map_and_unmap(void)
{
	struct vfio_user_dma_unmap all = { .argsz = sizeof(all), .flags = VFIO_USER_UNMAP_ALL };
	struct client c;

	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_map(&c, RAM_IOVA, 0x100000, 1), 0);
	CHECK_EQ(client_map(&c, RAM_IOVA, 0x1000, 1), EEXIST);
	CHECK_EQ(client_map(&c, RAM_IOVA + 0x100000, 0x100000, 1), 0);
	CHECK_EQ(client_map(&c, RAM_IOVA + 0x200000, 0x1000, 0), 0);	/* a ROM */
	CHECK_EQ(client_map(&c, RAM_IOVA + 0x300000, 0, 1), EINVAL);
	CHECK_EQ(client_map(&c, RAM_IOVA + 0x300000, 0x123, 1), EINVAL);
	CHECK_EQ(client_map(&c, ~0xfffull, 0x2000, 1), EINVAL);
	client_enable(&c);
	client_admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(client_answered(&c, 0, 1000));
	CHECK_EQ(client_unmap(&c, RAM_IOVA + 0x180000, 0x1000), ENOENT);
	CHECK_EQ(client_unmap(&c, RAM_IOVA, 0x100000), 0);
	/* Acknowledged: not a byte is written from now on. */
	memset(c.ram + 0x3000, 0, 4);
	client_nap(50);
	CHECK_EQ(client_heartbeat(&c), 0);
	CHECK_EQ(client_map(&c, RAM_IOVA, 0x100000, 1), 0);
	client_nap(50);
	CHECK(client_heartbeat(&c) != 0);
	CHECK_EQ(client_call(&c, VFIO_USER_DMA_UNMAP, &all, sizeof(all), NULL, 0), 0);
	CHECK_EQ(client_stop(&c), 0);
}

static void bus_master_is_honoured(void)
{
	struct client c;
	uint32_t seen;

	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	client_enable(&c);
	client_nap(50);
	CHECK(client_heartbeat(&c) != 0);
	client_cfg_write(&c, 4, 0x0002, 2);
	client_nap(20);
	seen = client_heartbeat(&c);
	client_nap(50);
	CHECK_EQ(client_heartbeat(&c), seen);
	client_cfg_write(&c, 4, 0x0006, 2);
	client_nap(50);
	CHECK(client_heartbeat(&c) != seen);
	CHECK_EQ(client_stop(&c), 0);
}

static uint32_t set_irqs(struct client *c, uint32_t flags, uint32_t startv, uint32_t count,
			 const int *fds, int nfds)
{
	struct vfio_user_set_irqs s = {
		.argsz = sizeof(s), .flags = flags, .index = 2, .start = startv, .count = count,
	};

	return client_call(c, VFIO_USER_SET_IRQS, &s, sizeof(s), fds, nfds);
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

	client_start(&c, false);
	client_wait_ready(&c);
	for (i = 0; i < TOE_VECTORS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	CHECK_EQ(set_irqs(&c, 0x24, 0, TOE_VECTORS, fds, TOE_VECTORS), 0);
	client_enable(&c);
	client_admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(fired(fds[0], 1000));
	/* All off; what is raised now comes when the vector is back. */
	CHECK_EQ(set_irqs(&c, 0x21, 0, 0, NULL, 0), 0);
	((struct toe_shadow *)(c.ram + 0x2000))[1].host_cons = 1;
	((struct toe_shadow *)(c.ram + 0x2000))[1].host_event = 1;
	client_admin(&c, 1, TOE_ADMIN_MTU, 1500);
	CHECK(client_answered(&c, 1, 1000));
	CHECK(!fired(fds[0], 50));
	CHECK_EQ(set_irqs(&c, 0x24, 0, 1, fds, 1), 0);
	CHECK(fired(fds[0], 1000));
	CHECK_EQ(set_irqs(&c, 0x24, 0, TOE_VECTORS + 1, fds, 0), EINVAL);
	CHECK_EQ(set_irqs(&c, 0x24, 0xffffffff, 2, fds, 2), EINVAL);
	CHECK_EQ(set_irqs(&c, 0x24, 0, 2, fds, 1), EINVAL);
	CHECK_EQ(set_irqs(&c, 0x28, 0, 1, NULL, 0), EINVAL);
	for (i = 0; i < TOE_VECTORS; i++)
		close(fds[i]);
	CHECK_EQ(client_stop(&c), 0);
}

/* More than the device process has answered: none is refused, all wait. */
static void pipelined_messages(void)
{
	struct vfio_user_dma_map m = { .argsz = 32, .flags = 3, .size = 0x1000 };
	struct vfio_user_dma_unmap u = { .argsz = 24, .size = 0x1000 };
	bool seen[601] = { false };
	struct client c;
	pid_t device;
	unsigned int i;
	uint16_t id;

	client_start(&c, false);
	client_wait_ready(&c);
	device = client_device_process(&c);
	kill(device, SIGSTOP);
	c.id = 0;
	for (i = 0; i < 300; i++) {
		m.iova = RAM_IOVA + i % 7 * 0x1000;
		m.offset = i % 7 * 0x1000;
		client_post(&c, VFIO_USER_DMA_MAP, 0, &m, sizeof(m), &c.ram_fd, 1);
		u.iova = m.iova;
		client_post(&c, VFIO_USER_DMA_UNMAP, 0, &u, sizeof(u), NULL, 0);
	}
	usleep(100000);
	kill(device, SIGCONT);
	for (i = 0; i < 600; i++) {
		id = client_reply(&c);
		CHECK_EQ(c.reply_error, 0);
		CHECK(id <= 600 && !seen[id]);
		seen[id] = true;
	}
	CHECK_EQ(client_stop(&c), 0);
}

static void posted_writes_get_no_reply(void)
{
	struct vfio_user_region_rw rw = { .offset = TOE_REG_DOORBELL_ADMIN, .count = 4 };
	uint8_t buf[sizeof(rw) + 4] = { 0 };
	struct client c;
	unsigned int i;

	client_start(&c, false);
	memcpy(buf, &rw, sizeof(rw));
	for (i = 0; i < 1000; i++)
		client_post(&c, VFIO_USER_REGION_WRITE, VFIO_USER_NO_REPLY, buf, sizeof(buf), NULL, 0);
	CHECK_EQ(client_reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(client_stop(&c), 0);
}

static void reset_by(void (*reset)(struct client *c))
{
	struct client c;
	pid_t before;

	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	client_enable(&c);
	client_admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(client_answered(&c, 0, 1000));
	before = client_device_process(&c);
	reset(&c);
	client_wait_ready(&c);		/* with the link: the wire has survived */
	CHECK(client_device_process(&c) != before);
	CHECK_EQ(client_reg_read(&c, TOE_REG_CONTROL), 0);
	CHECK_EQ(client_reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	/* The mappings are still there. */
	client_enable(&c);
	client_admin(&c, 0, TOE_ADMIN_MTU, 1500);
	CHECK(client_answered(&c, 0, 1000));
	CHECK_EQ(client_stop(&c), 0);
}

static void by_register(struct client *c)
{
	client_reg_write(c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
}

static void by_flr(struct client *c)
{
	client_cfg_write(c, FLR_OFF, 0x80, 1);
	CHECK_EQ(client_cfg_read(c, 4, 2), 0);
}

static void by_message(struct client *c)
{
	CHECK_EQ(client_call(c, VFIO_USER_DEVICE_RESET, NULL, 0, NULL, 0), 0);
}

static void by_killing(struct client *c)
{
	int i;

	kill(client_device_process(c), SIGKILL);
	for (i = 0; i < 200 && client_reg_read(c, TOE_REG_MAGIC) != 0xffffffff; i++)
		client_nap(5);
	CHECK_EQ(client_reg_read(c, TOE_REG_MAGIC), 0xffffffff);
	CHECK_EQ(client_reg_read(c, TOE_REG_STATUS), 0xffffffff);
	client_reg_write(c, TOE_REG_DOORBELL_ADMIN, 0);
	CHECK_EQ(client_cfg_read(c, 0, 4), 0x70e01b36);	/* the function is still there */
	CHECK_EQ(client_unmap(c, RAM_IOVA, RAM_BYTES), 0);
	CHECK_EQ(client_map(c, RAM_IOVA, RAM_BYTES, 1), 0);
	client_reg_write(c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
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

	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	hung = client_device_process(&c);
	kill(hung, SIGSTOP);
	/* The front still answers; memory comes back when the deadline has ended it. */
	CHECK_EQ(client_reg_read(&c, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(client_unmap(&c, RAM_IOVA, RAM_BYTES), 0);
	CHECK_EQ(client_reg_read(&c, TOE_REG_MAGIC), 0xffffffff);
	client_reg_write(&c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	client_wait_ready(&c);
	kill(client_device_process(&c), SIGSTOP);
	client_reg_write(&c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	CHECK_EQ(client_reg_read(&c, TOE_REG_STATUS), 0);
	client_wait_ready(&c);
	CHECK_EQ(client_stop(&c), 0);
}

static void keeps_or_ends(void)
{
	struct client c;

	client_start(&c, true);
	close(c.sock);
	c.sock = client_connect_to(c.vfio);
	CHECK(c.sock >= 0);
	client_wait_ready(&c);
	kill(c.card, SIGTERM);
	close(c.sock);
	c.sock = -1;
	CHECK_EQ(client_stop(&c), 0);
}

static void broken_protocol_is_ended(void)
{
	struct vfio_user_header h = { .cmd = VFIO_USER_VERSION, .size = 4 };
	struct client c;
	unsigned int i;
	uint8_t byte;

	for (i = 0; i < 3; i++) {
		client_start(&c, false);
		h.size = i == 0 ? 4 : i == 1 ? 0x7fffffff : 16;
		h.flags = i == 2 ? VFIO_USER_REPLY : 0;
		client_send_raw(&c, &h, sizeof(h), NULL, 0);
		CHECK(!client_get(&c, &byte, 1));
		CHECK_EQ(client_stop(&c), 0);
	}
}

/* Every command with payloads of every length, and fds that nobody asked for. */
static void malformed_messages(void)
{
	uint8_t junk[80];
	struct client c;
	unsigned int cmd, len;
	int fds[3];

	client_start(&c, false);
	memset(junk, 0xa5, sizeof(junk));
	for (cmd = 0; cmd < 20; cmd++) {
		for (len = 0; len < sizeof(junk); len += 4) {
			fds[0] = fds[1] = fds[2] = c.ram_fd;
			client_call(&c, cmd, junk, len, fds, len % 3);
		}
	}
	CHECK_EQ(client_cfg_read(&c, 0, 4), 0x70e01b36);
	client_wait_ready(&c);
	CHECK_EQ(client_stop(&c), 0);
}

static int run_with(char *const argv[])
{
	int out, status;
	pid_t pid = client_spawn(argv, &out);

	close(out);
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void command_line_errors(void)
{
	char *t = (char *)client_toecard();
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
	KIT_TEST(shared_memory_has_no_descriptors),
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
