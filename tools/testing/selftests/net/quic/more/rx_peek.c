// SPDX-License-Identifier: GPL-2.0
/*
 * MSG_PEEK: what is seen is what the next read gives, and nothing has changed
 * by it.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_pair.h"

#define ALL	sizeof(self->pair.ours.buf)

FIXTURE(peek) {
	struct quic_rx_pair pair;
	struct quic_sealed want;	/* if not what was sealed */
};

FIXTURE_VARIANT(peek) {
	int family;
};

FIXTURE_VARIANT_ADD(peek, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(peek, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(peek, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(peek)
{
	ASSERT_EQ(0, quic_rx_pair_open(&self->pair, variant->family));
}

FIXTURE_TEARDOWN(peek)
{
	quic_rx_pair_close(&self->pair);
}

static void add(FIXTURE_DATA(peek) *self)
{
	quic_sealed_add(&self->pair.sealed, self->pair.oracle,
			QUIC_RX_PAIR_GENERATION, &self->pair.packet);
	self->pair.packet.pn++;
}

static void stranger(struct quic_sealed *sealed, uint8_t first, size_t len)
{
	uint8_t raw[1500] = { first, 1, 2, 3 };

	quic_sealed_raw(sealed, raw, len, first == QUIC_FIXED_BIT);
}

/* What was peeked at, twice, is what is read after that.  Nothing is counted
 * before.
 */
static void expect_peeked(struct __test_metadata *_metadata,
			  FIXTURE_DATA(peek) *self)
{
	struct quic_rx_counters counters = quic_rx_counters();
	struct quic_sealed *sealed = &self->pair.sealed;

	ASSERT_EQ(0, quic_rx_pair_send(&self->pair, sealed));
	quic_expect_pair_all(_metadata, &self->pair, sealed, MSG_PEEK);
	quic_expect_pair_all(_metadata, &self->pair, sealed, MSG_PEEK | MSG_TRUNC);
	quic_expect_rx_counters(_metadata, &counters);
	quic_expect_pair_all(_metadata, &self->pair, sealed, 0);
	quic_rx_counters_add(&counters, sealed);
	quic_expect_rx_counters(_metadata, &counters);
}

TEST_F(peek, messages)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_sealed *sealed = &pair->sealed;
	unsigned int i;

	quic_rx_pair_seal(pair, 1, 0);
	expect_peeked(_metadata, self);

	/* Each packet can only be told from the one before. */
	pair->packet.pn_len = 1;
	quic_sealed_start(sealed);
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++) {
		add(self);
		pair->packet.pn += 119;
	}
	expect_peeked(_metadata, self);

	/* Not all of them can be opened. */
	quic_sealed_start(sealed);
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++) {
		if (i % 7 == 3)
			stranger(sealed, i % 2 ? QUIC_FIXED_BIT :
				 QUIC_LONG_HEADER, 116);
		else
			add(self);
		if (i % 7 == 5)
			quic_sealed_flip(sealed, i, 8 * 60);
	}
	expect_peeked(_metadata, self);

	quic_sealed_start(sealed);
	stranger(sealed, QUIC_FIXED_BIT, 100);
	expect_peeked(_metadata, self);
}

/* Two flows that take turns, each with numbers of its own */
TEST_F(peek, flows_in_turn)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_packet packets[2], *packet;
	unsigned int i;

	packets[0] = pair->packet;
	packets[0].pn_len = 1;
	packets[1] = packets[0];
	packets[1].pn += 1000000;
	quic_dcid_init(&packets[1].dcid, QUIC_RX_PAIR_DCID_LEN, 1);
	memcpy(pair->info.key.conn_id + QUIC_MAX_CONNECTION_ID_SIZE -
	       QUIC_RX_PAIR_DCID_LEN, packets[1].dcid.id,
	       QUIC_RX_PAIR_DCID_LEN);
	ASSERT_EQ(0, quic_rx_flow_add(pair->env.rx, &pair->info,
				      packets[1].pn));
	quic_sealed_start(&pair->sealed);
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++) {
		packet = &packets[i & 1];
		quic_sealed_add(&pair->sealed, pair->oracle,
				QUIC_RX_PAIR_GENERATION, packet);
		packet->pn += 120;
	}
	expect_peeked(_metadata, self);
}

/* A peek does not move the number for what comes after it. */
TEST_F(peek, moves_nothing)
{
	struct quic_rx_pair *pair = &self->pair;
	uint64_t first = pair->packet.pn;

	pair->packet.pn_len = 1;
	pair->packet.pn = first + 1;
	quic_rx_pair_seal(pair, 128, 0);
	ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	quic_expect_pair_all(_metadata, pair, &pair->sealed, MSG_PEEK);
	self->want = pair->sealed;
	quic_sealed_as_wire(&self->want);
	quic_expect_pair(_metadata, pair, &self->want, ALL, 0, MSG_PEEK,
			 MSG_CTRUNC);
	quic_expect_pair(_metadata, pair, &self->want, ALL, 0, 0, MSG_CTRUNC);

	/* With all of these read the first is out of the window. */
	pair->packet.pn = first;
	quic_rx_pair_seal(pair, 1, 0);
	expect_peeked(_metadata, self);
}

/* At offset 0 a message is opened.  At another one it is as on the wire, and
 * nothing is missing that could be told, whatever the room.
 */
TEST_F(peek, offset)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_sealed *want = &self->want, *sealed = &pair->sealed;
	struct quic_rx_counters counters = quic_rx_counters();
	size_t offsets[] = { 1, 116, 117, 232, 289, 399 };
	static struct quic_sealed next;
	int off = 0, unset = -1;
	unsigned int i;

	quic_rx_pair_seal(pair, 1, 0);
	next = *sealed;
	quic_rx_pair_seal(pair, 4, 36);
	ASSERT_EQ(0, quic_rx_pair_send(pair, sealed));
	ASSERT_EQ(0, quic_rx_pair_send(pair, &next));

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		off = 0;
		ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, SOL_SOCKET,
						     SO_PEEK_OFF, &off,
						     sizeof(off)));
		/* What is in front of it */
		*want = *sealed;
		quic_sealed_cut(want, offsets[i]);
		quic_expect_pair(_metadata, pair, want, offsets[i],
				 QUIC_RX_PAIR_ROOM, MSG_PEEK, 0);
		EXPECT_EQ(MSG_TRUNC, pair->ours.flags);
		/* The rest, without room, and then with it */
		off = offsets[i];
		quic_sealed_start(want);
		quic_sealed_raw(want, sealed->wire + off, sealed->len - off,
				false);
		quic_expect_pair(_metadata, pair, want, ALL, 0, MSG_PEEK, 0);
		ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, SOL_SOCKET,
						     SO_PEEK_OFF, &off,
						     sizeof(off)));
		quic_expect_pair_all(_metadata, pair, want, MSG_PEEK);
		/* Behind the message is the next one, from its beginning. */
		quic_expect_pair_all(_metadata, pair, &next, MSG_PEEK);
		quic_expect_pair_all(_metadata, pair, &next,
				     MSG_PEEK | MSG_DONTWAIT);
		EXPECT_EQ(-EAGAIN, pair->ours.ret);
	}
	quic_expect_rx_counters(_metadata, &counters);

	/* A read is from the beginning, and takes from the offset what it reads. */
	off = sealed->len;
	ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, SOL_SOCKET, SO_PEEK_OFF, &off,
					     sizeof(off)));
	quic_expect_pair_all(_metadata, pair, sealed, 0);
	quic_expect_pair_all(_metadata, pair, &next, MSG_PEEK);
	ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, SOL_SOCKET, SO_PEEK_OFF,
					     &unset, sizeof(unset)));
	quic_expect_pair_all(_metadata, pair, &next, MSG_PEEK);
	quic_expect_pair_all(_metadata, pair, &next, 0);
	quic_rx_counters_add(&counters, sealed);
	quic_rx_counters_add(&counters, &next);
	quic_expect_rx_counters(_metadata, &counters);
}

TEST_HARNESS_MAIN
