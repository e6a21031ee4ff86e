/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * vfio-user messages.  Each command is one function that gets the payload and
 * answers with a positive length of @reply, 0 (nothing but a header), LATER, or
 * a negative errno that the hypervisor gets to see.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "front.h"
#include "vfio_user.h"

#define LATER		INT32_MAX
#define WAIT_US		2000000		/* then the device process is killed */
#define MSG_FDS		16

struct message {
	uint16_t id;
	bool wants_reply;
	const uint8_t *payload;
	size_t len;
	int fds[MSG_FDS];
	int fd_count;
	uint8_t *reply;		/* room for FRONT_MSG_MAX bytes */
};

static int version(struct front *f, struct message *m)
{
	static const char json[] = "{\"capabilities\":{\"max_msg_fds\":16,"
		"\"max_data_xfer_size\":1048576,\"pgsizes\":4096}}";
	struct vfio_user_version v;

	(void)f;
	if (m->len < sizeof(v))
		return -EINVAL;
	memcpy(&v, m->payload, sizeof(v));
	if (v.major != 0)
		return -EINVAL;
	v.minor = 0;
	memcpy(m->reply, &v, sizeof(v));
	/* The hypervisor has room for as much as it sent. */
	if (m->len < sizeof(v) + sizeof(json))
		return sizeof(v);
	memcpy(m->reply + sizeof(v), json, sizeof(json));
	return sizeof(v) + sizeof(json);
}

static void send_map(struct front *f, const struct front_map *map)
{
	struct card_ctrl c = {
		.type = CARD_CTRL_MAP, .a = map->iova, .b = map->size, .c = map->offset,
		.flags = map->prot,
	};

	if (map->fd >= 0)
		front_child_send(f, &c, &map->fd, 1);
}

static int dma_map(struct front *f, struct message *m)
{
	struct vfio_user_dma_map req;
	struct front_map *map;
	unsigned int i;

	if (m->len < sizeof(req))
		return -EINVAL;
	memcpy(&req, m->payload, sizeof(req));
	/* The last page of all would escape UNMAP_ALL: no size reaches its end from 0. */
	if (!req.size || req.iova + req.size < req.iova || m->fd_count > 1 ||
	    ((req.iova | req.size | req.offset) & 4095))
		return -EINVAL;
	for (i = 0; i < f->map_count; i++)
		if (req.iova <= f->maps[i].iova + (f->maps[i].size - 1) &&
		    f->maps[i].iova <= req.iova + (req.size - 1))
			return -EEXIST;
	if (f->map_count == CARD_DMA_MAX)
		return -ENOSPC;
	map = &f->maps[f->map_count++];
	*map = (struct front_map){
		.iova = req.iova, .size = req.size, .offset = req.offset, .fd = -1,
		.prot = (req.flags & VFIO_USER_MAP_READ ? CARD_DMA_READ : 0) |
			(req.flags & VFIO_USER_MAP_WRITE ? CARD_DMA_WRITE : 0),
	};
	/* ROMs come without a descriptor: known, but out of the card's reach. */
	if (m->fd_count) {
		map->fd = m->fds[0];
		m->fd_count = 0;
	}
	send_map(f, map);
	return 0;
}

/* Take the pieces within a range out of the table; how many there were. */
static unsigned int drop_maps(struct front *f, uint64_t iova, uint64_t size)
{
	unsigned int i, kept = 0, gone = 0;

	for (i = 0; i < f->map_count; i++) {
		struct front_map *map = &f->maps[i];
		uint64_t off = map->iova - iova;

		if (map->iova >= iova && off <= size - 1 && map->size - 1 <= size - 1 - off) {
			if (map->fd >= 0)
				close(map->fd);
			gone++;
		} else {
			f->maps[kept++] = *map;
		}
	}
	f->map_count = kept;
	return gone;
}

/*
 * Have the device process acknowledge @c; the reply of @len bytes goes out then.
 * A dead one has let go of everything already.  front_full() has made sure that
 * there is room.
 */
static int acknowledge(struct front *f, const struct message *m, uint16_t cmd,
		       struct card_ctrl *c, const int *fds, int nfds, uint32_t len)
{
	struct front_wait *w;

	if (f->child.state == FRONT_DEAD)
		return len;
	w = &f->waits[f->wait_count++];
	w->seq = ++f->child.seq ? f->child.seq : ++f->child.seq;
	w->id = m->id;
	w->cmd = cmd;
	w->reply = m->wants_reply;
	w->deadline = front_clock_us() + WAIT_US;
	w->len = len;
	memcpy(w->payload, m->reply, len);
	c->seq = w->seq;
	front_child_send(f, c, fds, nfds);
	return LATER;
}

static int dma_unmap(struct front *f, struct message *m)
{
	struct card_ctrl c = { .type = CARD_CTRL_UNMAP };
	struct vfio_user_dma_unmap req;

	if (m->len < sizeof(req))
		return -EINVAL;
	memcpy(&req, m->payload, sizeof(req));
	if (req.flags & ~VFIO_USER_UNMAP_ALL)
		return -ENOTSUP;
	if (req.flags & VFIO_USER_UNMAP_ALL) {
		req.iova = 0;
		req.size = UINT64_MAX;
	}
	if (!req.size)
		return -EINVAL;
	if (!drop_maps(f, req.iova, req.size) && !(req.flags & VFIO_USER_UNMAP_ALL))
		return -ENOENT;
	memcpy(m->reply, m->payload, sizeof(req));
	c.a = req.iova;
	c.b = req.size;
	return acknowledge(f, m, VFIO_USER_DMA_UNMAP, &c, NULL, 0, sizeof(req));
}

static void answer_wait(struct front *f, unsigned int i)
{
	struct front_wait w = f->waits[i];

	f->wait_count--;
	memmove(&f->waits[i], &f->waits[i + 1], (f->wait_count - i) * sizeof(w));
	if (w.reply)
		front_reply(f, w.id, w.cmd, 0, w.payload, w.len);
}

/**
 * front_acknowledged() - the device process has done what it was told
 * @f: the front
 * @seq: of the message
 */
void front_acknowledged(struct front *f, uint32_t seq)
{
	unsigned int i;

	for (i = 0; i < f->wait_count; i++) {
		if (f->waits[i].seq == seq) {
			answer_wait(f, i);
			return;
		}
	}
}

/**
 * front_acknowledge_all() - the device process is dead: it has let go of everything
 * @f: the front
 */
void front_acknowledge_all(struct front *f)
{
	while (f->wait_count)
		answer_wait(f, 0);
}

/**
 * front_maps_clear() - forget all host memory
 * @f: the front
 */
void front_maps_clear(struct front *f)
{
	drop_maps(f, 0, UINT64_MAX);
}

static int get_info(struct front *f, struct message *m)
{
	struct vfio_user_device_info info = {
		.argsz = sizeof(info), .flags = VFIO_USER_DEVICE_RESETS | VFIO_USER_DEVICE_PCI,
		.regions = VFIO_USER_REGIONS, .irqs = VFIO_USER_IRQS,
	};

	(void)f;
	if (m->len < sizeof(info))
		return -EINVAL;
	memcpy(m->reply, &info, sizeof(info));
	return sizeof(info);
}

static uint64_t region_bytes(uint32_t index)
{
	switch (index) {
	case VFIO_USER_BAR0:
		return TOE_BAR_BYTES;
	case VFIO_USER_BAR1:
		return TOE_MSIX_BAR_BYTES;
	case VFIO_USER_CONFIG:
		return FRONT_CONFIG_BYTES;
	}
	return 0;
}

static int region_info(struct front *f, struct message *m)
{
	struct vfio_user_region_info info;

	(void)f;
	if (m->len < sizeof(info))
		return -EINVAL;
	memcpy(&info, m->payload, sizeof(info));
	if (info.index >= VFIO_USER_REGIONS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.size = region_bytes(info.index);
	/* Nothing can be mapped: one mmap region makes every write synchronous. */
	info.flags = info.size ? VFIO_USER_REGION_R | VFIO_USER_REGION_W : 0;
	info.cap_offset = 0;
	info.offset = 0;
	memcpy(m->reply, &info, sizeof(info));
	return sizeof(info);
}

static int irq_info(struct front *f, struct message *m)
{
	struct vfio_user_irq_info info;

	(void)f;
	if (m->len < sizeof(info))
		return -EINVAL;
	memcpy(&info, m->payload, sizeof(info));
	if (info.index >= VFIO_USER_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.count = info.index == VFIO_USER_IRQ_MSIX ? TOE_VECTORS : 0;
	info.flags = info.count ? VFIO_USER_IRQ_EVENTFD : 0;
	memcpy(m->reply, &info, sizeof(info));
	return sizeof(info);
}

static void set_vectors(struct front *f, uint32_t start, uint32_t count, const int *fds, int n)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (f->irq[start + i] >= 0)
			close(f->irq[start + i]);
		f->irq[start + i] = (int)i < n ? fds[i] : -1;
	}
}

/**
 * front_irqs_clear() - take all interrupts away
 * @f: the front
 */
void front_irqs_clear(struct front *f)
{
	struct card_ctrl c = { .type = CARD_CTRL_IRQ, .b = TOE_VECTORS };

	set_vectors(f, 0, TOE_VECTORS, NULL, 0);
	front_child_send(f, &c, NULL, 0);
}

/*
 * Acknowledged by the device process: what it raises after the reply goes to the
 * new eventfd, or is kept for it, and never to one that nobody reads any more.
 */
static int set_irqs(struct front *f, struct message *m)
{
	struct card_ctrl c = { .type = CARD_CTRL_IRQ };
	struct vfio_user_set_irqs req;
	int n = m->fd_count;

	if (m->len < sizeof(req))
		return -EINVAL;
	memcpy(&req, m->payload, sizeof(req));
	if (req.index >= VFIO_USER_IRQS)
		return -EINVAL;
	if (req.index != VFIO_USER_IRQ_MSIX)
		return req.count ? -EINVAL : 0;
	if (req.start > TOE_VECTORS || req.count > TOE_VECTORS - req.start)
		return -EINVAL;
	if (req.flags == (VFIO_USER_SET_NONE | VFIO_USER_SET_TRIGGER) && !req.count && !n) {
		req.start = 0;
		req.count = TOE_VECTORS;
	} else if (req.flags != (VFIO_USER_SET_EVENTFD | VFIO_USER_SET_TRIGGER) ||
		   !req.count || (n && (uint32_t)n != req.count)) {
		return -EINVAL;
	}
	set_vectors(f, req.start, req.count, m->fds, n);
	m->fd_count = 0;
	c.a = req.start;
	c.b = req.count;
	return acknowledge(f, m, VFIO_USER_SET_IRQS, &c, m->fds, n, 0);
}

/* Common part of both accesses: is the range within the region? */
static int region_check(const struct message *m, struct vfio_user_region_rw *req)
{
	uint64_t bytes;

	if (m->len < sizeof(*req))
		return -EINVAL;
	memcpy(req, m->payload, sizeof(*req));
	bytes = region_bytes(req->region);
	if (req->region >= VFIO_USER_REGIONS || !req->count || req->count > bytes ||
	    req->offset > bytes - req->count)
		return -EINVAL;
	return 0;
}

static int region_read(struct front *f, struct message *m)
{
	struct vfio_user_region_rw req;
	uint8_t *data = m->reply + sizeof(req);
	int err = region_check(m, &req);

	if (err)
		return err;
	memcpy(m->reply, &req, sizeof(req));
	if (req.region == VFIO_USER_CONFIG)
		memcpy(data, f->config + req.offset, req.count);
	else if (req.region == VFIO_USER_BAR0)
		front_bar_read(f, req.offset, data, req.count);
	else	/* The MSI-X table is the hypervisor's; it never asks. */
		memset(data, f->child.state == FRONT_DEAD ? 0xff : 0, req.count);
	return sizeof(req) + req.count;
}

static int region_write(struct front *f, struct message *m)
{
	struct card_ctrl c = { .type = CARD_CTRL_SYNC };
	struct vfio_user_region_rw req;
	int err = region_check(m, &req);
	bool sync = false;

	if (err)
		return err;
	if (m->len - sizeof(req) != req.count)
		return -EINVAL;
	if (req.region == VFIO_USER_CONFIG)
		sync = front_config_write(f, req.offset, m->payload + sizeof(req), req.count);
	else if (req.region == VFIO_USER_BAR0)
		front_bar_write(f, req.offset, m->payload + sizeof(req), req.count);
	memcpy(m->reply, &req, sizeof(req));
	if (sync)
		return acknowledge(f, m, VFIO_USER_REGION_WRITE, &c, NULL, 0, sizeof(req));
	return sizeof(req);
}

static int device_reset(struct front *f, struct message *m)
{
	front_config_reset(f);
	front_child_reset(f);
	if (f->child.state != FRONT_STOPPING)
		return 0;
	if (m->wants_reply)
		f->reset_ids[f->reset_count++] = m->id;
	return LATER;
}

/**
 * front_reset_done() - a reset has finished: answer those who asked for it
 * @f: the front
 */
void front_reset_done(struct front *f)
{
	unsigned int i;

	for (i = 0; i < f->reset_count; i++)
		front_reply(f, f->reset_ids[i], VFIO_USER_DEVICE_RESET, 0, NULL, 0);
	f->reset_count = 0;
}

static int (*const commands[VFIO_USER_COMMANDS])(struct front *f, struct message *m) = {
	[VFIO_USER_VERSION]		= version,
	[VFIO_USER_DMA_MAP]		= dma_map,
	[VFIO_USER_DMA_UNMAP]		= dma_unmap,
	[VFIO_USER_DEVICE_GET_INFO]	= get_info,
	[VFIO_USER_REGION_INFO]		= region_info,
	[VFIO_USER_IRQ_INFO]		= irq_info,
	[VFIO_USER_SET_IRQS]		= set_irqs,
	[VFIO_USER_REGION_READ]		= region_read,
	[VFIO_USER_REGION_WRITE]	= region_write,
	[VFIO_USER_DEVICE_RESET]	= device_reset,
};

/**
 * front_message() - handle one message
 * @f: the front
 * @msg: header and payload
 * @size: bytes of both
 * @pos: position of its first byte in the stream
 *
 * Return: 0, or negative: the protocol is broken beyond an error reply.
 */
int front_message(struct front *f, const uint8_t *msg, size_t size, uint64_t pos)
{
	static uint8_t reply[FRONT_MSG_MAX];
	struct vfio_user_header h;
	struct message m;
	int res = -ENOTSUP;

	memcpy(&h, msg, sizeof(h));
	/* We never ask the hypervisor for anything, so a reply is nonsense. */
	if (h.flags & VFIO_USER_REPLY)
		return -EPROTO;
	m.id = h.id;
	m.wants_reply = !(h.flags & VFIO_USER_NO_REPLY);
	m.payload = msg + sizeof(h);
	m.len = size - sizeof(h);
	m.reply = reply;
	m.fd_count = front_take_fds(f, pos, pos + size, m.fds, MSG_FDS);
	if (h.cmd < VFIO_USER_COMMANDS && commands[h.cmd])
		res = commands[h.cmd](f, &m);
	/* A handler that keeps descriptors sets the count to 0. */
	while (m.fd_count)
		close(m.fds[--m.fd_count]);
	if (f->opts.cfg.verbose && res < 0)
		fprintf(stderr, "toecard: vfio-user command %u: %s\n", h.cmd, strerror(-res));
	if (!m.wants_reply || res == LATER)
		return 0;
	front_reply(f, h.id, h.cmd, res < 0 ? -res : 0, reply, res < 0 ? 0 : res);
	return 0;
}
