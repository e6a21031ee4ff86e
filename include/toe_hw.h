/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR BSD-3-Clause */
/*
 * The card's ABI: PCI identity, registers, rings, descriptors, and MIN_TCP_T.
 *
 * This file is compiled unchanged by the NIC driver (netdev/) and by the card
 * (card/).  It needs nothing but <linux/types.h>; the figures of a connection
 * stand in a file of their own, toe_hw_stats.h.  Documentation/hw.rst is the
 * datasheet in prose.
 *
 * Byte order: little endian, except where a type says __be (fields that are
 * copied to or from a packet header as they stand).
 * Alignment: natural; every structure has a size assertion under it.
 */
#ifndef TOE_HW_H
#define TOE_HW_H

#include <linux/types.h>
#include "toe_hw_stats.h"

/* PCI identity: the vendor is QEMU's, the device in its range for experiments. */
#define TOE_PCI_VENDOR_ID		0x1b36
#define TOE_PCI_DEVICE_ID		0x70e0
#define TOE_PCI_REVISION		0x01
#define TOE_PCI_CLASS			0x020000	/* Ethernet controller */

#define TOE_BAR				0
#define TOE_BAR_BYTES			0x10000
#define TOE_MSIX_BAR			1	/* table at 0, PBA at 0x800 */
#define TOE_MSIX_PBA_OFFSET		0x800
#define TOE_MSIX_BAR_BYTES		0x1000

/* Vector 0: admin ring and asynchronous events.  Vector 1 + n: queue pair n. */
#define TOE_MAX_PAIRS			8
#define TOE_VECTORS			(1 + TOE_MAX_PAIRS)
#define TOE_VECTOR_ADMIN		0
#define TOE_VECTOR_PAIR(n)		(1 + (n))

/*
 * Registers, byte offsets into TOE_BAR, all 32 bits wide; access of another
 * width or alignment is ignored (reads answer zero) and counted.
 *
 * A card that has died answers all ones.  No register ever reads as all ones
 * on a live card, so one comparison tells.  No register is read on a fast path.
 */
#define TOE_REG_MAGIC			0x0000	/* ro: TOE_MAGIC */
#define   TOE_MAGIC			0x434f4554	/* "TOEC" */
#define TOE_REG_VERSION			0x0004	/* ro: major << 16 | minor */
#define   TOE_VERSION_MAJOR		0xffff0000
#define   TOE_VERSION_MINOR		0x0000ffff
#define   TOE_ABI_MAJOR			1	/* must match */
#define   TOE_ABI_MINOR			2	/* additions only */
#define TOE_REG_CAP_NIC			0x0008	/* ro: TOE_CAP_NIC_* */
#define   TOE_CAP_NIC_TXCSUM		0x00000001
#define   TOE_CAP_NIC_RXCSUM		0x00000002
#define   TOE_CAP_NIC_TSO		0x00000004
#define   TOE_CAP_NIC_TSO6		0x00000008
#define   TOE_CAP_NIC_RSS		0x00000010
#define   TOE_CAP_NIC_VLAN		0x00000020	/* insert and strip */
#define TOE_REG_CAP_TOE			0x000c	/* ro: TOE_CAP_TOE_* */
#define   TOE_CAP_TOE_IPV4		0x00000001
#define   TOE_CAP_TOE_IPV6		0x00000002
#define   TOE_CAP_TOE_TSTAMP		0x00000004
#define   TOE_CAP_TOE_SACK		0x00000008
#define   TOE_CAP_TOE_ECN		0x00000010
#define   TOE_CAP_TOE_VLAN		0x00000020
#define   TOE_CAP_TOE_MIRROR		0x00000040	/* TOE_FEATURE_MIRROR* */
#define   TOE_CAP_TOE_EOR		0x00000080	/* TOE_SEND_EOR */
#define   TOE_CAP_TOE_MANNER		0x00000100	/* retries and manner, minor 2 */
#define TOE_REG_PAIRS			0x0010	/* ro: queue pairs, 1..TOE_MAX_PAIRS */
#define TOE_REG_CONTEXTS		0x0014	/* ro: TOE contexts; tid is below it */
#define TOE_REG_FRAGS			0x0018	/* ro: send fragments one context can hold */
#define TOE_REG_MAX_MTU			0x001c	/* ro: largest MTU in bytes */
#define TOE_REG_MAC_LO			0x0020	/* ro: permanent MAC, bytes 0..3 */
#define TOE_REG_MAC_HI			0x0024	/* ro: bytes 4..5 in bits 15..0 */
#define TOE_REG_STATUS			0x0028	/* ro: TOE_STATUS_* */
#define   TOE_STATUS_READY		0x00000001	/* reset has finished */
#define   TOE_STATUS_LINK		0x00000002	/* carrier */
#define   TOE_STATUS_FATAL		0x00000004	/* only a reset helps */
#define TOE_REG_CONTROL			0x002c	/* rw: TOE_CONTROL_* */
#define   TOE_CONTROL_RESET		0x00000001	/* clears itself; wait for READY */
#define   TOE_CONTROL_ENABLE		0x00000002	/* admin ring runs */
/* Written before ENABLE: */
#define TOE_REG_ADMIN_SQ_LO		0x0040	/* wo: struct toe_admin_cmd[size] */
#define TOE_REG_ADMIN_SQ_HI		0x0044
#define TOE_REG_ADMIN_CQ_LO		0x0048	/* wo: struct toe_cqe[size] */
#define TOE_REG_ADMIN_CQ_HI		0x004c
#define TOE_REG_ADMIN_SHADOW_LO		0x0050	/* wo: struct toe_shadow[2]: SQ, CQ */
#define TOE_REG_ADMIN_SHADOW_HI		0x0054
#define TOE_REG_ADMIN_SIZE		0x0058	/* wo: entries of both, power of 2, 16..1024 */
#define TOE_REG_HEARTBEAT_LO		0x0060	/* wo: __le32 that the card increments */
#define TOE_REG_HEARTBEAT_HI		0x0064	/*     every TOE_HEARTBEAT_MS while it lives */
#define   TOE_HEARTBEAT_MS		10
/* Doorbells, write only: the value is ignored, the truth is the shadow index. */
#define TOE_REG_DOORBELL_ADMIN		0x1000
#define TOE_REG_DOORBELL_PAIR(n)	(0x1004 + 4 * (n))	/* all rings of pair n */

/**
 * DOC: rings
 *
 * All rings lie in host memory, are 64-byte aligned and hold a power of two of
 * entries.  Indices run freely through 32 bits; slot = index & (size - 1).
 *
 * Submission rings (admin SQ; per pair: TX, TOE SQ, and the two rings of empty
 * buffers RX and RQ).  The host fills slots, makes them visible (dma_wmb()),
 * then stores shadow.prod.  A full memory barrier later (mb()) it loads
 * shadow.event and rings the doorbell if prod has passed event since the last
 * time: toe_need_event(event, new, old).  The card, before it sleeps, stores
 * event = its consumer index, barrier, loads prod once more.  The card stores
 * shadow.cons after it has read a slot, which gives the slot (not the memory
 * that it points to) back.
 *
 * Completion rings (admin CQ, one CQ per pair).  The card writes an entry whose
 * last byte's TOE_CQE_PHASE is 1 on the first pass through the ring, 0 on the
 * second, and so on; that byte is stored last (dma_rmb() after it was seen).
 * The host stores shadow.cons for the slots it gives back; the card never
 * overruns it but holds completions back, and then stops reading submissions.
 * The card raises the ring's vector when it has published the entry with index
 * shadow.event: toe_need_event(event, new, old).  The host re-arms by storing
 * event = its consumer index, mb(), and looking at the ring once more.
 */

/* Has an index that moved from @old to @new passed @event? */
static inline int toe_need_event(__u32 event, __u32 new_idx, __u32 old_idx)
{
	return (__u32)(new_idx - event - 1) < (__u32)(new_idx - old_idx);
}

/**
 * struct toe_shadow - indices of one ring in host memory, a cache line per writer
 * @prod: submission rings: host writes, next index it will fill («shadow.prod»)
 * @host_cons: completion rings: host writes, next index it will read
 * @host_event: completion rings: host writes, interrupt wanted once the entry
 *	with this index is published
 * @card_cons: submission rings: card writes, next index it will read
 * @card_event: submission rings: card writes, doorbell wanted once prod passes it
 * @rsvd0: fills the host's line
 * @toe_rx_frames: completion ring of a pair: card writes, frames since PAIR_CREATE
 *	that connections of this pair have taken in: those that no TOE_CQE_RX tells of
 * @toe_rx_bytes: their bytes, from the Ethernet header on, without a VLAN tag
 * @toe_tx_frames: frames that connections of this pair have sent
 * @toe_tx_bytes: their bytes, likewise
 * @rsvd1: fills the card's line
 *
 * The card writes the four counters, each whole, before it sleeps and after at
 * most TOE_STATS_MS.
 */
struct toe_shadow {
	__le32 prod;
	__le32 host_cons;	/* completion rings */
	__le32 host_event;	/* completion rings */
	__le32 rsvd0[13];
	__le32 card_cons;	/* submission rings */
	__le32 card_event;	/* submission rings */
	__le64 toe_rx_frames;	/* CQ of a pair, minor 1 */
	__le64 toe_rx_bytes;
	__le64 toe_tx_frames;
	__le64 toe_tx_bytes;
	__le32 rsvd1[6];
};
_Static_assert(sizeof(struct toe_shadow) == 128, "toe_shadow");

/* Which shadow of the pair's array is whose. */
enum {
	TOE_RING_TX = 0,	/* struct toe_txd: frames */
	TOE_RING_SQ,		/* struct toe_cmd: TOE commands */
	TOE_RING_RX,		/* struct toe_rxd: empty buffers for frames */
	TOE_RING_RQ,		/* struct toe_rxd: empty buffers for TOE payload */
	TOE_RING_CQ,		/* struct toe_cqe */
	TOE_RINGS
};

#define TOE_RING_MIN		16
#define TOE_RING_MAX		4096

/* Admin commands.  Each is answered by one TOE_CQE_CMD on the admin CQ. */
enum {
	TOE_ADMIN_PAIR_CREATE	= 1,	/* param: struct toe_pair_param; pair in @arg */
	TOE_ADMIN_PAIR_DESTROY	= 2,	/* pair in @arg; on completion no DMA of it is left */
	TOE_ADMIN_RX_MODE	= 3,	/* arg: TOE_RX_MODE_*; param: @count MACs of 6 + 2 bytes */
	TOE_ADMIN_RSS		= 4,	/* param: struct toe_rss_param */
	TOE_ADMIN_MTU		= 5,	/* arg: MTU */
	TOE_ADMIN_STATS		= 6,	/* param: card writes struct toe_nic_stats */
	TOE_ADMIN_FEATURES	= 7,	/* arg: TOE_FEATURE_* that are switched on */
	TOE_ADMIN_MAC		= 8,	/* param: 6 bytes, the station address */
};

#define TOE_RX_MODE_PROMISC	0x1
#define TOE_RX_MODE_ALLMULTI	0x2
#define TOE_RX_MODE_MAX_MACS	64
#define TOE_FEATURE_VLAN_STRIP	0x1
#define TOE_FEATURE_RXCSUM	0x2
#define TOE_FEATURE_LOOPBACK	0x4
#define TOE_FEATURE_MIRROR	0x8	/* TOE_CQE_MIRROR: up to the end of the TCP header */
#define TOE_FEATURE_MIRROR_ALL	0x10	/* with it: the whole frame */

struct toe_admin_cmd {
	__u8   op;		/* TOE_ADMIN_* */
	__u8   rsvd0;
	__le16 cookie;		/* echoed in the completion */
	__le32 arg;
	__le64 param_addr;
	__le32 param_bytes;
	__le32 count;
	__u8   rsvd1[40];
};
_Static_assert(sizeof(struct toe_admin_cmd) == 64, "toe_admin_cmd");

struct toe_pair_param {
	__le64 ring_addr[TOE_RINGS];	/* by TOE_RING_* */
	__le64 shadow_addr;		/* struct toe_shadow[TOE_RINGS] */
	__le32 ring_size[TOE_RINGS];	/* entries, power of 2 */
	__le32 rx_buf_bytes;		/* of each RX buffer, 1536..16384 */
	__le32 rq_buf_bytes;		/* of each RQ buffer, 4096..65536 */
	__le32 rsvd[3];
};
_Static_assert(sizeof(struct toe_pair_param) == 88, "toe_pair_param");

#define TOE_RSS_INDIR	128
#define TOE_RSS_KEY	40
struct toe_rss_param {
	__u8 key[TOE_RSS_KEY];		/* Toeplitz */
	__u8 indir[TOE_RSS_INDIR];	/* pair by low bits of the hash */
};
_Static_assert(sizeof(struct toe_rss_param) == 168, "toe_rss_param");

/* Counters of the card since its reset.  Frames and bytes are those of the wire. */
struct toe_nic_stats {
	__le64 rx_frames;
	__le64 rx_bytes;
	__le64 rx_no_buffer;
	__le64 rx_filtered;
	__le64 rx_csum_bad;
	__le64 rx_oversize;
	__le64 tx_frames;
	__le64 tx_bytes;
	__le64 tx_bad_desc;
	__le64 dma_errors;
	__le64 reg_errors;
	__le64 toe_rx_segs;		/* segments consumed by the engine */
	__le64 toe_rx_bytes;		/* their payload */
	__le64 toe_tx_segs;
	__le64 toe_tx_bytes;
	__le64 toe_retrans_segs;
	__le64 toe_held_frames;		/* between BEGIN and COMMIT or ABORT */
	__le64 toe_held_dropped;
	__le64 toe_cmd_errors;
	__le64 toe_csum_bad;
	__le64 toe_contexts;		/* in use now */
	__le64 toe_no_buffer;		/* RQ was empty: segment dropped, not acknowledged */
	__le64 toe_mirrored;		/* frames copied for taps */
	__le64 toe_mirror_lost;		/* not copied for want of room */
	__le64 rsvd[8];
};
_Static_assert(sizeof(struct toe_nic_stats) == 256, "toe_nic_stats");

/*
 * TX ring: one frame is a run of descriptors, TOE_TXD_EOP in the last one.  The
 * fields besides @addr and @len count in the first descriptor only.
 */
#define TOE_TXD_EOP		0x01
#define TOE_TXD_CSUM		0x02	/* from csum_start on, stored csum_offset behind it */
#define TOE_TXD_TSO		0x04	/* implies the checksums of TCP and IPv4 */
#define TOE_TXD_VLAN		0x08	/* insert vlan_tci */
#define TOE_TXD_MAX_FRAGS	24
#define TOE_TXD_MAX_BYTES	(65536 + 256)

struct toe_txd {
	__le64 addr;
	__le32 len;
	__u8   flags;		/* TOE_TXD_* */
	__u8   rsvd0;
	__le16 vlan_tci;
	__le16 mss;		/* TSO: payload bytes in each segment */
	__le16 csum_start;	/* bytes from the start of the frame */
	__le16 csum_offset;	/* bytes from csum_start */
	__le16 l3_off;		/* TSO: start of the IP header */
	__le16 l4_off;		/* TSO: start of the TCP header */
	__le16 rsvd1[3];
};
_Static_assert(sizeof(struct toe_txd) == 32, "toe_txd");

/* RX and RQ rings: an empty buffer.  The card uses them in ring order. */
struct toe_rxd {
	__le64 addr;
	__le32 buf_id;		/* host's name for it, echoed in completions */
	__le32 rsvd;
};
_Static_assert(sizeof(struct toe_rxd) == 16, "toe_rxd");

/**
 * struct min_tcp - MIN_TCP_T: the minimum state that moves a connection
 * @laddr: our address; IPv4 in the first four bytes
 * @raddr: the peer's address
 * @lport: our port
 * @rport: the peer's port
 * @family: 4 or 6
 * @ttl: TTL or hop limit of what the card sends
 * @tos: TOS or traffic class, ECN bits zero
 * @flags: TOE_MT_*
 * @flow_label: IPv6, 20 bits, host order value
 * @lmac: our link-layer address
 * @rmac: link-layer address of the next hop
 * @vlan_tci: with TOE_MT_VLAN
 * @mss: payload bytes per segment sent, options already taken off
 * @snd_una: oldest unacknowledged byte
 * @snd_nxt: next new byte to send
 * @snd_max: highest byte ever sent + 1; differs from snd_nxt after a go-back
 * @snd_wnd: peer's window, bytes, scaled up
 * @snd_wl1: sequence number of the segment it came with
 * @max_window: largest window the peer ever offered, bytes
 * @rcv_nxt: next byte expected
 * @rcv_adv: right edge advertised so far: never moves left
 * @snd_wscale: shift of the windows we receive
 * @rcv_wscale: shift of the windows we send
 * @rcv_mss: estimate of the peer's segment size, for delayed ACK
 * @ts_val: TSval a segment sent now would carry: clock + offset, in ms
 * @ts_recent: TS.Recent
 * @ts_recent_age_ms: its age
 * @srtt_us: smoothed round trip; 0: no sample yet
 * @rttvar_us: smoothed variation
 * @min_rtt_us: smallest round trip seen lately
 * @rto_us: retransmission timeout before backoff
 * @rto_left_us: time to the running timer's end; 0: none runs
 * @backoff: doublings of rto_us so far
 * @probes: window or keepalive probes unanswered
 * @cong: TOE_CONG_*
 * @reordering: tolerance in segments, RFC 6675 DupThresh as adapted
 * @snd_cwnd: congestion window, bytes
 * @snd_ssthresh: slow start threshold, bytes; all ones: not set yet
 * @keep_idle_ms: idle time before the first probe, with TOE_MT_KEEPALIVE
 * @keep_intvl_ms: between keepalive probes
 * @keep_probes: unanswered probes before giving up
 * @user_timeout_ms: RFC 5482
 * @idle_ms: time since the last segment from the peer
 * @retries: at this round of the retransmission timer in a row without progress, or when
 *	so many window probes went unanswered, the card gives the connection back
 *	(TOE_REASON_TIMEOUT) instead of sending again; 0: the 16th.  TOE_CAP_TOE_MANNER
 * @manner: TOE_MANNER_*.  TOE_CAP_TOE_MANNER
 * @rsvd1: zero
 * @flight_us: time since the oldest byte in flight was sent; 0: unknown, or some of what is
 *	in flight was sent twice
 * @flight_last_us: time since the newest was; with @flight_us
 * @rsvd: zero
 *
 * Second design document, B.1 and C.1.  From the host to the card with
 * TOE_CMD_COMMIT, back with TOE_CQE_RECALLED.  «Local» is always the host's side.
 */
struct min_tcp {
	/* addresses and ports */
	__u8   laddr[16];
	__u8   raddr[16];
	__be16 lport;
	__be16 rport;
	__u8   family;
	__u8   ttl;
	__u8   tos;
	__u8   flags;
	__le32 flow_label;
	/* L2 header of what the card sends */
	__u8   lmac[6];
	__u8   rmac[6];
	__le16 vlan_tci;
	__le16 mss;
	/* send sequence space, RFC 9293 3.3.1 */
	__le32 snd_una;
	__le32 snd_nxt;
	__le32 snd_max;
	__le32 snd_wnd;
	__le32 snd_wl1;
	__le32 max_window;
	/* receive sequence space */
	__le32 rcv_nxt;
	__le32 rcv_adv;
	__u8   snd_wscale;
	__u8   rcv_wscale;
	__le16 rcv_mss;
	/* timestamps, RFC 7323 (TOE_MT_TSTAMP) */
	__le32 ts_val;
	__le32 ts_recent;
	__le32 ts_recent_age_ms;
	/* round trip, RFC 6298 */
	__le32 srtt_us;
	__le32 rttvar_us;
	__le32 min_rtt_us;
	__le32 rto_us;
	__le32 rto_left_us;
	__u8   backoff;
	__u8   probes;
	__u8   cong;
	__u8   reordering;
	/* congestion control, RFC 5681 */
	__le32 snd_cwnd;
	__le32 snd_ssthresh;
	/* timers of the user, ms; 0: off */
	__le32 keep_idle_ms;
	__le32 keep_intvl_ms;
	__le32 keep_probes;
	__le32 user_timeout_ms;
	__le32 idle_ms;
	/* what an administrator or the user asks for, minor 2 */
	__u8   retries;
	__u8   manner;
	__u8   rsvd1[2];
	__le32 flight_us;
	__le32 flight_last_us;
	__u8   rsvd[20];
};
_Static_assert(sizeof(struct min_tcp) == 192, "min_tcp");

#define TOE_MT_TSTAMP		0x01
#define TOE_MT_SACK		0x02
#define TOE_MT_ECN		0x04
#define TOE_MT_VLAN		0x08
#define TOE_MT_KEEPALIVE	0x10
#define TOE_MT_NODELAY		0x20	/* the host did Nagle; the card sends what it gets */
#define TOE_MT_ACK_OWED		0x40	/* something was received that wasn't acknowledged yet */

#define TOE_MANNER_KEEP_CWND	0x01	/* no restart after idle, RFC 5681 4.1 */

enum {
	TOE_CONG_RENO	= 0,
	TOE_CONG_CUBIC	= 1,
};

/*
 * The state block of a connection in host memory, 64-byte aligned.  Its address and
 * size are given with TOE_CMD_COMMIT.  @state is the host's until COMMIT and after
 * RECALLED, else the card's; @stats is the card's to write.  A host of minor 0 gives
 * no size and has TOE_CONN_BLOCK_MIN; the card writes no more than that of it.  A card
 * of minor 0 leaves the rest as it is: zero.
 */
#define TOE_CONN_BLOCK_MIN	384
struct toe_conn_block {
	struct min_tcp state;
	struct toe_conn_stats stats;
};
_Static_assert(sizeof(struct toe_conn_block) == 640, "toe_conn_block");

/*
 * TOE commands (TOE SQ).  Those marked (*) are answered by one TOE_CQE_CMD.
 * All commands of a connection go to the SQ of the pair on which its BEGIN was
 * answered; they take effect in ring order.
 *
 *	state		BEGIN	COMMIT	ABORT	SEND CREDIT SET QUERY	RECALL
 *	-		holding
 *	holding		  -	active	free	  -			free, frames go up
 *	active		  -	  -	  -	ok			RECALLED, free
 *
 * «-» and a tid that is free or whose generation is over: the command is
 * dropped, counted, and answered (*) with TOE_ST_NOCONN or TOE_ST_STATE.
 */
enum {
	/* (*) hold this flow's frames from now on.  Answered on the CQ of the
	 * pair that the flow's frames use: all frames delivered before are ahead
	 * of the answer, which carries the tid.
	 */
	TOE_CMD_BEGIN		= 1,
	/* (*) take over with the state block; held frames go through the engine.
	 * The answer precedes their events.  Frames that stood in TX rings when
	 * the card read the command go out before segments of its own.
	 * Answered with an error: the held frames have gone up, the tid is free.
	 */
	TOE_CMD_COMMIT		= 2,
	/* (*) held frames go up, after that the answer; the tid is free. */
	TOE_CMD_ABORT		= 3,
	/* more payload; seq continues what was sent before */
	TOE_CMD_SEND		= 4,
	/* the right edge of what may be received */
	TOE_CMD_CREDIT		= 5,
	/* stop; answered by TOE_CQE_RECALLED, after which nothing of the
	 * connection's host memory is touched and its frames go up
	 */
	TOE_CMD_RECALL		= 6,
	/* (*) change parameters in mid-life */
	TOE_CMD_SET_PARAMS	= 7,
	/* (*) bring the state block's statistics up to date */
	TOE_CMD_QUERY		= 8,
};

#define TOE_SEND_FRAGS		3
#define TOE_SEND_PUSH		0x01	/* last byte ends a write */
#define TOE_SEND_CREDIT		0x02	/* @edge is valid */
#define TOE_SEND_SENT		0x04	/* was on the wire before COMMIT */
#define TOE_SEND_EOR		0x08	/* last byte ends a record, and its segment: hw.rst */
#define TOE_CMD_RECALL_ABORT	0x01	/* RECALL, flags: no need to hurry the queues out */

struct toe_cmd_begin {
	__u8   laddr[16];
	__u8   raddr[16];
	__be16 lport;
	__be16 rport;
	__u8   family;		/* 4 or 6 */
	__u8   rsvd[3];
	__le32 host_id;		/* socket layer connection identifier, echoed */
};

struct toe_cmd_commit {
	__le64 block_addr;	/* struct toe_conn_block */
	__le32 host_id;
	__le32 block_bytes;	/* of it, 0: TOE_CONN_BLOCK_MIN */
};

struct toe_cmd_send {
	__le32 seq;		/* of the first byte */
	__le32 edge;		/* as in CREDIT, with TOE_SEND_CREDIT */
	__le32 nfrags;		/* 1..TOE_SEND_FRAGS */
	__le32 rsvd;
	__le64 addr[TOE_SEND_FRAGS];
	__le32 len[TOE_SEND_FRAGS];
};

struct toe_cmd_credit {
	__le32 edge;		/* right edge: rcv_nxt + window, never moves left */
};

struct toe_cmd_set_params {
	__le32 mask;		/* TOE_SET_*: which fields count */
	__le32 keep_idle_ms;
	__le32 keep_intvl_ms;
	__le32 keep_probes;
	__le32 user_timeout_ms;
	__le16 mss;
	__u8   ttl;
	__u8   tos;
	__u8   rmac[6];
	__u8   retries;		/* as in struct min_tcp, with TOE_SET_MANNER */
	__u8   manner;
	__le32 keepalive;	/* 0 off, 1 on */
	__le32 quickack;	/* n: acknowledge the next n segments at once */
};
#define TOE_SET_KEEPALIVE	0x01
#define TOE_SET_USER_TIMEOUT	0x02
#define TOE_SET_MSS		0x04	/* smaller only */
#define TOE_SET_TTL		0x08
#define TOE_SET_TOS		0x10
#define TOE_SET_RMAC		0x20
#define TOE_SET_QUICKACK	0x40
#define TOE_SET_MANNER		0x80	/* only with TOE_CAP_TOE_MANNER */

struct toe_cmd {
	__u8   op;		/* TOE_CMD_* */
	__u8   flags;
	__le16 cookie;		/* echoed in TOE_CQE_CMD */
	__le32 tid;		/* 0 with BEGIN */
	union {
		struct toe_cmd_begin begin;
		struct toe_cmd_commit commit;
		struct toe_cmd_send send;
		struct toe_cmd_credit credit;
		struct toe_cmd_set_params set;
		__u8 raw[56];
	};
};
_Static_assert(sizeof(struct toe_cmd) == 64, "toe_cmd");

/*
 * tid: the hardware connection identifier (HW_CONNID).  Low 20 bits index the
 * card's contexts, the rest is a generation, so that a late command or event
 * never hits a successor.  Zero is never a tid.  The card uses an index again, with
 * another generation, once it has posted the last word of the one before; the host may
 * read the two in any order if they stand on different rings, so the whole tid is the key.
 */
#define TOE_TID_INDEX		0x000fffff
#define TOE_TID_GEN		0xfff00000

/* Completion entries. */
enum {
	TOE_CQE_CMD		= 1,	/* answer to a command */
	TOE_CQE_RX		= 2,	/* a frame, or a part of one */
	TOE_CQE_TX		= 3,	/* TX slots done */
	TOE_CQE_DATA		= 4,	/* payload placed, in order */
	TOE_CQE_ACKED		= 5,	/* snd_una or the peer's window moved */
	/* FIN, RST or another reason not to go on was seen; of a context that holds: the
	 * hold is over, its frames have gone up, the tid is free
	 */
	TOE_CQE_CLOSING		= 6,
	TOE_CQE_RECALLED	= 7,	/* final; the state block holds MIN_TCP_T */
	TOE_CQE_ERROR		= 8,	/* a command was malformed; nothing else happened */
	TOE_CQE_LINK		= 9,	/* admin CQ: STATUS.LINK changed */
	/* As RX (hash, vlan_tci: 0), of a frame that a connection has sent or
	 * taken in; for taps.  In the order of the card's work, before RECALLED.
	 * Whoever would have to wait for it goes first: a copy is rather dropped
	 * than made with less than half of the RX buffers left.
	 */
	TOE_CQE_MIRROR		= 10,
};

struct toe_cqe_cmd {
	__le16 cookie;
	__u8   op;
	__u8   status;		/* TOE_ST_* */
	__le32 tid;
	__le32 host_id;
};

struct toe_cqe_rx {
	__le32 buf_id;
	__le32 len;		/* bytes in this buffer */
	__le32 hash;
	__le32 tid;		/* last tid of a flow recalled for this frame, else 0 */
	__le16 vlan_tci;
};
#define TOE_RX_EOP		0x01	/* cqe.flags: last buffer of the frame */
#define TOE_RX_CSUM_OK		0x02	/* IPv4 header (if any) and TCP/UDP checksums verified */
#define TOE_RX_VLAN		0x04	/* vlan_tci was stripped */
#define TOE_RX_HASH_L4		0x08	/* hash covers the ports */
#define TOE_RX_HASH		0x10
#define TOE_RX_SENT		0x20	/* MIRROR: sent; else received */

struct toe_cqe_tx {
	__le32 cons;		/* TX index up to which the card is done with the memory */
};

struct toe_cqe_data {
	__le32 tid;
	__le32 host_id;
	__le32 buf_id;
	__le32 offset;		/* into the RQ buffer */
	__le32 len;
	__le32 seq;		/* of the first byte; continues the previous DATA */
};
#define TOE_DATA_PUSH		0x01	/* PSH was seen */
#define TOE_DATA_BUF_DONE	0x02	/* the card is finished with the buffer */
/* len 0 with BUF_DONE: the card gives a buffer back without more payload (tid 0) */

struct toe_cqe_acked {
	__le32 tid;
	__le32 host_id;
	__le32 snd_una;
	__le32 snd_wnd;		/* bytes, scaled up */
	__le32 srtt_us;
};

struct toe_cqe_closing {
	__le32 tid;
	__le32 host_id;
	__le32 reason;		/* TOE_REASON_* */
};

struct toe_cqe_recalled {
	__le32 tid;
	__le32 host_id;
	__le32 reason;
};

struct toe_cqe_error {
	__le32 tid;
	__le32 reason;		/* TOE_ST_* */
};

struct toe_cqe {
	__u8   type;		/* TOE_CQE_* */
	__u8   flags;
	__le16 rsvd;
	union {
		struct toe_cqe_cmd cmd;
		struct toe_cqe_rx rx;
		struct toe_cqe_tx tx;
		struct toe_cqe_data data;
		struct toe_cqe_acked acked;
		struct toe_cqe_closing closing;
		struct toe_cqe_recalled recalled;
		struct toe_cqe_error error;
		__u8 raw[24];
	};
	__u8   rsvd1[3];
	__u8   phase;		/* TOE_CQE_PHASE, stored last */
};
_Static_assert(sizeof(struct toe_cqe) == 32, "toe_cqe");
#define TOE_CQE_PHASE		0x01

/* Status of a command. */
enum {
	TOE_ST_OK = 0,
	TOE_ST_INVAL,		/* malformed */
	TOE_ST_NOCONN,		/* no such tid */
	TOE_ST_STATE,		/* not in this state */
	TOE_ST_NOMEM,		/* no free context, or pool exhausted */
	TOE_ST_EXIST,		/* the flow has a context already */
	TOE_ST_DMA,		/* host memory could not be reached */
	TOE_ST_NOTSUP,
};

/* Why the card gives a connection back (CLOSING, RECALLED). */
enum {
	TOE_REASON_HOST = 0,	/* the host asked */
	TOE_REASON_FIN,		/* the frame follows the RECALLED */
	TOE_REASON_RST,
	TOE_REASON_SYN,
	TOE_REASON_URG,
	TOE_REASON_OPTION,	/* IP or TCP option the engine can't do */
	TOE_REASON_FRAGMENT,	/* IP fragment of the flow */
	TOE_REASON_TIMEOUT,	/* retransmissions, probes, keepalive unanswered: host decides */
	TOE_REASON_NOMEM,	/* the card ran out of a resource */
	TOE_REASON_ICMP,
	TOE_REASON_DMA,
	TOE_REASONS
};

#endif /* TOE_HW_H */
