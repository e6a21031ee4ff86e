// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: are the transcripts equal, and was the card where it should be?
 *
 * What became of a connection is read from the trace of toe: events, because
 * many scenarios run at once; differential.sh holds its sums against sysfs and
 * ethtool -S.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "judge.h"

#define EVENTS_MAX	8192
#define SHOWN		24	/* lines of a difference */

static struct event {
	char what;		/* begin, abort, commit, recall, 'n': refusal */
	int lport, rport;
	char why[16];
} events[EVENTS_MAX];
static int event_count;

static bool of_ports(const struct event *e, int port)
{
	return (e->lport >= port && e->lport < port + PORTS) ||
	       (e->rport >= port && e->rport < port + PORTS);
}

static int number_after(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? atoi(at + strlen(key)) : -1;
}

static bool parse(const char *line, struct event *e)
{
	const char *at;

	if (strstr(line, " toe_commit:"))
		e->what = 'c';
	else if (strstr(line, " toe_recall:"))
		e->what = 'r';
	else if (strstr(line, " toe_refuse:"))
		e->what = 'n';
	else if (strstr(line, " toe_begin:"))
		e->what = 'b';
	else if (strstr(line, " toe_abort:"))
		e->what = 'a';
	else
		return false;
	e->lport = number_after(line, "lport=");
	e->rport = number_after(line, "rport=");
	e->why[0] = 0;
	at = strstr(line, "reason=");
	if (at)
		sscanf(at, "reason=%15s", e->why);
	return true;
}

/* judge_trace() - read what the filter has traced */
void judge_trace(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[512];

	while (f && fgets(line, sizeof(line), f) && event_count < EVENTS_MAX)
		event_count += parse(line, &events[event_count]);
	if (f)
		fclose(f);
}

/* judge_seen() - does the trace tell of that by now? */
bool judge_seen(const char *file, int port, char what)
{
	FILE *f = fopen(file, "r");
	bool found = false;
	struct event e;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f))
		found = parse(line, &e) && e.what == what && of_ports(&e, port);
	if (f)
		fclose(f);
	return found;
}

/* What became of its connections, in short. */
static void show_events(int port)
{
	static const char * const names[] = {
		['b'] = "begin", ['a'] = "abort", ['c'] = "commit", ['r'] = "recall",
		['n'] = "refusal",
	};
	int i;

	for (i = 0; i < event_count; i++)
		if (of_ports(&events[i], port))
			printf("# %s %s (%d, %d)\n", names[(int)events[i].what], events[i].why,
			       events[i].lport, events[i].rport);
}

static bool closing(const char *why)
{
	static const char * const names[] = {
		"fin", "rst", "shutdown", "control", "state", "destroy",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(why, names[i]))
			return true;
	return false;
}


/* Was the card where the scenario says?  Else a sentence into @bad. */
static bool fate(const struct scenario *sc, int port, char *bad, size_t max)
{
	int commits = 0, recalls = 0, named = 0, i;
	const char *other = NULL;

	for (i = 0; i < event_count; i++) {
		const struct event *e = &events[i];

		if (!of_ports(e, port))
			continue;
		commits += e->what == 'c';
		if (e->what == (sc->how == NATIVE ? 'n' : 'r') && sc->why)
			named += !strcmp(e->why, sc->why);
		if (e->what != 'r' || closing(e->why))
			continue;
		recalls++;
		other = e->why;
	}
	bad[0] = 0;
	if (sc->how == NATIVE && commits)
		snprintf(bad, max, "%d connections were offloaded, none should be", commits);
	else if (sc->how != NATIVE && !commits)
		snprintf(bad, max, "no connection was offloaded");
	else if (sc->how == CARRIED && recalls)
		snprintf(bad, max, "called back (%s), should stay", other);
	else if (sc->how == RECALLS && !sc->why && !recalls)
		snprintf(bad, max, "no connection was called back");
	else if (sc->why && !named)
		snprintf(bad, max, "reason «%s» was not seen, but «%s»", sc->why,
			 other ?: "none");
	return !bad[0];
}

static void show_lines(const char *mark, const char *text)
{
	int lines = 0;

	while (*text && lines++ < SHOWN) {
		const char *end = strchrnul(text, '\n');

		printf("# %s %.*s\n", mark, (int)(end - text), text);
		text = *end ? end + 1 : end;
	}
}

/* From the last line that they have in common. */
static void show_difference(const char *off, const char *on)
{
	const char *a = off, *b = on, *last = off;

	while (*a && *a == *b) {
		if (*a == '\n')
			last = a + 1;
		a++;
		b++;
	}
	on += last - off;
	if (last > off) {
		const char *before = last - 1;

		while (before > off && before[-1] != '\n')
			before--;
		printf("# both: %.*s\n", (int)(last - 1 - before), before);
	}
	show_lines("off:", last);
	show_lines("on: ", on);
}

/**
 * judge() - print one result
 * @number: of the result
 * @sc: scenario
 * @to: transcripts, off and on
 * @port: the first of its ports in the second run
 * @card: there was a card, and the trace has been read
 */
bool judge(int number, const struct scenario *sc, const struct transcript to[2],
	   int port, bool card)
{
	static const char * const hows[] = { "carried", "recalls", "native" };
	bool equal = !strcmp(to[0].text, to[1].text), good;
	char bad[128] = "";

	good = equal && !to[0].trouble_len && !to[1].trouble_len && to[0].len;
	if (card)
		good &= fate(sc, port, bad, sizeof(bad));
	printf("%sok %d diff_%s, %s%s%s\n", good ? "" : "not ", number, sc->name,
	       hows[sc->how], sc->why ? ": " : "", sc->why ?: "");
	if (!equal)
		show_difference(to[0].text, to[1].text);
	show_lines("off, trouble:", to[0].trouble);
	show_lines("on, trouble:", to[1].trouble);
	if (bad[0])
		printf("# %s\n", bad);
	if (!good && card)
		show_events(port);
	if (getenv("TOE_VERBOSE"))
		show_lines("both:", to[0].text);
	return good;
}
