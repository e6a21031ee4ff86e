/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_MIRROR_H
#define TOENIC_MIRROR_H

#include "toe_ops.h"

struct toe_cqe;
struct toenic_pair;

int toenic_mirror_set(struct toe_device *tdev, enum toe_mirror mode);
int toenic_mirror_part(struct toenic_pair *pair, const struct toe_cqe *cqe);

#endif /* TOENIC_MIRROR_H */
