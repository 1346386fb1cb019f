// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>

#include "key.h"

static struct quic_use quic_guard_test_use(u64 first, u64 last,
					   unsigned int packets)
{
	return (struct quic_use) {
		.first = first, .next = last + 1, .packets = packets,
	};
}

static int quic_guard_test_both(struct quic_guard *guard, struct quic_use *use,
				u64 limit)
{
	int err;

	use->taken = false;
	use->charged = false;
	err = quic_guard_take(guard, use) ?:
	      quic_guard_charge(guard, use, limit);
	if (err)
		quic_guard_give_back(guard, use);

	return err;
}

static int quic_guard_try(struct quic_guard *guard, u64 first, u64 last)
{
	struct quic_use use;

	use = quic_guard_test_use(first, last, last - first + 1);
	return quic_guard_test_both(guard, &use, 1000);
}

static void quic_guard_test_order(struct kunit *test)
{
	struct quic_guard guard = {};

	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, 0, 0), -ERANGE);
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, 1, 9), 0);
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, 9, 12), -ERANGE);
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, 5, 6), -ERANGE);
	/* gaps are fine, up to the last number there is */
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, 100, 100), 0);
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, QUIC_MAX_PKT_NUM,
					     QUIC_MAX_PKT_NUM), 0);
	KUNIT_EXPECT_EQ(test, quic_guard_try(&guard, QUIC_MAX_PKT_NUM,
					     QUIC_MAX_PKT_NUM), -ERANGE);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.packets), 12);
}

static void quic_guard_test_give_back(struct kunit *test)
{
	struct quic_use a = quic_guard_test_use(10, 19, 10);
	struct quic_use b = quic_guard_test_use(20, 29, 10);
	struct quic_guard guard = {};

	KUNIT_ASSERT_EQ(test, quic_guard_test_both(&guard, &a, 1000), 0);
	quic_guard_give_back(&guard, &a);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.next), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.packets), 0);

	/* in reverse order both come back */
	KUNIT_ASSERT_EQ(test, quic_guard_test_both(&guard, &a, 1000), 0);
	KUNIT_ASSERT_EQ(test, quic_guard_test_both(&guard, &b, 1000), 0);
	quic_guard_give_back(&guard, &b);
	quic_guard_give_back(&guard, &a);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.next), 0);

	/* below numbers that are in use they do not */
	KUNIT_ASSERT_EQ(test, quic_guard_test_both(&guard, &a, 1000), 0);
	KUNIT_ASSERT_EQ(test, quic_guard_test_both(&guard, &b, 1000), 0);
	quic_guard_give_back(&guard, &a);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.next), 30);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.packets), 10);
	KUNIT_EXPECT_EQ(test, quic_guard_test_both(&guard, &a, 1000), -ERANGE);
}

static void quic_guard_test_limit(struct kunit *test)
{
	struct quic_use three = quic_guard_test_use(0, 90, 3);
	struct quic_use two = quic_guard_test_use(91, 99, 2);
	struct quic_use one = quic_guard_test_use(92, 92, 1);
	struct quic_guard guard = {};

	KUNIT_EXPECT_EQ(test, quic_guard_test_both(&guard, &three, 4), 0);
	KUNIT_EXPECT_EQ(test, quic_guard_test_both(&guard, &two, 4), -EKEYEXPIRED);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.next), 91);
	KUNIT_EXPECT_EQ(test, atomic64_read(&guard.packets), 3);
	KUNIT_EXPECT_EQ(test, quic_guard_test_both(&guard, &one, 4), 0);
}

static struct kunit_case quic_guard_test_cases[] = {
	KUNIT_CASE(quic_guard_test_order),
	KUNIT_CASE(quic_guard_test_give_back),
	KUNIT_CASE(quic_guard_test_limit),
	{}
};

static struct kunit_suite quic_guard_test_suite = {
	.name = "quic-guard",
	.test_cases = quic_guard_test_cases,
};

kunit_test_suite(quic_guard_test_suite);
