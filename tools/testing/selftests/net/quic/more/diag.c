// SPDX-License-Identifier: GPL-2.0
/* What inet_diag, and so ss, tells of a socket: INET_DIAG_ULP_INFO */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>

#include "kselftest_harness.h"
#include "quic_diag.h"
#include "quic_expect.h"
#include "quic_rx_expect.h"

#define DCID_LEN	8

/* More sockets than go into two messages of a dump, which get SMALL bytes or more */
#define MANY		100
#define SMALL		8192
/* More bytes than are told of a socket */
#define SOCKET		400

FIXTURE(diag) {
	struct quic_rx_env env;
	int nl;
	struct quic_packet packet;
	struct quic_keys keys;
	struct quic_connection_info info;
	struct quic_oracle *oracle;
	struct quic_sealed sealed;
};

FIXTURE_VARIANT(diag) {
	int family;
};

FIXTURE_VARIANT_ADD(diag, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(diag, ipv6) { AF_INET6 };

FIXTURE_SETUP(diag)
{
	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->nl = quic_diag_open();
	ASSERT_LE(0, self->nl);
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&self->keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	quic_flow_info(&self->info, &self->keys, &self->packet.dcid, NULL);
	self->oracle = quic_oracle_new(&self->keys);
}

FIXTURE_TEARDOWN(diag)
{
	quic_oracle_free(self->oracle);
	close(self->nl);
	quic_rx_env_close(&self->env);
}

/* What is told of the receiver, by a dump and by a question of its own: equal */
static struct quic_diag receiver(struct __test_metadata *_metadata,
				 const FIXTURE_DATA(diag) *self,
				 unsigned int ext)
{
	struct quic_diag dumped, asked;
	int family = self->env.family;

	EXPECT_EQ(0, quic_diag_ask(self->nl, family, &self->env.to, false, ext,
				   &dumped));
	EXPECT_TRUE(dumped.found);
	EXPECT_EQ(0, quic_diag_ask(self->nl, family, &self->env.to, true, ext,
				   &asked));
	EXPECT_TRUE(asked.found);
	EXPECT_EQ(0, memcmp(&dumped, &asked, sizeof(asked)));

	return dumped;
}

static void expect_infos(struct __test_metadata *_metadata,
			 const struct quic_diag *answer, const uint64_t want[9])
{
	static const unsigned int types[] = {
		QUIC_INFO_TX_FLOWS, QUIC_INFO_TX_PACKETS, QUIC_INFO_TX_BYTES,
		QUIC_INFO_TX_ERRORS, QUIC_INFO_RX_FLOWS, QUIC_INFO_RX_PACKETS,
		QUIC_INFO_RX_BYTES, QUIC_INFO_RX_ERRORS, QUIC_INFO_TX_DEVICE,
	};
	unsigned int i;

	EXPECT_TRUE(answer->ulp);
	EXPECT_STREQ("quic-crypto", answer->name);
	EXPECT_EQ(0x7fc, answer->infos);
	for (i = 0; i < 9; i++) {
		EXPECT_EQ(want[i], answer->info[types[i]]) {
			TH_LOG("attribute %u", types[i]);
		}
	}
}

TEST_F(diag, plain)
{
	struct quic_diag with, without;

	without = receiver(_metadata, self, 0);
	with = receiver(_metadata, self, QUIC_DIAG_EXT(INFO));
	EXPECT_FALSE(with.ulp);
	EXPECT_EQ(0, memcmp(&with, &without, sizeof(with)));
	/* Without being asked it is not told of others either. */
	ASSERT_EQ(0, quic_rx_flow_add(self->env.rx, &self->info, 0));
	with = receiver(_metadata, self, 0);
	EXPECT_EQ(0, memcmp(&with, &without, sizeof(with)));
	with = receiver(_metadata, self, QUIC_DIAG_EXT(INFO));
	EXPECT_TRUE(with.ulp);
	EXPECT_EQ(without.attributes | 1U << INET_DIAG_ULP_INFO,
		  with.attributes);
}

/* Next to what was done, and to /proc/net/quic_stat */
TEST_F(diag, totals)
{
	int fd = self->env.rx;
	static struct quic_train train;
	struct quic_connection_info info = self->info;
	struct quic_diag answer;
	uint64_t want[9] = {};
	struct quic_msg msg;
	int i;

	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_ULP, "quic-crypto", 11));
	/* With everything else that can be asked for */
	answer = receiver(_metadata, self, 0xff);
	expect_infos(_metadata, &answer, want);

	/* Three flows for receiving, of which one is used, and two for sending */
	for (i = 0; i < 3; i++) {
		info.key.conn_id[19] ^= i;
		ASSERT_EQ(0, quic_rx_flow_add(fd, &info, 0));
	}
	info = self->info;
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	quic_flow_info(&info, &self->keys, &self->packet.dcid, &self->env.from);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	want[0] = 2;
	want[4] = 3;

	for (i = 0; i < 3; i++) {
		quic_sealed_build(&self->sealed, self->oracle, 0, self->packet,
				  10, 0);
		quic_sealed_flip(&self->sealed, 2 + i, 100);
		quic_expect_opened(_metadata, &self->env, &self->sealed);
		want[5] += 9;
		want[6] += 9 * (self->packet.len + QUIC_TAG_SIZE);
		want[7] += 1;

		quic_train_build(&train, self->packet, 5, 50);
		msg = quic_msg(fd, &self->env.from, &train);
		ASSERT_EQ(train.len, quic_send(&msg));
		want[1] += 5;
		want[2] += train.len + 5 * QUIC_TAG_SIZE;
		ASSERT_EQ(-1, quic_send(&msg));
		ASSERT_EQ(ERANGE, errno);
		want[3] += 1;
		self->packet.pn += 10;
	}
	answer = receiver(_metadata, self, QUIC_DIAG_EXT(INFO));
	expect_infos(_metadata, &answer, want);
	EXPECT_EQ(want[1], quic_stat("QuicTxSwPackets"));
	EXPECT_EQ(want[2], quic_stat("QuicTxSwBytes"));
	EXPECT_EQ(want[3], quic_stat("QuicTxSwError"));
	EXPECT_EQ(want[5], quic_stat("QuicRxSwPackets"));
	EXPECT_EQ(want[6], quic_stat("QuicRxSwBytes"));
	EXPECT_EQ(want[7], quic_stat("QuicRxSwBadTag"));

	/* Flows go, what was done remains. */
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, NULL,
				0));
	ASSERT_EQ(0, quic_flow_del(fd, &info));
	want[0] = 1;
	want[4] = 0;
	answer = receiver(_metadata, self, QUIC_DIAG_EXT(INFO));
	expect_infos(_metadata, &answer, want);
}

/*
 * A message of the dump is full before, after and within whatever a socket tells:
 * the next one has that socket, whole.
 */
TEST_F(diag, full)
{
	static struct quic_diag answers[MANY], want[MANY];
	static struct quic_addr addrs[MANY];
	struct quic_connection_info info = self->info;
	unsigned int i, j, size;
	int nl, fds[MANY];

	for (i = 0; i < MANY; i++) {
		fds[i] = quic_rx_env_receiver(&self->env, &addrs[i]);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, setsockopt(fds[i], SOL_UDP, UDP_ULP,
					"quic-crypto", 11));
		for (j = 0; j < i % 5; j++) {
			info.key.conn_id[19] = j;
			ASSERT_EQ(0, quic_flow_add(fds[i], &info));
		}
		ASSERT_EQ(0, quic_diag_ask(self->nl, variant->family, &addrs[i],
					   true, QUIC_DIAG_EXT(INFO), &want[i]));
		ASSERT_EQ(0x7fc, want[i].infos);
		ASSERT_EQ(i % 5, want[i].info[QUIC_INFO_TX_FLOWS]);
	}
	for (size = SMALL; size < SMALL + SOCKET; size += NLMSG_ALIGNTO) {
		nl = quic_diag_open();
		ASSERT_LE(0, nl);
		ASSERT_EQ(0, quic_diag_dump(nl, variant->family,
					    QUIC_DIAG_EXT(INFO), size, addrs,
					    MANY, answers));
		for (i = 0; i < MANY; i++) {
			ASSERT_EQ(0, memcmp(&want[i], &answers[i],
					    sizeof(want[i]))) {
				TH_LOG("socket %u, messages of %u bytes", i,
				       size);
			}
		}
		close(nl);
	}
	for (i = 0; i < MANY; i++)
		close(fds[i]);
}

/* A socket that gets the ULP and keys, and is closed */
static int come_and_go(int family, const struct quic_addr *addr,
		       struct quic_connection_info info)
{
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd < 0 || bind(fd, (const void *)&addr->ss, addr->len) ||
	    quic_rx_flow_add(fd, &info, 0) || quic_flow_add(fd, &info))
		return -1;
	info.conn_payload_key_gen++;
	return quic_flow_add(fd, &info) ? -1 : close(fd);
}

/* Looked at without a lock, sockets with a ULP come, change and are closed. */
TEST_F(diag, closing)
{
	struct quic_diag answer;
	unsigned int seen = 0;
	struct quic_addr addr;
	pid_t child;

	/* Where nobody is now */
	ASSERT_EQ(0, close(quic_rx_env_receiver(&self->env, &addr)));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		while (!come_and_go(variant->family, &addr, self->info))
			;
		_exit(1);
	}
	while (seen < 100) {
		ASSERT_EQ(0, waitpid(child, NULL, WNOHANG));
		ASSERT_EQ(0, quic_diag_ask(self->nl, variant->family, &addr,
					   false, QUIC_DIAG_EXT(INFO),
					   &answer));
		seen += answer.ulp;
	}
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, NULL, 0));
}

TEST_HARNESS_MAIN
