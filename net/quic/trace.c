// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracepoints.  None of them shows a key, or what is in a packet.
 */

#include <linux/in6.h>
#include <linux/sprintf.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include <uapi/linux/quic.h>

/* Used by the events alone, of which a kernel without tracepoints has none */
static void __maybe_unused
udp_quic_trace_peer(char *peer, const struct quic_connection_info_key *conn);

#ifndef __CHECKER__
#define CREATE_TRACE_POINTS
#include <trace/events/udp_quic.h>

/* IPv4 looks the same on every socket. */
static void
udp_quic_trace_peer(char *peer, const struct quic_connection_info_key *conn)
{
	const struct in6_addr *addr = &conn->addr.ipv6_addr;
	struct sockaddr_in6 sin6 = {
		.sin6_family	= AF_INET6,
		.sin6_port	= conn->udp_port,
		.sin6_addr	= *addr,
		.sin6_scope_id	= conn->scope_id,
	};

	if (!conn->family)
		strscpy_pad(peer, "any", UDP_QUIC_PEER_SIZE);
	else if (ipv6_addr_v4mapped(addr))
		snprintf(peer, UDP_QUIC_PEER_SIZE, "%pI4:%u",
			 &addr->s6_addr32[3], ntohs(conn->udp_port));
	else
		snprintf(peer, UDP_QUIC_PEER_SIZE,
			 conn->scope_id ? "%pISpsc" : "%pISpc", &sin6);
}
#endif
