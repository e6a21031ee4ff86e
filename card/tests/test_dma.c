/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Host memory as the card sees it: each bound from both sides, rights, and what goes. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "kit.h"

#define RW	(CARD_DMA_READ | CARD_DMA_WRITE)
#define PAGE	UINT64_C(4096)
#define AT	UINT64_C(0x10000)	/* where the first piece lies */

static uint8_t mem[4 * PAGE];
static struct card_dma d;

/* An empty table, and memory whose bytes tell their place. */
static void fresh(void)
{
	unsigned int i;

	memset(&d, 0, sizeof(d));
	for (i = 0; i < sizeof(mem); i++)
		mem[i] = i * 7 + i / 256;
}

static int add(uint64_t iova, uint64_t size, void *hva)
{
	return card_dma_add(&d, iova, size, hva, RW, false);
}

static void *ptr(uint64_t iova, size_t len)
{
	return card_dma_ptr(&d, iova, len, CARD_DMA_READ);
}

static void pieces_must_not_be_empty_or_wrap(void)
{
	fresh();
	CHECK_EQ(add(AT, 0, mem), -EINVAL);
	CHECK_EQ(add(0, 0, mem), -EINVAL);
	CHECK_EQ(add(-PAGE, PAGE + 1, mem), -EINVAL);
	CHECK_EQ(add(2, UINT64_MAX, mem), -EINVAL);
	CHECK_EQ(d.count, 0);
	CHECK_EQ(add(-PAGE, PAGE, mem), 0);	/* up to the very last byte */
	CHECK(ptr(-PAGE, PAGE) == mem);
	CHECK(ptr(UINT64_MAX, 1) == mem + PAGE - 1);
}

static void pieces_must_not_overlap(void)
{
	fresh();
	CHECK_EQ(add(AT, PAGE, mem), 0);
	CHECK_EQ(add(AT, PAGE, mem), -EEXIST);
	CHECK_EQ(add(AT + PAGE - 1, 1, mem), -EEXIST);
	CHECK_EQ(add(AT + PAGE - 1, PAGE, mem), -EEXIST);
	CHECK_EQ(add(AT - PAGE, PAGE + 1, mem), -EEXIST);
	CHECK_EQ(add(AT - 1, 2, mem), -EEXIST);
	CHECK_EQ(add(AT - PAGE, 3 * PAGE, mem), -EEXIST);
	CHECK_EQ(add(AT + 1, 1, mem), -EEXIST);
	CHECK_EQ(d.count, 1);
	CHECK_EQ(add(AT + PAGE, 1, mem), 0);	/* they may touch */
	CHECK_EQ(add(AT - PAGE, PAGE, mem), 0);
	CHECK_EQ(d.count, 3);
}

static void table_is_sorted_and_bounded(void)
{
	unsigned int i, at;

	fresh();
	/* 389 is prime to 1024: each piece once, in a wild order; every other page. */
	for (i = 0; i < CARD_DMA_MAX; i++) {
		at = i * 389 % CARD_DMA_MAX;
		CHECK_EQ(add(AT + at * 2 * PAGE, PAGE, mem + at), 0);
	}
	CHECK_EQ(add(0, 1, mem), -ENOSPC);
	CHECK_EQ(d.count, CARD_DMA_MAX);
	for (i = 0; i < CARD_DMA_MAX; i++) {
		uint64_t iova = AT + i * 2 * PAGE;

		CHECK_EQ(d.map[i].iova, iova);
		d.last = i * 7 % CARD_DMA_MAX;
		CHECK(ptr(iova, 1) == mem + i);
		CHECK(!ptr(iova + PAGE, 1));
		d.last = 0;
		CHECK(ptr(iova + PAGE - 1, 1) == mem + i + PAGE - 1);
		CHECK(!ptr(iova - 1, 1));
	}
	CHECK_EQ(d.errors, 2 * CARD_DMA_MAX);
}

static void pointers_stay_within_a_piece(void)
{
	fresh();
	CHECK(!ptr(AT, 1));			/* an empty table */
	CHECK_EQ(add(AT, PAGE, mem), 0);
	CHECK_EQ(add(AT + PAGE, PAGE, mem + 2 * PAGE), 0);
	CHECK_EQ(d.errors, 1);
	CHECK(ptr(AT, PAGE) == mem);
	CHECK(ptr(AT + 5, PAGE - 5) == mem + 5);
	CHECK(ptr(AT + PAGE, PAGE) == mem + 2 * PAGE);
	CHECK(ptr(AT + PAGE - 1, 1) == mem + PAGE - 1);
	CHECK_EQ(d.errors, 1);
	CHECK(!ptr(AT, PAGE + 1));
	CHECK(!ptr(AT + 5, PAGE - 4));
	CHECK(!ptr(AT - 1, 1));
	CHECK(!ptr(AT + 2 * PAGE, 1));
	CHECK_EQ(d.errors, 5);
}

/* In the middle of the address space sums of two addresses wrap to small numbers. */
static void high_addresses(void)
{
	const uint64_t middle = UINT64_C(1) << 63;
	unsigned int i;

	fresh();
	CHECK_EQ(add(middle - PAGE, PAGE, mem), 0);
	CHECK_EQ(add(middle + 4 * PAGE, PAGE, mem + PAGE), 0);
	for (i = 0; i < 4; i++) {
		CHECK(ptr(middle - PAGE, 1) == mem);
		CHECK(!ptr(middle + i * PAGE + 5, 1));
		CHECK(ptr(middle + 4 * PAGE, 1) == mem + PAGE);
		CHECK(!ptr(middle + i * PAGE + 5, 1));
	}
}

static void copies_cross_pieces_but_no_gap(void)
{
	uint8_t buf[2 * PAGE], want[2 * PAGE];

	fresh();
	CHECK_EQ(add(AT, PAGE, mem), 0);
	CHECK_EQ(add(AT + PAGE, PAGE, mem + 2 * PAGE), 0);
	memcpy(want, mem, PAGE);
	memcpy(want + PAGE, mem + 2 * PAGE, PAGE);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(card_dma_read(&d, buf, AT, 2 * PAGE), 0);
	CHECK(!memcmp(buf, want, sizeof(buf)));
	CHECK_EQ(card_dma_read(&d, buf, AT + PAGE - 3, 7), 0);
	CHECK(!memcmp(buf, want + PAGE - 3, 7));
	CHECK_EQ(card_dma_read(&d, buf, 0, 0), 0);
	memset(buf, 0x5a, sizeof(buf));
	CHECK_EQ(card_dma_write(&d, AT + PAGE - 2, buf, 5), 0);
	CHECK(mem[PAGE - 3] != 0x5a && mem[PAGE] != 0x5a && mem[2 * PAGE + 3] != 0x5a);
	CHECK(mem[PAGE - 2] == 0x5a && mem[PAGE - 1] == 0x5a);
	CHECK(mem[2 * PAGE] == 0x5a && mem[2 * PAGE + 2] == 0x5a);
	CHECK_EQ(d.errors, 0);
	CHECK_EQ(card_dma_read(&d, buf, AT + 1, 2 * PAGE), -EFAULT);
	CHECK_EQ(card_dma_read(&d, buf, AT - 1, 2), -EFAULT);
	CHECK_EQ(card_dma_write(&d, AT + 2 * PAGE - 1, "\x5b", 2), -EFAULT);
	CHECK_EQ(mem[3 * PAGE - 1], 0x5b);	/* as far as it went */
	CHECK_EQ(d.errors, 3);
}

/* A file of different bytes on both sides of the seam. */
static void copies_are_in_order(void)
{
	uint8_t from[6] = { 1, 2, 3, 4, 5, 6 };

	fresh();
	CHECK_EQ(add(AT, 2, mem), 0);
	CHECK_EQ(add(AT + 2, 3, mem + 10), 0);
	CHECK_EQ(add(AT + 5, 1, mem + 20), 0);
	CHECK_EQ(card_dma_write(&d, AT, from, 6), 0);
	CHECK(!memcmp(mem, "\1\2", 2) && !memcmp(mem + 10, "\3\4\5", 3) && mem[20] == 6);
}

static void ranges_are_checked_at_both_ends(void)
{
	fresh();
	CHECK_EQ(add(AT, PAGE, mem), 0);
	CHECK_EQ(add(AT + PAGE, PAGE, mem + PAGE), 0);
	CHECK_EQ(add(AT + 3 * PAGE, PAGE, mem + PAGE), 0);
	CHECK_EQ(add(-PAGE, PAGE, mem), 0);
	CHECK(card_dma_ok(&d, AT, 2 * PAGE, RW));
	CHECK(card_dma_ok(&d, AT + 2 * PAGE - 1, 1, RW));
	CHECK(card_dma_ok(&d, 0, 0, RW));
	CHECK(card_dma_ok(&d, -PAGE, PAGE, RW));
	CHECK(!card_dma_ok(&d, AT, 2 * PAGE + 1, RW));
	CHECK(!card_dma_ok(&d, AT - 1, 2, RW));
	CHECK(!card_dma_ok(&d, AT + PAGE, 2 * PAGE, RW));	/* ends behind a gap */
	CHECK(!card_dma_ok(&d, AT + 2 * PAGE, 1, RW));
	CHECK(!card_dma_ok(&d, UINT64_MAX, 2, RW));
	/* With the lowest addresses mapped, too, a range that wraps isn't whole. */
	CHECK_EQ(add(0, PAGE, mem), 0);
	CHECK(!card_dma_ok(&d, UINT64_MAX, 2, RW));
	CHECK(!card_dma_ok(&d, -PAGE, UINT64_MAX, RW));
	CHECK_EQ(d.errors, 0);					/* nothing is counted */
}

static void rights_are_honoured(void)
{
	uint8_t byte = 0;

	fresh();
	CHECK_EQ(card_dma_add(&d, AT, PAGE, mem, CARD_DMA_READ, false), 0);
	CHECK_EQ(card_dma_add(&d, AT + PAGE, PAGE, mem + PAGE, CARD_DMA_WRITE, false), 0);
	CHECK_EQ(card_dma_add(&d, AT + 2 * PAGE, PAGE, mem, 0, false), 0);
	CHECK_EQ(card_dma_read(&d, &byte, AT, 1), 0);
	CHECK_EQ(byte, mem[0]);
	CHECK_EQ(card_dma_write(&d, AT, &byte, 1), -EFAULT);
	CHECK_EQ(card_dma_write(&d, AT + PAGE, &byte, 1), 0);
	CHECK_EQ(mem[PAGE], mem[0]);
	CHECK_EQ(card_dma_read(&d, &byte, AT + PAGE, 1), -EFAULT);
	CHECK_EQ(card_dma_read(&d, &byte, AT + 2 * PAGE, 1), -EFAULT);
	CHECK_EQ(card_dma_write(&d, AT + 2 * PAGE, &byte, 1), -EFAULT);
	CHECK(!card_dma_ptr(&d, AT, 1, CARD_DMA_WRITE));
	CHECK(!card_dma_ptr(&d, AT, 1, RW));
	CHECK(card_dma_ptr(&d, AT + PAGE, 1, CARD_DMA_WRITE) == mem + PAGE);
	CHECK(card_dma_ok(&d, AT, PAGE, CARD_DMA_READ));
	CHECK(!card_dma_ok(&d, AT, PAGE, RW));
	CHECK(!card_dma_ok(&d, AT, PAGE + 1, CARD_DMA_READ));
	CHECK(!card_dma_ok(&d, AT + PAGE, PAGE, RW));
}

static void nothing_without_bus_mastering(void)
{
	uint8_t byte;

	fresh();
	CHECK_EQ(add(AT, PAGE, mem), 0);
	CHECK(ptr(AT, 1) == mem);
	d.bus_off = true;
	CHECK(!ptr(AT, 1));
	CHECK(!card_dma_ok(&d, AT, 1, CARD_DMA_READ));
	CHECK_EQ(card_dma_read(&d, &byte, AT, 1), -EFAULT);
	CHECK_EQ(card_dma_write(&d, AT, &byte, 1), -EFAULT);
	d.bus_off = false;
	CHECK(ptr(AT, 1) == mem);
}

static void three(void)
{
	fresh();
	CHECK_EQ(add(AT, PAGE, mem), 0);
	CHECK_EQ(add(AT + PAGE, PAGE, mem + PAGE), 0);
	CHECK_EQ(add(AT + 2 * PAGE, PAGE, mem + 2 * PAGE), 0);
}

static void what_lies_within_is_deleted(void)
{
	three();
	card_dma_del(&d, AT + PAGE, PAGE - 1);
	card_dma_del(&d, AT + PAGE + 1, PAGE);
	card_dma_del(&d, AT + 1, PAGE - 1);
	card_dma_del(&d, AT, 0);
	card_dma_del(&d, 0, AT + PAGE - 1);
	card_dma_del(&d, AT + 3 * PAGE, PAGE);
	CHECK_EQ(d.count, 3);
	card_dma_del(&d, AT + PAGE, PAGE);
	CHECK_EQ(d.count, 2);
	CHECK(ptr(AT, PAGE) == mem);
	CHECK(!ptr(AT + PAGE, 1));
	CHECK(ptr(AT + 2 * PAGE, PAGE) == mem + 2 * PAGE);
	three();
	card_dma_del(&d, AT, 2 * PAGE);
	CHECK_EQ(d.count, 1);
	CHECK(ptr(AT + 2 * PAGE, 1) == mem + 2 * PAGE);
	three();
	card_dma_del(&d, AT + 1, 2 * PAGE + PAGE);	/* the first isn't wholly in it */
	CHECK_EQ(d.count, 1);
	CHECK(ptr(AT, 1) == mem);
	three();
	card_dma_del(&d, 0, UINT64_MAX);
	CHECK_EQ(d.count, 0);
	CHECK(!ptr(AT, 1));
	/* A piece as small as the range's last byte. */
	fresh();
	CHECK_EQ(add(AT + PAGE - 1, 1, mem), 0);
	card_dma_del(&d, AT, PAGE - 1);
	CHECK_EQ(d.count, 1);
	card_dma_del(&d, AT, PAGE);
	CHECK_EQ(d.count, 0);
}

/* The place of the last hit must not outlive what was there. */
static void deleted_pieces_are_not_remembered(void)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		three();
		CHECK(ptr(AT + i * PAGE, 1) == mem + i * PAGE);
		card_dma_del(&d, AT + i * PAGE, PAGE);
		CHECK(!ptr(AT + i * PAGE, 1));
		CHECK_EQ(d.last, 0);
	}
	three();
	CHECK(ptr(AT + 2 * PAGE, 1));
	card_dma_uninit(&d);
	CHECK_EQ(d.count, 0);
	CHECK_EQ(d.last, 0);
	CHECK(!ptr(AT + 2 * PAGE, 1));
	CHECK(!ptr(AT, 1));
}

/* How often is the file of that name mapped into this process, with these rights? */
static unsigned int mapped(const char *name, const char *rights)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned int n = 0;
	char line[512];

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, name) && strstr(line, rights);
	fclose(f);
	return n;
}

static void files_are_mapped_and_unmapped(void)
{
	int fd = memfd_create("dma-test", MFD_CLOEXEC);
	uint8_t *p;

	fresh();
	CHECK(fd >= 0 && write(fd, mem, sizeof(mem)) == sizeof(mem));
	CHECK_EQ(card_dma_map_fd(&d, AT, PAGE, fd, PAGE, CARD_DMA_READ), 0);
	CHECK_EQ(card_dma_map_fd(&d, AT + 2 * PAGE, PAGE, fd, 3 * PAGE, RW), 0);
	CHECK_EQ(card_dma_map_fd(&d, AT + 4 * PAGE, PAGE, fd, 0, CARD_DMA_WRITE), 0);
	CHECK_EQ(card_dma_map_fd(&d, AT + 6 * PAGE, PAGE, fd, 0, 0), 0);
	CHECK_EQ(mapped("dma-test", "---s"), 1);
	card_dma_del(&d, AT + 6 * PAGE, PAGE);
	CHECK_EQ(mapped("dma-test", "r--s"), 1);
	CHECK_EQ(mapped("dma-test", "-w-s"), 1);
	CHECK_EQ(mapped("dma-test", "rw-s"), 1);
	CHECK_EQ(card_dma_map_fd(&d, AT + PAGE - 1, PAGE, fd, 0, RW), -EEXIST);
	CHECK_EQ(mapped("dma-test", ""), 3);
	CHECK_EQ(card_dma_map_fd(&d, AT + 8 * PAGE, PAGE, -1, 0, RW), -EBADF);
	CHECK_EQ(d.count, 3);
	CHECK(!memcmp(ptr(AT, PAGE), mem + PAGE, PAGE));
	CHECK(!card_dma_ptr(&d, AT, 1, CARD_DMA_WRITE));
	p = card_dma_ptr(&d, AT + 2 * PAGE, PAGE, RW);
	CHECK(p && !memcmp(p, mem + 3 * PAGE, PAGE));
	*p ^= 0xff;				/* the file's, not a copy */
	CHECK(pread(fd, mem, 1, 3 * PAGE) == 1 && mem[0] == *p);
	p = card_dma_ptr(&d, AT + 4 * PAGE, PAGE, CARD_DMA_WRITE);
	CHECK(p);
	*p = 77;
	CHECK(pread(fd, mem, 1, 0) == 1 && mem[0] == 77);
	card_dma_del(&d, AT + 2 * PAGE, PAGE);
	CHECK_EQ(mapped("dma-test", ""), 2);
	/* What the caller owns stays. */
	CHECK_EQ(add(AT + 8 * PAGE, PAGE, mem), 0);
	card_dma_uninit(&d);
	CHECK_EQ(mapped("dma-test", ""), 0);
	mem[0] = 1;
	close(fd);
}

/* Only what is in the table is let go of, not what was there once. */
static void what_is_gone_is_not_unmapped_again(void)
{
	int fd = memfd_create("dma-test", MFD_CLOEXEC);
	uint8_t *p, *again;

	fresh();
	CHECK(fd >= 0 && !ftruncate(fd, PAGE));
	CHECK_EQ(card_dma_map_fd(&d, AT, PAGE, fd, 0, RW), 0);
	p = card_dma_ptr(&d, AT, PAGE, RW);
	card_dma_del(&d, AT, PAGE);
	again = mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0);
	CHECK(again == p);
	card_dma_uninit(&d);
	CHECK_EQ(mapped("dma-test", ""), 1);
	munmap(again, PAGE);
	close(fd);
}

static const struct kit_test tests[] = {
	KIT_TEST(pieces_must_not_be_empty_or_wrap),
	KIT_TEST(pieces_must_not_overlap),
	KIT_TEST(table_is_sorted_and_bounded),
	KIT_TEST(pointers_stay_within_a_piece),
	KIT_TEST(high_addresses),
	KIT_TEST(copies_cross_pieces_but_no_gap),
	KIT_TEST(copies_are_in_order),
	KIT_TEST(ranges_are_checked_at_both_ends),
	KIT_TEST(rights_are_honoured),
	KIT_TEST(nothing_without_bus_mastering),
	KIT_TEST(what_lies_within_is_deleted),
	KIT_TEST(deleted_pieces_are_not_remembered),
	KIT_TEST(files_are_mapped_and_unmapped),
	KIT_TEST(what_is_gone_is_not_unmapped_again),
};
KIT_MAIN(tests)
