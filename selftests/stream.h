/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A byte stream that both ends can compute: byte n of the stream with a given
 * seed never depends on the bytes before it, so any piece can be checked alone,
 * and eight bytes name their own place in the stream.
 */
#ifndef TOE_STREAM_H
#define TOE_STREAM_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t stream_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* An odd factor is a bijection: no two words of a stream are alike. */
static inline uint64_t stream_word(uint64_t seed, uint64_t index)
{
	uint64_t x = (seed + index) * 0x9e3779b97f4a7c15ull;

	return htole64(x ^ (x >> 32));
}

static inline void stream_fill(uint8_t *buf, uint64_t seed, uint64_t off, size_t len)
{
	while (len && (off & 7 || len < 8)) {
		uint64_t word = stream_word(seed, off / 8);

		*buf++ = ((uint8_t *)&word)[off & 7];
		off++;
		len--;
		if (!(off & 7) && len >= 8)
			break;
	}
	for (; len >= 8; buf += 8, off += 8, len -= 8) {
		uint64_t word = stream_word(seed, off / 8);

		memcpy(buf, &word, 8);
	}
	if (len)
		stream_fill(buf, seed, off, len);
}

/*
 * Where in the stream, within @range bytes round @off, do these @len bytes
 * come from?  Returns -1 if from nowhere.  Tells a lost, a repeated and a
 * displaced piece from garbage.
 */
static inline int64_t stream_find(const uint8_t *buf, size_t len, uint64_t seed,
				  uint64_t off, uint64_t range)
{
	uint64_t at = off > range ? off - range : 0;
	uint8_t want[16];

	if (len < 8)
		return -1;
	if (len > sizeof(want))
		len = sizeof(want);
	for (; at < off + range; at++) {
		stream_fill(want, seed, at, len);
		if (!memcmp(want, buf, len))
			return at;
	}
	return -1;
}

#endif /* TOE_STREAM_H */
