// SPDX-License-Identifier: GPL-2.0
/*
 * What libcrypto has sealed arrives opened, byte for byte; so does what the
 * transmit side has protected.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"

#define MAX_PACKET	1500
#define DCID_LEN	8
#define GENERATION	6

/* Every cipher, each family */

FIXTURE(cipher) {
	struct quic_rx_env env;
	struct quic_keys keys[2];
	struct quic_oracle *phase[2];
	struct quic_connection_info info[2];
	struct quic_packet packet;
	struct quic_sealed sealed;
};

FIXTURE_VARIANT(cipher) {
	int cipher;
	int family;
};

FIXTURE_VARIANT_ADD(cipher, aes_gcm_128_ipv4) {
	QUIC_AES_GCM_128, AF_INET };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_128_ipv6) {
	QUIC_AES_GCM_128, AF_INET6 };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_128_mapped) {
	QUIC_AES_GCM_128, QUIC_MAPPED };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_256_ipv4) {
	QUIC_AES_GCM_256, AF_INET };
FIXTURE_VARIANT_ADD(cipher, aes_ccm_128_ipv6) {
	QUIC_AES_CCM_128, AF_INET6 };
FIXTURE_VARIANT_ADD(cipher, chacha20_poly1305_ipv4) {
	QUIC_CHACHA20_POLY1305, AF_INET };
FIXTURE_VARIANT_ADD(cipher, chacha20_poly1305_ipv6) {
	QUIC_CHACHA20_POLY1305, AF_INET6 };

FIXTURE_SETUP(cipher)
{
	const struct quic_cipher *cipher = &quic_ciphers[variant->cipher];
	int i;

	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 100,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < 2; i++) {
		quic_keys_derive(&self->keys[i], cipher, 1, GENERATION + i);
		self->phase[i] = quic_oracle_new(&self->keys[i]);
		quic_flow_info(&self->info[i], &self->keys[i],
			       &self->packet.dcid, &self->env.from);
	}
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], 990)) {
		TH_LOG("%s: %s", cipher->name, strerror(errno));
	}
}

FIXTURE_TEARDOWN(cipher)
{
	quic_oracle_free(self->phase[0]);
	quic_oracle_free(self->phase[1]);
	quic_rx_env_close(&self->env);
}

static void build(FIXTURE_DATA(cipher) *self, unsigned int count, size_t last)
{
	quic_sealed_build(&self->sealed, self->phase[0], GENERATION,
			  self->packet, count, last);
	self->packet.pn += count;
}

/* Single packets: all small ones, a sweep, all around the largest. */
TEST_F_TIMEOUT(cipher, sizes, 60)
{
	struct quic_packet *packet = &self->packet;

	for (packet->len = 1 + DCID_LEN + 4; packet->len <= MAX_PACKET; ) {
		build(self, 1, 0);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
		packet->len += packet->len < 96 || packet->len > 1460 ? 1 : 11;
	}
}

TEST_F_TIMEOUT(cipher, trains, 60)
{
	static const unsigned int counts[] = { 2, 3, 17, 44, 64, QUIC_MAX_SEGMENTS };
	static const size_t sizes[] = { 33, 64, 253, 495, 1436 };
	struct quic_packet *packet = &self->packet;
	size_t max = QUIC_MAX_UDP_PAYLOAD - 20;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			packet->len = sizes[j];
			if ((packet->len + QUIC_TAG_SIZE) * counts[i] > max)
				continue;

			build(self, counts[i], 0);
			quic_expect_opened(_metadata, &self->env, &self->sealed);
			build(self, counts[i], 1 + DCID_LEN + 4);
			quic_expect_opened(_metadata, &self->env, &self->sealed);
			build(self, counts[i], packet->len - 1);
			quic_expect_opened(_metadata, &self->env, &self->sealed);
		}
	}
}

/* The longest message: one packet, and many; datagrams longer than the buffer
 * in which the kernel opens them.
 */
TEST_F_TIMEOUT(cipher, longest, 60)
{
	static const size_t strides[] = { 512, 1200, 4096, 6144, 6145, 9000, 32768 };
	size_t max = QUIC_MAX_UDP_PAYLOAD - (variant->family != AF_INET6) * 20;
	struct quic_packet *packet = &self->packet;
	unsigned int i;

	packet->len = max - QUIC_TAG_SIZE;
	build(self, 1, 0);
	quic_expect_opened(_metadata, &self->env, &self->sealed);

	/* Devices cut trains that with all headers are longer than 64 KiB. */
	max = 65400;
	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		packet->len = strides[i] - QUIC_TAG_SIZE;
		build(self, max / strides[i] + 1,
		      max % strides[i] - QUIC_TAG_SIZE);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
	}
}

/* Numbers of each length, at both ends of their range */
TEST_F(cipher, packet_number_length)
{
	struct quic_packet *packet = &self->packet;

	for (packet->pn_len = 1; packet->pn_len <= 4; packet->pn_len++) {
		build(self, 17, 0);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
		/* as far ahead as can be told: half of the range */
		packet->pn += (1ULL << (8 * packet->pn_len - 1)) - 17;
		build(self, 17, 0);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
	}
	packet->pn_len = 4;
	packet->pn = QUIC_PN_LIMIT - 44;
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], packet->pn));
	build(self, 44, 0);
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

TEST_F(cipher, dcid_length)
{
	struct quic_packet *packet = &self->packet;
	struct quic_connection_info info;
	unsigned int len;

	for (len = 0; len <= QUIC_MAX_CONNECTION_ID_SIZE; len++) {
		/* No length is the other's prefix, but that of zero. */
		quic_dcid_init(&packet->dcid, len, len);
		quic_flow_info(&info, &self->keys[0], &packet->dcid,
			       &self->env.from);
		ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &info, packet->pn));

		packet->len = 1 + len + 4;
		build(self, 1, 0);
		quic_expect_opened(_metadata, &self->env, &self->sealed);

		packet->len = 300;
		build(self, 17, 41);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
	}
	EXPECT_EQ(2 + QUIC_MAX_CONNECTION_ID_SIZE, quic_stat("QuicCurrRxSw"));
}

/* Both keys of a flow in one message, the phase going back and forth */
TEST_F(cipher, key_phases)
{
	struct quic_packet *packet = &self->packet;
	unsigned int i, phase;

	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1], 0));
	quic_sealed_start(&self->sealed);
	for (i = 0; i < 44; i++, packet->pn++) {
		phase = i > 20 || i == 7;
		packet->flags = QUIC_FIXED_BIT | phase * QUIC_KEY_PHASE;
		quic_sealed_add(&self->sealed, self->phase[phase],
				GENERATION + phase, packet);
	}
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

/* One after the other, without UDP_GRO */
TEST_F(cipher, single_datagrams)
{
	struct quic_sealed *sealed = &self->sealed;
	static struct quic_sealed one;
	int off = 0;
	unsigned int i;

	ASSERT_EQ(0, setsockopt(self->env.rx, SOL_UDP, UDP_GRO, &off,
				sizeof(off)));
	build(self, 20, 77);
	ASSERT_EQ(sealed->len, quic_sealed_send(self->env.tx, &self->env.to,
						sealed));
	for (i = 0; i < sealed->count; i++) {
		quic_sealed_part(&one, sealed, i, 1);
		quic_expect_received(_metadata, &self->env, &one);
	}
}

/* What the transmit side protects */
TEST_F(cipher, own_transmit_side)
{
	static const unsigned int counts[] = { 1, 2, 44 };
	struct quic_packet *packet = &self->packet;
	struct quic_connection_info info;
	static struct quic_train train;
	struct quic_msg msg;
	unsigned int i;

	quic_flow_info(&info, &self->keys[0], &packet->dcid, NULL);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		packet->len = 1200;
		quic_train_build(&train, *packet, counts[i], 55);
		build(self, counts[i], 55);
		msg = quic_msg(self->env.tx, &self->env.to, &train);
		ASSERT_EQ(train.len, quic_send(&msg));
		quic_expect_received(_metadata, &self->env, &self->sealed);
	}
}

TEST_HARNESS_MAIN
