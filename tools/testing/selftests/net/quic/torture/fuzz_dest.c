// SPDX-License-Identifier: GPL-2.0
/* Addresses, of receivers and others */

#include <arpa/inet.h>
#include <string.h>

#include "fuzz_dest.h"
#include "fuzz_random.h"

/* The last addresses are for IPv6 sockets only. */
const char *fuzz_dest_address[FUZZ_ADDRESSES] = {
	"::ffff:127.0.0.1", "::ffff:127.0.0.2", "::1", "fe80::1",
};

#define ADDRESSES_IPV4	2
#define ADDRESS_AWAY	"::ffff:192.0.2.2"	/* of quic_env_away() */

uint32_t fuzz_lo;

struct fuzz_dest fuzz_dest_random(const struct fuzz_sock *sock)
{
	unsigned int i = fuzz_below(sock->family == AF_INET ? ADDRESSES_IPV4 :
				    FUZZ_ADDRESSES);
	struct fuzz_dest dest = {};

	inet_pton(AF_INET6, sock->full ? ADDRESS_AWAY : fuzz_dest_address[i],
		  &dest.addr);
	dest.port = htons(FUZZ_FIRST_PORT + fuzz_below(FUZZ_PORTS));
	if (IN6_IS_ADDR_LINKLOCAL(&dest.addr))
		dest.scope_id = fuzz_lo;
	return dest;
}

bool fuzz_dest_known(const struct fuzz_dest *dest)
{
	unsigned int i, port = ntohs(dest->port);
	struct in6_addr addr;

	if (port < FUZZ_FIRST_PORT || port >= FUZZ_FIRST_PORT + FUZZ_PORTS)
		return false;
	if (IN6_IS_ADDR_LINKLOCAL(&dest->addr) && dest->scope_id != fuzz_lo)
		return false;
	for (i = 0; i < FUZZ_ADDRESSES; i++) {
		inet_pton(AF_INET6, fuzz_dest_address[i], &addr);
		if (!memcmp(&addr, &dest->addr, sizeof(addr)))
			return true;
	}
	return false;
}

int fuzz_dest_name(const struct fuzz_sock *sock, const struct fuzz_dest *dest,
		   struct sockaddr_storage *name)
{
	struct sockaddr_in6 *sin6 = (void *)name;
	struct sockaddr_in *sin = (void *)name;
	bool ipv4 = sock->family == AF_INET ||
		    (IN6_IS_ADDR_V4MAPPED(&dest->addr) && fuzz_chance(50));

	memset(name, 0, sizeof(*name));
	if (ipv4) {
		sin->sin_family = AF_INET;
		sin->sin_port = dest->port;
		memcpy(&sin->sin_addr, &dest->addr.s6_addr[12], 4);
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = dest->port;
	sin6->sin6_addr = dest->addr;
	/* Without one it is the device that the socket is bound to. */
	if (!sock->device || fuzz_chance(50))
		sin6->sin6_scope_id = dest->scope_id;
	return sizeof(*sin6);
}

void fuzz_dest_key(struct quic_connection_info_key *key,
		   const struct quic_dcid *dcid, const struct fuzz_dest *dest)
{
	memset(key, 0, sizeof(*key));
	key->conn_id_length = dcid->len;
	memcpy(key->conn_id + sizeof(key->conn_id) - dcid->len, dcid->id,
	       dcid->len);
	if (!dest)
		return;
	key->udp_port = dest->port;
	if (IN6_IS_ADDR_V4MAPPED(&dest->addr) && fuzz_chance(50)) {
		key->family = AF_INET;
		memcpy(&key->addr.ipv4_addr, &dest->addr.s6_addr[12], 4);
	} else {
		key->family = AF_INET6;
		key->addr.ipv6_addr = dest->addr;
		key->scope_id = dest->scope_id;
	}
}
