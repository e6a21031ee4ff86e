/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* A sane connection and a hostile peer: segments of any content at any time. */
#include <string.h>
#include "../engine/engine.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct min_tcp st = {
		.family = 4, .ttl = 64, .mss = 1000, .snd_una = 0xfffff000, .snd_nxt = 0xfffff000,
		.snd_max = 0xfffff000, .snd_wnd = 60000, .max_window = 60000, .snd_wl1 = 0x7fffff00,
		.rcv_nxt = 0x7fffff00, .rcv_adv = 0x7fffff00u + 60000, .rcv_mss = 1000,
		.snd_cwnd = 10000, .snd_ssthresh = 0xffffffff, .rto_us = 200000, .reordering = 3,
		.keep_idle_ms = 1000, .keep_intvl_ms = 1000, .keep_probes = 3,
	};
	uint32_t kind = fuzz_take(&in, 1);

	st.flags = (kind & 0x3f) & ~TOE_MT_VLAN;
	st.cong = kind >> 6 & 1;
	st.snd_wscale = st.rcv_wscale = kind & 0x80 ? 7 : 0;
	fuzz_traffic(&st, &in);
	return 0;
}
