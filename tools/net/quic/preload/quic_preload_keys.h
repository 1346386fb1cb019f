/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What quic_preload.so learns from ngtcp2 */
#ifndef QUIC_PRELOAD_KEYS_H
#define QUIC_PRELOAD_KEYS_H

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_offload.h"

/* For all of these the lock is taken, and it is left again. */

/**
 * preload_add_conn() - a connection has its 1-RTT keys
 * @ngtcp2: ngtcp2's name for it
 * @aead_ctx: what ngtcp2 will encrypt packets with
 * @hp_ctx: what ngtcp2 protects headers with; lives as long as @ngtcp2
 * @keys: copied, those of generation 0
 */
void preload_add_conn(ngtcp2_conn *ngtcp2,
		      const ngtcp2_crypto_aead_ctx *aead_ctx,
		      const ngtcp2_crypto_cipher_ctx *hp_ctx,
		      const struct quic_offload_keys *keys);

/**
 * preload_add_rx_keys() - a connection has its 1-RTT keys to receive with
 * @ngtcp2: ngtcp2's name for it
 * @keys: those of generation 0; wiped
 */
void preload_add_rx_keys(ngtcp2_conn *ngtcp2, struct quic_offload_keys *keys);

/**
 * preload_update_keys() - ngtcp2 has derived the keys of the next generation
 * @ngtcp2: the connection, may be unknown
 * @aead_ctx: what ngtcp2 will encrypt packets with
 * @key: AEAD key to send with
 * @iv: AEAD IV to send with
 * @rx_key: AEAD key to receive with
 * @rx_iv: AEAD IV to receive with
 */
void preload_update_keys(ngtcp2_conn *ngtcp2,
			 const ngtcp2_crypto_aead_ctx *aead_ctx,
			 const uint8_t *key, const uint8_t *iv,
			 const uint8_t *rx_key, const uint8_t *rx_iv);

/**
 * preload_del_conn() - ngtcp2 is about to free a connection
 * @ngtcp2: the connection, may be unknown
 */
void preload_del_conn(ngtcp2_conn *ngtcp2);

/**
 * preload_expired() - a timer of a connection has expired
 * @ngtcp2: the connection, may be unknown
 */
void preload_expired(ngtcp2_conn *ngtcp2);

/**
 * preload_defer() - keep a packet instead of protecting it
 * @payload: to be encrypted in place, room for the tag behind
 * @len: bytes of it without the tag
 * @aead_ctx: what it is to be encrypted with
 * @nonce: of the packet
 * @nonce_len: its length
 * @header: associated data of the AEAD, the header of a packet
 * @header_len: its length
 *
 * Payload and tag are overwritten, preload_hide_header() is for the header.
 *
 * Return: whether that was done; else the packet is not one for the kernel
 */
bool preload_defer(uint8_t *payload, size_t len,
		   const ngtcp2_crypto_aead_ctx *aead_ctx,
		   const uint8_t *nonce, size_t nonce_len,
		   const uint8_t *header, size_t header_len);

/**
 * preload_hide_header() - the mask that leaves nothing of a header
 * @mask: NGTCP2_HP_MASKLEN bytes, written
 * @header: of a packet that was deferred
 * @pn: the packet number in it
 */
void preload_hide_header(uint8_t *mask, const uint8_t *header,
			 const uint8_t *pn);

/**
 * preload_protected() - ngtcp2 has protected a packet
 * @aead_ctx: what it was encrypted with
 * @tag: the last bytes of it
 */
void preload_protected(const ngtcp2_crypto_aead_ctx *aead_ctx,
		       const uint8_t *tag);

/**
 * preload_watch() - tell the user if ngtcp2 is there but never calls us
 * @fd: where a message is sent
 * @msg: the message
 */
void preload_watch(int fd, const struct msghdr *msg);

#endif /* QUIC_PRELOAD_KEYS_H */
