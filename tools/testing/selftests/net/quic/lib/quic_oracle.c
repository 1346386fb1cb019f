// SPDX-License-Identifier: GPL-2.0
/* QUIC packet protection (RFC 9001 section 5) with libcrypto. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/tls.h>

#include <openssl/evp.h>

#include "quic_oracle.h"

#define SAMPLE_SIZE	16
#define MASK_SIZE	5

struct quic_oracle {
	struct quic_keys keys;
	const EVP_CIPHER *aead;
	bool ccm;
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
	EVP_CIPHER_CTX *hp;
};

const struct quic_cipher quic_ciphers[QUIC_NUM_CIPHERS] = {
	[QUIC_AES_GCM_128] = {
		"AES-128-GCM", TLS_CIPHER_AES_GCM_128, 16,
		1 << 23, 1ULL << 52 },
	[QUIC_AES_GCM_256] = {
		"AES-256-GCM", TLS_CIPHER_AES_GCM_256, 32,
		1 << 23, 1ULL << 52 },
	[QUIC_AES_CCM_128] = {
		"AES-128-CCM", TLS_CIPHER_AES_CCM_128, 16,
		2965820, 2965820 },			/* 2^21.5 */
	[QUIC_CHACHA20_POLY1305] = {
		"ChaCha20-Poly1305", TLS_CIPHER_CHACHA20_POLY1305, 32,
		1ULL << 62, 1ULL << 36 },		/* every number, for one */
};

static void must(int ok, const char *what)
{
	if (ok > 0)
		return;
	fprintf(stderr, "libcrypto: %s failed\n", what);
	exit(1);
}

/* The first @len bytes of SHA-256 over a label and two numbers. */
static void derive(uint8_t *out, size_t len, const char *label,
		   unsigned int flow, unsigned int generation)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char text[64];
	int n;

	n = snprintf(text, sizeof(text), "%s %u %u", label, flow, generation);
	must(EVP_Digest(text, n, digest, NULL, EVP_sha256(), NULL), "SHA-256");
	memcpy(out, digest, len);
}

void quic_keys_derive(struct quic_keys *keys, const struct quic_cipher *cipher,
		      unsigned int flow, uint8_t generation)
{
	keys->cipher = cipher;
	keys->generation = generation;
	derive(keys->key, sizeof(keys->key), "key", flow, generation);
	derive(keys->iv, sizeof(keys->iv), "iv", flow, generation);
	derive(keys->hp, sizeof(keys->hp), "hp", flow, 0);
}

static EVP_CIPHER_CTX *aead_new(const struct quic_oracle *o, int enc)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	must(!!ctx, "EVP_CIPHER_CTX_new");
	must(EVP_CipherInit_ex(ctx, o->aead, NULL, NULL, NULL, enc), "cipher");
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, QUIC_IV_SIZE,
				 NULL), "IV length");
	if (o->ccm)
		must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
					 QUIC_TAG_SIZE, NULL), "tag length");
	must(EVP_CipherInit_ex(ctx, NULL, NULL, o->keys.key, NULL, enc), "key");
	return ctx;
}

struct quic_oracle *quic_oracle_new(const struct quic_keys *keys)
{
	struct quic_oracle *o = calloc(1, sizeof(*o));
	const EVP_CIPHER *hp = NULL;

	must(!!o, "calloc");
	o->keys = *keys;
	switch (keys->cipher->type) {
	case TLS_CIPHER_AES_GCM_128:
		o->aead = EVP_aes_128_gcm();
		hp = EVP_aes_128_ecb();
		break;
	case TLS_CIPHER_AES_GCM_256:
		o->aead = EVP_aes_256_gcm();
		hp = EVP_aes_256_ecb();
		break;
	case TLS_CIPHER_AES_CCM_128:
		o->aead = EVP_aes_128_ccm();
		hp = EVP_aes_128_ecb();
		o->ccm = true;
		break;
	case TLS_CIPHER_CHACHA20_POLY1305:
		o->aead = EVP_chacha20_poly1305();
		hp = EVP_chacha20();
		break;
	}
	must(!!hp, "choice of cipher");

	o->seal = aead_new(o, 1);
	o->open = aead_new(o, 0);
	o->hp = EVP_CIPHER_CTX_new();
	must(!!o->hp, "EVP_CIPHER_CTX_new");
	must(EVP_EncryptInit_ex(o->hp, hp, NULL, keys->hp, NULL), "hp key");
	return o;
}

void quic_oracle_free(struct quic_oracle *o)
{
	EVP_CIPHER_CTX_free(o->seal);
	EVP_CIPHER_CTX_free(o->open);
	EVP_CIPHER_CTX_free(o->hp);
	free(o);
}

static void nonce_of(const struct quic_oracle *o, uint64_t pn, uint8_t *nonce)
{
	int i;

	memcpy(nonce, o->keys.iv, QUIC_IV_SIZE);
	for (i = 0; i < 8; i++)
		nonce[QUIC_IV_SIZE - 1 - i] ^= pn >> (8 * i);
}

static void mask_of(struct quic_oracle *o, const uint8_t *sample, uint8_t *mask)
{
	static const uint8_t zero[MASK_SIZE];
	uint8_t block[SAMPLE_SIZE];
	int n;

	if (o->keys.cipher->type == TLS_CIPHER_CHACHA20_POLY1305) {
		/* Counter and nonce stand in the sample as libcrypto's IV has them. */
		must(EVP_EncryptInit_ex(o->hp, NULL, NULL, NULL, sample), "hp");
		must(EVP_EncryptUpdate(o->hp, mask, &n, zero, MASK_SIZE), "hp");
	} else {
		must(EVP_EncryptUpdate(o->hp, block, &n, sample, SAMPLE_SIZE), "hp");
		memcpy(mask, block, MASK_SIZE);
	}
}

size_t quic_oracle_protect(struct quic_oracle *o, uint64_t pn, size_t dcid_len,
			   const uint8_t *in, size_t len, uint8_t *out)
{
	size_t pn_at = 1 + dcid_len, pn_len = (in[0] & 3) + 1, i;
	size_t header = pn_at + pn_len, payload = len - header;
	uint8_t nonce[QUIC_IV_SIZE], mask[MASK_SIZE];
	int n;

	nonce_of(o, pn, nonce);
	must(EVP_EncryptInit_ex(o->seal, NULL, NULL, NULL, nonce), "nonce");
	if (o->ccm)
		must(EVP_EncryptUpdate(o->seal, NULL, &n, NULL, payload), "length");
	must(EVP_EncryptUpdate(o->seal, NULL, &n, in, header), "header");
	memcpy(out, in, header);
	must(EVP_EncryptUpdate(o->seal, out + header, &n, in + header, payload),
	     "payload");
	must(EVP_EncryptFinal_ex(o->seal, out + len, &n), "final");
	must(EVP_CIPHER_CTX_ctrl(o->seal, EVP_CTRL_AEAD_GET_TAG, QUIC_TAG_SIZE,
				 out + len), "tag");

	mask_of(o, out + pn_at + 4, mask);
	out[0] ^= mask[0] & 0x1f;
	for (i = 0; i < pn_len; i++)
		out[pn_at + i] ^= mask[1 + i];
	return len + QUIC_TAG_SIZE;
}

/* RFC 9000 appendix A.3, and not more than a packet can have */
static uint64_t pn_decode(uint64_t expected, uint64_t truncated, int pn_len)
{
	uint64_t window = 1ULL << (8 * pn_len), half = window / 2;
	uint64_t pn = (expected & ~(window - 1)) | truncated;

	if (pn + half <= expected && pn < (1ULL << 62) - window)
		return pn + window;
	if ((pn > expected + half && pn >= window) || pn >= 1ULL << 62)
		return pn - window;
	return pn;
}

size_t quic_oracle_open(struct quic_oracle *o, uint64_t *pn, size_t dcid_len,
			const uint8_t *in, size_t len, uint8_t *out)
{
	size_t pn_at = 1 + dcid_len, header, payload, pn_len, i;
	uint8_t nonce[QUIC_IV_SIZE], mask[MASK_SIZE];
	uint64_t truncated = 0;
	int n;

	if (len < pn_at + 4 + SAMPLE_SIZE)
		return 0;
	mask_of(o, in + pn_at + 4, mask);
	memcpy(out, in, pn_at + 4);
	out[0] ^= mask[0] & 0x1f;
	pn_len = (out[0] & 3) + 1;
	for (i = 0; i < pn_len; i++) {
		out[pn_at + i] ^= mask[1 + i];
		truncated = truncated << 8 | out[pn_at + i];
	}
	*pn = pn_decode(*pn, truncated, pn_len);
	header = pn_at + pn_len;
	payload = len - header - QUIC_TAG_SIZE;

	nonce_of(o, *pn, nonce);
	/* CCM wants the tag first and verifies in the update, the others last. */
	if (o->ccm)
		must(EVP_CIPHER_CTX_ctrl(o->open, EVP_CTRL_AEAD_SET_TAG,
					 QUIC_TAG_SIZE,
					 (void *)(in + header + payload)), "tag");
	must(EVP_DecryptInit_ex(o->open, NULL, NULL, NULL, nonce), "nonce");
	if (o->ccm)
		must(EVP_DecryptUpdate(o->open, NULL, &n, NULL, payload), "length");
	must(EVP_DecryptUpdate(o->open, NULL, &n, out, header), "header");
	if (EVP_DecryptUpdate(o->open, out + header, &n, in + header, payload) <= 0)
		return 0;
	if (!o->ccm) {
		must(EVP_CIPHER_CTX_ctrl(o->open, EVP_CTRL_AEAD_SET_TAG,
					 QUIC_TAG_SIZE,
					 (void *)(in + header + payload)), "tag");
		if (EVP_DecryptFinal_ex(o->open, out + len - QUIC_TAG_SIZE, &n) <= 0)
			return 0;
	}
	return header + payload;
}
