/* SPDX-License-Identifier: GPL-2.0 */
/* What a message that is received must come to.  After kselftest_harness.h. */
#ifndef QUIC_RX_EXPECT_H
#define QUIC_RX_EXPECT_H

#include <errno.h>
#include <string.h>

#include "quic_rx_env.h"

static inline void
quic_expect_rx_counters(struct __test_metadata *_metadata,
			const struct quic_rx_counters *counters)
{
	struct quic_rx_counters now = quic_rx_counters();

	ASSERT_EQ(counters->packets, now.packets);
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

#endif /* QUIC_RX_EXPECT_H */
