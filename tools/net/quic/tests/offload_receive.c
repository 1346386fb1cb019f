// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic, receiving: which packets the kernel opens for
 * it, with which flows and keys.  Nothing of what is tested has sealed them.
 */

#include "quic_offload_rx_test.h"

/* Flows */

TEST_F(receive, first_packet)
{
	EXPECT_FLOWS(0);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_FLOWS(1);
	EXPECT_STATS(0, 1, 0, 0);
	EXPECT_OPENED(5);
	EXPECT_STATUS(DECRYPTED);
	EXPECT_STATS(6, 1, 0, 0);
	EXPECT_EQ(6, quic_stat("QuicRxSwPackets"));
	EXPECT_FLOWS(1);
	EXPECT_EQ(1, system_.asked);
	EXPECT_EQ(0, self->notices);
}

/* Whoever gets ACKs one by one has no flow, until a train has come; then
 * datagrams that are alone are opened, too.
 */
TEST_F(receive, alone)
{
	unsigned int i;

	quic_offload_conn_set_shortest(self->conn, 3);
	for (i = 0; i < 4; i++)
		EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_FLOWS(0);
	EXPECT_EQ(0, system_.asked);

	for (i = 2; i < 4; i++) {
		begin(self);
		add(self);
		instead(self, QUIC_RX_NOT_OFFLOADED);
		add(self);
		instead(self, QUIC_RX_NOT_OFFLOADED);
		if (i == 3) {
			add(self);
			instead(self, QUIC_RX_NOT_OFFLOADED);
		}
		EXPECT_TAKEN();
		EXPECT_FLOWS(i == 3 && variant->gro);
	}
	if (!variant->gro)
		return;
	EXPECT_STATUS(DECRYPTED);
	EXPECT_OPENED(2);
	EXPECT_STATS(3, 9, 0, 0);
}

/* As many datagrams as a message can have, and just the room for them */
TEST_F(receive, many)
{
	EXPECT_STATUS(NOT_OFFLOADED);
	self->packet.len = 100;
	EXPECT_OPENED(QUIC_MAX_SEGMENTS);
	EXPECT_STATS(QUIC_MAX_SEGMENTS, 1, 0, 0);
}

TEST_F(receive, mixed)
{
	uint8_t raw[WIRE_LEN] = { QUIC_LONG_HEADER | QUIC_FIXED_BIT };

	EXPECT_STATUS(NOT_OFFLOADED);
	begin(self);
	add(self);
	add(self);
	damage(self);
	USE_DCID(1);
	add(self);
	instead(self, QUIC_RX_NOT_OFFLOADED);
	self->truth[2].good = false;
	USE_DCID(0);
	add_raw(self, raw, sizeof(raw));
	add(self);
	self->packet.len = 60;
	add(self);
	EXPECT_TAKEN();
	EXPECT_STATS(3, 1, 3, 0);
	EXPECT_EQ(1, quic_stat("QuicRxSwBadTag"));
	EXPECT_FLOWS(1);
}

TEST_F(receive, last_is_shorter)
{
	static const unsigned int lens[] = { LEN - 1, 100, 32 };
	unsigned int i;

	EXPECT_STATUS(NOT_OFFLOADED);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		begin(self);
		self->packet.len = LEN;
		add(self);
		add(self);
		self->packet.len = lens[i];
		add(self);
		EXPECT_TAKEN();
	}
	EXPECT_STATS(9, 1, 0, 0);
}

/* Four connection IDs are kept, the ones that were added or told last. */
TEST_F(receive, connection_ids)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		USE_DCID(i);
		EXPECT_STATUS(NOT_OFFLOADED);
		EXPECT_FLOWS(i < 4 ? i + 1 : 4);
	}
	for (i = 2; i < 6; i++) {
		USE_DCID(i);
		EXPECT_OPENED(2);
	}
	EXPECT_STATS(8, 6, 0, 0);
	USE_DCID(1);
	EXPECT_STATUS(NOT_OFFLOADED);
	USE_DCID(2);
	EXPECT_STATUS(NOT_OFFLOADED);
	USE_DCID(4);
	EXPECT_OPENED(2);
	EXPECT_FLOWS(4);
}

/* The one of which the library has opened a packet stays. */
TEST_F(receive, connection_id_in_use)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		USE_DCID(i);
		EXPECT_STATUS(NOT_OFFLOADED);
	}
	USE_DCID(0);
	self->room = 0;
	EXPECT_STATUS(NOT_OFFLOADED);
	self->room = QUIC_OFFLOAD_RX_CONTROL;
	USE_DCID(4);
	EXPECT_STATUS(NOT_OFFLOADED);
	USE_DCID(0);
	EXPECT_STATUS(DECRYPTED);
	USE_DCID(1);
	EXPECT_STATUS(NOT_OFFLOADED);
}

TEST_F(receive, lengths_of_connection_ids)
{
	static const uint8_t lens[] = { 1, 4, 20, 8 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		quic_dcid_init(&self->packet.dcid, lens[i], 10 * i);
		EXPECT_STATUS(NOT_OFFLOADED);
		EXPECT_OPENED(2);
	}
	EXPECT_FLOWS(4);
}

/* There are no such in version 1. */
TEST_F(receive, too_long_a_connection_id)
{
	struct quic_offload_datagram datagram = {};
	uint8_t data[300] = { QUIC_FIXED_BIT };
	struct quic_offload_packet packet = { .data = data, .dcid_len = 21 };

	quic_offload_opened(self->sock, self->conn, 0, &datagram, &packet);
	packet.dcid_len = 255;
	quic_offload_opened(self->sock, self->conn, 0, &datagram, &packet);
	EXPECT_EQ(0, system_.asked);
	EXPECT_STATS(0, 2, 0, 0);
}

TEST_F(receive, retired)
{
	const uint8_t *id = self->packet.dcid.id;

	EXPECT_STATUS(NOT_OFFLOADED);
	USE_DCID(1);
	EXPECT_STATUS(NOT_OFFLOADED);
	/* Not this one */
	quic_offload_conn_retire_rx(self->conn, id, DCID_LEN - 1);
	quic_offload_conn_retire_rx(self->conn, id, 0);
	quic_offload_conn_retire_rx(self->conn, id, 200);
	EXPECT_FLOWS(2);
	quic_offload_conn_retire_rx(self->conn, id, DCID_LEN);
	EXPECT_FLOWS(1);
	USE_DCID(0);
	EXPECT_STATUS(DECRYPTED);
	USE_DCID(1);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(DECRYPTED);
}

/* From wherever its packets come */
TEST_F(receive, another_address)
{
	int first = self->env.tx, other = first;
	struct quic_addr from;

	if (!variant->connected)
		other = quic_rx_env_peer(&self->env, &from);
	ASSERT_LE(0, other);
	EXPECT_STATUS(NOT_OFFLOADED);
	self->env.tx = other;
	EXPECT_STATUS(DECRYPTED);
	EXPECT_FLOWS(1);
	if (other != first)
		close(first);
}

TEST_F(receive, no_connection_id)
{
	struct quic_addr from;
	int first = self->env.tx;

	self->packet.dcid.len = 0;
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(3);
	EXPECT_FLOWS(1);
	if (variant->connected)
		return;

	/* A flow is one address's. */
	self->env.tx = quic_rx_env_peer(&self->env, &from);
	ASSERT_LE(0, self->env.tx);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_FLOWS(2);
	EXPECT_OPENED(3);
	close(self->env.tx);

	/* Whose it is nobody knows. */
	self->nameless = true;
	self->env.tx = quic_rx_env_peer(&self->env, &from);
	ASSERT_LE(0, self->env.tx);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_FLOWS(2);
	close(self->env.tx);
	self->env.tx = first;
	EXPECT_OPENED(1);
	EXPECT_STATS(7, 4, 0, 0);
	quic_offload_conn_retire_rx(self->conn, NULL, 0);
	EXPECT_FLOWS(0);
}

/* One connection ID on two sockets */
TEST_F(receive, two_sockets)
{
	struct quic_offload_socket *sock = self->sock;
	struct quic_addr to = self->env.to;
	int rx = self->env.rx;

	EXPECT_STATUS(NOT_OFFLOADED);
	self->env.rx = quic_rx_env_receiver(&self->env, &self->env.to);
	ASSERT_LE(0, self->env.rx);
	self->nameless = false;
	self->sock = quic_offload_socket_new(self->env.rx, notice, self);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(DECRYPTED);
	EXPECT_FLOWS(2);
	quic_offload_socket_free(self->sock);
	close(self->env.rx);
	EXPECT_FLOWS(1);
	self->env.rx = rx;
	self->env.to = to;
	self->sock = sock;
	self->nameless = variant->connected;
	EXPECT_STATUS(DECRYPTED);
}

/* Its flows go with it; another one that has got its number is left alone. */
TEST_F(receive, socket_freed)
{
	struct quic_keys keys = keys_of(variant->cipher, 0);
	struct quic_connection_info info;
	int fd;

	EXPECT_STATUS(NOT_OFFLOADED);
	quic_offload_socket_free(self->sock);
	self->sock = NULL;
	EXPECT_FLOWS(1);
	fd = dup(self->env.rx);
	close(self->env.rx);
	self->env.rx = quic_rx_env_receiver(&self->env, &self->env.to);
	quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &info, 0));
	EXPECT_FLOWS(2);
	/* Nor does it get keys. */
	EXPECT_EQ(0, set_keys(self, variant->cipher, 1));
	quic_offload_conn_retire_rx(self->conn, self->packet.dcid.id, DCID_LEN);
	quic_offload_conn_free(self->conn);
	self->conn = NULL;
	EXPECT_FLOWS(2);
	close(fd);
	EXPECT_FLOWS(1);
	ASSERT_EQ(0, quic_rx_flow_del(self->env.rx, &info));
}

/* Each has its numbers, and a nonce that its ID is part of. */
TEST_F(receive, path)
{
	seal_with(self, variant->cipher, 0, 0x01020304);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(3);
	seal_with(self, variant->cipher, 0, 5);
	USE_DCID(1);
	self->packet.pn = 0;
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(3);
	EXPECT_FLOWS(2);
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	seal_with(self, variant->cipher, 1, 5);
	EXPECT_OPENED(3);
	EXPECT_STATS(9, 2, 0, 0);
}

/* Keys */

TEST_F(receive, keys_ahead)
{
	EXPECT_STATUS(NOT_OFFLOADED);
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	EXPECT_OPENED(2);
	seal_with(self, variant->cipher, 1, 0);
	EXPECT_OPENED(2);
	seal_with(self, variant->cipher, 0, 0);
	EXPECT_OPENED(1);
	EXPECT_STATS(5, 1, 0, 0);
	EXPECT_EQ(2, system_.asked);
}

/* Both before there is a flow */
TEST_F(receive, two_keys_at_once)
{
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	ASSERT_EQ(0, set_keys(self, variant->cipher, 2));
	EXPECT_EQ(0, system_.asked);
	seal_with(self, variant->cipher, 1, 0);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(1);
	seal_with(self, variant->cipher, 2, 0);
	EXPECT_OPENED(2);
	EXPECT_EQ(2, system_.asked);
}

TEST_F(receive, keys_late)
{
	EXPECT_STATUS(NOT_OFFLOADED);
	seal_with(self, variant->cipher, 1, 0);
	EXPECT_STATUS(NO_KEY);
	EXPECT_OPENED(2);
	seal_with(self, variant->cipher, 0, 0);
	EXPECT_OPENED(1);
	EXPECT_STATS(3, 2, 0, 0);
	EXPECT_EQ(1, quic_stat("QuicRxSwNoKey"));
	EXPECT_FLOWS(1);
}

TEST_F(receive, keys_out_of_order)
{
	EXPECT_EQ(-EINVAL, set_keys(self, variant->cipher, 0));
	EXPECT_EQ(-EINVAL, set_keys(self, variant->cipher, 2));
	EXPECT_EQ(-EINVAL, set_keys(self, variant->cipher, 255));
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_EQ(-EINVAL, set_keys(self, variant->cipher, 2));
	EXPECT_EQ(1, system_.asked);
	EXPECT_OPENED(1);
	EXPECT_EQ(0, set_keys(self, variant->cipher, 1));
	seal_with(self, variant->cipher, 1, 0);
	EXPECT_OPENED(1);
}

/* More often than the 8 bits of a generation can count */
TEST_F(receive, keys_wrap)
{
	unsigned int i;

	EXPECT_STATUS(NOT_OFFLOADED);
	for (i = 1; i < 260; i++) {
		ASSERT_EQ(0, set_keys(self, variant->cipher, i));
		seal_with(self, variant->cipher, i, 0);
		EXPECT_STATUS(DECRYPTED);
	}
	EXPECT_STATS(259, 1, 0, 0);
	USE_DCID(1);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(DECRYPTED);
}

TEST_F(receive, no_keys)
{
	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(NULL, NULL);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_EQ(0, system_.asked);
	EXPECT_STATS(0, 2, 0, 0);
}

/* Numbers */

/* What the library opens itself it tells, now and then: packets with one byte of
 * their number are understood.
 */
TEST_F(receive, behind)
{
	unsigned int i;

	self->packet.pn_len = 1;
	EXPECT_STATUS(NOT_OFFLOADED);
	self->room = 0;
	for (i = 1; i <= 200; i++) {
		EXPECT_STATUS(NOT_OFFLOADED);
		/* Each time 64 behind what was told last */
		EXPECT_EQ(1 + i / 65, system_.asked);
	}
	self->room = QUIC_OFFLOAD_RX_CONTROL;
	EXPECT_OPENED(1);
	EXPECT_STATS(1, 201, 0, 0);
	EXPECT_FLOWS(1);
}

/* Far from what it knows, the kernel takes a packet for another one. */
TEST_F(receive, misunderstood)
{
	self->packet.pn_len = 1;
	EXPECT_STATUS(NOT_OFFLOADED);
	self->packet.pn += 1000;
	EXPECT_STATUS(BAD_TAG);
	EXPECT_OPENED(2);

	/* By no more than would make it tell, otherwise */
	self->packet.pn += 1000;
	EXPECT_STATUS(BAD_TAG);
	EXPECT_OPENED(2);
	EXPECT_STATS(4, 3, 0, 0);
	EXPECT_EQ(3, system_.asked);

	/* One that comes late raises no number. */
	self->packet.pn -= 200;
	EXPECT_STATUS(BAD_TAG);
	self->packet.pn += 199;
	EXPECT_OPENED(1);
}

TEST_HARNESS_MAIN
