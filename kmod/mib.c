// SPDX-License-Identifier: GPL-2.0
/*
 * The system's counters: /proc/net/snmp, /proc/net/snmp6 and /proc/net/netstat of the
 * connection's namespace.  What the stack would have counted, had it had the segments.
 * Documentation/statistics.rst names each line.
 */
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "conn.h"
#include "device.h"

/**
 * struct toe_mib - a counter of the card and the one of the system that it moves
 * @offset: of the __le32 in struct toe_conn_stats
 * @mib: LINUX_MIB_*; 0: this kernel doesn't have it
 */
struct toe_mib {
	u16 offset;
	u16 mib;
};

#define TOE_MIB(field, entry) \
	{ offsetof(struct toe_conn_stats, field), LINUX_MIB_##entry }

static const struct toe_mib toe_mibs[] = {
	TOE_MIB(hp_hits,		TCPHPHITS),
	TOE_MIB(hp_acks,		TCPHPACKS),
	TOE_MIB(pure_acks,		TCPPUREACKS),
	TOE_MIB(delayed_acks,		DELAYEDACKS),
	TOE_MIB(dup_segs,		DELAYEDACKLOST),
	TOE_MIB(reord_seen,		TCPSACKREORDER),
	TOE_MIB(renegings,		TCPSACKRENEGING),
	TOE_MIB(full_undos,		TCPFULLUNDO),
	TOE_MIB(partial_undos,		TCPPARTIALUNDO),
	TOE_MIB(dsack_undos,		TCPDSACKUNDO),
	TOE_MIB(loss_undos,		TCPLOSSUNDO),
	TOE_MIB(lost_retrans,		TCPLOSTRETRANSMIT),
	TOE_MIB(loss_fails,		TCPLOSSFAILURES),
	TOE_MIB(resent_fast,		TCPFASTRETRANS),
	TOE_MIB(resent_slow,		TCPSLOWSTARTRETRANS),
	TOE_MIB(rto_count,		TCPTIMEOUTS),
	TOE_MIB(spurious_rtos,		TCPSPURIOUSRTOS),
	TOE_MIB(loss_probes,		TCPLOSSPROBES),
	TOE_MIB(probe_recoveries,	TCPLOSSPROBERECOVERY),
	TOE_MIB(sack_discards,		TCPSACKDISCARD),
	TOE_MIB(dsack_old_sent,		TCPDSACKOLDSENT),
	TOE_MIB(dsack_ofo_sent,		TCPDSACKOFOSENT),
	TOE_MIB(dsack_recv,		TCPDSACKRECV),
	TOE_MIB(dsack_ofo_recv,		TCPDSACKOFORECV),
	TOE_MIB(dsack_recv_segs,	TCPDSACKRECVSEGS),
	TOE_MIB(dsack_old,		TCPDSACKIGNOREDOLD),
	TOE_MIB(dsack_no_undo,		TCPDSACKIGNOREDNOUNDO),
	TOE_MIB(dsack_dubious,		TCPDSACKIGNOREDDUBIOUS),
	TOE_MIB(in_errs,		TCPMD5UNEXPECTED),
	TOE_MIB(ooo_segs,		TCPOFOQUEUE),
	TOE_MIB(ofo_drops,		TCPOFODROP),
	TOE_MIB(ofo_merges,		TCPOFOMERGE),
	TOE_MIB(rcvq_drops,		TCPRCVQDROP),
	TOE_MIB(zero_wnd_drops,		TCPZEROWINDOWDROP),
	TOE_MIB(challenge_acks,		TCPCHALLENGEACK),
	TOE_MIB(syn_challenges,		TCPSYNCHALLENGE),
	TOE_MIB(skipped_paws,		TCPACKSKIPPEDPAWS),
	TOE_MIB(skipped_seq,		TCPACKSKIPPEDSEQ),
	TOE_MIB(skipped_challenge,	TCPACKSKIPPEDCHALLENGE),
	TOE_MIB(to_zero_wnd,		TCPTOZEROWINDOWADV),
	TOE_MIB(from_zero_wnd,		TCPFROMZEROWINDOWADV),
	TOE_MIB(win_probes,		TCPWINPROBE),
	TOE_MIB(delay_detects,		TCPHYSTARTDELAYDETECT),
	TOE_MIB(delay_cwnd,		TCPHYSTARTDELAYCWND),
	{ offsetof(struct toe_conn_stats, paws_old_acks), COMPAT_MIB_PAWS_OLD_ACK },
	{ offsetof(struct toe_conn_stats, beyond_window), COMPAT_MIB_BEYOND_WINDOW },
};

/* What a counter has moved by; the card may write while it is read. */
#define MOVED(field, bits) \
	((long)(s##bits)(le##bits##_to_cpu(st->field) - \
			 le##bits##_to_cpu(seen->field)))

static void toe_mib_linux(struct sock *sk, const struct toe_conn_stats *st,
			  const struct toe_conn_stats *seen)
{
	bool sack = tcp_is_sack(tcp_sk(sk));
	struct net *net = sock_net(sk);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(toe_mibs); i++) {
		u32 offset = toe_mibs[i].offset;
		u32 by = le32_to_cpup((void *)st + offset) -
			 le32_to_cpup((void *)seen + offset);

		if (by && toe_mibs[i].mib)
			NET_ADD_STATS(net, toe_mibs[i].mib, (long)(s32)by);
	}

	NET_ADD_STATS(net, LINUX_MIB_TCPORIGDATASENT,
		      MOVED(data_segs_out, 64) - MOVED(retrans_segs, 32));
	NET_ADD_STATS(net, LINUX_MIB_PAWSESTABREJECTED,
		      MOVED(paws_drops, 32) - MOVED(paws_old_acks, 32));
	NET_ADD_STATS(net, LINUX_MIB_TCPKEEPALIVE,
		      MOVED(probes_out, 32) - MOVED(win_probes, 32));
	NET_ADD_STATS(net, LINUX_MIB_TCPDELIVERED,
		      MOVED(delivered, 32) + MOVED(dsack_recv_segs, 32));
	NET_ADD_STATS(net, LINUX_MIB_TCPDELIVEREDCE, MOVED(delivered_ce, 32));
	NET_ADD_STATS(net, sack ? LINUX_MIB_TCPSACKRECOVERY :
				  LINUX_MIB_TCPRENORECOVERY,
		      MOVED(fast_retrans, 32));
	NET_ADD_STATS(net, sack ? LINUX_MIB_TCPSACKRECOVERYFAIL :
				  LINUX_MIB_TCPRENORECOVERYFAIL,
		      MOVED(recovery_fails, 32));
	NET_ADD_STATS(net, sack ? LINUX_MIB_TCPSACKFAILURES :
				  LINUX_MIB_TCPRENOFAILURES,
		      MOVED(disorder_fails, 32));
}

/* RFC 4022; OutSegs doesn't count retransmissions. */
static void toe_mib_tcp(struct sock *sk, const struct toe_conn_stats *st,
			const struct toe_conn_stats *seen)
{
	long bad = MOVED(csum_errs, 32);
	struct net *net = sock_net(sk);

	TCP_ADD_STATS(net, TCP_MIB_OUTSEGS,
		      MOVED(segs_out, 64) - MOVED(retrans_segs, 32));
	TCP_ADD_STATS(net, TCP_MIB_RETRANSSEGS, MOVED(retrans_segs, 32));
	TCP_ADD_STATS(net, TCP_MIB_INSEGS, MOVED(segs_in, 64) + bad);
	TCP_ADD_STATS(net, TCP_MIB_INERRS, bad);
	TCP_ADD_STATS(net, TCP_MIB_CSUMERRORS, bad);
}

/* A counter of IP, at the interface too where there is one. */
static void toe_mib_add(struct net *net, struct inet6_dev *idev, bool v6,
			int field, long by)
{
	if (!v6)
		IP_ADD_STATS(net, field, by);
#if IS_ENABLED(CONFIG_IPV6)
	else
		IP6_ADD_STATS(net, idev, field, by);
#endif
}

static struct inet6_dev *toe_mib_idev(struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	struct dst_entry *dst = rcu_dereference(sk->sk_dst_cache);

	return dst ? __in6_dev_get(dst->dev) : NULL;
#else
	return NULL;
#endif
}

/* RFC 4293.  Packets are those of the wire: the card joins none. */
static void toe_mib_ip(struct sock *sk, const struct toe_conn_stats *st,
		       const struct toe_conn_stats *seen)
{
	long in = MOVED(segs_in, 64) + MOVED(csum_errs, 32);
	long ect1 = MOVED(in_ect1, 32);
	long ect0 = MOVED(in_ect0, 32);
	long ce = MOVED(in_ce, 32);
	struct net *net = sock_net(sk);
	bool v6 = toe_sk_is_v6(sk);
	struct inet6_dev *idev;

	rcu_read_lock();
	idev = v6 ? toe_mib_idev(sk) : NULL;
	toe_mib_add(net, idev, v6, IPSTATS_MIB_INPKTS, in);
	toe_mib_add(net, idev, v6, IPSTATS_MIB_INOCTETS, MOVED(ip_bytes_in, 64));
	toe_mib_add(net, idev, v6, IPSTATS_MIB_INDELIVERS, in);
	toe_mib_add(net, idev, v6, IPSTATS_MIB_NOECTPKTS, in - ect1 - ect0 - ce);
	if (ect1 | ect0 | ce) {
		toe_mib_add(net, idev, v6, IPSTATS_MIB_ECT1PKTS, ect1);
		toe_mib_add(net, idev, v6, IPSTATS_MIB_ECT0PKTS, ect0);
		toe_mib_add(net, idev, v6, IPSTATS_MIB_CEPKTS, ce);
	}
	toe_mib_add(net, idev, v6, COMPAT_IPSTATS_MIB_OUTREQUESTS,
		    MOVED(segs_out, 64));
	if (COMPAT_IPSTATS_MIB_OUTREQUESTS != IPSTATS_MIB_OUTPKTS)
		toe_mib_add(net, idev, v6, IPSTATS_MIB_OUTPKTS,
			    MOVED(segs_out, 64));
	toe_mib_add(net, idev, v6, IPSTATS_MIB_OUTOCTETS,
		    MOVED(ip_bytes_out, 64));
	rcu_read_unlock();
}

/**
 * toe_mib_fold() - bring the system's counters up to the card's
 * @sk: socket
 * @st: the card's figures
 * @seen: those of the last time
 *
 * Context: socket spinlock held.
 */
void toe_mib_fold(struct sock *sk, const struct toe_conn_stats *st,
		  const struct toe_conn_stats *seen)
{
	if (!memcmp(st, seen, offsetof(struct toe_conn_stats, rate_bytes)))
		return;		/* nothing has moved */
	toe_mib_linux(sk, st, seen);
	toe_mib_tcp(sk, st, seen);
	toe_mib_ip(sk, st, seen);
}

/**
 * toe_mib_uncount() - take back what the stack counts for what it only seems to send
 * @sk: socket
 * @skb: at toe_queue_xmit(), its header still on it
 * @data: it carries payload
 * @fresh: which was never sent before
 * @old_wnd: the window that the stack had announced before
 *
 * Context: socket owned or its spinlock held.
 */
void toe_mib_uncount(struct sock *sk, const struct sk_buff *skb, bool data,
		     bool fresh, u32 old_wnd)
{
	int segs = skb_shinfo(skb)->gso_segs;
	struct net *net = sock_net(sk);
	bool zero = !tcp_hdr(skb)->window;

	if (!data || fresh)
		TCP_ADD_STATS(net, TCP_MIB_OUTSEGS, -segs);
	if (fresh)	/* tcp_event_new_data_sent() will */
		NET_ADD_STATS(net, LINUX_MIB_TCPORIGDATASENT, -segs);
	/* tcp_select_window() */
	if (zero && old_wnd)
		NET_ADD_STATS(net, LINUX_MIB_TCPTOZEROWINDOWADV, -1);
	else if (!zero && !old_wnd)
		NET_ADD_STATS(net, LINUX_MIB_TCPFROMZEROWINDOWADV, -1);
}
