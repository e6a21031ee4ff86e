/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Registers, rings, admin commands, and the plain NIC, on a host of our own. */
#include "kit.h"

static uint8_t out_frame[CARD_WIRE_FRAME];

static struct host *nic(unsigned int pairs)
{
	struct host *h = host_create(pairs, 16);
	unsigned int i;

	for (i = 0; i < pairs; i++) {
		host_pair_up(h, i, 64);
		host_rx_post(h, i, 32);
	}
	host_poll(h);
	return h;
}

static void need_event_wraps(void)
{
	CHECK(toe_need_event(5, 6, 5));
	CHECK(!toe_need_event(6, 6, 5));
	CHECK(!toe_need_event(4, 6, 5));
	CHECK(toe_need_event(0xffffffff, 1, 0xfffffffe));
	CHECK(toe_need_event(0, 1, 0xffffffff));
	CHECK(!toe_need_event(1, 1, 0xffffffff));
}

static void registers_after_reset(void)
{
	struct host *h = host_create(2, 16);

	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_MAGIC), TOE_MAGIC);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_VERSION) >> 16, TOE_ABI_MAJOR);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_PAIRS), 2);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_CONTEXTS), 16);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_STATUS), TOE_STATUS_READY | TOE_STATUS_LINK);
	CHECK_EQ(card_shm_get(&h->shm, TOE_REG_CONTROL), TOE_CONTROL_ENABLE);
	host_destroy(h);
}

static void register_errors_are_counted(void)
{
	struct host *h = host_create(1, 16);
	struct card_stats st;

	host_reg(h, TOE_REG_MAGIC, 1);		/* read-only */
	host_reg(h, 0x700, 1);			/* nothing there */
	host_reg(h, TOE_REG_ADMIN_SIZE, 32);	/* while enabled */
	host_stats(h, &st);
	CHECK_EQ(st.reg_errors, 3);
	host_destroy(h);
}

static void bad_admin_ring_is_fatal(void)
{
	struct host *h = host_create(1, 16);
	uint64_t at = host_alloc(h, 64);
	uint32_t *word = host_ptr(h, at), last;

	host_reg(h, TOE_REG_HEARTBEAT_LO, at);
	host_reg(h, TOE_REG_HEARTBEAT_HI, at >> 32);
	host_reg(h, TOE_REG_CONTROL, 0);
	host_reg(h, TOE_REG_ADMIN_SIZE, 17);
	host_sleep(h, 100000);
	last = *word;
	CHECK(last);
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
	CHECK(card_shm_get(&h->shm, TOE_REG_STATUS) & TOE_STATUS_FATAL);
	host_sleep(h, 100000);
	CHECK_EQ(*word, last);
	host_destroy(h);
}

static void heartbeat(void)
{
	struct host *h = host_create(1, 16);
	uint64_t at = host_alloc(h, 64);
	uint32_t *word = host_ptr(h, at);

	host_reg(h, TOE_REG_HEARTBEAT_LO, at);
	host_reg(h, TOE_REG_HEARTBEAT_HI, at >> 32);
	host_sleep(h, 100000);
	CHECK(*word >= 8 && *word <= 12);
	host_destroy(h);
}

static void admin_errors(void)
{
	struct host *h = host_create(2, 16);
	uint64_t param = host_pair_param(h, 0, 64), none = 0x1000;
	struct toe_pair_param *pp = host_ptr(h, param), good = *pp;
	uint32_t n = sizeof(good);

	CHECK_EQ(host_admin(h, 99, 0, 0, 0, 0), TOE_ST_NOTSUP);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 2, param, n, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n - 1, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, none, n, 0), TOE_ST_DMA);
	pp->ring_size[1] = 63;
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n, 0), TOE_ST_INVAL);
	*pp = good;
	pp->ring_addr[4] += 32;
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n, 0), TOE_ST_INVAL);
	*pp = good;
	pp->ring_addr[4] = HOST_IOVA + HOST_BYTES - 64;
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n, 0), TOE_ST_DMA);
	*pp = good;
	pp->rx_buf_bytes = 1000;
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n, 0), TOE_ST_INVAL);
	*pp = good;
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, 0, param, n, 0), TOE_ST_STATE);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 1, 0, 0, 0), TOE_ST_STATE);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 9, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 67, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9001, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0x80, 0, 0, 0), TOE_ST_NOTSUP);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, param, 8 * 65, 65), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, none, 8, 1), TOE_ST_DMA);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 8, 0, 0, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, param, 8, 0), TOE_ST_INVAL);
	CHECK_EQ(host_admin(h, TOE_ADMIN_STATS, 0, none, 256, 0), TOE_ST_DMA);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MAC, 0, none, 6, 0), TOE_ST_DMA);
	host_destroy(h);
}

static void send_frame(struct host *h, unsigned int n, const struct toe_txd *d, int count)
{
	while (count--)
		host_tx(h, n, d++);
	host_poll(h);
}

static void tx_scatter_and_padding(void)
{
	struct host *h = nic(1);
	uint64_t a = host_alloc(h, 64), b = host_alloc(h, 64);
	struct toe_txd d[2] = {
		{ .addr = a, .len = 14 },
		{ .addr = b, .len = 10, .flags = TOE_TXD_EOP },
	};
	struct toe_cqe cqe;

	memset(host_ptr(h, a), 0xaa, 14);
	memset(host_ptr(h, b), 0xbb, 10);
	send_frame(h, 0, d, 1);
	CHECK_EQ(peer_recv(h, out_frame, sizeof(out_frame)), 0);
	host_quiet(h, 0);
	send_frame(h, 0, d + 1, 1);
	CHECK_EQ(peer_recv(h, out_frame, sizeof(out_frame)), 60);
	CHECK(out_frame[13] == 0xaa && out_frame[23] == 0xbb && out_frame[24] == 0);
	cqe = host_expect(h, 0, TOE_CQE_TX);
	CHECK_EQ(cqe.tx.cons, 2);
	CHECK_EQ(h->pair[0].shadow[TOE_RING_TX].card_cons, 2);
	host_destroy(h);
}

static void tx_checksum_and_vlan(void)
{
	struct host *h = nic(1);
	struct card_flow f = kit_flow(4, 1, 2);
	uint64_t a = host_alloc(h, 256);
	struct toe_txd d = {
		.addr = a, .flags = TOE_TXD_EOP | TOE_TXD_CSUM | TOE_TXD_VLAN,
		.csum_start = 34, .csum_offset = 16, .vlan_tci = 0x2007,
	};
	uint8_t *frame = host_ptr(h, a);
	struct card_packet pkt;
	uint32_t len;
	uint64_t sum;

	d.len = kit_tcp_frame(frame, &f, 1, 1, 0x10, "abc", 3);
	/* What the kernel leaves there: the sum of the pseudo header. */
	sum = card_csum_pseudo(4, f.raddr, f.laddr, CARD_IP_TCP, 23);
	card_put16(frame + 50, ~card_csum_fold(sum));
	send_frame(h, 0, &d, 1);
	len = peer_recv(h, out_frame, sizeof(out_frame));
	CHECK_EQ(len, 61);
	card_packet_parse(&pkt, out_frame, len);
	card_packet_verify(&pkt);
	CHECK(pkt.vlan && pkt.csum_ok);
	CHECK_EQ(pkt.vlan_tci, 0x2007);
	host_destroy(h);
}

static void tx_tso_beyond_the_queue(void)
{
	struct host *h = nic(1);
	struct card_flow f = kit_flow(4, 1, 2);
	uint64_t a = host_alloc(h, 65536);
	struct toe_txd d = {
		.addr = a, .flags = TOE_TXD_EOP | TOE_TXD_TSO, .mss = 64, .l3_off = 14,
		.l4_off = 34,
	};
	uint8_t *frame = host_ptr(h, a), *data = calloc(1, 60000);
	uint32_t got = 0, len, turn;
	struct toe_cqe cqe;

	d.len = kit_tcp_frame(frame, &f, 1, 1, 0x10, data, 60000);
	send_frame(h, 0, &d, 1);
	/* 938 segments, more than the wire's queue holds. */
	for (turn = 0; turn < 2000 && got < 60000; turn++) {
		while ((len = peer_recv(h, out_frame, sizeof(out_frame))))
			got += card_get16(out_frame + 16) - 40;
		host_poll(h);
	}
	CHECK_EQ(got, 60000);
	cqe = host_expect(h, 0, TOE_CQE_TX);
	CHECK_EQ(cqe.tx.cons, 1);
	free(data);
	host_destroy(h);
}

static void tx_bad_descriptors(void)
{
	struct host *h = nic(1);
	uint64_t a = host_alloc(h, 65536);
	struct toe_txd bad[] = {
		{ .addr = a, .len = 0, .flags = TOE_TXD_EOP },
		{ .addr = 0x1000, .len = 100, .flags = TOE_TXD_EOP },
		{ .addr = a, .len = 10, .flags = TOE_TXD_EOP },
		{ .addr = a, .len = 10000, .flags = TOE_TXD_EOP },
		{ .addr = a, .len = 0xffffffff, .flags = TOE_TXD_EOP },
		{ .addr = ~UINT64_C(0), .len = 100, .flags = TOE_TXD_EOP },
		{ .addr = a, .len = 100, .flags = TOE_TXD_EOP | TOE_TXD_CSUM, .csum_start = 99 },
		{ .addr = a, .len = 100, .flags = TOE_TXD_EOP | TOE_TXD_CSUM,
		  .csum_start = 10, .csum_offset = 65535 },
		{ .addr = a, .len = 100, .flags = TOE_TXD_EOP | TOE_TXD_TSO },
	};
	unsigned int i, n = sizeof(bad) / sizeof(bad[0]);
	struct card_stats st;

	for (i = 0; i < n; i++) {
		send_frame(h, 0, &bad[i], 1);
		host_expect(h, 0, TOE_CQE_ERROR);
		CHECK_EQ(peer_recv(h, out_frame, sizeof(out_frame)), 0);
	}
	host_stats(h, &st);
	CHECK_EQ(st.tx_bad_desc, n);
	/* A run without end: dropped up to the EOP that follows, then all is well. */
	bad[0].len = 20;
	bad[0].flags = 0;
	for (i = 0; i < 30; i++)
		host_tx(h, 0, &bad[0]);
	bad[0].flags = TOE_TXD_EOP;
	host_tx(h, 0, &bad[0]);
	bad[0].len = 100;
	send_frame(h, 0, &bad[0], 1);
	host_expect(h, 0, TOE_CQE_ERROR);
	CHECK_EQ(peer_recv(h, out_frame, sizeof(out_frame)), 100);
	CHECK_EQ(peer_recv(h, out_frame, sizeof(out_frame)), 0);
	host_destroy(h);
}

static void ring_index_out_of_bounds(void)
{
	struct host *h = nic(1);

	h->pair[0].shadow[TOE_RING_TX].prod = 1000;
	host_poll(h);
	host_expect(h, 0, TOE_CQE_ERROR);
	host_poll(h);
	host_quiet(h, 0);
	host_destroy(h);
}

static void rx_frame(struct host *h, uint8_t *frame, uint32_t len)
{
	peer_send(h, frame, len);
	host_poll(h);
}

static void rx_plain(void)
{
	struct host *h = nic(1);
	struct card_flow f = kit_flow(4, 80, 1000);
	uint8_t frame[256];
	uint32_t len = kit_tcp_frame(frame, &f, 1, 1, 0x10, "data", 4);
	struct toe_cqe cqe;

	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_RXCSUM, 0, 0, 0), TOE_ST_OK);
	rx_frame(h, frame, len);
	cqe = host_expect(h, 0, TOE_CQE_RX);
	CHECK_EQ(cqe.flags, TOE_RX_EOP | TOE_RX_CSUM_OK | TOE_RX_HASH | TOE_RX_HASH_L4);
	CHECK_EQ(cqe.rx.len, len);
	CHECK_EQ(cqe.rx.tid, 0);
	CHECK(!memcmp(host_ptr(h, h->pair[0].rx_mem), frame, len));
	frame[len - 1] ^= 1;
	rx_frame(h, frame, len);
	cqe = host_expect(h, 0, TOE_CQE_RX);
	CHECK(!(cqe.flags & TOE_RX_CSUM_OK));
	CHECK_EQ(cqe.rx.buf_id, 1);
	host_destroy(h);
}

static void rx_filter(void)
{
	struct host *h = nic(1);
	uint64_t macs = host_alloc(h, 64);
	uint8_t frame[64] = { 0x01, 0, 0x5e, 0, 0, 1 };
	struct card_stats st;

	frame[12] = 0x88;
	rx_frame(h, frame, 64);			/* multicast nobody asked for */
	frame[0] = 0x52;
	rx_frame(h, frame, 64);			/* somebody else's */
	host_quiet(h, 0);
	memset(frame, 0xff, 6);
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	memcpy(frame, "\x01\x00\x5e\x00\x00\x01", 6);
	memcpy(host_ptr(h, macs), frame, 6);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, 0, macs, 8, 1), TOE_ST_OK);
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	frame[5] = 9;
	rx_frame(h, frame, 64);
	host_quiet(h, 0);
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, TOE_RX_MODE_ALLMULTI, 0, 0, 0), TOE_ST_OK);
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	frame[0] = 0x52;
	CHECK_EQ(host_admin(h, TOE_ADMIN_RX_MODE, TOE_RX_MODE_PROMISC, 0, 0, 0), TOE_ST_OK);
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	host_stats(h, &st);
	CHECK_EQ(st.rx_filtered, 3);
	CHECK_EQ(st.rx_frames, 7);
	host_destroy(h);
}

static void rx_vlan_strip(void)
{
	struct host *h = nic(1);
	uint8_t frame[68] = { 0 }, *seen;
	struct toe_cqe cqe;

	memcpy(frame, kit_card_mac, 6);
	memcpy(frame + 12, "\x81\x00\x60\x05\x88\xb5", 6);
	frame[18] = 0x77;
	rx_frame(h, frame, 68);
	cqe = host_expect(h, 0, TOE_CQE_RX);
	CHECK_EQ(cqe.rx.len, 68);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_VLAN_STRIP, 0, 0, 0), TOE_ST_OK);
	rx_frame(h, frame, 68);
	cqe = host_expect(h, 0, TOE_CQE_RX);
	CHECK_EQ(cqe.rx.len, 64);
	CHECK(cqe.flags & TOE_RX_VLAN);
	CHECK_EQ(cqe.rx.vlan_tci, 0x6005);
	seen = host_ptr(h, h->pair[0].rx_mem + HOST_RX_BYTES);
	CHECK(seen[12] == 0x88 && seen[13] == 0xb5 && seen[14] == 0x77);
	host_destroy(h);
}

static void rx_jumbo_scatter_and_mtu(void)
{
	struct host *h = nic(1);
	uint8_t *frame = calloc(1, 9014);
	struct card_stats st;
	struct toe_cqe cqe;
	uint32_t i, sum = 0;

	memcpy(frame, kit_card_mac, 6);
	rx_frame(h, frame, 9014);
	host_quiet(h, 0);
	CHECK_EQ(host_admin(h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	rx_frame(h, frame, 9014);
	for (i = 0; i < 5; i++) {
		cqe = host_expect(h, 0, TOE_CQE_RX);
		CHECK_EQ(cqe.rx.buf_id, i);
		CHECK_EQ(cqe.flags & TOE_RX_EOP, i == 4);
		sum += cqe.rx.len;
	}
	CHECK_EQ(sum, 9014);
	host_stats(h, &st);
	CHECK_EQ(st.rx_oversize, 1);
	free(frame);
	host_destroy(h);
}

static void rx_without_buffers_drops(void)
{
	struct host *h = host_create(1, 16);
	uint8_t frame[64] = { 0 };
	struct card_stats st;

	host_pair_up(h, 0, 64);
	memcpy(frame, kit_card_mac, 6);
	rx_frame(h, frame, 64);
	host_rx_post(h, 0, 1);
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	host_stats(h, &st);
	CHECK_EQ(st.rx_no_buffer, 1);
	host_destroy(h);
}

static void rx_rss_spreads(void)
{
	struct host *h = nic(2);
	uint64_t at = host_alloc(h, sizeof(struct toe_rss_param));
	struct toe_rss_param *rss = host_ptr(h, at);
	unsigned int i, seen[2] = { 0 };
	struct toe_cqe cqe;
	uint8_t frame[128];

	for (i = 0; i < TOE_RSS_KEY; i++)
		rss->key[i] = i * 37 + 11;
	for (i = 0; i < TOE_RSS_INDIR; i++)
		rss->indir[i] = i & 1;
	CHECK_EQ(host_admin(h, TOE_ADMIN_RSS, 0, at, sizeof(*rss), 0), TOE_ST_OK);
	for (i = 0; i < 20; i++) {
		struct card_flow f = kit_flow(i & 1 ? 4 : 6, 80, 1000 + i);
		uint32_t len = kit_tcp_frame(frame, &f, 1, 1, 0x10, "x", 1);
		unsigned int want = card_rss_flow(rss->key, &f) & 1;

		rx_frame(h, frame, len);
		cqe = host_expect(h, want, TOE_CQE_RX);
		CHECK_EQ(cqe.rx.hash, card_rss_flow(rss->key, &f));
		seen[want]++;
	}
	CHECK(seen[0] > 3 && seen[1] > 3);
	host_destroy(h);
}

static void full_cq_holds_back(void)
{
	struct host *h = host_create(1, 16);
	uint8_t frame[64] = { 0 };
	struct toe_cqe cqe;
	unsigned int i, n = 0;

	host_pair_up(h, 0, 16);
	memcpy(frame, kit_card_mac, 6);
	for (i = 0; i < 30; i++) {
		frame[20] = i;
		host_rx_post(h, 0, 1);
		peer_send(h, frame, 64);
		card_poll(&h->card, ++h->now);
		CHECK(h->card.pair[0].cq.prod <= 16);
	}
	CHECK(card_cq_is_held(&h->card.pair[0].cq));
	CHECK(!card_reads_wire(&h->card));
	/* In order and whole, as soon as the host takes them. */
	while (host_cqe(h, 0, &cqe) || (host_poll(h), host_cqe(h, 0, &cqe))) {
		uint8_t *seen = host_ptr(h, h->pair[0].rx_mem +
					 (uint64_t)cqe.rx.buf_id * HOST_RX_BYTES);

		CHECK_EQ(cqe.type, TOE_CQE_RX);
		CHECK_EQ(cqe.rx.buf_id, n & 15);
		if (n >= 16)
			CHECK_EQ(seen[20], n);
		n++;
	}
	/* All that had a buffer: the ring has 16, later ones reuse them. */
	CHECK(n >= 17);
	host_destroy(h);
}

static void interrupts_by_event_index(void)
{
	struct host *h = nic(1);
	uint8_t frame[64] = { 0 };
	unsigned int before;

	memcpy(frame, kit_card_mac, 6);
	h->pair[0].shadow[TOE_RING_CQ].host_event = h->pair[0].cons;
	before = h->irqs[1];
	rx_frame(h, frame, 64);
	CHECK_EQ(h->irqs[1], before + 1);
	rx_frame(h, frame, 64);			/* not re-armed */
	CHECK_EQ(h->irqs[1], before + 1);
	host_expect(h, 0, TOE_CQE_RX);
	host_expect(h, 0, TOE_CQE_RX);
	h->pair[0].shadow[TOE_RING_CQ].host_event = h->pair[0].cons + 1;
	rx_frame(h, frame, 64);			/* one before the event */
	CHECK_EQ(h->irqs[1], before + 1);
	rx_frame(h, frame, 64);
	CHECK_EQ(h->irqs[1], before + 2);
	host_destroy(h);
}

static void arming_sees_late_work(void)
{
	struct host *h = nic(1);
	uint64_t a = host_alloc(h, 64);
	struct toe_txd d = { .addr = a, .len = 60, .flags = TOE_TXD_EOP };

	CHECK(!card_arm(&h->card));
	CHECK_EQ(h->pair[0].shadow[TOE_RING_TX].card_event, 0);
	host_tx(h, 0, &d);
	CHECK(card_arm(&h->card));
	host_poll(h);
	CHECK(!card_arm(&h->card));
	CHECK_EQ(h->pair[0].shadow[TOE_RING_TX].card_event, 1);
	/* Half a frame is no work, but the next slot is an event. */
	d.flags = 0;
	host_tx(h, 0, &d);
	host_poll(h);
	CHECK(!card_arm(&h->card));
	CHECK_EQ(h->pair[0].shadow[TOE_RING_TX].card_event, 2);
	host_destroy(h);
}

static void loopback(void)
{
	struct host *h = nic(1);
	uint64_t a = host_alloc(h, 64);
	struct toe_txd d = { .addr = a, .len = 60, .flags = TOE_TXD_EOP };
	uint32_t len;

	memcpy(host_ptr(h, a), kit_card_mac, 6);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_LOOPBACK, 0, 0, 0), TOE_ST_OK);
	send_frame(h, 0, &d, 1);
	len = host_expect(h, 0, TOE_CQE_RX).rx.len;
	CHECK_EQ(len, 60);
	CHECK_EQ(peer_recv(h, out_frame, sizeof(out_frame)), 0);
	host_destroy(h);
}

static void bus_master_off_stops_dma(void)
{
	struct host *h = nic(1);
	uint8_t frame[64] = { 0 };

	memcpy(frame, kit_card_mac, 6);
	h->shm.bus_master = 0;
	rx_frame(h, frame, 64);
	host_quiet(h, 0);
	h->shm.bus_master = 1;
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	host_destroy(h);
}

static void link_follows_the_wire(void)
{
	struct host *h = nic(1);

	card_wire_set_fd(&h->wire, -1, true);
	host_poll(h);
	CHECK(!(card_shm_get(&h->shm, TOE_REG_STATUS) & TOE_STATUS_LINK));
	CHECK_EQ(((struct toe_cqe *)h->admin.ring[TOE_RING_CQ])[h->admin.cons & 15].type,
		 TOE_CQE_LINK);
	host_destroy(h);
}

static void destroyed_pair_is_quiet(void)
{
	struct host *h = nic(1);
	uint8_t frame[64] = { 0 };

	memcpy(frame, kit_card_mac, 6);
	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_DESTROY, 0, 0, 0, 0), TOE_ST_OK);
	rx_frame(h, frame, 64);
	host_quiet(h, 0);
	host_pair_up(h, 0, 64);
	host_rx_post(h, 0, 4);
	rx_frame(h, frame, 64);
	host_expect(h, 0, TOE_CQE_RX);
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(need_event_wraps),
	KIT_TEST(registers_after_reset),
	KIT_TEST(register_errors_are_counted),
	KIT_TEST(bad_admin_ring_is_fatal),
	KIT_TEST(heartbeat),
	KIT_TEST(admin_errors),
	KIT_TEST(tx_scatter_and_padding),
	KIT_TEST(tx_checksum_and_vlan),
	KIT_TEST(tx_tso_beyond_the_queue),
	KIT_TEST(tx_bad_descriptors),
	KIT_TEST(ring_index_out_of_bounds),
	KIT_TEST(rx_plain),
	KIT_TEST(rx_filter),
	KIT_TEST(rx_vlan_strip),
	KIT_TEST(rx_jumbo_scatter_and_mtu),
	KIT_TEST(rx_without_buffers_drops),
	KIT_TEST(rx_rss_spreads),
	KIT_TEST(full_cq_holds_back),
	KIT_TEST(interrupts_by_event_index),
	KIT_TEST(arming_sees_late_work),
	KIT_TEST(loopback),
	KIT_TEST(bus_master_off_stops_dma),
	KIT_TEST(link_follows_the_wire),
	KIT_TEST(destroyed_pair_is_quiet),
};
KIT_MAIN(tests)
