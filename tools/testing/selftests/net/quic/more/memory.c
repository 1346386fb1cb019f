// SPDX-License-Identifier: GPL-2.0
/* Where the packets come from: memory that changes, memory in pieces. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define DCID_LEN	8
#define PN_LEN		2
#define FIRST_BYTE	0
#define IN_DCID		3
#define IN_NUMBER	(1 + DCID_LEN + PN_LEN - 1)
#define IN_PAYLOAD	20	/* in QUIC_MARKER */

/* Another process changes a byte of each packet while they are sent. */

FIXTURE(changing) {
	struct quic_env env;
	struct quic_oracle *phase[2];
	struct quic_oracle *other;	/* of the flow with the other DCID */
	struct quic_packet packet;
	struct quic_dcid other_dcid;
	struct quic_train train;
	uint8_t *shared;		/* with the other process */
	pid_t child;
};

FIXTURE_VARIANT(changing) {
	size_t at;			/* byte of the packet */
	uint8_t flip;			/* its bits that change */
	unsigned int count;		/* packets in a train */
	bool generations;		/* both phases have a key */
	bool other_flow;		/* as has the other DCID */
	bool differs;			/* the change may be sent */
	bool refused;			/* or not, for one of these reasons */
	int err[2];
};

FIXTURE_VARIANT_ADD(changing, form) {
	FIRST_BYTE, QUIC_LONG_HEADER, 3, .refused = true, .err = { EINVAL } };
FIXTURE_VARIANT_ADD(changing, phase) {
	FIRST_BYTE, QUIC_KEY_PHASE, 3, .generations = true, .differs = true };
FIXTURE_VARIANT_ADD(changing, phase_without_key) {
	FIRST_BYTE, QUIC_KEY_PHASE, 3, .refused = true, .err = { ENOKEY } };
FIXTURE_VARIANT_ADD(changing, dcid) {
	IN_DCID, 0x55, 3, .refused = true, .err = { EINVAL, ENOENT } };
/* Refused if it changes between the look at the DCID and the copy. */
FIXTURE_VARIANT_ADD(changing, dcid_of_two_flows) {
	IN_DCID, 0x55, 1, .other_flow = true, .differs = true, .err = { EINVAL } };
/* The first must be the one named, the others have gaps. */
FIXTURE_VARIANT_ADD(changing, number) {
	IN_NUMBER, 0x40, 3, .differs = true, .refused = true, .err = { EINVAL } };
FIXTURE_VARIANT_ADD(changing, payload) {
	IN_PAYLOAD, 0xff, 3, .differs = true };

static void change(uint8_t *shared, const FIXTURE_VARIANT(changing) *variant,
		   size_t len)
{
	unsigned int i;

	for (;;)
		for (i = 0; i < variant->count; i++)
			__atomic_xor_fetch(shared + i * len + variant->at,
					   variant->flip, __ATOMIC_RELAXED);
}

FIXTURE_SETUP(changing)
{
	ASSERT_EQ(0, quic_env_open(&self->env, AF_INET));
	self->packet = (struct quic_packet) {
		.pn = 256,
		.pn_len = PN_LEN,
		.len = 1400,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	self->phase[0] = quic_flow_begin(self->env.tx, &self->packet.dcid, NULL,
					 1, 0);
	ASSERT_NE(NULL, self->phase[0]);
	if (variant->generations) {
		self->phase[1] = quic_flow_begin(self->env.tx,
						 &self->packet.dcid, NULL, 1,
						 1);
		ASSERT_NE(NULL, self->phase[1]);
	}
	self->other_dcid = self->packet.dcid;
	self->other_dcid.id[IN_DCID - 1] ^= 0x55;
	if (variant->other_flow) {
		self->other = quic_flow_begin(self->env.tx, &self->other_dcid,
					      NULL, 2, 0);
		ASSERT_NE(NULL, self->other);
	}
	quic_train_build(&self->train, self->packet, variant->count, 0);
	self->shared = mmap(NULL, self->train.len, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	memcpy(self->shared, self->train.buf, self->train.len);
	self->child = fork();
	ASSERT_LE(0, self->child);
	if (!self->child)
		change(self->shared, variant, self->packet.len);
}

FIXTURE_TEARDOWN(changing)
{
	kill(self->child, SIGKILL);
	waitpid(self->child, NULL, 0);
	if (self->phase[1])
		quic_oracle_free(self->phase[1]);
	if (self->other)
		quic_oracle_free(self->other);
	quic_oracle_free(self->phase[0]);
	munmap(self->shared, self->train.len);
	quic_env_close(&self->env);
}

/* Write a train to the shared memory, but for the bytes that change. */
static void share_train(FIXTURE_DATA(changing) *self,
			const FIXTURE_VARIANT(changing) *variant)
{
	const struct quic_train *train = &self->train;
	size_t rest = self->packet.len - variant->at - 1;
	unsigned int i;

	quic_train_build(&self->train, self->packet, variant->count, 0);
	for (i = 0; i < variant->count; i++) {
		memcpy(self->shared + train->at[i], train->buf + train->at[i],
		       variant->at);
		memcpy(self->shared + train->at[i + 1] - rest,
		       train->buf + train->at[i + 1] - rest, rest);
	}
}

/*
 * The packet is one that could be sent, with the smallest number above *@last
 * that its header allows, and protected with its own key.  Returns whether it
 * differs from what was meant to be sent.
 */
static bool check_packet(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(changing) *self,
			 const FIXTURE_VARIANT(changing) *variant,
			 const uint8_t *seen, ssize_t len, uint64_t *last)
{
	struct quic_packet meant = self->packet;
	const struct quic_dcid *dcid = &self->packet.dcid;
	uint8_t plain[2000], expected[2000];
	struct quic_oracle *oracle = self->phase[0];
	bool differs;
	uint64_t pn;

	ASSERT_EQ(self->packet.len + QUIC_TAG_SIZE, len);
	if (!memcmp(seen + 1, self->other_dcid.id, DCID_LEN)) {
		dcid = &self->other_dcid;
		oracle = self->other;
		ASSERT_NE(NULL, oracle);
	}
	ASSERT_EQ(0, memcmp(seen + 1, dcid->id, DCID_LEN));

	/* What is closest to a number half a window on is above *@last. */
	pn = *last + (1 << (8 * PN_LEN - 1));
	if (!quic_oracle_open(oracle, &pn, DCID_LEN, seen, len, plain)) {
		ASSERT_NE(NULL, self->phase[1]);
		oracle = self->phase[1];
		pn = *last + (1 << (8 * PN_LEN - 1));
		ASSERT_EQ(self->packet.len,
			  quic_oracle_open(oracle, &pn, DCID_LEN, seen, len,
					   plain));
	}
	ASSERT_LT(*last, pn);
	*last = pn;

	ASSERT_EQ(0, plain[0] & QUIC_LONG_HEADER);
	ASSERT_EQ(oracle == self->phase[1], !!(plain[0] & QUIC_KEY_PHASE));

	/* Nothing but the one byte, in one of two ways */
	quic_packet_build(expected, &meant);
	differs = plain[variant->at] != expected[variant->at];
	if (differs)
		expected[variant->at] ^= variant->flip;
	ASSERT_EQ(0, memcmp(expected, plain, meant.len));
	return differs;
}

TEST_F(changing, what_is_sent_is_what_was_checked)
{
	unsigned int sent = 0, refused = 0, differ = 0, i;
	struct timespec start, now;
	uint8_t seen[2000];
	struct quic_msg msg;
	uint64_t last = 0;
	ssize_t ret, len;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		/* The low byte of the numbers is always the same. */
		self->packet.pn = (last | 0xff) + 1;
		share_train(self, variant);
		msg = quic_msg(self->env.tx, &self->env.to, &self->train);
		msg.buf = self->shared;
		ret = quic_send(&msg);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (ret < 0) {
			ASSERT_TRUE(errno == variant->err[0] ||
				    errno == variant->err[1]) {
				TH_LOG("%s", strerrorname_np(errno));
			}
			refused++;
			continue;
		}
		ASSERT_EQ(msg.len, ret);
		sent++;
		last = self->packet.pn - 1;
		for (i = 0; i < variant->count; i++) {
			len = recv(self->env.rx, seen, sizeof(seen), 0);
			differ += check_packet(_metadata, self, variant, seen,
					       len, &last);
			if (!i)
				ASSERT_EQ(self->train.pn[0], last);
			self->packet.pn++;
		}
	} while (now.tv_sec - start.tv_sec < 2);

	ASSERT_EQ(-1, recv(self->env.rx, seen, sizeof(seen), MSG_DONTWAIT));
	EXPECT_EQ(refused, quic_stat("QuicTxSwError"));
	/* The other process was there. */
	EXPECT_LT(0, sent);
	if (variant->refused)
		EXPECT_LT(0, refused);
	EXPECT_EQ(variant->differs, differ > 0);
	TH_LOG("%u trains sent, %u packets as they were changed, %u refused",
	       sent, differ, refused);
}

/* Pieces */

FIXTURE(pieces) {
	struct quic_env env;
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
	struct quic_msg msg;
};

FIXTURE_SETUP(pieces)
{
	ASSERT_EQ(0, quic_env_open(&self->env, AF_INET));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = PN_LEN,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	self->phase[0] = quic_flow_begin(self->env.tx, &self->packet.dcid, NULL,
					 1, 0);
	ASSERT_NE(NULL, self->phase[0]);
	self->phase[1] = NULL;
}

FIXTURE_TEARDOWN(pieces)
{
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

static void next_train(FIXTURE_DATA(pieces) *self, size_t len,
		       unsigned int count, size_t last)
{
	self->packet.len = len;
	quic_train_build(&self->train, self->packet, count, last);
	self->packet.pn += count;
	self->msg = quic_msg(self->env.tx, &self->env.to, &self->train);
}

static void send_pieces(struct __test_metadata *_metadata,
			const FIXTURE_DATA(pieces) *self,
			struct iovec *iov, size_t count)
{
	struct quic_msghdr hdr;

	quic_msghdr_init(&hdr, &self->msg);
	hdr.mh.msg_iov = iov;
	hdr.mh.msg_iovlen = count;
	ASSERT_EQ(self->train.len, sendmsg(self->env.tx, &hdr.mh, 0)) {
		TH_LOG("%s", strerror(errno));
	}
	ASSERT_EQ(self->train.count,
		  quic_receive(self->env.rx, self->phase, &self->train));
}

/* @size bytes, after which there is nothing */
static uint8_t *end_of_memory(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page;
	uint8_t *memory;

	memory = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || munmap(memory + pages * page, page))
		return NULL;
	return memory + pages * page;
}

/*
 * Two pieces, each of which ends where readable memory does: in every part of
 * a packet, with page boundaries wherever they then are.
 */
TEST_F_TIMEOUT(pieces, two, 60)
{
	uint8_t *end[2] = { end_of_memory(6000), end_of_memory(6000) };
	struct iovec iov[2];
	size_t cut, rest;

	ASSERT_NE(NULL, end[0]);
	ASSERT_NE(NULL, end[1]);
	for (cut = 1; cut < 5500; cut += 2) {
		next_train(self, 2500, 3, 500);
		rest = self->train.len - cut;
		iov[0] = (struct iovec) { end[0] - cut, cut };
		iov[1] = (struct iovec) { end[1] - rest, rest };
		memcpy(iov[0].iov_base, self->train.buf, cut);
		memcpy(iov[1].iov_base, self->train.buf + cut, rest);
		send_pieces(_metadata, self, iov, 2);
	}
	EXPECT_LE(5500, self->train.len);
}

/* Every odd size */
TEST_F(pieces, of_one_size)
{
	struct iovec iov[1024];
	size_t size, at, n;

	for (size = 1; size < 300; size += 2) {
		next_train(self, 250, 4, 20);
		for (at = n = 0; at < self->train.len; at += size) {
			iov[n].iov_base = self->train.buf + at;
			iov[n++].iov_len = size < self->train.len - at ? size :
					   self->train.len - at;
		}
		send_pieces(_metadata, self, iov, n);
	}
}

/* Empty ones between them, which are nowhere */
TEST_F(pieces, empty)
{
	struct quic_msghdr hdr;
	struct iovec iov[1024];
	size_t n, i;

	next_train(self, 150, 4, 50);
	ASSERT_GE(512, self->train.len);
	for (n = i = 0; i < self->train.len; i++) {
		iov[n++] = (struct iovec) { i & 1 ? NULL : (void *)16, 0 };
		iov[n++] = (struct iovec) { self->train.buf + i, 1 };
	}
	iov[n++] = (struct iovec) { NULL, 0 };
	send_pieces(_metadata, self, iov, n);

	/* Nothing but empty ones is no packet. */
	for (i = 0; i < n; i++)
		iov[i].iov_len = 0;
	quic_msghdr_init(&hdr, &self->msg);
	hdr.mh.msg_iov = iov;
	hdr.mh.msg_iovlen = n;
	EXPECT_EQ(-1, sendmsg(self->env.tx, &hdr.mh, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_HARNESS_MAIN
