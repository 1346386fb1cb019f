// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Connections: their keys and their flows */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quic_offload_conn.h"

struct quic_offload_conn *quic_offload_conn_new(quic_offload_protect protect,
						void *arg)
{
	struct quic_offload_conn *conn = calloc(1, sizeof(*conn));

	if (conn) {
		conn->protect = protect;
		conn->arg = arg;
		conn->shortest = QUIC_OFFLOAD_SHORTEST;
	}
	return conn;
}

void quic_offload_conn_free(struct quic_offload_conn *conn)
{
	unsigned int i;

	if (!conn)
		return;
	for (i = 0; i < QUIC_OFFLOAD_FLOWS; i++)
		quic_offload_flow_drop(&conn->flows[i]);
	for (i = 0; i < QUIC_OFFLOAD_RX_FLOWS; i++)
		quic_offload_rx_flow_drop(&conn->rx.flows[i]);
	free(conn->scratch);
	explicit_bzero(conn, sizeof(*conn));
	free(conn);
}

void quic_offload_conn_set_shortest(struct quic_offload_conn *conn,
				    size_t packets)
{
	conn->shortest = packets;
}

int quic_offload_conn_set_keys(struct quic_offload_conn *conn,
			       const struct quic_offload_keys *keys)
{
	unsigned int i;

	if (quic_offload_keyring_add(&conn->keys, keys))
		return -EINVAL;

	/* The kernel takes one generation after the other: flows that lag behind
	 * have to start anew.  Now, since 256 later they would look current.
	 */
	for (i = 0; i < QUIC_OFFLOAD_FLOWS; i++) {
		uint8_t behind = conn->keys.newest - conn->flows[i].newest;

		if (behind > 1)
			quic_offload_flow_del(&conn->flows[i]);
	}
	return 0;
}

void quic_offload_conn_retire(struct quic_offload_conn *conn,
			      const uint8_t *dcid, size_t len)
{
	const struct msghdr nowhere = {};
	struct quic_connection_info_key key;
	unsigned int i;

	if (len > sizeof(key.conn_id))
		return;
	quic_offload_flow_name(&key, dcid, len, &nowhere);
	for (i = 0; i < QUIC_OFFLOAD_FLOWS; i++) {
		struct quic_offload_flow *flow = &conn->flows[i];

		if (quic_offload_flow_has_dcid(&flow->name, &key))
			quic_offload_flow_drop(flow);
	}
}

struct quic_offload_flow *
quic_offload_conn_flow(struct quic_offload_conn *conn,
		       struct quic_offload_socket *sock,
		       const struct quic_offload_packet *packet,
		       const struct msghdr *to, uint32_t path_id)
{
	struct quic_offload_flow *flow, *oldest = conn->flows;
	struct quic_connection_info_key name;

	quic_offload_flow_name(&name, packet->data + 1, packet->dcid_len,
			       to);
	for (flow = oldest; flow < conn->flows + QUIC_OFFLOAD_FLOWS; flow++) {
		if (flow->sock == sock && flow->path_id == path_id &&
		    !memcmp(&flow->name, &name, sizeof(name)))
			goto found;
		if (flow->used < oldest->used)
			oldest = flow;
	}

	flow = oldest;
	quic_offload_flow_drop(flow);
	quic_offload_flow_init(flow, sock, &name, path_id);
found:
	flow->used = ++conn->clock;
	return flow;
}

const struct quic_offload_stats *
quic_offload_conn_stats(const struct quic_offload_conn *conn)
{
	return &conn->stats;
}
