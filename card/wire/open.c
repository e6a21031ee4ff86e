/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Opening the wire's descriptor; the front does it, so that it survives a reset. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "wire.h"

#define SOCK_BYTES	(1024 * 1024)

static int unix_socket(const char *path, struct sockaddr_un *a)
{
	int fd;

	if (strlen(path) >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static void set_buffers(int fd)
{
	int bytes = SOCK_BYTES;

	/* Best effort: the system's limit applies. */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/**
 * card_wire_connect() - connect to a stream netdev that listens
 * @path: unix socket
 *
 * Return: descriptor or negative errno (-ENOENT, -ECONNREFUSED: not there yet).
 */
int card_wire_connect(const char *path)
{
	struct sockaddr_un a;
	int fd = unix_socket(path, &a), err;

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		err = -errno;
		close(fd);
		return err;
	}
	set_buffers(fd);
	return fd;
}

/**
 * card_wire_listen() - wait for a stream netdev to connect
 * @path: unix socket; an old socket file is removed
 *
 * Return: listening descriptor or negative errno.
 */
int card_wire_listen(const char *path)
{
	struct sockaddr_un a;
	int fd = unix_socket(path, &a), err;

	if (fd < 0)
		return fd;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/**
 * card_wire_accept() - take a connection
 * @listener: from card_wire_listen()
 *
 * Return: descriptor or negative errno.
 */
int card_wire_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	set_buffers(fd);
	return fd;
}

/**
 * card_wire_tap() - attach to a TAP interface
 * @name: of the interface; it's created if the process may
 *
 * Return: descriptor or negative errno.
 */
int card_wire_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, err;

	if (!*name || strlen(name) >= sizeof(ifr.ifr_name))
		return -EINVAL;
	strcpy(ifr.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
