// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be protected is refused: with the right error, counted once,
 * and without a byte of it on the wire.
 */

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_expect.h"

#define DCID_LEN	8

FIXTURE(refuse) {
	struct quic_env env;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_oracle *phase[2];
};

FIXTURE_VARIANT(refuse) {
	int family;
};

FIXTURE_VARIANT_ADD(refuse, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(refuse, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(refuse, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(refuse)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 5000,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	self->phase[0] = quic_flow_begin(self->env.tx, &self->packet.dcid, NULL,
					 1, 0);
	ASSERT_NE(NULL, self->phase[0]);
	quic_train_build(&self->train, self->packet, 1, 0);
	quic_env_wire(&self->env);
}

FIXTURE_TEARDOWN(refuse)
{
	quic_oracle_free(self->phase[0]);
	quic_env_close(&self->env);
}

#define EXPECT_REFUSED(err, msg) \
	quic_expect_error(_metadata, &self->env, msg, err, 1)
#define EXPECT_SENT(msg) \
	quic_expect_sent(_metadata, &self->env, self->phase, &self->train, msg)

static struct quic_msg message(const FIXTURE_DATA(refuse) *self)
{
	return quic_msg(self->env.tx, &self->env.to, &self->train);
}

/* The control message */

TEST_F(refuse, cmsg_length)
{
	static const size_t lengths[] = { 0, 1, 8, 10, 15, 17, 24, 64 };
	struct quic_msg msg = message(self);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		msg.anc_len = lengths[i];
		EXPECT_REFUSED(EINVAL, &msg);
	}
	msg.anc_len = sizeof(msg.anc);
	EXPECT_SENT(&msg);
}

/* One that claims to be longer than there is, also with data pending. */
TEST_F(refuse, cmsg_beyond_the_end)
{
	const struct quic_addr *to = &self->env.to;
	struct quic_msg msg = message(self);
	struct quic_wire wire;
	char seen[64];

	msg.cut = 8;
	EXPECT_EQ(-1, quic_send(&msg));
	EXPECT_EQ(EINVAL, errno);

	ASSERT_EQ(7, sendto(self->env.tx, "pending", 7, MSG_MORE,
			    (void *)&to->ss, to->len));
	EXPECT_EQ(-1, quic_send(&msg));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(4, sendto(self->env.tx, ",end", 4, 0, (void *)&to->ss, to->len));
	ASSERT_EQ(11, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(seen, "pending,end", 11));
	wire = quic_env_wire(&self->env);
	EXPECT_EQ(1, wire.frames);
	EXPECT_EQ(false, wire.marker);

	msg.cut = 0;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, second_cmsg)
{
	struct quic_msg msg = message(self);

	msg.encrypts = 2;
	EXPECT_REFUSED(EINVAL, &msg);
	msg.encrypts = 1;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, unknown_flags)
{
	struct quic_msg msg = message(self);
	unsigned int bit;

	for (bit = 1; bit < 8; bit++) {
		msg.anc.flags = 1 << bit;
		EXPECT_REFUSED(EINVAL, &msg);
	}
	msg.anc.flags = 0;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, cmsg_dcid_length)
{
	struct quic_msg msg = message(self);

	msg.anc.conn_id_length = QUIC_MAX_CONNECTION_ID_SIZE + 1;
	EXPECT_REFUSED(EINVAL, &msg);
	msg.anc.conn_id_length = 255;
	EXPECT_REFUSED(EINVAL, &msg);
	/* No flow has a DCID like that. */
	msg.anc.conn_id_length = DCID_LEN + 1;
	EXPECT_REFUSED(ENOENT, &msg);
	msg.anc.conn_id_length = 0;
	EXPECT_REFUSED(ENOENT, &msg);
	msg.anc.conn_id_length = DCID_LEN;
	EXPECT_SENT(&msg);
}

/* The train */

TEST_F(refuse, empty_message)
{
	struct quic_msg msg = message(self);

	msg.len = 0;
	EXPECT_REFUSED(EINVAL, &msg);
}

/* The sample takes four bytes from the start of the packet number. */
TEST_F(refuse, too_short_for_the_sample)
{
	struct quic_msg msg;
	size_t len;

	for (self->packet.pn_len = 1; self->packet.pn_len <= 4;
	     self->packet.pn_len++) {
		self->packet.len = 1 + DCID_LEN + 4;
		quic_train_build(&self->train, self->packet, 1, 0);
		msg = message(self);
		for (len = 1; len < self->packet.len; len++) {
			msg.len = len;
			EXPECT_REFUSED(EINVAL, &msg);
		}
		msg.len = self->train.len;
		EXPECT_SENT(&msg);
		self->packet.pn++;
	}
}

TEST_F(refuse, short_last_packet)
{
	struct quic_msg msg;

	quic_train_build(&self->train, self->packet, 5, 1 + DCID_LEN + 4);
	msg = message(self);
	for (msg.len--; msg.len > self->train.at[4]; msg.len--)
		EXPECT_REFUSED(EINVAL, &msg);
	msg.len = self->train.len;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, long_header)
{
	unsigned int i;

	for (i = 0; i < 5; i++) {
		struct quic_msg msg;

		quic_train_build(&self->train, self->packet, 5, 0);
		msg = message(self);
		self->train.buf[self->train.at[i]] |= QUIC_LONG_HEADER;
		EXPECT_REFUSED(EINVAL, &msg);
		self->train.buf[self->train.at[i]] &= ~QUIC_LONG_HEADER;
		EXPECT_SENT(&msg);
		self->packet.pn += 5;
	}
}

TEST_F(refuse, other_dcid)
{
	struct quic_msg msg;
	unsigned int i;

	quic_train_build(&self->train, self->packet, 5, 0);
	msg = message(self);
	for (i = 0; i < 5; i++) {
		uint8_t *last = self->train.buf + self->train.at[i] + DCID_LEN;

		*last ^= 1;
		EXPECT_REFUSED(i ? EINVAL : ENOENT, &msg);
		*last ^= 1;
	}
	EXPECT_SENT(&msg);
}

TEST_F(refuse, segment_not_longer_than_the_tag)
{
	struct quic_msg msg = message(self);

	for (msg.gso = 1; msg.gso <= QUIC_TAG_SIZE; msg.gso++)
		EXPECT_REFUSED(EINVAL, &msg);
	msg.gso = -1;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, no_key_for_the_phase)
{
	struct quic_msg msg;
	unsigned int i;

	quic_train_build(&self->train, self->packet, 5, 0);
	msg = message(self);
	for (i = 0; i < 5; i++) {
		self->train.buf[self->train.at[i]] |= QUIC_KEY_PHASE;
		EXPECT_REFUSED(ENOKEY, &msg);
		self->train.buf[self->train.at[i]] &= ~QUIC_KEY_PHASE;
	}
	EXPECT_SENT(&msg);
}

/* Packet numbers */

TEST_F(refuse, number_unlike_the_header)
{
	struct quic_msg msg = message(self);

	msg.anc.next_pkt_num++;
	EXPECT_REFUSED(EINVAL, &msg);
	msg.anc.next_pkt_num -= 2;
	EXPECT_REFUSED(EINVAL, &msg);
	msg.anc.next_pkt_num = self->packet.pn;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, used_number)
{
	struct quic_msg msg;

	quic_train_build(&self->train, self->packet, 10, 0);
	msg = message(self);
	EXPECT_SENT(&msg);
	EXPECT_REFUSED(ERANGE, &msg);

	/* One in common, and all below */
	self->packet.pn += 9;
	quic_train_build(&self->train, self->packet, 10, 0);
	msg = message(self);
	EXPECT_REFUSED(ERANGE, &msg);
	self->packet.pn = 10;
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = message(self);
	EXPECT_REFUSED(ERANGE, &msg);

	self->packet.pn = 5010;
	quic_train_build(&self->train, self->packet, 10, 0);
	msg = message(self);
	EXPECT_SENT(&msg);
}

TEST_F(refuse, number_above_the_limit)
{
	struct quic_msg msg;

	self->packet.pn_len = 4;
	for (self->packet.pn = QUIC_PN_LIMIT; self->packet.pn;
	     self->packet.pn <<= 1) {
		quic_train_build(&self->train, self->packet, 1, 0);
		msg = message(self);
		EXPECT_REFUSED(ERANGE, &msg);
	}
	self->packet.pn = UINT64_MAX;
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = message(self);
	EXPECT_REFUSED(ERANGE, &msg);

	/* The last packet of the train is the first above. */
	self->packet.pn = QUIC_PN_LIMIT - 4;
	quic_train_build(&self->train, self->packet, 5, 0);
	msg = message(self);
	EXPECT_REFUSED(ERANGE, &msg);
	quic_train_build(&self->train, self->packet, 4, 0);
	msg = message(self);
	EXPECT_SENT(&msg);
	EXPECT_REFUSED(ERANGE, &msg);
}

/* Size and memory */

TEST_F(refuse, too_many_segments)
{
	struct quic_msg msg;

	self->packet.len = 33;
	quic_train_build(&self->train, self->packet, QUIC_MAX_SEGMENTS + 1, 13);
	msg = message(self);
	EXPECT_REFUSED(EMSGSIZE, &msg);
	quic_train_build(&self->train, self->packet, QUIC_MAX_SEGMENTS, 13);
	msg = message(self);
	EXPECT_SENT(&msg);
}

/* It is the length with the tags that counts. */
TEST_F(refuse, too_long)
{
	size_t max = QUIC_MAX_UDP_PAYLOAD - (variant->family != AF_INET6) * 20;
	struct quic_msg msg;

	for (self->packet.len = max - QUIC_TAG_SIZE + 1; self->packet.len <= max;
	     self->packet.len++) {
		quic_train_build(&self->train, self->packet, 1, 0);
		msg = message(self);
		EXPECT_REFUSED(EMSGSIZE, &msg);
	}
	self->packet.len = 1436;
	quic_train_build(&self->train, self->packet, max / 1452 + 1,
			 max % 1452 - QUIC_TAG_SIZE + 1);
	msg = message(self);
	EXPECT_REFUSED(EMSGSIZE, &msg);
	msg.len--;
	self->train.len--;
	self->train.at[self->train.count]--;
	EXPECT_SENT(&msg);
}

/* A hole in the middle; the numbers serve again, with other contents. */
TEST_F(refuse, unreadable_memory)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct quic_msg msg;
	uint8_t *memory;

	memory = mmap(NULL, 5 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	self->packet.len = 1436;
	quic_train_build(&self->train, self->packet, 10, 0);
	ASSERT_LT(3 * page, self->train.len);
	memcpy(memory, self->train.buf, self->train.len);
	ASSERT_EQ(0, munmap(memory + 2 * page, page));

	msg = message(self);
	msg.buf = memory;
	EXPECT_REFUSED(EFAULT, &msg);

	self->train.buf[self->train.at[3] - 1] ^= 1;
	msg.buf = self->train.buf;
	EXPECT_SENT(&msg);
	EXPECT_REFUSED(ERANGE, &msg);
}

TEST_F(refuse, no_destination)
{
	struct quic_msg msg = message(self);

	msg.to = NULL;
	EXPECT_REFUSED(EDESTADDRREQ, &msg);
	msg.to = &self->env.to;
	EXPECT_SENT(&msg);
}

/* The same error as for plain UDP, which looks at the length first, on IPv4. */
TEST_F(refuse, short_destination)
{
	bool ipv4 = self->env.family == AF_INET;
	struct quic_addr other = self->env.to;
	struct quic_msg msg = message(self);

	other.ss.ss_family = ipv4 ? AF_INET6 : AF_INET;
	other.len = 8;
	EXPECT_EQ(-1, sendto(self->env.tx, "plain", 5, 0, (void *)&other.ss,
			     other.len));
	EXPECT_EQ(EINVAL, errno);
	msg.to = &other;
	EXPECT_REFUSED(EINVAL, &msg);

	other.ss.ss_family = AF_UNIX;
	other.len = self->env.to.len;
	EXPECT_REFUSED(ipv4 ? EAFNOSUPPORT : EINVAL, &msg);
	msg.to = &self->env.to;
	EXPECT_SENT(&msg);
}

/* Modes of sending that encryption does not go with */

TEST_F(refuse, msg_more)
{
	struct quic_msg msg = message(self);

	msg.flags = MSG_MORE;
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	msg.flags = 0;
	EXPECT_SENT(&msg);
}

/* UDP looks for a route, and sends nothing. */
TEST_F(refuse, msg_probe)
{
	struct quic_msg msg = message(self);

	msg.flags = MSG_PROXY;	/* the kernel says MSG_PROBE */
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	msg.flags = 0;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, msg_zerocopy)
{
	struct quic_msg msg = message(self);
	int one = 1;

	msg.flags = MSG_ZEROCOPY;
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_ZEROCOPY, &one,
				sizeof(one)));
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	msg.flags = 0;
	EXPECT_SENT(&msg);
}

TEST_F(refuse, cork_option)
{
	struct quic_msg msg = message(self);
	int on = 1, off = 0;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_CORK, &on, sizeof(on)));
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_CORK, &off,
				sizeof(off)));
	EXPECT_SENT(&msg);
}

/* What is pending comes out as it was. */
TEST_F(refuse, pending_data)
{
	const struct quic_addr *to = &self->env.to;
	struct quic_msg msg = message(self);
	char seen[64];

	ASSERT_EQ(5, sendto(self->env.tx, "first", 5, MSG_MORE,
			    (void *)&to->ss, to->len));
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	msg.flags = MSG_MORE;
	EXPECT_REFUSED(EOPNOTSUPP, &msg);
	ASSERT_EQ(7, sendto(self->env.tx, ",second", 7, 0, (void *)&to->ss,
			    to->len));
	ASSERT_EQ(12, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(seen, "first,second", 12));
	quic_env_wire(&self->env);
	msg.flags = 0;
	EXPECT_SENT(&msg);
}

/*
 * UDP does not look at control messages while data is pending, so a plain message
 * may have any; but not where one that asks for protection could be hidden.
 */
TEST_F(refuse, pending_data_and_malformed_cmsg)
{
	const struct quic_addr *to = &self->env.to;
	struct quic_msg msg = message(self);
	struct quic_msghdr hdr;
	uint64_t segment = 0;
	char seen[64];

	msg.buf = ",second";
	msg.len = 7;
	msg.encrypts = 0;
	quic_msghdr_init(&hdr, &msg);
	quic_cmsg_put(&hdr.mh, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	EXPECT_EQ(-1, sendmsg(msg.fd, &hdr.mh, 0));
	EXPECT_EQ(EINVAL, errno);

	ASSERT_EQ(5, sendto(self->env.tx, "first", 5, MSG_MORE,
			    (void *)&to->ss, to->len));
	hdr.mh.msg_controllen--;
	EXPECT_EQ(-1, sendmsg(msg.fd, &hdr.mh, 0));
	EXPECT_EQ(EINVAL, errno);
	hdr.mh.msg_controllen++;
	EXPECT_EQ(7, sendmsg(msg.fd, &hdr.mh, 0));
	EXPECT_EQ(12, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(seen, "first,second", 12));
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));
}

/* The send buffer is full of packets that wait for a neighbour. */
TEST_F(refuse, send_buffer_full)
{
	struct quic_msg msg = message(self);
	int size;

	ASSERT_EQ(0, quic_env_fill(&self->env));

	/* EAGAIN is no error, but a wish to be asked again. */
	msg.flags = MSG_DONTWAIT;
	quic_expect_error(_metadata, &self->env, &msg, EAGAIN, 0);

	size = 1 << 20;
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	EXPECT_SENT(&msg);
}

TEST_HARNESS_MAIN
