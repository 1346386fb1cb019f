// SPDX-License-Identifier: GPL-2.0
/*
 * What goes out does not depend on how UDP asks for it: in IP fragments, in
 * pages of large ones, in GSO segments, with or without the checksum.
 */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define DCID_LEN	8
#define MIN_PACKET	(1 + DCID_LEN + 4 + QUIC_TAG_SIZE)
#define UDP_HEADER	8
#define FRAGMENT_HEADER	8	/* IPv6 */
#define SOCKET_BUFFER	(8 << 20)

#define IPV6_MIN_MTU	1280

/*
 * The large ones: a message in pages of one frame, and in pages of fragments,
 * where the checksum is added up page by page.
 */
static const unsigned int mtus[] = { 65535, 40000, 1500, IPV6_MIN_MTU, 600 };

/* From quic0, where the sender is, to quic1 in a namespace of its own. */
FIXTURE(devices) {
	struct quic_env env;
	struct quic_packet packet[QUIC_NUM_CIPHERS];
	struct quic_oracle *oracle[QUIC_NUM_CIPHERS];
	struct quic_train train[QUIC_NUM_CIPHERS];
	bool offload;
	unsigned int mtu;
	unsigned int max;		/* protected bytes of one message */
};

FIXTURE_VARIANT(devices) {
	int family;
	bool offload;			/* of checksums and segments */
	bool sg;			/* scatter-gather */
};

FIXTURE_VARIANT_ADD(devices, ipv4) { AF_INET, true, true };
FIXTURE_VARIANT_ADD(devices, ipv4_no_sg) { AF_INET, true, false };
FIXTURE_VARIANT_ADD(devices, ipv4_no_checksum) { AF_INET, false, false };
FIXTURE_VARIANT_ADD(devices, ipv6) { AF_INET6, true, true };
FIXTURE_VARIANT_ADD(devices, ipv6_no_sg) { AF_INET6, true, false };
FIXTURE_VARIANT_ADD(devices, ipv6_no_checksum) { AF_INET6, false, false };
FIXTURE_VARIANT_ADD(devices, mapped) { QUIC_MAPPED, true, true };
FIXTURE_VARIANT_ADD(devices, mapped_no_sg) { QUIC_MAPPED, true, false };
FIXTURE_VARIANT_ADD(devices, mapped_no_checksum) {
	QUIC_MAPPED, false, false };

/* Returns how it is then, -1 with errno if the device will not say. */
static int device_feature(unsigned int set, unsigned int get, bool on)
{
	struct ethtool_value value = { .cmd = set, .data = on };
	struct ifreq ifr = { .ifr_name = "quic0", .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	ret = ioctl(fd, SIOCETHTOOL, &ifr);
	value.cmd = get;
	if (!ret)
		ret = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return ret ? -1 : !!value.data;
}

/* Both families, at the port that @env->to has. */
static int receiver_open(const struct quic_env *env)
{
	const struct sockaddr_in6 *to = (const void *)&env->to.ss;
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6,
		.sin6_port = to->sin6_port,
	};
	struct timeval patience = { .tv_sec = 2 };
	int size = SOCKET_BUFFER, fd;

	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(fd, (void *)&any, sizeof(any)))
		return -1;
	return fd;
}

/* Nobody has to answer for a neighbour: the receiver is silent. */
static void connect_namespaces(struct __test_metadata *_metadata,
			       struct quic_env *env)
{
	static const char there[] =
		"ip address add 192.0.2.2/24 dev quic1 &&"
		"ip address add 2001:db8::2/64 dev quic1 nodad &&"
		"ip link set quic1 up";
	static const char here[] =
		"ip address add 192.0.2.1/24 dev quic0 &&"
		"ip address add 2001:db8::1/64 dev quic0 nodad &&"
		"ip link set quic0 up &&"
		"ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev quic0 &&"
		"ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev quic0";
	char command[200];
	int on = 1, ns;

	close(env->rx);
	close(env->wire);
	ns = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, ns);
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	snprintf(command, sizeof(command),
		 "ip link add quic1 mtu 65535 address 02:00:00:00:00:02 "
		 "type veth peer name quic0 netns /proc/self/fd/%d", ns);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, system(there));
	env->rx = receiver_open(env);
	ASSERT_LE(0, env->rx);

	ASSERT_EQ(0, setns(ns, CLONE_NEWNET));
	close(ns);
	ASSERT_EQ(0, system(here));
	env->wire = quic_env_wire_open("quic0");
	ASSERT_LE(0, env->wire);
	ASSERT_EQ(0, setsockopt(env->wire, SOL_PACKET, PACKET_AUXDATA, &on,
				sizeof(on)));
	env->to = quic_env_away(env);
}

FIXTURE_SETUP(devices)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	int i;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	connect_namespaces(_metadata, &self->env);
	ASSERT_EQ(variant->offload,
		  device_feature(ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM,
				 variant->offload));
	ASSERT_EQ(variant->sg,
		  device_feature(ETHTOOL_SSG, ETHTOOL_GSG, variant->sg));

	self->offload = variant->offload;
	self->max = QUIC_MAX_UDP_PAYLOAD;
	if (variant->family != AF_INET6)
		self->max -= 20;
	for (i = 0; i < QUIC_NUM_CIPHERS; i++) {
		self->packet[i] = (struct quic_packet) {
			.pn = 1000,
			.pn_len = 4,
			.flags = QUIC_FIXED_BIT,
		};
		quic_dcid_init(&self->packet[i].dcid, DCID_LEN, i);
		quic_keys_derive(&keys, &quic_ciphers[i], i, 0);
		self->oracle[i] = quic_oracle_new(&keys);
		quic_flow_info(&info, &keys, &self->packet[i].dcid,
			       &self->env.to);
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &info)) {
			TH_LOG("%s: %s", quic_ciphers[i].name, strerror(errno));
		}
	}
}

FIXTURE_TEARDOWN(devices)
{
	int i;

	for (i = 0; i < QUIC_NUM_CIPHERS; i++)
		quic_oracle_free(self->oracle[i]);
	quic_env_close(&self->env);
}

static bool next_mtu(struct __test_metadata *_metadata,
		     FIXTURE_DATA(devices) *self)
{
	unsigned int i = 0;
	char command[50];

	while (self->mtu && mtus[i++] != self->mtu)
		;
	if (i == ARRAY_SIZE(mtus) ||
	    (self->env.family == AF_INET6 && mtus[i] < IPV6_MIN_MTU))
		return false;

	self->mtu = mtus[i];
	snprintf(command, sizeof(command), "ip link set quic0 mtu %u",
		 self->mtu);
	ASSERT_EQ(0, system(command));
	return true;
}

/* Bytes of the datagram that fit into a frame */
static unsigned int whole(const FIXTURE_DATA(devices) *self)
{
	return self->mtu - (self->env.family == AF_INET6 ? 40 : 20);
}

/* and into one of its fragments */
static unsigned int fragment(const FIXTURE_DATA(devices) *self)
{
	if (self->env.family == AF_INET6)
		return (whole(self) - FRAGMENT_HEADER) & ~7;
	return whole(self) & ~7;
}

/* The header of the datagram that @frame starts with, NULL: goes on with. */
static const uint8_t *udp_header(const uint8_t *frame)
{
	if (frame[0] >> 4 == 4)
		return (frame[6] & 0x1f) | frame[7] ? NULL : frame + 20;
	if (frame[6] == IPPROTO_UDP)
		return frame + 40;
	return frame[42] | (frame[43] & 0xf8) ? NULL :
	       frame + 40 + FRAGMENT_HEADER;
}

struct wire {
	unsigned int frames;
	unsigned int checksums;		/* not left to the device */
	unsigned int markers;
};

/* What left since the last call. */
static struct wire wire_read(const struct quic_env *env)
{
	struct {
		struct cmsghdr cmsg;
		struct tpacket_auxdata aux;
		uint64_t padding;
	} control;
	struct wire wire = {};
	uint8_t frame[1 << 17];
	struct iovec iov = { frame, sizeof(frame) };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};
	const uint8_t *udp;
	ssize_t len;

	for (;;) {
		mh.msg_controllen = sizeof(control);
		len = recvmsg(env->wire, &mh, MSG_DONTWAIT);
		if (len < 0)
			return wire;
		if (!quic_env_is_udp(frame, len))
			continue;
		wire.frames++;
		udp = udp_header(frame);
		if (udp && udp[6] | udp[7] &&
		    !(control.aux.tp_status & TP_STATUS_CSUMNOTREADY))
			wire.checksums++;
		if (memmem(frame, len, QUIC_MARKER, QUIC_MARKER_SIZE))
			wire.markers++;
	}
}

static void expect_wire(struct __test_metadata *_metadata,
			const FIXTURE_DATA(devices) *self, size_t protected,
			unsigned int packets, unsigned int messages)
{
	bool fragments = protected + UDP_HEADER > whole(self);
	bool offload = self->offload && !fragments;
	struct wire wire = wire_read(&self->env);

	if (fragments) {
		EXPECT_LT(packets, wire.frames);
	} else {
		EXPECT_EQ(offload ? messages : packets, wire.frames);
	}
	EXPECT_EQ(offload ? 0 : packets, wire.checksums);
	EXPECT_EQ(0, wire.markers);
}

/*
 * Sends @count packets with each cipher; @last: see quic_train_build().  They
 * are received together, so that a message does not find the page of the one
 * before empty again.  The receiver drops what has a wrong checksum.
 */
static void send_and_expect(struct __test_metadata *_metadata,
			    FIXTURE_DATA(devices) *self, size_t protected,
			    unsigned int count, size_t last)
{
	struct quic_train *train = self->train;
	struct quic_msg msg;
	uint8_t byte;
	int i;

	for (i = 0; i < QUIC_NUM_CIPHERS; i++) {
		self->packet[i].len = protected - QUIC_TAG_SIZE;
		quic_train_build(&train[i], self->packet[i], count, last);
		self->packet[i].pn += count;
		msg = quic_msg(self->env.tx, &self->env.to, &train[i]);
		ASSERT_EQ(train[i].len, quic_send(&msg)) {
			TH_LOG("%s, MTU %u, %u packets of %zu bytes: %s",
			       quic_ciphers[i].name, self->mtu, count,
			       protected, strerror(errno));
		}
	}
	for (i = 0; i < QUIC_NUM_CIPHERS; i++) {
		struct quic_oracle *phase[2] = { self->oracle[i] };

		ASSERT_EQ(count, quic_receive(self->env.rx, phase, &train[i])) {
			TH_LOG("%s, MTU %u, %u packets of %zu bytes",
			       quic_ciphers[i].name, self->mtu, count,
			       protected);
		}
	}
	EXPECT_EQ(-1, recv(self->env.rx, &byte, 1, MSG_DONTWAIT));
	expect_wire(_metadata, self, protected, QUIC_NUM_CIPHERS * count,
		    QUIC_NUM_CIPHERS);
}

TEST_F_TIMEOUT(devices, sizes, 120)
{
	static const size_t sizes[] = {
		MIN_PACKET, 501, 5001, 20001, 33333, 61001 };
	size_t i;

	while (next_mtu(_metadata, self)) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++)
			send_and_expect(_metadata, self, sizes[i], 1, 0);
		for (i = self->max - 2; i <= self->max; i++)
			send_and_expect(_metadata, self, i, 1, 0);
	}
}

/* All or part of the tag in the next fragment, and the last byte before it. */
TEST_F_TIMEOUT(devices, fragments, 120)
{
	static const unsigned int beyond[] = { 1, 8, 15, 16, 17 };
	size_t edge, n;
	unsigned int i;

	while (next_mtu(_metadata, self)) {
		edge = whole(self) - UDP_HEADER;
		for (n = 1; edge + 17 <= self->max && n <= 3; n++) {
			send_and_expect(_metadata, self, edge - 1, 1, 0);
			send_and_expect(_metadata, self, edge, 1, 0);
			for (i = 0; i < ARRAY_SIZE(beyond); i++)
				send_and_expect(_metadata, self,
						edge + beyond[i], 1, 0);
			edge = (n + 1) * fragment(self) - UDP_HEADER;
		}
	}
}

/* The longest trains, their packets lying across those pieces of the skb. */
TEST_F_TIMEOUT(devices, trains, 120)
{
	size_t stride[] = { MIN_PACKET, 255, 511, 1201, 21001, 0, 0 };
	unsigned int count, i;

	while (next_mtu(_metadata, self)) {
		stride[5] = whole(self) - UDP_HEADER - 1;
		stride[6] = whole(self) - UDP_HEADER;
		for (i = 0; i < ARRAY_SIZE(stride); i++) {
			count = self->max / stride[i];
			if (count > QUIC_MAX_SEGMENTS)
				count = QUIC_MAX_SEGMENTS;
			if (count < 2 || stride[i] > stride[6])
				continue;
			send_and_expect(_metadata, self, stride[i], count, 0);
			send_and_expect(_metadata, self, stride[i], count,
					MIN_PACKET - QUIC_TAG_SIZE);
		}
	}
}

/* The look at the wire would see plain text where there is some. */
TEST_F(devices, plain_text)
{
	struct quic_msg msg;
	struct wire wire;

	while (next_mtu(_metadata, self)) {
		self->packet[0].len = 5000;
		quic_train_build(self->train, self->packet[0], 1, 0);
		msg = quic_msg(self->env.tx, &self->env.to, self->train);
		msg.encrypts = 0;
		ASSERT_EQ(self->train->len, quic_send(&msg));
		wire = wire_read(&self->env);
		EXPECT_EQ(1, wire.markers);
	}
}

TEST_HARNESS_MAIN
