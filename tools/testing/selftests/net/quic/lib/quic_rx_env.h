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

#endif /* QUIC_RX_ENV_H */
