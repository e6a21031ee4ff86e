/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * TOE commands.  Each is one function; what it may be applied to is data.
 */
#include <string.h>
#include "toe.h"
#include "toe_ctx.h"

#define MSS_MIN		64
#define SEND_MAX	(1u << 30)	/* bytes posted and not acknowledged, RFC 7323 2.3 */
#define HEADERS_MAX	(14 + 4 + 40 + 60)

static void answer(struct card *c, struct card_pair *p, const struct toe_cmd *cmd,
		   uint32_t status, uint32_t tid, uint32_t host_id)
{
	struct toe_cqe cqe = { .type = TOE_CQE_CMD };

	cqe.cmd.cookie = cmd->cookie;
	cqe.cmd.op = cmd->op;
	cqe.cmd.status = status;
	cqe.cmd.tid = htole32(tid);
	cqe.cmd.host_id = htole32(host_id);
	card_pair_post(c, p, &cqe);
}

static void count_error(struct card *c, const struct toe_cmd *cmd)
{
	c->stats.toe_cmd_errors++;
	card_guest_error(c, "refused TOE command", cmd->op);
}

/* A command without an answer was malformed. */
static void tell_error(struct card *c, struct card_pair *p, const struct toe_cmd *cmd,
		       uint32_t status)
{
	struct toe_cqe cqe = { .type = TOE_CQE_ERROR };

	count_error(c, cmd);
	cqe.error.tid = cmd->tid;
	cqe.error.reason = htole32(status);
	card_pair_post(c, p, &cqe);
}

static bool get_flow(struct card_flow *flow, const uint8_t *laddr, const uint8_t *raddr,
		     uint16_t lport, uint16_t rport, uint8_t family)
{
	size_t alen = family == 4 ? 4 : 16;

	if (family != 4 && family != 6)
		return false;
	memset(flow, 0, sizeof(*flow));
	memcpy(flow->laddr, laddr, alen);
	memcpy(flow->raddr, raddr, alen);
	flow->lport = lport;
	flow->rport = rport;
	flow->family = family;
	return true;
}

static void begin(struct card *c, struct card_pair *p, const struct toe_cmd *cmd)
{
	const struct toe_cmd_begin *b = &cmd->begin;
	uint32_t host_id = le32toh(b->host_id), status = TOE_ST_OK;
	struct card_toe *t = c->toe;
	struct toe_ctx *x = NULL;
	struct card_flow flow;
	struct card_pair *to;

	if (cmd->tid || !get_flow(&flow, b->laddr, b->raddr, b->lport, b->rport, b->family)) {
		count_error(c, cmd);
		answer(c, p, cmd, TOE_ST_INVAL, 0, host_id);
		return;
	}
	to = card_rx_steer(c, card_rss_flow(c->rss.key, &flow));
	if (toe_ctx_by_flow(t, &flow))
		status = TOE_ST_EXIST;
	else if (!(x = toe_ctx_alloc(t, &flow)))
		status = TOE_ST_NOMEM;
	if (status) {
		count_error(c, cmd);
	} else {
		x->pair = to;
		x->host_id = host_id;
		toe_ctx_set_deadline(t, x, c->now + TOE_HOLD_US);
	}
	answer(c, to, cmd, status, x ? x->tid : 0, host_id);
}

/* May this state, which is untrusted, become the context's? */
static bool state_ok(const struct toe_ctx *x, const struct min_tcp *st)
{
	uint32_t mss = le16toh(st->mss);
	struct card_flow flow;

	return get_flow(&flow, st->laddr, st->raddr, st->lport, st->rport, st->family) &&
	       !memcmp(&flow, &x->flow, sizeof(flow)) && !(st->lmac[0] & 1) &&
	       mss >= MSS_MIN && mss + HEADERS_MAX <= CARD_WIRE_FRAME && st->ttl;
}

/*
 * What the host's stack has sent of this flow may still stand in TX rings: the
 * card's own segments wait for it, else the peer would see them the wrong way
 * round.
 */
static void wait_for_tx(struct card *c, struct toe_ctx *x)
{
	unsigned int i;

	for (i = 0; i < c->cfg.pairs; i++)
		x->tx_wait[i] = card_sq_seen(&c->pair[i].tx);
	x->tx_wait_until = c->now + TOE_TX_WAIT_US;
}

static uint32_t take_over(struct card *c, struct toe_ctx *x, const struct toe_cmd_commit *cm)
{
	uint32_t bytes = le32toh(cm->block_bytes), known = sizeof(struct toe_conn_block);
	uint64_t block = le64toh(cm->block_addr);
	struct card_toe *t = c->toe;
	struct min_tcp st;

	bytes = bytes ? bytes : TOE_CONN_BLOCK_MIN;
	if (block & 63 || bytes < TOE_CONN_BLOCK_MIN)
		return TOE_ST_INVAL;
	bytes = bytes < known ? bytes : known;
	if (!card_dma_ok(&c->dma, block, bytes,
			 CARD_DMA_READ | CARD_DMA_WRITE) ||
	    card_dma_read(&c->dma, &st, block, sizeof(st)))
		return TOE_ST_DMA;
	if (!state_ok(x, &st))
		return TOE_ST_INVAL;
	if (te_import(t->engine, x->conn, &st, c->now))
		return TOE_ST_INVAL;
	x->block = block;
	x->stats_bytes = bytes - offsetof(struct toe_conn_block, stats);
	x->csum_errs = 0;
	x->ip_bytes_in = 0;
	x->ip_bytes_out = 0;
	x->l2 = st;
	x->host_id = le32toh(cm->host_id);
	x->posted = le32toh(st.snd_una);
	x->given = x->posted;
	x->given_eor = false;
	x->state = TOE_CTX_ACTIVE;
	wait_for_tx(c, x);
	return TOE_ST_OK;
}

static void commit(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	uint32_t status = take_over(c, x, &cmd->commit), tid = x->tid, host_id = x->host_id;
	struct card_pair *p = x->pair;
	struct card_toe *t = c->toe;

	if (status) {
		count_error(c, cmd);
		toe_rx_hold_end(t, x, false);
		toe_ctx_free(t, x);
		answer(c, p, cmd, status, tid, host_id);
		return;
	}
	/* The answer goes ahead of the events of what was held. */
	answer(c, p, cmd, status, tid, host_id);
	toe_ctx_want_output(t, x);
	toe_ctx_update(t, x);
	toe_rx_hold_end(t, x, true);
}

static void abort_hold(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	uint32_t tid = x->tid, host_id = x->host_id;
	struct card_pair *p = x->pair;

	toe_rx_hold_end(c->toe, x, false);
	toe_ctx_free(c->toe, x);
	answer(c, p, cmd, TOE_ST_OK, tid, host_id);
}

/* Is the SEND whole?  All of it is checked before any of it is taken. */
static uint32_t send_check(struct card *c, const struct toe_ctx *x, const struct toe_cmd *cmd)
{
	const struct toe_cmd_send *s = &cmd->send;
	uint32_t n = le32toh(s->nfrags), room = SEND_MAX - (x->posted - te_snd_una(x->conn)), i;
	uint64_t bytes = 0;

	if (cmd->flags & ~(TOE_SEND_PUSH | TOE_SEND_CREDIT | TOE_SEND_SENT | TOE_SEND_EOR) ||
	    !n || n > TOE_SEND_FRAGS || le32toh(s->seq) != x->posted)
		return TOE_ST_INVAL;
	for (i = 0; i < n; i++) {
		if (!s->len[i])
			return TOE_ST_INVAL;
		bytes += le32toh(s->len[i]);
	}
	if (bytes > room)
		return TOE_ST_INVAL;
	for (i = 0; i < n; i++)
		if (!card_dma_ok(&c->dma, le64toh(s->addr[i]), le32toh(s->len[i]),
				 CARD_DMA_READ))
			return TOE_ST_DMA;
	if (x->frag_count + n > CARD_TOE_FRAGS || c->toe->frags_used + n > TOE_FRAGS_TOTAL)
		return TOE_ST_NOMEM;
	return TOE_ST_OK;
}

static void send_payload(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	const struct toe_cmd_send *s = &cmd->send;
	uint32_t status = send_check(c, x, cmd), i;
	struct card_toe *t = c->toe;

	for (i = 0; !status && i < le32toh(s->nfrags); i++)
		if (toe_frag_add(t, x, le64toh(s->addr[i]), le32toh(s->len[i])))
			status = TOE_ST_NOMEM;
	if (status) {
		tell_error(c, x->pair, cmd, status);
		return;
	}
	if (cmd->flags & TOE_SEND_EOR)
		toe_frag_eor(x);
	toe_frag_give(x, cmd->flags & TOE_SEND_PUSH, c->now);
	if (cmd->flags & TOE_SEND_CREDIT)
		te_credit(x->conn, le32toh(s->edge), c->now);
	/* What was sent before COMMIT may have been acknowledged in the meantime, and the
	 * host has been told before it gave us the memory.
	 */
	toe_frag_acked(t, x, te_snd_una(x->conn));
	if ((int32_t)(le32toh(s->seq) - te_snd_una(x->conn)) < 0)
		toe_ctx_want_acked(t, x);
	toe_ctx_want_output(t, x);
	toe_ctx_update(t, x);
}

static void credit(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	te_credit(x->conn, le32toh(cmd->credit.edge), c->now);
	toe_ctx_want_output(c->toe, x);
	toe_ctx_update(c->toe, x);
}

static void recall(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	struct toe_cqe cqe = { .type = TOE_CQE_RECALLED };

	(void)cmd;
	if (x->state == TOE_CTX_ACTIVE) {
		toe_host_recalled(c->toe, x, TOE_REASON_HOST);
		return;
	}
	/* Nothing was taken over: no state block, but the same order of events. */
	cqe.recalled.tid = htole32(x->tid);
	cqe.recalled.host_id = htole32(x->host_id);
	card_pair_post(c, x->pair, &cqe);
	toe_rx_hold_end(c->toe, x, false);
	toe_ctx_free(c->toe, x);
}

static void set_params(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	const struct toe_cmd_set_params *s = &cmd->set;
	uint32_t mask = le32toh(s->mask), status = TOE_ST_OK;
	struct min_tcp *l2 = &x->l2;

	if (mask & ~0xffu || (mask & TOE_SET_MSS && le16toh(s->mss) < MSS_MIN) ||
	    (mask & TOE_SET_TTL && !s->ttl) || (mask & TOE_SET_RMAC && s->rmac[0] & 1) ||
	    (mask & TOE_SET_MANNER && s->manner & ~TOE_MANNER_KEEP_CWND)) {
		count_error(c, cmd);
		status = TOE_ST_INVAL;
	} else {
		if (mask & TOE_SET_TTL)
			l2->ttl = s->ttl;
		if (mask & TOE_SET_TOS)
			l2->tos = s->tos;
		if (mask & TOE_SET_RMAC)
			memcpy(l2->rmac, s->rmac, sizeof(l2->rmac));
		te_set_params(x->conn, s, c->now);
		toe_ctx_want_output(c->toe, x);
		toe_ctx_update(c->toe, x);
	}
	answer(c, x->pair, cmd, status, x->tid, x->host_id);
}

static void query(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd)
{
	uint32_t status = toe_host_write_stats(c->toe, x) ? TOE_ST_DMA : TOE_ST_OK;

	answer(c, x->pair, cmd, status, x->tid, x->host_id);
}

#define IN(state)	(1u << (state))

/* Which states a command is for, whether it's answered, and what it does. */
static const struct toe_command {
	uint32_t states;
	bool answered;
	void (*run)(struct card *c, struct toe_ctx *x, const struct toe_cmd *cmd);
} commands[] = {
	[TOE_CMD_COMMIT]	= { IN(TOE_CTX_HOLDING), true, commit },
	[TOE_CMD_ABORT]		= { IN(TOE_CTX_HOLDING), true, abort_hold },
	[TOE_CMD_SEND]		= { IN(TOE_CTX_ACTIVE), false, send_payload },
	[TOE_CMD_CREDIT]	= { IN(TOE_CTX_ACTIVE), false, credit },
	[TOE_CMD_RECALL]	= { IN(TOE_CTX_HOLDING) | IN(TOE_CTX_ACTIVE), false, recall },
	[TOE_CMD_SET_PARAMS]	= { IN(TOE_CTX_ACTIVE), true, set_params },
	[TOE_CMD_QUERY]		= { IN(TOE_CTX_ACTIVE), true, query },
};

static void run(struct card *c, struct card_pair *p, const struct toe_cmd *cmd)
{
	uint32_t tid = le32toh(cmd->tid);
	const struct toe_command *e;
	struct toe_ctx *x;

	if (cmd->op == TOE_CMD_BEGIN) {
		begin(c, p, cmd);
		return;
	}
	if (cmd->op >= sizeof(commands) / sizeof(commands[0]) || !commands[cmd->op].run) {
		tell_error(c, p, cmd, TOE_ST_NOTSUP);
		return;
	}
	e = &commands[cmd->op];
	x = toe_ctx_by_tid(c->toe, tid);
	if (x && e->states & IN(x->state)) {
		e->run(c, x, cmd);
		return;
	}
	/* Not the host's fault, often: the card has just given it back. */
	count_error(c, cmd);
	if (e->answered)
		answer(c, x ? x->pair : p, cmd, x ? TOE_ST_STATE : TOE_ST_NOCONN, tid,
		       x ? x->host_id : 0);
}

/**
 * card_toe_run() - carry out the TOE commands that wait on a pair
 * @c: the card
 * @p: the pair
 *
 * Return: true if there were any.
 */
bool card_toe_run(struct card *c, struct card_pair *p)
{
	struct toe_cmd cmd;
	int n;

	for (n = 0; n < CARD_BATCH && !card_cq_is_held(&p->cq); n++) {
		if (!card_sq_pop(&p->sq, &cmd))
			break;
		run(c, p, &cmd);
	}
	return n > 0;
}
