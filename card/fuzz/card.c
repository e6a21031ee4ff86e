/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * A card between a hostile host and a hostile wire.  The input is a list of
 * acts: commands and descriptors with any content, frames of the connection with
 * any header bytes spoilt, shadow indices, registers, time.
 */
#include <unistd.h>
#include "fuzz.h"
#include "../tests/toe_kit.h"

/* A descriptor whose addresses often hit memory. */
static uint64_t address(struct fuzz_input *in)
{
	uint64_t v = fuzz_take(in, 4);

	return v & 1 ? HOST_IOVA + (v >> 1) % (HOST_BYTES + 4096) : v << 8;
}

static void act_command(struct toe_conn *c, struct fuzz_input *in)
{
	struct toe_cmd cmd;

	fuzz_take_into(in, &cmd, sizeof(cmd));
	cmd.op %= 10;
	if (fuzz_take(in, 1) & 1)
		cmd.tid = c->tid;
	if (cmd.op == TOE_CMD_SEND) {
		cmd.send.seq = c->h->card.stats.toe_tx_bytes + ISS + (int8_t)fuzz_take(in, 1);
		cmd.send.nfrags %= 5;
		cmd.send.addr[0] = address(in);
		cmd.send.len[0] %= 5000;
	} else if (cmd.op == TOE_CMD_COMMIT) {
		cmd.commit.block_addr = fuzz_take(in, 1) & 1 ? c->block : address(in);
	} else if (cmd.op == TOE_CMD_BEGIN && fuzz_take(in, 1) & 1) {
		cmd = toe_begin_cmd(&c->flow, 77);
	}
	host_submit(c->h, 0, TOE_RING_SQ, &cmd, sizeof(cmd));
}

static void act_frame(struct toe_conn *c, struct fuzz_input *in)
{
	uint8_t frame[1600], data[1400] = { 0 };
	uint32_t len, spoil = fuzz_take(in, 1) & 3;

	len = kit_tcp_frame(frame, &c->flow, IRS + (int16_t)fuzz_take(in, 2),
			    ISS + (int16_t)fuzz_take(in, 2), fuzz_take(in, 1), data,
			    fuzz_take(in, 2) % sizeof(data));
	while (spoil--)
		frame[fuzz_take(in, 2) % len] = fuzz_take(in, 1);
	peer_send(c->h, frame, len);
}

static void act_tx(struct toe_conn *c, struct fuzz_input *in)
{
	struct toe_txd d;

	fuzz_take_into(in, &d, sizeof(d));
	d.addr = address(in);
	d.len %= 70000;
	host_submit(c->h, 0, TOE_RING_TX, &d, sizeof(d));
}

static void act_admin(struct toe_conn *c, struct fuzz_input *in)
{
	struct host_pair *a = &c->h->admin;
	struct toe_admin_cmd cmd;

	fuzz_take_into(in, &cmd, sizeof(cmd));
	cmd.op %= 10;
	cmd.param_addr = address(in);
	memcpy(a->ring[TOE_RING_SQ] + (a->prod[TOE_RING_SQ]++ & 15) * 64, &cmd, 64);
	a->shadow[0].prod = a->prod[TOE_RING_SQ];
}

static void act_memory(struct toe_conn *c, struct fuzz_input *in)
{
	uint32_t n = fuzz_take(in, 1) & 15;

	fuzz_take_into(in, c->h->mem + fuzz_take(in, 3) % (HOST_BYTES - 16), n);
}

static void drain(struct toe_conn *c)
{
	uint8_t frame[CARD_WIRE_FRAME];
	struct toe_cqe cqe;
	int limit = 10000;

	while (limit-- && host_cqe(c->h, 0, &cqe))
		if (cqe.type == TOE_CQE_CMD && cqe.cmd.op == TOE_CMD_BEGIN)
			c->tid = cqe.cmd.tid;
	while (read(c->h->peer, frame, sizeof(frame)) > 0)
		;
}

static void (*const acts[])(struct toe_conn *c, struct fuzz_input *in) = {
	act_command, act_command, act_frame, act_frame, act_tx, act_admin, act_memory,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct toe_conn c = toe_established();

	while (in.left) {
		uint32_t act = fuzz_take(&in, 1) % (sizeof(acts) / sizeof(acts[0]) + 3);

		if (act < sizeof(acts) / sizeof(acts[0])) {
			acts[act](&c, &in);
			continue;
		}
		if (act & 1) {
			host_rx_post(c.h, 0, 4);
			host_rq_post(c.h, 0, 2);
		}
		if (act == sizeof(acts) / sizeof(acts[0]))
			host_sleep(c.h, fuzz_take(&in, 2));
		host_poll(c.h);
		drain(&c);
	}
	host_poll(c.h);
	host_destroy(c.h);
	return 0;
}
