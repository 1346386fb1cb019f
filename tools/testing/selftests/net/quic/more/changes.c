// SPDX-License-Identifier: GPL-2.0
/*
 * The ground is taken from under a socket: its address, its interface, and the
 * socket itself, from outside.  Errors are those of plain UDP.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_path.h"

#define DCID_LEN	8
#define COUNT		20
#define SENDS		4	/* after a change: some errors are told once */
#define ABORTS		5

FIXTURE(changes) {
	struct quic_path path;
	struct quic_train train;
	struct quic_packet packet;
	struct quic_oracle *phase[2];
	int fd[2];			/* plain UDP, and with the flow */
	struct quic_addr to;
	long sent, errors;
};

FIXTURE_VARIANT(changes) {
	int family;			/* AF_UNSPEC: IPv4 from an IPv6 socket */
	bool connected;
};

FIXTURE_VARIANT_ADD(changes, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(changes, ipv4_connected) { AF_INET, true };
FIXTURE_VARIANT_ADD(changes, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(changes, ipv6_connected) { AF_INET6, true };
FIXTURE_VARIANT_ADD(changes, mapped) { AF_UNSPEC };

static const char addresses[] = QUIC_PATH_ADDRESSES("quic0", "1");

/* The address that @to is reached from: a 1 where that has a 2 */
static struct quic_addr local_address(const struct quic_addr *to)
{
	struct quic_addr local = *to;
	struct sockaddr_in6 *sin6 = (void *)&local.ss;
	struct sockaddr_in *sin = (void *)&local.ss;

	if (to->ss.ss_family == AF_INET)
		sin->sin_addr.s_addr ^= htonl(3);
	else
		sin6->sin6_addr.s6_addr[15] ^= 3;
	sin->sin_port = 0;
	return local;
}

FIXTURE_SETUP(changes)
{
	struct quic_connection_info info;
	struct quic_addr local;
	struct quic_keys keys;
	int i;

	ASSERT_EQ(0, quic_path_open(&self->path));
	ASSERT_EQ(0, quic_path_ip(&self->path, false, addresses));
	ASSERT_EQ(0, quic_path_ip(&self->path, false, "link set quic0 up\n"));
	ASSERT_EQ(0, quic_path_ip(&self->path, true,
				  QUIC_PATH_ADDRESSES("quic1", "2")
				  "link set quic1 up\n"));
	for (i = 0; i < 2; i++) {
		self->fd[i] = quic_path_socket(&self->path, variant->family,
					       &self->to);
		local = local_address(&self->to);
		ASSERT_EQ(0, bind(self->fd[i], (void *)&local.ss, local.len));
		if (variant->connected)
			ASSERT_EQ(0, connect(self->fd[i], (void *)&self->to.ss,
					     self->to.len));
	}

	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 4,
		.flags = QUIC_FIXED_BIT,
		.len = 1200 - QUIC_TAG_SIZE,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	self->phase[0] = quic_oracle_new(&keys);
	self->phase[1] = NULL;
	quic_flow_info(&info, &keys, &self->packet.dcid, &self->to);
	ASSERT_EQ(0, quic_flow_add(self->fd[1], &info));
	ASSERT_TRUE(quic_path_reaches(&self->path, self->fd[0],
				      &self->to));
	EXPECT_EQ(0, quic_path_wire(&self->path, false).markers);
}

/* Nothing left in plain text, and everything has been given back. */
FIXTURE_TEARDOWN(changes)
{
	EXPECT_EQ(0, quic_path_wire(&self->path, false).markers);
	EXPECT_EQ(0, quic_path_wire(&self->path, true).markers);
	EXPECT_EQ(self->sent, quic_stat("QuicTxSwPackets"));
	EXPECT_EQ(self->errors, quic_stat("QuicTxSwError"));
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	close(self->fd[0]);
	close(self->fd[1]);
	EXPECT_EQ(0, quic_flows_become(0));
	quic_oracle_free(self->phase[0]);
	quic_path_close(&self->path);
}

/* A message from both sockets; returns the errno of both, or 0. */
static int expect_same(struct __test_metadata *_metadata,
		       FIXTURE_DATA(changes) *self,
		       const FIXTURE_VARIANT(changes) *variant,
		       unsigned int count)
{
	const struct quic_addr *to = variant->connected ? NULL : &self->to;
	struct quic_msg msg;
	int want, err;

	quic_train_build(&self->train, self->packet, count, 300);
	self->packet.pn += count;
	want = quic_path_send_plain(self->fd[0], to, &self->train);
	if (!want)
		EXPECT_EQ(count, quic_path_receive_plain(&self->path,
							 &self->train));
	msg = quic_msg(self->fd[1], to, &self->train);
	err = quic_send(&msg) < 0 ? errno : 0;
	EXPECT_EQ(want, err) {
		TH_LOG("%u packets: %s, without the offload %s", count,
		       strerror(err), strerror(want));
	}
	if (!err)
		EXPECT_EQ(count, quic_receive(self->path.rx, self->phase,
					      &self->train));
	self->sent += err ? 0 : count;
	self->errors += !!err;
	return err;
}

/* Returns the first error. */
static int expect_same_sends(struct __test_metadata *_metadata,
			     FIXTURE_DATA(changes) *self,
			     const FIXTURE_VARIANT(changes) *variant)
{
	int first = 0, err, i;

	for (i = 0; i < SENDS; i++) {
		err = expect_same(_metadata, self, variant, i & 1 ? 1 : COUNT);
		if (!i)
			first = err;
	}
	return first;
}

#define EXPECT_SAME_SENDS() expect_same_sends(_metadata, self, variant)

TEST_F(changes, address)
{
	EXPECT_EQ(0, EXPECT_SAME_SENDS());
	ASSERT_EQ(0, quic_path_ip(&self->path, false,
				  "address flush dev quic0\n"));
	EXPECT_NE(0, EXPECT_SAME_SENDS());
	/* There is a route, but not from this address. */
	ASSERT_EQ(0, quic_path_ip(&self->path, false,
				  QUIC_PATH_ADDRESSES("quic0", "9")));
	EXPECT_SAME_SENDS();
	ASSERT_EQ(0, quic_path_ip(&self->path, false, addresses));
	ASSERT_TRUE(quic_path_reaches(&self->path, self->fd[0], &self->to));
	EXPECT_EQ(0, EXPECT_SAME_SENDS());
}

TEST_F(changes, interface)
{
	EXPECT_EQ(0, EXPECT_SAME_SENDS());
	ASSERT_EQ(0, quic_path_ip(&self->path, false,
				  "link set quic0 down\n"));
	EXPECT_NE(0, EXPECT_SAME_SENDS());
	ASSERT_EQ(0, quic_path_ip(&self->path, false, "link set quic0 up\n"));
	/* Addresses of IPv6 are gone. */
	ASSERT_EQ(0, quic_path_ip(&self->path, false, addresses));
	ASSERT_TRUE(quic_path_reaches(&self->path, self->fd[0], &self->to));
	EXPECT_EQ(0, EXPECT_SAME_SENDS());
}

/* SOCK_DESTROY; without CONFIG_INET_DIAG_DESTROY nothing happens. */
static void destroy(int fd)
{
	struct sockaddr_in6 sin6 = {};
	socklen_t len = sizeof(sin6);
	char command[100];

	/* The port is at the same place in both families. */
	getsockname(fd, (void *)&sin6, &len);
	snprintf(command, sizeof(command),
		 "ss -K -u -a 'sport = :%u' > /dev/null", ntohs(sin6.sin6_port));
	if (system(command))
		fprintf(stderr, "# ss -K failed\n");
}

TEST_F(changes, destroyed)
{
	int first;

	EXPECT_EQ(0, EXPECT_SAME_SENDS());
	destroy(self->fd[0]);
	destroy(self->fd[1]);
	first = EXPECT_SAME_SENDS();
	if (!first)
		SKIP(return, "needs CONFIG_INET_DIAG_DESTROY, and ss");
	EXPECT_EQ(variant->connected ? EDESTADDRREQ : ECONNABORTED, first);

	/* It is a socket as a new one, with its flow. */
	ASSERT_EQ(0, connect(self->fd[0], (void *)&self->to.ss, self->to.len));
	ASSERT_EQ(0, connect(self->fd[1], (void *)&self->to.ss, self->to.len));
	EXPECT_SAME_SENDS();
	EXPECT_EQ(0, EXPECT_SAME_SENDS());
}

struct shared {
	long sent, errors;
	unsigned int aborts;
};

/* Ends when it has been aborted often enough; returns an errno, or 0. */
static int send_and_send(FIXTURE_DATA(changes) *self,
			 const FIXTURE_VARIANT(changes) *variant,
			 struct shared *shared)
{
	const struct quic_addr *to = &self->to;
	struct quic_msg msg;

	while (shared->aborts < ABORTS) {
		quic_train_build(&self->train, self->packet, COUNT, 300);
		self->packet.pn += COUNT;
		msg = quic_msg(self->fd[1], variant->connected ? NULL : to,
			       &self->train);
		if (quic_send(&msg) > 0) {
			shared->sent += COUNT;
			continue;
		}
		shared->errors++;
		if (errno != ECONNABORTED &&
		    !(errno == EDESTADDRREQ && variant->connected))
			return errno;
		__atomic_add_fetch(&shared->aborts, 1, __ATOMIC_RELAXED);
		/* The error stays until a call tells it. */
		while (variant->connected &&
		       connect(self->fd[1], (void *)&to->ss, to->len))
			if (errno != ECONNABORTED)
				return errno;
	}
	return 0;
}

/* What has arrived, as far as there was room for it, has to be protected. */
static unsigned int open_all(FIXTURE_DATA(changes) *self)
{
	uint8_t packet[2000], seen[2000];
	uint64_t pn = self->packet.pn;
	unsigned int opened = 0;
	ssize_t len;

	while ((len = recv(self->path.rx, seen, sizeof(seen),
			   MSG_DONTWAIT)) > 0) {
		if (!quic_oracle_open(self->phase[0], &pn, DCID_LEN, seen, len,
				      packet))
			return 0;
		opened++;
	}
	return opened;
}

TEST_F(changes, destroyed_while_it_sends)
{
	struct shared *shared;
	siginfo_t ended = {};
	unsigned int before;
	int status;
	pid_t child;

	destroy(self->fd[0]);
	if (quic_path_send_plain(self->fd[0],
				 variant->connected ? NULL : &self->to,
				 &self->train) == 0)
		SKIP(return, "needs CONFIG_INET_DIAG_DESTROY, and ss");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(send_and_send(self, variant, shared));

	while (!ended.si_pid) {
		before = __atomic_load_n(&shared->aborts, __ATOMIC_RELAXED);
		destroy(self->fd[1]);
		do {
			usleep(1000);
			waitid(P_PID, child, &ended,
			       WEXITED | WNOHANG | WNOWAIT);
		} while (!ended.si_pid &&
			 before == __atomic_load_n(&shared->aborts,
						   __ATOMIC_RELAXED));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status) {
		TH_LOG("%s", strerror(WEXITSTATUS(status)));
	}
	EXPECT_LT(0, open_all(self));
	self->sent += shared->sent;
	self->errors += shared->errors;
}

TEST_HARNESS_MAIN
