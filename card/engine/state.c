/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * A connection's state from and to the host (MIN_TCP_T), and the host's wishes
 * in mid-life.  All of it is untrusted.
 */
#include <string.h>
#include "conn.h"

#define KNOWN_FLAGS	(TOE_MT_TSTAMP | TOE_MT_SACK | TOE_MT_ECN | TOE_MT_VLAN | \
			 TOE_MT_KEEPALIVE | TOE_MT_NODELAY | TOE_MT_ACK_OWED)

static bool consistent(const struct min_tcp *st)
{
	uint32_t una = te_le32(st->snd_una);
	uint32_t flight = te_le32(st->snd_max) - una;
	uint32_t adv = te_le32(st->rcv_adv) - te_le32(st->rcv_nxt);

	if (st->family != 4 && st->family != 6)
		return false;
	if (st->flags & ~KNOWN_FLAGS || st->cong > TOE_CONG_CUBIC)
		return false;
	if (st->manner & ~TOE_MANNER_KEEP_CWND)
		return false;
	if (st->snd_wscale > 14 || st->rcv_wscale > 14)
		return false;
	if (te_le16(st->mss) < TE_MSS_MIN)
		return false;
	if (flight > TE_WND_MAX || te_le32(st->snd_nxt) - una > flight)
		return false;
	if (te_le32(st->snd_wnd) > TE_WND_MAX || te_le32(st->max_window) > TE_WND_MAX)
		return false;
	return adv <= TE_WND_MAX;
}

static void import_send(struct te_conn *c, const struct min_tcp *st)
{
	c->snd_una = te_le32(st->snd_una);
	c->snd_max = te_le32(st->snd_max);
	c->snd_wnd = te_le32(st->snd_wnd);
	c->snd_wl1 = te_le32(st->snd_wl1);
	c->max_window = te_max(te_le32(st->max_window), c->snd_wnd);
	c->snd_wscale = st->snd_wscale;
	c->mss = te_le16(st->mss);
	c->posted = c->snd_una;
	c->high_seq = c->snd_una;

	c->cong = st->cong;
	c->reordering = (uint8_t)te_max(st->reordering, TE_DUPTHRESH);
	c->rack.reord_seen = c->reordering > TE_DUPTHRESH;
	c->rack.reo_mult = 1;
	c->snd_ssthresh = te_le32(st->snd_ssthresh);
	if (!c->snd_ssthresh)
		c->snd_ssthresh = TE_SSTHRESH_INF;
	c->snd_cwnd = te_le32(st->snd_cwnd);
	if (!c->snd_cwnd)
		c->snd_cwnd = TE_INIT_SEGS * (uint32_t)c->mss;
	c->snd_cwnd = te_min(te_max(c->snd_cwnd, c->mss), TE_WND_MAX);
	te_cong_reset(c);
}

static void import_receive(struct te_conn *c, const struct min_tcp *st, te_time now)
{
	c->rcv_nxt = te_le32(st->rcv_nxt);
	c->rcv_adv = te_le32(st->rcv_adv);
	c->rcv_credit = c->rcv_adv;
	c->rcv_wire = c->rcv_adv;
	c->rcv_acked = c->rcv_nxt;
	c->rcv_wscale = st->rcv_wscale;
	c->rcv_mss = te_le16(st->rcv_mss);
	if (!c->rcv_mss)
		c->rcv_mss = (uint16_t)te_min(c->mss, 536);
	c->quickack = TE_QUICKACKS;
	c->ts_recent = te_le32(st->ts_recent);
	c->ts_recent_at = now - te_le32(st->ts_recent_age_ms) * TE_MSEC;
	c->ts_off = te_le32(st->ts_val) - (uint32_t)(now / TE_MSEC);
}

/* How long the timer's earlier rounds took, from what is left of the present. */
static te_time stalled_us(const struct te_conn *c, te_time left)
{
	te_time us = 0;

	for (uint32_t i = 0; i <= c->backoff; i++) {
		te_time round = (te_time)c->rto_us << i;

		us += round < TE_RTO_MAX_US ? round : TE_RTO_MAX_US;
	}
	return us > left ? us - left : 0;
}

static void import_timers(struct te_conn *c, const struct min_tcp *st, te_time now)
{
	te_time left = te_min(te_le32(st->rto_left_us), TE_RTO_MAX_US);
	uint32_t rto = te_le32(st->rto_us);

	c->srtt8_us = te_min(te_le32(st->srtt_us), TE_RTO_MAX_US) * 8;
	c->rttvar4_us = te_min(te_le32(st->rttvar_us), TE_RTO_MAX_US) * 4;
	c->min_rtt_us = te_le32(st->min_rtt_us);
	if (c->min_rtt_us > TE_RTO_MAX_US)	/* Linux: all ones, none yet */
		c->min_rtt_us = 0;
	c->rto_us = rto ? te_min(te_max(rto, TE_RTO_MIN_US), TE_RTO_MAX_US)
			: (uint32_t)TE_RTO_INIT_US;
	c->backoff = (uint8_t)te_min(st->backoff, TE_RETRIES);
	c->probes = st->probes;

	c->rtx_at = TE_NEVER;
	c->rack_at = TE_NEVER;
	c->min_rtt_at_us = (uint32_t)now;
	c->ack_at = st->flags & TOE_MT_ACK_OWED ? now + TE_DELACK_US : TE_NEVER;
	c->drain_at = TE_NEVER;
	c->last_rcv = now - te_le32(st->idle_ms) * TE_MSEC;
	c->last_data_us = (uint32_t)c->last_rcv;
	c->last_snd = c->last_rcv;
	c->oow_us = (uint32_t)(now - TE_OOW_ACK_US);
	c->pace_us = (uint32_t)now;
	c->stall_at = now;

	if (te_flight(c)) {
		c->retries = c->backoff;
		if (!left)
			left = te_rto_us(c);
		c->stall_at = now - stalled_us(c, left);
		c->rtx_at = now + left;
	} else if (left) {
		c->persist = true;
		c->stall_at = now - stalled_us(c, left);
		c->rtx_at = now + left;
	}
	te_timer_keepalive(c, now);
}

static void set_keepalive(struct te_conn *c, uint32_t idle_ms, uint32_t intvl_ms, uint32_t probes)
{
	c->keep_idle_ms = idle_ms;
	c->keep_intvl_ms = intvl_ms ? intvl_ms : 75000;
	c->keep_probes = probes ? te_min(probes, UINT8_MAX) : 9;
}

/*
 * What is in flight is one run; after a go-back the part from snd_nxt is lost.  With the
 * host's times it can be lost to what arrives later, and probed for; without them it may
 * have been sent twice, so that nothing that arrives says which.
 */
static void import_flight(struct te_engine *e, struct te_conn *c, const struct min_tcp *st,
			  te_time now)
{
	uint32_t first = te_le32(st->flight_us), last = te_le32(st->flight_last_us);
	uint32_t snd_nxt = te_le32(st->snd_nxt);
	uint32_t end = c->snd_max;
	struct te_run *r;

	if (!te_flight(c))
		return;
	c->snd_max = c->snd_una;
	te_runs_append(e, c, end - c->snd_una, now);	/* the first: always inline */
	c->max_flight = te_flight(c);
	r = c->run_head;
	r->flags = TE_RUN_EVER;
	if (snd_nxt == end) {
		if (!first || first > TE_RTO_MAX_US || last > first)
			return;
		r->flags = TE_RUN_ROUGH;
		r->sent_us = (uint32_t)(now - first);
		c->last_snd = now - last;
		te_tlp_arm(c, c->last_snd);
		return;
	}
	if (snd_nxt != c->snd_una)
		r = te_runs_split(e, c, r, snd_nxt);
	te_runs_mark(c, r, TE_RUN_EVER | TE_RUN_LOST);
	c->ca_state = TOE_CA_LOSS;
	c->high_seq = end;
}

/**
 * te_import() - take a connection over
 * @e: the engine
 * @c: te_conn_bytes() of memory
 * @st: its state, little endian, untrusted
 * @now: time
 *
 * Nothing is posted yet: the host posts from snd_una on, what was sent before
 * included.  The receive credit is what was advertised.
 *
 * Return: 0, or -1: the state is inconsistent, @c is not to be used.
 */
int te_import(struct te_engine *e, struct te_conn *c, const struct min_tcp *st, te_time now)
{
	if (!consistent(st))
		return -1;
	memset(c, 0, sizeof(*c));
	c->origin = *st;
	c->flags = st->flags & (uint8_t)~TOE_MT_ACK_OWED;
	c->paced = e->pacing;
	c->run_mask = (1u << TE_INLINE_RUNS) - 1;
	import_send(c, st);
	import_receive(c, st, now);
	c->user_timeout_ms = te_le32(st->user_timeout_ms);
	set_keepalive(c, te_le32(st->keep_idle_ms), te_le32(st->keep_intvl_ms),
		      te_le32(st->keep_probes));
	import_timers(c, st, now);
	import_flight(e, c, st, now);
	return 0;
}

static uint32_t left_us(te_time at, te_time now)
{
	if (at == TE_NEVER)
		return 0;
	return at > now ? (uint32_t)(at - now) : 1;
}

static uint32_t ms32(te_time us)
{
	te_time ms = us / TE_MSEC;

	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* Was nothing of what is in flight sent twice? */
static bool sent_once(const struct te_conn *c)
{
	for (const struct te_run *r = c->run_head; r; r = r->next)
		if (r->flags & TE_RUN_EVER)
			return false;
	return c->run_head;
}

/* The first byte that is known to be lost and wasn't sent again. */
static uint32_t next_to_send(const struct te_conn *c)
{
	for (const struct te_run *r = c->run_head; r; r = r->next)
		if ((r->flags & (TE_RUN_LOST | TE_RUN_RETRANS)) == TE_RUN_LOST)
			return r->seq;
	return c->snd_max;
}

/**
 * te_export() - the inverse of te_import()
 * @c: connection; stays as it is
 * @st: written whole, little endian
 * @now: time
 */
void te_export(const struct te_conn *c, struct min_tcp *st, te_time now)
{
	*st = c->origin;
	st->flags = c->flags;
	if (c->ack_now || c->ack_at != TE_NEVER)
		st->flags |= TOE_MT_ACK_OWED;
	st->mss = te_le16(c->mss);
	st->snd_una = te_le32(c->snd_una);
	st->snd_nxt = te_le32(c->ca_state == TOE_CA_LOSS ? next_to_send(c) : c->snd_max);
	st->snd_max = te_le32(c->snd_max);
	st->snd_wnd = te_le32(c->snd_wnd);
	st->snd_wl1 = te_le32(c->snd_wl1);
	st->max_window = te_le32(c->max_window);
	st->rcv_nxt = te_le32(c->rcv_nxt);
	st->rcv_adv = te_le32(c->rcv_adv);
	st->rcv_mss = te_le16(c->rcv_mss);
	st->ts_val = te_le32(te_tsval(c, now));
	st->ts_recent = te_le32(c->ts_recent);
	st->ts_recent_age_ms = te_le32(ms32(now - c->ts_recent_at));
	st->srtt_us = te_le32(c->srtt8_us >> 3);
	st->rttvar_us = te_le32(c->rttvar4_us >> 2);
	st->min_rtt_us = te_le32(c->min_rtt_us);
	st->rto_us = te_le32(c->rto_us);
	st->rto_left_us = te_le32(left_us(c->rtx_at, now));
	st->backoff = c->backoff;
	st->probes = c->probes;
	st->cong = c->cong;
	st->reordering = c->reordering;
	/* in recovery cwnd is only the next step towards ssthresh */
	st->snd_cwnd = te_le32(c->ca_state == TOE_CA_RECOVERY ? c->snd_ssthresh : c->snd_cwnd);
	st->snd_ssthresh = te_le32(c->snd_ssthresh);
	st->keep_idle_ms = te_le32(c->keep_idle_ms);
	st->keep_intvl_ms = te_le32(c->keep_intvl_ms);
	st->keep_probes = te_le32(c->keep_probes);
	st->user_timeout_ms = te_le32(c->user_timeout_ms);
	st->idle_ms = te_le32(ms32(now - c->last_rcv));
	st->flight_us = 0;
	st->flight_last_us = 0;
	if (sent_once(c)) {
		st->flight_us = te_le32((uint32_t)now - c->run_head->sent_us);
		st->flight_last_us = te_le32((uint32_t)(now - c->last_snd));
	}
}

/**
 * te_release() - give all memory of the pool back
 * @e: the engine
 * @c: connection, not to be used afterwards
 */
void te_release(struct te_engine *e, struct te_conn *c)
{
	te_reass_clear(e, c);
	te_runs_clear(e, c);
}

/**
 * te_post() - the stream may be sent up to here
 * @c: connection
 * @end_seq: behind the last byte that the host holds ready; untrusted
 * @push: that byte ends a write
 * @now: time
 */
void te_post(struct te_conn *c, uint32_t end_seq, bool push, te_time now)
{
	(void)now;
	if (seq_lt(end_seq, c->posted) || end_seq - c->snd_una > 2 * TE_WND_MAX - 1)
		return;
	if (c->posted == c->snd_max && end_seq != c->posted)
		te_rate_waited(c);
	c->posted = end_seq;
	if (push) {
		c->push_seq = end_seq;
		c->pushed = true;
	}
}

/**
 * te_credit() - the host's right edge of the receive window
 * @c: connection
 * @edge: never moves left; untrusted
 * @now: time
 */
void te_credit(struct te_conn *c, uint32_t edge, te_time now)
{
	uint32_t space = edge - c->rcv_nxt;

	(void)now;
	if (seq_le(edge, c->rcv_credit) || space > TE_WND_MAX)
		return;
	c->rcv_credit = edge;
}

/* RFC 8201 and Linux's tcp_simple_retransmit(): what is in flight was too large
 * for the path.  That is no congestion: cwnd stays.
 */
static void set_mss(struct te_conn *c, uint32_t mss)
{
	if (mss < TE_MSS_MIN || mss >= c->mss)
		return;
	c->mss = (uint16_t)mss;
	c->origin.mss = te_le16(c->mss);
	if (!te_flight(c))
		return;
	for (struct te_run *r = c->run_head; r; r = r->next)
		if (!(r->flags & TE_RUN_SACKED))
			te_runs_mark(c, r, TE_RUN_LOST | TE_RUN_EVER);
	if (c->ca_state < TOE_CA_CWR)
		c->snd_ssthresh = te_min(c->snd_ssthresh, te_max(c->snd_cwnd, 2 * mss));
	c->ca_state = TOE_CA_LOSS;
	c->high_seq = c->snd_max;
	c->dupacks = 0;
	c->rtx_force = true;
	c->frto = TE_FRTO_NONE;
	c->undo_on = false;
}

/**
 * te_set_params() - change parameters in mid-life
 * @c: connection
 * @p: little endian, untrusted
 * @now: time
 */
void te_set_params(struct te_conn *c, const struct toe_cmd_set_params *p, te_time now)
{
	uint32_t mask = te_le32(p->mask);

	if (mask & TOE_SET_KEEPALIVE) {
		if (p->keepalive)
			c->flags |= TOE_MT_KEEPALIVE;
		else
			c->flags &= (uint8_t)~TOE_MT_KEEPALIVE;
		set_keepalive(c, te_le32(p->keep_idle_ms), te_le32(p->keep_intvl_ms),
			      te_le32(p->keep_probes));
		te_timer_keepalive(c, now);
	}
	if (mask & TOE_SET_USER_TIMEOUT)
		c->user_timeout_ms = te_le32(p->user_timeout_ms);
	if (mask & TOE_SET_MSS)
		set_mss(c, te_le16(p->mss));
	if (mask & TOE_SET_TTL)
		c->origin.ttl = p->ttl;
	if (mask & TOE_SET_TOS)
		c->origin.tos = p->tos;
	if (mask & TOE_SET_RMAC)
		memcpy(c->origin.rmac, p->rmac, sizeof(p->rmac));
	if (mask & TOE_SET_MANNER) {
		c->origin.retries = p->retries;
		c->origin.manner = p->manner & TOE_MANNER_KEEP_CWND;
	}
	if (mask & TOE_SET_QUICKACK) {
		c->quickack = (uint8_t)te_min(te_le32(p->quickack), UINT8_MAX);
		if (c->quickack && c->rcv_nxt != c->rcv_acked)
			c->ack_now = true;
	}
}
