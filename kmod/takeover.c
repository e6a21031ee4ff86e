// SPDX-License-Identifier: GPL-2.0
/*
 * A sockmap or another upper layer protocol takes a socket over.
 *
 * Neither asks the socket's tables anything in a place where a recall could be waited
 * for; the ULP of an offloaded socket alone makes them fail. So the call is caught at
 * its entry, by a probe that leads it into a function of ours: it has the connection
 * back, and lets the system call begin again. Sockets that aren't ours don't come
 * here, and that one isn't any more.
 *
 * bpf(BPF_MAP_UPDATE_ELEM) looks at the socket's tables before it takes the socket's
 * lock. A BPF program that inserts a socket can't wait. It gets EOPNOTSUPP while the
 * card has the connection (kernel.c); what is inserted when a connection becomes
 * established, the usual way, comes before the offload.
 *
 * setsockopt(TCP_ULP) is toe_setsockopt()'s, unless the thread was in the stack's
 * already when the connection was offloaded: it may still be reading the name.
 */
#include <linux/bpf.h>
#include <linux/kprobes.h>
#include <linux/net.h>
#include <net/tcp.h>

#include "conn.h"

static int toe_sockmap_update(struct bpf_map *map, void *key, void *value, u64 flags);
static int toe_ulp_set(struct sock *sk, const char *name);

/* The socket that is to be inserted; a reference on its file, or NULL. */
static struct socket *toe_sockmap_socket(const struct bpf_map *map, const void *value)
{
	u64 fd = map->value_size == sizeof(u64) ? *(u64 *)value : *(u32 *)value;
	int err;

	return fd > S32_MAX ? NULL : sockfd_lookup(fd, &err);
}
NOKPROBE_SYMBOL(toe_sockmap_socket);

/* Atomic context.  Another one, which comes later, finds out by itself. */
static int toe_sockmap_entry(struct kprobe *p, struct pt_regs *regs)
{
	const struct bpf_map *map = (void *)regs_get_kernel_argument(regs, 0);
	const void *value = (void *)regs_get_kernel_argument(regs, 2);
	struct socket *sock = toe_sockmap_socket(map, value);
	bool ours;

	if (!sock)
		return 0;
	rcu_read_lock();
	ours = sock->sk && sk_is_tcp(sock->sk) && toe_sk_sonode(sock->sk);
	rcu_read_unlock();
	sockfd_put(sock);
	if (!ours)
		return 0;
	toe_frame_enter();
	instruction_pointer_set(regs, (unsigned long)toe_sockmap_update);
	return 1;
}
NOKPROBE_SYMBOL(toe_sockmap_entry);

/* Never called for what goes our way; being there, it lets a probe change it. */
static void toe_takeover_post(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(toe_takeover_post);

/* On the way to user space the kernel restarts the system call, as after a signal. */
static int toe_takeover_restart(void)
{
	set_thread_flag(TIF_NOTIFY_SIGNAL);
	toe_frame_leave();
	return -ERESTARTNOINTR;
}

/*
 * In the place of sock_map_update_elem_sys().  That isn't called from here: where the
 * processor checks indirect branches it has no landing pad for one.
 */
static int toe_sockmap_update(struct bpf_map *map, void *key, void *value, u64 flags)
{
	struct socket *sock = toe_sockmap_socket(map, value);

	if (sock) {
		if (sk_is_tcp(sock->sk))
			toe_conn_yield(sock->sk, TOE_RECALL_STOLEN);
		sockfd_put(sock);
	}
	return toe_takeover_restart();
}

/* Atomic context, socket lock held; TCP_ULP "toe" is told by the stack that it's there. */
static int toe_ulp_entry(struct kprobe *p, struct pt_regs *regs)
{
	struct sock *sk = (void *)regs_get_kernel_argument(regs, 0);
	const char *name = (void *)regs_get_kernel_argument(regs, 1);

	if (READ_ONCE(inet_csk(sk)->icsk_ulp_ops) != &toe_ulp_ops ||
	    !strcmp(name, toe_ulp_ops.name))
		return 0;
	toe_frame_enter();
	instruction_pointer_set(regs, (unsigned long)toe_ulp_set);
	return 1;
}
NOKPROBE_SYMBOL(toe_ulp_entry);

/* In the place of tcp_set_ulp(); socket lock held. */
static int toe_ulp_set(struct sock *sk, const char *name)
{
	toe_conn_yield_locked(sk, TOE_RECALL_SOCKOPT);
	return toe_takeover_restart();
}

static struct {
	struct kprobe probe;
	const char *without;	/* what doesn't work then */
	bool there;
} toe_takeovers[] = {
	{
		.probe.symbol_name	= "sock_map_update_elem_sys",
		.probe.pre_handler	= toe_sockmap_entry,
		.without		= "offloaded sockets can't enter a sockmap",
	}, {
		.probe.symbol_name	= "tcp_set_ulp",
		.probe.pre_handler	= toe_ulp_entry,
		.without		= "TCP_ULP may fail while a connection is offloaded",
	},
};

void toe_takeover_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(toe_takeovers); i++) {
		struct kprobe *probe = &toe_takeovers[i].probe;

		probe->post_handler = toe_takeover_post;
		err = register_kprobe(probe);
		toe_takeovers[i].there = !err;
		if (err)
			pr_warn("no probe on %s() (%d): %s\n",
				probe->symbol_name, err, toe_takeovers[i].without);
	}
}

void toe_takeover_uninit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(toe_takeovers); i++)
		if (toe_takeovers[i].there)
			unregister_kprobe(&toe_takeovers[i].probe);
}
