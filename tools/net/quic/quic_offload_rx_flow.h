/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: what the kernel was told of packets that come */
#ifndef QUIC_OFFLOAD_RX_FLOW_H
#define QUIC_OFFLOAD_RX_FLOW_H

#include "quic_offload_keyring.h"
#include "quic_offload_receive.h"
#include "quic_offload_socket.h"

#define QUIC_OFFLOAD_RX_FLOWS	4

/**
 * struct quic_offload_rx_flow - packets of a connection on one socket, with one
 * DCID
 * @sock: NULL in a slot that is free
 * @key: the kernel's flow
 * @path_id: of its packets; what the kernel has as IV depends on it
 * @used: when that was, by the clock of the connection
 * @next: the kernel knows of all packets before, or of more
 * @newest: newest generation that the kernel has
 * @added: it has a flow
 * @refused: it is not asked again
 */
struct quic_offload_rx_flow {
	struct quic_offload_socket *sock;
	struct quic_connection_info_key key;
	uint32_t path_id;
	uint64_t used;
	uint64_t next;
	uint8_t newest;
	bool added;
	bool refused;
};

/**
 * struct quic_offload_rx - what a connection has for receiving
 * @keys: to open packets with
 * @clock: counts uses of flows
 * @flows: those that were used last
 * @stats: for the user
 */
struct quic_offload_rx {
	struct quic_offload_keyring keys;
	uint64_t clock;
	struct quic_offload_rx_flow flows[QUIC_OFFLOAD_RX_FLOWS];
	struct quic_offload_rx_stats stats;
};

/* The flow of a packet, for which the one that was not used for longest makes
 * room.
 */
struct quic_offload_rx_flow *
quic_offload_rx_flow(struct quic_offload_rx *rx,
		     struct quic_offload_socket *sock, uint32_t path_id,
		     const struct quic_connection_info_key *key);
/* The kernel gets the keys that it does not have, and @next if it is news. */
void quic_offload_rx_flow_provide(struct quic_offload_rx_flow *flow,
				  const struct quic_offload_keyring *keys,
				  uint64_t next);
/* There are keys of one more generation. */
void quic_offload_rx_flow_update(struct quic_offload_rx_flow *flow,
				 const struct quic_offload_keyring *keys);
void quic_offload_rx_flow_drop(struct quic_offload_rx_flow *flow);

#endif /* QUIC_OFFLOAD_RX_FLOW_H */
