// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Packets of a connection that wait to be sent */
#include <errno.h>

#include "quic_ngtcp2_batch.h"
#include "quic_ngtcp2_control.h"

void quic_ngtcp2_batch_init(struct quic_ngtcp2_batch *batch, ngtcp2_conn *conn,
			    struct quic_offload_conn *offload)
{
	int i;

	batch->conn = conn;
	batch->offload = offload;
	for (i = 0; i < QUIC_NGTCP2_BATCH_PACKETS; i++)
		ngtcp2_path_storage_zero(&batch->routes[i].path);
}

void quic_ngtcp2_batch_begin(struct quic_ngtcp2_batch *batch, ngtcp2_tstamp ts)
{
	ngtcp2_conn *conn = batch->conn;

	batch->now = ts;
	batch->max = quic_ngtcp2_mtu_limit(&batch->mtu,
					   ngtcp2_conn_get_path(conn),
					   ngtcp2_conn_get_max_tx_udp_payload_size(conn),
					   ts);
}

bool quic_ngtcp2_batch_full(const struct quic_ngtcp2_batch *batch)
{
	return batch->count == QUIC_NGTCP2_BATCH_PACKETS ||
	       batch->used + batch->max > sizeof(batch->buf);
}

static bool same_route(const struct quic_ngtcp2_route *a,
		       const struct quic_ngtcp2_route *b)
{
	return ngtcp2_path_eq(&a->path.path, &b->path.path) &&
	       a->path.path.user_data == b->path.path.user_data &&
	       a->info.ecn == b->info.ecn;
}

/* Send packets that go to one destination. */
static ssize_t send_packets(struct quic_ngtcp2_batch *batch, size_t count)
{
	const struct quic_ngtcp2_route *route = &batch->routes[batch->first];
	struct quic_ngtcp2_control control;
	struct msghdr msg = { 0 };

	quic_ngtcp2_control_set(&control, &msg, &route->path.path,
				batch->tclass | route->info.ecn,
				batch->ifindex);
	return quic_offload_send(route->path.path.user_data, batch->offload,
				 &msg, MSG_DONTWAIT,
				 &batch->packets[batch->first], count);
}

static size_t wire_len(const struct quic_offload_packet *packet)
{
	return packet->len + (packet->ready ? 0 : QUIC_OFFLOAD_TAG_SIZE);
}

/* Written before it was known how little the path takes */
static bool too_long(const struct quic_ngtcp2_batch *batch, size_t i)
{
	size_t len = wire_len(&batch->packets[i]);

	return len > quic_ngtcp2_mtu_limit(&batch->mtu,
					   &batch->routes[i].path.path, len,
					   batch->now);
}

/* As many from the first on as go the same way */
static size_t group_len(const struct quic_ngtcp2_batch *batch)
{
	size_t end;

	for (end = batch->first + 1; end < batch->count; end++)
		if (!same_route(&batch->routes[batch->first],
				&batch->routes[end]) || too_long(batch, end))
			break;
	return end - batch->first;
}

static unsigned int phase_of(const struct quic_offload_packet *packet)
{
	return !!(packet->data[0] & 0x04);
}

/* The first packet cannot be sent: what to tell the application */
static int refused(struct quic_ngtcp2_batch *batch, int err)
{
	if (err == -EKEYEXPIRED)
		batch->expired = phase_of(&batch->packets[batch->first]);
	if (err != -EMSGSIZE)
		return err;
	return quic_ngtcp2_mtu_refused(&batch->mtu, batch->conn,
				       &batch->routes[batch->first].path.path,
				       wire_len(&batch->packets[batch->first]),
				       batch->now) ? err : 0;
}

int quic_ngtcp2_batch_send(struct quic_ngtcp2_batch *batch)
{
	ssize_t sent, count;
	int err = 0;

	while (batch->first < batch->count) {
		if (too_long(batch, batch->first)) {
			batch->first++;
			continue;
		}
		count = group_len(batch);
		sent = send_packets(batch, count);
		if (sent == -EAGAIN)
			return sent;
		if (sent < 0) {
			err = err ?: refused(batch, sent);
			sent = quic_offload_is_packet_error(sent) ? 1 : count;
		}
		batch->first += sent;
	}
	batch->first = 0;
	batch->count = 0;
	batch->used = 0;
	return err;
}
