/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* See client.h. */
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "client.h"

void client_nap(unsigned int ms)
{
	usleep(ms * 1000);
}

int client_connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), i;

	strcpy(a.sun_path, path);
	for (i = 0; i < 200; i++) {
		if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
		client_nap(10);
	}
	close(fd);
	return -1;
}

pid_t client_spawn(char *const argv[], int *status_fd)
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

const char *client_toecard(void)
{
	const char *path = getenv("TOECARD");

	return path ? path : "../build/card/toecard";
}

void client_start(struct client *c, bool keep)
{
	char wire[128], line[16] = { 0 };
	char *argv[] = { (char *)client_toecard(), "--vfio-user", c->vfio, "--wire", wire, "--contexts",
			 "64", keep ? "--keep" : "-v", NULL };
	int out;

	memset(c, 0, sizeof(*c));
	strcpy(c->dir, "/tmp/toecard-test-XXXXXX");
	CHECK(mkdtemp(c->dir));
	snprintf(c->vfio, sizeof(c->vfio), "%s/vfio", c->dir);
	snprintf(c->wire_path, sizeof(c->wire_path), "%s/wire", c->dir);
	snprintf(wire, sizeof(wire), "unix:%s,server", c->wire_path);
	c->card = client_spawn(argv, &out);
	CHECK(read(out, line, 6) == 6);
	CHECK(!strcmp(line, "ready\n"));
	close(out);
	c->sock = client_connect_to(c->vfio);
	c->wire = client_connect_to(c->wire_path);
	CHECK(c->sock >= 0 && c->wire >= 0);
	c->ram_fd = memfd_create("ram", MFD_CLOEXEC);
	CHECK(!ftruncate(c->ram_fd, RAM_BYTES));
	c->ram = mmap(NULL, RAM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->ram_fd, 0);
}

int client_stop(struct client *c)
{
	int status = -1, i;
	bool left;

	if (c->sock >= 0)
		close(c->sock);
	for (i = 0; i < 300 && waitpid(c->card, &status, WNOHANG) != c->card; i++)
		client_nap(10);
	if (i == 300)
		kill(c->card, SIGKILL);
	close(c->wire);
	close(c->ram_fd);
	munmap(c->ram, RAM_BYTES);
	/* Who ends by itself leaves no socket behind. */
	left = !unlink(c->vfio);
	left |= !unlink(c->wire_path);
	if (left && !status)
		status = -2;
	rmdir(c->dir);
	return i == 300 ? -1 : status;
}

void client_send_raw(struct client *c, const void *data, size_t len, const int *fds, int nfds)
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

uint16_t client_post(struct client *c, uint16_t cmd, uint32_t flags, const void *payload,
		     size_t len, const int *fds, int nfds)
{
	uint8_t buf[8192];
	struct vfio_user_header h = {
		.id = ++c->id, .cmd = cmd, .size = sizeof(h) + len, .flags = flags,
	};

	memcpy(buf, &h, sizeof(h));
	if (len)
		memcpy(buf + sizeof(h), payload, len);
	client_send_raw(c, buf, sizeof(h) + len, fds, nfds);
	return h.id;
}

bool client_get(struct client *c, void *data, size_t len)
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

uint16_t client_reply(struct client *c)
{
	struct vfio_user_header h;

	CHECK(client_get(c, &h, sizeof(h)));
	CHECK(h.flags & VFIO_USER_REPLY);
	c->reply_flags = h.flags;
	c->reply_error = h.flags & VFIO_USER_ERROR ? h.error : 0;
	c->reply_len = h.size - sizeof(h);
	CHECK(c->reply_len <= sizeof(c->reply));
	CHECK(client_get(c, c->reply, c->reply_len));
	return h.id;
}

/* One message and its reply; the errno that came. */
uint32_t client_call(struct client *c, uint16_t cmd, const void *payload, size_t len,
		     const int *fds, int nfds)
{
	uint16_t id = client_post(c, cmd, 0, payload, len, fds, nfds);

	CHECK_EQ(client_reply(c), id);
	return c->reply_error;
}

uint32_t client_map(struct client *c, uint64_t iova, uint64_t size, int nfds)
{
	struct vfio_user_dma_map m = {
		.argsz = sizeof(m), .flags = 3, .offset = iova - RAM_IOVA, .iova = iova,
		.size = size,
	};

	return client_call(c, VFIO_USER_DMA_MAP, &m, sizeof(m), &c->ram_fd, nfds);
}

uint32_t client_unmap(struct client *c, uint64_t iova, uint64_t size)
{
	struct vfio_user_dma_unmap m = { .argsz = sizeof(m), .iova = iova, .size = size };

	return client_call(c, VFIO_USER_DMA_UNMAP, &m, sizeof(m), NULL, 0);
}

uint32_t client_access_region(struct client *c, uint16_t cmd, uint32_t region, uint64_t off,
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
	err = client_call(c, cmd, buf, bytes, NULL, 0);
	if (!err && cmd == VFIO_USER_REGION_READ) {
		CHECK_EQ(c->reply_len, sizeof(rw) + len);
		memcpy(data, c->reply + sizeof(rw), len);
	}
	return err;
}

uint32_t client_reg_read(struct client *c, uint32_t off)
{
	uint32_t val = 0;

	CHECK(!client_access_region(c, VFIO_USER_REGION_READ, 0, off, &val, 4));
	return val;
}

void client_reg_write(struct client *c, uint32_t off, uint32_t val)
{
	CHECK(!client_access_region(c, VFIO_USER_REGION_WRITE, 0, off, &val, 4));
}

uint32_t client_cfg_read(struct client *c, uint32_t off, uint32_t len)
{
	uint32_t val = 0;

	CHECK(!client_access_region(c, VFIO_USER_REGION_READ, 7, off, &val, len));
	return val;
}

void client_cfg_write(struct client *c, uint32_t off, uint32_t val, uint32_t len)
{
	CHECK(!client_access_region(c, VFIO_USER_REGION_WRITE, 7, off, &val, len));
}

void client_wait_ready(struct client *c)
{
	int i;

	for (i = 0; i < 200; i++) {
		if ((client_reg_read(c, TOE_REG_STATUS) & 3) == 3)
			return;
		client_nap(5);
	}
	CHECK(!"card ready, link up");
}

/* Admin ring in RAM: SQ at 0, CQ at 0x1000, shadows at 0x2000, heartbeat at 0x3000. */
void client_enable(struct client *c)
{
	memset(c->ram, 0, 0x4000);
	client_cfg_write(c, 4, 0x0006, 2);
	client_reg_write(c, TOE_REG_ADMIN_SQ_LO, RAM_IOVA);
	client_reg_write(c, TOE_REG_ADMIN_CQ_LO, RAM_IOVA + 0x1000);
	client_reg_write(c, TOE_REG_ADMIN_SHADOW_LO, RAM_IOVA + 0x2000);
	client_reg_write(c, TOE_REG_ADMIN_SIZE, 16);
	client_reg_write(c, TOE_REG_HEARTBEAT_LO, RAM_IOVA + 0x3000);
	client_reg_write(c, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
}

void client_admin(struct client *c, uint32_t index, uint8_t op, uint32_t arg)
{
	struct toe_admin_cmd *sq = (struct toe_admin_cmd *)c->ram;
	struct toe_shadow *shadow = (struct toe_shadow *)(c->ram + 0x2000);

	sq[index & 15] = (struct toe_admin_cmd){ .op = op, .cookie = index, .arg = arg };
	__atomic_store_n(&shadow->prod, index + 1, __ATOMIC_SEQ_CST);
	client_reg_write(c, TOE_REG_DOORBELL_ADMIN, 0);
}

bool client_answered(struct client *c, uint32_t index, unsigned int ms)
{
	struct toe_cqe *cqe = (struct toe_cqe *)(c->ram + 0x1000) + (index & 15);
	unsigned int i;

	for (i = 0; i < ms; i++) {
		if (__atomic_load_n(&cqe->phase, __ATOMIC_ACQUIRE) == !(index & 16))
			return true;
		client_nap(1);
	}
	return false;
}

uint32_t client_heartbeat(struct client *c)
{
	return __atomic_load_n((uint32_t *)(c->ram + 0x3000), __ATOMIC_ACQUIRE);
}

/* The device process: the only child of toecard.  In a reset there is none for a moment. */
pid_t client_device_process(struct client *c)
{
	char path[64], text[32] = { 0 };
	int fd, i;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", c->card, c->card);
	for (i = 0; i < 1000 && !text[0]; i++) {
		fd = open(path, O_RDONLY);
		CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0);
		close(fd);
		if (!text[0])
			client_nap(5);
	}
	CHECK(text[0]);
	return atoi(text);
}
