// SPDX-License-Identifier: GPL-2.0
/* UDP_QUIC_FLOW_INFO: what the kernel tells of a flow, next to what was done with it */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <linux/tls.h>

#include "kselftest_harness.h"
#include "quic_expect.h"
#include "quic_rx_expect.h"

#define SIZE		sizeof(struct quic_flow_info)
#define ASKED		offsetofend(struct quic_flow_info, direction)
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))
#define GENERATION	254
#define DCID_LEN	8

FIXTURE(flow_info) {
	struct quic_env env;
	struct quic_rx_env rx;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_sealed sealed;
	struct quic_keys keys[4];		/* generations from GENERATION on */
	struct quic_connection_info info[4];
	struct quic_flow_info want;
};

FIXTURE_VARIANT(flow_info) {
	int cipher;
	int family;
};

FIXTURE_VARIANT_ADD(flow_info, aes_gcm_128_ipv4) {
	QUIC_AES_GCM_128, AF_INET };
FIXTURE_VARIANT_ADD(flow_info, aes_gcm_256_ipv6) {
	QUIC_AES_GCM_256, AF_INET6 };
FIXTURE_VARIANT_ADD(flow_info, aes_ccm_128_mapped) {
	QUIC_AES_CCM_128, QUIC_MAPPED };
FIXTURE_VARIANT_ADD(flow_info, chacha20_poly1305_ipv4) {
	QUIC_CHACHA20_POLY1305, AF_INET };

FIXTURE_SETUP(flow_info)
{
	const struct quic_cipher *cipher = &quic_ciphers[variant->cipher];
	int i;

	self->packet = (struct quic_packet) {
		.pn = 70000,
		.pn_len = 3,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < 4; i++) {
		quic_keys_derive(&self->keys[i], cipher, 1, GENERATION + i);
		quic_flow_info(&self->info[i], &self->keys[i],
			       &self->packet.dcid, NULL);
	}
	self->want = (struct quic_flow_info) {
		.key = self->info[0].key,
		.conn_payload_key_gen = GENERATION,
		.key_gens = 1,
		.cipher_type = cipher->type,
	};
}

FIXTURE_TEARDOWN(flow_info)
{
}

static int ask(int fd, void *value, socklen_t *len)
{
	return getsockopt(fd, SOL_UDP, UDP_QUIC_FLOW_INFO, value, len);
}

/* Of the flow that @want names the kernel tells the rest of it. */
static void expect_info(struct __test_metadata *_metadata, int fd,
			const struct quic_flow_info *want)
{
	struct quic_flow_info seen;
	socklen_t len = SIZE;

	memset(&seen, 0xa5, SIZE);
	memcpy(&seen, want, ASKED);
	ASSERT_EQ(0, ask(fd, &seen, &len));
	ASSERT_EQ(SIZE, len);
	EXPECT_EQ(want->next_pkt_num, seen.next_pkt_num);
	EXPECT_EQ(want->packets_left, seen.packets_left);
	EXPECT_EQ(want->packets, seen.packets);
	EXPECT_EQ(want->bytes, seen.bytes);
	ASSERT_EQ(0, memcmp(want, &seen, SIZE));
}

static void expect_error(struct __test_metadata *_metadata, int fd,
			 const struct quic_flow_info *info, int err)
{
	struct quic_flow_info seen = *info;
	socklen_t len = SIZE;

	ASSERT_EQ(-1, ask(fd, &seen, &len));
	ASSERT_EQ(err, errno) {
		TH_LOG("%s instead of %s", strerrorname_np(errno),
		       strerrorname_np(err));
	}
	ASSERT_EQ(0, memcmp(info, &seen, SIZE));
	ASSERT_EQ(SIZE, len);
}

static void open_tx(struct __test_metadata *_metadata,
		    FIXTURE_DATA(flow_info) *self,
		    const FIXTURE_VARIANT(flow_info) *variant)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info[0]));
	self->want.direction = QUIC_CAP_TX;
	self->want.packets_left = self->keys[0].cipher->max_packets;
}

/* A train of @count packets, the first ones of generation @first */
static void send_train(struct __test_metadata *_metadata,
		       FIXTURE_DATA(flow_info) *self, unsigned int count,
		       int err)
{
	struct quic_msg msg;

	quic_train_build(&self->train, self->packet, count, 40);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	if (err) {
		ASSERT_EQ(-1, quic_send(&msg));
		ASSERT_EQ(err, errno);
		return;
	}
	ASSERT_EQ(self->train.len, quic_send(&msg));
	self->packet.pn += count;
	self->want.next_pkt_num = self->packet.pn;
	self->want.packets_left -= count;
	self->want.packets += count;
	self->want.bytes += self->train.len + count * QUIC_TAG_SIZE;
}

TEST_F(flow_info, tx)
{
	unsigned int i;

	open_tx(_metadata, self, variant);
	expect_info(_metadata, self->env.tx, &self->want);
	for (i = 0; i < 4; i++) {
		if (i) {
			ASSERT_EQ(0, quic_flow_add(self->env.tx,
						   &self->info[i]));
			self->packet.flags ^= QUIC_KEY_PHASE;
			self->want.conn_payload_key_gen++;
			self->want.key_gens = 2;
			self->want.packets_left =
				self->keys[0].cipher->max_packets;
			expect_info(_metadata, self->env.tx, &self->want);
		}
		send_train(_metadata, self, 20, 0);
		expect_info(_metadata, self->env.tx, &self->want);
		send_train(_metadata, self, 1, 0);
		expect_info(_metadata, self->env.tx, &self->want);
	}
	/* The generation before protects what is still sent with it. */
	self->packet.flags ^= QUIC_KEY_PHASE;
	send_train(_metadata, self, 3, 0);
	self->want.packets_left += 3;
	expect_info(_metadata, self->env.tx, &self->want);
	quic_env_close(&self->env);
}

/* How far a flow has come does not go with the key that it was done with. */
TEST_F(flow_info, tx_unused_keys)
{
	unsigned int i;

	open_tx(_metadata, self, variant);
	send_train(_metadata, self, 5, 0);
	for (i = 1; i < 4; i++) {
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info[i]));
		self->want.conn_payload_key_gen++;
		self->want.key_gens = 2;
		self->want.packets_left = self->keys[0].cipher->max_packets;
		expect_info(_metadata, self->env.tx, &self->want);
	}
	quic_env_close(&self->env);
}

/* What is not sent leaves nothing. */
TEST_F(flow_info, tx_refused)
{
	open_tx(_metadata, self, variant);
	send_train(_metadata, self, 2, 0);
	self->packet.pn--;
	send_train(_metadata, self, 2, ERANGE);
	self->packet.pn++;
	self->packet.flags ^= QUIC_KEY_PHASE;
	send_train(_metadata, self, 2, ENOKEY);
	expect_info(_metadata, self->env.tx, &self->want);
	quic_env_close(&self->env);
}

static void open_rx(struct __test_metadata *_metadata,
		    FIXTURE_DATA(flow_info) *self,
		    const FIXTURE_VARIANT(flow_info) *variant)
{
	ASSERT_EQ(0, quic_rx_env_open(&self->rx, variant->family));
	ASSERT_EQ(0, quic_rx_flow_add(self->rx.rx, &self->info[0], 69000));
	self->want.direction = QUIC_CAP_RX;
	self->want.next_pkt_num = 69000;
	self->want.packets_left = self->keys[0].cipher->max_failures;
}

TEST_F(flow_info, rx)
{
	struct quic_oracle *oracle;
	unsigned int i;

	open_rx(_metadata, self, variant);
	expect_info(_metadata, self->rx.rx, &self->want);
	for (i = 0; i < 4; i++) {
		oracle = quic_oracle_new(&self->keys[i]);
		if (i) {
			ASSERT_EQ(0, quic_rx_flow_add(self->rx.rx,
						      &self->info[i], 0));
			self->packet.flags ^= QUIC_KEY_PHASE;
			self->want.conn_payload_key_gen++;
			self->want.key_gens = 2;
			self->want.packets_left =
				self->keys[0].cipher->max_failures;
			expect_info(_metadata, self->rx.rx, &self->want);
		}
		/* Ten packets, of which two are spoiled */
		quic_sealed_build(&self->sealed, oracle, GENERATION + i,
				  self->packet, 10, 0);
		quic_sealed_flip(&self->sealed, 3, 100);
		quic_sealed_flip(&self->sealed, 9, 2000);
		quic_expect_opened(_metadata, &self->rx, &self->sealed);
		self->packet.pn += 10;
		self->want.next_pkt_num = self->packet.pn - 1;
		self->want.packets_left -= 2;
		self->want.packets += 8;
		self->want.bytes += 8 * (self->packet.len + QUIC_TAG_SIZE);
		expect_info(_metadata, self->rx.rx, &self->want);
		quic_oracle_free(oracle);
	}
	/* ADD may say that more has been received. */
	ASSERT_EQ(0, quic_rx_flow_add(self->rx.rx, &self->info[3], 90000));
	self->want.next_pkt_num = 90000;
	expect_info(_metadata, self->rx.rx, &self->want);
	quic_rx_env_close(&self->rx);
}

/* To look at packets is not to receive them. */
TEST_F(flow_info, rx_peek)
{
	struct quic_oracle *oracle = quic_oracle_new(&self->keys[0]);
	static struct quic_received received;

	open_rx(_metadata, self, variant);
	quic_sealed_build(&self->sealed, oracle, GENERATION, self->packet, 4, 0);
	quic_sealed_flip(&self->sealed, 1, 200);
	ASSERT_EQ(self->sealed.len, quic_sealed_send(self->rx.tx, &self->rx.to,
						     &self->sealed));
	ASSERT_EQ(self->sealed.len,
		  quic_received_get(&received, self->rx.rx,
				    sizeof(received.buf),
				    sizeof(received.control), MSG_PEEK));
	expect_info(_metadata, self->rx.rx, &self->want);
	quic_oracle_free(oracle);
	quic_rx_env_close(&self->rx);
}

/* A flow is named as for DEL, and both directions are flows of their own. */
TEST_F(flow_info, which)
{
	struct quic_flow_info other;

	open_tx(_metadata, self, variant);
	other = self->want;
	other.direction = QUIC_CAP_RX;
	expect_error(_metadata, self->env.tx, &other, ENOENT);
	ASSERT_EQ(0, quic_rx_flow_add(self->env.tx, &self->info[1], 5));
	other.conn_payload_key_gen++;
	other.next_pkt_num = 5;
	other.packets_left = self->keys[0].cipher->max_failures;
	expect_info(_metadata, self->env.tx, &other);
	expect_info(_metadata, self->env.tx, &self->want);

	/* One that is for a peer alone */
	quic_flow_info(&self->info[2], &self->keys[2], &self->packet.dcid,
		       &self->env.to);
	self->want.key = self->info[2].key;
	expect_error(_metadata, self->env.tx, &self->want, ENOENT);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info[2]));
	self->want.conn_payload_key_gen += 2;
	expect_info(_metadata, self->env.tx, &self->want);
	ASSERT_EQ(0, quic_flow_del(self->env.tx, &self->info[2]));
	expect_error(_metadata, self->env.tx, &self->want, ENOENT);
	quic_env_close(&self->env);
}

TEST_F(flow_info, errors)
{
	struct quic_flow_info bad;
	socklen_t len;
	char name[16];

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->want.direction = QUIC_CAP_TX;
	/* Without the ULP it is not UDP's, and does not attach it. */
	expect_error(_metadata, self->env.tx, &self->want, ENOPROTOOPT);
	len = sizeof(name);
	ASSERT_EQ(0, getsockopt(self->env.tx, SOL_UDP, UDP_ULP, name, &len));
	ASSERT_EQ(0, len);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info[0]));

#define EXPECT_EINVAL(change)						\
	do {								\
		bad = self->want;					\
		change;							\
		expect_error(_metadata, self->env.tx, &bad, EINVAL);	\
	} while (0)

	EXPECT_EINVAL(bad.direction = 0);
	EXPECT_EINVAL(bad.direction = QUIC_CAP_TX | QUIC_CAP_RX);
	EXPECT_EINVAL(bad.direction = 4);
	EXPECT_EINVAL(bad.key.conn_id_length = 21);
	EXPECT_EINVAL(bad.key.conn_id[0] = 1);
	EXPECT_EINVAL(bad.key.udp_port = 1);
	EXPECT_EINVAL(bad.key.family = AF_UNIX);
	EXPECT_EINVAL(bad.key.__reserved1 = 1);
	EXPECT_EINVAL(bad.key.__reserved2 = 1);
	bad = self->want;
	bad.key.conn_id[19] ^= 1;
	expect_error(_metadata, self->env.tx, &bad, ENOENT);

	len = -1;
	EXPECT_EQ(-1, ask(self->env.tx, &bad, &len));
	EXPECT_EQ(EINVAL, errno);
	len = SIZE;
	EXPECT_EQ(-1, ask(self->env.tx, NULL, &len));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ask(self->env.tx, &bad, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP, UDP_QUIC_FLOW_INFO,
				 &self->want, SIZE));
	EXPECT_EQ(ENOPROTOOPT, errno);
	quic_env_close(&self->env);
}

/* What there is room for, and no byte more; nothing without room to ask */
TEST_F(flow_info, lengths)
{
	uint8_t seen[SIZE + 8], expected[SIZE + 8];
	socklen_t room, len, i;

	open_tx(_metadata, self, variant);
	send_train(_metadata, self, 7, 0);
	for (i = 0; i <= sizeof(seen); i++) {
		room = i;
		memset(seen, 0xaa, sizeof(seen));
		memcpy(seen, &self->want, ASKED);
		memcpy(expected, seen, sizeof(seen));
		if (i < ASKED) {
			ASSERT_EQ(-1, ask(self->env.tx, seen, &room));
			ASSERT_EQ(EINVAL, errno);
			ASSERT_EQ(i, room);
		} else {
			len = room < SIZE ? room : SIZE;
			memcpy(expected, &self->want, len);
			ASSERT_EQ(0, ask(self->env.tx, seen, &room));
			ASSERT_EQ(len, room);
		}
		ASSERT_EQ(0, memcmp(expected, seen, sizeof(seen)));
	}
	quic_env_close(&self->env);
}

struct updater {
	int fd;
	const struct quic_keys *keys;
	const struct quic_connection_info *info;
	bool stop;
	unsigned int updates;
	int err;
};

static void *update(void *arg)
{
	struct updater *updater = arg;
	struct quic_connection_info info = updater->info[0];

	while (!__atomic_load_n(&updater->stop, __ATOMIC_ACQUIRE)) {
		info.conn_payload_key_gen++;
		info.payload_key[0]++;
		if (quic_flow_add(updater->fd, &info)) {
			updater->err = errno;
			break;
		}
		__atomic_add_fetch(&updater->updates, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Every packet counts, also one whose key is retired while it is sent. */
TEST_F(flow_info, tx_updates)
{
	struct updater updater = { .info = self->info };
	struct quic_flow_info seen;
	unsigned int i, packets = 0;
	pthread_t thread;
	uint64_t bytes = 0;

	open_tx(_metadata, self, variant);
	updater.fd = self->env.tx;
	ASSERT_EQ(0, pthread_create(&thread, NULL, update, &updater));
	for (i = 0; i < 300; i++) {
		struct quic_msg msg;

		quic_train_build(&self->train, self->packet, 5, 0);
		msg = quic_msg(self->env.tx, &self->env.to, &self->train);
		self->packet.pn += 5;
		self->packet.flags ^= QUIC_KEY_PHASE;
		if (quic_send(&msg) < 0) {
			ASSERT_EQ(ENOKEY, errno);
			continue;
		}
		packets += 5;
		bytes += self->train.len + 5 * QUIC_TAG_SIZE;
	}
	/* On one processor they may not have met yet. */
	while (!__atomic_load_n(&updater.updates, __ATOMIC_ACQUIRE))
		usleep(1000);
	__atomic_store_n(&updater.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, updater.err);
	seen = self->want;
	ASSERT_EQ(0, quic_flow_ask(self->env.tx, &seen));
	EXPECT_EQ(packets, seen.packets);
	EXPECT_EQ(bytes, seen.bytes);
	EXPECT_EQ(packets, quic_stat("QuicTxSwPackets"));
	quic_env_close(&self->env);
}

TEST_HARNESS_MAIN
