/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What h3_server and h3_client consist of: HTTP/3 connections of libngtcp2 and
 * libnghttp3 with GnuTLS, whose packets leave and come through quic_ngtcp2.
 *
 * From the bottom to the top, each uses only what is below:
 *
 *	h3_util, h3_vaes, h3_options, h3_cid, h3_socket, h3_tls
 *	h3_endpoint.h	data of endpoints and connections
 *	h3_http		what ngtcp2 and nghttp3 tell each other
 *	h3_burst	what a connection sends in one go
 *	h3_conn		the life of a connection
 *	h3_loop		serves all sockets and connections
 *	h3_transfer	requests of a client
 *	h3_server, h3_client
 */
#ifndef H3_ENDPOINT_H
#define H3_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include <gnutls/gnutls.h>
#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>

#include "h3_cid.h"
#include "h3_options.h"
#include "h3_socket.h"
#include "h3_tls.h"
#include "quic_ngtcp2.h"

#define H3_STREAMS	100		/* that a peer may have open */

struct h3_conn;
struct h3_endpoint;

/**
 * struct h3_side - what makes a server or a client of an endpoint
 * @http: callbacks of nghttp3; those not set are filled in where needed
 * @accept: a packet that starts a connection, NULL for a client
 * @ready: HTTP/3 can be used on a connection
 * @timer: h3_conn.timer has passed; sets it anew
 * @more_streams: the peer allows more streams
 * @closed: a connection is about to be freed
 */
struct h3_side {
	const nghttp3_callbacks *http;
	struct h3_conn *(*accept)(struct h3_endpoint *endpoint,
				  struct h3_socket *sock,
				  const ngtcp2_path *path,
				  const ngtcp2_pkt_hd *hd);
	int (*ready)(struct h3_conn *c);
	void (*timer)(struct h3_conn *c, ngtcp2_tstamp now);
	int (*more_streams)(struct h3_conn *c);
	void (*closed)(struct h3_conn *c);
};

/**
 * struct h3_endpoint - all sockets and connections
 * @side: server or client
 * @options: of the command line
 * @cred: certificates
 * @sockets: list
 * @conns: list
 * @cids: our connection IDs
 * @cid_len: length of these
 * @closed: connections that ended
 * @stats: of those
 * @rx_stats: likewise
 * @sent: bytes of streams that those sent
 * @received: and received
 */
struct h3_endpoint {
	const struct h3_side *side;
	const struct h3_options *options;
	gnutls_certificate_credentials_t cred;
	struct h3_socket *sockets;
	struct h3_conn *conns;
	struct h3_cids cids;
	size_t cid_len;
	uint64_t closed;
	struct quic_offload_stats stats;
	struct quic_offload_rx_stats rx_stats;
	uint64_t sent;
	uint64_t received;
};

#define H3_BURST_VECS	16

/**
 * struct h3_burst - what nghttp3 has given to be sent
 * @stream_id: whose it is, -1: nothing is left
 * @fin: it ends the stream
 * @first: the entry of @vec that comes next
 * @count: entries that are left
 * @written: bytes that nghttp3 has not been told of, -1: nothing was written
 * @vec: where it is
 */
struct h3_burst {
	int64_t stream_id;
	int fin;
	nghttp3_vec *first;
	size_t count;
	ngtcp2_ssize written;
	nghttp3_vec vec[H3_BURST_VECS];
};

/**
 * struct h3_conn - a connection
 * @next: of the endpoint
 * @endpoint: whose it is
 * @sock: that of its current path
 * @packets: from quic_ngtcp2
 * @quic: from ngtcp2
 * @http: from nghttp3, once the handshake is complete
 * @tls: its session
 * @burst: what is being sent
 * @error: why it was closed
 * @user: of the program
 * @expiry: when ngtcp2 wants to be called
 * @key_update: when to update keys
 * @timer: when to call the program
 * @busy: has more to send than its share
 * @blocked: the socket has no room
 * @expired: its key can protect no more packets
 * @shrunk: it was said that its path takes smaller packets
 * @touched: something arrived
 * @closing: nothing but a CONNECTION_CLOSE is to be sent
 * @dead: to be freed
 * @sent: bytes of streams
 * @received: likewise
 */
struct h3_conn {
	struct h3_conn *next;
	struct h3_endpoint *endpoint;
	struct h3_socket *sock;
	struct quic_ngtcp2 *packets;
	ngtcp2_conn *quic;
	nghttp3_conn *http;
	struct h3_tls tls;
	struct h3_burst burst;
	ngtcp2_connection_close_error error;
	void *user;
	ngtcp2_tstamp expiry;
	ngtcp2_tstamp key_update;
	ngtcp2_tstamp timer;
	bool busy;
	bool blocked;
	bool expired;
	bool shrunk;
	bool touched;
	bool closing;
	bool dead;
	uint64_t sent;
	uint64_t received;
};

#endif /* H3_ENDPOINT_H */
