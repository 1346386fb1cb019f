// SPDX-License-Identifier: GPL-2.0
/* UDP_QUIC_CAPABILITIES: what the kernel says that it can do, and whether it can */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/tls.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_sealed.h"

#define SIZE	sizeof(struct quic_capabilities)

FIXTURE(capabilities) {
	struct quic_env env;
};

FIXTURE_VARIANT(capabilities) {
	int family;
};

FIXTURE_VARIANT_ADD(capabilities, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(capabilities, ipv6) { AF_INET6 };

FIXTURE_SETUP(capabilities)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
}

FIXTURE_TEARDOWN(capabilities)
{
	quic_env_close(&self->env);
}

static int ask(int fd, void *value, socklen_t *len)
{
	return getsockopt(fd, SOL_UDP, UDP_QUIC_CAPABILITIES, value, len);
}

static struct quic_capabilities capabilities(int fd)
{
	struct quic_capabilities can = {};
	socklen_t len = SIZE;

	if (ask(fd, &can, &len) || len != SIZE)
		memset(&can, 0xff, SIZE);
	return can;
}

static socklen_t ulp_len(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	return getsockopt(fd, SOL_UDP, UDP_ULP, name, &len) ? -1 : len;
}

TEST_F(capabilities, values)
{
	const struct quic_capabilities expected = {
		.ciphers = 15,
		.directions = 3,
		.tx_connection_size = 128,
		.rx_connection_size = 136,
		.tx_ancillary_size = 16,
		.rx_ancillary_size = 16,
		.max_conn_id_length = 20,
		.max_packets = QUIC_MAX_SEGMENTS,
	};
	struct quic_capabilities can = capabilities(self->env.tx);

	EXPECT_EQ(0, memcmp(&can, &expected, SIZE));
	/* Nothing is attached by that. */
	EXPECT_EQ(0, ulp_len(self->env.tx));
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_ULP, "quic-crypto",
				strlen("quic-crypto")));
	can = capabilities(self->env.tx);
	EXPECT_EQ(0, memcmp(&can, &expected, SIZE));
}

/* A cipher can be had if ADD takes it, in either direction. */
TEST_F(capabilities, ciphers)
{
	static const unsigned int types[] = {
		TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256,
		TLS_CIPHER_AES_CCM_128, TLS_CIPHER_CHACHA20_POLY1305,
	};
	struct quic_capabilities can = capabilities(self->env.tx);
	struct quic_connection_info info;
	struct quic_dcid dcid;
	struct quic_keys keys;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		bool has = can.ciphers & 1 << i;

		quic_dcid_init(&dcid, 8, i);
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
		quic_flow_info(&info, &keys, &dcid, NULL);
		info.cipher_type = types[i];
		EXPECT_EQ(has ? 0 : -1, quic_flow_add(self->env.tx, &info));
		EXPECT_EQ(has ? 0 : -1, quic_rx_flow_add(self->env.rx, &info, 0));
	}
}

/* The start of it, and no byte more */
TEST_F(capabilities, lengths)
{
	const struct quic_capabilities can = capabilities(self->env.tx);
	uint8_t seen[SIZE + 8], expected[SIZE + 8];
	socklen_t room, len, i;

	for (i = 0; i <= sizeof(seen); i++) {
		room = i;
		memset(seen, 0xaa, sizeof(seen));
		memset(expected, 0xaa, sizeof(expected));
		len = room < SIZE ? room : SIZE;
		memcpy(expected, &can, len);
		ASSERT_EQ(0, ask(self->env.tx, seen, &room));
		ASSERT_EQ(len, room);
		ASSERT_EQ(0, memcmp(expected, seen, sizeof(seen)));
	}
}

TEST_F(capabilities, errors)
{
	struct quic_capabilities can;
	socklen_t len = -1;

	EXPECT_EQ(-1, ask(self->env.tx, &can, &len));
	EXPECT_EQ(EINVAL, errno);
	len = SIZE;
	EXPECT_EQ(-1, ask(self->env.tx, NULL, &len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ask(self->env.tx, &can, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP, UDP_QUIC_CAPABILITIES,
				 &can, SIZE));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(0, ulp_len(self->env.tx));
}

/* Anybody may ask. */
TEST_F(capabilities, unprivileged)
{
	struct quic_capabilities can = capabilities(self->env.tx);

	ASSERT_EQ(0, seteuid(65534));
	EXPECT_EQ(can.ciphers, capabilities(self->env.tx).ciphers);
	ASSERT_EQ(0, seteuid(0));
}

TEST_HARNESS_MAIN
