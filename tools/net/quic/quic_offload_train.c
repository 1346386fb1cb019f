// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How packets become messages, and are protected in userspace */

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quic_offload_train.h"

/* First byte of a short header, RFC 9000 section 17.3.1 */
#define LONG_HEADER		0x80
#define KEY_PHASE		0x04
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

/* Whether the header has the low bits of its number */
static bool packet_has_number(const struct quic_offload_packet *packet)
{
	unsigned int shift = 32 - 8 * packet_number_len(packet);
	uint32_t bytes;

	memcpy(&bytes, packet->data + 1 + packet->dcid_len, sizeof(bytes));
	return !((be32toh(bytes) ^ (uint32_t)packet->number << shift) >> shift);
}

static int packet_check(const struct quic_offload_packet *packet)
{
	if (packet->dcid_len > QUIC_MAX_CONNECTION_ID_SIZE ||
	    packet->len < 1 + packet->dcid_len + MIN_PROTECTED ||
	    packet->data[0] & LONG_HEADER || !packet_has_number(packet))
		return -EINVAL;

	return packet->number >> 62 ? -ERANGE : 0;
}

/* Trains */

/* The kernel may have used the number, for the same packet. */
static bool train_was_tried(const struct quic_offload_train *train,
			    const struct quic_offload_packet *packet)
{
	return packet->number < train->flow->tried;
}

static bool other_phase(const struct quic_offload_packet *a,
			const struct quic_offload_packet *b)
{
	return (a->data[0] ^ b->data[0]) & KEY_PHASE;
}

/* Whether a packet of the same length, or a shorter last one, can be next */
static bool train_takes(const struct quic_offload_call *call,
			const struct quic_offload_train *train,
			const struct quic_offload_packet *packet)
{
	const struct quic_offload_packet *first = train->packets;
	const struct quic_offload_packet *last = quic_offload_train_last(train);
	uint64_t gap = packet->number - last->number - 1;

	if (last->len < first->len || packet->len > first->len || !packet->len)
		return false;
	if (packet->ready || first->ready)
		return packet->ready && first->ready;

	/* The kernel takes the next number that ends like that in the header. */
	return !packet_check(packet) && packet->dcid_len == first->dcid_len &&
	       (!other_phase(packet, first) ||
		quic_offload_keyring_find(&call->conn->keys, packet->data[0])) &&
	       !memcmp(packet->data + 1, first->data + 1, first->dcid_len) &&
	       gap < 1ULL << 8 * packet_number_len(packet) &&
	       train_was_tried(train, packet) == train_was_tried(train, first);
}

static void train_fill(const struct quic_offload_call *call,
		       struct quic_offload_train *train, size_t max)
{
	size_t tag = train->packets->ready ? 0 : TAG_SIZE;

	while (train->count < max) {
		const struct quic_offload_packet *next = quic_offload_train_last(train) + 1;

		if (train->wire_len + next->len + tag > MAX_TRAIN ||
		    !train_takes(call, train, next))
			break;
		train->count++;
		train->mixed |= other_phase(next, train->packets);
		train->wire_len += next->len + tag;
	}
}

/* All packets but the last one are of one length. */
static void train_cut(struct quic_offload_train *train, size_t max)
{
	size_t tag = train->packets->ready ? 0 : TAG_SIZE;

	if (train->count <= max)
		return;
	train->count = max;
	train->wire_len = max * (train->packets->len + tag);
}

/* Whether the kernel has the keys of all packets */
static bool train_provide(const struct quic_offload_call *call,
			  const struct quic_offload_train *train)
{
	const struct quic_offload_keyring *ring = &call->conn->keys;
	uint8_t flags = train->packets->data[0];

	return quic_offload_flow_provide(train->flow,
				quic_offload_keyring_find(ring, flags)) &&
	       (!train->mixed || quic_offload_flow_provide(train->flow,
				quic_offload_keyring_find(ring, flags ^ KEY_PHASE)));
}

/* Who protects a train, as long as it has become; only one that is left to the
 * kernel makes a flow.
 */
static void train_choose(const struct quic_offload_call *call,
			 struct quic_offload_train *train)
{
	bool may = quic_offload_socket_may(call->sock) && !train->flow->refused &&
		   !train_was_tried(train, train->packets);

	train->way = USER;
	train->spared = may && train->count < call->conn->shortest;
	if (may && !train->spared && train_provide(call, train))
		train->way = train->flow->proven ? KERNEL : PROOF;
}

int quic_offload_train_build(const struct quic_offload_call *call,
			     struct quic_offload_train *train,
			     const struct quic_offload_packet *packets,
			     size_t count)
{
	size_t max = QUIC_OFFLOAD_SEGMENTS;
	int err;

	*train = (struct quic_offload_train) {
		.packets = packets,
		.count = 1,
		.wire_len = packets->len,
		.way = READY,
	};
	if (!packets->ready) {
		err = packet_check(packets);
		if (err)
			return err;
		train->wire_len += TAG_SIZE;
		train->flow = quic_offload_conn_flow(call->conn, call->sock, packets,
						     &call->dest, call->path_id);
		if (!quic_offload_keyring_find(&call->conn->keys,
					       packets->data[0]))
			return -ENOKEY;
		if (packets->number < train->flow->next)
			return -ERANGE;
	}

	if (call->alone || !quic_offload_socket_gso(call->sock) ||
	    quic_offload_route_alone(&call->route, train->wire_len))
		max = 1;
	train_fill(call, train, max < count ? max : count);
	if (!packets->ready)
		train_choose(call, train);
	if (train->way == PROOF)
		train_cut(train, 1);
	else if (train->way != KERNEL)
		train_cut(train, QUIC_OFFLOAD_SEGMENTS_USER);

	/* Who overlooks UDP_SEGMENT would send all of it as one datagram.  The ULP
	 * has shown that it looks at control messages.
	 */
	if (train->count > 1 && train->way != KERNEL && !call->cuts &&
	    !call->sock->gso_proven) {
		train->asks = true;
		train_cut(train, 1);
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
