// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: another upper layer protocol on a connection that was offloaded.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "tables.h"

#ifndef SOL_TLS
#define SOL_TLS		282
#endif

static char buf[60000];

static void note_ulp(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	getsockopt(fd, SOL_TCP, TCP_ULP, name, &len);
	if (strcmp(name, "toe"))	/* the filter's, on purpose */
		say("ULP %s", name);
}

/* Fixed keys, the two directions' different. */
static void tls_keys(int fd, bool tx)
{
	struct tls12_crypto_info_aes_gcm_128 keys = {
		.info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 },
	};

	memset(keys.key, tx == run.peer ? 1 : 2, sizeof(keys.key));
	memset(keys.salt, tx == run.peer ? 3 : 4, sizeof(keys.salt));
	TRY(setsockopt(fd, SOL_TLS, tx ? TLS_TX : TLS_RX, &keys, sizeof(keys)));
}

static void tls_on(int fd)
{
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
	note_ulp(fd);
	tls_keys(fd, true);
	tls_keys(fd, false);
}

/* A record of another type: an alert. */
static void send_alert(int fd)
{
	char control[CMSG_SPACE(1)] = "", alert[2] = { 1, 0 };
	struct iovec iov = { alert, 2 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_TLS;
	c->cmsg_type = TLS_SET_RECORD_TYPE;
	c->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(c) = 21;
	TRY(sendmsg(fd, &msg, 0));
}

static void take_alert(int fd)
{
	char control[CMSG_SPACE(1)];
	struct iovec iov = { buf, 100 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;

	TRY(recvmsg(fd, &msg, 0));
	c = CMSG_FIRSTHDR(&msg);
	if (c)
		say("record type %d", *CMSG_DATA(c));
}

static void tls(int fd)
{
	int file = memfd_create("diff", 0);

	give(fd, 20000);
	want(fd, 20000);
	meet();
	tls_on(fd);
	meet();
	give(fd, 50000);
	want(fd, 50000);
	fill(buf, 30000);
	if (write(file, buf, 30000) != 30000)
		trouble("no file");
	TRY(sendfile(fd, file, &(off_t){ 0 }, 30000));
	send_alert(fd);
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
	meet();
	TRY(shutdown(fd, SHUT_WR));
	TRY(recv(fd, buf, 1, 0));
}

static void tls_peer(int fd)
{
	want(fd, 20000);
	give(fd, 20000);
	meet();
	tls_on(fd);
	meet();
	want(fd, 50000);
	give(fd, 50000);
	want(fd, 30000);
	take_alert(fd);
	meet();
	TRY(recv(fd, buf, 1, 0));
}

/* A name that nobody knows, one that is too long, and none. */
static void ulp_names(int fd)
{
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "nonesuch", 8));
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "a-name-that-is-far-too-long", 27));
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "", 0));
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, nowhere, 3));
	note_ulp(fd);
	give(fd, 20000);
}

/* The ULP without keys: plain data go on. */
static void tls_plain(int fd)
{
	TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 3));
	note_ulp(fd);
	give(fd, 20000);
	want(fd, 20000);
	meet();
	TRY(shutdown(fd, SHUT_WR));
	TRY(recv(fd, buf, 1, 0));
}

static void tls_plain_peer(int fd)
{
	want(fd, 20000);
	give(fd, 20000);
	meet();
	drain(fd);
}

/*
 * A socket that its application has flagged by our ULP, and that can't be in the card:
 * others see no ULP there.
 */
static void tls_flagged(int fd)
{
	int one = fresh();

	(void)fd;
	flag(one);
	meet();
	TRY(setsockopt(one, SOL_TCP, TCP_ULP, "tls", 3));
	flag(one);
	TRY(dial(one, 0));
	await_event('c');	/* its ULP is ours, in the card or not */
	give(one, 20000);
	set_int(one, SOL_SOCKET, SO_TIMESTAMP, 1);
	want(one, 20000);
	TRY(setsockopt(one, SOL_TCP, TCP_ULP, "tls", 3));
	note_ulp(one);
	TRY(setsockopt(one, SOL_TCP, TCP_ULP, "tls", 3));
	tls_keys(one, true);
	tls_keys(one, false);
	meet();
	give(one, 20000);
	want(one, 20000);
	close(one);
}

static void tls_flagged_peer(int fd)
{
	int one = accepted();

	(void)fd;
	want(one, 20000);
	give(one, 20000);
	tls_on(one);
	meet();
	want(one, 20000);
	give(one, 20000);
	TRY(recv(one, buf, 1, 0));
	close(one);
}

const struct scenario tls_table[] = {
	{ "tls", tls, tls_peer, RECALLS, "sockopt", 0, "TCP_ULP tls" },
	{ "tls_accepted", tls, tls_peer, RECALLS, "sockopt", PASSIVE | V6, "TCP_ULP tls" },
	{ "tls_plain", tls_plain, tls_plain_peer, RECALLS, "sockopt", 0,
	  "TCP_ULP tls without keys" },
	{ "tls_flagged", tls_flagged, tls_flagged_peer, RECALLS, "tstamp", NOCONN,
	  "TCP_ULP tls, flagged by TCP_ULP toe" },
	{ "ulp_names", ulp_names, NULL, RECALLS, "sockopt", 0, "TCP_ULP, wrong names" },
	{ }
};
