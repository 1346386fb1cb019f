// SPDX-License-Identifier: GPL-2.0
/*
 * Why a message was not sent, as /proc/net/quic_stat has it: one cause for each
 * error, and the causes add up.  What it says of bytes and of key updates.
 */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_expect.h"
#include "quic_rx_expect.h"

#define MAX_PACKETS	"/sys/module/quic/parameters/max_packets_per_key"
#define NO_LIMIT	"18446744073709551615"
#define DCID_LEN	8

static const char *const causes[] = {
	"QuicTxSwErrorNoFlow", "QuicTxSwErrorNoKey", "QuicTxSwErrorPktNum",
	"QuicTxSwErrorKeyLimit", "QuicTxSwErrorMalformed",
	"QuicTxSwErrorMemory", "QuicTxSwErrorOther",
};

FIXTURE(causes) {
	struct quic_env env;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_oracle *phase[2];
};

FIXTURE_VARIANT(causes) {
	int family;
};

FIXTURE_VARIANT_ADD(causes, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(causes, ipv6) { AF_INET6 };

FIXTURE_SETUP(causes)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 5000,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	self->phase[0] = quic_flow_begin(self->env.tx, &self->packet.dcid, NULL,
					 1, 0);
	ASSERT_NE(NULL, self->phase[0]);
	quic_train_build(&self->train, self->packet, 5, 0);
	quic_env_wire(&self->env);
}

FIXTURE_TEARDOWN(causes)
{
	quic_env_write_file(MAX_PACKETS, NO_LIMIT);
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

static struct quic_msg message(const FIXTURE_DATA(causes) *self)
{
	return quic_msg(self->env.tx, &self->env.to, &self->train);
}

/* The message fails, and of all causes @cause alone counts it. */
static void expect_cause(struct __test_metadata *_metadata,
			 FIXTURE_DATA(causes) *self, const struct quic_msg *msg,
			 int err, const char *cause)
{
	long before[ARRAY_SIZE(causes)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(causes); i++)
		before[i] = quic_stat(causes[i]);
	quic_expect_error(_metadata, &self->env, msg, err, 1);
	for (i = 0; i < ARRAY_SIZE(causes); i++) {
		ASSERT_LE(0, before[i]);
		ASSERT_EQ(before[i] + !strcmp(causes[i], cause),
			  quic_stat(causes[i])) {
			TH_LOG("%s, with %s", causes[i], strerror(err));
		}
	}
}

#define EXPECT_CAUSE(err, cause) \
	expect_cause(_metadata, self, &msg, err, "QuicTxSwError" cause)
#define EXPECT_SENT() \
	quic_expect_sent(_metadata, &self->env, self->phase, &self->train, &msg)

/* All of them are there from the start. */
TEST_F(causes, zero)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(causes); i++)
		EXPECT_EQ(0, quic_stat(causes[i]));
	EXPECT_EQ(0, quic_stat("QuicTxSwBytes"));
	EXPECT_EQ(0, quic_stat("QuicTxSwKeyUpdates"));
	EXPECT_EQ(0, quic_stat("QuicRxSwBytes"));
	EXPECT_EQ(0, quic_stat("QuicRxSwKeyUpdates"));
}

TEST_F(causes, no_flow)
{
	struct quic_msg msg = message(self);
	unsigned int i;

	for (i = 0; i < 5; i++)
		self->train.buf[self->train.at[i] + 1] ^= 1;
	EXPECT_CAUSE(ENOENT, "NoFlow");
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP,
				UDP_QUIC_DEL_TX_CONNECTION, NULL, 0));
	quic_train_build(&self->train, self->packet, 5, 0);
	EXPECT_CAUSE(ENOENT, "NoFlow");
}

TEST_F(causes, no_key)
{
	struct quic_msg msg = message(self);

	self->train.buf[self->train.at[4]] |= QUIC_KEY_PHASE;
	EXPECT_CAUSE(ENOKEY, "NoKey");
}

TEST_F(causes, packet_number)
{
	struct quic_msg msg = message(self);

	EXPECT_SENT();
	EXPECT_CAUSE(ERANGE, "PktNum");
	self->packet.pn = QUIC_PN_LIMIT;
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = message(self);
	EXPECT_CAUSE(ERANGE, "PktNum");
}

TEST_F(causes, key_limit)
{
	struct quic_msg msg = message(self);

	ASSERT_EQ(0, quic_env_write_file(MAX_PACKETS, "4"));
	EXPECT_CAUSE(EKEYEXPIRED, "KeyLimit");
	ASSERT_EQ(0, quic_env_write_file(MAX_PACKETS, NO_LIMIT));
	EXPECT_SENT();
}

TEST_F(causes, malformed)
{
	struct quic_msg msg = message(self);

	msg.anc_len = 8;
	EXPECT_CAUSE(EINVAL, "Malformed");
	msg = message(self);
	msg.anc.flags = 2;
	EXPECT_CAUSE(EINVAL, "Malformed");
	msg = message(self);
	msg.gso = QUIC_TAG_SIZE;
	EXPECT_CAUSE(EINVAL, "Malformed");
	/* The last packet, when UDP has got the others */
	msg = message(self);
	self->train.buf[self->train.at[4]] |= QUIC_LONG_HEADER;
	EXPECT_CAUSE(EINVAL, "Malformed");
	self->packet.len = 33;
	quic_train_build(&self->train, self->packet, QUIC_MAX_SEGMENTS + 1, 0);
	msg = message(self);
	EXPECT_CAUSE(EMSGSIZE, "Malformed");
}

/* The queue of the device drops it; IP tells that whoever wants errors. */
TEST_F(causes, memory)
{
	bool v6 = variant->family == AF_INET6;
	struct quic_msg msg = message(self);
	int one = 1;

	ASSERT_EQ(0, setsockopt(self->env.tx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_RECVERR : IP_RECVERR, &one,
				sizeof(one)));
	ASSERT_EQ(0, system("tc qdisc add dev lo root bfifo limit 1"));
	EXPECT_CAUSE(ENOBUFS, "Memory");
}

/* What UDP says is not the message's fault, whatever the error. */
TEST_F(causes, other)
{
	bool v6 = variant->family == AF_INET6;
	struct quic_msg msg = message(self);
	int how = IP_PMTUDISC_DO;

	msg.flags = MSG_MORE;
	EXPECT_CAUSE(EOPNOTSUPP, "Other");
	msg = message(self);
	msg.buf = NULL;
	EXPECT_CAUSE(EFAULT, "Other");

	ASSERT_EQ(0, system("ip link set lo mtu 1280"));
	ASSERT_EQ(0, setsockopt(self->env.tx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &how,
				sizeof(how)));
	self->packet.len = 1400;
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = message(self);
	EXPECT_CAUSE(EMSGSIZE, "Other");
	/* UDP GSO wants a checksum. */
	how = 1;
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_NO_CHECK, &how,
				sizeof(how)));
	self->packet.len = 300;
	quic_train_build(&self->train, self->packet, 5, 0);
	msg = message(self);
	if (!v6)
		EXPECT_CAUSE(EINVAL, "Other");
}

/* EAGAIN is no error, here either. */
TEST_F(causes, again)
{
	struct quic_msg msg = message(self);

	ASSERT_EQ(0, quic_env_fill(&self->env));
	msg.flags = MSG_DONTWAIT;
	EXPECT_EQ(-1, quic_send(&msg));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, quic_stat_sum("QuicTxSwError"));
}

/* Those of datagrams, with tags */
TEST_F(causes, bytes)
{
	struct quic_msg msg = message(self);
	long bytes = 0;
	int count;

	for (count = 1; count < 20; count++) {
		quic_train_build(&self->train, self->packet, count, 40);
		msg = message(self);
		EXPECT_SENT();
		self->packet.pn += count;
		bytes += self->train.len + count * QUIC_TAG_SIZE;
		EXPECT_EQ(bytes, quic_stat("QuicTxSwBytes"));
	}
	EXPECT_CAUSE(ERANGE, "PktNum");
	EXPECT_EQ(bytes, quic_stat("QuicTxSwBytes"));
}

/* Neither the first generation, nor one that is refused, nor one that is there */
TEST_F(causes, key_updates)
{
	struct quic_connection_info info;
	unsigned int generation;
	struct quic_keys keys;

	for (generation = 0; generation < 4; generation++) {
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1,
				 generation);
		quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
		info.conn_payload_key_gen = generation;
		if (generation)
			ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
		ASSERT_EQ(-1, quic_flow_add(self->env.tx, &info));
		EXPECT_EQ(EEXIST, errno);
		EXPECT_EQ(generation, quic_stat("QuicTxSwKeyUpdates"));

		ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &info, 0));
		ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &info, 7));
		EXPECT_EQ(generation, quic_stat("QuicRxSwKeyUpdates"));
		info.conn_payload_key_gen += 2;
		ASSERT_EQ(-1, quic_rx_flow_add(self->env.rx, &info, 0));
		EXPECT_EQ(EINVAL, errno);
	}
	EXPECT_EQ(3, quic_stat("QuicTxSwKeyUpdates"));
	EXPECT_EQ(3, quic_stat("QuicRxSwKeyUpdates"));
}

TEST_HARNESS_MAIN
