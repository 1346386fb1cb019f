/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of receiving with the library in tools/net/quic share: a user of
 * it, and packets that libcrypto has sealed.  Linked with --wrap=setsockopt and
 * --wrap=getsockopt.
 */
#ifndef QUIC_OFFLOAD_RX_TEST_H
#define QUIC_OFFLOAD_RX_TEST_H

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_offload_receive.h"
#include "quic_rx_env.h"

#define DCID_LEN	8
#define LEN		284		/* 300 on the wire */
#define WIRE_LEN	(LEN + QUIC_TAG_SIZE)
#define FIRST		0x123450	/* more of a number than packets carry */
#define GENERATIONS	8		/* that are told apart here */

#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define MAX_FAILURES	"/sys/module/quic/parameters/max_failures_per_key"
#define NO_LIMIT	"18446744073709551615"

/* What a packet is, whatever the kernel says */
struct truth {
	struct quic_offload_packet packet;
	uint8_t header[1 + QUIC_MAX_CONNECTION_ID_SIZE + 4];
	unsigned int generation;
	bool good;
};

FIXTURE(receive) {
	struct quic_rx_env env;
	struct quic_offload_socket *sock;
	struct quic_offload_conn *conn;
	struct quic_oracle *oracle[GENERATIONS];
	struct quic_packet packet;	/* the next one */
	unsigned int generation;	/* of its keys, */
	unsigned int newest;		/* and of the library's */
	uint32_t path_id;
	bool nameless;			/* nobody asks who has sent it */
	size_t room;			/* for control messages */
	struct quic_sealed sealed;	/* what is sent, and what it comes to */
	struct truth truth[QUIC_MAX_SEGMENTS];
	struct quic_received received;
	int notices;
	char notice[200];
	char max_flows[32];		/* to be restored */
};

FIXTURE_VARIANT(receive) {
	int family;
	int cipher;
	bool connected;
	bool gro;
};

FIXTURE_VARIANT_ADD(receive, ipv4) {
	AF_INET, QUIC_AES_GCM_128, false, true };
FIXTURE_VARIANT_ADD(receive, ipv6) {
	AF_INET6, QUIC_CHACHA20_POLY1305, false, false };
FIXTURE_VARIANT_ADD(receive, mapped) {
	QUIC_MAPPED, QUIC_AES_GCM_256, false, true };
FIXTURE_VARIANT_ADD(receive, connected) {
	AF_INET6, QUIC_AES_CCM_128, true, false };

/* The system */

static struct {
	bool nods;		/* to any option of UDP */
	bool lies;		/* and when asked which ULP there is */
	int asked;		/* how often it was given keys */
} system_;

typeof(setsockopt) __real_setsockopt, __wrap_setsockopt;
typeof(getsockopt) __real_getsockopt, __wrap_getsockopt;

int __wrap_setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	if (level == SOL_UDP && name == UDP_QUIC_ADD_RX_CONNECTION)
		system_.asked++;
	if (level == SOL_UDP && system_.nods)
		return 0;
	return __real_setsockopt(fd, level, name, value, len);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (level != SOL_UDP || name != UDP_ULP || !system_.lies)
		return __real_getsockopt(fd, level, name, value, len);
	strncpy(value, "quic-crypto", *len);
	return 0;
}

/* The user of the library */

static void notice(void *arg, const char *text)
{
	FIXTURE_DATA(receive) *self = arg;

	self->notices++;
	snprintf(self->notice, sizeof(self->notice), "%s", text);
}

/* Others where generations wrap; the header key stays. */
static struct quic_keys keys_of(int cipher, unsigned int generation)
{
	struct quic_keys keys, first;

	quic_keys_derive(&first, &quic_ciphers[cipher], 1, 0);
	quic_keys_derive(&keys, &quic_ciphers[cipher], 1 + generation / 256,
			 generation);
	memcpy(keys.hp, first.hp, sizeof(keys.hp));
	return keys;
}

static int set_keys(FIXTURE_DATA(receive) *self, int cipher,
		    unsigned int generation)
{
	struct quic_keys from = keys_of(cipher, generation);
	struct quic_offload_keys keys = {
		.cipher = quic_ciphers[cipher].type,
		.generation = generation,
	};
	int err;

	memcpy(keys.header_key, from.hp, sizeof(keys.header_key));
	memcpy(keys.payload_key, from.key, sizeof(keys.payload_key));
	memcpy(keys.payload_iv, from.iv, sizeof(keys.payload_iv));
	err = quic_offload_conn_set_rx_keys(self->conn, &keys);
	if (!err)
		self->newest = generation;
	return err;
}

/* From now on packets have keys of this generation, on this path. */
static inline void seal_with(FIXTURE_DATA(receive) *self, int cipher,
			     unsigned int generation, uint32_t path_id)
{
	struct quic_oracle **oracle = &self->oracle[generation % GENERATIONS];
	struct quic_keys keys = keys_of(cipher, generation);
	unsigned int i;

	for (i = 0; i < 4; i++)
		keys.iv[i] ^= path_id >> 8 * (3 - i);
	if (*oracle)
		quic_oracle_free(*oracle);
	*oracle = quic_oracle_new(&keys);
	self->generation = generation;
	self->path_id = path_id;
}

FIXTURE_SETUP(receive)
{
	int gro = variant->gro;

	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	ASSERT_EQ(0, setsockopt(self->env.rx, SOL_UDP, UDP_GRO, &gro,
				sizeof(gro)));
	if (variant->connected) {
		ASSERT_EQ(0, connect(self->env.rx, (void *)&self->env.from.ss,
				     self->env.from.len));
	}
	self->nameless = variant->connected;
	self->room = QUIC_OFFLOAD_RX_CONTROL;
	self->sock = quic_offload_socket_new(self->env.rx, notice, self);
	self->conn = quic_offload_conn_new(NULL, NULL);
	quic_offload_conn_set_shortest(self->conn, 1);
	snprintf(self->max_flows, sizeof(self->max_flows), "%lu",
		 quic_env_read_number(MAX_FLOWS, NULL));
	ASSERT_EQ(0, set_keys(self, variant->cipher, 0));
	seal_with(self, variant->cipher, 0, 0);
	self->packet = (struct quic_packet) {
		.pn = FIRST,
		.pn_len = 2,
		.len = LEN,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
}

FIXTURE_TEARDOWN(receive)
{
	unsigned int i;

	quic_offload_conn_free(self->conn);
	/* All of its flows went with it. */
	EXPECT_EQ(0, quic_stat("QuicCurrRxSw"));
	quic_offload_socket_free(self->sock);
	for (i = 0; i < GENERATIONS; i++)
		if (self->oracle[i])
			quic_oracle_free(self->oracle[i]);
	quic_env_write_file(MAX_FLOWS, self->max_flows);
	quic_env_write_file(MAX_FAILURES, NO_LIMIT);
	quic_rx_env_close(&self->env);
}

/* Messages: begun, filled, sent, received. */

static void begin(FIXTURE_DATA(receive) *self)
{
	quic_sealed_start(&self->sealed);
}

/* One more packet, which is expected to be opened by the kernel */
static void add(FIXTURE_DATA(receive) *self)
{
	struct truth *truth = &self->truth[self->sealed.count];
	struct quic_packet *next = &self->packet;

	*truth = (struct truth) {
		.packet.data = truth->header,
		.packet.number = next->pn,
		.packet.dcid_len = next->dcid.len,
		.generation = self->generation,
		.good = true,
	};
	truth->packet.len = next->len;
	next->flags = QUIC_FIXED_BIT |
		      (self->generation & 1 ? QUIC_KEY_PHASE : 0);
	memcpy(truth->header + 1, next->dcid.id, next->dcid.len);
	quic_sealed_add(&self->sealed, self->oracle[self->generation %
						    GENERATIONS],
			self->generation, next);
	next->pn++;
}

/* The last one comes to this instead, */
static void instead(FIXTURE_DATA(receive) *self, int status)
{
	if (status != QUIC_RX_DECRYPTED)
		quic_sealed_expect(&self->sealed, self->sealed.count - 1,
				   status);
}

/* or is damaged. */
static inline void damage(FIXTURE_DATA(receive) *self)
{
	unsigned int last = self->sealed.count - 1;

	quic_sealed_flip(&self->sealed, last, 8 * (LEN - 100));
	self->truth[last].good = false;
}

/* One more datagram that is no packet of the connection */
static inline void add_raw(FIXTURE_DATA(receive) *self, const uint8_t *datagram,
			   size_t len)
{
	self->truth[self->sealed.count].good = false;
	quic_sealed_raw(&self->sealed, datagram, len, false);
}

/* What the library does with a packet that the kernel has not opened */
static void open_in_user(FIXTURE_DATA(receive) *self, int cipher,
			 const struct quic_offload_datagram *datagram,
			 const struct truth *truth)
{
	if (!truth->good) {
		quic_offload_failed(self->conn, datagram);
		return;
	}
	if (truth->generation > self->newest)
		set_keys(self, cipher, truth->generation);
	quic_offload_opened(self->sock, self->conn, self->path_id, datagram,
			    &truth->packet);
}

/* Datagram @i of those that were sent has arrived: see that it is what it has
 * to be, and do with it what a library does.
 */
static void take(struct __test_metadata *_metadata,
		 FIXTURE_DATA(receive) *self, int cipher,
		 const struct quic_offload_datagram *datagram, unsigned int i)
{
	const struct quic_rx_ancillary_data *entry = &self->sealed.entry[i];
	const struct truth *truth = &self->truth[i];
	size_t at = self->sealed.at[i];

	ASSERT_EQ(self->sealed.at[i + 1] - at, datagram->len) {
		TH_LOG("datagram %u", i);
	}
	ASSERT_EQ(entry->status, (int)datagram->status) {
		TH_LOG("datagram %u", i);
	}
	EXPECT_EQ(0, memcmp(self->sealed.want + at, datagram->data,
			    datagram->len)) {
		TH_LOG("datagram %u", i);
	}
	EXPECT_EQ(entry->pkt_num, datagram->number);
	EXPECT_EQ(entry->key_gen, datagram->generation);
	EXPECT_EQ(entry->conn_id_length, datagram->dcid_len);
	EXPECT_EQ(self->nameless, !datagram->from);
	if (datagram->status != QUIC_OFFLOAD_OPENED) {
		open_in_user(self, cipher, datagram, truth);
		return;
	}
	EXPECT_TRUE(quic_offload_agree(self->conn, datagram,
				       truth->packet.number,
				       truth->generation));
}

/* One recvmsg() */
static ssize_t get(FIXTURE_DATA(receive) *self, struct msghdr *mh,
		   struct iovec *iov, size_t len, int flags)
{
	quic_received_msghdr(&self->received, mh, iov, len, self->room);
	if (self->nameless) {
		mh->msg_name = NULL;
		mh->msg_namelen = 0;
	}
	return recvmsg(self->env.rx, mh, flags);
}

/* What was sent, from datagram @i on, is all that is there. */
static void take_all(struct __test_metadata *_metadata,
		     FIXTURE_DATA(receive) *self, int cipher, unsigned int i)
{
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	struct msghdr mh;
	struct iovec iov;
	ssize_t len;

	while (i < self->sealed.count) {
		len = get(self, &mh, &iov, sizeof(self->received.buf), 0);
		ASSERT_LE(0, len) {
			TH_LOG("datagram %u: %s", i, strerror(errno));
		}
		quic_offload_received(&message, self->sock, &mh, len);
		while (quic_offload_next(&message, &datagram))
			take(_metadata, self, cipher, &datagram, i++);
	}
	EXPECT_EQ(-1, get(self, &mh, &iov, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* What was added is sent, and comes to what it has to. */
#define EXPECT_TAKEN() do {						\
	ASSERT_EQ(self->sealed.len, quic_sealed_send(self->env.tx,	\
						     &self->env.to,	\
						     &self->sealed));	\
	take_all(_metadata, self, variant->cipher, 0);			\
} while (0)

/* One packet that comes to that, in a message of its own */
#define EXPECT_STATUS(status) do {					\
	begin(self);							\
	add(self);							\
	instead(self, QUIC_RX_##status);				\
	EXPECT_TAKEN();							\
} while (0)

/* So many that the kernel opens, in one message if there are such */
#define EXPECT_OPENED(count) do {					\
	int count_ = (count);						\
									\
	begin(self);							\
	while (count_--)						\
		add(self);						\
	EXPECT_TAKEN();							\
} while (0)

/* The next packets have another connection ID. */
#define USE_DCID(which)							\
	quic_dcid_init(&self->packet.dcid, DCID_LEN, which)

#define EXPECT_FLOWS(count)						\
	EXPECT_EQ(count, quic_stat("QuicCurrRxSw"))

/* What became of the connection's packets */
#define EXPECT_STATS(kernel_, user_, failed_, disagreed_) do {		\
	const struct quic_offload_rx_stats *stats_ =			\
		quic_offload_conn_rx_stats(self->conn);			\
									\
	EXPECT_EQ(kernel_, stats_->kernel);				\
	EXPECT_EQ(user_, stats_->user);					\
	EXPECT_EQ(failed_, stats_->failed);				\
	EXPECT_EQ(disagreed_, stats_->disagreed);			\
} while (0)

#define EXPECT_NOTICE(word) do {					\
	EXPECT_EQ(1, self->notices);					\
	EXPECT_NE(NULL, strstr(self->notice, word)) {			\
		TH_LOG("%s", self->notice);				\
	}								\
} while (0)

#endif /* QUIC_OFFLOAD_RX_TEST_H */
