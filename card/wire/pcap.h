/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* Capture of what is on the wire. */
#ifndef CARD_PCAP_H
#define CARD_PCAP_H

#include <stdint.h>

struct card_pcap;

int card_pcap_open(const char *path);
struct card_pcap *card_pcap_create(int fd);
void card_pcap_destroy(struct card_pcap *p);
void card_pcap_add(struct card_pcap *p, const uint8_t *frame, uint32_t len);
void card_pcap_flush(struct card_pcap *p);

#endif /* CARD_PCAP_H */
