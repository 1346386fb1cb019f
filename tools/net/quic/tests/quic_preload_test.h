/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The program of preload.c: connections, datagrams, and a receiver that knows
 * what they have to be on the wire.
 */
#ifndef QUIC_PRELOAD_TEST_H
#define QUIC_PRELOAD_TEST_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "fake_ngtcp2.h"
#include "quic_preload_run.h"
#include "quic_env.h"

#define DCID_LEN	8
#define LEN		184
#define WIRE_LEN	(LEN + QUIC_TAG_SIZE)
#define MAX_DATAGRAMS	20

struct conn {
	ngtcp2_conn *ngtcp2;		/* NULL when it is gone */
	uint8_t flow;
	uint8_t generation;
	struct quic_oracle *oracle;	/* of this generation */
	struct quic_packet packet;	/* the next one */
	uint8_t frame;			/* type of the first one, 0: any */
};

/* Datagrams as the program has them, and as they have to be on the wire */
struct message {
	unsigned int count;
	size_t at[MAX_DATAGRAMS + 1];
	uint8_t program[1 << 13];
	uint8_t wire[1 << 13];
	bool received;
	struct msghdr mh;
	struct iovec iov;
	uint64_t control[16];
};

FIXTURE(preload) {
	struct quic_env env;
	struct conn conn, other;
	struct message message;
	int flags;
	int log;	/* what the library says */
};

FIXTURE_VARIANT(preload) {
	int family;
	int no_flows;	/* why the kernel does not take any, or 0 */
};

FIXTURE_VARIANT_ADD(preload, kernel) { AF_INET, 0 };
FIXTURE_VARIANT_ADD(preload, user) { AF_INET6, ENOMEM };

/* Connections */

static void new_oracle(struct conn *conn)
{
	struct quic_keys keys;

	if (conn->oracle)
		quic_oracle_free(conn->oracle);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], conn->flow,
			 conn->generation);
	conn->oracle = quic_oracle_new(&keys);
}

static void open_conn(struct conn *conn, uint8_t flow)
{
	conn->flow = flow;
	conn->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = LEN,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&conn->packet.dcid, DCID_LEN, flow);
	conn->ngtcp2 = fake_ngtcp2_new(flow);
	new_oracle(conn);
}

static inline void update_keys(struct conn *conn)
{
	fake_ngtcp2_update_keys(conn->ngtcp2);
	conn->generation++;
	conn->packet.flags ^= QUIC_KEY_PHASE;
	new_oracle(conn);
}

static void close_conn(struct conn *conn)
{
	if (conn->ngtcp2)
		ngtcp2_conn_del(conn->ngtcp2);
	conn->ngtcp2 = NULL;
}

/* Datagrams of the program: a message is kept until another one is begun. */

static struct message *begin(FIXTURE_DATA(preload) *self)
{
	struct message *m = &self->message;

	if (m->received)
		memset(m, 0, sizeof(*m));
	return m;
}

static size_t datagram_len(const struct message *m, unsigned int i)
{
	return m->at[i + 1] - m->at[i];
}

static void put(FIXTURE_DATA(preload) *self, struct conn *conn)
{
	struct message *m = begin(self);
	uint8_t *program = m->program + m->at[m->count];
	uint8_t *wire = m->wire + m->at[m->count];
	struct quic_packet *next = &conn->packet;
	size_t header = quic_packet_header(next), len;

	quic_packet_build(program, next);
	if (conn->frame)
		program[header] = conn->frame;
	len = quic_oracle_protect(conn->oracle, next->pn, DCID_LEN, program,
				  next->len, wire);
	fake_ngtcp2_protect(conn->ngtcp2, next->pn++, program, header,
			    next->len);
	m->count++;
	m->at[m->count] = m->at[m->count - 1] + len;
}

/* A packet with a long header; protection is none of the library's business. */
static void put_long(FIXTURE_DATA(preload) *self)
{
	static const uint8_t packet[32] = { 0xc0, 0, 0, 0, 1 };
	struct message *m = begin(self);

	memcpy(m->program + m->at[m->count], packet, sizeof(packet));
	memcpy(m->wire + m->at[m->count], packet, sizeof(packet));
	m->count++;
	m->at[m->count] = m->at[m->count - 1] + sizeof(packet);
}

/* The last two packets share a datagram. */
static void coalesce(FIXTURE_DATA(preload) *self)
{
	struct message *m = &self->message;

	m->count--;
	m->at[m->count] = m->at[m->count + 1];
}

/* Whether nothing is left to do for the last packet */
static bool is_ready(const struct message *m)
{
	size_t at = m->at[m->count - 1];

	return !memcmp(m->program + at, m->wire + at,
		       datagram_len(m, m->count - 1));
}

/* Packets that are left to the kernel */
#define PUT(conn, times) do {						\
	int times_ = times;						\
									\
	while (times_--) {						\
		put(self, conn);					\
		ASSERT_FALSE(is_ready(&self->message));			\
	}								\
} while (0)

/* All datagrams from @first on in one message, with GSO if @segment is not 0 */
static struct msghdr *message(FIXTURE_DATA(preload) *self, unsigned int first,
			      uint16_t segment)
{
	struct message *m = &self->message;

	m->iov.iov_base = m->program + m->at[first];
	m->iov.iov_len = m->at[m->count] - m->at[first];
	m->mh = (struct msghdr) {
		.msg_name = &self->env.to.ss,
		.msg_namelen = self->env.to.len,
		.msg_iov = &m->iov,
		.msg_iovlen = 1,
		.msg_control = m->control,
	};
	if (segment)
		quic_cmsg_put(&m->mh, SOL_UDP, UDP_SEGMENT, &segment,
			      sizeof(segment));
	return &m->mh;
}

static ssize_t send_all(FIXTURE_DATA(preload) *self, uint16_t segment)
{
	return sendmsg(self->env.tx, message(self, 0, segment), self->flags);
}

static inline ssize_t send_one(FIXTURE_DATA(preload) *self, unsigned int i)
{
	const struct message *m = &self->message;

	return sendto(self->env.tx, m->program + m->at[i], datagram_len(m, i),
		      self->flags, (void *)&self->env.to.ss, self->env.to.len);
}

static void receive_one(struct __test_metadata *_metadata,
			FIXTURE_DATA(preload) *self, unsigned int i)
{
	const struct message *m = &self->message;
	ssize_t len = datagram_len(m, i);
	uint8_t seen[1 << 13];

	ASSERT_EQ(len, recv(self->env.rx, seen, sizeof(seen), 0)) {
		TH_LOG("datagram %u", i);
	}
	ASSERT_EQ(0, memcmp(m->wire + m->at[i], seen, len)) {
		TH_LOG("datagram %u", i);
	}
}

static void receive_nothing(struct __test_metadata *_metadata,
			    FIXTURE_DATA(preload) *self)
{
	uint8_t byte;

	ASSERT_EQ(-1, recv(self->env.rx, &byte, 1, MSG_DONTWAIT));
	self->message.received = true;
}

static void receive(struct __test_metadata *_metadata,
		    FIXTURE_DATA(preload) *self)
{
	unsigned int i;

	for (i = 0; i < self->message.count; i++)
		receive_one(_metadata, self, i);
	receive_nothing(_metadata, self);
}

#define EXPECT_SENT(segment) do {					\
	ssize_t len_ = self->message.at[self->message.count];		\
									\
	EXPECT_EQ(len_, send_all(self, segment)) {			\
		TH_LOG("%s", strerror(errno));				\
	}								\
	receive(_metadata, self);					\
} while (0)

#define EXPECT_ERROR(err, call) do {					\
	EXPECT_EQ(-1, call);						\
	EXPECT_EQ(err, errno);						\
	receive_nothing(_metadata, self);				\
} while (0)

/* How many packets the kernel has protected, of those that it may */
#define EXPECT_KERNEL(count)						\
	EXPECT_EQ(variant->no_flows ? 0 : (count),			\
		  quic_stat("QuicTxSwPackets"))

/* A handshake, and packets that ngtcp2 itself protects: the library sees them.
 * The next ones show that the kernel can be trusted, and are not its own.
 */
#define START() do {							\
	put_long(self);							\
	put(self, &self->conn);						\
	coalesce(self);							\
	EXPECT_SENT(0);							\
	put(self, &self->other);					\
	EXPECT_SENT(0);							\
	put(self, &self->conn);						\
	EXPECT_SENT(0);							\
	put(self, &self->other);					\
	EXPECT_SENT(0);							\
} while (0)

FIXTURE_SETUP(preload)
{
	self->log = memfd_create("log", MFD_CLOEXEC);
	ASSERT_LE(0, self->log);
	ASSERT_EQ(2, dup2(self->log, 2));
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	fake_fail_setsockopt(UDP_QUIC_ADD_TX_CONNECTION, variant->no_flows);
	open_conn(&self->conn, 1);
	open_conn(&self->other, 2);
}

FIXTURE_TEARDOWN(preload)
{
	EXPECT_FALSE(quic_env_wire(&self->env).marker);
	close_conn(&self->conn);
	close_conn(&self->other);
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	quic_oracle_free(self->conn.oracle);
	quic_oracle_free(self->other.oracle);
	quic_env_close(&self->env);
	close(self->log);
}

#endif /* QUIC_PRELOAD_TEST_H */
