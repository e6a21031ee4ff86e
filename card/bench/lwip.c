/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * lwIP as Debian ships it, through its raw API: one instance, two interfaces that
 * are each other's wire.
 *
 * That library is made for threads and checksums.  To compare the protocols and
 * nothing else, some of its functions are replaced by ones that cost nothing: the
 * lock, which a single thread doesn't need, and the checksums, which the engine
 * doesn't compute here either.  Its output copies payload into the frame and its
 * input hands the frame on without a copy, as the engine's do.
 *
 * With BENCH_CHECKSUMS nothing is replaced, and the engine's side computes too.
 */
#include <stdlib.h>
#include <string.h>
#include "lwip/init.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip4.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/sys.h"
#include "lwip/tcp.h"
#include "lwip/priv/tcp_priv.h"
#include "bench.h"

#define PORT	80
#define TICK	12500	/* turns of 20 us between lwIP's timers */

static struct bench_wire wire;
static struct pbuf_custom pbufs[BENCH_SLOTS];
static struct netif ifs[2];
static struct tcp_pcb **clients, *listener;
static uint32_t count, accepted, ticks;
static uint64_t received;
static bool echoing, ready;
static uint8_t stream[1 << 16], sink[1 << 16];

#ifndef BENCH_CHECKSUMS
sys_prot_t sys_arch_protect(void)
{
	return 0;
}

void sys_arch_unprotect(sys_prot_t pval)
{
	(void)pval;
}

u16_t inet_chksum(const void *data, u16_t len)
{
	(void)data;
	(void)len;
	return 0;
}

u16_t inet_chksum_pbuf(struct pbuf *p)
{
	(void)p;
	return 0;
}

u16_t ip_chksum_pseudo(struct pbuf *p, u8_t proto, u16_t len, const ip_addr_t *src,
		       const ip_addr_t *dst)
{
	(void)p;
	(void)proto;
	(void)len;
	(void)src;
	(void)dst;
	return 0;
}

u16_t ip_chksum_pseudo_partial(struct pbuf *p, u8_t proto, u16_t len, u16_t part,
			       const ip_addr_t *src, const ip_addr_t *dst)
{
	(void)part;
	return ip_chksum_pseudo(p, proto, len, src, dst);
}

/* The copy that Debian's configuration makes of all that is written is one more
 * than the engine has: left out too.
 */
u16_t lwip_chksum_copy(void *dst, const void *src, u16_t len)
{
	(void)dst;
	(void)src;
	(void)len;
	return 0;
}
#endif /* !BENCH_CHECKSUMS */

static err_t output(struct netif *nif, struct pbuf *p, const ip4_addr_t *to)
{
	struct bench_frame *f = bench_wire_put(&wire);

	(void)to;
	f->to = nif == &ifs[0];
	f->len = p->tot_len;
	pbuf_copy_partial(p, f->data, p->tot_len, 0);
	return ERR_OK;
}

static err_t init(struct netif *nif)
{
	nif->output = output;
	nif->mtu = 1500;
	nif->name[0] = 'b';
	return ERR_OK;
}

static err_t got(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	u16_t len = p ? p->tot_len : 0;

	(void)arg;
	if (!p || err)
		return ERR_OK;
	pbuf_copy_partial(p, sink, len, 0);
	received += len;
	tcp_recved(pcb, len);
	pbuf_free(p);
	if (echoing && pcb->local_port == PORT && tcp_write(pcb, stream, len, 0))
		bench_fail("lwip: echo");
	return ERR_OK;
}

static err_t accept_one(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)err;
	tcp_nagle_disable(pcb);
	tcp_recv(pcb, got);
	accepted++;
	return ERR_OK;
}

/* The wire's slots outlive what refers to them: nothing is kept by the stack. */
static void released(struct pbuf *p)
{
	(void)p;
}

static void deliver(void)
{
	struct bench_frame *f;

	while ((f = bench_wire_get(&wire))) {
		struct pbuf_custom *c = &pbufs[f - wire.slot];
		struct pbuf *p;

		c->custom_free_function = released;
		p = pbuf_alloced_custom(PBUF_RAW, f->len, PBUF_REF, c, f->data, BENCH_FRAME);
		ip4_input(p, &ifs[f->to]);
	}
}

static void turn(uint32_t n, uint32_t bytes)
{
	if (++ticks % TICK == 0)
		tcp_tmr();
	if (tcp_write(clients[n], stream, bytes, 0))
		bench_fail("lwip: write");
	tcp_output(clients[n]);
	deliver();
}

static void start(void)
{
	ip4_addr_t mask, none = { 0 }, addr[2];

	lwip_init();
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&addr[0], 10, 0, 0, 1);
	IP4_ADDR(&addr[1], 10, 0, 1, 2);
	for (int i = 0; i < 2; i++) {
		netif_add(&ifs[i], &addr[i], &mask, &none, NULL, init, ip_input);
		netif_set_up(&ifs[i]);
		netif_set_link_up(&ifs[i]);
	}
	ready = true;
}

static void open_all(uint32_t conns, bool echo)
{
	struct tcp_pcb *pcb;

	if (!ready)
		start();
	count = conns;
	echoing = echo;
	accepted = 0;
	clients = calloc(conns, sizeof(struct tcp_pcb *));
	pcb = tcp_new();
	if (tcp_bind(pcb, netif_ip_addr4(&ifs[1]), PORT))
		bench_fail("lwip: bind");
	tcp_bind_netif(pcb, &ifs[1]);
	listener = tcp_listen(pcb);
	tcp_accept(listener, accept_one);
	for (uint32_t n = 0; n < conns; n++) {
		clients[n] = pcb = tcp_new();
		tcp_bind(pcb, netif_ip_addr4(&ifs[0]), 1024 + n);
		tcp_bind_netif(pcb, &ifs[0]);
		tcp_nagle_disable(pcb);
		tcp_recv(pcb, got);
		if (tcp_connect(pcb, netif_ip_addr4(&ifs[1]), PORT, NULL))
			bench_fail("lwip: connect");
		deliver();
	}
	if (accepted != conns)
		bench_fail("lwip: not all connections came up");
}

static void close_all(void)
{
	for (uint32_t n = 0; n < count; n++) {
		tcp_abort(clients[n]);
		deliver();
	}
	tcp_close(listener);
	free(clients);
}

static uint64_t frames(void)
{
	return wire.frames;
}

static uint64_t received_bytes(void)
{
	return received;
}

const struct bench_stack bench_lwip = {
	.name		= "lwip",
	.open		= open_all,
	.turn		= turn,
	.close		= close_all,
	.frames		= frames,
	.received	= received_bytes,
};
