// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/*
 * A TCG plugin for QEMU: counts the instructions that a guest executes between
 * two markers (marker.h), by the address of the translated block.
 *
 *	-plugin count.so,out=FILE
 *
 * FILE gets one window after the other:
 *
 *	window 1
 *	user N			below the kernel's half: instructions
 *	block ADDRESS INSTRUCTIONS EXECUTIONS
 *	string ADDRESS m|s BYTES N	rep movs, rep stos: element size, elements
 *	end
 *
 * A block that an exception leaves halfway is counted whole; that is far below
 * what one run differs from the next.  A repeated string instruction counts once
 * each time it is entered, whatever its length; what it moved is told apart.
 *
 * Debian doesn't ship qemu-plugin.h.  Below are our own declarations of what is
 * used of API version 7 (QEMU 11).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "marker.h"

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

struct counter {			/* qemu_plugin_u64 */
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};

enum { CB_NO_REGS = 0 };
enum { INLINE_ADD_U64 = 0 };
enum { MEM_W = 2 };

typedef void (*tb_trans_fn)(struct qemu_plugin_tb *tb, void *data);
typedef void (*exec_fn)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_trans_fn fn, void *data);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, int op,
						       struct counter counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_fn fn,
					    int flags, void *data);
void qemu_plugin_register_vcpu_mem_inline_per_vcpu(struct qemu_plugin_insn *insn, int rw, int op,
						   struct counter counter, uint64_t add);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t len);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t bytes);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score, unsigned int vcpu);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 7;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#define KERNEL_HALF	0xffff800000000000ull
#define SLOTS		(1u << 20)	/* counters; a power of two, for the hash */

enum kind { FREE, USER, BLOCK, MOVS, STOS };

/* What the counter of the same number counts. */
static struct slot {
	uint64_t vaddr;
	uint32_t size;			/* instructions, or bytes of an element */
	enum kind kind;
} slots[SLOTS];

static struct qemu_plugin_scoreboard *score;
static unsigned int used, window;
static FILE *out;

static void fatal(const char *what)
{
	fprintf(stderr, "count: %s\n", what);
	exit(1);
}

/* The counter for this, always the same one for the same thing. */
static struct counter counter(enum kind kind, uint64_t vaddr, uint32_t size)
{
	uint64_t hash = (vaddr ^ ((uint64_t)size << 40) ^ ((uint64_t)kind << 56)) *
			0x9e3779b97f4a7c15ull;
	uint32_t i = hash >> 44;

	for (;; i = (i + 1) % SLOTS) {
		struct slot *slot = &slots[i];

		if (slot->kind == kind && slot->vaddr == vaddr && slot->size == size)
			break;
		if (slot->kind != FREE)
			continue;
		if (++used > SLOTS / 4 * 3)
			fatal("too many blocks");
		*slot = (struct slot){ .vaddr = vaddr, .size = size, .kind = kind };
		break;
	}
	return (struct counter){ score, i * sizeof(uint64_t) };
}

static void begin_window(unsigned int vcpu)
{
	memset(qemu_plugin_scoreboard_find(score, vcpu), 0, SLOTS * sizeof(uint64_t));
}

static void end_window(unsigned int vcpu)
{
	const uint64_t *count = qemu_plugin_scoreboard_find(score, vcpu);

	fprintf(out, "window %u\n", ++window);
	for (unsigned int i = 0; i < SLOTS; i++) {
		const struct slot *slot = &slots[i];

		if (!count[i])
			continue;
		if (slot->kind == USER)
			fprintf(out, "user %" PRIu64 "\n", count[i]);
		else if (slot->kind == BLOCK)
			fprintf(out, "block %" PRIx64 " %u %" PRIu64 "\n",
				slot->vaddr, slot->size, count[i]);
		else
			fprintf(out, "string %" PRIx64 " %c %u %" PRIu64 "\n", slot->vaddr,
				slot->kind == MOVS ? 'm' : 's', slot->size, count[i]);
	}
	fprintf(out, "end\n");
	fflush(out);
}

static void marker_executed(unsigned int vcpu, void *data)
{
	if ((uintptr_t)data == MARKER_BEGIN)
		begin_window(vcpu);
	else
		end_window(vcpu);
}

/* Is this REP MOVS or REP STOS, and of how many bytes at a time? */
static bool is_string(const struct qemu_plugin_insn *insn, enum kind *kind, uint32_t *size)
{
	uint8_t code[4] = { 0 };
	size_t len = qemu_plugin_insn_data(insn, code, sizeof(code));
	bool wide = code[1] == 0x48;	/* REX.W */
	uint8_t op = wide ? code[2] : code[1];

	if (code[0] != 0xf3 || len != 2u + wide)
		return false;
	switch (op & ~1) {
	case 0xa4: *kind = MOVS; break;
	case 0xaa: *kind = STOS; break;
	default: return false;
	}
	*size = !(op & 1) ? 1 : wide ? 8 : 4;
	return true;
}

static void instrument(struct qemu_plugin_insn *insn)
{
	static const uint8_t marker[] = MARKER_BYTES;
	uint8_t code[sizeof(marker) + 1];
	enum kind kind;
	uint32_t size;

	if (qemu_plugin_insn_size(insn) == sizeof(code) &&
	    qemu_plugin_insn_data(insn, code, sizeof(code)) == sizeof(code) &&
	    !memcmp(code, marker, sizeof(marker)))
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marker_executed, CB_NO_REGS,
						       (void *)(uintptr_t)code[sizeof(marker)]);
	else if (is_string(insn, &kind, &size))
		qemu_plugin_register_vcpu_mem_inline_per_vcpu(insn, MEM_W, INLINE_ADD_U64,
			counter(kind, qemu_plugin_insn_vaddr(insn), size), 1);
}

static void translate(struct qemu_plugin_tb *tb, void *data)
{
	size_t all = qemu_plugin_tb_n_insns(tb), n = all;
	uint64_t vaddr = qemu_plugin_tb_vaddr(tb);
	enum kind kind;
	uint32_t size;

	(void)data;
	/* A block that begins with a string instruction goes on with it: with
	 * -icount each repetition is a block, else what an interrupt let wait.
	 */
	if (is_string(qemu_plugin_tb_get_insn(tb, 0), &kind, &size))
		n--;
	if (vaddr < KERNEL_HALF)
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, INLINE_ADD_U64,
								  counter(USER, 0, 0), n);
	else if (n)
		qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, INLINE_ADD_U64,
								  counter(BLOCK, vaddr, n), 1);
	for (size_t i = 0; i < all; i++)
		instrument(qemu_plugin_tb_get_insn(tb, i));
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: out=FILE is missing\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	score = qemu_plugin_scoreboard_new(SLOTS * sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate, NULL);
	return 0;
}
