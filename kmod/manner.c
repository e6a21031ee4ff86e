// SPDX-License-Identifier: GPL-2.0
/*
 * What net.ipv4.tcp_* and the user ask of a connection when nothing moves, and after
 * that.
 *
 * The card sends again a few times by itself.  Who then goes on without an answer gives
 * up, looks for another route, probes for a smaller MTU, chooses another flow label:
 * all that is the stack's, which gets the connection back and keeps it until it has
 * moved again.  Documentation/sysctls.rst tells for each sysctl whose it is.
 */
#include <net/tcp.h>

#include "conn.h"
#include "device.h"

#define TOE_MIN_RTT_WLEN	300	/* s, the engine's own */
#define TOE_DEF_RETRIES2	15	/* of a card that can't be told */

/**
 * toe_manner_foreign() - does a sysctl ask for what the card doesn't do?
 * @net: namespace
 *
 * Context: any.
 */
bool toe_manner_foreign(const struct net *net)
{
	const struct netns_ipv4 *ipv4 = &net->ipv4;
	u8 early = READ_ONCE(ipv4->sysctl_tcp_early_retrans);

	return (early != 3 && early != 4) ||	/* tail loss probes */
	       READ_ONCE(ipv4->sysctl_tcp_recovery) != TCP_RACK_LOSS_DETECTION ||
	       !READ_ONCE(ipv4->sysctl_tcp_dsack) ||
	       !READ_ONCE(ipv4->sysctl_tcp_frto) ||
	       READ_ONCE(ipv4->sysctl_tcp_mtu_probing) > 1 ||
	       READ_ONCE(ipv4->sysctl_tcp_shrink_window) ||
	       READ_ONCE(ipv4->sysctl_tcp_workaround_signed_windows) ||
	       READ_ONCE(ipv4->sysctl_tcp_min_rtt_wlen) != TOE_MIN_RTT_WLEN;
}

/**
 * toe_manner() - how the card is to behave
 * @sk: socket
 * @st: result; the two fields
 *
 * It gives back at the timeout at which the stack would do more than send again:
 * tcp_write_timeout() after tcp_retries1, tcp_retransmit_timer() for a thin stream.
 *
 * Context: any.
 */
void toe_manner(const struct sock *sk, struct min_tcp *st)
{
	const struct netns_ipv4 *ipv4 = &sock_net(sk)->ipv4;
	unsigned int retries;

	retries = min(READ_ONCE(ipv4->sysctl_tcp_retries1),
		      READ_ONCE(ipv4->sysctl_tcp_retries2));
	if (tcp_sk(sk)->thin_lto || READ_ONCE(ipv4->sysctl_tcp_thin_linear_timeouts))
		retries = 0;
	st->retries = min(retries + 1, TOE_DEF_RETRIES2 + 1U);
	st->manner = 0;
	if (!READ_ONCE(ipv4->sysctl_tcp_slow_start_after_idle))
		st->manner |= TOE_MANNER_KEEP_CWND;
}

/**
 * toe_manner_lacks() - can't the card be told of what it has to be told?
 * @sk: socket
 * @tdev: card
 *
 * A card of minor 1 or 0 gives back after 15 retransmissions, and restarts after idle.
 *
 * Context: any.
 */
bool toe_manner_lacks(const struct sock *sk, const struct toe_device *tdev)
{
	const struct netns_ipv4 *ipv4 = &sock_net(sk)->ipv4;

	if (tdev->caps & TOE_CAP_TOE_MANNER)
		return false;
	return READ_ONCE(ipv4->sysctl_tcp_retries2) != TOE_DEF_RETRIES2 ||
	       READ_ONCE(ipv4->sysctl_tcp_mtu_probing) ||
	       READ_ONCE(ipv4->sysctl_tcp_thin_linear_timeouts) ||
	       !READ_ONCE(ipv4->sysctl_tcp_slow_start_after_idle) ||
	       tcp_sk(sk)->thin_lto;
}

/**
 * toe_manner_stalled() - does the stack wait for a peer that doesn't answer?
 * @sk: socket, native
 *
 * Context: any; without the socket's lock the answer may be old.
 */
bool toe_manner_stalled(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return READ_ONCE(icsk->icsk_retransmits) || READ_ONCE(icsk->icsk_probes_out);
}

/**
 * toe_manner_sign() - a number that changes when these sysctls do
 * @net: namespace
 *
 * Context: any.
 */
u64 toe_manner_sign(const struct net *net)
{
	const struct netns_ipv4 *ipv4 = &net->ipv4;

	return toe_manner_foreign(net) |
	       !READ_ONCE(ipv4->sysctl_tcp_slow_start_after_idle) << 1 |
	       !!READ_ONCE(ipv4->sysctl_tcp_thin_linear_timeouts) << 2 |
	       READ_ONCE(ipv4->sysctl_tcp_mtu_probing) << 3 |
	       READ_ONCE(ipv4->sysctl_tcp_retries1) << 8 |
	       READ_ONCE(ipv4->sysctl_tcp_retries2) << 16;
}
