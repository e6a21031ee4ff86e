/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The device process, and what it and the front tell each other. */
#ifndef CARD_PROCESS_H
#define CARD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include "card.h"

/* Kinds of struct card_ctrl, over a SOCK_SEQPACKET pair; F: from the front. */
enum {
	CARD_CTRL_MAP	= 1,	/* F: a = iova, b = size, c = offset, flags = prot; one fd */
	CARD_CTRL_UNMAP	= 2,	/* F: a = iova, b = size; answered by DONE */
	CARD_CTRL_IRQ	= 3,	/* F: a = first vector, b = count; count fds, or none: off;
				 * answered by DONE unless seq is 0
				 */
	CARD_CTRL_WIRE	= 4,	/* F: one fd, the other end; flags: 1 = a new connection */
	CARD_CTRL_SYNC	= 5,	/* F: look at the shared memory; answered by DONE */
	CARD_CTRL_DONE,		/* seq = that of the UNMAP, IRQ or SYNC */
	CARD_CTRL_WIRE_LOST,	/* the other end is gone */
};

struct card_ctrl {
	uint32_t type;
	uint32_t seq;
	uint64_t a, b, c;
	uint32_t flags;
	uint32_t rsvd;
};

#define CARD_CTRL_FDS	16

int card_ctrl_send(int sock, const struct card_ctrl *m, const int *fds, unsigned int count);
int card_ctrl_recv(int sock, struct card_ctrl *m, int *fds, unsigned int *count);

/**
 * struct card_process - what the device process is started with
 * @cfg: the card
 * @shm: shared with the front
 * @wire_state: same
 * @wire_kind: how frames are put on the wire's descriptor
 * @impair: options, or NULL
 * @pcap_fd: capture, or -1
 * @ctrl: messages from and to the front
 * @kick: eventfd: look at @shm
 */
struct card_process {
	struct card_config cfg;
	struct card_shm *shm;
	struct card_wire_state *wire_state;
	enum card_wire_kind wire_kind;
	const struct card_impair_opts *impair;
	int pcap_fd;
	int ctrl;
	int kick;
};

int card_process_run(const struct card_process *p);

#endif /* CARD_PROCESS_H */
