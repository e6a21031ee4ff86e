// SPDX-License-Identifier: GPL-2.0
/*
 * toe_provoke - makes the mistakes that a debug kernel is there to find
 *
 * The name of a tool, written to /sys/module/toe_provoke/parameters/provoke, makes
 * one that this tool has to report. For tests of the tools only, see checkers.sh.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/timer.h>

static DEFINE_MUTEX(provoke_first);
static DEFINE_MUTEX(provoke_second);

/* A read right behind the end. */
static int provoke_kasan(void)
{
	size_t len = 24;
	char *p = kmalloc(len, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(len);
	READ_ONCE(p[len]);
	kfree(p);
	return 0;
}

/* Two locks in either order; nobody has to wait for it to be wrong. */
static int provoke_lockdep(void)
{
	mutex_lock(&provoke_first);
	mutex_lock(&provoke_second);
	mutex_unlock(&provoke_second);
	mutex_unlock(&provoke_first);

	mutex_lock(&provoke_second);
	mutex_lock(&provoke_first);
	mutex_unlock(&provoke_first);
	mutex_unlock(&provoke_second);
	return 0;
}

/* Ten, since a register or an old stack may still point to one of them. */
static int provoke_kmemleak(void)
{
	int i;

	for (i = 0; i < 10; i++) {
		void *p = kmalloc(200, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(p);
		if (!p)
			return -ENOMEM;
	}
	return 0;
}

/* A mapping that is undone twice. */
static int provoke_dma_debug(void)
{
	struct platform_device *pdev;
	dma_addr_t addr;
	int err = 0;
	void *p;

	pdev = platform_device_register_simple("toe_provoke", -1, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	p = kmalloc(64, GFP_KERNEL);
	if (!p) {
		err = -ENOMEM;
		goto unregister;
	}
	err = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto free;
	addr = dma_map_single(&pdev->dev, p, 64, DMA_TO_DEVICE);
	err = dma_mapping_error(&pdev->dev, addr);
	if (err)
		goto free;
	dma_unmap_single(&pdev->dev, addr, 64, DMA_TO_DEVICE);
	dma_unmap_single(&pdev->dev, addr, 64, DMA_TO_DEVICE);
free:
	kfree(p);
unregister:
	platform_device_unregister(pdev);
	return err;
}

static void provoke_timer(struct timer_list *timer)
{
}

/* Memory is freed with a timer that runs; the tool stops it before. */
static int provoke_debug_objects(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, provoke_timer, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
	return 0;
}

static const struct {
	const char *name;
	int (*provoke)(void);
} provocations[] = {
	{ "kasan", provoke_kasan },
	{ "lockdep", provoke_lockdep },
	{ "kmemleak", provoke_kmemleak },
	{ "dma_debug", provoke_dma_debug },
	{ "debug_objects", provoke_debug_objects },
};

static int provoke_set(const char *val, const struct kernel_param *kp)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(provocations); i++)
		if (sysfs_streq(val, provocations[i].name))
			return provocations[i].provoke();
	return -EINVAL;
}

static const struct kernel_param_ops provoke_ops = {
	.set = provoke_set,
};

module_param_cb(provoke, &provoke_ops, NULL, 0200);
MODULE_PARM_DESC(provoke, "name of the tool that has to find something");
MODULE_DESCRIPTION("Mistakes for the tools of a debug kernel to find");
MODULE_LICENSE("GPL");
