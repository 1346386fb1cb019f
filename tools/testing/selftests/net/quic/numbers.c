// SPDX-License-Identifier: GPL-2.0
/*
 * No two packets with one number: when numbers may be used again after a
 * failure, when not, and when a key is worn out.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "kselftest_harness.h"
#include "quic_expect.h"

#define DCID_LEN	8
#define COUNT		5
#define MAX_PACKETS	"/sys/module/quic/parameters/max_packets_per_key"

FIXTURE(numbers) {
	struct quic_env env;
	struct quic_oracle *phase[2];
	struct quic_packet packet;
	struct quic_train train;
	char max_packets[32];		/* to be restored */
};

FIXTURE_VARIANT(numbers) {
	int family;
};

FIXTURE_VARIANT_ADD(numbers, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(numbers, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(numbers, mapped) { QUIC_MAPPED };

/* The next generation of the flow, 0 or 1 */
static int add_generation(FIXTURE_DATA(numbers) *self, uint8_t generation)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, generation);
	self->phase[generation] = quic_oracle_new(&keys);
	quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
	return quic_flow_add(self->env.tx, &info);
}

FIXTURE_SETUP(numbers)
{
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 5000,
		.pn_len = 4,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	ASSERT_EQ(0, add_generation(self, 0));
}

FIXTURE_TEARDOWN(numbers)
{
	if (self->max_packets[0])
		quic_env_write_file(MAX_PACKETS, self->max_packets);
	quic_oracle_free(self->phase[0]);
	if (self->phase[1])
		quic_oracle_free(self->phase[1]);
	quic_env_close(&self->env);
}

/* @count new packets that nothing is known of yet */
static struct quic_msg next_train(FIXTURE_DATA(numbers) *self,
				  unsigned int count)
{
	self->packet.pn += 1000;
	quic_train_build(&self->train, self->packet, count, 0);
	return quic_msg(self->env.tx, &self->env.to, &self->train);
}

static void change_contents(struct quic_train *train)
{
	unsigned int i;

	for (i = 0; i < train->count; i++)
		train->buf[train->at[i + 1] - 1] ^= 0xff;
}

#define EXPECT_REFUSED(err, msg) \
	quic_expect_error(_metadata, &self->env, msg, err, 1)
#define EXPECT_SENT(msg) \
	quic_expect_sent(_metadata, &self->env, self->phase, &self->train, msg)

/* After a failure: the same numbers, @other contents, and then no more. */
static void expect_retry(struct __test_metadata *_metadata,
			 FIXTURE_DATA(numbers) *self,
			 const struct quic_msg *msg, bool other)
{
	if (other)
		change_contents(&self->train);
	EXPECT_SENT(msg);
	EXPECT_REFUSED(ERANGE, msg);
}

/* Failures that leave the numbers alone */

TEST_F(numbers, send_buffer_full)
{
	struct quic_msg msg;
	int other;

	for (other = 0; other < 2; other++) {
		msg = next_train(self, COUNT);
		ASSERT_EQ(0, quic_env_fill(&self->env));
		msg.flags = MSG_DONTWAIT;
		quic_expect_error(_metadata, &self->env, &msg, EAGAIN, 0);
		ASSERT_EQ(0, quic_env_drain(&self->env));
		expect_retry(_metadata, self, &msg, other);
	}
}

/* UDP notices while it makes fragments of what it has in part taken. */
TEST_F(numbers, send_buffer_too_small)
{
	int small = 1, large = 1 << 20, other;
	struct quic_msg msg;

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	self->packet.len = 60000;
	for (other = 0; other < 2; other++) {
		msg = next_train(self, 1);
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF,
					&small, sizeof(small)));
		EXPECT_REFUSED(ENOBUFS, &msg);
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF,
					&large, sizeof(large)));
		expect_retry(_metadata, self, &msg, other);
	}
}

/* There is no route as long as nothing has been filled. */
TEST_F(numbers, no_route)
{
	struct quic_addr nowhere = quic_env_away(&self->env);
	struct quic_msg msg;
	int other;

	for (other = 0; other < 2; other++) {
		msg = next_train(self, COUNT);
		msg.to = &nowhere;
		EXPECT_REFUSED(ENETUNREACH, &msg);
		msg.to = &self->env.to;
		expect_retry(_metadata, self, &msg, other);
	}
}

/* One packet, larger than the MTU, not to be fragmented */
TEST_F(numbers, packet_larger_than_mtu)
{
	int ip = IP_PMTUDISC_DO, ipv6 = IPV6_PMTUDISC_DO;
	struct quic_msg msg;
	int other;

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_IP, IP_MTU_DISCOVER, &ip,
				sizeof(ip)));
	if (variant->family != AF_INET)
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_IPV6,
					IPV6_MTU_DISCOVER, &ipv6, sizeof(ipv6)));
	for (other = 0; other < 2; other++) {
		self->packet.len = 1500;
		msg = next_train(self, 1);
		EXPECT_REFUSED(EMSGSIZE, &msg);
		/* Shorter, as a library would have it, or on another path */
		if (other) {
			self->packet.len = 1400;
			quic_train_build(&self->train, self->packet, 1, 0);
			msg = quic_msg(self->env.tx, &self->env.to, &self->train);
			expect_retry(_metadata, self, &msg, true);
		} else {
			ASSERT_EQ(0, system("ip link set lo mtu 1600"));
			expect_retry(_metadata, self, &msg, false);
			ASSERT_EQ(0, system("ip link set lo mtu 1500"));
		}
	}
}

/* A page that is missing, from the first packet to the last */
TEST_F(numbers, unreadable_memory)
{
	size_t page = sysconf(_SC_PAGESIZE), pages = 12, i;
	struct quic_msg msg;
	uint8_t *memory;
	int other;

	memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	self->packet.len = 1436;
	for (i = 0; i < pages - 1; i++) {
		for (other = 0; other < 2; other++) {
			msg = next_train(self, 30);
			msg.buf = memory + 100;
			memcpy(memory + 100, self->train.buf, msg.len);
			ASSERT_EQ(0, munmap(memory + i * page, page));
			EXPECT_REFUSED(EFAULT, &msg);
			ASSERT_EQ(memory + i * page,
				  mmap(memory + i * page, page,
				       PROT_READ | PROT_WRITE, MAP_PRIVATE |
				       MAP_ANONYMOUS | MAP_FIXED, -1, 0));
			if (other)
				change_contents(&self->train);
			memcpy(memory + 100, self->train.buf, msg.len);
			EXPECT_SENT(&msg);
		}
	}

	/* No more than the very last byte */
	msg = next_train(self, COUNT);
	ASSERT_EQ(0, munmap(memory + (pages - 1) * page, page));
	memcpy(memory + (pages - 1) * page - msg.len + 1, self->train.buf,
	       msg.len - 1);
	msg.buf = memory + (pages - 1) * page - msg.len + 1;
	EXPECT_REFUSED(EFAULT, &msg);
	msg.buf = self->train.buf;
	expect_retry(_metadata, self, &msg, true);
	munmap(memory, (pages - 1) * page);
}

/* Failures after which part may have left */

/* The segments are cut before their size is compared. */
TEST_F(numbers, segments_larger_than_mtu)
{
	struct quic_msg msg;

	ASSERT_EQ(0, system("ip link set lo mtu 1500"));
	self->packet.len = 1500;
	msg = next_train(self, COUNT);
	EXPECT_REFUSED(EMSGSIZE, &msg);
	EXPECT_REFUSED(ERANGE, &msg);
	change_contents(&self->train);
	EXPECT_REFUSED(ERANGE, &msg);

	self->packet.len = 1400;
	quic_train_build(&self->train, self->packet, COUNT, 0);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	EXPECT_REFUSED(ERANGE, &msg);
	msg = next_train(self, COUNT);
	EXPECT_SENT(&msg);
}

/* A queue drops what UDP has given away. */
TEST_F(numbers, dropped_by_the_queue)
{
	struct quic_msg msg;
	int one = 1;

	if (system("tc qdisc add dev lo root netem limit 1 delay 100s 2> /dev/null"))
		SKIP(return, "needs tc and CONFIG_NET_SCH_NETEM");
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_IP, IP_RECVERR, &one,
				sizeof(one)));
	if (variant->family != AF_INET)
		ASSERT_EQ(0, setsockopt(self->env.tx, SOL_IPV6, IPV6_RECVERR,
					&one, sizeof(one)));
	/* It keeps the first. */
	msg = next_train(self, 1);
	ASSERT_EQ(msg.len, quic_send(&msg));

	msg = next_train(self, 1);
	EXPECT_REFUSED(ENOBUFS, &msg);
	EXPECT_REFUSED(ERANGE, &msg);
	change_contents(&self->train);
	EXPECT_REFUSED(ERANGE, &msg);
	ASSERT_EQ(0, system("tc qdisc del dev lo root"));
	EXPECT_REFUSED(ERANGE, &msg);
	msg = next_train(self, COUNT);
	EXPECT_SENT(&msg);
}

/* Two processes with the same numbers on one socket */

#define ROUNDS		200
#define ROUND_NUMBERS	12	/* in each round, for each process */

struct race {
	unsigned int round[2];
	unsigned int sent[2];
	unsigned int refused[2];
	unsigned int failed[2];
};

static void race_send(const FIXTURE_DATA(numbers) *self, struct race *race,
		      int me, unsigned int count, uint64_t first)
{
	struct quic_packet packet = self->packet;
	static struct quic_train train;
	unsigned int round, i;
	struct quic_msg msg;

	for (round = 0; round < ROUNDS; round++) {
		__atomic_store_n(&race->round[me], round + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&race->round[!me], __ATOMIC_ACQUIRE) <=
		       round)
			sched_yield();
		for (i = 0; i < ROUND_NUMBERS; i += count) {
			packet.pn = first + round * ROUND_NUMBERS + i;
			quic_train_build(&train, packet, count, 0);
			msg = quic_msg(self->env.tx, &self->env.to, &train);
			if (quic_send(&msg) == train.len)
				race->sent[me] += count;
			else if (errno == ERANGE)
				race->refused[me]++;
			else
				race->failed[me]++;
		}
	}
}

/* Returns how many numbers were used. */
static unsigned int race(struct __test_metadata *_metadata,
			 FIXTURE_DATA(numbers) *self,
			 const unsigned int count[2])
{
	uint8_t used[ROUNDS * ROUND_NUMBERS] = {};
	uint64_t first = self->packet.pn, pn;
	uint8_t seen[2000], plain[2000];
	unsigned int received = 0, i;
	long before;
	struct race *race;
	pid_t child[2];
	ssize_t len;
	int status;

	self->packet.len = 100;
	before = quic_stat("QuicTxSwError");
	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race == MAP_FAILED)
		return 0;
	for (i = 0; i < 2; i++) {
		child[i] = fork();
		if (!child[i]) {
			race_send(self, race, i, count[i], first);
			_exit(0);
		}
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
		EXPECT_EQ(0, race->failed[i]);
	}
	/* Neither had it all. */
	EXPECT_LT(0, race->sent[0]);
	EXPECT_LT(0, race->sent[1]);
	EXPECT_EQ(before + race->refused[0] + race->refused[1],
		  quic_stat("QuicTxSwError"));

	for (;;) {
		len = recv(self->env.rx, seen, sizeof(seen), MSG_DONTWAIT);
		if (len < 0)
			break;
		pn = first;
		len = quic_oracle_open(self->phase[0], &pn, DCID_LEN, seen, len,
				       plain);
		EXPECT_EQ(self->packet.len, len);
		EXPECT_LE(first, pn);
		EXPECT_GT(first + sizeof(used), pn);
		if (pn - first >= sizeof(used))
			break;
		EXPECT_EQ(0, used[pn - first]) {
			TH_LOG("number %llu twice", (unsigned long long)pn);
		}
		used[pn - first] = 1;
		received++;
	}
	EXPECT_EQ(race->sent[0] + race->sent[1], received);
	munmap(race, sizeof(*race));
	return received;
}

/* Of two with equal trains one succeeds. */
TEST_F(numbers, race_of_equal_trains)
{
	static const unsigned int one[2] = { 1, 1 }, three[2] = { 3, 3 };

	EXPECT_EQ(ROUNDS * ROUND_NUMBERS, race(_metadata, self, one));
	self->packet.pn += ROUNDS * ROUND_NUMBERS;
	EXPECT_EQ(ROUNDS * ROUND_NUMBERS, race(_metadata, self, three));
}

TEST_F(numbers, race_of_overlapping_trains)
{
	static const unsigned int counts[2] = { 2, 3 };

	EXPECT_LT(0, race(_metadata, self, counts));
}

/* Interrupted by a signal */

#define TICKS	3

static volatile sig_atomic_t ticks;
static int tick_fd;

/* The signals come to nothing until the last makes room. */
static void tick(int sig)
{
	int size = 1 << 20;

	if (++ticks == TICKS)
		setsockopt(tick_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int start_ticking(int fd, int flags)
{
	struct sigaction action = { .sa_handler = tick, .sa_flags = flags };
	struct itimerval timer = {
		.it_value.tv_usec = 50000,
		.it_interval.tv_usec = 50000,
	};

	ticks = 0;
	tick_fd = fd;
	return sigaction(SIGALRM, &action, NULL) ?:
	       setitimer(ITIMER_REAL, &timer, NULL);
}

static int stop_ticking(void)
{
	struct itimerval never = {};

	return setitimer(ITIMER_REAL, &never, NULL);
}

TEST_F(numbers, interrupted_and_restarted)
{
	struct quic_msg msg = next_train(self, COUNT);
	long before = quic_stat("QuicTxSwError");

	ASSERT_EQ(0, quic_env_fill(&self->env));
	ASSERT_EQ(0, start_ticking(self->env.tx, SA_RESTART));
	ASSERT_EQ(msg.len, quic_send(&msg)) {
		TH_LOG("%s", strerror(errno));
	}
	ASSERT_EQ(0, stop_ticking());
	EXPECT_EQ(TICKS, ticks);
	EXPECT_EQ(COUNT, quic_receive(self->env.rx, self->phase, &self->train));
	EXPECT_EQ(before, quic_stat("QuicTxSwError"));
	EXPECT_EQ(false, quic_env_wire(&self->env).marker);
	EXPECT_REFUSED(ERANGE, &msg);
}

TEST_F(numbers, interrupted)
{
	struct quic_msg msg;
	int other;

	for (other = 0; other < 2; other++) {
		msg = next_train(self, COUNT);
		ASSERT_EQ(0, quic_env_fill(&self->env));
		ASSERT_EQ(0, start_ticking(self->env.tx, 0));
		quic_expect_error(_metadata, &self->env, &msg, EINTR, 0);
		ASSERT_EQ(0, stop_ticking());
		ASSERT_LE(1, ticks);
		ASSERT_EQ(0, quic_env_drain(&self->env));
		expect_retry(_metadata, self, &msg, other);
	}
}

/* A call that would time out is not restarted. */
TEST_F(numbers, interrupted_with_timeout)
{
	struct timeval timeout = { .tv_sec = 10 };
	struct quic_msg msg = next_train(self, COUNT);

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDTIMEO, &timeout,
				sizeof(timeout)));
	ASSERT_EQ(0, quic_env_fill(&self->env));
	ASSERT_EQ(0, start_ticking(self->env.tx, SA_RESTART));
	quic_expect_error(_metadata, &self->env, &msg, EINTR, 0);
	ASSERT_EQ(0, stop_ticking());
	ASSERT_EQ(0, quic_env_drain(&self->env));
	expect_retry(_metadata, self, &msg, true);
}

/*
 * A queue keeps each train for a while, the send buffer has room for one.  Of
 * the senders that wake up one is first, and the others wait in UDP, with their
 * packets protected: that is where most signals find them.
 */
#define SENDERS		4
#define TRAINS		15
#define IN_QUEUE	20000000	/* ns */
#define BETWEEN_SIGNALS	3000		/* us */

static void ignore(int sig)
{
}

static int send_interrupted(const FIXTURE_DATA(numbers) *self,
			    const struct quic_dcid *dcid)
{
	struct sigaction action = {
		.sa_handler = ignore,
		.sa_flags = SA_RESTART,
	};
	struct itimerval timer = {
		.it_value.tv_usec = BETWEEN_SIGNALS,
		.it_interval.tv_usec = BETWEEN_SIGNALS,
	};
	struct quic_packet packet = self->packet;
	static struct quic_train train;
	struct quic_msghdr hdr;
	struct timespec now;
	struct quic_msg msg;
	uint64_t txtime;
	int i;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	packet.dcid = *dcid;
	for (i = 0; i < TRAINS; i++) {
		quic_train_build(&train, packet, COUNT, 0);
		msg = quic_msg(self->env.tx, &self->env.to, &train);
		quic_msghdr_init(&hdr, &msg);
		clock_gettime(CLOCK_MONOTONIC, &now);
		txtime = now.tv_sec * 1000000000ULL + now.tv_nsec + IN_QUEUE;
		quic_cmsg_put(&hdr.mh, SOL_SOCKET, SCM_TXTIME, &txtime,
			      sizeof(txtime));
		if (sendmsg(msg.fd, &hdr.mh, 0) != msg.len)
			return errno;
		packet.pn += COUNT;
	}
	return 0;
}

TEST_F(numbers, interrupted_after_protection)
{
	struct sock_txtime option = { .clockid = CLOCK_MONOTONIC };
	struct quic_connection_info info;
	struct quic_oracle *oracle[SENDERS];
	uint8_t seen[2000], plain[2000];
	bool used[SENDERS][TRAINS * COUNT] = {};
	struct quic_dcid dcid[SENDERS];
	pid_t child[SENDERS];
	struct quic_keys keys;
	int size = 1, status, i, n;
	uint64_t pn;
	ssize_t len;

	if (system("tc qdisc add dev lo root fq 2> /dev/null"))
		SKIP(return, "needs tc and CONFIG_NET_SCH_FQ");
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_TXTIME, &option,
				sizeof(option)));
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	for (i = 0; i < SENDERS; i++) {
		quic_dcid_init(&dcid[i], DCID_LEN, 1 + i);
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 2 + i, 0);
		oracle[i] = quic_oracle_new(&keys);
		quic_flow_info(&info, &keys, &dcid[i], NULL);
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	}
	for (i = 0; i < SENDERS; i++) {
		child[i] = fork();
		if (!child[i])
			_exit(send_interrupted(self, &dcid[i]));
	}
	for (i = 0; i < SENDERS; i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		ASSERT_EQ(0, status) {
			TH_LOG("%s", strerror(WEXITSTATUS(status)));
		}
	}
	EXPECT_EQ(0, quic_stat("QuicTxSwError"));

	for (n = 0; n < SENDERS * TRAINS * COUNT; n++) {
		len = recv(self->env.rx, seen, sizeof(seen), 0);
		ASSERT_EQ(self->packet.len + QUIC_TAG_SIZE, len);
		for (i = 0; i < SENDERS; i++)
			if (!memcmp(seen + 1, dcid[i].id, DCID_LEN))
				break;
		ASSERT_GT(SENDERS, i);
		pn = self->packet.pn;
		ASSERT_EQ(self->packet.len,
			  quic_oracle_open(oracle[i], &pn, DCID_LEN, seen, len,
					   plain));
		pn -= self->packet.pn;
		ASSERT_GT(TRAINS * COUNT, pn);
		ASSERT_EQ(false, used[i][pn]);
		used[i][pn] = true;
	}
	for (i = 0; i < SENDERS; i++)
		quic_oracle_free(oracle[i]);
}

/* The confidentiality limit */

/* How many packets a key may protect, until the end of the test */
static int lower_limit(FIXTURE_DATA(numbers) *self, const char *packets)
{
	int fd = open(MAX_PACKETS, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, self->max_packets, sizeof(self->max_packets) - 1);
	close(fd);
	return len > 0 ? quic_env_write_file(MAX_PACKETS, packets) : -1;
}

TEST_F(numbers, worn_out_key)
{
	struct quic_msg msg;

	ASSERT_EQ(0, lower_limit(self, "20"));

	msg = next_train(self, 17);
	EXPECT_SENT(&msg);
	/* One too many refuses the train, */
	msg = next_train(self, 4);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
	/* and counts for nothing. */
	quic_train_build(&self->train, self->packet, 3, 0);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	EXPECT_SENT(&msg);
	EXPECT_REFUSED(ERANGE, &msg);
	msg = next_train(self, 1);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);

	/* The next key begins at 0, ... */
	ASSERT_EQ(0, add_generation(self, 1));
	self->packet.flags |= QUIC_KEY_PHASE;
	msg = next_train(self, 20);
	EXPECT_SENT(&msg);
	msg = next_train(self, 1);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
	/* the old one is still worn out, ... */
	self->packet.flags &= ~QUIC_KEY_PHASE;
	msg = next_train(self, 1);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);

	/* until the administrator thinks otherwise. */
	ASSERT_EQ(0, quic_env_write_file(MAX_PACKETS, "21"));
	EXPECT_SENT(&msg);
	msg = next_train(self, 1);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
}

/* What was not sent does not wear a key out. */
TEST_F(numbers, failures_do_not_wear_out)
{
	struct quic_addr nowhere = quic_env_away(&self->env);
	struct quic_msg msg;
	int i;

	ASSERT_EQ(0, lower_limit(self, "20"));
	msg = next_train(self, 15);
	msg.to = &nowhere;
	for (i = 0; i < 10; i++)
		EXPECT_REFUSED(ENETUNREACH, &msg);
	msg.to = &self->env.to;
	EXPECT_SENT(&msg);
	msg = next_train(self, 5);
	EXPECT_SENT(&msg);
	msg = next_train(self, 1);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
}

/* A train with both keys, of which the second does not serve */
static struct quic_msg both_phases(FIXTURE_DATA(numbers) *self)
{
	struct quic_packet packet = self->packet;
	unsigned int i;

	self->train.count = 0;
	for (i = 0; i < 2 * COUNT; i++, packet.pn++) {
		packet.flags = QUIC_FIXED_BIT;
		if (i >= COUNT)
			packet.flags |= QUIC_KEY_PHASE;
		quic_train_add(&self->train, &packet);
	}
	return quic_msg(self->env.tx, &self->env.to, &self->train);
}

/* The numbers that the first key would have used are free. */
static void expect_first_unharmed(struct __test_metadata *_metadata,
				  FIXTURE_DATA(numbers) *self)
{
	struct quic_msg msg;

	self->packet.flags = QUIC_FIXED_BIT;
	quic_train_build(&self->train, self->packet, COUNT, 0);
	change_contents(&self->train);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	EXPECT_SENT(&msg);
	EXPECT_REFUSED(ERANGE, &msg);
}

TEST_F(numbers, second_key_worn_out)
{
	struct quic_msg msg;

	ASSERT_EQ(0, add_generation(self, 1));
	ASSERT_EQ(0, lower_limit(self, "20"));
	self->packet.flags |= QUIC_KEY_PHASE;
	msg = next_train(self, 20 - COUNT + 1);
	EXPECT_SENT(&msg);

	self->packet.pn += 1000;
	msg = both_phases(self);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
	expect_first_unharmed(_metadata, self);
	/* It has not been worn out, */
	msg = next_train(self, 20 - COUNT);
	EXPECT_SENT(&msg);
	msg = next_train(self, 1);
	EXPECT_REFUSED(EKEYEXPIRED, &msg);
	/* nor has the second been used. */
	self->packet.flags |= QUIC_KEY_PHASE;
	self->packet.pn -= 2000;
	quic_train_build(&self->train, self->packet, COUNT - 1, 0);
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	EXPECT_SENT(&msg);
}

TEST_F(numbers, number_used_by_second_key)
{
	struct quic_msg msg;

	ASSERT_EQ(0, add_generation(self, 1));
	self->packet.flags |= QUIC_KEY_PHASE;
	msg = next_train(self, 1);
	EXPECT_SENT(&msg);

	self->packet.pn -= 2 * COUNT - 1;
	msg = both_phases(self);
	EXPECT_REFUSED(ERANGE, &msg);
	expect_first_unharmed(_metadata, self);
}

TEST_HARNESS_MAIN
