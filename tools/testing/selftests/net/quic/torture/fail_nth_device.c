// SPDX-License-Identifier: GPL-2.0
/*
 * Trains that are left to a device, with every failure that they can meet: they
 * are refused as others, lost and counted, or protected in another way, and
 * nothing leaves in plain text.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_fail.h"
#include "quic_nsim_expect.h"

#define COUNT		5	/* packets of a train */
#define TOLD		4	/* address, message, control messages, memory */

FIXTURE(device) {
	struct quic_nsim_sender sender;
	const struct quic_nsim *nsim;
	struct quic_fail fail;
	unsigned int late, by_device, by_sendmsg;	/* lost there; not left */
};

FIXTURE_VARIANT(device) {
	int family;
	unsigned int cipher;
	bool segments;
	const char *queue;
};

FIXTURE_VARIANT_ADD(device, ipv4) {
	AF_INET, QUIC_AES_GCM_128, true, "pfifo_fast" };
FIXTURE_VARIANT_ADD(device, ipv6) {
	AF_INET6, QUIC_CHACHA20_POLY1305, true, "noqueue" };
FIXTURE_VARIANT_ADD(device, mapped_singly) {
	AF_UNSPEC, QUIC_AES_GCM_256, false, "pfifo_fast" };

FIXTURE_SETUP(device)
{
	const char *reason = quic_fail_open(&self->fail);
	char command[100];

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_EQ(0, quic_nsim_sender_open(&self->sender, variant->family,
					   variant->segments)) {
		TH_LOG("netdevsim: %s", strerror(errno));
	}
	self->nsim = &self->sender.nsim;
	snprintf(command, sizeof(command),
		 "tc qdisc replace dev quic0 root %s", variant->queue);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, quic_nsim_sender_begin(&self->sender, variant->cipher, 0,
					    0));
}

FIXTURE_TEARDOWN(device)
{
	quic_nsim_sender_hang_up(&self->sender);
	quic_nsim_expect_forgotten(_metadata, self->nsim);
	EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
	EXPECT_EQ(0, quic_flows_become(0));
	quic_nsim_sender_close(&self->sender);
	quic_fail_close(&self->fail);
}

/* Frames that were dropped on the way out, while the device is not to blame */
static long device_dropped(void)
{
	char line[200];
	long dropped = -1;
	FILE *f = fopen("/proc/self/net/dev", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " quic0: %*d %*d %*d %*d %*d %*d %*d %*d "
			   "%*d %*d %*d %ld", &dropped) == 1)
			break;
	if (f)
		fclose(f);
	return dropped;
}

/*
 * Which packets of the train have come, a bit each.  Others are a fault, and what
 * comes twice.
 */
static unsigned int arrived(struct __test_metadata *_metadata,
			    FIXTURE_DATA(device) *self)
{
	struct quic_nsim_sender *sender = &self->sender;
	const struct quic_train *train = &sender->train;
	static uint8_t expected[COUNT][2000], seen[2000];
	size_t expected_len[COUNT];
	unsigned int i, got = 0;
	ssize_t len;

	for (i = 0; i < COUNT; i++)
		expected_len[i] = quic_oracle_protect(sender->phase[0],
						      train->pn[i],
						      train->dcid_len,
						      train->buf + train->at[i],
						      train->at[i + 1] -
						      train->at[i],
						      expected[i]);

	/* Behind all of it */
	ASSERT_EQ(1, sendto(sender->tx, "", 1, 0, (void *)&sender->to.ss,
			    sender->to.len));
	while ((len = recv(sender->path.rx, seen, sizeof(seen), 0)) != 1) {
		for (i = 0; i < COUNT; i++)
			if (expected_len[i] == (size_t)len &&
			    !memcmp(expected[i], seen, len))
				break;
		ASSERT_LT(i, COUNT) {
			TH_LOG("failure %u: %zd bytes that were not sent",
			       self->fail.site, len);
		}
		ASSERT_EQ(0, got & 1U << i);
		got |= 1U << i;
	}
	quic_nsim_expect_wire(_metadata, &sender->path);
	/* Or the tap has no room some time. */
	quic_path_wire(&sender->path, false);
	return got;
}

/* The next train, with a failure or without. */
static ssize_t send_next(FIXTURE_DATA(device) *self, bool fails)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_msghdr hdr;
	struct quic_msg msg;
	ssize_t ret;

	quic_nsim_sender_build(sender, COUNT, 0);
	msg = quic_msg(sender->tx, &sender->to, &sender->train);
	quic_msghdr_init(&hdr, &msg);
	if (fails)
		quic_fail_next(&self->fail);
	ret = sendmsg(sender->tx, &hdr.mh, 0);
	if (fails)
		quic_fail_end(&self->fail, ret);
	return ret;
}

/* Another message with the numbers of the one that failed */
static void send_again(struct __test_metadata *_metadata,
		       FIXTURE_DATA(device) *self)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_msg msg;
	unsigned int i;

	for (i = 0; i < COUNT; i++)
		sender->train.buf[sender->train.at[i + 1] - 1] ^= 0xff;
	msg = quic_msg(sender->tx, &sender->to, &sender->train);
	if (quic_send(&msg) == (ssize_t)sender->train.len) {
		ASSERT_EQ((1U << COUNT) - 1, arrived(_metadata, self));
		return;
	}
	/* UDP had got all of it. */
	ASSERT_EQ(ERANGE, errno);
}

/* One train, that meets the next failure */
static void try_next(struct __test_metadata *_metadata,
		     FIXTURE_DATA(device) *self)
{
	struct quic_nsim_counts before = quic_nsim_counts(self->nsim), now;
	long dropped = device_dropped(), lost;
	struct quic_fail *fail = &self->fail;
	ssize_t ret = send_next(self, true);

	lost = COUNT - __builtin_popcount(arrived(_metadata, self));
	now = quic_nsim_counts(self->nsim);
	dropped = device_dropped() - dropped;
	/* Too late to be refused, and in one place */
	if (lost && ret >= 0)
		ASSERT_TRUE(fail->hit && dropped &&
			    (now.drop - before.drop == lost ||
			     now.refused - before.refused == lost ||
			     (now.drop == before.drop &&
			      now.refused == before.refused))) {
			TH_LOG("failure %u: %ld lost, %ld late, %ld by the device, %ld frames",
			       fail->site, lost, now.drop - before.drop,
			       now.refused - before.refused, dropped);
		}
	self->late += now.drop > before.drop;
	self->by_device += now.refused > before.refused;
	if (ret >= 0) {
		ASSERT_EQ(self->sender.train.len, ret);
		ASSERT_EQ(before.packets + COUNT, now.packets);
		self->by_sendmsg += now.device == before.device &&
				    now.fallback == before.fallback &&
				    now.drop == before.drop;
		return;
	}

	ASSERT_TRUE(fail->hit);
	ASSERT_TRUE(fail->err == ENOBUFS || fail->err == EFAULT ||
		    fail->err == ENOMEM);
	ASSERT_EQ(COUNT, lost);
	ASSERT_EQ(before.packets, now.packets);
	send_again(_metadata, self);
}

/* All keys are where they have to be; trains with other numbers go there. */
static void expect_taken(struct __test_metadata *_metadata,
			 FIXTURE_DATA(device) *self)
{
	int i;

	for (i = 0; i < 3000 && quic_stat("QuicCurrTxDevice") != 1; i++) {
		ASSERT_LT(0, send_next(self, false));
		ASSERT_EQ((1U << COUNT) - 1, arrived(_metadata, self));
		usleep(10000);
	}
	ASSERT_EQ(1, quic_stat("QuicCurrTxDevice"));
}

TEST_F_TIMEOUT(device, protects, 300)
{
	unsigned int i;

	for (i = 0; i < QUIC_FAIL_PASSES && (!self->by_device ||
					     !self->by_sendmsg ||
					     self->fail.told < TOLD); i++) {
		expect_taken(_metadata, self);
		quic_fail_first(&self->fail);
		do
			try_next(_metadata, self);
		while (self->fail.hit);
		TH_LOG("%u failures told, %u survived", self->fail.told,
		       self->fail.survived);
	}
	EXPECT_LE(TOLD, self->fail.told);
	EXPECT_EQ(0, self->late);
	/* The tap's clone makes it copy; without an extension it is not left. */
	EXPECT_LT(0, self->by_device);
	EXPECT_LT(0, self->by_sendmsg);
}

/* A train comes to a device that has just forgotten the key. */
TEST_F_TIMEOUT(device, falls_back, 300)
{
	unsigned int i;

	for (i = 0; i < QUIC_FAIL_PASSES && (self->late < 2 ||
					     self->fail.told < TOLD); i++) {
		quic_fail_first(&self->fail);
		do {
			expect_taken(_metadata, self);
			ASSERT_EQ(0, quic_nsim_write(self->nsim, "reset", 1));
			ASSERT_EQ(0, quic_stat("QuicCurrTxDevice"));
			try_next(_metadata, self);
		} while (self->fail.hit);
		TH_LOG("%u failures told, %u survived", self->fail.told,
		       self->fail.survived);
	}
	EXPECT_LE(TOLD, self->fail.told);
	/* Copying it, since there is a tap, and room for a packet */
	EXPECT_LE(2, self->late);
}

/* A device that can't be registered any more is one that can't do anything. */
TEST_F_TIMEOUT(device, registers, 300)
{
	unsigned int errors = 0;
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/netdevsim/netdevsim%u/"
		 "ports/0/quic/rereg", self->nsim->id[0]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	quic_fail_first(&self->fail);
	do {
		ssize_t ret;

		expect_taken(_metadata, self);
		quic_fail_next(&self->fail);
		ret = write(fd, "1", 1);
		quic_fail_end(&self->fail, ret);
		if (ret < 0) {
			ASSERT_TRUE(self->fail.hit);
			ASSERT_EQ(ENOMEM, errno);
			errors++;
			ASSERT_LT(0, send_next(self, false));
			ASSERT_EQ((1U << COUNT) - 1, arrived(_metadata, self));
			ASSERT_EQ(0, quic_stat("QuicCurrTxDevice"));
			ASSERT_EQ(0, quic_nsim_read(self->nsim, "keys"));
			ASSERT_EQ(1, write(fd, "1", 1));
		}
	} while (self->fail.hit);
	close(fd);
	EXPECT_LT(0, errors);
	expect_taken(_metadata, self);
}

/* Workers that take keys to devices, and others */
static void workers_may_fail(const char *may)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "for p in /proc/[0-9]*; do read -r c < $p/comm; "
		 "case $c in kworker/u*) echo %s > $p/make-it-fail;; esac; "
		 "done 2> /dev/null", may);
	if (system(command))
		printf("# fail: no worker\n");
}

static int set_failslab(const char *knob, const char *value)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", knob);
	return quic_env_write_file(path, value);
}

/* The driver has no memory for a key: it may have for the next. */
TEST_F_TIMEOUT(device, refuses, 300)
{
	long refusals;
	int i;

	ASSERT_EQ(0, set_failslab("task-filter", "Y"));
	ASSERT_EQ(0, set_failslab("probability", "100"));
	for (i = 0; i < 100; i++) {
		expect_taken(_metadata, self);
		ASSERT_EQ(0, quic_nsim_write(self->nsim, "reset", 1));
		refusals = quic_nsim_read(self->nsim, "refusals");
		ASSERT_LE(0, refusals);
		workers_may_fail("1");
		/* What fails may be of somebody else's work. */
		set_failslab("times", "3");
		ASSERT_LT(0, send_next(self, false));
		usleep(50000);
		set_failslab("times", "0");
		workers_may_fail("0");
		ASSERT_EQ((1U << COUNT) - 1, arrived(_metadata, self));
		if (quic_nsim_read(self->nsim, "refusals") > refusals)
			break;
	}
	set_failslab("probability", "0");
	set_failslab("task-filter", "N");
	set_failslab("times", "-1");
	EXPECT_LT(refusals, quic_nsim_read(self->nsim, "refusals"));
	expect_taken(_metadata, self);
}

TEST_HARNESS_MAIN
