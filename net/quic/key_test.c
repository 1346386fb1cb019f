// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <uapi/linux/tls.h>

#include "key.h"

struct quic_key_test_case {
	const char	*name;
	u64		pn;
	u16		cipher;
	u8		key[32];
	u8		hp[32];
	u8		iv[12];
	u8		dcid_len;
	u8		len;
	u8		plain[13];
	u8		protected[29];
};

/* Key 00 01 02 ..., header protection key 80 81 82 ..., IV 40 41 42 ... */
#define QUIC_KEY_TEST_KEYS						\
	.key = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,	\
		 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,	\
		 29, 30, 31 },						\
	.hp = { 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138,	\
		139, 140, 141, 142, 143, 144, 145, 146, 147, 148, 149,	\
		150, 151, 152, 153, 154, 155, 156, 157, 158, 159 },	\
	.iv = { 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75 }

/* Header 46 d0d1d2d3 123456, payload "plain", packet number abcd123456 */
#define QUIC_KEY_TEST_PACKET						\
	.pn = 0xabcd123456, .dcid_len = 4, .len = 13,			\
	.plain = { 0x46, 0xd0, 0xd1, 0xd2, 0xd3, 0x12, 0x34, 0x56,	\
		   'p', 'l', 'a', 'i', 'n' }

/* Made with libcrypto, but for the RFC's own. */
static const struct quic_key_test_case quic_key_test_params[] = {
	{
		.name = "RFC 9001 A.5",
		.cipher = TLS_CIPHER_CHACHA20_POLY1305,
		.key = {
			0xc6, 0xd9, 0x8f, 0xf3, 0x44, 0x1c, 0x3f, 0xe1,
			0xb2, 0x18, 0x20, 0x94, 0xf6, 0x9c, 0xaa, 0x2e,
			0xd4, 0xb7, 0x16, 0xb6, 0x54, 0x88, 0x96, 0x0a,
			0x7a, 0x98, 0x49, 0x79, 0xfb, 0x23, 0xe1, 0xc8,
		},
		.hp = {
			0x25, 0xa2, 0x82, 0xb9, 0xe8, 0x2f, 0x06, 0xf2,
			0x1f, 0x48, 0x89, 0x17, 0xa4, 0xfc, 0x8f, 0x1b,
			0x73, 0x57, 0x36, 0x85, 0x60, 0x85, 0x97, 0xd0,
			0xef, 0xcb, 0x07, 0x6b, 0x0a, 0xb7, 0xa7, 0xa4,
		},
		.iv = {
			0xe0, 0x45, 0x9b, 0x34, 0x74, 0xbd,
			0xd0, 0xe4, 0x4a, 0x41, 0xc1, 0x44,
		},
		.pn = 654360564,
		.len = 5,
		.plain = { 0x42, 0x00, 0xbf, 0xf4, 0x01 },
		.protected = {
			0x4c, 0xfe, 0x41, 0x89, 0x65, 0x5e, 0x5c, 0xd5,
			0x5c, 0x41, 0xf6, 0x90, 0x80, 0x57, 0x5d, 0x79,
			0x99, 0xc2, 0x5a, 0x5b, 0xfb,
		},
	}, {
		.name = "AES-128-GCM",
		.cipher = TLS_CIPHER_AES_GCM_128,
		QUIC_KEY_TEST_KEYS,
		QUIC_KEY_TEST_PACKET,
		.protected = {
			0x59, 0xd0, 0xd1, 0xd2, 0xd3, 0x8b, 0xcb, 0xae,
			0x9f, 0xcc, 0x22, 0xa4, 0x66, 0x27, 0x55, 0x82,
			0x2e, 0xd0, 0x84, 0x04, 0x0d, 0xb3, 0x80, 0xbd,
			0x41, 0xaf, 0x1d, 0x68, 0x45,
		},
	}, {
		.name = "AES-256-GCM",
		.cipher = TLS_CIPHER_AES_GCM_256,
		QUIC_KEY_TEST_KEYS,
		QUIC_KEY_TEST_PACKET,
		.protected = {
			0x56, 0xd0, 0xd1, 0xd2, 0xd3, 0x41, 0xac, 0xbd,
			0xa1, 0xcd, 0xd0, 0x24, 0x01, 0xcc, 0xb6, 0xc3,
			0x41, 0x7a, 0x4d, 0x0c, 0xfc, 0x54, 0xfb, 0x7a,
			0x59, 0xb4, 0xb1, 0x0f, 0x48,
		},
	}, {
		.name = "AES-128-CCM",
		.cipher = TLS_CIPHER_AES_CCM_128,
		QUIC_KEY_TEST_KEYS,
		QUIC_KEY_TEST_PACKET,
		.protected = {
			0x41, 0xd0, 0xd1, 0xd2, 0xd3, 0x54, 0x3b, 0xc1,
			0xa2, 0x9b, 0x1e, 0x77, 0x74, 0x1b, 0x99, 0xed,
			0x77, 0x4f, 0xc4, 0x7f, 0x78, 0x9b, 0x07, 0x27,
			0xf7, 0x35, 0xb3, 0x33, 0xe6,
		},
	}, {
		.name = "ChaCha20-Poly1305",
		.cipher = TLS_CIPHER_CHACHA20_POLY1305,
		QUIC_KEY_TEST_KEYS,
		QUIC_KEY_TEST_PACKET,
		.protected = {
			0x51, 0xd0, 0xd1, 0xd2, 0xd3, 0x6d, 0x63, 0x01,
			0xd7, 0xc1, 0x23, 0x82, 0x40, 0xb7, 0x7f, 0x93,
			0x22, 0xaa, 0xad, 0x41, 0x8e, 0x7e, 0xf6, 0xea,
			0x21, 0x95, 0xc6, 0xbc, 0xb9,
		},
	},
};

KUNIT_ARRAY_PARAM_DESC(quic_key_test, quic_key_test_params, name);

static struct quic_key *
quic_key_test_create(struct kunit *test, const struct quic_key_test_case *c)
{
	struct quic_connection_info info = { .cipher_type = c->cipher };
	struct quic_key *key;

	memcpy(info.payload_key, c->key, sizeof(c->key));
	memcpy(info.header_key, c->hp, sizeof(c->hp));
	memcpy(info.payload_iv, c->iv, sizeof(c->iv));
	key = quic_key_create(quic_cipher_find(c->cipher), &info);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);

	return key;
}

/* A key and where to use it */
struct quic_key_test {
	struct quic_key		*key;
	struct aead_request	*req;
	u8			*buf;
};

static void quic_key_test_start(struct kunit *test, struct quic_key_test *t)
{
	const struct quic_key_test_case *c = test->param_value;

	t->key = quic_key_test_create(test, c);
	t->req = kunit_kzalloc(test, sizeof(*t->req) + t->key->reqsize,
			       GFP_KERNEL);
	t->buf = kunit_kzalloc(test, sizeof(c->protected), GFP_KERNEL);
	if (!t->req || !t->buf) {
		quic_key_put(t->key);
		KUNIT_FAIL_AND_ABORT(test, "no memory");
	}
}

static void quic_key_test_protect(struct kunit *test)
{
	const struct quic_key_test_case *c = test->param_value;
	struct quic_key_test t;

	quic_key_test_start(test, &t);
	memcpy(t.buf, c->plain, c->len);
	KUNIT_EXPECT_EQ(test, 0, quic_key_protect(t.key, t.req, t.buf, c->len,
						  c->dcid_len, c->pn));
	KUNIT_EXPECT_MEMEQ(test, t.buf, c->protected, c->len + QUIC_TAG_SIZE);
	quic_key_put(t.key);
}

/* Header protection off, and the rest */
static int quic_key_test_open_packet(const struct quic_key_test_case *c,
				     const struct quic_key_test *t)
{
	u8 mask[AES_BLOCK_SIZE];
	unsigned int pn_len;

	quic_key_mask(t->key, t->buf + quic_packet_sample(c->dcid_len), mask);
	pn_len = quic_packet_pn_len(t->buf[0] ^ mask[0]);
	quic_packet_mask_header(t->buf, c->dcid_len, pn_len, mask);

	return quic_key_open(t->key, t->req, t->buf, c->len + QUIC_TAG_SIZE,
			     c->dcid_len, c->pn);
}

static void quic_key_test_open(struct kunit *test)
{
	const struct quic_key_test_case *c = test->param_value;
	unsigned int i, len = c->len + QUIC_TAG_SIZE;
	struct quic_key_test t;

	quic_key_test_start(test, &t);
	memcpy(t.buf, c->protected, len);
	KUNIT_EXPECT_EQ(test, 0, quic_key_test_open_packet(c, &t));
	KUNIT_EXPECT_MEMEQ(test, t.buf, c->plain, c->len);

	/* Whatever bit is wrong: in header, number, payload, tag. */
	for (i = 0; i < 8 * len; i++) {
		memcpy(t.buf, c->protected, len);
		t.buf[i / 8] ^= 1 << i % 8;
		KUNIT_EXPECT_EQ_MSG(test, -EBADMSG,
				    quic_key_test_open_packet(c, &t),
				    "bit %u", i);
	}
	quic_key_put(t.key);
}

static void quic_key_test_limits(struct kunit *test)
{
	static const struct {
		u16 type;
		u64 limit;
		u64 integrity_limit;
	} limits[] = {
		{ TLS_CIPHER_AES_GCM_128, 8388608, 4503599627370496 },
		{ TLS_CIPHER_AES_GCM_256, 8388608, 4503599627370496 },
		{ TLS_CIPHER_AES_CCM_128, 2965820, 2965820 },
		{ TLS_CIPHER_CHACHA20_POLY1305, 1ULL << 62, 68719476736 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct quic_cipher *cipher;

		cipher = quic_cipher_find(limits[i].type);
		KUNIT_EXPECT_EQ(test, limits[i].limit,
				quic_cipher_limit(cipher));
		KUNIT_EXPECT_EQ(test, limits[i].integrity_limit,
				quic_cipher_integrity_limit(cipher));
	}
	KUNIT_EXPECT_NULL(test, quic_cipher_find(0));
	KUNIT_EXPECT_NULL(test, quic_cipher_find(TLS_CIPHER_SM4_GCM));
}

static struct kunit_case quic_key_test_cases[] = {
	KUNIT_CASE_PARAM(quic_key_test_protect, quic_key_test_gen_params),
	KUNIT_CASE_PARAM(quic_key_test_open, quic_key_test_gen_params),
	KUNIT_CASE(quic_key_test_limits),
	{}
};

static struct kunit_suite quic_key_test_suite = {
	.name = "quic-key",
	.test_cases = quic_key_test_cases,
};

kunit_test_suite(quic_key_test_suite);
