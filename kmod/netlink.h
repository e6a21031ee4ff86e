/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOE_NETLINK_H
#define TOE_NETLINK_H

#include <net/genetlink.h>
#include <uapi/linux/toe.h>

#include "reason.h"

struct toe_dev;
struct toe_sonode;

int toe_nl_init(void);
void toe_nl_uninit(void);

/* Tell who listens; costs a look at a bit if nobody does.  Any context. */
void toe_nl_event(struct toe_sonode *sn, const struct toe_dev *dev,
		  enum toe_event what);

/* For the other netlink files. */
#define TOE_NL_NO_CARD "no card with offload in this namespace has this index"

u32 toe_nl_refusal(enum toe_refuse why);
u32 toe_nl_recall(enum toe_recall why);
bool toe_nl_listened(const struct net *net);
int toe_nl_fail(struct netlink_ext_ack *extack, const struct nlattr *attr,
		const char *text, int err);

#endif /* TOE_NETLINK_H */
