// SPDX-License-Identifier: GPL-2.0
/*
 * Races for keys that devices have: they are refused, forgotten, moved, updated
 * and deleted, devices go and come, while trains are left to them and wait in
 * queues.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race_net.h"
#include "quic_race_nsim.h"

#define FLOWS		4	/* all ciphers */

FIXTURE(race_device_keys) {
	struct quic_race race;
};

FIXTURE_VARIANT(race_device_keys) {
	int family;
};

FIXTURE_VARIANT_ADD(race_device_keys, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_device_keys, ipv6) { AF_INET6 };

FIXTURE_SETUP(race_device_keys)
{
	ASSERT_EQ(0, quic_race_nsim_open(&self->race, variant->family,
					 2 * FLOWS));
	/* The others are of sockets that come and go. */
	self->race.num_flows = FLOWS;
	ASSERT_EQ(0, quic_race_attach(self->race.env.tx));
	ASSERT_EQ(0, quic_race_add_flows(&self->race, self->race.env.tx));
}

FIXTURE_TEARDOWN(race_device_keys)
{
	EXPECT_TRUE(quic_race_nsim_close(&self->race));
}

/* Who is not able to take a key keeps it from the others for a second. */
static const char *any_device(unsigned int *seed)
{
	if (rand_r(seed) % 200 == 0)
		return "quic4";
	return rand_r(seed) & 1 ? "quic0" : "quic2";
}

/* The route flips from message to message, and between those who send. */
static int send_train(struct quic_race *race, unsigned int *seed)
{
	return quic_race_nsim_send(race, race->env.tx, any_device(seed),
				   quic_race_any_flow(race, seed), seed);
}

/* It stays for a while, so that keys come to a device. */
static int send_trains(struct quic_race *race, unsigned int *seed)
{
	const char *device = rand_r(seed) & 1 ? "quic0" : "quic2";
	int err = 0, i;

	for (i = 0; i < 20 && !err; i++)
		err = quic_race_nsim_send(race, race->env.tx, device,
					  quic_race_any_flow(race, seed), seed);
	return err;
}

/* Only now and then, devices have keys for a while. */

static int update(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 10000);
	return quic_race_update(race, seed);
}

static int delete(struct quic_race *race, unsigned int *seed)
{
	int err;

	usleep(rand_r(seed) % 50000);
	err = quic_race_delete(race, seed);
	return err ?: quic_race_update(race, seed);
}

static int reset(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 30000);
	return quic_race_nsim_write(race->own, rand_r(seed) % QUIC_RACE_NSIMS,
				    "reset", 1);
}

static int register_again(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 50000);
	return quic_race_nsim_write(race->own, rand_r(seed) % QUIC_RACE_NSIMS,
				    "rereg", 1);
}

/* How a device takes keys; most of the time it does. */
static int change_device(struct quic_race *race, unsigned int *seed)
{
	static const struct {
		const char *knob;
		unsigned int value;
	} changes[] = {
		{ "add_delay_ms", 1 }, { "add_delay_ms", 20 },
		{ "max_keys", 0 }, { "max_keys", 2 },
		{ "add_error", ENOMEM }, { "add_error", ENOSPC },
		{ "conn_id_lengths", 1 },
	};
	static const struct {
		const char *knob;
		unsigned int value;
	} again[] = {
		{ "add_delay_ms", 0 }, { "max_keys", 65536 }, { "add_error", 0 },
		{ "conn_id_lengths", -1 },
	};
	unsigned int i = rand_r(seed) % ARRAY_SIZE(changes);
	unsigned int which = rand_r(seed) % QUIC_RACE_NSIMS;
	int err;

	err = quic_race_nsim_write(race->own, which, changes[i].knob,
				   changes[i].value);
	usleep(rand_r(seed) % 20000);
	for (i = 0; i < ARRAY_SIZE(again) && !err; i++)
		err = quic_race_nsim_write(race->own, which, again[i].knob,
					   again[i].value);
	usleep(rand_r(seed) % 20000);
	return err;
}

/* Queues that wait, that are full, that lose what is in them. */
static int change_queue(struct quic_race *race, unsigned int *seed)
{
	static const char * const queues[] = {
		"netem delay 2ms 1ms limit 20", "netem delay 10ms limit 1000",
		"pfifo limit 2", "netem duplicate 30% limit 50",
		"netem rate 100mbit loss 5%",
	};
	char command[100];

	snprintf(command, sizeof(command),
		 "tc qdisc replace dev quic%d root %s > /dev/null 2>&1",
		 rand_r(seed) % 2 * 2,
		 queues[rand_r(seed) % ARRAY_SIZE(queues)]);
	usleep(rand_r(seed) % 20000);
	return system(command) ? EPROTO : 0;
}

/* A socket takes the place of another, which is closed with trains on their way. */
static int reopen(struct quic_race *race, unsigned int *seed)
{
	int fd = quic_env_socket(&race->env), err = 0, i;

	for (i = FLOWS; i < 2 * FLOWS && !err; i++)
		err = quic_race_flow_add(fd, &race->flows[i], 0);
	if (!err)
		err = quic_race_put_in_slot(fd);
	usleep(rand_r(seed) % 20000);
	return err;
}

static int send_slot(struct quic_race *race, unsigned int *seed)
{
	int err = quic_race_nsim_send(race, QUIC_RACE_SLOT, any_device(seed),
				      &race->flows[FLOWS + rand_r(seed) % FLOWS],
				      seed);

	/* Leave the processor to the one who makes the socket. */
	if (err == EBADF)
		usleep(1000);
	return err;
}

static int look_at_flow(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 1000);
	return quic_race_flow_look(race->env.tx, quic_race_any_flow(race, seed),
				   QUIC_CAP_TX);
}

static const int updates[] = { EEXIST, EINVAL, 0 };
static const int deletes[] = { ENOENT, EEXIST, EINVAL, 0 };

TEST_F_TIMEOUT(race_device_keys, changes, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ENOENT, ENOKEY, ERANGE, 0 };
	static const int slots[] = { EBADF, ENOENT, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_train, sends, 2 },
		{ "send by a device", send_trains, sends, 2 },
		{ "reset", reset, NULL, 1 },
		{ "register again", register_again, NULL, 1 },
		{ "change device", change_device, NULL, 1 },
		{ "change queue", change_queue, NULL, 1 },
		{ "update", update, updates, 1 },
		{ "delete", delete, deletes, 1 },
		{ "reopen", reopen, NULL, 1 },
		{ "send on what is reopened", send_slot, slots, 2 },
		{ "look at a flow", look_at_flow, deletes, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	EXPECT_TRUE(quic_race_nsim_works(&self->race));
	EXPECT_TRUE(quic_race_nsim_adds_up(&self->race));
}

/* Keys go while the device that has them is busy with what they protect. */

static int send_by_quic0(struct quic_race *race, unsigned int *seed)
{
	return quic_race_nsim_send(race, race->env.tx, "quic0",
				   quic_race_any_flow(race, seed), seed);
}

static int reset_quic0(struct quic_race *race, unsigned int *seed)
{
	usleep(5000 + rand_r(seed) % 20000);
	return quic_race_nsim_write(race->own, 0, "reset", 1);
}

static int replace(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 5000);
	quic_race_delete(race, seed);
	return quic_race_update(race, seed);
}

TEST_F_TIMEOUT(race_device_keys, in_use, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ENOENT, ENOKEY, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send by a device", send_by_quic0, sends, 3 },
		{ "reset", reset_quic0, NULL, 1 },
		{ "replace", replace, deletes, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	EXPECT_TRUE(quic_race_nsim_works(&self->race));
	EXPECT_TRUE(quic_race_nsim_adds_up(&self->race));
}

/* Devices are removed, closed, and left behind by their namespace. */

static int renew_device(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 50000);
	return quic_race_nsim_renew(race->own);
}

static int down_and_up(struct quic_race *race, unsigned int *seed)
{
	usleep(rand_r(seed) % 20000);
	quic_race_ip("link set quic0 down\n");
	quic_race_ip("link set quic0 up\n");
	quic_race_nsim_ready("quic0");
	return 0;
}

/* A namespace goes while trains wait in it, whose keys are on no device any more. */
static int come_and_go(struct quic_race *race, unsigned int *seed)
{
	struct quic_race_nsim *own = race->own;
	int err = quic_race_nsim_leave(own), fd, i;

	fd = quic_env_socket(&race->env);
	for (i = FLOWS; i < 2 * FLOWS && !err; i++)
		err = quic_race_flow_add(fd, &race->flows[i], 0);
	for (i = 0; i < 40 && !err; i++) {
		err = quic_race_nsim_send(race, fd, "quic6",
					  &race->flows[FLOWS + i % FLOWS],
					  seed);
		if (i % 10 == 9)
			quic_nsim_write(&own->third, "reset", 1);
	}
	close(fd);
	return quic_race_nsim_return(own) ?: err;
}

TEST_F_TIMEOUT(race_device_keys, removal, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { ENETUNREACH, EHOSTUNREACH, ENODEV,
				     ENETDOWN, ENOENT, ENOKEY, ERANGE, 0 };
	static const int slots[] = { ENETUNREACH, EHOSTUNREACH, ENODEV,
				     ENETDOWN, EBADF, ENOENT, ERANGE, 0 };
	/* There may be no device, or just not any more. */
	static const int knobs[] = { ENOENT, ENODEV, EIO, 0 };
	static const int queues[] = { EPROTO, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_train, sends, 1 },
		{ "send by a device", send_trains, sends, 2 },
		{ "reset", reset, knobs, 1 },
		{ "register again", register_again, knobs, 1 },
		{ "change device", change_device, knobs, 1 },
		{ "change queue", change_queue, queues, 1 },
		{ "update", update, updates, 1 },
		{ "reopen", reopen, NULL, 1 },
		{ "send on what is reopened", send_slot, slots, 1 },
		{ "remove", renew_device, NULL, 1 },
		{ "down and up", down_and_up, NULL, 1 },
		{ "come and go", come_and_go, NULL, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	EXPECT_TRUE(quic_race_nsim_works(&self->race));
}

/* The module goes as soon as nothing needs it any more, not before. */

static int open_and_send(struct quic_race *race, unsigned int *seed)
{
	struct quic_race_flow *flow = quic_race_any_flow(race, seed);
	int fd = quic_env_socket(&race->env), err, i;

	err = quic_race_flow_add(fd, flow, 0);
	for (i = 0; i < 10 && !err; i++)
		err = quic_race_nsim_send(race, fd, "quic0", flow, seed);
	close(fd);
	usleep(rand_r(seed) % 100000);
	return err;
}

TEST_F_TIMEOUT(race_device_keys, unload, QUIC_RACE_TIMEOUT)
{
	static const int unloads[] = { EWOULDBLOCK, EBUSY, ENOENT, 0 };
	static const int opens[] = { ENOENT, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "unload", quic_race_unload, unloads, 1 },
		{ "open and send", open_and_send, opens, 2 },
		{ "reset", reset, NULL, 1 },
		{ "change queue", change_queue, NULL, 1 },
	};
	const char *reason = quic_race_has_no_module();
	unsigned int seed = 1;

	if (reason)
		SKIP(return, "%s", reason);
	close(self->race.env.tx);
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	/* Loaded again */
	EXPECT_EQ(0, open_and_send(&self->race, &seed));
}

TEST_HARNESS_MAIN
