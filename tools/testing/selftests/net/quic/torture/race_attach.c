// SPDX-License-Identifier: GPL-2.0
/*
 * Races for who gets the socket: the ULP, or others that want it; and the
 * module, which goes when nobody has it.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "kselftest_harness.h"
#include "quic_race.h"

#define FLOWS		4	/* all ciphers */

FIXTURE(race_attach) {
	struct quic_race race;
	int *map;		/* sockmap */
};

FIXTURE_VARIANT(race_attach) {
	int family;
};

FIXTURE_VARIANT_ADD(race_attach, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_attach, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(race_attach, mapped) { QUIC_MAPPED };

FIXTURE_SETUP(race_attach)
{
	ASSERT_EQ(0, quic_race_open(&self->race, variant->family, FLOWS));
	self->map = quic_race_alloc(sizeof(*self->map));
	self->race.own = self->map;
}

FIXTURE_TEARDOWN(race_attach)
{
	EXPECT_TRUE(quic_race_close(&self->race));
}

/* Attaching, against everything else that may want the socket */

static int renew(struct quic_race *race, unsigned int *seed)
{
	int fd = quic_env_socket(&race->env);

	if (connect(fd, (void *)&race->env.to.ss, race->env.to.len))
		return errno;
	usleep(rand_r(seed) % 500);
	return quic_race_put_in_slot(fd);
}

static int attach_to_slot(struct quic_race *race, unsigned int *seed)
{
	return quic_race_attach(QUIC_RACE_SLOT);
}

static int add_to_slot(struct quic_race *race, unsigned int *seed)
{
	return quic_race_flow_add(QUIC_RACE_SLOT,
				  quic_race_any_flow(race, seed), 0);
}

static int send_to_peer_of_slot(struct quic_race *race, unsigned int *seed)
{
	return quic_race_send(QUIC_RACE_SLOT, NULL,
			      quic_race_any_flow(race, seed), seed);
}

static int to_ipv4(struct quic_race *race, unsigned int *seed)
{
	int family = AF_INET;

	usleep(rand_r(seed) % 500);
	if (setsockopt(QUIC_RACE_SLOT, SOL_IPV6, IPV6_ADDRFORM, &family,
		       sizeof(family)))
		return errno;
	return 0;
}

/* Who has just got the socket has it alone; EPROTO is no answer to expect. */
static int has_it_alone(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	if (getsockopt(fd, SOL_UDP, UDP_ULP, name, &len))
		return errno;
	return len ? EPROTO : 0;
}

static int encapsulate(struct quic_race *race, unsigned int *seed)
{
	int espinudp = UDP_ENCAP_ESPINUDP, fd, err;

	usleep(rand_r(seed) % 500);
	fd = dup(QUIC_RACE_SLOT);
	err = setsockopt(fd, SOL_UDP, UDP_ENCAP, &espinudp, sizeof(espinudp)) ?
	      errno : has_it_alone(fd);
	close(fd);
	return err;
}

static int put_into_map(struct quic_race *race, unsigned int *seed)
{
	union bpf_attr attr = {};
	int *map = race->own;
	int key = 0, fd, err;

	usleep(rand_r(seed) % 500);
	fd = dup(QUIC_RACE_SLOT);
	attr.map_fd = *map;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&fd;
	err = syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)) ?
	      errno : has_it_alone(fd);
	attr.value = 0;
	syscall(SYS_bpf, BPF_MAP_DELETE_ELEM, &attr, sizeof(attr));
	close(fd);
	return err;
}

TEST_F_TIMEOUT(race_attach, attach, QUIC_RACE_TIMEOUT)
{
	static const int attaches[] = { EEXIST, EBUSY, 0 };
	static const int sends[] = { EINVAL, ENOENT, ERANGE, 0 };
	static const int takes[] = { EBUSY, 0 };
	static const int forms[] = { EBUSY, ENOPROTOOPT, 0 };
	bool mapped = variant->family == QUIC_MAPPED;
	const struct quic_race_party parties[] = {
		{ "open", renew, NULL, 1 },
		{ "attach", attach_to_slot, attaches, 1 },
		{ "add", add_to_slot, attaches, 1 },
		{ "send", send_to_peer_of_slot, sends, 2 },
		{ "encapsulate", encapsulate, takes, 1 },
		{ "put into a sockmap", put_into_map, takes, 1 },
		{ "to IPv4", to_ipv4, forms, 1, !mapped },
	};
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_SOCKMAP,
		.key_size = sizeof(int),
		.value_size = sizeof(int),
		.max_entries = 1,
	};
	unsigned int seed = 1;

	*self->map = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (*self->map < 0 && (errno == ENOSYS || errno == EINVAL))
		SKIP(return, "kernel without sockmap");
	ASSERT_LE(0, *self->map);
	ASSERT_EQ(0, renew(&self->race, &seed));
	EXPECT_TRUE(quic_race_run(&self->race, parties,
				  ARRAY_SIZE(parties) - !mapped));
	close(*self->map);
}

/*
 * Attaching to a socket with pending data: before and after, what should be
 * protected is not appended to it as it is.
 */

static int cork_slot(struct quic_race *race, unsigned int *seed)
{
	int on = 1, off = 0, err = 0;

	if (setsockopt(QUIC_RACE_SLOT, SOL_UDP, UDP_CORK, &on, sizeof(on)) ||
	    send(QUIC_RACE_SLOT, "", 1, 0) < 0)
		err = errno;
	usleep(rand_r(seed) % 300);
	setsockopt(QUIC_RACE_SLOT, SOL_UDP, UDP_CORK, &off, sizeof(off));
	return err;
}

TEST_F_TIMEOUT(race_attach, attach_corked, QUIC_RACE_TIMEOUT)
{
	static const int attaches[] = { EEXIST, 0 };
	/*
	 * Of UDP, which takes a mapped peer for one of IPv6 if a cork goes
	 * while it looks; for the others the list ends here.
	 */
	const int mapped = variant->family == QUIC_MAPPED ? EAFNOSUPPORT : 0;
	const int sends[] = {
		EINVAL, ENOENT, EOPNOTSUPP, EMSGSIZE, ERANGE, mapped,
		ENETUNREACH, 0 };
	/* Of UDP, if the other cork is there first */
	const int corks[] = { EINVAL, EMSGSIZE, mapped, ENETUNREACH, 0 };
	const struct quic_race_party parties[] = {
		{ "open", renew, NULL, 1 },
		{ "add", add_to_slot, attaches, 1 },
		{ "send", send_to_peer_of_slot, sends, 2 },
		{ "cork", cork_slot, corks, 2 },
	};
	const struct sockaddr_in6 *to = (void *)&self->race.env.to.ss;
	unsigned int seed = 1;

	quic_audit_port(self->race.audit, to->sin6_port, QUIC_AUDIT_BYTES);
	ASSERT_EQ(0, renew(&self->race, &seed));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/* The module is unloaded whenever nobody uses it, and loaded on demand. */

static int attach_and_send(struct quic_race *race, unsigned int *seed)
{
	struct quic_race_flow *flow = quic_race_any_flow(race, seed);
	int fd = quic_env_socket(&race->env), err = 0;

	if (rand_r(seed) & 1)
		err = quic_race_attach(fd);
	if (!err)
		err = quic_race_flow_add(fd, flow, 0);
	if (!err)
		err = quic_race_send(fd, &race->env.to, flow, seed);
	close(fd);
	/* Now and then nobody uses the module. */
	usleep(rand_r(seed) % 100000);
	return err;
}

TEST_F_TIMEOUT(race_attach, unload, QUIC_RACE_TIMEOUT)
{
	/* In use; on its way; gone */
	static const int unloads[] = { EWOULDBLOCK, EBUSY, ENOENT, 0 };
	static const int attaches[] = { ENOENT, 0 };
	static const struct quic_race_party parties[] = {
		{ "unload", quic_race_unload, unloads, 1 },
		{ "attach and send", attach_and_send, attaches, 3 },
	};
	const char *reason = quic_race_has_no_module();
	unsigned int seed = 1;

	if (reason)
		SKIP(return, "%s", reason);
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	/* Loaded again */
	EXPECT_EQ(0, attach_and_send(&self->race, &seed));
}

TEST_HARNESS_MAIN
