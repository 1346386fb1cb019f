// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Flows that the kernel opens packets of */

#include <errno.h>
#include <string.h>

#include "quic_offload_flow.h"
#include "quic_offload_rx_flow.h"

static void flow_del(struct quic_offload_rx_flow *flow)
{
	struct quic_rx_connection_info info = { .conn.key = flow->key };

	/* EBADF, and closed with its flows, when the user is done with it */
	if (flow->added) {
		setsockopt(flow->sock->fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION,
			   &info, sizeof(info));
		flow->sock->rx_flows--;
	}
	flow->added = false;
}

void quic_offload_rx_flow_drop(struct quic_offload_rx_flow *flow)
{
	if (!flow->sock)
		return;
	flow_del(flow);
	quic_offload_socket_put(flow->sock);
	memset(flow, 0, sizeof(*flow));
}

struct quic_offload_rx_flow *
quic_offload_rx_flow(struct quic_offload_rx *rx,
		     struct quic_offload_socket *sock, uint32_t path_id,
		     const struct quic_connection_info_key *key)
{
	struct quic_offload_rx_flow *flow, *oldest = rx->flows;

	for (flow = oldest; flow < rx->flows + QUIC_OFFLOAD_RX_FLOWS; flow++) {
		if (flow->sock == sock && flow->path_id == path_id &&
		    !memcmp(&flow->key, key, sizeof(*key)))
			goto found;
		if (flow->used < oldest->used)
			oldest = flow;
	}

	flow = oldest;
	quic_offload_rx_flow_drop(flow);
	quic_offload_socket_get(sock);
	flow->sock = sock;
	flow->key = *key;
	flow->path_id = path_id;
found:
	flow->used = ++rx->clock;
	return flow;
}

/* Again with the same keys, it tells the number. */
static void flow_add(struct quic_offload_rx_flow *flow,
		     const struct quic_offload_keys *keys)
{
	struct quic_rx_connection_info info = { .next_pkt_num = flow->next };
	int err;

	if (flow->refused)
		return;

	quic_offload_flow_info(&info.conn, &flow->key, keys, flow->path_id);
	err = quic_offload_socket_add(flow->sock, UDP_QUIC_ADD_RX_CONNECTION,
				      &info.conn, sizeof(info));
	explicit_bzero(&info, sizeof(info));

	if (err) {
		flow_del(flow);
		flow->refused = true;
		quic_offload_socket_tell_flow(flow->sock, err);
		return;
	}
	if (!flow->added)
		flow->sock->rx_flows++;
	flow->added = true;
	flow->newest = keys->generation;
}

void quic_offload_rx_flow_provide(struct quic_offload_rx_flow *flow,
				  const struct quic_offload_keyring *keys,
				  uint64_t next)
{
	const struct quic_offload_keys *newest = &keys->keys[keys->newest & 1];

	if (next > flow->next)
		flow->next = next;
	if (!flow->added && keys->count == 2)
		flow_add(flow, &keys->keys[~keys->newest & 1]);
	flow_add(flow, newest);
}

void quic_offload_rx_flow_update(struct quic_offload_rx_flow *flow,
				 const struct quic_offload_keyring *keys)
{
	uint8_t behind = keys->newest - flow->newest;

	if (!flow->added)
		return;
	/* The kernel takes one generation after the other: a flow that lags
	 * behind has to start anew.  Now, since 256 later it would look current.
	 */
	if (behind > 1)
		flow_del(flow);
	else if (quic_offload_socket_may_rx(flow->sock))
		flow_add(flow, &keys->keys[keys->newest & 1]);
}
