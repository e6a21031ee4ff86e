/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The engine with what the card puts around it: headers built and parsed, and a
 * table of flows.  Time is virtual: a turn takes 20 us.
 *
 * What callgrind is to tell apart is a function of its own that is not inlined.
 */
#include <stdlib.h>
#include <string.h>
#include "../device/packet.h"
#include "../engine/conn.h"
#include "bench.h"

#define ETH_BYTES	14
#define IP_BYTES	20
#define TCP_BYTES	20
#define APART		__attribute__((noinline))

/* One end of one connection. */
struct end {
	struct te_conn conn;
	struct end *hash_next;
	struct card_flow flow;
	uint32_t posted;	/* by the application */
	uint32_t got;		/* not yet echoed */
	uint8_t side;
};

static struct bench_wire wire;
static struct te_engine engines[2];
static struct end *ends[2], **table;
static uint32_t count, mask;
static uint64_t received;
static bool echoing;
static te_time now;
static uint8_t stream[1 << 16], sink[1 << 16];

static uint32_t hash(const struct card_flow *flow)
{
	uint64_t words[sizeof(*flow) / 8], h = 1;

	memcpy(words, flow, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 8; i++) {
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	return h & mask;
}

static struct end *find(const struct card_flow *flow)
{
	struct end *x = table[hash(flow)];

	while (x && memcmp(&x->flow, flow, sizeof(*flow)))
		x = x->hash_next;
	return x;
}

APART uint32_t bench_place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
			   uint32_t len, bool push);

/* As for a card, the host's memory is a copy away. */
uint32_t bench_place(void *ctx, struct te_conn *c, uint32_t seq, const uint8_t *data,
		     uint32_t len, bool push)
{
	struct end *x = (struct end *)c;

	(void)ctx;
	(void)seq;
	(void)push;
	memcpy(sink, data, len);
	received += len;
	x->got += len;
	return len;
}

static const struct te_ops ops = {
	.place	= bench_place,
};

APART unsigned int bench_data_in(struct end *x, const struct te_seg *seg);
APART unsigned int bench_ack_in(struct end *x, const struct te_seg *seg);
APART bool bench_client_out(struct end *x, struct te_out *out);
APART bool bench_server_out(struct end *x, struct te_out *out);
APART void bench_build(struct end *x, const struct te_out *out);

unsigned int bench_data_in(struct end *x, const struct te_seg *seg)
{
	return te_input(&engines[x->side], &x->conn, seg, now);
}

unsigned int bench_ack_in(struct end *x, const struct te_seg *seg)
{
	return te_input(&engines[x->side], &x->conn, seg, now);
}

bool bench_client_out(struct end *x, struct te_out *out)
{
	return te_output(&engines[0], &x->conn, out, now);
}

bool bench_server_out(struct end *x, struct te_out *out)
{
	return te_output(&engines[1], &x->conn, out, now);
}

#ifdef BENCH_CHECKSUMS
static void put_checksums(uint8_t *ip, uint32_t len)
{
	uint8_t *tcp = ip + IP_BYTES;
	uint64_t sum = card_csum_pseudo(4, ip + 12, ip + 16, CARD_IP_TCP, len);

	card_put16(ip + 10, card_csum_fold(card_csum_add(0, ip, IP_BYTES)));
	card_put16(tcp + 16, card_csum_fold(card_csum_add(sum, tcp, len)));
}

static void verify(struct card_packet *pkt)
{
	card_packet_verify(pkt);
	if (!pkt->csum_ok)
		bench_fail("engine: bad checksum");
}
#else
static void put_checksums(uint8_t *ip, uint32_t len)
{
	(void)ip;
	(void)len;
}

static void verify(struct card_packet *pkt)
{
	(void)pkt;
}
#endif

void bench_build(struct end *x, const struct te_out *out)
{
	struct bench_frame *f = bench_wire_put(&wire);
	uint32_t header = TCP_BYTES + out->opt_len;
	uint8_t *ip = f->data + ETH_BYTES, *tcp = ip + IP_BYTES;

	f->to = !x->side;
	f->len = ETH_BYTES + IP_BYTES + header + out->len;
	memset(f->data, 0, 12);
	card_put16(f->data + 12, CARD_ETH_IPV4);
	ip[0] = 0x45;
	ip[1] = out->ecn;
	card_put16(ip + 2, IP_BYTES + header + out->len);
	card_put32(ip + 4, 0x4000);
	ip[8] = 64;
	ip[9] = CARD_IP_TCP;
	card_put16(ip + 10, 0);
	memcpy(ip + 12, x->flow.laddr, 4);
	memcpy(ip + 16, x->flow.raddr, 4);
	memcpy(tcp, &x->flow.lport, 2);
	memcpy(tcp + 2, &x->flow.rport, 2);
	card_put32(tcp + 4, out->seq);
	card_put32(tcp + 8, out->ack);
	tcp[12] = header / 4 << 4;
	tcp[13] = out->flags;
	card_put16(tcp + 14, out->wnd);
	card_put32(tcp + 16, 0);
	memcpy(tcp + TCP_BYTES, out->opts, out->opt_len);
	memcpy(tcp + header, stream, out->len);
	put_checksums(ip, header + out->len);
}

static void output(struct end *x)
{
	struct te_out out;

	while (x->side ? bench_server_out(x, &out) : bench_client_out(x, &out))
		bench_build(x, &out);
}

static void post(struct end *x, uint32_t bytes)
{
	x->posted += bytes;
	te_post(&x->conn, x->posted, true, now);
}

/* The application has read everything at once. */
static void read_all(struct end *x)
{
	te_credit(&x->conn, te_rcv_nxt(&x->conn) + BENCH_WINDOW, now);
	if (echoing && x->side)
		post(x, x->got);
	x->got = 0;
}

static void input(struct bench_frame *f)
{
	struct card_packet pkt;
	const uint8_t *tcp;
	struct te_seg seg;
	unsigned int ev;
	uint32_t doff;
	struct end *x;

	card_packet_parse(&pkt, f->data, f->len);
	if (!pkt.tcp)
		bench_fail("engine: bad frame");
	verify(&pkt);
	x = find(&pkt.flow);
	tcp = pkt.frame + pkt.l4;
	doff = (tcp[12] >> 4) * 4;
	seg = (struct te_seg){
		.seq = card_get32(tcp + 4), .ack = card_get32(tcp + 8),
		.wnd = card_get16(tcp + 14), .flags = tcp[13], .ecn = pkt.ecn,
		.opts = tcp + TCP_BYTES, .opt_len = doff - TCP_BYTES,
		.data = tcp + doff, .len = pkt.end - pkt.l4 - doff,
	};
	if (seg.len) {
		ev = bench_data_in(x, &seg);
		read_all(x);
	} else {
		ev = bench_ack_in(x, &seg);
	}
	if (ev & TE_EV_OUTPUT || (echoing && x->side && seg.len))
		output(x);
}

static void timers(struct end *x)
{
	if (te_deadline(&x->conn) > now)
		return;
	te_timeout(&engines[x->side], &x->conn, now);
	output(x);
}

static void turn(uint32_t n, uint32_t bytes)
{
	struct end *x = &ends[0][n];
	struct bench_frame *f;

	now += 20;
	timers(x);
	timers(&ends[1][n]);
	post(x, bytes);
	output(x);
	do {
		while ((f = bench_wire_get(&wire)))
			input(f);
		output(&ends[1][n]);	/* the window may have become worth telling */
	} while (wire.head);
}

static void create_end(uint32_t n, int side)
{
	struct end *x = &ends[side][n], **bucket;
	struct min_tcp st = {
		.family = 4, .ttl = 64, .flags = TOE_MT_NODELAY, .mss = BENCH_MSS,
		.snd_wnd = BENCH_WINDOW, .max_window = BENCH_WINDOW, .rcv_mss = BENCH_MSS,
		.rcv_adv = BENCH_WINDOW, .snd_ssthresh = UINT32_MAX, .cong = TOE_CONG_CUBIC,
		.reordering = 3,
	};

	x->side = side;
	x->flow.family = 4;
	card_put32(x->flow.laddr, side ? 0x0a000102 : 0x0a000001 + (n / 60000 << 16));
	card_put32(x->flow.raddr, side ? 0x0a000001 + (n / 60000 << 16) : 0x0a000102);
	card_put16((uint8_t *)&x->flow.lport, side ? 80 : 1024 + n % 60000);
	card_put16((uint8_t *)&x->flow.rport, side ? 1024 + n % 60000 : 80);
	bucket = &table[hash(&x->flow)];
	x->hash_next = *bucket;
	*bucket = x;
	if (te_import(&engines[side], &x->conn, &st, now))
		bench_fail("engine: import");
}

static void open_all(uint32_t conns, bool echo)
{
	struct te_config cfg = { .ops = &ops };

	count = conns;
	echoing = echo;
	now = TE_SEC;
	for (mask = 1; mask < 4 * conns; mask *= 2)
		;
	table = calloc(mask--, sizeof(*table));
	for (int side = 0; side < 2; side++) {
		te_engine_init(&engines[side], &cfg);
		ends[side] = calloc(conns, sizeof(struct end));
		for (uint32_t n = 0; n < conns; n++)
			create_end(n, side);
	}
}

static void close_all(void)
{
	for (int side = 0; side < 2; side++) {
		for (uint32_t n = 0; n < count; n++)
			te_release(&engines[side], &ends[side][n].conn);
		free(ends[side]);
	}
	free(table);
}

static uint64_t frames(void)
{
	return wire.frames;
}

static uint64_t received_bytes(void)
{
	return received;
}

const struct bench_stack bench_engine = {
	.name		= "engine",
	.open		= open_all,
	.turn		= turn,
	.close		= close_all,
	.frames		= frames,
	.received	= received_bytes,
};
