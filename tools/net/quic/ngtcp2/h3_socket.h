/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* UDP sockets */
#ifndef H3_SOCKET_H
#define H3_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include <ngtcp2/ngtcp2.h>

#include "h3_options.h"
#include "quic_offload_receive.h"

/**
 * struct h3_socket - a UDP socket
 * @next: in a list
 * @fd: the socket
 * @local: where it is bound, maybe a wildcard
 * @local_len: length of @local
 * @offload: what sends and receives on it, the user_data of its ngtcp2_paths
 * @offloaded: the kernel protects packets
 * @options: of the command line
 * @blocked: a connection waits for room
 */
struct h3_socket {
	struct h3_socket *next;
	int fd;
	struct sockaddr_storage local;
	socklen_t local_len;
	struct quic_offload_socket *offload;
	bool offloaded;
	const struct h3_options *options;
	bool blocked;
};

/* Is told of each datagram that h3_socket_receive() gets. */
typedef void (*h3_datagram)(void *arg, struct h3_socket *sock,
			    const ngtcp2_path *path,
			    const ngtcp2_pkt_info *info,
			    const struct quic_offload_datagram *datagram);

/* Bound to @local, or else connected to @remote; added to @list */
struct h3_socket *h3_socket_open(struct h3_socket **list,
				 const struct h3_options *options,
				 const struct sockaddr *local,
				 const struct sockaddr *remote, socklen_t len);
void h3_socket_close(struct h3_socket *sock);
/* From where it is bound */
void h3_socket_path(const struct h3_socket *sock, struct sockaddr *remote,
		    socklen_t len, ngtcp2_path *path);
/* False if there is nothing more */
bool h3_socket_receive(struct h3_socket *sock, h3_datagram take, void *arg);
/* A datagram that belongs to no connection */
void h3_socket_send(const struct h3_socket *sock, const ngtcp2_path *path,
		    const void *data, size_t len);

#endif /* H3_SOCKET_H */
