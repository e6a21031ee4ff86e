// SPDX-License-Identifier: GPL-2.0
/*
 * Every branch of figure 4D, and every way a frame may fail to be TCP.
 *
 * The driver's own classify.c is compiled in: it knows no kernel.
 */
#include <stdio.h>
#include <string.h>

#include "classify.c"

#define FIN	TOENIC_TCP_FIN
#define SYN	TOENIC_TCP_SYN
#define RST	TOENIC_TCP_RST
#define PSH	0x08
#define ACK	TOENIC_TCP_ACK
#define URG	0x20
#define ECE	0x40
#define CWR	0x80

#define UDP	17
#define ICMP6	58
#define ESP	50
#define NONE	TOENIC_FLOW_NONE
#define SHAKE	TOENIC_FLOW_HANDSHAKE
#define CLOSE	TOENIC_FLOW_CLOSING

#define SEQ	0x89abcdef
#define MAX	512

/* A frame is described, built, parsed, classified. */
struct test {
	const char *name;
	int family;		/* 4, 6, 0: none of them */
	int vlans;		/* tags in the frame */
	int ip_options;		/* IPv4, in words */
	__u16 frag;		/* IPv4: flags and offset; IPv6: as in its header */
	__u8 ext[10];		/* IPv6 extension headers, ends with TCP or other */
	int ext_len;		/* their length field */
	__u8 proto;		/* 0: TCP */
	__u8 flags;
	int doff;		/* 0: 5 words */
	int payload;
	int pad;		/* bytes behind the IP packet */
	int cut;		/* bytes missing at the end */
	int bad_version;
	int total;		/* != 0: IPv4 total or IPv6 payload length */
	/* facts of the completion */
	bool data;
	__u32 tid;
	enum toenic_flow_state flow;
	/* what is expected */
	enum toenic_verdict verdict;
};

static int put_l2(__u8 *p, const struct test *t)
{
	int off = 12, i;

	for (i = 0; i < t->vlans; i++) {
		/* the outer of two is a service tag */
		p[off] = !i && t->vlans > 1 ? 0x88 : 0x81;
		p[off + 1] = !i && t->vlans > 1 ? 0xa8 : 0x00;
		p[off + 3] = 5 + i;
		off += 4;
	}
	p[off] = t->family == 6 ? 0x86 : 0x08;
	p[off + 1] = t->family == 6 ? 0xdd : t->family == 4 ? 0x00 : 0x06;
	return off + 2;
}

static int put_tcp(__u8 *p, const struct test *t)
{
	int hlen = 4 * (t->doff ? t->doff : 5);

	if (t->proto)
		return 8 + t->payload;

	p[0] = 0x1f;
	p[1] = 0x90;
	p[2] = 0xc0;
	p[3] = 0x01;
	p[4] = SEQ >> 24;
	p[5] = (SEQ >> 16) & 0xff;
	p[6] = (SEQ >> 8) & 0xff;
	p[7] = SEQ & 0xff;
	p[12] = (hlen / 4) << 4;
	p[13] = t->flags;
	return (hlen < 20 ? 20 : hlen) + t->payload;
}

static int put_ip4(__u8 *p, const struct test *t)
{
	int hlen = 20 + 4 * t->ip_options, total;

	p[0] = (t->bad_version ? 0x50 : 0x40) | (hlen / 4 & 0xf);
	p[6] = t->frag >> 8;
	p[7] = t->frag & 0xff;
	p[9] = t->proto ? t->proto : IPPROTO_TCP;
	p[12] = 10;
	p[19] = 2;
	if (hlen < 20)
		total = 20 + put_tcp(p + 20, t);
	else
		total = hlen + put_tcp(p + hlen, t);
	p[2] = (t->total ? t->total : total) >> 8;
	p[3] = (t->total ? t->total : total) & 0xff;
	return total;
}

static int put_ip6(__u8 *p, const struct test *t)
{
	__u8 proto = t->proto ? t->proto : IPPROTO_TCP;
	int off = 40, len, i;

	p[0] = t->bad_version ? 0x40 : 0x60;
	p[6] = t->ext[0] || t->ext_len ? t->ext[0] : proto;
	p[8] = 0xfd;
	p[39] = 2;
	for (i = 0; t->ext_len && t->ext[i] != proto && i < 9; i++) {
		p[off] = t->ext[i + 1];
		if (t->ext[i] == TOENIC_EXT_FRAGMENT) {
			p[off + 2] = t->frag >> 8;
			p[off + 3] = t->frag & 0xff;
			off += 8;
			continue;
		}
		p[off + 1] = t->ext_len - 1;
		off += 8 * t->ext_len;
	}
	off += put_tcp(p + off, t);
	len = t->total ? t->total : off - 40;
	p[4] = len >> 8;
	p[5] = len & 0xff;
	return off;
}

static int build(__u8 *frame, const struct test *t)
{
	int len;

	memset(frame, 0, MAX);
	len = put_l2(frame, t);
	if (t->family == 4)
		len += put_ip4(frame + len, t);
	else if (t->family == 6)
		len += put_ip6(frame + len, t);
	else
		len += 28;
	return len + t->pad - t->cut;
}

#define TCP6	IPPROTO_TCP
#define HOP	TOENIC_EXT_HOPOPTS
#define ROUTE	TOENIC_EXT_ROUTING
#define FRAG	TOENIC_EXT_FRAGMENT
#define DST	TOENIC_EXT_DSTOPTS

static const struct test tests[] = {
	/* 650 */
	{ "data with a handle goes to the filter",
	  .data = true, .tid = 1, .verdict = TOENIC_OFFLOADED_DATA },
	{ "data without a handle isn't TCP",
	  .data = true, .verdict = TOENIC_NOT_TCP },
	{ "a frame with a handle isn't data", .family = 4, .flags = ACK | PSH,
	  .payload = 10, .tid = 1, .verdict = TOENIC_STACK },
	{ "data with a handle wins over the frame's flags", .family = 4,
	  .flags = FIN | ACK, .data = true, .tid = 1,
	  .verdict = TOENIC_OFFLOADED_DATA },
	/* 652 */
	{ "ARP", .verdict = TOENIC_NOT_TCP },
	{ "UDP over IPv4", .family = 4, .proto = UDP, .verdict = TOENIC_NOT_TCP },
	{ "UDP over IPv6", .family = 6, .proto = UDP, .verdict = TOENIC_NOT_TCP },
	{ "ICMPv6", .family = 6, .proto = ICMP6, .verdict = TOENIC_NOT_TCP },
	{ "ESP behind hop-by-hop", .family = 6, .ext = { HOP, ESP }, .ext_len = 1,
	  .proto = ESP, .verdict = TOENIC_NOT_TCP },
	/* 654 */
	{ "SYN", .family = 4, .flags = SYN, .verdict = TOENIC_NEW_CONN },
	{ "SYN+ACK", .family = 4, .flags = SYN | ACK,
	  .verdict = TOENIC_NEW_CONN },
	{ "SYN with ECN", .family = 6, .flags = SYN | ECE | CWR,
	  .verdict = TOENIC_NEW_CONN },
	{ "SYN+ACK over IPv6", .family = 6, .flags = SYN | ACK,
	  .verdict = TOENIC_NEW_CONN },
	{ "SYN with payload (TFO)", .family = 4, .flags = SYN, .payload = 40,
	  .verdict = TOENIC_NEW_CONN },
	{ "SYN with a stale handle", .family = 4, .flags = SYN, .tid = 7,
	  .verdict = TOENIC_NEW_CONN },
	{ "SYN in a flow that closes", .family = 4, .flags = SYN, .flow = CLOSE,
	  .verdict = TOENIC_NEW_CONN },
	/* 656 */
	{ "FIN with a handle", .family = 4, .flags = FIN | ACK, .tid = 7,
	  .verdict = TOENIC_CLOSING },
	{ "FIN without a handle", .family = 4, .flags = FIN | ACK,
	  .verdict = TOENIC_STACK },
	{ "FIN without ACK", .family = 4, .flags = FIN, .tid = 7,
	  .verdict = TOENIC_CLOSING },
	{ "FIN with data", .family = 6, .flags = FIN | ACK | PSH, .payload = 9,
	  .tid = 7, .verdict = TOENIC_CLOSING },
	{ "FIN in a handshake", .family = 4, .flags = FIN | ACK, .flow = SHAKE,
	  .verdict = TOENIC_STACK },
	{ "SYN+FIN is no SYN", .family = 4, .flags = SYN | FIN,
	  .verdict = TOENIC_STACK },
	/* 670 */
	{ "RST with a handle", .family = 4, .flags = RST, .tid = 7,
	  .verdict = TOENIC_CLOSING },
	{ "RST without a handle", .family = 4, .flags = RST,
	  .verdict = TOENIC_STACK },
	{ "RST+ACK with a handle", .family = 6, .flags = RST | ACK, .tid = 7,
	  .verdict = TOENIC_CLOSING },
	{ "RST+ACK in a handshake", .family = 4, .flags = RST | ACK,
	  .flow = SHAKE, .verdict = TOENIC_STACK },
	{ "SYN+RST is no SYN", .family = 4, .flags = SYN | RST, .tid = 7,
	  .verdict = TOENIC_CLOSING },
	/* 674 */
	{ "no flags at all", .family = 4, .verdict = TOENIC_STACK },
	{ "no ACK in a handshake", .family = 4, .flags = PSH, .flow = SHAKE,
	  .verdict = TOENIC_STACK },
	{ "URG without ACK", .family = 4, .flags = URG, .tid = 7,
	  .verdict = TOENIC_STACK },
	/* 676 */
	{ "ACK of a SYN+ACK", .family = 4, .flags = ACK, .flow = SHAKE,
	  .verdict = TOENIC_OFFLOAD_COMPLETE },
	{ "ACK of a SYN+ACK over IPv6", .family = 6, .flags = ACK,
	  .flow = SHAKE, .verdict = TOENIC_OFFLOAD_COMPLETE },
	{ "ACK of a SYN+ACK with data", .family = 4, .flags = ACK | PSH,
	  .payload = 100, .flow = SHAKE, .verdict = TOENIC_OFFLOAD_COMPLETE },
	{ "ACK of a FIN", .family = 4, .flags = ACK, .flow = CLOSE, .tid = 7,
	  .verdict = TOENIC_CLOSE_STATE },
	{ "ACK of a FIN without a handle", .family = 6, .flags = ACK,
	  .flow = CLOSE, .verdict = TOENIC_CLOSE_STATE },
	{ "ACK of something else", .family = 4, .flags = ACK, .flow = NONE,
	  .verdict = TOENIC_STACK },
	/* how the segment is found: a SYN tells that it was */
	{ "one VLAN tag in the frame", .family = 4, .vlans = 1, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "two VLAN tags in the frame", .family = 6, .vlans = 2, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "VLAN tag cut off", .vlans = 1, .cut = 30,
	  .verdict = TOENIC_NOT_TCP },
	{ "ARP behind a VLAN tag", .vlans = 1, .verdict = TOENIC_NOT_TCP },
	{ "IPv4 options", .family = 4, .ip_options = 10, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "TCP options", .family = 4, .doff = 15, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "padding behind a short packet", .family = 4, .flags = SYN, .pad = 6,
	  .verdict = TOENIC_NEW_CONN },
	{ "first IPv4 fragment", .family = 4, .frag = 0x2000, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "later IPv4 fragment", .family = 4, .frag = 0x2003, .flags = SYN,
	  .verdict = TOENIC_NOT_TCP },
	{ "last IPv4 fragment", .family = 4, .frag = 0x0003, .flags = SYN,
	  .verdict = TOENIC_NOT_TCP },
	{ "don't fragment", .family = 4, .frag = 0x4000, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "hop-by-hop", .family = 6, .ext = { HOP, TCP6 }, .ext_len = 1,
	  .flags = SYN, .verdict = TOENIC_NEW_CONN },
	{ "hop-by-hop, long", .family = 6, .ext = { HOP, TCP6 }, .ext_len = 4,
	  .flags = SYN, .verdict = TOENIC_NEW_CONN },
	{ "hop-by-hop, routing, destination", .family = 6,
	  .ext = { HOP, ROUTE, DST, TCP6 }, .ext_len = 2, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "eight extension headers", .family = 6,
	  .ext = { HOP, DST, DST, DST, DST, DST, DST, DST, TCP6 },
	  .ext_len = 1, .flags = SYN, .verdict = TOENIC_NEW_CONN },
	{ "nine extension headers", .family = 6,
	  .ext = { HOP, DST, DST, DST, DST, DST, DST, DST, DST, TCP6 },
	  .ext_len = 1, .flags = SYN, .verdict = TOENIC_NOT_TCP },
	{ "first IPv6 fragment", .family = 6, .ext = { FRAG, TCP6 },
	  .ext_len = 1, .frag = 0x0001, .flags = SYN,
	  .verdict = TOENIC_NEW_CONN },
	{ "later IPv6 fragment", .family = 6, .ext = { FRAG, TCP6 },
	  .ext_len = 1, .frag = 0x0009, .flags = SYN,
	  .verdict = TOENIC_NOT_TCP },
	/* truncated */
	{ "nothing but a part of the MACs", .family = 4, .flags = SYN,
	  .cut = 44, .verdict = TOENIC_NOT_TCP },
	{ "ends in the IPv4 header", .family = 4, .flags = SYN, .cut = 21,
	  .verdict = TOENIC_NOT_TCP },
	{ "ends in the IPv6 header", .family = 6, .flags = SYN, .cut = 21,
	  .verdict = TOENIC_NOT_TCP },
	{ "ends in an extension header", .family = 6, .ext = { HOP, TCP6 },
	  .ext_len = 1, .flags = SYN, .cut = 21, .verdict = TOENIC_NOT_TCP },
	{ "extension header longer than the frame", .family = 6,
	  .ext = { HOP, TCP6 }, .ext_len = 8, .flags = SYN, .cut = 60,
	  .verdict = TOENIC_NOT_TCP },
	{ "ends in the TCP header", .family = 4, .flags = SYN, .cut = 1,
	  .verdict = TOENIC_NOT_TCP },
	{ "ends in the TCP header over IPv6", .family = 6, .flags = SYN,
	  .cut = 1, .verdict = TOENIC_NOT_TCP },
	{ "payload cut off doesn't matter", .family = 4, .flags = SYN,
	  .payload = 100, .cut = 100, .verdict = TOENIC_NEW_CONN },
	/* malformed */
	{ "IPv4 with version 5", .family = 4, .flags = SYN, .bad_version = 1,
	  .verdict = TOENIC_NOT_TCP },
	{ "IPv6 with version 4", .family = 6, .flags = SYN, .bad_version = 1,
	  .verdict = TOENIC_NOT_TCP },
	{ "IPv4 header too short", .family = 4, .flags = SYN, .ip_options = -1,
	  .verdict = TOENIC_NOT_TCP },
	{ "IPv4 total shorter than its header", .family = 4, .flags = SYN,
	  .total = 19, .verdict = TOENIC_NOT_TCP },
	{ "IPv4 total ends in the TCP header", .family = 4, .flags = SYN,
	  .total = 39, .verdict = TOENIC_NOT_TCP },
	{ "IPv4 total longer than the frame", .family = 4, .flags = SYN,
	  .total = 1500, .verdict = TOENIC_NEW_CONN },
	{ "IPv6 payload ends in the TCP header", .family = 6, .flags = SYN,
	  .total = 19, .verdict = TOENIC_NOT_TCP },
	{ "TCP header too short", .family = 4, .flags = SYN, .doff = 4,
	  .verdict = TOENIC_NOT_TCP },
};

static const char * const verdicts[] = {
	[TOENIC_OFFLOADED_DATA]		= "offloaded data",
	[TOENIC_NOT_TCP]		= "not TCP",
	[TOENIC_NEW_CONN]		= "new connection",
	[TOENIC_CLOSING]		= "closing",
	[TOENIC_OFFLOAD_COMPLETE]	= "offload complete",
	[TOENIC_CLOSE_STATE]		= "close state",
	[TOENIC_STACK]			= "stack",
};

/* The parts that the driver's flow table uses. */
static bool segment_ok(const struct test *t, const struct toenic_segment *seg,
		       const __u8 *frame, int len)
{
	return seg->seq == SEQ && seg->flags == t->flags &&
	       seg->addr_bytes == (t->family == 4 ? 8 : 32) &&
	       seg->addrs > frame && seg->addrs + seg->addr_bytes <= frame + len &&
	       seg->ports > seg->addrs && seg->ports + 4 <= frame + len &&
	       get_16(seg->ports) == 8080;
}

static bool run(const struct test *t)
{
	struct toenic_rx_info info = {
		.data = t->data,
		.tid = t->tid,
		.flow = t->flow,
	};
	struct toenic_segment seg;
	enum toenic_verdict got;
	__u8 frame[MAX];
	int len;

	len = build(frame, t);
	if (toenic_parse(frame, len, &seg)) {
		info.segment = &seg;
		if (!segment_ok(t, &seg, frame, len)) {
			printf("# the segment's fields are wrong\n");
			return false;
		}
	}
	got = toenic_classify(&info);
	if (got != t->verdict)
		printf("# expected %s, got %s\n", verdicts[t->verdict],
		       verdicts[got]);
	return got == t->verdict;
}

/* Whatever the bytes: nothing beyond the length is read (run under ASan). */
static bool run_every_length(void)
{
	struct toenic_segment seg;
	unsigned int i;
	__u8 frame[MAX];
	int len, n;

	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		len = build(frame, &tests[i]);
		for (n = 0; n <= len; n++) {
			__u8 copy[n + 1];

			memcpy(copy, frame, n);
			copy[n] = 0;
			if (toenic_parse(copy, n, &seg) &&
			    seg.ports + 20 > copy + n)
				return false;
		}
	}
	return true;
}

int main(void)
{
	unsigned int n = sizeof(tests) / sizeof(tests[0]);
	unsigned int failed = 0, i;
	bool ok;

	printf("KTAP version 1\n1..%u\n", n + 1);
	for (i = 0; i < n; i++) {
		ok = run(&tests[i]);
		failed += !ok;
		printf("%sok %u %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	ok = run_every_length();
	failed += !ok;
	printf("%sok %u frames cut at every length\n", ok ? "" : "not ", n + 1);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n",
	       n + 1 - failed, failed);
	return failed ? 1 : 0;
}
