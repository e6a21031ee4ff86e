/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* What the tests of the TOE share: a host with rings for it, and a connection. */
#ifndef CARD_TESTS_TOE_KIT_H
#define CARD_TESTS_TOE_KIT_H

#include "kit.h"
#include "../engine/engine.h"

#define ISS	1000u		/* our first byte */
#define IRS	5000u		/* the peer's */

struct toe_conn {
	struct host *h;
	struct card_flow flow;
	uint32_t tid;
	uint64_t block;
};

extern uint8_t toe_frame[CARD_WIRE_FRAME];	/* what the peer received last */

struct host *toe_host(unsigned int pairs, uint32_t ring);
struct toe_cmd toe_begin_cmd(const struct card_flow *f, uint32_t host_id);
uint32_t toe_begin(struct host *h, const struct card_flow *f);
struct min_tcp toe_state(const struct card_flow *f);
void toe_commit(struct toe_conn *c, uint32_t tid, uint64_t block);
void toe_op(struct toe_conn *c, uint8_t code, uint8_t flags);
struct toe_conn toe_connect(uint8_t family);
struct toe_conn toe_established(void);
void toe_from_peer(struct toe_conn *c, uint32_t seq, uint32_t ack, uint8_t flags,
		      const void *data, uint32_t len);
bool toe_to_peer(struct toe_conn *c, struct card_packet *pkt);
void toe_send(struct toe_conn *c, uint32_t seq, uint64_t addr, uint32_t len, uint8_t flags);
uint64_t toe_fill(struct host *h, uint32_t len);

#endif /* CARD_TESTS_TOE_KIT_H */
