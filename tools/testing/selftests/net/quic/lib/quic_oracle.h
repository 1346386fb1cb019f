/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QUIC packet protection (RFC 9001 section 5) with libcrypto: what the packets
 * of the kernel are compared with.  It knows nothing of the kernel but the
 * names of the ciphers.
 */
#ifndef QUIC_ORACLE_H
#define QUIC_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#define QUIC_TAG_SIZE	16
#define QUIC_IV_SIZE	12

struct quic_cipher {
	const char *name;
	uint16_t type;		/* TLS_CIPHER_* */
	unsigned int key_len;
	/* RFC 9001 section 6.6: packets that a key may protect, and fail to open */
	uint64_t max_packets;
	uint64_t max_failures;
};

enum {
	QUIC_AES_GCM_128,
	QUIC_AES_GCM_256,
	QUIC_AES_CCM_128,
	QUIC_CHACHA20_POLY1305,
	QUIC_NUM_CIPHERS,
};

extern const struct quic_cipher quic_ciphers[QUIC_NUM_CIPHERS];

/* One key generation of a flow. */
struct quic_keys {
	const struct quic_cipher *cipher;
	uint8_t generation;
	uint8_t key[32];
	uint8_t iv[QUIC_IV_SIZE];
	uint8_t hp[32];
};

/*
 * Keys that are the same in every run.  Generations of one flow differ in key
 * and IV and share the header protection key, as RFC 9001 section 6 has it.
 */
void quic_keys_derive(struct quic_keys *keys, const struct quic_cipher *cipher,
		      unsigned int flow, uint8_t generation);

struct quic_oracle;

/* A fault of libcrypto itself ends the program. */
struct quic_oracle *quic_oracle_new(const struct quic_keys *keys);
void quic_oracle_free(struct quic_oracle *oracle);

/* Returns the length of the protected packet @out, @len + QUIC_TAG_SIZE. */
size_t quic_oracle_protect(struct quic_oracle *oracle, uint64_t pn,
			   size_t dcid_len, const uint8_t *in, size_t len,
			   uint8_t *out);

/*
 * Removes the protection of the packet @in: @out gets the plaintext packet,
 * its length is returned, 0 if the packet is not authentic.  *@pn is the
 * packet number that is expected next, and becomes the one of the packet.
 */
size_t quic_oracle_open(struct quic_oracle *oracle, uint64_t *pn,
			size_t dcid_len, const uint8_t *in, size_t len,
			uint8_t *out);

#endif /* QUIC_ORACLE_H */
