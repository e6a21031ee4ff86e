/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DIFF_TABLES_H
#define DIFF_TABLES_H

#include "diff.h"

extern const struct scenario send_table[];
extern const struct scenario recv_table[];
extern const struct scenario ready_table[];
extern const struct scenario uring_table[];
extern const struct scenario block_table[];
extern const struct scenario share_table[];
extern const struct scenario option_table[];
extern const struct scenario behave_table[];
extern const struct scenario tls_table[];
extern const struct scenario close_table[];
extern const struct scenario stall_table[];
extern const struct scenario listen_table[];
extern const struct scenario cookie_table[];
extern const struct scenario bpf_table[];

/* listen.c: either end of one connection of many */
void greet(int fd, const char *word);
void answer(int fd, size_t len);

#endif /* DIFF_TABLES_H */
