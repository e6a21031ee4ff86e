/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_SQ_H
#define TOENIC_SQ_H

#include "ring.h"

struct toenic;
struct toenic_conn;
struct toenic_pair;

/* Slots that whatever may fail leaves to what must not. */
#define TOENIC_SQ_RESERVE	16

static inline u32 toenic_sq_room(const struct toenic_sq *sq)
{
	return sq->ring.size - toenic_ring_unread(&sq->ring);
}

struct toe_cmd *toenic_sq_next(struct toenic_sq *sq, u8 op, u32 tid);
void toenic_sq_publish(struct toenic_pair *pair);
void toenic_sq_starve(struct toenic_pair *pair);
void toenic_conn_post(struct toenic_conn *conn, u8 what);
void toenic_sq_flush(struct toenic_pair *pair);
void toenic_sq_open(struct toenic_pair *pair);
void toenic_sq_close(struct toenic_pair *pair);

void toenic_await_start(struct toenic *nic, struct toenic_conn *conn);
void toenic_await_done(struct toenic *nic, struct toenic_conn *conn);
bool toenic_offload_overdue(struct toenic *nic);

#endif /* TOENIC_SQ_H */
