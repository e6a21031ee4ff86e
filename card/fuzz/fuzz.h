/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Fuzzing with libFuzzer (make fuzz; needs clang), or without it: each program
 * also runs on files, or on a seeded generator (PROGRAM -n COUNT).
 */
#ifndef CARD_FUZZ_H
#define CARD_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif /* CARD_FUZZ_H */
