// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/*
 * toe: shows and rules TCP connections in network cards.
 *
 * Words and options as iproute2's: objects and commands may be abbreviated.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toe.h"

bool opt_json, opt_pretty, opt_stats, opt_details;

static const struct object {
	const char *name;
	int (*run)(char **argv);
} objects[] = {
	{ "dev", do_dev },
	{ "conn", do_conn },
	{ "rule", do_rule },
	{ "recall", do_recall },
	{ "offload", do_offload },
	{ "monitor", do_monitor },
};

static const char usage[] =
"Usage: toe [ OPTIONS ] OBJECT { COMMAND | help }\n"
"       toe dev [ show [ DEV ] ]\n"
"       toe conn [ show [ id N ] [ dev DEV ] [ state STATE ] FLOW ]\n"
"       toe rule [ show [ dev DEV ] ]\n"
"       toe rule add dev DEV [ pref N ] [ role { in | out } ]\n"
"              [ src PREFIX ] [ dst PREFIX ] [ sport PORTS ] [ dport PORTS ]\n"
"              [ uid USER ] [ cgroup PATH ] [ mark N[/MASK] ]\n"
"              [ so-priority N ] [ dscp N ] { offload | native }\n"
"       toe rule del dev DEV { handle N | pref N }\n"
"       toe rule flush dev DEV\n"
"       toe recall { all | [ id N ] [ dev DEV ] FLOW }\n"
"       toe offload { id N | src ADDRESS dst ADDRESS sport PORT dport PORT }\n"
"       toe monitor\n"
"where  FLOW := [ src ADDRESS ] [ dst ADDRESS ] [ sport PORT ] [ dport PORT ]\n"
"       PORTS := PORT[-PORT]\n"
"       STATE := { native | begin | held | aborting | offloaded | recalling }\n"
"       OPTIONS := { -j[son] | -p[retty] | -s[tatistics] | -d[etails] }\n"
"«src» and «sport» are this machine's, «dst» and «dport» the peer's.\n";

void die_syntax(const char *fmt, ...)
{
	va_list args;

	fputs("Error: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs(".\n", stderr);
	exit(EXIT_SYNTAX);
}

bool is(const char *word, const char *full)
{
	size_t len = strlen(word);

	return len && !strncmp(word, full, len);
}

/* The word behind @after, which needs one. */
const char *next_word(char ***argv, const char *after)
{
	const char *word = *++*argv;

	if (!word)
		die_syntax("«%s» wants a value", after);
	return word;
}

uint64_t parse_number(const char *what, const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || !*text || *end || *text == '-' || value < min || value > max)
		die_syntax("«%s» is no %s (%" PRIu64 " to %" PRIu64 ")", text, what,
			   min, max);
	return value;
}

int parse_name(const char *what, const char *text, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i] && !strcmp(names[i], text))
			return i;
	die_syntax("«%s» is no %s", text, what);
}

void unknown(const char *what, const char *word, const char *object)
{
	fprintf(stderr, "%s \"%s\" is unknown, try \"toe %s%shelp\".\n", what, word,
		object ? object : "", object ? " " : "");
	exit(EXIT_SYNTAX);
}

static void help(FILE *to)
{
	fputs(usage, to);
}

static bool option(const char *word)
{
	static const struct {
		const char *name;
		bool *value;
	} options[] = {
		{ "json", &opt_json }, { "pretty", &opt_pretty },
		{ "statistics", &opt_stats }, { "stats", &opt_stats },
		{ "details", &opt_details },
	};

	word += word[1] == '-' ? 2 : 1;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (is(word, options[i].name)) {
			*options[i].value = true;
			return true;
		}
	return false;
}

/* «-sj» and «-jps» too. */
static bool option_letters(const char *word)
{
	char one[3] = "-";

	while (*++word) {
		one[1] = *word;
		if (!option(one))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	(void)argc;
	while (*++argv && **argv == '-') {
		if (is(*argv, "-help") || is(*argv, "--help")) {
			help(stdout);
			return 0;
		}
		if (!option(*argv) && !option_letters(*argv)) {
			fprintf(stderr, "Option \"%s\" is unknown, try \"toe help\".\n",
				*argv);
			return EXIT_SYNTAX;
		}
	}
	if (!*argv) {
		help(stderr);
		return EXIT_SYNTAX;
	}
	if (is(*argv, "help")) {
		help(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (is(*argv, objects[i].name)) {
			if (argv[1] && !strcmp(argv[1], "help")) {
				help(stdout);
				return 0;
			}
			return objects[i].run(argv + 1);
		}
	unknown("Object", *argv, NULL);
}
