/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The vfio-user socket: bytes and descriptors in, replies out, never blocking.
 *
 * All that is there is read at once.  The kernel ends a read behind the piece
 * that descriptors came with, so they belong to the message that this read's
 * last byte is part of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "front.h"
#include "vfio_user.h"

#define OUT_MAX		(8 * 1024 * 1024)	/* a hypervisor that reads nothing is gone */
#define TURN_READS	64			/* then look at the other descriptors too */

/* 1: got something, 0: nothing there, negative: the connection is over. */
static int receive(struct front *f)
{
	char cbuf[CMSG_SPACE(sizeof(int) * 32)];
	struct iovec iov = { f->in + f->in_have, FRONT_MSG_MAX - f->in_have };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = cbuf, .msg_controllen = sizeof(cbuf) };
	struct cmsghdr *cm;
	unsigned int i, count;
	ssize_t n;
	int fd;

	n = recvmsg(f->client, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -EPIPE;
	f->in_have += n;
	cm = CMSG_FIRSTHDR(&m);
	if (!cm || cm->cmsg_type != SCM_RIGHTS)
		return 1;
	count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
		if (f->fd_count == FRONT_FDS) {
			close(fd);
			continue;
		}
		f->fd_pos[f->fd_count] = f->in_pos + f->in_have - 1;
		f->fd[f->fd_count++] = fd;
	}
	return 1;
}

/*
 * Handle all whole messages, as far as there is room for what they lead to.
 * Negative: the client broke the protocol.
 */
static int parse(struct front *f)
{
	size_t at = 0;
	int err = 0;

	while (!front_full(f) && f->in_have - at >= sizeof(struct vfio_user_header)) {
		struct vfio_user_header h;

		memcpy(&h, f->in + at, sizeof(h));
		if (h.size < sizeof(h) || h.size > FRONT_MSG_MAX)
			return -EPROTO;
		if (f->in_have - at < h.size)
			break;
		err = front_message(f, f->in + at, h.size, f->in_pos + at);
		if (err || f->client < 0)
			return err;
		at += h.size;
	}
	memmove(f->in, f->in + at, f->in_have - at);
	f->in_have -= at;
	f->in_pos += at;
	return 0;
}

/**
 * front_socket_parse() - go on with messages that had to wait
 * @f: the front
 */
void front_socket_parse(struct front *f)
{
	if (f->client >= 0 && f->in_have && parse(f))
		front_disconnect(f, "protocol violation");
}

/**
 * front_socket_read() - take in and handle what the hypervisor sent
 * @f: the front
 *
 * Nothing is read while the device process has to catch up: the socket's own
 * buffer, and then the hypervisor, wait.
 */
void front_socket_read(struct front *f)
{
	int turn, err;

	for (turn = 0; turn < TURN_READS && f->client >= 0 && !front_full(f); turn++) {
		err = receive(f);
		if (!err)
			return;
		if (err < 0) {
			front_disconnect(f, err == -EPIPE ? NULL : strerror(-err));
			return;
		}
		front_socket_parse(f);
	}
}

/**
 * front_take_fds() - descriptors of one message
 * @f: the front
 * @begin: position of its first byte in the stream
 * @end: position behind its last byte
 * @fds: where to; they are the caller's to close
 * @max: room
 *
 * Return: how many; those beyond @max are closed.
 */
int front_take_fds(struct front *f, uint64_t begin, uint64_t end, int *fds, int max)
{
	unsigned int i, kept = 0;
	int n = 0;

	for (i = 0; i < f->fd_count; i++) {
		if (f->fd_pos[i] < begin || f->fd_pos[i] >= end) {
			f->fd_pos[kept] = f->fd_pos[i];
			f->fd[kept++] = f->fd[i];
		} else if (n < max) {
			fds[n++] = f->fd[i];
		} else {
			close(f->fd[i]);
		}
	}
	f->fd_count = kept;
	return n;
}

/**
 * front_socket_flush() - send what is queued
 * @f: the front
 */
void front_socket_flush(struct front *f)
{
	ssize_t n;

	while (f->out_have && f->client >= 0) {
		n = send(f->client, f->out, f->out_have, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			front_disconnect(f, "hypervisor gone");
			return;
		}
		memmove(f->out, f->out + n, f->out_have - n);
		f->out_have -= n;
	}
}

static int queue(struct front *f, const void *data, size_t len)
{
	size_t size = f->out_size ? f->out_size : 16384;
	uint8_t *p;

	while (size < f->out_have + len)
		size *= 2;
	if (size > OUT_MAX)
		return -ENOBUFS;
	if (size != f->out_size) {
		p = realloc(f->out, size);
		if (!p)
			return -ENOMEM;
		f->out = p;
		f->out_size = size;
	}
	memcpy(f->out + f->out_have, data, len);
	f->out_have += len;
	return 0;
}

/**
 * front_reply() - answer a message
 * @f: the front
 * @id: of the message
 * @cmd: of the message
 * @err: 0 or an errno, which takes the place of the payload
 * @payload: behind the header
 * @len: its bytes
 */
void front_reply(struct front *f, uint16_t id, uint16_t cmd, int err,
		 const void *payload, size_t len)
{
	struct vfio_user_header h = {
		.id = id, .cmd = cmd, .flags = VFIO_USER_REPLY,
	};

	if (f->client < 0)
		return;
	if (err) {
		h.flags |= VFIO_USER_ERROR;
		h.error = err;
		len = 0;
	}
	h.size = sizeof(h) + len;
	if (queue(f, &h, sizeof(h)) || (len && queue(f, payload, len)))
		front_disconnect(f, "hypervisor reads no replies");
	else
		front_socket_flush(f);
}

/**
 * front_socket_close() - forget the connection
 * @f: the front
 */
void front_socket_close(struct front *f)
{
	unsigned int i;

	close(f->client);
	f->client = -1;
	f->in_have = 0;
	f->out_have = 0;
	f->in_pos = 0;
	for (i = 0; i < f->fd_count; i++)
		close(f->fd[i]);
	f->fd_count = 0;
}
