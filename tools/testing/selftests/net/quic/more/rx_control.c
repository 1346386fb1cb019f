// SPDX-License-Identifier: GPL-2.0
/*
 * The control buffer of a reader: of every length, and next to what else was
 * asked for.  Either there is an entry for each datagram, or the message is as
 * on the wire, with MSG_CTRUNC.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_pair.h"

#define ALL		sizeof(self->pair.ours.buf)
#define ENTRIES(n)	CMSG_LEN((n) * sizeof(struct quic_rx_ancillary_data))

FIXTURE(control) {
	struct quic_rx_pair pair;
	struct quic_sealed wire;	/* the same message, nothing opened */
};

FIXTURE_VARIANT(control) {
	int family;
};

FIXTURE_VARIANT_ADD(control, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(control, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(control, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(control)
{
	ASSERT_EQ(0, quic_rx_pair_open(&self->pair, variant->family));
}

FIXTURE_TEARDOWN(control)
{
	quic_rx_pair_close(&self->pair);
}

static void seal(FIXTURE_DATA(control) *self, unsigned int count)
{
	quic_rx_pair_seal(&self->pair, count, 0);
	self->wire = self->pair.sealed;
	quic_sealed_as_wire(&self->wire);
}

/* A message of no flow: short headers, and one long header among them */
static void seal_stranger(FIXTURE_DATA(control) *self, unsigned int count)
{
	uint8_t raw[100] = { QUIC_FIXED_BIT, 1, 2, 3 };
	unsigned int i;

	quic_sealed_start(&self->wire);
	for (i = 0; i < count; i++) {
		raw[0] = i == 2 ? QUIC_LONG_HEADER : QUIC_FIXED_BIT;
		quic_sealed_raw(&self->wire, raw, sizeof(raw), i != 2);
	}
}

/* Sends it and has both receivers read it, with @room for control messages. */
static void expect(struct __test_metadata *_metadata,
		   FIXTURE_DATA(control) *self, const struct quic_sealed *want,
		   size_t room, int extra)
{
	ASSERT_EQ(0, quic_rx_pair_send(&self->pair, want));
	quic_expect_pair(_metadata, &self->pair, want, ALL, room, 0, extra);
}

/* One read with each length.  Entries are there as soon as all of them fit;
 * what UDP has to say makes do with the rest.
 */
static void sweep(struct __test_metadata *_metadata,
		  FIXTURE_DATA(control) *self, size_t rest)
{
	struct quic_sealed *opened = &self->pair.sealed;
	size_t room, enough = ENTRIES(opened->count);
	struct quic_rx_counters counters = quic_rx_counters();

	for (room = 0; room < enough; room++)
		expect(_metadata, self, &self->wire, room, MSG_CTRUNC);
	quic_expect_rx_counters(_metadata, &counters);
	for (; room <= enough + rest; room++) {
		expect(_metadata, self, opened, room, 0);
		quic_rx_counters_add(&counters, opened);
	}
	quic_expect_rx_counters(_metadata, &counters);
}

TEST_F_TIMEOUT(control, every_length, 120)
{
	static const unsigned int counts[] = { 1, 2, 44, QUIC_MAX_SEGMENTS };
	unsigned int i;

	self->pair.packet.len = 33;
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		/* Thousands of reads, in which the family makes no difference */
		if (counts[i] > 2 && variant->family != AF_INET)
			break;
		seal(self, counts[i]);
		sweep(_metadata, self, CMSG_SPACE(sizeof(int)) + 1);
	}
}

/* Without UDP_GRO nothing is left to say, and the boundary shows in the flags. */
TEST_F(control, single_datagram)
{
	int off = 0;

	ASSERT_EQ(0, quic_rx_pair_setsockopt(&self->pair, SOL_UDP, UDP_GRO, &off,
					     sizeof(off)));
	seal(self, 1);
	sweep(_metadata, self, 1);
	expect(_metadata, self, &self->pair.sealed, ENTRIES(1), 0);
	EXPECT_EQ(0, self->pair.ours.flags);
	EXPECT_EQ(ENTRIES(1), self->pair.ours.control_len);
	expect(_metadata, self, &self->wire, ENTRIES(1) - 1, MSG_CTRUNC);
}

/* No flow, and nothing that there could be no room for */
TEST_F(control, no_flow)
{
	static const unsigned int counts[] = { 1, 44 };
	struct quic_rx_counters counters;
	unsigned int i;
	size_t room;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		seal_stranger(self, counts[i]);
		counters = quic_rx_counters();
		for (room = 0; room < ENTRIES(counts[i]) + 40; room++) {
			expect(_metadata, self, &self->wire, room, 0);
			quic_rx_counters_add(&counters, &self->wire);
		}
		quic_expect_rx_counters(_metadata, &counters);
	}
}

/* What was not opened does not move the packet number: with the 128 packets after
 * it read, one is out of the window that a number of one byte has.
 */
TEST_F(control, nothing_moves)
{
	static const size_t rooms[] = { 0, CMSG_LEN(0), ENTRIES(128) - 1 };
	struct quic_packet *packet = &self->pair.packet;
	uint64_t first = packet->pn;
	unsigned int i;

	packet->pn_len = 1;
	for (i = 0; i < ARRAY_SIZE(rooms); i++, first++) {
		packet->pn = first + 1;
		seal(self, 128);
		expect(_metadata, self, &self->wire, rooms[i], MSG_CTRUNC);
		packet->pn = first;
		seal(self, 1);
		expect(_metadata, self, &self->pair.sealed, ENTRIES(1), 0);
	}
	/* It would be. */
	packet->pn = first + 1;
	seal(self, 128);
	expect(_metadata, self, &self->pair.sealed, ENTRIES(128), 0);
	packet->pn = first;
	seal(self, 1);
	quic_sealed_expect(&self->pair.sealed, 0, QUIC_RX_BAD_TAG);
	expect(_metadata, self, &self->pair.sealed, ENTRIES(1), 0);
}

/* A single packet of a flow, wherever it is in the message, needs entries for
 * all of its datagrams.
 */
TEST_F(control, one_of_many)
{
	static const unsigned int places[] = { 0, 1, 60, 127 };
	struct quic_sealed *sealed = &self->pair.sealed;
	uint8_t raw[100 + QUIC_TAG_SIZE] = {};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		quic_sealed_start(sealed);
		for (j = 0; j < QUIC_MAX_SEGMENTS; j++) {
			raw[0] = j % 3 ? QUIC_LONG_HEADER : QUIC_FIXED_BIT;
			if (j != places[i])
				quic_sealed_raw(sealed, raw, sizeof(raw),
						!(j % 3));
			else
				quic_sealed_add(sealed, self->pair.oracle,
						QUIC_RX_PAIR_GENERATION,
						&self->pair.packet);
		}
		self->pair.packet.pn++;
		self->wire = *sealed;
		quic_sealed_as_wire(&self->wire);
		expect(_metadata, self, &self->wire, ENTRIES(128) - 1, MSG_CTRUNC);
		expect(_metadata, self, sealed, ENTRIES(128), 0);
	}
}

/* A reader with room for fewer datagrams needs fewer entries. */
TEST_F(control, shorter_reads)
{
	struct quic_sealed *sealed = &self->pair.sealed;
	unsigned int i, n;
	size_t len;

	seal(self, 44);
	for (i = 1; i < 44; i += 3) {
		for (len = sealed->at[i]; len <= sealed->at[i] + 1; len++) {
			static struct quic_sealed want;

			want = self->wire;
			quic_sealed_cut(&want, len);
			n = want.count;
			ASSERT_EQ(0, quic_rx_pair_send(&self->pair, sealed));
			quic_expect_pair(_metadata, &self->pair, &want, len,
					 ENTRIES(n) - 1, 0, MSG_CTRUNC);
			want = *sealed;
			quic_sealed_cut(&want, len);
			ASSERT_EQ(0, quic_rx_pair_send(&self->pair, sealed));
			quic_expect_pair(_metadata, &self->pair, &want, len,
					 ENTRIES(n), 0, 0);
		}
	}
}

/* Nothing is missing of a packet that the reader does not get, or of which it gets
 * too little to tell the flow.  What is delivered in front of it counts.
 */
TEST_F(control, not_delivered)
{
	static const size_t lens[] = { 0, 1, 8, 9 };
	struct quic_sealed *sealed = &self->pair.sealed, *want = &self->wire;
	uint8_t raw[100 + QUIC_TAG_SIZE] = { QUIC_FIXED_BIT };
	struct quic_rx_counters counters;
	unsigned int i, before;
	size_t len;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (before = 0; before < 3; before++) {
			quic_sealed_start(sealed);
			while (sealed->count < before)
				quic_sealed_raw(sealed, raw, sizeof(raw), true);
			quic_sealed_add(sealed, self->pair.oracle,
					QUIC_RX_PAIR_GENERATION,
					&self->pair.packet);
			len = before * sizeof(raw) + lens[i];
			*want = *sealed;
			quic_sealed_cut(want, len);
			counters = quic_rx_counters();
			ASSERT_EQ(0, quic_rx_pair_send(&self->pair, sealed));
			if (want->matched) {
				quic_sealed_as_wire(want);
				quic_expect_pair(_metadata, &self->pair, want,
						 len, CMSG_SPACE(sizeof(int)),
						 0, MSG_CTRUNC);
			} else {
				quic_expect_pair(_metadata, &self->pair, want,
						 len, CMSG_SPACE(sizeof(int)),
						 0, 0);
			}
			quic_rx_counters_add(&counters, want);
			quic_expect_rx_counters(_metadata, &counters);
		}
	}
}

/* Next to other messages */

static void ask_for_all(struct __test_metadata *_metadata,
			FIXTURE_DATA(control) *self, int family)
{
	static const struct {
		int level, name, value, ipv6;
	} options[] = {
		{ SOL_SOCKET, SO_RXQ_OVFL, 1 },
		{ SOL_SOCKET, SO_TIMESTAMPNS, 1 },
		{ SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE |
						SOF_TIMESTAMPING_SOFTWARE },
		{ IPPROTO_IP, IP_PKTINFO, 1 },
		{ IPPROTO_IP, IP_RECVTOS, 1 },
		{ IPPROTO_IP, IP_RECVTTL, 1 },
		{ IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, 1 },
		{ IPPROTO_IPV6, IPV6_RECVTCLASS, 1, 1 },
		{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, 1 },
	};
	struct quic_rx_pair *pair = &self->pair;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		if (options[i].ipv6 && family == AF_INET)
			continue;
		ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, options[i].level,
						     options[i].name,
						     &options[i].value,
						     sizeof(int)));
	}
	/* SO_RXQ_OVFL tells of drops, if there are any: this is one. */
	seal(self, 1);
	ASSERT_EQ(0, quic_rx_pair_send(pair, &self->wire));
	ASSERT_EQ(-1, recv(pair->env.rx, (void *)8, 100, 0));
	ASSERT_EQ(-1, recv(pair->plain, (void *)8, 100, 0));
}

static unsigned int count_messages(struct quic_received *received)
{
	struct msghdr mh = {
		.msg_control = received->control,
		.msg_controllen = received->control_len,
	};
	struct cmsghdr *cmsg;
	unsigned int count = 0;

	for (cmsg = CMSG_FIRSTHDR(&mh); cmsg; cmsg = CMSG_NXTHDR(&mh, cmsg))
		count++;
	return count;
}

TEST_F_TIMEOUT(control, other_messages, 120)
{
	static const unsigned int counts[] = { 1, 7 };
	struct quic_rx_pair *pair = &self->pair;
	unsigned int i, gro, others;
	int on;

	ask_for_all(_metadata, self, variant->family);
	/* Three of the socket, three of IP or IPv6; or both tell the address. */
	others = variant->family == QUIC_MAPPED ? 7 : 6;
	for (gro = 0; gro < 2; gro++) {
		on = gro;
		ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, SOL_UDP, UDP_GRO, &on,
						     sizeof(on)));
		for (i = 0; i <= gro; i++) {
			seal(self, counts[i]);
			sweep(_metadata, self, 400);
			expect(_metadata, self, &pair->sealed, QUIC_RX_PAIR_ROOM,
			       0);
			EXPECT_EQ(0, pair->ours.flags);
			EXPECT_EQ(1 + others + (i > 0),
				  count_messages(&pair->ours));
			seal_stranger(self, counts[i]);
			expect(_metadata, self, &self->wire, QUIC_RX_PAIR_ROOM, 0);
			EXPECT_EQ(others + (i > 0), count_messages(&pair->ours));
		}
	}
}

TEST_HARNESS_MAIN
