/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Host memory as the card sees it: a sorted table of mapped pieces. */
#ifndef CARD_DMA_H
#define CARD_DMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARD_DMA_MAX	1024
#define CARD_DMA_READ	0x1u	/* the card may read */
#define CARD_DMA_WRITE	0x2u

/* One mapped piece; iova + size does not wrap. */
struct card_dma_map {
	uint64_t iova;
	uint64_t size;
	uint8_t *hva;
	uint32_t prot;		/* CARD_DMA_* */
	bool owned;		/* munmap() it when it goes */
};

struct card_dma {
	struct card_dma_map map[CARD_DMA_MAX];
	unsigned int count;
	unsigned int last;		/* where the last access hit */
	uint64_t errors;		/* accesses that hit nothing */
	bool bus_off;			/* every access fails; for whole turns only */
};

int card_dma_add(struct card_dma *d, uint64_t iova, uint64_t size, void *hva,
		 uint32_t prot, bool owned);
int card_dma_map_fd(struct card_dma *d, uint64_t iova, uint64_t size, int fd,
		    uint64_t offset, uint32_t prot);
void card_dma_del(struct card_dma *d, uint64_t iova, uint64_t size);
void card_dma_uninit(struct card_dma *d);
void *card_dma_ptr(struct card_dma *d, uint64_t iova, size_t len, uint32_t prot);
bool card_dma_ok(struct card_dma *d, uint64_t iova, uint64_t len, uint32_t prot);
int card_dma_read(struct card_dma *d, void *dst, uint64_t iova, size_t len);
int card_dma_write(struct card_dma *d, uint64_t iova, const void *src, size_t len);

#endif /* CARD_DMA_H */
