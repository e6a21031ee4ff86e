/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* A vfio-user client for tests: it starts a toecard and is its hypervisor. */
#ifndef CARD_TESTS_CLIENT_H
#define CARD_TESTS_CLIENT_H

#include <errno.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>
#include "kit.h"
#include "../front/vfio_user.h"

#define RAM_BYTES	(4 * 1024 * 1024)
#define RAM_IOVA	0x40000000ull

struct client {
	pid_t card;
	int sock;
	int wire;
	int ram_fd;
	uint8_t *ram;
	uint16_t id;
	uint32_t reply_flags;
	uint32_t reply_error;
	uint8_t reply[8192];
	size_t reply_len;
	char dir[64];
	char vfio[96], wire_path[96];
};

void client_nap(unsigned int ms);
int client_connect_to(const char *path);
pid_t client_spawn(char *const argv[], int *status_fd);
const char *client_toecard(void);
void client_start(struct client *c, bool keep);
int client_stop(struct client *c);
void client_send_raw(struct client *c, const void *data, size_t len, const int *fds, int nfds);
uint16_t client_post(struct client *c, uint16_t cmd, uint32_t flags, const void *payload,
		     size_t len, const int *fds, int nfds);
bool client_get(struct client *c, void *data, size_t len);
uint16_t client_reply(struct client *c);
uint32_t client_call(struct client *c, uint16_t cmd, const void *payload, size_t len,
		     const int *fds, int nfds);
uint32_t client_map(struct client *c, uint64_t iova, uint64_t size, int nfds);
uint32_t client_unmap(struct client *c, uint64_t iova, uint64_t size);
uint32_t client_access_region(struct client *c, uint16_t cmd, uint32_t region, uint64_t off,
			      void *data, uint32_t len);
uint32_t client_reg_read(struct client *c, uint32_t off);
void client_reg_write(struct client *c, uint32_t off, uint32_t val);
uint32_t client_cfg_read(struct client *c, uint32_t off, uint32_t len);
void client_cfg_write(struct client *c, uint32_t off, uint32_t val, uint32_t len);
void client_wait_ready(struct client *c);
void client_enable(struct client *c);
void client_admin(struct client *c, uint32_t index, uint8_t op, uint32_t arg);
bool client_answered(struct client *c, uint32_t index, unsigned int ms);
uint32_t client_heartbeat(struct client *c);
pid_t client_device_process(struct client *c);

#endif /* CARD_TESTS_CLIENT_H */
