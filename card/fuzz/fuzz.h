/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Fuzzing with libFuzzer (make fuzz; needs clang), or without it: each program
 * also runs on files, or on a seeded generator (PROGRAM -n COUNT).
 */
#ifndef CARD_FUZZ_H
#define CARD_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct min_tcp;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The input as a list of numbers; behind its end they are 0. */
struct fuzz_input {
	const uint8_t *p;
	size_t left;
};

static inline uint32_t fuzz_take(struct fuzz_input *in, unsigned int bytes)
{
	uint32_t v = 0;

	while (bytes-- && in->left) {
		v = v << 8 | *in->p++;
		in->left--;
	}
	return v;
}

static inline void fuzz_take_into(struct fuzz_input *in, void *to, size_t len)
{
	uint8_t *p = to;

	while (len--)
		*p++ = (uint8_t)fuzz_take(in, 1);
}

/* traffic.c */
void fuzz_traffic(const struct min_tcp *st, struct fuzz_input *in);

#endif /* CARD_FUZZ_H */
