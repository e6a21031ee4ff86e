/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Segments that connections send: each byte of their headers, turns, and what they wait for. */
#include "../device/toe_ctx.h"
#include "toe_kit.h"

/* A connection whose state @change has touched before COMMIT. */
static struct toe_conn with(uint8_t family, uint32_t ring, void (*change)(struct min_tcp *st))
{
	struct toe_conn c = { .h = toe_host(1, ring), .flow = kit_flow(family, 80, 4000) };
	struct min_tcp *st;

	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	st = host_ptr(c.h, c.block);
	*st = toe_state(&c.flow);
	if (change)
		change(st);
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	return c;
}

static void distinctive(struct min_tcp *st)
{
	st->ttl = 37;
	st->tos = 0xab;			/* its ECN bits are the engine's */
	st->flow_label = 0xfff54321;	/* 20 bits of it count */
	st->flags |= TOE_MT_VLAN | TOE_MT_TSTAMP;
	st->vlan_tci = 0xe123;
	st->ts_val = 0x11223344;
	st->ts_recent = 0x55667788;
}

/* What stands in front of TCP in a frame with @n bytes of payload. */
static void lower_headers(uint8_t *want, const struct card_flow *f, uint32_t n, uint16_t id)
{
	memset(want, 0, 200);
	memcpy(want, kit_peer_mac, 6);
	memcpy(want + 6, kit_card_mac, 6);
	memcpy(want + 12, "\x81\x00\xe1\x23", 4);
	if (f->family == 4) {
		card_put16(want + 16, CARD_ETH_IPV4);
		want[18] = 0x45;
		want[19] = 0xa8;
		card_put16(want + 20, 52 + n);
		card_put16(want + 22, id);
		want[24] = 0x40;
		want[26] = 37;
		want[27] = CARD_IP_TCP;
		memcpy(want + 30, f->laddr, 4);
		memcpy(want + 34, f->raddr, 4);
		card_put16(want + 28, card_csum_fold(card_csum_add(0, want + 18, 20)));
	} else {
		card_put16(want + 16, CARD_ETH_IPV6);
		card_put32(want + 18, 0x6a854321);
		card_put16(want + 22, 32 + n);
		want[24] = CARD_IP_TCP;
		want[25] = 37;
		memcpy(want + 26, f->laddr, 16);
		memcpy(want + 42, f->raddr, 16);
	}
}

/* The headers but for what the engine and the checksums say. */
static void headers(uint8_t family)
{
	struct toe_conn c = with(family, 64, distinctive);
	uint32_t ip = family == 4 ? 20 : 40, l4 = 18 + ip, hdr = l4 + 32, i, id = 0;
	const struct toe_shadow *cq = &c.h->pair[0].shadow[TOE_RING_CQ];
	uint64_t at = toe_fill(c.h, 3000);
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct card_packet pkt;
	uint8_t want[200];

	toe_send(&c, ISS, at, 2500, TOE_SEND_PUSH);
	for (i = 0; i < 3; i++) {
		uint32_t n = i < 2 ? 1000 : 500;

		CHECK(toe_to_peer(&c, &pkt));
		CHECK_EQ(pkt.len, hdr + n);
		id = i ? id + 1 : card_get16(toe_frame + 22);
		lower_headers(want, &c.flow, n, id);
		CHECK(!memcmp(toe_frame, want, l4));
		card_put16(want, 80);
		card_put16(want + 2, 4000);
		card_put32(want + 4, ISS + i * 1000);
		card_put32(want + 8, IRS);
		want[12] = 0x80;
		want[13] = i == 2 ? 0x18 : 0x10;
		CHECK(!memcmp(toe_frame + l4, want, 14));
		CHECK_EQ(card_get16(toe_frame + l4 + 18), 0);	/* urgent pointer */
		CHECK(!memcmp(toe_frame + l4 + 20, "\1\1\x08\x0a", 4));
		CHECK_EQ(card_get32(toe_frame + l4 + 28), 0x55667788);
		CHECK(!memcmp(toe_frame + hdr, host_ptr(c.h, at + i * 1000), n));
	}
	CHECK(!toe_to_peer(&c, &pkt));
	host_poll(c.h);
	CHECK_EQ(cq->toe_tx_frames, 3);
	CHECK_EQ(cq->toe_tx_bytes, 2500 + 3 * (hdr - 4));
	CHECK_EQ(c.h->card.stats.toe_tx_segs, 3);
	CHECK_EQ(c.h->card.stats.toe_tx_bytes, 2500);
	CHECK_EQ(c.h->card.stats.toe_retrans_segs, 0);
	CHECK_EQ(c.h->card.stats.tx_frames, 3);
	toe_op(&c, TOE_CMD_QUERY, 0);
	CHECK_EQ(b->stats.ip_bytes_out, 2500 + 3 * (hdr - 18));
	host_destroy(c.h);
}

static void headers_ipv4(void)
{
	headers(4);
}

static void headers_ipv6(void)
{
	headers(6);
}

/* Sixteen segments of one, then sixteen of the other. */
static void connections_take_turns(void)
{
	struct toe_conn a = with(4, 256, NULL), b = a;
	uint64_t at = toe_fill(a.h, 40000);
	struct card_packet pkt;
	unsigned int i, run = 0;
	uint16_t last = 0;
	struct min_tcp *st;

	b.flow = kit_flow(4, 81, 4000);
	b.tid = toe_begin(a.h, &b.flow);
	b.block = host_alloc(a.h, sizeof(struct toe_conn_block));
	st = host_ptr(a.h, b.block);
	*st = toe_state(&b.flow);
	st->snd_cwnd = 1000000;
	toe_commit(&b, b.tid, b.block);
	host_expect(a.h, 0, TOE_CQE_CMD);
	st = host_ptr(a.h, a.block);
	toe_op(&a, TOE_CMD_RECALL, 0);
	host_expect(a.h, 0, TOE_CQE_RECALLED);
	*st = toe_state(&a.flow);
	st->snd_cwnd = 1000000;
	a.tid = toe_begin(a.h, &a.flow);
	toe_commit(&a, a.tid, a.block);
	for (i = 0; i < 2; i++) {
		struct toe_cmd cmd = { .op = TOE_CMD_SEND, .tid = i ? b.tid : a.tid };

		cmd.send.seq = ISS;
		cmd.send.nfrags = 1;
		cmd.send.addr[0] = at;
		cmd.send.len[0] = 40000;
		host_submit(a.h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
	}
	host_poll(a.h);
	for (i = 0; i < 80; i++) {
		CHECK(toe_to_peer(&a, &pkt));
		if (i && pkt.flow.rport != last) {
			CHECK(run == 16 || run == 8);
			run = 0;
		}
		last = pkt.flow.rport;
		run++;
	}
	CHECK_EQ(run, 8);
	CHECK(!toe_to_peer(&a, &pkt));
	host_destroy(a.h);
}

/* Frames of the host that can't go: 100 ms of patience, not more. */
static void patience_with_the_hosts_frames(void)
{
	struct toe_conn c = { .h = toe_host(2, 64), .flow = kit_flow(4, 80, 4000) };
	uint64_t at = toe_fill(c.h, 100), began;
	struct toe_txd d = { .addr = at, .len = 60 };
	struct toe_cmd cmd = { .op = TOE_CMD_COMMIT };
	unsigned int pair;
	struct card_packet pkt;

	cmd = toe_begin_cmd(&c.flow, 77);
	pair = card_rss_flow(c.h->card.rss.key, &c.flow) & 1;
	host_cmd(c.h, 0, &cmd);
	cmd = (struct toe_cmd){ .op = TOE_CMD_COMMIT };
	cmd.tid = c.tid = host_expect(c.h, pair, TOE_CQE_CMD).cmd.tid;
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	cmd.commit.block_addr = c.block;
	host_tx(c.h, 1, &d);			/* half a frame */
	host_submit(c.h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
	card_poll(&c.h->card, ++c.h->now);
	began = c.h->now;
	cmd = (struct toe_cmd){ .op = TOE_CMD_SEND, .tid = c.tid };
	cmd.send.seq = ISS;
	cmd.send.nfrags = 1;
	cmd.send.addr[0] = at;
	cmd.send.len[0] = 100;
	host_submit(c.h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
	card_poll(&c.h->card, ++c.h->now);
	CHECK(!toe_to_peer(&c, &pkt));
	card_poll(&c.h->card, began + 99999);
	CHECK(!toe_to_peer(&c, &pkt));
	card_poll(&c.h->card, began + 100000);
	CHECK(toe_to_peer(&c, &pkt));
	host_destroy(c.h);
}

/* Once they have gone there is no more waiting, also not for later ones. */
static void earlier_frames_only(void)
{
	struct toe_conn c = { .h = toe_host(1, 256), .flow = kit_flow(4, 80, 4000) };
	uint64_t at = toe_fill(c.h, 100);
	struct toe_txd d = { .addr = at, .len = 60, .flags = TOE_TXD_EOP };
	struct card_packet pkt;
	unsigned int i, n = 0;

	c.tid = toe_begin(c.h, &c.flow);
	toe_from_peer(&c, IRS, ISS, 0x18, "x", 1);	/* to be acknowledged at once */
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	for (i = 0; i < 3; i++)
		host_tx(c.h, 0, &d);
	toe_commit(&c, c.tid, c.block);
	while (peer_recv(c.h, toe_frame, sizeof(toe_frame)) && card_get16(toe_frame + 12) != 0x800)
		n++;
	CHECK_EQ(n, 3);
	d.flags = 0;
	host_tx(c.h, 0, &d);			/* the beginning of one */
	toe_send(&c, ISS, at, 100, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK_EQ(pkt.end, 154);
	host_destroy(c.h);
}

static void slow(struct min_tcp *st)
{
	st->srtt_us = 12345;
	st->rttvar_us = 10;
	st->snd_wnd = 4321;
}

static void acked_says_all(void)
{
	struct toe_conn c = with(4, 64, slow);
	struct toe_cqe cqe, want = { .type = TOE_CQE_ACKED };
	struct card_packet pkt;

	toe_send(&c, ISS, toe_fill(c.h, 100), 100, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	toe_from_peer(&c, IRS, ISS + 60, 0x10, NULL, 0);
	cqe = host_expect(c.h, 0, TOE_CQE_ACKED);
	want.phase = cqe.phase;
	want.acked.tid = c.tid;
	want.acked.host_id = 78;
	want.acked.snd_una = ISS + 60;
	want.acked.snd_wnd = 65535;
	want.acked.srtt_us = te_srtt_us(toe_ctx_by_tid(c.h->card.toe, c.tid)->conn);
	CHECK(want.acked.srtt_us);
	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	host_destroy(c.h);
}

/* Many acknowledgments in a turn are one; with a full ring they wait, and grow. */
static void acked_is_merged(void)
{
	struct toe_conn c = with(4, 64, NULL);
	uint8_t frame[200];
	struct toe_cqe cqe;
	uint32_t i, len;

	toe_send(&c, ISS, toe_fill(c.h, 100), 100, TOE_SEND_PUSH);
	for (i = 1; i <= 5; i++) {
		len = kit_tcp_frame(frame, &c.flow, IRS, ISS + i * 10, 0x10, NULL, 0);
		peer_send(c.h, frame, len);
	}
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ACKED).acked.snd_una, ISS + 50);
	host_quiet(c.h, 0);
	/* Fill the ring of 64 with frames for somebody else. */
	for (i = 0; i < 65; i++) {
		struct card_flow other = kit_flow(4, 99, i);

		len = kit_tcp_frame(frame, &other, 1, 1, 0x10, NULL, 0);
		host_rx_post(c.h, 0, 1);
		peer_send(c.h, frame, len);
		host_poll(c.h);
	}
	CHECK(card_cq_is_held(&c.h->card.pair[0].cq));
	for (i = 6; i <= 8; i++) {
		toe_from_peer(&c, IRS, ISS + i * 10, 0x10, NULL, 0);
		c.h->now += 60000;
		host_poll(c.h);
	}
	for (i = 0; i < 65; i++) {
		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
		host_poll(c.h);
	}
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ACKED).acked.snd_una, ISS + 80);
	host_quiet(c.h, 0);
	CHECK(!host_cqe(c.h, 0, &cqe));
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(headers_ipv4),
	KIT_TEST(headers_ipv6),
	KIT_TEST(connections_take_turns),
	KIT_TEST(patience_with_the_hosts_frames),
	KIT_TEST(earlier_frames_only),
	KIT_TEST(acked_says_all),
	KIT_TEST(acked_is_merged),
};
KIT_MAIN(tests)
