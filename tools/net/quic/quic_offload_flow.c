// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Flows that the kernel has on a socket */

#include <errno.h>
#include <string.h>

#include "quic_offload_flow.h"

/* An address of a kind that is not known leaves the key without one. */
static void key_set_address(struct quic_connection_info_key *key,
			    const void *name, socklen_t len)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };
	const struct sockaddr_in6 *sin6 = (const void *)&ss;
	const struct sockaddr_in *sin = (const void *)&ss;

	memcpy(&ss, name, len < sizeof(ss) ? len : sizeof(ss));
	if (ss.ss_family == AF_INET) {
		key->family = AF_INET;
		key->udp_port = sin->sin_port;
		key->addr.ipv4_addr = sin->sin_addr;
	} else if (ss.ss_family == AF_INET6) {
		key->family = AF_INET6;
		key->udp_port = sin6->sin6_port;
		key->addr.ipv6_addr = sin6->sin6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr))
			key->scope_id = sin6->sin6_scope_id;
	}
}

void quic_offload_flow_name(struct quic_connection_info_key *name,
			    const uint8_t *dcid, size_t dcid_len,
			    const struct msghdr *to)
{
	memset(name, 0, sizeof(*name));
	name->conn_id_length = dcid_len;
	if (dcid_len)
		memcpy(name->conn_id + sizeof(name->conn_id) - dcid_len, dcid,
		       dcid_len);
	if (to->msg_name)
		key_set_address(name, to->msg_name, to->msg_namelen);
}

bool quic_offload_flow_has_dcid(const struct quic_connection_info_key *name,
				const struct quic_connection_info_key *dcid)
{
	return name->conn_id_length == dcid->conn_id_length &&
	       !memcmp(name->conn_id, dcid->conn_id, sizeof(name->conn_id));
}

void quic_offload_flow_init(struct quic_offload_flow *flow,
			    struct quic_offload_socket *sock,
			    const struct quic_connection_info_key *name,
			    uint32_t path_id)
{
	memset(flow, 0, sizeof(*flow));
	quic_offload_socket_get(sock);
	flow->sock = sock;
	flow->name = *name;
	flow->path_id = path_id;
}

void quic_offload_flow_drop(struct quic_offload_flow *flow)
{
	if (!flow->sock)
		return;
	quic_offload_flow_del(flow);
	quic_offload_socket_put(flow->sock);
	flow->sock = NULL;
	flow->used = 0;
}

void quic_offload_flow_del(struct quic_offload_flow *flow)
{
	struct quic_connection_info info = { .key = flow->key };

	/* EBADF, and closed with its flows, when the user is done with it */
	if (flow->generations)
		setsockopt(flow->sock->fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION,
			   &info, sizeof(info));
	flow->generations = 0;
}

static void flow_refuse(struct quic_offload_flow *flow)
{
	quic_offload_flow_del(flow);
	flow->refused = true;
}

void quic_offload_flow_refuse(struct quic_offload_flow *flow,
			      enum quic_offload_reason reason, int err)
{
	flow_refuse(flow);
	quic_offload_socket_tell(flow->sock, reason, err);
}

/* What the kernel is to call a new flow.  -1 if it has no destination: this is
 * for sendmsg() to tell.
 */
static int flow_set_key(struct quic_offload_flow *flow)
{
	flow->key = flow->name;
	if (flow->anywhere) {
		flow->key.family = 0;
		flow->key.udp_port = 0;
		flow->key.scope_id = 0;
		memset(&flow->key.addr, 0, sizeof(flow->key.addr));
	}
	return flow->name.family ? 0 : -1;
}

/* draft-ietf-quic-multipath: the nonce is the IV xor 32 bits of path ID, 2 of
 * zero and 62 of packet number.
 */
void quic_offload_path_iv(uint8_t *iv, uint32_t path_id)
{
	iv[0] ^= path_id >> 24;
	iv[1] ^= path_id >> 16;
	iv[2] ^= path_id >> 8;
	iv[3] ^= path_id;
}

void quic_offload_flow_info(struct quic_connection_info *info,
			    const struct quic_connection_info_key *key,
			    const struct quic_offload_keys *keys,
			    uint32_t path_id)
{
	info->cipher_type = keys->cipher;
	info->conn_payload_key_gen = keys->generation;
	info->key = *key;
	memcpy(info->header_key, keys->header_key, sizeof(info->header_key));
	memcpy(info->payload_key, keys->payload_key, sizeof(info->payload_key));
	memcpy(info->payload_iv, keys->payload_iv, sizeof(info->payload_iv));
	quic_offload_path_iv(info->payload_iv, path_id);
}

static bool flow_add(struct quic_offload_flow *flow,
		     const struct quic_offload_keys *keys)
{
	struct quic_connection_info info = { 0 };
	int err;

	if (!flow->generations && flow_set_key(flow))
		return false;

	quic_offload_flow_info(&info, &flow->key, keys, flow->path_id);
	err = quic_offload_socket_add(flow->sock, UDP_QUIC_ADD_TX_CONNECTION,
				      &info, sizeof(info));
	explicit_bzero(&info, sizeof(info));

	if (err) {
		flow_refuse(flow);
		quic_offload_socket_tell_flow(flow->sock, err);
		return false;
	}

	flow->newest = keys->generation;
	if (flow->generations < 2)
		flow->generations++;
	return true;
}

bool quic_offload_flow_provide(struct quic_offload_flow *flow,
			       const struct quic_offload_keys *keys)
{
	int8_t ahead = keys->generation - flow->newest;

	if (flow->refused)
		return false;

	if (flow->generations && ahead <= 0)
		return -ahead < flow->generations;

	return flow_add(flow, keys);
}
