// SPDX-License-Identifier: GPL-2.0
/*
 * Frames as no network card brings them: cut anywhere into fragments, trains
 * with odd sizes, wrong checksums and none.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/filter.h>

#include "kselftest_harness.h"
#include "quic_frame.h"
#include "quic_rx_expect.h"
#include "quic_rx_path.h"

#define DCID_LEN	8
#define HEADER		(1 + DCID_LEN + 4)
#define MIN_PACKET	(HEADER + QUIC_TAG_SIZE)

FIXTURE(frames) {
	struct quic_rx_path path;
	struct quic_rx_env *env;
	struct quic_oracle *oracle;
	struct quic_packet packet;
	struct quic_sealed sealed;
	struct quic_frame frame;
	int tap;
};

FIXTURE_VARIANT(frames) {
	int family;
	bool pieces;
};

FIXTURE_VARIANT_ADD(frames, ipv4) { AF_INET, false };
FIXTURE_VARIANT_ADD(frames, ipv4_pieces) { AF_INET, true };
FIXTURE_VARIANT_ADD(frames, ipv6) { AF_INET6, false };
FIXTURE_VARIANT_ADD(frames, ipv6_pieces) { AF_INET6, true };

FIXTURE_SETUP(frames)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	self->env = &self->path.env;
	ASSERT_EQ(0, quic_rx_path_open(&self->path, variant->family));
	self->tap = quic_frame_tap("quic2", variant->pieces);
	ASSERT_LE(0, self->tap) {
		TH_LOG("TAP: %s", strerror(errno));
	}

	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 4,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	self->oracle = quic_oracle_new(&keys);
	quic_flow_info(&info, &keys, &self->packet.dcid, &self->env->from);
	ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &info, 1000));
}

FIXTURE_TEARDOWN(frames)
{
	quic_oracle_free(self->oracle);
	close(self->tap);
	quic_rx_path_close(&self->path);
}

static void build(FIXTURE_DATA(frames) *self, size_t stride,
		  unsigned int count, size_t last)
{
	self->packet.len = stride - QUIC_TAG_SIZE;
	quic_sealed_build(&self->sealed, self->oracle, 0, self->packet, count,
			  last ? last - QUIC_TAG_SIZE : 0);
	self->packet.pn += count;
	quic_frame_build(&self->frame, &self->env->from, &self->env->to,
			 self->sealed.wire, self->sealed.len);
	if (count > 1)
		quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_UDP_L4,
				 stride);
}

static void expect_opened(struct __test_metadata *_metadata,
			  FIXTURE_DATA(frames) *self, size_t linear,
			  size_t piece)
{
	ASSERT_EQ(0, quic_frame_inject(self->tap, &self->frame, linear, piece)) {
		TH_LOG("%zu bytes, %zu and %zu: %s", self->frame.len, linear,
		       piece, strerror(errno));
	}
	quic_expect_received(_metadata, self->env, &self->sealed);
}

/* First byte, connection ID, number, sample, payload and tag across pieces */
TEST_F_TIMEOUT(frames, single_datagrams, 60)
{
	static const size_t sizes[] = { MIN_PACKET, 30, 45, 61, 1452, 4000 };
	static const size_t linear[] = { 0, 1, 5, 9, 10, 13, 20, 29 };
	static const size_t pieces[] = { 1, 2, 7, 16, 97, 4096 };
	unsigned int i, j, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(linear); j++) {
			k = variant->pieces ? 0 : ARRAY_SIZE(pieces) - 1;
			for (; k < ARRAY_SIZE(pieces); k++) {
				build(self, sizes[i], 1, 0);
				expect_opened(_metadata, self, linear[j],
					      variant->pieces ? pieces[k] : 0);
			}
		}
	}
	build(self, 65000, 1, 0);
	expect_opened(_metadata, self, 0, variant->pieces ? 4096 : 0);
}

TEST_F_TIMEOUT(frames, trains, 60)
{
	static const struct {
		size_t stride, piece;
		unsigned int count;
	} trains[] = {
		{ MIN_PACKET, 7, QUIC_MAX_SEGMENTS },
		{ MIN_PACKET, 28, 17 }, { MIN_PACKET, 29, 17 },
		{ 100, 33, 40 }, { 100, 99, 40 }, { 100, 100, 40 },
		{ 100, 101, 40 }, { 1201, 4000, 50 }, { 1452, 4096, 44 },
		{ 6144, 4096, 10 }, { 6145, 4096, 10 }, { 9000, 4096, 7 },
	};
	static const size_t linear[] = { 0, 1, 12, 28, 29, 30, 57, 100 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(trains); i++) {
		for (j = 0; j < ARRAY_SIZE(linear); j++) {
			build(self, trains[i].stride, trains[i].count,
			      j & 1 ? MIN_PACKET : 0);
			expect_opened(_metadata, self, linear[j],
				      variant->pieces ? trains[i].piece : 0);
		}
	}
}

/* Datagrams of a byte each; @any: with a flow that matches whatever it is. */
static void expect_bytes(struct __test_metadata *_metadata,
			 FIXTURE_DATA(frames) *self, bool any)
{
	struct quic_sealed *sealed = &self->sealed;
	uint8_t bytes[QUIC_MAX_SEGMENTS];
	unsigned int i;

	quic_sealed_start(sealed);
	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = i * 5;
		quic_sealed_raw(sealed, &bytes[i], 1,
				!any && !(bytes[i] & QUIC_LONG_HEADER));
	}
	sealed->matched = any;
	quic_frame_build(&self->frame, &self->env->from, &self->env->to, bytes,
			 sizeof(bytes));
	quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_UDP_L4, 1);
	expect_opened(_metadata, self, 0, 0);
}

TEST_F(frames, odd_trains)
{
	struct quic_packet none = { .pn = 0 };
	struct quic_connection_info info;
	struct quic_keys keys;

	expect_bytes(_metadata, self, false);

	/* A train of one */
	build(self, 500, 1, 0);
	quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_UDP_L4, 500);
	expect_opened(_metadata, self, 0, 0);
	build(self, 500, 1, 0);
	quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_UDP_L4, 40000);
	expect_opened(_metadata, self, 0, 0);

	/* Fragments to be: one datagram, whatever their size */
	build(self, 3000, 1, 0);
	quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_UDP, 1480);
	expect_opened(_metadata, self, 0, 0);
	build(self, 3000, 1, 0);
	quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_NONE, 1480);
	expect_opened(_metadata, self, 0, 0);

	/* Nobody can make a device believe in more than 128. */
	build(self, QUIC_MAX_SEGMENTS + 1, 1, 0);
	quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_UDP_L4, 1);
	EXPECT_EQ(EINVAL, quic_frame_inject(self->tap, &self->frame, 0, 0));

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	quic_flow_info(&info, &keys, &none.dcid, NULL);
	ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &info, 0));
	expect_bytes(_metadata, self, true);
}

/* Datagrams that UDP has refused for their checksum */
static unsigned long checksum_errors(int family)
{
	char names[500] = "", values[500] = "", *name, *value, *n, *v;
	unsigned long errors = 0;
	FILE *f;

	if (family == AF_INET6)
		return quic_env_read_number("/proc/net/snmp6",
					    "Udp6InCsumErrors");
	f = fopen("/proc/net/snmp", "r");
	while (f && fgets(names, sizeof(names), f) &&
	       fgets(values, sizeof(values), f) && strncmp(names, "Udp:", 4))
		;
	if (f)
		fclose(f);
	name = strtok_r(names, "\n ", &n);
	value = strtok_r(values, "\n ", &v);
	while (name && value) {
		if (!strcmp(name, "InCsumErrors"))
			errors = strtoul(value, NULL, 10);
		name = strtok_r(NULL, "\n ", &n);
		value = strtok_r(NULL, "\n ", &v);
	}
	return errors;
}

/* The frame is refused, and as if it had not come. */
static void expect_refused(struct __test_metadata *_metadata,
			   FIXTURE_DATA(frames) *self, int family)
{
	unsigned long errors = checksum_errors(family);

	ASSERT_EQ(0, quic_frame_inject(self->tap, &self->frame, 0, 0));
	build(self, 800, 1, 0);
	expect_opened(_metadata, self, 0, 0);
	EXPECT_EQ(errors + 1, checksum_errors(family));
}

static void expect_checksums(struct __test_metadata *_metadata,
			     FIXTURE_DATA(frames) *self, int family)
{
	static const size_t sizes[] = { MIN_PACKET, 1200, 4000 };
	unsigned int i;
	int on;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		build(self, sizes[i], 1, 0);
		quic_frame_checksum(&self->frame)[1] ^= 1;
		expect_refused(_metadata, self, family);

		/* The same, but said to be left to a device: it never left. */
		build(self, sizes[i], 1, 0);
		quic_frame_checksum(&self->frame)[1] ^= 1;
		quic_frame_train(&self->frame, VIRTIO_NET_HDR_GSO_NONE, 0);
		expect_opened(_metadata, self, 0, 0);

		/* A packet that is authentic, and one that is not */
		build(self, sizes[i], 1, 0);
		self->frame.bytes[self->frame.len - 1] ^= 1;
		expect_refused(_metadata, self, family);

		for (on = 0; on < 2; on++) {
			if (family == AF_INET6)
				ASSERT_EQ(0, setsockopt(self->env->rx, SOL_UDP,
							UDP_NO_CHECK6_RX, &on,
							sizeof(on)));
			build(self, sizes[i], 1, 0);
			memset(quic_frame_checksum(&self->frame), 0, 2);
			if (family == AF_INET6 && !on)
				expect_refused(_metadata, self, family);
			else
				expect_opened(_metadata, self, 0, 0);
		}
	}
}

/* Verified when it is read, and before it is queued for a filter's sake */
TEST_F(frames, checksums)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, -1);
	struct sock_fprog filter = { 1, &all };

	expect_checksums(_metadata, self, variant->family);
	ASSERT_EQ(0, setsockopt(self->env->rx, SOL_SOCKET, SO_ATTACH_FILTER,
				&filter, sizeof(filter)));
	expect_checksums(_metadata, self, variant->family);
}

TEST_HARNESS_MAIN
