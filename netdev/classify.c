// SPDX-License-Identifier: GPL-2.0
/*
 * Figure 4D and nothing else.
 *
 * Pure functions of their arguments: selftests/classify_test.c compiles this
 * file in user space.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/types.h>

#include "classify.h"

#define TOENIC_IP4_MIN		20
#define TOENIC_IP4_OFFSET	0x1fff	/* fragment offset */
#define TOENIC_IP6_BYTES	40
#define TOENIC_IP6_OFFSET	0xfff8	/* fragment offset, in the fragment header */
#define TOENIC_IP6_MAX_EXT	8	/* extension headers we look behind */
#define TOENIC_TCP_MIN		20

/* linux/in6.h clashes with the C library's: the few numbers that are needed */
#define TOENIC_EXT_HOPOPTS	0
#define TOENIC_EXT_ROUTING	43
#define TOENIC_EXT_FRAGMENT	44
#define TOENIC_EXT_DSTOPTS	60

static __u16 get_16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

static __u32 get_32(const __u8 *p)
{
	return (__u32)get_16(p) << 16 | get_16(p + 2);
}

/* Skip IPv6 extension headers.  The offset of what follows, 0: not TCP. */
static __u32 skip_ip6_headers(const __u8 *p, __u32 len, __u8 next)
{
	__u32 off = TOENIC_IP6_BYTES;
	unsigned int i;

	for (i = 0; i < TOENIC_IP6_MAX_EXT && next != IPPROTO_TCP; i++) {
		if (len < off + 8)
			return 0;
		switch (next) {
		case TOENIC_EXT_HOPOPTS:
		case TOENIC_EXT_ROUTING:
		case TOENIC_EXT_DSTOPTS:
			next = p[off];
			off += 8 * (p[off + 1] + 1);
			break;
		case TOENIC_EXT_FRAGMENT:
			/* only the first fragment has the TCP header */
			if (get_16(p + off + 2) & TOENIC_IP6_OFFSET)
				return 0;
			next = p[off];
			off += 8;
			break;
		default:
			return 0;
		}
	}
	return next == IPPROTO_TCP ? off : 0;
}

/* The offset of the TCP header, 0: not TCP; @l3_len without padding. */
static __u32 parse_ip4(const __u8 *p, __u32 *l3_len, struct toenic_segment *seg)
{
	__u32 total;
	__u32 hlen;

	if (*l3_len < TOENIC_IP4_MIN || p[0] >> 4 != 4)
		return 0;

	hlen = 4 * (p[0] & 0x0f);
	total = get_16(p + 2);
	if (hlen < TOENIC_IP4_MIN || total < hlen || p[9] != IPPROTO_TCP)
		return 0;
	if (get_16(p + 6) & TOENIC_IP4_OFFSET)
		return 0;

	if (total < *l3_len)
		*l3_len = total;
	seg->addrs = p + 12;
	seg->addr_bytes = 8;
	return hlen;
}

static __u32 parse_ip6(const __u8 *p, __u32 *l3_len, struct toenic_segment *seg)
{
	__u32 total;

	if (*l3_len < TOENIC_IP6_BYTES || p[0] >> 4 != 6)
		return 0;

	total = TOENIC_IP6_BYTES + get_16(p + 4);
	if (total < *l3_len)
		*l3_len = total;
	seg->addrs = p + 8;
	seg->addr_bytes = 32;
	return skip_ip6_headers(p, *l3_len, p[6]);
}

/**
 * toenic_parse() - find the TCP segment in a frame
 * @frame: from the destination MAC on
 * @len: how much of it can be read, at least its headers if it is longer
 * @seg: where to
 *
 * Return: false if it isn't TCP, or a fragment other than the first, or
 * truncated or malformed so that the flags can't be trusted.
 */
bool toenic_parse(const __u8 *frame, __u32 len, struct toenic_segment *seg)
{
	__u32 off = ETH_HLEN;
	__u32 l4 = 0;
	__u16 proto;
	__u32 left;

	if (len < ETH_HLEN)
		return false;

	proto = get_16(frame + 12);
	while (proto == ETH_P_8021Q || proto == ETH_P_8021AD) {
		if (len < off + 4)
			return false;
		proto = get_16(frame + off + 2);
		off += 4;
	}

	left = len - off;
	if (proto == ETH_P_IP)
		l4 = parse_ip4(frame + off, &left, seg);
	else if (proto == ETH_P_IPV6)
		l4 = parse_ip6(frame + off, &left, seg);
	if (!l4 || left < l4 + TOENIC_TCP_MIN)
		return false;

	frame += off + l4;
	if (frame[12] >> 4 < TOENIC_TCP_MIN / 4)
		return false;

	seg->ports = frame;
	seg->seq = get_32(frame + 4);
	seg->flags = frame[13];
	return true;
}

/**
 * toenic_classify() - walk figure 4D
 * @info: what was received
 *
 * The numbers are the figure's.
 *
 * Return: the exit it leaves by.
 */
enum toenic_verdict toenic_classify(const struct toenic_rx_info *info)
{
	const struct toenic_segment *seg = info->segment;

	/* 650: data, and an associated offload transport handle? */
	if (info->data && info->tid)
		return TOENIC_OFFLOADED_DATA;		/* 651: filter */

	/* 652: a TCP/IP packet at all? */
	if (!seg)
		return TOENIC_NOT_TCP;

	/* 654: SYN or SYN+ACK? */
	if ((seg->flags & (TOENIC_TCP_SYN | TOENIC_TCP_FIN |
			   TOENIC_TCP_RST)) == TOENIC_TCP_SYN)
		return TOENIC_NEW_CONN;

	/* 656: FIN?  670: RST? */
	if (seg->flags & (TOENIC_TCP_FIN | TOENIC_TCP_RST)) {
		/* 660: with an offload transport handle? */
		if (info->tid)
			return TOENIC_CLOSING;
		return TOENIC_STACK;
	}

	/* 674: ACK? */
	if (!(seg->flags & TOENIC_TCP_ACK))
		return TOENIC_STACK;

	/* 676: of a SYN+ACK, or of a FIN? */
	switch (info->flow) {
	case TOENIC_FLOW_HANDSHAKE:
		return TOENIC_OFFLOAD_COMPLETE;
	case TOENIC_FLOW_CLOSING:
		return TOENIC_CLOSE_STATE;
	case TOENIC_FLOW_NONE:
		break;
	}
	return TOENIC_STACK;
}
