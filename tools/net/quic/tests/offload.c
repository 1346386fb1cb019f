// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic where the kernel can: batches become messages,
 * and the kernel is told what it needs for them.
 */

#include <linux/tls.h>

#include "quic_offload_test.h"

#define SLOTS		4	/* flows that a connection keeps */

/* What can be had is known before there are keys. */
TEST_F(offload, ciphers)
{
	unsigned int cipher;

	for (cipher = 0; cipher <= TLS_CIPHER_CHACHA20_POLY1305 + 10; cipher++) {
		EXPECT_EQ(cipher >= TLS_CIPHER_AES_GCM_128 &&
			  cipher <= TLS_CIPHER_CHACHA20_POLY1305,
			  quic_offload_socket_has_cipher(self->sock, cipher)) {
			TH_LOG("cipher %u", cipher);
		}
	}
}

/* Batches */

TEST_F(offload, one_message)
{
	EXPECT_EQ(0, send_batch(self));
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(19, 1, 2);
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(20, 1, 3);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, scattered)
{
	uint8_t *to = self->batch.buf + sizeof(self->batch.buf);
	unsigned int i;

	put(self, 20);
	for (i = 0; i < 20; i++) {
		struct quic_offload_packet *packet = &self->batch.packets[i];

		to -= LEN + (i & 1);
		packet->data = memcpy(to, packet->data, LEN);
	}
	EXPECT_SENT();
	EXPECT_STATS(19, 1, 2);
}

TEST_F(offload, gaps)
{
	self->packet.pn_len = 1;
	put(self, 2);
	self->packet.pn += 5;
	put(self, 2);
	self->packet.pn += 255;
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(5, 1, 2);

	/* One byte cannot say that these are not the next ones. */
	put(self, 2);
	self->packet.pn += 256;
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(9, 1, 4);
}

TEST_F(offload, lengths)
{
	static const size_t lengths[] = {
		1000, 1000, 999, 1000, 20, 21, 1000, 1000, 1001, 1000,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		self->packet.len = lengths[i];
		put(self, 1);
	}
	EXPECT_SENT();
	EXPECT_STATS(9, 1, 6);
}

/* As many packets, and as many bytes, as UDP takes */
TEST_F(offload, limits)
{
	self->packet.len = 100;
	put(self, 300);
	EXPECT_SENT();
	EXPECT_STATS(299, 1, 4);

	/* 65507 / 512 is 127. */
	self->packet.len = 512 - QUIC_TAG_SIZE;
	put(self, 128);
	EXPECT_SENT();
	EXPECT_STATS(427, 1, 6);

	quic_offload_socket_enable(self->sock, false);
	self->packet.len = 100;
	put(self, 70);
	EXPECT_SENT();
	self->packet.len = LEN;
	put(self, 60);
	EXPECT_SENT();
	EXPECT_STATS(427, 131, 10);
}

TEST_F(offload, connection_ids)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		quic_dcid_init(&self->packet.dcid, i == 2 ? 0 : 20, i);
		put(self, 3);
	}
	quic_dcid_init(&self->packet.dcid, 20, 0);
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(9, 3, 7);
	EXPECT_EQ(3, quic_stat("QuicTxSw"));
}

TEST_F(offload, ready)
{
	put_ready(self, 3);
	put(self, 3);
	put_ready(self, 1);
	put(self, 3);
	put_ready(self, 2);
	self->packet.len = 30;
	put_ready(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(5, 1, 6);
	EXPECT_EQ(7, quic_offload_conn_stats(self->conn)->ready);

	/* An empty datagram cannot be a part of a train. */
	put_ready(self, 3);
	self->batch.packets[1].len = 0;
	EXPECT_SENT();
	EXPECT_STATS(5, 1, 9);
}

/* What the application does with UDP_SEGMENT itself */
TEST_F(offload, socket_option)
{
	int gso = 100;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &gso,
				sizeof(gso)));
	put(self, 3);
	put_ready(self, 1);
	put(self, 1);
	EXPECT_SENT();
	quic_offload_socket_enable(self->sock, false);
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(3, 2, 5);
}

TEST_F(offload, control_messages)
{
	bool v6 = variant->family == AF_INET6;
	uint8_t control[QUIC_OFFLOAD_MAX_CONTROL + 1] = {}, seen[2000];
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space;
	struct iovec iov = { seen, sizeof(seen) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	int tos = 0x2, one = 1, i;

	ASSERT_EQ(0, setsockopt(self->rx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_RECVTCLASS : IP_RECVTOS, &one,
				sizeof(one)));
	self->to.msg_control = control;
	quic_cmsg_put(&self->to, v6 ? SOL_IPV6 : SOL_IP,
		      v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
	put(self, 3);
	put_ready(self, 3);
	EXPECT_EQ(6, send_batch(self));
	EXPECT_STATS(2, 1, 3);
	for (i = 0; i < 6; i++) {
		mh.msg_control = &space;
		mh.msg_controllen = sizeof(space);
		ASSERT_LT(0, recvmsg(self->rx, &mh, 0));
		EXPECT_EQ(tos, quic_cmsg_tos(&mh));
	}
	self->batch.seen = 6;

	/* A list that pretends to go on cannot hide what the library adds. */
	put(self, 3);
	((struct cmsghdr *)control)->cmsg_len = 100;
	EXPECT_ERROR(EINVAL);
	self->to.msg_controllen = sizeof(control);
	EXPECT_ERROR(EINVAL);
	self->to.msg_controllen = 0;
	EXPECT_SENT();
}

/* Flows */

TEST_F(offload, migration)
{
	struct quic_addr there;
	int rx = quic_env_receiver(&self->env, &there);

	ASSERT_LE(0, rx);
	put(self, 3);
	EXPECT_SENT();

	/* The address changes, */
	ASSERT_EQ(0, set_destination(self, variant->connected, &there, rx));
	put(self, 3);
	EXPECT_SENT();
	/* the connection ID as well, */
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(6, 3, 6);
	EXPECT_EQ(3, quic_stat("QuicCurrTxSw"));
	/* and back. */
	ASSERT_EQ(0, set_destination(self, variant->connected, &self->env.to,
				     self->env.rx));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(8, 4, 8);
	EXPECT_EQ(0, self->notices);
	close(rx);
}

TEST_F(offload, many_connection_ids)
{
	unsigned int i;
	long added;

	for (i = 0; i < 3 * SLOTS; i++) {
		quic_dcid_init(&self->packet.dcid, DCID_LEN, i);
		put(self, 2);
		EXPECT_SENT();
		EXPECT_GE(SLOTS, quic_stat("QuicCurrTxSw"));
	}
	EXPECT_EQ(SLOTS, quic_stat("QuicCurrTxSw"));

	/* Those that are used stay. */
	added = quic_stat("QuicTxSw");
	for (i = 0; i <= 2 * SLOTS; i++) {
		quic_dcid_init(&self->packet.dcid, DCID_LEN,
			       i & 1 ? 3 * SLOTS + i : 3 * SLOTS - 1);
		put(self, 2);
		EXPECT_SENT();
	}
	EXPECT_EQ(added + SLOTS, quic_stat("QuicTxSw"));
	EXPECT_STATS(6 * SLOTS + 2, 4 * SLOTS, 9 * SLOTS + 1);
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, retire)
{
	struct quic_dcid dcid[2];
	struct quic_addr there;
	int rx = quic_env_receiver(&self->env, &there);

	ASSERT_LE(0, rx);
	quic_dcid_init(&dcid[0], DCID_LEN, 0);
	quic_dcid_init(&dcid[1], DCID_LEN, 1);
	put(self, 2);
	self->packet.dcid = dcid[1];
	put(self, 2);
	EXPECT_SENT();
	EXPECT_EQ(2, quic_stat("QuicCurrTxSw"));
	if (!variant->connected) {
		ASSERT_EQ(0, set_destination(self, false, &there, rx));
		put(self, 2);
		EXPECT_SENT();
		EXPECT_EQ(3, quic_stat("QuicCurrTxSw"));
	}

	/* Not this one */
	quic_offload_conn_retire(self->conn, dcid[1].id, DCID_LEN - 1);
	quic_offload_conn_retire(self->conn, dcid[1].id, 0);
	quic_offload_conn_retire(self->conn, dcid[1].id, 200);
	EXPECT_EQ(variant->connected ? 2 : 3, quic_stat("QuicCurrTxSw"));
	quic_offload_conn_retire(self->conn, dcid[1].id, DCID_LEN);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	quic_offload_conn_free(self->conn);
	self->conn = NULL;
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	close(rx);
}

/* Its flows go with it; another one that has got its number is left alone. */
TEST_F(offload, socket_freed)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	int fd;

	put(self, 2);
	EXPECT_SENT();
	quic_offload_socket_free(self->sock);
	fd = dup(self->env.tx);
	ASSERT_EQ(0, close(self->env.tx));
	self->sock = NULL;
	self->env.tx = quic_env_socket(&self->env);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	quic_flow_info(&info, &keys, &self->packet.dcid, &self->dest);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	close(fd);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));

	quic_offload_conn_retire(self->conn, self->packet.dcid.id, DCID_LEN);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));

	/* The connection goes on with another socket. */
	ASSERT_EQ(0, quic_flow_del(self->env.tx, &info));
	ASSERT_EQ(0, set_destination(self, variant->connected, &self->dest,
				     self->rx));
	self->sock = quic_offload_socket_new(self->env.tx, notice, self);
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(2, 2, 4);
	EXPECT_EQ(0, self->notices);
}

/* Keys */

TEST_F(offload, phase_flips)
{
	uint16_t cipher = quic_ciphers[variant->cipher].type;
	unsigned int i;

	ASSERT_EQ(0, set_keys(self, cipher, 1));
	for (i = 0; i < 10; i++) {
		self->generation = i & 1;
		put(self, 1);
	}
	EXPECT_SENT();
	EXPECT_STATS(9, 1, 2);
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
}

TEST_F(offload, key_updates)
{
	uint16_t cipher = quic_ciphers[variant->cipher].type;
	unsigned int generation;

	for (generation = 1; generation < 5; generation++) {
		put(self, 2);
		ASSERT_EQ(0, set_keys(self, cipher, generation));
		put(self, 2);
		EXPECT_SENT();
		EXPECT_STATS(4 * generation - 1, 1, generation + 1);
	}
	/* The same flow all the time */
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, self->notices);

	EXPECT_EQ(-EINVAL, set_keys(self, cipher, 4));
	EXPECT_EQ(-EINVAL, set_keys(self, cipher, 3));
	EXPECT_EQ(-EINVAL, set_keys(self, cipher, 6));
	self->generation = 4;
	put(self, 2);
	EXPECT_SENT();
}

/* A flow begins with the keys of its first packet; older ones come too late. */
TEST_F(offload, late_flow)
{
	uint16_t cipher = quic_ciphers[variant->cipher].type;

	ASSERT_EQ(0, set_keys(self, cipher, 1));
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(1, 1, 2);
	self->generation = 0;
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(1, 3, 3);
	self->generation = 1;
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(3, 3, 4);
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, self->notices);
}

/* Keys of the connection that this flow did not see cannot be added any more. */
TEST_F(offload, idle_flow)
{
	uint16_t cipher = quic_ciphers[variant->cipher].type;
	struct quic_dcid idle = self->packet.dcid;
	unsigned int generation;

	put(self, 2);
	EXPECT_SENT();
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	for (generation = 1; generation < 4; generation++) {
		ASSERT_EQ(0, set_keys(self, cipher, generation));
		put(self, 2);
		EXPECT_SENT();
	}
	self->packet.dcid = idle;
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(8, 2, 7);
	EXPECT_EQ(2, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(3, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, self->notices);
}

/* Generations are counted modulo 256: this flow's key is not the newest. */
TEST_F(offload, idle_for_256_updates)
{
	uint16_t cipher = quic_ciphers[variant->cipher].type;
	unsigned int generation, slot;

	put(self, 2);
	EXPECT_SENT();
	for (generation = 1; generation <= 256; generation++) {
		slot = generation % GENERATIONS;
		if (self->oracle[slot])
			quic_oracle_free(self->oracle[slot]);
		self->oracle[slot] = NULL;
		ASSERT_EQ(0, set_keys(self, cipher, generation));
	}
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(3, 1, 3);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, generations_wrap)
{
	uint16_t cipher = quic_ciphers[variant->cipher].type;
	uint8_t generation = 254;

	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(protect, self);
	quic_offload_conn_set_shortest(self->conn, 1);
	quic_oracle_free(self->oracle[0]);
	self->oracle[0] = NULL;
	ASSERT_EQ(0, set_keys(self, cipher, generation));
	do {
		put(self, 2);
		ASSERT_EQ(0, set_keys(self, cipher, ++generation));
		put(self, 2);
		EXPECT_SENT();
	} while (generation != 2);
	EXPECT_STATS(15, 1, 5);
	EXPECT_EQ(1, quic_stat("QuicTxSw"));
}

/* Multipath QUIC: the peer counts packets anew on each path. */

#define PATHS	3

static const uint32_t path_ids[PATHS] = { 0, 1, 0x80fe0301 };

/* draft-ietf-quic-multipath: the IV xor (path ID << 64 | number) */
static struct quic_oracle *path_oracle(int cipher, uint32_t path_id)
{
	uint32_t id = htonl(path_id), start;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[cipher], 1, 0);
	memcpy(&start, keys.iv, sizeof(start));
	start ^= id;
	memcpy(keys.iv, &start, sizeof(start));
	return quic_oracle_new(&keys);
}

/* As a program would do it: all that it knows is in the keys. */
static int protect_with_keys(void *arg, const struct quic_offload_keys *keys,
			     uint8_t *packet, size_t header_len, size_t len,
			     uint64_t number)
{
	size_t dcid_len = header_len - 1 - (1 + (packet[0] & 3));
	uint8_t plain[QUIC_MAX_UDP_PAYLOAD];
	struct quic_oracle *oracle;
	struct quic_keys all = {};
	const int *cipher = arg;

	all.cipher = &quic_ciphers[*cipher];
	memcpy(all.hp, keys->header_key, sizeof(all.hp));
	memcpy(all.key, keys->payload_key, sizeof(all.key));
	memcpy(all.iv, keys->payload_iv, sizeof(all.iv));
	oracle = quic_oracle_new(&all);
	memcpy(plain, packet, len);
	quic_oracle_protect(oracle, number, dcid_len, plain, len, packet);
	quic_oracle_free(oracle);
	return 0;
}

TEST_F(offload, multipath)
{
	struct quic_oracle *oracles[PATHS];
	int cipher = variant->cipher;
	unsigned int path, round, i;

	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(protect_with_keys, &cipher);
	quic_offload_conn_set_shortest(self->conn, 1);
	ASSERT_EQ(0, set_keys(self, quic_ciphers[cipher].type, 0));
	for (path = 0; path < PATHS; path++)
		oracles[path] = path_oracle(cipher, path_ids[path]);

	for (round = 0; round < 2; round++) {
		for (path = 0; path < PATHS; path++) {
			quic_dcid_init(&self->packet.dcid, DCID_LEN, path);
			self->packet.pn = 1 + 3 * round;
			self->path_id = path_ids[path];
			put(self, 3);
			for (i = 0; i < 3; i++)
				self->batch.oracle[i] = oracles[path];
			EXPECT_SENT();
		}
		EXPECT_STATS(6, 3 + 9 * round, 6 + 3 * round);
		EXPECT_EQ(3, quic_stat("QuicTxSw"));
		quic_offload_socket_enable(self->sock, false);
	}
	EXPECT_EQ(0, self->notices);
	for (path = 0; path < PATHS; path++)
		quic_oracle_free(oracles[path]);
}

/* The kernel has one IV for a connection ID, the library keeps them apart. */
TEST_F(offload, paths_of_one_connection_id)
{
	struct quic_oracle *oracle = path_oracle(variant->cipher, 1);
	int cipher = variant->cipher;

	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(protect_with_keys, &cipher);
	quic_offload_conn_set_shortest(self->conn, 1);
	ASSERT_EQ(0, set_keys(self, quic_ciphers[cipher].type, 0));
	put(self, 2);
	EXPECT_SENT();
	self->packet.pn = 1;
	self->path_id = 1;
	put(self, 1);
	self->batch.oracle[0] = oracle;
	EXPECT_SENT();
	EXPECT_STATS(1, 2, 3);
	quic_oracle_free(oracle);
}

TEST_HARNESS_MAIN
