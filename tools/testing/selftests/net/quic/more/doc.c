// SPDX-License-Identifier: GPL-2.0
/*
 * The C blocks of Documentation/networking/quic.rst, compiled as they stand
 * and run in an order that makes sense.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/tls.h>

#include "kselftest_harness.h"
#include "quic_env.h"
#include "quic_sealed.h"
#include "quic_uring.h"

/* What the blocks take for granted */
static int fd, err;
static struct sockaddr_in6 dst;
static unsigned char conn_key[16], conn_iv[12], conn_hdr_key[16], conn_id[5];
static size_t conn_id_len = sizeof(conn_id);
static unsigned char *packets;
static struct msghdr msg;
static struct cmsghdr *cmsg_hdr;
static struct quic_tx_ancillary_data *anc_data;
static struct quic_rx_ancillary_data entries[QUIC_MAX_SEGMENTS];
static unsigned int nr_entries, i;
static int stride;
static char ulp[16];
static socklen_t ulp_len;

/* Those of a batch */
#define MANY	5
static struct quic_connection_info infos[MANY];
static const unsigned int nr_infos = MANY;
static int errors[MANY];
static struct quic_uring ring;

/* What the blocks take from liburing */
static struct io_uring_sqe *io_uring_get_sqe(struct quic_uring *ring)
{
	return quic_uring_queue(ring, IORING_OP_NOP, -1, NULL, 0, 0, 0);
}

#define io_uring_prep_cmd_sock	quic_uring_prep_cmd_sock

static void io_uring_sqe_set_data64(struct io_uring_sqe *sqe, uint64_t data)
{
	sqe->user_data = data;
}

static int io_uring_submit_and_wait(struct quic_uring *ring, unsigned int nr)
{
	return quic_uring_enter(ring, nr, nr);
}

static int io_uring_wait_cqe(struct quic_uring *ring, struct io_uring_cqe **cqe)
{
	static struct io_uring_cqe copy;

	*cqe = &copy;
	return quic_uring_complete(ring, &copy);
}

static void io_uring_cqe_seen(struct quic_uring *ring, struct io_uring_cqe *cqe)
{
	/* quic_uring_complete() has done it. */
}

#include "doc_blocks.h"

/* Their order in the page */
#define doc_probe	doc_block_1
#define doc_attach	doc_block_2
#define doc_can		doc_block_3
#define doc_add		doc_block_4
#define doc_del		doc_block_5
#define doc_del_all	doc_block_6
#define doc_many	doc_block_7
#define doc_cmsg	doc_block_8
#define doc_gso		doc_block_9
#define doc_add_rx	doc_block_10
#define doc_entries	doc_block_11
#define doc_drop	doc_block_12
#define doc_flow_info	doc_block_13

_Static_assert(DOC_BLOCKS == 13, "a block of quic.rst is not tried");

FIXTURE(doc) {
	struct quic_env env;
	struct quic_keys keys;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_oracle *oracle;
};

FIXTURE_SETUP(doc)
{
	ASSERT_EQ(0, quic_env_open(&self->env, AF_INET6));
	fd = self->env.tx;
	memcpy(&dst, &self->env.to.ss, sizeof(dst));

	quic_keys_derive(&self->keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	memcpy(conn_key, self->keys.key, sizeof(conn_key));
	memcpy(conn_iv, self->keys.iv, sizeof(conn_iv));
	memcpy(conn_hdr_key, self->keys.hp, sizeof(conn_hdr_key));
	self->oracle = quic_oracle_new(&self->keys);

	self->packet = (struct quic_packet) {
		.flags = QUIC_FIXED_BIT, .pn_len = 3,
	};
	quic_dcid_init(&self->packet.dcid, sizeof(conn_id), 0);
	memcpy(conn_id, self->packet.dcid.id, sizeof(conn_id));
	packets = self->train.buf;
}

FIXTURE_TEARDOWN(doc)
{
	quic_oracle_free(self->oracle);
	quic_env_close(&self->env);
}

static void expect_packet(struct __test_metadata *_metadata,
			  FIXTURE_DATA(doc) *self, unsigned int i)
{
	const struct quic_train *train = &self->train;
	uint8_t want[2000], seen[2000];
	size_t len;

	len = quic_oracle_protect(self->oracle, train->pn[i], sizeof(conn_id),
				  train->buf + train->at[i],
				  train->at[i + 1] - train->at[i], want);
	ASSERT_EQ(len, recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(want, seen, len));
}

TEST_F(doc, probe_and_attach)
{
	doc_probe();
	ASSERT_EQ(0, err);
	EXPECT_EQ(0, ulp_len);

	doc_can();
	EXPECT_EQ(0, err);
	doc_attach();
	ASSERT_EQ(0, err);

	doc_probe();
	ASSERT_EQ(0, err);
	EXPECT_STREQ("quic-crypto", ulp);
}

TEST_F(doc, add_and_delete)
{
	doc_add();
	ASSERT_EQ(0, err);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));

	doc_flow_info();
	ASSERT_EQ(0, err);
	doc_del();
	ASSERT_EQ(0, err);
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));

	doc_del();
	EXPECT_EQ(-1, err);
	EXPECT_EQ(ENOENT, errno);
	doc_flow_info();
	EXPECT_EQ(-1, err);
	EXPECT_EQ(ENOENT, errno);

	doc_add();
	ASSERT_EQ(0, err);
	doc_del_all();
	ASSERT_EQ(0, err);
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

/* Each entry of a batch has its own result. */
TEST_F(doc, add_many)
{
	static const int expected[MANY] = { 0, EEXIST, EINVAL, EOPNOTSUPP, 0 };
	struct quic_dcid dcid;

	if (quic_uring_open(&ring, 8)) {
		if (errno != ENOSYS)
			ASSERT_EQ(EPERM, errno);
		SKIP(return, "needs io_uring");
	}
	for (i = 0; i < MANY; i++) {
		quic_dcid_init(&dcid, sizeof(conn_id), i);
		quic_flow_info(&infos[i], &self->keys, &dcid, &self->env.to);
		errors[i] = -1;
	}
	infos[1].key = infos[0].key;
	infos[2].key.conn_id_length = QUIC_MAX_CONNECTION_ID_SIZE + 1;
	infos[3].cipher_type = 0;

	doc_many();
	for (i = 0; i < MANY; i++) {
		EXPECT_EQ(expected[i], errors[i]) {
			TH_LOG("entry %u", i);
		}
	}
	EXPECT_EQ(2, quic_stat("QuicCurrTxSw"));

	/* It is the first and the last that are there. */
	for (i = 0; i < MANY; i++)
		EXPECT_EQ(expected[i] ? -1 : 0, quic_flow_del(fd, &infos[i]));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	quic_uring_close(&ring);
}

TEST_F(doc, send)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct quic_tx_ancillary_data))];
		struct cmsghdr align;
	} control;
	struct iovec iov;

	self->packet.pn = 0x0d65c9;
	self->packet.len = 300;
	quic_train_add(&self->train, &self->packet);

	doc_add();
	ASSERT_EQ(0, err);

	memset(&control, 0xff, sizeof(control));
	cmsg_hdr = &control.align;
	doc_cmsg();
	iov = (struct iovec) { packets, self->train.len };
	msg = (struct msghdr) {
		.msg_name = &dst,
		.msg_namelen = sizeof(dst),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ASSERT_EQ(300, sendmsg(fd, &msg, 0));
	expect_packet(_metadata, self, 0);
}

TEST_F(doc, send_with_gso)
{
	unsigned int i;

	self->packet.pn = 0x0d65ca;
	self->packet.len = 1184;
	quic_train_build(&self->train, self->packet, 3, 700);

	doc_add();
	ASSERT_EQ(0, err);
	doc_gso();
	for (i = 0; i < 3; i++)
		expect_packet(_metadata, self, i);
}

/* A message of three packets, opened by the socket that receives them */
TEST_F(doc, receive)
{
	static struct quic_received received;
	static struct quic_sealed sealed;
	struct iovec iov = { received.buf, sizeof(received.buf) };
	int on = 1;

	self->packet.pn = 0x0d65c9;
	self->packet.len = 400;
	quic_sealed_build(&sealed, self->oracle, 0, self->packet, 3, 200);

	fd = self->env.rx;
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	doc_add_rx();
	ASSERT_EQ(0, err);
	doc_drop();
	ASSERT_EQ(0, err);

	ASSERT_EQ(sealed.len, quic_sealed_send(self->env.tx, &self->env.to,
					       &sealed));
	packets = received.buf;
	msg = (struct msghdr) {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = received.control,
		.msg_controllen = sizeof(received.control),
	};
	ASSERT_EQ(sealed.len, recvmsg(fd, &msg, 0));
	doc_entries();
	EXPECT_EQ(416, stride);
	ASSERT_EQ(3, nr_entries);
	EXPECT_EQ(0, memcmp(entries, sealed.entry, 3 * sizeof(*entries)));
	EXPECT_EQ(0, memcmp(packets, sealed.want, sealed.len));
}

TEST_HARNESS_MAIN
