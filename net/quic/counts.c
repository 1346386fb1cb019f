// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flow has protected or opened.
 */

#include <linux/slab.h>

#include "key.h"

/**
 * quic_counts_alloc - counters of a flow
 *
 * Context: process context, may sleep.
 * Return: the counters with one reference, or NULL without memory.
 */
struct quic_counts *quic_counts_alloc(void)
{
	struct quic_counts *counts;

	counts = kzalloc_obj(*counts, GFP_KERNEL_ACCOUNT);
	if (counts)
		refcount_set(&counts->refcnt, 1);

	return counts;
}

/**
 * quic_counts_get - take a reference
 * @counts: counters that the caller has a reference on
 *
 * Return: @counts.
 */
struct quic_counts *quic_counts_get(struct quic_counts *counts)
{
	refcount_inc(&counts->refcnt);

	return counts;
}

/**
 * quic_counts_put - drop a reference
 * @counts: counters, or NULL
 */
void quic_counts_put(struct quic_counts *counts)
{
	if (counts && refcount_dec_and_test(&counts->refcnt))
		kfree(counts);
}
