/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Payload in the host's buffers: where each byte goes, and each field that tells of it. */
#include "../device/toe_ctx.h"
#include "toe_kit.h"

static uint8_t data[9000];
static struct toe_conn a, b;	/* two connections of one pair */

static void connect_second(struct toe_conn *c, struct host *h)
{
	c->h = h;
	c->flow = kit_flow(4, 80, 4001);
	c->tid = toe_begin(h, &c->flow);
	c->block = host_alloc(h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(h, c->block) = toe_state(&c->flow);
	toe_commit(c, c->tid, c->block);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
}

static void two(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 11 + i / 256;
	a = toe_connect(4);
	connect_second(&b, a.h);
}

/* @len bytes at @off of the stream, to be taken in with the next turn. */
static void queue(struct toe_conn *c, uint32_t off, uint32_t len, uint8_t flags)
{
	static uint8_t frame[9100];

	peer_send(c->h, frame, kit_tcp_frame(frame, &c->flow, IRS + off, ISS, flags, data + off, len));
}

static void turn(void)
{
	card_poll(&a.h->card, ++a.h->now);
}

/* The next completion: these bytes of the stream are there. */
static void placed(struct toe_conn *c, uint32_t off, uint32_t len, uint32_t buf, uint32_t at,
		   uint8_t flags)
{
	struct toe_cqe cqe = host_expect(a.h, 0, TOE_CQE_DATA), want = {
		.type = TOE_CQE_DATA, .flags = flags, .phase = cqe.phase,
		.data = { .tid = c->tid, .host_id = 78, .buf_id = buf, .offset = at,
			  .len = len, .seq = IRS + off },
	};

	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	CHECK(!memcmp(host_ptr(a.h, a.h->pair[0].rq_mem + buf * HOST_RQ_BYTES + at),
		      data + off, len));
}

static void gave_back(uint32_t buf, uint32_t at)
{
	struct toe_cqe cqe = host_expect(a.h, 0, TOE_CQE_DATA), want = {
		.type = TOE_CQE_DATA, .flags = TOE_DATA_BUF_DONE, .phase = cqe.phase,
		.data = { .buf_id = buf, .offset = at },
	};

	CHECK(!memcmp(&cqe, &want, sizeof(want)));
}

static void over(void)
{
	host_quiet(a.h, 0);
	host_destroy(a.h);
}

static void runs_begin_at_64_bytes(void)
{
	two();
	queue(&a, 0, 100, 0x10);
	queue(&b, 0, 50, 0x18);
	queue(&a, 100, 10, 0x10);
	queue(&b, 50, 64, 0x10);
	queue(&b, 114, 1, 0x10);
	turn();
	placed(&a, 0, 100, 0, 0, 0);
	placed(&b, 0, 50, 0, 128, TOE_DATA_PUSH);
	placed(&a, 100, 10, 0, 192, 0);
	placed(&b, 50, 65, 0, 256, 0);
	over();
}

/* What was told in an earlier turn is still the place to go on. */
static void a_stream_goes_on_where_it_was(void)
{
	two();
	queue(&a, 0, 100, 0x10);
	turn();
	placed(&a, 0, 100, 0, 0, 0);
	queue(&a, 100, 30, 0x18);
	turn();
	placed(&a, 100, 30, 0, 100, TOE_DATA_PUSH);
	queue(&b, 0, 7, 0x10);
	turn();
	placed(&b, 0, 7, 0, 192, 0);
	queue(&a, 130, 1, 0x10);
	turn();
	placed(&a, 130, 1, 0, 256, 0);
	over();
}

static void the_end_of_a_buffer(void)
{
	two();
	queue(&a, 0, 1400, 0x10);
	queue(&a, 1400, 1400, 0x10);
	queue(&a, 2800, 1200, 0x10);
	queue(&a, 4000, 96, 0x10);		/* just so */
	queue(&a, 4096, 1000, 0x10);
	turn();
	placed(&a, 0, 4096, 0, 0, TOE_DATA_BUF_DONE);
	placed(&a, 4096, 1000, 1, 0, 0);
	queue(&a, 5096, 1400, 0x10);
	queue(&a, 6496, 1400, 0x10);
	queue(&a, 7896, 1000, 0x18);		/* over the end of the second */
	turn();
	placed(&a, 5096, 3096, 1, 1000, TOE_DATA_BUF_DONE);
	placed(&a, 8192, 704, 2, 0, TOE_DATA_PUSH);
	CHECK_EQ(a.h->card.stats.toe_no_buffer, 0);
	CHECK_EQ(a.h->card.stats.toe_rx_bytes, 8896);
	CHECK_EQ(a.h->pair[0].shadow[TOE_RING_RQ].card_cons, 3);
	over();
}

/* A buffer with no room for another run is told to be done with the last one in it. */
static void room_for_another_run(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		uint32_t end = 4032 + i;

		two();
		queue(&a, 0, 1400, 0x10);
		queue(&a, 1400, 1400, 0x10);
		queue(&a, 2800, end - 2800, 0x10);
		turn();
		placed(&a, 0, end, 0, 0, i ? TOE_DATA_BUF_DONE : 0);
		queue(&b, 0, 10, 0x10);
		turn();
		placed(&b, 0, 10, i, i ? 0 : 4032, i ? 0 : TOE_DATA_BUF_DONE);
		over();
	}
}

/* The host's next buffers end @bytes behind their beginning, out of reach. */
static void bad_buffers(uint32_t bytes, unsigned int count)
{
	struct toe_rxd d = { .addr = HOST_IOVA + HOST_BYTES - bytes };
	unsigned int i;

	for (i = 0; i < count; i++) {
		d.buf_id = 100 + i;
		host_submit(a.h, 0, TOE_RING_RQ, &d, sizeof(d));
	}
}

/* As if all that toe_host() has posted, eight buffers, were used up. */
static void without_buffers(void)
{
	two();
	a.h->card.pair[0].rq.prod = a.h->card.pair[0].rq.cons = 8;
}

static void nothing_placed(uint32_t times)
{
	struct card_packet pkt;

	CHECK_EQ(a.h->card.stats.toe_no_buffer, times);
	while (toe_to_peer(&a, &pkt))
		CHECK_EQ(card_get32(toe_frame + pkt.l4 + 8), IRS);
}

static void unreachable_buffers(void)
{
	without_buffers();
	bad_buffers(9, 1);
	queue(&a, 0, 10, 0x18);
	turn();
	gave_back(100, 0);
	nothing_placed(1);
	CHECK_EQ(a.h->card.stats.toe_rx_bytes, 0);
	queue(&a, 0, 10, 0x18);
	turn();
	nothing_placed(2);			/* there is none at all */
	host_rq_post(a.h, 0, 1);
	queue(&a, 0, 10, 0x18);
	turn();
	placed(&a, 0, 10, 9, 0, TOE_DATA_PUSH);
	over();
}

/* A buffer whose end is out of reach: what is in it stays, and the run has the news. */
static void buffers_that_end_early(void)
{
	without_buffers();
	bad_buffers(1000, 1);
	queue(&a, 0, 600, 0x18);
	queue(&a, 600, 401, 0x18);
	turn();
	/* Bytes of other memory than rq_mem: compare the fields only. */
	{
		struct toe_cqe cqe = host_expect(a.h, 0, TOE_CQE_DATA);

		CHECK_EQ(cqe.data.len, 600);
		CHECK_EQ(cqe.data.buf_id, 100);
		CHECK_EQ(cqe.flags, TOE_DATA_PUSH | TOE_DATA_BUF_DONE);
	}
	CHECK_EQ(a.h->card.stats.toe_no_buffer, 1);
	host_quiet(a.h, 0);
	bad_buffers(1000, 1);
	queue(&a, 600, 300, 0x10);
	turn();
	CHECK_EQ(host_expect(a.h, 0, TOE_CQE_DATA).data.len, 300);
	queue(&a, 900, 1000, 0x10);		/* in the next turn: by itself */
	turn();
	gave_back(100, 300);
	over();
}

/* PSH counts when all that it came with is there. */
static void push_belongs_to_the_last_byte(void)
{
	two();
	a.h->card.pair[0].rq.prod = a.h->card.pair[0].rq.cons = 7;	/* one is left */
	queue(&a, 0, 1400, 0x10);
	queue(&a, 1400, 1400, 0x10);
	queue(&a, 2800, 1297, 0x18);
	turn();
	placed(&a, 0, 4096, 7, 0, TOE_DATA_BUF_DONE);
	CHECK_EQ(a.h->card.stats.toe_no_buffer, 1);
	host_rq_post(a.h, 0, 1);
	queue(&a, 4096, 1, 0x18);
	turn();
	placed(&a, 4096, 1, 8, 0, TOE_DATA_PUSH);
	over();
}

/* A hole that is filled: what lay behind it comes along, and is to be pushed. */
static void a_filled_hole_is_pushed(void)
{
	two();
	queue(&a, 100, 100, 0x18);
	turn();
	host_quiet(a.h, 0);
	queue(&a, 0, 100, 0x10);
	turn();
	placed(&a, 0, 200, 0, 0, TOE_DATA_PUSH);
	over();
}

/* Of the connection only whose bytes are the last in the buffer. */
static void push_is_for_the_right_connection(void)
{
	struct card_toe *t;

	two();
	t = a.h->card.toe;
	queue(&a, 0, 10, 0x10);
	turn();
	toe_host_push(t, toe_ctx_by_tid(t, a.tid));	/* told already: nothing to be changed */
	queue(&b, 0, 10, 0x10);
	card_wire_recv(&a.h->wire, (card_wire_rx_fn)card_rx_frame, &a.h->card, 64, a.h->now);
	toe_host_push(t, toe_ctx_by_tid(t, a.tid));
	CHECK_EQ(a.h->card.pair[0].data.flags, 0);
	toe_host_push(t, toe_ctx_by_tid(t, b.tid));
	CHECK_EQ(a.h->card.pair[0].data.flags, TOE_DATA_PUSH);
	turn();
	placed(&a, 0, 10, 0, 0, 0);
	placed(&b, 0, 10, 0, 64, TOE_DATA_PUSH);
	over();
}

/* Without a slot for the completion nothing is placed, and nothing acknowledged. */
static void a_full_ring_of_completions(void)
{
	struct toe_cqe cqe;
	unsigned int i;

	two();
	for (i = 0; i < 64; i++) {
		queue(&a, i, 1, 0x10);
		turn();
		queue(&b, i, 1, 0x10);
		turn();
	}
	CHECK(!card_cq_is_held(&a.h->card.pair[0].cq));
	CHECK_EQ(card_cq_room(&a.h->card.pair[0].cq), 0);
	CHECK_EQ(a.h->card.stats.toe_rx_bytes, 64);
	for (i = 0; i < 64; i++) {
		CHECK(host_cqe(a.h, 0, &cqe));
		CHECK_EQ(cqe.type, TOE_CQE_DATA);
		CHECK_EQ(cqe.data.seq, IRS + i / 2);
		CHECK_EQ(cqe.data.tid, i & 1 ? b.tid : a.tid);
	}
	over();
}

/* The buffer at hand goes with its pair. */
static void a_new_pair_begins_with_new_buffers(void)
{
	two();
	queue(&a, 0, 10, 0x10);
	turn();
	placed(&a, 0, 10, 0, 0, 0);
	CHECK(a.h->card.pair[0].rq_valid);
	CHECK_EQ(host_admin(a.h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_OK);
	CHECK(!a.h->card.pair[0].rq_valid);
	host_expect(a.h, 0, TOE_CQE_RECALLED);
	host_expect(a.h, 0, TOE_CQE_RECALLED);
	host_pair_up(a.h, 0, 64);
	host_rq_post(a.h, 0, 4);
	a.tid = toe_begin(a.h, &a.flow);
	*(struct min_tcp *)host_ptr(a.h, a.block) = toe_state(&a.flow);
	toe_commit(&a, a.tid, a.block);
	host_expect(a.h, 0, TOE_CQE_CMD);
	queue(&a, 0, 10, 0x10);
	turn();
	placed(&a, 0, 10, 0, 0, 0);
	over();
}

static const struct kit_test tests[] = {
	KIT_TEST(runs_begin_at_64_bytes),
	KIT_TEST(a_stream_goes_on_where_it_was),
	KIT_TEST(the_end_of_a_buffer),
	KIT_TEST(room_for_another_run),
	KIT_TEST(unreachable_buffers),
	KIT_TEST(buffers_that_end_early),
	KIT_TEST(push_belongs_to_the_last_byte),
	KIT_TEST(a_filled_hole_is_pushed),
	KIT_TEST(push_is_for_the_right_connection),
	KIT_TEST(a_full_ring_of_completions),
	KIT_TEST(a_new_pair_begins_with_new_buffers),
};
KIT_MAIN(tests)
