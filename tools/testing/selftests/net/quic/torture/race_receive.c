// SPDX-License-Identifier: GPL-2.0
/*
 * Races for what a socket receives: readers of one socket, whose flows come and
 * go and whose keys are updated.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race_pool.h"

#define WAITS	{ .tv_usec = 20000 }	/* readers, so that they come to an end */

struct shared {
	struct quic_pool *pool;
	unsigned int generation[QUIC_POOL_FLOWS];	/* the newest */
};

FIXTURE(race_receive) {
	struct quic_race race;
	struct shared *shared;
	struct quic_pool *pool;
	struct quic_rx_counters before;
};

FIXTURE_VARIANT(race_receive) {
	int family;
	int gro;		/* trains are received whole */
};

FIXTURE_VARIANT_ADD(race_receive, ipv4) { AF_INET, 1 };
FIXTURE_VARIANT_ADD(race_receive, ipv6_singly) { AF_INET6, 0 };

FIXTURE_SETUP(race_receive)
{
	struct sockaddr_in6 *to = (void *)&self->race.env.to.ss;
	struct timeval waits = WAITS;
	int fd;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family,
				    QUIC_POOL_FLOWS));
	self->race.brief = true;
	/* Some of what is sent can't be opened.  Nothing may be plain. */
	quic_audit_port(self->race.audit, to->sin6_port, QUIC_AUDIT_BYTES);
	fd = self->race.env.rx;
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &waits,
				sizeof(waits)));
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_GRO, &variant->gro,
				sizeof(variant->gro)));
	ASSERT_EQ(0, quic_race_attach(fd));
	self->shared = quic_race_alloc(sizeof(*self->shared));
	self->race.own = self->shared;
	self->pool = quic_pool_new(&self->race);
	self->shared->pool = self->pool;
	self->before = quic_rx_counters();
}

FIXTURE_TEARDOWN(race_receive)
{
	quic_pool_free(self->pool);
	EXPECT_TRUE(quic_race_close(&self->race));
}

static int send_flow(struct quic_race *race, unsigned int flow,
		     unsigned int ahead, unsigned int *seed)
{
	struct shared *shared = race->own;
	unsigned int generation;

	if (!quic_pool_room(race->env.rx)) {
		usleep(1000);
		return EAGAIN;
	}
	generation = __atomic_load_n(&shared->generation[flow],
				     __ATOMIC_RELAXED) + ahead;
	return quic_pool_send(shared->pool, race->env.tx, &race->env.to, flow,
			      generation, seed);
}

/* Mostly of the newest generation, else of the one before or after it */
static int send_any(struct quic_race *race, unsigned int *seed)
{
	static const int ahead[] = { 0, 0, 0, 0, 1, -1 };
	unsigned int flow = rand_r(seed) % QUIC_POOL_FLOWS;

	return send_flow(race, flow, ahead[rand_r(seed) % ARRAY_SIZE(ahead)],
			 seed);
}

/* Readers wait for a message, or do not. */
static int wait_or_not(unsigned int *seed)
{
	return rand_r(seed) % 4 ? MSG_DONTWAIT : 0;
}

static int read_any(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_pool_receive(shared->pool, race->env.rx, QUIC_POOL_ANY,
				 true, wait_or_not(seed));
}

static int peek_any(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_pool_receive(shared->pool, race->env.rx, QUIC_POOL_ANY,
				 rand_r(seed) & 1, MSG_PEEK | MSG_DONTWAIT);
}

static int read_as_it_came(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	usleep(rand_r(seed) % 1000);
	return quic_pool_receive(shared->pool, race->env.rx, QUIC_POOL_ANY,
				 false, MSG_DONTWAIT);
}

/* What nobody has read; then nothing is missing, and the counters are right. */
static void expect_end(struct __test_metadata *_metadata,
		       FIXTURE_DATA(race_receive) *self, unsigned int may,
		       long dropped)
{
	int err;

	do
		err = quic_pool_receive(self->pool, self->race.env.rx, may,
					true, MSG_DONTWAIT);
	while (!err);
	EXPECT_EQ(EAGAIN, err);
	EXPECT_TRUE(quic_pool_works(self->pool, self->race.env.tx,
				    self->race.env.rx, &self->race.env.to));
	EXPECT_TRUE(quic_pool_adds_up(self->pool, dropped));
	EXPECT_TRUE(quic_pool_counters(self->pool, &self->before));
}

/* Keys are updated until there are no more sealed messages, then start anew. */

static int update_key(struct quic_race *race, unsigned int *seed)
{
	unsigned int flow = rand_r(seed) % QUIC_POOL_FLOWS, next;
	struct shared *shared = race->own;
	int err = 0;

	usleep(rand_r(seed) % 300);
	next = __atomic_load_n(&shared->generation[flow], __ATOMIC_RELAXED) + 1;
	next %= QUIC_POOL_GENERATIONS;
	if (!next)
		quic_pool_del(shared->pool, race->env.rx, flow);
	err = quic_pool_add(shared->pool, race->env.rx, flow, next);
	if (!err)
		__atomic_store_n(&shared->generation[flow], next,
				 __ATOMIC_RELAXED);
	return err;
}

/* A generation that may be there already */
static int add_again(struct quic_race *race, unsigned int *seed)
{
	unsigned int flow = rand_r(seed) % QUIC_POOL_FLOWS, generation;
	struct shared *shared = race->own;

	generation = __atomic_load_n(&shared->generation[flow],
				     __ATOMIC_RELAXED);
	return quic_pool_add(shared->pool, race->env.rx, flow, generation);
}

static int delete_flow(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	usleep(rand_r(seed) % 1000);
	return quic_pool_del(shared->pool, race->env.rx,
			     rand_r(seed) % QUIC_POOL_FLOWS);
}

static int delete_all(struct quic_race *race, unsigned int *seed)
{
	/* The others are to have flows most of the time. */
	usleep(rand_r(seed) % 10000);
	return setsockopt(race->env.rx, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION,
			  NULL, 0) ? errno : 0;
}

static const int reads[] = { EAGAIN, 0 };

static int look_at_flow(struct quic_race *race, unsigned int *seed)
{
	return quic_race_flow_look(race->env.rx, quic_race_any_flow(race, seed),
				   QUIC_CAP_RX);
}

TEST_F_TIMEOUT(race_receive, update_and_delete, QUIC_RACE_TIMEOUT)
{
	static const int adds[] = { EINVAL, 0 };
	static const int deletes[] = { ENOENT, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_any, reads, 2 },
		{ "read", read_any, reads, 3 },
		{ "peek", peek_any, reads, 1 },
		{ "read as it came", read_as_it_came, reads, 1 },
		{ "update", update_key, adds, 2 },
		{ "add again", add_again, adds, 1 },
		{ "delete", delete_flow, deletes, 1 },
		{ "delete all", delete_all, NULL, 1 },
		{ "look at a flow", look_at_flow, deletes, 1 },
		{ "look", quic_race_diag, NULL, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	expect_end(_metadata, self, QUIC_POOL_ANY, 0);
}

/* Flows that nobody deletes: whatever else happens, packets are opened. */

static int send_first(struct quic_race *race, unsigned int *seed)
{
	return send_flow(race, rand_r(seed) % QUIC_POOL_FLOWS, 0, seed);
}

static int read_opened(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_pool_receive(shared->pool, race->env.rx, QUIC_POOL_OPENED,
				 true, wait_or_not(seed));
}

static int peek_opened(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_pool_receive(shared->pool, race->env.rx, QUIC_POOL_OPENED,
				 true, MSG_PEEK | MSG_DONTWAIT);
}

/* The next generation comes to a flow that has the first one alone, as often
 * as there is a flow of which nobody sends anything.
 */
static int come_and_go(struct quic_race *race, unsigned int *seed)
{
	struct quic_race_flow other;
	struct quic_connection_info info;
	struct quic_keys keys;
	unsigned int i;

	quic_race_flow_init(&other, 1000 + rand_r(seed) % 100);
	for (i = 0; i < 3; i++) {
		quic_audit_keys(&keys, other.dcid.id, i);
		quic_flow_info(&info, &keys, &other.dcid, NULL);
		if (quic_rx_flow_add(race->env.rx, &info, 0))
			return errno;
	}
	return quic_rx_flow_del(race->env.rx, &info) ? errno : 0;
}

TEST_F_TIMEOUT(race_receive, other_flows, QUIC_RACE_TIMEOUT)
{
	static const int flows[] = { EINVAL, ENOENT, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_first, reads, 2 },
		{ "read", read_opened, reads, 2 },
		{ "peek", peek_opened, reads, 1 },
		{ "other flows", come_and_go, flows, 2 },
	};

	ASSERT_EQ(0, quic_pool_add_all(self->pool, self->race.env.rx));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	expect_end(_metadata, self, QUIC_POOL_OPENED, 0);
	EXPECT_EQ(0, quic_pool_tally(self->pool)->not_offloaded);
	EXPECT_EQ(0, quic_pool_tally(self->pool)->no_key);
}

/* What no flow matches is dropped, or not; what one matches never is. */

static int toggle_drop(struct quic_race *race, unsigned int *seed)
{
	int on = rand_r(seed) & 1;

	usleep(rand_r(seed) % 500);
	return setsockopt(race->env.rx, SOL_UDP, UDP_QUIC_RX_DROP, &on,
			  sizeof(on)) ? errno : 0;
}

/* One flow is not, another is always there. */
static int add_and_delete(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	int err;

	err = quic_pool_add(shared->pool, race->env.rx, 1, 0);
	usleep(rand_r(seed) % 500);
	return err ?: quic_pool_del(shared->pool, race->env.rx, 1);
}

TEST_F_TIMEOUT(race_receive, drop, QUIC_RACE_TIMEOUT)
{
	static const struct quic_race_party parties[] = {
		{ "send", send_first, reads, 2 },
		{ "read", read_any, reads, 2 },
		{ "peek", peek_any, reads, 3 },
		{ "drop or not", toggle_drop, NULL, 1 },
		{ "add and delete", add_and_delete, NULL, 1 },
	};
	int fd = self->race.env.rx, off = 0;
	long dropped;

	ASSERT_EQ(0, quic_pool_add(self->pool, fd, 0, 0));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP, &off,
				sizeof(off)));
	dropped = quic_rx_counters().dropped - self->before.dropped;
	expect_end(_metadata, self, QUIC_POOL_ANY, dropped);
}

TEST_HARNESS_MAIN
