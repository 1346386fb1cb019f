/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* nginx on quic_offload.h, see ngx_event_quic_offload.c */
#ifndef _NGX_EVENT_QUIC_OFFLOAD_H_INCLUDED_
#define _NGX_EVENT_QUIC_OFFLOAD_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <quic_offload_receive.h>

/* ngx_quic_offload_init() is in ngx_event_quic.h */
ngx_int_t ngx_quic_offload_init_process(ngx_cycle_t *cycle);
void ngx_quic_offload_add_key(ngx_quic_keys_t *keys, ngx_uint_t is_write,
    ngx_quic_secret_t *secret, ngx_quic_md_t *key);
ngx_uint_t ngx_quic_offload_allowed(ngx_connection_t *c);

#endif /* _NGX_EVENT_QUIC_OFFLOAD_H_INCLUDED_ */
