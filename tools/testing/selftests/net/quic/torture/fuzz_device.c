// SPDX-License-Identifier: GPL-2.0
/*
 * Random trains by devices that take keys, while keys and devices change: each
 * is predicted by libcrypto, and one of those that may protect it has done so.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "fuzz_random.h"
#include "quic_nsim_expect.h"

#define SECONDS		5
#define TIMEOUT		7200
#define FLOWS		QUIC_NUM_CIPHERS
#define MAX_COUNT	60
#define MAX_TRAIN	60000
#define SIMS		2
#define MAX_KEYS	65536

/* Devices besides those of the sender: their addresses need not be found. */
#define PEER_ADDRESS	"02:00:00:00:00:02"
#define PEER(device)							\
	"link set " device " up mtu 65535 address " PEER_ADDRESS "\n"
#define UP(device)							\
	"link set " device " up mtu 65535\n"				\
	"neigh add " QUIC_PATH_IPV4 "2 lladdr " PEER_ADDRESS " dev " device "\n" \
	"neigh add " QUIC_PATH_IPV6 "2 lladdr " PEER_ADDRESS " dev " device "\n"

/* A flow is that of the sender while something is done with it. */
struct flow {
	struct quic_packet packet;
	struct quic_oracle *phase[2];
	uint8_t generation;
};

FIXTURE(fuzz) {
	struct quic_nsim_sender sender;
	struct quic_nsim sim[SIMS];
	unsigned int by;		/* the one that the route goes by */
	struct flow flows[FLOWS];
	unsigned long long seed;
	unsigned long trains, refused;
};

FIXTURE_VARIANT(fuzz) {
	int family;
};

FIXTURE_VARIANT_ADD(fuzz, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(fuzz, ipv6) { AF_INET6 };

static void load_flow(FIXTURE_DATA(fuzz) *self, const struct flow *flow)
{
	self->sender.packet = flow->packet;
	memcpy(self->sender.phase, flow->phase, sizeof(flow->phase));
}

static void store_flow(FIXTURE_DATA(fuzz) *self, struct flow *flow)
{
	flow->packet = self->sender.packet;
	memcpy(flow->phase, self->sender.phase, sizeof(flow->phase));
	memset(self->sender.phase, 0, sizeof(self->sender.phase));
}

static void begin(struct __test_metadata *_metadata,
		  FIXTURE_DATA(fuzz) *self, unsigned int i)
{
	struct flow *flow = &self->flows[i];

	load_flow(self, flow);
	ASSERT_EQ(0, quic_nsim_sender_begin(&self->sender, i, i,
					    flow->generation)) {
		TH_LOG("%s", strerror(errno));
	}
	store_flow(self, flow);
}

static unsigned long long env(const char *name, unsigned long long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static int go_by(FIXTURE_DATA(fuzz) *self, const char *device)
{
	char batch[200];

	snprintf(batch, sizeof(batch),
		 "route replace " QUIC_PATH_IPV4 "2 dev %s src "
		 QUIC_PATH_IPV4 "1\n"
		 "route replace " QUIC_PATH_IPV6 "2 dev %s src "
		 QUIC_PATH_IPV6 "1\n", device, device);
	return quic_path_ip(&self->sender.path, false, batch);
}

FIXTURE_SETUP(fuzz)
{
	struct quic_nsim_sender *sender = &self->sender;
	unsigned int i;

	/* The short form does the same each time. */
	self->seed = env("QUIC_SEED", getenv("QUIC_TORTURE_SECONDS") ?
				      time(NULL) : 1);
	TH_LOG("QUIC_SEED=%llu", self->seed);
	fuzz_seed(self->seed);
	ASSERT_EQ(0, quic_nsim_sender_open(sender, variant->family, true)) {
		TH_LOG("netdevsim: %s", strerror(errno));
	}
	self->sim[0] = sender->nsim;
	ASSERT_EQ(0, quic_nsim_add(&self->sim[1], &sender->path, "quic2",
				   "quic3"));
	ASSERT_EQ(0, quic_path_veth(&sender->path, "quic4", "quic5"));
	ASSERT_EQ(0, quic_path_ip(&sender->path, true,
				  PEER("quic3") PEER("quic5")));
	ASSERT_EQ(0, quic_path_ip(&sender->path, false,
				  UP("quic2") UP("quic4")));
	for (i = 0; i < FLOWS; i++) {
		self->flows[i].packet = sender->packet;
		begin(_metadata, self, i);
	}
}

FIXTURE_TEARDOWN(fuzz)
{
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		load_flow(self, &self->flows[i]);
		/* Closing frees those of one. */
		if (i < FLOWS - 1) {
			if (self->sender.phase[0])
				quic_oracle_free(self->sender.phase[0]);
			if (self->sender.phase[1])
				quic_oracle_free(self->sender.phase[1]);
		}
	}
	quic_nsim_sender_hang_up(&self->sender);
	for (i = 0; i < SIMS; i++)
		quic_nsim_expect_forgotten(_metadata, &self->sim[i]);
	EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
	quic_nsim_remove(&self->sim[1]);
	quic_nsim_sender_close(&self->sender);
}

/* Packets of any length and number, of the keys that there are */
static void random_train(FIXTURE_DATA(fuzz) *self, struct flow *flow)
{
	struct quic_train *train = &self->sender.train;
	struct quic_packet packet = flow->packet;
	bool flips = flow->phase[0] && flow->phase[1] && fuzz_chance(30);
	bool gaps = fuzz_chance(30);
	unsigned int i, count = 1;
	size_t least;

	packet.pn_len = 1 + fuzz_below(4);
	least = quic_packet_header(&packet) + 4;
	if (fuzz_chance(70))
		count += fuzz_below(MAX_COUNT);
	packet.len = least + fuzz_below(fuzz_chance(80) ? 1400 : 60000);
	if (count * (packet.len + QUIC_TAG_SIZE) > MAX_TRAIN)
		packet.len = MAX_TRAIN / count - QUIC_TAG_SIZE;
	if (packet.len < least)
		packet.len = least;

	train->count = 0;
	for (i = 0; i < count; i++) {
		if (flips && fuzz_chance(30))
			packet.flags ^= QUIC_KEY_PHASE;
		if (i && i == count - 1)
			packet.len -= fuzz_below(packet.len - least + 1);
		quic_train_add(train, &packet);
		packet.pn += 1 + (gaps ? fuzz_below(20) : 0);
	}
	flow->packet.pn = packet.pn + fuzz_below(3) * fuzz_below(100000);
}

/* By the device that has the route; refused if something is wrong with it */
static void send_random(struct __test_metadata *_metadata,
			FIXTURE_DATA(fuzz) *self)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct flow *flow = &self->flows[fuzz_below(FLOWS)];
	struct quic_train *train = &sender->train;
	struct quic_nsim_counts before;
	struct quic_msg msg;
	uint8_t *start, byte;

	random_train(self, flow);
	load_flow(self, flow);
	msg = quic_msg(sender->tx, &sender->to, train);
	if (fuzz_chance(10)) {
		start = train->buf + train->at[fuzz_below(train->count)];
		before = quic_nsim_counts(&self->sim[self->by % SIMS]);
		*start |= QUIC_LONG_HEADER;
		ASSERT_EQ(-1, quic_send(&msg));
		ASSERT_EQ(EINVAL, errno);
		*start &= ~QUIC_LONG_HEADER;
		quic_nsim_expect_counts(_metadata, &self->sim[self->by % SIMS],
					&before, 0, QUIC_BY_SENDMSG);
		ASSERT_EQ(-1, recv(sender->path.rx, &byte, 1, MSG_DONTWAIT));
		self->refused++;
	}
	quic_nsim_expect_sent(_metadata, sender, &self->sim[self->by % SIMS],
			      &msg, self->by < SIMS ? QUIC_BY_ANYONE :
						      QUIC_BY_SOFTWARE);
	store_flow(self, flow);
	self->trains++;
}

static void change_device(struct __test_metadata *_metadata,
			  FIXTURE_DATA(fuzz) *self)
{
	static const struct {
		const char *knob;
		unsigned int value;
	} changes[] = {
		{ "reset", 1 }, { "reset", 1 }, { "reset", 1 }, { "rereg", 1 },
		{ "max_keys", 0 }, { "max_keys", 1 }, { "max_keys", 3 },
		{ "max_keys", MAX_KEYS }, { "max_keys", MAX_KEYS },
		{ "add_delay_ms", 0 }, { "add_delay_ms", 0 },
		{ "add_delay_ms", 5 },
		{ "add_error", ENOMEM }, { "add_error", EOPNOTSUPP },
		{ "add_error", 0 }, { "add_error", 0 }, { "add_error", 0 },
		{ "conn_id_lengths", 0xff }, { "conn_id_lengths", 0x1fffff },
		{ "conn_id_lengths", 0x1fffff },
	};
	unsigned int i = fuzz_below(ARRAY_SIZE(changes));

	ASSERT_EQ(0, quic_nsim_write(&self->sim[fuzz_below(SIMS)],
				     changes[i].knob, changes[i].value)) {
		TH_LOG("%s: %s", changes[i].knob, strerror(errno));
	}
}

static void change_route(struct __test_metadata *_metadata,
			 FIXTURE_DATA(fuzz) *self)
{
	static const char * const names[] = { "quic0", "quic2", "quic4" };

	if (fuzz_chance(30)) {
		bool on = fuzz_chance(50);

		ASSERT_EQ(on, quic_nsim_segments(names[fuzz_below(SIMS)], on));
		return;
	}
	self->by = fuzz_chance(10) ? SIMS : fuzz_below(SIMS);
	ASSERT_EQ(0, go_by(self, names[self->by]));
}

static void change_flow(struct __test_metadata *_metadata,
			FIXTURE_DATA(fuzz) *self)
{
	unsigned int i = fuzz_below(FLOWS);
	struct flow *flow = &self->flows[i];

	if (fuzz_chance(40)) {
		ASSERT_EQ(0, quic_nsim_sender_delete(&self->sender, i));
		quic_oracle_free(flow->phase[!(flow->generation & 1)] ?:
				 flow->phase[flow->generation & 1]);
		if (flow->phase[!(flow->generation & 1)])
			quic_oracle_free(flow->phase[flow->generation & 1]);
		memset(flow->phase, 0, sizeof(flow->phase));
	}
	flow->generation++;
	begin(_metadata, self, i);
}

static bool has_time(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec <
	       (long)env("QUIC_TORTURE_SECONDS", SECONDS);
}

TEST_F_TIMEOUT(fuzz, trains, TIMEOUT)
{
	struct timespec start;
	unsigned int dice;

	clock_gettime(CLOCK_MONOTONIC, &start);
	/* In the short form of a slow machine, too, something has been seen. */
	while (has_time(&start) || self->trains < 100) {
		dice = fuzz_below(100);
		if (dice < 80)
			send_random(_metadata, self);
		else if (dice < 86)
			change_device(_metadata, self);
		else if (dice < 94)
			change_route(_metadata, self);
		else
			change_flow(_metadata, self);
		/* Work is done while nothing is sent. */
		if (fuzz_chance(10))
			usleep(fuzz_below(10000));
	}
	TH_LOG("%lu trains, %lu refused; %ld packets: %ld by devices, %ld late",
	       self->trains, self->refused, quic_stat("QuicTxSwPackets"),
	       quic_stat("QuicTxDevice"), quic_stat("QuicTxDeviceFallback"));
	EXPECT_LT(0, quic_nsim_read(&self->sim[0], "packets"));
	EXPECT_LT(0, quic_nsim_read(&self->sim[1], "packets"));
	EXPECT_LT(0, quic_stat("QuicTxDeviceFallback"));
	EXPECT_EQ(0, quic_stat("QuicTxDeviceDrop"));
}

TEST_HARNESS_MAIN
