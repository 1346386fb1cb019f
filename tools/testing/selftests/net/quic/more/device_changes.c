// SPDX-License-Identifier: GPL-2.0
/*
 * Keys come to a device, are refused, forgotten and moved, and go: whatever becomes
 * of them packets are right, and each key that a device took is deleted once.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/inet_diag.h>

#include "kselftest_harness.h"
#include "quic_diag.h"
#include "quic_nsim_expect.h"

#define COUNT		10	/* packets of a train */
#define LONG		60000	/* milliseconds that an add takes, unless it ends */
#define SHORT		50

FIXTURE(changes) {
	struct quic_nsim_sender sender;
	struct quic_nsim *nsim;
	long adds, refusals, errors;	/* that are expected */
	bool gone;			/* quic0 */
};

FIXTURE_SETUP(changes)
{
	ASSERT_EQ(0, quic_nsim_sender_open(&self->sender, AF_INET6, true)) {
		TH_LOG("netdevsim: %s", strerror(errno));
	}
	self->nsim = &self->sender.nsim;
	ASSERT_EQ(0, quic_nsim_sender_begin(&self->sender, QUIC_AES_GCM_128, 0,
					    0));
}

FIXTURE_TEARDOWN(changes)
{
	quic_nsim_sender_hang_up(&self->sender);
	if (!self->gone) {
		quic_nsim_expect_forgotten(_metadata, self->nsim);
		EXPECT_EQ(0, quic_nsim_read(self->nsim, "drops"));
	}
	EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
	EXPECT_EQ(0, quic_flows_become(0));
	EXPECT_EQ(0, quic_stat("QuicTxDeviceDrop"));
	EXPECT_EQ(self->errors, quic_stat("QuicTxSwError"));
	quic_nsim_sender_close(&self->sender);
}

/* The next train, out by this netdevsim or not at all by one */
static void send_by(struct __test_metadata *_metadata,
		    FIXTURE_DATA(changes) *self, const struct quic_nsim *nsim,
		    enum quic_nsim_who who)
{
	quic_nsim_sender_build(&self->sender, COUNT, 0);
	quic_nsim_send_by(_metadata, &self->sender, nsim, who);
}

#define SEND_BY(who) send_by(_metadata, self, self->nsim, who)

/* Packets go out until something has come to @expected. */
#define SEND_UNTIL(knob, expected)					\
	quic_nsim_send_until(_metadata, &self->sender, self->nsim, knob,	\
			     NULL, expected)
#define SEND_UNTIL_COUNT(counter, expected)				\
	quic_nsim_send_until(_metadata, &self->sender, self->nsim, NULL,	\
			     counter, expected)

#define WRITE(knob, value) ASSERT_EQ(0, quic_nsim_write(self->nsim, knob, value))

/* A train for which the device takes one more key, and then one that it protects */
static void expect_taken(struct __test_metadata *_metadata,
			 FIXTURE_DATA(changes) *self)
{
	SEND_BY(QUIC_BY_FALLBACK);
	ASSERT_EQ(++self->adds,
		  quic_nsim_becomes(self->nsim, "adds", self->adds));
	SEND_UNTIL_COUNT("QuicCurrTxDevice",
			 quic_nsim_read(self->nsim, "keys"));
	SEND_BY(QUIC_BY_DEVICE);
}

#define TAKEN() expect_taken(_metadata, self)

/* Tries go on, without that the device has a key more. */
static void expect_not_asked(struct __test_metadata *_metadata,
			     FIXTURE_DATA(changes) *self)
{
	long fallback = quic_stat("QuicTxDeviceFallback");

	/* That of the first one of them is known when there is a second. */
	SEND_UNTIL_COUNT("QuicTxDeviceFallback", fallback + 1);
	SEND_UNTIL_COUNT("QuicTxDeviceFallback", fallback + 2);
	ASSERT_EQ(self->adds, quic_nsim_read(self->nsim, "adds"));
	ASSERT_EQ(self->refusals, quic_nsim_read(self->nsim, "refusals"));
}

#define NOT_ASKED() expect_not_asked(_metadata, self)

static void expect_refused(struct __test_metadata *_metadata,
			   FIXTURE_DATA(changes) *self)
{
	SEND_BY(QUIC_BY_FALLBACK);
	self->refusals++;
	ASSERT_EQ(self->refusals, quic_nsim_becomes(self->nsim, "refusals",
						    self->refusals));
	ASSERT_EQ(self->adds, quic_nsim_read(self->nsim, "adds"));
}

#define REFUSED() expect_refused(_metadata, self)

/* How many generations of flow @which a device has, of those that there are */
static void expect_gens(struct __test_metadata *_metadata,
			FIXTURE_DATA(changes) *self, unsigned int which,
			int device, int all)
{
	struct quic_flow_info info = {};
	struct quic_connection_info added;
	struct quic_keys keys;
	struct quic_dcid dcid;

	quic_dcid_init(&dcid, QUIC_NSIM_DCID_LEN, which);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], which, 0);
	quic_flow_info(&added, &keys, &dcid, &self->sender.to);
	info.key = added.key;
	info.direction = QUIC_CAP_TX;
	ASSERT_EQ(0, quic_flow_ask(self->sender.tx, &info)) {
		TH_LOG("%s", strerror(errno));
	}
	EXPECT_EQ(device, info.device_gens);
	EXPECT_EQ(all, info.key_gens);
}

#define GENS(which, device, all)					\
	expect_gens(_metadata, self, which, device, all)

#define BEGIN(which, generation)					\
	ASSERT_EQ(0, quic_nsim_sender_begin(&self->sender,		\
					    QUIC_AES_GCM_128, which,	\
					    generation))

TEST_F(changes, taken)
{
	GENS(0, 0, 1);
	TAKEN();
	GENS(0, 1, 1);
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "keys"));
	BEGIN(1, 0);
	TAKEN();
	GENS(1, 1, 1);
	EXPECT_EQ(2, quic_stat("QuicCurrTxDevice"));
}

/* What inet_diag tells of a socket of the test's */
static struct quic_diag diag(struct __test_metadata *_metadata, int fd)
{
	struct quic_addr addr = { .len = sizeof(addr.ss) };
	struct quic_diag answer = {};
	int nl = quic_diag_open();

	EXPECT_EQ(0, getsockname(fd, (struct sockaddr *)&addr.ss, &addr.len));
	EXPECT_EQ(0, quic_diag_ask(nl, AF_INET6, &addr, true,
				   QUIC_DIAG_EXT(INFO), &answer));
	EXPECT_TRUE(answer.ulp);
	close(nl);

	return answer;
}

/* Of two sockets that send by the device each is told its own packets. */
TEST_F(changes, told)
{
	int first = self->sender.tx;
	struct quic_addr any = { .ss.ss_family = AF_INET6,
				 .len = sizeof(struct sockaddr_in6) };
	struct quic_diag before, after;

	TAKEN();
	SEND_BY(QUIC_BY_DEVICE);
	before = diag(_metadata, first);
	EXPECT_LT(COUNT, before.info[QUIC_INFO_TX_DEVICE]);
	EXPECT_GT(before.info[QUIC_INFO_TX_PACKETS],
		  before.info[QUIC_INFO_TX_DEVICE]);
	EXPECT_EQ(quic_stat("QuicTxDevice"),
		  before.info[QUIC_INFO_TX_DEVICE]);

	self->sender.tx = socket(AF_INET6, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind(self->sender.tx, (struct sockaddr *)&any.ss, any.len));
	BEGIN(1, 0);
	TAKEN();
	after = diag(_metadata, self->sender.tx);
	EXPECT_EQ(quic_stat("QuicTxDevice"),
		  before.info[QUIC_INFO_TX_DEVICE] +
		  after.info[QUIC_INFO_TX_DEVICE]);
	after = diag(_metadata, first);
	EXPECT_EQ(before.info[QUIC_INFO_TX_DEVICE],
		  after.info[QUIC_INFO_TX_DEVICE]);
	EXPECT_EQ(0, close(first));
}

TEST_F(changes, deleted)
{
	TAKEN();
	ASSERT_EQ(0, quic_nsim_sender_delete(&self->sender, 0));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "keys"));
	EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
	BEGIN(0, 0);
	TAKEN();
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "dels"));
}

/* The device gets each new generation, and loses that which it replaces. */
TEST_F(changes, updated)
{
	int i;

	TAKEN();
	for (i = 1; i < 10; i++) {
		BEGIN(0, i);
		/* The one that is replaced goes without a packet of the new one. */
		if (i >= 2)
			ASSERT_EQ(i - 1, quic_nsim_becomes(self->nsim, "dels",
							   i - 1));
		GENS(0, 1, 2);
		TAKEN();
		GENS(0, 2, 2);
		EXPECT_EQ(2, quic_nsim_read(self->nsim, "keys"));

		/* Packets of the generation before are still welcome. */
		self->sender.packet.flags ^= QUIC_KEY_PHASE;
		SEND_BY(QUIC_BY_DEVICE);
		self->sender.packet.flags ^= QUIC_KEY_PHASE;
	}
}

/* All keys are forgotten, deleted, and come again. */
TEST_F(changes, reset)
{
	int i;

	for (i = 1; i <= 3; i++) {
		BEGIN(i, 0);
		TAKEN();
		WRITE("reset", 1);
		EXPECT_EQ(0, quic_nsim_read(self->nsim, "keys"));
		EXPECT_EQ(self->adds, quic_nsim_read(self->nsim, "dels"));
		EXPECT_EQ(0, quic_stat("QuicCurrTxDevice"));
		GENS(i, 0, 1);
		TAKEN();
		WRITE("reset", 1);
	}
}

/* Another device, as far as anybody can see */
TEST_F(changes, registered_again)
{
	TAKEN();
	WRITE("rereg", 1);
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "keys"));
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "dels"));
	EXPECT_EQ(0, quic_stat("QuicCurrTxDevice"));
	TAKEN();
}

TEST_F_TIMEOUT(changes, table_full, 60)
{
	WRITE("max_keys", 1);
	TAKEN();
	BEGIN(1, 0);
	REFUSED();
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "keys"));

	/* That is remembered, also when there is room. */
	WRITE("max_keys", 10);
	NOT_ASKED();
	BEGIN(2, 0);
	TAKEN();
	ASSERT_EQ(0, quic_nsim_sender_delete(&self->sender, 2));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "keys", 1));

	/* Not of a device that comes later */
	BEGIN(3, 0);
	WRITE("max_keys", 1);
	REFUSED();
	WRITE("max_keys", 10);
	WRITE("rereg", 1);
	self->adds++;
	SEND_UNTIL("adds", self->adds);
	EXPECT_EQ(2, quic_nsim_read(self->nsim, "dels"));
}

/* What says that a device won't, and what may be otherwise the next time */
TEST_F_TIMEOUT(changes, refused, 60)
{
	static const struct {
		const char *knob;
		unsigned int value, normal;
		bool remembered;
	} refusals[] = {
		{ "add_error", EOPNOTSUPP, 0, true },
		{ "add_error", ENOSPC, 0, true },
		{ "conn_id_lengths", 1 << 4, ~0U, true },
		{ "add_error", EIO, 0, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		BEGIN(i + 1, 0);
		WRITE(refusals[i].knob, refusals[i].value);
		REFUSED();
		WRITE(refusals[i].knob, refusals[i].normal);
		if (refusals[i].remembered) {
			NOT_ASKED();
		} else {
			self->adds++;
			SEND_UNTIL("adds", self->adds);
		}
	}
}

/* The device says beforehand what it can't do. */
TEST_F_TIMEOUT(changes, conn_id_length, 60)
{
	WRITE("conn_id_lengths", ~(1U << QUIC_NSIM_DCID_LEN));
	WRITE("rereg", 1);
	SEND_BY(QUIC_BY_FALLBACK);
	NOT_ASKED();
	WRITE("conn_id_lengths", 1 << QUIC_NSIM_DCID_LEN);
	WRITE("rereg", 1);
	self->adds++;
	SEND_UNTIL("adds", self->adds);
}

/* Software protects until the device is ready. */
TEST_F(changes, slow)
{
	int i;

	WRITE("add_delay_ms", SHORT);
	for (i = 1; i <= 10; i++) {
		BEGIN(i, 0);
		SEND_BY(QUIC_BY_FALLBACK);
		SEND_UNTIL_COUNT("QuicCurrTxDevice", i);
		EXPECT_EQ(i, quic_nsim_read(self->nsim, "adds"));
		SEND_BY(QUIC_BY_DEVICE);
	}
	self->adds = 10;
}

/* Not even tries are made before it has answered. */
TEST_F(changes, very_slow)
{
	WRITE("add_delay_ms", LONG);
	SEND_BY(QUIC_BY_FALLBACK);
	SEND_BY(QUIC_BY_SOFTWARE);
	NOT_ASKED();
	WRITE("add_delay_ms", 0);
	/* Another key need not wait for this one. */
	BEGIN(1, 0);
	TAKEN();
	WRITE("reset", 1);
	self->refusals++;
	ASSERT_EQ(self->refusals, quic_nsim_becomes(self->nsim, "refusals",
						    self->refusals));
	TAKEN();
}

TEST_F_TIMEOUT(changes, fails_late, 60)
{
	WRITE("add_delay_ms", SHORT);
	WRITE("add_error", EIO);
	REFUSED();
	WRITE("add_error", 0);
	self->adds++;
	SEND_UNTIL("adds", self->adds);
	SEND_UNTIL_COUNT("QuicCurrTxDevice", 1);

	BEGIN(1, 0);
	WRITE("add_error", ENOSPC);
	REFUSED();
	WRITE("add_error", 0);
	NOT_ASKED();
}

/* What may happen while a device is asked to take a key */

TEST_F(changes, reset_while_added)
{
	WRITE("add_delay_ms", LONG);
	SEND_BY(QUIC_BY_FALLBACK);
	ASSERT_EQ(1, quic_nsim_becomes(self->nsim, "pending", 1));
	WRITE("add_delay_ms", 0);
	WRITE("reset", 1);
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "refusals", 1));
	self->adds++;
	SEND_UNTIL("adds", self->adds);
	SEND_UNTIL_COUNT("QuicCurrTxDevice", 1);
	SEND_BY(QUIC_BY_DEVICE);
}

TEST_F(changes, registered_again_while_added)
{
	WRITE("add_delay_ms", LONG);
	SEND_BY(QUIC_BY_FALLBACK);
	ASSERT_EQ(1, quic_nsim_becomes(self->nsim, "pending", 1));
	WRITE("add_delay_ms", 0);
	WRITE("rereg", 1);
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "refusals"));
	self->adds++;
	SEND_UNTIL("adds", self->adds);
	SEND_UNTIL_COUNT("QuicCurrTxDevice", 1);
	SEND_BY(QUIC_BY_DEVICE);
}

/* It is deleted as soon as it is there. */
TEST_F(changes, deleted_while_added)
{
	WRITE("add_delay_ms", 10 * SHORT);
	SEND_BY(QUIC_BY_FALLBACK);
	ASSERT_EQ(0, quic_nsim_sender_delete(&self->sender, 0));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "adds", 1));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
}

TEST_F(changes, closed_while_added)
{
	WRITE("add_delay_ms", 10 * SHORT);
	SEND_BY(QUIC_BY_FALLBACK);
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "adds", 1));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
}

static void remove_device(struct __test_metadata *_metadata,
			  FIXTURE_DATA(changes) *self)
{
	ASSERT_EQ(0, quic_nsim_remove_end(self->nsim, false));
	self->gone = true;
	EXPECT_EQ(0, quic_stat("QuicCurrTxDevice"));
}

TEST_F(changes, device_removed_while_added)
{
	WRITE("add_delay_ms", LONG);
	SEND_BY(QUIC_BY_FALLBACK);
	remove_device(_metadata, self);
}

/* Errors are those of any device that has gone. */
TEST_F(changes, device_removed)
{
	struct quic_msg msg;

	TAKEN();
	remove_device(_metadata, self);
	GENS(0, 0, 1);
	quic_nsim_sender_build(&self->sender, COUNT, 0);
	msg = quic_msg(self->sender.tx, &self->sender.to, &self->sender.train);
	ASSERT_EQ(-1, quic_send(&msg));
	EXPECT_EQ(ENETUNREACH, errno);
	self->errors++;
}

/* Ways to go besides the first device */

#define ROUTE_BY(device)						\
	"route replace 192.0.2.2/32 dev " device "\n"			\
	"route replace 2001:db8::2/128 dev " device "\n"

/* The receiver has its addresses there, too. */
static void add_way(struct __test_metadata *_metadata,
		    const struct quic_path *path, const char *here,
		    const char *there)
{
	static const char format[] =
		"address add " QUIC_PATH_IPV4 "%s/24 dev %s\n"
		"address add " QUIC_PATH_IPV6 "%s/64 dev %s nodad\n"
		"link set %s mtu 65535 up\n";
	char batch[300];

	snprintf(batch, sizeof(batch), format, "1", here, "1", here, here);
	ASSERT_EQ(0, quic_path_ip(path, false, batch));
	snprintf(batch, sizeof(batch), format, "2", there, "2", there, there);
	ASSERT_EQ(0, quic_path_ip(path, true, batch));
}

#define GO_BY(device) do {						\
	ASSERT_EQ(0, quic_path_ip(&self->sender.path, false,		\
				  ROUTE_BY(device)));			\
	ASSERT_TRUE(quic_path_reaches(&self->sender.path,		\
				      self->sender.tx,			\
				      &self->sender.to));		\
	} while (0)

/* quic2, which takes keys as well */
static void add_other(struct __test_metadata *_metadata,
		      const struct quic_path *path, struct quic_nsim *other)
{
	ASSERT_EQ(0, quic_nsim_add(other, path, "quic2", "quic3"));
	add_way(_metadata, path, "quic2", "quic3");
	ASSERT_EQ(true, quic_nsim_segments("quic2", true));
}

#define ADD_OTHER(other) add_other(_metadata, &self->sender.path, other)

/* The key stays where it is: the route may come back, as it does. */
TEST_F_TIMEOUT(changes, route_to_a_device_that_does_not, 60)
{
	long device;
	int i;

	ASSERT_EQ(0, quic_path_veth(&self->sender.path, "veth0", "veth1"));
	add_way(_metadata, &self->sender.path, "veth0", "veth1");
	GO_BY("quic0");
	TAKEN();
	for (i = 0; i < 2; i++) {
		GO_BY("veth0");
		SEND_BY(QUIC_BY_FALLBACK);
		SEND_BY(QUIC_BY_SOFTWARE);
		NOT_ASKED();
		EXPECT_EQ(1, quic_nsim_read(self->nsim, "keys"));
		GENS(0, 1, 1);

		GO_BY("quic0");
		device = quic_stat("QuicTxDevice");
		SEND_UNTIL_COUNT("QuicTxDevice", device + 1);
		SEND_BY(QUIC_BY_DEVICE);
	}
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "dels"));
}

/* It moves. */
TEST_F_TIMEOUT(changes, route_to_a_device_that_does, 60)
{
	struct quic_nsim other;
	int i;

	ADD_OTHER(&other);
	GO_BY("quic0");
	for (i = 1; i <= 3; i++) {
		TAKEN();
		GO_BY("quic2");
		send_by(_metadata, self, &other, QUIC_BY_FALLBACK);
		ASSERT_EQ(i, quic_nsim_becomes(&other, "adds", i));
		ASSERT_EQ(i, quic_nsim_read(self->nsim, "dels"));
		EXPECT_EQ(0, quic_nsim_read(self->nsim, "keys"));
		EXPECT_EQ(1, quic_stat_becomes("QuicCurrTxDevice", 1));
		send_by(_metadata, self, &other, QUIC_BY_DEVICE);
		GENS(0, 1, 1);
		GO_BY("quic0");
	}
	quic_nsim_sender_hang_up(&self->sender);
	quic_nsim_expect_forgotten(_metadata, &other);
	EXPECT_EQ(0, quic_nsim_read(&other, "drops"));
	quic_nsim_remove(&other);
}

/* A key that leaves for a device that takes its time is on none. */
TEST_F_TIMEOUT(changes, moves_slowly, 60)
{
	struct quic_nsim other;
	long fallback;

	ADD_OTHER(&other);
	GO_BY("quic0");
	TAKEN();
	GO_BY("quic2");
	ASSERT_EQ(0, quic_nsim_write(&other, "add_delay_ms", LONG));
	send_by(_metadata, self, &other, QUIC_BY_FALLBACK);
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
	GENS(0, 0, 1);
	GO_BY("quic0");
	fallback = quic_stat("QuicTxDeviceFallback");
	SEND_UNTIL_COUNT("QuicTxDeviceFallback", fallback + 1);
	quic_nsim_remove(&other);
}

/* The device that a key comes from has gone meanwhile. */
TEST_F_TIMEOUT(changes, moved_while_a_device_goes, 60)
{
	struct quic_nsim other;

	ADD_OTHER(&other);
	GO_BY("quic2");
	ASSERT_EQ(0, quic_nsim_write(&other, "add_delay_ms", LONG));
	send_by(_metadata, self, &other, QUIC_BY_FALLBACK);
	quic_nsim_remove(&other);
	EXPECT_EQ(0, quic_stat("QuicCurrTxDevice"));
	GO_BY("quic0");
	self->adds++;
	SEND_UNTIL("adds", 1);
	SEND_UNTIL_COUNT("QuicCurrTxDevice", 1);
	SEND_BY(QUIC_BY_DEVICE);
}

TEST_HARNESS_MAIN
