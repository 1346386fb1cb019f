// SPDX-License-Identifier: GPL-2.0
/* DEL without an argument: all flows of the socket, whoever added them. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define ULP_NAME	"quic-crypto"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define DCID_LEN	8
#define FLOWS		2000	/* so many that the table grows and shrinks */
#define ROUNDS		100
#define USER		54321	/* has no flows but ours */

FIXTURE(delete_all) {
	struct quic_env env;
	struct quic_packet packet;
	struct quic_train train;
	char max_flows[32];		/* to be restored */
};

FIXTURE_VARIANT(delete_all) {
	int family;
};

FIXTURE_VARIANT_ADD(delete_all, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(delete_all, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(delete_all, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(delete_all)
{
	FILE *f;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 4,
		.len = 200,
		.flags = QUIC_FIXED_BIT,
		.dcid.len = DCID_LEN,
	};
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_ULP, ULP_NAME,
				strlen(ULP_NAME)));
	f = fopen(MAX_FLOWS, "r");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(self->max_flows, sizeof(self->max_flows), f));
	fclose(f);
}

FIXTURE_TEARDOWN(delete_all)
{
	seteuid(0);
	quic_env_write_file(MAX_FLOWS, self->max_flows);
	quic_env_close(&self->env);
}

static int del_all(int fd)
{
	return setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION, NULL, 0);
}

/* Flow number @flow has keys and a DCID of its own. */
static struct quic_connection_info flow_info(struct quic_dcid *dcid,
					     unsigned int flow,
					     const struct quic_addr *to)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	dcid->len = DCID_LEN;
	memset(dcid->id, 0xd0, sizeof(dcid->id));
	memcpy(dcid->id, &flow, sizeof(flow));
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow, 0);
	quic_flow_info(&info, &keys, dcid, to);
	return info;
}

static unsigned int add_flows(int fd, unsigned int max,
			      const struct quic_addr *to)
{
	struct quic_connection_info info;
	struct quic_dcid dcid;
	unsigned int n;

	for (n = 0; n < max; n++) {
		info = flow_info(&dcid, n, n & 1 ? to : NULL);
		if (quic_flow_add(fd, &info))
			break;
	}
	return n;
}

/* Returns 0 or the errno. */
static int send_on(FIXTURE_DATA(delete_all) *self, int fd, unsigned int flow)
{
	struct quic_msg msg;

	flow_info(&self->packet.dcid, flow, NULL);
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = quic_msg(fd, &self->env.to, &self->train);
	return quic_send(&msg) < 0 ? errno : 0;
}

static void expect_flow(struct __test_metadata *_metadata,
			FIXTURE_DATA(delete_all) *self, int fd,
			unsigned int flow)
{
	struct quic_oracle *phase[2] = {};
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow, 0);
	phase[0] = quic_oracle_new(&keys);
	ASSERT_EQ(0, send_on(self, fd, flow));
	ASSERT_EQ(1, quic_receive(self->env.rx, phase, &self->train));
	quic_oracle_free(phase[0]);
}

/* Flows for one destination and for any, and no flow of another socket */
TEST_F(delete_all, of_this_socket)
{
	int other = quic_env_socket(&self->env), fd = self->env.tx;
	unsigned int flow;

	ASSERT_LE(0, other);
	ASSERT_EQ(10, add_flows(other, 10, &self->env.to));
	ASSERT_EQ(FLOWS, add_flows(fd, FLOWS, &self->env.to));
	EXPECT_EQ(FLOWS + 10, quic_stat("QuicCurrTxSw"));
	expect_flow(_metadata, self, fd, 7);
	ASSERT_EQ(0, del_all(fd));
	EXPECT_EQ(10, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(FLOWS + 10, quic_stat("QuicTxSw"));
	quic_env_wire(&self->env);
	for (flow = 0; flow < FLOWS; flow += 99)
		EXPECT_EQ(ENOENT, send_on(self, fd, flow));
	EXPECT_EQ(0, quic_env_wire(&self->env).frames);
	expect_flow(_metadata, self, other, 7);

	/* As if they had never been: the number is free again. */
	ASSERT_EQ(FLOWS, add_flows(fd, FLOWS, &self->env.to));
	expect_flow(_metadata, self, fd, 7);
	close(other);
}

/* Nothing is named: that nothing is there is no error. Nor is it read. */
TEST_F(delete_all, without_argument)
{
	int plain = quic_env_socket(&self->env), fd = self->env.tx;

	ASSERT_EQ(0, del_all(fd));
	ASSERT_EQ(3, add_flows(fd, 3, &self->env.to));
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION,
				(void *)16, 0));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	ASSERT_EQ(0, del_all(fd));

	ASSERT_EQ(3, add_flows(fd, 3, &self->env.to));
	EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION,
				 NULL, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_QUIC_ADD_TX_CONNECTION,
				 NULL, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(3, quic_stat("QuicCurrTxSw"));

	/* UDP itself knows neither DEL nor options without a value. */
	EXPECT_EQ(-1, del_all(plain));
	EXPECT_EQ(EINVAL, errno);
	close(plain);
}

/* A worker dies; whoever else has its socket does not know its flows. */
TEST_F(delete_all, of_a_killed_worker)
{
	int fd = self->env.tx, pipefd[2], status;
	pid_t worker;
	char byte;

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "8"));
	worker = fork();
	ASSERT_LE(0, worker);
	if (!worker) {
		if (seteuid(USER) || add_flows(fd, 100, NULL) != 8 ||
		    errno != ENOBUFS)
			_exit(1);
		if (write(pipefd[1], "", 1) == 1)
			pause();
		_exit(2);
	}
	close(pipefd[1]);
	ASSERT_EQ(1, read(pipefd[0], &byte, 1));
	ASSERT_EQ(0, kill(worker, SIGKILL));
	ASSERT_EQ(worker, waitpid(worker, &status, 0));

	EXPECT_EQ(8, quic_stat("QuicCurrTxSw"));
	ASSERT_EQ(0, del_all(fd));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	/* They were that user's, who has them back. */
	ASSERT_EQ(0, seteuid(USER));
	EXPECT_EQ(8, add_flows(fd, 100, NULL));
	EXPECT_EQ(ENOBUFS, errno);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, del_all(fd));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

/* Another process sends meanwhile. */
TEST_F(delete_all, while_another_sends)
{
	unsigned int flow, round, sent = 0;
	int fd = self->env.tx, status, err;
	bool *stop;
	pid_t child;

	stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, stop);
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		for (round = 0; !__atomic_load_n(stop, __ATOMIC_RELAXED) ||
		     !sent; round++) {
			self->packet.pn++;
			err = send_on(self, fd, round % 50);
			if (err && err != ENOENT)
				_exit(err);
			sent += !err;
		}
		_exit(0);
	}
	for (round = 0; round < ROUNDS; round++) {
		for (flow = 0; flow < 50; flow++) {
			struct quic_connection_info info;
			struct quic_dcid dcid;

			info = flow_info(&dcid, flow, NULL);
			ASSERT_EQ(0, quic_flow_add(fd, &info));
		}
		EXPECT_EQ(50, quic_stat("QuicCurrTxSw"));
		ASSERT_EQ(0, del_all(fd));
		EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	}
	/* Let it end, even if it never was in time. */
	ASSERT_EQ(50, add_flows(fd, 50, NULL));
	__atomic_store_n(stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(false, quic_env_wire(&self->env).marker);
}

TEST_HARNESS_MAIN
