/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Packets that come, between ngtcp2 and quic_offload_receive.h.
 *
 * ngtcp2 removes the header protection, decodes the number, chooses the key and
 * has the packet opened.  For one that the kernel has opened it gets a mask of
 * zeros and a copy; the nonce that it has made tells which packet it means, and
 * with which key.
 */
#ifndef QUIC_NGTCP2_RX_H
#define QUIC_NGTCP2_RX_H

#include <ngtcp2/ngtcp2.h>

#include "quic_offload_receive.h"

/**
 * struct quic_ngtcp2_rx - the receiving side of a connection
 * @offload: what it has in the kernel
 * @generations: so many there have been
 * @keys: the last two, by key phase
 */
struct quic_ngtcp2_rx {
	struct quic_offload_conn *offload;
	unsigned int generations;
	struct quic_offload_keys keys[2];
};

/**
 * struct quic_ngtcp2_reading - what goes on while ngtcp2 reads a datagram
 * @rx: the connection
 * @sock: where the datagram was received, NULL if that is not known
 * @datagram: what has become of it
 * @limit: so many packets could not be opened that the connection has to end
 */
struct quic_ngtcp2_reading {
	struct quic_ngtcp2_rx *rx;
	struct quic_offload_socket *sock;
	struct quic_offload_datagram datagram;
	bool limit;
};

/**
 * quic_ngtcp2_rx_add_keys() - the keys of the next generation
 * @rx: the connection
 * @keys: filled in but for the number of the generation; wiped
 *
 * Return: 0, or -1 on failure
 */
int quic_ngtcp2_rx_add_keys(struct quic_ngtcp2_rx *rx,
			    struct quic_offload_keys *keys);

/**
 * quic_ngtcp2_rx_next_keys() - a copy of the newest keys, to put the next into
 * @rx: the connection
 */
struct quic_offload_keys
quic_ngtcp2_rx_next_keys(const struct quic_ngtcp2_rx *rx);

/**
 * quic_ngtcp2_rx_unmasked() - whether a header has no protection any more
 * @reading: what ngtcp2 is about
 * @sample: which it wants a mask for
 */
bool quic_ngtcp2_rx_unmasked(const struct quic_ngtcp2_reading *reading,
			     const uint8_t *sample);

/**
 * quic_ngtcp2_rx_open() - what ngtcp2_callbacks.decrypt has to do
 * @reading: what ngtcp2 is about
 * @open: does it where the kernel has not
 * @dest: this and what follows: as the callback has it
 * @aead: likewise
 * @aead_ctx: likewise
 * @ciphertext: likewise
 * @len: likewise
 * @nonce: likewise
 * @nonce_len: likewise
 * @header: likewise
 * @header_len: likewise
 *
 * Return: 0, or an error of @open, or -1
 */
int quic_ngtcp2_rx_open(struct quic_ngtcp2_reading *reading,
			ngtcp2_decrypt open, uint8_t *dest,
			const ngtcp2_crypto_aead *aead,
			const ngtcp2_crypto_aead_ctx *aead_ctx,
			const uint8_t *ciphertext, size_t len,
			const uint8_t *nonce, size_t nonce_len,
			const uint8_t *header, size_t header_len);

#endif /* QUIC_NGTCP2_RX_H */
