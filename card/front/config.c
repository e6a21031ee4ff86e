/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Config space: a type 0 header with power management, MSI-X and PCIe.  Which
 * bits the host may write is data.
 */
#include <stdio.h>
#include <string.h>
#include "front.h"

#define CAP_PM		0x40
#define CAP_MSIX	0x50
#define CAP_PCIE	0x60

#define COMMAND		0x04
#define   COMMAND_MASTER	0x0004
#define PM_CSR		(CAP_PM + 4)
#define DEVCTL		(CAP_PCIE + 8)
#define   DEVCTL_FLR		0x8000

struct field {
	uint16_t off;
	uint8_t bytes;
	uint32_t reset;		/* value after a reset */
	uint32_t mask;		/* bits that the host may write */
};

static const struct field fields[] = {
	{ 0x00, 2, TOE_PCI_VENDOR_ID, 0 },
	{ 0x02, 2, TOE_PCI_DEVICE_ID, 0 },
	{ COMMAND, 2, 0, 0x0546 },		/* memory, master, parity, SERR, INTx off */
	{ 0x06, 2, 0x0010, 0 },			/* status: capability list */
	{ 0x08, 4, TOE_PCI_CLASS << 8 | TOE_PCI_REVISION, 0 },
	{ 0x0c, 1, 0, 0xff },			/* cache line size */
	{ 0x10, 4, 0, ~(uint32_t)(TOE_BAR_BYTES - 1) },
	{ 0x14, 4, 0, ~(uint32_t)(TOE_MSIX_BAR_BYTES - 1) },
	{ 0x2c, 2, TOE_PCI_VENDOR_ID, 0 },
	{ 0x2e, 2, TOE_PCI_DEVICE_ID, 0 },
	{ 0x34, 1, CAP_PM, 0 },
	{ 0x3c, 1, 0, 0xff },			/* interrupt line */

	{ CAP_PM, 2, 0x01 | CAP_MSIX << 8, 0 },
	{ CAP_PM + 2, 2, 0x0003, 0 },		/* version 1.2 */
	{ PM_CSR, 2, 0x0008, 0x0003 },		/* no soft reset; power state */

	{ CAP_MSIX, 2, 0x11 | CAP_PCIE << 8, 0 },
	{ CAP_MSIX + 2, 2, TOE_VECTORS - 1, 0xc000 },
	{ CAP_MSIX + 4, 4, TOE_MSIX_BAR, 0 },
	{ CAP_MSIX + 8, 4, TOE_MSIX_PBA_OFFSET | TOE_MSIX_BAR, 0 },

	{ CAP_PCIE, 2, 0x10, 0 },
	{ CAP_PCIE + 2, 2, 0x0002, 0 },		/* version 2, endpoint */
	{ CAP_PCIE + 4, 4, 0x10008000, 0 },	/* FLR, role-based errors */
	{ DEVCTL, 2, 0x2810, 0x78ff },
	{ CAP_PCIE + 12, 4, 0x00000011, 0 },	/* 2.5 GT/s, x1 */
	{ CAP_PCIE + 16, 2, 0, 0x00c3 },	/* link control */
	{ CAP_PCIE + 18, 2, 0x0011, 0 },	/* link status */
	{ CAP_PCIE + 36, 4, 0x00000010, 0 },	/* completion timeout can be disabled */
	{ CAP_PCIE + 40, 2, 0, 0x001f },
	{ CAP_PCIE + 44, 4, 0x00000002, 0 },
};

#define FIELDS	(sizeof(fields) / sizeof(fields[0]))

static uint32_t get(const uint8_t *p, unsigned int bytes)
{
	uint32_t val = 0;

	while (bytes--)
		val = val << 8 | p[bytes];
	return val;
}

/* Tell the device process whether it may touch host memory; true: no longer. */
static bool update_master(struct front *f)
{
	bool on = (get(f->config + COMMAND, 2) & COMMAND_MASTER) &&
		  !(get(f->config + PM_CSR, 2) & 3);

	if (atomic_exchange(&f->shm->bus_master, on) == on)
		return false;
	front_child_kick(f);
	return !on;
}

/**
 * front_config_reset() - config space as after power-on
 * @f: the front
 */
void front_config_reset(struct front *f)
{
	unsigned int i, b;

	memset(f->config, 0, sizeof(f->config));
	for (i = 0; i < FIELDS; i++)
		for (b = 0; b < fields[i].bytes; b++)
			f->config[fields[i].off + b] = fields[i].reset >> 8 * b;
	update_master(f);
}

static uint8_t mask_at(uint32_t off)
{
	unsigned int i;

	for (i = 0; i < FIELDS; i++)
		if (off >= fields[i].off && off < fields[i].off + fields[i].bytes)
			return fields[i].mask >> 8 * (off - fields[i].off);
	return 0;
}

/**
 * front_config_write() - the host writes config space
 * @f: the front
 * @off: first byte
 * @data: bytes
 * @len: how many; the caller has checked the range
 *
 * Return: true if the bus was taken from the card: the write is done when the device
 * process has let go of it.
 */
bool front_config_write(struct front *f, uint32_t off, const uint8_t *data, uint32_t len)
{
	bool flr = false;
	uint32_t i;

	for (i = 0; i < len; i++) {
		uint8_t mask = mask_at(off + i), *p = &f->config[off + i];

		*p = (*p & ~mask) | (data[i] & mask);
		/* The bit reads as zero: it's an act, not a state. */
		if (off + i == DEVCTL + 1 && (data[i] & DEVCTL_FLR >> 8))
			flr = true;
	}
	if (flr) {
		front_config_reset(f);
		front_child_reset(f);
		return false;
	}
	return update_master(f);
}
