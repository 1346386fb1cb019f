// SPDX-License-Identifier: GPL-2.0
#include <linux/tls.h>

#include "bench.h"

const struct cipher ciphers[] = {
	{
		.name		= "AES-128-GCM",
		.type		= TLS_CIPHER_AES_GCM_128,
		.key_len	= TLS_CIPHER_AES_GCM_128_KEY_SIZE,
		.kernel		= "gcm(aes)",
		.header		= "AES-128-ECB",
	}, {
		.name		= "AES-256-GCM",
		.type		= TLS_CIPHER_AES_GCM_256,
		.key_len	= TLS_CIPHER_AES_GCM_256_KEY_SIZE,
		.kernel		= "gcm(aes)",
		.header		= "AES-256-ECB",
	}, {
		.name		= "ChaCha20-Poly1305",
		.type		= TLS_CIPHER_CHACHA20_POLY1305,
		.key_len	= TLS_CIPHER_CHACHA20_POLY1305_KEY_SIZE,
		.kernel		= "rfc7539(chacha20,poly1305)",
		.header		= "ChaCha20",
		.chacha		= true,
	}, {
		.name		= "AES-128-CCM",
		.type		= TLS_CIPHER_AES_CCM_128,
		.key_len	= TLS_CIPHER_AES_CCM_128_KEY_SIZE,
		.kernel		= "ccm(aes)",
		.header		= "AES-128-ECB",
		.ccm		= true,
	},
	{ }
};

/* The keys have to be the same everywhere, not secret. */
const unsigned char bench_key[32] = "benchmark";
const unsigned char bench_next_key[32] = "benchmark, updated";
const unsigned char bench_header_key[32] = "header protection";
const unsigned char bench_iv[12] = "iv";
