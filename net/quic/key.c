// SPDX-License-Identifier: GPL-2.0-only
/*
 * One key generation of a flow, and what it does to a packet: RFC 9001
 * sections 5.3 and 5.4.
 */

#include <linux/err.h>
#include <linux/prefetch.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "key.h"

/* Servers have many: kmalloc() would round them up. */
static struct kmem_cache *quic_key_cache;

static siphash_aligned_key_t quic_fingerprint_key;

/* Most that an AEAD has needed behind its request so far */
static unsigned int quic_max_reqsize;

/**
 * quic_key_init - prepare to create keys
 *
 * Return: 0, or -ENOMEM.
 */
int __init quic_key_init(void)
{
	get_random_bytes(&quic_fingerprint_key, sizeof(quic_fingerprint_key));
	quic_key_cache = KMEM_CACHE(quic_key, SLAB_ACCOUNT);

	return quic_key_cache ? 0 : -ENOMEM;
}

/**
 * quic_key_exit - undo quic_key_init()
 */
void quic_key_exit(void)
{
	/* for quic_key_free() */
	rcu_barrier();
	kmem_cache_destroy(quic_key_cache);
}

static void quic_key_set_max_reqsize(unsigned int reqsize)
{
	unsigned int max = READ_ONCE(quic_max_reqsize);

	while (max < reqsize &&
	       !try_cmpxchg(&quic_max_reqsize, &max, reqsize))
		;
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
	quic_key_set_max_reqsize(key->reqsize);
	refcount_set(&key->refcnt, 1);

	return key;
}

/**
 * quic_key_max_reqsize - room behind a request that is enough for every key
 *
 * Return: bytes, for keys that there are now.
 */
unsigned int quic_key_max_reqsize(void)
{
	return READ_ONCE(quic_max_reqsize);
}

/**
 * quic_key_free - wipe and free a key that nobody finds any more
 * @rcu: of the key
 *
 * Context: any.
 */
void quic_key_free(struct rcu_head *rcu)
{
	struct quic_key *key = container_of(rcu, struct quic_key, rcu);

	quic_cipher_free_keys(key->cipher, &key->keys);
	quic_counts_put(key->counts);
	memzero_explicit(key, sizeof(*key));
	kmem_cache_free(quic_key_cache, key);
}

/**
 * quic_key_put - drop a reference
 * @key: key, or NULL
 *
 * Receivers use a key under RCU without a reference, so with the last one it
 * is no longer found, and wiped a grace period later, when no device has it.
 *
 * Context: any.
 */
void quic_key_put(struct quic_key *key)
{
	if (key && refcount_dec_and_test(&key->refcnt) &&
	    !quic_key_leave_devices(key))
		call_rcu(&key->rcu, quic_key_free);
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

/**
 * quic_key_fingerprint - recognise a packet protection key
 * @cipher: its cipher
 * @info: the key as userspace gave it
 *
 * The crypto API does not give keys back.
 *
 * Return: a number that tells keys apart.
 */
u64 quic_key_fingerprint(const struct quic_cipher *cipher,
			 const struct quic_connection_info *info)
{
	return siphash(info->payload_key, cipher->key_size,
		       &quic_fingerprint_key);
}

/* RFC 9001 section 5.3; @iv is as the AEAD wants it. */
static void quic_key_nonce(const struct quic_key *key, u64 pn,
			   u8 iv[AES_BLOCK_SIZE])
{
	u8 *nonce = iv, *p;

	memset(iv, 0, AES_BLOCK_SIZE);
	if (key->cipher->ccm) {
		/* RFC 3610: one byte with the size of the length field - 1 */
		iv[0] = AES_BLOCK_SIZE - 1 - QUIC_PAYLOAD_IV_SIZE - 1;
		nonce++;
	} else if (key->cipher->chacha) {
		/* The block counter is in front. */
		nonce += CHACHA_IV_SIZE - QUIC_PAYLOAD_IV_SIZE;
	}
	memcpy(nonce, key->iv, sizeof(key->iv));
	p = nonce + sizeof(key->iv) - sizeof(pn);
	put_unaligned_be64(get_unaligned_be64(p) ^ pn, p);
}

/* @len bytes of packet, with its tag, where @sg is to point */
static void quic_key_request(const struct quic_key *key,
			     struct aead_request *req, struct scatterlist *sg,
			     u8 *packet, unsigned int hdr_len, unsigned int len)
{
	sg_init_one(sg, packet, len);
	aead_request_set_tfm(req, key->keys.aes.aead);
	aead_request_set_callback(req, 0, NULL, NULL);
	aead_request_set_ad(req, hdr_len);
}

static int quic_key_encrypt(const struct quic_key *key,
			    struct aead_request *req, u8 *packet,
			    unsigned int hdr_len, unsigned int len,
			    u8 iv[AES_BLOCK_SIZE])
{
	struct scatterlist sg;

	quic_key_request(key, req, &sg, packet, hdr_len,
			 hdr_len + len + QUIC_TAG_SIZE);
	aead_request_set_crypt(req, &sg, &sg, len, iv);

	return crypto_aead_encrypt(req);
}

static int quic_key_decrypt(const struct quic_key *key,
			    struct aead_request *req, u8 *packet,
			    unsigned int hdr_len, unsigned int len,
			    u8 iv[AES_BLOCK_SIZE])
{
	struct scatterlist sg;

	len += QUIC_TAG_SIZE;
	quic_key_request(key, req, &sg, packet, hdr_len, hdr_len + len);
	aead_request_set_crypt(req, &sg, &sg, len, iv);

	return crypto_aead_decrypt(req);
}

/**
 * quic_key_mask - the mask of header protection
 * @key: key of any generation of the flow
 * @sample: QUIC_SAMPLE_SIZE bytes of the protected packet
 * @mask: receives the mask, of which 1 + QUIC_MAX_PN_LEN bytes are used
 *
 * RFC 9001 section 5.4.
 */
void quic_key_mask(const struct quic_key *key, const u8 *sample,
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
 * Context: any, does not sleep.
 * Return: 0, or what the AEAD says.
 */
int quic_key_protect(const struct quic_key *key, struct aead_request *req,
		     u8 *packet, unsigned int len, unsigned int dcid_len,
		     u64 pn)
{
	unsigned int pn_len = quic_packet_pn_len(packet[0]);
	u8 iv[AES_BLOCK_SIZE], mask[AES_BLOCK_SIZE];
	unsigned int hdr_len = 1 + dcid_len + pn_len;
	int err = 0;

	quic_key_nonce(key, pn, iv);
	len -= hdr_len;
	if (key->cipher->chacha)
		quic_chacha20_poly1305_encrypt(key->keys.chacha.payload, iv,
					       packet, hdr_len, len);
	else
		err = quic_key_encrypt(key, req, packet, hdr_len, len, iv);
	if (err)
		return err;

	quic_key_mask(key, packet + quic_packet_sample(dcid_len), mask);
	quic_packet_mask_header(packet, dcid_len, pn_len, mask);

	return 0;
}

/**
 * quic_key_open - decrypt and authenticate a packet in place
 * @key: key of the packet's phase
 * @req: request with room for the AEAD of @key
 * @packet: the packet, with an unprotected header, not on the stack
 * @len: bytes in the packet, with tag
 * @dcid_len: bytes in its destination connection ID
 * @pn: its full packet number
 *
 * The payload is lost if the packet is not authentic.
 *
 * Context: any, does not sleep.
 * Return: 0; -EBADMSG if the packet is not authentic, or what else the AEAD
 * says.
 */
int quic_key_open(const struct quic_key *key, struct aead_request *req,
		  u8 *packet, unsigned int len, unsigned int dcid_len, u64 pn)
{
	unsigned int hdr_len = 1 + dcid_len + quic_packet_pn_len(packet[0]);
	u8 iv[AES_BLOCK_SIZE];

	quic_key_nonce(key, pn, iv);
	len -= hdr_len + QUIC_TAG_SIZE;
	if (!key->cipher->chacha)
		return quic_key_decrypt(key, req, packet, hdr_len, len, iv);

	if (!quic_chacha20_poly1305_decrypt(key->keys.chacha.payload, iv,
					    packet, hdr_len, len))
		return -EBADMSG;

	return 0;
}
