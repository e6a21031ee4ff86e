/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0 */
/* toe: what its parts share. */
#ifndef TOE_TOOL_H
#define TOE_TOOL_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlattr;
struct nlmsghdr;
struct attr_name;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit status as iproute2's. */
#define EXIT_SYNTAX	1
#define EXIT_KERNEL	2

/* Attributes of a message: tb[type], NULL what it lacks. */
#define ATTRS_MAX	64

extern bool opt_json, opt_pretty, opt_stats, opt_details;

/* main.c */
void die_syntax(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
/* Does @word abbreviate @full? */
bool is(const char *word, const char *full);
const char *next_word(char ***argv, const char *after);
uint64_t parse_number(const char *what, const char *text, uint64_t min, uint64_t max);
int parse_name(const char *what, const char *text, const char *const *names, size_t n);
void unknown(const char *what, const char *word, const char *object)
	__attribute__((noreturn));

/* Each object's command: its words behind the object's name. */
int do_dev(char **argv);
int do_conn(char **argv);
int do_recall(char **argv);
int do_offload(char **argv);
int do_rule(char **argv);
int do_monitor(char **argv);

/* netlink.c */
typedef void (*answer_fn)(struct nlattr **tb, const struct nlmsghdr *nlh);
void nl_open(void);
struct nlmsghdr *nl_request(int cmd, bool dump);
/* Sends it, gives each answer to @fn, returns an exit status. */
int nl_talk(struct nlmsghdr *request, const struct attr_name *set, answer_fn fn);
int nl_listen(const char *group, const struct attr_name *set, answer_fn fn);
void nl_parse(const struct nlattr *nest, const struct attr_name *set, struct nlattr **tb);
uint64_t nl_number(const struct nlattr *attr);

/* json.c: one call says it in either form; with a NULL format in JSON only. */
void out_begin(void);
void out_end(void);
void out_open(const char *key, char bracket);
void out_close(char bracket);
void out_string(const char *key, const char *fmt, const char *value);
void out_number(const char *key, const char *fmt, uint64_t value);
void out_bool(const char *key, const char *fmt, bool value);
void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A record of its own: a line of text, or a JSON object. */
void out_record_begin(void);
void out_record_end(void);
void out_flush_record(void);

/* flow.c: addresses, prefixes, ports, users, groups */
void put_address(struct nlmsghdr *nlh, int attr, int len_attr, const char *text);
void put_ports(struct nlmsghdr *nlh, int min, int max, const char *text);
void put_device(struct nlmsghdr *nlh, int attr, const char *name);
void put_cgroup(struct nlmsghdr *nlh, int attr, const char *path);
void put_user(struct nlmsghdr *nlh, int attr, const char *user);
const char *address_text(const struct nlattr *attr);
const char *device_text(uint32_t ifindex);
const char *cgroup_text(uint64_t id);

#endif /* TOE_TOOL_H */
