// SPDX-License-Identifier: GPL-2.0
#include <dlfcn.h>
#include <err.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* What is used of libcrypto */
#define SSL_FUNCTIONS(F)		\
	F(OpenSSL_version)		\
	F(EVP_CIPHER_fetch)		\
	F(EVP_CIPHER_free)		\
	F(EVP_CIPHER_CTX_new)		\
	F(EVP_CIPHER_CTX_free)		\
	F(EVP_CIPHER_CTX_ctrl)		\
	F(EVP_CIPHER_CTX_set_padding)	\
	F(EVP_EncryptInit_ex)		\
	F(EVP_EncryptUpdate)		\
	F(EVP_EncryptFinal_ex)		\
	F(EVP_DecryptInit_ex)		\
	F(EVP_DecryptUpdate)		\
	F(EVP_DecryptFinal_ex)

struct ssl {
#define SSL_POINTER(name) __typeof__(name) *name;
	SSL_FUNCTIONS(SSL_POINTER)
};

struct ssl *ssl30, *ssl35;

struct ssl_key {
	const struct ssl *ssl;
	const struct cipher *cipher;
	EVP_CIPHER_CTX *aead;		/* protects */
	EVP_CIPHER_CTX *opener;
	EVP_CIPHER_CTX *header;
	unsigned char samples[BENCH_MAX_TRAIN][16];
};

static struct ssl *ssl_load(const char *path)
{
	struct ssl *ssl = calloc(1, sizeof(*ssl));
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		warnx("%s", dlerror());
		free(ssl);
		return NULL;
	}
#define SSL_LOAD(name) \
	ssl->name = (__typeof__(name) *)dlsym(lib, #name); \
	if (!ssl->name) \
		errx(1, "%s: no %s", path, #name);
	SSL_FUNCTIONS(SSL_LOAD)
	return ssl;
}

static struct ssl *ssl_library(const char *name, const char *path)
{
	struct ssl *ssl = path ? ssl_load(path) : NULL;

	if (ssl)
		printf("library\t%s\t%s\n", name,
		       ssl->OpenSSL_version(OPENSSL_VERSION));
	return ssl;
}

void ssl_libraries(const char *path30, const char *path35)
{
	ssl30 = ssl_library("ssl30", path30);
	ssl35 = ssl_library("ssl35", path35);
}

/* None of these fails when it is used right. */
static void must(int ok)
{
	if (ok <= 0)
		errx(1, "libcrypto refuses");
}

/* A cipher is for both directions until it is given a key. */
static EVP_CIPHER_CTX *ssl_ctx(const struct ssl *ssl, const char *name)
{
	EVP_CIPHER *evp = ssl->EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = ssl->EVP_CIPHER_CTX_new();

	must(evp && ctx);
	must(ssl->EVP_EncryptInit_ex(ctx, evp, NULL, NULL, NULL));
	ssl->EVP_CIPHER_free(evp);
	return ctx;
}

static EVP_CIPHER_CTX *ssl_aead(const struct ssl *ssl,
				const struct cipher *cipher)
{
	EVP_CIPHER_CTX *ctx = ssl_ctx(ssl, cipher->name);

	must(ssl->EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL));
	if (cipher->ccm)
		must(ssl->EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
					      BENCH_TAG_LEN, NULL));
	return ctx;
}

struct ssl_key *ssl_key_new(const struct ssl *ssl, const struct cipher *cipher,
			    const unsigned char *payload_key)
{
	struct ssl_key *key = calloc(1, sizeof(*key));

	key->ssl = ssl;
	key->cipher = cipher;
	key->aead = ssl_aead(ssl, cipher);
	must(ssl->EVP_EncryptInit_ex(key->aead, NULL, NULL, payload_key, NULL));
	key->opener = ssl_aead(ssl, cipher);
	must(ssl->EVP_DecryptInit_ex(key->opener, NULL, NULL, payload_key, NULL));

	key->header = ssl_ctx(ssl, cipher->header);
	must(ssl->EVP_EncryptInit_ex(key->header, NULL, NULL, bench_header_key, NULL));
	must(ssl->EVP_CIPHER_CTX_set_padding(key->header, 0));
	return key;
}

void ssl_key_free(struct ssl_key *key)
{
	key->ssl->EVP_CIPHER_CTX_free(key->aead);
	key->ssl->EVP_CIPHER_CTX_free(key->opener);
	key->ssl->EVP_CIPHER_CTX_free(key->header);
	free(key);
}

static unsigned int header_len(unsigned char first_byte)
{
	return 1 + BENCH_DCID_LEN + (first_byte & 3) + 1;
}

/* RFC 9001 section 5.3 */
static void set_nonce(unsigned char nonce[12], unsigned long long pn)
{
	unsigned int i;

	memcpy(nonce, bench_iv, 12);
	for (i = 0; i < sizeof(pn); i++)
		nonce[11 - i] ^= pn >> 8 * i;
}

static void ssl_seal(struct ssl_key *key, unsigned char *to,
		     const unsigned char *from, unsigned int len,
		     unsigned long long pn)
{
	const struct ssl *ssl = key->ssl;
	unsigned int hdr = header_len(from[0]);
	unsigned char nonce[12];
	int out;

	set_nonce(nonce, pn);
	memcpy(to, from, hdr);
	must(ssl->EVP_EncryptInit_ex(key->aead, NULL, NULL, NULL, nonce));
	if (key->cipher->ccm)
		must(ssl->EVP_EncryptUpdate(key->aead, NULL, &out, NULL, len - hdr));
	must(ssl->EVP_EncryptUpdate(key->aead, NULL, &out, from, hdr));
	must(ssl->EVP_EncryptUpdate(key->aead, to + hdr, &out, from + hdr, len - hdr));
	must(ssl->EVP_EncryptFinal_ex(key->aead, to + len, &out));
	must(ssl->EVP_CIPHER_CTX_ctrl(key->aead, EVP_CTRL_AEAD_GET_TAG,
				      BENCH_TAG_LEN, to + len));
}

/*
 * The masks of a train, in place of its samples: RFC 9001 section 5.4.  With
 * AES one call does for all packets, and takes less time than one for each.
 */
static void ssl_masks(struct ssl_key *key, unsigned int count)
{
	static const unsigned char zeros[5];
	const struct ssl *ssl = key->ssl;
	unsigned int i;
	int out;

	if (!key->cipher->chacha) {
		must(ssl->EVP_EncryptUpdate(key->header, key->samples[0], &out,
					    key->samples[0], count * 16));
		return;
	}
	for (i = 0; i < count; i++) {
		must(ssl->EVP_EncryptInit_ex(key->header, NULL, NULL, NULL,
					     key->samples[i]));
		must(ssl->EVP_EncryptUpdate(key->header, key->samples[i], &out,
					    zeros, sizeof(zeros)));
	}
}

void ssl_protect(struct ssl_key *key, unsigned char *to,
		 const unsigned char *from, unsigned int count,
		 unsigned int wire, unsigned long long pn)
{
	const unsigned int pn_at = 1 + BENCH_DCID_LEN;
	unsigned int len = wire - BENCH_TAG_LEN;
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		ssl_seal(key, to + i * wire, from + i * len, len, pn + i);
		memcpy(key->samples[i], to + i * wire + pn_at + 4, 16);
	}

	ssl_masks(key, count);

	for (i = 0; i < count; i++) {
		unsigned char *packet = to + i * wire, *mask = key->samples[i];

		for (j = 0; pn_at + j < header_len(from[i * len]); j++)
			packet[pn_at + j] ^= mask[1 + j];
		packet[0] ^= mask[0] & 0x1f;
	}
}

/* @len without the tag, which follows */
static bool ssl_unseal(struct ssl_key *key, unsigned char *packet,
		       unsigned int len, unsigned long long pn)
{
	unsigned int hdr = header_len(packet[0]);
	const struct ssl *ssl = key->ssl;
	unsigned char nonce[12];
	int out;

	set_nonce(nonce, pn);
	must(ssl->EVP_DecryptInit_ex(key->opener, NULL, NULL, NULL, nonce));
	must(ssl->EVP_CIPHER_CTX_ctrl(key->opener, EVP_CTRL_AEAD_SET_TAG,
				      BENCH_TAG_LEN, packet + len));
	if (key->cipher->ccm)
		must(ssl->EVP_DecryptUpdate(key->opener, NULL, &out, NULL, len - hdr));
	must(ssl->EVP_DecryptUpdate(key->opener, NULL, &out, packet, hdr));
	if (ssl->EVP_DecryptUpdate(key->opener, packet + hdr, &out, packet + hdr,
				   len - hdr) <= 0)
		return false;
	return key->cipher->ccm ||
	       ssl->EVP_DecryptFinal_ex(key->opener, packet + len, &out) > 0;
}

bool ssl_open(struct ssl_key *key, unsigned char *packets, unsigned int count,
	      unsigned int wire)
{
	const unsigned int pn_at = 1 + BENCH_DCID_LEN;
	unsigned int i, j;

	for (i = 0; i < count; i++)
		memcpy(key->samples[i], packets + i * wire + pn_at + 4, 16);

	ssl_masks(key, count);

	for (i = 0; i < count; i++) {
		unsigned char *packet = packets + i * wire, *mask = key->samples[i];
		unsigned long long pn = 0;

		packet[0] ^= mask[0] & 0x1f;
		for (j = 0; pn_at + j < header_len(packet[0]); j++) {
			packet[pn_at + j] ^= mask[1 + j];
			pn = pn << 8 | packet[pn_at + j];
		}
		if (!ssl_unseal(key, packet, wire - BENCH_TAG_LEN, pn))
			return false;
	}
	return true;
}
