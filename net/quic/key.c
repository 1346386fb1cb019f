// SPDX-License-Identifier: GPL-2.0-only
/*
 * One key generation of a flow, and what it does to a packet: RFC 9001
 * sections 5.3 and 5.4.
 */

#include <linux/err.h>
#include <linux/prefetch.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "quic.h"

/* Servers have many: kmalloc() would round them up. */
static struct kmem_cache *quic_key_cache;

/**
 * quic_key_init - prepare to create keys
 *
 * Return: 0, or -ENOMEM.
 */
int __init quic_key_init(void)
{
	quic_key_cache = KMEM_CACHE(quic_key, SLAB_ACCOUNT);

	return quic_key_cache ? 0 : -ENOMEM;
}

/**
 * quic_key_exit - undo quic_key_init()
 */
void quic_key_exit(void)
{
	kmem_cache_destroy(quic_key_cache);
}

/**
 * quic_key_create - take over the keys of a generation
 * @cipher: their cipher
 * @info: the keys as userspace gave them
 *
 * Context: process context, may sleep.
 * Return: the key with one reference, or ERR_PTR() of -ENOMEM, -EOPNOTSUPP.
 */
struct quic_key *quic_key_create(const struct quic_cipher *cipher,
				 const struct quic_connection_info *info)
{
	struct quic_key *key;
	int err;

	key = kmem_cache_zalloc(quic_key_cache, GFP_KERNEL);
	if (!key)
		return ERR_PTR(-ENOMEM);

	err = quic_cipher_set_keys(cipher, &key->keys, info->payload_key,
				   info->header_key);
	if (err) {
		kmem_cache_free(quic_key_cache, key);
		return ERR_PTR(err);
	}

	memcpy(key->iv, info->payload_iv, sizeof(key->iv));
	key->generation = info->conn_payload_key_gen;
	key->cipher = cipher;
	if (!cipher->chacha)
		key->reqsize = crypto_aead_reqsize(key->keys.aes.aead);
	refcount_set(&key->refcnt, 1);

	return key;
}

/**
 * quic_key_put - drop a reference
 * @key: key, or NULL
 *
 * Whoever still sees the key under RCU can't get a reference any more, so only
 * its memory has to wait.
 *
 * Context: process context.
 */
void quic_key_put(struct quic_key *key)
{
	if (!key || !refcount_dec_and_test(&key->refcnt))
		return;

	quic_cipher_free_keys(key->cipher, &key->keys);
	memzero_explicit(key->iv, sizeof(key->iv));
	kfree_rcu(key, rcu);
}

/* As much of an AEAD as AES-GCM uses on x86-64 */
#define QUIC_AEAD_PREFETCH	704

static void quic_prefetch(const void *p, size_t len)
{
	const void *end = p + len;

	for (; p < end; p += SMP_CACHE_BYTES)
		prefetch(p);
}

/**
 * quic_key_prefetch - have a key in the cache when it is needed
 * @key: key
 *
 * With many flows little of a key is there.  Until UDP has found a route and
 * made an skb there is time to fetch it.
 */
void quic_key_prefetch(const struct quic_key *key)
{
	quic_prefetch(&key->keys, sizeof(key->keys));
	if (!key->cipher->chacha)
		quic_prefetch(key->keys.aes.aead, QUIC_AEAD_PREFETCH);
}

static int quic_key_aead(const struct quic_key *key, struct aead_request *req,
			 u8 *packet, unsigned int hdr_len, unsigned int len,
			 u8 iv[AES_BLOCK_SIZE])
{
	struct scatterlist sg;

	sg_init_one(&sg, packet, hdr_len + len + QUIC_TAG_SIZE);
	aead_request_set_tfm(req, key->keys.aes.aead);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(req, hdr_len);
	aead_request_set_crypt(req, &sg, &sg, len, iv);

	return crypto_aead_encrypt(req);
}

static void quic_key_mask(const struct quic_key *key, const u8 *sample,
			  u8 mask[AES_BLOCK_SIZE])
{
	struct chacha_state state;

	if (!key->cipher->chacha) {
		aes_encrypt(&key->keys.aes.header, mask, sample);
		return;
	}

	/* The sample is counter and nonce, as chacha_init() wants them. */
	chacha_init(&state, key->keys.chacha.header, sample);
	memset(mask, 0, AES_BLOCK_SIZE);
	chacha20_crypt(&state, mask, mask, 1 + QUIC_MAX_PN_LEN);
	chacha_zeroize_state(&state);
}

/**
 * quic_key_protect - protect a packet in place
 * @key: key of the packet's phase
 * @req: request with room for the AEAD of @key
 * @packet: the packet and room for the tag, not on the stack
 * @len: bytes in the packet, without tag
 * @dcid_len: bytes in its destination connection ID
 * @pn: its full packet number
 *
 * Context: process context, may sleep.
 * Return: 0, or what the AEAD says.
 */
int quic_key_protect(const struct quic_key *key, struct aead_request *req,
		     u8 *packet, unsigned int len, unsigned int dcid_len,
		     u64 pn)
{
	u8 iv[AES_BLOCK_SIZE] = {}, mask[AES_BLOCK_SIZE];
	const struct quic_cipher *cipher = key->cipher;
	unsigned int hdr_len, pn_len, i;
	u8 *nonce = iv, *p;
	int err = 0;

	pn_len = quic_packet_pn_len(packet[0]);
	hdr_len = 1 + dcid_len + pn_len;

	if (cipher->ccm) {
		/* RFC 3610: one byte with the size of the length field - 1 */
		iv[0] = AES_BLOCK_SIZE - 1 - QUIC_PAYLOAD_IV_SIZE - 1;
		nonce++;
	} else if (cipher->chacha) {
		/* The block counter is in front. */
		nonce += CHACHA_IV_SIZE - QUIC_PAYLOAD_IV_SIZE;
	}
	memcpy(nonce, key->iv, sizeof(key->iv));
	p = nonce + sizeof(key->iv) - sizeof(pn);
	put_unaligned_be64(get_unaligned_be64(p) ^ pn, p);

	if (cipher->chacha)
		quic_chacha20_poly1305(key->keys.chacha.payload, iv, packet,
				       hdr_len, len - hdr_len);
	else
		err = quic_key_aead(key, req, packet, hdr_len, len - hdr_len,
				    iv);
	if (err)
		return err;

	p = packet + 1 + dcid_len;
	quic_key_mask(key, p + QUIC_MAX_PN_LEN, mask);
	packet[0] ^= mask[0] & QUIC_HDR_PROTECTED;
	for (i = 0; i < pn_len; i++)
		p[i] ^= mask[1 + i];

	return 0;
}
