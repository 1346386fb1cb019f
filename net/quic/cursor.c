// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading an skb from its beginning to its end.
 */

#include <linux/errno.h>
#include <linux/skbuff.h>

#include "rx.h"

/**
 * quic_cursor_copy - copy bytes of an skb
 * @cursor: no further than the first of them; goes where the last of them is
 * @root: the skb
 * @pos: where in it they are
 * @to: where to put them
 * @len: how many
 *
 * Like skb_copy_bits(), which would start from the first skb of a list each time.
 *
 * Return: 0; -EFAULT if the skb is not that long, or can't be read.
 */
int quic_cursor_copy(struct quic_cursor *cursor, const struct sk_buff *root,
		     unsigned int pos, u8 *to, unsigned int len)
{
	struct sk_buff *skb = cursor->skb;
	unsigned int end, n;

	while (len && skb) {
		end = cursor->start +
		      (skb == root ? skb_pagelen(skb) : skb->len);
		if (pos < end) {
			n = min(len, end - pos);
			if (skb_copy_bits(skb, pos - cursor->start, to, n))
				break;
			to += n;
			pos += n;
			len -= n;
			continue;
		}

		skb = skb == root ? skb_shinfo(skb)->frag_list : skb->next;
		cursor->start = end;
		cursor->skb = skb;
	}

	return len ? -EFAULT : 0;
}
