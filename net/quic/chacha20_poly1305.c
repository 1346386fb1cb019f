// SPDX-License-Identifier: GPL-2.0-only
/*
 * ChaCha20-Poly1305 (RFC 8439) of a packet in place.  The crypto library's own
 * takes a nonce of 64 bits, and QUIC's has 96.
 */

#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include <crypto/utils.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "key.h"

/* SIMD makes eight blocks of keystream in about the time of one. */
#define QUIC_CHACHA_BLOCKS	8

/* The keystream's first block is the Poly1305 key, the payload has the rest. */
struct quic_chacha_head {
	u8	poly1305_key[CHACHA_BLOCK_SIZE];
	u8	payload[(QUIC_CHACHA_BLOCKS - 1) * CHACHA_BLOCK_SIZE];
};

static noinline_for_stack void
quic_poly1305(const u8 key[POLY1305_KEY_SIZE], const u8 *packet,
	      unsigned int hdr_len, unsigned int len, u8 tag[QUIC_TAG_SIZE])
{
	unsigned int rest = len % POLY1305_BLOCK_SIZE;
	u8 block[2 * POLY1305_BLOCK_SIZE] = {};
	const u8 *payload = packet + hdr_len;
	struct poly1305_desc_ctx desc;
	u8 *lengths;

	poly1305_init(&desc, key);

	/* A header is shorter than two blocks. */
	memcpy(block, packet, hdr_len);
	poly1305_update(&desc, block, round_up(hdr_len, POLY1305_BLOCK_SIZE));

	poly1305_update(&desc, payload, len - rest);
	memset(block, 0, sizeof(block));
	memcpy(block, payload + len - rest, rest);
	lengths = block + round_up(rest, POLY1305_BLOCK_SIZE);
	put_unaligned_le64(hdr_len, lengths);
	put_unaligned_le64(len, lengths + sizeof(u64));
	poly1305_update(&desc, block, lengths + 2 * sizeof(u64) - block);

	poly1305_final(&desc, tag);
}

/* The Poly1305 key, and what @payload starts with, en- or decrypted */
static unsigned int quic_chacha_head(struct quic_chacha_head *head,
				     struct chacha_state *state,
				     const u32 key[CHACHA_KEY_WORDS],
				     const u8 iv[CHACHA_IV_SIZE],
				     const u8 *payload, unsigned int len)
{
	unsigned int head_len = min_t(unsigned int, len, sizeof(head->payload));

	memset(head->poly1305_key, 0, sizeof(head->poly1305_key));
	memcpy(head->payload, payload, head_len);

	chacha_init(state, key, iv);
	chacha20_crypt(state, (u8 *)head, (u8 *)head,
		       sizeof(head->poly1305_key) + head_len);

	return head_len;
}

/* Put the head where it belongs, and go on behind it. */
static void quic_chacha_rest(const struct quic_chacha_head *head,
			     unsigned int head_len, struct chacha_state *state,
			     u8 *payload, unsigned int len)
{
	memcpy(payload, head->payload, head_len);
	if (len > head_len)
		chacha20_crypt(state, payload + head_len, payload + head_len,
			       len - head_len);
	chacha_zeroize_state(state);
}

/**
 * quic_chacha20_poly1305_encrypt - encrypt and authenticate a packet in place
 * @key: ChaCha20 key
 * @iv: nonce, behind a block counter of 0
 * @packet: header and payload, and room for the tag
 * @hdr_len: bytes in the header, at most 25
 * @len: bytes in the payload
 */
void quic_chacha20_poly1305_encrypt(const u32 key[CHACHA_KEY_WORDS],
				    const u8 iv[CHACHA_IV_SIZE], u8 *packet,
				    unsigned int hdr_len, unsigned int len)
{
	u8 *payload = packet + hdr_len;
	struct quic_chacha_head head;
	struct chacha_state state;
	unsigned int head_len;

	head_len = quic_chacha_head(&head, &state, key, iv, payload, len);
	quic_chacha_rest(&head, head_len, &state, payload, len);

	quic_poly1305(head.poly1305_key, packet, hdr_len, len, payload + len);
	memzero_explicit(head.poly1305_key, sizeof(head.poly1305_key));
}

/**
 * quic_chacha20_poly1305_decrypt - decrypt a packet in place
 * @key: ChaCha20 key
 * @iv: nonce, behind a block counter of 0
 * @packet: header, encrypted payload and tag
 * @hdr_len: bytes in the header, at most 25
 * @len: bytes in the payload
 *
 * Takes the same time whether the packet is authentic or not, and decrypts it
 * in either case.
 *
 * Return: whether it is authentic.
 */
bool quic_chacha20_poly1305_decrypt(const u32 key[CHACHA_KEY_WORDS],
				    const u8 iv[CHACHA_IV_SIZE], u8 *packet,
				    unsigned int hdr_len, unsigned int len)
{
	u8 *payload = packet + hdr_len, tag[QUIC_TAG_SIZE];
	struct quic_chacha_head head;
	struct chacha_state state;
	unsigned int head_len;

	head_len = quic_chacha_head(&head, &state, key, iv, payload, len);
	quic_poly1305(head.poly1305_key, packet, hdr_len, len, tag);
	memzero_explicit(head.poly1305_key, sizeof(head.poly1305_key));

	quic_chacha_rest(&head, head_len, &state, payload, len);

	return !crypto_memneq(tag, payload + len, sizeof(tag));
}
