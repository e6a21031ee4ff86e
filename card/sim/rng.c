/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Pseudo-random numbers: splitmix64. */
#include "sim.h"

uint64_t sim_rand(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint32_t sim_below(uint64_t *state, uint32_t n)
{
	return n ? (uint32_t)(sim_rand(state) % n) : 0;
}

uint32_t sim_between(uint64_t *state, uint32_t lo, uint32_t hi)
{
	return lo + sim_below(state, hi - lo + 1);
}

int sim_chance(uint64_t *state, uint32_t permille)
{
	return sim_below(state, 1000) < permille;
}
