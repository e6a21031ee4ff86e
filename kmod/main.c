// SPDX-License-Identifier: GPL-2.0
/*
 * toe.ko: a filter between the socket layer and the kernel's TCP.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "conn.h"
#include "device.h"

struct workqueue_struct *toe_wq;

static int __init toe_init(void)
{
	int err;

	toe_wq = alloc_workqueue("toe", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!toe_wq)
		return -ENOMEM;

	err = toe_kernel_init();
	if (err)
		goto err_wq_destroy;

	err = toe_stats_init();
	if (err)
		goto err_kernel_uninit;

	err = toe_conn_init();
	if (err)
		goto err_stats_uninit;

	err = toe_notice_init();
	if (err)
		goto err_conn_uninit;

	return 0;

err_conn_uninit:
	toe_conn_uninit();
err_stats_uninit:
	toe_stats_uninit();
err_kernel_uninit:
	toe_kernel_uninit();
err_wq_destroy:
	destroy_workqueue(toe_wq);
	return err;
}

/*
 * No card is registered any more (their modules depend on this one), so nothing
 * is offloaded.  What may be left: recalls whose socket a user owned when the
 * card gave it back, flagged sockets, and work.
 */
static void toe_forget_sockets(void)
{
	struct toe_sonode *sn;
	unsigned long id = 0;
	struct sock *sk;

	while ((sn = toe_conn_next(&id))) {
		sk = sn->connt;
		spin_lock_bh(&sn->lock);
		sn->closing = true;
		spin_unlock_bh(&sn->lock);
		lock_sock(sk);
		toe_recall_sync(sk, TOE_RECALL_UNLOAD);
		toe_conn_detach(sn, sk);
		release_sock(sk);
		if (cancel_delayed_work_sync(&sn->work))
			toe_conn_put(sn);
		toe_conn_put(sn);
	}
}

static void __exit toe_exit(void)
{
	toe_notice_uninit();
	toe_conn_uninit();
	toe_forget_sockets();
	toe_stats_uninit();
	destroy_workqueue(toe_wq);
	toe_kernel_uninit();
	/* A task may have been preempted between loading a pointer to one of our
	 * socket calls and calling it, or on the way out of one.
	 */
	synchronize_rcu_tasks();
	rcu_barrier();
}

module_init(toe_init);
module_exit(toe_exit);

MODULE_DESCRIPTION("TCP offload filter between socket layer and TCP");
MODULE_AUTHOR("OpenTOE");
MODULE_LICENSE("GPL");
