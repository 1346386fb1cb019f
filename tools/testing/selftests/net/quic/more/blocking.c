// SPDX-License-Identifier: GPL-2.0
/* A full send buffer: who waits, who is told to come again, and when. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define COUNT		17
/* Milliseconds: long enough to see that nothing happens, or that it does */
#define SHORTLY		200
#define LONG		5000

FIXTURE(blocking) {
	struct quic_env env;
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
	struct quic_msg msg;
};

FIXTURE_VARIANT(blocking) {
	int family;
};

FIXTURE_VARIANT_ADD(blocking, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(blocking, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(blocking, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(blocking)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = 1200,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, 8, 0);
	self->phase[0] = quic_flow_begin(self->env.tx, &self->packet.dcid, NULL,
					 1, 0);
	ASSERT_NE(NULL, self->phase[0]);
	self->phase[1] = NULL;
	quic_train_build(&self->train, self->packet, COUNT, 0);
	self->msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	ASSERT_EQ(0, quic_env_fill(&self->env));
}

FIXTURE_TEARDOWN(blocking)
{
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void expect_again(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(blocking) *self)
{
	long start = now_ms();

	EXPECT_EQ(-1, quic_send(&self->msg));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_GT(LONG, now_ms() - start);
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* The train, once */
static void expect_received(struct __test_metadata *_metadata,
			    const FIXTURE_DATA(blocking) *self)
{
	uint8_t byte;

	EXPECT_EQ(COUNT, quic_receive(self->env.rx, self->phase, &self->train));
	EXPECT_EQ(-1, recv(self->env.rx, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

TEST_F(blocking, msg_dontwait)
{
	self->msg.flags = MSG_DONTWAIT;
	expect_again(_metadata, self);
	expect_again(_metadata, self);
	ASSERT_EQ(0, quic_env_drain(&self->env));
	ASSERT_EQ(self->msg.len, quic_send(&self->msg));
	expect_received(_metadata, self);
}

TEST_F(blocking, o_nonblock)
{
	ASSERT_EQ(0, fcntl(self->env.tx, F_SETFL, O_NONBLOCK));
	expect_again(_metadata, self);
	expect_again(_metadata, self);
	ASSERT_EQ(0, quic_env_drain(&self->env));
	ASSERT_EQ(self->msg.len, quic_send(&self->msg));
	expect_received(_metadata, self);
}

TEST_F(blocking, poll)
{
	struct pollfd pollfd = { .fd = self->env.tx, .events = POLLOUT };

	self->msg.flags = MSG_DONTWAIT;
	expect_again(_metadata, self);
	EXPECT_EQ(0, poll(&pollfd, 1, SHORTLY));
	ASSERT_EQ(0, quic_env_drain(&self->env));
	ASSERT_EQ(1, poll(&pollfd, 1, LONG));
	EXPECT_EQ(POLLOUT, pollfd.revents);
	ASSERT_EQ(self->msg.len, quic_send(&self->msg));
	expect_received(_metadata, self);
}

TEST_F(blocking, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int epoll = epoll_create1(0);

	ASSERT_LE(0, epoll);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->env.tx, &event));
	self->msg.flags = MSG_DONTWAIT;
	expect_again(_metadata, self);
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, SHORTLY));
	ASSERT_EQ(0, quic_env_drain(&self->env));
	ASSERT_EQ(1, epoll_wait(epoll, &event, 1, LONG));
	EXPECT_EQ(EPOLLOUT, event.events);
	ASSERT_EQ(self->msg.len, quic_send(&self->msg));
	expect_received(_metadata, self);
	close(epoll);
}

/*
 * Another process sends the train, and says 0 or the errno through the pipe
 * that is returned.
 */
static int send_elsewhere(const FIXTURE_DATA(blocking) *self)
{
	int pipefd[2], err;

	if (pipe(pipefd))
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		/* A test that fails leaves nobody waiting. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		err = quic_send(&self->msg) == self->msg.len ? 0 : errno;
		_exit(write(pipefd[1], &err, sizeof(err)) != sizeof(err));
	}
	close(pipefd[1]);
	return pipefd[0];
}

static void expect_answer(struct __test_metadata *_metadata, int answer,
			  int expected)
{
	struct pollfd pollfd = { .fd = answer, .events = POLLIN };
	int status, err = -1;

	ASSERT_EQ(1, poll(&pollfd, 1, LONG));
	ASSERT_EQ(sizeof(err), read(answer, &err, sizeof(err)));
	EXPECT_EQ(expected, err);
	ASSERT_LT(0, wait(&status));
	EXPECT_EQ(0, status);
	close(answer);
}

static void expect_waiting(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(blocking) *self, int answer)
{
	struct pollfd pollfd = { .fd = answer, .events = POLLIN };

	ASSERT_LE(0, answer);
	ASSERT_EQ(0, poll(&pollfd, 1, SHORTLY));
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
}

TEST_F(blocking, waits_for_room)
{
	int answer = send_elsewhere(self);

	expect_waiting(_metadata, self, answer);
	ASSERT_EQ(0, quic_env_drain(&self->env));
	expect_answer(_metadata, answer, 0);
	expect_received(_metadata, self);
}

TEST_F(blocking, waits_for_larger_buffer)
{
	int answer = send_elsewhere(self), size = 1 << 20;

	expect_waiting(_metadata, self, answer);
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	expect_answer(_metadata, answer, 0);
	expect_received(_metadata, self);
}

/* No room will come when nobody may send any more: UDP says so. */
TEST_F(blocking, waits_until_shutdown)
{
	int answer;

	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	self->msg.to = NULL;
	answer = send_elsewhere(self);
	expect_waiting(_metadata, self, answer);
	ASSERT_EQ(0, shutdown(self->env.tx, SHUT_WR));
	expect_answer(_metadata, answer, EPIPE);
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
}

TEST_F(blocking, send_timeout)
{
	struct timeval timeout = { .tv_usec = 300000 };
	long start = now_ms(), took;
	int answer;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDTIMEO, &timeout,
				sizeof(timeout)));
	EXPECT_EQ(-1, quic_send(&self->msg));
	EXPECT_EQ(EAGAIN, errno);
	took = now_ms() - start;
	EXPECT_LE(290, took);
	EXPECT_GT(LONG, took);
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));

	/* It does not make a call fail that gets its room in time. */
	timeout.tv_sec = LONG / 1000;
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDTIMEO, &timeout,
				sizeof(timeout)));
	answer = send_elsewhere(self);
	expect_waiting(_metadata, self, answer);
	ASSERT_EQ(0, quic_env_drain(&self->env));
	expect_answer(_metadata, answer, 0);
	expect_received(_metadata, self);
}

/* The buffer is looked at before the packets are. */
TEST_F(blocking, no_work_without_room)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uint8_t *memory;

	memory = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	ASSERT_EQ(0, munmap(memory + page, page));
	memcpy(memory, self->train.buf, page);
	self->msg.buf = memory;
	self->msg.flags = MSG_DONTWAIT;
	expect_again(_metadata, self);

	ASSERT_EQ(0, quic_env_drain(&self->env));
	EXPECT_EQ(-1, quic_send(&self->msg));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
	munmap(memory, page);
}

/* As for plain UDP: who finds room may send, whatever it then takes. */
TEST_F(blocking, size_of_the_buffer)
{
	struct quic_addr away = quic_env_away(&self->env);
	static const int sizes[] = { 8000, 16000, 50000 };
	int queued, limit, sent, i;
	socklen_t len = sizeof(limit);
	ssize_t ret;

	self->msg.to = &away;
	self->msg.flags = MSG_DONTWAIT;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET,
					SO_SNDBUFFORCE, &sizes[i],
					sizeof(sizes[i])));
		ASSERT_EQ(0, getsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF,
					&limit, &len));
		ASSERT_LE(sizes[i], limit);
		for (sent = 0; sent < 1000; sent++) {
			ASSERT_EQ(0, ioctl(self->env.tx, SIOCOUTQ, &queued));
			quic_train_build(&self->train, self->packet, COUNT, 0);
			self->msg.anc.next_pkt_num = self->packet.pn;
			self->packet.pn += COUNT;
			ret = quic_send(&self->msg);
			if (ret < 0)
				break;
			ASSERT_EQ(self->msg.len, ret);
			EXPECT_GT(limit, queued);
		}
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_LE(limit, queued);
		EXPECT_LT(0, sent);
		/* A train and what the kernel adds */
		EXPECT_GT(limit + 2 * self->msg.len + (1 << 15), queued);
	}
}

TEST_HARNESS_MAIN
