/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOENIC_HEALTH_H
#define TOENIC_HEALTH_H

#include "toenic.h"

int toenic_health_alloc(struct toenic *nic);
void toenic_health_free(struct toenic *nic);
void toenic_health_start(struct toenic *nic);
void toenic_health_stop(struct toenic *nic);
void toenic_bus_off(struct pci_dev *pdev);
void toenic_health_cut(struct toenic *nic);
int toenic_health_attach(struct toenic *nic);
void toenic_health_detach(struct toenic *nic);
void toenic_deadline_set(const struct toenic *nic, struct toenic_deadline *end,
			 unsigned int ms);
bool toenic_deadline_passed(const struct toenic *nic,
			    const struct toenic_deadline *end);
void toenic_fatal(struct toenic *nic, enum toenic_fatal reason);
const char *toenic_fatal_name(int reason);

#endif /* TOENIC_HEALTH_H */
