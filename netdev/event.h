/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_EVENT_H
#define TOENIC_EVENT_H

struct toe_cqe;
struct toenic_pair;

int toenic_event(struct toenic_pair *pair, const struct toe_cqe *cqe);

#endif /* TOENIC_EVENT_H */
