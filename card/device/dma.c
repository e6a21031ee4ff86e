/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Host memory as the card sees it.  The hypervisor maps guest memory in pieces
 * and re-maps them at will, so every access looks its piece up anew; one that
 * crosses pieces is cut.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "dma.h"

/* First entry that ends above @iova. */
static unsigned int lower_bound(const struct card_dma *d, uint64_t iova)
{
	unsigned int lo = 0, hi = d->count;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (d->map[mid].iova + (d->map[mid].size - 1) < iova)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/**
 * card_dma_add() - enter a piece of host memory that is mapped at @hva
 * @d: the table
 * @iova: its address as the host uses it
 * @size: bytes
 * @hva: where it is in this process
 * @prot: CARD_DMA_*
 * @owned: munmap() it when it is deleted
 *
 * Return: 0, -EINVAL (empty or wraps), -EEXIST (overlaps), -ENOSPC.
 */
int card_dma_add(struct card_dma *d, uint64_t iova, uint64_t size, void *hva,
		 uint32_t prot, bool owned)
{
	unsigned int i;

	if (!size || iova + (size - 1) < iova)
		return -EINVAL;
	if (d->count == CARD_DMA_MAX)
		return -ENOSPC;
	i = lower_bound(d, iova);
	if (i < d->count && d->map[i].iova <= iova + (size - 1))
		return -EEXIST;
	memmove(&d->map[i + 1], &d->map[i], (d->count - i) * sizeof(d->map[0]));
	d->map[i] = (struct card_dma_map){ iova, size, hva, prot, owned };
	d->count++;
	return 0;
}

/**
 * card_dma_map_fd() - map a piece of host memory from a file and enter it
 * @d: the table
 * @iova: its address as the host uses it
 * @size: bytes, a multiple of the page size
 * @fd: file that holds it; the caller keeps the descriptor
 * @offset: in the file
 * @prot: CARD_DMA_*
 *
 * Return: 0 or a negative errno.
 */
int card_dma_map_fd(struct card_dma *d, uint64_t iova, uint64_t size, int fd,
		    uint64_t offset, uint32_t prot)
{
	int mprot = (prot & CARD_DMA_READ ? PROT_READ : 0) |
		    (prot & CARD_DMA_WRITE ? PROT_WRITE : 0);
	void *hva;
	int err;

	hva = mmap(NULL, size, mprot, MAP_SHARED | MAP_NORESERVE, fd, offset);
	if (hva == MAP_FAILED)
		return -errno;
	err = card_dma_add(d, iova, size, hva, prot, true);
	if (err)
		munmap(hva, size);
	return err;
}

static void unmap(struct card_dma_map *m)
{
	if (m->owned)
		munmap(m->hva, m->size);
}

/**
 * card_dma_del() - let go of all pieces that lie within a range
 * @d: the table
 * @iova: start of the range
 * @size: bytes
 */
void card_dma_del(struct card_dma *d, uint64_t iova, uint64_t size)
{
	unsigned int i, kept = 0;

	for (i = 0; i < d->count; i++) {
		struct card_dma_map *m = &d->map[i];

		if (size && m->iova >= iova && m->iova - iova <= size - 1 &&
		    m->size - 1 <= size - 1 - (m->iova - iova))
			unmap(m);
		else
			d->map[kept++] = *m;
	}
	d->count = kept;
	d->last = 0;
}

/**
 * card_dma_uninit() - let go of everything
 * @d: the table
 */
void card_dma_uninit(struct card_dma *d)
{
	unsigned int i;

	for (i = 0; i < d->count; i++)
		unmap(&d->map[i]);
	d->count = 0;
	d->last = 0;
}

/* The piece of [iova, iova + *len) that starts at iova; *len is cut to it. */
static uint8_t *piece(struct card_dma *d, uint64_t iova, size_t *len, uint32_t prot)
{
	struct card_dma_map *m = &d->map[d->last];
	uint64_t off;

	if (d->bus_off)
		return NULL;
	/* What lies before the piece is far behind it, modulo 2^64. */
	if (d->last >= d->count || iova - m->iova >= m->size) {
		unsigned int i = lower_bound(d, iova);

		if (i == d->count || iova < d->map[i].iova)
			return NULL;
		d->last = i;
		m = &d->map[i];
	}
	if ((m->prot & prot) != prot)
		return NULL;
	off = iova - m->iova;
	if (*len > m->size - off)
		*len = m->size - off;
	return m->hva + off;
}

/**
 * card_dma_ptr() - address of host memory that lies in one piece
 * @d: the table
 * @iova: start
 * @len: bytes
 * @prot: what will be done with it, CARD_DMA_*
 *
 * The pointer is good until the next change of the table.
 * Return: the address, or NULL (counted).
 */
void *card_dma_ptr(struct card_dma *d, uint64_t iova, size_t len, uint32_t prot)
{
	size_t got = len;
	uint8_t *p = piece(d, iova, &got, prot);

	if (p && got == len)
		return p;
	d->errors++;
	return NULL;
}

/**
 * card_dma_ok() - is all of a range mapped
 * @d: the table
 * @iova: start
 * @len: bytes
 * @prot: CARD_DMA_*
 *
 * Return: true if an access would succeed; nothing is counted.
 */
bool card_dma_ok(struct card_dma *d, uint64_t iova, uint64_t len, uint32_t prot)
{
	if (len && iova + (len - 1) < iova)
		return false;
	while (len) {
		size_t got = len;

		if (!piece(d, iova, &got, prot))
			return false;
		iova += got;
		len -= got;
	}
	return true;
}

/**
 * card_dma_read() - copy from host memory
 * @d: the table
 * @dst: to
 * @iova: from
 * @len: bytes
 *
 * Return: 0 or -EFAULT (counted; @dst may be partly written).
 */
int card_dma_read(struct card_dma *d, void *dst, uint64_t iova, size_t len)
{
	uint8_t *to = dst;

	while (len) {
		size_t got = len;
		uint8_t *p = piece(d, iova, &got, CARD_DMA_READ);

		if (!p) {
			d->errors++;
			return -EFAULT;
		}
		memcpy(to, p, got);
		to += got;
		iova += got;
		len -= got;
	}
	return 0;
}

/**
 * card_dma_write() - copy to host memory
 * @d: the table
 * @iova: to
 * @src: from
 * @len: bytes
 *
 * Return: 0 or -EFAULT (counted; host memory may be partly written).
 */
int card_dma_write(struct card_dma *d, uint64_t iova, const void *src, size_t len)
{
	const uint8_t *from = src;

	while (len) {
		size_t got = len;
		uint8_t *p = piece(d, iova, &got, CARD_DMA_WRITE);

		if (!p) {
			d->errors++;
			return -EFAULT;
		}
		memcpy(p, from, got);
		from += got;
		iova += got;
		len -= got;
	}
	return 0;
}
