// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Messages that were received: which datagrams they consist of, what the kernel
 * has done with them, and what it is told in return.
 */

#include <errno.h>
#include <string.h>

#include <linux/tls.h>

#include "quic_offload_conn.h"
#include "quic_offload_receive.h"

/*
 * So many packets may have come unopened before the kernel is told the number
 * again: they were in the socket's queue when the flow was added. Fewer than those
 * that one byte of a packet number can tell apart.
 */
#define BEHIND		64

/* RFC 9001 section 6.6 */
#define LIMIT_GCM	(1ULL << 52)
#define LIMIT_CHACHA20	(1ULL << 36)
#define LIMIT_CCM	2965820ULL

_Static_assert(QUIC_RX_NOT_OFFLOADED == (int)QUIC_OFFLOAD_SEALED &&
	       QUIC_RX_DECRYPTED == (int)QUIC_OFFLOAD_OPENED &&
	       QUIC_RX_NO_KEY == (int)QUIC_OFFLOAD_HEADER &&
	       QUIC_RX_BAD_TAG == (int)QUIC_OFFLOAD_REFUSED &&
	       QUIC_RX_LIMIT == (int)QUIC_OFFLOAD_LIMIT, "statuses");
_Static_assert(sizeof(struct quic_rx_ancillary_data) == 2 * sizeof(uint64_t),
	       "QUIC_OFFLOAD_RX_CONTROL");

/* Messages */

/* How long the datagrams of a message are, but for the last one */
static size_t segment_size(const struct cmsghdr *cmsg)
{
	int size = 0;

	if (cmsg->cmsg_len >= CMSG_LEN(sizeof(size)))
		memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	return size > 0 ? size : 0;
}

void quic_offload_received(struct quic_offload_message *message,
			   struct quic_offload_socket *sock,
			   const struct msghdr *msg, size_t len)
{
	struct msghdr *mh = (struct msghdr *)msg;
	const struct cmsghdr *entries = NULL;
	struct cmsghdr *cmsg;

	/* More has come, if recvmsg() was given MSG_TRUNC. */
	if (!msg->msg_iovlen)
		len = 0;
	else if (len > msg->msg_iov->iov_len)
		len = msg->msg_iov->iov_len;

	*message = (struct quic_offload_message) {
		.data = len ? msg->msg_iov->iov_base : NULL,
		.left = len,
		.from = msg->msg_name,
		.from_len = msg->msg_namelen,
	};
	for (cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP)
			continue;
		if (cmsg->cmsg_type == UDP_GRO)
			message->segment = segment_size(cmsg);
		else if (cmsg->cmsg_type == UDP_QUIC_DECRYPT && sock->ulp)
			entries = cmsg;
	}
	if (!message->segment || message->segment > len)
		message->segment = len;

	/* Who has others than a flow says knows nothing of them. */
	message->together = len ? (len - 1) / message->segment + 1 : 0;
	if (entries && entries->cmsg_len ==
		       CMSG_LEN(message->together *
				sizeof(struct quic_rx_ancillary_data)))
		message->entries = CMSG_DATA(entries);
	else if (!entries && msg->msg_flags & MSG_CTRUNC && sock->rx_flows)
		quic_offload_socket_tell(sock, NO_CONTROL, EMSGSIZE);
}

bool quic_offload_next(struct quic_offload_message *message,
		       struct quic_offload_datagram *datagram)
{
	struct quic_rx_ancillary_data entry = { 0 };
	size_t len = message->segment;

	if (!message->left)
		return false;
	if (len > message->left)
		len = message->left;
	if (message->entries) {
		memcpy(&entry, message->entries, sizeof(entry));
		message->entries += sizeof(entry);
	}

	*datagram = (struct quic_offload_datagram) {
		.data = message->data,
		.len = len,
		.number = entry.pkt_num,
		.generation = entry.key_gen,
		.dcid_len = entry.conn_id_length,
		.status = entry.status,
		.together = message->together,
		.from = message->from,
		.from_len = message->from_len,
	};
	message->data += len;
	message->left -= len;
	return true;
}

/* Connections */

int quic_offload_conn_set_rx_keys(struct quic_offload_conn *conn,
				  const struct quic_offload_keys *keys)
{
	struct quic_offload_rx *rx = &conn->rx;
	unsigned int i;
	int err;

	err = quic_offload_keyring_add(&rx->keys, keys);
	for (i = 0; i < QUIC_OFFLOAD_RX_FLOWS && !err; i++)
		quic_offload_rx_flow_update(&rx->flows[i], &rx->keys);
	return err;
}

bool quic_offload_agree(struct quic_offload_conn *conn,
			const struct quic_offload_datagram *datagram,
			uint64_t number, uint8_t generation)
{
	if (datagram->status != QUIC_OFFLOAD_OPENED ||
	    datagram->number != number || datagram->generation != generation) {
		conn->rx.stats.disagreed++;
		return false;
	}
	conn->rx.stats.kernel++;
	return true;
}

/*
 * A connection ID is this side's own, from wherever packets with it come.
 * Without one it is the address that tells connections apart.
 */
static void rx_flow_name(struct quic_connection_info_key *key,
			 struct quic_offload_socket *sock,
			 const struct quic_offload_datagram *datagram,
			 const struct quic_offload_packet *packet)
{
	struct sockaddr_storage peer;
	struct msghdr from = { 0 };

	if (!packet->dcid_len) {
		from.msg_name = (void *)datagram->from;
		from.msg_namelen = datagram->from_len;
		if (!from.msg_name) {
			from.msg_namelen = sizeof(peer);
			if (!getpeername(sock->fd, (void *)&peer,
					 &from.msg_namelen))
				from.msg_name = &peer;
		}
	}
	quic_offload_flow_name(key, packet->data + 1, packet->dcid_len, &from);
}

void quic_offload_opened(struct quic_offload_socket *sock,
			 struct quic_offload_conn *conn, uint32_t path_id,
			 const struct quic_offload_datagram *datagram,
			 const struct quic_offload_packet *packet)
{
	struct quic_offload_rx *rx = &conn->rx;
	struct quic_connection_info_key key;
	struct quic_offload_rx_flow *flow;

	rx->stats.user++;
	if (!quic_offload_socket_may_rx(sock) || !rx->keys.count ||
	    packet->dcid_len > QUIC_MAX_CONNECTION_ID_SIZE)
		return;

	rx_flow_name(&key, sock, datagram, packet);
	if (!packet->dcid_len && !key.family)
		return;
	flow = quic_offload_rx_flow(rx, sock, path_id, &key);

	/* As for sending: ACKs that come one by one are not worth a flow. */
	if (!flow->added && datagram->together < conn->shortest)
		return;

	if (!flow->added || packet->number >= flow->next + BEHIND ||
	    datagram->status == QUIC_OFFLOAD_HEADER)
		quic_offload_rx_flow_provide(flow, &rx->keys,
					     packet->number + 1);
}

static uint64_t integrity_limit(uint16_t cipher)
{
	switch (cipher) {
	case TLS_CIPHER_AES_GCM_128:
	case TLS_CIPHER_AES_GCM_256:
		return LIMIT_GCM;
	case TLS_CIPHER_CHACHA20_POLY1305:
		return LIMIT_CHACHA20;
	}
	/* The lowest, also for what is not known */
	return LIMIT_CCM;
}

bool quic_offload_failed(struct quic_offload_conn *conn,
			 const struct quic_offload_datagram *datagram)
{
	const struct quic_offload_keyring *ring = &conn->rx.keys;

	return ++conn->rx.stats.failed <=
	       integrity_limit(ring->keys[ring->newest & 1].cipher) &&
	       datagram->status != QUIC_OFFLOAD_LIMIT;
}

void quic_offload_conn_retire_rx(struct quic_offload_conn *conn,
				 const uint8_t *dcid, size_t len)
{
	const struct msghdr nowhere = {};
	struct quic_connection_info_key key;
	unsigned int i;

	if (len > sizeof(key.conn_id))
		return;
	quic_offload_flow_name(&key, dcid, len, &nowhere);
	for (i = 0; i < QUIC_OFFLOAD_RX_FLOWS; i++)
		if (quic_offload_flow_has_dcid(&conn->rx.flows[i].key, &key))
			quic_offload_rx_flow_drop(&conn->rx.flows[i]);
}

const struct quic_offload_rx_stats *
quic_offload_conn_rx_stats(const struct quic_offload_conn *conn)
{
	return &conn->rx.stats;
}
