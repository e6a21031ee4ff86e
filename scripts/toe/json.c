// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* toe: text or JSON on stdout. */
#include <stdarg.h>
#include <stdio.h>

#include "toe.h"

static int depth;
static bool empty = true;	/* nothing since the last bracket */

static void indent(void)
{
	if (!opt_pretty)
		return;
	putchar('\n');
	for (int i = 0; i < depth; i++)
		fputs("    ", stdout);
}

static void quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static void member(const char *key)
{
	if (!empty)
		putchar(',');
	if (depth)
		indent();
	empty = false;
	if (!key)
		return;
	quoted(key);
	fputs(opt_pretty ? ": " : ":", stdout);
}

void out_open(const char *key, char bracket)
{
	if (!opt_json)
		return;
	member(key);
	putchar(bracket);
	depth++;
	empty = true;
}

void out_close(char bracket)
{
	if (!opt_json)
		return;
	depth--;
	if (!empty)
		indent();
	putchar(bracket);
	empty = false;
}

/* A command's whole answer is one array. */
void out_begin(void)
{
	out_open(NULL, '[');
}

void out_end(void)
{
	out_close(']');
	if (opt_json)
		putchar('\n');
}

void out_record_begin(void)
{
	out_open(NULL, '{');
}

void out_record_end(void)
{
	out_close('}');
	if (!opt_json)
		putchar('\n');
}

/* In a stream without end each record is a JSON text of its own. */
void out_flush_record(void)
{
	if (opt_json)
		putchar('\n');
	empty = true;
	fflush(stdout);
}

/* The formats are literals of the callers. */
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

void out_string(const char *key, const char *fmt, const char *value)
{
	if (opt_json) {
		member(key);
		quoted(value);
	} else if (fmt) {
		printf(fmt, value);
	}
}

void out_number(const char *key, const char *fmt, uint64_t value)
{
	if (opt_json) {
		member(key);
		printf("%" PRIu64, value);
	} else if (fmt) {
		printf(fmt, value);
	}
}

void out_bool(const char *key, const char *fmt, bool value)
{
	if (opt_json) {
		member(key);
		fputs(value ? "true" : "false", stdout);
	} else if (fmt) {
		fputs(fmt, stdout);
	}
}

void out_text(const char *fmt, ...)
{
	va_list args;

	if (opt_json)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
}
