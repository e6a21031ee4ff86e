/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM toe

#if !defined(TOE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TOE_TRACE_H

#include <linux/tracepoint.h>
#include "conn.h"

#ifndef TOE_TRACE_ENUMS
#define TOE_TRACE_ENUMS
#define X(sym, name, flag) TRACE_DEFINE_ENUM(TOE_REFUSE_##sym);
TOE_REFUSE_LIST(X)
#undef X
#define X(sym, name, flag) TRACE_DEFINE_ENUM(TOE_RECALL_##sym);
TOE_RECALL_LIST(X)
#undef X
#define TOE_SYM_REFUSE(sym, name, flag) { TOE_REFUSE_##sym, name },
#define TOE_SYM_RECALL(sym, name, flag) { TOE_RECALL_##sym, name },
#endif

/* Events at state changes, none per packet.  Ports in host byte order. */
DECLARE_EVENT_CLASS(toe_conn_class,
	TP_PROTO(const struct toe_sonode *sn),
	TP_ARGS(sn),
	TP_STRUCT__entry(
		__field(u32, conn_id)
		__field(u32, tid)
		__field(u16, lport)
		__field(u16, rport)
		__field(u32, snd_una)
		__field(u32, snd_nxt)
		__field(u32, rcv_nxt)
	),
	TP_fast_assign(
		const struct sock *sk = sn->connt;

		__entry->conn_id = sn->conn_id;
		__entry->tid = sn->hw.tid;
		__entry->lport = ntohs(inet_sk(sk)->inet_sport);
		__entry->rport = ntohs(inet_sk(sk)->inet_dport);
		__entry->snd_una = tcp_sk(sk)->snd_una;
		__entry->snd_nxt = tcp_sk(sk)->snd_nxt;
		__entry->rcv_nxt = tcp_sk(sk)->rcv_nxt;
	),
	TP_printk("conn=%u tid=%#x lport=%u rport=%u snd_una=%u snd_nxt=%u rcv_nxt=%u",
		  __entry->conn_id, __entry->tid, __entry->lport,
		  __entry->rport, __entry->snd_una, __entry->snd_nxt,
		  __entry->rcv_nxt)
);

DEFINE_EVENT(toe_conn_class, toe_begin,
	TP_PROTO(const struct toe_sonode *sn), TP_ARGS(sn));
DEFINE_EVENT(toe_conn_class, toe_commit,
	TP_PROTO(const struct toe_sonode *sn), TP_ARGS(sn));

TRACE_EVENT(toe_recall,
	TP_PROTO(const struct toe_sonode *sn, unsigned int reason),
	TP_ARGS(sn, reason),
	TP_STRUCT__entry(
		__field(u32, conn_id)
		__field(u32, tid)
		__field(u16, lport)
		__field(u16, rport)
		__field(u32, snd_una)
		__field(u32, snd_nxt)
		__field(u32, rcv_nxt)
		__field(u32, reason)
	),
	TP_fast_assign(
		const struct sock *sk = sn->connt;

		__entry->conn_id = sn->conn_id;
		__entry->tid = sn->hw.tid;
		__entry->lport = ntohs(inet_sk(sk)->inet_sport);
		__entry->rport = ntohs(inet_sk(sk)->inet_dport);
		__entry->snd_una = tcp_sk(sk)->snd_una;
		__entry->snd_nxt = tcp_sk(sk)->snd_nxt;
		__entry->rcv_nxt = tcp_sk(sk)->rcv_nxt;
		__entry->reason = reason;
	),
	TP_printk("conn=%u tid=%#x lport=%u rport=%u snd_una=%u snd_nxt=%u rcv_nxt=%u reason=%s",
		  __entry->conn_id, __entry->tid, __entry->lport,
		  __entry->rport, __entry->snd_una, __entry->snd_nxt,
		  __entry->rcv_nxt,
		  __print_symbolic(__entry->reason,
				   TOE_RECALL_LIST(TOE_SYM_RECALL)
				   { TOE_RECALLS, "?" }))
);

DECLARE_EVENT_CLASS(toe_refuse_class,
	TP_PROTO(const struct toe_sonode *sn, unsigned int reason),
	TP_ARGS(sn, reason),
	TP_STRUCT__entry(
		__field(u32, conn_id)
		__field(u16, lport)
		__field(u16, rport)
		__field(u32, reason)
	),
	TP_fast_assign(
		__entry->conn_id = sn->conn_id;
		__entry->lport = ntohs(inet_sk(sn->connt)->inet_sport);
		__entry->rport = ntohs(inet_sk(sn->connt)->inet_dport);
		__entry->reason = reason;
	),
	TP_printk("conn=%u lport=%u rport=%u reason=%s",
		  __entry->conn_id, __entry->lport, __entry->rport,
		  __print_symbolic(__entry->reason,
				   TOE_REFUSE_LIST(TOE_SYM_REFUSE)
				   { TOE_REFUSES, "?" }))
);

/* The hand-off was given up after BEGIN. */
DEFINE_EVENT(toe_refuse_class, toe_abort,
	TP_PROTO(const struct toe_sonode *sn, unsigned int reason),
	TP_ARGS(sn, reason));
DEFINE_EVENT(toe_refuse_class, toe_refuse,
	TP_PROTO(const struct toe_sonode *sn, unsigned int reason),
	TP_ARGS(sn, reason));

#endif /* TOE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
