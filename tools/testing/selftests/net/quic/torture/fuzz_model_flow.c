// SPDX-License-Identifier: GPL-2.0
/* The model of flows: UDP_ULP, ADD, DEL, and which one a message has. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/tls.h>

#include "fuzz_audit.h"
#include "fuzz_fail.h"
#include "fuzz_model_flow.h"

#define ULP_NAME	"quic-crypto"
#define OPTION_MAX	4096

long fuzz_max_flows;
struct fuzz_counters fuzz_counters;

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

/* What <linux/quic.h> says of struct quic_connection_info_key */
static int parse_key(const struct fuzz_sock *sock,
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

struct fuzz_flow *fuzz_model_find(const struct fuzz_sock *sock,
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

/* The entry that is @wanted exactly; sock->flows if there is none */
static unsigned int find_entry(const struct fuzz_sock *sock,
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

/* A structure of which at least @min bytes are there, and may be more. */
static int copy_info(const struct fuzz_call *call, size_t min,
		     struct quic_connection_info *info)
{
	size_t len = call->opt_len, size = sizeof(*info), there;

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

static const struct quic_cipher *find_cipher(unsigned int type)
{
	unsigned int i;

	for (i = 0; i < QUIC_NUM_CIPHERS; i++)
		if (quic_ciphers[i].type == type)
			return &quic_ciphers[i];
	return NULL;
}

static void install(struct fuzz_flow *flow, const struct quic_keys *keys)
{
	struct fuzz_key *key = &flow->key[keys->generation & 1];

	if (key->oracle)
		quic_oracle_free(key->oracle);
	*key = (struct fuzz_key) {
		.oracle = quic_oracle_new(keys),
		.id = fuzz_audit_key(keys),
		.generation = keys->generation,
	};
	flow->keys = *keys;
}

static int update(struct fuzz_flow *flow, const struct quic_keys *keys)
{
	const struct fuzz_key *same = &flow->key[keys->generation & 1];
	uint8_t ahead = keys->generation - flow->keys.generation;

	if (same->oracle && same->generation == keys->generation)
		return EEXIST;
	if (ahead != 1 || keys->cipher != flow->keys.cipher ||
	    memcmp(keys->hp, flow->keys.hp, keys->cipher->key_len))
		return EINVAL;
	install(flow, keys);
	return 0;
}

int fuzz_model_add(const struct fuzz_call *call)
{
	struct fuzz_sock *sock = call->sock;
	struct quic_connection_info info;
	struct fuzz_flow wanted, *flow;
	struct quic_keys keys = {};
	unsigned int i;
	int err;

	err = copy_info(call, sizeof(info), &info);
	if (!err)
		err = parse_key(sock, &info.key, &wanted);
	if (err)
		return err;

	keys.cipher = find_cipher(info.cipher_type);
	if (!keys.cipher)
		return EOPNOTSUPP;
	keys.generation = info.conn_payload_key_gen;
	memcpy(keys.hp, info.header_key, keys.cipher->key_len);
	memcpy(keys.key, info.payload_key, keys.cipher->key_len);
	memcpy(keys.iv, info.payload_iv, sizeof(keys.iv));

	i = find_entry(sock, &wanted);
	if (i < sock->flows)
		return update(sock->flow[i], &keys);

	if (fuzz_counters.flows >= fuzz_max_flows)
		return ENOBUFS;
	flow = malloc(sizeof(*flow));
	fuzz_must(!!flow, "malloc");
	*flow = wanted;
	install(flow, &keys);
	sock->flow[sock->flows++] = flow;
	sock->ulp = true;
	fuzz_counters.flows++;
	fuzz_counters.added++;
	return 0;
}

static void delete(struct fuzz_sock *sock, unsigned int i)
{
	struct fuzz_flow *flow = sock->flow[i];
	unsigned int phase;

	for (phase = 0; phase < 2; phase++)
		if (flow->key[phase].oracle)
			quic_oracle_free(flow->key[phase].oracle);
	free(flow);
	sock->flow[i] = sock->flow[--sock->flows];
	fuzz_counters.flows--;
}

void fuzz_model_close(struct fuzz_sock *sock)
{
	while (sock->flows)
		delete(sock, 0);
}

int fuzz_model_del(const struct fuzz_call *call)
{
	struct fuzz_sock *sock = call->sock;
	struct quic_connection_info info;
	struct fuzz_flow wanted;
	unsigned int i;
	int err;

	if (!sock->ulp) {
		/* UDP does not know it, and reads an int first. */
		if (call->opt_len < (int)sizeof(int))
			return EINVAL;
		return call->readable < sizeof(int) ? EFAULT : ENOPROTOOPT;
	}

	if (!call->opt_len) {
		fuzz_model_close(sock);
		return 0;
	}
	err = copy_info(call, offsetof(struct quic_connection_info, header_key),
			&info);
	if (!err)
		err = parse_key(sock, &info.key, &wanted);
	if (err)
		return err;
	i = find_entry(sock, &wanted);
	if (i == sock->flows)
		return ENOENT;
	delete(sock, i);
	return 0;
}

int fuzz_model_ulp(const struct fuzz_call *call)
{
	char name[16] = {};
	size_t i, len;

	if (call->opt_len <= 0)
		return EINVAL;
	len = call->opt_len < 15 ? call->opt_len : 15;
	for (i = 0; i < len; i++) {
		if (i >= call->readable)
			return EFAULT;
		name[i] = call->opt[i];
		if (!name[i])
			break;
	}
	if (call->sock->ulp)
		return EEXIST;
	if (strcmp(name, ULP_NAME))
		return ENOENT;
	call->sock->ulp = true;
	return 0;
}
