/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What h3_server and h3_client share: HTTP/3 connections of libngtcp2 and
 * libnghttp3 with GnuTLS, whose packets leave through quic_ngtcp2.
 */
#ifndef H3_COMMON_H
#define H3_COMMON_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <gnutls/gnutls.h>
#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_ngtcp2.h"

#define H3_CID_LEN	16		/* of the connection IDs given out */
#define H3_CID_BUCKETS	1024
#define H3_STREAMS	100		/* that a peer may have open */

struct h3_conn;
struct h3_loop;

/**
 * struct h3_socket - a UDP socket
 * @next: of the loop
 * @fd: the socket
 * @local: where it is bound
 * @local_len: length of @local
 * @offload: what sends on it, the user_data of its ngtcp2_paths
 * @offloaded: the kernel protects packets
 * @blocked: a connection waits for room
 */
struct h3_socket {
	struct h3_socket *next;
	int fd;
	struct sockaddr_storage local;
	socklen_t local_len;
	struct quic_offload_socket *offload;
	bool offloaded;
	bool blocked;
};

/**
 * struct h3_side - what makes a server or a client of a loop
 * @http: callbacks of nghttp3; those not set are filled in where needed
 * @accept: a packet that starts a connection, NULL for a client
 * @ready: HTTP/3 can be used on a connection
 * @timer: h3_conn.timer has passed; sets it anew
 * @more_streams: the peer allows more streams
 * @closed: a connection is about to be freed
 */
struct h3_side {
	nghttp3_callbacks http;
	struct h3_conn *(*accept)(struct h3_loop *loop, struct h3_socket *sock,
				  const ngtcp2_path *path,
				  const ngtcp2_pkt_hd *hd);
	int (*ready)(struct h3_conn *c);
	void (*timer)(struct h3_conn *c, ngtcp2_tstamp now);
	int (*more_streams)(struct h3_conn *c);
	void (*closed)(struct h3_conn *c);
};

/* Options of both programs, parsed by h3_argp with this as its input */
struct h3_options {
	bool no_offload;
	bool no_gso;
	const char *cipher;		/* in the words of GnuTLS, or NULL */
	ngtcp2_duration key_update;	/* 0: never */
	bool verify;			/* the certificate of the server */
};

extern const struct argp h3_argp;

struct h3_cid {
	struct h3_cid *next;
	struct h3_conn *conn;
	ngtcp2_cid cid;
};

/**
 * struct h3_loop - all sockets and connections
 * @side: server or client
 * @options: of the command line
 * @cred: certificates
 * @sockets: list
 * @conns: list
 * @cids: our connection IDs
 * @closed: connections that ended
 * @stats: of those
 * @sent: bytes of streams that those sent
 * @received: and received
 */
struct h3_loop {
	const struct h3_side *side;
	const struct h3_options *options;
	gnutls_certificate_credentials_t cred;
	struct h3_socket *sockets;
	struct h3_conn *conns;
	struct h3_cid *cids[H3_CID_BUCKETS];
	uint64_t closed;
	struct quic_offload_stats stats;
	uint64_t sent;
	uint64_t received;
};

/**
 * struct h3_conn - a connection
 * @next: of the loop
 * @loop: its loop
 * @sock: that of its current path
 * @out: sending side
 * @quic: from ngtcp2
 * @http: from nghttp3, once the handshake is complete
 * @tls: from GnuTLS
 * @ref: how the TLS callbacks find @quic
 * @error: why it was closed
 * @user: of the program
 * @expiry: when ngtcp2 wants to be called
 * @key_update: when to update keys
 * @timer: when to call the program
 * @busy: has more to send than its share
 * @blocked: the socket has no room
 * @touched: something arrived
 * @closing: nothing but a CONNECTION_CLOSE is to be sent
 * @dead: to be freed
 * @sent: bytes of streams
 * @received: likewise
 */
struct h3_conn {
	struct h3_conn *next;
	struct h3_loop *loop;
	struct h3_socket *sock;
	struct quic_ngtcp2 *out;
	ngtcp2_conn *quic;
	nghttp3_conn *http;
	gnutls_session_t tls;
	ngtcp2_crypto_conn_ref ref;
	ngtcp2_connection_close_error error;
	void *user;
	ngtcp2_tstamp expiry;
	ngtcp2_tstamp key_update;
	ngtcp2_tstamp timer;
	bool busy;
	bool blocked;
	bool touched;
	bool closing;
	bool dead;
	uint64_t sent;
	uint64_t received;
};

/* h3_loop.c */
ngtcp2_tstamp h3_now(void);
void h3_random(void *dest, size_t len);
struct h3_socket *h3_socket_open(struct h3_loop *loop,
				 const struct sockaddr *local,
				 const struct sockaddr *remote, socklen_t len);
void h3_socket_path(const struct h3_socket *sock, struct sockaddr *remote,
		    socklen_t len, ngtcp2_path *path);
void h3_add_cid(struct h3_conn *c, const ngtcp2_cid *cid);
void h3_remove_cid(struct h3_loop *loop, const ngtcp2_cid *cid);
/* Until @done says so, or a signal asks to end */
void h3_run(struct h3_loop *loop, bool (*done)(struct h3_loop *loop));
/* Close what is open, print statistics, free all */
void h3_finish(struct h3_loop *loop);

/* h3_conn.c: a connection is made with the callbacks and settings of
 * h3_conn_prepare(), then started.
 */
struct h3_conn *h3_conn_prepare(struct h3_loop *loop, struct h3_socket *sock,
				ngtcp2_callbacks *callbacks,
				ngtcp2_settings *settings,
				ngtcp2_transport_params *params);
int h3_conn_start(struct h3_conn *c, const char *server_name);
void h3_conn_read(struct h3_conn *c, const ngtcp2_path *path,
		  const ngtcp2_pkt_info *info, const uint8_t *data, size_t len);
void h3_conn_write(struct h3_conn *c);
void h3_conn_tick(struct h3_conn *c, ngtcp2_tstamp now);
void h3_conn_close(struct h3_conn *c);
void h3_conn_free(struct h3_conn *c);
/* In nghttp3_callbacks.recv_data: the data has been dealt with. */
void h3_conn_consumed(struct h3_conn *c, int64_t stream_id, size_t len);

/* h3_tls.c */
int h3_tls_new(struct h3_conn *c, bool server, const char *server_name);

/* A header field of literals or strings, which nghttp3 copies */
static inline nghttp3_nv h3_field(const char *name, const char *value)
{
	return (nghttp3_nv) {
		.name = (uint8_t *)name,
		.namelen = __builtin_strlen(name),
		.value = (uint8_t *)value,
		.valuelen = __builtin_strlen(value),
	};
}

#endif /* H3_COMMON_H */
