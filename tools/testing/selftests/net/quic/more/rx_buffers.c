// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that can't be written to, wherever it starts: EFAULT as for plain UDP,
 * and nothing is lost that UDP would not lose.
 */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_pair.h"

#define ENTRIES(n)	CMSG_LEN((n) * sizeof(struct quic_rx_ancillary_data))

/* Of memory that is all right, before that which is not */
#define GOOD	(1 << 16)

FIXTURE(buffers) {
	struct quic_rx_pair pair;
	struct quic_sealed after;	/* the next message */
	struct quic_sealed wire;	/* one of which nothing is opened */
	uint8_t *bad[3];		/* where memory ends, in several ways */
};

FIXTURE_VARIANT(buffers) {
	int family;
};

FIXTURE_VARIANT_ADD(buffers, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(buffers, ipv6) { AF_INET6 };

FIXTURE_SETUP(buffers)
{
	size_t size = 3 * GOOD;
	uint8_t *map;
	int i;

	ASSERT_EQ(0, quic_rx_pair_open(&self->pair, variant->family));
	map = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 3; i++)
		self->bad[i] = map + i * size + GOOD;
	ASSERT_EQ(0, mprotect(self->bad[0], 2 * GOOD, PROT_READ));
	ASSERT_EQ(0, mprotect(self->bad[1], 2 * GOOD, PROT_NONE));
	ASSERT_EQ(0, munmap(self->bad[2], 2 * GOOD));
}

FIXTURE_TEARDOWN(buffers)
{
	quic_rx_pair_close(&self->pair);
}

static uint32_t drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	return info[SK_MEMINFO_DROPS];
}

static ssize_t receive(int fd, struct iovec *iov, unsigned int count,
		       size_t room, int flags)
{
	uint64_t control[QUIC_MAX_CONTROL / 8];
	struct msghdr mh = {
		.msg_iov = iov,
		.msg_iovlen = count,
		.msg_control = control,
		.msg_controllen = room,
	};
	ssize_t ret = recvmsg(fd, &mh, flags);

	return ret < 0 ? -errno : ret;
}

/* Reads a message and, if it comes to EFAULT, the one that is read then. */
static void expect_fault(struct __test_metadata *_metadata,
			 FIXTURE_DATA(buffers) *self, struct iovec *iov,
			 unsigned int count, size_t room, int flags)
{
	struct quic_rx_pair *pair = &self->pair;

	ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	ASSERT_EQ(0, quic_rx_pair_send(pair, &self->after));
	ASSERT_EQ(-EFAULT, receive(pair->plain, iov, count, room, flags));
	ASSERT_EQ(-EFAULT, receive(pair->env.rx, iov, count, room, flags)) {
		TH_LOG("%u datagrams, %zu bytes before the fault",
		       pair->sealed.count, iov->iov_len);
	}
	ASSERT_EQ(drops(pair->plain), drops(pair->env.rx));
	if (flags & MSG_PEEK)
		quic_expect_pair_all(_metadata, pair, &pair->sealed, 0);
	quic_expect_pair_all(_metadata, pair, &self->after, 0);
	quic_expect_pair_all(_metadata, pair, &self->after, MSG_DONTWAIT);
	ASSERT_EQ(-EAGAIN, pair->ours.ret);
}

static void seal(FIXTURE_DATA(buffers) *self, unsigned int count, size_t len)
{
	quic_rx_pair_seal(&self->pair, 2, 0);
	self->after = self->pair.sealed;
	self->pair.packet.len = len;
	quic_rx_pair_seal(&self->pair, count, 0);
}

TEST_F_TIMEOUT(buffers, data_faults, 120)
{
	/* Batches that the kernel opens at once end at multiples of 6080. */
	static const size_t before[] = {
		0, 1, 600, 1215, 1216, 1217, 6079, 6080, 6081, 7000, 12160,
		30000, 44 * 1216 - 1,
	};
	static const unsigned int counts[] = { 1, 5, 44 };
	static const size_t rooms[] = { QUIC_RX_PAIR_ROOM, 0 };
	struct quic_rx_pair *pair = &self->pair;
	unsigned int i, j, k, room;
	struct iovec iov[2];
	uint8_t good[GOOD];

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		seal(self, counts[i], 1200);
		for (j = 0; j < ARRAY_SIZE(before); j++) {
			if (before[j] >= pair->sealed.len)
				break;
			for (k = 0; k < ARRAY_SIZE(self->bad); k++) {
				iov[0] = (struct iovec) { good, before[j] };
				iov[1] = (struct iovec) { self->bad[k], GOOD };
				room = rooms[k % 2];
				expect_fault(_metadata, self, iov, 2, room, 0);
				expect_fault(_metadata, self, iov, 2, room,
					     MSG_PEEK);
				/* All in one piece */
				iov[0].iov_base = self->bad[k] - before[j];
				iov[0].iov_len += GOOD;
				room = rooms[!(k % 2)];
				expect_fault(_metadata, self, iov, 1, room, 0);
				expect_fault(_metadata, self, iov, 1, room,
					     MSG_PEEK);
			}
		}
	}
}

/* Nothing is wrong with memory that no byte is copied to. */
TEST_F(buffers, behind_the_message)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_received *ours = &pair->ours;
	unsigned int i, count;

	for (count = 1; count <= 44; count += 43) {
		seal(self, count, 1200);
		for (i = 0; i < ARRAY_SIZE(self->bad); i++) {
			struct msghdr mh;
			struct iovec iov;

			ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
			quic_received_msghdr(ours, &mh, &iov, GOOD,
					     QUIC_RX_PAIR_ROOM);
			iov.iov_base = self->bad[i] - pair->sealed.len;
			ours->ret = recvmsg(pair->env.rx, &mh, 0);
			ASSERT_EQ(pair->sealed.len, ours->ret);
			memcpy(ours->buf, iov.iov_base, ours->ret);
			quic_received_parse(ours, &mh);
			EXPECT_EQ(NULL, quic_received_differs(ours, &pair->sealed));
			ASSERT_EQ(ours->ret, recv(pair->plain, iov.iov_base, GOOD, 0));
		}
	}
}

/* The arguments of the call: a name, or the header, that can't be written to.
 * The message is lost.
 */
TEST_F(buffers, arguments)
{
	struct quic_rx_pair *pair = &self->pair;
	struct msghdr *header = (void *)self->bad[0];
	int fds[] = { pair->env.rx, pair->plain };
	struct quic_rx_counters counters;
	unsigned int i;

	seal(self, 3, 100);
	ASSERT_EQ(0, mprotect(header, GOOD, PROT_READ | PROT_WRITE));
	for (i = 0; i < 2; i++) {
		struct msghdr mh;
		struct iovec iov;

		quic_received_msghdr(&pair->ours, &mh, &iov, GOOD,
				     QUIC_RX_PAIR_ROOM);
		if (i)
			mh.msg_name = self->bad[1];
		*header = mh;
		if (!i)
			ASSERT_EQ(0, mprotect(header, GOOD, PROT_READ));
		ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
		ASSERT_EQ(0, quic_rx_pair_send(pair, &self->after));
		counters = quic_rx_counters();
		EXPECT_EQ(-1, recvmsg(fds[1], header, 0));
		EXPECT_EQ(EFAULT, errno);
		EXPECT_EQ(-1, recvmsg(fds[0], header, 0));
		EXPECT_EQ(EFAULT, errno);
		quic_rx_counters_add(&counters, &pair->sealed);
		quic_expect_rx_counters(_metadata, &counters);
		EXPECT_EQ(drops(fds[1]), drops(fds[0]));
		quic_expect_pair_all(_metadata, pair, &self->after, 0);
		ASSERT_EQ(0, mprotect(header, GOOD, PROT_READ | PROT_WRITE));
	}
}

/* The control buffer: the message comes as on the wire, and with MSG_CTRUNC.
 * Nothing is lost.
 */

static void receive_into(struct quic_received *received, int fd, void *control,
			 size_t room)
{
	struct msghdr mh;
	struct iovec iov;

	quic_received_msghdr(received, &mh, &iov, sizeof(received->buf), room);
	mh.msg_control = control;
	received->ret = recvmsg(fd, &mh, 0);
	if (received->ret < 0)
		received->ret = -errno;
	/* All that may be there is UDP_GRO; what is behind it is of no interest. */
	memset(received->control, 0, sizeof(received->control));
	if (received->ret >= 0 && mh.msg_controllen)
		memcpy(received->control, control, CMSG_LEN(sizeof(int)));
	mh.msg_control = received->control;
	quic_received_parse(received, &mh);
}

static void expect_wire(struct __test_metadata *_metadata,
			FIXTURE_DATA(buffers) *self, void *control, size_t room)
{
	struct quic_rx_pair *pair = &self->pair;
	const char *differs;

	ASSERT_EQ(0, quic_rx_pair_send(pair, &self->wire));
	receive_into(&pair->theirs, pair->plain, control, room);
	receive_into(&pair->ours, pair->env.rx, control, room);
	differs = quic_rx_pair_differs(&pair->ours, &pair->theirs, &self->wire,
				       MSG_CTRUNC);
	ASSERT_EQ(NULL, differs) {
		TH_LOG("%s; %u datagrams, %zu bytes of control at %p", differs,
		       self->wire.count, room, control);
		TH_LOG("%zd, flags %#x, control %zu; plain UDP %zd, %#x, %zu",
		       pair->ours.ret, pair->ours.flags, pair->ours.control_len,
		       pair->theirs.ret, pair->theirs.flags,
		       pair->theirs.control_len);
	}
}

TEST_F(buffers, control)
{
	struct quic_rx_counters counters = quic_rx_counters();
	static const unsigned int counts[] = { 1, 44 };
	struct quic_rx_pair *pair = &self->pair;
	uint8_t raw[1200 + QUIC_TAG_SIZE] = { QUIC_FIXED_BIT, 1 };
	uint8_t *control = self->bad[0] - ENTRIES(44);
	size_t room = ENTRIES(44) + 100;
	unsigned int i, j, k;

	for (i = 0; i <= ARRAY_SIZE(counts); i++) {
		if (i < ARRAY_SIZE(counts)) {
			seal(self, counts[i], 1200);
		} else {
			/* Some batches are there before the first packet. */
			quic_sealed_start(&pair->sealed);
			for (j = 0; j < 20; j++)
				quic_sealed_raw(&pair->sealed, raw, sizeof(raw),
						false);
			for (; j < 30; j++, pair->packet.pn++)
				quic_sealed_add(&pair->sealed, pair->oracle,
						QUIC_RX_PAIR_GENERATION,
						&pair->packet);
		}
		self->wire = pair->sealed;
		quic_sealed_as_wire(&self->wire);
		expect_wire(_metadata, self, NULL, room);
		expect_wire(_metadata, self, (void *)8, room);
		expect_wire(_metadata, self, (void *)-4096, room);
		for (k = 0; k < ARRAY_SIZE(self->bad); k++)
			for (j = 0; j < ENTRIES(self->wire.count);
			     j += j < 48 ? 4 : 52)
				expect_wire(_metadata, self, self->bad[k] - j,
					    room);
	}
	quic_expect_rx_counters(_metadata, &counters);

	/* And one that can be, to the last byte that is needed */
	seal(self, 44, 1200);
	ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	receive_into(&pair->ours, pair->env.rx, control, room);
	EXPECT_EQ(pair->sealed.len, pair->ours.ret);
	EXPECT_EQ(0, pair->ours.flags);
	EXPECT_EQ(ENTRIES(44), pair->ours.control_len);
	EXPECT_EQ(0, memcmp(control + CMSG_LEN(0), pair->sealed.entry,
			    ENTRIES(44) - CMSG_LEN(0)));
	EXPECT_EQ(0, memcmp(pair->ours.buf, pair->sealed.want, pair->sealed.len));
}

TEST_HARNESS_MAIN
