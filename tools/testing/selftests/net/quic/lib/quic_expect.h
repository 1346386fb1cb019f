/* SPDX-License-Identifier: GPL-2.0 */
/* What a message must come to.  After kselftest_harness.h. */
#ifndef QUIC_EXPECT_H
#define QUIC_EXPECT_H

#include <errno.h>
#include <string.h>

#include "quic_env.h"

/* Nothing more has arrived. */
static inline void quic_expect_nothing(struct __test_metadata *_metadata,
				       const struct quic_env *env)
{
	uint8_t byte;

	ASSERT_EQ(-1, recv(env->rx, &byte, 1, MSG_DONTWAIT));
	ASSERT_EQ(EAGAIN, errno);
}

/* Refused with @err, counted so often, without a byte of it on the wire. */
static inline void quic_expect_error(struct __test_metadata *_metadata,
				     const struct quic_env *env,
				     const struct quic_msg *msg, int err,
				     int counted)
{
	long sent = quic_stat("QuicTxSwPackets");
	long before = quic_stat("QuicTxSwError");
	struct quic_wire wire;

	ASSERT_LE(0, before);
	ASSERT_EQ(-1, quic_send(msg));
	ASSERT_EQ(err, errno) {
		TH_LOG("%s instead of %s", strerrorname_np(errno),
		       strerrorname_np(err));
	}
	wire = quic_env_wire(env);
	ASSERT_EQ(0, wire.frames);
	quic_expect_nothing(_metadata, env);
	ASSERT_EQ(before + counted, quic_stat("QuicTxSwError"));
	ASSERT_EQ(before + counted, quic_stat_sum("QuicTxSwError"));
	ASSERT_EQ(sent, quic_stat("QuicTxSwPackets"));
}

/* The train goes out, as libcrypto has it, and nothing else. */
static inline void quic_expect_sent(struct __test_metadata *_metadata,
				    const struct quic_env *env,
				    struct quic_oracle *const phase[2],
				    const struct quic_train *train,
				    const struct quic_msg *msg)
{
	struct quic_wire wire;

	ASSERT_EQ(train->len, msg->len);
	ASSERT_EQ(train->len, quic_send(msg)) {
		TH_LOG("%s", strerror(errno));
	}
	ASSERT_EQ(train->count, quic_receive(env->rx, phase, train));
	quic_expect_nothing(_metadata, env);
	wire = quic_env_wire(env);
	EXPECT_EQ(false, wire.marker);
}

#endif /* QUIC_EXPECT_H */
