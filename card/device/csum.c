/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The Internet checksum, RFC 1071. */
#include <endian.h>
#include <string.h>
#include "packet.h"

/**
 * card_csum_add() - add bytes to a running sum
 * @sum: so far; everything before must have been an even number of bytes
 * @p: bytes
 * @len: how many; an odd one counts as if a zero followed
 *
 * Return: the sum, unfolded.
 */
uint64_t card_csum_add(uint64_t sum, const uint8_t *p, size_t len)
{
	uint64_t wide = 0;
	uint32_t w;

	/* 32 bits at a time, memory order; a 64-bit sum can't overflow here. */
	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&w, p, 4);
		wide += w;
	}
	/* Fold to 16 bits in memory order, then turn into host order. */
	wide = (wide & 0xffffffff) + (wide >> 32);
	wide = (wide & 0xffffffff) + (wide >> 32);
	wide = (wide & 0xffff) + (wide >> 16);
	wide = (wide & 0xffff) + (wide >> 16);
	sum += be16toh((uint16_t)wide);
	if (len >= 2) {
		sum += card_get16(p);
		p += 2;
		len -= 2;
	}
	if (len)
		sum += *p << 8;
	return sum;
}

/**
 * card_csum_fold() - the checksum of a sum
 * @sum: from card_csum_add()
 *
 * Return: its complement as a value; 0 if a correct checksum was summed too.
 */
uint16_t card_csum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/**
 * card_csum_pseudo() - sum of the pseudo header
 * @family: 4 or 6
 * @src: address as in the packet
 * @dst: same
 * @proto: transport protocol
 * @len: bytes of transport header and payload
 *
 * Return: the sum, unfolded.
 */
uint64_t card_csum_pseudo(uint8_t family, const uint8_t *src, const uint8_t *dst,
			  uint8_t proto, uint32_t len)
{
	size_t alen = family == 4 ? 4 : 16;
	uint64_t sum = proto + (len >> 16) + (len & 0xffff);

	return card_csum_add(card_csum_add(sum, src, alen), dst, alen);
}
