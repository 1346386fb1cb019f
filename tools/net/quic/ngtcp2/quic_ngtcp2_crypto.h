/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Packet protection by ngtcp2's helper library, in terms of quic_offload.h. */
#ifndef QUIC_NGTCP2_CRYPTO_H
#define QUIC_NGTCP2_CRYPTO_H

#include <endian.h>
#include <string.h>

#include <ngtcp2/ngtcp2.h>

#include "quic_offload.h"

/**
 * quic_ngtcp2_cipher() - the cipher of a connection
 * @ctx: from ngtcp2_conn_get_crypto_ctx()
 * @key_len: from ngtcp2_crypto_aead_keylen()
 *
 * Return: TLS_CIPHER_* of <linux/tls.h>, or 0 for one that the kernel does not
 * have
 */
uint16_t quic_ngtcp2_cipher(const ngtcp2_crypto_ctx *ctx, size_t key_len);

/**
 * quic_ngtcp2_nonce() - nonce of a packet, or the other way round
 * @nonce: 12 bytes, written
 * @iv: 12 bytes
 * @number: full packet number
 */
void quic_ngtcp2_nonce(uint8_t *nonce, const uint8_t *iv, uint64_t number);

/**
 * quic_ngtcp2_number() - packet number that a nonce was made of
 * @nonce: 12 bytes
 * @iv: 12 bytes
 *
 * Return: the full packet number; above 2^62 - 1 if @nonce is not of @iv
 */
static inline uint64_t quic_ngtcp2_number(const uint8_t *nonce, const uint8_t *iv)
{
	uint64_t a, b;

	if (memcmp(nonce, iv, 4))
		return UINT64_MAX;
	memcpy(&a, nonce + 4, sizeof(a));
	memcpy(&b, iv + 4, sizeof(b));
	return be64toh(a ^ b);
}

/**
 * quic_ngtcp2_protect() - protect one packet; see quic_offload_protect
 * @ctx: from ngtcp2_conn_get_crypto_ctx()
 * @aead_ctx: made for the payload key
 * @hp_ctx: made for the header protection key
 * @iv: payload IV
 * @packet: header and payload, room for the tag behind
 * @header_len: bytes of @packet up to the payload
 * @len: bytes of @packet without the tag
 * @number: full packet number
 *
 * Return: 0, or -1 on failure
 */
int quic_ngtcp2_protect(const ngtcp2_crypto_ctx *ctx,
			const ngtcp2_crypto_aead_ctx *aead_ctx,
			const ngtcp2_crypto_cipher_ctx *hp_ctx,
			const uint8_t *iv, uint8_t *packet, size_t header_len,
			size_t len, uint64_t number);

#endif /* QUIC_NGTCP2_CRYPTO_H */
