// SPDX-License-Identifier: GPL-2.0
/*
 * hairpin: runs a command whose TCP connections to this machine itself go out by
 * the card, through the peer, and back (see hairpin.sh for the peer's side).
 *
 *	hairpin OURS OURS6 PEERS PEERS6 COMMAND...
 *
 * Programs that test themselves over 127.0.0.1 and ::1 would never meet the card.
 * BPF programs of a cgroup translate the addresses of their TCP sockets, so that
 * static programs and io_uring are caught too, and nothing of the program changes:
 *
 *	bind()		loopback -> OURS
 *	connect()	loopback, or no address -> PEERS, which leads back to OURS
 *	getsockname()	OURS -> loopback
 *	getpeername(), accept()	PEERS -> loopback
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define LOAD(d, s, o)	INSN(BPF_LDX | BPF_W | BPF_MEM, d, s, o, 0)
#define STORE(d, s, o)	INSN(BPF_STX | BPF_W | BPF_MEM, d, s, o, 0)
#define MOV(d, i)	INSN(BPF_ALU | BPF_MOV | BPF_K, d, 0, 0, i)
#define IF(d, i, o)	INSN(BPF_JMP32 | BPF_JEQ | BPF_K, d, 0, o, i)
#define UNLESS(d, i, o)	INSN(BPF_JMP32 | BPF_JNE | BPF_K, d, 0, o, i)
#define EXIT		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* A translation: FROM becomes TO. IPv4 addresses stand in the last word. */
struct rule {
	__u32 from[4], to[4];
};

struct code {
	struct bpf_insn insns[100];
	int count;
};

static void add(struct code *code, struct bpf_insn insn)
{
	code->insns[code->count++] = insn;
}

static int field(int family, int word)
{
	if (family == AF_INET)
		return offsetof(struct bpf_sock_addr, user_ip4);
	return offsetof(struct bpf_sock_addr, user_ip6) + 4 * word;
}

/* Up to three rules for TCP and MPTCP sockets; all else stays as it is. */
static struct code translate(int family, const struct rule *rules, int n)
{
	int first = family == AF_INET ? 3 : 0, per_rule = 4 * (4 - first) + 2;
	struct code code = {};
	int i, w;

	add(&code, LOAD(BPF_REG_2, BPF_REG_1, offsetof(struct bpf_sock_addr, protocol)));
	add(&code, IF(BPF_REG_2, IPPROTO_TCP, 1));
	add(&code, UNLESS(BPF_REG_2, IPPROTO_MPTCP, n * per_rule));
	for (i = 0; i < n; i++) {
		for (w = first; w < 4; w++) {
			int left = per_rule - 2 * (w - first) - 2;

			add(&code, LOAD(BPF_REG_2, BPF_REG_1, field(family, w)));
			add(&code, UNLESS(BPF_REG_2, rules[i].from[w], left));
		}
		for (w = first; w < 4; w++) {
			add(&code, MOV(BPF_REG_2, rules[i].to[w]));
			add(&code, STORE(BPF_REG_1, BPF_REG_2, field(family, w)));
		}
		add(&code, MOV(BPF_REG_0, 1));
		add(&code, EXIT);
	}
	add(&code, MOV(BPF_REG_0, 1));
	add(&code, EXIT);
	return code;
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static void install(int group, int type, int family, const struct rule *rules, int n)
{
	static char log[65536];
	struct code code = translate(family, rules, n);
	union bpf_attr prog = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = type,
		.insns = (uintptr_t)code.insns, .insn_cnt = code.count,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	union bpf_attr attach = { .target_fd = group, .attach_type = type };
	int fd = bpf(BPF_PROG_LOAD, &prog);

	if (fd < 0)
		err(125, "program %d: %s", type, log);
	attach.attach_bpf_fd = fd;
	if (bpf(BPF_PROG_ATTACH, &attach))
		err(125, "attach %d", type);
	close(fd);
}

static struct rule rule(const char *from, const char *to)
{
	struct rule rule = {};

	/* inet_pton() would not take «::ffff:10.0.0.1» for an IPv4 address. */
	if (inet_pton(AF_INET6, from, rule.from) != 1 &&
	    inet_pton(AF_INET, from, &rule.from[3]) != 1)
		errx(125, "%s is no address", from);
	if (inet_pton(AF_INET6, to, rule.to) != 1 && inet_pton(AF_INET, to, &rule.to[3]) != 1)
		errx(125, "%s is no address", to);
	return rule;
}

static const char *mapped(const char *address)
{
	char *text;

	if (asprintf(&text, "::ffff:%s", address) < 0)
		err(125, "memory");
	return text;
}

static void install_all(int group, char **address)
{
	const char *ours = address[0], *ours6 = address[1];
	const char *theirs = address[2], *theirs6 = address[3];
	const char *lo = "127.0.0.1", *lo6 = "::1";

	install(group, BPF_CGROUP_INET4_BIND, AF_INET, (struct rule[]){ rule(lo, ours) }, 1);
	install(group, BPF_CGROUP_INET4_CONNECT, AF_INET, (struct rule[]){
		rule(lo, theirs), rule("0.0.0.0", theirs) }, 2);
	install(group, BPF_CGROUP_INET4_GETSOCKNAME, AF_INET, (struct rule[]){
		rule(ours, lo) }, 1);
	install(group, BPF_CGROUP_INET4_GETPEERNAME, AF_INET, (struct rule[]){
		rule(theirs, lo) }, 1);
	install(group, BPF_CGROUP_INET6_BIND, AF_INET6, (struct rule[]){
		rule(lo6, ours6), rule(mapped(lo), mapped(ours)) }, 2);
	install(group, BPF_CGROUP_INET6_CONNECT, AF_INET6, (struct rule[]){
		rule(lo6, theirs6), rule("::", theirs6), rule(mapped(lo), mapped(theirs)) }, 3);
	install(group, BPF_CGROUP_INET6_GETSOCKNAME, AF_INET6, (struct rule[]){
		rule(ours6, lo6), rule(mapped(ours), mapped(lo)) }, 2);
	install(group, BPF_CGROUP_INET6_GETPEERNAME, AF_INET6, (struct rule[]){
		rule(theirs6, lo6), rule(mapped(theirs), mapped(lo)) }, 2);
}

static void join(const char *group)
{
	char file[128];
	int fd;

	snprintf(file, sizeof(file), "%s/cgroup.procs", group);
	fd = open(file, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1)
		err(125, "%s", file);
	close(fd);
}

int main(int argc, char **argv)
{
	int status, fd;
	char group[64];
	pid_t pid;

	if (argc < 6)
		errx(125, "usage: hairpin OURS OURS6 PEERS PEERS6 COMMAND...");
	snprintf(group, sizeof(group), "/sys/fs/cgroup/hairpin-%d", getpid());
	if (mkdir(group, 0755))
		err(125, "%s", group);
	fd = open(group, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		err(125, "%s", group);
	install_all(fd, argv + 1);
	pid = fork();
	if (pid < 0)
		err(125, "fork");
	if (!pid) {
		join(group);
		execvp(argv[5], argv + 5);
		err(127, "%s", argv[5]);
	}
	if (waitpid(pid, &status, 0) < 0)
		err(125, "wait");
	/* Only an empty group can go; what a daemon still needs stays. */
	rmdir(group);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
