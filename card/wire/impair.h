/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Seeded impairment of one direction of the wire. */
#ifndef CARD_IMPAIR_H
#define CARD_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARD_IMPAIR_RX	0x1u
#define CARD_IMPAIR_TX	0x2u

/**
 * struct card_impair_opts - what --impair asked for
 * @loss: probability, in units of 2^-32
 * @burst: share of frames that are lost in bursts, in the same units
 * @burst_frames: mean length of a burst
 * @reorder: probability that a frame is held back so that later ones overtake it
 * @late_us: for how long, at least
 * @dup: probability
 * @corrupt: probability that one bit is flipped
 * @delay_us: of every frame
 * @jitter_us: the delay varies by up to this, without reordering
 * @rate_bps: bits per second, 0: no limit
 * @queue_bytes: what may wait for the rate; a frame that finds no room is lost;
 *	0: no limit
 * @ecn_bytes: with more than this waiting, frames that admit it are marked CE;
 *	0: never
 * @seed: same seed, same frames, same fate
 * @dirs: CARD_IMPAIR_RX | CARD_IMPAIR_TX
 */
struct card_impair_opts {
	uint32_t loss;
	uint32_t burst;
	double burst_frames;
	uint32_t reorder;
	uint64_t late_us;
	uint32_t dup;
	uint32_t corrupt;
	uint64_t delay_us;
	uint64_t jitter_us;
	uint64_t rate_bps;
	uint64_t queue_bytes;
	uint64_t ecn_bytes;
	uint64_t seed;
	uint32_t dirs;
};

struct card_impair;

int card_impair_parse(const char *text, struct card_impair_opts *o, char *err, size_t err_len);
struct card_impair *card_impair_create(const struct card_impair_opts *o, uint64_t stream);
void card_impair_destroy(struct card_impair *imp);
void card_impair_put(struct card_impair *imp, const uint8_t *frame, uint32_t len, uint64_t now);
uint32_t card_impair_get(struct card_impair *imp, uint8_t *buf, uint32_t size, uint64_t now);
uint64_t card_impair_deadline(const struct card_impair *imp);

#endif /* CARD_IMPAIR_H */
