// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nonce guard: a key never protects two packets with the same number.
 */

#include <linux/atomic.h>
#include <linux/errno.h>

#include "key.h"

/**
 * quic_guard_take - take the packet numbers of a train
 * @guard: guard of the key
 * @use: the numbers
 *
 * Context: any.
 * Return: 0; -ERANGE if a number is not above those taken before.
 */
int quic_guard_take(struct quic_guard *guard, struct quic_use *use)
{
	s64 next = atomic64_read(&guard->next);

	do {
		if (use->first < next)
			return -ERANGE;
	} while (!atomic64_try_cmpxchg(&guard->next, &next, use->next));

	use->prev = next;
	use->taken = true;

	return 0;
}

/**
 * quic_guard_charge - count the packets of a train against the key's limit
 * @guard: guard of the key
 * @use: the train
 * @limit: packets that the key may protect in its life
 *
 * Context: any.
 * Return: 0; -EKEYEXPIRED if it would be more than @limit.
 */
int quic_guard_charge(struct quic_guard *guard, struct quic_use *use, u64 limit)
{
	s64 packets = atomic64_read(&guard->packets);

	do {
		if (packets + use->packets > limit)
			return -EKEYEXPIRED;
	} while (!atomic64_try_cmpxchg(&guard->packets, &packets,
				       packets + use->packets));

	use->charged = true;

	return 0;
}

/**
 * quic_guard_give_back - a train was not sent after all
 * @guard: guard of the key
 * @use: the train; what it has taken and been charged for is undone
 *
 * If somebody has taken higher numbers meanwhile these stay taken: the guard
 * remembers one number, not a set.
 *
 * Context: any.
 */
void quic_guard_give_back(struct quic_guard *guard, const struct quic_use *use)
{
	s64 next = use->next;

	if (use->charged)
		atomic64_sub(use->packets, &guard->packets);
	if (use->taken)
		atomic64_try_cmpxchg(&guard->next, &next, use->prev);
}
