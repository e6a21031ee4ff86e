// SPDX-License-Identifier: GPL-2.0
/*
 * toe_xfer: the life of one connection, the same for client and server.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "xfer.h"

void fail(struct conn *c, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&c->lock);
	if (!c->failed) {
		va_start(ap, fmt);
		vsnprintf(c->why, sizeof(c->why), fmt, ap);
		va_end(ap);
	}
	c->failed = true;
	c->stop = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static bool resets(const struct conn *c)
{
	return c->job.order == (c->client ? ORDER_RST_CLIENT : ORDER_RST_SERVER);
}

static bool expects_reset(const struct conn *c)
{
	return c->job.order == (c->client ? ORDER_RST_SERVER : ORDER_RST_CLIENT);
}

/* Is this error how the connection was meant to end? */
static bool reset_is_fine(const struct conn *c, int err)
{
	return (err == ECONNRESET || err == EPIPE) &&
	       (expects_reset(c) || opt.aborts_ok);
}

static void set_flag(struct conn *c, bool *flag)
{
	pthread_mutex_lock(&c->lock);
	*flag = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static void wait_flag(struct conn *c, const bool *flag)
{
	pthread_mutex_lock(&c->lock);
	while (!*flag && !c->stop)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

static size_t pick_len(uint64_t *state, bool mixed)
{
	if (!mixed)
		return CHUNK_MAX / 2;
	switch (rnd(state) % 4) {
	case 0:
		return 1 + rnd(state) % 16;
	case 1:
		return 1 + rnd(state) % 3000;
	default:
		return 1 + rnd(state) % CHUNK_MAX;
	}
}

static void keep_rate(const struct conn *c, double since, uint64_t done)
{
	double ahead;

	if (!c->job.rate || hurry)
		return;
	ahead = (double)done / c->job.rate - (now() - since);
	if (ahead > 0.001)
		sleep_ms(ahead * 1000);
}

/* Does the act that was asked for, once, when its offset has been sent. */
static bool act(struct conn *c, bool *done)
{
	if (!opt.act || *done || c->sent < opt.act_at)
		return true;
	*done = true;
	if (!act_on(c, opt.act))
		return true;
	fail(c, "%s at %llu: %s", opt.act, (unsigned long long)c->sent,
	     strerror(errno));
	return false;
}

/* Is there more to be sent, with @end as the last offset or, until hurried, the least? */
static bool goes_on(const struct conn *c, uint64_t end)
{
	return c->sent < end || (c->job.stay && !hurry);
}

/* Sends the stream up to offset @end.  False: it is over, for good or bad. */
static bool send_until(struct conn *c, uint8_t *buf, uint64_t end, double since)
{
	/* Many slow connections aren't to wake a slow machine all the time. */
	size_t pace = c->job.rate / (c->job.rate < 65536 ? 4 : 20) + 1;
	uint64_t seed = tx_seed(c);
	bool acted = false;

	while (goes_on(c, end) && !c->stop) {
		size_t len = pick_len(&c->rng_tx, c->job.mixed);
		io_fn tx = io_pick_tx(&c->rng_tx, c->job.mixed);
		ssize_t n;

		if (!act(c, &acted))
			return false;
		if (c->job.rate && len > pace)
			len = pace;
		if (c->sent < end && len > end - c->sent)
			len = end - c->sent;
		if (c->job.order == ORDER_RST_CLIENT || c->job.order == ORDER_RST_SERVER)
			tx = tx_poll;	/* returns when told to stop */
		stream_fill(buf, seed, c->sent, len);
		n = tx(c, buf, len);
		if (n < 0) {
			if (errno == EINTR || c->stop)
				continue;
			if (reset_is_fine(c, errno))
				set_flag(c, &c->reset_seen);
			else
				fail(c, "send at %llu: %s",
				     (unsigned long long)c->sent, strerror(errno));
			return false;
		}
		pthread_mutex_lock(&c->lock);
		c->sent += n;
		pthread_mutex_unlock(&c->lock);
		keep_rate(c, since, c->sent);
	}
	return !c->stop;
}

/* Takes TCP_INFO while the connection is still whole. */
static void snapshot(struct conn *c)
{
	socklen_t len = sizeof(c->info);
	int tries, left = 0;

	wait_flag(c, &c->rx_all);
	for (tries = 0; tries < 500 && !c->stop; tries++) {
		if (ioctl(c->fd, SIOCOUTQ, &left) || !left)
			break;
		sleep_ms(10);
	}
	if (c->stop || getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &c->info, &len))
		return;
	len = sizeof(c->ulp) - 1;
	if (getsockopt(c->fd, IPPROTO_TCP, TCP_ULP, c->ulp, &len))
		c->ulp[0] = 0;
	c->have_info = true;
}

static void *tx_main(void *arg)
{
	struct conn *c = arg;
	uint64_t total = tx_total(c), late = 0;
	uint8_t *buf = malloc(CHUNK_MAX);
	double since = now();
	int on = 1;

	setsockopt(c->fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on));
	if (c->job.order == (c->client ? ORDER_SERVER_FIRST : ORDER_CLIENT_FIRST))
		late = c->job.late < total ? c->job.late : total;
	if (!send_until(c, buf, total - late, since))
		goto out;
	if (late) {
		wait_flag(c, &c->eof);
		if (!send_until(c, buf, total, since))
			goto out;
	}
	set_flag(c, &c->tx_done);
	switch (c->job.order) {
	case ORDER_BOTH:
	case ORDER_CLIENT_FIRST:
	case ORDER_SERVER_FIRST:
		/* A snapshot needs all bytes of both directions, before our FIN. */
		if (c->job.order == ORDER_BOTH && rx_total(c) == 0)
			snapshot(c);
		if (shutdown(c->fd, SHUT_WR) && !c->stop && !opt.aborts_ok)
			fail(c, "shutdown: %s", strerror(errno));
		break;
	default:
		snapshot(c);
	}
out:
	free(buf);
	return NULL;
}

static bool check_bytes(struct conn *c, const uint8_t *buf, uint8_t *want, size_t len)
{
	uint64_t seed = rx_seed(c);
	long long from;
	size_t i;

	if (c->received + len > rx_total(c) && !c->job.stay) {
		fail(c, "%llu bytes too many", (unsigned long long)
		     (c->received + len - rx_total(c)));
		return false;
	}
	stream_fill(want, seed, c->received, len);
	if (!memcmp(buf, want, len))
		return true;
	for (i = 0; buf[i] == want[i]; i++)
		;
	from = stream_find(buf + i, len - i, seed, c->received + i, 1 << 20);
	if (from >= 0)
		fail(c, "byte %llu wrong: %zu bytes from there on belong to %lld",
		     (unsigned long long)(c->received + i), len - i, from);
	else
		fail(c, "byte %llu wrong: 0x%02x instead of 0x%02x, %zu more in this read",
		     (unsigned long long)(c->received + i), buf[i], want[i], len - i - 1);
	return false;
}

/* Returns when the peer has closed, something failed or it is time to reset. */
static void rx_main(struct conn *c)
{
	uint32_t pause = c->client ? PAUSE_CLIENT : PAUSE_SERVER;
	uint8_t *buf = malloc(CHUNK_MAX), *want = malloc(CHUNK_MAX);
	bool paused = !(c->job.pause_who & pause);
	ssize_t n;

	while (!c->stop) {
		size_t len = pick_len(&c->rng_rx, c->job.mixed);
		io_fn rx = io_pick_rx(&c->rng_rx, c->job.mixed);

		if (!paused && c->received >= c->job.pause_at) {
			linger_ms(c->job.pause_ms);
			paused = true;
		}
		if (resets(c) && c->received >= c->job.rst_at)
			break;
		if (c->received == rx_total(c) && !c->rx_all && !c->job.stay) {
			set_flag(c, &c->rx_all);
			/* With close-… orders the end that closes stops here. */
			if (c->job.order == (c->client ? ORDER_CLOSE_CLIENT : ORDER_CLOSE_SERVER))
				break;
		}
		n = rx(c, buf, len);
		/* In repair mode the queue is not for readers, for a moment. */
		if (n < 0 && (errno == EINTR ||
			      (errno == EPERM && opt.act && !strcmp(opt.act, "repair"))))
			continue;
		if (n < 0 && reset_is_fine(c, errno)) {
			set_flag(c, &c->reset_seen);
			break;
		}
		if (n < 0) {
			fail(c, "recv at %llu: %s", (unsigned long long)c->received,
			     strerror(errno));
			break;
		}
		if (!n) {
			set_flag(c, &c->eof);
			break;
		}
		if (!check_bytes(c, buf, want, n))
			break;
		pthread_mutex_lock(&c->lock);
		c->received += n;
		pthread_mutex_unlock(&c->lock);
	}
	free(buf);
	free(want);
}

static void finish(struct conn *c)
{
	struct linger linger = { 1, 0 };

	if (resets(c)) {
		set_flag(c, &c->stop);
		pthread_join(c->tx_thread, NULL);
		if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
			fail(c, "SO_LINGER: %s", strerror(errno));
	} else {
		if (c->reset_seen || c->failed)
			set_flag(c, &c->stop);
		/* A send that blocks for ever after a failure must not hold us. */
		if (c->failed)
			shutdown(c->fd, SHUT_RDWR);
		pthread_join(c->tx_thread, NULL);
		if (c->failed || c->reset_seen)
			;
		else if (expects_reset(c))
			fail(c, "a reset was expected after %llu bytes, but none came",
			     (unsigned long long)c->received);
		else if ((c->job.stay ? c->received < rx_total(c) :
					c->received != rx_total(c)) && !opt.aborts_ok)
			fail(c, "closed after %llu of %llu bytes",
			     (unsigned long long)c->received,
			     (unsigned long long)rx_total(c));
		if (c->client && opt.hold_ms && !c->failed)
			linger_ms(opt.hold_ms);
	}
	close(c->fd);
	c->fd = -1;
	if (opt.verbose)
		fprintf(stderr, "%u %s: sent %llu received %llu %s %s\n", c->job.index,
			order_names[c->job.order], (unsigned long long)c->sent,
			(unsigned long long)c->received,
			c->failed ? "FAILED" : "ok", c->why);
}

static void set_ulp(struct conn *c)
{
	if (opt.ulp && setsockopt(c->fd, IPPROTO_TCP, TCP_ULP, "toe", 3))
		fail(c, "TCP_ULP toe: %s", strerror(errno));
}

void conn_run(struct conn *c)
{
	c->rng_tx = tx_seed(c);
	c->rng_rx = rx_seed(c);
	set_ulp(c);
	if (pthread_create(&c->tx_thread, NULL, tx_main, c))
		die("no threads");
	rx_main(c);
	finish(c);
}
