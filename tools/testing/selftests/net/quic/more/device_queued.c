// SPDX-License-Identifier: GPL-2.0
/*
 * Trains in plain text wait in a queue, and things change: they leave protected, or
 * not at all, and no key goes before they have.  Then it does, whether or not somebody
 * reads the taps that have seen them.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_nsim_expect.h"

#define TRAINS		3
#define COUNT		10	/* packets of each */
#define PACKETS		(TRAINS * COUNT)
#define ADD_DELAY	500	/* milliseconds */

FIXTURE(queued) {
	struct quic_nsim_sender sender;
	struct quic_nsim *nsim;
	struct quic_train train[TRAINS];
	struct quic_nsim_counts before;
	bool gone;			/* quic0, or where it was */
};

FIXTURE_VARIANT(queued) {
	int family;
	bool segments;
	const char *queue;		/* for tc(8) */
};

/* Who waits in the first one has a socket, in the other one not any more. */
#define PLUG	"tc qdisc add dev quic0 root handle 2: plug limit 1000000"
#define ORPHAN	"tc qdisc add dev quic0 root handle 1: netem delay 1us &&" \
		"tc qdisc add dev quic0 parent 1:1 handle 2: plug limit 1000000"
#define BLOCK	"tc qdisc change dev quic0 handle 2: plug block"
#define RELEASE	"tc qdisc change dev quic0 handle 2: plug release_indefinite"

FIXTURE_VARIANT_ADD(queued, ipv4) { AF_INET, true, PLUG };
FIXTURE_VARIANT_ADD(queued, ipv4_orphaned) { AF_INET, true, ORPHAN };
FIXTURE_VARIANT_ADD(queued, ipv6_singly) { AF_INET6, false, PLUG };
FIXTURE_VARIANT_ADD(queued, ipv6_singly_orphaned) { AF_INET6, false, ORPHAN };

FIXTURE_SETUP(queued)
{
	struct quic_nsim_sender *sender = &self->sender;

	ASSERT_EQ(0, quic_nsim_sender_open(sender, variant->family,
					   variant->segments)) {
		TH_LOG("netdevsim: %s", strerror(errno));
	}
	self->nsim = &sender->nsim;
	ASSERT_EQ(0, system(variant->queue));
	ASSERT_EQ(0, system(RELEASE));
	ASSERT_EQ(0, quic_nsim_sender_begin(sender, QUIC_AES_GCM_128, 0, 0));
}

/* Nothing stays, nothing has leaked. */
FIXTURE_TEARDOWN(queued)
{
	quic_nsim_sender_hang_up(&self->sender);
	if (!self->gone) {
		quic_nsim_expect_forgotten(_metadata, self->nsim);
		EXPECT_EQ(0, quic_nsim_read(self->nsim, "drops"));
		EXPECT_EQ(0, quic_stat_becomes("QuicCurrTxDevice", 0));
		EXPECT_EQ(0, quic_flows_become(0));
		EXPECT_EQ(0, quic_stat("QuicTxDeviceDrop"));
	}
	quic_nsim_expect_wire(_metadata, &self->sender.path);
	quic_nsim_sender_close(&self->sender);
}

/* The device gets the key, whose trains are all left to it then. */
static void expect_taken(struct __test_metadata *_metadata,
			 FIXTURE_DATA(queued) *self)
{
	quic_nsim_sender_build(&self->sender, COUNT, 0);
	quic_nsim_send_by(_metadata, &self->sender, self->nsim,
			  QUIC_BY_FALLBACK);
	ASSERT_EQ(1, quic_stat_becomes("QuicCurrTxDevice", 1));
}

/* Trains come to a queue that has been told to keep them. */
static void queue(struct __test_metadata *_metadata, FIXTURE_DATA(queued) *self,
		  const char *keep)
{
	struct quic_nsim_sender *sender = &self->sender;
	struct quic_msg msg;
	int i;

	ASSERT_EQ(0, system(keep));
	self->before = quic_nsim_counts(self->nsim);
	for (i = 0; i < TRAINS; i++) {
		quic_nsim_sender_build(sender, COUNT, 50);
		self->train[i] = sender->train;
		msg = quic_msg(sender->tx, &sender->to, &self->train[i]);
		ASSERT_EQ(msg.len, quic_send(&msg));
	}
	ASSERT_EQ(self->before.device, quic_stat("QuicTxDevice"));
	ASSERT_EQ(self->before.fallback, quic_stat("QuicTxDeviceFallback"));
}

#define TAKEN() expect_taken(_metadata, self)
#define QUEUE() queue(_metadata, self, BLOCK)

/* All of them arrive. */
static void expect_arrive(struct __test_metadata *_metadata,
			  FIXTURE_DATA(queued) *self)
{
	int i;

	for (i = 0; i < TRAINS; i++)
		ASSERT_EQ(COUNT, quic_receive(self->sender.path.rx,
					      self->sender.phase,
					      &self->train[i]));
}

/*
 * They leave, protected by @who, as counted in the namespace that they are in.  The
 * first one may have its key offered: not before all have left is it taken.
 */
static void expect_leave(struct __test_metadata *_metadata,
			 FIXTURE_DATA(queued) *self, enum quic_nsim_who who)
{
	ASSERT_EQ(0, quic_nsim_write(self->nsim, "add_delay_ms", ADD_DELAY));
	ASSERT_EQ(0, system(RELEASE));
	expect_arrive(_metadata, self);
	quic_nsim_expect_counts(_metadata, self->nsim, &self->before, PACKETS,
				who);
}

#define LEAVE_BY(who) expect_leave(_metadata, self, who)

/* None of them arrives, the one that is sent now does. */
static void expect_lost(struct __test_metadata *_metadata,
			FIXTURE_DATA(queued) *self, enum quic_nsim_who who)
{
	struct quic_nsim_sender *sender = &self->sender;

	ASSERT_TRUE(quic_path_reaches(&sender->path, sender->tx, &sender->to));
	quic_nsim_sender_build(sender, COUNT, 0);
	quic_nsim_send_by(_metadata, sender, self->nsim, who);
	EXPECT_EQ(self->before.fallback, quic_stat("QuicTxDeviceFallback"));
}

#define LOST_BUT_BY(who) expect_lost(_metadata, self, who)

TEST_F(queued, nothing_changes)
{
	TAKEN();
	QUEUE();
	LEAVE_BY(QUIC_BY_DEVICE);
}

TEST_F(queued, closed)
{
	TAKEN();
	QUEUE();
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "keys"));
	LEAVE_BY(QUIC_BY_DEVICE);
}

TEST_F(queued, flow_deleted)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_nsim_sender_delete(&self->sender, 0));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(1, quic_stat("QuicCurrTxDevice"));
	LEAVE_BY(QUIC_BY_DEVICE);
	EXPECT_EQ(0, quic_nsim_becomes(self->nsim, "keys", 0));
}

/* The generation is replaced. */
TEST_F(queued, updated)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	int i;

	TAKEN();
	QUEUE();
	for (i = 1; i <= 2; i++) {
		quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, i);
		quic_flow_info(&info, &keys, &self->sender.packet.dcid,
			       &self->sender.to);
		ASSERT_EQ(0, quic_flow_add(self->sender.tx, &info));
	}
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "keys"));
	LEAVE_BY(QUIC_BY_DEVICE);
	EXPECT_EQ(0, quic_nsim_becomes(self->nsim, "keys", 0));
}

/* The device has forgotten the key. */
TEST_F(queued, reset)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_nsim_write(self->nsim, "reset", 1));
	LEAVE_BY(QUIC_BY_FALLBACK);
	ASSERT_EQ(2, quic_nsim_becomes(self->nsim, "adds", 2));
}

TEST_F(queued, reset_and_closed)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_nsim_write(self->nsim, "reset", 1));
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(0, quic_flows_become(0));
	LEAVE_BY(QUIC_BY_FALLBACK);
}

TEST_F(queued, registered_again)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_nsim_write(self->nsim, "rereg", 1));
	LEAVE_BY(QUIC_BY_FALLBACK);
	ASSERT_EQ(2, quic_nsim_becomes(self->nsim, "adds", 2));
}

/* Nobody has been told the key by then. */
TEST_F(queued, never_offered)
{
	QUEUE();
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "adds"));
	EXPECT_EQ(0, quic_flows_become(0));
	LEAVE_BY(QUIC_BY_FALLBACK);
	/* It is offered then, for nothing: it goes when the device has it. */
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "adds", 1));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
}

/* It could be taken, but is not any more. */
TEST_F(queued, checksum_not_left)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_path_offload("quic0", false));
	LEAVE_BY(QUIC_BY_FALLBACK);
	EXPECT_EQ(1, quic_nsim_read(self->nsim, "adds"));
}

TEST_F(queued, segments_itself_or_not)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(!variant->segments,
		  quic_nsim_segments("quic0", !variant->segments));
	LEAVE_BY(QUIC_BY_DEVICE);
}

TEST_F(queued, queue_removed)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, system("tc qdisc del dev quic0 root"));
	LOST_BUT_BY(QUIC_BY_DEVICE);
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "dels"));
}

TEST_F(queued, queue_removed_after_close)
{
	TAKEN();
	QUEUE();
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "dels"));
	ASSERT_EQ(0, system("tc qdisc del dev quic0 root"));
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
	EXPECT_EQ(self->before.device, quic_stat("QuicTxDevice"));
	EXPECT_EQ(self->before.fallback, quic_stat("QuicTxDeviceFallback"));
}

/* Going down empties the queue. */
TEST_F(queued, down)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_path_ip(&self->sender.path, false,
				  "link set quic0 down\n"
				  "link set quic0 up\n"
				  QUIC_PATH_ADDRESSES("quic0", "1")));
	ASSERT_EQ(0, system("tc qdisc replace dev quic0 root pfifo"));
	LOST_BUT_BY(QUIC_BY_DEVICE);
	EXPECT_EQ(0, quic_nsim_read(self->nsim, "dels"));
}

static void expect_nothing(struct __test_metadata *_metadata,
			   FIXTURE_DATA(queued) *self)
{
	uint8_t byte;

	EXPECT_EQ(-1, recv(self->sender.path.rx, &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, quic_stat("QuicCurrTxDevice"));
	EXPECT_EQ(self->before.device, quic_stat("QuicTxDevice"));
	EXPECT_EQ(self->before.fallback, quic_stat("QuicTxDeviceFallback"));
	EXPECT_EQ(0, quic_stat("QuicTxDeviceDrop"));
}

TEST_F(queued, device_removed)
{
	TAKEN();
	QUEUE();
	ASSERT_EQ(0, quic_nsim_remove_end(self->nsim, false));
	self->gone = true;
	expect_nothing(_metadata, self);
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(0, quic_flows_become(0));
}

TEST_F(queued, device_removed_after_close)
{
	TAKEN();
	QUEUE();
	quic_nsim_sender_hang_up(&self->sender);
	ASSERT_EQ(0, quic_nsim_remove_end(self->nsim, false));
	self->gone = true;
	EXPECT_EQ(0, quic_flows_become(0));
	expect_nothing(_metadata, self);
}

/* Nobody is in the namespace any more. */
static void leave_namespace(struct __test_metadata *_metadata,
			    FIXTURE_DATA(queued) *self)
{
	struct quic_path *path = &self->sender.path;

	quic_nsim_sender_hang_up(&self->sender);
	close(path->wire[0]);
	path->wire[0] = -1;
	ASSERT_EQ(0, quic_path_enter(path, true));
	close(path->here);
	path->here = -1;
	self->gone = true;
}

/* The device comes to the initial namespace as a new one then. */
TEST_F(queued, namespace_removed)
{
	TAKEN();
	ASSERT_EQ(1, quic_nsim_read(self->nsim, "adds"));
	leave_namespace(_metadata, self);
	EXPECT_EQ(0, quic_nsim_becomes(self->nsim, "adds", 0));
}

/* Trains keep it until they have left. */
TEST_F(queued, namespace_removed_with_trains)
{
	TAKEN();
	queue(_metadata, self, "tc qdisc del dev quic0 root &&"
	      "tc qdisc add dev quic0 root netem delay 300ms");
	leave_namespace(_metadata, self);
	expect_arrive(_metadata, self);
	EXPECT_EQ(0, quic_nsim_becomes(self->nsim, "adds", 0));
}

static int unload(void)
{
	return syscall(SYS_delete_module, "quic", O_NONBLOCK);
}

/* The module is there for them, and no longer. */
TEST_F(queued, module_unloaded)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	int i;

	if (access("/sys/module/quic/refcnt", R_OK))
		SKIP(return, "quic is built in");
	TAKEN();
	QUEUE();
	quic_nsim_sender_hang_up(&self->sender);
	EXPECT_EQ(0, quic_flows_become(0));
	EXPECT_EQ(-1, unload());
	EXPECT_EQ(EAGAIN, errno);
	LEAVE_BY(QUIC_BY_DEVICE);
	EXPECT_EQ(1, quic_nsim_becomes(self->nsim, "dels", 1));
	for (i = 0; i < 1000 && unload(); i++) {
		EXPECT_EQ(EAGAIN, errno);
		usleep(10000);
	}
	EXPECT_GT(1000, i);
	EXPECT_EQ(-1, quic_stat("QuicTxDevice"));

	/* As it was */
	self->sender.tx = quic_path_socket(&self->sender.path, variant->family,
					   &self->sender.to);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 0, 0);
	quic_flow_info(&info, &keys, &self->sender.packet.dcid,
		       &self->sender.to);
	ASSERT_EQ(0, quic_flow_add(self->sender.tx, &info));
	/* The tap of the device has seen plain text. */
	EXPECT_LT(0, quic_path_wire(&self->sender.path, false).markers);
	TAKEN();
}

TEST_HARNESS_MAIN
