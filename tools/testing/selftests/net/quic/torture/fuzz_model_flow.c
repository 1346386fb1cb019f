// SPDX-License-Identifier: GPL-2.0
/* The model of flows: UDP_ULP, ADD, DEL. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_audit.h"
#include "fuzz_fail.h"
#include "fuzz_match.h"
#include "fuzz_model_flow.h"

#define ULP_NAME	"quic-crypto"

long fuzz_max_flows;
struct fuzz_counters fuzz_counters;

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
	fuzz_counters.updates++;
	return 0;
}

int fuzz_model_add(const struct fuzz_call *call)
{
	struct fuzz_sock *sock = call->sock;
	struct quic_connection_info info;
	struct fuzz_flow wanted, *flow;
	struct quic_keys keys;
	unsigned int i;
	int err;

	err = fuzz_match_copy(call, sizeof(info), &info, sizeof(info));
	if (!err)
		err = fuzz_match_parse(sock, &info.key, &wanted);
	if (!err)
		err = fuzz_match_keys(&info, &keys);
	if (err)
		return err;

	i = fuzz_match_entry(sock, &wanted);
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
	err = fuzz_match_copy(call,
			      offsetof(struct quic_connection_info, header_key),
			      &info, sizeof(info));
	if (!err)
		err = fuzz_match_parse(sock, &info.key, &wanted);
	if (err)
		return err;
	i = fuzz_match_entry(sock, &wanted);
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
