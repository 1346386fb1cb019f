// SPDX-License-Identifier: GPL-2.0
/*
 * Races for who gets a socket in which packets wait: the ULP, or a sockmap; and
 * the module, which goes when nobody has it.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "kselftest_harness.h"
#include "quic_race_pool.h"

struct shared {
	struct quic_pool_slot slot;	/* first, for its functions */
	int map;			/* sockmap */
};

FIXTURE(race_receive) {
	struct quic_race race;
	struct shared *shared;
	struct quic_rx_counters before;
};

FIXTURE_VARIANT(race_receive) {
	int family;
};

FIXTURE_VARIANT_ADD(race_receive, ipv6) { AF_INET6 };

FIXTURE_SETUP(race_receive)
{
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
	self->before = quic_rx_counters();
}

FIXTURE_TEARDOWN(race_receive)
{
	quic_pool_free(self->shared->slot.pool);
	EXPECT_TRUE(quic_race_close(&self->race));
}

/* The ULP, or a sockmap, gets a socket in which packets wait. */

static const int reads[] = { EAGAIN, 0 };

static int renew(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	struct quic_addr addr;
	int fd = quic_pool_receiver(race, &addr);

	if (fd < 0)
		return errno;
	shared->slot.to = addr;
	usleep(rand_r(seed) % 2000);
	return quic_race_put_in_slot(fd);
}

static int add_to_slot(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	usleep(rand_r(seed) % 300);
	return quic_pool_add(shared->slot.pool, QUIC_RACE_SLOT,
			     rand_r(seed) % QUIC_POOL_FLOWS, 0);
}

static int put_into_map(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	union bpf_attr attr = {};
	int key = 0, fd, err = 0;

	usleep(rand_r(seed) % 500);
	fd = dup(QUIC_RACE_SLOT);
	attr.map_fd = shared->map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&fd;
	if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
		err = errno;
	usleep(rand_r(seed) % 500);
	attr.value = 0;
	syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
	close(fd);
	return err;
}

TEST_F_TIMEOUT(race_receive, sockmap, QUIC_RACE_TIMEOUT)
{
	static const int takes[] = { EBUSY, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", quic_pool_slot_send, reads, 2 },
		{ "read", quic_pool_slot_read, reads, 2 },
		{ "open", renew, NULL, 1 },
		{ "add", add_to_slot, takes, 2 },
		{ "put into a sockmap", put_into_map, takes, 1 },
	};
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = sizeof(int),
		.value_size = sizeof(int),
		.max_entries = 1,
	};
	struct shared *shared = self->shared;
	unsigned int seed = 1;

	shared->map = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (shared->map < 0 && (errno == ENOSYS || errno == EINVAL))
		SKIP(return, "kernel without sockmap");
	ASSERT_LE(0, shared->map);
	ASSERT_EQ(0, renew(&self->race, &seed));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	close(QUIC_RACE_SLOT);
	close(shared->map);
	EXPECT_TRUE(quic_pool_slot_ends(&self->race, &self->before));
}

/* The module is unloaded whenever nobody uses it, and loaded on demand. */

/* Closing the socket deletes the flow: the module may go before it is freed. */
static int attach_and_read(struct quic_race *race, unsigned int *seed)
{
	unsigned int flow = rand_r(seed) % QUIC_POOL_FLOWS;
	struct shared *shared = race->own;
	struct quic_addr addr;
	int fd, err;

	fd = quic_pool_receiver(race, &addr);
	if (fd < 0)
		return errno;
	err = quic_pool_send(shared->slot.pool, race->env.tx, &addr, flow, 0, seed);
	if (!err)
		err = quic_pool_add(shared->slot.pool, fd, flow, 0);
	if (!err)
		err = quic_pool_receive(shared->slot.pool, fd, QUIC_POOL_SLOT_MAY, true,
					0);
	close(fd);
	/* Now and then nobody uses the module. */
	usleep(rand_r(seed) % 100000);
	return err;
}

TEST_F_TIMEOUT(race_receive, unload, QUIC_RACE_TIMEOUT)
{
	/* In use; on its way; gone */
	static const int unloads[] = { EWOULDBLOCK, EBUSY, ENOENT, 0 };
	static const int attaches[] = { ENOENT, 0 };
	static const struct quic_race_party parties[] = {
		{ "unload", quic_race_unload, unloads, 1 },
		{ "attach and read", attach_and_read, attaches, 3 },
		{ "look", quic_race_diag, NULL, 1 },
	};
	const char *reason = quic_race_has_no_module();
	unsigned int seed = 1;

	if (reason)
		SKIP(return, "%s", reason);
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	/* Loaded again; what it had counted went with it. */
	EXPECT_EQ(0, attach_and_read(&self->race, &seed));
	EXPECT_TRUE(quic_pool_adds_up(self->shared->slot.pool, -1));
	EXPECT_LT(0, quic_pool_tally(self->shared->slot.pool)->opened);
}

TEST_HARNESS_MAIN
