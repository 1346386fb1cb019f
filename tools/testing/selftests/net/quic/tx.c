// SPDX-License-Identifier: GPL-2.0
/* What goes out is, byte for byte, what libcrypto makes of the same packets. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_example.h"

#define MAX_PACKET	1500
#define DCID_LEN	8

/* Receives what @train has become and compares it. */
static void expect_train(struct __test_metadata *_metadata, int rx,
			 struct quic_oracle *const phase[2],
			 const struct quic_train *train)
{
	uint8_t seen[QUIC_MAX_UDP_PAYLOAD + 1];
	uint8_t expected[QUIC_MAX_UDP_PAYLOAD + 1];
	unsigned int i;

	for (i = 0; i < train->count; i++) {
		const uint8_t *packet = train->buf + train->at[i];
		size_t len = train->at[i + 1] - train->at[i];
		struct quic_oracle *oracle;

		oracle = phase[!!(*packet & QUIC_KEY_PHASE)];
		len = quic_oracle_protect(oracle, train->pn[i], train->dcid_len,
					  packet, len, expected);
		ASSERT_EQ(len, recv(rx, seen, sizeof(seen), 0)) {
			TH_LOG("packet %u of %u", i, train->count);
		}
		ASSERT_EQ(0, memcmp(expected, seen, len)) {
			TH_LOG("packet %u of %u, %zu bytes", i, train->count, len);
		}
	}
	EXPECT_EQ(-1, recv(rx, seen, sizeof(seen), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

static void send_and_expect(struct __test_metadata *_metadata,
			    const struct quic_env *env,
			    struct quic_oracle *const phase[2],
			    const struct quic_train *train)
{
	struct quic_msg msg = quic_msg(env->tx, &env->to, train);
	long before = quic_stat("QuicTxSwPackets");

	ASSERT_EQ(train->len, quic_send(&msg)) {
		TH_LOG("%u packets, %zu bytes: %s", train->count, train->len,
		       strerror(errno));
	}
	ASSERT_EQ(before + train->count, quic_stat("QuicTxSwPackets"));
	expect_train(_metadata, env->rx, phase, train);
}

/* Every cipher, both families */

FIXTURE(cipher) {
	struct quic_env env;
	struct quic_keys keys[2];
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
};

FIXTURE_VARIANT(cipher) {
	int cipher;
	int family;
};

FIXTURE_VARIANT_ADD(cipher, aes_gcm_128_ipv4) {
	QUIC_AES_GCM_128, AF_INET };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_128_ipv6) {
	QUIC_AES_GCM_128, AF_INET6 };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_256_ipv4) {
	QUIC_AES_GCM_256, AF_INET };
FIXTURE_VARIANT_ADD(cipher, aes_gcm_256_ipv6) {
	QUIC_AES_GCM_256, AF_INET6 };
FIXTURE_VARIANT_ADD(cipher, aes_ccm_128_ipv4) {
	QUIC_AES_CCM_128, AF_INET };
FIXTURE_VARIANT_ADD(cipher, aes_ccm_128_ipv6) {
	QUIC_AES_CCM_128, AF_INET6 };
FIXTURE_VARIANT_ADD(cipher, chacha20_poly1305_ipv4) {
	QUIC_CHACHA20_POLY1305, AF_INET };
FIXTURE_VARIANT_ADD(cipher, chacha20_poly1305_ipv6) {
	QUIC_CHACHA20_POLY1305, AF_INET6 };

FIXTURE_SETUP(cipher)
{
	const struct quic_cipher *cipher = &quic_ciphers[variant->cipher];
	struct quic_connection_info info;
	int i;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 100,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < 2; i++) {
		quic_keys_derive(&self->keys[i], cipher, 1, i);
		self->phase[i] = quic_oracle_new(&self->keys[i]);
		quic_flow_info(&info, &self->keys[i], &self->packet.dcid,
			       &self->env.to);
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &info)) {
			TH_LOG("%s: %s", cipher->name, strerror(errno));
		}
	}
}

FIXTURE_TEARDOWN(cipher)
{
	quic_oracle_free(self->phase[0]);
	quic_oracle_free(self->phase[1]);
	quic_env_close(&self->env);
}

/* Single packets: all small ones, a sweep, all around the largest. */
TEST_F_TIMEOUT(cipher, sizes, 60)
{
	struct quic_packet *packet = &self->packet;
	size_t min = 1 + DCID_LEN + 4;

	for (packet->len = min; packet->len <= MAX_PACKET; packet->pn++) {
		quic_train_build(&self->train, *packet, 1, 0);
		send_and_expect(_metadata, &self->env, self->phase, &self->train);
		packet->len += packet->len < 96 || packet->len > 1460 ? 1 : 11;
	}
}

TEST_F_TIMEOUT(cipher, trains, 60)
{
	static const unsigned int counts[] = { 2, 17, 44, QUIC_MAX_SEGMENTS };
	static const size_t sizes[] = { 33, 64, 253, 495, 1436 };
	struct quic_packet *packet = &self->packet;
	size_t max = QUIC_MAX_UDP_PAYLOAD - (variant->family == AF_INET) * 20;
	size_t min = 1 + DCID_LEN + 4;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			packet->len = sizes[j];
			if ((packet->len + QUIC_TAG_SIZE) * counts[i] > max)
				continue;

			quic_train_build(&self->train, *packet, counts[i], 0);
			send_and_expect(_metadata, &self->env, self->phase,
					&self->train);
			packet->pn += counts[i];

			quic_train_build(&self->train, *packet, counts[i], min);
			send_and_expect(_metadata, &self->env, self->phase,
					&self->train);
			packet->pn += counts[i];

			quic_train_build(&self->train, *packet, counts[i],
					 packet->len - 1);
			send_and_expect(_metadata, &self->env, self->phase,
					&self->train);
			packet->pn += counts[i];
		}
	}
}

/* The longest message of the family, with its tags; one packet, and many. */
TEST_F_TIMEOUT(cipher, longest, 60)
{
	size_t max = QUIC_MAX_UDP_PAYLOAD - (variant->family == AF_INET) * 20;
	static const size_t strides[] = { 512, 1200, 1452, 4096, 9000, 32768 };
	struct quic_packet *packet = &self->packet;
	unsigned int i, count;

	packet->len = max - QUIC_TAG_SIZE;
	quic_train_build(&self->train, *packet, 1, 0);
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
	packet->pn++;

	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		count = max / strides[i] + 1;
		packet->len = strides[i] - QUIC_TAG_SIZE;
		quic_train_build(&self->train, *packet, count,
				 max % strides[i] - QUIC_TAG_SIZE);
		send_and_expect(_metadata, &self->env, self->phase, &self->train);
		packet->pn += count;
	}
}

TEST_F(cipher, packet_number_length)
{
	struct quic_packet *packet = &self->packet;

	for (packet->pn_len = 1; packet->pn_len <= 4; packet->pn_len++) {
		/* A number that needs more bytes than the header has. */
		packet->pn += 0x123456789aULL;
		for (packet->len = 1 + DCID_LEN + 4; packet->len < 200;
		     packet->len += 37) {
			quic_train_build(&self->train, *packet, 1, 0);
			send_and_expect(_metadata, &self->env, self->phase,
					&self->train);
			packet->pn += 1;
			quic_train_build(&self->train, *packet, 17, 0);
			send_and_expect(_metadata, &self->env, self->phase,
					&self->train);
			packet->pn += 17;
		}
	}
	packet->pn_len = 4;
	packet->pn = QUIC_PN_LIMIT - 44;
	quic_train_build(&self->train, *packet, 44, 0);
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
}

TEST_F(cipher, dcid_length)
{
	static const uint8_t lengths[] = { 0, 1, 7, 19, 20 };
	struct quic_packet *packet = &self->packet;
	struct quic_connection_info info;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		quic_dcid_init(&packet->dcid, lengths[i], 0);
		quic_flow_info(&info, &self->keys[0], &packet->dcid,
			       &self->env.to);
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));

		packet->len = 1 + lengths[i] + 4;
		quic_train_build(&self->train, *packet, 1, 0);
		send_and_expect(_metadata, &self->env, self->phase, &self->train);
		packet->pn++;

		packet->len = 300;
		quic_train_build(&self->train, *packet, 17, 41);
		send_and_expect(_metadata, &self->env, self->phase, &self->train);
		packet->pn += 17;
	}
	EXPECT_EQ(1 + ARRAY_SIZE(lengths), quic_stat("QuicCurrTxSw"));
}

/* Both keys of a flow in one train, the phase going back and forth. */
TEST_F(cipher, key_phases)
{
	struct quic_packet *packet = &self->packet;
	unsigned int i;

	self->train.count = 0;
	for (i = 0; i < 44; i++, packet->pn++) {
		packet->flags = QUIC_FIXED_BIT;
		if (i > 20 || i == 7)
			packet->flags |= QUIC_KEY_PHASE;
		quic_train_add(&self->train, packet);
	}
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
}

/* What does not depend on the cipher, with the fastest */

FIXTURE(flow) {
	struct quic_env env;
	struct quic_keys keys;
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
};

FIXTURE_VARIANT(flow) {
	int family;
};

FIXTURE_VARIANT_ADD(flow, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(flow, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(flow, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(flow)
{
	struct quic_connection_info info;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 70000,
		.pn_len = 1,
		.len = 400,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&self->keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	self->phase[0] = quic_oracle_new(&self->keys);
	self->phase[1] = NULL;
	quic_flow_info(&info, &self->keys, &self->packet.dcid, &self->env.to);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
}

FIXTURE_TEARDOWN(flow)
{
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

TEST_F(flow, rfc9001_a5)
{
	const struct quic_vector *vector = &quic_rfc9001_a5;
	uint8_t seen[sizeof(vector->protected) + 1];
	struct quic_connection_info info;
	struct quic_dcid none = {};
	struct quic_msg msg;

	quic_flow_info(&info, &vector->keys, &none, &self->env.to);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	msg.buf = vector->plain;
	msg.len = sizeof(vector->plain);
	msg.anc.next_pkt_num = vector->pn;
	msg.anc.conn_id_length = 0;
	ASSERT_EQ(sizeof(vector->plain), quic_send(&msg));
	ASSERT_EQ(sizeof(vector->protected),
		  recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(vector->protected, seen, sizeof(vector->protected)));
}

/* The published example, with garbage in whatever it does not set. */
TEST_F(flow, published_example)
{
	struct quic_packet packet = {
		.pn = 0x0d65c9,
		.pn_len = 3,
		.len = 1200,
		.dcid.len = sizeof(conn_id),
	};
	struct quic_keys keys = { .cipher = self->keys.cipher };
	uint64_t control[8];
	struct msghdr mh = {
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(struct quic_tx_ancillary_data)),
	};
	struct quic_oracle *phase[2] = {};
	struct cmsghdr *cmsg;
	struct iovec iov;

	ASSERT_EQ(0, quic_example_add(self->env.tx));

	memcpy(packet.dcid.id, conn_id, packet.dcid.len);
	quic_train_build(&self->train, packet, 1, 0);
	memset(control, 0xff, sizeof(control));
	cmsg = CMSG_FIRSTHDR(&mh);
	cmsg->cmsg_level = IPPROTO_UDP;
	cmsg->cmsg_type = UDP_QUIC_ENCRYPT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(struct quic_tx_ancillary_data));
	quic_example_cmsg(cmsg);
	iov = (struct iovec) { self->train.buf, self->train.len };
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	mh.msg_name = &self->env.to.ss;
	mh.msg_namelen = self->env.to.len;
	ASSERT_EQ(self->train.len, sendmsg(self->env.tx, &mh, 0));

	memcpy(keys.key, conn_key, sizeof(conn_key));
	memcpy(keys.iv, conn_iv, sizeof(conn_iv));
	memcpy(keys.hp, conn_hdr_key, sizeof(conn_hdr_key));
	phase[0] = quic_oracle_new(&keys);
	expect_train(_metadata, self->env.rx, phase, &self->train);
	quic_oracle_free(phase[0]);
}

TEST_F(flow, segment_size_as_option)
{
	int gso = self->packet.len + QUIC_TAG_SIZE;
	struct quic_msg msg;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &gso,
				sizeof(gso)));
	quic_train_build(&self->train, self->packet, 17, 99);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	msg.gso = -1;
	ASSERT_EQ(self->train.len, quic_send(&msg));
	expect_train(_metadata, self->env.rx, self->phase, &self->train);
}

TEST_F(flow, segment_size_in_cmsg_wins)
{
	int gso = 1000;
	struct quic_msg msg;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &gso,
				sizeof(gso)));
	quic_train_build(&self->train, self->packet, 17, 99);
	send_and_expect(_metadata, &self->env, self->phase, &self->train);

	/* 0 makes one packet of it, whatever the option says. */
	self->packet.pn += 17;
	self->packet.len = 3000;
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	msg.gso = 0;
	ASSERT_EQ(self->train.len, quic_send(&msg));
	expect_train(_metadata, self->env.rx, self->phase, &self->train);
}

/* A packet may be shorter than a segment, or just as long. */
TEST_F(flow, segment_size_of_one_packet)
{
	struct quic_msg msg;

	for (; self->packet.len > 300; self->packet.len -= 100) {
		quic_train_build(&self->train, self->packet, 1, 0);
		msg = quic_msg(self->env.tx, &self->env.to, &self->train);
		msg.gso = 400 + QUIC_TAG_SIZE;
		ASSERT_EQ(self->train.len, quic_send(&msg));
		expect_train(_metadata, self->env.rx, self->phase, &self->train);
		self->packet.pn++;
	}
}

/* The next number is the smallest one that fits the header. */
TEST_F(flow, packet_number_gaps)
{
	static const unsigned int gaps[] = { 1, 2, 200, 1, 255, 256, 1, 128 };
	unsigned int i;

	self->train.count = 0;
	quic_train_add(&self->train, &self->packet);
	for (i = 0; i < ARRAY_SIZE(gaps); i++) {
		self->packet.pn += gaps[i];
		quic_train_add(&self->train, &self->packet);
	}
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
}

TEST_F(flow, packet_number_lengths_in_one_train)
{
	unsigned int i;

	self->train.count = 0;
	for (i = 0; i < 16; i++) {
		self->packet.pn_len = 1 + i % 4;
		quic_train_add(&self->train, &self->packet);
		self->packet.pn++;
	}
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
}

/* Fixed bit (RFC 9287), spin bit, reserved bits: all as the library likes. */
TEST_F(flow, flag_bits)
{
	unsigned int bits;

	self->train.count = 0;
	for (bits = 0; bits < 0x80; bits += 8) {
		self->packet.flags = bits;
		quic_train_add(&self->train, &self->packet);
		self->packet.pn++;
	}
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
}

TEST_F(flow, connected)
{
	struct quic_msg msg;

	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	quic_train_build(&self->train, self->packet, 17, 0);
	msg = quic_msg(self->env.tx, NULL, &self->train);
	ASSERT_EQ(self->train.len, quic_send(&msg));
	expect_train(_metadata, self->env.rx, self->phase, &self->train);
}

/* A page boundary within every part of a packet. */
TEST_F(flow, scattered)
{
	struct iovec iov[QUIC_MAX_UDP_PAYLOAD / 7 + 1];
	struct msghdr mh = { .msg_iov = iov };
	struct quic_tx_ancillary_data *anc;
	uint64_t control[8] = {};
	struct cmsghdr *cmsg;
	size_t at, step = 7;

	self->packet.len = 1436;
	quic_train_build(&self->train, self->packet, 1, 0);
	for (at = 0; at < self->train.len; at += step) {
		if (at + step > self->train.len)
			step = self->train.len - at;
		iov[mh.msg_iovlen].iov_base = self->train.buf + at;
		iov[mh.msg_iovlen++].iov_len = step;
	}
	mh.msg_name = &self->env.to.ss;
	mh.msg_namelen = self->env.to.len;
	mh.msg_control = control;
	mh.msg_controllen = CMSG_SPACE(sizeof(*anc));
	cmsg = CMSG_FIRSTHDR(&mh);
	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = UDP_QUIC_ENCRYPT;
	cmsg->cmsg_len = CMSG_LEN(sizeof(*anc));
	anc = (void *)CMSG_DATA(cmsg);
	anc->next_pkt_num = self->packet.pn;
	anc->conn_id_length = DCID_LEN;
	ASSERT_EQ(self->train.len, sendmsg(self->env.tx, &mh, 0));
	expect_train(_metadata, self->env.rx, self->phase, &self->train);
}

/* Ordinary UDP still is, on a socket that has flows. */
TEST_F(flow, without_encryption)
{
	uint8_t seen[2000];
	struct quic_wire wire;
	struct quic_msg msg;

	quic_train_build(&self->train, self->packet, 1, 0);
	quic_env_wire(&self->env);

	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	msg.encrypts = 0;
	ASSERT_EQ(self->train.len, quic_send(&msg));
	ASSERT_EQ(self->train.len, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(self->train.buf, seen, self->train.len));

	msg.encrypts = 1;
	msg.anc.flags = QUIC_BYPASS_ENCRYPTION;
	ASSERT_EQ(self->train.len, quic_send(&msg));
	ASSERT_EQ(self->train.len, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(self->train.buf, seen, self->train.len));

	/* The look at the wire would see plain text where there is some. */
	wire = quic_env_wire(&self->env);
	EXPECT_EQ(2, wire.frames);
	EXPECT_EQ(true, wire.marker);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

TEST_F(flow, no_plain_text_on_the_wire)
{
	struct quic_wire wire;

	quic_env_wire(&self->env);
	quic_train_build(&self->train, self->packet, 44, 0);
	send_and_expect(_metadata, &self->env, self->phase, &self->train);
	wire = quic_env_wire(&self->env);
	EXPECT_LT(0, wire.frames);
	EXPECT_EQ(false, wire.marker);
}

TEST_HARNESS_MAIN
