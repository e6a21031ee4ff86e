/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DIFF_JUDGE_H
#define DIFF_JUDGE_H

struct scenario;
struct transcript;

void judge_trace(const char *file);
bool judge_seen(const char *file, int port, char what);
bool judge(int number, const struct scenario *sc, const struct transcript to[2],
	   int port, bool card);

#endif /* DIFF_JUDGE_H */
