/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* toecard: the reference card.  Command line; the front does the rest. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "front/front.h"

static const char usage[] =
	"usage: toecard --vfio-user SOCK --wire unix:PATH[,server]|tap:NAME\n"
	"               [--impair OPTS] [--pcap FILE] [--mac MAC] [--contexts N]\n"
	"               [--pairs N] [--keep] [-v]\n"
	"  OPTS: loss=1%,reorder=2%,dup=1%,corrupt=0.1%,delay=20ms,jitter=2ms,\n"
	"        rate=10mbit,seed=7,dir=both|rx|tx\n";

enum { OPT_VFIO_USER = 256, OPT_WIRE, OPT_IMPAIR, OPT_PCAP, OPT_MAC, OPT_CONTEXTS,
       OPT_PAIRS, OPT_KEEP };

static const struct option options[] = {
	{ "vfio-user",	required_argument,	NULL, OPT_VFIO_USER },
	{ "wire",	required_argument,	NULL, OPT_WIRE },
	{ "impair",	required_argument,	NULL, OPT_IMPAIR },
	{ "pcap",	required_argument,	NULL, OPT_PCAP },
	{ "mac",	required_argument,	NULL, OPT_MAC },
	{ "contexts",	required_argument,	NULL, OPT_CONTEXTS },
	{ "pairs",	required_argument,	NULL, OPT_PAIRS },
	{ "keep",	no_argument,		NULL, OPT_KEEP },
	{ "help",	no_argument,		NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int parse_wire(char *arg, struct front_opts *o)
{
	char *comma;

	if (!strncmp(arg, "tap:", 4) && arg[4]) {
		o->wire_kind = CARD_WIRE_TAP;
		o->wire_path = arg + 4;
		return 0;
	}
	if (strncmp(arg, "unix:", 5) || !arg[5])
		return -1;
	o->wire_kind = CARD_WIRE_STREAM;
	o->wire_path = arg + 5;
	comma = strrchr(arg, ',');
	if (!comma)
		return 0;
	if (strcmp(comma, ",server"))
		return -1;
	*comma = 0;
	o->wire_server = true;
	return 0;
}

static int parse_mac(const char *arg, uint8_t *mac)
{
	unsigned int b[6], i;
	char end;

	if (sscanf(arg, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4],
		   &b[5], &end) != 6)
		return -1;
	for (i = 0; i < 6; i++)
		mac[i] = b[i];
	return mac[0] & 1 ? -1 : 0;
}

static int parse_number(const char *arg, unsigned int min, unsigned int max, unsigned int *out)
{
	char *end;
	unsigned long v = strtoul(arg, &end, 0);

	if (end == arg || *end || v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

static int bad(const char *what, const char *arg)
{
	fprintf(stderr, "toecard: bad %s '%s'\n", what, arg);
	return 2;
}

static int parse_option(int opt, struct front_opts *o)
{
	char err[128];

	switch (opt) {
	case OPT_VFIO_USER:
		o->socket = optarg;
		return 0;
	case OPT_WIRE:
		return parse_wire(optarg, o) ? bad("wire", optarg) : 0;
	case OPT_IMPAIR:
		o->has_impair = true;
		if (!card_impair_parse(optarg, &o->impair, err, sizeof(err)))
			return 0;
		fprintf(stderr, "toecard: %s\n", err);
		return 2;
	case OPT_PCAP:
		o->pcap = optarg;
		return 0;
	case OPT_MAC:
		return parse_mac(optarg, o->cfg.mac) ? bad("station address", optarg) : 0;
	case OPT_CONTEXTS:
		return parse_number(optarg, 1, TOE_TID_INDEX, &o->cfg.contexts) ?
		       bad("number of contexts", optarg) : 0;
	case OPT_PAIRS:
		return parse_number(optarg, 1, TOE_MAX_PAIRS, &o->cfg.pairs) ?
		       bad("number of pairs", optarg) : 0;
	case OPT_KEEP:
		o->keep = true;
		return 0;
	case 'v':
		o->cfg.verbose = true;
		return 0;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	}
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct front front;
	struct front_opts o = {
		.cfg = {
			.pairs = 4, .contexts = 4096, .seed = 1,
			.mac = { 0x52, 0x54, 0x00, 0x70, 0xe0, 0x01 },
		},
	};
	int opt, err;

	while ((opt = getopt_long(argc, argv, "vh", options, NULL)) != -1) {
		err = parse_option(opt, &o);
		if (err)
			return err;
	}
	if (optind < argc)
		return bad("argument", argv[optind]);
	if (!o.socket || !o.wire_path) {
		fprintf(stderr, "toecard: --vfio-user and --wire are needed\n%s", usage);
		return 2;
	}
	return front_run(&front, &o);
}
