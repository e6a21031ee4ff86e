/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Capture in pcap format, nanoseconds, Ethernet.  It records what is really on
 * the wire: received frames before the impairment of rx, sent frames after that
 * of tx.  The file is opened once by the front and appended to by every device
 * process in turn, so a reset leaves one gapless file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "pcap.h"

#define PCAP_MAGIC_NS	0xa1b23c4d
#define BUF_BYTES	(256 * 1024)

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct record {
	uint32_t sec, nsec, caplen, len;
};

struct card_pcap {
	int fd;
	size_t used;
	uint8_t buf[BUF_BYTES];
};

/**
 * card_pcap_open() - create the file and write its header
 * @path: file
 *
 * Return: descriptor or negative errno.
 */
int card_pcap_open(const char *path)
{
	struct file_header h = { PCAP_MAGIC_NS, 2, 4, 0, 0, 65535, 1 };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	int err;

	if (fd < 0)
		return -errno;
	if (write(fd, &h, sizeof(h)) != sizeof(h)) {
		err = errno ? -errno : -EIO;
		close(fd);
		return err;
	}
	return fd;
}

/**
 * card_pcap_create() - a writer on an open file
 * @fd: from card_pcap_open(); stays the caller's
 *
 * Return: the writer or NULL.
 */
struct card_pcap *card_pcap_create(int fd)
{
	struct card_pcap *p = calloc(1, sizeof(*p));

	if (p)
		p->fd = fd;
	return p;
}

/**
 * card_pcap_flush() - write out what is buffered
 * @p: the writer
 *
 * A full disk loses records but never the card.
 */
void card_pcap_flush(struct card_pcap *p)
{
	size_t done = 0;

	while (done < p->used) {
		ssize_t n = write(p->fd, p->buf + done, p->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	p->used = 0;
}

/**
 * card_pcap_destroy() - flush and free
 * @p: the writer or NULL
 */
void card_pcap_destroy(struct card_pcap *p)
{
	if (!p)
		return;
	card_pcap_flush(p);
	free(p);
}

/**
 * card_pcap_add() - record a frame with the current time
 * @p: the writer
 * @frame: from the Ethernet header on
 * @len: bytes
 */
void card_pcap_add(struct card_pcap *p, const uint8_t *frame, uint32_t len)
{
	struct timespec ts;
	struct record r;

	if (len > 65535)
		return;
	if (p->used + sizeof(r) + len > sizeof(p->buf))
		card_pcap_flush(p);
	clock_gettime(CLOCK_REALTIME, &ts);
	r = (struct record){ ts.tv_sec, ts.tv_nsec, len, len };
	memcpy(p->buf + p->used, &r, sizeof(r));
	memcpy(p->buf + p->used + sizeof(r), frame, len);
	p->used += sizeof(r) + len;
}
