// SPDX-License-Identifier: GPL-2.0
/*
 * Packets are opened in skbs of every shape that devices and IP build: linear,
 * in page fragments, in lists of skbs, alone and with a tap; with checksums that
 * a device vouches for, that are verified, and without.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/ethtool.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_path.h"

#define DCID_LEN	8
#define MIN_PACKET	(1 + DCID_LEN + 4 + QUIC_TAG_SIZE)
#define UDP_HEADER	8
#define MTU		65535
#define IPV6_MIN_MTU	1280

/* What makes a shape, at either end */
enum shape {
	WHOLE,		/* a train in page fragments */
	LINEAR,		/* a train in one piece */
	GRO_FRAGS,	/* cut, and put together from fragments */
	GRO_LIST,	/* cut, and put together as a list */
	SINGLE,		/* cut, and left so */
	SPLIT,		/* whole, and cut for a socket without UDP_GRO */
};

FIXTURE(shapes) {
	struct quic_rx_path path;
	struct quic_rx_env *env;
	struct quic_oracle *oracle;
	struct quic_connection_info info;
	struct quic_packet packet;
	struct quic_sealed sealed;
	unsigned long messages, datagrams;
};

FIXTURE_VARIANT(shapes) {
	int family;
	enum shape shape;
};

FIXTURE_VARIANT_ADD(shapes, ipv4_whole) { AF_INET, WHOLE };
FIXTURE_VARIANT_ADD(shapes, ipv4_linear) { AF_INET, LINEAR };
FIXTURE_VARIANT_ADD(shapes, ipv4_gro_frags) { AF_INET, GRO_FRAGS };
FIXTURE_VARIANT_ADD(shapes, ipv4_gro_list) { AF_INET, GRO_LIST };
FIXTURE_VARIANT_ADD(shapes, ipv4_single) { AF_INET, SINGLE };
FIXTURE_VARIANT_ADD(shapes, ipv4_split) { AF_INET, SPLIT };
FIXTURE_VARIANT_ADD(shapes, ipv6_whole) { AF_INET6, WHOLE };
FIXTURE_VARIANT_ADD(shapes, ipv6_linear) { AF_INET6, LINEAR };
FIXTURE_VARIANT_ADD(shapes, ipv6_gro_frags) { AF_INET6, GRO_FRAGS };
FIXTURE_VARIANT_ADD(shapes, ipv6_gro_list) { AF_INET6, GRO_LIST };
FIXTURE_VARIANT_ADD(shapes, ipv6_single) { AF_INET6, SINGLE };
FIXTURE_VARIANT_ADD(shapes, ipv6_split) { AF_INET6, SPLIT };
FIXTURE_VARIANT_ADD(shapes, mapped_gro_list) { QUIC_MAPPED, GRO_LIST };

static void set_shape(struct __test_metadata *_metadata,
		      FIXTURE_DATA(shapes) *self, enum shape shape)
{
	const struct quic_rx_path *path = &self->path;
	int off = 0;

	if (shape == LINEAR || shape == GRO_LIST)
		ASSERT_EQ(0, quic_rx_path_feature(path, false, ETHTOOL_SSG,
						  ETHTOOL_GSG, false));
	/* The sender's TSO keeps veth from GRO. */
	if (shape == GRO_FRAGS) {
		ASSERT_EQ(0, quic_rx_path_feature(path, false, ETHTOOL_STSO,
						  ETHTOOL_GTSO, false));
		ASSERT_EQ(0, quic_rx_path_ip(path, false,
				"link set quic0 gso_max_segs 1\n"));
	}
	/* Without checksums a device does not get trains either. */
	if (shape == GRO_LIST || shape == SINGLE)
		ASSERT_EQ(0, quic_rx_path_feature(path, false, ETHTOOL_STXCSUM,
						  ETHTOOL_GTXCSUM, false));
	if (shape == GRO_FRAGS || shape == GRO_LIST)
		ASSERT_EQ(0, quic_rx_path_feature(path, true, ETHTOOL_SGRO,
						  ETHTOOL_GGRO, true));
	if (shape == SPLIT)
		ASSERT_EQ(0, setsockopt(self->env->rx, SOL_UDP, UDP_GRO, &off,
					sizeof(off)));
}

FIXTURE_SETUP(shapes)
{
	struct quic_keys keys;

	self->env = &self->path.env;
	ASSERT_EQ(0, quic_rx_path_open(&self->path, variant->family));
	ASSERT_EQ(0, quic_rx_path_mtu(&self->path, MTU));
	set_shape(_metadata, self, variant->shape);

	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 4,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	self->oracle = quic_oracle_new(&keys);
	quic_flow_info(&self->info, &keys, &self->packet.dcid,
		       &self->env->from);
	ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &self->info, 1000));
}

FIXTURE_TEARDOWN(shapes)
{
	quic_oracle_free(self->oracle);
	quic_rx_path_close(&self->path);
}

static void build(FIXTURE_DATA(shapes) *self, size_t stride,
		  unsigned int count, size_t last)
{
	self->packet.len = stride - QUIC_TAG_SIZE;
	quic_sealed_build(&self->sealed, self->oracle, 0, self->packet, count,
			  last ? last - QUIC_TAG_SIZE : 0);
	self->packet.pn += count;
}

/* In one message or in several, but in order, and nothing else */
static void expect_arrives(struct __test_metadata *_metadata,
			   FIXTURE_DATA(shapes) *self)
{
	struct quic_rx_counters counters = quic_rx_counters();
	const struct quic_sealed *sealed = &self->sealed;
	static struct quic_received received;
	static struct quic_sealed part;
	unsigned int first = 0, last;
	const char *differs;

	while (first < sealed->count) {
		ASSERT_LT(0, quic_received_get(&received, self->env->rx,
					       sizeof(received.buf),
					       sizeof(received.control), 0)) {
			TH_LOG("%u of %u: %s", first, sealed->count,
			       strerror(errno));
		}
		last = first + 1;
		while (last < sealed->count && sealed->at[last] <
		       sealed->at[first] + received.ret)
			last++;
		quic_sealed_part(&part, sealed, first, last - first);
		differs = quic_received_differs(&received, &part);
		ASSERT_EQ(NULL, differs) {
			TH_LOG("%s; %u to %u of %u, of %zu bytes, got %zd",
			       differs, first, last, sealed->count,
			       sealed->at[1], received.ret);
		}
		first = last;
		self->messages++;
	}
	self->datagrams += sealed->count;
	quic_rx_counters_add(&counters, sealed);
	quic_expect_rx_counters(_metadata, &counters);
}

static void expect_opened(struct __test_metadata *_metadata,
			  FIXTURE_DATA(shapes) *self)
{
	ASSERT_EQ(self->sealed.len,
		  quic_sealed_send(self->env->tx, &self->env->to,
				   &self->sealed)) {
		TH_LOG("%s", strerror(errno));
	}
	expect_arrives(_metadata, self);
}

static const size_t strides[] = {
	MIN_PACKET, 499, 1201, 3073, 6144, 6145, 9001, 20001 };
static const unsigned int counts[] = { 2, 18, 44, 65, QUIC_MAX_SEGMENTS };

/* Of the last datagram; 0: as the others */
static size_t last_of(size_t stride, unsigned int which)
{
	if (which % 3 == 0)
		return 0;
	return which % 3 == 1 || stride == MIN_PACKET ? MIN_PACKET : stride - 1;
}

/* Devices cut trains that with all headers are longer than 64 KiB. */
static unsigned int count_of(size_t stride, unsigned int count)
{
	size_t max = 65400 / stride;

	return count < max ? count : max;
}

/* The shape is what it is meant to be, as far as it shows. */
static void expect_shape(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(shapes) *self, enum shape shape,
			 unsigned long trains)
{
	if (shape == WHOLE || shape == LINEAR) {
		EXPECT_EQ(trains, self->messages);
	} else if (shape == SINGLE || shape == SPLIT) {
		EXPECT_EQ(self->datagrams, self->messages);
	} else {
		EXPECT_GT(self->datagrams / 8, self->messages);
	}
}

/* With a tap, which has clones of all skbs, and without */
TEST_F_TIMEOUT(shapes, trains, 120)
{
	unsigned int round, i, j, count, trains = 0;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(strides); i++) {
			for (j = 0; j < ARRAY_SIZE(counts); j++) {
				count = count_of(strides[i], counts[j]);
				build(self, strides[i], count,
				      last_of(strides[i], i + j + round));
				expect_opened(_metadata, self);
				trains++;
			}
		}
		quic_rx_path_untap(&self->path);
	}
	expect_shape(_metadata, self, variant->shape, trains);
}

/* The project's own transmit side has its own way of filling an skb. */
TEST_F_TIMEOUT(shapes, own_transmit_side, 120)
{
	struct quic_connection_info info = self->info;
	static struct quic_train train;
	unsigned int i, j, count;
	struct quic_msg msg;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
	ASSERT_EQ(0, quic_flow_add(self->env->tx, &info));
	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		for (j = 0; j < ARRAY_SIZE(counts); j++) {
			count = count_of(strides[i], counts[j]);
			self->packet.len = strides[i] - QUIC_TAG_SIZE;
			quic_train_build(&train, self->packet, count,
					 MIN_PACKET - QUIC_TAG_SIZE);
			build(self, strides[i], count, MIN_PACKET);
			msg = quic_msg(self->env->tx, &self->env->to, &train);
			ASSERT_EQ(train.len, quic_send(&msg)) {
				TH_LOG("%s", strerror(errno));
			}
			expect_arrives(_metadata, self);
		}
	}
}

static void set_checksum(struct __test_metadata *_metadata,
			 const struct quic_rx_env *env, bool off)
{
	int value = off;

	if (env->family != AF_INET6) {
		ASSERT_EQ(0, setsockopt(env->tx, SOL_SOCKET, SO_NO_CHECK,
					&value, sizeof(value)));
		return;
	}
	ASSERT_EQ(0, setsockopt(env->tx, SOL_UDP, UDP_NO_CHECK6_TX, &value,
				sizeof(value)));
	ASSERT_EQ(0, setsockopt(env->rx, SOL_UDP, UDP_NO_CHECK6_RX, &value,
				sizeof(value)));
}

/* All of a packet, or its header, sample or tag, in the next IP fragment */
static void expect_fragments(struct __test_metadata *_metadata,
			     FIXTURE_DATA(shapes) *self, unsigned int mtu)
{
	static const unsigned int beyond[] = { 0, 1, 8, 15, 16, 17, 24 };
	bool ipv6 = self->env->family == AF_INET6;
	size_t max = QUIC_MAX_UDP_PAYLOAD - (ipv6 ? 0 : 20);
	size_t room = mtu - (ipv6 ? 40 : 20), edge;
	unsigned int i, n;

	edge = room - UDP_HEADER;
	for (n = 1; edge + 24 <= max && n <= 3; n++) {
		for (i = 0; i < ARRAY_SIZE(beyond); i++) {
			build(self, edge + beyond[i], 1, 0);
			expect_opened(_metadata, self);
		}
		edge = (n + 1) * ((room - (ipv6 ? 8 : 0)) & ~7) - UDP_HEADER;
	}
	build(self, max / 2, 1, 0);
	expect_opened(_metadata, self);
	build(self, max, 1, 0);
	expect_opened(_metadata, self);
}

TEST_F_TIMEOUT(shapes, ip_fragments, 120)
{
	static const unsigned int mtus[] = { 65535, 40000, 9000, 1500,
					     IPV6_MIN_MTU, 600 };
	unsigned int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < ARRAY_SIZE(mtus); i++) {
			if (variant->family == AF_INET6 &&
			    mtus[i] < IPV6_MIN_MTU)
				continue;
			ASSERT_EQ(0, quic_rx_path_mtu(&self->path, mtus[i]));
			set_checksum(_metadata, self->env, (round + i) % 2);
			expect_fragments(_metadata, self, mtus[i]);
		}
		quic_rx_path_untap(&self->path);
	}
	EXPECT_EQ(self->datagrams, self->messages);
}

TEST_HARNESS_MAIN
