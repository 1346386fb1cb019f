// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg() with every failure that it can meet: all of a train is sent or
 * nothing, and what can be sent with its numbers later.
 */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_fail.h"

#define DCID_LEN	8
#define PIECES		9	/* more than the kernel has room for on its stack */
#define SLACK		6	/* sites more or less that this room may take */

FIXTURE(sends) {
	struct quic_env env;
	struct quic_fail fail;
	struct quic_probe probe;
	struct quic_search search;
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
	struct quic_msghdr hdr;
	struct iovec iov[PIECES];
	unsigned int outside;		/* sites before the ULP is called */
	bool sent;			/* UDP gave packets away and then failed */
};

FIXTURE_VARIANT(sends) {
	int family;
	unsigned int cipher;
};

FIXTURE_VARIANT_ADD(sends, ipv4_gcm_128) { AF_INET, QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(sends, ipv6_gcm_256) { AF_INET6, QUIC_AES_GCM_256 };
FIXTURE_VARIANT_ADD(sends, mapped_ccm_128) { QUIC_MAPPED, QUIC_AES_CCM_128 };
FIXTURE_VARIANT_ADD(sends, ipv6_chacha20) { AF_INET6, QUIC_CHACHA20_POLY1305 };

FIXTURE_SETUP(sends)
{
	const char *reason = quic_fail_open(&self->fail);
	struct quic_connection_info info;
	struct quic_keys keys;
	unsigned int i;

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, quic_probe_open(&self->probe));
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	ASSERT_EQ(0, quic_search_open(&self->search, &self->env));

	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 4,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, variant->cipher);
	for (i = 0; i < 2; i++) {
		quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1, i);
		quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
		self->phase[i] = quic_oracle_new(&keys);
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	}
	ASSERT_EQ(0, quic_probe_limit(&self->probe, "1"));
}

FIXTURE_TEARDOWN(sends)
{
	quic_oracle_free(self->phase[0]);
	quic_oracle_free(self->phase[1]);
	quic_search_close(&self->search);
	quic_probe_close(&self->probe);
	quic_env_close(&self->env);
	quic_fail_close(&self->fail);
}

/* What is sent, and what may fail */
struct shape {
	const char *name;
	unsigned int count;	/* packets */
	size_t len;		/* of each, the last has half as much */
	bool flip;		/* the key phase changes from packet to packet */
	bool pieces;		/* the message is in pieces, with more to say */
	bool after;		/* it may fail when UDP has got all of it */
};

/* The next numbers */
static void next_train(FIXTURE_DATA(sends) *self, const struct shape *shape)
{
	struct quic_train *train = &self->train;
	struct quic_packet packet = self->packet;
	struct quic_msg msg;
	unsigned int i;
	size_t piece;

	train->count = 0;
	for (i = 0; i < shape->count; i++, packet.pn++) {
		packet.flags = QUIC_FIXED_BIT;
		if (shape->flip && i % 2)
			packet.flags |= QUIC_KEY_PHASE;
		packet.len = shape->len;
		if (i && i == shape->count - 1)
			packet.len /= 2;
		quic_train_add(train, &packet);
	}
	self->packet.pn = packet.pn + 1000;

	msg = quic_msg(self->env.tx, &self->env.to, train);
	/* One control message is no allocation before the ULP. */
	if (!shape->pieces)
		msg.gso = -1;
	quic_msghdr_init(&self->hdr, &msg);
	if (!shape->pieces)
		return;
	piece = train->len / PIECES;
	for (i = 0; i < PIECES; i++) {
		self->iov[i].iov_base = train->buf + i * piece;
		self->iov[i].iov_len = piece;
	}
	self->iov[i - 1].iov_len += train->len % PIECES;
	self->hdr.mh.msg_iov = self->iov;
	self->hdr.mh.msg_iovlen = PIECES;
}

static void change_contents(FIXTURE_DATA(sends) *self)
{
	unsigned int i;

	for (i = 0; i < self->train.count; i++)
		self->train.buf[self->train.at[i + 1] - 1] ^= 0xff;
}

static ssize_t send_train(FIXTURE_DATA(sends) *self)
{
	return sendmsg(self->env.tx, &self->hdr.mh, 0);
}

/* The sites up to the ULP are those of a call that it refuses at once. */
static unsigned int sites_outside(struct __test_metadata *_metadata,
				  FIXTURE_DATA(sends) *self)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&self->hdr.mh);
	struct quic_tx_ancillary_data *anc = (void *)CMSG_DATA(cmsg);
	unsigned int fewest = UINT_MAX, sites, i;

	anc->flags = ~QUIC_BYPASS_ENCRYPTION;
	/* Only a new slab has more of them. */
	for (i = 0; i < 10; i++) {
		quic_fail_count(&self->fail);
		ASSERT_EQ(-1, send_train(self));
		ASSERT_EQ(EINVAL, errno);
		sites = quic_fail_counted(&self->fail);
		if (sites < fewest)
			fewest = sites;
	}
	anc->flags = 0;
	return fewest;
}

static struct quic_use get_use(struct __test_metadata *_metadata,
			       FIXTURE_DATA(sends) *self)
{
	struct quic_use use = {};

	ASSERT_EQ(0, quic_use_get(&use, self->env.tx, &self->probe));
	return use;
}

static void expect_use(struct __test_metadata *_metadata,
		       FIXTURE_DATA(sends) *self,
		       const struct quic_use *expected)
{
	struct quic_use use = get_use(_metadata, self);
	const char *difference = quic_use_differs(expected, &use);

	ASSERT_EQ(NULL, difference) {
		TH_LOG("failure %u (%s): %s", self->fail.site,
		       strerrorname_np(self->fail.err), difference);
	}
}

/* Nothing was sent: is that counted, and can the numbers be used? */
static void expect_failed(struct __test_metadata *_metadata,
			  FIXTURE_DATA(sends) *self, const struct shape *shape,
			  struct quic_use *use)
{
	bool outside = self->fail.site <= self->outside;
	bool unsure = shape->pieces &&
		      self->fail.site + SLACK > self->outside &&
		      self->fail.site <= self->outside + SLACK;
	int err = self->fail.err;
	uint8_t byte;

	ASSERT_TRUE(self->fail.hit);
	ASSERT_TRUE(err == ENOBUFS || err == EFAULT ||
		    (unsure && err == ENOMEM)) {
		TH_LOG("failure %u: %s", self->fail.site, strerrorname_np(err));
	}
	if (unsure)
		outside = quic_stat("QuicTxSwError") == use->errors;
	use->errors += !outside;
	expect_use(_metadata, self, use);
	ASSERT_EQ(0, quic_search(&self->search));
	ASSERT_EQ(-1, recv(self->env.rx, &byte, 1, MSG_DONTWAIT));

	change_contents(self);
	if (send_train(self) == self->train.len)
		return;
	ASSERT_EQ(ERANGE, errno) {
		TH_LOG("%s after failure %u (%s)", strerrorname_np(errno),
		       self->fail.site, strerrorname_np(err));
	}
	/* UDP had got all of it, and no memory for what comes then. */
	ASSERT_TRUE(shape->after);
	ASSERT_EQ(ENOBUFS, err);
	ASSERT_FALSE(outside);
	use->errors++;
	self->sent = true;
	next_train(self, shape);
	ASSERT_EQ(self->train.len, send_train(self));
}

static void try_shape(struct __test_metadata *_metadata,
		      FIXTURE_DATA(sends) *self, const struct shape *shape)
{
	struct quic_use use;
	ssize_t ret;

	next_train(self, shape);
	use = get_use(_metadata, self);

	quic_fail_next(&self->fail);
	ret = send_train(self);
	quic_fail_end(&self->fail, ret);

	if (ret < 0)
		expect_failed(_metadata, self, shape, &use);
	else
		ASSERT_EQ(self->train.len, ret);
	ASSERT_EQ(self->train.count,
		  quic_receive(self->env.rx, self->phase, &self->train)) {
		TH_LOG("failure %u (%s)", self->fail.site,
		       strerrorname_np(self->fail.err));
	}
	/* If the call succeeds, what has failed may be the capture's copy. */
	ASSERT_LE(self->fail.hit && !self->fail.err ? 0 : 1,
		  quic_search(&self->search));

	/* Sent once, and only once. */
	ASSERT_EQ(-1, send_train(self));
	ASSERT_EQ(ERANGE, errno);
	ASSERT_EQ(0, quic_search(&self->search));
	use.errors++;
	use.packets += self->train.count;
	expect_use(_metadata, self, &use);
}

static void walk(struct __test_metadata *_metadata, FIXTURE_DATA(sends) *self,
		 const struct shape *shape)
{
	int gso = shape->count > 1 ? shape->len + QUIC_TAG_SIZE : 0;
	/*
	 * The message, its address and control messages; the DCID, the state of
	 * the train, the skb, each packet.
	 */
	unsigned int told = 3 + 3 + shape->count, i;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &gso,
				sizeof(gso)));
	/* Routes and neighbours are found the first time. */
	next_train(self, shape);
	self->outside = sites_outside(_metadata, self);
	ASSERT_EQ(self->train.len, send_train(self));
	ASSERT_EQ(self->train.count,
		  quic_receive(self->env.rx, self->phase, &self->train));
	ASSERT_LE(1, quic_search(&self->search));

	self->sent = false;
	for (i = 0; i < QUIC_FAIL_PASSES &&
		    (self->fail.told < told || self->sent != shape->after); i++) {
		quic_fail_first(&self->fail);
		do
			try_shape(_metadata, self, shape);
		while (self->fail.hit);
		TH_LOG("%s: %u failures told, %u survived", shape->name,
		       self->fail.told, self->fail.survived);
	}
	EXPECT_LE(told, self->fail.told);
	EXPECT_EQ(shape->after, self->sent);
}

static int set_loopback(FIXTURE_DATA(sends) *self, const char *what)
{
	char command[50];

	snprintf(command, sizeof(command), "ip link set lo %s", what);
	if (seteuid(0) || system(command))
		return -1;
	return quic_probe_limit(&self->probe, "1");
}

TEST_F_TIMEOUT(sends, small_packet, 300)
{
	static const struct shape shape = { "a small packet", 1, 40 };

	walk(_metadata, self, &shape);
}

TEST_F_TIMEOUT(sends, packet, 300)
{
	static const struct shape shape = { "a packet", 1, 1400 };

	walk(_metadata, self, &shape);
}

TEST_F_TIMEOUT(sends, largest_packet, 300)
{
	static const struct shape shape = { "the largest packet", 1, 65000 };

	walk(_metadata, self, &shape);
}

TEST_F_TIMEOUT(sends, pieces_of_memory, 300)
{
	static const struct shape shape = {
		"a train in pieces of memory", 3, 1000, .pieces = true };

	walk(_metadata, self, &shape);
}

TEST_F_TIMEOUT(sends, small_train, 300)
{
	static const struct shape shape = {
		"a small train with both keys", 6, 60, .flip = true };

	walk(_metadata, self, &shape);
}

TEST_F_TIMEOUT(sends, train, 300)
{
	static const struct shape shape = {
		"a train with both keys", 44, 1436, .flip = true };

	walk(_metadata, self, &shape);
}

/* IPv6 copies the header for the fragments when UDP has got them. */
TEST_F_TIMEOUT(sends, fragments, 300)
{
	struct shape shape = {
		"a packet in fragments", 1, 4000,
		.after = variant->family == AF_INET6,
	};

	ASSERT_EQ(0, set_loopback(self, "mtu 1500"));
	walk(_metadata, self, &shape);
}

/* A device that takes no segments: they are cut when UDP has got them. */
TEST_F_TIMEOUT(sends, cut_by_software, 300)
{
	static const struct shape shape = {
		"a train cut by software", 5, 1400, .flip = true,
		.after = true };

	ASSERT_EQ(0, set_loopback(self, "gso_max_segs 1"));
	walk(_metadata, self, &shape);
}

TEST_HARNESS_MAIN
