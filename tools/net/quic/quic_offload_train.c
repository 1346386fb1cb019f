// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How packets become messages, and are protected in userspace */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quic_offload_train.h"

/* First byte of a short header, RFC 9000 section 17.3.1 */
#define LONG_HEADER		0x80
#define NUMBER_LEN		0x03	/* less one */
/* Packet number and payload: the sample for header protection is behind. */
#define MIN_PROTECTED		4

#define TAG_SIZE		QUIC_OFFLOAD_TAG_SIZE
#define MAX_TRAIN		65507	/* bytes on the wire, over IPv4 */
#define SCRATCH_SIZE		65536

/* Packets */

static size_t packet_number_len(const struct quic_offload_packet *packet)
{
	return 1 + (packet->data[0] & NUMBER_LEN);
}

static size_t packet_header_len(const struct quic_offload_packet *packet)
{
	return 1 + packet->dcid_len + packet_number_len(packet);
}

static int packet_check(const struct quic_offload_packet *packet)
{
	size_t len, i, at = 1 + packet->dcid_len;
	uint64_t number = 0;

	if (packet->dcid_len > QUIC_MAX_CONNECTION_ID_SIZE ||
	    packet->len < at + MIN_PROTECTED || packet->data[0] & LONG_HEADER)
		return -EINVAL;

	len = packet_number_len(packet);
	for (i = 0; i < len; i++)
		number = number << 8 | packet->data[at + i];
	if (number != (packet->number & ((1ULL << 8 * len) - 1)))
		return -EINVAL;

	return packet->number >> 62 ? -ERANGE : 0;
}

/* The way of a packet that was checked; or an error */
static int packet_way(const struct quic_offload_call *call,
		      struct quic_offload_flow *flow,
		      const struct quic_offload_packet *packet)
{
	const struct quic_offload_keys *keys;

	keys = quic_offload_keyring_find(&call->conn->keys, packet->data[0]);
	if (!keys)
		return -ENOKEY;
	if (packet->number < flow->next)
		return -ERANGE;
	if (packet->number < flow->tried ||
	    !quic_offload_socket_may(call->sock) ||
	    !quic_offload_flow_provide(flow, keys))
		return USER;
	return flow->proven ? KERNEL : PROOF;
}

/* Trains */

static bool train_takes(const struct quic_offload_call *call,
			const struct quic_offload_train *train,
			const struct quic_offload_packet *packet)
{
	const struct quic_offload_packet *first = train->packets;
	const struct quic_offload_packet *last = quic_offload_train_last(train);
	uint64_t gap = packet->number - last->number - 1;

	/* Only the last one may be shorter. */
	if (last->len < first->len || packet->len > first->len || !packet->len)
		return false;
	if (packet->ready || first->ready)
		return packet->ready && first->ready;

	/* The kernel takes the next number that ends like that in the header. */
	return !packet_check(packet) && packet->dcid_len == first->dcid_len &&
	       !memcmp(packet->data + 1, first->data + 1, first->dcid_len) &&
	       gap < 1ULL << 8 * packet_number_len(packet) &&
	       packet_way(call, train->flow, packet) == (int)train->way;
}

int quic_offload_train_build(const struct quic_offload_call *call,
			     struct quic_offload_train *train,
			     const struct quic_offload_packet *packets,
			     size_t count)
{
	size_t max, tag = packets->ready ? 0 : TAG_SIZE;
	int way = READY;

	train->flow = NULL;
	train->asks = false;
	if (!packets->ready) {
		way = packet_check(packets);
		if (way < 0)
			return way;
		train->flow = quic_offload_conn_flow(call->conn, call->sock, packets,
						     &call->dest, call->path_id);
		way = packet_way(call, train->flow, packets);
		if (way < 0)
			return way;
	}

	train->way = way;
	train->packets = packets;
	train->count = 1;
	train->wire_len = packets->len + tag;

	max = way == KERNEL ? QUIC_OFFLOAD_SEGMENTS : QUIC_OFFLOAD_SEGMENTS_USER;
	if (way == PROOF || call->alone || !quic_offload_socket_gso(call->sock) ||
	    quic_offload_route_alone(&call->route, train->wire_len))
		max = 1;
	if (max > count)
		max = count;
	while (train->count < max) {
		const struct quic_offload_packet *next = quic_offload_train_last(train) + 1;

		if (train->wire_len + next->len + tag > MAX_TRAIN ||
		    !train_takes(call, train, next))
			break;
		train->count++;
		train->wire_len += next->len + tag;
	}

	/* Who overlooks UDP_SEGMENT would send all of it as one datagram.  The ULP
	 * has shown that it looks at control messages.
	 */
	if (train->count > 1 && way != KERNEL && !call->cuts &&
	    !call->sock->gso_proven) {
		train->asks = true;
		train->count = 1;
		train->wire_len = packets->len + tag;
	}

	return 0;
}

/* Packets that lie next to each other share an entry. */
size_t quic_offload_train_gather(const struct quic_offload_train *train,
				 struct iovec *iov)
{
	size_t i, n = 0;

	for (i = 0; i < train->count; i++) {
		const struct quic_offload_packet *packet = &train->packets[i];

		if (n && (uint8_t *)iov[n - 1].iov_base + iov[n - 1].iov_len ==
			 packet->data) {
			iov[n - 1].iov_len += packet->len;
		} else {
			iov[n].iov_base = (void *)packet->data;
			iov[n++].iov_len = packet->len;
		}
	}

	return n;
}

int quic_offload_train_protect(const struct quic_offload_call *call,
			       const struct quic_offload_train *train,
			       struct iovec *iov)
{
	struct quic_offload_conn *conn = call->conn;
	struct quic_offload_keys keys;
	uint8_t *out;
	int err = 0;
	size_t i;

	if (train->wire_len > SCRATCH_SIZE)
		return -EMSGSIZE;
	if (!conn->scratch)
		conn->scratch = malloc(SCRATCH_SIZE);
	if (!conn->scratch)
		return -ENOMEM;

	out = conn->scratch;
	for (i = 0; i < train->count && !err; i++) {
		const struct quic_offload_packet *packet = &train->packets[i];

		keys = *quic_offload_keyring_find(&conn->keys, packet->data[0]);
		quic_offload_path_iv(keys.payload_iv, call->path_id);
		memcpy(out, packet->data, packet->len);
		err = conn->protect(conn->arg, &keys, out,
				    packet_header_len(packet), packet->len,
				    packet->number);
		out += packet->len + TAG_SIZE;
	}
	explicit_bzero(&keys, sizeof(keys));
	if (err)
		return -EPROTO;

	iov->iov_base = conn->scratch;
	iov->iov_len = train->wire_len;
	return 1;
}
