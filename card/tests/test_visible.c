/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Nothing that the peer hears is ahead of what the host can see. */
#include "../device/toe_ctx.h"
#include "toe_kit.h"

#define ACK	0x10
#define RTO_US	200000

static uint8_t data[4000];

static uint32_t queued(const struct host *h)
{
	return h->wire.st->tail - h->wire.st->head;
}

static unsigned int raised, queued_when_raised;

static void at_interrupt(void *ctx, unsigned int vector)
{
	struct host *h = ctx;

	if (vector != TOE_VECTOR_PAIR(0))
		return;
	raised++;
	queued_when_raised += queued(h);
}

/* 1000 bytes of payload come. */
static void queue(struct toe_conn *c, uint32_t off)
{
	static uint8_t frame[4000];

	peer_send(c->h, frame, kit_tcp_frame(frame, &c->flow, IRS + off, ISS, ACK, data + off, 1000));
}

static void turn(struct toe_conn *c)
{
	card_poll(&c->h->card, ++c->h->now);
}

/* Enough to be acknowledged at once comes, and is looked at in one turn. */
static void one_turn(struct toe_conn *c, uint32_t off)
{
	queue(c, off);
	queue(c, off + 1000);
	turn(c);
}

/* The next completion raises the pair's interrupt. */
static void want_interrupt(struct toe_conn *c)
{
	c->h->pair[0].shadow[TOE_RING_CQ].host_event = htole32(c->h->card.pair[0].cq.signalled);
}

static bool peer_heard(struct toe_conn *c)
{
	struct card_packet pkt;

	return toe_to_peer(c, &pkt);
}

/* An acknowledgement doesn't exist yet when the host is told of the data. */
static void told_before_acknowledged(void)
{
	struct toe_conn c = toe_established();

	c.h->card.raise = at_interrupt;
	raised = queued_when_raised = 0;
	for (uint32_t off = 0; off < 4000; off += 2000) {
		want_interrupt(&c);
		one_turn(&c, off);
		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_DATA).data.len, 2000);
	}
	CHECK_EQ(raised, 2);
	CHECK_EQ(queued_when_raised, 0);
	CHECK(peer_heard(&c));
	host_destroy(c.h);
}

static uint32_t status(struct host *h)
{
	return card_shm_get(&h->shm, TOE_REG_STATUS);
}

/* Who can't complete can't acknowledge either, now or later: only a reset helps. */
static void a_lost_completion_is_fatal(void)
{
	struct toe_conn c = toe_established();

	toe_send(&c, ISS, toe_fill(c.h, 500), 500, 0);
	CHECK(peer_heard(&c));
	c.h->card.pair[0].cq.addr = HOST_IOVA + HOST_BYTES;
	one_turn(&c, 0);
	CHECK(status(c.h) & TOE_STATUS_FATAL);
	CHECK(!peer_heard(&c));
	host_sleep(c.h, 2 * RTO_US);
	CHECK(!peer_heard(&c));
	host_destroy(c.h);
}

static void without_the_bus_a_card_is_silent(void)
{
	struct toe_conn c = toe_established();

	toe_send(&c, ISS, toe_fill(c.h, 500), 500, 0);
	CHECK(peer_heard(&c));
	c.h->shm.bus_master = 0;
	one_turn(&c, 0);
	host_sleep(c.h, 2 * RTO_US);
	CHECK(!peer_heard(&c));
	host_destroy(c.h);
}

/* The bus is taken in mid-turn: this turn still has it, the next one hasn't. */
static void take_bus(void *ctx, unsigned int vector)
{
	struct host *h = ctx;

	(void)vector;
	h->shm.bus_master = 0;
}

static void a_turn_has_the_bus_or_not(void)
{
	struct toe_conn c = toe_established();

	c.h->card.raise = take_bus;
	want_interrupt(&c);
	one_turn(&c, 0);
	CHECK_EQ(c.h->shm.bus_master, 0);
	CHECK(peer_heard(&c));
	CHECK(!peer_heard(&c));
	CHECK(!(status(c.h) & TOE_STATUS_FATAL));
	one_turn(&c, 2000);
	host_sleep(c.h, RTO_US);
	CHECK(!peer_heard(&c));
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_DATA).data.len, 2000);
	host_quiet(c.h, 0);
	host_destroy(c.h);
}

/* While completions wait for room their pair's connections send nothing. */
static void held_completions_hold_output(void)
{
	struct toe_conn c = toe_established();
	struct card_cq *cq = &c.h->card.pair[0].cq;
	const struct toe_cqe cqe = { .type = TOE_CQE_LINK };

	toe_send(&c, ISS, toe_fill(c.h, 500), 500, 0);
	CHECK(peer_heard(&c));
	while (!card_cq_is_held(cq))
		card_post(&c.h->card, cq, &cqe);
	host_sleep(c.h, 3 * RTO_US);
	CHECK(!peer_heard(&c));
	c.h->pair[0].shadow[TOE_RING_CQ].host_cons = htole32(cq->prod);
	host_sleep(c.h, 1000);
	CHECK(!card_cq_is_held(cq));
	CHECK(peer_heard(&c));
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(told_before_acknowledged),
	KIT_TEST(a_lost_completion_is_fatal),
	KIT_TEST(without_the_bus_a_card_is_silent),
	KIT_TEST(a_turn_has_the_bus_or_not),
	KIT_TEST(held_completions_hold_output),
};

KIT_MAIN(tests)
