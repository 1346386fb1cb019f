// SPDX-License-Identifier: GPL-2.0
/*
 * recvmsg() with every failure that it can meet: a message is delivered opened,
 * or as it came, or is lost as plain UDP loses it, and the next one is as it
 * should be.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/ethtool.h>

#include "kselftest_harness.h"
#include "quic_fail.h"
#include "quic_rx_expect.h"
#include "quic_rx_path.h"

#define DCID_LEN	8
#define GENERATION	4
#define NOBODY		(~0U)

FIXTURE(receive) {
	struct quic_rx_path path;
	struct quic_rx_env *env;
	struct quic_fail fail;
	struct quic_oracle *oracle;
	struct quic_packet packet;
	struct quic_sealed sealed;
	struct quic_sealed part;	/* the one of its messages that is read */
	struct quic_received received;
	unsigned int opened, as_they_came, lost;
};

FIXTURE_VARIANT(receive) {
	int family;
	unsigned int cipher;
	bool list;		/* messages are lists of skbs */
};

FIXTURE_VARIANT_ADD(receive, ipv4_gcm_128) { AF_INET, QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(receive, ipv6_ccm_128) { AF_INET6, QUIC_AES_CCM_128 };
FIXTURE_VARIANT_ADD(receive, mapped_chacha20) {
	QUIC_MAPPED, QUIC_CHACHA20_POLY1305 };
FIXTURE_VARIANT_ADD(receive, ipv6_list) { AF_INET6, QUIC_AES_GCM_128, true };

/* GRO makes lists of skbs without fragments: veth is not to have any. */
static void open_path(struct __test_metadata *_metadata,
		      FIXTURE_DATA(receive) *self, int family)
{
	struct quic_rx_path *path = &self->path;

	ASSERT_EQ(0, quic_rx_path_open(path, family));
	quic_rx_path_untap(path);
	ASSERT_EQ(0, quic_rx_path_feature(path, false, ETHTOOL_SSG, ETHTOOL_GSG,
					  false));
	ASSERT_EQ(0, quic_rx_path_feature(path, false, ETHTOOL_STXCSUM,
					  ETHTOOL_GTXCSUM, false));
	ASSERT_EQ(0, quic_rx_path_feature(path, true, ETHTOOL_SGRO,
					  ETHTOOL_GGRO, true));
}

FIXTURE_SETUP(receive)
{
	const char *reason = quic_fail_open(&self->fail);
	struct quic_connection_info info;
	struct quic_keys keys;

	if (reason)
		SKIP(return, "%s", reason);
	self->env = &self->path.env;
	if (variant->list)
		open_path(_metadata, self, variant->family);
	else
		ASSERT_EQ(0, quic_rx_env_open(self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 4,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1, GENERATION);
	quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
	self->oracle = quic_oracle_new(&keys);
	ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &info, 0));
}

FIXTURE_TEARDOWN(receive)
{
	quic_oracle_free(self->oracle);
	if (self->path.path.wire[0])
		quic_rx_path_close(&self->path);
	else
		quic_rx_env_close(self->env);
	quic_fail_close(&self->fail);
}

/* What is sent, and how it is read */
struct shape {
	const char *name;
	unsigned int count;	/* packets */
	size_t len;		/* of each, without tag */
	unsigned int spoilt;	/* this one is not authentic, or NOBODY */
	int flags;
	bool every;
};

static void send_packets(struct __test_metadata *_metadata,
			 FIXTURE_DATA(receive) *self, const struct shape *shape)
{
	struct quic_sealed *sealed = &self->sealed;

	self->packet.len = shape->len;
	quic_sealed_build(sealed, self->oracle, GENERATION, self->packet,
			  shape->count, 0);
	self->packet.pn += shape->count;
	if (shape->spoilt < shape->count)
		quic_sealed_flip(sealed, shape->spoilt,
				 (shape->len + QUIC_TAG_SIZE) * 8 - 1);
	ASSERT_EQ(sealed->len, quic_sealed_send(self->env->tx, &self->env->to,
						sealed));
}

/* Which of the packets a message starts with, as they stand in @bytes */
static unsigned int starts_with(const FIXTURE_DATA(receive) *self,
				const uint8_t *bytes)
{
	const struct quic_sealed *sealed = &self->sealed;
	const size_t *at = sealed->at;
	unsigned int i;

	for (i = 0; i < sealed->count; i++) {
		if (!memcmp(bytes, self->received.buf, at[i + 1] - at[i]))
			return i;
		bytes += at[i + 1] - at[i];
	}
	return NOBODY;
}

/* The message that was read becomes @self->part; false if it is none of them. */
static bool find_message(FIXTURE_DATA(receive) *self)
{
	const struct quic_sealed *sealed = &self->sealed;
	unsigned int first, last;

	first = starts_with(self, sealed->want);
	if (first == NOBODY)
		first = starts_with(self, sealed->wire);
	if (first == NOBODY)
		return false;
	last = first;
	while (last < sealed->count &&
	       sealed->at[last] < sealed->at[first] + self->received.ret)
		last++;
	quic_sealed_part(&self->part, sealed, first, last - first);
	return true;
}

/* What is still there, up to a packet that is sent now; whether anything is. */
static bool read_rest(struct __test_metadata *_metadata,
		      FIXTURE_DATA(receive) *self, bool all)
{
	struct quic_rx_counters counters = quic_rx_counters();
	/* Too long for GRO to put it behind others */
	static const struct shape fence = { "", 1, 1300, NOBODY };
	struct quic_sealed message = self->sealed;
	struct quic_received *received = &self->received;
	unsigned int seen = 0;

	send_packets(_metadata, self, &fence);
	for (;;) {
		struct quic_sealed sent = self->sealed;

		ASSERT_LT(0, quic_received_get(received, self->env->rx,
					       sizeof(received->buf),
					       sizeof(received->control), 0));
		if (received->ret != (ssize_t)sent.len) {
			self->sealed = message;
			ASSERT_TRUE(find_message(self));
			self->sealed = sent;
		} else if (!find_message(self)) {
			self->sealed = message;
			ASSERT_TRUE(find_message(self));
			self->sealed = sent;
		}
		ASSERT_EQ(NULL, quic_received_differs(received, &self->part));
		quic_rx_counters_add(&counters, &self->part);
		if (!memcmp(self->part.wire, sent.wire, sent.len))
			break;
		seen += self->part.count;
	}
	quic_expect_rx_counters(_metadata, &counters);
	ASSERT_TRUE(!all || seen == message.count) {
		TH_LOG("failure %u: %u of %u packets are there",
		       self->fail.site, seen, message.count);
	}
	return seen;
}

/* Nothing that is not authentic, however far the kernel has come with it */
static void expect_harmless(struct __test_metadata *_metadata,
			    FIXTURE_DATA(receive) *self)
{
	const struct quic_sealed *sealed = &self->sealed;
	const uint8_t *buf = self->received.buf;
	size_t i;

	if (sealed->len > sizeof(self->received.buf))
		return;
	for (i = 0; i < sealed->len; i++) {
		ASSERT_TRUE(buf[i] == 0xa5 || buf[i] == sealed->want[i] ||
			    buf[i] == sealed->wire[i]) {
			TH_LOG("failure %u: byte %zu", self->fail.site, i);
		}
	}
}

/* It came in one piece, or as several messages: the first is what was read. */
static void try_shape(struct __test_metadata *_metadata,
		      FIXTURE_DATA(receive) *self, const struct shape *shape,
		      bool list)
{
	struct quic_rx_counters counters = quic_rx_counters(), now;
	struct quic_received *received = &self->received;
	bool peek = shape->flags & MSG_PEEK;

	send_packets(_metadata, self, shape);
	quic_fail_next(&self->fail);
	quic_received_get(received, self->env->rx, sizeof(received->buf),
			  sizeof(received->control), shape->flags);
	quic_fail_end(&self->fail, received->ret);
	now = quic_rx_counters();

	if (received->ret < 0) {
		ASSERT_TRUE(self->fail.hit);
		ASSERT_EQ(EFAULT, self->fail.err);
		if (!list)
			expect_harmless(_metadata, self);
		/* It is counted if it is lost with all that it came to. */
		if (memcmp(&counters, &now, sizeof(now)) && !list) {
			ASSERT_FALSE(peek);
			quic_rx_counters_add(&counters, &self->sealed);
			quic_expect_rx_counters(_metadata, &counters);
			ASSERT_FALSE(read_rest(_metadata, self, false));
			self->lost++;
		} else if (!read_rest(_metadata, self, peek)) {
			self->lost++;
		}
		return;
	}

	/* No room where failures strike */
	received->flags &= ~MSG_CTRUNC;
	ASSERT_TRUE(find_message(self));
	if (!quic_received_differs(received, &self->part)) {
		if (!peek)
			quic_rx_counters_add(&counters, &self->part);
		self->opened++;
	} else {
		quic_sealed_as_wire(&self->part);
		ASSERT_EQ(NULL, quic_received_differs(received, &self->part)) {
			TH_LOG("failure %u", self->fail.site);
		}
		self->as_they_came++;
	}
	quic_expect_rx_counters(_metadata, &counters);
	read_rest(_metadata, self, peek);
}

/* Memory to open packets, their bytes, the control messages and the header */
static void walk(struct __test_metadata *_metadata, FIXTURE_DATA(receive) *self,
		 const struct shape *shape, bool list)
{
	unsigned int i;

	self->opened = self->as_they_came = self->lost = 0;
	for (i = 0; i < QUIC_FAIL_PASSES &&
	     (!self->as_they_came || !self->opened || !self->fail.told); i++) {
		quic_fail_first(&self->fail);
		do
			try_shape(_metadata, self, shape, list);
		while (self->fail.hit);
	}
	TH_LOG("%s: %u opened, %u as they came, %u lost", shape->name,
	       self->opened, self->as_they_came, self->lost);
	EXPECT_LT(0, self->opened);
	EXPECT_LT(0, self->as_they_came);
	EXPECT_LT(0, self->fail.told);
	if (shape->flags & MSG_PEEK)
		EXPECT_EQ(0, self->lost);
}

static const struct shape shapes[] = {
	{ "a packet", 1, 1200, NOBODY, .every = true },
	{ "a packet that is not authentic", 1, 1200, 0 },
	/* More than are opened at once */
	{ "a train", 13, 1200, 7 },
	{ "a large packet", 1, 20000, NOBODY },
	{ "a peek", 1, 1200, NOBODY, MSG_PEEK },
	{ "a peek at a train", 13, 1200, 7, MSG_PEEK, .every = true },
};

TEST_F_TIMEOUT(receive, recvmsg, 600)
{
	static const struct shape list[] = {
		{ "a list", 40, 1200, NOBODY },
		{ "a peek at a list", 40, 1200, NOBODY, MSG_PEEK },
	};
	unsigned int i;

	/* All of them once, some for every cipher */
	for (i = 0; i < ARRAY_SIZE(shapes) && !variant->list; i++)
		if (shapes[i].every || variant->cipher == QUIC_AES_GCM_128)
			walk(_metadata, self, &shapes[i], false);
	for (i = 0; i < ARRAY_SIZE(list) && variant->list; i++)
		walk(_metadata, self, &list[i], true);
}

TEST_HARNESS_MAIN
