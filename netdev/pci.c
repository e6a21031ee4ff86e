// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI function: probe, remove, and what the bus reports.
 */
#include <linux/bitfield.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "toenic.h"
#include "cmd.h"
#include "health.h"
#include "netdev.h"
#include "offload.h"

static const struct pci_device_id toenic_ids[] = {
	{ PCI_DEVICE(TOE_PCI_VENDOR_ID, TOE_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, toenic_ids);

/* Is this a card whose language we speak? */
static int toenic_check(struct pci_dev *pdev, void __iomem *bar)
{
	u32 magic = readl(bar + TOE_REG_MAGIC);
	u32 version;

	if (magic != TOE_MAGIC) {
		dev_err(&pdev->dev, "no card answers: magic is %08x\n", magic);
		return -ENODEV;
	}
	version = readl(bar + TOE_REG_VERSION);
	if (FIELD_GET(TOE_VERSION_MAJOR, version) != TOE_ABI_MAJOR) {
		dev_err(&pdev->dev, "card speaks ABI %u.%u, driver %u.%u\n",
			(u32)FIELD_GET(TOE_VERSION_MAJOR, version),
			(u32)FIELD_GET(TOE_VERSION_MINOR, version),
			TOE_ABI_MAJOR, TOE_ABI_MINOR);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

static int toenic_pci_setup(struct pci_dev *pdev, void __iomem **bar)
{
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;

	err = pci_request_regions(pdev, TOENIC_NAME);
	if (err)
		goto err_disable;

	err = -ENXIO;
	if (pci_resource_len(pdev, TOE_BAR) < TOE_BAR_BYTES)
		goto err_release;
	*bar = pci_ioremap_bar(pdev, TOE_BAR);
	if (!*bar)
		goto err_release;

	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto err_unmap;
	err = toenic_check(pdev, *bar);
	if (err)
		goto err_unmap;
	pci_set_master(pdev);
	return 0;

err_unmap:
	iounmap(*bar);
err_release:
	pci_release_regions(pdev);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void toenic_pci_undo(struct pci_dev *pdev, void __iomem *bar)
{
	pci_clear_master(pdev);
	iounmap(bar);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
}

/* One vector for the admin ring and one per pair; fewer vectors, fewer pairs. */
static int toenic_vectors(struct pci_dev *pdev, void __iomem *bar)
{
	u32 pairs = readl(bar + TOE_REG_PAIRS);
	int n;

	if (!pairs || pairs > TOE_MAX_PAIRS)
		return -EPROTO;
	pairs = min_t(u32, pairs, num_online_cpus());
	n = pci_alloc_irq_vectors(pdev, 2, 1 + pairs, PCI_IRQ_MSIX);
	if (n < 0)
		dev_err(&pdev->dev, "no MSI-X vectors: %d\n", n);
	return n < 0 ? n : n - 1;
}

static int toenic_hw_init(struct toenic *nic)
{
	struct pci_dev *pdev = nic->pdev;
	unsigned int i;
	int err;

	/* not before there is a netdev to recover */
	set_bit(TOENIC_NO_RECOVERY, &nic->flags);
	err = toenic_health_alloc(nic);
	if (err)
		return err;
	err = toenic_hw_reset(nic);
	if (err) {
		dev_err(&pdev->dev, "card doesn't come out of reset: %d\n",
			err);
		goto err_health_free;
	}
	nic->caps = toenic_rd32(nic, TOE_REG_CAP_NIC);

	err = toenic_admin_alloc(nic);
	if (err)
		goto err_health_free;
	err = request_irq(pci_irq_vector(pdev, TOE_VECTOR_ADMIN),
			  toenic_admin_irq, 0, TOENIC_NAME "-admin", nic);
	if (err)
		goto err_admin_free;
	err = toenic_admin_start(nic);
	if (err) {
		dev_err(&pdev->dev, "card doesn't reach host memory: %d\n",
			err);
		goto err_irq_free;
	}
	for (i = 0; i < nic->max_pairs; i++)
		toenic_pair_init(nic, i);
	toenic_netdev_setup(nic);
	return 0;

err_irq_free:
	toenic_bus_off(pdev);
	free_irq(pci_irq_vector(pdev, TOE_VECTOR_ADMIN), nic);
err_admin_free:
	cancel_work_sync(&nic->admin.work);
	toenic_admin_free(nic);
err_health_free:
	toenic_health_free(nic);
	return err;
}

static void toenic_hw_uninit(struct toenic *nic)
{
	unsigned int i;

	toenic_wr32(nic, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	toenic_bus_off(nic->pdev);
	for (i = 0; i < nic->max_pairs; i++)
		netif_napi_del(&nic->pairs[i].napi);
	free_irq(pci_irq_vector(nic->pdev, TOE_VECTOR_ADMIN), nic);
	cancel_work_sync(&nic->admin.work);
	toenic_admin_free(nic);
	toenic_health_free(nic);
}

static int toenic_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct net_device *netdev;
	struct toenic *nic;
	void __iomem *bar;
	int pairs;
	int err;

	err = toenic_pci_setup(pdev, &bar);
	if (err)
		return err;
	pairs = toenic_vectors(pdev, bar);
	if (pairs < 0) {
		err = pairs;
		goto err_pci_undo;
	}

	err = -ENOMEM;
	netdev = toenic_netdev_alloc(pdev, pairs);
	if (!netdev)
		goto err_vectors_free;
	nic = netdev_priv(netdev);
	nic->bar = bar;
	nic->pairs = kvcalloc(pairs, sizeof(*nic->pairs), GFP_KERNEL);
	if (!nic->pairs)
		goto err_netdev_free;
	nic->wq = alloc_ordered_workqueue("%s-%s", WQ_MEM_RECLAIM, TOENIC_NAME,
					  pci_name(pdev));
	if (!nic->wq)
		goto err_pairs_free;

	err = toenic_hw_init(nic);
	if (err)
		goto err_wq_destroy;
	err = toenic_offload_alloc(nic);
	if (err)
		goto err_hw_uninit;
	pci_set_drvdata(pdev, nic);
	err = register_netdev(netdev);
	if (err)
		goto err_offload_free;

	toenic_health_start(nic);
	toenic_offload_register(nic);
	return 0;

err_offload_free:
	toenic_offload_free(nic);
err_hw_uninit:
	toenic_hw_uninit(nic);
err_wq_destroy:
	destroy_workqueue(nic->wq);
err_pairs_free:
	kvfree(nic->pairs);
err_netdev_free:
	free_netdev(netdev);
err_vectors_free:
	pci_free_irq_vectors(pdev);
err_pci_undo:
	toenic_pci_undo(pdev, bar);
	return err;
}

/* Down for good.  Gives every connection back, while rings and recovery run. */
static void toenic_no_more(struct toenic *nic)
{
	rtnl_lock();
	set_bit(TOENIC_REMOVING, &nic->flags);
	dev_close(nic->netdev);
	mutex_lock(&nic->state_lock);
	set_bit(TOENIC_NO_RECOVERY, &nic->flags);
	mutex_unlock(&nic->state_lock);
	rtnl_unlock();
}

static void toenic_remove(struct pci_dev *pdev)
{
	struct toenic *nic = pci_get_drvdata(pdev);
	struct net_device *netdev = nic->netdev;
	void __iomem *bar = nic->bar;

	toenic_no_more(nic);

	/*
	 * Who could still call the filter about this card?  NAPI is off; open
	 * and stop, which are refused and not due; recovery, which is refused.
	 */
	toenic_health_stop(nic);
	toenic_offload_unregister(nic);
	unregister_netdev(netdev);
	cancel_work_sync(&nic->rx_mode_work);
	cancel_work_sync(&nic->link_work);
	toenic_hw_uninit(nic);
	toenic_offload_free(nic);
	/* A death noticed since then has queued a recovery that does nothing. */
	cancel_delayed_work_sync(&nic->health.recover);
	destroy_workqueue(nic->wq);
	kvfree(nic->pairs);
	free_netdev(netdev);
	pci_free_irq_vectors(pdev);
	toenic_pci_undo(pdev, bar);
}

/* Before the machine goes: the card must not write into the next kernel. */
static void toenic_shutdown(struct pci_dev *pdev)
{
	struct toenic *nic = pci_get_drvdata(pdev);

	toenic_no_more(nic);
	toenic_health_stop(nic);
	toenic_wr32(nic, TOE_REG_CONTROL, TOE_CONTROL_RESET);
	toenic_bus_off(pdev);
}

/* The function is about to be reset, or has been cut off by the bus. */
static void toenic_pci_gone(struct toenic *nic)
{
	mutex_lock(&nic->state_lock);
	if (!test_and_set_bit(TOENIC_DEAD, &nic->flags))
		atomic_long_inc(&nic->health.deaths[TOENIC_FATAL_PCI]);
	/* keeps a recovery that is queued from interfering */
	cancel_delayed_work(&nic->health.recover);
	toenic_health_detach(nic);
	mutex_unlock(&nic->state_lock);
}

static void toenic_pci_back(struct toenic *nic)
{
	/* recovery's retries do the rest */
	nic->health.tries = 1;
	queue_delayed_work(nic->wq, &nic->health.recover, 0);
}

static pci_ers_result_t toenic_error_detected(struct pci_dev *pdev,
					      pci_channel_state_t state)
{
	struct toenic *nic = pci_get_drvdata(pdev);

	toenic_pci_gone(nic);
	if (state == pci_channel_io_perm_failure)
		return PCI_ERS_RESULT_DISCONNECT;
	return PCI_ERS_RESULT_NEED_RESET;
}

static pci_ers_result_t toenic_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static void toenic_error_resume(struct pci_dev *pdev)
{
	toenic_pci_back(pci_get_drvdata(pdev));
}

static void toenic_reset_prepare(struct pci_dev *pdev)
{
	toenic_pci_gone(pci_get_drvdata(pdev));
}

static void toenic_reset_done(struct pci_dev *pdev)
{
	toenic_pci_back(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers toenic_error_handlers = {
	.error_detected	= toenic_error_detected,
	.slot_reset	= toenic_slot_reset,
	.resume		= toenic_error_resume,
	.reset_prepare	= toenic_reset_prepare,
	.reset_done	= toenic_reset_done,
};

static struct pci_driver toenic_driver = {
	.name		= TOENIC_NAME,
	.id_table	= toenic_ids,
	.probe		= toenic_probe,
	.remove		= toenic_remove,
	.shutdown	= toenic_shutdown,
	.err_handler	= &toenic_error_handlers,
};

static void __exit toenic_exit(void)
{
	pci_unregister_driver(&toenic_driver);
	rcu_barrier();	/* connections are freed after a grace period */
}

static int __init toenic_init(void)
{
	return pci_register_driver(&toenic_driver);
}

module_init(toenic_init);
module_exit(toenic_exit);

MODULE_DESCRIPTION("NIC with TCP offload extensions");
MODULE_LICENSE("GPL");
