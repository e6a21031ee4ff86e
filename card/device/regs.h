/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The register map as data; shared by the front (access) and the device (effect). */
#ifndef CARD_REGS_H
#define CARD_REGS_H

#include <stdbool.h>
#include <stdint.h>

struct card;
struct card_shm;
struct card_config;

#define CARD_REG_R	0x1u
#define CARD_REG_W	0x2u

/**
 * struct card_reg - one register
 * @off: byte offset in TOE_BAR
 * @access: CARD_REG_*
 * @name: for messages
 * @write: its effect in the device; NULL: the value is only kept
 */
struct card_reg {
	uint32_t off;
	uint32_t access;
	const char *name;
	void (*write)(struct card *c, uint32_t val);
};

const struct card_reg *card_reg_find(uint32_t off);
int card_reg_doorbell(uint32_t off, unsigned int pairs);
void card_reg_write(struct card *c, uint32_t off, uint32_t val);
void card_regs_init(struct card_shm *shm, const struct card_config *cfg);

#endif /* CARD_REGS_H */
