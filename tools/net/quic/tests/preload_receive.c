// SPDX-License-Identifier: GPL-2.0
/*
 * quic_preload.so under a program that receives: packets that libcrypto has
 * sealed come to ngtcp2 as they have to, whoever opens them and by whichever
 * function and detour they come.
 *
 * The program runs itself with the library preloaded.
 */

#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "quic_preload_rx_test.h"
#include "quic_uring.h"

/* Ways in: each receives one datagram. */

static ssize_t by_recvmsg(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	return recvmsg(fd, &mh, 0);
}

static ssize_t by_recvmmsg(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct mmsghdr mmh = { .msg_hdr = { .msg_iov = &iov,
					    .msg_iovlen = 1 } };

	return recvmmsg(fd, &mmh, 1, 0, NULL) == 1 ? mmh.msg_len : -1;
}

static ssize_t by_recvfrom(int fd, void *buf, size_t len)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);

	return recvfrom(fd, buf, len, 0, (void *)&from, &from_len);
}

static ssize_t by_recv(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, 0);
}

static ssize_t by_raw_recvmsg(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	return syscall(SYS_recvmsg, fd, &mh, 0L);
}

static ssize_t by_raw_recvmmsg(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct mmsghdr mmh = { .msg_hdr = { .msg_iov = &iov,
					    .msg_iovlen = 1 } };

	return syscall(SYS_recvmmsg, fd, &mmh, 1L, 0L, NULL) == 1 ?
	       mmh.msg_len : -1;
}

static ssize_t by_raw_recvfrom(int fd, void *buf, size_t len)
{
	return syscall(SYS_recvfrom, fd, buf, len, 0L, NULL, NULL);
}

/* Room for control messages, more than the library has */
static ssize_t by_recvmsg_with_room(int fd, void *buf, size_t len)
{
	uint64_t control[512];
	struct iovec iov = { buf, len };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t ret = recvmsg(fd, &mh, 0);

	/* None of them has anything to say. */
	return mh.msg_controllen ? -1 : ret;
}

/* The tag is in two of them. */
static ssize_t in_pieces(int fd, void *buf, size_t len, size_t room)
{
	uint64_t control[16];
	struct iovec iov[] = {
		{ buf, 0 }, { buf, 30 }, { buf + 30, LEN - 30 + 5 },
		{ buf + LEN + 5, 1 }, { buf + LEN + 6, len - LEN - 6 },
	};
	struct msghdr mh = {
		.msg_iov = iov,
		.msg_iovlen = 5,
		.msg_control = control,
		.msg_controllen = room,
	};

	return recvmsg(fd, &mh, 0);
}

static ssize_t by_pieces(int fd, void *buf, size_t len)
{
	return in_pieces(fd, buf, len, 0);
}

static ssize_t by_pieces_with_room(int fd, void *buf, size_t len)
{
	return in_pieces(fd, buf, len, 128);
}

/* These have no control message, and the library knows nothing of them. */

static ssize_t by_read(int fd, void *buf, size_t len)
{
	return read(fd, buf, len);
}

static ssize_t by_readv(int fd, void *buf, size_t len)
{
	struct iovec iov[] = { { buf, 30 }, { buf + 30, len - 30 } };

	return readv(fd, iov, 2);
}

static ssize_t by_uring(int fd, void *buf, size_t len)
{
	struct iovec iov = { buf, len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct quic_uring ring;
	int ret = -1;

	if (quic_uring_open(&ring, 1))
		return -1;
	quic_uring_queue(&ring, IORING_OP_RECVMSG, fd, &mh, 0, 0, 0);
	if (quic_uring_enter(&ring, 1, 1) == 1)
		ret = quic_uring_result(&ring, NULL);
	quic_uring_close(&ring);
	return ret;
}

static const struct {
	const char *name;
	ssize_t (*receive)(int fd, void *buf, size_t len);
	bool opened;
} ways[] = {
	{ "recvmsg", by_recvmsg, true },
	{ "recvmmsg", by_recvmmsg, true },
	{ "recvfrom", by_recvfrom, true },
	{ "recv", by_recv, true },
	{ "SYS_recvmsg", by_raw_recvmsg, true },
	{ "SYS_recvmmsg", by_raw_recvmmsg, true },
	{ "SYS_recvfrom", by_raw_recvfrom, true },
	{ "recvmsg, much room", by_recvmsg_with_room, true },
	{ "recvmsg, pieces", by_pieces, true },
	{ "recvmsg, pieces and room", by_pieces_with_room, true },
	{ "read", by_read, false },
	{ "readv", by_readv, false },
	{ "io_uring", by_uring, false },
};

TEST_F(receive, ways)
{
	unsigned int i, opened = 0;
	ssize_t len;

	START();
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ASSERT_TRUE(send_train(self, 1));
		len = ways[i].receive(self->env.rx, self->buf,
				      sizeof(self->buf));
		ASSERT_EQ(WIRE_LEN, len) {
			TH_LOG("%s: %s", ways[i].name, strerror(errno));
		}
		EXPECT_TRUE(is_sent(self, self->buf, 0,
				    KERNEL && ways[i].opened)) {
			TH_LOG("%s", ways[i].name);
		}
		EXPECT_TRUE(reads(self, self->buf, 0)) {
			TH_LOG("%s", ways[i].name);
		}
		opened += ways[i].opened;
		EXPECT_KERNEL(opened);
	}
}

/* A train is cut by the segment size that the program is told. */
TEST_F(receive, train)
{
	uint64_t control[8];
	struct iovec iov = { self->buf, sizeof(self->buf) };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int size = 0;
	unsigned int i;

	START();
	ASSERT_TRUE(send_train(self, QUIC_MAX_SEGMENTS));
	ASSERT_EQ(QUIC_MAX_SEGMENTS * WIRE_LEN, recvmsg(self->env.rx, &mh, 0));
	cmsg = CMSG_FIRSTHDR(&mh);
	ASSERT_NE(NULL, cmsg);
	EXPECT_EQ(SOL_UDP, cmsg->cmsg_level);
	EXPECT_EQ(UDP_GRO, cmsg->cmsg_type);
	memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	EXPECT_EQ(WIRE_LEN, size);
	EXPECT_EQ(NULL, CMSG_NXTHDR(&mh, cmsg));
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++)
		EXPECT_PACKET(self->buf + i * WIRE_LEN, i, KERNEL);
	EXPECT_KERNEL(QUIC_MAX_SEGMENTS);
}

TEST_F(receive, peek)
{
	START();
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 MSG_PEEK));
	EXPECT_PACKET(self->buf, 0, KERNEL);
	EXPECT_KERNEL(0);
	memset(self->buf, 0, WIRE_LEN);
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	EXPECT_PACKET(self->buf, 0, KERNEL);
	EXPECT_KERNEL(1);
}

/* A datagram that does not fit is none that could be opened. */
TEST_F(receive, cut)
{
	START();
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, 100, MSG_TRUNC));
	EXPECT_EQ(0, memcmp(self->sealed.wire, self->buf, 100));
	EXPECT_TRUE(drops(self, self->buf, 100));
	EXPECT_KERNEL(0);
}

TEST_F(receive, empty)
{
	START();
	ASSERT_EQ(0, sendto(self->env.tx, "", 0, 0, (void *)&self->env.to.ss,
			    self->env.to.len));
	EXPECT_EQ(0, recv(self->env.rx, self->buf, sizeof(self->buf), 0));
	EXPECT_EQ(-1, recv(self->env.rx, self->buf, sizeof(self->buf),
			   MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* More messages than the library has room for at once */

#define MANY	40

struct many {
	struct mmsghdr mmh[MANY + 1];
	struct iovec iov[MANY + 1];
	uint8_t buf[MANY + 1][WIRE_LEN + 1];
};

static void init_many(struct many *many)
{
	int i;

	memset(many, 0, sizeof(*many));
	for (i = 0; i <= MANY; i++) {
		many->iov[i].iov_base = many->buf[i];
		many->iov[i].iov_len = sizeof(many->buf[i]);
		many->mmh[i].msg_hdr.msg_iov = &many->iov[i];
		many->mmh[i].msg_hdr.msg_iovlen = 1;
	}
}

TEST_F(receive, recvmmsg)
{
	static const struct {
		int there, asked, flags;
	} cases[] = {
		{ MANY, MANY, 0 }, { 1, 1, 0 }, { 16, 16, 0 }, { 17, 17, 0 },
		{ 1, MANY, MSG_WAITFORONE }, { 15, 17, MSG_WAITFORONE },
		{ 16, 17, MSG_WAITFORONE }, { 32, MANY, MSG_WAITFORONE },
		{ MANY, MANY + 1, MSG_WAITFORONE },
		{ MANY, MANY + 1, MSG_DONTWAIT }, { 16, 40, MSG_DONTWAIT },
	};
	static struct many many;
	unsigned int i, n;
	int j;

	START();
	for (i = n = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_TRUE(send_singly(self, cases[i].there));
		init_many(&many);
		/* If it waits for more */
		alarm(5);
		ASSERT_EQ(cases[i].there,
			  recvmmsg(self->env.rx, many.mmh, cases[i].asked,
				   cases[i].flags, NULL)) {
			TH_LOG("%d of %d", cases[i].there, cases[i].asked);
		}
		alarm(0);
		for (j = 0; j < cases[i].there; j++) {
			EXPECT_EQ(WIRE_LEN, many.mmh[j].msg_len);
			EXPECT_PACKET(many.buf[j], j, KERNEL);
		}
		EXPECT_EQ(0, many.mmh[j].msg_len);
		n += cases[i].there;
		EXPECT_KERNEL(n);
	}
	EXPECT_EQ(-1, recvmmsg(self->env.rx, many.mmh, 20, MSG_DONTWAIT, NULL));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, recvmmsg(self->env.rx, many.mmh, 0, MSG_DONTWAIT, NULL));
}

/* Keys */

TEST_F(receive, key_update)
{
	int i;

	/* More often than the mark of a packet can count */
	START();
	for (i = 0; i < 6; i++) {
		fake_ngtcp2_update_keys(self->ngtcp2);
		self->generation++;
		ASSERT_TRUE(send_train(self, 1));
		ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf,
					 sizeof(self->buf), 0));
		EXPECT_PACKET(self->buf, 0, KERNEL);
		EXPECT_KERNEL(i + 1);
	}
	/* One of the keys before that is late. */
	self->generation--;
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	EXPECT_PACKET(self->buf, 0, KERNEL);
	EXPECT_KERNEL(7);
}

/* They are derived when such packets are there already: the kernel has removed
 * the protection of their headers, and that is all.
 */
TEST_F(receive, late_keys)
{
	const uint8_t *wire = self->sealed.wire, *want = self->sealed.want;
	unsigned int i;

	START();
	self->generation++;
	ASSERT_TRUE(send_train(self, QUIC_MAX_SEGMENTS));
	ASSERT_EQ(self->sealed.len, recv(self->env.rx, self->buf,
					 sizeof(self->buf), 0));
	EXPECT_EQ(0, memcmp(KERNEL ? want : wire, self->buf, LEN - PLAIN_LEN));
	EXPECT_EQ(0, memcmp(wire + LEN - PLAIN_LEN, self->buf + LEN - PLAIN_LEN,
			    PLAIN_LEN + QUIC_TAG_SIZE));
	fake_ngtcp2_update_keys(self->ngtcp2);
	for (i = 0; i < QUIC_MAX_SEGMENTS; i++)
		EXPECT_TRUE(reads(self, self->buf + i * WIRE_LEN, i));
	EXPECT_EQ(KERNEL ? QUIC_MAX_SEGMENTS : 0, quic_stat("QuicRxSwNoKey"));

	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	EXPECT_PACKET(self->buf, 0, KERNEL);
	EXPECT_KERNEL(1);
}

/* ngtcp2 takes it for another packet than the kernel did. */
TEST_F(receive, another_number)
{
	struct fake_rx *rx = &self->ngtcp2->rx;

	START();
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	rx->next += 1 << 20;
	EXPECT_TRUE(drops(self, self->buf, WIRE_LEN));
	rx->next -= 1 << 20;
	EXPECT_PACKET(self->buf, 0, KERNEL);
}

/* What nobody but the library can have written */

TEST_F(receive, damaged)
{
	unsigned int bit;

	START();
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	/* The mark, or the tag: each bit says something. */
	for (bit = 8 * LEN; bit < 8 * WIRE_LEN; bit++) {
		self->buf[bit / 8] ^= 1 << bit % 8;
		EXPECT_TRUE(drops(self, self->buf, WIRE_LEN)) {
			TH_LOG("bit %u of 128", bit - 8 * LEN);
		}
		self->buf[bit / 8] ^= 1 << bit % 8;
	}
	EXPECT_PACKET(self->buf, 0, KERNEL);
}

/* A program of its own: receives two packets, and gives the second away. */
static int other_program(void)
{
	static FIXTURE_DATA(receive) self;
	int i;

	if (open_all(&self, AF_INET))
		return 1;
	for (i = 0; i < 2; i++) {
		if (!send_train(&self, 1) ||
		    recv(self.env.rx, self.buf, sizeof(self.buf), 0) != WIRE_LEN)
			return 2;
		if (write(3, self.buf, WIRE_LEN) != WIRE_LEN)
			return 3;
		if (!reads(&self, self.buf, 0))
			return 4;
	}
	return quic_stat("QuicRxSwPackets");
}

/* Returns its exit status; what it has received is in @buf. */
static int run_other(const char *offload, uint8_t *buf)
{
	int fd = memfd_create("other", 0), status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		char *argv[2] = { "preload_receive" };

		dup2(fd, 3);
		setenv("QUIC_PRELOAD_OTHER", "1", 1);
		setenv("QUIC_OFFLOAD", offload, 1);
		unsetenv("QUIC_PRELOADED");
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	if (waitpid(pid, &status, 0) != pid ||
	    pread(fd, buf, 2 * WIRE_LEN, 0) != 2 * WIRE_LEN)
		status = -1;
	close(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Plain text on the wire, with what such a datagram ends with in another process
 * or here
 */
TEST_F(receive, forged)
{
	uint8_t other[2 * WIRE_LEN], *mark = other + WIRE_LEN + LEN;
	unsigned int i;

	START();
	/* There is a key whatever the phase seems to be. */
	fake_ngtcp2_update_keys(self->ngtcp2);
	ASSERT_EQ(1, run_other("1", other));
	/* It is what the next packet would be, were it opened. */
	seal(self, 1);
	EXPECT_TRUE(is_sent(self, other + WIRE_LEN, 0, true));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(WIRE_LEN, sendto(self->env.tx, other + WIRE_LEN,
					   WIRE_LEN, 0,
					   (void *)&self->env.to.ss,
					   self->env.to.len));
		ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf,
					 sizeof(self->buf), 0));
		EXPECT_EQ(0, memcmp(other + WIRE_LEN, self->buf, WIRE_LEN));
		EXPECT_TRUE(drops(self, self->buf, WIRE_LEN));
		/* Zeros, as the kernel has left them */
		memset(mark, 0, QUIC_TAG_SIZE);
	}
	/* Once more in truth */
	ASSERT_EQ(WIRE_LEN, quic_sealed_send(self->env.tx, &self->env.to,
					     &self->sealed));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	EXPECT_PACKET(self->buf, 0, KERNEL);
}

TEST_F(receive, switched_off)
{
	uint8_t other[2 * WIRE_LEN];

	ASSERT_EQ(0, run_other("0", other));
	seal(self, 2);
	EXPECT_TRUE(is_sent(self, other, 0, false));
	EXPECT_TRUE(is_sent(self, other + WIRE_LEN, 1, false));
}

int main(int argc, char **argv)
{
	if (getenv("QUIC_PRELOADED") && getenv("QUIC_PRELOAD_OTHER"))
		return other_program();
	return preload_run(argc, argv);
}
