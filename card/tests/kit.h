/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Test kit: checks that end a test, TAP output, and a host around a card: memory,
 * rings, and the other end of the wire.
 */
#ifndef CARD_TESTS_KIT_H
#define CARD_TESTS_KIT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../device/card.h"
#include "../device/regs.h"

struct kit_test {
	const char *name;
	void (*run)(void);
};

int kit_main(const struct kit_test *tests, unsigned int count);
void kit_fail(const char *file, int line, const char *what, unsigned long long a,
	      unsigned long long b) __attribute__((noreturn));

#define KIT_TEST(fn)	{ #fn, fn }
#define KIT_MAIN(tests)	\
	int main(void) { return kit_main(tests, sizeof(tests) / sizeof((tests)[0])); }
#define CHECK(cond)	\
	do { if (!(cond)) kit_fail(__FILE__, __LINE__, #cond, 0, 0); } while (0)
#define CHECK_EQ(a, b)	\
	do {							\
		unsigned long long a_ = (a), b_ = (b);		\
		if (a_ != b_)					\
			kit_fail(__FILE__, __LINE__, #a " == " #b, a_, b_);	\
	} while (0)

#define HOST_IOVA	UINT64_C(0x100000000)
#define HOST_BYTES	(64 * 1024 * 1024)
#define HOST_RX_BYTES	2048
#define HOST_RQ_BYTES	4096

/* One queue pair as its driver sees it. */
struct host_pair {
	struct toe_shadow *shadow;
	uint8_t *ring[TOE_RINGS];
	uint64_t ring_iova[TOE_RINGS];
	uint64_t shadow_iova;
	uint32_t size[TOE_RINGS];
	uint32_t prod[TOE_RINGS];
	uint32_t cons;
	uint64_t rx_mem, rq_mem;	/* iova of buffer 0 */
};

struct host {
	struct card card;
	struct card_shm shm;
	struct card_wire wire;
	int peer;
	uint8_t *mem;
	size_t used;
	uint64_t now;
	unsigned int irqs[TOE_VECTORS];
	struct host_pair admin;		/* SQ and CQ only */
	struct host_pair pair[TOE_MAX_PAIRS];
	uint16_t cookie;
};

struct host *host_create(unsigned int pairs, unsigned int contexts);
void host_destroy(struct host *h);
uint64_t host_alloc(struct host *h, size_t bytes);
void *host_ptr(struct host *h, uint64_t iova);
void host_poll(struct host *h);
void host_sleep(struct host *h, uint64_t us);
void host_reg(struct host *h, uint32_t off, uint32_t val);
uint32_t host_admin(struct host *h, uint8_t op, uint32_t arg, uint64_t param,
		    uint32_t bytes, uint32_t count);
uint64_t host_pair_param(struct host *h, unsigned int n, uint32_t ring_size);
void host_pair_up(struct host *h, unsigned int n, uint32_t ring_size);
void host_rx_post(struct host *h, unsigned int n, unsigned int count);
void host_rq_post(struct host *h, unsigned int n, unsigned int count);
void host_submit(struct host *h, unsigned int n, int ring, const void *entry, size_t bytes);
void host_cmd(struct host *h, unsigned int n, const struct toe_cmd *cmd);
void host_tx(struct host *h, unsigned int n, const struct toe_txd *d);
bool host_cqe(struct host *h, unsigned int n, struct toe_cqe *cqe);
struct toe_cqe host_expect(struct host *h, unsigned int n, uint8_t type);
void host_quiet(struct host *h, unsigned int n);
void host_stats(struct host *h, struct card_stats *st);

void peer_send(struct host *h, const uint8_t *frame, uint32_t len);
uint32_t peer_recv(struct host *h, uint8_t *frame, uint32_t size);

/* Frames for tests; the flow is the card's side, the frame goes to the card. */
extern const uint8_t kit_card_mac[6], kit_peer_mac[6];
struct card_flow kit_flow(uint8_t family, uint16_t lport, uint16_t rport);
uint32_t kit_tcp_frame(uint8_t *frame, const struct card_flow *flow, uint32_t seq,
		       uint32_t ack, uint8_t flags, const void *data, uint32_t len);

#endif /* CARD_TESTS_KIT_H */
