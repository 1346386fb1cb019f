// SPDX-License-Identifier: GPL-2.0
/* Control messages beside UDP_QUIC_ENCRYPT do what they always do. */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define COUNT		3

FIXTURE(cmsgs) {
	struct quic_env env;
	struct quic_oracle *oracle;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_msg msg;
	struct quic_msghdr hdr;
	struct quic_addr source;	/* other than what routing chooses */
};

FIXTURE_VARIANT(cmsgs) {
	int family;
};

FIXTURE_VARIANT_ADD(cmsgs, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(cmsgs, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(cmsgs, mapped) { QUIC_MAPPED };

/* The next train, as a message without control messages */
static void next_train(FIXTURE_DATA(cmsgs) *self)
{
	quic_train_build(&self->train, self->packet, COUNT, 100);
	self->packet.pn += COUNT;
	self->msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	self->msg.encrypts = 0;
	self->msg.gso = -1;
	quic_msghdr_init(&self->hdr, &self->msg);
}

FIXTURE_SETUP(cmsgs)
{
	struct sockaddr_in6 *sin6 = (void *)&self->source.ss;
	struct sockaddr_in *sin = (void *)&self->source.ss;
	int one = 1;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = 1200 - QUIC_TAG_SIZE,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, 8, 0);
	self->oracle = quic_flow_begin(self->env.tx, &self->packet.dcid,
				       &self->env.to, 1, 0);
	ASSERT_NE(NULL, self->oracle);

	if (variant->family == AF_INET6) {
		ASSERT_EQ(0, system("ip address add 2001:db8::2/128 dev lo nodad"));
		sin6->sin6_family = AF_INET6;
		inet_pton(AF_INET6, "2001:db8::2", &sin6->sin6_addr);
		ASSERT_EQ(0, setsockopt(self->env.rx, SOL_IPV6, IPV6_RECVTCLASS,
					&one, sizeof(one)));
	} else {
		sin->sin_family = AF_INET;
		inet_pton(AF_INET, "127.0.0.2", &sin->sin_addr);
		ASSERT_EQ(0, setsockopt(self->env.rx, SOL_IP, IP_RECVTOS,
					&one, sizeof(one)));
	}
	next_train(self);
}

FIXTURE_TEARDOWN(cmsgs)
{
	quic_oracle_free(self->oracle);
	quic_env_close(&self->env);
}

static void put_encrypt(FIXTURE_DATA(cmsgs) *self)
{
	quic_cmsg_put(&self->hdr.mh, SOL_UDP, UDP_QUIC_ENCRYPT, &self->msg.anc,
		      sizeof(self->msg.anc));
}

static void put_segment(FIXTURE_DATA(cmsgs) *self)
{
	uint16_t gso = self->packet.len;

	if (self->msg.anc.flags != QUIC_BYPASS_ENCRYPTION)
		gso += QUIC_TAG_SIZE;
	quic_cmsg_put(&self->hdr.mh, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
}

static void put_source(FIXTURE_DATA(cmsgs) *self)
{
	const struct sockaddr_in6 *sin6 = (const void *)&self->source.ss;
	const struct sockaddr_in *sin = (const void *)&self->source.ss;
	struct in6_pktinfo pktinfo6 = {};
	struct in_pktinfo pktinfo = {};

	if (self->env.family == AF_INET) {
		pktinfo.ipi_spec_dst = sin->sin_addr;
		quic_cmsg_put(&self->hdr.mh, SOL_IP, IP_PKTINFO, &pktinfo,
			      sizeof(pktinfo));
		return;
	}
	if (self->env.family == AF_INET6)
		pktinfo6.ipi6_addr = sin6->sin6_addr;
	else
		inet_pton(AF_INET6, "::ffff:127.0.0.2", &pktinfo6.ipi6_addr);
	quic_cmsg_put(&self->hdr.mh, SOL_IPV6, IPV6_PKTINFO, &pktinfo6,
		      sizeof(pktinfo6));
}

static void put_tos(FIXTURE_DATA(cmsgs) *self, int tos)
{
	if (self->env.family == AF_INET6)
		quic_cmsg_put(&self->hdr.mh, SOL_IPV6, IPV6_TCLASS, &tos,
			      sizeof(tos));
	else
		quic_cmsg_put(&self->hdr.mh, SOL_IP, IP_TOS, &tos, sizeof(tos));
}

static bool same_address(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return !memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr));
}

/* The train arrives; @source and @tos NULL, -1: whatever they are. */
static void expect_train(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(cmsgs) *self,
			 const struct quic_addr *source, int tos)
{
	bool bypass = self->msg.anc.flags == QUIC_BYPASS_ENCRYPTION;
	uint8_t seen[2000], expected[2000];
	const struct quic_train *train = &self->train;
	struct sockaddr_storage from;
	uint64_t control[32];
	unsigned int i;
	ssize_t len;

	for (i = 0; i < train->count; i++) {
		struct iovec iov = { seen, sizeof(seen) };
		struct msghdr mh = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		const uint8_t *packet = train->buf + train->at[i];

		len = train->at[i + 1] - train->at[i];
		if (bypass)
			memcpy(expected, packet, len);
		else
			len = quic_oracle_protect(self->oracle, train->pn[i],
						  train->dcid_len, packet, len,
						  expected);
		ASSERT_EQ(len, recvmsg(self->env.rx, &mh, 0));
		ASSERT_EQ(0, memcmp(expected, seen, len));
		if (source)
			ASSERT_EQ(true, same_address(&source->ss, &from));
		if (tos >= 0)
			ASSERT_EQ(tos, quic_cmsg_tos(&mh));
	}
	ASSERT_EQ(-1, recv(self->env.rx, seen, sizeof(seen), MSG_DONTWAIT));
}

static ssize_t send_hdr(const FIXTURE_DATA(cmsgs) *self)
{
	return sendmsg(self->env.tx, &self->hdr.mh, 0);
}

TEST_F(cmsgs, source_address)
{
	/* It is not what would have been taken anyway. */
	put_encrypt(self);
	put_segment(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	expect_train(_metadata, self,
		     variant->family == QUIC_MAPPED ? NULL : &self->env.to, 0);

	next_train(self);
	put_encrypt(self);
	put_segment(self);
	put_source(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	expect_train(_metadata, self, &self->source, 0);
}

/* Connections with empty connection IDs are told apart by the peer alone. */
TEST_F(cmsgs, source_address_selects_no_flow)
{
	struct quic_connection_info info;
	struct quic_dcid empty = {};
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 3, 0);
	quic_flow_info(&info, &keys, &empty, &self->env.to);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 2, 0);
	quic_flow_info(&info, &keys, &empty, &self->env.to);
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &info));
	EXPECT_EQ(EEXIST, errno);
	info.conn_payload_key_gen = 1;
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &info));
	EXPECT_EQ(EINVAL, errno);

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 3, 0);
	quic_oracle_free(self->oracle);
	self->oracle = quic_oracle_new(&keys);
	self->packet.dcid = empty;
	next_train(self);
	put_encrypt(self);
	put_segment(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	expect_train(_metadata, self, NULL, 0);
	next_train(self);
	put_encrypt(self);
	put_segment(self);
	put_source(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	expect_train(_metadata, self, &self->source, 0);
}

/* All of ECN, some of DSCP; on every packet of the train */
TEST_F(cmsgs, traffic_class)
{
	static const int dscp[] = { 0, 10 << 2, 46 << 2, 0xfc };
	int i, ecn;

	for (i = 0; i < ARRAY_SIZE(dscp); i++) {
		for (ecn = 0; ecn < 4; ecn++) {
			put_encrypt(self);
			put_segment(self);
			put_tos(self, dscp[i] | ecn);
			ASSERT_EQ(self->msg.len, send_hdr(self));
			expect_train(_metadata, self, NULL, dscp[i] | ecn);
			next_train(self);
		}
	}
}

/* Four control messages in every order, protected and bypassed */
TEST_F(cmsgs, any_order)
{
	unsigned int order, i, which;
	int bypass;

	for (bypass = 0; bypass < 2; bypass++) {
		for (order = 0; order < 256; order++) {
			unsigned int seen = 0;

			for (i = 0; i < 4; i++)
				seen |= 1 << (order >> 2 * i & 3);
			if (seen != 0xf)
				continue;
			next_train(self);
			if (bypass)
				self->msg.anc.flags = QUIC_BYPASS_ENCRYPTION;
			for (i = 0; i < 4; i++) {
				which = order >> 2 * i & 3;
				if (which == 0)
					put_encrypt(self);
				else if (which == 1)
					put_segment(self);
				else if (which == 2)
					put_source(self);
				else
					put_tos(self, 0xb9);
			}
			ASSERT_EQ(self->msg.len, send_hdr(self)) {
				TH_LOG("order %x: %s", order, strerror(errno));
			}
			expect_train(_metadata, self, &self->source, 0xb9);
		}
	}
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* What the caller passed is as it was, sent or not. */
TEST_F(cmsgs, memory_of_the_caller)
{
	struct quic_msghdr before;
	int i;

	put_source(self);
	put_encrypt(self);
	put_segment(self);
	put_tos(self, 3);
	memset((char *)self->hdr.control + self->hdr.mh.msg_controllen, 0xaa,
	       sizeof(self->hdr.control) - self->hdr.mh.msg_controllen);
	before = self->hdr;
	for (i = 0; i < 3; i++) {
		if (!i) {
			ASSERT_EQ(self->msg.len, send_hdr(self));
			expect_train(_metadata, self, &self->source, 3);
		} else {
			ASSERT_EQ(-1, send_hdr(self));
			ASSERT_EQ(ERANGE, errno);
		}
		EXPECT_EQ(0, memcmp(&before, &self->hdr, sizeof(before)));
	}
}

/* UDP refuses a control message: the packet numbers are not lost. */
TEST_F(cmsgs, unknown)
{
	int value = 0;

	put_encrypt(self);
	put_segment(self);
	quic_cmsg_put(&self->hdr.mh, SOL_UDP, 99, &value, sizeof(value));
	quic_env_wire(&self->env);
	EXPECT_EQ(-1, send_hdr(self));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);

	quic_msghdr_init(&self->hdr, &self->msg);
	put_encrypt(self);
	put_segment(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	expect_train(_metadata, self, NULL, 0);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* Where the queue knows how to wait, the train waits. */
TEST_F(cmsgs, time_of_departure)
{
	struct sock_txtime option = { .clockid = CLOCK_MONOTONIC };
	struct pollfd pollfd = { .fd = self->env.rx, .events = POLLIN };
	uint64_t txtime;

	if (system("tc qdisc add dev lo root fq 2> /dev/null"))
		SKIP(return, "needs tc and CONFIG_NET_SCH_FQ");
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_TXTIME, &option,
				sizeof(option)));
	put_encrypt(self);
	put_segment(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	expect_train(_metadata, self, NULL, 0);

	next_train(self);
	txtime = now_ns() + 500000000;
	quic_cmsg_put(&self->hdr.mh, SOL_SOCKET, SCM_TXTIME, &txtime,
		      sizeof(txtime));
	put_encrypt(self);
	put_segment(self);
	ASSERT_EQ(self->msg.len, send_hdr(self));
	EXPECT_EQ(1, poll(&pollfd, 1, 5000));
	EXPECT_LE(txtime, now_ns());
	expect_train(_metadata, self, NULL, 0);
}

TEST_HARNESS_MAIN
