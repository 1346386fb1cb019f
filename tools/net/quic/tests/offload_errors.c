// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic where the kernel cannot, does not want to, or
 * fails: in userspace if that helps, else an error that says how far it got.
 *
 * Linked with --wrap=sendmsg and --wrap=setsockopt, for faults that cannot be
 * had otherwise.
 */

#include "quic_offload_faults.h"

/* Not in this kernel */

/* The fixture's socket, as a program of its own would see it */
static bool probe_again(FIXTURE_DATA(offload) *self)
{
	quic_offload_socket_free(self->sock);
	self->sock = quic_offload_socket_new(self->env.tx, notice, self);
	return quic_offload_socket_enable(self->sock, true);
}

TEST_F(offload, no_ulp)
{
	refusal.option = UDP_ULP;
	refusal.err = ENOPROTOOPT;
	EXPECT_FALSE(probe_again(self));
	EXPECT_NOTICE("no QUIC offload (Protocol not available)");
	put(self, 20);
	EXPECT_SENT();
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(0, 21, 2);
	EXPECT_EQ(0, quic_stat("QuicTxSw"));
	EXPECT_EQ(1, self->notices);
}

TEST_F(offload, another_ulp)
{
	int fd = self->env.tx;

	/* This one is there already, */
	EXPECT_TRUE(probe_again(self));
	EXPECT_EQ(0, self->notices);
	/* here it is another one. */
	self->env.tx = quic_env_socket(&self->env);
	refusal.option = UDP_ULP;
	refusal.err = EEXIST;
	EXPECT_FALSE(probe_again(self));
	EXPECT_NOTICE("File exists");
	close(fd);
}

TEST_F(offload, no_notice)
{
	quic_offload_socket_free(self->sock);
	refusal.option = UDP_ULP;
	refusal.err = ENOPROTOOPT;
	self->sock = quic_offload_socket_new(self->env.tx, NULL, NULL);
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(0, 1, 1);
}

TEST_F(offload, no_room)
{
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "0"));
	put(self, 20);
	EXPECT_SENT();
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(0, 40, 2);
	EXPECT_NOTICE("max_quic_flows");

	/* A flow that was refused is not tried again, others are. */
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, self->max_flows));
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(0, 42, 3);
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 2);
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(1, 43, 5);
	EXPECT_EQ(1, self->notices);
}

TEST_F(offload, no_cipher)
{
	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(protect, self);
	quic_offload_conn_set_shortest(self->conn, 1);
	ASSERT_EQ(0, set_keys(self, 0, 0));
	put(self, 3);
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 6, 2);
	EXPECT_NOTICE("cipher");
}

/* Half of a train is for a key that the kernel does not take. */
TEST_F(offload, no_update)
{
	put(self, 2);
	EXPECT_SENT();
	put(self, 2);
	ASSERT_EQ(0, set_keys(self, quic_ciphers[variant->cipher].type, 1));
	put(self, 2);
	refusal.option = UDP_QUIC_ADD_TX_CONNECTION;
	refusal.err = ENOMEM;
	EXPECT_SENT();
	EXPECT_STATS(1, 5, 3);
	EXPECT_NOTICE("Cannot allocate memory");
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

TEST_F(offload, disabled)
{
	EXPECT_FALSE(quic_offload_socket_enable(self->sock, false));
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(0, 20, 1);
	EXPECT_EQ(0, quic_stat("QuicTxSw"));
	EXPECT_TRUE(quic_offload_socket_enable(self->sock, true));
	put(self, 20);
	EXPECT_SENT();
	EXPECT_STATS(19, 21, 3);
	EXPECT_EQ(0, self->notices);
}

/* No GSO */

TEST_F(offload, gso_off)
{
	quic_offload_socket_set_gso(self->sock, false);
	put(self, 3);
	put_ready(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(2, 1, 6);
	quic_offload_socket_set_gso(self->sock, true);
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(5, 1, 7);
	EXPECT_EQ(0, self->notices);
}

static void expect_no_gso(struct __test_metadata *_metadata,
			  FIXTURE_DATA(offload) *self)
{
	/* What was tried as a train is not for the kernel any more. */
	put(self, 5);
	put_ready(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 5, 8);
	EXPECT_NOTICE("GSO");
	/* Single packets are. */
	put(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(5, 5, 13);
	EXPECT_EQ(1, self->notices);

	quic_offload_socket_set_gso(self->sock, true);
	put_ready(self, 2);
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(7, 5, 17);
	quic_offload_socket_set_gso(self->sock, true);
	quic_offload_socket_enable(self->sock, false);
	put(self, 2);
	EXPECT_SENT();
	put(self, 2);
	EXPECT_SENT();
	EXPECT_STATS(7, 9, 21);
	EXPECT_EQ(1, self->notices);
}

/* EINVAL */
TEST_F(offload, no_checksum)
{
	int one = 1;

	if (variant->family == AF_INET6) {
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP,
					UDP_NO_CHECK6_TX, &one, sizeof(one)));
		ASSERT_EQ(0, setsockopt(self->env.rx, SOL_UDP,
					UDP_NO_CHECK6_RX, &one, sizeof(one)));
	} else {
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_NO_CHECK,
					&one, sizeof(one)));
	}
	expect_no_gso(_metadata, self);
}

/* EIO */
TEST_F(offload, ipsec)
{
	static const char * const setup[] = {
		"echo 0 > /proc/sys/net/ipv4/conf/lo/disable_xfrm",
		"echo 0 > /proc/sys/net/ipv4/conf/lo/disable_policy",
		"ip xfrm state add src $a dst $a proto esp spi 1 mode transport"
		" aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128",
		"ip xfrm policy add src $a dst $a dir out"
		" tmpl src $a dst $a proto esp mode transport",
	};
	unsigned int i;

	setenv("a", variant->family == AF_INET6 ? "::1" : "127.0.0.1", 1);
	for (i = 0; i < ARRAY_SIZE(setup); i++)
		ASSERT_EQ(0, system(setup[i]));
	expect_no_gso(_metadata, self);
}

/* Sizes */

/* A packet that a route does not take says nothing about GSO. */
TEST_F(offload, mtu)
{
	bool v6 = variant->family == AF_INET6;
	int probe = IP_PMTUDISC_PROBE;

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	ASSERT_EQ(0, setsockopt(self->env.tx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
				&probe, sizeof(probe)));
	put(self, 2);
	self->packet.len = 2000;
	put(self, 1);
	self->packet.len = LEN;
	put(self, 2);
	EXPECT_EQ(2, send_batch(self));
	EXPECT_ERROR(EMSGSIZE);
	EXPECT_ERROR(EMSGSIZE);
	give_up(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(2, 2, 4);

	self->packet.len = 2000;
	put(self, 1);
	EXPECT_ERROR(EMSGSIZE);
	give_up(self, 1);
	self->packet.len = LEN;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(7, 2, 5);
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, fragments)
{
	bool v6 = variant->family == AF_INET6;
	int dont = IP_PMTUDISC_DONT;

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	ASSERT_EQ(0, setsockopt(self->env.tx, v6 ? SOL_IPV6 : SOL_IP,
				v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER,
				&dont, sizeof(dont)));
	self->packet.len = 2000;
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 3, 3);
	EXPECT_EQ(2 + 3, messages);
	self->packet.len = LEN;
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(3, 3, 4);
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, too_long_for_udp)
{
	self->packet.len = QUIC_MAX_UDP_PAYLOAD;
	put(self, 1);
	EXPECT_ERROR(EMSGSIZE);
	quic_offload_socket_enable(self->sock, false);
	EXPECT_ERROR(EMSGSIZE);
	self->packet.len = QUIC_MAX_UDP_PAYLOAD - QUIC_TAG_SIZE;
	put(self, 1);
	give_up(self, 1);
	if (variant->family == AF_INET6)
		EXPECT_SENT();
	else
		EXPECT_ERROR(EMSGSIZE);
}

/* Packet numbers and keys */

TEST_F(offload, number_used)
{
	put(self, 5);
	EXPECT_SENT();
	self->packet.pn--;
	put(self, 1);
	EXPECT_ERROR(ERANGE);
	quic_offload_socket_enable(self->sock, false);
	EXPECT_ERROR(ERANGE);
	give_up(self, 1);
	quic_offload_socket_enable(self->sock, true);

	/* In one batch; it is told how far this is well. */
	put(self, 3);
	self->packet.pn--;
	put(self, 2);
	EXPECT_EQ(3, send_batch(self));
	EXPECT_ERROR(ERANGE);
	give_up(self, 1);
	EXPECT_SENT();
	quic_offload_socket_enable(self->sock, false);
	put(self, 3);
	self->packet.pn--;
	put(self, 1);
	EXPECT_EQ(3, send_batch(self));
	EXPECT_ERROR(ERANGE);
	give_up(self, 1);
	quic_offload_socket_enable(self->sock, true);

	/* The last number there is */
	self->packet.pn = QUIC_PN_LIMIT - 1;
	put(self, 2);
	EXPECT_EQ(1, send_batch(self));
	EXPECT_ERROR(ERANGE);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* By somebody else: this is the kernel's to know. */
TEST_F(offload, number_used_elsewhere)
{
	struct quic_packet packet = self->packet;
	static struct quic_train train;
	struct quic_msg msg;
	uint8_t byte;

	put(self, 1);
	EXPECT_SENT();
	packet.pn = 1000;
	packet.flags = QUIC_FIXED_BIT;
	quic_train_build(&train, packet, 1, 0);
	msg = quic_msg(self->env.tx, &self->dest, &train);
	ASSERT_EQ(msg.len, quic_send(&msg));
	ASSERT_EQ(1, recv(self->rx, &byte, 1, 0));

	put(self, 5);
	EXPECT_ERROR(ERANGE);
	EXPECT_ERROR(ERANGE);
	EXPECT_EQ(2, quic_stat("QuicTxSwError"));
	give_up(self, 5);
	self->packet.pn = 1001;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(5, 1, 2);
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, key_expired)
{
	ASSERT_EQ(0, quic_env_write_file(MAX_PACKETS, "10"));
	put(self, 8);
	EXPECT_SENT();
	put(self, 2);
	self->packet.len = LEN + 1;
	put(self, 2);
	EXPECT_EQ(2, send_batch(self));
	EXPECT_ERROR(EKEYEXPIRED);
	EXPECT_ERROR(EKEYEXPIRED);
	give_up(self, 2);
	ASSERT_EQ(0, set_keys(self, quic_ciphers[variant->cipher].type, 1));
	put(self, 8);
	EXPECT_SENT();
	EXPECT_STATS(17, 1, 4);
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, no_key)
{
	put(self, 2);
	self->oracle[1] = self->oracle[0];
	self->generation = 1;
	put(self, 1);
	EXPECT_EQ(2, send_batch(self));
	EXPECT_ERROR(ENOKEY);
	quic_offload_socket_enable(self->sock, false);
	EXPECT_ERROR(ENOKEY);
	quic_offload_socket_enable(self->sock, true);
	self->oracle[1] = NULL;
	ASSERT_EQ(0, set_keys(self, quic_ciphers[variant->cipher].type, 1));
	self->batch.oracle[2] = self->oracle[1];
	EXPECT_SENT();
	EXPECT_STATS(2, 1, 3);

	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(protect, self);
	quic_offload_conn_set_shortest(self->conn, 1);
	self->generation = 0;
	put(self, 1);
	EXPECT_ERROR(ENOKEY);
}

/* The next packet is good but for a detail. */
#define EXPECT_BAD(change) do {						\
	struct quic_offload_packet *packet;				\
									\
	put(self, 2);							\
	packet = put_one(self);						\
	change;								\
	EXPECT_EQ(2, send_batch(self));					\
	EXPECT_ERROR(EINVAL);						\
	give_up(self, 1);						\
} while (0)

TEST_F(offload, malformed)
{
	EXPECT_BAD(*(uint8_t *)packet->data |= QUIC_LONG_HEADER);
	EXPECT_BAD(packet->number++);
	EXPECT_BAD(packet->number += 1 << 8);
	EXPECT_BAD(packet->dcid_len++);
	EXPECT_BAD(packet->dcid_len = 21);
	EXPECT_BAD(packet->len = 0);
	EXPECT_BAD(packet->len = 1 + DCID_LEN + 3);
	EXPECT_BAD((packet->dcid_len = 255, packet->len = 255));
	self->packet.len = 1 + DCID_LEN + 4;
	put(self, 1);
	EXPECT_SENT();
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

static int protect_fails(void *arg, const struct quic_offload_keys *keys,
			 uint8_t *packet, size_t header_len, size_t len,
			 uint64_t number)
{
	return -1;
}

TEST_F(offload, protect_fails)
{
	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(protect_fails, self);
	quic_offload_conn_set_shortest(self->conn, 1);
	ASSERT_EQ(0, set_keys(self, 0, 0));
	put(self, 1);
	EXPECT_ERROR(EPROTO);
	EXPECT_ERROR(EPROTO);
	give_up(self, 1);
	/* Not even asked: there is no room. */
	self->packet.len = QUIC_MAX_UDP_PAYLOAD;
	put(self, 1);
	EXPECT_ERROR(EMSGSIZE);
}

/* Those that other messages, or other contents, would have to do with */
TEST_F(offload, flags)
{
	static const int flags[] = {
		MSG_ZEROCOPY, MSG_MORE, MSG_OOB, MSG_EOR, 1 << 30,
	};
	unsigned int i;

	put(self, 2);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		self->flags = flags[i] | MSG_DONTWAIT;
		EXPECT_ERROR(EOPNOTSUPP);
	}
	EXPECT_EQ(0, messages);
	self->flags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM;
	EXPECT_SENT();
	EXPECT_STATS(1, 1, 2);
}

/* Not now */

TEST_F(offload, full_buffer)
{
	ASSERT_EQ(0, quic_env_fill(&self->env));
	self->flags = MSG_DONTWAIT;
	put(self, 5);
	put_ready(self, 1);
	EXPECT_ERROR(EAGAIN);
	EXPECT_ERROR(EAGAIN);
	ASSERT_EQ(0, quic_env_drain(&self->env));
	EXPECT_SENT();
	/* The first one did not show what it should: the second one does. */
	EXPECT_STATS(3, 2, 4);
}

TEST_F(offload, again_in_the_middle)
{
	fault.err = EAGAIN;
	fault.skip = 2;
	fault.times = 2;
	put(self, 5);
	self->packet.len++;
	put(self, 5);
	self->packet.len++;
	put(self, 5);
	EXPECT_EQ(5, send_batch(self));
	EXPECT_ERROR(EAGAIN);
	EXPECT_SENT();
	EXPECT_STATS(14, 1, 4);
	EXPECT_EQ(0, self->notices);
}

TEST_F(offload, interrupted)
{
	fault.err = EINTR;
	fault.times = 3;
	put(self, 5);
	EXPECT_SENT();
	EXPECT_STATS(4, 1, 2);
	EXPECT_EQ(0, fault.times);
}

/* What UDP says is for the caller, who tries again with the same packets. */
TEST_F(offload, unreachable)
{
	put(self, 3);
	EXPECT_SENT();
	fault.err = ENETUNREACH;
	fault.times = 2;
	put(self, 3);
	EXPECT_ERROR(ENETUNREACH);
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(5, 4, 4);
	EXPECT_EQ(0, self->notices);
}

/* The train has left, and the kernel knows, but the caller does not. */
TEST_F(offload, late_error)
{
	uint8_t byte;
	int i;

	put(self, 1);
	EXPECT_SENT();
	fault.err = EPERM;
	fault.times = 1;
	fault.late = true;
	put(self, 3);
	EXPECT_EQ(-EPERM, send_batch(self));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, recv(self->rx, &byte, 1, 0));
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(3, 4, 3);
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* The kernel says no */

TEST_F(offload, flow_gone)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	put(self, 3);
	EXPECT_SENT();
	quic_keys_derive(&keys, &quic_ciphers[0], 0, 0);
	quic_flow_info(&info, &keys, &self->packet.dcid, &self->dest);
	ASSERT_EQ(0, quic_flow_del(self->env.tx, &info));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(4, 2, 4);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSw"));
	EXPECT_EQ(0, self->notices);
}

/* Somebody else has added the flow: he may delete it. */
TEST_F(offload, flow_of_another)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1, 0);
	quic_flow_info(&info, &keys, &self->packet.dcid, &self->dest);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(0, 3, 1);
	EXPECT_NOTICE("File exists");
	quic_offload_conn_retire(self->conn, self->packet.dcid.id, DCID_LEN);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	ASSERT_EQ(0, quic_flow_del(self->env.tx, &info));
}

TEST_F(offload, refused)
{
	static const int errors[] = { ENOENT, ENOKEY, EOPNOTSUPP, EINVAL };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		quic_dcid_init(&self->packet.dcid, DCID_LEN, i);
		put(self, 1);
		EXPECT_SENT();
		fault.err = errors[i];
		fault.times = errors[i] == ENOENT ? 2 : 1;
		fault.encrypted = true;
		do {
			put(self, 1);
			EXPECT_SENT();
		} while (fault.times);
		/* From then on all of the flow */
		put(self, 3);
		EXPECT_SENT();
		EXPECT_STATS(0, 5 * (i + 1) + 1, 3 * (i + 1) + 1);
		EXPECT_NOTICE("did not protect");
	}
	quic_dcid_init(&self->packet.dcid, DCID_LEN, i);
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(2, 22, 15);
}

TEST_F(offload, others_not_refused)
{
	put(self, 2);
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 1);
	put(self, 3);
	put_ready(self, 1);
	fault.err = EINVAL;
	fault.skip = 1;
	fault.times = 1;
	EXPECT_SENT();
	EXPECT_STATS(2, 3, 5);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
}

/* In whichever way they are sent: the packets are at fault, not the flow. */
TEST_F(offload, caller_at_fault)
{
	put(self, 1);
	EXPECT_SENT();
	fault.err = EINVAL;
	fault.times = 2;
	put(self, 1);
	EXPECT_ERROR(EINVAL);
	put(self, 1);
	EXPECT_SENT();
	EXPECT_STATS(1, 2, 3);
	EXPECT_EQ(0, self->notices);

	/* Nor is GSO. */
	fault.times = 2;
	put(self, 3);
	EXPECT_ERROR(EINVAL);
	EXPECT_SENT();
	put(self, 3);
	EXPECT_SENT();
	EXPECT_STATS(4, 5, 5);
	EXPECT_EQ(0, self->notices);
}

TEST_HARNESS_MAIN
