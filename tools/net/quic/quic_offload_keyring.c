// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The keys of one direction */

#include <errno.h>

#include "quic_offload_keyring.h"

/* First byte of a short header, RFC 9000 section 17.3.1 */
#define KEY_PHASE		0x04

int quic_offload_keyring_add(struct quic_offload_keyring *ring,
			     const struct quic_offload_keys *keys)
{
	if (ring->count && keys->generation != (uint8_t)(ring->newest + 1))
		return -EINVAL;

	ring->keys[keys->generation & 1] = *keys;
	ring->newest = keys->generation;
	if (ring->count < 2)
		ring->count++;
	return 0;
}

const struct quic_offload_keys *
quic_offload_keyring_find(const struct quic_offload_keyring *ring,
			  uint8_t flags)
{
	unsigned int phase = !!(flags & KEY_PHASE);

	if (!ring->count || (ring->count == 1 && phase != (ring->newest & 1)))
		return NULL;
	return &ring->keys[phase];
}
