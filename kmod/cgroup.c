// SPDX-License-Identifier: GPL-2.0
/*
 * Rules by cgroup (v2): whose sockets may be offloaded.
 *
 * A rule names a path, not an object: it may be written before the cgroup exists and
 * holds for one that is removed and made again, as a service's is at a restart. A
 * socket belongs where it was made, accepted ones where the listener was; that
 * doesn't change, so nothing is looked up again for what is in the card.
 */
#include <linux/cgroup.h>
#include <linux/ctype.h>
#include <linux/sysfs.h>

#include "conn.h"
#include "device.h"

#define TOE_CGROUP_PATH		256	/* of a rule, with its end */
#define TOE_CGROUP_TEXT		(PAGE_SIZE - 8)	/* what one read can show */

/**
 * struct toe_cgroup_rules - as an administrator wrote them
 * @rcu: readers are evaluations
 * @allow: what no rule names
 * @text: rules: lines of "+/path" or "-/path"
 */
struct toe_cgroup_rules {
	struct rcu_head rcu;
	bool allow;
	char text[];
};

#ifdef CONFIG_SOCK_CGROUP_DATA
/* The beginning of the path, as far as a rule can reach; the root's is "/". */
static void toe_cgroup_path(const struct sock *sk, char *path, size_t size)
{
	struct cgroup *cgrp;

	strscpy(path, "/", size);
	cgrp = sock_cgroup_ptr((struct sock_cgroup_data *)&sk->sk_cgrp_data);
	if (cgrp)
		cgroup_path(cgrp, path, size);
}
#endif

/* Is @path the cgroup at @rule, or below it? */
static bool toe_cgroup_within(const char *path, const char *rule, size_t len)
{
	if (len == 1)
		return true;	/* the root */
	return !strncmp(path, rule, len) && (!path[len] || path[len] == '/');
}

/**
 * toe_cgroup_allowed() - do the cgroup rules allow it?
 * @dev: card
 * @sk: socket
 *
 * The longest path that fits decides, of equal ones the last.
 *
 * Context: any.
 */
bool toe_cgroup_allowed(const struct toe_dev *dev, const struct sock *sk)
{
	bool allow = true;
#ifdef CONFIG_SOCK_CGROUP_DATA
	const struct toe_cgroup_rules *rules;
	char path[TOE_CGROUP_PATH + 1];
	size_t len, longest = 0;
	const char *line;

	rcu_read_lock();
	rules = rcu_dereference(dev->cgroups);
	if (!rules)
		goto unlock;
	allow = rules->allow;
	toe_cgroup_path(sk, path, sizeof(path));
	for (line = rules->text; *line; line += len + 2) {
		len = strchrnul(line, '\n') - line - 1;
		if (len >= longest && toe_cgroup_within(path, line + 1, len)) {
			longest = len;
			allow = *line == '+';
		}
	}
unlock:
	rcu_read_unlock();
#endif
	return allow;
}

/* An absolute path as /proc/PID/cgroup shows it: nothing empty, no dots. */
static bool toe_cgroup_path_ok(const char *path)
{
	const char *end, *p = path;

	if (*path != '/' || strlen(path) >= TOE_CGROUP_PATH)
		return false;
	if (!path[1])
		return true;
	while (*p) {
		end = strchrnul(++p, '/');
		if (end == p || (end == p + 1 && *p == '.') ||
		    (end == p + 2 && p[0] == '.' && p[1] == '.'))
			return false;
		for (; p < end; p++)
			if (iscntrl(*p))
				return false;
	}
	return true;
}

/* The next word of *@buf, which it ends; NULL without one. */
static char *toe_cgroup_word(char **buf)
{
	char *word = skip_spaces(*buf);
	char *end = word;

	while (*end && !isspace(*end))
		end++;
	*buf = *end ? end + 1 : end;
	*end = 0;
	return *word ? word : NULL;
}

/* "all" or "none", then rules. */
static int toe_cgroup_parse(char *buf, struct toe_cgroup_rules *rules)
{
	char *word = toe_cgroup_word(&buf);
	size_t len = 0;

	if (!word || (strcmp(word, "all") && strcmp(word, "none")))
		return -EINVAL;
	rules->allow = !strcmp(word, "all");
	while ((word = toe_cgroup_word(&buf))) {
		if ((*word != '+' && *word != '-') ||
		    !toe_cgroup_path_ok(word + 1))
			return -EINVAL;
		len += scnprintf(rules->text + len, TOE_CGROUP_TEXT - len,
				 "%s\n", word);
	}
	rules->text[len] = 0;
	return 0;
}

/**
 * toe_cgroup_set() - replace the rules of a card
 * @dev: card
 * @buf: "all" or "none", then "+/path" and "-/path", with space between
 *
 * Context: process; the caller holds dev->switch_lock.
 * Return: 0, -EINVAL, -EMSGSIZE if a read couldn't show it, -ENOMEM, or -EOPNOTSUPP
 *	if the kernel's sockets don't know their cgroup.
 */
int toe_cgroup_set(struct toe_dev *dev, const char *buf)
{
	struct toe_cgroup_rules *rules, *old;
	int err = -ENOMEM;
	char *copy;

	lockdep_assert_held(&dev->switch_lock);
	if (strlen(buf) >= TOE_CGROUP_TEXT)
		return -EMSGSIZE;
	copy = kstrdup(buf, GFP_KERNEL);
	rules = kzalloc(struct_size(rules, text, TOE_CGROUP_TEXT), GFP_KERNEL);
	if (!copy || !rules)
		goto out;
	err = toe_cgroup_parse(copy, rules);
	if (err)
		goto out;
	if (rules->allow && !*rules->text) {
		kfree(rules);
		rules = NULL;
	}
	err = -EOPNOTSUPP;
	if (rules && !IS_ENABLED(CONFIG_SOCK_CGROUP_DATA))
		goto out;
	old = rcu_replace_pointer(dev->cgroups, rules,
				  lockdep_is_held(&dev->switch_lock));
	if (old)
		kfree_rcu(old, rcu);
	rules = NULL;
	err = 0;
out:
	kfree(rules);
	kfree(copy);
	return err;
}

/* As toe_cgroup_set() takes it, a rule a line. */
ssize_t toe_cgroup_emit(struct toe_dev *dev, char *buf)
{
	const struct toe_cgroup_rules *rules;
	ssize_t n;

	rcu_read_lock();
	rules = rcu_dereference(dev->cgroups);
	if (rules)
		n = sysfs_emit(buf, "%s\n%s", rules->allow ? "all" : "none",
			       rules->text);
	else
		n = sysfs_emit(buf, "all\n");
	rcu_read_unlock();
	return n;
}

/* Nobody uses @dev any more. */
void toe_cgroup_free(struct toe_dev *dev)
{
	kfree(rcu_dereference_protected(dev->cgroups, true));
}
