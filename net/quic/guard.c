// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nonce guard: a key never protects two packets with the same number.
 */

#include <linux/atomic.h>
#include <linux/errno.h>

#include "quic.h"

/**
 * quic_guard_take - take the packet numbers of a train
 * @guard: guard of the key
 * @use: the numbers; @use->prev is filled in
 * @limit: packets that the key may protect in its life
 *
 * Context: any.
 * Return: 0; -ERANGE if a number is not above those taken before; -EKEYEXPIRED
 * if the key would protect more than @limit packets.  On failure nothing is
 * taken.
 */
int quic_guard_take(struct quic_guard *guard, struct quic_use *use, u64 limit)
{
	s64 next = atomic64_read(&guard->next);

	do {
		if (use->first < next)
			return -ERANGE;
	} while (!atomic64_try_cmpxchg(&guard->next, &next, use->next));
	use->prev = next;

	if (atomic64_add_return(use->packets, &guard->packets) > limit) {
		quic_guard_give_back(guard, use);
		return -EKEYEXPIRED;
	}

	return 0;
}

/**
 * quic_guard_give_back - numbers taken were not used after all
 * @guard: guard of the key
 * @use: what quic_guard_take() took
 *
 * If somebody has taken higher numbers meanwhile these stay taken: the guard
 * remembers one number, not a set.
 *
 * Context: any.
 */
void quic_guard_give_back(struct quic_guard *guard, const struct quic_use *use)
{
	s64 next = use->next;

	atomic64_sub(use->packets, &guard->packets);
	atomic64_try_cmpxchg(&guard->next, &next, use->prev);
}
