// SPDX-License-Identifier: GPL-2.0
/*
 * quic_preload.so of tools/net/quic under a program that treats its packets in
 * ways that the programs of ngtcp2 do not, or not often: what arrives is what
 * libcrypto says that it has to be, and nothing leaves that is not protected.
 *
 * The program runs itself with the library preloaded.
 */

#include "quic_preload_test.h"

/* Which packets are left to the kernel */

TEST_F(preload, not_before_it_is_seen)
{
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(WIRE_LEN);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(1);
	put(self, &self->other);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
}

/* The first packet is sent in a way that is not seen, or never. */
TEST_F(preload, seen_later)
{
	int i;

	for (i = 0; i < 64; i++) {
		put(self, &self->conn);
		EXPECT_TRUE(is_ready(&self->message));
		self->message.received = true;
	}
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(1);
}

TEST_F(preload, no_ulp)
{
	fake_fail_setsockopt(UDP_ULP, ENOPROTOOPT);
	START();
	START();
	put(self, &self->conn);
	EXPECT_TRUE(is_ready(&self->message));
	EXPECT_SENT(0);
	EXPECT_SAID("kernel has no QUIC offload");
}

/* ngtcp2 repeats this packet when the connection is gone. */
TEST_F(preload, connection_close)
{
	START();
	for (self->conn.frame = 0x1c; self->conn.frame <= 0x1d;
	     self->conn.frame++) {
		put(self, &self->conn);
		EXPECT_TRUE(is_ready(&self->message));
	}
	close_conn(&self->conn);
	EXPECT_SENT(WIRE_LEN);
}

/* A context of somebody else, where one of the connection was */
TEST_F(preload, unknown_key)
{
	uint8_t *iv = self->conn.ngtcp2->iv;

	START();
	iv[0] ^= 1;
	put(self, &self->conn);
	iv[0] ^= 1;
	iv[QUIC_IV_SIZE - 1] ^= 1;
	put(self, &self->conn);
	EXPECT_EQ(NULL, memmem(self->message.program, 2 * WIRE_LEN, QUIC_MARKER,
			       QUIC_MARKER_SIZE));
}

/* What a program does with datagrams */

TEST_F(preload, copies)
{
	uint8_t copy[WIRE_LEN], after[WIRE_LEN];

	START();
	PUT(&self->conn, 1);
	PUT(&self->other, 1);
	memcpy(copy, self->message.program, WIRE_LEN);
	memcpy(after, copy, WIRE_LEN);
	memset(self->message.program, 0, WIRE_LEN);
	EXPECT_EQ(WIRE_LEN, sendto(self->env.tx, copy, WIRE_LEN, 0,
				   (void *)&self->env.to.ss, self->env.to.len));
	/* The buffer is not the library's. */
	EXPECT_EQ(0, memcmp(copy, after, WIRE_LEN));

	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	EXPECT_EQ(WIRE_LEN, send(self->env.tx, self->message.program + WIRE_LEN,
				 WIRE_LEN, 0));
	receive(_metadata, self);
	EXPECT_KERNEL(2);
}

TEST_F(preload, pieces)
{
	uint8_t scattered[3 * WIRE_LEN], *to = scattered + sizeof(scattered);
	size_t i, len, at = 0;
	struct iovec iov[100];
	struct msghdr *mh;

	START();
	PUT(&self->conn, 3);
	mh = message(self, 0, WIRE_LEN);
	for (i = 0; at < sizeof(scattered); i++, at += len) {
		len = i % 23;
		if (len > sizeof(scattered) - at)
			len = sizeof(scattered) - at;
		to -= len;
		iov[i].iov_base = memcpy(to, self->message.program + at, len);
		iov[i].iov_len = len;
	}
	mh->msg_iov = iov;
	mh->msg_iovlen = i;
	EXPECT_EQ(sizeof(scattered), sendmsg(self->env.tx, mh, 0));
	receive(_metadata, self);
	EXPECT_KERNEL(3);
}

TEST_F(preload, sendmmsg)
{
	struct mmsghdr messages[3] = {};
	struct iovec iov[3];
	int i;

	START();
	PUT(&self->conn, 1);
	put_long(self);
	PUT(&self->conn, 1);
	for (i = 0; i < 3; i++) {
		iov[i].iov_base = self->message.program + self->message.at[i];
		iov[i].iov_len = datagram_len(&self->message, i);
		messages[i].msg_hdr = *message(self, 0, 0);
		messages[i].msg_hdr.msg_iov = &iov[i];
	}
	EXPECT_EQ(3, sendmmsg(self->env.tx, messages, 3, 0));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(iov[i].iov_len, messages[i].msg_len);
	receive(_metadata, self);
	EXPECT_KERNEL(2);
}

TEST_F(preload, gso)
{
	int segment = WIRE_LEN;

	START();
	PUT(&self->conn, 9);
	self->conn.packet.len = 50;
	PUT(&self->conn, 1);
	EXPECT_SENT(WIRE_LEN);
	EXPECT_KERNEL(10);

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_SEGMENT, &segment,
				sizeof(segment)));
	self->conn.packet.len = LEN;
	PUT(&self->conn, 9);
	self->conn.packet.len = 50;
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(20);
}

TEST_F(preload, control_messages)
{
	bool v6 = variant->family == AF_INET6;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} space;
	struct msghdr *mh, seen = {};
	int tos = 2, one = 1, i;

	ASSERT_EQ(0, setsockopt(self->env.rx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_RECVTCLASS : IP_RECVTOS, &one,
				sizeof(one)));
	START();
	PUT(&self->conn, 2);
	mh = message(self, 0, WIRE_LEN);
	quic_cmsg_put(mh, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_TCLASS : IP_TOS,
		      &tos, sizeof(tos));
	ASSERT_EQ(2 * WIRE_LEN, sendmsg(self->env.tx, mh, 0));
	for (i = 0; i < 2; i++) {
		seen.msg_control = &space;
		seen.msg_controllen = sizeof(space);
		ASSERT_EQ(0, recvmsg(self->env.rx, &seen, 0));
		EXPECT_EQ(tos, quic_cmsg_tos(&seen));
	}
	EXPECT_KERNEL(2);
}

TEST_F(preload, coalesced)
{
	START();
	put_long(self);
	PUT(&self->conn, 1);
	coalesce(self);
	EXPECT_SENT(0);

	/* In a train as well */
	PUT(&self->conn, 2);
	put_long(self);
	self->conn.packet.len -= 32;
	PUT(&self->conn, 1);
	coalesce(self);
	self->conn.packet.len += 32;
	PUT(&self->conn, 2);
	put_long(self);
	EXPECT_SENT(WIRE_LEN);
}

TEST_F(preload, again)
{
	uint8_t before[5 * WIRE_LEN];

	START();
	PUT(&self->conn, 5);
	memcpy(before, self->message.program, sizeof(before));
	EXPECT_SENT(WIRE_LEN);
	EXPECT_SENT(WIRE_LEN);
	EXPECT_EQ(0, memcmp(before, self->message.program, sizeof(before)));
	EXPECT_KERNEL(5);
}

TEST_F(preload, out_of_order)
{
	static const unsigned int order[] = { 1, 0, 3, 2 };
	unsigned int i;

	START();
	/* Far apart, and more of a number than a packet or a ticket has */
	self->conn.packet.pn = 0x123400000000 - 3;
	PUT(&self->conn, 2);
	self->conn.packet.pn_len = 4;
	self->conn.packet.pn += 0x20000000;
	PUT(&self->conn, 2);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(WIRE_LEN, send_one(self, order[i]));
		receive_one(_metadata, self, order[i]);
	}
}

TEST_F(preload, two_connections)
{
	START();
	PUT(&self->conn, 2);
	PUT(&self->other, 2);
	PUT(&self->conn, 1);
	EXPECT_SENT(WIRE_LEN);
	EXPECT_KERNEL(5);
}

/* Keys */

TEST_F(preload, key_update)
{
	int i;

	START();
	PUT(&self->conn, 2);
	update_keys(&self->conn);
	PUT(&self->conn, 2);
	EXPECT_SENT(WIRE_LEN);
	EXPECT_KERNEL(4);

	/* More often than the 8 bits of a generation can count */
	for (i = 0; i < 260; i++) {
		update_keys(&self->conn);
		PUT(&self->conn, 1);
		EXPECT_SENT(0);
	}
	EXPECT_KERNEL(264);
}

/* Packets wait while their key becomes an old one. */
TEST_F(preload, old_key)
{
	unsigned int i;

	START();
	PUT(&self->conn, 4);
	for (i = 0; i < 3; i++) {
		update_keys(&self->conn);
		EXPECT_EQ(WIRE_LEN, send_one(self, i));
		receive_one(_metadata, self, i);
	}
	update_keys(&self->conn);
	EXPECT_ERROR(EIO, send_one(self, 3));
}

/* Sockets */

TEST_F(preload, closed)
{
	int fd = self->env.tx, other;

	START();
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	close(fd);
	EXPECT_ERROR(EBADF, send_all(self, 0));
	self->env.tx = quic_env_socket(&self->env);
	ASSERT_EQ(fd, self->env.tx);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(2);

	/* The library is not told. */
	other = quic_env_socket(&self->env);
	ASSERT_EQ(fd, dup2(other, fd));
	close(other);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	PUT(&self->conn, 1);
	EXPECT_SENT(0);
	EXPECT_KERNEL(3);
}

TEST_F(preload, no_room)
{
	unsigned int i;

	START();
	PUT(&self->conn, 2);
	PUT(&self->other, 2);

	/* A program that waits, and one that does not */
	fake_fail_sendmsg(0, 2, EAGAIN);
	EXPECT_SENT(WIRE_LEN);
	self->flags = MSG_DONTWAIT;
	fake_fail_sendmsg(0, 1, EAGAIN);
	PUT(&self->conn, 2);
	PUT(&self->other, 2);
	EXPECT_EQ(-1, send_all(self, WIRE_LEN));
	EXPECT_EQ(EAGAIN, errno);

	/* One half of the message has left: the other is to follow, */
	fake_fail_sendmsg(1, 2, EAGAIN);
	EXPECT_SENT(WIRE_LEN);
	/* but not at any price. */
	PUT(&self->conn, 2);
	PUT(&self->other, 2);
	fake_fail_sendmsg(1, 1000, EAGAIN);
	EXPECT_EQ(-1, send_all(self, WIRE_LEN));
	EXPECT_EQ(EAGAIN, errno);
	for (i = 0; i < 2; i++)
		receive_one(_metadata, self, i);
	fake_fail_sendmsg(0, 0, 0);
	EXPECT_SENT(WIRE_LEN);
}

/* A program that waits, but not for ever */
TEST_F(preload, no_room_timeout)
{
	struct timeval timeout = { .tv_usec = 1000 };

	START();
	PUT(&self->conn, 1);
	PUT(&self->other, 1);
	EXPECT_SENT(WIRE_LEN);
	PUT(&self->conn, 1);
	PUT(&self->other, 1);
	fake_fail_sendmsg(0, 1, EAGAIN);
	fake_interrupt_poll();
	EXPECT_EQ(-1, send_all(self, WIRE_LEN));
	EXPECT_EQ(EINTR, errno);
	/* One half has left. */
	fake_fail_sendmsg(1, 1, EAGAIN);
	fake_interrupt_poll();
	EXPECT_SENT(WIRE_LEN);

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDTIMEO, &timeout,
				sizeof(timeout)));
	PUT(&self->conn, 1);
	fake_fail_sendmsg(0, UINT_MAX, EAGAIN);
	/* If it hangs */
	alarm(5);
	EXPECT_EQ(-1, send_all(self, 0));
	EXPECT_EQ(EAGAIN, errno);
	alarm(0);
	fake_fail_sendmsg(0, 0, 0);
	EXPECT_SENT(0);
}

/* Nobody can protect these any more. */

TEST_F(preload, connection_gone)
{
	START();
	PUT(&self->conn, 1);
	close_conn(&self->conn);
	EXPECT_ERROR(EIO, send_all(self, 0));
}

TEST_F(preload, gone_in_a_train)
{
	START();
	PUT(&self->conn, 2);
	PUT(&self->other, 1);
	PUT(&self->conn, 1);
	close_conn(&self->other);
	EXPECT_EQ(-1, send_all(self, WIRE_LEN));
	EXPECT_EQ(EIO, errno);
	receive_one(_metadata, self, 0);
	receive_one(_metadata, self, 1);
	receive_nothing(_metadata, self);
}

TEST_F(preload, damaged)
{
	/* What a ticket begins with says that it is one. */
	unsigned int first = 8 * (LEN + 8), bit;
	uint8_t *program = self->message.program;

	START();
	self->conn.packet.pn_len = 4;
	PUT(&self->conn, 1);
	for (bit = first; bit < 8 * WIRE_LEN; bit++) {
		program[bit / 8] ^= 1 << bit % 8;
		EXPECT_ERROR(EIO, send_all(self, 0));
		program[bit / 8] ^= 1 << bit % 8;
	}
	/* The packet number, */
	for (bit = 8 * (1 + DCID_LEN); bit < 8 * (1 + DCID_LEN + 4); bit++) {
		program[bit / 8] ^= 1 << bit % 8;
		EXPECT_ERROR(EIO, send_all(self, 0));
		program[bit / 8] ^= 1 << bit % 8;
	}
	/* the key phase, and the kind of the header */
	program[0] ^= QUIC_KEY_PHASE;
	EXPECT_ERROR(EIO, send_all(self, 0));
	program[0] ^= QUIC_KEY_PHASE | QUIC_LONG_HEADER;
	EXPECT_ERROR(EIO, send_all(self, 0));
	program[0] ^= QUIC_LONG_HEADER;
	EXPECT_SENT(0);
}

int main(int argc, char **argv)
{
	return preload_run(argc, argv);
}
