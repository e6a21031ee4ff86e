/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Frames on a descriptor: QEMU's stream framing (u32 big-endian length, then the
 * frame) or TAP.  Out: a bounded queue of slots, written in batches; a slot is
 * filled in place by whoever builds the frame.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "wire.h"

#define MIN_FRAME	60
#define WRITE_BATCH	64
/*
 * A peer that takes nothing for so long loses frames: longer than a busy machine
 * makes a hypervisor wait, shorter than the host's TX watchdog.
 */
#define STALL_DROP_US	2000000

/**
 * card_wire_set_fd() - other end arrived or left
 * @w: the wire
 * @fd: new descriptor or -1; the old one is closed
 * @fresh: a new connection, which starts with a frame boundary; else one that
 *	a former device process has used and left in the shared state: what that
 *	had queued is dropped, but for the rest of a frame that has begun
 */
void card_wire_set_fd(struct card_wire *w, int fd, bool fresh)
{
	if (fresh) {
		w->st->rx_have = 0;
		w->st->rx_pos = 0;
		w->st->head_off = 0;
	} else {
		w->st->tail = w->st->head + (w->st->head_off ? 1 : 0);
	}
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
	w->link = fd >= 0;
	w->stalled_since = 0;
}

/* Read what is there.  1: more bytes, 0: none now, negative: the other end is gone. */
static int fill(struct card_wire *w)
{
	struct card_wire_state *st = w->st;
	ssize_t n;

	if (st->rx_pos) {
		memmove(st->rx, st->rx + st->rx_pos, st->rx_have - st->rx_pos);
		st->rx_have -= st->rx_pos;
		st->rx_pos = 0;
	}
	__atomic_store_n(&st->busy, 1, __ATOMIC_SEQ_CST);
	n = read(w->fd, st->rx + st->rx_have, sizeof(st->rx) - st->rx_have);
	if (n > 0)
		st->rx_have += n;
	__atomic_store_n(&st->busy, 0, __ATOMIC_SEQ_CST);
	if (n > 0)
		return 1;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n < 0 ? -errno : -EPIPE;
}

/* Next whole frame in the buffer: 1, 0: not whole yet, negative: framing lost. */
static int next_frame(struct card_wire *w, uint8_t **frame, uint32_t *len)
{
	struct card_wire_state *st = w->st;
	uint32_t have = st->rx_have - st->rx_pos, n;
	uint8_t *p = st->rx + st->rx_pos;

	if (w->kind == CARD_WIRE_TAP) {
		*frame = p;
		*len = have;
		st->rx_pos += have;
		return have > 0;
	}
	if (have < 4)
		return 0;
	n = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	if (n > CARD_WIRE_FRAME_MAX)
		return -EPROTO;
	if (have < 4 + n)
		return 0;
	*frame = p + 4;
	*len = n;
	st->rx_pos += 4 + n;
	return 1;
}

/* A frame came off the wire; false: the receiver wants no more now. */
static bool arrived(struct card_wire *w, uint8_t *frame, uint32_t len,
		    card_wire_rx_fn fn, void *ctx, uint64_t now)
{
	if (len > CARD_WIRE_FRAME) {
		w->oversize++;
		return true;
	}
	if (w->pcap)
		card_pcap_add(w->pcap, frame, len);
	if (w->rx_imp) {
		card_impair_put(w->rx_imp, frame, len, now);
		return true;
	}
	return fn(ctx, frame, len);
}

static int recv_impaired(struct card_wire *w, card_wire_rx_fn fn, void *ctx,
			 unsigned int budget, uint64_t now)
{
	uint8_t buf[CARD_WIRE_FRAME];
	unsigned int done = 0;
	uint32_t len;

	while (done < budget && (len = card_impair_get(w->rx_imp, buf, sizeof(buf), now))) {
		done++;
		if (!fn(ctx, buf, len))
			break;
	}
	return done;
}

/**
 * card_wire_recv() - hand out received frames
 * @w: the wire
 * @fn: takes each
 * @ctx: its argument
 * @budget: the most of them
 * @now: us
 *
 * Return: how many came, or a negative errno: the other end is gone.
 */
int card_wire_recv(struct card_wire *w, card_wire_rx_fn fn, void *ctx,
		   unsigned int budget, uint64_t now)
{
	unsigned int done = 0;
	bool filled = false;
	uint8_t *frame;
	uint32_t len;
	int err;

	while (w->fd >= 0 && done < budget) {
		err = next_frame(w, &frame, &len);
		if (err > 0) {
			done++;
			if (!arrived(w, frame, len, fn, ctx, now))
				return done;
			continue;
		}
		/* One read per call from a stream: it may bring the whole batch. */
		if (!err && (!filled || w->kind == CARD_WIRE_TAP))
			err = fill(w);
		if (err < 0)
			return done ? (int)done : err;
		if (!err)
			break;
		filled = true;
	}
	if (w->rx_imp)
		done += recv_impaired(w, fn, ctx, budget, now);
	return done;
}

/**
 * card_wire_rx_pending() - is there something to hand out without reading
 * @w: the wire
 * @now: us
 *
 * Return: true if card_wire_recv() would hand out a frame from its buffers.
 */
bool card_wire_rx_pending(const struct card_wire *w, uint64_t now)
{
	const struct card_wire_state *st = w->st;
	const uint8_t *p = st->rx + st->rx_pos;
	uint32_t have = st->rx_have - st->rx_pos;

	if (w->rx_imp && card_impair_deadline(w->rx_imp) <= now)
		return true;
	if (w->fd < 0 || w->kind == CARD_WIRE_TAP || have < 4)
		return false;
	return have >= 4 + ((uint64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]);
}

/**
 * card_wire_room() - free slots
 * @w: the wire
 *
 * Return: frames that can be committed now.
 */
unsigned int card_wire_room(const struct card_wire *w)
{
	return CARD_WIRE_SLOTS - (w->st->tail - w->st->head);
}

/**
 * card_wire_slot() - where the next frame to send is built
 * @w: the wire
 *
 * Return: CARD_WIRE_FRAME bytes, or NULL if the queue is full.
 */
uint8_t *card_wire_slot(struct card_wire *w)
{
	if (!card_wire_room(w))
		return NULL;
	return w->st->slot[w->st->tail % CARD_WIRE_SLOTS].data;
}

static void enqueue(struct card_wire *w, uint32_t len)
{
	struct card_wire_slot *s = &w->st->slot[w->st->tail % CARD_WIRE_SLOTS];

	s->len = len;
	s->len_be[0] = len >> 24;
	s->len_be[1] = len >> 16;
	s->len_be[2] = len >> 8;
	s->len_be[3] = len;
	w->st->tail++;
}

/**
 * card_wire_commit() - send the frame in the slot
 * @w: the wire
 * @len: its bytes; padded to the minimum of Ethernet
 * @now: us
 */
void card_wire_commit(struct card_wire *w, uint32_t len, uint64_t now)
{
	uint8_t *data = card_wire_slot(w);

	if (len < MIN_FRAME) {
		memset(data + len, 0, MIN_FRAME - len);
		len = MIN_FRAME;
	}
	if (w->tx_imp)
		card_impair_put(w->tx_imp, data, len, now);
	else
		enqueue(w, len);
}

/* @n bytes of the head slots have left. */
static void sent(struct card_wire *w, size_t n)
{
	struct card_wire_state *st = w->st;

	while (n) {
		struct card_wire_slot *s = &st->slot[st->head % CARD_WIRE_SLOTS];
		size_t left = 4 + s->len - st->head_off;

		if (n < left) {
			st->head_off += n;
			return;
		}
		n -= left;
		if (w->pcap)
			card_pcap_add(w->pcap, s->data, s->len);
		st->head_off = 0;
		st->head++;
	}
}

/* Write a batch.  Bytes of slots (framing included) that left, or -errno. */
static ssize_t write_batch(struct card_wire *w)
{
	struct card_wire_state *st = w->st;
	struct iovec iov[WRITE_BATCH];
	struct msghdr m = { .msg_iov = iov };
	uint32_t i;
	ssize_t n;

	if (w->kind == CARD_WIRE_TAP) {
		struct card_wire_slot *s = &st->slot[st->head % CARD_WIRE_SLOTS];

		n = write(w->fd, s->data, s->len);
		if (n >= 0)
			return 4 + s->len;
		/* The interface is down: the frame is lost, the wire is not. */
		return errno == EIO || errno == EINVAL ? (ssize_t)(4 + s->len) : -errno;
	}
	for (i = st->head; i != st->tail && m.msg_iovlen < WRITE_BATCH; i++) {
		struct card_wire_slot *s = &st->slot[i % CARD_WIRE_SLOTS];
		uint32_t off = i == st->head ? st->head_off : 0;

		iov[m.msg_iovlen++] = (struct iovec){ s->len_be + off, 4 + s->len - off };
	}
	n = sendmsg(w->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

static void pump_impaired(struct card_wire *w, uint64_t now)
{
	uint8_t *slot;
	uint32_t len;

	while ((slot = card_wire_slot(w))) {
		len = card_impair_get(w->tx_imp, slot, CARD_WIRE_FRAME, now);
		if (!len)
			return;
		enqueue(w, len);
	}
}

/* Nobody takes frames: drop them, but never the rest of one that has begun. */
static void drop_queue(struct card_wire *w)
{
	struct card_wire_state *st = w->st;
	uint32_t keep = st->head_off ? 1 : 0;

	fprintf(stderr, "toecard: the wire takes nothing: %u frames dropped\n",
		st->tail - st->head - keep);
	w->dropped += st->tail - st->head - keep;
	st->tail = st->head + keep;
}

/**
 * card_wire_flush() - put committed frames on the wire
 * @w: the wire
 * @now: us
 *
 * Return: 0, or a negative errno: the other end is gone.
 */
int card_wire_flush(struct card_wire *w, uint64_t now)
{
	struct card_wire_state *st = w->st;
	ssize_t n;

	if (w->tx_imp)
		pump_impaired(w, now);
	if (w->fd < 0) {
		w->dropped += st->tail - st->head;
		st->head = st->tail;
		st->head_off = 0;
		return 0;
	}
	while (st->head != st->tail) {
		__atomic_store_n(&st->busy, 2, __ATOMIC_SEQ_CST);
		n = write_batch(w);
		if (n > 0)
			sent(w, n);
		__atomic_store_n(&st->busy, 0, __ATOMIC_SEQ_CST);
		if (n > 0) {
			w->stalled_since = 0;
			continue;
		}
		if (n != -EAGAIN && n != -EINTR)
			return n ? n : -EPIPE;
		if (!w->stalled_since)
			w->stalled_since = now;
		else if (now - w->stalled_since > STALL_DROP_US)
			drop_queue(w);
		return 0;
	}
	return 0;
}

/**
 * card_wire_want_out() - should the descriptor be watched for room
 * @w: the wire
 *
 * Return: true if frames wait for it.
 */
bool card_wire_want_out(const struct card_wire *w)
{
	return w->fd >= 0 && w->st->head != w->st->tail;
}

/**
 * card_wire_deadline() - when the wire needs attention without an event
 * @w: the wire
 *
 * Return: us, or UINT64_MAX.
 */
uint64_t card_wire_deadline(const struct card_wire *w)
{
	uint64_t when = UINT64_MAX, t;

	if (w->rx_imp)
		when = card_impair_deadline(w->rx_imp);
	if (w->tx_imp && card_wire_room(w)) {
		t = card_impair_deadline(w->tx_imp);
		when = t < when ? t : when;
	}
	if (w->stalled_since && card_wire_want_out(w)) {
		t = w->stalled_since + STALL_DROP_US;
		when = t < when ? t : when;
	}
	return when;
}
