/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* TOE commands and events on a host of our own, with the real engine. */
#include "kit.h"
#include "../engine/engine.h"

#define ISS	1000u		/* our first byte */
#define IRS	5000u		/* the peer's */

static uint8_t out_frame[CARD_WIRE_FRAME];

struct conn {
	struct host *h;
	struct card_flow flow;
	uint32_t tid;
	uint64_t block;
};

static struct host *toe_host(unsigned int pairs, uint32_t ring)
{
	struct host *h = host_create(pairs, 8);
	uint64_t at = host_alloc(h, sizeof(struct toe_rss_param));
	struct toe_rss_param *rss = host_ptr(h, at);
	unsigned int i;

	for (i = 0; i < TOE_RSS_KEY; i++)
		rss->key[i] = i * 37 + 11;
	for (i = 0; i < TOE_RSS_INDIR; i++)
		rss->indir[i] = i % pairs;
	for (i = 0; i < pairs; i++) {
		host_pair_up(h, i, ring);
		host_rx_post(h, i, ring / 2);
		host_rq_post(h, i, 8);
	}
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, at, sizeof(*rss), 0), TOE_ST_OK);
	return h;
}

static struct toe_cmd begin_cmd(const struct card_flow *f, uint32_t host_id)
{
	struct toe_cmd cmd = { .op = TOE_CMD_BEGIN, .cookie = 0xbe61 };

	memcpy(cmd.begin.laddr, f->laddr, 16);
	memcpy(cmd.begin.raddr, f->raddr, 16);
	cmd.begin.lport = f->lport;
	cmd.begin.rport = f->rport;
	cmd.begin.family = f->family;
	cmd.begin.host_id = host_id;
	return cmd;
}

static uint32_t begin(struct host *h, const struct card_flow *f)
{
	struct toe_cmd cmd = begin_cmd(f, 77);
	struct toe_cqe cqe;

	host_cmd(h, 0, &cmd);
	cqe = host_expect(h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.status, TOE_ST_OK);
	CHECK_EQ(cqe.cmd.cookie, 0xbe61);
	CHECK_EQ(cqe.cmd.host_id, 77);
	CHECK(cqe.cmd.tid);
	return cqe.cmd.tid;
}

static struct min_tcp state(const struct card_flow *f)
{
	struct min_tcp st = {
		.family = f->family, .ttl = 64, .lport = f->lport, .rport = f->rport,
		.mss = 1000, .snd_una = ISS, .snd_nxt = ISS, .snd_max = ISS,
		.snd_wnd = 65535, .snd_wl1 = IRS, .max_window = 65535,
		.rcv_nxt = IRS, .rcv_adv = IRS + 60000, .rcv_mss = 1000,
		.snd_cwnd = 10000, .snd_ssthresh = 0xffffffff, .rto_us = 200000,
		.reordering = 3, .flags = TOE_MT_NODELAY,
	};

	memcpy(st.laddr, f->laddr, 16);
	memcpy(st.raddr, f->raddr, 16);
	memcpy(st.lmac, kit_card_mac, 6);
	memcpy(st.rmac, kit_peer_mac, 6);
	return st;
}

static void commit_cmd(struct conn *c, uint32_t tid, uint64_t block)
{
	struct toe_cmd cmd = { .op = TOE_CMD_COMMIT, .cookie = 3, .tid = tid };

	cmd.commit.block_addr = block;
	cmd.commit.host_id = 78;
	host_cmd(c->h, 0, &cmd);
}

static void op(struct conn *c, uint8_t code, uint8_t flags)
{
	struct toe_cmd cmd = { .op = code, .flags = flags, .cookie = 9, .tid = c->tid };

	host_cmd(c->h, 0, &cmd);
}

static struct conn connect_family(uint8_t family)
{
	struct conn c = { .h = toe_host(1, 64), .flow = kit_flow(family, 80, 4000) };
	struct toe_cqe cqe;

	c.tid = begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = state(&c.flow);
	commit_cmd(&c, c.tid, c.block);
	cqe = host_expect(c.h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.status, TOE_ST_OK);
	CHECK_EQ(cqe.cmd.op, TOE_CMD_COMMIT);
	return c;
}

static struct conn established(void)
{
	return connect_family(4);
}

static void from_peer(struct conn *c, uint32_t seq, uint32_t ack, uint8_t flags,
		      const void *data, uint32_t len)
{
	uint8_t frame[2000];

	len = kit_tcp_frame(frame, &c->flow, seq, ack, flags, data, len);
	peer_send(c->h, frame, len);
	host_poll(c->h);
}

static bool to_peer(struct conn *c, struct card_packet *pkt)
{
	uint32_t len = peer_recv(c->h, out_frame, sizeof(out_frame));

	if (!len)
		return false;
	card_packet_parse(pkt, out_frame, len);
	card_packet_verify(pkt);
	CHECK(pkt->tcp && pkt->csum_ok);
	return true;
}

static void send_cmd(struct conn *c, uint32_t seq, uint64_t addr, uint32_t len, uint8_t flags)
{
	struct toe_cmd cmd = { .op = TOE_CMD_SEND, .flags = flags, .tid = c->tid };

	cmd.send.seq = seq;
	cmd.send.nfrags = 1;
	cmd.send.addr[0] = addr;
	cmd.send.len[0] = len;
	host_cmd(c->h, 0, &cmd);
}

static uint64_t fill(struct host *h, uint32_t len)
{
	uint64_t at = host_alloc(h, len);
	uint8_t *p = host_ptr(h, at);
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = i * 31 + 7;
	return at;
}

static void begin_commit_recall(void)
{
	struct conn c = established();
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct card_stats st;
	struct toe_cqe cqe;

	host_stats(c.h, &st);
	CHECK_EQ(st.toe_contexts, 1);
	memset(&b->state, 0, sizeof(b->state));
	op(&c, TOE_CMD_RECALL, 0);
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
	from_peer(&c, IRS, ISS, 0x18, "x", 1);
	cqe = host_expect(c.h, 0, TOE_CQE_RX);
	CHECK_EQ(cqe.rx.tid, 0);
	host_destroy(c.h);
}

static void tids_have_generations(void)
{
	struct conn c = established();
	uint32_t old = c.tid, i;

	op(&c, TOE_CMD_RECALL, 0);
	host_expect(c.h, 0, TOE_CQE_RECALLED);
	for (i = 0; i < 20; i++) {
		c.tid = begin(c.h, &c.flow);
		CHECK(c.tid && c.tid != old);
		op(&c, TOE_CMD_ABORT, 0);
		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	}
	c.tid = old;
	op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_destroy(c.h);
}

static void begin_errors(void)
{
	struct host *h = toe_host(1, 64);
	struct card_flow f = kit_flow(4, 80, 1);
	struct toe_cmd cmd = begin_cmd(&f, 5);
	unsigned int i;

	cmd.begin.family = 5;
	host_cmd(h, 0, &cmd);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_INVAL);
	for (i = 0; i < 8; i++) {
		f = kit_flow(4, 80, 100 + i);
		begin(h, &f);
	}
	cmd = begin_cmd(&f, 5);
	host_cmd(h, 0, &cmd);
	CHECK_EQ(host_expect(h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_EXIST);
	f = kit_flow(4, 80, 200);
	cmd = begin_cmd(&f, 5);
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
		struct toe_cmd cmd = begin_cmd(&f, i);
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
	struct conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;
	unsigned int i;

	c.tid = begin(c.h, &c.flow);
	for (i = 0; i < 5; i++)
		from_peer(&c, IRS + i, ISS, 0x18, "x", 1);
	host_quiet(c.h, 0);
	op(&c, TOE_CMD_ABORT, 0);
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
	struct conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;

	c.tid = begin(c.h, &c.flow);
	from_peer(&c, IRS, ISS, 0x18, "hello ", 6);
	from_peer(&c, IRS + 6, ISS, 0x18, "world", 5);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = state(&c.flow);
	commit_cmd(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	cqe = host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(cqe.data.len, 11);
	CHECK_EQ(cqe.data.seq, IRS);
	CHECK(!memcmp(host_ptr(c.h, c.h->pair[0].rq_mem), "hello world", 11));
	host_destroy(c.h);
}

static void hold_is_bounded(void)
{
	struct conn c = { .h = toe_host(1, 1024), .flow = kit_flow(4, 80, 4000) };
	struct card_stats st;
	struct toe_cqe cqe;
	unsigned int i, n = 0;

	c.tid = begin(c.h, &c.flow);
	for (i = 0; i < 300; i++)
		from_peer(&c, IRS + i, ISS, 0x18, "x", 1);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_held_frames, 256);
	CHECK_EQ(st.toe_held_dropped, 44);
	/* Forgotten by the host: up they go after two seconds. */
	host_sleep(c.h, 1900000);
	host_quiet(c.h, 0);
	host_sleep(c.h, 200000);
	while (host_cqe(c.h, 0, &cqe) && cqe.type == TOE_CQE_RX)
		n++;
	CHECK_EQ(n, 256);
	commit_cmd(&c, c.tid, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_destroy(c.h);
}

static void try_commit(const struct min_tcp *st, uint64_t block, uint32_t want)
{
	struct conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;

	c.tid = begin(c.h, &c.flow);
	from_peer(&c, IRS, ISS, 0x18, "x", 1);
	if (!block) {
		block = host_alloc(c.h, sizeof(struct toe_conn_block));
		*(struct min_tcp *)host_ptr(c.h, block) = *st;
	}
	commit_cmd(&c, c.tid, block);
	/* The held frame has gone up before the refusal. */
	host_expect(c.h, 0, TOE_CQE_RX);
	cqe = host_expect(c.h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.status, want);
	from_peer(&c, IRS + 1, ISS, 0x18, "x", 1);
	host_expect(c.h, 0, TOE_CQE_RX);
	op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_destroy(c.h);
}

static void commit_errors(void)
{
	struct card_flow f = kit_flow(4, 80, 4000);
	struct min_tcp good = state(&f), st;

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
	struct conn c = established();
	struct card_stats st;

	commit_cmd(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_STATE);
	op(&c, TOE_CMD_ABORT, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_STATE);
	op(&c, 200, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_NOTSUP);
	op(&c, 0, 0);
	host_expect(c.h, 0, TOE_CQE_ERROR);
	c.tid ^= 0x100000;		/* another generation */
	op(&c, TOE_CMD_RECALL, 0);
	send_cmd(&c, ISS, HOST_IOVA, 10, 0);
	op(&c, TOE_CMD_CREDIT, 0);
	host_quiet(c.h, 0);
	c.tid = 0xfffff;		/* beyond the table */
	op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	c.tid = 0;
	op(&c, TOE_CMD_SET_PARAMS, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_NOCONN);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_cmd_errors, 9);
	host_destroy(c.h);
}

static void send_and_ack(uint8_t family)
{
	struct conn c = connect_family(family);
	uint64_t at = fill(c.h, 2500);
	struct card_packet pkt;
	struct toe_cqe cqe;
	uint32_t got = 0, hdr = family == 4 ? 54 : 74, n;

	send_cmd(&c, ISS, at, 1500, 0);
	send_cmd(&c, ISS + 1500, at + 1500, 1000, TOE_SEND_PUSH);
	while (to_peer(&c, &pkt)) {
		n = pkt.end - hdr;
		CHECK(n <= 1000);
		CHECK_EQ(card_get32(out_frame + pkt.l4 + 4), ISS + got);
		CHECK_EQ(card_get32(out_frame + pkt.l4 + 8), IRS);
		CHECK(!memcmp(out_frame + hdr, host_ptr(c.h, at + got), n));
		CHECK(!memcmp(out_frame, kit_peer_mac, 6));
		CHECK(!memcmp(pkt.flow.laddr, c.flow.raddr, 16));
		got += n;
		if (got == 2500)
			CHECK(out_frame[pkt.l4 + 13] & TE_PSH);
	}
	CHECK_EQ(got, 2500);
	from_peer(&c, IRS, ISS + 2500, 0x10, NULL, 0);
	cqe = host_expect(c.h, 0, TOE_CQE_ACKED);
	CHECK_EQ(cqe.acked.snd_una, ISS + 2500);
	CHECK_EQ(cqe.acked.snd_wnd, 65535);
	CHECK_EQ(cqe.acked.host_id, 78);
	host_destroy(c.h);
}

static void send_and_ack_ipv4(void)
{
	send_and_ack(4);
}

static void send_and_ack_ipv6(void)
{
	send_and_ack(6);
}

static void retransmission_gathers_anew(void)
{
	struct conn c = established();
	uint64_t at = fill(c.h, 100);
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct card_packet pkt;
	struct card_stats st;

	send_cmd(&c, ISS, at, 100, TOE_SEND_PUSH);
	CHECK(to_peer(&c, &pkt));
	CHECK(!to_peer(&c, &pkt));
	host_sleep(c.h, 1500000);
	CHECK(to_peer(&c, &pkt));
	CHECK(!memcmp(out_frame + 54, host_ptr(c.h, at), 100));
	host_stats(c.h, &st);
	CHECK(st.toe_retrans_segs >= 1);
	CHECK(b->stats.retrans_segs >= 1);	/* written back by itself */
	host_destroy(c.h);
}

static void send_errors(void)
{
	struct conn c = established();
	uint64_t at = fill(c.h, 100);
	struct toe_cmd cmd = { .op = TOE_CMD_SEND, .tid = c.tid };
	struct card_packet pkt;
	uint32_t i;

	send_cmd(&c, ISS + 1, at, 10, 0);		/* a gap */
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	send_cmd(&c, ISS, at, 0, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	send_cmd(&c, ISS, 0x1000, 10, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_DMA);
	send_cmd(&c, ISS, ~UINT64_C(0) - 4, 10, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_DMA);
	send_cmd(&c, ISS, at, 10, 0x80);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	send_cmd(&c, ISS, at, 0xffffffff, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	cmd.send.seq = ISS;
	host_cmd(c.h, 0, &cmd);				/* no pieces */
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.tid, c.tid);
	cmd.send.nfrags = 4;
	host_cmd(c.h, 0, &cmd);
	host_expect(c.h, 0, TOE_CQE_ERROR);
	CHECK(!to_peer(&c, &pkt));
	for (i = 0; i < CARD_TOE_FRAGS; i++)
		send_cmd(&c, ISS + i, at, 1, 0);
	host_quiet(c.h, 0);
	send_cmd(&c, ISS + i, at, 1, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_NOMEM);
	host_destroy(c.h);
}

static void unreachable_payload_recalls(void)
{
	struct conn c = established();
	uint64_t at = HOST_IOVA + HOST_BYTES - 4096;

	/* Reachable when posted, gone when it's to be sent again. */
	send_cmd(&c, ISS, at, 100, 0);
	card_dma_del(&c.h->card.dma, HOST_IOVA + HOST_BYTES / 2, HOST_BYTES / 2);
	host_sleep(c.h, 1500000);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CLOSING).closing.reason, TOE_REASON_DMA);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.reason, TOE_REASON_DMA);
	host_destroy(c.h);
}

static void data_is_packed_into_buffers(void)
{
	struct conn c = established();
	uint8_t data[1000];
	struct toe_cqe cqe;
	uint32_t i, got = 0, at;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 3;
	for (i = 0; i < 10; i++)
		from_peer(&c, IRS + i * 1000, ISS, i == 9 ? 0x18 : 0x10, data, 1000);
	while (host_cqe(c.h, 0, &cqe)) {
		const uint8_t *p;

		if (cqe.type != TOE_CQE_DATA)
			continue;
		CHECK_EQ(cqe.data.seq, IRS + got);
		CHECK_EQ(cqe.data.tid, c.tid);
		CHECK_EQ(cqe.data.host_id, 78);
		CHECK(cqe.data.offset % 64 == 0 || cqe.data.offset + cqe.data.len <= 4096);
		CHECK(cqe.data.offset + cqe.data.len <= HOST_RQ_BYTES);
		CHECK_EQ(!!(cqe.flags & TOE_DATA_BUF_DONE),
			 cqe.data.offset + cqe.data.len == HOST_RQ_BYTES);
		p = host_ptr(c.h, c.h->pair[0].rq_mem +
			     (uint64_t)cqe.data.buf_id * HOST_RQ_BYTES + cqe.data.offset);
		for (at = 0; at < cqe.data.len; at++)
			CHECK_EQ(p[at], data[(got + at) % 1000]);
		got += cqe.data.len;
	}
	CHECK_EQ(got, 10000);
	host_destroy(c.h);
}

static void batch_is_one_completion(void)
{
	struct conn c = established();
	uint8_t frame[200];
	struct card_packet pkt;
	struct toe_cqe cqe;
	uint32_t i, len, acked = 0;

	for (i = 0; i < 8; i++) {
		len = kit_tcp_frame(frame, &c.flow, IRS + i * 100, ISS, i == 7 ? 0x18 : 0x10,
				    frame, 100);
		peer_send(c.h, frame, len);
	}
	host_poll(c.h);
	cqe = host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(cqe.data.len, 800);
	CHECK(cqe.flags & TOE_DATA_PUSH);
	host_quiet(c.h, 0);
	while (to_peer(&c, &pkt))
		acked = card_get32(out_frame + pkt.l4 + 8);
	CHECK(acked > IRS);
	host_destroy(c.h);
}

/* What is acknowledged was placed, whatever buffers and completion slots there are. */
static void no_buffer_no_acknowledgement(void)
{
	struct conn c = established();
	struct card_packet pkt;
	struct card_stats st;
	uint8_t data[1000] = { 0 };
	struct toe_cqe cqe;
	uint32_t i, placed = 0, acked = IRS;

	for (i = 0; i < 40; i++) {
		from_peer(&c, IRS + i * 1000, ISS, 0x18, data, 1000);
		while (host_cqe(c.h, 0, &cqe))
			if (cqe.type == TOE_CQE_DATA)
				placed += cqe.data.len;
	}
	while (to_peer(&c, &pkt))
		acked = card_get32(out_frame + pkt.l4 + 8);
	CHECK(placed <= 8 * HOST_RQ_BYTES);
	CHECK_EQ(acked - IRS, placed);
	host_stats(c.h, &st);
	CHECK(st.toe_no_buffer > 0);
	CHECK_EQ(st.toe_rx_bytes, placed);
	host_destroy(c.h);
}

static void fin_leaves_in_order(void)
{
	struct conn c = established();
	uint64_t at = fill(c.h, 10);
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct toe_cqe cqe;

	send_cmd(&c, ISS, at, 10, TOE_SEND_PUSH);
	{
		uint8_t one[200], two[200];
		uint32_t n1 = kit_tcp_frame(one, &c.flow, IRS, ISS + 10, 0x18, "last", 4);
		uint32_t n2 = kit_tcp_frame(two, &c.flow, IRS + 4, ISS + 10, 0x11, NULL, 0);

		peer_send(c.h, one, n1);
		peer_send(c.h, two, n2);
		host_poll(c.h);
	}
	cqe = host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(cqe.data.len, 4);
	cqe = host_expect(c.h, 0, TOE_CQE_ACKED);
	CHECK_EQ(cqe.acked.snd_una, ISS + 10);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CLOSING).closing.reason, TOE_REASON_FIN);
	cqe = host_expect(c.h, 0, TOE_CQE_RECALLED);
	CHECK_EQ(cqe.recalled.reason, TOE_REASON_FIN);
	CHECK_EQ(b->state.rcv_nxt, IRS + 4);
	CHECK_EQ(b->state.snd_una, ISS + 10);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, c.tid);
	from_peer(&c, IRS + 4, ISS + 10, 0x11, NULL, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	host_destroy(c.h);
}

static void leaves_for(uint32_t reason, void (*spoil)(uint8_t *frame))
{
	struct conn c = established();
	uint8_t frame[200];
	uint32_t len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "data", 4);

	spoil(frame);
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CLOSING).closing.reason, reason);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.reason, reason);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, c.tid);
	host_destroy(c.h);
}

static void resum(uint8_t *frame)
{
	card_put16(frame + 24, 0);
	card_put16(frame + 24, card_csum_fold(card_csum_add(0, frame + 14,
							     (frame[14] & 15) * 4)));
}

static void make_fragment(uint8_t *frame)
{
	frame[20] = 0x20;
	resum(frame);
}

static void make_rst(uint8_t *frame)
{
	uint16_t sum = card_get16(frame + 50);

	frame[47] = 0x14;
	/* 0x18 became 0x14: the checksum grows by 4. */
	card_put16(frame + 50, card_csum_fold((uint16_t)~sum - 4));
}

static void leaves_for_fragment(void)
{
	leaves_for(TOE_REASON_FRAGMENT, make_fragment);
}

static void leaves_for_rst(void)
{
	leaves_for(TOE_REASON_RST, make_rst);
}

static void leaves_for_ip_options(void)
{
	struct conn c = established();
	uint8_t plain[200], frame[200];
	uint32_t len = kit_tcp_frame(plain, &c.flow, IRS, ISS, 0x18, "data", 4);

	memcpy(frame, plain, 34);
	memset(frame + 34, 1, 4);			/* four NOPs */
	memcpy(frame + 38, plain + 34, len - 34);
	frame[14] = 0x46;
	card_put16(frame + 16, len - 14 + 4);
	resum(frame);
	peer_send(c.h, frame, len + 4);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CLOSING).closing.reason, TOE_REASON_OPTION);
	host_expect(c.h, 0, TOE_CQE_RECALLED);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, c.tid);
	host_destroy(c.h);
}

static uint32_t icmp_frame(uint8_t *frame, const struct card_flow *f, uint32_t seq)
{
	memset(frame, 0, 70);
	kit_tcp_frame(frame, f, 0, 0, 0x10, NULL, 0);
	frame[23] = CARD_IP_ICMP;
	card_put16(frame + 16, 56);
	resum(frame);
	memset(frame + 34, 0, 36);
	frame[34] = 3;
	frame[35] = 4;
	frame[42] = 0x45;
	frame[51] = CARD_IP_TCP;
	memcpy(frame + 54, f->laddr, 4);
	memcpy(frame + 58, f->raddr, 4);
	memcpy(frame + 62, &f->lport, 2);
	memcpy(frame + 64, &f->rport, 2);
	card_put32(frame + 66, seq);
	return 70;
}

static void leaves_for_icmp(void)
{
	struct conn c = established();
	uint8_t frame[128];
	uint32_t len;

	/* Not in flight: a lie.  It goes up, the connection stays. */
	len = icmp_frame(frame, &c.flow, ISS + 1000000);
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	len = icmp_frame(frame, &c.flow, ISS);
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CLOSING).closing.reason, TOE_REASON_ICMP);
	host_expect(c.h, 0, TOE_CQE_RECALLED);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, c.tid);
	host_destroy(c.h);
}

static void foreign_frames_are_not_the_connections(void)
{
	struct conn c = established();
	uint8_t frame[200], tagged[204];
	struct card_stats st;
	uint32_t len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "data", 4);

	/* In another VLAN: another network. */
	memcpy(tagged, frame, 12);
	card_put32(tagged + 12, 0x81000005);
	memcpy(tagged + 16, frame + 12, len - 12);
	peer_send(c.h, tagged, len + 4);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	frame[5] ^= 1;				/* another station's */
	peer_send(c.h, frame, len);
	host_poll(c.h);
	host_quiet(c.h, 0);
	frame[5] ^= 1;
	frame[len - 1] ^= 1;			/* damaged */
	peer_send(c.h, frame, len);
	host_poll(c.h);
	host_quiet(c.h, 0);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_csum_bad, 1);
	CHECK_EQ(st.rx_filtered, 1);
	frame[len - 1] ^= 1;
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_DATA).data.len, 4);
	host_destroy(c.h);
}

static void set_params(void)
{
	struct conn c = established();
	struct toe_cmd cmd = { .op = TOE_CMD_SET_PARAMS, .tid = c.tid };
	uint64_t at = fill(c.h, 10);
	struct card_packet pkt;

	cmd.set.mask = TOE_SET_TTL | TOE_SET_TOS | TOE_SET_RMAC;
	cmd.set.ttl = 9;
	cmd.set.tos = 0x10;
	memcpy(cmd.set.rmac, "\x52\x54\x00\x00\x00\x09", 6);
	host_cmd(c.h, 0, &cmd);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	send_cmd(&c, ISS, at, 10, TOE_SEND_PUSH);
	CHECK(to_peer(&c, &pkt));
	CHECK_EQ(out_frame[22], 9);
	CHECK_EQ(out_frame[15], 0x10);
	CHECK_EQ(out_frame[5], 9);
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
	struct conn c = established();
	struct toe_conn_block *b = host_ptr(c.h, c.block);

	from_peer(&c, IRS, ISS, 0x18, "data", 4);
	op(&c, TOE_CMD_QUERY, 0);
	host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	CHECK_EQ(b->stats.bytes_in, 4);
	from_peer(&c, IRS + 4, ISS, 0x18, "more", 4);
	host_sleep(c.h, TOE_STATS_MS * 1000);
	CHECK_EQ(b->stats.bytes_in, 8);
	host_destroy(c.h);
}

static void recall_while_holding(void)
{
	struct conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };

	c.tid = begin(c.h, &c.flow);
	from_peer(&c, IRS, ISS, 0x18, "x", 1);
	op(&c, TOE_CMD_RECALL, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.tid, c.tid);
	host_expect(c.h, 0, TOE_CQE_RX);
	host_quiet(c.h, 0);
	host_destroy(c.h);
}

static void destroying_the_pair_recalls(void)
{
	struct conn c = established();
	struct card_stats st;

	CHECK_EQ(host_admin(c.h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.tid, c.tid);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_contexts, 0);
	host_destroy(c.h);
}

static void already_sent_payload(void)
{
	struct conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	uint64_t at = fill(c.h, 300);
	struct card_packet pkt;
	struct min_tcp *st;

	c.tid = begin(c.h, &c.flow);
	/* The first half is acknowledged while the connection is being handed over. */
	from_peer(&c, IRS, ISS + 100, 0x10, NULL, 0);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	st = host_ptr(c.h, c.block);
	*st = state(&c.flow);
	st->snd_nxt = st->snd_max = ISS + 200;
	st->rto_left_us = 200000;
	commit_cmd(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ACKED).acked.snd_una, ISS + 100);
	send_cmd(&c, ISS, at, 200, TOE_SEND_SENT);
	host_quiet(c.h, 0);
	host_sleep(c.h, 1500000);
	CHECK(to_peer(&c, &pkt));
	CHECK_EQ(card_get32(out_frame + 38), ISS + 100);
	CHECK(!memcmp(out_frame + 54, host_ptr(c.h, at + 100), 100));
	host_destroy(c.h);
}

/* Anything at all may stand in the rings. */
static void garbage_commands(void)
{
	struct conn c = established();
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
	KIT_TEST(send_and_ack_ipv4),
	KIT_TEST(send_and_ack_ipv6),
	KIT_TEST(retransmission_gathers_anew),
	KIT_TEST(send_errors),
	KIT_TEST(unreachable_payload_recalls),
	KIT_TEST(data_is_packed_into_buffers),
	KIT_TEST(batch_is_one_completion),
	KIT_TEST(no_buffer_no_acknowledgement),
	KIT_TEST(fin_leaves_in_order),
	KIT_TEST(leaves_for_fragment),
	KIT_TEST(leaves_for_rst),
	KIT_TEST(leaves_for_ip_options),
	KIT_TEST(leaves_for_icmp),
	KIT_TEST(foreign_frames_are_not_the_connections),
	KIT_TEST(set_params),
	KIT_TEST(query_and_write_back),
	KIT_TEST(recall_while_holding),
	KIT_TEST(destroying_the_pair_recalls),
	KIT_TEST(already_sent_payload),
	KIT_TEST(garbage_commands),
};
KIT_MAIN(tests)
