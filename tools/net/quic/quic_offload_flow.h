/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: what the kernel was told of a connection */
#ifndef QUIC_OFFLOAD_FLOW_H
#define QUIC_OFFLOAD_FLOW_H

#include "quic_offload_socket.h"

/**
 * struct quic_offload_flow - packets of a connection on one socket, to one
 * destination, with one DCID
 * @sock: NULL in a slot that is free
 * @name: what it is found by
 * @key: the kernel's flow: @name, without a destination if @anywhere
 * @path_id: of its packets; what the kernel has as IV depends on it
 * @used: when that was, by the clock of the connection
 * @next: packets from this number on have not left
 * @tried: those before may have been given a nonce by the kernel though they
 *	did not leave: it would refuse them
 * @newest: newest generation that the kernel has
 * @generations: how many it has, 0: it has no flow
 * @refused: it is not asked again
 * @anywhere: on a connected socket: the kernel sends to another destination
 *	than it says
 * @renewed: the kernel did not have it and was given it again; nothing that it
 *	protects has left since
 * @proven: it has refused a message that it must refuse, and taken the same
 *	without what was wrong with it
 */
struct quic_offload_flow {
	struct quic_offload_socket *sock;
	struct quic_connection_info_key name;
	struct quic_connection_info_key key;
	uint32_t path_id;
	uint64_t used;
	uint64_t next;
	uint64_t tried;
	uint8_t newest;
	uint8_t generations;
	bool refused;
	bool anywhere;
	bool renewed;
	bool proven;
};

/* The name of a flow; without @msg_name it is one that has no destination. */
void quic_offload_flow_name(struct quic_connection_info_key *name,
			    const uint8_t *dcid, size_t dcid_len,
			    const struct msghdr *to);
void quic_offload_flow_init(struct quic_offload_flow *flow,
			    struct quic_offload_socket *sock,
			    const struct quic_connection_info_key *name,
			    uint32_t path_id);
void quic_offload_flow_drop(struct quic_offload_flow *flow);

/* Whether two are of the same connection ID */
bool quic_offload_flow_has_dcid(const struct quic_connection_info_key *name,
				const struct quic_connection_info_key *dcid);

/* What the kernel is told of a flow @key and of @keys for it */
void quic_offload_flow_info(struct quic_connection_info *info,
			    const struct quic_connection_info_key *key,
			    const struct quic_offload_keys *keys,
			    uint32_t path_id);

/* Turn a connection's IV into that of a path. */
void quic_offload_path_iv(uint8_t *iv, uint32_t path_id);

/* Whether the kernel has the keys: it is given them if it can be. */
bool quic_offload_flow_provide(struct quic_offload_flow *flow,
			       const struct quic_offload_keys *keys);
/* The kernel's flow, if it has one, is deleted: it may be provided again, */
void quic_offload_flow_del(struct quic_offload_flow *flow);
/* or not. */
void quic_offload_flow_refuse(struct quic_offload_flow *flow,
			      enum quic_offload_reason reason, int err);

#endif /* QUIC_OFFLOAD_FLOW_H */
