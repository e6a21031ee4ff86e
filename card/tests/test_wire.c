/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Impairment, stream framing, capture. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "kit.h"

static struct card_impair_opts opts(const char *text)
{
	struct card_impair_opts o;
	char err[128];

	CHECK(!card_impair_parse(text, &o, err, sizeof(err)));
	return o;
}

static void options_are_read(void)
{
	struct card_impair_opts o = opts("loss=1%,reorder=0.5,dup=100%,corrupt=0.1%,delay=20ms,"
					 "jitter=250us,rate=10mbit,seed=0x7,dir=tx,"
					 "burst=2%:8,late=5ms,queue=64k,ecn=3000");

	CHECK_EQ(o.loss, 42949672);
	CHECK_EQ(o.reorder, 1u << 31);
	CHECK_EQ(o.dup, UINT32_MAX);
	CHECK_EQ(o.delay_us, 20000);
	CHECK_EQ(o.jitter_us, 250);
	CHECK_EQ(o.rate_bps, 10000000);
	CHECK_EQ(o.seed, 7);
	CHECK_EQ(o.dirs, CARD_IMPAIR_TX);
	CHECK_EQ(o.burst, 85899345);
	CHECK(o.burst_frames == 8);
	CHECK_EQ(o.late_us, 5000);
	CHECK_EQ(o.queue_bytes, 65536);
	CHECK_EQ(o.ecn_bytes, 3000);
	CHECK_EQ(opts("loss=0").late_us, 1000);
	CHECK_EQ(opts("loss=0").dirs, CARD_IMPAIR_TX | CARD_IMPAIR_RX);
}

static void bad_options_are_refused(void)
{
	static const char *const bad[] = {
		"loss", "loss=", "loss=101%", "loss=-1", "loss=1x", "delay=5", "delay=ms",
		"rate=0mbit", "rate=10", "seed=", "seed=x", "dir=up", "speed=1", "loss=nan",
		"burst=1%", "burst=1%:", "burst=1%:0", "burst=1%:x", "burst=60%:8", "burst=:8",
		"late=5", "queue=64k", "rate=1mbit,queue=0", "rate=1mbit,queue=64q",
		"ecn=1k", "rate=1mbit,ecn=-1",
	};
	struct card_impair_opts o;
	char err[128];
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = 0;
		CHECK(card_impair_parse(bad[i], &o, err, sizeof(err)));
		CHECK(err[0]);
	}
}

/* Send 1000 numbered frames, 100 us apart; a digest of what arrives and when. */
static uint64_t digest(const struct card_impair_opts *o, unsigned int *count, bool *ordered)
{
	struct card_impair *imp = card_impair_create(o, 0);
	uint64_t now, h = 0, sum = 0;
	uint8_t f[100], got[200];
	uint32_t last = 0, len, i;

	CHECK(imp);
	*count = 0;
	*ordered = true;
	for (now = 0; now < 1000000; now += 100) {
		if (now < 100000) {
			memset(f, 0, sizeof(f));
			card_put32(f + 14, now / 100);
			card_impair_put(imp, f, sizeof(f), now);
		}
		while ((len = card_impair_get(imp, got, sizeof(got), now))) {
			CHECK_EQ(len, sizeof(f));
			for (i = 0; i < len; i++)
				sum = sum * 31 + got[i];
			h = (h ^ sum ^ now) * 0x9e3779b97f4a7c15;
			if (card_get32(got + 14) < last)
				*ordered = false;
			last = card_get32(got + 14);
			(*count)++;
		}
	}
	CHECK_EQ(card_impair_deadline(imp), UINT64_MAX);
	card_impair_destroy(imp);
	return h;
}

static void same_seed_same_fate(void)
{
	struct card_impair_opts o = opts("loss=5%,reorder=3%,dup=2%,corrupt=1%,delay=2ms,"
					 "jitter=1ms,seed=7");
	unsigned int n1, n2;
	bool in_order;
	uint64_t h = digest(&o, &n1, &in_order);

	CHECK_EQ(digest(&o, &n2, &in_order), h);
	CHECK_EQ(n1, n2);
	CHECK(n1 > 900 && n1 < 1030 && !in_order);
	o.seed = 8;
	CHECK(digest(&o, &n2, &in_order) != h);
}

static void nothing_asked_nothing_done(void)
{
	struct card_impair_opts o = opts("delay=1ms");
	unsigned int n;
	bool ordered;

	digest(&o, &n, &ordered);
	CHECK_EQ(n, 1000);
	CHECK(ordered);
	o = opts("delay=5ms,jitter=5ms");
	digest(&o, &n, &ordered);
	CHECK(ordered);
	o = opts("loss=100%");
	digest(&o, &n, &ordered);
	CHECK_EQ(n, 0);
	o = opts("dup=100%");
	digest(&o, &n, &ordered);
	CHECK_EQ(n, 2000);
}

/* The dice of a frame don't depend on which other options are on. */
static void fates_are_independent(void)
{
	struct card_impair_opts a = opts("loss=10%,seed=3"), b = opts("loss=10%,dup=50%,seed=3");
	struct card_impair *x = card_impair_create(&a, 0), *y = card_impair_create(&b, 0);
	uint8_t f[64] = { 0 }, got[64];
	unsigned int i;

	for (i = 0; i < 500; i++) {
		bool gx, gy;

		card_impair_put(x, f, sizeof(f), i);
		card_impair_put(y, f, sizeof(f), i);
		gx = card_impair_get(x, got, sizeof(got), i);
		gy = card_impair_get(y, got, sizeof(got), i);
		CHECK_EQ(gx, gy);
		while (card_impair_get(y, got, sizeof(got), i))
			;
	}
	card_impair_destroy(x);
	card_impair_destroy(y);
}

static void rate_spreads_frames(void)
{
	struct card_impair_opts o = opts("rate=1mbit");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[1000] = { 0 }, got[1000];

	card_impair_put(imp, f, sizeof(f), 0);
	card_impair_put(imp, f, sizeof(f), 0);
	CHECK_EQ(card_impair_deadline(imp), 8000);
	CHECK(card_impair_get(imp, got, sizeof(got), 8000));
	CHECK(!card_impair_get(imp, got, sizeof(got), 15999));
	CHECK(card_impair_get(imp, got, sizeof(got), 16000));
	card_impair_destroy(imp);
}

/* Send frames one at a time; how many were lost, and in how many runs. */
static void count_losses(const struct card_impair_opts *o, unsigned int frames,
			 unsigned int *lost, unsigned int *runs)
{
	struct card_impair *imp = card_impair_create(o, 0);
	uint8_t f[64] = { 0 }, got[64];
	bool before = false, now;
	unsigned int i;

	*lost = 0;
	*runs = 0;
	for (i = 0; i < frames; i++) {
		card_impair_put(imp, f, sizeof(f), i);
		now = !card_impair_get(imp, got, sizeof(got), i);
		*lost += now;
		*runs += now && !before;
		before = now;
	}
	card_impair_destroy(imp);
}

static void bursts_have_their_share_and_length(void)
{
	struct card_impair_opts o = opts("burst=2%:8,seed=5");
	unsigned int lost, runs, again, runs_again;

	count_losses(&o, 200000, &lost, &runs);
	CHECK(lost > 3400 && lost < 4600);
	CHECK(lost > 7 * runs && lost < 9 * runs);
	count_losses(&o, 200000, &again, &runs_again);
	CHECK_EQ(again, lost);
	CHECK_EQ(runs_again, runs);
	o = opts("burst=10%:1");
	count_losses(&o, 20000, &lost, &runs);
	CHECK(lost > 1800 && lost < 2200);
}

/* A burst takes frames, but what happens to the others stays the same. */
static void bursts_leave_other_dice_alone(void)
{
	struct card_impair_opts a = opts("loss=10%,seed=3"), b = opts("loss=10%,burst=5%:4,seed=3");
	struct card_impair *x = card_impair_create(&a, 0), *y = card_impair_create(&b, 0);
	uint8_t f[64] = { 0 }, got[64];
	unsigned int i, fewer = 0;

	for (i = 0; i < 2000; i++) {
		bool gx, gy;

		card_impair_put(x, f, sizeof(f), i);
		card_impair_put(y, f, sizeof(f), i);
		gx = card_impair_get(x, got, sizeof(got), i);
		gy = card_impair_get(y, got, sizeof(got), i);
		CHECK(gx || !gy);
		fewer += gx && !gy;
	}
	CHECK(fewer > 40 && fewer < 200);
	card_impair_destroy(x);
	card_impair_destroy(y);
}

/* Frames 100 ms apart: each meets a burst that has just begun, or none. */
static void bursts_end_in_a_pause(void)
{
	struct card_impair_opts o = opts("burst=20%:100");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[64] = { 0 }, got[64];
	unsigned int i, lost = 0;

	for (i = 1; i <= 10000; i++) {
		card_impair_put(imp, f, sizeof(f), i * UINT64_C(100000));
		lost += !card_impair_get(imp, got, sizeof(got), i * UINT64_C(100000));
	}
	CHECK(lost > 5 && lost < 60);
	card_impair_destroy(imp);
}

static void late_frames_are_as_late_as_asked(void)
{
	struct card_impair_opts o = opts("reorder=100%,late=7ms,delay=1ms");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[64] = { 0 };

	card_impair_put(imp, f, sizeof(f), 0);
	CHECK_EQ(card_impair_deadline(imp), 8000);
	card_impair_destroy(imp);
}

/* 1000 bytes take 8 ms; three of them fit into the queue, delay holds no place. */
static void full_queue_drops_the_tail(void)
{
	struct card_impair_opts o = opts("rate=1mbit,queue=3000,delay=1s");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[1000] = { 0 }, got[1000];
	unsigned int i, n = 0;

	for (i = 0; i < 5; i++) {
		f[20] = i;
		card_impair_put(imp, f, sizeof(f), 0);
	}
	f[20] = 5;
	card_impair_put(imp, f, sizeof(f), 7999);
	f[20] = 6;
	card_impair_put(imp, f, sizeof(f), 8000);
	f[20] = 7;
	card_impair_put(imp, f, sizeof(f), 500000);
	for (; card_impair_get(imp, got, sizeof(got), 2000000); n++)
		CHECK_EQ(got[20], n < 3 ? n : n + 3);
	CHECK_EQ(n, 5);
	card_impair_destroy(imp);
}

static void idle_line_takes_any_frame(void)
{
	struct card_impair_opts o = opts("rate=1mbit,queue=100");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[1000] = { 0 };

	card_impair_put(imp, f, sizeof(f), 0);
	CHECK_EQ(card_impair_deadline(imp), 8000);
	card_impair_destroy(imp);
}

static bool checksum_holds(const uint8_t *ip)
{
	uint32_t sum = 0, i;

	for (i = 0; i < 20; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The second of two frames waits: what its first 16 bytes of IP look like then. */
static void marked(const uint8_t *head, uint8_t type_hi, uint8_t type_lo, uint8_t *out)
{
	struct card_impair_opts o = opts("rate=1mbit,ecn=500");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[1000] = { 0 }, got[1000];

	f[12] = type_hi;
	f[13] = type_lo;
	memcpy(f + 14, head, 20);
	card_impair_put(imp, f, sizeof(f), 0);
	card_impair_put(imp, f, sizeof(f), 0);
	CHECK_EQ(card_impair_get(imp, got, sizeof(got), 8000), 1000);
	CHECK(!memcmp(got, f, sizeof(f)));
	CHECK_EQ(card_impair_get(imp, got, sizeof(got), 16000), 1000);
	CHECK(!memcmp(got + 34, f + 34, sizeof(f) - 34));
	memcpy(out, got + 14, 20);
	card_impair_destroy(imp);
}

static void long_queue_marks_who_listens(void)
{
	uint8_t v4[20] = { 0x45, 0x02, 0x03, 0xda, 1, 2, 0x40, 0, 64, 6, 0xe1, 0x74,
			   10, 77, 0, 1, 10, 77, 0, 2 };
	uint8_t v6[20] = { 0x60, 0x1f, 1, 2 }, out[20];
	uint32_t tos, sum, i;

	for (tos = 0; tos < 256; tos++) {
		v4[1] = tos;
		v4[10] = 0;
		v4[11] = 0;
		for (sum = 0, i = 0; i < 20; i += 2)
			sum += v4[i] << 8 | v4[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		v4[10] = ~sum >> 8;
		v4[11] = ~sum;
		CHECK(checksum_holds(v4));
		marked(v4, 0x08, 0x00, out);
		CHECK_EQ(out[1], tos & 3 ? (tos | 3) : tos);
		CHECK(checksum_holds(out));
	}
	marked(v6, 0x86, 0xdd, out);
	CHECK_EQ(out[1], 0x3f);
	v6[1] = 0x0f;
	marked(v6, 0x86, 0xdd, out);
	CHECK_EQ(out[1], 0x0f);
	v6[1] = 0x1f;
	marked(v6, 0x08, 0x06, out);
	CHECK_EQ(out[1], 0x1f);
}

struct sink {
	unsigned int count;
	uint32_t last_len;
	uint8_t last;
	unsigned int stop_after;
};

static bool take(void *ctx, uint8_t *frame, uint32_t len)
{
	struct sink *s = ctx;

	s->count++;
	s->last_len = len;
	s->last = frame[len - 1];
	return s->count != s->stop_after;
}

static struct card_wire wire(int *peer)
{
	struct card_wire w = { .st = calloc(1, sizeof(*w.st)), .fd = -1 };
	int sv[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv));
	card_wire_set_fd(&w, sv[0], true);
	*peer = sv[1];
	return w;
}

static void unwire(struct card_wire *w, int peer)
{
	card_wire_set_fd(w, -1, true);
	close(peer);
	free(w->st);
}

/* Frames arrive byte by byte; in between another process takes over. */
static void framing_survives_a_new_process(void)
{
	struct sink s = { 0 };
	uint8_t bytes[2 * 104];
	struct card_wire w, next;
	unsigned int i;
	int peer;

	w = wire(&peer);
	for (i = 0; i < 2; i++) {
		memset(bytes + i * 104, i + 1, 104);
		memcpy(bytes + i * 104, "\0\0\0\x64", 4);
	}
	for (i = 0; i < sizeof(bytes); i++) {
		CHECK(write(peer, bytes + i, 1) == 1);
		CHECK(card_wire_recv(&w, take, &s, 64, 1) >= 0);
		CHECK_EQ(s.count, (i + 1) / 104);
		next = (struct card_wire){ .st = w.st, .fd = -1 };
		card_wire_set_fd(&next, dup(w.fd), false);
		close(w.fd);
		w = next;
	}
	CHECK_EQ(s.last_len, 100);
	CHECK_EQ(s.last, 2);
	unwire(&w, peer);
}

static void receiver_may_stop(void)
{
	struct sink s = { .stop_after = 2 };
	uint8_t bytes[64 + 4] = { 0, 0, 0, 64 };
	struct card_wire w;
	int peer, i;

	w = wire(&peer);
	for (i = 0; i < 5; i++)
		CHECK(write(peer, bytes, sizeof(bytes)) == sizeof(bytes));
	card_wire_recv(&w, take, &s, 64, 1);
	CHECK_EQ(s.count, 2);
	CHECK(card_wire_rx_pending(&w, 1));
	card_wire_recv(&w, take, &s, 64, 1);
	CHECK_EQ(s.count, 5);
	CHECK(!card_wire_rx_pending(&w, 1));
	unwire(&w, peer);
}

static void nonsense_length_ends_the_stream(void)
{
	struct sink s = { 0 };
	struct card_wire w;
	int peer;

	w = wire(&peer);
	CHECK(write(peer, "\xff\xff\xff\xff", 4) == 4);
	CHECK(card_wire_recv(&w, take, &s, 64, 1) < 0);
	unwire(&w, peer);
	w = wire(&peer);
	close(peer);
	CHECK(card_wire_recv(&w, take, &s, 64, 1) < 0);
	unwire(&w, -1);
}

static void slow_peer_gets_whole_frames(void)
{
	static uint8_t in[8 * 1024 * 1024];
	unsigned int i, sent = 0, have = 0, at, frames = 0;
	struct card_wire w;
	int peer, bytes = 8192;
	uint8_t *slot;
	ssize_t n;

	w = wire(&peer);
	setsockopt(w.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	for (i = 0; i < 3000; i++) {
		slot = card_wire_slot(&w);
		if (slot) {
			memset(slot, sent, 900);
			card_wire_commit(&w, 900, i);
			sent++;
		}
		CHECK(!card_wire_flush(&w, 1000 + i));
		if (i % 3 == 0 && (n = read(peer, in + have, 700)) > 0)
			have += n;
	}
	do {
		CHECK(!card_wire_flush(&w, 4000));
		n = read(peer, in + have, sizeof(in) - have);
		have += n > 0 ? n : 0;
	} while (n > 0 || w.st->head != w.st->tail);
	for (at = 0; at < have; at += 904, frames++) {
		CHECK_EQ(card_get32(in + at), 900);
		CHECK_EQ(in[at + 4], (uint8_t)frames);
		CHECK_EQ(in[at + 903], (uint8_t)frames);
	}
	CHECK_EQ(at, have);
	CHECK_EQ(frames, sent);
	CHECK_EQ(w.dropped, 0);
	unwire(&w, peer);
}

static void stalled_peer_loses_frames_not_framing(void)
{
	struct card_wire w;
	int peer, bytes = 4096;
	uint8_t *slot, in[65536];
	unsigned int i, have = 0, at;
	ssize_t n;

	w = wire(&peer);
	setsockopt(w.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	for (i = 0; (slot = card_wire_slot(&w)); i++) {
		memset(slot, i, 1000);
		card_wire_commit(&w, 1000, 1);
		card_wire_flush(&w, 1000);
	}
	card_wire_flush(&w, 1000 + 3000000);
	CHECK(w.dropped > 400);
	CHECK(card_wire_slot(&w));
	do {
		card_wire_flush(&w, 4000000);
		n = read(peer, in + have, sizeof(in) - have);
		have += n > 0 ? n : 0;
	} while (n > 0);
	for (at = 0; at < have; at += 1004)
		CHECK_EQ(card_get32(in + at), 1000);
	CHECK_EQ(at, have);
	unwire(&w, peer);
}

static void capture_has_both_directions(void)
{
	char path[] = "/tmp/toecard-test-XXXXXX";
	uint8_t file[4096], frame[64 + 4] = { 0, 0, 0, 64 };
	struct sink s = { 0 };
	struct card_wire w;
	int peer, fd = mkstemp(path);
	uint32_t word;
	ssize_t n;

	close(fd);
	w = wire(&peer);
	fd = card_pcap_open(path);
	CHECK(fd >= 0);
	w.pcap = card_pcap_create(fd);
	CHECK(write(peer, frame, sizeof(frame)) == sizeof(frame));
	card_wire_recv(&w, take, &s, 64, 1);
	memset(card_wire_slot(&w), 0xab, 80);
	card_wire_commit(&w, 80, 1);
	card_wire_flush(&w, 1);
	card_pcap_destroy(w.pcap);
	close(fd);
	fd = open(path, O_RDONLY);
	n = read(fd, file, sizeof(file));
	CHECK_EQ(n, 24 + 16 + 64 + 16 + 80);
	memcpy(&word, file, 4);
	CHECK_EQ(word, 0xa1b23c4d);
	memcpy(&word, file + 20, 4);
	CHECK_EQ(word, 1);
	memcpy(&word, file + 24 + 12, 4);
	CHECK_EQ(word, 64);
	CHECK_EQ(file[24 + 16 + 64 + 16], 0xab);
	close(fd);
	unlink(path);
	CHECK(card_pcap_open("/nonexistent/file") < 0);
	unwire(&w, peer);
}

static const struct kit_test tests[] = {
	KIT_TEST(options_are_read),
	KIT_TEST(bad_options_are_refused),
	KIT_TEST(same_seed_same_fate),
	KIT_TEST(nothing_asked_nothing_done),
	KIT_TEST(fates_are_independent),
	KIT_TEST(rate_spreads_frames),
	KIT_TEST(bursts_have_their_share_and_length),
	KIT_TEST(bursts_leave_other_dice_alone),
	KIT_TEST(bursts_leave_other_dice_alone),
	KIT_TEST(bursts_end_in_a_pause),
	KIT_TEST(late_frames_are_as_late_as_asked),
	KIT_TEST(full_queue_drops_the_tail),
	KIT_TEST(idle_line_takes_any_frame),
	KIT_TEST(long_queue_marks_who_listens),
	KIT_TEST(framing_survives_a_new_process),
	KIT_TEST(receiver_may_stop),
	KIT_TEST(nonsense_length_ends_the_stream),
	KIT_TEST(slow_peer_gets_whole_frames),
	KIT_TEST(stalled_peer_loses_frames_not_framing),
	KIT_TEST(capture_has_both_directions),
};
KIT_MAIN(tests)
