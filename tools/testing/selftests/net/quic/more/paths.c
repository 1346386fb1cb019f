// SPDX-License-Identifier: GPL-2.0
/*
 * What leaves through devices of other kinds, with checksums left to them and
 * without: the same as from plain UDP, and protected.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_path.h"
#include "quic_wireguard.h"

#define DCID_LEN	8
#define SEGMENT		1200	/* fits in any tunnel */
#define COUNT		20

/* Batches for ip(8); tunnels have other addresses outside. */
#define INSIDE(device, n)						\
	QUIC_PATH_ADDRESSES(device, n) "link set " device " up\n"
#define OUTSIDE(device, n)						\
	"address add 203.0.113." n "/24 dev " device "\n"		\
	"link set " device " up\n"
#define OVER(device, add)						\
	"link set " device " up\nlink add " add "\n"

FIXTURE(paths) {
	struct quic_path path;
	struct quic_train train;
	struct quic_packet packet;
	struct quic_oracle *phase[2];
	int plain, tx;			/* sockets of the same kind */
	struct quic_addr to;
	long sent, trains, errors;	/* packets, and messages that failed */
	long checksums;			/* seen by this program */
};

FIXTURE_VARIANT(paths) {
	const char *here, *there;
	const char *upper, *lower;	/* devices whose checksums are meant */
	bool wireguard;
	bool tun;
	const char *bound;		/* the socket, to this device */
	bool hop_by_hop;
};

FIXTURE_VARIANT_ADD(paths, vlan) {
	OVER("quic0", "link quic0 name path0 type vlan id 7")
	INSIDE("path0", "1"),
	OVER("quic1", "link quic1 name path1 type vlan id 7")
	INSIDE("path1", "2"),
	"path0", "quic0",
};
FIXTURE_VARIANT_ADD(paths, macvlan) {
	OVER("quic0", "link quic0 name path0 type macvlan mode private")
	INSIDE("path0", "1"),
	INSIDE("quic1", "2"),
	"quic0", "quic0",		/* path0 is always on */
};
FIXTURE_VARIANT_ADD(paths, bond) {
	"link add path0 type bond mode active-backup\n"
	"link set quic0 master path0\n"
	INSIDE("path0", "1"),
	INSIDE("quic1", "2"),
	"path0", "quic0",
};
FIXTURE_VARIANT_ADD(paths, vxlan) {
	OUTSIDE("quic0", "1")
	"link add path0 type vxlan id 42 dstport 4789 dev quic0 "
	"local 203.0.113.1 remote 203.0.113.2\n"
	INSIDE("path0", "1"),
	OUTSIDE("quic1", "2")
	"link add path1 type vxlan id 42 dstport 4789 dev quic1 "
	"local 203.0.113.2 remote 203.0.113.1\n"
	INSIDE("path1", "2"),
	"path0", "quic0",
};
FIXTURE_VARIANT_ADD(paths, gre) {
	OUTSIDE("quic0", "1")
	"link add path0 type gre local 203.0.113.1 remote 203.0.113.2\n"
	INSIDE("path0", "1"),
	OUTSIDE("quic1", "2")
	"link add path1 type gre local 203.0.113.2 remote 203.0.113.1\n"
	INSIDE("path1", "2"),
	"path0", "quic0",
};
FIXTURE_VARIANT_ADD(paths, wireguard) {
	OUTSIDE("quic0", "1")
	"link add path0 type wireguard\n"
	INSIDE("path0", "1"),
	OUTSIDE("quic1", "2")
	"link add path1 type wireguard\n"
	INSIDE("path1", "2"),
	"path0", "quic0",
	.wireguard = true,
};
FIXTURE_VARIANT_ADD(paths, tun) {
	INSIDE("path0", "1"), INSIDE("path1", "2"),
	"path0", "path0",
	.tun = true,
};
FIXTURE_VARIANT_ADD(paths, vrf) {
	"link add path0 type vrf table 10\n"
	"link set path0 up\n"
	"link set quic0 master path0\n"
	INSIDE("quic0", "1"),
	INSIDE("quic1", "2"),
	"path0", "quic0",
	.bound = "path0",
};
FIXTURE_VARIANT_ADD(paths, hop_by_hop) {
	INSIDE("quic0", "1"), INSIDE("quic1", "2"),
	"quic0", "quic0",
	.hop_by_hop = true,
};

FIXTURE_SETUP(paths)
{
	struct quic_keys keys;
	int i;

	ASSERT_EQ(0, quic_path_open(&self->path));
	if (variant->tun)
		ASSERT_EQ(0, quic_path_tun(&self->path)) {
			TH_LOG("TUN: %s", strerror(errno));
		}
	ASSERT_EQ(0, quic_path_ip(&self->path, false, variant->here));
	ASSERT_EQ(0, quic_path_ip(&self->path, true, variant->there));
	for (i = 0; i < 2 && variant->wireguard; i++) {
		ASSERT_EQ(0, quic_wireguard_set(&self->path, i)) {
			TH_LOG("WireGuard: %s", strerror(errno));
		}
	}

	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 4,
		.flags = QUIC_FIXED_BIT,
		.len = SEGMENT - QUIC_TAG_SIZE,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	self->phase[0] = quic_oracle_new(&keys);
	self->phase[1] = NULL;
}

FIXTURE_TEARDOWN(paths)
{
	quic_oracle_free(self->phase[0]);
	quic_path_close(&self->path);
}

static int socket_open(FIXTURE_DATA(paths) *self,
		       const FIXTURE_VARIANT(paths) *variant, int family)
{
	/* Next header, no more than 8 bytes, and PadN for what is left */
	static const uint8_t options[8] = { 0, 0, 1, 4 };
	int fd = quic_path_socket(&self->path, family, &self->to);

	if (variant->bound &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, variant->bound,
		       strlen(variant->bound)))
		return -1;
	if (variant->hop_by_hop &&
	    setsockopt(fd, SOL_IPV6, IPV6_HOPOPTS, options, sizeof(options)))
		return -1;
	return fd;
}

static void open_sockets(struct __test_metadata *_metadata,
			 FIXTURE_DATA(paths) *self,
			 const FIXTURE_VARIANT(paths) *variant, int family)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	self->plain = socket_open(self, variant, family);
	self->tx = socket_open(self, variant, family);
	ASSERT_LE(0, self->plain);
	ASSERT_LE(0, self->tx);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	quic_flow_info(&info, &keys, &self->packet.dcid, &self->to);
	ASSERT_EQ(0, quic_flow_add(self->tx, &info));
	ASSERT_TRUE(quic_path_reaches(&self->path, self->plain, &self->to));
}

/* WireGuard's receiver takes a packet with a wrong checksum: look for it. */
static void expect_wires(struct __test_metadata *_metadata,
			 FIXTURE_DATA(paths) *self)
{
	struct quic_path_wire wire;
	int there;

	for (there = 0; there < 2; there++) {
		wire = quic_path_wire(&self->path, there);
		EXPECT_EQ(0, wire.markers);
		EXPECT_EQ(0, wire.wrong);
		self->checksums += wire.checksums;
	}
}

/* Plain UDP first, which the protected train has to do the same as. */
static void expect_same(struct __test_metadata *_metadata,
			FIXTURE_DATA(paths) *self, unsigned int count,
			size_t last)
{
	struct quic_msg msg;
	int want, err;

	quic_train_build(&self->train, self->packet, count, last);
	self->packet.pn += count;
	want = quic_path_send_plain(self->plain, &self->to, &self->train);
	quic_path_carry(&self->path);
	if (!want)
		ASSERT_EQ(count, quic_path_receive_plain(&self->path,
							 &self->train));

	msg = quic_msg(self->tx, &self->to, &self->train);
	err = quic_send(&msg) < 0 ? errno : 0;
	ASSERT_EQ(want, err) {
		TH_LOG("%u packets: %s, without the offload %s", count,
		       strerror(err), strerror(want));
	}
	quic_path_carry(&self->path);
	if (!want)
		ASSERT_EQ(count, quic_receive(self->path.rx, self->phase,
					      &self->train)) {
			TH_LOG("%u packets", count);
		}
	self->sent += want ? 0 : count;
	self->trains += !want && count > 1;
	self->errors += !!want;
	expect_wires(_metadata, self);
}

/* The look at the wires would see plain text. */
static void expect_markers(struct __test_metadata *_metadata,
			   FIXTURE_DATA(paths) *self)
{
	struct quic_msg msg;
	uint8_t bytes[2000];

	quic_train_build(&self->train, self->packet, 1, 0);
	msg = quic_msg(self->tx, &self->to, &self->train);
	msg.encrypts = 0;
	ASSERT_EQ(msg.len, quic_send(&msg));
	quic_path_carry(&self->path);
	ASSERT_EQ(msg.len, recv(self->path.rx, bytes, sizeof(bytes), 0));
	EXPECT_LE(1, quic_path_wire(&self->path, false).markers);
	EXPECT_LE(1, quic_path_wire(&self->path, true).markers);
}

/* Some devices can't do what the one below them does not do. */
static void set_offloads(struct __test_metadata *_metadata,
			 const FIXTURE_VARIANT(paths) *variant, bool upper,
			 bool lower)
{
	int is;

	ASSERT_EQ(lower, quic_path_offload(variant->lower, lower));
	is = quic_path_offload(variant->upper, upper);
	ASSERT_LE(0, is) {
		TH_LOG("%s", strerror(errno));
	}
	if (lower) {
		ASSERT_EQ(upper, is);
	} else {
		ASSERT_GE(upper, is);
	}
}

static void expect_offloads(struct __test_metadata *_metadata,
			    FIXTURE_DATA(paths) *self,
			    const FIXTURE_VARIANT(paths) *variant)
{
	bool one = !strcmp(variant->upper, variant->lower);
	int upper, lower;

	for (upper = 1; upper >= 0; upper--) {
		for (lower = 1; lower >= 0; lower--) {
			if (one && lower != upper)
				continue;
			set_offloads(_metadata, variant, upper, lower);
			expect_same(_metadata, self, 1, 0);
			expect_same(_metadata, self, COUNT, 0);
			expect_same(_metadata, self, COUNT, 300);
		}
	}
}

TEST_F_TIMEOUT(paths, like_plain_udp, 120)
{
	static const int families[] = { AF_INET6, AF_INET };
	unsigned int i;

	for (i = 0; i < (variant->hop_by_hop ? 1 : 2); i++) {
		open_sockets(_metadata, self, variant, families[i]);
		expect_offloads(_metadata, self, variant);
		expect_markers(_metadata, self);
		EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
		close(self->plain);
		close(self->tx);
		self->packet.pn = 1000;
	}
	if (!variant->hop_by_hop)
		EXPECT_LT(0, self->trains);
	/* Without offload every packet has its own. */
	EXPECT_LT(self->sent / 4, self->checksums);
	EXPECT_EQ(self->sent, quic_stat("QuicTxSwPackets"));
	EXPECT_EQ(self->errors, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, quic_flows_become(0));
}

TEST_HARNESS_MAIN
