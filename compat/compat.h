/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sources speak 7.2; what older kernels lack stands here and nowhere else.
 *
 * Force-included by both Kbuilds.  Each entry names the first kernel that has
 * it and disappears when the oldest supported kernel (6.1) is that one.  Test
 * for the feature where it is a macro: distributions backport.
 */
#ifndef TOE_COMPAT_H
#define TOE_COMPAT_H

#include <linux/version.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/gro.h>

/* 7.0, and backported to 6.12: allocation by object. */
#ifndef kzalloc_obj
#define compat_gfp_pick(a, b, ...) b
#define compat_gfp(...) compat_gfp_pick(, ##__VA_ARGS__, GFP_KERNEL)
#define kmalloc_obj(obj, ...) \
	((typeof(obj) *)kmalloc(sizeof(obj), compat_gfp(__VA_ARGS__)))
#define kzalloc_obj(obj, ...) \
	((typeof(obj) *)kzalloc(sizeof(obj), compat_gfp(__VA_ARGS__)))
#define kzalloc_objs(obj, n, ...) \
	((typeof(obj) *)kcalloc(n, sizeof(obj), compat_gfp(__VA_ARGS__)))
#define kvzalloc_objs(obj, n, ...) \
	((typeof(obj) *)kvcalloc(n, sizeof(obj), compat_gfp(__VA_ARGS__)))
#endif

/* 6.15 moved a NAPI's GRO state into struct gro_node. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define compat_napi_rx(napi) (napi)
#else
#define compat_napi_rx(napi) (&(napi)->gro)
#endif

/*
 * Everything that a NAPI holds back goes to the stack now.  The kernel's
 * gro_flush_normal() does it from 6.15 on but needs a symbol that modules
 * don't get.
 */
static inline void compat_napi_flush(struct napi_struct *napi)
{
	napi_gro_flush(napi, false);
	if (!compat_napi_rx(napi)->rx_count)
		return;

	netif_receive_skb_list(&compat_napi_rx(napi)->rx_list);
	INIT_LIST_HEAD(&compat_napi_rx(napi)->rx_list);
	compat_napi_rx(napi)->rx_count = 0;
}

/* 6.8 gave the rxfh operations one parameter structure. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
struct ethtool_rxfh_param {
	u8 hfunc;
	u32 indir_size;
	u32 *indir;
	u32 key_size;
	u8 *key;
};

#define COMPAT_RXFH_OPS(get, set)					\
static int compat_##get(struct net_device *dev, u32 *indir, u8 *key,	\
			u8 *hfunc)					\
{									\
	struct ethtool_rxfh_param rxfh = { .indir = indir, .key = key };\
	int err = get(dev, &rxfh);					\
									\
	if (hfunc)							\
		*hfunc = rxfh.hfunc;					\
	return err;							\
}									\
static int compat_##set(struct net_device *dev, const u32 *indir,	\
			const u8 *key, const u8 hfunc)			\
{									\
	struct ethtool_rxfh_param rxfh = {				\
		.hfunc = hfunc,						\
		.indir = (u32 *)indir,					\
		.key = (u8 *)key,					\
	};								\
									\
	return set(dev, &rxfh, NULL);					\
}
#define COMPAT_RXFH_OP(fn) compat_##fn
#else
#define COMPAT_RXFH_OPS(get, set)
#define COMPAT_RXFH_OP(fn) fn
#endif

/* 6.19: the number of receive rings has an operation of its own. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define COMPAT_RX_RING_COUNT(fn)					\
static int compat_##fn(struct net_device *dev,				\
		       struct ethtool_rxnfc *info, u32 *rules)		\
{									\
	if (info->cmd != ETHTOOL_GRXRINGS)				\
		return -EOPNOTSUPP;					\
	info->data = fn(dev);						\
	return 0;							\
}
#define COMPAT_RX_RING_COUNT_OP(fn) .get_rxnfc = compat_##fn
#else
#define COMPAT_RX_RING_COUNT(fn)
#define COMPAT_RX_RING_COUNT_OP(fn) .get_rx_ring_count = fn
#endif

#endif /* TOE_COMPAT_H */
