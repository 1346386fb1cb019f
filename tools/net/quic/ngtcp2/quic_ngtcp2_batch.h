/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Packets of a connection that wait to be sent, as they will lie in a message */
#ifndef QUIC_NGTCP2_BATCH_H
#define QUIC_NGTCP2_BATCH_H

#include <ngtcp2/ngtcp2.h>

#include "quic_ngtcp2_mtu.h"
#include "quic_offload.h"

/* What fits in one UDP message, and with small packets */
#define QUIC_NGTCP2_BATCH_BYTES		65536
#define QUIC_NGTCP2_BATCH_PACKETS	64

struct quic_ngtcp2_route {
	ngtcp2_path_storage path;
	ngtcp2_pkt_info info;
};

/**
 * struct quic_ngtcp2_batch - the packets
 * @conn: theirs
 * @offload: likewise
 * @tclass: their traffic class but for ECN
 * @ifindex: the interface they leave by, or 0
 * @mtu: what their path takes
 * @now: when the one that comes next is written
 * @max: how long that may be
 * @first: those before were sent
 * @count: packets; the one that is being written comes next
 * @used: bytes of @buf that are taken
 * @expired: key phase of what was refused with EKEYEXPIRED
 * @packets: what to send
 * @routes: and where
 * @buf: the packets
 */
struct quic_ngtcp2_batch {
	ngtcp2_conn *conn;
	struct quic_offload_conn *offload;
	uint8_t tclass;
	unsigned int ifindex;
	struct quic_ngtcp2_mtu mtu;
	ngtcp2_tstamp now;
	size_t max;
	size_t first;
	size_t count;
	size_t used;
	unsigned int expired;
	struct quic_offload_packet packets[QUIC_NGTCP2_BATCH_PACKETS];
	struct quic_ngtcp2_route routes[QUIC_NGTCP2_BATCH_PACKETS];
	uint8_t buf[QUIC_NGTCP2_BATCH_BYTES];
};

/* Of zeros, but for what belongs to it */
void quic_ngtcp2_batch_init(struct quic_ngtcp2_batch *batch, ngtcp2_conn *conn,
			    struct quic_offload_conn *offload);

/* A packet is about to be written: sets @now and @max. */
void quic_ngtcp2_batch_begin(struct quic_ngtcp2_batch *batch, ngtcp2_tstamp ts);

/* Whether there is room for it */
bool quic_ngtcp2_batch_full(const struct quic_ngtcp2_batch *batch);

/* Return: as quic_ngtcp2_send() */
int quic_ngtcp2_batch_send(struct quic_ngtcp2_batch *batch);

#endif /* QUIC_NGTCP2_BATCH_H */
