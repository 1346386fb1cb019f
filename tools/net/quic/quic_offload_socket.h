/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_offload: sockets, and what is told about them */
#ifndef QUIC_OFFLOAD_SOCKET_H
#define QUIC_OFFLOAD_SOCKET_H

#include <stdatomic.h>

#include <netinet/in.h>

#include <linux/quic.h>

#include "quic_offload.h"
#include "quic_offload_route.h"

/* From <linux/udp.h>, which cannot be included with <netinet/udp.h> */
#ifndef SOL_UDP
#define SOL_UDP				17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT			103
#endif
#ifndef UDP_ULP
#define UDP_ULP				105
#endif
#ifndef UDP_GRO
#define UDP_GRO				104
#endif
#ifndef UDP_QUIC_ENCRYPT
#define UDP_QUIC_ADD_TX_CONNECTION	106
#define UDP_QUIC_DEL_TX_CONNECTION	107
#define UDP_QUIC_ENCRYPT		108
#define UDP_QUIC_ADD_RX_CONNECTION	109
#define UDP_QUIC_DEL_RX_CONNECTION	110
#define UDP_QUIC_DECRYPT		111
#endif
#ifndef UDP_QUIC_CAPABILITIES
#define UDP_QUIC_CAPABILITIES		114
#endif

/* Why the kernel does less than it might: each is told once. */
enum quic_offload_reason {
	NO_ULP,
	OVERLOOKED,
	NO_ROOM,
	NO_CIPHER,
	NO_FLOW,
	NO_MESSAGE,
	NO_GSO,
	NO_UDP_GSO,
	NO_CONTROL,
};

/* Shared by threads, and by the flows on it */
struct quic_offload_socket {
	atomic_uint refs;
	atomic_int fd;			/* -1 when the user is done with it */
	atomic_bool enabled;
	atomic_bool rx_enabled;
	atomic_uint rx_flows;		/* that the kernel was given */
	atomic_bool gso;		/* as the user wishes */
	atomic_uint told;		/* bits by enum quic_offload_reason */
	atomic_bool ulp;		/* and it is not known to be a pretence */
	uint32_t ciphers;		/* that the kernel has, if @ulp */
	atomic_bool has_gso;
	atomic_bool gso_proven;		/* it does not overlook UDP_SEGMENT */
	struct quic_offload_routes routes;
	quic_offload_notice notice;
	void *arg;
};

/* A reference, of what may still have flows on the socket */
void quic_offload_socket_get(struct quic_offload_socket *sock);
void quic_offload_socket_put(struct quic_offload_socket *sock);

/* UDP_QUIC_ENCRYPT is overlooked there, whatever the socket options said. */
void quic_offload_socket_distrust(struct quic_offload_socket *sock);
/* The same of UDP_SEGMENT */
void quic_offload_socket_distrust_gso(struct quic_offload_socket *sock);

/* Whether packets may leave as trains */
bool quic_offload_socket_gso(const struct quic_offload_socket *sock);
/* Its option UDP_SEGMENT, which may be set at any time; -1 if there is none */
int quic_offload_socket_segment(const struct quic_offload_socket *sock);
/* Whether the kernel is asked to protect packets */
bool quic_offload_socket_may(const struct quic_offload_socket *sock);
/* The same, to open them */
bool quic_offload_socket_may_rx(const struct quic_offload_socket *sock);
/* Give the kernel a flow or a key, with an option whose structure begins with @info
 * and has @len bytes.  Returns 0 or the errno.
 */
int quic_offload_socket_add(const struct quic_offload_socket *sock, int option,
			    const struct quic_connection_info *info,
			    socklen_t len);
void quic_offload_socket_tell(struct quic_offload_socket *sock,
			      enum quic_offload_reason reason, int err);
/* The kernel did not add a flow. */
void quic_offload_socket_tell_flow(struct quic_offload_socket *sock, int err);

#endif /* QUIC_OFFLOAD_SOCKET_H */
