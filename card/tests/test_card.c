/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The card's turn: heart, link, doorbells, loopback, sleep, interrupts, complaints. */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "toe_kit.h"

static uint32_t status(struct host *h)
{
	return card_shm_get(&h->shm, TOE_REG_STATUS);
}

static void the_heart_beats_in_time(void)
{
	struct host *h = host_create(1, 16);
	uint64_t at = host_alloc(h, 64), due;
	uint32_t *word = host_ptr(h, at);

	host_sleep(h, 50000);
	CHECK_EQ(h->card.heartbeat, 0);		/* no address yet */
	host_reg(h, TOE_REG_HEARTBEAT_LO, at);
	host_reg(h, TOE_REG_HEARTBEAT_HI, at >> 32);
	host_sleep(h, 10000);
	CHECK_EQ(*word, 1);
	due = h->card.heartbeat_next;
	CHECK_EQ(card_deadline(&h->card), due);
	card_poll(&h->card, due - 1);
	CHECK_EQ(*word, 1);
	card_poll(&h->card, due);
	CHECK_EQ(*word, 2);
	CHECK_EQ(h->card.heartbeat_next, due + 10000);
	h->shm.bus_master = 0;
	card_poll(&h->card, due + 10000);
	h->shm.bus_master = 1;
	card_poll(&h->card, due + 20000);
	CHECK_EQ(*word, 3);
	card_fatal(&h->card, "test");
	card_poll(&h->card, due + 30000);
	CHECK_EQ(*word, 3);
	h->now = due + 40000;
	host_destroy(h);
}

static void fatal_is_told_once_and_stays(void)
{
	struct host *h = host_create(1, 16);

	card_fatal(&h->card, "test");
	CHECK_EQ(status(h), TOE_STATUS_READY | TOE_STATUS_LINK | TOE_STATUS_FATAL);
	card_wire_set_fd(&h->wire, -1, true);
	host_poll(h);
	CHECK_EQ(status(h), TOE_STATUS_READY | TOE_STATUS_FATAL);
	host_destroy(h);
}

static void link_changes_are_told(void)
{
	struct host *h = host_create(1, 16);
	struct toe_cqe *cqe = (struct toe_cqe *)h->admin.ring[TOE_RING_CQ];
	struct toe_cqe want = { .type = TOE_CQE_LINK, .phase = 1 };
	uint32_t mtu = 1500;

	CHECK_EQ(status(h), TOE_STATUS_READY | TOE_STATUS_LINK);
	CHECK_EQ(cqe[0].phase, 0);
	card_wire_set_fd(&h->wire, -1, true);
	host_poll(h);
	CHECK_EQ(status(h), TOE_STATUS_READY);
	CHECK(!memcmp(&cqe[0], &want, sizeof(want)));
	host_poll(h);
	CHECK_EQ(cqe[1].phase, 0);		/* once */
	/* In loopback the card is its own peer. */
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_LOOPBACK, 0, 0, 0), 0);
	CHECK_EQ(status(h), TOE_STATUS_READY | TOE_STATUS_LINK);
	CHECK(!memcmp(&cqe[2], &want, sizeof(want)));
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0, 0, 0, 0), 0);
	CHECK_EQ(status(h), TOE_STATUS_READY);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, mtu, 0, 0, 0), 0);
	host_reg(h, TOE_REG_CONTROL, 0);
	h->wire.link = true;			/* nobody to be told */
	host_poll(h);
	CHECK_EQ(status(h), TOE_STATUS_READY | TOE_STATUS_LINK);
	h->wire.link = false;
	host_destroy(h);
}

static struct host *nic(unsigned int pairs, uint32_t ring)
{
	struct host *h = host_create(pairs, 16);
	unsigned int i;

	for (i = 0; i < pairs; i++)
		host_pair_up(h, i, ring);
	host_poll(h);
	return h;
}

/* An impossible index of any ring: told once, with all fields; again for a new pair. */
static void broken_rings_are_told_of(void)
{
	unsigned int ring, again;

	for (ring = TOE_RING_TX; ring < TOE_RING_CQ; ring++) {
		struct host *h = nic(2, 16);
		struct toe_cqe cqe, want = { .type = TOE_CQE_ERROR, .phase = 1,
					     .error.reason = TOE_ST_INVAL };

		for (again = 0; again < 2; again++) {
			h->pair[1].shadow[ring].prod = 17;
			card_sq_seen(&h->card.pair[1].rx);
			card_sq_seen(&h->card.pair[1].rq);
			host_poll(h);
			cqe = host_expect(h, 1, TOE_CQE_ERROR);
			CHECK(!memcmp(&cqe, &want, sizeof(want)));
			host_poll(h);
			host_quiet(h, 1);
			host_quiet(h, 0);
			CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 1, 0, 0, 0), 0);
			host_pair_up(h, 1, 16);
			host_poll(h);
			host_quiet(h, 1);
		}
		host_destroy(h);
	}
}

/* What waits for room is put into it before the pair goes. */
static void a_pairs_last_completions(void)
{
	struct host *h = nic(1, 16);
	struct toe_txd bad = { .addr = HOST_IOVA, .len = 5, .flags = TOE_TXD_EOP };
	struct toe_cqe cqe;
	unsigned int i, n = 0;

	for (i = 0; i < 12; i++) {
		host_tx(h, 0, &bad);
		host_poll(h);
	}
	CHECK(card_cq_is_held(&h->card.pair[0].cq));
	for (i = 0; i < 16; i++)
		CHECK(host_cqe(h, 0, &cqe));
	card_pair_destroy(&h->card, &h->card.pair[0]);
	while (host_cqe(h, 0, &cqe))
		n++;
	CHECK(n > 0);
	CHECK(!h->card.pair[0].active);
	CHECK(!h->card.pair[0].txs.buf);
	card_pair_destroy(&h->card, &h->card.pair[0]);	/* one that isn't there */
	host_destroy(h);
}

static uint8_t out[CARD_WIRE_FRAME];

static void loopback_is_bounded(void)
{
	struct host *h = nic(1, 1024);
	uint64_t at = toe_fill(h, 64);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	unsigned int i;

	memcpy(host_ptr(h, at), kit_card_mac, 6);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_LOOPBACK, 0, 0, 0), 0);
	host_rx_post(h, 0, 600);
	host_poll(h);
	for (i = 0; i < CARD_LOOP_FRAMES; i++) {
		uint8_t *slot = card_xmit_slot(&h->card);

		CHECK(slot);
		memcpy(slot, host_ptr(h, at), 60);
		slot[20] = i;
		card_xmit(&h->card, 60);
	}
	CHECK(!card_xmit_slot(&h->card));
	CHECK(card_arm(&h->card));
	host_poll(h);
	for (i = 0; i < CARD_LOOP_FRAMES; i++) {
		struct toe_cqe cqe = host_expect(h, 0, TOE_CQE_RX);

		CHECK_EQ(cqe.rx.len, 60);
		CHECK_EQ(((uint8_t *)host_ptr(h, h->pair[0].rx_mem +
					      (uint64_t)cqe.rx.buf_id * HOST_RX_BYTES))[20],
			 (uint8_t)i);
	}
	CHECK(!card_arm(&h->card));
	host_tx(h, 0, &d);
	host_poll(h);
	host_expect(h, 0, TOE_CQE_RX);
	CHECK_EQ(peer_recv(h, out, sizeof(out)), 0);
	CHECK_EQ(h->card.stats.tx_frames, CARD_LOOP_FRAMES + 1);
	CHECK_EQ(h->card.stats.rx_frames, CARD_LOOP_FRAMES + 1);
	/* What is under way when the card ends is freed: kit.c looks. */
	CHECK(card_xmit_slot(&h->card));
	card_xmit(&h->card, 60);
	host_destroy(h);
}

/* card_arm() says for each kind of work that it is there, and asks for its doorbell. */
static void sleep_is_refused_for_work(void)
{
	struct host *h = nic(2, 64);
	struct toe_admin_cmd admin = { .op = TOE_ADMIN_MTU, .arg = 1500 };
	struct card_flow f = kit_flow(4, 1, 2);
	struct toe_cmd cmd = toe_begin_cmd(&f, 1);
	uint64_t at = toe_fill(h, 64);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	uint8_t frame[64] = { 0 };
	unsigned int i;

	CHECK(!card_arm(&h->card));
	for (i = 0; i < 2; i++) {
		host_submit(h, i, TOE_RING_SQ, &cmd, sizeof(cmd));
		CHECK(card_arm(&h->card));
		host_poll(h);
		CHECK(!card_arm(&h->card));
		CHECK_EQ(h->pair[i].shadow[TOE_RING_SQ].card_event, 1);
		host_tx(h, i, &d);
		CHECK(card_arm(&h->card));
		host_poll(h);
		CHECK(!card_arm(&h->card));
		CHECK_EQ(h->pair[i].shadow[TOE_RING_TX].card_event, 1);
		host_rx_post(h, i, 2);		/* empty buffers are no work */
		CHECK(!card_arm(&h->card));
	}
	memcpy(h->admin.ring[TOE_RING_SQ] + h->admin.prod[TOE_RING_SQ] % 16 * 64, &admin, 64);
	h->admin.shadow[0].prod = ++h->admin.prod[TOE_RING_SQ];
	CHECK(card_arm(&h->card));
	host_poll(h);
	CHECK(!card_arm(&h->card));
	CHECK_EQ(h->admin.shadow[0].card_event, h->admin.prod[TOE_RING_SQ]);
	/* Frames that are read but not handed out. */
	memcpy(frame, kit_card_mac, 6);
	for (i = 0; i < CARD_BATCH + 1; i++)
		peer_send(h, frame, 60);
	card_poll(&h->card, ++h->now);
	CHECK_EQ(h->card.stats.rx_frames, CARD_BATCH);
	CHECK(card_arm(&h->card));
	card_poll(&h->card, ++h->now);
	CHECK(!card_arm(&h->card));
	host_reg(h, TOE_REG_CONTROL, 0);
	CHECK(!card_arm(&h->card));
	host_destroy(h);
}

/* With a full wire a frame is no reason to stay awake: room wakes by itself. */
static void a_full_wire_lets_sleep(void)
{
	struct host *h = nic(1, 64);
	uint64_t at = toe_fill(h, 64);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };

	h->wire.st->tail = h->wire.st->head + CARD_WIRE_SLOTS;
	host_tx(h, 0, &d);
	CHECK(!card_arm(&h->card));
	h->wire.st->tail--;
	CHECK(card_arm(&h->card));
	h->wire.st->tail = h->wire.st->head;
	host_poll(h);
	host_destroy(h);
}

/* Full rings: nothing to be done but to look again in 100 us. */
static void held_completions_are_looked_after(void)
{
	struct host *h = nic(2, 16);
	struct toe_txd bad = { .addr = HOST_IOVA, .len = 5, .flags = TOE_TXD_EOP };
	struct card_flow f = kit_flow(4, 1, 2);
	struct toe_cmd cmd = toe_begin_cmd(&f, 1);
	struct toe_cqe cqe;
	unsigned int i;

	card_poll(&h->card, h->now = h->card.heartbeat_next);
	CHECK_EQ(card_deadline(&h->card), h->now + 10000);
	for (i = 0; i < 9; i++) {
		host_tx(h, 1, &bad);
		card_poll(&h->card, h->now);
	}
	CHECK(card_cq_is_held(&h->card.pair[1].cq));
	CHECK_EQ(card_deadline(&h->card), h->now + 100);
	host_submit(h, 1, TOE_RING_SQ, &cmd, sizeof(cmd));
	host_tx(h, 1, &bad);
	CHECK(!card_arm(&h->card));
	card_poll(&h->card, h->now);
	CHECK_EQ(h->card.stats.toe_contexts, 0);
	for (i = 0; i < 16; i++)
		CHECK(host_cqe(h, 1, &cqe));
	card_poll(&h->card, h->now);
	CHECK(!card_cq_is_held(&h->card.pair[1].cq));
	host_poll(h);
	CHECK_EQ(h->card.stats.toe_contexts, 1);
	/* The same of the admin ring: 17 changes of the link. */
	for (i = 0; i < 17; i++) {
		h->wire.link = i & 1;
		card_poll(&h->card, h->now);
	}
	CHECK(card_cq_is_held(&h->card.admin_cq));
	CHECK_EQ(card_deadline(&h->card), h->card.now + 100);
	host_destroy(h);
}

/* While the wire isn't read a write finds out that nobody is there. */
static void a_write_finds_the_wire_lost(void)
{
	struct host *h = nic(1, 16);
	const struct toe_cqe cqe = { .type = TOE_CQE_LINK };

	while (!card_cq_is_held(&h->card.pair[0].cq))
		card_post(&h->card, &h->card.pair[0].cq, &cqe);
	CHECK(!card_reads_wire(&h->card));
	close(h->peer);
	CHECK(card_xmit_slot(&h->card));
	card_xmit(&h->card, 60);
	card_poll(&h->card, h->now);
	CHECK_EQ(h->wire.fd, -1);
	CHECK(!h->wire.link);
	h->peer = dup(0);
	host_destroy(h);
}

static void deadlines_of_all_parts(void)
{
	struct host *h = nic(1, 16);
	struct card_flow f = kit_flow(4, 1, 2);
	struct toe_cmd cmd = toe_begin_cmd(&f, 1);

	host_cmd(h, 0, &cmd);
	h->card.heartbeat_next = UINT64_MAX;
	CHECK(card_deadline(&h->card) <= h->now + 2000000);
	CHECK(card_deadline(&h->card) > h->now + 1999000);
	h->card.heartbeat_next = h->now + 7;
	CHECK_EQ(card_deadline(&h->card), h->now + 7);
	h->card.heartbeat_next = UINT64_MAX;
	h->wire.st->tail++;			/* one frame, and nobody takes it */
	h->wire.stalled_since = h->now - 1999990;
	CHECK_EQ(card_deadline(&h->card), h->now + 10);
	h->wire.st->tail--;
	h->wire.stalled_since = 0;
	h->card.heartbeat_next = 0;
	host_destroy(h);
}

/* Each ring's own vector, and only if something is new. */
static void vectors(void)
{
	struct host *h = nic(3, 16);
	struct toe_txd bad = { .addr = HOST_IOVA, .len = 5, .flags = TOE_TXD_EOP };
	unsigned int i, v;

	for (i = 0; i < 3; i++) {
		memset(h->irqs, 0, sizeof(h->irqs));
		h->pair[i].shadow[TOE_RING_CQ].host_event = h->pair[i].cons;
		host_tx(h, i, &bad);
		host_poll(h);
		for (v = 0; v < TOE_VECTORS; v++)
			CHECK_EQ(h->irqs[v], v == i + 1);
	}
	memset(h->irqs, 0, sizeof(h->irqs));
	h->admin.shadow[1].host_event = h->admin.cons;
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 1500, 0, 0, 0), 0);
	for (v = 0; v < TOE_VECTORS; v++)
		CHECK_EQ(h->irqs[v], v == 0);
	host_destroy(h);
}

/* A turn says whether there was anything to do, so that the loop knows when to sleep. */
static void a_turn_tells_of_work(void)
{
	struct host *h = nic(1, 64);
	struct card_flow f = kit_flow(4, 1, 2);
	struct toe_cmd cmd = toe_begin_cmd(&f, 1);
	uint64_t at = toe_fill(h, 64);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	struct toe_admin_cmd admin = { .op = TOE_ADMIN_MTU, .arg = 1500 };
	uint8_t frame[60] = { 0 };

	CHECK(!card_poll(&h->card, ++h->now));
	card_shm_push(&h->shm, TOE_REG_HEARTBEAT_LO, 0);
	CHECK(card_poll(&h->card, ++h->now));
	CHECK(!card_poll(&h->card, ++h->now));
	h->shm.doorbells = 4;
	CHECK(card_poll(&h->card, ++h->now));
	CHECK_EQ(h->shm.doorbells, 0);
	CHECK(!card_poll(&h->card, ++h->now));
	host_submit(h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
	h->shm.doorbells = 0;
	CHECK(card_poll(&h->card, ++h->now));
	CHECK(!card_poll(&h->card, ++h->now));
	host_tx(h, 0, &d);
	h->shm.doorbells = 0;
	CHECK(card_poll(&h->card, ++h->now));
	CHECK(!card_poll(&h->card, ++h->now));
	memcpy(h->admin.ring[TOE_RING_SQ] + h->admin.prod[TOE_RING_SQ] % 16 * 64, &admin, 64);
	h->admin.shadow[0].prod = ++h->admin.prod[TOE_RING_SQ];
	CHECK(card_poll(&h->card, ++h->now));
	CHECK(!card_poll(&h->card, ++h->now));
	peer_send(h, frame, 60);
	CHECK(card_poll(&h->card, ++h->now));
	CHECK(!card_poll(&h->card, ++h->now));
	close(h->peer);				/* gone: the wire is given up */
	CHECK(!card_poll(&h->card, ++h->now));
	CHECK_EQ(h->wire.fd, -1);
	CHECK(!h->wire.link);
	h->peer = eventfd(0, 0);
	host_destroy(h);
}

/* All eight pairs do all that a pair does, whatever stands behind the last one. */
static void eight_pairs_and_no_ninth(void)
{
	struct host *h = nic(TOE_MAX_PAIRS, 64);
	uint64_t at = host_alloc(h, 64 * 8), payload = toe_fill(h, 100);
	struct toe_txd d = { .addr = payload, .len = 60, .flags = TOE_TXD_EOP };
	struct toe_conn c = { .h = h, .flow = kit_flow(4, 80, 4000) };
	struct card_packet pkt;
	unsigned int i;

	memset(host_ptr(h, at), 0xff, 64 * 8);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 3, at, 64 * 8, 64), 0);
	for (i = 0; i < TOE_MAX_PAIRS; i++) {
		host_rx_post(h, i, 8);
		host_rq_post(h, i, 8);
		host_tx(h, i, &d);
	}
	host_poll(h);
	for (i = 0; i < TOE_MAX_PAIRS; i++) {
		CHECK_EQ(host_expect(h, i, TOE_CQE_TX).tx.cons, 1);
		CHECK_EQ(peer_recv(h, out, sizeof(out)), 60);
	}
	CHECK(!card_arm(&h->card));
	CHECK(card_reads_wire(&h->card));
	CHECK(card_deadline(&h->card) > h->now + 100);
	c.tid = toe_begin(h, &c.flow);		/* without RSS all is pair 0's */
	c.block = host_alloc(h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(h, c.block) = toe_state(&c.flow);
	toe_commit(&c, c.tid, c.block);
	toe_send(&c, ISS, payload, 100, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	for (i = 0; i < TOE_MAX_PAIRS; i++)
		CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, i, 0, 0, 0), 0);
	CHECK(!card_rx_steer(&h->card, 5));
	host_reg(h, TOE_REG_CONTROL, 0);
	CHECK(!h->card.enabled);
	host_destroy(h);
}

/* What the host does wrong is told with -v, and only that. */
static void complaints(void)
{
	int out_fd = memfd_create("stderr", MFD_CLOEXEC), saved = dup(2);
	struct host *h = nic(1, 64);
	struct toe_txd d = { .addr = HOST_IOVA, .len = 5, .flags = TOE_TXD_EOP };
	struct toe_cmd cmd = { .op = TOE_CMD_QUERY + 1 };
	char text[4096] = { 0 };
	unsigned int i, lines = 0;

	fflush(stderr);
	dup2(out_fd, 2);
	for (i = 0; i < 2; i++) {
		h->card.cfg.verbose = i;
		host_tx(h, 0, &d);			/* 1 */
		host_admin(h, TOE_ADMIN_MTU, 1, 0, 0, 0);	/* 2 */
		host_admin(h, TOE_ADMIN_MTU, 1500, 0, 0, 0);
		host_reg(h, TOE_REG_MAGIC, 0);		/* 3 */
		host_reg(h, TOE_REG_ADMIN_SIZE, 0);	/* 4 */
		host_cmd(h, 0, &cmd);			/* 5 */
	}
	h->pair[0].shadow[TOE_RING_TX].prod += 100;
	host_poll(h);					/* 6 */
	host_reg(h, TOE_REG_CONTROL, 0);
	host_reg(h, TOE_REG_ADMIN_SIZE, 17);
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);	/* 7, and 8 always */
	card_fatal(&h->card, "again");
	dup2(saved, 2);
	CHECK(pread(out_fd, text, sizeof(text) - 1, 0) > 0);
	close(out_fd);
	close(saved);
	for (i = 0; text[i]; i++)
		lines += text[i] == '\n';
	CHECK_EQ(lines, 8);
	CHECK(strstr(text, "refused TOE command 0x9\n"));
	CHECK(strstr(text, "ENABLE with a bad admin ring, size 0x11\n"));
	CHECK(strstr(text, "bad TX descriptor at index 0x2\n"));
	CHECK(strstr(text, "refused admin command 0x5\n"));
	CHECK(strstr(text, "write to register 0x0\n"));
	CHECK(strstr(text, "write while enabled to register 0x58\n"));
	CHECK(strstr(text, "impossible ring index on pair 0x0\n"));
	CHECK(strstr(text, "fatal: bad admin ring\n"));
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(the_heart_beats_in_time),
	KIT_TEST(fatal_is_told_once_and_stays),
	KIT_TEST(link_changes_are_told),
	KIT_TEST(broken_rings_are_told_of),
	KIT_TEST(a_pairs_last_completions),
	KIT_TEST(loopback_is_bounded),
	KIT_TEST(sleep_is_refused_for_work),
	KIT_TEST(a_full_wire_lets_sleep),
	KIT_TEST(held_completions_are_looked_after),
	KIT_TEST(a_write_finds_the_wire_lost),
	KIT_TEST(deadlines_of_all_parts),
	KIT_TEST(vectors),
	KIT_TEST(a_turn_tells_of_work),
	KIT_TEST(eight_pairs_and_no_ninth),
	KIT_TEST(complaints),
};
KIT_MAIN(tests)
