/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The front's share of the wire: it opens the descriptor and hands it down. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "front.h"

#define RETRY_US	100000

/**
 * front_wire_hand_down() - give the device process the wire
 * @f: the front
 */
void front_wire_hand_down(struct front *f)
{
	struct card_ctrl m = { .type = CARD_CTRL_WIRE, .flags = f->wire_fresh };

	if (f->wire_fd < 0 || f->child.state != FRONT_RUNNING)
		return;
	front_child_send(f, &m, &f->wire_fd, 1);
	f->wire_fresh = false;
}

static void arrived(struct front *f, int fd)
{
	f->wire_fd = fd;
	f->wire_fresh = true;
	front_wire_hand_down(f);
}

/**
 * front_wire_retry() - try to connect if it's time to
 * @f: the front
 */
void front_wire_retry(struct front *f)
{
	uint64_t now = front_clock_us();
	int fd;

	if (f->wire_fd >= 0 || f->opts.wire_kind != CARD_WIRE_STREAM ||
	    f->opts.wire_server || now < f->wire_retry)
		return;
	f->wire_retry = now + RETRY_US;
	fd = card_wire_connect(f->opts.wire_path);
	if (fd >= 0)
		arrived(f, fd);
}

/**
 * front_wire_accept() - somebody connects to our end
 * @f: the front
 */
void front_wire_accept(struct front *f)
{
	int fd = card_wire_accept(f->wire_listener);

	if (fd >= 0)
		arrived(f, fd);
}

/**
 * front_wire_lost() - the other end is gone
 * @f: the front
 */
void front_wire_lost(struct front *f)
{
	if (f->wire_fd >= 0)
		close(f->wire_fd);
	f->wire_fd = -1;
	f->wire_retry = front_clock_us() + RETRY_US;
}

/**
 * front_wire_open() - open the wire
 * @f: the front
 *
 * A stream whose other end isn't there yet is no error.
 * Return: 0 or a negative errno.
 */
int front_wire_open(struct front *f)
{
	int fd;

	if (f->opts.wire_kind == CARD_WIRE_TAP) {
		fd = card_wire_tap(f->opts.wire_path);
		if (fd < 0)
			return fd;
		arrived(f, fd);
		return 0;
	}
	if (f->opts.wire_server) {
		f->wire_listener = card_wire_listen(f->opts.wire_path);
		return f->wire_listener < 0 ? f->wire_listener : 0;
	}
	if (strlen(f->opts.wire_path) >= 108)
		return -ENAMETOOLONG;
	front_wire_retry(f);
	return 0;
}
