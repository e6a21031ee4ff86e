/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The card as one object: registers, admin ring, queue pairs, plain NIC, TOE.
 *
 * One thread runs it.  It knows nothing of vfio-user or processes: host memory
 * is a struct card_dma, registers are a struct card_shm, interrupts a callback,
 * the wire a struct card_wire; so tests drive it with memory of their own.
 */
#ifndef CARD_H
#define CARD_H

#include <stdbool.h>
#include <stdint.h>
#include "dma.h"
#include "packet.h"
#include "ring.h"
#include "shm.h"
#include "../wire/wire.h"

struct card_toe;

#define CARD_MAX_MTU		9000
#define CARD_STALL_US		50000	/* a completion ring may block the wire this long */
#define CARD_BATCH		64	/* frames and descriptors per turn */
#define CARD_LOOP_FRAMES	512	/* frames under way inside the card in loopback */
#define CARD_RUN_ALIGN		64	/* of the payload runs in an RQ buffer */
#define CARD_TOE_FRAGS		1024	/* send fragments of one context */
#define CARD_TX_BYTES		(TOE_TXD_MAX_BYTES + 4)	/* the longest frame, and a VLAN tag */

/**
 * struct card_config - of one card
 * @pairs: queue pairs, 1..TOE_MAX_PAIRS
 * @contexts: TOE contexts
 * @mac: permanent address
 * @seed: for tids, IP ids and the engine
 * @verbose: tell on stderr what the host does wrong
 */
struct card_config {
	unsigned int pairs;
	unsigned int contexts;
	uint8_t mac[6];
	uint64_t seed;
	bool verbose;
};

/* Same fields, same order as struct toe_nic_stats, in host byte order. */
struct card_stats {
	uint64_t rx_frames, rx_bytes, rx_no_buffer, rx_filtered, rx_csum_bad, rx_oversize;
	uint64_t tx_frames, tx_bytes, tx_bad_desc, dma_errors, reg_errors;
	uint64_t toe_rx_segs, toe_rx_bytes, toe_tx_segs, toe_tx_bytes, toe_retrans_segs;
	uint64_t toe_held_frames, toe_held_dropped, toe_cmd_errors, toe_csum_bad;
	uint64_t toe_contexts, toe_no_buffer, toe_mirrored, toe_mirror_lost;
	uint64_t rsvd[8];
};
_Static_assert(sizeof(struct card_stats) == sizeof(struct toe_nic_stats), "card_stats");

/**
 * struct card_tx - the frame that a TX ring is sending
 * @buf: the frame, linear, with room for a VLAN tag in front
 * @len: its bytes, 0: none
 * @desc: its first descriptor
 * @off: TSO: payload bytes already sent
 * @skip: descriptors are dropped up to the next EOP
 * @done: TX index up to which all frames have left
 * @reported: @done as the host was last told
 */
struct card_tx {
	uint8_t *buf;
	uint32_t len;
	struct toe_txd desc;
	uint32_t off;
	bool skip;
	uint32_t done;
	uint32_t reported;
};

/**
 * struct card_pair - a queue pair
 * @active: created
 * @broken_told: TOE_CQE_ERROR for an impossible index was posted
 * @index: its number
 * @tx: frames to send
 * @sq: TOE commands
 * @rx: empty buffers for frames
 * @rq: empty buffers for TOE payload
 * @cq: completions
 * @rx_buf_bytes: size of RX buffers
 * @rq_buf_bytes: size of RQ buffers
 * @txs: state of @tx
 * @rq_cur: the RQ buffer that is being filled
 * @rq_off: bytes of it that are used
 * @rq_valid: there is one
 * @data: the last DATA completion; with @data_valid not published and may still grow
 * @data_valid: there is one
 * @toe_rx_frames: taken in by connections of this pair
 * @toe_rx_bytes: their bytes
 * @toe_tx_frames: sent by them
 * @toe_tx_bytes: their bytes
 * @toe_told: frames of both kinds as the host can read them
 */
struct card_pair {
	bool active;
	bool broken_told;
	unsigned int index;
	struct card_sq tx, sq, rx, rq;
	struct card_cq cq;
	uint32_t rx_buf_bytes;
	uint32_t rq_buf_bytes;
	struct card_tx txs;
	struct toe_rxd rq_cur;
	uint32_t rq_off;
	bool rq_valid;
	struct toe_cqe data;
	bool data_valid;
	uint64_t toe_rx_frames, toe_rx_bytes, toe_tx_frames, toe_tx_bytes;
	uint64_t toe_told;
};

/* A frame on its way back to the receiver, TOE_FEATURE_LOOPBACK. */
struct card_loop_frame {
	uint32_t len;
	uint8_t *data;
};

/**
 * struct card - everything
 * @cfg: as started
 * @dma: host memory
 * @shm: registers, doorbells
 * @wire: frames
 * @raise: raise an MSI-X vector
 * @raise_ctx: its argument
 * @now: us, read once per turn
 * @reg: registers written by the host, by offset / 4
 * @enabled: admin ring runs
 * @want_reset: CONTROL.RESET reached the device (in tests; else the front acts)
 * @admin_sq: admin commands
 * @admin_cq: their answers
 * @pair: queue pairs
 * @mac: station address
 * @mtu: bytes
 * @features: TOE_FEATURE_*
 * @rx_mode: TOE_RX_MODE_*
 * @macs: further addresses received
 * @mac_count: how many
 * @rss: key and indirection
 * @stats: counters
 * @link: carrier as last told
 * @heartbeat: value of the host's heartbeat word
 * @heartbeat_next: us
 * @loop: frames in loopback, a ring
 * @loop_head: next to receive
 * @loop_tail: next free
 * @toe: TOE contexts and engine
 */
struct card {
	struct card_config cfg;
	struct card_dma dma;
	struct card_shm *shm;
	struct card_wire *wire;
	void (*raise)(void *ctx, unsigned int vector);
	void *raise_ctx;
	uint64_t now;
	uint32_t reg[0x80 / 4];
	bool enabled;
	bool want_reset;
	struct card_sq admin_sq;
	struct card_cq admin_cq;
	struct card_pair pair[TOE_MAX_PAIRS];
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t features;
	uint32_t rx_mode;
	uint8_t macs[TOE_RX_MODE_MAX_MACS][8];
	unsigned int mac_count;
	struct toe_rss_param rss;
	struct card_stats stats;
	bool link;
	uint32_t heartbeat;
	uint64_t heartbeat_next;
	struct card_loop_frame loop[CARD_LOOP_FRAMES];
	unsigned int loop_head, loop_tail;
	struct card_toe *toe;
};

/* card.c: life and one turn of the loop */
int card_init(struct card *c, const struct card_config *cfg, struct card_shm *shm,
	      struct card_wire *wire);
void card_uninit(struct card *c);
bool card_poll(struct card *c, uint64_t now);
bool card_arm(struct card *c);
uint64_t card_deadline(struct card *c);
bool card_reads_wire(struct card *c);
void card_post(struct card *c, struct card_cq *cq, const struct toe_cqe *cqe);
void card_pair_post(struct card *c, struct card_pair *p, const struct toe_cqe *cqe);
void card_pair_flush_data(struct card *c, struct card_pair *p);
void card_fatal(struct card *c, const char *why);
void card_guest_error(struct card *c, const char *what, uint64_t detail);
uint8_t *card_xmit_slot(struct card *c);
void card_xmit(struct card *c, uint32_t len);

/* admin.c */
bool card_admin_run(struct card *c);
void card_pair_destroy(struct card *c, struct card_pair *p);

/* tx.c */
bool card_tx_run(struct card *c, struct card_pair *p);
void card_tx_report(struct card *c, struct card_pair *p);
bool card_tx_ready(struct card_pair *p);

/* tso.c: build the next segment of @tx in @slot, room for CARD_WIRE_FRAME bytes */
bool card_tso_valid(const struct card_tx *tx);
uint32_t card_tso_next(struct card_tx *tx, uint8_t *slot, bool *last);

/* rx.c */
bool card_rx_frame(struct card *c, uint8_t *frame, uint32_t len);
void card_rx_deliver(struct card *c, struct card_pair *p, const struct card_packet *pkt,
		     uint32_t tid);
void card_rx_up(struct card *c, struct card_pair *p, const struct card_packet *pkt);
void card_rx_mirror(struct card *c, struct card_pair *p, const struct card_packet *pkt,
		    uint32_t tid, uint8_t flags);
bool card_rx_is_ours(const struct card *c, const uint8_t *frame);
struct card_pair *card_rx_steer(struct card *c, uint32_t hash);

#endif /* CARD_H */
