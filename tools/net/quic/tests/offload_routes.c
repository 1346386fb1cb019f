// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic on routes that are not like others: what is
 * learnt about one costs no other, is not learnt again with each batch, and is
 * forgotten some time.
 */

#include <linux/bpf.h>
#include <sys/syscall.h>

#include "quic_offload_faults.h"

#define BELIEVED	16384	/* packets */

/* Trains */

TEST_F(offload, no_gso_to_one)
{
	struct quic_addr here = self->dest, there;
	int rx, to_there = quic_env_receiver(&self->env, &there);

	if (variant->connected)
		return;		/* has one destination */
	ASSERT_LE(0, to_there);
	rx = self->rx;
	fault.err = EIO;
	fault.times = ALWAYS;
	fault.trains = true;
	fault.to = &there;

	ASSERT_EQ(0, set_destination(self, false, &there, to_there));
	put(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(1 + 20, messages);
	EXPECT_NOTICE("GSO");
	ASSERT_EQ(0, set_destination(self, false, &here, rx));
	put(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(21 + 2, messages);
	ASSERT_EQ(0, set_destination(self, false, &there, to_there));
	put(self, 20);
	put_ready(self, 2);
	EXPECT_SENT();
	EXPECT_EQ(23 + 22, messages);
	ASSERT_EQ(0, set_destination(self, false, &here, rx));
	put_ready(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(45 + 1, messages);
	EXPECT_STATS(39, 21, 20 + 2 + 22 + 1);
	close(to_there);
}

TEST_F(offload, gso_again)
{
	unsigned int before, i, single = 0;

	fault.err = EIO;
	fault.times = 1;
	fault.trains = true;
	put(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(1 + 20, messages);
	/* For the caller to say */
	quic_offload_socket_set_gso(self->sock, true);
	put(self, 20);
	EXPECT_SENT();
	EXPECT_EQ(21 + 1, messages);

	/* A packet a message, until a train is tried: so many that the machine's
	 * speed would matter, so they go nowhere.
	 */
	fault.times = 1;
	put_ready(self, 2);
	EXPECT_SENT();
	nowhere = true;
	for (i = 0; i < 2 * BELIEVED; i += 64) {
		before = messages;
		put_ready(self, 64);
		EXPECT_EQ(64, send_batch(self));
		memset(&self->batch, 0, offsetof(struct batch, packets));
		if (messages - before < 64)
			break;
		single += 64;
	}
	nowhere = false;
	EXPECT_LT(BELIEVED - 100, single);
	EXPECT_GE(BELIEVED, single);
}

/* Lengths */

static int set_discovery(const FIXTURE_DATA(offload) *self, int family,
			 int how)
{
	bool v6 = family == AF_INET6;

	return setsockopt(self->env.tx, v6 ? SOL_IPV6 : SOL_IP,
			  v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &how,
			  sizeof(how));
}

/* IP cuts packets, on a socket as it is by default, but no trains. */
TEST_F(offload, fragments)
{
	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	self->packet.len = 2000;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(0, 5, 5);
	EXPECT_EQ(2 + 5, messages);
	/* From now on each is encrypted once. */
	messages = 0;
	self->in_user = 0;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_EQ(5, messages);
	/* Shorter ones are a train as ever, */
	self->packet.len = LEN;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_EQ(5 + 1, messages);
	/* longer ones are not. */
	self->packet.len = 2500;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_EQ(6 + 5, messages);
	EXPECT_STATS(15, 5, 16);
	EXPECT_EQ(0, self->in_user);
	EXPECT_EQ(0, self->notices);
}

/* Nothing of that length leaves: it is not tried as a train each time. */
TEST_F(offload, too_long)
{
	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	ASSERT_EQ(0, set_discovery(self, variant->family, IP_PMTUDISC_PROBE));
	put(self, 1);
	EXPECT_SENT();
	messages = 0;
	self->in_user = 0;
	self->packet.len = 2000;
	put(self, 10);
	do {
		EXPECT_ERROR(EMSGSIZE);
		give_up(self, 1);
	} while (self->batch.left < self->batch.count);
	receive(_metadata, self);
	/* Each error might have been pending. */
	EXPECT_EQ(1 + 2 * 10, messages);
	/* The kernel had encrypted them in vain, the first one twice. */
	EXPECT_EQ(19, self->in_user);
	self->packet.len = LEN;
	put(self, 10);
	EXPECT_SENT();
	EXPECT_EQ(21 + 1, messages);
	EXPECT_STATS(10, 1, 2);
}

/* Redirection */

/* Run for each socket in the cgroup until the test ends: port @from is @to. */
static int rewrite_port(enum bpf_attach_type when, in_port_t from, in_port_t to)
{
	const struct bpf_insn insns[] = {
		{ BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_1,
		  offsetof(struct bpf_sock_addr, user_port) },
		{ BPF_JMP | BPF_JNE | BPF_K, BPF_REG_2, .off = 2, .imm = from },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, .imm = to },
		{ BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_2,
		  offsetof(struct bpf_sock_addr, user_port) },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, .imm = 1 },
		{ BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = when,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr link = {};

	link.link_create.attach_type = when;
	link.link_create.target_fd = open("/sys/fs/cgroup", O_RDONLY);
	link.link_create.prog_fd = syscall(SYS_bpf, BPF_PROG_LOAD, &load,
					   sizeof(load));
	return syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
}

/* A load balancer: connect() goes elsewhere, getpeername() conceals it. */
TEST_F(offload, connect_redirected)
{
	struct sockaddr_in6 service = {}, peer = {}, *backend;
	struct quic_addr asked = self->dest, there;
	socklen_t len = sizeof(peer);
	int rx = quic_env_receiver(&self->env, &there);

	if (variant->family != AF_INET6 || !variant->connected)
		return;		/* one is enough */
	ASSERT_LE(0, rx);
	memcpy(&service, &asked.ss, sizeof(service));
	backend = (void *)&there.ss;
	if (rewrite_port(BPF_CGROUP_INET6_CONNECT, service.sin6_port,
			 backend->sin6_port) < 0 ||
	    rewrite_port(BPF_CGROUP_INET6_GETPEERNAME, backend->sin6_port,
			 service.sin6_port) < 0)
		SKIP(return, "needs cgroup2 and CONFIG_CGROUP_BPF");
	ASSERT_EQ(0, set_destination(self, true, &asked, rx));
	ASSERT_EQ(0, getpeername(self->env.tx, (void *)&peer, &len));
	ASSERT_EQ(service.sin6_port, peer.sin6_port);

	/* With two connection IDs in one batch */
	put(self, 20);
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	put(self, 20);
	EXPECT_SENT();
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(56, 4, 7);
	EXPECT_EQ(2, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSwError"));
	EXPECT_EQ(0, self->notices);
	close(rx);
}

/* Errors that concern more than a packet */

/* What a caller does who does not retry: one packet, or all, are given up. */
static void send_or_drop(FIXTURE_DATA(offload) *self)
{
	while (self->batch.left < self->batch.count) {
		ssize_t ret = send_batch(self);

		if (ret < 0 && quic_offload_is_packet_error(ret))
			give_up(self, 1);
		else if (ret < 0)
			give_up(self, self->batch.count - self->batch.left);
	}
}

TEST_F(offload, for_all)
{
	static const struct {
		int err;
		unsigned int messages;
	} errors[] = {
		{ EPERM, 1 }, { ENOBUFS, 1 }, { EINVAL, 2 }, { EKEYEXPIRED, 1 },
		/* May have been pending */
		{ EACCES, 2 }, { ENETUNREACH, 2 }, { EHOSTUNREACH, 2 },
	};
	unsigned int i;

	put(self, 1);
	EXPECT_SENT();
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fault.err = errors[i].err;
		fault.times = ALWAYS;
		messages = 0;
		self->in_user = 0;
		put(self, 64);
		send_or_drop(self);
		receive(_metadata, self);
		EXPECT_EQ(errors[i].messages, messages) {
			TH_LOG("%s", strerror(errors[i].err));
		}
		/* One without GSO for EINVAL */
		EXPECT_GE(1, self->in_user);
	}
	fault.times = 0;
	quic_offload_socket_set_gso(self->sock, true);
	put(self, 64);
	EXPECT_SENT();
	EXPECT_STATS(64, 1, 3);
}

/* The kernel has used the numbers: what it says then is not what was wrong. */
TEST_F(offload, not_pending)
{
	unsigned int i;
	uint8_t byte;

	put(self, 1);
	EXPECT_SENT();
	fault.err = EHOSTUNREACH;
	fault.times = 1;
	fault.late = true;
	put(self, 3);
	EXPECT_EQ(-EHOSTUNREACH, send_batch(self));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, recv(self->rx, &byte, 1, 0));
	give_up(self, 3);
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(3, 1, 2);
}

/* Any error that ICMP can make of a socket, once */
TEST_F(offload, pending_errors)
{
	static const int errors[] = {
		EACCES, ECONNREFUSED, EMSGSIZE, EPROTO, EHOSTDOWN, EHOSTUNREACH,
		ENETUNREACH, ENONET, ENOPROTOOPT,
	};
	unsigned int i;

	put(self, 1);
	EXPECT_SENT();
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		fault.err = errors[i];
		fault.times = 1;
		put(self, 5);
		EXPECT_SENT();
		EXPECT_STATS(5 * (i + 1), 1, 2 + i);
	}
	EXPECT_EQ(0, self->notices);
}

/* ICMP says that a neighbour on the socket has nobody at its address. */
TEST_F(offload, pending)
{
	bool v6 = variant->family == AF_INET6;
	struct quic_addr nobody;
	int one = 1, gone = quic_env_receiver(&self->env, &nobody);

	if (variant->connected)
		return;		/* has one destination */
	ASSERT_EQ(0, close(gone));
	ASSERT_EQ(0, setsockopt(self->env.tx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_RECVERR : IP_RECVERR, &one,
				sizeof(one)));
	put(self, 1);
	EXPECT_SENT();
	ASSERT_EQ(1, sendto(self->env.tx, "", 1, 0, (void *)&nobody.ss,
			    nobody.len));
	put(self, 20);
	EXPECT_SENT();
	ASSERT_EQ(1, sendto(self->env.tx, "", 1, 0, (void *)&nobody.ss,
			    nobody.len));
	put_ready(self, 1);
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(40, 1, 4);
	EXPECT_EQ(2, self->in_user);
	EXPECT_EQ(0, self->notices);
	/* It was there, or this is no test. */
	EXPECT_EQ(4 + 2, messages);
}

TEST_HARNESS_MAIN
