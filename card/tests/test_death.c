/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The card dies, or loses the bus, under bulk traffic both ways: what it has
 * acknowledged the host has seen, and its successor doesn't add to that.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include "client.h"
#include "toe_kit.h"

#define ROUNDS	40
#define CQ_SIZE	4096u
#define SIZE	64u			/* of the other rings */
#define MSS	1400u
#define WINDOW	(1400u * MSS)		/* what the buffers take */

/* Host memory; below is the admin ring's. */
#define AT_RING(i)	(0x10000u + (i) * 0x8000u)	/* TX, SQ, RX, RQ; CQ is the last */
#define AT_SHADOW	0x80000u
#define AT_PARAM	0x81000u
#define AT_BLOCK	0x82000u
#define AT_RX		0x90000u	/* SIZE buffers of 2 KiB */
#define AT_RQ		0x100000u	/* 32 of 64 KiB */
#define AT_SEND		0x300000u	/* 1 MiB */

static struct client c;
static struct card_flow flow;
static uint16_t port;			/* the peer's, another in each round */
static uint32_t sq_prod, isn, irn;	/* where the streams begin: ours, the peer's */

/* The peer: what it has sent, and heard. */
static uint8_t in[1 << 20], out[4 + 1600];
static uint32_t in_have, out_len, out_off, sent, acked, heard;

static struct toe_shadow *shadow(void)
{
	return (struct toe_shadow *)(c.ram + AT_SHADOW);
}

static const struct toe_cqe *cq(void)
{
	return (const struct toe_cqe *)(c.ram + AT_RING(TOE_RING_CQ));
}

static void submit(const struct toe_cmd *cmd)
{
	memcpy(c.ram + AT_RING(TOE_RING_SQ) + sq_prod++ % SIZE * sizeof(*cmd), cmd, sizeof(*cmd));
	__atomic_store_n(&shadow()[TOE_RING_SQ].prod, sq_prod, __ATOMIC_SEQ_CST);
	client_reg_write(&c, TOE_REG_DOORBELL_PAIR(0), 0);
}

static uint32_t answer(unsigned int i)
{
	unsigned int n;

	for (n = 0; n < 5000 && !(__atomic_load_n(&cq()[i].phase, __ATOMIC_ACQUIRE) & 1); n++)
		client_nap(1);
	CHECK_EQ(cq()[i].type, TOE_CQE_CMD);
	CHECK_EQ(cq()[i].cmd.status, TOE_ST_OK);
	return cq()[i].cmd.tid;
}

static void pair(void)
{
	struct toe_admin_cmd cmd = {
		.op = TOE_ADMIN_PAIR_CREATE, .param_addr = RAM_IOVA + AT_PARAM,
		.param_bytes = sizeof(struct toe_pair_param),
	};
	struct toe_pair_param *pp = (struct toe_pair_param *)(c.ram + AT_PARAM);
	struct toe_rxd *rx = (struct toe_rxd *)(c.ram + AT_RING(TOE_RING_RX));
	struct toe_rxd *rq = (struct toe_rxd *)(c.ram + AT_RING(TOE_RING_RQ));
	uint32_t i;

	memset(c.ram + AT_RING(0), 0, AT_RX - AT_RING(0));
	for (i = 0; i < TOE_RINGS; i++) {
		pp->ring_addr[i] = RAM_IOVA + AT_RING(i);
		pp->ring_size[i] = i == TOE_RING_CQ ? CQ_SIZE : SIZE;
	}
	pp->shadow_addr = RAM_IOVA + AT_SHADOW;
	pp->rx_buf_bytes = 2048;
	pp->rq_buf_bytes = 65536;
	for (i = 0; i < 32; i++) {
		rx[i] = (struct toe_rxd){ .addr = RAM_IOVA + AT_RX + i * 2048, .buf_id = i };
		rq[i] = (struct toe_rxd){ .addr = RAM_IOVA + AT_RQ + i * 65536, .buf_id = i };
	}
	shadow()[TOE_RING_RX].prod = 32;
	shadow()[TOE_RING_RQ].prod = 32;
	memcpy(c.ram, &cmd, sizeof(cmd));
	__atomic_store_n(&((struct toe_shadow *)(c.ram + 0x2000))->prod, 1, __ATOMIC_SEQ_CST);
	client_reg_write(&c, TOE_REG_DOORBELL_ADMIN, 0);
	CHECK(client_answered(&c, 0, 5000));
}

/* One connection, and as much to send as the ring takes. */
static void connection(void)
{
	struct toe_cmd cmd = toe_begin_cmd(&flow, 1), send = { .op = TOE_CMD_SEND };
	struct min_tcp st = toe_state(&flow);
	uint32_t i;

	st.mss = st.rcv_mss = MSS;
	st.snd_una = st.snd_nxt = st.snd_max = isn;
	st.rcv_nxt = st.snd_wl1 = irn;
	st.rcv_adv = irn + (1 << 21);
	st.snd_wscale = st.rcv_wscale = 14;
	st.snd_wnd = st.max_window = 1 << 28;
	st.snd_cwnd = 1 << 27;
	memcpy(c.ram + AT_BLOCK, &st, sizeof(st));
	submit(&cmd);
	send.tid = answer(0);
	cmd = (struct toe_cmd){ .op = TOE_CMD_COMMIT, .tid = send.tid };
	cmd.commit.block_addr = RAM_IOVA + AT_BLOCK;
	cmd.commit.block_bytes = sizeof(struct toe_conn_block);
	submit(&cmd);
	answer(1);
	for (i = 0; i < 40; i++) {
		send.send.seq = isn + (i << 20);
		send.send.nfrags = 1;
		send.send.addr[0] = RAM_IOVA + AT_SEND;
		send.send.len[0] = 1 << 20;
		submit(&send);
	}
}

/* Where the stream ends that the host can see. */
static uint32_t visible(void)
{
	uint32_t i, end = irn;

	for (i = 0; i < CQ_SIZE && __atomic_load_n(&cq()[i].phase, __ATOMIC_ACQUIRE) & 1; i++) {
		if (cq()[i].type != TOE_CQE_DATA || !cq()[i].data.tid)
			continue;
		CHECK_EQ(cq()[i].data.seq, end);
		end += cq()[i].data.len;
	}
	return end;
}

static void peer_sends(void)
{
	static const uint8_t data[MSS];
	ssize_t n;

	while (sent - irn < WINDOW) {
		if (out_off == out_len) {
			out_len = 4 + kit_tcp_frame(out + 4, &flow, sent, heard, TE_ACK, data, MSS);
			card_put32(out, out_len - 4);
			out_off = 0;
			sent += MSS;
		}
		n = send(c.wire, out + out_off, out_len - out_off, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			return;
		out_off += n;
	}
}

static void peer_hears_one(uint8_t *frame, uint32_t len)
{
	struct card_packet pkt;
	uint32_t ack, end;

	card_packet_parse(&pkt, frame, len);
	card_packet_verify(&pkt);
	/* The rest of a frame that had begun may come as late as in the next round. */
	if (!pkt.tcp || card_get16(frame + pkt.l4 + 2) != port)
		return;
	CHECK(pkt.csum_ok);
	ack = card_get32(frame + pkt.l4 + 8);
	end = card_get32(frame + pkt.l4 + 4) + pkt.end - pkt.l4 - (frame[pkt.l4 + 12] >> 4) * 4;
	acked = (int32_t)(ack - acked) > 0 ? ack : acked;
	heard = (int32_t)(end - heard) > 0 ? end : heard;
}

/* False: the card's front has made the wire anew. */
static bool peer_hears(void)
{
	ssize_t n;

	while ((n = recv(c.wire, in + in_have, sizeof(in) - in_have, MSG_DONTWAIT)) > 0) {
		uint32_t at = 0, len;

		in_have += n;
		while (in_have - at >= 4 && in_have - at - 4 >= (len = card_get32(in + at))) {
			CHECK(len >= 60 && len <= CARD_WIRE_FRAME);
			peer_hears_one(in + at + 4, len);
			at += 4 + len;
		}
		in_have -= at;
		memmove(in, in + at, in_have);
	}
	return n < 0 && errno == EAGAIN;
}

static void begin(void)
{
	flow = kit_flow(4, 80, ++port);
	sq_prod = 0;
	isn = heard = rand();
	irn = sent = acked = rand();
	client_enable(&c);
	pair();
	connection();
}

/* Both directions move, and are in full swing. */
static void move(void)
{
	uint32_t least = MSS * (2 + rand() % 200), n;

	for (n = 0; n < 50000 && (acked - irn < least || heard - isn < least); n++) {
		peer_sends();
		CHECK(peer_hears());
		if (n > 1000)
			usleep(100);
	}
	CHECK(acked - irn >= least && heard - isn >= least);
}

static void wait_status(uint32_t want)
{
	int i;

	for (i = 0; i < 1000 && (client_reg_read(&c, TOE_REG_STATUS) & want) != want; i++)
		client_nap(5);
	CHECK(i < 1000);
}

/* Until there is another one STATUS reads as nothing. */
static void new_process(void)
{
	client_reg_write(&c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	wait_status(TOE_STATUS_READY);
}

static void wire_again(void)
{
	close(c.wire);
	in_have = out_off = out_len = 0;
	c.wire = client_connect_to(c.wire_path);
	client_wait_ready(&c);
}

/* The rest of our own frame, for the framing's sake. */
static void finish_frame(void)
{
	while (out_off < out_len) {
		ssize_t n = send(c.wire, out + out_off, out_len - out_off, MSG_NOSIGNAL);

		CHECK(n > 0 || errno == EAGAIN);
		out_off += n > 0 ? n : 0;
	}
}

static void dies(void)
{
	unsigned int i;

	kill(client_device_process(&c), SIGKILL);
	for (i = 0; i < 1000 && client_reg_read(&c, TOE_REG_MAGIC) != 0xffffffff; i++)
		client_nap(5);
	CHECK(i < 1000);
}

/* Answered when it has taken effect: nothing is completed, or said, after it. */
static void loses_the_bus(void)
{
	client_cfg_write(&c, 4, 0x0002, 2);
}

static void lives_on(void)
{
}

static void rounds(void (*end)(void))
{
	bool same_wire;
	uint32_t seen;
	unsigned int i;

	srand(getpid());
	port = 4000;
	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	for (i = 0; i < ROUNDS; i++) {
		begin();
		move();
		end();
		seen = visible();
		same_wire = peer_hears();
		new_process();
		/* The old process is gone: all that it has placed is visible. */
		if (end == lives_on)
			seen = visible();
		same_wire = same_wire && peer_hears();
		client_nap(3);
		same_wire = same_wire && peer_hears();
		CHECK(sent - irn >= acked - irn);
		CHECK_EQ((int32_t)(acked - seen) > 0 ? acked - seen : 0, 0);
		if (same_wire)
			finish_frame();
		else
			wire_again();
	}
	CHECK_EQ(client_stop(&c), 0);
}

static void killed(void)
{
	rounds(dies);
}

static void bus_taken(void)
{
	rounds(loses_the_bus);
}

static void reset(void)
{
	rounds(lives_on);
}

static const struct vfio_user_set_irqs all_vectors = {
	.argsz = sizeof(all_vectors), .flags = VFIO_USER_SET_EVENTFD | VFIO_USER_SET_TRIGGER,
	.index = VFIO_USER_IRQ_MSIX, .count = TOE_VECTORS,
};

static bool fired(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, 5000) == 1 && read(fd, &n, sizeof(n)) == sizeof(n);
}

/* Each vector has an eventfd of its own, also in a process that was never told. */
static void vectors_after_a_reset(void)
{
	int fds[TOE_VECTORS], i;

	flow = kit_flow(4, 80, 4000);
	client_start(&c, false);
	client_wait_ready(&c);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	for (i = 0; i < TOE_VECTORS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK);
	CHECK_EQ(client_call(&c, VFIO_USER_SET_IRQS, &all_vectors, sizeof(all_vectors), fds, TOE_VECTORS), 0);
	for (i = 0; i < 2; i++) {
		sq_prod = 0;
		client_enable(&c);
		pair();
		CHECK(fired(fds[TOE_VECTOR_ADMIN]));
		connection();
		CHECK(fired(fds[TOE_VECTOR_PAIR(0)]));
		new_process();
	}
	for (i = 0; i < TOE_VECTORS; i++)
		close(fds[i]);
	CHECK_EQ(client_stop(&c), 0);
}

static unsigned int descriptors(pid_t pid)
{
	unsigned int n = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* The device process has @more descriptors than @base; messages take their time. */
static void holds(unsigned int base, unsigned int more)
{
	int i;

	for (i = 0; i < 400 && descriptors(client_device_process(&c)) != base + more; i++)
		client_nap(5);
	CHECK_EQ(descriptors(client_device_process(&c)), base + more);
}

/* A new process has nothing of the front's but what it is handed. */
static void a_process_keeps_its_own_only(void)
{
	struct vfio_user_header half = { .cmd = VFIO_USER_SET_IRQS, .size = sizeof(half) + sizeof(all_vectors) };
	int fds[TOE_VECTORS], i;
	unsigned int base;

	client_start(&c, false);
	client_wait_ready(&c);
	base = descriptors(client_device_process(&c));
	new_process();
	holds(base, 0);
	CHECK_EQ(client_map(&c, RAM_IOVA, RAM_BYTES, 1), 0);
	new_process();
	holds(base, 0);
	for (i = 0; i < TOE_VECTORS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(client_call(&c, VFIO_USER_SET_IRQS, &all_vectors, sizeof(all_vectors), fds, TOE_VECTORS), 0);
		holds(base, TOE_VECTORS);
	}
	new_process();
	holds(base, TOE_VECTORS);
	/* Descriptors that the front has, but not yet the whole of their message. */
	kill(client_device_process(&c), SIGSTOP);
	client_reg_write(&c, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	client_send_raw(&c, &half, sizeof(half), fds, TOE_VECTORS);
	client_nap(300);
	holds(base, TOE_VECTORS);
	for (i = 0; i < TOE_VECTORS; i++)
		close(fds[i]);
	close(c.sock);
	c.sock = -1;
	CHECK_EQ(client_stop(&c), 0);
}

static bool ended(pid_t pid)
{
	char path[64], line[256] = { 0 }, *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return true;
	CHECK(read(fd, line, sizeof(line) - 1) >= 0);
	close(fd);
	state = strrchr(line, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

/* Whatever state it is in, the device process doesn't outlive the front. */
static void dies_with_the_front(void)
{
	pid_t device;
	int i;

	client_start(&c, false);
	client_wait_ready(&c);
	device = client_device_process(&c);
	kill(device, SIGSTOP);
	kill(c.card, SIGKILL);
	for (i = 0; i < 1000 && !ended(device); i++)
		client_nap(5);
	CHECK(ended(device));
	client_stop(&c);
}

static const struct kit_test tests[] = {
	KIT_TEST(vectors_after_a_reset),
	KIT_TEST(a_process_keeps_its_own_only),
	KIT_TEST(dies_with_the_front),
	KIT_TEST(killed),
	KIT_TEST(bus_taken),
	KIT_TEST(reset),
};

KIT_MAIN(tests)
