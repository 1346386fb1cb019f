// SPDX-License-Identifier: GPL-2.0
/* The auditor sees what it is there for: else its silence would mean nothing. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_capture.h"
#include "quic_race.h"

FIXTURE(audit) {
	struct quic_env env;
	struct quic_audit *audit;
	struct quic_capture *capture;
	struct quic_packet packet;
	struct quic_train train;
};

FIXTURE_VARIANT(audit) {
	int family;
};

FIXTURE_VARIANT_ADD(audit, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(audit, ipv6) { AF_INET6 };

FIXTURE_SETUP(audit)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->audit = quic_audit_new();
	self->capture = quic_capture_open(self->audit);
	ASSERT_NE(NULL, self->capture) {
		TH_LOG("%s", strerror(errno));
	}
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = 1200,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, QUIC_AUDIT_DCID_LEN, 0);
}

FIXTURE_TEARDOWN(audit)
{
	quic_capture_close(self->capture);
	quic_audit_free(self->audit);
	quic_env_close(&self->env);
}

static struct quic_keys keys_of(const FIXTURE_DATA(audit) *self,
				uint8_t generation)
{
	struct quic_keys keys;

	quic_audit_keys(&keys, self->packet.dcid.id, generation);
	return keys;
}

static void add_flow(struct __test_metadata *_metadata,
		     const FIXTURE_DATA(audit) *self, int fd, uint8_t generation)
{
	struct quic_keys keys = keys_of(self, generation);
	struct quic_connection_info info;

	quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
}

/* Send @count packets, protected by the kernel if @encrypts. */
static void send_train(struct __test_metadata *_metadata,
		       FIXTURE_DATA(audit) *self, int fd, unsigned int count,
		       bool encrypts)
{
	struct quic_msg msg;

	quic_train_build(&self->train, self->packet, count, 0);
	msg = quic_msg(fd, &self->env.to, &self->train);
	msg.encrypts = encrypts;
	ASSERT_EQ(self->train.len, quic_send(&msg)) {
		TH_LOG("%s", strerror(errno));
	}
	self->packet.pn += count;
}

/* What has been seen in all */
static void expect(struct __test_metadata *_metadata, FIXTURE_DATA(audit) *self,
		   struct quic_audit_count expected)
{
	struct quic_audit_count *count = quic_audit_count(self->audit);

	quic_capture_read(self->capture);
	EXPECT_EQ(expected.datagrams, count->datagrams);
	EXPECT_EQ(expected.nonces, count->nonces);
	EXPECT_EQ(expected.leaked, count->leaked);
	EXPECT_EQ(expected.not_opened, count->not_opened);
	EXPECT_EQ(expected.reused, count->reused);
	EXPECT_EQ(0, count->lost);
	EXPECT_EQ(!expected.leaked && !expected.not_opened && !expected.reused,
		  quic_audit_verdict(count));
}

TEST_F(audit, every_cipher_and_generation)
{
	unsigned int generation, cipher;

	for (cipher = 0; cipher < QUIC_NUM_CIPHERS; cipher++) {
		self->packet.dcid.id[0] = cipher;
		for (generation = 254; generation < 258; generation++) {
			add_flow(_metadata, self, self->env.tx, generation);
			self->packet.flags = QUIC_FIXED_BIT |
				(generation & 1 ? QUIC_KEY_PHASE : 0);
			send_train(_metadata, self, self->env.tx, 1, true);
			send_train(_metadata, self, self->env.tx, 40, true);
		}
	}
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = 16 * 41, .nonces = 16 * 41 });
}

TEST_F(audit, plain_text)
{
	send_train(_metadata, self, self->env.tx, 1, false);
	expect(_metadata, self, (struct quic_audit_count) { .leaked = 1 });
	send_train(_metadata, self, self->env.tx, 2, false);
	expect(_metadata, self, (struct quic_audit_count) { .leaked = 2 });
}

TEST_F(audit, plain_text_in_fragments)
{
	self->packet.len = 5000;
	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	send_train(_metadata, self, self->env.tx, 1, false);
	expect(_metadata, self, (struct quic_audit_count) { .leaked = 1 });
	EXPECT_LT(1, quic_audit_count(self->audit)->fragments);
}

TEST_F(audit, plain_text_that_may_be)
{
	struct sockaddr_in6 *sin6 = (void *)&self->env.to.ss;

	/* sin_port is at the same place. */
	quic_audit_port(self->audit, sin6->sin6_port, QUIC_AUDIT_PLAIN);
	send_train(_metadata, self, self->env.tx, 2, false);
	expect(_metadata, self, (struct quic_audit_count) {});

	quic_audit_port(self->audit, sin6->sin6_port, QUIC_AUDIT_BYTES);
	self->packet.len = 20;
	send_train(_metadata, self, self->env.tx, 2, false);
	expect(_metadata, self, (struct quic_audit_count) {});
	self->packet.len = 100;
	send_train(_metadata, self, self->env.tx, 2, false);
	expect(_metadata, self, (struct quic_audit_count) { .leaked = 1 });
}

TEST_F(audit, plain_text_of_races)
{
	struct sockaddr_in6 *sin6 = (void *)&self->env.to.ss;
	struct quic_race_flow flow;
	unsigned int seed, sent;
	struct quic_msg msg;

	quic_audit_port(self->audit, sin6->sin6_port, QUIC_AUDIT_BYTES);
	quic_race_flow_init(&flow, 0);
	for (seed = 1, sent = 0; sent < 100; sent++) {
		quic_race_train(&self->train, &flow, sent, &seed);
		msg = quic_msg(self->env.tx, &self->env.to, &self->train);
		msg.encrypts = 0;
		ASSERT_EQ(self->train.len, quic_send(&msg));
	}
	expect(_metadata, self, (struct quic_audit_count) { .leaked = sent });
}

TEST_F(audit, plain_text_too_short_for_the_marker)
{
	self->packet.len = 26;
	send_train(_metadata, self, self->env.tx, 1, false);
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = 1, .not_opened = 1 });
}

/* The guard of the kernel is per flow: two flows with one key can do it. */
TEST_F(audit, nonce_used_twice)
{
	int other = quic_env_socket(&self->env);

	add_flow(_metadata, self, self->env.tx, 0);
	add_flow(_metadata, self, other, 0);

	/* Three packets, and the same ones */
	send_train(_metadata, self, self->env.tx, 3, true);
	self->packet.pn -= 3;
	send_train(_metadata, self, other, 3, true);
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = 6, .nonces = 3 });

	/* The same numbers in another generation */
	add_flow(_metadata, self, self->env.tx, 1);
	self->packet.pn -= 3;
	self->packet.flags ^= QUIC_KEY_PHASE;
	send_train(_metadata, self, self->env.tx, 3, true);
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = 9, .nonces = 6 });

	/* One of them for something else */
	self->packet.flags ^= QUIC_KEY_PHASE;
	send_train(_metadata, self, self->env.tx, 1, true);
	self->packet.pn--;
	self->packet.len++;
	send_train(_metadata, self, other, 3, true);
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = 13, .nonces = 9, .reused = 1 });
	close(other);
}

/* Packets that the test has protected itself, more or less well */
TEST_F(audit, spoilt_packets)
{
	size_t at[] = { 3, 11, 600, 1200 - 1, 1200 + QUIC_TAG_SIZE - 1 }, len;
	struct quic_keys keys = keys_of(self, 0);
	struct quic_oracle *oracle = quic_oracle_new(&keys);
	uint8_t protected[2000];
	unsigned int i;

	quic_train_build(&self->train, self->packet, 1, 0);
	len = quic_oracle_protect(oracle, self->packet.pn, QUIC_AUDIT_DCID_LEN,
				  self->train.buf, self->train.len, protected);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		protected[at[i]] ^= 4;
		ASSERT_EQ(len, sendto(self->env.tx, protected, len, 0,
				      (void *)&self->env.to.ss,
				      self->env.to.len));
		protected[at[i]] ^= 4;
	}
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = i, .not_opened = i });

	/* Protected with the key of the other phase */
	self->train.buf[0] ^= QUIC_KEY_PHASE;
	len = quic_oracle_protect(oracle, self->packet.pn, QUIC_AUDIT_DCID_LEN,
				  self->train.buf, self->train.len, protected);
	ASSERT_EQ(len, sendto(self->env.tx, protected, len, 0,
			      (void *)&self->env.to.ss, self->env.to.len));
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = i + 1, .not_opened = i + 1 });
	quic_oracle_free(oracle);
}

TEST_F(audit, watching_process)
{
	unsigned int i;

	ASSERT_EQ(0, quic_capture_watch(self->capture));
	add_flow(_metadata, self, self->env.tx, 0);
	for (i = 0; i < 100; i++)
		send_train(_metadata, self, self->env.tx, 40, true);
	send_train(_metadata, self, self->env.tx, 2, false);
	ASSERT_EQ(0, quic_capture_stop(self->capture));
	expect(_metadata, self, (struct quic_audit_count) {
		.datagrams = 4000, .nonces = 4000, .leaked = 1 });
}

/* What was lost may have been anything. */
TEST(too_much_was_lost)
{
	struct quic_audit_count count = { .searched = 100, .lost = 10 };

	EXPECT_TRUE(quic_audit_verdict(&count));
	count.lost++;
	EXPECT_FALSE(quic_audit_verdict(&count));
}

TEST_HARNESS_MAIN
