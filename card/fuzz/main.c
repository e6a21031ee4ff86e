/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* A driver for the fuzz targets where there is no libFuzzer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

#define INPUT_BYTES	4096

static int run_file(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		printf("# %s: %m\n", path);
		return 1;
	}
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return LLVMFuzzerTestOneInput(buf, n);
}

/* Bytes that are mostly small, so that counts and opcodes are often valid. */
static void run_seed(uint64_t seed)
{
	uint8_t buf[INPUT_BYTES];
	size_t i, len;

	for (i = 0; i < sizeof(buf); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		buf[i] = (seed >> 60 & 3 ? 0x0f : 0xff) & seed >> 40;
	}
	len = seed >> 33 & (INPUT_BYTES - 1);
	LLVMFuzzerTestOneInput(buf, len);
}

int main(int argc, char **argv)
{
	unsigned long i, count = 1000;
	int arg = 1, bad = 0;

	/* A hostile host gets complaints by the thousand; sanitizers need the place. */
#ifndef __SANITIZE_ADDRESS__
	if (!freopen("/dev/null", "w", stderr))
		return 1;
#endif
	if (argc == 3 && !strcmp(argv[1], "-n"))
		count = strtoul(argv[2], NULL, 0);
	else
		for (; arg < argc; arg++)
			bad |= run_file(argv[arg]);
	if (argc == 1 || argc == 3)
		for (i = 0; i < count; i++)
			run_seed(i);
	printf("TAP version 13\n1..1\n%sok 1 %s\n", bad ? "not " : "", argv[0]);
	return bad;
}
