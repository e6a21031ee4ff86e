/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * How the guest tells the plugin when to count: a no-operation of eight bytes,
 * nopl disp32(%rax,%rax,1), with a displacement that no compiler emits.
 */
#ifndef BENCH_MARKER_H
#define BENCH_MARKER_H

#define MARKER_BEGIN	1
#define MARKER_END	2

/* All bytes but the last, which is one of the two above. */
#define MARKER_BYTES	{ 0x0f, 0x1f, 0x84, 0x00, 0x54, 0x4f, 0x45 }

#define MARKER(which) \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, 0x54, 0x4f, 0x45, %c0" \
			 : : "i"(which) : "memory")

#endif
