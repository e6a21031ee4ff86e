// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/* toe: addresses, prefixes, ports, users and groups, to the kernel and from it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "toe.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* ADDRESS or, if @len_attr says where its length goes, PREFIX. */
void put_address(struct nlmsghdr *nlh, int attr, int len_attr, const char *text)
{
	unsigned char addr[16];
	char copy[64], *slash;
	int size = 4;

	if (strlen(text) >= sizeof(copy))
		die_syntax("«%s» is no address", text);
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash && !len_attr)
		die_syntax("«%s» is a prefix, an address is wanted", text);
	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, copy, addr) != 1) {
		size = 16;
		if (inet_pton(AF_INET6, copy, addr) != 1)
			die_syntax("«%s» is no address", text);
	}
	mnl_attr_put(nlh, attr, size, addr);
	if (slash)
		mnl_attr_put_u8(nlh, len_attr,
				parse_number("prefix length", slash, 0, size * 8));
}

/* PORT or, if @max isn't 0, PORT-PORT. */
void put_ports(struct nlmsghdr *nlh, int min, int max, const char *text)
{
	char first[16];
	const char *dash = max ? strchr(text, '-') : NULL;

	if (!dash) {
		mnl_attr_put_u16(nlh, min, parse_number("port", text, 1, 65535));
		return;
	}
	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	mnl_attr_put_u16(nlh, min, parse_number("port", first, 1, 65535));
	mnl_attr_put_u16(nlh, max, parse_number("port", dash + 1, 1, 65535));
}

void put_device(struct nlmsghdr *nlh, int attr, const char *name)
{
	unsigned int ifindex = if_nametoindex(name);

	if (!ifindex) {
		fprintf(stderr, "Cannot find device \"%s\"\n", name);
		exit(EXIT_SYNTAX);
	}
	mnl_attr_put_u32(nlh, attr, ifindex);
}

/* A group is named by its path in the tree of version 2, or from the root. */
void put_cgroup(struct nlmsghdr *nlh, int attr, const char *path)
{
	char whole[4096];
	struct stat st;

	snprintf(whole, sizeof(whole), "%s%s%s",
		 !strncmp(path, CGROUP_ROOT, strlen(CGROUP_ROOT)) ? "" : CGROUP_ROOT,
		 *path == '/' ? "" : "/", path);
	/* The inode of a group's directory is its identifier. */
	if (stat(whole, &st) || !S_ISDIR(st.st_mode))
		die_syntax("there is no cgroup «%s»", path);
	mnl_attr_put_u64(nlh, attr, st.st_ino);
}

void put_user(struct nlmsghdr *nlh, int attr, const char *user)
{
	const struct passwd *pw = getpwnam(user);

	mnl_attr_put_u32(nlh, attr, pw ? pw->pw_uid :
			 parse_number("user", user, 0, UINT32_MAX - 1));
}

const char *address_text(const struct nlattr *attr)
{
	static char text[INET6_ADDRSTRLEN];
	int len = mnl_attr_get_payload_len(attr);

	if (len != 4 && len != 16)
		return "?";
	return inet_ntop(len == 4 ? AF_INET : AF_INET6, mnl_attr_get_payload(attr),
			 text, sizeof(text));
}

const char *device_text(uint32_t ifindex)
{
	static char text[IF_NAMESIZE];

	if (!if_indextoname(ifindex, text))
		snprintf(text, sizeof(text), "if%u", ifindex);
	return text;
}

static uint64_t wanted_group;
static char found_group[4096];

static int look_at_group(const char *path, const struct stat *st, int type,
			 struct FTW *at)
{
	(void)at;
	if (type != FTW_D || st->st_ino != wanted_group)
		return 0;
	path += strlen(CGROUP_ROOT);
	snprintf(found_group, sizeof(found_group), "%s", *path ? path : "/");
	return 1;
}

/* The path of a group, or its number if it has gone. */
const char *cgroup_text(uint64_t id)
{
	static uint64_t known;

	if (known == id && *found_group)
		return found_group;
	wanted_group = id;
	if (nftw(CGROUP_ROOT, look_at_group, 16, FTW_PHYS) != 1)
		snprintf(found_group, sizeof(found_group), "unreachable:%" PRIx64, id);
	known = id;
	return found_group;
}
