/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* The wire: framing at its bounds, slots, stalls, TAP, capture, and opening it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "../wire/wire.h"
#include "kit.h"

static struct card_wire w;
static int peer;
static unsigned int frames, stop_at;
static uint32_t last_len;
static uint8_t last_byte;
static uint8_t big[300 * 1024];

static bool take(void *ctx, uint8_t *frame, uint32_t len)
{
	CHECK(ctx == &w);
	frames++;
	last_len = len;
	last_byte = len ? frame[len - 1] : 0;
	return frames != stop_at;
}

static void wire(enum card_wire_kind kind)
{
	int sv[2], type = kind == CARD_WIRE_TAP ? SOCK_SEQPACKET : SOCK_STREAM;

	CHECK(!socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, sv));
	w = (struct card_wire){ .st = calloc(1, sizeof(*w.st)), .fd = -1, .kind = kind };
	card_wire_set_fd(&w, sv[0], true);
	peer = sv[1];
	frames = stop_at = 0;
}

static void unwire(void)
{
	card_wire_set_fd(&w, -1, true);
	close(peer);
	free(w.st);
	card_impair_destroy(w.rx_imp);
	card_impair_destroy(w.tx_imp);
}

/* The peer sends so many bytes of frame behind a header that says @len. */
static void send_frame(uint32_t len, uint32_t bytes)
{
	uint8_t head[4] = { len >> 24, len >> 16, len >> 8, len };
	uint32_t done = 0;
	ssize_t n;

	CHECK(write(peer, head, 4) == 4);
	for (done = 0; done < bytes; done += n) {
		n = write(peer, big, bytes - done);
		CHECK(n > 0);
	}
}

static int receive(unsigned int budget)
{
	return card_wire_recv(&w, take, &w, budget, 1);
}

static void lengths_of_received_frames(void)
{
	wire(CARD_WIRE_STREAM);
	big[9215] = 0x77;
	send_frame(CARD_WIRE_FRAME, CARD_WIRE_FRAME);
	CHECK_EQ(receive(64), 1);
	CHECK(frames == 1 && last_len == CARD_WIRE_FRAME && last_byte == 0x77);
	send_frame(CARD_WIRE_FRAME + 1, CARD_WIRE_FRAME + 1);
	CHECK_EQ(receive(64), 1);
	CHECK(frames == 1 && w.oversize == 1);
	send_frame(CARD_WIRE_FRAME_MAX, CARD_WIRE_FRAME_MAX);
	CHECK_EQ(receive(64), 1);
	CHECK(frames == 1 && w.oversize == 2);
	send_frame(0, 0);
	CHECK_EQ(receive(64), 1);
	CHECK(frames == 2 && last_len == 0);
	send_frame(1, 1);
	CHECK_EQ(receive(64), 1);
	CHECK(frames == 3 && last_len == 1);
	CHECK_EQ(receive(64), 0);
	send_frame(CARD_WIRE_FRAME_MAX + 1, 0);
	CHECK_EQ(receive(64), -EPROTO);
	unwire();
}

static void so_many_at_a_time(void)
{
	unsigned int i;

	wire(CARD_WIRE_STREAM);
	for (i = 0; i < 10; i++)
		send_frame(60, 60);
	CHECK_EQ(receive(4), 4);
	CHECK_EQ(frames, 4);
	CHECK(card_wire_rx_pending(&w, 1));
	stop_at = 6;
	CHECK_EQ(receive(4), 2);
	CHECK_EQ(frames, 6);
	CHECK_EQ(receive(0), 0);
	CHECK_EQ(receive(64), 4);
	CHECK(!card_wire_rx_pending(&w, 1));
	/* What came before the end counts first. */
	send_frame(60, 60);
	close(peer);
	peer = eventfd(0, 0);
	CHECK_EQ(receive(64), 1);
	CHECK_EQ(receive(64), -EPIPE);
	CHECK(w.link);				/* whoever asked gives it up */
	unwire();
}

static void pending_means_a_whole_frame(void)
{
	wire(CARD_WIRE_STREAM);
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx_have = 3;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx[3] = 5;
	w.st->rx_have = 8;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx_have = 9;
	CHECK(card_wire_rx_pending(&w, 1));
	w.st->rx[2] = 1;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx_have = 9 + 256;
	CHECK(card_wire_rx_pending(&w, 1));
	w.st->rx[1] = 1;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx_have += 65536;
	CHECK(card_wire_rx_pending(&w, 1));
	w.st->rx[0] = 1;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx[0] = w.st->rx[1] = w.st->rx[2] = w.st->rx[3] = 0;
	w.kind = CARD_WIRE_TAP;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.kind = CARD_WIRE_STREAM;
	w.st->rx_have = 4;
	CHECK(card_wire_rx_pending(&w, 1));
	w.st->rx_pos = 1;
	CHECK(!card_wire_rx_pending(&w, 1));
	w.st->rx_pos = 0;
	card_wire_set_fd(&w, -1, false);
	CHECK(!card_wire_rx_pending(&w, 1));
	CHECK_EQ(receive(64), 0);
	unwire();
}

static void a_new_connection_begins_with_a_frame(void)
{
	int sv[2];

	wire(CARD_WIRE_STREAM);
	send_frame(60, 30);
	CHECK_EQ(receive(64), 0);
	CHECK_EQ(w.st->rx_have, 34);
	w.st->head_off = 7;
	w.stalled_since = 5;
	close(peer);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	peer = sv[1];
	card_wire_set_fd(&w, sv[0], true);
	CHECK(w.link && !w.stalled_since && !w.st->head_off && !w.st->rx_have && !w.st->rx_pos);
	send_frame(61, 61);
	CHECK_EQ(receive(64), 1);
	CHECK_EQ(last_len, 61);
	send_frame(60, 30);
	CHECK_EQ(receive(64), 0);
	card_wire_set_fd(&w, dup(sv[0]), false);	/* the same one, for a new process */
	CHECK_EQ(w.st->rx_have, 34);
	card_wire_set_fd(&w, -1, false);
	CHECK(!w.link && w.fd == -1);
	unwire();
}

/* A frame of @len bytes to send, which begins with @mark. */
static void commit(uint32_t len, uint8_t mark, uint64_t now)
{
	uint8_t *slot = card_wire_slot(&w);

	CHECK(slot);
	if (!slot)
		return;
	memset(slot, 0xee, 100);
	slot[0] = mark;
	card_wire_commit(&w, len, now);
}

/* It arrives, padded. */
static void arrives(uint32_t len, uint8_t mark)
{
	uint32_t want = len < 60 ? 60 : len, i;
	static uint8_t got[10000];
	ssize_t n;

	if (w.kind == CARD_WIRE_STREAM) {
		CHECK(read(peer, got, 4) == 4);
		CHECK_EQ(card_get32(got), want);
	}
	n = read(peer, got, w.kind == CARD_WIRE_STREAM ? want : sizeof(got));
	CHECK_EQ(n, want);
	CHECK_EQ(got[0], mark);
	for (i = 1; i < want && i < 100; i++)
		CHECK_EQ(got[i], i < len ? 0xee : 0);
}

/* What a former process had queued isn't sent by the next, but for what has begun. */
static void a_new_process_drops_what_was_queued(void)
{
	unsigned int begun;

	for (begun = 0; begun < 2; begun++) {
		wire(CARD_WIRE_STREAM);
		commit(100, 1, 1);
		commit(100, 2, 1);
		if (begun) {
			CHECK(write(w.fd, (uint8_t *)w.st->slot + offsetof(struct card_wire_slot, len_be), 7) == 7);
			w.st->head_off = 7;
		}
		card_wire_set_fd(&w, dup(w.fd), false);
		commit(100, 3, 1);
		CHECK_EQ(card_wire_flush(&w, 1), 0);
		if (begun)
			arrives(100, 1);
		arrives(100, 3);
		CHECK(!card_wire_want_out(&w));
		unwire();
	}
}

static void padding_and_slots(enum card_wire_kind kind)
{
	static const uint32_t lens[] = { 14, 59, 60, 61, 9216 };
	unsigned int i;

	wire(kind);
	for (i = 0; i < 5; i++) {
		CHECK(!card_wire_want_out(&w));
		commit(lens[i], i, 1);
		CHECK(card_wire_want_out(&w));
		CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS - 1);
		CHECK_EQ(card_wire_flush(&w, 1), 0);
		CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS);
		arrives(lens[i], i);
	}
	for (i = 0; i < 70; i++)		/* more than one batch */
		commit(60, i, 1);
	CHECK_EQ(card_wire_flush(&w, 1), 0);
	CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS);
	for (i = 0; i < 70; i++)
		arrives(60, i);
	card_wire_set_fd(&w, -1, true);
	for (i = 0; i < CARD_WIRE_SLOTS; i++)
		commit(60, i, 1);
	CHECK(!card_wire_slot(&w));
	CHECK_EQ(card_wire_room(&w), 0);
	CHECK(!card_wire_want_out(&w));
	w.st->head_off = 3;
	CHECK_EQ(card_wire_flush(&w, 1), 0);	/* nobody there: they are lost */
	CHECK_EQ(w.dropped, CARD_WIRE_SLOTS);
	CHECK_EQ(w.st->head_off, 0);
	CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS);
	unwire();
}

static void streams(void)
{
	padding_and_slots(CARD_WIRE_STREAM);
}

static void taps(void)
{
	padding_and_slots(CARD_WIRE_TAP);
}

static void received_from_a_tap(void)
{
	unsigned int i;

	wire(CARD_WIRE_TAP);
	for (i = 0; i < 5; i++)
		CHECK(write(peer, big, 100 + i) == 100 + (int)i);
	CHECK_EQ(receive(3), 3);
	CHECK(frames == 3 && last_len == 102);
	CHECK_EQ(receive(64), 2);
	CHECK(frames == 5 && last_len == 104);
	CHECK_EQ(receive(64), 0);
	unwire();
}

/* Errors of a TAP whose interface is down lose the frame; others end the wire. */
static void errors_of_a_tap(void)
{
	wire(CARD_WIRE_TAP);
	commit(60, 0xff, 1);
	memset(w.st->slot[0].data, 0xff, 60);
	card_wire_set_fd(&w, eventfd(0, EFD_NONBLOCK), true);
	CHECK_EQ(card_wire_flush(&w, 1), 0);	/* EINVAL: all ones can't be added */
	CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS);
	commit(60, 0xff, 1);
	card_wire_set_fd(&w, open("/dev/full", O_WRONLY), true);
	CHECK_EQ(card_wire_flush(&w, 1), -ENOSPC);
	CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS - 1);
	unwire();
}

static void a_peer_that_has_gone(void)
{
	wire(CARD_WIRE_STREAM);
	commit(60, 1, 1);
	close(peer);
	peer = eventfd(0, 0);
	CHECK_EQ(card_wire_flush(&w, 1), -EPIPE);
	CHECK_EQ(w.st->busy, 0);
	unwire();
}

/* Two seconds without a byte, and not one microsecond less. */
static void stalls(void)
{
	uint32_t in_queue;
	uint64_t now = 5000;
	static uint8_t got[65536];
	int bytes = 4096;

	wire(CARD_WIRE_STREAM);
	setsockopt(w.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	CHECK_EQ(card_wire_deadline(&w), UINT64_MAX);
	while (card_wire_room(&w) > 100)
		commit(9000, 0, now);
	CHECK_EQ(card_wire_flush(&w, now), 0);
	CHECK_EQ(w.stalled_since, now);
	CHECK_EQ(card_wire_deadline(&w), now + 2000000);
	in_queue = CARD_WIRE_SLOTS - card_wire_room(&w);
	CHECK_EQ(card_wire_flush(&w, now + 2000000), 0);
	CHECK_EQ(CARD_WIRE_SLOTS - card_wire_room(&w), in_queue);
	/* Some bytes are taken: patience begins anew. */
	while (read(peer, got, sizeof(got)) > 0)
		;
	CHECK_EQ(card_wire_flush(&w, now + 2000001), 0);
	in_queue = CARD_WIRE_SLOTS - card_wire_room(&w);
	CHECK_EQ(w.stalled_since, now + 2000001);
	CHECK_EQ(w.dropped, 0);
	w.st->head_off = 17;			/* the first of them has begun */
	CHECK_EQ(card_wire_flush(&w, now + 4000002), 0);
	CHECK_EQ(CARD_WIRE_SLOTS - card_wire_room(&w), 1);
	CHECK_EQ(w.dropped, in_queue - 1);
	w.st->head_off = 0;
	commit(60, 0, 1);
	CHECK_EQ(card_wire_flush(&w, now + 8000000), 0);
	CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS);
	CHECK_EQ(w.dropped, in_queue + 1);
	unwire();
}

static void impaired_both_ways(void)
{
	struct card_impair_opts o;
	char err[80];
	unsigned int i;

	CHECK(!card_impair_parse("delay=1ms", &o, err, sizeof(err)));
	wire(CARD_WIRE_STREAM);
	w.rx_imp = card_impair_create(&o, 0);
	w.tx_imp = card_impair_create(&o, 1);
	CHECK_EQ(card_wire_deadline(&w), UINT64_MAX);
	for (i = 0; i < 5; i++)
		send_frame(60 + i, 60 + i);
	CHECK_EQ(card_wire_recv(&w, take, &w, 64, 1000), 5);
	CHECK_EQ(frames, 0);
	CHECK_EQ(card_wire_deadline(&w), 2000);
	CHECK(!card_wire_rx_pending(&w, 1999));
	CHECK(card_wire_rx_pending(&w, 2000));
	CHECK_EQ(card_wire_recv(&w, take, &w, 64, 1999), 0);
	stop_at = 2;
	CHECK_EQ(card_wire_recv(&w, take, &w, 64, 2000), 2);
	CHECK_EQ(frames, 2);
	CHECK_EQ(card_wire_recv(&w, take, &w, 2, 2000), 2);
	CHECK_EQ(card_wire_recv(&w, take, &w, 64, 2000), 1);
	CHECK(frames == 5 && last_len == 64);
	commit(60, 7, 3000);
	CHECK_EQ(card_wire_room(&w), CARD_WIRE_SLOTS);
	CHECK_EQ(card_wire_deadline(&w), 4000);
	CHECK_EQ(card_wire_flush(&w, 3999), 0);
	CHECK(read(peer, big, 1) < 0);
	CHECK_EQ(card_wire_flush(&w, 4000), 0);
	arrives(60, 7);
	CHECK_EQ(card_wire_deadline(&w), UINT64_MAX);
	/* With all slots in use the queue's end is nobody's business. */
	commit(60, 8, 5000);
	w.st->tail = w.st->head + CARD_WIRE_SLOTS;
	CHECK_EQ(card_wire_deadline(&w), UINT64_MAX);
	w.st->tail = w.st->head;
	unwire();
}

/* Whole frames that were received and sent, each with its time. */
static void capture(void)
{
	char path[] = "/tmp/toecard-test-XXXXXX";
	static uint8_t file[200];
	uint32_t word[10], i;
	struct timespec before, after;
	struct stat st;
	int fd;

	close(mkstemp(path));
	CHECK(!unlink(path));
	umask(0);
	fd = card_pcap_open(path);
	CHECK(fd >= 0 && !fstat(fd, &st));
	CHECK_EQ(st.st_mode, S_IFREG | 0644);
	close(fd);
	CHECK(!truncate(path, 1000));		/* an old one is overwritten */
	wire(CARD_WIRE_STREAM);
	fd = card_pcap_open(path);
	CHECK(fd >= 0);
	w.pcap = card_pcap_create(fd);
	send_frame(70, 70);
	clock_gettime(CLOCK_REALTIME, &before);
	CHECK_EQ(receive(64), 1);
	clock_gettime(CLOCK_REALTIME, &after);
	send_frame(CARD_WIRE_FRAME + 1, CARD_WIRE_FRAME + 1);
	CHECK_EQ(receive(64), 1);
	commit(60, 5, 1);
	CHECK_EQ(card_wire_flush(&w, 1), 0);
	CHECK(!fstat(fd, &st) && st.st_size == 24);
	card_pcap_flush(w.pcap);
	card_pcap_destroy(w.pcap);
	card_pcap_destroy(NULL);
	w.pcap = NULL;
	close(fd);
	fd = open(path, O_RDONLY);
	CHECK_EQ(read(fd, file, sizeof(file)), 24 + 16 + 70 + 16 + 60);
	close(fd);
	unlink(path);
	memcpy(word, file, 40);
	CHECK_EQ(word[0], 0xa1b23c4d);
	CHECK_EQ(word[1], 0x00040002);
	CHECK(word[2] == 0 && word[3] == 0 && word[5] == 1);
	CHECK_EQ(word[4], 65535);
	CHECK(word[6] >= before.tv_sec && word[6] <= after.tv_sec);
	CHECK(word[6] > before.tv_sec || word[7] >= before.tv_nsec);
	CHECK(word[6] < after.tv_sec || word[7] <= after.tv_nsec);
	CHECK(word[8] == 70 && word[9] == 70);
	CHECK(!memcmp(file + 40, big, 70));
	memcpy(word, file + 110, 16);
	CHECK(word[2] == 60 && word[3] == 60);
	CHECK_EQ(file[126], 5);
	for (i = 1; i < 60; i++)
		CHECK_EQ(file[126 + i], 0xee);
	unwire();
}

/* The buffer of 256 KB is written when the next record wouldn't fit. */
static void capture_is_buffered(void)
{
	char path[] = "/tmp/toecard-test-XXXXXX";
	struct card_pcap *p;
	struct stat st;
	int fd;

	close(mkstemp(path));
	fd = card_pcap_open(path);
	p = card_pcap_create(fd);
	card_pcap_add(p, big, 65536);			/* too large to be one */
	card_pcap_add(p, big, 65535);
	card_pcap_add(p, big, 65535);
	card_pcap_add(p, big, 65535);
	card_pcap_add(p, big, 262144 - 3 * (65535 + 16) - 16);
	CHECK(!fstat(fd, &st) && st.st_size == 24);
	card_pcap_add(p, big, 0);
	CHECK(!fstat(fd, &st) && st.st_size == 24 + 262144);
	card_pcap_flush(p);
	CHECK(!fstat(fd, &st) && st.st_size == 24 + 262144 + 16);
	card_pcap_flush(p);
	CHECK(!fstat(fd, &st) && st.st_size == 24 + 262144 + 16);
	card_pcap_destroy(p);
	close(fd);
	unlink(path);
	CHECK_EQ(card_pcap_open("/nonexistent/x"), -ENOENT);
	CHECK_EQ(card_pcap_open("/dev/full"), -ENOSPC);
}

static void opening(void)
{
	char dir[] = "/tmp/toecard-test-XXXXXX", path[128], longest[120];
	int listener, a, b;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	memset(longest, 'x', sizeof(longest));
	longest[108] = 0;
	CHECK_EQ(card_wire_connect(longest), -ENAMETOOLONG);
	CHECK_EQ(card_wire_listen(longest), -ENAMETOOLONG);
	longest[107] = 0;
	CHECK_EQ(card_wire_connect(longest), -ENOENT);
	CHECK_EQ(card_wire_connect(path), -ENOENT);
	CHECK_EQ(card_wire_listen("/nonexistent/x"), -ENOENT);
	listener = card_wire_listen(path);
	CHECK(listener >= 0);
	CHECK_EQ(card_wire_accept(listener), -EAGAIN);
	a = card_wire_connect(path);
	b = card_wire_accept(listener);
	CHECK(a >= 0 && b >= 0);
	CHECK(write(a, "x", 1) == 1 && read(b, longest, 2) == 1);
	CHECK(read(b, longest, 2) < 0 && errno == EAGAIN);
	CHECK(read(a, longest, 2) < 0 && errno == EAGAIN);
	close(a);
	close(b);
	close(listener);
	CHECK_EQ(card_wire_connect(path), -ECONNREFUSED);
	listener = card_wire_listen(path);		/* over the old file */
	CHECK(listener >= 0);
	close(listener);
	unlink(path);
	rmdir(dir);
	CHECK_EQ(card_wire_tap(""), -EINVAL);
	CHECK_EQ(card_wire_tap("0123456789abcdef"), -EINVAL);
}

static const struct kit_test tests[] = {
	KIT_TEST(lengths_of_received_frames),
	KIT_TEST(so_many_at_a_time),
	KIT_TEST(pending_means_a_whole_frame),
	KIT_TEST(a_new_connection_begins_with_a_frame),
	KIT_TEST(a_new_process_drops_what_was_queued),
	KIT_TEST(streams),
	KIT_TEST(taps),
	KIT_TEST(received_from_a_tap),
	KIT_TEST(errors_of_a_tap),
	KIT_TEST(a_peer_that_has_gone),
	KIT_TEST(stalls),
	KIT_TEST(impaired_both_ways),
	KIT_TEST(capture),
	KIT_TEST(capture_is_buffered),
	KIT_TEST(opening),
};
KIT_MAIN(tests)
