// SPDX-License-Identifier: GPL-2.0
/*
 * toe.ko: a filter between the socket layer and the kernel's TCP.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "conn.h"
#include "device.h"
#include "netlink.h"
#include "inpath.h"

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

	toe_takeover_init();

	err = toe_watch_init();
	if (err)
		goto err_takeover_uninit;

	err = toe_notice_init();
	if (err)
		goto err_watch_uninit;

	err = toe_nl_init();
	if (err)
		goto err_notice_uninit;

	return 0;

err_notice_uninit:
	toe_notice_uninit();
err_watch_uninit:
	toe_watch_uninit();
err_takeover_uninit:
	toe_takeover_uninit();
	toe_conn_uninit();
err_stats_uninit:
	toe_stats_uninit();
err_kernel_uninit:
	toe_kernel_uninit();
err_wq_destroy:
	destroy_workqueue(toe_wq);
	return err;
}

static atomic_t toe_frames;
static DECLARE_WAIT_QUEUE_HEAD(toe_frames_none);

/**
 * toe_frame_enter() - a function of ours calls into the kernel, and may sleep there
 *
 * Its return address lies on a stack until toe_frame_leave(); the module can't be removed
 * before.  If that has begun already it waits.
 */
void toe_frame_enter(void)
{
	__module_get(THIS_MODULE);
	atomic_inc(&toe_frames);
}

/**
 * toe_frame_leave() - the last it does is return, or jump into the kernel
 */
void toe_frame_leave(void)
{
	if (atomic_dec_and_test(&toe_frames))
		wake_up(&toe_frames_none);
	module_put(THIS_MODULE);
}

/*
 * No card is registered any more (their modules depend on this one) and no socket has
 * our tables, which would hold this module (but for rmmod -f).  What may be left: flagged
 * sockets, and work.  Those that aren't flagged aren't waited for: a thread may own them
 * for long.
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
		if (READ_ONCE(sn->attached)) {
			lock_sock(sk);
			toe_recall_sync(sk, TOE_RECALL_UNLOAD);
			toe_conn_detach(sn, sk);
			release_sock(sk);
		}
		if (cancel_delayed_work_sync(&sn->work))
			toe_conn_put(sn);
		toe_conn_put(sn);
	}
}

static void __exit toe_exit(void)
{
	toe_nl_uninit();
	toe_notice_uninit();
	toe_watch_uninit();
	toe_takeover_uninit();
	toe_conn_uninit();
	toe_forget_sockets();
	toe_admit_uninit();
	toe_stats_uninit();
	destroy_workqueue(toe_wq);
	toe_kernel_uninit();
	/* A task may have been preempted between loading a pointer to one of our
	 * socket calls and calling it, or on the way out of one; or it sleeps.
	 */
	synchronize_rcu_tasks();
	wait_event(toe_frames_none, !atomic_read(&toe_frames));
	synchronize_rcu_tasks();
	rcu_barrier();
}

module_init(toe_init);
module_exit(toe_exit);

MODULE_DESCRIPTION("TCP offload filter between socket layer and TCP");
MODULE_AUTHOR("OpenTOE");
MODULE_LICENSE("GPL");
