// SPDX-License-Identifier: GPL-2.0
/*
 * pcap_check - is what one host sent on the wire proper TCP?
 *
 *	pcap_check FILE ADDRESS [PORT]
 *
 * Looks at every connection of ADDRESS (with PORT at either end) in the capture (Ethernet, whole frames,
 * from the first SYN on) and reports what a peer could object to: wrong
 * checksums, a gap between what was sent and what comes next, acknowledgements
 * of what was never received or that go back, a window whose right edge goes
 * back, timestamps that go back or echo what the peer never said, and runs of
 * identical acknowledgements. Prints what it found, then one JSON object; exit
 * status 1 if there was anything.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOWS		256
#define SHOWN		20
#define DUP_ACK_RUN	64	/* identical ones in a row: a storm */

#define FIN	0x01
#define SYN	0x02
#define RST	0x04
#define ACK	0x10

/* One segment, host order. */
struct segment {
	uint8_t addr_len;
	const uint8_t *src, *dst;
	uint16_t sport, dport, win;
	uint32_t seq, ack, len, tsval, tsecr;
	uint8_t flags, wscale;
	bool has_ts, has_wscale, has_sack, csum_ok;
	double time;
};

/* What is known of the connection from our host's side and the peer's. */
struct flow {
	uint8_t peer[16];
	uint16_t lport, rport;
	bool synced, peer_synced, scaled;
	uint8_t wscale;		/* of the windows we announce */
	uint32_t snd_max, una;	/* ours: end of what was sent; what the peer has acked */
	uint32_t rcv_max;	/* end of what the peer has sent */
	uint32_t ack, edge;	/* ours: last acknowledgement, right edge */
	uint16_t win;
	uint32_t tsval, peer_tsval, peer_tsfirst;
	bool has_ack, has_ts, has_peer_ts, ended;
	unsigned int dup_acks;
};

static struct flow flows[FLOWS];
static unsigned int nflows;
static unsigned long port;	/* 0: any */

static struct {
	unsigned long segments, data_segments, bytes, retrans_bytes, retrans, acks;
	unsigned long peer_segments, peer_bytes;
	unsigned long csum, gap, ack_future, ack_back, shrink, ts_back, ts_echo, storm;
	unsigned int longest_run;
} seen;

#define NOTE(what, f, s, fmt, ...) do {						\
	if (seen.what++ < SHOWN)						\
		printf("%.6f %u>%u " #what ": " fmt "\n", (s)->time, (s)->sport,	\
		       (s)->dport, __VA_ARGS__);				\
} while (0)

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += *p << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint16_t be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static void parse_options(struct segment *s, const uint8_t *o, int len)
{
	while (len > 0) {
		int n = o[0] < 2 ? 1 : len > 1 ? o[1] : 0;

		if (!o[0] || n < 1 || n > len)
			return;
		if (o[0] == 3 && n == 3) {
			s->has_wscale = true;
			s->wscale = o[2];
		} else if (o[0] == 8 && n == 10) {
			s->has_ts = true;
			s->tsval = be32(o + 2);
			s->tsecr = be32(o + 6);
		} else if (o[0] == 5) {
			s->has_sack = true;
		}
		o += n;
		len -= n;
	}
}

/* False: not TCP, or cut off. */
static bool parse(struct segment *s, const uint8_t *p, size_t len)
{
	uint16_t type;
	uint32_t sum;
	size_t hlen, tlen;
	const uint8_t *t;

	memset(s, 0, sizeof(*s));
	if (len < 54)
		return false;
	type = be16(p + 12);
	p += 14;
	len -= 14;
	if (type == 0x0800 && p[9] == 6 && !(be16(p + 6) & 0x3fff)) {
		hlen = (p[0] & 15) * 4;
		tlen = be16(p + 2) - hlen;
		s->addr_len = 4;
		s->src = p + 12;
		s->csum_ok = sum16(p, hlen, 0) == 0xffff;
	} else if (type == 0x86dd && p[6] == 6) {
		hlen = 40;
		tlen = be16(p + 4);
		s->addr_len = 16;
		s->src = p + 8;
		s->csum_ok = true;
	} else {
		return false;
	}
	if (hlen + tlen > len || tlen < 20)
		return false;
	s->dst = s->src + s->addr_len;
	t = p + hlen;
	sum = sum16(s->src, 2 * s->addr_len, 6 + tlen);
	s->csum_ok &= sum16(t, tlen, sum) == 0xffff;
	s->sport = be16(t);
	s->dport = be16(t + 2);
	s->seq = be32(t + 4);
	s->ack = be32(t + 8);
	s->flags = t[13];
	s->win = be16(t + 14);
	hlen = (t[12] >> 4) * 4;
	if (hlen < 20 || hlen > tlen)
		return false;
	s->len = tlen - hlen;
	parse_options(s, t + 20, hlen - 20);
	return true;
}

static struct flow *find(const struct segment *s, bool ours)
{
	const uint8_t *peer = ours ? s->dst : s->src;
	uint16_t lport = ours ? s->sport : s->dport;
	uint16_t rport = ours ? s->dport : s->sport;
	struct flow *f;

	/* The youngest first: a port may be used again. */
	for (f = flows + nflows; f-- > flows;)
		if (f->lport == lport && f->rport == rport &&
		    !memcmp(f->peer, peer, s->addr_len) &&
		    !(s->flags & SYN && f->ended))
			return f;
	if (!(s->flags & SYN) || nflows == FLOWS)
		return NULL;
	f = &flows[nflows++];
	f->lport = lport;
	f->rport = rport;
	memcpy(f->peer, peer, s->addr_len);
	return f;
}

/* How far the segment reaches: SYN and FIN count one each. */
static uint32_t end_of(const struct segment *s)
{
	return s->seq + s->len + !!(s->flags & SYN) + !!(s->flags & FIN);
}

static void from_peer(struct flow *f, const struct segment *s)
{
	seen.peer_segments++;
	seen.peer_bytes += s->len;
	if (!f->peer_synced || after(end_of(s), f->rcv_max))
		f->rcv_max = end_of(s);
	f->peer_synced = true;
	if (s->flags & ACK)
		f->una = s->ack;
	if (s->has_ts) {
		if (!f->has_peer_ts)
			f->peer_tsfirst = s->tsval;
		if (!f->has_peer_ts || after(s->tsval, f->peer_tsval))
			f->peer_tsval = s->tsval;
		f->has_peer_ts = true;
	}
	if (s->flags & SYN && !s->has_wscale)
		f->wscale = 0;
	if (s->flags & RST)
		f->ended = true;
	/* What carries data or news may be answered by the same number again. */
	f->dup_acks = 0;
}

static void check_sequence(struct flow *f, const struct segment *s)
{
	uint32_t end = end_of(s);

	if (!f->synced) {
		f->snd_max = end;
		f->synced = true;
		return;
	}
	if (s->flags & RST)
		return;
	if (after(s->seq, f->snd_max))
		NOTE(gap, f, s, "sent %u, expected at most %u", s->seq, f->snd_max);
	if (s->len && after(f->snd_max, s->seq)) {
		seen.retrans++;
		seen.retrans_bytes += after(end, f->snd_max) ? f->snd_max - s->seq : s->len;
	}
	if (after(end, f->snd_max))
		f->snd_max = end;
}

static void check_ack(struct flow *f, const struct segment *s)
{
	uint32_t edge = s->ack + ((uint32_t)s->win << (s->flags & SYN ? 0 : f->wscale));
	bool pure = !s->len && !(s->flags & (SYN | FIN | RST));

	if (!(s->flags & ACK) || s->flags & RST)
		return;
	if (f->peer_synced && after(s->ack, f->rcv_max))
		NOTE(ack_future, f, s, "%u, the peer sent up to %u", s->ack, f->rcv_max);
	if (f->has_ack && after(f->ack, s->ack))
		NOTE(ack_back, f, s, "from %u to %u", f->ack, s->ack);
	/* Rounding to the scale's unit is nobody's fault. */
	if (f->has_ack && after(f->edge, edge + (1u << f->wscale) - 1))
		NOTE(shrink, f, s, "right edge from %u to %u, window %u", f->edge, edge, s->win);
	if (f->has_ack && pure && s->ack == f->ack && s->win == f->win && !s->has_sack)
		f->dup_acks++;
	else
		f->dup_acks = 0;
	if (f->dup_acks > seen.longest_run)
		seen.longest_run = f->dup_acks;
	if (f->dup_acks == DUP_ACK_RUN)
		NOTE(storm, f, s, "%u times %u", f->dup_acks, s->ack);
	seen.acks += pure;
	f->ack = s->ack;
	f->win = s->win;
	if (!f->has_ack || after(edge, f->edge))
		f->edge = edge;
	f->has_ack = true;
}

static void check_timestamps(struct flow *f, const struct segment *s)
{
	if (!s->has_ts || s->flags & RST)
		return;
	if (f->has_ts && after(f->tsval, s->tsval))
		NOTE(ts_back, f, s, "from %u to %u", f->tsval, s->tsval);
	if (s->flags & ACK && f->has_peer_ts &&
	    (after(s->tsecr, f->peer_tsval) || after(f->peer_tsfirst, s->tsecr)))
		NOTE(ts_echo, f, s, "%u, the peer said %u to %u", s->tsecr,
		     f->peer_tsfirst, f->peer_tsval);
	f->tsval = s->tsval;
	f->has_ts = true;
}

static void from_us(struct flow *f, const struct segment *s)
{
	seen.segments++;
	seen.data_segments += s->len != 0;
	seen.bytes += s->len;
	if (!s->csum_ok)
		NOTE(csum, f, s, "seq %u len %u", s->seq, s->len);
	if (s->flags & SYN && s->has_wscale)
		f->wscale = s->wscale;
	check_sequence(f, s);
	check_ack(f, s);
	check_timestamps(f, s);
	if (s->flags & RST)
		f->ended = true;
}

static void look(const uint8_t *frame, size_t len, double time, const uint8_t *addr)
{
	struct segment s;
	struct flow *f;
	bool ours;

	if (!parse(&s, frame, len))
		return;
	s.time = time;
	ours = !memcmp(s.src, addr, s.addr_len);
	if (!ours && memcmp(s.dst, addr, s.addr_len))
		return;
	if (port && s.sport != port && s.dport != port)
		return;
	f = find(&s, ours);
	if (!f)
		return;
	if (ours)
		from_us(f, &s);
	else
		from_peer(f, &s);
}

static int read_capture(FILE *in, const uint8_t *addr)
{
	static uint8_t frame[262144];
	uint32_t head[6], record[4];
	double unit, begin = -1;

	if (fread(head, sizeof(head), 1, in) != 1)
		return -1;
	if (head[0] != 0xa1b2c3d4 && head[0] != 0xa1b23c4d)
		return -1;
	unit = head[0] == 0xa1b2c3d4 ? 1e6 : 1e9;
	while (fread(record, sizeof(record), 1, in) == 1) {
		double time = record[0] + record[1] / unit;

		if (record[2] > sizeof(frame) || fread(frame, 1, record[2], in) != record[2])
			break;
		if (begin < 0)
			begin = time;
		look(frame, record[2], time - begin, addr);
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint8_t addr[16];
	unsigned long bad;
	FILE *in;

	if (argc < 3 || argc > 4 || (inet_pton(AF_INET, argv[2], addr) != 1 &&
			  inet_pton(AF_INET6, argv[2], addr) != 1)) {
		fprintf(stderr, "usage: pcap_check FILE ADDRESS [PORT]\n");
		return 2;
	}
	if (argc == 4)
		port = strtoul(argv[3], NULL, 10);
	in = fopen(argv[1], "rb");
	if (!in || read_capture(in, addr)) {
		fprintf(stderr, "pcap_check: %s is no capture\n", argv[1]);
		return 2;
	}
	bad = seen.csum + seen.gap + seen.ack_future + seen.ack_back + seen.shrink +
	      seen.ts_back + seen.ts_echo + seen.storm;
	printf("{\"flows\":%u,\"segments\":%lu,\"data_segments\":%lu,\"bytes\":%lu,"
	       "\"retrans\":%lu,\"retrans_bytes\":%lu,\"acks\":%lu,\"peer_segments\":%lu,"
	       "\"peer_bytes\":%lu,\"csum\":%lu,\"gap\":%lu,\"ack_future\":%lu,"
	       "\"ack_back\":%lu,\"shrink\":%lu,\"ts_back\":%lu,\"ts_echo\":%lu,"
	       "\"storm\":%lu,\"longest_run\":%u}\n",
	       nflows, seen.segments, seen.data_segments, seen.bytes, seen.retrans,
	       seen.retrans_bytes, seen.acks, seen.peer_segments, seen.peer_bytes,
	       seen.csum, seen.gap, seen.ack_future, seen.ack_back, seen.shrink,
	       seen.ts_back, seen.ts_echo, seen.storm, seen.longest_run);
	return bad != 0;
}
