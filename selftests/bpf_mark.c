// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_mark: a BPF program decides which connections of a cgroup get a mark.
 *
 *	bpf_mark DIR sock_ops|connect4 PORT MARK
 *
 * Attaches the program to the cgroup DIR, where it stays. It calls
 * bpf_setsockopt(SO_MARK) for connections with the remote port PORT: when they are
 * established, or in connect(). Assembled by hand: no compiler for BPF is needed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV32_IMM(d, i)	INSN(BPF_ALU | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(d, s, o)	INSN(BPF_LDX | BPF_W | BPF_MEM, d, s, o, 0)
#define STORE_IMM(d, o, i) INSN(BPF_ST | BPF_W | BPF_MEM, d, 0, o, i)
#define UNLESS(d, i, o)	INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define UNLESS_X(d, s, o) INSN(BPF_JMP | BPF_JNE | BPF_X, d, s, o, 0)
#define IF(d, i, o)	INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, i)
#define CALL(f)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define COUNT(a)	((int)(sizeof(a) / sizeof((a)[0])))

/* bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, 4); ctx is in r1. */
#define SET_MARK(mark)							\
	STORE_IMM(BPF_REG_10, -4, mark), MOV_IMM(BPF_REG_2, SOL_SOCKET),	\
	MOV_IMM(BPF_REG_3, SO_MARK), MOV(BPF_REG_4, BPF_REG_10),		\
	ADD_IMM(BPF_REG_4, -4), MOV_IMM(BPF_REG_5, 4), CALL(BPF_FUNC_setsockopt)

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void attach(const char *dir, int type, int attach_type,
		   const struct bpf_insn *code, int count)
{
	static char log[65536];
	union bpf_attr load = {
		.prog_type = type, .expected_attach_type = attach_type,
		.insns = (uintptr_t)code, .insn_cnt = count,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	union bpf_attr to = { .attach_type = attach_type };

	to.target_fd = open(dir, O_RDONLY | O_DIRECTORY);
	if ((int)to.target_fd < 0)
		err(1, "%s", dir);
	to.attach_bpf_fd = bpf(BPF_PROG_LOAD, &load);
	if ((int)to.attach_bpf_fd < 0)
		err(1, "program: %s", log);
	if (bpf(BPF_PROG_ATTACH, &to))
		err(1, "attach");
}

int main(int argc, char **argv)
{
	int port = argc == 5 ? atoi(argv[3]) : 0;
	int mark = argc == 5 ? strtol(argv[4], NULL, 0) : 0;
	/* The ports are in network order: of a word here, of half a word below. */
	struct bpf_insn sock_ops[] = {
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock_ops, op)),
		IF(BPF_REG_2, BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, 1),
		UNLESS(BPF_REG_2, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, 10),
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock_ops, remote_port)),
		MOV32_IMM(BPF_REG_3, htonl(port)),
		UNLESS_X(BPF_REG_2, BPF_REG_3, 7),
		SET_MARK(mark),
		MOV_IMM(BPF_REG_0, 1),
		EXIT,
	};
	struct bpf_insn connect4[] = {
		LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock_addr, user_port)),
		UNLESS(BPF_REG_2, htons(port), 7),
		SET_MARK(mark),
		MOV_IMM(BPF_REG_0, 1),
		EXIT,
	};

	if (argc != 5)
		errx(1, "see the source");
	if (!strcmp(argv[2], "connect4"))
		attach(argv[1], BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT,
		       connect4, COUNT(connect4));
	else
		attach(argv[1], BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS,
		       sock_ops, COUNT(sock_ops));
	return 0;
}
