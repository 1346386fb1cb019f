/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The life of a connection: it is made with the callbacks and settings of
 * h3_conn_prepare(), then started.
 */
#ifndef H3_CONN_H
#define H3_CONN_H

#include "h3_endpoint.h"

struct h3_conn *h3_conn_prepare(struct h3_endpoint *endpoint,
				struct h3_socket *sock,
				ngtcp2_callbacks *callbacks,
				ngtcp2_settings *settings,
				ngtcp2_transport_params *params);
/* A server has no @server_name. */
int h3_conn_start(struct h3_conn *c, const char *server_name);
void h3_conn_read(struct h3_conn *c, const ngtcp2_path *path,
		  const ngtcp2_pkt_info *info,
		  const struct quic_offload_datagram *datagram);
void h3_conn_write(struct h3_conn *c);
void h3_conn_tick(struct h3_conn *c, ngtcp2_tstamp now);
void h3_conn_close(struct h3_conn *c);
void h3_conn_free(struct h3_conn *c);

#endif /* H3_CONN_H */
