// SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
/*
 * peer [-i] COMMAND [ARGUMENT...]: runs COMMAND in the peer, with its output
 * and its exit status here.  Killing this ends the command there.  -i hands it
 * our stdin; else that is empty, so that a loop that reads doesn't lose its own.
 *
 * peerd ADDRESS: the same program under its other name, in the peer.
 *
 * One connection is one command.  Both ways it carries frames: a type, a
 * length, that many bytes.  C and static, since an interpreter takes the better
 * part of a second to start under TCG.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT		777
#define FRAME_MAX	65536
#define STDIN_MAX	4096	/* what a pipe takes whole when poll says writable */
#define ARGS_MAX	4096
#define EXIT_LAB	125	/* not the command's status but our own failure */

enum frame_type {
	FRAME_COMMAND = 'c',	/* to the peer: NUL-terminated arguments */
	FRAME_STDIN = 'i',	/* to the peer: no bytes mean the end */
	FRAME_STDOUT = 'o',
	FRAME_STDERR = 'e',
	FRAME_STATUS = 'x',	/* one byte, the last frame */
};

struct frame {
	uint8_t type;
	uint32_t len;		/* network order on the wire */
} __attribute__((packed));

static char buf[FRAME_MAX + 1];

static void die(const char *what)
{
	fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
	exit(EXIT_LAB);
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

static bool read_all(int fd, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

static bool send_frame(int fd, enum frame_type type, const void *data, size_t len)
{
	struct frame head = { .type = type, .len = htonl(len) };

	return write_all(fd, &head, sizeof(head)) && write_all(fd, data, len);
}

/* Reads one frame into buf and terminates it; false: the other side is gone. */
static bool read_frame(int fd, enum frame_type *type, size_t *len)
{
	struct frame head;

	if (!read_all(fd, &head, sizeof(head)))
		return false;
	*type = head.type;
	*len = ntohl(head.len);
	if (*len > FRAME_MAX || !read_all(fd, buf, *len))
		return false;
	buf[*len] = '\0';
	return true;
}

/*
 * A socket belongs to the namespace it was made in, so it's enough to be in the
 * management network while making it.  A peer that is a namespace of the host
 * has no other than its own.
 */
static int management_socket(void)
{
	int mgmt = open("/run/netns/mgmt", O_RDONLY | O_CLOEXEC);
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (mgmt >= 0 && setns(mgmt, CLONE_NEWNET))
		die("setns");
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	if (mgmt >= 0 && setns(own, CLONE_NEWNET))
		die("setns");
	close(mgmt);
	close(own);
	return fd;
}

static struct sockaddr_in management_address(const char *text)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	if (!text || inet_pton(AF_INET, text, &to.sin_addr) != 1) {
		fprintf(stderr, "peer: no address of the peer in MGMT_PEER\n");
		exit(EXIT_LAB);
	}
	return to;
}

/* --- peer --------------------------------------------------------------- */

static void send_command(int fd, char **argv)
{
	size_t len = 0;

	for (; *argv; argv++) {
		size_t n = strlen(*argv) + 1;

		if (len + n > FRAME_MAX) {
			errno = E2BIG;
			die(*argv);
		}
		memcpy(buf + len, *argv, n);
		len += n;
	}
	if (!send_frame(fd, FRAME_COMMAND, buf, len))
		die("cannot talk to the peer");
}

/* Hands one frame of the peer on; the command's status ends us. */
static void take_frame(int fd)
{
	enum frame_type type;
	size_t len;

	if (!read_frame(fd, &type, &len)) {
		fprintf(stderr, "peer: the peer went away\n");
		exit(EXIT_LAB);
	}
	if (type == FRAME_STATUS)
		exit((unsigned char)buf[0]);
	if (!write_all(type == FRAME_STDOUT ? 1 : 2, buf, len))
		exit(EXIT_LAB);
}

static int peer(char **argv)
{
	struct sockaddr_in to = management_address(getenv("MGMT_PEER"));
	bool input = argv[1] && !strcmp(argv[1], "-i");
	struct pollfd fds[2] = { { .events = POLLIN } };
	int fd = management_socket();

	argv += 1 + input;
	if (!*argv) {
		fprintf(stderr, "usage: peer [-i] COMMAND [ARGUMENT...]\n");
		return EXIT_LAB;
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("cannot reach the peer");
	send_command(fd, argv);
	if (!input)
		send_frame(fd, FRAME_STDIN, NULL, 0);

	fds[0].fd = fd;
	fds[1] = (struct pollfd){ .fd = input ? 0 : -1, .events = POLLIN };
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents) {
			ssize_t n = read(0, buf, STDIN_MAX);

			if (n <= 0)
				fds[1].fd = -1;
			send_frame(fd, FRAME_STDIN, buf, n > 0 ? n : 0);
		}
		if (fds[0].revents)
			take_frame(fd);
	}
}

/* --- peerd -------------------------------------------------------------- */

/* One command: the pipes' near ends, -1 when closed. */
struct command {
	pid_t pid;
	int in, out, err;
	int status;		/* -1 until it has exited */
};

static void exec_command(char **argv, int in[2], int out[2], int err[2])
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();	/* so that it can be killed with all it started */
	dup2(in[0], 0);
	dup2(out[1], 1);
	dup2(err[1], 2);
	execvp(argv[0], argv);
	fprintf(stderr, "peer: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static bool start(struct command *command, size_t len)
{
	int in[2], out[2], err[2];
	char *argv[ARGS_MAX + 1];
	size_t at, argc = 0;

	for (at = 0; at < len && argc < ARGS_MAX; at += strlen(buf + at) + 1)
		argv[argc++] = buf + at;
	argv[argc] = NULL;
	if (!argc || pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return false;
	command->pid = fork();
	if (command->pid < 0)
		return false;
	if (!command->pid)
		exec_command(argv, in, out, err);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	command->in = in[1];
	command->out = out[0];
	command->err = err[0];
	command->status = -1;
	return true;
}

/* Passes on what a pipe holds; false when it has ended or nobody listens. */
static bool pass_output(int client, enum frame_type type, int *fd)
{
	ssize_t n = read(*fd, buf, FRAME_MAX);

	if (n > 0)
		return send_frame(client, type, buf, n);
	close(*fd);
	*fd = -1;
	return true;
}

static bool is_writable(int fd)
{
	struct pollfd one = { .fd = fd, .events = POLLOUT };

	return fd < 0 || poll(&one, 1, 0) > 0;
}

/* False: whoever asked is gone. */
static bool take_input(int client, struct command *command)
{
	enum frame_type type;
	size_t len;

	if (!read_frame(client, &type, &len))
		return false;
	if (type == FRAME_STDIN && command->in >= 0 &&
	    (!len || !write_all(command->in, buf, len))) {
		close(command->in);
		command->in = -1;
	}
	return true;
}

static void reap(struct command *command)
{
	int status;

	if (waitpid(command->pid, &status, WNOHANG) == command->pid)
		command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
							WEXITSTATUS(status);
}

/*
 * A daemon left behind may keep the pipes open for ever.  So the command's own
 * exit is the end, after what the pipes hold by then.
 */
static void relay(int client, int children, struct command *command)
{
	bool full = false;	/* there is input, but the command doesn't read */

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = command->out, .events = POLLIN },
			{ .fd = command->err, .events = POLLIN },
			{ .fd = full ? command->in : client,
			  .events = full ? POLLOUT : POLLIN },
			{ .fd = children, .events = POLLIN },
		};
		bool exited = command->status >= 0;
		struct signalfd_siginfo info;

		if (poll(fds, 4, exited ? 0 : -1) < 0)
			continue;
		if (fds[0].revents && !pass_output(client, FRAME_STDOUT, &command->out))
			break;
		if (fds[1].revents && !pass_output(client, FRAME_STDERR, &command->err))
			break;
		if (fds[2].revents) {
			full = !full && !is_writable(command->in);
			if (!full && !take_input(client, command))
				break;
		}
		if (fds[3].revents && read(children, &info, sizeof(info)) > 0)
			reap(command);
		if (exited && !fds[0].revents && !fds[1].revents)
			return;
	}
	kill(-command->pid, SIGTERM);
}

static void serve(int client)
{
	struct command command;
	enum frame_type type;
	sigset_t set;
	size_t len;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGCHLD, SIG_DFL);
	if (!read_frame(client, &type, &len) || type != FRAME_COMMAND)
		return;
	if (!start(&command, len))
		return;
	relay(client, signalfd(-1, &set, SFD_CLOEXEC), &command);
	send_frame(client, FRAME_STATUS, &(char){ command.status }, 1);
}

static int peerd(char **argv)
{
	struct sockaddr_in at = management_address(argv[1]);
	int listener = management_socket();

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 512))
		die("cannot listen");
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		if (!fork()) {
			close(listener);
			serve(client);
			_exit(0);
		}
		close(client);
	}
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	(void)argc;
	name = name ? name + 1 : argv[0];
	return !strcmp(name, "peerd") ? peerd(argv) : peer(argv);
}
