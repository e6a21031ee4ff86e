/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* When the card gives a connection back by itself, and when it must not. */
#include "toe_kit.h"

static void fin_leaves_in_order(void)
{
	struct toe_conn c = toe_established();
	uint64_t at = toe_fill(c.h, 10);
	struct toe_conn_block *b = host_ptr(c.h, c.block);
	struct toe_cqe cqe;

	toe_send(&c, ISS, at, 10, TOE_SEND_PUSH);
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
	toe_from_peer(&c, IRS + 4, ISS + 10, 0x11, NULL, 0);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	host_destroy(c.h);
}

static void leaves_for(uint32_t reason, void (*spoil)(uint8_t *frame))
{
	struct toe_conn c = toe_established();
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
	struct toe_conn c = toe_established();
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
	struct toe_conn c = toe_established();
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

/* An ICMP error goes up in any case; does the connection end with it? */
static bool icmp_ends(uint32_t seq, bool ours, bool committed)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	uint8_t frame[128];
	struct toe_cqe cqe;
	uint32_t len;
	bool left;

	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	if (committed) {
		toe_commit(&c, c.tid, c.block);
		CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
		toe_send(&c, ISS, toe_fill(c.h, 100), 100, TOE_SEND_PUSH);
	}
	CHECK_EQ(host_admin(c.h, TOE_ADMIN_RX_MODE, TOE_RX_MODE_PROMISC, 0, 0, 0), TOE_ST_OK);
	len = icmp_frame(frame, &c.flow, seq);
	frame[5] ^= !ours;
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK(host_cqe(c.h, 0, &cqe));
	while (cqe.type == TOE_CQE_TX)
		CHECK(host_cqe(c.h, 0, &cqe));
	left = cqe.type == TOE_CQE_CLOSING;
	if (left) {
		CHECK_EQ(cqe.closing.tid, c.tid);
		CHECK_EQ(cqe.closing.host_id, 78);
		CHECK_EQ(cqe.closing.reason, TOE_REASON_ICMP);
		cqe = host_expect(c.h, 0, TOE_CQE_RECALLED);
		CHECK_EQ(cqe.recalled.tid, c.tid);
		CHECK_EQ(cqe.recalled.host_id, 78);
		CHECK_EQ(cqe.recalled.reason, TOE_REASON_ICMP);
		cqe = host_expect(c.h, 0, TOE_CQE_RX);
	}
	CHECK_EQ(cqe.type, TOE_CQE_RX);
	CHECK_EQ(cqe.rx.tid, left ? c.tid : 0);
	host_quiet(c.h, 0);
	CHECK_EQ(c.h->card.stats.toe_contexts, !left);
	host_destroy(c.h);
	return left;
}

static void icmp_must_name_what_is_in_flight(void)
{
	CHECK(!icmp_ends(ISS - 1, true, true));
	CHECK(icmp_ends(ISS, true, true));
	CHECK(icmp_ends(ISS + 100, true, true));
	CHECK(!icmp_ends(ISS + 101, true, true));
	CHECK(!icmp_ends(ISS, false, true));	/* to another station */
	CHECK(!icmp_ends(ISS, true, false));	/* nothing was taken over yet */
}

/* @frame with a VLAN tag; bytes. */
static uint32_t tag(uint8_t *tagged, const uint8_t *frame, uint32_t len, uint16_t tci)
{
	memcpy(tagged, frame, 12);
	card_put16(tagged + 12, CARD_ETH_VLAN);
	card_put16(tagged + 14, tci);
	memcpy(tagged + 16, frame + 12, len - 12);
	return len + 4;
}

static void foreign_frames_are_not_the_connections(void)
{
	struct toe_conn c = toe_established();
	uint8_t frame[200], tagged[204];
	struct card_stats st;
	uint32_t len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "data", 4);

	/* In another VLAN: another network. */
	peer_send(c.h, tagged, tag(tagged, frame, len, 5));
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
	frame[22] ^= 1;				/* damaged in the IP header: TTL */
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_csum_bad, 1);
	frame[22] ^= 1;
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_DATA).data.len, 4);
	host_destroy(c.h);
}

/* Its VLAN, whatever the priority; what it sends has the priority that it was given. */
static void a_tag_is_part_of_the_flow(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct min_tcp st = toe_state(&c.flow);
	uint8_t frame[200], tagged[204];
	struct card_packet pkt;
	uint32_t len;

	st.flags |= TOE_MT_VLAN;
	st.vlan_tci = htole16(0x6005);
	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = st;
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);

	len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "data", 4);
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	peer_send(c.h, tagged, tag(tagged, frame, len, 6));
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_RX).rx.tid, 0);
	peer_send(c.h, tagged, tag(tagged, frame, len, 0x2005));
	host_poll(c.h);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_DATA).data.len, 4);

	toe_send(&c, ISS, toe_fill(c.h, 100), 100, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK(pkt.vlan);
	CHECK_EQ(pkt.vlan_tci, 0x6005);
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(fin_leaves_in_order),
	KIT_TEST(leaves_for_fragment),
	KIT_TEST(leaves_for_rst),
	KIT_TEST(leaves_for_ip_options),
	KIT_TEST(leaves_for_icmp),
	KIT_TEST(icmp_must_name_what_is_in_flight),
	KIT_TEST(foreign_frames_are_not_the_connections),
	KIT_TEST(a_tag_is_part_of_the_flow),
};
KIT_MAIN(tests)
