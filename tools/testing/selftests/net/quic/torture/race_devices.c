// SPDX-License-Identifier: GPL-2.0
/*
 * Races for what is below the socket: devices, routes and network namespaces
 * come and go while it sends.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race.h"
#include "quic_race_net.h"

#define FLOWS		4	/* all ciphers */
#define LINGER		20000	/* microseconds that a namespace is there for */

struct shared {
	int home;			/* network namespace of the senders */
	struct quic_addr away;		/* beyond a device that comes and goes */
	struct quic_addr back;		/* this end of it */
};

FIXTURE(race_devices) {
	struct quic_race race;
	struct shared *shared;
};

FIXTURE_VARIANT(race_devices) {
	int family;
};

FIXTURE_VARIANT_ADD(race_devices, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_devices, ipv6) { AF_INET6 };

FIXTURE_SETUP(race_devices)
{
	struct shared *shared = quic_race_alloc(sizeof(*shared));
	struct sockaddr_in6 *sin6 = (void *)&shared->back.ss;
	struct sockaddr_in *sin = (void *)&shared->back.ss;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family, FLOWS));
	self->shared = shared;
	self->race.own = shared;
	shared->away = quic_env_away(&self->race.env);
	shared->back = shared->away;
	if (variant->family == AF_INET)
		inet_pton(AF_INET, "192.0.2.1", &sin->sin_addr);
	else
		inet_pton(AF_INET6, "2001:db8::1", &sin6->sin6_addr);
	shared->home = open("/proc/self/ns/net", O_RDONLY);
	ASSERT_LE(0, shared->home);
	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
}

FIXTURE_TEARDOWN(race_devices)
{
	close(self->shared->home);
	EXPECT_TRUE(quic_race_close(&self->race));
}

static int send_away(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_race_send(race->env.tx, &shared->away,
			      quic_race_any_flow(race, seed), seed);
}

/* What becomes of a path. None of that is sure to work at a given moment. */
static int change_device(struct quic_race *race, unsigned int *seed)
{
	static const char * const changes[] = {
		"link set quic0 down\nlink set quic0 up\n",
		"link del quic0\n",
		"address flush dev quic0\n",
		"route replace prohibit 192.0.2.2\n"
		"route replace prohibit 2001:db8::2\n",
		"route replace 192.0.2.2 dev lo\n"
		"route replace 2001:db8::2 dev lo\n",
		"route replace 192.0.2.2 dev quic0 mtu 600\n"
		"route replace 2001:db8::2 dev quic0 mtu 1280\n",
	};
	/* As it was */
	static const char again[] =
		"link add quic0 type dummy\n"
		"route del 192.0.2.2\n"
		"route del 2001:db8::2\n"
		"link set quic0 mtu 1500 arp off up\n"
		"address replace 192.0.2.1/24 dev quic0\n"
		"address replace 2001:db8::1/64 dev quic0 nodad\n";

	quic_race_ip("%s", changes[rand_r(seed) % ARRAY_SIZE(changes)]);
	quic_race_ip("%s", again);
	return 0;
}

static int change_mtu(struct quic_race *race, unsigned int *seed)
{
	static const int mtus[] = { 600, 1280, 1500, 9000 };
	struct ifreq ifr = {
		.ifr_name = "quic0",
		.ifr_mtu = mtus[rand_r(seed) % ARRAY_SIZE(mtus)],
	};

	usleep(rand_r(seed) % 1000);
	return ioctl(race->env.tx, SIOCSIFMTU, &ifr) ? errno : 0;
}

TEST_F_TIMEOUT(race_devices, path, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = {
		ENETUNREACH, EHOSTUNREACH, ENODEV, ENETDOWN, EMSGSIZE, EINVAL,
		EACCES, ENOBUFS, EADDRNOTAVAIL, ERANGE, 0 };
	static const int mtus[] = { ENODEV, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_away, sends, 4 },
		{ "change device and route", change_device, NULL, 1 },
		{ "change MTU", change_mtu, mtus, 1 },
	};
	unsigned int seed = 1;

	change_device(&self->race, &seed);
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

static int send_back(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	int err;

	err = quic_race_send(QUIC_RACE_SLOT, &shared->back,
			     quic_race_any_flow(race, seed), seed);
	/* Leave the processor to the one who makes the socket. */
	if (err == EBADF)
		usleep(1000);
	return err;
}

/*
 * A namespace comes, has a socket that sends to the namespace of the others,
 * gets what they send, and goes, with the device between them.  Others send on
 * the socket, too, and may be the last to use it.
 */
static int come_and_go(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	int i, err;

	err = quic_race_leave(shared->home);
	if (err)
		return err;
	err = quic_race_put_in_slot(quic_env_socket(&race->env)) ?:
	      quic_race_add_flows(race, QUIC_RACE_SLOT);
	err = quic_race_return(shared->home) ?: err;
	for (i = 0; i < 50 && !err; i++)
		err = send_back(race, seed);
	usleep(rand_r(seed) % LINGER);
	close(QUIC_RACE_SLOT);
	return err;
}

static int send_home(struct quic_race *race, unsigned int *seed)
{
	return quic_race_send(race->env.tx, &race->env.to,
			      quic_race_any_flow(race, seed), seed);
}

TEST_F_TIMEOUT(race_devices, namespace, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = {
		ENETUNREACH, EHOSTUNREACH, ENODEV, ENETDOWN, EADDRNOTAVAIL,
		ERANGE, 0 };
	static const int homes[] = { ERANGE, 0 };
	static const int comes[] = { ENETUNREACH, EADDRNOTAVAIL, ERANGE, 0 };
	/* There is no socket, or it has not all flows yet. */
	static const int backs[] = {
		EBADF, EINVAL, ENOENT, ENETUNREACH, EADDRNOTAVAIL, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "come and go", come_and_go, comes, 1 },
		{ "send there", send_away, sends, 2 },
		/* In the short form they may be gone when there is a socket. */
		{ "send back", send_back, backs, 2, true },
		{ "send at home", send_home, homes, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

TEST_HARNESS_MAIN
