/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the filter (toe.ko) and a NIC driver with TOE extensions.
 *
 * The filter knows sockets and no hardware, the driver knows rings and no
 * sockets.  Any NIC driver may implement it.
 */
#ifndef TOE_OPS_H
#define TOE_OPS_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include "toe_hw.h"

struct toe_device;
struct toe_hw_conn;

/**
 * struct toe_flow - what names a connection to the card; L3/L4 of struct min_tcp
 * @laddr: our address; IPv4 in the first four bytes
 * @raddr: the peer's
 * @lport: our port
 * @rport: the peer's
 * @family: 4 or 6
 */
struct toe_flow {
	u8 laddr[16];
	u8 raddr[16];
	__be16 lport;
	__be16 rport;
	u8 family;
};

/**
 * struct toe_hw_conn - HW_CONN_T, the host's side of a hardware connection
 * @tdev: the card it lives in
 * @host_id: socket layer connection identifier (SONODE's), set by the filter
 *	before @conn_begin; the card echoes it and the driver verifies it
 * @tid: hardware connection identifier (HW_CONNID), set by the driver before
 *	toe_begin_done(); 0 means none
 * @priv: the driver's
 *
 * Embedded in the filter's connection object.  The driver may use it from
 * @conn_begin on until it has called toe_begin_done() with an error,
 * toe_abort_done() or toe_conn_recalled(), or until toe_device_fatal() returns.
 */
struct toe_hw_conn {
	struct toe_device *tdev;
	u32 host_id;
	u32 tid;
	void *priv;
};

/**
 * enum toe_mirror - what of offloaded segments packet taps see
 * @TOE_MIRROR_OFF: nothing, at no cost
 * @TOE_MIRROR_HEADERS: up to the end of the TCP header
 * @TOE_MIRROR_ALL: whole frames
 */
enum toe_mirror {
	TOE_MIRROR_OFF = 0,
	TOE_MIRROR_HEADERS,
	TOE_MIRROR_ALL,
};

/**
 * struct toe_device_ops - what a NIC driver provides
 *
 * All callbacks are called in process or BH context with bottom halves
 * disabled and may not sleep, unless said.  For one connection they are
 * serialised by the filter (socket lock or its spinlock).
 */
struct toe_device_ops {
	/**
	 * @conn_begin: first phase of the hand-off: hold @flow's frames.
	 * Answered by toe_begin_done(), exactly once, if 0 is returned.
	 * Errors: -ENOSPC no free context, -ENODEV card gone, -EAGAIN ring full.
	 */
	int (*conn_begin)(struct toe_device *tdev, struct toe_hw_conn *hc,
			  const struct toe_flow *flow);
	/**
	 * @conn_commit: second phase: the card takes over from @st.
	 * conn_send() and conn_credit() may follow at once.  If the card refuses,
	 * the driver reports toe_conn_recalled() with the state it was given.
	 * Errors: -ENOMEM, -ENODEV, -EAGAIN; the connection is still held then
	 * and must be aborted.
	 */
	int (*conn_commit)(struct toe_hw_conn *hc, const struct min_tcp *st);
	/**
	 * @conn_abort: second phase, refused: held frames go up to the stack.
	 * Answered by toe_abort_done(), exactly once.  Cannot fail: a full ring
	 * is the driver's problem.
	 */
	void (*conn_abort)(struct toe_hw_conn *hc);
	/**
	 * @conn_send: post payload [@seq, @seq + @len) that starts @off bytes
	 * into @skb.  On success the driver owns @skb: it maps it, keeps it
	 * until the card has reported it acknowledged or has given the
	 * connection back, and frees it.  @flags: TOE_SEND_PUSH, TOE_SEND_SENT,
	 * TOE_SEND_EOR (only with TOE_CAP_TOE_EOR).
	 * Errors: -EAGAIN ring full or too many fragments outstanding: try again
	 * after the next event of this connection or toe_device_writable();
	 * -ENOMEM; -ENODEV.  @skb stays the caller's then.
	 */
	int (*conn_send)(struct toe_hw_conn *hc, struct sk_buff *skb, u32 off,
			 u32 len, u32 seq, u8 flags);
	/**
	 * @conn_credit: payload up to @edge may be received.  A full ring drops
	 * nothing: the driver remembers the newest edge and posts it later.
	 */
	void (*conn_credit)(struct toe_hw_conn *hc, u32 edge);
	/**
	 * @conn_recall: answered by toe_conn_recalled(), exactly once, in
	 * bounded time, whatever the card does (a card that doesn't answer in
	 * time is declared dead: toe_device_fatal()).  Cannot fail.
	 */
	void (*conn_recall)(struct toe_hw_conn *hc);
	/** @conn_set_params: best effort in order; a full ring: -EAGAIN */
	int (*conn_set_params)(struct toe_hw_conn *hc,
			       const struct toe_cmd_set_params *p);
	/**
	 * @conn_query: have the statistics brought up to date; answered by
	 * toe_query_done().  Errors: -EAGAIN, -ENODEV.
	 */
	int (*conn_query)(struct toe_hw_conn *hc);
	/**
	 * @conn_stats: copy the newest statistics that are in host memory; any
	 * time between conn_commit() and toe_conn_recalled() returning.
	 */
	void (*conn_stats)(struct toe_hw_conn *hc, struct toe_conn_stats *st);
	/**
	 * @mirror_set: have taps on the netdev see offloaded segments, and
	 * store @mode in @tdev->mirror.  Optional.  Process context, may sleep,
	 * RTNL not held; calls may overlap.  Errors: -EOPNOTSUPP, -EIO.
	 */
	int (*mirror_set)(struct toe_device *tdev, enum toe_mirror mode);
};

/**
 * struct toe_device - a card, embedded in the driver's private data
 * @netdev: its network device
 * @ops: all mandatory but mirror_set
 * @caps: TOE_CAP_TOE_*
 * @max_conns: contexts of the card
 * @max_frags: send fragments that one context can hold, more than MAX_SKB_FRAGS
 * @mirror: as mirror_set() was last told; the driver's to write
 * @priv: the filter's
 */
struct toe_device {
	struct net_device *netdev;
	const struct toe_device_ops *ops;
	u32 caps;
	u32 max_conns;
	u32 max_frags;
	enum toe_mirror mirror;
	void *priv;
};

/* toe.ko exports what follows to NIC drivers. */

/* Process context, RTNL not held, netdev registered.  0 or -errno. */
int toe_device_register(struct toe_device *tdev);
/*
 * Process context, RTNL not held, may sleep.  Recalls all connections (the
 * driver must still be able to deliver completions) and waits for that in
 * bounded time.  After return no callback is or will be running.
 */
void toe_device_unregister(struct toe_device *tdev);

/* The switch, one state behind ethtool's private flag and sysfs. */
bool toe_device_enabled(const struct toe_device *tdev);
/*
 * May sleep, with or without RTNL.  Off recalls every connection of the card
 * and waits for it in bounded time.
 */
int toe_device_enable(struct toe_device *tdev, bool on);
/*
 * Recall everything and refuse new connections until resume, without touching
 * the switch: before the rings stop (ndo_stop, reset).  May sleep; bounded.
 */
void toe_device_suspend(struct toe_device *tdev);
void toe_device_resume(struct toe_device *tdev);
/*
 * The card is dead.  The driver has made sure that no DMA and no upcall is or
 * will be going on.  Every connection goes back to the kernel's stack from what
 * the host knows.  Process context, may sleep.  On return no toe_hw_conn is in
 * use; the driver frees what it kept for them (mapped skbs before the call).
 */
void toe_device_fatal(struct toe_device *tdev);

/*
 * Events of a connection.  Called from NAPI poll (softirq), in the order of the
 * flow's completion ring.
 */
void toe_begin_done(struct toe_hw_conn *hc, int err);
void toe_abort_done(struct toe_hw_conn *hc);
/* @skb: payload only, no headers; @seq of its first byte.  Takes @skb. */
void toe_rx_data(struct toe_hw_conn *hc, struct sk_buff *skb, u32 seq, bool push);
void toe_rx_acked(struct toe_hw_conn *hc, u32 snd_una, u32 snd_wnd, u32 srtt_us);
/* A RECALLED follows. */
void toe_rx_closing(struct toe_hw_conn *hc, u32 reason);
/*
 * @st and @stats (NULL: unknown) are copied.  All of the connection's sent skbs
 * have been unmapped and freed by the driver before the call.
 */
void toe_conn_recalled(struct toe_hw_conn *hc, u32 reason,
		       const struct min_tcp *st,
		       const struct toe_conn_stats *stats);
void toe_query_done(struct toe_hw_conn *hc);
/* Room in rings again after -EAGAIN.  NAPI. */
void toe_device_writable(struct toe_device *tdev);

/*
 * Figure 4D's verdicts that drive the migration; NAPI.  toe_rx_handshake(): a
 * SYN or SYN+ACK passed (new connection offload process).
 * toe_rx_handshake_done(): the ACK that completes a handshake, or a SYN+ACK, has
 * been given to the stack (call it after napi_gro_flush()).
 * toe_rx_frame_closing(): a FIN, RST or ACK of a FIN with handle @tid passed.
 */
void toe_rx_handshake(struct toe_device *tdev);
void toe_rx_handshake_done(struct toe_device *tdev);
void toe_rx_frame_closing(struct toe_device *tdev, u32 tid);

/* ethtool -S of the filter's part: constant length per module version. */
int toe_stats_count(void);
void toe_stats_strings(u8 **data);
void toe_stats_values(struct toe_device *tdev, u64 *data);

#endif /* TOE_OPS_H */
