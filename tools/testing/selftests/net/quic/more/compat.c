// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of 32 bits on a kernel of 64: compat32 makes the calls, control
 * messages in their narrower form among them, and this program looks at what
 * comes of it.  The layout of the structures is the business of abi.c.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_compat.h"
#include "quic_env.h"
#include "quic_example.h"

FIXTURE(compat) {
	struct quic_env env;
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
};

FIXTURE_VARIANT(compat) {
	int family;
};

FIXTURE_VARIANT_ADD(compat, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(compat, ipv6) { AF_INET6 };

/* Starts one call, with @output for what it writes; returns the process. */
static pid_t start(FIXTURE_DATA(compat) *self, const char *what, uint64_t pn,
		   unsigned int gso, int output)
{
	char number[24], size[16];
	int input;
	pid_t pid;

	snprintf(number, sizeof(number), "%#llx", (unsigned long long)pn);
	snprintf(size, sizeof(size), "%u", gso);
	input = memfd_create("plaintext", 0);
	if (input < 0 ||
	    pwrite(input, self->train.buf, self->train.len, 0) < 0)
		return -1;

	pid = quic_compat_run(input, output, self->env.tx, what,
			      gso ? number : NULL, size);
	close(input);
	return pid;
}

static int call(FIXTURE_DATA(compat) *self, const char *what, uint64_t pn,
		unsigned int gso)
{
	return quic_compat_finish(start(self, what, pn, gso, 1));
}

/* Sends the train from the 32-bit program; returns as call() does. */
static int send32(FIXTURE_DATA(compat) *self)
{
	return call(self, "send", self->train.pn[0],
		    self->train.at[1] + QUIC_TAG_SIZE);
}

static unsigned int received(FIXTURE_DATA(compat) *self)
{
	return quic_receive(self->env.rx, self->phase, &self->train);
}

FIXTURE_SETUP(compat)
{
	struct quic_keys keys = {
		.cipher = &quic_ciphers[QUIC_AES_GCM_128],
	};
	const char *why_not;

	memcpy(keys.key, conn_key, sizeof(conn_key));
	memcpy(keys.iv, conn_iv, sizeof(conn_iv));
	memcpy(keys.hp, conn_hdr_key, sizeof(conn_hdr_key));
	self->phase[0] = quic_oracle_new(&keys);
	self->phase[1] = NULL;
	/* More than 32 bits of packet number, as many of length */
	self->packet = (struct quic_packet) {
		.pn = 0x123456789abcULL,
		.pn_len = 4,
		.len = 1200,
		.flags = QUIC_FIXED_BIT,
		.dcid.len = sizeof(conn_id),
	};
	memcpy(self->packet.dcid.id, conn_id, sizeof(conn_id));
	quic_train_build(&self->train, self->packet, 17, 99);

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	why_not = quic_compat_missing();
	if (why_not)
		SKIP(return, "%s", why_not);
}

FIXTURE_TEARDOWN(compat)
{
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

TEST_F(compat, train)
{
	ASSERT_EQ(0, call(self, "add", 0, 0));
	EXPECT_EQ(0, call(self, "probe", 0, 0));
	ASSERT_EQ(0, send32(self));
	EXPECT_EQ(self->train.count, received(self));
	EXPECT_EQ(0, call(self, "del", 0, 0));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(self->train.count, quic_stat("QuicTxSwPackets"));
}

/* A program of either size sees the flow, and the guard, of the other. */
TEST_F(compat, both)
{
	struct quic_msg msg;

	ASSERT_EQ(0, quic_example_add(self->env.tx));
	EXPECT_EQ(EEXIST, call(self, "add", 0, 0));
	ASSERT_EQ(0, send32(self));
	EXPECT_EQ(self->train.count, received(self));
	msg = quic_msg(self->env.tx, NULL, &self->train);
	EXPECT_EQ(-1, quic_send(&msg));
	EXPECT_EQ(ERANGE, errno);

	self->packet.pn += self->train.count;
	quic_train_build(&self->train, self->packet, 44, 0);
	msg = quic_msg(self->env.tx, NULL, &self->train);
	ASSERT_EQ(self->train.len, quic_send(&msg));
	EXPECT_EQ(self->train.count, received(self));
	EXPECT_EQ(ERANGE, send32(self));
	EXPECT_EQ(0, call(self, "del", 0, 0));
	EXPECT_EQ(ENOENT, call(self, "del", 0, 0));
}

static void expect_same(struct __test_metadata *_metadata,
			FIXTURE_DATA(compat) *self, int option,
			const void *value, size_t size)
{
	const char *differs = quic_compat_option(self->env.tx, option, value,
						 size);

	ASSERT_EQ(NULL, differs) {
		TH_LOG("option %d %s", option, differs);
	}
}

/* What the kernel tells is the same in programs of either size. */
TEST_F(compat, told)
{
	struct quic_flow_info info = {
		.key.conn_id_length = sizeof(conn_id),
		.direction = QUIC_CAP_TX,
	}, seen;
	socklen_t len = sizeof(seen);

	memcpy(info.key.conn_id + sizeof(info.key.conn_id) - sizeof(conn_id),
	       conn_id, sizeof(conn_id));
	expect_same(_metadata, self, UDP_QUIC_FLOW_INFO, &info, sizeof(info));
	ASSERT_EQ(0, call(self, "add", 0, 0));
	ASSERT_EQ(0, send32(self));
	EXPECT_EQ(self->train.count, received(self));

	expect_same(_metadata, self, UDP_QUIC_FLOW_INFO, &info, sizeof(info));
	seen = info;
	ASSERT_EQ(0, getsockopt(self->env.tx, SOL_UDP, UDP_QUIC_FLOW_INFO,
				&seen, &len));
	EXPECT_EQ(self->packet.pn + self->train.count, seen.next_pkt_num);
	EXPECT_EQ(self->train.count, seen.packets);
	expect_same(_metadata, self, UDP_QUIC_CAPABILITIES, &info,
		    sizeof(struct quic_capabilities));
}

TEST_F(compat, delete_all)
{
	EXPECT_EQ(EINVAL, call(self, "del-all", 0, 0));
	ASSERT_EQ(0, call(self, "add", 0, 0));
	ASSERT_EQ(0, send32(self));
	EXPECT_EQ(self->train.count, received(self));
	EXPECT_EQ(0, call(self, "del-all", 0, 0));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(0, call(self, "del-all", 0, 0));
	EXPECT_EQ(ENOENT, call(self, "del", 0, 0));
}

TEST_F(compat, errors)
{
	struct quic_wire wire;

	EXPECT_EQ(ENOPROTOOPT, call(self, "del", 0, 0));
	ASSERT_EQ(0, call(self, "add", 0, 0));
	EXPECT_EQ(EEXIST, call(self, "add", 0, 0));
	quic_env_wire(&self->env);

	/* The number in the header is another one. */
	EXPECT_EQ(EINVAL, call(self, "send", self->packet.pn + 1,
			       self->packet.len + QUIC_TAG_SIZE));
	EXPECT_EQ(EINVAL, call(self, "send", self->packet.pn, QUIC_TAG_SIZE));
	EXPECT_EQ(ERANGE, call(self, "send", QUIC_PN_LIMIT | self->packet.pn,
			       self->packet.len + QUIC_TAG_SIZE));
	EXPECT_EQ(0, call(self, "del", 0, 0));
	EXPECT_EQ(ENOENT, send32(self));

	wire = quic_env_wire(&self->env);
	EXPECT_EQ(0, wire.frames);
	EXPECT_EQ(false, wire.marker);
	EXPECT_EQ(4, quic_stat("QuicTxSwError"));
}

/* The first attempt finds no room, the second one takes the message anew. */
TEST_F(compat, io_uring_that_waits)
{
	static const struct sockaddr nobody = { .sa_family = AF_UNSPEC };
	int pipefd[2];
	char byte;
	pid_t pid;

	ASSERT_EQ(0, call(self, "add", 0, 0));
	ASSERT_EQ(0, pipe(pipefd));
	/* Not from a loopback address */
	ASSERT_EQ(0, connect(self->env.tx, &nobody, sizeof(nobody)));
	ASSERT_EQ(0, quic_env_fill(&self->env));
	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	pid = start(self, "uring", self->train.pn[0],
		    self->train.at[1] + QUIC_TAG_SIZE, pipefd[1]);
	close(pipefd[1]);
	ASSERT_EQ(1, read(pipefd[0], &byte, 1));
	EXPECT_EQ(-1, recv(self->env.rx, &byte, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, quic_env_drain(&self->env));
	EXPECT_EQ(0, quic_compat_finish(pid));
	EXPECT_EQ(self->train.count, received(self));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	close(pipefd[0]);
}

TEST_HARNESS_MAIN
