// SPDX-License-Identifier: GPL-2.0
/* Which flow opens a packet: connection IDs, sources, and the published vector. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"

#define DCID_LEN	8

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
