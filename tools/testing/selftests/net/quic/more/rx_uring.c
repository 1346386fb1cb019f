// SPDX-License-Identifier: GPL-2.0
/* Receiving by io_uring: one message, and many with buffers given ahead. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_pair.h"
#include "quic_uring.h"

#define RING_SIZE	8
#define SHORTLY		50	/* milliseconds */
#define ENTRIES(n)	CMSG_LEN((n) * sizeof(struct quic_rx_ancillary_data))

/* Buffers for several messages each, with what comes before the bytes */
#define BUFFERS		4
#define GROUP		7
#define NAME_LEN	32	/* for what follows to be aligned */

struct buffer {
	uint8_t bytes[QUIC_MAX_CONTROL + (1 << 16)];
};

FIXTURE(uring) {
	struct quic_rx_pair pair;
	struct quic_sealed want;	/* what the message comes to */
	int extra;			/* flags that plain UDP does not set */
	struct quic_uring ring;
	struct buffer buffers[BUFFERS];
};

FIXTURE_VARIANT(uring) {
	int family;
};

FIXTURE_VARIANT_ADD(uring, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(uring, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(uring, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(uring)
{
	ASSERT_EQ(0, quic_rx_pair_open(&self->pair, variant->family));
	if (quic_uring_open(&self->ring, RING_SIZE)) {
		if (errno != ENOSYS)
			ASSERT_EQ(EPERM, errno);
		SKIP(return, "needs io_uring");
	}
}

FIXTURE_TEARDOWN(uring)
{
	quic_uring_close(&self->ring);
	quic_rx_pair_close(&self->pair);
}

/* What the message comes to, for a reader with room for
 * @len bytes and @room of control messages
 */
static void want(FIXTURE_DATA(uring) *self, const struct quic_sealed *sealed,
		 size_t len, size_t room)
{
	self->want = *sealed;
	quic_sealed_cut(&self->want, len);
	self->extra = 0;
	if (room < ENTRIES(self->want.count)) {
		quic_sealed_as_wire(&self->want);
		self->extra = MSG_CTRUNC;
	}
}

static void seal(FIXTURE_DATA(uring) *self, unsigned int count, size_t len,
		 size_t room)
{
	quic_rx_pair_seal(&self->pair, count, 0);
	want(self, &self->pair.sealed, len, room);
}

/* The message is there already, or comes when the request waits for it: for an
 * event of the socket, or in a thread of the kernel.
 */
static void expect_single(struct __test_metadata *_metadata,
			  FIXTURE_DATA(uring) *self, size_t len, size_t room,
			  bool wait, int flags)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_received *ours = &pair->ours;
	struct quic_received *theirs = &pair->theirs;
	const char *differs;
	struct msghdr mh;
	struct iovec iov;

	quic_received_msghdr(ours, &mh, &iov, len, room);
	quic_uring_queue(&self->ring, IORING_OP_RECVMSG, pair->env.rx, &mh, 0,
			 flags, 0);
	if (wait) {
		ASSERT_EQ(1, quic_uring_enter(&self->ring, 1, 0));
		if (flags & IOSQE_ASYNC)
			usleep(SHORTLY * 1000);
	}
	ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
	if (!wait)
		ASSERT_EQ(1, quic_uring_enter(&self->ring, 1, 0));
	ours->ret = quic_uring_result(&self->ring, NULL);
	quic_received_parse(ours, &mh);
	quic_received_get(theirs, pair->plain, len,
			  quic_rx_pair_room(&self->want, room), 0);
	differs = quic_rx_pair_differs(ours, theirs, &self->want,
				       self->extra);
	ASSERT_EQ(NULL, differs) {
		TH_LOG("%s; %zd, flags %#x; plain UDP %zd, flags %#x", differs,
		       ours->ret, ours->flags, theirs->ret, theirs->flags);
	}
}

TEST_F(uring, single)
{
	static const struct { bool wait; int flags; } ways[] = {
		{ false, 0 }, { true, 0 }, { true, IOSQE_ASYNC },
	};
	static const unsigned int counts[] = { 1, 3, 44 };
	struct quic_rx_counters counters = quic_rx_counters();
	size_t len = sizeof(self->pair.ours.buf), room;
	unsigned int i, j, k;

	self->pair.packet.len = 1200;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		for (j = 0; j < ARRAY_SIZE(counts); j++) {
			for (k = 0; k < 4; k++) {
				room = k == 1 ? 0 : ENTRIES(counts[j]) - (k == 2);
				if (k == 3)
					room += CMSG_SPACE(sizeof(int));
				seal(self, counts[j], len, room);
				expect_single(_metadata, self, len, room,
					      ways[i].wait, ways[i].flags);
				quic_rx_counters_add(&counters, &self->want);
			}
		}
		seal(self, 44, 40000, ENTRIES(44));
		expect_single(_metadata, self, 40000, ENTRIES(44), ways[i].wait,
			      ways[i].flags);
		quic_rx_counters_add(&counters, &self->want);
	}
	quic_expect_rx_counters(_metadata, &counters);
}

/* Without control messages */
TEST_F(uring, recv_and_read)
{
	static const int opcodes[] = { IORING_OP_RECV, IORING_OP_READ };
	struct quic_rx_counters counters = quic_rx_counters();
	struct quic_rx_pair *pair = &self->pair;
	struct io_uring_sqe *sqe;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(opcodes); i++) {
		quic_rx_pair_seal(pair, 5, 0);
		ASSERT_EQ(0, quic_rx_pair_send(pair, &pair->sealed));
		sqe = quic_uring_queue(&self->ring, opcodes[i], pair->env.rx,
				       NULL, 0, 0, 0);
		sqe->addr = (uintptr_t)pair->ours.buf;
		sqe->len = sizeof(pair->ours.buf);
		ASSERT_EQ(1, quic_uring_enter(&self->ring, 1, 0));
		EXPECT_EQ(pair->sealed.len, quic_uring_result(&self->ring, NULL));
		EXPECT_EQ(0, memcmp(pair->ours.buf, pair->sealed.wire,
				    pair->sealed.len));
	}
	quic_expect_rx_counters(_metadata, &counters);
}

/* Multishot */

/* Gives all buffers to the kernel, each with @len bytes. */
static void provide(struct __test_metadata *_metadata,
		    FIXTURE_DATA(uring) *self, size_t len)
{
	struct io_uring_sqe *sqe;
	int i;

	for (i = 0; i < BUFFERS; i++) {
		memset(&self->buffers[i], 0xa5, sizeof(self->buffers[i]));
		sqe = quic_uring_queue(&self->ring, IORING_OP_PROVIDE_BUFFERS, 1,
				       NULL, 0, 0, 0);
		sqe->addr = (uintptr_t)&self->buffers[i];
		sqe->len = len;
		sqe->off = i;
		sqe->buf_group = GROUP;
		ASSERT_EQ(1, quic_uring_enter(&self->ring, 1, 0));
		ASSERT_EQ(0, quic_uring_result(&self->ring, NULL));
	}
}

/* Asks for messages as long as there are buffers. */
static void ask(struct __test_metadata *_metadata, FIXTURE_DATA(uring) *self,
		struct msghdr *mh, size_t room)
{
	struct io_uring_sqe *sqe;

	*mh = (struct msghdr) {
		.msg_namelen = NAME_LEN,
		.msg_controllen = room,
	};
	sqe = quic_uring_queue(&self->ring, IORING_OP_RECVMSG,
			       self->pair.env.rx, mh, 0, IOSQE_BUFFER_SELECT, 1);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->buf_group = GROUP;
	ASSERT_EQ(1, quic_uring_enter(&self->ring, 1, 0));
}

/* What is in the buffer of a completion */
static void unpack(FIXTURE_DATA(uring) *self, struct quic_received *received,
		   const struct io_uring_cqe *cqe, size_t room)
{
	uint8_t *p = self->buffers[cqe->flags >> IORING_CQE_BUFFER_SHIFT].bytes;
	struct io_uring_recvmsg_out *out = (void *)p;
	struct msghdr mh = {
		.msg_control = received->control,
		.msg_controllen = out->controllen,
		.msg_flags = out->flags,
	};
	size_t header = sizeof(*out) + NAME_LEN + room;

	received->ret = out->payloadlen;
	memcpy(&received->from, p + sizeof(*out), out->namelen);
	memcpy(received->control, p + sizeof(*out) + NAME_LEN, room);
	memset(received->buf, 0xa5, sizeof(received->buf));
	memcpy(received->buf, p + header, cqe->res - header);
	quic_received_parse(received, &mh);
}

/* The next completion has message @want, as plain UDP would have it. */
static void expect_shot(struct __test_metadata *_metadata,
			FIXTURE_DATA(uring) *self, size_t len, size_t room)
{
	struct quic_rx_pair *pair = &self->pair;
	struct quic_received *ours = &pair->ours;
	struct quic_received *theirs = &pair->theirs;
	struct io_uring_cqe cqe;
	const char *differs;

	ASSERT_EQ(0, quic_uring_complete(&self->ring, &cqe));
	ASSERT_EQ(1, cqe.user_data);
	ASSERT_LT(0, cqe.res) {
		TH_LOG("%s", strerror(-cqe.res));
	}
	EXPECT_EQ(IORING_CQE_F_BUFFER | IORING_CQE_F_MORE,
		  cqe.flags & (IORING_CQE_F_BUFFER | IORING_CQE_F_MORE));
	unpack(self, ours, &cqe, room);
	quic_received_get(theirs, pair->plain, len,
			  quic_rx_pair_room(&self->want, room), 0);
	differs = quic_rx_pair_differs(ours, theirs, &self->want,
				       self->extra);
	ASSERT_EQ(NULL, differs) {
		TH_LOG("%s; %zd, flags %#x; plain UDP %zd, flags %#x", differs,
		       ours->ret, ours->flags, theirs->ret, theirs->flags);
	}
}

static void expect_end(struct __test_metadata *_metadata,
		       FIXTURE_DATA(uring) *self)
{
	struct io_uring_cqe cqe;

	ASSERT_EQ(0, quic_uring_complete(&self->ring, &cqe));
	EXPECT_EQ(-ENOBUFS, cqe.res);
	EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
}

/* Messages that come one after the other, for one request */
static void shots(struct __test_metadata *_metadata, FIXTURE_DATA(uring) *self,
		  size_t len, size_t room)
{
	static const unsigned int counts[BUFFERS] = { 3, 44, 1, 2 };
	struct quic_rx_counters counters = quic_rx_counters();
	struct msghdr mh;
	unsigned int i;

	provide(_metadata, self,
		sizeof(struct io_uring_recvmsg_out) + NAME_LEN + room + len);
	ask(_metadata, self, &mh, room);
	for (i = 0; i < BUFFERS; i++) {
		seal(self, counts[i], len, room);
		ASSERT_EQ(0, quic_rx_pair_send(&self->pair, &self->pair.sealed));
		expect_shot(_metadata, self, len, room);
		quic_rx_counters_add(&counters, &self->want);
	}
	quic_expect_rx_counters(_metadata, &counters);
	/* One more has no buffer, and stays. */
	seal(self, 5, len, room);
	ASSERT_EQ(0, quic_rx_pair_send(&self->pair, &self->pair.sealed));
	expect_end(_metadata, self);
	quic_expect_rx_counters(_metadata, &counters);
	quic_expect_pair_all(_metadata, &self->pair, &self->pair.sealed, 0);
}

TEST_F(uring, multishot)
{
	self->pair.packet.len = 1200;
	shots(_metadata, self, 1 << 16, ENTRIES(44) + CMSG_SPACE(sizeof(int)));
}

/* Enough for some of the messages, but not for all */
TEST_F(uring, multishot_without_room)
{
	self->pair.packet.len = 1200;
	shots(_metadata, self, 1 << 16, 0);
	shots(_metadata, self, 1 << 16, 16);
	shots(_metadata, self, 1 << 16, ENTRIES(2));
	shots(_metadata, self, 1 << 16, ENTRIES(44) - 8);
}

TEST_F(uring, multishot_truncated)
{
	self->pair.packet.len = 1200;
	shots(_metadata, self, 2 * 1216, 1000);
	shots(_metadata, self, 2 * 1216 + 1, 1000);
	shots(_metadata, self, 20000, 1000);
	shots(_metadata, self, 1215, 1000);
}

/* Several are there before the request; two more than there are buffers */
TEST_F(uring, multishot_queued)
{
	static struct quic_sealed sealed[BUFFERS + 2];
	const size_t len = 1 << 15, room = 1000;
	struct msghdr mh;
	unsigned int i;

	for (i = 0; i < BUFFERS + 2; i++) {
		seal(self, 1 + 2 * i, len, room);
		ASSERT_EQ(0, quic_rx_pair_send(&self->pair, &self->pair.sealed));
		sealed[i] = self->pair.sealed;
	}
	for (i = 0; i < BUFFERS + 2; i++) {
		if (i % BUFFERS == 0) {
			provide(_metadata, self, len + room + NAME_LEN +
				sizeof(struct io_uring_recvmsg_out));
			ask(_metadata, self, &mh, room);
		}
		want(self, &sealed[i], len, room);
		expect_shot(_metadata, self, len, room);
		if (i % BUFFERS == BUFFERS - 1)
			expect_end(_metadata, self);
	}
}

TEST_HARNESS_MAIN
