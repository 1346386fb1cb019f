/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: a connection, its keys and its flows */
#ifndef QUIC_OFFLOAD_CONN_H
#define QUIC_OFFLOAD_CONN_H

#include "quic_offload_flow.h"
#include "quic_offload_keyring.h"
#include "quic_offload_rx_flow.h"

#define QUIC_OFFLOAD_FLOWS	4

/**
 * struct quic_offload_conn - a connection
 * @protect: protects packets where the kernel does not
 * @arg: for @protect
 * @keys: to protect packets with
 * @shortest: trains of fewer packets are not left to the kernel
 * @few: calls, one after the other, that had too few packets for it
 * @clock: counts uses of flows
 * @flows: those that were used last
 * @scratch: where @protect works, NULL before the first time
 * @stats: for the user
 * @rx: what it has for receiving
 */
struct quic_offload_conn {
	quic_offload_protect protect;
	void *arg;
	struct quic_offload_keyring keys;
	size_t shortest;
	unsigned int few;
	uint64_t clock;
	struct quic_offload_flow flows[QUIC_OFFLOAD_FLOWS];
	uint8_t *scratch;
	struct quic_offload_stats stats;
	struct quic_offload_rx rx;
};

/* The flow of a packet.  Of the slots, the one that was not used for longest is
 * made free for it.
 */
struct quic_offload_flow *
quic_offload_conn_flow(struct quic_offload_conn *conn,
		       struct quic_offload_socket *sock,
		       const struct quic_offload_packet *packet,
		       const struct msghdr *to, uint32_t path_id);

#endif /* QUIC_OFFLOAD_CONN_H */
