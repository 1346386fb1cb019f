// SPDX-License-Identifier: GPL-2.0
/* The oracle itself, before the kernel is measured by it.  Needs no kernel. */

#include <string.h>

#include "kselftest_harness.h"
#include "quic_lib.h"
#include "quic_oracle.h"

TEST(rfc9001_a5)
{
	struct quic_oracle *oracle = quic_oracle_new(&quic_rfc9001_a5.keys);
	uint8_t packet[sizeof(quic_rfc9001_a5.protected)];

	ASSERT_EQ(sizeof(packet),
		  quic_oracle_protect(oracle, quic_rfc9001_a5.pn, 0,
				      quic_rfc9001_a5.plain,
				      sizeof(quic_rfc9001_a5.plain), packet));
	EXPECT_EQ(0, memcmp(packet, quic_rfc9001_a5.protected, sizeof(packet)));
	quic_oracle_free(oracle);
}

FIXTURE(cipher) {
	struct quic_oracle *oracle;
};

FIXTURE_VARIANT(cipher) {
	int cipher;
};

FIXTURE_VARIANT_ADD(cipher, aes_gcm_128) { QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_256) { QUIC_AES_GCM_256 };
FIXTURE_VARIANT_ADD(cipher, aes_ccm_128) { QUIC_AES_CCM_128 };
FIXTURE_VARIANT_ADD(cipher, chacha20_poly1305) { QUIC_CHACHA20_POLY1305 };

FIXTURE_SETUP(cipher)
{
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1, 0);
	self->oracle = quic_oracle_new(&keys);
}

FIXTURE_TEARDOWN(cipher)
{
	quic_oracle_free(self->oracle);
}

TEST_F(cipher, open_what_was_protected)
{
	uint8_t plain[1500], sealed[1500 + QUIC_TAG_SIZE], opened[1500];
	struct quic_packet packet = { .flags = QUIC_FIXED_BIT, .pn_len = 3 };
	uint64_t pn = 0x123456789ab, expected = pn;
	size_t len, i;

	quic_dcid_init(&packet.dcid, 8, 1);
	for (len = 13; len <= sizeof(plain); len += 29, pn += 3) {
		packet.pn = pn;
		packet.len = len;
		quic_packet_build(plain, &packet);
		ASSERT_EQ(len + QUIC_TAG_SIZE,
			  quic_oracle_protect(self->oracle, pn, 8, plain, len,
					      sealed));
		ASSERT_EQ(len, quic_oracle_open(self->oracle, &expected, 8,
						sealed, len + QUIC_TAG_SIZE,
						opened));
		ASSERT_EQ(pn, expected);
		ASSERT_EQ(0, memcmp(plain, opened, len));
	}

	/* A single flipped bit anywhere is noticed. */
	len = quic_oracle_protect(self->oracle, pn, 8, plain, 64, sealed);
	for (i = 0; i < len; i++) {
		sealed[i] ^= 1;
		expected = pn;
		ASSERT_EQ(0, quic_oracle_open(self->oracle, &expected, 8,
					      sealed, len, opened));
		sealed[i] ^= 1;
	}
}

TEST_HARNESS_MAIN
