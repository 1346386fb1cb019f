// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/resource.h>
#include <kunit/test.h>
#include <linux/skbuff.h>

#include "rx.h"

KUNIT_DEFINE_ACTION_WRAPPER(quic_cursor_test_free, kfree_skb, struct sk_buff *);

/* One byte after the other counts up. */
static struct sk_buff *quic_cursor_test_skb(struct kunit *test,
					    unsigned int from, unsigned int len)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	for (i = 0; i < len; i++)
		skb_put_u8(skb, from + i);

	return skb;
}

/* A list of skbs of which none ends where datagrams do */
static struct sk_buff *quic_cursor_test_list(struct kunit *test)
{
	static const unsigned int lengths[] = { 71, 1, 130, 53 };
	struct sk_buff *root, *skb, **next;
	unsigned int i;

	root = quic_cursor_test_skb(test, 0, 45);
	kunit_add_action_or_reset(test, quic_cursor_test_free, root);
	next = &skb_shinfo(root)->frag_list;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		skb = quic_cursor_test_skb(test, root->len, lengths[i]);
		*next = skb;
		next = &skb->next;
		root->len += skb->len;
		root->data_len += skb->len;
	}

	return root;
}

/* All bytes of each stride, or the first of it and on to the next */
static void quic_cursor_test_copy(struct kunit *test)
{
	struct sk_buff *root = quic_cursor_test_list(test);
	unsigned int stride, n, pos, i;
	u8 to[300];

	for (stride = 1; stride <= root->len; stride++) {
		for (n = 1; n <= stride; n += stride - 1 ?: 1) {
			struct quic_cursor cursor = { .skb = root };

			for (pos = 0; pos + n <= root->len; pos += stride) {
				KUNIT_ASSERT_EQ_MSG(test, 0,
						    quic_cursor_copy(&cursor, root,
								     pos, to, n),
						    "%u of %u at %u", n, stride,
						    pos);
				for (i = 0; i < n; i++)
					KUNIT_ASSERT_EQ(test, to[i],
							(u8)(pos + i));
			}
			KUNIT_EXPECT_EQ(test, -EFAULT,
					quic_cursor_copy(&cursor, root,
							 root->len, to, 1));
		}
	}
}

static struct kunit_case quic_cursor_test_cases[] = {
	KUNIT_CASE(quic_cursor_test_copy),
	{}
};

static struct kunit_suite quic_cursor_test_suite = {
	.name = "quic-cursor",
	.test_cases = quic_cursor_test_cases,
};

kunit_test_suite(quic_cursor_test_suite);
