/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* What the rest of the card calls of the TOE. */
#ifndef CARD_TOE_H
#define CARD_TOE_H

#include <stdbool.h>
#include <stdint.h>

struct card;
struct card_packet;
struct card_pair;
struct card_toe;

struct card_toe *card_toe_create(struct card *c);
void card_toe_destroy(struct card *c);
bool card_toe_run(struct card *c, struct card_pair *p);
bool card_toe_rx(struct card *c, const struct card_packet *pkt);
void card_toe_timers(struct card *c);
bool card_toe_output(struct card *c);
void card_toe_flush(struct card *c);
uint64_t card_toe_deadline(struct card *c);
void card_toe_pair_destroy(struct card *c, struct card_pair *p);

#endif /* CARD_TOE_H */
