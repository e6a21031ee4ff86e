/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The register map.  An access to anything unlisted has one place to be noticed. */
#include <string.h>
#include "card.h"
#include "regs.h"

static uint64_t reg64(const struct card *c, uint32_t lo)
{
	return (uint64_t)c->reg[lo / 4 + 1] << 32 | c->reg[lo / 4];
}

static bool size_ok(uint32_t size)
{
	return size >= 16 && size <= 1024 && !(size & (size - 1));
}

static void admin_start(struct card *c)
{
	uint64_t sq = reg64(c, TOE_REG_ADMIN_SQ_LO), cq = reg64(c, TOE_REG_ADMIN_CQ_LO);
	uint64_t shadow = reg64(c, TOE_REG_ADMIN_SHADOW_LO);
	uint32_t size = c->reg[TOE_REG_ADMIN_SIZE / 4];

	if (!size_ok(size) || (sq | cq | shadow) & 63) {
		card_guest_error(c, "ENABLE with a bad admin ring, size", size);
		card_fatal(c, "bad admin ring");
		return;
	}
	card_sq_init(&c->admin_sq, &c->dma, sq, shadow, size, sizeof(struct toe_admin_cmd));
	card_cq_init(&c->admin_cq, &c->dma, cq, shadow + sizeof(struct toe_shadow), size);
	c->enabled = true;
}

static void admin_stop(struct card *c)
{
	unsigned int i;

	for (i = 0; i < c->cfg.pairs; i++)
		card_pair_destroy(c, &c->pair[i]);
	card_cq_uninit(&c->admin_cq);
	memset(&c->admin_sq, 0, sizeof(c->admin_sq));
	c->enabled = false;
}

static void control_write(struct card *c, uint32_t val)
{
	if (val & TOE_CONTROL_RESET) {
		c->want_reset = true;
		return;
	}
	if ((val & TOE_CONTROL_ENABLE) && !c->enabled)
		admin_start(c);
	else if (!(val & TOE_CONTROL_ENABLE) && c->enabled)
		admin_stop(c);
	card_shm_set(c->shm, TOE_REG_CONTROL, c->enabled ? TOE_CONTROL_ENABLE : 0);
}

#define RO(reg)		{ reg, CARD_REG_R, #reg, NULL }
#define WO(reg)		{ reg, CARD_REG_W, #reg, NULL }

static const struct card_reg regs[] = {
	RO(TOE_REG_MAGIC),
	RO(TOE_REG_VERSION),
	RO(TOE_REG_CAP_NIC),
	RO(TOE_REG_CAP_TOE),
	RO(TOE_REG_PAIRS),
	RO(TOE_REG_CONTEXTS),
	RO(TOE_REG_FRAGS),
	RO(TOE_REG_MAX_MTU),
	RO(TOE_REG_MAC_LO),
	RO(TOE_REG_MAC_HI),
	RO(TOE_REG_STATUS),
	{ TOE_REG_CONTROL, CARD_REG_R | CARD_REG_W, "TOE_REG_CONTROL", control_write },
	WO(TOE_REG_ADMIN_SQ_LO),
	WO(TOE_REG_ADMIN_SQ_HI),
	WO(TOE_REG_ADMIN_CQ_LO),
	WO(TOE_REG_ADMIN_CQ_HI),
	WO(TOE_REG_ADMIN_SHADOW_LO),
	WO(TOE_REG_ADMIN_SHADOW_HI),
	WO(TOE_REG_ADMIN_SIZE),
	WO(TOE_REG_HEARTBEAT_LO),
	WO(TOE_REG_HEARTBEAT_HI),
};

/**
 * card_reg_find() - look a register up
 * @off: byte offset
 *
 * Return: the register, or NULL; doorbells are not in the table.
 */
const struct card_reg *card_reg_find(uint32_t off)
{
	unsigned int i;

	for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		if (regs[i].off == off)
			return &regs[i];
	return NULL;
}

/**
 * card_reg_doorbell() - is it a doorbell
 * @off: byte offset
 * @pairs: queue pairs of the card
 *
 * Return: its bit number in struct card_shm, or -1.
 */
int card_reg_doorbell(uint32_t off, unsigned int pairs)
{
	if (off < TOE_REG_DOORBELL_ADMIN || off % 4 ||
	    off >= TOE_REG_DOORBELL_PAIR(pairs))
		return -1;
	return (off - TOE_REG_DOORBELL_ADMIN) / 4;
}

/**
 * card_reg_write() - carry out a register write
 * @c: the card
 * @off: byte offset
 * @val: value
 */
void card_reg_write(struct card *c, uint32_t off, uint32_t val)
{
	const struct card_reg *r = card_reg_find(off);

	if (!r || !(r->access & CARD_REG_W)) {
		c->stats.reg_errors++;
		card_guest_error(c, "write to register", off);
		return;
	}
	/* The admin ring and its addresses are fixed while it runs. */
	if (c->enabled && off >= TOE_REG_ADMIN_SQ_LO && off <= TOE_REG_ADMIN_SIZE) {
		c->stats.reg_errors++;
		card_guest_error(c, "write while enabled to register", off);
		return;
	}
	c->reg[off / 4] = val;
	if (r->write)
		r->write(c, val);
}

/**
 * card_regs_init() - what registers read after a reset
 * @shm: the registers; STATUS is left at 0, «not ready yet»
 * @cfg: the card's configuration
 */
void card_regs_init(struct card_shm *shm, const struct card_config *cfg)
{
	const uint8_t *m = cfg->mac;

	card_shm_set(shm, TOE_REG_MAGIC, TOE_MAGIC);
	card_shm_set(shm, TOE_REG_VERSION, TOE_ABI_MAJOR << 16 | TOE_ABI_MINOR);
	card_shm_set(shm, TOE_REG_CAP_NIC, TOE_CAP_NIC_TXCSUM | TOE_CAP_NIC_RXCSUM |
		     TOE_CAP_NIC_TSO | TOE_CAP_NIC_TSO6 | TOE_CAP_NIC_RSS | TOE_CAP_NIC_VLAN);
	card_shm_set(shm, TOE_REG_CAP_TOE, TOE_CAP_TOE_IPV4 | TOE_CAP_TOE_IPV6 |
		     TOE_CAP_TOE_TSTAMP | TOE_CAP_TOE_SACK | TOE_CAP_TOE_ECN |
		     TOE_CAP_TOE_VLAN | TOE_CAP_TOE_MIRROR | TOE_CAP_TOE_EOR |
		     TOE_CAP_TOE_MANNER);
	card_shm_set(shm, TOE_REG_PAIRS, cfg->pairs);
	card_shm_set(shm, TOE_REG_CONTEXTS, cfg->contexts);
	card_shm_set(shm, TOE_REG_FRAGS, CARD_TOE_FRAGS);
	card_shm_set(shm, TOE_REG_MAX_MTU, CARD_MAX_MTU);
	card_shm_set(shm, TOE_REG_MAC_LO, m[0] | m[1] << 8 | m[2] << 16 | (uint32_t)m[3] << 24);
	card_shm_set(shm, TOE_REG_MAC_HI, m[4] | m[5] << 8);
	card_shm_set(shm, TOE_REG_STATUS, 0);
	card_shm_set(shm, TOE_REG_CONTROL, 0);
}
