/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The front: the PCIe endpoint that the hypervisor talks to over vfio-user.
 *
 * It never blocks, and it outlives the device process: while that is dead the
 * card's registers answer all ones, and a reset starts a new one.
 */
#ifndef CARD_FRONT_H
#define CARD_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "../device/process.h"

#define FRONT_CONFIG_BYTES	4096
#define FRONT_MSG_MAX		(1024 * 1024 + 4096)
#define FRONT_FDS		64	/* received and not yet claimed by a message */
#define FRONT_WAITS		256	/* messages that the device process works on */
#define FRONT_RESETS		16
#define FRONT_CTRL_QUEUE	2048

/**
 * struct front_opts - the command line
 * @socket: path of the vfio-user socket
 * @wire_kind: stream or TAP
 * @wire_path: socket path or interface name
 * @wire_server: listen instead of connecting
 * @impair: options
 * @has_impair: they were given
 * @pcap: file or NULL
 * @keep: wait for the next hypervisor when one goes
 * @cfg: the card
 */
struct front_opts {
	const char *socket;
	enum card_wire_kind wire_kind;
	const char *wire_path;
	bool wire_server;
	struct card_impair_opts impair;
	bool has_impair;
	const char *pcap;
	bool keep;
	struct card_config cfg;
};

enum front_child_state {
	FRONT_DEAD,		/* no device process: registers read all ones */
	FRONT_RUNNING,
	FRONT_STOPPING,		/* on its way out, for a reset */
};

/* A piece of host memory; fd -1: without one (ROM), the card can't reach it. */
struct front_map {
	uint64_t iova, size, offset;
	uint32_t prot;
	int fd;
};

/* A message that is answered when the device process has acknowledged it. */
struct front_wait {
	uint32_t seq;
	uint16_t id;
	uint16_t cmd;
	bool reply;
	uint64_t deadline;
	uint8_t payload[24];
	uint32_t len;
};

struct front_ctrl_item {
	struct card_ctrl m;
	int fds[CARD_CTRL_FDS];
	unsigned int count;
};

/**
 * struct front_child - the device process
 * @state: of its life
 * @pid: while not dead
 * @ctrl: our end of the message pair
 * @kick: eventfd
 * @stop_deadline: us, after which it's killed
 * @quit: it's being stopped for good
 * @seq: of the last message that it has to acknowledge
 * @queue: messages it hasn't taken yet
 * @queue_head: first of them
 * @queue_count: how many
 */
struct front_child {
	enum front_child_state state;
	pid_t pid;
	int ctrl;
	int kick;
	uint64_t stop_deadline;
	bool quit;
	uint32_t seq;
	struct front_ctrl_item *queue;
	unsigned int queue_head, queue_count;
};

/**
 * struct front - everything
 * @opts: command line
 * @listener: vfio-user socket
 * @client: the hypervisor, or -1
 * @signals: signalfd
 * @in: received bytes, not yet a whole message
 * @in_have: how many
 * @in_pos: position of @in's first byte in the stream
 * @fd_pos: position of the last byte that came along with @fd
 * @fd: descriptors not yet claimed
 * @fd_count: how many
 * @out: replies that the hypervisor hasn't taken yet
 * @out_have: how many bytes
 * @out_size: room
 * @config: config space
 * @shm: shared with the device process
 * @wire_state: same
 * @maps: host memory
 * @map_count: how many pieces
 * @irq: eventfds by vector, -1: none
 * @waits: waiting for the device process
 * @wait_count: how many
 * @reset_ids: messages that wait for a reset's end
 * @reset_count: how many
 * @wire_fd: the wire, -1: nobody there
 * @wire_listener: or -1
 * @wire_retry: us, when to try to connect again
 * @wire_fresh: the device process has not seen this connection yet
 * @pcap_fd: or -1
 * @child: the device process
 * @done: leave the loop
 */
struct front {
	struct front_opts opts;
	int listener, client, signals;
	uint8_t *in;
	size_t in_have;
	uint64_t in_pos;
	uint64_t fd_pos[FRONT_FDS];
	int fd[FRONT_FDS];
	unsigned int fd_count;
	uint8_t *out;
	size_t out_have, out_size;
	uint8_t config[FRONT_CONFIG_BYTES];
	struct card_shm *shm;
	struct card_wire_state *wire_state;
	struct front_map maps[CARD_DMA_MAX];
	unsigned int map_count;
	int irq[TOE_VECTORS];
	struct front_wait waits[FRONT_WAITS];
	unsigned int wait_count;
	uint16_t reset_ids[FRONT_RESETS];
	unsigned int reset_count;
	int wire_fd, wire_listener;
	uint64_t wire_retry;
	bool wire_fresh;
	int pcap_fd;
	struct front_child child;
	bool done;
};

/* front.c */
int front_run(struct front *f, const struct front_opts *opts);
uint64_t front_clock_us(void);
void front_disconnect(struct front *f, const char *why);
bool front_full(const struct front *f);

/* config.c */
void front_config_reset(struct front *f);
bool front_config_write(struct front *f, uint32_t off, const uint8_t *data, uint32_t len);

/* bar.c */
void front_bar_read(struct front *f, uint64_t off, uint8_t *data, uint32_t len);
void front_bar_write(struct front *f, uint64_t off, const uint8_t *data, uint32_t len);

/* socket.c */
void front_socket_parse(struct front *f);
void front_socket_read(struct front *f);
void front_socket_flush(struct front *f);
void front_reply(struct front *f, uint16_t id, uint16_t cmd, int err,
		 const void *payload, size_t len);
int front_take_fds(struct front *f, uint64_t begin, uint64_t end, int *fds, int max);
void front_socket_close(struct front *f);

/* message.c */
int front_message(struct front *f, const uint8_t *msg, size_t size, uint64_t pos);
void front_maps_clear(struct front *f);
void front_irqs_clear(struct front *f);
void front_acknowledged(struct front *f, uint32_t seq);
void front_acknowledge_all(struct front *f);
void front_reset_done(struct front *f);

/* child.c */
int front_child_start(struct front *f);
void front_child_kick(struct front *f);
void front_child_send(struct front *f, const struct card_ctrl *m, const int *fds,
		      unsigned int count);
void front_child_flush(struct front *f);
void front_child_read(struct front *f);
void front_child_reset(struct front *f);
void front_child_kill(struct front *f, const char *why);
void front_child_quit(struct front *f);
void front_child_reaped(struct front *f, int status);

/* wire.c */
int front_wire_open(struct front *f);
void front_wire_retry(struct front *f);
void front_wire_accept(struct front *f);
void front_wire_lost(struct front *f);
void front_wire_hand_down(struct front *f);

#endif /* CARD_FRONT_H */
