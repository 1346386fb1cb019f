// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic where the kernel could, and trains are too short
 * to be worth it.
 */

#include "quic_offload_test.h"

#define EXPECT_SPARED(packets)						\
	EXPECT_EQ(packets, quic_offload_conn_stats(self->conn)->spared)

static bool spares(FIXTURE_DATA(offload) *self)
{
	return quic_offload_spares(self->sock, self->conn, &self->to,
				   LEN + QUIC_TAG_SIZE);
}

/* Whoever sends nothing but ACKs needs no flow. */
TEST_F(offload, alone)
{
	unsigned int i;

	quic_offload_conn_set_shortest(self->conn, QUIC_OFFLOAD_SHORTEST);
	for (i = 0; i < 5; i++) {
		put(self, 1);
		EXPECT_SENT();
	}
	EXPECT_STATS(0, 5, 5);
	EXPECT_SPARED(5);
	EXPECT_EQ(0, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, self->notices);

	/* The first packet of a flow is the proof, and leaves alone. */
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(2, 6, 7);
	put(self, 1);
	EXPECT_SENT();
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(4, 7, 9);
	EXPECT_SPARED(6);
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
	EXPECT_EQ(4, quic_stat("QuicTxSwPackets"));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

TEST_F(offload, shortest)
{
	unsigned int i;

	quic_offload_conn_set_shortest(self->conn, 5);
	put(self, 4);
	EXPECT_SENT();
	EXPECT_STATS(0, 4, 1);
	put(self, 6);
	EXPECT_SENT();
	EXPECT_STATS(5, 5, 3);
	for (i = 0; i < 10; i++) {
		put(self, i);
		if (i)
			EXPECT_SENT();
	}
	EXPECT_STATS(5 + 5 + 6 + 7 + 8 + 9, 5 + 1 + 2 + 3 + 4, 3 + 9);
	EXPECT_SPARED(4 + 1 + 2 + 3 + 4);
	EXPECT_EQ(40, quic_stat("QuicTxSwPackets"));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* No train is as long as that, nor is one longer than UDP takes. */
TEST_F(offload, longest)
{
	quic_offload_conn_set_shortest(self->conn, 1000);
	self->packet.len = 100;
	put(self, 200);
	EXPECT_SENT();
	EXPECT_STATS(0, 200, 4);
	EXPECT_SPARED(200);
	EXPECT_EQ(0, quic_stat("QuicTxSw"));
}

/* Numbers are used once, whoever protects the packets. */
TEST_F(offload, numbers)
{
	quic_offload_conn_set_shortest(self->conn, 2);
	put(self, 3);
	put(self, 1);
	EXPECT_SENT();

	self->packet.pn--;
	put(self, 1);
	EXPECT_ERROR(ERANGE);
	give_up(self, 1);
	self->packet.pn--;
	put(self, 2);
	EXPECT_ERROR(ERANGE);
	give_up(self, 2);
	EXPECT_STATS(3, 1, 2);

	put(self, 1);
	EXPECT_SENT();
	self->packet.pn--;
	put(self, 2);
	EXPECT_ERROR(ERANGE);
	give_up(self, 2);
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(5, 2, 4);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* The kernel gets a new generation when a train needs it, also if there was one
 * between of which it protected nothing.
 */
TEST_F(offload, generations)
{
	unsigned int generation;

	quic_offload_conn_set_shortest(self->conn, 2);
	for (generation = 1; generation < 6; generation++) {
		ASSERT_EQ(0, set_keys(self, quic_ciphers[variant->cipher].type,
				      generation));
		put(self, generation == 3 || generation == 4 ? 1 : 4);
		EXPECT_SENT();
	}
	EXPECT_SPARED(2);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, spares)
{
	EXPECT_FALSE(spares(self));
	quic_offload_socket_set_gso(self->sock, false);
	EXPECT_FALSE(spares(self));
	quic_offload_conn_set_shortest(self->conn, 2);
	EXPECT_TRUE(spares(self));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 3, 3);
	EXPECT_SPARED(3);

	quic_offload_socket_set_gso(self->sock, true);
	EXPECT_FALSE(spares(self));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(2, 4, 5);
}

/* Whoever always has few packets will have few. */
TEST_F(offload, spares_few)
{
	unsigned int i;

	quic_offload_conn_set_shortest(self->conn, 5);
	put(self, 6);
	EXPECT_SENT();
	for (i = 0; i < 8; i++) {
		EXPECT_FALSE(spares(self));
		put(self, 4);
		EXPECT_SENT();
	}
	EXPECT_TRUE(spares(self));
	put(self, 4);
	EXPECT_SENT();
	EXPECT_TRUE(spares(self));
	EXPECT_STATS(5, 1 + 9 * 4, 2 + 9);

	/* Until it has more once */
	put_ready(self, 5);
	EXPECT_SENT();
	EXPECT_FALSE(spares(self));
	put(self, 6);
	EXPECT_SENT();
	EXPECT_STATS(5 + 6, 1 + 9 * 4, 2 + 9 + 1 + 1);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));

	/* Where all are left to the kernel nobody asks. */
	for (i = 0; i < 20; i++) {
		put(self, 1);
		EXPECT_SENT();
	}
	EXPECT_TRUE(spares(self));
	quic_offload_conn_set_shortest(self->conn, 1);
	EXPECT_FALSE(spares(self));
}

/* What was learnt of a route counts as well: a packet too long for GSO on it. */
TEST_F(offload, spares_route)
{
	quic_offload_conn_set_shortest(self->conn, 2);
	put(self, 3);
	EXPECT_SENT();
	EXPECT_FALSE(spares(self));

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	self->packet.len = 1600;
	put(self, 3);
	EXPECT_SENT();
	EXPECT_TRUE(quic_offload_spares(self->sock, self->conn, &self->to,
					1600 + QUIC_TAG_SIZE));
	EXPECT_FALSE(spares(self));
}

TEST_HARNESS_MAIN
