// SPDX-License-Identifier: GPL-2.0
/*
 * toe_diff: one socket, several descriptors and processes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tables.h"

static char buf[4096];

/* The peer: what comes goes back, until the end. */
static void peer_echo(int fd)
{
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		send(fd, buf, n, MSG_NOSIGNAL);
	noted("the end", n);
}

static void there_and_back(int fd, const char *word)
{
	char back[64] = "";
	size_t len = strlen(word);

	TRY(send(fd, word, len, MSG_NOSIGNAL));
	TRY(recv(fd, back, len, MSG_WAITALL));
	say("came back: %s", back);
}

static void dup_fd(int fd)
{
	int two = dup(fd), three = fcntl(fd, F_DUPFD_CLOEXEC, 100), four;

	there_and_back(two, "dup");
	close(two);
	there_and_back(three, "dupfd");
	four = dup2(fd, 200);
	close(three);
	there_and_back(four, "dup2");
	close(four);
	there_and_back(fd, "first");
}

static void fork_fd(int fd)
{
	pid_t child = fork();
	int status;

	if (!child) {
		there_and_back(fd, "child");
		close(fd);
		_exit(0);
	}
	TRY(waitpid(child, &status, 0) == child);
	there_and_back(fd, "parent");
	/* The child's copy keeps it open: no FIN until it ends. */
	meet();
	child = fork();
	if (!child) {
		nap(300);
		there_and_back(fd, "last");
		_exit(0);
	}
	close(fd);
	TRY(waitpid(child, &status, 0) == child);
}

static void fork_peer(int fd)
{
	char c[5];

	recv(fd, c, 5, MSG_WAITALL);
	send(fd, c, 5, 0);
	recv(fd, buf, 6, MSG_WAITALL);
	send(fd, buf, 6, 0);
	meet();
	peer_echo(fd);
}

static void pass_fd(int over, int fd)
{
	char space[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	TRY(sendmsg(over, &msg, 0));
}

static int taken_fd(int over)
{
	char space[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space, .msg_controllen = sizeof(space),
	};
	int fd = -1;

	TRY(recvmsg(over, &msg, 0));
	if (CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* Handed over; while it is on its way nobody else has it. */
static void scm_rights(int fd)
{
	int pair[2], status;
	pid_t child;

	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	there_and_back(fd, "before");
	pass_fd(pair[0], fd);
	close(fd);
	nap(200);
	child = fork();
	if (!child) {
		int mine;

		close(pair[0]);
		mine = taken_fd(pair[1]);
		there_and_back(mine, "after");
		close(mine);
		_exit(0);
	}
	close(pair[1]);
	TRY(waitpid(child, &status, 0) == child);
}

/* Closed with the last message that carries it: never read. */
static void scm_lost(int fd)
{
	int pair[2];

	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	there_and_back(fd, "before");
	pass_fd(pair[0], fd);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	meet();
}

static void scm_lost_peer(int fd)
{
	peer_echo(fd);
	meet();
}

#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#define SYS_pidfd_getfd	438
#endif

static void pidfd_getfd_of(int fd)
{
	pid_t child = fork();
	int pidfd, got;

	if (!child) {
		pause();
		_exit(0);
	}
	close(fd);
	pidfd = syscall(SYS_pidfd_open, child, 0);
	got = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	kill(child, SIGKILL);
	TRY(waitpid(child, NULL, 0) == child);
	there_and_back(got, "stolen");
	close(got);
}

/* What one descriptor sets the other has; fstat and names too. */
static void file_state(int fd)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	int two = dup(fd);
	struct stat st;

	TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(fcntl(two, F_GETFL));
	TRY(recv(two, buf, 1, 0));
	TRY(fstat(fd, &st));
	say("mode %o", st.st_mode);
	TRY(getsockname(fd, (void *)&at, &len));
	say("family %d length %u", at.ss_family, len);
	TRY(getpeername(two, (void *)&at, &len));
	say("port offset %d", ntohs(((struct sockaddr_in *)&at)->sin_port) - run.port);
	NOTE(fd, SOL_SOCKET, SO_TYPE);
	NOTE(fd, SOL_SOCKET, SO_PROTOCOL);
	NOTE(fd, SOL_SOCKET, SO_DOMAIN);
	NOTE(fd, SOL_SOCKET, SO_ACCEPTCONN);
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(ftruncate(fd, 0));
	TRY(fsync(fd));
	TRY(accept(fd, NULL, NULL));
	TRY(listen(fd, 1));
	TRY(bind(fd, (void *)&at, len));
	TRY(connect(fd, (void *)&at, len));
	close(two);
}

/* exec: the descriptor lives on in another program. */
static void exec_fd(int fd)
{
	char text[64];
	pid_t child;

	fcntl(fd, F_SETFD, 0);
	child = fork();
	if (!child) {
		dup2(fd, 1);
		execl("/bin/sh", "sh", "-c", "echo from a shell", (char *)NULL);
		_exit(1);
	}
	TRY(waitpid(child, NULL, 0) == child);
	memset(text, 0, sizeof(text));
	TRY(recv(fd, text, 13, MSG_WAITALL));
	say("%s", text);
}

const struct scenario share_table[] = {
	{ "dup", dup_fd, peer_echo, CARRIED, NULL, 0, "dup, dup2, F_DUPFD" },
	{ "fork", fork_fd, fork_peer, CARRIED, NULL, 0, "fork" },
	{ "exec", exec_fd, peer_echo, CARRIED, NULL, 0, "exec" },
	{ "scm_rights", scm_rights, peer_echo, CARRIED, NULL, 0, "SCM_RIGHTS" },
	{ "scm_lost", scm_lost, scm_lost_peer, CARRIED, NULL, 0,
	  "SCM_RIGHTS, never received" },
	{ "pidfd_getfd", pidfd_getfd_of, peer_echo, CARRIED, NULL, 0, "pidfd_getfd" },
	{ "file", file_state, peer_drain, CARRIED, NULL, 0,
	  "fcntl, fstat, getsockname, getpeername, listen, bind, connect" },
	{ }
};
