/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* What BEGIN, COMMIT and SET_PARAMS take and refuse, at each bound, and what they answer. */
#include "../device/toe_ctx.h"
#include "toe_kit.h"

#define END	(HOST_IOVA + HOST_BYTES)

static struct host *h;
static struct card_flow flow;

/* The answer, all of it, on the first pair. */
static void answered(uint8_t op, uint16_t cookie, uint8_t status, uint32_t tid, uint32_t host_id)
{
	struct toe_cqe cqe = host_expect(h, 0, TOE_CQE_CMD), want = {
		.type = TOE_CQE_CMD, .phase = cqe.phase,
		.cmd = { .cookie = cookie, .op = op, .status = status, .tid = tid,
			 .host_id = host_id },
	};

	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	host_quiet(h, 0);
}

static void begin(void)
{
	struct toe_cmd good, cmd;
	uint32_t i, errors = 0;

	h = toe_host(1, 64);
	flow = kit_flow(6, 80, 4000);
	good = toe_begin_cmd(&flow, 0xabcd1234);
	for (i = 0; i < 256; i++) {
		cmd = good;
		cmd.begin.family = i;
		if (i == 4 || i == 6)
			continue;
		host_cmd(h, 0, &cmd);
		answered(TOE_CMD_BEGIN, 0xbe61, TOE_ST_INVAL, 0, 0xabcd1234);
		CHECK_EQ(h->card.stats.toe_cmd_errors, ++errors);
	}
	cmd = good;
	cmd.tid = 1;
	host_cmd(h, 0, &cmd);
	answered(TOE_CMD_BEGIN, 0xbe61, TOE_ST_INVAL, 0, 0xabcd1234);
	host_cmd(h, 0, &good);
	answered(TOE_CMD_BEGIN, 0xbe61, TOE_ST_OK, 0x100000, 0xabcd1234);
	CHECK_EQ(h->card.stats.toe_cmd_errors, errors + 1);
	host_cmd(h, 0, &good);
	answered(TOE_CMD_BEGIN, 0xbe61, TOE_ST_EXIST, 0, 0xabcd1234);
	/* IPv4: what stands behind four bytes of an address is nothing. */
	cmd = good;
	cmd.begin.family = 4;
	host_cmd(h, 0, &cmd);
	answered(TOE_CMD_BEGIN, 0xbe61, TOE_ST_OK, 0x100001, 0xabcd1234);
	memset(cmd.begin.laddr + 4, 0x77, 12);
	memset(cmd.begin.raddr + 4, 0x88, 12);
	host_cmd(h, 0, &cmd);
	answered(TOE_CMD_BEGIN, 0xbe61, TOE_ST_EXIST, 0, 0xabcd1234);
	host_destroy(h);
}

/* COMMIT with this block; the tid is free again if it's refused, else recalled. */
static uint32_t commit(uint64_t block, uint32_t bytes, const struct min_tcp *st)
{
	struct toe_conn c = { .h = h, .flow = flow };
	struct toe_cmd cmd = { .op = TOE_CMD_COMMIT, .cookie = 77 };
	uint32_t errors = h->card.stats.toe_cmd_errors;
	struct toe_cqe cqe;

	c.tid = cmd.tid = toe_begin(h, &flow);
	if (st)
		memcpy(host_ptr(h, block), st, sizeof(*st));
	cmd.commit.block_addr = block;
	cmd.commit.block_bytes = bytes;
	cmd.commit.host_id = 99;
	host_cmd(h, 0, &cmd);
	cqe = host_expect(h, 0, TOE_CQE_CMD);
	CHECK(cqe.cmd.cookie == 77 && cqe.cmd.op == TOE_CMD_COMMIT && cqe.cmd.tid == c.tid);
	CHECK_EQ(cqe.cmd.host_id, cqe.cmd.status ? 77 : 99);
	CHECK_EQ(h->card.stats.toe_cmd_errors, errors + !!cqe.cmd.status);
	CHECK_EQ(h->card.stats.toe_contexts, !cqe.cmd.status);
	if (!cqe.cmd.status) {
		toe_op(&c, TOE_CMD_RECALL, 0);
		host_expect(h, 0, TOE_CQE_RECALLED);
	}
	host_quiet(h, 0);
	return cqe.cmd.status;
}

static void blocks(void)
{
	uint64_t at, ro = UINT64_C(0x900000000), wo = UINT64_C(0xa00000000);
	struct min_tcp st;

	h = toe_host(1, 64);
	flow = kit_flow(4, 80, 4000);
	st = toe_state(&flow);
	at = host_alloc(h, 4096);
	CHECK_EQ(commit(at, 0, &st), TOE_ST_OK);
	CHECK_EQ(commit(at, 383, &st), TOE_ST_INVAL);
	CHECK_EQ(commit(at, 384, &st), TOE_ST_OK);
	CHECK_EQ(commit(at, 1, &st), TOE_ST_INVAL);
	CHECK_EQ(commit(at, UINT32_MAX, &st), TOE_ST_OK);
	CHECK_EQ(commit(at + 1, 0, &st), TOE_ST_INVAL);
	CHECK_EQ(commit(at + 32, 0, &st), TOE_ST_INVAL);
	CHECK_EQ(commit(at + 64, 0, &st), TOE_ST_OK);
	CHECK_EQ(commit(END - 384, 0, &st), TOE_ST_OK);
	CHECK_EQ(commit(END - 384, 384, &st), TOE_ST_OK);
	CHECK_EQ(commit(END - 384, 385, &st), TOE_ST_DMA);
	CHECK_EQ(commit(END - 640, 640, &st), TOE_ST_OK);
	CHECK_EQ(commit(END - 640, 9999, &st), TOE_ST_OK);
	CHECK_EQ(commit(END - 576, 640, &st), TOE_ST_DMA);
	CHECK(!card_dma_add(&h->card.dma, ro, 4096, host_ptr(h, at), CARD_DMA_READ, false));
	CHECK(!card_dma_add(&h->card.dma, wo, 4096, host_ptr(h, at), CARD_DMA_WRITE, false));
	CHECK_EQ(commit(ro, 0, NULL), TOE_ST_DMA);
	CHECK_EQ(commit(wo, 0, NULL), TOE_ST_DMA);
	host_destroy(h);
}

static void states(void)
{
	struct min_tcp good, st;
	unsigned int i;
	uint64_t at;

	h = toe_host(1, 64);
	flow = kit_flow(4, 80, 4000);
	good = toe_state(&flow);
	at = host_alloc(h, 640);
	st = good; st.mss = 63; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.mss = 64; CHECK_EQ(commit(at, 0, &st), TOE_ST_OK);
	st = good; st.mss = CARD_WIRE_FRAME - 118; CHECK_EQ(commit(at, 0, &st), TOE_ST_OK);
	st = good; st.mss = CARD_WIRE_FRAME - 117; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.ttl = 0; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.ttl = 1; CHECK_EQ(commit(at, 0, &st), TOE_ST_OK);
	st = good; st.lmac[0] |= 1; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.lmac[0] ^= 2; CHECK_EQ(commit(at, 0, &st), TOE_ST_OK);
	for (i = 0; i < 4; i++) {
		st = good; st.laddr[i] ^= 1; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
		st = good; st.raddr[i] ^= 1; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	}
	st = good; st.laddr[4] = 1; CHECK_EQ(commit(at, 0, &st), TOE_ST_OK);
	st = good; st.lport ^= 0x100; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.rport ^= 0x100; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.family = 6; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	st = good; st.family = 5; CHECK_EQ(commit(at, 0, &st), TOE_ST_INVAL);
	host_destroy(h);
}

static uint32_t set(const struct toe_conn *c, const struct toe_cmd_set_params *s)
{
	struct toe_cmd cmd = { .op = TOE_CMD_SET_PARAMS, .cookie = 5, .tid = c->tid };
	uint32_t errors = h->card.stats.toe_cmd_errors;
	struct toe_cqe cqe;

	cmd.set = *s;
	host_cmd(h, 0, &cmd);
	cqe = host_expect(h, 0, TOE_CQE_CMD);
	CHECK(cqe.cmd.cookie == 5 && cqe.cmd.op == cmd.op && cqe.cmd.tid == c->tid);
	CHECK_EQ(cqe.cmd.host_id, 78);
	CHECK_EQ(h->card.stats.toe_cmd_errors, errors + !!cqe.cmd.status);
	return cqe.cmd.status;
}

/* Each alone: only what the mask names is looked at, checked and changed. */
static void parameters(void)
{
	struct toe_cmd_set_params s = { .rmac = { 3, 1, 1, 1, 1, 1 } };
	struct toe_conn c = toe_established();
	const struct min_tcp *l2;
	struct min_tcp before;
	unsigned int bit;

	h = c.h;
	l2 = &toe_ctx_by_tid(h->card.toe, c.tid)->l2;
	before = *l2;
	for (bit = 8; bit < 32; bit++) {
		s.mask = 1u << bit;
		CHECK_EQ(set(&c, &s), TOE_ST_INVAL);
	}
	s.mask = 0;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);	/* nothing is asked, so nothing is wrong */
	s.mask = TOE_SET_KEEPALIVE | TOE_SET_USER_TIMEOUT | TOE_SET_TOS | TOE_SET_QUICKACK;
	s.tos = before.tos;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	s.mask = TOE_SET_MSS;
	s.mss = 63;
	CHECK_EQ(set(&c, &s), TOE_ST_INVAL);
	s.mask = TOE_SET_TTL;
	CHECK_EQ(set(&c, &s), TOE_ST_INVAL);
	s.mask = TOE_SET_RMAC;
	CHECK_EQ(set(&c, &s), TOE_ST_INVAL);
	CHECK(!memcmp(l2, &before, sizeof(before)));
	s.mss = 64;
	s.mask = TOE_SET_MSS;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	CHECK_EQ(l2->ttl, before.ttl);
	s.ttl = 1;
	s.mask = TOE_SET_TTL;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	CHECK(l2->ttl == 1 && l2->tos == before.tos);
	s.tos = 0x44;
	s.mask = TOE_SET_TOS;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	CHECK(l2->tos == 0x44 && !memcmp(l2->rmac, before.rmac, 6));
	s.rmac[0] = 2;
	s.mask = TOE_SET_RMAC;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	CHECK(!memcmp(l2->rmac, s.rmac, 6) && !memcmp(l2->lmac, before.lmac, 6));
	s.mask = TOE_SET_MANNER;
	s.retries = 4;
	s.manner = TOE_MANNER_KEEP_CWND | 0x80;
	CHECK_EQ(set(&c, &s), TOE_ST_INVAL);
	s.manner = TOE_MANNER_KEEP_CWND;
	s.mask = 0xff;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	/* The state goes back with them. */
	toe_op(&c, TOE_CMD_RECALL, 0);
	host_expect(h, 0, TOE_CQE_RECALLED);
	before = *(struct min_tcp *)host_ptr(h, c.block);
	CHECK(before.ttl == 1 && before.tos == 0x44 && !memcmp(before.rmac, s.rmac, 6));
	CHECK_EQ(before.mss, 64);
	CHECK(before.retries == 4 && before.manner == TOE_MANNER_KEEP_CWND);
	host_destroy(h);
}

/* A smaller segment size counts from the next segment on. */
static void segment_size(void)
{
	struct toe_cmd_set_params s = { .mask = TOE_SET_MSS, .mss = 100 };
	struct toe_conn c = toe_established();
	struct card_packet pkt;

	h = c.h;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	toe_send(&c, ISS, toe_fill(h, 150), 150, TOE_SEND_PUSH);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK_EQ(pkt.len, 154);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK_EQ(pkt.end, 104);
	host_destroy(h);
}

/* What is owed goes out with the wish, not with the timer. */
static void acknowledgment_on_request(void)
{
	struct toe_cmd_set_params s = { .mask = TOE_SET_QUICKACK };
	struct toe_conn c = toe_established();
	struct card_packet pkt;

	h = c.h;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	toe_send(&c, ISS, toe_fill(h, 10), 10, TOE_SEND_PUSH);	/* an answer may carry it */
	CHECK(toe_to_peer(&c, &pkt));
	toe_from_peer(&c, IRS, ISS + 10, 0x18, "x", 1);
	host_expect(h, 0, TOE_CQE_DATA);
	host_expect(h, 0, TOE_CQE_ACKED);
	CHECK(!toe_to_peer(&c, &pkt));
	s.quickack = 1;
	CHECK_EQ(set(&c, &s), TOE_ST_OK);
	CHECK(toe_to_peer(&c, &pkt));
	CHECK(!toe_to_peer(&c, &pkt));
	host_destroy(h);
}

/* A block that is gone by then: QUERY says so, and RECALLED has the reason. */
static void a_block_that_is_gone(void)
{
	struct toe_conn c = { .flow = kit_flow(4, 80, 4000) };
	struct toe_cqe cqe;

	c.h = h = toe_host(1, 64);
	c.tid = toe_begin(h, &c.flow);
	c.block = END - 640;
	*(struct min_tcp *)host_ptr(h, c.block) = toe_state(&c.flow);
	toe_commit(&c, c.tid, c.block);
	host_expect(h, 0, TOE_CQE_CMD);
	card_dma_del(&h->card.dma, HOST_IOVA + HOST_BYTES / 2, HOST_BYTES / 2);
	toe_op(&c, TOE_CMD_QUERY, 0);
	answered(TOE_CMD_QUERY, 9, TOE_ST_DMA, c.tid, 78);
	toe_op(&c, TOE_CMD_RECALL, 0);
	cqe = host_expect(h, 0, TOE_CQE_RECALLED);
	CHECK(cqe.recalled.tid == c.tid && cqe.recalled.host_id == 78);
	CHECK_EQ(cqe.recalled.reason, TOE_REASON_DMA);
	host_destroy(h);
}

static const struct kit_test tests[] = {
	KIT_TEST(begin),
	KIT_TEST(blocks),
	KIT_TEST(states),
	KIT_TEST(parameters),
	KIT_TEST(segment_size),
	KIT_TEST(acknowledgment_on_request),
	KIT_TEST(a_block_that_is_gone),
};
KIT_MAIN(tests)
