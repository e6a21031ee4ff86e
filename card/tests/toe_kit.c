/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* See toe_kit.h. */
#include "toe_kit.h"

uint8_t toe_frame[CARD_WIRE_FRAME];

struct host *toe_host(unsigned int pairs, uint32_t ring)
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

struct toe_cmd toe_begin_cmd(const struct card_flow *f, uint32_t host_id)
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

uint32_t toe_begin(struct host *h, const struct card_flow *f)
{
	struct toe_cmd cmd = toe_begin_cmd(f, 77);
	struct toe_cqe cqe;

	host_cmd(h, 0, &cmd);
	cqe = host_expect(h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.status, TOE_ST_OK);
	CHECK_EQ(cqe.cmd.cookie, 0xbe61);
	CHECK_EQ(cqe.cmd.host_id, 77);
	CHECK(cqe.cmd.tid);
	return cqe.cmd.tid;
}

struct min_tcp toe_state(const struct card_flow *f)
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

void toe_commit(struct toe_conn *c, uint32_t tid, uint64_t block)
{
	struct toe_cmd cmd = { .op = TOE_CMD_COMMIT, .cookie = 3, .tid = tid };

	cmd.commit.block_addr = block;
	cmd.commit.block_bytes = sizeof(struct toe_conn_block);
	cmd.commit.host_id = 78;
	host_cmd(c->h, 0, &cmd);
}

void toe_op(struct toe_conn *c, uint8_t code, uint8_t flags)
{
	struct toe_cmd cmd = { .op = code, .flags = flags, .cookie = 9, .tid = c->tid };

	host_cmd(c->h, 0, &cmd);
}

struct toe_conn toe_connect(uint8_t family)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(family, 80, 4000) };
	struct toe_cqe cqe;

	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	toe_commit(&c, c.tid, c.block);
	cqe = host_expect(c.h, 0, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.status, TOE_ST_OK);
	CHECK_EQ(cqe.cmd.op, TOE_CMD_COMMIT);
	return c;
}

struct toe_conn toe_established(void)
{
	return toe_connect(4);
}

void toe_from_peer(struct toe_conn *c, uint32_t seq, uint32_t ack, uint8_t flags,
		      const void *data, uint32_t len)
{
	uint8_t frame[2000];

	len = kit_tcp_frame(frame, &c->flow, seq, ack, flags, data, len);
	peer_send(c->h, frame, len);
	host_poll(c->h);
}

bool toe_to_peer(struct toe_conn *c, struct card_packet *pkt)
{
	uint32_t len = peer_recv(c->h, toe_frame, sizeof(toe_frame));

	if (!len)
		return false;
	card_packet_parse(pkt, toe_frame, len);
	card_packet_verify(pkt);
	CHECK(pkt->tcp && pkt->csum_ok);
	return true;
}

void toe_send(struct toe_conn *c, uint32_t seq, uint64_t addr, uint32_t len, uint8_t flags)
{
	struct toe_cmd cmd = { .op = TOE_CMD_SEND, .flags = flags, .tid = c->tid };

	cmd.send.seq = seq;
	cmd.send.nfrags = 1;
	cmd.send.addr[0] = addr;
	cmd.send.len[0] = len;
	host_cmd(c->h, 0, &cmd);
}

uint64_t toe_fill(struct host *h, uint32_t len)
{
	uint64_t at = host_alloc(h, len);
	uint8_t *p = host_ptr(h, at);
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = i * 31 + 7;
	return at;
}
