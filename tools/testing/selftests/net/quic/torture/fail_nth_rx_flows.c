// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that change what a socket can open, with every failure that they can
 * meet: what fails has changed nothing, and works when it is tried again.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/inet_diag.h>

#include "kselftest_harness.h"
#include "quic_diag.h"
#include "quic_fail.h"
#include "quic_rx_env.h"

#define ULP_NAME	"quic-crypto"
#define DCID_LEN	8
#define GENERATIONS	3
#define GENERATION(n)	(1u << (n))

FIXTURE(flows) {
	struct quic_rx_env env;
	struct quic_fail fail;
	struct quic_probe probe;
	int fd;				/* of this round */
	struct quic_addr to;
	int nl;				/* to ask inet_diag */
	struct quic_connection_info info[GENERATIONS];
	struct quic_oracle *oracle[GENERATIONS];
	struct quic_packet packet;
	struct quic_sealed sealed;
	struct quic_received received;
};

FIXTURE_VARIANT(flows) {
	int family;
	unsigned int cipher;
};

FIXTURE_VARIANT_ADD(flows, ipv4_gcm_128) { AF_INET, QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(flows, ipv6_chacha20) { AF_INET6, QUIC_CHACHA20_POLY1305 };

FIXTURE_SETUP(flows)
{
	const char *reason = quic_fail_open(&self->fail);
	struct quic_keys keys;
	unsigned int i;

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, quic_probe_open(&self->probe));
	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->nl = quic_diag_open();
	ASSERT_LE(0, self->nl);
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
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
	ASSERT_EQ(0, quic_rx_flow_add(self->probe.fd, &self->info[0], 0));
	ASSERT_EQ(0, quic_rx_flow_del(self->probe.fd, &self->info[0]));
}

FIXTURE_TEARDOWN(flows)
{
	unsigned int i;

	for (i = 0; i < GENERATIONS; i++)
		quic_oracle_free(self->oracle[i]);
	close(self->nl);
	quic_probe_close(&self->probe);
	quic_rx_env_close(&self->env);
	quic_fail_close(&self->fail);
}

/*
 * A step: a call, what comes before, and the generations whose packets are
 * opened before and after it.
 */
struct step {
	const char *name;
	int (*prepare)(FIXTURE_DATA(flows) *self);
	int (*call)(FIXTURE_DATA(flows) *self);
	unsigned int before;
	unsigned int after;
	int flows;		/* added by the call */
	int module;		/* references that it takes */
	unsigned int told;	/* so many failures, at least, are errors */
	bool key;		/* and one more where the AEAD has a context */
	bool netlink;		/* may lack a buffer */
};

static int nothing(FIXTURE_DATA(flows) *self)
{
	return 0;
}

static int attach(FIXTURE_DATA(flows) *self)
{
	return setsockopt(self->fd, SOL_UDP, UDP_ULP, ULP_NAME,
			  strlen(ULP_NAME));
}

static int add(FIXTURE_DATA(flows) *self, unsigned int generation)
{
	return quic_rx_flow_add(self->fd, &self->info[generation],
				self->packet.pn);
}

static int add_first(FIXTURE_DATA(flows) *self)
{
	return add(self, 0);
}

static int add_second(FIXTURE_DATA(flows) *self)
{
	return add(self, 1);
}

static int add_two(FIXTURE_DATA(flows) *self)
{
	return add(self, 0) ?: add(self, 1);
}

static int add_third(FIXTURE_DATA(flows) *self)
{
	return add(self, 2);
}

static int del(FIXTURE_DATA(flows) *self)
{
	return quic_rx_flow_del(self->fd, &self->info[0]);
}

static int del_all(FIXTURE_DATA(flows) *self)
{
	return setsockopt(self->fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, NULL,
			  0);
}

static int get_drop(FIXTURE_DATA(flows) *self)
{
	int val = -1;
	socklen_t len = sizeof(val);

	if (getsockopt(self->fd, SOL_UDP, UDP_QUIC_RX_DROP, &val, &len))
		return -1;
	errno = EBADMSG;
	return val == 0 && len == sizeof(val) ? 0 : -1;
}

static int set_drop(FIXTURE_DATA(flows) *self)
{
	int val = 1;

	return setsockopt(self->fd, SOL_UDP, UDP_QUIC_RX_DROP, &val,
			  sizeof(val));
}

static int get_info(FIXTURE_DATA(flows) *self)
{
	struct quic_flow_info info = {
		.key = self->info[0].key,
		.direction = QUIC_CAP_RX,
	};

	if (quic_flow_ask(self->fd, &info))
		return -1;
	errno = EBADMSG;
	return info.key_gens == 2 && info.conn_payload_key_gen == 1 ? 0 : -1;
}

static int ask_diag(FIXTURE_DATA(flows) *self, bool one)
{
	int family = self->to.ss.ss_family, err;
	struct quic_diag answer;

	err = quic_diag_ask(self->nl, family, &self->to, one,
			    QUIC_DIAG_EXT(INFO), &answer);
	if (!err && (!answer.ulp || answer.info[QUIC_INFO_RX_FLOWS] != 1))
		err = EBADMSG;
	if (err) {
		/* Half an answer may be left. */
		close(self->nl);
		self->nl = quic_diag_open();
	}
	errno = err;
	return err ? -1 : 0;
}

static int ask_of_one(FIXTURE_DATA(flows) *self)
{
	return ask_diag(self, true);
}

static int ask_of_all(FIXTURE_DATA(flows) *self)
{
	return ask_diag(self, false);
}

static int receiver(FIXTURE_DATA(flows) *self)
{
	struct sockaddr_in *sin = (void *)&self->to.ss;

	self->to = self->env.to;
	sin->sin_port = 0;
	self->fd = socket(sin->sin_family, SOCK_DGRAM, 0);
	return bind(self->fd, (void *)&self->to.ss, self->to.len) ||
	       getsockname(self->fd, (void *)&self->to.ss, &self->to.len);
}

/* A packet of @generation, to a flow that has @generations */
static void expect_packet(struct __test_metadata *_metadata,
			  FIXTURE_DATA(flows) *self, unsigned int generation,
			  unsigned int generations)
{
	struct quic_rx_counters counters = quic_rx_counters(), now;
	bool phase = generations & (generation & 1 ? GENERATION(1) :
				    GENERATION(0) | GENERATION(2));
	struct quic_sealed *sealed = &self->sealed;
	const char *differs;

	self->packet.flags = QUIC_FIXED_BIT |
			     (generation & 1) * QUIC_KEY_PHASE;
	quic_sealed_build(sealed, self->oracle[generation], generation,
			  self->packet, 1, 0);
	self->packet.pn++;
	if (!generations)
		quic_sealed_as_wire(sealed);
	else if (!(generations & GENERATION(generation)))
		quic_sealed_expect(sealed, 0, phase ? QUIC_RX_BAD_TAG :
				   QUIC_RX_NO_KEY);
	ASSERT_EQ(sealed->len,
		  quic_sealed_send(self->env.tx, &self->to, sealed));
	quic_received_get(&self->received, self->fd,
			  sizeof(self->received.buf),
			  sizeof(self->received.control), MSG_DONTWAIT);
	differs = quic_received_differs(&self->received, sealed);
	ASSERT_EQ(NULL, differs) {
		TH_LOG("failure %u: generation %u: %s", self->fail.site,
		       generation, differs);
	}
	quic_rx_counters_add(&counters, sealed);
	now = quic_rx_counters();
	ASSERT_EQ(0, memcmp(&counters, &now, sizeof(now)));
}

static void expect_packets(struct __test_metadata *_metadata,
			   FIXTURE_DATA(flows) *self, unsigned int generations)
{
	unsigned int i;

	for (i = 0; i < GENERATIONS; i++)
		expect_packet(_metadata, self, i, generations);
}

static struct quic_use get_use(struct __test_metadata *_metadata,
			       FIXTURE_DATA(flows) *self, int fd)
{
	struct quic_use use;

	ASSERT_EQ(0, quic_use_get(&use, fd, &self->probe));
	return use;
}

static void expect_use(struct __test_metadata *_metadata,
		       FIXTURE_DATA(flows) *self,
		       const struct quic_use *expected)
{
	struct quic_use use = get_use(_metadata, self, self->fd);
	const char *difference = quic_use_differs(expected, &use);

	ASSERT_EQ(NULL, difference) {
		TH_LOG("failure %u (%s): %s", self->fail.site,
		       strerrorname_np(self->fail.err), difference);
	}
}

/* A call that fails, or that survives a failure, on a socket of its own */
static void try_step(struct __test_metadata *_metadata,
		     FIXTURE_DATA(flows) *self, const struct step *step)
{
	struct quic_use use;
	int ret;

	ASSERT_EQ(0, receiver(self));
	ASSERT_EQ(0, step->prepare(self));
	use = get_use(_metadata, self, self->fd);

	quic_fail_next(&self->fail);
	ret = step->call(self);
	quic_fail_end(&self->fail, ret);

	if (ret) {
		int err = self->fail.err;

		ASSERT_TRUE(self->fail.hit);
		/* ENOBUFS: the user's flows cannot be counted. */
		ASSERT_TRUE(err == ENOMEM || err == EFAULT ||
			    (err == ENOBUFS &&
			     (step->flows > 0 || step->netlink))) {
			TH_LOG("failure %u: %s", self->fail.site,
			       strerrorname_np(err));
		}
		expect_use(_metadata, self, &use);
		expect_packets(_metadata, self, step->before);
		ASSERT_EQ(0, step->call(self)) {
			TH_LOG("%s after failure %u (%s)",
			       strerrorname_np(errno), self->fail.site,
			       strerrorname_np(err));
		}
	}
	use.flows += step->flows;
	use.free -= step->flows;
	if (step->flows > 0)
		use.added += step->flows;
	use.module += use.module < 0 ? 0 : step->module;
	expect_use(_metadata, self, &use);
	expect_packets(_metadata, self, step->after);
	close(self->fd);
}

static void walk(struct __test_metadata *_metadata, FIXTURE_DATA(flows) *self,
		 const struct step *step)
{
	struct quic_use before = get_use(_metadata, self, self->env.tx), after;
	unsigned int i;

	quic_fail_first(&self->fail);
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

#define NONE	0
#define FIRST	GENERATION(0)
#define TWO	(GENERATION(0) | GENERATION(1))
#define LATER	(GENERATION(1) | GENERATION(2))

/*
 * What is told of ADD: the structure, the flow, its counters, the user's count,
 * the key.  Of so little as an option of an int not all architectures let the copy fail.
 */
static const struct step steps[] = {
	{ "add to a new socket", nothing, add_first, NONE, FIRST, 1, 1, 6, true },
	{ "add", attach, add_first, NONE, FIRST, 1, 0, 5, true },
	{ "add the next generation", add_first, add_second, FIRST, TWO,
	  0, 0, 2, true },
	{ "retire a generation", add_two, add_third, TWO, LATER, 0, 0, 2, true },
	{ "add again", add_two, add_second, TWO, TWO, 0, 0, 1 },
	{ "delete", add_two, del, TWO, NONE, -1, 0, 1 },
	{ "set UDP_QUIC_RX_DROP", add_two, set_drop, TWO, TWO, 0, 0, 1 },
	{ "get UDP_QUIC_RX_DROP", add_two, get_drop, TWO, TWO, 0, 0, 1 },
	{ "UDP_QUIC_FLOW_INFO", add_two, get_info, TWO, TWO, 0, 0, 2 },
	/* The question, its copy, buffers for the answer, and its copy */
	{ "ask inet_diag of one", add_two, ask_of_one, TWO, TWO, 0, 0, 4,
	  .netlink = true },
	{ "ask inet_diag of all", add_two, ask_of_all, TWO, TWO, 0, 0, 4,
	  .netlink = true },
};

TEST_F_TIMEOUT(flows, steps, 600)
{
	struct step step;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		step = steps[i];
		step.told += step.key && variant->cipher != QUIC_CHACHA20_POLY1305;
		walk(_metadata, self, &step);
	}
}

/* There is nothing that could fail, or it does not matter. */
TEST_F_TIMEOUT(flows, delete_all, 300)
{
	do {
		ASSERT_EQ(0, receiver(self));
		ASSERT_EQ(0, add_two(self));
		quic_fail_next(&self->fail);
		ASSERT_EQ(0, del_all(self));
		quic_fail_end(&self->fail, 0);
		expect_packets(_metadata, self, NONE);
		close(self->fd);
	} while (self->fail.hit);
}

TEST_HARNESS_MAIN
