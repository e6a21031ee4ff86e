// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: BPF programs and maps that have a hand on sockets, by the system
 * call alone.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tables.h"

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o)	INSN(BPF_LDX | BPF_W | BPF_MEM, d, s, o, 0)
#define STORE(d, s, o)	INSN(BPF_STX | BPF_W | BPF_MEM, d, s, o, 0)
#define MAP(d, fd)	INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), \
			INSN(0, 0, 0, 0, 0)
#define UNLESS(d, i, o)	INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define IF(d, i, o)	INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define CALL(f)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static char buf[50000];

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int load(int type, int attach_type, const struct bpf_insn *code, int count)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = type, .expected_attach_type = attach_type,
		.insns = (uintptr_t)code, .insn_cnt = count,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		trouble("program: %m: %.600s", log);
	return fd;
}

static int make_map(int type, int entries)
{
	union bpf_attr attr = {
		.map_type = type, .key_size = 4, .value_size = 4, .max_entries = entries,
	};
	int fd = bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		trouble("map: %m");
	return fd;
}

static int attach(int target, int prog, int type)
{
	union bpf_attr attr = {
		.target_fd = target, .attach_bpf_fd = prog, .attach_type = type,
	};

	return bpf(BPF_PROG_ATTACH, &attr);
}

static int map_put(int map, int key, int value)
{
	union bpf_attr attr = {
		.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value,
	};

	return bpf(BPF_MAP_UPDATE_ELEM, &attr);
}

static int map_get(int map, int key)
{
	int value = -1;
	union bpf_attr attr = {
		.map_fd = map, .key = (uintptr_t)&key, .value = (uintptr_t)&value,
	};

	bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	return value;
}

/* A group of our own, so that a program sees this scenario's sockets only. */
static char group[128];

static int join_group(void)
{
	char pid[32], file[160];
	int fd;

	snprintf(group, sizeof(group), "/sys/fs/cgroup/toe-diff-%d", run.port);
	mkdir(group, 0755);
	snprintf(file, sizeof(file), "%s/cgroup.procs", group);
	fd = open(file, O_WRONLY);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (fd < 0 || write(fd, pid, strlen(pid)) < 0)
		trouble("%s: %m", file);
	close(fd);
	return open(group, O_RDONLY | O_DIRECTORY);
}

static void leave_group(void)
{
	int fd = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) < 0)
		trouble("cgroup: %m");
	close(fd);
	rmdir(group);
}

/* The usual talk: both ways, twice. */
static void talk(int fd)
{
	give(fd, 30000);
	want(fd, 30000);
	TRY(poll(&(struct pollfd){ fd, POLLIN | POLLOUT, 0 }, 1, 0));
	give(fd, 30000);
	want(fd, 30000);
}

static void talk_peer(int fd)
{
	want(fd, 30000);
	give(fd, 30000);
	want(fd, 30000);
	give(fd, 30000);
	drain(fd);
}

static void listening_peer(int fd)
{
	int one = accepted();

	(void)fd;
	talk_peer(one);
	close(one);
}

/* The program that puts each connection in @map when it is established. */
static int inserter(int map)
{
	struct bpf_insn code[] = {
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock_ops, op)),
		UNLESS(BPF_REG_2, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, 8),
		MOV_IMM(BPF_REG_2, 0),
		STORE(BPF_REG_10, BPF_REG_2, -4),
		MAP(BPF_REG_2, map),
		MOV(BPF_REG_3, BPF_REG_10),
		ADD_IMM(BPF_REG_3, -4),
		MOV_IMM(BPF_REG_4, 0),
		CALL(BPF_FUNC_sock_map_update),
		MOV_IMM(BPF_REG_0, 1),
		EXIT,
	};

	return load(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, code, ARRAY_SIZE(code));
}

static int passer(int type, int attach_type)
{
	struct bpf_insn code[] = { MOV_IMM(BPF_REG_0, 1), EXIT };

	return load(type, attach_type, code, ARRAY_SIZE(code));
}

static int verdict_map(void)
{
	int map = make_map(BPF_MAP_TYPE_SOCKMAP, 1);

	TRY(attach(map, passer(BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT),
		   BPF_SK_SKB_STREAM_VERDICT));
	TRY(attach(map, passer(BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT),
		   BPF_SK_MSG_VERDICT));
	return map;
}

static void sockmap_before(int fd)
{
	int group_fd = join_group(), map = verdict_map(), one;

	(void)fd;
	TRY(attach(group_fd, inserter(map), BPF_CGROUP_SOCK_OPS));
	one = fresh();
	meet();
	TRY(dial(one, 0));
	talk(one);
	close(one);
	close(group_fd);
	leave_group();
}

/* Into the map in mid-life. */
static void sockmap_after(int fd)
{
	int map = verdict_map();

	give(fd, 30000);
	want(fd, 30000);
	TRY(map_put(map, 0, fd));
	is_native(fd);
	give(fd, 30000);
	want(fd, 30000);
	TRY(shutdown(fd, SHUT_WR));
	/* 6.1 says EAGAIN to who sleeps when the end comes. */
	AWAIT(poll(&(struct pollfd){ fd, POLLRDHUP, 0 }, 1, 0) == 1);
	TRY(recv(fd, buf, 1, 0));
}

/* No pause: what is on its way meets a socket whose tables have just changed. */
static void sockmap_running(int fd)
{
	int map = make_map(BPF_MAP_TYPE_SOCKMAP, 1), i;

	for (i = 0; i < 20; i++) {
		give(fd, 20000);
		if (i == 10)
			TRY(map_put(map, 0, fd));
	}
	want(fd, 100000);
	close(map);
	nap(200);
	give(fd, 20000);
}

static void sockmap_running_peer(int fd)
{
	give(fd, 100000);
	drain(fd);
}

/* Counts what it is told, by kind; asks to be told of states. */
static int counter(int map)
{
	struct bpf_insn code[] = {
		MOV(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock_ops, op)),
		STORE(BPF_REG_10, BPF_REG_2, -4),
		UNLESS(BPF_REG_2, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, 2),
		MOV_IMM(BPF_REG_2, BPF_SOCK_OPS_STATE_CB_FLAG),
		CALL(BPF_FUNC_sock_ops_cb_flags_set),
		MAP(BPF_REG_1, map),
		MOV(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		IF(BPF_REG_0, 0, 2),
		MOV_IMM(BPF_REG_1, 1),
		INSN(BPF_STX | BPF_W | BPF_ATOMIC, BPF_REG_0, BPF_REG_1, 0, BPF_ADD),
		MOV_IMM(BPF_REG_0, 1),
		EXIT,
	};

	return load(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, code, ARRAY_SIZE(code));
}

static void note_counts(int map)
{
	say("connect %d established %d states %d", map_get(map, BPF_SOCK_OPS_TCP_CONNECT_CB),
	    map_get(map, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB),
	    map_get(map, BPF_SOCK_OPS_STATE_CB));
}

static void sockops_before(int fd)
{
	int group_fd = join_group(), map = make_map(BPF_MAP_TYPE_ARRAY, 32), one;

	(void)fd;
	TRY(attach(group_fd, counter(map), BPF_CGROUP_SOCK_OPS));
	one = fresh();
	meet();
	TRY(dial(one, 0));
	talk(one);
	note_counts(map);
	TRY(shutdown(one, SHUT_WR));
	TRY(recv(one, buf, 1, 0));
	note_counts(map);
	close(one);
	close(group_fd);
	leave_group();
}

/* For sockets of before it has no flags: nothing that the card would withhold. */
static void sockops_after(int fd)
{
	int group_fd = join_group(), map = make_map(BPF_MAP_TYPE_ARRAY, 32), one;

	(void)fd;
	one = fresh();
	meet();
	TRY(dial(one, 0));
	await_card(one);
	TRY(attach(group_fd, counter(map), BPF_CGROUP_SOCK_OPS));
	talk(one);
	TRY(shutdown(one, SHUT_WR));
	TRY(recv(one, buf, 1, 0));
	note_counts(map);
	close(one);
	close(group_fd);
	leave_group();
}

static void egress_program(int fd)
{
	int group_fd = join_group(), prog, one;

	(void)fd;
	one = fresh();
	meet();
	TRY(dial(one, 0));
	await_card(one);
	prog = passer(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS);
	TRY(attach(group_fd, prog, BPF_CGROUP_INET_EGRESS));
	await_native(one);
	talk(one);
	close(one);
	close(group_fd);
	leave_group();
}

static void filter_classic(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0xffff) };
	struct sock_fprog prog = { 1, code };

	TRY(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	is_native(fd);
	talk(fd);
	TRY(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &prog, sizeof(prog)));
	TRY(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &prog, sizeof(prog)));
}

static void filter_bpf(int fd)
{
	struct bpf_insn code[] = { MOV_IMM(BPF_REG_0, 0xffff), EXIT };
	int prog = load(BPF_PROG_TYPE_SOCKET_FILTER, 0, code, ARRAY_SIZE(code));

	TRY(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)));
	is_native(fd);
	talk(fd);
	TRY(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, sizeof(int)));
	NOTE(fd, SOL_SOCKET, SO_LOCK_FILTER);
}

const struct scenario bpf_table[] = {
	{ "sockmap_before", sockmap_before, listening_peer, NATIVE, NULL, NOCONN,
	  "sockmap, before" },
	{ "sockmap_after", sockmap_after, talk_peer, RECALLS, "stolen", 0,
	  "sockmap, after" },
	{ "sockmap_running", sockmap_running, sockmap_running_peer, RECALLS, "stolen", 0,
	  "sockmap, in mid-transfer" },
	{ "sockops_before", sockops_before, listening_peer, NATIVE, "bpf", NOCONN,
	  "sock_ops program, before" },
	{ "sockops_after", sockops_after, listening_peer, CARRIED, NULL, NOCONN,
	  "sock_ops program, after" },
	{ "egress_program", egress_program, listening_peer, RECALLS, "bpf",
	  NOCONN | ALONE, "cgroup egress program" },
	{ "filter_classic", filter_classic, talk_peer, RECALLS, "sockopt", 0,
	  "SO_ATTACH_FILTER" },
	{ "filter_bpf", filter_bpf, talk_peer, RECALLS, "sockopt", 0, "SO_ATTACH_BPF" },
	{ }
};
