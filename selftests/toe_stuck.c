// SPDX-License-Identifier: GPL-2.0
/*
 * toe_stuck: threads that sleep in send() on a page that doesn't come, each the owner of
 * its socket meanwhile.
 *
 *	toe_stuck --to ADDRESS --port PORT --conns N
 *
 * Connects to an echo server, prints «established», and then obeys its stdin: «send»:
 * all of them send, «stuck» is printed when the last of them sleeps; «go»: the pages
 * come, everything is read back and compared, «same N» is printed. Ends with stdin.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONNS_MAX	512
#define PAGE		4096ul

static struct {
	const char *to;
	int port, conns;
} arg = { .conns = 1 };

static struct one {
	pthread_t thread;
	int fd, same;
	char *page;
} ones[CONNS_MAX];

static int dial(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(arg.port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, arg.to, &to.sin_addr) != 1)
		errx(2, "%s: no IPv4 address", arg.to);
	if (fd < 0 || connect(fd, (void *)&to, sizeof(to)))
		err(1, "%s", arg.to);
	return fd;
}

static void *send_one(void *data)
{
	struct one *one = data;
	char back[PAGE];
	size_t n = 0;
	ssize_t got;

	if (send(one->fd, one->page, PAGE, MSG_NOSIGNAL) != (ssize_t)PAGE)
		return NULL;
	while (n < PAGE && (got = recv(one->fd, back + n, PAGE - n, 0)) > 0)
		n += got;
	one->same = n == PAGE && !memcmp(back, one->page, PAGE);
	return NULL;
}

/* Memory whose pages nobody brings until they are copied to it. */
static int never_there(void)
{
	size_t len = arg.conns * PAGE;
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC), i;
	char *area = mmap(NULL, len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	reg.range.start = (unsigned long)area;
	reg.range.len = len;
	if (fd < 0 || area == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		err(1, "userfaultfd");
	for (i = 0; i < arg.conns; i++)
		ones[i].page = area + i * PAGE;
	return fd;
}

static void all_send(int uffd)
{
	struct uffd_msg msg;
	int i;

	for (i = 0; i < arg.conns; i++)
		if (pthread_create(&ones[i].thread, NULL, send_one, &ones[i]))
			errx(1, "no thread");
	for (i = 0; i < arg.conns; i++)
		if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			err(1, "no fault");
	puts("stuck");
}

static void pages_come(int uffd)
{
	static char page[PAGE] __attribute__((aligned(PAGE)));
	int i, same = 0;

	for (i = 0; i < arg.conns; i++) {
		struct uffdio_copy copy = { .dst = (unsigned long)ones[i].page,
					    .src = (unsigned long)page, .len = PAGE };

		memset(page, 'a' + i, PAGE);
		if (ioctl(uffd, UFFDIO_COPY, &copy))
			err(1, "no page");
	}
	for (i = 0; i < arg.conns; i++) {
		pthread_join(ones[i].thread, NULL);
		same += ones[i].same;
	}
	printf("same %d\n", same);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "to", required_argument, NULL, 't' },
		{ "port", required_argument, NULL, 'p' },
		{ "conns", required_argument, NULL, 'c' },
		{ }
	};
	char line[80];
	int c, i, uffd;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't': arg.to = optarg; break;
		case 'p': arg.port = atoi(optarg); break;
		case 'c': arg.conns = atoi(optarg); break;
		default: return 2;
		}
	}
	if (!arg.to || arg.conns < 1 || arg.conns > CONNS_MAX || optind != argc)
		errx(2, "--to ADDRESS --port PORT [--conns 1..%d]", CONNS_MAX);
	setvbuf(stdout, NULL, _IOLBF, 0);
	uffd = never_there();
	for (i = 0; i < arg.conns; i++)
		ones[i].fd = dial();
	puts("established");
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "send\n"))
			all_send(uffd);
		else if (!strcmp(line, "go\n"))
			pages_come(uffd);
		else
			errx(2, "what is %s", line);
	}
	return 0;
}
