/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOE_CONN_H
#define TOE_CONN_H

#include <linux/kref.h>
#include <linux/workqueue.h>
#include <net/tcp.h>

#include "toe_ops.h"
#include "reason.h"

struct toe_dev;

/**
 * enum toe_role - who opened a connection
 * @TOE_ROLE_UNKNOWN: it was established before it was noticed
 * @TOE_ROLE_OPENED: connect()
 * @TOE_ROLE_ACCEPTED: accept()
 */
enum toe_role {
	TOE_ROLE_UNKNOWN,
	TOE_ROLE_OPENED,
	TOE_ROLE_ACCEPTED,
};

/* How old the system's counters may be while events arrive. */
#define TOE_FOLD_JIFFIES	msecs_to_jiffies(20)

/**
 * enum toe_state - where a connection's state lives
 * @TOE_NATIVE: in the kernel's stack; the object waits for a (new) try
 * @TOE_BEGIN: in the stack; the card was asked to hold the flow's frames
 * @TOE_HELD: in the stack; the card holds the frames, COMMIT or ABORT is next
 * @TOE_ABORTING: in the stack; the card was asked to let go
 * @TOE_OFFLOADED: in the card
 * @TOE_RECALLING: in the card; it was asked to give the connection back, or has
 *	announced that it will
 */
enum toe_state {
	TOE_NATIVE,
	TOE_BEGIN,
	TOE_HELD,
	TOE_ABORTING,
	TOE_OFFLOADED,
	TOE_RECALLING,
};

/**
 * enum toe_wait - what a connection waits for in the kernel's stack
 * @TOE_WAIT_NOT: nothing
 * @TOE_WAIT_ACCEPT: accept()
 * @TOE_WAIT_BYTES: to have moved min_bytes
 * @TOE_WAIT_ROOM: a context of the card
 * @TOE_WAIT_MOVE: an answer of the peer's, to which it has sent in vain; or a thread
 *	that keeps the socket
 */
enum toe_wait {
	TOE_WAIT_NOT,
	TOE_WAIT_ACCEPT,
	TOE_WAIT_BYTES,
	TOE_WAIT_ROOM,
	TOE_WAIT_MOVE,
};

/**
 * struct toe_sonode - SONODE: the socket layer's state of one connection
 * @conn_id: SOCKET LAYER CONNECTION IDENTIFIER, key in the connection state table
 * @connt: CONNT, the connection state maintained by the kernel; a reference is
 *	held while the object exists or, after the socket was destroyed, NULL
 * @hw: HW_CONN_T; @hw.tid is the HARDWARE CONNECTION IDENTIFIER.  The pointer
 *	back from there is container_of()
 * @dev: the card, a reference is held from BEGIN to the end of the recall
 * @ref: the object's life
 * @rcu: readers of icsk_ulp_data
 * @node: in @dev's list, from BEGIN until the card is done with @hw
 * @noticed: waits for the end of its handshake
 * @by_sock: entry in the table of sockets that have a SONODE
 * @work: hand-off, and the next try
 * @lock: protects @state, and serialises the calls into @dev's driver.  Inner to
 *	the socket's spinlock
 * @state: enum toe_state
 * @reason: enum toe_recall, once RECALLING; of the last recall after it
 * @recalls: recalls so far
 * @since: when it was noticed, held, offloaded or recalled last, jiffies
 * @refused: enum toe_refuse of the last refusal
 * @tries: refused in a row
 * @looks: looked at while it waits
 * @drains: looked whether the stack's segments have left
 * @pins: calls that set an option of the stack's; as @offer, under @lock
 * @offer: when the last of them ends, offer it to the card again
 * @role: enum toe_role
 * @wait: enum toe_wait, the work's
 * @swaps: got in because a less busy one gave way
 * @rated: looks that @rate was made of
 * @offered: a context is kept for it; dev->lock protects it
 * @flagged: TCP_ULP "toe" was set by the application: stays ours when native
 * @attached: icsk_ulp_data points here
 * @abort: begin_done is to abort at once
 * @again: try again once the abort is done
 * @closing: no further try
 * @swapped: the socket's tables are ours
 * @need_post: conn_send() has refused: post again from the retransmit queue
 * @look: when @moved was read, jiffies
 * @moved: payload of both directions up to then, bytes
 * @rate: bytes per second lately; with @look and @moved the work's while NATIVE,
 *	the tick's while OFFLOADED
 * @posted: end of the stream that the card has been given
 * @sent: end of what the stack had sent by COMMIT: the peer may acknowledge it
 *	before the card has been given it.  Never below what is acknowledged
 * @credit: right edge that the card has been given
 * @wnd: the peer's window as the card reported last, bytes
 * @mtu: of the path, at COMMIT
 * @rx_ifindex: by which device the stack's last segment had come, at COMMIT
 * @lmac: our link-layer address, at COMMIT
 * @rmac: the next hop's that the card uses
 * @ttl: that the card uses, as @tos, @retries and @manner
 * @tos: see @ttl
 * @retries: see @ttl
 * @manner: see @ttl
 * @vlan_tci: at COMMIT, as @flow_label; as in struct min_tcp
 * @flow_label: see @vlan_tci
 * @saved: what the swap replaced
 * @rxq: payload that arrived while a user owned the socket; the socket's
 *	spinlock protects it and the ev_ fields
 * @ev_acked: @ev_una, @ev_wnd and @ev_srtt are news
 * @ev_recalled: the card has given the connection back; @final and @final_stats
 *	are its last word, as far as @final_valid and @final_stats_valid
 * @ev_queried: an answer to QUERY arrived
 * @ev_una: newest
 * @ev_wnd: newest
 * @ev_srtt: newest, us
 * @final_valid: the card itself has spoken
 * @final_stats_valid: also of its figures
 * @final: MIN_TCP_T from the card
 * @final_stats: figures up to the recall
 * @wq: who waits for a RECALLED or an answer to QUERY
 * @seen: statistics up to which the socket's and the system's counters have been
 *	brought
 * @seen_jiffies: when
 * @seen_una: snd_una then
 * @stack_wnd: the window that the stack announced last, bytes
 * @stack_cwnd: the congestion window that its output sees, segments; the card has the
 *	real one
 */
struct toe_sonode {
	u32 conn_id;
	struct sock *connt;
	struct toe_hw_conn hw;
	struct toe_dev *dev;

	struct kref ref;
	struct rcu_head rcu;
	struct list_head node;
	struct list_head noticed;
	struct hlist_node by_sock;
	struct delayed_work work;

	spinlock_t lock;	/* see above */
	u8 state;
	u8 reason;
	u8 refused;
	u8 tries;
	u8 looks;
	u8 drains;
	u8 role;
	u8 wait;
	u8 swaps;
	u8 rated;
	bool offered;
	bool flagged;
	bool attached;
	bool abort;
	bool again;
	bool closing;
	bool swapped;
	bool need_post;
	bool offer;
	u16 recalls;
	u32 pins;
	unsigned long since;

	unsigned long look;
	u64 moved;
	u32 rate;

	u32 posted;
	u32 sent;
	u32 credit;
	u32 wnd;
	u32 mtu;
	int rx_ifindex;
	u8 lmac[ETH_ALEN];
	u8 rmac[ETH_ALEN];
	u8 ttl;
	u8 tos;
	u8 retries;
	u8 manner;
	__le16 vlan_tci;
	__le32 flow_label;

	struct {
		struct proto *prot;
		const struct inet_connection_sock_af_ops *af_ops;
		int (*backlog_rcv)(struct sock *sk, struct sk_buff *skb);
		unsigned long pacing_rate;
		u32 pacing_status;
		bool mtup;
	} saved;

	struct sk_buff_head rxq;
	bool ev_acked;
	bool ev_recalled;
	bool ev_queried;
	bool final_valid;
	bool final_stats_valid;
	u32 ev_una;
	u32 ev_wnd;
	u32 ev_srtt;
	struct min_tcp final;
	struct toe_conn_stats final_stats;
	struct wait_queue_head wq;

	struct toe_conn_stats seen;
	unsigned long seen_jiffies;
	u32 seen_una;
	u32 stack_wnd;
	u32 stack_cwnd;
};

static inline struct toe_sonode *toe_hw_sonode(struct toe_hw_conn *hc)
{
	return container_of(hc, struct toe_sonode, hw);
}

/* Up to here the peer can have got and acknowledged the stream. */
static inline u32 toe_sent_end(const struct toe_sonode *sn)
{
	return after(sn->posted, sn->sent) ? sn->posted : sn->sent;
}

/* conn.c: the object, its table, its life */
int toe_conn_init(void);
void toe_conn_uninit(void);
struct toe_sonode *toe_conn_create(struct sock *sk, gfp_t gfp);
void toe_conn_get(struct toe_sonode *sn);
void toe_conn_put(struct toe_sonode *sn);
void toe_conn_attach(struct toe_sonode *sn, struct sock *sk);
void toe_conn_detach(struct toe_sonode *sn, struct sock *sk);
void toe_conn_yield_locked(struct sock *sk, enum toe_recall why);
void toe_conn_yield(struct sock *sk, enum toe_recall why);
struct toe_sonode *toe_conn_pin(struct sock *sk);
bool toe_conn_pinned(struct toe_sonode *sn);
void toe_conn_unpin(struct toe_sonode *sn);
struct toe_sonode *toe_sk_sonode(const struct sock *sk);
void toe_conn_schedule(struct toe_sonode *sn, unsigned long delay);
struct toe_sonode *toe_conn_next(unsigned long *id);
struct toe_sonode *toe_conn_find(u32 id);
struct toe_sonode *toe_conn_of(const struct sock *sk);
extern struct tcp_ulp_ops toe_ulp_ops;
bool toe_sk_offloaded(const struct sock *sk);

/* What of SO_TIMESTAMPING the stack does. */
#define TOE_TSFLAGS	(SOF_TIMESTAMPING_TX_RECORD_MASK | SOF_TIMESTAMPING_RX_SOFTWARE | \
			 SOF_TIMESTAMPING_RX_HARDWARE)

/*
 * Has the application asked for what only the stack does?  Options of SOL_SOCKET
 * don't pass through the socket's tables.
 */
static inline bool toe_sk_asks(const struct sock *sk)
{
	return unlikely(sk->sk_flags & (BIT(SOCK_TXTIME) | BIT(SOCK_RCVTSTAMP)) ||
			READ_ONCE(sk->sk_tsflags) & TOE_TSFLAGS ||
			READ_ONCE(sk->sk_max_pacing_rate) != ~0UL ||
			rcu_access_pointer(sk->sk_filter));
}

/* main.c: frames of ours that stay below the kernel's while it sleeps */
void toe_frame_enter(void);
void toe_frame_leave(void);

/* kernel.c: the socket's tables, and what the kernel doesn't export */
int toe_kernel_init(void);
void toe_kernel_uninit(void);
int toe_sk_swap(struct toe_sonode *sn, struct sock *sk);
void toe_sk_restore(struct toe_sonode *sn, struct sock *sk);
bool toe_sk_native(const struct sock *sk);
void toe_sk_flag(struct sock *sk, bool on);
bool toe_sk_ours(const struct sock *sk);
bool toe_sk_is_v6(const struct sock *sk);
void toe_sk_push(struct sock *sk);
u32 toe_sk_seg_mem(const struct tcp_sock *tp);
void toe_sk_quiet(struct sock *sk);
void toe_sk_mstamp(struct sock *sk);
u32 toe_sk_window(struct sock *sk);

/* notice.c */
int toe_notice_init(void);
void toe_notice_uninit(void);
void toe_notice_taken(struct toe_sonode *sn);
void toe_notice_existing(struct toe_dev *dev);
void toe_notice_sk(struct sock *sk, struct toe_dev *dev, enum toe_role role,
		   unsigned long delay);

/* policy.c: may it be offloaded, and if not, why */
enum toe_refuse toe_policy(struct toe_sonode *sn, struct sock *sk,
			   struct toe_dev *dev);
u32 toe_path_mtu(struct sock *sk);
void toe_path_keep(struct toe_sonode *sn, struct sock *sk, const struct min_tcp *st);
enum toe_recall toe_policy_live(struct toe_sonode *sn, struct sock *sk, bool *later);
enum toe_recall toe_policy_asked(const struct sock *sk);
enum toe_refuse toe_policy_forecast(struct sock *sk, struct toe_dev *dev);
enum toe_refuse toe_policy_path(struct sock *sk, struct toe_dev *dev,
				struct min_tcp *st);
struct toe_dev *toe_policy_device(struct sock *sk);
enum toe_role toe_policy_role(const struct toe_sonode *sn, const struct sock *sk);
enum toe_refuse toe_policy_rules(const struct toe_sonode *sn,
				 const struct sock *sk,
				 const struct toe_dev *dev);
bool toe_refuse_permanent(enum toe_refuse why);

/* admit.c: who gets a context of the card, and when */
bool toe_admit_unaccepted(struct toe_sonode *sn, struct sock *sk);
bool toe_admit_waits(struct toe_sonode *sn, bool offered);
bool toe_admit_small(const struct toe_sonode *sn, const struct toe_dev *dev);
void toe_admit_wait(struct toe_sonode *sn, enum toe_wait what);
void toe_admit_wait_end(struct toe_sonode *sn);
bool toe_admit_missing(const struct sock *sk);
bool toe_admit_claim(struct toe_sonode *sn);
void toe_admit_committed(struct toe_sonode *sn);

/* cgroup.c */
bool toe_cgroup_allowed(const struct toe_dev *dev, const struct sock *sk);

/* handoff.c */
void toe_abort_locked(struct toe_sonode *sn);
void toe_handoff_work(struct work_struct *work);
void toe_flow_of(const struct sock *sk, struct toe_flow *flow);

/* egress.c: figure 4C */
int toe_sendmsg(struct sock *sk, struct msghdr *msg, size_t size);
int toe_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		   unsigned int optlen);
int toe_flag_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
			unsigned int optlen);
int toe_getsockopt(struct sock *sk, int level, int optname,
		   char __user *optval, int __user *optlen);
void toe_shutdown(struct sock *sk, int how);
void toe_close(struct sock *sk, long timeout);
int toe_disconnect(struct sock *sk, int flags);
int toe_diag_destroy(struct sock *sk, int err);
void toe_set_keepalive(struct sock *sk, int val);
int toe_queue_xmit(struct sock *sk, struct sk_buff *skb, struct flowi *fl);
void toe_egress_window(struct toe_sonode *sn, struct sock *sk, u32 snd_wnd);
void toe_egress_post(struct toe_sonode *sn, struct sock *sk);
bool toe_egress_acked(struct toe_sonode *sn, struct sock *sk, u32 snd_una,
		      u32 snd_wnd);

/* ingress.c */
void toe_release_cb(struct sock *sk);
int toe_backlog_rcv(struct sock *sk, struct sk_buff *skb);
void toe_ingress_drain(struct toe_sonode *sn, struct sock *sk);
void toe_ingress_credit(struct toe_sonode *sn, struct sock *sk, bool force);
void toe_ingress_announced(struct toe_sonode *sn, struct sock *sk);
void toe_ingress_reopen(struct toe_sonode *sn, struct sock *sk);

/* recall.c */
void toe_recall_start(struct toe_sonode *sn, enum toe_recall why);
void toe_recall_sync(struct sock *sk, enum toe_recall why);
void toe_recall_finish(struct toe_sonode *sn, struct sock *sk);
void toe_scoreboard_set(struct sock *sk, u8 ca_state, bool lost);
void toe_recall_dead(struct toe_sonode *sn);

/* stats.c */
int toe_stats_init(void);
void toe_stats_uninit(void);
void toe_stats_fold(struct toe_sonode *sn, struct sock *sk,
		    const struct toe_conn_stats *st);
void toe_stats_refresh(struct toe_sonode *sn, struct sock *sk);
void toe_stats_query(struct sock *sk);
int toe_stats_info(struct sock *sk, char __user *optval, int __user *optlen);
void toe_stats_arm(void);
void toe_stats_disarm(void);

/* manner.c: what sysctls ask for when nothing moves */
bool toe_manner_foreign(const struct net *net);
void toe_manner(const struct sock *sk, struct min_tcp *st);
bool toe_manner_lacks(const struct sock *sk, const struct toe_device *tdev);
bool toe_manner_stalled(const struct sock *sk);
u64 toe_manner_sign(const struct net *net);

/* params.c */
void toe_params_follow(struct sock *sk, bool keepalive);
void toe_params_quickack(struct sock *sk, int val);

/* takeover.c */
void toe_takeover_init(void);
void toe_takeover_uninit(void);

/* mib.c: the system's counters */
void toe_mib_fold(struct sock *sk, const struct toe_conn_stats *st,
		  const struct toe_conn_stats *seen);
void toe_mib_uncount(struct sock *sk, const struct sk_buff *skb, bool data,
		     bool fresh, u32 old_wnd);

/* chrono.c */
void toe_chrono_update(const struct toe_sonode *sn, struct sock *sk);

/* sysfs.c */
int toe_sysfs_create(struct toe_dev *dev);
void toe_sysfs_destroy(struct toe_dev *dev);

#endif /* TOE_CONN_H */
