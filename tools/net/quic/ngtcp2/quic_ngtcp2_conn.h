/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_ngtcp2: what a connection has */
#ifndef QUIC_NGTCP2_CONN_H
#define QUIC_NGTCP2_CONN_H

#include <ngtcp2/ngtcp2.h>

#include "quic_ngtcp2_batch.h"
#include "quic_ngtcp2_limit.h"
#include "quic_ngtcp2_rx.h"

struct quic_ngtcp2 {
	ngtcp2_conn *conn;
	struct quic_offload_conn *offload;
	bool enabled;			/* leave packets to the kernel */
	bool spared;			/* but not those of this burst */

	/* The last two generations, by key phase, and what protect() needs:
	 * ngtcp2's own contexts are gone when it changes keys, packets that
	 * wait in the batch are not.
	 */
	unsigned int generations;
	struct quic_offload_keys keys[2];
	ngtcp2_crypto_aead_ctx aead[2];
	ngtcp2_crypto_cipher_ctx hp_ctx;	/* owned by conn */

	struct quic_ngtcp2_rx rx;
	struct quic_ngtcp2_limit limit;

	/* The next call of hp_mask() belongs to a packet left to the kernel */
	bool zero_mask;

	/* ngtcp2 has begun a packet, NGTCP2_ERR_WRITE_MORE */
	bool begun;

	/* What quic_ngtcp2_send() has yet to say */
	int err;
	struct quic_ngtcp2_batch batch;
};

/* quic_offload_protect: for packets that the kernel does not take */
int quic_ngtcp2_conn_protect(void *arg, const struct quic_offload_keys *keys,
			     uint8_t *packet, size_t header_len, size_t len,
			     uint64_t number);

#endif /* QUIC_NGTCP2_CONN_H */
