/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the library in tools/net/quic share: a connection, batches
 * of packets, and a receiver that knows what they have to be on the wire.
 */
#ifndef QUIC_OFFLOAD_TEST_H
#define QUIC_OFFLOAD_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_offload.h"

#define DCID_LEN	8
#define LEN		1184		/* 1200 on the wire */
#define GENERATIONS	8		/* that are told apart here */
#define MAX_BATCH	400

#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define MAX_PACKETS	"/sys/module/quic/parameters/max_packets_per_key"

/* Packets: some have left, and some of those were seen by the receiver. */
struct batch {
	size_t count, left, seen, used;
	struct quic_offload_packet packets[MAX_BATCH];
	struct quic_oracle *oracle[MAX_BATCH];
	uint8_t buf[1 << 19];
};

FIXTURE(offload) {
	struct quic_env env;
	struct quic_offload_socket *sock;
	struct quic_offload_conn *conn;
	struct quic_oracle *oracle[GENERATIONS];
	struct quic_packet packet;	/* the next one */
	unsigned int generation;	/* of its keys */
	struct quic_addr dest;
	struct msghdr to;
	int rx;				/* who receives at @dest */
	int flags;
	uint32_t path_id;
	struct batch batch;
	unsigned int in_user;	/* packets that were protected in userspace */
	int notices;
	char notice[200];
	char max_flows[32], max_packets[32];	/* to be restored */
};

FIXTURE_VARIANT(offload) {
	int family;
	int cipher;
	bool connected;
};

FIXTURE_VARIANT_ADD(offload, ipv4) { AF_INET, QUIC_AES_GCM_128, false };
FIXTURE_VARIANT_ADD(offload, ipv6) { AF_INET6, QUIC_CHACHA20_POLY1305, false };
FIXTURE_VARIANT_ADD(offload, mapped) { QUIC_MAPPED, QUIC_AES_GCM_256, false };
FIXTURE_VARIANT_ADD(offload, connected) { AF_INET6, QUIC_AES_CCM_128, true };

/* The user of the library */

static void notice(void *arg, const char *text)
{
	FIXTURE_DATA(offload) *self = arg;

	self->notices++;
	snprintf(self->notice, sizeof(self->notice), "%s", text);
}

static int protect(void *arg, const struct quic_offload_keys *keys,
		   uint8_t *packet, size_t header_len, size_t len,
		   uint64_t number)
{
	FIXTURE_DATA(offload) *self = arg;
	size_t dcid_len = header_len - 1 - (1 + (packet[0] & 3));
	uint8_t plain[QUIC_MAX_UDP_PAYLOAD];

	self->in_user++;
	memcpy(plain, packet, len);
	quic_oracle_protect(self->oracle[keys->generation % GENERATIONS],
			    number, dcid_len, plain, len, packet);
	return 0;
}

static int set_keys(FIXTURE_DATA(offload) *self, uint16_t cipher_type,
		    unsigned int generation)
{
	struct quic_oracle **oracle = &self->oracle[generation % GENERATIONS];
	struct quic_offload_keys keys = {
		.cipher = cipher_type,
		.generation = generation,
	};
	struct quic_keys derived, first;
	unsigned int i;

	for (i = 0; i < QUIC_NUM_CIPHERS; i++)
		if (quic_ciphers[i].type == cipher_type || !cipher_type)
			break;
	/* Others where generations wrap; the header key stays. */
	quic_keys_derive(&first, &quic_ciphers[i], 1, 0);
	quic_keys_derive(&derived, &quic_ciphers[i], 1 + generation / 256,
			 generation);
	memcpy(derived.hp, first.hp, sizeof(derived.hp));
	memcpy(keys.header_key, derived.hp, sizeof(keys.header_key));
	memcpy(keys.payload_key, derived.key, sizeof(keys.payload_key));
	memcpy(keys.payload_iv, derived.iv, sizeof(keys.payload_iv));
	if (!*oracle)
		*oracle = quic_oracle_new(&derived);
	self->generation = generation;
	return quic_offload_conn_set_keys(self->conn, &keys);
}

/* From now on packets go to @dest, which @rx receives. */
static int set_destination(FIXTURE_DATA(offload) *self, bool connected,
			   const struct quic_addr *dest, int rx)
{
	self->dest = *dest;
	self->rx = rx;
	if (connected)
		return connect(self->env.tx, (void *)&dest->ss, dest->len);
	self->to.msg_name = &self->dest.ss;
	self->to.msg_namelen = dest->len;
	return 0;
}

static int read_file(const char *path, char *value, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = -1;

	if (fd >= 0) {
		len = read(fd, value, size - 1);
		close(fd);
	}
	return len < 0 ? -1 : 0;
}

FIXTURE_SETUP(offload)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->sock = quic_offload_socket_new(self->env.tx, notice, self);
	self->conn = quic_offload_conn_new(protect, self);
	quic_offload_conn_set_shortest(self->conn, 1);
	ASSERT_EQ(0, read_file(MAX_FLOWS, self->max_flows,
			       sizeof(self->max_flows)));
	ASSERT_EQ(0, read_file(MAX_PACKETS, self->max_packets,
			       sizeof(self->max_packets)));
	ASSERT_EQ(0, set_destination(self, variant->connected, &self->env.to,
				     self->env.rx));
	ASSERT_EQ(0, set_keys(self, quic_ciphers[variant->cipher].type, 0));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = LEN,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
}

FIXTURE_TEARDOWN(offload)
{
	unsigned int i;

	/* Nothing left unprotected. */
	EXPECT_FALSE(quic_env_wire(&self->env).marker);
	quic_offload_conn_free(self->conn);
	quic_offload_socket_free(self->sock);
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	for (i = 0; i < GENERATIONS; i++)
		if (self->oracle[i])
			quic_oracle_free(self->oracle[i]);
	quic_env_write_file(MAX_FLOWS, self->max_flows);
	quic_env_write_file(MAX_PACKETS, self->max_packets);
	quic_env_close(&self->env);
}

static struct quic_offload_packet *put_one(FIXTURE_DATA(offload) *self)
{
	struct batch *batch = &self->batch;
	struct quic_offload_packet *packet = &batch->packets[batch->count];
	struct quic_packet *next = &self->packet;
	uint8_t *data = batch->buf + batch->used;

	next->flags = QUIC_FIXED_BIT |
		      (self->generation & 1 ? QUIC_KEY_PHASE : 0);
	quic_packet_build(data, next);
	*packet = (struct quic_offload_packet) {
		.data = data,
		.len = next->len,
		.number = next->pn++,
		.dcid_len = next->dcid.len,
	};
	batch->oracle[batch->count++] =
		self->oracle[self->generation % GENERATIONS];
	batch->used += packet->len;
	return packet;
}

static void put(FIXTURE_DATA(offload) *self, unsigned int count)
{
	while (count--)
		put_one(self);
}

/* Datagrams with nothing left to protect */
static inline void put_ready(FIXTURE_DATA(offload) *self, unsigned int count)
{
	while (count--) {
		struct quic_offload_packet *packet = put_one(self);

		memset((void *)packet->data, 0xc0 | count, packet->len);
		packet->ready = true;
		self->packet.pn--;
	}
}

/* What has not left yet */
static ssize_t send_batch(FIXTURE_DATA(offload) *self)
{
	struct batch *batch = &self->batch;
	ssize_t ret;

	if (self->path_id)
		ret = quic_offload_send_path(self->sock, self->conn,
					     self->path_id, &self->to,
					     self->flags,
					     batch->packets + batch->left,
					     batch->count - batch->left);
	else
		ret = quic_offload_send(self->sock, self->conn, &self->to,
					self->flags,
					batch->packets + batch->left,
					batch->count - batch->left);
	if (ret > 0)
		batch->left += ret;
	return ret;
}

/* Packets that do not leave */
static inline void give_up(FIXTURE_DATA(offload) *self, unsigned int count)
{
	self->batch.left += count;
	self->batch.seen += count;
}

/* The receiver has got what has left, and nothing else. */
static void receive(struct __test_metadata *_metadata,
		    FIXTURE_DATA(offload) *self)
{
	uint8_t expected[QUIC_MAX_UDP_PAYLOAD], seen[QUIC_MAX_UDP_PAYLOAD];
	struct batch *batch = &self->batch;

	for (; batch->seen < batch->left; batch->seen++) {
		struct quic_offload_packet *packet;
		ssize_t len;

		packet = &batch->packets[batch->seen];
		len = packet->len;
		if (packet->ready)
			memcpy(expected, packet->data, len);
		else
			len = quic_oracle_protect(batch->oracle[batch->seen],
						  packet->number,
						  packet->dcid_len,
						  packet->data, len, expected);
		ASSERT_EQ(len, recv(self->rx, seen, sizeof(seen), 0)) {
			TH_LOG("packet %zu", batch->seen);
		}
		ASSERT_EQ(0, memcmp(expected, seen, len)) {
			TH_LOG("packet %zu", batch->seen);
		}
	}
	ASSERT_EQ(-1, recv(self->rx, seen, sizeof(seen), MSG_DONTWAIT));
	if (batch->left == batch->count)
		memset(batch, 0, offsetof(struct batch, packets));
}

/* Send all, see it received. */
#define EXPECT_SENT() do {						\
	ssize_t count_ = self->batch.count - self->batch.left;		\
									\
	EXPECT_EQ(count_, send_batch(self));				\
	receive(_metadata, self);					\
} while (0)

/* Not a packet leaves. */
#define EXPECT_ERROR(err) do {						\
	EXPECT_EQ(-(err), send_batch(self));				\
	receive(_metadata, self);					\
} while (0)

/* By whom the packets of the connection were protected, and in how many
 * messages they left
 */
#define EXPECT_STATS(kernel_, user_, messages_) do {			\
	const struct quic_offload_stats *stats_ =			\
		quic_offload_conn_stats(self->conn);			\
									\
	EXPECT_EQ(kernel_, stats_->kernel);				\
	EXPECT_EQ(user_, stats_->user);					\
	EXPECT_EQ(messages_, stats_->messages);				\
} while (0)

#define EXPECT_NOTICE(word) do {					\
	EXPECT_EQ(1, self->notices);					\
	EXPECT_NE(NULL, strstr(self->notice, word)) {			\
		TH_LOG("%s", self->notice);				\
	}								\
} while (0)

#endif /* QUIC_OFFLOAD_TEST_H */
