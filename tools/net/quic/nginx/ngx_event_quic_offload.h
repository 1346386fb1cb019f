/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is called for a connection; ngx_event_quic.h has what is for a process. */
#ifndef NGX_EVENT_QUIC_OFFLOAD_H
#define NGX_EVENT_QUIC_OFFLOAD_H

#include <quic_offload_receive.h>

void ngx_quic_offload_add_key(ngx_quic_keys_t *keys, ngx_uint_t is_write,
			      ngx_quic_secret_t *secret, ngx_quic_md_t *key);
ngx_uint_t ngx_quic_offload_allowed(ngx_connection_t *c);
void ngx_quic_offload_received(ngx_listening_t *ls, struct msghdr *msg,
			       size_t n);
struct quic_offload_datagram *ngx_quic_offload_datagram(ngx_quic_header_t *pkt);
ngx_int_t ngx_quic_offload_open(ngx_quic_header_t *pkt,
				struct quic_offload_datagram *d,
				ngx_quic_secret_t *secret, u_char *nonce,
				ngx_str_t *in, ngx_str_t *ad);

#endif
