/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Payload of connections, out and in. */
#include "toe_kit.h"

static void send_and_ack(uint8_t family)
{
	struct toe_conn c = toe_connect(family);
	uint64_t at = toe_fill(c.h, 2500);
	struct card_packet pkt;
	struct toe_cqe cqe;
	uint32_t got = 0, hdr = family == 4 ? 54 : 74, n;

	toe_send(&c, ISS, at, 1500, 0);
	toe_send(&c, ISS + 1500, at + 1500, 1000, TOE_SEND_PUSH);
	while (toe_to_peer(&c, &pkt)) {
		n = pkt.end - hdr;
		CHECK(n <= 1000);
		CHECK_EQ(card_get32(toe_frame + pkt.l4 + 4), ISS + got);
		CHECK_EQ(card_get32(toe_frame + pkt.l4 + 8), IRS);
		CHECK(!memcmp(toe_frame + hdr, host_ptr(c.h, at + got), n));
		CHECK(!memcmp(toe_frame, kit_peer_mac, 6));
		CHECK(!memcmp(pkt.flow.laddr, c.flow.raddr, 16));
		got += n;
		if (got == 2500)
			CHECK(toe_frame[pkt.l4 + 13] & TE_PSH);
	}
	CHECK_EQ(got, 2500);
	toe_from_peer(&c, IRS, ISS + 2500, 0x10, NULL, 0);
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
	struct toe_conn c = toe_established();
	uint64_t at = toe_fill(c.h, 100);
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct card_packet pkt;
	struct card_stats st;

	toe_send(&c, ISS, at, 100, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK(!toe_to_peer(&c, &pkt));
	host_sleep(c.h, 1500000);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK(!memcmp(toe_frame + 54, host_ptr(c.h, at), 100));
	host_stats(c.h, &st);
	CHECK(st.toe_retrans_segs >= 1);
	CHECK(b->stats.retrans_segs >= 1);	/* written back by itself */
	host_destroy(c.h);
}

static struct toe_conn closed_window(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct min_tcp *st;

	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	st = host_ptr(c.h, c.block);
	*st = toe_state(&c.flow);
	st->snd_wnd = 0;
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	return c;
}

/* Nothing can be sent, and still a timer is to run from then on. */
static void closed_window_is_probed(void)
{
	struct toe_conn c = closed_window();
	struct card_packet pkt;

	toe_send(&c, ISS, toe_fill(c.h, 100), 100, TOE_SEND_PUSH);
	CHECK(!toe_to_peer(&c, &pkt));
	host_sleep(c.h, 1500000);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK_EQ(card_get32(toe_frame + pkt.l4 + 4), ISS - 1);
	CHECK_EQ(pkt.end, 54);
	host_destroy(c.h);
}

/* Each record in a segment of its own, whatever came with it. */
static void records_are_kept_apart(void)
{
	static const uint32_t want[] = { 100, 300, 1000, 200, 50 };
	struct toe_conn c = closed_window();
	uint64_t at = toe_fill(c.h, 1650);
	uint32_t got = 0, n, i;
	struct card_packet pkt;

	toe_send(&c, ISS, at, 100, TOE_SEND_EOR);
	toe_send(&c, ISS + 100, at + 100, 200, 0);
	toe_send(&c, ISS + 300, at + 300, 100, TOE_SEND_EOR);
	toe_send(&c, ISS + 400, at + 400, 1200, TOE_SEND_EOR | TOE_SEND_PUSH);
	toe_send(&c, ISS + 1600, at + 1600, 50, TOE_SEND_PUSH);
	CHECK(!toe_to_peer(&c, &pkt));
	toe_from_peer(&c, IRS, ISS, 0x10, NULL, 0);
	for (i = 0; toe_to_peer(&c, &pkt); i++) {
		n = pkt.end - 54;
		CHECK(i < 5);
		CHECK_EQ(n, want[i]);
		CHECK_EQ(card_get32(toe_frame + pkt.l4 + 4), ISS + got);
		CHECK(!memcmp(toe_frame + 54, host_ptr(c.h, at + got), n));
		got += n;
	}
	CHECK_EQ(got, 1650);
	host_destroy(c.h);
}

static void send_errors(void)
{
	struct toe_conn c = toe_established();
	uint64_t at = toe_fill(c.h, 100);
	struct toe_cmd cmd = { .op = TOE_CMD_SEND, .tid = c.tid };
	struct card_packet pkt;
	uint32_t i;

	toe_send(&c, ISS + 1, at, 10, 0);		/* a gap */
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	toe_send(&c, ISS, at, 0, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	toe_send(&c, ISS, 0x1000, 10, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_DMA);
	toe_send(&c, ISS, ~UINT64_C(0) - 4, 10, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_DMA);
	toe_send(&c, ISS, at, 10, 0x80);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	toe_send(&c, ISS, at, 0xffffffff, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_INVAL);
	cmd.send.seq = ISS;
	host_cmd(c.h, 0, &cmd);				/* no pieces */
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.tid, c.tid);
	cmd.send.nfrags = 4;
	host_cmd(c.h, 0, &cmd);
	host_expect(c.h, 0, TOE_CQE_ERROR);
	CHECK(!toe_to_peer(&c, &pkt));
	for (i = 0; i < CARD_TOE_FRAGS; i++)
		toe_send(&c, ISS + i, at, 1, 0);
	host_quiet(c.h, 0);
	toe_send(&c, ISS + i, at, 1, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_ERROR).error.reason, TOE_ST_NOMEM);
	host_destroy(c.h);
}

static void unreachable_payload_recalls(void)
{
	struct toe_conn c = toe_established();
	uint64_t at = HOST_IOVA + HOST_BYTES - 4096;

	/* Reachable when posted, gone when it's to be sent again. */
	toe_send(&c, ISS, at, 100, 0);
	card_dma_del(&c.h->card.dma, HOST_IOVA + HOST_BYTES / 2, HOST_BYTES / 2);
	host_sleep(c.h, 1500000);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CLOSING).closing.reason, TOE_REASON_DMA);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RECALLED).recalled.reason, TOE_REASON_DMA);
	host_destroy(c.h);
}

static void data_is_packed_into_buffers(void)
{
	struct toe_conn c = toe_established();
	uint8_t data[1000];
	struct toe_cqe cqe;
	uint32_t i, got = 0, at;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 3;
	for (i = 0; i < 10; i++)
		toe_from_peer(&c, IRS + i * 1000, ISS, i == 9 ? 0x18 : 0x10, data, 1000);
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
	struct toe_conn c = toe_established();
	uint8_t frame[200], data[100] = { 0 };
	struct card_packet pkt;
	struct toe_cqe cqe;
	uint32_t i, len, acked = 0;

	for (i = 0; i < 8; i++) {
		len = kit_tcp_frame(frame, &c.flow, IRS + i * 100, ISS, i == 7 ? 0x18 : 0x10,
				    data, 100);
		peer_send(c.h, frame, len);
	}
	host_poll(c.h);
	cqe = host_expect(c.h, 0, TOE_CQE_DATA);
	CHECK_EQ(cqe.data.len, 800);
	CHECK(cqe.flags & TOE_DATA_PUSH);
	host_quiet(c.h, 0);
	while (toe_to_peer(&c, &pkt))
		acked = card_get32(toe_frame + pkt.l4 + 8);
	CHECK(acked > IRS);
	host_destroy(c.h);
}

/* What is acknowledged was placed, whatever buffers and completion slots there are. */
static void no_buffer_no_acknowledgement(void)
{
	struct toe_conn c = toe_established();
	struct card_packet pkt;
	struct card_stats st;
	uint8_t data[1000] = { 0 };
	struct toe_cqe cqe;
	uint32_t i, placed = 0, acked = IRS;

	for (i = 0; i < 40; i++) {
		toe_from_peer(&c, IRS + i * 1000, ISS, 0x18, data, 1000);
		while (host_cqe(c.h, 0, &cqe))
			if (cqe.type == TOE_CQE_DATA)
				placed += cqe.data.len;
	}
	while (toe_to_peer(&c, &pkt))
		acked = card_get32(toe_frame + pkt.l4 + 8);
	CHECK(placed <= 8 * HOST_RQ_BYTES);
	CHECK_EQ(acked - IRS, placed);
	host_stats(c.h, &st);
	CHECK(st.toe_no_buffer > 0);
	CHECK_EQ(st.toe_rx_bytes, placed);
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(send_and_ack_ipv4),
	KIT_TEST(send_and_ack_ipv6),
	KIT_TEST(retransmission_gathers_anew),
	KIT_TEST(closed_window_is_probed),
	KIT_TEST(records_are_kept_apart),
	KIT_TEST(send_errors),
	KIT_TEST(unreachable_payload_recalls),
	KIT_TEST(data_is_packed_into_buffers),
	KIT_TEST(batch_is_one_completion),
	KIT_TEST(no_buffer_no_acknowledgement),
};
KIT_MAIN(tests)
