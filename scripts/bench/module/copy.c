// SPDX-License-Identifier: GPL-2.0-only
/* Loops that do nothing but copy. */

#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "module.h"

int kbench_memcpy(struct kbench_loop *loop)
{
	u32 i, packet = 0;
	u64 start;
	u8 *to;

	to = kmalloc(loop->wire, GFP_KERNEL);
	if (!to)
		return -ENOMEM;

	start = ktime_get_ns();
	for (i = 0; i < loop->loops; i++) {
		memcpy(to, source + loop->base + packet * loop->stride, loop->wire);
		barrier_data(to);
		if (++packet == loop->ring)
			packet = 0;
	}
	loop->ns = ktime_get_ns() - start;

	kfree(to);
	return 0;
}

/* A packet that has come alone is in one piece. */
int kbench_skb_copy(struct kbench_loop *loop)
{
	struct sk_buff *skb;
	u64 start;
	int err;
	u8 *to;
	u32 i;

	to = kmalloc(loop->wire, GFP_KERNEL);
	skb = alloc_skb(loop->wire, GFP_KERNEL);
	err = to && skb ? 0 : -ENOMEM;
	if (err)
		goto out;
	skb_put_data(skb, source, loop->wire);

	start = ktime_get_ns();
	for (i = 0; i < loop->loops && !err; i++) {
		err = skb_copy_bits(skb, loop->hdr_len, to,
				    loop->wire - loop->hdr_len);
		barrier_data(to);
	}
	loop->ns = ktime_get_ns() - start;

out:
	kfree_skb(skb);
	kfree(to);
	return err;
}
