/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Messages between front and device process, with descriptors. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "process.h"

/**
 * card_ctrl_send() - send one message, never blocking
 * @sock: one end of the pair
 * @m: message
 * @fds: descriptors that go along
 * @count: how many, up to CARD_CTRL_FDS
 *
 * Return: 0 or a negative errno; -EAGAIN: the other side doesn't keep up.
 */
int card_ctrl_send(int sock, const struct card_ctrl *m, const int *fds, unsigned int count)
{
	char cbuf[CMSG_SPACE(sizeof(int) * CARD_CTRL_FDS)] = { 0 };
	struct iovec iov = { (void *)m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	if (count) {
		msg.msg_control = cbuf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * count);
	}
	return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/**
 * card_ctrl_recv() - receive one message, never blocking
 * @sock: one end of the pair
 * @m: message
 * @fds: room for CARD_CTRL_FDS descriptors; they are the caller's to close
 * @count: how many came
 *
 * Return: 1, 0: none there, negative: the other side is gone.
 */
int card_ctrl_recv(int sock, struct card_ctrl *m, int *fds, unsigned int *count)
{
	char cbuf[CMSG_SPACE(sizeof(int) * CARD_CTRL_FDS)];
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = cbuf, .msg_controllen = sizeof(cbuf) };
	struct cmsghdr *cm;
	ssize_t n;

	*count = 0;
	n = recvmsg(sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	cm = CMSG_FIRSTHDR(&msg);
	if (cm && cm->cmsg_type == SCM_RIGHTS) {
		*count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cm), *count * sizeof(int));
	}
	return n == sizeof(*m) ? 1 : -EPIPE;
}
