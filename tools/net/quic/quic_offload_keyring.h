/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: the keys of one direction */
#ifndef QUIC_OFFLOAD_KEYRING_H
#define QUIC_OFFLOAD_KEYRING_H

#include "quic_offload.h"

/**
 * struct quic_offload_keyring - the two newest generations
 * @keys: by key phase
 * @count: how many are in @keys
 * @newest: generation of the newest
 */
struct quic_offload_keyring {
	struct quic_offload_keys keys[2];
	unsigned int count;
	uint8_t newest;
};

/* -EINVAL if @keys are not the generation that comes next */
int quic_offload_keyring_add(struct quic_offload_keyring *ring,
			     const struct quic_offload_keys *keys);
/* For a packet that begins with @flags; NULL if there are none */
const struct quic_offload_keys *
quic_offload_keyring_find(const struct quic_offload_keyring *ring,
			  uint8_t flags);

#endif /* QUIC_OFFLOAD_KEYRING_H */
