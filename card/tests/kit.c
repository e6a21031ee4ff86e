/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Test kit: see kit.h. */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "kit.h"

static jmp_buf out;
static bool in_test;

const uint8_t kit_card_mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };
const uint8_t kit_peer_mac[6] = { 0x52, 0x54, 0, 0, 0, 2 };

void kit_fail(const char *file, int line, const char *what, unsigned long long a,
	      unsigned long long b)
{
	printf("# %s:%d: %s (%llu, %llu)\n", file, line, what, a, b);
	if (!in_test)		/* in a fuzzer */
		abort();
	longjmp(out, 1);
}

/* What a test may leave behind: nothing. */
struct holdings {
	size_t bytes;
	unsigned int fds;
};

static struct holdings holdings(void)
{
	struct mallinfo2 mi = mallinfo2();
	struct holdings now = { .bytes = mi.uordblks + mi.hblkhd };
	DIR *dir = opendir("/proc/self/fd");

	while (dir && readdir(dir))
		now.fds++;
	if (dir)
		closedir(dir);
	return now;
}

/* Small pieces that were freed count as used while malloc() caches them: run without. */
static void restart_without_cache(void)
{
	char *argv[] = { "test", NULL };

	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	execv("/proc/self/exe", argv);
}

static void run(const struct kit_test *test)
{
	struct holdings before = holdings(), after;

	test->run();
	after = holdings();
	CHECK_EQ(after.fds, before.fds);
	CHECK_EQ(after.bytes, before.bytes);
}

int kit_main(const struct kit_test *tests, unsigned int count)
{
	const char *only = getenv("ONLY");
	volatile unsigned int i, failed = 0;

	restart_without_cache();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n", count);
	for (i = 0; i < count; i++) {
		volatile bool ok = false;

		if (only && strcmp(only, tests[i].name)) {
			printf("ok %u - %s # SKIP\n", i + 1, tests[i].name);
			continue;
		}
		in_test = true;
		if (!setjmp(out)) {
			run(&tests[i]);
			ok = true;
		}
		printf("%sok %u - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
		failed += !ok;
	}
	return failed ? 1 : 0;
}

static void count_irq(void *ctx, unsigned int vector)
{
	struct host *h = ctx;

	h->irqs[vector]++;
}

struct host *host_create(unsigned int pairs, unsigned int contexts)
{
	struct card_config cfg = { .pairs = pairs, .contexts = contexts, .seed = 1 };
	struct host *h = calloc(1, sizeof(*h));
	int sv[2];

	memcpy(cfg.mac, kit_card_mac, 6);
	h->now = 1000000;
	h->mem = mmap(NULL, HOST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	h->peer = sv[1];
	h->wire.st = mmap(NULL, sizeof(*h->wire.st), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	h->wire.fd = -1;
	card_wire_set_fd(&h->wire, sv[0], true);
	h->card.raise = count_irq;
	h->card.raise_ctx = h;
	CHECK(!card_init(&h->card, &cfg, &h->shm, &h->wire));
	h->shm.bus_master = 1;
	/* Two pieces that touch, as the hypervisor likes to map guest memory. */
	CHECK(!card_dma_add(&h->card.dma, HOST_IOVA, HOST_BYTES / 2, h->mem, 3, false));
	CHECK(!card_dma_add(&h->card.dma, HOST_IOVA + HOST_BYTES / 2, HOST_BYTES / 2,
			    h->mem + HOST_BYTES / 2, 3, false));
	h->admin.size[TOE_RING_SQ] = h->admin.size[TOE_RING_CQ] = 16;
	h->admin.ring_iova[TOE_RING_SQ] = host_alloc(h, 16 * sizeof(struct toe_admin_cmd));
	h->admin.ring_iova[TOE_RING_CQ] = host_alloc(h, 16 * sizeof(struct toe_cqe));
	h->admin.shadow_iova = host_alloc(h, 2 * sizeof(struct toe_shadow));
	h->admin.ring[TOE_RING_SQ] = host_ptr(h, h->admin.ring_iova[TOE_RING_SQ]);
	h->admin.ring[TOE_RING_CQ] = host_ptr(h, h->admin.ring_iova[TOE_RING_CQ]);
	h->admin.shadow = host_ptr(h, h->admin.shadow_iova);
	host_reg(h, TOE_REG_ADMIN_SQ_LO, h->admin.ring_iova[TOE_RING_SQ]);
	host_reg(h, TOE_REG_ADMIN_SQ_HI, h->admin.ring_iova[TOE_RING_SQ] >> 32);
	host_reg(h, TOE_REG_ADMIN_CQ_LO, h->admin.ring_iova[TOE_RING_CQ]);
	host_reg(h, TOE_REG_ADMIN_CQ_HI, h->admin.ring_iova[TOE_RING_CQ] >> 32);
	host_reg(h, TOE_REG_ADMIN_SHADOW_LO, h->admin.shadow_iova);
	host_reg(h, TOE_REG_ADMIN_SHADOW_HI, h->admin.shadow_iova >> 32);
	host_reg(h, TOE_REG_ADMIN_SIZE, 16);
	host_reg(h, TOE_REG_CONTROL, TOE_CONTROL_ENABLE);
	host_poll(h);
	return h;
}

void host_destroy(struct host *h)
{
	card_uninit(&h->card);
	card_wire_set_fd(&h->wire, -1, true);
	close(h->peer);
	munmap(h->wire.st, sizeof(*h->wire.st));
	munmap(h->mem, HOST_BYTES);
	free(h);
}

uint64_t host_alloc(struct host *h, size_t bytes)
{
	uint64_t at = HOST_IOVA + h->used;

	h->used += (bytes + 63) & ~(size_t)63;
	CHECK(h->used <= HOST_BYTES);
	return at;
}

void *host_ptr(struct host *h, uint64_t iova)
{
	return h->mem + (iova - HOST_IOVA);
}

void host_sleep(struct host *h, uint64_t us)
{
	uint64_t until = h->now + us;

	while (h->now < until) {
		h->now += us < 1000 ? us : 1000;
		card_poll(&h->card, h->now);
	}
}

void host_poll(struct host *h)
{
	int i;

	for (i = 0; i < 4; i++)
		card_poll(&h->card, ++h->now);
}

void host_reg(struct host *h, uint32_t off, uint32_t val)
{
	card_shm_push(&h->shm, off, val);
	host_poll(h);
}

static bool next_cqe(struct host_pair *p, struct toe_cqe *cqe)
{
	uint32_t size = p->size[TOE_RING_CQ];
	struct toe_cqe *e = (struct toe_cqe *)p->ring[TOE_RING_CQ] + (p->cons & (size - 1));

	if ((e->phase & 1) != !(p->cons & size))
		return false;
	*cqe = *e;
	p->cons++;
	return true;
}

uint32_t host_admin(struct host *h, uint8_t op, uint32_t arg, uint64_t param,
		    uint32_t bytes, uint32_t count)
{
	struct host_pair *a = &h->admin;
	struct toe_admin_cmd cmd = {
		.op = op, .cookie = ++h->cookie, .arg = arg, .param_addr = param,
		.param_bytes = bytes, .count = count,
	};
	struct toe_cqe cqe;

	memcpy(a->ring[TOE_RING_SQ] + (a->prod[TOE_RING_SQ]++ & 15) * 64, &cmd, 64);
	a->shadow[0].prod = a->prod[TOE_RING_SQ];
	atomic_fetch_or(&h->shm.doorbells, CARD_DB_ADMIN);
	host_poll(h);
	do {
		CHECK(next_cqe(a, &cqe));
		a->shadow[1].host_cons = a->cons;
	} while (cqe.type == TOE_CQE_LINK);
	CHECK_EQ(cqe.type, TOE_CQE_CMD);
	CHECK_EQ(cqe.cmd.cookie, h->cookie);
	CHECK_EQ(cqe.cmd.op, op);
	return cqe.cmd.status;
}

uint64_t host_pair_param(struct host *h, unsigned int n, uint32_t ring_size)
{
	static const uint32_t entry[TOE_RINGS] = { 32, 64, 16, 16, 32 };
	uint64_t iova = host_alloc(h, sizeof(struct toe_pair_param));
	struct toe_pair_param *pp = host_ptr(h, iova);
	struct host_pair *p = &h->pair[n];
	int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < TOE_RINGS; i++) {
		p->size[i] = ring_size;
		p->ring_iova[i] = host_alloc(h, entry[i] * ring_size);
		p->ring[i] = host_ptr(h, p->ring_iova[i]);
		memset(p->ring[i], 0, entry[i] * ring_size);
		pp->ring_addr[i] = p->ring_iova[i];
		pp->ring_size[i] = ring_size;
	}
	p->shadow_iova = host_alloc(h, TOE_RINGS * sizeof(struct toe_shadow));
	p->shadow = host_ptr(h, p->shadow_iova);
	pp->shadow_addr = p->shadow_iova;
	pp->rx_buf_bytes = HOST_RX_BYTES;
	pp->rq_buf_bytes = HOST_RQ_BYTES;
	p->rx_mem = host_alloc(h, HOST_RX_BYTES * ring_size);
	p->rq_mem = host_alloc(h, HOST_RQ_BYTES * ring_size);
	return iova;
}

void host_pair_up(struct host *h, unsigned int n, uint32_t ring_size)
{
	uint64_t param = host_pair_param(h, n, ring_size);

	CHECK_EQ(host_admin(h, TOE_ADMIN_PAIR_CREATE, n, param,
			    sizeof(struct toe_pair_param), 0), TOE_ST_OK);
}

void host_submit(struct host *h, unsigned int n, int ring, const void *entry, size_t bytes)
{
	struct host_pair *p = &h->pair[n];
	uint32_t slot = p->prod[ring]++ & (p->size[ring] - 1);

	memcpy(p->ring[ring] + slot * bytes, entry, bytes);
	p->shadow[ring].prod = p->prod[ring];
	atomic_fetch_or(&h->shm.doorbells, CARD_DB_PAIR(n));
}

static void post(struct host *h, unsigned int n, int ring, uint64_t mem, uint32_t bytes,
		 unsigned int count)
{
	struct host_pair *p = &h->pair[n];

	while (count--) {
		uint32_t id = p->prod[ring] & (p->size[ring] - 1);
		struct toe_rxd d = { .addr = mem + (uint64_t)id * bytes, .buf_id = id };

		host_submit(h, n, ring, &d, sizeof(d));
	}
}

void host_rx_post(struct host *h, unsigned int n, unsigned int count)
{
	post(h, n, TOE_RING_RX, h->pair[n].rx_mem, HOST_RX_BYTES, count);
}

void host_rq_post(struct host *h, unsigned int n, unsigned int count)
{
	post(h, n, TOE_RING_RQ, h->pair[n].rq_mem, HOST_RQ_BYTES, count);
}

void host_cmd(struct host *h, unsigned int n, const struct toe_cmd *cmd)
{
	host_submit(h, n, TOE_RING_SQ, cmd, sizeof(*cmd));
	host_poll(h);
}

void host_tx(struct host *h, unsigned int n, const struct toe_txd *d)
{
	host_submit(h, n, TOE_RING_TX, d, sizeof(*d));
}

bool host_cqe(struct host *h, unsigned int n, struct toe_cqe *cqe)
{
	struct host_pair *p = &h->pair[n];

	if (!next_cqe(p, cqe))
		return false;
	p->shadow[TOE_RING_CQ].host_cons = p->cons;
	return true;
}

/* The next completion that isn't about TX is of this type. */
struct toe_cqe host_expect(struct host *h, unsigned int n, uint8_t type)
{
	struct toe_cqe cqe;

	do {
		if (!host_cqe(h, n, &cqe)) {
			printf("# no completion, wanted type %u\n", type);
			CHECK(!"completion");
		}
	} while (cqe.type == TOE_CQE_TX && type != TOE_CQE_TX);
	CHECK_EQ(cqe.type, type);
	return cqe;
}

/* Nothing but TX completions is there. */
void host_quiet(struct host *h, unsigned int n)
{
	struct toe_cqe cqe;

	while (host_cqe(h, n, &cqe))
		CHECK_EQ(cqe.type, TOE_CQE_TX);
}

void host_stats(struct host *h, struct card_stats *st)
{
	uint64_t at = host_alloc(h, sizeof(*st));

	CHECK_EQ(host_admin(h, TOE_ADMIN_STATS, 0, at, sizeof(*st), 0), TOE_ST_OK);
	memcpy(st, host_ptr(h, at), sizeof(*st));
}

void peer_send(struct host *h, const uint8_t *frame, uint32_t len)
{
	uint8_t head[4] = { len >> 24, len >> 16, len >> 8, len };

	CHECK(write(h->peer, head, 4) == 4);
	CHECK(write(h->peer, frame, len) == (ssize_t)len);
}

uint32_t peer_recv(struct host *h, uint8_t *frame, uint32_t size)
{
	uint8_t head[4];
	uint32_t len;

	if (read(h->peer, head, 4) != 4)
		return 0;
	len = card_get32(head);
	CHECK(len <= size);
	CHECK(read(h->peer, frame, len) == (ssize_t)len);
	return len;
}

struct card_flow kit_flow(uint8_t family, uint16_t lport, uint16_t rport)
{
	struct card_flow f = { .family = family };

	f.laddr[0] = 10;
	f.laddr[3] = 1;
	f.raddr[0] = 10;
	f.raddr[3] = 2;
	if (family == 6) {
		f.laddr[0] = f.raddr[0] = 0xfd;
		f.laddr[15] = 1;
		f.raddr[15] = 2;
	}
	card_put16((uint8_t *)&f.lport, lport);
	card_put16((uint8_t *)&f.rport, rport);
	return f;
}

uint32_t kit_tcp_frame(uint8_t *frame, const struct card_flow *flow, uint32_t seq,
		       uint32_t ack, uint8_t flags, const void *data, uint32_t len)
{
	uint8_t *ip = frame + 14, *tcp = ip + (flow->family == 4 ? 20 : 40);
	uint64_t sum;

	memset(frame, 0, 14 + 40 + 20);
	memcpy(frame, kit_card_mac, 6);
	memcpy(frame + 6, kit_peer_mac, 6);
	card_put16(frame + 12, flow->family == 4 ? CARD_ETH_IPV4 : CARD_ETH_IPV6);
	if (flow->family == 4) {
		ip[0] = 0x45;
		card_put16(ip + 2, 40 + len);
		ip[6] = 0x40;
		ip[8] = 64;
		ip[9] = CARD_IP_TCP;
		memcpy(ip + 12, flow->raddr, 4);
		memcpy(ip + 16, flow->laddr, 4);
		card_put16(ip + 10, card_csum_fold(card_csum_add(0, ip, 20)));
	} else {
		ip[0] = 0x60;
		card_put16(ip + 4, 20 + len);
		ip[6] = CARD_IP_TCP;
		ip[7] = 64;
		memcpy(ip + 8, flow->raddr, 16);
		memcpy(ip + 24, flow->laddr, 16);
	}
	memcpy(tcp, &flow->rport, 2);
	memcpy(tcp + 2, &flow->lport, 2);
	card_put32(tcp + 4, seq);
	card_put32(tcp + 8, ack);
	tcp[12] = 0x50;
	tcp[13] = flags;
	card_put16(tcp + 14, 0xffff);
	if (len)
		memcpy(tcp + 20, data, len);
	sum = card_csum_pseudo(flow->family, flow->raddr, flow->laddr, CARD_IP_TCP, 20 + len);
	card_put16(tcp + 16, card_csum_fold(card_csum_add(sum, tcp, 20 + len)));
	return tcp + 20 + len - frame;
}
