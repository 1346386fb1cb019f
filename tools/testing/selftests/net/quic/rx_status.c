// SPDX-License-Identifier: GPL-2.0
/*
 * What can't be opened, for each reason, arrives as it was on the wire; what
 * moves the flow's packet number and its key, and what does not.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"

#define DCID_LEN	8
#define GENERATION	4
#define GENERATIONS	4

#define MAX_FAILURES	"/sys/module/quic/parameters/max_failures_per_key"
#define NO_LIMIT	"18446744073709551615"

FIXTURE(status) {
	struct quic_rx_env env;
	struct quic_oracle *oracle[GENERATIONS];	/* GENERATION and up */
	struct quic_connection_info info[GENERATIONS];
	struct quic_packet packet;
	struct quic_sealed sealed;
};

FIXTURE_VARIANT(status) {
	int cipher;
	int family;
};

FIXTURE_VARIANT_ADD(status, aes_gcm_128_ipv4) {
	QUIC_AES_GCM_128, AF_INET };
FIXTURE_VARIANT_ADD(status, aes_gcm_256_ipv6) {
	QUIC_AES_GCM_256, AF_INET6 };
FIXTURE_VARIANT_ADD(status, aes_ccm_128_ipv4) {
	QUIC_AES_CCM_128, AF_INET };
FIXTURE_VARIANT_ADD(status, chacha20_poly1305_mapped) {
	QUIC_CHACHA20_POLY1305, QUIC_MAPPED };

FIXTURE_SETUP(status)
{
	struct quic_keys keys;
	int i;

	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < GENERATIONS; i++) {
		quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1,
				 GENERATION + i);
		self->oracle[i] = quic_oracle_new(&keys);
		quic_flow_info(&self->info[i], &keys, &self->packet.dcid, NULL);
	}
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], 1000));
}

FIXTURE_TEARDOWN(status)
{
	int i;

	quic_env_write_file(MAX_FAILURES, NO_LIMIT);
	for (i = 0; i < GENERATIONS; i++)
		quic_oracle_free(self->oracle[i]);
	quic_rx_env_close(&self->env);
}

/* The next packet of generation GENERATION + @ahead */
static void add(FIXTURE_DATA(status) *self, int ahead)
{
	self->packet.flags = QUIC_FIXED_BIT | (ahead & 1) * QUIC_KEY_PHASE;
	quic_sealed_add(&self->sealed, self->oracle[ahead], GENERATION + ahead,
			&self->packet);
	self->packet.pn++;
}

static void start(FIXTURE_DATA(status) *self, int ahead)
{
	quic_sealed_start(&self->sealed);
	add(self, ahead);
}

/* One packet of that generation is sent, and comes to that. */
#define EXPECT_STATUS(ahead, status)					\
	do {								\
		start(self, ahead);					\
		if ((status) != QUIC_RX_DECRYPTED)			\
			quic_sealed_expect(&self->sealed, 0, status);	\
		quic_expect_opened(_metadata, &self->env, &self->sealed); \
	} while (0)

/* A bit that is wrong: in what header protection hides, and what it does not,
 * in the packet number, at both ends of the payload, and of the tag.
 */
TEST_F(status, bad_tag)
{
	static const uint16_t bits[] = {
		0, 1, 2, 3, 4, 5, 6, 8 * 9, 8 * 10 + 7, 8 * 11, 8 * 200,
		8 * 299 + 7, 8 * 300, 8 * 315 + 7,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		start(self, 0);
		/* Both of the flow's keys: the phase bit may be hit. */
		if (i == 0)
			ASSERT_EQ(0, quic_rx_flow_add(self->env.rx,
						      &self->info[1], 0));
		quic_sealed_flip(&self->sealed, 0, bits[i]);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
		self->packet.pn--;
	}
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
}

/* Long headers, also with a packet of the flow behind it in the datagram */
TEST_F(status, long_header)
{
	uint8_t raw[400] = { QUIC_LONG_HEADER | QUIC_FIXED_BIT, 0, 0, 0, 1 };

	start(self, 0);
	memcpy(raw + 84, self->sealed.wire, self->sealed.len);
	quic_sealed_start(&self->sealed);
	quic_sealed_raw(&self->sealed, raw, sizeof(raw), false);
	quic_expect_opened(_metadata, &self->env, &self->sealed);

	/* Its connection ID where a short header has it */
	memcpy(raw + 1, self->packet.dcid.id, DCID_LEN);
	quic_sealed_start(&self->sealed);
	quic_sealed_raw(&self->sealed, raw, sizeof(raw), false);
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

TEST_F(status, no_flow)
{
	uint8_t raw[400] = { QUIC_FIXED_BIT, 1, 2, 3 };
	unsigned int len;

	for (len = 1; len <= sizeof(raw); len += len < 30 ? 1 : 37) {
		quic_sealed_start(&self->sealed);
		quic_sealed_raw(&self->sealed, raw, len, true);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
	}
}

/* The flow is there, but not a sample: entries, and nothing opened. */
TEST_F(status, too_short_for_a_sample)
{
	uint8_t raw[1 + DCID_LEN + 20] = { QUIC_FIXED_BIT };
	size_t len;

	memcpy(raw + 1, self->packet.dcid.id, DCID_LEN);
	for (len = 1 + DCID_LEN; len < sizeof(raw); len++) {
		quic_sealed_start(&self->sealed);
		quic_sealed_raw(&self->sealed, raw, len, false);
		self->sealed.matched = true;
		quic_expect_opened(_metadata, &self->env, &self->sealed);
	}
	/* One byte more is a sample. */
	quic_sealed_start(&self->sealed);
	quic_sealed_raw(&self->sealed, raw, len, false);
	self->sealed.matched = true;
	self->sealed.entry[0].status = QUIC_RX_BAD_TAG;
	self->sealed.entry[0].conn_id_length = DCID_LEN;
	/* The header that is not protected may have either phase. */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1], 0));
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

/* RFC 9000 section 10.3: it looks like a packet of a connection, or of none. */
TEST_F(status, stateless_reset)
{
	uint8_t raw[41] = { QUIC_FIXED_BIT | 0x15, };
	unsigned int i;

	for (i = 1; i < sizeof(raw); i++)
		raw[i] = 37 * i;
	quic_sealed_start(&self->sealed);
	quic_sealed_raw(&self->sealed, raw, sizeof(raw), true);
	quic_expect_opened(_metadata, &self->env, &self->sealed);

	/* To a connection without connection ID */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1], 0));
	self->info[0].key.conn_id_length = 0;
	self->info[1].key.conn_id_length = 0;
	memset(self->info[0].key.conn_id, 0, sizeof(self->info[0].key.conn_id));
	memset(self->info[1].key.conn_id, 0, sizeof(self->info[1].key.conn_id));
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], 0));
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1], 0));
	quic_sealed_start(&self->sealed);
	quic_sealed_raw(&self->sealed, raw, sizeof(raw), false);
	self->sealed.matched = true;
	self->sealed.entry[0].status = QUIC_RX_BAD_TAG;
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

/* The key that the peer has gone on to is missing: the test opens the packet
 * with what was delivered, and installs the key.
 */
TEST_F(status, no_key)
{
	static struct quic_received received;
	struct quic_oracle *oracle = self->oracle[1];
	uint8_t wire[1500], header[1 + DCID_LEN + 4], plain[1500];
	size_t len;

	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
	EXPECT_STATUS(1, QUIC_RX_NO_KEY);

	/* The bytes that were delivered are what the AEAD was given: sealing
	 * the plaintext behind that header must give that payload.
	 */
	start(self, 1);
	ASSERT_EQ(self->sealed.len,
		  quic_sealed_send(self->env.tx, &self->env.to, &self->sealed));
	len = quic_received_get(&received, self->env.rx, sizeof(received.buf),
				sizeof(received.control), 0);
	ASSERT_EQ(self->sealed.len, len);
	ASSERT_EQ(1, received.count);
	ASSERT_EQ(QUIC_RX_NO_KEY, received.entry[0].status);
	ASSERT_EQ(self->packet.pn - 1, received.entry[0].pkt_num);
	memcpy(header, received.buf, self->sealed.header[0]);
	memcpy(plain, self->sealed.want, self->packet.len);
	memcpy(plain, header, self->sealed.header[0]);
	ASSERT_EQ(len, quic_oracle_protect(oracle, received.entry[0].pkt_num,
					   DCID_LEN, plain, self->packet.len,
					   wire));
	EXPECT_EQ(0, memcmp(wire, self->sealed.wire, len));
	EXPECT_EQ(0, memcmp(wire + self->sealed.header[0],
			    received.buf + self->sealed.header[0],
			    len - self->sealed.header[0]));

	/* Late packets of the old key, and those of the new one */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1],
				      self->packet.pn));
	EXPECT_STATUS(1, QUIC_RX_DECRYPTED);
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
	EXPECT_STATUS(1, QUIC_RX_DECRYPTED);
}

/* A bit of the packet for which there is no key is wrong: nobody can tell. */
TEST_F(status, no_key_bad_tag)
{
	start(self, 1);
	self->sealed.wire[self->sealed.len - 1] ^= 1;
	quic_sealed_expect(&self->sealed, 0, QUIC_RX_NO_KEY);
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

/* With the next key installed ahead nothing comes unopened. */
TEST_F(status, key_updates)
{
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1], 0));
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
	EXPECT_STATUS(1, QUIC_RX_DECRYPTED);
	self->packet.pn -= 10;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
	self->packet.pn += 10;

	/* The third takes the place of the first. */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[2], 0));
	EXPECT_STATUS(1, QUIC_RX_DECRYPTED);
	EXPECT_STATUS(0, QUIC_RX_BAD_TAG);
	EXPECT_STATUS(2, QUIC_RX_DECRYPTED);
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[3], 0));
	EXPECT_STATUS(1, QUIC_RX_BAD_TAG);
	EXPECT_STATUS(3, QUIC_RX_DECRYPTED);
	EXPECT_STATUS(2, QUIC_RX_DECRYPTED);
}

/* Everything in one message, of many datagrams */
TEST_F(status, mixed)
{
	struct quic_sealed *sealed = &self->sealed;
	uint8_t raw[300 + QUIC_TAG_SIZE] = { QUIC_FIXED_BIT, 9, 9 };
	unsigned int i;

	quic_sealed_start(sealed);
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++) {
		switch (i * i % 11) {
		case 1:
			raw[0] = QUIC_LONG_HEADER;
			quic_sealed_raw(sealed, raw, sizeof(raw), false);
			break;
		case 3:
			raw[0] = QUIC_FIXED_BIT;
			quic_sealed_raw(sealed, raw, sizeof(raw), true);
			break;
		case 4:
			add(self, 1);
			quic_sealed_expect(sealed, i, QUIC_RX_NO_KEY);
			break;
		case 5:
			add(self, 0);
			quic_sealed_flip(sealed, i, 8 * 100 + i % 8);
			break;
		default:
			add(self, 0);
		}
	}
	quic_expect_opened(_metadata, &self->env, sealed);
}

/* So many failures, and the key opens nothing any more; another one does. */
TEST_F(status, integrity_limit)
{
	static struct quic_received received;
	unsigned int i;

	ASSERT_EQ(0, quic_env_write_file(MAX_FAILURES, "3"));
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[1], 0));
	for (i = 0; i < 5; i++) {
		EXPECT_STATUS(0, i < 3 ? QUIC_RX_DECRYPTED : QUIC_RX_LIMIT);
		start(self, 0);
		quic_sealed_flip(&self->sealed, 0, 8 * 200);
		if (i >= 3)
			quic_sealed_expect(&self->sealed, 0, QUIC_RX_LIMIT);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
	}
	EXPECT_STATUS(1, QUIC_RX_DECRYPTED);
	/* Peeking does not count. */
	start(self, 1);
	quic_sealed_flip(&self->sealed, 0, 8 * 200);
	ASSERT_EQ(self->sealed.len,
		  quic_sealed_send(self->env.tx, &self->env.to, &self->sealed));
	for (i = 0; i < 10; i++) {
		quic_received_get(&received, self->env.rx, sizeof(received.buf),
				  sizeof(received.control), MSG_PEEK);
		ASSERT_EQ(NULL, quic_received_differs(&received, &self->sealed));
	}
	quic_expect_received(_metadata, &self->env, &self->sealed);
	EXPECT_STATUS(1, QUIC_RX_DECRYPTED);

	ASSERT_EQ(0, quic_env_write_file(MAX_FAILURES, NO_LIMIT));
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
}

/* Numbers: what was opened moves them, up; nothing else does. */
TEST_F(status, window)
{
	self->packet.pn_len = 1;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);		/* 1000 */
	self->packet.pn = 1128;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);		/* next was 1001 */
	self->packet.pn = 1129 + 129;
	EXPECT_STATUS(0, QUIC_RX_BAD_TAG);		/* one too far ahead */
	self->packet.pn = 1129 - 127;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);		/* as late as can be */
	self->packet.pn = 1129 - 128;
	EXPECT_STATUS(0, QUIC_RX_BAD_TAG);		/* later */
	self->packet.pn = 1129 + 128;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);		/* next was 1129 still */

	/* One without a key, one that fails, and ADD with a lower number */
	self->packet.pn_len = 2;
	self->packet.pn = 1258 + 20000;
	EXPECT_STATUS(1, QUIC_RX_NO_KEY);
	start(self, 0);
	quic_sealed_flip(&self->sealed, 0, 8 * 200);
	quic_expect_opened(_metadata, &self->env, &self->sealed);
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], 5));
	self->packet.pn_len = 1;
	self->packet.pn = 1258 + 128;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);

	/* ADD with a higher one */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info[0], 500000));
	self->packet.pn = 500000 + 128;
	EXPECT_STATUS(0, QUIC_RX_DECRYPTED);
}

/* Each packet of a message moves the numbers for the next one. */
TEST_F(status, window_within_a_message)
{
	unsigned int i;

	self->packet.pn_len = 1;
	quic_sealed_start(&self->sealed);
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++) {
		add(self, 0);
		self->packet.pn += 120;
	}
	quic_expect_opened(_metadata, &self->env, &self->sealed);

	/* Late ones move nothing. */
	self->packet.pn -= 242;
	quic_sealed_start(&self->sealed);
	for (i = 0; i < 5; i++) {
		add(self, 0);
		self->packet.pn -= 2;
	}
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

TEST_HARNESS_MAIN
