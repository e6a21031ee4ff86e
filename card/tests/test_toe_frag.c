/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Payload that the host has posted: its pieces, their pools, and what SEND refuses. */
#include "../device/toe_ctx.h"
#include "toe_kit.h"

#define NEAR_WRAP	(UINT32_MAX - 2000)

/* A connection whose peer takes nothing, so that what is posted stays. */
static struct toe_conn posting(uint32_t una)
{
	struct toe_conn c = { .h = toe_host(1, 64), .flow = kit_flow(4, 80, 4000) };
	struct min_tcp *st;

	c.tid = toe_begin(c.h, &c.flow);
	c.block = host_alloc(c.h, sizeof(struct toe_conn_block));
	st = host_ptr(c.h, c.block);
	*st = toe_state(&c.flow);
	st->snd_una = st->snd_nxt = st->snd_max = una;
	st->snd_wnd = 0;
	toe_commit(&c, c.tid, c.block);
	CHECK_EQ(host_expect(c.h, 0, TOE_CQE_CMD).cmd.status, TOE_ST_OK);
	return c;
}

static struct card_toe *toe(const struct toe_conn *c)
{
	return c->h->card.toe;
}

static struct toe_ctx *context(const struct toe_conn *c)
{
	return toe_ctx_by_tid(toe(c), c->tid);
}

static void refused(struct toe_conn *c, uint32_t status)
{
	struct toe_cqe cqe = host_expect(c->h, 0, TOE_CQE_ERROR), want = {
		.type = TOE_CQE_ERROR, .phase = cqe.phase,
		.error = { .tid = c->tid, .reason = status },
	};

	CHECK(!memcmp(&cqe, &want, sizeof(want)));
	host_quiet(c->h, 0);
}

/* Pieces of 1 to 7 bytes, some hundred times around the ring. */
static void pieces_come_and_go(void)
{
	struct toe_conn c = posting(NEAR_WRAP);
	struct card_toe *t = toe(&c);
	struct toe_ctx *x = context(&c);
	uint32_t una = NEAR_WRAP, end = NEAR_WRAP, i, len, held;
	uint64_t at = toe_fill(c.h, 8192);
	uint8_t got[64];

	for (i = 0; i < 3000; i++) {
		len = i % 7 + 1;
		CHECK_EQ(toe_frag_add(t, x, at + (end - NEAR_WRAP) % 4096, len), 0);
		end += len;
		CHECK_EQ(x->posted, end);
		CHECK_EQ(t->frags_used, x->frag_count);
		/* Acknowledge to some byte, within a piece or at its end. */
		if (i % 3 == 2) {
			una += (end - una) / 3;
			toe_frag_acked(t, x, una);
			CHECK_EQ(t->frags_used, x->frag_count);
		}
		/* The first piece has a byte that is wanted; the last ends at the end. */
		held = x->frags[x->frag_head].seq;
		CHECK((int32_t)(held - una) <= 0);
		CHECK((int32_t)(held + x->frags[x->frag_head].len - una) > 0);
		len = end - una < 60 ? end - una : 60;
		memset(got, 0, sizeof(got));
		CHECK_EQ(toe_frag_gather(t, x, end - len, got, len), 0);
		for (held = 0; held < len; held++)
			CHECK_EQ(got[held], (uint8_t)((end - len + held - NEAR_WRAP) % 4096 * 31 + 7));
		if (i % 500 == 499) {		/* all of it */
			una = end;
			toe_frag_acked(t, x, una);
			CHECK_EQ(x->frag_count, 0);
			CHECK_EQ(t->frags_used, 0);
			CHECK_EQ(toe_frag_add(t, x, at + (end - NEAR_WRAP) % 4096, 1), 0);
			end++;
		}
	}
	host_destroy(c.h);
}

static void gather_keeps_to_what_is_there(void)
{
	struct toe_conn c = posting(ISS);
	struct card_toe *t = toe(&c);
	struct toe_ctx *x = context(&c);
	uint64_t at = toe_fill(c.h, 4096);
	uint8_t got[300];

	CHECK_EQ(toe_frag_gather(t, x, ISS, got, 0), 0);
	CHECK_EQ(toe_frag_gather(t, x, ISS, got, 1), -1);
	CHECK_EQ(toe_frag_add(t, x, at, 100), 0);
	CHECK_EQ(toe_frag_add(t, x, at + 1000, 100), 0);
	CHECK_EQ(toe_frag_gather(t, x, ISS + 199, got, 2), -1);		/* not posted */
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA + HOST_BYTES - 50, 51), 0);
	CHECK_EQ(toe_frag_gather(t, x, ISS - 1, got, 1), -1);
	CHECK_EQ(toe_frag_gather(t, x, ISS - 1, got, 2), -1);
	CHECK_EQ(toe_frag_gather(t, x, ISS, got, 200), 0);
	CHECK(!memcmp(got, host_ptr(c.h, at), 100));
	CHECK(!memcmp(got + 100, host_ptr(c.h, at + 1000), 100));
	CHECK_EQ(toe_frag_gather(t, x, ISS + 99, got, 2), 0);
	CHECK(got[0] == *(uint8_t *)host_ptr(c.h, at + 99) &&
	      got[1] == *(uint8_t *)host_ptr(c.h, at + 1000));
	CHECK_EQ(toe_frag_gather(t, x, ISS + 200, got, 50), 0);
	CHECK_EQ(toe_frag_gather(t, x, ISS + 200, got, 51), -1);	/* out of reach */
	CHECK_EQ(toe_frag_gather(t, x, ISS + 250, got, 2), -1);		/* not posted */
	CHECK_EQ(toe_frag_gather(t, x, ISS + 251, got, 1), -1);
	toe_frag_acked(t, x, ISS + 100);
	CHECK_EQ(x->frag_count, 2);
	CHECK_EQ(toe_frag_gather(t, x, ISS + 99, got, 1), -1);
	CHECK_EQ(toe_frag_gather(t, x, ISS + 100, got, 1), 0);
	toe_frag_acked(t, x, ISS + 199);
	CHECK_EQ(x->frag_count, 2);
	host_destroy(c.h);
}

static void pools_are_bounded(void)
{
	struct toe_conn c = posting(ISS);
	struct card_toe *t = toe(&c);
	struct toe_ctx *x = context(&c);
	uint32_t i;

	t->frags_used = TOE_FRAGS_TOTAL - 2;		/* of others */
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), 0);
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), 0);
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), -1);
	CHECK_EQ(t->frags_used, TOE_FRAGS_TOTAL);
	CHECK_EQ(x->frag_count, 2);
	CHECK_EQ(x->posted, ISS + 2);
	toe_frag_acked(t, x, ISS + 1);
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), 0);
	toe_frag_acked(t, x, ISS + 3);
	CHECK_EQ(t->frags_used, TOE_FRAGS_TOTAL - 2);
	t->frags_used = 0;
	for (i = 0; i < CARD_TOE_FRAGS; i++)
		CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), 0);
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), -1);
	CHECK_EQ(t->frags_used, CARD_TOE_FRAGS);
	toe_frag_acked(t, x, ISS + 4);
	CHECK_EQ(toe_frag_add(t, x, HOST_IOVA, 1), 0);
	host_destroy(c.h);
}

/* SEND with these pieces, one byte each. */
static void send_pieces(struct toe_conn *c, uint32_t seq, uint32_t n)
{
	struct toe_cmd cmd = { .op = TOE_CMD_SEND, .tid = c->tid };
	uint32_t i;

	cmd.send.seq = seq;
	cmd.send.nfrags = n;
	for (i = 0; i < TOE_SEND_FRAGS; i++) {
		cmd.send.addr[i] = HOST_IOVA;
		cmd.send.len[i] = 1;
	}
	host_cmd(c->h, 0, &cmd);
}

static void send_is_checked_against_the_pools(void)
{
	struct toe_conn c = posting(ISS);
	struct card_toe *t = toe(&c);
	uint32_t i, errors = c.h->card.stats.toe_cmd_errors;

	t->frags_used = TOE_FRAGS_TOTAL - 3;
	send_pieces(&c, ISS, 3);
	host_quiet(c.h, 0);
	CHECK_EQ(t->frags_used, TOE_FRAGS_TOTAL);
	t->frags_used = TOE_FRAGS_TOTAL - 2;
	send_pieces(&c, ISS + 3, 3);
	refused(&c, TOE_ST_NOMEM);
	CHECK_EQ(t->frags_used, TOE_FRAGS_TOTAL - 2);	/* none of it was taken */
	t->frags_used = 3;
	for (i = 1; i < CARD_TOE_FRAGS / 3; i++)
		send_pieces(&c, ISS + 3 * i, 3);
	host_quiet(c.h, 0);
	CHECK_EQ(context(&c)->frag_count, CARD_TOE_FRAGS - 1);
	send_pieces(&c, ISS + CARD_TOE_FRAGS - 1, 2);
	refused(&c, TOE_ST_NOMEM);
	send_pieces(&c, ISS + CARD_TOE_FRAGS - 1, 1);
	host_quiet(c.h, 0);
	send_pieces(&c, ISS + CARD_TOE_FRAGS, 1);
	refused(&c, TOE_ST_NOMEM);
	CHECK_EQ(c.h->card.stats.toe_cmd_errors, errors + 3);
	host_destroy(c.h);
}

static void send_is_checked_as_a_whole(void)
{
	struct toe_conn c = posting(ISS);
	struct toe_ctx *x = context(&c);
	struct toe_cmd good = { .op = TOE_CMD_SEND, .tid = c.tid }, cmd;
	uint64_t at = toe_fill(c.h, 64);
	uint32_t i;

	good.send.seq = ISS;
	good.send.nfrags = 3;
	for (i = 0; i < 3; i++) {
		good.send.addr[i] = at;
		good.send.len[i] = 10;
	}
	for (i = 0; i < 3; i++) {
		cmd = good;
		cmd.send.len[i] = 0;
		host_cmd(c.h, 0, &cmd);
		refused(&c, TOE_ST_INVAL);
		cmd = good;
		cmd.send.addr[i] = HOST_IOVA + HOST_BYTES - 9;
		host_cmd(c.h, 0, &cmd);
		refused(&c, TOE_ST_DMA);
	}
	for (i = 0; i < 8; i++) {
		cmd = good;
		cmd.flags = 1 << i;
		cmd.send.nfrags = 0;
		host_cmd(c.h, 0, &cmd);
		refused(&c, TOE_ST_INVAL);
		cmd = good;
		cmd.flags = 1 << i;
		if (i < 4)
			continue;
		host_cmd(c.h, 0, &cmd);
		refused(&c, TOE_ST_INVAL);
	}
	cmd = good;
	cmd.send.nfrags = 4;
	host_cmd(c.h, 0, &cmd);
	refused(&c, TOE_ST_INVAL);
	cmd = good;
	cmd.send.seq = ISS - 1;
	host_cmd(c.h, 0, &cmd);
	refused(&c, TOE_ST_INVAL);
	CHECK_EQ(x->frag_count, 0);
	CHECK_EQ(x->posted, ISS);
	good.send.addr[2] = HOST_IOVA + HOST_BYTES - 10;
	host_cmd(c.h, 0, &good);
	host_quiet(c.h, 0);
	CHECK_EQ(x->frag_count, 3);
	CHECK_EQ(x->posted, ISS + 30);
	/* Pieces that aren't used may hold anything. */
	good.send.seq = ISS + 30;
	good.send.nfrags = 1;
	good.send.len[1] = good.send.len[2] = 0;
	host_cmd(c.h, 0, &good);
	host_quiet(c.h, 0);
	CHECK_EQ(x->posted, ISS + 40);
	host_destroy(c.h);
}

/* 2^30 bytes may be posted and not acknowledged. */
static void the_stream_is_bounded(void)
{
	const uint64_t far = UINT64_C(0x1000000000);
	const uint32_t max = 1u << 30;
	struct toe_conn c = posting(ISS);

	/* Never touched: the peer's window is closed. */
	CHECK(!card_dma_add(&c.h->card.dma, far, UINT64_C(1) << 32, c.h->mem, 3, false));
	toe_send(&c, ISS, far, max + 1, 0);
	refused(&c, TOE_ST_INVAL);
	toe_send(&c, ISS, far, max - 5, 0);
	host_quiet(c.h, 0);
	toe_send(&c, ISS + max - 5, far, 6, 0);
	refused(&c, TOE_ST_INVAL);
	toe_send(&c, ISS + max - 5, far, 5, 0);
	host_quiet(c.h, 0);
	toe_send(&c, ISS + max, far, 1, 0);
	refused(&c, TOE_ST_INVAL);
	host_destroy(c.h);
}

static const struct kit_test tests[] = {
	KIT_TEST(pieces_come_and_go),
	KIT_TEST(gather_keeps_to_what_is_there),
	KIT_TEST(pools_are_bounded),
	KIT_TEST(send_is_checked_against_the_pools),
	KIT_TEST(send_is_checked_as_a_whole),
	KIT_TEST(the_stream_is_bounded),
};
KIT_MAIN(tests)
