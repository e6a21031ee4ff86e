// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: what options do, beyond being set.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tables.h"

static char buf[100000];

static void cork(int fd)
{
	struct timespec now;

	set_int(fd, SOL_TCP, TCP_CORK, 1);
	fill(buf, 2000);
	clock_gettime(CLOCK_MONOTONIC, &now);
	TRY(send(fd, buf, 100, 0));
	TRY(send(fd, buf + 100, 100, 0));
	note_held(unsent(fd), 200, &now);
	set_int(fd, SOL_TCP, TCP_CORK, 0);
	AWAIT(!unacked(fd));
	meet();
	/* Whoever doesn't uncork waits 200 ms; TCP_NODELAY pushes at once. */
	set_int(fd, SOL_TCP, TCP_CORK, 1);
	TRY(send(fd, buf + 200, 100, 0));
	set_int(fd, SOL_TCP, TCP_NODELAY, 1);
	AWAIT(!unsent(fd));
	NOTE(fd, SOL_TCP, TCP_CORK);
	meet();
	TRY(send(fd, buf + 300, 100, 0));
	TRY(shutdown(fd, SHUT_WR));
	meet();
}

static void cork_peer(int fd)
{
	want(fd, 200);
	meet();
	want(fd, 100);
	meet();
	want(fd, 100);
	drain(fd);
	meet();
}

static void quickack(int fd)
{
	int i;

	for (i = 0; i < 2; i++) {
		set_int(fd, SOL_TCP, TCP_QUICKACK, i);
		want(fd, 20000);
		give(fd, 20000);
	}
	meet();
}

/* Not noted: how often depends on how the bytes come. */
static void set_quickack(int fd)
{
	int one = 1;

	if (setsockopt(fd, SOL_TCP, TCP_QUICKACK, &one, sizeof(one)))
		trouble("TCP_QUICKACK");
}

/* By now: the card is asked, and the system's counter told. */
static long delayed_acks(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
		trouble("TCP_INFO");
	return netstat("DelayedACKs");
}

/* Write, write, read with Nagle at the other end: each round waits for an acknowledgment
 * of the first write. Where none is sent at once each takes the 40 ms of the timer or
 * more, and the timer sends one for each. On a busy machine most rounds may take that
 * long, and many wait for the timer since this thread doesn't run; not both.
 */
static void quickack_nagle(int fd)
{
	struct timespec from;
	int i, n, got, quick = 0;
	long before;

	for (i = 0; i < 30; i++) {	/* out of those at a connection's beginning */
		want(fd, 20);
		give(fd, 1);
	}
	before = delayed_acks(fd);
	for (i = 0; i < 40; i++) {
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (n = 0; n < 20; ) {
			set_quickack(fd);
			got = recv(fd, buf, 20 - n, 0);
			if (got <= 0)
				trouble("recv");
			n += got;
		}
		quick += ms_since(&from) < 35;
		give(fd, 1);
	}
	say("each round waits for the timer: %d",
	    quick < 8 && delayed_acks(fd) - before >= 35);
	meet();
}

static void quickack_nagle_peer(int fd)
{
	int i;

	for (i = 0; i < 70; i++) {
		give(fd, 10);
		give(fd, 10);
		want(fd, 1);
	}
	meet();
}

static void quickack_peer(int fd)
{
	int i;

	for (i = 0; i < 2; i++) {
		give(fd, 20000);
		want(fd, 20000);
	}
	meet();
}

/* With a limit on what isn't sent, poll says no long before the buffer is full. */
static void notsent_lowat(int fd)
{
	struct pollfd p;
	int one = fresh();
	long total;

	(void)fd;
	small_buffers(one);
	set_int(one, SOL_TCP, TCP_NOTSENT_LOWAT, 8192);
	meet();
	TRY(dial(one, 0));
	await_card(one);
	p = (struct pollfd){ one, POLLOUT, 0 };
	TRY(poll(&p, 1, 0));
	total = stuff(one);
	say("something is not sent: %d", unsent(one) > 0);
	TRY(poll(&p, 1, 0));
	meet();
	send_value(total);
	TRY(poll(&p, 1, 20000));
	AWAIT(!unacked(one));
	TRY(poll(&p, 1, 0));
	close(one);
}

static void notsent_peer(int fd)
{
	int listener = listen_at(0, 8), one;
	long total;

	(void)fd;
	set_int(listener, SOL_SOCKET, SO_RCVBUF, 32768);
	meet();
	one = accept(listener, NULL, NULL);
	meet();
	for (total = other_value(); total > 0; total -= recv(one, buf, 4096, 0))
		;
	say("left %ld", total);
	drain(one);
	close(one);
}

/* Probes go out and are answered: nobody is given up. */
static void keepalive(int fd)
{
	set_int(fd, SOL_TCP, TCP_KEEPIDLE, 1);
	set_int(fd, SOL_TCP, TCP_KEEPINTVL, 1);
	set_int(fd, SOL_TCP, TCP_KEEPCNT, 2);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	await_card(fd);
	TRY(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 4000));
	give(fd, 5);
	want(fd, 5);
	NOTE(fd, SOL_SOCKET, SO_ERROR);
	meet();
}

static void keepalive_peer(int fd)
{
	want(fd, 5);
	give(fd, 5);
	meet();
}

static void congestion(int fd)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	TRY(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	say("%s (%u)", name, len);
	TRY(setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	await_card(fd);
	give(fd, 100000);
	len = sizeof(name);
	TRY(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	say("%s (%u)", name, len);
	TRY(setsockopt(fd, SOL_TCP, TCP_CONGESTION, "nonesuch", 8));
	len = 2;
	TRY(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	TRY(setsockopt(fd, SOL_TCP, TCP_CONGESTION, "cubic", 5));
	await_card(fd);
	give(fd, 100000);
}

static void info(int fd)
{
	struct tcp_info i = {};
	socklen_t len = sizeof(i);

	give(fd, 50000);
	want(fd, 50000);
	meet();
	AWAIT(!unacked(fd));
	TRY(getsockopt(fd, SOL_TCP, TCP_INFO, &i, &len));
	say("state %u ca %u retransmits %u probes %u backoff %u options %x", i.tcpi_state,
	    i.tcpi_ca_state, i.tcpi_retransmits, i.tcpi_probes, i.tcpi_backoff,
	    i.tcpi_options);
	say("scales %u %u fastopen %u", i.tcpi_snd_wscale, i.tcpi_rcv_wscale,
	    i.tcpi_fastopen_client_fail);
	say("mss %u advmss %u pmtu %u", i.tcpi_snd_mss, i.tcpi_advmss, i.tcpi_pmtu);
	say("unacked %u sacked %u lost %u retrans %u fackets %u", i.tcpi_unacked,
	    i.tcpi_sacked, i.tcpi_lost, i.tcpi_retrans, i.tcpi_fackets);
	/* A slow peer gets something twice now and then, from either. */
	say("acked %llu received %llu sent once %llu notsent %u",
	    (unsigned long long)i.tcpi_bytes_acked,
	    (unsigned long long)i.tcpi_bytes_received,
	    (unsigned long long)(i.tcpi_bytes_sent - i.tcpi_bytes_retrans),
	    i.tcpi_notsent_bytes);
	say("retransmissions have bytes: %d", !i.tcpi_total_retrans == !i.tcpi_bytes_retrans);
	say("max pacing %llx ce %u", (unsigned long long)i.tcpi_max_pacing_rate,
	    i.tcpi_delivered_ce);
	if (!i.tcpi_total_retrans && (i.tcpi_reordering != 3 || i.tcpi_reord_seen))
		say("reordering %u reord_seen %u", i.tcpi_reordering, i.tcpi_reord_seen);
	say("there is: rto %d ato %d rtt %d var %d min_rtt %d cwnd %d ssthresh %d",
	    i.tcpi_rto > 0, i.tcpi_ato > 0, i.tcpi_rtt > 0, i.tcpi_rttvar > 0,
	    i.tcpi_min_rtt > 0, i.tcpi_snd_cwnd >= 10, i.tcpi_snd_ssthresh > 0);
	/* The busy time is in ticks, and may be none: see stats_info. */
	say("there are: segments %d %d data %d %d delivered %d wnd %d",
	    i.tcpi_segs_in > 0, i.tcpi_segs_out > 0, i.tcpi_data_segs_in > 0,
	    i.tcpi_data_segs_out > 0, i.tcpi_delivered > 0, i.tcpi_snd_wnd > 0);
	say("there is: pacing %d rcv_rtt %d rcv_space %d rcv_ssthresh %d rcv_mss %d",
	    i.tcpi_pacing_rate > 0 && i.tcpi_pacing_rate < ~0ULL, i.tcpi_rcv_rtt > 0,
	    i.tcpi_rcv_space > 0, i.tcpi_rcv_ssthresh > 0, i.tcpi_rcv_mss >= 536);
	len = 8;
	TRY(getsockopt(fd, SOL_TCP, TCP_INFO, &i, &len));
	say("length %u", len);
	len = 0;
	TRY(getsockopt(fd, SOL_TCP, TCP_INFO, NULL, &len));
	len = 100000;
	TRY(getsockopt(fd, SOL_TCP, TCP_INFO, buf, &len));
	TRY(getsockopt(fd, SOL_TCP, TCP_INFO, nowhere, &len));
	len = -1;
	TRY(getsockopt(fd, SOL_TCP, TCP_INFO, buf, &len));
	len = sizeof(buf);
	TRY(getsockopt(fd, SOL_TCP, TCP_CC_INFO, buf, &len));
	say("cc length %u", len);
	meet();
}

static void info_peer(int fd)
{
	want(fd, 50000);
	give(fd, 50000);
	meet();
	meet();
}

/* Into repair mode, its values, and out of it: the connection goes on. */
static void repair(int fd)
{
	struct tcp_repair_window wnd;
	socklen_t len = sizeof(wnd);
	int on = 1, off = TCP_REPAIR_OFF, queue;

	give(fd, 1000);
	AWAIT(!unacked(fd));
	TRY(setsockopt(fd, SOL_TCP, TCP_REPAIR, &on, sizeof(on)));
	NOTE(fd, SOL_TCP, TCP_REPAIR);
	for (queue = TCP_RECV_QUEUE; queue <= TCP_SEND_QUEUE; queue++) {
		TRY(setsockopt(fd, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)));
		NOTE(fd, SOL_TCP, TCP_REPAIR_QUEUE);
		TRY(setsockopt(fd, SOL_TCP, TCP_QUEUE_SEQ, &queue, sizeof(queue)));
	}
	TRY(getsockopt(fd, SOL_TCP, TCP_REPAIR_WINDOW, &wnd, &len));
	say("windows %d %d", wnd.snd_wnd > 0, wnd.rcv_wnd > 0);
	meet();
	nap(300);
	TRY(setsockopt(fd, SOL_TCP, TCP_REPAIR, &off, sizeof(off)));
	NOTE(fd, SOL_TCP, TCP_REPAIR);
	want(fd, 1000);
	give(fd, 1000);
}

static void repair_peer(int fd)
{
	want(fd, 1000);
	meet();
	give(fd, 1000);
	drain(fd);
}

static void md5_key(int fd, const char *ip)
{
	struct tcp_md5sig md5 = { .tcpm_keylen = 6, .tcpm_key = "secret" };
	struct sockaddr_in *at = (void *)&md5.tcpm_addr;

	at->sin_family = AF_INET;
	inet_pton(AF_INET, ip, &at->sin_addr);
	TRY(setsockopt(fd, SOL_TCP, TCP_MD5SIG, &md5, sizeof(md5)));
}

/* A key in mid-life: from then on segments carry signatures. */
static void md5_live(int fd)
{
	give(fd, 1000);
	AWAIT(!unacked(fd));
	meet();
	md5_key(fd, run.peer_ip);
	meet();
	give(fd, 30000);
	AWAIT(!unacked(fd));
	want(fd, 1000);
	meet();
}

static void md5_live_peer(int fd)
{
	want(fd, 1000);
	meet();
	md5_key(fd, run.toe_ip);
	meet();
	want(fd, 30000);
	give(fd, 1000);
	meet();
}

static void md5_first(int fd)
{
	int one = fresh();

	(void)fd;
	md5_key(one, run.peer_ip);
	meet();
	TRY(dial(one, 0));
	await_event('n');
	give(one, 30000);
	TRY(shutdown(one, SHUT_WR));
	TRY(recv(one, buf, 1, 0));
	close(one);
}

static void md5_first_peer(int fd)
{
	int listener = listen_at(0, 8), one;

	(void)fd;
	md5_key(listener, run.toe_ip);
	meet();
	one = accept(listener, NULL, NULL);
	drain(one);
	close(one);
}

static void txtime(int fd)
{
	struct { int clock; unsigned int flags; } txtime = { 1, 0 };
	socklen_t len = sizeof(txtime);

	TRY(setsockopt(fd, SOL_SOCKET, SO_TXTIME, &txtime, sizeof(txtime)));
	TRY(getsockopt(fd, SOL_SOCKET, SO_TXTIME, &txtime, &len));
	say("clock %d flags %u", txtime.clock, txtime.flags);
	is_native(fd);
	give(fd, 30000);
}

/* The stack says when a byte was scheduled, sent and acknowledged. */
static void timestamping(int fd)
{
	int i;

	set_int(fd, SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_SOFTWARE |
		SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_TX_SCHED |
		SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_SOFTWARE |
		SOF_TIMESTAMPING_OPT_TSONLY);
	is_native(fd);
	TRY(send(fd, "0123456789", 10, 0));
	for (i = 0; i < 3; i++) {
		char control[512];
		struct msghdr msg = { .msg_control = control };
		struct cmsghdr *c;

		msg.msg_controllen = sizeof(control);
		if (!AWAIT(poll(&(struct pollfd){ fd, 0, 0 }, 1, 0) == 1))
			return;
		TRY(recvmsg(fd, &msg, MSG_ERRQUEUE));
		for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			say("control %d %d", c->cmsg_level, c->cmsg_type);
	}
}

/* Not faster than that, whoever sends. */
static void pacing(int fd)
{
	struct timespec now;

	give(fd, 100000);
	AWAIT(!unacked(fd));
	set_int(fd, SOL_SOCKET, SO_MAX_PACING_RATE, 400000);
	clock_gettime(CLOCK_MONOTONIC, &now);
	give(fd, 600000);
	AWAIT(!unacked(fd));
	say("600000 bytes in a second: %d", ms_since(&now) < 1000);
	await_native(fd);
	NOTE(fd, SOL_SOCKET, SO_MAX_PACING_RATE);
}

static void bind_device(int fd)
{
	char name[IFNAMSIZ] = "";
	const char *card = getenv("TOE_IF") ?: "toe0";
	socklen_t len = sizeof(name);

	TRY(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	TRY(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, card, strlen(card)));
	give(fd, 30000);
	AWAIT(!unacked(fd));
	TRY(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "nonesuch", 8));
	TRY(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	give(fd, 30000);
}

/* A small window by the application's own wish. */
static void window_clamp(int fd)
{
	set_int(fd, SOL_TCP, TCP_WINDOW_CLAMP, 8192);
	want(fd, 200000);
	meet();
}

static void window_clamp_peer(int fd)
{
	give(fd, 200000);
	meet();
}

const struct scenario behave_table[] = {
	{ "cork", cork, cork_peer, RECALLS, "shutdown", 0, "TCP_CORK with data" },
	{ "quickack", quickack, quickack_peer, CARRIED, NULL, 0, "TCP_QUICKACK" },
	{ "quickack_nagle", quickack_nagle, quickack_nagle_peer, CARRIED, NULL, 0,
	  "TCP_QUICKACK, the peer waits for it" },
	{ "notsent_lowat", notsent_lowat, notsent_peer, CARRIED, NULL, NOCONN,
	  "TCP_NOTSENT_LOWAT with data" },
	{ "keepalive", keepalive, keepalive_peer, CARRIED, NULL, 0,
	  "SO_KEEPALIVE, answered probes" },
	{ "congestion", congestion, NULL, RECALLS, "sockopt", 0, "TCP_CONGESTION" },
	{ "info", info, info_peer, CARRIED, NULL, 0, "TCP_INFO, TCP_CC_INFO" },
	{ "info_accepted", info, info_peer, CARRIED, NULL, PASSIVE | V6, "TCP_INFO" },
	{ "repair", repair, repair_peer, RECALLS, "sockopt", 0, "TCP_REPAIR" },
	{ "md5_live", md5_live, md5_live_peer, RECALLS, "sockopt", 0, "TCP_MD5SIG" },
	{ "md5_first", md5_first, md5_first_peer, NATIVE, "auth", NOCONN,
	  "TCP_MD5SIG before connect" },
	{ "txtime", txtime, NULL, RECALLS, "sockopt", 0, "SO_TXTIME" },
	{ "pacing", pacing, NULL, RECALLS, "sockopt", 0, "SO_MAX_PACING_RATE, kept" },
	{ "timestamping", timestamping, NULL, RECALLS, "tstamp", 0,
	  "SO_TIMESTAMPING, sends" },
	{ "bind_device", bind_device, NULL, CARRIED, NULL, 0, "SO_BINDTODEVICE" },
	{ "window_clamp", window_clamp, window_clamp_peer, CARRIED, NULL, 0,
	  "TCP_WINDOW_CLAMP with data" },
	{ }
};
