// SPDX-License-Identifier: GPL-2.0
/*
 * quic_preload.so under a program that receives: of what the functions do that
 * it stands in for, the program sees nothing but that packets come opened.
 *
 * The program runs itself with the library preloaded.
 */

#include <dirent.h>
#include <sys/syscall.h>

#include "quic_preload_rx_test.h"

/* Control messages: what the program has asked for, and nothing else */

#define ROOM	300

struct seen {
	ssize_t len;
	int flags;
	size_t control_len;
	uint64_t control[ROOM / 8 + 1];
	socklen_t name_len;
	struct sockaddr_in6 name;
};

/* With room for @room bytes of control messages, of a name of @name_len bytes */
static void see(struct seen *seen, int fd, uint8_t *buf, size_t len,
		size_t room, socklen_t name_len, int flags)
{
	struct iovec iov = { buf, len };
	struct msghdr mh = {
		.msg_name = &seen->name,
		.msg_namelen = name_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = seen->control,
		.msg_controllen = room,
	};

	/* What is not written has to stay. */
	memset(seen, 0xa5, sizeof(*seen));
	seen->len = recvmsg(fd, &mh, flags);
	seen->flags = mh.msg_flags;
	seen->control_len = mh.msg_controllen;
	seen->name_len = mh.msg_namelen;
}

static int ask_for_all(int fd, int family)
{
	int on = 1;

	if (family == AF_INET)
		return setsockopt(fd, SOL_IP, IP_PKTINFO, &on, sizeof(on)) ||
		       setsockopt(fd, SOL_IP, IP_RECVTTL, &on, sizeof(on)) ||
		       setsockopt(fd, SOL_IP, IP_RECVTOS, &on, sizeof(on));
	return setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	       setsockopt(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) ||
	       setsockopt(fd, SOL_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
}

/* The same as a socket that the library has nothing to do with: @count datagrams
 * in a message, of which @len bytes fit
 */
#define EXPECT_SAME(count, size, room, name_room, how) do {		\
	static struct seen ours_, theirs_;				\
									\
	ASSERT_TRUE(send_train(self, count));				\
	ASSERT_EQ(self->sealed.len, quic_sealed_send(self->env.tx, &to,	\
						     &self->sealed));	\
	see(&ours_, self->env.rx, self->buf, size, room, name_room, how); \
	see(&theirs_, plain, self->copy, size, room, name_room, how);	\
	ASSERT_EQ(0, memcmp(&ours_, &theirs_, sizeof(ours_))) {		\
		TH_LOG("room %zu, name %u: %zd, %#x, %zu; plain %zd, %#x, %zu", \
		       (size_t)(room), (int)(name_room), ours_.len,	\
		       ours_.flags, ours_.control_len, theirs_.len,	\
		       theirs_.flags, theirs_.control_len);		\
	}								\
} while (0)

TEST_F(receive, control)
{
	struct quic_addr to;
	int plain = quic_rx_env_receiver(&self->env, &to);
	unsigned int i, opened = 0;
	size_t room;

	ASSERT_LE(0, plain);
	ASSERT_EQ(0, ask_for_all(plain, variant->family));
	ASSERT_EQ(0, ask_for_all(self->env.rx, variant->family));
	START();
	for (room = 0; room <= ROOM; room += room < 150 ? 1 : 50) {
		EXPECT_SAME(1, sizeof(self->buf), room,
			    sizeof(struct sockaddr_in6), 0);
		EXPECT_PACKET(self->buf, 0, KERNEL);
		EXPECT_SAME(3, sizeof(self->buf), room,
			    sizeof(struct sockaddr_in6), 0);
		for (i = 0; i < 3; i++)
			EXPECT_PACKET(self->buf + i * WIRE_LEN, i, KERNEL);
		opened += 4;
	}
	EXPECT_KERNEL(opened);
	close(plain);
}

TEST_F(receive, names)
{
	struct quic_addr to;
	int plain = quic_rx_env_receiver(&self->env, &to);
	socklen_t len;

	ASSERT_LE(0, plain);
	START();
	for (len = 0; len <= sizeof(struct sockaddr_in6); len++) {
		EXPECT_SAME(1, sizeof(self->buf), 0, len, 0);
		EXPECT_PACKET(self->buf, 0, KERNEL);
	}
	close(plain);
}

TEST_F(receive, too_long)
{
	struct quic_addr to;
	int plain = quic_rx_env_receiver(&self->env, &to);

	ASSERT_LE(0, plain);
	START();
	EXPECT_SAME(1, 100, ROOM, 28, 0);
	EXPECT_SAME(1, 100, ROOM, 28, MSG_TRUNC);
	EXPECT_SAME(3, WIRE_LEN, ROOM, 28, MSG_TRUNC);
	EXPECT_PACKET(self->buf, 0, KERNEL);
	EXPECT_SAME(3, WIRE_LEN + 50, 16, 28, 0);
	EXPECT_PACKET(self->buf, 0, KERNEL);
	close(plain);
}

/* The address, with room for all of it or not; and for nothing */
TEST_F(receive, recvfrom)
{
	struct sockaddr_storage from;
	socklen_t len, room;

	START();
	for (room = 0; room <= sizeof(from); room += 4) {
		len = room;
		memset(&from, 0xa5, sizeof(from));
		ASSERT_TRUE(send_train(self, 1));
		ASSERT_EQ(WIRE_LEN, recvfrom(self->env.rx, self->buf,
					     sizeof(self->buf), 0,
					     (void *)&from, &len));
		EXPECT_EQ(self->env.from.len, len);
		if (len > room)
			len = room;
		EXPECT_EQ(0, memcmp(&self->env.from.ss, &from, len));
		if (room < sizeof(from))
			EXPECT_EQ(0xa5, ((uint8_t *)&from)[room]);
		EXPECT_PACKET(self->buf, 0, KERNEL);
	}
	len = 99;
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recvfrom(self->env.rx, self->buf,
				     sizeof(self->buf), 0, NULL, &len));
	EXPECT_EQ(99, len);
	EXPECT_PACKET(self->buf, 0, KERNEL);
}

/* An error leaves a message as it was. */
TEST_F(receive, nothing_there)
{
	struct seen seen, before;

	START();
	memset(&before, 0xa5, sizeof(before));
	before.len = -1;
	before.flags = 0;
	before.control_len = 100;
	before.name_len = 20;
	see(&seen, self->env.rx, self->buf, 100, 100, 20, MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, memcmp(&before, &seen, sizeof(seen)));
}

/* Sockets */

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Another one has its number, and the library is not told. */
TEST_F(receive, replaced)
{
	int rx = self->env.rx, pair[2], before, fd;
	struct iovec iov = { self->buf, 10 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	uint64_t control[8];

	START();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	self->env.rx = dup(rx);
	ASSERT_EQ(rx, dup2(pair[0], rx));
	before = count_descriptors();

	/* Without room for it a descriptor is closed. */
	ASSERT_EQ(0, quic_fd_send(pair[1], 1));
	EXPECT_EQ(1, recvmsg(rx, &mh, 0));
	EXPECT_EQ(MSG_CTRUNC, mh.msg_flags & MSG_CTRUNC);
	ASSERT_EQ(0, quic_fd_send(pair[1], 1));
	mh.msg_control = control;
	mh.msg_controllen = CMSG_LEN(0);
	EXPECT_EQ(1, recvmsg(rx, &mh, 0));
	EXPECT_EQ(before, count_descriptors());

	ASSERT_EQ(0, quic_fd_send(pair[1], 1));
	fd = quic_fd_receive(rx);
	EXPECT_LE(0, fd);
	EXPECT_EQ(before + 1, count_descriptors());
	close(fd);

	/* The other name of the socket is as good. */
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	EXPECT_PACKET(self->buf, 0, false);
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, self->buf, sizeof(self->buf),
				 0));
	EXPECT_PACKET(self->buf, 0, KERNEL);
	ngtcp2_conn_del(self->ngtcp2);
	self->ngtcp2 = fake_ngtcp2_new(OWN_FLOW);
	close(rx);
	close(pair[0]);
	close(pair[1]);
}

/* A new socket after close(), with the old one's number */
TEST_F(receive, closed)
{
	int rx = self->env.rx;

	START();
	close(rx);
	EXPECT_EQ(0, quic_stat("QuicCurrRxSw"));
	EXPECT_EQ(-1, recv(rx, self->buf, sizeof(self->buf), 0));
	EXPECT_EQ(EBADF, errno);
	self->env.rx = quic_rx_env_receiver(&self->env, &self->env.to);
	ASSERT_EQ(rx, self->env.rx);
	START();
	ASSERT_TRUE(send_train(self, 1));
	ASSERT_EQ(WIRE_LEN, recv(rx, self->buf, sizeof(self->buf), 0));
	EXPECT_PACKET(self->buf, 0, KERNEL);
}

/* The kernel is asked what is wrong with these. */
TEST_F(receive, nonsense)
{
	/* The compiler is not to know. */
	void *volatile none = NULL, *volatile unmapped = (void *)8;
	struct mmsghdr mmh = {};

	START();
	EXPECT_EQ(-1, recvmsg(self->env.rx, none, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, syscall(SYS_recvmsg, self->env.rx, none, 0L));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, recvmmsg(self->env.rx, none, 2, 0, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, recvmsg(-1, unmapped, 0));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, recvmmsg(-1, &mmh, 1, 0, NULL));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, recvfrom(-1, unmapped, 1, 0, unmapped, unmapped));
	EXPECT_EQ(EBADF, errno);
	ASSERT_TRUE(send_train(self, 1));
	EXPECT_EQ(-1, recv(self->env.rx, unmapped, 100, 0));
	EXPECT_EQ(EFAULT, errno);
}

int main(int argc, char **argv)
{
	return preload_run(argc, argv);
}
