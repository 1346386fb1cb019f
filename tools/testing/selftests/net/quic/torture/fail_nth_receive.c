// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving with every failure that it can meet: an ADD that fails has changed
 * nothing; a message is delivered opened, or as it came, or is lost as plain UDP
 * loses it, and the next one is as it should be.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_fail.h"
#include "quic_rx_expect.h"

#define DCID_LEN	8
#define GENERATION	4
#define MESSAGE		13	/* packets, more than are opened at once */

FIXTURE(receive) {
	struct quic_rx_env env;
	struct quic_fail fail;
	struct quic_oracle *oracle[2];
	struct quic_connection_info info[2];
	struct quic_packet packet;
	struct quic_sealed sealed;
	struct quic_sealed as_it_came;
	struct quic_received received;
};

FIXTURE_VARIANT(receive) {
	int family;
	unsigned int cipher;
};

FIXTURE_VARIANT_ADD(receive, ipv4_gcm_128) { AF_INET, QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(receive, ipv6_ccm_128) { AF_INET6, QUIC_AES_CCM_128 };
FIXTURE_VARIANT_ADD(receive, mapped_chacha20) {
	QUIC_MAPPED, QUIC_CHACHA20_POLY1305 };

FIXTURE_SETUP(receive)
{
	const char *reason = quic_fail_open(&self->fail);
	struct quic_keys keys;
	unsigned int i;

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 4,
		.len = 1200,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < 2; i++) {
		quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1,
				 GENERATION + i);
		quic_flow_info(&self->info[i], &keys, &self->packet.dcid, NULL);
		self->oracle[i] = quic_oracle_new(&keys);
	}
	/* The first use may load the cipher, which the next ones find. */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], 0));
}

FIXTURE_TEARDOWN(receive)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		quic_oracle_free(self->oracle[i]);
	quic_rx_env_close(&self->env);
	quic_fail_close(&self->fail);
}

/* A message of generation GENERATION + @ahead, and the same as it came */
static void seal(FIXTURE_DATA(receive) *self, unsigned int ahead,
		 unsigned int count)
{
	self->packet.flags = QUIC_FIXED_BIT | ahead * QUIC_KEY_PHASE;
	quic_sealed_build(&self->sealed, self->oracle[ahead],
			  GENERATION + ahead, self->packet, count, 0);
	self->packet.pn += count;
	self->as_it_came = self->sealed;
	quic_sealed_as_wire(&self->as_it_came);
}

static void send_it(struct __test_metadata *_metadata,
		    FIXTURE_DATA(receive) *self)
{
	ASSERT_EQ(self->sealed.len,
		  quic_sealed_send(self->env.tx, &self->env.to, &self->sealed));
}

static void drain(FIXTURE_DATA(receive) *self)
{
	uint8_t byte;

	while (recv(self->env.rx, &byte, 1, MSG_DONTWAIT) >= 0)
		;
}

/* One message for each failure; returns how many were delivered as they came. */
static unsigned int read_messages(struct __test_metadata *_metadata,
				  FIXTURE_DATA(receive) *self,
				  unsigned int count)
{
	struct quic_received *received = &self->received;
	unsigned int as_they_came = 0;

	quic_fail_first(&self->fail);
	do {
		seal(self, 0, count);
		send_it(_metadata, self);
		quic_fail_next(&self->fail);
		quic_received_get(received, self->env.rx, sizeof(received->buf),
				  sizeof(received->control), 0);
		quic_fail_end(&self->fail, received->ret);

		if (received->ret < 0) {
			/* It is lost, or has not been taken yet. */
			ASSERT_EQ(EFAULT, self->fail.err);
			drain(self);
			continue;
		}
		/* No room where failures strike */
		received->flags &= ~MSG_CTRUNC;
		if (!quic_received_differs(received, &self->sealed))
			continue;
		ASSERT_EQ(NULL, quic_received_differs(received,
						      &self->as_it_came)) {
			TH_LOG("failure %u", self->fail.site);
		}
		as_they_came++;
	} while (self->fail.hit);

	seal(self, 0, count);
	quic_expect_opened(_metadata, &self->env, &self->sealed);
	return as_they_came;
}

/* Without memory packets come as they are. */
TEST_F_TIMEOUT(receive, recvmsg, 300)
{
	unsigned int i, as_they_came = 0;

	for (i = 0; i < QUIC_FAIL_PASSES && !as_they_came; i++)
		as_they_came += read_messages(_metadata, self, 1);
	EXPECT_LT(0, as_they_came);
	read_messages(_metadata, self, MESSAGE);
}

/* A step of a flow's life that fails has changed nothing, and works again. */
static void walk(struct __test_metadata *_metadata, FIXTURE_DATA(receive) *self,
		 unsigned int ahead, unsigned int told)
{
	struct quic_rx_env env = self->env;
	unsigned int i;
	int ret;

	for (i = 0; i < QUIC_FAIL_PASSES && self->fail.told < told; i++) {
		quic_fail_first(&self->fail);
		do {
			/* A new flow, or one without the next generation */
			quic_rx_flow_del(env.rx, &self->info[0]);
			if (ahead)
				ASSERT_EQ(0, quic_rx_flow_add(env.rx,
							      &self->info[0], 0));
			quic_fail_next(&self->fail);
			ret = quic_rx_flow_add(env.rx, &self->info[ahead],
					       self->packet.pn);
			quic_fail_end(&self->fail, ret);
			if (ret) {
				ASSERT_TRUE(self->fail.err == ENOMEM ||
					    self->fail.err == ENOBUFS ||
					    self->fail.err == EFAULT);
				ASSERT_EQ(ahead, quic_stat("QuicCurrRxSw"));
				ASSERT_EQ(0, quic_rx_flow_add(env.rx,
							      &self->info[ahead],
							      self->packet.pn));
			}
			ASSERT_EQ(1, quic_stat("QuicCurrRxSw"));
			seal(self, ahead, 2);
			quic_expect_opened(_metadata, &env, &self->sealed);
		} while (self->fail.hit);
	}
	EXPECT_LE(told, self->fail.told);
}

/* The structure, the flow, the key; and the AEAD's */
TEST_F_TIMEOUT(receive, add, 300)
{
	walk(_metadata, self, 0,
	     variant->cipher == QUIC_CHACHA20_POLY1305 ? 3 : 4);
}

TEST_F_TIMEOUT(receive, add_generation, 300)
{
	walk(_metadata, self, 1,
	     variant->cipher == QUIC_CHACHA20_POLY1305 ? 1 : 2);
}

TEST_HARNESS_MAIN
