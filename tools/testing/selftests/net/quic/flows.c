// SPDX-License-Identifier: GPL-2.0
/* The flow table: what is accepted, what matches, what a key update does. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/tls.h>

#include "kselftest_harness.h"
#include "quic_env.h"

FIXTURE(flows) {
	struct quic_env env;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_connection_info info;	/* flow 1, exact, generation 0 */
};

FIXTURE_VARIANT(flows) {
	int family;
};

FIXTURE_VARIANT_ADD(flows, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(flows, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(flows, mapped) { QUIC_MAPPED };

/* Flow @flow with the fixture's DCID */
static struct quic_connection_info
flow_info(const struct quic_packet *packet, const struct quic_addr *to,
	  unsigned int flow, uint8_t generation)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow,
			 generation);
	quic_flow_info(&info, &keys, &packet->dcid, to);
	return info;
}

FIXTURE_SETUP(flows)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 4,
		.len = 200,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, 8, 0);
	self->info = flow_info(&self->packet, &self->env.to, 1, 0);
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_ULP, "quic-crypto", 11));
}

FIXTURE_TEARDOWN(flows)
{
	quic_env_close(&self->env);
}

/* Sends a packet to @to; @rx must receive it as flow and generation have it. */
static void expect_keys(struct __test_metadata *_metadata, int tx, int rx,
			const struct quic_addr *to, struct quic_packet *packet,
			unsigned int flow, uint8_t generation)
{
	static struct quic_train train;
	uint8_t expected[2000], seen[2000];
	struct quic_oracle *oracle;
	struct quic_keys keys;
	struct quic_msg msg;
	size_t len;

	packet->flags = QUIC_FIXED_BIT | (generation & 1 ? QUIC_KEY_PHASE : 0);
	quic_train_build(&train, *packet, 1, 0);
	msg = quic_msg(tx, to, &train);
	ASSERT_EQ(packet->len, quic_send(&msg)) {
		TH_LOG("%s", strerror(errno));
	}
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow, generation);
	oracle = quic_oracle_new(&keys);
	len = quic_oracle_protect(oracle, packet->pn, packet->dcid.len, train.buf,
				  train.len, expected);
	quic_oracle_free(oracle);
	ASSERT_EQ(len, recv(rx, seen, sizeof(seen), 0));
	ASSERT_EQ(0, memcmp(expected, seen, len)) {
		TH_LOG("not flow %u generation %u", flow, generation);
	}
	packet->pn++;
}

static void expect_refused(struct __test_metadata *_metadata, int tx,
			   const struct quic_addr *to,
			   const struct quic_packet *packet, int err)
{
	static struct quic_train train;
	struct quic_msg msg;

	quic_train_build(&train, *packet, 1, 0);
	msg = quic_msg(tx, to, &train);
	ASSERT_EQ(-1, quic_send(&msg));
	ASSERT_EQ(err, errno);
}

/* What ADD and DEL accept */

TEST_F(flows, optlen)
{
	size_t through_key = offsetof(struct quic_connection_info, header_key);
	struct {
		struct quic_connection_info info;
		uint8_t surplus[100];
	} arg = { .info = self->info };
	socklen_t len;

	for (len = 0; len < sizeof(arg.info); len++) {
		ASSERT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
					 UDP_QUIC_ADD_TX_CONNECTION, &arg, len));
		ASSERT_EQ(EINVAL, errno);
	}
	arg.surplus[sizeof(arg.surplus) - 1] = 1;
	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
				 UDP_QUIC_ADD_TX_CONNECTION, &arg, sizeof(arg)));
	EXPECT_EQ(E2BIG, errno);
	arg.surplus[sizeof(arg.surplus) - 1] = 0;
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP,
				UDP_QUIC_ADD_TX_CONNECTION, &arg, sizeof(arg)));

	/* Without an argument it has another meaning, see delete_all.c. */
	for (len = 1; len < through_key; len++) {
		ASSERT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
					 UDP_QUIC_DEL_TX_CONNECTION, &arg, len));
		ASSERT_EQ(EINVAL, errno);
	}
	arg.surplus[0] = 1;
	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
				 UDP_QUIC_DEL_TX_CONNECTION, &arg, sizeof(arg)));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(0, setsockopt(self->env.tx, SOL_UDP,
				UDP_QUIC_DEL_TX_CONNECTION, &arg, through_key));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

TEST_F(flows, unreadable)
{
	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
				 UDP_QUIC_ADD_TX_CONNECTION, (void *)16,
				 sizeof(self->info)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
				 UDP_QUIC_DEL_TX_CONNECTION, (void *)16,
				 sizeof(self->info)));
	EXPECT_EQ(EFAULT, errno);
}

/* Nothing but the key is checked for what is not in use. */
static void expect_invalid(struct __test_metadata *_metadata, int tx,
			   const struct quic_connection_info *info,
			   const char *what)
{
	ASSERT_EQ(-1, quic_flow_add(tx, info)) {
		TH_LOG("added: %s", what);
	}
	ASSERT_EQ(EINVAL, errno) {
		TH_LOG("ADD: %s", what);
	}
	ASSERT_EQ(-1, quic_flow_del(tx, info));
	ASSERT_EQ(EINVAL, errno) {
		TH_LOG("DEL: %s", what);
	}
}

TEST_F(flows, malformed)
{
	struct quic_connection_info any =
		flow_info(&self->packet, NULL, 2, 0);
	struct quic_connection_info info;
	int tx = self->env.tx;
	unsigned int i;

	ASSERT_EQ(0, quic_flow_add(tx, &self->info));
#define INVALID(base, change) do { \
	info = (base); \
	info.key.change; \
	expect_invalid(_metadata, tx, &info, #change); \
} while (0)
	INVALID(self->info, conn_id_length = 21);
	INVALID(self->info, conn_id_length = 255);
	for (i = 0; i < 12; i++)
		INVALID(self->info, conn_id[i] = 1);
	INVALID(self->info, conn_id_length = 7);
	INVALID(self->info, __reserved1 = 1);
	INVALID(self->info, __reserved2 = 1);
	INVALID(self->info, family = AF_UNIX);
	INVALID(self->info, family = 0xffff);
	INVALID(self->info, family = AF_UNSPEC);
	INVALID(self->info, udp_port = 0);
	INVALID(self->info, scope_id = 1);
	INVALID(any, udp_port = htons(1));
	INVALID(any, scope_id = 1);
	INVALID(any, addr.ipv4_addr.s_addr = htonl(INADDR_LOOPBACK));
	INVALID(any, addr.ipv6_addr.s6_addr[15] = 1);
	INVALID(any, family = AF_INET);
	INVALID(any, family = AF_INET6);
#undef INVALID
	if (variant->family == AF_INET) {
		info = self->info;
		info.key.addr.ipv6_addr.s6_addr[4] = 1;
		expect_invalid(_metadata, tx, &info, "address longer than IPv4");
	}
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
}

TEST_F(flows, unknown_cipher)
{
	static const uint16_t types[] = { 0, TLS_CIPHER_SM4_GCM, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		self->info.cipher_type = types[i];
		EXPECT_EQ(-1, quic_flow_add(self->env.tx, &self->info));
		EXPECT_EQ(EOPNOTSUPP, errno);
	}
}

TEST_F(flows, counters)
{
	struct quic_connection_info any =
		flow_info(&self->packet, NULL, 2, 0);

	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &any));
	EXPECT_EQ(2, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSw"));

	/* An update is no flow. */
	self->info = flow_info(&self->packet, &self->env.to, 1, 1);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	EXPECT_EQ(2, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSw"));

	ASSERT_EQ(0, quic_flow_del(self->env.tx, &self->info));
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* What matches */

TEST_F(flows, exact_beats_any)
{
	struct quic_connection_info any =
		flow_info(&self->packet, NULL, 2, 0);
	struct quic_env *env = &self->env;
	struct quic_addr other;
	int rx = quic_env_receiver(env, &other);

	ASSERT_LE(0, rx);
	ASSERT_EQ(0, quic_flow_add(env->tx, &any));
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 2, 0);
	expect_keys(_metadata, env->tx, rx, &other, &self->packet, 2, 0);

	ASSERT_EQ(0, quic_flow_add(env->tx, &self->info));
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 1, 0);
	expect_keys(_metadata, env->tx, rx, &other, &self->packet, 2, 0);

	/* Each is deleted by its own name, and there no more. */
	ASSERT_EQ(0, quic_flow_del(env->tx, &self->info));
	EXPECT_EQ(-1, quic_flow_del(env->tx, &self->info));
	EXPECT_EQ(ENOENT, errno);
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 2, 0);

	ASSERT_EQ(0, quic_flow_add(env->tx, &self->info));
	ASSERT_EQ(0, quic_flow_del(env->tx, &any));
	EXPECT_EQ(-1, quic_flow_del(env->tx, &any));
	EXPECT_EQ(ENOENT, errno);
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 1, 0);
	expect_refused(_metadata, env->tx, &other, &self->packet, ENOENT);
	close(rx);
}

TEST_F(flows, dcid_selects)
{
	struct quic_connection_info second, shorter;
	struct quic_packet packet = self->packet;
	struct quic_env *env = &self->env;

	ASSERT_EQ(0, quic_flow_add(env->tx, &self->info));
	quic_dcid_init(&packet.dcid, 8, 1);
	expect_refused(_metadata, env->tx, &env->to, &packet, ENOENT);

	second = flow_info(&packet, &env->to, 2, 0);
	ASSERT_EQ(0, quic_flow_add(env->tx, &second));
	expect_keys(_metadata, env->tx, env->rx, &env->to, &packet, 2, 0);
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 1, 0);

	/* A DCID is not that of another length which ends or starts alike. */
	packet.dcid.len = 7;
	expect_refused(_metadata, env->tx, &env->to, &packet, ENOENT);
	shorter = flow_info(&packet, &env->to, 3, 0);
	ASSERT_EQ(0, quic_flow_add(env->tx, &shorter));
	expect_keys(_metadata, env->tx, env->rx, &env->to, &packet, 3, 0);
	ASSERT_EQ(0, quic_flow_del(env->tx, &second));
	expect_keys(_metadata, env->tx, env->rx, &env->to, &packet, 3, 0);
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 1, 0);
}

TEST_F(flows, other_port_or_address)
{
	struct quic_addr other = self->env.to;
	struct sockaddr_in6 *sin6 = (void *)&other.ss;
	struct sockaddr_in *sin = (void *)&other.ss;

	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	sin->sin_port ^= htons(1);
	expect_refused(_metadata, self->env.tx, &other, &self->packet, ENOENT);

	other = self->env.to;
	if (variant->family == AF_INET)
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	else
		sin6->sin6_addr.s6_addr[15] ^= 2;
	expect_refused(_metadata, self->env.tx, &other, &self->packet, ENOENT);
}

/* msg_name counts, not the peer that it overrides. */
TEST_F(flows, destination_of_connected_socket)
{
	struct quic_env *env = &self->env;
	struct quic_addr other;
	int rx = quic_env_receiver(env, &other);

	ASSERT_LE(0, rx);
	ASSERT_EQ(0, quic_flow_add(env->tx, &self->info));
	ASSERT_EQ(0, connect(env->tx, (void *)&other.ss, other.len));
	expect_refused(_metadata, env->tx, NULL, &self->packet, ENOENT);
	expect_keys(_metadata, env->tx, env->rx, &env->to, &self->packet, 1, 0);

	ASSERT_EQ(0, connect(env->tx, (void *)&env->to.ss, env->to.len));
	expect_keys(_metadata, env->tx, env->rx, NULL, &self->packet, 1, 0);
	close(rx);
}

/* An IPv4 address and its mapped form are one destination. */
TEST_F(flows, ipv4_mapped)
{
	struct quic_addr ipv4 = {}, mapped = {};
	struct sockaddr_in6 *sin6 = (void *)&mapped.ss;
	struct sockaddr_in *sin = (void *)&ipv4.ss;
	struct quic_connection_info as_ipv4, as_mapped;
	struct quic_env *env = &self->env;

	ipv4.len = sizeof(*sin);
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	mapped.len = sizeof(*sin6);
	sin6->sin6_family = AF_INET6;
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6->sin6_addr);
	/* The port is at the same place in both. */
	sin->sin_port = ((struct sockaddr_in *)&env->to.ss)->sin_port;
	sin6->sin6_port = sin->sin_port;

	as_ipv4 = flow_info(&self->packet, &ipv4, 1, 0);
	as_mapped = flow_info(&self->packet, &mapped, 1, 0);
	ASSERT_EQ(0, quic_flow_add(env->tx, &as_ipv4));
	EXPECT_EQ(-1, quic_flow_add(env->tx, &as_mapped));
	EXPECT_EQ(EEXIST, errno);
	/* The IPv6 variant has another receiver. */
	if (variant->family != AF_INET6)
		expect_keys(_metadata, env->tx, env->rx, &env->to,
			    &self->packet, 1, 0);
	if (variant->family == QUIC_MAPPED)
		expect_keys(_metadata, env->tx, env->rx, &ipv4,
			    &self->packet, 1, 0);

	ASSERT_EQ(0, quic_flow_del(env->tx, &as_mapped));
	EXPECT_EQ(-1, quic_flow_del(env->tx, &as_ipv4));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(0, quic_flow_add(env->tx, &as_mapped));
	if (variant->family != AF_INET6)
		expect_keys(_metadata, env->tx, env->rx, &env->to,
			    &self->packet, 1, 0);
}

/* Sockets do not share flows. */
TEST_F(flows, of_another_socket)
{
	int other = quic_env_socket(&self->env);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, setsockopt(other, SOL_UDP, UDP_ULP, "quic-crypto", 12));
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	expect_refused(_metadata, other, &self->env.to, &self->packet, ENOENT);
	EXPECT_EQ(-1, quic_flow_del(other, &self->info));
	EXPECT_EQ(ENOENT, errno);
	close(other);
}

TEST_F(flows, many)
{
	struct quic_packet packet = self->packet;
	struct quic_env *env = &self->env;
	struct quic_connection_info info;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		quic_dcid_init(&packet.dcid, 4, i);
		info = flow_info(&packet, i & 1 ? &env->to : NULL, i, 0);
		ASSERT_EQ(0, quic_flow_add(env->tx, &info));
	}
	EXPECT_EQ(256, quic_stat("QuicCurrTxSw"));
	for (i = 0; i < 256; i++) {
		quic_dcid_init(&packet.dcid, 4, i);
		expect_keys(_metadata, env->tx, env->rx, &env->to, &packet, i, 0);
	}
	for (i = 0; i < 256; i++) {
		quic_dcid_init(&packet.dcid, 4, i);
		info = flow_info(&packet, i & 1 ? &env->to : NULL, i, 0);
		ASSERT_EQ(0, quic_flow_del(env->tx, &info));
	}
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

/* Key generations */

static int add_generation(FIXTURE_DATA(flows) *self, uint8_t generation)
{
	self->info = flow_info(&self->packet, &self->env.to, 1, generation);
	return quic_flow_add(self->env.tx, &self->info);
}

static void expect_generation(struct __test_metadata *_metadata,
			      FIXTURE_DATA(flows) *self, uint8_t generation)
{
	expect_keys(_metadata, self->env.tx, self->env.rx, &self->env.to,
		    &self->packet, 1, generation);
}

TEST_F(flows, update)
{
	unsigned int generation;

	ASSERT_EQ(0, add_generation(self, 0));
	self->packet.flags |= QUIC_KEY_PHASE;
	expect_refused(_metadata, self->env.tx, &self->env.to, &self->packet,
		       ENOKEY);

	for (generation = 1; generation < 5; generation++) {
		ASSERT_EQ(0, add_generation(self, generation));
		expect_generation(_metadata, self, generation - 1);
		expect_generation(_metadata, self, generation);
		expect_generation(_metadata, self, generation - 1);

		/* There are two, */
		EXPECT_EQ(-1, add_generation(self, generation));
		EXPECT_EQ(EEXIST, errno);
		EXPECT_EQ(-1, add_generation(self, generation - 1));
		EXPECT_EQ(EEXIST, errno);
		/* one may follow, no other. */
		EXPECT_EQ(-1, add_generation(self, generation + 2));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, add_generation(self, generation + 3));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, add_generation(self, generation - 2));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, add_generation(self, generation + 128));
		EXPECT_EQ(EINVAL, errno);
		expect_generation(_metadata, self, generation);
	}
}

TEST_F(flows, first_generation_is_any)
{
	ASSERT_EQ(0, add_generation(self, 255));
	self->packet.flags = 0;
	expect_refused(_metadata, self->env.tx, &self->env.to, &self->packet,
		       ENOKEY);
	expect_generation(_metadata, self, 255);
	ASSERT_EQ(0, add_generation(self, 0));
	expect_generation(_metadata, self, 0);
	expect_generation(_metadata, self, 255);
	ASSERT_EQ(0, add_generation(self, 1));
	expect_generation(_metadata, self, 0);
	expect_generation(_metadata, self, 1);

	ASSERT_EQ(0, quic_flow_del(self->env.tx, &self->info));
	ASSERT_EQ(0, add_generation(self, 2));
	expect_generation(_metadata, self, 2);
}

/* RFC 9001 section 6: header protection key and cipher stay. */
TEST_F(flows, update_of_what_stays)
{
	struct quic_connection_info next, wrong;

	ASSERT_EQ(0, add_generation(self, 0));
	next = flow_info(&self->packet, &self->env.to, 1, 1);

	wrong = next;
	wrong.cipher_type = TLS_CIPHER_AES_CCM_128;
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &wrong));
	EXPECT_EQ(EINVAL, errno);

	wrong = next;
	wrong.header_key[15] ^= 1;
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &wrong));
	EXPECT_EQ(EINVAL, errno);

	/* Beyond the key's length nobody looks. */
	next.header_key[16] ^= 1;
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &next));
	expect_generation(_metadata, self, 1);
	expect_generation(_metadata, self, 0);
}

/* Each generation has packet numbers of its own. */
TEST_F(flows, packet_numbers_of_generations)
{
	ASSERT_EQ(0, add_generation(self, 0));
	ASSERT_EQ(0, add_generation(self, 1));
	self->packet.pn = 1000;
	expect_generation(_metadata, self, 1);
	self->packet.pn = 10;
	expect_generation(_metadata, self, 0);
	self->packet.pn = 1000;
	self->packet.flags = QUIC_KEY_PHASE;
	expect_refused(_metadata, self->env.tx, &self->env.to, &self->packet,
		       ERANGE);
	expect_generation(_metadata, self, 0);
}

TEST_HARNESS_MAIN
