/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* TOE commands in every state, with every error. */
#include "toe_kit.h"

static void begin_commit_recall(void)
{
	struct toe_conn c = toe_established();
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct card_stats st;
	struct toe_cqe cqe;

	host_stats(c.h, &st);
	CHECK_EQ(st.toe_contexts, 1);
	memset(&b->state, 0, sizeof(b->state));
	toe_op(&c, TOE_CMD_RECALL, 0);
	cqe = host_expect(c.h, 0, TOE_CQE_RECALLED);
	CHECK_EQ(cqe.recalled.tid, c.tid);
	CHECK_EQ(cqe.recalled.host_id, 78);
	CHECK_EQ(cqe.recalled.reason, TOE_REASON_HOST);
	CHECK_EQ(b->state.snd_una, ISS);
	CHECK_EQ(b->state.rcv_nxt, IRS);
	CHECK(!memcmp(b->state.rmac, kit_peer_mac, 6));
	CHECK_EQ(b->state.lport, c.flow.lport);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_contexts, 0);
	/* The flow's frames go up from now on. */
	toe_from_peer(&c, IRS, ISS, 0x18, "x", 1);
	cqe = host_expect(c.h, 0, TOE_CQE_RX);
	CHECK_EQ(cqe.rx.tid, 0);
	host_destroy(c.h);
}

static void tids_have_generations(void)
{
	struct toe_conn c = toe_established();
	uint32_t old = c.tid, i;

	toe_op(&c, TOE_CMD_RECALL, 0);
	host_expect(c.h, 0, TOE_CQE_RECALLED);
	for (i = 0; i < 20; i++) {
		c.tid = toe_begin(c.h, &c.flow);
		CHECK(c.tid && c.tid != old);
		toe_op(&c, TOE_CMD_ABORT, 0);
		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	}
	c.tid = old;
	toe_op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_destroy(c.h);
}

static void begin_errors(void)
{
	struct host *h = toe_host(1, 64);
	struct card_flow f = kit_flow(4, 80, 1);
	struct toe_cmd cmd = toe_begin_cmd(&f, 5);
	unsigned int i;

	cmd.begin.family = 5;
	host_cmd(h, 0, &cmd);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_INVAL);
	for (i = 0; i < 8; i++) {
		f = kit_flow(4, 80, 100 + i);
		toe_begin(h, &f);
	}
	cmd = toe_begin_cmd(&f, 5);
	host_cmd(h, 0, &cmd);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_EXIST);
	f = kit_flow(4, 80, 200);
	cmd = toe_begin_cmd(&f, 5);
	host_cmd(h, 0, &cmd);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOMEM);
	host_destroy(h);
}

static void begin_is_answered_where_frames_go(void)
{
	struct host *h = toe_host(2, 64);
	unsigned int i, seen[2] = { 0 };
	struct toe_cqe cqe;

	for (i = 0; i < 8; i++) {
		struct card_flow f = kit_flow(4, 80, 100 + i);
		struct toe_cmd cmd = toe_begin_cmd(&f, i);
		unsigned int want = card_rss_flow(h->card.rss.key, &f) & 1;

		host_cmd(h, 0, &cmd);
		cqe = host_expect(h, want, TOE_CQE_CMD);
		CHECK_EQ(cqe.cmd.host_id, i);
		seen[want]++;
	}
	CHECK(seen[0] && seen[1]);
	host_destroy(h);
}

static void abort_lets_frames_up_in_order(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;
	unsigned int i;

	c.tid = toe_begin(c.h, &c.flow);
	for (i = 0; i < 5; i++)
		toe_from_peer(&c, IRS + i, ISS, 0x18, "x", 1);
	host_quiet(c.h, 0);
	toe_op(&c, TOE_CMD_ABORT, 0);
	for (i = 0; i < 5; i++) {
		cqe = host_expect(c.h, 0, TOE_CQE_RX);
		CHECK_EQ(card_get32((uint8_t *)host_ptr(c.h, c.h->pair[0].rx_mem +
				    (uint64_t)cqe.rx.buf_id * HOST_RX_BYTES) + 38), IRS + i);
	}
	cqe = host_expect(c.h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.op, TOE_CMD_ABORT);
	CHECK_EQ(cqe.cmd.status, TOE_ST_OK);
	host_destroy(c.h);
}

static void held_frames_are_replayed(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;

	c.tid = toe_begin(c.h, &c.flow);
	toe_from_peer(&c, IRS, ISS, 0x18, "hello ", 6);
	toe_from_peer(&c, IRS + 6, ISS, 0x18, "world", 5);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	cqe = host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(cqe.data.len, 11);
	CHECK_EQ(cqe.data.seq, IRS);
	CHECK(!memcmp(host_ptr(c.h, c.h->pair[0].rq_mem), "hello world", 11));
	host_destroy(c.h);
}

static void hold_is_bounded(void)
{
	struct toe_conn c = { .h = toe_host(1, 4096), .flow = kit_flow(4, 80, 4000) };
	struct card_stats st;
	struct toe_cqe cqe;
	static const char data[1448];
	unsigned int i, n = 0, sent = 3200;

	c.tid = toe_begin(c.h, &c.flow);
	for (i = 0; i < sent; i++)
		toe_from_peer(&c, IRS + i * sizeof(data), ISS, 0x18, data, sizeof(data));
	host_stats(c.h, &st);
	/* 4 MiB, headers and bookkeeping included */
	CHECK(st.toe_held_frames > 2600 && st.toe_held_frames < 2900);
	CHECK_EQ(st.toe_held_frames + st.toe_held_dropped, sent);
	/* Forgotten by the host: up they go after two seconds. */
	host_sleep(c.h, 1900000);
	host_quiet(c.h, 0);
	host_sleep(c.h, 200000);
	while (host_cqe(c.h, 0, &cqe) && cqe.type == TOE_CQE_RX)
		n++;
	CHECK_EQ(n, 2048);	/* as many as there are buffers */
	toe_commit(&c, c.tid, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_destroy(c.h);
}

static void try_commit(const struct min_tcp *st, uint64_t block, uint32_t want)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;

	c.tid = toe_begin(c.h, &c.flow);
	toe_from_peer(&c, IRS, ISS, 0x18, "x", 1);
	if (!block) {
		block = host_alloc(c.h, sizeof(struct toe_conn_block));
		*(struct min_tcp *)host_ptr(c.h, block) = *st;
	}
	toe_commit(&c, c.tid, block);
	/* The held frame has gone up before the refusal. */
	host_expect(c.h, 0, TOE_CQE_RX);
	cqe = host_expect(c.h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.status, want);
	toe_from_peer(&c, IRS + 1, ISS, 0x18, "x", 1);
	host_expect(c.h, 0, TOE_CQE_RX);
	toe_op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_destroy(c.h);
}

static void commit_errors(void)
{
	struct card_flow f = kit_flow(4, 80, 4000);
	struct min_tcp good = toe_state(&f), st;

	try_commit(&good, 0x1000, TOE_ST_DMA);
	try_commit(&good, HOST_IOVA + 32, TOE_ST_INVAL);
	try_commit(&good, HOST_IOVA + HOST_BYTES - 64, TOE_ST_DMA);
	st = good; st.lport ^= 1; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; st.family = 6; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; st.mss = 0; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; st.mss = 65535; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; st.ttl = 0; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; st.snd_wscale = 15; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; st.snd_nxt = ISS - 1; try_commit(&st, 0, TOE_ST_INVAL);
	st = good; memset(&st, 0xff, sizeof(st)); try_commit(&st, 0, TOE_ST_INVAL);
}

static void commands_in_the_wrong_state(void)
{
	struct toe_conn c = toe_established();
	struct card_stats st;

	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_STATE);
	toe_op(&c, TOE_CMD_ABORT, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_STATE);
	toe_op(&c, 200, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_NOTSUP);
	toe_op(&c, 0, 0);
	host_expect(c.h, 0, TOE_CQE_ERROR);
	c.tid ^= 0x100000;		/* another generation */
	toe_op(&c, TOE_CMD_RECALL, 0);
	toe_send(&c, ISS, HOST_IOVA, 10, 0);
	toe_op(&c, TOE_CMD_CREDIT, 0);
	host_quiet(c.h, 0);
	c.tid = 0xfffff;		/* beyond the table */
	toe_op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	c.tid = 0;
	toe_op(&c, TOE_CMD_SET_PARAMS, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_cmd_errors, 9);
	host_destroy(c.h);
}

static void set_params(void)
{
	struct toe_conn c = toe_established();
	struct toe_cmd cmd = { .op = TOE_CMD_SET_PARAMS, .tid = c.tid };
	uint64_t at = toe_fill(c.h, 10);
	struct card_packet pkt;

	cmd.set.mask = TOE_SET_TTL | TOE_SET_TOS | TOE_SET_RMAC;
	cmd.set.ttl = 9;
	cmd.set.tos = 0x10;
	memcpy(cmd.set.rmac, "\x52\x54\x00\x00\x00\x09", 6);
	host_cmd(c.h, 0, &cmd);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	toe_send(&c, ISS, at, 10, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK_EQ(toe_frame[22], 9);
	CHECK_EQ(toe_frame[15], 0x10);
	CHECK_EQ(toe_frame[5], 9);
	cmd.set.mask = 0x100;
	host_cmd(c.h, 0, &cmd);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_INVAL);
	cmd.set.mask = TOE_SET_MSS;
	host_cmd(c.h, 0, &cmd);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_INVAL);
	host_destroy(c.h);
}

static void query_and_write_back(void)
{
	struct toe_conn c = toe_established();
	struct toe_conn_block *b = host_ptr(c.h, c.block);

	toe_from_peer(&c, IRS, ISS, 0x18, "data", 4);
	toe_op(&c, TOE_CMD_QUERY, 0);
	host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	CHECK_EQ(b->stats.bytes_in, 4);
	toe_from_peer(&c, IRS + 4, ISS, 0x18, "more", 4);
	host_sleep(c.h, TOE_STATS_MS * 1000);
	CHECK_EQ(b->stats.bytes_in, 8);
	host_destroy(c.h);
}

/* A connection whose host has given @bytes of a block that is full of 0x5a. */
static struct toe_conn committed(uint32_t bytes)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cmd cmd = { .op = TOE_CMD_COMMIT };

	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, 2 * sizeof(struct toe_conn_block));
	memset(host_ptr(c.h, c.block), 0x5a, 2 * sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	cmd.tid = c.tid;
	cmd.commit.block_addr = c.block;
	cmd.commit.block_bytes = bytes;
	host_cmd(c.h, 0, &cmd);
	return c;
}

/* Up to where is the block written? */
static uint32_t written(const struct toe_conn *c)
{
	const uint8_t *b = host_ptr(c->h, c->block);
	uint32_t n = 2 * sizeof(struct toe_conn_block);

	while (n && b[n - 1] == 0x5a)
		n--;
	return n;
}

static void no_more_than_the_host_has_room_for(void)
{
	static const uint32_t given[] = { 0, TOE_CONN_BLOCK_MIN, 500, 640, 1000 };
	static const uint32_t wanted[] = { TOE_CONN_BLOCK_MIN, TOE_CONN_BLOCK_MIN, 500, 640, 640 };

	for (unsigned int i = 0; i < 5; i++) {
		struct toe_conn c = committed(given[i]);
		struct toe_conn_block *b = host_ptr(c.h, c.block);

		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
		toe_from_peer(&c, IRS, ISS, 0x18, "data", 4);
		host_expect(c.h, 0, TOE_CQE_DATA);
		toe_op(&c, TOE_CMD_QUERY, 0);
		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
		CHECK_EQ(b->stats.bytes_in, 4);
		CHECK_EQ(b->stats.ip_bytes_in, 44);
		CHECK_EQ(written(&c), wanted[i]);
		host_destroy(c.h);
	}
}

static void a_block_too_small(void)
{
	struct toe_conn c = committed(TOE_CONN_BLOCK_MIN - 1);

	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_INVAL);
	host_destroy(c.h);
}

/* Frames that no completion tells of: the one that ends it is told of. */
static void frames_of_connections(void)
{
	struct toe_conn c = toe_established();
	struct toe_shadow *cq = &c.h->pair[0].shadow[TOE_RING_CQ];
	struct card_packet pkt;

	CHECK_EQ(cq->toe_rx_frames, 0);
	toe_from_peer(&c, IRS, ISS, 0x18, "data", 4);
	host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(cq->toe_rx_frames, 1);
	CHECK(cq->toe_rx_bytes >= 14 + 44 && cq->toe_rx_bytes <= 60);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK_EQ(cq->toe_tx_frames, 1);
	CHECK_EQ(cq->toe_tx_bytes, 54);
	toe_from_peer(&c, IRS + 4, ISS, 0x11, NULL, 0);	/* a FIN */
	host_expect(c.h, 0, TOE_CQE_CLOSING);
	host_expect(c.h, 0, TOE_CQE_RECALLED);
	host_expect(c.h, 0, TOE_CQE_RX);
	CHECK_EQ(cq->toe_rx_frames, 1);
	host_destroy(c.h);
}

static void recall_while_holding(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };

	c.tid = toe_begin(c.h, &c.flow);
	toe_from_peer(&c, IRS, ISS, 0x18, "x", 1);
	toe_op(&c, TOE_CMD_RECALL, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.tid, c.tid);
	host_expect(c.h, 0, TOE_CQE_RX);
	host_quiet(c.h, 0);
	host_destroy(c.h);
}

static void destroying_the_pair_recalls(void)
{
	struct toe_conn c = toe_established();
	struct card_stats st;

	CHECK_EQ(host_admin(c.h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.tid, c.tid);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_contexts, 0);
	host_destroy(c.h);
}

static void already_sent_payload(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	uint64_t at = toe_fill(c.h, 300);
	struct card_packet pkt;
	struct min_tcp *st;

	c.tid = toe_begin(c.h, &c.flow);
	/* The first half is acknowledged while the connection is being handed over. */
	toe_from_peer(&c, IRS, ISS + 100, 0x10, NULL, 0);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	st = host_ptr(c.h, c.block);
	*st = toe_state(&c.flow);
	st->snd_nxt = st->snd_max = ISS + 200;
	st->rto_left_us = 200000;
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ACKED).acked.snd_una, ISS + 100);
	/* The host gave its memory too late to learn that from the first. */
	toe_send(&c, ISS, at, 60, TOE_SEND_SENT);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ACKED).acked.snd_una, ISS + 100);
	toe_send(&c, ISS + 60, at + 60, 40, TOE_SEND_SENT);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ACKED).acked.snd_una, ISS + 100);
	toe_send(&c, ISS + 100, at + 100, 100, TOE_SEND_SENT);
	host_quiet(c.h, 0);
	host_sleep(c.h, 1500000);
	do	/* an acknowledgement may come first */
		CHECK(toe_to_peer(&c, &pkt));
	while (pkt.end == 54);
	CHECK_EQ(card_get32(toe_frame + 38), ISS + 100);
	CHECK(!memcmp(toe_frame + 54, host_ptr(c.h, at + 100), 100));
	host_destroy(c.h);
}

static void host_frames_go_before_ours(void)
{
	struct toe_conn c = { .h = toe_host(1, 256), .flow = kit_flow(4, 80, 4000) };
	struct toe_cmd cmd = { .op = TOE_CMD_COMMIT };
	uint64_t at = host_alloc(c.h, 64);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	unsigned int i, n = 0;
	uint32_t len;

	c.tid = toe_begin(c.h, &c.flow);
	toe_from_peer(&c, IRS, ISS, 0x18, "x", 1);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	cmd.tid = c.tid;
	cmd.commit.block_addr = c.block;
	for (i = 0; i < 200; i++)
		host_tx(c.h, 0, &d);
	host_cmd(c.h, 0, &cmd);
	host_poll(c.h);
	while ((len = peer_recv(c.h, toe_frame, sizeof(toe_frame))) && toe_frame[12] == 0)
		n++;
	CHECK_EQ(n, 200);
	CHECK_EQ(card_get16(toe_frame + 12), CARD_ETH_IPV4);
	host_destroy(c.h);
}

/* Anything at all may stand in the rings. */
static void garbage_commands(void)
{
	struct toe_conn c = toe_established();
	struct toe_cqe cqe;
	uint64_t rng = 1;
	unsigned int i, j;

	for (i = 0; i < 20000; i++) {
		struct toe_cmd cmd;
		uint8_t *p = (uint8_t *)&cmd;

		for (j = 0; j < sizeof(cmd); j++) {
			rng = rng * 6364136223846793005u + 1442695040888963407u;
			p[j] = rng >> 56 < 128 ? 0 : rng >> 48;
		}
		cmd.op %= 10;
		if (i & 1)
			cmd.tid = c.tid + (i & 6 ? 0 : 0x100000 * (i & 0xff));
		if (i & 8)
			cmd.commit.block_addr = c.block;
		host_submit(c.h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
		card_poll(&c.h->card, c.h->now += 50);
		while (host_cqe(c.h, 0, &cqe))
			if (cqe.type == TOE_CQE_CMD && cqe.cmd.op == TOE_CMD_BEGIN &&
			    !cqe.cmd.status)
				c.tid = cqe.cmd.tid;
	}
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(begin_commit_recall),
	KIT_TEST(tids_have_generations),
	KIT_TEST(begin_errors),
	KIT_TEST(begin_is_answered_where_frames_go),
	KIT_TEST(abort_lets_frames_up_in_order),
	KIT_TEST(held_frames_are_replayed),
	KIT_TEST(hold_is_bounded),
	KIT_TEST(commit_errors),
	KIT_TEST(commands_in_the_wrong_state),
	KIT_TEST(set_params),
	KIT_TEST(query_and_write_back),
	KIT_TEST(no_more_than_the_host_has_room_for),
	KIT_TEST(a_block_too_small),
	KIT_TEST(frames_of_connections),
	KIT_TEST(recall_while_holding),
	KIT_TEST(destroying_the_pair_recalls),
	KIT_TEST(already_sent_payload),
	KIT_TEST(host_frames_go_before_ours),
	KIT_TEST(garbage_commands),
};
KIT_MAIN(tests)
