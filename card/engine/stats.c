/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * What the outside may read of a connection.
 */
#include <string.h>
#include "conn.h"

static uint32_t full_segs(const struct te_conn *c, uint64_t bytes)
{
	return (uint32_t)((bytes + c->mss - 1) / c->mss);
}

static uint32_t segs(const struct te_conn *c, uint64_t bytes)
{
	return te_le32(full_segs(c, bytes));
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
	st->hp_hits = te_le32((uint32_t)n->data_segs_in - n->slow_data);
	st->pure_acks = te_le32(n->slow_acks);
	st->hp_acks = te_le32((uint32_t)(n->segs_in - n->data_segs_in) - n->slow_acks -
			      n->odd_acks);
#define X(name) st->name = te_le32(n->name);
	TE_COUNTS(X)
#undef X
}

static uint32_t ms_since(te_time then, te_time now)
{
	return te_le32((uint32_t)((now - then) / TE_MSEC));
}

/* What is a state and no counter: minor 1 of the ABI. */
static void state(const struct te_conn *c, struct toe_conn_stats *st, te_time now)
{
	st->rate_bytes = te_le32(c->rate.bytes);
	st->rate_us = te_le32(c->rate.us);
	st->flags = te_le32(c->rate.bytes_limited ? TOE_CS_APP_LIMITED : 0);
	st->reordering = te_le32(c->reordering);
	st->retries = te_le32(c->retries);
	st->probes = te_le32(c->probes);
	st->rcv_mss = te_le32(c->rcv_mss);
	st->in_flight = segs(c, te_flight(c));
	st->snd_max = te_le32(c->snd_max);
	st->snd_idle_ms = ms_since(c->last_snd, now);
	st->rcv_idle_ms = ms_since(c->last_rcv, now);
	if (c->retries && c->rto_at)
		st->rto_time_ms = te_le32(c->n.rto_time_ms +
					  (uint32_t)((now - c->rto_at) / TE_MSEC));
}

/*
 * What was sent in segments of any size is delivered in as many; only those in
 * flight are counted as if they were full.
 */
static uint32_t delivered(const struct te_conn *c)
{
	return te_le32((uint32_t)c->n.data_segs_out - c->n.retrans_segs -
		       full_segs(c, c->snd_max - c->snd_una - c->sacked));
}

/**
 * te_stats() - the card's figures of a connection
 * @c: connection
 * @st: written whole, little endian
 * @now: time
 */
void te_stats(const struct te_conn *c, struct toe_conn_stats *st, te_time now)
{
	memset(st, 0, sizeof(*st));
	counts(&c->n, st);
	st->delivered = delivered(c);
	st->delivered_ce = segs(c, c->n.delivered_ce);
	st->srtt_us = te_le32(c->srtt8_us >> 3);
	st->rttvar_us = te_le32(c->rttvar4_us >> 2);
	st->min_rtt_us = te_le32(c->min_rtt_us);
	st->rto_us = te_le32(c->rto_us);
	st->snd_cwnd = te_le32(c->snd_cwnd);
	st->snd_ssthresh = te_le32(c->snd_ssthresh);
	st->snd_wnd = te_le32(c->snd_wnd);
	st->rcv_wnd = te_le32(c->rcv_wire - c->rcv_acked);
	st->sacked_out = segs(c, c->sacked);
	st->lost_out = segs(c, c->lost);
	st->retrans_out = segs(c, c->retrans);
	st->ca_state = te_le32(c->ca_state);
	st->backoff = te_le32(c->backoff);
	state(c, st, now);
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
