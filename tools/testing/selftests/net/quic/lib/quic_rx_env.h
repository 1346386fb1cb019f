/* SPDX-License-Identifier: GPL-2.0 */
/* Where packets are received: a network namespace, a socket and its peer. */
#ifndef QUIC_RX_ENV_H
#define QUIC_RX_ENV_H

#include "quic_env.h"
#include "quic_sealed.h"

struct quic_rx_env {
	int family;
	int rx;			/* receives trains whole (UDP_GRO) */
	int tx;			/* bound, not connected, plain UDP */
	int wire;		/* every frame that leaves */
	struct quic_addr to;	/* @rx, as @tx names it */
	struct quic_addr from;	/* @tx, as @rx sees it */
};

/*
 * @family: AF_INET, AF_INET6, or QUIC_MAPPED for IPv4 to an IPv6 socket.
 * Returns -1 with errno where something is wrong.
 */
int quic_rx_env_open(struct quic_rx_env *env, int family);
void quic_rx_env_close(struct quic_rx_env *env);
/* One more peer; @from is its address, as @env->rx sees it. */
int quic_rx_env_peer(const struct quic_rx_env *env, struct quic_addr *from);
/* One more receiver; @to is its address, as @env->tx names it. */
int quic_rx_env_receiver(const struct quic_rx_env *env, struct quic_addr *to);

/* The next message is @sealed, and counted so.  After kselftest_harness.h. */
#define quic_expect_received(_metadata, env, sealed)			\
	do {								\
		struct quic_rx_counters counters_ = quic_rx_counters();	\
		static struct quic_received received_;			\
		const char *differs_;					\
									\
		quic_received_get(&received_, (env)->rx,		\
				  sizeof(received_.buf),		\
				  sizeof(received_.control), 0);	\
		differs_ = quic_received_differs(&received_, sealed);	\
		ASSERT_EQ(NULL, differs_) {				\
			TH_LOG("%s; %u datagrams, %zu bytes, got %zd",	\
			       differs_, (sealed)->count, (sealed)->len, \
			       received_.ret);				\
		}							\
		quic_rx_counters_add(&counters_, sealed);		\
		quic_expect_rx_counters(_metadata, &counters_);		\
	} while (0)

#define quic_expect_rx_counters(_metadata, counters)			\
	do {								\
		struct quic_rx_counters now_ = quic_rx_counters();	\
									\
		ASSERT_EQ((counters)->packets, now_.packets);		\
		ASSERT_EQ((counters)->bad_tag, now_.bad_tag);		\
		ASSERT_EQ((counters)->no_key, now_.no_key);		\
		ASSERT_EQ((counters)->no_flow, now_.no_flow);		\
		ASSERT_EQ((counters)->limit, now_.limit);		\
		ASSERT_EQ((counters)->dropped, now_.dropped);		\
	} while (0)

/* Sent in one message and received, as it must be */
#define quic_expect_opened(_metadata, env, sealed)			\
	do {								\
		ASSERT_EQ((sealed)->len,				\
			  quic_sealed_send((env)->tx, &(env)->to, sealed)) { \
			TH_LOG("%s", strerror(errno));			\
		}							\
		quic_expect_received(_metadata, env, sealed);		\
	} while (0)

#endif /* QUIC_RX_ENV_H */
