/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * TCP options of established connections: timestamps (RFC 7323 3) and SACK
 * (RFC 2018 3).  What comes in is untrusted.
 */
#include "conn.h"

enum {
	OPT_EOL = 0,
	OPT_NOP = 1,
	OPT_SACK = 5,
	OPT_TSTAMP = 8,
	OPT_MD5 = 19,		/* RFC 2385 */
	OPT_AO = 29,		/* RFC 5925 */
};
#define OPT_TSTAMP_LEN	10

/* RFC 7323 appendix A: behind two NOPs, so that its numbers are aligned */
#define ALIGNED_TS	(OPT_NOP << 24 | OPT_NOP << 16 | OPT_TSTAMP << 8 | OPT_TSTAMP_LEN)

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static void parse_one(const uint8_t *p, uint32_t len, struct te_opts *o)
{
	switch (p[0]) {
	case OPT_TSTAMP:
		if (len != OPT_TSTAMP_LEN)
			break;
		o->has_ts = true;
		o->tsval = be32(p + 2);
		o->tsecr = be32(p + 6);
		break;
	case OPT_SACK:
		if (len < 10 || (len - 2) % 8)
			break;
		o->nsack = 0;
		for (uint32_t i = 2; i < len && o->nsack < TE_SACKS; i += 8) {
			o->sack[o->nsack].start = be32(p + i);
			o->sack[o->nsack].end = be32(p + i + 4);
			o->nsack++;
		}
		break;
	case OPT_MD5:
	case OPT_AO:
		o->refuse = true;
		break;
	}
}

/**
 * te_opts_parse() - read a segment's options
 * @seg: the segment
 * @o: result; of an option that occurs twice the last one counts
 *
 * Unknown options are skipped (RFC 9293 3.1); a length that can't be ends the
 * list, as in Linux.
 */
void te_opts_parse(const struct te_seg *seg, struct te_opts *o)
{
	const uint8_t *p = seg->opts;
	uint32_t left = seg->opt_len;

	o->has_ts = false;
	o->refuse = false;
	o->nsack = 0;

	/* what nearly every segment has */
	if (left == 12 && be32(p) == ALIGNED_TS) {
		o->has_ts = true;
		o->tsval = be32(p + 4);
		o->tsecr = be32(p + 8);
		return;
	}

	while (left && *p != OPT_EOL) {
		uint32_t len = 1;

		if (*p != OPT_NOP) {
			if (left < 2 || p[1] < 2 || p[1] > left)
				return;
			len = p[1];
			parse_one(p, len, o);
		}
		p += len;
		left -= len;
	}
}

/* Blocks that fit in, the duplicate's included. */
static uint32_t sack_blocks(const struct te_conn *c)
{
	return te_min(c->nsacks + c->dsack, c->flags & TOE_MT_TSTAMP ? 3 : 4);
}

/**
 * te_opts_sack_bytes() - option bytes that SACK blocks take from the payload
 * @c: connection that has any
 *
 * Return: bytes, a multiple of 4.
 */
uint32_t te_opts_sack_bytes(const struct te_conn *c)
{
	return 4 + 8 * sack_blocks(c);
}

/* RFC 2018 3; RFC 2883 4: the duplicate is the first block, and told once. */
static uint8_t *put_sack(struct te_conn *c, uint8_t *p)
{
	uint32_t n = sack_blocks(c);

	*p++ = OPT_NOP;
	*p++ = OPT_NOP;
	*p++ = OPT_SACK;
	*p++ = (uint8_t)(2 + 8 * n);
	if (c->dsack) {
		put_be32(p, c->rcv_dsack.start);
		put_be32(p + 4, c->rcv_dsack.end);
		p += 8;
		n--;
		c->dsack = false;
	}
	for (uint32_t i = 0; i < n; i++) {
		put_be32(p, c->rcv_sack[i].start);
		put_be32(p + 4, c->rcv_sack[i].end);
		p += 8;
	}
	return p;
}

/**
 * te_opts_build() - write the options of a segment to send
 * @c: connection
 * @out: opts and opt_len are set
 * @now: for TSval
 */
void te_opts_build(struct te_conn *c, struct te_out *out, te_time now)
{
	uint8_t *p = out->opts;

	if (c->flags & TOE_MT_TSTAMP) {
		put_be32(p, ALIGNED_TS);
		put_be32(p + 4, te_tsval(c, now));
		put_be32(p + 8, c->ts_recent);
		p += 12;
	}
	if (c->nsacks | c->dsack)
		p = put_sack(c, p);
	out->opt_len = (uint8_t)(p - out->opts);
}
