/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The program of preload_receive.c and preload_receive_calls.c: a connection of
 * ngtcp2, and a peer whose packets libcrypto seals.
 */
#ifndef QUIC_PRELOAD_RX_TEST_H
#define QUIC_PRELOAD_RX_TEST_H

#include <errno.h>
#include <sys/mman.h>

#include "fake_ngtcp2.h"
#include "quic_preload_run.h"
#include "quic_rx_env.h"

#define DCID_LEN	FAKE_DCID_LEN
#define LEN		184
#define WIRE_LEN	(LEN + QUIC_TAG_SIZE)
#define FIRST		0x123450	/* more of a number than packets carry */
#define GENERATIONS	8
#define FLOW		2		/* the peer's keys, and */
#define OWN_FLOW	1		/* ours */
#define PLAIN_LEN	(LEN - (1 + DCID_LEN + 2))

FIXTURE(receive) {
	struct quic_rx_env env;
	ngtcp2_conn *ngtcp2;
	struct quic_oracle *oracle[GENERATIONS];
	unsigned int generation;
	struct quic_packet packet;	/* the next one */
	struct quic_sealed sealed;	/* what was sent */
	uint8_t buf[1 << 16];
	uint8_t copy[1 << 16];
	int log;			/* what the library says */
};

FIXTURE_VARIANT(receive) {
	int family;
	int no_flows;	/* why the kernel does not take any, or 0 */
};

FIXTURE_VARIANT_ADD(receive, ipv4) { AF_INET, 0 };
FIXTURE_VARIANT_ADD(receive, ipv6) { AF_INET6, 0 };
FIXTURE_VARIANT_ADD(receive, user) { AF_INET, ENOMEM };

/* Whether a packet comes opened when the kernel has the flow */
#define KERNEL		(!variant->no_flows)

/* The program, its connection and its peer; -1 if that is not to be had */
static int open_all(FIXTURE_DATA(receive) *self, int family)
{
	struct quic_keys keys;
	int i;

	if (quic_rx_env_open(&self->env, family))
		return -1;
	self->ngtcp2 = fake_ngtcp2_new(OWN_FLOW);
	fake_ngtcp2_receives(self->ngtcp2, FLOW);
	self->ngtcp2->rx.next = FIRST;
	for (i = 0; i < GENERATIONS; i++) {
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], FLOW,
				 i);
		self->oracle[i] = quic_oracle_new(&keys);
	}
	self->packet = (struct quic_packet) {
		.pn = FIRST,
		.pn_len = 2,
		.len = LEN,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	return 0;
}

FIXTURE_SETUP(receive)
{
	self->log = memfd_create("log", MFD_CLOEXEC);
	ASSERT_LE(0, self->log);
	ASSERT_EQ(2, dup2(self->log, 2));
	ASSERT_EQ(0, open_all(self, variant->family));
	fake_fail_setsockopt(UDP_QUIC_ADD_RX_CONNECTION, variant->no_flows);
}

FIXTURE_TEARDOWN(receive)
{
	int i;

	ngtcp2_conn_del(self->ngtcp2);
	EXPECT_EQ(0, quic_stat("QuicCurrRxSw"));
	for (i = 0; i < GENERATIONS; i++)
		quic_oracle_free(self->oracle[i]);
	quic_rx_env_close(&self->env);
	close(self->log);
}

/* The peer sends so many packets, in one message or one by one. */
static void seal(FIXTURE_DATA(receive) *self, unsigned int count)
{
	struct quic_packet *next = &self->packet;

	next->flags = QUIC_FIXED_BIT |
		      (self->generation & 1 ? QUIC_KEY_PHASE : 0);
	quic_sealed_start(&self->sealed);
	for (; count; count--, next->pn++)
		quic_sealed_add(&self->sealed, self->oracle[self->generation],
				self->generation, next);
}

static bool send_train(FIXTURE_DATA(receive) *self, unsigned int count)
{
	seal(self, count);
	return quic_sealed_send(self->env.tx, &self->env.to, &self->sealed) ==
	       (ssize_t)self->sealed.len;
}

static inline bool send_singly(FIXTURE_DATA(receive) *self, unsigned int count)
{
	seal(self, count);
	return quic_sealed_send_singly(self->env.tx, &self->env.to,
				       &self->sealed) ==
	       (ssize_t)self->sealed.len;
}

/* Whether @datagram is the one that was sent as number @i: opened but for the
 * tag's bytes, or as on the wire
 */
static bool is_sent(const FIXTURE_DATA(receive) *self, const uint8_t *datagram,
		    unsigned int i, bool opened)
{
	const struct quic_sealed *sealed = &self->sealed;
	size_t len = sealed->at[i + 1] - sealed->at[i];

	if (opened)
		return !memcmp(datagram, sealed->want + sealed->at[i],
			       len - QUIC_TAG_SIZE);
	return !memcmp(datagram, sealed->wire + sealed->at[i], len);
}

/* Whether ngtcp2 gets the packet out of it; the program has moved it. */
static bool reads(FIXTURE_DATA(receive) *self, const uint8_t *datagram,
		  unsigned int i)
{
	const struct quic_sealed *sealed = &self->sealed;
	size_t at = sealed->at[i], len = sealed->at[i + 1] - at;
	const struct fake_rx *rx = &self->ngtcp2->rx;

	memcpy(self->copy + 1, datagram, len);
	fake_ngtcp2_read(self->ngtcp2, (void *)&self->env.from.ss,
			 self->env.from.len, self->copy + 1, len);
	return rx->len == len - QUIC_TAG_SIZE - sealed->header[i] &&
	       rx->number == sealed->entry[i].pkt_num &&
	       !memcmp(rx->payload, sealed->want + at + sealed->header[i],
		       rx->len);
}

/* ngtcp2 drops it. */
static inline bool drops(FIXTURE_DATA(receive) *self, const uint8_t *datagram,
			 size_t len)
{
	fake_ngtcp2_read(self->ngtcp2, (void *)&self->env.from.ss,
			 self->env.from.len, datagram, len);
	return !self->ngtcp2->rx.len;
}

/* The first packet comes sealed, and makes the flow. */
#define START() do {							\
	ASSERT_TRUE(send_train(self, 1));				\
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf,		\
				 sizeof(self->buf), 0));		\
	EXPECT_TRUE(is_sent(self, self->buf, 0, false));		\
	ASSERT_TRUE(reads(self, self->buf, 0));				\
	EXPECT_EQ(KERNEL, quic_stat("QuicCurrRxSw"));			\
} while (0)

/* One packet that was received into @buf */
#define EXPECT_PACKET(buf, i, opened) do {				\
	EXPECT_TRUE(is_sent(self, buf, i, opened));			\
	EXPECT_TRUE(reads(self, buf, i));				\
} while (0)

#define EXPECT_KERNEL(count)						\
	EXPECT_EQ(KERNEL ? (count) : 0, quic_stat("QuicRxSwPackets"))

#endif /* QUIC_PRELOAD_RX_TEST_H */
