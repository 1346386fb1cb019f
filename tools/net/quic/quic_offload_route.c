// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What was learnt about a destination: which packets cannot leave as a train */

#include <string.h>

#include "quic_offload_route.h"

/*
 * How many packets that is believed.  Routes change, and packets that are sent
 * one by one without need cost more the more there are: so packets are counted,
 * not seconds.  To try again costs a train of at most 128 packets which are
 * protected twice, less than one in a hundred.
 */
#define BELIEVED	16384

/*
 * A word: 32 bits of a hash of the destination, the length from which on
 * packets leave one by one, and how many more packets that is believed.  0 is
 * nothing.  Destinations with one hash share it, at the cost of a few trains.
 */
static uint64_t pack(uint32_t tag, uint16_t len, uint16_t believed)
{
	return (uint64_t)tag << 32 | (uint32_t)len << 16 | believed;
}

static bool is_known(const struct quic_offload_route *route, uint64_t word)
{
	return word && word >> 32 == route->tag;
}

static uint16_t word_len(uint64_t word)
{
	return word >> 16;
}

static uint16_t word_believed(uint64_t word)
{
	return word;
}

struct quic_offload_route
quic_offload_route_find(struct quic_offload_routes *routes,
			const struct quic_connection_info_key *name)
{
	uint32_t words[6] = { name->udp_port, name->scope_id };
	struct quic_offload_route route;
	uint64_t hash = name->family;
	unsigned int i;

	memcpy(words + 2, &name->addr, sizeof(name->addr));
	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}

	route.learnt = &routes->learnt[hash % QUIC_OFFLOAD_ROUTES];
	route.tag = hash >> 32;
	return route;
}

bool quic_offload_route_alone(const struct quic_offload_route *route,
			      size_t len)
{
	uint64_t word = *route->learnt;

	return is_known(route, word) && len >= word_len(word);
}

void quic_offload_route_learn(const struct quic_offload_route *route,
			      size_t len)
{
	uint64_t word = *route->learnt;

	if (is_known(route, word) && word_len(word) < len)
		len = word_len(word);
	*route->learnt = pack(route->tag, len, BELIEVED);
}

void quic_offload_route_left(const struct quic_offload_route *route,
			     size_t count)
{
	uint64_t word = *route->learnt;

	if (!is_known(route, word))
		return;
	*route->learnt = word_believed(word) > count ? word - count : 0;
}

void quic_offload_routes_forget(struct quic_offload_routes *routes)
{
	unsigned int i;

	for (i = 0; i < QUIC_OFFLOAD_ROUTES; i++)
		routes->learnt[i] = 0;
}
