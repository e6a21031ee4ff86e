/* SPDX-License-Identifier: GPL-2.0 */
/* What an administrator has put into the path of packets. */
#ifndef TOE_INPATH_H
#define TOE_INPATH_H

#include <linux/bits.h>
#include <linux/types.h>

#include "reason.h"

struct dst_entry;
struct net_device;
struct sock;
struct toe_dev;

/**
 * enum toe_bypass - what an administrator may allow offload to by-pass
 * @TOE_BYPASS_NETFILTER: packet filters: nftables, iptables, flowtables, BPF
 * @TOE_BYPASS_CONNTRACK: connection tracking
 * @TOE_BYPASS_QDISC: queueing disciplines
 * @TOE_BYPASS_TC: tc filters
 * @TOE_BYPASS_XDP: XDP programs
 * @TOE_BYPASS_BPF: BPF programs that a cgroup has for its sockets' packets
 * @TOE_BYPASS_ALL: all of these
 */
enum toe_bypass {
	TOE_BYPASS_NETFILTER	= BIT(0),
	TOE_BYPASS_CONNTRACK	= BIT(1),
	TOE_BYPASS_QDISC	= BIT(2),
	TOE_BYPASS_TC		= BIT(3),
	TOE_BYPASS_XDP		= BIT(4),
	TOE_BYPASS_BPF		= BIT(5),
	TOE_BYPASS_ALL		= BIT(6) - 1,
};

enum toe_refuse toe_inpath(const struct sock *sk, const struct toe_dev *dev,
			   struct net_device *out, bool v6);
enum toe_refuse toe_inpath_route(struct sock *sk, const struct dst_entry *dst,
				 bool v6);
u64 toe_inpath_sign(const struct toe_dev *dev);

/* bypass.c */
ssize_t toe_bypass_emit(unsigned int what, char *buf);
int toe_bypass_parse(const char *buf, unsigned int *what);

/* watch.c */
int toe_watch_init(void);
void toe_watch_uninit(void);
void toe_watch_changed(struct toe_dev *dev);
void toe_watch_blocked(struct toe_dev *dev);
bool toe_watch_look(struct toe_dev *dev);
void toe_watch_looked(struct toe_dev *dev);
bool toe_watch_wanted(const struct toe_dev *dev);
unsigned long toe_watch_period(const struct toe_dev *dev);

#endif /* TOE_INPATH_H */
