/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_OFFLOAD_H
#define TOENIC_OFFLOAD_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "toenic.h"

struct toenic;
struct toenic_pair;

/* conn->state */
enum {
	TOENIC_CONN_BEGUN,	/* BEGIN not answered */
	TOENIC_CONN_HELD,	/* the card holds the flow's frames */
	TOENIC_CONN_ACTIVE,	/* COMMIT posted */
	TOENIC_CONN_LEAVING,	/* ABORT or RECALL wanted or posted */
	TOENIC_CONN_GONE,	/* the filter has been told, or is being told */
};

/* conn->pending: waits for room in the command ring */
#define TOENIC_PENDING_CREDIT	0x1
#define TOENIC_PENDING_ABORT	0x2
#define TOENIC_PENDING_RECALL	0x4

/**
 * struct toenic_conn - the driver's part of a hardware connection
 * @hc: the filter's part; not touched when @state is GONE
 * @pair: whose rings it uses; with BEGUN, where BEGIN was posted
 * @tid: HW_CONNID
 * @host_id: checked against each event
 * @state: TOENIC_CONN_*
 * @pending: TOENIC_PENDING_*
 * @awaiting: commands whose answer hasn't come
 * @cookie: of BEGIN
 * @edge: newest receive credit
 * @snd_una: what the peer has acknowledged
 * @snd_end: end of what was posted
 * @snd_max: nothing beyond it can have been sent
 * @rcv_next: where the next placement must begin
 * @frags: send fragments that the card holds
 * @sends: oldest unacknowledged
 * @sends_tail: where to append
 * @backlog: in sq.backlog while @pending
 * @await: in nic->await while @awaiting
 * @deadline: when an answer is overdue
 * @block: state block, from COMMIT on
 * @block_dma: its bus address
 * @given: the state that COMMIT took, until its answer
 * @older: another with the same index of an older tid, whose end isn't told yet;
 *	nic->conns_lock protects the writing
 * @rcu: frees it when nobody can be looking
 *
 * From HELD on protected by @pair's sq.lock, but @awaiting, @await and
 * @deadline, which nic->await_lock protects; @rcv_next is NAPI's alone.
 */
struct toenic_conn {
	struct toe_hw_conn *hc;
	struct toenic_pair *pair;
	u32 tid;
	u32 host_id;
	u8 state;
	u8 pending;
	u16 awaiting;
	u32 cookie;
	u32 edge;
	u32 snd_una;
	u32 snd_end;
	u32 snd_max;
	u32 rcv_next;
	u32 frags;
	struct toenic_send *sends;
	struct toenic_send **sends_tail;
	struct list_head backlog;
	struct list_head await;
	struct toenic_deadline deadline;
	struct toe_conn_block *block;
	dma_addr_t block_dma;
	struct min_tcp *given;
	struct toenic_conn __rcu *older;
	struct rcu_head rcu;
};

static inline bool toenic_seq_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

int toenic_offload_alloc(struct toenic *nic);
void toenic_offload_free(struct toenic *nic);
void toenic_offload_register(struct toenic *nic);
void toenic_offload_unregister(struct toenic *nic);
void toenic_offload_suspend(struct toenic *nic);
void toenic_offload_resume(struct toenic *nic);
void toenic_offload_drop(struct toenic *nic, bool fatal);
bool toenic_offload_enabled(const struct toenic *nic);

void toenic_conn_free_sends(struct toenic_conn *conn, u32 snd_una, bool all);
bool toenic_conn_enter(struct toenic *nic, struct toenic_conn *conn, u32 tid);
bool toenic_conn_hold_over(struct toenic_conn *conn);
bool toenic_conn_giveup(struct toenic_conn *conn);
struct toe_hw_conn *toenic_conn_end(struct toenic *nic,
				    struct toenic_conn *conn);

#endif /* TOENIC_OFFLOAD_H */
