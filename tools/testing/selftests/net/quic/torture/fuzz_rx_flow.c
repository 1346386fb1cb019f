// SPDX-License-Identifier: GPL-2.0
/* The model of receive flows: ADD, DEL, DROP */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_fail.h"
#include "fuzz_match.h"
#include "fuzz_rx_count.h"
#include "fuzz_rx_flow.h"

long fuzz_rx_max_flows;

struct quic_keys fuzz_rx_flow_keys(const struct fuzz_flow *flow, int step)
{
	struct quic_keys keys = flow->keys;

	keys.generation += step;
	keys.key[0] += step;
	keys.iv[0] += step;
	return keys;
}

static void install(struct fuzz_flow *flow, const struct quic_keys *keys)
{
	struct fuzz_key *key = &flow->key[keys->generation & 1];

	if (key->oracle)
		quic_oracle_free(key->oracle);
	*key = (struct fuzz_key) {
		.oracle = quic_oracle_new(keys),
		.generation = keys->generation,
	};
	flow->keys = *keys;
}

/* Of the flow's two generations only the newest has its keys in @flow. */
static bool same_keys(const struct fuzz_flow *flow,
		      const struct quic_keys *keys)
{
	struct quic_keys now = flow->keys;

	if (keys->generation != now.generation)
		now = flow->older;
	return keys->cipher == now.cipher &&
	       !memcmp(keys->key, now.key, sizeof(now.key)) &&
	       !memcmp(keys->iv, now.iv, sizeof(now.iv)) &&
	       !memcmp(keys->hp, now.hp, sizeof(now.hp));
}

static int update(struct fuzz_flow *flow, const struct quic_keys *keys)
{
	const struct fuzz_key *same = &flow->key[keys->generation & 1];
	uint8_t ahead = keys->generation - flow->keys.generation;

	if (same->oracle && same->generation == keys->generation)
		return same_keys(flow, keys) ? 0 : EEXIST;
	if (ahead != 1 || keys->cipher != flow->keys.cipher ||
	    memcmp(keys->hp, flow->keys.hp, sizeof(keys->hp)))
		return EINVAL;
	flow->older = flow->keys;
	install(flow, keys);
	fuzz_rx_counters.updates++;
	return 0;
}

static int create(struct fuzz_rx_sock *rx, const struct fuzz_flow *wanted,
		  const struct quic_keys *keys)
{
	struct fuzz_sock *sock = &rx->sock;
	struct fuzz_flow *flow;

	if (fuzz_rx_counters.flows >= fuzz_rx_max_flows)
		return ENOBUFS;
	flow = malloc(sizeof(*flow));
	fuzz_must(!!flow, "malloc");
	*flow = *wanted;
	install(flow, keys);
	sock->flow[sock->flows++] = flow;
	sock->ulp = true;
	fuzz_rx_counters.flows++;
	fuzz_rx_counters.added++;
	return 0;
}

static int add(struct fuzz_rx_sock *rx, const struct fuzz_call *call)
{
	struct fuzz_sock *sock = &rx->sock;
	struct quic_rx_connection_info info;
	struct fuzz_flow wanted, *flow;
	struct quic_keys keys;
	unsigned int i;
	int err;

	err = fuzz_match_copy(call, sizeof(info), &info, sizeof(info));
	if (!err && info.next_pkt_num > QUIC_PN_LIMIT)
		err = ERANGE;
	if (!err)
		err = fuzz_match_parse(sock, &info.conn.key, &wanted);
	if (!err)
		err = fuzz_match_keys(&info.conn, &keys);
	if (err)
		return err;

	i = fuzz_match_entry(sock, &wanted);
	err = i < sock->flows ? update(sock->flow[i], &keys) :
				create(rx, &wanted, &keys);
	if (err)
		return err;
	flow = sock->flow[i];
	if (flow->next_pkt_num < info.next_pkt_num)
		flow->next_pkt_num = info.next_pkt_num;
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
	fuzz_rx_counters.flows--;
}

void fuzz_rx_flow_close(struct fuzz_rx_sock *rx)
{
	while (rx->sock.flows)
		delete(&rx->sock, 0);
}

static int del(struct fuzz_rx_sock *rx, const struct fuzz_call *call)
{
	struct quic_rx_connection_info info;
	struct fuzz_flow wanted;
	unsigned int i;
	int err;

	if (!call->opt_len) {
		fuzz_rx_flow_close(rx);
		return 0;
	}
	err = fuzz_match_copy(call,
			      offsetof(struct quic_connection_info, header_key),
			      &info, sizeof(info));
	if (!err)
		err = fuzz_match_parse(&rx->sock, &info.conn.key, &wanted);
	if (err)
		return err;
	i = fuzz_match_entry(&rx->sock, &wanted);
	if (i == rx->sock.flows)
		return ENOENT;
	delete(&rx->sock, i);
	return 0;
}

static int drop(struct fuzz_rx_sock *rx, const struct fuzz_call *call)
{
	int value;

	if (call->opt_len < (int)sizeof(value))
		return EINVAL;
	if (call->readable < sizeof(value))
		return EFAULT;
	memcpy(&value, call->opt, sizeof(value));
	if (value != 0 && value != 1)
		return EINVAL;
	rx->drop = value;
	return 0;
}

int fuzz_rx_flow_setsockopt(struct fuzz_rx_sock *rx,
			    const struct fuzz_call *call)
{
	if (call->optname == UDP_QUIC_ADD_RX_CONNECTION)
		return add(rx, call);
	if (!rx->sock.ulp) {
		/* UDP does not know it, and reads an int first. */
		if (call->opt_len < (int)sizeof(int))
			return EINVAL;
		return call->readable < sizeof(int) ? EFAULT : ENOPROTOOPT;
	}
	if (call->optname == UDP_QUIC_DEL_RX_CONNECTION)
		return del(rx, call);
	return drop(rx, call);
}
