// SPDX-License-Identifier: GPL-2.0
/* Other system calls that send messages: sendmmsg() and io_uring. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_uring.h"

#define MESSAGES	5
#define COUNT		7
#define SHORTLY		200	/* milliseconds */
#define RING_SIZE	8

FIXTURE(calls) {
	struct quic_env env;
	struct quic_oracle *phase[2];
	struct quic_train train[MESSAGES];	/* numbers in this order */
	struct quic_msg msg[MESSAGES];
	struct quic_msghdr hdr[MESSAGES];
	struct quic_uring ring;
};

FIXTURE_VARIANT(calls) {
	int family;
};

FIXTURE_VARIANT_ADD(calls, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(calls, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(calls, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(calls)
{
	struct quic_packet packet = {
		.pn = 1,
		.pn_len = 2,
		.len = 1200,
		.flags = QUIC_FIXED_BIT,
	};
	int i;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	quic_dcid_init(&packet.dcid, 8, 0);
	self->phase[0] = quic_flow_begin(self->env.tx, &packet.dcid,
					 &self->env.to, 1, 0);
	ASSERT_NE(NULL, self->phase[0]);
	self->phase[1] = NULL;
	for (i = 0; i < MESSAGES; i++, packet.pn += COUNT) {
		quic_train_build(&self->train[i], packet, COUNT, 100 + i);
		self->msg[i] = quic_msg(self->env.tx, &self->env.to,
					&self->train[i]);
		quic_msghdr_init(&self->hdr[i], &self->msg[i]);
	}
	if (quic_uring_open(&self->ring, RING_SIZE) && errno != ENOSYS)
		ASSERT_EQ(EPERM, errno);
}

FIXTURE_TEARDOWN(calls)
{
	quic_uring_close(&self->ring);
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

static void expect_received(struct __test_metadata *_metadata,
			    const FIXTURE_DATA(calls) *self, int i)
{
	ASSERT_EQ(COUNT, quic_receive(self->env.rx, self->phase,
				      &self->train[i])) {
		TH_LOG("message %d", i);
	}
}

static void expect_nothing(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(calls) *self)
{
	uint8_t byte;

	EXPECT_EQ(-1, recv(self->env.rx, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

/* sendmmsg() */

static void mmsg_init(const FIXTURE_DATA(calls) *self, struct mmsghdr *mmsg)
{
	int i;

	for (i = 0; i < MESSAGES; i++) {
		mmsg[i].msg_hdr = self->hdr[i].mh;
		mmsg[i].msg_len = 12345;
	}
}

TEST_F(calls, sendmmsg)
{
	struct mmsghdr mmsg[MESSAGES];
	int i;

	mmsg_init(self, mmsg);
	ASSERT_EQ(MESSAGES, sendmmsg(self->env.tx, mmsg, MESSAGES, 0));
	for (i = 0; i < MESSAGES; i++) {
		EXPECT_EQ(self->train[i].len, mmsg[i].msg_len);
		expect_received(_metadata, self, i);
	}
	expect_nothing(_metadata, self);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* It ends before the one that fails; what follows can be sent. */
TEST_F(calls, sendmmsg_with_failure)
{
	struct mmsghdr mmsg[MESSAGES];
	int i;

	self->msg[2].anc.next_pkt_num++;
	quic_msghdr_init(&self->hdr[2], &self->msg[2]);
	mmsg_init(self, mmsg);
	ASSERT_EQ(2, sendmmsg(self->env.tx, mmsg, MESSAGES, 0));
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
	for (i = 0; i < MESSAGES; i++) {
		if (i >= 2) {
			EXPECT_EQ(12345, mmsg[i].msg_len);
			continue;
		}
		EXPECT_EQ(self->train[i].len, mmsg[i].msg_len);
		expect_received(_metadata, self, i);
	}
	expect_nothing(_metadata, self);

	EXPECT_EQ(-1, sendmmsg(self->env.tx, mmsg + 2, MESSAGES - 2, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(2, quic_stat("QuicTxSwError"));
	ASSERT_EQ(2, sendmmsg(self->env.tx, mmsg + 3, 2, 0));
	expect_received(_metadata, self, 3);
	expect_received(_metadata, self, 4);
	expect_nothing(_metadata, self);
	EXPECT_EQ(2, quic_stat("QuicTxSwError"));
}

/* Encrypted, plain and bypassed messages in one call */
TEST_F(calls, sendmmsg_mixed)
{
	uint8_t seen[QUIC_MAX_UDP_PAYLOAD];
	struct mmsghdr mmsg[MESSAGES];
	int i;

	for (i = 1; i < 3; i++) {
		self->msg[i].gso = -1;
		self->msg[i].encrypts = i - 1;
		self->msg[i].anc.flags = QUIC_BYPASS_ENCRYPTION;
		quic_msghdr_init(&self->hdr[i], &self->msg[i]);
	}
	mmsg_init(self, mmsg);
	ASSERT_EQ(MESSAGES, sendmmsg(self->env.tx, mmsg, MESSAGES, 0));
	for (i = 0; i < MESSAGES; i++) {
		EXPECT_EQ(self->train[i].len, mmsg[i].msg_len);
		if (i != 1 && i != 2) {
			expect_received(_metadata, self, i);
			continue;
		}
		ASSERT_EQ(self->train[i].len,
			  recv(self->env.rx, seen, sizeof(seen), 0));
		EXPECT_EQ(0, memcmp(self->train[i].buf, seen,
				    self->train[i].len));
	}
	expect_nothing(_metadata, self);
}

/* io_uring */

static int uring_send(FIXTURE_DATA(calls) *self, int opcode, int i)
{
	quic_uring_queue(&self->ring, opcode, self->msg[i].fd,
			 &self->hdr[i].mh, self->msg[i].flags, 0, i);
	if (quic_uring_enter(&self->ring, 1, 0) != 1)
		return -errno;
	return quic_uring_result(&self->ring, NULL);
}

TEST_F(calls, io_uring)
{
	int i;

	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	for (i = 0; i < MESSAGES; i++) {
		ASSERT_EQ(self->train[i].len,
			  uring_send(self, IORING_OP_SENDMSG, i));
		expect_received(_metadata, self, i);
	}
	expect_nothing(_metadata, self);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

TEST_F(calls, io_uring_with_failure)
{
	struct quic_msg good = self->msg[0];

	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	self->msg[0].anc.next_pkt_num++;
	quic_msghdr_init(&self->hdr[0], &self->msg[0]);
	EXPECT_EQ(-EINVAL, uring_send(self, IORING_OP_SENDMSG, 0));
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
	expect_nothing(_metadata, self);

	quic_msghdr_init(&self->hdr[0], &good);
	EXPECT_EQ(good.len, uring_send(self, IORING_OP_SENDMSG, 0));
	expect_received(_metadata, self, 0);
	EXPECT_EQ(-ERANGE, uring_send(self, IORING_OP_SENDMSG, 0));
	EXPECT_EQ(2, quic_stat("QuicTxSwError"));
	expect_nothing(_metadata, self);
}

/* Its pages would be read after they were checked. */
TEST_F(calls, io_uring_zerocopy)
{
	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	quic_env_wire(&self->env);
	EXPECT_EQ(-EOPNOTSUPP, uring_send(self, IORING_OP_SENDMSG_ZC, 0));
	/* The notification that it is done with the memory */
	EXPECT_EQ(0, quic_uring_result(&self->ring, NULL));
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
	expect_nothing(_metadata, self);
	EXPECT_EQ(self->train[0].len, uring_send(self, IORING_OP_SENDMSG, 0));
	expect_received(_metadata, self, 0);
}

TEST_F(calls, io_uring_dontwait)
{
	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	ASSERT_EQ(0, quic_env_fill(&self->env));
	self->msg[0].flags = MSG_DONTWAIT;
	EXPECT_EQ(-EAGAIN, uring_send(self, IORING_OP_SENDMSG, 0));
	ASSERT_EQ(0, quic_env_drain(&self->env));
	EXPECT_EQ(self->train[0].len, uring_send(self, IORING_OP_SENDMSG, 0));
	expect_received(_metadata, self, 0);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/*
 * Without room the request is tried again, from the beginning, when there is
 * some; or, with IOSQE_ASYNC, a thread of the kernel waits in it.
 */
static void expect_wait(struct __test_metadata *_metadata,
			FIXTURE_DATA(calls) *self, int flags)
{
	struct quic_uring *ring = &self->ring;
	struct pollfd pollfd = { .fd = ring->fd, .events = POLLIN };
	int i;

	quic_env_wire(&self->env);
	for (i = 0; i < 2; i++)
		quic_uring_queue(ring, IORING_OP_SENDMSG, self->msg[i].fd,
				 &self->hdr[i].mh, self->msg[i].flags,
				 flags | (i ? 0 : IOSQE_IO_LINK), i);
	ASSERT_EQ(2, quic_uring_enter(ring, 2, 0));
	EXPECT_EQ(0, poll(&pollfd, 1, SHORTLY));
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
	expect_nothing(_metadata, self);

	ASSERT_EQ(0, quic_env_drain(&self->env));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(self->train[i].len, quic_uring_result(ring, NULL));
		expect_received(_metadata, self, i);
	}
	expect_nothing(_metadata, self);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
	EXPECT_EQ(-ERANGE, uring_send(self, IORING_OP_SENDMSG, 1));
	EXPECT_EQ(1, quic_stat("QuicTxSwError"));
}

TEST_F(calls, io_uring_waits_for_room)
{
	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	ASSERT_EQ(0, quic_env_fill(&self->env));
	expect_wait(_metadata, self, 0);
}

TEST_F(calls, io_uring_waits_in_a_thread)
{
	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	ASSERT_EQ(0, quic_env_fill(&self->env));
	expect_wait(_metadata, self, IOSQE_ASYNC);
}

/*
 * Have UDP run a program for each datagram that is sent, before it looks for
 * room.  It stays as long as the returned descriptor: until the test ends.
 */
static int run_in_udp(const FIXTURE_DATA(calls) *self,
		      const struct bpf_insn *insns, unsigned int count)
{
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = self->env.family == AF_INET6 ?
			BPF_CGROUP_UDP6_SENDMSG : BPF_CGROUP_UDP4_SENDMSG,
		.insns = (uintptr_t)insns,
		.insn_cnt = count,
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr link = {};

	link.link_create.attach_type = load.expected_attach_type;
	link.link_create.target_fd = open("/sys/fs/cgroup", O_RDONLY);
	link.link_create.prog_fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load,
					   sizeof(load));
	return syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
}

/* sin6_port is in the same place. */
static in_port_t port_of(const struct quic_addr *addr)
{
	return ((const struct sockaddr_in *)&addr->ss)->sin_port;
}

/* For datagrams to our port the send buffer is made as small as can be. */
static int shrink_in_udp(const FIXTURE_DATA(calls) *self)
{
	const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
		  offsetof(struct bpf_sock_addr, user_port) },
		{ BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, .off = 7,
		  .imm = port_of(&self->env.to) },
		{ BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, .off = -4, .imm = 1 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, .imm = SOL_SOCKET },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, .imm = SO_SNDBUF },
		{ BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_4, BPF_REG_10 },
		{ BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_4, .imm = -4 },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_5, .imm = sizeof(int) },
		{ BPF_JMP | BPF_CALL, .imm = BPF_FUNC_setsockopt },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, .imm = 1 },
		{ BPF_JMP | BPF_EXIT },
	};

	return run_in_udp(self, insns, sizeof(insns) / sizeof(*insns));
}

/* Datagrams to our port go to another one. */
static int redirect_in_udp(const FIXTURE_DATA(calls) *self, in_port_t port)
{
	const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
		  offsetof(struct bpf_sock_addr, user_port) },
		{ BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, .off = 2,
		  .imm = port_of(&self->env.to) },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, .imm = port },
		{ BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_2,
		  offsetof(struct bpf_sock_addr, user_port) },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, .imm = 1 },
		{ BPF_JMP | BPF_EXIT },
	};

	return run_in_udp(self, insns, sizeof(insns) / sizeof(*insns));
}

/* A second receiver; the first one becomes @first. */
static int replace_receiver(FIXTURE_DATA(calls) *self, int *first,
			    in_port_t *port)
{
	struct quic_addr addr = self->env.to;

	addr.len = sizeof(addr.ss);
	*first = self->env.rx;
	if (getsockname(*first, (void *)&addr.ss, &addr.len))
		return -1;
	self->env.rx = socket(addr.ss.ss_family, SOCK_DGRAM, 0);
	((struct sockaddr_in *)&addr.ss)->sin_port = 0;
	if (bind(self->env.rx, (void *)&addr.ss, addr.len) ||
	    getsockname(self->env.rx, (void *)&addr.ss, &addr.len))
		return -1;
	*port = port_of(&addr);
	return 0;
}

/* The flow is that of the destination which the caller has named, also when
 * the request starts again after a program has rewritten it.
 */
TEST_F(calls, io_uring_waits_redirected)
{
	in_port_t port;
	uint8_t byte;
	int first;

	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	ASSERT_EQ(0, replace_receiver(self, &first, &port));
	if (redirect_in_udp(self, port) < 0)
		SKIP(return, "needs cgroup2 and CONFIG_CGROUP_BPF");
	ASSERT_EQ(0, quic_env_fill(&self->env));
	expect_wait(_metadata, self, 0);
	EXPECT_EQ(-1, recv(first, &byte, 1, MSG_DONTWAIT));
}

/*
 * There is room when the request is looked at, but none any more when its
 * packets, protected, come to UDP.  It starts again with the plaintext.
 */
TEST_F(calls, io_uring_waits_after_protection)
{
	int size = 1 << 20;

	if (self->ring.fd < 0)
		SKIP(return, "needs io_uring");
	if (shrink_in_udp(self) < 0)
		SKIP(return, "needs cgroup2 and CONFIG_CGROUP_BPF");
	ASSERT_EQ(0, quic_env_fill(&self->env));
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	expect_wait(_metadata, self, 0);
}

TEST_HARNESS_MAIN
