/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* A hostile host: the state that is imported is the input's first bytes. */
#include "../engine/engine.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct min_tcp st;

	fuzz_take_into(&in, &st, sizeof(st));
	fuzz_traffic(&st, &in);
	return 0;
}
