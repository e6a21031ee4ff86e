/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Figure 4D of the first design document: what becomes of a received frame.
 */
#ifndef TOENIC_CLASSIFY_H
#define TOENIC_CLASSIFY_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

/**
 * enum toenic_verdict - the exits of figure 4D
 * @TOENIC_OFFLOADED_DATA: data with a handle, to the filter (651)
 * @TOENIC_NOT_TCP: to the protocol driver it belongs to
 * @TOENIC_NEW_CONN: SYN or SYN+ACK, new connection offload process
 * @TOENIC_CLOSING: FIN or RST with a handle, connection closing process
 * @TOENIC_OFFLOAD_COMPLETE: ACK of a SYN+ACK, offload complete process
 * @TOENIC_CLOSE_STATE: ACK of a FIN, close state is entered
 * @TOENIC_STACK: everything else, to the upper layers
 * @TOENIC_VERDICTS: how many there are
 */
enum toenic_verdict {
	TOENIC_OFFLOADED_DATA,
	TOENIC_NOT_TCP,
	TOENIC_NEW_CONN,
	TOENIC_CLOSING,
	TOENIC_OFFLOAD_COMPLETE,
	TOENIC_CLOSE_STATE,
	TOENIC_STACK,
	TOENIC_VERDICTS
};

/**
 * enum toenic_flow_state - what was lately seen of a flow
 * @TOENIC_FLOW_NONE: nothing
 * @TOENIC_FLOW_HANDSHAKE: a SYN, and this ACK may complete the handshake
 * @TOENIC_FLOW_CLOSING: a FIN, and this ACK may be that of ours
 */
enum toenic_flow_state {
	TOENIC_FLOW_NONE,
	TOENIC_FLOW_HANDSHAKE,
	TOENIC_FLOW_CLOSING,
};

#define TOENIC_TCP_FIN	0x01
#define TOENIC_TCP_SYN	0x02
#define TOENIC_TCP_RST	0x04
#define TOENIC_TCP_ACK	0x10

/**
 * struct toenic_segment - the TCP segment in a frame
 * @addrs: source and destination address, in the frame
 * @addr_bytes: of both together
 * @ports: source and destination port, in the frame
 * @seq: sequence number
 * @flags: TOENIC_TCP_*
 */
struct toenic_segment {
	const __u8 *addrs;
	__u8 addr_bytes;
	const __u8 *ports;
	__u32 seq;
	__u8 flags;
};

/**
 * struct toenic_rx_info - what is known of something received
 * @data: the completion is payload placed by the card, not a frame
 * @tid: offload transport handle, 0 if there is none
 * @segment: the TCP segment in it, NULL if it isn't TCP
 * @flow: what was lately seen of its flow
 */
struct toenic_rx_info {
	bool data;
	__u32 tid;
	const struct toenic_segment *segment;
	enum toenic_flow_state flow;
};

bool toenic_parse(const __u8 *frame, __u32 len, struct toenic_segment *seg);
enum toenic_verdict toenic_classify(const struct toenic_rx_info *info);

#endif /* TOENIC_CLASSIFY_H */
