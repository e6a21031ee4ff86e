// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: runs every scenario with the switch off and on, and compares.
 *
 *	toe_diff list [long]		names; with what is expected of the card
 *	toe_diff agent			the peer's end
 *	toe_diff run [NAME]...		needs TOE_IP, PEER_IP, TOE_IP6, PEER_IP6
 *
 * Environment of «run»: TOE_SWITCH, the file that switches offload (none: two
 * native runs); TOE_TRACE, the kernel's trace with the toe: events on; TOE_SLOW.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "diff.h"
#include "judge.h"

#define CONTROL_PORT	4000
#define SCENARIOS_MAX	256
#define SECONDS		120	/* for one scenario */

static int jobs = 16;
static int port_base = 20000;

const struct scenario *scenario_at(int index)
{
	const struct scenario *const *table, *sc;

	for (table = tables; *table; table++)
		for (sc = *table; sc->name; sc++)
			if (!index--)
				return sc;
	return NULL;
}

const struct scenario *scenario_find(const char *name, int *index)
{
	const struct scenario *sc;
	int i;

	for (i = 0; (sc = scenario_at(i)); i++) {
		if (!strcmp(sc->name, name)) {
			*index = i;
			return sc;
		}
	}
	return NULL;
}

static int list(bool full)
{
	static const char * const hows[] = { "carried", "recalls", "native" };
	const struct scenario *sc;
	int i;

	for (i = 0; (sc = scenario_at(i)); i++) {
		if (full)
			printf("diff_%s\t%s\t%s\t%s\n", sc->name, hows[sc->how],
			       sc->why ?: "-", sc->calls);
		else
			printf("diff_%s\n", sc->name);
	}
	return 0;
}

static int agent(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(CONTROL_PORT),
	};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	signal(SIGCHLD, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 256)) {
		perror("toe_diff agent");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (!fork()) {
			signal(SIGCHLD, SIG_DFL);
			close(listener);
			control_serve(fd);
			_exit(0);
		}
		close(fd);
	}
}

static int port_of(int index, bool on)
{
	return port_base + (2 * index + on) * PORTS;
}

/* One scenario in a process of its own. */
static void perform(int index, bool on, struct transcript *to)
{
	int fd;

	setpgid(0, 0);
	run.sc = scenario_at(index);
	run.to = to;
	run.on = on && getenv("TOE_SWITCH");
	run.port = port_of(index, on);
	run.family = run.sc->flags & V6 ? AF_INET6 : AF_INET;
	control_open(index, CONTROL_PORT);
	fd = connection();
	if (fd >= 0)
		await_card(fd);
	run.sc->ours(fd);
	if (fd >= 0)
		close(fd);
	control_result();
	to->done = true;
	_exit(0);
}

struct job {
	int index;
	bool on;
	pid_t pid;
	struct transcript *to;
	time_t since;
};

static time_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Whoever is late is ended, with all that it has started. */
static void reap(struct job *work, int n)
{
	int i, status;

	for (i = 0; i < n; i++) {
		struct job *j = &work[i];

		if (!j->pid)
			continue;
		if (waitpid(j->pid, &status, WNOHANG) == j->pid) {
			run.to = j->to;
			if (!j->to->done && WIFSIGNALED(status))
				trouble("ended by signal %d", WTERMSIG(status));
			else if (!j->to->done && !j->to->trouble_len)
				trouble("ended early");
			kill(-j->pid, SIGKILL);
			j->pid = 0;
		} else if (seconds() - j->since > SECONDS * run.slow) {
			run.to = j->to;
			trouble("did not end within %d s", SECONDS * run.slow);
			kill(-j->pid, SIGKILL);
			waitpid(j->pid, &status, 0);
			j->pid = 0;
		}
	}
}

static void flip(bool on)
{
	const char *file = getenv("TOE_SWITCH");
	int fd;

	if (!file)
		return;
	fd = open(file, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, on ? "1" : "0", 1) != 1) {
		perror(file);
		exit(1);
	}
	close(fd);
}

/* Both runs of the scenarios for which alone() is so, as many at once as may. */
static void phase(const int *chosen, int n, bool on, bool alone,
		  struct transcript *to)
{
	static struct job work[SCENARIOS_MAX];
	int i, at_once = alone ? 1 : jobs, slot;
	time_t begin = seconds();

	memset(work, 0, sizeof(work));
	for (i = 0; i < n; i++) {
		if (!(scenario_at(chosen[i])->flags & ALONE) == alone)
			continue;
		for (;;) {
			reap(work, at_once);
			for (slot = 0; slot < at_once && work[slot].pid; slot++)
				;
			if (slot < at_once)
				break;
			nap(5);
		}
		work[slot] = (struct job){
			.index = chosen[i], .on = on, .to = &to[2 * i + on],
			.since = seconds(),
		};
		fflush(stdout);
		work[slot].pid = fork();
		if (!work[slot].pid)
			perform(chosen[i], on, work[slot].to);
	}
	for (slot = 0; slot < at_once; slot++) {
		while (work[slot].pid) {
			reap(work, at_once);
			nap(5);
		}
	}
	printf("# offload %s%s: %ld s\n", on ? "on" : "off", alone ? ", one at a time" : "",
	       (long)(seconds() - begin));
}

static int compare(const int *chosen, int n)
{
	const char *trace = getenv("TOE_SWITCH") ? getenv("TOE_TRACE") : NULL;
	struct transcript *to;
	int i, failed = 0;

	to = mmap(NULL, 2 * n * sizeof(*to), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	flip(false);
	phase(chosen, n, false, false, to);
	phase(chosen, n, false, true, to);
	flip(true);
	phase(chosen, n, true, false, to);
	phase(chosen, n, true, true, to);
	if (trace)
		judge_trace(trace);
	for (i = 0; i < n; i++)
		failed += !judge(i + 1, scenario_at(chosen[i]), &to[2 * i],
				 port_of(chosen[i], true), trace);
	return failed != 0;
}

static int run_main(int argc, char **argv)
{
	int chosen[SCENARIOS_MAX], n = 0, i;

	run.toe_ip = getenv("TOE_IP");
	run.toe_ip6 = getenv("TOE_IP6");
	run.peer_ip = getenv("PEER_IP");
	run.peer_ip6 = getenv("PEER_IP6");
	if (getenv("TOE_SLOW"))
		run.slow = atoi(getenv("TOE_SLOW"));
	if (getenv("TOE_JOBS"))
		jobs = atoi(getenv("TOE_JOBS"));
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < argc && n < SCENARIOS_MAX; i++) {
		if (!scenario_find(argv[i], &chosen[n])) {
			fprintf(stderr, "there is no scenario «%s»\n", argv[i]);
			return 2;
		}
		n++;
	}
	if (!argc)
		while (n < SCENARIOS_MAX && scenario_at(n)) {
			chosen[n] = n;
			n++;
		}
	return compare(chosen, n);
}

int main(int argc, char **argv)
{
	run.toe_ip = getenv("TOE_IP");
	run.toe_ip6 = getenv("TOE_IP6");
	if (argc > 1 && !strcmp(argv[1], "list"))
		return list(argc > 2);
	if (argc > 1 && !strcmp(argv[1], "agent"))
		return agent();
	if (argc > 1 && !strcmp(argv[1], "run"))
		return run_main(argc - 2, argv + 2);
	fprintf(stderr, "usage: toe_diff list [long] | agent | run [NAME]...\n");
	return 2;
}
