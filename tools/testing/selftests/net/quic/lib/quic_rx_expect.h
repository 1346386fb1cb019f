/* SPDX-License-Identifier: GPL-2.0 */
/* What a message that is received must come to.  After kselftest_harness.h. */
#ifndef QUIC_RX_EXPECT_H
#define QUIC_RX_EXPECT_H

#include <errno.h>
#include <string.h>

#include "quic_rx_env.h"
#include "quic_rx_pair.h"

static inline void
quic_expect_rx_counters(struct __test_metadata *_metadata,
			const struct quic_rx_counters *counters)
{
	struct quic_rx_counters now = quic_rx_counters();

	ASSERT_EQ(counters->packets, now.packets);
	ASSERT_EQ(counters->bytes, now.bytes);
	ASSERT_EQ(counters->bad_tag, now.bad_tag);
	ASSERT_EQ(counters->no_key, now.no_key);
	ASSERT_EQ(counters->no_flow, now.no_flow);
	ASSERT_EQ(counters->limit, now.limit);
	ASSERT_EQ(counters->dropped, now.dropped);
}

/* The next message is @sealed, and counted so. */
static inline void quic_expect_received(struct __test_metadata *_metadata,
					const struct quic_rx_env *env,
					const struct quic_sealed *sealed)
{
	struct quic_rx_counters counters = quic_rx_counters();
	static struct quic_received received;
	const char *differs;

	quic_received_get(&received, env->rx, sizeof(received.buf),
			  sizeof(received.control), 0);
	differs = quic_received_differs(&received, sealed);
	ASSERT_EQ(NULL, differs) {
		TH_LOG("%s; %u datagrams, %zu bytes, got %zd", differs,
		       sealed->count, sealed->len, received.ret);
	}
	quic_rx_counters_add(&counters, sealed);
	quic_expect_rx_counters(_metadata, &counters);
}

/* Sent in one message and received, as it must be */
static inline void quic_expect_opened(struct __test_metadata *_metadata,
				      const struct quic_rx_env *env,
				      const struct quic_sealed *sealed)
{
	ASSERT_EQ(sealed->len, quic_sealed_send(env->tx, &env->to, sealed)) {
		TH_LOG("%s", strerror(errno));
	}
	quic_expect_received(_metadata, env, sealed);
}

/* Of a pair with room for so much ours is what plain UDP's makes of @want. */
static inline void quic_expect_pair(struct __test_metadata *_metadata,
				    struct quic_rx_pair *pair,
				    const struct quic_sealed *want,
				    size_t size, size_t room, int flags,
				    int extra)
{
	const char *wrong;

	wrong = quic_rx_pair_receive(pair, want, size, room, flags, extra);
	ASSERT_EQ(NULL, wrong) {
		TH_LOG("%s; %u datagrams, %zu bytes", wrong, want->count,
		       want->len);
		TH_LOG("room for %zu and %zu: %zd, flags %#x; plain UDP %zd, flags %#x",
		       size, room, pair->ours.ret, pair->ours.flags,
		       pair->theirs.ret, pair->theirs.flags);
	}
}

/* The same with room for everything */
static inline void quic_expect_pair_all(struct __test_metadata *_metadata,
					struct quic_rx_pair *pair,
					const struct quic_sealed *want,
					int flags)
{
	quic_expect_pair(_metadata, pair, want, sizeof(pair->ours.buf),
			 QUIC_RX_PAIR_ROOM, flags, 0);
}

#endif /* QUIC_RX_EXPECT_H */
