/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What the outside may read of a connection.
 */
#include <string.h>
#include "conn.h"

static uint32_t segs(const struct te_conn *c, uint64_t bytes)
{
	return te_le32((uint32_t)((bytes + c->mss - 1) / c->mss));
}

static void counts(const struct te_counts *n, struct toe_conn_stats *st)
{
	st->segs_in = te_le64(n->segs_in);
	st->segs_out = te_le64(n->segs_out);
	st->data_segs_in = te_le64(n->data_segs_in);
	st->data_segs_out = te_le64(n->data_segs_out);
	st->bytes_in = te_le64(n->bytes_in);
	st->bytes_out = te_le64(n->bytes_out);
	st->bytes_retrans = te_le64(n->bytes_retrans);
	st->bytes_acked = te_le64(n->bytes_acked);
	st->retrans_segs = te_le32(n->retrans_segs);
	st->rto_count = te_le32(n->rto_count);
	st->fast_retrans = te_le32(n->fast_retrans);
	st->ooo_segs = te_le32(n->ooo_segs);
	st->dup_segs = te_le32(n->dup_segs);
	st->paws_drops = te_le32(n->paws_drops);
	st->challenge_acks = te_le32(n->challenge_acks);
	st->probes_out = te_le32(n->probes_out);
	st->dsack_dups = te_le32(n->dsack_dups);
	st->reord_seen = te_le32(n->reord_seen);
	st->in_errs = te_le32(n->in_errs);
}

/**
 * te_stats() - the card's figures of a connection
 * @c: connection
 * @st: written whole, little endian
 */
void te_stats(const struct te_conn *c, struct toe_conn_stats *st)
{
	memset(st, 0, sizeof(*st));
	counts(&c->n, st);
	st->delivered = segs(c, c->n.delivered);
	st->delivered_ce = segs(c, c->n.delivered_ce);
	st->srtt_us = te_le32(c->srtt8_us >> 3);
	st->rttvar_us = te_le32(c->rttvar4_us >> 2);
	st->min_rtt_us = te_le32(c->min_rtt_us);
	st->rto_us = te_le32(c->rto_us);
	st->snd_cwnd = te_le32(c->snd_cwnd);
	st->snd_ssthresh = te_le32(c->snd_ssthresh);
	st->snd_wnd = te_le32(c->snd_wnd);
	st->rcv_wnd = te_le32(c->rcv_adv - c->rcv_nxt);
	st->sacked_out = segs(c, c->sacked);
	st->lost_out = segs(c, c->lost);
	st->retrans_out = segs(c, c->retrans);
	st->ca_state = te_le32(c->ca_state);
	st->backoff = te_le32(c->backoff);
}

/**
 * te_snd_una() - oldest byte that isn't acknowledged
 * @c: connection
 *
 * Return: its number.
 */
uint32_t te_snd_una(const struct te_conn *c)
{
	return c->snd_una;
}

/**
 * te_snd_max() - highest byte ever sent + 1
 * @c: connection
 *
 * Return: its number.
 */
uint32_t te_snd_max(const struct te_conn *c)
{
	return c->snd_max;
}

/**
 * te_snd_wnd() - the peer's window
 * @c: connection
 *
 * Return: bytes.
 */
uint32_t te_snd_wnd(const struct te_conn *c)
{
	return c->snd_wnd;
}

/**
 * te_rcv_nxt() - next byte to be placed
 * @c: connection
 *
 * Return: its number.
 */
uint32_t te_rcv_nxt(const struct te_conn *c)
{
	return c->rcv_nxt;
}

/**
 * te_srtt_us() - smoothed round trip
 * @c: connection
 *
 * Return: us, 0: no sample yet.
 */
uint32_t te_srtt_us(const struct te_conn *c)
{
	return c->srtt8_us >> 3;
}

/**
 * te_leave_reason() - after TE_EV_LEAVE
 * @c: connection
 *
 * Return: TOE_REASON_*.
 */
uint32_t te_leave_reason(const struct te_conn *c)
{
	return c->leave ? c->leave - 1u : TOE_REASON_HOST;
}
