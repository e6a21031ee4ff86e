/* SPDX-License-Identifier: GPL-2.0 */
/*
 * toe_xfer: what its parts share.
 */
#ifndef TOE_XFER_H
#define TOE_XFER_H

#include <linux/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>
#include "stream.h"

#ifndef TCP_ULP
#define TCP_ULP 31
#endif

#define CHUNK_MAX	131072
#define CONNS_MAX	4096
#define JOB_MAGIC	0x4a454f54	/* "TOEJ" */

/* Who ends the connection, and how. */
enum order {
	ORDER_BOTH,		/* each end shuts down once it has sent all */
	ORDER_CLIENT_FIRST,	/* the server sends its last part after the client's FIN */
	ORDER_SERVER_FIRST,	/* the mirror */
	ORDER_CLOSE_CLIENT,	/* the client closes when everything has arrived */
	ORDER_CLOSE_SERVER,
	ORDER_RST_CLIENT,	/* the client resets in mid-transfer */
	ORDER_RST_SERVER,
	ORDERS,
	ORDER_RANDOM = ORDERS,	/* any that does not reset */
};

extern const char * const order_names[];

#define PAUSE_CLIENT	1
#define PAUSE_SERVER	2

#define MIXED_ALL	1	/* every kind of call */
#define MIXED_ZEROCOPY	2	/* each send is a MSG_ZEROCOPY that waits for its completion */

/* What a connection is to do; its first bytes, sent by the client. */
struct job {
	uint32_t magic;
	uint32_t index;
	uint64_t seed;
	uint64_t up;		/* payload bytes, client to server */
	uint64_t down;		/* payload bytes, server to client */
	uint64_t late;		/* how many of them after the other end's FIN */
	uint64_t rst_at;	/* bytes received when the resetting end resets */
	uint64_t rate;		/* bytes per second and direction; 0: no limit */
	uint64_t pause_at;	/* bytes received when a reader pauses */
	uint32_t pause_ms;
	uint32_t pause_who;	/* PAUSE_* */
	uint32_t order;
	uint32_t mixed;		/* MIXED_*: not just send() and recv() */
	uint32_t stay;		/* up and down are the least; both ends go on until hurried */
	uint32_t unused;
};

struct conn {
	int fd;
	bool client;
	struct job job;
	uint64_t rng_tx, rng_rx;
	pthread_t thread, tx_thread;
	pthread_mutex_t lock;	/* protects what follows */
	pthread_cond_t changed;
	uint64_t sent, received;
	bool tx_done, rx_all, eof, stop, reset_seen, failed;
	char why[200];
	bool have_info;
	struct tcp_info info;	/* when all had been sent, acknowledged and received */
	char ulp[16];
};

struct options {
	bool server;
	const char *to, *bind;
	char port[8];
	unsigned int conns, hold_ms, timeout, retry_s;
	uint64_t seed, up[2], down[2];
	bool ulp, aborts_ok, verbose;
	int rcvbuf;
	const char *act;	/* what to do at act_at bytes sent */
	uint64_t act_at;
	struct job job;
};

extern struct options opt;
extern volatile sig_atomic_t hurry;	/* SIGUSR1: no more --rate, the end of --stay */

static inline uint64_t rnd(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15ull;
	return stream_mix(*state);
}

/* Each direction has a seed of its own: an echo is not mistaken for an answer. */
static inline uint64_t tx_seed(const struct conn *c)
{
	return stream_mix(c->job.seed * 2 + c->client);
}

static inline uint64_t rx_seed(const struct conn *c)
{
	return stream_mix(c->job.seed * 2 + !c->client);
}

static inline uint64_t tx_total(const struct conn *c)
{
	return c->client ? c->job.up : c->job.down;
}

static inline uint64_t rx_total(const struct conn *c)
{
	return c->client ? c->job.down : c->job.up;
}

/* toe_xfer.c */
double now(void);
void sleep_ms(unsigned int ms);
void linger_ms(unsigned int ms);
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...);

/* xfer_conn.c */
void __attribute__((format(printf, 2, 3))) fail(struct conn *c, const char *fmt, ...);
void conn_run(struct conn *c);

/* xfer_io.c: all answer as send(2) and recv(2) do */
typedef ssize_t (*io_fn)(struct conn *c, uint8_t *buf, size_t len);
io_fn io_pick_tx(uint64_t *state, uint32_t mixed);
io_fn io_pick_rx(uint64_t *state, uint32_t mixed);
ssize_t tx_poll(struct conn *c, uint8_t *buf, size_t len);

/* xfer_act.c */
int act_on(struct conn *c, const char *name);

#endif /* TOE_XFER_H */
