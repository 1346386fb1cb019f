// SPDX-License-Identifier: GPL-2.0
/*
 * Many flows, limits of flows, and what flows and counters belong to: sockets,
 * users, memory cgroups, namespaces, interfaces, paths.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_cgroup.h"
#include "quic_env.h"

#define ULP_NAME	"quic-crypto"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define DCID_LEN	8
#define USER		54321		/* has no flows but ours */
#define TIMEOUT		900		/* on a busy host */

FIXTURE(limits) {
	struct quic_env env;
	struct quic_packet packet;
	struct quic_train train;
	char max_flows[32];		/* to be restored */
};

FIXTURE_SETUP(limits)
{
	int fd;

	ASSERT_EQ(0, quic_env_open(&self->env, AF_INET6));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = 200,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	/* The module is there before anybody else asks for it. */
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_ULP, ULP_NAME,
				strlen(ULP_NAME)));
	fd = open(MAX_FLOWS, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, read(fd, self->max_flows, sizeof(self->max_flows) - 1));
	close(fd);
}

FIXTURE_TEARDOWN(limits)
{
	seteuid(0);
	quic_env_write_file(MAX_FLOWS, self->max_flows);
	quic_env_close(&self->env);
}

/* Flow number @flow: its DCID, its keys */
static void set_dcid(struct quic_dcid *dcid, unsigned int flow)
{
	quic_dcid_init(dcid, DCID_LEN, 0);
	memcpy(dcid->id, &flow, sizeof(flow));
}

static struct quic_connection_info flow_info(const struct quic_dcid *dcid,
					     const struct quic_addr *to,
					     unsigned int flow)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow, 0);
	quic_flow_info(&info, &keys, dcid, to);
	return info;
}

/* Adds flows up to @max; returns how many that were. */
static unsigned int add_flows(int fd, unsigned int max)
{
	struct quic_connection_info info;
	struct quic_dcid dcid;
	unsigned int n;

	for (n = 0; n < max; n++) {
		set_dcid(&dcid, n);
		info = flow_info(&dcid, NULL, n);
		if (quic_flow_add(fd, &info))
			break;
	}
	return n;
}

/* Sends the fixture's packet; @rx gets it as flow number @flow has it. */
static void expect_flow(struct __test_metadata *_metadata,
			FIXTURE_DATA(limits) *self, int fd, int rx,
			const struct quic_addr *to, unsigned int flow)
{
	struct quic_oracle *phase[2] = {};
	struct quic_keys keys;
	struct quic_msg msg;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow, 0);
	phase[0] = quic_oracle_new(&keys);
	quic_train_build(&self->train, self->packet, 1, 0);
	msg = quic_msg(fd, to, &self->train);
	ASSERT_EQ(msg.len, quic_send(&msg)) {
		TH_LOG("flow %u: %s", flow, strerror(errno));
	}
	ASSERT_EQ(1, quic_receive(rx, phase, &self->train)) {
		TH_LOG("not flow %u", flow);
	}
	quic_oracle_free(phase[0]);
	self->packet.pn++;
}

static void expect_error(struct __test_metadata *_metadata,
			 FIXTURE_DATA(limits) *self, int fd,
			 const struct quic_addr *to, int err)
{
	long before = quic_stat("QuicTxSwError");
	struct quic_msg msg;

	quic_train_build(&self->train, self->packet, 1, 0);
	msg = quic_msg(fd, to, &self->train);
	ASSERT_EQ(-1, quic_send(&msg));
	ASSERT_EQ(err, errno) {
		TH_LOG("%s instead of %s", strerrorname_np(errno),
		       strerrorname_np(err));
	}
	ASSERT_EQ(before + 1, quic_stat("QuicTxSwError"));
}

/* As many as there are */

#define MANY		100000
#define SOME		1000

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

TEST_F_TIMEOUT(limits, many_flows, TIMEOUT)
{
	int fd = quic_env_socket(&self->env);
	struct quic_connection_info info;
	long start, added, sent, deleted;
	unsigned int i, flow;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "200000"));
	start = now_ms();
	ASSERT_EQ(MANY, add_flows(fd, MANY)) {
		TH_LOG("%s", strerror(errno));
	}
	added = now_ms();
	EXPECT_EQ(MANY, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(MANY, quic_stat("QuicTxSw"));

	srand(1);
	for (i = 0; i < SOME; i++) {
		flow = rand() % MANY;
		set_dcid(&self->packet.dcid, flow);
		expect_flow(_metadata, self, fd, self->env.rx, &self->env.to,
			    flow);
	}
	set_dcid(&self->packet.dcid, MANY);
	expect_error(_metadata, self, fd, &self->env.to, ENOENT);
	sent = now_ms();

	/* Some by their names, the others with the socket */
	for (flow = 0; flow < MANY; flow += 10) {
		set_dcid(&self->packet.dcid, flow);
		info = flow_info(&self->packet.dcid, NULL, flow);
		ASSERT_EQ(0, quic_flow_del(fd, &info));
	}
	EXPECT_EQ(MANY / 10 * 9, quic_stat("QuicCurrTxSw"));
	for (i = 0; i < SOME; i++) {
		flow = rand() % MANY;
		set_dcid(&self->packet.dcid, flow);
		if (flow % 10)
			expect_flow(_metadata, self, fd, self->env.rx,
				    &self->env.to, flow);
		else
			expect_error(_metadata, self, fd, &self->env.to, ENOENT);
	}
	close(fd);
	EXPECT_EQ(0, quic_flows_become(0));
	deleted = now_ms();
	TH_LOG("%d flows added in %ld ms, %d sent to in %ld, deleted in %ld",
	       MANY, added - start, SOME, sent - added, deleted - sent);
}

/* The limit of a user, on all sockets */
TEST_F(limits, sockets_share_it)
{
	int fd = quic_env_socket(&self->env);
	struct quic_connection_info info;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "8"));
	ASSERT_EQ(0, seteuid(USER));
	EXPECT_EQ(5, add_flows(fd, 5));
	EXPECT_EQ(3, add_flows(self->env.tx, 100));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(8, quic_stat("QuicCurrTxSw"));

	/* Another generation of a flow is no flow. */
	set_dcid(&self->packet.dcid, 0);
	info = flow_info(&self->packet.dcid, NULL, 0);
	info.conn_payload_key_gen = 1;
	EXPECT_EQ(0, quic_flow_add(fd, &info));

	/* One less here is one more there. */
	EXPECT_EQ(0, quic_flow_del(fd, &info));
	set_dcid(&self->packet.dcid, 3);
	info = flow_info(&self->packet.dcid, NULL, 3);
	EXPECT_EQ(0, quic_flow_add(self->env.tx, &info));
	set_dcid(&self->packet.dcid, 4);
	info = flow_info(&self->packet.dcid, NULL, 4);
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &info));
	EXPECT_EQ(ENOBUFS, errno);

	/* Others are not concerned. */
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, seteuid(USER + 1));
	EXPECT_EQ(0, quic_flow_add(self->env.tx, &info));
	close(fd);
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(5, quic_flows_become(5));
	ASSERT_EQ(0, seteuid(USER));
	fd = quic_env_socket(&self->env);
	EXPECT_EQ(4, add_flows(fd, 100));
	EXPECT_EQ(ENOBUFS, errno);
	close(fd);
}

/* A sign from one process to the other */
static void tell(int fd)
{
	if (write(fd, "", 1) != 1)
		abort();
}

static int wait_for(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 1 ? 0 : -1;
}

/* Whoever closes the socket, the user who added the flows gets them back. */
TEST_F(limits, closed_by_another_process)
{
	int pair[2], fd = quic_env_socket(&self->env), status;
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(pair[0]);
		close(fd);
		if (seteuid(USER + 1))
			_exit(1);
		fd = quic_fd_receive(pair[1]);
		tell(pair[1]);
		if (wait_for(pair[1]))
			_exit(2);
		close(fd);
		tell(pair[1]);
		wait_for(pair[1]);
		_exit(fd < 0 ? 3 : 0);
	}
	close(pair[1]);

	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "8"));
	ASSERT_EQ(0, seteuid(USER));
	EXPECT_EQ(8, add_flows(fd, 100));
	ASSERT_EQ(0, quic_fd_send(pair[0], fd));
	ASSERT_EQ(0, wait_for(pair[0]));
	close(fd);
	EXPECT_EQ(8, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(0, add_flows(self->env.tx, 100));
	EXPECT_EQ(ENOBUFS, errno);

	tell(pair[0]);
	ASSERT_EQ(0, wait_for(pair[0]));
	EXPECT_EQ(0, quic_flows_become(0));
	EXPECT_EQ(8, add_flows(self->env.tx, 100));
	EXPECT_EQ(ENOBUFS, errno);
	close(pair[0]);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/* Memory cgroups */

/* In many processes: where rhashtables use irq_work without an interrupt of its
 * own, in User Mode Linux, closing each socket waits for RCU, but all at once.
 */
#define PAYERS		10
#define SOCKETS		10		/* of each */
#define FLOWS		500		/* likewise, with each cipher */
#define PAID_SOCKETS	(PAYERS * SOCKETS)
#define PAID_FLOWS	(PAYERS * FLOWS)
/* Bytes that a socket, a ULP, and a flow of any cipher have at least */
#define SOCKET_CHARGE	1024
#define ULP_CHARGE	128
#define FLOW_CHARGE	256
/* Bytes of a flow that nobody pays for: the socket's hash table, and what slabs have
 * to spare
 */
#define FLOW_FREE	128

/* Exact to the page when nothing is on its way any more: there are @least bytes,
 * and the same number twice in turn.
 */
static unsigned long slab_charged(unsigned long least)
{
	unsigned long slab = 0, before;
	int patience;

	for (patience = 0; patience < 300; patience++) {
		before = slab;
		quic_cgroup_flush();
		slab = quic_cgroup_read("memory.stat", "slab");
		if (slab == before && slab >= least)
			break;
		usleep(10 * 1000);
	}
	return slab;
}

/* Bytes */
struct paid {
	long charged;		/* to the cgroup */
	long used;		/* by the machine */
};

/* Bytes in all slabs of the machine, without those of its leak detector, which has
 * an object for each that there is
 */
static unsigned long slab_used(void)
{
	unsigned long slabs = 0, pages = 0;
	char line[256];
	FILE *f;

	/* A kernel that can't say has no leak detector. */
	f = fopen("/proc/slabinfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "kmemleak_object %*u %*u %*u %*u %lu : "
			   "tunables %*u %*u %*u : slabdata %*u %lu",
			   &pages, &slabs) == 2)
			break;
	if (f)
		fclose(f);
	return quic_env_read_number("/proc/meminfo", "Slab:") * 1024 -
	       slabs * pages * sysconf(_SC_PAGESIZE);
}

/* Flows of one cipher */
static int pay_flows(int fd, unsigned int cipher, unsigned int number)
{
	struct quic_connection_info info;
	struct quic_dcid dcid;
	unsigned int i;

	for (i = 0; i < number; i++) {
		set_dcid(&dcid, cipher * number + i);
		info = flow_info(&dcid, NULL, i);
		info.cipher_type = quic_ciphers[cipher].type;
		if (quic_flow_add(fd, &info))
			return -1;
	}
	return 0;
}

/* A process in the cgroup: some sockets, the ULP on each, and on one of them flows
 * with one cipher after the other.  It tells when it has done one of these, and
 * waits until that has been seen.
 */
static int pay(int fd)
{
	int sockets[SOCKETS], i;
	unsigned int cipher;

	quic_cgroup_join();
	for (i = 0; i < SOCKETS; i++) {
		sockets[i] = socket(AF_INET, SOCK_DGRAM, 0);
		if (sockets[i] < 0)
			return 1;
	}
	tell(fd);
	if (wait_for(fd))
		return 2;
	for (i = 0; i < SOCKETS; i++)
		if (setsockopt(sockets[i], SOL_UDP, UDP_ULP, ULP_NAME,
			       strlen(ULP_NAME)))
			return 3;
	for (cipher = 0; cipher < QUIC_NUM_CIPHERS; cipher++) {
		tell(fd);
		if (wait_for(fd))
			return 4;
		if (pay_flows(sockets[0], cipher, FLOWS))
			return 5;
	}
	tell(fd);
	return wait_for(fd) ? 6 : 0;
}

/* Returns its end of a pair of sockets. */
static int start_payer(pid_t *child)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	*child = fork();
	if (!*child) {
		close(pair[0]);
		_exit(pay(pair[1]));
	}
	close(pair[1]);
	return pair[0];
}

/* Each processor has up to a page of news. */
static int stay_on_this_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

/* What it comes to, for each of @number that the payers have made since the last
 * time, and that are charged @least bytes each; lets them go on.
 */
static struct paid paid_each(const int fd[PAYERS], unsigned int number,
			     unsigned long least)
{
	static struct paid had;
	struct paid has, each = { -1 };
	int i;

	for (i = 0; i < PAYERS; i++)
		if (wait_for(fd[i]))
			return each;
	has.charged = slab_charged(had.charged + number * least);
	has.used = slab_used();
	each.charged = (has.charged - had.charged) / number;
	each.used = (has.used - had.used) / number;
	had = has;
	for (i = 0; i < PAYERS; i++)
		tell(fd[i]);
	return each;
}

/* For all of a flow, whatever its cipher */
TEST_F_TIMEOUT(limits, memory_cgroup_pays, TIMEOUT)
{
	int fd[PAYERS], status, i;
	pid_t child[PAYERS];
	const char *reason;
	struct paid each;

	reason = quic_cgroup_open();
	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "200000"));
	ASSERT_EQ(0, stay_on_this_processor());
	/* Take the room that there is in slabs. */
	for (i = 0; i < QUIC_NUM_CIPHERS; i++)
		ASSERT_EQ(0, pay_flows(self->env.tx, i, PAID_FLOWS));
	for (i = 0; i < PAYERS; i++)
		fd[i] = start_payer(&child[i]);

	paid_each(fd, PAID_SOCKETS, SOCKET_CHARGE);
	each = paid_each(fd, PAID_SOCKETS, ULP_CHARGE);
	TH_LOG("a ULP: %ld bytes, %ld charged", each.used, each.charged);
	EXPECT_LE(ULP_CHARGE, each.charged);
	for (i = 0; i < QUIC_NUM_CIPHERS; i++) {
		each = paid_each(fd, PAID_FLOWS, FLOW_CHARGE);
		TH_LOG("a flow, %s: %ld bytes, %ld charged",
		       quic_ciphers[i].name, each.used, each.charged);
		EXPECT_LE(FLOW_CHARGE, each.charged);
		EXPECT_LE(each.used - FLOW_FREE, each.charged);
	}

	for (i = 0; i < PAYERS; i++) {
		close(fd[i]);
		EXPECT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	quic_cgroup_close();
}

/* User namespaces */

/* Become root of a user namespace of USER's, with a network of its own. */
static int enter_userns(void)
{
	if (setresgid(USER, USER, USER) || setresuid(USER, USER, USER) ||
	    prctl(PR_SET_DUMPABLE, 1) ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	return quic_env_write_file("/proc/self/uid_map", "0 54321 1");
}

/*
 * Starts a process that adds flows in a user namespace with the limit @max, and
 * keeps them; returns how many, or more than there can be if all is not well.
 */
static unsigned int add_in_userns(const char *max, pid_t *child)
{
	unsigned int added = 1000;
	int answer[2], fd;

	if (pipe(answer))
		return added;
	*child = fork();
	if (!*child) {
		if (!enter_userns() && !quic_env_write_file(MAX_FLOWS, max)) {
			fd = socket(AF_INET6, SOCK_DGRAM, 0);
			added = add_flows(fd, 100);
			if (errno != ENOBUFS)
				added += 2000;
			if (quic_stat("QuicCurrTxSw") != added)
				added += 4000;
		}
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(answer[1], &added, sizeof(added)) == sizeof(added))
			pause();
		_exit(0);
	}
	if (read(answer[0], &added, sizeof(added)) != sizeof(added))
		added = 8000;
	close(answer[0]);
	close(answer[1]);
	return added;
}

TEST_F(limits, user_namespaces)
{
	pid_t child[2];
	int i;

	if (access("/proc/self/ns/user", F_OK))
		SKIP(return, "needs CONFIG_USER_NS");
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "8"));

	/* Its own limit holds, */
	EXPECT_EQ(3, add_in_userns("3", &child[0]));
	/* and the one outside, for all namespaces of the user together */
	EXPECT_EQ(5, add_in_userns("1000", &child[1]));
	ASSERT_EQ(0, seteuid(USER));
	EXPECT_EQ(0, add_flows(self->env.tx, 100));
	EXPECT_EQ(ENOBUFS, errno);
	/* Others have theirs; the counters here saw nothing. */
	ASSERT_EQ(0, seteuid(0));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(0, quic_stat("QuicTxSw"));

	/* What the namespaces had comes back when they end. */
	for (i = 0; i < 2; i++) {
		kill(child[i], SIGKILL);
		ASSERT_EQ(child[i], waitpid(child[i], NULL, 0));
	}
	ASSERT_EQ(0, seteuid(USER));
	EXPECT_EQ(8, add_flows(self->env.tx, 100));
	EXPECT_EQ(ENOBUFS, errno);
}

/* Counters go by the network namespace of the socket, not of its user. */
TEST_F(limits, counters)
{
	struct quic_connection_info info;
	struct quic_msg msg;
	int status, fd;
	pid_t child;

	ASSERT_EQ(2, add_flows(self->env.tx, 2));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		ASSERT_EQ(0, unshare(CLONE_NEWNET));
		EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
		EXPECT_EQ(0, quic_stat("QuicTxSw"));
		fd = socket(AF_INET6, SOCK_DGRAM, 0);
		EXPECT_EQ(3, add_flows(fd, 3));
		EXPECT_EQ(3, quic_stat("QuicCurrTxSw"));
		EXPECT_EQ(3, quic_stat("QuicTxSw"));
		expect_error(_metadata, self, fd, &self->env.to, ENOENT);
		EXPECT_EQ(1, quic_stat("QuicTxSwError"));

		/* That of the other namespace */
		set_dcid(&self->packet.dcid, 2);
		info = flow_info(&self->packet.dcid, NULL, 2);
		EXPECT_EQ(0, quic_flow_add(self->env.tx, &info));
		self->packet.flags = QUIC_LONG_HEADER;
		quic_train_build(&self->train, self->packet, 1, 0);
		msg = quic_msg(self->env.tx, &self->env.to, &self->train);
		EXPECT_EQ(-1, quic_send(&msg));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(-1, quic_send(&msg));
		EXPECT_EQ(3, quic_stat("QuicCurrTxSw"));
		EXPECT_EQ(3, quic_stat("QuicTxSw"));
		EXPECT_EQ(1, quic_stat("QuicTxSwError"));
		_exit(_metadata->exit_code);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(3, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(3, quic_stat("QuicTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSwError"));
}

/* Interfaces: two links, on both of which there is a fe80::2 */

static int links_up(void)
{
	static const char * const setup[] = {
		"ip link add $a type veth peer name $b",
		"ip link set $a addrgenmode none",
		"ip link set $b addrgenmode none",
		"ip address add fe80::1/64 dev $a nodad",
		"ip address add fe80::2/64 dev $b nodad",
		"ip link set $b up",
		"ip link set $a up",
	};
	unsigned int i, link;

	for (link = 0; link < 2; link++) {
		setenv("a", link ? "a1" : "a0", 1);
		setenv("b", link ? "b1" : "b0", 1);
		for (i = 0; i < ARRAY_SIZE(setup); i++)
			if (system(setup[i]))
				return -1;
	}
	return 0;
}

static struct quic_addr on_link(const struct quic_addr *to, const char *name)
{
	struct quic_addr link = *to;
	struct sockaddr_in6 *sin6 = (void *)&link.ss;

	inet_pton(AF_INET6, "fe80::2", &sin6->sin6_addr);
	sin6->sin6_scope_id = name ? if_nametoindex(name) : 0;
	return link;
}

TEST_F(limits, link_local)
{
	struct quic_addr to = { .len = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 *sin6 = (void *)&to.ss;
	struct quic_addr a0, a1, none, wrong;
	struct timeval patience = { .tv_sec = 2 };
	struct quic_connection_info info;
	int fd = self->env.tx, rx;

	ASSERT_EQ(0, links_up());
	sin6->sin6_family = AF_INET6;
	rx = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_EQ(0, setsockopt(rx, SOL_SOCKET, SO_RCVTIMEO, &patience,
				sizeof(patience)));
	ASSERT_EQ(0, bind(rx, (void *)sin6, sizeof(*sin6)));
	ASSERT_EQ(0, getsockname(rx, (void *)&to.ss, &to.len));
	a0 = on_link(&to, "a0");
	a1 = on_link(&to, "a1");
	none = on_link(&to, NULL);

	/* Scope 0 is any, */
	info = flow_info(&self->packet.dcid, &none, 10);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	expect_flow(_metadata, self, fd, rx, &a0, 10);
	expect_flow(_metadata, self, fd, rx, &a1, 10);
	/* another one wins where it fits, */
	info = flow_info(&self->packet.dcid, &a0, 11);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	expect_flow(_metadata, self, fd, rx, &a0, 11);
	expect_flow(_metadata, self, fd, rx, &a1, 10);
	info = flow_info(&self->packet.dcid, &a1, 12);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	expect_flow(_metadata, self, fd, rx, &a0, 11);
	expect_flow(_metadata, self, fd, rx, &a1, 12);
	/* and any destination loses. */
	info = flow_info(&self->packet.dcid, NULL, 13);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	expect_flow(_metadata, self, fd, rx, &a0, 11);

	/* Without a scope, no interface is known unless the socket is bound. */
	expect_flow(_metadata, self, fd, rx, &none, 10);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "a0", 3));
	expect_flow(_metadata, self, fd, rx, &none, 11);
	expect_flow(_metadata, self, fd, rx, &a0, 11);
	/* What the address says counts more, as it does for UDP. */
	expect_flow(_metadata, self, fd, rx, &a1, 12);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "a1", 3));
	expect_flow(_metadata, self, fd, rx, &none, 12);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1));

	/* Each goes by its own name: then the next best is found. */
	info = flow_info(&self->packet.dcid, &a0, 11);
	ASSERT_EQ(0, quic_flow_del(fd, &info));
	expect_flow(_metadata, self, fd, rx, &a0, 10);
	expect_flow(_metadata, self, fd, rx, &a1, 12);
	info = flow_info(&self->packet.dcid, &none, 10);
	ASSERT_EQ(0, quic_flow_del(fd, &info));
	expect_flow(_metadata, self, fd, rx, &a0, 13);
	expect_flow(_metadata, self, fd, rx, &a1, 12);
	info = flow_info(&self->packet.dcid, NULL, 13);
	ASSERT_EQ(0, quic_flow_del(fd, &info));
	expect_error(_metadata, self, fd, &a0, ENOENT);
	expect_flow(_metadata, self, fd, rx, &a1, 12);

	/* No other address has a scope. */
	wrong = self->env.to;
	((struct sockaddr_in6 *)&wrong.ss)->sin6_scope_id = if_nametoindex("lo");
	info = flow_info(&self->packet.dcid, &wrong, 14);
	EXPECT_EQ(-1, quic_flow_add(fd, &info));
	EXPECT_EQ(EINVAL, errno);
	info = flow_info(&self->packet.dcid, &self->env.to, 14);
	ASSERT_EQ(0, quic_flow_add(fd, &info));
	expect_flow(_metadata, self, fd, self->env.rx, &wrong, 14);
	close(rx);
}

/* Paths: the same DCID and keys, as after a NAT rebinding */
TEST_F(limits, migration)
{
	struct quic_connection_info old, new;
	struct quic_env *env = &self->env;
	struct quic_addr to;
	int rx = quic_env_receiver(env, &to);

	ASSERT_LE(0, rx);
	old = flow_info(&self->packet.dcid, &env->to, 1);
	new = flow_info(&self->packet.dcid, &to, 1);
	ASSERT_EQ(0, quic_flow_add(env->tx, &old));
	expect_flow(_metadata, self, env->tx, env->rx, &env->to, 1);

	/* Before the key is there, nothing goes to the new address. */
	expect_error(_metadata, self, env->tx, &to, ENOENT);
	ASSERT_EQ(0, quic_flow_add(env->tx, &new));
	expect_flow(_metadata, self, env->tx, rx, &to, 1);
	expect_flow(_metadata, self, env->tx, env->rx, &env->to, 1);
	expect_flow(_metadata, self, env->tx, rx, &to, 1);

	/* Each flow watches its own numbers. */
	self->packet.pn--;
	expect_error(_metadata, self, env->tx, &to, ERANGE);
	self->packet.pn++;

	ASSERT_EQ(0, quic_flow_del(env->tx, &old));
	expect_error(_metadata, self, env->tx, &env->to, ENOENT);
	expect_flow(_metadata, self, env->tx, rx, &to, 1);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSw"));
	close(rx);
}

TEST_HARNESS_MAIN
