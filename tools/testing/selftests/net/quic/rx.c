// SPDX-License-Identifier: GPL-2.0
/*
 * What libcrypto has sealed arrives opened, byte for byte; so does what the
 * transmit side has protected.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_env.h"

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
		one = *sealed;
		one.count = 1;
		one.len = sealed->at[i + 1] - sealed->at[i];
		one.entry[0] = sealed->entry[i];
		memmove(one.want, sealed->want + sealed->at[i], one.len);
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

/* What does not depend on the cipher */

FIXTURE(match) {
	struct quic_rx_env env;
	struct quic_packet packet;
	struct quic_sealed sealed;
};

FIXTURE_VARIANT(match) {
	int family;
};

FIXTURE_VARIANT_ADD(match, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(match, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(match, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(match)
{
	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = 200,
		.flags = QUIC_FIXED_BIT,
	};
}

FIXTURE_TEARDOWN(match)
{
	quic_rx_env_close(&self->env);
}

/* Adds flow @which, each of which has its own keys. */
static struct quic_oracle *add_flow(struct __test_metadata *_metadata,
				    const struct quic_rx_env *env,
				    unsigned int which,
				    const struct quic_dcid *dcid,
				    const struct quic_addr *from)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], which, which);
	quic_flow_info(&info, &keys, dcid, from);
	ASSERT_EQ(0, quic_rx_flow_add(env->rx, &info, 0)) {
		TH_LOG("flow %u: %s", which, strerror(errno));
	}
	return quic_oracle_new(&keys);
}

static void expect_flow(struct __test_metadata *_metadata,
			FIXTURE_DATA(match) *self, int tx,
			struct quic_oracle *oracle, unsigned int which)
{
	struct quic_rx_env env = self->env;

	env.tx = tx;
	self->packet.flags = QUIC_FIXED_BIT | (which & 1) * QUIC_KEY_PHASE;
	quic_sealed_build(&self->sealed, oracle, which, self->packet, 3, 0);
	self->packet.pn += 3;
	quic_expect_opened(_metadata, &env, &self->sealed);
}

/* Of flows with one connection ID the one for the sender is taken. */
TEST_F(match, source)
{
	struct quic_rx_env *env = &self->env;
	struct quic_oracle *here, *any;
	struct quic_addr from;
	int other;

	other = quic_rx_env_peer(env, &from);
	ASSERT_LE(0, other);
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	here = add_flow(_metadata, env, 1, &self->packet.dcid, &env->from);
	any = add_flow(_metadata, env, 2, &self->packet.dcid, NULL);

	expect_flow(_metadata, self, env->tx, here, 1);
	expect_flow(_metadata, self, other, any, 2);
	expect_flow(_metadata, self, env->tx, here, 1);
	quic_oracle_free(here);
	quic_oracle_free(any);
	close(other);
}

/* One connection ID starts with the other: the longer one wins, if it fits. */
TEST_F(match, prefix)
{
	static const uint8_t lengths[] = { 20, 8, 4, 1, 0 };
	struct quic_oracle *oracles[ARRAY_SIZE(lengths)];
	struct quic_dcid *dcid = &self->packet.dcid, dcids[ARRAY_SIZE(lengths)];
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		quic_dcid_init(&dcids[i], lengths[i], 0);
		oracles[i] = add_flow(_metadata, &self->env, i, &dcids[i], NULL);
	}
	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			*dcid = dcids[i];
			/*
			 * What follows the connection ID is protected and may
			 * be anything but what continues the longer one.
			 */
			expect_flow(_metadata, self, self->env.tx, oracles[i], i);
		}
	}
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		quic_oracle_free(oracles[i]);
}

/* Datagrams of several flows, and of none, in one message */
TEST_F(match, each_by_itself)
{
	static const uint8_t lengths[] = { 8, 8, 5, 20 };
	struct quic_oracle *oracles[ARRAY_SIZE(lengths)];
	struct quic_sealed *sealed = &self->sealed;
	struct quic_packet *packet = &self->packet;
	uint8_t stranger[200 + QUIC_TAG_SIZE] = { QUIC_FIXED_BIT, 1, 2, 3 };
	unsigned int i, which;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		quic_dcid_init(&packet->dcid, lengths[i], i);
		oracles[i] = add_flow(_metadata, &self->env, i, &packet->dcid,
				      i % 2 ? NULL : &self->env.from);
	}
	quic_sealed_start(sealed);
	for (i = 0; i < 60; i++) {
		which = i * i % 7;
		if (which >= ARRAY_SIZE(lengths)) {
			quic_sealed_raw(sealed, stranger, sizeof(stranger), true);
			continue;
		}
		quic_dcid_init(&packet->dcid, lengths[which], which);
		packet->flags = QUIC_FIXED_BIT | (which & 1) * QUIC_KEY_PHASE;
		packet->pn++;
		quic_sealed_add(sealed, oracles[which], which, packet);
	}
	quic_expect_opened(_metadata, &self->env, sealed);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		quic_oracle_free(oracles[i]);
}

/* RFC 9001 appendix A.5, backwards */
TEST_F(match, published_vector)
{
	const struct quic_vector *vector = &quic_rfc9001_a5;
	struct quic_sealed *sealed = &self->sealed;
	struct quic_connection_info info;
	struct quic_dcid dcid = {};

	quic_flow_info(&info, &vector->keys, &dcid, NULL);
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &info, vector->pn));
	quic_sealed_start(sealed);
	quic_sealed_raw(sealed, vector->protected, sizeof(vector->protected),
			false);
	memset(sealed->want, 0, sizeof(vector->protected));
	memcpy(sealed->want, vector->plain, sizeof(vector->plain));
	sealed->matched = true;
	sealed->entry[0].pkt_num = vector->pn;
	sealed->entry[0].status = QUIC_RX_DECRYPTED;
	quic_expect_opened(_metadata, &self->env, sealed);
}

/* A link-local peer, with the flow's interface right, unknown, and wrong */
TEST(link_local)
{
	static struct quic_sealed sealed;
	struct sockaddr_in6 *to, *from;
	struct quic_packet packet = {
		.pn = 5, .pn_len = 1, .len = 100, .flags = QUIC_FIXED_BIT,
	};
	struct quic_oracle *oracle;
	struct quic_rx_env env;
	uint32_t scopes[] = { 1, 0, 2 };
	unsigned int i;
	int any;

	ASSERT_EQ(0, quic_rx_env_open(&env, AF_INET6));
	ASSERT_EQ(0, system("ip address add fe80::1/64 dev lo nodad"));
	close(env.rx);
	close(env.tx);

	to = (void *)&env.to.ss;
	from = (void *)&env.from.ss;
	to->sin6_addr = (struct in6_addr) { { { 0xfe, 0x80, [15] = 1 } } };
	to->sin6_scope_id = 1;
	env.rx = socket(AF_INET6, SOCK_DGRAM, 0);
	env.tx = socket(AF_INET6, SOCK_DGRAM, 0);
	any = 1;
	ASSERT_EQ(0, setsockopt(env.rx, SOL_UDP, UDP_GRO, &any, sizeof(any)));
	ASSERT_EQ(0, bind(env.rx, (void *)&env.to.ss, sizeof(*to)));
	*from = *to;
	from->sin6_port = 0;
	ASSERT_EQ(0, bind(env.tx, (void *)from, sizeof(*from)));
	ASSERT_EQ(0, getsockname(env.tx, (void *)from, &env.from.len));

	for (i = 0; i < ARRAY_SIZE(scopes); i++) {
		from->sin6_scope_id = scopes[i];
		quic_dcid_init(&packet.dcid, DCID_LEN, i);
		oracle = add_flow(_metadata, &env, 0, &packet.dcid, &env.from);
		quic_sealed_build(&sealed, oracle, 0, packet, 2, 0);
		if (scopes[i] == 2) {
			uint8_t raw[sizeof(sealed.wire)];

			memcpy(raw, sealed.wire, sealed.len);
			quic_sealed_start(&sealed);
			quic_sealed_raw(&sealed, raw, 116, true);
			quic_sealed_raw(&sealed, raw + 116, 116, true);
		}
		quic_expect_opened(_metadata, &env, &sealed);
		quic_oracle_free(oracle);
	}
	quic_rx_env_close(&env);
}

TEST_HARNESS_MAIN
