// SPDX-License-Identifier: GPL-2.0
/*
 * Races for a socket that receives: it is closed, passed on and shut down while
 * packets wait in it and are read.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race_pool.h"
#include "quic_uring.h"

#define WAITS	{ .tv_usec = 20000 }	/* for a descriptor */

struct shared {
	struct quic_pool_slot slot;	/* first, for its functions */
	int channel[2];			/* for descriptors */
};

FIXTURE(race_receive) {
	struct quic_race race;
	struct shared *shared;
	struct quic_rx_counters before;
};

FIXTURE_VARIANT(race_receive) {
	int family;
};

FIXTURE_VARIANT_ADD(race_receive, ipv4) { AF_INET };

FIXTURE_SETUP(race_receive)
{
	struct timeval waits = WAITS;
	struct shared *shared;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family,
				    QUIC_POOL_FLOWS));
	self->race.brief = true;
	/* Some of what is sent can't be opened.  Nothing may be plain. */
	quic_audit_all_ports(self->race.audit, QUIC_AUDIT_BYTES);
	shared = quic_race_alloc(sizeof(*shared));
	self->shared = shared;
	self->race.own = shared;
	shared->slot.to = self->race.env.to;
	shared->slot.pool = quic_pool_new(&self->race);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, shared->channel));
	ASSERT_EQ(0, setsockopt(shared->channel[0], SOL_SOCKET, SO_SNDTIMEO,
				&waits, sizeof(waits)));
	ASSERT_EQ(0, setsockopt(shared->channel[1], SOL_SOCKET, SO_RCVTIMEO,
				&waits, sizeof(waits)));
	self->before = quic_rx_counters();
}

FIXTURE_TEARDOWN(race_receive)
{
	close(self->shared->channel[0]);
	close(self->shared->channel[1]);
	quic_pool_free(self->shared->slot.pool);
	EXPECT_TRUE(quic_race_close(&self->race));
}

/* A new socket takes the place of the old one. */
static int reopen(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	struct quic_addr addr;
	int fd, err = 0;

	fd = quic_pool_receiver(race, &addr);
	if (fd < 0)
		return errno;
	switch (rand_r(seed) % 8) {
	case 0:
		break;
	case 1:
		err = quic_race_attach(fd);
		break;
	default:
		err = quic_pool_add_all(shared->slot.pool, fd);
	}
	/* Only the port is another one: it is written at once. */
	shared->slot.to = addr;
	usleep(rand_r(seed) % 2000);
	return quic_race_put_in_slot(fd) ?: err;
}

static int change_slot(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	unsigned int flow = rand_r(seed) % QUIC_POOL_FLOWS;
	int err;

	usleep(rand_r(seed) % 500);
	err = quic_pool_del(shared->slot.pool, QUIC_RACE_SLOT, flow);
	return err ?: quic_pool_add(shared->slot.pool, QUIC_RACE_SLOT, flow, 0);
}

static int shut_down(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 5000);
	return shutdown(QUIC_RACE_SLOT, SHUT_RD) ? errno : 0;
}

static int pass_on(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_fd_send(shared->channel[0], QUIC_RACE_SLOT) ? errno : 0;
}

/*
 * With descriptors of its own: the last reference may be this one, the one in
 * the channel, or the one of a reader.
 */
static int take_and_read(struct quic_race *race, unsigned int *seed)
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
		err = quic_pool_receive(shared->slot.pool, fd, QUIC_POOL_SLOT_MAY, true,
					rand_r(seed) % 2 ? MSG_DONTWAIT : 0);
	close(fd);
	return err;
}

/* In the system call or by a thread of the kernel */
static int read_by_io_uring(struct quic_race *race, unsigned int *seed)
{
	int flags = rand_r(seed) & 1 ? IOSQE_ASYNC : 0, ret;
	static __thread struct quic_received received;
	static __thread struct quic_uring ring;
	struct shared *shared = race->own;
	unsigned int which;
	struct msghdr mh;
	struct iovec iov;

	if (!ring.sq && quic_uring_open(&ring, 1))
		return errno;
	quic_received_msghdr(&received, &mh, &iov, sizeof(received.buf),
			     sizeof(received.control));
	quic_uring_queue(&ring, IORING_OP_RECVMSG, QUIC_RACE_SLOT, &mh,
			 MSG_DONTWAIT, flags, 0);
	if (quic_uring_enter(&ring, 1, 1) != 1)
		return errno;
	ret = quic_uring_result(&ring, &which);
	if (ret <= 0)
		return ret ? -ret : ENODATA;
	received.ret = ret;
	quic_received_parse(&received, &mh);
	return quic_pool_judge(shared->slot.pool, &received, QUIC_POOL_SLOT_MAY, true,
			       false);
}

static const int reads[] = { EAGAIN, ENODATA, 0 };

static int look_at_slot(struct quic_race *race, unsigned int *seed)
{
	return quic_race_flow_look(QUIC_RACE_SLOT,
				   quic_race_any_flow(race, seed), QUIC_CAP_RX);
}

TEST_F_TIMEOUT(race_receive, close, QUIC_RACE_TIMEOUT)
{
	/* No ULP, no flow, another socket, shut down */
	static const int changes[] = { ENOPROTOOPT, ENOENT, 0 };
	static const int passes[] = { EAGAIN, 0 };
	static const int shuts[] = { ENOTCONN, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", quic_pool_slot_send, reads, 2 },
		{ "read", quic_pool_slot_read, reads, 3 },
		{ "close and open", reopen, NULL, 1 },
		{ "delete and add", change_slot, changes, 1 },
		{ "pass on", pass_on, passes, 1 },
		{ "take and read", take_and_read, reads, 2 },
		{ "shut down", shut_down, shuts, 1, true },
		{ "look at a flow", look_at_slot, changes, 1 },
		{ "look", quic_race_diag, NULL, 1 },
		{ "read by io_uring", read_by_io_uring, reads, 1 },
	};
	unsigned int seed = 1, count = ARRAY_SIZE(parties);

	while (!quic_pool_tally(self->shared->slot.pool)->sent) {
		ASSERT_EQ(0, reopen(&self->race, &seed));
		quic_pool_slot_send(&self->race, &seed);
	}
	if (read_by_io_uring(&self->race, &seed) == ENOSYS) {
		TH_LOG("without io_uring");
		count--;
	}
	EXPECT_TRUE(quic_race_run(&self->race, parties, count));
	close(QUIC_RACE_SLOT);
	EXPECT_TRUE(quic_pool_slot_ends(&self->race, &self->before));
}

TEST_HARNESS_MAIN
