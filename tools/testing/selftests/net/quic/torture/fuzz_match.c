// SPDX-License-Identifier: GPL-2.0
/* The argument that names a flow, and which of the flows matches a packet */

#include <errno.h>
#include <string.h>

#include "fuzz_match.h"

#define OPTION_MAX	4096

static bool is_zero(const void *p, size_t len)
{
	const uint8_t *byte = p;

	for (; len; byte++, len--)
		if (*byte)
			return false;
	return true;
}

static bool is_mapped(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_V4MAPPED(addr);
}

static bool has_scope(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_LINKLOCAL(addr) || IN6_IS_ADDR_MC_LINKLOCAL(addr) ||
	       IN6_IS_ADDR_MC_NODELOCAL(addr);
}

int fuzz_match_parse(const struct fuzz_sock *sock,
		     const struct quic_connection_info_key *key,
		     struct fuzz_flow *flow)
{
	size_t len = key->conn_id_length;

	memset(flow, 0, sizeof(*flow));
	if (len > QUIC_MAX_CONNECTION_ID_SIZE || key->__reserved1 ||
	    key->__reserved2 ||
	    !is_zero(key->conn_id, sizeof(key->conn_id) - len))
		return EINVAL;
	flow->dcid.len = len;
	memcpy(flow->dcid.id, key->conn_id + sizeof(key->conn_id) - len, len);

	flow->dest.port = key->udp_port;
	flow->dest.scope_id = key->scope_id;
	flow->dest.addr = key->addr.ipv6_addr;
	if (key->family == AF_UNSPEC) {
		flow->any = true;
		return is_zero(&flow->dest, sizeof(flow->dest)) ? 0 : EINVAL;
	}
	if (key->family == AF_INET) {
		if (!is_zero(&flow->dest.addr.s6_addr[4], 12))
			return EINVAL;
		flow->dest.addr = (struct in6_addr){};
		memset(&flow->dest.addr.s6_addr[10], 0xff, 2);
		memcpy(&flow->dest.addr.s6_addr[12], &key->addr.ipv4_addr, 4);
	} else if (key->family != AF_INET6) {
		return EINVAL;
	}
	if (!flow->dest.port ||
	    (flow->dest.scope_id && !has_scope(&flow->dest.addr)) ||
	    (sock->family == AF_INET && !is_mapped(&flow->dest.addr)))
		return EINVAL;
	return 0;
}

static bool same_dcid(const struct quic_dcid *a, const struct quic_dcid *b)
{
	return a->len == b->len && !memcmp(a->id, b->id, a->len);
}

/* The flow is for all of @dest, or, without @scope, for its address and port. */
static bool is_for(const struct fuzz_flow *flow, const struct fuzz_dest *dest,
		   uint32_t scope_id)
{
	return !flow->any && flow->dest.port == dest->port &&
	       flow->dest.scope_id == scope_id &&
	       !memcmp(&flow->dest.addr, &dest->addr, sizeof(dest->addr));
}

struct fuzz_flow *fuzz_match_find(const struct fuzz_sock *sock,
				  const struct fuzz_dest *dest,
				  const struct quic_dcid *dcid)
{
	struct fuzz_flow *found = NULL;
	unsigned int i, best = 0;

	for (i = 0; i < sock->flows; i++) {
		struct fuzz_flow *flow = sock->flow[i];
		unsigned int rank = 0;

		if (!same_dcid(&flow->dcid, dcid))
			continue;
		if (flow->any)
			rank = 1;
		else if (is_for(flow, dest, dest->scope_id))
			rank = dest->scope_id ? 3 : 2;
		else if (is_for(flow, dest, 0))
			rank = 2;
		if (rank > best) {
			best = rank;
			found = flow;
		}
	}
	return found;
}

unsigned int fuzz_match_entry(const struct fuzz_sock *sock,
			      const struct fuzz_flow *wanted)
{
	unsigned int i;

	for (i = 0; i < sock->flows; i++) {
		const struct fuzz_flow *flow = sock->flow[i];

		if (flow->any == wanted->any &&
		    same_dcid(&flow->dcid, &wanted->dcid) &&
		    (flow->any ||
		     is_for(flow, &wanted->dest, wanted->dest.scope_id)))
			break;
	}
	return i;
}

int fuzz_match_copy(const struct fuzz_call *call, size_t min, void *info,
		    size_t size)
{
	size_t len = call->opt_len, there;

	if (call->opt_len < 0 || len < min)
		return EINVAL;
	if (len > OPTION_MAX)
		return E2BIG;
	there = len < call->readable ? len : call->readable;
	if (there > size && !is_zero(call->opt + size, there - size))
		return E2BIG;
	if (there < len)
		return EFAULT;
	memset(info, 0, size);
	memcpy(info, call->opt, len < size ? len : size);
	return 0;
}

int fuzz_match_keys(const struct quic_connection_info *info,
		    struct quic_keys *keys)
{
	unsigned int i = 0;

	while (quic_ciphers[i].type != info->cipher_type)
		if (++i == QUIC_NUM_CIPHERS)
			return EOPNOTSUPP;
	memset(keys, 0, sizeof(*keys));
	keys->cipher = &quic_ciphers[i];
	keys->generation = info->conn_payload_key_gen;
	memcpy(keys->hp, info->header_key, keys->cipher->key_len);
	memcpy(keys->key, info->payload_key, keys->cipher->key_len);
	memcpy(keys->iv, info->payload_iv, sizeof(keys->iv));
	return 0;
}
