/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: packets that leave in one message */
#ifndef QUIC_OFFLOAD_TRAIN_H
#define QUIC_OFFLOAD_TRAIN_H

#include "quic_offload_conn.h"

/* UDP GSO's limits.  Kernels without the offload may have the lower one. */
#define QUIC_OFFLOAD_SEGMENTS		128
#define QUIC_OFFLOAD_SEGMENTS_USER	64

/* As they are, or protected by whom.  PROOF is USER with a control message that
 * has to be refused.
 */
enum quic_offload_way { READY, USER, PROOF, KERNEL };

/**
 * struct quic_offload_call - one call of quic_offload_send()
 * @dest: @to's destination, or else the one of a connected socket
 * @cuts: UDP_SEGMENT was refused where it has to be
 * @alone: so many packets are sent one by one
 */
struct quic_offload_call {
	struct quic_offload_socket *sock;
	struct quic_offload_conn *conn;
	const struct msghdr *to;
	struct msghdr dest;
	uint32_t path_id;
	int flags;
	struct quic_offload_route route;
	bool cuts;
	size_t alone;
};

/**
 * struct quic_offload_train - consecutive packets that one message carries
 * @packets: the first of them
 * @count: how many
 * @wire_len: bytes, with tags
 * @way: by whom they are protected
 * @mixed: of two generations
 * @spared: not left to the kernel, since it is too short
 * @asks: one packet, with a UDP_SEGMENT that has to be refused
 * @flow: NULL if @way is READY
 */
struct quic_offload_train {
	const struct quic_offload_packet *packets;
	size_t count;
	size_t wire_len;
	enum quic_offload_way way;
	bool mixed;
	bool spared;
	bool asks;
	struct quic_offload_flow *flow;
};

static inline const struct quic_offload_packet *
quic_offload_train_last(const struct quic_offload_train *train)
{
	return &train->packets[train->count - 1];
}

/* As many packets from the first on as one message can carry; or an error */
int quic_offload_train_build(const struct quic_offload_call *call,
			     struct quic_offload_train *train,
			     const struct quic_offload_packet *packets,
			     size_t count);
/* Returns how many entries of @iov it takes, at most one for each packet. */
size_t quic_offload_train_gather(const struct quic_offload_train *train,
				 struct iovec *iov);
/* In userspace, and gathered: 1 or an error */
int quic_offload_train_protect(const struct quic_offload_call *call,
			       const struct quic_offload_train *train,
			       struct iovec *iov);

#endif /* QUIC_OFFLOAD_TRAIN_H */
