/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Copies of connections' segments for the host's taps. */
#include "toe_kit.h"

#define WHOLE	(TOE_FEATURE_MIRROR | TOE_FEATURE_MIRROR_ALL)
#define SPARE	32	/* buffers beyond half of the ring: so many copies may wait */

static void mirror(struct host *h, uint32_t features)
{
	host_rx_post(h, 0, SPARE);	/* toe_host() has posted half of the ring */
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, features, 0, 0, 0), TOE_ST_OK);
}

static struct toe_conn mirrored(uint8_t family, uint32_t features)
{
	struct toe_conn c = toe_connect(family);

	mirror(c.h, features);
	return c;
}

/* The next copy; other completions are passed over.  Its bytes, or NULL. */
static const uint8_t *copy(struct toe_conn *c, struct toe_cqe *cqe)
{
	while (host_cqe(c->h, 0, cqe))
		if (cqe->type == TOE_CQE_MIRROR) {
			CHECK_EQ(cqe->rx.tid, c->tid);
			CHECK_EQ(cqe->rx.hash, 0);
			CHECK_EQ(cqe->rx.vlan_tci, 0);
			return host_ptr(c->h, c->h->pair[0].rx_mem +
					(uint64_t)cqe->rx.buf_id * HOST_RX_BYTES);
		}
	return NULL;
}

static void capability_and_features(void)
{
	struct host *h = toe_host(1, 64);

	CHECK(card_shm_get(&h->shm, TOE_REG_CAP_TOE) & TOE_CAP_TOE_MIRROR);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, TOE_FEATURE_MIRROR, 0, 0, 0), TOE_ST_OK);
	CHECK_EQ(host_admin(h, TOE_ADMIN_FEATURES, 0x20, 0, 0, 0), TOE_ST_NOTSUP);
	host_destroy(h);
}

static void off_copies_nothing(void)
{
	struct toe_conn c = toe_established();
	struct card_stats st;
	struct toe_cqe cqe;
	uint64_t at = toe_fill(c.h, 100);

	toe_send(&c, ISS, at, 100, 0);
	toe_from_peer(&c, IRS, ISS, 0x18, "hello", 5);
	CHECK(!copy(&c, &cqe));
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_mirrored, 0);
	CHECK_EQ(st.toe_mirror_lost, 0);
	host_destroy(c.h);
}

/* Both directions, whole: byte for byte what is on the wire. */
static void whole(uint8_t family)
{
	struct toe_conn c = mirrored(family, WHOLE);
	uint32_t hdr = family == 4 ? 54 : 74, len;
	uint64_t at = toe_fill(c.h, 100);
	struct card_packet pkt;
	const uint8_t *p;
	struct card_stats st;
	struct toe_cqe cqe;
	uint8_t frame[200];

	toe_send(&c, ISS, at, 100, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	p = copy(&c, &cqe);
	CHECK(p);
	CHECK_EQ(cqe.flags, TOE_RX_SENT | TOE_RX_EOP);
	CHECK_EQ(cqe.rx.len, hdr + 100);
	CHECK(!memcmp(p, toe_frame, hdr + 100));

	len = kit_tcp_frame(frame, &c.flow, IRS, ISS + 100, 0x18, "hello", 5);
	peer_send(c.h, frame, len);
	host_poll(c.h);
	p = copy(&c, &cqe);
	CHECK(p);
	CHECK_EQ(cqe.flags, TOE_RX_EOP);
	CHECK_EQ(cqe.rx.len, len);
	CHECK(!memcmp(p, frame, len));
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_mirrored, 2);
	CHECK_EQ(st.toe_mirror_lost, 0);
	CHECK_EQ(st.toe_rx_bytes, 5);
	host_destroy(c.h);
}

static void whole_ipv4(void)
{
	whole(4);
}

static void whole_ipv6(void)
{
	whole(6);
}

static void headers_only(void)
{
	struct toe_conn c = mirrored(6, TOE_FEATURE_MIRROR);
	uint64_t at = toe_fill(c.h, 1000);
	struct card_packet pkt;
	struct toe_cqe cqe;
	const uint8_t *p;
	uint8_t data[500] = { 0 };

	toe_send(&c, ISS, at, 1000, 0);
	CHECK(toe_to_peer(&c, &pkt));
	p = copy(&c, &cqe);
	CHECK(p);
	CHECK_EQ(cqe.rx.len, 74);
	CHECK_EQ(card_get16(p + 18), 20 + 1000);	/* the true length is in the header */
	toe_from_peer(&c, IRS, ISS, 0x18, data, sizeof(data));
	CHECK(copy(&c, &cqe));
	CHECK_EQ(cqe.flags, TOE_RX_EOP);
	CHECK_EQ(cqe.rx.len, 74);
	host_destroy(c.h);
}

/* A frame of several buffers: its parts follow each other. */
static void jumbo_spans_buffers(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct min_tcp *st;
	struct toe_cqe cqe;
	uint64_t at;

	CHECK_EQ(host_admin(c.h, TOE_ADMIN_MTU, 9000, 0, 0, 0), TOE_ST_OK);
	mirror(c.h, WHOLE);
	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	st = host_ptr(c.h, c.block);
	*st = toe_state(&c.flow);
	st->mss = 5000;
	toe_commit(&c, c.tid, c.block);
	at = toe_fill(c.h, 5000);
	toe_send(&c, ISS, at, 5000, 0);
	CHECK(copy(&c, &cqe));
	CHECK_EQ(cqe.flags, TOE_RX_SENT);
	CHECK_EQ(cqe.rx.len, HOST_RX_BYTES);
	CHECK(host_cqe(c.h, 0, &cqe));
	CHECK_EQ(cqe.type, TOE_CQE_MIRROR);
	CHECK(host_cqe(c.h, 0, &cqe));
	CHECK_EQ(cqe.type, TOE_CQE_MIRROR);
	CHECK_EQ(cqe.flags, TOE_RX_SENT | TOE_RX_EOP);
	CHECK_EQ(cqe.rx.len, 5054 - 2 * HOST_RX_BYTES);
	host_destroy(c.h);
}

static void bad_checksum_is_shown(void)
{
	struct toe_conn c = mirrored(4, WHOLE);
	struct card_stats st;
	struct toe_cqe cqe;
	uint8_t frame[200];
	uint32_t len;

	len = kit_tcp_frame(frame, &c.flow, IRS, ISS, 0x18, "hello", 5);
	frame[55] ^= 1;
	peer_send(c.h, frame, len);
	host_poll(c.h);
	CHECK(copy(&c, &cqe));
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_csum_bad, 1);
	CHECK_EQ(st.toe_rx_bytes, 0);
	host_destroy(c.h);
}

/* The FIN goes up as a frame behind RECALLED: taps see it there, and only there. */
static void what_goes_up_is_not_copied(void)
{
	struct toe_conn c = mirrored(4, WHOLE);
	struct toe_cqe cqe;
	bool recalled = false, up = false;

	toe_from_peer(&c, IRS, ISS, 0x18, "hello", 5);
	CHECK(copy(&c, &cqe));
	toe_from_peer(&c, IRS + 5, ISS, 0x11, NULL, 0);
	while (host_cqe(c.h, 0, &cqe)) {
		/* An acknowledgement of «hello» may be copied, before RECALLED. */
		if (cqe.type == TOE_CQE_MIRROR)
			CHECK((cqe.flags & TOE_RX_SENT) && !recalled);
		recalled |= cqe.type == TOE_CQE_RECALLED;
		if (cqe.type == TOE_CQE_RX) {
			CHECK(recalled);
			up = true;
		}
	}
	CHECK(up);
	host_destroy(c.h);
}

/* What was held between BEGIN and COMMIT is copied when it goes through the engine. */
static void held_frames_are_copied_at_commit(void)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;

	mirror(c.h, WHOLE);
	c.tid = toe_begin(c.h, &c.flow);
	toe_from_peer(&c, IRS, ISS, 0x18, "hello", 5);
	CHECK(!copy(&c, &cqe));
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	*(struct min_tcp *)host_ptr(c.h, c.block) = toe_state(&c.flow);
	toe_commit(&c, c.tid, c.block);
	CHECK(copy(&c, &cqe));
	CHECK_EQ(cqe.flags, TOE_RX_EOP);
	CHECK(!copy(&c, &cqe) || cqe.flags & TOE_RX_SENT);
	host_destroy(c.h);
}

/* A host that gives no buffers back loses copies, never payload. */
static void copies_leave_half_the_buffers(void)
{
	struct toe_conn c = mirrored(4, WHOLE);
	uint32_t i, placed = 0, copies = 0;
	struct card_flow other = kit_flow(4, 81, 4001);
	struct card_stats st;
	struct toe_cqe cqe;
	uint8_t frame[200];
	uint32_t len;

	for (i = 0; i < 60; i++) {
		toe_from_peer(&c, IRS + i * 5, ISS, 0x18, "hello", 5);
		while (host_cqe(c.h, 0, &cqe)) {
			if (cqe.type == TOE_CQE_DATA)
				placed += cqe.data.len;
			copies += cqe.type == TOE_CQE_MIRROR;
		}
	}
	CHECK_EQ(placed, 300);
	host_stats(c.h, &st);
	CHECK_EQ(st.toe_mirrored, copies);
	CHECK_EQ(copies, SPARE);
	CHECK(st.toe_mirror_lost >= 60 - SPARE);

	len = kit_tcp_frame(frame, &other, 1, 1, 0x02, NULL, 0);
	peer_send(c.h, frame, len);
	host_poll(c.h);
	host_expect(c.h, 0, TOE_CQE_RX);
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(capability_and_features),
	KIT_TEST(off_copies_nothing),
	KIT_TEST(whole_ipv4),
	KIT_TEST(whole_ipv6),
	KIT_TEST(headers_only),
	KIT_TEST(jumbo_spans_buffers),
	KIT_TEST(bad_checksum_is_shown),
	KIT_TEST(what_goes_up_is_not_copied),
	KIT_TEST(held_frames_are_copied_at_commit),
	KIT_TEST(copies_leave_half_the_buffers),
};
KIT_MAIN(tests)
