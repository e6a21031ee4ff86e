// SPDX-License-Identifier: GPL-2.0
/*
 * toe_xfer - moves byte streams over many TCP connections at once, both ways,
 * and checks every byte.
 *
 *	toe_xfer server --port 5000 --conns 64
 *	toe_xfer client --to 10.0.0.2 --port 5000 --conns 64 --up 1-1000000
 *
 * The client tells the server what to do in a header of each connection (struct
 * job), so the server is the same for all scenarios.  Each connection has a
 * sending and a receiving thread.  SIGUSR1 lifts --rate, and ends what --stay makes go on;
 * SIGUSR2 ends holds and pauses.
 * The last line of output is one JSON object.
 * Exit status: 0 all well, 1 a connection failed, 2 usage.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "xfer.h"

const char * const order_names[] = {
	[ORDER_BOTH]		= "both",
	[ORDER_CLIENT_FIRST]	= "client-first",
	[ORDER_SERVER_FIRST]	= "server-first",
	[ORDER_CLOSE_CLIENT]	= "close-client",
	[ORDER_CLOSE_SERVER]	= "close-server",
	[ORDER_RST_CLIENT]	= "rst-client",
	[ORDER_RST_SERVER]	= "rst-server",
	[ORDER_RANDOM]		= "random",
};

struct options opt = {
	.conns = 1, .seed = 1, .timeout = 120, .retry_s = 10,
	.up = { 1 << 20, 1 << 20 },
};

volatile sig_atomic_t hurry;
static volatile sig_atomic_t released;

static struct conn *conns;
static struct timespec started;

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec - started.tv_sec) + (ts.tv_nsec - started.tv_nsec) / 1e9;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* A hold or a pause: until time is up, or SIGUSR2 says that it's enough. */
void linger_ms(unsigned int ms)
{
	unsigned int step;

	for (; ms && !released; ms -= step) {
		step = ms < 20 ? ms : 20;
		sleep_ms(step);
	}
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "toe_xfer: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(2);
}

static socklen_t resolve(const char *host, const char *port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, host, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(atoi(port));
		return sizeof(*sin);
	}
	if (inet_pton(AF_INET6, host, &six->sin6_addr) != 1)
		die("%s is no address", host);
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(atoi(port));
	return sizeof(*six);
}

/* The server isn't there yet, or there is no way to it for a moment. */
static bool may_pass(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH || err == ENETUNREACH;
}

static int connect_retrying(void)
{
	double until = now() + opt.retry_s;
	struct sockaddr_storage to;
	socklen_t len = resolve(opt.to, opt.port, &to);
	int fd;

	for (;;) {
		fd = socket(to.ss_family, SOCK_STREAM, 0);
		if (fd < 0)
			return -1;
		if (opt.rcvbuf)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &opt.rcvbuf, sizeof(opt.rcvbuf));
		if (!connect(fd, (struct sockaddr *)&to, len))
			return fd;
		if (!may_pass(errno) || now() > until)
			return -1;
		close(fd);
		sleep_ms(50);
	}
}

static void *client_main(void *arg)
{
	struct conn *c = arg;

	c->fd = connect_retrying();
	if (c->fd < 0) {
		fail(c, "connect: %s", strerror(errno));
		return NULL;
	}
	if (send(c->fd, &c->job, sizeof(c->job), MSG_NOSIGNAL) != sizeof(c->job)) {
		fail(c, "send of the header: %s", strerror(errno));
		close(c->fd);
		return NULL;
	}
	conn_run(c);
	return NULL;
}

static void *server_main(void *arg)
{
	struct conn *c = arg;

	if (recv(c->fd, &c->job, sizeof(c->job), MSG_WAITALL) != sizeof(c->job) ||
	    c->job.magic != JOB_MAGIC || c->job.order >= ORDERS) {
		fail(c, "no valid header");
		close(c->fd);
		return NULL;
	}
	conn_run(c);
	return NULL;
}

static uint64_t between(uint64_t *state, const uint64_t range[2])
{
	return range[0] + rnd(state) % (range[1] - range[0] + 1);
}

static void plan_job(struct job *job, unsigned int index)
{
	uint64_t state = stream_mix(opt.seed + index);

	*job = opt.job;
	job->magic = JOB_MAGIC;
	job->index = index;
	job->seed = rnd(&state);
	job->up = between(&state, opt.up);
	job->down = between(&state, opt.down);
	if (job->order == ORDER_RANDOM)
		job->order = rnd(&state) % ORDER_RST_CLIENT;
	if (!opt.job.late) {
		uint64_t total = job->order == ORDER_CLIENT_FIRST ? job->down : job->up;

		job->late = total / 2;
	}
}

static void run_client(void)
{
	unsigned int i;

	for (i = 0; i < opt.conns; i++) {
		plan_job(&conns[i].job, i);
		conns[i].client = true;
		if (pthread_create(&conns[i].thread, NULL, client_main, &conns[i]))
			die("no threads");
	}
	for (i = 0; i < opt.conns; i++)
		pthread_join(conns[i].thread, NULL);
}

static void run_server(void)
{
	struct sockaddr_storage at;
	socklen_t len = resolve(opt.bind ? opt.bind : "::", opt.port, &at);
	int fd = socket(at.ss_family, SOCK_STREAM, 0), on = 1;
	unsigned int i;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (opt.rcvbuf)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &opt.rcvbuf, sizeof(opt.rcvbuf));
	if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, CONNS_MAX))
		die("port %s: %s", opt.port, strerror(errno));
	for (i = 0; i < opt.conns; i++) {
		conns[i].fd = accept(fd, NULL, NULL);
		if (conns[i].fd < 0)
			die("accept: %s", strerror(errno));
		if (pthread_create(&conns[i].thread, NULL, server_main, &conns[i]))
			die("no threads");
	}
	for (i = 0; i < opt.conns; i++)
		pthread_join(conns[i].thread, NULL);
}

static void print_errors(FILE *f)
{
	unsigned int i, shown = 0;

	fprintf(f, "\"errors\":[");
	for (i = 0; i < opt.conns && shown < 8; i++)
		if (conns[i].failed)
			fprintf(f, "%s\"%u %s: %s\"", shown++ ? "," : "",
				conns[i].job.index, order_names[conns[i].job.order],
				conns[i].why);
	fprintf(f, "]");
}

#define SUM(field) ({							\
	unsigned long long sum = 0;					\
	for (unsigned int n = 0; n < opt.conns; n++)			\
		if (conns[n].have_info)					\
			sum += conns[n].info.field;			\
	sum; })

static void print_info(FILE *f)
{
	unsigned int i, have = 0, ulp = 0;

	for (i = 0; i < opt.conns; i++) {
		have += conns[i].have_info;
		ulp += !strcmp(conns[i].ulp, "toe");
	}
	fprintf(f, "\"ulp\":%u,\"info\":{\"conns\":%u,\"bytes_acked\":%llu,"
		"\"bytes_received\":%llu,\"bytes_sent\":%llu,\"bytes_retrans\":%llu,"
		"\"segs_in\":%llu,\"segs_out\":%llu,\"data_segs_in\":%llu,"
		"\"data_segs_out\":%llu,\"total_retrans\":%llu,\"rtt_us\":%llu,"
		"\"min_rtt_us\":%llu,\"cwnd\":%llu,\"mss\":%llu,\"delivered\":%llu,"
		"\"unacked\":%llu},", ulp, have, SUM(tcpi_bytes_acked),
		SUM(tcpi_bytes_received), SUM(tcpi_bytes_sent), SUM(tcpi_bytes_retrans),
		SUM(tcpi_segs_in), SUM(tcpi_segs_out), SUM(tcpi_data_segs_in),
		SUM(tcpi_data_segs_out), SUM(tcpi_total_retrans), SUM(tcpi_rtt),
		SUM(tcpi_min_rtt), SUM(tcpi_snd_cwnd), SUM(tcpi_snd_mss),
		SUM(tcpi_delivered), SUM(tcpi_unacked));
}

static int report(void)
{
	unsigned long long sent = 0, received = 0;
	unsigned int i, failed = 0, resets = 0;
	double seconds = now();

	for (i = 0; i < opt.conns; i++) {
		sent += conns[i].sent;
		received += conns[i].received;
		failed += conns[i].failed;
		resets += conns[i].reset_seen;
	}
	printf("{\"role\":\"%s\",\"conns\":%u,\"ok\":%u,\"failed\":%u,\"resets\":%u,"
	       "\"sent\":%llu,\"received\":%llu,\"seconds\":%.3f,",
	       opt.server ? "server" : "client", opt.conns, opt.conns - failed, failed,
	       resets, sent, received, seconds);
	print_info(stdout);
	print_errors(stdout);
	printf("}\n");
	fflush(stdout);
	return failed != 0;
}

/* Whoever is late is named, then all is over. */
static void *watchdog(void *arg)
{
	unsigned int i;

	(void)arg;
	sleep_ms(opt.timeout * 1000);
	for (i = 0; i < opt.conns; i++)
		if (conns[i].fd >= 0)
			fail(&conns[i], "stuck: sent %llu of %llu, received %llu of %llu",
			     (unsigned long long)conns[i].sent,
			     (unsigned long long)tx_total(&conns[i]),
			     (unsigned long long)conns[i].received,
			     (unsigned long long)rx_total(&conns[i]));
	report();
	_exit(1);
}

static uint64_t number(const char *s, char **end)
{
	uint64_t n = strtoull(s, end, 0);

	switch (**end) {
	case 'k':
		(*end)++;
		return n << 10;
	case 'M':
		(*end)++;
		return n << 20;
	}
	return n;
}

static uint64_t single(const char *s)
{
	char *end;
	uint64_t n = number(s, &end);

	if (end == s || *end)
		die("%s is not a number", s);
	return n;
}

static void range(const char *s, uint64_t out[2])
{
	char *end;

	out[0] = number(s, &end);
	if (end == s)
		die("%s is not a number", s);
	out[1] = out[0];
	if (*end == '-')
		out[1] = single(end + 1);
	else if (*end)
		die("%s is neither a number nor a range", s);
	if (out[1] < out[0])
		die("%s ends before it begins", s);
}

static const struct option options[] = {
	{ "to",		required_argument, NULL, 't' },
	{ "bind",	required_argument, NULL, 'b' },
	{ "port",	required_argument, NULL, 'p' },
	{ "conns",	required_argument, NULL, 'n' },
	{ "seed",	required_argument, NULL, 's' },
	{ "up",		required_argument, NULL, 'u' },
	{ "down",	required_argument, NULL, 'd' },
	{ "order",	required_argument, NULL, 'o' },
	{ "late",	required_argument, NULL, 'l' },
	{ "rst-at",	required_argument, NULL, 'r' },
	{ "rate",	required_argument, NULL, 'R' },
	{ "pause-at",	required_argument, NULL, 'P' },
	{ "pause-ms",	required_argument, NULL, 'm' },
	{ "pause",	required_argument, NULL, 'w' },
	{ "hold-ms",	required_argument, NULL, 'h' },
	{ "timeout",	required_argument, NULL, 'T' },
	{ "retry",	required_argument, NULL, 'y' },
	{ "rcvbuf",	required_argument, NULL, 'B' },
	{ "act",	required_argument, NULL, 'A' },
	{ "act-at",	required_argument, NULL, 'X' },
	{ "mixed",	no_argument,	   NULL, 'x' },
	{ "zerocopy",	no_argument,	   NULL, 'z' },
	{ "stay",	no_argument,	   NULL, 'S' },
	{ "ulp",	no_argument,	   NULL, 'U' },
	{ "aborts-ok",	no_argument,	   NULL, 'a' },
	{ "verbose",	no_argument,	   NULL, 'v' },
	{ }
};

static uint32_t order_of(const char *name)
{
	uint32_t i;

	for (i = 0; i <= ORDER_RANDOM; i++)
		if (!strcmp(name, order_names[i]))
			return i;
	die("there is no order «%s»", name);
}

static uint32_t pause_of(const char *who)
{
	if (!strcmp(who, "both"))
		return PAUSE_CLIENT | PAUSE_SERVER;
	return !strcmp(who, "client") ? PAUSE_CLIENT : PAUSE_SERVER;
}

static void parse(int argc, char **argv)
{
	int o;

	if (argc < 2 || (strcmp(argv[1], "server") && strcmp(argv[1], "client")))
		die("usage: toe_xfer server|client --port N [--to ADDRESS] …, see README.rst");
	opt.server = !strcmp(argv[1], "server");
	while ((o = getopt_long(argc - 1, argv + 1, "", options, NULL)) != -1) {
		switch (o) {
		case 't': opt.to = optarg; break;
		case 'b': opt.bind = optarg; break;
		case 'p': snprintf(opt.port, sizeof(opt.port), "%s", optarg); break;
		case 'n': opt.conns = single(optarg); break;
		case 's': opt.seed = single(optarg); break;
		case 'u': range(optarg, opt.up); break;
		case 'd': range(optarg, opt.down); break;
		case 'o': opt.job.order = order_of(optarg); break;
		case 'l': opt.job.late = single(optarg); break;
		case 'r': opt.job.rst_at = single(optarg); break;
		case 'R': opt.job.rate = single(optarg); break;
		case 'P': opt.job.pause_at = single(optarg); break;
		case 'm': opt.job.pause_ms = single(optarg); break;
		case 'w': opt.job.pause_who = pause_of(optarg); break;
		case 'h': opt.hold_ms = single(optarg); break;
		case 'T': opt.timeout = single(optarg); break;
		case 'y': opt.retry_s = single(optarg); break;
		case 'B': opt.rcvbuf = single(optarg); break;
		case 'A': opt.act = optarg; break;
		case 'X': opt.act_at = single(optarg); break;
		case 'x': opt.job.mixed = MIXED_ALL; break;
		case 'z': opt.job.mixed = MIXED_ZEROCOPY; break;
		case 'S': opt.job.stay = true; break;
		case 'U': opt.ulp = true; break;
		case 'a': opt.aborts_ok = true; break;
		case 'v': opt.verbose = true; break;
		default: exit(2);
		}
	}
	if (!opt.port[0] || (!opt.server && !opt.to))
		die("--port is missing, or --to for a client");
	/* Who is told to go on says by its FIN where the stream ends. */
	if (opt.job.stay && opt.job.order != ORDER_BOTH)
		die("--stay and --order exclude each other");
	if (!opt.conns || opt.conns > CONNS_MAX)
		die("--conns must be 1 to %d", CONNS_MAX);
}

static void on_usr1(int sig)
{
	(void)sig;
	hurry = 1;
}

static void on_usr2(int sig)
{
	(void)sig;
	released = 1;
}

int main(int argc, char **argv)
{
	pthread_t dog;
	unsigned int i;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_usr1);
	signal(SIGUSR2, on_usr2);
	clock_gettime(CLOCK_MONOTONIC, &started);
	parse(argc, argv);
	conns = calloc(opt.conns, sizeof(*conns));
	if (!conns)
		die("out of memory");
	for (i = 0; i < opt.conns; i++) {
		conns[i].fd = -1;
		pthread_mutex_init(&conns[i].lock, NULL);
		pthread_cond_init(&conns[i].changed, NULL);
	}
	if (pthread_create(&dog, NULL, watchdog, NULL))
		die("no threads");
	if (opt.server)
		run_server();
	else
		run_client();
	return report();
}
