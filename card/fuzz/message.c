/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/*
 * The front and a hostile hypervisor: vfio-user messages of any content, cut
 * anywhere, with descriptors.  The device process is played, nothing is forked,
 * and all sockets are pairs that this process holds both ends of.
 */
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../front/front.h"
#include "../front/vfio_user.h"
#include "../device/process.h"
#include "../tests/kit.h"
#include "fuzz.h"

struct stage {
	struct front f;
	int hypervisor;		/* the other end of f.client */
	int device;		/* the other end of f.child.ctrl */
	int memory;		/* descriptors that messages come with are copies of it */
	uint32_t seqs[FRONT_WAITS];	/* to be acknowledged */
	unsigned int seq_count;
};

/* The large ones are there once: clearing them would take most of the time. */
static struct front_ctrl_item queue[FRONT_CTRL_QUEUE];
static uint8_t input_bytes[FRONT_MSG_MAX];

static void create(struct stage *s)
{
	struct front *f = &s->f;
	int sv[2];
	int i;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	f->client = sv[0];
	s->hypervisor = sv[1];
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv));
	f->child.ctrl = sv[0];
	s->device = sv[1];
	f->child.kick = eventfd(0, EFD_NONBLOCK);
	f->child.state = FRONT_RUNNING;
	f->child.pid = INT_MAX;		/* nobody, should it be killed */
	f->child.quit = true;		/* nor may another be started */
	f->child.queue = queue;
	f->in = input_bytes;
	f->shm = calloc(1, sizeof(*f->shm));
	f->wire_state = calloc(1, sizeof(*f->wire_state));
	f->opts.cfg.pairs = 4;
	f->listener = f->signals = f->wire_fd = f->wire_listener = f->pcap_fd = -1;
	for (i = 0; i < TOE_VECTORS; i++)
		f->irq[i] = -1;
	s->memory = memfd_create("fuzz", 0);
	front_config_reset(f);
}

static void destroy(struct stage *s)
{
	struct front *f = &s->f;

	front_disconnect(f, NULL);
	f->child.state = FRONT_STOPPING;
	front_child_reaped(f, 0);
	close(s->hypervisor);
	close(s->device);
	close(s->memory);
	free(f->out);
	free(f->shm);
	free(f->wire_state);
}

/* The device process takes its messages. */
static void device_read(struct stage *s)
{
	int fds[CARD_CTRL_FDS];
	struct card_ctrl m;
	unsigned int n;

	while (card_ctrl_recv(s->device, &m, fds, &n) > 0) {
		while (n)
			close(fds[--n]);
		if (m.seq && s->seq_count < FRONT_WAITS)
			s->seqs[s->seq_count++] = m.seq;
	}
	front_child_flush(&s->f);
}

static void device_acknowledge(struct stage *s)
{
	unsigned int i;

	device_read(s);
	for (i = 0; i < s->seq_count; i++)
		front_acknowledged(&s->f, s->seqs[i]);
	s->seq_count = 0;
	front_socket_parse(&s->f);
}

/* A reset ends the device process; play its end and its successor's birth. */
static void device_restart(struct stage *s)
{
	struct front *f = &s->f;

	if (f->child.state != FRONT_STOPPING)
		return;
	front_acknowledge_all(f);
	atomic_store(&f->shm->stop, 0);
	f->child.state = FRONT_RUNNING;
	front_reset_done(f);
	front_socket_parse(f);
}

static void receive(struct stage *s, const void *data, size_t len, unsigned int fds)
{
	struct front *f = &s->f;

	if (f->client < 0 || f->in_have + len > FRONT_MSG_MAX)
		return;
	memcpy(f->in + f->in_have, data, len);
	f->in_have += len;
	while (len && fds-- && f->fd_count < FRONT_FDS) {
		f->fd_pos[f->fd_count] = f->in_pos + f->in_have - 1;
		f->fd[f->fd_count++] = dup(s->memory);
	}
	front_socket_parse(f);
}

static void message(struct stage *s, struct fuzz_input *in)
{
	struct {
		struct vfio_user_header h;
		uint8_t payload[256];
	} m = { .h.cmd = fuzz_take(in, 1) % 16 };
	uint32_t fds = fuzz_take(in, 1), len = fuzz_take(in, 1), cut;

	m.h.id = fds;
	m.h.flags = fds & 0x80 ? VFIO_USER_NO_REPLY : 0;
	m.h.size = sizeof(m.h) + len;
	fuzz_take_into(in, m.payload, len);
	cut = fds & 0x40 ? fuzz_take(in, 1) % m.h.size : 0;
	receive(s, &m, cut, 0);
	receive(s, (uint8_t *)&m + cut, m.h.size - cut, fds & 3);
}

static void raw(struct stage *s, struct fuzz_input *in)
{
	uint8_t bytes[64];
	uint32_t len = fuzz_take(in, 1) % sizeof(bytes);

	fuzz_take_into(in, bytes, len);
	receive(s, bytes, len, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct stage s = { 0 };
	uint8_t sink[4096];
	int before = dup(0), after;

	close(before);
	create(&s);
	while (in.left && s.f.client >= 0) {
		uint32_t act = fuzz_take(&in, 1) % 8;

		if (act < 5)
			message(&s, &in);
		else if (act == 5)
			raw(&s, &in);
		else if (act == 6)
			device_acknowledge(&s);
		else
			device_restart(&s);
		while (recv(s.hypervisor, sink, sizeof(sink), 0) > 0)
			front_socket_flush(&s.f);
		CHECK(s.f.wait_count <= FRONT_WAITS && s.f.map_count <= CARD_DMA_MAX &&
		      s.f.reset_count <= FRONT_RESETS && s.f.in_have <= FRONT_MSG_MAX);
	}
	destroy(&s);
	after = dup(0);
	close(after);
	CHECK_EQ(after, before);	/* no descriptor was left open */
	return 0;
}
