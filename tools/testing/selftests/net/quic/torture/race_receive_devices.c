// SPDX-License-Identifier: GPL-2.0
/*
 * Races for where packets come from: devices and network namespaces come and go
 * while packets that came through them wait in a socket, and are read.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race_net.h"
#include "quic_race_pool.h"

#define LINGER		20000	/* microseconds that a namespace is there for */
#define PORT		4433	/* of who receives there */

struct shared {
	struct quic_pool *pool;
	int home;			/* network namespace of the others */
	struct quic_addr away;		/* the socket that comes and goes */
	struct quic_addr back;		/* the one at home, as seen from there */
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

/* Both families have the port in one place. */
static in_port_t *port_of(struct quic_addr *addr)
{
	return &((struct sockaddr_in *)&addr->ss)->sin_port;
}

/* @fd receives on all addresses, whatever they are at the moment. */
static int bind_any(int fd, int family, in_port_t port)
{
	struct quic_addr any = {
		.ss.ss_family = family,
		.len = family == AF_INET ? sizeof(struct sockaddr_in) :
		       sizeof(struct sockaddr_in6),
	};

	*port_of(&any) = port;
	return bind(fd, (void *)&any.ss, any.len);
}

static void set_address(struct quic_addr *addr, int family, const char *ipv4,
			const char *ipv6, in_port_t port)
{
	struct sockaddr_in6 *sin6 = (void *)&addr->ss;
	struct sockaddr_in *sin = (void *)&addr->ss;

	if (family == AF_INET)
		inet_pton(AF_INET, ipv4, &sin->sin_addr);
	else
		inet_pton(AF_INET6, ipv6, &sin6->sin6_addr);
	*port_of(addr) = port;
}

FIXTURE_SETUP(race_receive)
{
	struct shared *shared = quic_race_alloc(sizeof(*shared));
	struct quic_env *env = &self->race.env;
	int on = 1;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family,
				    QUIC_POOL_FLOWS));
	self->race.brief = true;
	quic_audit_all_ports(self->race.audit, QUIC_AUDIT_BYTES);
	self->shared = shared;
	self->race.own = shared;
	shared->pool = quic_pool_new(&self->race);
	shared->home = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, shared->home);

	/* Who receives at home does so from everywhere. */
	close(env->rx);
	env->rx = quic_env_socket(env);
	ASSERT_EQ(0, bind_any(env->rx, variant->family, *port_of(&env->to)));
	ASSERT_EQ(0, setsockopt(env->rx, SOL_UDP, UDP_GRO, &on, sizeof(on)));
	ASSERT_EQ(0, quic_pool_add_all(shared->pool, env->rx));
	shared->away = env->to;
	shared->back = env->to;
	set_address(&shared->away, variant->family, "192.0.2.2", "2001:db8::2",
		    htons(PORT));
	set_address(&shared->back, variant->family, "192.0.2.1", "2001:db8::1",
		    *port_of(&env->to));
	self->before = quic_rx_counters();
}

FIXTURE_TEARDOWN(race_receive)
{
	quic_pool_free(self->shared->pool);
	close(self->shared->home);
	EXPECT_TRUE(quic_race_close(&self->race));
}

static int read_home(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	usleep(rand_r(seed) % 200);
	return quic_pool_receive(shared->pool, race->env.rx, QUIC_POOL_OPENED,
				 true, MSG_DONTWAIT);
}

static int read_there(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	int err;

	err = quic_pool_receive(shared->pool, QUIC_RACE_SLOT, QUIC_POOL_SLOT_MAY, true,
				rand_r(seed) % 4 ? MSG_DONTWAIT : MSG_PEEK |
				MSG_DONTWAIT);
	/* Leave the processor to the one who makes the socket. */
	if (err == EBADF)
		usleep(1000);
	return err;
}

static int send_there(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	int err;

	err = quic_pool_send(shared->pool, race->env.tx, &shared->away,
			     rand_r(seed) % QUIC_POOL_FLOWS, 0, seed);
	if (err)
		usleep(1000);
	return err;
}

static int there_open(struct quic_race *race)
{
	struct shared *shared = race->own;
	int fd = quic_env_socket(&race->env), on = 1, err;

	if (bind_any(fd, race->env.family, htons(PORT)))
		return errno;
	setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	err = quic_pool_add_all(shared->pool, fd);
	return quic_race_put_in_slot(fd) ?: err;
}

/*
 * A namespace comes, has a socket that receives what the others send, sends
 * something to them, and goes, with the device between them.  Others read from
 * the socket, too, and may be the last to use it.
 */
static int come_and_go(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	int i, err;

	err = quic_race_leave(shared->home);
	if (err)
		return err;
	err = there_open(race);
	err = quic_race_return(shared->home) ?: err;
	for (i = 0; i < 30 && !err; i++)
		err = quic_pool_send(shared->pool, QUIC_RACE_SLOT,
				     &shared->back, 0, 0, seed);
	usleep(rand_r(seed) % LINGER);
	/* The packets that are still there lose their device first, or not. */
	if (rand_r(seed) & 1)
		quic_race_ip("link del quic0\n");
	close(QUIC_RACE_SLOT);
	return err;
}

TEST_F_TIMEOUT(race_receive, namespace, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = {
		ENETUNREACH, EHOSTUNREACH, ENODEV, ENETDOWN, EADDRNOTAVAIL,
		EINVAL, 0 };
	static const int comes[] = { ENETUNREACH, EADDRNOTAVAIL, EINVAL, 0 };
	/* There is no socket. */
	static const int reads[] = { EBADF, EAGAIN, 0 };
	static const struct quic_race_party parties[] = {
		{ "come and go", come_and_go, comes, 1 },
		{ "send there", send_there, sends, 2 },
		/* In the short form it may be gone when they come to it. */
		{ "read there", read_there, reads, 2, true },
		{ "read at home", read_home, reads, 2 },
	};
	int err;

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	do
		err = quic_pool_receive(self->shared->pool, self->race.env.rx,
					QUIC_POOL_OPENED, true, MSG_DONTWAIT);
	while (!err);
	EXPECT_EQ(EAGAIN, err);
	EXPECT_TRUE(quic_pool_adds_up(self->shared->pool, -1));
	EXPECT_LT(0, quic_pool_tally(self->shared->pool)->opened);
}

/* A device is changed, and made anew, below two sockets that stay. */

static int change_device(struct quic_race *race, unsigned int *seed)
{
	static const char * const changes[] = {
		"link set lo down\nlink set lo up\n",
		"link set lo mtu 1500\nlink set lo mtu 65536\n",
		"address del 192.0.2.9/32 dev lo\n"
		"address add 192.0.2.9/32 dev lo\n",
	};

	quic_race_ip("%s", changes[rand_r(seed) % ARRAY_SIZE(changes)]);
	usleep(rand_r(seed) % 10000);
	return 0;
}

static int send_home(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_pool_offer(shared->pool, race->env.rx, &race->env.to, seed);
}

TEST_F_TIMEOUT(race_receive, loopback, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = {
		EAGAIN, ENETUNREACH, EADDRNOTAVAIL, ENETDOWN, EHOSTUNREACH,
		EINVAL, EMSGSIZE, ENOBUFS, EPERM, 0 };
	static const int reads[] = { EAGAIN, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_home, sends, 2 },
		{ "read", read_home, reads, 3 },
		{ "change device", change_device, NULL, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	EXPECT_TRUE(quic_pool_adds_up(self->shared->pool, -1));
	EXPECT_TRUE(quic_pool_counters(self->shared->pool, &self->before));
	EXPECT_LT(0, quic_pool_tally(self->shared->pool)->opened);
}

TEST_HARNESS_MAIN
