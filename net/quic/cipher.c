// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ciphers of QUIC: RFC 9001 section 5.3.
 */

#include <crypto/aead.h>
#include <crypto/utils.h>
#include <linux/fips.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/unaligned.h>
#include <uapi/linux/tls.h>

#include "key.h"

#define QUIC_CIPHER_ASSERT(c)						\
	static_assert(QUIC_TAG_SIZE == (c##_TAG_SIZE) &&		\
		      QUIC_MAX_PAYLOAD_KEY_SIZE >= (c##_KEY_SIZE) &&	\
		      QUIC_MAX_HEADER_KEY_SIZE >= (c##_KEY_SIZE) &&	\
		      QUIC_PAYLOAD_IV_SIZE == (c##_SALT_SIZE + c##_IV_SIZE))

QUIC_CIPHER_ASSERT(TLS_CIPHER_AES_GCM_128);
QUIC_CIPHER_ASSERT(TLS_CIPHER_AES_GCM_256);
QUIC_CIPHER_ASSERT(TLS_CIPHER_AES_CCM_128);
QUIC_CIPHER_ASSERT(TLS_CIPHER_CHACHA20_POLY1305);

static const struct quic_cipher quic_ciphers[] = {
	{
		.type		= TLS_CIPHER_AES_GCM_128,
		.capability	= QUIC_CAP_AES_GCM_128,
		.aead		= "gcm(aes)",
		.key_size	= TLS_CIPHER_AES_GCM_128_KEY_SIZE,
		.limit		= 1ULL << 23,
		.integrity_limit = 1ULL << 52,
	}, {
		.type		= TLS_CIPHER_AES_GCM_256,
		.capability	= QUIC_CAP_AES_GCM_256,
		.aead		= "gcm(aes)",
		.key_size	= TLS_CIPHER_AES_GCM_256_KEY_SIZE,
		.limit		= 1ULL << 23,
		.integrity_limit = 1ULL << 52,
	}, {
		.type		= TLS_CIPHER_AES_CCM_128,
		.capability	= QUIC_CAP_AES_CCM_128,
		.aead		= "ccm(aes)",
		.key_size	= TLS_CIPHER_AES_CCM_128_KEY_SIZE,
		.ccm		= true,
		.limit		= 2965820,	/* 2^21.5 */
		.integrity_limit = 2965820,
	}, {
		.type		= TLS_CIPHER_CHACHA20_POLY1305,
		.capability	= QUIC_CAP_CHACHA20_POLY1305,
		.key_size	= TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE,
		.chacha		= true,
		.limit		= 1ULL << 62,
		.integrity_limit = 1ULL << 36,
	},
};

static unsigned long long max_packets_per_key = ULLONG_MAX;
module_param(max_packets_per_key, ullong, 0644);
MODULE_PARM_DESC(max_packets_per_key,
		 "Packets that a key may protect, if below the cipher's limit");

static unsigned long long max_failures_per_key = ULLONG_MAX;
module_param(max_failures_per_key, ullong, 0644);
MODULE_PARM_DESC(max_failures_per_key,
		 "Packets that a key may fail to open, if below the cipher's limit");

/**
 * quic_cipher_find - look a cipher up
 * @type: TLS_CIPHER_*
 *
 * Return: the cipher, or NULL if QUIC does not know it.
 */
const struct quic_cipher *quic_cipher_find(u16 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(quic_ciphers); i++) {
		if (quic_ciphers[i].type == type)
			return &quic_ciphers[i];
	}

	return NULL;
}

static bool quic_cipher_is_available(const struct quic_cipher *cipher)
{
	if (cipher->chacha)
		return !fips_enabled;

	return crypto_has_aead(cipher->aead, 0, CRYPTO_ALG_ASYNC);
}

/**
 * quic_cipher_capabilities - which ciphers can keys be for?
 *
 * Context: process context, may sleep and load modules.
 * Return: QUIC_CAP_AES_GCM_128 and others.
 */
u32 quic_cipher_capabilities(void)
{
	u32 capabilities = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(quic_ciphers); i++) {
		if (quic_cipher_is_available(&quic_ciphers[i]))
			capabilities |= quic_ciphers[i].capability;
	}

	return capabilities;
}

/**
 * quic_cipher_limit - how many packets may a key protect?
 * @cipher: the key's cipher
 *
 * Return: the limit of RFC 9001 section 6.6, or what the administrator has
 * lowered it to.
 */
u64 quic_cipher_limit(const struct quic_cipher *cipher)
{
	return min_t(u64, cipher->limit, READ_ONCE(max_packets_per_key));
}

/**
 * quic_cipher_integrity_limit - how many packets may a key fail to open?
 * @cipher: the key's cipher
 *
 * Return: the limit of RFC 9001 section 6.6, or what the administrator has
 * lowered it to.
 */
u64 quic_cipher_integrity_limit(const struct quic_cipher *cipher)
{
	return min_t(u64, cipher->integrity_limit,
		     READ_ONCE(max_failures_per_key));
}

static void quic_cipher_load_chacha_key(u32 to[CHACHA_KEY_WORDS], const u8 *key)
{
	unsigned int i;

	for (i = 0; i < CHACHA_KEY_WORDS; i++)
		to[i] = get_unaligned_le32(key + i * sizeof(u32));
}

static struct crypto_aead *quic_cipher_alloc_aead(const struct quic_cipher *cipher,
						  const u8 *key)
{
	struct crypto_aead *aead;
	int err;

	aead = crypto_alloc_aead(cipher->aead, 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(aead))
		return PTR_ERR(aead) == -ENOENT ? ERR_PTR(-EOPNOTSUPP) : aead;

	err = crypto_aead_setkey(aead, key, cipher->key_size);
	if (!err)
		err = crypto_aead_setauthsize(aead, QUIC_TAG_SIZE);
	if (err) {
		crypto_free_aead(aead);
		return ERR_PTR(err);
	}

	return aead;
}

/**
 * quic_cipher_set_keys - prepare packet and header protection
 * @cipher: cipher
 * @keys: is filled in, must be zero
 * @payload_key: key of the AEAD, @cipher->key_size bytes
 * @header_key: header protection key, as long
 *
 * Context: process context, may sleep and load modules.
 * Return: 0; -EOPNOTSUPP if the crypto API does not have a synchronous AEAD
 * for the cipher, or the cipher is forbidden (FIPS), -ENOMEM.
 */
int quic_cipher_set_keys(const struct quic_cipher *cipher,
			 union quic_cipher_keys *keys, const u8 *payload_key,
			 const u8 *header_key)
{
	struct crypto_aead *aead;

	if (cipher->chacha) {
		if (!quic_cipher_is_available(cipher))
			return -EOPNOTSUPP;
		quic_cipher_load_chacha_key(keys->chacha.payload, payload_key);
		quic_cipher_load_chacha_key(keys->chacha.header, header_key);
		return 0;
	}

	aead = quic_cipher_alloc_aead(cipher, payload_key);
	if (IS_ERR(aead))
		return PTR_ERR(aead);

	keys->aes.aead = aead;
	/* Fails for other key sizes than AES has, only. */
	aes_prepareenckey(&keys->aes.header, header_key, cipher->key_size);
	return 0;
}

/**
 * quic_cipher_free_keys - undo quic_cipher_set_keys()
 * @cipher: cipher
 * @keys: keys, are wiped
 */
void quic_cipher_free_keys(const struct quic_cipher *cipher,
			   union quic_cipher_keys *keys)
{
	if (!cipher->chacha)
		crypto_free_aead(keys->aes.aead);
	memzero_explicit(keys, sizeof(*keys));
}

/**
 * quic_cipher_is_header_key - compare header protection keys
 * @cipher: their cipher
 * @keys: one of them
 * @header_key: the other, @cipher->key_size bytes
 *
 * Return: whether they are equal.
 */
bool quic_cipher_is_header_key(const struct quic_cipher *cipher,
			       const union quic_cipher_keys *keys,
			       const u8 *header_key)
{
	union quic_cipher_keys other = {};
	bool same;

	if (cipher->chacha) {
		quic_cipher_load_chacha_key(other.chacha.header, header_key);
		same = !crypto_memneq(keys->chacha.header, other.chacha.header,
				      sizeof(other.chacha.header));
	} else {
		aes_prepareenckey(&other.aes.header, header_key,
				  cipher->key_size);
		same = !crypto_memneq(&keys->aes.header, &other.aes.header,
				      sizeof(other.aes.header));
	}
	memzero_explicit(&other, sizeof(other));

	return same;
}
