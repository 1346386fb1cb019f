// SPDX-License-Identifier: GPL-2.0
/* Races for the flows of a socket, their keys and their packet numbers. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race.h"

#define LIMIT		10
#define SOCKETS		4
#define FLOWS		4	/* all ciphers */
#define MANY		100000
#define MANY_SHORT	2000

struct shared {
	int fd[SOCKETS];
	long flows_added;
	unsigned int to_add, to_delete;
};

FIXTURE(race_flows) {
	struct quic_race race;
	struct shared *shared;
};

FIXTURE_VARIANT(race_flows) {
	int family;
};

FIXTURE_VARIANT_ADD(race_flows, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_flows, ipv6) { AF_INET6 };

static unsigned int many(void)
{
	const char *seconds = getenv("QUIC_TORTURE_SECONDS");

	return seconds && atoi(seconds) >= 30 ? MANY : MANY_SHORT;
}

FIXTURE_SETUP(race_flows)
{
	unsigned int i;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family, many()));
	self->race.num_flows = FLOWS;
	self->shared = quic_race_alloc(sizeof(*self->shared));
	self->race.own = self->shared;
	self->shared->fd[0] = self->race.env.tx;
	for (i = 1; i < SOCKETS; i++)
		self->shared->fd[i] = quic_env_socket(&self->race.env);
	/* Without the ULP there would be other errors. */
	for (i = 0; i < SOCKETS; i++)
		ASSERT_EQ(0, quic_race_attach(self->shared->fd[i]));
}

FIXTURE_TEARDOWN(race_flows)
{
	unsigned int i;

	for (i = 1; i < SOCKETS; i++)
		close(self->shared->fd[i]);
	EXPECT_TRUE(quic_race_close(&self->race));
}

static int send_train(struct quic_race *race, unsigned int *seed)
{
	return quic_race_send(race->env.tx, &race->env.to,
			      quic_race_any_flow(race, seed), seed);
}

static int delete_all(struct quic_race *race, unsigned int *seed)
{
	/* The others are to have flows most of the time. */
	usleep(rand_r(seed) % 10000);
	return setsockopt(race->env.tx, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION,
			  NULL, 0) ? errno : 0;
}

static int look_at_flow(struct quic_race *race, unsigned int *seed)
{
	return quic_race_flow_look(race->env.tx, quic_race_any_flow(race, seed),
				   QUIC_CAP_TX);
}

TEST_F_TIMEOUT(race_flows, update_and_delete, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ENOENT, ENOKEY, ERANGE, 0 };
	static const int updates[] = { EEXIST, EINVAL, 0 };
	static const int deletes[] = { ENOENT, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_train, sends, 4 },
		{ "update", quic_race_update, updates, 2 },
		{ "delete", quic_race_delete, deletes, 1 },
		{ "delete all", delete_all, NULL, 1 },
		{ "look at a flow", look_at_flow, deletes, 1 },
		{ "look", quic_race_diag, NULL, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/* A flow for one destination comes and goes before one for any destination. */

static int add_and_delete(struct quic_race *race, unsigned int *seed)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_audit_keys(&keys, race->flows[0].dcid.id, 0);
	quic_flow_info(&info, &keys, &race->flows[0].dcid, &race->env.to);
	return quic_flow_add(race->env.tx, &info) ||
	       quic_flow_del(race->env.tx, &info) ? errno : 0;
}

TEST_F_TIMEOUT(race_flows, another_flow_matches, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_train, sends, 4 },
		{ "add and delete", add_and_delete, NULL, 1 },
	};

	self->race.num_flows = 1;
	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/*
 * Senders with the same packet numbers, while sends fail before and after UDP
 * has taken the train: of a number there is one packet at most.
 */

static int send_same_numbers(struct quic_race *race, unsigned int *seed,
			     bool fails)
{
	static __thread struct quic_train train;
	struct quic_race_flow *flow = quic_race_any_flow(race, seed);
	uint64_t pn, next, end;
	struct quic_msghdr hdr;
	struct quic_addr to;
	struct quic_msg msg;
	struct iovec iov[2];
	int err = 0;

	pn = __atomic_load_n(&flow->next, __ATOMIC_RELAXED);
	/* Now and then behind a gap, in which others find theirs free */
	pn += rand_r(seed) & rand_r(seed) & 7;
	quic_race_train(&train, flow, pn, seed);
	/* It has no route, or its last byte is nowhere. */
	to = race->env.to;
	if (fails && rand_r(seed) & 1) {
		to = quic_env_away(&race->env);
		fails = false;
	}
	msg = quic_msg(race->env.tx, &to, &train);
	quic_msghdr_init(&hdr, &msg);
	if (fails) {
		iov[0] = hdr.iov;
		iov[0].iov_len--;
		iov[1] = (struct iovec) { NULL, 1 };
		hdr.mh.msg_iov = iov;
		hdr.mh.msg_iovlen = 2;
	}
	if (sendmsg(msg.fd, &hdr.mh, 0) < 0)
		err = errno;

	/* These numbers are free, the first is used, or all are. */
	end = pn;
	if (err != EFAULT && err != ENETUNREACH)
		end += err ? 1 : train.count;
	next = __atomic_load_n(&flow->next, __ATOMIC_RELAXED);
	while (next < end &&
	       !__atomic_compare_exchange_n(&flow->next, &next, end, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return err;
}

static int send_used(struct quic_race *race, unsigned int *seed)
{
	return send_same_numbers(race, seed, false);
}

static int fail_to_send(struct quic_race *race, unsigned int *seed)
{
	return send_same_numbers(race, seed, true);
}

/* UDP refuses trains of sockets without checksums when it has got them. */
static int toggle_checksums(struct quic_race *race, unsigned int *seed)
{
	int off = 1, on = 0, i;

	for (i = 0; i < 2; i++) {
		/* The socket may be of either family. */
		setsockopt(race->env.tx, SOL_SOCKET, SO_NO_CHECK,
			   i ? &on : &off, sizeof(on));
		setsockopt(race->env.tx, SOL_UDP, UDP_NO_CHECK6_TX,
			   i ? &on : &off, sizeof(on));
		usleep(rand_r(seed) % 1000);
	}
	usleep(rand_r(seed) % 10000);
	return 0;
}

TEST_F_TIMEOUT(race_flows, same_numbers, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ERANGE, EINVAL, 0 };
	static const int fails[] = { EFAULT, ENETUNREACH, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_used, sends, 4 },
		{ "fail to send", fail_to_send, fails, 2, true },
		{ "toggle checksums", toggle_checksums, NULL, 1 },
	};

	/* Always in each other's way */
	self->race.num_flows = 1;
	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/* The limit of a user is reached from several sockets. */

static int add_or_delete(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	struct quic_race_flow *flow = quic_race_any_flow(race, seed);
	int fd = shared->fd[rand_r(seed) % SOCKETS], err;

	if (rand_r(seed) % 5 < 3) {
		err = quic_race_flow_add(fd, flow, 0);
		if (!err)
			__atomic_add_fetch(&shared->flows_added, 1,
					   __ATOMIC_RELAXED);
	} else {
		err = quic_race_flow_del(fd, flow);
		if (!err)
			__atomic_sub_fetch(&shared->flows_added, 1,
					   __ATOMIC_RELAXED);
	}
	return err;
}

static int send_somewhere(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_race_send(shared->fd[rand_r(seed) % SOCKETS],
			      &race->env.to, quic_race_any_flow(race, seed),
			      seed);
}

TEST_F_TIMEOUT(race_flows, limit, QUIC_RACE_TIMEOUT)
{
	static const int errs[] = { ENOBUFS, EEXIST, ENOENT, 0 };
	static const int sends[] = { ENOENT, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "add and delete", add_or_delete, errs, 6 },
		{ "send", send_somewhere, sends, 2 },
	};
	struct shared *shared = self->shared;
	unsigned int seed = 1, i;

	ASSERT_EQ(0, quic_race_limit(LIMIT));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	EXPECT_EQ(shared->flows_added, quic_stat("QuicCurrTxSw"));

	/* Exactly as many as are left */
	for (i = 0; i < 10000; i++)
		add_or_delete(&self->race, &seed);
	for (i = 0; i < SOCKETS * FLOWS; i++)
		quic_race_flow_add(shared->fd[i / FLOWS],
				   &self->race.flows[i % FLOWS], 0);
	EXPECT_EQ(LIMIT, quic_stat("QuicCurrTxSw"));
}

/* Many flows come and go. */

static int add_next(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	unsigned int i;

	i = __atomic_fetch_add(&shared->to_add, 1, __ATOMIC_RELAXED);
	return quic_race_flow_add(race->env.tx,
				  &race->flows[i % race->num_flows], 0);
}

static int delete_next(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	unsigned int i;

	i = __atomic_fetch_add(&shared->to_delete, 1, __ATOMIC_RELAXED);
	return quic_race_flow_del(race->env.tx,
				  &race->flows[i % race->num_flows]);
}

TEST_F_TIMEOUT(race_flows, many, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ENOENT, ERANGE, 0 };
	static const int adds[] = { EEXIST, 0 };
	static const int deletes[] = { ENOENT, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_train, sends, 3 },
		{ "add", add_next, adds, 2 },
		{ "delete", delete_next, deletes, 1 },
	};
	unsigned int i;

	self->race.num_flows = many();
	for (i = 0; i < many(); i++) {
		ASSERT_EQ(0, add_next(&self->race, NULL)) {
			TH_LOG("flow %u: %s", i, strerror(errno));
		}
	}
	EXPECT_EQ(many(), quic_stat("QuicCurrTxSw"));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

TEST_HARNESS_MAIN
