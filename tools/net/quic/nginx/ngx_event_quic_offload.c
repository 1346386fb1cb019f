// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nginx's QUIC needs to leave packets to the kernel with quic_offload.h: an
 * object for each listening socket and one for each connection.
 */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_quic_connection.h>

#include <quic_offload_socket.h>
#include <linux/tls.h>


static void
ngx_quic_offload_notice(void *data, const char *text)
{
    ngx_listening_t  *ls = data;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "quic offload on %V: %s",
                  &ls->addr_text, text);
}


/*
 * In the master: attaching may load the kernel's module, which takes privileges
 * that workers have not. They inherit sockets and objects, each its own copy.
 * Behind all modules: a socket that quic_bpf has put into its map is left alone.
 */
ngx_int_t
ngx_quic_offload_init(ngx_cycle_t *cycle)
{
    ngx_uint_t           i;
    ngx_listening_t     *ls;
    ngx_pool_cleanup_t  *cln;

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts && !ngx_test_config; i++) {
        if (!ls[i].quic) {
            continue;
        }

        cln = ngx_pool_cleanup_add(cycle->pool, 0);
        if (cln == NULL) {
            return NGX_ERROR;
        }

        ls[i].offload = quic_offload_socket_new(ls[i].fd,
                                                ngx_quic_offload_notice, &ls[i]);
        cln->handler = (ngx_pool_cleanup_pt) quic_offload_socket_free;
        cln->data = ls[i].offload;
    }

    return NGX_OK;
}


/*
 * The master keeps sockets open, and with them the flows of a worker that was
 * killed. Who takes its place deletes them; other workers on the same socket add
 * theirs again when they miss them.
 */
ngx_int_t
ngx_quic_offload_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_process_t    *process;
    ngx_listening_t  *ls;

    process = &ngx_processes[ngx_process_slot];
    ls = cycle->listening.elts;

    if (!process->exited || !WIFSIGNALED(process->status)) {
        return NGX_OK;
    }

    for (i = 0; i < cycle->listening.nelts; i++) {
        if (ls[i].quic && (!ls[i].reuseport || ls[i].worker == ngx_worker)) {
            (void) setsockopt(ls[i].fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION,
                              NULL, 0);
            (void) setsockopt(ls[i].fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION,
                              NULL, 0);
        }
    }

    return NGX_OK;
}


/* The keys are always those that nginx sends with: it keeps no built packets. */
static int
ngx_quic_offload_protect(void *data, const struct quic_offload_keys *k,
    uint8_t *packet, size_t header_len, size_t len, uint64_t number)
{
    u_char             *pn, nonce[NGX_QUIC_IV_LEN], mask[16];
    ngx_str_t           ad, in, out;
    ngx_uint_t          i, num_len;
    ngx_quic_keys_t    *keys = data;
    ngx_quic_secret_t  *secret;

    secret = &keys->secrets[ssl_encryption_application].server;

    if (ngx_memcmp(k->payload_iv, secret->iv.data, secret->iv.len) != 0) {
        return -1;
    }

    ad.data = packet;
    ad.len = header_len;
    in.data = out.data = packet + header_len;
    in.len = len - header_len;
    out.len = in.len + NGX_QUIC_TAG_LEN;

    num_len = (packet[0] & 0x03) + 1;
    pn = packet + header_len - num_len;

    ngx_memcpy(nonce, secret->iv.data, secret->iv.len);
    ngx_quic_compute_nonce(nonce, sizeof(nonce), number);

    if (ngx_quic_crypto_seal(secret, &out, nonce, &in, &ad, ngx_cycle->log)
        != NGX_OK
        || ngx_quic_crypto_hp(secret, mask, pn + 4, ngx_cycle->log) != NGX_OK)
    {
        return -1;
    }

    packet[0] ^= mask[0] & ngx_quic_pkt_hp_mask(packet[0]);

    for (i = 0; i < num_len; i++) {
        pn[i] ^= mask[i + 1];
    }

    return 0;
}


void
ngx_quic_offload_add_key(ngx_quic_keys_t *keys, ngx_uint_t is_write,
    ngx_quic_secret_t *secret, ngx_quic_md_t *key)
{
    struct quic_offload_keys  k;
    static const uint16_t     ciphers[] = {     /* TLS1_3_CK_... */
        [1] = TLS_CIPHER_AES_GCM_128,
        [2] = TLS_CIPHER_AES_GCM_256,
        [3] = TLS_CIPHER_CHACHA20_POLY1305,
        [4] = TLS_CIPHER_AES_CCM_128
    };

    if (keys->generations[0] + keys->generations[1] == 0) {
        keys->offload = quic_offload_conn_new(ngx_quic_offload_protect, keys);
    }

    ngx_memzero(&k, sizeof(k));
    k.generation = keys->generations[is_write]++;
    k.cipher = ciphers[keys->cipher & 0xf];

    if (keys->offload == NULL) {
        /* all packets are sealed */
        return;
    }

    ngx_memcpy(k.header_key, secret->hp.data, secret->hp.len);
    ngx_memcpy(k.payload_key, key->data, key->len);
    ngx_memcpy(k.payload_iv, secret->iv.data, secret->iv.len);

    if (is_write) {
        (void) quic_offload_conn_set_keys(keys->offload, &k);

    } else {
        (void) quic_offload_conn_set_rx_keys(keys->offload, &k);
    }

    ngx_explicit_memzero(&k, sizeof(k));
}


/*
 * Not before the path is validated: who forges addresses makes no flows. Where the
 * kernel is not asked anyway, nginx does what it always did.
 */
ngx_uint_t
ngx_quic_offload_allowed(ngx_connection_t *c)
{
    ngx_quic_connection_t  *qc;

    qc = ngx_quic_get_connection(c);

    return c->listening->offload && qc->keys->offload && qc->path->validated
           && quic_offload_socket_enable(c->listening->offload, 1);
}
