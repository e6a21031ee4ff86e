/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR BSD-3-Clause */
/*
 * The card's ABI: the figures of a connection.  Part of toe_hw.h, which includes it.
 */
#ifndef TOE_HW_STATS_H
#define TOE_HW_STATS_H

#include <linux/types.h>

/**
 * struct toe_conn_stats - the card's figures of one connection since COMMIT
 * @segs_in: segments received
 * @segs_out: segments sent, with pure acknowledgments
 * @data_segs_in: of these, with payload
 * @data_segs_out: of these, with payload
 * @bytes_in: payload placed
 * @bytes_out: payload sent, retransmissions included
 * @bytes_retrans: payload sent again
 * @bytes_acked: payload acknowledged by the peer
 * @retrans_segs: segments sent again
 * @rto_count: retransmission timeouts
 * @fast_retrans: recoveries entered without a timeout
 * @ooo_segs: segments out of order
 * @dup_segs: segments without anything new
 * @paws_drops: dropped for their timestamp, RFC 7323
 * @challenge_acks: RFC 5961
 * @probes_out: window and keepalive probes sent
 * @srtt_us: smoothed round trip
 * @rttvar_us: smoothed variation
 * @min_rtt_us: smallest round trip seen lately
 * @rto_us: retransmission timeout
 * @snd_cwnd: congestion window, bytes
 * @snd_ssthresh: bytes
 * @snd_wnd: bytes
 * @rcv_wnd: bytes advertised last
 * @sacked_out: segments
 * @lost_out: segments deemed lost
 * @retrans_out: retransmitted segments in flight
 * @ca_state: TOE_CA_*
 * @delivered: segments sent for the first time (@data_segs_out - @retrans_segs), less
 *	those of which nothing is known: not acknowledged, not SACKed.  Modulo 2^32:
 *	what was in flight at COMMIT makes it begin below 0
 * @delivered_ce: segments delivered with congestion marks
 * @dsack_dups: duplicates that the peer reported
 * @reord_seen: reordering events
 * @in_errs: segments with a signature (MD5, AO) that was not agreed
 * @backoff: doublings of the timeout
 * @csum_errs: frames of the connection with a bad checksum, dropped
 * @ip_bytes_in: of IP packets, with headers, of @segs_in and @csum_errs
 * @ip_bytes_out: of @segs_out
 * @in_ect1: of @segs_in, with ECN bits 01
 * @in_ect0: 10
 * @in_ce: 11
 * @hp_hits: segments with payload and nothing else that is new but an acknowledgment
 * @hp_acks: segments without payload, and nothing new but an acknowledgment
 * @pure_acks: other segments without payload that acknowledge
 * @delayed_acks: sent because their timer had expired
 * @win_probes: of @probes_out, window probes
 * @resent_fast: of @retrans_segs, in a fast recovery
 * @resent_slow: after a timeout, without the segment that it sent itself
 * @loss_probes: tail loss probes, RFC 8985
 * @probe_recoveries: losses that these have repaired
 * @lost_retrans: retransmissions that were lost too, segments
 * @recovery_fails: timeouts in fast recovery, the first ones in a row
 * @disorder_fails: with holes reported but no recovery
 * @loss_fails: in an earlier timeout's recovery
 * @spurious_rtos: timeouts found needless by F-RTO, RFC 5682
 * @full_undos: recoveries found needless at their end, RFC 3522
 * @partial_undos: before their end
 * @dsack_undos: by D-SACK, RFC 3708
 * @loss_undos: timeouts found needless
 * @renegings: the peer discarded what it had SACKed
 * @sack_discards: blocks out of range
 * @dsack_recv: D-SACKs of what was acknowledged
 * @dsack_ofo_recv: and above that
 * @dsack_recv_segs: segments that these report, without the dubious ones
 * @dsack_old: out of range
 * @dsack_no_undo: with nothing to be undone
 * @dsack_dubious: more than were sent again
 * @dsack_old_sent: D-SACKs sent of what was acknowledged
 * @dsack_ofo_sent: and above that
 * @ofo_merges: segments out of order, wholly there already
 * @ofo_drops: without memory to keep them
 * @rcvq_drops: segments in order, not placed whole for want of a buffer
 * @zero_wnd_drops: segments into a closed window
 * @beyond_window: segments that begin behind the window
 * @syn_challenges: SYNs in mid-life, RFC 5961 4
 * @skipped_paws: answers not given, for the limit of their rate: to old timestamps
 * @skipped_seq: to sequence numbers out of the window
 * @skipped_challenge: challenges
 * @to_zero_wnd: windows that closed
 * @from_zero_wnd: windows that opened again
 * @paws_old_acks: of @paws_drops, acknowledgments overtaken by another
 * @rto_episodes: timeouts without another one before them
 * @rto_time_ms: from these to the next progress, sum
 * @delay_detects: slow start was ended by delay, RFC 9406
 * @delay_cwnd: windows at that time, segments, sum
 * @rate_bytes: newest sample of the delivery rate: bytes delivered
 * @rate_us: in this time
 * @flags: TOE_CS_*
 * @reordering: tolerance, segments
 * @retries: timeouts in a row, now
 * @probes: probes without an answer, now
 * @rcv_mss: the peer's segment size, estimated
 * @in_flight: segments not acknowledged
 * @snd_max: highest byte ever sent + 1
 * @snd_idle_ms: since payload was sent last
 * @rcv_idle_ms: since a segment was received last
 * @rsvd: zero
 *
 * @csum_errs and what follows is new in minor 1.
 *
 * The card writes it to the connection's state block at the latest TOE_STATS_MS
 * after a change, before each TOE_CQE_RECALLED and before the completion of
 * TOE_CMD_QUERY.  Every field is written whole; together they are a snapshot
 * only after QUERY and RECALLED.
 */
struct toe_conn_stats {
	__le64 segs_in;
	__le64 segs_out;
	__le64 data_segs_in;
	__le64 data_segs_out;
	__le64 bytes_in;
	__le64 bytes_out;
	__le64 bytes_retrans;
	__le64 bytes_acked;
	__le32 retrans_segs;
	__le32 rto_count;
	__le32 fast_retrans;
	__le32 ooo_segs;
	__le32 dup_segs;
	__le32 paws_drops;
	__le32 challenge_acks;
	__le32 probes_out;
	__le32 srtt_us;
	__le32 rttvar_us;
	__le32 min_rtt_us;
	__le32 rto_us;
	__le32 snd_cwnd;
	__le32 snd_ssthresh;
	__le32 snd_wnd;
	__le32 rcv_wnd;
	__le32 sacked_out;
	__le32 lost_out;
	__le32 retrans_out;
	__le32 ca_state;
	__le32 delivered;
	__le32 delivered_ce;
	__le32 dsack_dups;
	__le32 reord_seen;
	__le32 in_errs;
	__le32 backoff;
	/* minor 1 */
	__le32 csum_errs;
	__le32 in_ect1;
	__le64 ip_bytes_in;
	__le64 ip_bytes_out;
	/* minor 0 ends here */
	__le32 in_ect0;
	__le32 in_ce;
	__le32 hp_hits;
	__le32 hp_acks;
	__le32 pure_acks;
	__le32 delayed_acks;
	__le32 win_probes;
	__le32 resent_fast;
	__le32 resent_slow;
	__le32 loss_probes;
	__le32 probe_recoveries;
	__le32 lost_retrans;
	__le32 recovery_fails;
	__le32 disorder_fails;
	__le32 loss_fails;
	__le32 spurious_rtos;
	__le32 full_undos;
	__le32 partial_undos;
	__le32 dsack_undos;
	__le32 loss_undos;
	__le32 renegings;
	__le32 sack_discards;
	__le32 dsack_recv;
	__le32 dsack_ofo_recv;
	__le32 dsack_recv_segs;
	__le32 dsack_old;
	__le32 dsack_no_undo;
	__le32 dsack_dubious;
	__le32 dsack_old_sent;
	__le32 dsack_ofo_sent;
	__le32 ofo_merges;
	__le32 ofo_drops;
	__le32 rcvq_drops;
	__le32 zero_wnd_drops;
	__le32 beyond_window;
	__le32 syn_challenges;
	__le32 skipped_paws;
	__le32 skipped_seq;
	__le32 skipped_challenge;
	__le32 to_zero_wnd;
	__le32 from_zero_wnd;
	__le32 paws_old_acks;
	__le32 rto_episodes;
	__le32 rto_time_ms;
	__le32 delay_detects;
	__le32 delay_cwnd;
	__le32 rate_bytes;
	__le32 rate_us;
	__le32 flags;
	__le32 reordering;
	__le32 retries;
	__le32 probes;
	__le32 rcv_mss;
	__le32 in_flight;
	__le32 snd_max;
	__le32 snd_idle_ms;
	__le32 rcv_idle_ms;
	__le32 rsvd[7];
};
_Static_assert(sizeof(struct toe_conn_stats) == 448, "toe_conn_stats");

#define TOE_CS_APP_LIMITED	0x01	/* the sample of the rate is the application's */

#define TOE_STATS_MS	20

enum {
	TOE_CA_OPEN = 0,
	TOE_CA_DISORDER,
	TOE_CA_CWR,
	TOE_CA_RECOVERY,
	TOE_CA_LOSS,
};

#endif /* TOE_HW_STATS_H */
