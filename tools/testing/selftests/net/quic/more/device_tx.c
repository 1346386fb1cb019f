// SPDX-License-Identifier: GPL-2.0
/*
 * What a device has protected is, byte for byte, what libcrypto makes of the same
 * packets, and what it can't protect is done in software.
 */

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_nsim_expect.h"

#define MTU		65535
#define MAX_PACKET	1500
#define MIN_LEN		(1 + QUIC_NSIM_DCID_LEN + 4)

/* Each cipher, with a device that segments trains, and with one that does not */

FIXTURE(device) {
	struct quic_nsim_sender sender;
	enum quic_nsim_who who;		/* protects what is left to a device */
	size_t max;			/* bytes of a message */
};

FIXTURE_VARIANT(device) {
	int cipher;
	int family;			/* AF_UNSPEC: IPv4 from an IPv6 socket */
	bool segments;
};

FIXTURE_VARIANT_ADD(device, aes_gcm_128_ipv4) {
	QUIC_AES_GCM_128, AF_INET, true };
FIXTURE_VARIANT_ADD(device, aes_gcm_128_ipv6_singly) {
	QUIC_AES_GCM_128, AF_INET6, false };
FIXTURE_VARIANT_ADD(device, aes_gcm_128_mapped) {
	QUIC_AES_GCM_128, AF_UNSPEC, true };
FIXTURE_VARIANT_ADD(device, aes_gcm_256_ipv4_singly) {
	QUIC_AES_GCM_256, AF_INET, false };
FIXTURE_VARIANT_ADD(device, aes_gcm_256_ipv6) {
	QUIC_AES_GCM_256, AF_INET6, true };
FIXTURE_VARIANT_ADD(device, chacha20_poly1305_ipv4) {
	QUIC_CHACHA20_POLY1305, AF_INET, true };
FIXTURE_VARIANT_ADD(device, chacha20_poly1305_ipv6_singly) {
	QUIC_CHACHA20_POLY1305, AF_INET6, false };
/* The device does not know it. */
FIXTURE_VARIANT_ADD(device, aes_ccm_128_ipv4) {
	QUIC_AES_CCM_128, AF_INET, true };
FIXTURE_VARIANT_ADD(device, aes_ccm_128_ipv6_singly) {
	QUIC_AES_CCM_128, AF_INET6, false };

static void expect_sent(struct __test_metadata *_metadata,
			FIXTURE_DATA(device) *self,
			const struct quic_msg *msg, enum quic_nsim_who who)
{
	struct quic_nsim_sender *sender = &self->sender;

	quic_nsim_expect_sent(_metadata, sender, &sender->nsim, msg, who);
	sender->packet.pn = sender->train.pn[sender->train.count - 1] + 1;
}

static void send_by(struct __test_metadata *_metadata,
		    FIXTURE_DATA(device) *self, enum quic_nsim_who who)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_msg msg = quic_msg(sender->tx, &sender->to, &sender->train);

	expect_sent(_metadata, self, &msg, who);
}

#define SEND_BY(who) send_by(_metadata, self, who)
#define SEND() SEND_BY(self->who)

static void send_packets(struct __test_metadata *_metadata,
			 FIXTURE_DATA(device) *self, unsigned int count,
			 size_t last)
{
	quic_nsim_sender_build(&self->sender, count, last);
	SEND();
}

#define SEND_PACKETS(count, last) send_packets(_metadata, self, count, last)

/* The train goes out, and its keys go to the device, which has @keys then. */
static void expect_taken(struct __test_metadata *_metadata,
			 FIXTURE_DATA(device) *self, long keys)
{
	const struct quic_nsim *nsim = &self->sender.nsim;

	SEND_BY(QUIC_BY_FALLBACK);
	if (self->who != QUIC_BY_DEVICE)
		keys = 0;
	EXPECT_EQ(keys, quic_stat_becomes("QuicCurrTxDevice", keys));
	EXPECT_EQ(keys, quic_nsim_read(nsim, "keys"));
	EXPECT_EQ(keys, quic_nsim_read(nsim, "adds"));
}

FIXTURE_SETUP(device)
{
	struct quic_nsim_sender *sender = &self->sender;
	int i;

	ASSERT_EQ(0, quic_nsim_sender_open(sender, variant->family,
					   variant->segments)) {
		TH_LOG("netdevsim: %s", strerror(errno));
	}
	self->max = QUIC_MAX_UDP_PAYLOAD - (variant->family != AF_INET6) * 20;
	self->who = variant->cipher == QUIC_AES_CCM_128 ? QUIC_BY_SOFTWARE :
							  QUIC_BY_DEVICE;
	sender->packet.len = 100;

	/* The first train has both keys taken. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, quic_nsim_sender_begin(sender, variant->cipher, 0,
						    i));
		quic_train_add(&sender->train, &sender->packet);
		sender->packet.pn++;
	}
	expect_taken(_metadata, self, 2);
	sender->packet.flags = QUIC_FIXED_BIT;
}

/* Nothing stays on the device. */
FIXTURE_TEARDOWN(device)
{
	quic_nsim_sender_hang_up(&self->sender);
	quic_nsim_expect_forgotten(_metadata, &self->sender.nsim);
	EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
	EXPECT_EQ(0, quic_stat("QuicTxDeviceDrop"));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	quic_nsim_sender_close(&self->sender);
}

/* Single packets: all small ones, a sweep, all around the largest. */
TEST_F_TIMEOUT(device, sizes, 120)
{
	struct quic_packet *packet = &self->sender.packet;

	for (packet->len = MIN_LEN; packet->len <= MAX_PACKET;) {
		SEND_PACKETS(1, 0);
		packet->len += packet->len < 96 || packet->len > 1460 ? 1 : 11;
	}
}

TEST_F_TIMEOUT(device, trains, 120)
{
	static const unsigned int counts[] = { 2, 17, 44, QUIC_MAX_SEGMENTS };
	static const size_t sizes[] = { MIN_LEN, 33, 64, 253, 495, 1436 };
	struct quic_packet *packet = &self->sender.packet;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			packet->len = sizes[j];
			if ((packet->len + QUIC_TAG_SIZE) * counts[i] >
			    self->max)
				continue;

			SEND_PACKETS(counts[i], 0);
			SEND_PACKETS(counts[i], MIN_LEN);
			if (packet->len > MIN_LEN)
				SEND_PACKETS(counts[i], packet->len - 1);
		}
	}
}

/* The longest message, with its tags, as many packets and as one */
TEST_F_TIMEOUT(device, longest, 60)
{
	static const size_t strides[] = { 512, 1200, 1452, 4096, 9000, 32768 };
	size_t whole = MTU - (variant->family == AF_INET6 ? 40 : 20) - 8;
	struct quic_packet *packet = &self->sender.packet;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		packet->len = strides[i] - QUIC_TAG_SIZE;
		SEND_PACKETS(self->max / strides[i] + 1,
			     self->max % strides[i] - QUIC_TAG_SIZE);
	}

	packet->len = (whole < self->max ? whole : self->max) - QUIC_TAG_SIZE;
	SEND_PACKETS(1, 0);
	if (whole >= self->max)
		return;

	/* One more byte takes fragments. */
	packet->len++;
	quic_nsim_sender_build(&self->sender, 1, 0);
	SEND_BY(QUIC_BY_SENDMSG);
	packet->len = self->max - QUIC_TAG_SIZE;
	quic_nsim_sender_build(&self->sender, 1, 0);
	SEND_BY(QUIC_BY_SENDMSG);
}

/* A packet may be shorter than a segment, or just as long. */
TEST_F(device, segment_size_of_one_packet)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_msg msg;

	for (sender->packet.len = 400; sender->packet.len > 300;
	     sender->packet.len -= 50) {
		quic_nsim_sender_build(sender, 1, 0);
		msg = quic_msg(sender->tx, &sender->to, &sender->train);
		msg.gso = 400 + QUIC_TAG_SIZE;
		expect_sent(_metadata, self, &msg, self->who);
	}
}

TEST_F(device, packet_number_length)
{
	struct quic_packet *packet = &self->sender.packet;

	for (packet->pn_len = 1; packet->pn_len <= 4; packet->pn_len++) {
		/* A number that needs more bytes than the header has. */
		packet->pn += 0x123456789aULL;
		for (packet->len = MIN_LEN; packet->len < 200;
		     packet->len += 37) {
			SEND_PACKETS(1, 0);
			SEND_PACKETS(17, 0);
		}
	}
	packet->pn_len = 4;
	packet->pn = QUIC_PN_LIMIT - 44;
	SEND_PACKETS(44, 0);
}

TEST_F(device, packet_number_lengths_in_one_train)
{
	struct quic_nsim_sender *sender = &self->sender;
	unsigned int i;

	sender->train.count = 0;
	for (i = 0; i < 16; i++) {
		sender->packet.pn_len = 1 + i % 4;
		quic_train_add(&sender->train, &sender->packet);
		sender->packet.pn++;
	}
	SEND();
}

/* @gaps from packet to packet, with numbers of one byte */
static void build_gaps(struct quic_nsim_sender *sender, const unsigned int *gaps,
		       unsigned int count)
{
	unsigned int i;

	sender->packet.pn_len = 1;
	sender->train.count = 0;
	quic_train_add(&sender->train, &sender->packet);
	for (i = 0; i < count; i++) {
		sender->packet.pn += gaps[i];
		quic_train_add(&sender->train, &sender->packet);
	}
}

/* Each number can be told from the first one: the last is the largest such one. */
TEST_F(device, packet_number_gaps)
{
	static const unsigned int gaps[] = { 1, 2, 50, 1, 100, 3, 98 };

	build_gaps(&self->sender, gaps, ARRAY_SIZE(gaps));
	SEND();
}

/* One more than that: such a train is none for a device. */
TEST_F(device, packet_number_gaps_too_large)
{
	static const unsigned int one_more[] = { 1, 2, 50, 1, 100, 3, 99 };
	static const unsigned int gaps[] = { 1, 2, 200, 1, 255, 256, 1, 128 };

	build_gaps(&self->sender, one_more, ARRAY_SIZE(one_more));
	SEND_BY(QUIC_BY_SENDMSG);
	build_gaps(&self->sender, gaps, ARRAY_SIZE(gaps));
	SEND_BY(QUIC_BY_SENDMSG);
	SEND_PACKETS(17, 0);
}

/* Both keys of a flow in one train, the phase going back and forth */
TEST_F(device, key_phases)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_packet *packet = &sender->packet;
	unsigned int i;

	sender->train.count = 0;
	for (i = 0; i < 44; i++, packet->pn++) {
		packet->flags = QUIC_FIXED_BIT;
		if (i > 20 || i == 7)
			packet->flags |= QUIC_KEY_PHASE;
		quic_train_add(&sender->train, packet);
	}
	SEND();
	SEND_PACKETS(1, 0);
	packet->flags = QUIC_FIXED_BIT;
	SEND_PACKETS(17, 0);
}

/* Fixed bit (RFC 9287), spin bit, reserved bits: all as the library likes. */
TEST_F(device, flag_bits)
{
	struct quic_nsim_sender *sender = &self->sender;
	unsigned int bits;

	sender->train.count = 0;
	for (bits = 0; bits < 0x80; bits += 4) {
		sender->packet.flags = bits;
		quic_train_add(&sender->train, &sender->packet);
		sender->packet.pn++;
	}
	SEND();
}

/* A flow with the keys of the first one, of any peer unless @to */
static void add_flow(struct __test_metadata *_metadata,
		     FIXTURE_DATA(device) *self, int cipher, uint8_t dcid_len,
		     const struct quic_addr *to)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_dcid_init(&sender->packet.dcid, dcid_len, 1);
	quic_keys_derive(&keys, &quic_ciphers[cipher], 0, 0);
	quic_flow_info(&info, &keys, &sender->packet.dcid, to);
	ASSERT_EQ(0, quic_flow_add(sender->tx, &info));
}

TEST_F(device, dcid_length)
{
	static const uint8_t lengths[] = { 0, 1, 7, 19, 20 };
	struct quic_nsim_sender *sender = &self->sender;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		add_flow(_metadata, self, variant->cipher, lengths[i],
			 &sender->to);
		sender->packet.len = 300;
		quic_nsim_sender_build(sender, 17, 41);
		expect_taken(_metadata, self, 3 + i);
		quic_nsim_sender_build(sender, 17, 41);
		SEND();
		sender->packet.len = 1 + lengths[i] + 4;
		SEND_PACKETS(1, 0);
	}
}

/* The flow of any peer, over a connected socket */
TEST_F(device, connected)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_msg msg;

	add_flow(_metadata, self, variant->cipher, QUIC_NSIM_DCID_LEN, NULL);
	quic_nsim_sender_build(sender, 17, 0);
	expect_taken(_metadata, self, 3);
	ASSERT_EQ(0, connect(sender->tx, (void *)&sender->to.ss,
			     sender->to.len));
	quic_nsim_sender_build(sender, 17, 50);
	msg = quic_msg(sender->tx, NULL, &sender->train);
	expect_sent(_metadata, self, &msg, self->who);
}

/*
 * A train comes to the receiver whole from a device that segments itself.  The tap
 * of a device that is to protect it sees plain text.
 */
TEST_F(device, one_or_many)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_nsim_counts before = quic_nsim_counts(&sender->nsim);
	unsigned int frames = variant->segments ? 1 : 17;
	struct quic_path_wire wire;
	struct quic_msg msg;

	quic_path_wire(&sender->path, false);
	quic_path_wire(&sender->path, true);
	quic_nsim_sender_build(sender, 17, 50);
	msg = quic_msg(sender->tx, &sender->to, &sender->train);
	ASSERT_EQ(sender->train.len, quic_send(&msg));
	ASSERT_EQ(17, quic_receive(sender->path.rx, sender->phase,
				   &sender->train));
	quic_nsim_expect_counts(_metadata, &sender->nsim, &before, 17,
				self->who);
	wire = quic_path_wire(&sender->path, true);
	EXPECT_EQ(frames, wire.seeds);
	EXPECT_EQ(0, wire.checksums);
	wire = quic_path_wire(&sender->path, false);
	EXPECT_EQ(frames, wire.seeds);
	EXPECT_EQ(self->who == QUIC_BY_DEVICE ? frames : 0, wire.markers);
}

/* Whom UDP leaves no checksum has nothing left to it. */
TEST_F(device, checksum_not_left)
{
	ASSERT_EQ(0, quic_path_offload("quic0", false));
	self->sender.packet.len = 1000;
	quic_nsim_sender_build(&self->sender, 1, 0);
	SEND_BY(QUIC_BY_SENDMSG);
	ASSERT_EQ(1, quic_path_offload("quic0", true));
	ASSERT_EQ(variant->segments,
		  quic_nsim_segments("quic0", variant->segments));
	SEND_PACKETS(17, 50);
}

/* Nor is any of it protected by a device if there is to be none. */
TEST_F(device, no_checksum)
{
	struct quic_nsim_sender *sender = &self->sender;
	bool ipv6 = variant->family == AF_INET6;
	int level = ipv6 ? SOL_UDP : SOL_SOCKET;
	int name = ipv6 ? UDP_NO_CHECK6_TX : SO_NO_CHECK;
	long device = quic_stat("QuicTxDevice");
	int on = 1, off = 0;

	ASSERT_EQ(0, setsockopt(sender->tx, level, name, &on, sizeof(on)));
	/* The receiver would take it for wrong. */
	ASSERT_EQ(0, setsockopt(sender->path.rx, SOL_UDP, UDP_NO_CHECK6_RX,
				&on, sizeof(on)));
	quic_nsim_sender_build(sender, 1, 0);
	SEND_BY(QUIC_BY_SOFTWARE);
	ASSERT_EQ(0, setsockopt(sender->tx, level, name, &off, sizeof(off)));
	if (self->who == QUIC_BY_DEVICE)
		quic_nsim_send_until(_metadata, sender, &sender->nsim, NULL,
				     "QuicTxDevice", device + 1);
	SEND_PACKETS(17, 50);
}

/* Options of IPv4: UDP's header is where a device looks for it all the same. */
TEST_F(device, ip_options)
{
	static const uint8_t nops[] = { 1, 1, 1, 1 };

	if (variant->family != AF_INET)
		SKIP(return, "options of IPv4");
	ASSERT_EQ(0, setsockopt(self->sender.tx, SOL_IP, IP_OPTIONS, nops,
				sizeof(nops)));
	SEND_PACKETS(1, 0);
	SEND_PACKETS(17, 50);
}

/* Extension headers of IPv6: UDP leaves the device no checksum. */
TEST_F(device, hop_by_hop)
{
	/* Next header, no more than 8 bytes, and PadN for what is left */
	static const uint8_t options[8] = { 0, 0, 1, 4 };

	if (variant->family != AF_INET6)
		SKIP(return, "options of IPv6");
	ASSERT_EQ(0, setsockopt(self->sender.tx, SOL_IPV6, IPV6_HOPOPTS,
				options, sizeof(options)));
	quic_nsim_sender_build(&self->sender, 1, 0);
	SEND_BY(QUIC_BY_SENDMSG);
}

/* What the device does not take is tried once a second. */
TEST_F(device, tried_again)
{
	long before = quic_stat("QuicTxDeviceFallback"), trains = 0;
	struct timespec start, end;
	double seconds;

	if (self->who == QUIC_BY_DEVICE)
		SKIP(return, "the device takes this cipher");
	/* From one try to the next but one */
	while (quic_stat("QuicTxDeviceFallback") < before + 1)
		SEND_PACKETS(1, 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (quic_stat("QuicTxDeviceFallback") < before + 3) {
		SEND_PACKETS(1, 0);
		trains++;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = end.tv_sec - start.tv_sec +
		  (end.tv_nsec - start.tv_nsec) / 1e9;
	EXPECT_LT(1.9, seconds);
	EXPECT_LT(4, trains);
	EXPECT_EQ(0, quic_nsim_read(&self->sender.nsim, "adds"));
}

/*
 * Checksums that are completed behind the device that has protected, on the way to
 * a receiver that looks at them
 */

FIXTURE(checksums) {
	struct quic_nsim_sender sender;
};

FIXTURE_VARIANT(checksums) {
	int family;
	bool segments;
	bool left;			/* also by the device behind the bridge */
};

FIXTURE_VARIANT_ADD(checksums, ipv4) { AF_INET, true, false };
FIXTURE_VARIANT_ADD(checksums, ipv4_singly) { AF_INET, false, false };
FIXTURE_VARIANT_ADD(checksums, ipv4_left) { AF_INET, true, true };
FIXTURE_VARIANT_ADD(checksums, ipv6) { AF_INET6, true, false };
FIXTURE_VARIANT_ADD(checksums, ipv6_singly) { AF_INET6, false, false };
FIXTURE_VARIANT_ADD(checksums, ipv6_left) { AF_INET6, true, true };
FIXTURE_VARIANT_ADD(checksums, mapped) { AF_UNSPEC, true, false };

/* The receiver's address moves to a device that is bridged with quic1. */
static const char bridged[] =
	"address flush dev quic1\n"
	"link add quic2 type veth peer name quic3\n"
	"link set quic1 mtu 1500 master bridge\n"
	"link set quic2 master bridge up\n"
	"link set bridge up\n"
	QUIC_PATH_ADDRESSES("quic3", "2")
	"link set quic3 up\n";

FIXTURE_SETUP(checksums)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_path *path = &sender->path;

	ASSERT_EQ(0, quic_nsim_sender_open(sender, variant->family,
					   variant->segments));
	ASSERT_EQ(0, quic_path_ip(path, false, "link set quic0 mtu 1500\n"
				  "neigh flush dev quic0\n"));
	if (quic_path_ip(path, true, "link add bridge type bridge\n"))
		SKIP(return, "needs CONFIG_BRIDGE");
	ASSERT_EQ(0, quic_path_enter(path, true));
	/* The bridge would answer for the receiver's address. */
	ASSERT_EQ(0, quic_env_write_file("/proc/sys/net/ipv4/conf/all/arp_ignore",
					 "1"));
	ASSERT_EQ(0, quic_path_enter(path, false));
	ASSERT_EQ(0, quic_path_ip(path, true, bridged));
	ASSERT_EQ(0, quic_path_enter(path, true));
	ASSERT_EQ(variant->left, quic_path_offload("quic2", variant->left));
	ASSERT_EQ(0, quic_path_enter(path, false));
	ASSERT_TRUE(quic_path_reaches(path, sender->tx, &sender->to));
	ASSERT_EQ(0, quic_nsim_sender_begin(sender, QUIC_AES_GCM_128, 0, 0));

	quic_nsim_sender_build(sender, 3, 0);
	quic_nsim_send_by(_metadata, sender, &sender->nsim, QUIC_BY_FALLBACK);
	ASSERT_EQ(1, quic_stat_becomes("QuicCurrTxDevice", 1));
}

FIXTURE_TEARDOWN(checksums)
{
	quic_nsim_sender_hang_up(&self->sender);
	quic_nsim_expect_forgotten(_metadata, &self->sender.nsim);
	quic_nsim_sender_close(&self->sender);
}

TEST_F_TIMEOUT(checksums, right, 60)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_path_wire wire;
	unsigned int len, sent = 0;
	struct quic_msg msg;

	quic_path_wire(&sender->path, true);
	for (len = MIN_LEN; len < 1400; len += 31) {
		sender->packet.len = len;
		quic_nsim_sender_build(sender, 1 + len % 20, MIN_LEN);
		sent += sender->train.count;
		msg = quic_msg(sender->tx, &sender->to, &sender->train);
		ASSERT_EQ(sender->train.len, quic_send(&msg));
		ASSERT_EQ(sender->train.count,
			  quic_receive(sender->path.rx, sender->phase,
				       &sender->train));
	}
	EXPECT_EQ(sent, quic_stat("QuicTxDevice"));

	wire = quic_path_wire(&sender->path, true);
	EXPECT_EQ(0, wire.markers);
	EXPECT_EQ(0, wire.wrong);
	EXPECT_EQ(0, wire.wrong_seeds);
	/* It leaves one veth device and comes by the other. */
	EXPECT_EQ(variant->left ? 0 : 2 * sent, wire.checksums);
}

TEST_HARNESS_MAIN
