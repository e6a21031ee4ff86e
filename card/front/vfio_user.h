/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* vfio-user protocol 0.0, as QEMU's documentation (interop/vfio-user) has it. */
#ifndef CARD_VFIO_USER_H
#define CARD_VFIO_USER_H

#include <stdint.h>

enum {
	VFIO_USER_VERSION		= 1,
	VFIO_USER_DMA_MAP		= 2,
	VFIO_USER_DMA_UNMAP		= 3,
	VFIO_USER_DEVICE_GET_INFO	= 4,
	VFIO_USER_REGION_INFO		= 5,
	VFIO_USER_REGION_IO_FDS		= 6,
	VFIO_USER_IRQ_INFO		= 7,
	VFIO_USER_SET_IRQS		= 8,
	VFIO_USER_REGION_READ		= 9,
	VFIO_USER_REGION_WRITE		= 10,
	VFIO_USER_DMA_READ		= 11,
	VFIO_USER_DMA_WRITE		= 12,
	VFIO_USER_DEVICE_RESET		= 13,
	VFIO_USER_COMMANDS
};

#define VFIO_USER_REPLY		0x01
#define VFIO_USER_NO_REPLY	0x10
#define VFIO_USER_ERROR		0x20

struct vfio_user_header {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;		/* this header included */
	uint32_t flags;
	uint32_t error;
};

struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
	char json[];		/* NUL-terminated */
};

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t iova;
	uint64_t size;
};
#define VFIO_USER_MAP_READ	0x1
#define VFIO_USER_MAP_WRITE	0x2

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};
#define VFIO_USER_UNMAP_ALL	0x2

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions;
	uint32_t irqs;
};
#define VFIO_USER_DEVICE_RESETS	0x1
#define VFIO_USER_DEVICE_PCI	0x2

struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};
#define VFIO_USER_REGION_R	0x1
#define VFIO_USER_REGION_W	0x2

enum {
	VFIO_USER_BAR0		= 0,
	VFIO_USER_BAR1		= 1,
	VFIO_USER_CONFIG	= 7,
	VFIO_USER_REGIONS	= 9,
};

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};
#define VFIO_USER_IRQ_EVENTFD	0x1
#define VFIO_USER_IRQ_NORESIZE	0x8

enum {
	VFIO_USER_IRQ_MSIX	= 2,
	VFIO_USER_IRQS		= 5,
};

struct vfio_user_set_irqs {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};
#define VFIO_USER_SET_NONE	0x01
#define VFIO_USER_SET_EVENTFD	0x04
#define VFIO_USER_SET_TRIGGER	0x20

struct vfio_user_region_rw {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
	uint8_t data[];
};

#endif /* CARD_VFIO_USER_H */
