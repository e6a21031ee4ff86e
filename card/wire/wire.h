/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The wire: frames in, frames out, never blocking.
 *
 * struct card_wire_state lies in memory that outlives the device process, so
 * that a reset in the middle of a frame leaves the stream's framing whole.
 */
#ifndef CARD_WIRE_H
#define CARD_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include "impair.h"
#include "pcap.h"

#define CARD_WIRE_FRAME		9216		/* largest frame kept */
#define CARD_WIRE_SLOTS		512		/* power of two */
#define CARD_WIRE_RX_BYTES	(256 * 1024)
#define CARD_WIRE_FRAME_MAX	(128 * 1024)	/* more in a stream: framing is lost */

struct card_wire_slot {
	uint8_t len_be[4];		/* stream framing, just before the frame */
	uint8_t data[CARD_WIRE_FRAME];
	uint32_t len;
	uint32_t rsvd[3];
};

/**
 * struct card_wire_state - what must survive the device process
 * @busy: a read or write is in progress; if the process died in it, the
 *	framing is unknown and the connection has to be made anew
 * @rx_have: bytes in @rx
 * @rx_pos: of them already handed out
 * @head: next slot to send
 * @tail: next slot to fill
 * @head_off: bytes of the head slot, framing included, that are sent
 * @rx: received bytes
 * @slot: frames to send, a ring
 */
struct card_wire_state {
	uint32_t busy;
	uint32_t rx_have;
	uint32_t rx_pos;
	uint32_t head;
	uint32_t tail;
	uint32_t head_off;
	uint8_t rx[CARD_WIRE_RX_BYTES];
	struct card_wire_slot slot[CARD_WIRE_SLOTS];
};

enum card_wire_kind { CARD_WIRE_STREAM, CARD_WIRE_TAP };

/**
 * struct card_wire - one device process's view of the wire
 * @st: shared state
 * @kind: how frames are put on the descriptor
 * @fd: nonblocking, -1 while nobody is at the other end
 * @link: carrier
 * @stalled_since: us, when the descriptor last refused to take more; 0: it did not
 * @rx_imp: impairment or NULL
 * @tx_imp: impairment or NULL
 * @pcap: capture or NULL
 * @oversize: received frames larger than CARD_WIRE_FRAME, dropped
 * @dropped: frames to send that nobody took
 */
struct card_wire {
	struct card_wire_state *st;
	enum card_wire_kind kind;
	int fd;
	bool link;
	uint64_t stalled_since;
	struct card_impair *rx_imp;
	struct card_impair *tx_imp;
	struct card_pcap *pcap;
	uint64_t oversize;
	uint64_t dropped;
};

/* Takes one frame, which is only valid during the call; false: no more now. */
typedef bool (*card_wire_rx_fn)(void *ctx, uint8_t *frame, uint32_t len);

void card_wire_set_fd(struct card_wire *w, int fd, bool fresh);
int card_wire_recv(struct card_wire *w, card_wire_rx_fn fn, void *ctx,
		   unsigned int budget, uint64_t now);
bool card_wire_rx_pending(const struct card_wire *w, uint64_t now);
unsigned int card_wire_room(const struct card_wire *w);
uint8_t *card_wire_slot(struct card_wire *w);
void card_wire_commit(struct card_wire *w, uint32_t len, uint64_t now);
int card_wire_flush(struct card_wire *w, uint64_t now);
uint64_t card_wire_deadline(const struct card_wire *w);
bool card_wire_want_out(const struct card_wire *w);

/* open.c: the front's side */
int card_wire_connect(const char *path);
int card_wire_listen(const char *path);
int card_wire_accept(int listener);
int card_wire_tap(const char *name);

#endif /* CARD_WIRE_H */
