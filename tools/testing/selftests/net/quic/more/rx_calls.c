// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls that receive, and their flags: as plain UDP, with the
 * packets of a flow opened where that can be told, and as on the wire where it
 * can't.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_pair.h"

#define ALL	sizeof(self->pair.ours.buf)

FIXTURE(calls) {
	struct quic_rx_pair pair;
	struct quic_sealed want;	/* if not what was sealed */
};

FIXTURE_VARIANT(calls) {
	int family;
};

FIXTURE_VARIANT_ADD(calls, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(calls, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(calls, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(calls)
{
	ASSERT_EQ(0, quic_rx_pair_open(&self->pair, variant->family));
}

FIXTURE_TEARDOWN(calls)
{
	quic_rx_pair_close(&self->pair);
}

static void stranger(struct quic_sealed *sealed, uint8_t first, size_t len)
{
	uint8_t raw[1500] = { first, 1, 2, 3 };

	quic_sealed_raw(sealed, raw, len, first == QUIC_FIXED_BIT);
}

/* Calls without control messages */

static ssize_t call_recv(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, 0);
}

static ssize_t call_recv_trunc(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_TRUNC);
}

static ssize_t call_recvfrom(int fd, void *buf, size_t len)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);

	return recvfrom(fd, buf, len, MSG_WAITALL, (void *)&from, &from_len);
}

static ssize_t call_readv(int fd, void *buf, size_t len)
{
	struct iovec iov[] = { { buf, len / 3 },
			       { buf + len / 3, len - len / 3 } };

	return readv(fd, iov, 2);
}

/* To a pipe, and out of it */
static ssize_t call_splice(int fd, void *buf, size_t len)
{
	ssize_t ret, done;
	int pipefd[2];

	if (pipe(pipefd))
		return -1;
	ret = splice(fd, NULL, pipefd[1], NULL, len, 0);
	close(pipefd[1]);
	for (done = 0; done < ret; done += len) {
		len = read(pipefd[0], buf + done, ret - done);
		if (!len || len > (size_t)ret)
			return -1;
	}
	close(pipefd[0]);
	return ret;
}

TEST_F(calls, without_control)
{
	static const struct {
		const char *name;
		ssize_t (*call)(int fd, void *buf, size_t len);
	} calls[] = {
		{ "recv", call_recv },
		{ "recv with MSG_TRUNC", call_recv_trunc },
		{ "recvfrom", call_recvfrom },
		{ "read", read },
		{ "readv", call_readv },
		{ "splice", call_splice },
	};
	static const unsigned int counts[] = { 1, 2, 44 };
	size_t lens[] = { 70000, 5000, 1200 + QUIC_TAG_SIZE, 100, 1 };
	struct quic_rx_pair *pair = &self->pair;
	struct quic_rx_counters counters = quic_rx_counters();
	uint8_t *ours = pair->ours.buf, *theirs = pair->theirs.buf;
	unsigned int i, j, k;
	ssize_t ret, len;

	pair->packet.len = 1200;
	lens[0] = ALL - 1;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		for (j = 0; j < ARRAY_SIZE(counts); j++) {
			quic_rx_pair_seal(pair, counts[j], 0);
			for (k = 0; k < ARRAY_SIZE(lens); k++) {
				memset(ours, 0xa5, ALL);
				memset(theirs, 0xa5, ALL);
				ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
				ret = calls[i].call(pair->plain, theirs, lens[k]);
				ASSERT_LT(0, ret);
				EXPECT_EQ(ret, calls[i].call(pair->env.rx, ours,
							     lens[k]));
				len = lens[k];
				if (len > (ssize_t)pair->sealed.len)
					len = pair->sealed.len;
				EXPECT_EQ(0, memcmp(ours, theirs, ALL)) {
					TH_LOG("%s, %zu bytes", calls[i].name,
					       lens[k]);
				}
				EXPECT_EQ(0, memcmp(ours, pair->sealed.wire, len));
			}
		}
	}
	quic_expect_rx_counters(_metadata, &counters);
}

/* Buffers shorter than the message: what fits whole is opened. */
static void expect_cut(struct __test_metadata *_metadata,
		       FIXTURE_DATA(calls) *self, size_t len, int flags)
{
	struct quic_rx_pair *pair = &self->pair;

	self->want = pair->sealed;
	quic_sealed_cut(&self->want, len);
	ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	quic_expect_pair(_metadata, pair, &self->want, len, QUIC_RX_PAIR_ROOM,
			 flags, 0);
	EXPECT_EQ(len < pair->sealed.len ? MSG_TRUNC : 0, pair->ours.flags);
	EXPECT_EQ(flags & MSG_TRUNC ? pair->sealed.len : self->want.len,
		  pair->ours.ret);
}

TEST_F_TIMEOUT(calls, truncated, 60)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_rx_counters counters;
	unsigned int i;
	size_t len;

	quic_rx_pair_seal(pair, 3, 50);
	counters = quic_rx_counters();
	for (len = 0; len <= pair->sealed.len + 1; len++) {
		expect_cut(_metadata, self, len, len % 2 ? MSG_TRUNC : 0);
		quic_rx_counters_add(&counters, &self->want);
	}
	quic_expect_rx_counters(_metadata, &counters);

	/* Around what the kernel opens at once, and the datagrams of it */
	pair->packet.len = 1200;
	quic_rx_pair_seal(pair, 44, 0);
	for (i = 1; i < 44; i += 2) {
		for (len = pair->sealed.at[i] - 1;
		     len <= pair->sealed.at[i] + 1; len++)
			expect_cut(_metadata, self, len, MSG_TRUNC);
	}
	/* One datagram, longer than that */
	pair->packet.len = 9000;
	quic_rx_pair_seal(pair, 1, 0);
	expect_cut(_metadata, self, 9000, 0);
	expect_cut(_metadata, self, 9015, MSG_TRUNC);
	expect_cut(_metadata, self, 9016, MSG_TRUNC);
}

/* Several messages, with and without a flow, with and without room */
TEST_F(calls, recvmmsg)
{
	enum { MESSAGES = 6, ROOM = 200 };
	static const unsigned int counts[MESSAGES] = { 3, 0, 4, 0, 1, 5 };
	static const size_t rooms[MESSAGES] = {
		ROOM, ROOM, CMSG_LEN(4 * 16) - 1, 0, ROOM, ROOM };
	static struct quic_received received[2][MESSAGES];
	static struct quic_sealed want[MESSAGES];
	struct quic_rx_counters counters = quic_rx_counters();
	struct mmsghdr mmsg[2][MESSAGES + 1] = {};
	struct quic_rx_pair *pair = &self->pair;
	struct iovec iov[2][MESSAGES];
	const char *differs;
	unsigned int i, j;
	int fds[2];

	fds[0] = pair->env.rx;
	fds[1] = pair->plain;
	for (i = 0; i < MESSAGES; i++) {
		quic_rx_pair_seal(pair, counts[i], 0);
		if (!counts[i])
			stranger(&pair->sealed, i == 1 ? QUIC_FIXED_BIT :
				 QUIC_LONG_HEADER, 200);
		ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
		want[i] = pair->sealed;
		if (i == 2)
			quic_sealed_as_wire(&want[i]);
		quic_rx_counters_add(&counters, &want[i]);
		for (j = 0; j < 2; j++)
			quic_received_msghdr(&received[j][i],
					     &mmsg[j][i].msg_hdr, &iov[j][i],
					     ALL, j ? quic_rx_pair_room(&want[i],
									rooms[i]) :
					     rooms[i]);
	}
	for (j = 0; j < 2; j++)
		ASSERT_EQ(MESSAGES, recvmmsg(fds[j], mmsg[j], MESSAGES + 1,
					     MSG_DONTWAIT, NULL));
	for (i = 0; i < MESSAGES; i++) {
		for (j = 0; j < 2; j++) {
			received[j][i].ret = mmsg[j][i].msg_len;
			quic_received_parse(&received[j][i],
					    &mmsg[j][i].msg_hdr);
		}
		differs = quic_rx_pair_differs(&received[0][i], &received[1][i],
					       &want[i], i == 2 ? MSG_CTRUNC : 0);
		EXPECT_EQ(NULL, differs) {
			TH_LOG("message %u: %s", i, differs);
		}
		EXPECT_EQ(want[i].len, received[0][i].ret);
	}
	quic_expect_rx_counters(_metadata, &counters);
}

/* A datagram is what a call returns, however much more there is room for. */
TEST_F(calls, waitall)
{
	struct quic_rx_pair *pair = &self->pair;
	unsigned int i;

	quic_rx_pair_seal(pair, 2, 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	for (i = 0; i < 2; i++)
		quic_expect_pair_all(_metadata, pair, &pair->sealed, MSG_WAITALL);
}

/* Nothing has come: with each flag, at once and after a timeout. */
TEST_F(calls, nothing_there)
{
	static const int flags[] = { 0, MSG_PEEK, MSG_WAITALL, MSG_TRUNC };
	struct timeval timeout = { .tv_usec = 30000 };
	struct quic_rx_pair *pair = &self->pair;
	struct timespec start, end;
	unsigned int i;
	long passed;

	quic_rx_pair_seal(pair, 1, 0);
	ASSERT_EQ(0, quic_rx_pair_setsockopt(pair, SOL_SOCKET, SO_RCVTIMEO,
					     &timeout, sizeof(timeout)));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		quic_expect_pair_all(_metadata, pair, &pair->sealed,
				     flags[i] | MSG_DONTWAIT);
		EXPECT_EQ(-EAGAIN, pair->ours.ret);
		clock_gettime(CLOCK_MONOTONIC, &start);
		quic_expect_pair_all(_metadata, pair, &pair->sealed, flags[i]);
		clock_gettime(CLOCK_MONOTONIC, &end);
		EXPECT_EQ(-EAGAIN, pair->ours.ret);
		passed = (end.tv_sec - start.tv_sec) * 1000000 +
			 (end.tv_nsec - start.tv_nsec) / 1000;
		EXPECT_LE(2 * timeout.tv_usec, passed);
	}
	ASSERT_EQ(0, fcntl(pair->env.rx, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, fcntl(pair->plain, F_SETFL, O_NONBLOCK));
	quic_expect_pair_all(_metadata, pair, &pair->sealed, 0);
	EXPECT_EQ(-EAGAIN, pair->ours.ret);

	/* And now something has. */
	ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	quic_expect_pair_all(_metadata, pair, &pair->sealed, 0);
	EXPECT_EQ(pair->sealed.len, pair->ours.ret);
}

TEST_HARNESS_MAIN
