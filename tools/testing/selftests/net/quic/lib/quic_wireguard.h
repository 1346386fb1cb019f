/* SPDX-License-Identifier: GPL-2.0 */
/* A WireGuard device with one peer, without wireguard-tools. */
#ifndef QUIC_WIREGUARD_H
#define QUIC_WIREGUARD_H

#include <stdint.h>

#include <netinet/in.h>

/*
 * Two of these with @end 0 and 1 are each other's peers, wherever their network
 * namespaces are.  @device is one of the caller's namespace, the other one is
 * reached at @peer.  Returns -1 with errno where something is wrong.
 */
int quic_wireguard_set(const char *device, unsigned int end,
		       const struct sockaddr_in *peer);

#endif /* QUIC_WIREGUARD_H */
