// SPDX-License-Identifier: GPL-2.0
/*
 * Multipath QUIC: all paths of a connection have one key, and packet numbers of
 * their own; the path identifier is part of the nonce.  A flow for each path,
 * with the identifier in its IV, protects exactly that.  Nonce and packet are
 * worked out here, from the draft and by libcrypto, without the oracle.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/tls.h>

#include <openssl/evp.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define PATHS		4
#define DCID_LEN	8
#define COUNT		10	/* packets of a train */
#define SAMPLE_SIZE	16

/* The first one's nonces are those of a connection without paths. */
static const uint32_t path_ids[PATHS] = { 0, 1, 0x80000000, 0xfffefdfc };

struct keys {
	const EVP_CIPHER *(*aead)(void);
	const EVP_CIPHER *(*hp)(void);
	uint16_t type;
	bool ccm;
};

static const struct keys ciphers[] = {
	{ EVP_aes_128_gcm, EVP_aes_128_ecb, TLS_CIPHER_AES_GCM_128 },
	{ EVP_aes_256_gcm, EVP_aes_256_ecb, TLS_CIPHER_AES_GCM_256 },
	{ EVP_aes_128_ccm, EVP_aes_128_ecb, TLS_CIPHER_AES_CCM_128, true },
	{ EVP_chacha20_poly1305, EVP_chacha20, TLS_CIPHER_CHACHA20_POLY1305 },
};

FIXTURE(multipath) {
	struct quic_env env;
	struct quic_train train;
	const struct keys *cipher;
	uint8_t key[32], hp[32], iv[QUIC_IV_SIZE];
};

FIXTURE_VARIANT(multipath) {
	int family;
	unsigned int cipher;
};

FIXTURE_VARIANT_ADD(multipath, aes_gcm_128) { AF_INET, 0 };
FIXTURE_VARIANT_ADD(multipath, aes_gcm_256) { AF_INET6, 1 };
FIXTURE_VARIANT_ADD(multipath, aes_ccm_128) { AF_INET, 2 };
FIXTURE_VARIANT_ADD(multipath, chacha20_poly1305) { AF_INET6, 3 };

/* Keys of a generation; the header protection key stays. */
static void new_keys(FIXTURE_DATA(multipath) *self, uint8_t generation)
{
	memset(self->key, 0x11 + generation, sizeof(self->key));
	memset(self->iv, 0x23 + generation, sizeof(self->iv));
	memset(self->hp, 0x35, sizeof(self->hp));
}

FIXTURE_SETUP(multipath)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->cipher = &ciphers[variant->cipher];
	new_keys(self, 0);
}

FIXTURE_TEARDOWN(multipath)
{
	quic_env_close(&self->env);
}

/* What a library passes to the kernel: the path is in the IV. */
static int add_path(FIXTURE_DATA(multipath) *self, unsigned int path,
		    uint8_t generation)
{
	struct quic_connection_info info = {
		.cipher_type = self->cipher->type,
		.conn_payload_key_gen = generation,
		.key.conn_id_length = DCID_LEN,
	};
	struct quic_dcid dcid;
	int i;

	quic_dcid_init(&dcid, DCID_LEN, path);
	memcpy(info.key.conn_id + sizeof(info.key.conn_id) - DCID_LEN, dcid.id,
	       DCID_LEN);
	memcpy(info.header_key, self->hp, sizeof(self->hp));
	memcpy(info.payload_key, self->key, sizeof(self->key));
	memcpy(info.payload_iv, self->iv, sizeof(self->iv));
	for (i = 0; i < 4; i++)
		info.payload_iv[i] ^= path_ids[path] >> (24 - 8 * i);
	return quic_flow_add(self->env.tx, &info);
}

/* 32 bits of path, two that are zero, 62 of packet number: XORed with the IV */
static void nonce_of(const FIXTURE_DATA(multipath) *self, unsigned int path,
		     uint64_t pn, uint8_t *nonce)
{
	int i;

	memcpy(nonce, self->iv, QUIC_IV_SIZE);
	for (i = 0; i < 4; i++)
		nonce[i] ^= path_ids[path] >> (24 - 8 * i);
	for (i = 0; i < 8; i++)
		nonce[4 + i] ^= pn >> (56 - 8 * i);
}

static void hp_mask(struct __test_metadata *_metadata,
		    const FIXTURE_DATA(multipath) *self, const uint8_t *sample,
		    uint8_t *mask)
{
	bool chacha = self->cipher->type == TLS_CIPHER_CHACHA20_POLY1305;
	static const uint8_t zero[SAMPLE_SIZE];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	ASSERT_EQ(1, EVP_EncryptInit_ex(ctx, self->cipher->hp(), NULL, self->hp,
					chacha ? sample : NULL));
	ASSERT_EQ(1, EVP_EncryptUpdate(ctx, mask, &n, chacha ? zero : sample,
				       SAMPLE_SIZE));
	EVP_CIPHER_CTX_free(ctx);
}

/* Protects the packet @in of @len bytes, whose packet number has 4 of them. */
static void protect(struct __test_metadata *_metadata,
		    const FIXTURE_DATA(multipath) *self, unsigned int path,
		    uint64_t pn, const uint8_t *in, size_t len, uint8_t *out)
{
	size_t header = 1 + DCID_LEN + 4, payload = len - header, i;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[QUIC_IV_SIZE], mask[SAMPLE_SIZE];
	int n;

	nonce_of(self, path, pn, nonce);
	ASSERT_EQ(1, EVP_EncryptInit_ex(ctx, self->cipher->aead(), NULL, NULL,
					NULL));
	ASSERT_EQ(1, EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN,
					 QUIC_IV_SIZE, NULL));
	if (self->cipher->ccm)
		ASSERT_EQ(1, EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG,
						 QUIC_TAG_SIZE, NULL));
	ASSERT_EQ(1, EVP_EncryptInit_ex(ctx, NULL, NULL, self->key, nonce));
	if (self->cipher->ccm)
		ASSERT_EQ(1, EVP_EncryptUpdate(ctx, NULL, &n, NULL, payload));
	memcpy(out, in, header);
	ASSERT_EQ(1, EVP_EncryptUpdate(ctx, NULL, &n, in, header));
	ASSERT_EQ(1, EVP_EncryptUpdate(ctx, out + header, &n, in + header,
				       payload));
	ASSERT_EQ(1, EVP_EncryptFinal_ex(ctx, out + len, &n));
	ASSERT_EQ(1, EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG,
					 QUIC_TAG_SIZE, out + len));
	EVP_CIPHER_CTX_free(ctx);

	hp_mask(_metadata, self, out + header, mask);
	out[0] ^= mask[0] & 0x1f;
	for (i = 0; i < 4; i++)
		out[1 + DCID_LEN + i] ^= mask[1 + i];
}

/* A train on a path, each packet of which is as the draft has it. */
static void expect_path(struct __test_metadata *_metadata,
			FIXTURE_DATA(multipath) *self, unsigned int path,
			uint64_t pn, uint8_t generation)
{
	struct quic_packet packet = {
		.pn = pn,
		.pn_len = 4,
		.len = 1200,
		.flags = QUIC_FIXED_BIT | (generation & 1 ? QUIC_KEY_PHASE : 0),
	};
	struct quic_train *train = &self->train;
	uint8_t want[2000], seen[2000];
	struct quic_msg msg;
	unsigned int i;
	size_t len;

	quic_dcid_init(&packet.dcid, DCID_LEN, path);
	quic_train_build(train, packet, COUNT, 700);
	msg = quic_msg(self->env.tx, &self->env.to, train);
	ASSERT_EQ(train->len, quic_send(&msg)) {
		TH_LOG("path %#x: %s", path_ids[path], strerror(errno));
	}
	for (i = 0; i < COUNT; i++) {
		len = train->at[i + 1] - train->at[i];
		protect(_metadata, self, path, train->pn[i],
			train->buf + train->at[i], len, want);
		ASSERT_EQ(len + QUIC_TAG_SIZE,
			  recv(self->env.rx, seen, sizeof(seen), 0));
		ASSERT_EQ(0, memcmp(want, seen, len + QUIC_TAG_SIZE)) {
			TH_LOG("path %#x, packet %u", path_ids[path], i);
		}
	}
}

/* One key, the same numbers on each path, in any order */
TEST_F(multipath, packet_numbers_of_paths)
{
	unsigned int path;

	for (path = 0; path < PATHS; path++)
		ASSERT_EQ(0, add_path(self, path, 0));
	for (path = 0; path < PATHS; path++)
		expect_path(_metadata, self, path, 0, 0);
	for (path = PATHS; path-- > 0; )
		expect_path(_metadata, self, path,
			    QUIC_PN_LIMIT - 1 - COUNT, 0);
}

/* An update is one for all paths, each of which goes on with its numbers. */
TEST_F(multipath, key_update)
{
	unsigned int path;

	for (path = 0; path < PATHS; path++)
		ASSERT_EQ(0, add_path(self, path, 0));
	expect_path(_metadata, self, 1, 100, 0);
	new_keys(self, 1);
	for (path = 0; path < PATHS; path++)
		ASSERT_EQ(0, add_path(self, path, 1));
	for (path = 0; path < PATHS; path++)
		expect_path(_metadata, self, path, 200, 1);
	new_keys(self, 0);
	expect_path(_metadata, self, 1, 150, 0);
}

TEST_HARNESS_MAIN
