/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Admin commands.  Each is one function that answers with a status. */
#include <stdlib.h>
#include <string.h>
#include "card.h"
#include "toe.h"

static bool ring_ok(struct card *c, uint64_t addr, uint32_t size, uint32_t entry,
		    uint32_t prot)
{
	return card_dma_ok(&c->dma, addr, (uint64_t)size * entry, prot);
}

static const uint32_t entry_bytes[TOE_RINGS] = {
	[TOE_RING_TX] = sizeof(struct toe_txd),
	[TOE_RING_SQ] = sizeof(struct toe_cmd),
	[TOE_RING_RX] = sizeof(struct toe_rxd),
	[TOE_RING_RQ] = sizeof(struct toe_rxd),
	[TOE_RING_CQ] = sizeof(struct toe_cqe),
};

static uint32_t pair_check(struct card *c, const struct toe_pair_param *pp)
{
	uint32_t rx = le32toh(pp->rx_buf_bytes), rq = le32toh(pp->rq_buf_bytes), i;
	uint64_t shadow = le64toh(pp->shadow_addr);

	if (rx < 1536 || rx > 16384 || rq < 4096 || rq > 65536 || shadow & 63)
		return TOE_ST_INVAL;
	for (i = 0; i < TOE_RINGS; i++) {
		uint32_t size = le32toh(pp->ring_size[i]);

		if (size < TOE_RING_MIN || size > TOE_RING_MAX || size & (size - 1) ||
		    le64toh(pp->ring_addr[i]) & 63)
			return TOE_ST_INVAL;
	}
	for (i = 0; i < TOE_RINGS; i++)
		if (!ring_ok(c, le64toh(pp->ring_addr[i]), le32toh(pp->ring_size[i]),
			     entry_bytes[i],
			     i == TOE_RING_CQ ? CARD_DMA_WRITE : CARD_DMA_READ))
			return TOE_ST_DMA;
	if (!ring_ok(c, shadow, TOE_RINGS, sizeof(struct toe_shadow),
		     CARD_DMA_READ | CARD_DMA_WRITE))
		return TOE_ST_DMA;
	return TOE_ST_OK;
}

static void sq_init(struct card *c, struct card_sq *q, const struct toe_pair_param *pp, int ring)
{
	card_sq_init(q, &c->dma, le64toh(pp->ring_addr[ring]),
		     le64toh(pp->shadow_addr) + ring * sizeof(struct toe_shadow),
		     le32toh(pp->ring_size[ring]), entry_bytes[ring]);
}

static uint32_t pair_create(struct card *c, const struct toe_admin_cmd *cmd)
{
	uint32_t n = le32toh(cmd->arg), status;
	struct toe_pair_param pp;
	struct card_pair *p;

	if (n >= c->cfg.pairs || le32toh(cmd->param_bytes) < sizeof(pp))
		return TOE_ST_INVAL;
	p = &c->pair[n];
	if (p->active)
		return TOE_ST_STATE;
	if (card_dma_read(&c->dma, &pp, le64toh(cmd->param_addr), sizeof(pp)))
		return TOE_ST_DMA;
	status = pair_check(c, &pp);
	if (status)
		return status;
	memset(p, 0, sizeof(*p));
	p->index = n;
	p->txs.buf = malloc(CARD_TX_BYTES);
	if (!p->txs.buf)
		return TOE_ST_NOMEM;
	sq_init(c, &p->tx, &pp, TOE_RING_TX);
	sq_init(c, &p->sq, &pp, TOE_RING_SQ);
	sq_init(c, &p->rx, &pp, TOE_RING_RX);
	sq_init(c, &p->rq, &pp, TOE_RING_RQ);
	card_cq_init(&p->cq, &c->dma, le64toh(pp.ring_addr[TOE_RING_CQ]),
		     le64toh(pp.shadow_addr) + TOE_RING_CQ * sizeof(struct toe_shadow),
		     le32toh(pp.ring_size[TOE_RING_CQ]));
	p->rx_buf_bytes = le32toh(pp.rx_buf_bytes);
	p->rq_buf_bytes = le32toh(pp.rq_buf_bytes);
	p->active = true;
	return TOE_ST_OK;
}

/**
 * card_pair_destroy() - end a queue pair
 * @c: the card
 * @p: the pair; one that doesn't exist is left alone
 *
 * Its connections are given back first, as far as its completion ring takes it.
 * When this returns no host memory of the pair is used any more.
 */
void card_pair_destroy(struct card *c, struct card_pair *p)
{
	if (!p->active)
		return;
	card_toe_pair_destroy(c, p);
	card_cq_flush(&p->cq);
	p->active = false;
	card_cq_uninit(&p->cq);
	free(p->txs.buf);
	p->txs.buf = NULL;
}

static uint32_t pair_destroy(struct card *c, const struct toe_admin_cmd *cmd)
{
	uint32_t n = le32toh(cmd->arg);

	if (n >= c->cfg.pairs)
		return TOE_ST_INVAL;
	if (!c->pair[n].active)
		return TOE_ST_STATE;
	card_pair_destroy(c, &c->pair[n]);
	return TOE_ST_OK;
}

static uint32_t rx_mode(struct card *c, const struct toe_admin_cmd *cmd)
{
	uint32_t mode = le32toh(cmd->arg), count = le32toh(cmd->count);
	uint8_t macs[TOE_RX_MODE_MAX_MACS][8];

	if (mode & ~(TOE_RX_MODE_PROMISC | TOE_RX_MODE_ALLMULTI) ||
	    count > TOE_RX_MODE_MAX_MACS || le32toh(cmd->param_bytes) < count * 8)
		return TOE_ST_INVAL;
	if (count && card_dma_read(&c->dma, macs, le64toh(cmd->param_addr), count * 8))
		return TOE_ST_DMA;
	memcpy(c->macs, macs, count * 8);
	c->mac_count = count;
	c->rx_mode = mode;
	return TOE_ST_OK;
}

static uint32_t rss(struct card *c, const struct toe_admin_cmd *cmd)
{
	struct toe_rss_param param;
	unsigned int i;

	if (le32toh(cmd->param_bytes) < sizeof(param))
		return TOE_ST_INVAL;
	if (card_dma_read(&c->dma, &param, le64toh(cmd->param_addr), sizeof(param)))
		return TOE_ST_DMA;
	for (i = 0; i < TOE_RSS_INDIR; i++)
		if (param.indir[i] >= c->cfg.pairs)
			return TOE_ST_INVAL;
	c->rss = param;
	return TOE_ST_OK;
}

static uint32_t mtu(struct card *c, const struct toe_admin_cmd *cmd)
{
	uint32_t val = le32toh(cmd->arg);

	if (val < 68 || val > CARD_MAX_MTU)
		return TOE_ST_INVAL;
	c->mtu = val;
	return TOE_ST_OK;
}

static uint32_t stats(struct card *c, const struct toe_admin_cmd *cmd)
{
	uint64_t le[sizeof(struct card_stats) / 8], host[sizeof(struct card_stats) / 8];
	unsigned int i;

	if (le32toh(cmd->param_bytes) < sizeof(le))
		return TOE_ST_INVAL;
	c->stats.dma_errors = c->dma.errors;
	memcpy(host, &c->stats, sizeof(host));
	/* What the front and the wire saw counts too. */
	for (i = 0; i < sizeof(le) / 8; i++)
		le[i] = htole64(host[i]);
	le[offsetof(struct card_stats, reg_errors) / 8] =
		htole64(c->stats.reg_errors + c->shm->reg_errors);
	le[offsetof(struct card_stats, rx_oversize) / 8] =
		htole64(c->stats.rx_oversize + c->wire->oversize);
	if (card_dma_write(&c->dma, le64toh(cmd->param_addr), le, sizeof(le)))
		return TOE_ST_DMA;
	return TOE_ST_OK;
}

static uint32_t features(struct card *c, const struct toe_admin_cmd *cmd)
{
	const uint32_t known = TOE_FEATURE_VLAN_STRIP | TOE_FEATURE_RXCSUM |
			       TOE_FEATURE_LOOPBACK | TOE_FEATURE_MIRROR |
			       TOE_FEATURE_MIRROR_ALL;
	uint32_t val = le32toh(cmd->arg);

	if (val & ~known)
		return TOE_ST_NOTSUP;
	c->features = val;
	return TOE_ST_OK;
}

static uint32_t station_mac(struct card *c, const struct toe_admin_cmd *cmd)
{
	uint8_t mac[6];

	if (le32toh(cmd->param_bytes) < sizeof(mac))
		return TOE_ST_INVAL;
	if (card_dma_read(&c->dma, mac, le64toh(cmd->param_addr), sizeof(mac)))
		return TOE_ST_DMA;
	if (mac[0] & 1)
		return TOE_ST_INVAL;
	memcpy(c->mac, mac, sizeof(mac));
	return TOE_ST_OK;
}

static uint32_t (*const commands[])(struct card *c, const struct toe_admin_cmd *cmd) = {
	[TOE_ADMIN_PAIR_CREATE]		= pair_create,
	[TOE_ADMIN_PAIR_DESTROY]	= pair_destroy,
	[TOE_ADMIN_RX_MODE]		= rx_mode,
	[TOE_ADMIN_RSS]			= rss,
	[TOE_ADMIN_MTU]			= mtu,
	[TOE_ADMIN_STATS]		= stats,
	[TOE_ADMIN_FEATURES]		= features,
	[TOE_ADMIN_MAC]			= station_mac,
};

/**
 * card_admin_run() - carry out the admin commands that wait
 * @c: the card
 *
 * Return: true if there were any.
 */
bool card_admin_run(struct card *c)
{
	struct toe_admin_cmd cmd;
	bool any = false;

	while (c->enabled && !card_cq_is_held(&c->admin_cq) && card_sq_pop(&c->admin_sq, &cmd)) {
		struct toe_cqe cqe = { .type = TOE_CQE_CMD };
		uint32_t status = TOE_ST_NOTSUP;

		if (cmd.op < sizeof(commands) / sizeof(commands[0]) && commands[cmd.op])
			status = commands[cmd.op](c, &cmd);
		if (status)
			card_guest_error(c, "refused admin command", cmd.op);
		cqe.cmd.cookie = cmd.cookie;
		cqe.cmd.op = cmd.op;
		cqe.cmd.status = status;
		card_post(c, &c->admin_cq, &cqe);
		any = true;
	}
	if (c->admin_sq.broken)
		card_fatal(c, "impossible index of the admin ring");
	return any;
}
