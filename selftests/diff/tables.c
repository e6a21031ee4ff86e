// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: all scenarios, in the order of the list.
 */
#include "tables.h"

const struct scenario *const tables[] = {
	send_table,
	recv_table,
	ready_table,
	uring_table,
	block_table,
	share_table,
	option_table,
	behave_table,
	tls_table,
	close_table,
	stall_table,
	listen_table,
	cookie_table,
	bpf_table,
	NULL
};
