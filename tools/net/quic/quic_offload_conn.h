/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: a connection, its keys and its flows */
#ifndef QUIC_OFFLOAD_CONN_H
#define QUIC_OFFLOAD_CONN_H

#include "quic_offload_flow.h"

#define QUIC_OFFLOAD_FLOWS	4

/**
 * struct quic_offload_conn - a connection
 * @protect: protects packets where the kernel does not
 * @arg: for @protect
 * @keys: by key phase
 * @generations: how many are in @keys
 * @newest: generation of the newest
 * @clock: counts uses of flows
 * @flows: those that were used last
 * @scratch: where @protect works, NULL before the first time
 * @stats: for the user
 */
struct quic_offload_conn {
	quic_offload_protect protect;
	void *arg;
	struct quic_offload_keys keys[2];
	unsigned int generations;
	uint8_t newest;
	uint64_t clock;
	struct quic_offload_flow flows[QUIC_OFFLOAD_FLOWS];
	uint8_t *scratch;
	struct quic_offload_stats stats;
};

/* NULL if none were set for its key phase */
const struct quic_offload_keys *
quic_offload_conn_keys(const struct quic_offload_conn *conn,
		       const struct quic_offload_packet *packet);
/* The flow of a packet.  Of the slots, the one that was not used for longest is
 * made free for it.
 */
struct quic_offload_flow *
quic_offload_conn_flow(struct quic_offload_conn *conn,
		       struct quic_offload_socket *sock,
		       const struct quic_offload_packet *packet,
		       const struct msghdr *to, uint32_t path_id);

#endif /* QUIC_OFFLOAD_CONN_H */
