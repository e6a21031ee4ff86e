// SPDX-License-Identifier: GPL-2.0
/*
 * bpf_hold cgroup DIRECTORY | xdp INTERFACE | tcx INTERFACE: attaches a BPF program
 * that lets everything pass, says "held", and detaches it when it is killed or its
 * standard input ends. Exit status 4: this kernel can't.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TCX_EGRESS	47	/* BPF_TCX_EGRESS, 6.6 */
#define SKIP		4	/* as kselftest says it */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int load(int type, int attach, int verdict)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = type,
		.expected_attach_type = attach,
		.insns = (uintptr_t)code,
		.insn_cnt = 2,
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

/* The link goes with its file descriptor, which goes with this process. */
static int hold(int prog, int target, int attach, int flags)
{
	union bpf_attr attr = {
		.link_create.prog_fd = prog,
		.link_create.target_fd = target,
		.link_create.attach_type = attach,
		.link_create.flags = flags,
	};

	return bpf(BPF_LINK_CREATE, &attr);
}

static int hold_cgroup(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY);

	return hold(load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 1), dir,
		    BPF_CGROUP_INET_EGRESS, 0);
}

static int hold_xdp(const char *name)
{
	return hold(load(BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS), if_nametoindex(name),
		    BPF_XDP, XDP_FLAGS_SKB_MODE);
}

static int hold_tcx(const char *name)
{
	return hold(load(BPF_PROG_TYPE_SCHED_CLS, 0, 0), if_nametoindex(name),
		    TCX_EGRESS, 0);
}

int main(int argc, char **argv)
{
	int link = -1;
	char c;

	if (argc != 3) {
		fprintf(stderr, "usage: bpf_hold cgroup|xdp|tcx TARGET\n");
		return 2;
	}
	if (!strcmp(argv[1], "cgroup"))
		link = hold_cgroup(argv[2]);
	else if (!strcmp(argv[1], "xdp"))
		link = hold_xdp(argv[2]);
	else if (!strcmp(argv[1], "tcx"))
		link = hold_tcx(argv[2]);
	if (link < 0) {
		fprintf(stderr, "bpf_hold: %s %s: %s\n", argv[1], argv[2], strerror(errno));
		return errno == EINVAL || errno == EOPNOTSUPP ? SKIP : 1;
	}
	printf("held\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}
