/* SPDX-License-Identifier: GPL-2.0 */
/*
 * toe_diff: what an application sees of a socket, with offload off and on.
 *
 * A scenario is a function for our end of a connection and one for the peer's.
 * What they note makes the transcript; both runs have to give the same one.  So
 * nothing is noted that the kernel doesn't promise: no times, no sizes of reads
 * that depend on segmentation, no order between threads.
 */
#ifndef DIFF_H
#define DIFF_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

/**
 * enum how - what becomes of the connections of our end while the switch is on
 * @CARRIED: in the card from before the act to the closing
 * @RECALLS: in the card before the act, which calls at least one back
 * @NATIVE: never in the card
 */
enum how {
	CARRIED,
	RECALLS,
	NATIVE,
};

/* linux/tcp.h and netinet/tcp.h exclude one another; only one defines it. */
#ifndef SOL_TCP
#define SOL_TCP		6
#endif

#define PASSIVE		0x1	/* we accept, the peer connects */
#define NOCONN		0x2	/* the functions make their connections themselves */
#define ALONE		0x4	/* changes the machine: nothing runs beside it */
#define V6		0x8

/**
 * struct scenario - one comparison
 * @name: diff_<name> for users
 * @ours: with the card; gets the connection, or -1 with NOCONN
 * @peers: the other end; NULL: drains until the end and notes what came
 * @how: what is expected of the card
 * @why: reason of the recall or the refusal, as ethtool -S names it; may be NULL
 * @flags: see above
 * @calls: what it is about, for the list
 */
struct scenario {
	const char *name;
	void (*ours)(int fd);
	void (*peers)(int fd);
	enum how how;
	const char *why;
	unsigned int flags;
	const char *calls;
};

extern const struct scenario *const tables[];
const struct scenario *scenario_find(const char *name, int *index);
const struct scenario *scenario_at(int index);

#define TEXT_MAX	(24 * 1024)

/* Shared between the driver, a scenario's process and whatever that forks. */
struct transcript {
	int lock;
	int len, trouble_len;
	bool done;
	char text[TEXT_MAX];
	char trouble[1024];	/* why it counts as failed whatever the text says */
};

struct run {
	const struct scenario *sc;
	struct transcript *to;
	bool peer;		/* this is the peer's end */
	bool on;		/* the switch is on (our end only) */
	int slow;		/* TOE_SLOW */
	int family;
	int port;		/* the first of PORTS */
	int control;
	uint64_t sent, got;	/* offsets of give() and want() */
	const char *peer_ip, *peer_ip6, *toe_ip, *toe_ip6;
};

extern struct run run;
#define PORTS		8	/* of a scenario in a run */

/* text.c */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void trouble(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void noted(const char *what, long result);
const char *events_text(unsigned int events);

/* Do it, and note how it ended. */
#define TRY(call)							\
	({								\
		long result_;						\
									\
		errno = 0;						\
		result_ = (long)(call);					\
		noted(#call, result_);					\
		result_;						\
	})

/* Wait for what the network has to do; nothing is noted unless it never does. */
#define AWAIT(condition)						\
	({								\
		int tries_ = 0;						\
		bool ok_;						\
									\
		while (!(ok_ = (condition)) && tries_++ < 6000 * run.slow)	\
			nap(5);						\
		if (!ok_)						\
			say("never: %s", #condition);			\
		ok_;							\
	})

/* conn.c: the two ends */
void meet(void);
void send_value(long value);
long other_value(void);
int listen_at(int offset, int backlog);
int fresh(void);
int dial(int fd, int offset);
int accepted(void);
int connection(void);
void await_card(int fd);
void await_native(int fd);
void is_native(int fd);
void flag(int fd);
void await_event(char what);
bool in_card(int fd);
int control_connect(const char *ip, int port);
void control_open(int index, int port);
void control_result(void);
void control_serve(int fd);

/* bytes.c: payload */
extern void *volatile nowhere;	/* no memory is there */
void nap(int ms);
long ms_since(const struct timespec *t);
long netstat(const char *name);
void fill(void *buf, size_t len);
void give(int fd, size_t len);
void want(int fd, size_t len);
void drain(int fd);
void peer_drain(int fd);
void peer_nothing(int fd);
int queued(int fd);
int unacked(int fd);
int unsent(int fd);
void note_int(int fd, int level, int option, const char *name);
void note_held(int bytes, int wanted, const struct timespec *since);
void set_int(int fd, int level, int option, int value);
void small_buffers(int fd);
long stuff(int fd);

#define NOTE(fd, level, option)	note_int(fd, level, option, #option)

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif /* DIFF_H */
