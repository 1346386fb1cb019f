// SPDX-License-Identifier: GPL-2.0
/*
 * The library of tools/net/quic, receiving where something is missing: room,
 * memory, trust, agreement.
 */

#include <linux/udp.h>

#include "quic_offload_rx_test.h"

#define LIMIT_CCM	2965820

/* What the kernel says, and is not believed */

TEST_F(receive, disagree)
{
	struct quic_offload_datagram datagram = {
		.number = 7,
		.generation = 3,
		.status = QUIC_OFFLOAD_OPENED,
	};

	EXPECT_TRUE(quic_offload_agree(self->conn, &datagram, 7, 3));
	EXPECT_FALSE(quic_offload_agree(self->conn, &datagram, 8, 3));
	EXPECT_FALSE(quic_offload_agree(self->conn, &datagram,
					7 + (1ULL << 32), 3));
	EXPECT_FALSE(quic_offload_agree(self->conn, &datagram, 7, 2));
	EXPECT_FALSE(quic_offload_agree(self->conn, &datagram, 7, 1));
	datagram.status = QUIC_OFFLOAD_HEADER;
	EXPECT_FALSE(quic_offload_agree(self->conn, &datagram, 7, 3));
	EXPECT_STATS(1, 0, 0, 5);
}

/* A message as recvmsg() may leave it, of @len bytes */
struct forged {
	struct quic_rx_ancillary_data entry[4];
	uint8_t data[100];
	struct iovec iov;
	uint64_t control[50];
	struct msghdr mh;
};

static void forge(struct forged *forged, unsigned int entries, int gro)
{
	unsigned int i;

	memset(forged, 0, sizeof(*forged));
	for (i = 0; i < ARRAY_SIZE(forged->entry); i++) {
		forged->entry[i].pkt_num = 100 + i;
		forged->entry[i].status = QUIC_RX_DECRYPTED;
		forged->entry[i].key_gen = 200 + i;
		forged->entry[i].conn_id_length = i;
	}
	forged->iov.iov_base = forged->data;
	forged->iov.iov_len = sizeof(forged->data);
	forged->mh = (struct msghdr) {
		.msg_iov = &forged->iov,
		.msg_iovlen = 1,
		.msg_control = forged->control,
	};
	if (entries)
		quic_cmsg_put(&forged->mh, SOL_UDP, UDP_QUIC_DECRYPT,
			      forged->entry, entries * sizeof(*forged->entry));
	if (gro)
		quic_cmsg_put(&forged->mh, SOL_UDP, UDP_GRO, &gro, sizeof(gro));
}

/* How many datagrams there are in @len bytes, and how many of them the kernel is
 * believed to have opened; -1 if they are not what they have to be.
 */
static int count(FIXTURE_DATA(receive) *self, struct forged *forged, size_t len,
		 int *opened)
{
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	uint8_t *at = forged->data;
	int n = 0;

	*opened = 0;
	quic_offload_received(&message, self->sock, &forged->mh, len);
	for (; quic_offload_next(&message, &datagram); n++) {
		if (datagram.data != at)
			return -1;
		at += datagram.len;
		if (datagram.status == QUIC_OFFLOAD_SEALED)
			continue;
		if (datagram.status != QUIC_OFFLOAD_OPENED ||
		    datagram.number != 100 + n ||
		    datagram.generation != 200 + n || datagram.dcid_len != n)
			return -1;
		++*opened;
	}
	if (len > sizeof(forged->data))
		len = sizeof(forged->data);
	return at == forged->data + len ? n : -1;
}

/* So many entries and that segment size, on a message of so many bytes */
#define EXPECT_FORGED(datagrams, opened_, entries, gro, len) do {	\
	int seen_;							\
									\
	forge(&forged, entries, gro);					\
	EXPECT_EQ(datagrams, count(self, &forged, len, &seen_));	\
	EXPECT_EQ(opened_, seen_);					\
} while (0)

TEST_F(receive, entries)
{
	struct forged forged;

	EXPECT_FORGED(1, 1, 1, 0, 100);
	EXPECT_FORGED(4, 4, 4, 25, 100);
	EXPECT_FORGED(4, 4, 4, 30, 100);
	EXPECT_FORGED(3, 3, 3, 40, 81);
	EXPECT_FORGED(2, 2, 2, 40, 80);
	/* None, more or fewer than datagrams */
	EXPECT_FORGED(1, 0, 0, 0, 100);
	EXPECT_FORGED(4, 0, 3, 25, 100);
	EXPECT_FORGED(3, 0, 4, 40, 81);
	EXPECT_FORGED(1, 0, 2, 0, 100);
	EXPECT_FORGED(0, 0, 1, 0, 0);
	EXPECT_FORGED(0, 0, 1, 25, 0);
	/* With MSG_TRUNC: what has come, not what there is */
	EXPECT_FORGED(4, 4, 4, 25, 1000);
	EXPECT_FORGED(1, 1, 1, 0, 1000);
	/* A segment size that is none */
	EXPECT_FORGED(1, 1, 1, -1, 100);
	EXPECT_FORGED(1, 1, 1, 1000, 100);
	EXPECT_FORGED(1, 1, 1, 100, 100);
}

TEST_F(receive, entries_cut)
{
	struct forged forged;
	struct cmsghdr *cmsg;
	int opened, i;

	/* Bytes are missing at the end. */
	for (i = 1; i < 16; i++) {
		forge(&forged, 1, 0);
		CMSG_FIRSTHDR(&forged.mh)->cmsg_len -= i;
		EXPECT_EQ(1, count(self, &forged, 100, &opened));
		EXPECT_EQ(0, opened);
	}
	/* They are somebody else's. */
	forge(&forged, 1, 0);
	CMSG_FIRSTHDR(&forged.mh)->cmsg_level = SOL_IP;
	EXPECT_EQ(1, count(self, &forged, 100, &opened));
	EXPECT_EQ(0, opened);
	/* A segment size without its number */
	forge(&forged, 0, 25);
	CMSG_FIRSTHDR(&forged.mh)->cmsg_len -= 1;
	EXPECT_EQ(1, count(self, &forged, 100, &opened));
	/* Of another level */
	forge(&forged, 0, 25);
	CMSG_FIRSTHDR(&forged.mh)->cmsg_level = SOL_IP;
	EXPECT_EQ(1, count(self, &forged, 100, &opened));
	/* Behind others, in any order */
	forge(&forged, 0, 0);
	i = 1;
	quic_cmsg_put(&forged.mh, SOL_SOCKET, SO_RXQ_OVFL, &i, sizeof(i));
	i = 50;
	quic_cmsg_put(&forged.mh, SOL_UDP, UDP_GRO, &i, sizeof(i));
	cmsg = quic_cmsg_put(&forged.mh, SOL_UDP, UDP_QUIC_DECRYPT,
			     forged.entry, 2 * sizeof(*forged.entry));
	EXPECT_EQ(2, count(self, &forged, 100, &opened));
	EXPECT_EQ(2, opened);
	cmsg->cmsg_type++;
	EXPECT_EQ(2, count(self, &forged, 100, &opened));
	EXPECT_EQ(0, opened);
	/* Nowhere to put anything */
	forge(&forged, 1, 0);
	forged.mh.msg_iovlen = 0;
	EXPECT_EQ(-1, count(self, &forged, 100, &opened));
	EXPECT_EQ(0, opened);
}

/* Where there is no offload, nobody can say that something was opened. */
TEST_F(receive, entries_without_ulp)
{
	struct quic_offload_socket *sock = self->sock;
	struct forged forged;
	int pair[2], opened;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	self->sock = quic_offload_socket_new(pair[0], NULL, NULL);
	forge(&forged, 4, 25);
	EXPECT_EQ(4, count(self, &forged, 100, &opened));
	EXPECT_EQ(0, opened);
	EXPECT_FALSE(quic_offload_socket_enable_rx(self->sock, true));
	quic_offload_socket_free(self->sock);
	self->sock = sock;
	close(pair[0]);
	close(pair[1]);
}

/* Messages */

TEST_F(receive, empty_datagram)
{
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	struct msghdr mh;
	struct iovec iov;

	EXPECT_STATUS(NOT_OFFLOADED);
	ASSERT_EQ(0, sendto(self->env.tx, "", 0, 0, (void *)&self->env.to.ss,
			    self->env.to.len));
	ASSERT_EQ(0, get(self, &mh, &iov, sizeof(self->received.buf), 0));
	quic_offload_received(&message, self->sock, &mh, 0);
	EXPECT_FALSE(quic_offload_next(&message, &datagram));
	EXPECT_FALSE(quic_offload_next(&message, &datagram));
	EXPECT_OPENED(1);
}

/* What does not fit into the buffer: nothing, or two datagrams and a half */
TEST_F(receive, cut)
{
	static const size_t sizes[] = { 1, 100, WIRE_LEN - 1, WIRE_LEN,
					2 * WIRE_LEN + WIRE_LEN / 2 };
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	struct msghdr mh;
	struct iovec iov;
	unsigned int i, n;
	size_t size;
	ssize_t len;

	EXPECT_STATUS(NOT_OFFLOADED);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		begin(self);
		add(self);
		add(self);
		add(self);
		add(self);
		ASSERT_EQ(self->sealed.len, quic_sealed_send(self->env.tx,
							     &self->env.to,
							     &self->sealed));
		size = sizes[i];
		if (!variant->gro && size > WIRE_LEN)
			size = WIRE_LEN;
		quic_sealed_cut(&self->sealed, size);
		len = get(self, &mh, &iov, size, MSG_TRUNC);
		EXPECT_EQ(variant->gro ? 4 * WIRE_LEN : WIRE_LEN, len);
		quic_offload_received(&message, self->sock, &mh, len);
		for (n = 0; quic_offload_next(&message, &datagram); n++)
			take(_metadata, self, variant->cipher, &datagram, n);
		EXPECT_EQ(self->sealed.count, n);
		while (get(self, &mh, &iov, 1, MSG_DONTWAIT) >= 0)
			;
		EXPECT_EQ(EAGAIN, errno);
	}
	EXPECT_OPENED(1);
}

TEST_F(receive, recvmmsg)
{
	uint64_t control[4][QUIC_OFFLOAD_RX_CONTROL / 8];
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	struct sockaddr_in6 from[4];
	struct mmsghdr mmh[4] = {};
	uint8_t buf[4][WIRE_LEN];
	struct iovec iov[4];
	int i;

	EXPECT_STATUS(NOT_OFFLOADED);
	begin(self);
	add(self);
	add(self);
	damage(self);
	self->packet.len = 100;
	add(self);
	ASSERT_EQ(self->sealed.len,
		  quic_sealed_send_singly(self->env.tx, &self->env.to,
					  &self->sealed));
	for (i = 0; i < 4; i++) {
		iov[i] = (struct iovec) { buf[i], sizeof(buf[i]) };
		mmh[i].msg_hdr = (struct msghdr) {
			.msg_name = self->nameless ? NULL : &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	ASSERT_EQ(3, recvmmsg(self->env.rx, mmh, 4, MSG_DONTWAIT, NULL));
	for (i = 0; i < 3; i++) {
		quic_offload_received(&message, self->sock, &mmh[i].msg_hdr,
				      mmh[i].msg_len);
		ASSERT_TRUE(quic_offload_next(&message, &datagram));
		take(_metadata, self, variant->cipher, &datagram, i);
		if (!self->nameless) {
			EXPECT_EQ(self->env.from.len, datagram.from_len);
			EXPECT_EQ(0, memcmp(&self->env.from.ss, datagram.from,
					    datagram.from_len));
		}
		EXPECT_FALSE(quic_offload_next(&message, &datagram));
	}
	EXPECT_STATS(2, 1, 1, 0);
}

/* Packets that nobody can open */

TEST_F(receive, failed)
{
	const struct quic_offload_datagram datagram = { };
	int i;

	for (i = 0; i < LIMIT_CCM; i++)
		ASSERT_TRUE(quic_offload_failed(self->conn, &datagram));
	EXPECT_EQ(variant->cipher != QUIC_AES_CCM_128,
		  quic_offload_failed(self->conn, &datagram));
	EXPECT_STATS(0, 0, LIMIT_CCM + 1, 0);

	/* Of a cipher that nobody knows the lowest is good. */
	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(NULL, NULL);
	for (i = 0; i < LIMIT_CCM; i++)
		ASSERT_TRUE(quic_offload_failed(self->conn, &datagram));
	EXPECT_FALSE(quic_offload_failed(self->conn, &datagram));
}

TEST_F(receive, limit)
{
	struct quic_offload_datagram datagram = { };

	ASSERT_EQ(0, quic_env_write_file(MAX_FAILURES, "2"));
	EXPECT_STATUS(NOT_OFFLOADED);
	begin(self);
	add(self);
	damage(self);
	add(self);
	damage(self);
	EXPECT_TAKEN();
	EXPECT_STATS(0, 1, 2, 0);
	begin(self);
	add(self);
	instead(self, QUIC_RX_LIMIT);
	self->truth[0].good = false;
	EXPECT_TAKEN();
	EXPECT_STATS(0, 1, 3, 0);
	EXPECT_EQ(1, quic_stat("QuicRxSwLimit"));

	datagram.status = QUIC_OFFLOAD_REFUSED;
	EXPECT_TRUE(quic_offload_failed(self->conn, &datagram));
	datagram.status = QUIC_OFFLOAD_LIMIT;
	EXPECT_FALSE(quic_offload_failed(self->conn, &datagram));
	/* The next keys are good for others. */
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	seal_with(self, variant->cipher, 1, 0);
	EXPECT_OPENED(1);
}

/* What the kernel does not do, or is not asked to */

TEST_F(receive, disabled)
{
	EXPECT_FALSE(quic_offload_socket_enable_rx(self->sock, false));
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_EQ(0, system_.asked);
	EXPECT_TRUE(quic_offload_socket_enable_rx(self->sock, true));
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(2);
	EXPECT_STATS(2, 3, 0, 0);
	EXPECT_EQ(0, self->notices);
}

/* What it has stays, but it gets no more. */
TEST_F(receive, disabled_later)
{
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_FALSE(quic_offload_socket_enable_rx(self->sock, false));
	EXPECT_OPENED(2);
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	EXPECT_EQ(1, system_.asked);
	seal_with(self, variant->cipher, 1, 0);
	EXPECT_STATUS(NO_KEY);
	EXPECT_STATUS(NO_KEY);
	EXPECT_EQ(1, system_.asked);
	EXPECT_TRUE(quic_offload_socket_enable_rx(self->sock, true));
	EXPECT_STATUS(NO_KEY);
	EXPECT_OPENED(2);
	EXPECT_FLOWS(1);
}

/* It has missed some keys when it is asked again. */
TEST_F(receive, disabled_for_long)
{
	unsigned int i;

	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_FALSE(quic_offload_socket_enable_rx(self->sock, false));
	for (i = 1; i <= 256; i++)
		ASSERT_EQ(0, set_keys(self, variant->cipher, i));
	EXPECT_EQ(1, system_.asked);
	EXPECT_TRUE(quic_offload_socket_enable_rx(self->sock, true));
	seal_with(self, variant->cipher, 256, 0);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(2);
	seal_with(self, variant->cipher, 255, 0);
	EXPECT_OPENED(2);
	EXPECT_FLOWS(1);
	EXPECT_EQ(0, self->notices);
}

TEST_F(receive, no_room_for_flows)
{
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "0"));
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(NOT_OFFLOADED);
	USE_DCID(1);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_EQ(2, system_.asked);
	EXPECT_NOTICE("max_quic_flows");
	EXPECT_STATS(0, 3, 0, 0);

	/* What was refused is not asked for again, others are. */
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, self->max_flows));
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(NOT_OFFLOADED);
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	EXPECT_EQ(2, system_.asked);
	USE_DCID(2);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_OPENED(2);
	EXPECT_EQ(1, self->notices);
}

TEST_F(receive, no_room_for_entries)
{
	/* Nothing is told as long as there is nothing to open. */
	self->room = 0;
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_EQ(0, self->notices);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_NOTICE("control buffer");
	self->room = CMSG_LEN(sizeof(struct quic_rx_ancillary_data)) - 1;
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_EQ(1, self->notices);
	EXPECT_EQ(0, quic_stat("QuicRxSwPackets"));

	self->room++;
	EXPECT_STATUS(DECRYPTED);
	EXPECT_STATS(1, 3, 0, 0);
}

/* It says yes to everything and does nothing. */
TEST_F(receive, lies)
{
	unsigned int i;

	system_.nods = true;
	system_.lies = true;
	close(self->env.rx);
	self->env.rx = quic_rx_env_receiver(&self->env, &self->env.to);
	self->nameless = false;
	quic_offload_socket_free(self->sock);
	self->sock = quic_offload_socket_new(self->env.rx, notice, self);
	EXPECT_TRUE(quic_offload_socket_enable_rx(self->sock, true));
	for (i = 0; i < 5; i++)
		EXPECT_STATUS(NOT_OFFLOADED);
	ASSERT_EQ(0, set_keys(self, variant->cipher, 1));
	seal_with(self, variant->cipher, 1, 0);
	for (i = 0; i < 100; i++)
		EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_LT(1, system_.asked);
	EXPECT_STATS(0, 105, 0, 0);
	EXPECT_EQ(0, self->notices);
	quic_offload_conn_retire_rx(self->conn, self->packet.dcid.id, DCID_LEN);
}

TEST_F(receive, no_cipher)
{
	struct quic_offload_keys keys = { };

	quic_offload_conn_free(self->conn);
	self->conn = quic_offload_conn_new(NULL, NULL);
	quic_offload_conn_set_shortest(self->conn, 1);
	ASSERT_EQ(0, quic_offload_conn_set_rx_keys(self->conn, &keys));
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_STATUS(NOT_OFFLOADED);
	EXPECT_NOTICE("cipher");
	EXPECT_FLOWS(0);
}

TEST_HARNESS_MAIN
