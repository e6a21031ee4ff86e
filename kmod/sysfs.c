// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/class/net/<dev>/toe/: one value per file, see
 * Documentation/ABI/testing/sysfs-class-net-toe.
 */
#include <linux/kobject.h>
#include <linux/netdevice.h>
#include <linux/sysfs.h>

#include "conn.h"
#include "device.h"
#include "inpath.h"

/* "toe" hangs under the netdev, "policy" under "toe". */
static struct toe_dev *toe_kobj_dev(struct kobject *kobj)
{
	if (!strcmp(kobject_name(kobj), "policy"))
		kobj = kobj->parent;
	return toe_dev_find(to_net_dev(kobj_to_dev(kobj->parent)));
}

/* TOE_ATTR_SHOW(name, expression): of @dev, printed as u64 */
#define TOE_ATTR_SHOW(name, expr)					\
static ssize_t name##_show(struct kobject *kobj,			\
			   struct kobj_attribute *attr, char *buf)	\
{									\
	struct toe_dev *dev = toe_kobj_dev(kobj);			\
	u64 val;							\
									\
	if (!dev)							\
		return -ENODEV;						\
	val = expr;							\
	toe_dev_put(dev);						\
	return sysfs_emit(buf, "%llu\n", val);				\
}

TOE_ATTR_SHOW(enable, READ_ONCE(dev->enabled))
TOE_ATTR_SHOW(connections, atomic_read(&dev->offloaded))
TOE_ATTR_SHOW(offloaded_total, toe_counter_read(dev, TOE_CNT_OFFLOADS))
TOE_ATTR_SHOW(recalled_total, toe_counter_read(dev, TOE_CNT_RECALLS))
TOE_ATTR_SHOW(refused_total, toe_counter_read(dev, TOE_CNT_REFUSALS))
TOE_ATTR_SHOW(reoffload_ms, READ_ONCE(dev->reoffload_ms))

static ssize_t enable_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	struct toe_dev *dev;
	bool on;
	int err;

	err = kstrtobool(buf, &on);
	if (err)
		return err;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	err = toe_dev_switch(dev, on);
	toe_dev_put(dev);
	return err ?: count;
}

static ssize_t reoffload_ms_store(struct kobject *kobj,
				  struct kobj_attribute *attr,
				  const char *buf, size_t count)
{
	struct toe_dev *dev;
	unsigned int ms;
	int err;

	err = kstrtouint(buf, 0, &ms);
	if (err)
		return err;
	if (ms > 3600 * MSEC_PER_SEC)
		return -ERANGE;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	WRITE_ONCE(dev->reoffload_ms, ms);
	toe_dev_put(dev);
	return count;
}

/* "all": every connection now; each is tried again after reoffload_ms. */
static ssize_t recall_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	struct toe_dev *dev;

	if (!sysfs_streq(buf, "all"))
		return -EINVAL;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	toe_dev_recall_once(dev, TOE_RECALL_REQUEST);
	toe_dev_put(dev);
	return count;
}

/* In the order of enum toe_mirror. */
static const char * const toe_mirror_names[] = { "off", "headers", "all" };

/* While a file is open for a call, the card is registered. */
static ssize_t mirror_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	struct toe_dev *dev = toe_kobj_dev(kobj);
	enum toe_mirror mode;

	if (!dev)
		return -ENODEV;
	mode = READ_ONCE(dev->tdev->mirror);
	toe_dev_put(dev);
	return sysfs_emit(buf, "%s\n", toe_mirror_names[mode]);
}

static ssize_t mirror_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	int mode = sysfs_match_string(toe_mirror_names, buf);
	struct toe_dev *dev;
	int err = -EOPNOTSUPP;

	if (mode < 0)
		return mode;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	if (dev->tdev->ops->mirror_set)
		err = dev->tdev->ops->mirror_set(dev->tdev, mode);
	toe_dev_put(dev);
	return err ?: count;
}

static ssize_t toe_ports_emit(const unsigned long *ports, char *buf)
{
	if (bitmap_full(ports, TOE_PORTS))
		return sysfs_emit(buf, "all\n");
	if (bitmap_empty(ports, TOE_PORTS))
		return sysfs_emit(buf, "none\n");
	return sysfs_emit(buf, "%*pbl\n", TOE_PORTS, ports);
}

/* "all", "none" or a list of ports and ranges: "80,443,5000-5100". */
static int toe_ports_parse(const char *buf, unsigned long *ports)
{
	unsigned long *parsed;
	int err = 0;

	parsed = bitmap_zalloc(TOE_PORTS, GFP_KERNEL);
	if (!parsed)
		return -ENOMEM;
	if (sysfs_streq(buf, "all"))
		bitmap_fill(parsed, TOE_PORTS);
	else if (!sysfs_streq(buf, "none"))
		err = bitmap_parselist(buf, parsed, TOE_PORTS);
	if (!err && bitmap_empty(parsed, TOE_PORTS) && !sysfs_streq(buf, "none"))
		err = -EINVAL;
	if (!err)
		bitmap_copy(ports, parsed, TOE_PORTS);
	bitmap_free(parsed);
	return err;
}

#define TOE_ATTR_PORTS(name)						\
static ssize_t name##_show(struct kobject *kobj,			\
			   struct kobj_attribute *attr, char *buf)	\
{									\
	struct toe_dev *dev = toe_kobj_dev(kobj);			\
	ssize_t n;							\
									\
	if (!dev)							\
		return -ENODEV;						\
	n = toe_ports_emit(dev->name, buf);				\
	toe_dev_put(dev);						\
	return n;							\
}									\
									\
static ssize_t name##_store(struct kobject *kobj,			\
			    struct kobj_attribute *attr,		\
			    const char *buf, size_t count)		\
{									\
	struct toe_dev *dev = toe_kobj_dev(kobj);			\
	int err;							\
									\
	if (!dev)							\
		return -ENODEV;						\
	mutex_lock(&dev->switch_lock);					\
	err = toe_ports_parse(buf, dev->name);				\
	if (!err)							\
		toe_dev_recheck(dev);				\
	mutex_unlock(&dev->switch_lock);				\
	toe_dev_put(dev);						\
	return err ?: count;						\
}

TOE_ATTR_PORTS(ports_in)
TOE_ATTR_PORTS(ports_out)

static ssize_t bypass_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	struct toe_dev *dev = toe_kobj_dev(kobj);
	ssize_t n;

	if (!dev)
		return -ENODEV;
	n = toe_bypass_emit(READ_ONCE(dev->bypass), buf);
	toe_dev_put(dev);
	return n;
}

static ssize_t bypass_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	struct toe_dev *dev;
	unsigned int what;
	int err;

	err = toe_bypass_parse(buf, &what);
	if (err)
		return err;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	WRITE_ONCE(dev->bypass, what);
	toe_watch_changed(dev);
	toe_dev_put(dev);
	return count;
}

TOE_ATTR_SHOW(min_bytes, READ_ONCE(dev->admit.min_bytes))
TOE_ATTR_SHOW(max_connections, READ_ONCE(dev->admit.max_conns))

static ssize_t min_bytes_store(struct kobject *kobj, struct kobj_attribute *attr,
			       const char *buf, size_t count)
{
	struct toe_dev *dev;
	u64 bytes;
	int err;

	err = kstrtou64(buf, 0, &bytes);
	if (err)
		return err;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	mutex_lock(&dev->switch_lock);
	WRITE_ONCE(dev->admit.min_bytes, bytes);
	toe_dev_recheck(dev);
	mutex_unlock(&dev->switch_lock);
	toe_dev_put(dev);
	return count;
}

static ssize_t max_connections_store(struct kobject *kobj,
				     struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	struct toe_dev *dev;
	unsigned int max;
	int err;

	err = kstrtouint(buf, 0, &max);
	if (err)
		return err;
	dev = toe_kobj_dev(kobj);
	if (!dev)
		return -ENODEV;
	mutex_lock(&dev->switch_lock);
	WRITE_ONCE(dev->admit.max_conns, max);
	err = toe_admit_shrink(dev);
	toe_dev_recheck(dev);
	mutex_unlock(&dev->switch_lock);
	toe_dev_put(dev);
	return err ?: count;
}

static ssize_t cgroups_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct toe_dev *dev = toe_kobj_dev(kobj);
	ssize_t n;

	if (!dev)
		return -ENODEV;
	n = toe_cgroup_emit(dev, buf);
	toe_dev_put(dev);
	return n;
}

static ssize_t cgroups_store(struct kobject *kobj, struct kobj_attribute *attr,
			     const char *buf, size_t count)
{
	struct toe_dev *dev = toe_kobj_dev(kobj);
	int err;

	if (!dev)
		return -ENODEV;
	mutex_lock(&dev->switch_lock);
	err = toe_cgroup_set(dev, buf);
	if (!err)
		toe_dev_recheck(dev);
	mutex_unlock(&dev->switch_lock);
	toe_dev_put(dev);
	return err ?: count;
}

static struct kobj_attribute toe_attr_enable = __ATTR_RW(enable);
static struct kobj_attribute toe_attr_connections = __ATTR_RO(connections);
static struct kobj_attribute toe_attr_offloaded = __ATTR_RO(offloaded_total);
static struct kobj_attribute toe_attr_recalled = __ATTR_RO(recalled_total);
static struct kobj_attribute toe_attr_refused = __ATTR_RO(refused_total);
static struct kobj_attribute toe_attr_reoffload = __ATTR_RW(reoffload_ms);
static struct kobj_attribute toe_attr_recall = __ATTR_WO(recall);
static struct kobj_attribute toe_attr_mirror = __ATTR_RW(mirror);
static struct kobj_attribute toe_attr_ports_in = __ATTR_RW(ports_in);
static struct kobj_attribute toe_attr_ports_out = __ATTR_RW(ports_out);
static struct kobj_attribute toe_attr_bypass = __ATTR_RW(bypass);
static struct kobj_attribute toe_attr_min_bytes = __ATTR_RW(min_bytes);
static struct kobj_attribute toe_attr_max_conns = __ATTR_RW(max_connections);
static struct kobj_attribute toe_attr_cgroups = __ATTR_RW(cgroups);

static struct attribute *toe_attrs[] = {
	&toe_attr_enable.attr,
	&toe_attr_connections.attr,
	&toe_attr_offloaded.attr,
	&toe_attr_recalled.attr,
	&toe_attr_refused.attr,
	&toe_attr_reoffload.attr,
	&toe_attr_recall.attr,
	&toe_attr_mirror.attr,
	NULL,
};

static struct attribute *toe_policy_attrs[] = {
	&toe_attr_ports_in.attr,
	&toe_attr_ports_out.attr,
	&toe_attr_bypass.attr,
	&toe_attr_min_bytes.attr,
	&toe_attr_max_conns.attr,
	&toe_attr_cgroups.attr,
	NULL,
};

static const struct attribute_group toe_group = { .attrs = toe_attrs };
static const struct attribute_group toe_policy_group = {
	.attrs = toe_policy_attrs,
};

/* Process context. */
int toe_sysfs_create(struct toe_dev *dev)
{
	int err = -ENOMEM;

	dev->kobj = kobject_create_and_add("toe", &dev->netdev->dev.kobj);
	if (!dev->kobj)
		return -ENOMEM;
	dev->policy_kobj = kobject_create_and_add("policy", dev->kobj);
	if (!dev->policy_kobj)
		goto err_kobj_put;
	err = sysfs_create_group(dev->kobj, &toe_group);
	if (err)
		goto err_policy_put;
	err = sysfs_create_group(dev->policy_kobj, &toe_policy_group);
	if (err)
		goto err_policy_put;
	return 0;

err_policy_put:
	kobject_put(dev->policy_kobj);
err_kobj_put:
	kobject_put(dev->kobj);
	return err;
}

/* Process context; waits for readers and writers. */
void toe_sysfs_destroy(struct toe_dev *dev)
{
	sysfs_remove_group(dev->policy_kobj, &toe_policy_group);
	sysfs_remove_group(dev->kobj, &toe_group);
	kobject_put(dev->policy_kobj);
	kobject_put(dev->kobj);
}
