/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys, and what they do to packets: RFC 9001 section 5. */
#ifndef _NET_QUIC_KEY_H
#define _NET_QUIC_KEY_H

#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/chacha.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <uapi/linux/quic.h>

#include "dev.h"
#include "packet.h"

/* guard.c */

/**
 * struct quic_guard - keeps a key from protecting two packets with one number
 * @next: smallest packet number that the key may still use
 * @packets: packets protected so far
 */
struct quic_guard {
	atomic64_t	next;
	atomic64_t	packets;
};

/**
 * struct quic_use - the packet numbers that a train uses of one key
 * @first: smallest number
 * @next: largest number, plus one
 * @packets: how many
 * @prev: the guard's @next before they were taken
 * @taken: the guard knows of the numbers
 * @charged: the guard has counted the packets
 */
struct quic_use {
	u64		first;
	u64		next;
	u64		prev;
	unsigned int	packets;
	bool		taken;
	bool		charged;
};

int quic_guard_take(struct quic_guard *guard, struct quic_use *use);
int quic_guard_charge(struct quic_guard *guard, struct quic_use *use, u64 limit);
void quic_guard_give_back(struct quic_guard *guard, const struct quic_use *use);

/* counts.c */

/**
 * struct quic_counts - what a flow has protected or opened
 * @packets: packets
 * @bytes: bytes in them, with tags
 * @refcnt: the flow holds one reference, each of its keys one: a train may be on
 *	its way with a key when both have gone
 */
struct quic_counts {
	atomic64_t	packets;
	atomic64_t	bytes;
	refcount_t	refcnt;
};

struct quic_counts *quic_counts_alloc(void);
struct quic_counts *quic_counts_get(struct quic_counts *counts);
void quic_counts_put(struct quic_counts *counts);

static inline void quic_counts_add(struct quic_counts *counts,
				   unsigned int packets, unsigned int bytes)
{
	atomic64_add(packets, &counts->packets);
	atomic64_add(bytes, &counts->bytes);
}

/* cipher.c */

/**
 * struct quic_cipher - one AEAD and its header protection
 * @aead: name in the crypto API, unless @chacha
 * @type: TLS_CIPHER_*
 * @capability: QUIC_CAP_*
 * @key_size: bytes in the AEAD's and in the header protection key
 * @ccm: the crypto API wants the nonce in CCM's counter block format
 * @chacha: ChaCha20-Poly1305 of the crypto library, header protection by
 *	ChaCha20; else header protection by AES
 * @limit: packets that one key may protect (RFC 9001 section 6.6)
 * @integrity_limit: packets that one key may fail to open, likewise
 */
struct quic_cipher {
	const char	*aead;
	u16		type;
	u8		capability;
	u8		key_size;
	bool		ccm;
	bool		chacha;
	u64		limit;
	u64		integrity_limit;
};

/* AEAD and header protection keys, prepared for use */
union quic_cipher_keys {
	struct {
		struct crypto_aead	*aead;
		struct aes_enckey	header;
	} aes;
	struct {
		u32			payload[CHACHA_KEY_WORDS];
		u32			header[CHACHA_KEY_WORDS];
	} chacha;
};

const struct quic_cipher *quic_cipher_find(u16 type);
u32 quic_cipher_capabilities(void);
u64 quic_cipher_limit(const struct quic_cipher *cipher);
u64 quic_cipher_integrity_limit(const struct quic_cipher *cipher);
int quic_cipher_set_keys(const struct quic_cipher *cipher,
			 union quic_cipher_keys *keys, const u8 *payload_key,
			 const u8 *header_key);
void quic_cipher_free_keys(const struct quic_cipher *cipher,
			   union quic_cipher_keys *keys);
bool quic_cipher_is_header_key(const struct quic_cipher *cipher,
			       const union quic_cipher_keys *keys,
			       const u8 *header_key);

/* chacha20_poly1305.c */

void quic_chacha20_poly1305_encrypt(const u32 key[CHACHA_KEY_WORDS],
				    const u8 iv[CHACHA_IV_SIZE], u8 *packet,
				    unsigned int hdr_len, unsigned int len);
bool quic_chacha20_poly1305_decrypt(const u32 key[CHACHA_KEY_WORDS],
				    const u8 iv[CHACHA_IV_SIZE], u8 *packet,
				    unsigned int hdr_len, unsigned int len);

/* key.c */

/**
 * struct quic_opening - what a key that opens packets has
 * @failed: packets that it could not open
 * @fingerprint: of the packet protection key
 */
struct quic_opening {
	atomic64_t	failed;
	u64		fingerprint;
};

/**
 * struct quic_key - one key generation of a flow
 * @cipher: what the keys are for
 * @keys: for packet and header protection
 * @guard: packet numbers used, if the flow is for sending
 * @opening: if it is for receiving
 * @counts: of the flow
 * @iv: XORed with the packet number to give the nonce
 * @generation: modulo 256; the low bit is the key phase
 * @reqsize: what the AEAD needs behind its request
 * @refcnt: the flow holds one reference, each sender one
 * @rcu: senders find the key under RCU, receivers use it there
 * @dev: what devices are told, if the flow is for sending
 */
struct quic_key {
	const struct quic_cipher	*cipher;
	union quic_cipher_keys		keys;
	union {
		struct quic_guard	guard;
		struct quic_opening	opening;
	};
	struct quic_counts		*counts;
	u8				iv[QUIC_PAYLOAD_IV_SIZE];
	u8				generation;
	u16				reqsize;
	refcount_t			refcnt;
	struct rcu_head			rcu;
#ifdef CONFIG_QUIC_DEV
	struct quic_dev_key		dev;
#endif
};

int quic_key_init(void);
void quic_key_exit(void);
struct quic_key *quic_key_create(const struct quic_cipher *cipher,
				 const struct quic_connection_info *info);
void quic_key_put(struct quic_key *key);
unsigned int quic_key_max_reqsize(void);
void quic_key_prefetch(const struct quic_key *key);
u64 quic_key_fingerprint(const struct quic_cipher *cipher,
			 const struct quic_connection_info *info);
int quic_key_protect(const struct quic_key *key, struct aead_request *req,
		     u8 *packet, unsigned int len, unsigned int dcid_len,
		     u64 pn);
void quic_key_mask(const struct quic_key *key, const u8 *sample,
		   u8 mask[AES_BLOCK_SIZE]);
int quic_key_open(const struct quic_key *key, struct aead_request *req,
		  u8 *packet, unsigned int len, unsigned int dcid_len, u64 pn);

void quic_key_free(struct rcu_head *rcu);

/* device.c */

#ifdef CONFIG_QUIC_DEV
void quic_key_tell_devices(struct quic_key *key,
			   const struct quic_connection_info *info);

static inline struct quic_key *quic_key_of_device(struct quic_dev_key *dev_key)
{
	return container_of(dev_key, struct quic_key, dev);
}

static inline bool quic_key_on_device(const struct quic_key *key)
{
	return READ_ONCE(key->dev.on);
}

/* Whether quic_key_free() will be called when no device has the key */
static inline bool quic_key_leave_devices(struct quic_key *key)
{
	return quic_dev_key_release(&key->dev);
}
#else
static inline void
quic_key_tell_devices(struct quic_key *key,
		      const struct quic_connection_info *info)
{
}

static inline bool quic_key_on_device(const struct quic_key *key)
{
	return false;
}

static inline bool quic_key_leave_devices(struct quic_key *key)
{
	return false;
}
#endif

/* late.c */

struct sk_buff *quic_late(struct net *net, struct sk_buff *skb);

#endif /* _NET_QUIC_KEY_H */
