/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: what was learnt about a destination */
#ifndef QUIC_OFFLOAD_ROUTE_H
#define QUIC_OFFLOAD_ROUTE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/quic.h>

#define QUIC_OFFLOAD_ROUTES	512

/*
 * What was learnt about the destinations of a socket, one that was learnt about
 * later in the place of another.  Each is one word, so that threads need no
 * lock: who gets what has just been forgotten learns it again.
 */
struct quic_offload_routes {
	_Atomic uint64_t learnt[QUIC_OFFLOAD_ROUTES];
};

/* One destination of a socket */
struct quic_offload_route {
	_Atomic uint64_t *learnt;
	uint32_t tag;
};

/* Only the address of @name counts. */
struct quic_offload_route
quic_offload_route_find(struct quic_offload_routes *routes,
			const struct quic_connection_info_key *name);

/* Whether packets of @len bytes on the wire have to leave one by one */
bool quic_offload_route_alone(const struct quic_offload_route *route,
			      size_t len);
/* They do, and longer ones. */
void quic_offload_route_learn(const struct quic_offload_route *route,
			      size_t len);
/* @count packets have left: some time this is forgotten. */
void quic_offload_route_left(const struct quic_offload_route *route,
			     size_t count);
void quic_offload_routes_forget(struct quic_offload_routes *routes);

#endif /* QUIC_OFFLOAD_ROUTE_H */
