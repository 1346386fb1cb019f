// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Packet protection by ngtcp2's helper library, in terms of quic_offload.h. */
#include <endian.h>
#include <string.h>

#include <linux/tls.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_ngtcp2_crypto.h"

/* Limits of RFC 9001 section 6.6: all that ngtcp2 tells about the cipher */
#define MAX_ENCRYPTION_GCM	(1ULL << 23)
#define MAX_ENCRYPTION_CCM	2965820ULL
#define MAX_ENCRYPTION_CHACHA20	(1ULL << 62)

uint16_t quic_ngtcp2_cipher(const ngtcp2_crypto_ctx *ctx, size_t key_len)
{
	/* Not AES-CCM with tags of 8 bytes */
	if (ctx->aead.max_overhead != QUIC_OFFLOAD_TAG_SIZE)
		return 0;
	if (ctx->max_encryption == MAX_ENCRYPTION_GCM && key_len == 16)
		return TLS_CIPHER_AES_GCM_128;
	if (ctx->max_encryption == MAX_ENCRYPTION_GCM && key_len == 32)
		return TLS_CIPHER_AES_GCM_256;
	if (ctx->max_encryption == MAX_ENCRYPTION_CCM && key_len == 16)
		return TLS_CIPHER_AES_CCM_128;
	if (ctx->max_encryption == MAX_ENCRYPTION_CHACHA20 && key_len == 32)
		return TLS_CIPHER_CHACHA20_POLY1305;
	return 0;
}

/* RFC 9001 section 5.3: the nonce is the IV xor the packet number. */
void quic_ngtcp2_nonce(uint8_t *nonce, const uint8_t *iv, uint64_t number)
{
	uint64_t low;

	memcpy(nonce, iv, QUIC_OFFLOAD_IV_SIZE);
	memcpy(&low, nonce + 4, sizeof(low));
	low ^= htobe64(number);
	memcpy(nonce + 4, &low, sizeof(low));
}

int quic_ngtcp2_protect(const ngtcp2_crypto_ctx *ctx,
			const ngtcp2_crypto_aead_ctx *aead_ctx,
			const ngtcp2_crypto_cipher_ctx *hp_ctx,
			const uint8_t *iv, uint8_t *packet, size_t header_len,
			size_t len, uint64_t number)
{
	uint8_t nonce[QUIC_OFFLOAD_IV_SIZE], mask[NGTCP2_HP_SAMPLELEN];
	unsigned int i, pn_len = (packet[0] & 0x03) + 1;
	uint8_t *payload = packet + header_len;
	uint8_t *pn = payload - pn_len;

	quic_ngtcp2_nonce(nonce, iv, number);
	if (ngtcp2_crypto_encrypt(payload, &ctx->aead, aead_ctx, payload,
				  len - header_len, nonce, sizeof(nonce),
				  packet, header_len))
		return -1;

	/* RFC 9001 section 5.4 */
	if (ngtcp2_crypto_hp_mask(mask, &ctx->hp, hp_ctx, pn + 4))
		return -1;
	packet[0] ^= mask[0] & 0x1f;
	for (i = 0; i < pn_len; i++)
		pn[i] ^= mask[1 + i];
	return 0;
}
