/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Impairment: the option's every unit and bound, the dice, and when frames arrive. */
#include "../wire/impair.h"
#include "kit.h"

static struct card_impair_opts opts(const char *text)
{
	struct card_impair_opts o;
	char err[128];

	CHECK(!card_impair_parse(text, &o, err, sizeof(err)));
	return o;
}

static void refused(const char *text, const char *why)
{
	struct card_impair_opts o;
	char err[128] = { 0 };

	CHECK(card_impair_parse(text, &o, err, sizeof(err)));
	if (strcmp(err, why))
		printf("# '%s': '%s'\n", text, err);
	CHECK(!strcmp(err, why));
}

static void units(void)
{
	CHECK_EQ(opts("delay=7us").delay_us, 7);
	CHECK_EQ(opts("delay=7ms").delay_us, 7000);
	CHECK_EQ(opts("delay=1.5s").delay_us, 1500000);
	CHECK_EQ(opts("delay=0us").delay_us, 0);
	CHECK_EQ(opts("delay=1000000000000us").delay_us, UINT64_C(1000000000000));
	CHECK_EQ(opts("jitter=3ms").jitter_us, 3000);
	CHECK_EQ(opts("late=3ms").late_us, 3000);
	CHECK_EQ(opts("rate=1000bit").rate_bps, 1000);
	CHECK_EQ(opts("rate=64kbit").rate_bps, 64000);
	CHECK_EQ(opts("rate=2.5mbit").rate_bps, 2500000);
	CHECK_EQ(opts("rate=1gbit").rate_bps, 1000000000);
	CHECK_EQ(opts("rate=1mbit,queue=1").queue_bytes, 1);
	CHECK_EQ(opts("rate=1mbit,queue=2k").queue_bytes, 2048);
	CHECK_EQ(opts("rate=1mbit,queue=3m").queue_bytes, 3 * 1048576);
	CHECK_EQ(opts("rate=1mbit,ecn=7").ecn_bytes, 7);
	CHECK_EQ(opts("seed=12").seed, 12);
	CHECK_EQ(opts("seed=0x12").seed, 0x12);
	CHECK_EQ(opts("delay=1ms").seed, 1);
	CHECK_EQ(opts("dir=rx").dirs, CARD_IMPAIR_RX);
	CHECK_EQ(opts("dir=tx").dirs, CARD_IMPAIR_TX);
	CHECK_EQ(opts("dir=both").dirs, CARD_IMPAIR_RX | CARD_IMPAIR_TX);
}

static void shares(void)
{
	CHECK_EQ(opts("loss=0").loss, 0);
	CHECK_EQ(opts("loss=1").loss, UINT32_MAX);
	CHECK_EQ(opts("loss=100%").loss, UINT32_MAX);
	CHECK_EQ(opts("loss=50%").loss, 1u << 31);
	CHECK_EQ(opts("reorder=0.25").reorder, 1u << 30);
	CHECK_EQ(opts("dup=25%").dup, 1u << 30);
	CHECK_EQ(opts("corrupt=12.5%").corrupt, 1u << 29);
	CHECK_EQ(opts("burst=25%:4").burst, 1u << 30);
	CHECK(opts("burst=25%:4").burst_frames == 4);
	CHECK(opts("burst=25%:1").burst_frames == 1);
	CHECK(opts("burst=25%:1000").burst_frames == 1000);
	CHECK(opts("burst=25%:1.5").burst_frames == 1.5);
	CHECK_EQ(opts("burst=49.99%:4").burst, (uint32_t)(0.4999 * 4294967296.0));
	refused("burst=50%:4", "impairment burst: bad value '50%'");
	refused("burst=25%:1001", "impairment burst: bad value '25%'");
	refused("burst=25%:0.9", "impairment burst: bad value '25%'");
	refused("burst=x:4", "impairment burst: bad value 'x'");
}

static void mistakes_are_named(void)
{
	refused("loss", "impairment 'loss' has no value");
	refused("delay=1ms,dup", "impairment 'dup' has no value");
	refused("lost=1%", "unknown impairment 'lost'");
	refused("loss=1.1", "impairment loss: bad value '1.1'");
	refused("loss=-0.1", "impairment loss: bad value '-0.1'");
	refused("loss=%", "impairment loss: bad value '%'");
	refused("loss=1%x", "impairment loss: bad value '1%x'");
	refused("delay=-1ms", "impairment delay: bad value '-1ms'");
	refused("delay=1000000000001us", "impairment delay: bad value '1000000000001us'");
	refused("delay=us", "impairment delay: bad value 'us'");
	refused("rate=999bit", "impairment rate: bad value '999bit'");
	refused("rate=x", "impairment rate: bad value 'x'");
	refused("rate=1mbit,queue=0", "impairment queue: bad value '0'");
	refused("rate=1mbit,queue=1g", "impairment queue: bad value '1g'");
	refused("seed=", "impairment seed: bad value ''");
	refused("seed=5x", "impairment seed: bad value '5x'");
	refused("dir=all", "impairment dir: bad value 'all'");
	refused("queue=5", "impairments queue and ecn need a rate");
	refused("ecn=5", "impairments queue and ecn need a rate");
	/* The first mistake is the one that is told. */
	refused("loss=2,delay=x", "impairment loss: bad value '2'");
	refused("queue=5,loss=2", "impairment loss: bad value '2'");
}

/* The dice by themselves, as the comment in impair.c has them. */
static uint64_t draw(uint64_t *rng)
{
	uint64_t z = *rng += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Each frame's fate, from the seed and its number, by another hand. */
static void fates_are_what_the_seed_says(void)
{
	struct card_impair_opts o = opts("loss=10%,dup=20%,corrupt=30%,reorder=15%,late=9ms,"
					 "delay=4ms,jitter=2ms,seed=77");
	struct card_impair *imp = card_impair_create(&o, 1);
	uint64_t rng = 77 * 2 + 1, last_due = 0;
	uint8_t f[60], want[60], got[60];
	unsigned int i, j, lost = 0, late = 0;

	for (i = 0; i < 2000; i++) {
		bool loss = (uint32_t)draw(&rng) < o.loss, dup = (uint32_t)draw(&rng) < o.dup;
		bool corrupt = (uint32_t)draw(&rng) < o.corrupt;
		bool reorder = (uint32_t)draw(&rng) < o.reorder;
		uint64_t bit = draw(&rng), wobble = draw(&rng), now = i * 100000, due;

		for (j = 0; j < sizeof(f); j++)
			f[j] = i + j;
		memcpy(want, f, sizeof(f));
		if (corrupt)
			want[14 + bit / 8 % 46] ^= 1 << bit % 8;
		due = now + 4000 + wobble % 2001;
		if (reorder)
			due += 9000 + 2000;
		else if (due < last_due)
			due = last_due;
		if (!loss && !reorder)
			last_due = due;
		card_impair_put(imp, f, sizeof(f), now);
		lost += loss;
		if (loss) {
			CHECK_EQ(card_impair_deadline(imp), UINT64_MAX);
			continue;
		}
		late += reorder;
		CHECK_EQ(card_impair_deadline(imp), due);
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), due - 1), 0);
		for (j = 0; j <= dup; j++) {
			CHECK_EQ(card_impair_get(imp, got, sizeof(got), due), sizeof(f));
			CHECK(!memcmp(got, want, sizeof(f)));
		}
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), due), 0);
	}
	CHECK(lost > 150 && lost < 250 && late > 200 && late < 340);
	card_impair_destroy(imp);
}

/* Bursts: their own dice, begun and ended with these probabilities. */
static void bursts_are_what_the_seed_says(void)
{
	struct card_impair_opts o = opts("burst=20%:4,seed=5");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint64_t rng = ~UINT64_C(10), now = 0, last = 0;
	double share = o.burst / 4294967296.0;
	uint32_t leave = 4294967295.0 / 4, enter = 4294967295.0 * share / ((1 - share) * 4);
	uint8_t f[60] = { 0 }, got[60];
	bool in = false;
	unsigned int i;

	for (i = 0; i < 5000; i++) {
		uint32_t dice = draw(&rng);

		now += i % 50 == 49 ? 50001 : i % 50 == 24 ? 50000 : 100;
		if (now - last > 50000)
			in = false;
		last = now;
		in = in ? dice >= leave : dice < enter;
		card_impair_put(imp, f, sizeof(f), now);
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), now), in ? 0 : sizeof(f));
	}
	card_impair_destroy(imp);
}

/* Three hundred frames, all under way, in and out in the order of their times. */
static void frames_arrive_in_order(void)
{
	struct card_impair_opts o = opts("reorder=50%,late=1ms,jitter=3ms");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint64_t now, rng = 3, seen = 0, in = 0;
	uint8_t f[60] = { 0 }, got[60];

	for (now = 1000; now < 2000000; now += 10) {
		if (now < 1000000 && draw(&rng) % 3 == 0) {
			card_impair_put(imp, f, sizeof(f), now);
			in++;
		}
		CHECK(card_impair_deadline(imp) > now - 10);
		while (card_impair_deadline(imp) <= now) {
			CHECK_EQ(card_impair_get(imp, got, sizeof(got), now), 60);
			seen++;
		}
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), now), 0);
	}
	CHECK_EQ(seen, in);
	card_impair_destroy(imp);
}

/* Due at the same time, they keep their order; and 4096 may be under way. */
static void the_way_is_bounded(void)
{
	struct card_impair_opts o = opts("delay=1ms");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[60] = { 0 }, got[60];
	uint32_t i;

	for (i = 0; i < 4097; i++) {
		card_put32(f + 20, i);
		card_impair_put(imp, f, sizeof(f), 5);
	}
	for (i = 0; i < 4096; i++) {
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), 1005), 60);
		CHECK_EQ(card_get32(got + 20), i);
	}
	CHECK_EQ(card_impair_get(imp, got, sizeof(got), 1005), 0);
	/* What is still under way at the end is freed: kit.c looks. */
	card_impair_put(imp, f, sizeof(f), 5);
	card_impair_destroy(imp);
	card_impair_destroy(NULL);
}

static void frames_are_bounded(void)
{
	struct card_impair_opts o = opts("delay=1us");
	struct card_impair *imp = card_impair_create(&o, 0);
	static uint8_t f[20000], got[20000];

	card_impair_put(imp, f, 0, 0);
	card_impair_put(imp, f, 16385, 0);
	CHECK_EQ(card_impair_deadline(imp), UINT64_MAX);
	card_impair_put(imp, f, 16384, 0);
	CHECK_EQ(card_impair_get(imp, got, 16384, 1), 16384);
	/* One that the receiver has no room for is passed over. */
	card_impair_put(imp, f, 101, 0);
	card_impair_put(imp, f, 100, 0);
	CHECK_EQ(card_impair_get(imp, got, 100, 1), 100);
	CHECK_EQ(card_impair_get(imp, got, 100, 1), 0);
	/* Nothing of the Ethernet header is ever changed, nor is there else to change. */
	o = opts("corrupt=100%");
	card_impair_destroy(imp);
	imp = card_impair_create(&o, 0);
	card_impair_put(imp, f, 14, 0);
	CHECK_EQ(card_impair_get(imp, got, 100, 1), 14);
	CHECK(!memcmp(f, got, 14));
	card_impair_put(imp, f, 15, 0);
	CHECK_EQ(card_impair_get(imp, got, 100, 1), 15);
	CHECK(!memcmp(f, got, 14) && f[14] != got[14]);
	card_impair_destroy(imp);
}

/* A line of 1 Mbit/s: 8 us per byte, and what waits is counted by bytes. */
static void the_line_is_bounded(void)
{
	struct card_impair_opts o = opts("rate=1mbit,queue=1000");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[1000] = { 0 }, got[1000];
	unsigned int n = 0;

	card_impair_put(imp, f, 600, 1000);		/* idle: until 5800 */
	CHECK_EQ(card_impair_deadline(imp), 5800);
	card_impair_put(imp, f, 401, 1000);		/* 600 wait: one too many */
	card_impair_put(imp, f, 400, 1000);		/* until 9000 */
	card_impair_put(imp, f, 1, 1007);		/* less than a byte has left */
	card_impair_put(imp, f, 1, 1008);		/* one has: until 9008 */
	while (card_impair_get(imp, got, sizeof(got), 9007))
		n++;
	CHECK_EQ(n, 2);
	CHECK_EQ(card_impair_deadline(imp), 9008);
	CHECK_EQ(card_impair_get(imp, got, sizeof(got), 9008), 1);
	/* Idle for a while: that isn't saved up. */
	card_impair_put(imp, f, 100, 50000);
	CHECK_EQ(card_impair_deadline(imp), 50800);
	card_impair_destroy(imp);
}

/* Marked with more than so many bytes waiting, if it's an IP packet that admits it. */
static void marks(void)
{
	struct card_impair_opts o = opts("rate=1mbit,ecn=600");
	struct card_impair *imp;
	uint8_t f[1000] = { 0 }, got[1000];
	unsigned int i;

	static const struct {
		uint32_t before, len;
		bool marked;
	} cases[] = {
		{ 600, 100, false }, { 601, 100, true }, { 601, 34, true }, { 601, 33, false },
	};

	for (i = 0; i < 4; i++) {
		imp = card_impair_create(&o, 0);
		card_put16(f + 12, 0x0800);
		f[14] = 0x45;
		f[15] = 2;
		card_impair_put(imp, f, cases[i].before, 0);
		card_impair_put(imp, f, cases[i].len, 0);
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), 1000000), cases[i].before);
		CHECK_EQ(got[15], 2);
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), 1000000), cases[i].len);
		CHECK_EQ(got[15], cases[i].marked ? 3 : 2);
		card_impair_destroy(imp);
	}
}

/* Of many that wait each comes when it's due, the earliest first. */
static void the_earliest_is_first(void)
{
	struct card_impair_opts o = opts("delay=10ms,jitter=9ms,seed=3");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[64] = { 0 }, got[64];
	uint64_t due, last = 0;
	unsigned int i;

	for (i = 0; i < 1000; i++)
		card_impair_put(imp, f, sizeof(f), 7 * i);
	for (i = 0; i < 1000; i++) {
		due = card_impair_deadline(imp);
		CHECK(due >= last && due != UINT64_MAX);
		CHECK(!card_impair_get(imp, got, sizeof(got), due - 1));
		CHECK_EQ(card_impair_get(imp, got, sizeof(got), due), sizeof(f));
		last = due;
	}
	CHECK_EQ(card_impair_deadline(imp), UINT64_MAX);
	card_impair_destroy(imp);
}

/* More than a router would keep is lost, and nothing else. */
static void a_full_queue_loses(void)
{
	struct card_impair_opts o = opts("delay=1s");
	struct card_impair *imp = card_impair_create(&o, 0);
	uint8_t f[64] = { 0 }, got[64];
	unsigned int i;

	for (i = 0; i < 5000; i++)
		card_impair_put(imp, f, sizeof(f), 1);
	for (i = 0; card_impair_get(imp, got, sizeof(got), 2000000); i++)
		;
	CHECK_EQ(i, 4096);
	card_impair_destroy(imp);
}

static const struct kit_test tests[] = {
	KIT_TEST(the_earliest_is_first),
	KIT_TEST(a_full_queue_loses),
	KIT_TEST(units),
	KIT_TEST(shares),
	KIT_TEST(mistakes_are_named),
	KIT_TEST(fates_are_what_the_seed_says),
	KIT_TEST(bursts_are_what_the_seed_says),
	KIT_TEST(frames_arrive_in_order),
	KIT_TEST(the_way_is_bounded),
	KIT_TEST(frames_are_bounded),
	KIT_TEST(the_line_is_bounded),
	KIT_TEST(marks),
};
KIT_MAIN(tests)
