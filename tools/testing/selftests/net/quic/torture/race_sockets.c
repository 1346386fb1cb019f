// SPDX-License-Identifier: GPL-2.0
/*
 * Races for the socket: it is closed, passed on, connected and corked, and
 * signals arrive, while it sends.
 */

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race.h"
#include "quic_uring.h"

#define FLOWS		4	/* all ciphers */

#define WAITS	{ .tv_usec = 20000 }	/* for the other end of the channel */

struct shared {
	struct quic_addr to[2];		/* two peers */
	int channel[2];			/* for descriptors */
};

FIXTURE(race_sockets) {
	struct quic_race race;
	struct shared *shared;
	int rx;				/* the second peer */
};

FIXTURE_VARIANT(race_sockets) {
	int family;
};

FIXTURE_VARIANT_ADD(race_sockets, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_sockets, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(race_sockets, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(race_sockets)
{
	struct timeval waits = WAITS;
	struct shared *shared;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family, FLOWS));
	shared = quic_race_alloc(sizeof(*shared));
	self->shared = shared;
	self->race.own = shared;
	shared->to[0] = self->race.env.to;
	self->rx = quic_env_receiver(&self->race.env, &shared->to[1]);
	ASSERT_LE(0, self->rx);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, shared->channel));
	ASSERT_EQ(0, setsockopt(shared->channel[0], SOL_SOCKET, SO_SNDTIMEO,
				&waits, sizeof(waits)));
	ASSERT_EQ(0, setsockopt(shared->channel[1], SOL_SOCKET, SO_RCVTIMEO,
				&waits, sizeof(waits)));
}

FIXTURE_TEARDOWN(race_sockets)
{
	close(self->rx);
	close(self->shared->channel[0]);
	close(self->shared->channel[1]);
	EXPECT_TRUE(quic_race_close(&self->race));
}

/* Closing: a new socket takes the place of the old one. */

static int reopen(struct quic_race *race, unsigned int *seed)
{
	int fd = quic_env_socket(&race->env);

	switch (rand_r(seed) % 4) {
	case 0:
		break;
	case 1:
		quic_race_attach(fd);
		break;
	default:
		quic_race_add_flows(race, fd);
	}
	usleep(rand_r(seed) % 1000);
	return quic_race_put_in_slot(fd);
}

static int send_in_slot(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_race_send(QUIC_RACE_SLOT, &shared->to[rand_r(seed) % 2],
			      quic_race_any_flow(race, seed), seed);
}

static int shut_down(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 2000);
	return shutdown(QUIC_RACE_SLOT, SHUT_WR) ? errno : 0;
}

static int pass_on(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_fd_send(shared->channel[0], QUIC_RACE_SLOT) ? errno : 0;
}

/*
 * With descriptors of its own: the last reference may be this one, the one in
 * the channel, or the one of a sender.
 */
static int take_and_send(struct quic_race *race, unsigned int *seed)
{
	static __thread bool alone;
	struct shared *shared = race->own;
	int fd, err = 0;

	if (!alone) {
		if (unshare(CLONE_FILES))
			return errno;
		close(QUIC_RACE_SLOT);
		alone = true;
	}
	fd = quic_fd_receive(shared->channel[1]);
	if (fd < 0)
		return errno;
	if (rand_r(seed) % 4)
		err = quic_race_send(fd, &race->env.to,
				     quic_race_any_flow(race, seed), seed);
	close(fd);
	return err;
}

/* In the system call or by a thread of the kernel */
static int send_by_io_uring(struct quic_race *race, unsigned int *seed)
{
	int flags = rand_r(seed) & 1 ? IOSQE_ASYNC : 0, ret;
	static __thread struct quic_uring ring;
	static __thread struct quic_train train;
	struct quic_race_flow *flow = quic_race_any_flow(race, seed);
	struct quic_msghdr hdr;
	struct quic_msg msg;
	unsigned int which;

	if (!ring.sq && quic_uring_open(&ring, 1))
		return errno;
	quic_race_train(&train, flow, quic_race_numbers(flow), seed);
	msg = quic_msg(QUIC_RACE_SLOT, &race->env.to, &train);
	quic_msghdr_init(&hdr, &msg);
	quic_uring_queue(&ring, IORING_OP_SENDMSG, msg.fd, &hdr.mh, 0, flags,
			 0);
	if (quic_uring_enter(&ring, 1, 0) != 1)
		return errno;
	ret = quic_uring_result(&ring, &which);
	return ret < 0 ? -ret : 0;
}

static int look_at_slot(struct quic_race *race, unsigned int *seed)
{
	return quic_race_flow_look(QUIC_RACE_SLOT,
				   quic_race_any_flow(race, seed), QUIC_CAP_TX);
}

TEST_F_TIMEOUT(race_sockets, close, QUIC_RACE_TIMEOUT)
{
	static const int looks[] = { ENOPROTOOPT, ENOENT, 0 };
	/* No ULP, no flow, shut down */
	static const int sends[] = { EINVAL, ENOENT, EPIPE, ERANGE, 0 };
	static const int takes[] = { EINVAL, ENOENT, EPIPE, ERANGE, EAGAIN, 0 };
	static const int passes[] = { EAGAIN, 0 };
	static const int shuts[] = { ENOTCONN, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_in_slot, sends, 3 },
		{ "close and open", reopen, NULL, 1 },
		{ "pass on", pass_on, passes, 1 },
		{ "take and send", take_and_send, takes, 2 },
		{ "shut down", shut_down, shuts, 1, true },
		{ "look at a flow", look_at_slot, looks, 1 },
		{ "look", quic_race_diag, NULL, 1 },
		{ "send by io_uring", send_by_io_uring, sends, 1 },
	};
	unsigned int seed = 1, count = ARRAY_SIZE(parties);

	ASSERT_EQ(0, reopen(&self->race, &seed));
	if (send_by_io_uring(&self->race, &seed) == ENOSYS) {
		TH_LOG("without io_uring");
		count--;
	}
	EXPECT_TRUE(quic_race_run(&self->race, parties, count));
}

/* Connecting, to one of two peers or none */

static int send_to_peer(struct quic_race *race, unsigned int *seed)
{
	return quic_race_send(race->env.tx, NULL,
			      quic_race_any_flow(race, seed), seed);
}

static int connect_or_not(struct quic_race *race, unsigned int *seed)
{
	struct sockaddr_storage none = { .ss_family = AF_UNSPEC };
	unsigned int which = rand_r(seed) % 3;
	struct shared *shared = race->own;
	const struct quic_addr *to = &shared->to[which];
	int err;

	usleep(rand_r(seed) % 300);
	if (which < 2)
		err = connect(race->env.tx, (void *)&to->ss, to->len);
	else
		err = connect(race->env.tx, (void *)&none, sizeof(none));
	return err ? errno : 0;
}

/* Of messages that do not say it themselves */
static int set_segment(struct quic_race *race, unsigned int *seed)
{
	static const int sizes[] = { 0, 17, 600, 1400 };

	usleep(rand_r(seed) % 100);
	if (setsockopt(race->env.tx, SOL_UDP, UDP_SEGMENT,
		       &sizes[rand_r(seed) % ARRAY_SIZE(sizes)], sizeof(int)))
		return errno;
	return 0;
}

TEST_F_TIMEOUT(race_sockets, connect, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = {
		EDESTADDRREQ, EINVAL, EMSGSIZE, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_to_peer, sends, 4 },
		{ "connect", connect_or_not, NULL, 2 },
		{ "set the segment size", set_segment, NULL, 1 },
	};

	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/*
 * Corking: what is pending is plain, and a train can get behind it, as it can
 * get behind other trains.
 */

static int send_train(struct quic_race *race, unsigned int *seed)
{
	return quic_race_send(race->env.tx, &race->env.to,
			      quic_race_any_flow(race, seed), seed);
}

static int cork(struct quic_race *race, unsigned int *seed)
{
	int on = 1, off = 0;

	setsockopt(race->env.tx, SOL_UDP, UDP_CORK, &on, sizeof(on));
	usleep(rand_r(seed) % 100);
	setsockopt(race->env.tx, SOL_UDP, UDP_CORK, &off, sizeof(off));
	usleep(rand_r(seed) % 100);
	return 0;
}

static int send_more(struct quic_race *race, unsigned int *seed)
{
	int flags = rand_r(seed) & 1 ? MSG_MORE : 0;
	char plain[100] = {};

	if (sendto(race->env.tx, plain, 1 + rand_r(seed) % sizeof(plain), flags,
		   (void *)&race->env.to.ss, race->env.to.len) < 0)
		return errno;
	return 0;
}

TEST_F_TIMEOUT(race_sockets, cork, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { EOPNOTSUPP, EMSGSIZE, ERANGE, EINVAL, 0 };
	static const int plain[] = { EMSGSIZE, EINVAL, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_train, sends, 3 },
		{ "cork", cork, NULL, 2 },
		{ "send plain data", send_more, plain, 1 },
		{ "set the segment size", set_segment, NULL, 1 },
	};
	const struct sockaddr_in6 *to = (void *)&self->race.env.to.ss;

	quic_audit_port(self->race.audit, to->sin6_port, QUIC_AUDIT_BYTES);
	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/*
 * Signals: senders wait for room, are interrupted, and use the same numbers for
 * something else.
 */

static void ignore(int sig)
{
}

static int send_interrupted(struct quic_race *race, unsigned int *seed)
{
	struct itimerval soon = { .it_value.tv_usec = 100 + rand_r(seed) % 30000 };
	struct sigaction action = { .sa_handler = ignore };
	static __thread struct quic_race_flow *flow;
	static __thread struct quic_train train;
	static __thread uint64_t pn;
	struct itimerval never = {};
	struct quic_msg msg;
	int err;

	if (rand_r(seed) & 1)
		action.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &action, NULL);

	if (!flow) {
		flow = quic_race_any_flow(race, seed);
		pn = quic_race_numbers(flow);
	}
	quic_race_train(&train, flow, pn, seed);
	msg = quic_msg(race->env.tx, &race->env.to, &train);
	setitimer(ITIMER_REAL, &soon, NULL);
	err = quic_send(&msg) < 0 ? errno : 0;
	setitimer(ITIMER_REAL, &never, NULL);
	if (err != EINTR)
		flow = NULL;
	return err;
}

TEST_F_TIMEOUT(race_sockets, signals, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { EINTR, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_interrupted, sends, 4 },
	};
	int size = 1;

	if (system("tc qdisc add dev lo root fq maxrate 10mbit"))
		SKIP(return, "needs tc and fq");
	ASSERT_EQ(0, setsockopt(self->race.env.tx, SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

TEST_HARNESS_MAIN
