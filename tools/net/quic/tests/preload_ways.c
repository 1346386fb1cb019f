// SPDX-License-Identifier: GPL-2.0
/*
 * quic_preload.so in the world as it is: packets that leave in other ways than
 * by sendmsg(), sockets that are none of QUIC's, processes that come and go, and
 * a program that never calls the library.  Nothing leaves that is not protected.
 */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "quic_preload_test.h"
#include "quic_uring.h"

/* Ways out */

/* Each sends one datagram on a connected socket. */
static ssize_t by_write(int fd, struct iovec *iov)
{
	return write(fd, iov->iov_base, iov->iov_len);
}

static ssize_t by_writev(int fd, struct iovec *iov)
{
	struct iovec halves[2] = { *iov, *iov };

	halves[0].iov_len /= 2;
	halves[1].iov_base += halves[0].iov_len;
	halves[1].iov_len -= halves[0].iov_len;
	return writev(fd, halves, 2);
}

static ssize_t by_pwritev2(int fd, struct iovec *iov)
{
	return pwritev2(fd, iov, 1, -1, 0);
}

static ssize_t by_raw_write(int fd, struct iovec *iov)
{
	return syscall(SYS_write, fd, iov->iov_base, iov->iov_len);
}

static ssize_t by_raw_writev(int fd, struct iovec *iov)
{
	return syscall(SYS_writev, fd, iov, 1L);
}

static ssize_t by_raw_pwritev2(int fd, struct iovec *iov)
{
	return syscall(SYS_pwritev2, fd, iov, 1L, -1L, -1L, 0L);
}

static ssize_t by_raw_sendto(int fd, struct iovec *iov)
{
	return syscall(SYS_sendto, fd, iov->iov_base, iov->iov_len, 0L, NULL,
		       0L);
}

static ssize_t by_raw_sendmsg(int fd, struct iovec *iov)
{
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 1 };

	return syscall(SYS_sendmsg, fd, &mh, 0L);
}

static ssize_t by_raw_sendmmsg(int fd, struct iovec *iov)
{
	struct mmsghdr mmh = { .msg_hdr = { .msg_iov = iov, .msg_iovlen = 1 } };

	return syscall(SYS_sendmmsg, fd, &mmh, 1L, 0L) == 1 ? mmh.msg_len : -1;
}

static const struct {
	const char *name;
	ssize_t (*send)(int fd, struct iovec *iov);
} ways[] = {
	{ "write", by_write },
	{ "writev", by_writev },
	{ "pwritev2", by_pwritev2 },
	{ "SYS_write", by_raw_write },
	{ "SYS_writev", by_raw_writev },
	{ "SYS_pwritev2", by_raw_pwritev2 },
	{ "SYS_sendto", by_raw_sendto },
	{ "SYS_sendmsg", by_raw_sendmsg },
	{ "SYS_sendmmsg", by_raw_sendmmsg },
};

TEST_F(preload, ways)
{
	unsigned int i;

	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	START();
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		PUT(&self->conn, 1);
		message(self, 0, 0);
		EXPECT_EQ(WIRE_LEN, ways[i].send(self->env.tx,
						 &self->message.iov)) {
			TH_LOG("%s: %s", ways[i].name, strerror(errno));
		}
		receive(_metadata, self);
		EXPECT_KERNEL(i + 1);
	}
	/* There is no such thing. */
	PUT(&self->conn, 1);
	message(self, 0, 0);
	EXPECT_ERROR(ESPIPE, pwritev(self->env.tx, &self->message.iov, 1, 0));
}

/* Messages of several connections, and of none */
TEST_F(preload, sendmmsg_mixed)
{
	struct mmsghdr messages[6] = {};
	struct iovec iov[6];
	int i;

	START();
	put_long(self);
	put_long(self);
	PUT(&self->conn, 1);
	put_long(self);
	PUT(&self->other, 1);
	put_long(self);
	for (i = 0; i < 6; i++) {
		iov[i].iov_base = self->message.program + self->message.at[i];
		iov[i].iov_len = datagram_len(&self->message, i);
		messages[i].msg_hdr = *message(self, 0, 0);
		messages[i].msg_hdr.msg_iov = &iov[i];
	}
	EXPECT_EQ(6, syscall(SYS_sendmmsg, self->env.tx, messages, 6L, 0L));
	for (i = 0; i < 6; i++)
		EXPECT_EQ(iov[i].iov_len, messages[i].msg_len);
	receive(_metadata, self);
	EXPECT_KERNEL(2);
}

/* Pages that the kernel still has are not overwritten: all is copied. */
static void allow_zerocopy(struct __test_metadata *_metadata, int fd)
{
	int one = 1;

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one,
				sizeof(one)));
}

TEST_F(preload, zerocopy)
{
	allow_zerocopy(_metadata, self->env.tx);
	self->flags = MSG_ZEROCOPY;
	START();
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
}

TEST_F(preload, zerocopy_later)
{
	allow_zerocopy(_metadata, self->env.tx);
	START();
	PUT(&self->conn, 1);
	PUT(&self->other, 1);
	self->flags = MSG_ZEROCOPY;
	EXPECT_EQ(-1, send_all(self, WIRE_LEN));
	EXPECT_EQ(ENOBUFS, errno);
	self->flags = MSG_MORE;
	EXPECT_EQ(-1, send_all(self, WIRE_LEN));
	EXPECT_EQ(ENOBUFS, errno);
	self->flags = 0;
	EXPECT_SENT(WIRE_LEN);
	EXPECT_KERNEL(2);

	/* Once is enough. */
	START();
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	self->flags = MSG_ZEROCOPY;
	EXPECT_SENT(0);
}

/* The library does not see this. */
static ssize_t by_uring(FIXTURE_DATA(preload) *self)
{
	struct quic_uring ring;
	int ret = -1;

	if (quic_uring_open(&ring, 1))
		return -1;
	quic_uring_queue(&ring, IORING_OP_SENDMSG, self->env.tx,
			 message(self, 0, 0), 0, 0, 0);
	if (quic_uring_enter(&ring, 1, 1) == 1)
		ret = quic_uring_result(&ring, NULL);
	quic_uring_close(&ring);
	self->message.received = true;
	return ret;
}

/* Nothing of what the packet was is on the wire but its DCID. */
static void receive_nonsense(struct __test_metadata *_metadata,
			     FIXTURE_DATA(preload) *self)
{
	uint8_t seen[WIRE_LEN + 1], zeros[LEN] = {};
	size_t payload = 1 + DCID_LEN + self->conn.packet.pn_len;

	ASSERT_EQ(WIRE_LEN, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(QUIC_FIXED_BIT, seen[0]);
	EXPECT_EQ(0, memcmp(zeros, seen + 1 + DCID_LEN,
			    self->conn.packet.pn_len));
	EXPECT_EQ(0, memcmp(zeros, seen + payload, LEN - payload));
}

TEST_F(preload, unseen)
{
	START();
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(1);

	PUT(&self->conn, 1);
	EXPECT_EQ(WIRE_LEN, by_uring(self));
	receive_nonsense(_metadata, self);

	/* The peer is silent: the next one is ready, and is there. */
	fake_ngtcp2_expire(self->conn.ngtcp2);
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_EQ(WIRE_LEN, by_uring(self));
	receive(_metadata, self);
	fake_ngtcp2_expire(self->conn.ngtcp2);
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
	EXPECT_SAID("left unseen");

	/* Another connection has nothing to do with it. */
	fake_ngtcp2_expire(self->other.ngtcp2);
	PUT(&self->other, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(2);
}

/* Without a timer: there is an end to it. */
TEST_F(preload, unseen_many)
{
	int i;

	START();
	for (i = 0; i < 256; i++) {
		PUT(&self->conn, 1);
		self->message.received = true;
	}
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
	EXPECT_SAID("left unseen");
}

/* What waits is no reason, and when it has left all is as it was. */
TEST_F(preload, waits)
{
	START();
	PUT(&self->conn, 2);
	fake_ngtcp2_expire(self->conn.ngtcp2);
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(WIRE_LEN);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(3);
	EXPECT_SAID("left unseen");

	PUT(&self->conn, 1);
	fake_fail_sendmsg(0, 1, EAGAIN);
	self->flags = MSG_DONTWAIT;
	EXPECT_ERROR(EAGAIN, send_all(self, 0));
	self->message.received = false;
	fake_ngtcp2_expire(self->conn.ngtcp2);
	PUT(&self->conn, 1);
	EXPECT_SENT(WIRE_LEN);
	EXPECT_KERNEL(5);
}

/* There is no room for one, and the program does not try again. */
TEST_F(preload, dropped)
{
	int i;

	START();
	PUT(&self->conn, 1);
	fake_fail_sendmsg(0, 1, EAGAIN);
	self->flags = MSG_DONTWAIT;
	EXPECT_ERROR(EAGAIN, send_all(self, 0));
	for (i = 0; i < 300; i++) {
		PUT(&self->conn, 1);
		EXPECT_SENT(0);
	}
	EXPECT_KERNEL(300);
}

/* A packet that is too long was tried, and is not sent again. */
TEST_F(preload, given_up)
{
	int i;

	START();
	for (i = 0; i < 300; i++) {
		PUT(&self->conn, 1);
		fake_fail_sendmsg(0, 2, EMSGSIZE);
		EXPECT_ERROR(EMSGSIZE, send_all(self, 0));
		fake_fail_sendmsg(0, 0, 0);
	}
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
}

/* Sockets */

TEST_F(preload, other_sockets)
{
	static const uint8_t data[64] = { 0xc0, 0, 0, 0, 1 };
	struct quic_addr to = { .len = sizeof(to.ss) };
	int pair[2], tcp, listener;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	EXPECT_EQ(sizeof(data), send(pair[0], data, sizeof(data), 0));

	listener = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, listen(listener, 1));
	ASSERT_EQ(0, getsockname(listener, (void *)&to.ss, &to.len));
	tcp = socket(variant->family, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(tcp, (void *)&to.ss, to.len));
	EXPECT_EQ(sizeof(data), send(tcp, data, sizeof(data), 0));

	/* Who sends this on is not known. */
	put(self, &self->conn);
	EXPECT_EQ(WIRE_LEN, send(pair[0], self->message.program, WIRE_LEN, 0));
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(WIRE_LEN);

	START();
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(1);
	close(listener);
	close(tcp);
	close(pair[0]);
	close(pair[1]);
}

/* The kernel is asked what is wrong with these. */
TEST_F(preload, nonsense)
{
	/* The compiler is not to know. */
	void *volatile unmapped = (void *)8, *volatile none = NULL;

	START();
	EXPECT_ERROR(EBADF, sendmsg(-1, none, 0));
	EXPECT_ERROR(EBADF, sendmmsg(-1, none, 1, 0));
	EXPECT_ERROR(EBADF, syscall(SYS_sendmsg, -1L, none, 0L));
	EXPECT_ERROR(EBADF, syscall(SYS_sendmmsg, -1L, none, 1L, 0L));
	EXPECT_ERROR(EBADF, sendmsg(-1, unmapped, 0));
	EXPECT_ERROR(EBADF, writev(-1, unmapped, 1));
	EXPECT_ERROR(EFAULT, sendmsg(self->env.tx, none, 0));
	EXPECT_ERROR(EFAULT, sendmmsg(self->env.tx, none, 2, 0));
	EXPECT_ERROR(EFAULT, writev(self->env.tx, none, 1));
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
}

/* The socket is another one, and of another kind: the library is not told. */
TEST_F(preload, replaced)
{
	uint8_t byte;
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	START();
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	ASSERT_EQ(self->env.tx, dup2(pair[0], self->env.tx));
	message(self, 0, 0);
	EXPECT_ERROR(EIO, write(self->env.tx, self->message.iov.iov_base,
				self->message.iov.iov_len));
	EXPECT_EQ(-1, recv(pair[1], &byte, 1, MSG_DONTWAIT));
	close(pair[0]);
	close(pair[1]);
}

/* What one socket cannot others can. */
TEST_F(preload, one_without_ulp)
{
	int fd = self->env.tx;

	fake_fail_setsockopt(UDP_ULP, ENOPROTOOPT);
	START();
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);

	fake_fail_setsockopt(UDP_QUIC_ADD_TX_CONNECTION, variant->no_flows);
	self->env.tx = quic_env_socket(&self->env);
	close_conn(&self->conn);
	open_conn(&self->conn, 3);
	put(self, &self->conn);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(1);
	put(self, &self->other);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
	close(fd);
}

/* Processes */

struct race {
	FIXTURE_DATA(preload) *self;
	pid_t forks;
	int in_lock[2], go_on[2], child[2];
};

static void *send_slowly(void *arg)
{
	struct race *race = arg;

	return (void *)send_all(race->self, 0);
}

static bool is_asleep(pid_t thread)
{
	char path[64], stat[256] = "";
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
	fd = open(path, O_RDONLY);
	len = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	return len > 0 && strstr(stat, ") S");
}

/* When there is a child, or fork() waits for us */
static void *let_go(void *arg)
{
	struct race *race = arg;
	struct pollfd child = { .fd = race->child[0], .events = POLLIN };

	while (!is_asleep(race->forks) && poll(&child, 1, 0) != 1)
		sched_yield();
	return (void *)write(race->go_on[1], "", 1);
}

TEST_F(preload, fork)
{
	struct race race = { .self = self, .forks = gettid() };
	pthread_t threads[2];
	int status;
	void *ret;
	pid_t pid;
	char byte;

	START();
	PUT(&self->conn, 1);
	ASSERT_EQ(0, pipe(race.in_lock));
	ASSERT_EQ(0, pipe(race.go_on));
	ASSERT_EQ(0, pipe(race.child));
	fake_hold_sendmsg(race.in_lock[1], race.go_on[0]);
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, send_slowly, &race));
	ASSERT_EQ(1, read(race.in_lock[0], &byte, 1));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, let_go, &race));
	pid = fork();
	if (!pid) {
		/* If it hangs */
		alarm(5);
		if (write(race.child[1], "", 1) != 1)
			_exit(1);
		close(self->env.tx);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, pthread_join(threads[1], &ret));
	EXPECT_EQ(1, (long)ret);
	ASSERT_EQ(0, pthread_join(threads[0], &ret));
	EXPECT_EQ(WIRE_LEN, (long)ret);
	receive(_metadata, self);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(2);
}

/* A child goes on with the connection. */
TEST_F(preload, fork_and_send)
{
	int status;
	pid_t pid;

	START();
	PUT(&self->conn, 2);
	pid = fork();
	if (!pid) {
		status = send_all(self, WIRE_LEN) != 2 * WIRE_LEN;
		close_conn(&self->conn);
		_exit(status);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	receive(_metadata, self);
	EXPECT_KERNEL(2);
}

TEST_F(preload, vfork)
{
	int fd = self->env.tx, status;
	pid_t pid;

	START();
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	pid = vfork();
	if (!pid) {
		close(fd);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(2);
}

/* Threads and signals */

TEST_F(preload, cancel)
{
	struct race race = { .self = self };
	pthread_t thread;
	void *ret;
	char byte;

	START();
	PUT(&self->conn, 1);
	ASSERT_EQ(0, pipe(race.in_lock));
	ASSERT_EQ(0, pipe(race.go_on));
	fake_hold_sendmsg(race.in_lock[1], race.go_on[0]);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_slowly, &race));
	ASSERT_EQ(1, read(race.in_lock[0], &byte, 1));
	ASSERT_EQ(0, pthread_cancel(thread));
	ASSERT_EQ(1, write(race.go_on[1], &byte, 1));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	/* If it hangs */
	alarm(5);
	receive(_metadata, self);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(2);
	alarm(0);
}

static int signal_fd;

static void send_byte(int signal)
{
	if (send(signal_fd, "", 1, 0) != 1)
		abort();
}

TEST_F(preload, signal)
{
	char byte;
	int i;

	START();
	PUT(&self->conn, 1);
	signal_fd = self->env.tx;
	ASSERT_EQ(0, connect(signal_fd, (void *)&self->env.to.ss,
			     self->env.to.len));
	signal(SIGUSR1, send_byte);
	/* If it hangs */
	alarm(5);
	fake_raise_in_lock(SIGUSR1);
	EXPECT_EQ(WIRE_LEN, send_all(self, 0));
	alarm(0);
	/* Of the lock it is taken under first, before the packet */
	for (i = 0; i < 2; i++)
		EXPECT_EQ(1, recv(self->env.rx, &byte, 1, 0));
	receive_one(_metadata, self, 0);
	receive_nothing(_metadata, self);
	EXPECT_KERNEL(1);
}

/* A program whose ngtcp2 is linked with -Bsymbolic-functions */

static int symbolic_program(void)
{
	FIXTURE_DATA(preload) self = {};
	int i;

	if (quic_env_open(&self.env, AF_INET))
		return 1;
	open_conn(&self.conn, 1);
	for (i = 0; i < 3; i++) {
		put_long(&self);
		put(&self, &self.conn);
		if (!is_ready(&self.message) ||
		    send_one(&self, 0) < 0 || send_one(&self, 1) < 0)
			return 2;
		self.message.received = true;
	}
	return quic_env_wire(&self.env).marker ? 3 : 0;
}

TEST(symbolic)
{
	struct { int log; } own, *self = &own;
	int status;
	pid_t pid;

	own.log = memfd_create("log", MFD_CLOEXEC);
	ASSERT_LE(0, own.log);
	pid = fork();
	if (!pid) {
		char *argv[2] = { "preload_ways" };

		dup2(own.log, 2);
		setenv("QUIC_PRELOAD_ALSO", "fake_symbolic.so", 1);
		unsetenv("QUIC_PRELOADED");
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_SAID("-Bsymbolic-functions");
}

int main(int argc, char **argv)
{
	if (getenv("QUIC_PRELOADED") && getenv("QUIC_PRELOAD_ALSO"))
		return symbolic_program();
	return preload_run(argc, argv);
}
