/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a message must come to that may be left to a device.  After
 * kselftest_harness.h.
 */
#ifndef QUIC_NSIM_EXPECT_H
#define QUIC_NSIM_EXPECT_H

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "quic_nsim_sender.h"

/* Who protects a train */
enum quic_nsim_who {
	QUIC_BY_DEVICE,
	QUIC_BY_FALLBACK,	/* was left to a device, software did it in time */
	QUIC_BY_SENDMSG,	/* was not left to a device */
	QUIC_BY_SOFTWARE,	/* one of these two */
	QUIC_BY_ANYONE,
};

struct quic_nsim_counts {
	long packets, device, fallback, drop;	/* of this namespace */
	long protected, refused;		/* packets, by the device here */
};

static inline struct quic_nsim_counts
quic_nsim_counts(const struct quic_nsim *nsim)
{
	static const char *const names[] = {
		"QuicTxSwPackets", "QuicTxDevice", "QuicTxDeviceFallback",
		"QuicTxDeviceDrop",
	};
	long values[ARRAY_SIZE(names)];

	quic_stats(names, values, ARRAY_SIZE(names));
	return (struct quic_nsim_counts) {
		.packets = values[0],
		.device = values[1],
		.fallback = values[2],
		.drop = values[3],
		.protected = quic_nsim_read(nsim, "packets"),
		.refused = quic_nsim_read(nsim, "drops"),
	};
}

/*
 * @count packets since @before, all of one train, by @who, none lost.  Returns whether
 * a device protected them.
 */
static inline bool quic_nsim_expect_counts(struct __test_metadata *_metadata,
					   const struct quic_nsim *nsim,
					   const struct quic_nsim_counts *before,
					   long count, enum quic_nsim_who who)
{
	struct quic_nsim_counts now = quic_nsim_counts(nsim);

	if (who == QUIC_BY_ANYONE)
		who = now.device > before->device ? QUIC_BY_DEVICE :
						    QUIC_BY_SOFTWARE;
	if (who == QUIC_BY_SOFTWARE)
		who = now.fallback > before->fallback ? QUIC_BY_FALLBACK :
							QUIC_BY_SENDMSG;

	ASSERT_EQ(before->packets + count, now.packets);
	ASSERT_EQ(before->device + (who == QUIC_BY_DEVICE ? count : 0),
		  now.device);
	ASSERT_EQ(before->fallback + (who == QUIC_BY_FALLBACK ? count : 0),
		  now.fallback);
	ASSERT_EQ(before->drop, now.drop);
	ASSERT_EQ(before->protected + (who == QUIC_BY_DEVICE ? count : 0),
		  now.protected);
	ASSERT_EQ(before->refused, now.refused);
	return who == QUIC_BY_DEVICE;
}

/* Neither plain text nor a wrong checksum has come to the other side. */
static inline void quic_nsim_expect_wire(struct __test_metadata *_metadata,
					 const struct quic_path *path)
{
	struct quic_path_wire wire = quic_path_wire(path, true);

	ASSERT_EQ(0, wire.markers);
	ASSERT_EQ(0, wire.wrong);
	ASSERT_EQ(0, wire.wrong_seeds);
}

/*
 * The train of @sender goes out by @nsim, as libcrypto has it, and nothing else.
 * Taps of the device that protects it see plain text, no others do.
 */
static inline void quic_nsim_expect_sent(struct __test_metadata *_metadata,
					 struct quic_nsim_sender *sender,
					 const struct quic_nsim *nsim,
					 const struct quic_msg *msg,
					 enum quic_nsim_who who)
{
	struct quic_nsim_counts before = quic_nsim_counts(nsim);
	const struct quic_train *train = &sender->train;
	struct quic_path_wire wire;
	bool by_device;
	uint8_t byte;

	ASSERT_EQ(train->len, msg->len);
	ASSERT_EQ(train->len, quic_send(msg)) {
		TH_LOG("%u packets, %zu bytes: %s", train->count, train->len,
		       strerror(errno));
	}
	ASSERT_EQ(train->count, quic_receive(sender->path.rx, sender->phase,
					     train)) {
		TH_LOG("of %u packets, the first of %zu bytes", train->count,
		       train->at[1]);
	}
	ASSERT_EQ(-1, recv(sender->path.rx, &byte, 1, MSG_DONTWAIT));
	ASSERT_EQ(EAGAIN, errno);
	by_device = quic_nsim_expect_counts(_metadata, nsim, &before,
					    train->count, who);

	quic_nsim_expect_wire(_metadata, &sender->path);
	wire = quic_path_wire(&sender->path, false);
	if (!by_device)
		ASSERT_EQ(0, wire.markers);
}

static inline void quic_nsim_send_by(struct __test_metadata *_metadata,
				     struct quic_nsim_sender *sender,
				     const struct quic_nsim *nsim,
				     enum quic_nsim_who who)
{
	struct quic_msg msg = quic_msg(sender->tx, &sender->to, &sender->train);

	quic_nsim_expect_sent(_metadata, sender, nsim, &msg, who);
}

/* Sends packets until @knob of @nsim, or else the counter, is @expected. */
static inline void quic_nsim_send_until(struct __test_metadata *_metadata,
					struct quic_nsim_sender *sender,
					const struct quic_nsim *nsim,
					const char *knob, const char *counter,
					long expected)
{
	long value;
	int i;

	for (i = 0; i < 3000; i++) {
		value = knob ? quic_nsim_read(nsim, knob) : quic_stat(counter);
		if (value == expected)
			break;
		quic_nsim_sender_build(sender, 1, 0);
		quic_nsim_send_by(_metadata, sender, nsim, QUIC_BY_ANYONE);
		usleep(10000);
	}
	ASSERT_EQ(expected, value) {
		TH_LOG("%s", knob ?: counter);
	}
}

/*
 * No key is on a device any more, and none was deleted twice, or lost.  What the taps
 * of the path have seen need not have been read for that.
 */
static inline void quic_nsim_expect_forgotten(struct __test_metadata *_metadata,
					      const struct quic_nsim *nsim)
{
	EXPECT_EQ(0, quic_nsim_becomes(nsim, "keys", 0));
	EXPECT_EQ(quic_nsim_read(nsim, "adds"),
		  quic_nsim_becomes(nsim, "dels", quic_nsim_read(nsim, "adds")));
}

#endif /* QUIC_NSIM_EXPECT_H */
