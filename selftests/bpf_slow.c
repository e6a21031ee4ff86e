// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_slow WALKS: sockets become established late.
 *
 * A BPF program on the tracepoint sock:inet_sock_set_state, behind those that are there
 * already: it walks up the stack WALKS times between what they were told and what the
 * kernel does next, which is to store the new state. Says "held", and goes when it is
 * killed or its standard input ends. Assembled by hand, and short: the verifier's time
 * grows with the square of what it has to follow.
 */
#include <err.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ESTABLISHED	1
#define WALKS_MAX	1000
#define STACK		256	/* bytes of it that are noted */

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })

#define MOV(d, s)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)	INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)

/* bpf_get_stack(ctx, stack, STACK, 0); ctx is in r6. */
static const struct bpf_insn walk[] = {
	MOV(BPF_REG_1, BPF_REG_6),
	MOV(BPF_REG_2, BPF_REG_10),
	ADD_IMM(BPF_REG_2, -STACK),
	MOV_IMM(BPF_REG_3, STACK),
	MOV_IMM(BPF_REG_4, 0),
	INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_stack),
};
#define WALK	((int)(sizeof(walk) / sizeof(walk[0])))

static struct bpf_insn code[WALKS_MAX * WALK + 5];
static int count;

static void add(struct bpf_insn insn)
{
	code[count++] = insn;
}

static int load(int walks)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insns = (uintptr_t)code,
		.license = (uintptr_t)"GPL",
	};
	int fd, i;

	/* the tracepoint's arguments: sk, oldstate, newstate */
	add(MOV(BPF_REG_6, BPF_REG_1));
	add(INSN(BPF_LDX | BPF_DW | BPF_MEM, BPF_REG_2, BPF_REG_1, 16, 0));
	add(INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, 0, walks * WALK, ESTABLISHED));
	for (i = 0; i < walks * WALK; i++)
		add(walk[i % WALK]);
	add(MOV_IMM(BPF_REG_0, 0));
	add(INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));

	attr.insn_cnt = count;
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	if (fd < 0)
		err(1, "program");
	return fd;
}

int main(int argc, char **argv)
{
	int walks = argc == 2 ? atoi(argv[1]) : 0;
	union bpf_attr at = {
		.raw_tracepoint.name = (uintptr_t)"inet_sock_set_state",
	};
	char c;

	if (walks < 1 || walks > WALKS_MAX)
		errx(2, "usage: bpf_slow WALKS, 1 to %d", WALKS_MAX);
	at.raw_tracepoint.prog_fd = load(walks);
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &at, sizeof(at)) < 0)
		err(1, "tracepoint");
	printf("held\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
