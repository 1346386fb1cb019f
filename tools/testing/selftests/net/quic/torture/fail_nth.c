// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that change what a socket has, with every failure that they can
 * meet: what fails has changed nothing, and works when it is tried again.
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_fail.h"

#define ULP_NAME	"quic-crypto"
#define DCID_LEN	8
#define GENERATIONS	3

static int attach(int fd)
{
	return setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME));
}

FIXTURE(calls) {
	struct quic_env env;
	struct quic_fail fail;
	struct quic_probe probe;
	struct quic_search search;
	int fd;				/* of this round */
	struct quic_connection_info info[GENERATIONS];
	struct quic_oracle *oracle[GENERATIONS];
	struct quic_packet packet;
	struct quic_train train;
};

FIXTURE_VARIANT(calls) {
	int family;
	unsigned int cipher;
};

/* Each cipher, and each family with a cipher that has a crypto API context */
FIXTURE_VARIANT_ADD(calls, ipv4_gcm_128) { AF_INET, QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(calls, ipv6_gcm_256) { AF_INET6, QUIC_AES_GCM_256 };
FIXTURE_VARIANT_ADD(calls, ipv4_ccm_128) { AF_INET, QUIC_AES_CCM_128 };
FIXTURE_VARIANT_ADD(calls, ipv6_chacha20) { AF_INET6, QUIC_CHACHA20_POLY1305 };

FIXTURE_SETUP(calls)
{
	const char *reason = quic_fail_open(&self->fail);
	struct quic_keys keys;
	unsigned int i;

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, quic_probe_open(&self->probe));
	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	ASSERT_EQ(0, quic_search_open(&self->search, &self->env));

	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 4,
		.len = 200,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, variant->cipher);
	for (i = 0; i < GENERATIONS; i++) {
		quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 1, i);
		quic_flow_info(&self->info[i], &keys, &self->packet.dcid, NULL);
		self->oracle[i] = quic_oracle_new(&keys);
	}

	ASSERT_EQ(0, quic_probe_limit(&self->probe, "3"));
	/* The first use may load the cipher, which the next ones find. */
	ASSERT_EQ(0, quic_flow_add(self->probe.fd, &self->info[0]));
	ASSERT_EQ(0, quic_flow_del(self->probe.fd, &self->info[0]));
}

FIXTURE_TEARDOWN(calls)
{
	unsigned int i;

	for (i = 0; i < GENERATIONS; i++)
		quic_oracle_free(self->oracle[i]);
	quic_search_close(&self->search);
	quic_probe_close(&self->probe);
	quic_env_close(&self->env);
	quic_fail_close(&self->fail);
}

/*
 * A step: a call, what comes before, and what may be sent before and after it.
 * For each phase that is the generation that protects it, or an errno.
 */
struct step {
	const char *name;
	int (*prepare)(FIXTURE_DATA(calls) *self);
	int (*call)(FIXTURE_DATA(calls) *self);
	int before[2];
	int after[2];
	int flows;		/* added by the call */
	int module;		/* references that it takes */
	unsigned int told;	/* so many failures, at least, are errors */
};

static int nothing(FIXTURE_DATA(calls) *self)
{
	return 0;
}

static int call_attach(FIXTURE_DATA(calls) *self)
{
	return attach(self->fd);
}

static int call_add_first(FIXTURE_DATA(calls) *self)
{
	return quic_flow_add(self->fd, &self->info[0]);
}

static int call_add_second(FIXTURE_DATA(calls) *self)
{
	return quic_flow_add(self->fd, &self->info[1]);
}

static int add_two(FIXTURE_DATA(calls) *self)
{
	return call_add_first(self) ?: call_add_second(self);
}

static int call_add_third(FIXTURE_DATA(calls) *self)
{
	return quic_flow_add(self->fd, &self->info[2]);
}

static int call_del(FIXTURE_DATA(calls) *self)
{
	return quic_flow_del(self->fd, &self->info[0]);
}

static int call_get_ulp(FIXTURE_DATA(calls) *self)
{
	char name[sizeof(ULP_NAME)] = {};
	socklen_t len = sizeof(name);

	if (getsockopt(self->fd, SOL_UDP, UDP_ULP, name, &len))
		return -1;
	errno = EBADMSG;
	return strcmp(name, ULP_NAME) ? -1 : 0;
}

static int call_flow_info(FIXTURE_DATA(calls) *self)
{
	struct quic_flow_info info = {
		.key = self->info[0].key,
		.direction = QUIC_CAP_TX,
	};

	if (quic_flow_ask(self->fd, &info))
		return -1;
	errno = EBADMSG;
	return info.key_gens == 2 && info.conn_payload_key_gen == 1 ? 0 : -1;
}

static int call_capabilities(FIXTURE_DATA(calls) *self)
{
	struct quic_capabilities can = {};
	socklen_t len = sizeof(can);

	if (getsockopt(self->fd, SOL_UDP, UDP_QUIC_CAPABILITIES, &can, &len))
		return -1;
	errno = EBADMSG;
	return len == sizeof(can) && can.max_packets == QUIC_MAX_SEGMENTS ?
	       0 : -1;
}

/* By system calls alone: those of stdio would fail, too. */
static int call_read_stat(FIXTURE_DATA(calls) *self)
{
	char text[500] = {};
	int fd, err;

	fd = open("/proc/self/net/quic_stat", O_RDONLY);
	if (fd < 0)
		return -1;
	err = read(fd, text, sizeof(text) - 1) < 0 ? errno : 0;
	if (!err && !strstr(text, "QuicTxSwPackets"))
		err = EBADMSG;
	close(fd);
	errno = err;
	return err ? -1 : 0;
}

/* @expected: a generation, or -errno */
static void expect_send(struct __test_metadata *_metadata,
			FIXTURE_DATA(calls) *self, unsigned int phase,
			int expected)
{
	struct quic_oracle *oracle[2] = {};
	struct quic_msg msg;

	self->packet.flags = QUIC_FIXED_BIT | (phase ? QUIC_KEY_PHASE : 0);
	self->packet.pn++;
	self->train.count = 0;
	quic_train_add(&self->train, &self->packet);
	msg = quic_msg(self->fd, &self->env.to, &self->train);
	if (expected < 0) {
		ASSERT_EQ(-1, quic_send(&msg));
		ASSERT_EQ(-expected, errno);
		ASSERT_EQ(0, quic_search(&self->search));
		return;
	}
	ASSERT_EQ(msg.len, quic_send(&msg)) {
		TH_LOG("phase %u: %s", phase, strerror(errno));
	}
	oracle[phase] = self->oracle[expected];
	ASSERT_EQ(1, quic_receive(self->env.rx, oracle, &self->train));
	ASSERT_EQ(1, quic_search(&self->search));
}

static struct quic_use get_use(struct __test_metadata *_metadata,
			       FIXTURE_DATA(calls) *self, int fd)
{
	struct quic_use use;

	ASSERT_EQ(0, quic_use_get(&use, fd, &self->probe));
	return use;
}

static void expect_use(struct __test_metadata *_metadata,
		       FIXTURE_DATA(calls) *self, int fd,
		       const struct quic_use *expected)
{
	struct quic_use use = get_use(_metadata, self, fd);
	const char *difference = quic_use_differs(expected, &use);

	ASSERT_EQ(NULL, difference) {
		TH_LOG("failure %u (%s): %s", self->fail.site,
		       strerrorname_np(self->fail.err), difference);
	}
}

static bool documented(const struct step *step, int err)
{
	/* ENOBUFS: the user's flows cannot be counted. */
	return err == ENOMEM || err == EFAULT ||
	       (err == ENOBUFS && step->flows > 0);
}

/* A call that fails, or that survives a failure, on a socket of its own */
static void try_step(struct __test_metadata *_metadata,
		     FIXTURE_DATA(calls) *self, const struct step *step)
{
	struct quic_use use;
	unsigned int phase;
	int ret;

	self->fd = quic_env_socket(&self->env);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, step->prepare(self));
	use = get_use(_metadata, self, self->fd);

	quic_fail_next(&self->fail);
	ret = step->call(self);
	quic_fail_end(&self->fail, ret);
	ASSERT_EQ(0, quic_search(&self->search));

	if (ret) {
		ASSERT_TRUE(self->fail.hit);
		ASSERT_TRUE(documented(step, self->fail.err)) {
			TH_LOG("failure %u: %s", self->fail.site,
			       strerrorname_np(self->fail.err));
		}
		expect_use(_metadata, self, self->fd, &use);
		for (phase = 0; phase < 2; phase++)
			expect_send(_metadata, self, phase,
				    step->before[phase]);
		use = get_use(_metadata, self, self->fd);
		ASSERT_EQ(0, step->call(self)) {
			TH_LOG("%s after failure %u (%s)",
			       strerrorname_np(errno), self->fail.site,
			       strerrorname_np(self->fail.err));
		}
	}
	use.flows += step->flows;
	use.free -= step->flows;
	if (step->flows > 0)
		use.added += step->flows;
	use.module += use.module < 0 ? 0 : step->module;
	expect_use(_metadata, self, self->fd, &use);
	for (phase = 0; phase < 2; phase++)
		expect_send(_metadata, self, phase, step->after[phase]);
	close(self->fd);
}

static void walk(struct __test_metadata *_metadata, FIXTURE_DATA(calls) *self,
		 const struct step *step)
{
	struct quic_use before = get_use(_metadata, self, self->env.tx), after;
	unsigned int i;

	for (i = 0; i < QUIC_FAIL_PASSES && self->fail.told < step->told; i++) {
		quic_fail_first(&self->fail);
		do
			try_step(_metadata, self, step);
		while (self->fail.hit);
		TH_LOG("%s: %u failures told, %u survived", step->name,
		       self->fail.told, self->fail.survived);
	}
	EXPECT_LE(step->told, self->fail.told);

	/* The sockets are closed: nothing is left of them. */
	after = get_use(_metadata, self, self->env.tx);
	EXPECT_EQ(before.flows, after.flows);
	EXPECT_EQ(before.free, after.free);
	EXPECT_EQ(before.module, after.module);
}

/* The table of flows; not all architectures let the copy of the name fail. */
TEST_F_TIMEOUT(calls, attach, 300)
{
	static const struct step step = {
		"attach", nothing, call_attach,
		{ -EINVAL, -EINVAL }, { -ENOENT, -ENOENT },
		.module = 1, .told = 1,
	};

	walk(_metadata, self, &step);
}

/* The structure, the flow, its counters, the user's count, the key; the AEAD's */
static unsigned int add_sites(const FIXTURE_VARIANT(calls) *variant)
{
	return variant->cipher == QUIC_CHACHA20_POLY1305 ? 5 : 6;
}

TEST_F_TIMEOUT(calls, add_to_new_socket, 300)
{
	struct step step = {
		"add to a new socket", nothing, call_add_first,
		{ -EINVAL, -EINVAL }, { 0, -ENOKEY },
		.flows = 1, .module = 1, .told = add_sites(variant) + 1,
	};

	walk(_metadata, self, &step);
}

TEST_F_TIMEOUT(calls, add, 300)
{
	struct step step = {
		"add", call_attach, call_add_first,
		{ -ENOENT, -ENOENT }, { 0, -ENOKEY },
		.flows = 1, .told = add_sites(variant),
	};

	walk(_metadata, self, &step);
}

TEST_F_TIMEOUT(calls, add_next_generation, 300)
{
	struct step step = {
		"add the next generation", call_add_first, call_add_second,
		{ 0, -ENOKEY }, { 0, 1 },
		.told = add_sites(variant) - 3,
	};

	walk(_metadata, self, &step);
}

TEST_F_TIMEOUT(calls, retire_generation, 300)
{
	struct step step = {
		"retire a generation", add_two, call_add_third,
		{ 0, 1 }, { 2, 1 },
		.told = add_sites(variant) - 3,
	};

	walk(_metadata, self, &step);
}

TEST_F_TIMEOUT(calls, del, 300)
{
	static const struct step step = {
		"delete", add_two, call_del,
		{ 0, 1 }, { -ENOENT, -ENOENT },
		.flows = -1, .told = 1,
	};

	walk(_metadata, self, &step);
}

/* The name; on some architectures its length, too */
TEST_F_TIMEOUT(calls, get_ulp, 300)
{
	static const struct step step = {
		"getsockopt", call_add_first, call_get_ulp,
		{ 0, -ENOKEY }, { 0, -ENOKEY }, .told = 1,
	};

	walk(_metadata, self, &step);
}

/* The question and the answer */
TEST_F_TIMEOUT(calls, flow_info, 300)
{
	static const struct step step = {
		"UDP_QUIC_FLOW_INFO", add_two, call_flow_info,
		{ 0, 1 }, { 0, 1 }, .told = 2,
	};

	walk(_metadata, self, &step);
}

/* Of a socket that has nothing, and gets nothing by that */
TEST_F_TIMEOUT(calls, capabilities, 300)
{
	static const struct step step = {
		"UDP_QUIC_CAPABILITIES", nothing, call_capabilities,
		{ -EINVAL, -EINVAL }, { -EINVAL, -EINVAL }, .told = 1,
	};

	walk(_metadata, self, &step);
}

TEST_F_TIMEOUT(calls, read_stat, 300)
{
	static const struct step step = {
		"read quic_stat", add_two, call_read_stat,
		{ 0, 1 }, { 0, 1 }, .told = 3,
	};

	walk(_metadata, self, &step);
}

/* Closing cannot fail, so whatever fails in it must not matter. */
TEST_F_TIMEOUT(calls, close, 300)
{
	struct quic_use use = get_use(_metadata, self, self->env.tx);
	int ret;

	do {
		self->fd = quic_env_socket(&self->env);
		ASSERT_LE(0, self->fd);
		ASSERT_EQ(0, add_two(self));
		quic_fail_next(&self->fail);
		ret = close(self->fd);
		quic_fail_end(&self->fail, ret);
		ASSERT_EQ(0, ret);
		ASSERT_EQ(0, quic_search(&self->search));
		use.added++;
		expect_use(_metadata, self, self->env.tx, &use);
	} while (self->fail.hit);
	TH_LOG("close: %u failures survived", self->fail.survived);
}

/*
 * A table that is full: it grows in the background, unless that comes too late.
 * With that held up, the call itself has to make the new table.
 */
#define TABLE	64	/* buckets of a new rhashtable */

static int add_others(FIXTURE_DATA(calls) *self, unsigned int count)
{
	struct quic_connection_info info = self->info[0];
	uint8_t i;

	for (i = 0; i < count; i++) {
		info.key.conn_id[sizeof(info.key.conn_id) - 1] =
			self->packet.dcid.id[DCID_LEN - 1] + 1 + i;
		if (quic_flow_add(self->fd, &info))
			return -1;
	}
	return 0;
}

static int fill_table(FIXTURE_DATA(calls) *self)
{
	return add_others(self, TABLE + 1);
}

/* One more has room. */
static int almost_fill_table(FIXTURE_DATA(calls) *self)
{
	return add_others(self, TABLE);
}

/* Of the step's call if nothing fails; only a new slab has more. */
static unsigned int fewest_sites(struct __test_metadata *_metadata,
				 FIXTURE_DATA(calls) *self,
				 const struct step *step)
{
	unsigned int fewest = UINT_MAX, sites, i;
	int ret;

	for (i = 0; i < 10; i++) {
		self->fd = quic_env_socket(&self->env);
		ASSERT_LE(0, self->fd);
		ASSERT_EQ(0, step->prepare(self));
		quic_fail_count(&self->fail);
		ret = step->call(self);
		sites = quic_fail_counted(&self->fail);
		ASSERT_EQ(0, ret);
		close(self->fd);
		if (sites < fewest)
			fewest = sites;
	}
	return fewest;
}

static int hold_up_workers(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &param);
}

TEST_F_TIMEOUT(calls, add_to_full_table, 300)
{
	struct step step = {
		"add to a full table", fill_table, call_add_first,
		{ -ENOENT, -ENOENT }, { 0, -ENOKEY },
		/* The user's count is there; the table is not. */
		.flows = 1, .told = add_sites(variant) - 1 + 1,
	};
	static const struct step without = {
		"add", almost_fill_table, call_add_first };
	unsigned int sites[2];

	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, hold_up_workers());
	ASSERT_EQ(0, quic_probe_limit(&self->probe, "68"));

	sites[0] = fewest_sites(_metadata, self, &without);
	sites[1] = fewest_sites(_metadata, self, &step);
	TH_LOG("%u sites, %u with a new table", sites[0], sites[1]);
	ASSERT_LT(sites[0], sites[1]);
	walk(_metadata, self, &step);
}

TEST_HARNESS_MAIN
