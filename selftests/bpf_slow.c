// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_slow TURNS: sockets become established late.
 *
 * A BPF program on the tracepoint sock:inet_sock_set_state, behind those that are there
 * already: it looks at the clock TURNS times between what they were told and what the
 * kernel does next, which is to store the new state. Says "held", and goes when it is
 * killed or its standard input ends. Assembled by hand: no compiler for BPF is needed.
 */
#include <err.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ESTABLISHED	1
#define TURNS_MAX	200000	/* the verifier walks through all of them */

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

static int load(int turns)
{
	const struct bpf_insn code[] = {
		/* the tracepoint's arguments: sk, oldstate, newstate */
		INSN(BPF_LDX | BPF_DW | BPF_MEM, BPF_REG_2, BPF_REG_1, 16, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, 4, ESTABLISHED),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_6, 0, 0, turns),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
		INSN(BPF_ALU64 | BPF_SUB | BPF_K, BPF_REG_6, 0, 0, 1),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_6, 0, -3, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.license = (uintptr_t)"GPL",
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0)
		err(1, "program");
	return fd;
}

int main(int argc, char **argv)
{
	int turns = argc == 2 ? atoi(argv[1]) : 0;
	union bpf_attr at = {
		.raw_tracepoint.name = (uintptr_t)"inet_sock_set_state",
	};
	char c;

	if (turns < 1 || turns > TURNS_MAX)
		errx(2, "usage: bpf_slow TURNS, 1 to %d", TURNS_MAX);
	at.raw_tracepoint.prog_fd = load(turns);
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &at, sizeof(at)) < 0)
		err(1, "tracepoint");
	printf("held\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
