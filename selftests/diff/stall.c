// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: a peer that doesn't answer, and what an administrator has set for that.
 */
#define _GNU_SOURCE
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tables.h"

/* Returns what it was. */
static int sysctl(const char *name, int value)
{
	char path[80];
	int old = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", name);
	f = fopen(path, "r+");
	if (!f || fscanf(f, "%d", &old) != 1)
		trouble("%s can't be read", name);
	if (f) {
		rewind(f);
		fprintf(f, "%d\n", value);
		if (fclose(f))
			trouble("%s can't be set", name);
	}
	return old;
}

/* From here on the socket hears nothing that is longer than @most, header included. */
static void hear_up_to(int fd, unsigned int most)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, most, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, -1U),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)))
		trouble("no filter");
}

static void talk(int fd)
{
	give(fd, 1000);
	want(fd, 1000);
	AWAIT(!unacked(fd));
}

/* What is sent now isn't heard; when is the application told, and what? */
static void told(int fd, int least, int limit)
{
	struct timespec from;
	int err = 0;
	socklen_t len = sizeof(err);

	meet();
	meet();
	clock_gettime(CLOCK_MONOTONIC, &from);	/* this thread may lose the processor */
	give(fd, 100);
	TRY(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 60000 * run.slow));
	say("after %d s: %d", least, ms_since(&from) >= least * 1000);
	say("within %d s: %d", limit, ms_since(&from) < limit * 1000 * run.slow);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	say("%s", strerrorname_np(err) ?: "nothing");
}

static void timeout_in_flight(int fd)
{
	set_int(fd, SOL_TCP, TCP_USER_TIMEOUT, 3000);
	talk(fd);
	await_card(fd);
	told(fd, 3, 9);
	meet();
}

static void silent_peer(int fd)
{
	want(fd, 1000);
	give(fd, 1000);
	meet();
	hear_up_to(fd, 0);
	meet();
	meet();
}

static void retries2(int fd)
{
	int old = sysctl("tcp_retries2", 4);

	talk(fd);
	await_card(fd);
	told(fd, 6, 20);
	sysctl("tcp_retries2", old);
	meet();
}

/* Whoever probes has a smaller segment in flight after a few seconds. */
static void mtu_probing(int fd)
{
	int old = sysctl("tcp_mtu_probing", 1);
	struct timespec from;

	talk(fd);
	await_card(fd);
	meet();
	meet();
	clock_gettime(CLOCK_MONOTONIC, &from);
	give(fd, 30000);
	want(fd, 10);
	say("within 30 s: %d", ms_since(&from) < 30000 * run.slow);
	sysctl("tcp_mtu_probing", old);
	meet();
}

static void gro(int on)
{
	struct ethtool_value set = { ETHTOOL_SGRO, on };
	struct ifreq ifr = { .ifr_data = (void *)&set };
	int fd = fresh();

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", getenv("TOE_IF"));
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		trouble("no GRO of %s", ifr.ifr_name);
	close(fd);
}

static void narrow_peer(int fd)
{
	want(fd, 1000);
	give(fd, 1000);
	meet();
	gro(0);
	hear_up_to(fd, 1200);
	meet();
	want(fd, 30000);
	give(fd, 10);
	gro(1);
	meet();
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len);
	return info;
}

/* How often was the same byte sent? */
static int resent(int fd)
{
	return info_of(fd).tcpi_total_retrans;
}

static void thin(int fd)
{
	int before, i;

	set_int(fd, SOL_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1);
	/* beyond the first slow start, which counts as not thin */
	for (i = 0; i < 60; i++) {
		give(fd, 1400);
		want(fd, 1400);
	}
	AWAIT(!unacked(fd));
	await_card(fd);
	meet();
	meet();
	before = resent(fd);
	give(fd, 100);
	/* 0.2, 0.4, 0.6 ... s; doubling it is 0.2, 0.6, 1.4, 3.0 */
	nap(2600);
	say("more than 6 times in 2.6 s: %d", resent(fd) - before > 6);
	meet();
}

static void thin_peer(int fd)
{
	int i;

	for (i = 0; i < 60; i++) {
		want(fd, 1400);
		give(fd, 1400);
	}
	meet();
	hear_up_to(fd, 0);
	meet();
	meet();
}

static unsigned int cwnd(int fd)
{
	return info_of(fd).tcpi_snd_cwnd;
}

static void idle_restart(int fd)
{
	int old = sysctl("tcp_slow_start_after_idle", 0);
	unsigned int grown;

	await_card(fd);
	give(fd, 1000000);
	want(fd, 1);
	grown = cwnd(fd);
	nap(3000);
	give(fd, 1000);
	want(fd, 1);
	say("grown: %d, kept: %d", grown > 20, cwnd(fd) >= grown);
	sysctl("tcp_slow_start_after_idle", old);
	meet();
}

static void idle_restart_peer(int fd)
{
	want(fd, 1000000);
	give(fd, 1);
	want(fd, 1000);
	give(fd, 1);
	meet();
}

/* What only the stack can do: asked for in mid-life, and not any more. */
static void foreign(int fd)
{
	static const struct {
		const char *name;
		int value;
	} all[] = {
		{ "tcp_dsack", 0 }, { "tcp_early_retrans", 0 }, { "tcp_recovery", 0 },
		{ "tcp_frto", 0 }, { "tcp_mtu_probing", 2 }, { "tcp_shrink_window", 1 },
		{ "tcp_workaround_signed_windows", 1 }, { "tcp_min_rtt_wlen", 30 },
	};
	size_t i;
	int old;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		await_card(fd);
		old = sysctl(all[i].name, all[i].value);
		await_native(fd);
		give(fd, 100);
		want(fd, 100);
		sysctl(all[i].name, old);
	}
	await_card(fd);
	meet();
}

static void foreign_peer(int fd)
{
	int i;

	for (i = 0; i < 8; i++) {
		want(fd, 100);
		give(fd, 100);
	}
	meet();
}

/* Until nothing more comes: how much is there? */
static int await_shut(int fd, int ms)
{
	int n, before = -1;

	while ((n = queued(fd)) != before || !n) {
		before = n;
		nap(ms);
	}
	return n;
}

/* The window is shut, and somebody makes room who doesn't read. */
static void shut_grow(int fd)
{
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 16384);
	meet();
	say("shut before the message is there: %d", await_shut(fd, 1500) < 150000);
	set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
	AWAIT(queued(fd) >= 150000);
	want(fd, 300000);
	meet();
}

/* And who makes it small in mid-stream. */
static void shut_shrink(int fd)
{
	meet();
	await_shut(fd, 500);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, 1);
	want(fd, 300000);
	meet();
}

static void shut_peer(int fd)
{
	meet();
	give(fd, 300000);
	meet();
}

const struct scenario stall_table[] = {
	{ "timeout_in_flight", timeout_in_flight, silent_peer, RECALLS, "timeout", 0,
	  "TCP_USER_TIMEOUT, the peer is gone" },
	{ "retries2", retries2, silent_peer, RECALLS, "timeout", ALONE,
	  "net.ipv4.tcp_retries2, the peer is gone" },
	{ "mtu_probing", mtu_probing, narrow_peer, RECALLS, "timeout", ALONE,
	  "net.ipv4.tcp_mtu_probing, a black hole for large segments" },
	{ "thin", thin, thin_peer, RECALLS, "timeout", 0,
	  "TCP_THIN_LINEAR_TIMEOUTS, the peer is gone" },
	{ "idle_restart", idle_restart, idle_restart_peer, CARRIED, NULL, ALONE,
	  "net.ipv4.tcp_slow_start_after_idle" },
	{ "shut_grow", shut_grow, shut_peer, CARRIED, NULL, 0,
	  "SO_RCVBUF, larger while the window is shut" },
	{ "shut_shrink", shut_shrink, shut_peer, CARRIED, NULL, 0,
	  "SO_RCVBUF, small in mid-stream" },
	{ "sysctls", foreign, foreign_peer, RECALLS, "sysctl", ALONE,
	  "net.ipv4.tcp_* that only the stack does" },
	{ }
};
