/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * Private to the engine: one connection, the engine itself, and what the
 * engine's files call of each other.
 */
#ifndef TCP_ENGINE_CONN_H
#define TCP_ENGINE_CONN_H

#include "engine.h"

/* Serial number arithmetic, RFC 9293 3.4. */
static inline bool seq_lt(uint32_t a, uint32_t b) { return (int32_t)(a - b) < 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return (int32_t)(a - b) <= 0; }
static inline bool seq_gt(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }
static inline bool seq_ge(uint32_t a, uint32_t b) { return (int32_t)(a - b) >= 0; }
static inline uint32_t seq_max(uint32_t a, uint32_t b) { return seq_lt(a, b) ? b : a; }

static inline uint32_t te_min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t te_max(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* The ABI is little endian: the only place that knows the host's order. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static inline uint16_t te_le16(uint16_t v) { return __builtin_bswap16(v); }
static inline uint32_t te_le32(uint32_t v) { return __builtin_bswap32(v); }
static inline uint64_t te_le64(uint64_t v) { return __builtin_bswap64(v); }
#else
static inline uint16_t te_le16(uint16_t v) { return v; }
static inline uint32_t te_le32(uint32_t v) { return v; }
static inline uint64_t te_le64(uint64_t v) { return v; }
#endif

#define TE_MSEC			1000ull
#define TE_SEC			1000000ull

#define TE_RTO_MIN_US		(200 * TE_MSEC)		/* Linux; RFC 6298 2.4 says 1 s */
#define TE_RTO_MAX_US		(120 * TE_SEC)
#define TE_RTO_INIT_US		(1 * TE_SEC)		/* RFC 6298 2.1 */
#define TE_DELACK_US		(40 * TE_MSEC)
#define TE_OOW_ACK_US		(100 * TE_MSEC)		/* between answers to segments out of window */
#define TE_DRAIN_US		(5 * TE_MSEC)		/* between tries to place what was refused */
#define TE_PAWS_IDLE_US		(24ull * 86400 * TE_SEC)	/* RFC 7323 5.5 */
#define TE_RETRIES		15			/* Linux tcp_retries2 */
#define TE_DUPTHRESH		3
#define TE_QUICKACKS		16
#define TE_INIT_SEGS		10			/* RFC 6928 */
#define TE_MSS_MIN		64
#define TE_WND_MAX		(1u << 30)		/* RFC 7323 2.3 */
#define TE_SSTHRESH_INF		0xffffffffu
#define TE_REORDER_MAX		127			/* segments; one byte in struct min_tcp */
#define TE_REO_PERSIST		16			/* RFC 8985 6.2 step 4 */
#define TE_PTO_INIT_US		(1 * TE_SEC)		/* RFC 8985 7.2: no round trip known */
#define TE_PTO_DELACK_US	(200 * TE_MSEC)		/* RFC 8985 7.2: WCDelAckT */
#define TE_PTO_SLACK_US		(2 * TE_MSEC)		/* Linux, TCP_TIMEOUT_MIN; for coarse timers */
#define TE_MIN_RTT_US		(300 * TE_SEC)		/* Linux: a shortest round trip is this long good */

#define TE_INLINE_RUNS		3
#define TE_MAX_RUNS		512
#define TE_SACKS		4
#define TE_BLOCK_BYTES		2048

/* struct te_run, flags. */
#define TE_RUN_SACKED		0x01
#define TE_RUN_LOST		0x02
#define TE_RUN_RETRANS		0x04	/* LOST, and sent again since */
#define TE_RUN_EVER		0x08	/* was ever retransmitted: no RTT sample, Karn */
#define TE_RUN_ROUGH		0x10	/* sent by the host, some of it later: none either */
#define TE_RUN_UNTIMED		(TE_RUN_EVER | TE_RUN_ROUGH)

/**
 * struct te_run - a stretch of the sent stream with one fate
 * @next: the following run; it starts where this one ends
 * @seq: first byte
 * @sent_us: low 32 bits of the time it was (last) sent
 * @flags: TE_RUN_*
 *
 * The runs of a connection tile [snd_una, snd_max) without gaps.
 */
struct te_run {
	struct te_run *next;
	uint32_t seq;
	uint32_t sent_us;
	uint8_t flags;
};

/**
 * struct te_block - out-of-order payload
 * @next: in sequence order; blocks never overlap
 * @seq: first byte that is still wanted
 * @off: where it lies in @data
 * @len: bytes from there
 * @push: PSH was seen on it
 * @data: payload
 */
struct te_block {
	struct te_block *next;
	uint32_t seq;
	uint16_t off;
	uint16_t len;
	bool push;
	uint8_t data[];
};
#define TE_BLOCK_DATA		((uint32_t)(TE_BLOCK_BYTES - sizeof(struct te_block)))

struct te_range {
	uint32_t start;
	uint32_t end;
};

/**
 * struct te_opts - what the engine uses of a segment's options
 * @tsval: RFC 7323, valid with @has_ts
 * @tsecr: likewise
 * @has_ts: a timestamp option of the right size was there
 * @refuse: authenticated segment (MD5, AO) without a key of ours: to be dropped
 * @nsack: entries in @sack
 * @sack: RFC 2018 blocks, not yet checked
 */
struct te_opts {
	uint32_t tsval;
	uint32_t tsecr;
	bool has_ts;
	bool refuse;
	uint8_t nsack;
	struct te_range sack[TE_SACKS];
};

/**
 * struct te_cubic - state of RFC 9438
 * @epoch: start of the current avoidance stage, 0: none
 * @w_max: window before the last reduction, bytes
 * @w_est: what Reno would have, bytes
 * @cwnd_prior: window at the last reduction, bytes
 * @k_ms: time from the epoch's start until @origin is reached
 * @origin: plateau of the current epoch, bytes
 */
struct te_cubic {
	te_time epoch;
	uint32_t w_max;
	uint32_t w_est;
	uint32_t cwnd_prior;
	uint32_t k_ms;
	uint32_t origin;
};

/**
 * struct te_hystart - state of RFC 9406, HyStart++
 * @window_end: the round lasts until this byte is acknowledged
 * @last_us: shortest round trip of the round before, 0: none
 * @now_us: of the present round, 0: none
 * @base_us: of the round in which conservative slow start began, 0: not in it
 * @samples: in the present round
 * @rounds: of conservative slow start
 * @rest: bytes acknowledged that its divisor has left over
 */
struct te_hystart {
	uint32_t window_end;
	uint32_t last_us;
	uint32_t now_us;
	uint32_t base_us;
	uint8_t samples;
	uint8_t rounds;
	uint8_t rest;
};

/**
 * struct te_cong - a congestion control, RFC 5681 and its kin
 * @reset: start from nothing: import, a timeout, or the window was restarted
 * @slow: @acked bytes were acknowledged below ssthresh: by how many to grow
 * @avoid: @acked bytes were acknowledged above ssthresh
 * @ssthresh: a loss or a mark (or, if so, a timeout): remember it and say what to
 *	fall back to, bytes
 */
struct te_cong {
	void (*reset)(struct te_conn *c);
	uint32_t (*slow)(struct te_conn *c, uint32_t acked, uint32_t rtt_us);
	void (*avoid)(struct te_conn *c, uint32_t acked, te_time now);
	uint32_t (*ssthresh)(struct te_conn *c, bool timeout);
};

/* Counters that have the same name in struct toe_conn_stats. */
#define TE_COUNTS(X)							\
	X(retrans_segs) X(rto_count) X(fast_retrans) X(ooo_segs)	\
	X(dup_segs) X(paws_drops) X(challenge_acks) X(probes_out)	\
	X(dsack_dups) X(reord_seen) X(in_errs) X(in_ect1) X(in_ect0)	\
	X(in_ce) X(delayed_acks) X(win_probes) X(resent_fast)		\
	X(resent_slow) X(loss_probes) X(probe_recoveries)		\
	X(lost_retrans) X(recovery_fails) X(disorder_fails)		\
	X(loss_fails) X(spurious_rtos) X(full_undos) X(partial_undos)	\
	X(dsack_undos) X(loss_undos) X(renegings) X(sack_discards)	\
	X(dsack_recv) X(dsack_ofo_recv) X(dsack_recv_segs) X(dsack_old)	\
	X(dsack_no_undo) X(dsack_dubious) X(dsack_old_sent)		\
	X(dsack_ofo_sent) X(ofo_merges) X(ofo_drops) X(rcvq_drops)	\
	X(zero_wnd_drops) X(beyond_window) X(syn_challenges)		\
	X(skipped_paws) X(skipped_seq) X(skipped_challenge)		\
	X(to_zero_wnd) X(from_zero_wnd) X(paws_old_acks)		\
	X(rto_episodes) X(rto_time_ms) X(delay_detects) X(delay_cwnd)

/* Counters of a connection: struct toe_conn_stats in host order.  The first
 * line counts segments in the steady state.
 */
struct te_counts {
	uint64_t segs_in, segs_out, data_segs_in, data_segs_out;
	uint64_t bytes_in, bytes_out, bytes_acked, delivered;	/* bytes */
	uint32_t slow_data;	/* segments that are none of hp_hits */
	uint32_t slow_acks;	/* pure_acks */
	uint32_t odd_acks;	/* without payload, that don't count as acknowledgements */
#define X(name) uint32_t name;
	TE_COUNTS(X)
#undef X
	uint64_t bytes_retrans, delivered_ce;			/* bytes */
};

/**
 * struct te_rate - delivery rate, draft-cheng-iccrg-delivery-rate-estimation
 * @delivered: when the sample began, bytes
 * @limit: until so much is delivered the application had no more to send; 0: it had
 * @began_us: when the sample's segment was sent
 * @first_us: when that was sent of which an acknowledgement had told last by then
 * @acked_us: when that had come
 * @end: behind the sample's segment, with rate_open
 * @bytes: the newest sample: delivered
 * @us: in this time, 0: none yet
 * @limited: the sample that is open is the application's
 * @bytes_limited: the newest was
 *
 * The draft takes a sample with every segment, which needs a record of each.  Here it
 * is one at a time, so about one a round trip.
 */
struct te_rate {
	uint64_t delivered;
	uint64_t limit;
	uint32_t began_us;
	uint32_t first_us;
	uint32_t acked_us;
	uint32_t end;
	uint32_t bytes;
	uint32_t us;
	bool limited;
	bool bytes_limited;
};

/* struct te_conn, probe. */
enum {
	TE_PROBE_NONE = 0,
	TE_PROBE_WINDOW,
	TE_PROBE_KEEPALIVE,
	TE_PROBE_TAIL,		/* RFC 8985 7.3 */
};

/* struct te_conn, rack_timer: what rack_at is for. */
enum {
	TE_RACK_OFF = 0,
	TE_RACK_REORDER,	/* RFC 8985 6.2 step 5 */
	TE_RACK_TAIL,		/* RFC 8985 7.2 */
};

/* struct te_conn, tlp: the tail loss probe that is in flight. */
enum {
	TE_TLP_NONE = 0,
	TE_TLP_NEW,
	TE_TLP_RETRANS,
};

/* struct te_conn, frto: RFC 5682, after a retransmission timeout. */
enum {
	TE_FRTO_NONE = 0,
	TE_FRTO_SENT,		/* step 1: the head was sent again */
	TE_FRTO_NEW,		/* step 2b: only new data is sent */
};

/**
 * struct te_rack - what RFC 8985 keeps beside the hot fields rack_*
 * @fack: behind the highest byte SACKed; valid while anything is SACKed
 * @dsack_round: snd_max when reo_mult was raised last
 * @tlp_end: snd_max when the tail loss probe was sent
 * @reo_mult: the reordering window in quarters of the shortest round trip
 * @reo_persist: recoveries until it falls back to one
 * @dsack_wait: until snd_una has reached @dsack_round it isn't raised again
 * @reord_seen: the path was seen to reorder
 */
struct te_rack {
	uint32_t fack;
	uint32_t dsack_round;
	uint32_t tlp_end;
	uint8_t reo_mult;
	uint8_t reo_persist;
	bool dsack_wait;
	bool reord_seen;
};

/**
 * struct te_undo - what a reduction took, to give it back if it was needless
 * @cubic: state before
 * @marker: snd_una when the episode began
 * @end: snd_max from which on no D-SACK of the episode is expected; set when it ends
 * @cwnd: before, bytes
 * @ssthresh: before, bytes
 * @bytes: sent again since and not reported as duplicates
 * @tsval: of the episode's first retransmission, valid with @resent
 * @resent: something was sent again
 * @over: the episode has ended
 */
struct te_undo {
	struct te_cubic cubic;
	uint32_t marker;
	uint32_t end;
	uint32_t cwnd;
	uint32_t ssthresh;
	uint32_t bytes;
	uint32_t tsval;
	bool resent;
	bool over;
};

/**
 * struct te_conn - one connection
 *
 * The first 256 bytes are what in-order data in and new data out touch in the
 * steady state, by cache line: receive, send, timers, the rest.  Behind them lie
 * the counters, the first of which are hot too, then what only losses, congestion
 * avoidance, the host and moves need.
 *
 * Times are 64 bits where they may be far apart.  The 32-bit ones (the low half
 * of the time) are compared only with what is at most some seconds away, or a
 * wrong answer does no harm.
 */
struct te_conn {
	/* receiving */
	uint32_t rcv_nxt;
	uint32_t rcv_adv;	/* rightmost edge ever advertised */
	uint32_t rcv_credit;	/* the host's edge, >= rcv_adv */
	uint32_t rcv_wire;	/* edge as the last window field said; rounding may put it left of rcv_adv */
	uint32_t rcv_acked;	/* last acknowledgement sent, RFC 7323 Last.ACK.sent */
	uint32_t ts_recent;
	uint32_t ts_off;	/* TSval = now in ms + this */
	te_time ts_recent_at;
	uint32_t last_data_us;	/* payload received; wraps: a quick ACK too many or too few */
	uint32_t user_timeout_ms;
	uint32_t min_rtt_at_us;	/* when min_rtt_us was measured; wraps: measured anew too late */
	uint16_t mss;		/* payload of a segment sent, without SACK blocks */
	uint16_t rcv_mss;
	uint8_t flags;		/* TOE_MT_* */
	uint8_t snd_wscale;
	uint8_t rcv_wscale;
	uint8_t quickack;	/* segments still to be acknowledged at once */
	uint8_t dup_acks;	/* duplicates still to be sent, without SACK only */
	bool ack_now;
	uint8_t nsacks;		/* entries in rcv_sack */
	bool dsack;		/* rcv_dsack is to be reported */

	/* sending */
	uint32_t snd_una;
	uint32_t snd_max;
	uint32_t snd_wnd;	/* bytes */
	uint32_t snd_wl1;
	uint32_t posted;	/* the host's stream may be sent up to here */
	uint32_t push_seq;	/* end of the last push */
	uint32_t snd_cwnd;	/* bytes */
	uint32_t snd_ssthresh;	/* bytes */
	uint32_t sacked;	/* bytes in runs with TE_RUN_SACKED, and so on */
	uint32_t lost;
	uint32_t retrans;
	uint32_t high_seq;	/* CWR, RECOVERY, LOSS last until snd_una reaches it */
	struct te_run *run_head;
	struct te_run *run_tail;

	/* timers, TE_NEVER: not armed */
	te_time rtx_at;		/* retransmission, or persist */
	te_time rack_at;	/* reordering, or tail loss probe: rack_timer */
	te_time ack_at;		/* delayed acknowledgement */
	te_time last_rcv;	/* any acceptable segment */
	te_time last_snd;	/* payload sent */
	te_time stall_at;	/* since when nothing was acknowledged; user timeout */
	uint32_t srtt8_us;	/* 8 * SRTT; 0: no sample */
	uint32_t rttvar4_us;	/* 4 * RTTVAR */
	uint32_t min_rtt_us;
	uint32_t rto_us;	/* without backoff */

	/* the rest */
	struct te_block *ooo_head;
	uint32_t max_window;	/* bytes */
	uint32_t cwnd_count;	/* bytes acknowledged towards the next step */
	uint32_t cwnd_mark;	/* end of the window in which max_flight was seen */
	uint32_t max_flight;	/* bytes */
	uint32_t rack_us;	/* RFC 8985: what was sent last of what has arrived, low bits */
	uint32_t rack_end;	/* behind its last byte */
	uint32_t rack_rtt_us;	/* 0: nothing has arrived yet */
	uint32_t sml_end;	/* behind the last small segment sent, with sml */
	uint32_t pace_us;	/* when what was sent is due at the latest; reset when idle */
	uint16_t dupacks;
	uint8_t reordering;
	uint8_t ca_state;	/* TOE_CA_* */
	uint8_t cong;		/* TOE_CONG_* */
	uint8_t backoff;
	uint8_t retries;	/* retransmission timeouts without progress */
	uint8_t probes;		/* unanswered */
	uint8_t probe;		/* TE_PROBE_* to be sent */
	uint8_t rack_timer;	/* TE_RACK_* */
	uint8_t tlp;		/* TE_TLP_* */
	uint8_t frto;		/* TE_FRTO_* */
	uint8_t run_mask;	/* free entries of run_inline */
	uint8_t leave;		/* 1 + TOE_REASON_*, 0: stay */
	bool persist;		/* rtx_at is the persist timer's */
	bool sml;		/* sml_end is valid, RFC 9293 3.7.4 as Minshall has it */
	bool cwnd_limited;
	bool undo_on;		/* undo is valid */
	bool pushed : 1;	/* push_seq is valid */
	bool rtx_force : 1;	/* next retransmission regardless of cwnd */
	bool sws_force : 1;	/* next new segment however small */
	bool cwr_due : 1;	/* CWR goes with the next new data */
	bool ecn_echo : 1;	/* CE seen, CWR not yet */
	bool reno_hold : 1;	/* RFC 6582 4.1: old duplicates may come */
	bool paced : 1;
	bool pace_wait : 1;	/* nothing goes before te_pace_deadline() */
	bool rate_open : 1;	/* a sample of the rate is under way */

	struct te_counts n;
	/* as hot as those above */
	_Alignas(64) struct te_rate rate;
	struct te_run run_inline[TE_INLINE_RUNS];

	/* losses and holes */
	te_time keep_at;	/* with TOE_MT_KEEPALIVE only */
	te_time drain_at;	/* host refused reassembled data: try again; with ooo_head only */
	struct te_block *ooo_tail;
	uint32_t ooo_blocks;
	uint32_t nruns;		/* of the pool */
	struct te_range rcv_sack[TE_SACKS];	/* newest first */
	struct te_range rcv_dsack;
	struct te_range dsack_last;	/* the peer's; its segment's ack, and the seq behind it */
	uint32_t dsack_ack;
	uint32_t dsack_seq;
	uint32_t oow_us;	/* last answer to a segment out of window; wraps: one too few */
	uint32_t prr_flight;	/* RFC 6937 RecoverFS, bytes */
	uint32_t prr_delivered;	/* bytes since recovery began */
	uint32_t prr_out;	/* bytes sent since */
	struct te_rack rack;
	struct te_cubic cubic;
	struct te_hystart hystart;
	struct te_undo undo;
	te_time rto_at;		/* first timeout in a row, with retries */

	/* the user's */
	uint32_t keep_idle_ms;
	uint32_t keep_intvl_ms;
	uint32_t keep_probes;
	struct min_tcp origin;	/* as imported: addresses and L2 */
};

/* Pointers of 64 bits; with shorter ones everything moves left. */
_Static_assert(sizeof(void *) < 8 || offsetof(struct te_conn, snd_una) == 64, "receiving");
_Static_assert(sizeof(void *) < 8 || offsetof(struct te_conn, rtx_at) == 128, "sending");
_Static_assert(sizeof(void *) < 8 || offsetof(struct te_conn, ooo_head) == 192, "timers");
_Static_assert(offsetof(struct te_conn, n) <= 256, "hot state");

/**
 * struct te_engine - shared by all connections
 * @ops: callbacks
 * @ctx: their first argument
 * @blocks: free out-of-order blocks
 * @block_new: never used yet, up to @block_end
 * @block_end: end of the blocks' part of the pool
 * @runs: free scoreboard runs
 * @run_new: never used yet, up to @run_end
 * @run_end: end of the runs' part
 * @conn_blocks: the most blocks one connection may hold
 * @conn_runs: likewise runs
 * @blocks_used: now in use
 * @runs_used: likewise
 * @rng: xorshift state
 * @pacing: connections pace what they send
 */
struct te_engine {
	const struct te_ops *ops;
	void *ctx;
	struct te_block *blocks;
	uint8_t *block_new;
	uint8_t *block_end;
	struct te_run *runs;
	uint8_t *run_new;
	uint8_t *run_end;
	uint32_t conn_blocks;
	uint32_t conn_runs;
	uint32_t blocks_used;
	uint32_t runs_used;
	uint64_t rng;
	bool pacing;
};

static inline uint32_t te_tsval(const struct te_conn *c, te_time now)
{
	return (uint32_t)(now / TE_MSEC) + c->ts_off;
}

static inline uint32_t te_flight(const struct te_conn *c)
{
	return c->snd_max - c->snd_una;
}

/* Estimate of the bytes in the network, RFC 6675 4.
 *
 * Without SACK every duplicate acknowledgement stands for a segment that has
 * left: that gives limited transmit (RFC 3042) and the inflation of fast
 * recovery (RFC 5681 3.2) without touching cwnd.
 */
static inline uint32_t te_pipe(const struct te_conn *c)
{
	uint32_t out = te_flight(c) - c->lost - c->sacked;

	if (!(c->flags & TOE_MT_SACK))
		out -= te_min(out, (uint32_t)c->dupacks * c->mss);
	return out + c->retrans;
}

static inline uint32_t te_run_end(const struct te_conn *c, const struct te_run *r)
{
	return r->next ? r->next->seq : c->snd_max;
}

/* Transmissions this close have one time in the scoreboard: 1/16 round trip, us. */
static inline uint32_t te_granule(const struct te_conn *c)
{
	return c->srtt8_us >> 7;
}

static inline bool te_same_time(const struct te_conn *c, uint32_t sent_us, te_time now)
{
	return (uint32_t)now - sent_us <= te_granule(c);
}

static inline void te_leave(struct te_conn *c, unsigned int reason)
{
	c->leave = (uint8_t)(reason + 1);
}

/* pool.c */
struct te_block *te_block_get(struct te_engine *e, struct te_conn *c);
void te_block_put(struct te_engine *e, struct te_conn *c, struct te_block *b);
struct te_run *te_run_get(struct te_engine *e, struct te_conn *c);
void te_run_put(struct te_engine *e, struct te_conn *c, struct te_run *r);

/* options.c */
void te_opts_parse(const struct te_seg *seg, struct te_opts *o);
uint32_t te_opts_sack_bytes(const struct te_conn *c);
void te_opts_build(struct te_conn *c, struct te_out *out, te_time now);

/* runs.c */

/**
 * struct te_acked - what an acknowledgement says
 * @acked: bytes that snd_una has moved
 * @newly_sacked: bytes above it that weren't known to have arrived
 * @delivered: all bytes that weren't known to have arrived
 * @rtt_us: round trip of the oldest byte newly acknowledged, valid with @sampled
 * @last_rtt_us: of the newest
 * @sack_rtt_us: of the oldest byte newly SACKed, 0: none
 * @tsecr: timestamp echo, valid with @has_ts
 * @tsnow: what TSval would be now
 * @fack: behind the highest byte SACKed before, valid with @sacked
 * @dsack_end: behind the range reported as duplicate, valid with @dsack
 * @has_ts: the segment has a timestamp that counts
 * @sacked: something was SACKed before
 * @sampled: something was acknowledged that was sent once
 * @ambiguous: something was acknowledged that was retransmitted
 * @orig: something arrived that was sent once, before the present episode
 * @same: nothing that could be new, and no data
 * @dup: that with data in flight: a duplicate by RFC 5681 2
 * @reord: it tells of reordering, and that was counted
 * @dsack: it reports a duplicate, RFC 2883
 * @dsack_rack: one that tells of a needless fast retransmission
 */
struct te_acked {
	uint32_t acked;
	uint32_t newly_sacked;
	uint32_t delivered;
	uint32_t rtt_us;
	uint32_t last_rtt_us;
	uint32_t sack_rtt_us;
	uint32_t tsecr;
	uint32_t tsnow;
	uint32_t fack;
	uint32_t dsack_end;
	bool has_ts;
	bool sacked;
	bool sampled;
	bool ambiguous;
	bool orig;
	bool same;
	bool dup;
	bool reord;
	bool dsack;
	bool dsack_rack;
};

bool te_runs_room(struct te_engine *e, struct te_conn *c);
bool te_runs_append(struct te_engine *e, struct te_conn *c, uint32_t len, te_time now);
struct te_run *te_runs_split(struct te_engine *e, struct te_conn *c, struct te_run *r, uint32_t seq);
void te_runs_mark(struct te_conn *c, struct te_run *r, uint8_t flags);
void te_runs_join(struct te_engine *e, struct te_conn *c, uint8_t mask);
void te_runs_gather(struct te_engine *e, struct te_conn *c, struct te_run *r, uint32_t len);
void te_runs_resend(struct te_engine *e, struct te_conn *c, struct te_run *prev,
		    struct te_run *r, uint32_t len, te_time now);
void te_runs_ack(struct te_engine *e, struct te_conn *c, uint32_t ack, te_time now,
		 struct te_acked *a);
void te_runs_forget(struct te_engine *e, struct te_conn *c);
void te_runs_clear(struct te_engine *e, struct te_conn *c);

/* sack.c */
void te_sack_note(struct te_conn *c, uint32_t start, uint32_t end);
void te_sack_dup(struct te_conn *c, uint32_t start, uint32_t end);
void te_sack_prune(struct te_conn *c);
uint32_t te_sack_in(struct te_engine *e, struct te_conn *c, const struct te_seg *seg,
		    const struct te_opts *o, te_time now, struct te_acked *a);

/* rack.c */
void te_rack_delivered(struct te_conn *c, const struct te_run *r, uint32_t end,
		       bool in_order, te_time now, struct te_acked *a);
void te_rack_adapt(struct te_conn *c);
void te_rack_recovered(struct te_conn *c);
void te_rack_detect(struct te_engine *e, struct te_conn *c, te_time now);
void te_rack_rto(struct te_engine *e, struct te_conn *c, te_time now);

/* tlp.c */
void te_tlp_arm(struct te_conn *c, te_time now);
void te_tlp_fire(struct te_conn *c);
void te_tlp_sent(struct te_conn *c, bool retrans, te_time now);
struct te_run *te_tlp_resend(struct te_engine *e, struct te_conn *c, uint32_t most, te_time now);
bool te_tlp_ack(struct te_conn *c, uint32_t ack, const struct te_acked *a);

/* undo.c */
void te_undo_save(struct te_conn *c);
void te_undo_resent(struct te_conn *c, uint32_t len, te_time now);
void te_undo_dsack(struct te_conn *c, uint32_t start, uint32_t end);
void te_undo_try(struct te_engine *e, struct te_conn *c, const struct te_acked *a,
		 te_time now);
void te_undo_timeout(struct te_engine *e, struct te_conn *c, te_time now);

/* pace.c */
void te_pace_sent(struct te_conn *c, uint32_t len, te_time now);
bool te_pace_waits(struct te_conn *c, te_time now);
te_time te_pace_deadline(const struct te_conn *c);

/* hystart.c */
void te_hystart_reset(struct te_conn *c);
uint32_t te_hystart_acked(struct te_conn *c, uint32_t acked, uint32_t rtt_us);

/* reass.c */
bool te_reass_insert(struct te_engine *e, struct te_conn *c, uint32_t seq,
		     const uint8_t *data, uint32_t len, bool push);
bool te_reass_drain(struct te_engine *e, struct te_conn *c, te_time now);
void te_reass_clear(struct te_engine *e, struct te_conn *c);

/* rtt.c */
void te_rtt_sample(struct te_conn *c, uint32_t rtt_us);
void te_rtt_acked(struct te_conn *c, const struct te_acked *a, te_time now);
uint32_t te_rto_us(const struct te_conn *c);

/* cong.c */
void te_cong_reset(struct te_conn *c);
void te_cong_acked(struct te_conn *c, const struct te_acked *a, te_time now);
void te_cong_reduce(struct te_conn *c, unsigned int ca_state);
void te_cong_idle(struct te_conn *c, te_time now);
void te_cong_sent(struct te_conn *c, bool limited);

/* cubic.c */
extern const struct te_cong te_cong_cubic;

/* recovery.c */
void te_recovery_ack(struct te_engine *e, struct te_conn *c, const struct te_acked *a,
		     te_time now);
void te_recovery_reorder(struct te_engine *e, struct te_conn *c, te_time now);
void te_recovery_rto(struct te_engine *e, struct te_conn *c, te_time now);
void te_recovery_tail(struct te_conn *c);
void te_recovery_ece(struct te_conn *c);

/* rate.c */
void te_rate_open(struct te_conn *c, te_time now);
void te_rate_close(struct te_conn *c, te_time now);
void te_rate_waited(struct te_conn *c);

/* ack.c */
enum te_answer {
	TE_TO_PAWS,		/* an old timestamp */
	TE_TO_SEQ,		/* a sequence number out of the window */
	TE_CHALLENGE,		/* RFC 5961 */
};

unsigned int te_ack_in(struct te_engine *e, struct te_conn *c, const struct te_seg *seg,
		       const struct te_opts *o, te_time now);
void te_ack_data(struct te_conn *c, uint32_t len, bool push, te_time now);
void te_ack_hole(struct te_conn *c);
void te_ack_answer(struct te_conn *c, te_time now, enum te_answer to);
bool te_ack_gain_due(const struct te_conn *c);
uint16_t te_ack_window(struct te_conn *c);

static inline bool te_ack_window_due(const struct te_conn *c)
{
	return c->rcv_credit != c->rcv_adv && te_ack_gain_due(c);
}

/* A segment that acknowledges rcv_nxt is on its way. */
static inline void te_ack_sent(struct te_conn *c)
{
	c->ack_now = false;
	c->ack_at = TE_NEVER;
	c->rcv_acked = c->rcv_nxt;
}

/* timer.c */
void te_timer_rto_over(struct te_conn *c, te_time now);
void te_timer_rto(struct te_conn *c, te_time now);
void te_timer_persist(struct te_conn *c, te_time now);
void te_timer_stop(struct te_conn *c);
void te_timer_keepalive(struct te_conn *c, te_time now);

#endif /* TCP_ENGINE_CONN_H */
